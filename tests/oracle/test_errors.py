# SPDX-License-Identifier: MIT
"""The judges of errors and misuse: what must be refused, and what a refused call must leave alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.catalogue.statement import Statement
from conformance.oracle.findings import Conclusion
from tests.oracle.story import (
    IUT,
    KERNEL_TCP,
    MS,
    PEER,
    REFERENCE,
    UNIX_SEQPACKET,
    WINDOWS_TCP,
    Story,
    wireless,
)

SATISFIED, VIOLATED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}
NOTHING = set[Conclusion]()


BOTH = pytest.mark.parametrize("make", [Story, wireless])

# --- ERR-01 -----------------------------------------------------------------------------------------------------------


def _fresh() -> Story:
    story = Story(connected=False)
    story.iut.call("socket", socket=None, family="inet", kind="stream", result={"socket": 7})
    return story


@pytest.mark.parametrize(("error", "expected"), [("ENOTCONN", SATISFIED), ("EINVAL", VIOLATED), ("", VIOLATED)])
@pytest.mark.parametrize("how", ["send", "receive", "both"])
def test_shutdown_needs_a_connection(how: str, error: str, expected: set[Conclusion]) -> None:
    story = _fresh()
    story.iut.shutdown(how, socket=7, error=error)
    assert story.conclusions("ERR-01") == expected


@pytest.mark.parametrize("before", ["connect", "listen", "close"])
def test_a_socket_that_was_used_is_no_new_socket(before: str) -> None:
    story = _fresh()
    story.iut.call(before, socket=7, error="ECONNREFUSED" if before == "connect" else "")
    story.iut.shutdown("send", socket=7)
    assert story.conclusions("ERR-01") == NOTHING


def test_two_faults_at_once_are_not_judged() -> None:
    story = _fresh()
    story.iut.shutdown(7, socket=7, error="EINVAL")
    assert story.conclusions("ERR-01") == NOTHING


@pytest.mark.parametrize(
    ("claimed", "arguments", "expected"),
    [
        (KERNEL_TCP, {}, SATISFIED),
        (KERNEL_TCP, {"data": "AAEC"}, NOTHING),
        (KERNEL_TCP, {"unreadable": True}, NOTHING),
        (REFERENCE, {}, SATISFIED),
        (REFERENCE, {"data": "AAEC"}, SATISFIED),
    ],
)
def test_disconnect_data_is_a_second_fault_where_there_is_none(
    claimed: Statement, arguments: dict[str, Any], expected: set[Conclusion]
) -> None:
    story = Story(claimed, connected=False)
    story.iut.call("socket", socket=None, family="inet", kind="stream", result={"socket": 7})
    story.iut.call("send_disconnect", socket=7, error="ENOTCONN", **arguments)
    assert story.conclusions("ERR-01") == expected


def test_a_call_on_no_socket_changes_none() -> None:
    story = Story(connected=False)
    for socket in (1, 2):
        story.iut.call("socket", socket=None, family="inet", kind="stream", result={"socket": socket})
    story.iut.call("accept", socket=None, error="EINVAL")
    for socket in (1, 2):
        story.iut.shutdown("send", socket=socket)
    assert len(story.judge("ERR-01")) == 2


def test_a_connected_socket_is_not_judged() -> None:
    story = Story()
    story.iut.shutdown("send")
    story.fin(IUT)
    assert story.conclusions("ERR-01") == NOTHING


# --- ERR-02 -----------------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(("error", "expected"), [("EINVAL", SATISFIED), ("ENOTCONN", VIOLATED), ("", VIOLATED)])
@pytest.mark.parametrize("how", [3, 7, -1])
def test_an_unknown_direction_is_invalid(
    make: Callable[[], Story], how: int, error: str, expected: set[Conclusion]
) -> None:
    story = make()
    story.iut.shutdown(how, error=error)
    assert story.conclusions("ERR-02") == expected


@pytest.mark.parametrize("how", [0, 1, 2, "send"])
def test_a_known_direction_is_not_judged(how: int | str) -> None:
    story = Story()
    story.iut.shutdown(how)
    assert story.conclusions("ERR-02") == NOTHING


def test_after_a_reset_another_error_may_win() -> None:
    story = Story()
    story.rst(PEER)
    story.iut.shutdown(7, error="ENOTCONN")
    assert story.conclusions("ERR-02") == NOTHING


@pytest.mark.parametrize(("early", "expected"), [(0, SATISFIED), (1, NOTHING)])
def test_before_the_connection_is_there_another_error_may_win(early: int, expected: set[Conclusion]) -> None:
    story = wireless()
    story.now -= MS + early
    story.iut.shutdown(7, error="EINVAL")
    assert story.conclusions("ERR-02") == expected


@BOTH
@pytest.mark.parametrize(("late", "expected"), [(0, SATISFIED), (1, NOTHING)])
def test_a_call_is_over_before_its_own_end_is_asked_for(
    make: Callable[[], Story], late: int, expected: set[Conclusion]
) -> None:
    story = make()
    call, goodbye = story.iut.begin("shutdown", how=7), story.iut.begin("shutdown", how="send")
    story.now += late - MS
    story.iut.finish(call, error="EINVAL")
    story.iut.finish(goodbye)
    assert story.conclusions("ERR-02") == expected


@BOTH
@pytest.mark.parametrize("goodbye", ["shutdown", "close"])
def test_after_its_own_end_another_error_may_win(make: Callable[[], Story], goodbye: str) -> None:
    story = make()
    getattr(story.iut, goodbye)()
    if story.header.wire:
        story.fin(IUT)
    story.iut.shutdown(7, error="ENOTCONN")
    assert story.conclusions("ERR-02") == NOTHING


# --- ERR-05 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "expected"), [("EBADF", SATISFIED), ("ENOTSOCK", SATISFIED), ("EINVAL", VIOLATED), ("", VIOLATED)]
)
@pytest.mark.parametrize("op", ["shutdown", "recv", "get_error", "close"])
def test_a_closed_handle_is_refused(op: str, error: str, expected: set[Conclusion]) -> None:
    story = Story()
    story.iut.close()
    story.iut.call(op, error=error, length=10, how="send")
    assert story.conclusions("ERR-05") == expected


@pytest.mark.parametrize("options", [{"timeout": True}, {"timeout": True, "wait_ms": 5}])
def test_a_receive_that_waits_on_a_closed_handle_is_not_refused(options: dict[str, Any]) -> None:
    story = Story()
    story.iut.close()
    story.iut.recv(**options)
    assert story.conclusions("ERR-05") == VIOLATED


@pytest.mark.parametrize("op", ["socket", "accept", "duplicate"])
def test_a_new_handle_may_have_taken_its_place(op: str) -> None:
    story = Story()
    story.iut.close()
    story.iut.call(op, socket=9, result={"socket": 8})
    story.iut.shutdown("send", error="ENOTCONN")
    assert story.conclusions("ERR-05") == NOTHING


def test_an_accept_under_way_may_take_its_place() -> None:
    story = Story()
    accept = story.iut.begin("accept", socket=9)
    story.iut.close()
    story.iut.shutdown("send", error="ENOTCONN")
    story.iut.finish(accept, socket=8)
    assert story.conclusions("ERR-05") == NOTHING


@pytest.mark.parametrize(("answer", "expected"), [("before", SATISFIED), ("never", NOTHING)])
def test_an_accept_that_was_over_before_takes_no_place(answer: str, expected: set[Conclusion]) -> None:
    story = Story()
    accepting = story.iut.begin("accept", socket=9)
    if answer == "before":
        story.iut.finish(accepting, error="EAGAIN")
    story.iut.close()
    story.iut.shutdown("send", error="EBADF")
    assert story.conclusions("ERR-05") == expected


@pytest.mark.parametrize(("early", "expected"), [(0, NOTHING), (1, SATISFIED)])
def test_an_accept_that_returns_with_the_close_may_have_taken_its_place(early: int, expected: set[Conclusion]) -> None:
    story = Story()
    accepting, close = story.iut.begin("accept", socket=9), story.iut.begin("close")
    story.now -= MS + early
    story.iut.finish(accepting, socket=8)
    story.now += early
    story.iut.finish(close)
    story.iut.shutdown("send", error="EBADF")
    assert story.conclusions("ERR-05") == expected


@pytest.mark.parametrize(("late", "expected"), [(0, NOTHING), (1, SATISFIED)])
def test_a_handle_that_is_made_until_the_call_returns_may_have_taken_its_place(
    late: int, expected: set[Conclusion]
) -> None:
    story = Story()
    story.iut.close()
    call = story.iut.begin("shutdown", how="send")
    story.iut.finish(call, error="EBADF")
    story.now += late - MS
    story.iut.call("duplicate", socket=9, result={"socket": 8})
    assert story.conclusions("ERR-05") == expected


def test_a_call_that_overlaps_the_close_is_not_judged() -> None:
    story = Story()
    close = story.iut.begin("close")
    story.iut.recv(error="ECONNABORTED")
    story.iut.finish(close)
    assert story.conclusions("ERR-05") == NOTHING


def test_the_handle_of_a_close_that_failed_is_not_judged() -> None:
    story = Story()
    story.iut.close(error="EIO")
    story.iut.shutdown("send")
    assert story.conclusions("ERR-05") == NOTHING


def test_the_peers_handles_are_not_judged() -> None:
    story = Story()
    story.peer.close()
    story.peer.recv(error="EINVAL")
    assert story.conclusions("ERR-05") == NOTHING


# --- ERR-07 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", ["", "ECONNRESET", "ENOTCONN"])
def test_shutdown_after_an_abort_is_recorded(error: str) -> None:
    story = Story()
    story.rst(PEER)
    story.iut.recv(error="ECONNRESET")
    story.iut.shutdown("send", error=error)
    (finding,) = story.judge("ERR-07")
    assert finding.outcome is Conclusion.SATISFIED
    assert finding.matched


def test_without_a_link_an_abort_that_was_told_is_enough() -> None:
    story = wireless()
    story.iut.send(5)
    story.peer.close()
    story.iut.recv(error="ECONNRESET")
    story.iut.shutdown("send")
    assert story.conclusions("ERR-07") == SATISFIED


def test_shutdown_before_the_abort_is_told_is_not_recorded() -> None:
    story = Story()
    story.rst(PEER)
    story.iut.shutdown("send", error="ENOTCONN")
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("ERR-07") == NOTHING


def test_a_shutdown_of_a_closed_socket_is_not_recorded() -> None:
    story = Story()
    story.rst(PEER)
    story.iut.recv(error="ECONNRESET")
    story.iut.shutdown("send")
    recorded = story.judge("ERR-07")
    assert len(recorded) == 1
    story.iut.close()
    story.iut.shutdown("send", error="EBADF")
    assert story.judge("ERR-07") == recorded


@pytest.mark.parametrize(("early", "expected"), [(0, NOTHING), (1, SATISFIED)])
def test_a_shutdown_at_the_instant_of_the_close_is_not_recorded(early: int, expected: set[Conclusion]) -> None:
    story = Story()
    story.rst(PEER)
    story.iut.recv(error="ECONNRESET")
    shutdown = story.iut.begin("shutdown", how="send")
    story.now += early - MS
    close = story.iut.begin("close")
    story.iut.finish(shutdown)
    story.iut.finish(close)
    assert story.conclusions("ERR-07") == expected


@pytest.mark.parametrize(("early", "expected"), [(0, SATISFIED), (1, NOTHING)])
def test_a_shutdown_is_recorded_from_the_instant_at_which_the_abort_is_told(
    early: int, expected: set[Conclusion]
) -> None:
    story = Story()
    story.rst(PEER)
    reading, shutdown = story.iut.begin("recv", length=10), story.iut.begin("shutdown", how="send")
    story.now += early - MS
    story.iut.finish(reading, error="ECONNRESET")
    story.iut.finish(shutdown)
    assert story.conclusions("ERR-07") == expected


def test_shutdown_after_a_graceful_end_is_not_recorded() -> None:
    story = Story()
    story.peer.shutdown("send")
    story.fin(PEER)
    story.iut.recv()
    story.iut.shutdown("send")
    assert story.conclusions("ERR-07") == NOTHING


# --- ERR-08 -----------------------------------------------------------------------------------------------------------


def _refused(make: Callable[[], Story]) -> Story:
    story = make()
    story.iut.send(4)
    if story.header.wire:
        story.data(IUT, 4)
    story.peer.recv(4)
    story.iut.shutdown(7, error="EINVAL")
    return story


def _flows(story: Story, *, there: bool = True, back: bool = True) -> None:
    if there:
        story.iut.send(5)
        if story.header.wire:
            story.data(IUT, 5)
        story.peer.recv(5)
    if back:
        story.peer.send(5)
        if story.header.wire:
            story.data(PEER, 5)
        story.iut.recv(5)


@BOTH
def test_a_refused_call_changes_nothing(make: Callable[[], Story]) -> None:
    story = _refused(make)
    _flows(story)
    story.iut.close()
    if story.header.wire:
        story.fin(IUT)
    story.peer.recv()
    assert story.conclusions("ERR-08") == SATISFIED


@BOTH
@pytest.mark.parametrize("there", [True, False])
def test_one_direction_shows_only_half(make: Callable[[], Story], there: bool) -> None:
    story = _refused(make)
    _flows(story, there=there, back=not there)
    assert story.conclusions("ERR-08") == NOTHING


@pytest.mark.parametrize("flags", ["FA", "RA"])
def test_a_refused_call_sends_no_end(flags: str) -> None:
    story = _refused(Story)
    story.segment(IUT, flags)
    assert story.conclusions("ERR-08") == VIOLATED


@pytest.mark.parametrize("error", ["", "ECONNRESET"])
def test_a_refused_call_brings_the_peer_no_word(error: str) -> None:
    story = _refused(wireless)
    story.peer.recv(error=error)
    assert story.conclusions("ERR-08") == VIOLATED


@BOTH
def test_a_refused_call_must_not_stop_sending(make: Callable[[], Story]) -> None:
    story = _refused(make)
    story.iut.send(5, error="EPIPE")
    assert story.conclusions("ERR-08") == VIOLATED


@BOTH
@pytest.mark.parametrize("error", ["", "ESHUTDOWN"])
def test_a_refused_call_must_not_stop_receiving(make: Callable[[], Story], error: str) -> None:
    story = _refused(make)
    story.iut.recv(error=error)
    assert story.conclusions("ERR-08") == VIOLATED


PROMPT_MS = 1000  # the story's prompt time


def _peer_sends(story: Story, *, acknowledged: bool = True) -> None:
    story.peer.send(5)
    if story.header.wire:
        story.data(PEER, 5, acked=acknowledged)


@BOTH
@pytest.mark.parametrize(
    ("takes", "expected"), [(PROMPT_MS + 1, VIOLATED), (PROMPT_MS, VIOLATED), (PROMPT_MS - 1, NOTHING)]
)
def test_after_a_refused_call_data_that_has_come_is_not_withheld(
    make: Callable[[], Story], takes: int, expected: set[Conclusion]
) -> None:
    story = _refused(make)
    _peer_sends(story)
    story.iut.recv(timeout=True, takes=takes, wait_ms=takes)
    assert story.conclusions("ERR-08") == expected


LONG_MS = PROMPT_MS + 100


@BOTH
@pytest.mark.parametrize("answer", ["some of it", "not yet"])
def test_a_receive_that_did_not_wait_in_vain_shows_nothing_was_withheld(make: Callable[[], Story], answer: str) -> None:
    story = _refused(make)
    _peer_sends(story)
    if answer == "some of it":
        story.iut.recv(2, takes=LONG_MS)
    else:
        story.iut.recv(error="EAGAIN", takes=LONG_MS)
    assert story.conclusions("ERR-08") == NOTHING
    story.iut.recv(timeout=True, takes=LONG_MS, wait_ms=LONG_MS)
    assert story.conclusions("ERR-08") == VIOLATED


@BOTH
@pytest.mark.parametrize(("early", "expected"), [(0, VIOLATED), (1, NOTHING)])
def test_a_receive_that_waits_since_before_the_refusal_shows_nothing(
    make: Callable[[], Story], early: int, expected: set[Conclusion]
) -> None:
    story = make()
    _peer_sends(story)
    call = story.iut.begin("shutdown", how=7)
    reading = story.iut.begin("recv", length=10, wait_ms=LONG_MS)
    story.now += early - MS
    story.iut.finish(call, error="EINVAL")
    story.wait(LONG_MS)
    story.iut.finish(reading, timeout=True)
    assert story.conclusions("ERR-08") == expected


@BOTH
@pytest.mark.parametrize(("early", "expected"), [(0, NOTHING), (1, VIOLATED)])
@pytest.mark.parametrize("how", ["send", "receive", "both"])
def test_a_wait_that_its_own_end_may_have_cut_short_shows_nothing(
    make: Callable[[], Story], how: str, early: int, expected: set[Conclusion]
) -> None:
    story = _refused(make)
    _peer_sends(story)
    reading = story.iut.begin("recv", length=10, wait_ms=LONG_MS)
    story.wait(LONG_MS)
    call = story.iut.begin("shutdown", how=how)
    story.now -= MS + early
    story.iut.finish(reading, timeout=True)
    story.now += early
    story.iut.finish(call)
    assert story.conclusions("ERR-08") == expected


def test_data_that_the_link_does_not_show_to_have_come_is_not_withheld() -> None:
    story = _refused(Story)
    _peer_sends(story, acknowledged=False)
    story.iut.recv(timeout=True, takes=1100, wait_ms=1100)
    assert story.conclusions("ERR-08") == NOTHING


@BOTH
def test_a_receive_that_waits_once_all_was_read_shows_nothing(make: Callable[[], Story]) -> None:
    story = _refused(make)
    _peer_sends(story)
    story.iut.recv(5)
    story.iut.recv(timeout=True, takes=1100, wait_ms=1100)
    assert story.conclusions("ERR-08") == NOTHING


def test_a_refused_call_raises_no_fd_close() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.event_select("FD_CLOSE", mechanism="message")
    story.iut.shutdown(7, error="WSAEINVAL")
    story.iut.indicates("FD_CLOSE")
    assert story.conclusions("ERR-08") == VIOLATED


@pytest.mark.parametrize(
    ("since_call", "before_end", "expected"),
    [(0, 1, NOTHING), (1, 1, VIOLATED), (1, 0, NOTHING)],
)
def test_fd_close_is_the_refused_call_s_if_it_is_raised_after_its_entry_and_before_the_next_end(
    since_call: int, before_end: int, expected: set[Conclusion]
) -> None:
    story = Story(WINDOWS_TCP)
    story.iut.event_select("FD_CLOSE", mechanism="message")
    call = story.iut.begin("shutdown", how=7)
    story.now += since_call - MS
    story.iut.finish(call, error="WSAEINVAL")
    story.now -= MS
    story.iut.indicates("FD_CLOSE")
    story.now += before_end - MS
    story.iut.shutdown("send")
    assert story.conclusions("ERR-08") == expected


def test_the_peers_end_after_a_refused_call_raises_fd_close() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.event_select("FD_CLOSE", mechanism="message")
    story.iut.shutdown(7, error="WSAEINVAL")
    story.peer.shutdown("send")
    story.fin(PEER)
    story.iut.indicates("FD_CLOSE")
    assert story.conclusions("ERR-08") == NOTHING


@pytest.mark.parametrize("posted", [True, False])
def test_fd_close_that_may_have_been_there_before_is_not_of_the_refused_call(posted: bool) -> None:
    story = Story(WINDOWS_TCP)
    story.iut.event_select("FD_CLOSE", mechanism="message" if posted else "event")
    if posted:
        story.iut.indicates("FD_CLOSE")
        story.wait(1)
    story.iut.shutdown(7, error="WSAEINVAL")
    if not posted:  # the record does not tell when it was raised
        story.iut.enum_events(("FD_CLOSE", ""))
    assert story.conclusions("ERR-08") == NOTHING
    assert story.conclusions("IND-FDC-01") == VIOLATED


@BOTH
def test_a_call_that_succeeds_was_not_refused(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.shutdown(7)
    if story.header.wire:
        story.fin(IUT)
    story.peer.recv()
    assert story.conclusions("ERR-08") == NOTHING


@BOTH
def test_the_peers_own_end_is_no_consequence(make: Callable[[], Story]) -> None:
    story = _refused(make)
    story.peer.shutdown("send")
    if story.header.wire:
        story.fin(PEER)
    story.iut.recv()
    assert story.conclusions("ERR-08") == NOTHING


@BOTH
def test_death_is_no_consequence(make: Callable[[], Story]) -> None:
    story = _refused(make)
    story.iut.dies()
    if story.header.wire:
        story.fin(IUT)
    story.peer.recv()
    assert story.conclusions("ERR-08") == NOTHING


@BOTH
def test_an_end_that_was_told_before_the_call_is_no_consequence(make: Callable[[], Story]) -> None:
    story = make()
    reading = story.iut.begin("recv", length=10)
    story.iut.shutdown(7, error="EINVAL")
    story.iut.finish(reading, length=0, data="")
    assert story.conclusions("ERR-08") == NOTHING


@BOTH
@pytest.mark.parametrize(("early", "expected"), [(0, VIOLATED), (1, NOTHING)])
def test_an_end_is_told_by_a_receive_that_is_made_once_the_call_had_returned(
    make: Callable[[], Story], early: int, expected: set[Conclusion]
) -> None:
    story = make()
    call = story.iut.begin("shutdown", how=7)
    reading = story.iut.begin("recv", length=10)
    story.now += early - MS
    story.iut.finish(call, error="EINVAL")
    story.iut.finish(reading, length=0, data="")
    assert story.conclusions("ERR-08") == expected


@BOTH
@pytest.mark.parametrize(("early", "expected"), [(0, NOTHING), (1, VIOLATED)])
def test_an_end_is_told_before_the_peers_end_has_come(
    make: Callable[[], Story], early: int, expected: set[Conclusion]
) -> None:
    story = _refused(make)
    reading = story.iut.begin("recv", length=10)
    shutdown = story.peer.begin("shutdown", how="send")
    if story.header.wire:
        story.segment(PEER, "FA")
    story.now -= MS + early
    story.iut.finish(reading, length=0, data="")
    story.now += early
    story.peer.finish(shutdown)
    assert story.conclusions("ERR-08") == expected


@BOTH
@pytest.mark.parametrize(("early", "expected"), [(0, NOTHING), (1, VIOLATED)])
@pytest.mark.parametrize("how", ["send", "both"])
def test_an_end_is_told_before_the_next_goodbye(
    make: Callable[[], Story], how: str, early: int, expected: set[Conclusion]
) -> None:
    story = _refused(make)
    reading, call = story.iut.begin("recv", length=10), story.iut.begin("shutdown", how=how)
    story.now -= MS + early
    story.iut.finish(reading, length=0, data="")
    story.now += early
    story.iut.finish(call)
    assert story.conclusions("ERR-08") == expected


@BOTH
def test_an_end_that_is_told_after_the_next_goodbye_is_not_either(make: Callable[[], Story]) -> None:
    story = _refused(make)
    story.iut.shutdown("both")
    if story.header.wire:
        story.fin(IUT)
    story.iut.recv()
    assert story.conclusions("ERR-08") == NOTHING


@BOTH
def test_what_is_read_of_what_was_sent_before_shows_nothing(make: Callable[[], Story]) -> None:
    story = make()
    for end, teller, other in ((IUT, story.iut, story.peer), (PEER, story.peer, story.iut)):
        teller.send(10)
        if story.header.wire:
            story.data(end, 10)
        other.recv(4)
    story.iut.shutdown(7, error="EINVAL")
    for end, teller, other in ((IUT, story.iut, story.peer), (PEER, story.peer, story.iut)):
        teller.send(5, seed=10)
        if story.header.wire:
            story.data(end, 5)
        other.recv(6, offset=4)
    assert story.conclusions("ERR-08") == NOTHING
    story.iut.recv(1, offset=10)
    assert story.conclusions("ERR-08") == NOTHING
    story.peer.recv(1, offset=10)
    assert story.conclusions("ERR-08") == SATISFIED


@BOTH
@pytest.mark.parametrize(("early", "expected"), [(0, SATISFIED), (1, NOTHING)])
@pytest.mark.parametrize("sender", ["iut", "peer"])
def test_what_is_sent_from_the_return_of_the_refused_call_on_shows_that_data_flow(
    make: Callable[[], Story], sender: str, early: int, expected: set[Conclusion]
) -> None:
    story = _refused(make)
    refused_at = story.now
    teller, other, end = (story.iut, story.peer, IUT) if sender == "iut" else (story.peer, story.iut, PEER)
    _flows(story, there=sender == "peer", back=sender == "iut")
    later, story.now = story.now, refused_at - MS - early
    sending = teller.begin("send", pattern={"seed": 0, "length": 5})
    story.now = later
    if story.header.wire:
        story.data(end, 5)
    teller.finish(sending, length=5)
    other.recv(5)
    assert story.conclusions("ERR-08") == expected


@BOTH
def test_what_was_sent_before_alone_shows_nothing(make: Callable[[], Story]) -> None:
    story = make()
    for end, teller in ((IUT, story.iut), (PEER, story.peer)):
        teller.send(10)
        if story.header.wire:
            story.data(end, 10)
    story.iut.shutdown(7, error="EINVAL")
    story.iut.recv(10)
    story.peer.recv(10)
    assert story.conclusions("ERR-08") == NOTHING


def test_messages_are_counted_whole() -> None:
    story = Story(UNIX_SEQPACKET)
    for teller, other in ((story.iut, story.peer), (story.peer, story.iut)):
        teller.send(10)
        other.recv(10)
    story.iut.shutdown(7, error="EINVAL")
    assert story.conclusions("ERR-08") == NOTHING
    for teller, other in ((story.iut, story.peer), (story.peer, story.iut)):
        teller.send(0)
        other.recv(0)
    assert story.conclusions("ERR-08") == SATISFIED


def test_an_empty_send_on_a_stream_shows_nothing() -> None:
    story = wireless()
    story.iut.shutdown(7, error="EINVAL")
    for teller, other in ((story.iut, story.peer), (story.peer, story.iut)):
        teller.send(0)
        teller.send(5)
        other.recv(5)
    assert story.conclusions("ERR-08") == SATISFIED
