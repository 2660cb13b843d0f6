# SPDX-License-Identifier: MIT
"""The kernel agent's side of the protocol: takes a request, has the call made, says what came of it.

Calls that cannot block are made in the reading thread, the others in a worker's, so that the agent goes on answering.
`reset` starts a new generation: whatever belongs to an older one finds nobody to speak for it.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable

from conformance.agents.kernel.calls import LONGEST_DATA, Calls, Handle
from conformance.agents.kernel.outcomes import Call, NothingCame, Unsupported, error_value
from conformance.agents.kernel.readiness import SURFACES
from conformance.agents.kernel.workers import Workers

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import Any

VERSION = "1.0"
TRANSPORTS = {"tcp": "tcp", "unix-stream": "unix", "unix-seqpacket": "unix"}
OPS = [
    "socket",
    "listen",
    "accept",
    "connect",
    "send",
    "recv",
    "post_recv",
    "shutdown",
    "close",
    "duplicate",
    "set_linger",
    "get_linger",
    "set_blocking",
    "set_option",
    "get_error",
    "names",
    "poll",
]

_write_json = json.JSONEncoder(separators=(",", ":")).encode


def hello(transport: str, clock: str) -> dict[str, Any]:
    """Return what the agent says of itself and of the kernel."""
    system = os.uname()
    flags = ["GUARANTEED_DELIVERY", "GUARANTEED_ORDER", "GRACEFUL_CLOSE"]
    return {
        "protocol": 1,
        "agent": {"name": "python-socket", "version": VERSION},
        "implementation": {
            "name": f"{system.sysname.lower()}-{transport}",
            "version": system.release,
            "vendor": "kernel",
        },
        "family": "posix",
        "transport": TRANSPORTS[transport],
        "service_flags": [*flags, "MESSAGE_ORIENTED"] if transport == "unix-seqpacket" else flags,
        "limits": {"disconnect_data_max": 0, "message_max": None},
        "surfaces": ["blocking", "nonblocking", *SURFACES],
        "ops": OPS,
        "reads_ahead": False,
        "concurrent": True,
        "clock": clock,
    }


class Conversation:
    """One suite, from the first line to `bye` or end of file."""

    def __init__(self, transport: str, clock: str, output: int) -> None:
        self._hello = hello(transport, clock)
        self._output = output
        self._speaking = threading.Lock()
        self._notices = 0
        self._posted = 0
        self._generation = 0
        self._calls = Calls()
        self._workers = Workers()

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
            self._say({"id": number, "result": self._hello})
        elif op == "reset":
            self._say({"id": number, **self._reset()})
        elif op not in OPS:
            self._say({"id": number, "unsupported": f"no operation {op!r}"})
        else:
            self._carry_out(number, op, request)
        return True

    def _carry_out(self, number: int, op: str, arguments: dict[str, Any]) -> None:
        generation = self._generation
        call = Call()
        try:
            if op != "socket":
                arguments["handle"] = self._calls.handle(arguments.pop("socket"))
            if op == "post_recv":
                self._post(number, **arguments)
                return
        except Exception as error:
            self._say({"id": number, "failure": f"{type(error).__name__}: {error}"})
            return

        def carry_out() -> dict[str, Any]:
            method = getattr(self._calls, "new_socket" if op == "socket" else op)
            return {"id": number, **_outcome(call, lambda: method(call, **arguments))}

        if not _may_block(op, arguments):
            self._say(carry_out())
        elif op == "close":
            self._close_within(arguments.get("wait_ms", 0), carry_out, {"id": number, "timeout": True}, call)
        else:
            self._workers.run(lambda: self._say(carry_out(), generation))

    def _close_within(
        self, wait_ms: int, close: Callable[[], dict[str, Any]], late: dict[str, Any], call: Call
    ) -> None:
        """Nothing bounds a close(2), so a second thread keeps the time, and who comes first answers."""
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

        self._workers.run(run)
        self._workers.run(keep_time)

    def _post(self, number: int, handle: Handle, length: int) -> None:
        """Answer with a token, then receive in a thread; a completion tells the rest."""
        if not 0 <= length <= LONGEST_DATA:
            raise ValueError(f"a posted receive takes 0 to {LONGEST_DATA} octets, not {length}")
        generation = self._generation
        self._posted += 1
        token = f"r{self._posted}"
        call = Call()

        def receive() -> None:
            came: dict[str, Any] = {"timeout": True}
            while "timeout" in came:  # a limit that an earlier receive had set is none for this one
                came = _outcome(call, lambda: self._calls.recv(call, handle, length, wait_ms=None))
            if "failure" in came:
                # A completion cannot say it; a death is at least not taken for an answer of the kernel.
                sys.stderr.write(f"posted receive: {came['failure']}\n")
                os._exit(1)
            _, at = came.pop("call")
            self._notify("completion", {"token": token, **came, "mechanism": "thread", "at": at}, generation)

        now = time.time_ns()
        self._say({"id": number, "result": {"token": token}, "call": [now, now]})
        self._workers.run(receive)

    def _reset(self) -> dict[str, Any]:
        self._generation += 1
        if not self._workers.wake(self._calls.drop_all):
            return {"failure": "a call does not end, although its socket is closed"}
        self._calls.drop_all()
        self._calls.forget_all()
        return {"result": {}}

    def _say(self, message: dict[str, Any], generation: int | None = None) -> None:
        """Write a line, unless it belongs to a generation that is over."""
        with self._speaking:
            if generation in (None, self._generation):
                self._write(message)

    def _notify(self, kind: str, notice: dict[str, Any], generation: int) -> None:
        with self._speaking:
            if generation == self._generation:
                self._notices += 1
                self._write({kind: {"n": self._notices, **notice}})

    def _write(self, message: dict[str, Any]) -> None:
        line = memoryview(_write_json(message).encode() + b"\n")
        try:
            while line:
                line = line[os.write(self._output, line) :]
        except OSError:
            os._exit(0)  # nobody listens any more


def _may_block(op: str, arguments: dict[str, Any]) -> bool:
    handle: Handle | None = arguments.get("handle")
    if handle is None or not handle.open:
        return False
    if op == "close":
        return handle.lingers()
    if op == "poll":
        return bool(arguments.get("wait_ms"))
    if op in ("accept", "connect"):
        return handle.blocks()
    return op in ("send", "recv") and bool(arguments.get("wait_ms")) and handle.blocks()


def _outcome(call: Call, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Have a call made, and return the reply but for its id."""
    try:
        return {"result": make(), "call": call.times()}
    except NothingCame:
        return {"timeout": True, "call": call.times()}
    except Unsupported as error:
        return {"unsupported": str(error)}
    except socket.gaierror as error:
        return {"failure": f"not a numeric address: {error}"}
    except OSError as error:
        if error.errno is not None:
            return {"error": error_value(error.errno), "call": call.times()}
        return {"failure": f"{type(error).__name__}: {error}"}
    except Exception as error:
        return {"failure": f"{type(error).__name__}: {error}"}
