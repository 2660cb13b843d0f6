# SPDX-License-Identifier: MIT
"""One direction's octets, put together again by TCP's sequence numbers, whatever was split, repeated or reordered."""

from __future__ import annotations

from conformance.trace.events import Segment
from conformance.trace.frames import Frame
from conformance.wire.dissect import payload

_MODULUS = 1 << 32


def offset(number: int, isn: int) -> int:
    """The place of a sequence number in its direction, 0 being the first octet after the SYN; negative before it."""
    half = _MODULUS >> 1
    return (number - isn - 1 + half) % _MODULUS - half


class Stream:
    """What one end has put on the link, as far as there is no gap. Of octets that come again, the first count."""

    def __init__(self) -> None:
        self.octets = bytearray()
        self.problem = ""
        """Why nobody can know the octets after those that are there; empty if there is no such reason."""
        self.fin: int | None = None
        """The offset of the FIN, once it was seen."""
        self._isn: int | None = None
        self._ahead: list[tuple[int, bytes]] = []

    @property
    def upto(self) -> int:
        """The offset after the last octet that has none missing before it."""
        return len(self.octets)

    @property
    def ended(self) -> bool:
        """Everything up to the FIN is there."""
        return self.fin is not None and self.upto >= self.fin

    def take(self, segment: Segment, frame: Frame) -> bytes:
        """Take a segment of the sender's own; the result is the octets that are new and without a gap before them."""
        if "S" in segment.flags and self._isn is None:
            self._isn = segment.seq
        if "R" in segment.flags or self.problem:
            return b""
        if self._isn is None:
            if segment.length:
                self.problem = "the capture holds no SYN of this direction"
            return b""
        start = offset(segment.seq, self._isn) + ("S" in segment.flags)
        if "F" in segment.flags and self.fin is None:
            self.fin = start + segment.length
        octets = payload(frame, segment.length)
        if len(octets) < segment.length:
            self.problem = f"the capture kept {len(octets)} of the {segment.length} octets of frame {segment.frame}"
            return b""
        return self.add(start, octets)

    def add(self, start: int, octets: bytes) -> bytes:
        """Put octets in their place; the result is those that are new and without a gap before them."""
        before = self.upto
        self._ahead.append((start, octets))
        progress = True
        while progress and not self.problem:
            progress = False
            for place in [place for place in self._ahead if place[0] <= self.upto]:
                self._ahead.remove(place)
                progress = self._append(*place) or progress
        return bytes(self.octets[before:])

    def _append(self, start: int, octets: bytes) -> bool:
        known = self.upto - start
        again, fresh = octets[:known], octets[known:]
        # One octet that differs may be a probe of the window or of the connection's life, which no receiver keeps.
        if len(again) > 1 and start >= 0 and self.octets[start : start + len(again)] != again:
            self.problem = f"the {len(again)} octets from {start} on were sent again, and were others"
            return False
        self.octets += fresh
        return bool(fresh)

    def check_acknowledged(self, ack: int) -> None:
        """The other end said that it has everything before this sequence number; if we have not, that is a problem."""
        if self._isn is None or self.problem:
            return
        upto = offset(ack, self._isn)
        if upto > self.upto + self.ended:
            self.problem = f"the octets from {self.upto} to {upto} were acknowledged, and the capture has them not"
