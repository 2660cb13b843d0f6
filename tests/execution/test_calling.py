# SPDX-License-Identifier: MIT
"""What an agent has said by the end of a wait is in the trace: silence is claimed of nobody who has spoken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from conformance.agents.client import Agent
from conformance.agents.problems import ProtocolViolation
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
    limits = Limits(settle_ms=30, prompt_ms=1000)
    return Endpoint(End.IUT, cast(Agent, speaker), Recorder(), limits, "stream", began=0)


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


MS = 1_000_000


@pytest.mark.parametrize(
    ("at", "refused"),
    [(-2 * MS, True), (-MS // 2, False), (0, False), (5 * MS, False), (9 * MS + MS // 2, False), (11 * MS, True)],
)
def test_a_notice_of_another_time_than_the_cases_is_refused(at: int, refused: bool) -> None:
    # The case began at 0, and the line was read at 9 ms.
    notice = EventNotice(n=1, type="FD_CLOSE", at=at, socket=1, error=None)
    speaker = Speaker([notice], [])
    speaker.take_dated_notices = lambda: [(notice, 9 * MS)]  # type: ignore[method-assign]
    endpoint = endpoint_of(speaker)
    if refused:
        with pytest.raises(ProtocolViolation, match="the time of notice 1"):
            endpoint.take_notices()
        assert endpoint.recorder.events == []
    else:
        endpoint.take_notices()
        assert len(endpoint.recorder.events) == 1


def test_a_notice_by_a_foreign_clock_may_have_any_time() -> None:
    speaker = Speaker([closing(10**18)], [])
    speaker.has_foreign_clock = True
    endpoint = endpoint_of(speaker)
    endpoint.take_notices()
    assert [event.at for event in endpoint.recorder.events] == [0]  # when it was read
