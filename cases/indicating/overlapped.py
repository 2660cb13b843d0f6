# SPDX-License-Identifier: MIT
"""Group B: what becomes of posted receives when the connection ends, at either end."""

import pytest

from conformance.execution.casework import PEER, POSTS, Close, Connection, Ending, Shutdown, exercises, waits, where

pytestmark = where(
    "op:post_recv",
    "surface:overlapped | surface:overlapped-event | surface:overlapped-routine | surface:overlapped-port",
)

ENDINGS = [
    pytest.param(Shutdown("send"), marks=exercises("IND-OVL-01", "IND-OVL-03")),
    pytest.param(Close(), marks=exercises("IND-OVL-01", "IND-OVL-03")),
    pytest.param(Close(linger=0), marks=exercises("IND-OVL-02")),
]


def post(connection: Connection, count: int, mechanism: str) -> list[str]:
    """Post so many receives; their tokens."""
    return [connection.iut.post_read(mechanism=mechanism) for _ in range(count)]


def await_all(connection: Connection, tokens: list[str]) -> None:
    """Wait until each has ended; where one does not, no longer than one patience in all."""
    for token in tokens:
        if not connection.iut.completed(token):
            return


@waits(0.1)
@pytest.mark.parametrize("ending", ENDINGS, ids=str)
@pytest.mark.parametrize("queued", [0, *(pytest.param(length, marks=exercises("IND-OVL-04")) for length in (20, 1460))])
@pytest.mark.parametrize("mechanism", POSTS)
def test_several_receives_when_the_end_comes(
    connection: Connection, mechanism: str, queued: int, ending: Ending
) -> None:
    """Three receives are posted when the peer sends one part and ends, or aborts; none may complete once more."""
    tokens = post(connection, 3, mechanism)
    connection.peer.send(queued)
    connection.peer.end_by(ending)
    await_all(connection, tokens)
    connection.iut.read()
    connection.settle()


@waits(0.1)
@exercises("IND-OVL-04", "IND-OVL-01", "IND-OVL-03")
@pytest.mark.parametrize("ending", [Shutdown("send"), Close()], ids=str)
@pytest.mark.parametrize("mechanism", POSTS)
def test_receives_between_messages_and_end(connection: Connection, mechanism: str, ending: Ending) -> None:
    """Three receives are posted; the peer sends twice, waits until that is taken, then ends; none completes again."""
    tokens = post(connection, 3, mechanism)
    connection.peer.send(20)
    connection.iut.completed(tokens[0])
    connection.peer.send(1460)
    connection.iut.completed(tokens[1])
    connection.peer.end_by(ending)
    await_all(connection, tokens)
    connection.iut.read(times=2)
    connection.settle()


@exercises("IND-STREAM-03", "IND-MSG-04")
@pytest.mark.parametrize("mechanism", POSTS)
def test_receive_posted_after_the_end(connection: Connection, mechanism: str) -> None:
    """The end has been read when the implementation posts a receive."""
    connection.peer.shutdown("send")
    connection.iut.read_to_the_end()
    connection.iut.receive_posted(mechanism=mechanism)
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
@pytest.mark.parametrize("mechanism", POSTS)
def test_own_close_while_receives_wait(connection: Connection, mechanism: str, count: int, linger: int | None) -> None:
    """Receives are posted when the implementation itself closes."""
    tokens = post(connection, count, mechanism)
    connection.settle()
    connection.iut.end_by(Close(linger=linger))
    await_all(connection, tokens)


@waits(0.1)
@exercises("IND-OVL-08")
@pytest.mark.parametrize("mechanism", POSTS)
def test_own_shutdown_while_a_receive_waits(connection: Connection, mechanism: str) -> None:
    """A receive is posted when the implementation gives up receiving; then the peer sends, and ends."""
    token = connection.iut.post_read(mechanism=mechanism)
    connection.iut.shutdown("receive")
    connection.iut.completed(token, wait_ms=connection.limits.settle_ms)
    connection.peer.send(20)
    connection.settle()
    connection.peer.shutdown("send")
    connection.iut.completed(token)


@waits(0.1)
@where("surface:overlapped-port")
@exercises("IND-OVL-06")
@pytest.mark.parametrize("told", [False, True], ids=["first", "again"])
def test_post_after_an_abort(connection: Connection, told: bool) -> None:
    """The peer has aborted, and perhaps that was told already, when a receive is posted to a completion port."""
    connection.peer.end_by(Close(linger=0))
    connection.wait_for_abort(PEER)
    if told:
        connection.iut.read()
    connection.iut.post_recv(mechanism="port")
    connection.settle()


@waits(0.1)
@where("surface:overlapped-port")
@exercises("IND-OVL-06", "INIT-SHUT-06")
@pytest.mark.parametrize("joined", [True, False], ids=["joined-before", "joined-by-it"])
def test_post_after_own_shutdown(connection: Connection, joined: bool) -> None:
    """The implementation has given up receiving when a receive is posted to a completion port."""
    if joined:
        connection.peer.send(20)
        connection.iut.receive_posted(mechanism="port")
    connection.iut.shutdown("receive")
    connection.iut.post_recv(mechanism="port")
    connection.settle()


@waits(0.1)
@where("surface:overlapped-port", "op:post_send")
@exercises("IND-OVL-07")
@pytest.mark.parametrize(
    "call",
    [
        "shutdown",
        pytest.param("send_disconnect", marks=where("op:send_disconnect")),
        pytest.param("recv_disconnect", marks=where("op:recv_disconnect")),
    ],
)
def test_shutting_down_on_a_completion_port(connection: Connection, call: str) -> None:
    """The socket is on a completion port, and nothing is pending, when the implementation shuts down."""
    reply = connection.iut.post_send(20, mechanism="port")
    if reply.result is not None:
        connection.iut.completed(str(reply.result["token"]))
    connection.peer.read()
    match call:
        case "shutdown":
            connection.iut.shutdown("send")
        case "send_disconnect":
            connection.iut.send_disconnect(None)
        case _:
            connection.peer.shutdown("send")
            connection.iut.read_to_the_end()
            connection.iut.recv_disconnect(connection.disconnect_room)
    connection.settle()
