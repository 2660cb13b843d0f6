# SPDX-License-Identifier: MIT
"""The questions about a visible link, each on stories from both sides of its edges."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from conformance.catalogue.catalogue import load
from conformance.oracle import link
from conformance.oracle.findings import Conclusion, Expectation
from conformance.trace.conditions import Condition
from conformance.trace.events import Fate
from conformance.trace.operations import Operation, Report
from tests.oracle.story import (
    IUT,
    MS,
    PEER,
    WINDOWS_TCP,
    Story,
    Teller,
    statement,
)

Change = Callable[[Story], object]


def forward(story: Story, since: int, ms: float) -> None:
    """The next thing that is told comes so long after that."""
    story.now = since + int((ms - 1) * MS)


# --- which links are judged -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        (Story(statement("mptcp"), wire=True, exercises=("WIRE-ABRT-01",)), "a FIN of MPTCP ends a subflow"),
        (Story(wire=False, exercises=("WIRE-ABRT-01",)), "no link is visible"),
        (Story(lost=3, exercises=("WIRE-ABRT-01",)), "the capture lost 3 packets"),
    ],
)
def test_what_cannot_be_seen_is_not_judged(story: Story, reason: str) -> None:
    story.iut.linger(0)
    story.iut.close()
    (finding,) = story.judge("WIRE-ABRT-01")
    assert finding.outcome is Conclusion.UNDETERMINED
    assert f"cannot be told: {reason}" in finding.because


def test_what_cannot_be_seen_and_was_not_meant_is_no_matter() -> None:
    story = Story(lost=3)
    story.iut.linger(0)
    story.iut.close()
    assert story.judge("WIRE-ABRT-01") == []


# --- time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ms", "settled", "overdue"), [(29.999, 0, 0), (30, 1, 0), (999.999, 1, 0), (1000, 1, 1)])
@pytest.mark.parametrize("how", ["settled", "waited in vain", "iut", "peer"])
def test_how_long_was_watched(how: str, ms: float, settled: bool, overdue: bool) -> None:
    story = Story()
    story.note("settled")
    call = getattr(story, how).begin("recv") if how in ("iut", "peer") else 0
    since = story.now
    forward(story, since, ms)
    if call:
        getattr(story, how).finish(call, timeout=True)
    else:
        story.note(how)
    connection = story.connection()
    assert (link.settled(connection, since), link.overdue(connection, since)) == (settled, overdue)


def test_nobody_watched() -> None:
    story = Story()
    story.iut.recv(5, takes=2000)
    assert not link.watched(story.connection(), 0, 1)
    assert link.watched(story.connection(), 0, 0)


def test_a_settle_time_that_is_longer_than_the_prompt_one() -> None:
    story = Story(settle_ms=2000, prompt_ms=100)
    since = story.now
    story.settle(1000)
    assert not link.overdue(story.connection(), since)
    story.settle(1000)
    assert link.overdue(story.connection(), since)


@pytest.mark.parametrize(("ack", "expected"), [(None, 7), (5, 80), (4, 7)])
def test_the_slowest_round_trip(ack: int | None, expected: int) -> None:
    story = Story()
    story.iut.call("connect", takes=7)
    story.peer.call("connect", takes=3)
    story.iut.call("send", takes=500)
    story.segment(IUT, "PA", 5)
    forward(story, story.now, 80)
    if ack is not None:
        story.segment(PEER, "A", ack=ack)
    story.segment(IUT, "A", start=0)
    assert link.slowest_ns(story.connection()) == expected * MS


def test_a_fin_makes_a_round_trip_too() -> None:
    for ack, expected in ((0, 0), (1, 90)):
        story = Story()
        story.segment(IUT, "FA")
        forward(story, story.now, 90)
        story.segment(PEER, "A", ack=ack)
        assert link.slowest_ns(story.connection()) == expected * MS


def test_an_acknowledgement_wants_no_answer() -> None:
    story = Story()
    story.segment(IUT, "A")
    story.wait(50)
    story.segment(PEER, "A")
    assert link.slowest_ns(story.connection()) == 0


def test_when_the_connection_was_undone() -> None:
    story = Story()
    assert link.undone_at(story.connection()) == math.inf
    story.iut.dies()
    killed = story.now - MS
    assert link.undone_at(story.connection()) == killed
    for sender in (IUT, PEER):
        story = Story()
        story.segment(sender, "R", fate=Fate.DROPPED if sender is PEER else Fate.DELIVERED)
        first = story.now
        story.rst(PEER)
        second = story.now
        story.rst(IUT)
        assert link.undone_at(story.connection()) == (first if sender is IUT else second)


def test_when_both_directions_were_over() -> None:
    def story(*, own: bool = True, peers: bool = True, acked: bool = True) -> Story:
        story = Story()
        story.data(IUT, 5)
        if peers:
            story.fin(PEER, acked=False)
        if own:
            story.segment(IUT, "FA")
            story.segment(PEER, "A", ack=5)
        story.wait(20)
        if acked:
            story.segment(PEER, "A")
        return story

    for parts in ({"own": False}, {"peers": False}, {"acked": False}):
        assert link.over_at(story(**parts).connection()) == math.inf
    both = story()
    assert link.over_at(both.connection()) == both.now
    late = Story()
    late.fin(IUT)
    assert link.over_at(late.connection()) == math.inf
    late.fin(PEER)
    assert link.over_at(late.connection()) == late.now - MS
    reset = Story()
    reset.fin(IUT)
    reset.rst(PEER)
    assert link.over_at(reset.connection()) == math.inf


def test_what_an_end_gave_up() -> None:
    story = Story()
    assert (link.stopped_at(story.connection().iut), link.given_up_at(story.connection().iut)) == (math.inf, math.inf)
    story.iut.shutdown("receive")
    stopped = story.now - MS
    story.iut.close()
    iut = story.connection().iut
    assert (link.stopped_at(iut), link.given_up_at(iut)) == (stopped, story.now - MS)


# --- what reached the IUT, and what it answered -----------------------------------------------------------------------


def test_arrivals_come_in_the_order_in_which_they_arrive() -> None:
    story = Story()
    story.segment(PEER, "FA", 5, fate=Fate.HELD, delivered_at=story.now + 50 * MS)
    story.segment(PEER, "A")
    story.segment(PEER, "FA", 5, start=0, fate=Fate.DROPPED)
    story.segment(PEER, "FA", 5, start=0, fate=Fate.REPEATED)
    connection = story.connection()
    held, ack, dropped, copy = connection.peer_to_iut.passages
    assert [p for _, p in link.arrivals(connection)] == [ack, copy, held]
    assert [at for at, _ in link.arrivals(connection)] == [ack.at, copy.at, held.delivered]
    assert link.first_fin(connection) == copy
    assert dropped.delivered is None


def test_there_is_no_fin() -> None:
    story = Story()
    story.data(PEER, 5)
    assert link.first_fin(story.connection()) is None
    assert link.own_fin(story.connection()) is None
    story.fin(IUT)
    story.segment(IUT, "FA", start=0)
    assert link.own_fin(story.connection()) == story.connection().iut_to_peer.fins[0]


def test_what_was_confirmed_to_the_iut() -> None:
    story = Story()
    story.segment(IUT, "PA", 9)
    times = []
    for flags, ack in (("A", 3), ("A", 6), ("RA", 9), ("R", 9)):
        story.segment(PEER, flags, ack=ack)
        times.append(story.now)
    connection = story.connection()
    assert [link.confirmed(connection, time) for time in (times[0] - 1, *times)] == [0, 3, 6, 6, 6]
    assert [link.confirmed_at(connection, upto) for upto in (3, 4, 6, 7)] == [times[0], times[1], times[1], math.inf]


def test_which_acknowledgements_there_are() -> None:
    story = Story()
    story.segment(PEER, "PA", 9)
    for ack in (4, 9, 9):
        story.segment(IUT, "A", ack=ack)
    connection, at = story.connection(), story.now
    assert [a.at for a in link.acknowledgements(connection, 9, 0)] == [at - MS, at]
    assert [a.at for a in link.acknowledgements(connection, 9, at)] == [at]
    assert [a.at for a in link.acknowledgements(connection, 4, at - 2 * MS)] == [at - 2 * MS, at - MS, at]
    assert link.acknowledgements(connection, 10, 0) == []


@pytest.mark.parametrize(("ms", "prompt"), [(1, True), (1000, True), (1000.001, False), (-5, True)])
def test_a_prompt_acknowledgement(ms: float, prompt: bool) -> None:
    story = Story()
    story.data(PEER, 9)
    since = story.now - int(ms * MS)
    ack = link.promptly_acknowledged(story.connection(), 9, since)
    assert (ack is not None) == prompt
    assert link.promptly_acknowledged(story.connection(), 10, since) is None


def unanswered(change: Change = lambda story: None, *, until_ms: float = math.inf) -> Conclusion | None:
    """What is said of an octet of the peer's for which the IUT had a second and more."""
    story = Story()
    story.segment(PEER, "PA", 1)
    since = story.now
    change(story)
    expectation = Expectation(load()["WIRE-ABRT-03"], ())
    connection, until = story.connection(), since + until_ms * MS
    passage = connection.peer_to_iut.passages[0]
    findings = list(link.unacknowledged(connection, expectation, "it", 1, since, passage, until=until))
    assert all(finding.events == passage.events for finding in findings)
    return findings[0].outcome if findings else None


def watched_for(ms: float) -> Change:
    def change(story: Story) -> None:
        forward(story, story.now, ms)
        story.note("settled")

    return change


def then(*changes: Change) -> Change:
    def change(story: Story) -> None:
        for each in changes:
            each(story)

    return change


def after(ms: float, change: Change) -> Change:
    def late(story: Story) -> None:
        forward(story, story.now, ms)
        change(story)

    return late


def acknowledges(story: Story) -> None:
    story.segment(IUT, "A")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (watched_for(999.999), Conclusion.UNDETERMINED),
        (watched_for(1000), Conclusion.VIOLATED),
        (after(1500, acknowledges), Conclusion.UNDETERMINED),
        (then(after(1500, acknowledges), watched_for(1500)), Conclusion.UNDETERMINED),
        (then(after(1000, lambda story: story.rst(PEER)), watched_for(1500)), None),
        (then(after(1000.001, lambda story: story.rst(PEER)), watched_for(1500)), Conclusion.VIOLATED),
        (then(lambda story: story.segment(IUT, "A", ack=0, window=0), watched_for(1500)), Conclusion.UNDETERMINED),
    ],
)
def test_what_is_not_promptly_acknowledged(change: Change, expected: Conclusion | None) -> None:
    assert unanswered(change) == expected


@pytest.mark.parametrize(("until_ms", "expected"), [(1000, None), (1000.001, Conclusion.VIOLATED)])
def test_nobody_is_bound_to_answer_for_ever(until_ms: float, expected: Conclusion | None) -> None:
    assert unanswered(watched_for(1500), until_ms=until_ms) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda story: None, False),
        (lambda story: story.segment(IUT, "A", window=1), False),
        (lambda story: story.segment(IUT, "A", window=0), True),
        (lambda story: story.segment(IUT, "R", window=0), False),
        (lambda story: story.segment(PEER, "A", window=0), False),
        (lambda story: story.iut.call("set_option", name="RCVBUF", value=4096), True),
        (lambda story: story.iut.call("set_option", name="SNDBUF", value=4096), False),
    ],
)
def test_who_may_be_short_of_room(change: Change, expected: bool) -> None:
    story = Story()
    change(story)
    assert link.short_of_room(story.connection()) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("USER_TIMEOUT", True), ("KEEPALIVE", True), ("KEEPIDLE", True), ("RCVBUF", False), ("NOKEEPALIVE", False)],
)
def test_which_options_let_it_time_out(name: str, expected: bool) -> None:
    story = Story()
    story.iut.call("set_option", name=name, value=1)
    assert link.timed(story.connection()) == link.may_time_out(story.connection()) == expected


@pytest.mark.parametrize("sender", [IUT, PEER])
@pytest.mark.parametrize(("fate", "expected"), [(Fate.DELIVERED, False), (Fate.DROPPED, True)])
def test_a_link_that_lets_it_time_out(sender: Any, fate: Fate, expected: bool) -> None:
    story = Story()
    story.segment(sender, "A", fate=fate)
    assert link.may_time_out(story.connection()) == expected
    assert not link.timed(story.connection())


# --- what was surely unread -------------------------------------------------------------------------------------------


def sent_nine(story: Story | None = None, *, acked: int = 9) -> Story:
    story = story or Story()
    story.peer.send(9)
    story.segment(PEER, "PA", 9)
    story.segment(IUT, "A", ack=acked)
    return story


def unread_now(story: Story) -> int:
    return link.surely_unread(story.connection(), story.now)


def test_how_much_is_surely_unread() -> None:
    assert unread_now(Story()) == 0
    assert unread_now(sent_nine()) == 9
    assert unread_now(sent_nine(acked=4)) == 4
    assert unread_now(sent_nine(Story(statement(family="runtime"), wire=True))) == 0
    story = sent_nine()
    assert link.surely_unread(story.connection(), story.now - 1) == 0
    story.iut.recv(5)
    assert unread_now(story) == 4
    story.iut.recv(9, offset=5)
    assert unread_now(story) == 0


def test_the_fin_is_nothing_to_read() -> None:
    story = sent_nine()
    story.fin(PEER)
    assert unread_now(story) == 9


def test_a_read_counts_from_when_it_was_asked_for() -> None:
    story = sent_nine()
    story.iut.recv(5)
    connection = story.connection()
    asked = connection.iut.receives[0].asked
    assert [link.surely_unread(connection, time) for time in (asked - 1, asked)] == [9, 4]


def test_a_receive_that_is_waiting_may_take_it_all() -> None:
    story = sent_nine()
    story.iut.begin("recv", length=5)
    begun = story.now
    connection = story.connection()
    assert [link.surely_unread(connection, time) for time in (begun - 1, begun)] == [9, 0]


def test_a_posted_receive_may_take_it_all_until_it_is_told() -> None:
    story = sent_nine()
    story.iut.post("one")
    posted = story.connection().iut.operations[0].entered
    assert [link.surely_unread(story.connection(), time) for time in (posted - 1, posted)] == [9, 0]
    story.iut.completes("one", 4)
    assert unread_now(story) == 5
    assert [link.surely_unread(story.connection(), time) for time in (posted - 1, posted)] == [9, 5]
    story.iut.recv(2, offset=4)
    assert unread_now(story) == 3
    story.iut.post("two")
    assert unread_now(story) == 0


def test_a_receive_that_was_not_posted_takes_nothing() -> None:
    story = sent_nine()
    story.iut.call("post_recv", length=5, error="WSAENOBUFS")
    assert unread_now(story) == 9


# --- who looked in vain -----------------------------------------------------------------------------------------------


def looks(story: Story, since: int, until: float) -> list[Report | Operation]:
    return list(link.looks_in_vain(story.connection(), since, until))


@pytest.mark.parametrize(
    ("error", "asked_ms", "told_ms", "expected"),
    [
        ("", 1, 29.999, False),
        ("", 1, 30, True),
        ("", 1, 99.999, True),
        ("", 1, 100, False),
        ("EAGAIN", 29.999, 50, False),
        ("EAGAIN", 30, 50, True),
        ("EAGAIN", 30, 100, False),
        ("ECONNRESET", 40, 50, False),
    ],
)
def test_a_receive_looks_in_vain(error: str, asked_ms: float, told_ms: float, expected: bool) -> None:
    story = Story()
    since = story.now
    forward(story, since, asked_ms)
    call = story.iut.begin("recv", length=5)
    forward(story, since, told_ms)
    story.iut.finish(call, error=error, timeout=not error)
    assert len(looks(story, since, since + 100 * MS)) == expected


@pytest.mark.parametrize(
    ("told", "at_ms", "expected"), [(0, 29.999, 0), (0, 30, 1), (0, 99.999, 1), (0, 100, 0), (1, 50, 0), (None, 50, 0)]
)
def test_a_poll_looks_in_vain(told: int | None, at_ms: float, expected: int) -> None:
    story = Story()
    since = story.now
    call = story.iut.begin("poll", surface="poll", events=["IN"])
    forward(story, since, at_ms)
    if told is not None:
        story.iut.finish(call, timeout=not told, events=["IN"])
    assert len(looks(story, since, since + 100 * MS)) == expected


# --- what the IUT was told --------------------------------------------------------------------------------------------


def told_of(story: Story, since: float = 0) -> list[str]:
    return [word.told for word in link.words(story.connection().iut, since)]


@pytest.mark.parametrize(
    ("tell", "expected"),
    [
        (lambda iut: iut.recv(0), ["ZERO_BYTES"]),
        (lambda iut: iut.recv(error="ECONNRESET"), ["ECONNRESET"]),
        (lambda iut: iut.recv(error="WSAEDISCON"), ["EDISCON"]),
        (lambda iut: iut.recv(error="EWEIRD"), ["OTHER"]),
        (lambda iut: iut.recv(5), []),
        (lambda iut: iut.recv(error="EAGAIN"), []),
        (lambda iut: iut.recv(timeout=True), []),
        (lambda iut: iut.recv(error="WSA_OPERATION_ABORTED"), []),
        (lambda iut: iut.send(5), []),
        (lambda iut: iut.send(5, error="EPIPE"), ["EPIPE"]),
        (lambda iut: iut.send(5, error="EAGAIN"), []),
        (lambda iut: iut.get_error("ECONNRESET"), ["ECONNRESET"]),
        (lambda iut: iut.get_error(), []),
        (lambda iut: iut.call("get_error", error="EBADF"), []),
        (lambda iut: iut.indicates("FD_CLOSE"), ["GRACEFUL"]),
        (lambda iut: iut.indicates("END"), ["GRACEFUL"]),
        (lambda iut: iut.indicates("CLOSED"), []),
        (lambda iut: iut.indicates("FD_READ"), []),
        (lambda iut: iut.indicates("FD_CLOSE", "WSAECONNABORTED"), ["ECONNABORTED"]),
        (lambda iut: iut.indicates("CLOSED", "ECONNRESET"), ["ECONNRESET"]),
        (lambda iut: iut.indicates("FD_READ", "ECONNRESET"), []),
        (lambda iut: iut.call("connect", error="ECONNREFUSED"), []),
    ],
)
def test_what_tells_of_an_end(tell: Callable[[Teller], object], expected: list[str]) -> None:
    story = Story(WINDOWS_TCP)
    tell(story.iut)
    assert told_of(story) == expected


@pytest.mark.parametrize(
    ("apart_ms", "expected"), [(0, ["ECONNRESET", "ZERO_BYTES"]), (1, ["ZERO_BYTES", "ECONNRESET"])]
)
def test_of_words_of_one_time_an_error_comes_first(apart_ms: int, expected: list[str]) -> None:
    story = Story(WINDOWS_TCP)
    for token in "ab":
        story.iut.post(token)
    story.iut.completes("a")
    story.wait(apart_ms - 1)
    story.iut.completes("b", error="WSAECONNRESET")
    assert told_of(story) == expected


def test_a_posted_send_that_fails_tells_of_it_when_it_completes() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.post_send("one", 5)
    assert told_of(story) == []
    story.iut.sent("one", error="WSAECONNRESET")
    (word,) = link.words(story.connection().iut, story.now)
    assert (word.told, word.at) == ("ECONNRESET", story.now)


@pytest.mark.parametrize(
    ("word", "graceful"),
    [("ZERO_BYTES", True), ("EDISCON", True), ("GRACEFUL", True), ("ECONNRESET", False), ("OTHER", False)],
)
def test_which_words_are_graceful(word: str, graceful: bool) -> None:
    assert link.Word(1, word, "", ()).is_graceful == graceful


def test_words_come_in_order_and_from_a_time_on() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.indicates("FD_CLOSE", "WSAECONNRESET")
    story.iut.send(5, error="WSAECONNABORTED")
    story.iut.recv(0)
    words = link.words(story.connection().iut, 0)
    assert [word.told for word in words] == ["ECONNRESET", "ECONNABORTED", "ZERO_BYTES"]
    assert [word.at for word in words] == [story.now - 4 * MS, story.now - 2 * MS, story.now]
    assert told_of(story, words[1].at) == ["ECONNABORTED", "ZERO_BYTES"]
    assert told_of(story, words[1].at + 1) == ["ZERO_BYTES"]
    assert all(word.events and word.seen for word in words)


@pytest.mark.parametrize(
    ("own", "then_told", "expected"),
    [
        ("send", lambda iut: iut.send(5, error="EPIPE"), []),
        ("send", lambda iut: iut.get_error("ECONNRESET"), ["ECONNRESET"]),
        ("send", lambda iut: iut.recv(0), ["ZERO_BYTES"]),
        ("receive", lambda iut: iut.send(5, error="EPIPE"), ["EPIPE"]),
        ("receive", lambda iut: iut.recv(0), []),
        ("both", lambda iut: iut.recv(0), []),
        ("both", lambda iut: iut.indicates("FD_CLOSE"), ["GRACEFUL"]),
        ("close", lambda iut: iut.recv(error="EBADF"), []),
        ("close", lambda iut: iut.indicates("FD_CLOSE"), []),
    ],
)
def test_what_the_iut_brought_about_itself_is_no_word(
    own: str, then_told: Callable[[Teller], object], expected: list[str]
) -> None:
    story = Story(WINDOWS_TCP)
    if own == "close":
        story.iut.close()
    else:
        story.iut.shutdown(own)
    then_told(story.iut)
    assert told_of(story) == expected


def test_what_is_no_word_does_not_hide_the_next() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.indicates("FD_READ")
    story.iut.indicates("FD_CLOSE")
    story.iut.shutdown("send")
    story.iut.send(5, error="WSAESHUTDOWN")
    story.iut.get_error("WSAECONNRESET")
    assert told_of(story) == ["GRACEFUL", "ECONNRESET"]


def test_what_is_told_at_the_instant_of_the_own_end_is_its_doing() -> None:
    story = Story(WINDOWS_TCP)
    shut = story.iut.begin("shutdown", how="send")
    story.now -= MS
    send = story.iut.begin("send", pattern={"seed": 0, "length": 5})
    story.iut.finish(send, error="WSAESHUTDOWN")
    story.iut.finish(shut)
    close = story.iut.begin("close")
    story.now -= MS
    story.iut.indicates("FD_CLOSE")
    story.iut.finish(close)
    assert told_of(story) == []


def test_a_receive_that_its_own_shutdown_woke_is_no_word() -> None:
    story = Story()
    waiting = story.iut.begin("recv", length=5)
    story.iut.shutdown("both")
    story.iut.finish(waiting, length=0)
    assert told_of(story) == []


def test_a_send_that_was_made_before_its_own_shutdown_is_one() -> None:
    story = Story()
    waiting = story.iut.begin("send", pattern={"seed": 0, "length": 5})
    story.iut.shutdown("send")
    story.iut.finish(waiting, error="ECONNRESET")
    assert told_of(story) == ["ECONNRESET"]


def test_which_error_a_call_told() -> None:
    story = Story()
    story.iut.get_error("ECONNRESET")
    story.iut.get_error()
    story.iut.send(5, error="EPIPE")
    story.iut.send(5)
    told = [link.error_of(operation) for operation in story.connection().iut.operations]
    assert told == [Condition.ECONNRESET, None, Condition.EPIPE, None]
