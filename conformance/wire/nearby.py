# SPDX-License-Identifier: MIT
"""A link whose far end is another machine: captured here, at the peer's interface, where every frame passes once.

The peer's frames are seen as they go out, the IUT's as they come in; what the IUT has sent and what has not come yet
nobody can tell. The interface carries whatever else it carries, so a frame counts only if it is between the two
addresses of the test. Ports are chosen at two machines and may be the same; so a tap is found by port and end.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from typing import cast

from conformance.trace.events import End
from conformance.trace.frames import Frame
from conformance.wire import dissect
from conformance.wire.capture import LOOK, PACKET_OUTGOING, SLOT, CapturedLink, CapturedTap, Ring, WholeRing
from conformance.wire.tap import Tap


def packed(address: str) -> bytes:
    """An IPv4 or IPv6 address as its octets."""
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


class NearbyLink(CapturedLink):
    """The link as the packet socket of the peer's interface sees it."""

    def __init__(
        self,
        topology: str,
        rings: list[Ring],
        more_rings: Callable[[], list[WholeRing]],
        addresses: Mapping[End, str],
    ) -> None:
        """Start the reader. `addresses` are those of the two ends on this link."""
        self._pair = {
            packed(addresses[end]) + packed(addresses[end.other]): end for end in (End.IUT, End.PEER)
        }  # source and destination, as they stand in a packet
        self._octets = len(next(iter(self._pair)))
        self._asked = 0
        super().__init__(topology, rings, {}, more_rings)

    def _key(self, port: int, listener: End) -> object:
        return port, listener

    def _keep_headers(self, port: int) -> None:
        if not any(tap.port == port and tap.transport for tap in list(self._taps.values())):
            super()._keep_headers(port)

    def _sort(self, slots: bytes, slot_octets: int) -> None:
        """Hand each packet of the test's to the tap of its port."""
        fresh: dict[CapturedTap, list[Frame]] = {}
        for offset in range(0, len(slots), slot_octets):
            _, length, kept, start, seconds, nanoseconds, kind = SLOT.unpack_from(slots, offset)
            data = slots[offset + start : offset + start + kept]
            sender = self._sender(data)
            if sender is None or (kind == PACKET_OUTGOING) is not (sender is End.PEER):
                continue
            if (tap := self._tap_of(data, sender)) is not None:
                frame = Frame(at=seconds * 1_000_000_000 + nanoseconds, data=data, length=length)
                fresh.setdefault(tap, []).append(frame)
        for tap, frames in fresh.items():
            tap.record(*frames)

    def _sender(self, data: bytes) -> End | None:
        if not data or (self._octets == 8) is not (data[0] >> 4 == 4):
            return None
        begin = 12 if self._octets == 8 else 8  # RFC 791, 3.1; RFC 8200, 3
        return self._pair.get(data[begin : begin + self._octets])

    def _tap_of(self, data: bytes, sender: End) -> CapturedTap | None:
        pair = dissect.ports(data)
        if pair is None:
            return None
        found = self._taps.get((pair[1], sender.other)) or self._taps.get((pair[0], sender))
        return cast("CapturedTap | None", found)

    def flush(self, tap: Tap, timeout_s: float) -> bool:
        """Have all that has come looked at. Whoever wants what is on its way as well has to wait for it before."""
        with self._passed:
            self._asked += 1
            number = self._asked
            os.write(self._wake_writer, LOOK)
            return self._passed.wait_for(lambda: self._looks >= number, timeout_s)
