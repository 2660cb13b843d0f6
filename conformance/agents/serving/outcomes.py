# SPDX-License-Identifier: MIT
"""How one call ended: its times, its error by name, and the endings that are not the implementation's answer."""

from __future__ import annotations

import binascii
import errno
import os
import time
from collections.abc import Callable

from conformance.trace.pattern import pattern

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import Any, TypeVar

    _T = TypeVar("_T")


class NothingCame(Exception):
    """The call ended because its time was over."""


class Unsupported(Exception):
    """There is no such operation, mode or option here."""


class Refused(Exception):
    """The implementation answered with an error of its own: its symbolic name, its number if it has one, free text."""

    def __init__(self, name: str, code: int | None = None, detail: str = "") -> None:
        super().__init__(name)
        self.name = name
        self.code = code
        self.detail = detail

    def value(self) -> dict[str, Any]:
        """Return it as the protocol's error object."""
        return {"name": self.name, "code": self.code, "detail": self.detail}


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


def outcome(call: Call, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Have a call made, and return the reply but for its id."""
    try:
        return {"result": make(), "call": call.times()}
    except NothingCame:
        return {"timeout": True, "call": call.times()}
    except Unsupported as error:
        return {"unsupported": str(error)}
    except Refused as error:
        return {"error": error.value(), "call": call.times()}
    except OSError as error:
        if error.errno is not None and error.errno > 0:
            return {"error": error_value(error.errno), "call": call.times()}
        return {"failure": f"{type(error).__name__}: {error}"}
    except Exception as error:
        return {"failure": f"{type(error).__name__}: {error}"}


def error_value(code: int) -> dict[str, Any]:
    """Return an errno by its symbol, number and text."""
    return {"name": errno.errorcode.get(code, f"errno {code}"), "code": code, "detail": os.strerror(code)}


def octets(data: str | None, bulk: dict[str, int] | None) -> bytes:
    """Return what a `send` is to send: `data` in base64, or a `pattern`; exactly one of the two."""
    if (data is None) == (bulk is None):
        raise ValueError("`send` takes `data` or `pattern`, one of the two")
    if bulk is not None:
        return pattern(bulk["seed"], bulk["length"])
    assert data is not None
    return binascii.a2b_base64(data, strict_mode=True)


def received(data: bytes, *, digest: bool = False, partial: bool = False) -> dict[str, Any]:
    """Return the result of a receive: `data` in base64, or its `sha256`; `partial` where a message was cut."""
    result: dict[str, Any] = {"length": len(data)}
    if digest:
        from hashlib import sha256  # here, because it takes a tenth of the start-up time

        result["sha256"] = sha256(data).hexdigest()
    else:
        result["data"] = binascii.b2a_base64(data, newline=False).decode()
    if partial:
        result["partial"] = True
    return result
