# SPDX-License-Identifier: MIT
"""Mutants tried: one pytest collects the tests, and for each mutant a child of it runs those that may notice.

A pytest for each mutant would spend its time on imports and collection, and on tests that never come to the line in
question. So what comes where is learnt first; a child puts its mutant in place, runs these tests until one fails, the
likeliest first, and ends, and with it all that the mutant may have left behind. A test that comes to the line through
judges alone is run only if one of them finds something else.
"""

from __future__ import annotations

import gc
import importlib
import os
import resource
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.mutation.children import Work, in_children
from tests.mutation.learning import Known, learn
from tests.mutation.placing import function_around, functions_of, load_anew, module_name, put_in, statement_at
from tests.mutation.running import OPTIONS, Place, run, run_files
from tests.mutation.session import NO_PYTHON, Mutant

_TIMES, _LEAST_CPU_S = 5, 20
"""What a child may take: so many times what all the tests take, and not less than that. A mutant that loops is dead."""
Done = Callable[[Mutant, str], object]


def try_all(place: Place, mutants: Sequence[Mutant], done: Done, *, jobs: int = 1) -> None:
    """Try mutants, `jobs` at a time; `done` is told of each, with what caught it, "" for nothing.

    Raises RuntimeError where the tests cannot be collected, or fail though nothing was changed.
    """
    loop = _Loop(place, mutants, done, jobs)
    kept = os.dup(1)
    with open(os.devnull, "w") as silence:  # noqa: PTH123
        try:
            os.dup2(silence.fileno(), 1)
            status = pytest.main([*OPTIONS, "-s", str(place.tests)], plugins=[loop])
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
            self._try(session.items)
        except BaseException as problem:  # pytest would show it, and nobody hears pytest
            self.problem = problem
        return True

    def _try(self, items: Sequence[pytest.Item]) -> None:
        for module in self._place.modules():
            importlib.import_module(module_name(module))
        began = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        known = learn(self._place, items, jobs=self._jobs)
        cpu_s = max(_LEAST_CPU_S, int(_TIMES * (resource.getrusage(resource.RUSAGE_SELF).ru_utime - began)))
        gc.freeze()  # else a child's first collection would copy all that it has from us
        self._control(known, items)
        for mutant, told in in_children(self._works(known, items), jobs=self._jobs, cpu_s=cpu_s):
            self._caught[mutant.module].update((told, _file(told)))
            self._done(mutant, told)

    def _control(self, known: Known, items: Sequence[pytest.Item]) -> None:
        """A module put in the place of itself is no mutant, in either way: else nothing told of one is of any worth."""
        modules = list({mutant.module: None for mutant in self._mutants})

        def themselves() -> str:
            for module in modules:
                source = module.read_text()
                for function in functions_of(source):
                    put_in(module, function, source)
            return next((told for item in known.noticing([*known.tests], items) if (told := run([item]))), "")

        works: tuple[tuple[str, Work], ...] = (
            ("put in place", themselves),
            ("loaded anew", lambda: self._anew(modules[0], modules[0].read_text(), ())),
        )
        for how, told in in_children(works, jobs=self._jobs, cpu_s=3600):
            if told:
                raise RuntimeError(f"nothing is changed, and with the code {how} a test fails: {told}")

    def _works(self, known: Known, items: Sequence[pytest.Item]) -> Iterator[tuple[Mutant, Work]]:
        for mutant in self._mutants:
            try:
                changed = mutant.changed()
            except SyntaxError:
                self._done(mutant, NO_PYTHON)
            else:
                yield mutant, self._work(mutant, changed, known, items)

    def _work(self, mutant: Mutant, changed: str, known: Known, items: Sequence[pytest.Item]) -> Work:
        source, caught = mutant.module.read_text(), self._caught[mutant.module]
        function = function_around(source, mutant.line)
        if function is None:
            files = sorted({_file(item.nodeid) for item in items}, key=lambda file: self._order(mutant, file))
            return lambda: self._anew(mutant.module, changed, files[:2])
        line = mutant.module.resolve(), statement_at(source, mutant.line)
        coming = known.coming_to(line, items)
        coming.sort(key=lambda item: (-caught[item.nodeid], *self._order(mutant, _file(item.nodeid))))

        def placed() -> str:
            put_in(mutant.module, function, changed)
            return next((told for item in known.noticing([line], coming) if (told := run([item]))), "")

        return placed

    def _anew(self, module: Path, changed: str, likely: Sequence[str]) -> str:
        """Run all tests on a module that is loaded anew, the likely files first."""
        for files in ([*likely], [str(self._place.tests)]):
            load_anew(self._place.code, self._place.tests, module, changed)
            if files and (told := run_files(files)):
                return told
        return ""

    def _order(self, mutant: Mutant, file: str) -> tuple[int, bool]:
        """A key by which the likeliest file comes first: the one that caught most of the module, else its namesake."""
        return -self._caught[mutant.module][file], Path(file).stem != f"test_{mutant.module.stem}"


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]
