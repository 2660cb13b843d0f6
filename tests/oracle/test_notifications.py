# SPDX-License-Identifier: MIT
"""The judges of network events: FD_CLOSE told rightly, wrongly, early, late, twice, not at all; and nobody looking."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.oracle.findings import Conclusion
from tests.oracle.story import PEER, REFERENCE, REFERENCE_STREAM, Story

SATISFIED, VIOLATED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}
UNDETERMINED, NOTHING = {Conclusion.UNDETERMINED}, set[Conclusion]()
LONG = 1100  # ms; longer than the story's prompt time
Change = Callable[[Story], object]


def registered(*events: str, mechanism: str = "event", wire: bool = True) -> Story:
    """The IUT has registered; the link is that of the reference transport's stream form, or none."""
    story = Story(REFERENCE_STREAM, wire=wire)
    story.iut.event_select(*(events or ("FD_CLOSE",)), mechanism=mechanism)
    return story


def released(story: Story, end: str = "peer", how: str = "send") -> Story:
    """That end has shut down its sending."""
    teller = story.peer if end == "peer" else story.iut
    teller.shutdown(how)
    if story.header.wire:
        story.pdu(teller.end, "RELEASE")
    return story


def aborted(story: Story) -> Story:
    """The peer has closed with linger 0."""
    story.peer.linger(0)
    story.peer.close()
    if story.header.wire:
        story.pdu(PEER, "ABORT")
    return story


def sends(story: Story, length: int = 5) -> Story:
    """The peer has sent so much."""
    story.peer.send(length)
    if story.header.wire:
        story.pdu(PEER, "DATA", bytes(range(length)))
    return story


def tells(story: Story, mechanism: str, type: str = "FD_CLOSE", error: str = "") -> None:
    """The IUT is told of an event, by its record or by a notice."""
    if mechanism == "event":
        story.iut.enum_events((type, error))
    else:
        story.iut.indicates(type, error)


def looks(story: Story, mechanism: str = "event", ms: int = LONG) -> Story:
    """So long passes, and what was told by then is known."""
    if mechanism == "event":
        story.wait(ms)
        story.iut.enum_events()
    else:
        story.settle(ms)
    return story


MECHANISMS = pytest.mark.parametrize("mechanism", ["event", "message"])
LINKS = pytest.mark.parametrize("wire", [True, False], ids=["wire", "wireless"])


# --- IND-FDC-01 -------------------------------------------------------------------------------------------------------


@LINKS
@MECHANISMS
@pytest.mark.parametrize(
    ("error", "expected"), [("", SATISFIED), ("WSAECONNRESET", VIOLATED), ("WSAEDISCON", VIOLATED)]
)
def test_a_graceful_end_is_told_without_error(
    wire: bool, mechanism: str, error: str, expected: set[Conclusion]
) -> None:
    story = released(registered(mechanism=mechanism, wire=wire))
    tells(story, mechanism, error=error)
    assert story.conclusions("IND-FDC-01") == expected
    assert story.conclusions("IND-FDC-02") == NOTHING


@LINKS
@MECHANISMS
def test_a_graceful_end_is_not_told(wire: bool, mechanism: str) -> None:
    story = released(registered(mechanism=mechanism, wire=wire))
    looks(story, mechanism)
    assert story.conclusions("IND-FDC-01") == VIOLATED


@MECHANISMS
def test_nobody_looked_long_enough(mechanism: str) -> None:
    story = released(registered(mechanism=mechanism))
    looks(story, mechanism, 900)
    assert story.conclusions("IND-FDC-01") == NOTHING


def test_nobody_looked() -> None:
    story = released(registered())
    story.iut.recv()
    assert story.conclusions("IND-FDC-01") == NOTHING
    story.header = Story(REFERENCE_STREAM, exercises=("IND-FDC-01",)).header
    assert story.conclusions("IND-FDC-01") == UNDETERMINED


@MECHANISMS
def test_an_end_that_is_told_late_is_missing_till_then(mechanism: str) -> None:
    story = looks(released(registered(mechanism=mechanism)), mechanism)
    tells(story, mechanism)
    assert story.conclusions("IND-FDC-01") == VIOLATED


@LINKS
@MECHANISMS
def test_an_end_is_told_before_the_peer_ends(wire: bool, mechanism: str) -> None:
    story = registered(mechanism=mechanism, wire=wire)
    tells(story, mechanism)
    released(story)
    assert story.conclusions("IND-FDC-01") == VIOLATED


@LINKS
@MECHANISMS
def test_an_end_is_told_and_the_peer_never_ends(wire: bool, mechanism: str) -> None:
    story = registered(mechanism=mechanism, wire=wire)
    tells(story, mechanism)
    assert story.conclusions("IND-FDC-01") == VIOLATED


def test_without_a_link_a_peer_that_tried_may_have_ended() -> None:
    story = registered(wire=False)
    story.peer.begin("close")
    tells(story, "event")
    assert story.conclusions("IND-FDC-01") == NOTHING


def test_unread_data_may_hold_fd_close_back() -> None:
    story = looks(released(sends(registered())))
    assert story.conclusions("IND-FDC-01") == NOTHING
    story.iut.recv(content=bytes(range(5)))
    tells(story, "event")
    assert story.conclusions("IND-FDC-01") == SATISFIED


@MECHANISMS
def test_once_all_was_read_fd_close_is_due(mechanism: str) -> None:
    story = released(sends(registered(mechanism=mechanism)))
    story.iut.recv(content=bytes(range(5)))
    looks(story, mechanism)
    assert story.conclusions("IND-FDC-01") == VIOLATED


def test_an_unread_empty_message_may_hold_it_back() -> None:
    story = Story(REFERENCE)
    story.iut.event_select("FD_CLOSE")
    looks(released(sends(story, 0)))
    assert story.conclusions("IND-FDC-01") == NOTHING
    story.iut.recv()
    looks(story)
    assert story.conclusions("IND-FDC-01") == VIOLATED


@pytest.mark.parametrize("stop", ["receive", "both"])
def test_an_own_end_of_receiving_is_another_matter(stop: str) -> None:
    story = registered()
    story.iut.shutdown(stop)
    looks(released(story))
    assert story.conclusions("IND-FDC-01") == NOTHING


def test_a_reset_after_the_end_is_another_matter() -> None:
    story = released(registered())
    story.pdu(PEER, "ABORT")
    tells(story, "event", error="WSAECONNRESET")
    assert story.conclusions("IND-FDC-01") == NOTHING


@pytest.mark.parametrize("events", ["FD_READ", ""])
def test_who_did_not_ask_for_fd_close_is_owed_nothing(events: str) -> None:
    story = Story(REFERENCE_STREAM)
    story.iut.event_select(*filter(None, [events]))
    looks(released(story))
    assert story.conclusions("IND-FDC-01") == NOTHING


def test_a_refused_registration_registers_nothing() -> None:
    story = Story(REFERENCE_STREAM)
    story.iut.event_select("FD_CLOSE", error="WSAEINVAL")
    looks(released(story))
    assert story.conclusions("IND-FDC-01") == NOTHING


def test_what_is_not_known_of_the_end_is_undetermined() -> None:
    story = registered()
    story.header = Story(REFERENCE_STREAM, lost=3).header
    released(story)
    tells(story, "event")
    assert story.conclusions("IND-FDC-01") == UNDETERMINED


# --- IND-FDC-02 -------------------------------------------------------------------------------------------------------


@LINKS
@MECHANISMS
@pytest.mark.parametrize(
    ("error", "expected"),
    [("WSAECONNRESET", SATISFIED), ("WSAECONNABORTED", SATISFIED), ("", VIOLATED), ("WSAEDISCON", VIOLATED)],
)
def test_an_abort_is_told_with_its_error(wire: bool, mechanism: str, error: str, expected: set[Conclusion]) -> None:
    story = aborted(registered(mechanism=mechanism, wire=wire))
    tells(story, mechanism, error=error)
    assert story.conclusions("IND-FDC-02") == expected
    assert story.conclusions("IND-FDC-01") == NOTHING


@MECHANISMS
@pytest.mark.parametrize("unread", [False, True])
def test_an_abort_is_not_told(mechanism: str, unread: bool) -> None:
    """Unread data holds it not back."""
    story = registered(mechanism=mechanism)
    if unread:
        sends(story)
    looks(aborted(story), mechanism)
    assert story.conclusions("IND-FDC-02") == VIOLATED


def test_an_abort_is_told_before_it_comes() -> None:
    story = registered()
    tells(story, "event", error="WSAECONNRESET")
    aborted(story)
    assert story.conclusions("IND-FDC-02") == VIOLATED


def test_an_abort_that_nobody_looked_for() -> None:
    story = looks(aborted(registered()), ms=500)
    assert story.conclusions("IND-FDC-02") == NOTHING


# --- IND-FDC-03 -------------------------------------------------------------------------------------------------------


@MECHANISMS
@pytest.mark.parametrize("again", [True, False])
def test_fd_close_is_told_once(mechanism: str, again: bool) -> None:
    story = released(registered(mechanism=mechanism))
    tells(story, mechanism)
    story.iut.recv()
    if again:
        tells(story, mechanism)
    looks(story, mechanism, 40)
    assert story.conclusions("IND-FDC-03") == (VIOLATED if again else SATISFIED)


@pytest.mark.parametrize("change", ["unread", "unwatched"])
def test_once_is_shown_by_looking_after_a_receive(change: str) -> None:
    story = released(registered())
    tells(story, "event")
    if change == "unread":
        looks(story)
    else:
        story.iut.recv()
        looks(story, ms=5)
    assert story.conclusions("IND-FDC-03") == NOTHING


def test_each_registration_may_tell() -> None:
    story = released(registered(mechanism="message"))
    tells(story, "message")
    story.iut.event_select("FD_CLOSE", mechanism="message")
    tells(story, "message")
    assert story.conclusions("IND-FDC-03") == NOTHING
    assert story.conclusions("IND-FDC-01") == SATISFIED


@pytest.mark.parametrize(("error", "expected"), [("WSAECONNRESET", UNDETERMINED), ("", VIOLATED)])
def test_a_second_word_after_a_later_reset_is_open(error: str, expected: set[Conclusion]) -> None:
    story = released(registered())
    tells(story, "event")
    story.pdu(PEER, "ABORT")
    tells(story, "event", error=error)
    assert story.conclusions("IND-FDC-03") == expected


# --- IND-FDC-04, IND-FDC-05 -------------------------------------------------------------------------------------------


@MECHANISMS
def test_data_unread_at_fd_close_can_be_read(mechanism: str) -> None:
    story = released(sends(registered(mechanism=mechanism)))
    tells(story, mechanism)
    story.iut.recv(content=bytes(range(5)))
    story.iut.recv()
    assert story.conclusions("IND-FDC-04") == SATISFIED
    assert story.conclusions("IND-FDC-05") == SATISFIED
    assert "unread" in story.judge("IND-FDC-05")[0].because


@MECHANISMS
def test_fd_close_may_wait_for_the_reads(mechanism: str) -> None:
    story = looks(released(sends(registered(mechanism=mechanism))), mechanism, 40)
    story.iut.recv(content=bytes(range(5)))
    story.iut.recv()
    tells(story, mechanism)
    assert story.conclusions("IND-FDC-04") == SATISFIED
    assert story.conclusions("IND-FDC-05") == SATISFIED
    assert "once all data was read" in story.judge("IND-FDC-05")[0].because


def _nothing_is_left(story: Story) -> None:
    story.iut.recv()


def _cut_short(story: Story) -> None:
    story.iut.recv(content=b"\0\1")
    story.iut.recv()


def _altered(story: Story) -> None:
    story.iut.recv(content=b"other")


def _failed(story: Story) -> None:
    story.iut.recv(error="WSAECONNABORTED")


def _nothing_comes(story: Story) -> None:
    story.wait(LONG)
    story.iut.recv(error="WSAEWOULDBLOCK")


def test_a_notice_may_come_from_within_the_read_that_took_the_last() -> None:
    story = looks(released(sends(registered(mechanism="message"))), "message", 40)
    call = story.iut.begin("recv", length=100)
    tells(story, "message")
    story.iut.finish(call, length=5, data="AAECAwQ=")
    story.iut.recv()
    assert story.conclusions("IND-FDC-04") == SATISFIED
    assert "once all data was read" in story.judge("IND-FDC-05")[0].because


@pytest.mark.parametrize("loses", [_nothing_is_left, _cut_short, _altered, _failed, _nothing_comes])
def test_fd_close_costs_data(loses: Change) -> None:
    story = released(sends(registered()))
    tells(story, "event")
    loses(story)
    assert story.conclusions("IND-FDC-04") == VIOLATED


def test_where_all_was_read_before_nothing_can_be_lost() -> None:
    story = sends(registered())
    story.iut.recv(content=bytes(range(5)))
    released(story)
    tells(story, "event")
    story.iut.recv()
    assert story.conclusions("IND-FDC-04") == NOTHING
    assert story.conclusions("IND-FDC-05") == NOTHING


def test_a_read_at_once_shows_no_order() -> None:
    story = released(sends(registered()))
    story.iut.recv(content=bytes(range(5)))
    tells(story, "event")
    assert story.conclusions("IND-FDC-05") == NOTHING


def test_bytes_that_a_reset_may_have_taken_are_nobodys_fault() -> None:
    story = released(sends(registered()))
    tells(story, "event")
    story.pdu(PEER, "ABORT")
    story.iut.recv(error="WSAECONNRESET")
    assert story.conclusions("IND-FDC-04") == NOTHING


# --- IND-FDC-06 -------------------------------------------------------------------------------------------------------


@MECHANISMS
def test_an_end_without_data_raises_no_fd_read(mechanism: str) -> None:
    story = released(registered("FD_READ", "FD_CLOSE", mechanism=mechanism))
    tells(story, mechanism)
    assert story.conclusions("IND-FDC-06") == NOTHING
    looks(story, mechanism, 40)
    assert story.conclusions("IND-FDC-06") == SATISFIED


@MECHANISMS
def test_fd_read_comes_with_the_end(mechanism: str) -> None:
    story = released(registered("FD_READ", "FD_CLOSE", mechanism=mechanism))
    tells(story, mechanism, "FD_READ")
    tells(story, mechanism)
    assert story.conclusions("IND-FDC-06") == VIOLATED


def test_fd_read_and_fd_close_in_one_record() -> None:
    story = released(registered("FD_READ", "FD_CLOSE"))
    story.iut.enum_events(("FD_READ", ""), ("FD_CLOSE", ""))
    assert story.conclusions("IND-FDC-06") == VIOLATED


def test_fd_read_for_data_is_right() -> None:
    story = released(sends(registered("FD_READ", "FD_CLOSE")))
    story.iut.enum_events(("FD_READ", ""), ("FD_CLOSE", ""))
    looks(story)
    assert story.conclusions("IND-FDC-06") == NOTHING


def test_who_did_not_ask_for_fd_read_shows_nothing_of_it() -> None:
    story = released(registered())
    tells(story, "event")
    looks(story)
    assert story.conclusions("IND-FDC-06") == NOTHING


# --- IND-FDC-07, IND-FDC-10 -------------------------------------------------------------------------------------------


def began(how: str, mechanism: str = "event") -> Story:
    """The IUT has registered, and then shut down."""
    return released(registered(mechanism=mechanism), "iut", how)


@MECHANISMS
@pytest.mark.parametrize(("how", "requirement"), [("send", "IND-FDC-07"), ("both", "IND-FDC-10")])
@pytest.mark.parametrize(("error", "expected"), [("", SATISFIED), ("WSAECONNABORTED", VIOLATED), (None, VIOLATED)])
def test_whoever_began_is_told_too(
    mechanism: str, how: str, requirement: str, error: str | None, expected: set[Conclusion]
) -> None:
    story = released(began(how, mechanism))
    if error is None:
        looks(story, mechanism)
    else:
        tells(story, mechanism, error=error)
    assert story.conclusions(requirement) == expected


@pytest.mark.parametrize(("how", "requirement"), [("send", "IND-FDC-07"), ("both", "IND-FDC-10")])
def test_whoever_did_not_begin_is_judged_elsewhere(how: str, requirement: str) -> None:
    story = released(registered())
    released(story, "iut", how)
    tells(story, "event")
    assert story.conclusions(requirement) == NOTHING


@pytest.mark.parametrize(("how", "requirement"), [("send", "IND-FDC-07"), ("both", "IND-FDC-10")])
def test_nobody_looked_whether_it_was_told(how: str, requirement: str) -> None:
    story = looks(released(began(how)), ms=100)
    assert story.conclusions(requirement) == NOTHING


@pytest.mark.parametrize(("how", "requirement"), [("send", "IND-FDC-07"), ("both", "IND-FDC-10")])
def test_told_before_the_peer_ended(how: str, requirement: str) -> None:
    story = began(how)
    tells(story, "event")
    released(story)
    assert story.conclusions(requirement) == VIOLATED
    assert story.conclusions("IND-FDC-08") == VIOLATED


def test_send_disconnect_begins_too() -> None:
    story = registered()
    story.iut.send_disconnect(b"bye")
    story.pdu(story.iut.end, "RELEASE", b"bye")
    released(story)
    tells(story, "event")
    assert story.conclusions("IND-FDC-07") == SATISFIED


def test_two_shutdowns_are_both() -> None:
    story = began("send")
    story.iut.shutdown("receive")
    released(story)
    tells(story, "event")
    assert story.conclusions("IND-FDC-10") == SATISFIED


def test_data_that_nobody_can_read_any_more_may_hold_fd_close_back() -> None:
    story = looks(released(sends(began("both"))))
    assert story.conclusions("IND-FDC-10") == NOTHING


# --- IND-FDC-08 -------------------------------------------------------------------------------------------------------


@MECHANISMS
@pytest.mark.parametrize("how", ["send", "receive", "both"])
def test_an_own_shutdown_raises_nothing(mechanism: str, how: str) -> None:
    story = registered(mechanism=mechanism)
    story.iut.shutdown(how)
    looks(story, mechanism, 10)
    assert story.conclusions("IND-FDC-08") == NOTHING
    looks(story, mechanism, 40)
    assert story.conclusions("IND-FDC-08") == SATISFIED


@LINKS
@MECHANISMS
@pytest.mark.parametrize("error", ["", "WSAECONNABORTED"])
def test_an_own_shutdown_is_told_as_an_end(wire: bool, mechanism: str, error: str) -> None:
    story = released(registered(mechanism=mechanism, wire=wire), "iut", "both")
    tells(story, mechanism, error=error)
    assert story.conclusions("IND-FDC-08") == VIOLATED


def test_the_peers_end_of_receiving_raises_nothing() -> None:
    story = registered()
    story.peer.shutdown("receive")
    looks(story, ms=40)
    assert story.conclusions("IND-FDC-08") == SATISFIED
    tells(story, "event")
    assert story.conclusions("IND-FDC-08") == VIOLATED


def test_the_peers_end_is_another_matter() -> None:
    story = released(began("send"))
    tells(story, "event")
    looks(story)
    assert story.conclusions("IND-FDC-08") == NOTHING


def test_a_shutdown_before_the_registration_shows_nothing() -> None:
    story = Story(REFERENCE_STREAM)
    story.iut.shutdown("send")
    story.iut.event_select("FD_CLOSE")
    looks(story)
    assert story.conclusions("IND-FDC-08") == NOTHING
