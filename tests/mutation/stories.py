# SPDX-License-Identifier: MIT
"""What the tests have judged: so that a judge that was changed is asked alone, before any test is run on it.

A judge is a pure function of a history. Where a changed line makes none of the judges that come to it find anything
else, in any history that a test has judged, that test cannot notice, and need not be run. Asking one judge takes a
hundredth of the time of a test, which asks all of them, in several tellings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from conformance.oracle import judging
from conformance.oracle.findings import Expectation, Finding
from conformance.trace.history import History


@dataclass(frozen=True)
class Judged:
    """One history, and what the judges of one requirement found in it."""

    history: History
    expectation: Expectation
    findings: tuple[Finding, ...]

    @property
    def requirement(self) -> str:
        """The requirement's id."""
        return self.expectation.requirement.id

    @property
    def changed(self) -> bool:
        """They find something else now."""
        return tuple(judging.findings_of(self.history, self.expectation)) != self.findings


class Stories:
    """All that was judged while a test ran, by the test's id, in order."""

    def __init__(self) -> None:
        self._judged: dict[str, list[Judged]] = defaultdict(list)
        self._own_judges = set[str]()
        self._test = ""

    def begin(self, test: str) -> None:
        """A test begins."""
        self._test = test
        self._told = iter(self._judged.get(test, ()))

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Keep what is judged."""
        original = judging.findings_of

        def record(history: History, expectation: Expectation) -> Iterator[Finding]:
            findings = tuple(original(history, expectation))
            self._judged[self._test].append(Judged(history, expectation, findings))
            return iter(findings)

        judging.findings_of = record
        try:
            yield
        finally:
            judging.findings_of = original
        self._own_judges = {test for test, judged in self._judged.items() if any(each.changed for each in judged)}

    @contextmanager
    def recited(self) -> Iterator[None]:
        """Ask no judge: a test that is run again is told what they found before."""
        original = judging.findings_of
        judging.findings_of = lambda history, expectation: iter(next(self._told).findings)
        yield
        judging.findings_of = original

    def by_requirement(self) -> dict[str, list[Judged]]:
        """All that was judged, but for what tests judged that put judges of their own in place."""
        found: dict[str, list[Judged]] = defaultdict(list)
        for test, judged in self._judged.items():
            for each in judged if test not in self._own_judges else ():
                found[each.requirement].append(each)
        return found

    def changed(self, test: str, requirements: set[str]) -> bool:
        """Whether the judges of these requirements find anything else now in what that test judged.

        Of a test that puts a judge of its own in place nobody can say.
        """
        if test in self._own_judges:
            return True
        return any(each.changed for each in self._judged.get(test, ()) if each.requirement in requirements)
