# SPDX-License-Identifier: MIT
"""Bad input: a peer that speaks TCP plays the reference transport octet by octet, and breaks its rules.

Each breach is an abort to the implementation's user; what is unusual, and right, is none. The rules are those of
docs/reference-transport.md.
"""

from collections.abc import Callable, Sequence

import pytest

from conformance.execution import tpkt
from conformance.execution.casework import PEER, Close, Connection, Ending, Shutdown, exercises, peer, waits, where
from conformance.execution.tpkt import DATA, data, release

pytestmark = [where("transport:reference"), peer("kernel-tcp"), waits(0.1)]

MESSAGE, WORD = bytes(range(40)), b"last word"
CUT = data(MESSAGE, flags=0)
"""A part of a message, after which more was to come."""

TELLS_AT_ONCE = {
    "version": tpkt.tpkt(bytes((DATA, 1)), version=2),
    "reserved-octet": tpkt.tpkt(bytes((DATA, 1)), reserved=1),
    "length-4": tpkt.tpkt(b"", length=4),
    "length-5": tpkt.tpkt(b"\x01", length=5),
    "length-0": tpkt.tpkt(b"", length=0),
    "unknown-type": tpkt.tpkt(bytes((4, 0))),
    "type-0": tpkt.tpkt(bytes((0, 0))),
    "data-flag": data(MESSAGE, flags=0x03),
    "release-flag": release(WORD, flags=0x81),
    "release-data-unannounced": release(WORD, flags=0),
    "release-513": release(bytes(513)),
    "abort-513": tpkt.abort(bytes(513)),
    "release-in-a-message": CUT + release(),
    "release-with-data-in-a-message": CUT + release(WORD),
    "rubbish": b"GET / HTTP/1.1\r\n\r\n",
}
"""Breaches that show in the octets themselves."""

CUT_OFF = {
    "nothing-sent": b"",
    "header": tpkt.tpkt(bytes((DATA, 1)))[:3],
    "header-alone": data(MESSAGE)[:4],
    "data": data(MESSAGE)[:-1],
    "release": release(WORD)[:-1],
    "abort": tpkt.abort(WORD)[:-1],
    "message": CUT,
    "data-whole": data(MESSAGE),
    "unknown-type-behind-data": data(MESSAGE) + tpkt.tpkt(bytes((9, 9))),
}
"""What was sent when TCP ended, without a release."""

AFTER_RELEASE = {
    "data": data(MESSAGE),
    "empty-message": data(b""),
    "release": release(),
    "release-with-data": release(WORD),
    "version": tpkt.tpkt(bytes((DATA, 1)), version=2),
    "abort": tpkt.abort(),
}

ABORT_ROWS = ("IND-ABORT-01", "IND-ABORT-02")


MESSAGES = where("MESSAGE_ORIENTED", "not PSEUDO_STREAM")
"""In this form alone: in all forms the units are read in the same way, and a few breaches do for the others."""


def parametrised(name: str, values: dict[str, bytes], *, in_all_forms: str = "") -> pytest.MarkDecorator:
    """A case for each of these, by its name; if one is named, only that one for all forms of the provider."""
    return pytest.mark.parametrize(
        name,
        [
            pytest.param(octets, id=identity, marks=MESSAGES if in_all_forms not in ("", identity) else ())
            for identity, octets in values.items()
        ],
    )


TCP_ENDS = pytest.mark.parametrize("tcp", [Shutdown("send"), Close(linger=0)], ids=["fin", "rst"])


@exercises(*ABORT_ROWS, "IND-ABORT-03", "IND-ABORT-05")
@parametrised("breach", TELLS_AT_ONCE, in_all_forms="unknown-type")
def test_breach(connection: Connection, breach: bytes) -> None:
    """A receive is waiting when the peer breaks a rule."""
    with connection.iut.receiving():
        connection.settle()
        connection.peer.send_octets(breach)
    connection.iut.read(times=2)
    connection.iut.send(1)


@MESSAGES
@exercises("IND-FDC-02", *ABORT_ROWS)
@parametrised("breach", {name: TELLS_AT_ONCE[name] for name in ("version", "unknown-type", "release-in-a-message")})
@pytest.mark.parametrize("mechanism", ["event", "message"])
def test_breach_told_by_fd_close(connection: Connection, mechanism: str, breach: bytes) -> None:
    """The peer breaks a rule, and the implementation has asked for FD_CLOSE."""
    connection.iut.select_events("FD_CLOSE", mechanism=mechanism)
    connection.peer.send_octets(breach)
    connection.iut.await_event(mechanism=mechanism)
    connection.iut.read(times=2)


@MESSAGES
@exercises("IND-OVL-02", *ABORT_ROWS)
@parametrised("breach", {name: TELLS_AT_ONCE[name] for name in ("reserved-octet", "release-513")})
def test_breach_told_by_a_completion(connection: Connection, breach: bytes) -> None:
    """A receive is posted when the peer breaks a rule."""
    with connection.iut.receiving(posted=""):
        connection.settle()
        connection.peer.send_octets(breach)
    connection.iut.read()


@exercises(*ABORT_ROWS, "IND-ABORT-03")
@TCP_ENDS
@parametrised("sent", CUT_OFF, in_all_forms="data-whole")
def test_tcp_ends_without_a_release(connection: Connection, sent: bytes, tcp: Ending) -> None:
    """TCP ends, in order or by a reset, and the peer has not released its direction."""
    if sent:
        connection.peer.send_octets(sent)
    connection.peer.end_by(tcp)
    connection.settle()
    connection.iut.read_to_the_end()
    connection.iut.read(times=2)
    connection.iut.send(1)


@MESSAGES
@exercises("IND-FDC-02", *ABORT_ROWS)
@TCP_ENDS
@pytest.mark.parametrize("mechanism", ["event", "message"])
def test_tcp_ends_told_by_fd_close(connection: Connection, mechanism: str, tcp: Ending) -> None:
    """TCP ends without a release, and the implementation has asked for FD_CLOSE."""
    connection.iut.select_events("FD_CLOSE", mechanism=mechanism)
    connection.peer.end_by(tcp)
    connection.iut.await_event(mechanism=mechanism)
    connection.iut.read(times=2)


@exercises("IND-ABORT-05", "IND-ABORT-01", "IND-ABORT-02")
@TCP_ENDS
def test_tcp_ends_while_a_receive_waits(connection: Connection, tcp: Ending) -> None:
    """A receive is waiting when TCP ends without a release."""
    with connection.iut.receiving():
        connection.settle()
        connection.peer.end_by(tcp)
    connection.iut.read()


@exercises("IND-ABORT-08", "IND-ABORT-02")
@pytest.mark.parametrize("told_first", [False, True], ids=["untold", "told"])
@parametrised("more", AFTER_RELEASE, in_all_forms="data")
def test_more_after_a_release(connection: Connection, more: bytes, told_first: bool) -> None:
    """The peer goes on after its release; the implementation has been told of the end before, or not yet."""
    connection.peer.send_octets(release(WORD) if told_first else release(WORD) + more)
    if told_first:
        connection.iut.read()
        connection.peer.send_octets(more)
    connection.settle()
    connection.iut.read(times=3)
    connection.iut.send(1)
    connection.iut.recv_disconnect()


@exercises("IND-ABORT-08", "IND-ABORT-02")
@TCP_ENDS
def test_tcp_ends_after_the_release(connection: Connection, tcp: Ending) -> None:
    """The peer has released its direction and takes nothing more: TCP ends, and the other direction is open."""
    connection.peer.send_octets(release(WORD))
    connection.iut.read()
    connection.peer.end_by(tcp)
    connection.settle()
    connection.iut.read(times=2)
    connection.iut.send(1)


@MESSAGES
@exercises("IND-MSG-05", "IND-ABORT-02")
@pytest.mark.parametrize("partial", [False, True], ids=["recv", "recv-partial"])
@pytest.mark.parametrize("how", ["release", "fin", "rst", "abort"])
def test_end_within_a_message(connection: Connection, how: str, partial: bool) -> None:
    """A whole message, then a part of one, then the end: by a release, by TCP, or by an abort."""
    flags = ["PARTIAL"] if partial else []
    connection.peer.send_octets(data(MESSAGE))
    connection.iut.read(flags=flags)
    connection.peer.send_octets(CUT)
    if partial:
        connection.iut.read(flags=flags)
    match how:
        case "release":
            connection.peer.send_octets(release())
        case "abort":
            connection.peer.send_octets(tpkt.abort())
        case "fin":
            connection.peer.shutdown("send")
        case "rst":
            connection.peer.end_by(Close(linger=0))
    connection.settle()
    connection.iut.read(times=3, flags=flags)


@exercises(*ABORT_ROWS)
@pytest.mark.parametrize(
    ("word", "reason"),
    [
        pytest.param(WORD, 0, marks=exercises("DD-RECV-02"), id="9-octets"),
        pytest.param(bytes(range(256)) * 2, 200, marks=exercises("DD-RECV-02"), id="512-octets-unknown-reason"),
        pytest.param(b"", 1, id="no-octets-violation"),
    ],
)
def test_abort_with_data(connection: Connection, word: bytes, reason: int) -> None:
    """The peer aborts with data; the implementation is told, and asks for it."""
    connection.peer.send_octets(tpkt.abort(word, reason=reason))
    connection.iut.read()
    connection.iut.recv_disconnect()
    connection.iut.read()


# --- unusual, and right -----------------------------------------------------------------------------------------------

LEGAL = data(MESSAGE) + data(b"") + data(MESSAGE[:7], flags=0) + data(MESSAGE[7:]) + release(WORD)
"""A message, an empty one, one in two parts, and the goodbye."""
THE_END = ("IND-STREAM-01", "IND-STREAM-02", "IND-STREAM-07", "IND-MSG-01", "IND-MSG-03")


def pieces_of_one(octets: bytes) -> Sequence[bytes]:
    """Each octet on its own."""
    return [octets[place : place + 1] for place in range(len(octets))]


def whole(octets: bytes) -> Sequence[bytes]:
    """All in one segment."""
    return [octets]


def halves_across_headers(octets: bytes) -> Sequence[bytes]:
    """Cut within the headers of packets."""
    return [octets[:2], octets[2:46], octets[46:49], octets[49:51], octets[51:]]


@exercises(*THE_END, "IND-MSG-02", "DD-RECV-01")
@pytest.mark.parametrize("cut", [whole, pieces_of_one, halves_across_headers], ids=["one-segment", "octets", "headers"])
def test_units_in_any_segments(connection: Connection, cut: Callable[[bytes], Sequence[bytes]]) -> None:
    """Messages and the goodbye, cut into segments that have nothing to do with them: nothing is broken by that."""
    connection.peer.set_option("NODELAY", 1)
    for piece in cut(LEGAL):
        connection.peer.send_octets(piece, messages=3)
    connection.link.wait_for_unit(PEER, "RELEASE")
    connection.settle()
    connection.iut.read_to_the_end()
    connection.iut.read()
    connection.iut.recv_disconnect()


@exercises("IND-STREAM-01", "IND-MSG-01", "IND-STREAM-07")
@pytest.mark.parametrize(
    "word",
    [b"", pytest.param(bytes(tpkt.DISCONNECT_DATA_MAX), marks=exercises("DD-RECV-01"))],
    ids=["empty", "maximum"],
)
def test_goodbye_of_a_stranger(connection: Connection, word: bytes) -> None:
    """Another implementation's goodbye, with as much as there may be, or with no octets."""
    connection.peer.send_octets(release(word))
    connection.iut.read_to_the_end()
    connection.iut.recv_disconnect()


@exercises("IND-STREAM-01", "IND-MSG-01", "IND-STREAM-07")
@pytest.mark.parametrize("tcp", [Shutdown("send"), Close()], ids=["fin", "close"])
def test_tcp_ends_when_both_released(connection: Connection, tcp: Ending) -> None:
    """Both directions are released; what TCP does then means nothing any more."""
    connection.iut.shutdown("send")
    connection.link.wait_for_unit(connection.iut.end, "RELEASE")
    connection.peer.send_octets(release(WORD))
    connection.peer.end_by(tcp)
    connection.settle()
    connection.iut.read(times=2)
    connection.iut.recv_disconnect()
