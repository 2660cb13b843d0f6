# SPDX-License-Identifier: MIT
"""Group D: segments that no end would send, forged in the peer's name: resets off the mark, octets beyond the FIN."""

import pytest

from conformance.execution.casework import IUT, PEER, Connection, Place, both_roles, exercises, on, waits, where

pytestmark = [on("wire"), where("transport:tcp | transport:mptcp"), waits(0.3)]

NO_LIMIT_S = 5.1
"""A little more than the 5 s in which a host may answer so many such resets, and then no more (RFC 5961, 7)."""
WITHIN = {"first": (Place.EXPECTED, 1), "middle": (Place.MIDDLE, 0), "last": (Place.EDGE, -1)}
OUTSIDE = {"before": (Place.EXPECTED, -1), "edge": (Place.EDGE, 0), "beyond": (Place.BEYOND, 0)}


@both_roles
@exercises("WIRE-RST-02")
@pytest.mark.parametrize("place", WITHIN)
def test_reset_within_the_window(connection: Connection, place: str) -> None:
    """A RST comes within the window, not where it would count; again, much later, if nothing answers it."""
    connection.settle()
    reset = connection.link.forge(PEER, "R", *WITHIN[place])
    if connection.link.wait_for(IUT, after=reset) is None:
        connection.idle(NO_LIMIT_S)
        reset = connection.link.forge(PEER, "R", *WITHIN[place])
        connection.link.wait_for(IUT, after=reset)
    live_on(connection)


@both_roles
@exercises("WIRE-RST-03")
@pytest.mark.parametrize("place", OUTSIDE)
def test_reset_outside_the_window(connection: Connection, place: str) -> None:
    """A RST comes that stands before the window, or beyond it."""
    connection.settle()
    connection.link.forge(PEER, "R", *OUTSIDE[place])
    live_on(connection)


def live_on(connection: Connection) -> None:
    """Look whether anything is told; then the peer sends and ends, which shows that the connection is still there."""
    connection.settle()
    connection.iut.look_in_vain()
    connection.link.catch_up()
    connection.peer.send(100)
    connection.peer.shutdown("send")
    connection.iut.read_to_the_end()
    connection.settle()


@both_roles
@exercises("WIRE-FIN-07")
@pytest.mark.parametrize("queued", [0, 100])
def test_octets_beyond_the_fin(connection: Connection, queued: int) -> None:
    """Octets come that stand beyond the peer's FIN; the implementation reads on."""
    connection.peer.send(queued)
    connection.peer.shutdown("send")
    connection.wait_until_told(PEER)
    connection.settle()
    connection.link.forge(PEER, "PA", Place.SENT, octets=200)
    connection.settle()
    connection.link.catch_up()
    connection.iut.read_to_the_end()
    connection.iut.read()


@exercises("WIRE-RST-05")
def test_reset_in_time_wait(connection: Connection) -> None:
    """Both ends have ended, the implementation first; then a RST comes, and the peer's FIN again."""
    connection.iut.shutdown("send")
    connection.peer.read_to_the_end()
    connection.peer.shutdown("send")
    connection.iut.read_to_the_end()
    connection.wait_until_told(PEER)
    connection.settle()
    connection.link.forge(PEER, "R")
    connection.settle()
    connection.iut.read()
    fin = connection.link.wait_for(PEER, "F")
    if fin is not None:
        connection.link.repeat(fin)
    connection.settle()
