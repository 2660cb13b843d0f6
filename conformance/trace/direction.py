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

from conformance.catalogue.statement import Statement
from conformance.trace.events import End, Fate, Pdu, Segment
from conformance.trace.framing import Farewell, Framing
from conformance.trace.operations import Operation, Side, left_unread
from conformance.trace.pattern import pattern

_MODULUS = 1 << 32
FRAMED_TRANSPORTS = ("reference", "websocket")
"""The transports with units of their own on TCP, one of which ends a direction; where TCP ends alone, it is aborted."""
MOST_OFFERED_OCTETS = 1 << 28
"""More than any case has ever sent; a trace is stored evidence, and may have been written by anyone."""
LINGER_ZERO_ABORTS = ("tcp", "reference")
"""The transports that say what a close with a linger time of 0 does."""


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
    have known (it acknowledged the FIN; a reset passed on a link that is captured and not relayed; without a visible
    link, the sender's call had returned or its process was dead), None if nothing shows that; `reset_at`: when a reset
    reached the receiver, if one did.
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
    """The receiver's word that everything before offset `upto` is there, put on the link at `at`."""

    at: int
    upto: int
    events: tuple[int, ...]


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
        """The harness kept something back from the receiver, for a while or for good."""
        if self.framing is not None:
            return self.framing.meddled
        return any(passage.segment.fate in (Fate.DROPPED, Fate.HELD) for passage in self.passages)

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

    @property
    def progress(self) -> tuple[tuple[int, int], ...]:
        """For each delivery, its time (nanoseconds) and the offset up to which everything was there then."""
        return tuple((at, upto) for at, upto, _ in _progress(self.passages))

    def sole_ending(self, *, relayed: bool) -> Ending:
        """How the sender ended TCP, as if the receiver had never reset it."""
        return _visible_ending(self.passages, self.acknowledgements, (), relayed=relayed, far=self.far)

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

    def acknowledged(self, upto: int) -> Acknowledgement | None:
        """The first acknowledgement of everything before that offset; the FIN counts one."""
        return next((a for a in self.acknowledgements if a.upto >= upto), None)


def direction_of(
    sender: Side, receiver: Side, segments: Sequence[Segment], *, lost: str, relayed: bool, far: bool = False
) -> Direction:
    """Derive a direction from the segments of a visible link; `lost` is why they are not all, empty if they are.

    On a link that the harness relays, a segment's time comes before its delivery, by how much is not known. Where the
    receiver is `far` from where the link is seen, its acknowledgements are seen some time after it has sent them, too.
    """
    isn = _initial_sequence(segments, sender.end)
    if isn is None or lost:
        reason = lost or "the capture holds no SYN of this direction"
        return Direction(sender, receiver, False, (), (), Ending(EndKind.NOT_KNOWN, reason=reason))
    opposite = _initial_sequence(segments, receiver.end)
    passages = tuple(
        Passage(s, _offset(s.seq, isn), _offset(s.ack, opposite) if opposite is not None and "A" in s.flags else None)
        for s in segments
        if s.sender is sender.end and "S" not in s.flags
    )
    acknowledgements = tuple(
        Acknowledgement(s.at, _offset(s.ack, isn), (s.n,))
        for s in segments
        if s.sender is receiver.end and "A" in s.flags and "R" not in s.flags and s.fate is not Fate.REPEATED
    )
    from_receiver = (s for s in segments if s.sender is receiver.end and s.fate is not Fate.REPEATED)
    counter_resets = [s for s in from_receiver if "R" in s.flags]
    ending = _visible_ending(passages, acknowledgements, counter_resets, relayed=relayed, far=far)
    return Direction(sender, receiver, True, passages, acknowledgements, ending, far=far)


def _initial_sequence(segments: Iterable[Segment], end: End) -> int | None:
    return next((s.seq for s in segments if s.sender is end and "S" in s.flags), None)


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


def _visible_ending(
    passages: Sequence[Passage],
    acknowledgements: Sequence[Acknowledgement],
    counter_resets: Sequence[Segment],
    *,
    relayed: bool,
    far: bool,
) -> Ending:
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
                return Ending(EndKind.ABORTED_BY_SENDER, time, None if relayed else time, time, passage.events)
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


def ends_of_wireless(iut: Side, peer: Side, statement: Statement) -> tuple[Direction, Direction]:
    """Derive both directions where no link is visible, from what each sender's own calls returned."""
    return _wireless(iut, peer, statement), _wireless(peer, iut, statement)


def _wireless(sender: Side, receiver: Side, statement: Statement) -> Direction:
    return Direction(sender, receiver, False, (), (), _called_ending(sender, receiver, statement))


def _called_ending(sender: Side, receiver: Side, statement: Statement) -> Ending:
    call = sender.ending
    if call is not None and (sender.killed_at is None or call.entered < sender.killed_at):
        at, certain, events = call.entered, call.returned, call.events
    elif sender.killed_at is not None:
        call, at, certain, events = None, sender.killed_at, sender.dead_at, sender.killed_events
    else:
        return Ending(EndKind.OPEN)
    if sender.killed_at is not None and statement.transport in FRAMED_TRANSPORTS:
        if call is None:
            return Ending(EndKind.ABORTED_BY_SENDER, at, certain, at, events)
        reason = "the sender's process died after its call, and no link shows whether its release had gone out"
        return Ending(EndKind.NOT_KNOWN, at, None, None, events, reason)
    if any(o.arguments.get("name") == "CUT_FRAME" for o in sender.calls("set_option")):
        reason = "the sender had a frame cut off, and no link shows which"  # the suite's own WebSocket peer
        return Ending(EndKind.NOT_KNOWN, at, None, None, events, reason)
    gone = sender.gone_at
    disturbance = _abortive(sender, receiver, gone, statement) if gone is not None else None
    come_by = _come_by(sender, receiver, certain, statement)
    if call is not None and call.op != "close":
        if disturbance is not None:
            return Ending(EndKind.RESET_AFTER_END, at, come_by, gone, events)
        return Ending(EndKind.GRACEFUL, at, come_by, None, events)
    match disturbance:
        case None:
            return Ending(EndKind.GRACEFUL, at, come_by, None, events)
        case EndKind.ABORTED_BY_SENDER:
            return Ending(EndKind.ABORTED_BY_SENDER, at, certain, at, events)
        case reason:
            return Ending(EndKind.NOT_KNOWN, at, None, None, events, reason)


def _come_by(sender: Side, receiver: Side, time: int | None, statement: Statement) -> int | None:
    """From when on a graceful end has come that was made by that time: over a network it may wait behind data.

    Data that the receiver has not read may keep its window shut, so that the end is not sent before it has.
    """
    if time is None or statement.transport == "unix":
        return time
    times = [time, *(report.at for report in receiver.receives if report.at > time)]
    messages = not statement.is_stream
    return next((at for at in times if not left_unread(sender, receiver, at, messages=messages)), None)


def _abortive(sender: Side, receiver: Side, gone: int, statement: Statement) -> EndKind | str | None:
    """What makes giving up the connection then abortive: nothing (None), a certainty, or a doubt (its reason)."""
    no_wire = "no link is visible, and the sender's calls do not show what it carried: "
    if sender.linger_at(gone) == (True, 0):
        if statement.transport in LINGER_ZERO_ABORTS:
            return EndKind.ABORTED_BY_SENDER
        return f"{no_wire}transport {statement.transport} does not define what linger 0 does"
    done = sender.closed.returned if sender.closed and sender.closed.returned else gone  # a send may slip in till then
    if left_unread(receiver, sender, done, messages=not statement.is_stream):
        return f"{no_wire}the sender gave up with something unread, which some implementations tell as a reset"
    return None


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
