# SPDX-License-Identifier: MIT
"""The report as one HTML file, for people: the verdict, why it is so, the matrix, and behind each cell its evidence.

Everything is in the file: it asks no network, and its policy lets it ask none. What is shown at once is plain HTML
(`report.html`); cases and ladders are packed into it, and unpacked when a cell is opened (`evidence`, `packing`). A
kill matrix is a page of its own (`mutants`), and so is a comparison of two runs (`difference`).
"""

from __future__ import annotations

from conformance.reporting.page.packing import same_page
from conformance.reporting.page.report import render

__all__ = ["render", "same_page"]
