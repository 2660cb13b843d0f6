# SPDX-License-Identifier: MIT
"""Group F, WebSocket: Close frames with codes and reasons, the closing handshake, and TCP's end without a Close.

The peer is one of the suite's own, which can end in ways that libraries do not offer: its option CUT_FRAME puts only
so many octets of its next frame on the link, and nothing after them.
"""

import pytest

from conformance.execution.casework import (
    IUT,
    PEER,
    Close,
    Connection,
    Death,
    Ending,
    both_roles,
    exercises,
    on,
    waits,
    where,
)

CODES = [1000, 1001, 1011, 3000, 4999]
NEVER_SENT = [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535]
REASONS = {"0": "", "1": "x", "123-ascii": "a" * 123, "123-2-octets": "é" * 61 + "x", "123-3-octets": "€" * 41}
TOO_LONG = {"124-ascii": "a" * 124, "124-2-octets": "é" * 62, "65535": "a" * 65535}
WITHOUT = [Close(), Close(linger=0), Death()]
OVER = where("transport:websocket")


def payload(code: int, reason: str = "") -> bytes:
    """A Close's payload, which is the disconnect data of WebSocket."""
    return code.to_bytes(2, "big") + reason.encode()


@OVER
@both_roles
@exercises("WS-01", "WS-02")
@pytest.mark.parametrize("reason", [pytest.param(text, id=name) for name, text in REASONS.items()])
@pytest.mark.parametrize("code", CODES)
def test_code_and_reason_given(connection: Connection, code: int, reason: str) -> None:
    """The implementation closes with a code and a reason; the peer answers and takes them."""
    connection.iut.send(10)
    connection.iut.send_disconnect(payload(code, reason))
    connection.peer.read_to_the_end()
    connection.peer.recv_disconnect()
    connection.link.wait_for(IUT, "F")


@OVER
@both_roles
@exercises("WS-01", "WS-02")
@pytest.mark.parametrize("reason", [pytest.param(text, id=name) for name, text in REASONS.items()])
@pytest.mark.parametrize("code", CODES)
def test_code_and_reason_received(connection: Connection, code: int, reason: str) -> None:
    """The peer closes with a code and a reason; the implementation reads to the end and asks for them."""
    connection.peer.send(10)
    connection.peer.send_disconnect(payload(code, reason))
    connection.iut.read_to_the_end()
    connection.iut.recv_disconnect()
    connection.link.wait_for(IUT, "F")


@OVER
@both_roles
@exercises("WS-01", "WS-02")
def test_no_code_received(connection: Connection) -> None:
    """The peer's Close has neither a code nor a reason."""
    connection.peer.send_disconnect()
    connection.iut.read_to_the_end()
    connection.iut.recv_disconnect()
    connection.link.wait_for(IUT, "F")


@OVER
@exercises("WS-01")
@pytest.mark.parametrize("reason", [pytest.param(text, id=name) for name, text in TOO_LONG.items()])
def test_reason_that_is_too_long(connection: Connection, reason: str) -> None:
    """The implementation is asked to close with a longer reason than a Close has room for; then data flows on."""
    connection.iut.send_disconnect(payload(1000, reason))
    connection.iut.send(10)
    connection.peer.read()
    connection.iut.send_disconnect(payload(1000, "after all"))
    connection.peer.read_to_the_end()
    connection.peer.recv_disconnect()


@OVER
@exercises("WS-01")
@pytest.mark.parametrize("code", NEVER_SENT)
def test_code_that_is_never_sent(connection: Connection, code: int) -> None:
    """The implementation is asked to close with a code that no Close may carry; then data flows on."""
    connection.iut.send_disconnect(payload(code, "no"))
    connection.iut.send(10)
    connection.peer.read()
    connection.iut.send_disconnect(payload(1000))
    connection.peer.read_to_the_end()


@OVER
@both_roles
@exercises("WS-02")
@pytest.mark.parametrize("queued", [0, 1, 40])
def test_close_behind_messages(connection: Connection, queued: int) -> None:
    """The peer sends messages and closes; the implementation reads them only then, and sends after the end."""
    for _ in range(queued):
        connection.peer.send(1000)
    connection.peer.send_disconnect(payload(1000, "done"))
    connection.iut.read_to_the_end()
    connection.iut.send(10)
    connection.link.wait_for(IUT, "F")
    connection.iut.recv_disconnect()


@on("wire")
@OVER
@both_roles
@exercises("WS-02")
def test_close_of_both_at_once(connection: Connection) -> None:
    """Both ends close, and neither has seen the other's Close: the implementation's is held back meanwhile."""
    connection.link.hold(IUT, data=True)
    closing = connection.iut.begin("close", wait_ms=connection.limits.patience_ms)
    connection.link.wait_for(IUT, data=True)
    connection.peer.send_disconnect(payload(1001, "me too"))
    connection.link.release()
    connection.iut.finish(closing)
    connection.peer.read_to_the_end()
    connection.link.wait_for(IUT, "F")


@OVER
@both_roles
@exercises("WS-02")
def test_close_while_the_peer_still_sends(connection: Connection) -> None:
    """The peer has sent messages that nobody has read when the implementation closes."""
    connection.peer.send(1000)
    connection.peer.send(1000)
    connection.iut.close()
    connection.peer.read_to_the_end()
    connection.link.wait_for(IUT, "F")


@OVER
@both_roles
@exercises("WS-03", "IND-ABORT-01", "IND-ABORT-02")
@pytest.mark.parametrize("octets", [0, 1, 5, 500], ids=["no-frame", "head", "mask", "payload"])
@pytest.mark.parametrize("ending", WITHOUT, ids=str)
@pytest.mark.parametrize("queued", [0, 100])
def test_tcp_ends_without_a_close(connection: Connection, queued: int, octets: int, ending: Ending) -> None:
    """TCP ends by FIN or RST between frames or within one, and there was no Close."""
    connection.peer.send(queued)
    connection.peer.set_option("CUT_FRAME", octets)
    if octets:
        connection.peer.send(1000)
    connection.peer.end_by(ending)
    connection.iut.read_to_the_end()
    connection.iut.read()
    connection.iut.send(10)
    connection.iut.recv_disconnect()


@OVER
@waits(0.1)
@exercises("WS-03", "IND-ABORT-05")
@pytest.mark.parametrize("ending", WITHOUT, ids=str)
@pytest.mark.parametrize("posted", [None, ""], ids=["blocked", "posted"])
def test_receive_waits_when_tcp_ends(connection: Connection, posted: str | None, ending: Ending) -> None:
    """A receive is waiting when TCP ends without a Close."""
    connection.peer.set_option("CUT_FRAME", 0)
    with connection.iut.receiving(posted=posted):
        connection.settle()
        connection.peer.end_by(ending)
    connection.iut.read()


@OVER
@waits(0.1)
@both_roles
@exercises("WS-03")
@pytest.mark.parametrize("ending", [Close(), Close(linger=0)], ids=str)
def test_tcp_ends_instead_of_an_answer(connection: Connection, ending: Ending) -> None:
    """The implementation closes; the peer answers nothing, and ends TCP."""
    connection.peer.set_option("CUT_FRAME", 0)
    closing = connection.iut.begin("send_disconnect")
    connection.link.wait_for_unit(IUT, "CLOSE")
    connection.peer.end_by(ending)
    connection.iut.finish(closing)
    connection.iut.read(times=2)
    connection.iut.recv_disconnect()


@OVER
@exercises("WS-01")
def test_tcp_ends_after_the_peers_close(connection: Connection) -> None:
    """The peer's Close is there when TCP is reset: the end has a code of its own all the same."""
    connection.peer.send_disconnect(payload(1000))
    connection.link.wait_for_unit(PEER, "CLOSE")
    connection.peer.end_by(Close(linger=0))
    connection.iut.read_to_the_end()
    connection.iut.recv_disconnect()
