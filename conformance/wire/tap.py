# SPDX-License-Identifier: MIT
"""What one case sees of the link: the frames of its own port, in order. Where they come from is the link's business."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from conformance.trace.events import End, Pdu, Segment
from conformance.trace.frames import Frame
from conformance.wire import dissect
from conformance.wire.errors import PortClaimed, RulesNotPossible
from conformance.wire.forging import Forgery
from conformance.wire.pdus import DECODERS, pdus_of
from conformance.wire.rewriting import Rewriter
from conformance.wire.rules import Rule


class Tap:
    """All frames with one port, in either direction, since it was claimed.

    `transport` is what runs over TCP there and is to be read too, as `wire.pdus` knows it; empty if nothing is.
    """

    transport = ""

    def __init__(self, link: Link, port: int, listener: End) -> None:
        self.port = port
        self.listener = listener
        self.problem = ""
        """What broke at the link, if anything did: then nothing that was seen here counts."""
        self.changed = threading.Condition()
        """Guards the frames; told of every new frame, and of every frame that met its fate."""
        self._link = link
        self._frames: list[Frame] = []
        self._changes = 0
        self._dissecting = threading.Lock()
        self._dissected: list[tuple[Frame, Segment | None]] = []

    def record(self, *frames: Frame) -> int:
        """Keep frames (for links); the result is the place of the last one."""
        with self.changed:
            self._frames += frames
            self._tell()
            return len(self._frames) - 1

    def amend(self, place: int, frame: Frame) -> None:
        """Put a frame, whose fate is known now, in the place of what was recorded (for links)."""
        with self.changed:
            self._frames[place] = frame
            self._tell()

    def _tell(self) -> None:
        self._changes += 1
        self.changed.notify_all()

    def frames(self) -> list[Frame]:
        """The frames so far, in the order in which they were seen."""
        with self.changed:
            return list(self._frames)

    def segments(self) -> list[Segment]:
        """The same as TCP segments; `frame` numbers them from 1, so a frame that is no TCP leaves a gap."""
        return self._dissect(self.frames())

    def pdus(self) -> list[Pdu]:
        """The units of the transport that TCP carried so far; none if the port was claimed for no transport."""
        if not self.transport:
            return []
        frames = self.frames()
        return pdus_of(frames, self._dissect(frames), self.listener, self.transport)

    def _dissect(self, frames: list[Frame]) -> list[Segment]:
        # Not under `changed`: whoever brings new frames (and, on a relayed link, the packets) must not wait for scapy.
        with self._dissecting:
            known = self._dissected
            for place, frame in enumerate(frames):
                if place >= len(known) or known[place][0] is not frame:
                    segment = dissect.segment(frame, place + 1, self.port, self.listener)
                    known[place : place + 1] = [(frame, segment)]
            return [segment for _, segment in known[: len(frames)] if segment is not None]

    def wait_for(self, wanted: Callable[[Segment], bool], timeout_s: float) -> Segment | None:
        """The first segment that is wanted, among those already there or those still to come; None when time is up.

        A segment whose fate has changed (held, then delivered) is looked at again.
        """
        deadline = time.monotonic() + timeout_s
        unwanted: list[Segment] = []
        while True:
            with self.changed:
                frames, changes = list(self._frames), self._changes
            segments = self._dissect(frames)
            for place, segment in enumerate(segments):
                if (place >= len(unwanted) or unwanted[place] is not segment) and wanted(segment):
                    return segment
            unwanted = segments
            if not self._await_change(changes, deadline):
                return None

    def _await_change(self, since: int, deadline: float) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: self._changes != since, max(0.0, deadline - time.monotonic()))

    def flush(self, timeout_s: float = 1.0) -> bool:
        """Make sure that all that was put on the link before this call is among the frames; False if that failed."""
        return self._link.flush(self, timeout_s)

    def apply(self, rule: Rule) -> None:
        """From now on treat what passes by this rule as well. Raises RulesNotPossible on a link that only looks on."""
        raise RulesNotPossible(self._link.topology)

    def rewrite(self, rewriter: Rewriter) -> None:
        """From now on the IUT sends, and takes in, what the rewriter makes of it. Raises RulesNotPossible."""
        raise RulesNotPossible(self._link.topology)

    def release(self) -> None:
        """Deliver all that is held, and hold no more. Raises RulesNotPossible."""
        raise RulesNotPossible(self._link.topology)

    def repeat(self, segment: Segment) -> Segment:
        """Put a copy of this segment's frame on the link again, in its direction; the copy. Raises RulesNotPossible."""
        raise RulesNotPossible(self._link.topology)

    def forge(self, forgery: Forgery) -> Segment:
        """Put a segment on the link that no end has sent; the segment, as it was recorded.

        Raises:
            RulesNotPossible: the link only looks on.
            NothingToGoBy: nothing on the link tells where it would stand.
            NotForged: the receiving end's device did not take it.
        """
        raise RulesNotPossible(self._link.topology)

    def close(self) -> None:
        """Record nothing more; what is there stays readable."""
        self._link.give_up(self)


class Link(ABC):
    """What joins the two stations, as far as it can be seen. A subclass says how."""

    def __init__(self, topology: str) -> None:
        self.topology = topology
        self._taps: dict[object, Tap] = {}
        self._closed = False

    def claim(self, port: int, listener: End, transport: str = "") -> Tap:
        """Record all frames with this port from now on; `listener` is the end that will listen there.

        For a transport of `wire.pdus.DECODERS` the frames are kept whole, so that its units can be read from them.

        Raises:
            PortClaimed: the port has been claimed and not given up.
            ValueError: nobody can read that transport.
        """
        if (key := self._key(port, listener)) in self._taps:
            raise PortClaimed(port)
        if transport and transport not in DECODERS:
            raise ValueError(f"nobody can read the transport {transport!r}; {', '.join(DECODERS)} can be")
        tap = self._make_tap(port, listener)
        tap.transport = transport
        if transport:
            self._keep_whole(port)
        self._taps[key] = tap
        return tap

    def _key(self, port: int, listener: End) -> object:
        """By what a tap is found: a port belongs to one end, where the ends have no ports in common."""
        return port

    def _keep_whole(self, port: int) -> None:  # noqa: B027
        """Keep all octets of this TCP port's packets (for links that would not)."""

    def _keep_headers(self, port: int) -> None:  # noqa: B027
        """Their first octets will do again."""

    def give_up(self, tap: Tap) -> None:
        """The tap wants nothing more."""
        key = self._key(tap.port, tap.listener)
        if self._taps.get(key) is tap:
            del self._taps[key]
            if tap.transport:
                self._keep_headers(tap.port)

    def _make_tap(self, port: int, listener: End) -> Tap:
        return Tap(self, port, listener)

    @abstractmethod
    def flush(self, tap: Tap, timeout_s: float) -> bool:
        """See `Tap.flush`."""

    @property
    @abstractmethod
    def lost(self) -> int:
        """How many packets got lost on the way to us (not those that a rule dropped)."""

    def close(self) -> None:
        """Stop looking (and carrying, where the harness carries). Taps stay readable."""
        if not self._closed:
            self._closed = True
            self._stop()

    @abstractmethod
    def _stop(self) -> None:
        """End what the subclass started."""
