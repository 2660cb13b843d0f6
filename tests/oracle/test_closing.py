# SPDX-License-Identifier: MIT
"""The judges of close: for each, stories in which it holds, in which it is broken, and in which it says nothing."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from conformance.catalogue.catalogue import load
from conformance.oracle.findings import Conclusion
from conformance.trace.events import Fate
from conformance.trace.pattern import pattern
from tests.oracle.story import IUT, MS, PATIENCE, PEER, UNIX_STREAM, Story, statement, wireless

SATISFIED, VIOLATED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}
UNDETERMINED, NOTHING = {Conclusion.UNDETERMINED}, set[Conclusion]()


def tcp_unseen() -> Story:
    return Story(statement("tcp"), wire=False)


BOTH = pytest.mark.parametrize("make", [Story, wireless])

# --- INIT-CLOSE-01, INIT-CLOSE-02 -------------------------------------------------------------------------------------

MODES = pytest.mark.parametrize(("requirement", "blocking"), [("INIT-CLOSE-01", True), ("INIT-CLOSE-02", False)])


def _queued(make: Callable[[], Story], *, blocking: bool = True) -> Story:
    """The IUT has sent 10 bytes, of which 4 are on the link and acknowledged, or none was read."""
    story = make()
    if not blocking:
        story.iut.nonblocking()
    story.iut.send(10)
    if story.header.wire:
        story.data(IUT, 4)
    return story


def _rest(story: Story) -> None:
    if story.header.wire:
        story.data(IUT, 6)
        story.fin(IUT)
    story.peer.recv(10)
    story.peer.recv()


@MODES
@BOTH
def test_close_returns_and_the_rest_follows(make: Callable[[], Story], requirement: str, blocking: bool) -> None:
    story = _queued(make, blocking=blocking)
    story.iut.close()
    _rest(story)
    assert story.conclusions(requirement) == SATISFIED


@MODES
def test_the_other_mode_has_its_own_requirement(requirement: str, blocking: bool) -> None:
    story = _queued(Story, blocking=not blocking)
    story.iut.close()
    _rest(story)
    assert story.conclusions(requirement) == NOTHING


@MODES
@BOTH
@pytest.mark.parametrize("options", [{"error": "EAGAIN"}, {"timeout": True, "takes": PATIENCE}, {"takes": PATIENCE}])
def test_close_must_not_wait(
    make: Callable[[], Story], options: dict[str, Any], requirement: str, blocking: bool
) -> None:
    story = _queued(make, blocking=blocking)
    story.iut.close(**options)
    assert story.conclusions(requirement) == VIOLATED


@MODES
@pytest.mark.parametrize(("takes", "expected"), [(1000, SATISFIED), (1001, VIOLATED)])
def test_at_once_is_within_the_prompt_time(
    takes: int, expected: set[Conclusion], requirement: str, blocking: bool
) -> None:
    story = _queued(Story, blocking=blocking)
    story.iut.close(takes=takes)
    _rest(story)
    assert story.conclusions(requirement) == expected


@MODES
def test_the_rest_must_follow_the_close(requirement: str, blocking: bool) -> None:
    story = _queued(Story, blocking=blocking)
    story.iut.close()
    story.rst(IUT)
    story.peer.recv(4)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions(requirement) == VIOLATED


def test_an_end_that_loses_the_rest_is_wrong() -> None:
    story = _queued(wireless)
    story.iut.close()
    story.peer.recv(4)
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-01") == VIOLATED


@BOTH
def test_with_nothing_queued_close_shows_nothing(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.close(takes=PATIENCE)
    if story.header.wire:
        story.fin(IUT)
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-01") == NOTHING


@BOTH
def test_data_that_is_taken_before_close_returns_shows_nothing(make: Callable[[], Story]) -> None:
    story = _queued(make)
    reading = story.peer.begin("recv", length=10)
    close = story.iut.begin("close")
    if story.header.wire:
        story.data(IUT, 6)
    story.iut.finish(close)
    story.peer.finish(reading, length=10, data="")
    assert story.conclusions("INIT-CLOSE-01") == NOTHING


@BOTH
@pytest.mark.parametrize("linger", [0, 5])
def test_with_linger_on_close_is_judged_elsewhere(make: Callable[[], Story], linger: int) -> None:
    story = _queued(make)
    story.iut.linger(linger)
    story.iut.close(takes=PATIENCE)
    assert story.conclusions("INIT-CLOSE-01") == NOTHING


@BOTH
def test_linger_switched_off_again_is_off(make: Callable[[], Story]) -> None:
    story = _queued(make)
    story.iut.linger(5)
    story.iut.linger(5, on=False)
    story.iut.close()
    _rest(story)
    assert story.conclusions("INIT-CLOSE-01") == SATISFIED


@BOTH
def test_unread_data_excuses_a_reset(make: Callable[[], Story]) -> None:
    story = _queued(make)
    story.peer.send(3)
    if story.header.wire:
        story.data(PEER, 3)
    story.iut.close()
    if story.header.wire:
        story.rst(IUT)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-CLOSE-01") == NOTHING


def test_a_close_after_the_peers_reset_may_fail() -> None:
    story = _queued(Story)
    story.rst(PEER)
    story.iut.close(error="ECONNRESET")
    assert story.conclusions("INIT-CLOSE-01") == NOTHING


def test_a_link_that_is_cut_excuses_the_loss() -> None:
    story = _queued(Story)
    story.iut.close()
    story.segment(IUT, "PA", 6, fate=Fate.DROPPED)
    story.rst(IUT)
    story.peer.recv(4)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-CLOSE-01") == UNDETERMINED


# --- INIT-CLOSE-03, INIT-CLOSE-04 -------------------------------------------------------------------------------------

ABORTS = pytest.mark.parametrize(("requirement", "blocking"), [("INIT-CLOSE-03", True), ("INIT-CLOSE-04", False)])


def _aborts(make: Callable[[], Story], blocking: bool) -> Story:
    story = _queued(make, blocking=blocking)
    story.iut.linger(0)
    return story


@ABORTS
def test_linger_zero_resets(requirement: str, blocking: bool) -> None:
    story = _aborts(Story, blocking)
    story.iut.close()
    story.rst(IUT)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions(requirement) == SATISFIED


@ABORTS
def test_linger_zero_resets_with_data_unread_too(requirement: str, blocking: bool) -> None:
    story = _aborts(Story, blocking)
    story.peer.send(3)
    story.data(PEER, 3)
    story.iut.close()
    story.rst(IUT)
    assert story.conclusions(requirement) == SATISFIED


@ABORTS
@pytest.mark.parametrize("then", [(), ("RA",)])
def test_linger_zero_sends_no_fin(requirement: str, blocking: bool, then: tuple[str, ...]) -> None:
    story = _aborts(Story, blocking)
    story.iut.close()
    story.fin(IUT)
    for flags in then:
        story.segment(IUT, flags)
    assert story.conclusions(requirement) == VIOLATED


@ABORTS
@BOTH
@pytest.mark.parametrize("options", [{"error": "EAGAIN"}, {"timeout": True, "takes": PATIENCE}, {"takes": PATIENCE}])
def test_linger_zero_does_not_wait(
    make: Callable[[], Story], options: dict[str, Any], requirement: str, blocking: bool
) -> None:
    story = _aborts(make, blocking)
    story.iut.close(**options)
    assert story.conclusions(requirement) == VIOLATED


@ABORTS
@pytest.mark.parametrize(("takes", "expected"), [(1000, SATISFIED), (1001, VIOLATED)])
def test_an_abort_is_within_the_prompt_time(
    takes: int, expected: set[Conclusion], requirement: str, blocking: bool
) -> None:
    story = _aborts(Story, blocking)
    story.iut.close(takes=takes)
    story.rst(IUT)
    assert story.conclusions(requirement) == expected


@ABORTS
def test_an_abort_after_the_peers_reset_may_fail(requirement: str, blocking: bool) -> None:
    story = _aborts(Story, blocking)
    story.rst(PEER)
    story.iut.close(error="ECONNRESET")
    assert story.conclusions(requirement) == NOTHING


def test_linger_zero_must_tell_the_peer_something() -> None:
    story = Story()
    story.iut.linger(0)
    story.iut.close()
    story.peer.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions("INIT-CLOSE-03") == VIOLATED


@ABORTS
def test_the_other_mode_s_abort_is_not_judged(requirement: str, blocking: bool) -> None:
    story = _aborts(Story, not blocking)
    story.iut.close()
    story.rst(IUT)
    assert story.conclusions(requirement) == NOTHING


def test_an_abort_after_a_shutdown_is_not_judged() -> None:
    story = Story()
    story.iut.shutdown("send")
    story.fin(IUT)
    story.iut.linger(0)
    story.iut.close()
    assert story.conclusions("INIT-CLOSE-03") == NOTHING


def test_an_abort_after_the_peers_reset_sends_nothing() -> None:
    story = Story()
    story.rst(PEER)
    story.iut.linger(0)
    story.iut.close()
    assert story.conclusions("INIT-CLOSE-03") == NOTHING


@pytest.mark.parametrize(("error", "expected"), [("ECONNRESET", SATISFIED), ("", VIOLATED), ("ETIMEDOUT", NOTHING)])
def test_unseen_the_peers_word_tells_of_the_abort(error: str, expected: set[Conclusion]) -> None:
    story = tcp_unseen()
    story.iut.linger(0)
    story.iut.close()
    story.peer.recv(error=error)
    assert story.conclusions("INIT-CLOSE-03") == expected


def test_unseen_another_call_may_have_taken_the_error() -> None:
    story = tcp_unseen()
    story.iut.linger(0)
    story.iut.close()
    story.peer.get_error("ECONNRESET")
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-03") == SATISFIED


def test_on_unix_the_peers_word_tells_of_the_abort() -> None:
    story = wireless()
    story.iut.linger(0)
    story.iut.close()
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-CLOSE-03") == SATISFIED


def test_whether_unix_sockets_may_ignore_linger_zero_is_the_catalogue_s_to_say() -> None:
    story = wireless()
    story.iut.linger(0)
    story.iut.close()
    story.peer.recv()
    accepted = {outcome.outcome for outcome in load()["INIT-CLOSE-03"].accepted_for(UNIX_STREAM)}
    assert story.conclusions("INIT-CLOSE-03") == (SATISFIED if "GRACEFUL" in accepted else VIOLATED)


# --- INIT-CLOSE-05 ----------------------------------------------------------------------------------------------------


def _lingers(
    make: Callable[[], Story] = Story, *, waits: bool = True, drains_after: int = 100, takes: int = 0
) -> Story:
    """Close with 5 s of linger; the peer takes the rest after `drains_after` ms, and close returns then, or before."""
    story = _queued(make)
    story.iut.linger(5)
    close = story.iut.begin("close")
    if not waits:
        story.iut.finish(close)
    story.wait(drains_after)
    _rest(story)
    if waits:
        story.wait(takes)
        story.iut.finish(close)
    return story


def test_a_lingering_close_waits_for_the_drain() -> None:
    (finding,) = _lingers().judge("INIT-CLOSE-05")
    assert finding.outcome is Conclusion.SATISFIED
    assert "WSPCloseSocket" in finding.matched


def test_a_lingering_close_that_does_not_wait_is_wrong() -> None:
    assert _lingers(waits=False).conclusions("INIT-CLOSE-05") == VIOLATED


def test_a_lingering_close_that_waits_on_is_wrong() -> None:
    assert _lingers(takes=5000).conclusions("INIT-CLOSE-05") == VIOLATED


def test_a_close_may_wait_for_its_fin_s_acknowledgement() -> None:
    story = _queued(Story)
    story.iut.linger(5)
    close = story.iut.begin("close")
    story.data(IUT, 6)
    story.fin(IUT, acked=False)
    story.wait(5000)
    story.iut.finish(close)
    story.segment(PEER, "A")
    story.peer.recv(10)
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-05") == NOTHING


@pytest.mark.parametrize("make", [Story, wireless, tcp_unseen])
@pytest.mark.parametrize(("drains_after", "expected"), [(2400, SATISFIED), (2600, NOTHING)])
def test_half_of_the_linger_time_is_time_enough(
    make: Callable[[], Story], drains_after: int, expected: set[Conclusion]
) -> None:
    assert _lingers(make, drains_after=drains_after).conclusions("INIT-CLOSE-05") == expected


@pytest.mark.parametrize("make", [Story, wireless, tcp_unseen])
@pytest.mark.parametrize(("took", "expected"), [(4400, SATISFIED), (4500, VIOLATED), (5000, VIOLATED)])
def test_all_of_the_linger_time_is_too_long(make: Callable[[], Story], took: int, expected: set[Conclusion]) -> None:
    story = _queued(make)
    story.iut.linger(5)
    close = story.iut.begin("close")
    began = story.now
    _rest(story)
    story.now = began + (took - 1) * 1_000_000
    story.iut.finish(close)
    assert story.conclusions("INIT-CLOSE-05") == expected


def _drains_at_half(make: Callable[[], Story], late: int, *, ends_late: int = 0, took: int = 2600) -> Story:
    """Of 5 s of linger the data have drained `late` nanoseconds after half, and the end `ends_late` after that."""
    story = _queued(make)
    story.iut.linger(5)
    close, began = story.iut.begin("close"), story.now
    story.wait(1)  # what a coarse clock tells apart
    if story.header.wire:
        story.data(IUT, 6, acked=False)
        story.fin(IUT, acked=False)
    reading = None if story.header.wire else story.peer.begin("recv", length=10)
    story.now = began + 2499 * MS + late
    if reading is None:
        story.segment(PEER, "A", ack=10)
    else:
        story.peer.finish(reading, length=10, data=base64.b64encode(pattern(0, 10)).decode())
    story.now += ends_late - MS
    if reading is None:
        story.segment(PEER, "A")
    else:
        story.peer.recv(takes=0)
    story.now = began + (took - 1) * MS
    story.iut.finish(close)
    if reading is None:
        story.peer.recv(10)
        story.peer.recv()
    return story


SEEN_OR_NOT = pytest.mark.parametrize("make", [Story, wireless, tcp_unseen])


@SEEN_OR_NOT
@pytest.mark.parametrize(("late", "expected"), [(0, SATISFIED), (1, NOTHING)])
def test_by_half_of_the_linger_time_the_data_have_drained(
    make: Callable[[], Story], late: int, expected: set[Conclusion]
) -> None:
    assert _drains_at_half(make, late).conclusions("INIT-CLOSE-05") == expected


@SEEN_OR_NOT
@pytest.mark.parametrize(("ends_late", "expected"), [(0, VIOLATED), (1, NOTHING)])
def test_a_close_whose_end_was_taken_by_then_too_must_not_wait_on(
    make: Callable[[], Story], ends_late: int, expected: set[Conclusion]
) -> None:
    assert _drains_at_half(make, 0, ends_late=ends_late, took=5000).conclusions("INIT-CLOSE-05") == expected


@pytest.mark.parametrize("make", [Story, tcp_unseen])
def test_a_close_that_returns_when_the_data_have_drained_has_waited(make: Callable[[], Story]) -> None:
    assert _drains_at_half(make, 0, took=2500).conclusions("INIT-CLOSE-05") == SATISFIED


@pytest.mark.parametrize("make", [wireless, tcp_unseen])
def test_unseen_an_end_that_the_peer_reads_late_excuses_the_wait(make: Callable[[], Story]) -> None:
    story = _queued(make)
    story.iut.linger(5)
    close = story.iut.begin("close")
    story.peer.recv(10)
    story.wait(5000)
    story.iut.finish(close)
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-05") == NOTHING


@pytest.mark.parametrize("make", [wireless, tcp_unseen])
def test_unseen_the_last_byte_counts(make: Callable[[], Story]) -> None:
    story = _queued(make)
    story.iut.linger(5)
    close = story.iut.begin("close")
    story.peer.recv(error="EAGAIN")
    story.peer.recv(9)
    story.wait(2600)
    story.peer.recv(1, offset=9)
    story.iut.finish(close)
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-05") == NOTHING


@BOTH
def test_unread_data_is_a_reason_not_to_linger(make: Callable[[], Story]) -> None:
    story = _queued(make)
    story.iut.linger(5)
    story.peer.send(3)
    if story.header.wire:
        story.data(PEER, 3)
    close = story.iut.begin("close")
    _rest(story)
    story.iut.finish(close)
    assert story.conclusions("INIT-CLOSE-05") == NOTHING


@BOTH
def test_linger_that_is_off_again_waits_for_nothing(make: Callable[[], Story]) -> None:
    story = _queued(make)
    story.iut.linger(5)
    story.iut.linger(5, on=False)
    close = story.iut.begin("close")
    _rest(story)
    story.iut.finish(close)
    assert story.conclusions("INIT-CLOSE-05") == NOTHING


@BOTH
def test_with_nothing_left_there_is_nothing_to_wait_for(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.send(10)
    if story.header.wire:
        story.data(IUT, 10)
    story.peer.recv(10)
    story.iut.linger(5)
    close = story.iut.begin("close")
    if story.header.wire:
        story.fin(IUT)
    story.peer.recv()
    story.wait(5000)
    story.iut.finish(close)
    assert story.conclusions("INIT-CLOSE-05") == NOTHING


def test_a_slow_drain_is_not_in_time() -> None:
    assert _lingers(drains_after=2600).conclusions("INIT-CLOSE-05") == NOTHING


def test_a_lingering_close_must_end_gracefully() -> None:
    story = _queued(Story)
    story.iut.linger(5)
    close = story.iut.begin("close")
    story.data(IUT, 6)
    story.rst(IUT)
    story.iut.finish(close)
    story.peer.recv(10)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-CLOSE-05") == VIOLATED


def test_a_lingering_close_must_succeed() -> None:
    story = _queued(Story)
    story.iut.linger(5)
    close = story.iut.begin("close")
    story.data(IUT, 6)
    story.iut.finish(close, error="EAGAIN")
    assert story.conclusions("INIT-CLOSE-05") == VIOLATED


def test_a_nonblocking_close_is_not_judged() -> None:
    story = _queued(Story, blocking=False)
    story.iut.linger(5)
    story.iut.close()
    _rest(story)
    assert story.conclusions("INIT-CLOSE-05") == NOTHING


@pytest.mark.parametrize("waits", [True, False])
def test_on_unix_close_need_not_wait(waits: bool) -> None:
    assert _lingers(wireless, waits=waits).conclusions("INIT-CLOSE-05") == SATISFIED


def test_unseen_an_early_return_shows_nothing() -> None:
    assert _lingers(tcp_unseen, waits=False).conclusions("INIT-CLOSE-05") == UNDETERMINED


@pytest.mark.parametrize(
    ("took", "unread", "expected"),
    [(1, False, VIOLATED), (2400, False, VIOLATED), (2600, False, NOTHING), (1, True, NOTHING)],
)
def test_a_lingering_close_must_not_abort_long_before_its_time_is_over(
    took: int, unread: bool, expected: set[Conclusion]
) -> None:
    story = _queued(Story)
    if unread:
        story.peer.send(3)
        story.data(PEER, 3)
    story.iut.linger(5)
    close = story.iut.begin("close")
    story.wait(took)
    story.rst(IUT)
    story.iut.finish(close)
    story.peer.recv(4)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-CLOSE-05") == expected


@pytest.mark.parametrize(
    ("reset_late", "returns_late", "expected"), [(0, 0, VIOLATED), (1, 0, NOTHING), (0, 1, NOTHING)]
)
def test_half_of_the_linger_time_is_long_before_it_is_over(
    reset_late: int, returns_late: int, expected: set[Conclusion]
) -> None:
    story = _queued(Story)
    story.iut.linger(5)
    close = story.iut.begin("close")
    began = story.now
    story.now = began + 2499 * MS + reset_late
    story.rst(IUT)
    story.now = began + 2499 * MS + returns_late
    story.iut.finish(close)
    story.peer.recv(4)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-CLOSE-05") == expected


def test_a_peer_that_resets_ends_the_lingering() -> None:
    story = _queued(Story)
    story.iut.linger(5)
    close = story.iut.begin("close")
    story.rst(PEER)
    story.iut.finish(close)
    assert story.conclusions("INIT-CLOSE-05") == NOTHING


# --- INIT-CLOSE-09 ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("on", "expected"), [(False, SATISFIED), (True, VIOLATED)])
def test_linger_is_off_by_default(on: bool, expected: set[Conclusion]) -> None:
    story = Story(connected=False)
    story.iut.call("get_linger", result={"on": on, "seconds": 0})
    assert story.conclusions("INIT-CLOSE-09") == expected


def test_linger_that_was_set_is_no_default() -> None:
    story = Story()
    story.iut.linger(5)
    story.iut.call("get_linger", result={"on": True, "seconds": 5})
    story.peer.call("get_linger", result={"on": True, "seconds": 5})
    assert story.conclusions("INIT-CLOSE-09") == NOTHING


def test_what_does_not_tell_of_linger_shows_nothing() -> None:
    story = Story(connected=False)
    story.iut.call("get_linger", error="EOPNOTSUPP")
    story.iut.call("names", result={})
    assert story.conclusions("INIT-CLOSE-09") == NOTHING


# --- INIT-CLOSE-11 ----------------------------------------------------------------------------------------------------


def _duplicated(make: Callable[[], Story]) -> Story:
    story = make()
    story.iut.call("duplicate", result={"socket": 4})
    story.iut.close()
    return story


def _looks(story: Story) -> None:
    story.peer.recv(timeout=True, takes=31, wait_ms=30)


@BOTH
def test_only_the_last_close_ends(make: Callable[[], Story]) -> None:
    story = _duplicated(make)
    _looks(story)
    story.iut.send(5, socket=4)
    if story.header.wire:
        story.data(IUT, 5)
    story.peer.recv(5)
    story.iut.close(socket=4)
    if story.header.wire:
        story.fin(IUT)
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-11") == SATISFIED


@pytest.mark.parametrize("flags", ["FA", "RA"])
def test_the_first_close_sends_no_end(flags: str) -> None:
    story = _duplicated(Story)
    story.segment(IUT, flags)
    assert story.conclusions("INIT-CLOSE-11") == VIOLATED


@pytest.mark.parametrize("error", ["", "ECONNRESET"])
def test_the_first_close_brings_no_word(error: str) -> None:
    story = _duplicated(wireless)
    story.peer.recv(error=error)
    assert story.conclusions("INIT-CLOSE-11") == VIOLATED


@BOTH
def test_the_other_handle_still_sends(make: Callable[[], Story]) -> None:
    story = _duplicated(make)
    story.iut.send(5, socket=4, error="EPIPE")
    assert story.conclusions("INIT-CLOSE-11") == VIOLATED


def test_the_other_handle_is_not_invalid_and_no_time_need_pass_to_say_so() -> None:
    story = _duplicated(wireless)
    story.iut.send(5, socket=4, error="EBADF")
    called, returned = story.events[-2:]
    story.events[-1] = msgspec.structs.replace(returned, at=called.at)
    assert story.conclusions("INIT-CLOSE-11") == VIOLATED


def test_a_handle_refuses_after_an_error_that_was_told_before() -> None:
    story = _duplicated(wireless)
    story.iut.get_error("ETIMEDOUT")
    story.iut.send(5, socket=4, error="EPIPE")
    assert story.conclusions("INIT-CLOSE-11") == NOTHING


@BOTH
def test_the_closed_handle_does_not(make: Callable[[], Story]) -> None:
    story = _duplicated(make)
    story.iut.send(5, socket=3, error="ENOTCONN")
    assert story.conclusions("INIT-CLOSE-11") == NOTHING


@BOTH
def test_the_last_close_must_tell_the_peer(make: Callable[[], Story]) -> None:
    story = _duplicated(make)
    _looks(story)
    story.iut.close(socket=4)
    story.peer.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions("INIT-CLOSE-11") == VIOLATED


@BOTH
def test_without_a_look_between_the_closes_nothing_is_shown(make: Callable[[], Story]) -> None:
    story = _duplicated(make)
    story.iut.close(socket=4)
    if story.header.wire:
        story.fin(IUT)
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-11") == NOTHING


@BOTH
def test_a_single_handle_is_no_duplicate(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.close()
    if story.header.wire:
        story.fin(IUT)
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-11") == NOTHING


@BOTH
@pytest.mark.parametrize("step", ["dies", "shutdown"])
def test_another_end_is_not_the_first_close_s(make: Callable[[], Story], step: str) -> None:
    story = _duplicated(make)
    if step == "dies":
        story.iut.dies()
    else:
        story.iut.shutdown("send", socket=4)
    if story.header.wire:
        story.fin(IUT)
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-11") == NOTHING


@BOTH
def test_of_three_handles_the_third_ends(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.call("duplicate", result={"socket": 4})
    story.iut.call("duplicate", result={"socket": 5})
    story.iut.close()
    story.iut.close(socket=4)
    _looks(story)
    story.iut.close(socket=5)
    if story.header.wire:
        story.fin(IUT)
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-11") == SATISFIED


@BOTH
def test_of_three_handles_the_second_does_not_end(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.call("duplicate", result={"socket": 4})
    story.iut.call("duplicate", result={"socket": 5})
    story.iut.close()
    story.iut.close(socket=4)
    if story.header.wire:
        story.fin(IUT)
    story.peer.recv()
    story.iut.close(socket=5)
    assert story.conclusions("INIT-CLOSE-11") == VIOLATED


@BOTH
def test_a_close_that_failed_may_have_ended_it(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.call("duplicate", result={"socket": 4})
    story.iut.call("duplicate", result={"socket": 5})
    story.iut.close()
    story.iut.close(socket=4, error="EIO")
    if story.header.wire:
        story.fin(IUT)
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-11") == NOTHING


@BOTH
@pytest.mark.parametrize("answer", ["failed", "none"])
def test_a_first_close_without_success_shows_nothing(make: Callable[[], Story], answer: str) -> None:
    story = make()
    story.iut.call("duplicate", result={"socket": 4})
    if answer == "failed":
        story.iut.close(error="EIO")
    else:
        story.iut.begin("close")
    if story.header.wire:
        story.fin(IUT)
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-11") == NOTHING


@BOTH
@pytest.mark.parametrize(("late", "expected"), [(0, VIOLATED), (1, NOTHING)])
def test_a_duplicate_keeps_it_open_from_the_instant_at_which_it_is_made(
    make: Callable[[], Story], late: int, expected: set[Conclusion]
) -> None:
    story = make()
    duplicating = story.iut.begin("duplicate")
    close = story.iut.begin("close")
    story.now += late - MS
    story.iut.finish(duplicating, socket=4)
    story.iut.finish(close)
    if story.header.wire:
        story.fin(IUT)
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-11") == expected


@BOTH
def test_a_duplicate_that_failed_is_none(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.call("duplicate", error="EMFILE")
    story.iut.close()
    if story.header.wire:
        story.fin(IUT)
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-11") == NOTHING


def test_after_the_peers_reset_the_first_close_may_end() -> None:
    story = Story()
    story.iut.call("duplicate", result={"socket": 4})
    story.rst(PEER)
    story.iut.close()
    story.rst(IUT)
    assert story.conclusions("INIT-CLOSE-11") == NOTHING


@BOTH
def test_an_end_of_receiving_between_the_closes_is_another_matter(make: Callable[[], Story]) -> None:
    story = _duplicated(make)
    _looks(story)
    story.iut.shutdown("receive", socket=4)
    story.iut.close(socket=4)
    if story.header.wire:
        story.fin(IUT)
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-11") == NOTHING


@BOTH
def test_a_last_close_with_linger_zero_aborts_rightly(make: Callable[[], Story]) -> None:
    story = _duplicated(make)
    _looks(story)
    story.iut.linger(0)
    story.iut.call("set_linger", socket=4, on=True, seconds=0, result={"on": True, "seconds": 0})
    story.iut.close(socket=4)
    if story.header.wire:
        story.rst(IUT)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-CLOSE-11") == NOTHING


@BOTH
def test_a_last_close_with_data_unread_may_reset(make: Callable[[], Story]) -> None:
    story = _duplicated(make)
    _looks(story)
    story.peer.send(3)
    if story.header.wire:
        story.data(PEER, 3)
    story.iut.close(socket=4)
    if story.header.wire:
        story.rst(IUT)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-CLOSE-11") == NOTHING


# --- INIT-CLOSE-12 ----------------------------------------------------------------------------------------------------


def _told_then_closed(make: Callable[[], Story], *, linger: int | None = None) -> Story:
    story = make()
    story.iut.shutdown("send")
    if story.header.wire:
        story.fin(IUT)
    story.peer.recv()
    if linger is not None:
        story.iut.linger(linger)
    story.iut.close()
    return story


@BOTH
def test_a_close_adds_nothing_to_a_shutdown(make: Callable[[], Story]) -> None:
    story = _told_then_closed(make)
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-12") == SATISFIED


@BOTH
def test_a_peer_that_does_not_look_again_shows_nothing(make: Callable[[], Story]) -> None:
    assert _told_then_closed(make).conclusions("INIT-CLOSE-12") == NOTHING


@pytest.mark.parametrize(("flags", "sent"), [("FA", "a second FIN"), ("RA", "a reset")])
def test_a_close_sends_no_second_end(flags: str, sent: str) -> None:
    story = _told_then_closed(Story)
    story.segment(IUT, flags)
    (finding,) = story.judge("INIT-CLOSE-12")
    assert finding.outcome is Conclusion.VIOLATED
    assert f"the IUT sent {sent}" in finding.because


def test_a_reset_at_the_instant_of_the_close_is_its_doing() -> None:
    story = Story()
    story.iut.shutdown("send")
    story.fin(IUT)
    story.peer.recv()
    call = story.iut.begin("close")
    story.now -= MS
    story.rst(IUT)
    story.iut.finish(call)
    assert story.conclusions("INIT-CLOSE-12") == VIOLATED


@pytest.mark.parametrize(("early", "expected"), [(0, SATISFIED), (1, VIOLATED)])
def test_what_comes_from_the_close_s_instant_on_excuses_a_reset(early: int, expected: set[Conclusion]) -> None:
    story = Story()
    story.iut.shutdown("send")
    story.fin(IUT)
    story.peer.recv()
    call = story.iut.begin("close")
    story.now -= MS + early
    story.segment(PEER, "A")
    story.now += early
    story.rst(IUT)
    story.iut.finish(call)
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-12") == expected


@pytest.mark.parametrize(("early", "expected"), [(0, SATISFIED), (1, VIOLATED)])
def test_it_excuses_a_reset_from_the_instant_at_which_it_comes(early: int, expected: set[Conclusion]) -> None:
    story = _told_then_closed(Story)
    story.segment(PEER, "A")
    story.now -= MS + early
    story.rst(IUT)
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-12") == expected


@BOTH
@pytest.mark.parametrize(
    ("since_shutdown", "before_close", "expected"),
    [(-1, 2, NOTHING), (0, 1, SATISFIED), (1, 1, SATISFIED), (1, 0, NOTHING), (1, -1, NOTHING)],
)
def test_the_end_is_told_from_the_instant_of_the_shutdown_until_before_the_close(
    make: Callable[[], Story], since_shutdown: int, before_close: int, expected: set[Conclusion]
) -> None:
    story = make()
    reading, shutdown = story.peer.begin("recv", length=10), story.iut.begin("shutdown", how="send")
    began = story.now
    if story.header.wire:
        story.fin(IUT)
    story.now = began + since_shutdown - MS
    story.peer.finish(reading, length=0, data="")
    story.now = began + since_shutdown + before_close - 2 * MS
    story.iut.finish(shutdown)
    close = story.iut.begin("close")
    story.iut.finish(close)
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-12") == expected


@BOTH
@pytest.mark.parametrize(("early", "expected"), [(0, SATISFIED), (1, NOTHING)])
def test_a_receive_that_is_made_after_the_close_returned_tells_what_came_of_it(
    make: Callable[[], Story], early: int, expected: set[Conclusion]
) -> None:
    story = _told_then_closed(make)
    story.now -= MS + early
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-12") == expected


def test_a_fin_sent_again_is_no_second_end() -> None:
    story = _told_then_closed(Story)
    story.segment(IUT, "FA", start=0)
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-12") == SATISFIED


def test_an_acknowledgement_that_comes_to_a_connection_that_is_over_may_be_reset() -> None:
    story = _told_then_closed(Story)
    story.peer.shutdown("send")
    story.fin(PEER)
    story.segment(PEER, "A")
    story.segment(IUT, "R")
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-12") == SATISFIED


def test_a_close_brings_no_second_word() -> None:
    story = _told_then_closed(wireless)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-CLOSE-12") == VIOLATED


@pytest.mark.parametrize(("sent", "expected"), [("before", NOTHING), ("after", VIOLATED)])
def test_what_the_peer_sent_before_it_heard_a_second_word_excuses_it(sent: str, expected: set[Conclusion]) -> None:
    story = _told_then_closed(wireless)
    story.peer.recv()
    if sent == "before":
        story.peer.send(5)
    story.peer.recv(error="ECONNRESET")
    if sent == "after":
        story.peer.send(5)
    assert story.conclusions("INIT-CLOSE-12") == expected


@BOTH
def test_linger_zero_adds_a_reset_rightly(make: Callable[[], Story]) -> None:
    story = _told_then_closed(make, linger=0)
    if story.header.wire:
        story.rst(IUT)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-CLOSE-12") == NOTHING


@BOTH
def test_data_after_the_close_may_be_reset(make: Callable[[], Story]) -> None:
    story = _told_then_closed(make)
    story.peer.send(5)
    if story.header.wire:
        story.data(PEER, 5, acked=False)
        story.rst(IUT)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-CLOSE-12") == NOTHING


@BOTH
def test_unread_data_at_the_close_excuses_a_reset(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.shutdown("send")
    if story.header.wire:
        story.fin(IUT)
    story.peer.recv()
    story.peer.send(5)
    if story.header.wire:
        story.data(PEER, 5)
    story.iut.close()
    if story.header.wire:
        story.rst(IUT)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-CLOSE-12") == NOTHING


def test_an_end_that_the_peer_hears_only_after_the_close_shows_nothing() -> None:
    story = Story()
    story.iut.shutdown("send")
    story.fin(IUT)
    story.iut.close()
    story.peer.recv()
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-12") == NOTHING


@BOTH
@pytest.mark.parametrize(("looked", "expected"), [(PATIENCE, VIOLATED), (PATIENCE // 2, NOTHING)])
def test_a_shutdown_must_not_wait_for_the_close(
    make: Callable[[], Story], looked: int, expected: set[Conclusion]
) -> None:
    story = make()
    story.iut.shutdown("send")
    story.peer.recv(timeout=True, takes=looked, wait_ms=looked)
    story.iut.close()
    if story.header.wire:
        story.fin(IUT)
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-12") == expected


def test_a_close_of_one_duplicate_that_resets_is_wrong() -> None:
    story = Story()
    story.iut.call("duplicate", result={"socket": 4})
    call = story.iut.begin("close")
    story.rst(IUT)
    story.iut.finish(call)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-CLOSE-11") == VIOLATED
