# SPDX-License-Identifier: MIT
"""Units on TCP: octets put together again however they came, decoded without ever failing, captured whole."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.trace.events import End, Fate, Pdu, Segment
from conformance.trace.frames import Frame
from conformance.trace.pattern import pattern
from conformance.wire.capture import SMALL_PACKETS
from conformance.wire.pdus import DECODERS, KEPT_DATA_OCTETS, MALFORMED, UNREADABLE, Unit, pdus_of
from conformance.wire.reassembly import Stream, offset
from conformance.wire.reference import DATA, RELEASE, TPDU, TPKT, ReferenceDecoder
from conformance.wire.tap import Tap
from conformance.wire.topology import Topology
from tests.wire.conftest import LIMIT_S, launch_client, python, read_line

ISN = {End.IUT: 5, End.PEER: 4_294_967_290}
GOODBYE = bytes((3, 0, 0, 13, 1, 1)) + b"goodbye"
RELEASE_42 = bytes((3, 0, 0, 8, 2, 1)) + b"42"
ABORT_1 = bytes((3, 0, 0, 6, 3, 1))


def units_of(octets: bytes, *, ended: bool = False) -> list[Unit]:
    decoder = ReferenceDecoder()
    return [*decoder.feed(octets), *(decoder.finish() if ended else ())]


# --- the reference transport ------------------------------------------------------------------------------------------


def test_the_units_of_the_reference_transport() -> None:
    part = bytes((3, 0, 0, 7, 1, 0)) + b"x"
    assert units_of(part + GOODBYE + RELEASE_42 + ABORT_1) == [
        Unit("DATA", 7, 1, b"x", False, {"flags": 0}),
        Unit("DATA", 13, 7, b"goodbye", True, {"flags": 1}),
        Unit("RELEASE", 8, 2, b"42", True, {"flags": 1}),
        Unit("ABORT", 6, 0, b"", True, {"reason": 1}),
    ]


def test_the_layers_make_what_the_decoder_reads() -> None:
    assert bytes(TPKT() / TPDU() / DATA(flags="EOM") / b"goodbye") == GOODBYE
    assert bytes(TPKT() / TPDU() / RELEASE(flags="DATA_PRESENT") / b"42") == RELEASE_42
    assert TPKT(GOODBYE)[DATA].flags.EOM


def test_a_release_may_carry_no_data_and_data_of_no_octets() -> None:
    for flags in (0, 1):
        assert units_of(bytes((3, 0, 0, 6, 2, flags))) == [Unit("RELEASE", 6, fields={"flags": flags})]


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        (b"\x04", "version"),
        (b"\x03\x01", "reserved"),
        (b"\x03\x00\x00\x05", "less than 6"),
        (b"\x03\x00\x00\x06\x00", "type 0"),
        (b"\x03\x00\x00\x06\x04", "type 4"),
        (b"\x03\x00\x00\x06\x01\x02", "flags 0x02"),
        (b"\x03\x00\x00\x06\x02\x80", "flags 0x80"),
        (b"\x03\x00\x02\x07\x02", "513 octets"),
        (b"\x03\x00\x02\x07\x03", "513 octets"),
        (b"\x03\x00\x00\x08\x02\x00", "says that there are none"),
    ],
)
def test_a_breach_is_told_as_soon_as_it_shows_and_nothing_after_it(octets: bytes, problem: str) -> None:
    decoder = ReferenceDecoder()
    (unit,) = [*decoder.feed(GOODBYE + octets)][1:]
    assert (unit.name, unit.octets) == (MALFORMED, len(octets))
    assert problem in unit.problem
    assert not units_of(octets[:-1])
    assert not [*decoder.feed(GOODBYE), *decoder.finish()]


def test_the_edges_of_what_is_allowed() -> None:
    for kind in (2, 3):
        assert units_of(b"\x03\x00\x02\x06" + bytes((kind, 1)) + bytes(512))[0].length == 512
    assert units_of(b"\x03\x00\xff\xff\x01\x01" + bytes(65529))[0].length == 65529
    assert units_of(b"\x03\x00\x00\x06\x03\xff")[0].fields == {"reason": 255}


def test_octets_after_an_abort_are_nobodys() -> None:
    assert [unit.name for unit in units_of(ABORT_1 + b"nonsense", ended=True)] == ["ABORT"]


def test_a_unit_that_tcp_cuts_off_is_malformed() -> None:
    assert [unit.name for unit in units_of(GOODBYE[:-1])] == []
    (unit,) = units_of(GOODBYE[:-1], ended=True)
    assert (unit.name, unit.octets) == (MALFORMED, 12)
    assert [unit.name for unit in units_of(GOODBYE, ended=True)] == ["DATA"]


@pytest.mark.parametrize("transport", DECODERS)
@given(data=st.lists(st.binary(max_size=40), max_size=8), client=st.sampled_from(End))
def test_garbage_never_raises(transport: str, data: list[bytes], client: End) -> None:
    for decoder in DECODERS[transport](client).values():
        for octets in data:
            assert all(unit.octets >= 0 for unit in decoder.feed(octets))
        assert all(unit.problem for unit in decoder.finish())


# --- reassembly -------------------------------------------------------------------------------------------------------


def frame_of(segment: Segment, octets: bytes) -> Frame:
    """An IPv4 packet with a TCP header of 20 octets; no checksums."""
    total = 40 + segment.length
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, total, 0, 0, 64, 6, 0, bytes(4), bytes(4))
    tcp = struct.pack(">HHIIBBHHH", 40000, 10000, segment.seq, segment.ack, 0x50, 0, 0, 0, 0)
    return Frame(at=segment.at, data=ip + tcp + octets, length=total)


class Tape:
    """Frames and segments in the making: the peer is the client."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.frames: list[Frame] = []
        self.put(End.PEER, "S", -1)
        self.put(End.IUT, "SA", -1, ack=0)

    def put(
        self,
        sender: End,
        flags: str,
        start: int,
        octets: bytes = b"",
        *,
        ack: int = 0,
        kept: int | None = None,
        fate: Fate = Fate.DELIVERED,
    ) -> None:
        ports = (40000, 10000) if sender is End.PEER else (10000, 40000)
        segment = Segment(
            at=1000 + len(self.segments),
            sender=sender,
            flags=flags,
            seq=(ISN[sender] + 1 + start) % 2**32,
            ack=(ISN[sender.other] + 1 + ack) % 2**32,
            window=1,
            length=len(octets),
            source_port=ports[0],
            destination_port=ports[1],
            frame=len(self.segments) + 1,
            fate=fate,
        )
        self.segments.append(segment)
        self.frames.append(frame_of(segment, octets[:kept]))

    def pdus(self) -> list[Pdu]:
        return pdus_of(self.frames, self.segments, End.IUT, "reference")


@st.composite
def scrambled(draw: st.DrawFn) -> tuple[bytes, list[tuple[int, bytes]]]:
    """A direction's octets, and pieces of them that cover them all: split, repeated, overlapping, in any order."""
    octets = draw(st.binary(min_size=1, max_size=60))
    cuts = sorted(draw(st.sets(st.integers(1, len(octets)), max_size=8)) | {0, len(octets)})
    pieces = [(start, octets[start:end]) for start, end in itertools.pairwise(cuts)]
    more = draw(st.lists(st.tuples(st.integers(0, len(octets)), st.integers(0, len(octets))), max_size=6))
    pieces += [(min(pair), octets[min(pair) : max(pair)]) for pair in more]
    return octets, draw(st.permutations(pieces))


@given(scrambled())
def test_the_octets_are_the_same_in_whatever_pieces_they_come(case: tuple[bytes, list[tuple[int, bytes]]]) -> None:
    octets, pieces = case
    stream = Stream()
    assert b"".join(stream.add(*piece) for piece in pieces) == octets
    assert not stream.problem


@given(st.data())
def test_the_units_are_the_same_in_whatever_segments_they_come(data: st.DataObject) -> None:
    octets = GOODBYE + RELEASE_42 + ABORT_1
    cuts = sorted(data.draw(st.sets(st.integers(1, len(octets) - 1))) | {0, len(octets)})
    pieces = [(start, octets[start:end]) for start, end in itertools.pairwise(cuts)]
    pieces = data.draw(st.permutations(pieces + data.draw(st.lists(st.sampled_from(pieces), max_size=4))))
    tape = Tape()
    for piece in pieces:
        tape.put(End.PEER, "A", *piece)
    told = tape.pdus()
    assert [(pdu.name, pdu.upto, pdu.data) for pdu in told] == [
        ("DATA", 13, b"goodbye"),
        ("RELEASE", 21, b"42"),
        ("ABORT", 27, b""),
    ]
    assert all(pdu.sender is End.PEER and tape.segments[pdu.frame - 1].at == pdu.at for pdu in told)


def test_dropped_and_held_octets_were_sent_and_the_harnesss_copies_were_not() -> None:
    tape = Tape()
    tape.put(End.PEER, "A", 0, GOODBYE, fate=Fate.DROPPED)
    tape.put(End.PEER, "A", 13, RELEASE_42, fate=Fate.REPEATED)
    tape.put(End.PEER, "A", 13, RELEASE_42, fate=Fate.FORGED)
    assert [(pdu.name, pdu.frame) for pdu in tape.pdus()] == [("DATA", 3)]
    tape.put(End.PEER, "A", 0, GOODBYE)
    tape.put(End.PEER, "A", 13, RELEASE_42, fate=Fate.HELD)
    assert [(pdu.name, pdu.frame) for pdu in tape.pdus()] == [("DATA", 3), ("RELEASE", 7)]


def test_both_directions_are_told_apart_and_in_order() -> None:
    tape = Tape()
    tape.put(End.IUT, "A", 0, RELEASE_42)
    tape.put(End.PEER, "A", 0, RELEASE_42, ack=8)
    assert [(pdu.sender, pdu.name) for pdu in tape.pdus()] == [(End.IUT, "RELEASE"), (End.PEER, "RELEASE")]


def test_a_fin_cuts_off_what_is_not_whole_and_a_reset_does_not() -> None:
    for flags, names in (("FA", ["DATA", MALFORMED]), ("RA", ["DATA"])):
        tape = Tape()
        tape.put(End.PEER, "A", 0, GOODBYE + b"\x03\x00")
        tape.put(End.PEER, flags, 15)
        assert [pdu.name for pdu in tape.pdus()] == names


def test_much_data_is_kept_in_part() -> None:
    tape = Tape()
    tape.put(End.PEER, "A", 0, b"\x03\x00\x13\x8e\x01\x01" + bytes(5000))
    (pdu,) = tape.pdus()
    assert (pdu.length, len(pdu.data)) == (5000, KEPT_DATA_OCTETS)


def problem_of(pdus: Sequence[Pdu]) -> str:
    assert pdus[-1].name == UNREADABLE
    return pdus[-1].problem


def test_octets_that_the_capture_did_not_keep_are_missed() -> None:
    tape = Tape()
    tape.put(End.PEER, "A", 0, GOODBYE)
    tape.put(End.PEER, "A", 13, RELEASE_42, kept=3)
    tape.put(End.PEER, "A", 13, RELEASE_42)
    assert "kept 3 of the 8 octets" in problem_of(tape.pdus())
    assert [pdu.name for pdu in tape.pdus()] == ["DATA", UNREADABLE]


def test_octets_that_only_the_receiver_has_are_missed() -> None:
    tape = Tape()
    tape.put(End.PEER, "A", 0, GOODBYE)
    tape.put(End.IUT, "A", 0, ack=13)
    assert [pdu.name for pdu in tape.pdus()] == ["DATA"]
    tape.put(End.IUT, "A", 0, ack=14)
    assert "from 13 to 14 were acknowledged" in problem_of(tape.pdus())


def test_the_acknowledgement_of_a_fin_is_not_one_of_octets() -> None:
    tape = Tape()
    tape.put(End.PEER, "FA", 0, GOODBYE)
    tape.put(End.IUT, "A", 0, ack=14)
    assert [pdu.name for pdu in tape.pdus()] == ["DATA"]


def test_octets_that_come_again_as_others_are_nobodys() -> None:
    tape = Tape()
    tape.put(End.PEER, "A", 0, GOODBYE)
    tape.put(End.PEER, "A", 6, b"welcome")
    assert "were others" in problem_of(tape.pdus())


def test_a_probe_of_one_octet_changes_nothing() -> None:
    tape = Tape()
    tape.put(End.PEER, "A", 0, GOODBYE)
    tape.put(End.PEER, "A", 12, b"\0")
    assert [pdu.name for pdu in tape.pdus()] == ["DATA"]


def test_without_a_syn_nothing_is_known() -> None:
    tape = Tape()
    tape.put(End.PEER, "A", 0, GOODBYE)
    del tape.segments[:2]
    assert "no SYN" in problem_of(tape.pdus())


@given(st.integers(0, 2**32 - 1), st.integers(-(2**31), 2**31 - 1))
def test_offsets_wrap_around(isn: int, place: int) -> None:
    assert offset((isn + 1 + place) % 2**32, isn) == place


# --- on a real link ---------------------------------------------------------------------------------------------------

SENDER = """
import socket, sys
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
for octets in sys.argv[3:]:
    connection.sendall(bytes.fromhex(octets))
connection.shutdown(socket.SHUT_WR)
connection.recv(1)
connection.close()
"""

SERVER_THAT_READS = """
import socket, sys
host, port = sys.argv[1], int(sys.argv[2])
listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
print("listening", flush=True)
connection, _ = listener.accept()
while connection.recv(1 << 20):
    pass
connection.close()
"""


def data_of(size: int) -> bytes:
    return b"\x03\x00" + (size + 6).to_bytes(2, "big") + b"\x01\x01" + bytes(size)


BIG = b"\x03\x00\xff\xff\x01\x00" + pattern(1, 65529)


def send(topology: Topology, family: str, packets: Iterable[bytes], *, transport: str = "reference") -> Tap:
    assert topology.link is not None
    address, port = topology.iut.addresses[family], topology.iut.next_port() or 29999
    tap = topology.link.claim(port, End.IUT, transport)
    server = topology.iut.launch(python(SERVER_THAT_READS, address, port))
    read_line(server)
    client = topology.peer.launch(python(SENDER, address, port, *(packet.hex() for packet in packets)))
    assert client.wait(LIMIT_S) == 0, client.stderr_tail()
    assert server.wait(LIMIT_S) == 0, server.stderr_tail()
    assert tap.flush(LIMIT_S)
    tap.close()
    return tap


@pytest.mark.parametrize("family", ["inet", "inet6"])
@pytest.mark.parametrize("name", ["loopback", "wire", "veth"])
def test_the_units_of_a_connection_are_read_from_the_link(
    opened: Callable[[str], Topology], name: str, family: str
) -> None:
    topology = opened(name)
    if family not in topology.iut.addresses:
        pytest.skip("no IPv6 here")
    tap = send(topology, family, [GOODBYE, BIG[:50000], BIG[50000:], RELEASE_42])
    told = tap.pdus()
    assert [(pdu.name, pdu.length, pdu.whole) for pdu in told] == [
        ("DATA", 7, True),
        ("DATA", 65529, False),
        ("RELEASE", 2, True),
    ]
    assert told[1].data == pattern(1, KEPT_DATA_OCTETS)
    assert all(frame.length == len(frame.data) for frame in tap.frames())
    assert topology.link is not None and topology.link.lost == 0


def test_packets_of_every_size_are_kept_whole_and_stay_in_order(opened: Callable[[str], Topology]) -> None:
    sizes = [1, 70, *range(SMALL_PACKETS.stop - 60, SMALL_PACKETS.stop - 45), 3000, 2, 60000, 3]
    topology = opened("loopback")
    tap = send(topology, "inet", [data_of(size) for size in sizes])
    assert [pdu.length for pdu in tap.pdus()] == sizes
    assert {SMALL_PACKETS.stop - 1, SMALL_PACKETS.stop} <= {frame.length for frame in tap.frames()}


def test_packets_of_other_ports_are_still_kept_in_part(opened: Callable[[str], Topology]) -> None:
    topology = opened("loopback")
    assert topology.link is not None
    held = topology.link.claim(topology.iut.next_port(), End.IUT, "reference")
    tap = send(topology, "inet", [BIG[:30000]], transport="")
    held.close()
    assert tap.pdus() == []
    sizes = [(frame.length, len(frame.data)) for frame in tap.frames()]
    assert max(length for length, _ in sizes) > 10000
    assert all(kept == min(length, 160) for length, kept in sizes)
    assert {"S", "SA"} <= {segment.flags for segment in tap.segments()}


def test_a_port_that_was_given_up_is_captured_in_part_again(opened: Callable[[str], Topology]) -> None:
    topology = opened("loopback")
    assert topology.link is not None
    port = topology.iut.next_port()
    topology.link.claim(port, End.IUT, "reference").close()
    tap = topology.link.claim(port, End.IUT)
    server = topology.iut.launch(python(SERVER_THAT_READS, "127.0.0.1", port))
    read_line(server)
    client = launch_client(topology.peer, "127.0.0.1", port, 1000, 1)
    assert client.wait(LIMIT_S) == 0 and server.wait(LIMIT_S) == 0
    assert tap.flush(LIMIT_S)
    assert {len(frame.data) for frame in tap.frames() if frame.length > 500} == {160}


def test_nobody_reads_a_transport_that_is_not_known(opened: Callable[[str], Topology]) -> None:
    topology = opened("loopback")
    assert topology.link is not None
    with pytest.raises(ValueError, match="'quic'"):
        topology.link.claim(topology.iut.next_port(), End.IUT, "quic")
