# SPDX-License-Identifier: MIT
"""From raw packets to segments: both IP versions, extension headers, and what is no whole segment."""

from __future__ import annotations

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop
from scapy.packet import Raw

from conformance.trace.events import End
from conformance.trace.frames import Frame
from conformance.wire import dissect

SEGMENT = TCP(sport=40_000, dport=10_000, seq=7, ack=9, flags="FPA", window=512, options=[("Timestamp", (1, 2))])
PAYLOAD = Raw(b"x" * 300)
V4 = IP(src="10.77.0.2", dst="10.77.0.1")
V6 = IPv6(src="fd00:77::2", dst="fd00:77::1")


@pytest.mark.parametrize(
    "packet",
    [
        V4 / SEGMENT / PAYLOAD,
        IP(options=b"\x01" * 8) / SEGMENT / PAYLOAD,
        V6 / SEGMENT / PAYLOAD,
        V6 / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / SEGMENT / PAYLOAD,
        V6 / IPv6ExtHdrFragment(offset=0, m=0) / SEGMENT / PAYLOAD,
    ],
    ids=["IPv4", "IPv4 with options", "IPv6", "IPv6 with extension headers", "IPv6 atomic fragment"],
)
def test_a_segment_is_read_also_where_its_payload_was_cut(packet: IP | IPv6) -> None:
    whole = bytes(packet)
    for data in (whole, whole[:150]):
        frame = Frame(at=5, data=data, length=len(whole))
        segment = dissect.segment(frame, 3, 10_000, End.IUT)
        assert segment is not None
        assert (segment.sender, segment.flags, segment.length) == (End.PEER, "FPA", 300)
        assert (segment.seq, segment.ack, segment.window, segment.frame, segment.at) == (7, 9, 512, 3, 5)
        assert dissect.ports(data) == (40_000, 10_000)
        assert dissect.contents(data) == ("FPA", 300)


def test_the_listener_decides_who_sent_it() -> None:
    answer = bytes(V4 / TCP(sport=10_000, dport=40_000, flags="R"))
    frame = Frame(at=5, data=answer, length=len(answer))
    for listener in End:
        segment = dissect.segment(frame, 1, 10_000, listener)
        assert segment is not None
        assert segment.sender is listener


@pytest.mark.parametrize("bits", range(256))
def test_every_flag_has_its_letter_in_order(bits: int) -> None:
    data = bytes(V4 / TCP(sport=1, dport=2, flags=bits))
    segment = dissect.segment(Frame(at=0, data=data, length=len(data)), 1, 2, End.IUT)
    assert segment is not None
    assert segment.flags == "".join(letter for place, letter in enumerate("FSRPAUEC") if bits >> place & 1)
    assert dissect.contents(data) == (segment.flags, 0)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x45",
        bytes(V4 / UDP()),
        bytes(V4 / SEGMENT)[:39],
        bytes(V4 / SEGMENT)[:45],
        bytes(IP(frag=1) / SEGMENT),
        bytes(V6 / SEGMENT)[:59],
        bytes(V6 / IPv6ExtHdrFragment(offset=1) / SEGMENT),
        bytes(V6 / IPv6ExtHdrHopByHop())[:44],
        b"\x00" * 60,
    ],
)
def test_what_is_no_whole_segment_is_none(data: bytes) -> None:
    assert dissect.segment(Frame(at=0, data=data, length=len(data)), 1, 10_000, End.IUT) is None
    assert dissect.contents(data) is None or len(data) >= 40


def test_an_offloaded_packet_without_a_length_of_its_own_counts_by_the_link() -> None:
    data = bytearray(bytes(V6 / TCP(dport=10_000)))
    data[4:6] = b"\0\0"
    segment = dissect.segment(Frame(at=0, data=bytes(data), length=100_000), 1, 10_000, End.IUT)
    assert segment is not None
    assert segment.length == 100_000 - 60


@pytest.mark.parametrize(
    ("flags", "options", "scale"),
    [
        ("S", [("MSS", 1460), ("WScale", 7)], 7),
        ("SA", [("WScale", 0)], 0),
        ("S", [("WScale", 15)], 14),
        ("S", [("MSS", 1460)], None),
        ("S", [], None),
        ("A", [("WScale", 7)], None),
    ],
)
def test_a_syn_offers_to_scale_its_window(flags: str, options: list[tuple[str, object]], scale: int | None) -> None:
    data = bytes(V4 / TCP(sport=1, dport=2, flags=flags, options=options))
    segment = dissect.segment(Frame(at=0, data=data, length=len(data)), 1, 2, End.IUT)
    assert segment is not None
    assert segment.scale == scale
