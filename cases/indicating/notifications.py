# SPDX-License-Identifier: MIT
"""Group B: FD_CLOSE, posted to the implementation's user or kept in its record, and what never raises it."""

import pytest

from conformance.execution.casework import (
    IUT,
    PEER,
    Close,
    Connection,
    Death,
    Ending,
    SendDisconnect,
    Shutdown,
    ShutdownThenClose,
    establish,
    establish_two,
    exercises,
    waits,
    where,
)

pytestmark = where("op:event_select")

MECHANISMS = [
    pytest.param("event", marks=where("surface:event", "op:enum_events")),
    pytest.param("message", marks=where("surface:message")),
]
MECHANISMS_BY_FORM = [
    pytest.param("event", marks=where("surface:event", "op:enum_events")),
    pytest.param("message", marks=(where("surface:message"), exercises("IND-FDC-12"))),
]
GRACEFUL = [
    Shutdown("send"),
    Shutdown("both"),
    Close(),
    ShutdownThenClose(),
    pytest.param(SendDisconnect(), marks=where("op:send_disconnect")),
]
TWO_ENDINGS = [Shutdown("send"), Close()]
ABORTS = [Close(linger=0), pytest.param(Death(), marks=where("transport:reference | transport:websocket"))]


def look_again(connection: Connection, mechanism: str) -> None:
    """Wait for the settle time, and look whether the implementation is told of any more."""
    connection.settle()
    if mechanism == "event":
        connection.iut.enum_events()


@waits(0.1)
@exercises("IND-FDC-01", "IND-FDC-03", "IND-FDC-06")
@pytest.mark.parametrize("ending", GRACEFUL, ids=str)
@pytest.mark.parametrize("mechanism", MECHANISMS_BY_FORM)
def test_peer_ends(connection: Connection, mechanism: str, ending: Ending) -> None:
    """The implementation asks to be told of data and of the end; the peer sends nothing, and ends."""
    connection.iut.select_events("FD_READ", "FD_CLOSE", mechanism=mechanism)
    connection.peer.end_by(ending)
    connection.iut.await_event(mechanism=mechanism)
    connection.iut.read(times=2)
    look_again(connection, mechanism)


@waits(0.1)
@exercises("IND-FDC-02", "IND-FDC-03", "IND-ABORT-02", "IND-ABORT-03")
@pytest.mark.parametrize("ending", ABORTS, ids=str)
@pytest.mark.parametrize("mechanism", MECHANISMS_BY_FORM)
def test_peer_aborts(connection: Connection, mechanism: str, ending: Ending) -> None:
    """The implementation asks to be told of data and of the end; the peer aborts."""
    connection.iut.select_events("FD_READ", "FD_CLOSE", mechanism=mechanism)
    connection.peer.end_by(ending)
    connection.iut.await_event(mechanism=mechanism)
    connection.iut.read(times=2)
    connection.iut.send(1, wait_ms=0)
    look_again(connection, mechanism)


@waits(0.1)
@exercises("IND-FDC-01", "IND-FDC-03", "IND-FDC-04", "IND-FDC-05")
@pytest.mark.parametrize("ending", TWO_ENDINGS, ids=str)
@pytest.mark.parametrize("queued", [5, 100_000])
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_data_is_unread_at_the_end(connection: Connection, mechanism: str, queued: int, ending: Ending) -> None:
    """The peer sends and ends; the implementation does not read for a while, then reads everything."""
    connection.iut.select_events("FD_READ", "FD_CLOSE", mechanism=mechanism)
    connection.peer.send(queued)
    connection.peer.end_by(ending)
    connection.wait_until_told(PEER)
    told = connection.iut.await_event(mechanism=mechanism, wait_ms=2 * connection.limits.settle_ms)
    connection.iut.read_to_the_end("nonblocking")
    if not told:
        connection.iut.await_event(mechanism=mechanism)
    connection.iut.read()
    look_again(connection, mechanism)


@waits(0.1)
@where("family:winsock-spi", "surface:event", "op:enum_events")
@exercises("IND-FDC-13")
@pytest.mark.parametrize("ending", [*TWO_ENDINGS, Close(linger=0)], ids=str)
def test_reading_the_record(connection: Connection, ending: Ending) -> None:
    """The end is in the record; it is read with a handle that is no socket, then rightly, twice."""
    connection.iut.select_events("FD_READ", "FD_CLOSE")
    connection.peer.end_by(ending)
    connection.wait_until_told(PEER) if ending in TWO_ENDINGS else connection.wait_for_abort(PEER)
    connection.idle(2 * connection.limits.settle_ms / 1000)
    connection.iut.call("enum_events", socket=-1)
    connection.iut.enum_events()
    connection.iut.enum_events()


@waits(0.1)
@exercises("IND-FDC-02")
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_data_is_unread_at_the_abort(connection: Connection, mechanism: str) -> None:
    """The peer sends and aborts; the implementation reads only when it has been told."""
    connection.iut.select_events("FD_CLOSE", mechanism=mechanism)
    connection.peer.send(1460)
    connection.peer.end_by(Close(linger=0))
    connection.iut.await_event(mechanism=mechanism)
    connection.iut.read_to_the_end("nonblocking")
    look_again(connection, mechanism)


@waits(0.1)
@exercises("IND-FDC-01")
@pytest.mark.parametrize("which", [0, 1], ids=["first", "second"])
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_one_of_two_connections_ends(ends: Connection, mechanism: str, which: int) -> None:
    """The implementation asks to be told of the ends of two connections; one of them ends."""
    both = (ends, establish_two(ends, IUT))
    for connection in both:
        connection.iut.select_events("FD_CLOSE", mechanism=mechanism)
    both[which].peer.shutdown("send")
    both[which].iut.await_event(mechanism=mechanism)
    for connection in both:
        look_again(connection, mechanism)


@waits(0.1)
@exercises("IND-FDC-07", "IND-FDC-03", "DD-SCN-04")
@pytest.mark.parametrize("ending", TWO_ENDINGS, ids=str)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_peer_answers_the_end(connection: Connection, mechanism: str, ending: Ending) -> None:
    """The implementation ends its direction first; then the peer reads that, and ends too."""
    connection.iut.select_events("FD_CLOSE", mechanism=mechanism)
    connection.iut.shutdown("send")
    connection.peer.read_to_the_end()
    connection.peer.end_by(ending)
    connection.iut.await_event(mechanism=mechanism)
    connection.iut.read(times=2)
    look_again(connection, mechanism)


@waits(0.1)
@exercises("IND-FDC-08")
@pytest.mark.parametrize("how", ["send", "receive", "both"])
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_own_shutdown_raises_nothing(connection: Connection, mechanism: str, how: str) -> None:
    """The implementation itself shuts down, and the peer does nothing."""
    connection.iut.select_events("FD_CLOSE", mechanism=mechanism)
    connection.iut.shutdown(how)
    look_again(connection, mechanism)


@waits(0.1)
@exercises("ERR-08")
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_refused_shutdown_raises_nothing(connection: Connection, mechanism: str) -> None:
    """The implementation is asked to shut a direction that there is not, which is no end; data flows both ways."""
    connection.iut.select_events("FD_READ", "FD_CLOSE", mechanism=mechanism)
    connection.iut.shutdown(7)
    look_again(connection, mechanism)
    connection.iut.send(1460)
    connection.peer.read()
    connection.peer.send(1460)
    connection.iut.await_event("FD_READ", mechanism=mechanism)
    connection.iut.read()


@waits(0.1)
@exercises("IND-FDC-08")
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_peer_receives_no_more(connection: Connection, mechanism: str) -> None:
    """The peer gives up receiving, which is no end."""
    connection.iut.select_events("FD_CLOSE", mechanism=mechanism)
    connection.peer.shutdown("receive")
    look_again(connection, mechanism)


@waits(0.1)
@exercises("IND-FDC-09")
@pytest.mark.parametrize("ending", [*TWO_ENDINGS, Close(linger=0)], ids=str)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_registering_after_the_end(connection: Connection, mechanism: str, ending: Ending) -> None:
    """The peer has ended or aborted when the implementation asks to be told; then it asks once more."""
    connection.peer.end_by(ending)
    connection.wait_until_told(PEER) if ending in TWO_ENDINGS else connection.wait_for_abort(PEER)
    connection.iut.select_events("FD_CLOSE", mechanism=mechanism)
    connection.iut.await_event(mechanism=mechanism)
    connection.iut.select_events("FD_CLOSE", mechanism=mechanism)
    look_again(connection, mechanism)


@waits(0.1)
@exercises("IND-FDC-10")
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_peer_ends_after_own_shutdown_of_both(connection: Connection, mechanism: str) -> None:
    """The implementation has shut down both directions when the peer ends."""
    connection.iut.select_events("FD_CLOSE", mechanism=mechanism)
    connection.iut.shutdown("both")
    connection.peer.read_to_the_end()
    connection.peer.shutdown("send")
    connection.wait_until_told(PEER)
    connection.iut.await_event(mechanism=mechanism)
    look_again(connection, mechanism)


@waits(0.1)
@exercises("IND-FDC-11")
@pytest.mark.parametrize("aborts", [False, True], ids=["end", "abort"])
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_peer_ends_after_own_close(connection: Connection, mechanism: str, aborts: bool) -> None:
    """The implementation has closed when the peer ends, or aborts."""
    connection.iut.select_events("FD_READ", "FD_CLOSE", mechanism=mechanism)
    connection.iut.close()
    connection.peer.read_to_the_end()
    connection.peer.end_by(Close(linger=0 if aborts else None))
    look_again(connection, mechanism)


@waits(0.1)
@exercises("IND-FDC-14")
@pytest.mark.parametrize("instead", [("FD_READ",), ()], ids=["read", "nothing"])
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_registration_is_replaced(connection: Connection, mechanism: str, instead: tuple[str, ...]) -> None:
    """FD_CLOSE is asked for, then something else instead; the peer ends. At last FD_CLOSE is asked for again."""
    connection.iut.select_events("FD_CLOSE", mechanism=mechanism)
    connection.iut.select_events(*instead, mechanism=mechanism)
    connection.iut.read()
    connection.peer.shutdown("send")
    connection.wait_until_told(PEER)
    look_again(connection, mechanism)
    connection.iut.read()
    connection.iut.select_events("FD_CLOSE", mechanism=mechanism)
    connection.iut.await_event(mechanism=mechanism)


@waits(0.1)
@where("surface:event", "surface:message")
@exercises("IND-FDC-01")
@pytest.mark.parametrize("mechanism", ["event", "message"])
def test_other_mechanism_replaces_the_first(connection: Connection, mechanism: str) -> None:
    """The implementation asks to be told by one mechanism, then by the other; the peer ends."""
    connection.iut.select_events("FD_CLOSE", mechanism="message" if mechanism == "event" else "event")
    connection.iut.select_events("FD_CLOSE", mechanism=mechanism)
    connection.peer.shutdown("send")
    connection.iut.await_event(mechanism=mechanism)
    look_again(connection, "event")


@waits(0.1)
@exercises("IND-FDC-15")
@pytest.mark.parametrize("ending", TWO_ENDINGS, ids=str)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_listener_was_registered(ends: Connection, mechanism: str, ending: Ending) -> None:
    """The implementation asked at its listener; a connection is accepted, and its peer ends."""
    establish(ends, PEER, on_listener=lambda listener: listener.select_events("FD_CLOSE", mechanism=mechanism))
    ends.peer.end_by(ending)
    ends.iut.await_event(mechanism=mechanism)
    ends.iut.read()
    look_again(ends, mechanism)


@waits(0.1)
@where("surface:wsapoll")
@exercises("IND-POLL-01")
@pytest.mark.parametrize("queued", [0, 1460])
@pytest.mark.parametrize("ending", [*TWO_ENDINGS, Close(linger=0)], ids=str)
def test_wsapoll(connection: Connection, ending: Ending, queued: int) -> None:
    """The peer ends or aborts; the implementation asks WSAPoll, reads, and asks again."""
    connection.peer.send(queued)
    connection.peer.end_by(ending)
    connection.wait_until_told(PEER) if ending in TWO_ENDINGS else connection.wait_for_abort(PEER)
    connection.settle()
    connection.iut.poll("wsapoll")
    connection.iut.read_to_the_end()
    connection.iut.poll("wsapoll")
