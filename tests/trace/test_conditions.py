# SPDX-License-Identifier: MIT
"""One vocabulary for the error names of all implementations."""

from __future__ import annotations

import pytest

from conformance.trace.conditions import Condition, canonical
from conformance.trace.events import ErrorValue


@pytest.mark.parametrize("condition", [c for c in Condition if c is not Condition.OTHER])
def test_every_condition_is_known_by_its_own_name_and_by_winsocks(condition: Condition) -> None:
    assert canonical(ErrorValue(str(condition))) is condition
    assert canonical(ErrorValue(f"WSA{condition}")) is condition


@pytest.mark.parametrize(
    ("name", "condition"),
    [
        ("EAGAIN", Condition.EWOULDBLOCK),
        ("EBADF", Condition.ENOTSOCK),
        ("WSAEBADF", Condition.ENOTSOCK),
        ("ENOTSUP", Condition.EOPNOTSUPP),
        ("WSA_OPERATION_ABORTED", Condition.ECANCELED),
        ("ERROR_OPERATION_ABORTED", Condition.ECANCELED),
        ("ERROR_NETNAME_DELETED", Condition.ECONNRESET),
        ("ERROR_CONNECTION_ABORTED", Condition.ECONNABORTED),
        ("ERROR_GRACEFUL_DISCONNECT", Condition.EDISCON),
        ("BrokenPipeError", Condition.EPIPE),
        ("ConnectionAbortedError", Condition.ECONNABORTED),
        ("ConnectionResetError", Condition.ECONNRESET),
        ("TimeoutError", Condition.ETIMEDOUT),
    ],
)
def test_other_names_for_the_same(name: str, condition: Condition) -> None:
    assert canonical(ErrorValue(name)) is condition


@pytest.mark.parametrize("name", ["", "OTHER", "WSA", "EWEIRD", "econnreset", "ECONNRESET ", "NETNAME_DELETED", "104"])
def test_what_is_not_known_equals_nothing(name: str) -> None:
    assert canonical(ErrorValue(name)) is Condition.OTHER


def test_the_name_counts_and_not_the_number() -> None:
    assert canonical(ErrorValue("EWEIRD", code=104, detail="ECONNRESET")) is Condition.OTHER
    assert canonical(ErrorValue("ECONNRESET", code=-1)) is Condition.ECONNRESET
