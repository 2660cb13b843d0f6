# SPDX-License-Identifier: MIT
"""The directions of a connection whose transport has units of its own on TCP: how each ended, by its units.

A direction is released by one of its units (RELEASE; CLOSE of WebSocket). It is aborted by another (ABORT), by a
breach of the transport's rules, and by TCP's end before both directions were released; once both were, nothing means
anything any more. Who was told first is what counts: whatever comes to an end that has itself aborted changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from conformance.catalogue.statement import Statement
from conformance.trace.direction import (
    Acknowledgement,
    Direction,
    Ending,
    EndKind,
    direction_of,
)
from conformance.trace.events import Fate, Pdu, Segment
from conformance.trace.framing import DATA_UNITS, Farewell, Framing
from conformance.trace.operations import Side

UNREADABLE = "UNREADABLE"
"""What the wire calls a unit that stands where octets are missing."""
RELEASES = ("RELEASE", "CLOSE")
GRACEFUL_CODES = (None, 1000, 1001)
"""The codes of a WebSocket Close that every implementation tells as an end, and none as an error."""


@dataclass(frozen=True)
class Breach:
    """Something that aborts: put on the link at `at`, at the receiver at `arrived` (None if never)."""

    at: int
    arrived: int | None
    name: str
    certain_at: int | None
    events: tuple[int, ...]


@dataclass(frozen=True)
class Sent:
    """What one end sent: its units, and what TCP made of them. `message`: messages have ends that count."""

    tcp: Direction
    units: tuple[Pdu, ...]
    message: bool
    relayed: bool

    @cached_property
    def arrivals(self) -> tuple[tuple[int, int], ...]:
        """When which octets of TCP had arrived."""
        return self.tcp.progress

    @cached_property
    def release(self) -> Pdu | None:
        """The unit that releases the direction, if no breach comes before it."""
        first = next((unit for unit in self.units if unit.name in RELEASES), None)
        broken = next((unit for unit in self._breaking), None)
        return None if first is None or (broken is not None and broken.upto <= first.upto) else first

    @cached_property
    def _breaking(self) -> tuple[Pdu, ...]:
        return tuple(_breaking(self.units, message=self.message))

    @cached_property
    def breaches(self) -> tuple[Breach, ...]:
        """All that aborts, where nothing was over: units, and the end of TCP."""
        found = [
            Breach(unit.at, self.arrival(unit.upto), unit.name, self._certain(unit.upto), (unit.n,))
            for unit in self._breaking
        ]
        passage = next((p for p in self.tcp.passages if (p.fin or p.rst) and not p.repeated_by_harness), None)
        if passage is not None:
            end = self.tcp.sole_ending(relayed=self.relayed)
            certain = end.certain_at if end.at is not None else None
            found.append(Breach(passage.at, end.at, "FIN" if passage.fin else "RST", certain, passage.events))
        return tuple(found)

    def arrival(self, upto: int) -> int | None:
        """When everything before that offset had arrived."""
        return min((at for at, reached in self.arrivals if reached >= upto), default=None)

    @property
    def released_at(self) -> int | None:
        """When the release had arrived."""
        return None if self.release is None else self.arrival(self.release.upto)

    def has_released(self, upto: int) -> bool:
        """The release ends no later than at that offset."""
        return self.release is not None and self.release.upto <= upto

    def acknowledged(self, upto: int) -> Acknowledgement | None:
        """The first acknowledgement of everything before that offset."""
        return self.tcp.acknowledged(upto)

    def _certain(self, upto: int) -> int | None:
        acknowledgement = self.acknowledged(upto)
        return acknowledgement.at if acknowledgement else None


def framed_directions(
    iut: Side,
    peer: Side,
    segments: Sequence[Segment],
    units: Sequence[Pdu],
    statement: Statement,
    *,
    lost: str,
    relayed: bool,
    far: bool = False,
    raw_peer: bool = False,
) -> tuple[Direction, Direction]:
    """Derive both directions, the IUT's first, from the segments and units of a link that was captured.

    `lost` is why they are not all, empty if they are; `raw_peer`: the peer's calls hand over the octets of TCP.
    """
    sent = {
        sender.end: Sent(
            direction_of(sender, receiver, segments, lost=lost, relayed=relayed, far=far and receiver is iut),
            tuple(unit for unit in units if unit.sender is sender.end),
            not statement.is_stream,
            relayed,
        )
        for sender, receiver in ((iut, peer), (peer, iut))
    }
    reasons = [reason for each in sent.values() if (reason := _unreadable(each))]
    if raw_peer and not all(map(_readable, sent[peer.end].units)):
        reasons.append("the peer wrote units itself, and the trace does not tell all of their data")
    if any(each.tcp.forged for each in sent.values()):
        reasons.append("segments were forged beneath the units")
    if reasons:
        unknown = Ending(EndKind.NOT_KNOWN, reason=reasons[0])
        return (Direction(iut, peer, False, (), (), unknown), Direction(peer, iut, False, (), (), unknown))
    return (
        _direction(sent[iut.end], sent[peer.end], raw=False),
        _direction(sent[peer.end], sent[iut.end], raw=raw_peer),
    )


def _unreadable(sent: Sent) -> str:
    if not sent.tcp.visible:
        return sent.tcp.ending.reason
    return next((unit.problem for unit in sent.units if unit.name == UNREADABLE), "")


def _readable(unit: Pdu) -> bool:
    """Its user data are in the trace as they were meant, or it has none."""
    whole = len(unit.data) == unit.length and not unit.fields.get("compressed")
    return whole or unit.name not in DATA_UNITS


def _direction(sent: Sent, back: Sent, *, raw: bool) -> Direction:
    tcp = sent.tcp
    meddled = any(p.segment.fate is not Fate.DELIVERED for p in tcp.passages)
    framing = Framing(sent.units, sent.arrivals, tuple(_farewells(sent, back)), raw, meddled)
    acknowledgements = tuple(
        Acknowledgement(a.at, framing.user_data_before(a.upto) + sent.has_released(a.upto), a.events)
        for a in tcp.acknowledgements
    )
    return Direction(tcp.sender, tcp.receiver, False, (), acknowledgements, _ending(sent, back), framing)


def _breaking(units: Sequence[Pdu], *, message: bool) -> Iterator[Pdu]:
    """The units that abort: ABORT, what is malformed, and what the rules do not allow where it stands.

    After a RELEASE neither DATA nor RELEASE may come, and no RELEASE within a message, where messages have ends. After
    a CLOSE of WebSocket nothing is said, and nothing heard (RFC 6455, 1.4 and 5.5.1).
    """
    released, unfinished = False, False
    for unit in units:
        wrong = unit.name == "RELEASE" and unfinished and message
        late = released and unit.name in ("DATA", "RELEASE")
        if unit.problem or unit.name == "ABORT" or wrong or late:
            yield unit
        if unit.name == "CLOSE":
            return
        released = released or unit.name == "RELEASE"
        unfinished = not unit.whole if unit.name == "DATA" else unfinished


def _ending(sent: Sent, back: Sent) -> Ending:
    """How the direction ended for its receiver, who sends in the direction `back`."""
    here = _aborted_by_receiver(sent, back)
    limit = None if here is None else here.at
    released = sent.released_at
    if released is not None and sent.release is not None and (limit is None or released <= limit):
        return _released(sent, back, released, limit)
    come = [breach for breach in sent.breaches if breach.arrived is not None]
    first = min(come, key=lambda breach: breach.arrived or 0, default=None)
    if first is not None and first.arrived is not None and (limit is None or first.arrived <= limit):
        return Ending(EndKind.ABORTED_BY_SENDER, first.arrived, first.certain_at, first.arrived, first.events)
    if here is not None:
        return Ending(EndKind.ABORTED_BY_RECEIVER, here.at, here.at, None, here.events)
    tcp = sent.tcp.sole_ending(relayed=sent.relayed)
    return tcp if tcp.kind is EndKind.NOT_KNOWN else Ending(EndKind.OPEN)


def _released(sent: Sent, back: Sent, at: int, limit: int | None) -> Ending:
    assert sent.release is not None
    acknowledgement = sent.acknowledged(sent.release.upto)
    events = (sent.release.n, *(acknowledgement.events if acknowledgement else ()))
    code = sent.release.fields.get("code")
    if code not in GRACEFUL_CODES:
        reason = f"the Close had the code {code}, which some implementations tell as an error"
        return Ending(EndKind.NOT_KNOWN, at, None, None, events, reason)
    certain = acknowledgement.at if acknowledgement else None
    for breach in sorted(sent.breaches, key=lambda breach: breach.arrived or 0):
        if breach.arrived is None or breach.arrived < at or _over(back, breach.arrived):
            continue
        if limit is None or breach.arrived <= limit:
            return Ending(EndKind.RESET_AFTER_END, at, certain, breach.arrived, (*events, *breach.events))
    return Ending(EndKind.GRACEFUL, at, certain, None, events)


def _over(back: Sent, time: int) -> bool:
    """The receiver, who had taken the sender's release, had put its own on the link by then."""
    return back.release is not None and back.release.at <= time


def _aborted_by_receiver(sent: Sent, back: Sent) -> Breach | None:
    """The first thing by which the receiver gave up the connection, while it was not over for it."""
    return next(iter(sorted(_breaches_in_force(back, sent), key=lambda breach: breach.at)), None)


def _breaches_in_force(sent: Sent, back: Sent) -> Iterator[Breach]:
    """What the sender put on the link that aborts: not what it did once both releases were sent and taken by it."""
    for breach in sent.breaches:
        own = sent.release is not None and sent.release.at <= breach.at
        others = back.released_at is not None and back.released_at <= breach.at
        if not (own and others):
            yield breach


def _farewells(sent: Sent, back: Sent) -> Iterator[Farewell]:
    found = [Farewell(breach.at, False, breach.name, breach.events) for breach in _breaches_in_force(sent, back)]
    if sent.release is not None:
        found.append(Farewell(sent.release.at, True, sent.release.name, (sent.release.n,)))
    yield from sorted(found, key=lambda farewell: farewell.at)
