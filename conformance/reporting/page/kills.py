# SPDX-License-Identifier: MIT
"""The kill matrix for a page: the same mutant over several providers is one column, a requirement is a row.

A mark says what a mutant came to on a requirement; what it came to on each provider stands in its entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from conformance.catalogue import catalogue
from conformance.catalogue.requirement import Level
from conformance.oracle.judging import judged
from conformance.reporting.killing import BINDING
from conformance.reporting.killmatrix import Fate, KillMatrix, MutantRow


class Mark(StrEnum):
    """What became of a mutant on a requirement."""

    MISSED = "missed"
    PART = "in part"
    KILLED = "killed"
    NOT_RUN = "not run"
    ALSO = "also caught"


@dataclass(frozen=True)
class Broken:
    """A mutant over all the providers that it was made of. `fate` is the worst of those that ran; `number` is its
    place in the session."""

    number: int
    name: str
    says: str
    subject: str
    fate: Fate
    rows: tuple[MutantRow, ...]
    marks: Mapping[str, Mark]


@dataclass(frozen=True)
class Subject:
    """The mutants of one file, those that did not die first."""

    title: str
    mutants: tuple[Broken, ...]


@dataclass(frozen=True)
class Line:
    """A requirement. `demanded`: it must be covered; `covered`: a mutant that was made for it died on it."""

    id: str
    level: str
    statement: str
    demanded: bool
    covered: bool
    by: Mapping[Mark, tuple[Broken, ...]]

    @property
    def made(self) -> tuple[tuple[Mark, tuple[Broken, ...]], ...]:
        """The mutants that were made for it, by what became of them."""
        return tuple((mark, mutants) for mark, mutants in self.by.items() if mutants and mark is not Mark.ALSO)


@dataclass(frozen=True)
class Family:
    """The requirements of one group that a mutant was made for, died on, or is missing for."""

    letter: str
    title: str
    lines: tuple[Line, ...]


def subjects(matrix: KillMatrix) -> tuple[Subject, ...]:
    """All mutants, by subject."""
    by_name: dict[tuple[str, str], list[MutantRow]] = {}
    for row in matrix.mutants:
        by_name.setdefault((row.subject, row.name), []).append(row)
    found: dict[str, list[Broken]] = {}
    for number, ((subject, name), rows) in enumerate(by_name.items(), start=1):
        broken = Broken(number, name, rows[0].says, subject, _worst(rows), tuple(rows), _marks(rows))
        found.setdefault(subject, []).append(broken)
    order = list(Fate)
    return tuple(
        Subject(subject.replace("_", " "), tuple(sorted(mutants, key=lambda each: order.index(each.fate))))
        for subject, mutants in found.items()
    )


def families(matrix: KillMatrix, mutants: Iterable[Broken]) -> tuple[Family, ...]:
    """The requirements that have to do with it, in the order of the catalogue."""
    by: dict[str, dict[Mark, list[Broken]]] = {}
    for each in mutants:
        for identity, mark in each.marks.items():
            by.setdefault(identity, {}).setdefault(mark, []).append(each)
    wanted = {*matrix.demanded, *by}
    covered = matrix.covered
    known = catalogue.load()

    def line(identity: str, level: str, statement: str) -> Line:
        marked = {mark: tuple(by.get(identity, {}).get(mark, ())) for mark in Mark}
        return Line(identity, level, statement, identity in matrix.demanded, identity in covered, marked)

    found = [
        Family(group.letter, group.title, tuple(line(r.id, r.level, r.statement) for r in of_group))
        for group in known.groups.values()
        if (of_group := [requirement for requirement in known.group(group.letter) if requirement.id in wanted])
    ]
    if unknown := sorted(wanted - set(known)):
        said = "Not in the catalogue of this suite: the matrix is of another version."
        lines = tuple(line(identity, "", said) for identity in unknown)
        found.append(Family("?", "Requirements that this suite does not know", lines))
    return tuple(found)


def asked(matrix: KillMatrix) -> tuple[int, int]:
    """How many mandatory and conditional requirements with a judge must be covered, and how many this suite has."""
    binding = {r.id for r in catalogue.load().values() if r.level in BINDING and r.id in judged()}
    return len(binding.intersection(matrix.demanded)), len(binding)


def not_demanded(matrix: KillMatrix) -> Iterator[tuple[str, list[str]]]:
    """The requirements of the catalogue that need not be covered, by the reason."""
    reasons: dict[str, list[str]] = {}
    for requirement in catalogue.load().values():
        if requirement.id not in matrix.demanded:
            reasons.setdefault(_why_not(requirement.id, requirement.level), []).append(requirement.id)
    yield from reasons.items()


def _why_not(identity: str, level: Level) -> str:
    if level is Level.INFORMATIVE:
        return "informative: what is only recorded cannot be violated"
    if level is Level.OPTIONAL:
        return "a recommendation: it may have mutants, and need not"
    if identity not in judged():
        return "no judge yet"
    return "it was not asked for, or applies to no sound provider that was met"


def _worst(rows: Sequence[MutantRow]) -> Fate:
    fates = {row.fate for row in rows}
    return next((fate for fate in Fate if fate in fates and fate is not Fate.NOT_RUN), Fate.NOT_RUN)


def _marks(rows: Sequence[MutantRow]) -> dict[str, Mark]:
    caught = [{death.requirement for death in row.caught} for row in rows]
    named = dict.fromkeys(identity for row in rows for identity in row.kills)
    others = dict.fromkeys(death.requirement for row in rows for death in row.caught)
    marks = {}
    for identity in named | others:
        due = [
            identity in of
            for row, of in zip(rows, caught, strict=True)
            if identity in row.kills and (identity in of or row.fate is not Fate.NOT_RUN)
        ]
        if due:
            marks[identity] = Mark.KILLED if all(due) else Mark.PART if any(due) else Mark.MISSED
        else:
            marks[identity] = Mark.NOT_RUN if identity in named else Mark.ALSO
    return marks
