# SPDX-License-Identifier: MIT
"""Group B: the peer aborts, or resets after its own end, and the implementation calls whatever it has."""

import pytest

from conformance.execution.casework import PEER, Connection, both_roles, exercises, waits

SURFACES = ["blocking", "nonblocking", "select", "poll", "epoll"]
THE_ABORT = ("IND-ABORT-01", "IND-ABORT-02", "POSIX-RECV-02")
PREFIX = [0, *(pytest.param(length, marks=exercises("IND-ABORT-04")) for length in (1, 1460, 100_000))]


@both_roles
@exercises(*THE_ABORT, "WIRE-RST-01")
@pytest.mark.parametrize("unread", [False, True], ids=["linger-0", "unread"])
@pytest.mark.parametrize("queued", PREFIX)
def test_peer_aborts(connection: Connection, queued: int, unread: bool) -> None:
    """The peer sends and aborts in one burst; the implementation reads on until it is told, and past it."""
    connection.peer.send(queued)
    connection.peer_aborts(unread=unread)
    connection.iut.read_to_the_end()
    connection.iut.read(times=2)
    connection.iut.send(1)


@exercises(*THE_ABORT)
@pytest.mark.parametrize("unread", [False, True], ids=["linger-0", "unread"])
@pytest.mark.parametrize("surface", SURFACES)
def test_peer_aborts_over_each_surface(connection: Connection, surface: str, unread: bool) -> None:
    """The implementation learns of the abort over each surface."""
    connection.peer_aborts(unread=unread)
    connection.link.wait_for(PEER, "R")
    connection.iut.read_to_the_end(surface)
    connection.iut.read(times=2)


@waits(0.1)
@exercises("IND-ABORT-05", *THE_ABORT)
@pytest.mark.parametrize("unread", [False, True], ids=["linger-0", "unread"])
@pytest.mark.parametrize("posted", [False, True], ids=["blocked", "posted"])
def test_receive_waits_when_the_abort_comes(connection: Connection, posted: bool, unread: bool) -> None:
    """A receive is already waiting when the abort comes."""
    with connection.iut.receiving(posted=posted):
        connection.settle()
        connection.peer_aborts(unread=unread)
    connection.iut.read()


@exercises("IND-ERR-01")
@pytest.mark.parametrize("unread", [False, True], ids=["linger-0", "unread"])
def test_pending_error_after_an_abort(connection: Connection, unread: bool) -> None:
    """The pending error is asked for before any receive could take it, and again."""
    connection.peer_aborts(unread=unread)
    connection.link.wait_for(PEER, "R")
    connection.iut.call("get_error")
    connection.iut.read(times=2)
    connection.iut.call("get_error")


@exercises("IND-ERR-01")
def test_pending_error_after_a_graceful_end(connection: Connection) -> None:
    """The pending error is asked for after a graceful end."""
    connection.peer.shutdown("send")
    connection.iut.read_to_the_end()
    connection.iut.call("get_error")


@exercises("IND-ABORT-08")
def test_reset_after_the_peers_end(connection: Connection) -> None:
    """The peer has ended and then gives up with data unread: a reset follows its own end."""
    connection.peer.shutdown("send")
    connection.iut.read()
    connection.iut.send(100)
    connection.peer.close()
    connection.link.wait_for(PEER, "R")
    connection.iut.poll("poll", wait_ms=0)
    connection.iut.read(times=2)
    connection.iut.send(1)


@exercises("IND-ABORT-08")
def test_send_to_a_peer_that_is_gone(connection: Connection) -> None:
    """The peer has closed in both directions; what the implementation sends then draws a reset."""
    connection.peer.close()
    connection.iut.read()
    connection.iut.send(1)
    connection.link.wait_for(PEER, "R")
    connection.iut.read(times=2)
    connection.iut.send(1)


@exercises("ERR-07")
@pytest.mark.parametrize("how", ["send", "receive", "both"])
def test_shutdown_after_an_abort(connection: Connection, how: str) -> None:
    """The implementation has been told of an abort, and shuts down all the same."""
    connection.peer_aborts(unread=True)
    connection.iut.read_to_the_end()
    connection.iut.shutdown(how)
