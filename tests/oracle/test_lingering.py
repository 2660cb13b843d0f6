# SPDX-License-Identifier: MIT
"""The judges of closes with linger as Winsock alone asks for them, with data that cannot be sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.oracle.findings import Conclusion
from conformance.oracle.judging import judge
from conformance.trace.events import End, Fate
from tests.oracle.coarse import without_pauses
from tests.oracle.story import IUT, KERNEL_TCP, MS, PEER, REFERENCE_STREAM, Story
from tests.oracle.test_winsock import WINSOCK_TCP

SATISFIED, VIOLATED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}
UNDETERMINED, NOTHING = {Conclusion.UNDETERMINED}, set[Conclusion]()
Change = Callable[[Story], object]
LINKS = pytest.mark.parametrize("link", ["tcp", "reference", "wireless"])
REFUSED: dict[str, Any] = {"error": "WSAEWOULDBLOCK"}


def stuck(link: str = "reference", seconds: int = 2, *, blocking: bool = True) -> Story:
    """Linger is on, and the IUT has sent until its queue was full; the peer does not read."""
    story = Story(WINSOCK_TCP if link == "tcp" else REFERENCE_STREAM, wire=link != "wireless")
    if seconds:
        story.iut.linger(seconds)
    if not blocking:
        story.iut.nonblocking()
    story.iut.send(4000)
    if link == "tcp":
        story.segment(IUT, "PA", 2000)
        story.segment(PEER, "A", window=0)
    elif link == "reference":
        story.pdu(IUT, "DATA", bytes(2000))
    story.iut.call("send", pattern={"seed": 1, "length": 4000}, **REFUSED)
    return story


def aborts(story: Story) -> None:
    """The IUT's abort, as the link shows it, or as the peer is told."""
    if story.header.statement.transport == "tcp":
        story.rst(IUT)
    elif story.header.wire:
        story.pdu(IUT, "ABORT")
    story.peer.recv(2000)
    story.peer.recv(error="WSAECONNRESET")


def drains(story: Story) -> None:
    """All the rest, and the graceful end."""
    if story.header.statement.transport == "tcp":
        story.data(IUT, 2000)
        story.fin(IUT)
    elif story.header.wire:
        story.pdu(IUT, "DATA", bytes(2000))
        story.pdu(IUT, "RELEASE")
    story.peer.recv(4000)
    story.peer.recv()


# --- INIT-CLOSE-06 ----------------------------------------------------------------------------------------------------


@LINKS
def test_a_close_that_cannot_drain_aborts_when_its_time_is_over(link: str) -> None:
    story = stuck(link)
    story.iut.close(takes=2050)
    aborts(story)
    assert story.conclusions("INIT-CLOSE-06") == SATISFIED


@LINKS
def test_it_goes_on_in_the_background(link: str) -> None:
    story = stuck(link)
    story.iut.close(takes=2050)
    drains(story)
    assert story.conclusions("INIT-CLOSE-06") == VIOLATED


@pytest.mark.parametrize("link", ["tcp", "reference"])
def test_it_ends_nothing(link: str) -> None:
    story = stuck(link)
    story.iut.close(takes=2050)
    story.settle()
    assert story.conclusions("INIT-CLOSE-06") == VIOLATED


@LINKS
@pytest.mark.parametrize(
    ("takes", "expected"), [(1, VIOLATED), (1700, VIOLATED), (1900, SATISFIED), (2900, SATISFIED), (3200, VIOLATED)]
)
def test_it_takes_about_the_linger_time(link: str, takes: int, expected: set[Conclusion]) -> None:
    story = stuck(link)
    story.iut.close(takes=takes)
    aborts(story)
    assert story.conclusions("INIT-CLOSE-06") == expected


def close_from_to(story: Story, ms: float, **answer: Any) -> None:
    """A close that takes exactly so long."""
    call = story.iut.begin("close")
    forward(story, story.now, ms)
    story.iut.finish(call, **answer)


def forward(story: Story, since: int, ms: float) -> None:
    """The next thing that is told comes so long after that."""
    story.now = since + int((ms - 1) * MS)


def meddled(story: Story) -> Story:
    """The harness kept something back that means nothing; nobody can have seen this from afar."""
    story.segment(PEER, "A", window=0, fate=Fate.DROPPED)
    return story


@pytest.mark.parametrize(
    ("ms", "expected"),
    [(1799.999, VIOLATED), (1800, SATISFIED), (3000, SATISFIED), (3000.001, VIOLATED)],
)
def test_the_edges_of_the_linger_time(ms: float, expected: set[Conclusion]) -> None:
    story = stuck("wireless")
    close_from_to(story, ms)
    aborts(story)
    assert story.conclusions("INIT-CLOSE-06") == expected


@pytest.mark.parametrize(
    ("ms", "expected"), [(2500, UNDETERMINED), (2999.999, UNDETERMINED), (3000, VIOLATED), (4000, VIOLATED)]
)
def test_it_never_returns(ms: float, expected: set[Conclusion]) -> None:
    story = stuck("wireless")
    close_from_to(story, ms, timeout=True)
    assert story.conclusions("INIT-CLOSE-06") == expected


def test_it_is_never_answered() -> None:
    story = stuck()
    story.iut.begin("close")
    assert story.conclusions("INIT-CLOSE-06") == NOTHING


def test_it_may_have_failed_for_the_link() -> None:
    story = meddled(stuck("tcp"))
    story.iut.close(takes=2050)
    aborts(story)
    assert story.conclusions("INIT-CLOSE-06") == NOTHING


@pytest.mark.parametrize(
    ("drained_ms", "took_ms", "expected"),
    [(1000, 1010, NOTHING), (2000, 2010, NOTHING), (2001, 2500, SATISFIED), (1000, 2900, NOTHING)],
)
def test_what_is_drained_in_time(drained_ms: int, took_ms: int, expected: set[Conclusion]) -> None:
    story = stuck("tcp")
    call = story.iut.begin("close")
    entered = story.now
    forward(story, entered, drained_ms - 1)
    story.data(IUT, 2000)
    forward(story, entered, took_ms)
    story.iut.finish(call)
    story.rst(IUT)
    assert story.conclusions("INIT-CLOSE-06") == expected


@pytest.mark.parametrize(("late_ms", "expected"), [(1000, SATISFIED), (1000.001, VIOLATED)])
def test_the_abort_comes_promptly(late_ms: float, expected: set[Conclusion]) -> None:
    story = stuck("tcp")
    story.iut.close(takes=2050)
    forward(story, story.now, late_ms)
    story.rst(IUT)
    assert story.conclusions("INIT-CLOSE-06") == expected


@pytest.mark.parametrize("who", [IUT, PEER])
def test_a_connection_that_was_aborted_before(who: End) -> None:
    story = stuck("tcp")
    story.rst(who)
    story.iut.close(takes=2050)
    story.rst(IUT)
    story.settle()
    assert story.conclusions("INIT-CLOSE-06") == NOTHING


def test_the_peer_aborts_first() -> None:
    story = stuck("tcp")
    story.iut.close(takes=2050)
    story.rst(PEER)
    story.rst(IUT)
    story.settle()
    assert story.conclusions("INIT-CLOSE-06") == NOTHING


def test_a_reset_that_the_peer_need_not_accept() -> None:
    story = stuck("tcp")
    story.iut.close(takes=2050)
    story.segment(IUT, "RA", start=9000)
    assert story.conclusions("INIT-CLOSE-06") == UNDETERMINED


@pytest.mark.parametrize("link", ["tcp", "reference"])
def test_the_link_decides_and_not_the_peers_word(link: str) -> None:
    story = stuck(link)
    story.iut.close(takes=2050)
    story.peer.recv(error="WSAECONNRESET")
    assert story.conclusions("INIT-CLOSE-06") == NOTHING


def test_a_word_that_the_peer_had_before() -> None:
    story = stuck("wireless")
    story.peer.recv()
    story.iut.call("send", pattern={"seed": 1, "length": 4000}, **REFUSED)
    story.iut.close(takes=2050)
    story.peer.recv(error="WSAECONNRESET")
    story.peer.recv()
    assert story.conclusions("INIT-CLOSE-06") == SATISFIED


def test_what_was_not_read_makes_it_another_close() -> None:
    story = stuck()
    story.peer.send(5)
    story.pdu(PEER, "DATA", bytes(5))
    story.iut.close(takes=10)
    assert story.conclusions("INIT-CLOSE-06") == NOTHING


def _no_linger(story: Story) -> Story:
    return stuck(seconds=0)


def _nonblocking(story: Story) -> Story:
    return stuck(blocking=False)


def _registered(story: Story) -> Story:
    story.iut.event_select("FD_CLOSE")
    return story


def _shut_before(story: Story) -> Story:
    story.iut.shutdown("send")
    return story


def _read_by_the_peer(story: Story) -> Story:
    story.pdu(IUT, "DATA", bytes(2000))
    story.peer.recv(4000)
    return story


@pytest.mark.parametrize("other", [_no_linger, _nonblocking, _registered, _shut_before, _read_by_the_peer])
def test_other_closes_are_judged_elsewhere(other: Callable[[Story], Story]) -> None:
    story = other(stuck())
    story.iut.close(takes=10)
    drains(story)
    assert story.conclusions("INIT-CLOSE-06") == NOTHING


def test_posix_asks_for_no_abort() -> None:
    story = Story(KERNEL_TCP)
    story.iut.linger(1)
    story.iut.send(4000)
    story.iut.close(takes=1000)
    assert story.conclusions("INIT-CLOSE-06") == NOTHING


# --- INIT-CLOSE-07 ----------------------------------------------------------------------------------------------------


@LINKS
def test_a_close_that_would_block_is_refused_and_changes_nothing(link: str) -> None:
    story = stuck(link, blocking=False)
    story.iut.close(**REFUSED)
    assert story.conclusions("INIT-CLOSE-07") == NOTHING
    story.iut.recv(**REFUSED)
    assert story.conclusions("INIT-CLOSE-07") == SATISFIED


@LINKS
@pytest.mark.parametrize("answer", [{}, {"timeout": True}, {"error": "WSAEINVAL"}, {"takes": 2000}])
def test_a_close_that_would_block_is_not_refused(link: str, answer: dict[str, Any]) -> None:
    story = stuck(link, blocking=False)
    story.iut.close(**answer)
    assert story.conclusions("INIT-CLOSE-07") == VIOLATED


def _handle_gone(story: Story) -> None:
    story.iut.recv(error="WSAENOTSOCK")


def _shut_down(story: Story) -> None:
    story.iut.send(5, error="WSAESHUTDOWN")


def _end_goes_out(story: Story) -> None:
    story.pdu(IUT, "RELEASE")
    story.iut.recv(**REFUSED)


def _abort_goes_out(story: Story) -> None:
    story.pdu(IUT, "ABORT")
    story.iut.recv(**REFUSED)


@pytest.mark.parametrize("breaks", [_handle_gone, _shut_down, _end_goes_out, _abort_goes_out])
def test_a_refused_close_changes_something(breaks: Change) -> None:
    story = stuck(blocking=False)
    story.iut.close(**REFUSED)
    breaks(story)
    assert story.conclusions("INIT-CLOSE-07") == VIOLATED


def test_a_close_that_drains_while_it_blocks_was_able_to_finish() -> None:
    story = stuck("tcp", blocking=False)
    call = story.iut.begin("close")
    story.data(IUT, 2000)
    story.iut.finish(call)
    assert story.conclusions("INIT-CLOSE-07") == NOTHING


@pytest.mark.parametrize(
    ("answer", "expected"),
    [({"error": "WSAECONNABORTED"}, NOTHING), ({}, VIOLATED), ({"timeout": True}, VIOLATED), (REFUSED, SATISFIED)],
)
def test_a_close_on_a_link_that_may_have_failed(answer: dict[str, Any], expected: set[Conclusion]) -> None:
    story = meddled(stuck("tcp", blocking=False))
    story.iut.close(**answer)
    story.iut.recv(**REFUSED)
    assert story.conclusions("INIT-CLOSE-07") == expected


@pytest.mark.parametrize("how", ["never answered", "not known"])
def test_a_close_that_tells_nothing(how: str) -> None:
    story = stuck(blocking=False)
    call = story.iut.begin("close")
    if how == "not known":
        story.iut.finish(call, unsupported="no close here")
    assert story.conclusions("INIT-CLOSE-07") == NOTHING


def _sends(story: Story) -> None:
    story.iut.send(5)


def _receives(story: Story) -> None:
    story.iut.recv(content=b"more")


def _would_block(story: Story) -> None:
    story.iut.send(5, **REFUSED)


def _waits(story: Story) -> None:
    story.iut.recv(timeout=True)


def _fails(story: Story) -> None:
    story.iut.recv(error="WSAEINVAL")


@pytest.mark.parametrize(
    ("use", "expected"),
    [(_sends, SATISFIED), (_receives, SATISFIED), (_would_block, SATISFIED), (_waits, NOTHING), (_fails, NOTHING)],
)
def test_what_shows_that_a_refused_close_left_the_socket_as_it_was(use: Change, expected: set[Conclusion]) -> None:
    story = stuck(blocking=False)
    story.iut.close(**REFUSED)
    use(story)
    assert story.conclusions("INIT-CLOSE-07") == expected


def test_what_shows_it_is_evidence() -> None:
    story = stuck(blocking=False)
    story.iut.close(**REFUSED)
    story.iut.recv(timeout=True)
    story.iut.recv(**REFUSED)
    story.iut.recv(**REFUSED)
    (finding,) = story.judge("INIT-CLOSE-07")
    close, _, shows, _ = story.connection().iut.operations[-4:]
    assert finding.events == (*close.events, *shows.events)


@pytest.mark.parametrize("gone", ["WSAENOTSOCK", "WSAENOTCONN", "WSAESHUTDOWN"])
def test_a_refused_close_that_takes_the_socket_away_later(gone: str) -> None:
    story = stuck(blocking=False)
    story.iut.close(**REFUSED)
    story.iut.recv(**REFUSED)
    story.iut.recv(error=gone)
    (finding,) = story.judge("INIT-CLOSE-07")
    assert finding.outcome is Conclusion.VIOLATED
    assert set(story.connection().iut.operations[-1].events) <= set(finding.events)


@pytest.mark.parametrize("error", ["WSAENOTSOCK", "WSAESHUTDOWN"])
def test_what_follows_the_next_goodbye_is_its_own(error: str) -> None:
    story = stuck(blocking=False)
    story.iut.close(**REFUSED)
    story.iut.recv(**REFUSED)
    story.iut.shutdown("send")
    story.pdu(IUT, "RELEASE")
    story.iut.send(5, error=error)
    story.iut.recv(error=error)
    assert story.conclusions("INIT-CLOSE-07") == SATISFIED


def test_what_was_refused_before_the_close_is_not_its_doing() -> None:
    story = stuck(blocking=False)
    story.iut.recv(error="WSAENOTCONN")
    story.iut.close(**REFUSED)
    story.iut.recv(**REFUSED)
    assert story.conclusions("INIT-CLOSE-07") == SATISFIED


def test_network_events_make_the_socket_nonblocking() -> None:
    story = stuck()
    story.iut.event_select("FD_CLOSE")
    story.iut.close(takes=2000)
    assert story.conclusions("INIT-CLOSE-07") == VIOLATED


@pytest.mark.parametrize("seconds", [0])
def test_without_linger_a_close_is_not_refused(seconds: int) -> None:
    story = stuck(seconds=seconds, blocking=False)
    story.iut.close()
    assert story.conclusions("INIT-CLOSE-07") == NOTHING


def test_a_close_that_can_finish_at_once_is_judged_elsewhere() -> None:
    story = Story(REFERENCE_STREAM)
    story.iut.linger(2)
    story.iut.nonblocking()
    story.iut.send(5)
    story.pdu(IUT, "DATA", bytes(5))
    story.iut.close()
    assert story.conclusions("INIT-CLOSE-07") == NOTHING


# --- INIT-CLOSE-08 ----------------------------------------------------------------------------------------------------


def _linger_off(story: Story) -> None:
    story.iut.linger(0, on=False)


def _linger_zero(story: Story) -> None:
    story.iut.linger(0)


def _shutdown(story: Story) -> None:
    story.iut.shutdown("send")


def _off_with_a_time(story: Story) -> None:
    story.iut.linger(5, on=False)


def _both(story: Story) -> None:
    story.iut.shutdown("both")


def _send_disconnect(story: Story) -> None:
    story.iut.send_disconnect()


REMEDIES = pytest.mark.parametrize(
    "remedy", [_linger_off, _off_with_a_time, _linger_zero, _shutdown, _both, _send_disconnect]
)


@REMEDIES
@pytest.mark.parametrize(
    ("answer", "expected"), [({}, SATISFIED), (REFUSED, VIOLATED), ({"error": "WSAENOTSOCK"}, VIOLATED)]
)
def test_a_remedied_close_succeeds(remedy: Change, answer: dict[str, Any], expected: set[Conclusion]) -> None:
    story = stuck(blocking=False)
    story.iut.close(**REFUSED)
    remedy(story)
    story.iut.close(**answer)
    assert story.conclusions("INIT-CLOSE-08") == expected


def _nothing(story: Story) -> None:
    pass


def _more_linger(story: Story) -> None:
    story.iut.linger(9)


def _receiving(story: Story) -> None:
    story.iut.shutdown("receive")


def _fails_to_shut_down(story: Story) -> None:
    story.iut.shutdown("send", error="WSAENETDOWN")


def _fails_to_set_linger(story: Story) -> None:
    story.iut.call("set_linger", on=False, seconds=0, error="WSAENETDOWN")


NO_REMEDIES = [_nothing, _more_linger, _receiving, _fails_to_shut_down, _fails_to_set_linger, _sends]


@pytest.mark.parametrize("remedy", NO_REMEDIES)
def test_without_a_remedy_a_close_may_be_refused_again(remedy: Change) -> None:
    story = stuck(blocking=False)
    story.iut.close(**REFUSED)
    remedy(story)
    story.iut.close(**REFUSED)
    assert story.conclusions("INIT-CLOSE-08") == NOTHING


@REMEDIES
def test_a_close_that_was_not_refused_needs_no_remedy(remedy: Change) -> None:
    story = stuck(blocking=False)
    remedy(story)
    story.iut.close()
    assert story.conclusions("INIT-CLOSE-08") == NOTHING


@pytest.mark.parametrize("answer", ["none", "not known", "in time"])
def test_what_the_second_close_must_tell(answer: str) -> None:
    story = stuck(blocking=False)
    story.iut.close(**REFUSED)
    story.iut.linger(0)
    call = story.iut.begin("close")
    if answer != "none":
        story.iut.finish(call, **({"timeout": True} if answer == "in time" else {"unsupported": "no close here"}))
    assert story.conclusions("INIT-CLOSE-08") == (VIOLATED if answer == "in time" else NOTHING)


def test_a_remedy_after_the_second_close_or_before_the_first_is_none() -> None:
    story = stuck(blocking=False)
    story.iut.linger(0)
    story.iut.linger(2)
    story.iut.close(**REFUSED)
    story.iut.close(**REFUSED)
    story.iut.linger(0)
    assert story.conclusions("INIT-CLOSE-08") == NOTHING


def test_only_the_close_after_the_remedy_is_judged_and_all_three_calls_are_shown() -> None:
    story = stuck(blocking=False)
    story.iut.close(**REFUSED)
    story.iut.linger(9)
    story.iut.linger(0)
    story.iut.close()
    story.iut.close(error="WSAENOTSOCK")
    (finding,) = story.judge("INIT-CLOSE-08")
    first, _, remedy, second, _ = story.connection().iut.operations[-5:]
    assert finding.outcome is Conclusion.SATISFIED
    assert finding.events == (*first.events, *remedy.events, *second.events)


def test_no_close_follows_the_remedy() -> None:
    story = stuck(blocking=False)
    story.iut.close(**REFUSED)
    story.iut.linger(0)
    assert story.conclusions("INIT-CLOSE-08") == NOTHING


def test_on_a_coarse_clock_the_next_call_is_made_when_the_last_returns() -> None:
    story = stuck(blocking=False)
    story.iut.close(**REFUSED)
    story.iut.recv(**REFUSED)
    coarse = judge(without_pauses(story.trace()))
    assert [f.outcome for f in coarse if f.requirement == "INIT-CLOSE-07"] == [Conclusion.SATISFIED]
    story = stuck(blocking=False)
    story.iut.close(**REFUSED)
    story.iut.linger(0)
    story.iut.close()
    coarse = judge(without_pauses(story.trace()))
    assert [f.outcome for f in coarse if f.requirement == "INIT-CLOSE-08"] == [Conclusion.SATISFIED]
