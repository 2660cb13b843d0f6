# SPDX-License-Identifier: MIT
"""Group D, the peer that falls silent (TCP): the user time-out and keep-alive end the connection as an abort."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from conformance.oracle.findings import Expectation, Finding, Shown
from conformance.oracle.link import Word, arrivals, confirmed_at, judges_link, undone_at, words
from conformance.oracle.reading import NS_PER_MS, NS_PER_S, heard
from conformance.trace.direction import EndKind, Passage
from conformance.trace.history import Connection
from conformance.trace.operations import Operation, What

SILENT = (EndKind.OPEN, EndKind.ABORTED_BY_RECEIVER)
"""Nothing came of how the peer ended; the IUT may send a reset when it gives up."""
GRACE_NS = 5 * NS_PER_S
"""A user time-out of 300 ms was seen to fire at 0.74 s, and on a loaded machine after more than 8 s."""


@judges_link("WIRE-TMO-01")
def silence_ends_as_an_abort(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Data or FIN that nobody acknowledges ends the connection, after the user time-out, as an abort.

    [RFC 9293, 3.6, case 2, and 3.10.8; tcp(7), TCP_USER_TIMEOUT]
    """
    option = _option(connection, "USER_TIMEOUT")
    if option is None:
        return
    timeout_ns = int(option.arguments["value"]) * NS_PER_MS
    sent = next(
        (p for p in connection.iut_to_peer.passages if _acknowledged_at(connection, p) - p.at > timeout_ns), None
    )
    if sent is None or sent.at < option.entered or connection.peer_to_iut.ending.kind not in SILENT:
        return
    word = next(iter(words(connection.iut, option.entered)), None)
    if word is not None:
        if sent.at <= word.at < _undone_by_others(connection):
            yield _weigh(connection, accepted, word, "unacknowledged beyond the user time-out", option, sent)
        return
    looks = [r for r in heard(connection.iut) if r.what in (What.NOTHING, What.WOULD_BLOCK) and r.at >= sent.at]
    for report in looks:
        until = report.at if report.what is What.NOTHING else report.asked
        if _overstayed(connection, sent, timeout_ns, until):
            what = f"far beyond the user time-out of what was never acknowledged, {report.seen}"
            yield accepted.violated(what, option, sent, report)
            return
    if looks:
        what = f"{looks[-1].seen}, and the implementation may not have been due to look at its user time-out"
        yield accepted.undetermined(what, option, sent, looks[-1])


def _overstayed(connection: Connection, sent: Passage, timeout_ns: int, until: int) -> bool:
    """By that time the implementation should have given up, whatever its retransmission time is.

    It may look at the user time-out only when a retransmission is due, and not at the first one (Linux). So it has
    overstayed if it went on retransmitting, or if a retransmission must have been due that it did not make.
    """
    times = [p.at for p in connection.iut_to_peer.passages if _repeats(p, sent) and p.at <= until]
    if any(at - sent.at > 2 * timeout_ns for at in times[3:]):
        return True
    intervals = [later - earlier for earlier, later in pairwise(times)]
    if not intervals or until - sent.at <= 2 * timeout_ns:
        return False
    return until - times[-1] >= max(GRACE_NS, 3 * max(intervals))


def _repeats(passage: Passage, sent: Passage) -> bool:
    """It carries the first octet, or the FIN, of what was sent."""
    if passage.at < sent.at or passage.repeated_by_harness or passage.rst:
        return False
    return passage.start <= sent.start < passage.end + passage.fin


def _acknowledged_at(connection: Connection, passage: Passage) -> float:
    """When the IUT got an acknowledgement of that segment of its own; infinity if never. What needs none has it."""
    if passage.rst or not (passage.segment.length or passage.fin):
        return passage.at
    return confirmed_at(connection, passage.end + passage.fin)


@judges_link("WIRE-TMO-02")
def failed_keepalive_is_an_abort(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """When keep-alive probes stay unanswered, the user is told of an abort. [RFC 9293, 3.8.4]"""
    option = _option(connection, "KEEPALIVE")
    if option is None or connection.peer_to_iut.ending.kind not in SILENT:
        return
    last_heard = max((at for at, _ in arrivals(connection)), default=0)
    unanswered = [p for p in connection.iut_to_peer.passages if p.at > max(last_heard, option.entered) and not p.rst]
    probes = [p for p in unanswered if _is_probe(connection, p)]
    if not probes or any(p.segment.length or p.fin for p in unanswered if p not in probes):
        return
    word = next(iter(words(connection.iut, option.entered)), None)
    if word is not None:
        if probes[0].at <= word.at < _undone_by_others(connection):
            yield _weigh(connection, accepted, word, f"{len(probes)} keep-alive probes unanswered", option, *probes)
    else:
        yield accepted.undetermined(f"{len(probes)} keep-alive probes were not answered, and nothing was told", *probes)


def _is_probe(connection: Connection, passage: Passage) -> bool:
    """It stands one before SND.NXT, to make the peer repeat its acknowledgement; some send an octet with it."""
    if passage.fin or passage.segment.length > 1 or passage.repeated_by_harness:
        return False
    return passage.start == connection.iut_to_peer.sent_by(passage.at - 1) - 1


def _undone_by_others(connection: Connection) -> float:
    """When something other than silence ended the connection; a reset of the IUT's own may be how it gives up."""
    own = {p.at for p in connection.iut_to_peer.resets}
    undone = undone_at(connection)
    return math.inf if undone in own else undone


def _option(connection: Connection, name: str) -> Operation | None:
    """The call that set this option to something, if one did."""
    calls = (o for o in connection.iut.calls("set_option") if o.arguments.get("name") == name)
    return next((o for o in calls if o.succeeded and o.arguments.get("value")), None)


def _weigh(connection: Connection, accepted: Expectation, word: Word, after: str, *evidence: Shown) -> Finding:
    """As the catalogue has it; a runtime may name its failure as it likes."""
    outcomes = {outcome.outcome for outcome in accepted.accepted}
    if "ABORT_LOCAL" in outcomes and not word.is_graceful:
        return accepted.satisfied(f"{after}, {word.seen}: a failure, not an end", *evidence, word)
    return accepted.weigh(word, *evidence, after=after)
