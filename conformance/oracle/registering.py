# SPDX-License-Identifier: MIT
"""Group B, registering for network events: too late, replaced, taken from a listener, and over with the socket.

What FD_CLOSE tells of an end is judged in `notifications`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from conformance.oracle.findings import Expectation, Finding
from conformance.oracle.judging import judges, judges_case
from conformance.oracle.link import watched
from conformance.oracle.notifications import not_told, tells_the_end
from conformance.oracle.reading import doubt
from conformance.oracle.registrations import (
    CLOSE,
    Registration,
    due_at,
    for_close,
    looked_for,
    may_have_been_told_before,
    registrations,
    told,
)
from conformance.trace.events import End
from conformance.trace.history import Connection, History
from conformance.trace.operations import Notification, Operation, Report, What


@judges("IND-FDC-09")
def a_late_registration_is_told_at_once(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Who registers after the end is told of it at once. [WSAAsyncSelect, FD_CLOSE, first condition; WSAEventSelect]"""
    ending, prompt_ns = connection.peer_to_iut.ending, connection.header.prompt_ns
    if ending.certain_at is None:
        return
    for registration in for_close(connection):
        if registration.entered < ending.certain_at or may_have_been_told_before(connection, registration):
            continue
        due = due_at(connection, registration)
        stopped = connection.iut.stopped_receiving_at
        limit = math.inf if stopped is None else stopped
        if due is None or due >= limit:
            continue
        first = next(iter(told(connection, registration)), None)
        missing = not_told(connection, registration, first, limit)
        if missing is not None:
            yield accepted.violated(
                f"registered after the end ({ending.kind}), and not told of it", ending, registration.call, *missing
            )
        elif first is not None and first.at - due <= prompt_ns:
            yield accepted.satisfied(
                f"registered after the end, {first.seen} within {max(first.at - registration.since, 0) / 1e6:.0f} ms",
                ending,
                registration.call,
                first,
            )


@judges("IND-FDC-11")
def a_closed_socket_raises_no_fd_close(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Once the socket is closed, the peer's end raises no FD_CLOSE for it. [Winsock SPI, WSPCloseSocket]"""
    iut, closed = connection.iut, connection.iut.closed
    if closed is None or closed.returned is None:
        return
    left = next((o for o in connection.peer.operations if o.ends_sending and o.succeeded), None)
    came = left.entered if left is not None else connection.peer.killed_at
    if came is None or came <= closed.returned:
        return  # a message that was posted before the close may still arrive
    for registration in for_close(connection):
        if registration.until != iut.gone_at:
            continue
        later = next((n for n in iut.notifications if n.type == CLOSE and n.at > closed.returned), None)
        if later is not None:
            yield accepted.violated(f"after close, {later.seen}", closed, left, later)
        elif registration.mechanism == "message" and watched(connection, came, connection.header.settle_ns):
            yield accepted.satisfied("closed before the peer's end, and no FD_CLOSE came", closed, left)
        elif registration.mechanism == "event":
            asked = (o for o in iut.calls("enum_events") if o.entered - came >= connection.header.settle_ns)
            if (asked_in_vain := next((o for o in asked if o.returned is not None), None)) is not None:
                yield accepted.satisfied(
                    f"closed before the peer's end; {asked_in_vain.seen}", closed, left, asked_in_vain
                )


@judges("IND-FDC-14")
def a_registration_replaces_the_one_before(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A mask without FD_CLOSE raises none, and registering leaves the socket non-blocking. [WSPEventSelect]"""
    ending, earlier = connection.peer_to_iut.ending, False
    for registration in registrations(connection):
        blocked = _blocked(connection, registration)
        if blocked is not None:
            yield accepted.violated(f"registered, and {blocked.seen}: it blocked", registration.call, blocked)
        elif (wrong := _uncalled_for(connection, registration)) is not None:
            yield accepted.violated(
                f"registered for {'|'.join(sorted(registration.names)) or 'nothing'} alone, and {wrong.seen}",
                registration.call,
                wrong,
            )
        elif CLOSE not in registration.names and earlier and ending.at is not None and ending.at > registration.since:
            yield from _left_alone(connection, accepted, registration)
        earlier = earlier or CLOSE in registration.names


def _blocked(connection: Connection, registration: Registration) -> Report | None:
    """A receive that waited for something, although nobody had made the socket block again."""
    again = [o for o in connection.iut.calls("set_blocking") if o.succeeded and o.arguments.get("on")]
    return next(
        (
            r
            for r in connection.iut.reports
            if registration.since <= r.asked < registration.until
            and r.what is What.NOTHING
            and r.waited_ms
            and not any(o.over >= registration.entered and o.entered <= r.at for o in again)
        ),
        None,
    )


def _uncalled_for(connection: Connection, registration: Registration) -> Notification | None:
    """FD_CLOSE under a registration that did not ask for it, or as a message under one that asked for a record.

    The end came after it was made: messages that were posted before may still arrive.
    """
    at = connection.peer_to_iut.ending.at
    if at is None or at <= registration.since:
        return None
    for notification in connection.iut.notifications:
        if notification.type != CLOSE or not at <= notification.at < registration.until:
            continue
        posted = notification.mechanism == "message" and registration.mechanism == "event"
        if posted or (CLOSE not in registration.names and notification.since >= registration.entered):
            return notification
    return None


def _left_alone(connection: Connection, accepted: Expectation, registration: Registration) -> Iterator[Finding]:
    """The end came and was not told, and a receive did not block."""
    ending = connection.peer_to_iut.ending
    if ending.certain_at is None or not (ending.is_graceful or ending.is_abort):
        return
    look = looked_for(connection, registration, ending.certain_at, connection.header.settle_ns)
    answers = (r for r in connection.iut.reports if r.asked >= registration.since and r.at >= ending.certain_at)
    received = next(answers, None)
    if look is not None and received is not None:
        yield accepted.satisfied(
            f"replaced, and no FD_CLOSE came; {received.seen}", registration.call, look.by, received
        )


@judges_case("IND-FDC-15")
def an_accepted_socket_is_registered_too(history: History, accepted: Expectation) -> Iterator[Finding]:
    """A socket accepted from a listener that is registered for FD_CLOSE is told of its peer's end. [WSAAsyncSelect]"""
    operations = history.of(End.IUT)
    for connection in history.connections:
        if any(o.succeeded for o in connection.iut.calls("event_select")):
            continue
        taken = next((o for o in operations if _accepts(o, connection.established.iut)), None)
        registration = _inherited(operations, taken, connection) if taken is not None else None
        if registration is None:
            continue
        yield from doubt(connection.peer_to_iut, accepted)
        if connection.peer_to_iut.ending.is_graceful:
            yield from tells_the_end(connection, accepted, registration)


def _accepts(operation: Operation, socket: int) -> bool:
    return operation.op == "accept" and operation.succeeded and operation.result.get("socket") == socket


def _inherited(operations: tuple[Operation, ...], taken: Operation, connection: Connection) -> Registration | None:
    """The listener's registration for FD_CLOSE when that connection was accepted."""
    calls = [
        o
        for o in operations
        if o.op == "event_select" and o.socket == taken.socket and o.succeeded and o.entered <= taken.over
    ]
    last = calls[-1] if calls else None
    if last is None or last.over > taken.entered or last.entered == taken.over:
        return None  # none, or one that was made meanwhile
    names, gone = frozenset(map(str, last.arguments.get("events", ()))), connection.iut.gone_at
    if CLOSE not in names:
        return None
    mechanism = str(last.arguments.get("mechanism", "event"))
    until = math.inf if gone is None else gone
    return Registration(taken, names, mechanism, taken.entered, taken.last_at, until)
