# SPDX-License-Identifier: MIT
"""Running one case: lend it two agents and a link, let it make things happen, and turn what was seen into a trace."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from conformance.agents.operations import Hello
from conformance.agents.problems import AgentProblem, AgentRefused, AgentSilent
from conformance.catalogue.statement import Statement
from conformance.execution import clocks
from conformance.execution.calling import CannotExercise
from conformance.execution.connection import Connection, Link, establish
from conformance.execution.endpoint import Endpoint
from conformance.execution.farness import doubtful_way
from conformance.execution.profile import Profile
from conformance.execution.recorder import Recorder
from conformance.execution.stage import Stage
from conformance.trace import pcapng, store
from conformance.trace.events import End, Pdu, Segment
from conformance.trace.frames import Frame
from conformance.trace.trace import Header, Trace, in_order
from conformance.wire.errors import TopologyUnavailable, WireProblem
from conformance.wire.rewriting import Rewriter
from conformance.wire.topology import REMOTE

NS_PER_MS = 1_000_000


@dataclass(frozen=True)
class Provider:
    """A provider as this run tests it: its profile, what its agent said, and the statement that follows from both."""

    profile: Profile
    hello: Hello
    statement: Statement
    peer: Profile
    rewriter: Callable[[], Rewriter | None] | None = None
    """What stands between it and the link, fresh for each case, where it is a mutant."""

    @property
    def name(self) -> str:
        """The provider's name."""
        return self.profile.name


@dataclass(frozen=True)
class Case:
    """A test case for one provider: the function that makes the stimulus, and what it needs."""

    id: str
    provider: Provider
    topology: str
    exercises: tuple[str, ...]
    function: Callable[..., None]
    arguments: dict[str, Any]
    client: End = End.IUT
    connected: bool = True
    expected_s: float = 0.0
    """How long it is expected to wait, in seconds; only the order of starting rests on it."""
    other: Profile | None = None
    """Who plays the other end in this case, where it is not whom the provider's profile names."""

    @property
    def peer(self) -> Profile:
        """Who plays the other end."""
        return self.other or self.provider.peer

    @property
    def raw_peer(self) -> bool:
        """Whether the other end speaks the layer below only: its sends carry octets of the case's own making."""
        return self.peer.statement.transport != self.provider.statement.transport


@dataclass
class _Outcome:
    problem: str = ""
    unavailable: str = ""
    frames: list[Frame] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    pdus: list[Pdu] = field(default_factory=list)
    lost: int = 0
    watched: bool = False
    wire_missing: str = ""
    doubtful: str = ""


def run(case: Case, stage: Stage) -> tuple[Trace, list[Frame]]:
    """Run a case and return its trace and the frames behind it. What breaks is told by the trace's header."""
    recorder, outcome = Recorder(), _Outcome(problem=stage.given_up(case.provider.name))
    if outcome.problem:
        return _trace_of(case, stage, recorder, outcome)
    clock = clocks.difference_ns()
    try:
        with ExitStack() as held:
            _run(case, stage, recorder, outcome, held)
    except TopologyUnavailable as problem:
        outcome.unavailable = f"the topology {case.topology} is not available: {problem.why}"
    except (AgentProblem, WireProblem) as problem:
        outcome.problem = str(problem)
        if isinstance(problem, AgentSilent):
            stage.fell_silent(case.provider.name)
    except Exception:  # the harness's own fault: an error, with all that is needed to mend it
        outcome.problem = f"the case broke:\n{traceback.format_exc()}"
    outcome.doubtful = clocks.set_meanwhile(clock, clocks.difference_ns()) or outcome.doubtful
    return _trace_of(case, stage, recorder, outcome)


def _trace_of(case: Case, stage: Stage, recorder: Recorder, outcome: _Outcome) -> tuple[Trace, list[Frame]]:
    limits = stage.limits(case.provider.profile)
    header = Header(
        case=case.id,
        provider=case.provider.name,
        statement=case.provider.statement,
        topology=case.topology,
        exercises=case.exercises,
        implementation=msgspec.to_builtins(case.provider.hello.implementation),
        peer=case.peer.name,
        raw_peer=case.raw_peer,
        settle_ns=limits.settle_ms * NS_PER_MS,
        prompt_ns=limits.prompt_ms * NS_PER_MS,
        # A link that was watched and showed nothing is a capture that failed, not a transport without a link.
        wire=outcome.watched,
        wire_missing=outcome.wire_missing,
        lost=outcome.lost,
        problem=outcome.problem,
        unavailable=outcome.unavailable,
        foreign_clock=case.provider.hello.clock == "foreign",
        latency_ns=limits.latency_ms * NS_PER_MS,
        doubtful=outcome.doubtful,
    )
    return Trace(header, in_order([*recorder.events, *outcome.segments, *outcome.pdus])), outcome.frames


def _run(case: Case, stage: Stage, recorder: Recorder, outcome: _Outcome, held: ExitStack) -> None:
    provider = case.provider
    topology = stage.topology(case.topology, provider.profile)
    limits = stage.limits(provider.profile)
    iut_agent = held.enter_context(stage.agent(provider.profile, topology, End.IUT))
    peer_agent = held.enter_context(stage.agent(case.peer, topology, End.PEER))
    if peer_agent.has_foreign_clock:
        raise AgentRefused("the peer's agent says `clock: foreign`", "use a peer whose agent runs on this machine")
    if case.topology == REMOTE and provider.profile.control_shares_the_link:
        recorder.note("the control connection crosses the link under test", End.IUT, at=provider.profile.agent.connect)
    iut = Endpoint(End.IUT, iut_agent, recorder, limits, provider.profile.kind)
    peer = Endpoint(End.PEER, peer_agent, recorder, limits, case.peer.kind)
    iut.other, peer.other = peer, iut
    family = provider.profile.address_family
    link = Link(None, recorder, limits)
    rewriter = provider.rewriter() if provider.rewriter else None
    connection = Connection(iut, peer, link, limits, recorder, topology, family, provider.statement, rewriter)
    lost_before = topology.link.lost if topology.link else 0
    try:
        if case.connected:
            establish(connection, case.client)
        case.function(**{("connection" if case.connected else "ends"): connection}, **case.arguments)
    except CannotExercise as reason:
        recorder.note("cannot exercise", reason=str(reason))
    finally:
        if iut_agent.has_foreign_clock:
            time.sleep(limits.latency_ms / 1000)  # what it has said, or put on a link to elsewhere, is here by then
            outcome.doubtful = doubtful_way(iut, recorder.events, limits)
        try:
            for endpoint in (iut, peer):
                endpoint.look()
        finally:
            _take_link(connection, topology.link_missing, outcome)
        if topology.link is not None:
            outcome.lost = topology.link.lost - lost_before


def _take_link(connection: Connection, missing: str, outcome: _Outcome) -> None:
    tap = connection.link.tap
    if tap is None:
        outcome.wire_missing = missing
        return
    outcome.watched = True
    if not tap.flush():
        outcome.wire_missing = "the capture could not be made sure to be whole"
    outcome.frames, outcome.segments, outcome.pdus = tap.frames(), tap.segments(), tap.pdus()
    outcome.problem = outcome.problem or tap.problem
    tap.close()


def keep(case: Case, trace: Trace, frames: list[Frame], directory: Path) -> Path:
    """Write the evidence of a case below `directory`; the path of the trace. Raises OSError.

    The trace comes last: where it is, all is.
    """
    path = directory / case.provider.name / f"{store.file_name(case.id)}.jsonl"
    if frames:
        pcapng.write(
            path.with_suffix(".pcapng"), frames, comment=f"{case.id} ({case.provider.name})", interface=case.topology
        )
    store.save(trace, path)
    return path
