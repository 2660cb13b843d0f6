# SPDX-License-Identifier: MIT
"""Readiness (groups B and E): what select, poll and epoll tell of an end.

POLLOUT is left out of every comparison: sources contradict each other on it (AMB-10).
"""

from __future__ import annotations

from collections.abc import Iterator

from conformance.oracle.findings import Expectation, Finding
from conformance.oracle.judging import judges
from conformance.oracle.link import may_time_out
from conformance.oracle.reading import Word, doubt, first_word, heard, looked_until
from conformance.trace.events import Outcome
from conformance.trace.history import Connection
from conformance.trace.operations import Operation, What

LEVEL_TRIGGERED = ("poll", "epoll")


@judges("IND-SEL-01")
def select_tells_of_the_end(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """select marks a socket readable on a graceful end and on a reset; the receive after it does not block.

    Data makes it readable too: it has told of the end if the receive after it tells one.
    [Winsock SPI, WSPSelect, readfds]
    """
    ending, stopped = connection.peer_to_iut.ending, connection.iut.stopped_receiving_at
    if ending.at is None or not (ending.is_graceful or ending.is_abort):
        yield from doubt(connection.peer_to_iut, accepted)
        return
    for select in _answered(connection, "select"):
        returned = select.over
        if returned < ending.at or (stopped is not None and stopped <= returned):
            continue
        if "IN" not in _told(select):
            if ending.certain_at is not None and _missed(connection, select, ending.certain_at):
                yield accepted.violated(f"the end ({ending.kind}) had come, and {select.seen}", ending, select)
            continue
        after = next((r for r in heard(connection.iut) if r.asked >= returned), None)
        if after is not None and after.what is not What.DATA:
            yield accepted.decide(
                after.is_final,
                f"select told readable, and {after.seen}",
                f"select told readable, and then {after.seen}",
                ending,
                select,
                after,
            )


def _missed(connection: Connection, select: Operation, since: int) -> bool:
    """It looked for the prompt time after the IUT must have known; or it told something else long after the end."""
    if _told(select):
        return select.entered - since >= connection.header.settle_ns
    return _looked_until(select) - since >= connection.header.prompt_ns


def _looked_until(poll: Operation) -> int:
    """Until when a poll that told nothing had surely looked; one that does not wait looks once it is called."""
    return looked_until(poll.entered, poll.last_at, int(poll.arguments.get("wait_ms", 0)))


@judges("POSIX-POLL-01")
def half_close_is_readable_and_not_hung_up(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """The peer's half-close is told as IN and RDHUP, and not as HUP; once it has come, and a receive does not block.

    [poll(2), epoll_ctl(2)]
    """
    ending = connection.peer_to_iut.ending
    yield from doubt(connection.peer_to_iut, accepted)
    if not ending.is_graceful or ending.at is None:
        return
    for poll in _asked_fully(connection):
        told = "RDHUP" in _told(poll)
        due = ending.certain_at is not None and poll.entered >= ending.certain_at
        after = next((r for r in heard(connection.iut) if r.asked >= poll.over), None)
        if told and _too_early(connection, poll):
            yield accepted.violated(f"before the peer's end had come, {poll.seen}", ending, poll)
        elif not (told or due) or not _only_half_closed(connection, poll):
            continue
        elif told and after is not None and after.what in (What.NOTHING, What.WOULD_BLOCK):
            seen = f"after the peer's half-close, {poll.seen}, and then {after.seen}"
            yield accepted.violated(seen, ending, poll, after)
        else:
            yield _exactly({"IN", "RDHUP"}, poll, accepted, "after the peer's half-close", connection)


def _too_early(connection: Connection, poll: Operation) -> bool:
    """It returned before the peer's end had come, and nothing else had ended that could be told like it."""
    at = connection.peer_to_iut.ending.at
    before = at is not None and poll.over < at
    return before and not _ended_here(connection, poll.over) and not _undone(connection, poll)


def _only_half_closed(connection: Connection, poll: Operation) -> bool:
    """When it returned, the peer had shut down its sending and nothing else, and the IUT had ended nothing."""
    peer, returned = connection.peer, poll.over
    if peer.ending is None or peer.ending.how != "send" or _undone(connection, poll):
        return False
    more = peer.stopped_receiving_at is not None and peer.stopped_receiving_at <= returned
    return not more and not _ended_here(connection, returned)


@judges("POSIX-POLL-02")
def both_ends_gone_is_hung_up(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """When both directions have ended, HUP is told too. [observed: Linux; POSIX poll]"""
    ending, own = connection.peer_to_iut.ending, connection.iut.ending
    yield from doubt(connection.peer_to_iut, accepted)
    if not ending.is_graceful or ending.certain_at is None or own is None:
        return
    wanted = {"IN", "RDHUP", "HUP"}
    for poll in _asked_fully(connection):
        # A reset may change what is told; what is told rightly all the same it has not spoilt.
        judged = _told(poll) == wanted or not _undone(connection, poll)
        if judged and poll.entered > max(ending.certain_at, own.over):
            yield _exactly(wanted, poll, accepted, "after both ends had ended", connection)


@judges("POSIX-POLL-03")
def abort_is_error_and_hang_up(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A reset is told as ERR, HUP, IN and RDHUP, until a call has taken the error. [poll(2); observed: Linux]"""
    ending = connection.peer_to_iut.ending
    if not ending.is_abort or ending.at is None:
        yield from doubt(connection.peer_to_iut, accepted)
        return
    word = first_word(connection)
    taken = min(
        (o.entered for o in connection.iut.operations if o.op not in ("poll", "names") and _took(o, word)), default=None
    )
    for poll in _asked_fully(connection):
        there = taken is None or poll.over < taken
        due = ending.certain_at is not None and poll.entered >= ending.certain_at + connection.header.settle_ns
        if there and (due or (poll.over > ending.at and _told(poll) & {"ERR", "HUP", "RDHUP"})):
            yield _exactly({"IN", "RDHUP", "HUP", "ERR"}, poll, accepted, "after the peer's reset", connection)


@judges("POSIX-POLL-04")
def an_edge_is_told_once(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Edge-triggered epoll tells a half-close once it has come; a fresh registration tells it again. [epoll_ctl(2)]"""
    ending = connection.peer_to_iut.ending
    yield from doubt(connection.peer_to_iut, accepted)
    if not ending.is_graceful or ending.at is None or ending.certain_at is None:
        return
    told = final = False
    for poll in _answered(connection, "epoll-et"):
        if "RDHUP" not in poll.arguments.get("events", ()):
            continue
        rdhup = "RDHUP" in _told(poll)
        if rdhup and _too_early(connection, poll):
            yield accepted.violated(f"before the peer's end had come, {poll.seen}", ending, poll)
        if poll.over < ending.at or not _only_half_closed(connection, poll):
            continue
        if not told or poll.arguments.get("register"):
            waited_ns = _looked_until(poll) - max(poll.entered, ending.certain_at)
            if rdhup or waited_ns >= connection.header.settle_ns:
                yield accepted.decide(
                    rdhup,
                    f"a registration that had not told it yet: {poll.seen}",
                    f"not told: {poll.seen}",
                    ending,
                    poll,
                )
            told = told or rdhup
        elif final or not rdhup:
            yield accepted.decide(
                not rdhup, "the edge was not told again", f"the edge was told a second time: {poll.seen}", ending, poll
            )
        # A FIN wakes its waiters twice, and a poll may come in between: an edge is over once the FIN is acknowledged.
        final = final or (rdhup and poll.entered >= ending.certain_at)


def _answered(connection: Connection, *surfaces: str) -> Iterator[Operation]:
    """The polls over these surfaces that asked for IN and gave an answer; a time-out is the answer "nothing"."""
    return (
        poll
        for poll in connection.iut.calls("poll")
        if poll.arguments.get("surface") in surfaces
        and poll.outcome in (Outcome.RESULT, Outcome.TIMEOUT)
        and "IN" in poll.arguments.get("events", ("IN",))
    )


def _asked_fully(connection: Connection) -> Iterator[Operation]:
    return (poll for poll in _answered(connection, *LEVEL_TRIGGERED) if "RDHUP" in poll.arguments.get("events", ()))


def _told(poll: Operation) -> frozenset[str]:
    return frozenset(poll.result.get("events", ())) - {"OUT"}


def _exactly(wanted: set[str], poll: Operation, accepted: Expectation, after: str, connection: Connection) -> Finding:
    return accepted.decide(
        _told(poll) == wanted,
        f"{after}, {poll.seen}",
        f"{after}, {poll.seen}; accepted: {'|'.join(sorted(wanted))}, with or without OUT",
        connection.peer_to_iut.ending,
        poll,
    )


def _ended_here(connection: Connection, time: float) -> bool:
    """The IUT had itself shut down a direction by then, or closed: the picture is no longer the peer's alone."""
    return any(
        o.entered <= time and (o.succeeded or o.returned is None)
        for o in connection.iut.calls("shutdown", "close", "send_disconnect", "recv_disconnect")
    )


def _undone(connection: Connection, poll: Operation) -> bool:
    """A reset had come or gone by then, or the IUT had given up by itself, which poll tells differently."""
    reset_at = connection.peer_to_iut.ending.reset_at
    aborted = connection.iut_to_peer.resets
    if "ERR" in _told(poll) and may_time_out(connection):
        return True
    return (reset_at is not None and poll.over >= reset_at) or bool(aborted and aborted[0].at <= poll.over)


def _took(operation: Operation, word: Word | None) -> bool:
    """That call took the pending error away: it was the first to tell it."""
    return word is not None and bool(set(operation.events) & set(word.events))
