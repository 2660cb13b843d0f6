# SPDX-License-Identifier: MIT
"""Work done in children of this process, some at a time, within limits: what they break goes with them."""

from __future__ import annotations

import os
import resource
import select
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Generic, NoReturn, TypeVar

NO_END = "no end"
"""What the answer of a child begins with that was at its limits, or ended without one."""
_BYTES = 8 << 30
_PATIENCE = 15
"""How many times its processor time a child may take by the clock: others want the processor too."""
_LONGEST = 4096
K = TypeVar("K")
Work = Callable[[], str]


@dataclass(frozen=True)
class _Child(Generic[K]):
    key: K
    pid: int
    reading: int
    until: float


def in_children(works: Iterable[tuple[K, Work]], *, jobs: int, cpu_s: int) -> Iterator[tuple[K, str]]:
    """What each work returned, as they end; `NO_END…` for one that did not within so much processor time.

    A work is taken from `works` only when there is a child for it, so that it may depend on what was told before.
    """
    waiting, running = iter(works), dict[int, _Child[K]]()
    try:
        while True:
            for key, work in islice(waiting, jobs - len(running)):
                child = _started(key, work, cpu_s)
                running[child.reading] = child
            if not running:
                return
            for child in _ended(running):
                yield child.key, _answer(running.pop(child.reading))
    finally:
        for child in running.values():
            _answer(child, kill=True)


def _ended(running: dict[int, _Child[K]]) -> list[_Child[K]]:
    """Those that have answered; the ones whose time is up are ended."""
    soonest = min(child.until for child in running.values())
    ready = select.select([*running], [], [], max(0, soonest - time.monotonic()))[0]
    for child in running.values():
        if child.until <= time.monotonic() and child.reading not in ready:
            os.kill(child.pid, signal.SIGKILL)
    return [running[reading] for reading in ready]


def _started(key: K, work: Work, cpu_s: int) -> _Child[K]:
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        _do(work, writing, cpu_s)
    os.close(writing)
    return _Child(key, pid, reading, time.monotonic() + _PATIENCE * cpu_s)


def _answer(child: _Child[K], *, kill: bool = False) -> str:
    if kill:
        os.kill(child.pid, signal.SIGKILL)
    told = os.read(child.reading, _LONGEST).decode(errors="replace")
    os.close(child.reading)
    status = os.waitpid(child.pid, 0)[1]
    return told.removeprefix("=") if told.startswith("=") and not status else f"{NO_END} within its limits ({status})"


def _do(work: Work, writing: int, cpu_s: int) -> NoReturn:
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
        resource.setrlimit(resource.RLIMIT_AS, (_BYTES, _BYTES))
        try:
            told = work()
        except BaseException as error:  # whatever it is, the mutant brought it about, and this child must not go on
            told = f"{type(error).__name__}: {error}"
        os.write(writing, f"={told}".encode(errors="replace")[:_LONGEST])
        status = 0
    finally:
        os._exit(status)
