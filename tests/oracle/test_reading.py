# SPDX-License-Identifier: MIT
"""What many judges ask of a connection: what was heard, what came first, what was read, and who waited in vain."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from conformance.oracle.reading import (
    NS_PER_MS,
    NS_PER_S,
    Reading,
    ends_heard,
    first_final,
    first_word,
    heard,
    in_vain,
    looked_until,
    never_told,
    read,
    read_stream,
    spanned,
    told_at,
)
from conformance.trace.direction import Ending, EndKind
from conformance.trace.operations import Report
from conformance.trace.pattern import pattern
from conformance.trace.reports import What
from tests.oracle.story import KERNEL_TCP, MS, PEER, REFERENCE, REFERENCE_STREAM, UNIX_SEQPACKET, UNIX_STREAM, Story


def words(story: Story) -> list[str]:
    return [report.seen for report in heard(story.connection().iut)]


def test_units_of_time() -> None:
    assert NS_PER_S == 1000 * NS_PER_MS == 10**9


# --- what is heard ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ends", ["shutdown", "close"])
@pytest.mark.parametrize(
    ("asked_ms", "told_ms", "length", "counts"),
    [
        (-2, -1, 0, True),
        (-1, 0, 0, False),
        (-1, 1, 0, False),
        (-1, 0, 5, True),
        (-1, 1, 5, True),
        (0, 1, 5, False),
        (1, 2, 5, False),
    ],
)
def test_what_an_own_end_of_receiving_makes_pointless(
    ends: str, asked_ms: int, told_ms: int, length: int, counts: bool
) -> None:
    """A receive that was made and told so long after the shutdown was called, with so many bytes."""
    story = Story(UNIX_STREAM)
    story.wait(10)
    arguments: dict[str, Any] = {"how": "receive"} if ends == "shutdown" else {}
    call = story.iut.begin(ends, **arguments)
    limit = story.now
    story.now = limit + (asked_ms - 1) * MS
    receive = story.iut.begin("recv", length=10)
    story.now = limit + (told_ms - 1) * MS
    story.iut.finish(receive, length=length)
    story.now = limit + 10 * MS
    story.iut.finish(call)
    assert bool(words(story)) == counts


@pytest.mark.parametrize("empty", [0, 1, 2])
def test_an_empty_message_is_no_end(empty: int) -> None:
    story = Story(UNIX_SEQPACKET)
    for _ in range(empty):
        story.peer.send(0)
    for _ in range(empty + 2):
        story.iut.recv()
    assert len(list(ends_heard(story.connection()))) == 2


def test_an_error_is_an_end_though_an_empty_message_is_to_come() -> None:
    story = Story(UNIX_SEQPACKET)
    story.peer.send(0)
    story.iut.recv(error="ECONNRESET")
    story.iut.recv()
    (end,) = ends_heard(story.connection())
    assert end.told == "ECONNRESET"


def test_an_empty_send_on_a_stream_is_told_by_nothing() -> None:
    story = Story(UNIX_STREAM)
    story.peer.send(0)
    story.iut.recv(error="EWOULDBLOCK")
    story.iut.recv()
    final = first_final(story.connection())
    assert final is not None
    assert final.told == "ZERO_BYTES"


# --- the first word ---------------------------------------------------------------------------------------------------


def first(story: Story) -> str:
    word = first_word(story.connection())
    return "" if word is None else word.told


def test_nothing_told_of_an_end() -> None:
    story = Story()
    story.iut.recv(5)
    story.iut.recv(error="EWOULDBLOCK")
    story.iut.send(5)
    assert first(story) == ""


@pytest.mark.parametrize(
    ("op", "arguments", "told"),
    [
        ("send", {"pattern": {"seed": 0, "length": 5}}, True),
        ("post_send", {"pattern": {"seed": 0, "length": 5}}, True),
        ("shutdown", {"how": "receive"}, True),
        ("disconnect_ex", {}, True),
        ("names", {}, False),
        ("connect", {}, False),
        ("recv", {"length": 1}, True),
        ("recv", {"length": 0}, True),
        ("recv", {"length": 10, "flags": ["PEEK"]}, True),
        ("recv", {"length": 10, "flags": ["PARTIAL"]}, True),
    ],
)
def test_which_calls_tell_an_error(op: str, arguments: dict[str, Any], told: bool) -> None:
    story = Story()
    story.iut.call(op, error="ECONNABORTED", **arguments)
    story.iut.recv(error="ECONNRESET")
    assert first(story) == ("ECONNABORTED" if told else "ECONNRESET")


@pytest.mark.parametrize("op", ["send", "get_error"])
def test_what_is_no_error_of_the_connection(op: str) -> None:
    story = Story()
    if op == "get_error":
        story.iut.get_error()
        story.iut.call("get_error", error="EINVAL")
    else:
        for error in ("EWOULDBLOCK", "EINVAL", "ENOTSOCK", "EFAULT", "ECANCELED"):
            story.iut.send(5, error=error)
    assert first(story) == ""


def test_so_error_is_told_once() -> None:
    story = Story()
    story.iut.get_error()
    story.iut.get_error("ECONNRESET")
    word = first_word(story.connection())
    assert word is not None
    assert told_at(word) == story.now


@pytest.mark.parametrize(("later_ms", "told"), [(-1, ""), (0, "EPIPE"), (1, "EPIPE")])
def test_what_failed_before_there_was_a_connection_is_no_word_of_it(later_ms: int, told: str) -> None:
    story = Story(UNIX_STREAM)
    story.wait(later_ms - 1)
    story.iut.send(5, error="EPIPE")
    assert first(story) == told


@pytest.mark.parametrize(("error", "told"), [("EPIPE", ""), ("ECONNRESET", "ECONNRESET")])
@pytest.mark.parametrize("later_ms", [0, 1])
def test_a_broken_pipe_may_be_ones_own_doing(later_ms: int, error: str, told: str) -> None:
    story = Story(UNIX_STREAM)
    call = story.iut.begin("shutdown", how="send")
    story.wait(later_ms - 1)
    story.iut.send(5, error=error)
    story.iut.finish(call)
    assert first(story) == told


def test_a_broken_pipe_before_the_own_end_is_a_word() -> None:
    story = Story(UNIX_STREAM)
    story.iut.send(5, error="EPIPE")
    story.iut.shutdown("send")
    assert first(story) == "EPIPE"


@pytest.mark.parametrize(
    ("asked_ms", "told_ms", "told"),
    [(-5, 5, "ECONNRESET"), (-1, 5, "ECONNRESET"), (0, 5, "ZERO_BYTES"), (0, 0, "ECONNRESET"), (1, 5, "ZERO_BYTES")],
)
def test_of_calls_that_overlapped_an_error_comes_before_an_end(asked_ms: int, told_ms: int, told: str) -> None:
    """A send that failed was made and returned so long after the receive of 0 bytes had returned."""
    story = Story(UNIX_STREAM)
    story.wait(10)
    story.iut.recv(takes=5)
    over = story.now
    story.now = over + (asked_ms - 1) * MS
    call = story.iut.begin("send", pattern={"seed": 0, "length": 5})
    story.now = over + (told_ms - 1) * MS
    story.iut.finish(call, error="ECONNRESET")
    assert first(story) == told


def test_of_two_errors_the_earlier_is_the_first() -> None:
    story = Story(UNIX_STREAM)
    sends = [story.iut.begin("send", pattern={"seed": 0, "length": 5}) for _ in range(2)]
    story.iut.finish(sends[1], error="ETIMEDOUT")
    story.iut.finish(sends[0], error="ECONNRESET")
    assert first(story) == "ETIMEDOUT"


# --- who waited in vain -----------------------------------------------------------------------------------------------

SINCE = 1_000_000 * MS
ENDED = Ending(EndKind.GRACEFUL, SINCE, SINCE)


def vain(story: Story, *, settle_ms: int = 30, prompt_ms: int = 1000, ending: Ending = ENDED) -> Report | None:
    side = story.connection().iut
    return in_vain(side, ending, prompt_ns=prompt_ms * MS, settle_ns=settle_ms * MS)


def at(story: Story, ms: int) -> Story:
    """What comes next comes so long after the end."""
    story.now = SINCE + (ms - 1) * MS
    return story


@pytest.mark.parametrize(
    ("asked_ms", "wait_ms", "told_ms", "expected"),
    [
        (-500, 1499, 1100, False),
        (-500, 1500, 1100, True),
        (-500, 1600, 999, False),
        (-500, 1600, 1000, True),
        (100, 999, 1200, False),
        (100, 1000, 1200, True),
        (100, 0, 1200, False),  # it looked for what was there
    ],
)
def test_a_receive_waited_the_prompt_time_in_vain(asked_ms: int, wait_ms: int, told_ms: int, expected: bool) -> None:
    story = Story(UNIX_STREAM)
    story.settle(10)
    call = at(story, asked_ms).iut.begin("recv", length=10, wait_ms=wait_ms)
    at(story, told_ms).iut.finish(call, timeout=True)
    assert (vain(story) is not None) == expected
    assert vain(story, ending=Ending(EndKind.GRACEFUL, SINCE, None)) is None


@pytest.mark.parametrize(("stops_ms", "expected"), [(999, False), (1000, True)])
def test_a_receive_waits_for_nothing_once_its_own_side_has_stopped(stops_ms: int, expected: bool) -> None:
    story = Story(UNIX_STREAM)
    call = at(story, 0).iut.begin("recv", length=10, wait_ms=2000)
    at(story, stops_ms).iut.shutdown("receive")
    at(story, 2000).iut.finish(call, timeout=True)
    assert (vain(story) is not None) == expected


@pytest.mark.parametrize(("settle_ms", "prompt_ms"), [(30, 1000), (1000, 30)])
@pytest.mark.parametrize(("asked_ms", "expected"), [(999, False), (1000, True)])
def test_a_receive_would_have_blocked_long_after_the_end(
    settle_ms: int, prompt_ms: int, asked_ms: int, expected: bool
) -> None:
    story = at(Story(UNIX_STREAM), asked_ms)
    story.iut.recv(error="EWOULDBLOCK")
    assert (vain(story, settle_ms=settle_ms, prompt_ms=prompt_ms) is not None) == expected


def test_a_receive_that_told_something_did_not_wait_in_vain() -> None:
    story = at(Story(UNIX_STREAM), 5000)
    story.iut.recv(5)
    story.iut.recv()
    assert vain(story) is None


@pytest.mark.parametrize(("returned", "wait_ms", "until"), [(900, 5, 105), (104, 5, 104), (900, 0, 100)])
def test_until_when_a_call_had_surely_looked(returned: int, wait_ms: int, until: int) -> None:
    assert looked_until(100 * MS, returned * MS, wait_ms) == until * MS


@pytest.mark.parametrize("later_ms", [-1, 0, 1])
def test_a_wait_in_vain_tells_nothing_once_the_end_was_told(later_ms: int) -> None:
    story = Story(KERNEL_TCP)
    story.peer.shutdown("send")
    story.fin(PEER)
    story.iut.recv(timeout=True, takes=1100, wait_ms=1100)
    over = story.now
    call = story.iut.begin("recv", length=10)
    story.now = over + (later_ms - 1) * MS
    story.iut.finish(call, length=0)
    connection = story.connection()
    expectation = _Told()
    list(never_told(connection, expectation, first_final(connection)))  # type: ignore[arg-type]
    assert expectation.violations == (later_ms >= 0)
    list(never_told(connection, expectation))  # type: ignore[arg-type]
    assert expectation.violations == (later_ms >= 0) + 1


class _Told:
    """Counts what was found violated."""

    violations = 0

    def violated(self, because: str, *evidence: object) -> None:
        self.violations += 1


@pytest.mark.parametrize(
    ("asked", "told", "expected"), [(9, 11, True), (10, 11, False), (9, 10, False), (11, 12, False), (8, 9, False)]
)
def test_a_receive_spanned_the_end(asked: int, told: int, expected: bool) -> None:
    report = Report(What.ZERO_BYTES, asked, told, (1, 2))
    assert spanned(report, Ending(EndKind.GRACEFUL, 10)) == expected
    assert not spanned(report, Ending(EndKind.OPEN))


# --- what was read ----------------------------------------------------------------------------------------------------


def stream(*lengths: int) -> Story:
    """The peer has sent that."""
    story = Story(UNIX_STREAM)
    for length in lengths:
        story.peer.send(length)
    return story


def shown(reading: Reading) -> tuple[int, str, str]:
    return reading.good, reading.fault.seen if reading.fault else "", reading.final.seen if reading.final else ""


def of(story: Story) -> tuple[int, str, str]:
    return shown(read(story.connection().peer_to_iut, story.header.statement))


def test_a_stream_is_read_in_any_pieces() -> None:
    story = stream(10)
    story.iut.recv(error="EWOULDBLOCK")
    story.iut.recv(3)
    story.iut.recv(timeout=True)
    story.iut.recv(7, offset=3)
    assert of(story) == (10, "", "")
    story.iut.recv()
    story.iut.recv(5)  # after the end: another judge's
    assert of(story) == (10, "", "recv returned 0 bytes")


@pytest.mark.parametrize(("length", "offset"), [(7, 2), (7, 4), (8, 3)])
def test_a_piece_that_does_not_follow(length: int, offset: int) -> None:
    story = stream(10)
    story.iut.recv(3)
    story.iut.recv(length, offset=offset)
    story.iut.recv()
    assert of(story) == (3, f"recv returned {length} bytes", "")


def test_receives_that_overlap_may_be_told_in_any_order() -> None:
    story = stream(10)
    calls = [story.iut.begin("recv", length=10) for _ in range(3)]
    story.iut.finish(calls[2], length=0)
    story.iut.finish(calls[0], **_piece(4, 6))
    story.iut.finish(calls[1], **_piece(0, 4))
    assert of(story) == (10, "", "recv returned 0 bytes")


@pytest.mark.parametrize(("later_ms", "good"), [(-1, 10), (0, 0), (1, 0)])
def test_receives_one_after_the_other_are_told_in_their_order(later_ms: int, good: int) -> None:
    story = stream(10)
    call = story.iut.begin("recv", length=10)
    story.wait(5)
    story.iut.finish(call, **_piece(4, 6))
    story.wait(later_ms - 1)
    story.iut.recv(4)
    assert of(story)[0] == good


def test_a_chain_of_overlaps_is_no_overlap_of_its_ends() -> None:
    """The first is told before the third is made, and the second while both are there."""
    story = stream(10)
    calls = [story.iut.begin("recv", length=10), story.iut.begin("recv", length=10)]
    story.iut.finish(calls[0], **_piece(6, 4))
    story.iut.recv(3)
    story.iut.finish(calls[1], **_piece(3, 3))
    assert of(story)[0] == 0


def test_the_second_of_two_overlapping_receives_was_over_before_the_third() -> None:
    story = stream(10)
    calls = [story.iut.begin("recv", length=10), story.iut.begin("recv", length=10)]
    story.iut.finish(calls[1], **_piece(6, 4))
    story.iut.recv(3)
    story.iut.finish(calls[0], **_piece(3, 3))
    assert of(story)[0] == 0


def test_a_receive_that_took_no_time() -> None:
    story = stream(10)
    for offset in (0, 5):
        story.iut.recv(5, offset=offset, takes=0)
    story.iut.recv(takes=0)
    assert of(story) == (10, "", "recv returned 0 bytes")


def test_a_receive_that_told_nothing_hides_no_overlap() -> None:
    story = stream(10)
    call = story.iut.begin("recv", length=10)
    story.iut.recv(timeout=True)
    story.iut.recv(4)
    story.iut.finish(call, **_piece(4, 6))
    assert of(story) == (10, "", "")


def test_of_what_overlaps_and_does_not_follow_the_end_comes_last() -> None:
    story = stream(10)
    calls = [story.iut.begin("recv", length=10) for _ in range(3)]
    story.iut.finish(calls[0], length=0)
    story.iut.finish(calls[1], **_piece(1, 5))
    story.iut.finish(calls[2], timeout=True)
    assert of(story) == (0, "recv returned 5 bytes", "")


def _piece(offset: int, length: int) -> dict[str, Any]:
    return {"length": length, "data": base64.b64encode(pattern(0, length, offset)).decode()}


def messages(*lengths: int, whole: bool = True) -> Story:
    """The peer has sent messages of these lengths, over the reference transport, the last of them whole or not."""
    story = Story(REFERENCE)
    for number, length in enumerate(lengths, 1):
        story.peer.send(length, flags=[] if whole or number < len(lengths) else ["PARTIAL"])
        story.pdu(PEER, "DATA", bytes(range(length)), whole=whole or number < len(lengths))
    return story


def gets(story: Story, length: int, *, offset: int = 0, partial: bool = False) -> None:
    """The IUT receives a message, or a part of one."""
    call = story.iut.begin("recv", length=100)
    story.iut.finish(call, partial=partial, **_piece(offset, length)) if length else story.iut.finish(call, length=0)


def test_messages_are_read_whole_and_in_order() -> None:
    story = messages(5, 0, 7)
    for length in (5, 0, 7):
        gets(story, length)
    assert of(story) == (3, "", "")
    gets(story, 0)
    assert of(story) == (3, "", "recv returned 0 bytes")


def test_messages_are_read_in_parts() -> None:
    story = messages(10, 5)
    for offset, length, partial in ((0, 3, True), (3, 4, True), (7, 3, False), (0, 5, False)):
        gets(story, length, offset=offset, partial=partial)
    assert of(story) == (2, "", "")


@pytest.mark.parametrize(
    ("parts", "good"),
    [
        ([(0, 9, False)], 0),
        ([(0, 5, False)], 0),
        ([(0, 10, True)], 0),
        ([(0, 3, True), (0, 7, False)], 0),
        ([(0, 3, True), (3, 7, True)], 0),
        ([(0, 10, False), (0, 6, False)], 1),
        ([(0, 10, False), (0, 5, False), (0, 1, False)], 2),
    ],
)
def test_messages_that_are_not_those_that_were_sent(parts: list[tuple[int, int, bool]], good: int) -> None:
    story = messages(10, 5)
    for offset, length, partial in parts:
        gets(story, length, offset=offset, partial=partial)
    gets(story, 0)
    found, fault, final = of(story)
    assert (found, bool(fault), final) == (good, True, "")


def test_no_bytes_where_no_empty_message_is_due_are_the_end() -> None:
    story = messages(10, 0)
    gets(story, 0)
    story.iut.recv(error="WSAEDISCON")
    assert of(story)[0] == 0


@pytest.mark.parametrize(("whole", "good"), [(True, False), (False, True)])
def test_a_message_that_was_never_finished_has_no_last_part(whole: bool, good: bool) -> None:
    story = messages(3, 4, 10, whole=whole)
    gets(story, 3)
    gets(story, 4)
    gets(story, 10, partial=True)
    assert (of(story)[1] == "") == good


def test_a_stream_over_units_is_a_stream() -> None:
    story = Story(REFERENCE_STREAM)
    story.peer.send(10)
    story.pdu(PEER, "DATA", bytes(range(10)))
    gets(story, 4)
    gets(story, 6, offset=4)
    assert shown(read_stream(story.connection().peer_to_iut)) == of(story) == (10, "", "")
