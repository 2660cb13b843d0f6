# SPDX-License-Identifier: MIT
"""Why something was left open: requirements of one verdict with one reason, told once for all providers alike."""

from __future__ import annotations

from conformance.oracle.verdicts import Verdict
from conformance.reporting.results import Results


def alike(results: Results, verdict: Verdict) -> list[tuple[str, list[str], list[str]]]:
    """Requirements of that verdict with one reason: (reason, requirements, providers).

    A provider that could not be tested is left out: its one problem says it all.
    """
    by_provider: dict[tuple[str, str], list[str]] = {}
    for provider in results.providers:
        for row in provider.requirements if not provider.problem else ():
            if row.verdict is verdict:
                by_provider.setdefault((row.reason, provider.name), []).append(row.id)
    merged: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (reason, name), identities in by_provider.items():
        merged.setdefault((reason, tuple(identities)), []).append(name)
    return [(reason, list(identities), providers) for (reason, identities), providers in merged.items()]
