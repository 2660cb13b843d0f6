# SPDX-License-Identifier: MIT
"""One direction of a connection: what was offered, what the link carried, and how the direction ended.

Where the link is visible, the segments decide. Where the transport has units of its own on TCP and the link was
captured, those decide, and the direction is `framed` (`trace.framed`). Where neither is (AF_UNIX, or no capture), the
sender's own returned calls do, and what they cannot decide is `NOT_KNOWN` with the reason.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from conformance.trace.events import End, Fate, Pdu, Segment
from conformance.trace.framing import Farewell, Framing
from conformance.trace.operations import Operation, Side
from conformance.trace.pattern import pattern
from conformance.trace.window import shift_of, window_of

_MODULUS = 1 << 32
FRAMED_TRANSPORTS = ("reference", "websocket")
"""The transports with units of their own on TCP, one of which ends a direction; where TCP ends alone, it is aborted."""
MOST_OFFERED_OCTETS = 1 << 28
"""More than any case has ever sent; a trace is stored evidence, and may have been written by anyone."""


class EndKind(StrEnum):
    """How a direction ended."""

    GRACEFUL = "graceful"
    ABORTED_BY_SENDER = "aborted by the sender"
    ABORTED_BY_RECEIVER = "aborted by the receiver"
    RESET_AFTER_END = "reset after a graceful end"
    OPEN = "still open"
    NOT_KNOWN = "not known"


@dataclass(frozen=True)
class Ending:
    """How a direction ended, when, and what shows it.

    `at`: the first time (nanoseconds) at which the receiver could know; `certain_at`: the time from which it must
    have known (it acknowledged the FIN; a reset passed on a link that is captured, or on one that is relayed, and the
    next segment came to the relay; without a visible link, the sender's call had returned or its process was dead),
    None if nothing shows that; `reset_at`: when a reset reached the receiver, if one did.
    """

    kind: EndKind
    at: int | None = None
    certain_at: int | None = None
    reset_at: int | None = None
    events: tuple[int, ...] = ()
    reason: str = ""

    @property
    def is_graceful(self) -> bool:
        """The direction came to a graceful end, whatever followed."""
        return self.kind in (EndKind.GRACEFUL, EndKind.RESET_AFTER_END)

    @property
    def is_abort(self) -> bool:
        """The sender aborted before any graceful end."""
        return self.kind is EndKind.ABORTED_BY_SENDER


@dataclass(frozen=True)
class Passage:
    """A segment, placed in its direction: `start` is the offset of its first octet, 0 being the first after the SYN.

    `acks` is the offset in the opposite direction before which its sender says that it has everything (the FIN counts
    one); None if it says nothing of the kind.
    """

    segment: Segment
    start: int
    acks: int | None = None

    @property
    def end(self) -> int:
        """The offset after its last octet of data."""
        return self.start + self.segment.length

    @property
    def fin(self) -> bool:
        """It carries the end of the direction."""
        return "F" in self.segment.flags

    @property
    def rst(self) -> bool:
        """It aborts."""
        return "R" in self.segment.flags

    @property
    def at(self) -> int:
        """When it was put on the link (nanoseconds)."""
        return self.segment.at

    @property
    def repeated_by_harness(self) -> bool:
        """The harness put this copy on the link; its sender did not send it again."""
        return self.segment.fate is Fate.REPEATED

    @property
    def delivered(self) -> int | None:
        """When it reached the receiver (nanoseconds); None if it was dropped or is still held."""
        if self.segment.fate in (Fate.DROPPED, Fate.HELD):
            return self.segment.delivered_at
        return self.segment.delivered_at or self.segment.at

    @property
    def events(self) -> tuple[int, ...]:
        """The event that it is."""
        return (self.segment.n,)


@dataclass(frozen=True)
class Acknowledgement:
    """The receiver's word that everything before offset `upto` is there, put on the link at `at`.

    `window`: how many octets from there on it says it has room for; `unsaid`: how many more it may have room for, that
    a scaled window cannot say. The SYN that opens the connection says so of nothing, and has a window.
    """

    at: int
    upto: int
    events: tuple[int, ...]
    window: int = 0
    unsaid: int = 0


@dataclass(frozen=True)
class Direction:
    """One direction, from its sender to its receiver."""

    sender: Side
    receiver: Side
    visible: bool
    passages: tuple[Passage, ...]
    acknowledgements: tuple[Acknowledgement, ...]
    ending: Ending
    framing: Framing | None = None
    """What was read of the transport's own units, if it has some and all of them could be read.

    Such a direction has no passages, and its acknowledgements count user data, and the release for one.
    """
    far: bool = False
    """The receiver is far from where the link is seen: what it acknowledges is seen later than it does so."""
    forged: tuple[Passage, ...] = ()
    """What the harness put on the link in the sender's name, who sent none of it; all of it reached the receiver."""

    @property
    def framed(self) -> bool:
        """The link tells what was carried and how it ended, in units of the transport; TCP's segments do not."""
        return self.framing is not None

    @property
    def witnessed(self) -> bool:
        """The link tells what was carried and how it ended, in segments or in units."""
        return self.visible or self.framed

    @property
    def units(self) -> tuple[Pdu, ...]:
        """The transport's own units, in order; none if the direction is not framed."""
        return self.framing.units if self.framing else ()

    @property
    def farewells(self) -> tuple[Farewell, ...]:
        """What the sender put on the link to end a framed direction; none if it is not framed."""
        return self.framing.farewells if self.framing else ()

    @property
    def meddled(self) -> bool:
        """The harness kept something back from the receiver, for a while or for good, or forged something."""
        if self.framing is not None:
            return self.framing.meddled
        return bool(self.forged) or any(passage.segment.fate in (Fate.DROPPED, Fate.HELD) for passage in self.passages)

    @cached_property
    def offered(self) -> tuple[bytes, ...]:
        """The bytes that each successful send had accepted, in order; for message transports, the messages.

        Raises ValueError for a trace that tells of more than can be meant, which nobody is to make from their patterns.

        Of a sender whose calls hand over what TCP is to carry: the messages that its units make, whole ones or not.
        """
        if self.framing is not None and self.framing.raw:
            return self.framing.messages
        sends = [send for send in self.sender.sends if send.succeeded]
        if (octets := sum(map(_accepted_length, sends))) > MOST_OFFERED_OCTETS:
            raise ValueError(f"the sends had {octets} octets accepted, which no case offers")
        return tuple(_accepted(send) for send in sends)

    @property
    def offered_length(self) -> int:
        """How many bytes the sends had accepted."""
        return sum(map(len, self.offered))

    @cached_property
    def stream(self) -> bytes:
        """All the bytes offered, joined."""
        return b"".join(self.offered)

    def offered_before(self, time: int) -> int:
        """How many bytes sends that had returned by that time (nanoseconds) had accepted."""
        return sum(int(s.result["length"]) for s in self.sender.sends if s.succeeded and (s.returned or 0) <= time)

    @property
    def total(self) -> int | None:
        """How many bytes the direction carries up to its graceful end; None if it has none."""
        if not self.ending.is_graceful:
            return None
        if self.framing is not None and self.framing.counted:
            return self.framing.total
        if not self.visible:
            return self.offered_length
        return next(p.end for p in self.passages if p.fin)

    @cached_property
    def fins(self) -> tuple[Passage, ...]:
        """Every FIN that the sender itself put on the link, retransmissions too."""
        return tuple(p for p in self.passages if p.fin and not p.repeated_by_harness)

    @cached_property
    def resets(self) -> tuple[Passage, ...]:
        """Every RST that the sender itself put on the link."""
        return tuple(p for p in self.passages if p.rst and not p.repeated_by_harness)

    @cached_property
    def resets_come(self) -> tuple[Passage, ...]:
        """Every RST that reached the receiver, in that order: it cannot tell a copy or a forged one from the others."""
        return tuple(p for _, p in _delivered((*self.passages, *self.forged)) if p.rst)

    @property
    def progress(self) -> tuple[tuple[int, int], ...]:
        """For each delivery, its time (nanoseconds) and the offset up to which everything was there then."""
        return tuple((at, upto) for at, upto, _ in _progress(self.passages))

    def sole_ending(self, *, relayed: bool) -> Ending:
        """How the sender ended TCP, as if the receiver had never reset it."""
        relay = [p.at for p in self.passages] if relayed else None
        return _visible_ending(self.passages, self.acknowledgements, (), relay=relay, far=self.far)

    def carried_by(self, time: int) -> int:
        """How many bytes of user data had come through without a gap by that time (nanoseconds)."""
        if self.framing is not None and self.framing.counted:
            return self.framing.carried_by(time)
        if not self.visible:
            return self.offered_before(time)
        return max((upto for at, upto, _ in _progress(self.passages) if at <= time), default=0)

    def sent_by(self, time: int) -> int:
        """The offset after the last octet that had been put on the link by that time (nanoseconds).

        Of a framed direction: how many bytes of user data the units had that were on the link whole by then.
        """
        if self.framing is not None:
            return self.framing.sent_by(time) if self.framing.counted else self.offered_before(time)
        return max((p.end for p in self.passages if p.segment.length and p.at <= time), default=0)

    def acknowledged_by(self, time: int) -> int:
        """How many bytes the receiver had acknowledged by that time (nanoseconds); a FIN or a release counts one."""
        return max((a.upto for a in self.acknowledgements if a.at <= time), default=0)

    def acknowledged(self, upto: int) -> Acknowledgement | None:
        """The first acknowledgement of everything before that offset; the FIN counts one."""
        return next((a for a in self.acknowledgements if a.upto >= upto), None)


def direction_of(
    sender: Side, receiver: Side, segments: Sequence[Segment], *, lost: str, relayed: bool, far: bool = False
) -> Direction:
    """Derive a direction from the segments of a visible link; `lost` is why they are not all, empty if they are.

    On a link that the harness relays, a segment's time comes before its delivery, by how much is not known; but it is
    delivered before the next one is looked at. Where the receiver is `far` from where the link is seen, its
    acknowledgements are seen some time after it has sent them, too.
    """
    isn = _initial_sequence(segments, sender.end)
    if isn is None or lost:
        reason = lost or "the capture holds no SYN of this direction"
        return Direction(sender, receiver, False, (), (), Ending(EndKind.NOT_KNOWN, reason=reason))
    opposite = _initial_sequence(segments, receiver.end)
    placed = tuple(
        Passage(s, _offset(s.seq, isn), _offset(s.ack, opposite) if opposite is not None and "A" in s.flags else None)
        for s in segments
        if s.sender is sender.end and ("S" not in s.flags or s.fate is Fate.FORGED)
    )
    forged = tuple(p for p in placed if p.segment.fate is Fate.FORGED)
    passages = tuple(p for p in placed if p.segment.fate is not Fate.FORGED)
    from_receiver = [s for s in segments if s.sender is receiver.end and s.fate not in (Fate.REPEATED, Fate.FORGED)]
    shift = shift_of(segments, receiver.end)
    acknowledgements = tuple(
        _acknowledgement(s, isn, shift) for s in from_receiver if set("SA") & set(s.flags) and "R" not in s.flags
    )
    counter_resets = [s for s in from_receiver if "R" in s.flags]
    relay = [s.at for s in segments] if relayed else None
    ending = _visible_ending(passages, acknowledgements, counter_resets, relay=relay, far=far)
    if any(_may_be_taken(p, ending) for p in forged):
        reason = "octets were forged that the receiver may have taken for the sender's"
        return Direction(sender, receiver, False, (), (), Ending(EndKind.NOT_KNOWN, reason=reason), forged=forged)
    ending = _as_received(ending, forged, acknowledgements)
    return Direction(sender, receiver, True, passages, acknowledgements, ending, far=far, forged=forged)


def _acknowledgement(segment: Segment, isn: int, shift: int) -> Acknowledgement:
    upto = _offset(segment.ack, isn) if "A" in segment.flags else 0
    unsaid = 0 if "S" in segment.flags else (1 << shift) - 1
    return Acknowledgement(segment.at, upto, (segment.n,), window_of(segment, shift), unsaid)


def _initial_sequence(segments: Iterable[Segment], end: End) -> int | None:
    return next(
        (s.seq for s in segments if s.sender is end and "S" in s.flags and s.fate is not Fate.FORGED),
        None,
    )


def _may_be_taken(forged: Passage, ending: Ending) -> bool:
    """It carries octets or a FIN, and came before the sender's own end."""
    over = ending.is_graceful and ending.at is not None and ending.at <= forged.at
    return not over and (forged.segment.length > 0 or forged.fin)


def _as_received(ending: Ending, forged: Iterable[Passage], acknowledgements: Sequence[Acknowledgement]) -> Ending:
    """The ending as the receiver can know it, to which a forged reset looks like the sender's.

    One that came before the end leaves open what the receiver made of it, unless it went on to acknowledge new octets.
    """
    for reset in (p for p in forged if p.rst or "S" in p.segment.flags):
        over_at = ending.at if ending.reset_at is None else ending.reset_at
        if ending.is_graceful and ending.at is not None and ending.at <= reset.at:
            if ending.reset_at is None or reset.at < ending.reset_at:
                events = (*ending.events, *reset.events)
                ending = Ending(EndKind.RESET_AFTER_END, ending.at, ending.certain_at, reset.at, events)
        elif over_at is None or reset.at < over_at:
            known = max((a.upto for a in acknowledgements if a.at <= reset.at), default=0)
            if not any(a.at > reset.at and a.upto > known for a in acknowledgements):
                reason = "a reset was forged, and nothing shows what the receiver made of it"
                return Ending(EndKind.NOT_KNOWN, events=reset.events, reason=reason)
    return ending


def _offset(number: int, isn: int) -> int:
    half = _MODULUS >> 1
    return (number - isn - 1 + half) % _MODULUS - half


def _delivered(passages: Iterable[Passage]) -> list[tuple[int, Passage]]:
    """The passages that reached the receiver, in the order in which they did."""
    return sorted(((p.delivered, p) for p in passages if p.delivered is not None), key=lambda pair: pair[0])


def _progress(passages: Iterable[Passage]) -> Iterator[tuple[int, int, Passage]]:
    """For each delivery: its time, the offset up to which everything is there, and the passage."""
    upto, waiting = 0, list[Passage]()
    for time, passage in _delivered(passages):
        waiting.append(passage)
        while ready := [p for p in waiting if p.start <= upto < p.end]:
            upto = max(p.end for p in ready)
        waiting = [p for p in waiting if p.end > upto]
        yield time, upto, passage


def _arrived_by(time: int, relay: Sequence[int] | None) -> int | None:
    """When what passed at that time had surely arrived."""
    return time if relay is None else min((at for at in relay if at > time), default=None)


def _visible_ending(
    passages: Sequence[Passage],
    acknowledgements: Sequence[Acknowledgement],
    counter_resets: Sequence[Segment],
    *,
    relay: Sequence[int] | None,
    far: bool,
) -> Ending:
    """`relay`: when the segments of both directions came to the harness, where it relays the link."""
    aborted_here = min((s.at for s in counter_resets), default=None)
    fin: Passage | None = None
    graceful: Ending | None = None
    unacceptable: Passage | None = None
    for time, upto, passage in _progress(passages):
        if passage.rst:
            if graceful is not None:
                return Ending(
                    EndKind.RESET_AFTER_END, graceful.at, graceful.certain_at, time, (*graceful.events, *passage.events)
                )
            # One that is not at the very end may have come after an acknowledgement of more.
            known = upto if far else max((a.upto for a in acknowledgements if a.at <= time), default=0)
            if known <= passage.start <= upto:
                if aborted_here is not None and aborted_here < time:
                    break
                certain_at = None if far else _arrived_by(time, relay)
                return Ending(EndKind.ABORTED_BY_SENDER, time, certain_at, time, passage.events)
            unacceptable = unacceptable or passage
        elif passage.fin and fin is None:
            fin = passage
        if fin is not None and graceful is None and upto >= fin.end:
            if aborted_here is not None and aborted_here < time:
                break
            certain = next((a for a in acknowledgements if a.upto > fin.end), None)
            events = fin.events + (certain.events if certain else ())
            graceful = Ending(EndKind.GRACEFUL, time, certain.at if certain else None, None, events)
    if graceful is not None:
        return graceful
    if aborted_here is not None:
        return Ending(
            EndKind.ABORTED_BY_RECEIVER, aborted_here, aborted_here, None, tuple(s.n for s in counter_resets[:1])
        )
    if unacceptable is not None:
        reason = "a reset came, with a sequence number that the receiver need not accept"
        return Ending(EndKind.NOT_KNOWN, events=unacceptable.events, reason=reason)
    return Ending(EndKind.OPEN)


def _accepted(send: Operation) -> bytes:
    length = _accepted_length(send)
    if (described := send.arguments.get("pattern")) is not None:
        return pattern(int(described["seed"]), length)
    return base64.b64decode(send.arguments["data"])[:length]


def _accepted_length(send: Operation) -> int:
    """How many octets of a send were accepted, and no more than its arguments can hold, whatever it says."""
    described = send.arguments.get("pattern")
    given = len(send.arguments["data"]) if described is None else int(described["length"])
    return min(int(send.result["length"]), given)
