# SPDX-License-Identifier: MIT
"""Facts of disconnect data: what the link showed, what told of the end, and which fetch had to return the data."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from conformance.oracle.goodbyes import (
    carried,
    comes_too_late,
    fetches,
    final_reports,
    first_fetch,
    goodbye,
    notices,
    says_nothing,
    stopped_before,
    undisturbed,
)
from conformance.trace.events import Pdu
from tests.oracle.story import IUT, PEER, REFERENCE, Story

TOTAL = b"the total"
NORMAL = (1000).to_bytes(2, "big")
WEBSOCKET = msgspec.structs.replace(REFERENCE, transport="websocket", family="runtime")
Change = Callable[[Story], object]


def ended(*, wire: bool = True) -> Story:
    """The peer said goodbye with data."""
    story = Story(REFERENCE, wire=wire)
    story.peer.send_disconnect(TOTAL)
    if wire:
        story.pdu(PEER, "RELEASE", TOTAL)
    return story


def wanted_fetch(story: Story) -> int | None:
    """Which of the fetches had to return the data, counted from 0."""
    connection = story.connection()
    parting = goodbye(connection.peer_to_iut)
    first = first_fetch(parting, connection.statement) if parting is not None else None
    return None if first is None else fetches(connection.peer_to_iut, connection.statement).index(first)


# --- what was given, and what the link showed -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "by_websocket"),
    [
        (b"", True),
        (NORMAL, True),
        ((1001).to_bytes(2, "big"), False),
        (NORMAL + b"!", False),
        (b"\x00" + NORMAL, False),
    ],
)
def test_a_code_of_normal_closure_by_itself_says_nothing(data: bytes, by_websocket: bool) -> None:
    assert says_nothing(data, WEBSOCKET) is by_websocket
    assert says_nothing(data, REFERENCE) is (not data)


def test_the_unit_that_ended_the_direction_is_the_first_release_that_can_be_read() -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "DATA", b"message")
    story.pdu(PEER, "RELEASE", TOTAL)
    story.pdu(PEER, "RELEASE", b"another")
    found = carried(story.connection().peer_to_iut)
    assert found is not None
    assert found.data == TOTAL
    story = Story(REFERENCE)
    story.pdu(PEER, "RELEASE", TOTAL, problem="too long")
    assert carried(story.connection().peer_to_iut) is None


@pytest.mark.parametrize(
    ("given", "data"), [(TOTAL + b"!", TOTAL + b"!"), (TOTAL, TOTAL), (None, TOTAL), (b"not the to", TOTAL)]
)
def test_where_the_record_holds_the_first_octets_what_was_given_tells_the_others(
    given: bytes | None, data: bytes
) -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "RELEASE", TOTAL)
    story.events = [
        msgspec.structs.replace(event, length=10) if isinstance(event, Pdu) else event for event in story.events
    ]
    found = carried(story.connection().peer_to_iut, given)
    assert found is not None
    assert found.data == data


@pytest.mark.parametrize(("earlier_ms", "by_call"), [(2, True), (3, False)])
def test_what_was_on_the_link_before_the_call_is_not_its_doing(earlier_ms: int, by_call: bool) -> None:
    story = Story(REFERENCE)
    story.peer.send_disconnect(TOTAL)
    story.wait(-earlier_ms)
    story.pdu(PEER, "RELEASE", TOTAL, acked=False)
    found = goodbye(story.connection().peer_to_iut)
    assert found is not None
    assert (found.call is not None) is by_call
    assert found.wanted == TOTAL


@pytest.mark.parametrize(
    ("transport", "framed", "when", "late"),
    [
        ("websocket", False, "before", True),
        ("websocket", False, "as", True),
        ("websocket", False, "after", False),
        ("websocket", False, "never", False),
        ("websocket", True, "before", False),
        ("reference", False, "before", False),
        ("reference", True, "before", False),
    ],
)
def test_what_a_transport_may_have_answered_by_itself(transport: str, framed: bool, when: str, late: bool) -> None:
    """The end of the peer's direction is known from its call, or from the link."""
    story = Story(WEBSOCKET if transport == "websocket" else REFERENCE, wire=framed)
    if framed:
        story.pdu(PEER, "CLOSE" if transport == "websocket" else "RELEASE", NORMAL, code=1000)
    elif when in ("before", "as"):
        story.peer.send_disconnect(NORMAL)
        story.wait(-2 if when == "as" else 0)
    story.iut.send_disconnect(NORMAL)
    if when == "after":
        story.peer.send_disconnect(NORMAL)
    connection = story.connection()
    (call,) = connection.iut.calls("send_disconnect")
    ended_at = connection.peer_to_iut.ending.at
    assert when != "as" or ended_at == call.entered
    assert comes_too_late(connection, call) is late


# --- notices ----------------------------------------------------------------------------------------------------------


def test_everything_that_tells_of_the_end_is_a_notice() -> None:
    story = Story(REFERENCE)
    story.iut.post("r1")
    story.pdu(PEER, "RELEASE")
    story.iut.indicates("FD_READ")
    story.iut.indicates("END")
    story.iut.indicates("END", "WSAECONNRESET")
    story.iut.enum_events(("FD_CLOSE", ""), ("FD_READ", ""))
    story.iut.enum_events(("FD_CLOSE", "WSAECONNABORTED"))
    story.iut.completes("r1", error="WSAEDISCON")
    story.iut.recv(error="WSAECONNRESET")
    connection = story.connection()
    told = [(notice.kind, notice.told) for notice in notices(connection.peer_to_iut, connection.statement)]
    assert told == [
        ("END", "GRACEFUL"),
        ("END", "ECONNRESET"),
        ("FD_CLOSE", "GRACEFUL"),
        ("FD_CLOSE", "ECONNABORTED"),
        ("a posted receive", "GRACEFUL"),
        ("recv", "ECONNRESET"),
    ]


@pytest.mark.parametrize(("empty", "zeros", "left"), [(0, 1, 1), (1, 1, 0), (1, 2, 1), (2, 2, 0), (2, 3, 1), (3, 3, 0)])
def test_an_empty_message_is_told_like_an_end_and_is_none(empty: int, zeros: int, left: int) -> None:
    story = Story(REFERENCE, wire=False)
    for _ in range(empty):
        story.peer.send(0)
    story.peer.send(5)
    for _ in range(zeros):
        story.iut.recv(0)
    connection = story.connection()
    assert len(list(final_reports(connection.peer_to_iut, connection.statement))) == left


def test_neither_data_nor_what_the_caller_cancelled_tells_of_an_end() -> None:
    story = Story(REFERENCE, wire=False)
    story.peer.send(5)
    story.iut.post("r1")
    story.iut.completes("r1", error="WSA_OPERATION_ABORTED")
    story.iut.recv(5)
    story.iut.recv(timeout=True)
    connection = story.connection()
    assert list(final_reports(connection.peer_to_iut, connection.statement)) == []


# --- fetches ----------------------------------------------------------------------------------------------------------


def test_a_fetch_says_what_room_there_was() -> None:
    story = ended()
    story.iut.recv_disconnect(TOTAL)
    story.iut.recv_disconnect(b"", room=None)
    connection = story.connection()
    assert [fetch.seen for fetch in fetches(connection.peer_to_iut, connection.statement)] == [
        "RecvDisconnect with room for 4096 returned 9 octets",
        "RecvDisconnect with a null pointer returned 0 octets",
    ]


@pytest.mark.parametrize(
    ("change", "count"),
    [
        (lambda s: s.iut.recv_disconnect(TOTAL), 1),
        (lambda s: s.iut.recv_disconnect(error="WSAENOTCONN"), 1),
        (lambda s: s.iut.recv_disconnect(timeout=True), 1),
        (lambda s: s.iut.begin("recv_disconnect", length=9), 0),
        (lambda s: s.iut.finish(s.iut.begin("recv_disconnect"), unsupported="no such call"), 0),
        (lambda s: (s.iut.recv_disconnect(TOTAL), s.iut.close()), 1),
        (lambda s: (s.iut.close(), s.iut.recv_disconnect(TOTAL)), 0),
        (lambda s: (s.iut.close(), s.wait(-2), s.iut.recv_disconnect(TOTAL)), 0),
        (lambda s: (s.iut.close(), s.wait(-3), s.iut.recv_disconnect(TOTAL)), 1),
    ],
    ids=["fetched", "failed", "timed-out", "unanswered", "unsupported", "closed", "after", "as-it-closes", "before"],
)
def test_which_calls_are_fetches(change: Change, count: int) -> None:
    story = ended()
    change(story)
    connection = story.connection()
    assert len(fetches(connection.peer_to_iut, connection.statement)) == count


@pytest.mark.parametrize(("earlier_ms", "expected"), [(1, 0), (2, None)])
def test_a_fetch_as_the_end_comes_is_not_early(earlier_ms: int, expected: int | None) -> None:
    """A clock may show no time between the end, its notice and the call."""
    story = Story(REFERENCE)
    story.peer.send_disconnect(TOTAL)
    story.pdu(PEER, "RELEASE", TOTAL, acked=False)
    story.wait(-earlier_ms)
    story.iut.indicates("END")
    story.wait(-1)
    story.iut.recv_disconnect(TOTAL)
    assert wanted_fetch(story) == expected


@pytest.mark.parametrize(("room", "expected"), [(9, 0), (8, None), (None, None)])
def test_the_fetch_is_to_have_room_for_the_data(room: int | None, expected: int | None) -> None:
    story = ended()
    story.iut.recv(error="WSAEDISCON")
    story.iut.recv_disconnect(b"", room=room)
    assert wanted_fetch(story) == expected


def test_there_is_to_be_room_for_what_was_given_too() -> None:
    """The link shows less of it: then nobody knows for how much there had to be room."""
    story = Story(REFERENCE)
    story.peer.send_disconnect(TOTAL)
    story.pdu(PEER, "RELEASE", TOTAL[:5])
    story.iut.recv(error="WSAEDISCON")
    story.iut.recv_disconnect(b"", room=8)
    assert wanted_fetch(story) is None


def test_after_an_abort_no_fetch_had_to_return_the_data() -> None:
    story = Story(REFERENCE)
    story.peer.send_disconnect(TOTAL)
    story.pdu(PEER, "ABORT", reason=0)
    story.iut.recv(error="WSAEDISCON")
    story.iut.recv_disconnect(TOTAL)
    assert wanted_fetch(story) is None


@pytest.mark.parametrize(
    ("change", "stopped"),
    [
        (lambda s: s.iut.shutdown("receive"), True),
        (lambda s: s.iut.shutdown("both"), True),
        (lambda s: s.iut.shutdown(0), True),
        (lambda s: s.iut.shutdown("send"), False),
        (lambda s: s.iut.shutdown("receive", error="WSAENOTCONN"), False),
        (lambda s: None, False),
    ],
    ids=["receive", "both", "number", "send", "failed", "none"],
)
def test_who_stopped_receiving_before_the_call(change: Change, stopped: bool) -> None:
    story = ended()
    change(story)
    story.iut.recv_disconnect(TOTAL)
    side = story.connection().iut
    (call,) = side.calls("recv_disconnect")
    assert stopped_before(side, call) is stopped


@pytest.mark.parametrize(("earlier_ms", "stopped"), [(0, False), (2, False), (3, True)])
def test_stopping_at_the_instant_of_the_call_or_later_is_not_before_it(earlier_ms: int, stopped: bool) -> None:
    story = ended()
    story.iut.recv_disconnect(TOTAL)
    story.wait(-earlier_ms)
    story.iut.shutdown("receive")
    side = story.connection().iut
    (call,) = side.calls("recv_disconnect")
    assert stopped_before(side, call) is stopped


@pytest.mark.parametrize(("earlier_ms", "whole"), [(0, True), (1, False), (2, False)])
def test_a_reset_by_the_return_of_the_fetch_may_have_taken_the_data(earlier_ms: int, whole: bool) -> None:
    story = ended()
    story.iut.recv(error="WSAEDISCON")
    story.iut.recv_disconnect(TOTAL)
    story.wait(-earlier_ms)
    story.pdu(PEER, "ABORT", reason=0)
    connection = story.connection()
    (fetch,) = fetches(connection.peer_to_iut, connection.statement)
    parting = goodbye(connection.peer_to_iut)
    assert parting is not None
    assert undisturbed(parting, fetch) is whole


def test_a_notice_of_an_error_may_have_taken_the_data() -> None:
    story = ended()
    story.iut.recv(error="WSAEDISCON")
    story.iut.enum_events(("FD_CLOSE", "WSAECONNRESET"))
    story.iut.recv_disconnect(b"")
    connection = story.connection()
    (fetch,) = fetches(connection.peer_to_iut, connection.statement)
    parting = goodbye(connection.peer_to_iut)
    assert parting is not None
    assert not undisturbed(parting, fetch)


def test_of_the_iuts_data_only_a_call_tells() -> None:
    """What the IUT's link shows without a call of its own was put there by a library: nobody gave it."""
    story = Story(REFERENCE)
    for end in (IUT, PEER):
        story.pdu(end, "RELEASE", TOTAL)
    assert goodbye(story.connection().iut_to_peer) is None
    assert goodbye(story.connection().peer_to_iut) is not None
