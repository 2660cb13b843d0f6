# SPDX-License-Identifier: MIT
"""WebSocket on the link (RFC 6455): the upgrade, then frames: TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG.

Read by hand and not by a library, because libraries are what is tested: the tests hold it against two of them. Any
frame that the RFC forbids its sender is a unit MALFORMED, whose field `frame` names what it was meant to be. A Close
carries its whole payload as data, and its code (None where there is none) and reason as fields.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from conformance.trace.events import End
from conformance.wire.pdus import KEPT_DATA_OCTETS, MALFORMED, Decoders, Unit

UPGRADE = "UPGRADE"
CONTINUATION, TEXT, BINARY, CLOSE = "CONTINUATION", "TEXT", "BINARY", "CLOSE"
NAMES = {0: CONTINUATION, 1: TEXT, 2: BINARY, 8: CLOSE, 9: "PING", 10: "PONG"}
CONTROL_MAX = 125
"""Octets of payload that a control frame may have (RFC 6455, 5.5)."""
_HEAD_MAX = 65536
_LEAST_OF_16, _LEAST_OF_64 = 126, 1 << 16
_END_OF_HEAD = b"\r\n\r\n"


def valid_code(code: int) -> bool:
    """Whether a Close frame may carry that code: none that is reserved or not assigned (RFC 6455, 7.4; IANA)."""
    return (1000 <= code <= 1014 and code not in (1004, 1005, 1006)) or 3000 <= code <= 4999


@dataclass
class Upgrade:
    """What the two directions of a connection learn of it together."""

    compresses: bool = False
    """permessage-deflate (RFC 7692) was agreed on: the first reserved bit has a meaning."""


def decoders(client: End) -> Decoders:
    """The decoders of one connection; frames of the client's are masked."""
    upgrade = Upgrade()
    return {client: WebSocketDecoder(upgrade, client=True), client.other: WebSocketDecoder(upgrade, client=False)}


@dataclass(frozen=True)
class _Head:
    """The head of a frame: `octets` is its own size, `length` that of the payload."""

    flags: int
    opcode: int
    masked: bool
    octets: int
    length: int

    @property
    def final(self) -> bool:
        return bool(self.flags & 8)

    @property
    def name(self) -> str:
        return NAMES.get(self.opcode, f"opcode {self.opcode}")

    @property
    def control(self) -> bool:
        return bool(self.opcode & 8)


class WebSocketDecoder:
    """Reads what one end sends. `client` tells whether it is the end that asked for the upgrade."""

    def __init__(self, upgrade: Upgrade, *, client: bool) -> None:
        self._upgrade = upgrade
        self._client = client
        self._pending = bytearray()
        self._upgraded = False
        self._over = False
        self._closed = False
        self._message = ""
        self._text: codecs.IncrementalDecoder | None = None

    def feed(self, octets: bytes) -> Iterator[Unit]:
        """The units that these octets complete."""
        self._pending += octets
        while self._pending and not self._over:
            unit = self._frame() if self._upgraded else self._head_of_http()
            if unit is None:
                return
            del self._pending[: unit.octets]
            self._over = unit.name == MALFORMED
            yield unit

    def finish(self) -> Iterator[Unit]:
        """A frame that TCP's end cuts off, if one is; what follows a Close is nobody's concern."""
        if self._pending and not self._over and not self._closed:
            what = "a frame" if self._upgraded else "the HTTP upgrade"
            yield self._malformed(len(self._pending), f"TCP ended within {what}")
        self._over = True

    # --- the upgrade --------------------------------------------------------------------------------------------------

    def _head_of_http(self) -> Unit | None:
        size = self._pending.find(_END_OF_HEAD) + len(_END_OF_HEAD)
        if size < len(_END_OF_HEAD):
            too_long = len(self._pending) > _HEAD_MAX
            return self._malformed(len(self._pending), "an HTTP head without end") if too_long else None
        first, *lines = bytes(self._pending[: size - len(_END_OF_HEAD)]).decode("latin-1").split("\r\n")
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if self._client and not first.startswith("GET "):
            return self._malformed(size, "no HTTP request for an upgrade", request=first)
        if not self._client and first.split(" ")[1:2] != ["101"]:
            return self._malformed(size, "the upgrade was refused", response=first)
        if not self._client and "permessage-deflate" in fields.get("sec-websocket-extensions", ""):
            self._upgrade.compresses = True
        self._upgraded = True
        return Unit(UPGRADE, size, fields={"line": first})

    # --- frames -------------------------------------------------------------------------------------------------------

    def _frame(self) -> Unit | None:
        head = self._head()
        if head is None:
            return None
        if problem := self._forbidden(head):
            return self._malformed(head.octets, problem, frame=head.name)
        size = head.octets + head.length
        if len(self._pending) < size:
            return None
        mask = bytes(self._pending[head.octets - 4 : head.octets]) if head.masked else b""
        payload = _unmasked(bytes(self._pending[head.octets : size]), mask)
        if head.opcode == 8:
            self._closed = True
            return self._close(size, payload)
        if problem := self._text_problem(head, payload):
            return self._malformed(size, problem, frame=head.name)
        fields: dict[str, Any] = {"compressed": True} if head.flags & 4 else {}
        data = payload[:KEPT_DATA_OCTETS]
        return Unit(head.name, size, head.length, data, whole=head.final, fields=fields)

    def _head(self) -> _Head | None:
        """The head of the next frame, with its mask; None if it is not there yet."""
        pending = self._pending
        if len(pending) < 2:
            return None
        masked, length = bool(pending[1] & 0x80), pending[1] & 0x7F
        extended = {126: 2, 127: 8}.get(length, 0)
        octets = 2 + extended + (4 if masked else 0)
        if len(pending) < octets:
            return None
        if extended:
            (length,) = struct.unpack_from(">H" if extended == 2 else ">Q", pending, 2)
        return _Head(pending[0] >> 4, pending[0] & 0x0F, masked, octets, length)

    def _forbidden(self, head: _Head) -> str:
        """What RFC 6455, 5.2 to 5.5 has against this frame of this end at this place; empty if nothing."""
        reserved = head.flags & 7
        starts = head.opcode in (1, 2)
        extended = head.octets - 2 - (4 if head.masked else 0)
        least = {2: _LEAST_OF_16, 8: _LEAST_OF_64}.get(extended, 0)
        forbidden = {
            f"an unknown {head.name}": head.opcode not in NAMES,
            "a reserved bit": bool(reserved) and not (reserved == 4 and starts and self._upgrade.compresses),
            "a client's frame without a mask": self._client and not head.masked,
            "a server's frame with a mask": not self._client and head.masked,
            "a length in more octets than it needs": head.length < least or head.length >> 63 == 1,
            f"{head.length} octets in a control frame": head.control and head.length > CONTROL_MAX,
            "a control frame in parts": head.control and not head.final,
            "a continuation of nothing": head.opcode == 0 and not self._message,
            "a new message within another": starts and bool(self._message),
        }
        return next((problem for problem, is_so in forbidden.items() if is_so), "")

    def _text_problem(self, head: _Head, payload: bytes) -> str:
        """Follow a message over its frames; what is wrong with its text, if it is text."""
        if head.control:
            return ""
        if head.opcode:
            self._message = head.name
            readable = head.opcode == 1 and not head.flags & 4
            self._text = codecs.getincrementaldecoder("utf-8")() if readable else None
        try:
            if self._text is not None:
                self._text.decode(payload, final=head.final)
        except UnicodeDecodeError:
            return "a text that is not UTF-8"
        if head.final:
            self._message = ""
        return ""

    def _close(self, size: int, payload: bytes) -> Unit:
        """A Close frame (RFC 6455, 5.5.1): nothing, or a code and a reason."""
        if not payload:
            return Unit(CLOSE, size, fields={"code": None, "reason": ""})
        if len(payload) == 1:
            return self._malformed(size, "a Close with 1 octet of payload", frame=CLOSE)
        code = int.from_bytes(payload[:2], "big")
        if not valid_code(code):
            return self._malformed(size, f"a Close with code {code}, which is never sent", frame=CLOSE, code=code)
        try:
            reason = payload[2:].decode()
        except UnicodeDecodeError:
            return self._malformed(size, "a Close whose reason is not UTF-8", frame=CLOSE, code=code)
        return Unit(CLOSE, size, len(payload), payload, fields={"code": code, "reason": reason})

    def _malformed(self, size: int, problem: str, **fields: Any) -> Unit:
        return Unit(MALFORMED, size, fields=fields, problem=problem)


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    if not mask or not payload:
        return payload
    key = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(len(payload), "big")
