# SPDX-License-Identifier: MIT
"""The judges of startups and cleanups: the last cleanup ends what is open, and the others end nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.oracle.findings import Conclusion
from tests.oracle.story import IUT, PEER, SERVICE_PROVIDER, Story, at_once

SATISFIED, VIOLATED, UNDETERMINED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}, {Conclusion.UNDETERMINED}
NOTHING = set[Conclusion]()


def counted(op: str, story: Story, *, error: str = "") -> Story:
    story.iut.call(op, socket=None, error=error)
    return story


# --- ERR-10 -----------------------------------------------------------------------------------------------------------


def cleaned_up(*, startups: int = 0) -> Story:
    story = Story(SERVICE_PROVIDER)
    for _ in range(startups):
        counted("startup", story)
    return counted("cleanup", story)


def aborted(story: Story) -> Story:
    story.pdu(IUT, "ABORT")
    return story


def again(story: Story, *, startup: str = "", socket: str = "") -> Story:
    counted("startup", story, error=startup)
    if not startup:
        story.iut.call("socket", socket=None, error=socket, result={"socket": 9})
    return story


def test_what_is_open_is_reset() -> None:
    story = aborted(cleaned_up())
    story.peer.recv(error="WSAECONNRESET")
    assert story.conclusions("ERR-10") == SATISFIED


def test_what_is_open_ends_gracefully() -> None:
    story = cleaned_up()
    story.pdu(IUT, "RELEASE")
    assert story.conclusions("ERR-10") == VIOLATED


def test_what_is_open_is_left_open() -> None:
    story = cleaned_up()
    assert story.conclusions("ERR-10") == NOTHING  # nobody looked
    story.peer.recv(timeout=True, takes=2000, wait_ms=2000)
    assert story.conclusions("ERR-10") == VIOLATED


def test_what_had_ended_before_is_another_matter() -> None:
    story = Story(SERVICE_PROVIDER)
    story.iut.shutdown("send")
    story.pdu(IUT, "RELEASE")
    counted("cleanup", story)
    assert story.conclusions("ERR-10") == NOTHING


def test_a_cleanup_that_is_not_the_last_resets_nothing() -> None:
    story = cleaned_up(startups=1)
    story.peer.recv(timeout=True, takes=2000, wait_ms=2000)
    assert story.conclusions("ERR-10") == NOTHING


def test_a_cleanup_that_fails_is_none() -> None:
    story = counted("cleanup", Story(SERVICE_PROVIDER), error="WSAENETDOWN")
    story.peer.recv(timeout=True, takes=2000, wait_ms=2000)
    assert story.conclusions("ERR-10") == NOTHING


def closed(*, acked: bool = False) -> Story:
    """Closed with data that was not, or was, taken by the peer; then cleaned up."""
    story = Story(SERVICE_PROVIDER)
    story.iut.send(100)
    if acked:
        story.pdu(IUT, "DATA", bytes(range(100)))
    story.iut.close()
    return counted("cleanup", story)


def test_what_is_closed_finishes() -> None:
    story = closed()
    story.pdu(IUT, "DATA", bytes(range(100)))
    story.pdu(IUT, "RELEASE")
    story.peer.recv(100)
    story.peer.recv(0)
    assert story.conclusions("ERR-10") == SATISFIED


def test_what_is_closed_is_reset() -> None:
    story = aborted(closed())
    story.peer.recv(error="WSAECONNRESET")
    assert story.conclusions("ERR-10") == VIOLATED


def test_what_had_been_taken_before_shows_nothing() -> None:
    story = closed(acked=True)
    story.pdu(IUT, "RELEASE")
    story.peer.recv(100)
    story.peer.recv(0)
    assert story.conclusions("ERR-10") == NOTHING


@pytest.mark.parametrize(
    ("startup", "socket", "expected"),
    [("", "", SATISFIED), ("WSASYSNOTREADY", "", VIOLATED), ("", "WSANOTINITIALISED", VIOLATED)],
)
def test_a_new_startup(startup: str, socket: str, expected: set[Conclusion]) -> None:
    story = again(aborted(cleaned_up()), startup=startup, socket=socket)
    assert expected <= story.conclusions("ERR-10")
    assert (Conclusion.VIOLATED in story.conclusions("ERR-10")) is (expected == VIOLATED)


def test_the_last_of_two_cleanups_resets() -> None:
    story = aborted(counted("cleanup", cleaned_up(startups=1)))
    assert story.conclusions("ERR-10") == SATISFIED


def test_a_connection_of_the_instant_of_the_cleanup_may_have_come_after_it() -> None:
    story = counted("cleanup", at_once(Story(SERVICE_PROVIDER)))
    story.pdu(IUT, "RELEASE")
    assert story.conclusions("ERR-10") == NOTHING


@pytest.mark.parametrize("together", [False, True])
def test_what_is_closed_at_the_instant_of_the_cleanup_is_neither(together: bool) -> None:
    story = Story(SERVICE_PROVIDER)
    story.iut.send(100)
    close = story.iut.begin("close")
    counted("cleanup", at_once(story) if together else story)
    story.iut.finish(close)
    story.pdu(IUT, "DATA", bytes(range(100)))
    story.pdu(IUT, "RELEASE")
    story.peer.recv(100)
    story.peer.recv(0)
    assert story.conclusions("ERR-10") == (NOTHING if together else SATISFIED)


@pytest.mark.parametrize("together", [False, True])
def test_an_end_that_had_been_asked_for_may_still_come(together: bool) -> None:
    story = Story(SERVICE_PROVIDER)
    call = story.iut.begin("shutdown", how="send")
    counted("cleanup", at_once(story) if together else story)
    story.iut.finish(call)
    story.pdu(IUT, "RELEASE")
    assert story.conclusions("ERR-10") == NOTHING


def test_an_end_that_is_asked_for_later_excuses_nothing() -> None:
    story = cleaned_up()
    story.pdu(IUT, "RELEASE")
    story.iut.close(error="WSANOTINITIALISED")
    assert story.conclusions("ERR-10") == VIOLATED


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(("startup", "socket"), [("", ""), ("WSASYSNOTREADY", ""), ("", "WSANOTINITIALISED")])
def test_a_new_startup_at_once(startup: str, socket: str, together: bool) -> None:
    story = cleaned_up()
    counted("startup", at_once(story) if together else story, error=startup)
    if not startup:
        (at_once(story) if together else story).iut.call("socket", socket=None, error=socket, result={"socket": 9})
    assert story.conclusions("ERR-10") == (VIOLATED if startup or socket else SATISFIED)


def _startup(story: Story) -> None:
    counted("startup", story)


def _startup_unanswered(story: Story) -> None:
    story.iut.begin("startup", socket=None)


def _socket_before(story: Story) -> None:
    story.iut.call("socket", socket=None, error="WSANOTINITIALISED")
    counted("startup", story)


def _another_call(story: Story) -> None:
    counted("startup", story)
    story.iut.call("names", error="WSAENOTSOCK")


def _socket_alone(story: Story) -> None:
    story.iut.call("socket", socket=None, error="WSANOTINITIALISED")


@pytest.mark.parametrize("does", [_startup, _startup_unanswered, _socket_before, _another_call, _socket_alone])
def test_what_shows_nothing_of_a_new_startup(does: Callable[[Story], None]) -> None:
    story = counted("cleanup", cleaned_up(startups=1))
    does(story)
    assert story.conclusions("ERR-10") == NOTHING


# --- ERR-11 -----------------------------------------------------------------------------------------------------------


def started(*, startups: int = 2, cleanups: int = 2) -> Story:
    """Started up once by its agent, and so many times more; cleaned up so many times."""
    story = Story(SERVICE_PROVIDER)
    for _ in range(startups):
        counted("startup", story)
    for _ in range(cleanups):
        counted("cleanup", story)
    return story


def exchanged(story: Story) -> Story:
    story.iut.send(100)
    story.pdu(IUT, "DATA", bytes(range(100)))
    story.peer.recv(100)
    story.peer.send(50)
    story.pdu(PEER, "DATA", bytes(range(50)))
    story.iut.recv(50)
    return story


def test_sockets_live_until_the_last_cleanup() -> None:
    story = started()
    assert story.conclusions("ERR-11") == NOTHING
    exchanged(story)
    assert story.conclusions("ERR-11") == SATISFIED


def test_an_early_end_of_the_connection() -> None:
    story = aborted(started())
    assert story.conclusions("ERR-11") == VIOLATED


@pytest.mark.parametrize("error", ["WSANOTINITIALISED", "WSAENOTSOCK"])
@pytest.mark.parametrize("op", ["send", "recv", "names"])
def test_calls_that_know_of_no_provider(op: str, error: str) -> None:
    story = started()
    story.iut.call(op, error=error, length=10)
    assert story.conclusions("ERR-11") == VIOLATED


def test_after_the_last_cleanup_nothing_need_work() -> None:
    story = aborted(started(cleanups=3))
    story.iut.send(1, error="WSANOTINITIALISED")
    assert story.conclusions("ERR-11") == NOTHING


def test_without_a_cleanup_nothing_is_shown() -> None:
    assert exchanged(started(cleanups=0)).conclusions("ERR-11") == NOTHING


@pytest.mark.parametrize("op", ["startup", "cleanup"])
def test_a_startup_or_cleanup_that_is_refused(op: str) -> None:
    story = counted(op, started(cleanups=1), error="WSASYSNOTREADY")
    assert story.conclusions("ERR-11") == VIOLATED


def test_one_cleanup_too_many_may_be_refused() -> None:
    story = counted("cleanup", started(cleanups=3), error="WSANOTINITIALISED")
    assert story.conclusions("ERR-11") == NOTHING


def test_no_cleanup_need_be_refused_at_the_instant_of_the_last() -> None:
    story = started(cleanups=2)
    call = story.iut.begin("cleanup", socket=None)
    counted("cleanup", at_once(story), error="WSANOTINITIALISED")
    story.iut.finish(call)
    assert story.conclusions("ERR-11") == NOTHING


def test_a_cleanup_is_refused_though_there_was_none() -> None:
    assert counted("cleanup", started(cleanups=0), error="WSANOTINITIALISED").conclusions("ERR-11") == VIOLATED


def test_a_startup_is_refused_after_the_last_cleanup() -> None:
    assert counted("startup", started(cleanups=3), error="WSASYSNOTREADY").conclusions("ERR-11") == VIOLATED


@pytest.mark.parametrize("ends", [1, 2])
def test_whichever_cleanup_ends_the_connection(ends: int) -> None:
    story = started(cleanups=ends)
    aborted(story)
    for _ in range(2 - ends):
        counted("cleanup", story)
    assert story.conclusions("ERR-11") == VIOLATED


def test_what_is_shown_is_shown_of_the_cleanups_before() -> None:
    story = exchanged(started(cleanups=1))
    assert len(story.judge("ERR-11")) == 1
    assert len(exchanged(counted("cleanup", story)).judge("ERR-11")) == 1 + 1
    assert story.conclusions("ERR-11") == SATISFIED


@pytest.mark.parametrize("way", ["there", "back"])
def test_data_must_go_both_ways(way: str) -> None:
    story = started()
    if way == "there":
        story.iut.send(100)
        story.pdu(IUT, "DATA", bytes(range(100)))
        story.peer.recv(100)
    else:
        story.peer.send(50)
        story.pdu(PEER, "DATA", bytes(range(50)))
        story.iut.recv(50)
    assert story.conclusions("ERR-11") == NOTHING


def _closes(story: Story) -> None:
    story.iut.close()
    story.pdu(IUT, "RELEASE")
    story.iut.recv(error="WSAENOTSOCK")


def _closes_at_once(story: Story) -> None:
    call = story.iut.begin("close")
    at_once(story).iut.recv(error="WSAENOTSOCK")
    story.iut.finish(call)


def _fails_otherwise(story: Story) -> None:
    story.iut.recv(error="WSAEWOULDBLOCK")


@pytest.mark.parametrize("does", [_closes, _closes_at_once, _fails_otherwise])
def test_what_is_no_end_of_a_connection(does: Callable[[Story], None]) -> None:
    story = started()
    does(story)
    assert story.conclusions("ERR-11") == NOTHING


def test_a_connection_that_was_closed_before_is_no_matter() -> None:
    story = started(cleanups=0)
    story.iut.close()
    counted("cleanup", story)
    aborted(story)
    assert story.conclusions("ERR-11") == NOTHING


@pytest.mark.parametrize("after", [0, 1])
def test_a_call_at_the_instant_of_the_cleanups_return_must_work(after: int) -> None:
    story = started(cleanups=1)
    (story if after else at_once(story)).iut.recv(error="WSANOTINITIALISED")
    assert story.conclusions("ERR-11") == VIOLATED
