# SPDX-License-Identifier: MIT
"""How one call ended: its times, its error by name, and the two endings that are not the implementation's answer."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import Any, TypeVar

    _T = TypeVar("_T")


class NothingCame(Exception):
    """The call ended because its time was over."""


class Unsupported(Exception):
    """There is no such operation, mode or option here."""


class Call:
    """The times of entry and return of the one call that an operation makes, nanoseconds since 1970-01-01 UTC."""

    entered = 0
    returned = 0

    def timed(self, function: Callable[[], _T]) -> _T:
        """Call `function`, taking the times directly before and after."""
        self.entered = time.time_ns()
        try:
            return function()
        finally:
            self.returned = time.time_ns()

    def times(self) -> list[int]:
        """Return the times; one that has not come yet is the present."""
        entered, returned = self.entered, self.returned  # first: another thread may be about to set them
        now = time.time_ns()
        return [entered or now, returned or now]


def error_value(code: int) -> dict[str, Any]:
    """Return an errno by its symbol, number and text."""
    return {"name": errno.errorcode.get(code, f"errno {code}"), "code": code, "detail": os.strerror(code)}
