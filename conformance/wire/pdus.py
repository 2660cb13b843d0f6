# SPDX-License-Identifier: MIT
"""Protocol data units of transports over TCP: from what was put on the link to `Pdu` events.

Each direction's octets are put together again by their TCP sequence numbers (`reassembly`), and a decoder for each
direction makes units of them. What a decoder knows of a transport is in a module of its own: `reference`, `websocket`.
To add one: write `decoders(client)` there, and name it in `DECODERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from conformance.trace.events import End, Fate, Pdu, Segment
from conformance.trace.frames import Frame
from conformance.wire.reassembly import Stream

KEPT_DATA_OCTETS = 4096
"""How much of a unit's user data a `Pdu` event keeps; its `length` tells how much there was."""

MALFORMED = "MALFORMED"
"""The name of a unit that breaks the transport's format; its `problem` says how."""

UNREADABLE = "UNREADABLE"
"""The name of what stands where octets of a direction cannot be known; its `problem` says why. No decoder uses it."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit, as a decoder reads it: `name` is the transport's own (DATA, RELEASE, CLOSE, ...).

    `octets` is its size on the wire, with all that belongs to it (headers, masks); the sizes of the units of a
    direction add up to its octets. `length` counts the octets of user data that it carries, unmasked and without
    fields, and `data` holds them (or the first `KEPT_DATA_OCTETS` of them). `whole` is False for data that its
    message goes on after. `problem` is empty for a unit that is well-formed.
    """

    name: str
    octets: int
    length: int = 0
    data: bytes = b""
    whole: bool = True
    fields: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


class Decoder(Protocol):
    """Reads the octets of one direction, in order and without gaps, in pieces of any size.

    It never raises, whatever it is fed. After a unit MALFORMED, it yields nothing more: nobody knows where the next
    one begins.
    """

    def feed(self, octets: bytes) -> Iterator[Unit]:
        """The units that these octets complete. The caller exhausts the iterator before it feeds again."""
        ...

    def finish(self) -> Iterator[Unit]:
        """The sender ended TCP in order (FIN): if a unit is unfinished, MALFORMED, of the octets that it has so far."""
        ...


Decoders: TypeAlias = Mapping[End, Decoder]
"""A decoder for what each end sends."""


def _reference(client: End) -> Decoders:
    from conformance.wire import reference

    return reference.decoders(client)


def _websocket(client: End) -> Decoders:
    from conformance.wire import websocket

    return websocket.decoders(client)


DECODERS: dict[str, Callable[[End], Decoders]] = {"reference": _reference, "websocket": _websocket}
"""By transport: a function that makes the decoders of one connection, told which end is the client of TCP.

The two may share what they learn (what an HTTP upgrade agreed on, say): they are fed in the order in which the octets
were put on the link.
"""


class Conversation:
    """One TCP connection: both directions' octets, and what their decoders make of them."""

    def __init__(self, decoders: Decoders) -> None:
        self._decoders = decoders
        self._streams = {end: Stream() for end in End}
        self._decoded = dict.fromkeys(End, 0)
        self._finished = set[End]()
        self._told = set[End]()

    def take(self, segment: Segment, frame: Frame) -> Iterator[Pdu]:
        """The units that this segment completes, on whatever way it was sent."""
        if segment.fate in (Fate.REPEATED, Fate.FORGED):
            return  # the harness's own, which nobody sent
        sender = segment.sender
        stream, decoder = self._streams[sender], self._decoders[sender]
        if fresh := stream.take(segment, frame):
            yield from self._read(decoder.feed(fresh), segment)
        if stream.ended and sender not in self._finished:
            self._finished.add(sender)
            yield from self._read(decoder.finish(), segment)
        yield from self._complain(sender, segment)
        if "A" in segment.flags and "R" not in segment.flags:
            self._streams[sender.other].check_acknowledged(segment.ack)
            yield from self._complain(sender.other, segment)

    def _read(self, units: Iterator[Unit], segment: Segment) -> Iterator[Pdu]:
        for unit in units:
            self._decoded[segment.sender] += unit.octets
            yield Pdu(
                at=segment.at,
                sender=segment.sender,
                name=unit.name,
                upto=self._decoded[segment.sender],
                length=unit.length,
                data=unit.data[:KEPT_DATA_OCTETS],
                whole=unit.whole,
                fields=dict(unit.fields),
                problem=unit.problem,
                frame=segment.frame,
            )

    def _complain(self, sender: End, segment: Segment) -> Iterator[Pdu]:
        stream = self._streams[sender]
        if stream.problem and sender not in self._told:
            self._told.add(sender)
            yield Pdu(
                at=segment.at,
                sender=sender,
                name=UNREADABLE,
                upto=stream.upto,
                problem=stream.problem,
                frame=segment.frame,
            )


def pdus_of(frames: Sequence[Frame], segments: Sequence[Segment], listener: End, transport: str) -> list[Pdu]:
    """All units of the connections to a listener, in the order in which they were put on the link.

    `segments` are those of the frames, in their order. A direction of which octets are missing has as its last unit
    one of the name `UNREADABLE`, whose problem is the reason.
    """
    make, client = DECODERS[transport], listener.other
    conversations: dict[int, Conversation] = {}
    openings: dict[int, int] = {}
    units: list[Pdu] = []
    for segment in segments:
        from_client = segment.sender is client
        port = segment.source_port if from_client else segment.destination_port
        opens = from_client and "S" in segment.flags and openings.get(port) != segment.seq
        if opens:
            openings[port] = segment.seq
        if opens or port not in conversations:
            conversations[port] = Conversation(make(client))
        units += conversations[port].take(segment, frames[segment.frame - 1])
    return units
