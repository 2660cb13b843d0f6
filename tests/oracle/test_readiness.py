# SPDX-License-Identifier: MIT
"""The judges of select, poll and epoll: stories in which they tell of an end rightly, wrongly, or of something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.oracle.findings import Conclusion
from tests.oracle.story import IUT, PATIENCE, PEER, Story, statement, wireless

SATISFIED, VIOLATED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}
UNDETERMINED, NOTHING = {Conclusion.UNDETERMINED}, set[Conclusion]()
POLLS = ["POSIX-POLL-01", "POSIX-POLL-02", "POSIX-POLL-03", "POSIX-POLL-04"]
HALF, BOTH, RESET = ("IN", "RDHUP"), ("IN", "RDHUP", "HUP"), ("IN", "RDHUP", "HUP", "ERR")
Change = Callable[[Story], object]


def relayed() -> Story:
    """A link that the harness relays: when a segment arrived is not known."""
    return Story().relayed()


LINKS = pytest.mark.parametrize("link", [Story, wireless], ids=["wire", "wireless"])


def half_closed(story: Story | None = None, *, acked: bool = True, how: str | int = "send") -> Story:
    story = story or Story()
    story.peer.shutdown(how)
    if story.header.wire:
        story.fin(PEER, acked=acked)
    return story


def aborted(story: Story | None = None) -> Story:
    story = story or Story()
    story.peer.linger(0)
    story.peer.close()
    story.rst(PEER)
    return story


def select(story: Story, *told: str, **options: Any) -> None:
    story.iut.poll(*told, surface="select", ask=("IN",), **options)


def at_once(story: Story) -> Story:
    """What comes next comes at the time of what came last, on a link on which nobody can tell which was first."""
    story.relayed()
    story.wait(-1)
    return story


def edge(story: Story, *told: str, **options: Any) -> None:
    story.iut.poll(*told, surface="epoll-et", **options)


# --- IND-SEL-01 -------------------------------------------------------------------------------------------------------


@LINKS
@pytest.mark.parametrize(
    ("after", "expected"),
    [({}, SATISFIED), ({"error": "EWOULDBLOCK"}, VIOLATED), ({"timeout": True}, VIOLATED)],
)
def test_select_tells_readable_and_the_receive_does_not_block(
    link: Callable[[], Story], after: dict[str, Any], expected: set[Conclusion]
) -> None:
    story = half_closed(link())
    select(story, "IN")
    story.iut.recv(**after)
    assert story.conclusions("IND-SEL-01") == expected


@pytest.mark.parametrize("link", [Story, relayed], ids=["wire", "relayed"])
@pytest.mark.parametrize(("error", "expected"), [("ECONNRESET", SATISFIED), ("EWOULDBLOCK", VIOLATED)])
def test_select_tells_of_a_reset(link: Callable[[], Story], error: str, expected: set[Conclusion]) -> None:
    story = aborted(link())
    select(story, "IN")
    story.iut.recv(error=error)
    assert story.conclusions("IND-SEL-01") == expected


def test_select_tells_of_data_before_the_end() -> None:
    story = Story()
    story.peer.send(5)
    story.data(PEER, 5)
    half_closed(story)
    select(story, "IN")
    story.iut.recv(5)
    assert story.conclusions("IND-SEL-01") == NOTHING
    select(story, "IN")
    story.iut.recv()
    assert story.conclusions("IND-SEL-01") == SATISFIED


def test_select_tells_of_the_end_before_the_fin_is_acknowledged() -> None:
    story = half_closed(acked=False)
    select(story, "IN")
    story.iut.recv()
    story.wait(40)
    story.segment(IUT, "A")
    assert story.conclusions("IND-SEL-01") == SATISFIED


@pytest.mark.parametrize(
    ("after_ms", "wait_ms", "takes_ms", "expected"),
    [
        (0, 1000, 1000, VIOLATED),
        (999, 0, 1, VIOLATED),
        (0, 0, PATIENCE, NOTHING),
        (0, 30, PATIENCE, NOTHING),
        (0, 998, 998, NOTHING),
        (998, 0, 1, NOTHING),
    ],
    ids=["waited", "asked-late", "returned-late", "short-wait-returned-late", "waited-not-long", "asked-in-time"],
)
def test_select_tells_nothing(after_ms: int, wait_ms: int, takes_ms: int, expected: set[Conclusion]) -> None:
    story = half_closed()
    story.wait(after_ms)
    select(story, takes=takes_ms, wait_ms=wait_ms)
    story.iut.recv()
    assert story.conclusions("IND-SEL-01") == expected


@pytest.mark.parametrize(("after_ms", "expected"), [(998, NOTHING), (999, VIOLATED)])
def test_select_that_was_not_asked_to_wait_tells_nothing(after_ms: int, expected: set[Conclusion]) -> None:
    story = half_closed()
    story.wait(after_ms)
    select(story, takes=PATIENCE)
    assert story.conclusions("IND-SEL-01") == expected


def test_each_select_is_judged_by_itself() -> None:
    story = Story()
    select(story)
    half_closed(story)
    select(story)
    select(story, "IN")
    story.iut.recv(error="EWOULDBLOCK")
    assert story.conclusions("IND-SEL-01") == VIOLATED


@pytest.mark.parametrize(("early_ms", "expected"), [(0, VIOLATED), (1, NOTHING)])
def test_select_may_tell_of_the_end_as_it_comes(early_ms: int, expected: set[Conclusion]) -> None:
    story = Story()
    call = story.iut.begin("poll", surface="select", events=["IN"])
    story.peer.shutdown("send")
    story.fin(PEER, acked=False)
    at_once(story).wait(-early_ms)
    story.iut.finish(call, events=["IN"])
    story.wait(early_ms)
    story.iut.recv(error="EWOULDBLOCK")
    assert story.conclusions("IND-SEL-01") == expected


def test_a_receive_as_select_returns_comes_after_it() -> None:
    story = half_closed()
    select(story, "IN")
    story.wait(-1)
    story.iut.recv(error="EWOULDBLOCK")
    story.iut.recv()
    assert story.conclusions("IND-SEL-01") == VIOLATED


@pytest.mark.parametrize(("later_ms", "expected"), [(0, NOTHING), (1, VIOLATED)])
def test_select_that_returns_as_the_own_shutdown_is_made(later_ms: int, expected: set[Conclusion]) -> None:
    story = half_closed()
    select(story, takes=PATIENCE, wait_ms=PATIENCE)
    story.wait(later_ms - 1)
    story.iut.shutdown("receive")
    assert story.conclusions("IND-SEL-01") == expected


@pytest.mark.parametrize(
    ("told", "after_ms", "expected"),
    [(("PRI",), 29, VIOLATED), (("PRI",), 28, NOTHING), (("OUT",), 30, NOTHING), (("PRI", "OUT"), 30, VIOLATED)],
)
def test_select_tells_of_something_else_long_after_the_end(
    told: tuple[str, ...], after_ms: int, expected: set[Conclusion]
) -> None:
    story = half_closed()
    story.wait(after_ms)
    select(story, *told, wait_ms=PATIENCE)
    story.iut.recv()
    assert story.conclusions("IND-SEL-01") == expected


def test_on_a_relayed_link_a_reset_may_come_late() -> None:
    story = aborted(relayed())
    select(story, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions("IND-SEL-01") == NOTHING


def test_select_without_a_receive_after_it_shows_half() -> None:
    story = half_closed()
    select(story, "IN")
    assert story.conclusions("IND-SEL-01") == NOTHING


def test_select_before_the_end_is_not_judged() -> None:
    story = Story()
    select(story, takes=PATIENCE, wait_ms=PATIENCE)
    half_closed(story)
    story.iut.recv()
    assert story.conclusions("IND-SEL-01") == NOTHING


def test_select_for_writing_only_is_not_judged() -> None:
    story = half_closed()
    story.iut.poll(surface="select", ask=("OUT",), takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions("IND-SEL-01") == NOTHING


def test_select_after_the_own_shutdown_of_receiving_is_not_judged() -> None:
    story = half_closed()
    story.iut.shutdown("receive")
    select(story, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions("IND-SEL-01") == NOTHING


def test_select_before_the_own_shutdown_of_receiving_is_judged() -> None:
    story = half_closed()
    select(story, "IN")
    story.iut.recv()
    story.iut.shutdown("receive")
    assert story.conclusions("IND-SEL-01") == SATISFIED


def test_select_that_told_readable_before_the_end_told_of_something_else() -> None:
    story = Story()
    select(story, "IN")
    half_closed(story)
    story.iut.recv(error="EWOULDBLOCK")
    assert story.conclusions("IND-SEL-01") == NOTHING


def test_a_reset_of_the_iut_is_no_end_of_the_peer() -> None:
    story = Story()
    story.rst(IUT)
    select(story, "IN")
    story.iut.recv(error="EWOULDBLOCK")
    assert story.conclusions("IND-SEL-01") == NOTHING


def test_select_where_the_end_is_not_known() -> None:
    story = half_closed(Story(lost=1))
    select(story, "IN")
    assert story.conclusions("IND-SEL-01") == UNDETERMINED


# --- POSIX-POLL-01 ----------------------------------------------------------------------------------------------------


@LINKS
@pytest.mark.parametrize("surface", ["poll", "epoll"])
@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (HALF, SATISFIED),
        (("IN", "RDHUP", "OUT"), SATISFIED),
        (("IN",), VIOLATED),
        (("RDHUP",), VIOLATED),
        (BOTH, VIOLATED),
        (RESET, VIOLATED),
        ((), VIOLATED),
    ],
    ids=lambda value: "-".join(value) or "nothing" if isinstance(value, tuple) else "",
)
def test_a_half_close_is_readable_and_not_hung_up(
    link: Callable[[], Story], surface: str, told: tuple[str, ...], expected: set[Conclusion]
) -> None:
    story = half_closed(link())
    story.iut.poll(*told, surface=surface)
    assert story.conclusions("POSIX-POLL-01") == expected


def test_the_direction_may_be_given_as_a_number() -> None:
    story = half_closed(how=1)
    story.iut.poll(*HALF)
    assert story.conclusions("POSIX-POLL-01") == SATISFIED


def test_what_was_asked_before_the_fin_was_acknowledged_is_judged_if_it_told() -> None:
    for told, expected in ((HALF, SATISFIED), (BOTH, VIOLATED), ((), NOTHING), (("IN",), NOTHING)):
        story = half_closed(acked=False)
        story.iut.poll(*told)
        story.segment(IUT, "A")
        assert story.conclusions("POSIX-POLL-01") == expected


@LINKS
@pytest.mark.parametrize(
    ("told", "expected"), [(HALF, VIOLATED), (BOTH, VIOLATED), (("IN",), NOTHING), (("HUP",), NOTHING), ((), NOTHING)]
)
@pytest.mark.parametrize(("surface", "requirement"), [("poll", "POSIX-POLL-01"), ("epoll-et", "POSIX-POLL-04")])
def test_a_half_close_is_not_told_before_it_comes(
    link: Callable[[], Story], told: tuple[str, ...], expected: set[Conclusion], surface: str, requirement: str
) -> None:
    story = link()
    story.iut.poll(*told, surface=surface)
    half_closed(story)
    assert story.conclusions(requirement) == expected


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.iut.shutdown("receive"),
        lambda s: s.rst(IUT),
        lambda s: s.iut.call("set_option", name="USER_TIMEOUT", value=300),
    ],
    ids=["own-receive", "own-reset", "time-out"],
)
def test_what_else_is_told_like_a_half_close_may_come_before_it(change: Change) -> None:
    story = Story()
    change(story)
    story.iut.poll(*RESET)
    edge(story, *RESET)
    half_closed(story)
    assert story.conclusions("POSIX-POLL-01") == NOTHING
    assert story.conclusions("POSIX-POLL-04") == NOTHING


@LINKS
@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ({}, SATISFIED),
        ({"error": "ECONNRESET"}, SATISFIED),
        ({"error": "EWOULDBLOCK"}, VIOLATED),
        ({"timeout": True}, VIOLATED),
    ],
)
def test_a_receive_does_not_contradict_the_poll(
    link: Callable[[], Story], after: dict[str, Any], expected: set[Conclusion]
) -> None:
    story = half_closed(link())
    story.iut.poll(*HALF)
    assert story.conclusions("POSIX-POLL-01") == SATISFIED
    story.iut.recv(**after)
    assert story.conclusions("POSIX-POLL-01") == expected


def test_a_receive_that_was_made_before_the_poll_does_not_contradict_it() -> None:
    story = half_closed()
    story.iut.recv(error="EWOULDBLOCK")
    story.iut.poll(*HALF)
    assert story.conclusions("POSIX-POLL-01") == SATISFIED


def test_a_receive_as_the_poll_returns_comes_after_it() -> None:
    story = half_closed()
    story.iut.poll(*HALF)
    story.wait(-1)
    story.iut.recv(error="EWOULDBLOCK")
    story.iut.recv()
    assert story.conclusions("POSIX-POLL-01") == VIOLATED


@pytest.mark.parametrize(("before_ms", "expected"), [(0, VIOLATED), (1, NOTHING)])
def test_a_poll_that_is_made_as_the_fin_is_acknowledged(before_ms: int, expected: set[Conclusion]) -> None:
    story = half_closed(acked=False)
    story.segment(IUT, "A")
    at_once(story).wait(-before_ms)
    story.iut.poll("IN")
    assert story.conclusions("POSIX-POLL-01") == expected


@pytest.mark.parametrize(("early_ms", "expected"), [(0, SATISFIED), (1, VIOLATED)])
@pytest.mark.parametrize(("surface", "requirement"), [("poll", "POSIX-POLL-01"), ("epoll-et", "POSIX-POLL-04")])
def test_a_poll_that_returns_as_the_end_comes(
    surface: str, requirement: str, early_ms: int, expected: set[Conclusion]
) -> None:
    story = Story()
    call = story.iut.begin("poll", surface=surface, events=list(HALF))
    story.peer.shutdown("send")
    story.wait(1)
    story.fin(PEER)
    story.wait(-2 - early_ms)
    story.iut.finish(call, events=list(HALF))
    assert story.conclusions(requirement) == expected


def test_each_poll_is_judged_by_itself() -> None:
    story = Story()
    story.iut.poll("IN")
    half_closed(story)
    story.iut.poll(*HALF)
    story.iut.poll(*HALF)
    assert len(story.judge("POSIX-POLL-01")) == 2


@pytest.mark.parametrize("change", ["peer-receive", "own-reset", "own-shutdown", "reset"])
@pytest.mark.parametrize("later_ms", [0, 1])
def test_what_comes_as_the_poll_returns_may_have_come_before(change: str, later_ms: int) -> None:
    story = half_closed()
    story.iut.poll("IN")
    at_once(story).wait(later_ms)
    if change == "peer-receive":
        story.peer.shutdown("receive")
    elif change == "own-shutdown":
        story.iut.shutdown("send")
    else:
        story.rst(PEER if change == "reset" else IUT)
    assert story.conclusions("POSIX-POLL-01") == (VIOLATED if later_ms else NOTHING)


def test_the_first_reset_of_its_own_counts() -> None:
    story = half_closed()
    story.rst(IUT)
    story.iut.poll(*RESET)
    story.rst(IUT)
    assert story.conclusions("POSIX-POLL-01") == NOTHING


@pytest.mark.parametrize("change", [lambda s: s.rst(PEER), lambda s: s.rst(IUT), lambda s: s.iut.shutdown("send")])
def test_what_comes_after_the_poll_changes_nothing(change: Change) -> None:
    story = half_closed()
    story.iut.poll(*HALF)
    change(story)
    assert story.conclusions("POSIX-POLL-01") == SATISFIED


def test_a_poll_that_did_not_ask_for_it_need_not_tell_it() -> None:
    story = half_closed()
    story.iut.poll("IN", ask=("IN",))
    story.iut.poll("IN", surface="select")
    assert story.conclusions("POSIX-POLL-01") == NOTHING


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.rst(PEER),
        lambda s: s.rst(IUT),
        lambda s: s.iut.shutdown("send"),
        lambda s: s.iut.shutdown("receive"),
        lambda s: s.iut.begin("shutdown", how="both"),
        lambda s: s.peer.close(),
        lambda s: s.peer.shutdown("receive"),
        lambda s: s.peer.dies(),
    ],
    ids=["reset", "own-reset", "own-send", "own-receive", "own-both", "close", "peer-receive", "death"],
)
@pytest.mark.parametrize("told", [BOTH, RESET])
def test_more_than_a_half_close_is_for_other_judges(change: Change, told: tuple[str, ...]) -> None:
    story = half_closed()
    change(story)
    story.iut.poll(*told)
    assert story.conclusions("POSIX-POLL-01") == NOTHING


@pytest.mark.parametrize(("surface", "requirement"), [("poll", "POSIX-POLL-01"), ("epoll-et", "POSIX-POLL-04")])
def test_an_abort_is_no_half_close(surface: str, requirement: str) -> None:
    story = Story()
    story.iut.poll(*HALF, surface=surface)
    aborted(story)
    story.iut.poll(*HALF, surface=surface)
    assert story.conclusions(requirement) == NOTHING


def test_a_fin_that_the_peer_sends_by_dying_is_no_half_close() -> None:
    story = Story()
    story.peer.dies()
    story.fin(PEER)
    story.iut.poll("IN")
    assert story.conclusions("POSIX-POLL-01") == NOTHING


def test_a_unix_peer_that_shuts_down_both_directions_one_by_one() -> None:
    story = half_closed(wireless())
    story.peer.shutdown("receive")
    story.iut.poll(*BOTH)
    assert story.conclusions("POSIX-POLL-01") == NOTHING


def test_an_own_shutdown_that_failed_changes_nothing() -> None:
    story = half_closed()
    story.iut.shutdown(7, error="EINVAL")
    story.iut.poll(*BOTH)
    assert story.conclusions("POSIX-POLL-01") == VIOLATED


@pytest.mark.parametrize(("told", "expected"), [(RESET, NOTHING), (BOTH, VIOLATED)])
def test_a_user_time_out_is_an_error(told: tuple[str, ...], expected: set[Conclusion]) -> None:
    story = Story()
    story.iut.call("set_option", name="USER_TIMEOUT", value=300)
    half_closed(story)
    story.iut.poll(*told)
    assert story.conclusions("POSIX-POLL-01") == expected


@pytest.mark.parametrize("how", ["both", "close"])
def test_a_peer_that_gave_up_more_is_for_other_judges(how: str) -> None:
    story = Story()
    story.peer.close() if how == "close" else story.peer.shutdown(how)
    story.fin(PEER)
    story.iut.poll("IN")
    assert story.conclusions("POSIX-POLL-01") == NOTHING


# --- POSIX-POLL-02 ----------------------------------------------------------------------------------------------------


def both_ended(story: Story | None = None) -> Story:
    story = half_closed(story)
    story.iut.shutdown("send")
    if story.header.wire:
        story.fin(IUT)
    return story


@LINKS
@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (BOTH, SATISFIED),
        ((*BOTH, "OUT"), SATISFIED),
        (HALF, VIOLATED),
        (RESET, VIOLATED),
        (("HUP",), VIOLATED),
        ((), VIOLATED),
    ],
)
def test_both_ends_gone_is_hung_up(link: Callable[[], Story], told: tuple[str, ...], expected: set[Conclusion]) -> None:
    story = both_ended(link())
    story.iut.poll(*told)
    assert story.conclusions("POSIX-POLL-02") == expected


def test_the_order_of_the_ends_is_free() -> None:
    story = Story()
    story.iut.shutdown("send")
    story.fin(IUT)
    story.iut.poll(wait_ms=30)
    half_closed(story)
    story.iut.poll(*BOTH)
    assert story.conclusions("POSIX-POLL-02") == SATISFIED


@pytest.mark.parametrize(("later_ms", "expected"), [(-1, NOTHING), (0, NOTHING), (1, VIOLATED)])
def test_a_poll_that_is_made_as_both_have_ended(later_ms: int, expected: set[Conclusion]) -> None:
    story = half_closed()
    story.iut.shutdown("send")
    story.wait(later_ms - 1)
    story.iut.poll(*HALF, takes=10)
    assert story.conclusions("POSIX-POLL-02") == expected


def test_only_one_end_has_ended() -> None:
    for who in (PEER, IUT):
        story = Story()
        (story.peer if who is PEER else story.iut).shutdown("send")
        story.fin(who)
        story.iut.poll(*BOTH)
        assert story.conclusions("POSIX-POLL-02") == NOTHING


def test_an_abort_is_no_end_of_the_peers_direction() -> None:
    story = Story()
    story.iut.shutdown("send")
    story.fin(IUT)
    story.rst(PEER)
    story.iut.poll(*BOTH)
    assert story.conclusions("POSIX-POLL-02") == NOTHING


@pytest.mark.parametrize(
    "change",
    [lambda s: s.rst(PEER), lambda s: s.rst(IUT), lambda s: s.iut.call("set_option", name="KEEPALIVE", value=1)],
)
@pytest.mark.parametrize(("told", "expected"), [(BOTH, SATISFIED), (RESET, NOTHING)])
def test_a_reset_or_a_time_out_after_both_ends(
    change: Change, told: tuple[str, ...], expected: set[Conclusion]
) -> None:
    story = both_ended()
    change(story)
    story.iut.poll(*told)
    assert story.conclusions("POSIX-POLL-02") == expected


def test_a_unix_peer_that_closes_with_data_unread_after_both_ends() -> None:
    story = wireless()
    story.iut.send(5)
    both_ended(story)
    story.peer.close()
    story.iut.poll(*RESET)
    assert story.conclusions("POSIX-POLL-02") == NOTHING


def test_a_poll_after_close_has_no_answer() -> None:
    story = half_closed()
    story.iut.close()
    story.fin(IUT)
    story.iut.call("poll", surface="poll", events=["IN", "RDHUP"], error="EBADF")
    assert story.conclusions("POSIX-POLL-02") == NOTHING


# --- POSIX-POLL-03 ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("surface", ["poll", "epoll"])
@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (RESET, SATISFIED),
        ((*RESET, "OUT"), SATISFIED),
        (BOTH, VIOLATED),
        (HALF, VIOLATED),
        (("ERR", "HUP"), VIOLATED),
        (("IN",), VIOLATED),
        ((), VIOLATED),
    ],
)
def test_an_abort_is_an_error_and_a_hang_up(surface: str, told: tuple[str, ...], expected: set[Conclusion]) -> None:
    story = aborted()
    story.wait(30)
    story.iut.poll(*told, surface=surface)
    assert story.conclusions("POSIX-POLL-03") == expected


@pytest.mark.parametrize(("after_ms", "expected"), [(28, NOTHING), (29, VIOLATED)])
def test_a_poll_the_settle_time_after_the_reset_must_know(after_ms: int, expected: set[Conclusion]) -> None:
    story = aborted()
    story.wait(after_ms)
    story.iut.poll("IN")
    assert story.conclusions("POSIX-POLL-03") == expected


@pytest.mark.parametrize(("later_ms", "expected"), [(-1, NOTHING), (0, NOTHING), (1, VIOLATED)])
def test_a_poll_that_returns_as_the_reset_comes(later_ms: int, expected: set[Conclusion]) -> None:
    story = Story()
    call = story.iut.begin("poll", surface="poll", events=list(HALF))
    story.wait(5)
    aborted(story)
    at_once(story).wait(later_ms)
    story.iut.finish(call, events=list(BOTH))
    assert story.conclusions("POSIX-POLL-03") == expected


@pytest.mark.parametrize(("later_ms", "expected"), [(-1, NOTHING), (0, NOTHING), (1, VIOLATED)])
def test_a_poll_that_returned_before_the_error_was_taken(later_ms: int, expected: set[Conclusion]) -> None:
    story = aborted()
    story.wait(30)
    story.iut.poll(*BOTH)
    story.wait(later_ms - 1)
    story.iut.recv(error="ECONNRESET", takes=5)
    assert story.conclusions("POSIX-POLL-03") == expected


@pytest.mark.parametrize("told", [("IN",), ()])
def test_a_poll_right_after_the_reset_may_know_nothing_yet(told: tuple[str, ...]) -> None:
    story = aborted()
    story.iut.poll(*told)
    assert story.conclusions("POSIX-POLL-03") == NOTHING


def test_a_poll_that_the_reset_wakes_tells_all() -> None:
    for told, expected in ((RESET, SATISFIED), (HALF, VIOLATED)):
        story = Story()
        call = story.iut.begin("poll", surface="poll", events=["IN", "RDHUP"], wait_ms=PATIENCE)
        aborted(story)
        story.iut.finish(call, events=list(told))
        assert story.conclusions("POSIX-POLL-03") == expected


def test_on_a_relayed_link_a_reset_may_come_after_the_poll() -> None:
    for told, expected in ((RESET, SATISFIED), (HALF, VIOLATED), ((), NOTHING)):
        story = aborted(relayed())
        story.wait(PATIENCE)
        story.iut.poll(*told)
        assert story.conclusions("POSIX-POLL-03") == expected


@pytest.mark.parametrize(
    "takes",
    [
        lambda s: s.iut.recv(error="ECONNRESET"),
        lambda s: s.iut.recv(error="ECONNRESET", flags=["PEEK"]),
        lambda s: s.iut.call("recv", length=0, error="ECONNRESET"),
        lambda s: s.iut.send(5, error="ECONNRESET"),
        lambda s: s.iut.get_error("ECONNRESET"),
    ],
    ids=["recv", "peek", "no-length", "send", "SO_ERROR"],
)
def test_the_error_is_gone_when_a_call_has_taken_it(takes: Change) -> None:
    story = aborted()
    takes(story)
    story.wait(30)
    story.iut.poll(*BOTH)
    assert story.conclusions("POSIX-POLL-03") == NOTHING


def test_a_posted_receive_may_take_the_error_at_once() -> None:
    story = Story()
    story.iut.call("post_recv", length=10, result={"token": "a"})
    aborted(story)
    story.wait(30)
    story.iut.poll(*BOTH)
    story.iut.completes("a", error="ECONNRESET")
    assert story.conclusions("POSIX-POLL-03") == NOTHING


def test_the_error_is_there_until_a_call_takes_it() -> None:
    story = Story()
    story.peer.send(5)
    story.data(PEER, 5)
    story.iut.poll(*RESET)  # before the reset: whatever it told, it told of something else
    story.iut.recv(5)
    aborted(story)
    story.wait(30)
    story.iut.poll(*RESET)
    story.iut.recv(error="ECONNRESET")
    story.iut.poll(*BOTH)
    assert [finding.outcome for finding in story.judge("POSIX-POLL-03")] == [Conclusion.SATISFIED]


def test_calls_that_take_no_error_leave_it() -> None:
    story = aborted()
    story.iut.get_error()
    story.iut.call("names")
    story.wait(30)
    story.iut.poll(*BOTH)
    assert story.conclusions("POSIX-POLL-03") == VIOLATED


def test_a_graceful_end_is_no_abort() -> None:
    story = half_closed()
    story.wait(30)
    story.iut.poll(*HALF)
    assert story.conclusions("POSIX-POLL-03") == NOTHING


# --- POSIX-POLL-04 ----------------------------------------------------------------------------------------------------


@LINKS
@pytest.mark.parametrize(
    ("again", "anew", "expected"),
    [
        ((), HALF, SATISFIED),
        (HALF, HALF, SATISFIED | VIOLATED),
        ((), (), SATISFIED | VIOLATED),
        ((), ("IN",), SATISFIED | VIOLATED),
    ],
)
def test_an_edge_is_told_once_and_to_a_new_registration(
    link: Callable[[], Story], again: tuple[str, ...], anew: tuple[str, ...], expected: set[Conclusion]
) -> None:
    story = link()
    edge(story, wait_ms=0)
    half_closed(story)
    edge(story, *HALF)
    edge(story, *again, wait_ms=30, takes=30)
    story.iut.recv()
    edge(story, *anew, register=True, wait_ms=40, takes=40)
    assert story.conclusions("POSIX-POLL-04") == expected


@pytest.mark.parametrize(
    ("wait_ms", "takes_ms", "expected"), [(29, 29, NOTHING), (30, 31, VIOLATED), (0, 100, NOTHING), (10, 100, NOTHING)]
)
def test_an_edge_that_is_not_told(wait_ms: int, takes_ms: int, expected: set[Conclusion]) -> None:
    story = half_closed()
    edge(story, wait_ms=wait_ms, takes=takes_ms)
    assert story.conclusions("POSIX-POLL-04") == expected


def test_each_edge_is_judged_by_itself() -> None:
    story = Story()
    edge(story, "IN")
    edge(story, "IN", ask=("IN",))
    half_closed(story)
    edge(story)
    edge(story, *HALF)
    edge(story, *HALF)
    assert story.conclusions("POSIX-POLL-04") == SATISFIED | VIOLATED


def test_a_poll_that_is_made_as_the_fin_is_acknowledged_ends_the_edge() -> None:
    story = half_closed(acked=False)
    story.segment(IUT, "A")
    at_once(story)
    edge(story, *HALF)
    edge(story, *HALF)
    assert story.conclusions("POSIX-POLL-04") == SATISFIED | VIOLATED


def test_an_edge_that_comes_back() -> None:
    story = half_closed()
    edge(story, *HALF)
    edge(story)
    edge(story, *HALF)
    assert [f.outcome for f in story.judge("POSIX-POLL-04")] == [
        *(Conclusion.SATISFIED, Conclusion.SATISFIED, Conclusion.VIOLATED)
    ]


def test_an_edge_of_a_fin_that_was_not_acknowledged_may_not_have_come() -> None:
    story = half_closed(acked=False)
    edge(story, wait_ms=40, takes=40)
    assert story.conclusions("POSIX-POLL-04") == NOTHING


def test_a_fin_may_wake_a_waiting_poll_twice() -> None:
    story = Story()
    call = story.iut.begin("poll", surface="epoll-et", events=["IN", "RDHUP"], wait_ms=PATIENCE)
    half_closed(story, acked=False)
    story.iut.finish(call, events=list(HALF))
    story.segment(IUT, "A")
    edge(story, *HALF)
    assert story.conclusions("POSIX-POLL-04") == SATISFIED
    edge(story, *HALF)
    assert story.conclusions("POSIX-POLL-04") == SATISFIED | VIOLATED


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.rst(PEER),
        lambda s: s.iut.shutdown("send"),
        lambda s: s.peer.close(),
        lambda s: s.peer.dies(),
        lambda s: s.peer.shutdown("receive"),
    ],
    ids=["reset", "own-shutdown", "close", "death", "peer-receive"],
)
@LINKS
def test_something_new_is_a_new_edge(link: Callable[[], Story], change: Change) -> None:
    story = half_closed(link())
    edge(story, *HALF)
    if not story.header.wire and "rst" in change.__code__.co_names:
        return
    change(story)
    edge(story, *BOTH)
    assert story.conclusions("POSIX-POLL-04") == SATISFIED


def test_an_edge_that_was_not_asked_for_is_not_told() -> None:
    story = half_closed()
    edge(story, "IN", ask=("IN",), wait_ms=40, takes=40)
    assert story.conclusions("POSIX-POLL-04") == NOTHING


# --- all of them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("requirement", POLLS)
def test_where_the_end_is_not_known(requirement: str) -> None:
    story = both_ended(Story(lost=1))
    story.iut.poll("IN")
    edge(story)
    assert story.conclusions(requirement) == UNDETERMINED


@pytest.mark.parametrize("requirement", POLLS)
def test_nothing_has_ended(requirement: str) -> None:
    story = Story()
    story.iut.poll(*RESET)
    edge(story, *RESET)
    assert story.conclusions(requirement) == NOTHING


@pytest.mark.parametrize("requirement", POLLS)
def test_other_systems_have_other_words(requirement: str) -> None:
    story = half_closed(Story(statement("tcp", platform="freebsd")))
    story.iut.poll(*RESET)
    edge(story, *RESET)
    assert story.conclusions(requirement) == NOTHING
