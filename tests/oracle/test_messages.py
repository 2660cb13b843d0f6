# SPDX-License-Identifier: MIT
"""The judges of message-oriented ends: whole messages, empty messages, and the end that follows them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from conformance.oracle.findings import Conclusion
from conformance.trace.events import Pdu
from conformance.trace.pattern import pattern
from tests.oracle.story import (
    PATIENCE,
    PEER,
    REFERENCE,
    REFERENCE_PSEUDO_STREAM,
    UNIX_SEQPACKET,
    UNIX_STREAM,
    Story,
    statement,
)

SATISFIED, VIOLATED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}
UNDETERMINED, NOTHING = {Conclusion.UNDETERMINED}, set[Conclusion]()
WINSOCK = statement("other", "MESSAGE_ORIENTED", family="winsock-api", platform="windows")
Change = Callable[[Story], object]


def sent(*lengths: int, story: Story | None = None, ends: bool = True) -> Story:
    """The peer has sent messages of these lengths, each a pattern of its own, and ended."""
    story = story or Story(UNIX_SEQPACKET)
    for seed, length in enumerate(lengths):
        story.peer.send(length, seed=seed)
    if ends:
        story.peer.shutdown("send")
    return story


def read(story: Story, *lengths: int) -> None:
    """The IUT has read the messages whole."""
    for seed, length in enumerate(lengths):
        story.iut.recv(length, seed=seed)


# --- IND-MSG-01, SEQ-01 -----------------------------------------------------------------------------------------------

ENDS = pytest.mark.parametrize("requirement", ["IND-MSG-01", "SEQ-01"])


@ENDS
@pytest.mark.parametrize("lengths", [(), (5,), (5, 0, 7), (0,)])
@pytest.mark.parametrize(("error", "expected"), [("", SATISFIED), ("ECONNRESET", VIOLATED), ("EDISCON", VIOLATED)])
def test_the_end_comes_after_the_messages(
    requirement: str, lengths: tuple[int, ...], error: str, expected: set[Conclusion]
) -> None:
    story = sent(*lengths)
    read(story, *lengths)
    story.iut.recv(error=error)
    assert story.conclusions(requirement) == expected


@pytest.mark.parametrize(
    ("error", "expected"), [("WSAEDISCON", SATISFIED), ("", VIOLATED), ("WSAECONNRESET", VIOLATED)]
)
def test_winsock_has_an_error_for_the_end(error: str, expected: set[Conclusion]) -> None:
    story = sent(5, story=Story(WINSOCK))
    read(story, 5)
    story.iut.recv(error=error)
    assert story.conclusions("IND-MSG-01") == expected
    assert story.conclusions("SEQ-01") == NOTHING


@ENDS
@pytest.mark.parametrize(("wait_ms", "expected"), [(998, NOTHING), (PATIENCE, VIOLATED)])
def test_an_end_that_is_never_told(requirement: str, wait_ms: int, expected: set[Conclusion]) -> None:
    story = sent(5)
    read(story, 5)
    story.iut.recv(timeout=True, takes=wait_ms, wait_ms=wait_ms)
    assert story.conclusions(requirement) == expected


@ENDS
def test_an_end_that_was_not_reached(requirement: str) -> None:
    story = sent(5, 0)
    read(story, 5, 0)
    assert story.conclusions(requirement) == NOTHING


@ENDS
def test_an_end_that_is_told_too_early(requirement: str) -> None:
    story = sent(5, ends=False)
    read(story, 5)
    story.iut.recv()
    assert story.conclusions(requirement) == VIOLATED
    story.peer.shutdown("send")
    assert story.conclusions(requirement) == VIOLATED


@ENDS
def test_an_empty_message_is_no_end_that_never_was(requirement: str) -> None:
    story = sent(0, ends=False)
    read(story, 0)
    assert story.conclusions(requirement) == NOTHING


@ENDS
def test_zero_bytes_after_an_error_that_another_call_took(requirement: str) -> None:
    story = Story(UNIX_SEQPACKET)
    story.iut.get_error("ECONNRESET")
    story.iut.recv()
    assert story.conclusions(requirement) == NOTHING


@ENDS
def test_a_goodbye_that_was_not_answered_may_have_been_said(requirement: str) -> None:
    story = Story(UNIX_SEQPACKET)
    story.peer.begin("close")
    story.iut.recv()
    assert story.conclusions(requirement) == NOTHING


@ENDS
def test_a_reset_after_the_end_is_another_matter(requirement: str) -> None:
    story = sent(story=Story(UNIX_SEQPACKET))
    story.iut.send(5)
    story.peer.close()
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions(requirement) == NOTHING


@ENDS
def test_a_close_with_something_unread_may_be_told_as_a_reset(requirement: str) -> None:
    story = Story(UNIX_SEQPACKET)
    story.iut.send(5)
    story.peer.close()
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions(requirement) == UNDETERMINED


@ENDS
def test_messages_that_were_lost_are_for_another_judge(requirement: str) -> None:
    story = sent(5)
    story.iut.recv(content=b"x")
    story.iut.recv()
    assert story.conclusions(requirement) == NOTHING


@ENDS
def test_streams_have_judges_of_their_own(requirement: str) -> None:
    story = sent(story=Story(UNIX_STREAM))
    story.iut.recv()
    assert story.conclusions(requirement) == NOTHING


@ENDS
def test_giving_up_receiving_makes_what_follows_pointless(requirement: str) -> None:
    story = sent(5)
    story.iut.shutdown("receive")
    story.iut.recv(error="ENOTCONN")
    assert story.conclusions(requirement) == NOTHING


@ENDS
@pytest.mark.parametrize(
    ("lengths", "room", "expected"),
    [((), 1, SATISFIED), ((), 0, NOTHING), ((), None, SATISFIED), ((1,), 1, SATISFIED), ((2,), 1, NOTHING)],
)
def test_a_receive_has_room_for_the_longest_message_and_for_one_octet(
    requirement: str, lengths: tuple[int, ...], room: int | None, expected: set[Conclusion]
) -> None:
    story = sent(*lengths)
    asked: dict[str, Any] = {} if room is None else {"length": room}
    for length in lengths:
        story.iut.call(
            "recv", **asked, result={"length": length, "data": base64.b64encode(pattern(0, length)).decode()}
        )
    story.iut.call("recv", **asked, result={"length": 0, "data": ""})
    assert story.conclusions(requirement) == expected


@ENDS
@pytest.mark.parametrize("lengths", [(), (0,)])
def test_a_receive_of_no_length_may_take_an_empty_message(requirement: str, lengths: tuple[int, ...]) -> None:
    story = sent(*lengths)
    story.iut.call("recv", length=0, result={"length": 0, "data": ""})
    story.iut.recv()
    story.iut.recv()
    assert story.conclusions(requirement) == NOTHING


# --- IND-MSG-02 -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lengths", [(0, 5), (5, 0, 7), (0, 0, 5, 0)])
@pytest.mark.parametrize("ends", [True, False])
def test_an_empty_message_is_followed_by_the_next(lengths: tuple[int, ...], ends: bool) -> None:
    story = sent(*lengths, ends=ends)
    read(story, *lengths)
    if ends:
        story.iut.recv()
    assert story.conclusions("IND-MSG-02") == SATISFIED


def test_an_empty_message_that_is_skipped() -> None:
    story = sent(5, 0, 7)
    story.iut.recv(5)
    story.iut.recv(7, seed=2)
    assert story.conclusions("IND-MSG-02") == VIOLATED


@pytest.mark.parametrize("error", ["", "EDISCON"])
def test_an_empty_message_that_ends_everything(error: str) -> None:
    story = sent(0, 5)
    story.iut.recv(error=error)
    story.iut.recv(error=error)
    assert story.conclusions("IND-MSG-02") == VIOLATED


def test_an_empty_message_that_is_told_as_winsocks_end() -> None:
    story = sent(0, 5, story=Story(WINSOCK))
    story.iut.recv(error="WSAEDISCON")
    assert story.conclusions("IND-MSG-02") == VIOLATED


@pytest.mark.parametrize("claimed", ["posix", "winsock"])
def test_an_empty_message_that_ends_everything_though_nobody_ended(claimed: str) -> None:
    story = sent(0, 5, story=Story(UNIX_SEQPACKET if claimed == "posix" else WINSOCK), ends=False)
    story.iut.recv()
    story.iut.recv(error="" if claimed == "posix" else "WSAEDISCON")
    assert story.conclusions("IND-MSG-02") == VIOLATED


def test_what_shows_that_the_messages_followed() -> None:
    story = sent(0, 5)
    read(story, 0, 5)
    story.iut.recv()
    (finding,) = story.judge("IND-MSG-02")
    assert {event.n for event in story.trace().events[-2:]} <= set(finding.events)


@pytest.mark.parametrize("lengths", [(5, 0), (5,), (0,), ()])
def test_without_a_message_after_an_empty_one_it_cannot_be_told_apart(lengths: tuple[int, ...]) -> None:
    story = sent(*lengths)
    read(story, *lengths)
    story.iut.recv()
    assert story.conclusions("IND-MSG-02") == NOTHING


@pytest.mark.parametrize("read_so_far", [(), (0,)])
def test_what_was_not_read_yet_is_not_lost(read_so_far: tuple[int, ...]) -> None:
    story = sent(0, 5)
    read(story, *read_so_far)
    assert story.conclusions("IND-MSG-02") == NOTHING


@pytest.mark.parametrize("ends", [True, False])
def test_an_abort_may_take_messages_with_it(ends: bool) -> None:
    """The peer closes with something unread: Linux tells that first."""
    story = sent(0, 5, ends=ends)
    story.iut.send(5)
    story.peer.close()
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("IND-MSG-02") == NOTHING


def test_an_error_that_nothing_explains_takes_messages_with_it() -> None:
    story = sent(0, 5)
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("IND-MSG-02") == VIOLATED


# --- IND-MSG-03 -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lengths", [(5,), (5, 7, 9), (0, 5), (5, 0), (0,)])
def test_whole_messages_come_before_the_end(lengths: tuple[int, ...]) -> None:
    story = sent(*lengths)
    read(story, *lengths)
    story.iut.recv()
    assert story.conclusions("IND-MSG-03") == SATISFIED


@pytest.mark.parametrize(
    "content",
    [pattern(0, 4), pattern(0, 5) + b"\x00", pattern(0, 5) + pattern(1, 7), b"other"],
    ids=["cut", "longer", "joined", "altered"],
)
def test_a_message_that_is_not_what_was_sent(content: bytes) -> None:
    story = sent(5, 7)
    story.iut.recv(content=content)
    story.iut.recv()
    assert story.conclusions("IND-MSG-03") == VIOLATED


def test_messages_out_of_order() -> None:
    story = sent(5, 7)
    story.iut.recv(7, seed=1)
    story.iut.recv(5)
    story.iut.recv()
    assert story.conclusions("IND-MSG-03") == VIOLATED


def test_a_message_that_is_lost() -> None:
    story = sent(5, 7)
    read(story, 5)
    story.iut.recv()
    assert story.conclusions("IND-MSG-03") == VIOLATED


def test_a_message_that_comes_in_parts() -> None:
    story = sent(5)
    story.iut.call("recv", length=65536, result={"length": 5, "data": "AAECAwQ=", "partial": True})
    assert story.conclusions("IND-MSG-03") == VIOLATED


def test_no_message_was_sent() -> None:
    story = sent()
    story.iut.recv()
    assert story.conclusions("IND-MSG-03") == NOTHING


@pytest.mark.parametrize(("read_before", "expected"), [((), UNDETERMINED), ((5,), SATISFIED)])
def test_a_reset_after_the_end_may_overtake_messages(read_before: tuple[int, ...], expected: set[Conclusion]) -> None:
    story = sent(5)
    read(story, *read_before)
    story.iut.send(5)
    story.peer.close()
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("IND-MSG-03") == expected


@pytest.mark.parametrize("length", [0, 3])
def test_a_receive_without_room_for_a_message_cuts_it_short(length: int) -> None:
    story = sent(5, 0, 7)
    story.iut.call("recv", length=length, result={"length": length, "data": "AAEC"[: length // 3 * 4]})
    story.iut.recv(0)
    story.iut.recv(7, seed=2)
    story.iut.recv()
    for requirement in ("IND-MSG-01", "IND-MSG-02", "IND-MSG-03", "SEQ-01"):
        assert story.conclusions(requirement) == NOTHING


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(3, True), (2, False)], SATISFIED),
        ([(5, False)], SATISFIED),
        ([(3, True)], VIOLATED),
        ([(3, False)], VIOLATED),
        ([(3, False), (2, False)], VIOLATED),
        ([(3, True), (2, True)], VIOLATED),
        ([(3, True), (1, False)], VIOLATED),
    ],
    ids=["parts", "whole", "rest-lost", "cut", "not-marked", "unfinished", "rest-cut"],
)
@pytest.mark.parametrize("wire", [True, False])
def test_a_message_that_is_taken_in_parts(wire: bool, parts: list[tuple[int, bool]], expected: set[Conclusion]) -> None:
    story, offset = Story(REFERENCE, wire=wire), 0
    story.peer.send(5)
    if wire:
        story.pdu(PEER, "DATA", pattern(0, 5))
    story.peer.shutdown("send")
    if wire:
        story.pdu(PEER, "RELEASE")
    for length, partial in parts:
        call = story.iut.begin("recv", length=3, flags=["PARTIAL"])
        content = base64.b64encode(pattern(0, length, offset)).decode()
        story.iut.finish(call, length=length, data=content, partial=partial)
        offset += length
    story.iut.recv(flags=["PARTIAL"])
    assert story.conclusions("IND-MSG-03") == expected
    assert story.conclusions("IND-MSG-01") == NOTHING


def test_a_short_peek_cuts_nothing_short() -> None:
    story = sent(5)
    story.iut.call("recv", length=1, flags=["PEEK"], result={"length": 1, "data": "AA=="})
    read(story, 5)
    story.iut.recv()
    assert story.conclusions("IND-MSG-03") == SATISFIED


def test_a_send_that_was_never_answered_may_have_sent_a_message() -> None:
    story = sent(5, ends=False)
    story.peer.begin("send", pattern={"seed": 1, "length": 7})
    story.peer.dies()
    read(story, 5, 7)
    story.iut.recv()
    assert story.conclusions("IND-MSG-03") == NOTHING


def test_posted_receives_may_be_told_in_any_order() -> None:
    story = Story(UNIX_SEQPACKET)
    for token in "abc":
        story.iut.call("post_recv", length=65536, result={"token": token})
    sent(5, 7, story=story)
    story.iut.completes("c")
    story.iut.completes("b", 5)
    story.iut.recv()  # the message of 7 is still to come
    assert story.conclusions("IND-MSG-03") == VIOLATED
    story = Story(UNIX_SEQPACKET)
    for token in "ab":
        story.iut.call("post_recv", length=65536, result={"token": token})
    sent(5, story=story)
    story.iut.completes("b")
    story.iut.completes("a", 5)
    story.iut.recv()
    for requirement in ("IND-MSG-01", "IND-MSG-03", "IND-MSG-04"):
        assert story.conclusions(requirement) == SATISFIED


# --- IND-MSG-04 -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("again", "expected"), [("", SATISFIED), ("ENOTCONN", VIOLATED), ("EWOULDBLOCK", VIOLATED)])
def test_the_end_stays(again: str, expected: set[Conclusion]) -> None:
    story = sent(5)
    read(story, 5)
    story.iut.recv()
    story.iut.recv(error=again)
    assert story.conclusions("IND-MSG-04") == expected


@pytest.mark.parametrize(("again", "expected"), [("WSAEDISCON", SATISFIED), ("", VIOLATED)])
def test_winsocks_end_stays(again: str, expected: set[Conclusion]) -> None:
    story = sent(story=Story(WINSOCK))
    story.iut.recv(error="WSAEDISCON")
    story.iut.recv(error=again)
    assert story.conclusions("IND-MSG-04") == expected


def test_an_empty_message_looks_like_an_end_that_did_not_stay() -> None:
    story = sent(0, 5)
    read(story, 0, 5)
    story.iut.recv()
    story.iut.recv()
    assert story.conclusions("IND-MSG-04") == NOTHING


# --- SEQ-02, UNIX-01 --------------------------------------------------------------------------------------------------


def test_an_empty_message_is_recorded_with_what_poll_told() -> None:
    story = sent(0, ends=False)
    story.iut.poll("IN")
    read(story, 0)
    (finding,) = story.judge("SEQ-02")
    assert finding.outcome is Conclusion.SATISFIED
    assert "poll(poll) told IN, and recv returned 0 bytes" in finding.because


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.iut.recv(),
        lambda s: s.iut.poll("IN"),
        lambda s: (s.peer.shutdown("send"), s.iut.poll("IN", "RDHUP"), s.iut.recv()),
        lambda s: (s.iut.poll("IN"), s.iut.shutdown("receive"), s.iut.recv()),
    ],
    ids=["no-poll", "no-receive", "after-the-end", "own-shutdown"],
)
def test_an_empty_message_that_was_not_asked_about_before_the_end(change: Change) -> None:
    story = sent(0, ends=False)
    change(story)
    assert story.conclusions("SEQ-02") == NOTHING


def test_of_several_polls_the_last_before_the_receive_is_recorded() -> None:
    story = sent(0, ends=False)
    story.iut.poll("OUT")
    story.iut.poll("IN")
    story.wait(-1)
    read(story, 0)
    story.iut.poll("HUP")
    (finding,) = story.judge("SEQ-02")
    assert "poll(poll) told IN, and" in finding.because
    assert finding.events == tuple(event.n for event in story.trace().events[-6:-2])


@pytest.mark.parametrize(
    "change",
    [
        lambda s: (s.iut.recv(), s.iut.poll("IN")),
        lambda s: (s.iut.poll(), s.iut.recv()),
        lambda s: (s.iut.poll("IN", error="EBADF"), s.iut.recv()),
    ],
    ids=["poll-after", "time-out", "failed"],
)
def test_a_poll_that_told_nothing_of_the_message(change: Change) -> None:
    story = sent(0, ends=False)
    change(story)
    assert story.conclusions("SEQ-02") == NOTHING


@pytest.mark.parametrize(("earlier_ms", "expected"), [(1, NOTHING), (2, SATISFIED)])
def test_a_poll_that_returned_as_the_end_came(earlier_ms: int, expected: set[Conclusion]) -> None:
    story = sent(0, ends=False)
    polled, ended = story.iut.begin("poll", surface="poll", events=["IN"]), story.peer.begin("shutdown", how="send")
    story.wait(-earlier_ms)
    story.iut.finish(polled, events=["IN"])
    story.wait(earlier_ms)
    story.peer.finish(ended)
    story.iut.recv()
    assert story.conclusions("SEQ-02") == expected


def test_what_was_told_after_the_close_is_recorded_up_to_the_second() -> None:
    story = Story(UNIX_STREAM)
    story.peer.send(5)
    story.iut.send(5)
    waiting = story.iut.begin("recv", length=65536)
    closing = story.peer.begin("close")
    story.wait(-1)
    story.iut.finish(waiting, error="ECONNRESET")
    story.peer.finish(closing)
    story.iut.recv(5)
    story.iut.recv()
    story.iut.recv(error="ENOTCONN")
    (finding,) = story.judge("UNIX-01")
    assert finding.because.endswith(": recv failed with ECONNRESET, then recv returned 0 bytes")
    numbers = [event.n for event in story.trace().events]
    assert set(numbers[-4:-2]) <= set(finding.events)
    assert not set(numbers[-2:]) & set(finding.events)


def test_what_was_told_before_the_close_is_not_recorded() -> None:
    story = Story(UNIX_STREAM)
    story.iut.send(5)
    story.iut.recv(error="ECONNRESET")
    story.peer.close()
    story.iut.recv(timeout=True)
    assert story.conclusions("UNIX-01") == NOTHING


@pytest.mark.parametrize("kind", [UNIX_STREAM, UNIX_SEQPACKET])
@pytest.mark.parametrize("error", ["ECONNRESET", ""])
def test_a_close_with_unread_data_is_recorded(kind: object, error: str) -> None:
    story = Story(UNIX_STREAM if kind is UNIX_STREAM else UNIX_SEQPACKET)
    story.iut.send(5)
    story.peer.close()
    story.iut.recv(error=error)
    story.iut.recv()
    (finding,) = story.judge("UNIX-01")
    assert finding.outcome is Conclusion.SATISFIED
    assert (error or "0 bytes") in finding.because


@pytest.mark.parametrize(
    "change",
    [
        lambda s: (s.peer.recv(5), s.peer.close(), s.iut.recv()),
        lambda s: s.iut.recv(error="ECONNRESET"),
        lambda s: (s.peer.close(), s.iut.shutdown("receive"), s.iut.recv()),
    ],
    ids=["all-was-read", "not-closed", "own-shutdown"],
)
def test_what_is_no_close_with_unread_data(change: Change) -> None:
    story = Story(UNIX_STREAM)
    story.iut.send(5)
    change(story)
    assert story.conclusions("UNIX-01") == NOTHING


# --- a pseudo stream, and receives in parts ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read_as", "expected"),
    [
        ([(0, 12)], SATISFIED),
        ([(0, 5), (5, 7)], SATISFIED),
        ([(0, 3), (3, 9)], SATISFIED),
        ([(0, 11)], VIOLATED),
        ([(5, 7)], VIOLATED),
        ([(0, 5), (6, 6)], VIOLATED),
        ([], VIOLATED),
    ],
)
def test_a_pseudo_stream_gives_all_octets_before_the_end(
    read_as: list[tuple[int, int]], expected: set[Conclusion]
) -> None:
    """Its receives know no messages; but the end overtakes nothing."""
    story = Story(REFERENCE_PSEUDO_STREAM, wire=False)
    story.peer.send(5)
    story.peer.send(7, seed=5)
    story.peer.shutdown("send")
    for offset, length in read_as:
        story.iut.recv(length, offset=offset)
    story.iut.recv(0)
    assert story.conclusions("IND-MSG-03") == expected
    assert story.conclusions("IND-MSG-01") == NOTHING


def test_a_pseudo_stream_has_nothing_to_lose_of_an_empty_message() -> None:
    story = Story(REFERENCE_PSEUDO_STREAM, wire=False)
    story.peer.send(0)
    story.peer.shutdown("send")
    story.iut.recv(0)
    assert story.conclusions("IND-MSG-03") == NOTHING


@pytest.mark.parametrize("flags", [[], ["PARTIAL"]])
@pytest.mark.parametrize("error", ["WSAEDISCON", ""])
def test_a_receive_of_parts_has_an_end_of_its_own(flags: list[str], error: str) -> None:
    story = Story(REFERENCE, wire=False)
    story.peer.shutdown("send")
    story.iut.recv(error=error, flags=flags)
    assert story.conclusions("IND-MSG-01") == (NOTHING if flags else SATISFIED if error else VIOLATED)


def test_a_receive_of_parts_is_no_repetition_of_the_end() -> None:
    story = Story(REFERENCE, wire=False)
    story.peer.shutdown("send")
    story.iut.recv(error="WSAEDISCON")
    story.iut.recv(flags=["PARTIAL"])
    assert story.conclusions("IND-MSG-04") == NOTHING


# --- IND-MSG-05 -------------------------------------------------------------------------------------------------------


def cut_off(*, whole: bytes = b"", parts: tuple[bytes, ...] = (b"half of", b" a message"), ends: str = "FIN") -> Story:
    """The peer, which speaks in units, sends perhaps a message, and parts of another one; then its end comes."""
    story = Story(REFERENCE)
    if whole:
        story.pdu(PEER, "DATA", whole)
    for part in parts:
        story.pdu(PEER, "DATA", part, whole=False)
    match ends:
        case "FIN":
            story.fin(PEER)
        case "RST":
            story.rst(PEER)
        case _:
            story.pdu(PEER, ends)
    return story


CUT = b"half of a message"
ENDS_OF_A_PART = pytest.mark.parametrize("ends", ["FIN", "RST", "RELEASE", "ABORT"])


@ENDS_OF_A_PART
@pytest.mark.parametrize("whole", [b"", b"first"])
def test_a_message_that_was_cut_off_is_told_as_an_error(ends: str, whole: bytes) -> None:
    story = cut_off(whole=whole, ends=ends)
    if whole:
        story.iut.recv(content=whole)
    story.iut.recv(error="WSAECONNRESET")
    assert story.conclusions("IND-MSG-05") == SATISFIED


@ENDS_OF_A_PART
@pytest.mark.parametrize("whole", [b"", b"first"])
@pytest.mark.parametrize("got", [CUT, CUT[:7], CUT[:3]])
def test_a_message_that_was_cut_off_is_told_as_whole(ends: str, whole: bytes, got: bytes) -> None:
    story = cut_off(whole=whole, ends=ends)
    if whole:
        story.iut.recv(content=whole)
    story.iut.recv(content=got)
    story.iut.recv(error="WSAECONNRESET")
    assert story.conclusions("IND-MSG-05") == VIOLATED


def partly(story: Story, content: bytes) -> None:
    """The IUT received that much, marked as a part."""
    call = story.iut.begin("recv", length=65536)
    story.iut.finish(call, length=len(content), data=base64.b64encode(content).decode(), partial=True)


@pytest.mark.parametrize(
    ("marked", "then", "expected"),
    [
        ([CUT], b"", SATISFIED),
        ([CUT[:7], CUT[7:]], b"", SATISFIED),
        ([CUT[:7]], b"", SATISFIED),
        ([CUT[:7]], CUT[7:], VIOLATED),
    ],
)
def test_parts_are_marked_up_to_the_last(marked: list[bytes], then: bytes, expected: set[Conclusion]) -> None:
    story = cut_off()
    for content in marked:
        partly(story, content)
    if then:
        story.iut.recv(content=then)
    story.iut.recv(error="WSAECONNRESET")
    assert story.conclusions("IND-MSG-05") == expected


def test_whole_messages_are_not_cut_off() -> None:
    story = cut_off(whole=b"first", parts=())
    story.iut.recv(content=b"first")
    story.iut.recv(error="WSAECONNRESET")
    assert story.conclusions("IND-MSG-05") == NOTHING


def test_a_message_that_goes_on_is_not_cut_off() -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "DATA", b"half", whole=False)
    partly(story, b"half")
    assert story.conclusions("IND-MSG-05") == NOTHING


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        ([b"first", b"second", CUT], VIOLATED),
        ([b"first", CUT], VIOLATED),
        ([b"first", b"second", b"other"], NOTHING),
        ([b"first", b"second", CUT + b"!"], NOTHING),
    ],
    ids=["after-both", "second-lost", "not-of-it", "more-than-came"],
)
def test_what_was_cut_off_is_told_from_the_messages_before_it(got: list[bytes], expected: set[Conclusion]) -> None:
    story = Story(REFERENCE)
    for message in (b"first", b"second"):
        story.pdu(PEER, "DATA", message)
    story.pdu(PEER, "DATA", CUT, whole=False)
    story.fin(PEER)
    for content in got:
        story.iut.recv(content=content)
    story.iut.recv(error="WSAECONNRESET")
    assert story.conclusions("IND-MSG-05") == expected


def test_an_empty_message_comes_before_what_was_cut_off() -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "DATA", b"")
    story.pdu(PEER, "DATA", CUT, whole=False)
    story.fin(PEER)
    story.iut.recv(0)
    story.iut.recv(content=CUT)
    assert story.conclusions("IND-MSG-05") == VIOLATED


def test_of_a_long_message_the_record_may_hold_only_the_first_octets() -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "DATA", b"long")
    (place,) = (n for n, event in enumerate(story.events) if isinstance(event, Pdu))
    story.events[place] = msgspec.structs.replace(story.events[place], length=20)
    story.pdu(PEER, "DATA", CUT, whole=False)
    story.fin(PEER)
    story.iut.recv(content=b"longer than recorded")
    story.iut.recv(content=CUT)
    assert story.conclusions("IND-MSG-05") == VIOLATED


@pytest.mark.parametrize(("length", "expected"), [(len(CUT), VIOLATED), (len(CUT) + 1, NOTHING)])
def test_where_only_the_length_is_known_it_tells(length: int, expected: set[Conclusion]) -> None:
    story = cut_off()
    story.iut.call("recv", length=65536, digest=True, result={"length": length, "sha256": "0"})
    story.iut.recv(error="WSAECONNRESET")
    assert story.conclusions("IND-MSG-05") == expected


@pytest.mark.parametrize(
    ("marked", "then", "expected"),
    [
        (b"", None, NOTHING),
        (b"", "", NOTHING),
        (b"", "WSAECONNRESET", SATISFIED),
        (CUT, None, SATISFIED),
        (CUT, "", SATISFIED),
        (CUT + b"!", "WSAECONNRESET", NOTHING),
    ],
)
def test_what_is_told_of_a_message_that_was_cut_off(marked: bytes, then: str | None, expected: set[Conclusion]) -> None:
    story = cut_off()
    if marked:
        partly(story, marked)
    if then is not None:
        story.iut.recv(error=then)
    assert story.conclusions("IND-MSG-05") == expected


@pytest.mark.parametrize(("earlier_ms", "expected"), [(1, SATISFIED), (2, NOTHING)])
def test_an_error_that_comes_before_the_end_is_not_for_its_sake(earlier_ms: int, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "DATA", CUT, whole=False)
    waiting = story.iut.begin("recv", length=65536)
    story.rst(PEER)
    story.wait(-earlier_ms)
    story.iut.finish(waiting, error="WSAECONNRESET")
    assert story.conclusions("IND-MSG-05") == expected
