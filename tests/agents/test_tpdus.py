# SPDX-License-Identifier: MIT
"""The reference transport's wire format: what is written is read again however it was cut, and all else is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.agents.reference import tpdus
from conformance.agents.reference.tpdus import Tpdu

TPDUS = st.one_of(
    st.builds(Tpdu, st.just(tpdus.DATA), st.sampled_from((0, tpdus.EOM)), st.binary(max_size=100)),
    st.builds(Tpdu, st.just(tpdus.RELEASE), st.just(tpdus.DATA_PRESENT), st.binary(max_size=512)),
    st.just(Tpdu(tpdus.RELEASE, 0, b"")),
    st.builds(Tpdu, st.just(tpdus.ABORT), st.integers(0, 255), st.binary(max_size=512)),
)


def read(octets: bytes) -> list[Tpdu]:
    reader = tpdus.Reader()
    read = list(reader.tpdus(octets))
    reader.finish()
    return read


@pytest.mark.parametrize(
    ("packet", "octets"),
    [
        (b"".join(tpdus.data(b"hi")), "0300 0008 01 01 6869"),
        (b"".join(tpdus.data(b"")), "0300 0006 01 01"),
        (b"".join(tpdus.data(b"hi", end_of_message=False)), "0300 0008 01 00 6869"),
        (tpdus.release(), "0300 0006 02 00"),
        (tpdus.release(b""), "0300 0006 02 01"),
        (tpdus.release(b"42"), "0300 0008 02 01 3432"),
        (tpdus.abort(), "0300 0006 03 00"),
        (tpdus.abort(tpdus.PROTOCOL_VIOLATION), "0300 0006 03 01"),
    ],
)
def test_the_octets(packet: bytes, octets: str) -> None:
    assert packet == bytes.fromhex(octets)


@given(st.lists(TPDUS, max_size=10), st.lists(st.integers(1, 200), min_size=1))
def test_what_is_written_is_read_however_it_was_cut(written: list[Tpdu], cuts: list[int]) -> None:
    octets = b"".join(tpdu.encoded() for tpdu in written)
    reader = tpdus.Reader()
    told: list[Tpdu] = []
    start = number = 0
    while start < len(octets):
        end = start + cuts[number % len(cuts)]
        told += reader.tpdus(octets[start:end])
        start, number = end, number + 1
    reader.finish()
    assert told == written


@given(st.binary(max_size=2000))
def test_anything_else_is_refused_or_waits_for_more(octets: bytes) -> None:
    reader = tpdus.Reader()
    try:
        for tpdu in reader.tpdus(octets):
            assert tpdu.encoded() in octets
    except tpdus.Violation as violation:
        assert str(violation)


@given(TPDUS, st.data())
def test_a_packet_that_is_cut_by_the_end(tpdu: Tpdu, draw: st.DataObject) -> None:
    octets = tpdu.encoded()
    reader = tpdus.Reader()
    assert not list(reader.tpdus(octets[: draw.draw(st.integers(1, len(octets) - 1))]))
    with pytest.raises(tpdus.Violation, match="TCP ended"):
        reader.finish()


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("02", "version 2"),
        ("0301", "reserved octet 1"),
        ("0300 0005", "length 5"),
        ("0300 0000", "length 0"),
        ("0300 0006 00", "type 0"),
        ("0300 0006 04", "type 4"),
        ("0300 0006 01 02", "flags 0x02"),
        ("0300 0006 02 81", "flags 0x81"),
        ("0300 0007 02 00", "says that there is none"),
        ("0300 0207 02", "RELEASE of 519 octets; 518"),
        ("0300 0207 03", "ABORT of 519 octets; 518"),
    ],
)
def test_a_violation_shows_as_soon_as_its_octets_are_there(octets: str, why: str) -> None:
    wrong = bytes.fromhex(octets)
    reader = tpdus.Reader()
    assert not list(reader.tpdus(wrong[:-1]))
    with pytest.raises(tpdus.Violation, match=why):
        list(reader.tpdus(wrong[-1:]))


@pytest.mark.parametrize("length", [0, 1, tpdus.DATA_MAX - 1, tpdus.DATA_MAX, tpdus.DATA_MAX + 1, 3 * tpdus.DATA_MAX])
def test_a_send_is_one_message(length: int) -> None:
    payload = bytes(length)
    parts = read(b"".join(tpdus.data(payload)))
    assert b"".join(part.data for part in parts) == payload
    assert [part.end_of_message for part in parts] == [False] * (len(parts) - 1) + [True]
    assert len(parts) == max(1, -(-length // tpdus.DATA_MAX))


@pytest.mark.parametrize("make", [tpdus.release, lambda data: tpdus.abort(0, data)])
def test_the_limit_of_disconnect_data(make: object) -> None:
    assert callable(make)
    assert read(make(bytes(512)))[0].data == bytes(512)
    with pytest.raises(ValueError, match="513 octets"):
        make(bytes(513))


def test_the_longest_data() -> None:
    longest = Tpdu(tpdus.DATA, tpdus.EOM, bytes(tpdus.DATA_MAX))
    assert longest.encoded()[:4] == bytes.fromhex("0300ffff")
    with pytest.raises(ValueError, match="65530 octets"):
        Tpdu(tpdus.DATA, tpdus.EOM, bytes(tpdus.DATA_MAX + 1)).encoded()


def test_disconnect_data_of_no_octets_is_not_none() -> None:
    none, empty = read(tpdus.release() + tpdus.release(b""))
    assert none.disconnect_data is None
    assert empty.disconnect_data == b""
