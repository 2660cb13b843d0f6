# SPDX-License-Identifier: MIT
"""Cases that were finished and whose results did not arrive: their evidence is there, and is judged.

A session that is cut short loses what was on its way: results that nobody had asked for yet, or that a worker had not
sent. Evidence is written as each case ends, whole or not at all, so nothing else is needed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from conformance.oracle.results import CaseResult, ProviderRun, judge_case
from conformance.trace import store
from conformance.trace.trace import Header

NS_PER_MS, NS_PER_S = 1_000_000, 1_000_000_000


def recovered(
    output: Path, kept_in: str, known: Collection[str], since_ns: int
) -> Iterator[tuple[CaseResult, ProviderRun]]:
    """Each case whose evidence was written to that folder of the output since that time, except the known evidence.

    With it comes what its evidence tells of its provider. Evidence that is not whole is none. How long a case took is
    from its first event to its last.
    """
    for path in sorted((output / kept_in).glob("*/*.jsonl")):
        evidence = path.relative_to(output).as_posix()
        try:
            if evidence in known or path.stat().st_mtime_ns < since_ns:
                continue
            trace = store.load(path)
        except (OSError, store.BadEvidence):
            continue
        took_s = (trace.events[-1].at - trace.events[0].at) / NS_PER_S if trace.events else 0.0
        yield judge_case(trace, evidence=evidence, duration_s=round(took_s, 4)), _provider(trace.header)


def _provider(header: Header) -> ProviderRun:
    return ProviderRun(
        name=header.provider,
        statement=header.statement,
        settle_ms=header.settle_ns // NS_PER_MS,
        prompt_ms=header.prompt_ns // NS_PER_MS,
        latency_ms=header.latency_ns // NS_PER_MS,
    )
