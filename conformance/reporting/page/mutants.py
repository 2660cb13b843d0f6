# SPDX-License-Identifier: MIT
"""The page of the kill matrix: what survived and what is not covered first, then requirement against mutant."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.catalogue import catalogue
from conformance.reporting.killmatrix import ALL_KILLED, NOT_ALL, Death, Fate, KillMatrix, MutantRow
from conformance.reporting.page import kills
from conformance.reporting.page.evidence import links
from conformance.reporting.page.kills import Broken
from conformance.reporting.page.looks import FATES, MARKS
from conformance.reporting.page.rendering import document
from conformance.reporting.results import Suite

_GATES = {ALL_KILLED: "open", NOT_ALL: "closed"}
_FITS_ON_PAPER = 30
"""Mutants side by side; more of them are on paper as lists only."""


@dataclass(frozen=True)
class Sight:
    """What a requirement saw of a mutant; `death` is None where it should have seen something."""

    requirement: str
    death: Death | None
    links: dict[str, str]


@dataclass(frozen=True)
class Attempt:
    """A mutant over one provider: what it must die on, and what caught it besides."""

    row: MutantRow
    due: tuple[Sight, ...]
    also: tuple[Sight, ...]


@dataclass(frozen=True)
class Entry:
    """A mutant in full; `again` is the command that tries it alone."""

    mutant: Broken
    again: str
    attempts: tuple[Attempt, ...]


def render(matrix: KillMatrix, suite: Suite, directory: Path, *, evidence: bool = True) -> str:
    """The page of a kill matrix: one file that needs no other. The same matrix and evidence, the same page.

    `suite` judged it. `directory` is where the evidence paths start from; with `evidence` the page links to what of it
    is there, as lying beside it.
    """
    subjects = kills.subjects(matrix)
    mutants = [mutant for subject in subjects for mutant in subject.mutants]
    families = kills.families(matrix, mutants)
    entries = [_entry(mutant, directory if evidence else None) for mutant in mutants]
    return document(
        "mutants.html",
        styles=("report.css", "mutants.css", "print.css"),
        scripts=("paper.js", "mutants.js"),
        matrix=matrix,
        suite=suite,
        gate=_GATES.get(matrix.status, "undecided"),
        fates=_counted(matrix.mutants),
        kinds=_counted(mutants),
        alive=[each for fate in FATES for each in entries if each.mutant.fate is fate and _stands_out(fate)],
        killed=[each for each in entries if each.mutant.fate is Fate.KILLED],
        not_run=[each for each in entries if each.mutant.fate is Fate.NOT_RUN],
        uncovered=[line for family in families for line in family.lines if line.demanded and not line.covered],
        subjects=subjects,
        families=families,
        count=len(mutants),
        wide=len(mutants) > _FITS_ON_PAPER,
        asked=kills.asked(matrix),
        not_demanded=list(kills.not_demanded(matrix)),
        same_catalogue=suite.catalogue == catalogue.digest(),
        linked=evidence,
        fate_looks=FATES,
        mark_looks=MARKS,
    )  # fmt: skip


def _counted(each: Sequence[MutantRow | Broken]) -> list[tuple[Fate, int]]:
    counts = Counter(one.fate for one in each)
    return [(fate, counts[fate]) for fate in FATES if counts[fate]]


def _stands_out(fate: Fate) -> bool:
    return fate not in (Fate.KILLED, Fate.NOT_RUN)


def _entry(mutant: Broken, directory: Path | None) -> Entry:
    again = shlex.join(["shutdown-conformance", "mutants", "-k", mutant.name])
    return Entry(mutant, again, tuple(_attempt(row, directory) for row in mutant.rows))


def _attempt(row: MutantRow, directory: Path | None) -> Attempt:
    deaths = {death.requirement: death for death in row.caught}
    also = [identity for identity in deaths if identity not in row.kills]

    def sights(identities: Sequence[str]) -> tuple[Sight, ...]:
        return tuple(_sight(identity, deaths.get(identity), directory) for identity in identities)

    return Attempt(row, sights(row.kills), sights(also))


def _sight(identity: str, death: Death | None, directory: Path | None) -> Sight:
    return Sight(identity, death, links(death.evidence, directory) if death and directory else {})
