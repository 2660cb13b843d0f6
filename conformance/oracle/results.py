# SPDX-License-Identifier: MIT
"""What one case came to: its findings and its verdict, as a value that travels between processes."""

from __future__ import annotations

import msgspec

from conformance.catalogue.catalogue import Catalogue, load
from conformance.catalogue.statement import Contradiction, Statement
from conformance.oracle.claims import Shown, shown
from conformance.oracle.findings import Conclusion, Finding
from conformance.oracle.judging import judge
from conformance.oracle.verdicts import Verdict, verdict_of, worst
from conformance.trace.history import History
from conformance.trace.trace import Trace


class CaseResult(msgspec.Struct, frozen=True, kw_only=True):
    """One case for one provider. `evidence` is the trace's path relative to the results, `duration_s` in seconds."""

    id: str
    provider: str
    topology: str
    verdict: Verdict
    exercises: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    shown: tuple[Shown, ...] = ()
    """What the case showed of the claims that a statement may make."""
    problem: str = ""
    evidence: str = ""
    duration_s: float = 0.0


class ProviderRun(msgspec.Struct, frozen=True, kw_only=True):
    """A provider in one run: what was claimed, what was found, and what kept it from being tested, if anything."""

    name: str
    statement: Statement
    found: dict[str, object] = {}
    contradictions: tuple[Contradiction, ...] = ()
    problem: str = ""
    settle_ms: int = 0
    prompt_ms: int = 0
    latency_ms: int = 0


def judge_case(
    trace: Trace, *, evidence: str = "", duration_s: float = 0.0, catalogue: Catalogue | None = None
) -> CaseResult:
    """Judge one trace and sum it up. What it was not meant to exercise, it does not leave undetermined.

    A case that exercised nothing and showed something of a claim was a probe, and is recorded; one that broke is an
    error, whatever it was.
    """
    catalogue = catalogue or load()
    header, history = trace.header, History(trace)
    findings = tuple(
        finding
        for finding in judge(trace, catalogue, history)
        if finding.outcome is not Conclusion.UNDETERMINED or finding.requirement in header.exercises
    )
    told = shown(history)
    probed = bool(told) and not {finding.requirement for finding in findings} & set(header.exercises)
    verdict = Verdict.ERROR if header.problem else case_verdict(findings, header.exercises, catalogue)
    return CaseResult(
        id=header.case,
        provider=header.provider,
        topology=header.topology,
        verdict=Verdict.RECORDED if probed and verdict is Verdict.INCONCLUSIVE else verdict,
        exercises=header.exercises,
        findings=findings,
        shown=told,
        problem=header.problem,
        evidence=evidence,
        duration_s=duration_s,
    )


def case_verdict(findings: tuple[Finding, ...], exercises: tuple[str, ...], catalogue: Catalogue) -> Verdict:
    """The worst verdict of the case. What it was not meant to exercise counts only where it was violated or broke."""
    outcomes: dict[str, list[Conclusion]] = {}
    for finding in findings:
        if finding.requirement in exercises or finding.outcome in (Conclusion.VIOLATED, Conclusion.ERROR):
            outcomes.setdefault(finding.requirement, []).append(finding.outcome)
    return worst(verdict_of(catalogue[identity].level, found) for identity, found in outcomes.items())
