# SPDX-License-Identifier: MIT
"""What all cases of one worker share: topologies, live agents, and the session's times. Built once, taken down once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from conformance.agents.client import Agent
from conformance.agents.launching import RunningProcess
from conformance.agents.operations import Hello
from conformance.agents.problems import AgentProblem, LaunchFailure
from conformance.agents.transports import ProcessTransport, TcpTransport, Transport
from conformance.execution.calling import Limits
from conformance.execution.profile import Profile
from conformance.trace.events import End
from conformance.wire.errors import LaunchFailed, TopologyUnavailable
from conformance.wire.station import Station
from conformance.wire.topology import Topology, open_topology

JITTER_SAMPLES = 50
JITTER_FACTOR = 20
"""The settle time is this many times the worst scheduling delay seen: an absence must outlast any ordinary delay."""
SETTLE_LIMIT_MS = 500
SILENCES_LIMIT = 12
"""Cases of one provider that may end in silence before the rest is given up: each costs about seven seconds."""


def scheduling_jitter_ms() -> float:
    """The worst overshoot of a short sleep, in milliseconds: how late this machine runs what is due."""
    worst = 0.0
    for _ in range(JITTER_SAMPLES):
        before = time.perf_counter()
        time.sleep(0.0002)
        worst = max(worst, time.perf_counter() - before)
    return worst * 1000


class Stage:
    """Topologies and agents for the cases of one worker; safe to use from several threads. Close it once."""

    def __init__(self) -> None:
        self.jitter_ms = scheduling_jitter_ms()
        self._held = ExitStack()
        self._lock = threading.Lock()
        self._topologies: dict[str, Topology | TopologyUnavailable] = {}
        self._idle: dict[tuple[object, ...], list[Agent]] = {}
        self._live: set[Agent] = set()
        self._closed = False
        self._silences = Counter[str]()

    # --- giving up ------------------------------------------------------------------------------------------------

    def fell_silent(self, provider: str) -> None:
        """A case of that provider ended because an agent did not answer."""
        self._silences[provider] += 1

    def given_up(self, provider: str) -> str:
        """Why no more cases of that provider are run; empty while they are. Each silence costs seconds."""
        silences = self._silences[provider]
        return f"given up: in {silences} cases an agent did not answer" if silences >= SILENCES_LIMIT else ""

    # --- times ----------------------------------------------------------------------------------------------------

    def limits(self, profile: Profile) -> Limits:
        """The session's times for a provider: the measured settle time, and never less than the profile's."""
        settle = min(max(profile.run.settle_ms, round(self.jitter_ms * JITTER_FACTOR)), SETTLE_LIMIT_MS)
        return Limits(settle_ms=settle, prompt_ms=profile.run.prompt_ms)

    # --- topologies -----------------------------------------------------------------------------------------------

    def topology(self, name: str) -> Topology:
        """The topology of that name, opened on first use. Raises TopologyUnavailable, each time the same."""
        with self._lock:
            if self._closed:
                raise TopologyUnavailable(name, "the run is ending", "run it again")
            if name not in self._topologies:
                try:
                    self._topologies[name] = self._held.enter_context(open_topology(name))
                except TopologyUnavailable as problem:
                    self._topologies[name] = problem
            found = self._topologies[name]
        if isinstance(found, TopologyUnavailable):
            raise found
        return found

    def opened(self) -> list[str]:
        """The names of the topologies that were used."""
        with self._lock:
            return sorted(name for name, found in self._topologies.items() if isinstance(found, Topology))

    # --- agents ---------------------------------------------------------------------------------------------------

    @contextmanager
    def agent(self, profile: Profile, topology: Topology, end: End) -> Iterator[Agent]:
        """Lend a live agent of that provider at that end: an idle one, or a fresh one. It is reset afterwards.

        Raises AgentProblem if it cannot be started, and TopologyUnavailable if it lives elsewhere. One that broke, or
        was killed, is not used again.
        """
        if profile.agent.connect and topology.name != "host":
            why = f"the agent at {profile.agent.connect} lives outside of its namespaces"
            raise TopologyUnavailable(topology.name, why, "use --topology host")
        station = topology.iut if end is End.IUT else topology.peer
        place = (profile.agent, topology.name, id(station))
        with self._lock:
            idle = self._idle.setdefault(place, [])
            agent = idle.pop() if idle else None
        if agent is None:
            agent = self._start(profile, station)
        try:
            yield agent
        finally:
            self._take_back(agent, idle)

    def hello(self, profile: Profile, topology: str) -> Hello:
        """What the provider's agent says of itself. Raises AgentProblem, TopologyUnavailable."""
        with self.agent(profile, self.topology(topology), End.IUT) as agent:
            return agent.hello

    def _start(self, profile: Profile, station: Station) -> Agent:
        agent = Agent.start(_transport(profile, station))
        with self._lock:
            self._live.add(agent)
            closed = self._closed
        if closed:
            self._end(agent)
        return agent

    def _take_back(self, agent: Agent, idle: list[Agent]) -> None:
        try:
            if agent.alive:
                agent.reset()
        except AgentProblem:
            pass  # the case that broke it has said so; what breaks only here is met again by the next hello
        with self._lock:
            if agent.alive and not self._closed:
                idle.append(agent)
                return
        self._end(agent)

    def _end(self, agent: Agent) -> None:
        with self._lock:
            known = agent in self._live
            self._live.discard(agent)
        if known:
            agent.close()

    def stop(self) -> None:
        """End every agent at once, so that whoever waits for one stops waiting."""
        with self._lock:
            self._closed = True
            live = list(self._live)
        for agent in live:
            agent.kill()

    def close(self) -> None:
        """End the agents and take the topologies down."""
        self.stop()
        for agent in list(self._live):
            self._end(agent)
        self._held.close()


class _At:
    """A station as the agents' transports know it: its failure to launch told in the agents' own terms."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def launch(self, command: Sequence[str]) -> RunningProcess:
        try:
            return self._station.launch(command)
        except LaunchFailed as problem:
            raise LaunchFailure(command, problem.why, problem.hint) from None


def _transport(profile: Profile, station: Station) -> Transport:
    if profile.agent.connect:
        return TcpTransport(profile.agent.connect)
    return ProcessTransport(_At(station), profile.agent.argv)
