# SPDX-License-Identifier: MIT
"""Rules carried out: what is dropped is sent again, what is held comes later, what is repeated comes twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.trace.events import End, Fate, Segment
from conformance.wire.forging import Forgery, NothingToGoBy, Place
from conformance.wire.rewriting import Arrived, Rewriter, Sent
from conformance.wire.rules import Action, Rule, Selection
from conformance.wire.topology import Topology
from tests.wire.conftest import LIMIT_S, Exchange, exchange

FIN_FROM_PEER = Selection(End.PEER, "F")
DATA_FROM_PEER = Selection(End.PEER, without="F", has_data=True)


@pytest.fixture
def watched(opened: Callable[[str], Topology]) -> Exchange:
    return exchange(opened("wire"), "inet", octets=10, sends=3)


def fins_of_peer(watched: Exchange) -> list[Segment]:
    """All of them: a busy machine may need more than the test provokes."""
    return [segment for segment in watched.tap.segments() if segment.sender is End.PEER and "F" in segment.flags]


def test_a_dropped_fin_is_sent_again_by_the_peer(watched: Exchange) -> None:
    watched.tap.apply(Rule(Action.DROP, FIN_FROM_PEER, count=1))
    assert watched.finish(watched.connect()) == "received 30"
    first, second, *_ = fins_of_peer(watched)
    assert (first.fate, second.fate) == (Fate.DROPPED, Fate.DELIVERED)
    assert first.seq + first.length == second.seq + second.length
    assert watched.tap.frames()[first.frame - 1].comment == "drop the first FIN from the peer"
    told = next(s for s in watched.tap.segments() if s.sender is End.IUT and "F" in s.flags)
    assert told.at > second.at


def test_data_held_until_the_fin_has_passed_arrives_behind_it(watched: Exchange) -> None:
    watched.tap.apply(Rule(Action.HOLD, DATA_FROM_PEER, skip=1, until=FIN_FROM_PEER))
    assert watched.finish(watched.connect()) == "received 30"
    held = [segment for segment in watched.tap.segments() if segment.fate is Fate.HELD]
    fin, *_ = fins_of_peer(watched)
    assert held
    for segment in held:
        assert segment.at < fin.at
        assert segment.delivered_at is not None
        assert segment.delivered_at > fin.at


def test_what_is_held_waits_for_its_release(watched: Exchange) -> None:
    watched.tap.apply(Rule(Action.HOLD, FIN_FROM_PEER))
    client = watched.connect()
    held = watched.tap.wait_for(lambda segment: segment.fate is Fate.HELD, LIMIT_S)
    assert held is not None
    assert held.delivered_at is None
    watched.tap.release()
    let_go = watched.tap.wait_for(lambda segment: segment.delivered_at is not None, LIMIT_S)
    assert let_go is not None
    assert (let_go.frame, let_go.at) == (held.frame, held.at)
    assert watched.finish(client) == "received 30"


def test_a_rule_repeats_each_fin(watched: Exchange) -> None:
    watched.tap.apply(Rule(Action.REPEAT, FIN_FROM_PEER))
    assert watched.finish(watched.connect()) == "received 30"
    original, copy, *_ = fins_of_peer(watched)
    assert (original.fate, copy.fate) == (Fate.DELIVERED, Fate.REPEATED)
    assert original.seq == copy.seq


def test_a_recorded_segment_is_put_on_the_link_again(watched: Exchange) -> None:
    assert watched.finish(watched.connect()) == "received 30"
    fin, *_ = fins_of_peer(watched)
    before = len(watched.tap.segments())
    watched.tap.repeat(fin)
    # The implementation answers the copy, by an ACK from TIME-WAIT or a RST: it did arrive.
    answer = watched.tap.wait_for(lambda s: s.sender is End.IUT and s.frame > before, LIMIT_S)
    assert answer is not None
    assert Fate.REPEATED in {segment.fate for segment in watched.tap.segments()[before:]}


def test_from_now_on_nothing_of_the_peer_gets_through(watched: Exchange) -> None:
    watched.tap.apply(Rule(Action.DROP, Selection(End.PEER)))
    watched.connect()
    assert watched.tap.wait_for(lambda segment: segment.flags == "S", LIMIT_S) is not None
    assert watched.tap.flush(LIMIT_S)
    assert {segment.sender for segment in watched.tap.segments()} == {End.PEER}
    assert {segment.fate for segment in watched.tap.segments()} == {Fate.DROPPED}


@pytest.mark.parametrize("family", ["inet", "inet6"])
def test_a_forged_segment_reaches_the_end_it_was_made_for(opened: Callable[[str], Topology], family: str) -> None:
    watched = exchange(opened("wire"), family, octets=10, sends=3)
    assert watched.finish(watched.connect()) == "received 30"
    before = len(watched.tap.segments())
    with_octets = Forgery(End.PEER, "PA", Place.SENT, 5, length=20)
    forged = watched.tap.forge(with_octets)
    assert (forged.fate, forged.sender, forged.flags, forged.length) == (Fate.FORGED, End.PEER, "PA", 20)
    assert watched.tap.frames()[forged.frame - 1].comment == str(with_octets)
    # What is not right in every checksum is not answered, and here nothing is left of the connection but TIME-WAIT.
    answer = watched.tap.wait_for(lambda s: s.sender is End.IUT and s.frame > before, LIMIT_S)
    assert answer is not None
    assert answer.frame > forged.frame


def test_a_forged_segment_goes_past_all_rules(watched: Exchange) -> None:
    assert watched.finish(watched.connect()) == "received 30"
    watched.tap.apply(Rule(Action.DROP, Selection(End.PEER)))
    assert watched.tap.forge(Forgery(End.PEER, "R")).fate is Fate.FORGED


def test_nothing_is_forged_before_there_is_anything_to_forge(watched: Exchange) -> None:
    with pytest.raises(NothingToGoBy, match="peer"):
        watched.tap.forge(Forgery(End.PEER, "R"))
    assert watched.tap.frames() == []


def test_what_a_rewriter_puts_on_the_link_is_recorded_as_sent(watched: Exchange) -> None:
    def first_fin_lost(sent: Sent) -> Sent | None:
        return None if "F" in sent.flags and sent.nth("FIN") == 1 else sent

    watched.tap.rewrite(Rewriter(first_fin_lost))
    assert watched.finish(watched.connect()) == "received 30"
    again = watched.tap.wait_for(lambda s: s.sender is End.IUT and "F" in s.flags, LIMIT_S)
    assert again is not None
    assert {segment.fate for segment in watched.tap.segments()} == {Fate.DELIVERED}
    assert not watched.tap.problem


def test_what_the_implementation_makes_of_a_segment_is_not_recorded_but_what_it_answers_is(watched: Exchange) -> None:
    def first_fin_answered_by_a_reset(arrival: Arrived) -> Arrived | Sent:
        return arrival.answer("RA") if "F" in arrival.flags and arrival.nth("FIN") == 1 else arrival

    watched.tap.rewrite(Rewriter(arrival=first_fin_answered_by_a_reset))
    watched.connect()
    reset = watched.tap.wait_for(lambda s: "R" in s.flags, LIMIT_S)
    assert reset is not None
    fin, behind = watched.tap.segments()[reset.frame - 2 : reset.frame]
    assert (fin.sender, "F" in fin.flags, fin.fate) == (End.PEER, True, Fate.DELIVERED)
    assert (behind.sender, behind.flags, behind.length, behind.fate) == (End.IUT, "RA", 0, Fate.DELIVERED)
    assert not watched.tap.problem


def test_what_is_forged_and_what_is_repeated_arrives_like_the_rest(watched: Exchange) -> None:
    came: list[tuple[str, int]] = []

    def noted(arrival: Arrived) -> Arrived:
        came.append((arrival.flags, (arrival.after - arrival.expected) % 2**32))
        return arrival

    watched.tap.rewrite(Rewriter(arrival=noted))
    assert watched.finish(watched.connect()) == "received 30"
    fin, *_ = fins_of_peer(watched)
    came.clear()
    watched.tap.repeat(fin)
    watched.tap.forge(Forgery(End.PEER, "R", Place.EXPECTED, 7))
    assert {(fin.flags, 0), ("R", 7)} <= {*came}  # the stacks may go on


@pytest.mark.parametrize("filtered", ["segment", "arrival"])
def test_a_rewriter_that_breaks_is_told_and_the_link_goes_on(watched: Exchange, filtered: str) -> None:
    def broken(sent: Sent) -> Sent:
        raise LookupError(sent.flags)

    watched.tap.rewrite(Rewriter(**{filtered: broken}))
    assert watched.finish(watched.connect()) == "received 30"
    assert "the rewriter broke: LookupError" in watched.tap.problem
