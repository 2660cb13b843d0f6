# SPDX-License-Identifier: MIT
"""What judges make of a link that tells units instead of segments: as good a witness, and never taken for TCP's."""

from __future__ import annotations

import pytest

from conformance.oracle.departing import brought_about, first_goodbye, intact, sign_of_an_end, unread
from conformance.oracle.findings import Conclusion
from conformance.oracle.link import may_time_out
from conformance.trace.events import Fate, Pdu
from tests.oracle.story import IUT, KERNEL_TCP, PEER, REFERENCE, REFERENCE_STREAM, Story

SATISFIED, VIOLATED, UNDETERMINED = Conclusion.SATISFIED, Conclusion.VIOLATED, Conclusion.UNDETERMINED


def told(story: Story, op: str = "shutdown") -> str | None:
    """What the IUT's goodbye brought about."""
    connection = story.connection()
    call = first_goodbye(connection, op)
    assert call is not None
    observed = brought_about(connection, call)
    return None if observed is None else observed.told


def test_a_release_after_the_goodbye_is_a_graceful_end() -> None:
    story = Story(REFERENCE)
    story.iut.shutdown()
    story.pdu(IUT, "RELEASE", flags=0)
    assert told(story) == "GRACEFUL"
    sign = sign_of_an_end(story.connection(), 0, story.now + 1)
    assert sign is not None and sign.seen == "the IUT sent RELEASE"


@pytest.mark.parametrize("by", ["ABORT", "FIN", "RST"])
def test_an_abort_after_the_goodbye_is_none(by: str) -> None:
    story = Story(REFERENCE)
    story.iut.shutdown()
    match by:
        case "ABORT":
            story.pdu(IUT, "ABORT", reason=0)
        case "FIN":
            story.fin(IUT)
        case _:
            story.rst(IUT)
    assert told(story) == "ABORT_REMOTE"


def test_an_abort_that_something_else_may_have_brought_about_is_not_the_goodbyes() -> None:
    for provoke in ("data", "abort", "option"):
        story = Story(REFERENCE)
        match provoke:
            case "data":
                story.pdu(PEER, "DATA", b"unread", flags=1)
            case "option":
                story.iut.call("set_option", name="USER_TIMEOUT", value=100)
        story.iut.shutdown("both")
        if provoke == "abort":
            story.pdu(PEER, "ABORT", reason=0)
        story.pdu(IUT, "ABORT", reason=1)
        assert told(story) is None, provoke


def test_an_end_before_the_goodbye_is_not_its_doing() -> None:
    story = Story(REFERENCE)
    story.pdu(IUT, "RELEASE", flags=0)
    story.iut.shutdown()
    assert told(story) is None


def test_nothing_came_if_the_link_shows_that_all_before_had_arrived() -> None:
    for acked, expected in ((True, "NO_INDICATION"), (False, None)):
        story = Story(REFERENCE)
        story.iut.send(4)
        story.pdu(IUT, "DATA", b"good", flags=1, acked=acked)
        story.peer.recv(4)
        story.iut.shutdown()
        story.peer.recv(timeout=True, takes=2000, wait_ms=2000)
        assert told(story) == expected


def test_unread_is_what_units_carried() -> None:
    story = Story(REFERENCE_STREAM)
    assert not unread(story.connection(), story.now)
    story.peer.send(4)
    story.pdu(PEER, "DATA", b"good", flags=1)
    assert unread(story.connection(), story.now)
    story.iut.recv(4)
    assert not unread(story.connection(), story.now)


def test_an_abort_breaks_the_connection_and_a_release_does_not() -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "RELEASE", flags=0)
    assert intact(story.connection(), story.now)
    story.pdu(PEER, "ABORT", reason=0)
    assert not intact(story.connection(), story.now)


def test_a_link_that_was_meddled_with_may_time_out() -> None:
    story = Story(REFERENCE)
    assert not may_time_out(story.connection())
    story.segment(PEER, "PA", 6, fate=Fate.DROPPED)
    story.add(Pdu(at=story.now, sender=PEER, name="RELEASE", upto=6, fields={"flags": 0}))
    assert may_time_out(story.connection())


def test_a_link_that_cannot_be_read_is_unseen_and_one_of_units_is_not() -> None:
    for lost in (0, 1):
        story = Story(REFERENCE, lost=lost)
        story.iut.shutdown()
        story.pdu(IUT, "RELEASE", flags=0)
        assert story.connection().unseen is bool(lost)
        assert told(story) == (None if lost else "GRACEFUL")


def test_an_end_that_the_peer_only_tried_to_send_is_invented_if_the_link_shows_none() -> None:
    story = Story(REFERENCE)
    story.peer.shutdown()
    story.iut.recv(error="WSAEDISCON")
    assert VIOLATED in story.conclusions("IND-MSG-01")
    story = Story(REFERENCE)
    story.peer.shutdown()
    story.pdu(PEER, "RELEASE", flags=0)
    story.iut.recv(error="WSAEDISCON")
    assert story.conclusions("IND-MSG-01") == {SATISFIED}


def test_judges_of_tcp_are_not_shown_units() -> None:
    for provider in (KERNEL_TCP, REFERENCE):
        story = Story(provider, exercises=("WIRE-FIN-01",))
        story.iut.shutdown()
        story.fin(IUT)
        conclusions = {finding.requirement for finding in story.judge("WIRE-FIN-01")}
        assert bool(conclusions) is (provider is KERNEL_TCP)


@pytest.mark.parametrize("breach", ["data", "abort", "fin"])
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("WSAECONNRESET", "WSAECONNRESET"), {SATISFIED}),
        (("WSAEDISCON", "WSAECONNRESET"), {SATISFIED}),
        (("WSAEDISCON", "WSAEDISCON"), {VIOLATED}),
        (("WSAECONNRESET", "WSAEDISCON"), {VIOLATED}),
        ((), set()),
    ],
)
def test_an_abort_after_the_release_is_told_from_then_on(
    breach: str, words: tuple[str, ...], expected: set[Conclusion]
) -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "RELEASE", b"last", flags=1)
    match breach:
        case "data":
            story.pdu(PEER, "DATA", b"more", flags=1)
        case "abort":
            story.pdu(PEER, "ABORT", reason=0)
        case _:
            story.fin(PEER)
    story.settle()
    for error in words:
        story.iut.recv(error=error)
    assert story.conclusions("IND-ABORT-02") == expected


def test_a_word_of_the_end_before_the_abort_is_no_breach() -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "RELEASE", flags=0)
    story.iut.recv(error="WSAEDISCON")
    story.pdu(PEER, "ABORT", reason=0)
    assert story.conclusions("IND-ABORT-02") == set()
