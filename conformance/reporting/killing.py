# SPDX-License-Identifier: MIT
"""Reading the kill matrix from the results of a session in which mutants stood for implementations.

The verdicts are read the other way round: what fails is as it should be. What a sound provider violates in the same
case is no merit of the suite, and does not count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from conformance import __version__
from conformance.catalogue import catalogue
from conformance.catalogue.requirement import Level
from conformance.oracle.findings import Conclusion
from conformance.oracle.judging import judged
from conformance.oracle.verdicts import Verdict
from conformance.reporting.killmatrix import Death, Fate, KillMatrix, MutantRow
from conformance.reporting.results import (
    BadResults,
    CaseRow,
    FindingRow,
    ProviderResults,
    RequirementRow,
    Results,
    Suite,
)
from conformance.reporting.results import load as load_results
from conformance.reporting.results import save as save_results
from conformance.trace.whole import write_whole

BINDING = (Level.MANDATORY, Level.CONDITIONAL)


class Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`mutants.json`."""

    schema: Literal[1]
    suite: Suite
    matrix: KillMatrix


class Tried(msgspec.Struct, frozen=True):
    """A mutant as a provider of the session: `provider` is its name there, `planned` how many cases it was given."""

    provider: str
    name: str
    over: str
    says: str
    kills: tuple[str, ...]
    planned: int
    subject: str = ""


def matrix(results: Results, tried: Iterable[Tried], *, demanded: Collection[str] | None = None) -> KillMatrix:
    """Read the kill matrix from a session's results.

    `demanded`: which requirements must be covered, where not all that apply to any sound provider of the session must.
    """
    tried = list(tried)
    providers = {provider.name: provider for provider in results.providers}
    broken = {each.provider for each in tried}
    sound = [provider for provider in results.providers if provider.name not in broken]
    return KillMatrix(
        mutants=tuple(_row(each, providers) for each in tried),
        demanded=tuple(applying(sound) if demanded is None else sorted(demanded, key=list(catalogue.load()).index)),
        missing={provider.name: provider.problem for provider in sound if provider.problem},
    )


def applying(providers: Sequence[ProviderResults]) -> list[str]:
    """The mandatory and conditional requirements with a judge that apply to any of these, as far as they were met."""
    return [
        requirement.id
        for requirement in catalogue.load().values()
        if requirement.level in BINDING
        and requirement.id in judged()
        and any(not p.problem and requirement.unmet(p.statement) is None for p in providers)
    ]


def _row(tried: Tried, providers: Mapping[str, ProviderResults]) -> MutantRow:
    broken, sound = providers.get(tried.provider), providers.get(tried.over)
    rows = {row.id: row for row in broken.requirements} if broken else {}
    kills = tuple(k for k in tried.kills if k not in rows or rows[k].verdict is not Verdict.NOT_APPLICABLE)
    caught: tuple[Death, ...] = ()
    if broken is None or broken.problem or sound is None or sound.problem:
        fate, reason = Fate.NOT_RUN, next((p.problem for p in (broken, sound) if p and p.problem), "it was not met")
    else:
        excused = {(row.id, case.id) for row in sound.requirements for case in _violating(row)}
        caught = tuple(sorted(_deaths(broken, excused), key=lambda death: death.requirement not in kills))
        fate, reason = _fate(tried, kills, caught, rows, len(broken.cases))
        told = {death.requirement for death in caught}
        if disputed := [k for k in kills if k not in told and any(k == requirement for requirement, _ in excused)]:
            reason = f"the sound provider fails {', '.join(disputed)} as well"
    return MutantRow(
        name=tried.name,
        over=tried.over,
        says=tried.says,
        fate=fate,
        kills=kills or tried.kills,
        caught=caught,
        cases=len(broken.cases) if broken else 0,
        reason=reason,
        subject=tried.subject,
    )


def _fate(
    tried: Tried,
    kills: Sequence[str],
    caught: Sequence[Death],
    rows: Mapping[str, RequirementRow],
    finished: int,
) -> tuple[Fate, str]:
    if not kills:
        return Fate.SURVIVED, f"{', '.join(tried.kills)} does not apply there: {rows[tried.kills[0]].reason}"
    missed = [requirement for requirement in kills if requirement not in {death.requirement for death in caught}]
    if not missed:
        return Fate.KILLED, ""
    if finished < tried.planned:
        return Fate.NOT_RUN, f"cut short after {finished} of {tried.planned} cases"
    reason = "; ".join(f"{requirement}: {_seen(rows[requirement])}" for requirement in missed)
    if caught:
        return Fate.ELSEWHERE, reason
    broke = any(row.verdict is Verdict.ERROR for row in rows.values())
    return (Fate.BROKE if broke else Fate.SURVIVED), reason


def _seen(row: RequirementRow) -> str:
    """What a requirement came to that should have failed."""
    if not row.cases:
        return "no case exercised it"
    return f"{row.verdict} in {len(row.cases)} cases" + (f" ({row.reason})" if row.reason else "")


def _deaths(broken: ProviderResults, excused: Collection[tuple[str, str]]) -> Iterator[Death]:
    """Each requirement that was violated, with the first case in which the sound provider does not violate it."""
    for row in broken.requirements:
        fatal = (case for case in _violating(row) if (row.id, case.id) not in excused)
        if (case := next(fatal, None)) is not None and (finding := _violation(case)) is not None:
            yield Death(row.id, case.id, case.evidence, finding.because)


def _violating(row: RequirementRow) -> Iterator[CaseRow]:
    if row.verdict in (Verdict.FAIL, Verdict.DEVIATION):
        yield from (c for c in row.cases if _violation(c) is not None)


def _violation(case: CaseRow) -> FindingRow | None:
    return next((f for f in case.findings if f.outcome is Conclusion.VIOLATED), None)


def drop_the_rest(found: KillMatrix, evidence: Path) -> None:
    """Remove the evidence, which is kept there by provider, of all cases in which no mutant died: it is much.

    Of a mutant that was not killed, and of what it is made of, all stays. Raises OSError.
    """
    fatal = {Path(death.evidence).stem for row in found.mutants for death in row.caught}
    open_cases = {
        name for row in found.mutants if row.fate is not Fate.KILLED for name in (row.over, f"{row.over}+{row.name}")
    }
    for file in evidence.glob("*/*"):
        if file.parent.name not in open_cases and file.stem not in fatal:
            file.unlink()


# --- on disk --------------------------------------------------------------------------------------------------------


def save(found: KillMatrix, directory: Path) -> Results | None:
    """Write `mutants.json`; and into `results.json`, where a run of this suite has left one there: these results then.

    Raises OSError.
    """
    suite = Suite(__version__, catalogue.digest())
    write_whole(directory / "mutants.json", msgspec.json.encode(Stored(1, suite, found)) + b"\n")
    path = directory / "results.json"
    try:
        results = load_results(path)
    except BadResults:
        return None
    if results.suite != suite:
        return None
    results = msgspec.structs.replace(results, mutants=found)
    save_results(results, path)
    return results


def load(path: Path) -> Stored:
    """Read a matrix back, strictly. Raises BadResults."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Stored)
    except (OSError, msgspec.DecodeError, RecursionError) as error:
        raise BadResults(path, "", str(error), "run `shutdown-conformance mutants` again") from None
