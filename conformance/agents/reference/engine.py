# SPDX-License-Identifier: MIT
"""The one thread that waits for all TCP connections of the agent, and the lock under which everything happens.

Calls make changes in their own threads, under `lock`, and wait for others by `changed`; the engine's thread takes the
same lock for what TCP brings. epoll lets either change what the other waits for.
"""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import Protocol

    class Served(Protocol):
        """What the engine serves."""

        def ready(self) -> None:
            """Do what can be done now; called under the lock, perhaps for nothing."""
            ...


class Engine:
    """Serves by descriptor. `served` changes under the lock only."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)
        self.served: dict[int, Served] = {}
        self._epoll = select.epoll()
        self._running = False

    def add(self, fd: int, served: Served, events: int) -> None:
        """Serve a descriptor from now on."""
        self.served[fd] = served
        self._epoll.register(fd, events)
        if not self._running:
            self._running = True
            threading.Thread(target=self._run, daemon=True).start()

    def watch(self, fd: int, events: int) -> None:
        """Change what is waited for."""
        self._epoll.modify(fd, events)

    def remove(self, fd: int) -> None:
        """Serve a descriptor no more; to be called before it is closed."""
        del self.served[fd]
        self._epoll.unregister(fd)

    def wait(self, until: Callable[[], bool], seconds: float | None) -> bool:
        """Wait under the lock, which is released meanwhile, for a change that makes this true; False if it is not."""
        return self.changed.wait_for(until, seconds)

    def _run(self) -> None:
        try:
            while True:
                ready = self._epoll.poll()
                with self.lock:
                    for fd, _ in ready:
                        if served := self.served.get(fd):
                            served.ready()
        except BaseException:
            # Without this thread nothing goes on: a death is at least not taken for an answer of the implementation.
            import traceback

            traceback.print_exc(file=sys.stderr)
            sys.stderr.flush()
            os._exit(1)
