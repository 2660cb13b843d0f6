# SPDX-License-Identifier: MIT
"""One requirement: what must hold, where that is written, when it applies, and which outcomes are accepted.

Requirements are data, read by `catalogue` from the files in `requirements/`. Whether an implementation meets them is
the oracle's business.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from conformance.catalogue.conditions import first_unmet, parse
from conformance.catalogue.statement import Statement


class Level(StrEnum):
    """How binding a requirement is, once it applies."""

    MANDATORY = "mandatory"
    CONDITIONAL = "conditional"
    """Mandatory where the platform family or the claim that it names is stated."""
    OPTIONAL = "optional"
    """A recommendation: a breach is reported, and never fails."""
    INFORMATIVE = "informative"
    """Recorded, never judged."""


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a requirement comes from.

    `verified`: it was read and bears the requirement out, or, where no source states it, those that could were read.
    """

    text: str
    verified: bool
    note: str = ""


class Accepted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One accepted outcome, in words, with where it comes from and the conditions under which it is accepted."""

    outcome: str
    says: str
    provenance: str
    when: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.outcome.isidentifier() or self.outcome != self.outcome.upper():
            raise ValueError(f"outcome {self.outcome!r}: expected an UPPER_CASE token")
        if not self.says or not self.provenance:
            raise ValueError(f"outcome {self.outcome}: says and provenance must both be told")
        for clause in self.when:
            parse(clause)


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One row of the catalogue. `group` is its letter, `divergence` where real systems are known to differ.

    Raises ValueError for a condition that cannot be read, and for a row without a source or an accepted outcome.
    """

    id: str
    group: str
    level: Level
    statement: str
    applies_if: tuple[str, ...] = ()
    stimulus: str
    observed_by: str
    divergence: str = ""
    sources: tuple[Source, ...]
    accepted: tuple[Accepted, ...]

    def __post_init__(self) -> None:
        if not self.sources or not self.accepted:
            raise ValueError("expected at least one source and one accepted outcome")
        for clause in self.applies_if:
            parse(clause)

    def unmet(self, statement: Statement) -> str | None:
        """Why the requirement does not apply to an implementation so claimed, or None if it does."""
        return first_unmet(self.applies_if, statement)

    def accepted_for(self, statement: Statement) -> tuple[Accepted, ...]:
        """The outcomes that are accepted from an implementation so claimed."""
        return tuple(outcome for outcome in self.accepted if first_unmet(outcome.when, statement) is None)
