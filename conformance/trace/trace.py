# SPDX-License-Identifier: MIT
"""A trace: everything that was seen in one case, in one order, on one clock, with what is needed to judge it again."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from conformance.catalogue.statement import Statement
from conformance.trace.events import Event, Pdu, Returned, Segment


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a trace is a trace of.

    `settle_ns` is the time (nanoseconds) after which an absence counts as an absence in this session, `prompt_ns` the
    time within which something promised must have come. `wire` says whether the link was captured; `wire_missing` why
    not, and `lost` how many packets the capture is known to have lost. `problem` is what broke the harness or an
    agent in this case, empty if nothing did.
    """

    case: str
    provider: str
    statement: Statement
    topology: str
    exercises: tuple[str, ...] = ()
    implementation: dict[str, str] = {}
    peer: str = ""
    raw_peer: bool = False
    """The peer speaks only the layer below the transport: its sends carry units, or what is to look like them."""
    settle_ns: int
    prompt_ns: int
    wire: bool
    wire_missing: str = ""
    lost: int = 0
    problem: str = ""
    unavailable: str = ""
    """Why the case could not be tried here at all (a topology that is missing); empty if it was tried."""
    foreign_clock: bool = False
    """The IUT's agent has another clock. Its calls are timed by the harness, from when the request was written to when
    the reply was read, which contains them; its notices by when they were read, which is no earlier than they were."""
    latency_ns: int = 0
    """What a message of such an agent may take on its way, by measurement; `settle_ns` and `prompt_ns` have it in."""
    doubtful: str = ""
    """Why nothing that was seen is to be relied on (a message took longer on its way, say); empty if it can be."""


class Trace(msgspec.Struct, frozen=True):
    """The header and the events, numbered from 1 in the order of their times."""

    header: Header
    events: tuple[Event, ...]


_RANK: dict[type, int] = {Returned: 3, Pdu: 2, Segment: 1}
"""At equal times a call comes before the segment that it sent, that before the unit that is complete with it, and that
before the return: cause before effect."""


def in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    """Sort events by time and number them from 1. Events of equal time keep cause before effect."""
    ordered = sorted(events, key=lambda event: (event.at, _RANK.get(type(event), 0)))
    return tuple(msgspec.structs.replace(event, n=number) for number, event in enumerate(ordered, start=1))
