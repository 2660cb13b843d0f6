# SPDX-License-Identifier: MIT
"""Stored evidence, judged again: what a newer oracle, or an honest one, makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from conformance.oracle.results import CaseResult, ProviderRun, judge_case
from conformance.oracle.verdicts import Verdict
from conformance.reporting.results import CaseSummary, ProviderResults, Results, build
from conformance.trace.store import BadEvidence, load

_SWAPPED = "put each file back to where its run wrote it, or run the case again"


@dataclass(frozen=True)
class Change:
    """A requirement whose verdict is not what the results say."""

    provider: str
    requirement: str
    before: Verdict
    now: Verdict
    reason: str


@dataclass(frozen=True)
class Rejudged:
    """What came of it. `left_out`: evidence files that belong to no case of the results."""

    results: Results
    changes: tuple[Change, ...]
    bad: tuple[BadEvidence, ...]
    left_out: tuple[Path, ...]

    @property
    def status(self) -> int:
        """The exit status: 0 nothing changed, 1 verdicts changed or evidence is bad, 3 nothing could be judged."""
        if not self.results.cases.finished:
            return 3
        return 1 if self.changes or self.bad else 0


def rejudge(results: Results, directory: Path) -> Rejudged:
    """Judge the evidence of a run again. `directory` is where the evidence paths of the results start from."""
    cases: list[CaseResult] = []
    bad: list[BadEvidence] = []
    for provider in results.providers:
        for case in provider.cases:
            try:
                cases.append(_judged(provider.name, case, directory))
            except BadEvidence as problem:
                bad.append(problem)
    now = build(cases, [_run(provider, results) for provider in results.providers], _environment(results), len(cases))
    known = {directory / case.evidence for provider in results.providers for case in provider.cases}
    left_out = sorted(path for path in (directory / "evidence").rglob("*.jsonl") if path not in known)
    return Rejudged(now, tuple(_changes(results, now)), tuple(bad), tuple(left_out))


def _judged(provider: str, case: CaseSummary, directory: Path) -> CaseResult:
    path = directory / case.evidence
    trace = load(path)
    if (trace.header.provider, trace.header.case) != (provider, case.id):
        why = f"the evidence of {trace.header.case} ({trace.header.provider}), and not of {case.id} ({provider})"
        raise BadEvidence(path, 1, why, _SWAPPED)
    return judge_case(trace, evidence=case.evidence, duration_s=case.duration_s)


def _run(provider: ProviderResults, results: Results) -> ProviderRun:
    times = results.environment.times.get(provider.name)
    return ProviderRun(
        name=provider.name,
        statement=provider.statement,
        found=provider.found,
        contradictions=provider.contradictions,
        problem=provider.problem,
        settle_ms=times.settle_ms if times else 0,
        prompt_ms=times.prompt_ms if times else 0,
    )


def _environment(results: Results) -> dict[str, object]:
    environment: dict[str, object] = msgspec.to_builtins(results.environment)
    return environment


def _changes(before: Results, now: Results) -> Iterable[Change]:
    for old, new in zip(before.providers, now.providers, strict=True):
        verdicts = {row.id: row.verdict for row in old.requirements}
        for row in new.requirements:
            if (stored := verdicts.get(row.id, Verdict.NOT_EXERCISED)) is not row.verdict:
                yield Change(old.name, row.id, stored, row.verdict, row.reason)
