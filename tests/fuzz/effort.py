# SPDX-License-Identifier: MIT
"""How much is tried: some seconds with the suite's other tests, and as much as is asked for by a profile.

pytest tests/fuzz                               # what tox does: the same examples each time
pytest tests/fuzz --hypothesis-profile=long     # two hundred times as many, others each time
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from hypothesis import HealthCheck, settings

_USUAL = settings.get_profile("default").max_examples
_CPU_S = 10.0
"""What one input may take of the processor: a thousand times what the slowest sound ones take."""


def examples(count: int) -> settings:
    """Settings with so many examples in the usual profile, and their multiple in another."""
    chosen = settings()
    return settings(
        max_examples=max(1, count * chosen.max_examples // _USUAL),
        derandomize=chosen.max_examples == _USUAL,
        deadline=None,  # the machine may be busy; `promptly` counts what the processor did
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )


@contextlib.contextmanager
def promptly() -> Iterator[None]:
    """Fail for what takes the processor too long."""
    began = time.process_time()
    yield
    took = time.process_time() - began
    assert took < _CPU_S, f"took {took:.1f} s of the processor"
