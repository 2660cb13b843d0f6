# SPDX-License-Identifier: MIT
"""Group D, the peer's FIN that comes again: acknowledged again, told once, and TIME-WAIT shown by it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from conformance.oracle.findings import Expectation, Finding, Shown
from conformance.oracle.link import (
    Word,
    acknowledgements,
    arrivals,
    confirmed,
    first_fin,
    given_up_at,
    judges_link,
    may_time_out,
    over_at,
    overdue,
    own_fin,
    settled,
    stopped_at,
    undone_at,
)
from conformance.oracle.reading import NS_PER_S, heard
from conformance.trace.direction import Passage
from conformance.trace.events import Outcome
from conformance.trace.history import Connection
from conformance.trace.operations import Operation

TIME_WAIT_AT_LEAST_NS = 30 * NS_PER_S
"""The shortest TcpTimedWaitDelay of Windows; RFC 9293 has 2 MSL, 4 minutes."""


@judges_link("WIRE-FIN-06")
def a_repeated_fin_is_acknowledged_and_told_once(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A FIN that comes again is acknowledged again, and told no second time. [RFC 9293, 3.10.7.4, eighth step]"""
    fin, at = first_fin(connection), connection.peer_to_iut.ending.at
    if fin is None or at is None:
        return
    for came, copy in arrivals(connection):
        if copy.fin and copy.end == fin.end and came > at and not _may_be_gone(connection, came):
            yield from _repeated(connection, accepted, fin, copy, came)


def _aborted(connection: Connection, time: int) -> bool:
    """The IUT was reset, had died, or had closed abortively by that time."""
    closed = connection.iut.closed
    hard = closed is not None and closed.entered <= time and connection.iut.linger_at(closed.entered) == (True, 0)
    return hard or undone_at(connection) <= time


def _may_be_gone(connection: Connection, time: int) -> bool:
    """The connection may be over for the IUT: aborted, or closed by the peer's acknowledgement of its last FIN."""
    own, peers_end = own_fin(connection), connection.peer_to_iut.ending.at
    if own is None or own.at > time or (peers_end is not None and own.at < peers_end):
        return _aborted(connection, time)
    return _aborted(connection, time) or confirmed(connection, time) > own.end


def _repeated(
    connection: Connection, accepted: Expectation, fin: Passage, copy: Passage, came: int
) -> Iterator[Finding]:
    if (again := _told_again(connection, came)) is not None:
        yield accepted.violated("a repeated FIN was told as a second end", copy, *again)
        return
    prompt_ns, undone = connection.header.prompt_ns, undone_at(connection)
    reset = next((p for p in connection.iut_to_peer.resets if p.at == undone and p.at - came <= prompt_ns), None)
    bound = min(stopped_at(connection.iut), over_at(connection))
    if reset is not None and reset.at < bound and not may_time_out(connection):
        yield accepted.violated("the peer's FIN came again, and the open connection was reset", copy, reset)
        return
    answers = acknowledgements(connection, fin.end + 1, came)
    earlier = connection.peer_to_iut.acknowledged(fin.end + 1)
    if not answers:
        if undone - came > prompt_ns and overdue(connection, came):
            yield accepted.violated(f"a repeated FIN was not acknowledged within {prompt_ns / 1e6:.0f} ms", copy)
        elif undone == math.inf:
            yield accepted.undetermined("a repeated FIN was not acknowledged, and nobody waited long for it", copy)
    elif len(answers) == 1 and (earlier is None or earlier.at >= came):
        yield accepted.undetermined("one acknowledgement followed two FINs: which it answers is open", copy, *answers)
    elif (look := _silence_after(connection, came)) is not None:
        yield accepted.satisfied("a repeated FIN was acknowledged again, and told once", copy, *answers, *look)
    else:
        yield accepted.undetermined("a repeated FIN was acknowledged, and nobody looked what it told", copy, *answers)


def _told_again(connection: Connection, came: int) -> tuple[Shown, ...] | None:
    """What told of a second end, where nothing but the repeated FIN can have brought it about."""
    return _indicated_again(connection, came) or _polled_again(connection, came)


def _indicated_again(connection: Connection, came: int) -> tuple[Shown, ...] | None:
    """An indication of the end, and after it (where a record holds them: after one that held none) another."""
    iut = connection.iut
    ends = [(n.at, Word(n.at, "GRACEFUL", n.type, (n.n,))) for n in iut.indications if n.type == "END" and not n.error]
    closes = (n for n in iut.notifications if n.type == "FD_CLOSE" and n.error is None)
    ends += [(n.since, Word(n.at, "GRACEFUL", n.type, n.events)) for n in closes]
    registrations = [o.entered for o in iut.calls("event_select")]
    for (_, first), (since, second) in pairwise(ends):
        renewed = any(first.at <= at <= second.at for at in registrations)
        again = first.seen == second.seen and first.at < since and came <= second.at < undone_at(connection)
        if again and not renewed:
            return first, second
    return None


def _polled_again(connection: Connection, came: int) -> tuple[Shown, ...] | None:
    """An edge-triggered poll told of the end, the next one of nothing, and the one after the repetition of the end."""
    polls = [p for p in connection.iut.calls("poll") if p.arguments.get("surface") == "epoll-et"]
    for first, quiet, second in zip(polls, polls[1:], polls[2:], strict=False):
        again = _hang_up(first) and quiet.outcome is Outcome.TIMEOUT and _hang_up(second)
        if not again or second.arguments.get("register"):
            continue
        if quiet.last_at <= came <= second.last_at and _nothing_else(connection, quiet.last_at, second.last_at):
            return first, quiet, second
    return None


def _hang_up(poll: Operation) -> bool:
    return "RDHUP" in poll.result.get("events", ())


def _nothing_else(connection: Connection, since: int, until: int) -> bool:
    """Between those times the IUT's user called nothing but polls, and nothing new came from the peer."""
    total = connection.peer_to_iut.total
    called = [o for o in connection.iut.operations if since <= o.entered <= until and o.op != "poll"]
    new = [p for at, p in arrivals(connection) if since <= at <= until and not (p.fin and p.end == total)]
    forged = [p for p in connection.peer_to_iut.forged if since <= p.at <= until]
    return not called and not new and not forged


def _silence_after(connection: Connection, came: int) -> tuple[Shown, ...] | None:
    """What shows that the user was told nothing new after that time; None if nobody could have noticed."""
    if given_up_at(connection.iut) <= came:
        return ()
    finals = [r for r in heard(connection.iut) if r.is_final]
    if len(finals) > 1 and finals[-1].asked >= came and len({r.told for r in finals}) == 1:
        return finals[0], finals[-1]
    told = [p for p in connection.iut.calls("poll") if p.arguments.get("surface") == "epoll-et"]
    quiet = next((p for p in told if p.entered >= came and p.outcome is Outcome.TIMEOUT), None)
    first = next((p for p in told if _hang_up(p) and p.last_at <= came), None)
    return (first, quiet) if first is not None and quiet is not None else None


@judges_link("WIRE-TW-01")
def only_the_first_closer_keeps_time_wait(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """The end that closed first acknowledges a FIN that comes again; the other has no state left. [RFC 9293, 3.6.1]"""
    own, total, at = own_fin(connection), connection.peer_to_iut.total, connection.peer_to_iut.ending.at
    if own is None or total is None or at is None:
        return
    closed_first = own.at < at
    if not closed_first and (own.acks or 0) <= total:
        return  # the FINs crossed, or nearly so: who was first is not certain
    settle_ns = connection.header.settle_ns  # by then no answer to what came before is still on its way
    done = over_at(connection)
    for came, copy in arrivals(connection):
        if copy.fin and copy.end == total and came - done >= settle_ns and not _aborted(connection, came):
            if not closed_first:
                yield from _second_closer(connection, accepted, copy, came)
            elif came - done < TIME_WAIT_AT_LEAST_NS:
                yield from _first_closer(connection, accepted, copy, came)
            return


def _first_closer(connection: Connection, accepted: Expectation, copy: Passage, came: int) -> Iterator[Finding]:
    known = connection.peer_to_iut.acknowledged(copy.end + 1)
    if known is None or known.at >= came:
        return
    prompt_ns = connection.header.prompt_ns
    answer = next(iter(acknowledgements(connection, copy.end + 1, came)), None)
    reset = next(iter(connection.iut_to_peer.resets), None)
    if reset is not None and undone_at(connection) == reset.at:
        yield accepted.violated("the IUT closed first, and reset when the peer's FIN came again", copy, reset)
    elif answer is not None:
        yield accepted.satisfied("the IUT closed first, and acknowledged a FIN that came again", copy, known, answer)
    elif undone_at(connection) - came > prompt_ns and overdue(connection, came):
        yield accepted.violated("the IUT closed first, and did not answer a FIN that came again", copy, known)
    else:
        yield accepted.undetermined("the peer's FIN came again, and nobody waited long for an answer", copy)


def _second_closer(connection: Connection, accepted: Expectation, copy: Passage, came: int) -> Iterator[Finding]:
    answer = next((a for a in connection.peer_to_iut.acknowledgements if a.at >= came), None)
    reset = next(iter(connection.iut_to_peer.resets), None)
    if answer is not None and (reset is None or answer.at < reset.at):
        yield accepted.violated("the IUT closed second, and acknowledged a FIN that came again", copy, answer)
    elif reset is not None:
        yield accepted.satisfied("the IUT closed second, and answered a FIN that came again with a reset", copy, reset)
    elif settled(connection, came):
        yield accepted.satisfied("the IUT closed second, and did not answer a FIN that came again", copy)
    else:
        yield accepted.undetermined("the peer's FIN came again, and nobody waited for an answer", copy)
