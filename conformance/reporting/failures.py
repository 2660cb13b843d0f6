# SPDX-License-Identifier: MIT
"""A failure that teaches: what is required, where that is written, what is accepted, what was seen, and the ladder."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path

from conformance import locations
from conformance.catalogue import catalogue
from conformance.catalogue.requirement import Requirement
from conformance.catalogue.statement import Statement
from conformance.oracle.findings import Conclusion, Finding
from conformance.oracle.results import CaseResult
from conformance.oracle.verdicts import Verdict, verdict_of
from conformance.reporting.ladder import WIDTH, ladder
from conformance.reporting.text import clean, clean_lines, wrapped
from conformance.trace.store import BadEvidence, load
from conformance.trace.trace import Trace

_PROBLEM_LINES = 12
_NOT_IN_EXPRESSIONS = re.compile(r"[^\w:+\-.\[\]/]+")
"""What pytest's -k does not take in a name."""


def failure_text(result: CaseResult, trace: Trace) -> str:
    """Why a case failed or broke, as the message that pytest shows: each violated requirement, then the ladder."""
    parts = problem_lines(result.problem)
    by_requirement: dict[str, list[Finding]] = {}
    for finding in result.findings:
        if finding.outcome is Conclusion.VIOLATED or (finding.outcome is Conclusion.ERROR and not result.problem):
            by_requirement.setdefault(finding.requirement, []).append(finding)
    highlight: set[int] = set()
    for identity, findings in by_requirement.items():
        requirement = catalogue.load()[identity]
        verdict = verdict_of(requirement.level, [finding.outcome for finding in findings])
        parts += [*headline(verdict, requirement), *rule(requirement, trace.header.statement)]
        parts += [line for finding in findings for line in wrapped("  seen", finding.because)] + [""]
        highlight.update(n for finding in findings for n in finding.events)
    return "\n".join([*parts, ladder(trace, highlight)])


def problem_lines(problem: str) -> list[str]:
    """What broke, in lines; a long story is cut at its beginning, because a traceback tells the matter at its end."""
    lines = clean_lines(problem)
    return lines if len(lines) <= _PROBLEM_LINES else [lines[0], "  …", *lines[-_PROBLEM_LINES + 2 :]]


def headline(verdict: Verdict, requirement: Requirement) -> list[str]:
    """The verdict, the requirement's identifier, and its statement."""
    return wrapped(f"{verdict.upper()} {requirement.id}", requirement.statement, width=WIDTH, column=26)


def rule(requirement: Requirement, statement: Statement) -> list[str]:
    """The clause that the requirement rests on, and what is accepted from an implementation so claimed."""
    lines = wrapped("  clause", clause(requirement))
    for accepted in requirement.accepted_for(statement):
        lines += wrapped("  accepted", f"{accepted.outcome}: {accepted.says} [{accepted.provenance}]")
    return lines


def clause(requirement: Requirement) -> str:
    """Where the requirement is written; what could not be looked up is marked."""
    return "; ".join(source.text + ("" if source.verified else " (unverified)") for source in requirement.sources)


def again(provider: str, case: str, topology: str) -> str:
    """The command that runs this case again, for a shell."""
    words = ["shutdown-conformance", "run", "--provider", provider if provider in _with_profiles() else "FILE.toml"]
    if topology != "loopback":
        words += ["--topology", topology]
    return shlex.join([*words, "-k", expression(case, provider)])


@cache
def _with_profiles() -> frozenset[str]:
    return frozenset(path.stem for path in locations.profiles().glob("*.toml"))


def name_in_pytest(case: str, provider: str) -> str:
    """What pytest calls the case: with the provider as its first parameter.

    `a.py::test_x[1-close]` is `a.py::test_x[kernel-tcp-1-close]`.
    """
    function, _, parameters = case.partition("[")
    return f"{function}[{'-'.join(filter(None, (provider, parameters.removesuffix(']'))))}]"


def expression(case: str, provider: str) -> str:
    """An expression for pytest's -k that selects this case: its name there, or what of it -k takes."""
    name = name_in_pytest(case.rpartition("::")[2], provider)
    return " and ".join(part for part in _NOT_IN_EXPRESSIONS.split(name) if part not in ("", "and", "or", "not"))


def ladder_of(evidence: Path, highlight: Collection[int], width: int = WIDTH) -> Sequence[str]:
    """The ladder of stored evidence, in lines; what is wrong with the evidence, where it cannot be read."""
    try:
        trace = load(evidence)
    except BadEvidence as problem:
        return [f"  (no ladder: {clean(str(problem))})"]
    return ladder(trace, highlight, width).splitlines()
