# SPDX-License-Identifier: MIT
"""Group G: calls that must fail, and must leave the connection as it was."""

import pytest

from conformance.execution.casework import Connection, exercises


@exercises("ERR-01")
@pytest.mark.parametrize("how", ["send", "receive", "both"])
def test_shutdown_when_not_connected(ends: Connection, how: str) -> None:
    """A socket that was never connected is shut down."""
    ends.iut.open(ends.family)
    ends.iut.shutdown(how)


@exercises("ERR-02", "ERR-08")
@pytest.mark.parametrize("how", [3, 7, -1])
def test_shutdown_of_an_unknown_direction(connection: Connection, how: int) -> None:
    """The implementation is asked to shut a direction that there is not; then data flows both ways, and ends."""
    connection.iut.shutdown(how)
    connection.iut.send(1460)
    connection.peer.read()
    connection.peer.send(1460)
    connection.iut.read()
    connection.iut.shutdown("send")
    connection.peer.read_to_the_end()


@exercises("ERR-05")
@pytest.mark.parametrize("call", ["shutdown", "recv", "send"])
def test_call_on_a_closed_handle(connection: Connection, call: str) -> None:
    """The handle has been closed, and is used all the same."""
    connection.iut.close()
    if call == "shutdown":
        connection.iut.shutdown("send")
    elif call == "recv":
        connection.iut.read(wait_ms=0)
    else:
        connection.iut.send(1, wait_ms=0)
