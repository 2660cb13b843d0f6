# SPDX-License-Identifier: MIT
"""Group A, close: graceful or abortive by linger, in the background or waited for, and only with the last descriptor.

How a goodbye is followed through is `departing`'s work; shutdowns are judged in `initiating`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from conformance.oracle.departing import (
    GRACEFUL_WORDS,
    Observed,
    brought_about,
    delivery,
    failed,
    first_goodbye,
    goodbyes,
    intact,
    is_abortive,
    lingered,
    quiet,
    refused_send,
    sign_of_an_end,
    unread,
)
from conformance.oracle.findings import Expectation, Finding, Shown, Told
from conformance.oracle.judging import judges, judges_case
from conformance.oracle.link import may_time_out
from conformance.oracle.reading import NS_PER_S, doubt, heard, read
from conformance.trace.events import End
from conformance.trace.history import Connection, History
from conformance.trace.operations import Operation, Report, What


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
    if connection.iut.linger_at(call.entered)[0] or unread(connection, call.entered):
        return
    if not _left(connection, call, call.entered):
        return
    if failed(call):
        if intact(connection, call.returned):
            yield accepted.violated(f"with linger off and data still to send, {call.seen}", call)
        return
    if not call.succeeded:
        return
    took = f"close took {_s(call.took)} with data still to send"
    if call.took > connection.header.prompt_ns:
        yield accepted.violated(took, call)
    elif _left(connection, call, call.returned):
        yield from doubt(connection.iut_to_peer, accepted)
        if (rest := delivery(connection, call)) is not None:
            because = f"{took}; {rest.because}"
            yield accepted.decide(rest.complete, because, because, call, *rest.evidence)


def _left(connection: Connection, close: Operation, time: int) -> bool:
    """Accepted bytes were not acknowledged by then; without a link, the peer had not asked for them."""
    direction = connection.iut_to_peer
    offered = direction.offered_before(close.entered)
    if direction.witnessed:
        return offered > direction.acknowledged_by(time)
    asked = (r for r in heard(connection.peer) if r.what is What.DATA and r.asked <= time)
    return not connection.unseen and offered > sum(r.length for r in asked)


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
        yield accepted.violated(f"with linger on and 0 s, {call.seen} after {_s(call.took)}", call)
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
    drain = _drain(connection, call)
    if drain is None and (abort := _early_abort(connection, call)) is not None:
        yield accepted.violated(f"with {seconds} s of linger, of which {_s(call.took)} were over, {abort.seen}", abort)
    if drain is None or drain.at > _soon(connection, call) or may_time_out(connection):
        return
    if failed(call):
        if intact(connection, call.returned):
            yield accepted.violated(f"with {seconds} s of linger, and a peer that took all, {call.seen}", call, drain)
        return
    rest = delivery(connection, call) if call.succeeded else None
    if rest is None:
        return
    drained = f"the data had drained after {_s(drain.at - call.entered)} of {seconds} s"
    when = f"{drained}, and close returned after {_s(call.took)}"
    evidence: tuple[Shown, ...] = (call, drain, *rest.evidence)
    if not rest.complete:
        yield accepted.violated(f"{when}; {rest.because}", *evidence)
    elif lingered(call, seconds):
        if drain.with_its_end:
            yield accepted.violated(when, *evidence)
    elif call.returned < drain.at and not (
        connection.iut_to_peer.witnessed or connection.statement.transport == "unix"
    ):
        yield accepted.undetermined(f"{when}, and no link shows what was left to send", *evidence)
    else:
        waited = "CLOSE_WAITS_FOR_DRAIN" if call.returned >= drain.at else "GRACEFUL_IN_BACKGROUND"
        events = tuple(n for shown in evidence for n in shown.events)
        yield accepted.weigh(Observed(waited, f"{when}; {rest.because}", events), after="with linger on")


def _early_abort(connection: Connection, close: Operation) -> Observed | None:
    """The reset, or its like, by which that close ended the connection before half of its time was over."""
    ending, soon = connection.iut_to_peer.ending, _soon(connection, close)
    if not close.succeeded or close.over > soon or ending.at is None or ending.at > soon:
        return None
    observed = brought_about(connection, close)
    return observed if observed is not None and observed.told == "ABORT_REMOTE" else None


def _soon(connection: Connection, close: Operation) -> int:
    """When half of the time to linger is over: by then there was time enough."""
    return close.entered + connection.iut.linger_at(close.entered)[1] * NS_PER_S // 2


@dataclass(frozen=True)
class _Drain:
    """When the last accepted byte had been taken, and whether the end was, soon enough too."""

    at: int
    with_its_end: bool
    events: tuple[int, ...]


def _drain(connection: Connection, close: Operation) -> _Drain | None:
    direction, wanted = connection.iut_to_peer, connection.iut_to_peer.offered_length
    soon = _soon(connection, close)
    if direction.witnessed:
        data, end = direction.acknowledged(wanted), direction.acknowledged(wanted + 1)
        return _Drain(data.at, end is not None and end.at <= soon, data.events) if data else None
    taken = 0
    for report in heard(connection.peer):
        taken += report.length
        if taken >= wanted and not connection.unseen:
            final = read(direction, connection.statement).final
            return _Drain(report.at, final is not None and final.at <= soon, report.events)
    return None


def _s(ns: int) -> str:
    return f"{ns / NS_PER_S:.3f} s"


@judges_case("INIT-CLOSE-09")
def a_new_socket_has_linger_off(history: History, accepted: Expectation) -> Iterator[Finding]:
    """SO_LINGER is off where nobody has set it. [Winsock SPI, WSPCloseSocket]"""
    for operation in history.of(End.IUT):
        if operation.op == "set_linger":
            return  # a socket may have it from another: a duplicate, or the listener that it was accepted from
        if operation.op == "get_linger" and operation.succeeded:
            state = "on" if operation.result.get("on") else "off"
            because = f"SO_LINGER, never set, is {state}"
            yield accepted.decide(state == "off", because, because, operation)


@judges("INIT-CLOSE-11")
def only_the_last_close_ends(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """With duplicates the connection goes on until the last of them is closed. [Winsock SPI, Reference Counting]"""
    first, *others = goodbyes(connection) or (None,)
    if first is None or first.op != "close" or not first.succeeded or first.returned is None:
        return
    if not _duplicates(connection, first) or not intact(connection, first.entered):
        return
    iut, last = connection.iut, connection.iut.closed
    steps: list[float] = [o.entered for o in others if o.op != "close" or o is last or not o.succeeded]
    stopped = iut.stopped_receiving_at
    limit = min(*steps, math.inf if stopped is None else stopped, math.inf)
    sign = sign_of_an_end(connection, first.entered, limit)
    wrong = sign or refused_send(connection, first.returned, limit, closed=first.socket)
    if wrong is not None:
        yield accepted.violated(f"a duplicate was still open, and {wrong.seen}", first, wrong)
        return
    look = quiet(connection.peer, first.returned, connection.header.settle_ns, limit)
    if look is None or last is None or last.entered != limit:
        return
    if iut.linger_at(last.entered)[0] or unread(connection, last.entered):
        return
    if (observed := brought_about(connection, last)) is not None:
        because = f"after the first close, at the peer {look.seen}; after the last, {observed.seen}"
        yield accepted.decide(observed.told == "GRACEFUL", because, because, first, look, observed)


def _duplicates(connection: Connection, close: Operation) -> bool:
    """Another handle of the connection's socket was open when that close was made."""
    made = (o for o in connection.iut.calls("duplicate") if o.succeeded and o.over <= close.entered)
    handles = {connection.established.iut, *(int(o.result["socket"]) for o in made)}
    return bool(handles - {close.socket})


@judges("INIT-CLOSE-12")
def a_close_adds_no_second_end(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A shutdown is told by itself, and the close after it, with linger off, tells nothing more.

    [Winsock SPI, Connection Shutdown, scenario, steps 1, 2 and 8]
    """
    shut, close = first_goodbye(connection, "shutdown"), connection.iut.closed
    if shut is None or not shut.succeeded or close is None or close.returned is None:
        return
    observed = brought_about(connection, shut)
    if observed is not None and observed.told == "NO_INDICATION":
        yield accepted.violated(f"before the close, {observed.seen}", shut, observed, close)
        return
    told = read(connection.iut_to_peer, connection.statement).final
    if told is None or told.told not in GRACEFUL_WORDS or not shut.entered <= told.at < close.entered:
        return
    if connection.iut.linger_at(close.entered)[0] or unread(connection, close.entered) or may_time_out(connection):
        return
    later = [r for r in heard(connection.peer) if r.is_final and r.asked >= close.returned]
    if (second := _second_end(connection, close, later)) is not None:
        yield accepted.violated(f"the end had been told; after close, {second.seen}", shut, told, close, second)
    elif later and all(r.told == told.told for r in later):
        yield accepted.satisfied(
            f"the end was told before close, and after it {len(later)} times as before", shut, told, close, *later
        )


def _second_end(connection: Connection, close: Operation, later: list[Report]) -> Told | None:
    """What the close, and nothing that came from the peer after it, added: another FIN, a reset, another word."""
    direction, back = connection.iut_to_peer, connection.peer_to_iut
    if not direction.visible:
        word = next((r for r in later if r.told not in GRACEFUL_WORDS), None)
        return None if word is None or connection.unseen or unread(connection, word.at) else word
    # Whatever comes to a connection that is over may be answered with a reset, a mere acknowledgement too.
    came = min((p.at for p in back.passages if p.at >= close.entered), default=math.inf)
    for passage in (*direction.resets, *direction.fins):
        if passage.at < close.entered or (passage.rst and passage.at >= came):
            continue
        if passage.rst or passage.end != direction.fins[0].end:
            sign = "a reset" if passage.rst else "a second FIN"
            return Observed("END", f"the IUT sent {sign}", passage.events)
    return None
