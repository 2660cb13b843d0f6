# SPDX-License-Identifier: MIT
"""The judges of a peer's FIN that comes again, on hand-written traces."""

from __future__ import annotations

import pytest

from conformance.oracle.findings import Conclusion
from conformance.trace.events import End, Fate, Segment
from tests.oracle.story import IUT, MS, PEER, Story, at_once, statement

SATISFIED, VIOLATED, UNDETERMINED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}, {Conclusion.UNDETERMINED}
NOTHING: set[Conclusion] = set()
WINSOCK = statement(family="winsock-api", platform="windows")


# --- WIRE-FIN-06 ------------------------------------------------------------------------------------------------------


def peers_fin(story: Story) -> Story:
    story.peer.shutdown()
    story.fin(PEER)
    return story


def again(story: Story, *, acked: bool = True, ack: int | None = None) -> Story:
    story.segment(PEER, "FA", start=story.next[PEER] - 1, fate=Fate.REPEATED, ack=ack)
    if acked:
        story.segment(IUT, "A")
    return story


def test_repeated_fin_is_acknowledged_and_told_once() -> None:
    story = peers_fin(Story())
    story.iut.recv(0)
    again(story).iut.recv(0)
    assert story.conclusions("WIRE-FIN-06") == SATISFIED


def test_fin_that_the_peer_itself_sends_again() -> None:
    story = peers_fin(Story())
    story.iut.recv(0)
    story.segment(PEER, "FA", start=0)
    story.segment(IUT, "A")
    story.iut.recv(0)
    assert story.conclusions("WIRE-FIN-06") == SATISFIED


def test_repeated_fin_is_not_acknowledged() -> None:
    story = peers_fin(Story())
    again(story, acked=False).settle()
    assert story.conclusions("WIRE-FIN-06") == UNDETERMINED
    story.iut.recv(0)
    story.settle(1500)
    assert story.conclusions("WIRE-FIN-06") == VIOLATED


def test_repeated_fin_is_reset() -> None:
    story = again(peers_fin(Story()), acked=False)
    story.rst(IUT)
    assert story.conclusions("WIRE-FIN-06") == VIOLATED


def test_a_reset_after_both_ends_were_done_does_not_answer_the_fin() -> None:
    story = peers_fin(Story())
    story.iut.recv(0)
    story.segment(PEER, "FA", start=0)
    story.segment(IUT, "A")
    story.iut.shutdown()
    story.fin(IUT)
    story.segment(PEER, "A")
    story.rst(IUT)
    assert story.conclusions("WIRE-FIN-06") == UNDETERMINED


def test_one_acknowledgement_after_two_fins_may_be_that_of_the_first() -> None:
    story = Story()
    story.peer.shutdown()
    story.fin(PEER, acked=False)
    again(story)
    story.iut.recv(0)
    story.iut.recv(0)
    assert story.conclusions("WIRE-FIN-06") == UNDETERMINED
    story.segment(IUT, "A")
    assert story.conclusions("WIRE-FIN-06") == SATISFIED


def test_repeated_fin_and_nobody_looked() -> None:
    story = peers_fin(Story())
    story.iut.recv(0)
    again(story)
    assert story.conclusions("WIRE-FIN-06") == UNDETERMINED


def test_repeated_fin_wakes_an_edge_triggered_poll() -> None:
    story = peers_fin(Story())
    story.iut.poll("IN", "RDHUP", surface="epoll-et")
    story.iut.poll(surface="epoll-et")
    again(story).iut.poll("IN", "RDHUP", surface="epoll-et")
    assert story.conclusions("WIRE-FIN-06") == VIOLATED


def test_repeated_fin_leaves_an_edge_triggered_poll_alone() -> None:
    story = peers_fin(Story())
    story.iut.poll("IN", "RDHUP", surface="epoll-et")
    again(story).iut.poll(surface="epoll-et")
    assert story.conclusions("WIRE-FIN-06") == SATISFIED


@pytest.mark.parametrize("cause", ["own shutdown", "registration", "acknowledgement"])
def test_an_edge_triggered_poll_woken_by_something_else(cause: str) -> None:
    story = peers_fin(Story())
    story.iut.poll("IN", "RDHUP", surface="epoll-et")
    story.iut.poll(surface="epoll-et")
    again(story)
    match cause:
        case "own shutdown":
            story.iut.shutdown()
        case "acknowledgement":
            story.segment(PEER, "A")
    if cause == "registration":
        events = {"events": ["IN", "RDHUP"]}
        story.iut.call("poll", surface="epoll-et", register=True, result=events)
    else:
        story.iut.poll("IN", "RDHUP", surface="epoll-et")
    assert Conclusion.VIOLATED not in story.conclusions("WIRE-FIN-06")


@pytest.mark.parametrize(("renewed", "expected"), [(False, VIOLATED), (True, UNDETERMINED)])
def test_repeated_fin_raises_a_second_fd_close(renewed: bool, expected: set[Conclusion]) -> None:
    story = peers_fin(Story(WINSOCK, wire=True))
    story.iut.indicates("FD_CLOSE")
    again(story)
    if renewed:
        story.iut.call("event_select", events=["FD_CLOSE"])
    story.iut.indicates("FD_CLOSE")
    assert story.conclusions("WIRE-FIN-06") == expected


@pytest.mark.parametrize(("quiet", "expected"), [(True, VIOLATED), (False, UNDETERMINED)])
def test_repeated_fin_puts_a_second_fd_close_into_the_record(quiet: bool, expected: set[Conclusion]) -> None:
    story = peers_fin(Story(WINSOCK, wire=True))
    story.iut.enum_events(("FD_CLOSE", ""))
    if quiet:  # else it may have been raised twice before the FIN came again
        story.iut.enum_events()
    again(story)
    story.iut.enum_events(("FD_CLOSE", ""))
    assert story.conclusions("WIRE-FIN-06") == expected


def test_repeated_fin_in_time_wait_has_nobody_to_tell() -> None:
    story = Story()
    story.iut.shutdown()
    story.fin(IUT)
    peers_fin(story)
    story.iut.recv(0)
    story.iut.close()
    again(story)
    assert story.conclusions("WIRE-FIN-06") == SATISFIED


@pytest.mark.parametrize("gone", ["closed", "dead", "reset", "aborted"])
def test_repeated_fin_for_a_connection_that_is_gone(gone: str) -> None:
    story = peers_fin(Story())
    match gone:
        case "closed":
            story.iut.close()
            story.fin(IUT)
        case "dead":
            story.iut.dies()
        case "reset":
            story.rst(PEER)
        case "aborted":
            story.iut.linger(0)
            story.iut.close()
    again(story, acked=False)
    story.rst(IUT)
    story.settle(1500)
    assert story.conclusions("WIRE-FIN-06") == NOTHING


def test_the_repeated_fin_may_itself_acknowledge_the_last_fin() -> None:
    story = peers_fin(Story())
    story.iut.close()
    story.segment(IUT, "FA")
    again(story, acked=False, ack=1)
    story.settle(1500)
    assert story.conclusions("WIRE-FIN-06") == NOTHING


def test_a_fin_that_got_lost_first_is_not_repeated() -> None:
    story = Story()
    story.peer.shutdown()
    story.segment(PEER, "FA", fate=Fate.DROPPED)
    story.segment(PEER, "FA", start=0)
    story.segment(IUT, "A")
    story.iut.recv(0)
    story.iut.recv(0)
    assert story.conclusions("WIRE-FIN-06") == NOTHING


@pytest.mark.parametrize(
    ("on", "seconds", "before", "expected"),
    [
        (True, 0, True, NOTHING),
        (True, 0, False, VIOLATED),
        (True, 1, True, VIOLATED),
        (False, 0, True, VIOLATED),
    ],
)
def test_silence_is_right_only_of_an_end_that_had_closed_abortively(
    on: bool, seconds: int, before: bool, expected: set[Conclusion]
) -> None:
    story = peers_fin(Story())
    story.iut.linger(seconds, on=on)
    if before:
        story.iut.close()
    again(story, acked=False)
    story.settle(1500)
    if not before:
        story.iut.close()
    assert story.conclusions("WIRE-FIN-06") == expected


def test_an_abortive_close_at_the_instant_of_the_repetition_may_have_come_first() -> None:
    story = peers_fin(Story())
    story.iut.linger(0)
    call = story.iut.begin("close")
    at_once(story)
    again(story, acked=False)
    story.iut.finish(call)
    story.settle(1500)
    assert story.conclusions("WIRE-FIN-06") == NOTHING


@pytest.mark.parametrize(("ack", "expected"), [(3, VIOLATED), (4, NOTHING)])
def test_an_end_whose_last_fin_is_not_acknowledged_must_answer(ack: int, expected: set[Conclusion]) -> None:
    story = peers_fin(Story())
    story.iut.send(3)
    story.data(IUT, 3)
    story.iut.shutdown()
    story.fin(IUT, acked=False)
    story.segment(PEER, "A", ack=ack)
    again(story, acked=False, ack=ack)
    story.settle(1500)
    assert story.conclusions("WIRE-FIN-06") == expected


@pytest.mark.parametrize(("after_ns", "expected"), [(1_000_000_000, VIOLATED), (1_000_000_001, SATISFIED)])
def test_a_reset_long_after_the_repetition_does_not_answer_it(after_ns: int, expected: set[Conclusion]) -> None:
    story = peers_fin(Story())
    story.iut.recv(0)
    again(story)
    story.now += after_ns - 2 * MS
    story.rst(IUT)
    story.iut.recv(0)
    assert story.conclusions("WIRE-FIN-06") == expected


def test_a_reset_after_the_peers_own_does_not_answer_the_fin() -> None:
    story = again(peers_fin(Story()), acked=False)
    story.rst(PEER)
    story.rst(IUT)
    assert story.conclusions("WIRE-FIN-06") == NOTHING


def test_a_reset_at_the_instant_at_which_the_user_gave_up_is_not_for_the_fin() -> None:
    story = again(peers_fin(Story()), acked=False)
    call = story.iut.begin("close")
    at_once(story)
    story.rst(IUT)
    story.iut.finish(call)
    assert story.conclusions("WIRE-FIN-06") == NOTHING


def test_an_acknowledgement_of_less_than_the_fin_does_not_answer_it() -> None:
    story = Story()
    story.peer.send(3)
    story.data(PEER, 3)
    again(peers_fin(story), acked=False)
    story.segment(IUT, "A", ack=3)
    story.settle(1500)
    assert story.conclusions("WIRE-FIN-06") == VIOLATED


@pytest.mark.parametrize(("after_ns", "expected"), [(1_000_000_000, NOTHING), (1_000_000_001, VIOLATED)])
def test_who_was_reset_soon_owes_no_answer(after_ns: int, expected: set[Conclusion]) -> None:
    story = again(peers_fin(Story()), acked=False)
    story.now += after_ns - MS
    story.rst(PEER)
    story.settle(1500)
    assert story.conclusions("WIRE-FIN-06") == expected


@pytest.mark.parametrize(
    ("type", "error", "expected"),
    [
        ("END", "", VIOLATED),
        ("END", "ECONNRESET", UNDETERMINED),
        ("CLOSED", "", UNDETERMINED),
        ("FD_READ", "", UNDETERMINED),
        ("FD_CLOSE", "ECONNRESET", UNDETERMINED),
    ],
)
def test_which_indications_are_a_second_end(type: str, error: str, expected: set[Conclusion]) -> None:
    story = peers_fin(Story(WINSOCK, wire=True))
    story.iut.indicates(type, error)
    again(story).iut.indicates(type, error)
    assert story.conclusions("WIRE-FIN-06") == expected


@pytest.mark.parametrize("when", ["at the first", "at the second"])
def test_a_registration_at_the_instant_of_an_indication_may_have_raised_it(when: str) -> None:
    story = peers_fin(Story(WINSOCK, wire=True))
    story.iut.indicates("FD_CLOSE")
    if when == "at the first":
        at_once(story)
        story.iut.event_select("FD_CLOSE")
    again(story).iut.indicates("FD_CLOSE")
    if when == "at the second":
        at_once(story)
        story.iut.begin("event_select", events=["FD_CLOSE"])
    assert story.conclusions("WIRE-FIN-06") == UNDETERMINED


def test_an_indication_at_the_instant_of_the_repetition_is_of_it() -> None:
    story = peers_fin(Story(WINSOCK, wire=True))
    story.iut.indicates("FD_CLOSE")
    again(story, acked=False)
    at_once(story)
    story.iut.indicates("FD_CLOSE")
    story.segment(IUT, "A")
    assert story.conclusions("WIRE-FIN-06") == VIOLATED


Poll = tuple[str, ...]
END: Poll = ("IN", "RDHUP")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((("IN",), ()), END, UNDETERMINED),  # the end is told for the first time
        ((END, ()), ("OUT",), UNDETERMINED),  # that is no end
        ((END,), END, UNDETERMINED),  # nothing shows that the first had been told whole
        ((END, ("OUT",)), END, UNDETERMINED),
        ((("OUT",), END, ()), END, VIOLATED),
    ],
)
def test_which_polls_show_a_second_end(before: tuple[Poll, ...], after: Poll, expected: set[Conclusion]) -> None:
    story = peers_fin(Story())
    for told in before:
        story.iut.poll(*told, surface="epoll-et")
    again(story).iut.poll(*after, surface="epoll-et")
    assert story.conclusions("WIRE-FIN-06") == expected


def test_a_poll_that_was_registered_anew_before_is_told_of_the_end_once_more() -> None:
    story = peers_fin(Story())
    story.iut.poll(*END, surface="epoll-et")
    story.iut.poll(surface="epoll-et")
    story.iut.call("poll", surface="epoll-et", register=True, result={"events": [*END]})
    story.iut.poll(surface="epoll-et")
    again(story).iut.poll(*END, surface="epoll-et")
    assert story.conclusions("WIRE-FIN-06") == VIOLATED


@pytest.mark.parametrize("edge", ["the quiet poll", "the second end"])
def test_a_poll_at_the_instant_of_the_repetition(edge: str) -> None:
    story = peers_fin(Story())
    story.iut.poll(*END, surface="epoll-et")
    story.iut.poll(surface="epoll-et")
    if edge == "the quiet poll":
        at_once(story)
        again(story).iut.poll(*END, surface="epoll-et")
    else:
        call = story.iut.begin("poll", surface="epoll-et", events=[*END])
        again(story, acked=False)
        at_once(story)
        story.iut.finish(call, events=[*END])
        story.segment(IUT, "A")
    assert story.conclusions("WIRE-FIN-06") == VIOLATED


@pytest.mark.parametrize("edge", ["after the quiet poll", "between", "before the second end"])
@pytest.mark.parametrize("cause", ["call", "old octets", "forged"])
def test_whatever_else_may_have_woken_the_poll_excuses_it(cause: str, edge: str) -> None:
    def something() -> None:
        match cause:
            case "call":
                story.iut.begin("set_option", name="NODELAY")
            case "old octets":
                story.segment(PEER, "PA", 3, start=0)
            case _:
                story.forge("A", 4)

    story = Story()
    story.peer.send(3)
    story.data(PEER, 3)
    peers_fin(story)
    story.iut.poll(*END, surface="epoll-et")
    story.iut.poll(surface="epoll-et")
    if edge == "after the quiet poll":
        at_once(story)
        something()
    again(story)
    if edge == "between":
        something()
    story.iut.poll(*END, surface="epoll-et")
    if edge == "before the second end":
        at_once(story)
        something()
    assert story.conclusions("WIRE-FIN-06") == UNDETERMINED


def test_what_was_forged_long_before_excuses_no_poll() -> None:
    story = peers_fin(Story())
    story.forge("A", 1)
    story.iut.poll(*END, surface="epoll-et")
    story.iut.poll(surface="epoll-et")
    again(story).iut.poll(*END, surface="epoll-et")
    story.forge("A", 1)
    assert story.conclusions("WIRE-FIN-06") == VIOLATED


@pytest.mark.parametrize(
    ("before", "after", "expected"), [(0, 1, UNDETERMINED), (2, 0, UNDETERMINED), (2, 2, SATISFIED)]
)
def test_receives_that_show_that_the_end_is_told_as_it_was(before: int, after: int, expected: set[Conclusion]) -> None:
    story = peers_fin(Story())
    for _ in range(before):
        story.iut.recv(0)
    again(story)
    for _ in range(after):
        story.iut.recv(0)
    (finding,) = story.judge("WIRE-FIN-06")
    assert {finding.outcome} == expected
    if expected == SATISFIED:
        reads = [r.events for r in story.connection().iut.reports]
        assert set(reads[0]) | set(reads[-1]) <= set(finding.events)
        assert not (set(reads[1]) | set(reads[-2])) & set(finding.events)


def test_a_receive_at_the_instant_of_the_repetition_looks_after_it() -> None:
    story = peers_fin(Story())
    story.iut.recv(0)
    again(story, acked=False)
    at_once(story)
    call = story.iut.begin("recv", length=10)
    story.segment(IUT, "A")
    story.iut.finish(call, length=0, data="")
    assert story.conclusions("WIRE-FIN-06") == SATISFIED


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((END, ()), (), UNDETERMINED),  # nobody looked after it
        ((("OUT",),), ((),), UNDETERMINED),  # the end itself was never told
        ((), (END, ()), UNDETERMINED),  # told after both, of which it is of one
        ((END,), (("OUT",), ()), SATISFIED),
    ],
)
def test_polls_that_show_that_the_end_is_not_told_again(
    before: tuple[Poll, ...], after: tuple[Poll, ...], expected: set[Conclusion]
) -> None:
    story = peers_fin(Story())
    for told in before:
        story.iut.poll(*told, surface="epoll-et")
    again(story)
    for told in after:
        story.iut.poll(*told, surface="epoll-et")
    (finding,) = story.judge("WIRE-FIN-06")
    assert {finding.outcome} == expected
    if expected == SATISFIED:
        assert {n for poll in (0, 2) for n in list(story.connection().iut.calls("poll"))[poll].events} < {
            *finding.events
        }


@pytest.mark.parametrize("instant", ["of the peer's FIN", "of the repetition"])
def test_an_end_that_was_acknowledged_may_be_gone_whose_fin_came_at_the_instant(instant: str) -> None:
    story = peers_fin(Story())
    if instant == "of the peer's FIN":
        story.events.pop()
        story.now -= 2 * MS
        story.segment(IUT, "FA")
        story.segment(PEER, "A")
        again(story, acked=False)
    else:
        story.segment(IUT, "FA")
        at_once(story)
        again(story, acked=False)
    story.settle(1500)
    assert story.conclusions("WIRE-FIN-06") == NOTHING


def test_a_fin_that_came_after_a_gap_has_ended_nothing() -> None:
    story = Story()
    story.segment(PEER, "PA", 3, fate=Fate.DROPPED)
    story.segment(PEER, "FA")
    story.segment(PEER, "FA", start=3)
    story.settle(1500)
    assert story.conclusions("WIRE-FIN-06") == NOTHING


def test_an_acknowledgement_at_the_instant_of_the_repetition_may_be_that_of_the_first() -> None:
    story = Story()
    story.peer.shutdown()
    story.fin(PEER, acked=False)
    again(story, acked=False)
    at_once(story)
    story.segment(IUT, "A")
    story.iut.recv(0)
    story.iut.recv(0)
    assert story.conclusions("WIRE-FIN-06") == UNDETERMINED


def test_an_indication_at_the_instant_of_a_reset_may_be_of_that() -> None:
    story = peers_fin(Story(WINSOCK, wire=True))
    story.iut.indicates("FD_CLOSE")
    again(story)
    story.rst(PEER)
    at_once(story)
    story.iut.indicates("FD_CLOSE")
    assert story.conclusions("WIRE-FIN-06") == UNDETERMINED


def test_a_close_at_the_instant_of_the_repetition_leaves_nobody_to_tell() -> None:
    story = Story()
    story.iut.shutdown()
    story.fin(IUT)
    peers_fin(story)
    call = story.iut.begin("close")
    at_once(story)
    again(story)
    story.iut.finish(call)
    assert story.conclusions("WIRE-FIN-06") == SATISFIED


@pytest.mark.parametrize("edge", ["told", "quiet"])
def test_polls_at_the_instant_of_the_repetition_show_that_it_was_not_told(edge: str) -> None:
    story = peers_fin(Story())
    story.iut.poll(*END, surface="epoll-et")
    if edge == "told":
        at_once(story)
    again(story, acked=False)
    if edge == "quiet":
        at_once(story)
    call = story.iut.begin("poll", surface="epoll-et", events=[*END])
    story.segment(IUT, "A")
    story.iut.finish(call, timeout=True)
    assert story.conclusions("WIRE-FIN-06") == SATISFIED


# --- WIRE-TW-01 -------------------------------------------------------------------------------------------------------


def both_closed(first: End) -> Story:
    """Both ends have ended and closed, one of them first, and the harness has waited a while."""
    story = Story()
    one, two = (story.iut, story.peer) if first is IUT else (story.peer, story.iut)
    one.shutdown()
    story.fin(first)
    two.recv(0)
    two.close()
    story.fin(first.other)
    one.recv(0)
    one.close()
    story.settle()
    return story


def test_the_first_closer_acknowledges() -> None:
    assert again(both_closed(IUT)).conclusions("WIRE-TW-01") == SATISFIED


def test_the_first_closer_resets() -> None:
    story = again(both_closed(IUT), acked=False)
    story.rst(IUT)
    assert story.conclusions("WIRE-TW-01") == VIOLATED


def test_the_first_closer_is_silent() -> None:
    story = again(both_closed(IUT), acked=False)
    story.settle()
    assert story.conclusions("WIRE-TW-01") == UNDETERMINED
    story.settle(1500)
    assert story.conclusions("WIRE-TW-01") == VIOLATED


def test_time_wait_may_be_over() -> None:
    story = both_closed(IUT)
    story.wait(31_000)
    again(story, acked=False)
    story.rst(IUT)
    assert story.conclusions("WIRE-TW-01") == NOTHING


def test_the_second_closer_resets_or_is_silent() -> None:
    for answers in (True, False):
        story = again(both_closed(PEER), acked=False)
        if answers:
            story.rst(IUT)
        story.settle()
        assert story.conclusions("WIRE-TW-01") == SATISFIED


def test_the_second_closer_acknowledges() -> None:
    assert again(both_closed(PEER)).conclusions("WIRE-TW-01") == VIOLATED


def test_the_second_closer_and_a_fin_too_soon_after_the_end() -> None:
    story = Story()
    story.peer.shutdown()
    story.fin(PEER)
    story.iut.close()
    story.fin(IUT)
    again(story)
    assert story.conclusions("WIRE-TW-01") == NOTHING


def over_at(story: Story) -> int:
    """When both FINs of that story were acknowledged to the IUT, or had come to it."""
    return next(e.at for e in reversed(story.events) if isinstance(e, Segment) and e.sender is PEER)


@pytest.mark.parametrize(
    ("after_ns", "expected"), [(30 * MS - 1, NOTHING), (30 * MS, VIOLATED), (30_000 * MS - 1, VIOLATED)]
)
@pytest.mark.parametrize("first", [IUT, PEER])
def test_when_a_repetition_tells_of_time_wait(first: End, after_ns: int, expected: set[Conclusion]) -> None:
    """The story's settle time is 30 ms; the shortest TIME-WAIT is 30 s."""
    story = both_closed(first)
    story.now = over_at(story) + after_ns - MS
    again(story, acked=first is PEER)
    if first is IUT:
        story.rst(IUT)
    assert story.conclusions("WIRE-TW-01") == expected


def test_time_wait_lasts_thirty_seconds_for_certain() -> None:
    story = Story()
    story.iut.shutdown()
    story.fin(IUT)
    peers_fin(story)
    story.now = over_at(story) + 30_000 * MS - MS
    again(story, acked=False)
    story.rst(IUT)
    assert story.conclusions("WIRE-TW-01") == NOTHING


def test_fins_that_crossed_tell_of_no_first() -> None:
    story = Story()
    story.peer.shutdown()
    story.fin(PEER, acked=False)
    story.iut.shutdown()
    story.segment(IUT, "FA", ack=0)
    story.segment(PEER, "A")
    story.segment(IUT, "A")
    story.settle()
    assert again(story).conclusions("WIRE-TW-01") == NOTHING


@pytest.mark.parametrize("acked", [False, True])
def test_the_first_closer_had_to_have_seen_the_fin_before(acked: bool) -> None:
    """An end that never acknowledged the FIN is not in TIME-WAIT: that is for other judges."""
    story = Story()
    story.iut.shutdown()
    story.fin(IUT)
    story.peer.shutdown()
    story.fin(PEER, acked=False)
    story.settle()
    again(story, acked=acked)
    story.settle(1500)
    assert story.conclusions("WIRE-TW-01") == NOTHING


def test_an_acknowledgement_at_the_instant_of_the_repetition_is_not_one_from_before() -> None:
    story = Story()
    story.iut.shutdown()
    story.fin(IUT)
    story.peer.shutdown()
    story.fin(PEER, acked=False)
    story.settle()
    again(story, acked=False)
    at_once(story)
    story.segment(IUT, "A")
    assert story.conclusions("WIRE-TW-01") == NOTHING


def test_fins_at_one_instant_tell_of_no_first() -> None:
    story = Story()
    story.iut.shutdown()
    story.peer.shutdown()
    story.segment(IUT, "FA")
    at_once(story)
    story.segment(PEER, "FA")
    story.segment(IUT, "A")
    story.settle()
    assert again(story).conclusions("WIRE-TW-01") == NOTHING


def test_a_fin_after_the_peers_reset_closes_nothing() -> None:
    story = Story()
    story.rst(PEER)
    story.segment(IUT, "FA")
    assert story.conclusions("WIRE-TW-01") == NOTHING


def test_an_acknowledgement_and_a_reset_at_one_instant_are_taken_for_a_reset() -> None:
    story = again(both_closed(PEER), acked=False)
    story.segment(IUT, "A")
    at_once(story)
    story.rst(IUT)
    assert story.conclusions("WIRE-TW-01") == SATISFIED


def test_the_first_closer_acknowledges_less_than_the_fin() -> None:
    story = again(both_closed(IUT), acked=False)
    story.segment(IUT, "A", ack=0)
    story.settle(1500)
    assert story.conclusions("WIRE-TW-01") == VIOLATED


@pytest.mark.parametrize(("after_ns", "expected"), [(1_000_000_000, UNDETERMINED), (1_000_000_001, VIOLATED)])
def test_the_first_closer_is_reset_itself(after_ns: int, expected: set[Conclusion]) -> None:
    story = again(both_closed(IUT), acked=False)
    story.now += after_ns - MS
    story.rst(PEER)
    story.settle(1500)
    assert story.conclusions("WIRE-TW-01") == expected


@pytest.mark.parametrize(("answers", "expected"), [("R", SATISFIED), ("RA", SATISFIED), ("AR", VIOLATED)])
def test_the_second_closer_is_judged_by_its_first_answer(answers: str, expected: set[Conclusion]) -> None:
    story = again(both_closed(PEER), acked=False)
    for flag in answers:
        story.segment(IUT, "A" if flag == "A" else "RA")
    assert story.conclusions("WIRE-TW-01") == expected


@pytest.mark.parametrize(("answer", "expected"), [("A", VIOLATED), ("RA", NOTHING)])
def test_an_answer_at_the_instant_of_the_repetition(answer: str, expected: set[Conclusion]) -> None:
    """A reset may have come before it."""
    story = again(both_closed(PEER), acked=False)
    at_once(story)
    story.segment(IUT, answer)
    assert story.conclusions("WIRE-TW-01") == expected


def test_any_acknowledgement_of_the_second_closer_shows_that_it_has_state_left() -> None:
    story = again(both_closed(PEER), acked=False)
    story.segment(IUT, "A", ack=0)
    story.settle()
    assert story.conclusions("WIRE-TW-01") == VIOLATED


def test_the_second_closer_and_nobody_waited() -> None:
    assert again(both_closed(PEER), acked=False).conclusions("WIRE-TW-01") == UNDETERMINED


@pytest.mark.parametrize("first", [IUT, PEER])
def test_a_last_fin_that_was_not_acknowledged_leaves_no_time_wait(first: End) -> None:
    story = Story()
    if first is IUT:
        story.iut.shutdown()
        story.fin(IUT, acked=False)
        story.fin(PEER)
    else:
        story.fin(PEER)
        story.iut.shutdown()
        story.fin(IUT, acked=False)
    story.segment(PEER, "FA", start=0, ack=0, fate=Fate.REPEATED)
    story.settle(1500)
    if first is PEER:
        assert story.conclusions("WIRE-TW-01") == NOTHING


def test_an_aborted_connection_keeps_nothing() -> None:
    story = Story()
    story.iut.shutdown()
    story.fin(IUT)
    peers_fin(story)
    story.iut.linger(0)
    story.iut.close()
    again(story, acked=False)
    story.rst(IUT)
    story.settle(1500)
    assert story.conclusions("WIRE-TW-01") == NOTHING
