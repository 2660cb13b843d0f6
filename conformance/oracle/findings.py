# SPDX-License-Identifier: MIT
"""Findings: what one judge concluded from one case, with the events that show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

import msgspec

from conformance.catalogue.requirement import Accepted, Requirement


class Conclusion(StrEnum):
    """What a finding says of its requirement."""

    SATISFIED = "satisfied"
    VIOLATED = "violated"
    UNDETERMINED = "undetermined"
    ERROR = "error"
    """The judge itself, the harness or an agent broke."""


class Finding(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One conclusion. `events` are numbers of the trace; `matched` names whose behaviour was met (provenance)."""

    requirement: str
    outcome: Conclusion
    because: str
    events: tuple[int, ...] = ()
    matched: str = ""


class Shown(Protocol):
    """Anything of a history that events stand behind."""

    @property
    def events(self) -> tuple[int, ...]:
        """The numbers of these events."""


class Told(Shown, Protocol):
    """Anything of a history that told something: a return, a receive's report."""

    @property
    def told(self) -> str:
        """The outcome, in the vocabulary of the catalogue."""

    @property
    def seen(self) -> str:
        """The outcome in words, and in the implementation's own terms."""


Evidence: TypeAlias = Shown | None


@dataclass(frozen=True)
class Expectation:
    """A requirement as a judge sees it: with the outcomes accepted for this statement, each with its source."""

    requirement: Requirement
    accepted: tuple[Accepted, ...]

    def weigh(self, told: Told, *evidence: Evidence, after: str) -> Finding:
        """Satisfied if what was told is an accepted outcome, else violated. `after` says what it was told after."""
        match = next((accepted for accepted in self.accepted if accepted.outcome == told.told), None)
        if match is not None:
            return self._finding(Conclusion.SATISFIED, f"{after}, {told.seen}", (*evidence, told), match.provenance)
        wanted = " or ".join(dict.fromkeys(accepted.outcome for accepted in self.accepted))
        return self._finding(Conclusion.VIOLATED, f"{after}, {told.seen}; accepted: {wanted}", (*evidence, told))

    def satisfied(self, because: str, *evidence: Evidence) -> Finding:
        """The evidence shows that the requirement was met."""
        matched = self.accepted[0].provenance if len(self.accepted) == 1 else ""
        return self._finding(Conclusion.SATISFIED, because, evidence, matched)

    def violated(self, because: str, *evidence: Evidence) -> Finding:
        """The evidence shows that the requirement was broken."""
        return self._finding(Conclusion.VIOLATED, because, evidence)

    def undetermined(self, because: str, *evidence: Evidence) -> Finding:
        """The stimulus was tried, and the evidence does not decide."""
        return self._finding(Conclusion.UNDETERMINED, because, evidence)

    def decide(self, holds: bool, because: str, otherwise: str, *evidence: Evidence) -> Finding:
        """Satisfied or violated, each with its own words."""
        return self.satisfied(because, *evidence) if holds else self.violated(otherwise, *evidence)

    def _finding(self, outcome: Conclusion, because: str, evidence: Iterable[Evidence], matched: str = "") -> Finding:
        events = sorted({n for shown in evidence if shown is not None for n in shown.events})
        return Finding(
            requirement=self.requirement.id, outcome=outcome, because=because, events=tuple(events), matched=matched
        )
