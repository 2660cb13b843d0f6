# SPDX-License-Identifier: MIT
"""The session in which mutants stand for implementations: each is given the cases that exercise what must catch it.

A mutant is tried no longer than until all its requirements are violated, each in a case in which the sound provider
does not violate it, for what comes after could not take that back; with `--shutdown-all` it is given every case, and to
the end. The sound providers are given the same cases, to the end.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from conformance import locations
from conformance.catalogue.catalogue import load as catalogue
from conformance.execution import mutation, planning, running
from conformance.execution import profile as profiles
from conformance.execution.mutation import Mutation
from conformance.execution.profile import Profile
from conformance.execution.running import Case, Provider
from conformance.oracle.findings import Conclusion
from conformance.oracle.results import CaseResult, judge_case
from conformance.reporting import killing, reports
from conformance.reporting.killmatrix import KillMatrix
from conformance.reporting.killsummary import print_matrix
from conformance.reporting.progress import Progress
from conformance.reporting.results import Results
from conformance.session.collector import Collector
from conformance.session.runner import CASE, DEFAULT_PROVIDERS, Runner
from conformance.trace.trace import Trace


@dataclass(frozen=True)
class Plan:
    """What is tried: the mutations, the sound providers that they are made of (and others that are just met), and
    whether each mutant is given every case. `demanded`: the requirements that must be covered, if not all."""

    mutations: dict[str, Mutation]
    sound: dict[str, Profile]
    every_case: bool
    demanded: tuple[str, ...] | None


def plan_of(config: pytest.Config) -> Plan:
    """The plan that the options ask for. Raises BadMutant, BadProfile."""
    folder = Path(config.getoption("--shutdown-mutants") or locations.mutants())
    asked = set(config.getoption("--shutdown-mutant"))
    chosen = [mutant for mutant in mutation.find_all(folder) if mutant.name in asked]
    made = {each.name: each for each in mutation.mutations(chosen)}
    demanded = config.getoption("--shutdown-demand")
    sound = {each.over: each.sound for each in made.values()}
    if demanded is None and not config.getoption("--shutdown-mutants"):
        sound |= profiles.find_all(DEFAULT_PROVIDERS)  # what applies to any of them is to be covered
    return Plan(
        mutations=made,
        sound=sound,
        every_case=bool(config.getoption("--shutdown-all")),
        demanded=None if demanded is None else tuple(filter(None, demanded.split(","))),
    )


class Trials(Runner):
    """Runs the trials of this process."""

    kept_in = "mutants"
    threads = 8  # a mutant keeps many a case waiting that a sound implementation would not

    def __init__(self, config: pytest.Config, plan: Plan, topology: str, output: Path) -> None:
        super().__init__(
            config, {**plan.sound, **{m.name: m.profile for m in plan.mutations.values()}}, topology, output
        )
        self.plan = plan
        self.wanted: dict[str, frozenset[str]] = {}
        self.violated: dict[tuple[str, str], set[str]] = {}
        self.dead: dict[str, set[str]] = {}
        self.left = Counter[str]()
        self.lock = threading.Lock()

    def _control(self) -> None:
        """All of this is one."""

    def _topology_of(self, profile: Profile) -> str:
        made = self.plan.mutations.get(profile.name)
        return "wire" if made is not None and made.mutant.on_the_wire else super()._topology_of(profile)

    def pytest_collection(self) -> None:
        """Meet the sound providers; what is known of them holds for their mutants."""
        self._meet_all(self.plan.sound.values())
        for name, made in self.plan.mutations.items():
            if (sound := self.providers.get(made.over)) is None:
                self.problems[name] = self.problems.get(made.over, "")
            elif problem := self._wire_missing(made):
                self.problems[name] = problem
            else:
                self.providers[name] = _mutated(made, sound)
                applying = {
                    k for k in made.mutant.kills if catalogue()[k].unmet(self.providers[name].statement) is None
                }
                self.wanted[name] = frozenset(applying)
                self.wanted[made.over] = self.wanted.get(made.over, frozenset()) | applying

    def _wire_missing(self, made: Mutation) -> str:
        """Why a mutant of the link cannot be tried here; empty for the others."""
        if not made.mutant.on_the_wire:
            return ""
        try:
            self.stage.topology("wire", made.profile)
        except Exception as problem:
            return str(problem)
        return ""

    def _given(self, case: pytest.Function) -> list[str]:
        exercised = _all_marked(case, "exercises")
        return [name for name, provider in self.providers.items() if self._wants(provider, exercised)]

    def _wants(self, provider: Provider, exercises: Collection[str]) -> bool:
        if self.plan.every_case and self.wanted.get(provider.name):
            return True
        return not self.wanted.get(provider.name, frozenset()).isdisjoint(exercises)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count what each provider is given before any of it is started."""
        self.left.update(item.stash[CASE].provider.name for item in session.items if CASE in item.stash)
        super().pytest_collection_finish(session)

    def _run(self, case: Case) -> tuple[CaseResult, Trace]:
        name = case.provider.name
        try:
            if name in self.plan.mutations and not self.plan.every_case and self._is_dead(name):
                pytest.skip("its mutant has died already")
            result, trace = super()._run(case)
            self._take_in(case, _violated(result))
            return result, trace
        finally:
            with self.lock:
                self.left[name] -= 1
                last = not self.left[name]
            if last:
                self.stage.dismiss(case.provider.profile)

    def _take_in(self, case: Case, violated: set[str]) -> None:
        name = case.provider.name
        fatal = violated & self.wanted[name]
        if name in self.plan.mutations and fatal and not self.plan.every_case:
            fatal -= self._violated_by_the_sound_one(case)
        with self.lock:
            self.violated[name, case.id] = violated
            self.dead.setdefault(name, set()).update(fatal)

    def _violated_by_the_sound_one(self, case: Case) -> set[str]:
        """What the sound provider violates in that case: found out here if that is still to come, or another's."""
        over = self.plan.mutations[case.provider.name].over
        with self.lock:
            known = self.violated.get((over, case.id))
        if known is None:
            trace, _ = running.run(replace(case, provider=self.providers[over]), self.stage)
            known = _violated(judge_case(trace))
            with self.lock:
                self.violated.setdefault((over, case.id), known)
        return known

    def _is_dead(self, name: str) -> bool:
        with self.lock:
            return self.wanted[name] <= self.dead.get(name, set())


def _mutated(made: Mutation, sound: Provider) -> Provider:
    flags = tuple(dict.fromkeys((*sound.hello.service_flags, *made.mutant.claims)))
    hello = msgspec.structs.replace(sound.hello, service_flags=list(flags))
    return replace(
        sound,
        profile=made.profile,
        hello=hello,
        statement=planning.completed(made.profile.statement, hello),
        rewriter=made.rewriter if made.mutant.on_the_wire else None,
    )


def _violated(result: CaseResult) -> set[str]:
    return {finding.requirement for finding in result.findings if finding.outcome is Conclusion.VIOLATED}


def _all_marked(case: pytest.Function, name: str) -> set[Any]:
    """What the marks of that name say of a case in any of its variants."""
    found = {value for mark in case.iter_markers(name) for value in mark.args}
    for parametrization in case.iter_markers("parametrize"):
        values: Iterable[Any] = parametrization.args[1]
        marks = (mark for value in values for mark in getattr(value, "marks", ()))
        found |= {value for mark in marks if mark.name == name for value in mark.args}
    return found


class Tallier(Collector):
    """Collects the results of trials, and reads the kill matrix from them."""

    kept_in = Trials.kept_in

    def __init__(self, config: pytest.Config, plan: Plan, output: Path) -> None:
        super().__init__(config, output, None)
        self.plan = plan
        self.matrix: KillMatrix | None = None
        self.run: Results | None = None
        self.given = Counter[str]()
        self.over = Counter[str]()
        self.violated: dict[str, set[str]] = {}
        self.told: set[str] = set()
        if self.speaks:
            self.progress = Progress(sys.stderr.isatty(), noun="mutant", bad="not killed")

    def _plan(self, ids: list[str]) -> None:
        """Know how many cases each mutant is given; they are in the results only as far as they were needed."""
        self.given.update(filter(None, map(self._provider_in, ids)))
        self.planned = len(ids)
        if self.progress is not None and self.given and not self.config.option.collectonly:
            self.progress.start(sum(1 for name in self.given if name in self.plan.mutations))

    def _provider_in(self, identity: str) -> str:
        """The mutant that a case is for, by the case's id, in which no other name of a provider has a plus."""
        inside = identity.partition("[")[2]
        return max((name for name in self.plan.mutations if inside.startswith(name)), key=len, default="")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the result, and tell of a mutant when all of its cases are over."""
        progress, self.progress = self.progress, None
        super().pytest_runtest_logreport(report)
        self.progress = progress
        if report.when != "call" or not (name := self._provider_in(report.nodeid)):
            return
        self.over[name] += 1
        if (sent := getattr(report, "shutdown_conformance", None)) is not None:
            self.violated.setdefault(name, set()).update(_violated(msgspec.convert(sent, CaseResult)))
        made = self.plan.mutations[name].mutant
        if self.over[name] == self.given[name] and self.progress is not None:
            run = self.providers.get(name)
            missed = [
                requirement
                for requirement in made.kills
                if requirement not in self.violated.get(name, ())
                and (run is None or catalogue()[requirement].unmet(run.statement) is None)
            ]
            self.progress.advance(f"{name}: not caught by {', '.join(missed)}" if missed else "")

    def _write(self, results: Results) -> None:
        tried = [
            killing.Tried(
                provider=name,
                name=made.mutant.name,
                over=made.over,
                says=made.mutant.says,
                kills=made.mutant.kills,
                planned=self.given[name],
                subject=Path(made.mutant.file).stem,
            )
            for name, made in self.plan.mutations.items()
        ]
        self.matrix = killing.matrix(results, tried, demanded=self.plan.demanded)
        self.run = killing.save(self.matrix, self.output)
        killing.drop_the_rest(self.matrix, self.output / self.kept_in)

    def _draw(self, results: Results) -> Path:
        """The page of the matrix, and the reports of the run that it has become a part of."""
        assert self.matrix is not None
        if self.run is not None and (self.output / Collector.kept_in).is_dir():
            reports.write(self.run, self.output, self.output)
            return self.output / reports.MUTANTS
        if self.run is not None:  # its page would lose the ladders
            self.said.append(f"{reports.PAGE} stays as it is: the evidence of its run is not here.")
        elif (self.output / "results.json").exists():
            self.said.append("results.json stays as it is: it is of another suite, or cannot be read.")
        return reports.write_mutants(self.matrix, results.suite, self.output, self.output)

    def _status(self, results: Results) -> int:
        assert self.matrix is not None
        return self.matrix.status

    def _print(self, results: Results) -> None:
        assert self.matrix is not None
        print_matrix(self.matrix, Console(), self.output, page=self.page)
        self._tell(sys.stdout)
