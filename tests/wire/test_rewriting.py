# SPDX-License-Identifier: MIT
"""What the IUT puts on the link, changed as if it had sent it so."""

from __future__ import annotations

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6

from conformance.wire.rewriting import Rewriting, Sent


def packet(version: int = 4, payload: bytes = b"abc", flags: str = "FPA") -> bytes:
    network = IP(src="10.0.0.1", dst="10.0.0.2") if version == 4 else IPv6(src="fd00::1", dst="fd00::2")
    return bytes(network / TCP(sport=1, dport=2, seq=100, ack=200, flags=flags, options=[("NOP", None)] * 4) / payload)


@pytest.mark.parametrize("version", [4, 6])
def test_a_segment_can_be_read_and_changed(version: int) -> None:
    sent = Sent(packet(version))
    assert (sent.flags, sent.seq, sent.ack, sent.length, sent.payload) == ("FPA", 100, 200, 3, b"abc")
    changed = sent.but(flags="RA", seq=2**32 + 7, ack=9, payload=b"longer than before")
    assert (changed.flags, changed.seq, changed.ack) == ("RA", 7, 9)
    assert (changed.length, changed.payload) == (18, b"longer than before")


@pytest.mark.parametrize("version", [4, 6])
def test_lengths_and_checksums_follow(version: int) -> None:
    changed = Sent(packet(version)).but(payload=b"")
    network = IP if version == 4 else IPv6
    read = network(changed.data)
    again = network(changed.data)
    again[TCP].delfieldval("chksum")
    assert read[TCP].chksum == network(bytes(again))[TCP].chksum
    assert (read.len if version == 4 else read.plen + 40) == len(changed.data)


def test_what_takes_its_place() -> None:
    def fin_twice(sent: Sent) -> list[Sent] | Sent | None:
        if "R" in sent.flags:
            return None
        return [sent, sent.but(seq=sent.seq + 1)] if "F" in sent.flags else sent

    rewriting = Rewriting(fin_twice)
    assert rewriting(packet(flags="R")) == []
    assert rewriting(packet(flags="A")) == [packet(flags="A")]
    assert [Sent(data).seq for data in rewriting(packet(flags="F"))] == [100, 101]
    assert rewriting(b"no packet of TCP at all, but long enough") == [b"no packet of TCP at all, but long enough"]


def test_memory_is_of_one_connection() -> None:
    def second_only(sent: Sent) -> Sent | None:
        return sent if sent.nth("segment") > 1 else None

    one, other = Rewriting(second_only), Rewriting(second_only)
    assert [len(one(packet())), len(one(packet())), len(other(packet()))] == [0, 1, 0]
