# SPDX-License-Identifier: MIT
"""`results.json`: every requirement of the catalogue with its verdict for every provider, and where the evidence lies.

`build` rolls up what the cases found, `save` and `load` keep it. Other tools read this file: its form is
`results.schema.json` beside this module, which `python -m conformance.reporting.results` prints.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import msgspec

from conformance import __version__
from conformance.catalogue import catalogue
from conformance.catalogue.requirement import Level, Requirement
from conformance.catalogue.statement import Contradiction, Statement
from conformance.oracle.claims import Shown, contradicted
from conformance.oracle.findings import Conclusion, Finding
from conformance.oracle.judging import judged
from conformance.oracle.results import CaseResult, ProviderRun
from conformance.oracle.verdicts import Verdict, requirement_verdict, verdict_of
from conformance.reporting.baseline import Baseline
from conformance.reporting.control import Control
from conformance.reporting.killmatrix import KillMatrix
from conformance.trace.decoding import decode
from conformance.trace.whole import write_whole

UNREACHED = "no case reached it"
"""The reason of a requirement that could have been exercised, and was not."""
_REASONS_SHOWN = 3


class Suite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What judged: the version of the suite, and the digest of its catalogue."""

    version: str
    catalogue: str


class Times(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The times of a provider's session in milliseconds; the first two have the way of messages to another clock in."""

    settle_ms: int
    prompt_ms: int
    latency_ms: int = 0


class Environment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where it ran; `times` by provider. `jitter_ms`: the worst scheduling delay seen when the session began."""

    system: str
    python: str
    topologies: tuple[str, ...] = ()
    jitter_ms: float = 0.0
    times: dict[str, Times] = {}


class Extent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many cases were to be run, and how many were; fewer if the run was cut short."""

    planned: int
    finished: int


class FindingRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One finding: `events` are numbers of the case's trace, `matched` says whose behaviour was met."""

    outcome: Conclusion
    because: str
    events: tuple[int, ...]
    matched: str = ""


class CaseRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one case said of one requirement."""

    id: str
    topology: str
    verdict: Verdict
    findings: tuple[FindingRow, ...]
    evidence: str


class RequirementRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One requirement for one provider. `reason` says why, where there is no finding that does."""

    id: str
    level: Level
    verdict: Verdict
    reason: str = ""
    cases: tuple[CaseRow, ...] = ()


class CaseSummary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One case as a whole: its worst verdict, what it was meant to exercise, and what broke it, if anything."""

    id: str
    topology: str
    verdict: Verdict
    exercises: tuple[str, ...]
    evidence: str
    duration_s: float
    problem: str = ""


class ProviderResults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything about one provider; `problem` is what kept it from being tested, if anything."""

    name: str
    statement: Statement
    found: dict[str, Any]
    contradictions: tuple[Contradiction, ...]
    problem: str
    requirements: tuple[RequirementRow, ...]
    cases: tuple[CaseSummary, ...]
    totals: dict[str, int]


class Results(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A run. `baseline`: what was excused, if anything was to be; `control`: its negative control; `mutants`: the kill
    matrix, if the mutants were run into the same directory."""

    schema: Literal[1]
    suite: Suite
    environment: Environment
    cases: Extent
    providers: tuple[ProviderResults, ...]
    baseline: Baseline | None = None
    control: Control | None = None
    mutants: KillMatrix | None = None


_DECODER = msgspec.json.Decoder(Results)


class BadResults(Exception):
    """Results that cannot be read: `path`, `key` ("" for the file as a whole), why, and a hint."""

    def __init__(self, path: Path, key: str, why: str, hint: str) -> None:
        super().__init__(f"{path}: {key}: {why}" if key else f"{path}: {why}")
        self.path, self.key, self.why, self.hint = path, key, why, hint


# --- the roll-up ----------------------------------------------------------------------------------------------------


def build(
    cases: Sequence[CaseResult],
    providers: Sequence[ProviderRun],
    environment: Mapping[str, Any],
    planned: int,
    baseline: Baseline | None = None,
) -> Results:
    """Roll up the cases of all providers. `environment` has `system`, `python`, `topologies` and `jitter_ms`.

    A provider that could not be tested has `error` for each requirement that applies to it. Raises
    msgspec.ValidationError for an environment of another form.
    """
    times = {
        run.name: {"settle_ms": run.settle_ms, "prompt_ms": run.prompt_ms, "latency_ms": run.latency_ms}
        for run in providers
    }
    return Results(
        schema=1,
        suite=Suite(__version__, catalogue.digest()),
        environment=msgspec.convert({**environment, "times": times}, Environment),
        cases=Extent(planned, len(cases)),
        providers=tuple(_provider(run, [case for case in cases if case.provider == run.name]) for run in providers),
        baseline=baseline,
    )


def _provider(run: ProviderRun, cases: Sequence[CaseResult]) -> ProviderResults:
    found: dict[str, list[tuple[CaseResult, list[Finding]]]] = {}
    for case in sorted(cases, key=lambda case: case.id):
        of_case: dict[str, list[Finding]] = {}
        for finding in case.findings:
            of_case.setdefault(finding.requirement, []).append(finding)
        for identity, findings in of_case.items():
            found.setdefault(identity, []).append((case, findings))
    rows = tuple(_requirement(each, run, found.get(each.id, [])) for each in catalogue.load().values())
    verdicts = [row.verdict for row in rows]
    return ProviderResults(
        name=run.name,
        statement=run.statement,
        found=dict(run.found),
        contradictions=run.contradictions + _shown_contradictions(run, cases),
        problem=run.problem,
        requirements=rows,
        cases=tuple(
            CaseSummary(
                case.id, case.topology, case.verdict, case.exercises, case.evidence, case.duration_s, case.problem
            )
            for case in sorted(cases, key=lambda case: case.id)
        ),
        totals={str(verdict): verdicts.count(verdict) for verdict in Verdict},
    )


def _shown_contradictions(run: ProviderRun, cases: Iterable[CaseResult]) -> tuple[Contradiction, ...]:
    """Where the cases showed the implementation to be another than was claimed."""
    shown: dict[str, tuple[Shown, ...]] = {}
    for case in cases:
        shown[case.id] = shown.get(case.id, ()) + case.shown
    return contradicted(run.statement, shown)


def _requirement(
    requirement: Requirement, run: ProviderRun, found: Sequence[tuple[CaseResult, list[Finding]]]
) -> RequirementRow:
    findings = [finding for _, of_case in found for finding in of_case]
    verdict = requirement_verdict(requirement, run.statement, findings)
    if verdict is Verdict.NOT_APPLICABLE:
        return RequirementRow(requirement.id, requirement.level, verdict, requirement.unmet(run.statement) or "")
    if run.problem:
        return RequirementRow(requirement.id, requirement.level, Verdict.ERROR, run.problem)
    rows = tuple(
        CaseRow(
            id=case.id,
            topology=case.topology,
            verdict=verdict_of(requirement.level, [finding.outcome for finding in of_case]),
            findings=tuple(FindingRow(f.outcome, f.because, f.events, f.matched) for f in of_case),
            evidence=case.evidence,
        )
        for case, of_case in found
    )
    return RequirementRow(requirement.id, requirement.level, verdict, _reason(requirement.id, verdict, findings), rows)


def _reason(identity: str, verdict: Verdict, findings: Iterable[Finding]) -> str:
    match verdict:
        case Verdict.NOT_EXERCISED:
            return UNREACHED if identity in judged() else "no judge yet"
        case Verdict.INCONCLUSIVE:
            return _distinct(f.because for f in findings if f.outcome is Conclusion.UNDETERMINED)
        case Verdict.ERROR:
            return _distinct(f.because for f in findings if f.outcome is Conclusion.ERROR)
        case _:
            return ""


def _distinct(reasons: Iterable[str]) -> str:
    each = list(dict.fromkeys(reasons))
    more = [f"and {len(each) - _REASONS_SHOWN} more reasons"] if len(each) > _REASONS_SHOWN else []
    return "; ".join(each[:_REASONS_SHOWN] + more)


# --- on disk --------------------------------------------------------------------------------------------------------


def save(results: Results, path: Path) -> None:
    """Write the results whole. Raises OSError."""
    write_whole(path, msgspec.json.encode(results) + b"\n")


def load(path: Path) -> Results:
    """Read results back, strictly.

    Raises:
        BadResults: the file cannot be read, or is not of this form.
    """
    try:
        return decode(path.read_bytes(), _DECODER)
    except OSError as error:
        hint = "name the directory of a run: the one that holds results.json"
        raise BadResults(path, "", f"cannot be read: {error.strerror}", hint) from None
    except msgspec.ValidationError as error:
        why, _, place = str(error).partition(" - at ")
        key = place.strip("`").removeprefix("$").removeprefix(".")
        hint = "results are read by the suite version that wrote them, or a later one"
        raise BadResults(path, key, why, hint) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadResults(path, "", f"not JSON, or cut short: {error}", "copy the file again, or run again") from None


# --- the schema -----------------------------------------------------------------------------------------------------


def make_schema() -> dict[str, Any]:
    """The JSON Schema of `results.json`, made from the types above."""
    schema = msgspec.json.schema(Results)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "results.json, schema 1", **schema}


def stored_schema() -> dict[str, Any]:
    """The schema that is shipped as `results.schema.json`."""
    schema: dict[str, Any] = json.loads((files("conformance.reporting") / "results.schema.json").read_text("utf-8"))
    return schema


if __name__ == "__main__":
    print(json.dumps(make_schema(), indent=1))
