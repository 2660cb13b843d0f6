# SPDX-License-Identifier: MIT
"""The judges of segments that no end would send, on hand-written traces from both sides of each edge."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.oracle.findings import Conclusion
from conformance.trace.events import Fate
from tests.oracle.story import IUT, PEER, Story, at_once, statement

SATISFIED, VIOLATED, UNDETERMINED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}, {Conclusion.UNDETERMINED}
NOTHING: set[Conclusion] = set()
CHALLENGING = statement(features=("RFC5961",))
ELSEWHERE = statement(features=("RFC5961",), platform="freebsd")
OLDER_RULE = statement(platform="freebsd")
WINDOW = 1000
"""What the IUT announces in these stories; its right edge is at offset 5 + WINDOW."""


def opened(
    made: object = CHALLENGING, *, window: int = WINDOW, scales: tuple[int | None, int | None] = (None, None)
) -> Story:
    """The peer has sent 5 bytes, which were read; RCV.NXT is 5, and all is quiet."""
    story = Story(made, scales=scales)  # type: ignore[arg-type]
    story.peer.send(5)
    story.segment(PEER, "PA", 5)
    story.segment(IUT, "A", window=window)
    story.iut.recv(5)
    story.settle()
    return story


def live_on(story: Story, *, look: bool = True, alive: bool = True) -> None:
    """Time passes; the IUT looks in vain, and then reads more that the peer sends."""
    story.settle()
    if look:
        story.iut.recv(timeout=True, takes=40, wait_ms=30)
    if alive:
        story.peer.send(1, seed=1)
        story.data(PEER, 1)
        story.iut.recv(1, seed=1)


# --- WIRE-RST-02 ------------------------------------------------------------------------------------------------------

WITHIN = pytest.mark.parametrize("start", [6, 500, 5 + WINDOW - 1], ids=["first", "middle", "last"])


@WITHIN
def test_a_reset_within_the_window_is_challenged(start: int) -> None:
    story = opened()
    story.forge("R", start)
    story.segment(IUT, "A", window=WINDOW)
    live_on(story)
    assert story.conclusions("WIRE-RST-02") == SATISFIED
    assert story.conclusions("WIRE-RST-03") == NOTHING


@pytest.mark.parametrize("start", [4, 5, 5 + WINDOW], ids=["before", "exact", "beyond"])
def test_it_must_stand_within_the_window_and_off_the_mark(start: int) -> None:
    story = opened()
    story.forge("R", start)
    story.segment(IUT, "A", window=WINDOW)
    live_on(story)
    assert story.conclusions("WIRE-RST-02") == NOTHING


def test_the_window_is_scaled_as_both_syns_say() -> None:
    for scales, start, expected in (
        ((3, 0), 5 + 8 * WINDOW - 1, SATISFIED),
        ((3, 0), 5 + 8 * WINDOW, NOTHING),
        ((3, None), 5 + WINDOW, NOTHING),
        ((None, 3), 5 + WINDOW, NOTHING),
        ((0, 3), 5 + WINDOW - 1, SATISFIED),
    ):
        story = opened(scales=scales)
        story.forge("R", start)
        story.segment(IUT, "A", window=WINDOW)
        live_on(story)
        assert story.conclusions("WIRE-RST-02") == expected, (scales, start)


@WITHIN
@pytest.mark.parametrize("error", ["ECONNRESET", ""], ids=["error", "end"])
def test_a_reset_within_the_window_is_told(start: int, error: str) -> None:
    story = opened()
    story.forge("R", start)
    story.settle()
    story.iut.recv(0, error=error)
    assert story.conclusions("WIRE-RST-02") == VIOLATED


def test_the_older_rule_is_for_those_who_claim_no_better() -> None:
    story = opened(OLDER_RULE)
    story.forge("R", 6)
    story.settle()
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("WIRE-RST-02") == NOTHING


def test_what_is_told_after_the_peers_own_end_is_of_that_end() -> None:
    story = opened()
    story.forge("R", 6)
    story.segment(IUT, "A", window=WINDOW)
    live_on(story)
    story.peer.close()
    story.rst(PEER)
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("WIRE-RST-02") == SATISFIED


def test_what_is_told_in_the_tick_of_the_peers_own_end_is_of_that_end() -> None:
    story = opened()
    story.forge("R", 6)
    story.segment(IUT, "A", window=WINDOW)
    live_on(story)
    call = story.iut.begin("recv", length=5)
    story.fin(PEER, acked=False)
    at_once(story)
    story.iut.finish(call, length=0)
    assert story.conclusions("WIRE-RST-02") == SATISFIED


def test_a_reset_is_no_challenge() -> None:
    story = opened()
    story.forge("R", 6)
    story.segment(IUT, "R")
    live_on(story, alive=False)
    assert story.conclusions("WIRE-RST-02") == VIOLATED


@pytest.mark.parametrize(
    "answer",
    [
        lambda story: story.segment(IUT, "A", ack=6),
        lambda story: story.segment(IUT, "A", start=1),
        lambda story: story.segment(IUT, "A", start=-1),
    ],
    ids=["acknowledges another octet", "stands beyond SND.NXT", "stands before SND.NXT"],
)
def test_a_challenge_tells_where_both_directions_stand(answer: Callable[[Story], int]) -> None:
    story = opened()
    story.forge("R", 6)
    answer(story)
    live_on(story)
    assert story.conclusions("WIRE-RST-02") == VIOLATED


@pytest.mark.parametrize(("look", "alive"), [(False, True), (True, False)])
def test_the_challenge_alone_shows_not_that_nothing_happened(look: bool, alive: bool) -> None:
    story = opened()
    story.forge("R", 6)
    story.segment(IUT, "A", window=WINDOW)
    live_on(story, look=look, alive=alive)
    assert story.conclusions("WIRE-RST-02") == UNDETERMINED


def test_a_connection_that_is_gone_later_was_not_left_alone() -> None:
    story = opened()
    story.forge("R", 6)
    story.segment(IUT, "A", window=WINDOW)
    live_on(story, alive=False)
    story.peer.send(3)
    story.segment(PEER, "PA", 3)
    story.segment(IUT, "R")
    assert story.conclusions("WIRE-RST-02") == VIOLATED


def silent(*gaps_ms: int, waits_ms: int = 1100) -> Story:
    """Resets that nothing answered, so far apart from each other."""
    story = opened()
    story.forge("R", 6)
    for gap_ms in gaps_ms:
        story.settle(gap_ms)
        story.forge("R", 6)
    story.settle(waits_ms)
    return story


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        (silent(), UNDETERMINED),
        (silent(2000), UNDETERMINED),
        (silent(4997), UNDETERMINED),
        (silent(4998), VIOLATED),
        (silent(5000, waits_ms=900), UNDETERMINED),
        (silent(2000, 5000), VIOLATED),
    ],
    ids=["once", "at once again", "too soon again", "twice", "not waited for", "twice in the end"],
)
def test_what_is_missing_once_may_have_been_limited_in_rate(story: Story, expected: set[Conclusion]) -> None:
    assert story.conclusions("WIRE-RST-02") == expected


def test_the_second_of_two_resets_is_challenged() -> None:
    story = silent(5000, waits_ms=0)
    story.segment(IUT, "A", window=WINDOW)
    live_on(story)
    assert story.conclusions("WIRE-RST-02") == SATISFIED


@pytest.mark.parametrize(("after_ms", "expected"), [(1000, UNDETERMINED), (1001, VIOLATED)])
def test_what_the_iut_called_in_between_shortens_the_wait(after_ms: int, expected: set[Conclusion]) -> None:
    story = opened()
    story.forge("R", 6)
    story.settle(5000)
    story.forge("R", 6)
    story.wait(after_ms - 1)
    story.iut.send(3)
    story.data(IUT, 3)
    story.settle(1100)
    assert story.conclusions("WIRE-RST-02") == expected


def test_a_reset_that_was_not_waited_for_is_none_of_two() -> None:
    story = opened()
    for _ in range(2):
        story.forge("R", 6)
        story.wait(500)
        story.iut.call("set_option", name="NODELAY", value=1)
        story.settle(5000)
    assert story.conclusions("WIRE-RST-02") == UNDETERMINED


def test_the_first_answer_is_the_one() -> None:
    story = opened()
    story.forge("R", 6)
    story.segment(IUT, "A", ack=6, window=WINDOW)
    story.segment(IUT, "A", window=WINDOW)
    live_on(story)
    assert story.conclusions("WIRE-RST-02") == VIOLATED


def test_before_any_octets_the_syn_has_the_window() -> None:
    story = Story(CHALLENGING)
    story.settle()
    story.forge("R", 1)
    story.segment(IUT, "A")
    live_on(story)
    assert story.conclusions("WIRE-RST-02") == SATISFIED


@pytest.mark.parametrize("how", ["fin", "reset"])
def test_a_reset_that_meets_an_end_of_the_iuts_own(how: str) -> None:
    story = opened()
    if how == "fin":
        story.iut.shutdown("send")
        story.fin(IUT)
    else:
        story.segment(IUT, "R")
    story.settle()
    for start in (6, 4):
        story.forge("R", start)
        story.segment(IUT, "A", window=WINDOW)
        story.settle()
    live_on(story)
    assert story.conclusions("WIRE-RST-02") == NOTHING
    assert story.conclusions("WIRE-RST-03") == NOTHING


@pytest.mark.parametrize(("quiet_ms", "expected"), [(29, UNDETERMINED), (30, SATISFIED)])
def test_the_link_must_have_been_quiet_for_the_settle_time(quiet_ms: int, expected: set[Conclusion]) -> None:
    story = opened()
    story.segment(PEER, "A")
    story.wait(quiet_ms - 1)
    story.forge("R", 6)
    story.segment(IUT, "A", window=WINDOW)
    live_on(story)
    assert story.conclusions("WIRE-RST-02") == expected


def test_looking_does_not_make_the_iut_send() -> None:
    story = opened()
    story.iut.poll()
    story.forge("R", 6)
    story.iut.poll()
    story.segment(IUT, "A", window=WINDOW)
    live_on(story)
    assert story.conclusions("WIRE-RST-02") == SATISFIED


def unsettled(story: Story) -> None:
    story.segment(PEER, "A")


def unacknowledged(story: Story) -> None:
    story.peer.send(3)
    story.segment(PEER, "PA", 3)
    story.settle()


def unconfirmed(story: Story) -> None:
    story.iut.send(3)
    story.segment(IUT, "PA", 3)
    story.settle()


def keeping_alive(story: Story) -> None:
    story.iut.call("set_option", name="KEEPALIVE", value=1)
    story.settle()


def dropping(story: Story) -> None:
    story.segment(PEER, "A", fate=Fate.DROPPED)
    story.settle()


def calling(story: Story) -> None:
    story.iut.call("set_option", name="NODELAY", value=1, takes=50)


def entering(story: Story) -> None:
    story.iut.begin("set_option", name="NODELAY", value=1)
    at_once(story)


def reading(story: Story) -> None:
    story.peer.send(3)
    story.data(PEER, 3)
    story.settle()
    story.iut.recv(3)


def reading_at_that_time(story: Story) -> None:
    reading(story)
    at_once(story)


CAUSES = (unsettled, unacknowledged, unconfirmed, keeping_alive, dropping, calling, entering, reading)


@pytest.mark.parametrize("before", [*CAUSES, reading_at_that_time])
def test_an_acknowledgement_may_have_another_cause(before: Callable[[Story], None]) -> None:
    story = opened()
    before(story)
    story.forge("R", 500)
    story.segment(IUT, "A", window=WINDOW)
    live_on(story)
    assert story.conclusions("WIRE-RST-02") == UNDETERMINED
    story = opened()
    before(story)
    story.forge("R", 4)
    story.segment(IUT, "A", window=WINDOW)
    live_on(story)
    assert story.conclusions("WIRE-RST-03") == UNDETERMINED


@pytest.mark.parametrize("by", ["segment", "call", "call at that time", "reading"])
def test_what_follows_something_else_is_no_answer_to_the_reset(by: str) -> None:
    story = opened()
    story.forge("R", 4)
    if by == "segment":
        story.segment(PEER, "A")
    elif by == "call":
        story.iut.send(3)
    elif by == "call at that time":
        story.iut.begin("set_option", name="NODELAY", value=1)
        at_once(story)
    else:
        story.iut.recv(3)
    story.segment(IUT, "A", window=WINDOW)
    live_on(story)
    assert story.conclusions("WIRE-RST-03") == UNDETERMINED


# --- WIRE-RST-03 ------------------------------------------------------------------------------------------------------

OUTSIDE = pytest.mark.parametrize("start", [4, 5 + WINDOW, 5 + 65535], ids=["before", "edge", "beyond"])


@OUTSIDE
def test_a_reset_outside_the_window_is_dropped(start: int) -> None:
    story = opened()
    story.forge("R", start)
    live_on(story)
    assert story.conclusions("WIRE-RST-03") == SATISFIED
    assert story.conclusions("WIRE-RST-02") == NOTHING


@pytest.mark.parametrize("start", [5, 6, 5 + WINDOW - 1], ids=["exact", "first", "last"])
def test_a_reset_that_is_not_outside(start: int) -> None:
    story = opened()
    story.forge("R", start)
    live_on(story)
    assert story.conclusions("WIRE-RST-03") == NOTHING


def test_a_copy_of_a_reset_that_the_peer_sent_is_none() -> None:
    story = opened()
    story.segment(PEER, "R", start=4, fate=Fate.REPEATED)
    live_on(story)
    assert story.conclusions("WIRE-RST-03") == NOTHING


@pytest.mark.parametrize(("first", "expected"), [(500, SATISFIED), (5, NOTHING)], ids=["off the mark", "on it"])
def test_a_reset_outside_the_window_after_one_within(first: int, expected: set[Conclusion]) -> None:
    story = opened()
    story.forge("R", first)
    story.settle()
    story.forge("R", 4)
    live_on(story)
    assert story.conclusions("WIRE-RST-03") == expected


@pytest.mark.parametrize(("start", "expected"), [(4, VIOLATED), (5, NOTHING), (6, VIOLATED)])
def test_a_closed_window_still_takes_a_reset_at_its_edge(start: int, expected: set[Conclusion]) -> None:
    story = Story(CHALLENGING)
    story.peer.send(5)
    story.segment(PEER, "PA", 5)
    story.segment(IUT, "A", window=0)
    story.settle()
    story.forge("R", start)
    story.settle()
    story.iut.recv(5)
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("WIRE-RST-03") == expected
    assert story.conclusions("WIRE-RST-02") == NOTHING


@OUTSIDE
@pytest.mark.parametrize("error", ["ECONNRESET", ""], ids=["error", "end"])
def test_a_reset_outside_the_window_is_told(start: int, error: str) -> None:
    story = opened()
    story.forge("R", start)
    story.settle()
    story.iut.recv(0, error=error)
    assert story.conclusions("WIRE-RST-03") == VIOLATED


@OUTSIDE
def test_a_reset_outside_the_window_ends_the_connection_silently(start: int) -> None:
    story = opened()
    story.forge("R", start)
    live_on(story, alive=False)
    story.peer.send(3)
    story.segment(PEER, "PA", 3)
    story.segment(IUT, "R")
    assert story.conclusions("WIRE-RST-03") == VIOLATED


@pytest.mark.parametrize(
    ("made", "start", "expected"),
    [
        (CHALLENGING, 4, VIOLATED),
        (CHALLENGING, 5 + WINDOW, UNDETERMINED),  # the SYN's window was larger
        (CHALLENGING, 5 + 65535, VIOLATED),
        (ELSEWHERE, 4, VIOLATED),
        (ELSEWHERE, 5 + WINDOW, UNDETERMINED),
        (ELSEWHERE, 5 + 65535, VIOLATED),
    ],
)
def test_an_acknowledgement_is_an_answer(made: object, start: int, expected: set[Conclusion]) -> None:
    story = opened(made)
    story.forge("R", start)
    story.segment(IUT, "A", window=WINDOW)
    live_on(story)
    assert story.conclusions("WIRE-RST-03") == expected


def test_the_first_octet_beyond_a_window_that_was_announced_exactly_is_outside() -> None:
    story = opened(window=65535)
    story.forge("R", 5 + 65535)
    story.segment(IUT, "A")
    live_on(story)
    (finding,) = story.judge("WIRE-RST-03")
    assert finding.outcome is Conclusion.VIOLATED
    assert "RCV.NXT+RCV.WND, and it was answered" in finding.because


@pytest.mark.parametrize(("past", "expected"), [(0, UNDETERMINED), (7, UNDETERMINED), (8, VIOLATED)])
def test_a_scaled_window_may_reach_further_than_its_field_can_say(past: int, expected: set[Conclusion]) -> None:
    story = opened(ELSEWHERE, window=65535, scales=(3, 0))
    story.forge("R", 5 + 8 * 65535 + past - 1 + (past == 0))
    story.segment(IUT, "A")
    live_on(story)
    assert story.conclusions("WIRE-RST-03") == expected


def test_by_the_older_rule_a_window_wider_than_its_field_can_say_aborts() -> None:
    for made, expected in ((OLDER_RULE, UNDETERMINED), (ELSEWHERE, VIOLATED)):
        story = opened(made, window=65535, scales=(3, 0))
        story.forge("R", 5 + 8 * 65535)
        story.settle()
        story.iut.recv(error="ECONNRESET")
        assert story.conclusions("WIRE-RST-03") == expected


def test_the_first_answer_is_shown() -> None:
    story = opened()
    shown = [story.forge("R", 4), story.segment(IUT, "A", window=WINDOW)]
    story.segment(IUT, "A", window=WINDOW)
    live_on(story)
    (finding,) = story.judge("WIRE-RST-03")
    assert finding.events == tuple(place + 1 for place in shown)


@pytest.mark.parametrize(("look", "alive"), [(False, True), (True, False)])
def test_silence_alone_shows_not_that_nothing_happened(look: bool, alive: bool) -> None:
    story = opened()
    story.forge("R", 4)
    live_on(story, look=look, alive=alive)
    assert story.conclusions("WIRE-RST-03") == UNDETERMINED


def test_a_look_after_the_peers_end_looks_at_that_end() -> None:
    story = opened()
    story.forge("R", 4)
    story.settle()
    story.peer.shutdown("send")
    story.fin(PEER)
    story.settle()
    story.iut.recv(timeout=True)
    assert story.conclusions("WIRE-RST-03") == UNDETERMINED


@pytest.mark.parametrize(("quiet_ms", "expected"), [(29, UNDETERMINED), (30, SATISFIED)])
def test_silence_lasts_until_the_iut_is_called(quiet_ms: int, expected: set[Conclusion]) -> None:
    story = opened()
    story.forge("R", 4)
    story.wait(quiet_ms - 1)
    story.iut.call("set_option", name="NODELAY", value=1)
    live_on(story)
    assert story.conclusions("WIRE-RST-03") == expected


def test_silence_takes_the_settle_time() -> None:
    story = opened()
    story.forge("R", 4)
    story.peer.send(3)
    story.data(PEER, 3)
    live_on(story)
    assert story.conclusions("WIRE-RST-03") == UNDETERMINED


def test_after_the_peers_fin_a_reset_before_the_window_may_be_taken_for_exact() -> None:
    story = opened()
    story.peer.shutdown("send")
    story.fin(PEER)
    story.settle()
    story.forge("R", 5)
    live_on(story, alive=False)
    assert story.conclusions("WIRE-RST-03") == NOTHING


# --- WIRE-FIN-07 ------------------------------------------------------------------------------------------------------


def ended(made: object = CHALLENGING, *, acked: bool = True) -> Story:
    """The peer has sent 5 bytes and its FIN (at offset 5); nothing has been read."""
    story = Story(made)  # type: ignore[arg-type]
    story.peer.send(5)
    story.data(PEER, 5)
    story.peer.shutdown("send")
    story.fin(PEER, acked=acked)
    story.settle()
    return story


def read_on(story: Story) -> None:
    story.iut.recv(5)
    story.iut.recv(0)
    story.iut.recv(0)


BEYOND = pytest.mark.parametrize("start", [6, 50], ids=["at once", "later"])


@BEYOND
@pytest.mark.parametrize("answered", [False, True])
def test_octets_beyond_the_fin_are_ignored(start: int, answered: bool) -> None:
    story = ended()
    story.forge("PA", start, 50)
    if answered:
        story.segment(IUT, "A")
    story.settle()
    read_on(story)
    assert story.conclusions("WIRE-FIN-07") == SATISFIED


@pytest.mark.parametrize(
    ("start", "length"), [(2, 3), (2, 4), (2, 50), (5, 50), (6, 0)], ids=["before", "up to", "across", "over", "none"]
)
def test_octets_that_stand_not_beyond_the_fin(start: int, length: int) -> None:
    story = ended()
    story.forge("PA", start, length)
    story.settle()
    read_on(story)
    assert story.conclusions("WIRE-FIN-07") == NOTHING


def test_one_octet_beyond_the_fin_after_octets_that_are_not() -> None:
    story = ended()
    story.forge("PA", 2, 3)
    story.settle()
    story.forge("PA", 6, 1)
    story.settle()
    read_on(story)
    assert story.conclusions("WIRE-FIN-07") == SATISFIED


def test_messages_have_no_octets_beyond_the_fin() -> None:
    story = ended(statement("tcp", "MESSAGE_ORIENTED", features=("RFC5961",)))
    story.forge("PA", 6, 50)
    story.settle()
    read_on(story)
    assert story.conclusions("WIRE-FIN-07") == NOTHING


@pytest.mark.parametrize("length", [1, 50])
@pytest.mark.parametrize("acked", [True, False])
def test_octets_beyond_the_fin_are_delivered(length: int, acked: bool) -> None:
    story = ended(acked=acked)
    story.forge("PA", 6, 50)
    story.settle()
    story.iut.recv(5)
    story.iut.recv(length, seed=7)
    story.iut.recv(0)
    assert story.conclusions("WIRE-FIN-07") == VIOLATED


def test_octets_beyond_the_fin_are_delivered_in_the_tick_in_which_they_come() -> None:
    story = ended()
    story.iut.recv(5)
    story.iut.recv(0)
    story.settle()
    call = story.iut.begin("recv", length=50)
    story.forge("PA", 6, 50)
    at_once(story)
    story.iut.finish(call, length=1, data="eA==")
    assert story.conclusions("WIRE-FIN-07") == VIOLATED


@pytest.mark.parametrize("length", [1, 50])
def test_octets_beyond_the_fin_are_delivered_after_the_end(length: int) -> None:
    story = ended()
    story.iut.recv(5)
    story.iut.recv(0)
    story.forge("PA", 6, 50)
    story.settle()
    story.iut.recv(length, seed=7)
    assert story.conclusions("WIRE-FIN-07") == VIOLATED


@pytest.mark.parametrize(("before", "expected"), [(True, SATISFIED), (False, VIOLATED)])
def test_other_octets_are_read_than_the_peer_sent(before: bool, expected: set[Conclusion]) -> None:
    story = ended()
    if before:
        story.iut.recv(5, seed=7)
        story.settle()
    story.forge("PA", 6, 50)
    story.settle()
    if not before:
        story.iut.recv(5, seed=7)
    story.iut.recv(0)
    assert story.conclusions("WIRE-FIN-07") == expected


def test_octets_that_came_while_a_fin_of_the_iuts_own_was_on_its_way() -> None:
    story = ended()
    story.iut.shutdown("send")
    story.fin(IUT, acked=False)
    story.settle()
    story.forge("PA", 6, 50)
    story.settle()
    read_on(story)
    assert story.conclusions("WIRE-FIN-07") == UNDETERMINED


def test_what_the_iut_did_first_is_shown() -> None:
    story = ended()
    shown = [story.forge("PA", 6, 50), story.segment(IUT, "R")]
    story.segment(IUT, "A")
    story.settle()
    story.iut.recv(0)
    (finding,) = story.judge("WIRE-FIN-07")
    assert finding.outcome is Conclusion.VIOLATED
    assert {place + 1 for place in shown} < {*finding.events}
    assert shown[1] + 2 not in finding.events


@pytest.mark.parametrize(("ack", "expected"), [(6, SATISFIED), (7, VIOLATED), (56, VIOLATED)])
def test_octets_beyond_the_fin_are_acknowledged(ack: int, expected: set[Conclusion]) -> None:
    story = ended()
    story.forge("PA", 6, 50)
    story.segment(IUT, "A", ack=ack)
    story.settle()
    read_on(story)
    assert story.conclusions("WIRE-FIN-07") == expected


@BEYOND
@pytest.mark.parametrize("made", [CHALLENGING, ELSEWHERE])
def test_octets_beyond_the_fin_are_reset(made: object, start: int) -> None:
    story = ended(made)
    story.forge("PA", start, 50)
    story.segment(IUT, "R")
    story.settle()
    read_on(story)
    assert story.conclusions("WIRE-FIN-07") == VIOLATED


@BEYOND
@pytest.mark.parametrize("reset", [False, True])
def test_an_error_is_told_in_place_of_the_end(start: int, reset: bool) -> None:
    story = ended()
    story.forge("PA", start, 50)
    if reset:
        story.segment(IUT, "R")
    story.settle()
    story.iut.recv(5)
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("WIRE-FIN-07") == VIOLATED


def test_nobody_looked_after_the_octets() -> None:
    story = ended()
    read_on(story)
    story.settle()
    story.forge("PA", 6, 50)
    story.settle()
    assert story.conclusions("WIRE-FIN-07") == UNDETERMINED
    story.iut.recv(0)
    assert story.conclusions("WIRE-FIN-07") == SATISFIED


@pytest.mark.parametrize(("after_ms", "expected"), [(1, UNDETERMINED), (29, UNDETERMINED), (30, SATISFIED)])
def test_somebody_looked_too_soon(after_ms: int, expected: set[Conclusion]) -> None:
    story = ended()
    story.iut.recv(5)
    story.settle()
    story.forge("PA", 6, 50)
    story.wait(after_ms - 1)
    story.iut.recv(0)
    assert story.conclusions("WIRE-FIN-07") == expected


def test_the_fin_had_not_been_acknowledged() -> None:
    story = ended(acked=False)
    story.forge("PA", 6, 50)
    story.settle()
    read_on(story)
    assert story.conclusions("WIRE-FIN-07") == UNDETERMINED


def test_a_socket_that_is_closed_has_nobody_to_deliver_to() -> None:
    story = ended()
    read_on(story)
    story.iut.close()
    story.fin(IUT)
    story.settle()
    story.forge("PA", 6, 50)
    story.settle()
    assert story.conclusions("WIRE-FIN-07") == NOTHING


# --- WIRE-RST-05 ------------------------------------------------------------------------------------------------------


def in_time_wait(*, first: bool = True, start: int = 1, wait_ms: int = 40, settle_ms: int = 40) -> Story:
    """Both ends have ended gracefully, the IUT first, and a reset has come in the peer's name."""
    story = Story(CHALLENGING)
    one, two = (story.iut, story.peer) if first else (story.peer, story.iut)
    one.shutdown("send")
    story.fin(IUT if first else PEER)
    two.recv(0)
    two.shutdown("send")
    story.fin(PEER if first else IUT)
    one.recv(0)
    story.settle(wait_ms)
    story.forge("R", start)
    story.settle(settle_ms)
    return story


def fin_again(story: Story, answer: str = "R") -> None:
    story.segment(PEER, "FA", start=0, fate=Fate.REPEATED)
    if answer:
        story.segment(IUT, answer)
    story.settle()


@pytest.mark.parametrize(("answer", "whose"), [("R", "Linux"), ("RA", "Linux"), ("A", "FreeBSD")])
def test_a_reset_in_time_wait_tells_nothing(answer: str, whose: str) -> None:
    story = in_time_wait()
    story.iut.recv(0)
    fin_again(story, answer)
    (finding,) = story.judge("WIRE-RST-05")
    assert finding.outcome is Conclusion.SATISFIED
    assert whose in finding.matched


def test_a_reset_in_time_wait_is_told() -> None:
    story = in_time_wait()
    story.iut.recv(error="ECONNRESET")
    fin_again(story)
    assert story.conclusions("WIRE-RST-05") == VIOLATED


@pytest.mark.parametrize("missing", ["look", "fin", "answer"])
def test_what_is_missing_leaves_time_wait_open(missing: str) -> None:
    story = in_time_wait()
    if missing != "look":
        story.iut.recv(0)
    if missing != "fin":
        fin_again(story, "" if missing == "answer" else "R")
    assert story.conclusions("WIRE-RST-05") == UNDETERMINED


@pytest.mark.parametrize(
    "story",
    [
        in_time_wait(first=False),
        in_time_wait(start=0),
        in_time_wait(start=2),
        in_time_wait(wait_ms=24),
        in_time_wait(wait_ms=29_995),
    ],
    ids=["closed second", "before", "off the mark", "too soon", "perhaps over"],
)
def test_a_reset_that_does_not_surely_meet_time_wait(story: Story) -> None:
    story.iut.recv(0)
    fin_again(story)
    assert story.conclusions("WIRE-RST-05") == NOTHING


@pytest.mark.parametrize("wait_ms", [25, 29_994], ids=["settled", "surely not over"])
def test_a_reset_that_surely_meets_time_wait(wait_ms: int) -> None:
    story = in_time_wait(wait_ms=wait_ms)
    story.iut.recv(0)
    fin_again(story)
    assert story.conclusions("WIRE-RST-05") == SATISFIED


@pytest.mark.parametrize(("settle_ms", "expected"), [(27, UNDETERMINED), (28, SATISFIED)])
def test_a_look_in_time_wait_comes_after_the_settle_time(settle_ms: int, expected: set[Conclusion]) -> None:
    story = in_time_wait(settle_ms=settle_ms)
    story.iut.recv(0)
    fin_again(story)
    assert story.conclusions("WIRE-RST-05") == expected


@pytest.mark.parametrize("answer", ["R", "A"])
def test_a_fin_that_was_not_acknowledged_leaves_time_wait_open(answer: str) -> None:
    story = Story(CHALLENGING)
    story.iut.shutdown("send")
    story.fin(IUT)
    story.peer.shutdown("send")
    story.fin(PEER, acked=False)
    story.settle()
    story.forge("R", 1)
    story.settle()
    story.iut.recv(0)
    fin_again(story, answer)
    assert story.conclusions("WIRE-RST-05") == UNDETERMINED


@pytest.mark.parametrize(("wait_ms", "expected"), [(0, NOTHING), (40, SATISFIED)])
def test_time_wait_begins_when_the_iuts_fin_is_acknowledged(wait_ms: int, expected: set[Conclusion]) -> None:
    story = Story(CHALLENGING)
    story.iut.shutdown("send")
    story.segment(IUT, "FA")
    story.peer.shutdown("send")
    story.segment(PEER, "FA", ack=0)
    story.segment(IUT, "A")
    story.iut.recv(0)
    story.settle()
    story.segment(PEER, "A")
    story.settle(wait_ms)
    story.forge("R", 1)
    story.settle()
    story.iut.recv(0)
    fin_again(story)
    assert story.conclusions("WIRE-RST-05") == expected


def test_a_connection_that_the_peer_aborted_is_in_no_time_wait() -> None:
    story = Story(CHALLENGING)
    story.iut.shutdown("send")
    story.fin(IUT)
    story.peer.close()
    story.rst(PEER)
    story.settle()
    story.forge("R", 1)
    story.settle()
    assert story.conclusions("WIRE-RST-05") == NOTHING


# --- what the other judges make of it ---------------------------------------------------------------------------------


def test_a_forged_reset_draws_no_reset_either() -> None:
    story = opened()
    story.forge("R", 4)
    story.segment(IUT, "R")
    story.settle()
    assert story.conclusions("WIRE-RST-04") == VIOLATED


def test_data_after_a_full_close_is_not_forged_octets_beyond_the_fin() -> None:
    story = ended()
    read_on(story)
    story.iut.close()
    story.fin(IUT)
    story.settle()
    story.forge("PA", 6, 50)
    story.settle(2000)
    assert story.conclusions("WIRE-ABRT-03") == NOTHING


@pytest.mark.parametrize("requirement", ["IND-STREAM-01", "IND-ABORT-01", "IND-ABORT-02", "WIRE-RST-01"])
def test_an_abort_by_the_older_rule_is_not_held_against_the_iut(requirement: str) -> None:
    story = opened(OLDER_RULE)
    story.forge("R", 6)
    story.settle()
    story.iut.recv(error="ECONNRESET")
    story.peer.shutdown("send")
    story.segment(PEER, "FA")
    story.segment(IUT, "R")
    story.settle()
    assert story.conclusions(requirement) <= UNDETERMINED


def test_the_end_of_a_connection_that_lived_on_is_judged_as_ever() -> None:
    story = opened()
    story.forge("R", 4)
    live_on(story)
    story.peer.shutdown("send")
    story.fin(PEER)
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("IND-STREAM-01") == VIOLATED
