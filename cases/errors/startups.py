# SPDX-License-Identifier: MIT
"""Group G: a service provider is started up more than once, and cleaned up while its sockets are in use."""

import pytest

from conformance.execution.casework import Connection, exercises, where

pytestmark = where("op:startup", "op:cleanup")


def start_again(connection: Connection) -> None:
    """Start the provider up once more, and make a socket."""
    if connection.iut.startup().result is not None:
        connection.iut.open(connection.family)


@exercises("ERR-10")
def test_cleanup_with_an_open_socket(connection: Connection) -> None:
    """The provider is cleaned up for the last time while a connection is in use; then it is started up again."""
    connection.iut.cleanup()
    connection.peer.read_to_the_end()
    connection.peer.read()
    start_again(connection)


@exercises("ERR-10")
@pytest.mark.parametrize("queued", [1460, None], ids=["1460", "full"])
def test_cleanup_with_a_closed_socket(connection: Connection, queued: int | None) -> None:
    """A socket was closed with data left to send when the provider is cleaned up for the last time."""
    if queued is None:
        connection.iut.fill()
    else:
        connection.iut.send(queued)
    connection.iut.close()
    connection.iut.cleanup()
    connection.peer.read_to_the_end()
    connection.peer.read()
    start_again(connection)


@exercises("ERR-11")
def test_fewer_cleanups_than_startups(connection: Connection) -> None:
    """Started up three times, cleaned up twice; then data goes both ways, and the implementation ends."""
    connection.iut.startup()
    connection.iut.startup()
    connection.iut.cleanup()
    connection.iut.cleanup()
    connection.iut.send(1460)
    connection.peer.read()
    connection.peer.send(1460)
    connection.iut.read()
    connection.iut.shutdown("send")
    connection.peer.read_to_the_end()
