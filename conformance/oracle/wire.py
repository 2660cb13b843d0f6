# SPDX-License-Identifier: MIT
"""Group D, the graceful end on the wire (TCP): FINs, their acknowledgement, their retransmission, and half-open ends.

FINs that come again are judged in `repeated`, resets in `resets`, time-outs in `timeouts`.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator

from conformance.oracle.findings import Expectation, Finding
from conformance.oracle.link import (
    arrivals,
    confirmed,
    confirmed_at,
    first_fin,
    given_up_at,
    judges_link,
    looks_in_vain,
    may_time_out,
    over_at,
    own_fin,
    promptly_acknowledged,
    settled,
    slowest_ns,
    stopped_at,
    timed,
    unacknowledged,
    undone_at,
    watched,
    words,
)
from conformance.oracle.reading import NS_PER_S, in_vain, never_told, read_stream
from conformance.trace.direction import Passage
from conformance.trace.events import Fate, Outcome
from conformance.trace.history import Connection
from conformance.trace.operations import Operation, What

RETRANSMISSION_LIMIT_NS = 5 * NS_PER_S
"""RFC 6298 has the first retransmission after 1 s where the round trip is not known, and doubles from there."""


@judges_link("WIRE-FIN-01")
def the_fin_follows_the_last_byte(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """The FIN's sequence number is the one after the last byte accepted before the graceful call. [RFC 9293, 3.6]"""
    iut, fin = connection.iut, own_fin(connection)
    call = iut.ending
    if call is None or fin is None or fin.at < call.entered:
        return
    if call.op == "close" and iut.linger_at(call.entered) == (True, 0):
        return
    before = [s for s in iut.sends if s.entered < (fin.at if call.returned is None else call.returned)]
    least = sum(int(s.result["length"]) for s in before if s.succeeded)
    most = least + sum(_requested(s) for s in before if _may_have_sent(s, call))
    if not least <= fin.end <= most:
        yield accepted.violated(f"{least} bytes were accepted, and the FIN stands after {fin.end}", call, fin)
    elif least < most:
        yield accepted.undetermined("how much an unfinished send had got accepted is not known", call, fin)
    else:
        yield accepted.satisfied(f"the FIN stands after the {least} bytes that were accepted", call, fin)


def _may_have_sent(send: Operation, ending: Operation) -> bool:
    """It told of no accepted bytes, and yet may have got some accepted before the ending call took effect."""
    if send.outcome in (Outcome.UNANSWERED, Outcome.FAILURE):
        return True
    return send.outcome is Outcome.ERROR and send.returned is not None and send.returned >= ending.entered


def _requested(send: Operation) -> int:
    if (described := send.arguments.get("pattern")) is not None:
        return int(described["length"])
    return len(base64.b64decode(send.arguments["data"]))


@judges_link("WIRE-FIN-02")
def a_fin_on_data_counts(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A FIN that rides on data is taken with it: acknowledged, the data read, then the end. [RFC 9293, 3.10.7.4]"""
    direction = connection.peer_to_iut
    fin = first_fin(connection)
    if fin is None or fin.delivered is None or not direction.ending.is_graceful:
        return
    if not fin.start <= direction.carried_by(fin.delivered - 1) < fin.end:
        return
    ack = promptly_acknowledged(connection, fin.end + 1, fin.delivered)
    if ack is None:
        yield from unacknowledged(connection, accepted, "a FIN on data", fin.end + 1, fin.delivered, fin)
        return
    if not connection.statement.is_stream:
        return
    if fin.end > direction.offered_length:
        yield accepted.undetermined("the link carried more than the peer's calls explain", fin)
        return
    reading = read_stream(direction)
    final, reset_at = reading.final, direction.ending.reset_at or math.inf
    if reading.fault is not None:
        what = f"the bytes from offset {reading.good} on are not those that were sent"
        yield accepted.violated(what, fin, reading.fault)
    elif final is None:
        yield from never_told(connection, accepted)
    elif fin.delivered <= final.at < reset_at and final.told in ("ZERO_BYTES", "EDISCON"):
        yield accepted.decide(
            reading.good == fin.end,
            f"data and FIN of one segment were acknowledged, all {fin.end} bytes read, then the end was told",
            f"a FIN rode on data, and the end was told after {reading.good} of {fin.end} bytes",
            fin,
            ack,
            final,
        )


@judges_link("WIRE-FIN-03")
def an_unacknowledged_fin_is_sent_again(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A FIN, and the data before it, is sent again until it is acknowledged. [RFC 9293, 3.6 and 3.10.8]"""
    fin = own_fin(connection)
    if fin is None:
        return
    until = min(confirmed_at(connection, fin.end + 1), undone_at(connection))
    later = [p for p in connection.iut_to_peer.passages if fin.at < p.at < until and not p.repeated_by_harness]
    if (other := next((p for p in later if p.fin and p.end != fin.end), None)) is not None:
        yield accepted.violated(f"the FIN stood after {fin.end} bytes, and another one after {other.end}", fin, other)
        return
    again = next((p for p in later if _sends_again(connection, p, fin)), None)
    if again is not None:
        what = f"{'the same FIN' if again.fin else 'data before the FIN'}, unacknowledged, was sent again"
        yield accepted.satisfied(f"{what} after {(again.at - fin.at) / 1e6:.0f} ms", fin, again)
    elif _withheld(connection, fin):
        limit_ns = max(RETRANSMISSION_LIMIT_NS, 10 * slowest_ns(connection))
        waited = watched(connection, fin.at, limit_ns) and until - fin.at >= limit_ns
        if waited and confirmed(connection, fin.at) >= fin.end and not timed(connection):
            what = f"for {limit_ns / 1e9:.0f} s nobody acknowledged the FIN, and it was not sent again"
            yield accepted.violated(what, fin)
        else:
            yield accepted.undetermined("the FIN was not sent again while its acknowledgement was withheld", fin)


def _sends_again(connection: Connection, passage: Passage, fin: Passage) -> bool:
    """It repeats the FIN, or data before it that has not been acknowledged either."""
    if passage.fin:
        return True
    known = confirmed(connection, passage.at)
    return known < fin.end and passage.start <= known < passage.end


def _withheld(connection: Connection, fin: Passage) -> bool:
    """The harness kept the FIN from the peer, or the peer's acknowledgement of it from the IUT."""
    kept = (Fate.DROPPED, Fate.HELD)
    return fin.segment.fate in kept or any(
        p.segment.fate in kept and p.acks is not None and p.acks > fin.end for p in connection.peer_to_iut.passages
    )


@judges_link("WIRE-FIN-04")
def a_fin_is_acknowledged_and_not_answered_by_one(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """The peer's FIN is acknowledged, and the IUT's own waits for its user. [RFC 9293, 3.6, case 2]"""
    direction, settle_ns = connection.peer_to_iut, connection.header.settle_ns
    fin, at = first_fin(connection), direction.ending.at
    acted = min((o.entered for o in connection.iut.operations if _may_end(o)), default=math.inf)
    acted = min(acted, given_up_at(connection.iut))
    if fin is None or at is None or not direction.ending.is_graceful or acted <= at:
        return
    own = next((p for p in connection.iut_to_peer.fins if p.at >= at), None)
    if own is not None and own.at < acted:
        yield accepted.violated("the IUT answered the peer's FIN with its own before its user ended", fin, own)
        return
    ack = promptly_acknowledged(connection, fin.end + 1, at)
    if ack is None:
        yield from unacknowledged(connection, accepted, "the peer's FIN", fin.end + 1, at, fin)
        return
    if min(acted, undone_at(connection)) - at < settle_ns:
        return
    if acted < math.inf or settled(connection, at):
        yield accepted.satisfied("the peer's FIN was acknowledged, and no own one followed by itself", fin, ack)


def _may_end(operation: Operation) -> bool:
    """A call that may make the implementation end its sending, whatever it returned."""
    return operation.op in ("close", "shutdown", "send_disconnect", "recv_disconnect", "disconnect_ex")


@judges_link("WIRE-FIN-05")
def a_fin_beyond_a_gap_waits(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A FIN is told of only when everything before it has come. [RFC 9293, 3.10.7.4: in order of sequence numbers]"""
    direction, iut = connection.peer_to_iut, connection.iut
    fin = first_fin(connection)
    if fin is None or fin.delivered is None:
        return
    at = direction.ending.at if direction.ending.is_graceful else None
    filled = math.inf if at is None else at
    if undone_at(connection) < filled:
        return
    early = next((w for w in words(iut, fin.delivered) if w.at < filled and w.is_graceful), None)
    if early is not None:
        yield accepted.violated(f"a FIN had come beyond a gap, and {early.seen} before it was filled", fin, early)
        return
    for poll in iut.calls("poll"):
        if poll.entered < fin.delivered or poll.returned is None or poll.returned >= min(filled, stopped_at(iut)):
            continue
        if "RDHUP" in poll.result.get("events", ()):
            yield accepted.violated(f"a FIN had come beyond a gap, and {poll.seen} before it was filled", fin, poll)
            return
    look = next(looks_in_vain(connection, fin.delivered, filled), None)
    if look is None:
        return
    if not direction.ending.is_graceful:
        yield accepted.undetermined("the gap was never filled", fin, look)
        return
    reading = read_stream(direction)
    final, reset_at = reading.final, direction.ending.reset_at or math.inf
    if final is None or final.at >= reset_at or final.what is not What.ZERO_BYTES:
        return
    if direction.total is not None and direction.total <= direction.offered_length:
        yield accepted.decide(
            reading.good == direction.total,
            f"nothing was told while a gap was open; once it was filled, all {reading.good} bytes, then the end",
            f"once the gap was filled the end was told after {reading.good} of {direction.total} bytes",
            fin,
            look,
            direction.ending,
            final,
        )


@judges_link("WIRE-HALF-01")
def an_end_that_has_sent_its_fin_still_receives(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """After its own FIN the IUT still takes, acknowledges and hands over the peer's data. [RFC 9293, 3.6 and 3.6.1]"""
    direction, iut, own = connection.peer_to_iut, connection.iut, own_fin(connection)
    if own is None or not connection.statement.is_stream:
        return
    base, stop = direction.carried_by(own.at), stopped_at(iut)
    late = (p for at, p in arrivals(connection) if own.at < at < stop and direction.carried_by(at) >= p.end)
    new = next((p for p in late if p.end > base), None)
    if new is None or new.delivered is None or undone_at(connection) <= new.delivered:
        return
    reset = next((p for p in connection.iut_to_peer.resets if p.at < min(stop, over_at(connection))), None)
    if reset is not None and undone_at(connection) == reset.at:
        if not may_time_out(connection):
            yield accepted.violated("data came after the IUT's FIN, and was answered with a reset", own, new, reset)
        return
    ack = promptly_acknowledged(connection, new.end, new.delivered)
    if ack is None:
        yield from unacknowledged(
            connection, accepted, "data that came after the IUT's FIN", new.end, new.delivered, own, new, until=stop
        )
        return
    reading = read_stream(direction)
    fault = reading.fault
    if fault is not None and base <= reading.good <= direction.offered_length - fault.length:
        what = f"the bytes from offset {reading.good} on are not those that were sent"
        yield accepted.violated(what, own, new, fault)
    elif reading.good > base:
        yield accepted.satisfied("data that came after the IUT's FIN was acknowledged and read", own, new, ack)
    if reading.good > base:
        return
    final = reading.final
    if final is None or final.asked <= new.delivered or final.at >= min(stop, undone_at(connection)):
        return
    if final.what is What.ZERO_BYTES or not may_time_out(connection):
        yield accepted.violated(f"data had come after the IUT's FIN, and {final.seen}", own, new, final)


@judges_link("WIRE-SIM-01")
def crossing_fins_end_gracefully(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """When two FINs cross, the IUT acknowledges the peer's, tells of a graceful end, and sends no RST.

    [RFC 9293, 3.6, case 3, figure 13]
    """
    iut, direction = connection.iut, connection.peer_to_iut
    own, fin, at = own_fin(connection), first_fin(connection), direction.ending.at
    if own is None or fin is None or fin.delivered is None or at is None or not direction.ending.is_graceful:
        return
    sent = next(p for p in direction.passages if p.fin)
    if own.at >= fin.delivered or sent.acks is None or sent.acks > own.end:
        return
    if _reset_for_no_reason(connection, own, at):
        resets = connection.iut_to_peer.resets
        yield accepted.violated("two FINs crossed, and the IUT sent a reset", own, fin, resets[0])
        return
    both_done = over_at(connection)
    if undone_at(connection) <= both_done:
        return
    ack = promptly_acknowledged(connection, fin.end + 1, at)
    if ack is None:
        yield from unacknowledged(connection, accepted, "a FIN that crossed the IUT's own", fin.end + 1, at, own, fin)
        return
    word = next(iter(words(iut, at)), None)
    if word is None:
        if in_vain(iut, direction.ending, prompt_ns=connection.header.prompt_ns, settle_ns=connection.header.settle_ns):
            yield from never_told(connection, accepted)
    elif word.at >= undone_at(connection) or timed(connection):
        return
    elif not word.is_graceful:
        yield accepted.violated(f"two FINs crossed without a reset, and {word.seen}", own, fin, word)
    elif undone_at(connection) == math.inf:
        what = f"two FINs crossed: both were acknowledged, {word.seen}"
        if settled(connection, max(both_done, ack.at)):
            yield accepted.satisfied(f"{what}, and no reset followed", own, fin, ack, word)
        else:
            yield accepted.undetermined(f"{what}, and nobody waited whether a reset follows", own, fin, ack, word)


def _reset_for_no_reason(connection: Connection, own: Passage, since: int) -> bool:
    """The IUT was the first to reset, and its user had neither aborted, nor died, nor left anything unread."""
    iut, reset = connection.iut, next(iter(connection.iut_to_peer.resets), None)
    if reset is None or reset.at < since or undone_at(connection) < reset.at or timed(connection):
        return False
    stopped = iut.stopped_receiving_at
    if stopped is None or stopped > reset.at:
        return True
    if iut.killed_at is not None or iut.linger_at(reset.at) == (True, 0):
        return False
    if reset.at - own.at > connection.header.prompt_ns:  # a closed socket that nobody answers may be given up
        return False
    return iut.read_until(stopped) == connection.peer_to_iut.total
