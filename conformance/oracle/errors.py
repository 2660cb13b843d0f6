# SPDX-License-Identifier: MIT
"""Group G, errors and misuse: the calls that must be refused, and what a refused call must leave alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from conformance.catalogue.statement import Statement
from conformance.oracle.departing import (
    goodbyes,
    intact,
    refused_send,
    sign_of_an_end,
    unseen,
    until,
)
from conformance.oracle.findings import Expectation, Finding
from conformance.oracle.judging import judges, judges_case
from conformance.oracle.link import words
from conformance.oracle.reading import heard, looked_until, read
from conformance.oracle.registrations import CLOSE, before_any_end
from conformance.trace.direction import EndKind
from conformance.trace.events import End, Outcome
from conformance.trace.history import Connection, History
from conformance.trace.operations import HOW, Notification, Operation, Report, What

_ANSWERED = (Outcome.RESULT, Outcome.ERROR)
_NEW_HANDLE = ("socket", "accept", "duplicate")


@judges_case("ERR-01")
def shutdown_needs_a_connection(history: History, accepted: Expectation) -> Iterator[Finding]:
    """The calls that shut down fail with not-connected on a socket that was never connected.

    [Winsock SPI, WSPShutdown, WSPSendDisconnect and WSPRecvDisconnect]
    """
    operations = history.of(End.IUT)
    fresh = {int(o.result["socket"]) for o in operations if o.op == "socket" and o.succeeded}
    for operation in operations:
        if operation.op in ("connect", "listen", "close", "accept", "duplicate"):
            fresh -= {operation.socket}
        judged = _shuts_down(operation, history.statement) and operation.outcome in _ANSWERED
        if judged and operation.socket in fresh:
            yield accepted.weigh(operation, after="on a socket that was never connected")


def _shuts_down(operation: Operation, statement: Statement) -> bool:
    """It shuts down, and nothing else is wrong with it: which of two errors wins is not stated.

    An unknown direction is wrong, and so is disconnect data where the protocol has none.
    """
    if operation.op in ("send_disconnect", "recv_disconnect"):
        bare = not {"data", "length", "unreadable"} & set(operation.arguments)
        return bare or "DISCONNECT_DATA" in statement.service_flags
    return operation.how in HOW.values()


@judges("ERR-02")
def an_unknown_direction_is_invalid(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A shutdown of no known direction, on a connected socket, fails with invalid argument. [Winsock SPI, WSPShutdown]

    POSIX and Winsock number the directions 0 to 2.
    """
    for call in _misdirected(connection):
        yield accepted.weigh(call, after=f"with an unknown direction ({call.how}) on a connected socket")


def _misdirected(connection: Connection) -> list[Operation]:
    """The shutdowns of no known direction on a connection that was whole, or of which only one direction had ended."""
    left = min((o.entered for o in goodbyes(connection)), default=None)
    return [
        o
        for o in connection.iut.calls("shutdown")
        if isinstance(o.how, int)
        and o.outcome in _ANSWERED
        and o.entered >= connection.established.at
        and (left is None or o.over <= left)
        and intact(connection, o.last_at)
    ]


@judges_case("ERR-05")
def a_closed_handle_is_refused(history: History, accepted: Expectation) -> Iterator[Finding]:
    """After close the old handle is refused, as long as no new one can have taken its place.

    [Winsock SPI, WSPCloseSocket]
    """
    operations = history.of(End.IUT)
    closes: dict[int | None, Operation] = {}
    for operation in operations:
        close = closes.get(operation.socket)
        answered = operation.outcome in (*_ANSWERED, Outcome.TIMEOUT)  # what waits on a handle takes it for a socket
        if close is not None and answered and not _made(operations, close, operation):
            yield accepted.weigh(operation, close, after="after close")
        if operation.op == "close" and operation.succeeded and operation.socket is not None:
            closes[operation.socket] = operation


def _made(operations: Iterable[Operation], close: Operation, later: Operation) -> bool:
    """A handle may have been made from that close on, before the later call was over; or the two overlap."""
    if later.entered <= close.over:
        return True
    made = (o for o in operations if o.op in _NEW_HANDLE and o.entered <= later.over)
    return any(o.returned is None or o.returned >= close.entered for o in made)


@judges("ERR-07")
def shutdown_after_an_abort_is_recorded(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """What shutdown returns once an abort was told is written down. [Winsock API, shutdown]"""
    ending, gone = connection.peer_to_iut.ending, connection.iut.gone_at
    # Without a link it may not be known whether the peer's end was an abort; that one was told is enough to record.
    if ending.at is None or not (ending.is_abort or ending.kind is EndKind.NOT_KNOWN):
        return
    told = next(iter(words(connection.iut, ending.at)), None)
    if told is None or told.is_graceful:
        return
    for call in connection.iut.calls("shutdown"):
        if call.entered >= told.at and (gone is None or call.entered < gone) and call.outcome in _ANSWERED:
            yield accepted.weigh(call, ending, told, after=f"after an abort was told ({told.seen})")


@judges("ERR-08")
def a_refused_call_changes_nothing(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """After a refused call data still flows in both directions, and nothing was told of an end. [Winsock SPI]"""
    call = next((o for o in _misdirected(connection) if o.outcome is Outcome.ERROR), None)
    if call is None or call.returned is None:
        return
    stopped = connection.iut.stopped_receiving_at
    limit = min(until(connection, call), math.inf if stopped is None else stopped)
    wrong = (
        sign_of_an_end(connection, call.entered, limit)
        or refused_send(connection, call.returned, limit)
        or _false_end(connection, call, limit)
        or _withheld(connection, call.returned, limit)
        or _called_for_by_nothing(connection, call.entered, limit)
    )
    if wrong is not None:
        yield accepted.violated(f"{call.seen}, and after that {wrong.seen}", call, wrong)
        return
    there, back = (first_through(connection, end, call.returned) for end in End)
    if there is not None and back is not None:
        because = f"{call.seen}, and data sent after that was read at both ends"
        yield accepted.satisfied(because, call, there, back)


def _false_end(connection: Connection, call: Operation, limit: float) -> Report | None:
    """The IUT's word of an end that the peer had not come to, by a receive that was made after that call."""
    ending = connection.peer_to_iut.ending
    final = read(connection.peer_to_iut, connection.statement).final
    if ending.kind in (EndKind.NOT_KNOWN, EndKind.ABORTED_BY_SENDER):
        return None
    if final is None or final.asked < call.over or final.asked == call.entered or final.at >= limit:
        return None  # by a coarse clock, what was made at the instant of the call may have come first
    return final if ending.at is None or final.at < ending.at else None


def _withheld(connection: Connection, since: int, limit: float) -> Report | None:
    """A receive of the IUT's that waited in vain, while all that the peer had sent had long come and was not read."""
    iut, direction, prompt_ns = connection.iut, connection.peer_to_iut, connection.header.prompt_ns
    if unseen(connection):
        return None
    for report in heard(iut):
        if report.what is not What.NOTHING or report.asked < since or report.at >= limit:
            continue
        latest = looked_until(report.asked, report.at, report.waited_ms) - prompt_ns
        come = direction.acknowledged_by(latest) if direction.witnessed else direction.offered_before(latest)
        waited = report.asked <= latest and intact(connection, report.at)
        if waited and come >= direction.offered_length > iut.read_until(report.at):
            return report
    return None


def _called_for_by_nothing(connection: Connection, since: int, limit: float) -> Notification | None:
    """FD_CLOSE, surely raised between the two times, and before the peer had ended."""
    told = (n for n in connection.iut.notifications if n.type == CLOSE and since < n.since and n.at < limit)
    return next((n for n in told if before_any_end(connection, n)), None)


def first_through(connection: Connection, sender: End, since: int) -> Operation | None:
    """The first send of that end after that time, if the other end read something of it."""
    direction, stream = connection.from_(sender), connection.statement.is_stream
    sends = [s for s in direction.sender.sends if s.succeeded and (s.result["length"] or not stream)]
    before = [s for s in sends if s.entered < since]
    known = sum(int(s.result["length"]) for s in before) if stream else len(before)
    through = read(direction, connection.statement).good > known
    return next(iter(sends[len(before) :]), None) if through else None
