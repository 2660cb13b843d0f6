# SPDX-License-Identifier: MIT
"""A link that is looked at: long-lived packet sockets whose rings one thread empties.

Every frame is recorded once, when it passes the device of the implementation under test: what the IUT sends when it
goes out, what the peer sends when it comes in. The peer's frames are also seen when the peer sends them; that only
counts them as under way, so that `flush` knows when all have come in, on whichever processor they wait.

The ring is TPACKET_V2, not V3: a packet is visible at once, where V3 hands out blocks when they are full or a timer
ends. The kernel keeps the first octets of each packet (a filter says how many), so bulk data costs little. Ports whose
packets are wanted whole have rings of their own with room for them, made when the first such port is claimed: one with
many small slots and one with few large ones. The filters see to it that each packet is in one of the three only.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import select
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Collection
from typing import cast

from conformance.trace.events import End
from conformance.trace.frames import Frame
from conformance.wire import dissect, packetfilter
from conformance.wire.errors import CustodianRefused
from conformance.wire.markers import marker, marker_number
from conformance.wire.tap import Link, Tap

RING_OCTETS = 32 << 20
SLOT_OCTETS = 256
SLOTS = RING_OCTETS // SLOT_OCTETS
BLOCK_OCTETS = 1 << 16
KEPT_OCTETS = 160
"""IP and TCP headers have at most 60 octets each, IPv6 with its extension headers seldom more; the kernel's own headers
take 80 octets of a slot."""
GRABS_SLOTS = (8, 128, 2048)
"""How many slots to look at: few, and more only if all of those are filled."""

# <linux/if_packet.h>
SOL_PACKET = 263
PACKET_RX_RING, PACKET_STATISTICS, PACKET_VERSION = 5, 6, 10
TPACKET_V2 = 1
PACKET_OUTGOING = 4
ETH_P_ALL = 0x0003
SO_ATTACH_FILTER = 26  # <asm-generic/socket.h>

SMALL_SLOT_OCTETS = 2 << 10
SMALL_SLOTS = 1 << 15
SMALL_PACKETS = range(1800)
"""What fits in a small slot, the kernel's headers beside it; most packets do."""
LARGE_SLOT_OCTETS = 68 << 10
LARGE_SLOTS_PER_BLOCK = 15
LARGE_BLOCKS = 32
LARGE_PACKETS = range(SMALL_PACKETS.stop, packetfilter.WHOLE)
"""The largest of `lo`, whose MTU is 65,536, have room in a large slot."""
REGISTER, STOP, LOOK = b"+", b".", b"?"
"""What the reader is woken for."""

SLOT = struct.Struct("=III2xHII18xB")
"""struct tpacket2_hdr: status, length, kept octets, (link header,) offset of the packet, seconds, nanoseconds, (VLAN);
then struct sockaddr_ll, of which only the packet type matters."""
STATUS_USER = 1
WORDS_PER_LARGE_SLOT = LARGE_SLOT_OCTETS // 4
STATUSES_KERNEL = memoryview(bytes(4 * max(GRABS_SLOTS))).cast("I")


class Ring:
    """A packet socket on one device, with the ring that the kernel fills."""

    slot_octets = SLOT_OCTETS
    _slots = SLOTS
    _block_octets = BLOCK_OCTETS

    def __init__(self, fd: int, interface: str) -> None:
        """Take over an unbound packet socket of type SOCK_DGRAM and start to capture."""
        self.socket = socket.socket(fileno=fd)
        self.select(())
        self.socket.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V2)
        octets = self._slots * self.slot_octets
        self.socket.setsockopt(
            SOL_PACKET,
            PACKET_RX_RING,
            struct.pack("IIII", self._block_octets, octets // self._block_octets, self.slot_octets, self._slots),
        )
        self._memory = mmap.mmap(self.socket.fileno(), octets)
        self._view = memoryview(self._memory)
        self._words = self._view.cast("I")
        self._next = 0
        self._lost = 0
        self._counting = threading.Lock()
        self.socket.bind((interface, ETH_P_ALL))

    def select(self, whole_ports: Collection[int]) -> None:
        """From now on capture what belongs here, as these TCP ports are captured whole."""
        self._attach(packetfilter.headers(whole_ports, KEPT_OCTETS))

    def _attach(self, program: bytes) -> None:
        kept_alive = ctypes.create_string_buffer(program)
        count = len(program) // packetfilter.INSTRUCTION.size
        self.socket.setsockopt(
            socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", count, ctypes.addressof(kept_alive))
        )

    def grab(self) -> bytes:
        """Slots that the kernel has filled, as they are, and given back to it; empty if there are none.

        Copying many at once is quick, so the ring has room again long before the packets have been looked at.
        """
        first, ready, words = self._next, 0, self.slot_octets // 4
        for most in GRABS_SLOTS:
            last = min(first + most, self._slots)
            statuses = self._words[first * words : last * words : words].tolist()
            ready = next((place for place, status in enumerate(statuses) if not status & STATUS_USER), len(statuses))
            if ready < most:
                break
        last = first + ready
        slots = self._memory[first * self.slot_octets : last * self.slot_octets]
        self._words[first * words : last * words : words] = STATUSES_KERNEL[:ready]
        self._next = last % self._slots
        return slots

    @property
    def lost(self) -> int:
        """Packets that found the ring full, since the beginning."""
        with self._counting:
            statistics = self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)  # reading sets them to zero
            self._lost += int(struct.unpack("II", statistics)[1])
            return self._lost

    def close(self) -> None:
        """Stop capturing."""
        self._words.release()
        self._view.release()
        self._memory.close()
        self.socket.close()


class WholeRing(Ring):
    """A ring with room for whole packets, those of the selected ports; this one for packets of moderate size."""

    slot_octets = SMALL_SLOT_OCTETS
    _slots = SMALL_SLOTS
    _packets = SMALL_PACKETS

    def select(self, whole_ports: Collection[int]) -> None:
        """From now on capture the packets of these TCP ports."""
        self._attach(packetfilter.whole(whole_ports, self._packets))


class LargeRing(WholeRing):
    """The ring for packets that only offloading makes, or a link like `lo`."""

    slot_octets = LARGE_SLOT_OCTETS
    _slots = LARGE_BLOCKS * LARGE_SLOTS_PER_BLOCK
    _block_octets = LARGE_SLOTS_PER_BLOCK * LARGE_SLOT_OCTETS
    _packets = LARGE_PACKETS

    def grab(self) -> bytes:
        """The used part of the next slot, which is given back to the kernel; empty if the kernel has not filled it."""
        place = self._next * WORDS_PER_LARGE_SLOT
        if not self._words[place] & STATUS_USER:
            return b""
        begin = self._next * LARGE_SLOT_OCTETS
        _, _, kept, start, *_ = SLOT.unpack_from(self._memory, begin)
        slot = self._memory[begin : begin + max(start + kept, SLOT.size)]
        self._words[place] = 0
        self._next = (self._next + 1) % self._slots
        return slot


class CapturedTap(Tap):
    """A tap on a link that is only looked at."""

    under_way = 0
    """Frames that the peer has sent and that have not been seen to come in; the reader's thread alone counts."""

    def frames(self) -> list[Frame]:
        """The frames so far, in the order of their times: small and large ones come by different rings."""
        return sorted(super().frames(), key=lambda frame: frame.at) if self.transport else super().frames()


class CapturedLink(Link):
    """The link as the packet sockets of its devices see it."""

    def __init__(
        self,
        topology: str,
        rings: list[Ring],
        markers: dict[End, socket.socket],
        more_rings: Callable[[], list[WholeRing]],
    ) -> None:
        """Start the reader. `rings` has the IUT's device first; `markers` are UDP sockets, one at each station,
        connected to each other. All of them are ours to close. `more_rings` makes rings for whole packets on the same
        devices, when the first port asks for them."""
        super().__init__(topology)
        self._rings = rings
        self._more_rings = more_rings
        self._whole_ports = set[int]()
        self._selecting = threading.Lock()
        self._markers = markers
        self._marker_number = 0
        self._sending = threading.Lock()
        self._passed = threading.Condition()
        self._marker_seen = 0
        self._marker_passed = 0
        self._looks = 0
        self._wake_reader, self._wake_writer = os.pipe2(os.O_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name=f"capture {topology}", daemon=True)
        self._thread.start()

    def _make_tap(self, port: int, listener: End) -> Tap:
        return CapturedTap(self, port, listener)

    def _keep_whole(self, port: int) -> None:
        """Where there can be no ring for it the headers have to do, and what they leave out will be missed."""
        with self._selecting:
            if not any(isinstance(ring, WholeRing) for ring in self._rings):
                with contextlib.suppress(OSError, CustodianRefused):
                    self._rings += self._more_rings()
                    os.write(self._wake_writer, REGISTER)
            if any(isinstance(ring, WholeRing) for ring in self._rings):
                self._whole_ports.add(port)
                self._select()

    def _keep_headers(self, port: int) -> None:
        with self._selecting:
            self._whole_ports.discard(port)
            if not self._closed:
                self._select()

    def _select(self) -> None:
        for ring in reversed(self._rings):  # a packet that is in two rings is better than one that is in none
            ring.select(self._whole_ports)

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._wake_reader, select.POLLIN)
        for ring in self._rings:
            poll.register(ring.socket, select.POLLIN)
        while True:
            woken = b""
            if any(fd == self._wake_reader for fd, _ in poll.poll()):
                woken = os.read(self._wake_reader, 1)
                if woken == STOP:
                    return
                for ring in self._rings:
                    poll.register(ring.socket, select.POLLIN)
            backlog: deque[tuple[bytes, int]] = deque()
            while self._empty_rings(backlog) or backlog:
                self._sort(*backlog.popleft())
            if self._marker_seen or woken == LOOK:
                with self._passed:
                    self._marker_passed = self._marker_seen
                    self._looks += woken == LOOK
                    self._passed.notify_all()

    def _empty_rings(self, backlog: deque[tuple[bytes, int]]) -> bool:
        """Move what the kernel has to the backlog, and say whether there was anything.

        The IUT's ring comes first: what has come in by then was sent before, so the peer's ring accounts for it all.
        """
        before = len(backlog)
        for ring in self._rings:
            while slots := ring.grab():
                backlog.append((slots, ring.slot_octets))
        return len(backlog) > before

    def _sort(self, slots: bytes, slot_octets: int) -> None:
        """Hand each packet to the tap of its port."""
        taps = cast("dict[int, CapturedTap]", self._taps)
        fresh: dict[CapturedTap, list[Frame]] = {}
        for offset in range(0, len(slots), slot_octets):
            _, length, kept, start, seconds, nanoseconds, kind = SLOT.unpack_from(slots, offset)
            data = slots[offset + start : offset + start + kept]
            pair = dissect.ports(data)
            if pair is None:
                if kind != PACKET_OUTGOING:
                    self._marker_seen = max(self._marker_seen, marker_number(data))
                continue
            source, destination = pair
            if (tap := taps.get(destination)) is not None:
                sender = tap.listener.other
            elif (tap := taps.get(source)) is not None:
                sender = tap.listener
            else:
                continue
            if kind == PACKET_OUTGOING and sender is End.PEER:
                tap.under_way += 1
                continue
            if kind != PACKET_OUTGOING:
                if sender is End.IUT:
                    continue
                tap.under_way -= 1
            frame = Frame(at=seconds * 1_000_000_000 + nanoseconds, data=data, length=length)
            fresh.setdefault(tap, []).append(frame)
        for tap, frames in fresh.items():
            tap.record(*frames)

    def flush(self, tap: Tap, timeout_s: float) -> bool:
        """A marker follows what is on the link; when it is in, and nothing is under way, all is in."""
        with self._sending:
            self._marker_number += 1
            number = self._marker_number
            self._markers[End.PEER].send(marker(number))
        captured = cast(CapturedTap, tap)
        with self._passed:
            return self._passed.wait_for(lambda: self._marker_passed >= number and captured.under_way <= 0, timeout_s)

    @property
    def lost(self) -> int:
        """Packets that found a ring full."""
        return sum(ring.lost for ring in self._rings)

    def _stop(self) -> None:
        os.write(self._wake_writer, STOP)
        self._thread.join()
        for ring in self._rings:
            ring.close()
        for sock in self._markers.values():
            sock.close()
        os.close(self._wake_reader)
        os.close(self._wake_writer)
