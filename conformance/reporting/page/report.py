# SPDX-License-Identifier: MIT
"""The page of a run: its parts gathered, and put into `report.html`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from conformance.catalogue import catalogue
from conformance.oracle.verdicts import Verdict
from conformance.reporting.gating import CLOSED, OPEN, gate
from conformance.reporting.page import evidence as behind
from conformance.reporting.page.claims import claims, implementation
from conformance.reporting.page.kills import asked
from conformance.reporting.page.looks import LOOKS
from conformance.reporting.page.matrix import matrix
from conformance.reporting.page.rendering import document
from conformance.reporting.page.trouble import entries, excuses, troubles, untested
from conformance.reporting.reasons import alike
from conformance.reporting.results import ProviderResults, Results, Times

_STYLES = ("report.css", "panel.css", "ladder.css", "print.css")
_SCRIPTS = ("core.js", "ladder.js", "panel.js", "matrix.js", "paper.js", "start.js")
_GATES = {OPEN: "open", CLOSED: "closed"}
_LEFT_OPEN = (Verdict.NOT_EXERCISED, Verdict.NOT_APPLICABLE)


@dataclass(frozen=True)
class Tested:
    """One provider at the top of the page: what it is, what it claims to be, and what came of it."""

    name: str
    implementation: str
    agent: str
    claim: str
    flags: tuple[str, ...]
    contradictions: int
    problem: bool
    cases: int
    totals: tuple[tuple[Verdict, int], ...]
    times: Times | None


def render(results: Results, directory: Path, *, evidence: bool = True) -> str:
    """The page of a run: one file that needs no other.

    `directory` is where the evidence paths of the results start from; the ladders are drawn from it. With `evidence`
    the page links to the evidence as lying beside it; without, it says that it stayed with the run. The same results
    with the same evidence give the same page.
    """
    decided = gate(results)
    excused = excuses(decided)
    closing, unconfirmed = entries(decided)
    data = {
        f"evidence-{number}": behind.of_provider(provider, directory, excused, linked=evidence)
        for number, provider in enumerate(results.providers)
    }
    return document(
        "report.html",
        styles=_STYLES,
        scripts=_SCRIPTS,
        data={"vocabulary": behind.vocabulary(results), **data},
        results=results,
        gate=_GATES.get(decided.status, "undecided"),
        sentence=decided.sentence,
        tested=[_tested(provider, results) for provider in results.providers],
        red=[*troubles(results, Verdict.FAIL, excused=excused), *troubles(results, Verdict.ERROR)],
        closing=closing,
        excused=troubles(results, Verdict.FAIL, excused=excused, only=True),
        unconfirmed=unconfirmed,
        untested=untested(results),
        amber={verdict: troubles(results, verdict) for verdict in (Verdict.DEVIATION, Verdict.INCONCLUSIVE)},
        matrix=matrix(results, excused),
        claims=claims(results),
        control=[
            (case, behind.links(case.evidence, directory) if evidence else {})
            for case in (results.control.cases if results.control else ())
        ],
        asked=asked(results.mutants) if results.mutants else None,
        left_open=[(verdict, alike(results, verdict)) for verdict in _LEFT_OPEN],
        same_catalogue=results.suite.catalogue == catalogue.digest(),
    )  # fmt: skip


def _tested(provider: ProviderResults, results: Results) -> Tested:
    statement = provider.statement
    found, agent = implementation(provider)
    return Tested(
        name=provider.name,
        implementation=found,
        agent=agent,
        claim=", ".join(filter(None, (statement.family, statement.transport, statement.platform))),
        flags=statement.service_flags,
        contradictions=len(provider.contradictions),
        problem=bool(provider.problem),
        cases=len(provider.cases),
        totals=tuple((verdict, provider.totals[verdict]) for verdict in LOOKS if provider.totals.get(verdict)),
        times=results.environment.times.get(provider.name),
    )
