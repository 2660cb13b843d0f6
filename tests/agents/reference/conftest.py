# SPDX-License-Identifier: MIT
"""Reference agents in all forms, started once, and connections between them or with a raw TCP peer."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest

from conformance.agents.client import Agent
from conformance.agents.launching import SubprocessLauncher
from conformance.agents.transports import ProcessTransport
from tests.agents.reference.ends import KINDS, LONG_MS, End, Raw, result

Agents: TypeAlias = Callable[[str], tuple[Agent, Agent]]
ANY = {"family": "inet", "host": "127.0.0.1", "port": 0}


@pytest.fixture(scope="session")
def reference_agents() -> Iterator[Agents]:
    """Two agents for each form, reset before each use."""
    running: dict[str, tuple[Agent, Agent]] = {}
    started: list[Agent] = []

    def get(form: str) -> tuple[Agent, Agent]:
        pair = running.get(form)
        if pair is None or not (pair[0].alive and pair[1].alive):
            command = [sys.executable, "-m", "conformance.agents.reference", "--form", form]
            one, other = (Agent.start(ProcessTransport(SubprocessLauncher(), command)) for _ in range(2))
            started.extend((one, other))
            pair = running[form] = (one, other)
        for agent in pair:
            agent.reset()
        return pair

    yield get
    for agent in started:
        agent.close()


def connected(agents: tuple[Agent, Agent], form: str) -> tuple[End, End]:
    """Return both ends of a new connection."""
    kind = KINDS[form]
    one, other = agents
    listener = End(other, result(other.request("socket", family="inet", kind=kind))["socket"], kind)
    address = listener.do("listen", address=ANY)["address"]
    end = End(one, result(one.request("socket", family="inet", kind=kind))["socket"], kind)
    end.do("connect", address=address, wait_ms=LONG_MS)
    return end, End(other, listener.do("accept", wait_ms=LONG_MS)["socket"], kind)


@pytest.fixture(params=list(KINDS))
def form(request: pytest.FixtureRequest) -> str:
    """Each form in turn."""
    return str(request.param)


@pytest.fixture
def ends(form: str, reference_agents: Agents) -> tuple[End, End]:
    """A connection in each form in turn."""
    return connected(reference_agents(form), form)


@pytest.fixture
def messages(reference_agents: Agents) -> tuple[End, End]:
    """A connection in the message form."""
    return connected(reference_agents("message"), "message")


@pytest.fixture
def streams(reference_agents: Agents) -> tuple[End, End]:
    """A connection in the stream form."""
    return connected(reference_agents("stream"), "stream")


def with_raw(agent: Agent, kind: str) -> tuple[End, Raw]:
    """Return an agent's end of a connection to a raw peer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        end = End(agent, result(agent.request("socket", family="inet", kind=kind))["socket"], kind)
        end.do("connect", address={**ANY, "port": server.getsockname()[1]}, wait_ms=LONG_MS)
        tcp, _ = server.accept()
    return end, Raw(tcp)


@pytest.fixture
def raw(form: str, reference_agents: Agents) -> Iterator[tuple[End, Raw]]:
    """An agent's end in each form in turn, and a raw peer."""
    end, peer = with_raw(reference_agents(form)[0], KINDS[form])
    yield end, peer
    peer.tcp.close()


@pytest.fixture
def raw_messages(reference_agents: Agents) -> Iterator[tuple[End, Raw]]:
    """An agent's end in the message form, and a raw peer."""
    end, peer = with_raw(reference_agents("message")[0], "message")
    yield end, peer
    peer.tcp.close()
