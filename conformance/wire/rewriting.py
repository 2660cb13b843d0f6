# SPDX-License-Identifier: MIT
"""An implementation on a relayed link, changed as if it were wrong itself: in what it sends, and in what it takes in.

A filter is shown each segment of the IUT, or each that reaches it, and returns what takes its place: it, others,
several or None. Unlike the rules of a case (`rules`), what it does is not the harness's doing: the record shows what
the IUT sends as sent, and what comes as it came, whatever the IUT makes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeAlias

from conformance.wire import dissect


@dataclass(frozen=True)
class Sent:
    """One TCP segment of the IUT, as it put it on the link; `here` is what the filters keep for the connection."""

    data: bytes
    here: dict[Any, Any] = field(default_factory=dict, compare=False)

    @property
    def flags(self) -> str:
        """Its flags, letters in the order of `FSRPAUEC`."""
        return (dissect.contents(self.data) or ("", 0))[0]

    @property
    def length(self) -> int:
        """Octets of payload."""
        return (dissect.contents(self.data) or ("", 0))[1]

    @property
    def seq(self) -> int:
        """The sequence number."""
        _, offset = dissect.transport(self.data)
        return int.from_bytes(self.data[offset + 4 : offset + 8])

    @property
    def ack(self) -> int:
        """The acknowledgment number."""
        _, offset = dissect.transport(self.data)
        return int.from_bytes(self.data[offset + 8 : offset + 12])

    @property
    def payload(self) -> bytes:
        """What it carries."""
        _, offset = dissect.transport(self.data)
        return self.data[offset + (self.data[offset + 12] >> 4) * 4 :]

    def nth(self, what: str) -> int:
        """How often this connection has met `what` by now, this time included: 1 the first time."""
        count: int = self.here.get(what, 0) + 1
        self.here[what] = count
        return count

    def but(
        self, *, flags: str | None = None, seq: int | None = None, ack: int | None = None, payload: bytes | None = None
    ) -> Self:
        """The same segment with other contents; lengths and checksums follow."""
        from scapy.layers.inet import IP, TCP
        from scapy.layers.inet6 import IPv6

        is_inet6 = self.data[0] >> 4 == 6
        packet = (IPv6 if is_inet6 else IP)(self.data)
        tcp = packet[TCP]
        if flags is not None:
            tcp.flags = flags
        if seq is not None:
            tcp.seq = seq % 2**32
        if ack is not None:
            tcp.ack = ack % 2**32
        if payload is not None:
            tcp.remove_payload()
            tcp.add_payload(payload)
        del tcp.chksum
        for name in ("plen",) if is_inet6 else ("len", "chksum"):
            packet.delfieldval(name)
        return replace(self, data=bytes(packet))

    @property
    def after(self) -> int:
        """The sequence number that follows it: a SYN counts one, and so does a FIN."""
        return (self.seq + self.length + len({"S", "F"} & set(self.flags))) % 2**32


@dataclass(frozen=True)
class Arrived(Sent):
    """One TCP segment as it reaches the IUT; `last` is the IUT's own last one with an ACK, or its SYN."""

    last: Sent = field(kw_only=True)

    @property
    def expected(self) -> int:
        """RCV.NXT: the sequence number that the IUT has acknowledged last."""
        return self.last.ack

    def answer(self, flags: str) -> Sent:
        """A segment of the IUT without payload, at SND.NXT, that acknowledges what it has acknowledged before."""
        return replace(self.last.but(flags=flags, seq=self.last.after, payload=b""), here=self.here)


Filter: TypeAlias = Callable[[Any], "Sent | list[Sent] | None"]


@dataclass(frozen=True)
class Rewriter:
    """What is wrong with an implementation: `segment` changes what it sends, `arrival` what it takes in."""

    segment: Filter | None = None
    arrival: Filter | None = None


class Rewriting:
    """A rewriter at work on one connection."""

    def __init__(self, rewriter: Rewriter) -> None:
        self._rewriter = rewriter
        self._here: dict[Any, Any] = {}
        self._last: Sent | None = None

    def sending(self, data: bytes) -> list[bytes]:
        """The packets that are put on the link in place of this one of the IUT."""
        if dissect.contents(data) is None:
            return [data]
        sent = Sent(data, self._here)
        if self._last is None or "A" in sent.flags:  # a RST for what has no connection acknowledges nothing
            self._last = sent
        return [data for data, _ in _instead(self._rewriter.segment, sent)]

    def arriving(self, data: bytes) -> tuple[list[bytes], list[bytes]]:
        """What the IUT takes in in place of this packet, and the packets that it answers by itself."""
        if dissect.contents(data) is None or self._last is None:
            return [data], []
        instead = _instead(self._rewriter.arrival, Arrived(data, self._here, last=self._last))
        return [data for data, comes in instead if comes], [data for data, comes in instead if not comes]


def _instead(change: Filter | None, segment: Sent) -> list[tuple[bytes, bool]]:
    """What a filter makes of a segment, each with whether it is one that arrives."""
    changed = segment if change is None else change(segment)
    several = changed if isinstance(changed, list) else [] if changed is None else [changed]
    return [(each.data, isinstance(each, Arrived)) for each in several]
