# SPDX-License-Identifier: MIT
"""Questions about network events: for what the IUT was registered and how long, what it was told, until when it looked.

A registration is one `event_select` that succeeded; the next one that may have succeeded replaces it, and closing the
socket ends it. What a provider tells by itself (mechanism "message") is missing once somebody has waited; what it keeps
in a record (mechanism "event") is missing from a record that was read. The requirements are the judges' business.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from conformance.oracle.findings import Evidence
from conformance.oracle.indicating import TIMED_OUT
from conformance.oracle.link import may_time_out
from conformance.trace.direction import EndKind
from conformance.trace.events import Outcome
from conformance.trace.history import Connection
from conformance.trace.operations import Notification, Operation, What, left_unread

CLOSE, READ = "FD_CLOSE", "FD_READ"
_MAY_HAVE_REGISTERED = (Outcome.RESULT, Outcome.TIMEOUT, Outcome.UNANSWERED)


@dataclass(frozen=True)
class Registration:
    """For which events the IUT's socket was registered, from `since` on and until `until` (nanoseconds).

    `call` is what registered it: an `event_select` of its own, or the `accept` that took it from a registered listener.
    """

    call: Operation
    names: frozenset[str]
    mechanism: str
    entered: int
    since: int
    until: float

    def covers(self, notification: Notification) -> bool:
        """It was told under this registration; a notice that was under way at its end may come a little later."""
        return notification.mechanism == self.mechanism and self.entered <= notification.at < self.until


def registrations(connection: Connection) -> list[Registration]:
    """The registrations of the IUT's socket, in order; none where several handles of one socket were registered."""
    iut = connection.iut
    calls = [o for o in iut.calls("event_select") if o.succeeded and o.returned is not None]
    if len({call.socket for call in calls}) != 1:
        return []
    gone = math.inf if iut.gone_at is None else iut.gone_at
    replaced = [o.entered for o in iut.calls("event_select") if o.outcome in _MAY_HAVE_REGISTERED]
    return [
        Registration(
            call,
            frozenset(map(str, call.arguments.get("events", ()))),
            str(call.arguments.get("mechanism", "event")),
            call.entered,
            call.last_at,
            min((at for at in (*replaced, gone) if at > call.entered), default=gone),
        )
        for call in calls
        if call.entered < gone
    ]


def for_close(connection: Connection) -> list[Registration]:
    """Those of them that asked for FD_CLOSE."""
    return [registration for registration in registrations(connection) if CLOSE in registration.names]


def told(connection: Connection, registration: Registration, type: str = CLOSE) -> list[Notification]:
    """The notifications of that type under that registration, in the order in which they were told."""
    return [n for n in connection.iut.notifications if n.type == type and registration.covers(n)]


# --- who looked, and until when ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Look:
    """Something that shows all that had been told up to `at`; it was over at `over` (nanoseconds)."""

    at: int
    over: int
    by: Evidence


def looks(connection: Connection, registration: Registration) -> list[Look]:
    """The looks before it was replaced, in order.

    A record tells up to the call that read it. A posted notice comes by itself: any call of the IUT's that returned,
    and any wait, shows what had come by then.
    """
    iut, peer = connection.iut, connection.peer
    if registration.mechanism == "event":
        shown = [Look(o.entered, o.returned, o) for o in iut.calls("enum_events") if o.succeeded and o.returned]
    else:
        in_vain = [o for o in peer.operations if o.outcome is Outcome.TIMEOUT]
        shown = [Look(o.returned, o.returned, o) for o in (*iut.operations, *in_vain) if o.returned]
        shown += [Look(at, at, None) for at in connection.waits]
    return sorted((look for look in shown if look.at < registration.until), key=lambda look: look.at)


def looked_for(
    connection: Connection, registration: Registration, since: float, lasting_ns: int, limit: float = math.inf
) -> Look | None:
    """The first look, over by `limit`, that came so long after `since`."""
    found = (look for look in looks(connection, registration) if look.at - since >= lasting_ns and look.over < limit)
    return next(found, None)


# --- when FD_CLOSE is due ---------------------------------------------------------------------------------------------


def unread_at(connection: Connection, time: int) -> bool:
    """Something that the peer had sent was unread by then, whatever the receives that were under way got."""
    iut, messages = connection.iut, not connection.statement.is_stream
    if not left_unread(connection.peer, iut, time, messages=messages):
        return False
    return not any(r.what is What.DATA and r.asked <= time < r.at for r in iut.receives)


def all_read_at(connection: Connection, since: int) -> int | None:
    """The first time from `since` on by which the IUT had surely read all that was sent; None if it never had."""
    iut, messages = connection.iut, not connection.statement.is_stream
    times = [since, *(report.at for report in iut.receives if report.at > since)]
    return next((at for at in times if not left_unread(connection.peer, iut, at, messages=messages)), None)


def due_at(connection: Connection, registration: Registration) -> int | None:
    """From when on FD_CLOSE must be told: the end was certain, and where it is graceful, all data was read.

    None where that never was.
    """
    ending = connection.peer_to_iut.ending
    if ending.certain_at is None or not (ending.is_graceful or ending.is_abort):
        return None
    since = max(ending.certain_at, registration.since)
    return all_read_at(connection, since) if ending.is_graceful else since


def receiving_until(connection: Connection) -> float:
    """Until when nothing but the peer's end can concern FD_CLOSE: this side stops receiving, or a reset follows."""
    ending, stopped = connection.peer_to_iut.ending, connection.iut.stopped_receiving_at
    reset = ending.reset_at if ending.is_graceful else None
    return min(math.inf if time is None else time for time in (stopped, reset))


def may_have_been_told_before(connection: Connection, registration: Registration) -> bool:
    """An earlier registration for FD_CLOSE was in force when the end came, or after: it may have told of it."""
    at = connection.peer_to_iut.ending.at
    return any(
        earlier.entered < registration.entered and (at is None or earlier.until > at)
        for earlier in for_close(connection)
    )


def another_cause(connection: Connection, notification: Notification) -> bool:
    """It may tell of something other than the peer's end: a reset that followed, a time-out of this side's own."""
    ending = connection.peer_to_iut.ending
    if notification.error is None:
        return False
    reset = ending.is_graceful and ending.reset_at is not None and notification.at >= ending.reset_at
    return reset or (notification.told in TIMED_OUT and may_time_out(connection))


def before_any_end(connection: Connection, notification: Notification) -> bool:
    """It was told before the peer had ended, or although it never did; its calls, where no link shows its ends."""
    direction = connection.peer_to_iut
    if direction.ending.kind in (EndKind.NOT_KNOWN, EndKind.ABORTED_BY_RECEIVER):
        return False
    if another_cause(connection, notification):
        return False
    if direction.ending.at is not None:
        return notification.at < direction.ending.at
    return direction.witnessed or not any(o.ends_sending for o in connection.peer.operations)
