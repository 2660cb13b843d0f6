# SPDX-License-Identifier: MIT
"""What every topology shows of a connection: the same segments, once each, whichever way they were seen."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from conformance.trace.events import End, Fate
from conformance.wire.errors import RulesNotPossible, TopologyUnavailable
from conformance.wire.rules import Action, Rule
from conformance.wire.tap import Tap
from conformance.wire.topology import PRIVATE, Topology, availability, open_topology
from tests.wire.conftest import LIMIT_S, exchange

Opened = Callable[[str], Topology]


HERE = (*PRIVATE, "host")
"""The topologies that need no other machine; `remote` is tried in tests/end_to_end."""


@pytest.fixture(params=HERE)
def topology(request: pytest.FixtureRequest, opened: Opened) -> Topology:
    topology = opened(request.param)
    if topology.link is None:
        pytest.skip(topology.link_missing)
    return topology


@pytest.mark.parametrize("family", ["inet", "inet6"])
def test_each_segment_of_a_connection_is_seen_once(topology: Topology, family: str) -> None:
    if family not in topology.iut.addresses:
        pytest.skip("no IPv6 here")
    watched = exchange(topology, family)
    assert watched.finish(watched.connect()) == "received 100"

    segments = watched.tap.segments()
    assert [segment.frame for segment in segments] == list(range(1, len(segments) + 1))
    assert all(segment.fate is Fate.DELIVERED for segment in segments)
    # A packet seen twice is the same to the last octet; a retransmission, which a busy machine may need, is not.
    assert len({frame.data for frame in watched.tap.frames()}) == len(segments)
    seen = {(segment.sender, flag, segment.seq) for segment in segments for flag in segment.flags if flag in "SFR"}
    assert Counter((sender, flag) for sender, flag, _ in seen) == {
        (End.IUT, "S"): 1, (End.PEER, "S"): 1, (End.IUT, "F"): 1, (End.PEER, "F"): 1
    }  # fmt: skip
    assert {(s.sender, s.length) for s in segments if s.length} == {(End.PEER, 100)}
    assert [s.flags for s in segments[:2]] == ["S", "SA"]
    assert segments[0].destination_port == watched.tap.port
    fin = next(s for s in segments if s.sender is End.PEER and "F" in s.flags)
    assert fin.seq == (segments[0].seq + 101) % 2**32
    assert topology.link is not None
    assert topology.link.lost == 0


def test_bulk_data_is_cut_but_counted_in_full(topology: Topology) -> None:
    watched = exchange(topology, "inet", octets=50_000, sends=20)
    assert watched.finish(watched.connect()) == "received 1000000"
    # By sequence number, because what is retransmitted counts once.
    carried = {s.seq: s.length for s in watched.tap.segments() if s.sender is End.PEER}
    assert sum(carried.values()) == 1_000_000
    assert max(len(frame.data) for frame in watched.tap.frames()) <= 1500


def test_the_direction_follows_the_listener(opened: Opened) -> None:
    topology = opened("loopback")
    assert topology.link is not None
    watched = exchange(topology, "inet")
    other = topology.link.claim(topology.peer.next_port(), End.PEER)
    watched.finish(watched.connect())
    assert watched.tap.segments()[0].sender is End.PEER
    assert other.segments() == []


def test_wait_for_finds_what_is_there_and_what_comes(topology: Topology) -> None:
    watched = exchange(topology, "inet")
    waiting: list[object] = []
    thread = threading.Thread(
        target=lambda: waiting.append(watched.tap.wait_for(lambda s: "F" in s.flags, LIMIT_S)), daemon=True
    )
    thread.start()
    watched.finish(watched.connect())
    thread.join(LIMIT_S)
    assert waiting == [watched.tap.wait_for(lambda s: "F" in s.flags, 0.0)]
    assert waiting[0] is not None
    assert watched.tap.wait_for(lambda s: "U" in s.flags, 0.0) is None


def test_a_closed_tap_records_nothing_more(opened: Opened) -> None:
    topology = opened("loopback")
    watched = exchange(topology, "inet")
    watched.tap.close()
    watched.connect().wait(LIMIT_S)
    assert watched.tap.flush(LIMIT_S)
    assert watched.tap.segments() == []


def test_a_port_is_claimed_once(opened: Opened) -> None:
    link = opened("loopback").link
    assert link is not None
    tap = link.claim(12_345, End.IUT)
    with pytest.raises(ValueError, match="12345"):
        link.claim(12_345, End.PEER)
    tap.close()
    link.claim(12_345, End.PEER)


@pytest.mark.parametrize("name", ["loopback", "veth", "host"])
def test_a_link_that_only_looks_on_takes_no_rules(opened: Opened, name: str) -> None:
    link = opened(name).link
    if link is None:
        pytest.skip("no capture here")
    tap = link.claim(12_346, End.IUT)
    with pytest.raises(RulesNotPossible, match=name):
        tap.apply(Rule(Action.DROP))
    with pytest.raises(RulesNotPossible):
        tap.release()


def test_four_topologies_at_once_do_not_see_each_other(opened: Opened) -> None:
    def one(topology: Topology) -> int:
        watched = exchange(topology, "inet")
        watched.finish(watched.connect())
        return len({segment.sender for segment in watched.tap.segments() if "S" in segment.flags})

    topologies = [opened("loopback") for _ in range(4)]
    assert len({topology.iut.directory for topology in topologies}) == 4
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, topologies)) == [2, 2, 2, 2]


def test_the_ports_of_a_private_namespace_are_given_out_once(opened: Opened) -> None:
    topology = opened("loopback")
    given = [topology.iut.next_port() for _ in range(100)] + [topology.peer.next_port() for _ in range(100)]
    assert len(set(given)) == 200
    assert max(given) < 32_768


def test_an_unknown_topology_is_named() -> None:
    with pytest.raises(ValueError, match="moebius"):
        open_topology("moebius")


@pytest.mark.parametrize("name", HERE)
def test_what_is_not_available_says_why_and_what_to_do(name: str) -> None:
    missing = availability(name)
    if missing is None:
        open_topology(name).close()
        return
    assert missing.what
    assert missing.remedy
    with pytest.raises(TopologyUnavailable):
        open_topology(name)


def test_many_threads_flush_at_once(topology: Topology) -> None:
    link = topology.link
    assert link is not None
    taps = [link.claim(60_000 + number, End.PEER) for number in range(8)]
    together = threading.Barrier(len(taps), timeout=LIMIT_S)

    def flush_in_rounds(tap: Tap) -> bool:
        # In each round the last marker may be overtaken by an earlier one, and no later one follows.
        rounds = []
        for _ in range(200):
            together.wait()
            rounds.append(tap.flush(2.0))
        return all(rounds)

    patient = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # so that threads overtake each other wherever they can
    try:
        with ThreadPoolExecutor(len(taps)) as pool:
            assert all(pool.map(flush_in_rounds, taps))
    finally:
        sys.setswitchinterval(patient)
