# SPDX-License-Identifier: MIT
"""One direction of a connection: what the link carried, and how the direction ended."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.trace.direction import Direction, Ending, EndKind
from conformance.trace.events import Fate
from tests.oracle.story import IUT, MS, PEER, REFERENCE_STREAM, UNIX_SEQPACKET, UNIX_STREAM, Story, statement


def _direction(story: Story) -> Direction:
    """The peer's: its sequence numbers wrap around after a few octets."""
    return story.connection().peer_to_iut


def _ending(story: Story) -> Ending:
    return _direction(story).ending


# --- what was carried -------------------------------------------------------------------------------------------------


def test_offsets_go_on_where_sequence_numbers_wrap_around() -> None:
    story = Story()
    for _ in range(4):
        story.data(PEER, 5)
    direction = _direction(story)
    assert [p.start for p in direction.passages if p.segment.length] == [0, 5, 10, 15]
    assert direction.carried_by(story.now) == 20
    assert direction.acknowledged(20) is not None
    assert direction.acknowledged(21) is None


def test_a_gap_stops_the_count_until_it_is_filled() -> None:
    story = Story()
    story.segment(PEER, "A", 5)
    story.segment(PEER, "A", 5, fate=Fate.DROPPED)
    story.segment(PEER, "A", 5)
    gap = story.now
    story.segment(PEER, "A", 5, start=5)
    direction = _direction(story)
    assert direction.carried_by(gap) == 5
    assert direction.sent_by(gap) == 15
    assert direction.carried_by(story.now) == 15


def test_an_acknowledgement_after_the_end_is_no_data() -> None:
    story = Story()
    story.data(PEER, 5)
    story.fin(PEER)
    story.segment(PEER, "A")
    direction = _direction(story)
    assert (direction.sent_by(story.now), direction.carried_by(story.now)) == (5, 5)


def test_what_is_sent_again_is_not_carried_twice() -> None:
    story = Story()
    story.segment(PEER, "A", 5)
    story.segment(PEER, "A", 5, start=0)
    story.segment(PEER, "A", 8, start=2)
    assert _direction(story).carried_by(story.now) == 10


def test_a_held_segment_is_carried_when_it_is_let_go() -> None:
    story = Story()
    released = story.now + 50 * MS
    story.segment(PEER, "A", 5, fate=Fate.HELD, delivered_at=released)
    direction = _direction(story)
    assert direction.sent_by(story.now) == 5
    assert direction.carried_by(released - 1) == 0
    assert direction.carried_by(released) == 5


def test_a_held_segment_that_was_never_let_go_is_not_carried() -> None:
    story = Story()
    story.segment(PEER, "FA", 5, fate=Fate.HELD)
    assert _direction(story).carried_by(story.now) == 0
    assert _ending(story).kind is EndKind.OPEN


def test_the_sends_tell_what_was_offered() -> None:
    story = Story()
    story.peer.send(5)
    between = story.now
    story.peer.send(9, accepted=4)
    story.peer.send(9, error="EAGAIN")
    direction = _direction(story)
    assert direction.offered == (bytes(range(5)), bytes(range(4)))
    assert (direction.offered_length, direction.offered_before(between)) == (9, 5)


# --- how it ended, on a visible link ----------------------------------------------------------------------------------


def test_a_fin_ends_gracefully_and_its_acknowledgement_makes_it_certain() -> None:
    story = Story()
    story.data(PEER, 5)
    story.segment(PEER, "FA", 3)
    came = story.now
    assert _ending(story).certain_at is None
    story.segment(IUT, "A")
    ending = _ending(story)
    assert (ending.kind, ending.at, ending.certain_at) == (EndKind.GRACEFUL, came, story.now)
    assert _direction(story).total == 8


def test_an_acknowledgement_of_the_data_alone_makes_no_end_certain() -> None:
    story = Story()
    story.segment(PEER, "FA", 5)
    story.segment(IUT, "A", ack=5)
    assert _ending(story).certain_at is None


def test_a_fin_beyond_a_gap_ends_when_the_gap_is_filled() -> None:
    story = Story()
    story.segment(PEER, "A", 5, fate=Fate.DROPPED)
    story.segment(PEER, "FA", 5)
    assert _ending(story).kind is EndKind.OPEN
    story.segment(PEER, "A", 5, start=0)
    ending = _ending(story)
    assert (ending.kind, ending.at) == (EndKind.GRACEFUL, story.now)


def test_a_dropped_fin_ends_when_it_comes_again() -> None:
    story = Story()
    story.segment(PEER, "FA", fate=Fate.DROPPED)
    assert _ending(story).kind is EndKind.OPEN
    story.segment(PEER, "FA", start=0)
    ending = _ending(story)
    assert (ending.kind, ending.at) == (EndKind.GRACEFUL, story.now)
    assert len(_direction(story).fins) == 2


def test_a_held_fin_ends_when_it_is_let_go() -> None:
    story = Story()
    released = story.now + 50 * MS
    story.segment(PEER, "FA", fate=Fate.HELD, delivered_at=released)
    assert _ending(story).at == released


def test_a_repeated_fin_is_the_harness_s_and_changes_nothing() -> None:
    story = Story()
    story.fin(PEER)
    first = _ending(story)
    story.segment(PEER, "FA", start=0, fate=Fate.REPEATED)
    assert _ending(story) == first
    assert len(_direction(story).fins) == 1


def test_an_exact_reset_aborts() -> None:
    story = Story()
    story.data(PEER, 5)
    story.rst(PEER)
    ending = _ending(story)
    assert (ending.kind, ending.at, ending.reset_at) == (EndKind.ABORTED_BY_SENDER, story.now, story.now)


@pytest.mark.parametrize("start", [2, 5])
def test_a_reset_where_the_receiver_may_be_aborts(start: int) -> None:
    """Five octets came, of which two are acknowledged: the receiver may expect any number between."""
    story = Story()
    story.segment(PEER, "A", 5)
    story.segment(IUT, "A", ack=2)
    story.segment(PEER, "R", start=start)
    assert _ending(story).kind is EndKind.ABORTED_BY_SENDER


@pytest.mark.parametrize("start", [4, 6, 1000])
def test_a_reset_that_is_not_exact_decides_nothing(start: int) -> None:
    story = Story()
    story.data(PEER, 5)
    story.segment(PEER, "R", start=start)
    assert _ending(story).kind is EndKind.NOT_KNOWN
    assert "sequence number" in _ending(story).reason


def test_after_an_inexact_reset_a_fin_still_ends() -> None:
    story = Story()
    story.data(PEER, 5)
    story.segment(PEER, "R", start=9)
    story.next[PEER] = 5
    story.fin(PEER)
    assert _ending(story).kind is EndKind.GRACEFUL


def test_a_dropped_reset_never_came() -> None:
    story = Story()
    story.segment(PEER, "RA", fate=Fate.DROPPED)
    assert _ending(story).kind is EndKind.OPEN
    assert len(_direction(story).resets) == 1


def test_a_reset_after_the_end_is_a_kind_of_its_own() -> None:
    story = Story()
    story.fin(PEER)
    graceful = _ending(story)
    story.rst(PEER)
    ending = _ending(story)
    assert (ending.kind, ending.at, ending.reset_at) == (EndKind.RESET_AFTER_END, graceful.at, story.now)
    assert ending.is_graceful and not ending.is_abort
    assert _direction(story).total == 0


def test_a_reset_of_the_receiver_s_aborts_there() -> None:
    story = Story()
    story.data(PEER, 5)
    story.rst(IUT)
    ending = _ending(story)
    assert (ending.kind, ending.at) == (EndKind.ABORTED_BY_RECEIVER, story.now)
    assert story.connection().iut_to_peer.ending.kind is EndKind.ABORTED_BY_SENDER


@pytest.mark.parametrize("late", ["fin", "rst"])
def test_what_comes_after_the_receiver_s_reset_ends_nothing(late: str) -> None:
    story = Story()
    story.rst(IUT)
    getattr(story, late)(PEER)
    assert _ending(story).kind is EndKind.ABORTED_BY_RECEIVER


def test_an_end_before_the_receiver_s_reset_stays_graceful() -> None:
    story = Story()
    story.fin(PEER)
    story.rst(IUT)
    assert _ending(story).kind is EndKind.GRACEFUL


def test_death_is_told_by_the_link() -> None:
    story = Story()
    story.peer.dies()
    assert _ending(story).kind is EndKind.OPEN
    story.rst(PEER)
    assert _ending(story).kind is EndKind.ABORTED_BY_SENDER


def test_lost_packets_leave_the_end_open_to_doubt() -> None:
    story = Story(lost=3)
    story.peer.shutdown("send")
    story.fin(PEER)
    direction = _direction(story)
    assert (direction.visible, direction.ending.kind) == (False, EndKind.NOT_KNOWN)
    assert "lost 3 packets" in direction.ending.reason


# --- how it ended, where no link is visible ---------------------------------------------------------------------------


def _unix() -> Story:
    return Story(UNIX_STREAM)


def _tcp_unseen() -> Story:
    return Story(statement("tcp"), wire=False)


UNSEEN = pytest.mark.parametrize("make", [_unix, _tcp_unseen])


@UNSEEN
@pytest.mark.parametrize("how", ["send", "both"])
def test_unseen_a_shutdown_is_graceful(make: Callable[[], Story], how: str) -> None:
    story = make()
    story.peer.shutdown("receive")
    assert _ending(story).kind is EndKind.OPEN
    story.peer.shutdown(how)
    ending = _ending(story)
    assert (ending.kind, ending.at, ending.certain_at) == (EndKind.GRACEFUL, story.now - MS, story.now)


@UNSEEN
def test_unseen_a_close_with_nothing_unread_is_graceful(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.send(5)
    story.peer.recv(5)
    story.peer.close()
    assert _ending(story).kind is EndKind.GRACEFUL


@UNSEEN
def test_unseen_a_close_with_something_unread_is_not_known(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.send(5)
    story.peer.recv(4)
    story.peer.close()
    assert _ending(story).kind is EndKind.NOT_KNOWN
    assert "unread" in _ending(story).reason


@UNSEEN
def test_unseen_a_send_under_way_may_leave_something_unread(make: Callable[[], Story]) -> None:
    story = make()
    call = story.iut.begin("send", pattern={"seed": 0, "length": 10})
    story.peer.close()
    story.iut.finish(call, error="EPIPE")
    assert _ending(story).kind is EndKind.NOT_KNOWN


@UNSEEN
def test_unseen_a_send_after_the_close_leaves_nothing(make: Callable[[], Story]) -> None:
    story = make()
    story.peer.close()
    story.iut.send(5, error="EPIPE")
    assert _ending(story).kind is EndKind.GRACEFUL


def test_unseen_an_empty_message_may_be_left_unread() -> None:
    story = Story(UNIX_SEQPACKET)
    story.iut.send(0)
    story.peer.close()
    assert _ending(story).kind is EndKind.NOT_KNOWN


@pytest.mark.parametrize(("make", "kind"), [(_unix, EndKind.NOT_KNOWN), (_tcp_unseen, EndKind.ABORTED_BY_SENDER)])
def test_unseen_linger_zero_aborts_on_tcp_and_is_undefined_elsewhere(make: Callable[[], Story], kind: EndKind) -> None:
    story = make()
    story.peer.linger(0)
    story.peer.close()
    assert _ending(story).kind is kind


@UNSEEN
def test_unseen_an_abortive_close_after_a_shutdown_is_a_reset_after_the_end(make: Callable[[], Story]) -> None:
    story = make()
    story.peer.shutdown("send")
    graceful = _ending(story)
    story.peer.linger(0)
    story.peer.close()
    ending = _ending(story)
    assert (ending.kind, ending.at, ending.reset_at) == (EndKind.RESET_AFTER_END, graceful.at, story.now - MS)


@UNSEEN
def test_unseen_a_plain_close_after_a_shutdown_changes_nothing(make: Callable[[], Story]) -> None:
    story = make()
    story.peer.shutdown("send")
    graceful = _ending(story)
    story.peer.close()
    assert _ending(story) == graceful


@UNSEEN
def test_unseen_death_ends_like_a_close(make: Callable[[], Story]) -> None:
    story = make()
    story.peer.dies()
    ending = _ending(story)
    assert (ending.kind, ending.at, ending.certain_at) == (EndKind.GRACEFUL, story.now - MS, story.now)


@UNSEEN
def test_unseen_death_with_something_unread_is_not_known(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.send(5)
    story.peer.dies()
    assert _ending(story).kind is EndKind.NOT_KNOWN


@UNSEEN
def test_unseen_a_call_that_failed_ends_nothing(make: Callable[[], Story]) -> None:
    story = make()
    story.peer.shutdown("send", error="ENOTCONN")
    assert _ending(story).kind is EndKind.OPEN


@UNSEEN
def test_unseen_what_was_offered_counts_as_carried(make: Callable[[], Story]) -> None:
    story = make()
    story.peer.send(5)
    story.peer.shutdown("send")
    direction = _direction(story)
    assert (direction.carried_by(story.now), direction.total) == (5, 5)


# --- forged segments --------------------------------------------------------------------------------------------------


def ended_before(story: Story) -> None:
    story.peer.send(5)
    story.data(PEER, 5)
    story.fin(PEER)


def test_forged_octets_are_nobodys_sending() -> None:
    story = Story()
    ended_before(story)
    sent = _direction(story)
    story.forge("PA", 6, 50)
    story.settle()
    direction = _direction(story)
    assert (direction.passages, direction.ending, direction.total) == (sent.passages, sent.ending, 5)
    assert direction.sent_by(story.now) == direction.carried_by(story.now) == 5
    assert [(p.start, p.segment.length, p.delivered) for p in direction.forged] == [(6, 50, direction.forged[0].at)]
    assert direction.meddled


@pytest.mark.parametrize(("flags", "length"), [("PA", 1), ("FA", 0)])
def test_forged_octets_that_the_receiver_may_take_leave_the_direction_unknown(flags: str, length: int) -> None:
    story = Story()
    story.forge(flags, 0, length)
    ended_before(story)
    direction = _direction(story)
    assert (direction.visible, direction.ending.kind) == (False, EndKind.NOT_KNOWN)
    assert "forged" in direction.ending.reason


def test_a_forged_acknowledgement_changes_nothing() -> None:
    story = Story()
    story.forge("A", 0)
    ended_before(story)
    assert _ending(story).kind is EndKind.GRACEFUL


@pytest.mark.parametrize("flags", ["R", "RA", "S"])
def test_a_forged_reset_is_not_the_senders_end(flags: str) -> None:
    story = Story()
    story.peer.send(5)
    story.data(PEER, 5)
    story.forge(flags, 5)
    ending = _ending(story)
    assert (ending.kind, ending.at) == (EndKind.NOT_KNOWN, None)
    assert _direction(story).resets == ()
    assert len(_direction(story).resets_come) == ("R" in flags)


def test_an_end_after_a_forged_reset_counts_where_the_receiver_acknowledged_more() -> None:
    for acked, kind in ((True, EndKind.GRACEFUL), (False, EndKind.NOT_KNOWN)):
        story = Story()
        story.peer.send(5)
        story.data(PEER, 5)
        story.forge("R", 6)
        story.segment(IUT, "A")
        story.fin(PEER, acked=acked)
        assert _ending(story).kind is kind


def test_a_forged_reset_after_the_end_may_be_taken_for_the_senders() -> None:
    story = Story()
    ended_before(story)
    before = _ending(story)
    story.forge("R", 6)
    at = story.now
    story.segment(PEER, "R")
    ending = _ending(story)
    assert (ending.kind, ending.at, ending.certain_at) == (EndKind.RESET_AFTER_END, before.at, before.certain_at)
    assert ending.reset_at == at


def test_a_forged_reset_after_an_abort_changes_nothing() -> None:
    story = Story()
    story.rst(PEER)
    before = _ending(story)
    story.forge("R", 0)
    assert _ending(story) == before


def test_forged_segments_beneath_units_leave_the_ends_unknown() -> None:
    story = Story(REFERENCE_STREAM)
    story.pdu(PEER, "RELEASE")
    assert _ending(story).kind is EndKind.GRACEFUL
    story.forge("R", 6)
    assert _ending(story).kind is EndKind.NOT_KNOWN


# --- windows ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scales", "window", "unsaid"),
    [((None, None), 500, 0), ((7, None), 500, 0), ((None, 7), 500, 0), ((0, 7), 500, 0), ((7, 0), 64000, 127)],
)
def test_a_window_is_scaled_if_both_ends_offered_it(
    scales: tuple[int | None, int | None], window: int, unsaid: int
) -> None:
    story = Story(scales=scales)
    story.segment(PEER, "PA", 5)
    story.segment(IUT, "A", window=500)
    opening, last = _direction(story).acknowledgements
    assert (opening.upto, opening.window, opening.unsaid) == (0, 65535, 0)
    assert (last.upto, last.window, last.unsaid) == (5, window, unsaid)


def test_before_anything_is_acknowledged_nothing_is() -> None:
    story = Story()
    direction = story.connection().iut_to_peer
    assert direction.acknowledged_by(0) == 0
    story.data(IUT, 5)
    direction = story.connection().iut_to_peer
    assert direction.acknowledged_by(story.now - 1) == 0
    assert direction.acknowledged_by(story.now) == 5
