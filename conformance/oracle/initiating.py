# SPDX-License-Identifier: MIT
"""Group A, shutdown: what the IUT's own shutdown begins, what it must not begin, and the half-close exchange.

The IUT is the initiator here, so its peer is the one that is told. How a goodbye is followed through is `departing`'s
work; closes are judged in `closing`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from conformance.oracle.departing import (
    GRACEFUL_WORDS,
    Delivery,
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
    response,
    sign_of_an_end,
    unread,
    unseen,
    until,
)
from conformance.oracle.findings import Expectation, Finding, Shown
from conformance.oracle.judging import judges
from conformance.oracle.link import given_up_at, may_time_out, over_at
from conformance.oracle.reading import NS_PER_S, doubt, heard, read
from conformance.trace.direction import Passage
from conformance.trace.events import End, Outcome
from conformance.trace.framing import Farewell
from conformance.trace.history import Connection
from conformance.trace.operations import Operation, Report, Side, What


@judges("INIT-SHUT-01")
def ending_sending_begins_a_graceful_end(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Shutting down sending succeeds, and the peer is told of a graceful end.

    [Winsock SPI, Connection Shutdown, Initiating Shutdown Sequence]
    """
    yield from _begins_a_graceful_end(connection, accepted, "send")


@judges("INIT-SHUT-02")
def ending_both_begins_a_graceful_end(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Shutting down both directions does the same, if nothing waits unread and the peer sends nothing more.

    [Winsock SPI, Connection Shutdown, Initiating Shutdown Sequence]
    """
    yield from _begins_a_graceful_end(connection, accepted, "both")


def _begins_a_graceful_end(connection: Connection, accepted: Expectation, how: str) -> Iterator[Finding]:
    call = first_goodbye(connection, "shutdown")
    if call is None or call.how != how or (how == "both" and unread(connection, call.entered)):
        return
    yield from what_it_begins(connection, accepted, call)


def what_it_begins(connection: Connection, accepted: Expectation, call: Operation) -> Iterator[Finding]:
    """That first goodbye of the IUT's succeeds, and what it brings about is what is accepted."""
    if call.succeeded:
        if (observed := brought_about(connection, call)) is not None:
            yield accepted.weigh(observed, after="on an established connection")
        else:
            yield from doubt(connection.iut_to_peer, accepted)
    elif failed(call) and intact(connection, call.last_at):
        yield accepted.violated(f"on an established connection, {call.seen}", call)


@judges("INIT-SHUT-03")
def ending_receiving_begins_nothing(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Shutting down only receiving, on an idle connection, tells the peer nothing. [Winsock SPI, WSPShutdown]"""
    since = connection.established.at
    shutdowns = (o for o in connection.iut.calls("shutdown") if o.how == "receive" and o.entered >= since)
    call = next((o for o in shutdowns if o.succeeded), None)
    if call is None or any(o.entered <= call.over for o in goodbyes(connection)):
        return
    if unread(connection, call.entered) or not intact(connection, call.over):
        return
    limit = min(until(connection, call), _peers_next_step(connection, call.entered))
    if (sign := sign_of_an_end(connection, call.entered, limit)) is not None:
        yield accepted.violated(f"after {call.name} alone, {sign.seen}", call, sign)
    elif look := quiet(connection.peer, call.last_at, connection.header.settle_ns, limit):
        yield accepted.satisfied(f"after {call.name} alone, nothing came, and at the peer {look.seen}", call, look)


def _peers_next_step(connection: Connection, since: int) -> float:
    """When the peer next sent something or left: the connection is idle only until then."""
    steps: list[float] = [o.entered for o in connection.peer.sends if o.over >= since]
    steps += [p.at for p in connection.peer_to_iut.passages if p.at >= since and (p.segment.length or p.fin or p.rst)]
    return min((*steps, given_up_at(connection.peer)))


@judges("INIT-SHUT-05")
def an_end_that_stopped_sending_still_receives(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """After its own shutdown of sending the IUT reads what the peer sends, and then the peer's end.

    [Winsock SPI, Graceful Shutdown; RFC 9293, 3.6]
    """
    call = first_goodbye(connection, "shutdown")
    if call is None or not call.succeeded or call.how != "send":
        return
    late = _first_late_data(connection, call)
    if late is None:
        return
    yield from doubt(connection.peer_to_iut, accepted)
    reset = next((r for r in connection.iut_to_peer.resets if call.entered <= r.at < until(connection, call)), None)
    if reset is not None and _of_its_own(connection, reset):
        yield accepted.violated("after its own FIN, the IUT answered the peer's data with a reset", call, late, reset)
    elif (answer := response(connection)) is not None:
        yield accepted.decide(answer.complete, answer.because, answer.because, call, late, *answer.evidence)


def _first_late_data(connection: Connection, call: Operation) -> Passage | Operation | None:
    """The first data that the peer sent after the IUT's end, as the link shows it; without a link, as its calls do."""
    direction = connection.peer_to_iut
    if not direction.visible:
        sends = (s for s in connection.peer.sends if s.succeeded and s.result["length"])
        return next((s for s in sends if s.entered >= call.over), None)
    fin = next((p for p in connection.iut_to_peer.fins if p.at >= call.entered), None)
    if fin is None:
        return None
    before = direction.sent_by(fin.at)
    return next(
        (p for p in direction.passages if p.at > fin.at and p.segment.length and p.end > before and p.delivered), None
    )


def _of_its_own(connection: Connection, reset: Passage) -> bool:
    """The IUT, still receiving, reset a connection that was not over, without a reset of the peer's or a time-out."""
    if reset.at >= over_at(connection):
        return False
    stopped = connection.iut.stopped_receiving_at
    first = not any(other.at <= reset.at for other in connection.peer_to_iut.resets)
    return first and (stopped is None or stopped > reset.at) and not may_time_out(connection)


@judges("INIT-SHUT-08")
def what_was_accepted_is_delivered_first(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """The peer reads everything that was accepted before a graceful goodbye, unaltered, and then the end.

    [Winsock SPI, Graceful Shutdown; RFC 9293, 3.6]
    """
    ways = (first_goodbye(connection, op) for op in ("shutdown", "close", "disconnect_ex"))
    call = next((way for way in ways if way is not None), None)
    if call is None or call.arguments.get("reuse"):
        return  # whether a DisconnectEx that is to free the socket waits for its data no page says
    if not call.succeeded or not any(connection.iut_to_peer.offered):
        return
    if is_abortive(connection, call) or (call.how != "send" and unread(connection, call.entered)):
        return
    on, seconds = connection.iut.linger_at(call.entered)
    if call.op == "close" and on and lingered(call, seconds):
        return  # the linger time was over: some implementations abort then
    yield from doubt(connection.iut_to_peer, accepted)
    if (rest := delivery(connection, call)) is not None:
        yield accepted.decide(rest.complete, rest.because, rest.because, *rest.evidence)


@judges("INIT-SHUT-09")
def shutdown_does_not_linger(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """With linger on and data still unsent, shutdown returns long before the linger time. [Winsock SPI, WSPShutdown]"""
    for call in connection.iut.calls("shutdown"):
        on, seconds = connection.iut.linger_at(call.entered)
        lingers = on and seconds > 0 and call.ends_sending and call.succeeded
        if not lingers or not unsent(connection, call.entered):
            continue
        took = f"{call.name} took {call.took / NS_PER_S:.3f} s, with {seconds} s of linger and data still unsent"
        if call.took >= min(seconds * NS_PER_S // 2, connection.header.prompt_ns):
            yield accepted.violated(took, call)
        elif unsent(connection, call.last_at):
            yield accepted.satisfied(took, call)


def unsent(connection: Connection, time: int) -> bool:
    """Accepted bytes had not been acknowledged by then; without a link, the last send had met a queue still full."""
    direction = connection.iut_to_peer
    if direction.witnessed:
        return direction.offered_before(time) > direction.acknowledged_by(time)
    last = next((s for s in reversed(connection.iut.sends) if s.over <= time), None)
    if last is None or connection.unseen:
        return False
    stuck = last.outcome is Outcome.TIMEOUT or last.told == "EWOULDBLOCK" or _short(last)
    return stuck and not any(last.entered <= r.at and r.asked <= time for r in connection.peer.receives)


def _short(send: Operation) -> bool:
    wanted = (send.arguments.get("pattern") or {}).get("length")
    return send.succeeded and wanted is not None and send.result["length"] < wanted


@judges("INIT-SHUT-11")
def a_repeated_shutdown_ends_nothing_twice(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """However often a shutdown is repeated, there is one FIN sequence number, and one end. [RFC 9293, 3.10.4]"""
    first = first_goodbye(connection, "shutdown")
    if first is None or not first.succeeded:
        return
    gone = given_up_at(connection.iut)
    again = [
        o
        for o in connection.iut.calls("shutdown")
        if o is not first and o.how == first.how and o.entered >= first.over and o.over < gone
    ]
    if not again:
        return
    second, direction = again[0], connection.iut_to_peer
    seen = f"{first.name} was repeated, and {second.seen}"
    resets = (r for r in direction.resets if second.entered <= r.at < gone)
    if (reset := next((r for r in resets if _of_its_own(connection, r)), None)) is not None:
        yield accepted.violated(f"{seen}: the connection was reset", first, second, reset)
    elif (abort := _abort_after(connection, second)) is not None:
        yield accepted.violated(f"{seen}: the IUT sent {abort.name}", first, second, abort)
    elif direction.visible:
        ends = sorted({fin.end for fin in direction.fins})
        if ends:
            numbers = f"{len(ends)} FIN sequence number{'s' if len(ends) > 1 else ''}"
            yield accepted.decide(
                len(ends) == 1, f"{seen}: {numbers}", f"{seen}: {numbers}", first, *again, *direction.fins
            )
    elif not connection.unseen and (other := _one_end(connection, second)) is not None:
        told, differs = other
        words = ", ".join(dict.fromkeys(r.seen for r in told))
        yield accepted.decide(not differs, f"{seen}: {words}", f"{seen}: {words}", first, *again, *told)
    else:
        yield from doubt(direction, accepted)


def _abort_after(connection: Connection, again: Operation) -> Farewell | None:
    """The unit by which the IUT aborted a framed direction after that, unprovoked and with its socket still open."""
    gone, provoked = given_up_at(connection.iut), connection.peer_to_iut.farewells
    for said in connection.iut_to_peer.farewells:
        if said.graceful or not again.entered <= said.at < gone:
            continue
        excused = any(not other.graceful and other.at <= said.at for other in provoked) or unread(connection, said.at)
        return None if excused or may_time_out(connection) else said
    return None


def _one_end(connection: Connection, again: Operation) -> tuple[list[Report], bool] | None:
    """The peer's words from the end on, one of them asked for after the repetition, and whether they differ."""
    final = read(connection.iut_to_peer, connection.statement).final
    if final is None or final.told not in GRACEFUL_WORDS:
        return None
    told = [r for r in heard(connection.peer) if final.at <= r.at < given_up_at(connection.iut)]
    told = [r for r in told if r.what not in (What.NOTHING, What.WOULD_BLOCK)]
    if not told or told[-1].asked < again.over:
        return None
    return told, len({r.told for r in told}) > 1


@judges("INIT-SHUT-13")
def connecting_again_is_answered(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Once both ends have ended, connecting the socket again gets an answer, whichever. [Winsock SPI, WSPShutdown]"""
    own, peers = connection.iut.ending, connection.peer.ending
    if own is None or peers is None:
        return
    since, gone = max(own.over, peers.over), given_up_at(connection.iut)
    for call in connection.iut.calls("connect"):
        if not since <= call.entered < gone:
            continue
        if call.outcome in (Outcome.RESULT, Outcome.ERROR):
            known = any(outcome.outcome == call.told for outcome in accepted.accepted)
            answer = call.told if known else "OTHER_ERROR"
            yield accepted.weigh(Observed(answer, call.seen, call.events), after="after both ends had ended")
        elif call.outcome is Outcome.TIMEOUT and call.took >= connection.header.prompt_ns:
            yield accepted.violated(f"after both ends had ended, {call.seen}", call)


@judges("DD-SCN-05")
def the_half_close_exchange_works(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """One end stops sending; the other reads that, answers, and ends; the first reads both; both close.

    [Winsock SPI, Graceful Shutdown, Linger Options, and Socket Closure, scenario]
    """
    if (request := _request(connection, End.IUT)) is not None:
        yield from _exchange(connection, accepted, connection.peer, response(connection), *request)
        return
    if (request := _request(connection, End.PEER)) is None:
        return
    asked, told = request
    limit: float = min((o.entered for o in goodbyes(connection)), default=math.inf)
    if (refused := refused_send(connection, told.at, limit)) is not None:
        yield accepted.violated(f"the peer had ended only its own sending, and {refused.seen}", asked, told, refused)
        return
    answers = (first_goodbye(connection, op) for op in ("shutdown", "send_disconnect", "close"))
    ended = next((call for call in answers if call is not None), None)
    if ended is not None and ended.succeeded and not is_abortive(connection, ended):
        yield from _exchange(connection, accepted, connection.iut, delivery(connection, ended), asked, told)


def _request(connection: Connection, asker: End) -> tuple[Operation, Report] | None:
    """That end's shutdown of sending, and the other's word of it; None unless that came before the other's own end."""
    asked, answered = connection.side(asker).ending, connection.side(asker.other).ending
    if asked is None or not (asked.how == "send" or asked.has_no_data):
        return None
    told = read(connection.from_(asker), connection.statement).final
    if told is None or told.told not in GRACEFUL_WORDS or told.at < asked.entered:
        return None
    if answered is not None and answered.entered < told.at:
        return None
    return asked, told


def _exchange(
    connection: Connection,
    accepted: Expectation,
    answerer: Side,
    answer: Delivery | None,
    asked: Operation,
    told: Report,
) -> Iterator[Finding]:
    answers = [s for s in answerer.sends if s.succeeded and s.result["length"] and s.entered >= told.at]
    ended = answerer.ending
    if not answers or ended is None or ended.entered < answers[-1].entered or answer is None:
        return
    evidence: tuple[Shown, ...] = (asked, told, *answers, ended, *answer.evidence)
    if not answer.complete:
        yield accepted.violated(answer.because, *evidence)
    elif (close := _failed_close(connection)) is not None:
        yield accepted.violated(f"{answer.because}; at last, {close.seen}", *evidence, close)
    elif connection.iut.closed and connection.peer.closed:
        because = f"after a request, {answer.because}; both closes succeeded"
        yield accepted.satisfied(because, *evidence, connection.iut.closed, connection.peer.closed)


def _failed_close(connection: Connection) -> Operation | None:
    """The IUT's first close, if it failed without linger and without a reset to explain that."""
    close = next(iter(connection.iut.calls("close")), None)
    if close is None or not failed(close) or connection.iut.linger_at(close.entered)[0]:
        return None
    excused = connection.peer_to_iut.resets or may_time_out(connection) or unseen(connection)
    return None if excused else close
