# SPDX-License-Identifier: MIT
"""The judges of network events: FD_CLOSE told rightly, wrongly, early, late, twice, not at all; and nobody looking."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.oracle.findings import Conclusion
from conformance.oracle.judging import judge
from tests.oracle.afar import from_afar
from tests.oracle.story import MS, PEER, REFERENCE, REFERENCE_STREAM, WINDOWS_TCP, Story, at_once

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


def whole(story: Story) -> Story:
    """The IUT reads five bytes, and the end."""
    story.iut.recv(content=bytes(range(5)))
    story.iut.recv()
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


@pytest.mark.parametrize("requirement", ["IND-FDC-01", "IND-FDC-04", "IND-FDC-05", "IND-FDC-06", "IND-FDC-07"])
def test_each_registration_is_judged_whatever_the_one_before_showed(requirement: str) -> None:
    """The one in force at the end was preceded by one that was told nothing, and by one that was told too early."""
    story = registered("FD_READ", "FD_CLOSE")
    story.iut.event_select("FD_READ", "FD_CLOSE")
    tells(story, "event")
    story.iut.event_select("FD_CLOSE")
    story.iut.event_select("FD_READ", "FD_CLOSE")
    if requirement == "IND-FDC-07":
        released(story, "iut")
    data = requirement in ("IND-FDC-04", "IND-FDC-05")
    released(sends(story) if data else story)
    tells(story, "event")
    if data:
        whole(story)
    looks(story)
    assert Conclusion.SATISFIED in story.conclusions(requirement)


def test_an_error_that_was_told_first_is_no_word_of_a_graceful_end() -> None:
    story = registered()
    tells(story, "event", error="WSAECONNABORTED")
    tells(story, "event")
    assert story.conclusions("IND-FDC-01") == NOTHING
    assert story.conclusions("IND-FDC-03") == VIOLATED


@pytest.mark.parametrize(
    ("when", "error", "expected"),
    [
        ("before", "WSAECONNRESET", VIOLATED),
        ("at once", "WSAECONNRESET", NOTHING),
        ("after", "WSAECONNRESET", NOTHING),
        ("after", "", VIOLATED),
    ],
)
def test_an_error_after_a_reset_that_need_not_be_taken(when: str, error: str, expected: set[Conclusion]) -> None:
    story = Story(WINDOWS_TCP)
    story.iut.event_select("FD_CLOSE", mechanism="message")
    if when == "before":
        tells(story, "message", error=error)
    story.forge("RA", 100)
    if when != "before":
        tells(at_once(story) if when == "at once" else story, "message", error=error)
    story.peer.send(5)
    story.data(PEER, 5)
    story.peer.shutdown("send")
    story.fin(PEER)
    assert story.conclusions("IND-FDC-01") == expected


@pytest.mark.parametrize(("early", "expected"), [(1, VIOLATED), (0, VIOLATED), (-1, NOTHING)])
def test_who_has_registered_by_the_instant_of_the_end_must_be_told(early: int, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE_STREAM)
    story.peer.shutdown("send")
    story.iut.event_select("FD_CLOSE")
    story.now += early - MS
    story.pdu(PEER, "RELEASE")
    assert looks(story).conclusions("IND-FDC-01") == expected


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


def test_an_abort_that_was_told_before_as_a_graceful_end() -> None:
    story = registered()
    tells(story, "event")
    aborted(story)
    assert story.conclusions("IND-FDC-02") == VIOLATED
    assert story.conclusions("IND-FDC-01") == NOTHING


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


def test_a_record_that_was_replaced_is_told_twice() -> None:
    story = released(registered())
    story.iut.event_select("FD_CLOSE")
    for _ in range(2):
        tells(story, "event")
    assert story.conclusions("IND-FDC-03") == VIOLATED


def test_a_third_word_does_not_excuse_the_second() -> None:
    story = released(registered())
    tells(story, "event")
    tells(story, "event")
    story.pdu(PEER, "ABORT")
    tells(story, "event", error="WSAECONNRESET")
    assert story.conclusions("IND-FDC-03") == VIOLATED


@pytest.mark.parametrize(("after", "expected"), [(0, SATISFIED), (1, SATISFIED), (-1, NOTHING)])
def test_the_receive_is_made_once_it_was_told(after: int, expected: set[Conclusion]) -> None:
    story = released(registered(mechanism="message"))
    tells(story, "message")
    story.now += after - MS
    story.iut.recv()
    looks(story, "message", 40)
    assert story.conclusions("IND-FDC-03") == expected


@pytest.mark.parametrize(("early", "expected"), [(0, SATISFIED), (1, NOTHING)])
def test_once_is_shown_after_the_settle_time(early: int, expected: set[Conclusion]) -> None:
    story = released(registered())
    tells(story, "event")
    story.iut.recv()
    story.now += 29 * MS - early
    story.iut.enum_events()
    assert story.conclusions("IND-FDC-03") == expected


def test_a_second_time_out_after_an_abort_is_one_too_many() -> None:
    story = registered()
    story.iut.call("set_option", name="KEEPALIVE", value=1)
    aborted(story)
    tells(story, "event", error="WSAECONNRESET")
    tells(story, "event", error="WSAETIMEDOUT")
    assert story.conclusions("IND-FDC-03") == VIOLATED


def test_each_of_two_registrations_is_counted() -> None:
    story = released(registered(mechanism="message"))
    tells(story, "message")
    story.iut.event_select("FD_CLOSE", mechanism="message")
    story.iut.event_select("FD_CLOSE", mechanism="message")
    for _ in range(2):
        tells(story, "message")
        story.iut.event_select("FD_CLOSE", mechanism="message")
    assert story.conclusions("IND-FDC-03") == NOTHING
    for _ in range(2):
        tells(story, "message")
    story.iut.event_select("FD_CLOSE", mechanism="message")
    tells(story, "message")
    story.iut.recv()
    looks(story, "message")
    assert story.conclusions("IND-FDC-03") == {Conclusion.VIOLATED, Conclusion.SATISFIED}


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


@pytest.mark.parametrize(("early", "judged"), [(1, True), (0, True), (-1, False)])
def test_who_has_registered_by_the_instant_of_the_end_can_read(early: int, judged: bool) -> None:
    story = sends(Story(REFERENCE_STREAM))
    story.peer.shutdown("send")
    story.iut.event_select("FD_CLOSE")
    story.now += early - MS
    story.pdu(PEER, "RELEASE")
    tells(story, "event")
    whole(story)
    for requirement in ("IND-FDC-04", "IND-FDC-05"):
        assert story.conclusions(requirement) == (SATISFIED if judged else NOTHING)


@pytest.mark.parametrize("requirement", ["IND-FDC-04", "IND-FDC-05"])
def test_what_was_told_too_early_shows_no_order(requirement: str) -> None:
    story = sends(registered())
    tells(story, "event")
    whole(released(story))
    assert story.conclusions(requirement) == NOTHING


@pytest.mark.parametrize(("read", "expected"), [(0, VIOLATED), (1, VIOLATED), (2, SATISFIED)])
def test_all_messages_can_be_read(read: int, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE)
    story.iut.event_select("FD_CLOSE")
    released(sends(sends(story), 3))
    tells(story, "event")
    for length in (5, 3)[:read]:
        story.iut.recv(content=bytes(range(length)))
    story.iut.recv(error="WSAEDISCON")
    assert story.conclusions("IND-FDC-04") == expected


def test_bytes_that_were_read_before_a_reset_were_not_lost() -> None:
    story = released(sends(registered()))
    tells(story, "event")
    story.iut.recv(content=bytes(range(5)))
    story.pdu(PEER, "ABORT")
    story.iut.recv()
    assert story.conclusions("IND-FDC-04") == SATISFIED


def test_an_end_that_fails_once_all_was_read_is_none() -> None:
    story = released(sends(registered()))
    tells(story, "event")
    story.iut.recv(content=bytes(range(5)))
    story.iut.recv(error="WSAECONNABORTED")
    assert story.conclusions("IND-FDC-04") == VIOLATED


def test_who_has_read_all_and_hears_of_no_end_has_lost_nothing() -> None:
    story = released(sends(registered()))
    tells(story, "event")
    story.iut.recv(content=bytes(range(5)))
    _nothing_comes(story)
    assert story.conclusions("IND-FDC-04") == NOTHING


def test_what_the_peer_had_sent_is_not_known() -> None:
    story = registered()
    call = story.peer.begin("send", pattern={"seed": 0, "length": 5})
    story.pdu(PEER, "DATA", bytes(range(5)))
    released(story)
    tells(story, "event")
    whole(story)
    assert story.conclusions("IND-FDC-04") == UNDETERMINED
    assert story.conclusions("IND-FDC-05") == NOTHING
    story.peer.finish(call, length=5)


AFTER_READS, NO_ORDER = "once all data was read", ""


def order(story: Story) -> str:
    """How it was told of the order."""
    told = [finding.because for finding in story.judge("IND-FDC-05")]
    return AFTER_READS if any(AFTER_READS in because for because in told) else " ".join(told)


@pytest.mark.parametrize(("early", "expected"), [(0, AFTER_READS), (1, NO_ORDER)])
def test_data_must_lie_unread_for_the_settle_time(early: int, expected: str) -> None:
    story = released(sends(registered()))
    story.now += 29 * MS - early
    story.iut.enum_events()
    whole(story)
    tells(story, "event")
    assert order(story) == expected
    assert story.conclusions("IND-FDC-04") == (SATISFIED if expected else NOTHING)


@pytest.mark.parametrize(("after", "expected"), [(0, AFTER_READS), (1, AFTER_READS), (-1, NO_ORDER)])
def test_somebody_must_look_before_the_reading_begins(after: int, expected: str) -> None:
    story = looks(released(sends(registered(mechanism="message"))), "message", 40)
    story.now += after - MS
    whole(story)
    tells(story, "message")
    assert order(story) == expected


def test_reading_that_began_before_shows_no_order() -> None:
    story = released(sends(registered()))
    story.iut.recv(content=b"\0\1")
    looks(story, ms=40)
    story.iut.recv(content=b"\2\3\4")
    tells(story, "event")
    assert order(story) == NO_ORDER


@pytest.mark.parametrize(("before", "expected"), [(1, NO_ORDER), (0, AFTER_READS), (-1, AFTER_READS)])
def test_a_notice_before_the_last_receive_was_made_did_not_wait_for_it(before: int, expected: str) -> None:
    """The end is told when all is read, or in the call that reads it: not before that call."""
    story = looks(released(sends(registered(mechanism="message"))), "message", 40)
    tells(story, "message")
    story.now += before - MS
    call = story.iut.begin("recv", length=100)
    story.iut.finish(call, length=5, data="AAECAwQ=")
    if before < 0:
        story.now += MS
    assert (order(story) == AFTER_READS) is (expected == AFTER_READS)


def test_an_empty_message_that_was_read_is_read() -> None:
    story = Story(REFERENCE)
    story.iut.event_select("FD_CLOSE")
    looks(released(sends(story, 0)), ms=40)
    story.iut.recv()
    tells(story, "event")
    assert order(story) == AFTER_READS


@pytest.mark.parametrize("late", [False, True])
def test_where_the_reads_are_over_before_the_end_nothing_is_held_back(late: bool) -> None:
    story = sends(registered())
    story.iut.recv(content=bytes(range(5)))
    released(story)
    if late:
        looks(story, ms=40)
    tells(story, "event")
    assert order(story) == NO_ORDER


def test_what_was_read_before_the_end_did_not_begin_the_reading() -> None:
    story = sends(registered())
    story.iut.recv(content=b"\0\1")
    looks(released(story), ms=40)
    story.iut.recv(content=b"\2\3\4")
    tells(story, "event")
    assert order(story) == AFTER_READS


def test_an_end_that_is_not_certain_holds_nothing_back() -> None:
    story = sends(registered())
    story.peer.shutdown("send")
    story.pdu(PEER, "RELEASE", acked=False)
    looks(story, ms=40)
    whole(story)
    tells(story, "event")
    assert order(story) == NO_ORDER


@pytest.mark.parametrize("requirement", ["IND-FDC-04", "IND-FDC-05"])
@pytest.mark.parametrize("loses", [_failed, _altered])
def test_data_before_an_abort_is_judged_elsewhere(requirement: str, loses: Change) -> None:
    story = aborted(sends(registered()))
    tells(story, "event", error="WSAECONNRESET")
    loses(story)
    assert story.conclusions(requirement) == NOTHING


def test_what_tells_of_a_reset_has_no_order() -> None:
    story = released(sends(registered()))
    story.pdu(PEER, "ABORT")
    tells(story, "event", error="WSAECONNRESET")
    assert order(story) == NO_ORDER


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


def test_what_an_abort_raises_is_judged_elsewhere() -> None:
    story = aborted(registered("FD_READ", "FD_CLOSE"))
    tells(story, "event", "FD_READ")
    assert story.conclusions("IND-FDC-06") == NOTHING


def test_who_is_told_before_the_end_shows_nothing_of_fd_read() -> None:
    story = registered("FD_READ", "FD_CLOSE")
    tells(story, "event")
    looks(released(story))
    assert story.conclusions("IND-FDC-06") == NOTHING


@pytest.mark.parametrize(("early", "expected"), [(0, SATISFIED), (1, NOTHING)])
def test_that_no_fd_read_comes_is_shown_after_the_settle_time(early: int, expected: set[Conclusion]) -> None:
    story = released(registered("FD_READ", "FD_CLOSE"))
    tells(story, "event")
    story.now += 29 * MS - early
    story.iut.enum_events()
    assert story.conclusions("IND-FDC-06") == expected


@pytest.mark.parametrize("silent", [False, True])
def test_every_registration_may_invent_an_fd_read(silent: bool) -> None:
    """One registration had not asked for it, or was told of it, and the next is told rightly, or of it."""
    story = registered("FD_CLOSE") if silent else registered("FD_READ", "FD_CLOSE")
    if not silent:
        tells(story, "event", "FD_READ")
    story.iut.event_select("FD_READ", "FD_CLOSE")
    released(story)
    tells(story, "event", "FD_READ" if silent else "FD_CLOSE")
    looks(story)
    assert story.conclusions("IND-FDC-06") == (VIOLATED if silent else VIOLATED | SATISFIED)


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


@pytest.mark.parametrize(("how", "requirement"), [("send", "IND-FDC-07"), ("both", "IND-FDC-10")])
@pytest.mark.parametrize("first", ["shutdown", "registering"])
@pytest.mark.parametrize(("early", "expected"), [(1, SATISFIED), (0, SATISFIED), (-1, NOTHING)])
def test_whoever_has_begun_by_the_instant_of_the_end(
    how: str, requirement: str, first: str, early: int, expected: set[Conclusion]
) -> None:
    story = Story(REFERENCE_STREAM)
    story.peer.shutdown("send")
    if first == "registering":
        story.iut.event_select("FD_CLOSE")
    story.iut.shutdown(how)
    if first == "shutdown":
        story.iut.event_select("FD_CLOSE")
    story.now += early - MS
    story.pdu(PEER, "RELEASE")
    tells(story, "event")
    assert story.conclusions(requirement) == expected


@pytest.mark.parametrize("requirement", ["IND-FDC-07", "IND-FDC-10"])
def test_a_shutdown_that_failed_began_nothing(requirement: str) -> None:
    story = registered()
    story.iut.shutdown("both", error="WSAEINVAL")
    released(story)
    tells(story, "event")
    assert story.conclusions(requirement) == NOTHING


@pytest.mark.parametrize("how", ["send", "receive"])
def test_one_direction_twice_is_not_both(how: str) -> None:
    story = registered()
    story.iut.shutdown(how)
    story.iut.shutdown(how)
    released(story)
    tells(story, "event")
    assert story.conclusions("IND-FDC-10") == NOTHING


@pytest.mark.parametrize(("reset", "expected"), [("before", NOTHING), ("after", VIOLATED), ("never", VIOLATED)])
def test_a_reset_after_the_end_is_another_matter_after_sd_both(reset: str, expected: set[Conclusion]) -> None:
    story = Story(WINDOWS_TCP)
    story.iut.event_select("FD_CLOSE")
    story.iut.shutdown("both")
    story.peer.shutdown("send")
    story.fin(PEER)
    if reset == "before":
        story.rst(PEER)
    looks(story)
    if reset == "after":
        story.rst(PEER)
    assert story.conclusions("IND-FDC-10") == expected


@pytest.mark.parametrize(("how", "requirement"), [("send", "IND-FDC-07"), ("both", "IND-FDC-10")])
def test_an_abort_of_the_peers_is_judged_elsewhere(how: str, requirement: str) -> None:
    story = aborted(began(how))
    tells(story, "event")
    assert story.conclusions(requirement) == NOTHING


def test_whoever_shuts_down_both_has_not_begun_with_sending() -> None:
    story = released(began("both"))
    tells(story, "event")
    assert story.conclusions("IND-FDC-07") == NOTHING


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


@pytest.mark.parametrize(("early", "expected"), [(0, SATISFIED), (1, NOTHING)])
def test_that_nothing_is_raised_is_shown_after_the_settle_time(early: int, expected: set[Conclusion]) -> None:
    story = registered()
    story.iut.shutdown("receive")
    story.now += 29 * MS - early
    story.iut.enum_events()
    assert story.conclusions("IND-FDC-08") == expected


@pytest.mark.parametrize(
    ("after", "expected"), [(0, SATISFIED), (1, SATISFIED), (-MS - 1, NOTHING)], ids=["at once", "after", "before"]
)
def test_a_shutdown_from_the_return_of_the_registering_call_on(after: int, expected: set[Conclusion]) -> None:
    story = registered()
    story.now += after - MS
    story.iut.shutdown("receive", takes=5)
    looks(story, ms=40)
    assert story.conclusions("IND-FDC-08") == expected


def test_a_shutdown_before_the_registration_takes_nothing_from_the_next() -> None:
    story = Story(REFERENCE_STREAM)
    story.iut.shutdown("receive")
    story.iut.event_select("FD_CLOSE")
    story.iut.shutdown("send")
    assert looks(story, ms=40).conclusions("IND-FDC-08") == SATISFIED


def test_the_next_shutdown_raises_nothing_more() -> None:
    story = registered(mechanism="message")
    story.iut.begin("shutdown", how="receive")
    tells(at_once(story), "message")
    story.iut.finish(story.iut.calls)
    story.iut.shutdown("send")
    assert looks(story, "message").conclusions("IND-FDC-08") == SATISFIED


def test_from_afar_a_notice_of_the_call_itself_is_its_doing() -> None:
    story = registered(mechanism="message")
    call = story.iut.begin("shutdown", how="receive")
    tells(story, "message")
    story.iut.finish(call)
    afar = from_afar(story.trace(), 15)
    assert afar is not None
    assert {f.outcome for f in judge(afar) if f.requirement == "IND-FDC-08"} == VIOLATED


def test_what_was_told_before_the_shutdown_is_not_its_doing() -> None:
    story = registered()
    tells(story, "event")
    story.iut.shutdown("receive")
    looks(story)
    assert story.conclusions("IND-FDC-08") == SATISFIED


@pytest.mark.parametrize(("after", "expected"), [(0, NOTHING), (1, VIOLATED)])
def test_a_notice_at_the_instant_of_the_shutdown_may_be_its_doing(after: int, expected: set[Conclusion]) -> None:
    story = registered(mechanism="message")
    call = story.iut.begin("shutdown", how="receive")
    story.now += after - MS
    tells(story, "message")
    story.iut.finish(call)
    looks(story, "message")
    assert story.conclusions("IND-FDC-08") == expected


@pytest.mark.parametrize("call", ["shutdown(send) of the peer's", "failed", "unanswered"])
def test_calls_of_which_nothing_is_known_to_be_raised(call: str) -> None:
    story = registered()
    match call:
        case "shutdown(send) of the peer's":
            story.peer.shutdown("send")
        case "failed":
            story.iut.shutdown("both", error="WSAEINVAL")
        case _:
            story.iut.begin("shutdown", how="receive")
    looks(story)
    assert story.conclusions("IND-FDC-08") == NOTHING


@pytest.mark.parametrize("call", ["send_disconnect", "recv_disconnect"])
def test_disconnects_raise_nothing_either(call: str) -> None:
    story = registered()
    getattr(story.iut, call)()
    tells(looks(story, ms=40), "event")
    assert story.conclusions("IND-FDC-08") == VIOLATED


def test_each_call_is_looked_at_and_the_first_that_raised_it_is_named() -> None:
    story = registered()
    story.iut.shutdown("receive")
    looks(story, ms=40)
    story.iut.shutdown("send")
    looks(story, ms=40)
    assert [f.outcome for f in story.judge("IND-FDC-08")] == [Conclusion.SATISFIED] * 2
    tells(story, "event")
    findings = story.judge("IND-FDC-08")
    assert [f.outcome for f in findings] == [Conclusion.VIOLATED]
    assert "its own shutdown(receive)" in findings[0].because


@pytest.mark.parametrize("who", ["iut", "peer"])
def test_whose_call_it_was_is_told(who: str) -> None:
    story = registered()
    (story.iut if who == "iut" else story.peer).shutdown("receive")
    looks(story, ms=40)
    whose = "its own" if who == "iut" else "the peer's"
    assert whose in story.judge("IND-FDC-08")[0].because
    tells(story, "event")
    assert whose in story.judge("IND-FDC-08")[0].because


def test_a_look_after_the_peers_end_shows_nothing_of_the_shutdown() -> None:
    story = registered()
    story.iut.shutdown("receive")
    looks(released(story), ms=40)
    assert story.conclusions("IND-FDC-08") == NOTHING


def test_a_shutdown_under_a_registration_that_was_replaced_shows_nothing_of_the_next() -> None:
    story = registered()
    story.iut.event_select("FD_CLOSE")
    story.iut.shutdown("receive")
    tells(looks(story, ms=40), "event")
    assert len(story.judge("IND-FDC-08")) == 1


def test_a_peer_that_refuses_what_comes_is_another_matter() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.event_select("FD_CLOSE")
    story.iut.shutdown("receive")
    story.rst(story.iut.end)
    looks(story, ms=40)
    assert story.conclusions("IND-FDC-08") == NOTHING
