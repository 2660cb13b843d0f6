# SPDX-License-Identifier: MIT
"""The messages of the agent protocol: encoding requests, and decoding what an agent says, strictly.

What one line can tell by itself is checked here; what needs the order of lines (ids, the count of notices, deadlines)
is the client's to check. `operations` has the arguments and results, `docs/agent-protocol.md` the meaning.
"""

from __future__ import annotations

import binascii
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from conformance.agents.operations import CONTROL_OPS, REQUESTS, RESULTS, Hello, Natural, Received, Text
from conformance.agents.problems import ProtocolViolation
from conformance.trace.events import ErrorValue, Outcome

VERSION = 1
MAX_LINE = 4 * 1024 * 1024
"""Octets of one line, its newline included."""

_REPLIES = ("result", "error", "timeout", "unsupported", "failure")
_RAW_SLACK = 200


class Reply(msgspec.Struct, frozen=True):
    """The answer to one request: `outcome` says which of `result`, `error` and `text` speaks.

    `call` holds the times of entry and return, nanoseconds since 1970-01-01 UTC, where a call was made.
    """

    id: int
    outcome: Outcome
    result: dict[str, Any] | None = None
    error: ErrorValue | None = None
    text: str = ""
    call: tuple[int, int] | None = None


class EventNotice(msgspec.Struct, frozen=True, kw_only=True):
    """An indication that the implementation raised by itself; `error` is None for success."""

    n: int
    type: str
    at: int
    socket: int | None
    error: ErrorValue | None
    name: str = ""
    args: Any = None


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An indication as it stands on the line, where an upcall may leave out what it does not know."""

    n: Annotated[int, Meta(ge=1)]
    type: Literal["FD_READ", "FD_WRITE", "FD_CLOSE", "END", "CLOSED", "UPCALL"]
    at: Natural
    socket: Natural | UnsetType | None = UNSET
    error: ErrorValue | UnsetType | None = UNSET
    name: str = ""
    args: Any = None


class CompletionNotice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The end of a posted operation: `result` or `error`, one of the two."""

    n: Annotated[int, Meta(ge=1)]
    token: Text
    at: Natural
    mechanism: Text
    result: dict[str, Any] | None = None
    error: ErrorValue | None = None


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can stand on a line; which combinations may, `decode_line` says."""

    id: Natural | UnsetType = UNSET
    result: dict[str, Any] | UnsetType = UNSET
    error: ErrorValue | UnsetType = UNSET
    timeout: bool | UnsetType = UNSET
    unsupported: str | UnsetType = UNSET
    failure: str | UnsetType = UNSET
    call: tuple[Natural, Natural] | UnsetType = UNSET
    event: Event | UnsetType = UNSET
    completion: CompletionNotice | UnsetType = UNSET


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Line).decode


def encode_request(request: int, op: str, /, **arguments: Any) -> bytes:
    """Return the line that asks for `op`.

    The names of the arguments of a known operation are checked (TypeError), their values are not: a case may send
    wrong ones on purpose. An unknown operation is sent as it is. Octets may be given as `bytes` or base64 text.
    """
    kind = REQUESTS.get(op)
    if kind is None:
        return bytes(_encode({"id": request, "op": op, **arguments})) + b"\n"
    return bytes(_encode(kind(id=request, **arguments))) + b"\n"


def decode_line(line: bytes) -> Reply | EventNotice | CompletionNotice:
    """Read one line, with or without its newline; raises ProtocolViolation if the protocol does not allow it."""
    if len(line) > MAX_LINE:
        raise too_long(line, len(line))
    message = _read(line)
    if message.event is not UNSET:
        _alone(line, message, "event")
        return _event(line, message.event)
    if message.completion is not UNSET:
        _alone(line, message, "completion")
        return _completion(line, message.completion)
    return _reply(line, message)


def check_reply(reply: Reply, op: str, line: bytes) -> None:
    """Check what only the operation can tell: that a call has its times, and a result its shape (ProtocolViolation)."""
    if reply.outcome in (Outcome.UNSUPPORTED, Outcome.FAILURE):
        return
    if reply.call is None and op not in CONTROL_OPS:
        raise ProtocolViolation(
            line,
            f"the {reply.outcome} of `{op}` has no `call` - at `$.call`",
            'add "call":[t0,t1]: the times of entry and return in integer nanoseconds since 1970-01-01 UTC',
        )
    kind = REQUESTS.get(op)
    if reply.outcome is not Outcome.RESULT or kind is None:
        return
    try:
        result = msgspec.convert(reply.result, RESULTS[kind])
    except msgspec.ValidationError as error:
        raise ProtocolViolation(
            line,
            f"wrong result of `{op}`: {_placed(error, 'result')}",
            f"the table of operations in docs/agent-protocol.md has the result of `{op}`",
        ) from None
    if isinstance(result, Received):
        _check_received(result, op, line)


def decode_hello(reply: Reply) -> Hello:
    """Return the result of `hello`, which `check_reply` has accepted."""
    return msgspec.convert(reply.result, Hello)


def too_long(beginning: bytes, length: int) -> ProtocolViolation:
    """Return the problem of a line of `length` octets or more, of which only the beginning is shown."""
    return ProtocolViolation(
        beginning[:_RAW_SLACK],
        f"a line of {length} octets or more; at most {MAX_LINE} are allowed",
        'end each message with "\\n"; for bulk data the suite asks for a digest: answer "sha256" in place of "data"',
    )


def _read(line: bytes) -> _Line:
    try:
        if not line.isascii():
            line.decode("utf-8")
        return _decode(line)
    except UnicodeDecodeError as error:
        why = f"not UTF-8: octet 0x{line[error.start]:02x} at position {error.start}"
        hint = "write UTF-8, or escape everything beyond ASCII as \\uXXXX"
    except msgspec.ValidationError as error:
        why = f"not a message of the protocol: {_placed(error)}"
        hint = "docs/agent-protocol.md has the shape of each message, schema.json the same for a validator"
    except msgspec.DecodeError as error:
        why = f"not JSON: {error}"
        hint = "write one JSON object per line to standard output, and everything else to standard error"
    except RecursionError:
        why = "not a message of the protocol: nested too deeply"
        hint = "docs/agent-protocol.md has the shape of each message"
    raise ProtocolViolation(line, why, hint)


def _placed(error: msgspec.ValidationError, below: str = "") -> str:
    """Return the error's text, which always says where: `$` is the whole line."""
    text = str(error)
    place = f"$.{below}" if below else "$"
    if " - at `$" in text:
        return text.replace(" - at `$", f" - at `{place}", 1)
    return f"{text} - at `{place}`"


def _alone(line: bytes, message: _Line, kind: str) -> None:
    for name in _Line.__struct_fields__:
        if name != kind and getattr(message, name) is not UNSET:
            raise ProtocolViolation(
                line, f"`{kind}` and `{name}` in one line - at `$.{name}`", "write each message on a line of its own"
            )


def _event(line: bytes, event: Event) -> EventNotice:
    upcall = event.type == "UPCALL"
    if upcall and not event.name:
        raise ProtocolViolation(
            line, "an upcall without `name` - at `$.event.name`", "name the upcall: WPUPostMessage…"
        )
    for name in ("socket", "error"):
        if getattr(event, name) is UNSET and not upcall:
            raise ProtocolViolation(
                line,
                f"an event of type {event.type} without `{name}` - at `$.event.{name}`",
                'success is "error":null, said and not left out' if name == "error" else "say which socket it is about",
            )
    socket = None if event.socket is UNSET else event.socket
    error = None if event.error is UNSET else event.error
    _check_error(line, error, "event.error")
    return EventNotice(
        n=event.n, type=event.type, at=event.at, socket=socket, error=error, name=event.name, args=event.args
    )


def _completion(line: bytes, completion: CompletionNotice) -> CompletionNotice:
    if (completion.result is None) == (completion.error is None):
        raise ProtocolViolation(
            line,
            "a completion has exactly one of `result` and `error` - at `$.completion`",
            "success is `result` with the same members as the reply of `recv`; anything else is `error`",
        )
    _check_error(line, completion.error, "completion.error")
    return completion


def _reply(line: bytes, message: _Line) -> Reply:
    if message.id is UNSET:
        raise ProtocolViolation(
            line,
            "neither a reply (no `id`) nor a notice (no `event`, no `completion`) - at `$`",
            "a reply carries the `id` of its request",
        )
    said = [name for name in _REPLIES if getattr(message, name) is not UNSET]
    if len(said) != 1:
        raise ProtocolViolation(
            line,
            f"a reply has exactly one of {', '.join(_REPLIES)}; this one has {' and '.join(said) or 'none'} - at `$`",
            'a call that returned nothing but success is "result":{}',
        )
    outcome = Outcome(said[0])
    if outcome is Outcome.TIMEOUT and message.timeout is not True:
        raise ProtocolViolation(line, "`timeout` is always true - at `$.timeout`", "leave it out where it is not so")
    call = None if message.call is UNSET else message.call
    if call is not None and call[0] > call[1]:
        raise ProtocolViolation(
            line,
            f"the call returned {call[0] - call[1]} ns before it was entered - at `$.call`",
            "take the times from CLOCK_REALTIME directly before and after the call, in this order",
        )
    error = None if message.error is UNSET else message.error
    _check_error(line, error, "error")
    text = message.unsupported or message.failure or ""
    return Reply(message.id, outcome, None if message.result is UNSET else message.result, error, text, call)


def _check_error(line: bytes, error: ErrorValue | None, place: str) -> None:
    if error is not None and not error.name:
        raise ProtocolViolation(
            line,
            f"an error without a name - at `$.{place}.name`",
            "give the implementation's own symbol for it, such as ECONNRESET",
        )


def _check_received(result: Received, op: str, line: bytes) -> None:
    if result.data is not UNSET:
        try:
            length = len(binascii.a2b_base64(result.data, strict_mode=True))
        except ValueError as error:
            raise ProtocolViolation(
                line, f"not base64: {error} - at `$.result.data`", "RFC 4648 section 4, with padding"
            ) from None
        if length != result.length:
            raise ProtocolViolation(
                line,
                f"`length` is {result.length}, but `data` has {length} octets - at `$.result.length`",
                "`length` is what the call returned, `data` exactly these octets",
            )
    elif result.sha256 is UNSET and result.length:
        raise ProtocolViolation(
            line,
            f"{result.length} octets received by `{op}`, but neither `data` nor `sha256` - at `$.result.data`",
            "answer `data` (base64), or `sha256` where the request says digest: true",
        )
