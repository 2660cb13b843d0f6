# SPDX-License-Identifier: MIT
"""What a provider claims, and what it does not claim: each is tried out, and compared with the statement afterwards."""

import pytest

from conformance.execution.casework import Close, Connection, Ending, LastWord, Shutdown, probes, waits, where


@waits(0.05)
@probes("MESSAGE_ORIENTED", "PSEUDO_STREAM")
def test_two_sends_and_one_receive(connection: Connection) -> None:
    """The peer sends twice and ends; when all of it is there, the implementation receives with room for everything."""
    connection.peer.send(10)
    connection.peer.send(20)
    connection.peer.shutdown("send")
    connection.settle()
    connection.iut.read_to_the_end()


@waits(0.05)
@probes("MESSAGE_ORIENTED", "PSEUDO_STREAM")
def test_receive_with_too_little_room(connection: Connection) -> None:
    """The peer sends twice and ends; when all of it is there, the first receive has room for half of the first."""
    connection.peer.send(10)
    connection.peer.send(20)
    connection.peer.shutdown("send")
    connection.settle()
    connection.iut.read(length=5)
    connection.iut.read_to_the_end()


@probes("GRACEFUL_CLOSE")
@pytest.mark.parametrize("ending", [Shutdown("send"), Close()], ids=str)
def test_end_with_nothing_left_to_say(connection: Connection, ending: Ending) -> None:
    """The implementation ends gracefully, with nothing unsent and nothing unread; the peer reads to the end."""
    connection.iut.end_by(ending)
    connection.peer.read_to_the_end()


@probes("DISCONNECT_DATA")
@where("op:send_disconnect", "op:recv_disconnect")
def test_disconnect_data(connection: Connection) -> None:
    """The implementation says a last word, whether it claims to be able to or not; the peer asks for it."""
    connection.iut.send_disconnect(connection.last_word(LastWord.TYPICAL))
    connection.peer.read_to_the_end()
    connection.peer.recv_disconnect()
