# SPDX-License-Identifier: MIT
"""An endpoint made of `wsproto`: the calls of an agent, on the connections of `link`.

As the peer of a test it can do what no library offers: `shutdown` of sending is a Close without a code after which it
goes on receiving, `close` with linger 0 is a reset of TCP, and the option `CUT_FRAME` puts only so many octets of its
next frame on the link and nothing after them, so that a `close` then ends TCP within that frame, or with 0 instead of
a Close.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import struct
import threading

from wsproto import ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Request
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError

from conformance.agents.serving.implementation import LONGEST_DATA
from conformance.agents.serving.outcomes import Call, NothingCame, Refused, Unsupported, octets, received
from conformance.agents.websocket import common
from conformance.agents.websocket.common import Handle, WebSocketImplementation
from conformance.agents.websocket.link import Link, upgraded

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import Any
UPGRADING_MS = 5000
BLOCKING = ("send", "recv", "shutdown", "send_disconnect", "close")
"""The calls on a connection that may block."""


class Socket(Handle):
    """A socket by the agent's number: its TCP socket, and the connection on it once there is one."""

    def __init__(self, family: str, native: socket.socket | None = None, link: Link | None = None) -> None:
        super().__init__(family)
        self.native = socket.socket(common.FAMILIES[family], socket.SOCK_STREAM) if native is None else native
        self.link = link
        self.arrived: queue.SimpleQueue[tuple[Link, Any]] = queue.SimpleQueue()

    def take_connections(self) -> None:
        """Accept and upgrade whoever connects, until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                native, name = self.native.accept()
                with contextlib.suppress(TimeoutError):
                    self.arrived.put((upgraded(native, ConnectionType.SERVER, None, UPGRADING_MS), name))

    def drop(self) -> None:
        """Reset what there is, and stop listening; whoever waits returns."""
        with contextlib.suppress(OSError):
            self.native.shutdown(socket.SHUT_RDWR)
        if self.link is not None:
            self.link.abort()
        self.native.close()
        with contextlib.suppress(queue.Empty):
            while True:
                self.arrived.get_nowait()[0].abort()


class Frames(WebSocketImplementation):
    """The connections of one agent, and the calls on them."""

    ops = (
        "socket",
        "listen",
        "accept",
        "connect",
        "send",
        "recv",
        "post_recv",
        "shutdown",
        "send_disconnect",
        "recv_disconnect",
        "close",
        "set_linger",
        "get_linger",
        "set_option",
        "names",
    )

    def hello(self, clock: str) -> dict[str, Any]:
        """Return what the agent says of itself and of the library."""
        return common.hello("wsproto", self.ops, None, clock)

    def may_block(self, op: str, arguments: dict[str, Any]) -> bool:
        """Whether the call may block."""
        handle: Socket | None = arguments.get("handle")
        if op in ("accept", "connect"):
            return handle is not None
        return handle is not None and handle.link is not None and op in BLOCKING

    def drop_all(self) -> None:
        """Reset every connection, so that every call on one returns."""
        for handle in list(self.handles.values()):
            handle.drop()

    # --- making and ending connections --------------------------------------------------------------------------------

    def new_socket(self, call: Call, family: str, kind: str) -> dict[str, Any]:
        """A TCP socket."""
        return {"socket": self.keep(call.timed(lambda: Socket(common.checked_kind(family, kind))))}

    def listen(self, call: Call, handle: Socket, address: dict[str, Any], backlog: int = 128) -> dict[str, Any]:
        """bind(2) and listen(2)."""

        def bind_and_listen() -> None:
            handle.native.bind((address["host"], address["port"]))
            handle.native.listen(backlog)

        call.timed(bind_and_listen)
        threading.Thread(target=handle.take_connections, daemon=True).start()
        return {"address": common.address_of(handle.native.getsockname())}

    def accept(self, call: Call, handle: Socket, wait_ms: int = 0) -> dict[str, Any]:
        """Take a connection that was accepted, and whose upgrade is done."""
        try:
            link, name = call.timed(lambda: handle.arrived.get(timeout=wait_ms / 1000))
        except queue.Empty:
            raise NothingCame from None
        return {"socket": self.keep(Socket(handle.family, link.native, link)), "peer": common.address_of(name)}

    def connect(self, call: Call, handle: Socket, address: dict[str, Any], wait_ms: int = 0) -> dict[str, Any]:
        """connect(2), then the client's part of the upgrade."""

        def connect() -> Link:
            handle.native.settimeout(max(wait_ms, 1) / 1000)
            handle.native.connect((address["host"], address["port"]))
            request = Request(host=f"{address['host']}:{address['port']}", target="/")
            return upgraded(handle.native, ConnectionType.CLIENT, request, wait_ms)

        try:
            handle.link = call.timed(connect)
        except TimeoutError:
            raise NothingCame from None
        return {"local": common.address_of(handle.native.getsockname())}

    def shutdown(self, call: Call, handle: Socket, how: str | int) -> dict[str, Any]:
        """Send a Close without a code, and go on receiving; `both`: take no more messages either."""
        link = _linked(handle)
        if how not in ("send", "both"):
            raise Unsupported(f"no shutdown({how}): a Close ends sending, and nothing ends receiving alone")
        if how == "both":
            link.deaf = True
        _told(call, link, CloseConnection(code=CloseReason.NO_STATUS_RCVD))
        return {}

    def send_disconnect(self, call: Call, handle: Socket, data: str | None = None) -> dict[str, Any]:
        """Send a Close with this code and reason, or with neither where none is given, and go on receiving."""
        link = _linked(handle)
        code, reason = (CloseReason.NO_STATUS_RCVD, None) if not data else common.code_and_reason(data)
        _told(call, link, CloseConnection(code=code, reason=reason))
        return {}

    def recv_disconnect(self, call: Call, handle: Socket, length: int | None = None) -> dict[str, Any]:
        """Code and reason of the Close that came."""
        link = _linked(handle)
        code, reason = call.timed(lambda: link.close_rcvd) or (None, None)
        return common.disconnect_data(code, reason, length)

    def close(self, call: Call, handle: Socket | None, wait_ms: int = 0) -> dict[str, Any]:
        """A Close, unless one was sent, and the rest in the background; with linger 0 a reset."""
        if handle is None:
            raise Unsupported("there is no handle for no connection")
        if handle.link is None:
            call.timed(handle.drop)
        elif _linger(handle.native) == (True, 0):
            call.timed(handle.link.abort)
        else:
            call.timed(handle.link.give_up)
        return {}

    # --- data ---------------------------------------------------------------------------------------------------------

    def send(
        self,
        call: Call,
        handle: Socket,
        data: str | None = None,
        pattern: dict[str, int] | None = None,
        wait_ms: int = 0,
    ) -> dict[str, Any]:
        """Send one binary message; none where TCP takes nothing within `wait_ms`."""
        link, payload = _linked(handle), octets(data, pattern)
        if not link.takes_more(wait_ms):
            call.timed(lambda: None)
            raise NothingCame
        _told(call, link, BytesMessage(data=payload))
        return {"length": len(payload)}

    def recv(
        self,
        call: Call,
        handle: Socket,
        length: int,
        wait_ms: int | None = 0,
        flags: tuple[str, ...] = (),
        digest: bool = False,
    ) -> dict[str, Any]:
        """The next message, whole, however long; a text is told in UTF-8."""
        link = _linked(handle)
        common.checked_flags(flags, length)
        if length > LONGEST_DATA and not digest:
            raise ValueError(f"{length} octets do not fit in a line; ask for a digest")
        message = call.timed(lambda: link.next_message(None if wait_ms is None else wait_ms / 1000))
        return received(message, digest=digest)

    # --- options ------------------------------------------------------------------------------------------------------

    def set_linger(self, call: Call, handle: Socket, on: bool, seconds: int) -> dict[str, Any]:
        """setsockopt(2) SO_LINGER of TCP; only a time of 0 changes what `close` does."""
        value = struct.pack("ii", on, seconds)
        call.timed(lambda: handle.native.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, value))
        return {"on": on, "seconds": seconds}

    def get_linger(self, call: Call, handle: Socket) -> dict[str, Any]:
        """getsockopt(2) SO_LINGER of TCP."""
        on, seconds = call.timed(lambda: _linger(handle.native))
        return {"on": on, "seconds": seconds}

    def set_option(self, call: Call, handle: Socket, name: str, value: int) -> dict[str, Any]:
        """CUT_FRAME: put so many octets of the next frame on the link, and nothing after them."""
        if name != "CUT_FRAME":
            raise Unsupported(f"no option {name!r}; there is CUT_FRAME")
        link = _linked(handle)
        call.timed(lambda: setattr(link, "cut", value))
        return {}

    def names(self, call: Call, handle: Socket) -> dict[str, Any]:
        """getsockname(2) and getpeername(2)."""
        local, peer = call.timed(lambda: (handle.native.getsockname(), handle.native.getpeername()))
        return {"local": common.address_of(local), "peer": common.address_of(peer)}


def _linked(handle: Socket | None) -> Link:
    if handle is None or handle.link is None:
        raise Unsupported("there is no connection to call this on")
    return handle.link


def _told(call: Call, link: Link, event: Event) -> None:
    """Send an event; what the protocol refuses is told by its exception."""
    try:
        call.timed(lambda: link.put(event))
    except LocalProtocolError as error:
        raise Refused(type(error).__name__, None, str(error)) from None


def _linger(native: socket.socket) -> tuple[bool, int]:
    try:
        on, seconds = struct.unpack("ii", native.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))
    except OSError:
        return False, 0
    return bool(on), seconds
