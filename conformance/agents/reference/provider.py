# SPDX-License-Identifier: MIT
"""The reference provider: what it says of itself, and Winsock's calls that end, set, and ask; an operation a method."""

from __future__ import annotations

from conformance.agents.reference import readiness
from conformance.agents.reference.association import QUEUE, Association, Receive
from conformance.agents.reference.carrier import Carrier
from conformance.agents.reference.errors import refused, translated
from conformance.agents.reference.handles import Handle
from conformance.agents.reference.notifications import EVENTS, Registration
from conformance.agents.reference.sockets import Socket, options
from conformance.agents.reference.tpdus import DISCONNECT_DATA_MAX
from conformance.agents.reference.transfers import Transfers
from conformance.agents.serving.outcomes import Call, NothingCame, Unsupported, octets, received

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import Any

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


class Provider(Transfers):
    """The provider in one of its forms."""

    mechanisms = ("event",)
    ops = (
        "socket",
        "listen",
        "accept",
        "connect",
        "send",
        "recv",
        "post_recv",
        "post_send",
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
        super().__init__(messages=form == "message")
        self._form = form
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

    # --- options and state --------------------------------------------------------------------------------------------

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

        def make(socket: Socket) -> list[dict[str, Any]]:
            return socket.registration.take() if socket.registration else []

        return {"events": self._on_socket(call, handle, make)}

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
