# SPDX-License-Identifier: MIT
"""Scheduling: cases that wait do so side by side, whoever asks gets each result once, and nothing is lost."""

import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from conformance.execution.running import Case
from conformance.execution.scheduling import Ahead, share, spread


def case(name: str, expected_s: float = 0.0) -> Case:
    provider: Any = None
    return Case(name, provider, "loopback", (), lambda: None, {}, expected_s=expected_s)


def test_waiting_cases_wait_side_by_side() -> None:
    together = threading.Barrier(20, timeout=10)  # passes only if all twenty wait at the same time

    def run(one: Case) -> str:
        together.wait()
        return one.id

    ahead = Ahead(run)
    cases = {str(number): case(str(number), expected_s=1.0) for number in range(20)}
    ahead.start(cases)
    assert [ahead.take(key, one) for key, one in cases.items()] == list(cases)
    ahead.close()


def test_a_case_that_was_not_started_is_run_when_asked_for() -> None:
    ahead = Ahead(lambda one: one.id)
    assert ahead.take("x", case("x")) == "x"
    ahead.close()


def test_what_a_case_raises_reaches_whoever_asks() -> None:
    def run(one: Case) -> str:
        raise LookupError(one.id)

    ahead = Ahead(run)
    ahead.start({"x": case("x")})
    with pytest.raises(LookupError, match="x"):
        ahead.take("x", case("x"))
    ahead.close()


def test_after_stop_nothing_more_is_started() -> None:
    started, go_on = threading.Event(), threading.Event()
    ran = []

    def run(one: Case) -> None:
        ran.append(one.id)
        started.set()
        go_on.wait(10)

    ahead = Ahead(run)
    ahead.start({str(number): case(str(number)) for number in range(100)})
    assert started.wait(10)
    ahead.stop()
    go_on.set()
    ahead.close()
    assert len(ran) < 100


@pytest.mark.parametrize(("count", "workers"), [(0, 2), (1, 2), (10, 3), (7, 7), (5, 8)])
def test_every_case_has_exactly_one_worker(count: int, workers: int) -> None:
    dealt = [index for worker in range(workers) for index in share(count, worker, workers)]
    assert sorted(dealt) == list(range(count))


def test_the_longest_waits_are_started_first_and_each_provider_s_short_ones_over_the_whole_time() -> None:
    one: Any = SimpleNamespace()
    other: Any = SimpleNamespace()
    waits = {"a1": (one, 0.1), "a2": (one, 0.1), "long": (one, 2.0), "b1": (other, 0.1), "b2": (other, 0.1)}
    waits |= {"longest": (other, 2.2)}
    cases = {key: replace(case(key, expected_s=wait), provider=whose) for key, (whose, wait) in waits.items()}
    order = spread(cases)
    assert order[:2] == ["longest", "long"]
    assert [key[0] for key in order[2:]] in (list("abab"), list("baba"))
    assert sorted(order) == sorted(cases)


def test_no_case_waits() -> None:
    assert spread({}) == []
