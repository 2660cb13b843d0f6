# SPDX-License-Identifier: MIT
"""The reports of a run, written where its results are or elsewhere: the page, and what machines read."""

from __future__ import annotations

from pathlib import Path

from conformance.reporting import page
from conformance.reporting.results import Results


def write(results: Results, directory: Path, into: Path) -> list[Path]:
    """Write all reports of a run; the files that there are then.

    `directory` holds the evidence; where `into` is another one, the reports do not link to it. Raises OSError.
    """
    path = into / "report.html"
    path.write_text(page.render(results, directory, evidence=into == directory), encoding="utf-8")
    return [path]
