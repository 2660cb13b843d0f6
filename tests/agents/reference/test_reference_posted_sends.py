# SPDX-License-Identifier: MIT
"""Posted sends of the reference provider, and what it cannot be asked for."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.agents.protocol import CompletionNotice, Reply
from conformance.trace.events import Outcome
from tests.agents.reference.ends import LONG_MS, SHUTDOWN, End, error

Ends = tuple[End, End]
MUCH = 1 << 20


def post(end: End, length: int) -> str:
    return str(end.do("post_send", pattern={"seed": 0, "length": length})["token"])


def completions(end: End, count: int) -> dict[str, dict[str, Any] | str]:
    """What the next so many completions tell: results, or the names of errors, by their tokens."""
    told: dict[str, dict[str, Any] | str] = {}
    while len(told) < count:
        assert end.agent.wait_notice(30)
        for notice in end.agent.take_notices():
            assert isinstance(notice, CompletionNotice) and notice.mechanism == "event"
            told[notice.token] = notice.error.name if notice.error else notice.result or {}
    return told


def read_all(end: End, length: int) -> None:
    while length > 0:
        got: Reply = end("recv", length=MUCH, wait_ms=LONG_MS, digest=True)
        assert got.result is not None
        assert got.result["length"], f"an end with {length} octets to come"
        length -= int(got.result["length"])


def test_a_posted_send_completes(ends: Ends) -> None:
    here, there = ends
    token = post(here, 100)
    assert completions(here, 1) == {token: {"length": 100}}
    read_all(there, 100)


def test_posted_sends_wait_for_the_reader_and_come_before_the_end(ends: Ends) -> None:
    here, there = ends
    tokens = [post(here, MUCH) for _ in range(6)]
    here.do("shutdown", how="send")
    here.do("names")
    assert len([n for n in here.agent.take_notices() if isinstance(n, CompletionNotice)]) < len(tokens)
    read_all(there, len(tokens) * MUCH)
    assert there.at_end(there.recv())


def test_posted_sends_fail_with_the_connection(ends: Ends) -> None:
    here, there = ends
    tokens = [post(here, MUCH) for _ in range(6)]
    there.do("set_linger", on=True, seconds=0)
    there.do("close", wait_ms=LONG_MS)
    told = completions(here, len(tokens))
    assert set(told) == set(tokens) and told[tokens[-1]] == "WSAECONNRESET"


def test_an_own_close_aborts_posted_sends(ends: Ends) -> None:
    here, there = ends
    tokens = [post(here, MUCH) for _ in range(6)]
    here.do("close", wait_ms=0)
    assert completions(here, len(tokens))[tokens[-1]] == "WSA_OPERATION_ABORTED"
    read_all(there, len(tokens) * MUCH)  # what was taken is sent all the same
    assert there.at_end(there.recv())


def test_what_cannot_be_posted_completes_nothing(ends: Ends) -> None:
    here, _ = ends
    first = post(here, 1)
    completions(here, 1)
    here.do("shutdown", how="send")
    assert error(here("post_send", data=b"x")) == SHUTDOWN
    here.do("names")
    assert here.agent.take_notices() == []
    number = int(first.removeprefix("r"))
    assert here.do("post_recv", length=1)["token"] == f"r{number + 2}"  # the one that failed was counted


@pytest.mark.parametrize("mechanism", ["routine", "port"])
@pytest.mark.parametrize("op", ["post_recv", "post_send"])
def test_mechanisms_that_are_not_there(ends: Ends, op: str, mechanism: str) -> None:
    here, _ = ends
    what: dict[str, Any] = {"length": 1} if op == "post_recv" else {"data": b"x"}
    assert here(op, mechanism=mechanism, **what).outcome is Outcome.UNSUPPORTED
    assert here(op, mechanism="event", **what).outcome is Outcome.RESULT


def test_a_buffer_that_cannot_be_read_is_none_of_its(ends: Ends) -> None:
    here, there = ends
    assert here("send_disconnect", unreadable=True).outcome is Outcome.UNSUPPORTED
    there.send(b"data")
    assert here.data() == b"data"
