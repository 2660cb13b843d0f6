# SPDX-License-Identifier: MIT
"""Starting cases ahead of their turn, so that waiting costs nothing.

pytest asks for one case after the other; each is a plain function on a connection of its own. They are started in
pools before their turn, the longest expected wait first, and pytest's loop collects each result when its turn comes.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from conformance.execution.running import Case

T = TypeVar("T")

BUSY_THREADS = 4
"""For cases that mostly compute: enough to keep two cores busy while each waits for its agents."""
WAITING_THREADS = 48
"""For cases that mostly wait: as many as may wait side by side at most."""
BUSY_S = 0.005
"""What a case takes of the machine, roughly, in seconds: so long the other cases go on while some wait."""


class Ahead(Generic[T]):
    """Runs cases before they are asked for. Keys name cases; `take` returns or raises what the case did."""

    def __init__(self, run: Callable[[Case], T]) -> None:
        self._run = run
        self._pools: list[ThreadPoolExecutor] = []
        self._futures: dict[str, Future[T]] = {}
        self._lock = threading.Lock()

    def start(self, cases: Mapping[str, Case]) -> None:
        """Start these, the longest expected wait first; among equals in the order given."""
        waits = [case.expected_s for case in cases.values() if case.expected_s]
        # Enough that all the waits end about when the longest does, or when the other cases do; more would only start
        # more agents, and to start one costs more than to run a case.
        span_s = max(max(waits, default=1), len(cases) * BUSY_S)
        threads = min(WAITING_THREADS, math.ceil(sum(waits) / span_s)) or 1
        busy = ThreadPoolExecutor(BUSY_THREADS, thread_name_prefix="case")
        waiting = ThreadPoolExecutor(threads, thread_name_prefix="waiting case")
        self._pools += [busy, waiting]
        for key, case in sorted(cases.items(), key=lambda item: -item[1].expected_s):
            with self._lock:
                self._futures[key] = (waiting if case.expected_s else busy).submit(self._run, case)

    def take(self, key: str, case: Case) -> T:
        """The result of a case: of the one started ahead, or of one run now."""
        with self._lock:
            future = self._futures.pop(key, None)
        return self._run(case) if future is None else future.result()

    def untaken(self) -> list[T]:
        """The results of cases that have finished, and whose turn has not come: an early end must not lose them."""
        with self._lock:
            done = [future for future in self._futures.values() if future.done() and not future.cancelled()]
            self._futures.clear()
        return [future.result() for future in done if future.exception() is None]

    def stop(self) -> None:
        """Start no more. What runs goes on until whoever it waits for is ended; `close` waits for that."""
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """Wait for what still runs."""
        for pool in self._pools:
            pool.shutdown(wait=True, cancel_futures=True)


def share(count: int, worker: int, workers: int) -> range:
    """The cases (by index) of one of several workers, told from numbers that both sides of a process boundary know."""
    return range(worker, count, workers)
