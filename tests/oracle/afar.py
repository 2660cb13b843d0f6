# SPDX-License-Identifier: MIT
"""A story as a suite far away would have recorded it: the same behaviour, seen over a link and a control connection.

Each way takes `way_ms`. A request is written so long before the call is entered, and its reply read so long after the
call returned; what the IUT puts on the link is seen so long after, what the peer puts there reaches it so long after it
was seen. Whatever waits for something waits for it here too. The agent's own times are of a clock of its own.
"""

from __future__ import annotations

import msgspec

from conformance.trace.events import Called, Completed, End, Event, Fate, Indicated, Noted, Pdu, Returned, Segment
from conformance.trace.trace import Trace, in_order

MS = 1_000_000
ANOTHER_CLOCK_NS = -7_654_321_000_000
"""What the agent's clock is ahead of ours."""


def from_afar(trace: Trace, way_ms: int) -> Trace | None:
    """That trace, recorded from afar; None for what cannot be there: a link with rules, an IUT that is killed."""
    relayed = any(isinstance(e, Segment) and (e.fate is not Fate.DELIVERED or e.delivered_at) for e in trace.events)
    killed = any(isinstance(e, Noted) and e.end is End.IUT and e.what == "killed" for e in trace.events)
    if relayed or killed or trace.header.topology == "wire" or trace.header.raw_peer:
        return None
    way, latency = way_ms * MS, 4 * way_ms * MS
    header = msgspec.structs.replace(
        trace.header,
        topology="remote",
        foreign_clock=True,
        latency_ns=latency,
        settle_ns=trace.header.settle_ns + latency,
        prompt_ns=trace.header.prompt_ns + latency,
    )
    camera = _Camera(way, latency)
    return Trace(header, in_order([camera.seen(event) for event in trace.events]))


class _Camera:
    def __init__(self, way: int, latency: int) -> None:
        self.way, self.latency = way, latency
        self.later = 0
        """By how much the behaviour is later than in the story."""
        self.read = 0
        """When the last reply or notice was read: the harness makes nothing happen before."""
        self.come = 0
        """When the last segment of the IUT's reached the peer."""
        self.gone = 0
        """When the last segment of the peer's reached the IUT."""

    def seen(self, event: Event) -> Event:
        """The event at the time at which it is seen from afar."""
        match event:
            case Called(end=End.IUT):
                self._not_before(event.at, self.read)
                written = event.at + self.later
                self.later += self.way
                return msgspec.structs.replace(event, at=written, own=self._own(event))
            case Returned(end=End.IUT) | Indicated(end=End.IUT) | Completed(end=End.IUT):
                self._not_before(event.at, self.gone)
                self.read = event.at + self.later + self.way
                return msgspec.structs.replace(event, at=self.read, own=self._own(event))
            case Segment(sender=End.IUT) | Pdu(sender=End.IUT):
                self._not_before(event.at, self.gone)
                self.come = event.at + self.later + self.way
                return msgspec.structs.replace(event, at=self.come)
            case Segment() | Pdu():
                self._not_before(event.at, self.come)
                self.gone = event.at + self.later + self.way
            case Called():
                self._not_before(event.at, self.read)
            case Noted():
                self._not_before(event.at, self.read)
                self.later += self.latency if event.what == "settled" else 0
            case _:
                self._not_before(event.at, self.come)
        return msgspec.structs.replace(event, at=event.at + self.later)

    def _own(self, event: Event) -> int:
        return event.at + self.later + ANOTHER_CLOCK_NS

    def _not_before(self, at: int, limit: int) -> None:
        self.later = max(self.later, limit - at + 1)
