# SPDX-License-Identifier: MIT
"""The negative control of a run, as a value: was an implementation that is known to be wrong seen to be wrong?

A run whose control was not caught cannot see failures, and gives no verdicts.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from conformance.oracle.results import CaseResult
from conformance.oracle.verdicts import Verdict


class ControlCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of its cases: it is caught by the verdict `fail`, and by nothing else."""

    id: str
    topology: str
    verdict: Verdict
    because: str
    evidence: str


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The mutant, the sound provider that it is made of, and its cases."""

    mutant: str
    over: str
    cases: tuple[ControlCase, ...]

    @property
    def provider(self) -> str:
        """The name that the evidence has for it."""
        return f"{self.over}+{self.mutant}"

    @property
    def caught(self) -> bool:
        """Whether each of its cases failed, as it should have."""
        return bool(self.cases) and all(case.verdict is Verdict.FAIL for case in self.cases)

    @property
    def sentence(self) -> str:
        """Why it was not caught, for people."""
        missed = next((case for case in self.cases if case.verdict is not Verdict.FAIL), None)
        if missed is None:
            return "the negative control did not fail: none of its cases was run"
        why = f" ({missed.because})" if missed.because else ""
        return (
            f"the negative control did not fail: {self.mutant} over {self.over} on {missed.topology} came to"
            f" {missed.verdict}{why}"
        )


def joined(one: Control | None, other: Control) -> Control:
    """The controls of several processes as one: all of them must be caught."""
    cases = (*(one.cases if one else ()), *other.cases)
    return msgspec.structs.replace(other, cases=tuple(sorted(cases, key=_place)))


def _place(case: ControlCase | CaseResult) -> tuple[str, str, str]:
    return case.topology, case.id, case.evidence


def control_of(mutant: str, over: str, results: Iterable[CaseResult]) -> Control:
    """The control, from what its cases came to."""
    return Control(
        mutant,
        over,
        tuple(
            ControlCase(
                id=result.id,
                topology=result.topology,
                verdict=result.verdict,
                because=result.problem or next((f.because for f in result.findings), ""),
                evidence=result.evidence,
            )
            for result in sorted(results, key=_place)
        ),
    )
