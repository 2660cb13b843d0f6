# SPDX-License-Identifier: MIT
"""Group D, segments that no end would send: resets off the mark, a reset in TIME-WAIT, octets beyond the peer's FIN.

The harness forges them in the peer's name. That one reached the IUT and where it stood, the link shows; what it told,
the calls; what answered it, the link again, if nothing else can have: the link had been quiet before, and nothing else
came and nobody called anything until the answer, or for the settle time where there is none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from conformance.oracle.findings import Evidence, Expectation, Finding
from conformance.oracle.link import (
    Word,
    acknowledgements,
    arrivals,
    confirmed,
    confirmed_at,
    given_up_at,
    judges_link,
    looks_in_vain,
    overdue,
    own_fin,
    settled,
    stopped_at,
    timed,
    undone_at,
    words,
)
from conformance.oracle.reading import GRACEFUL_WORDS, NS_PER_S, heard, read_stream
from conformance.oracle.repeated import TIME_WAIT_AT_LEAST_NS
from conformance.trace.direction import Acknowledgement, Passage
from conformance.trace.events import Fate
from conformance.trace.history import Connection
from conformance.trace.operations import Report, What

CHALLENGE_WINDOW_NS = 5 * NS_PER_S
"""RFC 5961, 7, lets a host limit its challenge ACKs, to 10 in any 5 s, say. One probe in 5 s is within any limit."""
QUIET_OPS = ("poll", "get_error", "get_linger", "names", "enum_events", "recv")
"""Calls that make TCP send nothing; a receive that took octets is seen by its report."""


@dataclass(frozen=True)
class Probe:
    """A forged segment at the IUT, before either end had ended; offsets are those of the peer's direction.

    `expected` is RCV.NXT, `edge` the first offset beyond the window that the IUT had announced last, `beyond` the first
    that was surely beyond any that it had announced. Until `until` nothing else can have made the IUT send.
    """

    passage: Passage
    expected: int
    edge: int
    beyond: int
    until: float
    answers: tuple[Passage, ...]
    unclear: str

    @property
    def came(self) -> int:
        """When it reached the IUT (nanoseconds)."""
        return self.passage.at

    @property
    def start(self) -> int:
        """Where it stands."""
        return self.passage.start

    @property
    def within(self) -> bool:
        """It stands inside the window, and not where it would count."""
        return self.start in range(self.expected + 1, self.edge)

    @property
    def outside(self) -> bool:
        """It stands outside the window that was announced last. At RCV.NXT a reset counts, window or none."""
        return self.start != self.expected and not self.within

    @property
    def where(self) -> str:
        """Where it stands, in words."""
        if self.start >= self.edge:
            return f"RCV.NXT+RCV.WND{f'+{self.start - self.edge}' if self.start > self.edge else ''}"
        return f"RCV.NXT{self.start - self.expected:+}"


def _probe(connection: Connection, passage: Passage) -> Probe:
    """Read what the link showed around a forged segment."""
    before = [a for a in connection.peer_to_iut.acknowledgements if a.at <= passage.at]
    last = max(before, key=lambda a: (a.upto, a.at))
    until = _until(connection, passage)
    own = connection.iut_to_peer.passages
    return Probe(
        passage,
        expected=last.upto,
        edge=last.upto + last.window,
        beyond=max(a.upto + a.window + a.unsaid for a in before),
        until=until,
        answers=tuple(p for p in own if passage.at <= p.at < until and not p.repeated_by_harness),
        unclear=_unclear(connection, passage, last),
    )


def _peers_end(connection: Connection) -> float:
    """When the first FIN or reset of the peer's own reached the IUT; infinity if none did."""
    return min((at for at, p in arrivals(connection) if p.fin or p.rst), default=math.inf)


def _until(connection: Connection, passage: Passage) -> float:
    """When something else may first have made the IUT send: a segment of the peer's, or a call."""
    times = [
        *(at for at, _ in arrivals(connection)),
        *(p.at for p in connection.peer_to_iut.forged),
        *(o.entered for o in connection.iut.operations if o.op not in QUIET_OPS),
        *(report.asked for report in heard(connection.iut) if report.what is What.DATA),
        given_up_at(connection.iut),
    ]
    return min((at for at in times if at > passage.at), default=math.inf)


def _unclear(connection: Connection, passage: Passage, last: Acknowledgement) -> str:
    """Why what the IUT sent next need not be an answer, or why an answer may not have been seen; empty if neither."""
    came, peers, own = passage.at, connection.peer_to_iut, connection.iut_to_peer
    everything = (*peers.passages, *own.passages)
    if any(p.segment.fate in (Fate.DROPPED, Fate.HELD) for p in everything):
        return "the harness kept segments back as well"
    if timed(connection):
        return "under keep-alive or a user time-out the IUT may speak, and give up, by itself"
    if any(at <= came and p.end + p.fin > last.upto for at, p in arrivals(connection)):
        return "something of the peer's was yet to be acknowledged"
    known = confirmed(connection, came)
    if any(p.end + p.fin > known for p in own.passages if p.at <= came and not p.rst):
        return "something of the IUT's was yet to be acknowledged"
    earlier = [p.at for p in (*everything, *peers.forged) if p.at <= came and p is not passage]
    acted = (o.returned or o.entered for o in connection.iut.operations if o.op not in QUIET_OPS and o.entered <= came)
    took = (report.at for report in heard(connection.iut) if report.what is What.DATA and report.at <= came)
    if came - max((connection.established.at, *earlier, *acted, *took)) < connection.header.settle_ns:
        return "the link had not been quiet for the settle time"
    return ""


def _resets(connection: Connection) -> Iterator[Probe]:
    """The forged resets that reached the IUT while both directions were open and nothing had undone them."""
    own_end = min((p.at for p in connection.iut_to_peer.passages if p.fin or p.rst), default=math.inf)
    limit = min(_peers_end(connection), own_end, stopped_at(connection.iut))
    for passage in connection.peer_to_iut.forged:
        if passage.segment.flags in ("R", "RA") and passage.at < limit:
            probe = _probe(connection, passage)
            yield probe
            if probe.start == probe.expected:
                return  # this one counts, and what comes after it meets no connection


def _harm(connection: Connection, accepted: Expectation, probe: Probe) -> Finding | None:
    """What shows that the reset did what it must not: its user was told of an end, or the connection was gone."""
    limit = _peers_end(connection)
    word = next((w for w in words(connection.iut, probe.came) if w.at < limit), None)
    if word is not None:
        return accepted.violated(f"a reset came at {probe.where}, and {word.seen}", probe.passage, word)
    limit = min(limit, given_up_at(connection.iut))
    gone = next((p for p in connection.iut_to_peer.resets if probe.came <= p.at < limit), None)
    if gone is not None:
        return accepted.violated(f"a reset came at {probe.where}, and the IUT sent a reset", probe.passage, gone)
    return None


def _unharmed(connection: Connection, probe: Probe) -> tuple[tuple[Evidence, ...], str]:
    """What shows that nothing was told and that the connection lived on; or what is missing of that."""
    look = next(looks_in_vain(connection, probe.came, _peers_end(connection)), None)
    if look is None:
        return (), "nobody looked whether it told anything"
    alive = next(iter(acknowledgements(connection, probe.expected + 1, probe.came)), None)
    if alive is None:
        return (), "nothing shows that the connection lived on"
    return (look, alive), ""


@judges_link("WIRE-RST-02")
def a_reset_within_the_window_is_challenged(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A RST within the window, but not at RCV.NXT, draws <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> and tells nothing.

    [RFC 9293, 3.10.7.4; RFC 5961, 3.2; for answers that are missing: RFC 5961, 7]
    """
    probes = [probe for probe in _resets(connection) if probe.within]
    silent = []
    for probe in probes:
        if (harm := _harm(connection, accepted, probe)) is not None:
            yield harm
            return
        if probe.unclear:
            yield accepted.undetermined(probe.unclear, probe.passage)
        elif probe.answers:
            yield _challenged(connection, accepted, probe)
        else:
            silent.append(probe)
    if silent and len(silent) == len(probes):
        yield _unchallenged(connection, accepted, silent)


def _challenged(connection: Connection, accepted: Expectation, probe: Probe) -> Finding:
    answer = probe.answers[0]
    if not _is_challenge(connection, probe, answer):
        what = "and the answer was no acknowledgement of RCV.NXT at SND.NXT"
        return accepted.violated(f"a reset came at {probe.where}, {what}", probe.passage, answer)
    evidence, missing = _unharmed(connection, probe)
    if missing:
        return accepted.undetermined(f"a reset at {probe.where} was challenged; {missing}", probe.passage, answer)
    what = f"a reset came at {probe.where}, was answered with an acknowledgement, and told nothing"
    return accepted.satisfied(what, probe.passage, answer, *evidence)


def _is_challenge(connection: Connection, probe: Probe, answer: Passage) -> bool:
    own = connection.iut_to_peer.passages
    following = max((p.end for p in own if p.at < answer.at), default=0)
    exact = answer.acks == probe.expected and answer.start == following
    return exact and answer.segment.flags == "A" and not answer.segment.length


def _unchallenged(connection: Connection, accepted: Expectation, silent: list[Probe]) -> Finding:
    """None of the resets was answered. A limit in rate explains that, unless they were far enough apart."""
    shown = [probe.passage for probe in silent]
    waited = [p for p in silent if p.until - p.came > connection.header.prompt_ns and overdue(connection, p.came)]
    if not waited:
        return accepted.undetermined("no answer came to the reset, and nobody waited long for it", *shown)
    if any(later.came - earlier.came >= CHALLENGE_WINDOW_NS for earlier, later in pairwise(waited)):
        what = f"{len(waited)} resets came within the window, 5 s and more apart, and none was answered"
        return accepted.violated(what, *shown)
    return accepted.undetermined("no answer came to the reset; a limit in rate may have kept it back", *shown)


@judges_link("WIRE-RST-03")
def a_reset_outside_the_window_is_dropped(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A RST before RCV.NXT, or at RCV.NXT+RCV.WND and beyond, is dropped silently. [RFC 9293, 3.10.7.4]"""
    for probe in _resets(connection):
        if not probe.outside:
            continue
        harm = _harm(connection, accepted, probe)
        surely = probe.start not in range(probe.expected, probe.beyond)
        if harm is not None and (surely or "RFC5961" in connection.statement.features):
            yield harm
            return
        if harm is not None:
            yield accepted.undetermined("the reset may have met a window that was wider than announced", probe.passage)
            return
        yield _dropped(connection, accepted, probe, surely=surely)


def _dropped(connection: Connection, accepted: Expectation, probe: Probe, *, surely: bool) -> Finding:
    shown, settle_ns = (probe.passage, *probe.answers[:1]), connection.header.settle_ns
    if probe.unclear:
        return accepted.undetermined(probe.unclear, *shown)
    if not probe.answers and (probe.until - probe.came < settle_ns or not settled(connection, probe.came)):
        return accepted.undetermined("nobody waited whether the reset would be answered", *shown)
    if probe.answers and not surely:
        what = "the reset was answered, and the window may have reached further than its scaled field can say"
        return accepted.undetermined(what, *shown)
    if probe.answers:
        return accepted.violated(f"a reset came at {probe.where}, and it was answered", *shown)
    evidence, missing = _unharmed(connection, probe)
    if missing:
        return accepted.undetermined(f"nothing answered it, and nothing was told; {missing}", *shown)
    what = f"a reset came at {probe.where}, nothing answered it, and nothing was told"
    return accepted.satisfied(what, *shown, *evidence)


@judges_link("WIRE-FIN-07")
def octets_beyond_the_fin_are_ignored(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Text that begins beyond the peer's FIN is neither taken nor delivered. [RFC 9293, 3.10.7.4, seventh step]"""
    direction, iut = connection.peer_to_iut, connection.iut
    total, ending = direction.total, direction.ending
    if total is None or ending.at is None or not connection.statement.is_stream:
        return
    for passage in direction.forged:
        beyond = passage.segment.length > 0 and passage.start > total and not passage.rst
        if not beyond or not ending.at < passage.at < min(stopped_at(iut), _undone_by_the_peer(connection)):
            continue
        yield _ignored(connection, accepted, _probe(connection, passage), total)


def _undone_by_the_peer(connection: Connection) -> float:
    return min((p.at for p in connection.peer_to_iut.resets_come), default=math.inf)


def _ignored(connection: Connection, accepted: Expectation, probe: Probe, total: int) -> Finding:
    passage, came, iut = probe.passage, probe.came, connection.iut
    what = f"{passage.segment.length} octets came that end {passage.end - total - 1} beyond the FIN"
    taken = 0
    for report in heard(iut):
        taken += report.length if report.what is What.DATA else 0
        if taken > total and report.at >= came:
            return accepted.violated(f"{what}, and some were delivered: {report.seen}", passage, report)
    fault = read_stream(connection.peer_to_iut).fault
    if fault is not None and fault.at >= came:
        return accepted.violated(f"{what}, and what was read is not what the peer had sent", passage, fault)
    if (ack := next(iter(acknowledgements(connection, total + 2, came)), None)) is not None:
        return accepted.violated(f"{what}, and some were acknowledged", passage, ack)
    if probe.unclear:
        return accepted.undetermined(probe.unclear, passage)
    final = next((r for r in heard(iut) if r.is_final and r.asked >= came + connection.header.settle_ns), None)
    if final is None:
        return accepted.undetermined(f"{what}, and nobody looked later on what they told", passage)
    told, seen = "DATA_AFTER_FIN_IGNORED", f"{final.seen}, and nothing more"
    reset = next((p for p in probe.answers if p.rst), None)
    if final.told not in GRACEFUL_WORDS:
        told, seen = "TOLD", final.seen
    elif reset is not None:
        told, seen = "RESET", f"the IUT sent a reset, and {final.seen}"
    word = Word(final.at, told, seen, final.events)
    return accepted.weigh(word, passage, *probe.answers[:1], after=what)


@judges_link("WIRE-RST-05")
def a_reset_in_time_wait_tells_nothing(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A RST at RCV.NXT in TIME-WAIT tells the user nothing; whether the state is left shows by the peer's FIN.

    [RFC 9293, 3.10.7.4; Linux manual, tcp(7), tcp_rfc1337]
    """
    own, total, at = own_fin(connection), connection.peer_to_iut.total, connection.peer_to_iut.ending.at
    if own is None or total is None or at is None or own.at >= at:
        return
    over = max(at, confirmed_at(connection, own.end + 1))
    for reset in connection.peer_to_iut.forged:
        lasts = connection.header.settle_ns <= reset.at - over < TIME_WAIT_AT_LEAST_NS
        if reset.rst and lasts and reset.start == total + 1 and undone_at(connection) == reset.at:
            yield _in_time_wait(connection, accepted, reset, total)


def _in_time_wait(connection: Connection, accepted: Expectation, reset: Passage, total: int) -> Finding:
    known = connection.peer_to_iut.acknowledged(total + 1)
    if known is None or known.at >= reset.at:
        return accepted.undetermined("the IUT had not acknowledged the peer's FIN", reset)
    word = next((w for w in words(connection.iut, reset.at) if not w.is_graceful), None)
    if word is not None:
        return accepted.violated(f"a reset came in TIME-WAIT, and {word.seen}", reset, word)
    look = _look_at_the_end(connection, reset.at)
    if look is None and stopped_at(connection.iut) > reset.at:
        return accepted.undetermined("a reset came in TIME-WAIT, and nobody looked what it told", reset)
    copy = next((p for came, p in arrivals(connection) if p.fin and came > reset.at), None)
    if copy is None or copy.delivered is None:
        return accepted.undetermined("a reset came in TIME-WAIT, and no FIN that shows what is left", reset, look)
    answer = next((p for p in connection.iut_to_peer.passages if p.at >= copy.delivered), None)
    if answer is None:
        return accepted.undetermined("the peer's FIN came again after the reset, and nothing answered", reset, look)
    left = "TIME_WAIT_LEFT" if answer.rst else "TIME_WAIT_KEPT"
    seen = f"nothing was told, and a FIN that came again was {'reset' if answer.rst else 'acknowledged'}"
    told = Word(answer.at, left, seen, answer.events)
    return accepted.weigh(told, reset, look, copy, after="a reset came in TIME-WAIT")


def _look_at_the_end(connection: Connection, since: int) -> Report | None:
    """A receive that was asked a settle time after that and told the end once more."""
    ripe = since + connection.header.settle_ns
    return next((r for r in heard(connection.iut) if r.told in GRACEFUL_WORDS and r.asked >= ripe), None)
