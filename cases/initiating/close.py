# SPDX-License-Identifier: MIT
"""Group A: the implementation closes, under each linger setting, with and without data left to send."""

import pytest

from conformance.execution.casework import IUT, Connection, exercises, waits, where

MODES = [True, False]
MODE_NAMES = ["blocking", "nonblocking"]
UNDRAINED = [pytest.param(True, marks=exercises("INIT-CLOSE-06")), False]
SOFT = [pytest.param(True, marks=exercises("INIT-CLOSE-01")), pytest.param(False, marks=exercises("INIT-CLOSE-02"))]
HARD = [pytest.param(True, marks=exercises("INIT-CLOSE-03")), pytest.param(False, marks=exercises("INIT-CLOSE-04"))]


@pytest.mark.parametrize("blocking", SOFT, ids=MODE_NAMES)
def test_close_with_full_buffers(connection: Connection, blocking: bool) -> None:
    """Linger is off and the queue is full; after the close the peer reads everything."""
    if not blocking:
        connection.iut.set_blocking(False)
    connection.iut.fill()
    connection.iut.close()
    connection.peer.read_to_the_end()
    connection.peer.read()


@exercises("WIRE-ABRT-01")
@pytest.mark.parametrize("blocking", HARD, ids=MODE_NAMES)
@pytest.mark.parametrize("queued", [0, 1460, None], ids=["0", "1460", "full"])
def test_hard_close(connection: Connection, queued: int | None, blocking: bool) -> None:
    """Linger is on with time 0: the implementation closes, with nothing, little or much left to send."""
    connection.iut.set_linger(0)
    connection.iut.set_blocking(blocking)
    if queued is None:
        connection.iut.fill()
    else:
        connection.iut.send(queued)
    connection.iut.close()
    connection.peer.read_to_the_end()
    connection.peer.read()


@waits(0.1)
@exercises("INIT-CLOSE-05")
def test_lingering_close_while_the_peer_reads(connection: Connection) -> None:
    """Linger is on with time; the peer begins to read when the close has waited for a while."""
    connection.iut.set_linger(5)
    connection.iut.fill()
    with connection.iut.closing(wait_ms=8000):
        connection.settle()
        connection.peer.read_to_the_end()
        connection.wait_until_told(IUT)


@waits(1.0)
@exercises("POSIX-CLOSE-01")
@pytest.mark.parametrize("blocking", UNDRAINED, ids=MODE_NAMES)
def test_lingering_close_that_cannot_drain(connection: Connection, blocking: bool) -> None:
    """Linger is on with a second; the peer does not read before that is over."""
    connection.iut.set_linger(1)
    connection.iut.set_blocking(blocking)
    connection.iut.fill()
    connection.iut.close(wait_ms=6000)
    connection.peer.read_to_the_end()


REMEDIES = ["linger-off", "linger-0", "shutdown"]


@waits(0.1)
@where("surface:nonblocking")
@exercises("INIT-CLOSE-07", "INIT-CLOSE-08")
@pytest.mark.parametrize("remedy", REMEDIES)
def test_lingering_close_that_would_block(connection: Connection, remedy: str) -> None:
    """Linger is on with time, not blocking, and the queue is full: the implementation closes, goes on, closes again."""
    connection.iut.set_linger(2)
    connection.iut.set_blocking(False)
    connection.iut.fill()
    connection.iut.close(wait_ms=6000)
    connection.peer.send(20)
    connection.settle()
    connection.iut.read()
    connection.peer.read()
    connection.settle()
    connection.iut.send(20, wait_ms=0)
    if remedy == "linger-off":
        connection.iut.set_linger(None)
    elif remedy == "linger-0":
        connection.iut.set_linger(0)
    else:
        connection.iut.shutdown("send")
    connection.iut.close(wait_ms=6000)
    connection.peer.read_to_the_end()
    connection.peer.read()


@exercises("INIT-CLOSE-09")
def test_linger_as_it_is_found(ends: Connection) -> None:
    """The linger setting of a new socket is asked for."""
    ends.iut.open(ends.family)
    ends.iut.call("get_linger")


@waits(0.1)
@exercises("INIT-CLOSE-11")
def test_close_of_a_duplicate(connection: Connection) -> None:
    """The implementation duplicates the descriptor and closes one, uses the other, then closes that."""
    first, second = connection.iut.socket, connection.iut.duplicate()
    connection.iut.close(socket=first)
    connection.settle()
    connection.peer.look_in_vain()
    connection.iut.socket = second
    connection.iut.send(1460)
    connection.peer.read()
    connection.iut.close()
    connection.peer.read_to_the_end()


@waits(0.1)
@exercises("INIT-CLOSE-12")
def test_close_after_shutdown(connection: Connection) -> None:
    """The peer has been told of the end when the implementation closes; it looks whether it is told again."""
    connection.iut.shutdown("send")
    connection.peer.read_to_the_end()
    connection.iut.close()
    connection.settle()
    connection.peer.read(times=2)
