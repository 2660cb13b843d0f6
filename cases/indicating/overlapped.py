# SPDX-License-Identifier: MIT
"""Group B: what becomes of posted receives when the connection ends, at either end."""

import pytest

from conformance.execution.casework import Close, Connection, Ending, Shutdown, exercises, waits, where

pytestmark = where(
    "op:post_recv",
    "surface:overlapped | surface:overlapped-event | surface:overlapped-routine | surface:overlapped-port",
)

ENDINGS = [
    pytest.param(Shutdown("send"), marks=exercises("IND-OVL-01", "IND-OVL-03")),
    pytest.param(Close(), marks=exercises("IND-OVL-01", "IND-OVL-03")),
    pytest.param(Close(linger=0), marks=exercises("IND-OVL-02")),
]


def post(connection: Connection, count: int) -> list[str]:
    """Post so many receives; their tokens."""
    return [connection.iut.post_read() for _ in range(count)]


def await_all(connection: Connection, tokens: list[str]) -> None:
    """Wait until each has ended; where one does not, no longer than one patience in all."""
    for token in tokens:
        if not connection.iut.completed(token):
            return


@pytest.mark.parametrize("ending", ENDINGS, ids=str)
@pytest.mark.parametrize("queued", [0, *(pytest.param(length, marks=exercises("IND-OVL-04")) for length in (20, 1460))])
def test_several_receives_when_the_end_comes(connection: Connection, queued: int, ending: Ending) -> None:
    """Three receives are posted when the peer sends one part and ends, or aborts."""
    tokens = post(connection, 3)
    connection.peer.send(queued)
    connection.peer.end_by(ending)
    await_all(connection, tokens)
    connection.iut.read()


@exercises("IND-OVL-04", "IND-OVL-01", "IND-OVL-03")
@pytest.mark.parametrize("ending", [Shutdown("send"), Close()], ids=str)
def test_receives_between_messages_and_end(connection: Connection, ending: Ending) -> None:
    """Three receives are posted; the peer sends twice, waits until that is taken, then ends."""
    tokens = post(connection, 3)
    connection.peer.send(20)
    connection.iut.completed(tokens[0])
    connection.peer.send(1460)
    connection.iut.completed(tokens[1])
    connection.peer.end_by(ending)
    await_all(connection, tokens)
    connection.iut.read(times=2)


@exercises("IND-STREAM-03", "IND-MSG-04")
def test_receive_posted_after_the_end(connection: Connection) -> None:
    """The end has been read when the implementation posts a receive."""
    connection.peer.shutdown("send")
    connection.iut.read_to_the_end()
    connection.iut.receive_posted()
    connection.iut.read(times=2)


@waits(0.1)
@pytest.mark.parametrize(
    "linger",
    [
        pytest.param(None, marks=exercises("IND-OVL-05"), id="close"),
        pytest.param(0, marks=exercises("INIT-CLOSE-03"), id="close-linger-0"),
    ],
)
@pytest.mark.parametrize("count", [1, 3])
def test_own_close_while_receives_wait(connection: Connection, count: int, linger: int | None) -> None:
    """Receives are posted when the implementation itself closes."""
    tokens = post(connection, count)
    connection.settle()
    connection.iut.end_by(Close(linger=linger))
    await_all(connection, tokens)


@waits(0.1)
@exercises("IND-OVL-08")
def test_own_shutdown_while_a_receive_waits(connection: Connection) -> None:
    """A receive is posted when the implementation gives up receiving; then the peer sends, and ends."""
    token = connection.iut.post_read()
    connection.iut.shutdown("receive")
    connection.iut.completed(token, wait_ms=connection.limits.settle_ms)
    connection.peer.send(20)
    connection.settle()
    connection.peer.shutdown("send")
    connection.iut.completed(token)
