# SPDX-License-Identifier: MIT
"""Group C: what one end says with its goodbye, and the other one fetches."""

import pytest

from conformance.execution.casework import IUT, PEER, Connection, End, LastWord, both_roles, exercises, where
from conformance.execution.scenario import Notice, Part, Told

pytestmark = where("DISCONNECT_DATA", "op:send_disconnect", "op:recv_disconnect")

WITHIN_LIMIT = [LastWord.ONE, LastWord.TYPICAL, LastWord.MAXIMUM, LastWord.EVERY_OCTET, LastWord.EMPTY, LastWord.NULL]
SENDERS = [
    pytest.param(IUT, marks=exercises("DD-SEND-01"), id="iut-sends"),
    pytest.param(PEER, marks=exercises("DD-RECV-01", "DD-RECV-09"), id="peer-sends"),
]
NOTICES = [
    pytest.param(Notice.EVENT, marks=where("surface:event")),
    pytest.param(Notice.MESSAGE, marks=where("surface:message")),
    pytest.param(Notice.RECEIVE),
    pytest.param(Notice.COMPLETION, marks=where("op:post_recv")),
]


@both_roles
@exercises("DD-SEND-03")
@pytest.mark.parametrize("word", WITHIN_LIMIT, ids=str)
@pytest.mark.parametrize("sender", SENDERS)
def test_last_word(connection: Connection, sender: End, word: LastWord) -> None:
    """One end says goodbye with data, of each size that there is; the other reads to the end and fetches it."""
    one, other = connection.at(sender), connection.at(sender.other)
    one.send_disconnect(connection.last_word(word))
    other.read_to_the_end()
    other.recv_disconnect()


@exercises("DD-SEND-05")
@pytest.mark.parametrize("sender", [IUT, PEER], ids=["iut-sends", "peer-sends"])
def test_last_word_above_the_limit(connection: Connection, sender: End) -> None:
    """One octet more than the limit; then the goodbye without data, so that the end comes in any case."""
    one, other = connection.at(sender), connection.at(sender.other)
    one.send_disconnect(connection.last_word(LastWord.ABOVE_MAXIMUM))
    connection.settle()
    other.look_in_vain()
    one.shutdown("send")
    other.read_to_the_end()
    other.recv_disconnect()


@exercises("DD-RECV-01", "IND-FDC-01")
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


@exercises("DD-SEND-08", "DD-SEND-01", "DD-RECV-01")
@pytest.mark.parametrize("word", [LastWord.TYPICAL, LastWord.NULL], ids=str)
@pytest.mark.parametrize("queued", [1, 1460, 100_000])
@pytest.mark.parametrize("sender", [IUT, PEER], ids=["iut-sends", "peer-sends"])
def test_last_word_behind_data(connection: Connection, sender: End, queued: int, word: LastWord) -> None:
    """Data is queued before the goodbye; the other end reads everything, then the end, then fetches."""
    one, other = connection.at(sender), connection.at(sender.other)
    one.send(queued)
    one.send_disconnect(connection.last_word(word))
    other.read_to_the_end()
    other.recv_disconnect()


@exercises("DD-SEND-08", "DD-RECV-01")
def test_last_word_behind_full_buffers(connection: Connection) -> None:
    """More is queued than the peer's buffers hold when the implementation says goodbye."""
    connection.iut.fill()
    connection.iut.send_disconnect(connection.last_word(LastWord.TYPICAL))
    connection.peer.read_to_the_end()
    connection.peer.recv_disconnect()


@exercises("DD-SEND-07")
@pytest.mark.parametrize("sender", [IUT, PEER], ids=["iut-sends", "peer-sends"])
@pytest.mark.parametrize("second", [LastWord.ONE, LastWord.NULL], ids=["then-one-octet", "then-null"])
def test_second_last_word(connection: Connection, second: LastWord, sender: End) -> None:
    """Goodbye is said twice, with other data the second time, or with none."""
    one, other = connection.at(sender), connection.at(sender.other)
    one.send_disconnect(connection.last_word(LastWord.TYPICAL))
    one.send_disconnect(connection.last_word(second))
    other.read_to_the_end()
    connection.settle()
    other.recv_disconnect()


@exercises("DD-SEND-07", "INIT-SDISC-01")
@pytest.mark.parametrize("nothing_first", [True, False], ids=["null-first", "shutdown-first"])
def test_last_word_after_the_end(connection: Connection, nothing_first: bool) -> None:
    """The implementation has ended its direction without data, and says goodbye with data afterwards."""
    if nothing_first:
        connection.iut.send_disconnect(None)
    else:
        connection.iut.shutdown("send")
    connection.iut.send_disconnect(connection.last_word(LastWord.TYPICAL))
    connection.peer.read_to_the_end()
    connection.peer.recv_disconnect()
