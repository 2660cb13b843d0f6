# SPDX-License-Identifier: MIT
"""The gate: whether a run lets pass what it tested, as an exit status, in a sentence, and by its parts.

Every report, the terminal's and the machines', takes them from here, so that all of them say the same. It follows from
the results alone: they hold the baseline as it was applied, and the day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from conformance.catalogue import catalogue
from conformance.oracle.findings import Conclusion
from conformance.oracle.results import CaseResult
from conformance.oracle.verdicts import Verdict, verdict_of
from conformance.reporting.baseline import Baseline, Entry
from conformance.reporting.results import Results
from conformance.reporting.text import clean, several

OPEN, CLOSED, NOTHING_JUDGED = 0, 1, 3
_DECIDED = {Verdict.PASS, Verdict.FAIL, Verdict.DEVIATION, Verdict.RECORDED, Verdict.ERROR}


class Standing(StrEnum):
    """What an entry of the baseline comes to in a run."""

    EXCUSED = "excused"
    """It fails: the entry excuses it."""
    STALE = "stale"
    """It does not fail: the entry must go, or it would hide the next failure. Closes the gate."""
    EXPIRED = "expired"
    """Its day has passed: it excuses nothing, and somebody has to look. Closes the gate."""
    UNCONFIRMED = "unconfirmed"
    """The run did not decide it. Silence neither excuses nor closes anything."""
    UNMATCHED = "unmatched"
    """It is of no requirement that applies to a provider of this run. Closes the gate."""


@dataclass(frozen=True)
class Ruled:
    """A requirement of a provider with its verdict in this run, and the baseline's entry for it, if there is one."""

    provider: str
    requirement: str
    verdict: Verdict
    entry: Entry | None = None


@dataclass(frozen=True)
class Gate:
    """`status`: the exit status of a run, 0 open, 1 closed, 3 nothing was judged. `sentence`: what it came to.

    `unexcused` are the failures that close it. The others are the entries of the baseline, each by its standing.
    """

    status: int
    sentence: str
    unexcused: tuple[Ruled, ...] = ()
    excused: tuple[Ruled, ...] = ()
    stale: tuple[Ruled, ...] = ()
    expired: tuple[Ruled, ...] = ()
    unconfirmed: tuple[Ruled, ...] = ()
    unmatched: tuple[Ruled, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether what was tested may pass."""
        return self.status == OPEN

    def excuse(self, provider: str, requirement: str) -> Entry | None:
        """The entry that excuses this failure, if it is excused."""
        for each in self.excused:
            if (each.provider, each.requirement) == (provider, requirement):
                return each.entry
        return None


def gate(results: Results) -> Gate:
    """The gate of a run. It is closed where something failed that is not excused, where something broke or was left
    out, and where an entry of the baseline no longer holds.
    """
    parts = _Parts(results)
    status = parts.status()
    by_standing = {str(each): tuple(found) for each, found in parts.entries.items()}
    return Gate(status, _sentence(parts, status), unexcused=tuple(parts.unexcused), **by_standing)


def standing(entry: Entry, verdict: Verdict, day: date, *, whole: bool) -> Standing:
    """What an entry comes to on that day. `whole`: all planned cases ran, so that a pass is more than one so far."""
    if verdict is Verdict.NOT_APPLICABLE:
        return Standing.UNMATCHED
    if verdict in (Verdict.PASS, Verdict.DEVIATION, Verdict.RECORDED) and whole:
        return Standing.STALE
    if entry.expires < day:
        return Standing.EXPIRED
    return Standing.EXCUSED if verdict is Verdict.FAIL else Standing.UNCONFIRMED


class _Parts:
    """The results, sorted by what they mean for the gate."""

    def __init__(self, results: Results) -> None:
        self.extent = results.cases
        self.whole = results.cases.finished >= results.cases.planned
        self.blind = "" if results.control is None or results.control.caught else clean(results.control.sentence)
        self.baseline = results.baseline
        self.tested = [provider for provider in results.providers if not provider.problem]
        self.untested = [provider for provider in results.providers if provider.problem]
        self.verdicts = {(p.name, row.id): row.verdict for p in self.tested for row in p.requirements}
        self.entries: dict[Standing, list[Ruled]] = {each: [] for each in Standing}
        for each in self._ruled_entries():
            assert each.entry is not None and self.baseline is not None
            self.entries[standing(each.entry, each.verdict, self.baseline.day, whole=self.whole)].append(each)
        excused = {(each.provider, each.requirement) for each in self.entries[Standing.EXCUSED]}
        listed = {(each.provider, each.requirement): each.entry for each in self.entries[Standing.EXPIRED]}
        self.unexcused = [
            Ruled(*key, verdict, listed.get(key))
            for key, verdict in self.verdicts.items()
            if verdict is Verdict.FAIL and key not in excused
        ]

    def _ruled_entries(self) -> Iterator[Ruled]:
        unknown = {provider.name for provider in self.untested}
        for entry in self.baseline.excused if self.baseline else ():
            otherwise = Verdict.ERROR if entry.provider in unknown else Verdict.NOT_APPLICABLE
            verdict = self.verdicts.get((entry.provider, entry.requirement), otherwise)
            yield Ruled(entry.provider, entry.requirement, verdict, entry)

    def status(self) -> int:
        verdicts = set(self.verdicts.values())
        if not self.extent.finished or not verdicts & _DECIDED:
            return NOTHING_JUDGED
        if self.blind:
            return NOTHING_JUDGED  # where failures cannot be seen, a pass says nothing
        closing = (Standing.STALE, Standing.EXPIRED, Standing.UNMATCHED)
        if self.unexcused or Verdict.ERROR in verdicts or self.untested or any(self.entries[each] for each in closing):
            return CLOSED
        return OPEN if self.whole else CLOSED


def _sentence(parts: _Parts, status: int) -> str:
    extent, count = parts.extent, len(parts.tested) + len(parts.untested)
    ran = f"{several(extent.finished, 'case')} for {several(count, 'provider')}"
    if not parts.whole:
        ran = f"cut short after {extent.finished} of {several(extent.planned, 'case')}"
    if status == NOTHING_JUDGED:
        return _nothing_judged(parts)
    excused, file = len(parts.entries[Standing.EXCUSED]), parts.baseline.file if parts.baseline else ""
    if status == OPEN:
        said = "nothing failed"
        if excused:
            are = several(excused, "failure is", "failures are")
            said = f"{are} excused by {file}, and nothing else failed"
        return f"The gate is open: {said} ({ran})."
    reasons = list(_reasons(parts, file))
    if not reasons:
        return f"Interrupted after {extent.finished} of {several(extent.planned, 'case')}: no gate."
    also = f"; {several(excused, 'failure is', 'failures are')} excused" if excused else ""
    return f"The gate is closed: {', '.join(reasons)}{also} ({ran})."


def _reasons(parts: _Parts, file: str) -> Iterator[str]:
    """What closes the gate."""
    totals, entries = Counter(parts.verdicts.values()), {each: len(found) for each, found in parts.entries.items()}
    if parts.unexcused:
        yield f"{several(len(parts.unexcused), 'requirement')} failed"
    if broke := totals[Verdict.ERROR]:
        yield f"{several(broke, 'requirement')} broke off in an error"
    if parts.untested:
        yield f"{several(len(parts.untested), 'provider')} could not be tested"
    if stale := entries[Standing.STALE]:
        them = "it" if stale == 1 else "them"
        yield f"{_entries(stale, file, 'excuses', 'excuse')} what does not fail: remove {them}"
    if expired := entries[Standing.EXPIRED]:
        yield _entries(expired, file, "has expired", "have expired")
    if unmatched := entries[Standing.UNMATCHED]:
        yield f"{_entries(unmatched, file, 'matches', 'match')} nothing"


def _entries(number: int, file: str, one: str, more: str) -> str:
    return f"{several(number, 'entry', 'entries')} of {file} {one if number == 1 else more}"


def _nothing_judged(parts: _Parts) -> str:
    if parts.untested and not parts.tested:
        return "Nothing could be judged: no provider could be tested."
    if not parts.extent.finished:
        return "Nothing could be judged: no case ran."
    if parts.blind:
        return f"Nothing could be judged: {parts.blind}."
    return "Nothing could be judged: no case decided anything. `shutdown-conformance providers` says what is missing."


def about(ruled: Ruled) -> str:
    """An entry of the baseline in words: its verdict now, if that is no failure, its reason, by whom and until when.

    `nobody reads SO_LINGER there (net team, until 2030-12-31)`
    """
    if ruled.entry is None:
        return str(ruled.verdict)
    entry = ruled.entry
    said = f"{entry.reason} ({entry.owner}, until {entry.expires})"
    return said if ruled.verdict is Verdict.FAIL else f"{ruled.verdict}; {said}"


def excuses(case: CaseResult, baseline: Baseline | None) -> tuple[Entry, ...]:
    """The entries that excuse all that failed in this case; none if one failure is not excused, or something broke."""
    if baseline is None or case.problem:
        return ()
    outcomes: dict[str, list[Conclusion]] = {}
    for finding in case.findings:
        outcomes.setdefault(finding.requirement, []).append(finding.outcome)
    found: list[Entry] = []
    for identity, of_case in outcomes.items():
        verdict = verdict_of(catalogue.load()[identity].level, of_case)
        entry = baseline.excuse(case.provider, identity) if verdict is Verdict.FAIL else None
        if verdict is Verdict.ERROR or (verdict is Verdict.FAIL and entry is None) or Conclusion.ERROR in of_case:
            return ()
        found += [entry] if entry else []
    return tuple(found)
