# SPDX-License-Identifier: MIT
"""Questions that the judges of the wire ask: what reached the IUT, what it answered, and who watched for how long.

All of them suppose that the link is visible; `judges_link` sees to that. Reading segments into directions is the
history's work, and what the findings are is the judges'.

The order of segments is certain, and what was sent before the end of a trace is in it. Their times are less so: a
harness that relays on a loaded machine sees a segment late. So what is missing may be a breach; what is late is not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps

from conformance.oracle.findings import Expectation, Finding
from conformance.oracle.judging import ConnectionJudge, judges
from conformance.oracle.reading import heard
from conformance.trace.conditions import Condition, canonical
from conformance.trace.direction import Acknowledgement, Passage
from conformance.trace.events import ErrorValue, Outcome
from conformance.trace.history import Connection
from conformance.trace.operations import Operation, Report, Side, What

LinkJudge = Callable[[Connection, Expectation], Iterator[Finding]]


def judges_link(requirement: str) -> Callable[[LinkJudge], ConnectionJudge]:
    """Register a judge that is shown only connections whose link was seen whole.

    Where it was not, a case that was meant to exercise the requirement gets the reason.
    """

    def register(judge: LinkJudge) -> ConnectionJudge:
        @wraps(judge)
        def shown(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
            unseen = _unseen(connection)
            if unseen is None:
                yield from judge(connection, accepted)
            elif requirement in connection.header.exercises:
                yield accepted.undetermined(f"what the segments were cannot be told: {unseen}")

        return judges(requirement)(shown)

    return register


def _unseen(connection: Connection) -> str | None:
    if connection.statement.transport == "mptcp":
        return "a FIN of MPTCP ends a subflow, and the ends of the connection itself ride in options"
    for direction in (connection.iut_to_peer, connection.peer_to_iut):
        if not direction.visible:
            return direction.ending.reason or connection.header.wire_missing or "no link is visible"
    return connection.uncertain or None


# --- time -------------------------------------------------------------------------------------------------------------


def watched(connection: Connection, since: float, lasting_ns: int) -> bool:
    """The harness went on watching for so long after that time: it waited for nothing, or in vain, until then."""
    sides = (connection.iut, connection.peer)
    in_vain = (o.returned for side in sides for o in side.operations if o.outcome is Outcome.TIMEOUT)
    until = max((*connection.waits, *(at for at in in_vain if at is not None)), default=0)
    return until - since >= lasting_ns


def settled(connection: Connection, since: float) -> bool:
    """Watched for the settle time: what had not come by then was absent."""
    return watched(connection, since, connection.header.settle_ns)


def overdue(connection: Connection, since: float) -> bool:
    """Watched for as long as something promised may take, and for the settle time at least."""
    return watched(connection, since, max(connection.header.prompt_ns, connection.header.settle_ns))


def slowest_ns(connection: Connection) -> int:
    """The longest time that connecting, or the acknowledgement of something that the IUT sent, took here.

    An implementation takes its retransmission time from its round trips, the harness's own delays among them.
    """
    trips = [o.took for side in (connection.iut, connection.peer) for o in side.calls("connect")]
    for passage in connection.iut_to_peer.passages:
        if passage.segment.length or passage.fin:
            acknowledged = confirmed_at(connection, passage.end + passage.fin)
            trips.append(int(acknowledged - passage.at) if acknowledged < math.inf else 0)
    return max(trips, default=0)


def undone_at(connection: Connection) -> float:
    """When the connection was undone: by the first reset from or to the IUT, or by its death; infinity if never."""
    times = [p.at for p in connection.iut_to_peer.resets]
    times += [p.delivered for p in resets_come(connection) if p.delivered is not None]
    if connection.iut.killed_at is not None:
        times.append(connection.iut.killed_at)
    return min(times, default=math.inf)


def over_at(connection: Connection) -> float:
    """When both directions had come to a graceful end that the IUT knew of; infinity if they never did.

    An IUT that closed second has no connection left then, though its socket may still be open: it may answer whatever
    comes late, an acknowledgement sent twice, with a reset.
    """
    own, peers = own_fin(connection), connection.peer_to_iut.ending
    if own is None or peers.at is None or not peers.is_graceful:
        return math.inf
    return max(peers.at, confirmed_at(connection, own.end + 1))


def given_up_at(side: Side) -> float:
    """When that end gave up the connection as a whole, by close or death; infinity if never."""
    return math.inf if side.gone_at is None else side.gone_at


def stopped_at(side: Side) -> float:
    """When that end gave up receiving; infinity if never."""
    return math.inf if side.stopped_receiving_at is None else side.stopped_receiving_at


# --- what reached the IUT, and what it answered -----------------------------------------------------------------------


def arrivals(connection: Connection) -> list[tuple[int, Passage]]:
    """What of the peer's reached the IUT, in that order, each with its time; the harness's copies too."""
    passages = connection.peer_to_iut.passages
    return sorted(((p.delivered, p) for p in passages if p.delivered is not None), key=lambda pair: pair[0])


def first_fin(connection: Connection) -> Passage | None:
    """The first FIN that reached the IUT, in order or not."""
    return next((p for _, p in arrivals(connection) if p.fin), None)


def own_fin(connection: Connection) -> Passage | None:
    """The first FIN that the IUT put on the link."""
    return next(iter(connection.iut_to_peer.fins), None)


def resets_come(connection: Connection) -> list[Passage]:
    """The resets that reached the IUT, in order, forged ones too."""
    return list(connection.peer_to_iut.resets_come)


def confirmed(connection: Connection, time: float) -> int:
    """The offset before which all that the IUT sent had been acknowledged to it by that time; its FIN counts one."""
    acks = (p.acks for at, p in arrivals(connection) if at <= time and not p.rst and p.acks is not None)
    return max(acks, default=0)


def confirmed_at(connection: Connection, upto: int) -> float:
    """When the IUT had been acknowledged everything before that offset; infinity if never."""
    times = (at for at, p in arrivals(connection) if not p.rst and p.acks is not None and p.acks >= upto)
    return min(times, default=math.inf)


def acknowledgements(connection: Connection, upto: int, since: float) -> list[Acknowledgement]:
    """The IUT's acknowledgements of everything before that offset, put on the link from that time on."""
    return [a for a in connection.peer_to_iut.acknowledgements if a.at >= since and a.upto >= upto]


def promptly_acknowledged(connection: Connection, upto: int, since: int) -> Acknowledgement | None:
    """The first of those, if it came in time; earlier acknowledgements count, for what arrived earlier."""
    ack = connection.peer_to_iut.acknowledged(upto)
    return ack if ack is not None and ack.at - since <= connection.header.prompt_ns else None


def unacknowledged(
    connection: Connection,
    accepted: Expectation,
    what: str,
    upto: int,
    since: int,
    *evidence: Passage,
    until: float = math.inf,
) -> Iterator[Finding]:
    """For what came at `since` and was not promptly acknowledged. Silence is a breach only of an IUT that could speak.

    `until`: when it may have ceased to be bound to answer, beyond resets and death.
    """
    prompt_ns = connection.header.prompt_ns
    if min(undone_at(connection), until) - since <= prompt_ns:
        return
    late = connection.peer_to_iut.acknowledged(upto)
    if late is not None:
        slowly = f"{what} was acknowledged after {(late.at - since) / 1e6:.0f} ms; who was slow is open"
        yield accepted.undetermined(slowly, *evidence)
    elif not overdue(connection, since):
        yield accepted.undetermined(f"{what} was not acknowledged, and nobody waited long for it", *evidence)
    elif short_of_room(connection):
        yield accepted.undetermined(f"{what} was not acknowledged, and may have found no room", *evidence)
    else:
        yield accepted.violated(f"{what} was not acknowledged within {prompt_ns / 1e6:.0f} ms", *evidence)


def short_of_room(connection: Connection) -> bool:
    """The IUT closed its window at some time, or its buffer was set: it need not take everything that comes."""
    closed = any(p.segment.window == 0 and not p.rst for p in connection.iut_to_peer.passages)
    return closed or any(o.arguments.get("name") == "RCVBUF" for o in connection.iut.calls("set_option"))


def may_time_out(connection: Connection) -> bool:
    """The IUT may give the connection up by itself: the harness interfered with the link, or a time-out was set."""
    directions = (connection.iut_to_peer, connection.peer_to_iut)
    return any(direction.meddled for direction in directions) or timed(connection)


def timed(connection: Connection) -> bool:
    """The IUT's user set a user time-out or keep-alive."""
    names = (str(o.arguments.get("name")) for o in connection.iut.calls("set_option"))
    return any(name == "USER_TIMEOUT" or name.startswith("KEEP") for name in names)


def surely_unread(connection: Connection, time: int) -> int:
    """How many bytes the IUT had acknowledged and certainly not handed to its user by that time.

    A runtime may have read ahead, and a receive that was made may be about to take them: they do not count.
    """
    iut, direction = connection.iut, connection.peer_to_iut
    if connection.statement.family == "runtime":
        return 0
    posted = [o for o in iut.calls("post_recv") if o.succeeded and o.entered <= time]
    if len(posted) > sum(report.posted for report in iut.reports if report.asked <= time):
        return 0
    if any(o.returned is None and o.entered <= time for o in iut.calls("recv")):
        return 0
    taken = sum(r.length for r in iut.receives if r.what is What.DATA and r.asked <= time)
    return max(0, min(direction.acknowledged_by(time), direction.carried_by(time)) - taken)


def looks_in_vain(connection: Connection, since: int, until: float) -> Iterator[Report | Operation]:
    """What the IUT was asked, a settle time after that and before `until`, and had nothing to tell."""
    ripe = since + connection.header.settle_ns
    for report in heard(connection.iut):
        asked_or_waited = report.at if report.what is What.NOTHING else report.asked
        if report.what in (What.NOTHING, What.WOULD_BLOCK) and ripe <= asked_or_waited and report.at < until:
            yield report
    for poll in connection.iut.calls("poll"):
        if poll.returned is not None and ripe <= poll.returned < until and poll.outcome is Outcome.TIMEOUT:
            yield poll


# --- what the IUT was told --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Word:
    """One thing that told the IUT's user of an end: by a receive, a failed send, SO_ERROR, or an indication."""

    at: int
    told: str
    seen: str
    events: tuple[int, ...]

    @property
    def is_graceful(self) -> bool:
        """It told of a graceful end."""
        return self.told in ("ZERO_BYTES", "EDISCON", "GRACEFUL")


def words(side: Side, since: float = 0) -> list[Word]:
    """What told the side of an end from that time on, in order; not what its own shutdown or close brought about.

    Of words of one time nobody knows which was told first: there an error comes before an end.
    """
    told = [
        Word(r.at, r.told, r.seen, r.events)
        for r in heard(side)
        if r.is_final and r.condition is not Condition.ECANCELED
    ]
    own_end = math.inf if side.ending is None else side.ending.entered
    for operation in side.calls("send", "post_send", "get_error"):
        if operation.op != "get_error" and operation.entered >= own_end:
            continue
        condition = error_of(operation)
        if condition not in (None, Condition.EWOULDBLOCK) and operation.returned is not None:
            told.append(Word(operation.returned, str(condition), operation.seen, operation.events))
    for notice in side.indications:
        if notice.type not in ("FD_CLOSE", "END", "CLOSED") or notice.at >= given_up_at(side):
            continue
        if notice.error is not None:
            condition, seen = canonical(notice.error), f"{notice.type} told {notice.error.name}"
            told.append(Word(notice.at, str(condition), seen, (notice.n,)))
        elif notice.type != "CLOSED":
            told.append(Word(notice.at, "GRACEFUL", f"{notice.type} told of an end", (notice.n,)))
    return sorted((word for word in told if word.at >= since), key=lambda word: (word.at, word.is_graceful))


def error_of(operation: Operation) -> Condition | None:
    """The condition that an operation failed with, or that SO_ERROR held."""
    if operation.op == "get_error":
        held = operation.result.get("error")
        return canonical(ErrorValue(str(held["name"]))) if held else None
    return operation.condition
