# SPDX-License-Identifier: MIT
"""What a filter sees of the conversation, and the words with which it says what the implementation does instead.

A message is never changed in place: each word returns another one. Errors are named without Winsock's prefix, and told
as the implementation's family names them.
"""

from __future__ import annotations

import binascii
import errno
import time

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import Any, Self

RECEIVES = ("recv", "post_recv")
RESETS = ("ECONNRESET", "ECONNABORTED", "ENETRESET", "ConnectionResetError", "ConnectionAbortedError", "StreamReset")
GRACEFUL = ("EDISCON", "ConnectionClosedOK")
BY_CLOSE_CODE = ("ConnectionClosedError", "CloseConnection")
"""Words of WebSocket libraries for an end of either kind; the code tells which."""
ABNORMAL = 1006


class Memory:
    """What a mutant has kept since the last `reset`, and what is known of its agent."""

    def __init__(self) -> None:
        self.winsock = False
        self.forget()

    def forget(self) -> None:
        """A new case begins."""
        self.everywhere: dict[Any, Any] = {}
        self.sockets: dict[int | None, dict[Any, Any]] = {}
        self.recording: set[int | None] = set()
        """The sockets whose events are kept in a record, and not posted."""


class Message:
    """A line of the conversation. `body` is its JSON, `socket` whom it is about."""

    def __init__(self, body: dict[str, Any], memory: Memory, socket: int | None, delay_ms: int = 0) -> None:
        self.body = body
        self.memory = memory
        self.socket = socket
        self.delay_ms = delay_ms

    @property
    def here(self) -> dict[Any, Any]:
        """What is kept for this socket, until the case ends: a filter may keep in it what it likes."""
        return self.memory.sockets.setdefault(self.socket, {})

    @property
    def everywhere(self) -> dict[Any, Any]:
        """The same for all sockets of the agent together."""
        return self.memory.everywhere

    def nth(self, what: str) -> int:
        """How often this socket has met `what` by now, this time included: 1 the first time."""
        count: int = self.here.get(what, 0) + 1
        self.here[what] = count
        return count

    def later(self, ms: int) -> Self:
        """The same, so many milliseconds later; its times are those of then."""
        return self._with(self.body, delay_ms=ms)

    def _with(self, body: dict[str, Any], *, delay_ms: int | None = None) -> Self:
        raise NotImplementedError

    def _error(self, name: str) -> dict[str, Any]:
        if self.memory.winsock and name.startswith("E"):
            return {"name": f"WSA{name}", "code": None}
        return {"name": name, "code": getattr(errno, name, None)}


def _plain(error: dict[str, Any] | None) -> str | None:
    return error["name"].removeprefix("WSA") if error else None


def _text(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()


class Request(Message):
    """What the suite asks for."""

    def __init__(self, body: dict[str, Any], memory: Memory, delay_ms: int = 0) -> None:
        super().__init__(body, memory, body.get("socket"), delay_ms)

    @property
    def op(self) -> str:
        """The operation."""
        return str(self.body["op"])

    def get(self, name: str, otherwise: Any = None) -> Any:
        """An argument."""
        return self.body.get(name, otherwise)

    @property
    def length(self) -> int:
        """How many octets it is to send or may receive."""
        if self.op in ("send", "post_send", "send_disconnect"):
            bulk = self.get("pattern")
            return int(bulk["length"]) if bulk else len(self.data)
        return int(self.get("length") or 0)

    @property
    def data(self) -> bytes:
        """The octets that it gives; empty where these are a pattern, or none."""
        return binascii.a2b_base64(self.get("data") or "")

    def with_data(self, data: bytes) -> Request:
        """The same operation with these octets."""
        return self.but(data=_text(data))

    def but(self, **arguments: Any) -> Request:
        """The same operation with other arguments; None takes one away."""
        body = {**self.body, **arguments}
        return self._with({name: value for name, value in body.items() if value is not None})

    def instead(self, op: str, **arguments: Any) -> Request:
        """Another operation on the same socket."""
        return self._with({"id": self.body["id"], "op": op, "socket": self.socket, **arguments})

    def abort(self) -> list[Request]:
        """What resets the connection and gives up the socket: linger on with 0 s, and close."""
        return [self.instead("set_linger", on=True, seconds=0), self.instead("close", wait_ms=1000)]

    def succeed(self, **result: Any) -> Reply:
        """Success, and nothing was done."""
        return self._answered(result=result)

    def fail(self, error: str) -> Reply:
        """An error, and nothing was done."""
        return self._answered(error=self._error(error))

    def nothing_comes(self) -> Reply:
        """No answer of the implementation within the time that the request gives it, and nothing was done."""
        return self._answered(timeout=True).later(self.get("wait_ms", 0))

    def _answered(self, **answer: Any) -> Reply:
        now = time.time_ns()
        return Reply({"id": self.body["id"], **answer, "call": [now, now]}, self)

    def _with(self, body: dict[str, Any], *, delay_ms: int | None = None) -> Request:
        return Request(body, self.memory, self.delay_ms if delay_ms is None else delay_ms)


class Outcome(Message):
    """How an operation ended, told at once (`Reply`) or of a posted one later (`Completion`)."""

    def __init__(self, body: dict[str, Any], request: Request, delay_ms: int = 0) -> None:
        super().__init__(body, request.memory, request.socket, delay_ms)
        self.request = request

    @property
    def _told(self) -> dict[str, Any]:
        return self.body

    @property
    def op(self) -> str:
        """The operation that was asked for."""
        return self.request.op

    @property
    def result(self) -> dict[str, Any] | None:
        """The result, if it succeeded."""
        return self._told.get("result")

    @property
    def error(self) -> str | None:
        """The name of the error without the prefix of Winsock, if it failed."""
        return _plain(self._told.get("error"))

    @property
    def is_receive(self) -> bool:
        """A receive ended, one that was to take something; not a peek."""
        return self.op in RECEIVES and self.request.length > 0 and "PEEK" not in self.request.get("flags", ())

    @property
    def has_data(self) -> bool:
        """A receive took something."""
        return self.is_receive and bool(self.result and self.result.get("length"))

    @property
    def is_end(self) -> bool:
        """A receive told of a graceful end: 0 bytes of a stream, EDISCON, or a library's word for it."""
        no_bytes = self.result is not None and self.result.get("length") == 0 and not self.result.get("partial")
        by_code = self.error in BY_CLOSE_CODE and self._code not in (None, ABNORMAL)
        return self.is_receive and (no_bytes or self.error in GRACEFUL or by_code)

    @property
    def is_reset(self) -> bool:
        """A receive told of an abort."""
        by_code = self.error in BY_CLOSE_CODE and self._code == ABNORMAL
        return self.is_receive and (self.error in RESETS or by_code)

    @property
    def _code(self) -> int | None:
        return (self._told.get("error") or {}).get("code")

    @property
    def data(self) -> bytes:
        """The octets that it brought; empty where they were only summed up."""
        return binascii.a2b_base64((self.result or {}).get("data") or "")

    def as_result(self, **result: Any) -> Self:
        """Success, with this result."""
        return self._ended(result=result)

    def as_error(self, error: str) -> Self:
        """An error of that name (without Winsock's prefix)."""
        return self._ended(error=self._error(error))

    def as_end(self) -> Self:
        """The graceful end of a stream: success with 0 bytes."""
        return self.as_data(b"")

    def as_data(self, data: bytes) -> Self:
        """Success, with these octets."""
        kept = {name: value for name, value in (self.result or {}).items() if name not in ("sha256", "partial")}
        return self.as_result(**{**kept, "length": len(data), "data": _text(data)})

    def _ended(self, **how: Any) -> Self:
        return self._with({**{k: v for k, v in self._told.items() if k not in ("result", "error", "timeout")}, **how})


class Reply(Outcome):
    """The answer to a request."""

    @property
    def timed_out(self) -> bool:
        """Nothing came within the time that the request gave it."""
        return "timeout" in self.body

    def but(self, **members: Any) -> Reply:
        """The same line with other members."""
        return self._with({**self.body, **members})

    def as_nothing(self) -> Reply:
        """Nothing came, and the caller waited for all of its time."""
        return self._ended(timeout=True).later(self.request.get("wait_ms", 0))

    def completion(self, error: str | None = None, *, token: str, **more: Any) -> Completion:
        """A completion that is told as well: of that token, with the request as what posted it."""
        how = {"error": self._error(error)} if error else {"result": {}}
        return Completion({"completion": {"token": token, **how, "at": time.time_ns(), **more}}, self.request)

    def event(self, kind: str, error: str | None = None) -> Event:
        """An indication on the same socket, to be told as well."""
        return made_event(self.memory, kind, self.socket, self._error(error) if error else None)

    def _with(self, body: dict[str, Any], *, delay_ms: int | None = None) -> Reply:
        return Reply(body, self.request, self.delay_ms if delay_ms is None else delay_ms)


class Completion(Outcome):
    """The end of a posted operation; `request` is what posted it."""

    @property
    def token(self) -> str:
        """Which operation ended, by the name that it was given when it was posted."""
        return str(self._told["token"])

    def but(self, **members: Any) -> Completion:
        """The same with other members (`token`, `mechanism`)."""
        return self._with({**self._told, **members})

    @property
    def _told(self) -> dict[str, Any]:
        told: dict[str, Any] = self.body["completion"]
        return told

    def _with(self, body: dict[str, Any], *, delay_ms: int | None = None) -> Completion:
        whole = body if "completion" in body else {"completion": body}
        return Completion(whole, self.request, self.delay_ms if delay_ms is None else delay_ms)


class Event(Message):
    """An indication that the implementation raised by itself: posted, or read from the socket's record (`recorded`)."""

    def __init__(self, body: dict[str, Any], memory: Memory, delay_ms: int = 0, *, recorded: bool = False) -> None:
        super().__init__(body, memory, body["event"].get("socket"), delay_ms)
        self.recorded = recorded

    @property
    def type(self) -> str:
        """FD_CLOSE, FD_READ, END, UPCALL…"""
        return str(self.body["event"]["type"])

    @property
    def error(self) -> str | None:
        """The name of the error that it carries, without the prefix of Winsock."""
        return _plain(self.body["event"].get("error"))

    def but(self, **members: Any) -> Event:
        """The same with other members (`type`, `socket`, `name`, `args`)."""
        return self._with({"event": {**self.body["event"], **members}})

    def as_error(self, error: str | None) -> Event:
        """The same with that error, or with none."""
        return self.but(error=self._error(error) if error else None)

    def _with(self, body: dict[str, Any], *, delay_ms: int | None = None) -> Event:
        delay_ms = self.delay_ms if delay_ms is None else delay_ms
        return Event(body, self.memory, delay_ms, recorded=self.recorded)


def made_event(memory: Memory, kind: str, socket: int | None, error: dict[str, Any] | None) -> Event:
    """An indication of a mutant's own making, told as others of that socket are."""
    body = {"event": {"type": kind, "socket": socket, "error": error, "at": time.time_ns()}}
    return Event(body, memory, recorded=socket in memory.recording)
