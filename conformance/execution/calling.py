# SPDX-License-Identifier: MIT
"""One end of a case as calls: makes its agent call, and records what was called, what came back and what was told."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from conformance.agents.client import Agent, Notice
from conformance.agents.problems import AgentRefused, ProtocolViolation
from conformance.agents.protocol import CompletionNotice, Reply
from conformance.execution.recorder import Recorder
from conformance.trace.events import Called, Completed, End, ErrorValue, Indicated, Outcome, Returned

_SPARE_S = 5.0
"""What an agent may take beyond the call's own limit before it counts as silent: a loaded machine, not the IUT."""
_WITHOUT_A_SOCKET = ("socket", "startup", "cleanup")
_CLOCK_SLACK_NS = 1_000_000
"""Agents on one machine share one clock; this much is left to its resolution and to steps of its adjustment."""
_RATE = 1.001
"""How much faster another machine's clock may run than ours: adjtimex(2) allows 500 ppm."""


class CannotExercise(Exception):
    """The implementation has no such operation, mode or option: the stimulus cannot be made, and nothing is judged."""


@dataclass(frozen=True)
class Limits:
    """The session's times in milliseconds: `settle_ms` shows an absence, `patience_ms` is waited for a presence."""

    settle_ms: int
    prompt_ms: int
    latency_ms: int = 0
    """What a message of an agent with a foreign clock may take on its way; the two above have it already."""

    @property
    def patience_ms(self) -> int:
        """Long enough that nothing told within it is a breach of promptness."""
        return self.prompt_ms + self.prompt_ms // 2


@dataclass
class Pending:
    """A request that was made and not answered yet."""

    request: int
    op: str
    socket: int | None
    arguments: dict[str, Any]
    submitted: int
    way: tuple[int, int] | None = None
    """When it was written, and when its reply was read, of an agent with a foreign clock."""


@dataclass
class Caller:
    """One end, as what it calls and is told. `socket` is the handle of its connection, `family` that of its address."""

    end: End
    agent: Agent
    recorder: Recorder
    limits: Limits
    kind: str
    family: str = ""
    socket: int = -1
    offered: int = 0
    sends: int = 0
    received: int = 0
    slowest_ns: int = 0
    """The longest that request and reply together took on their way, of an agent with a foreign clock."""
    began: int = field(default_factory=time.time_ns)
    """When this end was lent to the case, by our clock."""
    _completions: dict[str, CompletionNotice] = field(default_factory=dict)
    _sends_posted: set[str] = field(default_factory=set)
    """The tokens of posted sends."""
    _told: list[tuple[object, str]] = field(default_factory=list)

    # --- one call -------------------------------------------------------------------------------------------------

    def begin(self, op: str, *, socket: int | None = None, **arguments: Any) -> Pending:
        """Ask for an operation, and go on: `finish` takes its answer."""
        handle = self.socket if socket is None else socket
        submitted = time.time_ns()
        if op in _WITHOUT_A_SOCKET:
            return Pending(self.agent.submit(op, **arguments), op, None, arguments, submitted)
        return Pending(self.agent.submit(op, socket=handle, **arguments), op, handle, arguments, submitted)

    def finish(self, pending: Pending) -> Reply:
        """Wait for the answer to an operation, and record both.

        Raises CannotExercise where the implementation has no such thing, and AgentProblem where the agent broke.
        """
        wait_s = float(pending.arguments.get("wait_ms", 0)) / 1000
        answered = False
        try:
            reply = self.agent.reply(pending.request, deadline_s=wait_s + _SPARE_S)
            answered = True
        finally:
            if not answered:
                self._record(pending, None)
        if self.agent.has_foreign_clock:
            pending.way = self.agent.way(pending.request)
            took = reply.call[1] - reply.call[0] if reply.call else 0
            self._check_way(pending, took)
        else:
            self._check_times(pending, reply)
        self._record(pending, reply)
        self.take_notices()
        if reply.outcome is Outcome.UNSUPPORTED:
            raise CannotExercise(f"the agent does not offer {pending.op}: {reply.text}")
        if reply.outcome is Outcome.FAILURE:
            raise AgentRefused(f"`{pending.op}` failed in the agent: {reply.text}", "this is a bug of the agent")
        return reply

    def _check_way(self, pending: Pending, took: int) -> None:
        """Refuse a call that lasted longer than it was from its request to its reply: then clocks measure nothing."""
        assert pending.way is not None
        written, read = pending.way
        self.slowest_ns = max(self.slowest_ns, read - written - took)
        if took > (read - written) * _RATE + _CLOCK_SLACK_NS:
            raise ProtocolViolation(
                "",
                f"`{pending.op}` took {took} ns by its agent's clock, and its reply came {read - written} ns after its"
                " request",
                "`call` holds the times of entry and return in nanoseconds, also by a foreign clock",
            )

    def _check_times(self, pending: Pending, reply: Reply) -> None:
        """Refuse a call that says it happened before it was asked for, or after its answer was here."""
        if reply.call is None:
            return
        entered, returned = reply.call
        if pending.submitted - _CLOCK_SLACK_NS <= entered and returned <= time.time_ns() + _CLOCK_SLACK_NS:
            return
        raise ProtocolViolation(
            "",
            f"the times of `{pending.op}`, {entered} to {returned}, do not lie between its request and its reply",
            "`call` holds the times of entry and return on CLOCK_REALTIME; or say `clock: foreign`",
        )

    def _check_notice(self, notice: Notice, read: int) -> None:
        """Refuse a notice that says it happened before this end had anything to do, or after it was read."""
        if self.began - _CLOCK_SLACK_NS <= notice.at <= read + _CLOCK_SLACK_NS:
            return
        raise ProtocolViolation(
            "",
            f"the time of notice {notice.n}, {notice.at}, does not lie between the beginning of the case and its line",
            "`at` holds the time of the indication on CLOCK_REALTIME; or say `clock: foreign`",
        )

    def call(self, op: str, *, socket: int | None = None, **arguments: Any) -> Reply:
        """Make one call and wait for its return."""
        return self.finish(self.begin(op, socket=socket, **arguments))

    def open(self, family: str) -> int:
        """Make a socket of the case's kind, and use it from now on."""
        self.family = family
        self.socket = self.spare()
        return self.socket

    def spare(self) -> int:
        """Make one more socket like the first."""
        reply = self.call("socket", family=self.family, kind=self.kind)
        return int(result_of(reply, "socket")["socket"])

    def _record(self, pending: Pending, reply: Reply | None) -> None:
        times = pending.way or (reply.call if reply else None)
        entered, returned = times or (pending.submitted, time.time_ns())
        own = reply.call if reply and reply.call and pending.way else (None, None)
        self.recorder.add(
            Called(
                at=entered,
                end=self.end,
                call=pending.request,
                op=pending.op,
                socket=pending.socket,
                arguments=pending.arguments,
                own=own[0],
            )
        )
        if reply is None:
            unanswered = Returned(at=returned, end=self.end, call=pending.request, outcome=Outcome.UNANSWERED)
            self.recorder.add(unanswered)
            return
        self.recorder.add(
            Returned(
                at=returned,
                end=self.end,
                call=pending.request,
                outcome=reply.outcome,
                result=reply.result,
                error=reply.error,
                text=reply.text,
                own=own[1],
            )
        )

    def look(self) -> None:
        """Read what the agent has said by now, and record it: what has not come by then was not said."""
        self.take_notices()
        while self.agent.alive and self.agent.wait_notice(0):
            self.take_notices()

    def take_notices(self) -> None:
        """Record what was read of what the agent has said unasked."""
        for notice, read in self.agent.take_dated_notices():
            if isinstance(notice, CompletionNotice):
                self._completions[notice.token] = notice
                self.received += notice.result is not None and notice.token not in self._sends_posted
            else:
                self._told.append((notice.socket, notice.type))
            foreign = self.agent.has_foreign_clock
            if not foreign:
                self._check_notice(notice, read)
            self.recorder.add(_event_of(self.end, notice, *((read, notice.at) if foreign else (notice.at, None))))


def result_of(reply: Reply, op: str) -> dict[str, Any]:
    """The result of an operation that the case cannot do without; the failure to set up is not the IUT's verdict."""
    if reply.result is None:
        said = reply.error.name if reply.error else reply.outcome
        raise CannotExercise(f"the case could not be set up: {op} ended with {said}")
    return reply.result


def _event_of(end: End, notice: Notice, at: int, own: int | None) -> Completed | Indicated:
    error = notice.error if isinstance(notice.error, ErrorValue) else None
    if isinstance(notice, CompletionNotice):
        return Completed(
            at=at,
            end=end,
            notice=notice.n,
            token=notice.token,
            result=notice.result,
            error=error,
            mechanism=notice.mechanism,
            own=own,
        )
    return Indicated(
        at=at,
        end=end,
        notice=notice.n,
        socket=notice.socket if isinstance(notice.socket, int) else None,
        type=notice.type,
        error=error,
        name=notice.name,
        args=notice.args,
        own=own,
    )
