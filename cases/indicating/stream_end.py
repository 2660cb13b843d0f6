# SPDX-License-Identifier: MIT
"""Group B: the peer ends gracefully, and the implementation reads to the end, and past it."""

import pytest

from conformance.execution.casework import (
    POSTS,
    SURFACES,
    Close,
    Connection,
    Death,
    Ending,
    SendDisconnect,
    Shutdown,
    ShutdownThenClose,
    both_roles,
    exercises,
    posts,
    waits,
    where,
)

GRACEFUL = [
    Shutdown("send"),
    Shutdown("both"),
    Close(),
    Close(linger=5),
    ShutdownThenClose(),
    pytest.param(SendDisconnect(), marks=where("op:send_disconnect")),
    # Where the goodbye is a unit of the transport's own, the death of a process says none.
    pytest.param(Death(), marks=where("transport:tcp | transport:mptcp | transport:unix")),
]
BLOCKED = pytest.param(None, id="blocked")

THE_END = (
    *("IND-STREAM-01", "IND-STREAM-03", "IND-STREAM-07", "POSIX-RECV-01"),
    *("IND-MSG-01", "IND-MSG-04", "SEQ-01"),
)
ALL_BEFORE = ("IND-STREAM-02", "IND-MSG-03")
QUEUED = [0, *(pytest.param(length, marks=exercises(*ALL_BEFORE)) for length in (1, 100_000))]


@exercises(*THE_END)
@pytest.mark.parametrize("queued", QUEUED)
@pytest.mark.parametrize("ending", GRACEFUL, ids=str)
def test_peer_ends_after_data(connection: Connection, queued: int, ending: Ending) -> None:
    """The peer sends and ends in one burst; only then does the implementation read, to the end and past it."""
    connection.peer.send(queued)
    connection.peer.end_by(ending)
    connection.iut.read_to_the_end()
    connection.iut.read(times=2)


@both_roles
@exercises(*THE_END, *ALL_BEFORE)
@pytest.mark.parametrize("ending", GRACEFUL, ids=str)
def test_peer_ends_whoever_connected(connection: Connection, ending: Ending) -> None:
    """The same with the implementation as the end that connected, and as the end that accepted."""
    connection.peer.send(1460)
    connection.peer.end_by(ending)
    connection.iut.read_to_the_end()
    connection.iut.read(times=2)


@exercises(*THE_END, *ALL_BEFORE)
@pytest.mark.parametrize("ending", [Shutdown("send"), Close()], ids=str)
@pytest.mark.parametrize("surface", SURFACES)
def test_peer_ends_with_full_buffers(connection: Connection, ending: Ending, surface: str) -> None:
    """The peer sends until nothing more is accepted, then ends: more than the receive buffer is under way."""
    connection.peer.fill()
    connection.peer.end_by(ending)
    connection.iut.read_to_the_end(surface)
    connection.iut.read(times=2)


@exercises(*THE_END, *ALL_BEFORE)
@pytest.mark.parametrize("surface", SURFACES)
def test_end_comes_after_the_data_was_read(connection: Connection, surface: str) -> None:
    """The implementation has read everything when the end comes."""
    connection.peer.send(1460)
    connection.iut.read()
    connection.peer.shutdown("send")
    connection.wait_until_told(connection.peer.end)
    connection.iut.read_to_the_end(surface)
    connection.iut.read(times=2)


@where("op:set_blocking")
@exercises(*THE_END)
def test_looking_before_anything_has_come(connection: Connection) -> None:
    """The implementation looks on an idle connection, without blocking and blocking for a while; then the peer ends."""
    connection.iut.set_blocking(False)
    connection.iut.read()
    connection.iut.set_blocking(True)
    connection.iut.look_in_vain()
    connection.peer.shutdown("send")
    connection.iut.read_to_the_end()
    connection.iut.read()


@waits(0.1)
@exercises("IND-STREAM-04", "IND-MSG-01", "IND-STREAM-07")
@pytest.mark.parametrize("ending", GRACEFUL, ids=str)
@pytest.mark.parametrize("posted", [BLOCKED, *posts(exercises("IND-OVL-01", "IND-OVL-03"))])
def test_receive_waits_when_the_end_comes(connection: Connection, ending: Ending, posted: str | None) -> None:
    """A receive is already waiting when the end comes."""
    with connection.iut.receiving(posted=posted):
        connection.settle()
        connection.peer.end_by(ending)
    connection.iut.read()


@waits(0.1)
@exercises(*THE_END, *ALL_BEFORE)
@pytest.mark.parametrize("posted", [BLOCKED, *POSTS])
@pytest.mark.parametrize("queued", [1, 1460])
def test_receive_waits_across_data_and_end(connection: Connection, queued: int, posted: str | None) -> None:
    """A receive is waiting when data and the end come in one burst; it takes the data, the next one the end."""
    with connection.iut.receiving(posted=posted):
        connection.settle()
        connection.peer.send(queued)
        connection.peer.shutdown("send")
    connection.iut.read_to_the_end()
    connection.iut.read(times=2)


@exercises("IND-STREAM-05", "IND-STREAM-03")
@pytest.mark.parametrize("queued", [0, 1460])
def test_peek_at_the_end(connection: Connection, queued: int) -> None:
    """The implementation peeks at what waits, and at the end, before it reads it."""
    connection.peer.send(queued)
    connection.peer.shutdown("send")
    connection.wait_until_told(connection.peer.end)
    if queued:
        connection.iut.read(flags=["PEEK"])
        connection.iut.read()
    connection.iut.read(flags=["PEEK"])
    connection.iut.read(times=2)


@where("not MESSAGE_ORIENTED", "surface:blocking")
@where("transport:tcp | transport:mptcp | transport:unix | transport:reference")
@exercises("IND-STREAM-01", "POSIX-RECV-01")
@pytest.mark.parametrize("queued", [0, pytest.param(1460, marks=exercises("IND-STREAM-02"))])
def test_receive_of_more_than_comes(connection: Connection, queued: int) -> None:
    """The implementation waits for all of what it asks for (MSG_WAITALL); the peer sends less, and ends."""
    connection.peer.send(queued)
    connection.peer.shutdown("send")
    connection.iut.read(flags=["WAITALL"])
    connection.iut.read(times=2)


@where("PARTIAL_MESSAGE")
@exercises("IND-STREAM-08")
@pytest.mark.parametrize("queued", [0, pytest.param(1460, marks=exercises("IND-MSG-03"))])
def test_end_of_messages_read_in_parts(connection: Connection, queued: int) -> None:
    """The implementation takes a part of a message at a time (PARTIAL), and so meets the end."""
    connection.peer.send(queued)
    connection.peer.shutdown("send")
    if queued:
        connection.iut.read(flags=["PARTIAL"], length=1000)
        connection.iut.read(flags=["PARTIAL"], length=1000)
    connection.iut.read(times=2, flags=["PARTIAL"])
    connection.iut.read()
