# SPDX-License-Identifier: MIT
"""Calls paired with their returns, and what each end was told."""

from __future__ import annotations

import pytest

from conformance.trace.conditions import Condition
from conformance.trace.events import Outcome
from conformance.trace.operations import What, left_unread
from tests.oracle.story import IUT, MS, UNIX_SEQPACKET, UNIX_STREAM, Story


def test_a_call_is_paired_with_its_own_return() -> None:
    story = Story()
    first = story.iut.begin("recv", length=10)
    second = story.iut.begin("send", data="aGFsbG8=")
    story.peer.send(3)
    story.iut.finish(second, length=5)
    story.iut.finish(first, error="ECONNRESET")
    recv, send = story.connection().iut.operations
    assert (recv.op, recv.condition, recv.events) == ("recv", Condition.ECONNRESET, (4, 9))
    assert (send.op, send.result, send.events) == ("send", {"length": 5}, (5, 8))
    assert recv.took == 5 * MS


def test_a_call_that_never_returned_is_unanswered() -> None:
    story = Story()
    story.iut.begin("recv", length=10)
    (operation,) = story.connection().iut.operations
    assert (operation.outcome, operation.returned, operation.took) == (Outcome.UNANSWERED, None, 0)
    assert story.connection().iut.reports == ()


def test_calls_of_one_number_at_both_ends_are_kept_apart() -> None:
    story = Story()
    story.iut.send(5)
    story.peer.send(7)
    assert [o.result["length"] for o in story.history().of(IUT)] == [5]


def test_operations_on_other_sockets_are_not_the_connection_s() -> None:
    story = Story()
    story.iut.send(5, socket=9)
    assert story.connection().iut.operations == ()
    assert len(story.history().of(IUT)) == 1


@pytest.mark.parametrize(
    ("how", "named", "ends"),
    [(0, "receive", False), (1, "send", True), (2, "both", True), (7, 7, False), ("send", "send", True)],
)
def test_a_direction_may_be_given_as_a_number(how: int | str, named: int | str, ends: bool) -> None:
    story = Story()
    story.iut.shutdown(how)
    (operation,) = story.connection().iut.operations
    assert (operation.how, operation.ends_sending) == (named, ends)


# --- duplicates and ends ----------------------------------------------------------------------------------------------


def test_what_is_done_with_a_duplicate_belongs_to_the_connection() -> None:
    story = Story()
    story.iut.call("duplicate", result={"socket": 4})
    story.iut.call("duplicate", socket=4, result={"socket": 5})
    story.iut.send(5, socket=5)
    side = story.connection().iut
    assert side.sockets == {3, 4, 5}
    assert len(side.sends) == 1


def test_only_the_last_close_gives_the_connection_up() -> None:
    story = Story()
    story.iut.call("duplicate", result={"socket": 4})
    story.iut.close()
    assert story.connection().iut.gone_at is None
    assert story.connection().iut.ending is None
    story.iut.close(socket=4)
    side = story.connection().iut
    assert side.closed is not None and side.closed.socket == 4
    assert side.ending is side.closed
    assert side.gone_at == side.closed.entered


def test_a_call_that_failed_ended_nothing() -> None:
    story = Story()
    story.iut.shutdown("send", error="ENOTCONN")
    story.iut.close(error="EIO")
    side = story.connection().iut
    assert (side.ending, side.closed, side.gone_at) == (None, None, None)


def test_the_first_end_counts() -> None:
    story = Story()
    story.iut.shutdown("receive")
    story.iut.shutdown("both")
    story.iut.close()
    ending = story.connection().iut.ending
    assert ending is not None and ending.how == "both"


def test_death_gives_the_connection_up() -> None:
    story = Story()
    story.iut.dies()
    side = story.connection().iut
    assert side.gone_at == side.killed_at == side.stopped_receiving_at == (side.dead_at or 0) - MS


@pytest.mark.parametrize("how", ["receive", "both", 0, 2])
def test_its_own_shutdown_stops_an_end_from_receiving(how: int | str) -> None:
    story = Story()
    story.iut.shutdown("send")
    story.iut.shutdown(how, error="ENOTCONN")
    assert story.connection().iut.stopped_receiving_at is None
    story.iut.shutdown(how)
    assert story.connection().iut.stopped_receiving_at == story.now - MS


# --- settings ---------------------------------------------------------------------------------------------------------


def test_linger_is_what_was_set_last_by_then() -> None:
    story = Story()
    before = story.now
    story.iut.linger(5)
    between = story.now
    story.iut.linger(0)
    story.iut.call("set_linger", on=True, seconds=9, error="EINVAL")
    side = story.connection().iut
    assert [side.linger_at(time) for time in (before, between, story.now)] == [(False, 0), (True, 5), (True, 0)]


def test_sockets_block_until_told_not_to() -> None:
    story = Story()
    before = story.now
    story.iut.nonblocking()
    side = story.connection().iut
    assert side.blocking_at(before)
    assert not side.blocking_at(story.now)


# --- reports ----------------------------------------------------------------------------------------------------------


def test_receives_tell_data_ends_errors_and_nothing() -> None:
    story = Story()
    story.iut.recv(5)
    story.iut.recv(error="EAGAIN")
    story.iut.recv(timeout=True, takes=20, wait_ms=20)
    story.iut.recv()
    story.iut.recv(error="ECONNRESET")
    reports = story.connection().iut.reports
    assert [r.what for r in reports] == [What.DATA, What.WOULD_BLOCK, What.NOTHING, What.ZERO_BYTES, What.ERROR]
    assert [r.told for r in reports] == ["DATA", "EWOULDBLOCK", "NOTHING", "ZERO_BYTES", "ECONNRESET"]
    assert [r.is_final for r in reports] == [False, False, False, True, True]


def test_a_receive_of_no_length_tells_of_no_end() -> None:
    story = Story()
    story.iut.call("recv", length=0, result={"length": 0, "data": ""})
    assert story.connection().iut.reports == ()


def test_a_peek_is_a_report_and_not_a_receive() -> None:
    story = Story()
    story.iut.recv(5, flags=["PEEK"])
    side = story.connection().iut
    assert len(side.reports) == 1
    assert side.receives == ()
    assert side.read_until(story.now) == 0


def test_a_posted_receive_reports_when_it_completes() -> None:
    story = Story()
    story.iut.call("post_recv", length=10, result={"token": "r1"})
    asked = story.now
    story.wait(50)
    story.iut.completes("r1", 5)
    story.iut.call("post_recv", length=10, result={"token": "r2"})
    (report,) = story.connection().iut.reports
    assert (report.posted, report.length, report.at) == (True, 5, asked + 51 * MS)


def test_bytes_are_read_when_the_receive_returns() -> None:
    story = Story()
    story.iut.recv(5)
    between = story.now
    story.iut.recv(7)
    side = story.connection().iut
    assert (side.read_until(between), side.read_until(between - 1), side.read_until(story.now)) == (5, 0, 12)


# --- what is left unread ----------------------------------------------------------------------------------------------


def _left(story: Story) -> int:
    connection = story.connection()
    messages = not connection.statement.is_stream
    return left_unread(connection.peer, connection.iut, story.now, messages=messages)


def test_what_was_sent_and_not_read_is_left() -> None:
    story = Story(UNIX_STREAM)
    story.peer.send(5)
    story.iut.recv(3)
    assert _left(story) == 2
    story.iut.recv(2)
    assert _left(story) == 0


def test_a_send_that_failed_left_nothing_and_one_under_way_may_have() -> None:
    story = Story(UNIX_STREAM)
    story.peer.send(5, error="EAGAIN")
    assert _left(story) == 0
    story.peer.begin("send", pattern={"seed": 0, "length": 5})
    assert _left(story) > 0


@pytest.mark.parametrize(("statement", "left"), [(UNIX_STREAM, 0), (UNIX_SEQPACKET, 1)])
def test_an_empty_message_can_be_left_unread(statement: object, left: int) -> None:
    story = Story(statement)  # type: ignore[arg-type]
    story.peer.send(0)
    assert _left(story) == left
    story.iut.recv()
    assert _left(story) == 0
