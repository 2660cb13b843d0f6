# SPDX-License-Identifier: MIT
"""Posted operations in the history: what a posted send comes to, whose a completion is, when all is cleaned up."""

from __future__ import annotations

from conformance.trace.direction import EndKind
from conformance.trace.events import Outcome
from conformance.trace.pattern import pattern
from conformance.trace.posted import cleanups_of, failed_at_once
from tests.oracle.story import IUT, PEER, SERVICE_PROVIDER, WINDOWS_TCP, Story


def test_a_posted_send_lasts_until_its_completion() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.post_send("r1", 10)
    story.wait(100)
    story.iut.sent("r1", 10)
    (send,) = story.connection().iut.sends
    assert (send.op, send.outcome, send.result) == ("post_send", Outcome.RESULT, {"length": 10})
    assert send.took > 100_000_000
    assert len(send.events) == 3
    assert story.connection().iut_to_peer.stream == pattern(0, 10)


def test_one_that_never_completes_was_never_answered() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.post_send("r1", 10)
    (send,) = story.connection().iut.sends
    assert (send.outcome, send.returned, send.result) == (Outcome.UNANSWERED, None, {})
    assert story.connection().iut_to_peer.stream == b""


def test_one_that_fails_by_its_completion_did_not_fail_at_once() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.post_send("r1", 10)
    story.iut.post_send("r2", 10, error="WSAESHUTDOWN")
    story.iut.sent("r1", error="WSAECONNRESET")
    first, second = story.connection().iut.sends
    assert (first.told, failed_at_once(first)) == ("ECONNRESET", False)
    assert (second.told, failed_at_once(second)) == ("ESHUTDOWN", True)


def test_completions_that_nobody_is_owed() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.post("r1")
    story.iut.call("post_recv", length=10, error="WSAESHUTDOWN")
    story.iut.completes("r1")
    for token in ("r1", "r2", "unasked"):
        story.iut.completes(token)
    assert [stray.token for stray in story.connection().iut.strays] == ["r1", "r2", "unasked"]
    assert len(story.connection().iut.reports) == 1
    assert story.connection().peer.strays == ()


def test_disconnect_ex_ends_both_directions() -> None:
    story = Story(WINDOWS_TCP, wire=False)
    story.peer.call("disconnect_ex", reuse=False)
    side = story.connection().peer
    assert side.ending is not None and side.ending.op == "disconnect_ex"
    assert side.stopped_receiving_at == side.ending.entered
    assert story.connection().peer_to_iut.ending.kind is EndKind.GRACEFUL


def test_a_null_pointer_is_neither_data_nor_unreadable() -> None:
    story = Story(SERVICE_PROVIDER)
    story.iut.send_disconnect()
    story.iut.send_disconnect(b"")
    story.iut.call("send_disconnect", unreadable=True, error="WSAEFAULT")
    assert [o.has_no_data for o in story.connection().iut.operations] == [True, False, False]


def test_cleanups_are_counted_from_the_agents_own_startup() -> None:
    story = Story(SERVICE_PROVIDER)
    for op, error in (("startup", ""), ("startup", "WSASYSNOTREADY"), ("cleanup", ""), ("cleanup", "WSAENETDOWN")):
        story.iut.call(op, socket=None, error=error)
    assert [cleanup.left for cleanup in cleanups_of(story.history().operations, IUT)] == [1]
    assert story.connection().iut.gone_at is None
    story.iut.call("cleanup", socket=None)
    assert [cleanup.left for cleanup in cleanups_of(story.history().operations, IUT)] == [1, 0]
    assert story.connection().iut.gone_at == story.history().operations[-1].entered
    assert list(cleanups_of(story.history().operations, PEER)) == []
    assert story.connection().peer.gone_at is None


def test_a_socket_made_after_the_last_cleanup_lives() -> None:
    story = Story(SERVICE_PROVIDER, connected=False)
    story.iut.call("cleanup", socket=None)
    story.iut.call("startup", socket=None)
    later = Story(SERVICE_PROVIDER)
    later.events[:0] = story.events
    assert later.connection().iut.gone_at is None
