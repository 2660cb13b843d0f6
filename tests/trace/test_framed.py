# SPDX-License-Identifier: MIT
"""How a direction of a transport with units of its own ended: each rule, and what is just not it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from conformance.trace.direction import Direction, EndKind
from conformance.trace.events import End, Fate, Pdu, Segment
from conformance.trace.history import Connection
from tests.oracle.story import IUT, PEER, REFERENCE, REFERENCE_PSEUDO_STREAM, REFERENCE_STREAM, Story, statement

WEBSOCKET = statement("websocket", "MESSAGE_ORIENTED", family="runtime", platform=None)


def told(story: Story) -> Direction:
    """The peer's direction, which is looked at most."""
    return story.connection().peer_to_iut


def kinds(story: Story) -> tuple[EndKind, EndKind]:
    """How the IUT's and the peer's direction ended."""
    connection = story.connection()
    return connection.iut_to_peer.ending.kind, connection.peer_to_iut.ending.kind


def release(story: Story, sender: End, data: bytes = b"", **options: Any) -> None:
    story.pdu(sender, "RELEASE", data, flags=int(bool(data)), **options)


def number(story: Story, name: str) -> int:
    return next(event.n for event in story.trace().events if isinstance(event, Pdu) and event.name == name)


def test_a_framed_direction_shows_no_segments_to_those_who_judge_tcp() -> None:
    story = Story(REFERENCE)
    release(story, PEER)
    direction = told(story)
    assert direction.framed and direction.witnessed and not direction.visible
    assert not direction.passages and not direction.fins and not direction.resets
    assert [unit.name for unit in direction.units] == ["RELEASE"]
    assert not story.connection().unseen


def test_a_release_ends_gracefully_once_it_came_and_certainly_once_it_was_acknowledged() -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "DATA", b"goodbye", flags=1)
    release(story, PEER, b"42", acked=False)
    came = story.now
    assert told(story).ending.certain_at is None
    story.segment(IUT, "A")
    ending = told(story).ending
    assert (ending.kind, ending.at, ending.certain_at, ending.reset_at) == (EndKind.GRACEFUL, came, story.now, None)
    assert ending.events[0] == number(story, "RELEASE")
    assert kinds(story)[0] is EndKind.OPEN


def test_without_a_release_the_direction_is_open() -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "DATA", b"goodbye", flags=1)
    assert kinds(story) == (EndKind.OPEN, EndKind.OPEN)
    assert told(story).total is None


def test_an_abort_aborts_for_both() -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "ABORT", reason=0)
    story.fin(PEER)
    story.fin(IUT)
    assert kinds(story) == (EndKind.ABORTED_BY_RECEIVER, EndKind.ABORTED_BY_SENDER)
    ending = told(story).ending
    assert ending.events == (number(story, "ABORT"),)
    assert ending.at == ending.reset_at
    assert ending.certain_at is not None


def test_what_is_malformed_aborts_and_the_answer_to_it_changes_nothing() -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "MALFORMED", problem="the version of TPKT is 4, not 3")
    story.pdu(IUT, "ABORT", reason=1)
    assert kinds(story) == (EndKind.ABORTED_BY_RECEIVER, EndKind.ABORTED_BY_SENDER)


@pytest.mark.parametrize("by", ["FIN", "RST"])
def test_tcp_that_ends_before_the_release_aborts(by: str) -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "DATA", b"goodbye", flags=1)
    (story.fin if by == "FIN" else story.rst)(PEER)
    ending = told(story).ending
    assert ending.kind is EndKind.ABORTED_BY_SENDER
    assert ending.certain_at is not None
    assert [f.name for f in told(story).farewells] == [by]


@pytest.mark.parametrize("by", ["FIN", "RST"])
def test_tcp_that_ends_between_the_releases_is_an_abort_after_the_end(by: str) -> None:
    story = Story(REFERENCE)
    release(story, PEER)
    came = told(story).ending.at
    (story.fin if by == "FIN" else story.rst)(PEER)
    ending = told(story).ending
    assert (ending.kind, ending.at) == (EndKind.RESET_AFTER_END, came)
    assert ending.reset_at is not None and ending.reset_at > (came or 0)
    release(story, IUT)
    assert kinds(story) == (EndKind.ABORTED_BY_RECEIVER, EndKind.RESET_AFTER_END)


@pytest.mark.parametrize("by", ["FIN", "RST", "ABORT", "DATA", "MALFORMED"])
def test_after_both_releases_nothing_means_anything(by: str) -> None:
    story = Story(REFERENCE)
    release(story, PEER)
    release(story, IUT)
    match by:
        case "FIN":
            story.fin(PEER)
        case "RST":
            story.rst(PEER)
        case _:
            story.pdu(PEER, by, problem="nonsense" if by == "MALFORMED" else "", flags=1)
    assert kinds(story) == (EndKind.GRACEFUL, EndKind.GRACEFUL)
    assert told(story).ending.reset_at is None
    assert [f.graceful for f in told(story).farewells] == [True]


@pytest.mark.parametrize("late", ["DATA", "RELEASE", "ABORT"])
def test_what_may_not_follow_a_release_aborts_after_the_end(late: str) -> None:
    story = Story(REFERENCE)
    release(story, PEER)
    story.pdu(PEER, late, b"x", flags=1)
    assert told(story).ending.kind is EndKind.RESET_AFTER_END
    assert told(story).total == 0


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("provider", [REFERENCE, REFERENCE_STREAM, REFERENCE_PSEUDO_STREAM])
def test_a_release_within_a_message_is_a_breach_where_messages_have_ends(provider: Any, whole: bool) -> None:
    story = Story(provider)
    story.pdu(PEER, "DATA", b"good", whole=whole, flags=int(whole))
    release(story, PEER)
    breach = provider is REFERENCE and not whole
    assert told(story).ending.kind is (EndKind.ABORTED_BY_SENDER if breach else EndKind.GRACEFUL)


def test_whoever_aborts_first_aborts() -> None:
    story = Story(REFERENCE)
    story.pdu(IUT, "ABORT", reason=0)
    release(story, PEER)
    story.rst(PEER)
    assert kinds(story) == (EndKind.ABORTED_BY_SENDER, EndKind.ABORTED_BY_RECEIVER)


def test_a_receiver_that_aborts_after_the_end_does_not_take_it_back() -> None:
    story = Story(REFERENCE)
    release(story, PEER)
    story.rst(IUT)
    assert kinds(story) == (EndKind.ABORTED_BY_SENDER, EndKind.GRACEFUL)


def test_a_receiver_that_leaves_after_its_release_aborts_what_still_comes() -> None:
    story = Story(REFERENCE)
    release(story, IUT)
    story.fin(IUT)
    story.pdu(PEER, "DATA", b"more", flags=1)
    assert kinds(story) == (EndKind.RESET_AFTER_END, EndKind.ABORTED_BY_RECEIVER)


def test_a_dropped_release_has_not_come_and_comes_when_it_is_sent_again() -> None:
    story = Story(REFERENCE)
    story.segment(PEER, "PA", 6, fate=Fate.DROPPED)
    story.add(Pdu(at=story.now, sender=PEER, name="RELEASE", upto=6, fields={"flags": 0}))
    assert told(story).ending.kind is EndKind.OPEN
    assert [f.name for f in told(story).farewells] == ["RELEASE"]
    assert told(story).meddled
    story.segment(PEER, "PA", 6, start=0)
    ending = told(story).ending
    assert (ending.kind, ending.at) == (EndKind.GRACEFUL, story.now)


def test_a_release_that_is_held_comes_when_it_is_let_go() -> None:
    story = Story(REFERENCE)
    story.segment(PEER, "PA", 6, fate=Fate.HELD, delivered_at=story.now + 500_000_000)
    held_until = story.now - 1_000_000 + 500_000_000
    story.add(Pdu(at=story.now, sender=PEER, name="RELEASE", upto=6, fields={"flags": 0}))
    assert told(story).ending.at == held_until


def test_carried_and_sent_count_user_data() -> None:
    story = Story(REFERENCE_STREAM)
    before = story.now
    story.pdu(PEER, "DATA", b"good", flags=1)
    first = story.now
    story.pdu(PEER, "DATA", b"bye", flags=1)
    release(story, PEER, b"farewell")
    direction = told(story)
    assert [direction.carried_by(at) for at in (before, first, story.now)] == [0, 4, 7]
    assert [direction.sent_by(at) for at in (before, first, story.now)] == [0, 4, 7]
    assert direction.total == 7


def test_of_a_unit_that_came_in_part_its_last_octets_are_missing() -> None:
    story = Story(REFERENCE_STREAM)
    story.segment(PEER, "PA", 8)
    half = story.now
    story.segment(PEER, "PA", 2)
    story.add(Pdu(at=story.now, sender=PEER, name="DATA", upto=10, length=4, data=b"good", fields={"flags": 1}))
    direction = told(story)
    assert (direction.carried_by(half), direction.sent_by(half)) == (2, 0)
    assert (direction.carried_by(story.now), direction.sent_by(story.now)) == (4, 4)


def test_acknowledgements_count_user_data_and_the_release_for_one() -> None:
    story = Story(REFERENCE_STREAM)
    story.pdu(PEER, "DATA", b"good", flags=1)
    story.segment(PEER, "PA", 8)
    story.add(Pdu(at=story.now, sender=PEER, name="DATA", upto=18, length=2, data=b"by", fields={"flags": 1}))
    story.segment(IUT, "A", ack=17)
    story.segment(IUT, "A")
    release(story, PEER, b"farewell")
    direction = told(story)
    assert [a.upto for a in direction.acknowledgements] == [0, 4, 5, 6, 7]
    assert direction.acknowledged(7) is not None
    assert direction.acknowledged(8) is None


def test_missing_octets_make_the_ends_not_known_with_the_reason() -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "DATA", b"good", flags=1)
    story.segment(IUT, "A")
    story.add(Pdu(at=story.now, sender=PEER, name="UNREADABLE", upto=10, problem="the capture kept 3 of 9 octets"))
    connection = story.connection()
    for direction in (connection.iut_to_peer, connection.peer_to_iut):
        assert direction.ending.kind is EndKind.NOT_KNOWN
        assert "3 of 9" in direction.ending.reason
        assert not direction.framed
    assert connection.unseen


def test_lost_packets_make_the_ends_not_known_with_the_reason() -> None:
    story = Story(REFERENCE, lost=2)
    release(story, PEER)
    assert kinds(story) == (EndKind.NOT_KNOWN, EndKind.NOT_KNOWN)
    assert "lost 2" in told(story).ending.reason


def test_a_capture_that_saw_nothing_knows_nothing() -> None:
    story = Story(REFERENCE)
    story.events = [event for event in story.events if not isinstance(event, Segment)]
    assert kinds(story) == (EndKind.NOT_KNOWN, EndKind.NOT_KNOWN)


def raw(story: Story) -> Connection:
    story.header = msgspec.structs.replace(story.header, raw_peer=True)
    return story.connection()


def test_a_peer_that_writes_units_itself_offers_what_they_carry() -> None:
    story = Story(REFERENCE)
    story.peer.send(26)
    story.pdu(PEER, "DATA", b"good", whole=False, flags=0)
    story.pdu(PEER, "DATA", b"bye", flags=1)
    story.pdu(PEER, "DATA", b"", flags=1)
    assert raw(story).peer_to_iut.offered == (b"goodbye", b"")


def test_what_the_trace_does_not_keep_of_such_a_peer_is_not_known() -> None:
    story = Story(REFERENCE)
    story.data(PEER, 5006, acked=False)
    story.add(Pdu(at=story.now, sender=PEER, name="DATA", upto=5006, length=5000, data=bytes(4096)))
    assert story.connection().peer_to_iut.framed
    assert raw(story).peer_to_iut.ending.kind is EndKind.NOT_KNOWN


@pytest.mark.parametrize("code", [None, 1000, 1001])
def test_a_close_of_websocket_without_a_complaint_is_graceful(code: int | None) -> None:
    story = Story(WEBSOCKET)
    story.pdu(PEER, "CLOSE", code=code, reason="")
    story.pdu(IUT, "CLOSE", code=code, reason="")
    story.fin(PEER)
    assert kinds(story) == (EndKind.GRACEFUL, EndKind.GRACEFUL)


def test_a_close_of_websocket_with_another_code_is_not_known() -> None:
    story = Story(WEBSOCKET)
    story.pdu(PEER, "CLOSE", code=1011, reason="")
    assert told(story).ending.kind is EndKind.NOT_KNOWN
    assert "1011" in told(story).ending.reason


def test_websocket_without_a_close_is_aborted_by_the_end_of_tcp_and_by_what_is_malformed() -> None:
    story = Story(WEBSOCKET)
    story.pdu(PEER, "TEXT", b"good")
    story.fin(PEER)
    assert told(story).ending.kind is EndKind.ABORTED_BY_SENDER
    story = Story(WEBSOCKET)
    story.pdu(PEER, "MALFORMED", problem="a reserved bit")
    assert told(story).ending.kind is EndKind.ABORTED_BY_SENDER


def test_what_follows_a_close_of_websocket_is_not_heard() -> None:
    story = Story(WEBSOCKET)
    story.pdu(PEER, "TEXT", b"good", whole=False)
    story.pdu(PEER, "CLOSE", code=1000, reason="")
    story.pdu(PEER, "MALFORMED", problem="a reserved bit")
    assert told(story).ending.kind is EndKind.GRACEFUL
    assert told(story).total == 4


def test_of_compressed_units_the_calls_tell_how_much_they_carry() -> None:
    story = Story(WEBSOCKET)
    story.peer.send(100)
    story.pdu(PEER, "BINARY", b"packed", compressed=True)
    story.pdu(PEER, "CLOSE", code=1000, reason="")
    direction = told(story)
    assert (direction.total, direction.carried_by(story.now), direction.sent_by(story.now)) == (100, 100, 100)
    assert raw(story).peer_to_iut.ending.kind is EndKind.NOT_KNOWN


# --- without a capture, by calls ------------------------------------------------------------------------------------


def test_without_a_link_linger_zero_aborts_on_reference_and_is_not_known_on_websocket() -> None:
    for provider, kind in ((REFERENCE, EndKind.ABORTED_BY_SENDER), (WEBSOCKET, EndKind.NOT_KNOWN)):
        story = Story(provider, wire=False)
        story.peer.linger(0)
        story.peer.close()
        assert told(story).ending.kind is kind
        assert not told(story).framed


def test_without_a_link_death_is_an_abort_and_a_close_is_not() -> None:
    for provider in (REFERENCE, WEBSOCKET):
        story = Story(provider, wire=False)
        story.peer.dies()
        assert told(story).ending.kind is EndKind.ABORTED_BY_SENDER
        story = Story(provider, wire=False)
        story.peer.close()
        assert told(story).ending.kind is EndKind.GRACEFUL


def test_without_a_link_nobody_knows_what_death_did_to_a_release() -> None:
    story = Story(REFERENCE, wire=False)
    story.peer.send_disconnect(b"bye")
    assert told(story).ending.kind is EndKind.GRACEFUL
    story.peer.dies()
    assert told(story).ending.kind is EndKind.NOT_KNOWN
