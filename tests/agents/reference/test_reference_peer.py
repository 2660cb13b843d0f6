# SPDX-License-Identifier: MIT
"""What a peer of the reference transport can say: each violation is an abort to the user, no end and no crash."""

from __future__ import annotations

import fcntl
import socket
import struct
import termios

import pytest

from conformance.agents.reference import tpdus
from conformance.agents.reference.tpdus import Tpdu
from conformance.trace.events import Outcome
from tests.agents.reference.ends import LONG_MS, RESET, End, Raw, error

Pair = tuple[End, Raw]

DATA = b"".join(tpdus.data(b"data"))
PART = b"".join(tpdus.data(b"part", end_of_message=False))
RELEASE = tpdus.release(b"word")

VIOLATIONS = {
    "version": b"\x02\0\0\6\1\1",
    "reserved": b"\3\1\0\6\1\1",
    "length-of-nothing": b"\3\0\0\0",
    "length-of-a-header": b"\3\0\0\4",
    "length-of-no-flags": b"\3\0\0\5\1",
    "type": b"\3\0\0\6\0\0",
    "other-type": b"\3\0\0\6\4\0",
    "data-flag": b"\3\0\0\6\1\2",
    "release-flag": b"\3\0\0\6\2\2",
    "release-denies-its-data": b"\3\0\0\7\2\0x",
    "too-much-in-a-release": b"\3\0\2\7\2\1",
    "too-much-in-an-abort": b"\3\0\2\7\3\0",
    "two-releases": RELEASE + RELEASE,
    "data-after-release": RELEASE + DATA,
    "empty-data-after-release": RELEASE + b"".join(tpdus.data(b"")),
    "release-within-a-message": PART + RELEASE,
    "text": b"GET / HTTP/1.1\r\n\r\n",
}


def assert_aborted(end: End) -> None:
    """Every call tells of the reset, from the first on, and goes on to."""
    end.await_abort()
    for _ in range(2):
        assert error(end.recv(wait_ms=LONG_MS)) == RESET
        assert error(end("send", data=b"x", wait_ms=0)) == RESET
        assert error(end("send_disconnect")) == RESET
        assert error(end("shutdown", how="both")) == RESET
    end.do("event_select", events=["FD_READ", "FD_CLOSE"], mechanism="event")
    assert end.recorded() == [("FD_CLOSE", 10054)]
    end.do("close", wait_ms=0)


@pytest.mark.parametrize("name", list(VIOLATIONS))
def test_a_violation_is_an_abort(raw: Pair, name: str) -> None:
    end, peer = raw
    peer.say(VIOLATIONS[name])
    assert peer.hear() == [Tpdu(tpdus.ABORT, tpdus.PROTOCOL_VIOLATION, b"")]
    assert_aborted(end)


@pytest.mark.parametrize("name", list(VIOLATIONS))
def test_a_violation_octet_by_octet_after_data(raw_messages: Pair, name: str) -> None:
    end, peer = raw_messages
    peer.tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer.say(DATA)
    assert end.data() == b"data"
    for octet in VIOLATIONS[name]:
        try:
            peer.say(bytes((octet,)))
        except OSError:
            break
    assert_aborted(end)


@pytest.mark.parametrize("cut", range(1, 10))
@pytest.mark.parametrize("reset", [False, True])
def test_a_packet_cut_by_the_end_of_tcp(raw: Pair, cut: int, reset: bool) -> None:
    end, peer = raw
    peer.say(RELEASE[:cut])
    if reset:
        peer.reset()
    else:
        peer.tcp.shutdown(socket.SHUT_WR)
        assert peer.hear() == [Tpdu(tpdus.ABORT, tpdus.PROTOCOL_VIOLATION, b"")]
    assert_aborted(end)


@pytest.mark.parametrize("said", [b"", DATA, PART, RELEASE, DATA + RELEASE])
@pytest.mark.parametrize("reset", [False, True])
def test_tcp_ends_before_the_connection_is_over(raw: Pair, said: bytes, reset: bool) -> None:
    end, peer = raw
    peer.say(said)
    if reset:
        peer.reset()
    else:
        peer.tcp.close()
    assert_aborted(end)


def test_an_abort_after_an_end_that_was_told(raw: Pair) -> None:
    end, peer = raw
    peer.say(RELEASE)
    assert end.at_end(end.recv())
    peer.tcp.close()
    while end.at_end(end.recv(wait_ms=0)):
        pass
    assert error(end.recv()) == RESET


@pytest.mark.parametrize("reset", [False, True])
def test_the_end_of_tcp_means_nothing_when_the_connection_is_over(raw: Pair, reset: bool) -> None:
    end, peer = raw
    end.do("send_disconnect", data=b"one")
    assert peer.hear_one() == Tpdu(tpdus.RELEASE, tpdus.DATA_PRESENT, b"one")
    peer.say(DATA, RELEASE, b"octets of nobody's concern")
    if reset:
        assert peer.hear() == []
        peer.reset()
    else:
        peer.tcp.close()
    assert end.data() == b"data"
    assert end.at_end(end.recv())
    assert end.last_word() == b"word"
    end.do("close", wait_ms=0)


@pytest.mark.parametrize("reason", [0, 1, 7, 255])
@pytest.mark.parametrize("before", [b"", DATA, RELEASE, DATA + RELEASE, PART])
def test_an_abort_of_the_peer(raw: Pair, reason: int, before: bytes) -> None:
    end, peer = raw
    peer.say(before, tpdus.abort(reason))
    assert peer.hear() == []
    assert_aborted(end)


def test_an_abort_with_data(raw: Pair) -> None:
    end, peer = raw
    peer.say(DATA, tpdus.abort(0, b"why"))
    end.await_abort()
    assert error(end.recv()) == RESET
    assert end.last_word() == b"why"
    assert error(end("recv_disconnect", length=10)) == RESET


def test_a_flood_is_not_taken_before_it_is_received(raw: Pair) -> None:
    end, peer = raw
    peer.tcp.settimeout(1)
    part = b"".join(tpdus.data(bytes(1000)))
    said = 0
    with pytest.raises(TimeoutError):
        while said < 1 << 28:
            said += peer.tcp.send(part * 100)
    assert said < 1 << 24
    assert end.do("recv", length=1000, wait_ms=LONG_MS, digest=True)["length"] == 1000
    peer.reset()
    assert_aborted(end)


@pytest.mark.parametrize("empty", [b"".join(tpdus.data(b"")), b"".join(tpdus.data(b"", end_of_message=False))])
def test_a_flood_of_nothing(raw_messages: Pair, empty: bytes) -> None:
    end, peer = raw_messages
    peer.say(empty * 100_000 if empty[-1] == 0 else empty * 500)
    peer.say(tpdus.abort())
    assert peer.hear() == []
    assert_aborted(end)


def test_what_a_user_aborts(raw: Pair) -> None:
    end, peer = raw
    end.send(b"data")
    end.do("set_linger", on=True, seconds=0)
    end.do("close", wait_ms=0)
    heard = peer.hear()
    assert heard == [Tpdu(tpdus.DATA, tpdus.EOM, b"data"), Tpdu(tpdus.ABORT, tpdus.BY_USER, b"")]


def test_an_abort_that_cannot_be_put_out_is_a_reset(raw: Pair) -> None:
    end, peer = raw
    end.fill()
    end.do("set_linger", on=True, seconds=0)
    end.do("close", wait_ms=0)
    assert peer.was_reset()


def test_data_after_a_close(raw: Pair) -> None:
    end, peer = raw
    end.do("close", wait_ms=0)
    assert peer.hear_one() == Tpdu(tpdus.RELEASE, 0, b"")
    peer.say(DATA)
    assert peer.hear() == [Tpdu(tpdus.ABORT, tpdus.BY_USER, b"")]


@pytest.mark.parametrize("octets", [10_000, 120_000])
def test_data_that_came_before_a_close(raw: Pair, octets: int) -> None:
    end, peer = raw
    peer.say(b"".join(tpdus.data(bytes(1000))) * (octets // 1000))
    while waiting_at(peer):
        pass
    end.do("close", wait_ms=0)
    assert peer.hear_one() == Tpdu(tpdus.RELEASE, 0, b"")
    peer.say(RELEASE)
    assert peer.hear() == []


def waiting_at(peer: Raw) -> int:
    """How many octets were not acknowledged yet."""
    return int(struct.unpack("i", fcntl.ioctl(peer.tcp.fileno(), termios.TIOCOUTQ, bytes(4)))[0])


def test_an_exchange_in_octets(raw: Pair) -> None:
    end, peer = raw
    end.do("send_disconnect", data=b"42")
    peer.say(bytes.fromhex("0300000a 0201 31303432"))
    assert end.at_end(end.recv())
    assert end.last_word() == b"1042"
    peer.tcp.settimeout(30)
    heard = b""
    while octets := peer.tcp.recv(100):
        heard += octets
    assert heard == bytes.fromhex("03000008 0201 3432")


def test_a_silent_peer_costs_nothing(raw: Pair) -> None:
    end, _ = raw
    assert end.recv(wait_ms=0).outcome is Outcome.TIMEOUT
