# SPDX-License-Identifier: MIT
"""Group B: the peer ends gracefully, and the implementation reads to the end, and past it."""

import pytest

from conformance.execution.casework import (
    IUT,
    PEER,
    Close,
    Connection,
    Death,
    Ending,
    Shutdown,
    ShutdownThenClose,
    both_roles,
    exercises,
)

GRACEFUL = [Shutdown("send"), Shutdown("both"), Close(), Close(linger=5), ShutdownThenClose(), Death()]
QUEUED = [0, 1, 1460, 100_000]
SURFACES = ["blocking", "nonblocking", "select", "poll", "epoll"]

STREAM_END = ("IND-STREAM-01", "IND-STREAM-02", "IND-STREAM-03", "POSIX-RECV-01")
MESSAGE_END = ("IND-MSG-01", "IND-MSG-03", "IND-MSG-04", "SEQ-01")


@both_roles
@exercises(*STREAM_END, *MESSAGE_END)
@pytest.mark.parametrize("queued", QUEUED)
@pytest.mark.parametrize("ending", GRACEFUL, ids=str)
def test_peer_ends_after_data(connection: Connection, queued: int, ending: Ending) -> None:
    """The peer sends, then ends gracefully in one burst; the implementation has read nothing before."""
    connection.peer.send(queued)
    connection.peer.end_by(ending)
    connection.iut.read_to_the_end()
    connection.iut.read(times=2)
