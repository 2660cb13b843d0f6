# SPDX-License-Identifier: MIT
"""A badge: as SVG, and as the JSON from which shields.io draws one (endpoint schema, version 1). Both say the same."""

from __future__ import annotations

import json
from dataclasses import dataclass

from conformance.oracle.verdicts import Verdict
from conformance.reporting.briefly import is_failed
from conformance.reporting.gating import CLOSED, OPEN, gate
from conformance.reporting.results import ProviderResults, Results
from conformance.reporting.text import several

LABEL = "shutdown conformance"
_SHOWN = (Verdict.PASS, Verdict.FAIL, Verdict.ERROR)
_COLOURS = {OPEN: ("brightgreen", "#4c1"), CLOSED: ("red", "#e05d44")}
_UNKNOWN = ("lightgrey", "#9f9f9f")
"""The colour by its name at shields.io, and as that name looks there."""


@dataclass(frozen=True)
class Badge:
    """What a badge says, and in which colour: a name of shields.io's, and its value."""

    message: str
    colour: str
    value: str


def badge(results: Results) -> Badge:
    """The badge of a run: it counts requirements where one provider was tested, providers where several were."""
    status = gate(results).status
    colour, value = _COLOURS.get(status, _UNKNOWN)
    if status not in _COLOURS:
        return Badge("nothing judged", colour, value)
    providers = results.providers
    message = _of_one(providers[0]) if len(providers) == 1 else _of_several(providers)
    cut_short = ", cut short" if results.cases.finished < results.cases.planned else ""
    return Badge(message + cut_short, colour, value)


def render_json(results: Results) -> str:
    """The badge for the endpoint of shields.io."""
    made = badge(results)
    said = {"schemaVersion": 1, "label": LABEL, "message": made.message, "color": made.colour}
    return json.dumps(said, indent=1) + "\n"


def render_svg(results: Results) -> str:
    """The badge as a picture."""
    import anybadge

    made = badge(results)
    return str(anybadge.Badge(LABEL, made.message, default_color=made.value).badge_svg_text) + "\n"


def _of_one(provider: ProviderResults) -> str:
    counts = [(sum(row.verdict is verdict for row in provider.requirements), verdict) for verdict in _SHOWN]
    failed = {row.verdict for row in provider.requirements if is_failed(row)}
    return ", ".join(f"{n} {verdict}" for n, verdict in counts if verdict is Verdict.PASS or verdict in failed)


def _of_several(providers: tuple[ProviderResults, ...]) -> str:
    good = sum(map(_passes, providers))
    return f"{good} of {several(len(providers), 'provider')} pass"


def _passes(provider: ProviderResults) -> bool:
    """A provider of which nothing was found out does not pass."""
    rows = provider.requirements
    return not provider.problem and any(row.verdict is Verdict.PASS for row in rows) and not any(map(is_failed, rows))
