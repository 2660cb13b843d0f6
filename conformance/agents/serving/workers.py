# SPDX-License-Identifier: MIT
"""Threads for calls that block: reused, made only when all others are busy, and woken when everything is dropped."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from queue import SimpleQueue

_WAKING_INTERVAL_S = 0.005
_WAKING_LIMIT_S = 1.0


class Workers:
    """Runs jobs at once, each in a thread of its own."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Callable[[], None], threading.Lock]] = SimpleQueue()
        self._changed = threading.Condition()
        self._idle = 0
        self._running = 0
        self._busy: set[int] = set()
        # Only so that a blocked system call returns EINTR. Python makes the call again; on a descriptor that has been
        # closed meanwhile it then ends with EBADF.
        signal.signal(signal.SIGUSR1, lambda *_: None)

    def run(self, job: Callable[[], None]) -> None:
        """Start `job` in a thread; it must not raise, and has begun when this returns.

        So what an agent is asked next is answered after the call before it was entered, however busy the machine is.
        """
        begun = threading.Lock()
        begun.acquire()
        with self._changed:
            self._running += 1
            if self._idle:
                self._idle -= 1
            else:
                threading.Thread(target=self._work, daemon=True).start()
        self._jobs.put((job, begun))
        begun.acquire()

    def wake(self, close_all: Callable[[], None]) -> bool:
        """Close what calls block on, interrupt them, and wait until they have returned; False if not within 1 s."""
        with self._changed:
            for _ in range(int(_WAKING_LIMIT_S / _WAKING_INTERVAL_S)):
                close_all()
                for thread in self._busy:
                    signal.pthread_kill(thread, signal.SIGUSR1)
                if self._changed.wait_for(lambda: not self._running, _WAKING_INTERVAL_S):
                    return True
        return False

    def _work(self) -> None:
        me = threading.get_ident()
        while True:
            job, begun = self._jobs.get()
            with self._changed:
                self._busy.add(me)
            begun.release()
            job()
            with self._changed:
                self._busy.discard(me)
                self._running -= 1
                self._idle += 1
                self._changed.notify_all()
