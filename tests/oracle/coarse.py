# SPDX-License-Identifier: MIT
"""A story as an agent with a coarse clock would have told it: what it cannot tell apart has one time.

Clocks of whole milliseconds, and of fifteen, are about. A call then takes no time, what follows it at once is made at
the instant of its return, and an indication may come at the instant of the call before which it came. The order in
which it all happened is kept, and so is whatever the harness waited.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from conformance.trace.events import Called, Event, Pdu, Returned, Segment
from conformance.trace.trace import Trace

TICK_NS = 1_000_000
"""What a story lets pass from one event to the next: nothing that anybody waited for."""


def without_duration(trace: Trace) -> Trace:
    """A call, what it brings about and its return at one instant; the link keeps its own time."""
    return _told(trace, lambda before, after: not _of_the_link(before, after) and _rank(before) <= _rank(after))


def without_pauses(trace: Trace) -> Trace:
    """Each call at the instant of the return before it."""
    return _told(trace, lambda before, after: isinstance(before, Returned) and isinstance(after, Called))


def _of_the_link(*events: Event) -> bool:
    return all(isinstance(event, Segment | Pdu) for event in events)


def _rank(event: Event) -> int:
    """Where `trace.in_order` puts it among events of one time."""
    return 3 if isinstance(event, Returned) else 2 if isinstance(event, Pdu) else 1 if isinstance(event, Segment) else 0


def _told(trace: Trace, together: Callable[[Event, Event], bool]) -> Trace:
    told, earlier = list[Event](), 0
    for before, event in zip((None, *trace.events), trace.events, strict=False):
        if before is not None and event.at - before.at == TICK_NS and together(before, event):
            earlier += TICK_NS
        changes = {"at": event.at - earlier}
        if isinstance(event, Segment) and event.delivered_at is not None:
            changes["delivered_at"] = event.delivered_at - earlier
        told.append(msgspec.structs.replace(event, **changes))
    return Trace(trace.header, tuple(told))
