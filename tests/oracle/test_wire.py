# SPDX-License-Identifier: MIT
"""The judges of FINs on the wire, on hand-written traces from both sides of each edge."""

from __future__ import annotations

import base64

import pytest
from msgspec.structs import replace

from conformance.oracle.findings import Conclusion
from conformance.trace.events import Fate
from conformance.trace.pattern import pattern
from tests.oracle.story import IUT, MS, PEER, Story, statement

SATISFIED, VIOLATED, UNDETERMINED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}, {Conclusion.UNDETERMINED}
NOTHING: set[Conclusion] = set()


# --- what all judges of the wire have in common -----------------------------------------------------------------------


def test_without_a_visible_link_only_a_case_meant_for_it_is_undetermined() -> None:
    for exercises, expected in (((), NOTHING), (("WIRE-FIN-01",), UNDETERMINED)):
        story = Story(wire=False, exercises=exercises)
        story.iut.shutdown()
        assert story.conclusions("WIRE-FIN-01") == expected


def test_a_capture_with_losses_decides_nothing() -> None:
    story = Story(lost=2, exercises=("WIRE-FIN-01",))
    story.iut.shutdown()
    story.fin(IUT)
    (finding,) = story.judge("WIRE-FIN-01")
    assert finding.outcome is Conclusion.UNDETERMINED
    assert "lost 2 packets" in finding.because


def test_the_fins_of_mptcp_are_not_the_connections() -> None:
    story = Story(statement("mptcp"), wire=True, exercises=("WIRE-FIN-01",))
    story.iut.shutdown()
    story.fin(IUT)
    assert story.conclusions("WIRE-FIN-01") == UNDETERMINED


# --- WIRE-FIN-01 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [0, 5, 70_000])
@pytest.mark.parametrize("ending", ["shutdown", "close"])
def test_fin_after_the_last_byte(sent: int, ending: str) -> None:
    story = Story()
    story.iut.send(sent)
    story.data(IUT, sent)
    story.iut.call(ending, how="send") if ending == "shutdown" else story.iut.close()
    story.fin(IUT)
    assert story.conclusions("WIRE-FIN-01") == SATISFIED


def test_fin_on_the_last_bytes() -> None:
    story = Story()
    story.iut.send(5)
    story.iut.shutdown("both")
    story.fin(IUT, 5)
    assert story.conclusions("WIRE-FIN-01") == SATISFIED


@pytest.mark.parametrize("carried", [3, 6])
def test_fin_at_another_number(carried: int) -> None:
    story = Story()
    story.iut.send(5)
    story.data(IUT, carried)
    story.iut.shutdown()
    story.fin(IUT)
    assert story.conclusions("WIRE-FIN-01") == VIOLATED


def test_a_send_that_timed_out_sent_nothing() -> None:
    story = Story()
    story.iut.send(5, accepted=3)
    story.data(IUT, 3)
    story.iut.send(9, timeout=True)
    story.iut.shutdown()
    story.fin(IUT)
    assert story.conclusions("WIRE-FIN-01") == SATISFIED


@pytest.mark.parametrize(("carried", "expected"), [(0, UNDETERMINED), (9, UNDETERMINED), (10, VIOLATED)])
def test_fin_while_a_send_was_never_answered(carried: int, expected: set[Conclusion]) -> None:
    story = Story()
    story.iut.begin("send", pattern={"seed": 0, "length": 9})
    story.data(IUT, carried)
    story.iut.shutdown()
    story.fin(IUT)
    assert story.conclusions("WIRE-FIN-01") == expected


def test_a_send_that_failed_during_the_shutdown_may_have_sent_some() -> None:
    story = Story()
    send = story.iut.begin("send", pattern={"seed": 0, "length": 9})
    story.data(IUT, 4)
    story.iut.shutdown()
    story.fin(IUT)
    story.iut.finish(send, error="EPIPE")
    assert story.conclusions("WIRE-FIN-01") == UNDETERMINED


def test_a_send_that_failed_as_the_shutdown_was_called_may_have_sent_some() -> None:
    story = Story()
    send = story.iut.begin("send", pattern={"seed": 0, "length": 9})
    story.data(IUT, 4)
    story.iut.finish(send, error="EPIPE")
    story.wait(-1)
    story.iut.shutdown()
    story.fin(IUT)
    assert story.conclusions("WIRE-FIN-01") == UNDETERMINED


def test_what_a_send_got_accepted_is_known_when_it_returned() -> None:
    story = Story()
    story.iut.send(9, error="EWOULDBLOCK")
    send = story.iut.begin("send", pattern={"seed": 0, "length": 9})
    shutdown = story.iut.begin("shutdown", how="send")
    story.iut.finish(send, length=5)
    story.data(IUT, 5)
    story.wait(-1)
    story.fin(IUT)
    story.iut.finish(shutdown)
    assert story.conclusions("WIRE-FIN-01") == SATISFIED


def test_a_fin_at_the_time_of_the_call_is_of_that_call() -> None:
    story = Story()
    shutdown = story.iut.begin("shutdown", how="send")
    story.wait(-1)
    story.fin(IUT)
    story.iut.finish(shutdown)
    assert story.conclusions("WIRE-FIN-01") == SATISFIED


def test_a_send_after_the_shutdown_does_not_count() -> None:
    story = Story()
    story.iut.shutdown()
    story.iut.send(5)
    story.fin(IUT)
    assert story.conclusions("WIRE-FIN-01") == SATISFIED


def test_no_graceful_call_no_judgement_of_the_fin() -> None:
    dead, hard, silent = Story(), Story(), Story()
    dead.iut.dies()
    dead.fin(IUT)
    hard.iut.linger(0)
    hard.iut.close()
    hard.fin(IUT)
    silent.iut.shutdown()
    for story in (dead, hard, silent):
        assert story.conclusions("WIRE-FIN-01") == NOTHING


# --- WIRE-FIN-02 ------------------------------------------------------------------------------------------------------


def fin_on_data(*, acked: bool = True) -> Story:
    story = Story()
    story.peer.send(5)
    story.peer.shutdown()
    story.fin(PEER, 5, acked=acked)
    return story


def test_fin_on_data_is_taken() -> None:
    story = fin_on_data()
    story.iut.recv(5)
    story.iut.recv(0)
    assert story.conclusions("WIRE-FIN-02") == SATISFIED


def test_fin_on_data_twice_over_the_link_is_still_one() -> None:
    story = Story()
    story.peer.send(5)
    story.peer.shutdown()
    story.segment(PEER, "FPA", 5, fate=Fate.DROPPED)
    story.segment(PEER, "FPA", 5, start=0)
    story.segment(IUT, "A")
    story.iut.recv(5)
    story.iut.recv(0)
    assert story.conclusions("WIRE-FIN-02") == SATISFIED


def test_end_told_before_the_data_of_the_fin() -> None:
    story = fin_on_data()
    story.iut.recv(0)
    assert story.conclusions("WIRE-FIN-02") == VIOLATED


def test_data_of_the_fin_altered() -> None:
    story = fin_on_data()
    story.iut.recv(content=b"wrong")
    story.iut.recv(0)
    assert story.conclusions("WIRE-FIN-02") == VIOLATED


def test_data_of_the_fin_read_and_the_end_never_told() -> None:
    story = fin_on_data()
    story.iut.recv(5)
    story.iut.recv(timeout=True, takes=1500)
    assert story.conclusions("WIRE-FIN-02") == VIOLATED


def test_only_the_data_of_the_fin_is_acknowledged() -> None:
    story = fin_on_data(acked=False)
    story.segment(IUT, "A", ack=5)
    story.iut.recv(5)
    story.iut.recv(timeout=True, takes=1500)
    assert story.conclusions("WIRE-FIN-02") == VIOLATED


def test_fin_on_data_never_acknowledged_and_nobody_waited() -> None:
    story = fin_on_data(acked=False)
    story.settle()
    assert story.conclusions("WIRE-FIN-02") == UNDETERMINED


@pytest.mark.parametrize("early", [True, False], ids=["before it came", "as an error"])
def test_what_is_told_and_is_not_the_end_of_the_fin(early: bool) -> None:
    story = Story()
    story.peer.send(5)
    if early:
        story.iut.recv(0)
    story.peer.shutdown()
    story.fin(PEER, 5)
    if not early:
        story.iut.recv(5)
        story.iut.recv(error="EIO")
    assert story.conclusions("WIRE-FIN-02") == NOTHING


def test_the_end_is_told_at_the_time_of_the_fin() -> None:
    story = Story()
    story.peer.send(5)
    story.peer.shutdown()
    first = story.iut.begin("recv", length=5)
    story.fin(PEER, 5)
    story.iut.finish(first, length=5, data=base64.b64encode(pattern(0, 5)).decode())
    story.iut.recv(0)
    assert story.conclusions("WIRE-FIN-02") == SATISFIED


@pytest.mark.parametrize("what", ["WIRE-FIN-02", "WIRE-FIN-04", "WIRE-HALF-01", "WIRE-SIM-01"])
def test_what_is_acknowledged_late_leaves_open_who_was_slow(what: str) -> None:
    match what:
        case "WIRE-FIN-02":
            story = fin_on_data(acked=False)
        case "WIRE-FIN-04":
            story = peers_fin(acked=False)
        case "WIRE-HALF-01":
            story = half_closed()
            story.data(PEER, 5, acked=False)
        case _:
            story = crossing(acked=False)
    story.settle(1500)
    story.segment(IUT, "A")
    story.settle(1500)
    assert story.conclusions(what) == UNDETERMINED


@pytest.mark.parametrize("excuse", ["window", "buffer", "reset", "death"])
def test_fin_on_data_need_not_be_acknowledged(excuse: str) -> None:
    story = Story()
    if excuse == "buffer":
        story.iut.call("set_option", name="RCVBUF", value=1)
    story.peer.send(5)
    story.peer.shutdown()
    story.segment(PEER, "FPA", 5)
    if excuse == "window":
        story.segment(IUT, "A", ack=0, window=0)
    if excuse == "reset":
        story.rst(IUT)
    if excuse == "death":
        story.iut.dies()
    story.settle(1500)
    assert Conclusion.VIOLATED not in story.conclusions("WIRE-FIN-02")


def test_fin_on_data_that_nobody_reads_or_that_a_reset_follows() -> None:
    unread, reset, bare = fin_on_data(), fin_on_data(), Story()
    reset.rst(PEER)
    reset.iut.recv(error="ECONNRESET")
    bare.peer.shutdown()
    bare.fin(PEER)
    bare.iut.recv(0)
    for story in (unread, reset, bare):
        assert story.conclusions("WIRE-FIN-02") == NOTHING


# --- WIRE-FIN-03 ------------------------------------------------------------------------------------------------------


def lost_fin() -> Story:
    story = Story()
    story.iut.shutdown()
    story.segment(IUT, "FA", fate=Fate.DROPPED)
    return story


def test_lost_fin_is_sent_again() -> None:
    story = lost_fin()
    story.wait(200)
    story.segment(IUT, "FA", start=0)
    story.segment(PEER, "A")
    assert story.conclusions("WIRE-FIN-03") == SATISFIED


def test_fin_is_sent_again_while_its_acknowledgements_are_withheld() -> None:
    story = Story()
    story.iut.shutdown()
    story.segment(IUT, "FA")
    story.segment(PEER, "A", fate=Fate.DROPPED)
    story.wait(200)
    story.segment(IUT, "FA", start=0)
    assert story.conclusions("WIRE-FIN-03") == SATISFIED


def test_data_before_the_lost_fin_is_sent_again_first() -> None:
    story = Story()
    story.iut.send(5)
    story.segment(IUT, "PA", 5, fate=Fate.DROPPED)
    story.iut.shutdown()
    story.segment(IUT, "FA", fate=Fate.DROPPED)
    story.wait(200)
    story.segment(IUT, "PA", 5, start=0)
    assert story.conclusions("WIRE-FIN-03") == SATISFIED


def test_acknowledged_data_sent_again_is_not_the_fin() -> None:
    story = Story()
    story.iut.send(5)
    story.data(IUT, 5)
    story.iut.shutdown()
    story.segment(IUT, "FA", fate=Fate.DROPPED)
    story.segment(IUT, "PA", 5, start=0)
    story.settle(6000)
    assert story.conclusions("WIRE-FIN-03") == VIOLATED


@pytest.mark.parametrize("again", ["acknowledged", "none", "other"])
def test_what_is_sent_and_is_not_what_was_lost(again: str) -> None:
    story = Story()
    story.iut.send(10)
    story.data(IUT, 5)
    story.segment(IUT, "PA", 5, fate=Fate.DELIVERED if again == "other" else Fate.DROPPED)
    if again == "other":
        story.segment(PEER, "A")
    story.iut.shutdown()
    story.segment(IUT, "FA", fate=Fate.DROPPED)
    match again:
        case "acknowledged":
            story.segment(IUT, "PA", 5, start=0)
        case "none":
            story.segment(IUT, "A", start=5)
        case "other":
            story.segment(IUT, "PA", 3, start=10)
    story.settle()
    assert story.conclusions("WIRE-FIN-03") == UNDETERMINED


@pytest.mark.parametrize(("acks", "expected"), [(5, NOTHING), (6, VIOLATED)])
def test_the_acknowledgement_of_the_fin_is_withheld(acks: int, expected: set[Conclusion]) -> None:
    story = Story()
    story.iut.send(5)
    story.segment(IUT, "PA", 5)
    story.segment(PEER, "A")
    story.iut.shutdown()
    story.segment(IUT, "FA")
    story.segment(PEER, "A", ack=acks, fate=Fate.DROPPED)
    story.segment(PEER, "R", fate=Fate.DROPPED)
    story.settle(6000)
    assert story.conclusions("WIRE-FIN-03") == expected


@pytest.mark.parametrize(("after_ms", "expected"), [(4999, UNDETERMINED), (5000, VIOLATED)])
def test_a_reset_ends_the_time_in_which_a_fin_is_sent_again(after_ms: int, expected: set[Conclusion]) -> None:
    story = lost_fin()
    story.wait(after_ms - 1)
    story.rst(PEER)
    story.settle(2000)
    assert story.conclusions("WIRE-FIN-03") == expected


def test_lost_fin_is_never_sent_again() -> None:
    story = lost_fin()
    story.note("waited in vain")
    assert story.conclusions("WIRE-FIN-03") == UNDETERMINED
    story.settle(6000)
    assert story.conclusions("WIRE-FIN-03") == VIOLATED


def test_slow_round_trips_make_for_slow_retransmission() -> None:
    story = Story()
    story.iut.send(5)
    story.segment(IUT, "PA", 5)
    story.wait(1600)
    story.segment(PEER, "A")
    story.iut.shutdown()
    story.segment(IUT, "FA", fate=Fate.DROPPED)
    story.settle(6000)
    assert story.conclusions("WIRE-FIN-03") == UNDETERMINED
    story.settle(9500)
    assert story.conclusions("WIRE-FIN-03") == UNDETERMINED
    story.settle(1500)
    assert story.conclusions("WIRE-FIN-03") == VIOLATED


def test_fin_sent_again_elsewhere() -> None:
    story = lost_fin()
    story.wait(200)
    story.segment(IUT, "FA", start=1)
    assert story.conclusions("WIRE-FIN-03") == VIOLATED


@pytest.mark.parametrize("excuse", ["reset", "death", "time-out", "data"])
def test_lost_fin_that_need_not_be_sent_again(excuse: str) -> None:
    story = Story()
    if excuse == "time-out":
        story.iut.call("set_option", name="USER_TIMEOUT", value=100)
    if excuse == "data":
        story.segment(IUT, "PA", 5, fate=Fate.DROPPED)
    story.iut.shutdown()
    story.segment(IUT, "FA", fate=Fate.DROPPED)
    if excuse == "reset":
        story.rst(PEER)
    if excuse == "death":
        story.iut.dies()
    story.settle(6000)
    assert story.conclusions("WIRE-FIN-03") == UNDETERMINED


def test_a_copy_of_the_harness_is_no_retransmission() -> None:
    story = lost_fin()
    story.segment(IUT, "FA", start=0, fate=Fate.REPEATED)
    story.segment(PEER, "A")
    assert story.conclusions("WIRE-FIN-03") == UNDETERMINED


def test_fin_that_was_acknowledged_shows_nothing_of_retransmission() -> None:
    story = Story()
    story.iut.shutdown()
    story.fin(IUT)
    story.segment(IUT, "FA", start=0)  # a tail-loss probe that crossed the acknowledgement
    story.settle(6000)
    assert story.conclusions("WIRE-FIN-03") == NOTHING


def test_fin_whose_acknowledgement_was_held_for_a_while() -> None:
    story = Story()
    story.iut.shutdown()
    story.segment(IUT, "FA")
    story.segment(PEER, "A", fate=Fate.HELD, delivered_at=story.now + 300 * MS)
    story.wait(200)
    story.segment(IUT, "FA", start=0)
    assert story.conclusions("WIRE-FIN-03") == SATISFIED


# --- WIRE-FIN-04 ------------------------------------------------------------------------------------------------------


def peers_fin(*, acked: bool = True) -> Story:
    story = Story()
    story.peer.shutdown()
    story.fin(PEER, acked=acked)
    return story


def test_peers_fin_is_acknowledged_and_the_own_waits() -> None:
    story = peers_fin()
    story.settle(2000)
    story.iut.close()
    story.fin(IUT)
    assert story.conclusions("WIRE-FIN-04") == SATISFIED


def test_peers_fin_and_a_user_that_never_ends() -> None:
    story = peers_fin()
    assert story.conclusions("WIRE-FIN-04") == NOTHING
    story.settle()
    assert story.conclusions("WIRE-FIN-04") == SATISFIED


def test_own_fin_without_a_call() -> None:
    story = peers_fin()
    story.fin(IUT)
    story.settle()
    story.iut.close()
    assert story.conclusions("WIRE-FIN-04") == VIOLATED


def test_own_fin_right_after_the_call() -> None:
    story = peers_fin()
    story.iut.close()
    story.fin(IUT)
    assert story.conclusions("WIRE-FIN-04") == NOTHING


def test_own_fin_in_the_tick_of_the_call() -> None:
    story = peers_fin()
    story.settle()
    call = story.iut.begin("close")
    story.wait(-1)
    story.fin(IUT)
    story.iut.finish(call)
    assert story.conclusions("WIRE-FIN-04") == SATISFIED


@pytest.mark.parametrize(("after_ms", "expected"), [(29, NOTHING), (30, SATISFIED)])
@pytest.mark.parametrize("how", ["close", "reset"])
def test_no_own_fin_within_the_settle_time(after_ms: int, expected: set[Conclusion], how: str) -> None:
    story = peers_fin()
    story.wait(after_ms - 2)
    if how == "close":
        story.iut.close()
        story.fin(IUT)
    else:
        story.rst(PEER)
        story.settle()
    assert story.conclusions("WIRE-FIN-04") == expected


@pytest.mark.parametrize("cause", ["failed shutdown", "unanswered close", "death"])
def test_own_fin_that_its_user_may_have_caused(cause: str) -> None:
    story = peers_fin()
    match cause:
        case "failed shutdown":
            story.iut.shutdown(error="ENOTCONN")
        case "unanswered close":
            story.iut.begin("close")
        case "death":
            story.iut.dies()
    story.fin(IUT)
    story.settle()
    assert story.conclusions("WIRE-FIN-04") == NOTHING


def test_an_end_that_has_ended_may_be_slow_to_acknowledge() -> None:
    story = Story()
    story.iut.shutdown()
    story.fin(IUT)
    story.peer.shutdown()
    story.fin(PEER, acked=False)
    story.settle(2000)
    assert story.conclusions("WIRE-FIN-04") == NOTHING


def test_own_fin_before_the_peers() -> None:
    story = Story()
    story.iut.shutdown()
    story.fin(IUT)
    story.peer.shutdown()
    story.fin(PEER)
    story.settle()
    assert story.conclusions("WIRE-FIN-04") == NOTHING


def test_peers_fin_is_never_acknowledged() -> None:
    story = peers_fin(acked=False)
    story.settle()
    assert story.conclusions("WIRE-FIN-04") == UNDETERMINED
    story.iut.recv(timeout=True, takes=1500)
    assert story.conclusions("WIRE-FIN-04") == VIOLATED


def test_late_acknowledgement_may_be_the_harness_seeing_it_late() -> None:
    story = peers_fin(acked=False)
    story.settle(1500)
    story.segment(IUT, "A")
    assert story.conclusions("WIRE-FIN-04") == UNDETERMINED


def test_delayed_acknowledgement_of_the_peers_fin() -> None:
    story = peers_fin(acked=False)
    story.wait(200)
    story.segment(IUT, "A")
    story.settle()
    assert story.conclusions("WIRE-FIN-04") == SATISFIED


def test_reset_before_the_peers_fin_could_be_acknowledged() -> None:
    story = peers_fin(acked=False)
    story.rst(PEER)
    story.settle(1500)
    assert story.conclusions("WIRE-FIN-04") == NOTHING


def test_an_acknowledgement_that_the_harness_drops_was_sent_all_the_same() -> None:
    story = peers_fin(acked=False)
    story.segment(IUT, "A", fate=Fate.DROPPED)
    story.settle()
    assert story.conclusions("WIRE-FIN-04") == SATISFIED


# --- WIRE-FIN-05 ------------------------------------------------------------------------------------------------------


class Gap:
    """The peer's data is held, and its FIN overtakes it."""

    def __init__(self, *, surely: bool = True) -> None:
        self.story = Story()
        self.story.peer.send(5)
        self.held = self.story.segment(PEER, "PA", 5, fate=Fate.HELD)
        self.story.peer.shutdown()
        self.story.segment(PEER, "FA")
        self.story.segment(IUT, "A", ack=0)
        if surely:
            self.story.iut.recv(timeout=True, takes=40)

    def fill(self) -> Story:
        at = self.story.tick()
        self.story.events[self.held] = replace(self.story.events[self.held], delivered_at=at)
        self.story.segment(IUT, "A")
        return self.story


def test_fin_beyond_a_gap_waits_for_the_data() -> None:
    story = Gap().fill()
    story.iut.recv(5)
    story.iut.recv(0)
    assert story.conclusions("WIRE-FIN-05") == SATISFIED


@pytest.mark.parametrize("told", ["0", "RDHUP", "FD_CLOSE"])
def test_fin_beyond_a_gap_is_told_early(told: str) -> None:
    gap = Gap(surely=False)
    match told:
        case "0":
            gap.story.iut.recv(0)
        case "RDHUP":
            gap.story.iut.poll("IN", "RDHUP")
        case "FD_CLOSE":
            gap.story.iut.indicates("FD_CLOSE")
    story = gap.fill()
    assert story.conclusions("WIRE-FIN-05") == VIOLATED


def test_the_second_poll_tells_of_the_fin_beyond_a_gap() -> None:
    gap = Gap(surely=False)
    gap.story.iut.poll("OUT")
    gap.story.iut.begin("poll", surface="poll", events=["IN", "RDHUP"])
    gap.story.iut.poll("RDHUP")
    story = gap.fill()
    assert story.conclusions("WIRE-FIN-05") == VIOLATED


@pytest.mark.parametrize("who", ["peer", "iut", "dead"])
def test_a_connection_that_is_undone_in_the_gap(who: str) -> None:
    gap = Gap()
    match who:
        case "peer":
            gap.story.segment(PEER, "RA", start=0)
        case "iut":
            gap.story.rst(IUT)
        case "dead":
            gap.story.iut.dies()
    gap.story.settle()
    assert gap.story.conclusions("WIRE-FIN-05") == NOTHING


def test_a_fin_beyond_a_gap_that_a_reset_follows_asks_for_nothing() -> None:
    gap = Gap(surely=False)
    gap.story.segment(PEER, "RA", start=0)
    gap.story.fin(IUT)
    gap.story.settle()
    assert gap.story.conclusions("WIRE-FIN-04") == NOTHING


@pytest.mark.parametrize("told", ["error in the gap", "error", "after a reset", "nothing"])
def test_what_is_told_of_a_gap_and_is_no_end(told: str) -> None:
    gap = Gap()
    if told == "error in the gap":
        gap.story.iut.recv(error="EIO")
    story = gap.fill()
    match told:
        case "error":
            story.iut.recv(5)
            story.iut.recv(error="EIO")
        case "after a reset":
            story.iut.recv(5)
            story.rst(PEER)
            story.iut.recv(0)
    assert story.conclusions("WIRE-FIN-05") == NOTHING


def test_more_is_carried_into_the_gap_than_was_offered() -> None:
    story = Story()
    story.peer.send(4)
    held = story.segment(PEER, "PA", 5, fate=Fate.HELD)
    story.peer.shutdown()
    story.segment(PEER, "FA")
    story.segment(IUT, "A", ack=0)
    story.iut.recv(timeout=True, takes=40)
    story.events[held] = replace(story.events[held], delivered_at=story.tick())
    story.segment(IUT, "A")
    story.iut.recv(4)
    story.iut.recv(0)
    assert story.conclusions("WIRE-FIN-05") == NOTHING


def test_data_in_the_gap_is_lost() -> None:
    story = Gap().fill()
    story.iut.recv(0)
    assert story.conclusions("WIRE-FIN-05") == VIOLATED


def test_the_gap_is_never_filled() -> None:
    gap = Gap()
    assert gap.story.conclusions("WIRE-FIN-05") == UNDETERMINED


def test_nobody_looked_while_the_gap_was_open() -> None:
    gap = Gap(surely=False)
    gap.story.iut.recv(error="EWOULDBLOCK")  # too soon to show anything
    story = gap.fill()
    story.iut.recv(5)
    story.iut.recv(0)
    assert story.conclusions("WIRE-FIN-05") == NOTHING


def test_a_poll_shows_that_nothing_was_told_in_the_gap() -> None:
    gap = Gap(surely=False)
    gap.story.iut.poll(takes=40)
    story = gap.fill()
    story.iut.recv(5)
    story.iut.recv(0)
    assert story.conclusions("WIRE-FIN-05") == SATISFIED


def test_zero_bytes_in_the_gap_because_of_the_own_shutdown() -> None:
    gap = Gap(surely=False)
    waiting = gap.story.iut.begin("recv", length=5)
    gap.story.iut.shutdown("receive")
    gap.story.iut.finish(waiting, length=0)
    story = gap.fill()
    assert story.conclusions("WIRE-FIN-05") == NOTHING


def test_a_fin_in_order_shows_nothing_of_gaps() -> None:
    story = peers_fin()
    story.iut.recv(0)
    assert story.conclusions("WIRE-FIN-05") == NOTHING


# --- WIRE-HALF-01 -----------------------------------------------------------------------------------------------------


def half_closed() -> Story:
    story = Story()
    story.iut.shutdown()
    story.fin(IUT)
    story.peer.send(5)
    return story


def test_data_after_the_own_fin_is_taken() -> None:
    story = half_closed()
    story.data(PEER, 5)
    story.iut.recv(5)
    assert story.conclusions("WIRE-HALF-01") == SATISFIED


def test_data_after_the_own_fin_is_reset() -> None:
    story = half_closed()
    story.data(PEER, 5, acked=False)
    story.rst(IUT)
    assert story.conclusions("WIRE-HALF-01") == VIOLATED


def test_data_after_the_own_fin_is_not_acknowledged() -> None:
    story = half_closed()
    story.data(PEER, 5, acked=False)
    story.settle()
    assert story.conclusions("WIRE-HALF-01") == UNDETERMINED
    story.settle(1500)
    assert story.conclusions("WIRE-HALF-01") == VIOLATED


@pytest.mark.parametrize("told", ["0", "ENOTCONN", "altered"])
def test_data_after_the_own_fin_is_not_handed_over(told: str) -> None:
    story = half_closed()
    story.data(PEER, 5)
    match told:
        case "0":
            story.iut.recv(0)
        case "altered":
            story.iut.recv(content=b"wrong")
        case error:
            story.iut.recv(error=error)
    assert story.conclusions("WIRE-HALF-01") == VIOLATED


def test_data_after_the_own_fin_that_nobody_reads() -> None:
    story = half_closed()
    story.data(PEER, 5)
    assert story.conclusions("WIRE-HALF-01") == NOTHING


@pytest.mark.parametrize("ending", ["both", "close", "death", "killed peer"])
def test_data_for_an_end_that_no_longer_receives(ending: str) -> None:
    story = Story()
    match ending:
        case "both":
            story.iut.shutdown("both")
        case "close":
            story.iut.close()
        case "death":
            story.iut.dies()
        case "killed peer":
            story.iut.shutdown()
            story.peer.dies()
    story.fin(IUT)
    if ending != "killed peer":
        story.data(PEER, 5, acked=False)
    story.rst(PEER if ending == "killed peer" else IUT)
    story.settle(1500)
    assert story.conclusions("WIRE-HALF-01") == NOTHING


def test_messages_are_another_matter() -> None:
    story = Story(statement("tcp", "MESSAGE_ORIENTED"))
    story.iut.shutdown()
    story.fin(IUT)
    story.peer.send(5)
    story.data(PEER, 5)
    story.iut.recv(5)
    assert story.conclusions("WIRE-HALF-01") == NOTHING


def test_data_that_comes_again_or_beyond_a_gap_is_nothing_new() -> None:
    story = Story()
    story.peer.send(10)
    story.data(PEER, 5)
    story.iut.shutdown()
    story.fin(IUT)
    story.segment(PEER, "PA", 5, start=0)
    story.segment(IUT, "A")
    story.segment(PEER, "PA", 3, start=7)
    story.segment(IUT, "A", ack=5)
    story.settle(1500)
    story.iut.recv(5)
    assert story.conclusions("WIRE-HALF-01") == NOTHING


def test_data_that_come_after_a_reset_come_too_late() -> None:
    story = half_closed()
    story.rst(PEER)
    story.data(PEER, 5)
    story.iut.recv(5)
    assert story.conclusions("WIRE-HALF-01") == NOTHING


@pytest.mark.parametrize("gone", ["reset before", "stopped before the reset", "both over"])
def test_a_reset_that_is_no_answer_to_the_data(gone: str) -> None:
    story = half_closed()
    match gone:
        case "reset before":
            story.rst(PEER)
            story.data(PEER, 5, acked=False)
        case "stopped before the reset":
            story.data(PEER, 5, acked=False)
            story.iut.close()
            story.rst(IUT)
        case "both over":
            story.data(PEER, 5)
            story.peer.shutdown()
            story.fin(PEER)
            story.rst(IUT)
    story.settle(1500)
    assert story.conclusions("WIRE-HALF-01") == NOTHING


def test_what_was_unread_before_the_own_fin_is_not_the_data_after_it() -> None:
    story = Story()
    story.peer.send(10)
    story.data(PEER, 5)
    story.iut.shutdown()
    story.fin(IUT)
    story.data(PEER, 5)
    story.iut.recv(5)
    assert story.conclusions("WIRE-HALF-01") == NOTHING
    story.iut.recv(1, offset=5)
    assert story.conclusions("WIRE-HALF-01") == SATISFIED


@pytest.mark.parametrize(("altered", "expected"), [(4, NOTHING), (5, VIOLATED)])
def test_what_is_altered_before_the_own_fin_is_another_matter(altered: int, expected: set[Conclusion]) -> None:
    story = Story()
    story.peer.send(10)
    story.data(PEER, 5)
    story.iut.shutdown()
    story.fin(IUT)
    story.data(PEER, 5)
    story.iut.recv(altered)
    story.iut.recv(5, seed=9)
    assert story.conclusions("WIRE-HALF-01") == expected


def test_more_is_handed_over_than_was_offered() -> None:
    story = half_closed()
    story.data(PEER, 5)
    story.iut.recv(content=b"much longer than it was")
    assert story.conclusions("WIRE-HALF-01") == NOTHING


@pytest.mark.parametrize("told", ["before", "after a reset", "after the own stop"])
def test_an_end_that_is_not_told_in_place_of_the_data(told: str) -> None:
    story = half_closed()
    waiting = story.iut.begin("recv", length=5) if told == "before" else 0
    story.data(PEER, 5)
    match told:
        case "before":
            story.iut.finish(waiting, error="EIO")
        case "after a reset":
            story.rst(PEER)
            story.iut.recv(error="ECONNRESET")
        case "after the own stop":
            story.iut.shutdown("receive")
            story.iut.recv(0)
    assert story.conclusions("WIRE-HALF-01") == NOTHING


def test_data_before_the_own_fin_is_another_matter() -> None:
    story = Story()
    story.peer.send(5)
    story.data(PEER, 5)
    story.iut.shutdown()
    story.fin(IUT)
    story.iut.recv(5)
    assert story.conclusions("WIRE-HALF-01") == NOTHING


def test_a_user_time_out_after_the_own_fin_is_no_refusal_of_data() -> None:
    story = Story()
    story.iut.call("set_option", name="USER_TIMEOUT", value=100)
    story.iut.shutdown()
    story.segment(IUT, "FA")
    story.peer.send(5)
    story.data(PEER, 5)
    story.iut.recv(error="ETIMEDOUT")
    assert story.conclusions("WIRE-HALF-01") == NOTHING


# --- WIRE-SIM-01 ------------------------------------------------------------------------------------------------------


def crossing(*, acked: bool = True, closes: bool = False) -> Story:
    story = Story()
    if closes:
        story.iut.close()
    else:
        story.iut.shutdown()
    story.peer.shutdown()
    story.segment(IUT, "FA", fate=Fate.HELD, delivered_at=story.now + 3 * MS)
    story.segment(PEER, "FA", ack=0)
    if acked:
        story.segment(IUT, "A", start=1)
    story.segment(PEER, "A", start=1)
    return story


def test_crossing_fins_end_gracefully() -> None:
    story = crossing()
    story.iut.recv(0)
    story.settle()
    assert story.conclusions("WIRE-SIM-01") == SATISFIED


def test_crossing_fins_and_nobody_waited_for_a_reset() -> None:
    story = crossing()
    story.iut.recv(0)
    assert story.conclusions("WIRE-SIM-01") == UNDETERMINED


@pytest.mark.parametrize("closes", [False, True])
def test_crossing_fins_are_reset(closes: bool) -> None:
    story = crossing(acked=False, closes=closes)
    story.rst(IUT)
    story.settle()
    assert story.conclusions("WIRE-SIM-01") == VIOLATED


def test_the_first_reset_of_crossing_fins_is_shown() -> None:
    story = crossing(acked=False)
    story.rst(IUT)
    first = len(story.events)
    story.rst(IUT)
    story.settle()
    (finding,) = story.judge("WIRE-SIM-01")
    assert first in finding.events
    assert first + 1 not in finding.events


def test_crossing_fin_is_told_as_an_error() -> None:
    story = crossing()
    story.iut.recv(error="ECONNRESET")
    story.settle()
    assert story.conclusions("WIRE-SIM-01") == VIOLATED


def test_crossing_fin_is_never_told() -> None:
    story = crossing()
    story.iut.recv(timeout=True, takes=1500)
    assert story.conclusions("WIRE-SIM-01") == VIOLATED


def test_crossing_fin_is_never_acknowledged() -> None:
    story = crossing(acked=False)
    story.settle()
    assert story.conclusions("WIRE-SIM-01") == UNDETERMINED
    story.settle(1500)
    assert story.conclusions("WIRE-SIM-01") == VIOLATED


def test_crossing_fins_and_a_closed_socket_that_cannot_be_told() -> None:
    story = crossing(closes=True)
    story.settle()
    assert story.conclusions("WIRE-SIM-01") == NOTHING


@pytest.mark.parametrize("cause", ["death", "linger", "unread", "peer"])
def test_crossing_fins_and_a_reset_that_has_its_cause(cause: str) -> None:
    story = Story()
    if cause == "unread":
        story.peer.send(5)
        story.data(PEER, 5)
    story.iut.shutdown()
    story.segment(IUT, "FA", fate=Fate.HELD, delivered_at=story.now + 10 * MS)
    story.peer.shutdown()
    story.segment(PEER, "FA", ack=0)
    match cause:
        case "death":
            story.iut.dies()
        case "linger":
            story.iut.linger(0)
            story.iut.close()
        case "unread":
            story.iut.close()
        case "peer":
            story.rst(PEER)
    story.rst(IUT)
    story.settle()
    assert story.conclusions("WIRE-SIM-01") == NOTHING


@pytest.mark.parametrize(("after_ms", "expected"), [(1000, VIOLATED), (1001, NOTHING)])
def test_a_closed_socket_that_nobody_answers_may_be_given_up(after_ms: int, expected: set[Conclusion]) -> None:
    story = Story()
    story.iut.close()
    story.peer.shutdown()
    fin = story.segment(IUT, "FA", fate=Fate.HELD, delivered_at=story.now + 10 * MS)
    story.segment(PEER, "FA", ack=0)
    story.wait(int((story.events[fin].at - story.now) / MS) + after_ms - 1)
    story.rst(IUT)
    story.settle()
    assert story.conclusions("WIRE-SIM-01") == expected


@pytest.mark.parametrize("cause", ["reset later", "time-out", "reset told"])
def test_crossing_fins_and_a_word_that_has_its_cause(cause: str) -> None:
    story = Story()
    if cause == "time-out":
        story.iut.call("set_option", name="USER_TIMEOUT", value=100)
    story.iut.shutdown()
    story.peer.shutdown()
    story.segment(IUT, "FA", fate=Fate.HELD, delivered_at=story.now + 3 * MS)
    story.segment(PEER, "FA", ack=0)
    story.segment(IUT, "A", start=1)
    story.segment(PEER, "A", start=1)
    match cause:
        case "reset later":
            story.iut.recv(0)
            story.rst(PEER)
        case "time-out":
            story.iut.recv(error="ETIMEDOUT")
        case "reset told":
            story.rst(PEER)
            story.iut.recv(error="ECONNRESET")
    story.settle()
    assert story.conclusions("WIRE-SIM-01") == NOTHING


def test_the_peer_had_the_iuts_fin_when_it_sent_its_own() -> None:
    story = Story()
    story.iut.shutdown()
    story.peer.shutdown()
    story.segment(IUT, "FA")
    story.segment(PEER, "FA", ack=1)
    story.segment(IUT, "A", start=1)
    story.iut.recv(0)
    story.settle()
    assert story.conclusions("WIRE-SIM-01") == NOTHING


def test_a_reset_while_the_fin_that_crosses_waits_beyond_a_gap() -> None:
    story = Story()
    story.iut.shutdown()
    story.peer.send(5)
    story.segment(PEER, "PA", 5, fate=Fate.DROPPED)
    story.peer.shutdown()
    story.segment(IUT, "FA", fate=Fate.HELD, delivered_at=story.now + 3 * MS)
    story.segment(PEER, "FA", ack=0)
    story.rst(IUT)
    story.settle()
    assert story.conclusions("WIRE-SIM-01") == NOTHING


def test_the_iuts_fin_after_the_peers_does_not_cross_it() -> None:
    story = peers_fin()
    story.iut.recv(0)
    story.iut.shutdown()
    story.fin(IUT)
    story.settle()
    assert story.conclusions("WIRE-SIM-01") == NOTHING


def test_fins_one_after_the_other_do_not_cross() -> None:
    story = Story()
    story.iut.shutdown()
    story.fin(IUT)
    story.peer.shutdown()
    story.fin(PEER)
    story.iut.recv(0)
    story.settle()
    assert story.conclusions("WIRE-SIM-01") == NOTHING
