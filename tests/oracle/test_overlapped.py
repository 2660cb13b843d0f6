# SPDX-License-Identifier: MIT
"""The judges of overlapped receives: what is pending completes rightly, wrongly, early, late, disordered, or never."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.oracle.findings import Conclusion
from conformance.trace.events import Noted
from tests.oracle.story import IUT, MS, PEER, REFERENCE, REFERENCE_STREAM, WINDOWS_TCP, Story, reference
from tests.oracle.test_notifications import (
    LINKS,
    LONG,
    NOTHING,
    SATISFIED,
    UNDETERMINED,
    VIOLATED,
    aborted,
    released,
)

ENDS = pytest.mark.parametrize(
    ("message", "requirement", "right", "wrong"),
    [(False, "IND-OVL-01", "", "WSAEDISCON"), (True, "IND-OVL-03", "WSAEDISCON", "")],
    ids=["stream", "message"],
)


def pending(*tokens: str, message: bool = False, wire: bool = True) -> Story:
    """The IUT has posted these receives."""
    story = Story(REFERENCE if message else REFERENCE_STREAM, wire=wire)
    for token in tokens or ("r1",):
        story.iut.post(token)
    return story


def sends(story: Story, length: int) -> Story:
    """The peer has sent so many bytes of the pattern."""
    story.peer.send(length)
    if story.header.wire:
        story.pdu(story.peer.end, "DATA", bytes(range(length)))
    return story


def watches(story: Story, ms: int = LONG) -> Story:
    """The IUT's calls go on for so long, and the harness waits."""
    story.settle(ms)
    story.iut.call("names", result={})
    return story


# --- IND-OVL-01, IND-OVL-03 -------------------------------------------------------------------------------------------


@LINKS
@ENDS
def test_a_pending_receive_completes_at_the_end(
    wire: bool, message: bool, requirement: str, right: str, wrong: str
) -> None:
    story = released(pending(message=message, wire=wire))
    story.iut.completes("r1", error=right)
    assert story.conclusions(requirement) == SATISFIED
    assert story.conclusions("IND-OVL-02") == NOTHING


@LINKS
@ENDS
@pytest.mark.parametrize("other", [None, "WSAECONNRESET", "WSA_OPERATION_ABORTED"])
def test_a_pending_receive_tells_something_else(
    wire: bool, message: bool, requirement: str, right: str, wrong: str, other: str | None
) -> None:
    story = released(pending(message=message, wire=wire))
    story.iut.completes("r1", error=wrong if other is None else other)
    assert story.conclusions(requirement) == VIOLATED


@ENDS
def test_a_pending_receive_completes_before_the_end(message: bool, requirement: str, right: str, wrong: str) -> None:
    story = pending(message=message)
    story.iut.completes("r1", error=right)
    released(story)
    assert story.conclusions(requirement) == VIOLATED


@ENDS
def test_a_pending_receive_completes_late(message: bool, requirement: str, right: str, wrong: str) -> None:
    story = released(pending(message=message))
    story.wait(LONG)
    story.iut.completes("r1", error=right)
    assert story.conclusions(requirement) == VIOLATED


@ENDS
def test_a_pending_receive_never_completes(message: bool, requirement: str, right: str, wrong: str) -> None:
    story = watches(released(pending(message=message)), 100)
    assert story.conclusions(requirement) == NOTHING
    watches(story)
    assert story.conclusions(requirement) == VIOLATED


@ENDS
def test_waiting_for_it_in_vain_shows_it_too(message: bool, requirement: str, right: str, wrong: str) -> None:
    story = released(pending(message=message))
    story.settle(LONG)
    assert story.conclusions(requirement) == VIOLATED


@ENDS
def test_a_receive_posted_after_the_end_is_not_pending_then(
    message: bool, requirement: str, right: str, wrong: str
) -> None:
    story = released(Story(REFERENCE if message else REFERENCE_STREAM))
    story.iut.post("r1")
    story.iut.completes("r1", error=wrong)
    assert story.conclusions(requirement) == NOTHING


def test_a_receive_that_blocks_is_not_overlapped() -> None:
    story = Story(REFERENCE_STREAM)
    call = story.iut.begin("recv", length=100, wait_ms=3000)
    released(story)
    story.iut.finish(call, error="WSAEDISCON")
    assert story.conclusions("IND-OVL-01") == NOTHING


def test_empty_messages_are_told_as_zero_bytes_and_the_end_is_not() -> None:
    story = pending("r1", "r2", message=True)
    sends(story, 0)
    story.iut.completes("r1")
    released(story)
    story.iut.completes("r2", error="WSAEDISCON")
    assert story.conclusions("IND-OVL-03") == SATISFIED


def test_an_own_end_of_receiving_may_have_ended_it() -> None:
    story = pending()
    story.iut.shutdown("both")
    released(story)
    story.iut.completes("r1", error="WSA_OPERATION_ABORTED")
    assert story.conclusions("IND-OVL-01") == NOTHING


def test_what_is_not_known_of_the_end_is_undetermined() -> None:
    story = pending()
    story.header = Story(REFERENCE_STREAM, lost=1).header
    released(story)
    story.iut.completes("r1")
    assert story.conclusions("IND-OVL-01") == UNDETERMINED


def test_nothing_was_posted_and_nothing_is_said() -> None:
    story = released(Story(REFERENCE_STREAM, lost=1))
    story.iut.post("r1", 0)
    assert story.conclusions("IND-OVL-01") == NOTHING
    story.iut.post("r2", 1)
    assert story.conclusions("IND-OVL-01") == UNDETERMINED


@pytest.mark.parametrize(("late_ms", "expected"), [(1000, SATISFIED), (1001, VIOLATED)])
def test_it_may_take_the_prompt_time(late_ms: int, expected: set[Conclusion]) -> None:
    story = Story(WINDOWS_TCP)
    story.iut.post("r1")
    story.peer.shutdown("send")
    story.fin(PEER)
    story.wait(late_ms - 1)
    story.iut.completes("r1")
    assert story.conclusions("IND-OVL-01") == expected


def test_a_fin_that_was_not_acknowledged_may_come_at_any_time() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.post("r1")
    story.peer.shutdown("send")
    story.fin(PEER, acked=False)
    story.wait(LONG)
    story.iut.completes("r1")
    assert story.conclusions("IND-OVL-01") == SATISFIED


@pytest.mark.parametrize(("before_ms", "expected"), [(0, SATISFIED), (1, VIOLATED)])
def test_it_may_complete_as_the_end_comes(before_ms: int, expected: set[Conclusion]) -> None:
    story = Story(WINDOWS_TCP)
    story.iut.post("r1")
    story.peer.shutdown("send")
    story.wait(1)
    story.fin(PEER, acked=False)
    story.wait(-1 - before_ms)
    story.iut.completes("r1")
    story.wait(before_ms)
    story.segment(IUT, "A")
    assert story.conclusions("IND-OVL-01") == expected


@pytest.mark.parametrize(("before_ms", "expected"), [(0, NOTHING), (1, VIOLATED)])
def test_it_was_pending_if_it_was_posted_before_the_end(before_ms: int, expected: set[Conclusion]) -> None:
    story = Story(WINDOWS_TCP)
    story.peer.shutdown("send")
    story.wait(1)
    story.segment(PEER, "FA", delivered_at=story.now + 1_000_000)
    story.wait(-1 - before_ms)
    story.iut.post("r1")
    story.iut.completes("r1", error="WSAEDISCON")
    assert story.conclusions("IND-OVL-01") == expected


# --- IND-OVL-02 -------------------------------------------------------------------------------------------------------


@LINKS
@pytest.mark.parametrize("message", [False, True])
@pytest.mark.parametrize(
    ("error", "expected"),
    [("WSAECONNRESET", SATISFIED), ("WSAECONNABORTED", VIOLATED), ("", VIOLATED), ("WSAEDISCON", VIOLATED)],
)
def test_a_pending_receive_fails_at_the_abort(wire: bool, message: bool, error: str, expected: set[Conclusion]) -> None:
    story = aborted(pending(message=message, wire=wire))
    story.iut.completes("r1", error=error)
    assert story.conclusions("IND-OVL-02") == expected
    assert story.conclusions("IND-OVL-01") | story.conclusions("IND-OVL-03") == NOTHING


def test_each_pending_receive_fails_on_winsock() -> None:
    story = aborted(pending("r1", "r2"))
    story.iut.completes("r1", error="WSAECONNRESET")
    story.iut.completes("r2")
    assert story.conclusions("IND-OVL-02") == SATISFIED | VIOLATED


def test_only_the_first_fails_where_an_error_is_told_once() -> None:
    for first, expected in (("ECONNRESET", SATISFIED), ("", VIOLATED)):
        story = Story(reference(family="posix"))
        story.iut.post("r1")
        story.iut.post("r2")
        aborted(story)
        story.iut.completes("r1", error=first)
        story.iut.completes("r2", error="EPIPE")
        assert story.conclusions("IND-OVL-02") == expected


@pytest.mark.parametrize(("option", "expected"), [("KEEPALIVE", NOTHING), ("NODELAY", VIOLATED)])
def test_it_may_have_given_up_by_itself(option: str, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE_STREAM)
    story.iut.call("set_option", name=option, value=1)
    story.iut.post("r1")
    aborted(story)
    story.iut.completes("r1", error="WSAENETRESET")
    assert story.conclusions("IND-OVL-02") == expected


def test_a_receive_that_blocks_at_the_abort_is_not_overlapped() -> None:
    story = Story(REFERENCE_STREAM)
    call = story.iut.begin("recv", length=100, wait_ms=3000)
    aborted(story)
    story.iut.finish(call, error="WSAECONNABORTED")
    assert story.conclusions("IND-OVL-02") == NOTHING


@pytest.mark.parametrize("requirement", ["IND-OVL-02", "IND-OVL-04"])
def test_an_end_that_is_not_known_is_a_matter_of_what_was_posted(requirement: str) -> None:
    for tokens in ((), ("r1",), ("r1", "r2")):
        story = Story(REFERENCE_STREAM, lost=1)
        for token in tokens:
            story.iut.post(token)
        aborted(story)
        enough = len(tokens) >= (2 if requirement == "IND-OVL-04" else 1)
        assert story.conclusions(requirement) == (UNDETERMINED if enough else NOTHING)


def test_a_pending_receive_fails_before_the_abort() -> None:
    story = pending()
    story.iut.completes("r1", error="WSAECONNRESET")
    aborted(story)
    assert story.conclusions("IND-OVL-02") == VIOLATED


def test_a_pending_receive_outlives_the_abort() -> None:
    story = watches(aborted(pending()))
    assert story.conclusions("IND-OVL-02") == VIOLATED
    assert story.conclusions("IND-OVL-01") == NOTHING


# --- IND-OVL-04 -------------------------------------------------------------------------------------------------------


def three() -> Story:
    """Three receives are pending, and the peer has sent 5 bytes."""
    return sends(pending("r1", "r2", "r3"), 5)


@pytest.mark.parametrize("notices", ["123", "321", "213"])
def test_the_first_buffer_is_filled_first(notices: str) -> None:
    story = released(three())
    for number in notices:
        story.iut.completes(f"r{number}", 5 if number == "1" else 0)
    story.settle()
    assert story.conclusions("IND-OVL-04") == SATISFIED


@pytest.mark.parametrize(("watched_ms", "expected"), [(0, NOTHING), (29, NOTHING), (30, SATISFIED)])
def test_that_none_completes_again_is_watched_for_the_settle_time(watched_ms: int, expected: set[Conclusion]) -> None:
    story = released(three())
    for number in "123":
        story.iut.completes(f"r{number}", 5 if number == "1" else 0)
    story.add(Noted(at=story.events[-1].at + watched_ms * MS, what="settled", details={}))
    assert story.conclusions("IND-OVL-04") == expected


def test_the_abort_may_follow_the_data() -> None:
    story = three()
    story.iut.completes("r1", 5)
    aborted(story)
    story.iut.completes("r2", error="WSAECONNRESET")
    story.iut.completes("r3", error="WSAECONNRESET")
    story.settle()
    assert story.conclusions("IND-OVL-04") == SATISFIED


@pytest.mark.parametrize("filled", ["2", "3"])
def test_a_later_buffer_is_filled_first(filled: str) -> None:
    story = released(three())
    for number in "123":
        story.iut.completes(f"r{number}", 5 if number == filled else 0)
    assert story.conclusions("IND-OVL-04") == VIOLATED


def test_parts_come_in_the_wrong_order() -> None:
    story = released(three())
    story.iut.completes("r1", 2, offset=3)
    story.iut.completes("r2", 3)
    story.iut.completes("r3")
    assert story.conclusions("IND-OVL-04") == VIOLATED


def test_one_of_three_never_completes() -> None:
    story = released(three())
    story.iut.completes("r1", 5)
    story.iut.completes("r2")
    assert story.conclusions("IND-OVL-04") == NOTHING
    watches(story)
    assert story.conclusions("IND-OVL-04") == VIOLATED


def test_one_of_three_never_completes_though_a_receive_that_blocks_is_told() -> None:
    story = released(three())
    story.iut.completes("r1", 5)
    story.iut.completes("r2")
    story.iut.recv(error="WSAEDISCON")
    watches(story)
    assert story.conclusions("IND-OVL-04") == VIOLATED


@LINKS
@pytest.mark.parametrize(
    ("again", "expected"), [("r2", VIOLATED), ("r1", VIOLATED), ("another", SATISFIED), ("", SATISFIED)]
)
def test_each_completes_once(wire: bool, again: str, expected: set[Conclusion]) -> None:
    story = released(sends(pending("r1", "r2", wire=wire), 5))
    story.iut.completes("r1", 5)
    story.iut.completes("r2")
    if again:
        story.iut.completes(again)
    story.settle()
    assert expected <= story.conclusions("IND-OVL-04") <= expected | SATISFIED


def test_one_receive_has_no_order() -> None:
    story = released(sends(pending(), 5))
    story.iut.completes("r1", 5)
    assert story.conclusions("IND-OVL-04") == NOTHING


def test_receives_that_block_beside_them_leave_the_order_open() -> None:
    story = three()
    call = story.iut.begin("recv", length=100)
    released(story)
    story.iut.finish(call, length=0)
    story.iut.completes("r1")
    story.iut.completes("r2", 5)
    story.iut.completes("r3")
    assert story.conclusions("IND-OVL-04") == NOTHING


def test_the_end_has_not_been_told_yet() -> None:
    story = sends(pending("r1", "r2"), 10)
    story.iut.completes("r1", 5)
    story.iut.completes("r2", 5, offset=5)
    released(story)
    assert story.conclusions("IND-OVL-04") == NOTHING
    story.iut.post("r3")  # after the end: it was not pending with the others
    assert story.conclusions("IND-OVL-04") == NOTHING
    story.iut.completes("r3")
    story.settle()
    assert story.conclusions("IND-OVL-04") == SATISFIED


def test_receives_posted_one_after_the_other_have_no_order() -> None:
    story = sends(pending("r1"), 10)
    story.iut.completes("r1", 5, offset=5)
    story.iut.post("r2")
    story.iut.completes("r2", 5)
    released(story)
    assert story.conclusions("IND-OVL-04") == NOTHING


def test_two_of_three_were_pending_together() -> None:
    story = sends(pending("r1"), 15)
    story.iut.completes("r1", 5)
    story.iut.post("r2")
    story.iut.post("r3")
    story.iut.completes("r2", 5, offset=10)
    story.iut.completes("r3", 5, offset=5)
    released(story)
    assert story.conclusions("IND-OVL-04") == VIOLATED


@pytest.mark.parametrize(("later_ms", "expected"), [(-1, NOTHING), (0, NOTHING), (2, VIOLATED)])
def test_postings_that_may_overlap_leave_the_order_open(later_ms: int, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE_STREAM)
    call = story.iut.begin("post_recv", length=100)
    story.wait(1)
    story.iut.finish(call, token="r1")
    story.wait(later_ms - 1)
    story.iut.post("r2")
    released(sends(story, 5))
    story.iut.completes("r2", 5)
    story.iut.completes("r1")
    assert story.conclusions("IND-OVL-04") == expected


@pytest.mark.parametrize(
    ("when", "expected"), [("before", VIOLATED), ("beside", NOTHING), ("after", VIOLATED), ("in vain", VIOLATED)]
)
def test_a_receive_that_blocks_matters_while_one_is_pending(when: str, expected: set[Conclusion]) -> None:
    story = sends(Story(REFERENCE_STREAM), 10)
    if when == "before":
        story.iut.recv(5)
    if when == "in vain":
        call = story.iut.begin("recv", length=1)
    for token in ("r1", "r2"):
        story.iut.post(token)
    if when == "in vain":
        story.iut.finish(call, timeout=True)
    if when == "beside":
        story.iut.recv(5)
    released(story)
    story.iut.completes("r2", 5, offset=5)
    story.iut.completes("r1")
    if when == "after":
        story.iut.recv()
    assert story.conclusions("IND-OVL-04") == expected


@pytest.mark.parametrize("which", ["made as the other ends", "over as the first is posted"])
@pytest.mark.parametrize(("apart_ms", "expected"), [(0, NOTHING), (2, VIOLATED)])
def test_a_receive_that_may_have_been_beside_them(which: str, apart_ms: int, expected: set[Conclusion]) -> None:
    story = sends(Story(REFERENCE_STREAM), 15)
    story.relayed()
    if which == "over as the first is posted":
        story.iut.recv(5, takes=3)
        story.wait(apart_ms - 1)
    for token in ("r1", "r2"):
        story.iut.post(token)
    story.wait(2)
    story.iut.completes("r2", 5, offset=5)
    story.iut.completes("r1", 5, offset=10)
    if which == "made as the other ends":
        story.wait(apart_ms - 1)
        story.iut.recv(5)
    released(story)
    assert story.conclusions("IND-OVL-04") == expected


@pytest.mark.parametrize(("before_ms", "expected"), [(0, NOTHING), (1, SATISFIED)])
def test_two_were_posted_before_the_end(before_ms: int, expected: set[Conclusion]) -> None:
    story = Story(WINDOWS_TCP)
    story.peer.send(5)
    story.data(PEER, 5)
    story.iut.post("r1")
    story.peer.shutdown("send")
    story.wait(2)
    story.segment(PEER, "FA", delivered_at=story.now + 1_000_000)
    story.wait(-2 - before_ms)
    story.iut.post("r2")
    story.wait(before_ms)
    story.segment(IUT, "A")
    story.iut.completes("r1", 5)
    story.iut.completes("r2")
    story.settle()
    assert story.conclusions("IND-OVL-04") == expected


def test_what_is_still_pending_does_not_hide_what_came_after_it() -> None:
    story = released(three())
    story.iut.completes("r2", 4, offset=1)
    story.iut.completes("r3")
    assert story.conclusions("IND-OVL-04") == VIOLATED


def test_a_reset_of_its_own_is_no_end_that_fills_anything() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.post("r1")
    story.iut.post("r2")
    story.rst(IUT)
    story.settle(LONG)
    assert story.conclusions("IND-OVL-04") == NOTHING


def test_empty_messages_leave_the_order_open() -> None:
    story = sends(pending("r1", "r2"), 0)
    sends(story, 5)
    released(story)
    story.iut.completes("r1")
    story.iut.completes("r2", 5)
    assert story.conclusions("IND-OVL-04") == NOTHING


def test_what_was_told_after_the_own_shutdown_has_no_order() -> None:
    story = sends(pending("r1", "r2"), 5)
    story.iut.shutdown("receive")
    story.iut.completes("r1", error="WSA_OPERATION_ABORTED")
    story.iut.completes("r2", 5)
    released(story)
    assert story.conclusions("IND-OVL-04") == NOTHING


def test_no_data_came_before_the_end() -> None:
    story = released(pending("r1", "r2"))
    story.iut.completes("r1")
    story.iut.completes("r2")
    assert story.conclusions("IND-OVL-04") == NOTHING


# --- IND-OVL-05 -------------------------------------------------------------------------------------------------------


def shut(story: Story) -> Story:
    """The IUT has closed."""
    story.iut.close()
    if story.header.wire:
        story.pdu(IUT, "RELEASE")
    return story


@LINKS
@pytest.mark.parametrize(
    ("error", "expected"), [("WSA_OPERATION_ABORTED", SATISFIED), ("", VIOLATED), ("WSAECONNRESET", VIOLATED)]
)
def test_closing_aborts_what_is_pending(wire: bool, error: str, expected: set[Conclusion]) -> None:
    story = shut(pending(wire=wire))
    story.iut.completes("r1", error=error)
    assert story.conclusions("IND-OVL-05") == expected


@pytest.mark.parametrize(
    ("asked", "told", "expected"),
    [
        ("port", "port", SATISFIED),
        ("port", "event", VIOLATED),
        ("event", "routine", VIOLATED),
        ("routine", "", VIOLATED),
        ("", "event", SATISFIED),
    ],
)
def test_what_is_aborted_is_told_by_the_mechanism_it_was_posted_with(
    asked: str, told: str, expected: set[Conclusion]
) -> None:
    story = Story(REFERENCE_STREAM)
    options: dict[str, Any] = {"mechanism": asked} if asked else {}
    story.iut.post("r1", **options)
    shut(story)
    story.iut.completes("r1", error="WSA_OPERATION_ABORTED", mechanism=told)
    assert story.conclusions("IND-OVL-05") == expected


def test_closing_leaves_a_receive_pending() -> None:
    story = shut(pending())
    story.settle(500)
    assert story.conclusions("IND-OVL-05") == NOTHING
    story.settle(LONG)
    assert story.conclusions("IND-OVL-05") == VIOLATED


def test_an_end_before_the_close_may_have_ended_it() -> None:
    story = shut(released(pending()))
    story.iut.completes("r1")
    assert story.conclusions("IND-OVL-05") == NOTHING


def test_a_receive_that_was_over_is_not_aborted() -> None:
    story = sends(pending(), 5)
    story.iut.completes("r1", 5)
    shut(story)
    story.settle(LONG)
    assert story.conclusions("IND-OVL-05") == NOTHING


def test_of_two_receives_one_was_over() -> None:
    story = sends(pending("r1", "r2"), 5)
    story.iut.completes("r1", 5)
    shut(story)
    story.settle(LONG)
    assert story.conclusions("IND-OVL-05") == VIOLATED


@pytest.mark.parametrize(("waited", "expected"), [(996, NOTHING), (997, VIOLATED)])
def test_what_is_aborted_completes_in_the_prompt_time(waited: int, expected: set[Conclusion]) -> None:
    story = shut(pending())
    story.settle(waited)
    assert story.conclusions("IND-OVL-05") == expected


@pytest.mark.parametrize(("posted_ms", "told_ms", "expected"), [(0, 1, VIOLATED), (1, 1, NOTHING), (0, 0, NOTHING)])
def test_what_is_pending_as_the_close_is_made(posted_ms: int, told_ms: int, expected: set[Conclusion]) -> None:
    """Its posting returned so long after the close was called, and it was told so long after that."""
    story = Story(REFERENCE_STREAM)
    call = story.iut.begin("post_recv", length=100)
    story.wait(1)
    closing = story.iut.begin("close")
    entered = story.now
    story.now = entered + (posted_ms - 1) * 1_000_000
    story.iut.finish(call, token="r1")
    story.now = entered + (told_ms - 1) * 1_000_000
    story.iut.completes("r1", error="WSAECONNRESET")
    story.iut.finish(closing)
    assert story.conclusions("IND-OVL-05") == expected


@pytest.mark.parametrize(("later_ms", "expected"), [(0, NOTHING), (1, VIOLATED)])
def test_an_end_as_the_close_returns_may_have_ended_it(later_ms: int, expected: set[Conclusion]) -> None:
    story = Story(WINDOWS_TCP)
    story.iut.post("r1")
    story.iut.close()
    story.wait(later_ms - 1)
    story.fin(PEER, acked=False)
    story.iut.completes("r1")
    assert story.conclusions("IND-OVL-05") == expected


def test_data_may_just_have_come_when_it_closes() -> None:
    story = shut(sends(pending(), 5))
    story.iut.completes("r1", 5)
    assert story.conclusions("IND-OVL-05") == NOTHING


def test_a_duplicate_keeps_it_pending() -> None:
    story = pending()
    story.iut.call("duplicate", result={"socket": 4})
    story.iut.close()
    story.settle(LONG)
    assert story.conclusions("IND-OVL-05") == NOTHING


# --- IND-OVL-08 -------------------------------------------------------------------------------------------------------


def test_what_stays_pending_after_sd_receive_gets_data() -> None:
    story = pending()
    story.iut.shutdown("receive")
    sends(story, 5)
    story.iut.completes("r1", 5)
    assert story.conclusions("IND-OVL-08") == SATISFIED


def test_what_sd_receive_does_otherwise_is_recorded() -> None:
    story = pending()
    story.iut.shutdown("receive")
    story.iut.completes("r1", error="WSA_OPERATION_ABORTED")
    (finding,) = story.judge("IND-OVL-08")
    assert "WSA_OPERATION_ABORTED" in finding.because


def test_what_stays_pending_for_good_is_recorded() -> None:
    story = pending()
    story.iut.shutdown("receive")
    assert story.conclusions("IND-OVL-08") == NOTHING
    sends(story, 5)
    story.settle(LONG)
    (finding,) = story.judge("IND-OVL-08")
    assert "stayed pending" in finding.because


@pytest.mark.parametrize(("waited", "expected"), [(998, NOTHING), (999, VIOLATED)])
def test_that_it_stays_pending_takes_the_prompt_time_from_the_first_data_on(
    waited: int, expected: set[Conclusion]
) -> None:
    story = pending()
    story.iut.shutdown("receive")
    story.peer.send(0)
    story.peer.send(5, error="WSAEWOULDBLOCK")
    story.peer.send(5)
    since = story.now
    story.wait(500)
    story.peer.send(5)
    story.now = since
    story.settle(waited)
    assert story.conclusions("IND-OVL-08") == expected


def test_data_from_before_sd_receive_shows_nothing() -> None:
    story = pending()
    story.peer.send(5)
    story.iut.shutdown("receive")
    story.settle(LONG)
    assert story.conclusions("IND-OVL-08") == NOTHING


@pytest.mark.parametrize("stays", [False, True])
def test_the_first_data_after_it_is_the_evidence(stays: bool) -> None:
    story = pending()
    story.iut.shutdown("receive")
    first = len(story.events)
    story.peer.send(5)
    story.peer.send(5)
    if not stays:
        story.iut.completes("r1", 5)
    story.settle(LONG)
    (finding,) = story.judge("IND-OVL-08")
    assert {first + 1, first + 2} == set(finding.events) & set(range(first + 1, first + 5))


@pytest.mark.parametrize("how", ["send", "both"])
def test_other_shutdowns_are_no_sd_receive(how: str) -> None:
    story = pending()
    story.iut.shutdown(how)
    story.iut.completes("r1", error="WSA_OPERATION_ABORTED")
    assert story.conclusions("IND-OVL-08") == NOTHING


def test_what_completes_as_the_close_is_made_may_have_been_aborted() -> None:
    story = pending()
    story.iut.shutdown("receive")
    call = story.iut.begin("close")
    story.wait(-1)
    story.iut.completes("r1", error="WSA_OPERATION_ABORTED")
    story.iut.finish(call)
    assert story.conclusions("IND-OVL-08") == NOTHING


def test_data_that_is_sent_as_sd_receive_returns_is_sent_after_it() -> None:
    story = pending()
    story.iut.shutdown("receive")
    story.wait(-1)
    story.peer.send(5)
    story.settle(LONG)
    (finding,) = story.judge("IND-OVL-08")
    assert "stayed pending" in finding.because


def test_what_a_close_after_sd_receive_does_is_no_matter_of_it() -> None:
    story = pending()
    story.iut.shutdown("receive")
    story.iut.close()
    story.iut.completes("r1", error="WSA_OPERATION_ABORTED")
    assert story.conclusions("IND-OVL-08") == NOTHING


def test_sd_receive_finds_only_one_of_two_pending() -> None:
    story = sends(pending("r1", "r2"), 5)
    story.iut.completes("r1", 5)
    story.iut.shutdown("receive")
    story.iut.completes("r2", error="WSA_OPERATION_ABORTED")
    assert len(story.judge("IND-OVL-08")) == 1
