# SPDX-License-Identifier: MIT
"""The judges of a first shutdown: for each, stories in which it holds, is broken, and says nothing."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from conformance.oracle.findings import Conclusion
from conformance.trace.events import Established, Fate
from tests.oracle.story import (
    IUT,
    PATIENCE,
    PEER,
    REFERENCE_STREAM,
    UNIX_SEQPACKET,
    UNIX_STREAM,
    Story,
    at_once,
    wireless,
)

SATISFIED, VIOLATED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}
UNDETERMINED, NOTHING = {Conclusion.UNDETERMINED}, set[Conclusion]()
Change = Callable[[Story], None]


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
    story.peer.poll(takes=31, wait_ms=30)
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
