# SPDX-License-Identifier: MIT
"""The end of the pipe in a session: takes results as they come, writes the report, decides the exit status."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import msgspec
import pytest
from rich.console import Console

from conformance.catalogue.statement import Statement
from conformance.oracle.results import CaseResult, ProviderRun
from conformance.reporting import reports, summary
from conformance.reporting import results as reporting
from conformance.reporting.baseline import BadBaseline, Baseline, check_requirements
from conformance.reporting.control import Control, joined
from conformance.reporting.gating import excuses, gate
from conformance.reporting.progress import Progress, told_if_slow
from conformance.reporting.text import clean
from conformance.session.baselining import updated
from conformance.session.recovery import recovered

_ENDED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)


class Collector:
    """Collects what the processes that run cases report. With `--shutdown-run` it also speaks instead of pytest."""

    kept_in = "evidence"
    """The folder of the evidence, below the output."""

    def __init__(self, config: pytest.Config, output: Path, baseline: Baseline | None) -> None:
        self.config = config
        self.output = output
        self.began_ns = time.time_ns()
        self.baseline = baseline
        self.refused = False
        self.said: list[str] = []
        self.cases: list[CaseResult] = []
        self.providers: dict[str, ProviderRun] = {}
        self.environment: dict[str, Any] = {}
        self.planned = 0
        self.control: Control | None = None
        self.results: reporting.Results | None = None
        self.page: Path | None = None
        self.speaks = bool(config.getoption("--shutdown-run"))
        self.progress = Progress(sys.stderr.isatty()) if self.speaks else None
        if self.speaks and (reporter := config.pluginmanager.get_plugin("terminalreporter")) is not None:
            config.pluginmanager.unregister(reporter)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Know how many cases there are to come."""
        self._plan([item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """The same, told by a worker; all of them plan alike."""
        if not self.planned:
            self._plan(ids)

    def _plan(self, ids: list[str]) -> None:
        self.planned = len(ids)
        if self.progress is not None and ids and not self.config.option.collectonly:
            self.progress.start(len(ids))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A case file that cannot be read is told, not lost."""
        if report.failed and self.progress is not None:
            self.progress.message(f"cannot collect {report.nodeid}:\n{report.longreprtext}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the result that came with pytest's report."""
        if (facts := getattr(report, "shutdown_facts", None)) is not None:
            self.learn(**facts)
            self.met({run.name: run.statement for run in self.providers.values() if not run.problem})
        if (sent := getattr(report, "shutdown_conformance", None)) is None:
            if report.failed and self.progress is not None:
                self.progress.message(f"{report.nodeid} broke off:\n{report.longreprtext}")
            return
        result = msgspec.convert(sent, CaseResult)
        self.cases.append(result)
        if self.progress is not None:
            excused = bool(excuses(result, self.baseline))
            self.progress.finished(result.id, result.provider, result.verdict, result.duration_s, excused=excused)

    def met(self, statements: Mapping[str, Statement]) -> None:
        """The providers have been met: what the baseline says must fit them, or the run ends here, as wrong usage."""
        if self.baseline is None or self.updates:
            return
        try:
            check_requirements(self.baseline.excused, self.baseline_file, statements)
        except BadBaseline as problem:
            self.refused = True
            pytest.exit(f"{problem}\nhint: {problem.hint}", returncode=2)

    @property
    def updates(self) -> bool:
        """Whether the baseline is to be written anew."""
        return bool(self.config.getoption("--shutdown-update-baseline"))

    @property
    def baseline_file(self) -> Path:
        """The baseline's file, where there is one."""
        return Path(self.config.getoption("--shutdown-baseline"))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """What a worker knew of the providers comes with its end."""
        if told := getattr(node, "workeroutput", {}).get("shutdown_conformance"):
            self.learn(**told)
        self.learn_control(getattr(node, "workeroutput", {}).get("shutdown_control"))

    def learn(self, providers: list[dict[str, Any]], environment: dict[str, Any]) -> None:
        """Take in what one process knew; the greatest measured times count."""
        for run in msgspec.convert(providers, list[ProviderRun]):
            known = self.providers.get(run.name)
            if known is None or run.settle_ms > known.settle_ms:
                self.providers[run.name] = run
        before = self.environment
        self.environment = {
            "jitter_ms": max(environment["jitter_ms"], before.get("jitter_ms", 0.0)),
            "topologies": sorted({*environment["topologies"], *before.get("topologies", ())}),
        }

    def learn_control(self, told: dict[str, Any] | None) -> None:
        """Take in the negative control of one process: all of them together are the run's."""
        if told is not None:
            self.control = joined(self.control, msgspec.convert(told, Control))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the results, and let the gate decide."""
        if self.progress is not None:
            self.progress.close()
        if not self.config.option.collectonly and (len(self.cases) < self.planned or session.exitstatus not in _ENDED):
            self._recover()
        if self.config.option.collectonly or not self.providers or self.refused:
            return
        environment = {
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
            "python": platform.python_version(),
            **self.environment,
        }
        runs = list(self.providers.values())
        results = reporting.build(self.cases, runs, environment, self.planned, self.baseline)
        self.results = msgspec.structs.replace(results, control=self.control)
        ended = session.exitstatus in _ENDED
        if not self._update_baseline(ended=ended):
            ended, session.exitstatus = False, pytest.ExitCode.INTERNAL_ERROR
        try:
            self.output.mkdir(parents=True, exist_ok=True)
            self._write(self.results)
        except OSError as error:
            sys.stderr.write(f"the results could not be written to {self.output}: {error.strerror}\n")
            self.results = None
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
            return
        if ended:
            session.exitstatus = self._status(self.results)
        if self.planned or any(run.problem for run in self.providers.values()):
            self._write_reports(self.results)
        if self.speaks and not self.config.getoption("--shutdown-json"):
            self._print(self.results)
        elif self.speaks:
            self._tell(sys.stderr)

    def _recover(self) -> None:
        """Take in what was finished and did not arrive, whoever ran it."""
        known = {case.evidence for case in self.cases}
        for result, provider in recovered(self.output, self.kept_in, known, self.began_ns):
            self.cases.append(result)
            self.providers.setdefault(provider.name, provider)
        if not self.planned and self.cases:  # so early that no worker had told how many there are to come
            self.planned = len(self.cases) + 1

    def _write(self, results: reporting.Results) -> None:
        """Keep what the session came to. Raises OSError."""
        reporting.save(results, self.output / "results.json")

    def _status(self, results: reporting.Results) -> int:
        return gate(results).status

    def _print(self, results: reporting.Results) -> None:
        summary.print_summary(results, Console(), self.output, page=self.page)
        self._tell(sys.stdout)

    def _update_baseline(self, *, ended: bool) -> bool:
        """Write the baseline anew, if that is asked for; whether all is well. What was done is told after the summary.

        `ended`: the session came to its own end. If not, what its cases would have shown is not known.
        """
        if self.results is None or self.baseline is None or not self.updates:
            return True
        if not ended or self.results.cases.finished < max(1, self.results.cases.planned):
            self.said = [f"{self.baseline.file} stays as it is: the run was cut short."]
            return True
        try:
            self.results, self.said = updated(self.results, self.baseline_file, self.baseline)
        except BadBaseline as problem:
            sys.stderr.write(f"{clean(str(problem))}\nhint: {problem.hint}\n")
            return False
        return True

    def _tell(self, file: IO[str]) -> None:
        for line in self.said:
            print(clean(line), file=file)

    def _write_reports(self, results: reporting.Results) -> None:
        """Write the reports. Whatever goes wrong with them is told, and takes nothing from the results."""
        try:
            with told_if_slow("writing the reports"):
                self.page = self._draw(results)
        except OSError as error:
            self._tell_without_reports(str(error.strerror))
        except Exception as error:
            self._tell_without_reports(f"{type(error).__name__}: {error}")

    def _draw(self, results: reporting.Results) -> Path:
        """Write them; the page that people open. Raises OSError."""
        reports.write(results, self.output, self.output)
        return self.output / reports.PAGE

    def _tell_without_reports(self, why: str) -> None:
        sys.stderr.write(clean(f"the reports could not be written to {self.output}: {why}") + "\n")
        sys.stderr.write(clean(f"hint: the results are whole; `shutdown-conformance report {self.output}`") + "\n")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The summary, for people who live in pytest."""
        if self.results is not None:
            terminalreporter.section("shutdown conformance")
            self._print(self.results)
