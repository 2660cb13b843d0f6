# SPDX-License-Identifier: MIT
"""The judges of registering for network events: too late, replaced, taken from a listener, over with the socket."""

from __future__ import annotations

import pytest

from conformance.oracle.findings import Conclusion
from conformance.trace.events import Established, Outcome, Returned
from tests.oracle.story import IUT, PEER, REFERENCE_STREAM, Story
from tests.oracle.test_notifications import (
    LONG,
    MECHANISMS,
    NOTHING,
    SATISFIED,
    VIOLATED,
    aborted,
    looks,
    registered,
    released,
    sends,
    tells,
)

# --- IND-FDC-09 -------------------------------------------------------------------------------------------------------


def late(mechanism: str = "event", *, abort: bool = False, data: bool = False) -> Story:
    """The IUT registers once the end is certain."""
    story = Story(REFERENCE_STREAM)
    if data:
        sends(story)
    if abort:
        aborted(story)
    else:
        released(story)
    story.iut.event_select("FD_CLOSE", mechanism=mechanism)
    return story


@MECHANISMS
@pytest.mark.parametrize("abort", [False, True])
def test_a_late_registration_is_told_at_once(mechanism: str, abort: bool) -> None:
    story = late(mechanism, abort=abort)
    tells(story, mechanism, error="WSAECONNRESET" if abort else "")
    assert story.conclusions("IND-FDC-09") == SATISFIED
    assert story.conclusions("IND-FDC-02" if abort else "IND-FDC-01") == SATISFIED


@MECHANISMS
@pytest.mark.parametrize("abort", [False, True])
def test_a_late_registration_is_told_nothing(mechanism: str, abort: bool) -> None:
    story = looks(late(mechanism, abort=abort), mechanism)
    assert story.conclusions("IND-FDC-09") == VIOLATED


def test_a_late_registration_is_told_too_late() -> None:
    story = looks(late())
    tells(story, "event")
    assert story.conclusions("IND-FDC-09") == VIOLATED


def test_nobody_looked_at_once() -> None:
    story = late()
    assert story.conclusions("IND-FDC-09") == NOTHING
    story.wait(LONG)
    tells(story, "event")
    assert story.conclusions("IND-FDC-09") == NOTHING


def test_unread_data_may_hold_it_back() -> None:
    story = looks(late(data=True))
    assert story.conclusions("IND-FDC-09") == NOTHING
    story.iut.recv(content=bytes(range(5)))
    looks(story)
    assert story.conclusions("IND-FDC-09") == VIOLATED


def test_an_end_that_may_have_been_told_before_need_not_be_told_again() -> None:
    story = released(registered())
    story.iut.event_select("FD_CLOSE")
    looks(story)
    assert story.conclusions("IND-FDC-09") == NOTHING


def test_a_registration_before_the_end_is_not_late() -> None:
    story = released(registered())
    tells(story, "event")
    assert story.conclusions("IND-FDC-09") == NOTHING


def test_an_added_fd_close_is_late_too() -> None:
    story = released(registered("FD_READ"))
    story.iut.event_select("FD_READ", "FD_CLOSE")
    tells(story, "event")
    assert story.conclusions("IND-FDC-09") == SATISFIED


# --- IND-FDC-11 -------------------------------------------------------------------------------------------------------


def closed(mechanism: str = "message") -> Story:
    """The IUT has registered and closed."""
    story = registered(mechanism=mechanism)
    story.iut.close()
    story.pdu(IUT, "RELEASE")
    return story


def test_a_closed_socket_is_told_nothing() -> None:
    story = released(closed())
    assert story.conclusions("IND-FDC-11") == NOTHING
    story.settle()
    assert story.conclusions("IND-FDC-11") == SATISFIED


def test_a_closed_socket_is_told() -> None:
    story = released(closed())
    story.iut.indicates("FD_CLOSE")
    story.settle()
    assert story.conclusions("IND-FDC-11") == VIOLATED
    assert story.conclusions("IND-FDC-01") == NOTHING


def test_what_was_posted_before_the_close_may_still_arrive() -> None:
    story = released(registered(mechanism="message"))
    story.iut.close()
    story.iut.indicates("FD_CLOSE")
    story.settle()
    assert story.conclusions("IND-FDC-11") == NOTHING


def test_the_record_of_a_closed_socket() -> None:
    story = released(closed("event"))
    story.wait(40)
    story.iut.enum_events(error="WSAENOTSOCK")
    assert story.conclusions("IND-FDC-11") == SATISFIED
    story.iut.enum_events(("FD_CLOSE", ""))
    assert story.conclusions("IND-FDC-11") == VIOLATED


def test_a_peer_that_stays_shows_nothing() -> None:
    story = closed()
    story.settle()
    assert story.conclusions("IND-FDC-11") == NOTHING


# --- IND-FDC-14 -------------------------------------------------------------------------------------------------------


def replaced(*events: str, first: str = "event", second: str = "event") -> Story:
    """The IUT has asked for FD_CLOSE, and then for something else instead."""
    story = registered(mechanism=first)
    story.iut.event_select(*events, mechanism=second)
    return story


@MECHANISMS
@pytest.mark.parametrize("events", [("FD_READ",), ()])
def test_a_mask_without_fd_close_raises_none(mechanism: str, events: tuple[str, ...]) -> None:
    story = released(replaced(*events, first=mechanism, second=mechanism))
    looks(story, mechanism, 40)
    assert story.conclusions("IND-FDC-14") == NOTHING
    story.iut.recv()
    assert story.conclusions("IND-FDC-14") == SATISFIED


@MECHANISMS
def test_a_mask_without_fd_close_raises_one(mechanism: str) -> None:
    story = released(replaced("FD_READ", first=mechanism, second=mechanism))
    tells(story, mechanism)
    story.iut.recv()
    assert story.conclusions("IND-FDC-14") == VIOLATED


def test_the_messages_of_the_old_registration_go_on() -> None:
    story = released(replaced("FD_CLOSE", first="message", second="event"))
    story.iut.indicates("FD_CLOSE")
    assert story.conclusions("IND-FDC-14") == VIOLATED


def test_what_was_posted_before_the_replacement_may_still_arrive() -> None:
    story = released(registered(mechanism="message"))
    story.iut.event_select("FD_READ", mechanism="message")
    story.iut.indicates("FD_CLOSE")
    assert story.conclusions("IND-FDC-14") == NOTHING


def test_a_receive_blocks_after_registering() -> None:
    story = replaced("FD_READ")
    story.iut.recv(timeout=True, wait_ms=100, takes=100)
    assert story.conclusions("IND-FDC-14") == VIOLATED


def test_who_made_the_socket_block_again_waits_rightly() -> None:
    story = replaced()
    story.iut.call("set_blocking", on=True)
    story.iut.recv(timeout=True, wait_ms=100, takes=100)
    assert story.conclusions("IND-FDC-14") == NOTHING


def test_a_single_registration_replaces_nothing() -> None:
    story = looks(released(registered("FD_READ")))
    story.iut.recv()
    assert story.conclusions("IND-FDC-14") == NOTHING


def test_a_replaced_mask_before_any_end_shows_nothing() -> None:
    story = looks(replaced("FD_READ"))
    story.iut.recv(error="WSAEWOULDBLOCK")
    assert story.conclusions("IND-FDC-14") == NOTHING


# --- IND-FDC-15 -------------------------------------------------------------------------------------------------------


def accepted(*events: str, mechanism: str = "event", after: bool = False) -> Story:
    """The IUT has accepted a connection from a listener that was registered, before that or `after` it."""
    story = Story(REFERENCE_STREAM, connected=False)
    story.segment(PEER, "S", start=-1)
    story.segment(IUT, "SA", start=-1)
    if not after:
        story.iut.event_select(*events, mechanism=mechanism, socket=7)
    story.iut.call("accept", socket=7, result={"socket": 3})
    if after:
        story.iut.event_select(*events, mechanism=mechanism, socket=7)
    address = {"family": "inet", "host": "127.0.0.1"}
    story.add(
        Established(
            at=story.tick(),
            iut=3,
            peer=3,
            client=PEER,
            client_address=address | {"port": 10000},
            listener_address=address | {"port": 40000},
        )
    )
    return story


@MECHANISMS
@pytest.mark.parametrize(("error", "expected"), [("", SATISFIED), ("WSAECONNRESET", VIOLATED), (None, VIOLATED)])
def test_an_accepted_socket_is_told(mechanism: str, error: str | None, expected: set[Conclusion]) -> None:
    story = released(accepted("FD_ACCEPT", "FD_CLOSE", mechanism=mechanism))
    if error is None:
        looks(story, mechanism)
    else:
        tells(story, mechanism, error=error)
    assert story.conclusions("IND-FDC-15") == expected


@pytest.mark.parametrize("other", ["no FD_CLOSE", "registered after", "registered itself", "not looked"])
def test_an_accepted_socket_need_not_be_told(other: str) -> None:
    events = ("FD_ACCEPT",) if other == "no FD_CLOSE" else ("FD_ACCEPT", "FD_CLOSE")
    story = accepted(*events, after=other == "registered after")
    if other == "registered itself":
        story.iut.event_select("FD_READ")
    released(story)
    if other != "not looked":
        looks(story)
    assert story.conclusions("IND-FDC-15") == NOTHING


def test_a_call_that_returned_nothing_is_no_registration() -> None:
    story = Story(REFERENCE_STREAM)
    call = story.iut.begin("event_select", events=["FD_CLOSE"], mechanism="event")
    story.add(Returned(at=story.tick(), end=IUT, call=call, outcome=Outcome.UNANSWERED))
    looks(released(story))
    assert story.conclusions("IND-FDC-01") == NOTHING
