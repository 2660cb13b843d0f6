# SPDX-License-Identifier: MIT
"""Which registration a notice belongs to, who looked, and what was unread: where one of these ends, and at one instant.

What two clocks' readings are equal for, nobody can order: nothing may be held against an implementation for it.
"""

from __future__ import annotations

import pytest

from conformance.oracle.findings import Conclusion
from tests.oracle.story import MS, PEER, REFERENCE, REFERENCE_STREAM, Story, at_once
from tests.oracle.test_notifications import (
    LONG,
    NOTHING,
    SATISFIED,
    VIOLATED,
    looks,
    registered,
    released,
    sends,
    tells,
)

PROMPT = 1000  # ms; the story's prompt time


# --- whose notice it is -----------------------------------------------------------------------------------------------


def test_a_notice_at_the_instant_of_the_registering_call_is_the_registrations() -> None:
    story = released(Story(REFERENCE_STREAM))
    call = story.iut.begin("event_select", events=["FD_CLOSE"], mechanism="message")
    at_once(story).iut.indicates("FD_CLOSE")
    story.iut.finish(call)
    assert story.conclusions("IND-FDC-09") == SATISFIED


def test_a_notice_at_the_instant_of_the_next_call_is_not_the_earlier_ones_second() -> None:
    story = released(registered(mechanism="message"))
    tells(story, "message")
    call = story.iut.begin("event_select", events=["FD_CLOSE"], mechanism="message")
    tells(at_once(story), "message")
    story.iut.finish(call)
    assert story.conclusions("IND-FDC-03") == NOTHING


@pytest.mark.parametrize(
    ("earlier", "told", "expected"),
    [(False, 1, SATISFIED), (False, 2, VIOLATED), (True, 1, SATISFIED), (True, 2, SATISFIED)],
    ids=["once", "twice", "once, by one of two", "by each of two"],
)
def test_notices_at_the_instant_of_the_registering_call(earlier: bool, told: int, expected: set[Conclusion]) -> None:
    story = released(registered(mechanism="message") if earlier else Story(REFERENCE_STREAM))
    call = story.iut.begin("event_select", events=["FD_CLOSE"], mechanism="message")
    for _ in range(told):
        tells(at_once(story), "message")
    story.iut.finish(call)
    story.iut.recv()
    looks(story, "message")
    assert story.conclusions("IND-FDC-03") == expected


@pytest.mark.parametrize(("later", "expected"), [(1, NOTHING), (2, VIOLATED)])
def test_a_notice_of_the_earlier_registrations_is_not_counted(later: int, expected: set[Conclusion]) -> None:
    story = released(registered(mechanism="message"))
    call = story.iut.begin("event_select", events=["FD_CLOSE"], mechanism="message")
    tells(at_once(story), "message")
    for _ in range(later):
        tells(story, "message")
    story.iut.finish(call)
    assert story.conclusions("IND-FDC-03") == expected


def test_a_notice_at_the_instant_of_the_end_tells_of_it() -> None:
    story = registered(mechanism="message")
    story.peer.shutdown("send")
    story.pdu(PEER, "RELEASE", acked=False)
    tells(at_once(story), "message")
    assert story.conclusions("IND-FDC-01") == SATISFIED


def test_a_notice_at_the_instant_of_a_later_reset_may_tell_of_that() -> None:
    story = released(registered(mechanism="message"))
    story.pdu(PEER, "ABORT", acked=False)
    tells(at_once(story), "message", error="WSAECONNRESET")
    assert story.conclusions("IND-FDC-01") == NOTHING


def test_a_socket_that_is_being_closed_is_not_registered_any_more() -> None:
    story = Story(REFERENCE_STREAM)
    close = story.iut.begin("close")
    at_once(story).iut.event_select("FD_CLOSE", mechanism="message")
    story.iut.finish(close)
    story.settle()
    story.peer.shutdown("send")
    story.settle()
    assert story.conclusions("IND-FDC-11") == NOTHING


# --- whether it may have been told before -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("replaced", "expected"),
    [("long before the end", SATISFIED), ("at the end", SATISFIED), ("after the end", NOTHING)],
)
def test_who_had_been_replaced_when_the_end_came_was_not_told(replaced: str, expected: set[Conclusion]) -> None:
    story = registered()
    if replaced == "long before the end":
        story.iut.event_select("FD_READ")
    story.peer.shutdown("send")
    story.pdu(PEER, "RELEASE", acked=replaced == "long before the end")
    if replaced != "long before the end":
        if replaced == "at the end":
            at_once(story)
        call = story.iut.begin("event_select", events=["FD_READ"], mechanism="event")
        story.segment(story.iut.end, "A")
        story.iut.finish(call)
    story.iut.event_select("FD_CLOSE")
    tells(story, "event")
    assert story.conclusions("IND-FDC-09") == expected


# --- who looked -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("early", "expected"), [(0, VIOLATED), (1, NOTHING)])
def test_a_notice_is_missing_once_the_prompt_time_is_over(early: int, expected: set[Conclusion]) -> None:
    story = released(registered())  # it ends with the acknowledgement of the end
    story.now += PROMPT * MS - MS
    story.now -= early
    story.iut.enum_events()
    assert story.conclusions("IND-FDC-01") == expected


def test_a_record_that_could_not_be_read_shows_nothing() -> None:
    story = released(registered())
    story.wait(LONG)
    story.iut.enum_events(error="WSAENETDOWN")
    assert story.conclusions("IND-FDC-01") == NOTHING


@pytest.mark.parametrize(("end", "vain", "expected"), [("peer", True, VIOLATED), ("peer", False, NOTHING)])
def test_a_peer_that_waited_in_vain_shows_what_had_come(end: str, vain: bool, expected: set[Conclusion]) -> None:
    story = released(registered(mechanism="message"))
    story.wait(LONG)
    story.peer.recv(5, timeout=vain)
    assert story.conclusions("IND-FDC-01") == expected


@pytest.mark.parametrize(("between", "expected"), [(0, NOTHING), (1, VIOLATED)])
def test_a_look_at_the_instant_of_the_replacement_shows_nothing(between: int, expected: set[Conclusion]) -> None:
    story = looks(released(registered(mechanism="message")), "message")
    story.now += between - MS
    story.iut.event_select("FD_READ", mechanism="message")
    assert story.conclusions("IND-FDC-01") == expected


@pytest.mark.parametrize(("between", "expected"), [(0, NOTHING), (1, VIOLATED)])
def test_a_look_that_ends_as_receiving_stops_shows_nothing(between: int, expected: set[Conclusion]) -> None:
    story = looks(released(registered()))
    story.now += between - MS
    story.iut.shutdown("receive")
    assert story.conclusions("IND-FDC-01") == expected


# --- what was unread --------------------------------------------------------------------------------------------------


def test_an_empty_message_is_unread_too() -> None:
    story = Story(REFERENCE)
    story.iut.event_select("FD_CLOSE")
    released(sends(story, 0))
    tells(story, "event")
    assert "unread" in story.judge("IND-FDC-05")[0].because


def test_a_send_of_nothing_leaves_nothing_unread_in_a_stream() -> None:
    story = released(sends(registered(), 0))
    tells(story, "event")
    assert story.conclusions("IND-FDC-05") == NOTHING


def _reading(story: Story, length: int) -> Story:
    """A receive that is under way, and told FD_CLOSE at that instant; then it takes so much."""
    call = story.iut.begin("recv", length=65536)
    tells(at_once(story), "message")
    story.iut.finish(call, length=length, data="AAECAwQ="[: 4 if length < 5 else 8])
    return story


def test_what_a_receive_under_way_may_have_taken_is_not_known_to_be_unread() -> None:
    story = _reading(released(sends(registered(mechanism="message"))), 5)
    assert story.conclusions("IND-FDC-05") == NOTHING


def test_a_receive_that_was_over_then_leaves_the_rest_unread() -> None:
    story = released(sends(registered(mechanism="message")))
    story.iut.recv(3)
    tells(at_once(story), "message")
    assert "unread" in story.judge("IND-FDC-05")[0].because
