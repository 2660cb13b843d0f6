# SPDX-License-Identifier: MIT
"""An asyncio loop in a thread of its own, which calls from other threads are handed to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar

from conformance.agents.serving.outcomes import NothingCame, Refused

T = TypeVar("T")

_AT_ONCE_S = 0.001
"""What "only what can be done now" takes at most: a loop finds out what is there by looking, which takes a turn."""


class Loop:
    """Runs from construction on, to the end of the process."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._waiting: set[Future[Any]] = set()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end and return what it returns. Raises Refused if `cancel_all` ended it."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        self._waiting.add(future)
        try:
            return future.result()
        except CancelledError:
            raise Refused("CancelledError", None, "everything is dropped") from None
        finally:
            self._waiting.discard(future)

    def call(self, function: Callable[[], T]) -> T:
        """Call a function in the loop's thread, and return what it returns."""

        async def calling() -> T:
            return function()

        return self.run(calling())

    def cancel_all(self) -> None:
        """End every coroutine that somebody waits for."""
        for future in list(self._waiting):
            future.cancel()


async def within(awaitable: Awaitable[T], wait_ms: int | None) -> T:
    """Wait for so long (None: for ever). Raises NothingCame when the time is over."""
    limit = None if wait_ms is None else max(wait_ms / 1000, _AT_ONCE_S)
    scope = asyncio.timeout(limit)
    try:
        async with scope:
            return await awaitable
    except TimeoutError:
        if scope.expired():
            raise NothingCame from None
        raise
