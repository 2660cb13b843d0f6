# SPDX-License-Identifier: MIT
"""Interrupts that come while a session ends: it has something to write, and does that first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from types import FrameType

import pytest

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class LastWords:
    """Lets the end of the session go on when it is interrupted for the first time; the interrupt is raised after it.

    Whoever interrupts it once more does not want to wait, and is heard at once.
    """

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None, object, object]:
        """Hold back what would be a KeyboardInterrupt."""
        heard: list[int] = []

        def hold_back(number: int, frame: FrameType | None) -> None:
            if heard:
                raise KeyboardInterrupt
            heard.append(number)

        numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
        here = threading.current_thread() is threading.main_thread()
        interrupting = [n for n in numbers if here and signal.getsignal(n) is signal.default_int_handler]
        for number in interrupting:
            signal.signal(number, hold_back)
        try:
            result = yield
        finally:
            for number in interrupting:
                signal.signal(number, signal.default_int_handler)
        if heard:
            raise KeyboardInterrupt
        return result
