# SPDX-License-Identifier: MIT
"""Group D, resets on the wire (TCP): when the IUT must send one, when it must not, and what an arriving one does."""

from __future__ import annotations

import math
from collections.abc import Iterator

from conformance.oracle.findings import Expectation, Finding
from conformance.oracle.link import (
    arrivals,
    confirmed,
    judges_link,
    may_time_out,
    over_at,
    overdue,
    own_fin,
    resets_come,
    settled,
    stopped_at,
    surely_unread,
    timed,
    undone_at,
    words,
)
from conformance.oracle.reading import never_told
from conformance.trace.direction import Passage
from conformance.trace.history import Connection
from conformance.trace.operations import Operation, What

ABORT_WORDS = ("ECONNRESET", "ECONNABORTED", "ENETRESET", "EPIPE")
"""What tells of an abort by the peer, through whichever call comes first; EPIPE is told by sends."""


@judges_link("WIRE-ABRT-01")
def an_abortive_close_resets(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Closing with linger on and time 0 sends a RST that the peer must accept, and no FIN. [RFC 9293, 3.10.5]"""
    iut, close = connection.iut, connection.iut.closed
    if close is None or iut.ending is not close:
        return
    if iut.linger_at(close.entered) != (True, 0) or _disturbed(connection, close):
        return
    fin = next((p for p in connection.iut_to_peer.fins if p.at >= close.entered), None)
    reset = next(iter(connection.iut_to_peer.resets), None)
    if fin is not None:
        yield accepted.violated("an abortive close sent a FIN", close, fin)
    elif reset is None:
        if undone_at(connection) == math.inf and overdue(connection, close.last_at):
            yield accepted.violated("an abortive close sent no reset", close)
    elif undone_at(connection) == reset.at:
        known, following = confirmed(connection, reset.at), _next_to_send(connection)
        where = f"offset {reset.start}, {known} bytes being acknowledged and {following} sent"
        yield accepted.decide(
            known <= reset.start <= following,  # below SND.NXT where the peer had taken its window back (Linux)
            f"an abortive close sent a reset that the peer accepts ({where}), and no FIN",
            f"an abortive close sent a reset that the peer need not accept ({where})",
            close,
            reset,
        )


def _next_to_send(connection: Connection) -> int:
    """SND.NXT at the end, whatever the order in which the capture saw the segments: after a reset nothing is sent."""
    return max((p.end + p.fin for p in connection.iut_to_peer.passages if not p.rst), default=0)


@judges_link("WIRE-ABRT-02")
def closing_with_unread_data_resets(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A close that discards received data says so with a RST. [RFC 9293, 3.6.1, SHLD-3; RFC 2525, 2.17]"""
    iut, close = connection.iut, connection.iut.closed
    if close is None or iut.ending is not close or stopped_at(iut) < close.entered:
        return
    if iut.linger_at(close.entered)[0] or _disturbed(connection, close):
        return
    if not (unread := surely_unread(connection, close.entered)):
        return
    ends = (*connection.iut_to_peer.fins, *connection.iut_to_peer.resets)
    first = min((p for p in ends if p.at >= close.entered), key=lambda p: p.at, default=None)
    if any(first is None or (p.delivered or 0) <= first.at for p in resets_come(connection)):
        return
    if first is None:
        yield accepted.undetermined(f"closed with {unread} bytes unread, and neither FIN nor RST was seen", close)
    else:
        yield accepted.decide(
            first.rst,
            f"closed with {unread} bytes unread, the IUT sent a reset",
            f"closed with {unread} bytes unread, the IUT sent a FIN: the peer is not told that they were lost",
            close,
            first,
        )


@judges_link("WIRE-ABRT-03")
def data_after_a_full_close_is_reset(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Data that comes once nobody can read it any more is answered with RST. [RFC 9293, 3.6.1, SHLD-3]"""
    iut, close, fin = connection.iut, connection.iut.closed, own_fin(connection)
    if close is None or fin is None or iut.killed_at is not None:
        return
    direction = connection.peer_to_iut
    late = ((at, p) for at, p in arrivals(connection) if at > close.last_at and p.segment.length)
    new = next(((at, p) for at, p in late if p.end > direction.carried_by(at - 1)), None)
    if new is None or not fin.at < new[0] < undone_at(connection):
        return
    came, data = new
    reset = next(iter(connection.iut_to_peer.resets), None)
    if reset is not None and undone_at(connection) == reset.at:
        yield accepted.satisfied("data that came after the close was answered with a reset", close, data, reset)
    elif undone_at(connection) - came > connection.header.prompt_ns and overdue(connection, came):
        yield accepted.violated("data that came after the close was not answered with a reset", close, data)
    else:
        yield accepted.undetermined("data came after the close, and nobody waited long for the answer", close, data)


@judges_link("WIRE-ABRT-04")
def shutting_down_with_unread_data_sends_a_fin(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Ending the sending direction alone loses nothing: a FIN goes out, and no RST. [RFC 9293, 3.6]"""
    iut, call = connection.iut, connection.iut.ending
    if call is None or _disturbed(connection, call):
        return
    if call.op != "send_disconnect" and call.how != "send":
        return
    if not (unread := surely_unread(connection, call.entered)):
        return
    fin, limit = own_fin(connection), stopped_at(iut)
    bound = min(limit, over_at(connection))
    reset = next((p for p in connection.iut_to_peer.resets if p.at < bound), None)
    if reset is not None and undone_at(connection) == reset.at:
        if not may_time_out(connection):
            yield accepted.violated(f"{call.name} with {unread} bytes unread sent a reset", call, reset)
    elif fin is not None and call.entered <= fin.at < limit:
        yield accepted.satisfied(f"{call.name} with {unread} bytes unread sent a FIN, and no reset", call, fin)
    elif fin is None and confirmed(connection, call.entered) >= connection.iut_to_peer.offered_length:
        had_ns = min(limit, undone_at(connection)) - call.last_at
        if had_ns > connection.header.prompt_ns and overdue(connection, call.last_at):
            yield accepted.violated(f"{call.name} with {unread} bytes unread sent no FIN", call)


def _disturbed(connection: Connection, call: Operation) -> bool:
    """By the time of that call the connection had been undone, or the IUT told of an end that was no graceful one."""
    told = any(word.at <= call.entered and not word.is_graceful for word in words(connection.iut))
    at_once = any(r.what is What.ERROR and r.at == call.entered for r in connection.iut.receives)
    return told or at_once or undone_at(connection) <= call.entered


@judges_link("WIRE-RST-01")
def an_exact_reset_aborts(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A RST at RCV.NXT aborts the connection, and the user is told. [RFC 9293, 3.5.3 and 3.10.7.4]"""
    direction, iut = connection.peer_to_iut, connection.iut
    at = direction.ending.at
    if not direction.ending.is_abort or at is None or at >= stopped_at(iut):
        return
    reset = next(p for p in resets_come(connection) if p.delivered == at)
    if reset.start != direction.carried_by(at) or any(word.at < at for word in words(iut)):
        return
    word = next(iter(words(iut, at)), None)
    if word is None:
        yield from never_told(connection, accepted)
    elif word.told in ABORT_WORDS or (word.told == "OTHER" and connection.statement.family == "runtime"):
        yield accepted.satisfied(f"a reset came at RCV.NXT, and {word.seen}", reset, word)
    elif word.told == "OTHER":
        yield accepted.undetermined(f"a reset came at RCV.NXT, and {word.seen}: a name not known", reset, word)
    else:
        yield accepted.violated(f"a reset came at RCV.NXT, and {word.seen}", reset, word)


@judges_link("WIRE-RST-04")
def a_reset_never_draws_a_reset(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """No RST of the IUT answers one of the peer. [RFC 9293, 3.10.7.1]"""
    come = resets_come(connection)
    if not come:
        return
    first = come[0].delivered or 0
    answers = [p for p in connection.iut_to_peer.resets if p.at >= first]
    for answer in answers:
        if not _has_another_cause(connection, answer, first):
            yield accepted.violated("the peer's reset was answered with a reset", *come, answer)
            return
    if not answers and settled(connection, come[-1].delivered or 0):
        yield accepted.satisfied("no reset followed the peer's", *come)


def _has_another_cause(connection: Connection, answer: Passage, first: int) -> bool:
    """Something else than the peer's resets, of which `first` was the time, may have made the IUT send this one.

    A reset that the IUT had sent by itself, or in answer to data, may be seen only later; so it counts from when its
    user could not have caused it: the socket was still open, or its user had been told of the abort before.
    """
    iut = connection.iut
    if timed(connection) or over_at(connection) <= answer.at:
        return True
    told = next((word.at for word in words(iut, first) if not word.is_graceful), math.inf)
    if stopped_at(iut) <= min(answer.at, told):
        return True
    forged = ((p.at, p) for p in connection.peer_to_iut.forged)
    return any(not p.rst and first <= at <= answer.at for at, p in (*arrivals(connection), *forged))
