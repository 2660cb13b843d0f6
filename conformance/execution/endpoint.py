# SPDX-License-Identifier: MIT
"""One end of a case, in the cases' words: sends, ends, receives and waits to be told, and judges nothing."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from conformance.agents.protocol import Reply
from conformance.execution.calling import Caller, CannotExercise, result_of
from conformance.execution.endings import Ending
from conformance.trace.conditions import Condition, canonical
from conformance.trace.events import End

POLLED = ("select", "poll", "epoll", "wsapoll")
"""The surfaces that tell when to read; the others just read."""
TOLD_BY = {"event": ("FD_READ", "FD_CLOSE"), "message": ("FD_READ", "FD_CLOSE")}
"""The surfaces by which network events are told, and which are asked for."""
RDHUP_SURFACES = ("poll", "epoll", "epoll-et")
CHUNK = 1 << 18
"""Octets asked for by a receive: more than any message that a case sends."""
DISCONNECT_ROOM = 4096
"""Octets of room for disconnect data: more than any transport here carries."""
_DIGEST_ABOVE = 4096
_FILL_LIMIT = 64 << 20
_FILL_LIMIT_QUIC = 4 << 20
"""QUIC libraries may take any amount, and the other end's read on: this is more than the windows between them."""
_FILL_CHUNK = 1 << 18
"""Octets of one send of a stream that fills buffers, which may hold megabytes: few calls."""
_FILL_MESSAGE = 1 << 14
"""The same for messages, which are taken whole or not at all."""
_PAUSE_S = 0.002
_FILLING_S = 0.01
_ASKING_S = 0.005


@dataclass
class Endpoint(Caller):
    """One end, and the other one, whose sends tell it how much there is to read."""

    other: Endpoint | None = None

    def beside(self) -> Endpoint:
        """The same agent's end of another connection, of which nothing has happened yet."""
        return Endpoint(self.end, self.agent, self.recorder, self.limits, self.kind)

    def offers(self, surface: str) -> bool:
        """Whether the agent has this surface."""
        return surface in self.agent.hello.surfaces

    def has(self, op: str) -> bool:
        """Whether the agent has this operation."""
        return op in self.agent.hello.ops

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

    def fill(self) -> int:
        """Send until the implementation accepts no more, a little later neither; how many bytes it accepted."""
        chunk = _FILL_MESSAGE if self.kind == "message" else _FILL_CHUNK
        limit = _FILL_LIMIT_QUIC if self.agent.hello.transport == "quic" else _FILL_LIMIT
        before, accepted = self.offered, -1
        while accepted < self.offered - before < limit:
            accepted = self.offered - before
            while self._send_once(chunk, 0) and self.offered - before < limit:
                pass
            time.sleep(_FILLING_S)  # what was under way may have gone on into the receiver's buffer
        return self.offered - before

    def send_octets(self, data: bytes, *, messages: int = 1) -> Reply:
        """Send exactly these octets in one call; for a raw peer, say how many messages they come to."""
        reply = self.call("send", data=base64.b64encode(data).decode(), wait_ms=self.limits.patience_ms)
        self._count(reply)
        self.sends += messages - 1
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

    def post_send(self, length: int, *, mechanism: str = "") -> Reply:
        """Post a send of so many bytes of a pattern, to complete by that mechanism (empty: the agent's own choice)."""
        reply = self.call("post_send", pattern={"seed": self.sends, "length": length}, **_by(mechanism))
        if reply.result is not None:
            self._sends_posted.add(str(reply.result["token"]))
            self.sends += 1
            self.offered += length
        return reply

    def shutdown(self, how: str | int) -> Reply:
        """Shut one direction, or both."""
        return self.call("shutdown", how=how)

    def send_disconnect(self, data: bytes | None = None) -> Reply:
        """Call SendDisconnect with disconnect data; None is the null pointer."""
        arguments: dict[str, Any] = {} if data is None else {"data": base64.b64encode(data).decode()}
        return self.call("send_disconnect", **arguments)

    def say_goodbye(self, data: bytes | None = None) -> Reply:
        """Call SendDisconnect; a peer that has no such call, and nothing to say with it, shuts sending down instead."""
        if data is None and self.end is End.PEER and not self.has("send_disconnect"):
            return self.shutdown("send")
        return self.send_disconnect(data)

    def send_disconnect_unreadable(self) -> Reply:
        """Call SendDisconnect with a buffer that cannot be read."""
        return self.call("send_disconnect", unreadable=True)

    def disconnect_ex(self, *, reuse: bool = False) -> Reply:
        """Call DisconnectEx, not overlapped."""
        return self.call("disconnect_ex", reuse=reuse, wait_ms=self.limits.patience_ms)

    def recv_disconnect(self, length: int | None = DISCONNECT_ROOM) -> Reply:
        """Call RecvDisconnect with room for so many octets; None is the null pointer."""
        arguments: dict[str, Any] = {} if length is None else {"length": length}
        return self.call("recv_disconnect", **arguments)

    def fetch_disconnect_data(self) -> bytes:
        """Call RecvDisconnect with room enough; the octets that it returned, none if it failed."""
        return base64.b64decode((self.recv_disconnect().result or {}).get("data", ""))

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
        """Set an option by the protocol's name for it. Raises CannotExercise where it is refused: the case needs it."""
        result_of(self.call("set_option", name=name, value=value), f"set_option {name}")

    def startup(self) -> Reply:
        """Start the provider up once more."""
        return self.call("startup")

    def cleanup(self) -> Reply:
        """Clean the provider up once."""
        return self.call("cleanup")

    def die(self) -> None:
        """End the agent's process by SIGKILL: the kernel closes what it held.

        Raises CannotExercise where the process is not ours: when it ended, and whether, nobody would know.
        """
        if not self.agent.can_be_killed:
            raise CannotExercise(f"the agent {self.agent.name} runs elsewhere: its process cannot be seen to die")
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
            if "PEEK" not in flags:
                self._take(reply)
        return reply

    def _take(self, reply: Reply) -> None:
        self.received += reply.result is not None

    def read_to_the_end(self, surface: str = "blocking") -> None:
        """Receive over this surface until an end or an error is told, or nothing has come for too long."""
        if surface.startswith("overlapped"):
            self._read_posted_to_the_end(surface.removeprefix("overlapped").removeprefix("-"))
            return
        if surface in TOLD_BY:
            self._read_told_to_the_end(surface)
            return
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
            elif not would_block(reply) or time.monotonic() - last_progress > patience_s:
                return
            elif surface not in POLLED:
                time.sleep(_PAUSE_S)

    def _read_posted_to_the_end(self, mechanism: str) -> None:
        """Post a receive and wait for its completion, again and again."""
        while True:
            reply = self.post_recv(mechanism=mechanism)
            if reply.result is None or not self.completed(token := str(reply.result["token"])):
                return
            result = self._completions[token].result
            if result is None or not (result["length"] or self._more_messages()):
                return

    def _read_told_to_the_end(self, mechanism: str) -> None:
        """Ask for FD_READ and FD_CLOSE, and receive whenever one of them is told: after FD_CLOSE, all there is."""
        self.select_events(*TOLD_BY[mechanism], mechanism=mechanism)
        while (told := self._next_event(TOLD_BY[mechanism], mechanism)) is not None:
            reply = self.read()
            while told == "FD_CLOSE" and reply.result is not None and self._is_data(reply):
                reply = self.read()
            if not would_block(reply) and not self._is_data(reply):
                return

    def _is_data(self, reply: Reply) -> bool:
        return reply.result is not None and bool(reply.result["length"] or self._more_messages())

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

    def post_recv(self, *, mechanism: str = "") -> Reply:
        """Post a receive, to complete by that mechanism (empty: the agent's own choice)."""
        return self.call("post_recv", length=CHUNK, **_by(mechanism))

    def post_read(self, *, mechanism: str = "") -> str:
        """Post a receive that must be taken; its token, for which `completed` waits."""
        return str(result_of(self.post_recv(mechanism=mechanism), "post_recv")["token"])

    def completed(self, token: str, *, wait_ms: int | None = None) -> bool:
        """Wait until a posted receive has ended; False if it has not within the session's patience."""
        limit = time.monotonic() + (self.limits.patience_ms if wait_ms is None else wait_ms) / 1000
        while token not in self._completions:
            remaining = limit - time.monotonic()
            if remaining <= 0 or not self.agent.wait_notice(remaining):
                self.recorder.note("waited in vain", self.end, completion=token)
                return False
            self.take_notices()
        return True

    def receive_posted(self, *, mechanism: str = "") -> None:
        """Post a receive, if it can be posted, and wait until it has ended."""
        reply = self.post_recv(mechanism=mechanism)
        if reply.result is not None:
            self.completed(str(reply.result["token"]))

    @contextmanager
    def receiving(self, *, posted: str | None = None, wait_ms: int | None = None) -> Iterator[None]:
        """Have a receive waiting, blocked in its call or posted, while the body happens; then wait for its end.

        `posted` is the mechanism by which it is to complete (empty: the agent's own choice), None if it is to block.
        A body may settle before it ends the connection, which must leave time enough to show that nothing was told.
        """
        if posted is not None:
            token = self.post_read(mechanism=posted)
            with self._reading_on():
                yield
            self.completed(token, wait_ms=wait_ms)
        else:
            limit = self.limits.settle_ms + self.limits.patience_ms if wait_ms is None else wait_ms
            pending = self.begin("recv", length=CHUNK, wait_ms=limit)
            with self._reading_on():
                yield
            self._take(self.finish(pending))

    @contextmanager
    def closing(self, *, wait_ms: int) -> Iterator[None]:
        """Have a close under way while the body happens, as far as the agent lets that be known; then wait for it.

        Another socket tells: a call on the one that is closed may come to end it, and wait in place of the close.
        """
        spare = self.spare()
        pending = self.begin("close", wait_ms=wait_ms)
        with self._reading_on(spare):
            yield
        self.finish(pending)

    @contextmanager
    def _reading_on(self, socket: int | None = None) -> Iterator[None]:
        """Have a later request answered before the body: by then the agent has at least begun with those before it.

        Where an implementation lets one call wait for another, it is answered after the body, which then happens when
        the session's patience is at an end.
        """
        hello = self.agent.hello
        later = self.begin("names", socket=socket) if hello.concurrent and "names" in hello.ops else None
        if later is not None and self.agent.wait_reply(later.request, self.limits.patience_ms / 1000):
            self.finish(later)
            later = None
        yield
        if later is not None:
            self.finish(later)

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
        return self._next_event((type,), mechanism, wait_ms) is not None

    def _next_event(self, types: tuple[str, ...], mechanism: str, wait_ms: int | None = None) -> str | None:
        """Wait until one of these is told; the last of them, if several are. None if none is, after all of the time."""
        limit = time.monotonic() + (self.limits.patience_ms if wait_ms is None else wait_ms) / 1000
        while True:
            remaining = limit - time.monotonic()
            self.take_notices()
            if mechanism == "event":
                told = [type for type in self.enum_events() if type in types]
            else:
                told = [type for type in types if (self.socket, type) in self._told]
                for type in told:
                    self._told.remove((self.socket, type))
            if told:
                return max(told, key=types.index)
            if remaining <= 0:
                self.recorder.note("waited in vain", self.end, event=" or ".join(types))
                return None
            if mechanism == "event":
                time.sleep(min(_ASKING_S, remaining))
            else:
                self.agent.wait_notice(remaining)

    def duplicate(self) -> int:
        """Duplicate the connection's handle; the new one."""
        return int(result_of(self.call("duplicate"), "duplicate")["socket"])

    def look_in_vain(self) -> Reply:
        """Receive for the settle time, to show that nothing comes."""
        return self.read(wait_ms=self.limits.settle_ms)


def _by(mechanism: str) -> dict[str, Any]:
    return {"mechanism": mechanism} if mechanism else {}


def would_block(reply: Reply) -> bool:
    """Whether the call answered that it would have had to wait."""
    return reply.error is not None and canonical(reply.error) is Condition.EWOULDBLOCK
