# SPDX-License-Identifier: MIT
"""What makes the times of a case doubtful whose IUT is far away: a message that took longer than was allowed for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from conformance.execution.calling import Limits
from conformance.execution.endpoint import Endpoint
from conformance.trace.events import Called, Established, Event, Outcome, Returned

NS_PER_MS = 1_000_000


def doubtful_way(iut: Endpoint, events: Iterable[Event], limits: Limits) -> str:
    """Why nothing that was seen in the case is to be relied on; empty where all came as quickly as was allowed for.

    The settle time and the bound for "promptly" have the latency that was measured at the start of the session. Where
    a request with its reply took longer, or a connection took longer to make, an absence or a delay shows nothing.
    """
    events = list(events)
    allowed = limits.latency_ms * NS_PER_MS
    if iut.slowest_ns > allowed:
        return (
            f"a request and its reply took {iut.slowest_ns / NS_PER_MS:.0f} ms on their way, and no more than"
            f" {limits.latency_ms} ms were allowed for by what was measured at the start"
        )
    took = connecting_ns(events)
    if took > allowed:
        return (
            f"the link took {took / NS_PER_MS:.0f} ms to make a connection, and no more than {limits.latency_ms} ms"
            " were allowed for by what was measured on the control connection"
        )
    if any(isinstance(e, Established) and _port(e.client_address) == _port(e.listener_address) for e in events):
        return "both ends have the same port by chance, and which end sent a segment cannot be told: run it again"
    return ""


def connecting_ns(events: Sequence[Event]) -> int:
    """The longest that a connect took which succeeded, by the clock of its end; the link's round trip is in it."""
    entered = {(e.end, e.call): e for e in events if isinstance(e, Called) and e.op == "connect"}
    longest = 0
    for event in events:
        if not isinstance(event, Returned) or event.outcome is not Outcome.RESULT:
            continue
        if (call := entered.get((event.end, event.call))) is None:
            continue
        own = event.own - call.own if event.own is not None and call.own is not None else None
        longest = max(longest, event.at - call.at if own is None else own)
    return longest


def _port(address: dict[str, object]) -> object:
    return address.get("port", address)
