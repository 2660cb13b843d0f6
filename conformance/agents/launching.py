# SPDX-License-Identifier: MIT
"""Starting agents as processes: what a launcher is, and the plain one that uses the host as it is.

A topology brings launchers of its own, which start the process inside a network namespace; the client needs no more
of them than the two protocols here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from functools import cache
from typing import Protocol

from conformance.agents.problems import LaunchFailure
from conformance.stderr import StderrDrain


@cache
def _drain() -> StderrDrain:
    """The one drain of all processes that are started here; its thread ends with the program."""
    return StderrDrain()


class RunningProcess(Protocol):
    """A process with its three streams in the harness's hands."""

    pid: int
    """For people to read; it may be a number of another namespace."""
    stdin: int
    """File descriptor, write end."""
    stdout: int
    """File descriptor, read end."""

    def stderr_tail(self) -> str:
        """Return the last 64 KiB of standard error; octets that are not UTF-8 are replaced."""

    def kill(self) -> None:
        """End it at once (SIGKILL); no error if it has ended."""

    def wait(self, timeout_s: float) -> int | None:
        """Return the exit status (-N for signal N), or None if it still runs after `timeout_s` seconds."""

    def close(self) -> None:
        """Kill it if it runs, and close the file descriptors."""


class Launcher(Protocol):
    """Somewhere to start processes."""

    def launch(self, command: Sequence[str]) -> RunningProcess:
        """Start `command`; raises LaunchFailure."""


def status_text(status: int | None) -> str:
    """Return an exit status in words: `exit status 3`, `killed by SIGSEGV`."""
    if status is None:
        return "still running"
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


class _Subprocess:
    """A child process; see RunningProcess."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin and process.stdout and process.stderr
        self._process = process
        self.pid = process.pid
        self.stdin = process.stdin.fileno()
        self.stdout = process.stdout.fileno()
        self._tail = _drain().add(os.dup(process.stderr.fileno()))
        process.stderr.close()

    def stderr_tail(self) -> str:
        return self._tail.text(process_ended=self._process.poll() is not None)

    def kill(self) -> None:
        # The whole session: an agent that is a script may have the real one as a child.
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def wait(self, timeout_s: float) -> int | None:
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        self.kill()
        self._process.wait()
        self._tail.close()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream
            with contextlib.suppress(OSError):
                stream.close()


class SubprocessLauncher:
    """Starts processes on the host, each in a session of its own. `environment` replaces the inherited one."""

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        self._environment = environment

    def launch(self, command: Sequence[str]) -> RunningProcess:
        """Start `command` (program and arguments); raises LaunchFailure."""
        if not command:
            raise LaunchFailure(command, "the command is empty", "name the agent's program and its arguments")
        try:
            process = subprocess.Popen(
                command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise LaunchFailure(
                command, f"no such program: {command[0]}", "give its full path, or a name that PATH finds"
            ) from None
        except PermissionError:
            raise LaunchFailure(
                command, f"{command[0]} may not be executed", f"chmod +x {command[0]}, or name its interpreter first"
            ) from None
        except (OSError, ValueError) as error:
            raise LaunchFailure(command, str(error), "run the command by hand to see why") from None
        return _Subprocess(process)
