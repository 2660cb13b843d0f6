# SPDX-License-Identifier: MIT
"""Group D: what the implementation does when the link drops, holds or repeats what passes."""

import pytest

from conformance.execution.casework import IUT, PEER, Connection, End, exercises, on, waits, where

pytestmark = [on("wire"), where("transport:tcp | transport:mptcp"), waits(0.2)]

RETRANSMISSION_MS = 8000
"""RFC 6298 lets a first retransmission take a second and more; a FIN that has not come again by now will not come."""


@exercises("WIRE-FIN-03")
@pytest.mark.parametrize("queued", [0, 1000])
def test_lost_fin(connection: Connection, queued: int) -> None:
    """The implementation's first FIN gets lost."""
    connection.link.drop(IUT, "F", first=1)
    connection.iut.send(queued)
    connection.iut.shutdown("send")
    connection.link.wait_for(IUT, "F", more=1, limit_ms=RETRANSMISSION_MS)
    connection.peer.read_to_the_end()


@exercises("WIRE-FIN-03")
def test_lost_acknowledgement_of_the_fin(connection: Connection) -> None:
    """The implementation's FIN arrives, and what the peer sends back gets lost for a while."""
    connection.link.drop(PEER)
    connection.iut.shutdown("send")
    connection.link.wait_for(IUT, "F", more=1, limit_ms=RETRANSMISSION_MS)
    connection.peer.read_to_the_end()


@exercises("WIRE-FIN-02")
def test_fin_comes_on_data_alone(connection: Connection) -> None:
    """The peer's FIN rides on data, and the link drops it wherever it comes without: it counts the first time."""
    connection.link.drop(PEER, "F", data=False)
    connection.peer.set_option("CORK", 1)
    connection.peer.send(1000)
    connection.peer.shutdown("send")
    connection.iut.read_to_the_end()
    connection.iut.read()


@exercises("WIRE-FIN-05")
@pytest.mark.parametrize("queued", [1, 1000])
def test_fin_before_the_data(connection: Connection, queued: int) -> None:
    """The peer's FIN overtakes its data; the implementation looks before and after the data has come."""
    connection.link.hold(PEER, data=True)
    connection.peer.send(queued)
    connection.peer.shutdown("send")
    connection.link.wait_for(PEER, "F", data=False)
    connection.iut.look_in_vain()
    connection.link.release()
    connection.iut.read_to_the_end()
    connection.iut.read()


@exercises("WIRE-FIN-06")
@pytest.mark.parametrize(
    "surface",
    [
        "blocking",
        "epoll-et",
        pytest.param("event", marks=where("surface:event", "op:enum_events")),
        pytest.param("message", marks=where("surface:message")),
    ],
)
def test_repeated_fin(connection: Connection, surface: str) -> None:
    """The peer's FIN comes again after the implementation has been told of the end, and has read it."""
    quiet_ms = connection.limits.settle_ms
    if surface == "epoll-et":
        connection.iut.poll(surface, wait_ms=0)
    connection.peer.shutdown("send")
    connection.wait_until_told(PEER)
    connection.iut.read_to_the_end("blocking" if surface == "epoll-et" else surface)
    if surface == "epoll-et":
        connection.iut.poll(surface, wait_ms=quiet_ms)
        connection.iut.poll(surface, wait_ms=quiet_ms)
    elif surface != "blocking":
        connection.iut.await_event(mechanism=surface, wait_ms=quiet_ms)
    fin_comes_again(connection)
    if surface == "epoll-et":
        connection.iut.poll(surface, wait_ms=quiet_ms)
    elif surface != "blocking":
        connection.iut.await_event(mechanism=surface, wait_ms=quiet_ms)
    connection.iut.read(times=2)


@exercises("WIRE-SIM-01")
@pytest.mark.parametrize("queued", [0, 1000])
def test_crossing_fins(connection: Connection, queued: int) -> None:
    """Each end sends its FIN before it has got the other's."""
    connection.link.hold(IUT, "F")
    connection.iut.send(queued)
    connection.iut.shutdown("send")
    connection.link.wait_for(IUT, "F")
    connection.peer.shutdown("send")
    connection.link.wait_for(PEER, "F")
    connection.link.release()
    connection.iut.read_to_the_end()
    connection.peer.read_to_the_end()
    connection.wait_until_told(PEER)
    connection.wait_until_told(IUT)
    connection.settle()


@exercises("WIRE-RST-04")
def test_repeated_reset(connection: Connection) -> None:
    """The peer aborts, and its RST comes again when nothing is left of the connection."""
    connection.peer_aborts(unread=False)
    reset = connection.link.wait_for(PEER, "R")
    connection.iut.read()
    connection.iut.close()
    if reset is not None:
        connection.link.repeat(reset)
    connection.settle()


@exercises("WIRE-TW-01")
@pytest.mark.parametrize("first", [IUT, PEER], ids=["active", "passive"])
def test_fin_again_after_both_closed(connection: Connection, first: End) -> None:
    """Both ends have closed, one of them first; then the peer's FIN comes again."""
    one, two = connection.at(first), connection.at(first.other)
    one.shutdown("send")
    two.read_to_the_end()
    two.shutdown("send")
    one.read_to_the_end()
    one.close()
    two.close()
    connection.settle()
    fin_comes_again(connection)


def fin_comes_again(connection: Connection) -> None:
    """The peer's FIN comes again, and the implementation has the time to answer it."""
    fin = connection.link.wait_for(PEER, "F")
    if fin is not None:
        connection.link.wait_for(IUT, after=connection.link.repeat(fin))
    connection.settle()


@waits(1.0)
@exercises("WIRE-TMO-01")
@pytest.mark.parametrize("finished", [False, True], ids=["data", "data-and-fin"])
def test_nothing_is_acknowledged(connection: Connection, finished: bool) -> None:
    """The link goes dead; what the implementation has sent is never acknowledged."""
    connection.iut.set_option("USER_TIMEOUT", connection.user_timeout_ms)
    connection.link.drop(PEER)
    connection.iut.send(100)
    if finished:
        connection.iut.shutdown("send")
    connection.iut.read(wait_ms=8000)
    connection.iut.read()


@waits(2.0)
@exercises("WIRE-TMO-02")
def test_keep_alive_is_not_answered(connection: Connection) -> None:
    """The link goes dead while the connection idles under keep-alive."""
    for name in ("KEEPALIVE", "KEEPIDLE", "KEEPINTVL", "KEEPCNT"):
        connection.iut.set_option(name, 1)
    connection.link.drop(PEER)
    connection.iut.read(wait_ms=8000)
    connection.iut.read()
