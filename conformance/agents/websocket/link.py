# SPDX-License-Identifier: MIT
"""One WebSocket connection made of `wsproto`, which knows the protocol and does no I/O: its octets come and go here.

It reads ahead in a thread, up to a limit, answers Ping and Close by itself as RFC 6455 asks, and closes TCP when both
have sent a Close, the server first; a client waits for that.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
from collections import deque

from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import AcceptConnection, CloseConnection, Event, Message, Ping, Request
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from conformance.agents.serving.outcomes import NothingCame, Refused, error_value
from conformance.agents.websocket import common

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import Any

AHEAD_OCTETS = 1 << 20
"""What is read ahead at most before the user takes something."""
CLOSING_S = 10.0
"""How long the other end may take for its part of the closing handshake, once the user has given the socket up."""
_CHUNK = 1 << 16
_JOINING_S = 1.0


class Link:
    """One connection: its TCP socket, its protocol, and the thread that reads for it."""

    def __init__(self, native: socket.socket, kind: ConnectionType) -> None:
        self.native = native
        self.protocol = WSConnection(kind)
        self.server = kind is ConnectionType.SERVER
        self.changed = threading.Condition()
        self.messages: deque[bytes] = deque()
        self.waiting = 0
        self.end: Refused | None = None
        self.close_rcvd: tuple[int, str] | None = None
        self.close_sent = False
        self.deaf = False
        self.upgraded = False
        self.cut: int | None = None
        self._parts: list[bytes] = []
        self._mute = False
        self._over = False
        self._deadline_ms: float | None = None
        self._putting = threading.Lock()
        self._woken, self._waker = socket.socketpair()
        self._reader = threading.Thread(target=self._read_ahead, daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._reader.start()

    # --- sending ------------------------------------------------------------------------------------------------------

    def put(self, event: Event) -> None:
        """Send an event; raises LocalProtocolError, OSError."""
        with self._putting:
            data = self.protocol.send(event)
            if isinstance(event, CloseConnection):
                self.close_sent = True
            if self._mute:
                return
            if self.cut is not None:
                data, self.cut, self._mute = data[: self.cut], None, True
            self.native.sendall(data)

    def takes_more(self, wait_ms: int) -> bool:
        """Whether TCP takes something within that time."""
        poll = select.poll()
        with contextlib.suppress(OSError, ValueError):
            poll.register(self.native.fileno(), select.POLLOUT)
            return bool(poll.poll(wait_ms))
        return True

    # --- ending -------------------------------------------------------------------------------------------------------

    def give_up(self) -> None:
        """The user is gone: a Close if there was none, and in the background what the closing handshake still needs."""
        self.deaf = True
        with contextlib.suppress(LocalProtocolError, OSError):
            if not self.close_sent:
                self.put(CloseConnection(code=CloseReason.NORMAL_CLOSURE))
        with self.changed:
            self._deadline_ms = CLOSING_S * 1000
            if self._mute:
                self._over = True
            self.changed.notify_all()
        self._wake()

    def abort(self) -> None:
        """Reset TCP."""
        with contextlib.suppress(OSError):
            self.native.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with self.changed:
            self._over = True
            self.changed.notify_all()
        self._wake()
        if self._reader.is_alive():
            self._reader.join(_JOINING_S)
        self._leave()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._waker.send(b".")

    def _leave(self) -> None:
        """Close TCP; whoever still waits is told of the end."""
        with contextlib.suppress(OSError):
            self.native.close()
        with self.changed:
            if self.end is None:
                self.end = Refused("CloseConnection", common.ABNORMAL, "the connection was given up here")
            self._over = True
            self.changed.notify_all()

    # --- reading ------------------------------------------------------------------------------------------------------

    def _read_ahead(self) -> None:
        try:
            while not self._over and self._wait_for_octets():
                self._take(self.native.recv(_CHUNK))
        except OSError as error:
            told = error_value(error.errno or 0)
            self._tell(Refused(told["name"], told["code"], told["detail"]))
        finally:
            self._leave()
            self._waker.close()
            self._woken.close()

    def _wait_for_octets(self) -> bool:
        """Wait until TCP has something; False where the time or the connection is over."""
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.waiting < AHEAD_OCTETS or self.deaf or self._over)
            if self._over:
                return False
            poll = select.poll()
            woken, tcp = self._woken.fileno(), self.native.fileno()
            poll.register(woken, select.POLLIN)
            poll.register(tcp, select.POLLIN)
            ready = dict(poll.poll(self._deadline_ms))
            if self._over or not ready:
                return False
            if woken in ready:
                self._woken.recv(1)
            if tcp in ready:
                return True

    def _take(self, data: bytes) -> None:
        """Have the protocol read, and react to what it tells; no octets are the end of TCP."""
        if not data:
            self._over = True
        if self.protocol.state in (ConnectionState.CLOSED, ConnectionState.REMOTE_CLOSING):
            return  # after both Closes: discarded, or the end of TCP that belongs to them
        try:
            self.protocol.receive_data(data or None)
            self._follow()
        except (RemoteProtocolError, LocalProtocolError) as error:
            self._over = True
            self._tell(Refused(type(error).__name__, None, str(error)))

    def _follow(self) -> None:
        for event in self.protocol.events():
            if isinstance(event, Ping):
                self._answer(event.response())
            elif isinstance(event, Message):
                self._add(event)
            elif isinstance(event, CloseConnection):
                self._follow_close(event)
            elif isinstance(event, Request):
                self._answer(AcceptConnection())
                self._upgrade()
            elif isinstance(event, AcceptConnection):
                self._upgrade()
            else:
                pass  # a Pong; a refused upgrade shows as one that never comes

    def _upgrade(self) -> None:
        with self.changed:
            self.upgraded = True
            self.changed.notify_all()

    def _add(self, event: Message[Any]) -> None:
        data = event.data
        self._parts.append(data.encode() if isinstance(data, str) else bytes(data))
        if not event.message_finished:
            return
        message, self._parts = b"".join(self._parts), []
        if self.deaf:
            return
        with self.changed:
            self.messages.append(message)
            self.waiting += len(message) + 1
            self.changed.notify_all()

    def _follow_close(self, event: CloseConnection) -> None:
        """A Close of the other end; or the protocol's word that there will be none, or that a frame was forbidden."""
        state, code, reason = self.protocol.state, int(event.code), event.reason or ""
        if state is ConnectionState.OPEN:  # no frame moves it there: the protocol refuses what came
            self._answer(event)
            self._tell(Refused("ParseFailed", code, reason))
            self._over = True
            return
        if code != common.ABNORMAL:
            self.close_rcvd = (code, reason)
        if state is ConnectionState.REMOTE_CLOSING:
            self._answer(event.response())
        self._tell(Refused("CloseConnection", code, reason))
        if self.server and not self._mute:
            self._over = True

    def _answer(self, event: Event) -> None:
        with contextlib.suppress(LocalProtocolError):
            self.put(event)

    def _tell(self, end: Refused) -> None:
        with self.changed:
            if self.end is None:
                self.end = end
            self.changed.notify_all()

    def next_message(self, wait_s: float | None) -> bytes:
        """The next message; raises NothingCame, or the end as it is told."""
        with self.changed:
            if not self.changed.wait_for(lambda: bool(self.messages) or self.end is not None, wait_s):
                raise NothingCame
            if self.messages:
                message = self.messages.popleft()
                self.waiting -= len(message) + 1
                self.changed.notify_all()
                return message
            assert self.end is not None
            raise Refused(self.end.name, self.end.code, self.end.detail)


def upgraded(native: socket.socket, kind: ConnectionType, request: Request | None, wait_ms: int) -> Link:
    """Make a connection of a TCP socket by the HTTP upgrade; raises TimeoutError where it does not come about."""
    native.settimeout(None)
    native.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    link = Link(native, kind)
    if request is not None:
        link.put(request)
    link.start()
    with link.changed:
        done = link.changed.wait_for(lambda: link.upgraded or link.end is not None, wait_ms / 1000)
    if not done or not link.upgraded:
        link.abort()
        raise TimeoutError
    return link
