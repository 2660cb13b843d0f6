# SPDX-License-Identifier: MIT
"""Reading WebSocket from the link: frames whole and in pieces, both ends, and everything that the RFC forbids."""

from __future__ import annotations

import itertools
import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.trace.events import End
from conformance.wire.pdus import MALFORMED, Unit
from conformance.wire.websocket import decoders, valid_code

IUT, PEER = End.IUT, End.PEER
REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
RESPONSE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
MASK = b"\x01\xfe\x55\xaa"


def frame(opcode: int, payload: bytes = b"", *, masked: bool = False, final: bool = True, reserved: int = 0) -> bytes:
    first = (0x80 if final else 0) | reserved << 4 | opcode
    length = len(payload)
    if length < 126:
        head = struct.pack(">BB", first, length)
    elif length < 1 << 16:
        head = struct.pack(">BBH", first, 126, length)
    else:
        head = struct.pack(">BBQ", first, 127, length)
    if not masked:
        return head + payload
    hidden = bytes(octet ^ MASK[i % 4] for i, octet in enumerate(payload))
    return bytes([head[0], head[1] | 0x80]) + head[2:] + MASK + hidden


def read(*frames: bytes, client: bool = False, response: bytes = RESPONSE, ended: bool = False) -> list[Unit]:
    """What a server (or a client) is seen to send after the upgrade."""
    both = decoders(IUT)
    ours = both[IUT if client else PEER]
    list(both[IUT].feed(REQUEST))
    list(both[PEER].feed(response))
    units = [unit for octets in frames for unit in ours.feed(octets)]
    return units + (list(ours.finish()) if ended else [])


def names(units: list[Unit]) -> list[str]:
    return [unit.name for unit in units]


# --- what is well-formed ----------------------------------------------------------------------------------------------


def test_the_upgrade_is_a_unit_of_each_direction() -> None:
    both = decoders(PEER)
    (request,) = both[PEER].feed(REQUEST)
    (response,) = both[IUT].feed(RESPONSE)
    assert (request.name, request.octets, response.octets) == ("UPGRADE", len(REQUEST), len(RESPONSE))
    assert request.fields["line"] == "GET / HTTP/1.1"


@pytest.mark.parametrize("client", [True, False], ids=["client", "server"])
@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65535, 65536, 100_001])
def test_a_message_of_each_size_of_head(client: bool, length: int) -> None:
    payload = os.urandom(length)
    whole = frame(2, payload, masked=client)
    (unit,) = read(whole, client=client)
    assert (unit.name, unit.octets, unit.length, unit.whole) == ("BINARY", len(whole), length, True)
    assert unit.data == payload[:4096]


def test_parts_of_a_message_and_a_ping_between_them() -> None:
    units = read(frame(1, b"\xe2\x82", final=False), frame(9, b"?"), frame(0, b"\xac"), frame(10))
    assert names(units) == ["TEXT", "PING", "CONTINUATION", "PONG"]
    assert [unit.whole for unit in units] == [False, True, True, True]


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1011, 1014, 3000, 3999, 4000, 4999])
def test_a_close_has_a_code_and_a_reason(code: int) -> None:
    reason = "é" * 61 + "x"
    payload = code.to_bytes(2, "big") + reason.encode()
    assert len(payload) == 125
    (unit,) = read(frame(8, payload))
    assert (unit.name, unit.length, unit.data) == ("CLOSE", 125, payload)
    assert unit.fields == {"code": code, "reason": reason}


def test_a_close_without_a_code() -> None:
    (unit,) = read(frame(8))
    assert (unit.name, unit.length, unit.fields) == ("CLOSE", 0, {"code": None, "reason": ""})


def test_what_follows_a_close_is_still_told_but_not_where_tcp_cuts_it() -> None:
    assert names(read(frame(8), frame(2, b"late"), ended=True)) == ["CLOSE", "BINARY"]
    assert names(read(frame(8), frame(2, b"late")[:3], ended=True)) == ["CLOSE"]


def test_a_compressed_message_where_that_was_agreed_on() -> None:
    agreed = RESPONSE.replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
    (unit,) = read(frame(1, b"\xff\xff", reserved=4), response=agreed)
    assert (unit.name, unit.fields) == ("TEXT", {"compressed": True})


# --- what is not ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        (frame(3), "unknown opcode 3"),
        (frame(11), "unknown opcode 11"),
        (frame(2, reserved=4), "reserved bit"),
        (frame(2, reserved=1), "reserved bit"),
        (frame(2, masked=True), "server's frame with a mask"),
        (frame(9, bytes(126)), "126 octets in a control frame"),
        (frame(8, final=False), "control frame in parts"),
        (frame(0, b"x"), "continuation of nothing"),
        (frame(1, b"x", final=False) + frame(1, b"y"), "new message within another"),
        (frame(1, b"\xff"), "not UTF-8"),
        (frame(1, b"\xe2\x82", final=False) + frame(0, b"x"), "not UTF-8"),
        (frame(1, b"\xe2\x82"), "not UTF-8"),
        (b"\x82\x7e\x00\x7d" + bytes(125), "more octets than it needs"),
        (b"\x82\x7f" + (65535).to_bytes(8, "big"), "more octets than it needs"),
        (b"\x82\x7f\xff" + bytes(7), "more octets than it needs"),
        (frame(8, b"\x03"), "1 octet"),
        (frame(8, b"\x03\xe8\xff"), "reason is not UTF-8"),
        *((frame(8, code.to_bytes(2, "big")), f"code {code}") for code in (0, 999, 1004, 1005, 1006, 1015, 2999, 5000)),
    ],
)
def test_what_the_rfc_forbids_is_malformed_and_the_last_unit(octets: bytes, problem: str) -> None:
    *_, last = read(octets, frame(2, b"more"), ended=True)
    assert last.name == MALFORMED
    assert problem in last.problem


def test_a_client_must_mask() -> None:
    (unit,) = read(frame(2, b"x"), client=True)
    assert (unit.name, unit.fields) == (MALFORMED, {"frame": "BINARY"})


def test_a_reserved_code_is_told_with_the_malformed_close() -> None:
    (unit,) = read(frame(8, b"\x03\xed"))
    assert unit.fields == {"frame": "CLOSE", "code": 1005}


@pytest.mark.parametrize("cut", [1, 2, 5, 13])
def test_a_frame_that_tcp_cuts_off(cut: int) -> None:
    whole = frame(2, b"0123456789", masked=True)
    (unit,) = read(whole[:cut], client=True, ended=True)
    assert (unit.name, unit.octets, unit.problem) == (MALFORMED, cut, "TCP ended within a frame")
    assert read(whole[:cut], client=True) == []


def test_an_end_between_frames_cuts_nothing() -> None:
    assert names(read(frame(2, b"x"), ended=True)) == ["BINARY"]


def test_a_refused_upgrade_and_something_else_altogether() -> None:
    both = decoders(IUT)
    (refused,) = both[PEER].feed(b"HTTP/1.1 403 Forbidden\r\n\r\n")
    (other,) = both[IUT].feed(b"HELO there\r\n\r\n")
    assert (refused.problem, other.problem) == ("the upgrade was refused", "no HTTP request for an upgrade")
    (endless,) = decoders(IUT)[IUT].feed(bytes(70_000))
    assert endless.name == MALFORMED
    unfinished = decoders(IUT)[IUT]
    assert list(unfinished.feed(b"GET / HT")) == []
    assert names(list(unfinished.finish())) == [MALFORMED]


# --- anything at all --------------------------------------------------------------------------------------------------


@given(octets=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300), max_size=8), client=st.booleans())
def test_nothing_raises_and_pieces_do_not_matter(octets: bytes, cuts: list[int], client: bool) -> None:
    places = [0, *sorted(min(cut, len(octets)) for cut in cuts), len(octets)]
    pieces = [octets[a:b] for a, b in itertools.pairwise(places)]
    whole = read(octets, client=client, ended=True)
    assert read(*pieces, client=client, ended=True) == whole
    assert sum(unit.octets for unit in whole) <= len(octets)


@given(st.lists(st.tuples(st.sampled_from([1, 2, 9]), st.text(max_size=40)), max_size=6), st.booleans())
def test_it_reads_what_two_libraries_write(messages: list[tuple[int, str]], client: bool) -> None:
    """wsproto and websockets write the same messages; both are read alike."""
    frames = pytest.importorskip("websockets.frames")
    wsproto = pytest.importorskip("wsproto.connection")
    events = pytest.importorskip("wsproto.events")
    kinds = {1: ("TEXT", events.TextMessage), 2: ("BINARY", events.BytesMessage), 9: ("PING", events.Ping)}
    connection = wsproto.Connection(wsproto.CLIENT if client else wsproto.SERVER)
    by_wsproto, by_websockets = b"", b""
    for opcode, text in messages:
        content = text if opcode == 1 else text.encode()[:125]
        kind = kinds[opcode][1]
        by_wsproto += connection.send(kind(content) if opcode == 9 else kind(data=content))
        octets = content.encode() if isinstance(content, str) else content
        by_websockets += frames.Frame(frames.Opcode(opcode), octets).serialize(mask=client)
    by_wsproto += connection.send(events.CloseConnection(code=4000, reason="done"))
    by_websockets += frames.Frame(frames.Opcode.CLOSE, frames.Close(4000, "done").serialize()).serialize(mask=client)
    units = read(by_wsproto, client=client, ended=True)
    assert names(units) == [*(kinds[opcode][0] for opcode, _ in messages), "CLOSE"]
    assert units == read(by_websockets, client=client, ended=True)


@given(st.integers(0, 65535))
def test_codes_are_those_that_the_libraries_take(code: int) -> None:
    frames = pytest.importorskip("websockets.frames")
    assert valid_code(code) is (code in frames.EXTERNAL_CLOSE_CODES or 3000 <= code < 5000)
