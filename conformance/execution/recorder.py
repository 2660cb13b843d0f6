# SPDX-License-Identifier: MIT
"""The recorder of one case: takes events as they come; the order is made when the trace is."""

from __future__ import annotations

import time
from typing import Any

from conformance.trace.events import End, Event, Noted


class Recorder:
    """Collects the events of one case, in one thread."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def add(self, event: Event) -> None:
        """Keep an event."""
        self.events.append(event)

    def note(self, what: str, end: End | None = None, **details: Any) -> None:
        """Write down what the harness itself did or found, now."""
        self.add(Noted(at=time.time_ns(), what=what, end=end, details=details))
