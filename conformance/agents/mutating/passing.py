# SPDX-License-Identifier: MIT
"""Passes the lines of a conversation on, both ways in one thread, so that neither side ever waits for the other."""

from __future__ import annotations

import heapq
import os
import select
import time

from conformance.agents.mutating.conversation import Mutated
from conformance.agents.mutating.mutants import Mutant

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK_OCTETS = 1 << 16


class Passing:
    """The suite at one side (`heard`, `telling`), the sound agent at the other (`asking`, `answering`): descriptors."""

    def __init__(self, mutant: Mutant, heard: int, telling: int, asking: int, answering: int) -> None:
        self._asking, self._answering, self._heard = asking, answering, heard
        self._unwritten = {asking: bytearray(), telling: bytearray()}
        self._unread = {heard: bytearray(), answering: bytearray()}
        self._late: list[tuple[float, int, Callable[[], None]]] = []
        self._delays = 0
        self._poll = select.poll()
        for fd in (heard, answering):
            self._poll.register(fd, select.POLLIN)
        for fd in (asking, telling):
            os.set_blocking(fd, False)
        told, asked = self._unwritten[telling], self._unwritten[asking]
        mutated = Mutated(mutant, lambda line: asked.extend(line), lambda line: told.extend(line), self._delay)
        self._take = {heard: mutated.take_request, answering: mutated.take_answer}

    def run(self) -> None:
        """Go on until the sound agent has said its last. Raises BrokenPipeError where the suite no longer listens."""
        while self._answering in self._unread or any(self._unwritten.values()):
            if self._heard not in self._unread and not self._unwritten.get(self._asking, b"."):
                del self._unwritten[self._asking]
                os.close(self._asking)  # the suite has hung up: so do we
            for fd, _ in self._poll.poll(self._until_the_next_ms()):
                if fd in self._unread:
                    self._read(fd)
                else:
                    self._poll.unregister(fd)
            while self._late and self._late[0][0] <= time.monotonic():
                heapq.heappop(self._late)[2]()
            for fd, unwritten in list(self._unwritten.items()):
                self._write(fd, unwritten)

    def _read(self, fd: int) -> None:
        data = os.read(fd, _CHUNK_OCTETS)
        if not data:
            self._poll.unregister(fd)
            del self._unread[fd]
            return
        unread = self._unread[fd]
        unread += data
        if b"\n" in data:
            *lines, rest = bytes(unread).split(b"\n")
            unread[:] = rest
            for line in lines:
                self._take[fd](line + b"\n")

    def _write(self, fd: int, unwritten: bytearray) -> None:
        """Write what can be written now; the rest waits until the other side reads."""
        try:
            while unwritten:
                del unwritten[: os.write(fd, unwritten)]
        except BlockingIOError:
            self._poll.register(fd, select.POLLOUT)
        except BrokenPipeError:
            if fd != self._asking:
                raise
            unwritten.clear()  # the sound agent has ended: what it said last is still passed on

    def _delay(self, ms: int, do: Callable[[], None]) -> None:
        self._delays += 1
        heapq.heappush(self._late, (time.monotonic() + ms / 1000, self._delays, do))

    def _until_the_next_ms(self) -> float | None:
        return max(0.0, self._late[0][0] - time.monotonic()) * 1000 if self._late else None
