# SPDX-License-Identifier: MIT
"""Group D: what the implementation puts on the link, and what it makes of what comes: where seeing is enough."""

import pytest

from conformance.execution.casework import IUT, PEER, Connection, exercises, waits


@exercises("WIRE-FIN-02")
@pytest.mark.parametrize("queued", [1, 1000])
def test_fin_on_data(connection: Connection, queued: int) -> None:
    """The peer holds its data back until it ends, so that the FIN rides on it."""
    connection.peer.set_option("CORK", 1)
    connection.peer.send(queued)
    connection.peer.shutdown("send")
    connection.iut.read_to_the_end()
    connection.iut.read()
    connection.wait_until_told(PEER)


@waits(2.0)
@exercises("WIRE-FIN-04")
def test_fin_of_the_peer_and_idling(connection: Connection) -> None:
    """The peer ends; the implementation does nothing for two seconds, then closes."""
    connection.peer.shutdown("send")
    connection.wait_until_told(PEER)
    connection.idle(2.0)
    connection.iut.close()
    connection.peer.read_to_the_end()


@waits(0.1)
@exercises("WIRE-ABRT-02")
def test_close_with_data_unread(connection: Connection) -> None:
    """The implementation closes and has not read what the peer sent."""
    connection.peer.send(100)
    connection.settle()
    connection.iut.close()
    connection.link.wait_for(IUT, "R")
    connection.peer.read_to_the_end()


@waits(0.1)
@exercises("WIRE-ABRT-04")
def test_shutdown_with_data_unread(connection: Connection) -> None:
    """The implementation ends its sending and has not read what the peer sent."""
    connection.peer.send(100)
    connection.settle()
    connection.iut.shutdown("send")
    connection.peer.read_to_the_end()
    connection.settle()


@exercises("WIRE-ABRT-03")
def test_data_after_a_full_close(connection: Connection) -> None:
    """The implementation has closed; the peer sends all the same."""
    connection.iut.close()
    connection.peer.read_to_the_end()
    connection.peer.send(100)
    connection.link.wait_for(IUT, "R")
    connection.settle()
