# SPDX-License-Identifier: MIT
"""Why it is red: what failed or broke, by requirement, with what was required and what was seen at each provider."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from conformance.catalogue import catalogue
from conformance.oracle.findings import Conclusion
from conformance.oracle.verdicts import Verdict
from conformance.reporting.failures import clause, problem_lines
from conformance.reporting.page.rendering import cell_link
from conformance.reporting.results import CaseRow, ProviderResults, RequirementRow, Results
from conformance.reporting.text import flat, several

_TELLING = {
    Verdict.FAIL: Conclusion.VIOLATED,
    Verdict.DEVIATION: Conclusion.VIOLATED,
    Verdict.ERROR: Conclusion.ERROR,
    Verdict.INCONCLUSIVE: Conclusion.UNDETERMINED,
}


@dataclass(frozen=True)
class Sight:
    """What was seen at one provider: the first telling finding, in lines, and in how many cases there was one."""

    provider: str
    lines: tuple[str, ...]
    cases: str
    link: str


@dataclass(frozen=True)
class Trouble:
    """One requirement that came to that verdict; `clause` is empty where the catalogue does not know it."""

    verdict: Verdict
    id: str
    statement: str
    clause: str
    seen: tuple[Sight, ...]


@dataclass(frozen=True)
class Untested:
    """A provider that could not be tested, and why, in lines."""

    provider: str
    lines: tuple[str, ...]


def troubles(results: Results, verdict: Verdict) -> tuple[Trouble, ...]:
    """What came to that verdict, in the order of the catalogue; providers that could not be tested are left out."""
    known = catalogue.load()
    found: dict[str, list[Sight]] = {}
    for provider in results.providers:
        for row in provider.requirements if not provider.problem else ():
            if row.verdict is verdict:
                found.setdefault(row.id, []).append(_sight(provider, row))
    order = {identity: place for place, identity in enumerate(known)}
    return tuple(
        Trouble(
            verdict,
            identity,
            known[identity].statement if identity in known else "",
            clause(known[identity]) if identity in known else "",
            tuple(found[identity]),
        )
        for identity in sorted(found, key=lambda identity: order.get(identity, len(order)))
    )


def untested(results: Results) -> tuple[Untested, ...]:
    """The providers that could not be tested."""
    return tuple(Untested(p.name, tuple(problem_lines(p.problem))) for p in results.providers if p.problem)


def _sight(provider: ProviderResults, row: RequirementRow) -> Sight:
    telling = list(_with(row, _TELLING[row.verdict]))
    first = next((f.because for case in telling for f in case.findings if f.outcome is _TELLING[row.verdict]), "")
    of = f"{len(telling)} of {several(len(row.cases), 'case')}"
    lines = problem_lines(first or row.reason) if row.verdict is Verdict.ERROR else [flat(first or row.reason)]
    return Sight(provider.name, tuple(lines), of if row.cases else "", cell_link(provider.name, row.id))


def _with(row: RequirementRow, outcome: Conclusion) -> Iterator[CaseRow]:
    return (case for case in row.cases if any(finding.outcome is outcome for finding in case.findings))
