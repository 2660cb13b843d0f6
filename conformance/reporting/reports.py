# SPDX-License-Identifier: MIT
"""The reports of a run, written where its results are or elsewhere: the page, and what machines read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from conformance.reporting.results import Results
from conformance.trace.whole import write_whole

PAGE = "report.html"
NAMES = ("junit.xml", "summary.md", "badge.svg", "badge.json", PAGE)
"""In the order in which they are written: the page, which takes longest, comes last."""


def write(results: Results, directory: Path, into: Path) -> list[Path]:
    """Write all reports of a run, each whole; the files that there are then.

    `directory` holds the evidence; where `into` is another one, the reports do not link to it. Raises OSError.
    """
    from conformance.reporting import badge, junit, markdown, page

    at_home = into.resolve() == directory.resolve()
    made: dict[str, Callable[[Results], str]] = {
        "junit.xml": junit.render,
        "summary.md": markdown.render,
        "badge.svg": badge.render_svg,
        "badge.json": badge.render_json,
        PAGE: lambda results: page.render(results, directory, evidence=at_home),
    }
    for name in NAMES:
        write_whole(into / name, made[name](results).encode())
    return [into / name for name in NAMES]


def remove(directory: Path) -> None:
    """Take away the reports of an earlier run, if there are any. Raises OSError."""
    for name in NAMES:
        (directory / name).unlink(missing_ok=True)
