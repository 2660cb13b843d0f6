# SPDX-License-Identifier: MIT
"""The judges of startups and cleanups: the last cleanup ends what is open, and the others end nothing."""

from __future__ import annotations

import pytest

from conformance.oracle.findings import Conclusion
from tests.oracle.story import IUT, PEER, SERVICE_PROVIDER, Story

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
