# SPDX-License-Identifier: MIT
"""The standard errors of many processes: kept empty by one thread, so that none ever blocks, and their ends kept.

Free text, kept as evidence and never interpreted; whoever starts processes, on the host or in a namespace, uses this.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import threading

STDERR_KEPT_OCTETS = 64 * 1024
_EXIT_GRACE_S = 0.5
"""How long the rest of an ended process's standard error is waited for: a child of its own may hold it open."""


class StderrTail:
    """The last part of what a process wrote to its standard error."""

    def __init__(self, fd: int) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._lock = threading.Lock()
        self._kept = bytearray()
        self._open = True
        self.ended = threading.Event()

    def drain(self) -> bool:
        """Read what is there without waiting; False once there will be no more."""
        with self._lock:
            while self._open:
                try:
                    octets = os.read(self._fd, STDERR_KEPT_OCTETS)
                except BlockingIOError:
                    break
                except OSError:
                    octets = b""
                if not octets:
                    self._open = False
                    self.ended.set()
                    os.close(self._fd)
                self._kept += octets
                del self._kept[:-STDERR_KEPT_OCTETS]
            return self._open

    def close(self) -> None:
        """Read no more."""
        self.drain()
        with self._lock:
            if self._open:
                self._open = False
                os.close(self._fd)

    def text(self, *, process_ended: bool = False) -> str:
        """What has been written so far, its end if it was long; octets that are not UTF-8 are replaced.

        Of a process that has ended, the rest is waited for.
        """
        if process_ended:
            self.ended.wait(_EXIT_GRACE_S)
        self.drain()
        with self._lock:
            return self._kept.decode(errors="replace")


class StderrDrain:
    """One thread that keeps the standard errors of all processes of a topology empty, so that none ever blocks."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake_reader, self._wake_writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(self._wake_reader, selectors.EVENT_READ)
        self._arrived: list[tuple[int, StderrTail]] = []
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="stderr", daemon=True)
        self._thread.start()

    def add(self, fd: int) -> StderrTail:
        """Take over the read end of a pipe."""
        tail = StderrTail(fd)
        # Level-triggered, and a descriptor number may be used again as soon as it is closed: hence a copy to watch.
        with self._lock:
            self._arrived.append((os.dup(fd), tail))
        os.write(self._wake_writer, b"+")
        return tail

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._wake_reader, 4096)
                elif not key.data.drain():
                    self._selector.unregister(key.fd)
                    os.close(key.fd)
            with self._lock:
                arrived, self._arrived = self._arrived, []
                closed = self._closed
            for fd, tail in arrived:
                self._selector.register(fd, selectors.EVENT_READ, tail)
            if closed:
                return

    def close(self) -> None:
        """End the thread."""
        with self._lock:
            self._closed = True
        os.write(self._wake_writer, b".")
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            os.close(key.fd)
        self._selector.close()
        os.close(self._wake_writer)
