# SPDX-License-Identifier: MIT
"""Group C without disconnect data: the exchange of totals as a plain half-close exchange."""

import pytest

from conformance.execution.casework import (
    IUT,
    PEER,
    Connection,
    End,
    Ending,
    SendDisconnect,
    Shutdown,
    exercises,
    where,
)
from conformance.execution.scenario import Notice, Part, Told

WAYS = [
    pytest.param(Shutdown("send"), marks=where("op:shutdown")),
    pytest.param(SendDisconnect(), marks=(where("op:send_disconnect"), exercises("DD-SEND-03"))),
]
MECHANISMS = [
    pytest.param(Notice.EVENT, marks=where("surface:event", "op:event_select")),
    pytest.param(Notice.MESSAGE, marks=where("surface:message", "op:event_select")),
]
CLIENTS = [pytest.param(IUT, marks=exercises("DD-SCN-04"), id="iut-begins"), pytest.param(PEER, id="peer-begins")]


@exercises("DD-SCN-05")
@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("client", CLIENTS)
def test_half_close_exchange(connection: Connection, client: End, way: Ending) -> None:
    """One end says that it is done; the other reads to the end, answers, ends too, and both close."""
    first, second = connection.at(client), connection.at(client.other)
    first.send(100)
    first.end_by(way)
    second.read_to_the_end()
    second.send(1460)
    second.end_by(way)
    first.read_to_the_end()
    second.close()
    first.close()


@where("op:event_select")
@exercises("DD-SCN-04", "IND-FDC-07", "IND-FDC-01")
@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("mechanism", MECHANISMS, ids=str)
def test_half_close_exchange_told_by_fd_close(connection: Connection, mechanism: Notice, way: Ending) -> None:
    """The implementation begins, and is told of the peer's end by FD_CLOSE, then by its receives."""
    told, part = Told(mechanism), Part(connection.iut, connection.link)
    told.prepare(part)
    connection.iut.send(100)
    connection.iut.end_by(way)
    connection.peer.read_to_the_end()
    connection.peer.end_by(way)
    told(part)
    connection.iut.read(times=2)
    connection.peer.close()
    connection.iut.close()
