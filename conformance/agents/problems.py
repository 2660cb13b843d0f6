# SPDX-License-Identifier: MIT
"""What can go wrong with an agent. Each problem says what happened, what was expected, and what to do next.

A problem is about the agent or the harness, never about the implementation under test: it ends a case with verdict
`error`, not `fail`.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

_LINE_SHOWN = 240
"""Characters of an offending line that a message shows."""


def shorten(line: bytes | str) -> str:
    """Return `line` as printable text, cut in the middle if it is long."""
    if isinstance(line, bytes):
        line = line.decode("utf-8", "backslashreplace")
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line[: 2 * _LINE_SHOWN])
    if len(line) <= _LINE_SHOWN:
        return text
    return f"{text[: _LINE_SHOWN - 40]} … ({len(line)} characters)"


class AgentProblem(Exception):
    """Base of all problems.

    Attributes: `why` (what happened and what was expected), `hint` (the next step), `line` (the offending line,
    shortened, or ""), `agent` (which agent, filled in by the client), `stderr` (the end of its standard error).
    """

    def __init__(self, why: str, hint: str, line: bytes | str = "") -> None:
        super().__init__(why)
        self.why = why
        self.hint = hint
        self.line = shorten(line)
        self.agent = ""
        self.stderr = ""

    def __str__(self) -> str:
        parts = [f"{self.agent}: {self.why}" if self.agent else self.why]
        if self.line:
            parts.append(f"  line: {self.line}")
        if self.hint:
            parts.append(f"  hint: {self.hint}")
        if self.stderr.strip():
            last = self.stderr.strip().splitlines()[-5:]
            parts.append("  standard error ends: " + "\n    ".join(shorten(text) for text in last))
        return "\n".join(parts)


class LaunchFailure(AgentProblem):
    """The agent's command could not be started, or its address could not be reached."""

    def __init__(self, command: Sequence[str], why: str, hint: str) -> None:
        super().__init__(f"cannot start {shlex.join(command)}: {why}", hint)
        self.command = tuple(command)


class SomethingMissing(AgentProblem):
    """The agent lacks something on this machine: it said what, and what to do, and ended with EX_UNAVAILABLE (69)."""

    def __str__(self) -> str:
        return f"{self.why}\n  hint: {self.hint}"


class ProtocolViolation(AgentProblem):
    """The agent said something that the protocol does not allow; `line` shows it."""

    def __init__(self, line: bytes | str, why: str, hint: str) -> None:
        super().__init__(why, hint, line)


class AgentDied(AgentProblem):
    """The agent ended, or closed its end, when it should not have. `status`: exit status, -N for signal N, or None."""

    def __init__(self, why: str, hint: str, status: int | None = None, line: bytes | str = "") -> None:
        super().__init__(why, hint, line)
        self.status = status


class AgentSilent(AgentProblem):
    """The agent did not answer, or did not read, before the deadline."""


class AgentRefused(AgentProblem):
    """The agent answered `failure`, `unsupported` or an error where only a result is possible (`hello`, `reset`)."""
