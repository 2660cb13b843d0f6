# SPDX-License-Identifier: MIT
"""Group C: what one end says with its goodbye, and the other one fetches."""

import pytest

from conformance.execution.casework import (
    IUT,
    PEER,
    Connection,
    End,
    LastWord,
    establish_two,
    exercises,
    waits,
    where,
)
from conformance.execution.scenario import Notice, Part, Told

pytestmark = where("DISCONNECT_DATA", "op:send_disconnect", "op:recv_disconnect")

WHATEVER_OCTETS = where("not transport:websocket")
"""A WebSocket's last word is a code of two octets and text."""
DATA = [
    pytest.param(LastWord.ONE, marks=WHATEVER_OCTETS),
    LastWord.TYPICAL,
    LastWord.MAXIMUM,
    pytest.param(LastWord.EVERY_OCTET, marks=WHATEVER_OCTETS),
]
FD_CLOSE = exercises("IND-FDC-01")
NOTICES = [
    pytest.param(Notice.EVENT, marks=(where("surface:event"), FD_CLOSE)),
    pytest.param(Notice.MESSAGE, marks=(where("surface:message"), FD_CLOSE)),
    pytest.param(Notice.RECEIVE),
    pytest.param(Notice.COMPLETION, marks=where("op:post_recv")),
]


@exercises("DD-SEND-01")
@pytest.mark.parametrize("word", DATA, ids=str)
def test_last_word(connection: Connection, word: LastWord) -> None:
    """The implementation says goodbye with data, of each size; the peer reads to the end and fetches it."""
    connection.iut.send_disconnect(connection.last_word(word))
    connection.peer.read_to_the_end()
    connection.peer.recv_disconnect()


@exercises("DD-RECV-01", "DD-RECV-09")
@pytest.mark.parametrize("word", DATA, ids=str)
def test_last_word_of_the_peer(connection: Connection, word: LastWord) -> None:
    """The peer says goodbye with data, of each size; the implementation reads to the end and fetches it."""
    connection.peer.send_disconnect(connection.last_word(word))
    connection.iut.read_to_the_end()
    connection.iut.recv_disconnect()


@pytest.mark.parametrize(
    "word",
    [
        pytest.param(LastWord.NULL, marks=exercises("DD-SEND-03", "INIT-SDISC-01")),
        pytest.param(LastWord.EMPTY, marks=(WHATEVER_OCTETS, exercises("INIT-SDISC-02"))),
    ],
    ids=str,
)
def test_goodbye_without_data(connection: Connection, word: LastWord) -> None:
    """The implementation says goodbye with no octets, or with a null pointer; then it sends all the same."""
    connection.iut.send_disconnect(connection.last_word(word))
    connection.iut.send(1)
    connection.peer.read_to_the_end()
    connection.peer.recv_disconnect()


@exercises("IND-STREAM-01", "IND-MSG-01")
@pytest.mark.parametrize("word", [LastWord.NULL, LastWord.EMPTY], ids=str)
def test_goodbye_of_the_peer_without_data(connection: Connection, word: LastWord) -> None:
    """The peer says goodbye with no octets, or with a null pointer; the implementation asks for data, twice."""
    connection.peer.send_disconnect(connection.last_word(word))
    connection.iut.read_to_the_end()
    connection.iut.recv_disconnect()
    connection.iut.recv_disconnect()


@waits(0.1)
@exercises("DD-SEND-05")
def test_last_word_above_the_limit(connection: Connection) -> None:
    """One octet more than the limit; then an end without data, so that the peer is told of one in any case."""
    connection.iut.send_disconnect(connection.last_word(LastWord.ABOVE_MAXIMUM))
    connection.settle()
    connection.peer.look_in_vain()
    connection.iut.send_disconnect(None)
    connection.peer.read_to_the_end()
    connection.peer.recv_disconnect()


@waits(0.1)
@where("feature:unreadable-buffers")
@exercises("DD-SEND-06")
def test_last_word_that_cannot_be_read(connection: Connection) -> None:
    """The buffer's address cannot be read; then an end without data, so that the peer is told of one in any case."""
    connection.iut.send_disconnect_unreadable()
    connection.settle()
    connection.peer.look_in_vain()
    connection.iut.send_disconnect(None)
    connection.peer.read_to_the_end()
    connection.peer.recv_disconnect()


@exercises("DD-RECV-01")
@pytest.mark.parametrize("word", [LastWord.TYPICAL, LastWord.MAXIMUM], ids=str)
@pytest.mark.parametrize("notice", NOTICES, ids=str)
def test_fetch_after_each_notice(connection: Connection, notice: Notice, word: LastWord) -> None:
    """The implementation fetches the data as soon as it is told of the end, by one kind of notice."""
    told, part = Told(notice), Part(connection.iut, connection.link)
    told.prepare(part)
    connection.peer.send_disconnect(connection.last_word(word))
    told(part)
    connection.iut.recv_disconnect()


@where("surface:select")
@exercises("DD-RECV-01", "IND-SEL-01")
def test_fetch_after_select(connection: Connection) -> None:
    """The implementation selects, receives the end, and fetches."""
    connection.peer.send_disconnect(connection.last_word(LastWord.TYPICAL))
    connection.iut.set_blocking(False)
    connection.iut.poll("select")
    connection.iut.read()
    connection.iut.recv_disconnect()


@exercises("DD-RECV-01", "IND-FDC-09")
@pytest.mark.parametrize("notice", NOTICES[:2], ids=str)
def test_fetch_after_registering_late(connection: Connection, notice: Notice) -> None:
    """The goodbye has come before the implementation asks to be told of it."""
    told, part = Told(notice), Part(connection.iut, connection.link)
    connection.peer.send_disconnect(connection.last_word(LastWord.TYPICAL))
    connection.wait_until_told(PEER)
    told.prepare(part)
    told(part)
    connection.iut.recv_disconnect()


@pytest.mark.parametrize("queued", [1460, 100_000])
@pytest.mark.parametrize(
    ("sender", "word"),
    [
        pytest.param(IUT, LastWord.TYPICAL, marks=exercises("DD-SEND-08", "DD-SEND-01"), id="iut-sends-20"),
        pytest.param(IUT, LastWord.NULL, marks=exercises("DD-SEND-08", "DD-SEND-03"), id="iut-sends-null"),
        pytest.param(PEER, LastWord.TYPICAL, marks=exercises("DD-RECV-01"), id="peer-sends-20"),
    ],
)
def test_last_word_behind_data(connection: Connection, sender: End, queued: int, word: LastWord) -> None:
    """Data is queued before the goodbye; the other end reads everything, then the end, then fetches."""
    one, other = connection.at(sender), connection.at(sender.other)
    one.send(queued)
    one.send_disconnect(connection.last_word(word))
    other.read_to_the_end()
    other.recv_disconnect()


@exercises("DD-SEND-08", "DD-SEND-01")
def test_last_word_behind_full_buffers(connection: Connection) -> None:
    """More is queued than the peer's buffers hold when the implementation says goodbye."""
    connection.iut.fill()
    connection.iut.send_disconnect(connection.last_word(LastWord.TYPICAL))
    connection.peer.read_to_the_end()
    connection.peer.recv_disconnect()


@pytest.mark.parametrize(
    ("sender", "second"),
    [
        pytest.param(IUT, LastWord.MAXIMUM, marks=exercises("DD-SEND-07"), id="iut-sends-data"),
        pytest.param(IUT, LastWord.NULL, marks=exercises("DD-SEND-01"), id="iut-sends-null"),
        pytest.param(PEER, LastWord.MAXIMUM, marks=exercises("DD-RECV-01"), id="peer-sends-data"),
    ],
)
def test_second_last_word(connection: Connection, second: LastWord, sender: End) -> None:
    """Goodbye is said twice, with other data the second time, or with none."""
    one, other = connection.at(sender), connection.at(sender.other)
    one.send_disconnect(connection.last_word(LastWord.TYPICAL))
    one.send_disconnect(connection.last_word(second))
    other.read_to_the_end()
    connection.settle()
    other.recv_disconnect()


@pytest.mark.parametrize(
    "nothing_first",
    [
        pytest.param(True, marks=exercises("INIT-SDISC-01", "DD-SEND-03"), id="null-first"),
        pytest.param(False, marks=exercises("INIT-SHUT-01"), id="shutdown-first"),
    ],
)
def test_last_word_after_the_end(connection: Connection, nothing_first: bool) -> None:
    """The implementation has ended its direction without data, and says goodbye with data afterwards."""
    if nothing_first:
        connection.iut.send_disconnect(None)
    else:
        connection.iut.shutdown("send")
    connection.iut.send_disconnect(connection.last_word(LastWord.TYPICAL))
    connection.peer.read_to_the_end()
    connection.peer.recv_disconnect()


@pytest.mark.parametrize(
    "sender",
    [
        pytest.param(IUT, marks=exercises("DD-SEND-01"), id="iut-sends"),
        pytest.param(PEER, marks=exercises("DD-RECV-01"), id="peer-sends"),
    ],
)
def test_last_words_of_two_connections(ends: Connection, sender: End) -> None:
    """Goodbye is said on two connections, with other data on each, and fetched in the other order."""
    connections = (ends, establish_two(ends, IUT))
    for connection, word in zip(connections, (LastWord.TYPICAL, LastWord.MAXIMUM), strict=True):
        connection.at(sender).send_disconnect(connection.last_word(word))
    for connection in reversed(connections):
        connection.at(sender.other).read_to_the_end()
        connection.at(sender.other).recv_disconnect()
