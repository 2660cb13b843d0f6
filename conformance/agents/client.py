# SPDX-License-Identifier: MIT
"""The suite's side of the agent protocol: one agent, spoken to by one thread at a time.

Requests go out at once and may be pipelined; everything is read synchronously in the caller's thread, and what was
not waited for is kept. Here is checked what needs the order of lines: ids, the count of notices, deadlines, the
agent's end. A problem (`AgentProblem`) ends the agent: it is killed, and every later use raises the same problem.
Starting a fresh one, and deciding what a reply means, is left to the caller.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections import deque
from typing import Any, NoReturn, TypeAlias

from conformance import __version__
from conformance.agents.hearing import Ears, ReadAtOnce, ReadOnDemand
from conformance.agents.operations import Hello
from conformance.agents.problems import (
    AgentDied,
    AgentProblem,
    AgentRefused,
    AgentSilent,
    ProtocolViolation,
    SomethingMissing,
)
from conformance.agents.protocol import (
    MAX_LINE,
    VERSION,
    CompletionNotice,
    EventNotice,
    Reply,
    check_reply,
    decode_hello,
    decode_line,
    encode_request,
    too_long,
)
from conformance.agents.transports import Channel, Transport
from conformance.trace.events import Outcome

Notice: TypeAlias = EventNotice | CompletionNotice

MAX_NOTICES = 50_000
"""Notices kept for a caller who does not take them; more are a flood."""
MAX_NOTICE_OCTETS = 64 * 1024 * 1024
"""The same, counted in octets of their lines."""
_WRITE_DEADLINE_S = 10.0
_DEADLINE_S = 10.0
_END_GRACE_S = 1.0
"""How long a process whose output has ended may take to end itself, before it counts as still running."""


class Agent:
    """A running agent. `hello` is what it said of itself; `alive` is False after a problem, `bye` or `kill`."""

    hello: Hello

    def __init__(self, name: str, channel: Channel) -> None:
        self.name = name
        self.alive = True
        self._channel = channel
        self._problem: AgentProblem | None = None
        self._next = 0
        self._pending: dict[int, str] = {}
        self._held: deque[tuple[int, bytes]] = deque()
        self._one_at_a_time = False
        self._replies: dict[int, Reply] = {}
        self._notices: list[Notice] = []
        self._notice_octets = 0
        self._last_notice = 0
        self._parting = -1
        self._unread = bytearray()
        self._searched = 0
        self._heard_at = 0
        self._way: dict[int, tuple[int, int]] = {}
        self._written: dict[int, int] = {}
        self._notices_at: list[int] = []
        self._hear(ReadOnDemand(channel.reading))

    def _hear(self, ears: Ears) -> None:
        channel, self._ears = self._channel, ears
        self._readable = select.poll()
        self._readable.register(ears.fd, select.POLLIN)
        self._either = select.poll()
        if ears.fd == channel.writing:
            self._either.register(channel.writing, select.POLLIN | select.POLLOUT)
        else:
            self._either.register(ears.fd, select.POLLIN)
            self._either.register(channel.writing, select.POLLOUT)

    @classmethod
    def start(cls, transport: Transport, *, deadline_s: float = _DEADLINE_S) -> Agent:
        """Start or reach the agent and exchange `hello`; raises AgentProblem."""
        agent = cls(transport.name, transport.open(deadline_s))
        try:
            reply = agent.request("hello", deadline_s=deadline_s, protocol=VERSION, suite=__version__)
            agent._expect_result("hello", reply)
            agent.hello = decode_hello(reply)
            agent._one_at_a_time = not agent.hello.concurrent
            if agent.has_foreign_clock:
                agent._hear(ReadAtOnce(agent._channel.reading))
        except BaseException:
            agent.close()
            raise
        return agent

    @property
    def has_foreign_clock(self) -> bool:
        """Its times are of another clock than ours: those of its lines stand for them, and each is read at once."""
        return self.hello.clock == "foreign"

    @property
    def can_be_killed(self) -> bool:
        """It is a process that the suite started; of one that was reached by an address the end cannot be seen."""
        return self._channel.owned

    def submit(self, op: str, /, **arguments: Any) -> int:
        """Ask for `op` and return the request's id, without waiting for the reply.

        An agent that is not concurrent is sent the request when it has answered the one before.
        """
        self._check_usable()
        request = self._next
        line = encode_request(request, op, **arguments)
        self._next += 1
        if self._one_at_a_time and self._pending:
            self._pending[request] = op
            self._held.append((request, line))
        else:
            self._pending[request] = op
            self._ask(request, line)
        return request

    def _ask(self, request: int, line: bytes) -> None:
        self._written[request] = time.time_ns()
        self._write(line)

    def way(self, request: int) -> tuple[int, int]:
        """When that request began to be written, and by when its reply, which was taken, had been read; told once.

        Nanoseconds by our clock; of an agent with a foreign clock the reply was read as it came.
        """
        return self._way.pop(request)

    def reply(self, request: int, *, deadline_s: float = _DEADLINE_S) -> Reply:
        """Return the reply to `request`, once: waits for it; other replies, and notices, are kept meanwhile.

        Raises AgentSilent after `deadline_s` seconds, another AgentProblem for anything else that goes wrong, and
        KeyError for a request that was not made or whose reply was taken.
        """
        if request not in self._replies:
            self._check_usable()
            if request not in self._pending:
                raise KeyError(f"no reply to request {request} is to come")
            if not self.wait_reply(request, deadline_s):
                self._give_up(
                    AgentSilent(
                        f"no reply to `{self._pending[request]}` (request {request}) within {deadline_s:g} s",
                        "an operation ends at its `wait_ms` at the latest; does the agent flush after each line?",
                    )
                )
        return self._replies.pop(request)

    def wait_reply(self, request: int, timeout_s: float) -> bool:
        """Read until the reply to `request` is there to take; False if it has not come within `timeout_s` seconds."""
        limit = time.monotonic() + timeout_s
        while request not in self._replies:
            self._check_usable()
            if not self._read_until(limit):
                break
        return request in self._replies

    def request(self, op: str, /, *, deadline_s: float = _DEADLINE_S, **arguments: Any) -> Reply:
        """Ask for `op` and return the reply: `submit` and `reply` in one."""
        return self.reply(self.submit(op, **arguments), deadline_s=deadline_s)

    def take_notices(self) -> list[Notice]:
        """Return the notices that were read so far and not taken yet, in their order."""
        return [notice for notice, _ in self.take_dated_notices()]

    def take_dated_notices(self) -> list[tuple[Notice, int]]:
        """The same, each with the time by when it had been read (nanoseconds by our clock)."""
        notices = list(zip(self._notices, self._notices_at, strict=True))
        self._notices, self._notices_at, self._notice_octets = [], [], 0
        return notices

    def wait_notice(self, timeout_s: float) -> bool:
        """Read until a notice is there to take; False if none has come within `timeout_s` seconds (0: look once)."""
        limit = time.monotonic() + timeout_s
        while not self._notices:
            self._check_usable()
            if not self._read_until(limit):
                break
        return bool(self._notices)

    def reset(self, *, deadline_s: float = _DEADLINE_S) -> None:
        """Make the agent drop all state. What was pending, and replies and notices not taken, are forgotten."""
        self._expect_result("reset", self.request("reset", deadline_s=deadline_s))

    def bye(self, *, deadline_s: float = _DEADLINE_S) -> None:
        """End the agent in order: `bye`, its reply, nothing more, exit 0. Raises AgentProblem if it ends otherwise."""
        limit = time.monotonic() + deadline_s
        self._parting = self.submit("bye")
        self._expect_result("bye", self.reply(self._parting, deadline_s=deadline_s))
        self._channel.finish()
        while self._receive(limit):
            pass
        if self._unread:
            self._give_up(self._speech_after_bye(bytes(self._unread)))
        in_time = time.monotonic() < limit
        status, how = self._channel.ended(max(0.0, limit - time.monotonic()))
        if status is None and not in_time:
            self._give_up(AgentSilent(f"has not ended {deadline_s:g} s after bye", "exit with status 0 after `bye`"))
        if status:
            self._give_up(AgentDied(f"{how} after bye, not 0", "exit with status 0 after `bye`", status))
        self.alive = False

    def kill(self) -> None:
        """End the agent at once. What was read before can still be taken."""
        self.alive = False
        self._channel.kill()

    def has_ended(self, timeout_s: float) -> bool:
        """Wait up to `timeout_s` seconds for the process's end; False where it still runs, or cannot be watched."""
        return self._channel.ended(timeout_s)[0] is not None

    def close(self) -> None:
        """Kill the agent if it runs, and give everything back. To be called once, whatever happened before."""
        self.alive = False
        self._ears.close()
        self._channel.close()

    def stderr_tail(self) -> str:
        """Return the end of the agent's standard error (64 KiB at most)."""
        return self._channel.stderr_tail()

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # --- problems -------------------------------------------------------------------------------------------------

    def _check_usable(self) -> None:
        if self._problem is not None:
            raise self._problem
        if not self.alive:
            raise AgentDied(f"{self.name} has been ended", "start a fresh agent")

    def _expect_result(self, op: str, reply: Reply) -> None:
        if reply.outcome is Outcome.RESULT:
            return
        said = reply.error.name if reply.error else reply.text
        self._give_up(
            AgentRefused(
                f"`{op}` was answered with {reply.outcome}: {said}", f'`{op}` has no other answer than a "result"'
            )
        )

    def _give_up(self, problem: AgentProblem) -> NoReturn:
        """Kill the agent and raise `problem`, which every later use raises again."""
        self.alive = False
        self._channel.kill()
        problem.agent = self.name
        problem.stderr = self._channel.stderr_tail()
        self._problem = problem
        raise problem

    # --- writing --------------------------------------------------------------------------------------------------

    def _write(self, line: bytes) -> None:
        """Write a line; while the agent does not read, what it says is read, so that neither waits for the other."""
        try:
            written = os.write(self._channel.writing, line)
        except BlockingIOError:
            written = 0
        except OSError:
            self._find_out_the_end()
        if written == len(line):
            return
        rest = memoryview(line)[written:]
        limit = time.monotonic() + _WRITE_DEADLINE_S
        while rest:
            ready = dict(self._either.poll(max(0.0, limit - time.monotonic()) * 1000))
            if ready.get(self._ears.fd, 0) & ~select.POLLOUT and not self._fill():
                self._find_out_the_end()
            if ready.get(self._channel.writing, 0) & ~select.POLLIN:
                try:
                    rest = rest[os.write(self._channel.writing, rest) :]
                except BlockingIOError:
                    continue
                except OSError:
                    self._find_out_the_end()
            if rest and time.monotonic() >= limit:
                self._give_up(
                    AgentSilent(
                        f"has not read a request of {len(line)} octets for {_WRITE_DEADLINE_S:g} s",
                        "an agent reads on while its calls block; say concurrent: false if it cannot",
                    )
                )

    # --- reading --------------------------------------------------------------------------------------------------

    def _read_until(self, limit: float) -> bool:
        """Read once, waiting for something to read until `limit` (monotonic seconds); False if time is up."""
        remaining = limit - time.monotonic()
        if not self._readable.poll(max(0.0, remaining) * 1000):
            return False
        self._read()
        return remaining > 0

    def _read(self) -> None:
        """Read once, and send what an agent that takes one request at a time may have now; raises AgentDied."""
        if not self._fill():
            self._find_out_the_end()
        if self._held and len(self._held) == len(self._pending):
            self._ask(*self._held.popleft())

    def _fill(self) -> bool:
        """Read once, take in every whole line, and keep the rest; False at the end."""
        try:
            data, self._heard_at = self._ears.take()
        except BlockingIOError:
            return True
        except OSError:
            return False  # a control connection that was reset
        if not data:
            return False
        unread = self._unread
        if not unread and data.endswith(b"\n") and data.count(b"\n") == 1:
            self._take(data)  # by far the most common case: one whole line
            return True
        unread += data
        start = 0
        try:
            while (end := unread.find(b"\n", max(start, self._searched))) >= 0:
                line = bytes(unread[start : end + 1])
                start = end + 1
                self._take(line)
        finally:
            del unread[:start]
            self._searched = len(unread)
        if len(unread) >= MAX_LINE:
            self._give_up(too_long(bytes(unread[:1000]), len(unread)))
        return True

    def _receive(self, limit: float) -> bool:
        """Like `_read_until`, but an end is an answer: False at the end, or when nothing came in time."""
        return bool(self._readable.poll(max(0.0, limit - time.monotonic()) * 1000)) and self._fill()

    def _take(self, line: bytes) -> None:
        """Keep what one line says, if the order of lines allows it."""
        if self._parting >= 0 and self._parting not in self._pending:
            self._give_up(self._speech_after_bye(line))
        try:
            message = decode_line(line)
            if isinstance(message, Reply):
                self._take_reply(message, line)
            else:
                self._take_notice(message, line)
        except ProtocolViolation as problem:
            self._give_up(problem)

    def _take_reply(self, reply: Reply, line: bytes) -> None:
        request = reply.id
        op = self._pending.get(request)
        if op is None or any(request == held for held, _ in self._held):
            if request >= self._next or op is not None:
                why = f"a reply to request {request}, which was never made"
            elif request in self._replies:
                why = f"a second reply to request {request}"
            else:
                why = f"a reply to request {request}, which is answered already, or was before the last reset"
            raise ProtocolViolation(
                line, f"{why} - at `$.id`", "each request is answered once, with its own id, and before a later `reset`"
            )
        check_reply(reply, op, line)
        del self._pending[request]
        self._way[request] = (self._written.pop(request), self._heard_at)
        if op == "reset" and reply.outcome is Outcome.RESULT:
            self._forget_before(request)
        self._replies[request] = reply

    def _forget_before(self, reset: int) -> None:
        """Forget what was before a reset: a reply to it that comes from now on has an unknown id."""
        self._pending = {request: op for request, op in self._pending.items() if request > reset}
        self._replies.clear()
        self._way.clear()
        self._written = {request: at for request, at in self._written.items() if request > reset}
        self.take_notices()

    def _take_notice(self, notice: Notice, line: bytes) -> None:
        if notice.n != self._last_notice + 1:
            kind = "event" if isinstance(notice, EventNotice) else "completion"
            raise ProtocolViolation(
                line,
                f"notice {notice.n} after notice {self._last_notice} - at `$.{kind}.n`",
                "`n` counts all notices of the agent's life, from 1, up by one; `reset` does not start it again",
            )
        self._last_notice = notice.n
        self._notices.append(notice)
        self._notices_at.append(self._heard_at)
        self._notice_octets += len(line)
        if len(self._notices) > MAX_NOTICES or self._notice_octets > MAX_NOTICE_OCTETS:
            raise ProtocolViolation(
                line,
                f"a flood: {len(self._notices)} notices, {self._notice_octets} octets, that nobody had asked for",
                "an indication is raised once; does the agent report a state again and again?",
            )

    def _speech_after_bye(self, line: bytes) -> ProtocolViolation:
        return ProtocolViolation(line, "output after the reply to bye", "`bye` is the last request: say nothing more")

    def _find_out_the_end(self) -> NoReturn:
        """The agent closed its end or cannot be written to: read what is left of it, and raise AgentDied."""
        limit = time.monotonic() + _END_GRACE_S
        with contextlib.suppress(ProtocolViolation):
            while self._receive(limit) and time.monotonic() < limit:
                pass
        if self._problem is not None:
            raise self._problem
        status, how = self._channel.ended(_END_GRACE_S)
        said = self._channel.stderr_tail().strip().splitlines()
        if status == os.EX_UNAVAILABLE and said and list(self._pending.values()) == ["hello"]:
            self._give_up(SomethingMissing(said[0], said[-1] if said[1:] else ""))
        waiting = ", ".join(f"`{op}`" for op in list(self._pending.values())[:3])
        why = f"ended ({how})" if how != "still running" else "closed its standard output, but still runs"
        why += f" while {waiting} waited for a reply" if waiting else " between requests"
        hint = "its standard error may say why; an agent ends only at `bye` or end of file on standard input"
        if self._unread:
            why += "; its last line is not finished"
        self._give_up(AgentDied(why, hint, status, bytes(self._unread[:1000])))
