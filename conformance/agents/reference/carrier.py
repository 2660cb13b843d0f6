# SPDX-License-Identifier: MIT
"""The TCP connection under an association: what is written to it, read from it, and how it is ended."""

from __future__ import annotations

import contextlib
import fcntl
import select
import socket
import struct
from collections.abc import Callable

from conformance.agents.reference import tpdus
from conformance.agents.reference.association import Association
from conformance.agents.reference.engine import Engine
from conformance.agents.reference.errors import end_of_tcp

BUFFER = 64 * 1024
"""SO_SNDBUF and SO_RCVBUF, so that filling a connection is quick."""
_CHUNK = 64 * 1024
_SEGMENT = 8 * 1024
_SIOCOUTQ = 0x5411
_SIOCOUTQNSD = 0x894B
_READING = select.EPOLLIN | select.EPOLLRDHUP
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)


def prepare(tcp: socket.socket) -> None:
    """Set up a TCP socket as the transport wants it; accepted ones inherit it from their listener."""
    tcp.setblocking(False)
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with contextlib.suppress(OSError):
        # Segments of a buffer's size, as the loopback has them, would wait for the window to open wholly.
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _SEGMENT)


class Carrier:
    """Carries one association; `changed` is called after whatever TCP brought. Everything happens under the lock."""

    def __init__(
        self, engine: Engine, tcp: socket.socket, association: Association, changed: Callable[[], None]
    ) -> None:
        self.tcp = tcp
        self.association = association
        self._engine = engine
        self._changed = changed
        self._fd = tcp.fileno()
        self._ended = False
        self._watched = _READING
        engine.add(self._fd, self, _READING)

    @property
    def gone(self) -> bool:
        """Whether TCP is closed."""
        return self._fd < 0

    def drained(self) -> bool:
        """Whether everything that was written has been acknowledged by the peer's TCP."""
        return self.gone or (not self.association.out and self._count(_SIOCOUTQ) == 0)

    def ready(self) -> None:
        """Write and read what can be, and tell of it."""
        if not self.gone:
            self._read()
            self.settle()
            self._changed()

    def take_up(self) -> None:
        """Serve what TCP has by now, for a call: it tells what came before it, whenever the engine's thread runs."""
        if not self.gone and _ready_at_once(self._fd, select.POLLIN | select.POLLRDHUP):
            self.ready()

    def read_what_came(self) -> None:
        """Read as much as has come before this call."""
        limit = self._count(0x541B)  # FIONREAD
        while limit > 0 and not self.gone and not self.association.error and (count := self._read()):
            limit -= count

    def settle(self) -> None:
        """Do what the association's state asks for: write, end TCP, wait for what is to come."""
        association = self.association
        if self.gone:
            return
        if association.error:
            self._part()
            return
        if association.out:
            self._write()
            if association.error:
                self._part()
                return
        if association.over and not self._ended:
            self._ended = True
            with contextlib.suppress(OSError):
                self.tcp.shutdown(socket.SHUT_WR)
        if association.over and association.closed and not self._count(_SIOCOUTQ):
            self.discard()
            return
        # RDHUP is told even while nothing is read: the rest then fits in TCP's buffer, and an abort may be behind it.
        wanted = select.EPOLLRDHUP
        if association.wants_octets:
            wanted |= select.EPOLLIN
        if association.out:
            wanted |= select.EPOLLOUT
        if wanted != self._watched:
            self._watched = wanted
            self._engine.watch(self._fd, wanted)

    def discard(self, *, reset: bool = False) -> None:
        """Close TCP; `reset` by a RST, whatever was not sent yet being lost."""
        if self.gone:
            return
        self._engine.remove(self._fd)
        self._fd = -1
        with contextlib.suppress(OSError):
            if reset:
                self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.tcp.close()

    # --- reading and writing ------------------------------------------------------------------------------------------

    def _read(self) -> int:
        """Read once and have the association take it; how many octets. The end of TCP is taken too.

        Where no more is wanted, this was called because TCP ended: what is before that end fits in its buffer.
        """
        association = self.association
        if not association.wants_octets and not self._has_ended():
            return 0
        try:
            octets = self.tcp.recv(_CHUNK)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            self._end(end_of_tcp(error.errno or 0))
            return 0
        if not octets:
            self._end("WSAECONNRESET")
            return 0
        if _QUICKACK is not None:
            # The sender's linger waits for the acknowledgement.
            with contextlib.suppress(OSError):
                self.tcp.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        association.octets_came(octets)
        return len(octets)

    def _has_ended(self) -> bool:
        return _ready_at_once(self._fd, select.POLLRDHUP)

    def _end(self, error: str) -> None:
        association = self.association
        association.tcp_ended(error)
        if not association.error:  # the connection is over: nobody needs TCP any more
            self.discard()

    def _write(self) -> None:
        association = self.association
        try:
            while association.out:
                association.written(self.tcp.send(association.out[0]))
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            # What came before the end is taken first: it may say more.
            while not association.error and self._read():
                pass
            if not association.error and not self.gone:
                association.tcp_ended(end_of_tcp(error.errno or 0))

    def _part(self) -> None:
        """Tell the peer of the abort: by an ABORT if it can be put out at once, otherwise by a RST."""
        association = self.association
        reason, association.parting = association.parting, None
        told = reason is not None and not association.out and self._count(_SIOCOUTQNSD) == 0 and self._put_out(reason)
        if told:
            with contextlib.suppress(OSError):  # what is unread would turn the end into a RST
                while self.tcp.recv(_CHUNK):
                    pass
        association.out.clear()
        association.queued = 0
        self.discard(reset=reason is not None and not told)

    def _put_out(self, reason: int) -> bool:
        packet = tpdus.abort(reason)
        try:
            return self.tcp.send(packet) == len(packet) and self._count(_SIOCOUTQNSD) == 0
        except OSError:
            return False

    def _count(self, request: int) -> int:
        """Return a count of octets that the kernel keeps for this connection."""
        if self.gone:
            return 0
        try:
            return int(struct.unpack("i", fcntl.ioctl(self._fd, request, bytes(4)))[0])
        except OSError:
            return 0


def _ready_at_once(fd: int, events: int) -> bool:
    poll = select.poll()
    poll.register(fd, events)
    return bool(poll.poll(0))
