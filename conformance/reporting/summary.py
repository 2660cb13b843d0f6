# SPDX-License-Identifier: MIT
"""The summary at the end of a run: a table per provider, each failure with its ladder, and what was left open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.catalogue import catalogue
from conformance.catalogue.statement import Contradiction
from conformance.oracle.findings import Conclusion
from conformance.oracle.verdicts import Verdict
from conformance.reporting.briefly import implementation, judged_by
from conformance.reporting.failures import again, failure_text, headline, ladder_of, problem_lines, rule
from conformance.reporting.gating import Gate, about, gate
from conformance.reporting.ladder import WIDTH
from conformance.reporting.reasons import alike
from conformance.reporting.results import UNREACHED, CaseRow, ProviderResults, RequirementRow, Results
from conformance.reporting.text import clean, several, wrapped

__all__ = ["failure_text", "print_summary"]

STYLES = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.ERROR: "bold magenta",
    Verdict.DEVIATION: "yellow",
    Verdict.INCONCLUSIVE: "yellow",
}
_ALWAYS_SHOWN = (Verdict.PASS, Verdict.FAIL)
_UNREACHED_SHOWN = 12
"""More than these are a matter of the selection, and not worth a list."""
_HEADINGS = {
    Verdict.INCONCLUSIVE: "incon-\nclusive",
    Verdict.NOT_APPLICABLE: "n/a",
    Verdict.NOT_EXERCISED: "not\nexercised",
}
"""For the verdicts whose names are too wide for a column of numbers."""


def print_summary(results: Results, console: Console, output: Path, *, page: Path | None = None) -> None:
    """Print what a run came to. `output` is the directory that the evidence paths of the results start from.

    `page`: the report page, where there is one.

    Where no case ran there is nothing to count, and only what kept them from running is told. Where none was to run,
    the selection or the usage was at fault, which its reader says.
    """
    if not results.cases.planned and not any(provider.problem for provider in results.providers):
        return
    show = _Printer(console)
    for provider in results.providers:
        show.provider(provider, results)
    decided = gate(results)
    for provider in results.providers:
        for row in _rows(provider, Verdict.FAIL):
            if decided.excuse(provider.name, row.id) is None:
                show.failure(provider, row, output)
        show.errors(provider, output)
    for provider in results.providers:
        for row in _rows(provider, Verdict.DEVIATION):
            show.deviation(provider, row)
    show.blank()
    for verdict in (Verdict.INCONCLUSIVE, Verdict.NOT_EXERCISED) if results.cases.finished else ():
        for reason, identities, providers in alike(results, verdict):
            label = str(verdict).replace("-", " ")
            text = f"{', '.join(identities)} ({', '.join(providers)}): {reason}"
            if reason == UNREACHED and len(identities) > _UNREACHED_SHOWN:
                count = several(len(identities), "requirement")
                text = f"{count} were reached by no case of this selection ({', '.join(providers)})"
            show.lines(wrapped(label, text, column=15))
    show.entries(decided)
    show.blank()
    show.line(decided.sentence, "bold green" if decided.is_open else "bold red")
    show.line(f"Judged by {judged_by(results)}")
    show.line(f"Results: {output / 'results.json'}   Evidence: {output / 'evidence'}")
    if page is not None:
        show.line(f"Report: {page}")


def _rows(provider: ProviderResults, verdict: Verdict) -> Iterator[RequirementRow]:
    """The rows of that verdict; none for a provider that could not be tested, whose one problem says it all."""
    return (row for row in provider.requirements if row.verdict is verdict and not provider.problem)


def _with(cases: Iterable[CaseRow], outcome: Conclusion) -> list[CaseRow]:
    return [case for case in cases if any(finding.outcome is outcome for finding in case.findings)]


class _Printer:
    """Prints the parts. All text goes out as it is: nothing in it is markup."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._width = min(WIDTH, console.width) if console.is_terminal else WIDTH
        self._drawn: set[tuple[str, str, frozenset[int]]] = set()

    def blank(self) -> None:
        self._console.print()

    def line(self, text: str, style: str = "") -> None:
        self._console.print(Text(clean(text), style=style), soft_wrap=True)

    def lines(self, lines: Iterable[str], style: str = "") -> None:
        for line in lines:
            self.line(line, style)

    def provider(self, provider: ProviderResults, results: Results) -> None:
        """The heading and the table of a provider."""
        statement, times = provider.statement, results.environment.times.get(provider.name)
        settle = f", settle time {times.settle_ms} ms" if times and times.settle_ms else ""
        self.blank()
        cases = several(len(provider.cases), "case")
        self.line(f"{provider.name}: {statement.family}, {statement.transport}{settle}, {cases}", "bold")
        if tested := implementation(provider):
            self.lines(wrapped("  tested", tested))
        if provider.found.get("clock") == "foreign" and times:
            said = f"its agent has another clock: calls are timed from here, and may take {times.latency_ms} ms more"
            self.lines(wrapped("  times", said))
        if provider.problem:
            self.lines([f"  {line}" for line in problem_lines(provider.problem)], STYLES[Verdict.ERROR])
            return
        for contradiction in provider.contradictions:
            self.lines(wrapped("  contradiction", _contradiction(contradiction), column=17), "yellow")
        if results.cases.finished:
            self._console.print(_table(provider))

    def failure(self, provider: ProviderResults, row: RequirementRow, output: Path) -> None:
        """A violated requirement in full."""
        requirement = catalogue.load()[row.id]
        cases = _with(row.cases, Conclusion.VIOLATED)
        first = cases[0]
        findings = [finding for finding in first.findings if finding.outcome is Conclusion.VIOLATED]
        self.blank()
        self.lines(headline(row.verdict, requirement), STYLES[row.verdict])
        self.lines(wrapped("  provider", f"{provider.name} ({row.level})"))
        self.lines(rule(requirement, provider.statement))
        self.lines(wrapped("  seen", findings[0].because))
        self.lines(wrapped("  cases", f"{len(cases)} of {len(row.cases)}; the first is {first.id}"))
        self._where(provider, first, output, {n for finding in findings for n in finding.events})

    def errors(self, provider: ProviderResults, output: Path) -> None:
        """What broke: each cause once, with the requirements that it kept from being judged."""
        causes: dict[str, list[RequirementRow]] = {}
        for row in _rows(provider, Verdict.ERROR):
            causes.setdefault(row.reason, []).append(row)
        for reason, rows in causes.items():
            self.blank()
            self.lines(wrapped("ERROR", ", ".join(row.id for row in rows), column=7), STYLES[Verdict.ERROR])
            self.lines(wrapped("  provider", provider.name))
            self.lines([f"  {line}" for line in problem_lines(reason)])
            if cases := _with(rows[0].cases, Conclusion.ERROR):
                self.lines(wrapped("  cases", f"{len(cases)} of {len(rows[0].cases)}; the first is {cases[0].id}"))
                self._where(provider, cases[0], output, ())

    def deviation(self, provider: ProviderResults, row: RequirementRow) -> None:
        """A recommendation that was not followed, shortly."""
        cases = _with(row.cases, Conclusion.VIOLATED)
        seen = next(f.because for f in cases[0].findings if f.outcome is Conclusion.VIOLATED)
        self.blank()
        self.lines(headline(row.verdict, catalogue.load()[row.id]), STYLES[row.verdict])
        self.lines(wrapped("  seen", f"{seen} ({provider.name}, {several(len(cases), 'case')})"))
        self.lines(wrapped("  again", again(provider.name, cases[0].id, cases[0].topology)))

    def entries(self, decided: Gate) -> None:
        """What became of the baseline: what it excuses, shortly, and what of it no longer holds."""
        for says, style, found in (
            ("excused", "yellow", decided.excused),
            ("not confirmed", "", decided.unconfirmed),
            ("remove", STYLES[Verdict.FAIL], decided.stale),
            ("expired", STYLES[Verdict.FAIL], decided.expired),
            ("no match", STYLES[Verdict.FAIL], decided.unmatched),
        ):
            if found:
                self.blank()
            for each in found:
                self.lines(wrapped(says, f"{each.requirement} ({each.provider}): {about(each)}", column=15), style)

    def _where(self, provider: ProviderResults, case: CaseRow, output: Path, events: Iterable[int]) -> None:
        self.line(f"  again     {again(provider.name, case.id, case.topology)}")
        if not case.evidence:
            return
        self.line(f"  evidence  {output / case.evidence}")
        drawing = (provider.name, case.id, frozenset(events))
        if drawing in self._drawn:
            self.line("  ladder    the same as above")
            return
        self._drawn.add(drawing)
        self.blank()
        self.lines(ladder_of(output / case.evidence, drawing[2], self._width))


def _contradiction(contradiction: Contradiction) -> str:
    """What was claimed, what was found, and in which case."""
    text = f"{contradiction.item}: claimed {contradiction.claimed}, found {contradiction.found}"
    if not contradiction.cases:
        return text
    first, *others = contradiction.cases
    more = f", and in {several(len(others), 'more case')}" if others else ""
    return f"{text} (in {first}{more})"


def _table(provider: ProviderResults) -> Table:
    """Verdict counts: a row for each group of the catalogue, a column for each verdict that occurs."""
    groups = catalogue.load().groups
    of_group = {letter: Counter[Verdict]() for letter in groups}
    for row in provider.requirements:
        of_group[catalogue.load()[row.id].group][row.verdict] += 1
    shown = [verdict for verdict in Verdict if provider.totals.get(verdict) or verdict in _ALWAYS_SHOWN]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), show_footer=True)
    table.add_column("requirements", footer="total", min_width=24)
    for verdict in shown:
        total = str(provider.totals.get(verdict, 0))
        heading = _HEADINGS.get(verdict, str(verdict))
        width = max(map(len, heading.splitlines()))
        table.add_column(heading, footer=total, justify="right", style=STYLES.get(verdict, ""), min_width=width)
    for letter, group in groups.items():
        counts = [str(of_group[letter][verdict] or "·") for verdict in shown]
        table.add_row(Text(f"{letter} {group.title}"), *counts)
    return table
