# SPDX-License-Identifier: MIT
"""What an agent has said by the end of a wait is in the trace: silence is claimed of nobody who has spoken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from conformance.agents.client import Agent
from conformance.agents.protocol import CompletionNotice, EventNotice
from conformance.execution.calling import Limits
from conformance.execution.endpoint import Endpoint
from conformance.execution.recorder import Recorder
from conformance.trace.events import Completed, End, Indicated

Notice = EventNotice | CompletionNotice


class Speaker:
    """An agent of which notices have been read, and others still lie in its pipe, a few to each reading."""

    has_foreign_clock = False

    def __init__(self, read: Sequence[Notice], unread: Sequence[Sequence[Notice]], *, alive: bool = True) -> None:
        self.read, self.unread, self.alive = list(read), list(unread), alive

    def take_dated_notices(self) -> list[tuple[Notice, int]]:
        taken, self.read = self.read, []
        return [(notice, 0) for notice in taken]

    def wait_notice(self, timeout_s: float) -> bool:
        assert timeout_s == 0
        if not self.read and self.unread:
            self.read += self.unread.pop(0)
        return bool(self.read)


def closing(n: int) -> EventNotice:
    return EventNotice(n=n, type="FD_CLOSE", at=n, socket=1, error=None)


def completing(n: int, token: str, result: dict[str, Any] | None = None) -> CompletionNotice:
    return CompletionNotice(n=n, token=token, at=n, mechanism="port", result=result or {"length": 1, "data": "AA=="})


def endpoint_of(speaker: Speaker) -> Endpoint:
    return Endpoint(End.IUT, cast(Agent, speaker), Recorder(), Limits(settle_ms=30, prompt_ms=1000), "stream")


@pytest.mark.parametrize("unread", [[[closing(2), closing(3)]], [[closing(2)], [closing(3)]]])
def test_looking_reads_all_that_was_said(unread: list[list[Notice]]) -> None:
    endpoint = endpoint_of(Speaker([closing(1)], unread))
    endpoint.take_notices()
    assert len(endpoint.recorder.events) == 1  # what was read, and no more
    endpoint.look()
    assert [event.at for event in endpoint.recorder.events if isinstance(event, Indicated)] == [1, 2, 3]


def test_the_dead_are_not_asked() -> None:
    endpoint = endpoint_of(Speaker([closing(1)], [[closing(2)]], alive=False))
    endpoint.look()
    assert len(endpoint.recorder.events) == 1


def test_completions_of_sends_are_no_messages_received() -> None:
    endpoint = endpoint_of(Speaker([completing(1, "r1"), completing(2, "r2", {"length": 5})], []))
    endpoint._sends_posted.add("r2")
    endpoint.look()
    assert endpoint.received == 1
    assert [event.token for event in endpoint.recorder.events if isinstance(event, Completed)] == ["r1", "r2"]
