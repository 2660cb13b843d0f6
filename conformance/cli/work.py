# SPDX-License-Identifier: MIT
"""Long work of a command: how far it is, on standard error, and that every way of ending it early tidies up."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_EVERY_S = 5.0


@contextlib.contextmanager
def ended_like_ctrl_c() -> Iterator[None]:
    """SIGTERM and SIGHUP end the work in good order meanwhile; a signal that is ignored (nohup) stays so."""
    before = {}
    for name in ("SIGTERM", "SIGHUP"):  # not every system has both
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Steps:
    """Tells of the steps of some work: a bar on a terminal; elsewhere a line as each begins, and one every 5 s."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._what = ""
        self._said_at = 0.0

    def __enter__(self) -> Steps:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        """So much of the step `what` is done; a total of 0 is one that is not known."""
        new, self._what = what != self._what, what
        if self._bar is not None:
            if new and self._task is not None:
                self._bar.remove_task(self._task)
            if new or self._task is None:
                self._task = self._bar.add_task(what, total=total or None)
            self._bar.update(self._task, completed=done)
        elif new or time.monotonic() - self._said_at > _EVERY_S:
            self._said_at = time.monotonic()
            print(f"{what} …" if new else f"{what}: {done} of {total}", file=sys.stderr, flush=True)
