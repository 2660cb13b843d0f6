# SPDX-License-Identifier: MIT
"""The judges of how a service provider tells of network events: the form of the message, and of the record."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.oracle.findings import Conclusion
from tests.oracle.story import MS, PEER, REFERENCE, SERVICE_PROVIDER, Story, at_once

SATISFIED, VIOLATED, UNDETERMINED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}, {Conclusion.UNDETERMINED}
NOTHING = set[Conclusion]()
READ, CLOSE = 1, 32
POISON = 0x5A5A5A5A  # agent-protocol: what an error slot holds before the call
RESET = 10054


def released(story: Story) -> Story:
    story.peer.shutdown("send")
    story.pdu(PEER, "RELEASE")
    return story


# --- IND-FDC-12 -------------------------------------------------------------------------------------------------------


def asked(claim: Any = SERVICE_PROVIDER) -> Story:
    """The IUT has asked to be told by messages, and the peer has ended."""
    story = Story(claim)
    story.iut.event_select("FD_READ", "FD_CLOSE", mechanism="message")
    return released(story)


def posts(story: Story, low: int = CLOSE, high: int = 0, *, socket: int | None = 3) -> Story:
    story.iut.upcall("WPUPostMessage", socket=socket, hwnd=65570, msg=1025, wParam=0x88, lParam=high << 16 | low)
    return story


def test_one_message_by_the_upcall() -> None:
    story = posts(asked())
    story.iut.indicates("FD_CLOSE")
    assert story.conclusions("IND-FDC-12") == SATISFIED


def test_one_message_for_each_of_two_events() -> None:
    story = posts(posts(asked(), READ), CLOSE, RESET)
    story.iut.indicates("FD_READ")
    story.iut.indicates("FD_CLOSE", "WSAECONNRESET")
    assert story.conclusions("IND-FDC-12") == SATISFIED


def test_silence_is_no_pass() -> None:
    story = asked()
    story.settle()
    assert story.conclusions("IND-FDC-12") == NOTHING


def test_a_message_that_went_past_the_upcall() -> None:
    story = asked()
    story.iut.indicates("FD_CLOSE")
    assert story.conclusions("IND-FDC-12") == VIOLATED


def test_a_message_that_came_twice_by_one_upcall() -> None:
    story = posts(asked())
    story.iut.indicates("FD_CLOSE")
    story.iut.indicates("FD_CLOSE")
    assert story.conclusions("IND-FDC-12") == VIOLATED


@pytest.mark.parametrize("low", [READ | CLOSE, 0, 1 << 10, 5])
def test_what_is_not_one_event(low: int) -> None:
    assert posts(asked(), low).conclusions("IND-FDC-12") == VIOLATED


@pytest.mark.parametrize(
    ("high", "expected"),
    [
        *((0, SATISFIED), (1, VIOLATED), (54, VIOLATED), (9999, VIOLATED)),
        *((10000, SATISFIED), (10001, SATISFIED), (RESET, SATISFIED)),
    ],
)
def test_what_is_no_error_of_winsocks(high: int, expected: set[Conclusion]) -> None:
    story = posts(asked(), CLOSE, high)
    story.iut.indicates("FD_CLOSE", "WSAECONNRESET" if high else "")
    assert story.conclusions("IND-FDC-12") == expected


def test_a_word_that_is_no_sockets_handle() -> None:
    assert posts(asked(), socket=None).conclusions("IND-FDC-12") == VIOLATED


def test_another_sockets_message_is_not_the_connections() -> None:
    story = posts(asked(), socket=4)
    story.iut.indicates("FD_CLOSE")
    assert story.conclusions("IND-FDC-12") == VIOLATED


def test_a_message_to_another_window_never_comes() -> None:
    story = posts(asked())
    assert story.conclusions("IND-FDC-12") == NOTHING
    story.settle()
    assert story.conclusions("IND-FDC-12") == VIOLATED


@pytest.mark.parametrize("what", ["close", "event_select"])
def test_a_message_that_is_overtaken_may_not_come(what: str) -> None:
    story = posts(asked())
    getattr(story.iut, what)()
    story.settle()
    assert story.conclusions("IND-FDC-12") == NOTHING


@pytest.mark.parametrize(("early", "expected"), [(0, VIOLATED), (1, NOTHING)])
def test_a_message_must_come_within_the_settle_time(early: int, expected: set[Conclusion]) -> None:
    story = posts(asked())
    story.now += 29 * MS - early
    story.note("settled")
    assert story.conclusions("IND-FDC-12") == expected


@pytest.mark.parametrize(("after", "expected"), [(0, NOTHING), (1, VIOLATED)])
def test_a_message_may_be_overtaken_within_the_settle_time(after: int, expected: set[Conclusion]) -> None:
    story = posts(asked())
    story.now += 29 * MS + after
    story.iut.event_select()
    story.settle()
    assert story.conclusions("IND-FDC-12") == expected


@pytest.mark.parametrize("after", [0, 1])
def test_a_message_at_the_instant_of_the_registering_call_may_be_an_earlier_ones(after: int) -> None:
    story = Story(SERVICE_PROVIDER)
    call = story.iut.begin("event_select", events=["FD_CLOSE"], mechanism="message")
    posts(story if after else at_once(story))
    story.iut.finish(call)
    story.settle()
    assert story.conclusions("IND-FDC-12") == (VIOLATED if after else NOTHING)


@pytest.mark.parametrize("mechanism", ["event", "message"])
def test_without_a_window_nothing_need_come(mechanism: str) -> None:
    story = Story(SERVICE_PROVIDER)
    if mechanism == "event":
        story.iut.event_select("FD_CLOSE")
    else:
        story.iut.event_select("FD_CLOSE", mechanism="message")
        story.iut.event_select(mechanism="message")
    posts(story).settle()
    assert story.conclusions("IND-FDC-12") == NOTHING


def test_of_two_messages_the_last_may_still_come() -> None:
    story = posts(asked())
    story.iut.indicates("FD_CLOSE")
    story.settle()
    posts(story)
    assert story.conclusions("IND-FDC-12") == NOTHING
    story.settle()
    assert story.conclusions("IND-FDC-12") == VIOLATED


def test_arguments_that_are_not_told() -> None:
    story = asked()
    story.iut.upcall("WPUPostMessage")
    story.iut.indicates("FD_CLOSE")
    assert story.conclusions("IND-FDC-12") == UNDETERMINED


def test_other_upcalls_are_no_messages() -> None:
    story = asked()
    story.iut.upcall("WPUSetEvent", socket=None, hEvent=4)
    assert story.conclusions("IND-FDC-12") == NOTHING


def test_it_is_for_service_providers_alone() -> None:
    story = asked(REFERENCE)
    story.iut.indicates("FD_CLOSE")
    assert story.conclusions("IND-FDC-12") == NOTHING


# --- IND-FDC-13 -------------------------------------------------------------------------------------------------------


def slots(**written: int) -> list[int]:
    """Ten slots, poisoned but for those of these bits (`b5=0` is FD_CLOSE without an error)."""
    return [written.get(f"b{bit}", POISON) for bit in range(10)]


def recorded(*, fails: bool = True) -> Story:
    """FD_CLOSE has been in the record for a while; a call with a handle that is no socket has failed."""
    story = Story(SERVICE_PROVIDER)
    story.iut.event_select("FD_READ", "FD_CLOSE")
    released(story)
    story.settle(100)
    if fails:
        story.iut.call("enum_events", socket=-1, error="WSAENOTSOCK")
    return story


def reads(story: Story, *told: str, before: bool = True, after: bool = False, **written: Any) -> Story:
    pairs = [(type, "") for type in told]
    story.iut.enum_events(*pairs, slots=slots(**written), signalled=(before, after))
    return story


def test_the_record_as_it_should_be() -> None:
    story = reads(recorded(), "FD_CLOSE", b5=0)
    assert story.conclusions("IND-FDC-13") == NOTHING  # the second record is still to come
    reads(story, before=False)
    assert story.conclusions("IND-FDC-13") == SATISFIED


def test_an_error_in_its_slot() -> None:
    story = reads(reads(recorded(), "FD_CLOSE", b5=RESET), before=False)
    assert story.conclusions("IND-FDC-13") == SATISFIED


@pytest.mark.parametrize(
    ("told", "written"),
    [
        (("FD_CLOSE",), {"b5": 0, "b0": 0}),
        (("FD_CLOSE",), {"b5": 0, "b9": 0}),
        (("FD_CLOSE",), {}),
        (("FD_READ", "FD_CLOSE"), {"b5": 0}),
        ((), {"b5": 0}),
    ],
)
def test_a_slot_that_is_wrong(told: tuple[str, ...], written: dict[str, Any]) -> None:
    assert reads(recorded(fails=False), *told, **written).conclusions("IND-FDC-13") == VIOLATED


def test_a_record_that_is_not_cleared() -> None:
    story = reads(reads(recorded(), "FD_CLOSE", b5=0), "FD_CLOSE", before=False, b5=0)
    assert story.conclusions("IND-FDC-13") == VIOLATED


def test_what_a_call_has_enabled_again_may_come_again() -> None:
    story = reads(recorded(fails=False), "FD_READ", b0=0)
    story.iut.recv(1)
    reads(story, "FD_READ", b0=0)
    assert story.conclusions("IND-FDC-13") == NOTHING


def test_an_event_object_that_is_not_reset() -> None:
    story = reads(reads(recorded(), "FD_CLOSE", b5=0, after=True))
    assert story.conclusions("IND-FDC-13") == VIOLATED


def test_an_event_object_that_another_event_has_set_again() -> None:
    story = reads(reads(recorded(fails=False), "FD_READ", b0=0, after=True), "FD_CLOSE", b5=0)
    assert story.conclusions("IND-FDC-13") == NOTHING


def test_an_event_object_that_was_never_set() -> None:
    story = reads(reads(recorded(), "FD_CLOSE", before=False, b5=0), before=False)
    assert story.conclusions("IND-FDC-13") == VIOLATED


def test_a_failing_call_that_takes_the_record() -> None:
    assert reads(recorded(), before=False).conclusions("IND-FDC-13") == VIOLATED


def test_a_failing_call_that_resets_the_event_object() -> None:
    assert reads(recorded(), "FD_CLOSE", before=False, b5=0).conclusions("IND-FDC-13") == VIOLATED


def test_a_failing_call_before_the_event_was_due_takes_nothing() -> None:
    story = Story(SERVICE_PROVIDER)
    story.iut.event_select("FD_CLOSE")
    released(story)
    story.iut.call("enum_events", socket=-1, error="WSAENOTSOCK")
    reads(reads(story, before=False), "FD_CLOSE", b5=0)
    assert story.conclusions("IND-FDC-13") == NOTHING


def test_a_record_that_was_read_before_is_empty_for_whoever_reads_again() -> None:
    story = reads(recorded(fails=False), "FD_CLOSE", b5=0)
    story.iut.call("enum_events", socket=-1, error="WSAENOTSOCK")
    reads(story, before=False)
    assert story.conclusions("IND-FDC-13") == NOTHING


@pytest.mark.parametrize("left_out", ["slots", "signalled"])
def test_what_the_agent_does_not_tell(left_out: str) -> None:
    story = recorded()
    told: dict[str, Any] = {"slots": slots(b5=0), "signalled": (True, False)}
    del told[left_out]
    story.iut.enum_events(("FD_CLOSE", ""), **told)
    story.iut.enum_events()
    assert story.conclusions("IND-FDC-13") == UNDETERMINED


def test_without_the_failing_call_it_is_not_shown_whole() -> None:
    story = reads(reads(recorded(fails=False), "FD_CLOSE", b5=0), before=False)
    assert story.conclusions("IND-FDC-13") == NOTHING


def test_a_record_that_could_not_be_read_is_none() -> None:
    story = recorded()
    story.iut.enum_events(error="WSAENETDOWN")
    assert story.conclusions("IND-FDC-13") == NOTHING


def test_another_call_that_fails_takes_nothing_from_the_record() -> None:
    story = recorded(fails=False)
    story.iut.recv(error="WSAEWOULDBLOCK")
    reads(story, before=False)
    assert story.conclusions("IND-FDC-13") == NOTHING


@pytest.mark.parametrize("told", ["FD_READ", "FD_CLOSE"])
def test_an_event_object_of_which_nothing_is_told(told: str) -> None:
    story = recorded(fails=told == "FD_CLOSE")
    story.iut.enum_events((told, ""))
    story.iut.enum_events()
    assert story.conclusions("IND-FDC-13") == (UNDETERMINED if told == "FD_CLOSE" else NOTHING)


def test_a_record_at_the_instant_of_the_failing_calls_return() -> None:
    assert reads(at_once(recorded()), before=False).conclusions("IND-FDC-13") == VIOLATED


def test_a_call_that_failed_before_any_registration() -> None:
    story = Story(SERVICE_PROVIDER)
    story.iut.call("enum_events", socket=-1, error="WSAENOTSOCK")
    reads(story, before=False)
    assert story.conclusions("IND-FDC-13") == NOTHING


def test_messages_fill_no_record() -> None:
    story = asked()
    story.settle(100)
    story.iut.call("enum_events", socket=-1, error="WSAENOTSOCK")
    reads(story, before=False)
    assert story.conclusions("IND-FDC-13") == NOTHING


@pytest.mark.parametrize("early", [0, 1])
def test_the_record_has_held_it_for_the_settle_time(early: int) -> None:
    story = Story(SERVICE_PROVIDER)
    story.iut.event_select("FD_CLOSE")
    released(story)  # it ends with the acknowledgement of the end
    story.now += 29 * MS - early
    story.iut.call("enum_events", socket=-1, error="WSAENOTSOCK")
    reads(story, before=False)
    assert story.conclusions("IND-FDC-13") == (NOTHING if early else VIOLATED)


@pytest.mark.parametrize("what", ["replaced", "read"])
@pytest.mark.parametrize("together", [False, True])
def test_what_takes_the_record_while_the_call_fails(what: str, together: bool) -> None:
    story = recorded(fails=False)
    call = story.iut.begin("enum_events", socket=-1)
    if together:
        at_once(story)
    if what == "replaced":
        story.iut.event_select("FD_CLOSE")
    else:
        reads(story, "FD_CLOSE", b5=0)
    story.iut.finish(call, error="WSAENOTSOCK")
    reads(story, before=False)
    assert story.conclusions("IND-FDC-13") == NOTHING


def test_a_record_of_before_the_end_was_rightly_empty() -> None:
    story = Story(SERVICE_PROVIDER)
    story.iut.event_select("FD_READ", "FD_CLOSE")
    reads(story, before=False)
    released(story).settle(100)
    story.iut.call("enum_events", socket=-1, error="WSAENOTSOCK")
    reads(reads(story, "FD_CLOSE", b5=0), before=False)
    assert story.conclusions("IND-FDC-13") == SATISFIED


def test_an_event_object_that_another_event_has_set_again_shows_nothing_of_the_reset() -> None:
    story = reads(reads(recorded(), "FD_CLOSE", b5=0, after=True), "FD_READ", b0=0)
    assert story.conclusions("IND-FDC-13") == NOTHING


def test_the_record_of_another_handle_is_not_the_next_one() -> None:
    story = recorded()
    story.iut.call("duplicate", result={"socket": 4})
    reads(story, "FD_CLOSE", b5=0)
    story.iut.enum_events(("FD_CLOSE", ""), socket=4)
    assert story.conclusions("IND-FDC-13") == NOTHING


def test_what_is_replaced_at_the_instant_of_the_failing_calls_return() -> None:
    story = recorded()
    at_once(story).iut.event_select("FD_CLOSE")
    reads(story, before=False)
    assert story.conclusions("IND-FDC-13") == NOTHING


def test_what_is_read_at_the_instant_of_the_failing_calls_return() -> None:
    story = reads(reads(at_once(recorded()), "FD_CLOSE", b5=0), before=False)
    assert story.conclusions("IND-FDC-13") == SATISFIED


@pytest.mark.parametrize("together", [False, True])
def test_a_call_that_fails_while_the_record_is_read_shows_nothing_of_it(together: bool) -> None:
    story = recorded(fails=False)
    call = story.iut.begin("enum_events", socket=-1)
    if together:
        at_once(story)
    record = story.iut.begin("enum_events")
    at_once(story)
    story.iut.finish(call, error="WSAENOTSOCK")
    story.iut.finish(record, events=[{"type": "FD_CLOSE"}], slots=slots(b5=0), signalled=[True, False])
    reads(story, before=False)
    assert story.conclusions("IND-FDC-13") == (NOTHING if together else SATISFIED)
