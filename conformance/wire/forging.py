# SPDX-License-Identifier: MIT
"""Segments that no end would send, made in an end's name: where they stand, and the packets that they are.

A case says what matters of such a segment (`Forgery`); the rest is taken from the last one that the end itself has put
on the link, so that it passes for that end's: addresses, ports, acknowledgement, time stamps. Putting it on the link is
the work of `relay`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from conformance.trace.events import End, Fate, Segment
from conformance.trace.pattern import pattern
from conformance.trace.window import shift_of, window_of
from conformance.wire.reassembly import offset
from conformance.wire.rules import Selection

_MODULUS = 1 << 32
SEED = 0xF0
"""Of the pattern of forged octets: no end's sends begin like it before they are 240."""


class Place(StrEnum):
    """A sequence number that the link shows; a forged segment's is counted from it."""

    SENT = "SND.NXT"
    """What its supposed sender would send next; a FIN that it has sent counts one."""
    EXPECTED = "RCV.NXT"
    """What its receiver expects next, by the last acknowledgement."""
    MIDDLE = "the middle of the window"
    EDGE = "RCV.NXT+RCV.WND"
    """The first that lies beyond the window, as the receiver has announced it last."""
    BEYOND = "the first beyond every window"
    """One that lies beyond all that the receiver has announced, and beyond what a scaled field cannot say."""


class Forgery(msgspec.Struct, frozen=True, omit_defaults=True):
    """A segment to be forged, partly specified: `offset` is counted from `place`, `length` in octets of a pattern.

    `window` is the field as it stands in the header; None leaves it as the sender has said it last.
    """

    sender: End
    flags: str
    """Letters of `FSRPAUEC`, all that are set."""
    place: Place = Place.SENT
    offset: int = 0
    length: int = 0
    window: int | None = None

    def __str__(self) -> str:
        data = f"{self.length} octets, " if self.length else ""
        window = "" if self.window is None else f", window {self.window}"
        offset = f"{self.offset:+}" if self.offset else ""
        return f"{Selection(self.sender, self.flags)}: {data}at {self.place}{offset}{window}"


class NothingToGoBy(ValueError):
    """The link has not yet shown what a forged segment would have to follow."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a direction stands, by the segments on the link; absolute sequence numbers, by place."""

    at: dict[Place, int]

    @classmethod
    def of(cls, segments: Sequence[Segment], sender: End) -> Standing:
        """Read it from the segments of one connection. Raises NothingToGoBy where they do not tell."""
        genuine = [s for s in segments if s.fate not in (Fate.FORGED, Fate.REPEATED)]
        isn = next((s.seq for s in genuine if s.sender is sender and "S" in s.flags), None)
        answers = [s for s in genuine if s.sender is sender.other and "A" in s.flags and "R" not in s.flags]
        if isn is None or not answers:
            raise NothingToGoBy(f"the {sender} has sent no SYN, or has got no acknowledgement")
        sent = (
            offset(s.seq, isn) + s.length + ("S" in s.flags) + ("F" in s.flags)
            for s in genuine
            if s.sender is sender and "R" not in s.flags
        )
        expected = max(offset(s.ack, isn) for s in answers)
        last = next(s for s in reversed(answers) if offset(s.ack, isn) == expected)
        shift = shift_of(genuine, sender.other)
        opening = [s for s in genuine if s.sender is sender.other and s.flags == "S"]
        edges = [window_of(s, shift) for s in opening]
        edges += [offset(s.ack, isn) + window_of(s, shift) for s in answers]
        window = window_of(last, shift)
        places = {
            Place.SENT: max(sent),
            Place.EXPECTED: expected,
            Place.MIDDLE: expected + window // 2,
            Place.EDGE: expected + window,
            Place.BEYOND: max(edges) + (1 << shift),
        }
        return cls({place: (isn + 1 + where) % _MODULUS for place, where in places.items()})

    def number(self, forgery: Forgery) -> int:
        """The sequence number of that segment."""
        return (self.at[forgery.place] + forgery.offset) % _MODULUS


def packet(template: bytes, forgery: Forgery, number: int) -> bytes:
    """The IP packet of a forged segment with that sequence number, whole and with right checksums.

    `template` is the packet of a segment of the same sender, no part of which is missing but perhaps its payload.
    """
    from scapy.layers.inet import IP, TCP
    from scapy.layers.inet6 import IPv6
    from scapy.packet import Raw

    ip = (IP if template[0] >> 4 == 4 else IPv6)(template)
    old = ip[TCP]
    tcp = TCP(
        sport=old.sport,
        dport=old.dport,
        seq=number,
        ack=old.ack if "A" in forgery.flags else 0,
        flags=forgery.flags,
        window=old.window if forgery.window is None else forgery.window,
        options=_time_stamps(old.options),
    )
    old.underlayer.remove_payload()
    whole = ip / tcp / Raw(pattern(SEED, forgery.length))
    for layer, fields in ((IP, ("len", "chksum")), (IPv6, ("plen",))):
        if layer in whole:
            for field in fields:
                whole[layer].delfieldval(field)
    return bytes(whole)


def _time_stamps(options: Sequence[tuple[object, object]]) -> list[tuple[str, object]]:
    """The time stamps among these options, aligned: without them the receiver may ignore a segment (RFC 7323, 3.2)."""
    stamps = [("Timestamp", value) for name, value in options if name == "Timestamp" and isinstance(value, tuple)]
    return [("NOP", None), ("NOP", None), *stamps] if stamps else []


def template_of(segments: Sequence[Segment], sender: End) -> Segment:
    """The segment that a forged one is to look like: the last that its sender sent. Raises NothingToGoBy."""
    own = [s for s in segments if s.sender is sender and "R" not in s.flags and s.fate is not Fate.FORGED]
    if not own:
        raise NothingToGoBy(f"the {sender} has put nothing on the link yet")
    return own[-1]


def one_connection(segments: Sequence[Segment], like: Segment) -> list[Segment]:
    """Those that belong to the same connection: by the pair of ports, from the last SYN of the client on."""
    pair = {like.source_port, like.destination_port}
    same = [s for s in segments if {s.source_port, s.destination_port} == pair]
    openings = [place for place, s in enumerate(same) if "S" in s.flags and "A" not in s.flags]
    first = next((place for place in openings if same[place].seq == same[openings[-1]].seq), 0)
    return same[first:]


def forge(segments: Sequence[Segment], packets: Sequence[bytes], forgery: Forgery) -> bytes:
    """The packet of a forged segment, by what is on the link: its segments, and each frame's packet.

    Raises NothingToGoBy where nothing there tells where it would stand.
    """
    like = template_of(segments, forgery.sender)
    number = Standing.of(one_connection(segments, like), forgery.sender).number(forgery)
    return packet(packets[like.frame - 1], forgery, number)
