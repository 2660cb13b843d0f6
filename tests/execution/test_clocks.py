# SPDX-License-Identifier: MIT
"""A clock that is set while a case runs: nothing is judged by times that were taken before and after."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from conformance.execution import clocks, planning, profile, running
from conformance.execution.connection import Connection
from conformance.execution.running import Case, Provider
from conformance.execution.stage import Stage
from conformance.oracle.results import judge_case
from conformance.oracle.verdicts import Verdict
from conformance.trace.trace import Trace

SECOND = 1_000_000_000
STEPS = [-3600 * SECOND, -SECOND // 20, SECOND // 20, 3600 * SECOND]
Run = Callable[[Callable[..., None], bool], Trace]


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (0, ""),
        (clocks.STEP_NS - 1, ""),
        (1 - clocks.STEP_NS, ""),
        (clocks.STEP_NS, "forward by 0.001 s"),
        (-clocks.STEP_NS, "back by 0.001 s"),
        (3600 * SECOND, "forward by 3600.000 s"),
    ],
)
def test_how_far_it_was_set(step: int, says: str) -> None:
    said = clocks.set_meanwhile(5, 5 + step)
    assert says in said
    assert bool(said) is bool(says)


def test_a_clock_that_is_left_alone_was_not_set() -> None:
    before = clocks.difference_ns()
    for _ in range(20):
        time.sleep(0.001)
        assert clocks.set_meanwhile(before, clocks.difference_ns()) == ""


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Set the harness's clock, as it seems to it; those of the agents and of the packets stay as they are."""
    real = time.time_ns

    def set_by(step: int) -> None:
        monkeypatch.setattr(time, "time_ns", lambda: real() + step)

    return set_by


@pytest.fixture
def run() -> Iterator[Run]:
    """Run a case of the kernel's TCP over the host's loopback."""
    stage = Stage()
    provider: Provider = planning.meet(profile.find("kernel-tcp"), stage, "host")

    def run(function: Callable[..., None], connected: bool) -> Trace:
        requirement = "IND-STREAM-01" if connected else "INIT-CLOSE-09"
        return running.run(Case("step", provider, "host", (requirement,), function, {}, connected=connected), stage)[0]

    try:
        yield run
    finally:
        stage.close()


@pytest.mark.parametrize("step", STEPS)
def test_what_a_step_may_have_changed_is_not_judged(run: Run, set_clock: Callable[[int], None], step: int) -> None:
    def ask(ends: Connection) -> None:
        ends.iut.open(ends.family)
        ends.iut.call("get_linger")
        set_clock(step)

    trace = run(ask, False)
    assert trace.header.problem == ""
    assert "the clock of this machine was set" in trace.header.doubtful
    assert judge_case(trace).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("step", STEPS)
def test_agents_and_harness_that_disagree_from_one_moment_on(
    run: Run, set_clock: Callable[[int], None], step: int
) -> None:
    def end(connection: Connection) -> None:
        connection.peer.shutdown("send")
        set_clock(step)
        connection.iut.read_to_the_end()

    trace = run(end, True)
    assert "do not lie between" in trace.header.problem
    assert judge_case(trace).verdict is Verdict.ERROR


def test_the_same_without_a_step_is_judged(run: Run, set_clock: Callable[[int], None]) -> None:
    def ask(ends: Connection) -> None:
        ends.iut.open(ends.family)
        set_clock(0)
        ends.iut.call("get_linger")

    trace = run(ask, False)
    assert (trace.header.problem, trace.header.doubtful) == ("", "")
    assert judge_case(trace).verdict in (Verdict.PASS, Verdict.RECORDED)
