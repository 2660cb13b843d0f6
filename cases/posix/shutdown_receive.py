# SPDX-License-Identifier: MIT
"""Group E: what the caller's own SHUT_RD does to data and to a receive that is waiting. Recorded, not judged."""

import pytest

from conformance.execution.casework import Connection, exercises, waits


@waits(0.1)
@exercises("POSIX-SHUT-01")
@pytest.mark.parametrize("early", [True, False], ids=["queued-before", "sent-after"])
def test_data_and_shut_rd(connection: Connection, early: bool) -> None:
    """Data is queued when the implementation gives up receiving, or comes after it."""
    if early:
        connection.peer.send(100)
        connection.settle()
        connection.iut.shutdown("receive")
    else:
        connection.iut.shutdown("receive")
        connection.peer.send(100)
        connection.settle()
    connection.iut.look_in_vain()
    connection.iut.look_in_vain()


@waits(0.1)
@exercises("POSIX-SHUT-02")
@pytest.mark.parametrize("how", ["receive", "both"])
def test_waiting_receive_and_shut_rd(connection: Connection, how: str) -> None:
    """A receive is waiting when the implementation gives up receiving."""
    with connection.iut.receiving():
        connection.settle()
        connection.iut.shutdown(how)
