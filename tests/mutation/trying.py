# SPDX-License-Identifier: MIT
"""Mutants tried: one pytest collects the oracle's tests, and for each mutant a child of it runs those that reach it.

A pytest for each mutant would spend its time on imports and collection, and on tests that never come to the line in
question. So the tests are run once under coverage, to learn which come where; a child puts its mutant in place, runs
these until one fails, and ends, and with it all that the mutant may have left behind.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NoReturn

import coverage
import pytest

from conformance.oracle.judging import judged
from tests.mutation.placing import function_around, functions_of, load_anew, put_in, statement_at
from tests.mutation.session import Mutant

TESTS = Path("tests/oracle")
_OPTIONS = (
    *("-x", "--no-header", "--tb=no", "--assert=plain", "-ofaulthandler_timeout=0"),
    *(f"-pno:{plugin}" for plugin in ("cacheprovider", "hypothesispytest", "shutdown-conformance", "xdist")),
    "-pno:allure_pytest",
)
_CPU_S, _WALL_S, _BYTES = 60, 900, 2 << 30
"""What a child may take. All the tests take 6 s of CPU; a mutant that loops or hoards is dead."""


def try_all(mutants: Sequence[Mutant], done: Callable[[Mutant, str], object]) -> None:
    """Try mutants; `done` is told of each, with what caught it, "" for nothing. Raises RuntimeError without tests."""
    loop = _Loop(mutants, done)
    kept = os.dup(1)
    with open(os.devnull, "w") as silence:  # noqa: PTH123
        try:
            os.dup2(silence.fileno(), 1)
            status = pytest.main([*_OPTIONS, "-s", str(TESTS)], plugins=[loop])
        finally:
            os.dup2(kept, 1)
            os.close(kept)
    if loop.problem:
        raise loop.problem
    if not loop.looped:
        raise RuntimeError(f"the tests could not be collected ({status!r}): run pytest {TESTS} and see")


class _Loop:
    """A plugin of pytest that tries mutants in place of running the tests."""

    def __init__(self, mutants: Sequence[Mutant], done: Callable[[Mutant, str], object]) -> None:
        self._mutants, self._done = mutants, done
        self._caught: dict[Path, Counter[str]] = defaultdict(Counter)
        self.looped = False
        self.problem: BaseException | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Everything is collected."""
        try:
            self.looped = True
            judged()  # loads the judges
            reached = _reached(session)
            self._control(list({mutant.module: None for mutant in self._mutants}), session)
            for mutant in self._mutants:
                self._done(mutant, self._try(mutant, session, reached))
        except BaseException as problem:  # pytest would show it, and nobody hears pytest
            self.problem = problem
        return True

    def _control(self, modules: Sequence[Path], session: pytest.Session) -> None:
        """A module put in the place of itself is no mutant, in either way: else nothing told of one is of any worth."""

        def themselves() -> str:
            for module in modules:
                source = module.read_text()
                for function in functions_of(source):
                    put_in(module, function, source)
            return _run(session.items)

        for told in (_child(themselves), _child(lambda: _anew(modules[0], modules[0].read_text()))):
            if told:
                raise RuntimeError(f"nothing is changed, and the oracle does not live: {told}")

    def _try(self, mutant: Mutant, session: pytest.Session, reached: dict[tuple[Path, int], set[str]]) -> str:
        try:
            changed = mutant.source()
        except SyntaxError:
            return "no Python"
        source = mutant.module.read_text()
        function = function_around(source, mutant.line)
        if function is None:
            told = _child(lambda: _anew(mutant.module, changed))
        else:
            names = reached.get((mutant.module, statement_at(source, mutant.line)), set())
            items = [item for item in session.items if item.nodeid in names]
            caught = self._caught[mutant.module]
            items.sort(key=lambda item: -caught[_file(item.nodeid)])

            def placed() -> str:
                put_in(mutant.module, function, changed)
                return _run(items)

            told = _child(placed)
        self._caught[mutant.module][_file(told)] += 1
        return told


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def _reached(session: pytest.Session) -> dict[tuple[Path, int], set[str]]:
    """Which tests come to which line of the oracle. Raises RuntimeError if a test fails though nothing was changed."""
    with tempfile.TemporaryDirectory() as place:
        data = str(Path(place) / "coverage")

        def covered() -> str:
            measuring = coverage.Coverage(data_file=data, include=["conformance/oracle/*"], config_file=False)
            measuring.start()
            told = _run(session.items, begin=lambda item: measuring.switch_context(item.nodeid))
            measuring.stop()
            measuring.save()
            return told

        if told := _child(covered):
            raise RuntimeError(f"no mutant yet, and {told}: run pytest {TESTS} and see")
        read = coverage.CoverageData(data)
        read.read()
        return {
            (Path(file).relative_to(Path.cwd()), line): set(names)
            for file in read.measured_files()
            for line, names in read.contexts_by_lineno(file).items()
        }


def _anew(module: Path, changed: str) -> str:
    load_anew(module, changed)
    first = _FirstFailure()
    if pytest.main([*_OPTIONS, str(TESTS)], plugins=[first]) != pytest.ExitCode.OK:
        return first.name or "no start"
    return ""


def _run(items: Sequence[pytest.Item], begin: Callable[[pytest.Item], object] = lambda item: None) -> str:
    """Run tests until one fails, and return its name, or ""."""
    first = _FirstFailure()
    following: Iterable[pytest.Item | None] = (*items[1:], None)
    if items:
        items[0].config.pluginmanager.register(first)
    for item, next_item in zip(items, following, strict=bool(items)):
        begin(item)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=next_item)
        if first.name:
            break
    return first.name


class _FirstFailure:
    """A plugin of pytest that keeps the name of what failed first: a test, or a file that could not be collected."""

    name = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase of a test ended."""
        if report.failed:
            self.name = self.name or report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file was collected."""
        if report.failed:
            self.name = self.name or report.nodeid


def _child(work: Callable[[], str]) -> str:
    """What `work` returns in a child of its own; a reason that is not empty if the child ends otherwise."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _work(work, writing)
    os.close(writing)
    try:
        if not select.select([reading], [], [], _WALL_S)[0]:
            os.kill(child, signal.SIGKILL)
        told = os.read(reading, 4096).decode()
    finally:
        os.close(reading)
    status = os.waitpid(child, 0)[1]
    return told.removeprefix("=") if told.startswith("=") and not status else f"no end within its limits ({status})"


def _work(work: Callable[[], str], writing: int) -> NoReturn:
    status = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
        resource.setrlimit(resource.RLIMIT_AS, (_BYTES, _BYTES))
        told = work()
        os.write(writing, f"={told}".encode()[:4096])
        status = 0
    except BaseException as error:  # whatever it is, the mutant brought it about, and this child must not go on
        os.write(writing, f"={type(error).__name__}: {error}".encode()[:4096])
        status = 0
    finally:
        os._exit(status)
