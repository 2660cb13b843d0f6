# SPDX-License-Identifier: MIT
"""The judges of registering for network events: too late, replaced, taken from a listener, over with the socket."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.oracle.findings import Conclusion
from conformance.trace.events import Established, Outcome, Returned
from tests.oracle.story import IUT, MS, PEER, REFERENCE_STREAM, WINDOWS_TCP, Story, at_once
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
    assert story.conclusions("IND-FDC-02" if abort else "IND-FDC-01") == NOTHING


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


@pytest.mark.parametrize(("after", "expected"), [(1, SATISFIED), (0, SATISFIED), (-1, NOTHING)])
def test_late_is_from_the_instant_on_at_which_the_end_is_certain(after: int, expected: set[Conclusion]) -> None:
    story = released(Story(REFERENCE_STREAM))  # it ends with the acknowledgement of the end
    story.now += after - MS
    story.iut.event_select("FD_CLOSE")
    tells(story, "event")
    assert story.conclusions("IND-FDC-09") == expected


@pytest.mark.parametrize(("late_ns", "expected"), [(0, SATISFIED), (1, NOTHING)])
def test_at_once_is_within_the_prompt_time(late_ns: int, expected: set[Conclusion]) -> None:
    story = late("message")
    story.now += 999 * MS + late_ns
    tells(story, "message")
    assert story.conclusions("IND-FDC-09") == expected


@pytest.mark.parametrize("after", [0, 1])
def test_who_stops_receiving_is_told_late_of_nothing(after: int) -> None:
    story = late("message")
    story.now += after - MS
    call = story.iut.begin("shutdown", how="receive")
    tells(story, "message")
    story.iut.finish(call)
    assert story.conclusions("IND-FDC-09") == (SATISFIED if after else NOTHING)


def test_who_has_stopped_receiving_need_not_be_told() -> None:
    story = looks(late())
    story.iut.shutdown("receive")
    assert story.conclusions("IND-FDC-09") == VIOLATED
    story = late()
    story.iut.shutdown("receive")
    assert looks(story).conclusions("IND-FDC-09") == NOTHING


@pytest.mark.parametrize("reset", ["own", "none"])
def test_who_registers_after_no_end_of_the_peers(reset: str) -> None:
    story = Story(WINDOWS_TCP)
    if reset == "own":
        story.rst(IUT)
    story.iut.event_select("FD_CLOSE")
    tells(looks(story), "event")
    assert story.conclusions("IND-FDC-09") == NOTHING


def test_an_end_that_is_not_certain_is_not_late() -> None:
    story = Story(REFERENCE_STREAM)
    story.peer.shutdown("send")
    story.pdu(PEER, "RELEASE", acked=False)
    story.iut.event_select("FD_CLOSE")
    tells(story, "event")
    assert story.conclusions("IND-FDC-09") == NOTHING


@pytest.mark.parametrize("abort", [False, True])
def test_unread_data_holds_an_abort_not_back(abort: bool) -> None:
    story = looks(late(data=True, abort=abort))
    assert story.conclusions("IND-FDC-09") == (VIOLATED if abort else NOTHING)


def test_of_late_registrations_the_first_is_owed_it() -> None:
    story = registered()
    story.iut.event_select("FD_READ")
    released(story)
    for _ in range(2):
        story.iut.event_select("FD_CLOSE")
        tells(story, "event")
    assert len(story.judge("IND-FDC-09")) == 1


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


@MECHANISMS
@pytest.mark.parametrize(("early", "expected"), [(0, SATISFIED), (1, NOTHING)])
def test_that_a_closed_socket_is_told_nothing_is_shown_after_the_settle_time(
    mechanism: str, early: int, expected: set[Conclusion]
) -> None:
    story = closed(mechanism)
    story.peer.begin("shutdown", how="send")
    story.now += 10 * MS
    story.peer.finish(story.peer.calls)
    story.now += 18 * MS - early
    if mechanism == "event":
        story.iut.enum_events(error="WSAENOTSOCK")
    else:
        story.note("settled")
    assert story.conclusions("IND-FDC-11") == expected


def test_a_record_that_was_never_answered_shows_nothing() -> None:
    story = released(closed("event"))
    story.wait(40)
    story.iut.begin("enum_events")
    assert story.conclusions("IND-FDC-11") == NOTHING


def test_a_wait_shows_nothing_of_a_record() -> None:
    story = released(closed("event"))
    story.settle()
    assert story.conclusions("IND-FDC-11") == NOTHING


@pytest.mark.parametrize(("after", "expected"), [(0, NOTHING), (1, SATISFIED)])
def test_what_the_peer_does_at_the_instant_of_the_close_came_not_after_it(
    after: int, expected: set[Conclusion]
) -> None:
    story = registered(mechanism="message")
    story.iut.close()
    story.now += after - MS
    released(story).settle()
    assert story.conclusions("IND-FDC-11") == expected


@pytest.mark.parametrize(("after", "expected"), [(0, SATISFIED), (1, VIOLATED)])
def test_a_notice_at_the_instant_of_the_close_is_not_after_it(after: int, expected: set[Conclusion]) -> None:
    story = registered(mechanism="message")
    story.iut.close()
    story.now += after - MS
    tells(story, "message")
    released(story).settle()
    assert story.conclusions("IND-FDC-11") == expected


@pytest.mark.parametrize("end", ["dies", "fails", "receive"])
def test_what_ends_the_peer(end: str) -> None:
    story = closed()
    match end:
        case "dies":
            story.peer.dies()
        case "fails":
            story.peer.shutdown("send", error="WSAENOTCONN")
        case _:
            story.peer.shutdown("receive")
    story.settle()
    assert story.conclusions("IND-FDC-11") == (SATISFIED if end == "dies" else NOTHING)


@pytest.mark.parametrize(("last", "expected"), [("FD_CLOSE", SATISFIED), ("FD_READ", NOTHING)])
def test_the_registration_at_the_close_is_the_one_that_counts(last: str, expected: set[Conclusion]) -> None:
    story = registered(mechanism="message")
    story.iut.event_select(last, mechanism="message")
    story.iut.close()
    released(story).settle()
    assert story.conclusions("IND-FDC-11") == expected
    tells(story, "message", "FD_READ")
    assert story.conclusions("IND-FDC-11") == expected


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


def test_a_receive_that_waited_for_no_time_did_not_block() -> None:
    story = replaced("FD_READ")
    story.iut.recv(timeout=True, wait_ms=0)
    assert story.conclusions("IND-FDC-14") == NOTHING


def test_a_receive_that_got_something_did_not_block() -> None:
    story = sends(replaced("FD_READ"))
    story.iut.recv(content=bytes(range(5)), wait_ms=100)
    assert story.conclusions("IND-FDC-14") == NOTHING


@pytest.mark.parametrize(
    ("change", "blocks"),
    [
        ({"on": True}, False),
        ({"on": False}, True),
        ({"on": True, "error": "WSAEINVAL"}, True),
    ],
)
@pytest.mark.parametrize("when", ["before registering", "before", "within", "after"])
def test_only_who_makes_it_block_again_before_may_wait(change: dict[str, Any], blocks: bool, when: str) -> None:
    story = Story(REFERENCE_STREAM)
    if when == "before registering":
        story.iut.call("set_blocking", **change)
    story.iut.event_select("FD_CLOSE")
    if when == "before":
        story.iut.call("set_blocking", **change)
    call = story.iut.begin("recv", length=1, wait_ms=100)
    if when == "within":
        story.iut.call("set_blocking", **change)
    story.wait(100)
    story.iut.finish(call, timeout=True)
    if when == "after":
        story.iut.call("set_blocking", **change)
    excused = not blocks and when in ("before", "within")
    assert story.conclusions("IND-FDC-14") == (NOTHING if excused else VIOLATED)


@pytest.mark.parametrize(("after", "blocks"), [(-1, False), (0, True), (1, True)])
def test_a_receive_from_the_return_of_the_registering_call_on(after: int, blocks: bool) -> None:
    story = registered()
    story.now += after - MS
    story.iut.recv(timeout=True, wait_ms=100, takes=100)
    assert story.conclusions("IND-FDC-14") == (VIOLATED if blocks else NOTHING)


@pytest.mark.parametrize("after", [-1, 1])
def test_a_receive_that_blocked_is_told_of_one_registration(after: int) -> None:
    story = registered()
    story.iut.event_select("FD_READ")
    story.now += after - 2 * MS
    call = story.iut.begin("recv", length=1, wait_ms=100)
    story.wait(100)
    story.iut.finish(call, timeout=True)
    assert len(story.judge("IND-FDC-14")) == (1 if after < 0 else 0)


@pytest.mark.parametrize(("early", "expected"), [(1, SATISFIED), (0, NOTHING)])
def test_the_end_comes_once_it_was_replaced(early: int, expected: set[Conclusion]) -> None:
    story = registered()
    story.peer.shutdown("send")
    story.iut.event_select("FD_READ")
    story.now += early - MS
    story.pdu(PEER, "RELEASE")
    looks(story, ms=40)
    story.iut.recv()
    assert story.conclusions("IND-FDC-14") == expected
    tells(story, "event")
    assert story.conclusions("IND-FDC-14") == (VIOLATED if expected else NOTHING)


@pytest.mark.parametrize(("after", "expected"), [(0, VIOLATED), (1, VIOLATED)])
def test_a_mask_without_fd_close_is_told_from_the_instant_of_the_end_on(after: int, expected: set[Conclusion]) -> None:
    story = replaced("FD_READ", first="message", second="message")
    story.peer.shutdown("send")
    story.pdu(PEER, "RELEASE", acked=False)
    story.now += after - MS
    tells(story, "message")
    assert story.conclusions("IND-FDC-14") == expected


def test_another_event_is_not_uncalled_for() -> None:
    story = sends(replaced("FD_READ"))
    released(story)
    tells(story, "event", "FD_READ")
    assert story.conclusions("IND-FDC-14") == NOTHING
    tells(story, "event")
    assert story.conclusions("IND-FDC-14") == VIOLATED


@MECHANISMS
def test_a_mask_that_asks_for_it_anew_is_told(mechanism: str) -> None:
    story = released(replaced("FD_CLOSE", first=mechanism, second=mechanism))
    tells(story, mechanism)
    assert story.conclusions("IND-FDC-14") == NOTHING


def test_a_notice_at_the_instant_of_the_next_registering_call_is_the_next_ones() -> None:
    story = released(replaced("FD_READ", first="message", second="message"))
    call = story.iut.begin("event_select", events=["FD_CLOSE"], mechanism="message")
    tells(at_once(story), "message")
    story.iut.finish(call)
    assert story.conclusions("IND-FDC-14") == NOTHING


@pytest.mark.parametrize("events", ["FD_READ", "FD_CLOSE"])
def test_a_registration_for_messages_may_be_told_by_a_record(events: str) -> None:
    """What is told by the mechanism that was not asked for is an event of the mask all the same."""
    story = released(replaced(events, first="event", second="message"))
    tells(story, "event")
    assert story.conclusions("IND-FDC-14") == (NOTHING if events == "FD_CLOSE" else VIOLATED)


@pytest.mark.parametrize("end", ["abort", "refused", "uncertain"])
def test_what_end_a_replaced_mask_leaves_alone(end: str) -> None:
    story = Story(WINDOWS_TCP)
    story.iut.event_select("FD_CLOSE")
    story.iut.event_select("FD_READ")
    match end:
        case "abort":
            story.rst(PEER)
            story.peer.recv(timeout=True)
        case "refused":
            story.rst(IUT)
        case _:
            story.fin(PEER, acked=False)
    looks(story, ms=40)
    story.iut.recv(error="WSAECONNRESET")
    assert story.conclusions("IND-FDC-14") == (SATISFIED if end == "abort" else NOTHING)


@pytest.mark.parametrize(("early", "expected"), [(0, SATISFIED), (1, NOTHING)])
def test_a_replaced_mask_is_looked_at_after_the_settle_time(early: int, expected: set[Conclusion]) -> None:
    story = released(replaced("FD_READ"))
    story.now += 29 * MS - early
    story.iut.enum_events()
    story.iut.recv()
    assert story.conclusions("IND-FDC-14") == expected


@pytest.mark.parametrize("when", ["before the end", "at the end", "before replacing"])
def test_a_receive_must_be_made_after_replacing_and_answered_after_the_end(when: str) -> None:
    story = registered()
    call = story.iut.begin("recv", length=1) if when == "before replacing" else 0
    story.iut.event_select("FD_READ")
    if when == "before the end":
        story.iut.recv(error="WSAEWOULDBLOCK")
    if when == "at the end":
        call = story.iut.begin("recv", length=1)
    released(story)
    if when == "at the end":
        at_once(story)
    if call:
        story.iut.finish(call, length=0)
    looks(story, ms=40)
    assert story.conclusions("IND-FDC-14") == (SATISFIED if when == "at the end" else NOTHING)


def test_a_receive_at_the_instant_of_replacing_counts() -> None:
    story = replaced("FD_READ")
    at_once(story)
    call = story.iut.begin("recv", length=1)
    released(story)
    story.iut.finish(call, length=0)
    looks(story, ms=40)
    assert story.conclusions("IND-FDC-14") == SATISFIED


@pytest.mark.parametrize("between", [(), ("FD_READ",)])
def test_a_registration_is_not_replaced_by_what_came_before(between: tuple[str, ...]) -> None:
    story = registered("FD_READ")
    if between:
        story.iut.event_select(*between)
    story.iut.event_select("FD_CLOSE")
    looks(released(story), ms=40)
    story.iut.recv()
    assert story.conclusions("IND-FDC-14") == NOTHING


@pytest.mark.parametrize(("after", "expected"), [(0, NOTHING), (-1, VIOLATED)])
def test_a_receive_at_the_instant_of_the_close_did_not_block(after: int, expected: set[Conclusion]) -> None:
    story = registered()
    close = story.iut.begin("close")
    story.now += after - MS
    call = story.iut.begin("recv", length=1, wait_ms=100)
    story.wait(100)
    story.iut.finish(call, timeout=True)
    story.iut.finish(close)
    assert story.conclusions("IND-FDC-14") == expected


@pytest.mark.parametrize(
    ("after", "expected"),
    [(-2 * MS - 1, VIOLATED), (-2 * MS, NOTHING), (102 * MS, NOTHING), (102 * MS + 1, VIOLATED)],
    ids=["over before registering", "over as it began", "as the receive returned", "after that"],
)
def test_when_the_socket_was_made_to_block_again(after: int, expected: set[Conclusion]) -> None:
    story = registered()
    returned = story.now
    call = story.iut.begin("recv", length=1, wait_ms=100)
    story.wait(100)
    story.iut.finish(call, timeout=True)
    story.now = returned + after - MS
    story.iut.call("set_blocking", on=True)
    assert story.conclusions("IND-FDC-14") == expected


def test_what_was_asked_two_registrations_ago_is_replaced_too() -> None:
    story = replaced("FD_READ")
    story.iut.event_select("FD_WRITE")
    looks(released(story), ms=40)
    story.iut.recv()
    assert story.conclusions("IND-FDC-14") == SATISFIED


# --- IND-FDC-15 -------------------------------------------------------------------------------------------------------


def connecting() -> Story:
    """The peer's connection is on its way."""
    story = Story(REFERENCE_STREAM, connected=False)
    story.segment(PEER, "S", start=-1)
    story.segment(IUT, "SA", start=-1)
    return story


def established(story: Story, socket: int = 3) -> None:
    """It has come, to that socket of the IUT's."""
    address = {"family": "inet", "host": "127.0.0.1"}
    story.add(
        Established(
            at=story.tick(),
            iut=socket,
            peer=socket,
            client=PEER,
            client_address=address | {"port": 10000},
            listener_address=address | {"port": 40000},
        )
    )


def accepted(*events: str, mechanism: str = "event", after: bool = False) -> Story:
    """The IUT has accepted a connection from a listener that was registered, before that or `after` it."""
    story = connecting()
    if not after:
        story.iut.event_select(*events, mechanism=mechanism, socket=7)
    story.iut.call("accept", socket=7, result={"socket": 3})
    if after:
        story.iut.event_select(*events, mechanism=mechanism, socket=7)
    established(story)
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


@pytest.mark.parametrize("other", ["refused itself", "another first", "another listener", "failed", "replaced", "late"])
def test_which_registration_an_accepted_socket_has(other: str) -> None:
    """The listener's own, that was in force when it was accepted."""
    story = connecting()
    if other != "another listener":
        story.iut.event_select("FD_CLOSE", socket=7, error="WSAEINVAL" if other == "failed" else "")
    if other == "another listener":
        story.iut.event_select("FD_CLOSE", socket=8)
    if other == "replaced":
        story.iut.event_select("FD_ACCEPT", socket=7)
    if other == "another first":
        story.iut.call("accept", socket=8, result={"socket": 9})
        story.iut.call("accept", socket=7, error="WSAEWOULDBLOCK", result={"socket": 3})
    call = story.iut.begin("accept", socket=7)
    if other == "late":
        story.iut.event_select("FD_ACCEPT", socket=7)
    story.iut.finish(call, socket=3)
    established(story)
    if other == "refused itself":
        story.iut.event_select("FD_READ", error="WSAEINVAL")
    looks(released(story))
    assert story.conclusions("IND-FDC-15") == (VIOLATED if other in ("refused itself", "another first") else NOTHING)


@pytest.mark.parametrize(("between", "expected"), [(-1, NOTHING), (0, VIOLATED), (1, VIOLATED)])
def test_a_listener_is_registered_once_the_call_has_returned(between: int, expected: set[Conclusion]) -> None:
    story = connecting()
    story.iut.event_select("FD_CLOSE", socket=7)
    story.now += between - MS
    story.iut.call("accept", socket=7, result={"socket": 3}, takes=3)
    established(story)
    looks(released(story))
    assert story.conclusions("IND-FDC-15") == expected


@MECHANISMS
def test_an_accepted_socket_that_is_closed_is_told_nothing_more(mechanism: str) -> None:
    story = released(accepted("FD_CLOSE", mechanism=mechanism))
    story.iut.close()
    looks(story, mechanism)
    tells(story, mechanism, error="WSAECONNRESET")
    assert story.conclusions("IND-FDC-15") == NOTHING


def test_an_abort_of_an_accepted_socket_is_judged_elsewhere() -> None:
    story = aborted(accepted("FD_CLOSE"))
    tells(story, "event")
    assert story.conclusions("IND-FDC-15") == NOTHING


@pytest.mark.parametrize("when", ["before", "within", "as it returns", "at one instant"])
def test_a_listener_that_is_registered_otherwise_while_it_accepts(when: str) -> None:
    """Which registration the socket has taken over is known where the last one was made before."""
    story = connecting()
    story.iut.event_select("FD_CLOSE", socket=7)
    if when == "before":
        story.iut.event_select("FD_CLOSE", socket=7, mechanism="message")
    call = story.iut.begin("accept", socket=7)
    if when == "within":
        story.iut.event_select("FD_CLOSE", socket=7, mechanism="message")
    if when == "at one instant":
        other = at_once(story).iut.begin("event_select", socket=7, events=["FD_CLOSE"], mechanism="message")
        at_once(story).iut.finish(other)
        at_once(story)
    story.iut.finish(call, socket=3)
    if when == "as it returns":
        at_once(story).iut.event_select("FD_ACCEPT", socket=7)
    established(story)
    looks(looks(released(story)), "message")
    assert story.conclusions("IND-FDC-15") == (VIOLATED if when == "before" else NOTHING)


@pytest.mark.parametrize("first", ["registered itself", "another listener's"])
def test_each_accepted_socket_is_judged(first: str) -> None:
    story = Story(REFERENCE_STREAM, wire=False, connected=False)
    story.iut.event_select("FD_CLOSE", socket=7)
    for number in (3, 4):
        listener = 8 if (number, first) == (3, "another listener's") else 7
        story.iut.call("accept", socket=listener, result={"socket": number})
        established(story, number)
    if first == "registered itself":
        story.iut.event_select("FD_READ")
    story.peer.shutdown("send", socket=4)
    story.wait(LONG)
    story.iut.enum_events(socket=4)
    assert story.conclusions("IND-FDC-15") == VIOLATED
