# SPDX-License-Identifier: MIT
"""Group D: segments that no end would send, forged in the peer's name: resets off the mark, octets beyond the FIN."""

import pytest

from conformance.execution.casework import IUT, PEER, Connection, Place, both_roles, exercises, on, waits, where

pytestmark = [on("wire"), where("transport:tcp | transport:mptcp"), waits(0.3)]

CHALLENGE_WINDOW_S = 5.1
"""A little more than the 5 s of RFC 5961, 7, in which a host may answer so many probes, and then no more."""
OFF_THE_MARK = {
    "first": (Place.EXPECTED, 1),
    "middle": (Place.MIDDLE, 0),
    "last": (Place.EDGE, -1),
}
OUTSIDE = {
    "before": (Place.EXPECTED, -1),
    "edge": (Place.EDGE, 0),
    "beyond": (Place.BEYOND, 0),
}


@both_roles
@exercises("WIRE-RST-02")
@pytest.mark.parametrize("where_to", OFF_THE_MARK)
def test_reset_within_the_window(connection: Connection, where_to: str) -> None:
    """A RST within the window, and not where it would count; once more, later, if nothing answers it."""
    for again in (True, False):
        connection.settle()
        reset = connection.link.forge(PEER, "R", *OFF_THE_MARK[where_to])
        connection.settle()
        if not again or connection.link.wait_for(IUT, after=reset, limit_ms=1) is not None:
            break
        connection.idle(CHALLENGE_WINDOW_S)
    connection.iut.look_in_vain()
    live_on(connection)


@both_roles
@exercises("WIRE-RST-03")
@pytest.mark.parametrize("where_to", OUTSIDE)
def test_reset_outside_the_window(connection: Connection, where_to: str) -> None:
    """A RST before the window, or beyond it."""
    connection.settle()
    connection.link.forge(PEER, "R", *OUTSIDE[where_to])
    connection.settle()
    connection.iut.look_in_vain()
    live_on(connection)


def live_on(connection: Connection) -> None:
    """Show that the connection is still there: data passes, then the peer's end."""
    connection.peer.send(100)
    connection.iut.read()
    connection.peer.shutdown("send")
    connection.iut.read_to_the_end()
    connection.settle()


@both_roles
@exercises("WIRE-FIN-07")
@pytest.mark.parametrize("queued", [0, 100])
@pytest.mark.parametrize("start", [0, -1, -50], ids=["after", "in-place-of", "across"])
def test_data_beyond_the_fin(connection: Connection, queued: int, start: int) -> None:
    """Octets that stand beyond the peer's FIN, and partly before it; the implementation reads all there is."""
    connection.peer.send(queued)
    connection.peer.shutdown("send")
    connection.wait_until_told(PEER)
    connection.settle()
    connection.link.forge(PEER, "PA", Place.SENT, start, octets=200)
    connection.settle()
    connection.iut.read_to_the_end()
    connection.iut.read()


@exercises("WIRE-RST-05")
def test_reset_in_time_wait(connection: Connection) -> None:
    """Both ends have ended, the implementation first; then a RST comes in the peer's name, and its FIN again."""
    connection.iut.shutdown("send")
    connection.peer.read_to_the_end()
    connection.peer.shutdown("send")
    connection.iut.read_to_the_end()
    connection.wait_until_told(PEER)
    connection.settle()
    fin = connection.link.wait_for(PEER, "F")
    connection.link.forge(PEER, "R")
    connection.settle()
    connection.iut.read()
    if fin is not None:
        connection.link.repeat(fin)
    connection.settle()
