# SPDX-License-Identifier: MIT
"""Disconnect data that is given: what excuses a loss or a refusal, and what else may have brought other data about."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.oracle.findings import Conclusion
from conformance.oracle.goodbyes import carried, final_reports, notices, says_nothing
from tests.oracle.story import IUT, PEER, REFERENCE, REFERENCE_STREAM, SERVICE_PROVIDER, Story, statement
from tests.oracle.test_disconnect_data import LIMITED, LONG, NO_DATA, TOTAL, WIRED, goodbye, noticed, said, twice

SATISFIED, VIOLATED, UNDETERMINED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}, {Conclusion.UNDETERMINED}
NOTHING: set[Conclusion] = set()
BOTH_JUDGES = pytest.mark.parametrize("requirement", ["DD-SEND-01", "DD-RECV-01"])

# --- what a goodbye is, and what told of it ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "transport", "nothing"),
    [
        (b"", "websocket", True),
        (b"", "reference", True),
        (b"\x03\xe8", "websocket", True),
        (b"\x03\xe8", "reference", False),
        (b"\x03\xe9", "websocket", False),
    ],
)
def test_a_code_alone_says_nothing_on_a_web_socket(data: bytes, transport: str, nothing: bool) -> None:
    assert says_nothing(data, statement(transport)) is nothing


def test_only_a_whole_goodbye_is_one() -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "DATA", b"data")
    story.pdu(PEER, "RELEASE", b"cut", problem="cut short")
    assert carried(story.connection().peer_to_iut) is None
    story.pdu(PEER, "RELEASE", b"whole")
    found = carried(story.connection().peer_to_iut)
    assert found is not None and found.data == b"whole"


@pytest.mark.parametrize(("error", "told"), [("", "GRACEFUL"), ("WSAECONNRESET", "ECONNRESET")])
def test_an_indication_of_the_end_is_a_notice(error: str, told: str) -> None:
    story = Story(REFERENCE)
    story.iut.indicates("READABLE")
    story.iut.indicates("END", error)
    (notice,) = notices(story.connection().peer_to_iut, REFERENCE)
    assert notice.told == told
    assert notice.is_graceful is (told == "GRACEFUL")


@pytest.mark.parametrize("empty", [0, 1, 2, 3])
def test_so_many_empty_messages_so_many_words_that_are_no_end(empty: int) -> None:
    story = Story(REFERENCE)
    for _ in range(empty):
        story.peer.send(0)
    for _ in range(4):
        story.iut.recv(0)
    assert len(list(final_reports(story.connection().peer_to_iut, REFERENCE))) == 4 - empty
    assert len(list(final_reports(story.connection().peer_to_iut, REFERENCE_STREAM))) == 4


def test_a_receive_that_was_cancelled_tells_of_no_end() -> None:
    story = Story(REFERENCE)
    story.iut.post("r1")
    story.iut.post("r2")
    story.iut.completes("r1", error="WSA_OPERATION_ABORTED")
    story.iut.completes("r2", error="WSAECONNRESET")
    (report,) = final_reports(story.connection().peer_to_iut, REFERENCE)
    assert report.told == "ECONNRESET"


# --- DD-SEND-01 and DD-RECV-01: the IUT fetches -----------------------------------------------------------------------


@BOTH_JUDGES
@pytest.mark.parametrize(("wire", "expected"), [(False, SATISFIED), (True, SATISFIED | VIOLATED)])
def test_a_second_call_of_the_peers_may_have_brought_it(
    requirement: str, wire: bool, expected: set[Conclusion]
) -> None:
    story = Story(REFERENCE, wire=wire)
    story.peer.send_disconnect(TOTAL)
    story.peer.send_disconnect(b"second")
    if wire:
        story.pdu(PEER, "RELEASE", TOTAL)
    noticed(story).iut.recv_disconnect(TOTAL)
    story.iut.recv_disconnect(b"second")
    assert story.conclusions(requirement) == expected


@BOTH_JUDGES
@pytest.mark.parametrize(
    ("got", "room", "expected"), [(TOTAL[:8], 8, SATISFIED), (b"otherwise", 9, SATISFIED | VIOLATED)]
)
def test_a_later_fetch_without_room_may_be_cut(
    requirement: str, got: bytes, room: int, expected: set[Conclusion]
) -> None:
    story = noticed(goodbye())
    story.iut.recv_disconnect(TOTAL)
    story.iut.recv_disconnect(got, room=room)
    assert story.conclusions(requirement) == expected


@BOTH_JUDGES
def test_what_was_given_after_another_end_may_have_come(requirement: str) -> None:
    story = Story(REFERENCE, wire=False)
    story.peer.shutdown("send")
    story.peer.send_disconnect(TOTAL)
    noticed(story).iut.recv_disconnect(TOTAL)
    assert story.conclusions(requirement) == NOTHING


@BOTH_JUDGES
@pytest.mark.parametrize(
    ("data", "reason", "got", "expected"),
    [(b"x", 0, b"x", NOTHING), (b"", 5, b"\5", NOTHING), (b"", 0, b"x", VIOLATED)],
)
def test_an_abort_may_bring_data_too(
    requirement: str, data: bytes, reason: int, got: bytes, expected: set[Conclusion]
) -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "DATA", b"no goodbye")
    story.pdu(PEER, "ABORT", data, reason=reason)
    story.iut.recv(error="WSAECONNRESET")
    story.iut.recv_disconnect(got)
    assert story.conclusions(requirement) == expected


@BOTH_JUDGES
def test_on_a_link_that_was_not_seen_whole_data_may_have_come(requirement: str) -> None:
    story = Story(REFERENCE, lost=1)
    story.peer.close()
    noticed(story).iut.recv_disconnect(TOTAL)
    assert story.conclusions(requirement) == NOTHING


def test_an_error_that_the_peer_was_told_may_have_taken_what_was_given() -> None:
    story = said(wire=False)
    story.peer.recv(error="WSAECONNRESET")
    story.wait(1)
    story.peer.recv_disconnect(b"")
    assert story.conclusions("DD-SEND-01") == UNDETERMINED


# --- DD-SEND-02, DD-SEND-03, DD-SEND-05, DD-SEND-06 -------------------------------------------------------------------


def _without_data(story: Story) -> int:
    return story.iut.begin("send_disconnect")


def _with_data(story: Story) -> int:
    return story.iut.begin("send_disconnect", data="dGhlIHRvdGFs")


def _with_too_much(story: Story) -> int:
    return story.iut.begin("send_disconnect", data="c2V2ZW50ZWVuIG9jdGV0cyE=")


def _unreadable(story: Story) -> int:
    return story.iut.begin("send_disconnect", unreadable=True)


CALLS = pytest.mark.parametrize(
    ("requirement", "claimed", "begin"),
    [
        ("DD-SEND-02", NO_DATA, _with_data),
        ("DD-SEND-03", REFERENCE, _without_data),
        ("DD-SEND-05", LIMITED, _with_too_much),
        ("DD-SEND-06", SERVICE_PROVIDER, _unreadable),
    ],
)


@CALLS
@pytest.mark.parametrize("outcome", ["unsupported", "unanswered", "after a reset"])
def test_a_call_that_something_else_kept_from_success_shows_nothing(
    requirement: str, claimed: object, begin: Callable[[Story], int], outcome: str
) -> None:
    story = Story(claimed)  # type: ignore[arg-type]
    if outcome == "after a reset":
        story.pdu(PEER, "ABORT")
    call = begin(story)
    if outcome == "unsupported":
        story.iut.finish(call, unsupported="the agent has none")
    elif outcome == "after a reset":
        story.iut.finish(call, error="WSAECONNRESET")
    story.peer.recv(timeout=True, takes=100, wait_ms=100)
    assert story.conclusions(requirement) == NOTHING


def test_data_that_is_not_claimed_is_not_accepted_after_a_reset_either() -> None:
    story = Story(NO_DATA)
    story.pdu(PEER, "ABORT")
    story.iut.send_disconnect(TOTAL)
    assert story.conclusions("DD-SEND-02") == VIOLATED


@pytest.mark.parametrize(
    ("wire", "got", "expected"),
    [(False, b"junk", VIOLATED), (False, b"", SATISFIED), (True, b"junk", SATISFIED), (True, b"", SATISFIED)],
)
def test_a_null_pointer_brings_the_peer_no_data(wire: bool, got: bytes, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE, wire=wire)
    story.iut.send_disconnect(None)
    if wire:
        story.pdu(IUT, "RELEASE")
    story.peer.recv(error="WSAEDISCON")
    story.peer.recv_disconnect(got)
    assert story.conclusions("DD-SEND-03") == expected


def test_no_data_is_never_too_much() -> None:
    story = Story(LIMITED)
    story.iut.send_disconnect(None, error="WSAEMSGSIZE")
    assert story.conclusions("DD-SEND-05") == NOTHING


@pytest.mark.parametrize("requirement", ["DD-SEND-05", "DD-SEND-06"])
@pytest.mark.parametrize(("unit", "expected"), [(None, NOTHING), ("ABORT", NOTHING), ("RELEASE", SATISFIED)])
def test_a_refusal_is_shown_by_the_goodbye_after_it_if_the_link_shows_that(
    requirement: str, unit: str | None, expected: set[Conclusion]
) -> None:
    story = Story(LIMITED if requirement == "DD-SEND-05" else SERVICE_PROVIDER)
    if requirement == "DD-SEND-05":
        story.iut.send_disconnect(LONG, error="WSAEMSGSIZE")
    else:
        story.iut.call("send_disconnect", unreadable=True, error="WSAEFAULT")
    story.iut.send_disconnect(None)
    if unit:
        story.pdu(IUT, unit)
    assert story.conclusions(requirement) == expected


# --- DD-SEND-07, DD-SEND-08 -------------------------------------------------------------------------------------------


def again(first: bytes | None = TOTAL, second: bytes = b"second", *, closes: str = "") -> Story:
    """Two calls, without a link; the peer is told of the end."""
    story = Story(REFERENCE, wire=False)
    story.iut.send_disconnect(first)
    if closes == "before":
        story.iut.close()
    story.iut.send_disconnect(second, error="WSAESHUTDOWN")
    if closes == "after":
        story.iut.close()
    story.peer.recv(error="WSAEDISCON")
    return story


def test_after_no_data_the_second_is_another_matter() -> None:
    story = again(None)
    story.peer.recv_disconnect(b"second")
    assert story.conclusions("DD-SEND-07") == NOTHING


@pytest.mark.parametrize(("closes", "expected"), [("before", NOTHING), ("after", VIOLATED)])
def test_what_is_given_after_the_close_is_another_matter(closes: str, expected: set[Conclusion]) -> None:
    story = again(closes=closes)
    story.peer.recv_disconnect(b"second")
    assert story.conclusions("DD-SEND-07") == expected


def test_a_first_call_that_was_never_answered_shows_nothing() -> None:
    story = Story(REFERENCE, wire=False)
    _with_data(story)
    story.iut.send_disconnect(b"second")
    story.peer.recv(error="WSAEDISCON")
    story.peer.recv_disconnect(b"second")
    assert story.conclusions("DD-SEND-07") == NOTHING


@pytest.mark.parametrize(
    ("second", "got", "expected"),
    [
        (b"second", b"", UNDETERMINED),
        (b"second", None, NOTHING),
        (b"second", b"something else", NOTHING),
        (b"total", TOTAL, SATISFIED),
        (b"total", b"a total", VIOLATED),
    ],
)
def test_only_the_second_data_itself_is_the_second_data(
    second: bytes, got: bytes | None, expected: set[Conclusion]
) -> None:
    story = again(second=second)
    if got is not None:
        story.peer.recv_disconnect(got)
    assert story.conclusions("DD-SEND-07") == expected


def test_the_link_shows_that_the_second_never_set_out_whenever_the_first_is_fetched() -> None:
    story = twice(wire=True)
    story.peer.recv(error="WSAEDISCON")
    story.peer.recv_disconnect(TOTAL)
    assert story.conclusions("DD-SEND-07") == SATISFIED


@WIRED
@pytest.mark.parametrize(("sent", "error"), [(5, "WSAENOTCONN"), (0, "")])
def test_a_goodbye_that_failed_or_had_nothing_before_it_orders_nothing(wire: bool, sent: int, error: str) -> None:
    story = Story(REFERENCE_STREAM, wire=wire)
    if sent:
        story.iut.send(sent)
    story.iut.send_disconnect(TOTAL, error=error)
    if wire:
        story.pdu(IUT, "RELEASE")
    story.peer.recv()
    assert story.conclusions("DD-SEND-08") == NOTHING
