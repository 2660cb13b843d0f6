# SPDX-License-Identifier: MIT
"""Group B: the peer aborts, or resets after its own end, and the implementation calls whatever it has."""

import pytest

from conformance.execution.casework import (
    PEER,
    POSTS,
    SURFACES,
    Connection,
    Death,
    both_roles,
    exercises,
    on,
    posts,
    waits,
    where,
)

THE_ABORT = ("IND-ABORT-01", "IND-ABORT-02", "POSIX-RECV-02")
ABORTS = [
    pytest.param(False, id="linger-0"),
    # Elsewhere a close with something unread is as graceful as any other.
    pytest.param(True, marks=where("transport:tcp | transport:mptcp | transport:unix"), id="unread"),
]
BLOCKED = pytest.param(None, id="blocked")
WAITING = [BLOCKED, *posts(exercises("IND-OVL-02"))]
OVER_TCP = where("transport:tcp | transport:mptcp | transport:reference | transport:websocket", "op:set_option")
PREFIX = [0, *(pytest.param(length, marks=exercises("IND-ABORT-04")) for length in (1, 1460, 100_000))]


@both_roles
@exercises(*THE_ABORT, "IND-ABORT-03", "WIRE-RST-01")
@pytest.mark.parametrize("unread", ABORTS)
@pytest.mark.parametrize("queued", PREFIX)
def test_peer_aborts(connection: Connection, queued: int, unread: bool) -> None:
    """The peer sends and aborts in one burst; the implementation reads on until it is told, and past it."""
    connection.peer.send(queued)
    connection.peer_aborts(unread=unread)
    connection.iut.read_to_the_end()
    connection.iut.read(times=2)
    connection.iut.send(1)
    connection.iut.read()


@exercises(*THE_ABORT)
@pytest.mark.parametrize("unread", ABORTS)
@pytest.mark.parametrize("surface", SURFACES)
def test_peer_aborts_over_each_surface(connection: Connection, surface: str, unread: bool) -> None:
    """The implementation learns of the abort over each surface."""
    connection.peer_aborts(unread=unread)
    connection.wait_for_abort(PEER)
    connection.iut.read_to_the_end(surface)
    connection.iut.read(times=2)


@waits(0.1)
@exercises("IND-ABORT-05", *THE_ABORT)
@pytest.mark.parametrize("unread", ABORTS)
@pytest.mark.parametrize("posted", WAITING)
def test_receive_waits_when_the_abort_comes(connection: Connection, posted: str | None, unread: bool) -> None:
    """A receive is already waiting when the abort comes."""
    with connection.iut.receiving(posted=posted):
        connection.settle()
        connection.peer_aborts(unread=unread)
    connection.iut.read()


@exercises("IND-ERR-01")
@pytest.mark.parametrize("unread", ABORTS)
def test_pending_error_after_an_abort(connection: Connection, unread: bool) -> None:
    """The pending error is asked for before any receive could take it, and again."""
    connection.peer_aborts(unread=unread)
    connection.wait_for_abort(PEER)
    connection.iut.call("get_error")
    connection.iut.read(times=2)
    connection.iut.call("get_error")


@exercises("IND-ERR-01")
def test_pending_error_after_a_graceful_end(connection: Connection) -> None:
    """The pending error is asked for after a graceful end."""
    connection.peer.shutdown("send")
    connection.iut.read_to_the_end()
    connection.iut.call("get_error")


@where("not transport:reference", "not transport:websocket", "not transport:quic")
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
    connection.wait_for_abort(PEER)
    connection.iut.read(times=2)
    connection.iut.send(1)


@exercises("ERR-07")
@pytest.mark.parametrize("unread", ABORTS)
@pytest.mark.parametrize("how", ["send", "receive", "both"])
def test_shutdown_after_an_abort(connection: Connection, how: str, unread: bool) -> None:
    """The implementation has been told of an abort, and shuts down all the same."""
    connection.peer_aborts(unread=unread)
    connection.iut.read_to_the_end()
    connection.iut.shutdown(how)


@where("transport:reference | transport:websocket")
@exercises(*THE_ABORT, "IND-ABORT-03")
@pytest.mark.parametrize("queued", [0, pytest.param(1460, marks=exercises("IND-ABORT-04"))])
def test_peer_dies(connection: Connection, queued: int) -> None:
    """The peer's process is killed: TCP ends, and nobody has said goodbye."""
    connection.peer.send(queued)
    connection.peer.end_by(Death())
    connection.iut.read_to_the_end()
    connection.iut.read(times=2)
    connection.iut.send(1)


@where("transport:reference | transport:websocket")
@waits(0.1)
@exercises("IND-ABORT-05", *THE_ABORT)
@pytest.mark.parametrize("posted", WAITING)
def test_receive_waits_when_the_peer_dies(connection: Connection, posted: str | None) -> None:
    """A receive is already waiting when the peer's process is killed."""
    with connection.iut.receiving(posted=posted):
        connection.settle()
        connection.peer.end_by(Death())
    connection.iut.read()


@on("wire")
@OVER_TCP
@waits(1.0)
@exercises("IND-ABORT-06")
@pytest.mark.parametrize("posted", [BLOCKED, *POSTS])
def test_nothing_is_acknowledged(connection: Connection, posted: str | None) -> None:
    """The link goes dead; what the implementation has sent is never acknowledged, and a receive waits."""
    connection.iut.set_option("USER_TIMEOUT", connection.user_timeout_ms)
    connection.link.drop(PEER)
    connection.iut.send(100)
    with connection.iut.receiving(posted=posted, wait_ms=8000):
        pass
    connection.iut.read()
    connection.iut.send(1)


@on("wire")
@OVER_TCP
@waits(2.0)
@exercises("IND-ABORT-07")
def test_keep_alive_is_not_answered(connection: Connection) -> None:
    """The link goes dead while the connection idles under keep-alive, and a receive waits."""
    for name in ("KEEPALIVE", "KEEPIDLE", "KEEPINTVL", "KEEPCNT"):
        connection.iut.set_option(name, 1)
    connection.link.drop(PEER)
    with connection.iut.receiving(wait_ms=8000):
        pass
    connection.iut.read()
    connection.iut.send(1)
