# SPDX-License-Identifier: MIT
"""The negative control of a run: an implementation that is known to be wrong, beside those under test.

It runs in a thread of its own from the moment that the first case is started, on the topologies of the run, and always
over the kernel's TCP: what it shows is that this environment lets failures be seen. It is no provider of the run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from pathlib import Path

from conformance import locations
from conformance.execution import mutation, planning
from conformance.execution.connection import Connection
from conformance.execution.endings import Close, Shutdown
from conformance.execution.mutation import BadMutant, Mutation
from conformance.execution.running import Case
from conformance.execution.stage import Stage
from conformance.oracle.results import CaseResult
from conformance.oracle.verdicts import Verdict
from conformance.wire.errors import TopologyUnavailable
from conformance.wire.topology import REMOTE

OVER = "kernel-tcp"
DEFAULT = ("indicating.py", "end_told_as_reset")
"""It is wrong in what receives return, which is judged also where the link cannot be seen."""


def peer_shuts_down(connection: Connection) -> None:
    """The peer shuts down sending."""
    connection.peer.end_by(Shutdown("send"))
    connection.iut.read_to_the_end()


def peer_closes_after_data(connection: Connection) -> None:
    """The peer sends and closes."""
    connection.peer.send(1460)
    connection.peer.end_by(Close())
    connection.iut.read_to_the_end()


CASES: tuple[Callable[[Connection], None], ...] = (peer_shuts_down, peer_closes_after_data)
EXERCISED = ("IND-STREAM-01",)


def mutation_of(asked: str) -> Mutation:
    """The control's mutant: that of `FILE:NAME`, or the usual one if nothing is asked for. Raises BadMutant."""
    file, _, name = asked.rpartition(":") if asked else (str(locations.mutants() / DEFAULT[0]), "", DEFAULT[1])
    found = mutation.read(Path(file)).get(name)
    if found is None:
        raise BadMutant(f"{file}: no mutant {name!r}, which the negative control needs", "is the installation whole?")
    return mutation.mutated(found, OVER)


class Controlling:
    """The control of one process. `run` runs a case and judges it, as the process does with all of its cases."""

    def __init__(self, made: Mutation, stage: Stage, run: Callable[[Case], CaseResult]) -> None:
        self.made = made
        self.results: list[CaseResult] = []
        self.finished = False
        self._stage = stage
        self._run = run
        self._thread: threading.Thread | None = None

    def start(self, topologies: Collection[str]) -> None:
        """Begin, on each of the topologies; near by for one that leads elsewhere."""
        self._thread = threading.Thread(target=self._go, args=(topologies,), name="negative control", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Wait for its end, if it was begun."""
        if self._thread is not None:
            self._thread.join()
            self.finished = True

    def _go(self, topologies: Collection[str]) -> None:
        for topology in sorted({self._near_by() if name == REMOTE else name for name in topologies}):
            try:
                provider = planning.meet(self.made.profile, self._stage, topology)
                for function in CASES:
                    case = Case(f"control::{function.__name__}", provider, topology, EXERCISED, function, {})
                    self.results.append(self._run(case))
            except Exception as problem:  # whatever it was: a control that broke was not seen to fail
                self.results.append(self._broken(topology, f"{type(problem).__name__}: {problem}"))

    def _near_by(self) -> str:
        """Where this machine's own ends can be joined, while those under test are elsewhere."""
        try:
            return self._stage.topology("loopback", self.made.profile).name
        except TopologyUnavailable:
            return "host"

    def _broken(self, topology: str, why: str) -> CaseResult:
        return CaseResult(id="control", provider=self.made.name, topology=topology, verdict=Verdict.ERROR, problem=why)
