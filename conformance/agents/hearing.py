# SPDX-License-Identifier: MIT
"""When an agent's lines came: for agents with a clock of their own somebody must be there to hear each of them.

The client reads an agent's lines when its caller waits for something, which may be long after they came. That is no
matter where the agent's own times are used. Where they cannot be, the time at which a line was read stands for them,
and a thread reads all the time.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from typing import Protocol

READ_OCTETS = 1 << 16
KEPT_OCTETS = 64 << 20
"""What is kept for a client that does not take it; then the agent has to wait."""
_LOOK_AGAIN_S = 0.05
"""How often it is looked whether there is room again."""


class Ears(Protocol):
    """Where the client hears its agent: `fd` tells when there is something."""

    fd: int

    def take(self) -> tuple[bytes, int]:
        """What came, empty at the end, and by when (CLOCK_REALTIME, nanoseconds). Raises OSError as os.read does."""

    def close(self) -> None:
        """Hear no more; the channel's own descriptor stays open."""


class ReadOnDemand:
    """Reads when the client does."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def take(self) -> tuple[bytes, int]:
        """Read once."""
        return os.read(self.fd, READ_OCTETS), time.time_ns()

    def close(self) -> None:
        """Nothing to do."""


class ReadAtOnce:
    """Reads in a thread of its own, and writes down when; to be closed before the descriptor it reads from."""

    def __init__(self, source: int) -> None:
        self._source = source
        self._came: deque[tuple[bytes, int]] = deque()
        self._kept = 0
        self._lock = threading.Lock()
        self._stop, self._stopping = os.pipe2(os.O_CLOEXEC)
        # One octet for each entry of `_came`, so that its read end is readable as long as there is something to take.
        self.fd, self._tell = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self.fd, False)
        self._thread = threading.Thread(target=self._run, name="agent's lines", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._stop, select.POLLIN)
        poll.register(self._source, select.POLLIN)
        while self._stop not in dict(poll.poll()):
            try:
                data = os.read(self._source, READ_OCTETS)
            except BlockingIOError:
                continue
            except OSError:
                data = b""  # a control connection that was reset
            at = time.time_ns()
            with self._lock:
                self._came.append((data, at))
                self._kept += len(data)
                full = self._kept > KEPT_OCTETS or len(self._came) > READ_OCTETS // 2  # a pipe holds so many octets
            os.write(self._tell, b".")
            if not data:
                return
            while full and not self._stopped_within(_LOOK_AGAIN_S):
                with self._lock:
                    full = self._kept > KEPT_OCTETS // 2

    def _stopped_within(self, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._stop, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def take(self) -> tuple[bytes, int]:
        """The next that came. At the end it is told again and again."""
        os.read(self.fd, 1)
        with self._lock:
            data, at = self._came.popleft()
            self._kept -= len(data)
        if not data:
            self._came.append((data, at))
            os.write(self._tell, b".")
        return data, at

    def close(self) -> None:
        """End the thread."""
        os.write(self._stopping, b".")
        self._thread.join()
        for fd in (self._stop, self._stopping, self.fd, self._tell):
            os.close(fd)
