# SPDX-License-Identifier: MIT
"""The judges of shutdown: for each, stories in which it holds, in which it is broken, and in which it says nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from conformance.oracle.findings import Conclusion
from conformance.trace.events import Established, Fate
from tests.oracle.story import IUT, MS, PEER, REFERENCE_STREAM, UNIX_SEQPACKET, UNIX_STREAM, WINDOWS_TCP, Story

SATISFIED, VIOLATED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}
UNDETERMINED, NOTHING = {Conclusion.UNDETERMINED}, set[Conclusion]()
Change = Callable[[Story], None]
PATIENCE = 1100  # ms; longer than the story's prompt time


def wireless() -> Story:
    return Story(UNIX_STREAM)


# --- INIT-SHUT-01, INIT-SHUT-02 ---------------------------------------------------------------------------------------

BEGINNINGS = pytest.mark.parametrize(("requirement", "how"), [("INIT-SHUT-01", "send"), ("INIT-SHUT-02", "both")])


@BEGINNINGS
def test_a_fin_after_shutdown_is_a_graceful_end(requirement: str, how: str) -> None:
    story = Story()
    story.iut.shutdown(how)
    story.fin(IUT)
    story.peer.recv()
    assert story.conclusions(requirement) == SATISFIED


@BEGINNINGS
def test_each_direction_has_its_own_requirement(requirement: str, how: str) -> None:
    story = Story()
    story.iut.shutdown("both" if how == "send" else "send")
    story.fin(IUT)
    assert story.conclusions(requirement) == NOTHING


@BEGINNINGS
def test_a_direction_given_as_a_number_counts(requirement: str, how: str) -> None:
    story = Story()
    story.iut.shutdown({"send": 1, "both": 2}[how])
    story.fin(IUT)
    assert story.conclusions(requirement) == SATISFIED


@BEGINNINGS
def test_what_comes_later_does_not_spoil_the_shutdown(requirement: str, how: str) -> None:
    story = Story()
    story.iut.shutdown(how)
    story.fin(IUT)
    story.data(PEER, 5)
    story.iut.linger(0)
    story.iut.close()
    story.rst(IUT)
    assert story.conclusions(requirement) == SATISFIED


@BEGINNINGS
def test_a_dropped_fin_was_sent_all_the_same(requirement: str, how: str) -> None:
    story = Story()
    story.iut.shutdown(how)
    story.segment(IUT, "FA", fate=Fate.DROPPED)
    story.peer.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions(requirement) == SATISFIED


@BEGINNINGS
def test_a_shutdown_that_fails_on_a_whole_connection_is_wrong(requirement: str, how: str) -> None:
    story = Story()
    story.iut.shutdown(how, error="ENOTCONN")
    assert story.conclusions(requirement) == VIOLATED


def _peer_reset(story: Story) -> None:
    story.rst(PEER)


def _told_of_a_reset(story: Story) -> None:
    story.iut.recv(error="ECONNRESET")


def _killed(story: Story) -> None:
    story.iut.dies()


def _user_timeout(story: Story) -> None:
    story.iut.call("set_option", name="USER_TIMEOUT", value=300)


def _link_meddled(story: Story) -> None:
    story.segment(PEER, "PA", 5, fate=Fate.DROPPED)


@BEGINNINGS
@pytest.mark.parametrize("before", [_peer_reset, _told_of_a_reset, _user_timeout, _link_meddled])
def test_a_shutdown_may_fail_on_a_broken_connection(requirement: str, how: str, before: Change) -> None:
    story = Story()
    before(story)
    story.iut.shutdown(how, error="ENOTCONN")
    assert story.conclusions(requirement) == NOTHING


@BEGINNINGS
def test_a_shutdown_that_the_agent_does_not_have_is_not_judged(requirement: str, how: str) -> None:
    story = Story()
    story.iut.finish(story.iut.begin("shutdown", how=how), unsupported="no half-close")
    assert story.conclusions(requirement) == NOTHING


@BEGINNINGS
def test_a_reset_instead_of_a_fin_is_wrong(requirement: str, how: str) -> None:
    story = Story()
    story.iut.shutdown(how)
    story.rst(IUT)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions(requirement) == VIOLATED


@BEGINNINGS
@pytest.mark.parametrize("before", [_peer_reset, _killed, _user_timeout, _link_meddled])
def test_a_reset_that_something_else_explains_is_not_judged(requirement: str, how: str, before: Change) -> None:
    story = Story()
    story.iut.shutdown(how)
    before(story)
    story.rst(IUT)
    assert Conclusion.VIOLATED not in story.conclusions(requirement)


@BEGINNINGS
def test_no_fin_while_the_peer_watches_is_wrong(requirement: str, how: str) -> None:
    story = Story()
    story.iut.shutdown(how)
    story.peer.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions(requirement) == VIOLATED


@BEGINNINGS
def test_no_fin_while_nobody_watches_is_not_judged(requirement: str, how: str) -> None:
    story = Story()
    story.iut.shutdown(how)
    story.peer.recv(timeout=True, takes=40, wait_ms=40)
    assert story.conclusions(requirement) == NOTHING


@BEGINNINGS
def test_no_fin_is_excused_by_data_that_still_waits(requirement: str, how: str) -> None:
    story = Story()
    story.iut.send(1000)
    story.data(IUT, 500)
    story.iut.shutdown(how)
    story.peer.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions(requirement) == NOTHING


@BEGINNINGS
def test_a_fin_only_after_close_may_be_the_close_s(requirement: str, how: str) -> None:
    story = Story()
    story.iut.shutdown(how)
    story.iut.close()
    story.fin(IUT)
    assert story.conclusions(requirement) == NOTHING


@BEGINNINGS
@pytest.mark.parametrize("make", [Story, wireless, lambda: Story(REFERENCE_STREAM)])
@pytest.mark.parametrize(("looked", "expected"), [(PATIENCE, VIOLATED), (PATIENCE // 2, NOTHING)])
def test_an_end_that_waits_for_the_close_is_not_begun(
    make: Callable[[], Story], looked: int, expected: set[Conclusion], requirement: str, how: str
) -> None:
    story = make()
    story.iut.shutdown(how)
    story.peer.recv(timeout=True, takes=looked, wait_ms=looked)
    story.iut.close()
    match story.header.statement.transport:
        case "tcp":
            story.fin(IUT)
        case "reference":
            story.pdu(IUT, "RELEASE")
    story.peer.recv()
    assert story.conclusions(requirement) == expected


@BEGINNINGS
def test_an_end_that_a_close_began_is_not_the_shutdown_s(requirement: str, how: str) -> None:
    story = Story()
    story.iut.close()
    story.fin(IUT)
    story.iut.shutdown(how, error="EBADF")
    assert story.conclusions(requirement) == NOTHING


@BEGINNINGS
def test_without_a_link_the_peers_word_counts(requirement: str, how: str) -> None:
    story = wireless()
    story.iut.shutdown(how)
    story.peer.recv()
    story.iut.close()
    assert story.conclusions(requirement) == SATISFIED


@BEGINNINGS
def test_without_a_link_a_reset_told_is_wrong(requirement: str, how: str) -> None:
    story = wireless()
    story.iut.shutdown(how)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions(requirement) == VIOLATED


@BEGINNINGS
def test_without_a_link_a_peer_that_waits_in_vain_shows_it(requirement: str, how: str) -> None:
    story = wireless()
    story.iut.shutdown(how)
    story.peer.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions(requirement) == VIOLATED


@BEGINNINGS
def test_without_a_link_a_word_after_close_may_be_the_close_s(requirement: str, how: str) -> None:
    story = wireless()
    story.iut.shutdown(how)
    story.iut.close()
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions(requirement) == NOTHING


@BEGINNINGS
def test_without_a_link_the_peers_own_end_is_no_word(requirement: str, how: str) -> None:
    story = wireless()
    waiting = story.peer.begin("recv", length=10)
    story.iut.shutdown(how)
    story.peer.shutdown("receive")
    story.peer.finish(waiting, length=0)
    assert story.conclusions(requirement) == NOTHING


@BEGINNINGS
def test_an_empty_message_is_no_word_of_an_end(requirement: str, how: str) -> None:
    story = Story(UNIX_SEQPACKET)
    story.iut.send(0)
    story.iut.shutdown(how)
    story.peer.recv()
    assert story.conclusions(requirement) == NOTHING
    story.peer.recv()
    assert story.conclusions(requirement) == SATISFIED


@BEGINNINGS
def test_lost_packets_leave_it_open(requirement: str, how: str) -> None:
    story = Story(lost=2)
    story.iut.shutdown(how)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions(requirement) == UNDETERMINED


@pytest.mark.parametrize("make", [Story, wireless])
def test_ending_both_with_data_unread_is_not_judged(make: Callable[[], Story]) -> None:
    story = make()
    story.peer.send(5)
    if story.header.wire:
        story.data(PEER, 5)
    story.iut.shutdown("both")
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-SHUT-02") == NOTHING


def test_ending_both_may_answer_later_data_with_a_reset() -> None:
    story = wireless()
    story.iut.shutdown("both")
    story.peer.send(5)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-SHUT-02") == NOTHING


def test_ending_sending_with_data_unread_is_judged() -> None:
    story = Story()
    story.peer.send(5)
    story.data(PEER, 5)
    story.iut.shutdown("send")
    story.rst(PEER)
    assert story.conclusions("INIT-SHUT-01") == NOTHING
    story = Story()
    story.peer.send(5)
    story.data(PEER, 5)
    story.iut.shutdown("send")
    story.fin(IUT)
    assert story.conclusions("INIT-SHUT-01") == SATISFIED


def at_once(story: Story) -> None:
    """What comes next has the time of what came last, as by a coarse clock."""
    story.now -= MS


# --- INIT-SHUT-03 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [Story, wireless])
def test_ending_receiving_tells_the_peer_nothing(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.shutdown("receive")
    story.peer.recv(timeout=True, takes=31, wait_ms=30)
    assert story.conclusions("INIT-SHUT-03") == SATISFIED


@pytest.mark.parametrize("make", [Story, wireless])
def test_a_poll_of_the_peers_is_a_look_too(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.shutdown("receive")
    story.peer.poll(takes=31)
    assert story.conclusions("INIT-SHUT-03") == SATISFIED


def test_ending_receiving_is_not_judged_without_a_long_look() -> None:
    story = Story()
    story.iut.shutdown("receive")
    story.peer.recv(timeout=True, takes=10, wait_ms=10)
    assert story.conclusions("INIT-SHUT-03") == NOTHING


@pytest.mark.parametrize("flags", ["FA", "RA"])
def test_ending_receiving_sends_no_fin_or_reset(flags: str) -> None:
    story = Story()
    story.iut.shutdown("receive")
    story.segment(IUT, flags)
    assert story.conclusions("INIT-SHUT-03") == VIOLATED


@pytest.mark.parametrize("error", ["", "ECONNRESET"])
def test_ending_receiving_brings_no_word_to_the_peer(error: str) -> None:
    story = wireless()
    story.iut.shutdown("receive")
    story.peer.recv(error=error)
    assert story.conclusions("INIT-SHUT-03") == VIOLATED


@pytest.mark.parametrize("next_step", ["shutdown", "close", "dies"])
@pytest.mark.parametrize("make", [Story, wireless])
def test_an_end_of_another_making_is_not_the_receive_shutdown_s(make: Callable[[], Story], next_step: str) -> None:
    story = make()
    story.iut.shutdown("receive")
    getattr(story.iut, next_step)()
    if story.header.wire:
        story.fin(IUT)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-03") == NOTHING


@pytest.mark.parametrize("make", [Story, wireless])
def test_data_after_the_receive_shutdown_excuses_a_reset(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.shutdown("receive")
    story.peer.send(5)
    if story.header.wire:
        story.data(PEER, 5)
        story.rst(IUT)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-SHUT-03") == NOTHING


def test_unread_data_excuses_a_reset_at_the_receive_shutdown() -> None:
    story = Story()
    story.peer.send(5)
    story.data(PEER, 5)
    story.iut.shutdown("receive")
    story.rst(IUT)
    assert story.conclusions("INIT-SHUT-03") == NOTHING


def test_a_receive_shutdown_after_an_end_is_not_judged() -> None:
    story = Story()
    story.iut.shutdown("send")
    story.fin(IUT)
    story.iut.shutdown("receive")
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-03") == NOTHING


def test_a_receive_shutdown_before_there_was_a_connection_ends_nothing_of_it() -> None:
    established = next(e for e in wireless().events if isinstance(e, Established))
    story = Story(UNIX_STREAM, connected=False)
    story.iut.shutdown("receive")
    story.add(msgspec.structs.replace(established, at=story.tick()))
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-03") == NOTHING


def test_a_receive_shutdown_that_failed_may_be_followed_by_one_that_did_not() -> None:
    story = Story()
    story.iut.shutdown("receive", error="EINVAL")
    assert story.conclusions("INIT-SHUT-03") == NOTHING
    story.iut.shutdown("receive")
    story.segment(IUT, "FA")
    assert story.conclusions("INIT-SHUT-03") == VIOLATED


def test_an_end_at_the_instant_at_which_the_receive_shutdown_returned_may_be_of_another_call() -> None:
    story = wireless()
    story.iut.shutdown("receive")
    at_once(story)
    story.iut.shutdown("send")
    story.peer.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions("INIT-SHUT-03") == NOTHING


@pytest.mark.parametrize(("look_ms", "expected"), [(29, NOTHING), (30, SATISFIED)])
def test_a_look_lasts_the_settle_time(look_ms: int, expected: set[Conclusion]) -> None:
    story = Story()
    story.iut.shutdown("receive")
    story.peer.recv(timeout=True, takes=50, wait_ms=look_ms)
    assert story.conclusions("INIT-SHUT-03") == expected


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_reset_of_the_peers_breaks_the_connection_for_the_receive_shutdown(where: str) -> None:
    story = Story()
    if where == "before":
        story.rst(PEER)
    story.iut.shutdown("receive")
    if where == "after":
        story.rst(PEER)
    story.rst(IUT)
    story.peer.recv(timeout=True, takes=50, wait_ms=50)
    assert story.conclusions("INIT-SHUT-03") == NOTHING


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (lambda s: s.segment(PEER, "A"), VIOLATED),  # the connection is still idle
        (lambda s: s.segment(PEER, "PA", 3), NOTHING),
        (lambda s: s.segment(PEER, "FA"), NOTHING),
        (lambda s: s.peer.begin("send", pattern={"seed": 0, "length": 3}), NOTHING),
        (lambda s: s.peer.send(3), NOTHING),
        (lambda s: s.peer.close(), NOTHING),
        (lambda s: s.peer.dies(), NOTHING),
    ],
    ids=["acknowledgement", "octets", "fin", "sending", "sent", "close", "death"],
)
@pytest.mark.parametrize("when", ["after", "at once"])
def test_the_peers_next_step_ends_the_idle_time(
    step: Callable[[Story], object], expected: set[Conclusion], when: str
) -> None:
    story = Story()
    call = story.iut.begin("shutdown", how="receive")
    if when == "at once":
        at_once(story)
        step(story)
    story.iut.finish(call)
    if when == "after":
        step(story)
    story.segment(IUT, "FA")
    assert story.conclusions("INIT-SHUT-03") == expected


def test_what_the_peer_had_sent_and_the_iut_had_read_excuses_nothing() -> None:
    story = Story()
    story.peer.send(3)
    story.data(PEER, 3)
    story.iut.recv(3)
    story.iut.shutdown("receive")
    story.segment(IUT, "FA")
    assert story.conclusions("INIT-SHUT-03") == VIOLATED


@pytest.mark.parametrize("when", ["long before", "at its return"])
def test_a_fin_that_another_shutdown_began_is_not_the_receive_shutdown_s(when: str) -> None:
    story = Story()
    if when == "long before":
        story.iut.shutdown("send")
        story.iut.shutdown("receive")
        story.segment(IUT, "FA")
    else:
        call = story.iut.begin("shutdown", how="receive")
        story.segment(IUT, "FA")
        story.iut.finish(call)
        at_once(story)
        story.iut.shutdown("send")
    assert story.conclusions("INIT-SHUT-03") == NOTHING


# --- INIT-SHUT-05 -----------------------------------------------------------------------------------------------------


def _half_closed(make: Callable[[], Story] = Story) -> Story:
    story = make()
    story.iut.shutdown("send")
    if story.header.wire:
        story.fin(IUT)
    return story


def _answer(story: Story, length: int = 5, *, ends: bool = True) -> None:
    story.peer.send(length)
    if story.header.wire:
        story.data(PEER, length)
    if ends:
        story.peer.shutdown("send")
        if story.header.wire:
            story.fin(PEER)


@pytest.mark.parametrize("make", [Story, wireless, lambda: Story(UNIX_SEQPACKET)])
def test_half_closed_it_reads_on_to_the_end(make: Callable[[], Story]) -> None:
    story = _half_closed(make)
    _answer(story)
    story.iut.recv(5)
    story.iut.recv()
    assert story.conclusions("INIT-SHUT-05") == SATISFIED


@pytest.mark.parametrize("make", [Story, wireless])
@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda iut: iut.recv(), id="end before data"),
        pytest.param(lambda iut: iut.recv(error="ESHUTDOWN"), id="refused"),
        pytest.param(lambda iut: iut.recv(5, offset=1), id="other bytes"),
        pytest.param(lambda iut: (iut.recv(5), iut.recv(error="ECONNRESET")), id="error for the end"),
        pytest.param(lambda iut: (iut.recv(5), iut.recv(timeout=True, takes=PATIENCE)), id="no end"),
    ],
)
def test_half_closed_it_loses_what_the_peer_sends(make: Callable[[], Story], wrong: Callable[[object], None]) -> None:
    story = _half_closed(make)
    _answer(story)
    wrong(story.iut)
    assert story.conclusions("INIT-SHUT-05") == VIOLATED


def test_half_closed_it_tells_of_an_end_that_has_not_come() -> None:
    story = _half_closed()
    story.peer.send(5)
    story.data(PEER, 5)
    story.iut.recv(5)
    story.iut.recv()
    story.peer.shutdown("send")
    story.fin(PEER)
    assert story.conclusions("INIT-SHUT-05") == VIOLATED


def test_half_closed_it_resets_on_data() -> None:
    story = _half_closed()
    _answer(story, ends=False)
    story.rst(IUT)
    assert story.conclusions("INIT-SHUT-05") == VIOLATED


def test_a_late_acknowledgement_of_what_is_over_may_draw_a_reset() -> None:
    story = _half_closed()
    _answer(story)
    story.segment(PEER, "A")
    story.segment(IUT, "R")
    story.iut.recv(5)
    story.iut.recv()
    assert story.conclusions("INIT-SHUT-05") == SATISFIED


@pytest.mark.parametrize("how", ["close", "dies"])
def test_a_reset_after_a_full_close_is_right(how: str) -> None:
    story = _half_closed()
    getattr(story.iut, how)()
    _answer(story, ends=False)
    story.rst(IUT)
    assert story.conclusions("INIT-SHUT-05") == NOTHING


def test_without_data_after_the_end_there_is_nothing_to_read() -> None:
    story = Story()
    story.peer.send(5)
    story.data(PEER, 5)
    story.iut.shutdown("send")
    story.fin(IUT)
    story.peer.shutdown("send")
    story.fin(PEER)
    story.iut.recv(5)
    story.iut.recv()
    assert story.conclusions("INIT-SHUT-05") == NOTHING


def test_a_peer_that_aborts_leaves_it_open() -> None:
    story = _half_closed()
    _answer(story, ends=False)
    story.rst(PEER)
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("INIT-SHUT-05") == NOTHING


def test_a_user_timeout_excuses_an_error() -> None:
    story = _half_closed()
    story.iut.call("set_option", name="USER_TIMEOUT", value=300)
    _answer(story)
    story.iut.recv(error="ETIMEDOUT")
    assert story.conclusions("INIT-SHUT-05") == NOTHING


@pytest.mark.parametrize(
    ("stimulus", "expected"),
    [
        (lambda s: s.data(PEER, 5), VIOLATED),
        (lambda s: s.segment(PEER, "PA", 5, fate=Fate.DROPPED), NOTHING),  # it never came
        (lambda s: s.segment(PEER, "PA", 3, start=0), NOTHING),  # it had come before
        (lambda s: s.segment(PEER, "A"), NOTHING),
    ],
    ids=["new", "dropped", "old", "empty"],
)
def test_what_is_late_data_on_the_link(stimulus: Callable[[Story], object], expected: set[Conclusion]) -> None:
    story = Story()
    story.peer.send(3)
    story.data(PEER, 3)
    story.iut.recv(3)
    story.iut.shutdown("send")
    story.fin(IUT)
    stimulus(story)
    story.rst(IUT)
    assert story.conclusions("INIT-SHUT-05") == expected


@pytest.mark.parametrize(
    ("send", "expected"),
    [
        (lambda s: s.peer.send(5), VIOLATED),
        (lambda s: s.peer.send(0), NOTHING),
        (lambda s: s.peer.send(5, error="EPIPE"), NOTHING),
    ],
    ids=["five", "none", "refused"],
)
def test_what_is_late_data_without_a_link(send: Callable[[Story], object], expected: set[Conclusion]) -> None:
    story = _half_closed(wireless)
    send(story)
    story.peer.shutdown("send")
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("INIT-SHUT-05") == expected


def test_a_send_before_the_end_is_not_late() -> None:
    story = wireless()
    story.peer.send(5)
    story.iut.shutdown("send")
    story.peer.shutdown("send")
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("INIT-SHUT-05") == NOTHING


@pytest.mark.parametrize("call", ["both", "failed", "never answered"])
def test_which_shutdown_leaves_an_end_receiving(call: str) -> None:
    story = Story()
    match call:
        case "both":
            story.iut.shutdown("both")
        case "failed":
            story.iut.shutdown("send", error="EIO")
        case _:
            story.iut.begin("shutdown", how="send")
    story.fin(IUT)
    _answer(story, ends=False)
    story.rst(IUT)
    assert Conclusion.VIOLATED not in story.conclusions("INIT-SHUT-05")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, lambda s: s.iut.shutdown("receive"), VIOLATED),
        (lambda s: s.iut.shutdown("receive"), None, NOTHING),
        (None, lambda s: s.rst(PEER), VIOLATED),
        (lambda s: s.rst(PEER), None, NOTHING),
        (lambda s: s.segment(PEER, "PA", 3, fate=Fate.DROPPED), None, NOTHING),
        (lambda s: s.iut.call("set_option", name="USER_TIMEOUT", value=300), None, NOTHING),
    ],
)
def test_what_explains_a_reset_after_the_own_fin(
    before: Callable[[Story], object] | None,
    after: Callable[[Story], object] | None,
    expected: set[Conclusion],
) -> None:
    story = _half_closed()
    _answer(story, ends=False)
    if before is not None:
        before(story)
    story.rst(IUT)
    if after is not None:
        after(story)
    assert story.conclusions("INIT-SHUT-05") == expected


@pytest.mark.parametrize("cause", ["shutdown", "reset", "close", "over"])
def test_what_comes_at_the_instant_of_a_reset_may_explain_it(cause: str) -> None:
    story = _half_closed()
    _answer(story, ends=cause == "over")
    match cause:
        case "shutdown":
            call = story.iut.begin("shutdown", how="receive")
        case "reset":
            story.rst(PEER)
        case "close":
            call = story.iut.begin("close")
    if cause == "over":
        story.events.pop()  # the FIN itself is the last that came
        story.now -= MS
    at_once(story)
    story.rst(IUT)
    if cause in ("shutdown", "close"):
        story.iut.finish(call)
    assert Conclusion.VIOLATED not in story.conclusions("INIT-SHUT-05")


def test_a_reset_before_the_shutdown_is_not_an_answer_to_what_came_after_it() -> None:
    story = Story()
    story.rst(IUT)
    story.wait(40)
    story.iut.shutdown("send")
    story.fin(IUT)
    _answer(story, ends=False)
    assert story.conclusions("INIT-SHUT-05") == NOTHING


def test_data_at_the_instant_at_which_the_shutdown_returned_is_late() -> None:
    story = _half_closed(wireless)
    at_once(story)
    story.peer.send(5)
    story.peer.shutdown("send")
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("INIT-SHUT-05") == VIOLATED


# --- INIT-SHUT-08 -----------------------------------------------------------------------------------------------------


def _sent(make: Callable[[], Story] = Story, length: int = 10, **fin: int) -> Story:
    """The IUT sends, and ends by shutdown; the link carries all of it, or `carried` bytes."""
    story = make()
    story.iut.send(length)
    story.iut.shutdown("send")
    if story.header.wire:
        story.data(IUT, fin.get("carried", length))
        story.fin(IUT)
    return story


@pytest.mark.parametrize("make", [Story, wireless, lambda: Story(UNIX_SEQPACKET)])
def test_everything_accepted_comes_before_the_end(make: Callable[[], Story]) -> None:
    story = _sent(make)
    story.peer.recv(10)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == SATISFIED


def test_a_close_delivers_what_was_accepted() -> None:
    story = wireless()
    story.iut.send(10)
    story.iut.close()
    story.peer.recv(4)
    story.peer.recv(6, offset=4)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == SATISFIED


def test_the_end_overtakes_data_on_the_link() -> None:
    story = _sent(carried=6)
    story.peer.recv(6)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == VIOLATED


def test_the_end_overtakes_data_without_a_link() -> None:
    story = _sent(wireless)
    story.peer.recv(6)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == VIOLATED


@pytest.mark.parametrize("make", [Story, wireless])
@pytest.mark.parametrize("refused", [None, "EAGAIN"])
def test_what_was_sent_comes_once(make: Callable[[], Story], refused: str | None) -> None:
    story = make()
    story.iut.send(10)
    if refused:
        story.iut.send(10, error=refused)
    story.iut.shutdown("send")
    if story.header.wire:
        story.data(IUT, 20)
        story.fin(IUT)
    story.peer.recv(10)
    story.peer.recv(10)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == VIOLATED


@pytest.mark.parametrize("how", [{"timeout": True}, {"error": "EIO"}])
def test_how_much_a_send_took_that_failed_nobody_knows(how: dict[str, Any]) -> None:
    story = Story()
    story.iut.send(10)
    story.iut.send(10, **how)
    story.iut.shutdown("send")
    story.data(IUT, 20)
    story.fin(IUT)
    story.peer.recv(10)
    story.peer.recv(10)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == NOTHING


def test_the_bytes_are_not_those_that_were_sent() -> None:
    story = _sent(wireless)
    story.peer.recv(10, offset=1)
    assert story.conclusions("INIT-SHUT-08") == VIOLATED


def test_what_the_link_carried_whole_the_peer_lost_itself() -> None:
    story = _sent()
    story.peer.recv(6)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == NOTHING


def test_a_reset_discards_what_was_accepted() -> None:
    story = Story()
    story.iut.send(10)
    story.iut.shutdown("send")
    story.data(IUT, 4)
    story.rst(IUT)
    story.peer.recv(4)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-SHUT-08") == VIOLATED


@pytest.mark.parametrize("make", [Story, wireless])
def test_the_rest_never_comes(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.send(10)
    story.iut.shutdown("send")
    if story.header.wire:
        story.data(IUT, 4)
    story.peer.recv(4)
    story.peer.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions("INIT-SHUT-08") == VIOLATED


@pytest.mark.parametrize("make", [Story, wireless])
def test_a_later_abort_excuses_the_loss(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.send(10)
    story.iut.shutdown("send")
    story.iut.linger(0)
    story.iut.close()
    if story.header.wire:
        story.rst(IUT)
    story.peer.recv(4)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-SHUT-08") == NOTHING


@pytest.mark.parametrize("make", [Story, wireless])
def test_an_abortive_close_promises_no_delivery(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.send(10)
    story.iut.linger(0)
    story.iut.close()
    if story.header.wire:
        story.rst(IUT)
    story.peer.recv(error="ECONNRESET")
    assert Conclusion.VIOLATED not in story.conclusions("INIT-SHUT-08")


@pytest.mark.parametrize("make", [Story, wireless])
def test_a_close_with_data_unread_promises_no_delivery(make: Callable[[], Story]) -> None:
    story = make()
    story.peer.send(3)
    if story.header.wire:
        story.data(PEER, 3)
    story.iut.send(10)
    story.iut.close()
    if story.header.wire:
        story.rst(IUT)
    story.peer.recv(error="ECONNRESET")
    assert Conclusion.VIOLATED not in story.conclusions("INIT-SHUT-08")


def test_data_that_meets_a_closed_end_may_be_reset() -> None:
    story = Story()
    story.iut.send(10)
    story.iut.close()
    story.data(IUT, 4)
    story.data(PEER, 3, acked=False)
    story.rst(IUT)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-SHUT-08") == NOTHING


def test_death_excuses_the_loss() -> None:
    story = _sent(wireless)
    story.iut.dies()
    story.peer.recv(4)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == NOTHING


def test_with_packets_lost_a_missing_rest_decides_nothing() -> None:
    story = Story(lost=1)
    story.iut.send(10)
    story.iut.shutdown("send")
    story.peer.recv(4)
    story.peer.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions("INIT-SHUT-08") == UNDETERMINED


def test_a_peer_that_only_waits_from_the_start_shows_it_too() -> None:
    story = wireless()
    story.iut.send(10)
    story.iut.shutdown("send")
    story.peer.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions("INIT-SHUT-08") == VIOLATED


def test_a_send_under_way_is_not_counted() -> None:
    story = wireless()
    story.iut.begin("send", pattern={"seed": 0, "length": 10})
    story.iut.shutdown("send")
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == NOTHING


@pytest.mark.parametrize(
    ("on", "seconds", "takes", "expected"),
    [
        (True, 2, 1799, VIOLATED),
        (True, 2, 1800, NOTHING),
        (True, 2, 2001, NOTHING),
        (False, 0, 2000, VIOLATED),
        (False, 2, 2001, VIOLATED),
    ],
)
def test_a_close_may_abort_when_its_linger_time_is_over(
    on: bool, seconds: int, takes: int, expected: set[Conclusion]
) -> None:
    story = wireless()
    story.iut.send(10)
    story.iut.linger(seconds, on=on)
    story.iut.close(takes=takes)
    story.peer.recv(4)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == expected


def test_a_shutdown_has_no_linger_time() -> None:
    story = wireless()
    story.iut.send(10)
    story.iut.linger(2)
    story.iut.shutdown("send", takes=3000)
    story.peer.recv(4)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == VIOLATED


@pytest.mark.parametrize(("how", "expected"), [("send", VIOLATED), ("both", NOTHING)])
def test_what_is_unread_excuses_only_an_end_that_stops_reading(how: str, expected: set[Conclusion]) -> None:
    story = wireless()
    story.peer.send(3)
    story.iut.send(10)
    story.iut.shutdown(how)
    story.peer.recv(4)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == expected


@pytest.mark.parametrize("length", [None, 0])
def test_where_nothing_was_sent_nothing_is_delivered(length: int | None) -> None:
    story = wireless()
    if length is not None:
        story.iut.send(length)
    story.iut.shutdown("send")
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == NOTHING


def test_a_shutdown_that_failed_promises_no_delivery() -> None:
    story = wireless()
    story.iut.send(10)
    story.iut.shutdown("send", error="EIO")
    story.peer.recv(4)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == NOTHING


# --- INIT-SHUT-09 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [2, 60])  # half the linger time, and never more than is prompt
@pytest.mark.parametrize(("takes", "expected"), [(1, SATISFIED), (900, SATISFIED), (1000, VIOLATED), (2000, VIOLATED)])
def test_shutdown_does_not_linger(takes: int, expected: set[Conclusion], seconds: int) -> None:
    story = Story()
    story.iut.linger(seconds)
    story.iut.send(1000)
    story.data(IUT, 400)
    story.iut.shutdown("send", takes=takes)
    assert story.conclusions("INIT-SHUT-09") == expected


def test_without_linger_or_data_left_shutdown_is_not_timed() -> None:
    story = Story()
    story.iut.send(10)
    story.iut.shutdown("send", takes=3000)
    assert story.conclusions("INIT-SHUT-09") == NOTHING
    story = Story()
    story.iut.linger(2)
    story.iut.send(10)
    story.data(IUT, 10)
    story.iut.shutdown("send", takes=3000)
    assert story.conclusions("INIT-SHUT-09") == NOTHING


def test_data_that_drains_during_the_call_does_not_show_that_it_did_not_wait() -> None:
    story = Story()
    story.iut.linger(2)
    story.iut.send(10)
    call = story.iut.begin("shutdown", how="send")
    story.data(IUT, 10)
    story.iut.finish(call)
    assert story.conclusions("INIT-SHUT-09") == NOTHING


@pytest.mark.parametrize(("takes", "expected"), [(1, SATISFIED), (1000, VIOLATED)])
def test_without_a_link_a_full_queue_shows_what_is_left(takes: int, expected: set[Conclusion]) -> None:
    story = wireless()
    story.iut.linger(2)
    story.iut.send(1000, accepted=600)
    story.iut.shutdown("send", takes=takes)
    assert story.conclusions("INIT-SHUT-09") == expected


def test_without_a_link_a_peer_that_reads_makes_room() -> None:
    story = wireless()
    story.iut.linger(2)
    story.iut.send(1000, error="EAGAIN")
    story.peer.recv(600)
    story.iut.shutdown("send")
    assert story.conclusions("INIT-SHUT-09") == NOTHING


@pytest.mark.parametrize(
    ("on", "seconds", "how", "takes", "expected"),
    [
        (True, 1, "send", 499, SATISFIED),  # half the linger time is the bound
        (True, 1, "send", 500, VIOLATED),
        (True, 60, "both", 1000, VIOLATED),
        (True, 0, "send", 2000, NOTHING),
        (False, 60, "send", 2000, NOTHING),
        (True, 60, "receive", 2000, NOTHING),
    ],
)
def test_which_shutdown_might_linger(on: bool, seconds: int, how: str, takes: int, expected: set[Conclusion]) -> None:
    story = wireless()
    story.iut.linger(seconds, on=on)
    story.iut.send(1000, accepted=600)
    story.iut.shutdown(how, takes=takes)
    assert story.conclusions("INIT-SHUT-09") == expected


def test_a_shutdown_that_failed_did_not_linger() -> None:
    story = wireless()
    story.iut.linger(60)
    story.iut.send(1000, accepted=600)
    story.iut.shutdown("send", takes=2000, error="EIO")
    assert story.conclusions("INIT-SHUT-09") == NOTHING


def test_each_shutdown_is_timed() -> None:
    story = wireless()
    story.iut.linger(60)
    story.iut.send(1000, accepted=600)
    story.iut.shutdown("receive")
    story.iut.shutdown("send", takes=2000)
    (finding,) = story.judge("INIT-SHUT-09")
    assert finding.outcome == Conclusion.VIOLATED
    assert finding.because == "shutdown(send) took 2.000 s, with 60 s of linger and data still unsent"


@pytest.mark.parametrize(
    ("sends", "expected"),
    [
        ([{"accepted": 600}], SATISFIED),
        ([{"error": "EAGAIN"}], SATISFIED),
        ([{"timeout": True}], SATISFIED),
        ([{"error": "EIO"}], NOTHING),
        ([{}], NOTHING),
        ([], NOTHING),
        ([{"accepted": 600}, {}], NOTHING),
        ([{}, {"accepted": 600}], SATISFIED),
    ],
)
def test_without_a_link_the_last_send_tells_whether_the_queue_is_full(
    sends: list[dict[str, Any]], expected: set[Conclusion]
) -> None:
    story = wireless()
    story.iut.linger(60)
    for how in sends:
        story.iut.send(1000, **how)
    story.iut.shutdown("send")
    assert story.conclusions("INIT-SHUT-09") == expected


def test_a_send_whose_octets_are_told_is_short_of_nothing() -> None:
    story = wireless()
    story.iut.linger(60)
    story.iut.call("send", data="AAEC", result={"length": 3})
    story.iut.shutdown("send")
    assert story.conclusions("INIT-SHUT-09") == NOTHING


def test_a_send_that_returns_after_the_shutdown_tells_nothing_of_the_queue_before() -> None:
    story = wireless()
    story.iut.linger(60)
    call = story.iut.begin("send", pattern={"seed": 0, "length": 1000})
    story.iut.shutdown("send")
    story.iut.finish(call, length=600)
    assert story.conclusions("INIT-SHUT-09") == NOTHING


def test_where_packets_were_lost_a_full_queue_tells_nothing() -> None:
    story = Story(lost=1)
    story.iut.linger(60)
    story.iut.send(1000, accepted=600)
    story.iut.shutdown("send")
    assert story.conclusions("INIT-SHUT-09") == NOTHING


@pytest.mark.parametrize(
    ("when", "expected"), [("before", SATISFIED), ("at once", NOTHING), ("between", NOTHING), ("after", SATISFIED)]
)
def test_when_a_peer_that_reads_makes_room(when: str, expected: set[Conclusion]) -> None:
    story = wireless()
    story.iut.linger(60)
    story.iut.send(100)
    if when == "before":
        story.peer.recv(100)
    if when == "at once":
        call = story.peer.begin("recv", length=100)
        story.peer.finish(call, length=0, data="")
        at_once(story)
    story.iut.send(1000, accepted=600)
    if when == "between":
        story.peer.recv(100)
    story.iut.shutdown("send")
    if when == "after":
        story.peer.recv(100)
    assert story.conclusions("INIT-SHUT-09") == expected


def test_a_send_that_returned_at_the_instant_of_the_shutdown_was_before_it() -> None:
    story = wireless()
    story.iut.linger(60)
    story.iut.send(1000, accepted=600)
    at_once(story)
    story.iut.shutdown("send")
    assert story.conclusions("INIT-SHUT-09") == SATISFIED


# --- INIT-SHUT-11 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", ["", "ENOTCONN"])
@pytest.mark.parametrize("how", ["send", "both"])
def test_a_repetition_sends_no_second_fin(how: str, error: str) -> None:
    story = Story()
    story.iut.shutdown(how)
    story.fin(IUT)
    story.iut.shutdown(how, error=error)
    assert story.conclusions("INIT-SHUT-11") == SATISFIED


def test_a_fin_sent_again_is_no_second_fin() -> None:
    story = Story()
    story.iut.shutdown("send")
    story.segment(IUT, "FA", fate=Fate.DROPPED)
    story.iut.shutdown("send")
    story.segment(IUT, "FA", start=0)
    assert story.conclusions("INIT-SHUT-11") == SATISFIED


def test_a_second_fin_number_is_wrong() -> None:
    story = Story()
    story.iut.shutdown("send")
    story.fin(IUT)
    story.iut.shutdown("send")
    story.fin(IUT)
    assert story.conclusions("INIT-SHUT-11") == VIOLATED


def test_another_shutdown_is_no_repetition() -> None:
    story = Story()
    story.iut.shutdown("send")
    story.fin(IUT)
    story.iut.shutdown("both")
    assert story.conclusions("INIT-SHUT-11") == NOTHING


@pytest.mark.parametrize(("again", "expected"), [("", SATISFIED), ("ECONNRESET", VIOLATED)])
def test_without_a_link_the_peer_is_told_of_one_end(again: str, expected: set[Conclusion]) -> None:
    story = wireless()
    story.iut.shutdown("send")
    story.peer.recv()
    story.iut.shutdown("send")
    story.peer.recv(error=again)
    assert story.conclusions("INIT-SHUT-11") == expected


def test_without_a_link_the_peer_must_look_again() -> None:
    story = wireless()
    story.iut.shutdown("send")
    story.peer.recv()
    story.iut.shutdown("send")
    assert story.conclusions("INIT-SHUT-11") == NOTHING
    story.iut.close()
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-SHUT-11") == NOTHING


@pytest.mark.parametrize(
    ("excuse", "expected"),
    [("", VIOLATED), ("before", NOTHING), ("peer", NOTHING), ("unread", NOTHING), ("gone", NOTHING)],
)
def test_where_units_are_seen_a_repetition_aborts_nothing(excuse: str, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE_STREAM)
    story.iut.shutdown("send")
    story.pdu(IUT, "RELEASE")
    if excuse == "before":
        story.pdu(IUT, "ABORT")
    story.iut.shutdown("send")
    match excuse:
        case "peer":
            story.pdu(PEER, "ABORT")
        case "unread":
            story.peer.send(3)
            story.pdu(PEER, "DATA", b"abc")
        case "gone":
            story.iut.close()
    if excuse != "before":
        story.pdu(IUT, "ABORT")
    story.peer.recv(error="WSAECONNRESET")
    assert story.conclusions("INIT-SHUT-11") == expected


def test_a_shutdown_that_overlaps_the_first_is_no_repetition() -> None:
    story = Story()
    first = story.iut.begin("shutdown", how="send")
    second = story.iut.begin("shutdown", how="send")
    story.fin(IUT)
    story.iut.finish(first)
    story.iut.finish(second)
    assert story.conclusions("INIT-SHUT-11") == NOTHING


@pytest.mark.parametrize("first", ["failed", "never answered"])
def test_a_shutdown_after_one_that_did_not_succeed_is_no_repetition(first: str) -> None:
    story = Story()
    if first == "failed":
        story.iut.shutdown("send", error="EIO")
    else:
        story.iut.begin("shutdown", how="send")
    story.fin(IUT)
    story.iut.shutdown("send")
    story.fin(IUT)
    assert story.conclusions("INIT-SHUT-11") == NOTHING


@pytest.mark.parametrize("again", ["after the close", "at the instant of the close", "never answered"])
def test_a_repetition_that_was_not_over_when_the_socket_was_closed(again: str) -> None:
    story = Story()
    story.iut.shutdown("send")
    story.fin(IUT)
    call = story.iut.begin("shutdown", how="send")
    if again == "at the instant of the close":
        story.iut.finish(call)
        at_once(story)
    if again != "never answered":
        story.iut.close()
    if again == "after the close":
        story.iut.finish(call)
    assert story.conclusions("INIT-SHUT-11") == NOTHING


@pytest.mark.parametrize(
    ("resets", "expected"),
    [("before", SATISFIED), ("after", VIOLATED), ("at the close", SATISFIED), ("own", SATISFIED)],
)
def test_which_reset_a_repetition_brought_about(resets: str, expected: set[Conclusion]) -> None:
    story = Story()
    story.iut.shutdown("send")
    story.fin(IUT)
    if resets == "before":
        story.rst(IUT)
        story.wait(40)
    story.iut.shutdown("send")
    match resets:
        case "after":
            story.rst(IUT)
        case "at the close":
            call = story.iut.begin("close")
            at_once(story)
            story.rst(IUT)
            story.iut.finish(call)
        case "own":
            story.rst(PEER)
            story.rst(IUT)
    assert story.conclusions("INIT-SHUT-11") == expected


@pytest.mark.parametrize(
    ("fins", "words"), [(1, "1 FIN sequence number"), (2, "2 FIN sequence numbers"), (3, "3 FIN sequence numbers")]
)
def test_fin_numbers_are_counted(fins: int, words: str) -> None:
    story = Story()
    story.iut.shutdown("send")
    story.fin(IUT)
    story.iut.shutdown("send")
    for _ in range(fins - 1):
        story.fin(IUT)
    (finding,) = story.judge("INIT-SHUT-11")
    assert finding.because.endswith(f": {words}")


def test_where_no_fin_was_seen_none_is_counted() -> None:
    story = Story()
    story.iut.shutdown("send")
    story.iut.shutdown("send")
    assert story.conclusions("INIT-SHUT-11") == NOTHING


def test_where_packets_were_lost_the_peers_words_do_not_decide() -> None:
    story = Story(lost=1)
    story.iut.shutdown("send")
    story.peer.recv()
    story.iut.shutdown("send")
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-SHUT-11") == UNDETERMINED


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["", ""], SATISFIED),
        (["", "EWOULDBLOCK", ""], SATISFIED),
        (["", "timeout", ""], SATISFIED),
        (["", "", "ECONNRESET"], VIOLATED),
        (["ECONNRESET", "ECONNRESET"], NOTHING),
        (["", "EWOULDBLOCK"], NOTHING),
    ],
)
def test_which_words_of_the_peer_are_compared(words: list[str], expected: set[Conclusion]) -> None:
    story = wireless()
    story.iut.send(3)
    story.iut.shutdown("send")
    story.peer.recv(3)
    for number, word in enumerate(words):
        if number == 1:
            story.iut.shutdown("send")
        story.peer.recv(error="" if word == "timeout" else word, timeout=word == "timeout")
    assert story.conclusions("INIT-SHUT-11") == expected


def test_what_the_peer_asked_before_the_repetition_was_over_does_not_show_it() -> None:
    story = wireless()
    story.iut.shutdown("send")
    story.peer.recv()
    call = story.iut.begin("shutdown", how="send")
    story.peer.recv()
    story.iut.finish(call)
    assert story.conclusions("INIT-SHUT-11") == NOTHING


@pytest.mark.parametrize("edge", ["asked", "closed"])
def test_the_edges_of_what_the_peer_was_told(edge: str) -> None:
    story = wireless()
    story.iut.shutdown("send")
    story.peer.recv()
    story.iut.shutdown("send")
    at_once(story)
    asked = story.peer.begin("recv", length=10)
    if edge == "closed":
        closing = story.iut.begin("close")
        at_once(story)
    story.peer.finish(asked, length=0, data="")
    if edge == "closed":
        story.iut.finish(closing)
    assert story.conclusions("INIT-SHUT-11") == (SATISFIED if edge == "asked" else NOTHING)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (("release", "abort"), VIOLATED),  # a graceful end of the peer's provokes nothing
        (("abort", "peer's"), VIOLATED),
        (("time-out", "abort"), NOTHING),
        (("abort", "closed"), VIOLATED),
    ],
)
def test_which_abort_after_a_repetition_is_unprovoked(said: tuple[str, ...], expected: set[Conclusion]) -> None:
    story = Story(REFERENCE_STREAM)
    story.iut.shutdown("send")
    if said[0] != "release":  # once both ends have released, nothing is left to abort
        story.pdu(IUT, "RELEASE")
    story.iut.shutdown("send")
    for step in said:
        match step:
            case "release":
                story.peer.shutdown("send")
                story.pdu(PEER, "RELEASE")
            case "abort":
                story.pdu(IUT, "ABORT")
            case "peer's":
                story.pdu(PEER, "ABORT")
            case "closed":
                story.iut.close()
            case _:
                story.iut.call("set_option", name="USER_TIMEOUT", value=300)
    assert story.conclusions("INIT-SHUT-11") == expected


def test_a_shutdown_at_the_instant_at_which_the_first_returned_is_a_repetition() -> None:
    story = Story()
    first = story.iut.begin("shutdown", how="send")
    story.fin(IUT)
    story.iut.finish(first)
    at_once(story)
    story.iut.shutdown("send")
    assert story.conclusions("INIT-SHUT-11") == SATISFIED


def test_the_first_of_two_repetitions_counts() -> None:
    story = Story()
    story.iut.shutdown("send")
    story.fin(IUT)
    story.iut.shutdown("send")
    story.rst(IUT)
    story.iut.shutdown("send", error="ENOTCONN")
    (finding,) = story.judge("INIT-SHUT-11")
    assert finding.outcome == Conclusion.VIOLATED
    assert "shutdown(send) succeeded" in finding.because


# --- INIT-SHUT-13 -----------------------------------------------------------------------------------------------------


def _both_ended() -> Story:
    story = wireless()
    story.iut.shutdown("both")
    story.peer.shutdown("both")
    return story


@pytest.mark.parametrize("error", ["", "EISCONN", "EINVAL"])
def test_connecting_again_gets_any_answer(error: str) -> None:
    story = _both_ended()
    story.iut.call("connect", error=error)
    assert story.conclusions("INIT-SHUT-13") == SATISFIED


def test_connecting_again_hangs() -> None:
    story = _both_ended()
    story.iut.call("connect", timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions("INIT-SHUT-13") == VIOLATED


def test_connecting_again_is_judged_only_when_both_have_ended() -> None:
    story = wireless()
    story.iut.shutdown("both")
    story.iut.call("connect", error="EISCONN")
    assert story.conclusions("INIT-SHUT-13") == NOTHING


@pytest.mark.parametrize(("takes", "expected"), [(999, NOTHING), (1000, VIOLATED)])
def test_how_long_connecting_again_may_take(takes: int, expected: set[Conclusion]) -> None:
    story = _both_ended()
    story.iut.call("connect", timeout=True, takes=takes, wait_ms=takes)
    assert story.conclusions("INIT-SHUT-13") == expected


@pytest.mark.parametrize(("error", "words"), [("EIO", "EIO"), ("EISCONN", "EISCONN"), ("", "succeeded")])
def test_any_answer_to_connecting_again_is_told(error: str, words: str) -> None:
    story = _both_ended()
    story.iut.call("connect", error=error)
    (finding,) = story.judge("INIT-SHUT-13")
    assert finding.outcome == Conclusion.SATISFIED
    assert words in finding.because


def test_connecting_again_that_is_never_answered_shows_nothing() -> None:
    story = _both_ended()
    story.iut.begin("connect")
    story.iut.finish(story.iut.begin("connect"), unsupported="no")
    assert story.conclusions("INIT-SHUT-13") == NOTHING


@pytest.mark.parametrize("first", ["iut", "peer"])
def test_connecting_before_both_ends_have_ended_is_not_judged(first: str) -> None:
    story = wireless()
    one, two = (story.iut, story.peer) if first == "iut" else (story.peer, story.iut)
    one.shutdown("both")
    ending = two.begin("shutdown", how="both")
    story.iut.call("connect", timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    two.finish(ending)
    assert story.conclusions("INIT-SHUT-13") == NOTHING
    at_once(story)
    story.iut.call("connect", error="EISCONN")
    assert story.conclusions("INIT-SHUT-13") == SATISFIED


@pytest.mark.parametrize("at", ["after", "the instant of"])
def test_connecting_a_socket_that_was_closed_is_not_judged(at: str) -> None:
    story = _both_ended()
    closing = story.iut.begin("close")
    if at == "after":
        story.iut.finish(closing)
    else:
        at_once(story)
    story.iut.call("connect", timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    if at != "after":
        story.iut.finish(closing)
    assert story.conclusions("INIT-SHUT-13") == NOTHING


# --- DD-SCN-05 --------------------------------------------------------------------------------------------------------


def _request(story: Story, asker: str) -> None:
    first, second = (story.iut, story.peer) if asker == "iut" else (story.peer, story.iut)
    first.send(3)
    first.shutdown("send")
    if story.header.wire:
        story.data(first.end, 3)
        story.fin(first.end)
    second.recv(3)
    second.recv()


def _whole_exchange(story: Story, asker: str, *, read: int = 7, closing: str = "") -> None:
    _request(story, asker)
    first, second = (story.iut, story.peer) if asker == "iut" else (story.peer, story.iut)
    second.send(7)
    second.shutdown("send")
    if story.header.wire:
        story.data(second.end, 7)
        story.fin(second.end)
    first.recv(read)
    first.recv()
    story.iut.close(error=closing)
    story.peer.close()


@pytest.mark.parametrize("asker", ["iut", "peer"])
@pytest.mark.parametrize("make", [Story, wireless, lambda: Story(UNIX_SEQPACKET)])
def test_the_exchange_works_either_way(make: Callable[[], Story], asker: str) -> None:
    story = make()
    _whole_exchange(story, asker)
    assert story.conclusions("DD-SCN-05") == SATISFIED


def test_what_closing_states_answer_does_not_spoil_the_exchange() -> None:
    story = Story()
    _whole_exchange(story, "peer")
    story.segment(PEER, "A")
    story.segment(IUT, "R")
    assert story.conclusions("DD-SCN-05") == SATISFIED


@pytest.mark.parametrize(("make", "asker"), [(Story, "iut"), (wireless, "iut"), (wireless, "peer")])
def test_the_answer_is_cut_short(make: Callable[[], Story], asker: str) -> None:
    story = make()
    _whole_exchange(story, asker, read=4)
    assert story.conclusions("DD-SCN-05") == VIOLATED


@pytest.mark.parametrize("takes", [1, 0])
@pytest.mark.parametrize("make", [Story, wireless])
def test_the_answer_is_refused(make: Callable[[], Story], takes: int) -> None:
    story = make()
    _request(story, "peer")
    story.iut.send(7, error="EPIPE", takes=takes)
    assert story.conclusions("DD-SCN-05") == VIOLATED


def test_an_answer_to_a_peer_that_left_may_be_refused() -> None:
    story = wireless()
    _request(story, "peer")
    story.peer.close()
    story.iut.send(7, error="EPIPE")
    assert story.conclusions("DD-SCN-05") == NOTHING


def test_a_close_that_fails_spoils_the_exchange() -> None:
    story = Story()
    _whole_exchange(story, "iut", closing="EIO")
    assert story.conclusions("DD-SCN-05") == VIOLATED


def test_without_an_answer_there_is_no_exchange() -> None:
    story = Story()
    _request(story, "iut")
    story.peer.shutdown("send")
    story.fin(PEER)
    story.iut.recv()
    assert story.conclusions("DD-SCN-05") == NOTHING


@pytest.mark.parametrize("asker", ["iut", "peer"])
@pytest.mark.parametrize("how", ["both", "receive"])
def test_another_shutdown_asks_nothing(asker: str, how: str) -> None:
    story = wireless()
    first, second = (story.iut, story.peer) if asker == "iut" else (story.peer, story.iut)
    first.shutdown(how)
    second.recv()
    second.send(7)
    second.shutdown("send")
    first.recv(4)
    first.recv()
    assert story.conclusions("DD-SCN-05") == NOTHING


@pytest.mark.parametrize("error", ["ECONNRESET", "ETIMEDOUT"])
def test_a_request_whose_end_was_told_as_an_error_begins_no_exchange(error: str) -> None:
    story = wireless()
    story.iut.shutdown("send")
    story.peer.recv(error=error)
    story.peer.send(7)
    story.peer.shutdown("send")
    story.iut.recv(4)
    story.iut.recv()
    assert story.conclusions("DD-SCN-05") == NOTHING


@pytest.mark.parametrize("wrong", ["told before it was asked", "ended before it was told"])
def test_an_exchange_has_an_order(wrong: str) -> None:
    story = wireless()
    if wrong == "told before it was asked":
        story.peer.recv()
        story.wait(5)
        story.iut.shutdown("send")
        story.peer.send(7)
        story.peer.shutdown("send")
    else:
        story.iut.shutdown("send")
        story.peer.shutdown("send")
        story.peer.recv()
        story.peer.send(7)
    story.iut.recv(4)
    story.iut.recv()
    assert story.conclusions("DD-SCN-05") == NOTHING


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("whole", VIOLATED),
        ("empty", NOTHING),
        ("refused", NOTHING),
        ("before", NOTHING),
        ("after the end", NOTHING),
        ("before and after the end", NOTHING),
    ],
)
def test_what_is_an_answer(answer: str, expected: set[Conclusion]) -> None:
    """Of the answer the IUT reads nothing; that is wrong where it was one."""
    story = wireless()
    story.iut.shutdown("send")
    if answer == "before":
        story.peer.send(7)
    story.peer.recv()
    match answer:
        case "whole" | "before and after the end":
            story.peer.send(7)
        case "empty":
            story.peer.send(0)
        case "refused":
            story.peer.send(7, error="EPIPE")
    story.peer.shutdown("send")
    if answer.endswith("after the end"):
        story.peer.send(7)
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("DD-SCN-05") == expected


def test_an_exchange_that_nobody_closed_is_not_over() -> None:
    for closes in ([], ["iut"], ["peer"]):
        story = wireless()
        _request(story, "iut")
        story.peer.send(7)
        story.peer.shutdown("send")
        story.iut.recv(7)
        story.iut.recv()
        for end in closes:
            getattr(story, end).close()
        assert story.conclusions("DD-SCN-05") == NOTHING


@pytest.mark.parametrize("excuse", ["linger", "reset", "time-out", "lost"])
def test_a_close_that_fails_for_a_reason_is_not_judged(excuse: str) -> None:
    story = Story(lost=1) if excuse == "lost" else Story()
    match excuse:
        case "linger":
            story.iut.linger(5)
        case "time-out":
            story.iut.call("set_option", name="USER_TIMEOUT", value=300)
    _request(story, "iut")
    story.peer.send(7)
    story.peer.shutdown("send")
    story.data(PEER, 7)
    story.fin(PEER)
    story.iut.recv(7)
    story.iut.recv()
    if excuse == "reset":
        story.rst(PEER)
    story.iut.close(error="EIO")
    assert Conclusion.VIOLATED not in story.conclusions("DD-SCN-05")


@pytest.mark.parametrize("when", ["before", "after"])
def test_only_an_answer_before_the_own_goodbye_can_be_refused_wrongly(when: str) -> None:
    story = wireless()
    _request(story, "peer")
    if when == "before":
        story.iut.send(7, error="EPIPE")
    story.iut.shutdown("send")
    if when == "after":
        story.iut.send(7, error="EPIPE")
    assert story.conclusions("DD-SCN-05") == (VIOLATED if when == "before" else NOTHING)


@pytest.mark.parametrize("end", ["close", "abortive close", "failed"])
def test_how_an_answer_may_end(end: str) -> None:
    story = wireless()
    _request(story, "peer")
    story.iut.send(7)
    match end:
        case "close":
            story.iut.close()
        case "abortive close":
            story.iut.linger(0)
            story.iut.close()
        case _:
            story.iut.shutdown("send", error="EIO")
    story.peer.recv(4)
    story.peer.recv()
    assert story.conclusions("DD-SCN-05") == (VIOLATED if end == "close" else NOTHING)


def test_an_answer_may_come_at_the_instant_of_the_request() -> None:
    story = wireless()
    waiting = story.peer.begin("recv", length=10)
    asking = story.iut.begin("shutdown", how="send")
    at_once(story)
    story.peer.finish(waiting, length=0, data="")
    at_once(story)
    story.iut.finish(asking)
    at_once(story)
    sending = story.peer.begin("send", pattern={"seed": 0, "length": 7})
    at_once(story)
    story.peer.finish(sending, length=7)
    at_once(story)
    story.peer.shutdown("send")
    story.iut.recv(4)
    story.iut.recv()
    assert story.conclusions("DD-SCN-05") == VIOLATED


@pytest.mark.parametrize(("on", "seconds", "expected"), [(True, 0, NOTHING), (True, 5, NOTHING), (False, 5, VIOLATED)])
def test_linger_excuses_a_close_that_fails(on: bool, seconds: int, expected: set[Conclusion]) -> None:
    story = wireless()
    story.iut.linger(seconds, on=on)
    _whole_exchange(story, "iut", closing="EIO")
    assert story.conclusions("DD-SCN-05") == expected


# --- what mutants got past ------------------------------------------------------------------------------------------


def test_a_repeated_shutdown_that_resets_is_wrong() -> None:
    story = Story()
    story.iut.shutdown("send")
    story.fin(IUT)
    call = story.iut.begin("shutdown", how="send")
    story.rst(IUT)
    story.iut.finish(call, error="ENOTCONN")
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-11") == VIOLATED


def test_an_acknowledgement_after_the_end_is_no_late_data() -> None:
    story = _half_closed()
    story.fin(PEER)
    story.segment(PEER, "A")
    story.peer.shutdown("send")
    story.iut.recv()
    assert story.conclusions("INIT-SHUT-05") == NOTHING


# --- DisconnectEx -----------------------------------------------------------------------------------------------------


def test_disconnect_ex_is_a_graceful_shutdown() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.send(10)
    story.data(IUT, 10)
    story.iut.call("disconnect_ex", reuse=False)
    story.fin(IUT)
    story.peer.recv(10)
    story.peer.recv(0)
    for requirement in ("INIT-SHUT-08", "WIRE-FIN-01"):
        assert story.conclusions(requirement) == {Conclusion.SATISFIED}
    for requirement in ("INIT-SHUT-01", "INIT-CLOSE-01", "INIT-SDISC-01", "IND-FDC-08"):
        assert story.conclusions(requirement) == set()


@pytest.mark.parametrize(("reuse", "expected"), [(False, {Conclusion.VIOLATED}), (True, set())])
def test_what_disconnect_ex_loses(reuse: bool, expected: set[Conclusion]) -> None:
    story = Story(WINDOWS_TCP)
    story.iut.send(10)
    story.iut.call("disconnect_ex", reuse=reuse)
    story.fin(IUT)
    story.peer.recv(0)
    assert story.conclusions("INIT-SHUT-08") == expected


def test_after_disconnect_ex_receives_are_nobodys() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.call("disconnect_ex", reuse=True)
    story.fin(IUT)
    story.iut.recv(error="WSAENOTCONN")
    story.peer.shutdown("send")
    story.fin(PEER)
    story.iut.recv(error="WSAENOTCONN")
    for requirement in ("IND-STREAM-01", "IND-STREAM-03", "INIT-SHUT-06"):
        assert Conclusion.VIOLATED not in story.conclusions(requirement)
