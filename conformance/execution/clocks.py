# SPDX-License-Identifier: MIT
"""Whether somebody set the clock of this machine while a case ran: then the times in its trace say nothing.

Calls, notices and packets are ordered by CLOCK_REALTIME, which an administrator, a time daemon that steps, or the end
of a suspension may set. CLOCK_MONOTONIC goes on through all of that, and is slewed with it (clock_gettime(2)), so the
difference of the two changes when the clock is set, and only then.
"""

from __future__ import annotations

import time

STEP_NS = 1_000_000
"""A difference below this is a matter of reading two clocks one after the other."""
_READINGS = 5


def difference_ns() -> int:
    """CLOCK_REALTIME less CLOCK_MONOTONIC, from the reading that was disturbed least."""
    readings = []
    for _ in range(_READINGS):
        before, real, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        readings.append((after - before, real - (before + after) // 2))
    return min(readings)[1]


def set_meanwhile(before_ns: int, after_ns: int) -> str:
    """Why the times between two differences are not to be relied on; empty where the clock was left alone."""
    step = after_ns - before_ns
    if abs(step) < STEP_NS:
        return ""
    direction = "forward" if step > 0 else "back"
    return f"the clock of this machine was set {direction} by {abs(step) / 1e9:.3f} s while the case ran: run it again"
