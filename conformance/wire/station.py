# SPDX-License-Identifier: MIT
"""A station: the place of one end, where its programs run; its addresses, ports and directory for sockets."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from conformance.stderr import StderrDrain, StderrTail
from conformance.wire.custody import Custody
from conformance.wire.errors import CustodianLost, CustodianRefused, LaunchFailed

DIRECTORY_VARIABLE = "SHUTDOWN_CONFORMANCE_STATION"
"""What programs find in their environment: the private directory. A file `leftovers` there may list what they made
elsewhere (see `custodian`)."""

HINTS = {
    errno.ENOENT: "is it installed, and is the path right? It is looked for in PATH and seen from {cwd}",
    errno.EACCES: "is the file executable (chmod +x), and may this user read it?",
    errno.ENOEXEC: "a script needs a first line like #!/bin/sh; a program must be built for this machine",
    errno.EMSGSIZE: "the command line and the environment together are longer than 200 KiB",
}


class Process:
    """A program that runs at a station (what `conformance.agents.launching` calls a RunningProcess).

    `pid` is the number outside of the namespaces, for people. `stdin` and `stdout` are our ends of its pipes.
    """

    def __init__(
        self, custody: Custody, handle: int, pid: int, pidfd: int, stdin: int, stdout: int, stderr: StderrTail
    ) -> None:
        self.pid = pid
        self.stdin = stdin
        self.stdout = stdout
        self._custody = custody
        self._handle = handle
        self._pidfd = pidfd
        self._stderr = stderr
        self._status: int | None = None
        self._lock = threading.Lock()
        self._closed = False

    def stderr_tail(self) -> str:
        """The last 64 KiB of its standard error."""
        return self._stderr.text(process_ended=self._status is not None)

    def kill(self) -> None:
        """SIGKILL for it and its process group; nothing happens if it has ended already."""
        with contextlib.suppress(CustodianLost):
            self._custody.ask("kill", handle=self._handle)

    def wait(self, timeout_s: float) -> int | None:
        """Wait for its end: the exit status, minus the number of the signal that ended it, or None if it still runs."""
        deadline = time.monotonic() + timeout_s
        with self._lock:
            while self._status is None:
                poll = select.poll()
                poll.register(self._pidfd, select.POLLIN)
                if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                    return None
                self._status = self._custody.ask("status", handle=self._handle)["status"]
            return self._status

    def close(self) -> None:
        """Kill it if it still runs, and let go of everything of it. The text of its standard error stays."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(CustodianLost):
            self.kill()
            self.wait(5.0)
            self._custody.ask("forget", handle=self._handle)
        self._stderr.close()
        for fd in (self.stdin, self.stdout, self._pidfd):
            os.close(fd)


class Station:
    """One end's place on the link."""

    def __init__(
        self,
        custody: Custody,
        drain: StderrDrain,
        where: int | None,
        addresses: Mapping[str, str],
        next_port: Callable[[], int],
    ) -> None:
        self.addresses = dict(addresses)
        """Address by family: `inet`, and `inet6` where the kernel has IPv6."""
        self.directory: Path = custody.directory
        """Private, with a short path, for AF_UNIX sockets; removed at the end, whatever the end of the harness."""
        self.next_port = next_port
        """A port for a listener: never given before where the namespace is ours, 0 (the kernel chooses) on `host`."""
        self._custody = custody
        self._drain = drain
        self._where = where

    def launch(self, command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Process:
        """Start a program here, in a session of its own, with pipes for its three streams.

        It sees the environment given, or ours as it is now, and our current directory. DIRECTORY_VARIABLE in its
        environment names our private directory, for what it keeps as long as the topology lives.

        Raises:
            LaunchFailed: it could not be started; the reason is in it.
        """
        if not command:
            raise LaunchFailed(command, "the command is empty", "give the program and its arguments")
        stdin_theirs, stdin = os.pipe2(os.O_CLOEXEC)
        stdout, stdout_theirs = os.pipe2(os.O_CLOEXEC)
        stderr, stderr_theirs = os.pipe2(os.O_CLOEXEC)
        theirs = (stdin_theirs, stdout_theirs, stderr_theirs)
        cwd = os.getcwd()
        try:
            pidfd, reply = self._custody.ask_for_descriptor(
                "launch",
                theirs,
                where=self._where,
                command=list(command),
                environment={
                    **(os.environ if environment is None else environment),
                    DIRECTORY_VARIABLE: str(self.directory),
                },
                directory=cwd,
            )
        except (CustodianRefused, CustodianLost) as problem:
            for fd in (stdin, stdout, stderr):
                os.close(fd)
            number = problem.errno if isinstance(problem, CustodianRefused) else None
            hint = HINTS.get(number or 0, problem.hint).format(cwd=cwd)
            raise LaunchFailed(command, problem.why, hint) from problem
        finally:
            for fd in theirs:
                os.close(fd)
        return Process(self._custody, reply["handle"], reply["pid"], pidfd, stdin, stdout, self._drain.add(stderr))
