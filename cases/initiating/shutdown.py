# SPDX-License-Identifier: MIT
"""Group A: the implementation asks for the end of one direction or both, and the peer sees what came of it."""

import pytest

from conformance.execution.casework import (
    IUT,
    POSTS,
    Close,
    Connection,
    DisconnectEx,
    Ending,
    SendDisconnect,
    Shutdown,
    ShutdownThenClose,
    both_roles,
    exercises,
    waits,
    where,
)

SIZES = [1, 1460, 100_000]
HAS_GOODBYE = where("op:send_disconnect")
HAS_SHUTDOWN = where("op:shutdown")
INITIATORS = [
    pytest.param(Shutdown("send"), marks=exercises("INIT-SHUT-01"), id="send"),
    pytest.param(Shutdown("both"), marks=exercises("INIT-SHUT-02"), id="both"),
    pytest.param(SendDisconnect(), marks=(HAS_GOODBYE, exercises("INIT-SDISC-01", "DD-SEND-03")), id="disconnect"),
]
ENDINGS = [
    *(
        pytest.param(ending, marks=(HAS_SHUTDOWN, exercises("INIT-SHUT-08", "WIRE-FIN-01")))
        for ending in (Shutdown("send"), Shutdown("both"), ShutdownThenClose())
    ),
    pytest.param(Close(), marks=exercises("INIT-SHUT-08", "WIRE-FIN-01")),
    pytest.param(SendDisconnect(), marks=(HAS_GOODBYE, exercises("DD-SEND-08"))),
    *(
        pytest.param(ending, marks=(where("op:disconnect_ex"), exercises("INIT-SHUT-08", "WIRE-FIN-01")))
        for ending in (DisconnectEx(), DisconnectEx(reuse=True))
    ),
]


@both_roles
@exercises("WIRE-FIN-01")
@pytest.mark.parametrize("how", INITIATORS)
def test_shutdown_on_an_idle_connection(connection: Connection, how: Ending) -> None:
    """Nothing was sent; the implementation shuts down, the peer reads the end."""
    connection.iut.end_by(how)
    connection.peer.read_to_the_end()
    connection.peer.read(times=2)


@pytest.mark.parametrize("ending", ENDINGS, ids=str)
@pytest.mark.parametrize("queued", [1, 100_000])
def test_data_and_end_in_one_burst(connection: Connection, queued: int, ending: Ending) -> None:
    """The implementation sends and ends at once; the peer has read nothing before."""
    connection.iut.send(queued)
    connection.iut.end_by(ending)
    connection.peer.read_to_the_end()
    connection.peer.read()


@both_roles
@pytest.mark.parametrize("ending", ENDINGS, ids=str)
def test_data_and_end_whoever_connected(connection: Connection, ending: Ending) -> None:
    """The same with the implementation as the end that connected, and as the end that accepted."""
    connection.iut.send(1460)
    connection.iut.end_by(ending)
    connection.peer.read_to_the_end()
    connection.peer.read()


@HAS_SHUTDOWN
@exercises("INIT-SHUT-08", "WIRE-FIN-01")
@pytest.mark.parametrize("how", ["send", "both"])
def test_shutdown_with_full_buffers(connection: Connection, how: str) -> None:
    """More is queued than the peer's receive buffer holds when the implementation shuts down."""
    connection.iut.fill()
    connection.iut.shutdown(how)
    connection.peer.read_to_the_end()
    connection.peer.read()


@exercises("INIT-SHUT-09")
@pytest.mark.parametrize("how", ["send", "both"])
@pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "nonblocking"])
def test_shutdown_under_linger_with_full_buffers(connection: Connection, how: str, blocking: bool) -> None:
    """Linger is on, the queue is full, the peer does not read: the implementation shuts down."""
    connection.iut.set_linger(3)
    connection.iut.set_blocking(blocking)
    connection.iut.fill()
    connection.iut.shutdown(how)
    connection.peer.read_to_the_end()


@waits(0.1)
@exercises("INIT-SHUT-03")
def test_shutdown_of_receiving_alone(connection: Connection) -> None:
    """The implementation gives up receiving on an idle connection; the peer looks whether it is told anything."""
    connection.iut.shutdown("receive")
    connection.settle()
    connection.peer.look_in_vain()
    connection.peer.look_in_vain()


@waits(0.6)
@exercises("INIT-SHUT-07")
@pytest.mark.parametrize("early", [True, False], ids=["queued-before", "sent-after"])
def test_data_and_shutdown_of_receiving(connection: Connection, early: bool) -> None:
    """Data is queued when the implementation gives up receiving, or comes after it; the peer looks what came of it."""
    if early:
        connection.peer.send(100)
        connection.settle()
        connection.iut.shutdown("receive")
    else:
        connection.iut.shutdown("receive")
        connection.peer.send(100)
    connection.link.wait_for(IUT, "R", limit_ms=600)
    connection.peer.look_in_vain()


@where("surface:nonblocking", "op:post_send")
@exercises("INIT-SHUT-14")
@pytest.mark.parametrize("mechanism", POSTS)
def test_shutdown_while_sends_are_pending(connection: Connection, mechanism: str) -> None:
    """The queue is full and the peer does not read; sends are posted, and the implementation shuts sending down."""
    connection.iut.set_blocking(False)
    connection.iut.fill()
    replies = [connection.iut.post_send(length, mechanism=mechanism) for length in (1460, 100_000, 1)]
    connection.iut.shutdown("send")
    connection.peer.read_to_the_end()
    for reply in replies:
        if reply.result is not None:
            connection.iut.completed(str(reply.result["token"]))
    connection.peer.read()


@both_roles
@exercises("INIT-SHUT-05", "WIRE-HALF-01")
@pytest.mark.parametrize("queued", SIZES)
def test_receiving_goes_on_after_shutdown(connection: Connection, queued: int) -> None:
    """The implementation ends its own direction; the peer sends on, then ends too."""
    connection.iut.shutdown("send")
    connection.peer.read_to_the_end()
    connection.peer.send(queued)
    connection.peer.shutdown("send")
    connection.iut.read_to_the_end()
    connection.iut.read()


@exercises("INIT-SHUT-11")
@pytest.mark.parametrize("how", ["send", "both"])
@pytest.mark.parametrize("queued", [0, 1460])
def test_shutdown_twice(connection: Connection, how: str, queued: int) -> None:
    """The implementation asks for the same end twice."""
    connection.iut.send(queued)
    connection.iut.shutdown(how)
    connection.iut.shutdown(how)
    connection.peer.read_to_the_end()
    connection.settle()
    connection.peer.read(times=2)


@exercises("INIT-SHUT-13")
def test_connect_again_after_both_ends(connection: Connection) -> None:
    """Both directions have ended; the implementation asks the same socket to connect again."""
    connection.peer.shutdown("both")
    connection.iut.shutdown("both")
    connection.iut.read()
    connection.iut.call("connect", address=connection.listen_again(), wait_ms=connection.limits.patience_ms)


@exercises("POSIX-SEND-01", "INIT-SHUT-04")
@pytest.mark.parametrize("how", ["send", "both"])
def test_send_after_own_shutdown(connection: Connection, how: str) -> None:
    """The implementation sends although it has ended its sending."""
    connection.iut.shutdown(how)
    connection.iut.send(1)
    connection.wait_until_told(IUT)
    connection.iut.send(1460)


@waits(0.1)
@HAS_GOODBYE
@exercises("INIT-SDISC-02", "INIT-SDISC-01")
def test_send_after_own_goodbye(connection: Connection) -> None:
    """The implementation sends although it has said goodbye."""
    connection.iut.send_disconnect(None)
    connection.iut.send(1)
    connection.wait_until_told(IUT)
    connection.iut.send(1460)
    connection.peer.read_to_the_end()


@HAS_GOODBYE
@exercises("INIT-SDISC-03")
@pytest.mark.parametrize("full", [True, False], ids=["full", "idle"])
@pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "nonblocking"])
def test_goodbye_under_linger(connection: Connection, blocking: bool, full: bool) -> None:
    """Linger is on and the peer does not read; the implementation says goodbye, and uses the socket until it closes."""
    connection.iut.set_linger(3)
    connection.iut.set_blocking(blocking)
    if full:
        connection.iut.fill()
    connection.iut.send_disconnect(None)
    connection.iut.call("get_linger")
    connection.iut.call("names")
    connection.peer.read_to_the_end()
    connection.peer.shutdown("send")
    connection.iut.set_blocking(True)
    connection.iut.read_to_the_end()
    connection.iut.close()


@exercises("INIT-SHUT-06")
@pytest.mark.parametrize("posted", [pytest.param(None, id="called"), *POSTS])
@pytest.mark.parametrize("how", ["receive", "both"])
def test_receive_after_own_shutdown(connection: Connection, how: str, posted: str | None) -> None:
    """The implementation receives although it has given up receiving."""
    connection.iut.shutdown(how)
    if posted is not None:
        connection.iut.receive_posted(mechanism=posted)
    else:
        connection.iut.look_in_vain()
    connection.iut.look_in_vain()


@waits(0.1)
@exercises("INIT-SHUT-10")
@pytest.mark.parametrize("how", ["send", "both"])
def test_names_after_both_ends(connection: Connection, how: str) -> None:
    """Both ends have shut down; the implementation asks for the names and for an option."""
    connection.iut.shutdown(how)
    connection.peer.read_to_the_end()
    connection.peer.shutdown("send")
    connection.wait_until_told(connection.peer.end)
    connection.iut.call("names")
    connection.iut.call("get_linger")
    connection.iut.read()
    connection.iut.call("names")
