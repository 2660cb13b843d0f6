# SPDX-License-Identifier: MIT
"""A comparison of two runs, for a terminal: what got worse first, what is alike told once."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from conformance.oracle.verdicts import Verdict
from conformance.reporting.comparing import Change, Comparison, Difference, Kind, Provider, Side
from conformance.reporting.text import clean, several, wrapped

_STYLES = {Kind.WORSE: "bold red", Kind.GONE: "red", Kind.BETTER: "green", Kind.NEW: "cyan", Kind.CHANGED: ""}
_COLUMN = 15
_TOLD_LIMIT = 300
_NAMED = 12
_NO_ROW = "no row"
_BAD = (Verdict.FAIL, Verdict.DEVIATION)
_TOLD = (*_BAD, Verdict.ERROR, Verdict.INCONCLUSIVE)
_CONTEXT = 40
"""Characters that two texts have in common, kept before what differs in them."""


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print what is different between two runs. All text goes out as it is: nothing in it is markup."""

    def say(lines: Iterable[str], style: str = "") -> None:
        for line in lines:
            console.print(Text(line, style=style), soft_wrap=True)

    say([*_side("before", comparison.before), *_side("now", comparison.now)])
    for difference in comparison.differences:
        say(wrapped(difference.item, _difference(difference), column=_COLUMN), "yellow")
    if any(difference.item in ("suite", "catalogue") for difference in comparison.differences):
        say(wrapped("", "what judged is not the same: a verdict may differ for that alone", column=_COLUMN), "yellow")
    if comparison.added:
        say(wrapped("added", ", ".join(comparison.added), column=_COLUMN))
    if comparison.removed:
        say(wrapped("removed", ", ".join(comparison.removed), column=_COLUMN), "red")
    for provider in comparison.providers:
        say(_provider(provider), "yellow")
    for kind in Kind:
        alike = _alike(change for change in comparison.changes if change.kind is kind)
        if alike:
            say([""])
        for text, identities, providers in alike:
            say(wrapped(str(kind), f"{identities} ({', '.join(providers)}): {text}", column=_COLUMN), _STYLES[kind])
    say(["", comparison.sentence], "bold red" if comparison.status else "bold green")


def _side(label: str, side: Side) -> list[str]:
    return wrapped(label, f"{side.name}: {side.gate}", column=_COLUMN)


def _provider(provider: Provider) -> list[str]:
    """A provider's claims and cases, as far as they differ."""
    lines = ["", clean(provider.name)]
    for difference in provider.differences:
        lines += wrapped(f"  {difference.item}", _difference(difference), column=28)
    for label, cases in (("gone", provider.cases_gone), ("added", provider.cases_added)):
        if cases:
            lines += wrapped(f"  cases {label}", f"{len(cases)}; the first is {cases[0]}", column=28)
    return lines


def _difference(difference: Difference) -> str:
    return f"{difference.before or 'nothing'} → {difference.now or 'nothing'}"


def _alike(changes: Iterable[Change]) -> list[tuple[str, str, list[str]]]:
    """Changes that are told in the same words, told once: (words, requirements, providers)."""
    by_provider: dict[tuple[str, str], list[str]] = {}
    for change in changes:
        by_provider.setdefault((_words(change), change.provider), []).append(change.requirement)
    merged: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (text, provider), identities in by_provider.items():
        merged.setdefault((text, tuple(identities)), []).append(provider)
    return [(text, _named(text, identities), providers) for (text, identities), providers in merged.items()]


def _named(text: str, identities: tuple[str, ...]) -> str:
    """The requirements by name; of a provider that only one run has, just how many, if they are many and passed."""
    if len(identities) > _NAMED and text in (f"{_NO_ROW} → {Verdict.PASS}", f"{Verdict.PASS} → {_NO_ROW}"):
        return several(len(identities), "requirement")
    return ", ".join(identities)


def _words(change: Change) -> str:
    """One change. Where a verdict is new, what it was before matters only if it was bad, and is not answered now."""
    before, now = change.told_before, change.told_now
    if change.before is not change.now:
        told = now if change.now in _TOLD else ""
        if change.before in _BAD and change.kind is Kind.GONE:
            told = f"it was: {before}"
        said = f"{_verdict(change.before)} → {_verdict(change.now)}"
        return f"{said}: {clean(told, _TOLD_LIMIT)}" if told else said
    said = f"{_verdict(change.now)} as before"
    if before != now:
        shown_before, shown_now = _apart(before, now)
        said += f", but: {shown_before or 'nothing'} → {shown_now or 'nothing'}"
    cases = [
        f"{several(change.cases_gone, 'case')} gone" if change.cases_gone else "",
        f"{several(change.cases_added, 'case')} added" if change.cases_added else "",
    ]
    return said + (f" ({', '.join(filter(None, cases))})" if any(cases) else "")


def _apart(before: str, now: str) -> tuple[str, str]:
    """Two texts, each from shortly before the place where they part."""
    parts = next((n for n, pair in enumerate(zip(before, now, strict=False)) if pair[0] != pair[1]), len(before))
    start = max(0, parts - _CONTEXT)
    lead = "…" if start else ""
    return clean(lead + before[start:], _TOLD_LIMIT), clean(lead + now[start:], _TOLD_LIMIT)


def _verdict(verdict: Verdict | None) -> str:
    return str(verdict).replace("-", " ") if verdict else _NO_ROW
