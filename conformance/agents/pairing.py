# SPDX-License-Identifier: MIT
"""Two instances of an agent, and connections between them: what the scripts of `checking` are played on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.agents.client import Agent
from conformance.agents.protocol import Reply
from conformance.trace.events import Outcome

DEADLINE_S = 3.0
"""For a reply."""
WAIT_MS = 2000
"""For what comes at once if it comes."""


class CannotGoOn(Exception):
    """A step that later ones rest on did not give a result."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: `detail` says what was seen, `hint` what to do where `ok` is False."""

    name: str
    ok: bool
    detail: str
    hint: str = ""


class Pair:
    """Two instances of the agent under check, or one twice: `one` is looked at, `other` is its peer."""

    def __init__(self, one: Agent, other: Agent, directory: Path) -> None:
        self.one = one
        self.other = other
        self._directory = directory
        self._listeners = 0
        flags = one.hello.service_flags
        self.kind = "message" if "MESSAGE_ORIENTED" in flags and "PSEUDO_STREAM" not in flags else "stream"
        self.families = ("unix",) if one.hello.transport == "unix" else ("inet", "inet6")

    def has(self, op: str) -> bool:
        """Whether the agent says that it has the operation."""
        return op in self.one.hello.ops

    def connect(self, family: str, listening: Agent, calling: Agent) -> tuple[int, int]:
        """Return the sockets (accepted, calling) of a new connection between the instances."""
        self._listeners += 1
        addresses: dict[str, dict[str, Any]] = {
            "inet": {"family": "inet", "host": "127.0.0.1", "port": 0},
            "inet6": {"family": "inet6", "host": "::1", "port": 0},
            "unix": {"family": "unix", "path": str(self._directory / str(self._listeners))},
        }
        listener = need(listening, "socket", family=family, kind=self.kind)["socket"]
        bound = need(listening, "listen", socket=listener, address=addresses[family], backlog=4)["address"]
        caller = need(calling, "socket", family=family, kind=self.kind)["socket"]
        need(calling, "connect", socket=caller, address=bound, wait_ms=WAIT_MS)
        accepted = need(listening, "accept", socket=listener, wait_ms=WAIT_MS)["socket"]
        return accepted, caller

    def connection(self) -> tuple[int, int]:
        """Return (socket of `one`, socket of `other`) of a new connection in the first family."""
        theirs, ours = self.connect(self.families[0], self.other, self.one)
        return ours, theirs


def said(reply: Reply) -> str:
    """Return a reply in a few words."""
    if reply.error:
        return f"error {reply.error.name}"
    return f"{reply.outcome}: {reply.text}" if reply.text else str(reply.outcome)


def need(agent: Agent, op: str, /, **arguments: Any) -> dict[str, Any]:
    """Return the result of an operation that later steps rest on; raises CannotGoOn for any other reply."""
    reply = agent.request(op, deadline_s=DEADLINE_S, **arguments)
    if reply.result is None:
        raise CannotGoOn(f"`{op}` was answered with {said(reply)}")
    return reply.result


def title(op: str, arguments: dict[str, Any]) -> str:
    """Return a request in a few words."""
    return f"`{op}`" + (f" {', '.join(f'{name}={value}' for name, value in arguments.items())}" if arguments else "")


def expect(name: str, reply: Reply, *outcomes: Outcome) -> Check:
    """Return whether the reply is one of those that the protocol has here."""
    wanted = " or ".join(outcomes)
    return Check(name, reply.outcome in outcomes, said(reply), f"here the protocol has {wanted}")
