# SPDX-License-Identifier: MIT
"""The page of two runs compared: what got worse comes first, with what was told before and is told now."""

from __future__ import annotations

from conformance.catalogue import catalogue
from conformance.reporting.comparing import Comparison, Kind
from conformance.reporting.page.rendering import document

_HEADINGS = {
    Kind.WORSE: "Worse",
    Kind.GONE: "No longer tested",
    Kind.BETTER: "Better",
    Kind.NEW: "Newly tested",
    Kind.CHANGED: "Changed otherwise",
}


def render(comparison: Comparison) -> str:
    """The page of a comparison: one file that needs no other, and no script. The same comparison, the same page."""
    by_kind = {kind: [change for change in comparison.changes if change.kind is kind] for kind in Kind}
    return document(
        "difference.html",
        styles=("report.css", "difference.css", "print.css"),
        comparison=comparison,
        parts=[(kind, _HEADINGS[kind], changes) for kind, changes in by_kind.items() if changes],
        statements={requirement.id: requirement.statement for requirement in catalogue.load().values()},
        judged_otherwise=any(each.item in ("suite", "catalogue") for each in comparison.differences),
    )
