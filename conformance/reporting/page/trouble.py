# SPDX-License-Identifier: MIT
"""Why it is red: what failed or broke, by requirement, with what was required and what was seen at each provider."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from conformance.catalogue import catalogue
from conformance.oracle.findings import Conclusion
from conformance.oracle.verdicts import Verdict
from conformance.reporting.failures import clause, problem_lines
from conformance.reporting.gating import Gate, about
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
    """What was seen at one provider: the first telling finding, in lines, and in how many cases there was one.

    `entry` is what the baseline says of it, if anything.
    """

    provider: str
    lines: tuple[str, ...]
    cases: str
    link: str
    entry: str = ""


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


@dataclass(frozen=True)
class Entry:
    """An entry of the baseline that no failure stands behind: whose it is, and what it comes to."""

    provider: str
    id: str
    standing: str
    about: str
    link: str


Excuses = Mapping[tuple[str, str], str]
"""By provider and requirement: what the baseline says of a failure that it excuses."""


def excuses(decided: Gate) -> Excuses:
    """The failures that the baseline excuses."""
    return {(each.provider, each.requirement): about(each) for each in decided.excused}


def troubles(
    results: Results, verdict: Verdict, *, excused: Excuses | None = None, only: bool = False
) -> tuple[Trouble, ...]:
    """What came to that verdict, in the order of the catalogue; providers that could not be tested are left out.

    Without what is `excused`, or, with `only`, nothing else.
    """
    excused = excused or {}
    known = catalogue.load()
    found: dict[str, list[Sight]] = {}
    for provider in results.providers:
        for row in provider.requirements if not provider.problem else ():
            entry = excused.get((provider.name, row.id), "")
            if row.verdict is verdict and bool(entry) is only:
                found.setdefault(row.id, []).append(_sight(provider, row, entry))
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


def entries(decided: Gate) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """The entries that close the gate, and those that the run did not decide."""
    standings = (
        ("does not fail: remove the entry", decided.stale),
        ("expired", decided.expired),
        ("matches nothing", decided.unmatched),
        ("not confirmed", decided.unconfirmed),
    )
    *closing, open_ = (
        tuple(
            Entry(each.provider, each.requirement, said, about(each), cell_link(each.provider, each.requirement))
            for each in found
        )
        for said, found in standings
    )
    return tuple(each for found in closing for each in found), open_


def _sight(provider: ProviderResults, row: RequirementRow, entry: str) -> Sight:
    telling = list(_with(row, _TELLING[row.verdict]))
    first = next((f.because for case in telling for f in case.findings if f.outcome is _TELLING[row.verdict]), "")
    of = f"{len(telling)} of {several(len(row.cases), 'case')}"
    lines = problem_lines(first or row.reason) if row.verdict is Verdict.ERROR else [flat(first or row.reason)]
    return Sight(provider.name, tuple(lines), of if row.cases else "", cell_link(provider.name, row.id), entry)


def _with(row: RequirementRow, outcome: Conclusion) -> Iterator[CaseRow]:
    return (case for case in row.cases if any(finding.outcome is outcome for finding in case.findings))
