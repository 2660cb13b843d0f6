# SPDX-License-Identifier: MIT
"""A link that the harness relays: each packet passes through our hands, in order, before it is delivered.

Two TUN devices, one in each station's namespace; one thread reads from both and writes to the other. Being in between,
it can also drop, hold and repeat, as the rules of the tap say, and forge what a case asks for. One lock covers
decision, delivery and record, so the order of the frames is the order of their deliveries.
"""

from __future__ import annotations

import os
import select
import socket
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import msgspec

from conformance.trace.events import End, Fate, Segment
from conformance.trace.frames import Frame
from conformance.wire import dissect, forging
from conformance.wire.errors import NotForged
from conformance.wire.forging import Forgery
from conformance.wire.markers import marker, marker_number
from conformance.wire.rewriting import Rewriter, Rewriting
from conformance.wire.rules import Action, Passing, Progress, Rule, decide
from conformance.wire.tap import Link, Tap

LONGEST_PACKET_OCTETS = 4096
"""More than the MTU of 1,500 of a TUN device."""
BATCH = 32
"""Packets from one device before the other one is looked at."""


@dataclass(frozen=True, slots=True)
class Held:
    """A frame that waits: its place among the tap's frames, and the place of the rule that holds it."""

    place: int
    rule: int
    sender: End


class RelayedTap(Tap):
    """A tap whose rules decide over what passes."""

    def __init__(self, link: RelayedLink, port: int, listener: End) -> None:
        super().__init__(link, port, listener)
        self._relay = link
        self._rules: tuple[Progress, ...] = ()
        self._held: list[Held] = []
        self._rewriting: Rewriting | None = None
        self._answers: list[bytes] = []

    def pass_on(self, data: bytes, sender: End, at: int) -> None:
        """Do with a packet what the rules say (for the link, which holds its lock)."""
        if self._rewriting is None or sender is not End.IUT:
            self._pass_on(data, sender, at)
            return
        try:
            instead = self._rewriting.sending(data)
        except Exception as error:
            self._broke(error)
            instead = [data]
        for rewritten in instead:
            self._pass_on(rewritten, sender, time.time_ns())

    def _deliver(self, data: bytes, sender: End) -> str:
        """Hand a packet over, as the end that gets it takes it; what that one answers by itself follows the record."""
        if self._rewriting is None or sender is End.IUT:
            return self._relay.deliver(data, sender)
        try:
            taken, answers = self._rewriting.arriving(data)
        except Exception as error:
            self._broke(error)
            taken, answers = [data], []
        self._answers += answers
        return next(filter(None, [self._relay.deliver(each, sender) for each in taken]), "")

    def _broke(self, error: Exception) -> None:
        """A mutant's fault: the case is told, and the link goes on for the others."""
        *_, place = traceback.extract_tb(error.__traceback__)
        self.problem = f"the rewriter broke: {type(error).__name__}: {error} ({place.filename}:{place.lineno})"

    def record(self, *frames: Frame) -> int:
        """Keep frames, and what the IUT answers to them by itself."""
        place = super().record(*frames)
        self._answer()
        return place

    def amend(self, place: int, frame: Frame) -> None:
        """Put a frame in the place of what was recorded, and behind it what the IUT answers by itself."""
        super().amend(place, frame)
        self._answer()

    def _answer(self) -> None:
        while self._answers:
            self._pass_on(self._answers.pop(0), End.IUT, time.time_ns())

    def _pass_on(self, data: bytes, sender: End, at: int) -> None:
        frame = Frame(at=at, data=data, length=len(data))
        contents = dissect.contents(data)
        if not self._rules or contents is None:
            self.record(self._delivered(frame, sender))
            return
        flags, payload_octets = contents
        decision = decide(self._rules, Passing(sender, flags, payload_octets > 0))
        self._rules = decision.rules
        because = "" if decision.by is None else str(self._rules[decision.by].rule)
        match decision.action:
            case Action.DROP:
                self.record(msgspec.structs.replace(frame, fate=Fate.DROPPED, comment=because))
            case Action.HOLD:
                assert decision.by is not None
                place = self.record(msgspec.structs.replace(frame, fate=Fate.HELD, comment=because))
                self._held.append(Held(place, decision.by, sender))
            case Action.REPEAT:
                self.record(self._delivered(frame, sender))
                self._inject(data, sender, because)
            case None:
                self.record(self._delivered(frame, sender))
        for rule in decision.releases:
            self._let_go([held for held in self._held if held.rule == rule])

    def _delivered(self, frame: Frame, sender: End) -> Frame:
        """Deliver a frame, and say so; if the device does not take it, say that."""
        problem = self._deliver(frame.data, sender)
        return msgspec.structs.replace(frame, fate=Fate.DROPPED, comment=problem) if problem else frame

    def _inject(self, data: bytes, sender: End, because: str) -> int:
        """Put a copy of a packet on the link; its place among the frames."""
        copy = Frame(at=time.time_ns(), data=data, length=len(data), fate=Fate.REPEATED, comment=because)
        return self.record(self._delivered(copy, sender))

    def _let_go(self, going: list[Held]) -> None:
        for held in going:
            self._held.remove(held)
            at = time.time_ns()  # before the delivery: no reaction to it may seem to come earlier
            frame = self._delivered(self._frames[held.place], held.sender)
            if frame.fate is Fate.HELD:
                frame = msgspec.structs.replace(frame, delivered_at=at)
            self.amend(held.place, frame)

    def rewrite(self, rewriter: Rewriter) -> None:
        """From now on the IUT is what the rewriter makes of it."""
        with self._relay.lock:
            self._rewriting = Rewriting(rewriter)

    def apply(self, rule: Rule) -> None:
        """From now on treat what passes by this rule as well; earlier rules come first."""
        with self._relay.lock:
            self._rules += (Progress(rule),)

    def release(self) -> None:
        """Deliver all that is held, in the order in which it came, and end the rules that hold."""
        with self._relay.lock:
            self._rules = tuple(
                replace(progress, ended=True) if progress.rule.action is Action.HOLD else progress
                for progress in self._rules
            )
            self._let_go(list(self._held))

    def repeat(self, segment: Segment) -> Segment:
        """Put a copy of this segment's frame on the link now, in its direction, past all rules."""
        with self._relay.lock:
            number = self._inject(self._frames[segment.frame - 1].data, segment.sender, "repeated by the case") + 1
        return next(segment for segment in self.segments() if segment.frame == number)

    def forge(self, forgery: Forgery) -> Segment:
        """Put this segment on the link now, past all rules, in the name of an end that does not send it."""
        segments = self.segments()
        data = forging.forge(segments, [frame.data for frame in self.frames()], forgery)
        with self._relay.lock:
            frame = Frame(at=time.time_ns(), data=data, length=len(data), fate=Fate.FORGED, comment=str(forgery))
            if problem := self._deliver(data, forgery.sender):
                raise NotForged(str(forgery), problem)
            number = self.record(frame) + 1
        return next(segment for segment in self.segments() if segment.frame == number)


class RelayedLink(Link):
    """The thread between two TUN devices."""

    def __init__(
        self,
        topology: str,
        devices: dict[End, int],
        markers: dict[End, socket.socket],
        dropped: Callable[[], int],
    ) -> None:
        """Start to relay. `devices` are the TUN descriptors, `markers` a UDP socket at each end, connected to the
        other; both are ours to close. `dropped` counts what the devices had to drop."""
        super().__init__(topology)
        self.lock = threading.RLock()
        self._devices = devices
        self._markers = markers
        self._dropped = dropped
        self._marker_count = 0
        self._passed = threading.Condition(self.lock)
        self._markers_seen = dict.fromkeys(End, 0)
        self._wake_reader, self._wake_writer = os.pipe2(os.O_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name=f"relay {topology}", daemon=True)
        self._thread.start()

    def _make_tap(self, port: int, listener: End) -> Tap:
        return RelayedTap(self, port, listener)

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._wake_reader, select.POLLIN)
        senders = {fd: end for end, fd in self._devices.items()}
        for fd in senders:
            poll.register(fd, select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                if fd == self._wake_reader:
                    return
                try:
                    for _ in range(BATCH):
                        self._pass_on(os.read(fd, LONGEST_PACKET_OCTETS), senders[fd])
                except BlockingIOError:
                    continue
                except OSError:
                    poll.unregister(fd)  # the device has gone, with its namespace

    def _pass_on(self, data: bytes, sender: End) -> None:
        with self.lock:
            pair = dissect.ports(data)
            tap = None if pair is None else self._taps.get(pair[1]) or self._taps.get(pair[0])
            if tap is not None:
                cast(RelayedTap, tap).pass_on(data, sender, time.time_ns())
            elif pair is None and (number := marker_number(data)):
                # It has done its work here, and is not delivered. Markers of several threads may overtake each other.
                self._markers_seen[sender] = max(number, self._markers_seen[sender])
                self._passed.notify_all()
            else:
                self.deliver(data, sender)

    def deliver(self, data: bytes, sender: End) -> str:
        """Hand a packet to the end that did not send it; the result is empty, or what the device had against it."""
        try:
            os.write(self._devices[sender.other], data)
        except OSError as problem:
            return f"the receiving device refused it: {problem.strerror}"
        return ""

    def flush(self, tap: Tap, timeout_s: float) -> bool:
        """A marker from each end follows what that end has put on the link."""
        with self.lock:
            self._marker_count += 1
            number = self._marker_count
        for sock in self._markers.values():
            sock.send(marker(number))
        with self._passed:
            return self._passed.wait_for(lambda: min(self._markers_seen.values()) >= number, timeout_s)

    @property
    def lost(self) -> int:
        """Packets that a device had to drop because we did not fetch them in time."""
        return self._dropped()

    def _stop(self) -> None:
        os.write(self._wake_writer, b".")
        self._thread.join()
        for fd in (*self._devices.values(), self._wake_reader, self._wake_writer):
            os.close(fd)
        for sock in self._markers.values():
            sock.close()
