# SPDX-License-Identifier: MIT
"""The ways to reach an agent: its standard streams, or a TCP connection. Both give the client a channel."""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

from conformance.agents.launching import Launcher, RunningProcess, status_text
from conformance.agents.problems import LaunchFailure


class Channel(Protocol):
    """Both directions of one agent's lines, and what is known of the agent's end. Its descriptors do not block."""

    reading: int
    """File descriptor of the agent's replies and notices."""
    writing: int
    """File descriptor of the requests; it may be the same."""
    owned: bool
    """The agent is a process that was started here: it can be ended, and its end be seen."""

    def finish(self) -> None:
        """Say that no more requests come."""

    def ended(self, timeout_s: float) -> tuple[int | None, str]:
        """Return the exit status, and in words how the agent ended; waits up to `timeout_s` seconds for the end."""

    def stderr_tail(self) -> str:
        """Return the end of the agent's standard error, or "" where it cannot be had."""

    def kill(self) -> None:
        """End the agent at once, or leave it."""

    def close(self) -> None:
        """Give everything back; the agent is ended."""


class Transport(Protocol):
    """How to reach one agent."""

    name: str
    """For people: the command or the address."""

    def open(self, timeout_s: float) -> Channel:
        """Start or reach the agent; raises LaunchFailure."""


class ProcessTransport:
    """An agent that `launcher` starts from `command`, spoken to over its standard streams."""

    def __init__(self, launcher: Launcher, command: Sequence[str]) -> None:
        self._launcher = launcher
        self._command = tuple(command)
        self.name = shlex.join(self._command)

    def open(self, timeout_s: float) -> Channel:
        """Start the agent; raises LaunchFailure."""
        try:
            return _ProcessChannel(self._launcher.launch(self._command))
        except OSError as error:
            raise LaunchFailure(self._command, str(error), "run the command by hand to see why") from error


class _ProcessChannel:
    owned = True

    def __init__(self, process: RunningProcess) -> None:
        self._process = process
        self.reading = process.stdout
        self.writing = process.stdin
        # The agent's own ends of the pipes stay as they are: the flag belongs to this end alone.
        os.set_blocking(self.reading, False)
        os.set_blocking(self.writing, False)

    def finish(self) -> None:
        pass  # an agent exits after `bye` by itself; the pipe is closed with the rest

    def ended(self, timeout_s: float) -> tuple[int | None, str]:
        status = self._process.wait(timeout_s)
        return status, status_text(status)

    def stderr_tail(self) -> str:
        return self._process.stderr_tail()

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._process.close()


class TcpTransport:
    """An agent that listens at `tcp://host:port`, such as one on another machine."""

    def __init__(self, url: str) -> None:
        self.name = url
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = None
        if parts.scheme != "tcp" or not parts.hostname or port is None or parts.path or parts.query:
            raise LaunchFailure((url,), "not an address of an agent", "write tcp://host:port, or tcp://[::1]:port")
        self._address = (parts.hostname, port)

    def open(self, timeout_s: float) -> Channel:
        """Connect; raises LaunchFailure."""
        try:
            connection = socket.create_connection(self._address, timeout_s)
        except OSError as error:
            raise LaunchFailure(
                (self.name,), error.strerror or str(error), "is the agent running there, and listening on this port?"
            ) from None
        return _TcpChannel(connection)


class _TcpChannel:
    owned = False

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        self.reading = self.writing = connection.fileno()

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)

    def ended(self, timeout_s: float) -> tuple[int | None, str]:
        return None, "it closed the control connection"

    def stderr_tail(self) -> str:
        return ""

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._connection.close()
