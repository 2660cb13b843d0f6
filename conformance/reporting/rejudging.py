# SPDX-License-Identifier: MIT
"""Stored evidence, judged again: what a newer oracle, or an honest one, makes of it.

The results are built anew from the evidence and compared whole with the stored ones. What no trace holds (the number of
planned cases, the environment, what an agent said in its hello, the baseline) is taken over as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from conformance.oracle.results import CaseResult, ProviderRun, judge_case
from conformance.oracle.verdicts import Verdict
from conformance.reporting.control import Control, ControlCase, control_of
from conformance.reporting.results import CaseRow, CaseSummary, ProviderResults, RequirementRow, Results, build
from conformance.trace.store import BadEvidence, load
from conformance.trace.trace import Trace

_SWAPPED = "put each file back to where its run wrote it, or run the case again"
_EDITED_STATEMENT = "the results and their evidence must be of one run: copy the whole directory again"
_BREAKS = "no harness writes such a trace: run the case again"
_OUTSIDE = "evidence lies in the directory of its run; take the results from the run that wrote them"
_DAMAGED = "its evidence is damaged or missing"


@dataclass(frozen=True)
class Change:
    """Something that is not as the results say. `what`: a requirement, or another part of the provider's results.

    `of_record` where it stands in the evidence as it is, so that no judge, of whatever version, has a say in it.
    """

    provider: str
    what: str
    before: str
    now: str
    reason: str = ""
    of_record: bool = False


@dataclass(frozen=True)
class Rejudged:
    """What came of it. `left_out`: evidence files that belong to no case of the results."""

    results: Results
    changes: tuple[Change, ...]
    bad: tuple[BadEvidence, ...]
    left_out: tuple[Path, ...]

    @property
    def status(self) -> int:
        """The exit status: 0 all as stored, 1 something differs or evidence is bad, 3 nothing could be judged."""
        if not self.results.cases.finished:
            return 3
        return 1 if self.changes or self.bad or self.left_out else 0


def rejudge(results: Results, directory: Path, judged: Callable[[int], object] = int) -> Rejudged:
    """Judge the evidence of a run again. `directory` is where the evidence paths of the results start from.

    `judged` is told after each case how many are done.
    """
    cases: list[CaseResult] = []
    bad: list[BadEvidence] = []
    damaged: dict[str, set[str]] = {provider.name: set() for provider in results.providers}
    for provider in results.providers:
        for case in provider.cases:
            try:
                trace = trace_of(provider, case, directory)
                cases.append(_judged(trace, case, directory, duration_s=case.duration_s))
            except BadEvidence as problem:
                bad.append(problem)
                damaged[provider.name].add(case.id)
            judged(len(cases) + len(bad))
    runs = [_run(provider, results) for provider in results.providers]
    environment: dict[str, object] = msgspec.to_builtins(results.environment)
    built = build(cases, runs, environment, results.cases.planned, results.baseline)
    providers = tuple(
        _with_damage(old, new, damaged[old.name]) for old, new in zip(results.providers, built.providers, strict=True)
    )
    control, bad_controls = _control_again(results.control, directory)
    bad += bad_controls
    # The kill matrix is of another session, with evidence of its own.
    now = msgspec.structs.replace(built, providers=providers, control=control, mutants=results.mutants)
    known = {_inside(directory, case.evidence) for provider in results.providers for case in provider.cases}
    known |= {_inside(directory, case.evidence) for case in (results.control.cases if results.control else ())}
    stored = sorted((directory / "evidence").rglob("*.jsonl"))
    left_out = tuple(path for path in stored if path.resolve() not in known)
    return Rejudged(now, tuple(_changes(results, now, damaged)), tuple(bad), left_out)


def _judged(trace: Trace, case: CaseSummary | ControlCase, directory: Path, *, duration_s: float = 0.0) -> CaseResult:
    try:
        return judge_case(trace, evidence=case.evidence, duration_s=duration_s)
    except Exception as error:  # evidence is somebody's: what cannot be judged must not keep the rest from it
        why = f"cannot be judged: {type(error).__name__}: {error}"
        raise BadEvidence(directory / case.evidence, 0, why, _BREAKS) from error


def trace_of(provider: ProviderResults, case: CaseSummary, directory: Path) -> Trace:
    """The evidence of a case, and of no other. `directory` is where the evidence paths of the results start from.

    Raises:
        BadEvidence: it cannot be read, lies outside of the directory, or is another case's.
    """
    path, trace = _evidence(provider.name, case, directory)
    header = trace.header
    # What was claimed decides what applies. A provider with a problem may have made no full statement.
    if not provider.problem and header.statement != provider.statement:
        why = f"the evidence of {header.case} was taken under another statement than the one in the results"
        raise BadEvidence(path, 1, why, _EDITED_STATEMENT)
    if not provider.problem and header.implementation != provider.found.get("implementation", {}):
        why = f"the evidence of {header.case} was taken from another implementation than the results name"
        raise BadEvidence(path, 1, why, _EDITED_STATEMENT)
    return trace


def _control_again(control: Control | None, directory: Path) -> tuple[Control | None, list[BadEvidence]]:
    """The negative control, as its evidence has it; a case without good evidence is not one that failed."""
    if control is None:
        return None, []
    cases: list[CaseResult] = []
    bad: list[BadEvidence] = []
    for case in control.cases:
        if not case.evidence:
            cases.append(_broken(control, case, case.because))
            continue
        try:
            _, trace = _evidence(control.provider, case, directory)
            cases.append(_judged(trace, case, directory))
        except BadEvidence as problem:
            bad.append(problem)
            cases.append(_broken(control, case, _DAMAGED))
    return control_of(control.mutant, control.over, cases), bad


def _broken(control: Control, case: ControlCase, why: str) -> CaseResult:
    return CaseResult(
        id=case.id,
        provider=control.provider,
        topology=case.topology,
        verdict=Verdict.ERROR,
        problem=why,
        evidence=case.evidence,
    )


def _evidence(provider: str, case: CaseSummary | ControlCase, directory: Path) -> tuple[Path, Trace]:
    """The trace of a case, and where it lies. Raises BadEvidence: it cannot be read, or is another case's."""
    path = directory / case.evidence
    if _inside(directory, case.evidence) is None:
        raise BadEvidence(path, 0, f"the evidence of {case.id} is outside of {directory}", _OUTSIDE)
    trace = load(path)
    header = trace.header
    if (header.provider, header.case) != (provider, case.id):
        why = f"the evidence of {header.case} ({header.provider}), and not of {case.id} ({provider})"
        raise BadEvidence(path, 1, why, _SWAPPED)
    return path, trace


def _inside(directory: Path, evidence: str) -> Path | None:
    """Where the evidence really lies; None if that is not in the directory."""
    try:
        path = (directory / evidence).resolve()
    except (OSError, RuntimeError, ValueError):  # links in a circle, a name that no file can have
        return None
    return path if path.is_relative_to(directory.resolve()) else None


def _run(provider: ProviderResults, results: Results) -> ProviderRun:
    times = results.environment.times.get(provider.name)
    return ProviderRun(
        name=provider.name,
        statement=provider.statement,
        found=provider.found,
        contradictions=tuple(each for each in provider.contradictions if not each.cases),  # the others are judged anew
        problem=provider.problem,
        settle_ms=times.settle_ms if times else 0,
        prompt_ms=times.prompt_ms if times else 0,
        latency_ms=times.latency_ms if times else 0,
    )


def _with_damage(old: ProviderResults, new: ProviderResults, damaged: set[str]) -> ProviderResults:
    """The rebuilt results, in which a requirement that lost its cases says so."""
    lost = {identity for case in old.cases if case.id in damaged for identity in case.exercises}
    lost |= {row.id for row in old.requirements if any(case.id in damaged for case in row.cases)}
    return msgspec.structs.replace(
        new,
        requirements=tuple(
            msgspec.structs.replace(row, reason=_DAMAGED)
            if row.verdict is Verdict.NOT_EXERCISED and row.id in lost
            else row
            for row in new.requirements
        ),
    )


# --- what differs ---------------------------------------------------------------------------------------------------


def _changes(before: Results, now: Results, damaged: Mapping[str, set[str]]) -> Iterator[Change]:
    found = False
    for old, new in zip(before.providers, now.providers, strict=True):
        for change in _of_provider(old, new, damaged[old.name]):
            found = True
            yield change
    for change in _of_control(before.control, now.control):
        found = True
        yield change
    held = sum(len(provider.cases) for provider in before.providers)
    extent = before.cases
    if extent.finished != held or extent.planned < held:
        found = True
        said = f"{extent.finished} finished of {extent.planned} planned"
        yield Change("results.json", "cases", said, f"{held} finished", "counted from its cases", of_record=True)
    same_suite = msgspec.structs.replace(now, suite=before.suite)
    if not found and not any(damaged.values()) and same_suite != before:
        yield Change("results.json", "form", "as stored", "another order, or entries that a run does not write")


def _of_provider(old: ProviderResults, new: ProviderResults, damaged: set[str]) -> Iterator[Change]:
    stored = {row.id: row for row in old.requirements}
    for row in new.requirements:
        if row.id in stored:
            yield from _of_row(old.name, stored.pop(row.id), row, damaged)
        else:
            yield Change(old.name, row.id, "no row", row.verdict, row.reason)
    for row in stored.values():
        yield Change(old.name, row.id, row.verdict, "no row", "not in this catalogue")
    judged = {case.id: case for case in new.cases}
    for case in old.cases:
        if case.id in judged:
            yield from _of_case(old.name, case, judged[case.id])
    yield from _of_claims(old, new, damaged)
    if old.totals != new.totals:
        yield Change(old.name, "totals", _counts(old.totals), _counts(new.totals))


def _of_control(before: Control | None, now: Control | None) -> Iterator[Change]:
    if before is None or now is None:
        return
    judged = {(case.id, case.evidence): case for case in now.cases}
    for case in before.cases:
        again = judged.get((case.id, case.evidence))
        if again is not None and again.because != _DAMAGED and again.verdict is not case.verdict:
            yield Change("negative control", case.id, case.verdict, again.verdict, again.because)


def _of_row(provider: str, old: RequirementRow, new: RequirementRow, damaged: set[str]) -> Iterator[Change]:
    if old.verdict is not new.verdict:
        yield Change(provider, new.id, old.verdict, new.verdict, new.reason)
    elif old.reason != new.reason:
        yield Change(provider, f"{new.id}, reason", repr(old.reason), repr(new.reason))
    if old.level is not new.level:
        yield Change(provider, f"{new.id}, level", old.level, new.level)
    left = [case for case in old.cases if case.id not in damaged]
    yield from _of_cases(provider, new.id, left, new.cases)


def _of_cases(provider: str, requirement: str, old: Iterable[CaseRow], new: Iterable[CaseRow]) -> Iterator[Change]:
    stored, judged = {case.id: case for case in old}, {case.id: case for case in new}
    for identity in dict.fromkeys([*stored, *judged]):
        before, now = stored.get(identity), judged.get(identity)
        if before == now:
            continue
        then, today = before.verdict if before else "not named", now.verdict if now else "not named"
        yield Change(provider, f"{requirement} in {identity}", then, today, "other findings" if then == today else "")


def _of_case(provider: str, old: CaseSummary, new: CaseSummary) -> Iterator[Change]:
    for field in CaseSummary.__struct_fields__:
        before, now = getattr(old, field), getattr(new, field)
        if before != now:
            yield Change(provider, f"{old.id}, {field}", _worded(before), _worded(now), of_record=field != "verdict")


def _of_claims(old: ProviderResults, new: ProviderResults, damaged: set[str]) -> Iterator[Change]:
    """The contradictions to what is claimed that cases showed; one whose cases are damaged cannot be compared."""
    stored, judged = ({each.item: each for each in results.contradictions if each.cases} for results in (old, new))
    for item in dict.fromkeys([*stored, *judged]):
        before, now = stored.get(item), judged.get(item)
        if before == now or (before is not None and damaged & set(before.cases)):
            continue
        yield Change(
            old.name, f"contradiction, {item}", before.found if before else "none", now.found if now else "none"
        )


def _worded(value: object) -> str:
    return (", ".join(value) if isinstance(value, tuple) else str(value)) or "none"


def _counts(totals: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {verdict}" for verdict, count in totals.items() if count) or "none"
