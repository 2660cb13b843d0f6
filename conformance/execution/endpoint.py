# SPDX-License-Identifier: MIT
"""One end of a case: makes its agent call, records what was called and what came back, and judges nothing."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from conformance.agents.client import Agent, Notice
from conformance.agents.problems import AgentRefused, ProtocolViolation
from conformance.agents.protocol import CompletionNotice, Reply
from conformance.execution.endings import Ending
from conformance.execution.recorder import Recorder
from conformance.trace.conditions import Condition, canonical
from conformance.trace.events import Called, Completed, End, ErrorValue, Indicated, Outcome, Returned

POLLED = ("select", "poll", "epoll")
"""The surfaces that tell when to read; the others just read."""
RDHUP_SURFACES = ("poll", "epoll", "epoll-et")
CHUNK = 1 << 18
"""Octets asked for by a receive: more than any message that a case sends."""
DISCONNECT_ROOM = 4096
"""Octets of room for disconnect data: more than any transport here carries."""
_DIGEST_ABOVE = 4096
_SPARE_S = 5.0
"""What an agent may take beyond the call's own limit before it counts as silent: a loaded machine, not the IUT."""
_FILL_LIMIT = 64 << 20
_PAUSE_S = 0.002
_FILLING_S = 0.01
_CLOCK_SLACK_NS = 1_000_000
"""Agents on one machine share one clock; this much is left to its resolution and to steps of its adjustment."""


class CannotExercise(Exception):
    """The implementation has no such operation, mode or option: the stimulus cannot be made, and nothing is judged."""


@dataclass(frozen=True)
class Limits:
    """The session's times in milliseconds: `settle_ms` shows an absence, `patience_ms` is waited for a presence."""

    settle_ms: int
    prompt_ms: int

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


@dataclass
class Endpoint:
    """One end. `socket` is the connection's handle there once there is one."""

    end: End
    agent: Agent
    recorder: Recorder
    limits: Limits
    kind: str
    socket: int = -1
    offered: int = 0
    sends: int = 0
    received: int = 0
    other: Endpoint | None = None
    _completions: dict[str, CompletionNotice] = field(default_factory=dict)
    _told: list[str] = field(default_factory=list)

    # --- one call -------------------------------------------------------------------------------------------------

    def begin(self, op: str, *, socket: int | None = None, **arguments: Any) -> Pending:
        """Ask for an operation, and go on: `finish` takes its answer."""
        handle = self.socket if socket is None else socket
        submitted = time.time_ns()
        if op == "socket":
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
        self._check_times(pending, reply)
        self._record(pending, reply)
        self.take_notices()
        if reply.outcome is Outcome.UNSUPPORTED:
            raise CannotExercise(f"the agent does not offer {pending.op}: {reply.text}")
        if reply.outcome is Outcome.FAILURE:
            raise AgentRefused(f"`{pending.op}` failed in the agent: {reply.text}", "this is a bug of the agent")
        return reply

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

    def call(self, op: str, *, socket: int | None = None, **arguments: Any) -> Reply:
        """Make one call and wait for its return."""
        return self.finish(self.begin(op, socket=socket, **arguments))

    def open(self, family: str) -> int:
        """Make a socket of the case's kind, and use it from now on."""
        reply = self.call("socket", family=family, kind=self.kind)
        self.socket = int(_result(reply, "socket")["socket"])
        return self.socket

    def _record(self, pending: Pending, reply: Reply | None) -> None:
        entered, returned = reply.call if reply and reply.call else (pending.submitted, time.time_ns())
        self.recorder.add(
            Called(
                at=entered,
                end=self.end,
                call=pending.request,
                op=pending.op,
                socket=pending.socket,
                arguments=pending.arguments,
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
            )
        )

    def take_notices(self) -> None:
        """Record what the agent has said unasked so far."""
        for notice in self.agent.take_notices():
            if isinstance(notice, CompletionNotice):
                self._completions[notice.token] = notice
            elif notice.socket == self.socket:
                self._told.append(notice.type)
            self.recorder.add(_event_of(self.end, notice))

    # --- sending and ending ---------------------------------------------------------------------------------------

    def send(self, length: int, *, wait_ms: int | None = None) -> int:
        """Send so many bytes of patterns, in as many calls as it takes; how many were accepted.

        Messages are sent whole, in one call. Stops where the implementation accepts no more in time.
        """
        accepted = 0
        while accepted < length:
            part = self._send_once(length - accepted, self.limits.patience_ms if wait_ms is None else wait_ms)
            accepted += part or 0
            if not part or self.kind == "message":
                break
        return accepted

    def send_empty_message(self) -> None:
        """Send a message of no bytes."""
        self._send_once(0, self.limits.patience_ms)

    def fill(self, chunk: int = 16384) -> int:
        """Send until the implementation accepts no more, a little later neither; how many bytes it accepted."""
        before, accepted = self.offered, -1
        while accepted < self.offered - before < _FILL_LIMIT:
            accepted = self.offered - before
            while self._send_once(chunk, 0) and self.offered - before < _FILL_LIMIT:
                pass
            time.sleep(_FILLING_S)  # what was under way may have gone on into the receiver's buffer
        return self.offered - before

    def send_text(self, data: bytes) -> Reply:
        """Send exactly these bytes in one call."""
        reply = self.call("send", data=base64.b64encode(data).decode(), wait_ms=self.limits.patience_ms)
        self._count(reply)
        return reply

    def _send_once(self, length: int, wait_ms: int) -> int | None:
        described = {"seed": self.sends, "length": length}
        reply = self.call("send", pattern=described, wait_ms=wait_ms)
        return self._count(reply)

    def _count(self, reply: Reply) -> int | None:
        if reply.result is None:
            return None
        self.sends += 1
        self.offered += int(reply.result["length"])
        return int(reply.result["length"])

    def shutdown(self, how: str | int) -> Reply:
        """Shut one direction, or both."""
        return self.call("shutdown", how=how)

    def send_disconnect(self, data: bytes | None = None) -> Reply:
        """Call SendDisconnect with disconnect data; None is the null pointer."""
        arguments: dict[str, Any] = {} if data is None else {"data": base64.b64encode(data).decode()}
        return self.call("send_disconnect", **arguments)

    def recv_disconnect(self, length: int | None = DISCONNECT_ROOM) -> Reply:
        """Call RecvDisconnect with room for so many octets; None is the null pointer."""
        arguments: dict[str, Any] = {} if length is None else {"length": length}
        return self.call("recv_disconnect", **arguments)

    def close(self, *, socket: int | None = None, wait_ms: int | None = None) -> Reply:
        """Close a handle, the connection's if none is named."""
        return self.call("close", socket=socket, wait_ms=self.limits.patience_ms if wait_ms is None else wait_ms)

    def end_by(self, ending: Ending) -> None:
        """End this side in the way that the case says."""
        ending.carry_out(self)

    def set_linger(self, seconds: int | None) -> None:
        """Set linger to so many seconds; None sets it off."""
        self.call("set_linger", on=seconds is not None, seconds=seconds or 0)

    def set_blocking(self, on: bool) -> None:
        """Make calls block, or not."""
        self.call("set_blocking", on=on)

    def set_option(self, name: str, value: int) -> None:
        """Set an option by the protocol's name for it."""
        self.call("set_option", name=name, value=value)

    def die(self) -> None:
        """End the agent's process by SIGKILL: the kernel closes what it held."""
        self.recorder.note("killed", self.end)
        self.agent.kill()
        if self.agent.has_ended(self.limits.patience_ms / 1000):
            self.recorder.note("dead", self.end)

    # --- receiving ------------------------------------------------------------------------------------------------

    def read(
        self, times: int = 1, *, flags: Iterable[str] = (), length: int = CHUNK, wait_ms: int | None = None
    ) -> Reply:
        """Receive so many times, each bounded by the session's patience; the last reply."""
        arguments: dict[str, Any] = {
            "length": length,
            "wait_ms": self.limits.patience_ms if wait_ms is None else wait_ms,
        }
        if flags := list(flags):
            arguments["flags"] = flags
        if self.other is not None and self.other.offered > _DIGEST_ABOVE:
            arguments["digest"] = True
        for _ in range(times):
            reply = self.call("recv", **arguments)
            if reply.result is not None and "PEEK" not in flags:
                self.received += 1
        return reply

    def read_to_the_end(self, surface: str = "blocking") -> None:
        """Receive over this surface until an end or an error is told, or nothing has come for too long."""
        if surface != "blocking":
            self.set_blocking(False)
        limit = (self.other.offered if self.other else 0) + _FILL_LIMIT
        taken, patience_s = 0, self.limits.patience_ms / 1000
        last_progress = time.monotonic()
        while taken <= limit:
            if surface in POLLED:
                self.poll(surface)
            reply = self.read()
            if reply.result is not None and (reply.result["length"] or self._more_messages()):
                taken += int(reply.result["length"])
                last_progress = time.monotonic()
            elif not _would_block(reply) or time.monotonic() - last_progress > patience_s:
                return
            elif surface not in POLLED:
                time.sleep(_PAUSE_S)

    def _more_messages(self) -> bool:
        """Zero bytes may be an empty message while fewer messages were read than were sent."""
        return self.kind == "message" and self.other is not None and self.received <= self.other.sends

    def poll(self, surface: str, *, wait_ms: int | None = None, register: bool = False) -> frozenset[str]:
        """Ask a readiness surface for all that it can tell of reading and of an end; what it told."""
        events = ["IN", "RDHUP"] if surface in RDHUP_SURFACES else ["IN"]
        arguments: dict[str, Any] = {"surface": surface, "events": events}
        arguments["wait_ms"] = self.limits.patience_ms if wait_ms is None else wait_ms
        if register:
            arguments["register"] = True
        reply = self.call("poll", **arguments)
        return frozenset((reply.result or {}).get("events", ()))

    def post_read(self) -> str:
        """Post a receive; its token, for which `completed` waits."""
        return str(_result(self.call("post_recv", length=CHUNK), "post_recv")["token"])

    def completed(self, token: str, *, wait_ms: int | None = None) -> bool:
        """Wait until a posted receive has ended; False if it has not within the session's patience."""
        limit = time.monotonic() + (self.limits.patience_ms if wait_ms is None else wait_ms) / 1000
        while token not in self._completions:
            remaining = limit - time.monotonic()
            if remaining <= 0 or not self.agent.wait_notice(remaining):
                return False
            self.take_notices()
        return True

    @contextmanager
    def receiving(self, *, posted: bool = False) -> Iterator[None]:
        """Have a receive waiting, blocked in its call or posted, while the body happens; then wait for its end."""
        if posted:
            token = self.post_read()
            self._see_it_read_on()
            yield
            self.completed(token)
        else:
            pending = self.begin("recv", length=CHUNK, wait_ms=self.limits.patience_ms)
            self._see_it_read_on()
            yield
            self.finish(pending)

    def _see_it_read_on(self) -> None:
        """Have a later request answered: by then the agent has at least begun with those before it."""
        hello = self.agent.hello
        if hello.concurrent and "names" in hello.ops:
            self.call("names")

    # --- notifications ------------------------------------------------------------------------------------------------

    def select_events(self, *events: str, mechanism: str = "event", socket: int | None = None) -> Reply:
        """Ask to be told of network events; none cancels. `mechanism` is "event" (a record) or "message" (notices)."""
        return self.call("event_select", socket=socket, events=list(events), mechanism=mechanism)

    def enum_events(self) -> list[str]:
        """Read and clear the record of network events; the types that it held."""
        reply = self.call("enum_events")
        return [str(entry["type"]) for entry in (reply.result or {}).get("events", ())]

    def await_event(self, type: str = "FD_CLOSE", *, mechanism: str = "event", wait_ms: int | None = None) -> bool:
        """Wait until this end is told of such a network event; False if it is not within the session's patience.

        A notice that came before counts, until it was awaited once.
        """
        limit = time.monotonic() + (self.limits.patience_ms if wait_ms is None else wait_ms) / 1000
        while True:
            self.take_notices()
            if mechanism == "event" and type in self.enum_events():
                return True
            if mechanism == "message" and type in self._told:
                self._told.remove(type)
                return True
            remaining = limit - time.monotonic()
            if remaining <= 0:
                return False
            if mechanism == "event":
                time.sleep(_PAUSE_S)
            else:
                self.agent.wait_notice(remaining)

    def duplicate(self) -> int:
        """Duplicate the connection's handle; the new one."""
        return int(_result(self.call("duplicate"), "duplicate")["socket"])

    def look_in_vain(self) -> Reply:
        """Receive for the settle time, to show that nothing comes."""
        return self.read(wait_ms=self.limits.settle_ms)


def _would_block(reply: Reply) -> bool:
    return reply.error is not None and canonical(reply.error) is Condition.EWOULDBLOCK


def _result(reply: Reply, op: str) -> dict[str, Any]:
    """The result of an operation that the case cannot do without; the failure to set up is not the IUT's verdict."""
    if reply.result is None:
        said = reply.error.name if reply.error else reply.outcome
        raise CannotExercise(f"the case could not be set up: {op} ended with {said}")
    return reply.result


def _event_of(end: End, notice: Notice) -> Completed | Indicated:
    error = notice.error if isinstance(notice.error, ErrorValue) else None
    if isinstance(notice, CompletionNotice):
        return Completed(
            at=notice.at,
            end=end,
            notice=notice.n,
            token=notice.token,
            result=notice.result,
            error=error,
            mechanism=notice.mechanism,
        )
    return Indicated(
        at=notice.at,
        end=end,
        notice=notice.n,
        socket=notice.socket if isinstance(notice.socket, int) else None,
        type=notice.type,
        error=error,
        name=notice.name,
        args=notice.args,
    )
