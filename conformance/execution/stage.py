# SPDX-License-Identifier: MIT
"""What all cases of one worker share: topologies, live agents, and the session's times. Built once, taken down once."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from conformance.agents.client import Agent
from conformance.agents.launching import RunningProcess
from conformance.agents.operations import Hello
from conformance.agents.problems import AgentProblem, AgentRefused, LaunchFailure
from conformance.agents.transports import ProcessTransport, TcpTransport, Transport
from conformance.execution.calling import Limits
from conformance.execution.profile import Profile
from conformance.trace.events import End
from conformance.wire.errors import LaunchFailed, TopologyUnavailable
from conformance.wire.station import Station
from conformance.wire.topology import REMOTE, Remote, Topology, open_topology

JITTER_SAMPLES = 50
JITTER_FACTOR = 20
"""The settle time is this many times the worst scheduling delay seen: an absence must outlast any ordinary delay."""
SETTLE_LIMIT_MS = 500
ROUND_TRIPS = 20
LATENCY_FACTOR = 4
"""What a message may take on its way is this many times the worst round trip seen, and what the settle time allows
for the scheduling of this machine."""
LATENCY_MS = range(200, 501)
"""It counts as so long at least, for it is measured while nothing else is done; more leaves too little to be seen."""
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
        self._topologies: dict[tuple[str, Remote | None], Topology | TopologyUnavailable] = {}
        self._latencies: dict[str, int] = {}
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
        latency = self._latencies.get(profile.name, 0)
        return Limits(settle + latency, profile.run.prompt_ms + latency, latency)

    def _measure(self, profile: Profile, agent: Agent) -> None:
        """Find out what messages of an agent with a foreign clock take on their way. Raises AgentRefused if long."""
        worst = 0.0
        for _ in range(ROUND_TRIPS):
            before = time.perf_counter()
            agent.reset()
            worst = max(worst, time.perf_counter() - before)
        latency = math.ceil(worst * 1000 * LATENCY_FACTOR + self.jitter_ms * JITTER_FACTOR)
        if latency >= LATENCY_MS.stop:
            why = f"a round trip to its agent took {worst * 1000:.0f} ms: no time of its calls can be told from that"
            raise AgentRefused(f"{profile.name}: {why}", "use a nearer machine, or one that has less to do")
        self._latencies[profile.name] = max(latency, LATENCY_MS.start)

    # --- topologies -----------------------------------------------------------------------------------------------

    def topology(self, name: str, profile: Profile) -> Topology:
        """The topology of that name for that provider, opened on first use.

        Raises TopologyUnavailable, each time the same.
        """
        key = (name, remote_of(profile) if name == REMOTE else None)
        with self._lock:
            if self._closed:
                raise TopologyUnavailable(name, "the run is ending", "run it again")
            if key not in self._topologies:
                try:
                    self._topologies[key] = self._held.enter_context(open_topology(*key))
                except TopologyUnavailable as problem:
                    self._topologies[key] = problem
            found = self._topologies[key]
        if isinstance(found, TopologyUnavailable):
            raise found
        return found

    def opened(self) -> list[str]:
        """The names of the topologies that were used."""
        with self._lock:
            return sorted({name for (name, _), found in self._topologies.items() if isinstance(found, Topology)})

    # --- agents ---------------------------------------------------------------------------------------------------

    @contextmanager
    def agent(self, profile: Profile, topology: Topology, end: End) -> Iterator[Agent]:
        """Lend a live agent of that provider at that end: an idle one, or a fresh one. It is reset afterwards.

        Raises AgentProblem if it cannot be started or breaks at that reset, which is whoever's who had it last, and
        TopologyUnavailable if it lives elsewhere. One that broke, or was killed, is not used again.
        """
        _check_place(profile, topology, end)
        station = topology.iut if end is End.IUT else topology.peer
        place = (profile.agent, topology.name, id(station))
        with self._lock:
            idle = self._idle.setdefault(place, [])
            agent = idle.pop() if idle else None
        if agent is None:
            agent = self._start(profile, station)
        try:
            yield agent
        except BaseException:
            with suppress(AgentProblem):  # what went wrong first is told
                self._take_back(agent, idle)
            raise
        self._take_back(agent, idle)

    def hello(self, profile: Profile, topology: str) -> Hello:
        """What the provider's agent says of itself. Raises AgentProblem, TopologyUnavailable."""
        with self.agent(profile, self.topology(topology, profile), End.IUT) as agent:
            if agent.has_foreign_clock:
                self._measure(profile, agent)
            return agent.hello

    def _start(self, profile: Profile, station: Station) -> Agent:
        agent = Agent.start(transport(profile, station))
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
        finally:
            with self._lock:
                usable = agent.alive and not self._closed
                if usable:
                    idle.append(agent)
            if not usable:
                self._end(agent)

    def dismiss(self, profile: Profile) -> None:
        """No case of that provider is to come: end the agents that wait for one."""
        with self._lock:
            places = [place for place in self._idle if place[0] == profile.agent]
            idle = [agent for place in places for agent in self._idle.pop(place)]
        for agent in idle:
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


def remote_of(profile: Profile) -> Remote | None:
    """The link to the machine of that provider, where its profile names one."""
    if profile.remote is None:
        return None
    return Remote(profile.remote.interface, profile.remote.address, profile.remote.peer_address)


def _check_place(profile: Profile, topology: Topology, end: End) -> None:
    """Raise TopologyUnavailable where that provider's agent is not, or cannot be, at that end."""
    address, name = profile.agent.connect, topology.name
    if name == REMOTE and end is End.PEER and address:
        raise TopologyUnavailable(name, f"the peer is to be here, not at {address}", "name a peer that is started here")
    if name == REMOTE or not address or name == "host":
        return
    hint = "leave --topology out" if profile.remote else "use --topology host"
    raise TopologyUnavailable(name, f"the agent at {address} lives outside of its namespaces", hint)


class At:
    """A station as the agents' transports know it: its failure to launch told in the agents' own terms."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def launch(self, command: Sequence[str]) -> RunningProcess:
        """Start `command`; raises LaunchFailure."""
        try:
            return self._station.launch(command)
        except LaunchFailed as problem:
            raise LaunchFailure(command, problem.why, problem.hint) from None


def transport(profile: Profile, station: Station) -> Transport:
    """The way to that provider's agent, started at that station or running already. Raises LaunchFailure."""
    if profile.agent.connect:
        return TcpTransport(profile.agent.connect)
    return ProcessTransport(At(station), profile.agent.argv)
