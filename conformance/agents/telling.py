# SPDX-License-Identifier: MIT
"""The part of checking an agent that is about being told: readiness, posted operations, notifications."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from conformance.agents.client import Agent
from conformance.agents.pairing import DEADLINE_S, WAIT_MS, Check, Pair, expect, need
from conformance.agents.protocol import CompletionNotice
from conformance.trace.events import Outcome

_POLLED = ("select", "poll", "epoll", "epoll-et", "wsapoll")
_ERROR_SLOTS = 10
"""Of WSANETWORKEVENTS."""


def check_notices(pair: Pair) -> Iterator[Check]:
    """Look at readiness, posted operations, the record of events, and what only a service provider has."""
    ours, _ = pair.connection()
    for surface in [name for name in pair.one.hello.surfaces if name in _POLLED and pair.has("poll")]:
        reply = pair.one.request(
            "poll", deadline_s=DEADLINE_S, socket=ours, surface=surface, events=["OUT"], wait_ms=WAIT_MS
        )
        yield expect(f"`poll` by {surface}", reply, Outcome.RESULT, Outcome.ERROR, Outcome.TIMEOUT)
    yield from _check_posts(pair)
    if pair.has("event_select"):
        arguments: dict[str, Any] = {"events": ["FD_READ", "FD_CLOSE"], "mechanism": "event"}
        reply = pair.one.request("event_select", deadline_s=DEADLINE_S, socket=ours, **arguments)
        yield expect("`event_select`", reply, Outcome.RESULT, Outcome.ERROR)
    if pair.has("enum_events"):
        reply = pair.one.request("enum_events", deadline_s=DEADLINE_S, socket=ours)
        yield expect("`enum_events`", reply, Outcome.RESULT, Outcome.ERROR)
        slots = (reply.result or {}).get("slots")
        if slots is not None:
            yield Check(
                "`enum_events`: slots",
                len(slots) == _ERROR_SLOTS,
                f"{len(slots)} slots",
                f"WSANETWORKEVENTS has {_ERROR_SLOTS}; leave `slots` out where there are none",
            )
        reply = pair.one.request("enum_events", deadline_s=DEADLINE_S, socket=-1)
        yield expect("`enum_events` of socket -1", reply, Outcome.ERROR, Outcome.RESULT, Outcome.UNSUPPORTED)
    if pair.has("startup") and pair.has("cleanup"):
        for op in ("startup", "cleanup"):
            yield expect(f"`{op}`", pair.one.request(op, deadline_s=DEADLINE_S), Outcome.RESULT, Outcome.ERROR)


def _completions(agent: Agent) -> list[CompletionNotice]:
    """Wait for a completion, whatever else is told before it (a service provider's upcalls, say)."""
    limit = time.monotonic() + DEADLINE_S
    found: list[CompletionNotice] = []
    while not found and agent.wait_notice(max(0.0, limit - time.monotonic())):
        found += [notice for notice in agent.take_notices() if isinstance(notice, CompletionNotice)]
    return found


def _check_posts(pair: Pair) -> Iterator[Check]:
    """By each mechanism on a connection of its own: a port, say, may keep a socket for good."""
    surfaces = [name for name in pair.one.hello.surfaces if name.startswith("overlapped-")]
    mechanisms = [name.removeprefix("overlapped-") for name in surfaces]
    for mechanism in ["", *mechanisms] if "overlapped" in pair.one.hello.surfaces or not mechanisms else mechanisms:
        arguments = {"mechanism": mechanism} if mechanism else {}
        by = f" by {mechanism}" if mechanism else ""
        for op in [op for op in ("post_recv", "post_send") if pair.has(op)]:
            ours, theirs = pair.connection()
            what = {"length": 100} if op == "post_recv" else {"data": b"x"}
            token = need(pair.one, op, socket=ours, **what, **arguments)["token"]
            if op == "post_recv":
                need(pair.other, "send", socket=theirs, data=b"x", wait_ms=WAIT_MS)
            completions = _completions(pair.one)
            tokens = [notice.token for notice in completions]
            yield Check(
                f"`{op}`{by} and its completion",
                tokens == [token],
                f"token {token!r} promised, completions {tokens}",
                "a posted operation ends with one completion, which carries the token",
            )
            results = [notice.result for notice in completions if notice.result is not None]
            yield Check(
                f"`{op}`{by}: what the completion says",
                all(result.get("length") == 1 for result in results),
                f"{results or 'no result'} for one octet",
                "the result of a completion is that of `recv` or `send`",
            )
