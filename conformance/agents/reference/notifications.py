# SPDX-License-Identifier: MIT
"""FD_READ, FD_WRITE and FD_CLOSE: what one registration tells, and when again.

FD_READ is told again after a receive if there is still something to read, FD_WRITE after a send that would have
blocked, FD_CLOSE never: nothing enables it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from conformance.agents.reference.association import QUEUE, Association
from conformance.agents.reference.errors import refused

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import Any

EVENTS = ("FD_READ", "FD_WRITE", "FD_CLOSE")


class Registration:
    """What one call of event_select asked for, and its record (mechanism event) or who is told (message)."""

    def __init__(self, number: int, events: list[str], mechanism: str, tell: Callable[[dict[str, Any]], None]) -> None:
        self.number = number
        self.events = events
        self.mechanism = mechanism
        self.reading = self.writing = True
        """The event may be told (again)."""
        self.close_told = False
        self._tell = tell
        self._record: dict[str, Any] = {}

    def inherited(self, number: int) -> Registration:
        """Return the registration of a socket accepted from this one's."""
        return Registration(number, self.events, self.mechanism, self._tell)

    def update(self, association: Association) -> None:
        """Tell what is to be told in this state."""
        aborted = association.error is not None
        if self.reading and association.readable and not aborted:
            self.reading = False
            self._raise("FD_READ")
        if self.writing and not (aborted or association.released) and association.queued < QUEUE:
            self.writing = False
            self._raise("FD_WRITE")
        if not self.close_told and (aborted or association.at_end) and "FD_CLOSE" in self.events:
            self.close_told = True
            self._raise("FD_CLOSE", association.error)

    def take(self) -> list[dict[str, Any]]:
        """Return and clear the record."""
        record, self._record = self._record, {}
        return [{"type": type, "error": record[type]} for type in EVENTS if type in record]

    def _raise(self, type: str, error: str | None = None) -> None:
        if type not in self.events:
            return
        told = refused(error).value() if error else None
        if self.mechanism == "event":
            self._record[type] = told
        else:
            self._tell({"type": type, "socket": self.number, "error": told, "at": time.time_ns()})
