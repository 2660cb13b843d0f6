# SPDX-License-Identifier: MIT
"""The lines between the suite and a sound agent, passed through a mutant's filters.

Requests that a filter adds have ids of their own, and their replies are not passed on. Notices are counted anew, and
what is delayed beyond a `reset` is never said. Reading and writing are left to `__main__`.
"""

from __future__ import annotations

import json
import time

from conformance.agents.mutating.messages import Completion, Event, Memory, Message, Reply, Request
from conformance.agents.mutating.mutants import SEES, Mutant

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

OWN_IDS = 1 << 40
"""Ids of requests that the suite has not made begin here."""
_write = json.JSONEncoder(separators=(",", ":")).encode


class Mutated:
    """The conversation of one mutated agent, in one thread.

    `ask` takes a line for the sound agent, `tell` one for the suite, `delay` what is to be done so many milliseconds
    later.
    """

    def __init__(
        self,
        mutant: Mutant,
        ask: Callable[[bytes], None],
        tell: Callable[[bytes], None],
        delay: Callable[[int, Callable[[], None]], None],
    ) -> None:
        self._mutant = mutant
        self._ask, self._tell, self._delay = ask, tell, delay
        self._memory = Memory()
        self._filters = mutant.filters()
        self._requests: dict[int, Request] = {}
        self._posted: dict[str, Request] = {}
        self._own = OWN_IDS
        self._notices = 0
        self._generation = 0

    def take_request(self, line: bytes) -> None:
        """A line of the suite."""
        request = Request(json.loads(line), self._memory)
        if request.op == "reset":
            self._generation += 1
            self._memory.forget()
            self._filters = self._mutant.filters()
            self._requests.clear()
            self._posted.clear()
        self._requests[request.body["id"]] = request
        if request.op in ("hello", "reset", "bye"):
            self._ask(line)
            return
        instead = self._filtered(request)
        answered = any(isinstance(message, Reply) for message in instead)
        for message in instead:
            if isinstance(message, Request) and (answered or message is not instead[-1]):
                self._own += 1
                self._pass_on(message.but(id=self._own), b"")
            else:
                self._pass_on(message, line if message is request else b"")

    def take_answer(self, line: bytes) -> None:
        """A line of the sound agent."""
        body = json.loads(line)
        if "id" in body and body["id"] >= OWN_IDS:
            return
        message = self._message(body)
        if message is None:
            self._tell(line)
            return
        op = message.op if isinstance(message, Reply) else ""
        if isinstance(message, Reply) and op == "hello" and "result" in body:
            message = Reply({**body, "result": self._introduced(body["result"])}, message.request)
            line = _line(message.body)
        if op in ("reset", "bye"):
            self._tell(line)
            return
        for each in self._filtered(message):
            self._pass_on(each, line if each is message and isinstance(message, Reply) else b"")

    def _message(self, body: dict[str, Any]) -> Reply | Completion | Event | None:
        if "event" in body:
            return Event(body, self._memory)
        if "completion" in body:
            posted = self._posted.get(body["completion"]["token"])
            return Completion(body, posted) if posted else None
        request = self._requests.pop(body["id"], None)
        if request is None:
            return None
        token = (body.get("result") or {}).get("token")
        if token is not None:
            self._posted[token] = request
        return Reply(body, request)

    def _introduced(self, hello: dict[str, Any]) -> dict[str, Any]:
        """What the sound agent says of itself, as the mutant says it."""
        self._memory.winsock = hello["family"].startswith("winsock")
        agent = {**hello["agent"], "name": f"{hello['agent']['name']}, mutated: {self._mutant.name}"}
        flags = list(dict.fromkeys([*hello["service_flags"], *self._mutant.claims]))
        return {**hello, "agent": agent, "service_flags": flags}

    def _filtered(self, message: Message) -> list[Message]:
        """What becomes of a message: itself, others, or nothing."""
        for name, change in self._filters.items():
            if isinstance(message, SEES[name]):
                changed = change(message)
                return changed if isinstance(changed, list) else [] if changed is None else [changed]
        return [message]

    def _pass_on(self, message: Message, line: bytes) -> None:
        """Say it now or later; `line` is the message as it came, if it is the same."""
        if message.delay_ms:
            generation, late = self._generation, message

            def say_late() -> None:
                if generation == self._generation:
                    self._say(late.body if isinstance(late, Request) else _dated(late.body), late)

            self._delay(message.delay_ms, say_late)
        elif line:
            (self._ask if isinstance(message, Request) else self._tell)(line)
        else:
            self._say(message.body, message)

    def _say(self, body: dict[str, Any], message: Message) -> None:
        if isinstance(message, Request):
            self._ask(_line(body))
            return
        for kind in ("event", "completion"):
            if kind in body:
                self._notices += 1
                body = {kind: {**body[kind], "n": self._notices}}
        if isinstance(message, Reply):
            self._requests.pop(body["id"], None)
        self._tell(_line(body))


def _line(body: dict[str, Any]) -> bytes:
    return _write(body).encode() + b"\n"


def _dated(body: dict[str, Any]) -> dict[str, Any]:
    """The same, told now."""
    now = time.time_ns()
    if "call" in body:
        return {**body, "call": [body["call"][0], now]}
    return {kind: {**told, "at": now} for kind, told in body.items()}
