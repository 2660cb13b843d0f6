# SPDX-License-Identifier: MIT
"""Agents for the tests: miniature fakes, each wrong in one way, and the kernel agent on every kind of socket."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.agents.client import Agent
from conformance.agents.launching import SubprocessLauncher
from conformance.agents.protocol import Reply
from conformance.agents.transports import ProcessTransport

PREAMBLE = """\
import json, os, sys, time

HELLO = {
    "protocol": 1,
    "agent": {"name": "fake", "version": "1"},
    "implementation": {"name": "nothing", "version": "1"},
    "family": "posix", "transport": "tcp", "service_flags": ["GRACEFUL_CLOSE"],
    "limits": {"disconnect_data_max": 0, "message_max": None},
    "surfaces": ["blocking"], "ops": ["socket", "close"],
    "reads_ahead": False, "concurrent": True, "clock": "realtime",
}

def requests():
    for line in sys.stdin:
        yield json.loads(line)

def say(text):
    sys.stdout.write(text + "\\n")
    sys.stdout.flush()

def answer(request, **said):
    say(json.dumps({"id": request["id"], **said}))

def hello(**changed):
    request = next(asked)
    answer(request, result={**HELLO, **changed})

asked = requests()
"""

Fake = Callable[[str], list[str]]
Start = Callable[..., Agent]


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """Make the command of a small Python agent from its body; `hello`, `asked`, `say` and `answer` are there."""

    def make(body: str) -> list[str]:
        script = tmp_path / "fake.py"
        script.write_text(PREAMBLE + body, "utf-8")
        return [sys.executable, "-S", str(script)]

    return make


@pytest.fixture
def start() -> Iterator[Start]:
    """Start agents from commands; all are ended with the test."""
    agents: list[Agent] = []

    def make(command: list[str], deadline_s: float = 10.0) -> Agent:
        agents.append(Agent.start(ProcessTransport(SubprocessLauncher(), command), deadline_s=deadline_s))
        return agents[-1]

    yield make
    for agent in agents:
        agent.close()


class Ends:
    """Two kernel agents and one connection between them: `iut` has socket `a`, `peer` has socket `b`."""

    def __init__(self, iut: Agent, peer: Agent, family: str, kind: str, directory: Path) -> None:
        self.iut = iut
        self.peer = peer
        self.kind = kind
        addresses: dict[str, dict[str, Any]] = {
            "inet": {"family": "inet", "host": "127.0.0.1", "port": 0},
            "inet6": {"family": "inet6", "host": "::1", "port": 0},
            "unix": {"family": "unix", "path": str(directory / "s")},
        }
        self.address = addresses[family]
        self.family = family
        self.listener = self.new(peer)
        self.bound = result(peer.request("listen", socket=self.listener, address=self.address))["address"]
        self.a = self.new(iut)
        result(iut.request("connect", socket=self.a, address=self.bound, wait_ms=5000))
        self.b = result(peer.request("accept", socket=self.listener, wait_ms=5000))["socket"]

    def new(self, agent: Agent) -> int:
        """Return a new socket of this family and kind."""
        number: int = result(agent.request("socket", family=self.family, kind=self.kind))["socket"]
        return number


def result(reply: Reply) -> dict[str, Any]:
    """Return the result; fails the test if the reply is another."""
    assert reply.result is not None, reply
    return reply.result


KINDS = {
    "tcp4": ("tcp", "inet", "stream"),
    "tcp6": ("tcp", "inet6", "stream"),
    "unix-stream": ("unix-stream", "unix", "stream"),
    "unix-seqpacket": ("unix-seqpacket", "unix", "message"),
}


@pytest.fixture(scope="session")
def kernel_agents() -> Iterator[Callable[[str], tuple[Agent, Agent]]]:
    """Two kernel agents for each transport, started once and reset before each use."""
    running: dict[str, tuple[Agent, Agent]] = {}
    started: list[Agent] = []

    def get(transport: str) -> tuple[Agent, Agent]:
        pair = running.get(transport)
        if pair is None or not (pair[0].alive and pair[1].alive):
            command = [sys.executable, "-m", "conformance.agents.kernel", "--transport", transport]
            one, other = (Agent.start(ProcessTransport(SubprocessLauncher(), command)) for _ in range(2))
            started.extend((one, other))
            pair = running[transport] = (one, other)
        for agent in pair:
            agent.reset()
        return pair

    yield get
    for agent in started:
        agent.close()


@pytest.fixture(params=list(KINDS))
def ends(request: pytest.FixtureRequest, kernel_agents: Callable[[str], tuple[Agent, Agent]], tmp_path: Path) -> Ends:
    """A connection over each kind of socket in turn."""
    transport, family, kind = KINDS[request.param]
    return Ends(*kernel_agents(transport), family, kind, tmp_path)


@pytest.fixture
def tcp(kernel_agents: Callable[[str], tuple[Agent, Agent]], tmp_path: Path) -> Ends:
    """A TCP connection, for what only TCP has."""
    return Ends(*kernel_agents("tcp"), "inet", "stream", tmp_path)


@pytest.fixture
def unused_port() -> int:
    """A TCP port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture
def kernel_command() -> list[str]:
    return [sys.executable, "-m", "conformance.agents.kernel"]
