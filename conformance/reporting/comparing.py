# SPDX-License-Identifier: MIT
"""Two runs compared: what got better or worse, what is newly tested, and what is not tested any more.

The order of the verdicts is `ORDER`, for those that decide something. What decides nothing is above or below nothing: a
failure that is not tested any more has not been mended, and is *gone*. A failure or an error that was not there before
is *worse*, whatever was there. Rendering is left to others: `differences` for a terminal, `page.difference` for a
browser.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from conformance.catalogue.statement import Contradiction, Statement
from conformance.oracle.findings import Conclusion
from conformance.oracle.verdicts import Verdict
from conformance.reporting.gating import gate
from conformance.reporting.results import ProviderResults, RequirementRow, Results
from conformance.reporting.text import several

ORDER: Mapping[Verdict, int] = {Verdict.FAIL: 0, Verdict.DEVIATION: 1, Verdict.RECORDED: 2, Verdict.PASS: 2}
"""The verdicts that decide something; a greater number is better."""
_BROKEN = (Verdict.FAIL, Verdict.ERROR)
_SAYS_WHAT_IT_SAW = (Verdict.FAIL, Verdict.DEVIATION, Verdict.RECORDED)


class Kind(StrEnum):
    """What became of a requirement from one run to the next."""

    WORSE = "worse"
    GONE = "gone"
    """It was decided, and is not any more."""
    BETTER = "better"
    NEW = "newly tested"
    CHANGED = "changed"
    """Neither better nor worse: other words for the same verdict, other cases, or undecided in another way."""


@dataclass(frozen=True)
class Change:
    """A requirement of a provider that is not as before.

    `before` and `now` are None where there is no row. What was told is the first finding that the verdict rests on, all
    that was recorded, or the reason where there is no finding. `cases_gone` and `cases_added` count the cases that are
    meant to exercise it.
    """

    provider: str
    requirement: str
    kind: Kind
    before: Verdict | None
    now: Verdict | None
    told_before: str = ""
    told_now: str = ""
    cases_gone: int = 0
    cases_added: int = 0


@dataclass(frozen=True)
class Difference:
    """Something else that is not as before: an item of a statement, the suite, the machine. Empty: it is not there."""

    item: str
    before: str
    now: str


@dataclass(frozen=True)
class Provider:
    """A provider that both runs tested: what is different about it, and the cases that only one of them has."""

    name: str
    differences: tuple[Difference, ...]
    cases_gone: tuple[str, ...]
    cases_added: tuple[str, ...]


@dataclass(frozen=True)
class Side:
    """One of the two runs: `name` as the user has it, and what the gate says of it."""

    name: str
    providers: tuple[str, ...]
    cases: int
    gate: str


@dataclass(frozen=True)
class Comparison:
    """What is different. `differences`: of the suite and the machine. `providers`: of both runs, if they differ."""

    before: Side
    now: Side
    differences: tuple[Difference, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    providers: tuple[Provider, ...]
    changes: tuple[Change, ...]

    @property
    def status(self) -> int:
        """The exit status: 1 if something got worse or is gone, else 0."""
        return int(any(change.kind in (Kind.WORSE, Kind.GONE) for change in self.changes))

    @property
    def sentence(self) -> str:
        """What it comes to."""
        parts = [] if self.status else ["nothing got worse" if self.changes else "no requirement changed"]
        noun = "requirement"
        for kind, one, more in (
            (Kind.WORSE, "got worse", "got worse"),
            (Kind.GONE, "is no longer tested", "are no longer tested"),
            (Kind.BETTER, "got better", "got better"),
            (Kind.NEW, "is newly tested", "are newly tested"),
            (Kind.CHANGED, "changed otherwise", "changed otherwise"),
        ):
            if count := sum(change.kind is kind for change in self.changes):
                number = several(count, noun) if noun else str(count)
                parts.append(f"{number} {one if count == 1 else more}")
                noun = ""
        text = ", ".join(parts)
        return f"{text[0].upper()}{text[1:]}."


def compare(before: Results, now: Results, names: tuple[str, str] = ("before", "now")) -> Comparison:
    """Compare two runs. `names`: what to call them."""
    old, new = ({provider.name: provider for provider in results.providers} for results in (before, now))
    both = [name for name in new if name in old]
    providers = (_provider(old[name], new[name]) for name in both)
    return Comparison(
        before=_side(before, names[0]),
        now=_side(now, names[1]),
        differences=tuple(_differences(_surroundings(before), _surroundings(now))),
        added=tuple(name for name in new if name not in old),
        removed=tuple(name for name in old if name not in new),
        providers=tuple(each for each in providers if each.differences or each.cases_gone or each.cases_added),
        changes=tuple(change for name in {**old, **new} for change in _changes(name, old.get(name), new.get(name))),
    )


def kind_of(before: Verdict | None, now: Verdict | None) -> Kind | None:
    """What it is to go from one verdict to another; None is no row at all. The answer None: it is as before."""
    if before is now:
        return None
    if now in _BROKEN:
        return Kind.WORSE
    then, today = (ORDER.get(each) if each else None for each in (before, now))
    if then is not None and today is not None:
        return Kind.CHANGED if then == today else Kind.BETTER if today > then else Kind.WORSE
    if then is not None:
        return Kind.GONE
    if today is not None:
        return Kind.BETTER if before is Verdict.ERROR else Kind.NEW
    appears = before is None or (now is None and before is not Verdict.ERROR)
    return None if appears else Kind.CHANGED  # a row that decides nothing may come and go


def _side(results: Results, name: str) -> Side:
    providers = tuple(provider.name for provider in results.providers)
    return Side(name, providers, results.cases.finished, gate(results).sentence)


# --- requirements ---------------------------------------------------------------------------------------------------


def _changes(name: str, old: ProviderResults | None, new: ProviderResults | None) -> Iterator[Change]:
    stored, found = ({row.id: row for row in each.requirements} if each else {} for each in (old, new))
    cases_then, cases_now = _exercising(old), _exercising(new)
    for identity in {**stored, **found}:
        before, now = stored.get(identity), found.get(identity)
        then, today = cases_then.get(identity, set()), cases_now.get(identity, set())
        change = Change(
            provider=name,
            requirement=identity,
            kind=kind_of(_verdict(before), _verdict(now)) or Kind.CHANGED,
            before=_verdict(before),
            now=_verdict(now),
            told_before=_told(before),
            told_now=_told(now),
            cases_gone=len(then - today),
            cases_added=len(today - then),
        )
        if change.before is not change.now:
            if kind_of(change.before, change.now) is not None:
                yield change
        elif change.told_before != change.told_now or (change.now in ORDER and then != today):
            yield change


def _verdict(row: RequirementRow | None) -> Verdict | None:
    return row.verdict if row else None


def _told(row: RequirementRow | None) -> str:
    """What the results say of a requirement; nothing for a pass, and for what no case reached."""
    if row is None or row.verdict in (Verdict.PASS, Verdict.NOT_EXERCISED, Verdict.NOT_APPLICABLE):
        return ""
    if row.verdict not in _SAYS_WHAT_IT_SAW:
        return row.reason
    recorded = row.verdict is Verdict.RECORDED
    outcomes = (Conclusion.SATISFIED, Conclusion.VIOLATED) if recorded else (Conclusion.VIOLATED,)
    said = [finding.because for case in row.cases for finding in case.findings if finding.outcome in outcomes]
    return "; ".join(sorted(set(said))) if recorded else next(iter(said), "")


def _exercising(provider: ProviderResults | None) -> dict[str, set[str]]:
    """The cases that are meant to exercise each requirement."""
    cases: dict[str, set[str]] = {}
    for case in provider.cases if provider else ():
        for identity in case.exercises:
            cases.setdefault(identity, set()).add(case.id)
    return cases


# --- what is around them --------------------------------------------------------------------------------------------


def _provider(old: ProviderResults, new: ProviderResults) -> Provider:
    then, now = ([case.id for case in each.cases] for each in (old, new))
    known, found = set(then), set(now)
    return Provider(
        name=new.name,
        differences=tuple(_differences(_claims(old), _claims(new))),
        cases_gone=tuple(identity for identity in then if identity not in found),
        cases_added=tuple(identity for identity in now if identity not in known),
    )


def _claims(provider: ProviderResults) -> dict[str, str]:
    """What is claimed of a provider, where that was contradicted, and what kept it from being tested."""
    statement: Statement = provider.statement
    items = {f"statement, {item}": _worded(value) for item, value in msgspec.to_builtins(statement).items()}
    for each in provider.contradictions:
        items[f"contradiction, {each.item}"] = _contradiction(each)
    return items | {"problem": provider.problem}


def _contradiction(each: Contradiction) -> str:
    return f"claimed {each.claimed}, found {each.found}"


def _surroundings(results: Results) -> dict[str, str]:
    environment = results.environment
    return {
        "suite": results.suite.version,
        "catalogue": results.suite.catalogue,
        "system": environment.system,
        "python": environment.python,
        "topologies": _worded(environment.topologies),
        "baseline": results.baseline.file if results.baseline else "",
    }


def _worded(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_worded(each)}" for key, each in value.items() if each is not None)
    if isinstance(value, list | tuple):
        return ", ".join(sorted(map(str, value)))
    return "" if value is None else str(value)


def _differences(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Difference]:
    for item in {**before, **now}:
        if before.get(item, "") != now.get(item, ""):
            yield Difference(item, before.get(item, ""), now.get(item, ""))
