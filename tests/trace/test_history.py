# SPDX-License-Identifier: MIT
"""The history of a case: which connections it had, and which segments were theirs."""

from __future__ import annotations

from msgspec.structs import replace

from conformance.trace.direction import EndKind
from conformance.trace.events import Established, Noted, Segment
from tests.oracle.story import IUT, PEER, Story


def test_a_case_without_a_connection_has_none() -> None:
    assert Story(connected=False).history().connections == ()


def test_a_connection_knows_its_two_ends() -> None:
    connection = Story().connection()
    assert connection.side(IUT) is connection.iut
    assert connection.from_(PEER).sender is connection.peer
    assert connection.from_(PEER).receiver is connection.iut


def test_notes_are_found_by_kind() -> None:
    story = Story()
    story.add(Noted(at=story.tick(), what="settled"))
    story.add(Noted(at=story.tick(), what="released"))
    assert [note.what for note in story.history().notes("settled")] == ["settled"]
    assert story.connection().waits == (story.now - 1_000_000,)


def test_the_implementation_may_be_the_server() -> None:
    story = Story()
    place = next(i for i, event in enumerate(story.events) if isinstance(event, Established))
    established = story.events[place]
    assert isinstance(established, Established)
    story.events[place] = replace(established, client=PEER)
    story.fin(PEER)
    for i, event in enumerate(story.events):
        if isinstance(event, Segment):
            ports = {"source_port": event.destination_port, "destination_port": event.source_port}
            story.events[i] = replace(event, **ports)
    assert story.connection().peer_to_iut.ending.kind is EndKind.GRACEFUL


def test_segments_between_other_ports_are_another_connection_s() -> None:
    story = Story()
    story.fin(PEER)
    story.events[-2] = replace(story.events[-2], destination_port=40001)
    assert story.connection().peer_to_iut.ending.kind is EndKind.OPEN


def test_a_connection_without_a_syn_is_not_known() -> None:
    story = Story()
    story.events = [event for event in story.events if not isinstance(event, Segment)]
    story.fin(PEER)
    ending = story.connection().peer_to_iut.ending
    assert ending.kind is EndKind.NOT_KNOWN
    assert "SYN" in ending.reason


def _opens_again(story: Story) -> None:
    """Another connection between the same ports, with numbers of its own, which a reset refuses."""
    story.segment(IUT, "S", start=500_000)
    story.segment(PEER, "RA", start=500_000)


def test_a_connection_ends_where_its_ports_are_used_again() -> None:
    story = Story()
    story.fin(PEER)
    before = story.connection().peer_to_iut.ending
    _opens_again(story)
    assert story.connection().peer_to_iut.ending == before


def test_a_connection_begins_with_its_own_syn() -> None:
    story = Story()
    established = story.events.pop()
    opened = story.events
    story.events = []
    _opens_again(story)
    story.events, refused = opened, story.events
    shift = opened[0].at - refused[-1].at - 10
    story.events = [replace(event, at=event.at + shift) for event in refused] + opened + [established]
    story.next[PEER] = 0
    story.fin(PEER)
    assert story.connection().peer_to_iut.ending.kind is EndKind.GRACEFUL
