# SPDX-License-Identifier: MIT
"""A socket of the provider: what it is at the moment, and what closing it does. Everything here is under the lock."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import time

from conformance.agents.reference.association import Association
from conformance.agents.reference.carrier import Carrier, prepare
from conformance.agents.reference.engine import Engine
from conformance.agents.reference.errors import refused, translated

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import Any

    from conformance.agents.reference.notifications import Registration

FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}
_LOOK_AGAIN_S = 0.002
"""How often a lingering close looks whether TCP has everything acknowledged: nothing tells of it."""


class Socket:
    """One socket, by however many handles: new, listening, connecting, or with the association it has or had."""

    def __init__(self, engine: Engine, family: str, *, messages: bool, tcp: socket.socket | None = None) -> None:
        self.engine = engine
        self.family = family
        self.messages = messages
        self.handles = 1
        self.blocking = True
        self.linger = (False, 0)
        self.registration: Registration | None = None
        self.close_told = False
        self.association: Association | None = None
        self.carrier: Carrier | None = None
        self.pending_error: str | None = None
        """SO_ERROR."""
        self.names: dict[str, Any] = {}
        self.listening = False
        self.connecting = False
        self.dropped = False
        self.accepting = 0
        """Calls that wait for a connection."""
        self._told_error = False
        self.tcp = tcp or socket.socket(FAMILIES[family], socket.SOCK_STREAM)
        prepare(self.tcp)

    # --- becoming something -------------------------------------------------------------------------------------------

    def listen(self, address: dict[str, Any], backlog: int) -> dict[str, Any]:
        """Be a listener; the address with the port that was chosen."""
        if self.association or self.connecting:
            raise refused("WSAEISCONN")
        try:
            self.tcp.bind((address["host"], address["port"]))
            self.tcp.listen(backlog)
        except OSError as error:
            raise translated(error) from None
        self.listening = True
        self.engine.add(self.tcp.fileno(), self, 0)
        return self._address(self.tcp.getsockname())

    def accept(self) -> Socket | None:
        """Return the socket of a connection that came, with this one's properties; None if there is none."""
        try:
            tcp, _ = self.tcp.accept()
        except BlockingIOError:
            # Once, as soon as one comes: epoll need not go on telling of connections that nobody waits for.
            self.engine.watch(self.tcp.fileno(), select.EPOLLIN | select.EPOLLONESHOT)
            return None
        except OSError as error:
            raise translated(error) from None
        accepted = Socket(self.engine, self.family, messages=self.messages, tcp=tcp)
        accepted.blocking, accepted.linger = self.blocking, self.linger
        return accepted

    def has_caller(self) -> bool:
        """Whether a connection came that was not accepted yet."""
        poll = select.poll()
        poll.register(self.tcp.fileno(), select.POLLIN)
        return bool(poll.poll(0))

    def connect(self, address: dict[str, Any]) -> None:
        """Begin to connect; `connecting` and `association` tell how it goes on."""
        if self.association:
            raise refused("WSAEISCONN")
        if self.listening:
            raise refused("WSAEINVAL", "the socket listens")
        if self.connecting:
            raise refused("WSAEALREADY")
        number = self.tcp.connect_ex((address["host"], address["port"]))
        if number not in (0, errno.EINPROGRESS):
            raise translated(OSError(number, os.strerror(number)))
        self.connecting = True
        self.engine.add(self.tcp.fileno(), self, select.EPOLLOUT)
        if number == 0:
            self.ready()

    def ready(self) -> None:
        """Go on: a connection came, or an attempt has ended."""
        if self.connecting:
            number = self.tcp.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not number:
                try:
                    self.tcp.getpeername()
                except OSError:
                    return
            self.connecting = False
            self.engine.remove(self.tcp.fileno())
            if number:
                self.pending_error = translated(OSError(number, "")).name
            else:
                self.establish()
        self.changed()

    def establish(self) -> None:
        """Be connected, by the TCP connection that there is."""
        self.names = {"local": self._address(self.tcp.getsockname())}
        with contextlib.suppress(OSError):  # it may be gone again
            self.names["peer"] = self._address(self.tcp.getpeername())
        self.association = Association(messages=self.messages)
        self.carrier = Carrier(self.engine, self.tcp, self.association, self.changed)

    def _address(self, name: Any) -> dict[str, Any]:
        return {"family": self.family, "host": name[0], "port": name[1]}

    # --- being connected ----------------------------------------------------------------------------------------------

    def connected(self) -> tuple[Association, Carrier]:
        """Return the association; raises WSAENOTCONN where there is and was none."""
        if self.association is None or self.carrier is None:
            raise refused("WSAENOTCONN")
        return self.association, self.carrier

    def changed(self) -> None:
        """Tell whoever waits that something may be different."""
        association = self.association
        if association is not None:
            if association.error and not self._told_error:
                self._told_error = True
                self.pending_error = association.error
            if self.registration and self.handles:
                self.registration.update(association)
                self.close_told = self.close_told or self.registration.close_told
        self.engine.changed.notify_all()

    def acted(self) -> None:
        """Have done what the user's call has put into the association."""
        if self.carrier:
            self.carrier.settle()
        self.changed()

    def register(self, registration: Registration | None) -> None:
        """Replace the registration. An end that a record was told once is not recorded again; a message is."""
        self.registration = registration
        self.blocking = False
        if registration:
            registration.close_told = self.close_told and registration.mechanism == "event"
        self.changed()

    # --- being closed -------------------------------------------------------------------------------------------------

    def close_must_wait(self) -> bool:
        """Whether a close lingers: it is asked to, and the user has something on its way to the peer."""
        on, seconds = self.linger
        association = self.association
        return bool(on and seconds and association and not (association.error or association.over))

    def close(self) -> None:
        """Close the last handle as linger says; raises WSAEWOULDBLOCK, without effect, where it may not and cannot."""
        on, seconds = self.linger
        if self.association is None or self.carrier is None:
            self._leave()
            return
        if on and not seconds:
            self._leave()
            self.association.abort()
            self.acted()
            return
        lingers = self.close_must_wait()
        if lingers and not self.blocking and not (self.association.released or self.carrier.drained()):
            raise refused("WSAEWOULDBLOCK", "data is on its way; with this linger a close would wait")
        self._leave()
        self.association.cancel()
        self.association.stop_receiving()
        self.carrier.read_what_came()  # what is here already came before the close
        self.association.close()
        self.acted()
        if lingers and self.blocking:
            self._linger(self.association, self.carrier, time.monotonic() + seconds)

    def _linger(self, association: Association, carrier: Carrier, limit: float) -> None:
        while not (association.error or carrier.drained()):
            remaining = limit - time.monotonic()
            if remaining <= 0:
                association.abort()
                self.acted()
                return
            self.engine.changed.wait(min(remaining, _LOOK_AGAIN_S))

    def _leave(self) -> None:
        """Nobody can name the socket any more."""
        self.handles = 0
        self.registration = None
        if self.association is None:
            self._drop_tcp()
        self.engine.changed.notify_all()

    def drop(self) -> None:
        """Abort whatever there is, so that every call that waits returns."""
        self.dropped = True
        self.handles = 0
        self.registration = None
        if self.association and self.carrier:
            self.association.abort()
            self.carrier.settle()
            self.carrier.discard(reset=True)
        else:
            self._drop_tcp()
        self.engine.changed.notify_all()

    def _drop_tcp(self) -> None:
        if self.tcp.fileno() >= 0:
            if self.tcp.fileno() in self.engine.served:
                self.engine.remove(self.tcp.fileno())
            self.tcp.close()
        self.listening = self.connecting = False


def options() -> dict[str, tuple[int, int]]:
    """Return the options that are passed to TCP: level and number by the protocol's names."""
    return {
        name: (getattr(socket, level), getattr(socket, prefix + name))
        for level, prefix, names in (
            ("SOL_SOCKET", "SO_", ("KEEPALIVE", "RCVBUF", "SNDBUF")),
            ("IPPROTO_TCP", "TCP_", ("KEEPIDLE", "KEEPINTVL", "KEEPCNT", "USER_TIMEOUT", "NODELAY")),
        )
        for name in names
        if hasattr(socket, prefix + name)
    }
