# SPDX-License-Identifier: MIT
"""The judges of a peer's FIN that comes again, on hand-written traces."""

from __future__ import annotations

import pytest

from conformance.oracle.findings import Conclusion
from conformance.trace.events import End, Fate
from tests.oracle.story import IUT, PEER, Story, statement

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
