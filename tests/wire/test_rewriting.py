# SPDX-License-Identifier: MIT
"""What the IUT puts on the link, changed as if it had sent it so."""

from __future__ import annotations

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6

from conformance.wire.rewriting import Arrived, Rewriter, Rewriting, Sent

OTHER = b"no packet of TCP at all, but long enough"


def packet(version: int = 4, payload: bytes = b"abc", flags: str = "FPA", ack: int = 200) -> bytes:
    network = IP(src="10.0.0.1", dst="10.0.0.2") if version == 4 else IPv6(src="fd00::1", dst="fd00::2")
    return bytes(network / TCP(sport=1, dport=2, seq=100, ack=ack, flags=flags, options=[("NOP", None)] * 4) / payload)


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

    rewriting = Rewriting(Rewriter(fin_twice))
    assert rewriting.sending(packet(flags="R")) == []
    assert rewriting.sending(packet(flags="A")) == [packet(flags="A")]
    assert [Sent(data).seq for data in rewriting.sending(packet(flags="F"))] == [100, 101]
    assert rewriting.sending(OTHER) == [OTHER]
    assert rewriting.arriving(packet(flags="R")) == ([packet(flags="R")], [])


def test_memory_is_of_one_connection() -> None:
    def second_only(sent: Sent) -> Sent | None:
        return sent if sent.nth("segment") > 1 else None

    one, other = Rewriting(Rewriter(second_only)), Rewriting(Rewriter(second_only))
    assert [len(made.sending(packet())) for made in (one, one, other)] == [0, 1, 0]


@pytest.mark.parametrize("version", [4, 6])
def test_what_arrives_is_taken_changed_or_not_at_all_and_may_be_answered(version: int) -> None:
    def wrong(arrival: Arrived) -> Arrived | Sent | list[Sent] | None:
        if "R" in arrival.flags:
            return arrival.but(seq=arrival.expected)
        if "F" in arrival.flags:
            return [arrival, arrival.answer("RA")]
        return arrival.answer("A").but(ack=7) if arrival.nth("others") == 1 else None

    rewriting = Rewriting(Rewriter(arrival=wrong))
    # Nothing can be said of what comes before the implementation has sent anything.
    assert rewriting.arriving(packet(version, flags="F")) == ([packet(version, flags="F")], [])
    rewriting.sending(packet(version, flags="FPA"))
    (taken,), answers = rewriting.arriving(packet(version, flags="R"))
    assert (Sent(taken).seq, answers) == (200, [])
    (taken,), (answer,) = rewriting.arriving(packet(version, flags="F"))
    assert taken == packet(version, flags="F")
    # Three octets and the FIN had been sent from 100 on.
    assert (Sent(answer).flags, Sent(answer).seq, Sent(answer).ack, Sent(answer).length) == ("RA", 104, 200, 0)
    taken_instead, (answer,) = rewriting.arriving(packet(version, flags="A"))
    assert (taken_instead, Sent(answer).ack) == ([], 7)
    assert rewriting.arriving(packet(version, flags="A")) == ([], [])
    assert rewriting.arriving(OTHER) == ([OTHER], [])


def test_a_segment_that_acknowledges_nothing_does_not_change_what_is_expected() -> None:
    seen: list[int] = []

    def noted(arrival: Arrived) -> Arrived:
        seen.append(arrival.expected)
        return arrival

    rewriting = Rewriting(Rewriter(arrival=noted))
    for flags, ack in (("S", 0), ("FPA", 200), ("R", 0)):
        rewriting.sending(packet(flags=flags, ack=ack))
        rewriting.arriving(packet(flags="A"))
    assert seen == [0, 200, 200]
