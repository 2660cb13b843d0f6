# SPDX-License-Identifier: MIT
"""Runs that are ended at random times, in every way: nothing finished is lost, nothing is left, the next one is sound.

The times are drawn from a seed, so that a failure can be had again; they lie between the start of Python and the end
of the run.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from conformance.reporting.results import Results, load
from conformance.trace import pcapng, store
from tests.attack.host import Host

SEEDS = range(int(os.environ.get("SHUTDOWN_CONFORMANCE_SEEDS", "6")))
"""More of them find more: SHUTDOWN_CONFORMANCE_SEEDS=100 pytest tests/attack/test_interruption.py."""
LIMIT_S = 60
RUN = ("run", "--provider", "kernel-tcp", "--output", "report")
SMALL = (*RUN, "-k", "half_close or linger_as_it_is_found")
LONGEST_S = 6.0
WAYS = {
    "ctrl-c": (signal.SIGINT, True),
    "sigint": (signal.SIGINT, False),
    "sigterm": (signal.SIGTERM, False),
    "sighup": (signal.SIGHUP, False),
    "kill": (signal.SIGKILL, False),
    "ctrl-c twice": (signal.SIGINT, True),
}
"""The signal, and whether the whole process group gets it, as it does from a terminal."""


def evidence_is_whole(report: Path) -> set[str]:
    """Read all of it; the paths of the cases' traces, below the report."""
    traces = sorted((report / "evidence").rglob("*.jsonl"))
    for path in traces:
        trace = store.load(path)
        packets = path.with_suffix(".pcapng")
        assert packets.exists() or not any(hasattr(event, "frame") for event in trace.events), path
    for path in (report / "evidence").rglob("*.pcapng"):
        pcapng.read(path)
    return {str(path.relative_to(report)) for path in (report / "evidence").glob("*/*.jsonl")}  # not the control's


def results_of(report: Path) -> Results | None:
    return load(report / "results.json") if (report / "results.json").exists() else None


@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_that_is_ended_somewhere(host: Host, seed: int) -> None:
    way = list(WAYS)[seed % len(WAYS)]
    number, group = WAYS[way]
    drawn = random.Random(seed)
    processes, after_s = drawn.choice([(), ("-n", "2")]), drawn.uniform(0.0, LONGEST_S)
    process = host.start(*RUN, *processes)
    time.sleep(after_s)
    for _ in range(2 if way == "ctrl-c twice" else 1):
        (os.killpg if group else os.kill)(process.pid, number)  # nobody has waited for it: the number is still its own
        time.sleep(0.02)
    ended = host.end_of(process, LIMIT_S)
    print(f"{way} after {after_s:.3f} s, {' '.join(processes)}: exit status {ended.status}")
    assert host.remains() == []
    report = host.directory / "report"
    finished, results = evidence_is_whole(report), results_of(report)
    if results is not None:
        named = {case.evidence for provider in results.providers for case in provider.cases}
        assert named <= finished
        if way not in ("kill", "ctrl-c twice"):
            assert finished == named  # what was finished is in the results
    if way in ("kill", "ctrl-c twice"):
        assert ended.status in (0, 1, 130, -number)
    else:
        assert ended.status in (0, 1, 130, -number), ended.err
        if not (group and processes):  # the terminal interrupts xdist's workers too, also while Python starts
            assert "Traceback" not in ended.err
        assert results is not None or not finished
        assert not list(report.rglob("*.part"))
    again = host.run(*SMALL)
    assert again.status == 0, again.out + again.err
    left = evidence_is_whole(report)
    assert {case.evidence for provider in again.results().providers for case in provider.cases} == left
    assert not list(report.rglob("*.part"))
