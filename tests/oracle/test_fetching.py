# SPDX-License-Identifier: MIT
"""The edges of the judges of RecvDisconnect: what came first, how long, with how much room, and who was at fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from conformance.catalogue.statement import Limits, Statement
from conformance.oracle.findings import Conclusion
from conformance.trace.events import End, Pdu
from tests.oracle.story import IUT, PEER, REFERENCE, REFERENCE_STREAM, Story, reference

SATISFIED, VIOLATED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}
NOTHING: set[Conclusion] = set()
TOTAL = b"the total"
NO_DATA = reference("MESSAGE_ORIENTED", service_flags=("GUARANTEED_DELIVERY", "GRACEFUL_CLOSE", "MESSAGE_ORIENTED"))
WIRED = pytest.mark.parametrize("wire", [True, False], ids=["link", "no-link"])
Change = Callable[[Story], object]


def ended(*, wire: bool = True, noticed: bool = True) -> Story:
    """The peer said goodbye with data, and the IUT was told."""
    story = Story(REFERENCE, wire=wire)
    says_goodbye(story)
    if noticed:
        story.iut.recv(error="WSAEDISCON")
    return story


def says_goodbye(story: Story, data: bytes = TOTAL) -> None:
    story.peer.send_disconnect(data)
    if story.header.wire:
        story.pdu(PEER, "RELEASE", data)


def aborted(data: bytes = TOTAL, *, noticed: bool = True) -> Story:
    story = Story(REFERENCE)
    story.pdu(PEER, "ABORT", data, reason=0)
    if noticed:
        story.iut.recv(error="WSAECONNRESET")
    return story


# --- DD-RECV-02 -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rooms", "expected"),
    [((9,), SATISFIED), ((8,), NOTHING), ((None,), NOTHING), ((8, 9), SATISFIED), ((None, 10), SATISFIED)],
)
def test_the_first_fetch_with_room_for_the_aborts_data_counts(
    rooms: tuple[int | None, ...], expected: set[Conclusion]
) -> None:
    story = aborted()
    for room in rooms:
        enough = room is not None and room >= len(TOTAL)
        story.iut.recv_disconnect(TOTAL if enough else b"", room=room, error="" if enough else "WSAEFAULT")
    assert story.conclusions("DD-RECV-02") == expected


@pytest.mark.parametrize(("room", "expected"), [(1, VIOLATED), (0, NOTHING), (None, NOTHING)])
def test_one_octet_of_an_abort_needs_room_for_one(room: int | None, expected: set[Conclusion]) -> None:
    story = aborted(b"x")
    story.iut.recv_disconnect(b"", room=room)
    assert story.conclusions("DD-RECV-02") == expected


def test_a_second_fetch_after_an_abort_is_not_asked() -> None:
    story = aborted()
    story.iut.recv_disconnect(TOTAL)
    story.iut.recv_disconnect(b"other")
    (finding,) = story.judge("DD-RECV-02")
    assert {finding.outcome} == SATISFIED
    assert "as they were given" in finding.because
    assert {event.n for event in story.trace().events if isinstance(event, Pdu)} <= set(finding.events)


def test_before_the_notice_of_an_abort_its_data_may_not_be_there() -> None:
    story = aborted(noticed=False)
    story.iut.recv_disconnect(b"")
    assert story.conclusions("DD-RECV-02") == NOTHING
    story.iut.recv(error="WSAECONNRESET")
    assert story.conclusions("DD-RECV-02") == NOTHING
    story = aborted(noticed=False)
    story.iut.recv_disconnect(error="WSAENOTCONN")
    story.iut.recv(error="WSAECONNRESET")
    story.iut.recv_disconnect(b"other")
    assert story.conclusions("DD-RECV-02") == VIOLATED


def test_another_error_is_no_notice_of_an_abort() -> None:
    story = aborted(noticed=False)
    story.iut.recv(error="WSAETIMEDOUT")
    story.iut.recv_disconnect(b"other")
    assert story.conclusions("DD-RECV-02") == NOTHING


@pytest.mark.parametrize("name", ["no-data", "cut-record", "after-a-release", "release"])
def test_where_no_abort_brought_data_that_is_known(name: str) -> None:
    """A record may hold only the first octets of long data: what is not known is not compared."""
    story = Story(REFERENCE)
    match name:
        case "no-data":
            story = aborted(b"")
        case "cut-record":
            story = aborted()
            (place,) = (n for n, event in enumerate(story.events) if isinstance(event, Pdu))
            story.events[place] = msgspec.structs.replace(story.events[place], length=20)
        case "after-a-release":
            says_goodbye(story)
            story.pdu(PEER, "ABORT", b"more", reason=0)
            story.iut.recv(error="WSAECONNRESET")
        case "release":
            says_goodbye(story)
            story.iut.recv(error="WSAEDISCON")
    story.iut.recv_disconnect(b"other")
    assert story.conclusions("DD-RECV-02") == NOTHING


# --- DD-RECV-03 -------------------------------------------------------------------------------------------------------


@WIRED
@pytest.mark.parametrize(("takes", "expected"), [(1000, SATISFIED), (1001, VIOLATED)])
def test_too_early_it_has_the_prompt_time(wire: bool, takes: int, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE, wire=wire)
    story.iut.recv_disconnect(b"", takes=takes)
    assert story.conclusions("DD-RECV-03") == expected


def test_too_early_and_not_back_in_its_time() -> None:
    story = Story(REFERENCE)
    story.iut.recv_disconnect(b"", timeout=True, takes=900)
    assert story.conclusions("DD-RECV-03") == VIOLATED


@pytest.mark.parametrize("change", ["noticed", "stopped", "first-was-noticed", "not-known"])
def test_what_is_not_too_early(change: str) -> None:
    story = Story(REFERENCE, lost=change == "not-known")
    match change:
        case "noticed":
            story.iut.enum_events(("FD_CLOSE", "WSAECONNRESET"))
        case "stopped":
            story.iut.shutdown("receive")
        case "first-was-noticed":
            story.iut.recv(error="WSAEDISCON")
            story.iut.recv_disconnect(b"")
    story.iut.recv_disconnect(b"invented", takes=1500)
    assert story.conclusions("DD-RECV-03") == NOTHING


@pytest.mark.parametrize(("returned_before", "expected"), [(True, VIOLATED), (False, NOTHING)])
def test_an_end_that_comes_while_it_looks_is_not_too_early(returned_before: bool, expected: set[Conclusion]) -> None:
    """A clock may show no time between the end and the return: then the data may be the end's."""
    story = Story(REFERENCE)
    call = story.iut.begin("recv_disconnect", length=4096)
    if returned_before:
        story.iut.finish(call, length=9, data="dGhlIHRvdGFs")
        says_goodbye(story)
    else:
        story.peer.send_disconnect(TOTAL)
        story.pdu(PEER, "RELEASE", TOTAL, acked=False)
        story.wait(-1)
        story.iut.finish(call, length=9, data="dGhlIHRvdGFs")
    assert story.conclusions("DD-RECV-03") == expected


@pytest.mark.parametrize(
    ("data", "again", "words"),
    [
        (TOTAL, "WSAENOTCONN", "; once the end had come, RecvDisconnect with room for 4096: recv_disconnect failed"),
        (TOTAL, "", "; once the end had come, the IUT fetched none of the 9"),
        (b"", "", "returned 0 octets"),
        (TOTAL, None, "returned 0 octets"),
    ],
)
def test_what_became_of_data_that_came_later(data: bytes, again: str | None, words: str) -> None:
    story = Story(REFERENCE, wire=False)
    story.iut.recv_disconnect(b"")
    says_goodbye(story, data)
    if again is not None:
        story.iut.recv_disconnect(b"", error=again)
    (finding,) = story.judge("DD-RECV-03")
    assert {finding.outcome} == SATISFIED
    assert words in finding.because
    assert ("once the end had come" in finding.because) == ("once the end had come" in words)


def test_of_several_later_fetches_the_last_tells_whether_the_data_was_kept() -> None:
    story = Story(REFERENCE, wire=False)
    story.iut.recv_disconnect(b"")
    story.iut.recv_disconnect(error="WSAENOTCONN")
    says_goodbye(story)
    story.iut.recv_disconnect(error="WSAEINVAL")
    story.iut.recv_disconnect(TOTAL)
    (finding,) = story.judge("DD-RECV-03")
    assert "the IUT fetched all 9 octets" in finding.because


# --- DD-RECV-04 -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (lambda s: s.iut.recv_disconnect(error="WSAENOTCONN"), VIOLATED),
        (lambda s: s.iut.recv_disconnect(error="WSAEFAULT", room=None), VIOLATED),
        (lambda s: s.iut.recv_disconnect(TOTAL), NOTHING),
        (lambda s: s.iut.shutdown("receive"), NOTHING),
        (lambda s: s.iut.enum_events(("FD_CLOSE", "WSAECONNRESET")), NOTHING),
        (lambda s: s.pdu(PEER, "ABORT", reason=0), NOTHING),
        (lambda s: s.iut.recv_disconnect(error="WSAEFAULT", room=8), SATISFIED),
        (lambda s: s.iut.recv_disconnect(error="WSAEINVAL", room=8), VIOLATED),
    ],
    ids=["failed", "null", "fetched", "stopped", "error", "reset", "fault", "other-fault"],
)
def test_what_comes_before_a_fetch_with_little_room(before: Change, expected: set[Conclusion]) -> None:
    """The first with too little room counts, unless the data was gone, or something else than the room decided."""
    story = ended()
    before(story)
    story.iut.recv_disconnect(b"", room=8)
    assert story.conclusions("DD-RECV-04") == expected


@WIRED
def test_little_room_before_the_end_was_told_of_shows_nothing(wire: bool) -> None:
    story = ended(wire=wire, noticed=False)
    story.iut.recv_disconnect(error="WSAEINVAL", room=8)
    assert story.conclusions("DD-RECV-04") == NOTHING
    story.iut.recv(error="WSAEDISCON")
    story.iut.recv_disconnect(error="WSAEFAULT", room=8)
    assert story.conclusions("DD-RECV-04") == SATISFIED


def test_little_room_for_what_has_not_come_yet() -> None:
    """The IUT told of an end that was not there: there is no data either."""
    story = Story(REFERENCE)
    story.iut.recv(error="WSAEDISCON")
    story.iut.recv_disconnect(error="WSAEINVAL", room=8)
    says_goodbye(story)
    assert story.conclusions("DD-RECV-04") == NOTHING


@pytest.mark.parametrize(
    ("claimed", "requirement"), [(REFERENCE, "DD-RECV-04"), (NO_DATA, "DD-RECV-05")], ids=["data", "no-data"]
)
@pytest.mark.parametrize(("earlier_ms", "expected"), [(1, VIOLATED), (2, NOTHING)])
def test_a_clock_may_show_no_time_between_the_end_and_the_fetch(
    claimed: Statement, requirement: str, earlier_ms: int, expected: set[Conclusion]
) -> None:
    story = Story(claimed)
    story.peer.send_disconnect(TOTAL)
    story.pdu(PEER, "RELEASE", TOTAL, acked=False)
    story.wait(-earlier_ms)
    story.iut.indicates("END")
    story.wait(-1)
    story.iut.recv_disconnect(error="WSAEINVAL", room=8)
    assert story.conclusions(requirement) == expected


@pytest.mark.parametrize(("limit", "expected"), [(9, VIOLATED), (8, NOTHING)])
def test_little_room_for_more_than_can_be_sent(limit: int, expected: set[Conclusion]) -> None:
    story = Story(msgspec.structs.replace(REFERENCE, limits=Limits(disconnect_data_max=limit)))
    says_goodbye(story)
    story.iut.recv(error="WSAEDISCON")
    story.iut.recv_disconnect(b"", room=1)
    assert story.conclusions("DD-RECV-04") == expected


@pytest.mark.parametrize(
    ("rooms", "error", "words"),
    [
        ((9,), "WSAENOTCONN", "; then RecvDisconnect with room for 9: recv_disconnect failed with WSAENOTCONN"),
        ((8, 9), "", "; with room enough, the next returned all 9"),
        ((None, 10), "", "; with room enough, the next returned all 9"),
        ((8,), "", ""),
        ((None,), "", ""),
    ],
)
def test_whether_the_data_stays_is_told_by_the_next_with_room(
    rooms: tuple[int | None, ...], error: str, words: str
) -> None:
    story = ended()
    story.iut.recv_disconnect(error="WSAEFAULT", room=8)
    for room in rooms:
        enough = room is not None and room >= len(TOTAL)
        story.iut.recv_disconnect(TOTAL, room=room, error=error if enough else "WSAEFAULT")
    (finding,) = story.judge("DD-RECV-04")
    assert {finding.outcome} == SATISFIED
    assert words in finding.because if words else ";" not in finding.because


# --- DD-RECV-05 -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (lambda s: None, NOTHING),
        (lambda s: s.peer.shutdown("send"), NOTHING),
        (lambda s: s.iut.recv(error="WSAEDISCON"), NOTHING),
        (lambda s: (s.peer.shutdown("send"), s.iut.recv(error="WSAEDISCON")), VIOLATED),
        (lambda s: (s.peer.shutdown("send"), s.iut.recv(error="WSAECONNRESET")), NOTHING),
        (
            lambda s: (
                s.peer.shutdown("send"),
                s.iut.enum_events(("FD_CLOSE", "WSAECONNRESET")),
                s.iut.recv(error="WSAEDISCON"),
            ),
            NOTHING,
        ),
    ],
    ids=["no-end", "not-told", "told-of-no-end", "told", "error", "error-and-end"],
)
def test_without_disconnect_data_the_end_is_to_be_known(before: Change, expected: set[Conclusion]) -> None:
    story = Story(NO_DATA, wire=False)
    before(story)
    story.iut.recv_disconnect(error="WSAEINVAL")
    assert story.conclusions("DD-RECV-05") == expected


def test_without_disconnect_data_an_abort_is_another_matter() -> None:
    story = Story(NO_DATA)
    story.pdu(PEER, "ABORT", reason=0)
    story.iut.recv(error="WSAEDISCON")
    story.iut.recv_disconnect(error="WSAEINVAL")
    assert story.conclusions("DD-RECV-05") == NOTHING


@pytest.mark.parametrize("noticed_first", [True, False])
def test_without_disconnect_data_each_fetch_after_the_end_is_asked(noticed_first: bool) -> None:
    story = Story(NO_DATA, wire=False)
    story.peer.shutdown("send")
    if noticed_first:
        story.iut.recv(error="WSAEDISCON")
    story.iut.recv_disconnect(error="WSAENOPROTOOPT", room=None)
    if not noticed_first:
        story.iut.recv(error="WSAEDISCON")
    story.iut.recv_disconnect(b"x")
    assert story.conclusions("DD-RECV-05") == (SATISFIED | VIOLATED if noticed_first else VIOLATED)


# --- DD-RECV-06 -------------------------------------------------------------------------------------------------------


def fetched(*, wire: bool = True) -> Story:
    story = ended(wire=wire)
    story.iut.recv_disconnect(TOTAL)
    return story


def test_receiving_and_sending_are_both_needed() -> None:
    story = fetched()
    story.iut.recv(error="WSAESHUTDOWN")
    assert story.conclusions("DD-RECV-06") == NOTHING
    story.iut.send(5)
    assert story.conclusions("DD-RECV-06") == SATISFIED
    story = fetched()
    story.iut.send(5)
    assert story.conclusions("DD-RECV-06") == NOTHING


@pytest.mark.parametrize("goodbye", ["shutdown", "send_disconnect", "close"])
def test_a_goodbye_is_a_sending_call_and_a_close_is_none(goodbye: str) -> None:
    story = fetched()
    story.iut.recv(error="WSAESHUTDOWN")
    story.iut.call(goodbye, how="send")
    assert story.conclusions("DD-RECV-06") == (NOTHING if goodbye == "close" else SATISFIED)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (lambda s: s.iut.recv_disconnect(error="WSAENOTCONN"), VIOLATED),
        (lambda s: s.iut.shutdown("receive"), NOTHING),
        (lambda s: s.iut.shutdown("send"), VIOLATED),
    ],
    ids=["failed-first", "stopped", "ended"],
)
def test_what_comes_before_the_fetch_that_ends_receiving(before: Change, expected: set[Conclusion]) -> None:
    story = ended()
    before(story)
    story.iut.recv_disconnect(TOTAL)
    story.iut.recv(error="WSAEDISCON")
    assert story.conclusions("DD-RECV-06") == expected


def test_after_the_own_end_sending_shows_nothing() -> None:
    story = ended()
    story.iut.shutdown("send")
    story.pdu(IUT, "RELEASE")
    story.iut.recv_disconnect(TOTAL)
    story.iut.recv(error="WSAESHUTDOWN")
    story.iut.send(5, error="WSAESHUTDOWN")
    assert story.conclusions("DD-RECV-06") == NOTHING


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda s: s.iut.send(5, error="WSAEWOULDBLOCK"), NOTHING),
        (lambda s: s.iut.send(5, timeout=True), NOTHING),
        (lambda s: s.iut.send(5, error="WSAESHUTDOWN"), VIOLATED),
        (lambda s: (s.iut.send(5), s.iut.send(5, error="WSAENOTCONN")), VIOLATED),
        (lambda s: (s.iut.shutdown("send"), s.iut.send(5, error="WSAESHUTDOWN")), SATISFIED),
        (lambda s: (s.iut.shutdown("send"), s.iut.shutdown("send", error="WSAENOTCONN")), SATISFIED),
        (lambda s: s.iut.shutdown("send", error="WSAENOTCONN"), VIOLATED),
        (lambda s: (s.peer.shutdown("receive"), s.iut.send(5)), NOTHING),
        (lambda s: (s.iut.send(5), s.peer.shutdown("receive"), s.iut.send(5, error="WSAENOTCONN")), SATISFIED),
        (lambda s: (s.peer.close(), s.iut.send(5, error="WSAENOTCONN")), NOTHING),
        (lambda s: (s.iut.send(5, error="WSAENOTCONN"), s.peer.close()), VIOLATED),
        (lambda s: s.iut.send_disconnect(b"x" * 10, error="WSAEMSGSIZE"), NOTHING),
        (lambda s: s.iut.send_disconnect(b"x" * 9, error="WSAEMSGSIZE"), VIOLATED),
        (lambda s: s.iut.send_disconnect(None, error="WSAENOTCONN"), VIOLATED),
    ],
    ids=[
        *("would-wait", "waited", "refused", "second-refused", "after-its-goodbye", "second-goodbye", "goodbye"),
        *("peer-stopped", "peer-stopped-later", "peer-gone", "peer-gone-later"),
        *("too-much", "not-too-much", "no-data"),
    ],
)
@WIRED
def test_whose_doing_a_refusal_is(wire: bool, change: Change, expected: set[Conclusion]) -> None:
    story = Story(msgspec.structs.replace(REFERENCE, limits=Limits(disconnect_data_max=9)), wire=wire)
    says_goodbye(story)
    story.iut.recv(error="WSAEDISCON")
    story.iut.recv_disconnect(TOTAL)
    story.iut.recv(error="WSAESHUTDOWN")
    change(story)
    assert story.conclusions("DD-RECV-06") == expected


@pytest.mark.parametrize("end", [IUT, PEER])
@pytest.mark.parametrize(("first", "expected"), [(True, NOTHING), (False, VIOLATED)])
def test_a_reset_explains_a_refusal_that_comes_after_it(end: End, first: bool, expected: set[Conclusion]) -> None:
    story = fetched()
    story.iut.recv(error="WSAESHUTDOWN")
    if first:
        story.pdu(end, "ABORT", reason=0)
    story.iut.send(5, error="WSAECONNRESET")
    if not first:
        story.pdu(end, "ABORT", reason=0)
    assert story.conclusions("DD-RECV-06") == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda s: s.iut.recv(error="WSAEDISCON"), VIOLATED),
        (lambda s: (s.iut.recv(error="WSAESHUTDOWN"), s.iut.recv(error="WSAEDISCON")), SATISFIED),
        (lambda s: (s.iut.completes("early", error="WSAECANCELLED"), s.iut.recv(error="WSAEDISCON")), VIOLATED),
        (lambda s: (s.iut.completes("early", error="WSAEDISCON"), s.iut.recv(error="WSAESHUTDOWN")), SATISFIED),
        (lambda s: (s.iut.post("late"), s.iut.completes("late", error="WSAEDISCON")), VIOLATED),
        (
            lambda s: (
                s.iut.post("late"),
                s.iut.completes("late", error="WSA_OPERATION_ABORTED"),
                s.iut.recv(error="WSAESHUTDOWN"),
            ),
            SATISFIED,
        ),
        (lambda s: (s.pdu(PEER, "ABORT", reason=0), s.iut.recv(error="WSAECONNRESET")), NOTHING),
        (lambda s: (s.pdu(IUT, "ABORT", reason=0), s.iut.recv(error="WSAECONNRESET")), NOTHING),
    ],
    ids=["recv", "first", "woken", "asked-before", "posted", "cancelled", "reset", "own-reset"],
)
def test_which_receive_tells_that_receiving_ended(change: Change, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE)
    story.iut.post("early")
    says_goodbye(story)
    story.iut.enum_events(("FD_CLOSE", ""))
    story.iut.recv_disconnect(TOTAL)
    story.iut.send(5)
    change(story)
    assert story.conclusions("DD-RECV-06") == expected


def test_a_receive_that_the_own_close_ended_tells_nothing() -> None:
    story = fetched()
    story.iut.send(5)
    story.iut.post("r1")
    story.iut.close()
    story.iut.completes("r1", error="WSAEDISCON")
    assert story.conclusions("DD-RECV-06") == NOTHING


def test_a_clock_may_show_no_time_between_the_fetch_and_the_next_calls() -> None:
    story = fetched()
    story.wait(-1)
    story.iut.recv(error="WSAESHUTDOWN")
    story.iut.send(5)
    assert story.conclusions("DD-RECV-06") == SATISFIED
    story = fetched()
    story.wait(-1)
    story.iut.send(5, error="WSAENOTCONN")
    assert story.conclusions("DD-RECV-06") == VIOLATED


def at_the_instant(story: Story, op: str, *, end: str, **arguments: Any) -> int:
    """A call of that end is entered at the time of the last event."""
    story.wait(-1)
    return (story.iut if end == "iut" else story.peer).begin(op, **arguments)


def test_a_goodbye_at_the_instant_of_the_fetchs_return_comes_after_it() -> None:
    story = fetched()
    story.iut.finish(at_the_instant(story, "shutdown", end="iut", how="send"))
    story.iut.recv(error="WSAESHUTDOWN")
    assert story.conclusions("DD-RECV-06") == SATISFIED


def test_a_send_at_the_instant_of_the_goodbye_shows_nothing() -> None:
    story = fetched()
    story.iut.recv(error="WSAESHUTDOWN")
    ending = story.iut.begin("shutdown", how="send")
    sending = at_the_instant(story, "send", end="iut", pattern={"seed": 0, "length": 5})
    story.iut.finish(sending, error="WSAESHUTDOWN")
    story.iut.finish(ending)
    assert story.conclusions("DD-RECV-06") == SATISFIED


@pytest.mark.parametrize("by", ["shutdown", "close"])
@pytest.mark.parametrize(("earlier_ms", "expected"), [(1, NOTHING), (0, VIOLATED)])
def test_a_peer_that_stops_at_the_instant_of_the_refusal_explains_it(
    by: str, earlier_ms: int, expected: set[Conclusion]
) -> None:
    story = fetched()
    story.iut.recv(error="WSAESHUTDOWN")
    story.iut.send(5, error="WSAECONNRESET")
    story.wait(-earlier_ms)
    story.peer.call(by, how="receive")
    assert story.conclusions("DD-RECV-06") == expected


@pytest.mark.parametrize(("earlier_ms", "expected"), [(1, NOTHING), (0, VIOLATED)])
@pytest.mark.parametrize("call", ["send", "recv"])
def test_a_reset_at_the_instant_of_the_answer_explains_it(
    call: str, earlier_ms: int, expected: set[Conclusion]
) -> None:
    story = fetched()
    if call == "send":
        story.iut.recv(error="WSAESHUTDOWN")
    story.iut.call(call, pattern={"seed": 0, "length": 5}, error="WSAECONNRESET")
    story.wait(-earlier_ms)
    story.pdu(PEER, "ABORT", reason=0, acked=False)
    assert story.conclusions("DD-RECV-06") == expected


def test_a_receive_that_ends_at_the_instant_of_the_own_close_tells_nothing() -> None:
    story = fetched()
    story.iut.send(5)
    story.iut.post("r1")
    closing = story.iut.begin("close")
    story.wait(-1)
    story.iut.completes("r1", error="WSAEDISCON")
    story.iut.finish(closing)
    assert story.conclusions("DD-RECV-06") == NOTHING


def test_without_a_link_too_an_abort_explains_what_fails() -> None:
    story = Story(REFERENCE, wire=False)
    story.iut.recv_disconnect(b"")
    story.peer.linger(0)
    story.peer.close()
    story.iut.recv(error="WSAECONNRESET")
    assert story.conclusions("DD-RECV-06") == NOTHING


def test_the_finding_shows_each_call_that_it_rests_on() -> None:
    story = fetched()
    story.iut.recv(error="WSAESHUTDOWN")
    story.iut.send(5)
    story.iut.shutdown("send")
    (finding,) = story.judge("DD-RECV-06")
    assert {event.n for event in story.trace().events[-6:]} <= set(finding.events)


# --- DD-RECV-07 -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "takes", "expected"),
    [
        (5, 999, SATISFIED),
        (5, 1000, VIOLATED),
        (1, 499, SATISFIED),
        (1, 500, VIOLATED),
        (0, 999, SATISFIED),
        (0, 1000, VIOLATED),
    ],
)
def test_it_takes_less_than_half_the_linger_time_and_the_prompt_time(
    seconds: int, takes: int, expected: set[Conclusion]
) -> None:
    story = Story(REFERENCE)
    story.iut.linger(seconds)
    story.iut.recv_disconnect(TOTAL, takes=takes)
    story.iut.close()
    assert story.conclusions("DD-RECV-07") == expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda s: s.iut.call("get_linger", result={"on": True, "seconds": 5}), SATISFIED),
        (lambda s: s.iut.send(5, error="WSAENOTCONN"), SATISFIED),
        (lambda s: s.iut.send(5, error="WSAENOTSOCK"), VIOLATED),
        (lambda s: s.iut.send(5, timeout=True), NOTHING),
        (lambda s: s.iut.recv(error="WSAENOTSOCK"), NOTHING),
        (lambda s: s.iut.close(socket=4), NOTHING),
        (lambda s: s.iut.close(error="WSAENOTSOCK"), VIOLATED),
        (lambda s: None, NOTHING),
        (lambda s: (s.iut.close(), s.iut.get_error()), SATISFIED),
        (lambda s: (s.iut.send(5, timeout=True), s.iut.close(error="WSAENOTSOCK")), VIOLATED),
    ],
    ids=[
        *("option", "other-error", "no-socket", "waits", "receive", "other-socket"),
        *("close-fails", "none", "first", "skips-what-waits"),
    ],
)
def test_the_first_call_after_it_tells_whether_the_socket_remains(call: Change, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE)
    story.iut.linger(5)
    story.iut.recv_disconnect(b"")
    call(story)
    assert story.conclusions("DD-RECV-07") == expected


@pytest.mark.parametrize("after", [True, False])
def test_a_call_that_was_made_before_it_returned_tells_nothing(after: bool) -> None:
    story = Story(REFERENCE)
    story.iut.linger(5)
    call = story.iut.begin("recv_disconnect", length=10)
    if not after:
        story.iut.call("names")
    story.iut.finish(call, length=0, data="")
    if after:
        story.wait(-1)
        story.iut.call("names")
    assert story.conclusions("DD-RECV-07") == (SATISFIED if after else NOTHING)


@pytest.mark.parametrize("how", ["off", "unanswered", "unsupported"])
def test_what_shows_nothing_of_lingering(how: str) -> None:
    story = Story(REFERENCE)
    story.iut.linger(5, on=how != "off")
    call = story.iut.begin("recv_disconnect", length=10)
    story.wait(5000)
    if how != "unanswered":
        story.iut.finish(call, unsupported="no such call" if how == "unsupported" else "")
    story.iut.call("names")
    assert story.conclusions("DD-RECV-07") == NOTHING


def test_each_call_is_asked_under_its_own_setting() -> None:
    story = Story(REFERENCE)
    story.iut.recv_disconnect(b"")
    story.iut.linger(5)
    story.iut.recv_disconnect(b"", error="WSAENOTCONN")
    story.iut.recv_disconnect(b"", takes=1500)
    story.iut.call("names")
    assert [finding.outcome for finding in story.judge("DD-RECV-07")] == [*SATISFIED, *VIOLATED]


# --- DD-RECV-08, DD-RECV-09 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "seconds", "expected"),
    [
        (TOTAL, [(None, b"")], NOTHING),
        (TOTAL, [(None, b""), (4096, b"other")], VIOLATED),
        (TOTAL, [(4096, b""), (4096, b"other")], SATISFIED),
        (TOTAL, [], NOTHING),
        (b"other", [(4096, b"other")], NOTHING),
        (b"", [(4096, TOTAL)], NOTHING),
    ],
    ids=["null", "after-null", "second-of-three", "none", "first-wrong", "first-empty"],
)
def test_which_is_the_second_fetch(
    first: bytes, seconds: list[tuple[int | None, bytes]], expected: set[Conclusion]
) -> None:
    story = ended()
    story.iut.recv_disconnect(first)
    for room, data in seconds:
        story.iut.recv_disconnect(data, room=room)
    assert story.conclusions("DD-RECV-08") == expected


def test_without_a_goodbye_there_is_no_second_fetch() -> None:
    story = Story(REFERENCE, wire=False)
    story.peer.shutdown("send")
    story.iut.recv(error="WSAEDISCON")
    story.iut.recv_disconnect(b"invented")
    story.iut.recv_disconnect(b"other")
    assert story.conclusions("DD-RECV-08") == NOTHING
    story = Story(REFERENCE, wire=False)
    says_goodbye(story)
    story.iut.recv_disconnect(TOTAL)
    story.iut.recv_disconnect(b"other")
    assert story.conclusions("DD-RECV-08") == NOTHING


def test_a_failure_before_the_first_is_no_fetch_of_two() -> None:
    story = Story(REFERENCE)
    story.iut.recv_disconnect(error="WSAENOTCONN")
    says_goodbye(story)
    story.iut.recv(error="WSAEDISCON")
    story.iut.recv_disconnect(TOTAL)
    assert story.conclusions("DD-RECV-08") == NOTHING


@pytest.mark.parametrize(
    ("room", "more", "outcome"),
    [
        (4096, {"len": 9}, Conclusion.SATISFIED),
        (4096, {"len": 4096}, Conclusion.SATISFIED),
        (4096, {"len": 8}, Conclusion.VIOLATED),
        (9, {"len": 9}, None),
        (None, {"len": 9}, None),
    ],
)
def test_the_length_that_the_structure_tells(
    room: int | None, more: dict[str, Any], outcome: Conclusion | None
) -> None:
    story = ended()
    call = story.iut.begin("recv_disconnect", **({} if room is None else {"length": room}))
    story.iut.finish(call, length=9, data="dGhlIHRvdGFs", **more)
    assert story.conclusions("DD-RECV-09") == (NOTHING if outcome is None else {outcome})


def test_the_length_is_told_by_the_first_fetch_that_can_tell_it() -> None:
    story = ended()
    story.iut.recv_disconnect(b"")
    story.iut.recv_disconnect(TOTAL, room=9)
    call = story.iut.begin("recv_disconnect", length=10)
    story.iut.finish(call, length=9, data="dGhlIHRvdGFs", sha256="0", guard=1, after=2)
    (finding,) = story.judge("DD-RECV-09")
    assert "of 9 octets in a buffer of 10, the call told 9, and after 2, guard 1" in finding.because


def test_on_a_stream_zero_bytes_are_notice_enough() -> None:
    story = Story(REFERENCE_STREAM)
    says_goodbye(story)
    story.iut.recv(0)
    story.iut.recv_disconnect(error="WSAEINVAL", room=8)
    assert story.conclusions("DD-RECV-04") == VIOLATED
