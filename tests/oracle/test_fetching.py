# SPDX-License-Identifier: MIT
"""Disconnect data that is fetched: which fetch is judged, by what it was told before, and what spoils the evidence."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.oracle.findings import Conclusion
from tests.oracle.story import MS, PEER, REFERENCE, Story
from tests.oracle.test_disconnect_data import NO_DATA, TOTAL, goodbye, noticed

SATISFIED, VIOLATED, UNDETERMINED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}, {Conclusion.UNDETERMINED}
NOTHING: set[Conclusion] = set()

# --- DD-RECV-02 -------------------------------------------------------------------------------------------------------


def aborted(*, told: bool = True) -> Story:
    story = Story(REFERENCE)
    story.pdu(PEER, "DATA", b"some")
    story.pdu(PEER, "ABORT", TOTAL, reason=0)
    if told:
        story.iut.recv(error="WSAECONNRESET")
    return story


@pytest.mark.parametrize(("room", "expected"), [(8, NOTHING), (9, VIOLATED), (10, VIOLATED), (None, NOTHING)])
def test_data_of_an_abort_needs_room(room: int | None, expected: set[Conclusion]) -> None:
    story = aborted()
    story.iut.recv_disconnect(b"", room=room)
    assert story.conclusions("DD-RECV-02") == expected


def test_data_of_an_abort_is_not_asked_for_before_it_is_told() -> None:
    story = aborted(told=False)
    story.iut.recv_disconnect(b"")
    assert story.conclusions("DD-RECV-02") == NOTHING


def test_the_first_fetch_that_has_room_is_judged() -> None:
    story = aborted()
    story.iut.recv_disconnect(b"", room=3)
    story.iut.recv_disconnect(TOTAL)
    assert story.conclusions("DD-RECV-02") == SATISFIED


# --- DD-RECV-03 -------------------------------------------------------------------------------------------------------


def test_an_end_that_was_told_and_never_came_makes_no_fetch_early() -> None:
    story = Story(REFERENCE)
    story.iut.recv(error="WSAEDISCON")
    story.iut.recv_disconnect(b"")
    assert story.conclusions("DD-RECV-03") == NOTHING


def test_a_fetch_after_the_own_end_of_receiving_is_not_early() -> None:
    story = Story(REFERENCE)
    story.iut.shutdown("receive")
    story.iut.recv_disconnect(b"")
    assert story.conclusions("DD-RECV-03") == NOTHING


@pytest.mark.parametrize(("takes", "expected"), [(1000, SATISFIED), (1001, VIOLATED)])
def test_early_it_returns_within_the_prompt_time(takes: int, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE)
    story.iut.recv_disconnect(b"", takes=takes)
    assert story.conclusions("DD-RECV-03") == expected


@pytest.mark.parametrize(("later_ms", "expected"), [(0, NOTHING), (1, SATISFIED)])
def test_a_fetch_that_returns_as_the_end_comes_is_not_early(later_ms: int, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE, wire=False)
    story.iut.recv_disconnect(b"")
    story.now += (later_ms - 1) * MS
    story.peer.send_disconnect(TOTAL)
    assert story.conclusions("DD-RECV-03") == expected


# --- DD-RECV-04 -------------------------------------------------------------------------------------------------------


def _unnoticed(story: Story) -> None:
    """Nothing was told yet."""


def _fetched(story: Story) -> None:
    noticed(story).iut.recv_disconnect(TOTAL)


def _stopped(story: Story) -> None:
    noticed(story).iut.shutdown("receive")


def _broken(story: Story) -> None:
    noticed(story).iut.recv(error="WSAECONNRESET")


@pytest.mark.parametrize("before", [_unnoticed, _fetched, _stopped, _broken])
def test_a_small_buffer_may_fail_for_another_reason(before: Callable[[Story], None]) -> None:
    story = goodbye()
    before(story)
    story.iut.recv_disconnect(error="WSAEINVAL", room=8)
    assert story.conclusions("DD-RECV-04") == NOTHING


def test_a_notice_before_the_end_does_not_count() -> None:
    story = noticed(Story(REFERENCE, wire=False))
    story.iut.recv_disconnect(error="WSAEINVAL", room=8)
    story.peer.send_disconnect(TOTAL)
    assert story.conclusions("DD-RECV-04") == NOTHING


def test_the_first_fetch_into_a_small_buffer_is_judged() -> None:
    story = noticed(goodbye())
    story.iut.recv_disconnect(error="WSAEINVAL", room=None)
    story.iut.recv_disconnect(error="WSAEINVAL", room=100)
    story.iut.recv_disconnect(error="WSAEFAULT", room=8)
    assert story.conclusions("DD-RECV-04") == SATISFIED


# --- DD-RECV-05 -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("end notice fetch", VIOLATED),
        ("end fetch", NOTHING),
        ("notice fetch end", NOTHING),
        ("end notice error fetch", NOTHING),
        ("abort error fetch", NOTHING),
        ("fetch end notice fetch", VIOLATED),
    ],
)
def test_without_disconnect_data_the_end_must_have_come_and_been_told(steps: str, expected: set[Conclusion]) -> None:
    story = Story(NO_DATA)
    for step in steps.split():
        match step:
            case "end":
                story.pdu(PEER, "RELEASE")
            case "abort":
                story.pdu(PEER, "ABORT")
            case "notice":
                story.iut.recv(error="WSAEDISCON")
            case "error":
                story.iut.recv(error="WSAECONNRESET")
            case "fetch":
                story.iut.recv_disconnect(error="WSAEFAULT")
    assert story.conclusions("DD-RECV-05") == expected


# --- DD-RECV-06 -------------------------------------------------------------------------------------------------------


def fetched(story: Story | None = None) -> Story:
    story = noticed(goodbye(wire=False)) if story is None else story
    story.iut.recv_disconnect(TOTAL)
    return story


def test_the_own_end_of_receiving_came_before() -> None:
    story = noticed(goodbye())
    story.iut.shutdown("receive")
    fetched(story).iut.recv(5)
    assert story.conclusions("DD-RECV-06") == NOTHING


def test_a_receive_after_the_close_is_another_matter() -> None:
    story = fetched()
    story.iut.close()
    story.iut.recv(error="WSAENOTSOCK")
    assert story.conclusions("DD-RECV-06") == NOTHING


def test_a_receive_from_before_is_another_matter() -> None:
    story = noticed(goodbye(wire=False))
    story.iut.recv(error="WSAEDISCON")
    fetched(story).iut.send(5)
    assert story.conclusions("DD-RECV-06") == NOTHING


@pytest.mark.parametrize(
    ("error", "expected"),
    [("WSAESHUTDOWN", SATISFIED), ("WSAEDISCON", VIOLATED), ("WSA_OPERATION_ABORTED", NOTHING)],
)
def test_a_posted_receive_counts_unless_it_was_cancelled(error: str, expected: set[Conclusion]) -> None:
    story = fetched()
    story.iut.post("r1")
    story.iut.completes("r1", error=error)
    story.iut.send(5)
    assert story.conclusions("DD-RECV-06") == expected


def test_after_the_own_goodbye_sends_are_refused_for_that() -> None:
    story = noticed(goodbye(wire=False))
    story.iut.shutdown("send")
    fetched(story).iut.recv(error="WSAESHUTDOWN")
    story.iut.send(5, error="WSAESHUTDOWN")
    assert story.conclusions("DD-RECV-06") == NOTHING


@pytest.mark.parametrize("then", ["goodbye", "stop", "close", "reset"])
def test_what_comes_after_a_refusal_does_not_explain_it(then: str) -> None:
    story = fetched(noticed(goodbye()))
    story.iut.recv(error="WSAESHUTDOWN")
    story.iut.send(5, error="WSAESHUTDOWN")
    match then:
        case "goodbye":
            story.iut.send_disconnect(None)
        case "stop":
            story.peer.shutdown("receive")
        case "close":
            story.peer.close()
        case "reset":
            story.pdu(PEER, "ABORT")
    assert story.conclusions("DD-RECV-06") == VIOLATED


@pytest.mark.parametrize("options", [{"error": "WSAEWOULDBLOCK"}, {"timeout": True}])
def test_a_send_that_has_to_wait_is_no_refusal(options: dict[str, object]) -> None:
    story = fetched()
    story.iut.recv(error="WSAESHUTDOWN")
    story.iut.call("send", pattern={"seed": 0, "length": 5}, **options)  # type: ignore[arg-type]
    assert story.conclusions("DD-RECV-06") == NOTHING


@pytest.mark.parametrize("before", ["stop", "close", "reset"])
def test_what_came_before_explains_a_refusal(before: str) -> None:
    story = fetched(noticed(goodbye()))
    story.iut.recv(error="WSAESHUTDOWN")
    match before:
        case "stop":
            story.peer.shutdown("receive")
        case "close":
            story.peer.close()
        case "reset":
            story.pdu(PEER, "ABORT")
    story.iut.send(5, error="WSAECONNRESET")
    assert story.conclusions("DD-RECV-06") == NOTHING


# --- DD-RECV-07 -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "takes", "expected"),
    [
        (1, 499, SATISFIED),
        (1, 500, VIOLATED),
        (5, 999, SATISFIED),
        (5, 1000, VIOLATED),
        (0, 999, SATISFIED),
        (0, 1000, VIOLATED),
    ],
)
def test_it_returns_long_before_the_linger_time(seconds: int, takes: int, expected: set[Conclusion]) -> None:
    story = goodbye()
    story.iut.linger(seconds)
    noticed(story).iut.recv_disconnect(TOTAL, takes=takes)
    story.iut.call("names")
    assert story.conclusions("DD-RECV-07") == expected


def test_a_call_that_the_agent_does_not_have_shows_nothing() -> None:
    story = goodbye()
    story.iut.linger(5)
    story.iut.finish(story.iut.begin("recv_disconnect", length=10), unsupported="the agent has none")
    story.iut.call("names")
    assert story.conclusions("DD-RECV-07") == NOTHING


def test_every_fetch_under_linger_counts() -> None:
    story = noticed(goodbye())
    story.iut.recv_disconnect(TOTAL)
    story.iut.linger(5)
    story.iut.recv_disconnect(b"", takes=2000)
    assert story.conclusions("DD-RECV-07") == VIOLATED


def test_another_socket_tells_nothing_of_this_one() -> None:
    story = noticed(goodbye())
    story.iut.linger(5)
    story.iut.recv_disconnect(TOTAL)
    story.iut.call("names", socket=9, error="WSAENOTSOCK")
    assert story.conclusions("DD-RECV-07") == NOTHING


# --- DD-RECV-08 -------------------------------------------------------------------------------------------------------


def test_a_second_fetch_is_compared_with_a_first_that_was_right() -> None:
    story = noticed(goodbye())
    story.iut.recv_disconnect(b"other")
    story.iut.recv_disconnect(TOTAL)
    assert story.conclusions("DD-RECV-08") == NOTHING
