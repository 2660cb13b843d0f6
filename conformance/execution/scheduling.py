# SPDX-License-Identifier: MIT
"""Starting cases ahead of their turn, so that waiting costs nothing.

pytest asks for one case after the other; each is a plain function on a connection of its own. They are started in
pools before their turn, those with the longest waits first, and pytest's loop collects each result when its turn comes.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from conformance.execution.running import Case

T = TypeVar("T")

BUSY_THREADS = 3
"""For cases that mostly compute: enough to keep two cores busy while each waits for its agents."""
WAITING_THREADS = 48
"""For cases that mostly wait: as many as may wait side by side at most."""
SHORT = 0.25
"""A case that waits longer than this part of the longest wait is started before those that wait less."""
BUSY_S = 0.005
"""What a case takes of the machine, roughly, in seconds: so long the other cases go on while some wait."""


class Ahead(Generic[T]):
    """Runs cases before they are asked for. Keys name cases; `take` returns or raises what the case did."""

    def __init__(self, run: Callable[[Case], T], busy: int = BUSY_THREADS) -> None:
        self._run = run
        self._busy = busy
        self._pools: list[ThreadPoolExecutor] = []
        self._futures: dict[str, Future[T]] = {}
        self._lock = threading.Lock()

    def start(self, cases: Mapping[str, Case]) -> None:
        """Start these. Those that wait begin with the longest waits, the others go in the order given."""
        waiting = {key: case for key, case in cases.items() if case.expected_s}
        waits = [case.expected_s for case in waiting.values()]
        # Enough that all the waits end about when the longest does, or when the other cases do; more would only start
        # more agents, and to start one costs more than to run a case.
        span_s = max(max(waits, default=1), len(cases) * BUSY_S)
        threads = min(WAITING_THREADS, math.ceil(sum(waits) / span_s)) or 1
        waiters = ThreadPoolExecutor(threads, thread_name_prefix="waiting case")
        busy = ThreadPoolExecutor(self._busy, thread_name_prefix="case")
        self._pools += [waiters, busy]
        for pool, keys in ((waiters, spread(waiting)), (busy, [key for key in cases if key not in waiting])):
            for key in keys:
                with self._lock:
                    self._futures[key] = pool.submit(self._run, cases[key])

    def take(self, key: str, case: Case) -> T:
        """The result of a case: of the one started ahead, or of one run now."""
        with self._lock:
            future = self._futures.pop(key, None)
        return self._run(case) if future is None else future.result()

    def stop(self) -> None:
        """Start no more. What runs goes on until whoever it waits for is ended; `close` waits for that."""
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """Wait for what still runs."""
        for pool in self._pools:
            pool.shutdown(wait=True, cancel_futures=True)


def spread(cases: Mapping[str, Case]) -> list[str]:
    """The order in which cases that wait are started.

    First those that wait nearly as long as the longest does, which decide when all is over. The others are mixed, each
    provider's evenly over the whole time: it then has few cases under way at once, and so few agents that are kept.
    """
    longest = max((case.expected_s for case in cases.values()), default=0.0)
    totals, so_far = Counter[tuple[int, str]](), Counter[tuple[int, str]]()
    for case in cases.values():
        totals[_place(case)] += 1
    order = []
    for key, case in cases.items():
        place = _place(case)
        so_far[place] += 1
        long = case.expected_s > longest * SHORT
        order.append((-case.expected_s if long else 0.0, so_far[place] / totals[place], key))
    return [key for _, _, key in sorted(order)]


def _place(case: Case) -> tuple[int, str]:
    """Whose agents a case needs, and where."""
    return id(case.provider), case.topology


def share(count: int, worker: int, workers: int) -> range:
    """The cases (by index) of one of several workers, told from numbers that both sides of a process boundary know."""
    return range(worker, count, workers)
