# SPDX-License-Identifier: MIT
"""What a run has left on the host: its processes, files, sockets, devices and mounts, told from everybody else's."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.reporting.results import Results, load

MARK = "SHUTDOWN_CONFORMANCE_UNDER_ATTACK"
"""In the environment of every process that comes of a run, however far from it."""
GRACE_S = 10.0
"""What a guard may take to clear up after a run that was killed."""


@dataclass(frozen=True)
class Ended:
    """A run that has ended. `peak_mib`: the most memory that its own process had."""

    status: int
    out: str
    err: str
    seconds: float
    peak_mib: float
    directory: Path

    def results(self, output: str = "report") -> Results:
        return load(self.directory / output / "results.json")

    def verdicts(self, output: str = "report") -> dict[str, dict[str, str]]:
        """Case verdicts by provider."""
        return {p.name: {case.id: str(case.verdict) for case in p.cases} for p in self.results(output).providers}


class Host:
    """Starts runs below `directory`, and knows what is left of them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.mark = f"{os.getpid()}-{time.monotonic_ns()}"
        self.temporary = Path(tempfile.mkdtemp())  # where topologies keep their sockets: a short path
        self._interfaces = set(socket.if_nameindex())
        self._mounts = _mounts()

    def start(self, *arguments: str, program: Sequence[str] = ("-m", "conformance.cli")) -> subprocess.Popen[str]:
        """Start a run; its standard error is a file, for nobody reads it meanwhile."""
        number = len(list(self.directory.glob("*.err")))
        with (self.directory / f"{number}.out").open("w") as out, (self.directory / f"{number}.err").open("w") as err:
            return subprocess.Popen(
                [sys.executable, *program, *arguments],
                cwd=self.directory,
                env=os.environ | {MARK: self.mark, "TMPDIR": str(self.temporary)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                text=True,
                start_new_session=True,
            )

    def end_of(self, process: subprocess.Popen[str], limit_s: float, number: int = 0) -> Ended:
        """Wait for its end by itself; a run that takes longer is ended, and the test fails."""
        began = time.monotonic()
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() - began > limit_s:
                os.killpg(process.pid, signal.SIGKILL)
                os.wait4(process.pid, 0)
                process.returncode = -9
                raise AssertionError(f"the run did not end within {limit_s} s")
            time.sleep(0.01)
        process.returncode = os.waitstatus_to_exitcode(status)
        return Ended(
            process.returncode,
            (self.directory / f"{number}.out").read_text(errors="replace"),
            (self.directory / f"{number}.err").read_text(errors="replace"),
            time.monotonic() - began,
            usage.ru_maxrss / 1024,
            self.directory,
        )

    def run(self, *arguments: str, limit_s: float = 120.0) -> Ended:
        """Run to the end."""
        number = len(list(self.directory.glob("*.err")))
        return self.end_of(self.start(*arguments), limit_s, number)

    def processes(self) -> list[str]:
        """What still runs of all that came of our runs."""
        wanted, found = f"{MARK}={self.mark}".encode(), []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and wanted in (entry / "environ").read_bytes():
                    found.append(f"{entry.name}: {(entry / 'cmdline').read_bytes().decode(errors='replace')}")
            except OSError:
                continue
        return found

    def remains(self) -> list[str]:
        """Everything that is left; empty as soon as nothing is, and after the grace at the latest."""
        limit = time.monotonic() + GRACE_S
        while (found := self._remains()) and time.monotonic() < limit:
            time.sleep(0.02)
        return found

    def _remains(self) -> list[str]:
        """Namespaces live as long as a process, a descriptor of one or a mount holds them: so they are not listed."""
        left = self.processes()
        left += [str(path) for path in self.temporary.iterdir()]
        left += [line for line in Path("/proc/net/unix").read_text().splitlines() if str(self.temporary) in line]
        left += [f"interface {each}" for each in set(socket.if_nameindex()) - self._interfaces]
        left += [f"mount {each}" for each in _mounts() - self._mounts]
        return left

    def close(self) -> None:
        shutil.rmtree(self.temporary, ignore_errors=True)


def _mounts() -> set[str]:
    """Mounts of namespaces, which would keep them alive, and those of a temporary place."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return {line for line in lines if " nsfs " in line or tempfile.gettempdir() in line}
