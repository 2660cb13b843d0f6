# SPDX-License-Identifier: MIT
"""The oracle: every judge sees every trace.

A judge is a pure function, registered for one requirement, that reads a history and yields findings. It yields
nothing where its stimulus did not occur. `judge` runs them all over one trace; it knows no requirement by name, and
none of the modules that hold judges: it takes those that are there.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from pkgutil import iter_modules
from typing import TypeVar

from conformance.catalogue.catalogue import Catalogue, load, nearest
from conformance.catalogue.requirement import Requirement
from conformance.catalogue.statement import Statement
from conformance.oracle.findings import Conclusion, Expectation, Finding
from conformance.trace.events import Noted
from conformance.trace.history import Connection, History
from conformance.trace.trace import Trace

ConnectionJudge = Callable[[Connection, Expectation], Iterable[Finding]]
CaseJudge = Callable[[History, Expectation], Iterable[Finding]]
CJ = TypeVar("CJ", bound=ConnectionJudge)
HJ = TypeVar("HJ", bound=CaseJudge)

_of_connections: dict[str, ConnectionJudge] = {}
_of_cases: dict[str, CaseJudge] = {}


def judges(requirement: str) -> Callable[[CJ], CJ]:
    """Register a judge that is shown each connection of a case.

    Raises ValueError for a requirement that there is not, and for one that has such a judge already.
    """

    def register(judge: CJ) -> CJ:
        _check(requirement, _of_connections)
        _of_connections[requirement] = judge
        return judge

    return register


def judges_case(requirement: str) -> Callable[[HJ], HJ]:
    """Register a judge that is shown the case as a whole, for sockets that were never connected. Raises as `judges`."""

    def register(judge: HJ) -> HJ:
        _check(requirement, _of_cases)
        _of_cases[requirement] = judge
        return judge

    return register


def _check(requirement: str, judges: Mapping[str, object]) -> None:
    if requirement not in load():
        raise ValueError(f"no requirement {requirement!r} in the catalogue; near: {', '.join(nearest(requirement))}")
    if requirement in judges:
        raise ValueError(f"{requirement} has a judge already: {judges[requirement]!r}")


@cache
def judged() -> frozenset[str]:
    """The requirements that have a judge. Loads every module of the oracle: some of them hold judges."""
    for module in iter_modules([str(Path(__file__).parent)]):
        importlib.import_module(f"{__package__}.{module.name}")
    return frozenset(_of_connections) | frozenset(_of_cases)


def judge(trace: Trace, catalogue: Catalogue | None = None, history: History | None = None) -> tuple[Finding, ...]:
    """Judge one trace by every requirement that applies to its statement; `history` is what was derived of it already.

    A requirement that the case was meant to exercise and that no judge found in the trace is undetermined; one that
    is not in the catalogue (any more) is left out. A case that broke gives errors and nothing else: neither a pass nor
    a fail may rest on a broken observation.
    """
    catalogue = catalogue or load()
    header = trace.header
    meant = [
        requirement
        for requirement in (catalogue[identity] for identity in header.exercises if identity in catalogue)
        if requirement.unmet(header.statement) is None
    ]
    if header.problem:
        return tuple(_plain(r, Conclusion.ERROR, header.problem) for r in meant)
    if reason := header.unavailable or header.doubtful:
        return tuple(_plain(r, Conclusion.UNDETERMINED, reason) for r in meant)
    findings = tuple(_findings(history or History(trace), catalogue))
    found = {finding.requirement for finding in findings}
    return findings + tuple(_plain(r, Conclusion.UNDETERMINED, _why_not(trace)) for r in meant if r.id not in found)


def _why_not(trace: Trace) -> str:
    """Why nothing was found: what kept the case from making its stimulus, if it left a note."""
    notes = (event for event in trace.events if isinstance(event, Noted) and event.what == "cannot exercise")
    return next((str(n.details.get("reason")) for n in notes), "the case ran, and its trace does not show the stimulus")


def _findings(history: History, catalogue: Catalogue) -> Iterator[Finding]:
    for expectation in _expectations(catalogue, history.statement):
        yield from findings_of(history, expectation)


def findings_of(history: History, expectation: Expectation) -> Iterator[Finding]:
    """What the judges of one requirement find in a case."""
    requirement, identity = expectation.requirement, expectation.requirement.id
    try:
        if identity in _of_cases:
            yield from _of_cases[identity](history, expectation)
        if identity in _of_connections:
            for connection in history.connections:
                yield from _of_connections[identity](connection, expectation)
    except Exception as error:  # a judge that breaks has judged nothing: never a pass, never the end of the run
        yield _plain(requirement, Conclusion.ERROR, f"the judge broke: {type(error).__name__}: {error}")


def _expectations(catalogue: Catalogue, statement: Statement) -> Iterable[Expectation]:
    """What is expected of an implementation so claimed, by the requirements' ids."""
    return _usual(statement) if catalogue is load() else _applying(catalogue, statement)


@lru_cache(maxsize=64)
def _usual(statement: Statement) -> tuple[Expectation, ...]:
    """What the suite's own catalogue expects: found once for all the cases of a provider."""
    return tuple(_applying(load(), statement))


def _applying(catalogue: Catalogue, statement: Statement) -> Iterator[Expectation]:
    for identity in sorted(judged()):
        requirement = catalogue[identity]
        if requirement.unmet(statement) is None:
            yield Expectation(requirement, requirement.accepted_for(statement))


def _plain(requirement: Requirement, outcome: Conclusion, because: str) -> Finding:
    return Finding(requirement=requirement.id, outcome=outcome, because=because)
