# SPDX-License-Identifier: MIT
"""Judges of group C: sending and fetching disconnect data, on stories whose right verdict is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from conformance.catalogue.statement import Limits, Statement
from conformance.oracle.findings import Conclusion
from tests.oracle.story import (
    IUT,
    PEER,
    REFERENCE,
    REFERENCE_STREAM,
    SERVICE_PROVIDER,
    Story,
    reference,
    statement,
    windows_tcp,
)

SATISFIED, VIOLATED, UNDETERMINED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}, {Conclusion.UNDETERMINED}
NOTHING: set[Conclusion] = set()
TOTAL = b"the total"
LIMITED = msgspec.structs.replace(REFERENCE, limits=Limits(disconnect_data_max=16))
NO_DATA = reference("MESSAGE_ORIENTED", service_flags=("GUARANTEED_DELIVERY", "GRACEFUL_CLOSE", "MESSAGE_ORIENTED"))
WIRED = pytest.mark.parametrize("wire", [True, False], ids=["link", "no-link"])


def goodbye(
    data: bytes | None = TOTAL, *, wire: bool = True, put: bytes | None = None, claimed: Statement = REFERENCE
) -> Story:
    """The peer says goodbye with data; `put` is what the link shows, if that is something else."""
    story = Story(claimed, wire=wire)
    story.peer.send_disconnect(data)
    if wire:
        story.pdu(PEER, "RELEASE", (data or b"") if put is None else put)
    return story


def noticed(story: Story, by: str = "recv") -> Story:
    """The IUT is told of the graceful end."""
    match by:
        case "recv":
            story.iut.recv(error="WSAEDISCON")
        case "FD_CLOSE":
            story.iut.enum_events(("FD_CLOSE", ""))
        case "posted":
            story.iut.completes("r1", error="WSAEDISCON")
    return story


def said(data: bytes = TOTAL, *, wire: bool = True, put: bytes | None = None, told: str = "WSAEDISCON") -> Story:
    """The IUT says goodbye with data, and the peer is told of the end."""
    story = Story(REFERENCE, wire=wire)
    story.iut.send_disconnect(data)
    if wire:
        story.pdu(IUT, "RELEASE", data if put is None else put)
    story.peer.recv(error=told)
    return story


# --- DD-SEND-01 and DD-RECV-01: the IUT fetches -----------------------------------------------------------------------

FETCHED = pytest.mark.parametrize("requirement", ["DD-SEND-01", "DD-RECV-01"])


@FETCHED
@WIRED
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (TOTAL, "all 9 octets"),
        (b"", "none of the 9"),
        (TOTAL[:-1], "cut short"),
        (TOTAL + b"\0", "1 more: padded"),
        (b"latot eht", "not the 9 that were given"),
        (b"somebody else's total", "21 octets that are not"),
    ],
)
def test_what_is_fetched_is_what_was_given(requirement: str, wire: bool, data: bytes, words: str) -> None:
    story = noticed(goodbye(wire=wire))
    story.iut.recv_disconnect(data)
    (finding,) = story.judge(requirement)
    assert {finding.outcome} == (SATISFIED if data == TOTAL else VIOLATED)
    assert words in finding.because


@FETCHED
@pytest.mark.parametrize("data", [b"x", bytes(range(256)), b"\0" * 512, b"\xff" * 511])
def test_any_octets_and_any_size(requirement: str, data: bytes) -> None:
    story = noticed(goodbye(data))
    story.iut.recv_disconnect(data)
    assert story.conclusions(requirement) == SATISFIED


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("recv", "after recv failed with WSAEDISCON, the IUT"),
        ("FD_CLOSE", "after FD_CLOSE told no error, the IUT"),
        ("posted", "after a posted receive failed with WSAEDISCON, the IUT"),
    ],
)
def test_the_finding_says_by_what_it_was_told(by: str, words: str) -> None:
    story = Story(REFERENCE)
    story.iut.event_select("FD_CLOSE")
    if by == "posted":
        story.iut.post("r1")
    story.peer.send_disconnect(TOTAL)
    story.pdu(PEER, "RELEASE", TOTAL)
    noticed(story, by).iut.recv_disconnect(TOTAL)
    (finding,) = story.judge("DD-RECV-01")
    assert {finding.outcome} == SATISFIED
    assert words in finding.because


def test_zero_bytes_are_a_notice_on_a_stream() -> None:
    story = goodbye(claimed=REFERENCE_STREAM)
    story.iut.recv(0)
    story.iut.recv_disconnect(TOTAL)
    (finding,) = story.judge("DD-RECV-01")
    assert "after recv returned 0 bytes" in finding.because


@FETCHED
def test_an_empty_message_is_no_notice(requirement: str) -> None:
    story = Story(REFERENCE, wire=False)
    story.peer.send(0)
    story.peer.send_disconnect(TOTAL)
    story.iut.recv(0)
    story.iut.recv_disconnect(b"")
    assert story.conclusions(requirement) == NOTHING


@FETCHED
@pytest.mark.parametrize("error", ["WSAENOPROTOOPT", "WSAENOTCONN", "WSAEWOULDBLOCK"])
def test_a_fetch_that_fails_after_the_notice(requirement: str, error: str) -> None:
    story = noticed(goodbye())
    story.iut.recv_disconnect(error=error)
    (finding,) = story.judge(requirement)
    assert {finding.outcome} == VIOLATED
    assert error in finding.because


@FETCHED
@pytest.mark.parametrize("put", [b"", TOTAL[:4], b"other"])
def test_what_the_peer_did_not_put_on_the_link_is_not_missed(requirement: str, put: bytes) -> None:
    """The peer's provider lost it; the IUT is judged by what reached it."""
    story = noticed(goodbye(put=put))
    story.iut.recv_disconnect(put)
    assert story.conclusions(requirement) == (SATISFIED if put else NOTHING)
    story = noticed(goodbye(put=put))
    story.iut.recv_disconnect(TOTAL)
    assert story.conclusions(requirement) == VIOLATED


@FETCHED
def test_a_fetch_without_a_notice_is_another_matter(requirement: str) -> None:
    story = goodbye()
    story.iut.recv_disconnect(b"")
    assert story.conclusions(requirement) == NOTHING


@FETCHED
@pytest.mark.parametrize("spoil", ["early", "small", "null", "stopped"])
def test_what_came_before_may_have_spoilt_the_fetch(requirement: str, spoil: str) -> None:
    story = Story(REFERENCE)
    if spoil == "early":
        story.iut.recv_disconnect(b"")
    story.peer.send_disconnect(TOTAL)
    story.pdu(PEER, "RELEASE", TOTAL)
    if spoil != "early":
        noticed(story)
    if spoil == "small":
        story.iut.recv_disconnect(error="WSAEFAULT", room=1)
    elif spoil == "null":
        story.iut.recv_disconnect(b"", room=None)
    elif spoil == "stopped":
        story.iut.shutdown("receive")
    story.iut.recv_disconnect(b"")
    assert story.conclusions(requirement) == NOTHING
    story.iut.recv_disconnect(b"other")
    assert story.conclusions(requirement) == VIOLATED


@FETCHED
def test_a_failed_call_before_any_notice_spoils_nothing(requirement: str) -> None:
    story = Story(REFERENCE)
    story.iut.recv_disconnect(error="WSAENOTCONN")
    story.peer.send_disconnect(TOTAL)
    story.pdu(PEER, "RELEASE", TOTAL)
    noticed(story).iut.recv_disconnect(b"")
    assert story.conclusions(requirement) == VIOLATED


@FETCHED
@pytest.mark.parametrize(("second", "expected"), [(TOTAL, SATISFIED), (b"", SATISFIED), (b"other", None)])
def test_a_second_fetch_brings_no_other_data(requirement: str, second: bytes, expected: set[Conclusion] | None) -> None:
    story = noticed(goodbye())
    story.iut.recv_disconnect(TOTAL)
    story.iut.recv_disconnect(second)
    assert story.conclusions(requirement) == (expected or {Conclusion.SATISFIED, Conclusion.VIOLATED})


@FETCHED
@WIRED
@pytest.mark.parametrize("how", ["null", "empty", "shutdown", "close"])
def test_data_that_was_never_given(requirement: str, wire: bool, how: str) -> None:
    story = Story(REFERENCE, wire=wire)
    match how:
        case "null":
            story.peer.send_disconnect(None)
        case "empty":
            story.peer.send_disconnect(b"")
        case "shutdown":
            story.peer.shutdown("send")
        case "close":
            story.peer.close()
    if wire:
        story.pdu(PEER, "RELEASE")
    noticed(story).iut.recv_disconnect(b"")
    assert story.conclusions(requirement) == NOTHING
    story.iut.recv_disconnect(b"from another connection")
    assert story.conclusions(requirement) == VIOLATED


@FETCHED
def test_a_reset_after_the_end_may_have_taken_the_data(requirement: str) -> None:
    story = noticed(goodbye())
    story.pdu(PEER, "ABORT", reason=0)
    story.iut.recv_disconnect(error="WSAECONNRESET")
    assert story.conclusions(requirement) == UNDETERMINED


@FETCHED
def test_data_of_a_peer_that_speaks_in_units(requirement: str) -> None:
    """A peer over the layer below puts the release on the link itself: the IUT has to hand it over all the same."""
    story = Story(REFERENCE)
    story.header = msgspec.structs.replace(story.header, raw_peer=True)
    story.peer.send(15)
    story.pdu(PEER, "RELEASE", TOTAL)
    noticed(story).iut.recv_disconnect(TOTAL[:-1])
    assert story.conclusions(requirement) == VIOLATED


# --- DD-SEND-01: the IUT gives ----------------------------------------------------------------------------------------


@WIRED
def test_the_peer_fetches_what_the_iut_gave(wire: bool) -> None:
    story = said(wire=wire)
    story.peer.recv_disconnect(TOTAL)
    assert story.conclusions("DD-SEND-01") == SATISFIED
    assert story.conclusions("DD-RECV-01") == NOTHING


@pytest.mark.parametrize(
    ("put", "words"),
    [
        (b"", "dropped them"),
        (TOTAL[:3], "only the first 3"),
        (TOTAL + b"!", "padded"),
        (b"other", "5 octets that are not"),
    ],
)
def test_the_link_shows_what_the_iut_sent(put: bytes, words: str) -> None:
    """A sender that put other octets on the link is at fault even if the peer is silent."""
    story = said(put=put)
    (finding,) = story.judge("DD-SEND-01")
    assert {finding.outcome} == VIOLATED
    assert words in finding.because


@pytest.mark.parametrize("got", [b"", TOTAL[:-1], b"other"])
def test_what_the_peer_loses_is_not_the_senders_fault(got: bytes) -> None:
    story = said()
    story.peer.recv_disconnect(got)
    assert story.judge("DD-SEND-01")[0].outcome is Conclusion.UNDETERMINED
    story = said(wire=False)
    story.peer.recv_disconnect(got)
    assert story.conclusions("DD-SEND-01") == VIOLATED


def test_without_a_link_dropped_data_is_told_as_such() -> None:
    story = said(wire=False)
    story.peer.recv_disconnect(b"")
    (finding,) = story.judge("DD-SEND-01")
    assert "accepted 9 octets and dropped them" in finding.because


def test_what_nobody_fetched_proves_nothing() -> None:
    assert said().conclusions("DD-SEND-01") == NOTHING
    assert said(wire=False).conclusions("DD-SEND-01") == NOTHING


def test_a_capture_with_losses_decides_nothing() -> None:
    story = Story(REFERENCE, lost=1)
    story.iut.send_disconnect(TOTAL)
    story.peer.recv(error="WSAEDISCON")
    story.peer.recv_disconnect(b"")
    assert Conclusion.VIOLATED not in story.conclusions("DD-SEND-01")


@pytest.mark.parametrize(
    ("error", "length", "limit", "expected"),
    [
        ("WSAENOPROTOOPT", 9, 512, VIOLATED),
        ("WSAENOPROTOOPT", 9, None, VIOLATED),
        ("WSAEMSGSIZE", 9, 9, VIOLATED),
        ("WSAEMSGSIZE", 9, None, UNDETERMINED),
        ("WSAEMSGSIZE", 10, 9, NOTHING),
    ],
)
def test_refusing_what_is_claimed(error: str, length: int, limit: int | None, expected: set[Conclusion]) -> None:
    claimed = msgspec.structs.replace(REFERENCE, limits=Limits(disconnect_data_max=limit))
    story = Story(claimed, exercises=("DD-SEND-01",) if expected == UNDETERMINED else ())
    story.iut.send_disconnect(b"x" * length, error=error)
    assert story.conclusions("DD-SEND-01") == expected


def test_refusing_it_after_the_peers_end_is_no_better() -> None:
    """The peer's graceful end, told as an error on a message protocol, leaves the own direction whole."""
    story = noticed(goodbye())
    story.iut.send_disconnect(b"grand total", error="WSAENOTCONN")
    assert Conclusion.VIOLATED in story.conclusions("DD-SEND-01")


CLAIMED_OF_TCP = windows_tcp(
    service_flags=("GUARANTEED_DELIVERY", "GRACEFUL_CLOSE", "DISCONNECT_DATA"),
    limits=Limits(disconnect_data_max=0),
)


@pytest.mark.parametrize(
    ("sent", "ended", "concluded"),
    [(0, True, VIOLATED), (100, True, VIOLATED), (109, True, NOTHING), (100, False, NOTHING)],
    ids=["no-data", "the-data-alone", "more-than-the-data", "no-end-yet"],
)
def test_claimed_of_a_tcp_that_sends_nothing_of_it(sent: int, ended: bool, concluded: set[Conclusion]) -> None:
    """Every octet is seen there; what is more than was given to send may be the disconnect data."""
    story = Story(CLAIMED_OF_TCP)
    if sent:
        story.iut.send(100)
    story.iut.send_disconnect(TOTAL)
    if sent:
        story.data(IUT, sent)
    if ended:
        story.fin(IUT)
    assert story.conclusions("DD-SEND-01") == concluded


def test_the_fin_of_a_subflow_leaves_nothing_out() -> None:
    """MPTCP ends in options, where anything else may be too."""
    story = Story(msgspec.structs.replace(CLAIMED_OF_TCP, transport="mptcp"), wire=True)
    story.iut.send_disconnect(TOTAL)
    story.fin(IUT)
    assert story.conclusions("DD-SEND-01") == NOTHING


def test_what_a_tcp_carries_that_nobody_saw_is_not_left_out() -> None:
    story = Story(CLAIMED_OF_TCP, wire=False)
    story.iut.send_disconnect(TOTAL)
    story.peer.recv()
    assert story.conclusions("DD-SEND-01") == NOTHING


@pytest.mark.parametrize(("limit", "concluded"), [(None, UNDETERMINED), (0, UNDETERMINED), (9, VIOLATED), (8, NOTHING)])
def test_too_much_is_told_by_a_stated_limit(limit: int | None, concluded: set[Conclusion]) -> None:
    """A limit of 0 beside the claim states none."""
    story = Story(msgspec.structs.replace(REFERENCE, limits=Limits(disconnect_data_max=limit)))
    story.iut.send_disconnect(TOTAL, error="WSAEMSGSIZE")
    assert story.conclusions("DD-SEND-01") == concluded


# --- DD-SEND-02, DD-SEND-03 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "expected"), [("WSAENOPROTOOPT", SATISFIED), ("", VIOLATED), ("WSAEOPNOTSUPP", VIOLATED)]
)
def test_data_is_refused_where_it_is_not_claimed(error: str, expected: set[Conclusion]) -> None:
    story = Story(NO_DATA)
    story.iut.send_disconnect(TOTAL, error=error)
    assert story.conclusions("DD-SEND-02") == expected
    assert story.conclusions("DD-SEND-01") == NOTHING


def test_whether_a_refused_call_began_the_end_is_recorded() -> None:
    story = Story(NO_DATA, wire=False)
    story.iut.send_disconnect(TOTAL, error="WSAENOPROTOOPT")
    story.peer.recv(error="WSAEDISCON")
    (finding,) = story.judge("DD-SEND-02")
    assert {finding.outcome} == SATISFIED
    assert "at the peer recv failed with WSAEDISCON" in finding.because


@pytest.mark.parametrize("data", [None, b""])
def test_a_null_pointer_and_empty_data_are_no_data(data: bytes | None) -> None:
    story = Story(NO_DATA)
    story.iut.send_disconnect(data)
    assert story.conclusions("DD-SEND-02") == NOTHING


@WIRED
@pytest.mark.parametrize("claimed", [REFERENCE, NO_DATA])
@pytest.mark.parametrize(("error", "expected"), [("WSAEDISCON", SATISFIED), ("WSAECONNRESET", VIOLATED)])
def test_a_null_pointer_asks_for_a_graceful_end(
    claimed: Statement, wire: bool, error: str, expected: set[Conclusion]
) -> None:
    story = Story(claimed, wire=wire)
    story.iut.send_disconnect(None)
    if wire:
        story.pdu(IUT, "RELEASE" if error == "WSAEDISCON" else "ABORT")
    story.peer.recv(error=error)
    assert story.conclusions("DD-SEND-03") == expected


def test_a_null_pointer_that_is_refused() -> None:
    story = Story(REFERENCE)
    story.iut.send_disconnect(None, error="WSAEFAULT")
    assert story.conclusions("DD-SEND-03") == VIOLATED


def test_a_null_pointer_that_sends_something() -> None:
    story = Story(REFERENCE)
    story.iut.send_disconnect(None)
    story.pdu(IUT, "RELEASE", b"junk")
    assert story.conclusions("DD-SEND-03") == VIOLATED


@WIRED
@pytest.mark.parametrize("data", [None, b"\x03\xe8late"])
def test_a_library_that_answers_the_close_by_itself(wire: bool, data: bytes | None) -> None:
    """The answer to the peer's Close was there before the call: what it holds is not what the call was given."""
    story = Story(msgspec.structs.replace(REFERENCE, transport="websocket", family="runtime"), wire=wire)
    story.peer.send_disconnect(b"\x03\xe8total")
    if wire:
        for end in (PEER, IUT):
            story.pdu(end, "CLOSE", b"\x03\xe8total", code=1000)
    story.iut.recv(error="WSAEDISCON")
    story.iut.send_disconnect(data)
    story.peer.recv(error="WSAEDISCON")
    story.peer.recv_disconnect(b"\x03\xe8total")
    for requirement in ("DD-SEND-01", "DD-SEND-05", "DD-SEND-07"):
        assert story.conclusions(requirement) == NOTHING
    assert story.conclusions("DD-SEND-03") <= SATISFIED | UNDETERMINED


# --- DD-SEND-06 -------------------------------------------------------------------------------------------------------


def unreadable(error: str = "WSAEFAULT", *, wire: bool = True) -> Story:
    story = Story(SERVICE_PROVIDER, wire=wire)
    story.iut.call("send_disconnect", unreadable=True, error=error)
    return story


@WIRED
@pytest.mark.parametrize(("error", "expected"), [("WSAEFAULT", SATISFIED), ("WSAEINVAL", VIOLATED), ("", VIOLATED)])
def test_a_buffer_that_cannot_be_read(error: str, expected: set[Conclusion], wire: bool) -> None:
    story = unreadable(error, wire=wire)
    story.peer.recv(timeout=True, takes=100, wait_ms=100)
    assert story.conclusions("DD-SEND-06") == expected


def test_a_refusal_that_nobody_looked_after_shows_nothing() -> None:
    assert unreadable().conclusions("DD-SEND-06") == NOTHING


def test_a_refusal_that_begins_an_end_all_the_same() -> None:
    story = unreadable()
    story.pdu(IUT, "RELEASE")
    story.peer.recv(error="WSAEDISCON")
    assert story.conclusions("DD-SEND-06") == VIOLATED


def test_a_refusal_and_then_a_goodbye_that_the_link_shows() -> None:
    story = unreadable()
    story.iut.send_disconnect()
    story.pdu(IUT, "RELEASE")
    assert story.conclusions("DD-SEND-06") == SATISFIED


def test_after_a_reset_another_error_may_win() -> None:
    story = Story(SERVICE_PROVIDER)
    story.pdu(PEER, "ABORT")
    story.iut.call("send_disconnect", unreadable=True, error="WSAECONNRESET")
    assert story.conclusions("DD-SEND-06") == NOTHING


def test_an_unreadable_buffer_is_no_null_pointer() -> None:
    story = unreadable()
    for requirement in ("DD-SEND-01", "DD-SEND-03", "INIT-SDISC-01", "DD-SCN-05"):
        assert story.conclusions(requirement) == NOTHING


def test_a_buffer_that_can_be_read_shows_nothing_of_it() -> None:
    story = Story(SERVICE_PROVIDER)
    story.iut.send_disconnect(TOTAL, error="WSAEFAULT")
    story.settle()
    assert story.conclusions("DD-SEND-06") == NOTHING


# --- DD-SEND-05 -------------------------------------------------------------------------------------------------------

LONG = b"seventeen octets!"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("WSAEMSGSIZE", SATISFIED),
        ("WSAENOBUFS", SATISFIED),
        ("WSAEINVAL", SATISFIED),
        ("WSAEFAULT", SATISFIED),
        ("WSAENOPROTOOPT", VIOLATED),
        ("WSAECONNRESET", VIOLATED),
    ],
)
def test_too_much_is_refused(error: str, expected: set[Conclusion]) -> None:
    story = Story(LIMITED)
    story.iut.send_disconnect(LONG, error=error)
    story.peer.recv(timeout=True, takes=40, wait_ms=40)
    assert story.conclusions("DD-SEND-05") == expected


@WIRED
def test_refused_and_yet_the_peer_was_told_of_an_end(wire: bool) -> None:
    story = Story(LIMITED, wire=wire)
    story.iut.send_disconnect(LONG, error="WSAEMSGSIZE")
    if wire:
        story.pdu(IUT, "RELEASE", LONG[:16])
    story.peer.recv(error="WSAEDISCON")
    assert story.conclusions("DD-SEND-05") == VIOLATED


def test_refused_and_nobody_looked() -> None:
    story = Story(LIMITED, exercises=("DD-SEND-05",))
    story.iut.send_disconnect(LONG, error="WSAEMSGSIZE")
    assert story.conclusions("DD-SEND-05") == UNDETERMINED


def test_refused_and_the_end_came_with_the_next_call() -> None:
    story = Story(LIMITED)
    story.iut.send_disconnect(LONG, error="WSAEMSGSIZE")
    story.iut.send_disconnect(None)
    story.pdu(IUT, "RELEASE")
    assert story.conclusions("DD-SEND-05") == SATISFIED


def test_an_end_that_was_there_before_came_with_no_later_call() -> None:
    story = Story(LIMITED)
    story.pdu(IUT, "RELEASE")
    story.iut.send_disconnect(LONG, error="WSAEMSGSIZE")
    story.iut.send_disconnect(None)
    assert story.conclusions("DD-SEND-05") == NOTHING


@pytest.mark.parametrize(
    ("error", "words"), [("", "the peer fetched only the first 8 of 17 octets"), ("WSAENOTCONN", "at the peer Recv")]
)
def test_the_finding_says_what_became_of_too_much(error: str, words: str) -> None:
    story = Story(LIMITED, wire=False)
    story.iut.send_disconnect(LONG)
    story.peer.recv(error="WSAEDISCON")
    story.peer.recv_disconnect(LONG[:8], error=error)
    (finding,) = story.judge("DD-SEND-05")
    assert {finding.outcome} == VIOLATED
    assert words in finding.because


@WIRED
@pytest.mark.parametrize(("got", "expected"), [(LONG, SATISFIED), (LONG[:16], VIOLATED), (b"", VIOLATED)])
def test_too_much_is_never_cut_silently(wire: bool, got: bytes, expected: set[Conclusion]) -> None:
    story = Story(LIMITED, wire=wire)
    story.iut.send_disconnect(LONG)
    if wire:
        story.pdu(IUT, "RELEASE", got)
    story.peer.recv(error="WSAEDISCON")
    story.peer.recv_disconnect(got)
    assert story.conclusions("DD-SEND-05") == expected
    assert story.conclusions("DD-SEND-01") == NOTHING


def test_what_is_within_the_limit_is_not_too_much() -> None:
    story = Story(LIMITED)
    story.iut.send_disconnect(LONG[:16], error="WSAEMSGSIZE")
    assert story.conclusions("DD-SEND-05") == NOTHING
    assert story.conclusions("DD-SEND-01") == VIOLATED


# --- DD-SEND-07, DD-SEND-08 -------------------------------------------------------------------------------------------


def twice(*, wire: bool, put: bytes = TOTAL, error: str = "WSAESHUTDOWN") -> Story:
    story = Story(REFERENCE, wire=wire, exercises=("DD-SEND-07",))
    story.iut.send_disconnect(TOTAL)
    if wire:
        story.pdu(IUT, "RELEASE", put)
    story.iut.send_disconnect(b"second", error=error)
    return story


@WIRED
@pytest.mark.parametrize("error", ["", "WSAESHUTDOWN"])
@pytest.mark.parametrize(
    ("got", "expected"), [(TOTAL, SATISFIED), (b"second", VIOLATED), (TOTAL + b"second", VIOLATED), (b"", UNDETERMINED)]
)
def test_the_second_data_never_comes(wire: bool, error: str, got: bytes, expected: set[Conclusion]) -> None:
    story = twice(wire=wire, error=error)
    story.peer.recv(error="WSAEDISCON")
    story.peer.recv_disconnect(got)
    assert story.conclusions("DD-SEND-07") == expected


def test_the_second_data_on_the_link() -> None:
    assert twice(wire=True, put=b"second").conclusions("DD-SEND-07") == VIOLATED
    story = twice(wire=True)
    story.pdu(IUT, "RELEASE", b"second")
    assert story.conclusions("DD-SEND-07") == VIOLATED


def test_the_second_data_comes_with_a_second_fetch() -> None:
    story = twice(wire=False, error="")
    story.peer.recv(error="WSAEDISCON")
    story.peer.recv_disconnect(TOTAL)
    story.peer.recv_disconnect(b"second")
    assert story.conclusions("DD-SEND-07") == VIOLATED


def test_a_fetch_before_the_second_call_proves_nothing() -> None:
    story = Story(REFERENCE, wire=False, exercises=("DD-SEND-07",))
    story.iut.send_disconnect(TOTAL)
    story.peer.recv(error="WSAEDISCON")
    story.peer.recv_disconnect(TOTAL)
    story.iut.send_disconnect(b"second")
    assert story.conclusions("DD-SEND-07") == UNDETERMINED


@pytest.mark.parametrize(("read", "expected"), [((5, 7), SATISFIED), ((5,), VIOLATED), ((7, 5), VIOLATED)])
def test_what_was_sent_comes_first(read: tuple[int, ...], expected: set[Conclusion]) -> None:
    story = Story(REFERENCE, wire=False)
    for length in (5, 7):
        story.iut.send(length)
    story.iut.send_disconnect(TOTAL)
    for length in read:
        story.peer.recv(length)
    story.peer.recv(error="WSAEDISCON")
    assert story.conclusions("DD-SEND-08") == expected


# --- DD-RECV-02 and on ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("got", "error", "expected"),
    [
        (TOTAL, "", SATISFIED),
        (b"", "WSAECONNRESET", SATISFIED),
        (b"", "WSAENOTCONN", SATISFIED),
        (b"", "", VIOLATED),
        (b"invented", "", VIOLATED),
        (TOTAL[:1], "", VIOLATED),
    ],
)
def test_data_of_an_abort(got: bytes, error: str, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "ABORT", TOTAL, reason=0)
    story.iut.recv(error="WSAECONNRESET")
    story.iut.recv_disconnect(got, error=error)
    assert story.conclusions("DD-RECV-02") == expected


@pytest.mark.parametrize(
    ("data", "takes", "error", "expected"),
    [
        (b"", 1, "", SATISFIED),
        (b"", 1, "WSAENOTCONN", SATISFIED),
        (b"", 999, "", SATISFIED),
        (b"", 1100, "", VIOLATED),
        (b"", 1100, "WSAEWOULDBLOCK", VIOLATED),
        (b"invented", 1, "", VIOLATED),
    ],
)
@WIRED
def test_too_early_it_neither_blocks_nor_invents(
    wire: bool, data: bytes, takes: int, error: str, expected: set[Conclusion]
) -> None:
    story = Story(REFERENCE, wire=wire)
    story.iut.recv_disconnect(data, takes=takes, error=error)
    assert story.conclusions("DD-RECV-03") == expected


def test_too_early_and_fetched_later_is_recorded() -> None:
    story = Story(REFERENCE, wire=False)
    story.iut.recv_disconnect(b"")
    story.peer.send_disconnect(TOTAL)
    story.iut.recv_disconnect(TOTAL)
    (finding,) = story.judge("DD-RECV-03")
    assert "once the end had come, the IUT fetched all 9 octets" in finding.because


def test_an_end_that_had_come_unnoticed_is_not_too_early() -> None:
    story = goodbye()
    story.iut.recv_disconnect(TOTAL)
    assert story.conclusions("DD-RECV-03") == NOTHING


@pytest.mark.parametrize(
    ("room", "got", "error", "expected"),
    [
        (8, b"", "WSAEFAULT", SATISFIED),
        (0, b"", "WSAEFAULT", SATISFIED),
        (8, TOTAL[:8], "", VIOLATED),
        (8, b"", "", VIOLATED),
        (8, b"", "WSAEMSGSIZE", VIOLATED),
        (9, TOTAL, "", NOTHING),
    ],
)
@WIRED
def test_a_small_buffer(wire: bool, room: int, got: bytes, error: str, expected: set[Conclusion]) -> None:
    story = noticed(goodbye(wire=wire))
    story.iut.recv_disconnect(got, room=room, error=error)
    assert story.conclusions("DD-RECV-04") == expected


@pytest.mark.parametrize(("again", "words"), [(TOTAL, "all 9 octets"), (b"", "none of the 9")])
def test_whether_the_data_stays_is_recorded(again: bytes, words: str) -> None:
    story = noticed(goodbye())
    story.iut.recv_disconnect(error="WSAEFAULT", room=8)
    story.iut.recv_disconnect(again)
    (finding,) = story.judge("DD-RECV-04")
    assert {finding.outcome} == SATISFIED
    assert words in finding.because


@pytest.mark.parametrize("room", [None, 100])
@pytest.mark.parametrize(
    ("got", "error", "expected"),
    [(b"", "WSAENOPROTOOPT", SATISFIED), (b"", "", SATISFIED), (b"x", "", VIOLATED), (b"", "WSAEFAULT", VIOLATED)],
)
def test_without_disconnect_data(room: int | None, got: bytes, error: str, expected: set[Conclusion]) -> None:
    story = Story(NO_DATA, wire=False)
    story.peer.shutdown("send")
    story.iut.recv(error="WSAEDISCON")
    story.iut.recv_disconnect(got, error=error, room=room)
    assert story.conclusions("DD-RECV-05") == expected


@WIRED
@pytest.mark.parametrize(
    ("receive", "send", "disconnect", "expected"),
    [
        ("WSAESHUTDOWN", "", "", SATISFIED),
        ("WSAEDISCON", "", "", VIOLATED),
        ("", "", "", VIOLATED),
        ("WSAESHUTDOWN", "WSAESHUTDOWN", "", VIOLATED),
        ("WSAESHUTDOWN", "", "WSAESHUTDOWN", VIOLATED),
        ("WSAESHUTDOWN", "", "WSAENOTCONN", VIOLATED),
    ],
)
def test_it_ends_receiving_alone(
    wire: bool, receive: str, send: str, disconnect: str, expected: set[Conclusion]
) -> None:
    story = noticed(goodbye(wire=wire))
    story.iut.recv_disconnect(TOTAL)
    story.iut.recv(error=receive)
    story.iut.send(5, error=send)
    story.iut.send_disconnect(b"grand total", error=disconnect)
    assert story.conclusions("DD-RECV-06") == expected


def test_sending_after_the_peer_is_gone_is_another_matter() -> None:
    story = noticed(goodbye())
    story.iut.recv_disconnect(TOTAL)
    story.iut.recv(error="WSAESHUTDOWN")
    story.peer.close()
    story.iut.send(5, error="WSAECONNRESET")
    assert story.conclusions("DD-RECV-06") == NOTHING


def test_data_that_is_not_claimed_is_another_matter() -> None:
    story = Story(NO_DATA, wire=False)
    story.peer.shutdown("send")
    story.iut.recv(error="WSAEDISCON")
    story.iut.recv_disconnect(b"")
    story.iut.recv(error="WSAESHUTDOWN")
    story.iut.send_disconnect(b"x", error="WSAENOPROTOOPT")
    assert story.conclusions("DD-RECV-06") == NOTHING


@pytest.mark.parametrize(
    ("takes", "then", "expected"),
    [
        (1, "", SATISFIED),
        (900, "", SATISFIED),
        (1100, "", VIOLATED),
        (5000, "", VIOLATED),
        (1, "WSAENOTSOCK", VIOLATED),
    ],
)
def test_it_does_not_linger(takes: int, then: str, expected: set[Conclusion]) -> None:
    story = goodbye()
    story.iut.linger(5)
    noticed(story).iut.recv_disconnect(TOTAL, takes=takes)
    story.iut.call("names", error=then)
    story.iut.close()
    assert story.conclusions("DD-RECV-07") == expected


def test_without_linger_nothing_is_shown_of_it() -> None:
    story = noticed(goodbye())
    story.iut.recv_disconnect(TOTAL)
    story.iut.close()
    assert story.conclusions("DD-RECV-07") == NOTHING


@pytest.mark.parametrize(
    ("second", "error", "expected"),
    [(TOTAL, "", SATISFIED), (b"", "", SATISFIED), (b"", "WSAENOTCONN", SATISFIED), (b"other", "", VIOLATED)],
)
def test_a_second_fetch_is_recorded(second: bytes, error: str, expected: set[Conclusion]) -> None:
    story = noticed(goodbye())
    story.iut.recv_disconnect(TOTAL)
    story.iut.recv_disconnect(second, error=error)
    assert story.conclusions("DD-RECV-08") == expected


@pytest.mark.parametrize(
    ("more", "words"),
    [({}, "told 9, and nothing else"), ({"len": 9}, "held 9"), ({"len": 4096}, "held 4096"), ({"guard": 1}, "guard 1")],
)
def test_how_the_length_is_told_is_recorded(more: dict[str, Any], words: str) -> None:
    story = noticed(goodbye())
    call = story.iut.begin("recv_disconnect", length=4096)
    story.iut.finish(call, length=9, data="dGhlIHRvdGFs", **more)
    (finding,) = story.judge("DD-RECV-09")
    assert {finding.outcome} == SATISFIED
    assert words in finding.because


# --- what does not apply ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("requirement", ["DD-SEND-01", "DD-SEND-05", "DD-SEND-07", "DD-RECV-01", "DD-RECV-04"])
def test_nothing_is_asked_of_who_claims_no_disconnect_data(requirement: str) -> None:
    story = Story(NO_DATA, wire=False)
    story.peer.send_disconnect(TOTAL)
    story.iut.recv(error="WSAEDISCON")
    story.iut.recv_disconnect(b"")
    assert story.conclusions(requirement) == NOTHING


@pytest.mark.parametrize("tell", [goodbye, said])
def test_the_kernel_is_not_asked_at_all(tell: Callable[[], Story]) -> None:
    story = tell()
    story.header = msgspec.structs.replace(story.header, statement=statement("tcp"))
    assert story.conclusions("DD-SEND-01") == NOTHING
