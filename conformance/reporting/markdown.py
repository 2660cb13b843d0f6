# SPDX-License-Identifier: MIT
"""The summary of a run in Markdown, for the page of a CI job.

Whatever others said stands in code spans, in which nothing is markup, a link, a mention or the number of an issue. The
whole stays below what GitHub shows of a step (1024 KiB); what does not fit is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from conformance.catalogue import catalogue
from conformance.oracle.verdicts import Verdict
from conformance.reporting.briefly import implementation, is_failed, judged_by, seen, telling
from conformance.reporting.failures import again
from conformance.reporting.gating import Gate, about, gate
from conformance.reporting.results import ProviderResults, RequirementRow, Results
from conformance.reporting.text import clean, several

ROOM = {"providers": 250_000, "failures": 450_000, "baseline": 100_000, "contradictions": 100_000, "untested": 100_000}
"""Bytes for each part; together, with headings and notes, less than 1024 KiB."""
_FOLDED_FROM = 6
"""So many failures and more are folded, so that the page of the job stays a page."""
_TEXT_LIMIT = 400
_NAME_LIMIT = 120
_ALWAYS_SHOWN = (Verdict.PASS, Verdict.FAIL)
_MARKUP = re.compile(r"([\\`*_{}\[\]#|~<>&@]|(?<=:)/|(?<=www)\.)")
"""What may mean something in a line of prose, or would make a link of it."""


def render(results: Results) -> str:
    """The Markdown of a run."""
    decided = gate(results)
    parts = [
        ["## Shutdown conformance", "", f"**{_plain(decided.sentence)}**", ""],
        _table(results, decided),
        _failures(results, decided),
        _listed("The baseline", "baseline", _entries(decided)),
        _listed("Contradictions to what is claimed", "contradictions", _contradictions(results)),
        _listed("Could not be tested", "untested", _untested(results)),
        ["The whole report is `report.html` in the directory of the run, with the evidence beside it.", ""],
        [f"Judged by {_code(judged_by(results), _TEXT_LIMIT)}", ""],
    ]
    return "\n".join(line for part in parts for line in part)


# --- parts ------------------------------------------------------------------------------------------------------------


def _table(results: Results, decided: Gate) -> list[str]:
    counted = {verdict for p in results.providers for verdict in Verdict if p.totals.get(verdict)}
    shown = [verdict for verdict in Verdict if verdict in counted or verdict in _ALWAYS_SHOWN]
    rows = [_row(provider, shown, decided) for provider in results.providers]
    fitting, left_out = _fit(rows, "providers")
    head = ["| provider | implementation |" + "".join(f" {verdict} |" for verdict in shown)]
    return [*head, "|---|---|" + "--:|" * len(shown), *fitting, *_note(left_out, "more provider"), ""]


def _row(provider: ProviderResults, shown: Iterable[Verdict], decided: Gate) -> str:
    name, tested = (_code(text, _NAME_LIMIT) for text in (provider.name, implementation(provider)))
    counts = ["·" if provider.problem else str(provider.totals.get(verdict, 0) or "·") for verdict in shown]
    cells = [f"{_mark(provider, decided)} {name}".replace("|", "\\|"), tested.replace("|", "\\|"), *counts]
    return f"| {' | '.join(cells)} |"


def _failures(results: Results, decided: Gate) -> list[str]:
    tested = [provider for provider in results.providers if not provider.problem]
    failed = [(p, row) for p in tested for row in p.requirements if is_failed(row, p, decided)]
    if not failed:
        return []
    fitting, left_out = _fit(["\n".join(_failure(provider, row)) for provider, row in failed], "failures")
    lines = [*fitting, "", *_note(left_out, "more failure")]
    heading = several(len(failed), "failure")
    if len(failed) < _FOLDED_FROM:
        return [f"### {heading}", "", *lines]
    return ["<details>", f"<summary><b>{heading}</b></summary>", "", *lines, "</details>", ""]


def _failure(provider: ProviderResults, row: RequirementRow) -> Iterator[str]:
    requirement = catalogue.load().get(row.id)
    statement = f" {_plain(requirement.statement)}" if requirement else ""
    name = _plain(row.id) if requirement else _code(row.id, _NAME_LIMIT)
    yield f"- **{str(row.verdict).upper()} {name}** {_code(provider.name, _NAME_LIMIT)}{statement}"
    yield f"  - seen: {_code(seen(row), _TEXT_LIMIT)}"
    if cases := telling(row):
        case = cases[0][0]
        yield f"  - again: {_code(again(provider.name, case.id, case.topology), _TEXT_LIMIT)}"


def _entries(decided: Gate) -> list[str]:
    """What became of the baseline: what no longer holds first, then what it excuses."""
    standings = {
        "remove": decided.stale,
        "expired": decided.expired,
        "no match": decided.unmatched,
        "excused": decided.excused,
        "not confirmed": decided.unconfirmed,
    }
    return [
        f"- **{said}** {_code(each.requirement, _NAME_LIMIT)} {_code(each.provider, _NAME_LIMIT)}: "
        f"{_code(about(each), _TEXT_LIMIT)}"
        for said, found in standings.items()
        for each in found
    ]


def _contradictions(results: Results) -> list[str]:
    return [
        f"- {_code(provider.name, _NAME_LIMIT)} {_code(each.item, _NAME_LIMIT)}: claimed "
        f"{_code(each.claimed, _TEXT_LIMIT)}, found {_code(each.found, _TEXT_LIMIT)}"
        for provider in results.providers
        for each in provider.contradictions
    ]


def _untested(results: Results) -> list[str]:
    return [
        f"- {_code(provider.name, _NAME_LIMIT)}: {_code(provider.problem, _TEXT_LIMIT)}"
        for provider in results.providers
        if provider.problem
    ]


def _listed(title: str, part: str, lines: list[str]) -> list[str]:
    fitting, left_out = _fit(lines, part)
    return [f"### {title}", "", *fitting, "", *_note(left_out, "more")] if lines else []


# --- what is said -----------------------------------------------------------------------------------------------------


def _mark(provider: ProviderResults, decided: Gate) -> str:
    if provider.problem:
        return "⚠️"
    if any(is_failed(row, provider, decided) for row in provider.requirements):
        return "❌"
    return "✅" if provider.totals.get(Verdict.PASS) else "⚪"


def _fit(lines: list[str], part: str) -> tuple[list[str], int]:
    """As many of the lines as there is room for, and the number of the others."""
    room = ROOM[part]
    for number, line in enumerate(lines):
        room -= len(line.encode()) + 1
        if room < 0:
            return lines[:number], len(lines) - number
    return lines, 0


def _note(left_out: int, what: str) -> list[str]:
    if not left_out:
        return []
    noun = what if what == "more" else several(left_out, what).partition(" ")[2]
    return ["", f"*{left_out} {noun} did not fit; the report has all of them.*", ""]


def _plain(text: str) -> str:
    """Text of the suite's own as prose."""
    return _MARKUP.sub(r"\\\1", clean(text))


def _code(text: str, limit: int) -> str:
    """Whatever was said, as a code span; a dash where nothing was."""
    plain = clean(text, limit)
    if not plain.strip():
        return "-"
    fence = "`" * (max(map(len, re.findall("`+", plain)), default=0) + 1)
    pad = " " if plain[0] in "` " or plain[-1] in "` " else ""
    return f"{fence}{pad}{plain}{pad}{fence}"
