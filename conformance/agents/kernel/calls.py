# SPDX-License-Identifier: MIT
"""The kernel's socket calls: one method an operation, one system call a method.

Blocking mode is real: O_NONBLOCK stays clear, and `wait_ms` is set as SO_RCVTIMEO or SO_SNDTIMEO (or MSG_DONTWAIT for
0).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import socket
import struct
import threading

from conformance.agents.kernel import readiness
from conformance.agents.serving.implementation import LONGEST_DATA, Implementation
from conformance.agents.serving.outcomes import Call, NothingCame, Unsupported, error_value, octets, received

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import Any

LOWEST_NUMBER = 64
"""Sockets live at descriptors from here up, each at one that no socket had before since the last reset: so the number
of a closed socket stays invalid. The agent's own descriptors stay below."""
VERSION = "1.0"
TRANSPORTS = {"tcp": "tcp", "unix-stream": "unix", "unix-seqpacket": "unix"}

FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6, "unix": socket.AF_UNIX}
HOWS = {"receive": socket.SHUT_RD, "send": socket.SHUT_WR, "both": socket.SHUT_RDWR}
OPTIONS = {
    name: (getattr(socket, level), getattr(socket, prefix + name))
    for level, prefix, names in (
        ("SOL_SOCKET", "SO_", ("KEEPALIVE", "RCVBUF", "SNDBUF", "REUSEADDR", "OOBINLINE")),
        ("IPPROTO_TCP", "TCP_", ("KEEPIDLE", "KEEPINTVL", "KEEPCNT", "USER_TIMEOUT", "NODELAY", "CORK")),
    )
    for name in names
    if hasattr(socket, prefix + name)
}


class Handle:
    """A socket by the agent's number for it. After close it keeps its old descriptor number, which is invalid then."""

    def __init__(self, native: socket.socket) -> None:
        self.native = native
        self.open = True
        self.path: str | None = None
        self.edges: readiness.Edges | None = None
        self.epolls: set[select.epoll] = set()

    def blocks(self) -> bool:
        """Whether calls block now; a closed handle counts as blocking, and its calls return at once."""
        try:
            return os.get_blocking(self.native.fileno())
        except OSError:
            return True

    def lingers(self) -> bool:
        """Whether a close may block."""
        try:
            on, seconds = get_linger(self.native)
        except OSError:
            return False
        return bool(on) and seconds > 0


class Calls(Implementation):
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
        "close",
        "duplicate",
        "set_linger",
        "get_linger",
        "set_blocking",
        "set_option",
        "get_error",
        "names",
        "poll",
    )

    def __init__(self, transport: str) -> None:
        super().__init__()
        self._transport = transport
        self._handles: dict[int, Handle] = {}
        self._keeping = threading.Lock()
        self._last = 0
        self._next_number = LOWEST_NUMBER
        nothing = socket.socket()
        nothing.close()
        self._invalid = Handle(nothing)  # its descriptor is -1

    def hello(self, clock: str) -> dict[str, Any]:
        """Return what the agent says of itself and of the kernel."""
        system = os.uname()
        flags = ["GUARANTEED_DELIVERY", "GUARANTEED_ORDER", "GRACEFUL_CLOSE"]
        return {
            "protocol": 1,
            "agent": {"name": "python-socket", "version": VERSION},
            "implementation": {
                "name": f"{system.sysname.lower()}-{self._transport}",
                "version": system.release,
                "vendor": "kernel",
            },
            "family": "posix",
            "transport": TRANSPORTS[self._transport],
            "service_flags": [*flags, "MESSAGE_ORIENTED"] if self._transport == "unix-seqpacket" else flags,
            "limits": {"disconnect_data_max": 0, "message_max": None},
            "surfaces": ["blocking", "nonblocking", *readiness.SURFACES],
            "ops": self.ops,
            "reads_ahead": False,
            "concurrent": True,
            "clock": clock,
        }

    def may_block(self, op: str, arguments: dict[str, Any]) -> bool:
        """Whether the call may block: a matter of the socket's mode, its linger setting and the time it is given."""
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

    def handle(self, number: int) -> Handle:
        """Return the handle of a socket that is or was; raises LookupError."""
        if number == -1:
            return self._invalid
        if number not in self._handles:
            raise LookupError(f"there is and was no socket {number}")
        return self._handles[number]

    def drop_all(self) -> None:
        """Abort every connection. The handles stay known, as closed ones, until `forget_all`.

        Calls that are under way may still bring something new, so this is done again until they have returned.
        """
        for handle in list(self._handles.values()):
            if handle.open:
                handle.native.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self._close(Call(), handle)
            for epoll in [*handle.epolls, *([handle.edges.epoll] if handle.edges else [])]:
                epoll.close()

    def forget_all(self) -> None:
        """Forget all handles and start their numbers again."""
        for handle in self._handles.values():
            handle.native.detach()
        self._handles.clear()
        self._next_number = LOWEST_NUMBER

    # --- making and ending sockets ----------------------------------------------------------------------------------

    def new_socket(self, call: Call, family: str, kind: str) -> dict[str, Any]:
        """socket(2); a message socket is SOCK_SEQPACKET, which only AF_UNIX has."""
        if family not in FAMILIES or kind not in ("stream", "message"):
            raise ValueError(f"no family {family!r} or kind {kind!r}")
        if kind == "message" and family != "unix":
            raise Unsupported(f"{family} has no sockets of connections that keep message boundaries")
        form = socket.SOCK_STREAM if kind == "stream" else socket.SOCK_SEQPACKET
        native = call.timed(lambda: socket.socket(FAMILIES[family], form))
        return {"socket": self._keep(native)}

    def listen(self, call: Call, handle: Handle, address: dict[str, Any], backlog: int = 128) -> dict[str, Any]:
        """bind(2) and listen(2)."""
        native = handle.native

        def bind_and_listen() -> None:
            native.bind(_sockaddr(address))
            native.listen(backlog)

        call.timed(bind_and_listen)
        if address["family"] == "unix":
            handle.path = address["path"]
        return {"address": _address(native.family, native.getsockname())}

    def accept(self, call: Call, handle: Handle, wait_ms: int = 0) -> dict[str, Any]:
        """accept(2)."""
        self._limit(handle, socket.SO_RCVTIMEO, wait_ms)
        try:
            native, peer = call.timed(handle.native.accept)
        except BlockingIOError as error:
            raise self._nothing_came(handle, error) from None
        # The kernel lets the new socket inherit the listener's limit.
        native.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 0))
        return {"socket": self._keep(native), "peer": _address(native.family, peer)}

    def connect(self, call: Call, handle: Handle, address: dict[str, Any], wait_ms: int = 0) -> dict[str, Any]:
        """connect(2); in blocking mode EINPROGRESS means that the time was over, and the attempt goes on."""
        target = _sockaddr(address)
        self._limit(handle, socket.SO_SNDTIMEO, wait_ms)
        try:
            call.timed(lambda: handle.native.connect(target))
        except BlockingIOError as error:
            raise self._nothing_came(handle, error) from None
        return {"local": _address(handle.native.family, handle.native.getsockname())}

    def close(self, call: Call, handle: Handle, wait_ms: int = 0) -> dict[str, Any]:
        """close(2). The wait is the caller's to keep: nothing bounds a close."""
        self._close(call, handle)
        return {}

    def duplicate(self, call: Call, handle: Handle) -> dict[str, Any]:
        """dup(2)."""
        native = handle.native
        number = call.timed(lambda: os.dup(native.fileno()))
        return {"socket": self._keep(socket.socket(native.family, native.type, native.proto, fileno=number))}

    def _keep(self, native: socket.socket) -> int:
        """Move a new socket to a number of its own, and return its handle."""
        with self._keeping:
            number = fcntl.fcntl(native.fileno(), fcntl.F_DUPFD_CLOEXEC, self._next_number)
            self._next_number = number + 1
            kept = socket.socket(native.family, native.type, native.proto, fileno=number)
            native.close()
            self._last += 1
            self._handles[self._last] = Handle(kept)
            return self._last

    def _close(self, call: Call, handle: Handle) -> None:
        handle.open = False
        path, handle.path = handle.path, None
        edges, handle.edges = handle.edges, None
        try:
            # os.close, so that the object goes on naming the old descriptor.
            call.timed(lambda: os.close(handle.native.fileno()))
        finally:
            if edges:
                edges.epoll.close()
            if path is not None:
                with contextlib.suppress(OSError):
                    os.unlink(path)  # noqa: PTH108 (pathlib costs start-up time)

    # --- data -------------------------------------------------------------------------------------------------------

    def send(
        self,
        call: Call,
        handle: Handle,
        data: str | None = None,
        pattern: dict[str, int] | None = None,
        wait_ms: int = 0,
    ) -> dict[str, Any]:
        """send(2)."""
        payload = octets(data, pattern)
        flags = self._bound(handle, socket.SO_SNDTIMEO, wait_ms)
        try:
            return {"length": call.timed(lambda: handle.native.send(payload, flags))}
        except BlockingIOError as error:
            raise self._nothing_came(handle, error) from None

    def recv(
        self,
        call: Call,
        handle: Handle,
        length: int,
        wait_ms: int | None = 0,
        flags: tuple[str, ...] = (),
        digest: bool = False,
    ) -> dict[str, Any]:
        """recvmsg(2): unlike recv(2) it tells where a message was cut."""
        if length > LONGEST_DATA and not digest:
            raise ValueError(f"{length} octets do not fit in a line; ask for a digest")
        bits = self._bound(handle, socket.SO_RCVTIMEO, wait_ms)
        for flag in flags:
            if flag == "PARTIAL":
                raise Unsupported("POSIX has no partial receive")
            bits |= {"PEEK": socket.MSG_PEEK, "WAITALL": socket.MSG_WAITALL}[flag]
        try:
            data, _, told, _ = call.timed(lambda: handle.native.recvmsg(length, 0, bits))
        except BlockingIOError as error:
            raise self._nothing_came(handle, error) from None
        return received(data, digest=digest, partial=bool(told & socket.MSG_TRUNC))

    def shutdown(self, call: Call, handle: Handle, how: str | int) -> dict[str, Any]:
        """shutdown(2); a number is passed through as it is."""
        number = how if isinstance(how, int) else HOWS[how]
        call.timed(lambda: handle.native.shutdown(number))
        return {}

    # --- options and state --------------------------------------------------------------------------------------------

    def set_linger(self, call: Call, handle: Handle, on: bool, seconds: int) -> dict[str, Any]:
        """setsockopt(2) SO_LINGER."""
        value = struct.pack("ii", on, seconds)
        call.timed(lambda: handle.native.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, value))
        return {"on": on, "seconds": seconds}

    def get_linger(self, call: Call, handle: Handle) -> dict[str, Any]:
        """getsockopt(2) SO_LINGER."""
        on, seconds = call.timed(lambda: get_linger(handle.native))
        return {"on": bool(on), "seconds": seconds}

    def set_blocking(self, call: Call, handle: Handle, on: bool) -> dict[str, Any]:
        """fcntl(2) F_SETFL, O_NONBLOCK."""
        call.timed(lambda: os.set_blocking(handle.native.fileno(), on))
        return {}

    def set_option(self, call: Call, handle: Handle, name: str, value: int) -> dict[str, Any]:
        """setsockopt(2) with an integer."""
        if name not in OPTIONS:
            raise Unsupported(f"no option {name!r}; there are {', '.join(OPTIONS)}")
        level, option = OPTIONS[name]
        call.timed(lambda: handle.native.setsockopt(level, option, value))
        return {}

    def get_error(self, call: Call, handle: Handle) -> dict[str, Any]:
        """getsockopt(2) SO_ERROR."""
        code = call.timed(lambda: handle.native.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        return {"error": error_value(code) if code else None}

    def names(self, call: Call, handle: Handle) -> dict[str, Any]:
        """getsockname(2) and getpeername(2); where one fails, its error."""
        native = handle.native
        local, peer = call.timed(lambda: (native.getsockname(), native.getpeername()))
        return {"local": _address(native.family, local), "peer": _address(native.family, peer)}

    def poll(
        self,
        call: Call,
        handle: Handle,
        surface: str,
        events: list[str],
        wait_ms: int = 0,
        register: bool = False,
    ) -> dict[str, Any]:
        """select(2), poll(2) or epoll_wait(2)."""
        fd = handle.native.fileno()
        if surface not in readiness.SURFACES:
            raise Unsupported(f"no surface {surface!r}; there are {', '.join(readiness.SURFACES)}")
        if fd < 0:
            raise Unsupported(f"Python's {surface} takes no negative descriptor")
        wait_s = wait_ms / 1000
        if surface == "select":
            told = readiness.by_select(fd, events, wait_s, call.timed)
        elif surface == "poll":
            told = readiness.by_poll(fd, events, wait_s, call.timed)
        elif surface == "epoll":
            told = readiness.by_epoll(fd, events, wait_s, call.timed, handle.epolls)
        else:
            mask = readiness.mask_of(events, readiness.EPOLL)
            if handle.edges is None or handle.edges.mask != mask or register:
                if handle.edges:
                    handle.edges.epoll.close()
                    handle.edges = None
                handle.edges = readiness.Edges(fd, mask)
            told = readiness.by_edges(handle.edges, wait_s, call.timed)
        if not told:
            raise NothingCame
        return {"events": told}

    # --- waiting ------------------------------------------------------------------------------------------------------

    def _limit(self, handle: Handle, option: int, wait_ms: int) -> None:
        """Bound the next call on a blocking socket; 0 is the shortest time there is (0 itself would be no limit)."""
        limit = struct.pack("ll", *divmod(max(1, wait_ms * 1000), 1_000_000))
        with contextlib.suppress(OSError):  # what is wrong with the socket, the call itself will tell
            handle.native.setsockopt(socket.SOL_SOCKET, option, limit)

    def _bound(self, handle: Handle, option: int, wait_ms: int | None) -> int:
        """Bound the next send or receive, and return the flags to make it with. None: whatever limit is set."""
        if wait_ms is None or not handle.blocks():
            return 0
        if wait_ms == 0:
            return socket.MSG_DONTWAIT
        self._limit(handle, option, wait_ms)
        return 0

    def _nothing_came(self, handle: Handle, error: OSError) -> Exception:
        """Tell a limit that was reached (blocking mode) from an answer of the implementation (non-blocking mode)."""
        return NothingCame() if handle.blocks() else error


def get_linger(native: socket.socket) -> tuple[int, int]:
    """Read SO_LINGER: l_onoff and l_linger."""
    on, seconds = struct.unpack("ii", native.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))
    return on, seconds


def _sockaddr(address: dict[str, Any]) -> Any:
    return address["path"] if address["family"] == "unix" else (address["host"], address["port"])


def _address(family: int, name: Any) -> dict[str, Any]:
    if family == socket.AF_UNIX:
        return {"family": "unix", "path": name if isinstance(name, str) else (name or b"").decode("utf-8", "replace")}
    return {"family": "inet6" if family == socket.AF_INET6 else "inet", "host": name[0], "port": name[1]}
