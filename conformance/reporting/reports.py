# SPDX-License-Identifier: MIT
"""The reports of a run, written where its results are or elsewhere: the pages, and what machines read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from conformance.reporting.killmatrix import KillMatrix
from conformance.reporting.results import Results, Suite
from conformance.trace.whole import write_whole

PAGE, MUTANTS = "report.html", "mutants.html"
NAMES = ("junit.xml", "summary.md", "badge.svg", "badge.json", PAGE)
"""In the order in which they are written: the page, which takes longest, comes last. Before it comes the page of the
kill matrix, where the results have one."""


def write(results: Results, directory: Path, into: Path) -> list[Path]:
    """Write all reports of a run, each whole; the files that there are then.

    `directory` holds the evidence; where `into` is another one, the reports do not link to it. Raises OSError.
    """
    from conformance.reporting import badge, junit, markdown, page

    at_home = _same(into, directory)
    made: dict[str, Callable[[Results], str]] = {
        "junit.xml": junit.render,
        "summary.md": markdown.render,
        "badge.svg": badge.render_svg,
        "badge.json": badge.render_json,
        PAGE: lambda results: page.render(results, directory, evidence=at_home),
    }
    written = []
    for name in NAMES:
        if name == PAGE and results.mutants is not None:
            written.append(write_mutants(results.mutants, results.suite, directory, into))
        write_whole(into / name, made[name](results).encode())
        written.append(into / name)
    return written


def write_mutants(matrix: KillMatrix, suite: Suite, directory: Path, into: Path) -> Path:
    """Write the page of a kill matrix, whole; its path. Raises OSError."""
    from conformance.reporting.page import mutants

    content = mutants.render(matrix, suite, directory, evidence=_same(into, directory))
    write_whole(into / MUTANTS, content.encode())
    return into / MUTANTS


def remove(directory: Path) -> None:
    """Take away the reports of an earlier run, if there are any. Raises OSError."""
    for name in NAMES:
        (directory / name).unlink(missing_ok=True)
    if not (directory / "mutants.json").exists():
        remove_mutants(directory)


def remove_mutants(directory: Path) -> None:
    """Take away the page of an earlier kill matrix, if there is one. Raises OSError."""
    (directory / MUTANTS).unlink(missing_ok=True)


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()
