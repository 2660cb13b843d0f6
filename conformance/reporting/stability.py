# SPDX-License-Identifier: MIT
"""Runs of the same thing, compared: every verdict that was not always the same, and in which runs it was another.

What most runs agree on is usual; a run that differs from it anywhere is odd. With as many runs on either side the
earlier one counts, so that the first run is usual until others outvote it. `soak` makes the runs; here is the
comparison, its form on disk (`soak.json`), and what is said of it.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from conformance.oracle.verdicts import Verdict
from conformance.reporting.results import Results
from conformance.reporting.text import clean, several
from conformance.trace.whole import write_whole

What: TypeAlias = tuple[str, str, str]
"""Provider, kind and name of something that has a verdict in each run."""

ABSENT = "not there"
"""In place of a verdict, where a run has none of something that another run has."""
_BAD_FIRST = (Verdict.FAIL, Verdict.ERROR)
_TESTED = "tested"
_CHANGES_SHOWN = 40
_KINDS = ("run", "provider", "requirement", "case")


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What one run came to. `busy`: other processes kept all cores busy meanwhile. `seconds`: how long it took.

    `status` is its exit status, None for one that did not end and was ended.
    """

    number: int
    busy: bool
    seconds: float
    status: int | None
    verdicts: dict[What, str] = {}


class RunRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run, as it is kept; `odd`: some verdict of it is not the usual one."""

    number: int
    busy: bool
    seconds: float
    status: int | None
    odd: bool


class Otherwise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A verdict that was not the usual one, and the numbers of the runs that had it."""

    verdict: str
    runs: tuple[int, ...]


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something whose verdict was not the same in all runs. `provider` is empty for a run as a whole."""

    provider: str
    kind: Literal["run", "provider", "requirement", "case"]
    name: str
    usual: str
    otherwise: tuple[Otherwise, ...]

    @property
    def is_bad(self) -> bool:
        """Whether it came to fail or error in some runs only."""
        return any(verdict in _BAD_FIRST for verdict in (self.usual, *(other.verdict for other in self.otherwise)))


class Soak(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The runs so far, compared. Cases are counted over all runs, a case of ten runs ten times.

    `always`: how many cases had one and the same verdict in every run, by verdict. `at_times_inconclusive`: how often a
    case was inconclusive that was not so in every run.
    """

    schema: Literal[1] = 1
    planned: int
    runs: tuple[RunRow, ...]
    cases: int
    inconclusive: int
    at_times_inconclusive: int
    always: dict[str, int]
    changes: tuple[Change, ...]

    @property
    def status(self) -> int:
        """The exit status: 0 nothing ever changed, 1 something did."""
        return 1 if self.changes else 0


# --- comparing ------------------------------------------------------------------------------------------------------


def observed(results: Results | None, *, number: int, busy: bool, seconds: float, status: int | None) -> Run:
    """One run as it is compared; a run without results, or a provider that was not tested, says that and no more."""
    verdicts: dict[What, str] = {("", "run", "exit status"): "none" if status is None else str(status)}
    for provider in results.providers if results else ():
        verdicts[provider.name, "provider", _TESTED] = "no" if provider.problem else "yes"
        if not provider.problem:
            verdicts |= {(provider.name, "requirement", row.id): str(row.verdict) for row in provider.requirements}
            verdicts |= {(provider.name, "case", case.id): str(case.verdict) for case in provider.cases}
    return Run(number=number, busy=busy, seconds=seconds, status=status, verdicts=verdicts)


def compared(runs: Sequence[Run], planned: int) -> Soak:
    """Compare the runs so far, of so many that are planned."""
    everything = dict.fromkeys(what for run in runs for what in run.verdicts)
    changes = sorted(_changes(runs, everything), key=_worst_first)
    changed = {(change.provider, change.kind, change.name) for change in changes}
    odd = {number for change in changes for other in change.otherwise for number in other.runs}
    cases = [(what, verdict) for run in runs for what, verdict in run.verdicts.items() if what[1] == "case"]
    inconclusive = [what for what, verdict in cases if verdict == Verdict.INCONCLUSIVE]
    same = Counter(runs[0].verdicts[what] for what in everything if what[1] == "case" and what not in changed)
    return Soak(
        planned=planned,
        runs=tuple(
            RunRow(number=r.number, busy=r.busy, seconds=r.seconds, status=r.status, odd=r.number in odd) for r in runs
        ),
        cases=len(cases),
        inconclusive=len(inconclusive),
        at_times_inconclusive=sum(what in changed for what in inconclusive),
        always={str(verdict): same[verdict] for verdict in Verdict if same[verdict]},
        changes=tuple(changes),
    )


def _changes(runs: Sequence[Run], everything: Iterable[What]) -> Iterator[Change]:
    for what in everything:
        had: dict[str, list[int]] = {}
        for run in runs:
            if _could_have_it(run, what):
                had.setdefault(run.verdicts.get(what, ABSENT), []).append(run.number)
        if len(had) > 1:
            usual = max(had, key=lambda verdict: len(had[verdict]))  # the first of those with as many
            provider, kind, name = what
            yield Change(
                provider=provider,
                kind=kind,  # type: ignore[arg-type]
                name=name,
                usual=usual,
                otherwise=tuple(Otherwise(v, tuple(numbers)) for v, numbers in had.items() if v != usual),
            )


def _could_have_it(run: Run, what: What) -> bool:
    """Whether the run got so far: what broke off as a whole is one change, and not one of each of its verdicts."""
    provider, kind, _ = what
    if kind in ("run", "provider"):
        return kind == "run" or any(kind == "provider" for _, kind, _ in run.verdicts)
    return run.verdicts.get((provider, "provider", _TESTED)) == "yes"


def _worst_first(change: Change) -> tuple[bool, int, str, str]:
    return not change.is_bad, _KINDS.index(change.kind), change.provider, change.name


def worth_keeping(soak: Soak, *, over: bool) -> set[int]:
    """The runs whose evidence is wanted: the odd ones, and beside them one that is as usual, to compare with.

    That one is kept while runs are still to come, and after that if there is an odd one.
    """
    odd = {run.number for run in soak.runs if run.odd}
    usual = next((run.number for run in soak.runs if not run.odd), None)
    return odd if usual is None or (over and not odd) else odd | {usual}


# --- telling --------------------------------------------------------------------------------------------------------


def told(soak: Soak) -> list[str]:
    """What the runs came to, in lines."""
    if not soak.runs:
        return ["no run was finished, and nothing is known"]
    busy = [run for run in soak.runs if run.busy]
    idle = [run for run in soak.runs if not run.busy]
    count = several(len(soak.runs), "run")
    lines = [f"{count} of {soak.planned}" if len(soak.runs) < soak.planned else count]
    lines[0] += f", {len(busy)} of them with all cores busy; {several(soak.cases, 'case')} in all"
    lines += [f"{name:<14}{_times(each)}" for name, each in (("idle", idle), ("busy", busy)) if each]
    always = ", ".join(f"{count} {verdict}" for verdict, count in soak.always.items()) or "none"
    lines.append(f"{'always alike':<14}{always} (cases of a run)")
    share = f"{soak.at_times_inconclusive} of {several(soak.cases, 'case')}"
    if soak.cases:
        share += f", {soak.at_times_inconclusive / soak.cases:.4%}"
    more = soak.inconclusive - soak.at_times_inconclusive
    lines.append(f"{'inconclusive':<14}{share}, and not in every run; {more} more in every run alike")
    for change in soak.changes[:_CHANGES_SHOWN]:
        lines += ["", *_of(change)]
    if (left := len(soak.changes) - _CHANGES_SHOWN) > 0:
        lines += ["", f"and {several(left, 'more change')}: soak.json has all of them"]
    lines.append("")
    if len(soak.runs) < 2:
        lines.append("One run has nothing to be compared with.")
    elif soak.changes:
        odd = [run.number for run in soak.runs if run.odd]
        bad = sum(change.is_bad for change in soak.changes)
        came = f", {bad} of them to or from fail or error" if bad else ""
        lines.append(f"{several(len(soak.changes), 'verdict')} changed{came}: see {_named(odd)}.")
    else:
        lines.append("Nothing ever changed.")
    return lines


def _times(runs: Sequence[RunRow]) -> str:
    seconds = [run.seconds for run in runs]
    return f"{statistics.median(seconds):.1f} s (median), {min(seconds):.1f} to {max(seconds):.1f} s"


def _of(change: Change) -> Iterator[str]:
    yield clean(" ".join(filter(None, ("CHANGED", change.provider, change.kind, change.name))))
    yield f"  usually {change.usual}"
    for other in change.otherwise:
        yield f"  {other.verdict} in {_named(other.runs)}"


_NAMED = 10


def _named(numbers: Sequence[int]) -> str:
    more = f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
    return ", ".join(directory_name(number) for number in numbers[:_NAMED]) + more


def directory_name(number: int) -> str:
    """Where the run of that number lies, below the directory of the soak."""
    return f"run-{number:03}"


def save(soak: Soak, path: Path) -> None:
    """Write the comparison whole: beside its place, then moved there. Raises OSError."""
    write_whole(path, msgspec.json.format(msgspec.json.encode(soak)) + b"\n")
