# SPDX-License-Identifier: MIT
"""Agents with a clock of their own: lines are timed for calls, and one that takes too long makes all doubtful."""

from __future__ import annotations

import select
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from conformance.agents.client import Agent
from conformance.agents.launching import SubprocessLauncher
from conformance.agents.problems import ProtocolViolation
from conformance.agents.transports import ProcessTransport
from conformance.execution.calling import Caller, CannotExercise, Limits
from conformance.execution.endpoint import Endpoint
from conformance.execution.farness import doubtful_way
from conformance.execution.recorder import Recorder
from conformance.trace.events import Called, Completed, End, Established, Event, Indicated, Outcome, Returned, Segment
from conformance.trace.far import CAME_LATE, SENT_TWICE, lost_beyond
from tests.oracle.story import IUT, PEER, Story

MS = 1_000_000
LIMITS = Limits(30, 1000, latency_ms=100)
HELLO = {
    "protocol": 1,
    "agent": {"name": "far", "version": "1"},
    "implementation": {"name": "i", "version": "2"},
    "family": "posix",
    "transport": "tcp",
    "service_flags": [],
    "limits": {"disconnect_data_max": 0, "message_max": None},
    "surfaces": ["blocking"],
    "ops": ["shutdown", "recv"],
    "reads_ahead": False,
    "concurrent": True,
    "clock": "foreign",
}
AGENT = """
import json, sys, time

def say(**line): sys.stdout.write(json.dumps(line) + "\\n"); sys.stdout.flush()  # in one piece

for line in sys.stdin:
    request = json.loads(line)
    op, number = request["op"], request["id"]
    if op == "hello":
        say(id=number, result={hello})
    elif op == "shutdown":  # the call took 100 ns, in 1970
        say(event=dict(n=1, socket=3, type="FD_CLOSE", error=None, at=5_000_000))
        say(completion=dict(n=2, token="r1", result=dict(length=0, data=""), mechanism="event", at=6_000_000))
        say(id=number, result={{}}, call=[4_000_000, 4_000_100])
    elif op == "recv":  # it took an hour, in an instant
        say(id=number, timeout=True, call=[0, 3600 * 10**9])
    else:
        say(id=number, result={{}})
"""


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Agent]:
    path = tmp_path / "agent.py"
    path.write_text(textwrap.dedent(AGENT.format(hello=HELLO)))
    with Agent.start(ProcessTransport(SubprocessLauncher(), [sys.executable, str(path)])) as agent:
        yield agent


def caller(agent: Agent) -> Caller:
    return Caller(End.IUT, agent, Recorder(), LIMITS, "stream", socket=3)


def of(kind: type, events: list[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


def test_calls_last_from_request_to_reply_and_the_agents_own_times_are_kept(far: Agent) -> None:
    end = caller(far)
    before = time.time_ns()
    end.call("shutdown", how="send")
    after = time.time_ns()
    (called,), (returned,) = of(Called, end.recorder.events), of(Returned, end.recorder.events)
    assert isinstance(called, Called)
    assert isinstance(returned, Returned)
    assert before <= called.at <= returned.at <= after
    assert (called.own, returned.own) == (4_000_000, 4_000_100)
    assert end.slowest_ns == returned.at - called.at - 100


def test_a_line_is_timed_when_it_comes_and_not_when_somebody_asks_for_it(far: Agent) -> None:
    end = caller(far)
    pending = end.begin("shutdown", how="send")
    came = select.poll()
    came.register(far._ears.fd, select.POLLIN)
    assert came.poll(10_000)
    asked = time.time_ns()
    end.finish(pending)
    assert of(Indicated, end.recorder.events)[0].at <= asked


def test_notices_are_dated_by_when_they_were_read(far: Agent) -> None:
    end = caller(far)
    before = time.time_ns()
    end.call("shutdown", how="send")
    (told,), (completed,) = of(Indicated, end.recorder.events), of(Completed, end.recorder.events)
    assert isinstance(told, Indicated)
    assert isinstance(completed, Completed)
    assert before <= told.at <= completed.at <= time.time_ns()
    assert (told.own, completed.own) == (5_000_000, 6_000_000)


def test_a_call_that_lasted_longer_than_its_reply_took_is_an_error(far: Agent) -> None:
    with pytest.raises(ProtocolViolation, match="by its agent's clock"):
        caller(far).call("recv", length=1)


def test_an_agent_that_is_not_our_process_is_not_killed(far: Agent) -> None:
    end = Endpoint(End.IUT, far, Recorder(), LIMITS, "stream")
    far._channel.owned = False
    with pytest.raises(CannotExercise, match="cannot be seen to die"):
        end.die()
    assert far.alive
    assert end.recorder.events == []


def connect(took_ms: int, *, own_ms: int | None = None, outcome: Outcome = Outcome.RESULT) -> list[Event]:
    own = None if own_ms is None else own_ms * MS
    return [
        Called(at=0, end=End.PEER, call=1, op="connect", own=None if own is None else 0),
        Returned(at=took_ms * MS, end=End.PEER, call=1, outcome=outcome, own=own),
    ]


@pytest.mark.parametrize(
    ("slowest_ms", "events", "says"),
    [
        (100, connect(100), ""),
        (101, [], "took 101 ms on their way"),
        (0, connect(101), "took 101 ms to make a connection"),
        (0, connect(300, own_ms=99), ""),
        (0, connect(300, own_ms=101), "took 101 ms"),
        (0, connect(5000, outcome=Outcome.ERROR), ""),
    ],
)
def test_what_takes_longer_than_was_allowed_for_makes_a_case_doubtful(
    far: Agent, slowest_ms: int, events: list[Event], says: str
) -> None:
    iut = Endpoint(End.IUT, far, Recorder(), LIMITS, "stream", slowest_ns=slowest_ms * MS)
    said = doubtful_way(iut, events, LIMITS)
    assert says in said
    assert bool(says) is bool(said)


def test_equal_ports_make_a_case_doubtful(far: Agent) -> None:
    iut = Endpoint(End.IUT, far, Recorder(), LIMITS, "stream")
    joined = Established(
        at=0, iut=1, peer=1, client=End.IUT, client_address={"port": 40000}, listener_address={"port": 40000}
    )
    assert "the same port" in doubtful_way(iut, [joined], LIMITS)


@pytest.mark.parametrize(("read", "latency_ms", "certain"), [(False, 0, False), (True, 0, True), (True, 200, True)])
def test_without_a_link_an_end_may_wait_behind_what_is_unread(read: bool, latency_ms: int, certain: bool) -> None:
    story = Story(wire=False)
    topology = "remote" if latency_ms else "host"
    story.header = msgspec.structs.replace(story.header, topology=topology, latency_ns=latency_ms * MS)
    story.peer.send(5)
    story.peer.shutdown("send")
    if read:
        story.iut.recv(5)
    ending = story.connection().peer_to_iut.ending
    assert ending.certain_at == (story.now + latency_ms * MS if certain else None)


@pytest.mark.parametrize(("topology", "certain"), [("host", True), ("remote", False)])
def test_without_a_link_nobody_knows_whether_a_reset_came_far(topology: str, certain: bool) -> None:
    story = Story(wire=False)
    story.header = msgspec.structs.replace(story.header, topology=topology)
    story.peer.linger(0)
    story.peer.close()
    ending = story.connection().peer_to_iut.ending
    assert ending.is_abort
    assert (ending.certain_at is not None) is certain


def segments(*seen: tuple[End, int, int]) -> Story:
    story = Story()
    for end, start, length in seen:
        story.segment(end, "PA", length, start=start)
    return story


@pytest.mark.parametrize(
    ("seen", "of_iut", "of_peer"),
    [
        ([(PEER, 0, 10), (IUT, 0, 0), (PEER, 10, 10), (IUT, 0, 5)], "", ""),
        ([(PEER, 0, 10), (PEER, 0, 10)], "", SENT_TWICE),
        ([(PEER, 0, 10), (PEER, 5, 10)], "", SENT_TWICE),
        ([(IUT, 0, 10), (IUT, 0, 10)], "", ""),  # what came twice came
        ([(IUT, 10, 10), (IUT, 0, 10)], CAME_LATE, ""),
        ([(IUT, 10, 10)], "", ""),  # what is missing for good is the IUT's own fault
        ([(PEER, -1, 0), (PEER, 0, 10)], "", ""),  # a probe
    ],
)
def test_what_shows_that_a_segment_was_lost_far_away(
    seen: list[tuple[End, int, int]], of_iut: str, of_peer: str
) -> None:
    story = segments(*seen)
    events = [event for event in story.events if isinstance(event, Segment)]
    assert lost_beyond(events, IUT) == of_iut
    assert lost_beyond(events, PEER) == of_peer
