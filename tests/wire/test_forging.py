# SPDX-License-Identifier: MIT
"""Where forged segments stand, and the packets that they are: addresses, numbers, octets and checksums."""

from __future__ import annotations

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw

from conformance.trace.events import End, Fate, Segment
from conformance.trace.pattern import pattern
from conformance.wire.forging import (
    SEED,
    Forgery,
    NothingToGoBy,
    Place,
    Standing,
    forge,
    one_connection,
    packet,
)

IUT, PEER = End.IUT, End.PEER
ISN = {IUT: 5000, PEER: 2**32 - 3}
"""The peer's numbers wrap around early."""
STAMPS = [("NOP", None), ("NOP", None), ("Timestamp", (70, 80))]


class Tape:
    """Segments of one connection, by their offsets; 0 is the first after the SYN."""

    def __init__(self, scale: int | None = None) -> None:
        self.segments: list[Segment] = []
        self.put(IUT, "S", -1, scale=scale, window=64000)
        self.put(PEER, "SA", -1, ack=0, scale=scale, window=64000)

    def put(
        self,
        sender: End,
        flags: str,
        start: int,
        *,
        ack: int = 0,
        length: int = 0,
        window: int = 500,
        scale: int | None = None,
        fate: Fate = Fate.DELIVERED,
        ports: tuple[int, int] = (40_000, 10_000),
    ) -> None:
        source, destination = ports if sender is IUT else ports[::-1]
        self.segments.append(
            Segment(
                at=len(self.segments),
                sender=sender,
                flags=flags,
                seq=(ISN[sender] + 1 + start) % 2**32,
                ack=(ISN[sender.other] + 1 + ack) % 2**32,
                window=window,
                length=length,
                source_port=source,
                destination_port=destination,
                frame=len(self.segments) + 1,
                fate=fate,
                scale=scale,
            )
        )

    def offset(self, place: Place, offset: int = 0) -> int:
        """Where a segment of the peer's would stand."""
        number = Standing.of(self.segments, PEER).number(Forgery(PEER, "R", place, offset))
        return (number - ISN[PEER] - 1 + 2**31) % 2**32 - 2**31


@pytest.mark.parametrize(
    ("place", "offset", "start"),
    [
        (Place.SENT, 0, 16),
        (Place.SENT, -6, 10),
        (Place.EXPECTED, 0, 10),
        (Place.EXPECTED, -1, 9),
        (Place.EXPECTED, 1, 11),
        (Place.MIDDLE, 0, 260),
        (Place.EDGE, 0, 510),
        (Place.EDGE, -1, 509),
        (Place.BEYOND, 0, 64001),
    ],
)
def test_places_are_read_from_what_is_on_the_link(place: Place, offset: int, start: int) -> None:
    tape = Tape()
    tape.put(IUT, "A", 0)
    tape.put(PEER, "PA", 0, length=10)
    tape.put(IUT, "A", 0, ack=10)
    tape.put(PEER, "FA", 10, length=5)
    assert tape.offset(place, offset) == start


def test_a_window_is_scaled_if_both_ends_offer_it() -> None:
    for scale, edge, beyond in ((None, 500, 64001), (0, 500, 64001), (7, 64000, 64128), (8, 128_000, 128_256)):
        tape = Tape(scale)
        tape.put(IUT, "A", 0)
        assert (tape.offset(Place.EDGE), tape.offset(Place.BEYOND)) == (edge, beyond)


def test_what_the_harness_put_there_itself_moves_nothing() -> None:
    tape = Tape()
    tape.put(IUT, "A", 0)
    tape.put(PEER, "PA", 100, length=900, fate=Fate.FORGED)
    tape.put(IUT, "A", 0, ack=1000, fate=Fate.REPEATED)
    tape.put(IUT, "RA", 0, ack=1000)
    assert (tape.offset(Place.SENT), tape.offset(Place.EXPECTED)) == (0, 0)


def test_what_was_dropped_was_sent() -> None:
    tape = Tape()
    tape.put(IUT, "A", 0)
    tape.put(PEER, "FA", 0, length=5, fate=Fate.DROPPED)
    assert (tape.offset(Place.SENT), tape.offset(Place.EXPECTED)) == (6, 0)


def test_the_last_window_counts_of_several_for_the_same_octet() -> None:
    tape = Tape()
    for window in (500, 800, 300):
        tape.put(IUT, "A", 0, window=window)
    tape.put(IUT, "A", 0, ack=-1, window=900)
    assert tape.offset(Place.EDGE) == 300


def test_where_nothing_was_acknowledged_nothing_stands_anywhere() -> None:
    tape = Tape()
    with pytest.raises(NothingToGoBy, match="peer"):
        Standing.of(tape.segments, PEER)
    with pytest.raises(NothingToGoBy, match="iut"):
        Standing.of(tape.segments[1:], IUT)


def test_the_connection_is_that_of_the_last_segment_and_from_its_last_opening_on() -> None:
    tape = Tape()
    tape.put(IUT, "A", 0)
    tape.put(IUT, "S", 70_000)
    tape.put(IUT, "S", 70_000)
    tape.put(PEER, "SA", 70_000)
    tape.put(IUT, "A", 70_001, ports=(40_001, 10_000))
    assert [s.frame for s in one_connection(tape.segments, tape.segments[5])] == [4, 5, 6]


V4 = IP(src="10.77.0.2", dst="10.77.0.1", id=7, flags="DF")
V6 = IPv6(src="fd00:77::2", dst="fd00:77::1", fl=9)
OLD = TCP(sport=10_000, dport=40_000, seq=1, ack=77, flags="PA", window=99, options=STAMPS) / Raw(b"old octets")


@pytest.mark.parametrize("ip", [V4, V6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize(
    "forgery",
    [
        Forgery(PEER, "R"),
        Forgery(PEER, "RA"),
        Forgery(PEER, "PA", length=200),
        Forgery(PEER, "FA", length=1, window=5),
    ],
    ids=str,
)
def test_a_forged_packet_is_whole_and_right_in_every_checksum(ip: IP | IPv6, forgery: Forgery) -> None:
    made = packet(bytes(ip / OLD), forgery, 123)
    read = type(ip)(made)
    assert (read.src, read.dst, len(made)) == (ip.src, ip.dst, read.len if ip is V4 else 40 + read.plen)
    tcp = read[TCP]
    assert (tcp.sport, tcp.dport, tcp.seq, str(tcp.flags)) == (10_000, 40_000, 123, forgery.flags)
    assert tcp.ack == (77 if "A" in forgery.flags else 0)
    assert tcp.window == (99 if forgery.window is None else forgery.window)
    assert dict(tcp.options)["Timestamp"] == (70, 80)
    assert bytes(tcp.payload) == pattern(SEED, forgery.length)
    checked = type(ip)(made)
    for layer in (type(ip), TCP):
        if "chksum" in checked[layer].fields:
            del checked[layer].chksum
    assert bytes(checked) == made


def test_a_sender_without_time_stamps_gets_none() -> None:
    made = packet(bytes(V4 / TCP(sport=1, dport=2, options=[("MSS", 1460), ("WScale", 7)])), Forgery(PEER, "R"), 5)
    assert IP(made)[TCP].options == []


def test_a_forged_segment_looks_like_the_last_one_of_its_sender() -> None:
    tape = Tape()
    tape.put(IUT, "A", 0)
    tape.put(PEER, "A", 0)
    tape.put(PEER, "R", 0, fate=Fate.FORGED)
    packets = [bytes(V4 / TCP(sport=number, dport=2)) for number in range(len(tape.segments))]
    made = IP(forge(tape.segments, packets, Forgery(PEER, "R", Place.EXPECTED, 1)))
    assert (made[TCP].sport, made[TCP].seq) == (3, (ISN[PEER] + 2) % 2**32)


@pytest.mark.parametrize(
    ("forgery", "words"),
    [
        (Forgery(PEER, "R"), "RST from the peer: at SND.NXT"),
        (Forgery(PEER, "R", Place.EXPECTED, -1), "RST from the peer: at RCV.NXT-1"),
        (Forgery(IUT, "PA", Place.SENT, 1, 5), "PSH+ACK from the IUT: 5 octets, at SND.NXT+1"),
        (Forgery(PEER, "A", Place.EDGE, window=0), "ACK from the peer: at RCV.NXT+RCV.WND, window 0"),
    ],
)
def test_a_forgery_says_what_it_is(forgery: Forgery, words: str) -> None:
    assert str(forgery) == words
