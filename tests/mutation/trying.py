# SPDX-License-Identifier: MIT
"""Mutants tried: one pytest collects the tests, and for each mutant a child of it runs those that reach it.

A pytest for each mutant would spend its time on imports and collection, and on tests that never come to the line in
question. So the tests are run under coverage first, to learn which come where; a child puts its mutant in place, runs
these until one fails, the likeliest first, and ends, and with it all that the mutant may have left behind. A test that
comes to the line through judges alone is run only if one of them finds something else (`stories`).
"""

from __future__ import annotations

import gc
import importlib
import os
import resource
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import coverage
import pytest

from tests.mutation.children import Work, in_children
from tests.mutation.placing import function_around, functions_of, load_anew, module_name, put_in, statement_at
from tests.mutation.session import NO_PYTHON, Mutant
from tests.mutation.stories import Stories

_OPTIONS = (
    *("-x", "--no-header", "--tb=no", "--assert=plain", "-ofaulthandler_timeout=0"),
    *(f"-pno:{plugin}" for plugin in ("cacheprovider", "unraisableexception", "hypothesispytest")),
    *("-pno:shutdown-conformance", "-pno:xdist", "-pno:allure_pytest"),
)
_TIMES, _LEAST_CPU_S = 5, 20
"""What a child may take: so many times what all the tests take, and not less than that. A mutant that loops is dead."""
Done = Callable[[Mutant, str], object]
Reached = dict[tuple[Path, int], set[str]]


@dataclass(frozen=True)
class Reach:
    """What comes to each line of the code: tests, those of them that come there without a judge, and requirements."""

    tests: Reached
    directly: Reached
    judges: Reached


@dataclass(frozen=True)
class Place:
    """The code that mutants are made of, and the tests that are to notice, as folders of the current one."""

    code: Path
    tests: Path

    def modules(self) -> list[Path]:
        """The modules that are changed."""
        return sorted(self.code.glob("*.py"))


def try_all(place: Place, mutants: Sequence[Mutant], done: Done, *, jobs: int = 1) -> None:
    """Try mutants, `jobs` at a time; `done` is told of each, with what caught it, "" for nothing.

    Raises RuntimeError where the tests cannot be collected, or fail though nothing was changed.
    """
    loop = _Loop(place, mutants, done, jobs)
    kept = os.dup(1)
    with open(os.devnull, "w") as silence:  # noqa: PTH123
        try:
            os.dup2(silence.fileno(), 1)
            status = pytest.main([*_OPTIONS, "-s", str(place.tests)], plugins=[loop])
        finally:
            os.dup2(kept, 1)
            os.close(kept)
    if loop.problem:
        raise loop.problem
    if not loop.looped:
        raise RuntimeError(f"the tests could not be collected ({status!r}): run pytest {place.tests} and see")


class _Loop:
    """A plugin of pytest that tries mutants in place of running the tests."""

    def __init__(self, place: Place, mutants: Sequence[Mutant], done: Done, jobs: int) -> None:
        self._place, self._mutants, self._done, self._jobs = place, mutants, done, jobs
        self._caught: dict[Path, Counter[str]] = defaultdict(Counter)
        self.looped = False
        self.problem: BaseException | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Everything is collected."""
        try:
            self.looped = True
            for module in self._place.modules():
                importlib.import_module(module_name(module))
            stories = Stories()
            if told := _recorded(stories, session.items):
                raise RuntimeError(f"nothing is changed, and a test fails: {told}")
            gc.freeze()  # else a child's first collection would copy all that it has from us
            reach, cpu_s = self._control(session, stories)
            for mutant, told in in_children(self._works(session, stories, reach), jobs=self._jobs, cpu_s=cpu_s):
                self._caught[mutant.module].update((told, _file(told)))
                self._done(mutant, told)
        except BaseException as problem:  # pytest would show it, and nobody hears pytest
            self.problem = problem
        return True

    def _control(self, session: pytest.Session, stories: Stories) -> tuple[Reach, int]:
        """What comes to which line; and what a child may take, in seconds.

        A module put in the place of itself is no mutant, in either way: else nothing told of one is of any worth.
        """

        def themselves() -> str:
            for module in modules:
                source = module.read_text()
                for function in functions_of(source):
                    put_in(module, function, source)
            return _run(session.items)

        modules = list({mutant.module: None for mutant in self._mutants})
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        with tempfile.TemporaryDirectory() as folder:
            data = [str(Path(folder) / name) for name in ("tests", "directly", "judges")]
            controls: list[tuple[str, Work]] = [
                ("under coverage", lambda: _covered(self._place, session.items, data[0])),
                ("without judges", lambda: _covered(self._place, session.items, data[1], stories)),
                ("judged again", lambda: _judges_covered(self._place, stories, data[2])),
                ("put in place", themselves),
                ("loaded anew", lambda: _anew(self._place, modules[0], modules[0].read_text(), ())),
            ]
            for how, told in in_children(controls, jobs=self._jobs, cpu_s=3600):
                if told:
                    raise RuntimeError(f"nothing is changed, and with the code {how} a test fails: {told}")
            took = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
            return Reach(*map(_reached, data)), max(_LEAST_CPU_S, int(_TIMES * took / len(controls)))

    def _works(self, session: pytest.Session, stories: Stories, reach: Reach) -> Iterator[tuple[Mutant, Work]]:
        for mutant in self._mutants:
            try:
                changed = mutant.changed()
            except SyntaxError:
                self._done(mutant, NO_PYTHON)
            else:
                yield mutant, self._work(mutant, changed, session, stories, reach)

    def _work(self, mutant: Mutant, changed: str, session: pytest.Session, stories: Stories, reach: Reach) -> Work:
        source, caught = mutant.module.read_text(), self._caught[mutant.module]
        function = function_around(source, mutant.line)
        if function is None:
            files = sorted({_file(item.nodeid) for item in session.items}, key=lambda file: self._order(mutant, file))
            return lambda: _anew(self._place, mutant.module, changed, files[:2])
        line = mutant.module.resolve(), statement_at(source, mutant.line)
        names, directly, judges = (reached.get(line, set()) for reached in (reach.tests, reach.directly, reach.judges))
        items = [item for item in session.items if item.nodeid in names]
        items.sort(key=lambda item: (-caught[item.nodeid], *self._order(mutant, _file(item.nodeid))))

        def placed() -> str:
            put_in(mutant.module, function, changed)
            may_notice = (i for i in items if i.nodeid in directly or stories.changed(i.nodeid, judges))
            return next((told for item in may_notice if (told := _run([item]))), "")

        return placed

    def _order(self, mutant: Mutant, file: str) -> tuple[int, bool]:
        """A key by which the likeliest file comes first: the one that caught most of the module, else its namesake."""
        return -self._caught[mutant.module][file], Path(file).stem != f"test_{mutant.module.stem}"


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def _recorded(stories: Stories, items: Sequence[pytest.Item]) -> str:
    stories.record()
    try:
        return _run(items, begin=lambda item: stories.begin(item.nodeid))
    finally:
        stories.stop()


def _covered(place: Place, items: Sequence[pytest.Item], data: str, stories: Stories | None = None) -> str:
    """Run the tests; with `stories`, recited."""

    def begin(item: pytest.Item) -> None:
        measuring.switch_context(item.nodeid)
        if stories:
            stories.begin(item.nodeid)

    if stories:
        stories.recite()
    with _coverage(place, data) as measuring:
        return _run(items, begin=begin)


def _judges_covered(place: Place, stories: Stories, data: str) -> str:
    with _coverage(place, data) as measuring:
        for requirement, judged in stories.requirements():
            measuring.switch_context(requirement)
            if any(each.changed for each in judged):
                return f"what is found of {requirement} differs from one time to the next"
    return ""


@contextmanager
def _coverage(place: Place, data: str) -> Iterator[coverage.Coverage]:
    measuring = coverage.Coverage(data_file=data, include=[f"{place.code}/*"], config_file=False)
    measuring.start()
    yield measuring
    measuring.stop()
    measuring.save()


def _reached(data: str) -> Reached:
    read = coverage.CoverageData(data)
    read.read()
    return {
        (Path(file), line): set(names)
        for file in read.measured_files()
        for line, names in read.contexts_by_lineno(file).items()
    }


def _anew(place: Place, module: Path, changed: str, likely: Sequence[str]) -> str:
    """Run all tests on a module that is loaded anew, the likely files first."""
    for files in ([*likely], [str(place.tests)]):
        load_anew(place.code, place.tests, module, changed)
        first = _FirstFailure()
        if files and pytest.main([*_OPTIONS, *files], plugins=[first]) != pytest.ExitCode.OK:
            return first.name or "no start"
    return ""


def _run(items: Sequence[pytest.Item], begin: Callable[[pytest.Item], object] = lambda item: None) -> str:
    """Run tests until one fails, and return its name, or ""."""
    first = _FirstFailure()
    following: Iterable[pytest.Item | None] = (*items[1:], None)
    if not items:
        return ""
    items[0].config.pluginmanager.register(first)
    for item, next_item in zip(items, following, strict=True):
        begin(item)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=next_item)
        if first.name:
            break
    items[0].config.pluginmanager.unregister(first)
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
