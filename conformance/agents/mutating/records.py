# SPDX-License-Identifier: MIT
"""The records of sockets that are registered for network events by the mechanism `event`, as a mutant leaves them.

What a filter makes of an entry, and each event that it makes for such a socket, is told when that socket's record is
read; what it delays, when it is read after that time.
"""

from __future__ import annotations

import time

from conformance.agents.mutating.messages import Event, Memory, Message, Reply, Request

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_READS = ("enum_events", "event_select")  # an agent may hand over what a new registration clears


class Records:
    """The records of one agent's sockets, until the case ends."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._kept: dict[int | None, list[tuple[float, dict[str, Any]]]] = {}

    def take_registration(self, request: Request) -> None:
        """Know how a socket's events are told from now on."""
        if request.op == "event_select":
            recording = request.get("mechanism", "event") == "event" and bool(request.get("events"))
            (self._memory.recording.add if recording else self._memory.recording.discard)(request.socket)

    def keep(self, event: Event) -> None:
        """Put an event into the record of its socket."""
        entry = {name: value for name, value in event.body["event"].items() if name not in ("socket", "at")}
        self._kept.setdefault(event.socket, []).append((time.monotonic() + event.delay_ms / 1000, entry))

    def read(self, reply: Reply, change: Callable[[Message], list[Message]]) -> Reply:
        """What the reading of a record tells, each entry changed; the reply itself where nothing is."""
        entries = (reply.result or {}).get("events", []) if reply.op in _READS else None
        if entries is None or reply.result is None:
            return reply
        for entry in entries:
            event = Event({"event": {**entry, "socket": reply.socket}}, self._memory, recorded=True)
            for changed in change(event):
                assert isinstance(changed, Event)
                self.keep(changed)
        now, kept = time.monotonic(), self._kept.pop(reply.socket, [])
        self._kept[reply.socket] = [each for each in kept if each[0] > now]
        told = [entry for due, entry in kept if due <= now]
        return reply if told == entries else reply.as_result(**{**reply.result, "events": told})
