# SPDX-License-Identifier: MIT
"""Groups B and F: empty messages, message ends, and what is special to UNIX sockets."""

import pytest

from conformance.execution.casework import Close, Connection, Ending, Shutdown, exercises, where


@where("MESSAGE_ORIENTED")
@exercises("IND-MSG-02", "IND-MSG-03")
@pytest.mark.parametrize("ending", [Shutdown("send"), Close()], ids=str)
@pytest.mark.parametrize("first", [True, False], ids=["empty-first", "empty-between"])
def test_empty_message_before_data(connection: Connection, first: bool, ending: Ending) -> None:
    """An empty message comes first or in between, then data, then the end."""
    if not first:
        connection.peer.send(10)
    connection.peer.send_empty_message()
    connection.peer.send(20)
    connection.peer.end_by(ending)
    connection.iut.read_to_the_end()
    connection.iut.read()


@where("MESSAGE_ORIENTED")
@exercises("SEQ-02")
@pytest.mark.parametrize("surface", ["poll", "epoll"])
def test_empty_message_and_readiness(connection: Connection, surface: str) -> None:
    """An empty message waits; the implementation asks for readiness, reads it, and only then does the peer end."""
    connection.peer.send_empty_message()
    connection.iut.poll(surface)
    connection.iut.read()
    connection.peer.shutdown("send")
    connection.iut.read()


@exercises("UNIX-01")
@pytest.mark.parametrize("queued", [0, 100])
def test_peer_closes_with_data_unread(connection: Connection, queued: int) -> None:
    """The peer closes and has not read what the implementation sent."""
    connection.iut.send(100)
    connection.peer.send(queued)
    connection.peer.close()
    connection.iut.read_to_the_end()
    connection.iut.read(times=2)
