# SPDX-License-Identifier: MIT
"""The calls of the reference provider: one method an operation, as Winsock has them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from conformance.agents.reference import readiness
from conformance.agents.reference.association import QUEUE, Receive
from conformance.agents.reference.engine import Engine
from conformance.agents.reference.errors import refused, translated
from conformance.agents.reference.notifications import EVENTS, Registration
from conformance.agents.reference.sockets import FAMILIES, Socket, options
from conformance.agents.reference.tpdus import DISCONNECT_DATA_MAX
from conformance.agents.serving.implementation import LONGEST_DATA, Implementation
from conformance.agents.serving.outcomes import Call, NothingCame, Refused, Unsupported, octets, received

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from conformance.agents.reference.association import Association, Outcome
    from conformance.agents.reference.carrier import Carrier

    _T = TypeVar("_T")

VERSION = "1.0"
FORMS = {
    "message": ["MESSAGE_ORIENTED", "PARTIAL_MESSAGE"],
    "pseudo-stream": ["MESSAGE_ORIENTED", "PSEUDO_STREAM"],
    "stream": [],
}
SERVICE_FLAGS = ["GUARANTEED_DELIVERY", "GUARANTEED_ORDER", "GRACEFUL_CLOSE", "DISCONNECT_DATA"]
SURFACES = ["blocking", "nonblocking", *readiness.SURFACES, "event", "message", "overlapped"]
SD_RECEIVE, SD_SEND, SD_BOTH = 0, 1, 2
HOWS = {"receive": SD_RECEIVE, "send": SD_SEND, "both": SD_BOTH}


class Handle:
    """A socket by one of the agent's numbers for it; `socket` stays after the handle is closed."""

    def __init__(self, socket: Socket | None) -> None:
        self.socket = socket
        self.open = socket is not None


class Provider(Implementation):
    """The sockets of one agent, and the calls on them."""

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
        "duplicate",
        "set_linger",
        "get_linger",
        "set_blocking",
        "set_option",
        "get_error",
        "names",
        "event_select",
        "enum_events",
        "poll",
    )

    def __init__(self, form: str) -> None:
        super().__init__()
        self._form = form
        self._engine = Engine()
        self._lock = self._engine.lock
        self._handles: dict[int, Handle] = {}
        self._sockets: list[Socket] = []
        self._last = 0
        self._invalid = Handle(None)
        self._options = options()

    def hello(self, clock: str) -> dict[str, Any]:
        """Return what the agent says of itself and of the provider."""
        return {
            "protocol": 1,
            "agent": {"name": "reference", "version": VERSION},
            "implementation": {"name": f"reference ({self._form})", "version": VERSION, "vendor": "this suite"},
            "family": "winsock-api",
            "transport": "reference",
            "service_flags": SERVICE_FLAGS + FORMS[self._form],
            "limits": {"disconnect_data_max": DISCONNECT_DATA_MAX, "message_max": None},
            "surfaces": SURFACES,
            "ops": list(self.ops),
            "reads_ahead": False,
            "concurrent": True,
            "clock": clock,
        }

    def handle(self, number: int) -> Handle:
        """Return the handle of that number, open or closed."""
        if number == -1:
            return self._invalid
        if number not in self._handles:
            raise LookupError(f"no socket {number}")
        return self._handles[number]

    def may_block(self, op: str, arguments: dict[str, Any]) -> bool:
        """Whether this call may have to wait. Only calls made after it could take away what is there now."""
        handle: Handle | None = arguments.get("handle")
        if op not in ("recv", "send", "accept", "connect", "poll", "close") or handle is None:
            return False
        socket = handle.socket
        if not handle.open or socket is None:
            return False
        with self._lock:
            association = socket.association
            if op == "close":
                return socket.handles == 1 and socket.blocking and socket.close_must_wait()
            if not arguments.get("wait_ms"):
                return False
            if op == "poll":
                return True
            if not socket.blocking:
                return False
            if op == "connect":
                return association is None
            if op == "accept":
                return socket.listening and (socket.accepting > 0 or not socket.has_caller())
            if association is None:
                return False
            if op == "send":
                return association.queued >= QUEUE
            waiting = Receive(arguments["length"], lambda _: None, tuple(arguments.get("flags", ())))
            return bool(association.receives) or association.must_wait(waiting)

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

    # --- making and ending sockets ------------------------------------------------------------------------------------

    def new_socket(self, call: Call, family: str, kind: str) -> dict[str, Any]:
        """socket: of messages in the message form, else of a stream."""
        own = "message" if self._form == "message" else "stream"
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

    # --- data ---------------------------------------------------------------------------------------------------------

    def send(
        self,
        call: Call,
        handle: Handle,
        data: str | None = None,
        pattern: dict[str, int] | None = None,
        wait_ms: int = 0,
    ) -> dict[str, Any]:
        """send: taken as a whole while less than 64 KiB are queued."""
        payload = octets(data, pattern)

        def make() -> None:
            with self._on(handle) as socket:
                association, _ = socket.connected()
                try:
                    self._waited(
                        handle,
                        socket,
                        lambda: bool(association.error) or association.released or association.queued < QUEUE,
                        wait_ms,
                    )
                except Refused as error:
                    if error.name == "WSAEWOULDBLOCK" and socket.registration:
                        socket.registration.writing = True
                    raise
                self._check_sending(association)
                association.send(payload)
                socket.acted()

        call.timed(make)
        return {"length": len(payload)}

    def recv(
        self,
        call: Call,
        handle: Handle,
        length: int,
        wait_ms: int | None = 0,
        flags: tuple[str, ...] = (),
        digest: bool = False,
    ) -> dict[str, Any]:
        """WSARecv, not overlapped."""
        if length > LONGEST_DATA and not digest:
            raise ValueError(f"{length} octets do not fit in a line; ask for a digest")
        ended = threading.Lock()
        ended.acquire()
        told: list[Outcome] = []

        def complete(how: Outcome) -> None:
            told.append(how)
            ended.release()

        def make() -> Outcome:
            with self._on(handle) as socket:
                association, carrier = socket.connected()
                self._check_flags(socket, flags)
                waits = socket.blocking and bool(wait_ms)
                receive = Receive(length, complete, tuple(flags), waits=waits)
                how = self._receive_now(socket, association, receive)
                if how is not None:
                    return how
                if not socket.blocking:
                    raise refused("WSAEWOULDBLOCK")
                if not waits:
                    raise NothingCame
                association.receives.append(receive)
                carrier.settle()  # it may want more than is taken unasked
            ended.acquire(timeout=(wait_ms or 0) / 1000)
            with self._lock:
                if not told:
                    association.receives.remove(receive)
                    carrier.settle()
                    raise NothingCame
                return told[0]

        how = call.timed(make)
        if isinstance(how, Refused):
            raise how
        return received(how[0], digest=digest, partial=how[1])

    def post_recv(
        self, call: Call, handle: Handle, length: int, complete: Callable[[dict[str, Any]], None]
    ) -> dict[str, Any]:
        """WSARecv, overlapped, completing by an event. What fails at once completes nothing."""
        if not 0 <= length <= LONGEST_DATA:
            raise ValueError(f"a posted receive takes 0 to {LONGEST_DATA} octets, not {length}")

        def tell(how: Outcome) -> None:
            ended = {"error": how.value()} if isinstance(how, Refused) else {"result": received(how[0], partial=how[1])}
            complete({**ended, "mechanism": "event", "at": time.time_ns()})

        def make() -> None:
            with self._on(handle) as socket:
                association, carrier = socket.connected()
                receive = Receive(length, tell, posted=True)
                how = self._receive_now(socket, association, receive)
                if isinstance(how, Refused):
                    raise how
                if how is not None:
                    tell(how)
                    return
                association.receives.append(receive)
                carrier.settle()

        call.timed(make)
        return {}

    def _receive_now(self, socket: Socket, association: Association, receive: Receive) -> Outcome | None:
        """Make a receive if it need not wait, its place in the order of all receives being kept; None if it must."""
        if association.error is None and not association.receiving:
            raise refused("WSAESHUTDOWN")
        how = None if association.receives else association.attempt(receive)
        if socket.registration:
            socket.registration.reading = True
        if how is not None:
            socket.acted()
        return how

    def _check_flags(self, socket: Socket, flags: tuple[str, ...]) -> None:
        for flag in flags:
            if flag not in ("PEEK", "PARTIAL", "WAITALL"):
                raise ValueError(f"no flag {flag!r}")
        if "PARTIAL" in flags and not socket.messages:
            raise refused("WSAEOPNOTSUPP", "there are no partial messages in this form")
        if "WAITALL" in flags and (socket.messages or not socket.blocking or len(flags) > 1):
            raise refused("WSAEOPNOTSUPP", "MSG_WAITALL is for blocking receives of a stream, alone")

    def _check_sending(self, association: Association) -> None:
        if association.error:
            raise refused(association.error)
        if association.released:
            raise refused("WSAESHUTDOWN")

    # --- ending -------------------------------------------------------------------------------------------------------

    def shutdown(self, call: Call, handle: Handle, how: str | int) -> dict[str, Any]:
        """shutdown; a number is passed through as it is. Repeating it is no error."""
        number = how if isinstance(how, int) else HOWS[how]

        def make(socket: Socket, association: Association, _: Carrier) -> None:
            if number not in (SD_RECEIVE, SD_SEND, SD_BOTH):
                raise refused("WSAEINVAL", f"no way {number} to shut down")
            if association.error:
                raise refused(association.error)
            if number != SD_SEND:
                association.stop_receiving()
            if number != SD_RECEIVE and not association.released:
                association.release()
            socket.acted()

        return self._on_connection(call, handle, make) or {}

    def send_disconnect(self, call: Call, handle: Handle, data: str | None = None) -> dict[str, Any]:
        """WSASendDisconnect; no data is a null pointer."""
        last_word = None if data is None else octets(data, None)

        def make(socket: Socket, association: Association, _: Carrier) -> None:
            if association.error:
                raise refused(association.error)
            if last_word is not None and len(last_word) > DISCONNECT_DATA_MAX:
                raise refused("WSAEMSGSIZE", f"disconnect data of {len(last_word)} octets; {DISCONNECT_DATA_MAX} fit")
            if association.released:
                if last_word is not None:
                    raise refused("WSAESHUTDOWN", "this direction has ended already: its data would go nowhere")
                return
            association.release(last_word)
            socket.acted()

        return self._on_connection(call, handle, make) or {}

    def recv_disconnect(self, call: Call, handle: Handle, length: int | None = None) -> dict[str, Any]:
        """WSARecvDisconnect; no length is a null pointer, which leaves the data where it is."""

        def make(socket: Socket, association: Association, _: Carrier) -> dict[str, Any]:
            word = association.last_word
            if association.error and word is None:
                raise refused(association.error)
            if length is None:
                word = None
            elif word is not None:
                if len(word) > length:
                    raise refused("WSAEFAULT", f"{len(word)} octets of disconnect data, room for {length}")
                association.last_word = None
            association.stop_receiving()
            socket.acted()
            return received(word or b"")

        return self._on_connection(call, handle, make)

    def _on_connection(self, call: Call, handle: Handle, make: Callable[[Socket, Association, Carrier], _T]) -> _T:
        def on_connection() -> _T:
            with self._on(handle) as socket:
                return make(socket, *socket.connected())

        return call.timed(on_connection)

    # --- options and state --------------------------------------------------------------------------------------------

    def _on_socket(self, call: Call, handle: Handle, make: Callable[[Socket], _T]) -> _T:
        def on_socket() -> _T:
            with self._on(handle) as socket:
                return make(socket)

        return call.timed(on_socket)

    def set_linger(self, call: Call, handle: Handle, on: bool, seconds: int) -> dict[str, Any]:
        """setsockopt SO_LINGER."""

        def make(socket: Socket) -> dict[str, Any]:
            if not 0 <= seconds <= 0xFFFF:
                raise refused("WSAEINVAL", "l_linger has 16 bits")
            socket.linger = (on, seconds)
            return {"on": on, "seconds": seconds}

        return self._on_socket(call, handle, make)

    def get_linger(self, call: Call, handle: Handle) -> dict[str, Any]:
        """getsockopt SO_LINGER."""
        on, seconds = self._on_socket(call, handle, lambda socket: socket.linger)
        return {"on": on, "seconds": seconds}

    def set_blocking(self, call: Call, handle: Handle, on: bool) -> dict[str, Any]:
        """ioctlsocket FIONBIO."""

        def make(socket: Socket) -> dict[str, Any]:
            if on and socket.registration:
                raise refused("WSAEINVAL", "network events are selected: the socket stays non-blocking")
            socket.blocking = on
            return {}

        return self._on_socket(call, handle, make)

    def set_option(self, call: Call, handle: Handle, name: str, value: int) -> dict[str, Any]:
        """setsockopt of an option that TCP takes; where TCP is gone already, without effect."""
        if name not in self._options:
            raise Unsupported(f"no option {name!r}; there are {', '.join(self._options)}")
        level, option = self._options[name]

        def make(socket: Socket) -> dict[str, Any]:
            if socket.carrier is None or not socket.carrier.gone:
                try:
                    socket.tcp.setsockopt(level, option, value)
                except OSError as error:
                    raise translated(error) from None
            return {}

        return self._on_socket(call, handle, make)

    def get_error(self, call: Call, handle: Handle) -> dict[str, Any]:
        """getsockopt SO_ERROR, which reading clears."""

        def make(socket: Socket) -> dict[str, Any]:
            error, socket.pending_error = socket.pending_error, None
            return {"error": refused(error).value() if error else None}

        return self._on_socket(call, handle, make)

    def names(self, call: Call, handle: Handle) -> dict[str, Any]:
        """getsockname and getpeername: once connected, until the socket is closed."""

        def make(socket: Socket) -> dict[str, Any]:
            if "peer" not in socket.names:
                raise refused("WSAENOTCONN")
            return dict(socket.names)

        return self._on_socket(call, handle, make)

    # --- being told ---------------------------------------------------------------------------------------------------

    def event_select(self, call: Call, handle: Handle, events: list[str], mechanism: str) -> dict[str, Any]:
        """WSAEventSelect (mechanism event) or WSAAsyncSelect (message); each replaces whatever was asked before."""
        for name in events:
            if name not in EVENTS:
                raise Unsupported(f"no network event {name!r} here; there are {', '.join(EVENTS)}")
        number = next((number for number, other in self._handles.items() if other is handle), -1)
        registration = Registration(number, list(events), mechanism, self.indicate) if events else None
        self._on_socket(call, handle, lambda socket: socket.register(registration))
        return {}

    def enum_events(self, call: Call, handle: Handle) -> dict[str, Any]:
        """WSAEnumNetworkEvents: returns and clears the record."""
        registration = self._on_socket(call, handle, lambda socket: socket.registration)
        with self._lock:
            return {"events": registration.take() if registration else []}

    def poll(
        self, call: Call, handle: Handle, surface: str, events: list[str], wait_ms: int = 0, register: bool = False
    ) -> dict[str, Any]:
        """select or WSAPoll."""
        readiness.check(surface, events)

        def make() -> list[str]:
            with self._on(handle) as socket:
                self._engine.wait(
                    lambda: not handle.open or bool(readiness.told(socket, surface, events)), wait_ms / 1000
                )
                if not handle.open:
                    raise refused("WSAENOTSOCK", "the socket was closed")
                return readiness.told(socket, surface, events)

        told = call.timed(make)
        if not told:
            raise NothingCame
        return {"events": told}
