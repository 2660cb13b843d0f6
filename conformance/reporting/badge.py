# SPDX-License-Identifier: MIT
"""A badge: as SVG, and as the JSON from which shields.io draws one (endpoint schema, version 1). Both say the same."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

from conformance.oracle.verdicts import Verdict
from conformance.reporting.briefly import is_failed
from conformance.reporting.gating import CLOSED, OPEN, Gate, gate
from conformance.reporting.results import ProviderResults, Results
from conformance.reporting.text import several

LABEL = "shutdown conformance"
_KINDS = ("fail", "error", "excused")
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
    decided = gate(results)
    colour, value = _COLOURS.get(decided.status, _UNKNOWN)
    if decided.status not in _COLOURS:
        return Badge("nothing judged", colour, value)
    providers = results.providers
    message = _of_one(providers[0], decided) if len(providers) == 1 else _of_several(providers, decided)
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


def _of_one(provider: ProviderResults, decided: Gate) -> str:
    passed = sum(row.verdict is Verdict.PASS for row in provider.requirements)
    failed = Counter(str(row.verdict) for row in provider.requirements if is_failed(row, provider, decided))
    failed["excused"] = len(decided.excused)
    return ", ".join([f"{passed} pass", *(f"{failed[kind]} {kind}" for kind in _KINDS if failed[kind])])


def _of_several(providers: tuple[ProviderResults, ...], decided: Gate) -> str:
    good = sum(_passes(provider, decided) for provider in providers)
    return f"{good} of {several(len(providers), 'provider')} pass"


def _passes(provider: ProviderResults, decided: Gate) -> bool:
    """A provider of which nothing was found out does not pass; what the baseline excuses does not count."""
    rows = provider.requirements
    found_out = any(row.verdict is Verdict.PASS for row in rows)
    return not provider.problem and found_out and not any(is_failed(row, provider, decided) for row in rows)
