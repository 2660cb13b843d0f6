# SPDX-License-Identifier: MIT
"""The judge of what was accepted before a goodbye, and DisconnectEx: all of it is delivered, once, or it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.oracle.findings import Conclusion
from tests.oracle.story import IUT, PATIENCE, PEER, UNIX_SEQPACKET, WINDOWS_TCP, Story, wireless

SATISFIED, VIOLATED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}
UNDETERMINED, NOTHING = {Conclusion.UNDETERMINED}, set[Conclusion]()


# --- INIT-SHUT-08 -----------------------------------------------------------------------------------------------------


def _sent(make: Callable[[], Story] = Story, length: int = 10, **fin: int) -> Story:
    """The IUT sends, and ends by shutdown; the link carries all of it, or `carried` bytes."""
    story = make()
    story.iut.send(length)
    story.iut.shutdown("send")
    if story.header.wire:
        story.data(IUT, fin.get("carried", length))
        story.fin(IUT)
    return story


@pytest.mark.parametrize("make", [Story, wireless, lambda: Story(UNIX_SEQPACKET)])
def test_everything_accepted_comes_before_the_end(make: Callable[[], Story]) -> None:
    story = _sent(make)
    story.peer.recv(10)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == SATISFIED


def test_a_close_delivers_what_was_accepted() -> None:
    story = wireless()
    story.iut.send(10)
    story.iut.close()
    story.peer.recv(4)
    story.peer.recv(6, offset=4)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == SATISFIED


def test_the_end_overtakes_data_on_the_link() -> None:
    story = _sent(carried=6)
    story.peer.recv(6)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == VIOLATED


def test_the_end_overtakes_data_without_a_link() -> None:
    story = _sent(wireless)
    story.peer.recv(6)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == VIOLATED


@pytest.mark.parametrize("make", [Story, wireless])
@pytest.mark.parametrize("refused", [None, "EAGAIN"])
def test_what_was_sent_comes_once(make: Callable[[], Story], refused: str | None) -> None:
    story = make()
    story.iut.send(10)
    if refused:
        story.iut.send(10, error=refused)
    story.iut.shutdown("send")
    if story.header.wire:
        story.data(IUT, 20)
        story.fin(IUT)
    story.peer.recv(10)
    story.peer.recv(10)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == VIOLATED


@pytest.mark.parametrize("how", [{"timeout": True}, {"error": "EIO"}])
def test_how_much_a_send_took_that_failed_nobody_knows(how: dict[str, Any]) -> None:
    story = Story()
    story.iut.send(10)
    story.iut.send(10, **how)
    story.iut.shutdown("send")
    story.data(IUT, 20)
    story.fin(IUT)
    story.peer.recv(10)
    story.peer.recv(10)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == NOTHING


def test_the_bytes_are_not_those_that_were_sent() -> None:
    story = _sent(wireless)
    story.peer.recv(10, offset=1)
    assert story.conclusions("INIT-SHUT-08") == VIOLATED


def test_what_the_link_carried_whole_the_peer_lost_itself() -> None:
    story = _sent()
    story.peer.recv(6)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == NOTHING


def test_a_reset_discards_what_was_accepted() -> None:
    story = Story()
    story.iut.send(10)
    story.iut.shutdown("send")
    story.data(IUT, 4)
    story.rst(IUT)
    story.peer.recv(4)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-SHUT-08") == VIOLATED


@pytest.mark.parametrize("make", [Story, wireless])
def test_the_rest_never_comes(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.send(10)
    story.iut.shutdown("send")
    if story.header.wire:
        story.data(IUT, 4)
    story.peer.recv(4)
    story.peer.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions("INIT-SHUT-08") == VIOLATED


@pytest.mark.parametrize("make", [Story, wireless])
def test_a_later_abort_excuses_the_loss(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.send(10)
    story.iut.shutdown("send")
    story.iut.linger(0)
    story.iut.close()
    if story.header.wire:
        story.rst(IUT)
    story.peer.recv(4)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-SHUT-08") == NOTHING


@pytest.mark.parametrize("make", [Story, wireless])
def test_an_abortive_close_promises_no_delivery(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.send(10)
    story.iut.linger(0)
    story.iut.close()
    if story.header.wire:
        story.rst(IUT)
    story.peer.recv(error="ECONNRESET")
    assert Conclusion.VIOLATED not in story.conclusions("INIT-SHUT-08")


@pytest.mark.parametrize("make", [Story, wireless])
def test_a_close_with_data_unread_promises_no_delivery(make: Callable[[], Story]) -> None:
    story = make()
    story.peer.send(3)
    if story.header.wire:
        story.data(PEER, 3)
    story.iut.send(10)
    story.iut.close()
    if story.header.wire:
        story.rst(IUT)
    story.peer.recv(error="ECONNRESET")
    assert Conclusion.VIOLATED not in story.conclusions("INIT-SHUT-08")


def test_data_that_meets_a_closed_end_may_be_reset() -> None:
    story = Story()
    story.iut.send(10)
    story.iut.close()
    story.data(IUT, 4)
    story.data(PEER, 3, acked=False)
    story.rst(IUT)
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-SHUT-08") == NOTHING


def test_death_excuses_the_loss() -> None:
    story = _sent(wireless)
    story.iut.dies()
    story.peer.recv(4)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == NOTHING


def test_with_packets_lost_a_missing_rest_decides_nothing() -> None:
    story = Story(lost=1)
    story.iut.send(10)
    story.iut.shutdown("send")
    story.peer.recv(4)
    story.peer.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions("INIT-SHUT-08") == UNDETERMINED


def test_a_peer_that_only_waits_from_the_start_shows_it_too() -> None:
    story = wireless()
    story.iut.send(10)
    story.iut.shutdown("send")
    story.peer.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions("INIT-SHUT-08") == VIOLATED


def test_a_send_under_way_is_not_counted() -> None:
    story = wireless()
    story.iut.begin("send", pattern={"seed": 0, "length": 10})
    story.iut.shutdown("send")
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == NOTHING


@pytest.mark.parametrize(
    ("on", "seconds", "takes", "expected"),
    [
        (True, 2, 1799, VIOLATED),
        (True, 2, 1800, NOTHING),
        (True, 2, 2001, NOTHING),
        (False, 0, 2000, VIOLATED),
        (False, 2, 2001, VIOLATED),
    ],
)
def test_a_close_may_abort_when_its_linger_time_is_over(
    on: bool, seconds: int, takes: int, expected: set[Conclusion]
) -> None:
    story = wireless()
    story.iut.send(10)
    story.iut.linger(seconds, on=on)
    story.iut.close(takes=takes)
    story.peer.recv(4)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == expected


def test_a_shutdown_has_no_linger_time() -> None:
    story = wireless()
    story.iut.send(10)
    story.iut.linger(2)
    story.iut.shutdown("send", takes=3000)
    story.peer.recv(4)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == VIOLATED


@pytest.mark.parametrize(("how", "expected"), [("send", VIOLATED), ("both", NOTHING)])
def test_what_is_unread_excuses_only_an_end_that_stops_reading(how: str, expected: set[Conclusion]) -> None:
    story = wireless()
    story.peer.send(3)
    story.iut.send(10)
    story.iut.shutdown(how)
    story.peer.recv(4)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == expected


@pytest.mark.parametrize("length", [None, 0])
def test_where_nothing_was_sent_nothing_is_delivered(length: int | None) -> None:
    story = wireless()
    if length is not None:
        story.iut.send(length)
    story.iut.shutdown("send")
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == NOTHING


def test_a_shutdown_that_failed_promises_no_delivery() -> None:
    story = wireless()
    story.iut.send(10)
    story.iut.shutdown("send", error="EIO")
    story.peer.recv(4)
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-08") == NOTHING


# --- DisconnectEx -----------------------------------------------------------------------------------------------------


def test_disconnect_ex_is_a_graceful_shutdown() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.send(10)
    story.data(IUT, 10)
    story.iut.call("disconnect_ex", reuse=False)
    story.fin(IUT)
    story.peer.recv(10)
    story.peer.recv(0)
    for requirement in ("INIT-SHUT-08", "WIRE-FIN-01"):
        assert story.conclusions(requirement) == {Conclusion.SATISFIED}
    for requirement in ("INIT-SHUT-01", "INIT-CLOSE-01", "INIT-SDISC-01", "IND-FDC-08"):
        assert story.conclusions(requirement) == set()


@pytest.mark.parametrize(("reuse", "expected"), [(False, {Conclusion.VIOLATED}), (True, set())])
def test_what_disconnect_ex_loses(reuse: bool, expected: set[Conclusion]) -> None:
    story = Story(WINDOWS_TCP)
    story.iut.send(10)
    story.iut.call("disconnect_ex", reuse=reuse)
    story.fin(IUT)
    story.peer.recv(0)
    assert story.conclusions("INIT-SHUT-08") == expected


def test_after_disconnect_ex_receives_are_nobodys() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.call("disconnect_ex", reuse=True)
    story.fin(IUT)
    story.iut.recv(error="WSAENOTCONN")
    story.peer.shutdown("send")
    story.fin(PEER)
    story.iut.recv(error="WSAENOTCONN")
    for requirement in ("IND-STREAM-01", "IND-STREAM-03", "INIT-SHUT-06"):
        assert Conclusion.VIOLATED not in story.conclusions(requirement)
