# SPDX-License-Identifier: MIT
"""What comes where: the tests are run once under coverage, and what they have judged is kept and judged again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import coverage
import pytest

from tests.mutation.children import in_children
from tests.mutation.running import Place, run
from tests.mutation.stories import Stories

Line = tuple[Path, int]
Reached = dict[Line, set[str]]


@dataclass(frozen=True)
class Known:
    """What comes to each line of the code: tests, those of them that come there without a judge, and requirements."""

    stories: Stories
    tests: Reached
    directly: Reached
    judges: Reached

    def coming_to(self, line: Line, items: Sequence[pytest.Item]) -> list[pytest.Item]:
        """Those of the tests that come to a line."""
        return [item for item in items if item.nodeid in self.tests.get(line, ())]

    def noticing(self, lines: Sequence[Line], items: Sequence[pytest.Item]) -> Iterator[pytest.Item]:
        """Those of the tests that may fail of what these lines, and no others, are now."""
        directly = set[str]().union(*(self.directly.get(line, ()) for line in lines))
        judges = set[str]().union(*(self.judges.get(line, ()) for line in lines))
        return (item for item in items if item.nodeid in directly or self.stories.changed(item.nodeid, judges))


def learn(place: Place, items: Sequence[pytest.Item], *, jobs: int) -> Known:
    """Run the tests of what is not changed yet. Raises RuntimeError if one fails."""
    stories = Stories()
    with tempfile.TemporaryDirectory() as folder:
        tests, directly, judges = (str(Path(folder) / name) for name in ("tests", "directly", "judges"))
        with stories.recorded():
            told = _run_covered(place, items, tests, stories)
        works = (
            (directly, lambda: _run_recited(place, items, directly, stories)),
            (judges, lambda: _judge_covered(place, judges, stories)),
        )
        for problem in (told, *(told for _, told in in_children(works, jobs=jobs, cpu_s=3600))):
            if problem:
                raise RuntimeError(f"nothing is changed yet, and: {problem}")
        return Known(stories, *map(_reached, (tests, directly, judges)))


def _run_covered(place: Place, items: Sequence[pytest.Item], data: str, stories: Stories) -> str:
    with _covered(place, data) as measuring:

        def begin(item: pytest.Item) -> None:
            measuring.switch_context(item.nodeid)
            stories.begin(item.nodeid)

        return run(items, begin=begin)


def _run_recited(place: Place, items: Sequence[pytest.Item], data: str, stories: Stories) -> str:
    with stories.recited():
        return _run_covered(place, items, data, stories)


def _judge_covered(place: Place, data: str, stories: Stories) -> str:
    with _covered(place, data) as measuring:
        for requirement, judged in stories.by_requirement().items():
            measuring.switch_context(requirement)
            if any(each.changed for each in judged):
                return f"what is found of {requirement} differs from one time to the next"
    return ""


@contextmanager
def _covered(place: Place, data: str) -> Iterator[coverage.Coverage]:
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
