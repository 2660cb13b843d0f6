# SPDX-License-Identifier: MIT
"""Group C: fetching the peer's last word too early, twice, never or into too little room; and what it ends."""

import pytest

from conformance.execution.casework import PEER, Connection, LastWord, exercises, waits, where

pytestmark = where("op:recv_disconnect")

WORDS = [LastWord.NULL, pytest.param(LastWord.TYPICAL, marks=where("DISCONNECT_DATA"))]
WITH_DATA = where("DISCONNECT_DATA", "op:send_disconnect")


@WITH_DATA
@waits(0.1)
@exercises("DD-RECV-03")
@pytest.mark.parametrize("room", [4096, 0, None], ids=["room", "no-room", "null"])
def test_fetch_too_early(connection: Connection, room: int | None) -> None:
    """The implementation asks before the peer has said goodbye, and again when it has."""
    connection.iut.recv_disconnect(room)
    connection.peer.send_disconnect(connection.last_word(LastWord.TYPICAL))
    connection.wait_until_told(PEER)
    connection.iut.recv_disconnect()


@WITH_DATA
@exercises("DD-RECV-08", "DD-RECV-01")
def test_fetch_twice(connection: Connection) -> None:
    """The implementation fetches the same data twice."""
    connection.peer.send_disconnect(connection.last_word(LastWord.TYPICAL))
    connection.iut.read_to_the_end()
    connection.iut.recv_disconnect()
    connection.iut.recv_disconnect()


@WITH_DATA
@exercises("IND-STREAM-01", "IND-STREAM-03", "IND-MSG-01", "IND-MSG-04")
def test_never_fetched(connection: Connection) -> None:
    """The implementation reads to the end and beyond, ends too, and never asks for the data."""
    connection.peer.send_disconnect(connection.last_word(LastWord.TYPICAL))
    connection.iut.read_to_the_end()
    connection.iut.read(times=2)
    connection.iut.send_disconnect(None)
    connection.iut.close()
    connection.peer.read_to_the_end()


@WITH_DATA
@exercises("DD-RECV-04")
@pytest.mark.parametrize("short", [True, False], ids=["one-short", "no-room"])
@pytest.mark.parametrize("word", [LastWord.TYPICAL, LastWord.MAXIMUM], ids=str)
def test_too_little_room(connection: Connection, word: LastWord, short: bool) -> None:
    """The buffer is one octet too small, or has no room at all; then the implementation tries again with room."""
    data = connection.last_word(word) or b""
    connection.peer.send_disconnect(data)
    connection.iut.read_to_the_end()
    connection.iut.recv_disconnect(len(data) - 1 if short else 0)
    connection.iut.recv_disconnect(len(data))


@WITH_DATA
@exercises("DD-RECV-09")
def test_null_pointer_then_room(connection: Connection) -> None:
    """The implementation calls with a null pointer, and then with room."""
    connection.peer.send_disconnect(connection.last_word(LastWord.TYPICAL))
    connection.iut.read_to_the_end()
    connection.iut.recv_disconnect(None)
    connection.iut.recv_disconnect()


@where("op:send_disconnect")
@exercises("DD-RECV-06")
@pytest.mark.parametrize(
    "word", [LastWord.NULL, pytest.param(LastWord.TYPICAL, marks=where("DISCONNECT_DATA"))], ids=str
)
@pytest.mark.parametrize("goodbye", [True, False], ids=["send-disconnect", "shutdown"])
def test_fetching_ends_receiving_alone(connection: Connection, goodbye: bool, word: LastWord) -> None:
    """After the peer's goodbye and the fetch, the implementation receives, sends, and says goodbye itself."""
    connection.peer.say_goodbye(connection.last_word(word))
    connection.iut.read_to_the_end()
    connection.iut.recv_disconnect(connection.disconnect_room)
    connection.iut.read()
    connection.iut.send(1460)
    if goodbye:
        connection.iut.send_disconnect(connection.last_word(word))
    else:
        connection.iut.shutdown("send")
    connection.peer.read_to_the_end()
    if connection.peer.has("recv_disconnect"):
        connection.peer.recv_disconnect()


@exercises("DD-RECV-07")
@pytest.mark.parametrize("seconds", [3, 0])
def test_fetching_under_linger(connection: Connection, seconds: int) -> None:
    """Linger is on and the queue is full; the implementation calls RecvDisconnect, then asks for an option, closes."""
    connection.iut.set_linger(seconds)
    connection.iut.fill()
    connection.peer.shutdown("send")
    connection.iut.read_to_the_end()
    connection.iut.recv_disconnect(connection.disconnect_room)
    connection.iut.call("get_linger")
    connection.iut.call("names")
    connection.iut.set_linger(None)
    connection.iut.close()
    connection.peer.read_to_the_end()


@where("not DISCONNECT_DATA")
@exercises("DD-RECV-05")
@pytest.mark.parametrize("room", [4096, None], ids=["room", "null"])
def test_fetch_where_there_is_nothing(connection: Connection, room: int | None) -> None:
    """No disconnect data is claimed; after the end the implementation asks for some all the same."""
    connection.peer.shutdown("send")
    connection.iut.read_to_the_end()
    connection.iut.recv_disconnect(room)


@where("not DISCONNECT_DATA", "op:send_disconnect")
@exercises("DD-SEND-02", "ERR-08")
def test_last_word_where_there_is_none(connection: Connection) -> None:
    """No disconnect data is claimed; the implementation gives some all the same, then sends, then ends."""
    connection.iut.send_disconnect(connection.last_word(LastWord.TYPICAL))
    connection.settle()
    connection.iut.send(1460)
    connection.peer.send(1460)
    connection.iut.read()
    connection.iut.shutdown("send")
    connection.peer.read_to_the_end()
