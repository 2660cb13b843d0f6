# SPDX-License-Identifier: MIT
"""The calls of `websockets`, by its threading API (websockets.sync): one call of the library a method.

The threading API and the asyncio one share all of the protocol (websockets.protocol). Here each operation is one call
that blocks as long as it takes, so that its times are the library's own. Everything is left as a user finds it, but for
`proxy=None`: a proxy of the environment has no place on the link.
"""

from __future__ import annotations

import contextlib
import queue
import select
import socket
import struct
import threading

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import connect
from websockets.sync.connection import Connection
from websockets.sync.server import Server, serve

from conformance.agents.serving.implementation import LONGEST_DATA
from conformance.agents.serving.outcomes import Call, NothingCame, Refused, Unsupported, octets, received
from conformance.agents.websocket import common
from conformance.agents.websocket.common import Handle, WebSocketImplementation

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    _T = TypeVar("_T")

MESSAGE_MAX = 1 << 20
"""Octets that the library takes in one message unless told otherwise (`max_size`)."""
PATIENCE_S = 2.0
_SHORTEST_S = 0.001
_STOPPING_S = 1.0
BLOCKING = ("send", "recv", "send_disconnect", "close")
"""The calls on a connection that may block."""


class Socket(Handle):
    """A socket by the agent's number: a listener has a `server`, a connection its `connection`."""

    def __init__(self, family: str) -> None:
        super().__init__(family)
        self.server: Server | None = None
        self.connection: Connection | None = None
        self.arrived: queue.SimpleQueue[Connection] = queue.SimpleQueue()
        self.dropped = threading.Event()


class Library(WebSocketImplementation):
    """The library's connections, and the calls on them."""

    ops = (
        "socket",
        "listen",
        "accept",
        "connect",
        "send",
        "recv",
        "post_recv",
        "send_disconnect",
        "recv_disconnect",
        "close",
        "names",
    )

    def hello(self, clock: str) -> dict[str, Any]:
        """Return what the agent says of itself and of the library."""
        return common.hello("websockets", self.ops, MESSAGE_MAX, clock)

    def may_block(self, op: str, arguments: dict[str, Any]) -> bool:
        """Whether the call may block: all may that send, receive or end."""
        handle: Socket | None = arguments.get("handle")
        if op in ("accept", "connect"):
            return handle is not None
        return handle is not None and handle.connection is not None and op in BLOCKING

    def drop_all(self) -> None:
        """Abort every connection, so that every call on one returns."""
        handles = list(self.handles.values())
        for handle in handles:
            if handle.connection is not None:
                _abort(handle.connection)
            with contextlib.suppress(queue.Empty):
                while True:
                    _abort(handle.arrived.get_nowait())
        for handle in handles:  # last: a server's handler that returns says goodbye
            handle.dropped.set()
            self._stop(handle)

    # --- making and ending connections --------------------------------------------------------------------------------

    def new_socket(self, call: Call, family: str, kind: str) -> dict[str, Any]:
        """Nothing of the library's: what becomes of it, `listen` or `connect` decides."""
        return {"socket": self.keep(call.timed(lambda: Socket(common.checked_kind(family, kind))))}

    def listen(self, call: Call, handle: Socket, address: dict[str, Any], backlog: int = 128) -> dict[str, Any]:
        """serve(), whose server runs in a thread of its own."""

        def hand_over(connection: Connection) -> None:
            handle.arrived.put(connection)
            handle.dropped.wait()  # the connection is closed when its handler returns

        server = call.timed(
            lambda: serve(
                hand_over,
                address["host"],
                address["port"],
                family=common.FAMILIES[handle.family],
                max_size=MESSAGE_MAX,
            )
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        handle.server = server
        return {"address": common.address_of(server.socket.getsockname())}

    def accept(self, call: Call, handle: Socket, wait_ms: int = 0) -> dict[str, Any]:
        """Take what serve() has given its handler: a connection whose upgrade is done."""
        try:
            connection = call.timed(lambda: handle.arrived.get(timeout=wait_ms / 1000))
        except queue.Empty:
            raise NothingCame from None
        accepted = Socket(handle.family)
        accepted.connection = connection
        return {"socket": self.keep(accepted), "peer": common.address_of(connection.remote_address)}

    def connect(self, call: Call, handle: Socket, address: dict[str, Any], wait_ms: int = 0) -> dict[str, Any]:
        """connect(), entered as the context manager that it is."""
        limit = max(wait_ms / 1000, _SHORTEST_S)

        def enter() -> Connection:
            return connect(common.url(address), proxy=None, open_timeout=limit, max_size=MESSAGE_MAX).__enter__()

        try:
            connection = self._told(call, None, enter)
        except TimeoutError:
            raise NothingCame from None
        handle.connection = connection
        return {"local": common.address_of(connection.local_address)}

    def close(self, call: Call, handle: Socket | None, wait_ms: int = 0) -> dict[str, Any]:
        """close(), which waits for the closing handshake; a server's listener just stops."""
        if handle is None:
            raise Unsupported("there is no handle for no connection")
        if handle.connection is None:
            call.timed(lambda: self._stop(handle))
            return {}
        connection = handle.connection
        self._told(call, connection, connection.close)
        return {}

    def _stop(self, handle: Socket) -> None:
        """Have a server take no more connections; those that there are go on, and the library waits for their ends."""
        server, handle.server = handle.server, None
        if server is not None:
            threading.Thread(target=server.shutdown, args=(False,), daemon=True).start()
            server.socket_closed.wait(_STOPPING_S)

    def send_disconnect(self, call: Call, handle: Socket, data: str | None = None) -> dict[str, Any]:
        """close() with a code and a reason; without data, as it is. It waits for the closing handshake.

        The agent protocol bounds a SendDisconnect by nothing, and the library by 10 s and more: the call goes on, and
        that it had not returned within `PATIENCE_S` is told.
        """
        connection = _connected(handle)
        what = () if data is None else common.code_and_reason(data)
        ended = threading.Event()
        problems: list[Exception] = []

        def close() -> None:
            try:
                self._told(call, connection, lambda: connection.close(*what))
            except Exception as problem:
                problems.append(problem)
            ended.set()

        self.workers.run(close)
        if not ended.wait(PATIENCE_S):
            raise NothingCame
        if problems:
            raise problems[0]
        return {}

    def recv_disconnect(self, call: Call, handle: Socket, length: int | None = None) -> dict[str, Any]:
        """close_code and close_reason: what the peer's Close had, once the connection is closed."""
        connection = _connected(handle)
        code, reason = call.timed(lambda: (connection.close_code, connection.close_reason))
        return common.disconnect_data(code, reason, length)

    # --- data ---------------------------------------------------------------------------------------------------------

    def send(
        self,
        call: Call,
        handle: Socket,
        data: str | None = None,
        pattern: dict[str, int] | None = None,
        wait_ms: int = 0,
    ) -> dict[str, Any]:
        """send() of a binary message. It has no limit of time: where TCP takes nothing within `wait_ms`, none is made.

        One that has begun blocks until TCP has taken all of it.
        """
        connection, payload = _connected(handle), octets(data, pattern)
        if not _takes_more(connection, wait_ms):
            call.timed(lambda: None)
            raise NothingCame
        self._told(call, connection, lambda: connection.send(payload))
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
        """recv() of one message, whole, however long; a text is told in UTF-8."""
        connection = _connected(handle)
        common.checked_flags(flags, length)
        if length > LONGEST_DATA and not digest:
            raise ValueError(f"{length} octets do not fit in a line; ask for a digest")
        limit = None if wait_ms is None else wait_ms / 1000
        try:
            message = self._told(call, connection, lambda: connection.recv(timeout=limit))
        except TimeoutError:
            raise NothingCame from None
        return received(message.encode() if isinstance(message, str) else message, digest=digest)

    def names(self, call: Call, handle: Socket) -> dict[str, Any]:
        """local_address and remote_address."""
        connection = _connected(handle)
        local, peer = call.timed(lambda: (connection.local_address, connection.remote_address))
        return {"local": common.address_of(local), "peer": common.address_of(peer)}

    def _told(self, call: Call, connection: Connection | None, make: Callable[[], _T]) -> _T:
        """Make a call of the library; its own exceptions are told by their class, with the close code as number."""
        try:
            return call.timed(make)
        except ConnectionClosed as error:
            code = connection.close_code if connection is not None else None
            cause = f"; {error.__cause__!r}" if error.__cause__ is not None else ""
            raise Refused(type(error).__name__, code, f"{error}{cause}") from None
        except WebSocketException as error:
            raise Refused(type(error).__name__, None, str(error)) from None


def _connected(handle: Socket | None) -> Connection:
    if handle is None or handle.connection is None:
        raise Unsupported("the library has this call for connections only")
    return handle.connection


def _takes_more(connection: Connection, wait_ms: int) -> bool:
    """Whether TCP takes something within that time; what is wrong with the connection, the call itself will tell."""
    try:
        poll = select.poll()
        poll.register(connection.socket.fileno(), select.POLLOUT)
    except (OSError, ValueError):
        return True
    return bool(poll.poll(wait_ms))


def _abort(connection: Connection) -> None:
    """End TCP at once, with no Close; what blocks on the connection returns."""
    with contextlib.suppress(OSError, ValueError):
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError, ValueError):
        connection.socket.shutdown(socket.SHUT_RDWR)
    connection.close_socket()
