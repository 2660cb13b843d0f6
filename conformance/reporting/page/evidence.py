# SPDX-License-Identifier: MIT
"""What stands behind the cells: requirements in full, each case with its findings, and the steps of its ladder.

These are values for `packing`, read by `panel.js` and `ladder.js`; every text in them is clean. A case whose evidence
cannot be relied on says why, and has no ladder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from conformance import locations
from conformance.catalogue import catalogue
from conformance.catalogue.requirement import Requirement
from conformance.reporting import casebook
from conformance.reporting.explain import in_words
from conformance.reporting.failures import again, problem_lines
from conformance.reporting.page.claims import implementation
from conformance.reporting.page.looks import LOOKS
from conformance.reporting.page.trouble import Excuses
from conformance.reporting.rejudging import trace_of
from conformance.reporting.results import CaseSummary, ProviderResults, RequirementRow, Results
from conformance.reporting.steps import FATES, Kind, Step, caveats, steps
from conformance.reporting.text import clean, flat
from conformance.trace.events import Fate
from conformance.trace.store import BadEvidence
from conformance.trace.trace import Trace

_NOT_NAMED = "the results do not tell where the evidence of this case lies"


def vocabulary(results: Results) -> dict[str, Any]:
    """What all providers share: the requirements, the verdicts, the fates of segments, and the stories of the cases."""
    functions = {function.id: function.story for function in casebook.read(locations.cases())}
    used = {case.id.partition("[")[0] for provider in results.providers for case in provider.cases}
    return {
        "requirements": {identity: _requirement(each) for identity, each in catalogue.load().items()},
        "groups": {letter: group.title for letter, group in catalogue.load().groups.items()},
        "verdicts": {str(verdict): [look.sign, look.words] for verdict, look in LOOKS.items()},
        "fates": {str(fate): what for fate, (_, what) in FATES.items()},
        "stories": {clean(name): clean(functions[name]) for name in sorted(used) if functions.get(name)},
    }


def of_provider(provider: ProviderResults, directory: Path, excused: Excuses, *, linked: bool) -> dict[str, Any]:
    """All rows and cases of one provider. `linked`: with links to the evidence as lying beside the page."""
    pointed: dict[str, set[int]] = {}
    for row in provider.requirements:
        for case in row.cases:
            pointed.setdefault(case.id, set()).update(n for finding in case.findings for n in finding.events)
    places = {case.id: place for place, case in enumerate(provider.cases)}
    return {
        "name": clean(provider.name),
        "implementation": clean(implementation(provider)[0]),
        "problem": problem_lines(provider.problem),
        "linked": linked,
        "rows": {clean(row.id): _row(row, provider, places, excused) for row in provider.requirements},
        "cases": [
            _case(case, provider, directory, pointed.get(case.id, set()), linked=linked) for case in provider.cases
        ],
    }


def _requirement(requirement: Requirement) -> dict[str, Any]:
    return {
        "statement": requirement.statement,
        "group": requirement.group,
        "sources": [[source.text, source.verified, source.note] for source in requirement.sources],
        "conditions": [in_words(clause) for clause in requirement.applies_if],
        "stimulus": requirement.stimulus,
        "observed": requirement.observed_by,
        "divergence": requirement.divergence,
        "accepted": [[each.outcome, each.says, each.provenance] for each in requirement.accepted],
    }


def _row(row: RequirementRow, provider: ProviderResults, places: Mapping[str, int], excused: Excuses) -> dict[str, Any]:
    requirement = catalogue.load().get(row.id)
    accepted = requirement.accepted_for(provider.statement) if requirement else ()
    return {
        "verdict": row.verdict,
        "level": row.level,
        "reason": problem_lines(row.reason),
        "excused": flat(excused.get((provider.name, row.id), "")),
        "accepted": [requirement.accepted.index(each) for each in accepted] if requirement else [],
        "cases": [
            {
                "case": places.get(case.id, -1),
                "id": clean(case.id),
                "verdict": case.verdict,
                "findings": [[f.outcome, flat(f.because), f.events, clean(f.matched)] for f in case.findings],
            }
            for case in row.cases
        ],
    }


def _case(
    case: CaseSummary, provider: ProviderResults, directory: Path, pointed: Iterable[int], *, linked: bool
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": clean(case.id),
        "topology": clean(case.topology),
        "verdict": case.verdict,
        "seconds": round(case.duration_s, 3),
        "problem": problem_lines(case.problem),
        "again": clean(again(provider.name, case.id, case.topology)),
    }
    if not case.evidence:
        return told | {"missing": _NOT_NAMED}
    try:
        trace = trace_of(provider, case, directory)
    except BadEvidence as problem:
        # Told without the directory: the page reads the same wherever the results lie.
        return told | {"missing": clean(str(problem.why)), "hint": clean(problem.hint), "file": clean(case.evidence)}
    if linked:
        told |= links(case.evidence, directory)
    return told | {"ladder": _ladder(trace, frozenset(pointed))}


def links(evidence: str, directory: Path) -> dict[str, str]:
    """Trace and packets of a case as addresses relative to the directory: of those that are there, and lie in it."""
    inside, found = directory.resolve(), {}
    for name, suffix in (("trace", ".jsonl"), ("packets", ".pcapng")):
        try:
            path = (directory / evidence).with_suffix(suffix).resolve()
            there = path.is_file() and path.is_relative_to(inside)
        except (OSError, RuntimeError, ValueError):  # links in a circle, a name that no file can have
            continue
        if there:
            found[name] = quote(path.relative_to(inside).as_posix())
    return found


# --- the ladder -----------------------------------------------------------------------------------------------------


def _ladder(trace: Trace, pointed: frozenset[int]) -> dict[str, Any]:
    start = trace.events[0].at if trace.events else 0
    return {
        "began": _clock(start),
        "peer": clean(trace.header.peer),
        "caveats": caveats(trace.header),
        "wire": trace.header.wire,
        "steps": [_step(step, start) for step in steps(trace, pointed)],
    }


def _clock(at: int) -> str:
    """A time of a trace, to the millisecond; empty for one that no calendar has."""
    try:
        return datetime.fromtimestamp(at / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC" if at else ""
    except (OverflowError, ValueError, OSError):
        return ""


def _step(step: Step, start: int) -> dict[str, Any]:
    """One step, its times in microseconds from the first event; what is as usual is left out.

    Keys: `t` time, `k` kind, `c` column, `x` text, `n` events, `u` until, `i` call, `s` sender, `f` fate, `g` flags.
    """
    told: dict[str, Any] = {"t": round((step.at - start) / 1000), "k": step.kind, "c": step.column}
    told["x"] = clean(step.full or step.text)
    if step.kind is Kind.TOLD:
        told["x"] = told["x"].removeprefix("! ")
    optional = {
        "n": step.events,
        "u": None if step.until is None else round((step.until - start) / 1000),
        "i": step.call,
        "s": step.sender,
        "f": None if step.fate is Fate.DELIVERED else step.fate,
        "g": re.sub(r"[^A-Z]", "", step.flags),
    }
    return told | {key: value for key, value in optional.items() if value not in (None, "", ())}
