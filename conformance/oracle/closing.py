# SPDX-License-Identifier: MIT
"""Group A, close: graceful or abortive by linger, in the background or waited for, and only with the last descriptor.

How a goodbye is followed through is `departing`'s work; shutdowns are judged in `initiating`.
"""

from __future__ import annotations

from collections.abc import Iterator

from conformance.oracle.departing import (
    GRACEFUL_WORDS,
    Observed,
    acknowledged_by,
    brought_about,
    delivery,
    failed,
    first_goodbye,
    goodbyes,
    intact,
    is_abortive,
    is_refusal,
    quiet,
    sign_of_an_end,
    unread,
    until,
)
from conformance.oracle.findings import Expectation, Finding, Shown
from conformance.oracle.judging import judges, judges_case
from conformance.oracle.link import may_time_out
from conformance.oracle.reading import NS_PER_S, doubt, heard, read
from conformance.trace.direction import Passage
from conformance.trace.events import End
from conformance.trace.history import Connection, History
from conformance.trace.operations import Operation, What


@judges("INIT-CLOSE-01")
def close_finishes_in_the_background(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """With linger off a blocking close returns at once; what is queued, and the graceful end, follow by themselves.

    [Winsock SPI, WSPCloseSocket, table, row 1]
    """
    yield from _in_the_background(connection, accepted, blocking=True)


@judges("INIT-CLOSE-02")
def a_nonblocking_close_does_too(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """With linger off a non-blocking close does the same, and never would block. [Winsock SPI, WSPCloseSocket]"""
    yield from _in_the_background(connection, accepted, blocking=False)


def _in_the_background(connection: Connection, accepted: Expectation, *, blocking: bool) -> Iterator[Finding]:
    call = first_goodbye(connection, "close")
    if call is None or call.returned is None or connection.iut.blocking_at(call.entered) is not blocking:
        return
    if connection.iut.linger_at(call.entered)[0] or unread(connection, call.entered) or not _left(connection, call, call.entered):
        return
    if failed(call):
        if intact(connection, call.returned):
            yield accepted.violated(f"with linger off and data still to send, {call.seen}", call)
        return
    if not call.succeeded:
        return
    took = f"close took {call.took / NS_PER_S:.3f} s with data still to send"
    if call.took > connection.header.prompt_ns:
        yield accepted.violated(took, call)
    elif _left(connection, call, call.returned):
        yield from doubt(connection.iut_to_peer, accepted)
        if (rest := delivery(connection, call)) is not None:
            because = f"{took}; {rest.because}"
            yield accepted.decide(rest.complete, because, because, call, *rest.evidence)


def _left(connection: Connection, close: Operation, time: int) -> bool:
    """Accepted bytes had not been acknowledged by then; without a link, the peer had not asked for them by the return."""
    direction = connection.iut_to_peer
    offered = direction.offered_before(close.entered)
    if direction.visible:
        return offered > acknowledged_by(direction, time)
    asked = (r for r in heard(connection.peer) if r.what is What.DATA and r.asked <= (close.returned or time))
    return not connection.header.wire and offered > sum(r.length for r in asked)


@judges("INIT-CLOSE-03")
def linger_zero_aborts(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """With linger on and a time of 0 a blocking close returns at once and resets the connection.

    [Winsock SPI, WSPCloseSocket, table, row 2]
    """
    yield from _at_once(connection, accepted, blocking=True)


@judges("INIT-CLOSE-04")
def a_nonblocking_linger_zero_aborts_too(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """With linger on and a time of 0 a non-blocking close does the same. [Winsock SPI, WSPCloseSocket]"""
    yield from _at_once(connection, accepted, blocking=False)


def _at_once(connection: Connection, accepted: Expectation, *, blocking: bool) -> Iterator[Finding]:
    call = first_goodbye(connection, "close")
    if call is None or not is_abortive(connection, call) or connection.iut.blocking_at(call.entered) is not blocking:
        return
    if call.returned is None or not intact(connection, call.entered):
        return
    if failed(call) or (call.succeeded and call.took > connection.header.prompt_ns):
        yield accepted.violated(f"with linger on and 0 s, {call.seen} after {call.took / NS_PER_S:.3f} s", call)
    elif call.succeeded and (observed := brought_about(connection, call)) is not None:
        yield accepted.weigh(observed, after="with linger on and 0 s")
    else:
        yield from doubt(connection.iut_to_peer, accepted)


@judges("INIT-CLOSE-05")
def a_lingering_close_waits_for_the_drain(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """With linger on and time enough, a blocking close returns once the data has drained, and the end is graceful.

    Drained is what is acknowledged, with its FIN or without. [Winsock SPI, WSPCloseSocket, table, row 3]
    """
    call = first_goodbye(connection, "close")
    if call is None or call.returned is None or not connection.iut.blocking_at(call.entered):
        return
    on, seconds = connection.iut.linger_at(call.entered)
    if not on or not seconds or unread(connection, call.entered) or not _left(connection, call, call.entered):
        return
    linger_ns, direction = seconds * NS_PER_S, connection.iut_to_peer
    drained = _drained(connection, call)
    if drained is None or drained[0] > call.entered + linger_ns // 2:
        return
    at, with_its_end, evidence = drained
    if failed(call):
        if intact(connection, call.returned):
            yield accepted.violated(f"with {seconds} s of linger and a peer that reads, {call.seen}", call, evidence)
        return
    took = f"with {seconds} s of linger and the data drained after {(at - call.entered) / NS_PER_S:.3f} s, close took"
    took = f"{took} {call.took / NS_PER_S:.3f} s"
    rest = delivery(connection, call) if call.succeeded else None
    if not call.succeeded or may_time_out(connection):
        return
    if call.took >= linger_ns:
        if with_its_end:
            yield accepted.violated(took, call, evidence)
    elif rest is not None and not rest.complete:
        yield accepted.violated(f"{took}; {rest.because}", call, evidence, *rest.evidence)
    elif call.returned >= at:
        if rest is not None:
            told = Observed("CLOSE_WAITS_FOR_DRAIN", f"{took}; {rest.because}", _events(call, evidence, *rest.evidence))
            yield accepted.weigh(told, after="in blocking mode")
    elif direction.visible or connection.statement.transport == "unix":
        seen = f"{took}; {rest.because}" if rest is not None else took
        told = Observed("GRACEFUL_IN_BACKGROUND", seen, _events(call, evidence, *(rest.evidence if rest else ())))
        yield accepted.weigh(told, after="in blocking mode")
    else:
        yield accepted.undetermined(f"{took}, and no link is visible that shows what was left to send", call, evidence)
