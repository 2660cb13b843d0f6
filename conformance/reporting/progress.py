# SPDX-License-Identifier: MIT
"""What is shown while the cases run: a bar on a terminal, a few plain lines anywhere else. Everything on stderr."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from conformance.oracle.verdicts import Verdict
from conformance.reporting.text import clean_lines, several

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

BAD = (Verdict.FAIL, Verdict.ERROR)
_STEPS = 10
"""Plain lines that tell of progress, besides the first, the last, and one for each failure."""


class Progress:
    """Progress of one run. `file` is standard error unless another is given."""

    def __init__(
        self, console_is_terminal: bool, *, file: IO[str] | None = None, noun: str = "case", bad: str = "bad"
    ) -> None:
        self._noun, self._bad_word = noun, bad
        self._own = _own_stderr() if file is None else None
        self._file = file or self._own or sys.stderr
        self._bar = _bar(self._file) if console_is_terminal else None
        self._task: TaskID | None = None
        self._total = self._done = self._bad = 0
        self._began = time.monotonic()
        self._started = self._closed = False

    def start(self, total: int) -> None:
        """So many cases are to come."""
        self._total, self._began, self._started = total, time.monotonic(), True
        if self._bar is not None:
            self._task = self._bar.add_task("cases", total=total, bad="")
            self._bar.start()
        else:
            self._say(f"running {several(total, self._noun)}")

    def finished(
        self, case_id: str, provider: str, verdict: Verdict | str, seconds: float, *, excused: bool = False
    ) -> None:
        """One more case is done; `seconds` is what it took. What is excused is not counted as bad."""
        bad = Verdict(verdict) in BAD and not excused
        self.advance(f"{verdict}: {case_id} ({provider}, {seconds:.1f} s)" if bad else "")

    def advance(self, complaint: str = "") -> None:
        """One more is done; `complaint` says what is bad about it, if anything."""
        self._done += 1
        self._bad += bool(complaint)
        if complaint:
            self.message(complaint)
        if self._bar is not None and self._task is not None:
            bad = f"{self._bad} {self._bad_word}" if self._bad else ""
            self._bar.update(self._task, completed=self._done, bad=bad)
        elif self._done < self._total and self._done * _STEPS // self._total > (self._done - 1) * _STEPS // self._total:
            self._say(f"{self._done} of {self._total}, {self._bad} {self._bad_word}, {self._elapsed()}")

    def message(self, text: str) -> None:
        """Say something without disturbing the bar."""
        for line in clean_lines(text):
            if self._bar is not None and self._task is not None:
                self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
            else:
                self._say(line)

    def close(self) -> None:
        """The run is over, or was cut short."""
        if self._closed:
            return
        self._closed = True
        if self._bar is not None:
            self._bar.stop()
        if self._started:
            ran = f"ran {self._done} of {several(self._total, self._noun)}"
            self._say(f"{ran} in {self._elapsed()}, {self._bad} {self._bad_word}")
        if self._own is not None:
            self._own.close()

    def _say(self, text: str) -> None:
        print(text, file=self._file, flush=True)

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self._began:.1f} s"


@contextlib.contextmanager
def told_if_slow(text: str, *, after_s: float = 1.0) -> Iterator[None]:
    """Say on standard error what is being done, if it takes longer than `after_s` seconds."""
    timer = threading.Timer(after_s, print, [text], {"file": sys.stderr, "flush": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _own_stderr() -> IO[str] | None:
    """A standard error of one's own: pytest takes descriptor 2 away while a case runs. None where there is none."""
    try:
        return os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding=sys.stderr.encoding, errors="backslashreplace")
    except (OSError, ValueError):
        return None


def _bar(file: IO[str]) -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    return Bar(
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("[red]{task.fields[bad]}"),
        TimeElapsedColumn(),
        console=Console(file=file, force_terminal=True),
        transient=True,
    )
