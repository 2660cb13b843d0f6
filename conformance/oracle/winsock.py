# SPDX-License-Identifier: MIT
"""What only Winsock asks for (groups A, B and G): refusals after an own shutdown, partial receives, lasting aborts.

How its network events and overlapped receives are told is judged in `notifications` and `overlapped`, its closes with
linger in `lingering`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.oracle.departing import Observed, failed, first_goodbye, goodbyes, intact
from conformance.oracle.findings import Expectation, Finding
from conformance.oracle.indicating import another_matter, told_in_its_time
from conformance.oracle.initiating import what_it_begins
from conformance.oracle.judging import judges, judges_case
from conformance.oracle.link import may_time_out, overdue, timed
from conformance.oracle.reading import (
    GRACEFUL_WORDS,
    NS_PER_S,
    doubt,
    ends_heard,
    first_final,
    first_word,
    heard,
    in_vain,
    looked_until,
    told_at,
)
from conformance.oracle.registrations import unread_at
from conformance.trace.conditions import Condition
from conformance.trace.direction import EndKind
from conformance.trace.events import End, Fate, Outcome, Segment
from conformance.trace.history import Connection, History
from conformance.trace.operations import Operation, Report, What

_ANSWERED = (Outcome.RESULT, Outcome.ERROR, Outcome.TIMEOUT)
_ABORTED = (Condition.ECONNRESET, Condition.ECONNABORTED, Condition.ENETRESET, Condition.ETIMEDOUT)


# --- what is refused after an own shutdown ----------------------------------------------------------------------------


@judges("INIT-SHUT-04")
def sends_after_the_own_shutdown_are_refused(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Once sending or both directions are shut down, a send fails as shut down. [Winsock SPI, WSPSend]"""
    shut = next((o for o in connection.iut.calls("shutdown") if o.how in ("send", "both") and o.succeeded), None)
    yield from _sends_after(connection, accepted, shut)


@judges("INIT-SDISC-02")
def sends_after_send_disconnect_are_refused(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """SendDisconnect is the last thing that can be sent. [Winsock SPI, WSPSendDisconnect]"""
    said = next((o for o in connection.iut.calls("send_disconnect") if o.succeeded), None)
    yield from _sends_after(connection, accepted, said)


def _sends_after(connection: Connection, accepted: Expectation, ended: Operation | None) -> Iterator[Finding]:
    if ended is None:
        return
    for send in connection.iut.sends:
        if send.entered > ended.over and _was_ours(connection, send) and not _of_another_end(connection, send):
            yield accepted.weigh(send, ended, after=f"after {ended.name}")


def _was_ours(connection: Connection, call: Operation) -> bool:
    """It was answered, and made while its handle was open."""
    closed = (o for o in connection.iut.calls("close") if o.socket == call.socket and o.entered <= call.entered)
    gone = connection.iut.gone_at
    there = gone is None or call.last_at < gone
    return call.outcome in _ANSWERED and there and not any(o.succeeded or o.returned is None for o in closed)


def _of_another_end(connection: Connection, call: Operation) -> bool:
    """It may tell of an abort or a time-out, and which of two errors comes first no source decides."""
    ending = connection.peer_to_iut.ending
    broken = not ending.is_graceful and ending.kind is not EndKind.OPEN
    undone = broken or ending.reset_at is not None or may_time_out(connection) or connection.peer.gone_at is not None
    return call.condition in _ABORTED and undone


@judges("INIT-SHUT-06")
def receives_after_the_own_shutdown_are_refused(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Once receiving or both directions are shut down, a receive fails as shut down. [Winsock SPI, WSPRecv]"""
    shut = next((o for o in connection.iut.calls("shutdown") if o.how in ("receive", "both") and o.succeeded), None)
    if shut is None:
        return
    gone = connection.iut.gone_at
    for call in connection.iut.calls("recv", "post_recv"):
        if call.entered <= shut.over or not _was_ours(connection, call) or _of_another_end(connection, call):
            continue
        told: Operation | Report = call
        if call.op == "post_recv" and call.succeeded:
            report = next((r for r in connection.iut.reports if r.events[0] == call.events[0]), None)
            if report is None:
                if gone is None and overdue(connection, call.over):
                    yield accepted.violated(f"after {shut.name}, a receive was posted, and never completed", shut, call)
                continue
            if (gone is not None and report.at >= gone) or report.condition in _ABORTED:
                continue
            told = report
        yield accepted.weigh(told, shut, after=f"after {shut.name}")


@judges("INIT-SHUT-10")
def a_socket_outlives_its_shutdown(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Once both ends have shut down, the socket's addresses and options can still be asked for. [WSPShutdown]"""
    own, ending = connection.iut.ending, connection.peer_to_iut.ending
    if own is None or ending.at is None or ending.kind is not EndKind.GRACEFUL or may_time_out(connection):
        return
    for call in connection.iut.calls("names", "get_linger"):
        if call.entered <= max(own.over, ending.at) or not _was_ours(connection, call):
            continue
        wrong = _wrong_address(connection, call) if call.op == "names" and call.succeeded else ""
        if wrong:
            yield accepted.violated(f"after both ends had shut down, {wrong}", own, ending, call)
        else:
            yield accepted.weigh(call, own, ending, after="after both ends had shut down")


def _wrong_address(connection: Connection, call: Operation) -> str:
    """What is wrong with the addresses that it returned; empty if nothing is."""
    known = connection.established
    ends = (known.client_address, known.listener_address)
    local, peer = ends if known.client is End.IUT else ends[::-1]
    for which, right in (("local", local), ("peer", peer)):
        told: dict[str, Any] = call.result.get(which) or {}
        if any(told.get(key) != right[key] for key in ("host", "port") if key in right):
            return f"names told the {which} address {told or None} instead of {right}"
    return ""


# --- SendDisconnect without data --------------------------------------------------------------------------------------


@judges("INIT-SDISC-01")
def send_disconnect_begins_a_graceful_end(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """SendDisconnect without data succeeds, and the peer is told of a graceful end. [WSASendDisconnect]"""
    call = first_goodbye(connection, "send_disconnect")
    if call is not None and call.has_no_data:
        yield from what_it_begins(connection, accepted, call)


@judges("INIT-SDISC-03")
def send_disconnect_neither_lingers_nor_releases(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """With linger on SendDisconnect returns at once, and the socket can still be used. [WSPSendDisconnect, note]"""
    for call in connection.iut.calls("send_disconnect"):
        on, seconds = connection.iut.linger_at(call.entered)
        if not on or not seconds:
            continue
        took = f"with {seconds} s of linger, {call.name} took {call.took / NS_PER_S:.3f} s"
        if call.took >= min(seconds * NS_PER_S // 2, connection.header.prompt_ns):
            yield accepted.violated(took, call)
            continue
        asked = connection.iut.calls("names", "get_linger", "get_error", "set_linger")
        query = next((o for o in asked if o.entered > call.over and _was_ours(connection, o)), None)
        if call.succeeded and query is not None and not (failed(query) and not intact(connection, query.entered)):
            yield accepted.decide(
                query.succeeded, f"{took}, and then {query.seen}", f"{took}, and then {query.seen}", call, query
            )


# --- the form of a graceful end ---------------------------------------------------------------------------------------


@judges("IND-STREAM-07")
def a_pseudo_stream_ends_like_a_stream(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A message protocol that is a pseudo stream shows the end as 0 bytes. [Winsock SPI, WSPRecv, table]"""
    yield from doubt(connection.peer_to_iut, accepted)
    if connection.peer_to_iut.ending.is_graceful:
        yield from told_in_its_time(connection, accepted, first_final(connection))


@judges("IND-STREAM-08")
def a_partial_receive_at_the_end(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A receive with MSG_PARTIAL shows the end in the one form or the other. [Winsock SPI, WSPRecv, table, row 3]"""
    ending, header = connection.peer_to_iut.ending, connection.header
    partial = {n for o in connection.iut.calls("recv") if "PARTIAL" in o.arguments.get("flags", ()) for n in o.events}
    if not ending.is_graceful or ending.at is None:
        if partial:
            yield from doubt(connection.peer_to_iut, accepted)
        return
    for report in ends_heard(connection):
        if not partial & set(report.events) or another_matter(connection, report):
            continue
        if report.at < ending.at:
            yield accepted.violated(f"before the peer's end had come, {report.seen}", ending, report)
        else:
            yield accepted.weigh(report, ending, after="with MSG_PARTIAL, after the peer's graceful end")
    vain = in_vain(connection.iut, ending, prompt_ns=header.prompt_ns, settle_ns=header.settle_ns)
    if vain is not None and partial & set(vain.events):
        yield accepted.violated(f"with MSG_PARTIAL, after the peer's graceful end, {vain.seen}", ending, vain)


# --- aborts -----------------------------------------------------------------------------------------------------------


@judges("IND-ABORT-03")
def an_abort_is_permanent(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Once an abort was told, every send and every receive fails. [Winsock SPI, WSPRecv and WSPSend]"""
    ending, word, gone = connection.peer_to_iut.ending, first_word(connection), connection.iut.gone_at
    if not ending.is_abort or ending.at is None:
        yield from doubt(connection.peer_to_iut, accepted)
        return
    if word is None or told_at(word) < ending.at or word.told in GRACEFUL_WORDS:
        return
    since, own_end = told_at(word), connection.iut.ending
    later = [r for r in heard(connection.iut) if r.asked >= since and (gone is None or r.at < gone)]
    sends = [s for s in connection.iut.sends if s.entered >= since and _was_ours(connection, s)]
    calls: list[Report | Operation] = [*later, *sends]
    for each in calls:
        if not _fails(each):
            yield accepted.violated(f"{word.seen}, and after that {each.seen}", ending, word, each)
            return
    free = [s for s in sends if own_end is None or s.entered < own_end.entered]
    if later and free:
        seen = ", ".join(dict.fromkeys([*(r.seen for r in later), *(s.seen for s in free)]))
        yield accepted.satisfied(f"{word.seen}, and after that {seen}", ending, word, *later, *free)


def _fails(call: Operation | Report) -> bool:
    """It failed, and told no graceful end by that."""
    if isinstance(call, Report):
        return call.what is What.ERROR and call.told not in GRACEFUL_WORDS
    return call.outcome is Outcome.ERROR and call.condition not in (Condition.EWOULDBLOCK, Condition.EDISCON)


@judges_case("IND-ABORT-06")
def an_end_of_its_own_is_told_as_aborted(history: History, accepted: Expectation) -> Iterator[Finding]:
    """A time-out of what was never acknowledged is told as aborted or timed out, not as reset. [WSPRecv]"""
    for connection in history.connections:
        if not _set(connection, "KEEPALIVE"):
            yield from _by_its_own_time_out(history, connection, accepted)


@judges_case("IND-ABORT-07")
def failed_keep_alive_is_told(history: History, accepted: Expectation) -> Iterator[Finding]:
    """What calls tell when keep-alive finds the peer gone. [Winsock API, Windows Sockets Error Codes, 10052]"""
    for connection in history.connections:
        if _set(connection, "KEEPALIVE"):
            yield from _by_its_own_time_out(history, connection, accepted)


def _set(connection: Connection, name: str) -> bool:
    calls = connection.iut.calls("set_option")
    return any(o.succeeded and o.arguments.get("name") == name and o.arguments.get("value") for o in calls)


def _by_its_own_time_out(history: History, connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """The first word of the IUT's once it was cut off from its peer, and nothing had ended before."""
    ending, gone, word = connection.peer_to_iut.ending, connection.iut.gone_at, first_word(connection)
    segments = [e for e in history.trace.events if isinstance(e, Segment)]
    cut = next((s.at for s in segments if s.fate is Fate.DROPPED), None)
    if word is None or cut is None or told_at(word) < cut or (gone is not None and gone <= told_at(word)):
        return
    if ending.kind not in (EndKind.OPEN, EndKind.ABORTED_BY_RECEIVER) or _got_through(segments, cut, told_at(word)):
        return
    if timed(connection) or any(s.succeeded for s in connection.iut.sends):
        yield accepted.weigh(word, after="cut off from its peer")


def _got_through(segments: list[Segment], since: int, until: int) -> bool:
    """Something of the peer's reached the IUT between those times."""
    came = (s.delivered_at or s.at for s in segments if s.sender is End.PEER and s.fate is not Fate.DROPPED)
    return any(since <= at <= until for at in came)


# --- WSAPoll ----------------------------------------------------------------------------------------------------------


@judges("IND-POLL-01")
def wsapoll_tells_a_hang_up(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """WSAPoll shows POLLHUP for a stream that was disconnected, with POLLERR if it was reset. [WSAPOLLFD]"""
    ending, word = connection.peer_to_iut.ending, first_word(connection)
    polls = [o for o in connection.iut.calls("poll") if o.arguments.get("surface") == "wsapoll"]
    if ending.at is None or not (ending.is_graceful or ending.is_abort):
        if polls:
            yield from doubt(connection.peer_to_iut, accepted)
        return
    wanted = {"HUP"} if ending.is_graceful else {"HUP", "ERR"}
    for poll in polls:
        if poll.outcome not in (Outcome.RESULT, Outcome.TIMEOUT) or poll.last_at < ending.at:
            continue
        if not _of_the_end_alone(connection, poll) or (ending.is_abort and word and told_at(word) <= poll.entered):
            continue
        told = {str(name).removeprefix("POLL") for name in poll.result.get("events", ())}
        wait_ms = int(poll.arguments.get("wait_ms", 0))
        until = poll.entered if told else looked_until(poll.entered, poll.last_at, wait_ms)
        due = ending.certain_at is not None and until - ending.certain_at >= connection.header.settle_ns
        if wanted <= told:
            yield accepted.satisfied(f"after the peer's end ({ending.kind}), {poll.seen}", ending, poll)
        elif due:
            missing = "|".join(sorted(wanted))
            yield accepted.violated(
                f"after the peer's end ({ending.kind}), {poll.seen}; accepted: {missing}", ending, poll
            )


def _of_the_end_alone(connection: Connection, poll: Operation) -> bool:
    """Nothing but the peer's end can show: no data was unread, this side had ended nothing, and no reset followed."""
    ending, returned = connection.peer_to_iut.ending, poll.last_at
    own = (o.entered for o in goodbyes(connection) if o.succeeded or o.returned is None)
    stopped = connection.iut.stopped_receiving_at
    if any(at <= returned for at in own) or (stopped is not None and stopped <= returned) or may_time_out(connection):
        return False
    if ending.is_abort:
        return True
    return not unread_at(connection, poll.entered) and (ending.reset_at is None or returned < ending.reset_at)


# --- misuse -----------------------------------------------------------------------------------------------------------


@judges_case("ERR-04")
def what_is_no_socket_is_refused(history: History, accepted: Expectation) -> Iterator[Finding]:
    """Every call rejects a handle that is no socket's. [Winsock SPI, error WSAENOTSOCK]"""
    for operation in history.of(End.IUT):
        if operation.socket == -1 and operation.outcome in _ANSWERED:
            told = Observed(operation.told, operation.seen, operation.events)
            yield accepted.weigh(told, after="with a handle that is no socket")


@judges_case("ERR-06")
def shutdown_of_a_listener_is_recorded(history: History, accepted: Expectation) -> Iterator[Finding]:
    """What shutdown of a listening socket returns is written down. [observed: Windows; observed: Linux]"""
    listening: dict[int | None, Operation] = {}
    for operation in history.of(End.IUT):
        if operation.op == "listen" and operation.succeeded:
            listening[operation.socket] = operation
        elif operation.op == "close":
            listening.pop(operation.socket, None)
        elif operation.op == "shutdown" and operation.socket in listening and operation.outcome in _ANSWERED:
            yield accepted.weigh(operation, listening[operation.socket], after="on a listening socket")
