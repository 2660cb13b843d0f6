# SPDX-License-Identifier: MIT
"""An agent's side of the protocol: takes a request, has the call made, says what came of it.

Calls that cannot block are made in the reading thread, the others in a worker's, so that the agent goes on answering.
`reset` starts a new generation: whatever belongs to an older one finds nobody to speak for it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable

from conformance.agents.serving.implementation import Implementation
from conformance.agents.serving.outcomes import Call, outcome

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import Any

_write_json = json.JSONEncoder(separators=(",", ":")).encode


class Conversation:
    """One suite, from the first line to `bye` or end of file."""

    def __init__(self, implementation: Implementation, clock: str, output: int) -> None:
        self._implementation = implementation
        self._clock = clock
        self._output = output
        self._speaking = threading.Lock()
        self._notices = 0
        self._posted = 0
        self._generation = 0
        implementation.indicate = self._teller("event")

    def take(self, line: bytes) -> bool:
        """Carry out one request, or see to it that it is; False after `bye`."""
        try:
            request = json.loads(line)
            number, op = request.pop("id"), request.pop("op")
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            sys.stderr.write(f"not a request ({error!r}): {line[:200]!r}\n")
            os._exit(2)
        if op == "bye":
            self._say({"id": number, "result": {}})
            return False
        if op == "hello":
            self._say({"id": number, "result": self._implementation.hello(self._clock)})
        elif op == "reset":
            self._say({"id": number, **self._reset()})
        elif op not in self._implementation.ops:
            self._say({"id": number, "unsupported": f"no operation {op!r}"})
        else:
            self._carry_out(number, op, request)
        return True

    def _carry_out(self, number: int, op: str, arguments: dict[str, Any]) -> None:
        generation = self._generation
        call = Call()
        try:
            if op != "socket":
                arguments["handle"] = self._implementation.handle(arguments.pop("socket"))
        except Exception as error:
            self._say({"id": number, "failure": f"{type(error).__name__}: {error}"})
            return
        if arguments.pop("unreadable", False):
            self._say({"id": number, "unsupported": "buffers are no addresses here: none is unreadable"})
            return
        if op in ("post_recv", "post_send"):
            self._post(number, op, call, arguments)
            return

        def carry_out() -> dict[str, Any]:
            method = getattr(self._implementation, "new_socket" if op == "socket" else op)
            return {"id": number, **outcome(call, lambda: method(call, **arguments))}

        if not self._implementation.may_block(op, arguments):
            self._say(carry_out())
        elif op == "close":
            self._close_within(arguments.get("wait_ms", 0), carry_out, {"id": number, "timeout": True}, call)
        else:
            self._implementation.workers.run(lambda: self._say(carry_out(), generation))

    def _close_within(
        self, wait_ms: int, close: Callable[[], dict[str, Any]], late: dict[str, Any], call: Call
    ) -> None:
        """Nothing need bound a close, so a second thread keeps the time, and who comes first answers."""
        generation = self._generation
        answering = threading.Lock()
        closed = threading.Event()

        def run() -> None:
            reply = close()
            closed.set()
            if answering.acquire(blocking=False):
                self._say(reply, generation)

        def keep_time() -> None:
            if not closed.wait(wait_ms / 1000) and answering.acquire(blocking=False):
                self._say({**late, "call": call.times()}, generation)

        self._implementation.workers.run(run)
        self._implementation.workers.run(keep_time)

    def _post(self, number: int, op: str, call: Call, arguments: dict[str, Any]) -> None:
        """Answer with a token; a completion, which never comes before that answer, tells the rest."""
        self._posted += 1
        mechanism = arguments.pop("mechanism", "")
        if mechanism and mechanism not in self._implementation.mechanisms:
            self._say({"id": number, "unsupported": f"nothing here completes by {mechanism!r}"})
            return
        token = f"r{self._posted}"
        tell = self._teller("completion")
        answered = threading.Event()
        early: list[dict[str, Any]] = []
        turn = threading.Lock()

        def complete(how: dict[str, Any]) -> None:
            with turn:
                if not answered.is_set():
                    early.append(how)
                    return
            tell({"token": token, **how})

        post = getattr(self._implementation, op)
        reply = outcome(call, lambda: post(call, complete=complete, **arguments))
        if "result" in reply:
            reply["result"] = {**reply["result"], "token": token}
        self._say({"id": number, **reply})
        with turn:
            answered.set()
        for how in early:
            tell({"token": token, **how})

    def _reset(self) -> dict[str, Any]:
        self._generation += 1
        self._implementation.indicate = self._teller("event")
        if not self._implementation.workers.wake(self._implementation.drop_all):
            return {"failure": "a call does not end, although its socket is closed"}
        self._implementation.drop_all()
        self._implementation.forget_all()
        return {"result": {}}

    def _say(self, message: dict[str, Any], generation: int | None = None) -> None:
        """Write a line, unless it belongs to a generation that is over."""
        with self._speaking:
            if generation in (None, self._generation):
                self._write(message)

    def _teller(self, kind: str) -> Callable[[dict[str, Any]], None]:
        """What tells notices of a kind for as long as the present generation lasts."""
        generation = self._generation

        def tell(notice: dict[str, Any]) -> None:
            with self._speaking:
                if generation == self._generation:
                    self._notices += 1
                    self._write({kind: {"n": self._notices, **notice}})

        return tell

    def _write(self, message: dict[str, Any]) -> None:
        line = memoryview(_write_json(message).encode() + b"\n")
        try:
            while line:
                line = line[os.write(self._output, line) :]
        except OSError:
            os._exit(0)  # nobody listens any more
