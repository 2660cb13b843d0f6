# SPDX-License-Identifier: MIT
"""The judges of closes with linger as Winsock alone asks for them, with data that cannot be sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.oracle.findings import Conclusion
from tests.oracle.story import IUT, KERNEL_TCP, PEER, REFERENCE_STREAM, Story
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


def test_it_never_returns() -> None:
    story = stuck()
    story.iut.close(takes=2500, timeout=True)
    assert story.conclusions("INIT-CLOSE-06") == UNDETERMINED
    story = stuck()
    story.iut.close(takes=4000, timeout=True)
    assert story.conclusions("INIT-CLOSE-06") == VIOLATED


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


REMEDIES = pytest.mark.parametrize("remedy", [_linger_off, _linger_zero, _shutdown])


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


@pytest.mark.parametrize("remedy", [_nothing, _more_linger, _receiving])
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
