# SPDX-License-Identifier: MIT
"""What each receive told of the incoming direction: by its return, or by its completion where it was posted."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from conformance.trace.conditions import Condition, canonical
from conformance.trace.events import Completed, ErrorValue, Outcome

if TYPE_CHECKING:
    from conformance.trace.operations import Operation


class What(StrEnum):
    """What a receive told."""

    DATA = "DATA"
    ZERO_BYTES = "ZERO_BYTES"
    ERROR = "ERROR"
    WOULD_BLOCK = "EWOULDBLOCK"
    NOTHING = "NOTHING"
    """It waited for its whole `wait_ms`, and nothing came."""


@dataclass(frozen=True)
class Report:
    """What one receive told of the incoming direction: asked at `asked`, told at `at` (nanoseconds)."""

    what: What
    asked: int
    at: int
    events: tuple[int, ...]
    length: int = 0
    error: ErrorValue | None = None
    content: bytes | None = field(default=None, repr=False)
    sha256: str | None = None
    peek: bool = False
    partial: bool = False
    posted: bool = False
    mechanism: str = ""
    """What told it, of a receive that was posted: event, routine, port…"""
    waited_ms: int = 0

    @cached_property
    def condition(self) -> Condition | None:
        """The canonical condition of the error, if it told one."""
        return canonical(self.error) if self.error else None

    @property
    def told(self) -> str:
        """The outcome in the vocabulary of the catalogue: DATA, ZERO_BYTES, ECONNRESET, …"""
        return str(self.condition) if self.what is What.ERROR else str(self.what)

    @property
    def seen(self) -> str:
        """What it told, in words and in the implementation's own terms."""
        call = "a posted receive" if self.posted else "a peek" if self.peek else "recv"
        match self.what:
            case What.DATA:
                return f"{call} returned {self.length} bytes"
            case What.ZERO_BYTES:
                return f"{call} returned 0 bytes"
            case What.ERROR:
                return f"{call} failed with {self.error.name if self.error else '?'}"
            case What.WOULD_BLOCK:
                return f"{call} would have blocked"
            case What.NOTHING:
                return f"{call} waited {self.waited_ms} ms for nothing"

    @property
    def is_final(self) -> bool:
        """It speaks of an end: zero bytes or an error, not data and not "nothing yet"."""
        return self.what in (What.ZERO_BYTES, What.ERROR)

    def carries(self, expected: bytes) -> bool:
        """The bytes that it told are exactly these."""
        if self.content is not None:
            return self.content == expected
        return self.sha256 == hashlib.sha256(expected).hexdigest()


def reports_of(operations: Iterable[Operation], completions: Mapping[str, Completed]) -> Iterator[Report]:
    """What each receive told that was made or posted, but those of no length, in the order of the operations."""
    for operation in operations:
        if operation.op == "recv" and operation.returned is not None and operation.arguments.get("length") != 0:
            if (report := _report_of_call(operation)) is not None:
                yield report
        elif operation.op == "post_recv" and operation.succeeded:
            completion = completions.get(str(operation.result.get("token")))
            if completion is not None and operation.arguments.get("length") != 0:
                yield _report_of_completion(operation, completion)


def _report_of_call(operation: Operation) -> Report | None:
    assert operation.returned is not None
    common: dict[str, Any] = {
        "asked": operation.entered,
        "at": operation.returned,
        "events": operation.events,
        "peek": "PEEK" in operation.arguments.get("flags", ()),
        "waited_ms": int(operation.arguments.get("wait_ms", 0)),
    }
    match operation.outcome:
        case Outcome.RESULT:
            return _report_of_result(operation.result, common)
        case Outcome.ERROR if operation.condition is Condition.EWOULDBLOCK:
            return Report(What.WOULD_BLOCK, **common)
        case Outcome.ERROR:
            return Report(What.ERROR, error=operation.error, **common)
        case Outcome.TIMEOUT:
            return Report(What.NOTHING, **common)
        case _:
            return None


def _report_of_completion(posted: Operation, completion: Completed) -> Report:
    common: dict[str, Any] = {
        "asked": posted.entered,
        "at": completion.at,
        "events": (*posted.events, completion.n),
        "posted": True,
        "mechanism": completion.mechanism,
    }
    if completion.error is not None:
        return Report(What.ERROR, error=completion.error, **common)
    return _report_of_result(completion.result or {}, common)


def _report_of_result(result: dict[str, Any], common: dict[str, Any]) -> Report:
    length = int(result.get("length", 0))
    return Report(
        What.DATA if length else What.ZERO_BYTES,
        length=length,
        content=base64.b64decode(result["data"]) if result.get("data") is not None else None,
        sha256=result.get("sha256"),
        partial=bool(result.get("partial")),
        **common,
    )
