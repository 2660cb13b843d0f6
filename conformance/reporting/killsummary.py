# SPDX-License-Identifier: MIT
"""The kill matrix in text: survivors first, then what was caught elsewhere, what is not covered, and the totals."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from conformance.catalogue import catalogue
from conformance.reporting.killmatrix import Fate, KillMatrix, MutantRow
from conformance.reporting.ladder import WIDTH
from conformance.reporting.text import clean, several, wrapped

STYLES = {
    Fate.SURVIVED: "bold red",
    Fate.ELSEWHERE: "yellow",
    Fate.BROKE: "bold magenta",
    Fate.NOT_RUN: "yellow",
}
_UNCOVERED_IN_FULL = 12
_IN_FULL = (Fate.SURVIVED, Fate.ELSEWHERE, Fate.BROKE)


def print_matrix(matrix: KillMatrix, console: Console, output: Path, *, page: Path | None = None) -> None:
    """Print what the mutants came to. `output` is the directory that the evidence paths start from; `page` is named."""
    width = min(WIDTH, console.width) if console.is_terminal else WIDTH

    def line(text: str, style: str = "") -> None:
        console.print(Text(clean(text), style=style), soft_wrap=True)

    def lines(texts: Iterable[str], style: str = "") -> None:
        for text in texts:
            line(text, style)

    for fate in _IN_FULL:
        for row in _of(matrix, fate):
            console.print()
            line(f"{str(fate).upper()}  {row.name} over {row.over}", STYLES[fate])
            lines(wrapped("  does", row.says, width=width))
            lines(wrapped("  should", f"die on {', '.join(row.kills)} (in {several(row.cases, 'case')})", width=width))
            lines(wrapped("  seen", row.reason, width=width))
            for death in row.caught:
                lines(wrapped("  caught by", f"{death.requirement} in {death.case}", width=width))
    for reason, names in _alike(_of(matrix, Fate.NOT_RUN)):
        console.print()
        lines(wrapped("NOT RUN", ", ".join(names), width=width), STYLES[Fate.NOT_RUN])
        lines(wrapped("  why", reason, width=width))
    if matrix.uncovered:
        console.print()
        without = f"{several(len(matrix.uncovered), 'requirement')} without a mutant that dies on it"
        line(f"NOT COVERED  {without}", "bold red")
        if len(matrix.uncovered) > _UNCOVERED_IN_FULL:
            lines(wrapped(" ", ", ".join(matrix.uncovered), width=width, column=4))
        else:
            for identity in matrix.uncovered:
                lines(wrapped(f"  {identity}", catalogue.load()[identity].statement, width=width, column=20))
    console.print()
    line(matrix.sentence, "bold green" if matrix.status == 0 else "bold red")
    kept = f"   Evidence: {output / 'mutants'}" if (output / "mutants").exists() else ""
    line(f"Kill matrix: {output / 'mutants.json'}{kept}")
    if page is not None:
        line(f"Report: {page}")


def _of(matrix: KillMatrix, fate: Fate) -> list[MutantRow]:
    return [row for row in matrix.mutants if row.fate is fate]


def _alike(rows: Iterable[MutantRow]) -> list[tuple[str, list[str]]]:
    """Mutants that were not run for one reason, told once."""
    by_reason: dict[str, list[str]] = {}
    for row in rows:
        by_reason.setdefault(row.reason, []).append(f"{row.name} over {row.over}")
    return list(by_reason.items())
