# SPDX-License-Identifier: MIT
"""One requirement or one case, explained: where it is written, what is accepted and why, and what came of it last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from conformance.catalogue import catalogue
from conformance.catalogue.conditions import parse
from conformance.catalogue.requirement import Level, Requirement
from conformance.oracle.findings import Conclusion
from conformance.oracle.verdicts import Verdict
from conformance.reporting.casebook import CaseFunction
from conformance.reporting.failures import again, expression, ladder_of, name_in_pytest
from conformance.reporting.results import BadResults, CaseRow, CaseSummary, ProviderResults, Results, load
from conformance.reporting.text import several, wrapped

_LEVELS = {
    Level.MANDATORY: "mandatory: a breach is a failure",
    Level.CONDITIONAL: "conditional: a breach is a failure where the platform or the claim that it names is stated",
    Level.OPTIONAL: "optional: a breach is reported as a deviation, and never fails",
    Level.INFORMATIVE: "informative: what it does is recorded, and never judged",
}
_WORST_FIRST = (Verdict.FAIL, Verdict.ERROR, Verdict.DEVIATION, Verdict.INCONCLUSIVE, Verdict.PASS, Verdict.RECORDED)
_COLUMN = 14
_BAD_SHOWN = 5
_RUNS_LOOKED_AT = 10
T = TypeVar("T")


class UnknownName(LookupError):
    """No requirement and no case of that name; `near` holds the names that look most like it."""

    def __init__(self, name: str, near: Sequence[str]) -> None:
        super().__init__(f"no requirement and no case is called {name!r}")
        self.near = tuple(near)


@dataclass(frozen=True)
class LastRun:
    """The newest results, and the directory that they lie in."""

    results: Results
    directory: Path


def newest(reports: Path, name: str) -> LastRun | None:
    """The newest results below `reports` that have something on this requirement or case, or just the newest."""
    found: LastRun | None = None
    files = [path for path in reports.glob("*/results.json") if not path.parent.is_symlink()]
    for path in sorted(files, key=lambda path: path.stat().st_mtime, reverse=True)[:_RUNS_LOOKED_AT]:
        try:
            run = LastRun(load(path), path.parent)
        except BadResults:
            continue  # of another version, or cut short: an older one will do
        if _reaches(run, name):
            return run
        found = found or run
    return found


def _reaches(run: LastRun, name: str) -> bool:
    """A run of a few cases leaves most requirements not exercised."""
    rows = (row for provider in run.results.providers for row in provider.requirements if row.id == name.upper())
    return any(row.cases for row in rows) or bool(_cases_named(name, run))


def explain(name: str, functions: Sequence[CaseFunction], last: LastRun | None) -> list[str]:
    """Explain a requirement or a case, in lines. Raises UnknownName."""
    requirement = catalogue.load().get(name.upper())
    if requirement is not None:
        return [*_requirement(requirement, functions), *_last_verdicts(requirement.id, last)]
    cases = _cases_named(name, last)
    function = next((each for each in functions if name.partition("[")[0] in (each.id, each.name)), None)
    if not cases and (function is None or ("[" in name and last is not None)):
        known = [case.id for provider in last.results.providers for case in provider.cases] if last else []
        near = get_close_matches(name, [*known, *(f.id for f in functions), *(f.name for f in functions)], n=3)
        raise UnknownName(name, [*catalogue.nearest(name), *dict.fromkeys(near)][:3])
    return [*_case(name, function, cases), *_case_verdicts(cases, last)]


# --- a requirement --------------------------------------------------------------------------------------------------


def _requirement(requirement: Requirement, functions: Iterable[CaseFunction]) -> Iterator[str]:
    group = catalogue.load().groups[requirement.group]
    yield from wrapped(requirement.id, requirement.statement, column=_COLUMN)
    yield ""
    yield from _field("group", f"{group.letter}, {group.title}")
    yield from _field("level", _LEVELS[requirement.level])
    for label, source in _labelled("source", requirement.sources):
        note = f" {source.note}" if source.note else ""
        yield from _field(label, f"{source.text} ({'verified' if source.verified else 'unverified'}).{note}")
    conditions = [in_words(clause) for clause in requirement.applies_if]
    for label, condition in _labelled("applies if", conditions or ["always"]):
        yield from _field(label, condition)
    yield from _field("stimulus", requirement.stimulus)
    yield from _field("observed by", requirement.observed_by)
    for label, accepted in _labelled("accepted", requirement.accepted):
        when = f" (if {', and '.join(map(in_words, accepted.when))})" if accepted.when else ""
        yield from _field(label, f"{accepted.outcome}: {accepted.says}{when} [{accepted.provenance}]")
    if requirement.divergence:
        yield from _field("divergence", requirement.divergence)
    exercising = [function for function in functions if requirement.id in function.exercises]
    for label, function in _labelled("exercised by", exercising):
        yield from _field(label, f"{function.id}: {function.story}")
    if not exercising:
        yield from _field("exercised by", "no case yet")


def in_words(clause: str) -> str:
    """A condition of the catalogue in words: "the statement claims GRACEFUL_CLOSE"."""
    return " or ".join(_alternative(each.kind, each.value, each.negated) for each in parse(clause))


def _alternative(kind: str, value: str, negated: bool) -> str:
    match kind:
        case "flag":
            return f"{value} is {'not ' if negated else ''}claimed"
        case "CONNECTION_ORIENTED":
            return f"CONNECTIONLESS is {'' if negated else 'not '}claimed"
        case "stream":
            return "message boundaries are kept" if negated else "receives act as on a byte stream"
        case "family" | "transport" | "platform":
            return f"the {kind} is {'not ' if negated else ''}{value}"
        case "limit":
            return f"{value} is {'not ' if negated else ''}stated"
        case _:
            name = {"op": "operation"}.get(kind, kind)
            return f"the {name} {value} is {'not ' if negated else ''}claimed"


def _last_verdicts(identity: str, last: LastRun | None) -> Iterator[str]:
    """The last verdict per provider, and one ladder: of the worst of them, and of a case meant for it if there is."""
    yield ""
    if last is None:
        yield "no results yet: run it with `shutdown-conformance run`"
        return
    yield f"last verdicts, from {last.directory}"
    shown: list[tuple[tuple[int, bool], ProviderResults, CaseRow]] = []
    for provider in last.results.providers:
        row = next((row for row in provider.requirements if row.id == identity), None)
        if row is None:
            continue
        meant = {case.id for case in provider.cases if identity in case.exercises}
        telling = [case for case in row.cases if case.verdict is row.verdict]
        case = next((case for case in telling if case.id in meant), telling[0] if telling else None)
        why = row.reason or (f"{_because(case)} ({several(len(row.cases), 'case')})" if case else "")
        yield from wrapped(f"  {provider.name}", f"{row.verdict}{': ' if why else ''}{why}", column=20)
        if case is not None and case.evidence:
            shown.append(((_WORST_FIRST.index(row.verdict), case.id not in meant), provider, case))
    if shown:
        _, provider, case = min(shown, key=lambda each: each[0])
        yield ""
        yield f"again: {again(provider.name, case.id, case.topology)}"
        yield from ladder_of(last.directory / case.evidence, _telling_events(case))


def _telling_events(case: CaseRow) -> frozenset[int]:
    worst = _telling(case)
    return frozenset(n for finding in case.findings if finding.outcome is worst for n in finding.events)


def _telling(case: CaseRow) -> Conclusion:
    """The outcome that the case's verdict rests on."""
    outcomes = {finding.outcome for finding in case.findings}
    order = (Conclusion.VIOLATED, Conclusion.ERROR, Conclusion.SATISFIED, Conclusion.UNDETERMINED)
    return next(outcome for outcome in order if outcome in outcomes)


def _because(case: CaseRow) -> str:
    finding = next(finding for finding in case.findings if finding.outcome is _telling(case))
    return f"{finding.because}{f' [as in {finding.matched}]' if finding.matched else ''}"


# --- a case ---------------------------------------------------------------------------------------------------------


def _cases_named(name: str, last: LastRun | None) -> list[tuple[ProviderResults, CaseSummary]]:
    """The cases of the last run whose id, here or in pytest, is the name, or it with parameters, or ends so."""
    if last is None:
        return []

    def fits(identity: str, provider: str) -> bool:
        whole = (identity, identity.partition("[")[0], name_in_pytest(identity, provider))
        return name in (*whole, *(each.rpartition("::")[2] for each in whole), expression(identity, provider))

    return [
        (provider, case)
        for provider in last.results.providers
        for case in provider.cases
        if fits(case.id, provider.name)
    ]


def _case(
    name: str, function: CaseFunction | None, cases: Sequence[tuple[ProviderResults, CaseSummary]]
) -> Iterator[str]:
    exercises = cases[0][1].exercises if cases and "[" in name else function.exercises if function else ()
    yield cases[0][1].id if len({case.id for _, case in cases}) == 1 else function.id if function else name
    yield ""
    if function is not None and function.story:
        yield from _field("story", function.story)
    for label, identity in _labelled("exercises", exercises):
        requirement = catalogue.load().get(identity)
        yield from _field(label, f"{identity}: {requirement.statement}" if requirement else identity)
    if function is not None and function.probes:
        yield from _field("probes", f"{', '.join(function.probes)}: whether that is claimed or not")


def _case_verdicts(cases: Sequence[tuple[ProviderResults, CaseSummary]], last: LastRun | None) -> Iterator[str]:
    yield ""
    if last is None or not cases:
        yield "no results yet: run it with `shutdown-conformance run`"
        return
    yield f"last verdicts, from {last.directory}"
    for name in dict.fromkeys(provider.name for provider, _ in cases):
        own = sorted((case for provider, case in cases if provider.name == name), key=_badness)
        counted = Counter(case.verdict for case in own)
        counts = ", ".join(f"{number} {verdict}" for verdict, number in counted.items())
        yield from wrapped(f"  {name}", counts, column=20)
        for case in [case for case in own if case.verdict not in (Verdict.PASS, Verdict.RECORDED)][:_BAD_SHOWN]:
            yield from wrapped("", f"{case.verdict}: {case.id}{f': {case.problem}' if case.problem else ''}", column=20)
    provider, case = min(cases, key=lambda each: _badness(each[1]))
    yield ""
    yield f"again: {again(provider.name, case.id, case.topology)}"
    if case.evidence:
        yield from ladder_of(last.directory / case.evidence, _marks(provider, case))


def _badness(case: CaseSummary) -> int:
    return _WORST_FIRST.index(case.verdict)


def _marks(provider: ProviderResults, case: CaseSummary) -> frozenset[int]:
    """The events that the case's verdict rests on, over all its requirements."""
    rows = [row for requirement in provider.requirements for row in requirement.cases if row.id == case.id]
    return frozenset(n for row in rows if row.verdict is case.verdict for n in _telling_events(row))


# --- helpers --------------------------------------------------------------------------------------------------------


def _field(label: str, text: str) -> list[str]:
    return wrapped(f"  {label}", text, column=_COLUMN + 2)


def _labelled(label: str, items: Iterable[T]) -> Iterator[tuple[str, T]]:
    """The label for the first item, and none for those below it."""
    for number, item in enumerate(items):
        yield ("" if number else label), item
