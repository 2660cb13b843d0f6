# SPDX-License-Identifier: MIT
"""Groups B and E: what select, poll and epoll tell when the peer, or both ends, have ended or aborted."""

import pytest

from conformance.execution.casework import PEER, Connection, exercises, waits

LEVEL_TRIGGERED = ["poll", "epoll"]


@exercises("POSIX-POLL-01")
@pytest.mark.parametrize("surface", LEVEL_TRIGGERED)
@pytest.mark.parametrize("queued", [0, 1460])
def test_half_close(connection: Connection, surface: str, queued: int) -> None:
    """The peer ends its direction; the implementation asks before that, and before and after it has read."""
    connection.iut.poll(surface, wait_ms=0)
    connection.peer.send(queued)
    connection.peer.shutdown("send")
    connection.wait_until_told(PEER)
    connection.iut.poll(surface)
    connection.iut.read_to_the_end()
    connection.iut.poll(surface)


@exercises("POSIX-POLL-02")
@pytest.mark.parametrize("surface", LEVEL_TRIGGERED)
def test_both_directions_ended(connection: Connection, surface: str) -> None:
    """Both ends have ended their direction."""
    connection.peer.shutdown("send")
    connection.wait_until_told(PEER)
    connection.iut.shutdown("send")
    connection.peer.read_to_the_end()
    connection.iut.poll(surface)
    connection.iut.read()
    connection.iut.poll(surface)


@exercises("POSIX-POLL-03")
@pytest.mark.parametrize("unread", [False, True], ids=["linger-0", "unread"])
@pytest.mark.parametrize("surface", LEVEL_TRIGGERED)
def test_abort(connection: Connection, surface: str, unread: bool) -> None:
    """The peer aborts; the implementation asks before any call takes the error."""
    connection.peer_aborts(unread=unread)
    connection.link.wait_for(PEER, "R")
    connection.settle()
    connection.iut.poll(surface)
    connection.iut.read()


@waits(0.1)
@exercises("POSIX-POLL-04")
def test_edge(connection: Connection) -> None:
    """Edge-triggered: the implementation asks until told, asks again, reads, asks again, and registers anew."""
    connection.iut.poll("epoll-et", wait_ms=0)
    connection.peer.shutdown("send")
    connection.wait_until_told(PEER)
    connection.iut.poll("epoll-et")
    connection.iut.poll("epoll-et", wait_ms=connection.limits.settle_ms)
    connection.iut.read()
    connection.iut.poll("epoll-et", wait_ms=connection.limits.settle_ms)
    connection.iut.poll("epoll-et", register=True)


@waits(0.1)
@exercises("IND-SEL-01")
@pytest.mark.parametrize("aborts", [False, True], ids=["end", "abort"])
def test_select(connection: Connection, aborts: bool) -> None:
    """The peer ends or aborts; the implementation selects, then receives, and both again when all is long over."""
    if aborts:
        connection.peer_aborts(unread=False)
    else:
        connection.peer.shutdown("send")
    connection.iut.set_blocking(False)
    connection.iut.poll("select")
    connection.iut.read()
    connection.settle()
    connection.iut.poll("select")
    connection.iut.read()
