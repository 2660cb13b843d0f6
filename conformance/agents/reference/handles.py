# SPDX-License-Identifier: MIT
"""The sockets of the reference provider by the agent's numbers for them: making them, and ending them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from conformance.agents.reference.engine import Engine
from conformance.agents.reference.errors import refused
from conformance.agents.reference.sockets import FAMILIES, Socket
from conformance.agents.serving.implementation import Implementation
from conformance.agents.serving.outcomes import Call, NothingCame, Refused, Unsupported

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from conformance.agents.reference.association import Association
    from conformance.agents.reference.carrier import Carrier

    _T = TypeVar("_T")


class Handle:
    """A socket by one of the agent's numbers for it; `socket` stays after the handle is closed."""

    def __init__(self, socket: Socket | None) -> None:
        self.socket = socket
        self.open = socket is not None


class Sockets(Implementation):
    """Handles, and the calls that make and end sockets; `messages` is whether they are of messages."""

    def __init__(self, *, messages: bool) -> None:
        super().__init__()
        self._messages = messages
        self._engine = Engine()
        self._lock = self._engine.lock
        self._handles: dict[int, Handle] = {}
        self._sockets: list[Socket] = []
        self._last = 0
        self._invalid = Handle(None)

    def handle(self, number: int) -> Handle:
        """Return the handle of that number, open or closed."""
        if number == -1:
            return self._invalid
        if number not in self._handles:
            raise LookupError(f"no socket {number}")
        return self._handles[number]

    def drop_all(self) -> None:
        """Abort every connection."""
        with self._lock:
            for handle in self._handles.values():
                handle.open = False
            for socket in self._sockets:
                socket.drop()

    def forget_all(self) -> None:
        """Forget all sockets and start their numbers again."""
        self._handles.clear()
        self._sockets.clear()
        self._last = 0

    @contextmanager
    def _on(self, handle: Handle) -> Iterator[Socket]:
        """The socket of a handle, under the lock; raises WSAENOTSOCK for a handle that is not open."""
        with self._lock:
            if not handle.open or handle.socket is None:
                raise refused("WSAENOTSOCK")
            if handle.socket.carrier:
                handle.socket.carrier.take_up()
            yield handle.socket

    def _keep(self, socket: Socket) -> int:
        self._last += 1
        self._handles[self._last] = Handle(socket)
        if socket not in self._sockets:
            self._sockets.append(socket)
        return self._last

    def _waited(self, handle: Handle, socket: Socket, until: Callable[[], bool], wait_ms: int) -> None:
        """Wait in a call on a blocking socket until something is so; under the lock.

        Raises WSAEWOULDBLOCK on a socket that does not block, NothingCame when the time is over, WSAEINTR when the
        socket was closed.
        """
        if until():
            return
        if not socket.blocking:
            raise refused("WSAEWOULDBLOCK")
        if not self._engine.wait(lambda: not handle.open or until(), wait_ms / 1000):
            raise NothingCame
        if not handle.open:
            raise refused("WSAEINTR", "the socket was closed")

    def _on_socket(self, call: Call, handle: Handle, make: Callable[[Socket], _T]) -> _T:
        def on_socket() -> _T:
            with self._on(handle) as socket:
                return make(socket)

        return call.timed(on_socket)

    def _on_connection(self, call: Call, handle: Handle, make: Callable[[Socket, Association, Carrier], _T]) -> _T:
        def on_connection() -> _T:
            with self._on(handle) as socket:
                return make(socket, *socket.connected())

        return call.timed(on_connection)

    # --- making and ending sockets ------------------------------------------------------------------------------------

    def new_socket(self, call: Call, family: str, kind: str) -> dict[str, Any]:
        """socket: of messages in the message form, else of a stream."""
        own = "message" if self._messages else "stream"
        if family not in FAMILIES or kind not in ("stream", "message"):
            raise Unsupported(f"no family {family!r} or kind {kind!r}; there are {', '.join(FAMILIES)}")
        if kind != own:
            raise Unsupported(f"this form of the provider has sockets of kind {own!r} only")
        with self._lock:
            made = call.timed(lambda: Socket(self._engine, family, messages=kind == "message"))
            return {"socket": self._keep(made)}

    def listen(self, call: Call, handle: Handle, address: dict[str, Any], backlog: int = 128) -> dict[str, Any]:
        """bind and listen."""

        def make() -> dict[str, Any]:
            with self._on(handle) as socket:
                return {"address": socket.listen(address, backlog)}

        return call.timed(make)

    def accept(self, call: Call, handle: Handle, wait_ms: int = 0) -> dict[str, Any]:
        """accept. The new socket has the listener's properties: mode, linger, notifications."""

        def make() -> dict[str, Any]:
            found: list[Socket] = []

            def look() -> bool:
                if not found and (accepted := listener.accept()):
                    found.append(accepted)
                return bool(found)

            with self._on(handle) as listener:
                if not listener.listening:
                    raise refused("WSAEINVAL", "the socket does not listen")
                listener.accepting += 1
                try:
                    self._waited(handle, listener, look, wait_ms)
                finally:
                    listener.accepting -= 1
                accepted = found[0]
                number = self._keep(accepted)
                accepted.establish()
                if listener.registration:
                    accepted.registration = listener.registration.inherited(number)
                accepted.changed()
                return {"socket": number, "peer": accepted.names.get("peer", accepted.names["local"])}

        return call.timed(make)

    def connect(self, call: Call, handle: Handle, address: dict[str, Any], wait_ms: int = 0) -> dict[str, Any]:
        """connect."""

        def make() -> dict[str, Any]:
            with self._on(handle) as socket:
                socket.connect(address)
                self._waited(handle, socket, lambda: not socket.connecting, wait_ms)
                if socket.association is None:
                    error, socket.pending_error = socket.pending_error, None
                    raise refused(error or "WSAECONNREFUSED")
                return {"local": socket.names["local"]}

        return call.timed(make)

    def close(self, call: Call, handle: Handle, wait_ms: int = 0) -> dict[str, Any]:
        """closesocket. The last handle of a socket ends its connection, as its linger says."""

        def make() -> None:
            with self._on(handle) as socket:
                if socket.handles > 1:
                    handle.open = False
                    socket.handles -= 1
                    if socket.registration and self._handles.get(socket.registration.number) is handle:
                        socket.registration = None
                    return
                handle.open = False
                try:
                    socket.close()
                except Refused:
                    handle.open = True
                    raise

        call.timed(make)
        return {}

    def duplicate(self, call: Call, handle: Handle) -> dict[str, Any]:
        """WSADuplicateSocket, and its use."""

        def make() -> int:
            with self._on(handle) as socket:
                socket.handles += 1
                return self._keep(socket)

        return {"socket": call.timed(make)}
