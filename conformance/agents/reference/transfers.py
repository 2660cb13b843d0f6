# SPDX-License-Identifier: MIT
"""Sending and receiving with the reference provider: at once, waiting, posted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from conformance.agents.reference.association import QUEUE, Receive
from conformance.agents.reference.errors import refused
from conformance.agents.reference.handles import Handle, Sockets
from conformance.agents.reference.sockets import Socket
from conformance.agents.serving.implementation import LONGEST_DATA
from conformance.agents.serving.outcomes import Call, NothingCame, Refused, octets, received

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import Any

    from conformance.agents.reference.association import Association, Outcome
    from conformance.agents.reference.carrier import Carrier


class Transfers(Sockets):
    """The calls that send and receive."""

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

    def post_send(
        self,
        call: Call,
        handle: Handle,
        complete: Callable[[dict[str, Any]], None],
        data: str | None = None,
        pattern: dict[str, int] | None = None,
    ) -> dict[str, Any]:
        """WSASend, overlapped: queued whatever is queued already, and complete once TCP has taken the last octet."""
        payload = octets(data, pattern)

        def tell(error: Refused | None) -> None:
            ended = {"error": error.value()} if error else {"result": {"length": len(payload)}}
            complete({**ended, "mechanism": "event", "at": time.time_ns()})

        def make(socket: Socket, association: Association, _: Carrier) -> None:
            self._check_sending(association)
            association.send(payload)
            association.when_written(tell)
            socket.acted()

        self._on_connection(call, handle, make)
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
