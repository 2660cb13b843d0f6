# SPDX-License-Identifier: MIT
"""The judges of how a service provider tells of network events: the form of the message, and of the record."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.oracle.findings import Conclusion
from conformance.oracle.upcalls import POISON
from tests.oracle.story import PEER, REFERENCE, SERVICE_PROVIDER, Story

SATISFIED, VIOLATED, UNDETERMINED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}, {Conclusion.UNDETERMINED}
NOTHING = set[Conclusion]()
READ, CLOSE = 1, 32
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


@pytest.mark.parametrize(("high", "expected"), [(0, SATISFIED), (RESET, SATISFIED), (54, VIOLATED), (9999, VIOLATED)])
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
