# SPDX-License-Identifier: MIT
"""The kill matrix as a value: which mutants died, on what, and which requirements have never been seen to fail.

It is read from the results of a session by `killing`, stored in `mutants.json`, and may be a part of `results.json`.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

import msgspec

from conformance.reporting.text import several

ALL_KILLED, NOT_ALL, NOTHING_RAN = 0, 1, 3


class Fate(StrEnum):
    """What became of a mutant: the worst for the suite comes first."""

    SURVIVED = "survived"
    ELSEWHERE = "caught elsewhere"
    BROKE = "broke"
    NOT_RUN = "not run"
    KILLED = "killed"


class Death(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What caught a mutant: a requirement, the first case that shows it, the trace of that, and what was seen in it."""

    requirement: str
    case: str
    evidence: str
    because: str = ""


class MutantRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One mutant over one sound provider. `kills`: those of its requirements that apply there. `caught`: what fails.

    `cases` were run; `reason` says why it did not die as it should have, and is empty where it did. `subject` is what
    it is about: the file of mutants that it is in.
    """

    name: str
    over: str
    says: str
    fate: Fate
    kills: tuple[str, ...]
    caught: tuple[Death, ...]
    cases: int
    reason: str = ""
    subject: str = ""

    @property
    def missed(self) -> tuple[str, ...]:
        """The requirements that should have caught it, and did not."""
        caught = {death.requirement for death in self.caught}
        return tuple(requirement for requirement in self.kills if requirement not in caught)


class KillMatrix(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of it. `demanded`: the requirements that must have a mutant which dies on them; `missing`: a sound provider
    by name, and why it could not be tried."""

    mutants: tuple[MutantRow, ...]
    demanded: tuple[str, ...]
    missing: dict[str, str] = {}

    @property
    def covered(self) -> frozenset[str]:
        """The requirements on which a mutant that was made for them has died."""
        return frozenset(
            death.requirement for row in self.mutants for death in row.caught if death.requirement in row.kills
        )

    @property
    def uncovered(self) -> tuple[str, ...]:
        """Those that have never been seen to fail."""
        covered = self.covered
        return tuple(requirement for requirement in self.demanded if requirement not in covered)

    @property
    def sentence(self) -> str:
        """What it comes to, for people."""
        fates = Counter(row.fate for row in self.mutants)
        order = (Fate.KILLED, *(fate for fate in Fate if fate is not Fate.KILLED))
        told = [f"{fates[fate]} {fate}" for fate in order if fates[fate] or fate is Fate.KILLED]
        text = f"{several(len(self.mutants), 'mutant')}: {', '.join(told)}."
        if self.demanded:
            covered = len(self.demanded) - len(self.uncovered)
            text += f" {covered} of {several(len(self.demanded), 'requirement')} covered."
        return text

    @property
    def status(self) -> int:
        """The exit status: 0 all that ran were killed and all is covered, 1 not so, 3 nothing ran."""
        ran = [row for row in self.mutants if row.fate is not Fate.NOT_RUN]
        if not ran:
            return NOTHING_RAN
        return NOT_ALL if self.uncovered or any(row.fate is not Fate.KILLED for row in ran) else ALL_KILLED
