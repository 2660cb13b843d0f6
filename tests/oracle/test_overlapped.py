# SPDX-License-Identifier: MIT
"""The judges of overlapped receives: what is pending completes rightly, wrongly, early, late, disordered, or never."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.oracle.findings import Conclusion
from tests.oracle.story import IUT, REFERENCE, REFERENCE_STREAM, Story
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


def test_a_pending_receive_fails_before_the_abort() -> None:
    story = pending()
    story.iut.completes("r1", error="WSAECONNRESET")
    aborted(story)
    assert story.conclusions("IND-OVL-02") == VIOLATED


def test_a_pending_receive_outlives_the_abort() -> None:
    story = watches(aborted(pending()))
    assert story.conclusions("IND-OVL-02") == VIOLATED


# --- IND-OVL-04 -------------------------------------------------------------------------------------------------------


def three() -> Story:
    """Three receives are pending, and the peer has sent 5 bytes."""
    return sends(pending("r1", "r2", "r3"), 5)


@pytest.mark.parametrize("notices", ["123", "321", "213"])
def test_the_first_buffer_is_filled_first(notices: str) -> None:
    story = released(three())
    for number in notices:
        story.iut.completes(f"r{number}", 5 if number == "1" else 0)
    assert story.conclusions("IND-OVL-04") == SATISFIED


def test_the_abort_may_follow_the_data() -> None:
    story = three()
    story.iut.completes("r1", 5)
    aborted(story)
    story.iut.completes("r2", error="WSAECONNRESET")
    story.iut.completes("r3", error="WSAECONNRESET")
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
