# SPDX-License-Identifier: MIT
"""The matrix: every requirement, by group, against every provider. No cell is without a verdict or a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from conformance.catalogue import catalogue
from conformance.oracle.findings import Conclusion
from conformance.oracle.verdicts import Verdict
from conformance.reporting.page.looks import LOOKS
from conformance.reporting.page.rendering import cell_link
from conformance.reporting.page.trouble import Excuses
from conformance.reporting.results import ProviderResults, RequirementRow, Results
from conformance.reporting.text import flat, several

UNKNOWN_GROUP = "?"
"""The letter of the group that holds what this catalogue does not know."""


@dataclass(frozen=True)
class Cell:
    """One requirement for one provider; `verdict` is None where the results have no row for it."""

    provider: str
    verdict: Verdict | None
    why: str
    link: str
    excused: bool = False


@dataclass(frozen=True)
class Line:
    """One requirement. `statement` says so where the catalogue does not know it."""

    id: str
    level: str
    statement: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Section:
    """One group of requirements."""

    letter: str
    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Matrix:
    """The whole; `totals` count cells, `levels` are those that occur."""

    sections: tuple[Section, ...]
    totals: tuple[tuple[Verdict, int], ...]
    levels: tuple[str, ...]

    @property
    def size(self) -> int:
        """How many requirements it has."""
        return sum(len(section.lines) for section in self.sections)


def matrix(results: Results, excused: Excuses) -> Matrix:
    """The matrix of a run, and in it what its baseline excuses."""
    rows = [{row.id: row for row in provider.requirements} for provider in results.providers]
    sections = tuple(_sections(results.providers, rows, excused))
    cells = [cell for section in sections for line in section.lines for cell in line.cells]
    counted = Counter(cell.verdict for cell in cells)
    levels = dict.fromkeys(line.level for section in sections for line in section.lines)
    return Matrix(sections, tuple((verdict, counted[verdict]) for verdict in LOOKS if counted[verdict]), tuple(levels))


def _sections(
    providers: Sequence[ProviderResults], rows: Sequence[dict[str, RequirementRow]], excused: Excuses
) -> Iterator[Section]:
    known = catalogue.load()

    def line(identity: str, level: str, statement: str) -> Line:
        cells = (
            _cell(p, of_provider.get(identity), identity, excused)
            for p, of_provider in zip(providers, rows, strict=True)
        )
        return Line(identity, level, statement, tuple(cells))

    for group in known.groups.values():
        of_group = known.group(group.letter)
        yield Section(group.letter, group.title, tuple(line(r.id, r.level, r.statement) for r in of_group))
    unknown = {row.id: row for of_provider in rows for row in of_provider.values() if row.id not in known}
    if unknown:
        said = "Not in the catalogue of this suite: the results are of another version."
        lines = tuple(line(row.id, row.level, said) for row in unknown.values())
        yield Section(UNKNOWN_GROUP, "Requirements that this suite does not know", lines)


def _cell(provider: ProviderResults, row: RequirementRow | None, identity: str, excused: Excuses) -> Cell:
    link = cell_link(provider.name, identity)
    if row is None:
        return Cell(provider.name, None, "these results have no row for it: they are of another version", link)
    why = row.reason or _seen(row)
    if entry := excused.get((provider.name, identity)):
        return Cell(provider.name, row.verdict, flat(f"excused: {entry}; {why}"), link, excused=True)
    return Cell(provider.name, row.verdict, flat(why), link)


def _seen(row: RequirementRow) -> str:
    """What the verdict rests on, shortly: the first violation, or in how many cases it showed."""
    if row.verdict in (Verdict.FAIL, Verdict.DEVIATION):
        return next((f.because for case in row.cases for f in case.findings if f.outcome is Conclusion.VIOLATED), "")
    return several(len(row.cases), "case") if row.cases else ""
