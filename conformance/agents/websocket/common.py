# SPDX-License-Identifier: MIT
"""What both WebSocket agents share: sockets by their numbers, addresses, and the Close payload as disconnect data."""

from __future__ import annotations

import binascii
import importlib.metadata
import socket
import struct

from conformance.agents.serving.implementation import Implementation
from conformance.agents.serving.outcomes import Unsupported, received

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import Any

VERSION = "1.0"
FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}
PAYLOAD_MAX = 125
"""Octets of a Close: a code of 2 and a reason of up to 123 (RFC 6455, 5.5 and 5.5.1)."""
ABNORMAL = 1006
"""The code of an end without a Close, which none can carry (RFC 6455, 7.1.5)."""
NO_CODE = 1005
FLAGS = ["GUARANTEED_DELIVERY", "GUARANTEED_ORDER", "MESSAGE_ORIENTED", "GRACEFUL_CLOSE", "DISCONNECT_DATA"]


def hello(library: str, ops: tuple[str, ...], message_max: int | None, clock: str) -> dict[str, Any]:
    """What an agent says of itself and of its library."""
    version = importlib.metadata.version(library)
    return {
        "protocol": 1,
        "agent": {"name": f"python-{library}", "version": VERSION},
        "implementation": {"name": library, "version": version, "vendor": library},
        "family": "runtime",
        "transport": "websocket",
        "service_flags": FLAGS,
        "limits": {"disconnect_data_max": PAYLOAD_MAX, "message_max": message_max},
        "surfaces": ["blocking"],
        "ops": ops,
        "reads_ahead": True,
        "concurrent": True,
        "clock": clock,
    }


class Handle:
    """A socket by the agent's number for it: nothing yet, a listener, or a connection."""

    def __init__(self, family: str) -> None:
        self.family = family


class WebSocketImplementation(Implementation):
    """The part of an agent that is the same for every WebSocket library."""

    def __init__(self) -> None:
        super().__init__()
        self.handles: dict[int, Any] = {}
        self.last = 0

    def keep(self, handle: Any) -> int:
        """Give a socket its number."""
        self.last += 1
        self.handles[self.last] = handle
        return self.last

    def handle(self, number: int) -> Any:
        """Return the socket of that number; raises LookupError. A number for none at all stands for nothing here."""
        if number == -1:
            return None
        return self.handles[number]

    def forget_all(self) -> None:
        """Forget all sockets and start their numbers again."""
        self.handles.clear()
        self.last = 0


def checked_kind(family: str, kind: str) -> str:
    """The family, if there are WebSocket connections over it; raises Unsupported, ValueError."""
    if family not in (*FAMILIES, "unix") or kind not in ("stream", "message"):
        raise ValueError(f"no family {family!r} or kind {kind!r}")
    if family == "unix" or kind == "stream":
        raise Unsupported("WebSocket carries messages, here over TCP")
    return family


def address_of(name: Any) -> dict[str, Any]:
    """An address of the protocol from one of Python's."""
    host, port = name[0], name[1]
    return {"family": "inet6" if ":" in host else "inet", "host": host, "port": port}


def url(address: dict[str, Any]) -> str:
    """Where a client finds the server of that address."""
    host = f"[{address['host']}]" if ":" in address["host"] else address["host"]
    return f"ws://{host}:{address['port']}/"


def code_and_reason(data: str) -> tuple[int, str]:
    """Read disconnect data as the payload of a Close; raises Unsupported for what no call of a library can say."""
    payload = binascii.a2b_base64(data, strict_mode=True)
    if len(payload) < 2:
        raise Unsupported(f"a Close has a code of 2 octets, and these are {len(payload)}")
    try:
        return int.from_bytes(payload[:2], "big"), payload[2:].decode()
    except UnicodeDecodeError:
        raise Unsupported("the reason of a Close is given as text, and these octets are no UTF-8") from None


def disconnect_data(code: int | None, reason: str | None, length: int | None) -> dict[str, Any]:
    """What came with the peer's Close, as the result of `recv_disconnect`: nothing where no code was received.

    Raises Unsupported where that does not fit in `length`: the libraries hand over values, and know no buffers.
    """
    if length is None:
        return {"length": 0}
    told = code is not None and code not in (NO_CODE, ABNORMAL)
    payload = struct.pack("!H", code) + (reason or "").encode() if told else b""
    if len(payload) > length:
        raise Unsupported(f"code and reason are handed over as values, and do not fit in {length} octets")
    return received(payload)


def checked_flags(flags: tuple[str, ...], length: int) -> None:
    """Raise Unsupported for what no receive of a WebSocket library offers."""
    if flags:
        raise Unsupported(f"a receive has no {', '.join(flags)} here")
    if length == 0:
        raise Unsupported("a receive takes a whole message, and asks for no length")
