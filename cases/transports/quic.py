# SPDX-License-Identifier: MIT
"""Group F: the ends that QUIC has: FIN, RESET_STREAM, STOP_SENDING, CONNECTION_CLOSE, and the idle time-out."""

import pytest

from conformance.execution.casework import PEER, Close, Connection, End, Ending, Shutdown, both_roles, exercises, waits
from conformance.execution.connection import establish

QUEUED = [0, 1, 1460, 100_000]
ABORT_CODE = 0x2A07
"""The code of a RESET_STREAM: one that no layer below would choose."""
CLOSE_CODE = 0x1C0FFEE
REASON = "the peer is leaving \u2014 good night"
TRANSPORT_CODE = 0x0A
"""PROTOCOL_VIOLATION, of the transport (RFC 9000, 20.1)."""
IDLE_MS = 500


def said(code: int, reason: str) -> bytes:
    """A CONNECTION_CLOSE's code and reason, as the agents take them."""
    return code.to_bytes(8, "big") + reason.encode()


@both_roles
@exercises("QUIC-01")
@pytest.mark.parametrize("queued", QUEUED)
@pytest.mark.parametrize("ending", [Shutdown("send"), Close()], ids=str)
def test_stream_ends_by_fin(connection: Connection, queued: int, ending: Ending) -> None:
    """The peer sends and ends the stream; the implementation reads to the end, and past it."""
    connection.peer.send(queued)
    connection.peer.end_by(ending)
    connection.iut.read_to_the_end()
    connection.iut.read(times=2)


@both_roles
@exercises("QUIC-01")
@pytest.mark.parametrize("queued", QUEUED)
def test_stream_is_reset(connection: Connection, queued: int) -> None:
    """The peer sends, and resets the stream with a code; the implementation reads on, and past what it is told."""
    connection.peer.set_option("ERROR_CODE", ABORT_CODE)
    connection.peer.send(queued)
    connection.peer.end_by(Close(linger=0))
    connection.iut.read_to_the_end()
    connection.iut.read()
    connection.iut.send(1)


@waits(0.1)
@both_roles
@exercises("QUIC-01")
def test_stream_is_reset_while_a_receive_waits(connection: Connection) -> None:
    """A receive is waiting when the stream is reset."""
    connection.peer.set_option("ERROR_CODE", ABORT_CODE)
    with connection.iut.receiving():
        connection.settle()
        connection.peer.end_by(Close(linger=0))
    connection.iut.read()


@waits(0.1)
@both_roles
@exercises("QUIC-01")
def test_peer_stops_the_sending(connection: Connection) -> None:
    """The peer wants no more data; the implementation sends all the same. The other direction goes on, and ends."""
    connection.peer.set_option("ERROR_CODE", ABORT_CODE)
    connection.peer.shutdown("receive")
    connection.settle()
    connection.iut.send(1460)
    connection.peer.send(1460)
    connection.iut.read()
    connection.peer.shutdown("send")
    connection.iut.read_to_the_end()
    connection.iut.send(1)


@waits(0.1)
@both_roles
@exercises("QUIC-01")
@pytest.mark.parametrize("transport", [False, True], ids=["application", "transport"])
@pytest.mark.parametrize("waiting", [True, False], ids=["blocked", "later"])
def test_connection_is_closed(connection: Connection, waiting: bool, transport: bool) -> None:
    """The peer closes the connection with a code and a reason, while the implementation reads, or before."""
    if transport:
        connection.peer.set_option("TRANSPORT_CLOSE", 1)
    last_word = said(TRANSPORT_CODE if transport else CLOSE_CODE, REASON)
    if waiting:
        with connection.iut.receiving():
            connection.settle()
            connection.peer.send_disconnect(last_word)
    else:
        connection.peer.send_disconnect(last_word)
        connection.settle()
    connection.iut.read(times=2)
    connection.iut.send(1)


@waits(0.1)
@exercises("QUIC-01")
def test_connection_is_closed_after_data(connection: Connection) -> None:
    """The peer has sent something that was received and not read yet, when it closes the connection."""
    connection.peer.send(1460)
    connection.settle()
    connection.peer.send_disconnect(said(CLOSE_CODE, REASON))
    connection.iut.read_to_the_end()
    connection.iut.read()


@waits(2.5)
@exercises("QUIC-01")
@pytest.mark.parametrize("client", [End.IUT, End.PEER], ids=["connecting", "accepting"])
@pytest.mark.parametrize("queued", [0, 1460])
def test_peer_falls_silent(ends: Connection, queued: int, client: End) -> None:
    """The peer's process dies, which tells nobody anything; the idle time-out, half a second, is all there is."""
    establish(ends, client, on_listener=lambda listener: listener.set_option("IDLE_TIMEOUT", IDLE_MS))
    if queued:
        ends.peer.send(queued)
        ends.iut.read()
    ends.at(PEER).die()
    ends.iut.read(times=2, wait_ms=IDLE_MS + ends.limits.patience_ms)
