# SPDX-License-Identifier: MIT
"""Runs made by hand: stories judged and kept as a run keeps them, and results of every kind of verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from conformance.catalogue.statement import Statement
from conformance.oracle.findings import Conclusion, Finding
from conformance.oracle.results import CaseResult, ProviderRun, judge_case
from conformance.oracle.verdicts import Verdict
from conformance.reporting.results import ProviderResults, RequirementRow, Results, build, save
from conformance.trace import store
from conformance.trace.trace import Trace
from tests.oracle.story import KERNEL_TCP, PEER, Story

ENVIRONMENT: dict[str, Any] = {"system": "Linux", "python": "3.11", "topologies": ["loopback"], "jitter_ms": 0.5}
GOOD = "indicating/stream_end.py::test_peer_ends_after_data[5-shutdown-send]"
BAD = "indicating/stream_end.py::test_peer_ends_after_data[5-close]"
EXERCISED = ("IND-STREAM-01", "IND-STREAM-02")


def good_story() -> Story:
    """The peer sends and ends; the implementation is told, and told again."""
    story = Story(exercises=EXERCISED)
    story.peer.send(5)
    story.data(PEER, 5)
    story.peer.shutdown("send")
    story.fin(PEER)
    story.iut.recv(5)
    for _ in range(3):
        story.iut.recv(0)
    return story


def bad_story(error: str = "ECONNRESET") -> Story:
    """The same, but the implementation is told of an error."""
    story = Story(exercises=EXERCISED)
    story.peer.send(5)
    story.data(PEER, 5)
    story.peer.shutdown("send")
    story.fin(PEER)
    story.iut.recv(5)
    story.iut.recv(error=error)
    return story


def named(story: Story, case: str, provider: str = "kernel-tcp", **header: Any) -> Trace:
    """The story's trace as that case of that provider."""
    trace = story.trace()
    changed = msgspec.structs.replace(trace.header, case=case, provider=provider, **header)
    return msgspec.structs.replace(trace, header=changed)


def keep(trace: Trace, directory: Path) -> CaseResult:
    """Judge a trace, and store it where a run does."""
    header = trace.header
    path = Path("evidence") / header.provider / f"{store.file_name(header.case)}.jsonl"
    store.save(trace, directory / path)
    return judge_case(trace, evidence=path.as_posix(), duration_s=0.25)


def case(identity: str, *findings: Finding, provider: str = "kernel-tcp", **others: Any) -> CaseResult:
    """A case's result by hand."""
    return CaseResult(
        id=identity, provider=provider, topology="loopback", verdict=Verdict.PASS, findings=findings, **others
    )


def finding(requirement: str, outcome: Conclusion, because: str = "so it was", **others: Any) -> Finding:
    return Finding(requirement=requirement, outcome=outcome, because=because, **others)


def provider(name: str = "kernel-tcp", statement: Statement = KERNEL_TCP, **others: Any) -> ProviderRun:
    return ProviderRun(name=name, statement=statement, settle_ms=35, prompt_ms=1000, **others)


def results_of(*cases: CaseResult, providers: Sequence[ProviderRun] = (), planned: int | None = None) -> Results:
    return build(cases, providers or [provider()], ENVIRONMENT, len(cases) if planned is None else planned)


def row(results: Results, requirement: str, at: int = 0) -> RequirementRow:
    """The row of a requirement, of the provider at that place."""
    return next(row for row in results.providers[at].requirements if row.id == requirement)


def kept_run(directory: Path) -> Results:
    """A run on disk: one good case, one bad one."""
    cases = [keep(named(good_story(), GOOD), directory), keep(named(bad_story(), BAD), directory)]
    results = results_of(*cases)
    save(results, directory / "results.json")
    return results


def first(results: Results) -> ProviderResults:
    return results.providers[0]
