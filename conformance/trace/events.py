# SPDX-License-Identifier: MIT
"""What was seen in one case: the events that a trace is made of.

An event is a frozen value with a number `n` (its place in the trace) and a time `at` (integer, nanoseconds since
1970-01-01 UTC, CLOCK_REALTIME). Nothing here interprets: reading a trace is the history's work (`history`), judging
it the oracle's.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeAlias

import msgspec


class End(StrEnum):
    """One of the two ends of a connection: the implementation under test, or the peer that the suite plays."""

    IUT = "iut"
    PEER = "peer"

    @property
    def other(self) -> End:
        """The opposite end."""
        return End.PEER if self is End.IUT else End.IUT


class Outcome(StrEnum):
    """How an operation was answered: the five replies of the agent protocol, and no answer at all."""

    RESULT = "result"
    ERROR = "error"
    TIMEOUT = "timeout"
    UNSUPPORTED = "unsupported"
    FAILURE = "failure"
    UNANSWERED = "unanswered"


class Fate(StrEnum):
    """What became of a segment on the link; everything but `DELIVERED` is the harness's own doing."""

    DELIVERED = "delivered"
    DROPPED = "dropped"
    HELD = "held"
    """Kept back, and delivered later: `delivered_at` tells when."""
    REPEATED = "repeated"
    """A copy that the harness put on the link; no end sent it again by itself."""
    FORGED = "forged"
    """Made by the harness and put on the link in the sender's name, who never sent it and knows nothing of it."""


class ErrorValue(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error as the implementation named it: its own symbol, its own number if it has one, free text."""

    name: str
    code: int | None = None
    detail: str = ""


class Called(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="kind", tag="call"):
    """An end entered an operation. `call` pairs it with its `Returned`; it is unique within the end.

    `own` (here and in the other events of an end) is the time that the agent gave, where its clock is not the trace's:
    it orders that agent's own events, and measures how long they took, and can be compared with nothing else.
    """

    n: int = 0
    at: int
    end: End
    call: int
    op: str
    socket: int | None = None
    arguments: dict[str, Any] = {}
    own: int | None = None


class Returned(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="kind", tag="return"):
    """An operation ended. Exactly one of `result`, `error`, `text` (unsupported, failure) speaks, by `outcome`."""

    n: int = 0
    at: int
    end: End
    call: int
    outcome: Outcome
    result: dict[str, Any] | None = None
    error: ErrorValue | None = None
    text: str = ""
    own: int | None = None


class Indicated(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="kind", tag="indication"):
    """An indication that the implementation raised by itself: FD_CLOSE, END, CLOSED, an upcall."""

    n: int = 0
    at: int
    end: End
    notice: int
    socket: int | None
    type: str
    error: ErrorValue | None = None
    name: str = ""
    args: Any = None
    own: int | None = None


class Completed(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="kind", tag="completion"):
    """A posted operation ended; `token` is what `post_recv` returned."""

    n: int = 0
    at: int
    end: End
    notice: int
    token: str
    result: dict[str, Any] | None = None
    error: ErrorValue | None = None
    mechanism: str = ""
    own: int | None = None


class Segment(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="kind", tag="segment"):
    """One TCP segment on the link.

    `seq` and `ack` are absolute (32 bit); `length` counts the payload octets on the wire, also where the capture kept
    fewer; `flags` holds the letters of the set flags in the order of `FSRPAUEC`; `window` is the field as it stands;
    `scale` the shift count that a SYN offers for it (RFC 7323, 2.2), None where it offers none; `frame` is the number
    of the packet in the case's pcapng, from 1.
    """

    n: int = 0
    at: int
    sender: End
    flags: str
    seq: int
    ack: int
    window: int
    length: int
    source_port: int
    destination_port: int
    frame: int = 0
    fate: Fate = Fate.DELIVERED
    delivered_at: int | None = None
    scale: int | None = None


class Pdu(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="kind", tag="pdu"):
    """One protocol data unit of the transport under test, read from the octets that TCP carried.

    `at` is when its last octet was put on the link; `upto` the offset after that octet in its direction of TCP (0 being
    the first octet after the SYN); `name` the unit's own (DATA, RELEASE, CLOSE, ...). `length` counts the octets of
    user data that it carries, and `data` holds them, or the first of them. `whole` is False for data that its message
    goes on after. `problem` says what is wrong with a unit that breaks the transport's own format, and is empty for
    the others. `frame` is the number of the packet with its last octet in the case's pcapng.
    """

    n: int = 0
    at: int
    sender: End
    name: str
    upto: int
    length: int = 0
    data: bytes = b""
    whole: bool = True
    fields: dict[str, Any] = {}
    problem: str = ""
    frame: int = 0


class Established(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="kind", tag="established"):
    """The harness joined two sockets, one of each end: from here on they are one connection."""

    n: int = 0
    at: int
    iut: int
    peer: int
    client: End
    client_address: dict[str, Any]
    listener_address: dict[str, Any]


class Noted(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="kind", tag="note"):
    """Something the harness did or found: an agent killed, a rule applied, a limit reached, packets lost."""

    n: int = 0
    at: int
    what: str
    end: End | None = None
    details: dict[str, Any] = {}


Event: TypeAlias = Called | Returned | Indicated | Completed | Segment | Pdu | Established | Noted
