# SPDX-License-Identifier: MIT
"""What an implementation puts on a relayed link, changed on the way as if it had sent it so.

A rewriter is shown each segment of the IUT and returns what takes its place: it, others, several or None. Unlike the
rules of a case (`rules`), what it does is not the harness's doing, and the record shows it as sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from conformance.wire import dissect


@dataclass(frozen=True)
class Sent:
    """One TCP segment of the IUT, as it put it on the link; `here` is what a rewriter keeps for the connection."""

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
    ) -> Sent:
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
        return Sent(bytes(packet), self.here)


Rewriter: TypeAlias = Callable[[Sent], "Sent | list[Sent] | None"]


class Rewriting:
    """A rewriter at work on one connection."""

    def __init__(self, rewriter: Rewriter) -> None:
        self._rewriter = rewriter
        self._here: dict[Any, Any] = {}

    def __call__(self, data: bytes) -> list[bytes]:
        """The packets in place of this one."""
        if dissect.contents(data) is None:
            return [data]
        instead = self._rewriter(Sent(data, self._here))
        if instead is None:
            return []
        return [sent.data for sent in (instead if isinstance(instead, list) else [instead])]
