# SPDX-License-Identifier: MIT
"""The gate: whether a run lets pass what it tested, as an exit status and in a sentence.

Every report, the terminal's and the machines', takes both from here, so that all of them say the same.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from conformance.oracle.verdicts import Verdict
from conformance.reporting.results import Results
from conformance.reporting.text import several

OPEN, CLOSED, NOTHING_JUDGED = 0, 1, 3
_DECIDED = {Verdict.PASS, Verdict.FAIL, Verdict.DEVIATION, Verdict.RECORDED, Verdict.ERROR}


@dataclass(frozen=True)
class Gate:
    """`status`: the exit status of a run, 0 open, 1 closed, 3 nothing was judged. `sentence`: what it came to."""

    status: int
    sentence: str

    @property
    def is_open(self) -> bool:
        """Whether what was tested may pass."""
        return self.status == OPEN


def gate(results: Results) -> Gate:
    """The gate of a run. It is closed where something failed, broke or was left out."""
    status = _status(results)
    return Gate(status, _sentence(results, status))


def _status(results: Results) -> int:
    verdicts = {row.verdict for provider in results.providers if not provider.problem for row in provider.requirements}
    if not results.cases.finished or not verdicts & _DECIDED:
        return NOTHING_JUDGED
    if verdicts & {Verdict.FAIL, Verdict.ERROR} or any(provider.problem for provider in results.providers):
        return CLOSED
    return CLOSED if results.cases.finished < results.cases.planned else OPEN


def _sentence(results: Results, status: int) -> str:
    extent = results.cases
    ran = f"{several(extent.finished, 'case')} for {several(len(results.providers), 'provider')}"
    if extent.finished < extent.planned:
        ran = f"cut short after {extent.finished} of {several(extent.planned, 'case')}"
    if status == OPEN:
        return f"The gate is open: nothing failed ({ran})."
    if status == CLOSED:
        totals = Counter(row.verdict for p in results.providers if not p.problem for row in p.requirements)
        untested = sum(1 for provider in results.providers if provider.problem)
        parts = [
            f"{several(totals[Verdict.FAIL], 'requirement')} failed" if totals[Verdict.FAIL] else "",
            f"{several(totals[Verdict.ERROR], 'requirement')} broke off in an error" if totals[Verdict.ERROR] else "",
            f"{several(untested, 'provider')} could not be tested" if untested else "",
        ]
        if not any(parts):
            return f"Interrupted after {extent.finished} of {several(extent.planned, 'case')}: no gate."
        return f"The gate is closed: {', '.join(filter(None, parts))} ({ran})."
    if results.providers and all(provider.problem for provider in results.providers):
        return "Nothing could be judged: no provider could be tested."
    if not extent.finished:
        return "Nothing could be judged: no case ran."
    return "Nothing could be judged: no case decided anything. `shutdown-conformance providers` says what is missing."
