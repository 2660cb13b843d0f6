# SPDX-License-Identifier: MIT
"""Jobs in threads: what is asked next is answered after the job before it was begun."""

from __future__ import annotations

import sys
import threading

from conformance.agents.serving.workers import Workers


def test_a_job_has_begun_when_it_was_handed_over() -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1.0)  # as if the machine had other things to do than to run a new thread
    begun: list[int] = []
    go_on = threading.Event()

    def job(number: int) -> None:
        begun.append(number)
        go_on.wait(10)

    try:
        workers = Workers()
        for number in range(5):
            workers.run(lambda number=number: job(number))  # type: ignore[misc]
            assert begun == list(range(number + 1))
    finally:
        sys.setswitchinterval(interval)
        go_on.set()
