# SPDX-License-Identifier: MIT
"""One connection's state by the transport's rules, and its receives. It knows of no sockets, threads or times.

What comes from the peer goes in by `octets_came` and `tcp_ended`, the user's wishes by `send`, `release`, `abort` and
so on; what is to be written stands in `out`. Once there is an `error` the connection is gone, and `parting` says
whether the peer is still to be told.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from conformance.agents.reference import tpdus
from conformance.agents.reference.errors import refused
from conformance.agents.reference.inbox import Inbox
from conformance.agents.serving.outcomes import Refused

WINDOW = 64 * 1024
"""Unread octets at which no more are taken from TCP, unless a receive waits for more."""
MESSAGE = 1024 * 1024
"""Unread octets up to which a message that has begun is taken whole; of a longer one, parts have to be received."""
QUEUE = 64 * 1024
"""Queued octets from which on no further send is accepted."""


class Receive:
    """A receive that was asked for; `complete` is called once with how it ended: data and whether a message was cut."""

    def __init__(
        self,
        length: int,
        complete: Callable[[Outcome], None],
        flags: tuple[str, ...] = (),
        *,
        waits: bool = True,
        posted: bool = False,
    ) -> None:
        self.length = length
        self.complete = complete
        self.waits = waits
        self.peek = "PEEK" in flags
        self.partial = "PARTIAL" in flags
        self.all = "WAITALL" in flags
        self.posted = posted


class Association:
    """Both directions of a connection, as this end knows them."""

    def __init__(self, *, messages: bool) -> None:
        self.messages = messages
        self.error: str | None = None
        """The name of the error that every call is told, once the connection was aborted."""
        self.parting: int | None = None
        """Reason of the ABORT that the peer is owed."""
        self.out: deque[memoryview] = deque()
        self.queued = 0
        self.released = False
        """This end's user ends its direction: RELEASE is written or queued."""
        self.receiving = True
        self.closed = False
        self.peer_released = False
        self.last_word: bytes | None = None
        """The peer's disconnect data that was not fetched yet."""
        self.inbox = Inbox(messages=messages)
        self.receives: deque[Receive] = deque()
        self._written = 0
        self._sends: deque[tuple[int, Callable[[Refused | None], None]]] = deque()
        """Posted sends that TCP has not taken yet: how much is written when they are, and who is told."""
        self._reader = tpdus.Reader()
        self._within_message = False

    # --- facts ------------------------------------------------------------------------------------------------------

    @property
    def over(self) -> bool:
        """Both directions are released, this one's RELEASE with all before it given to TCP."""
        return self.peer_released and self.released and not self.out

    @property
    def at_end(self) -> bool:
        """The peer has ended its direction gracefully, and nothing is left to be read."""
        return self.peer_released and not self.inbox and self.error is None

    @property
    def readable(self) -> bool:
        """A receive would not block, and not because of an end."""
        if self.messages:
            return self.inbox.whole > 0 or self.inbox.weight >= MESSAGE
        return bool(self.inbox)

    @property
    def wants_octets(self) -> bool:
        """Whether more may be taken from TCP."""
        if self.error or self.closed or self.peer_released or not (self.receiving or self.receives):
            return True  # for what comes now no room is needed
        if self.inbox.weight < (MESSAGE if self.messages and not self.inbox.whole else WINDOW):
            return True
        return bool(self.receives) and self.inbox.octets <= self.receives[0].length

    # --- the peer ---------------------------------------------------------------------------------------------------

    def octets_came(self, octets: bytes) -> None:
        """Take what TCP brought."""
        if self.error or self.over:
            return
        try:
            for tpdu in self._reader.tpdus(octets):
                self._take(tpdu)
                if self.error or self.over:
                    return
        except tpdus.Violation:
            self.fail("WSAECONNRESET", parting=tpdus.PROTOCOL_VIOLATION)

    def tcp_ended(self, error: str = "WSAECONNRESET") -> None:
        """Take note that TCP ended, by its end or with an error: before the connection is over, that is an abort."""
        if self.error or self.over:
            return
        try:
            self._reader.finish()
        except tpdus.Violation:
            self.fail("WSAECONNRESET", parting=tpdus.PROTOCOL_VIOLATION)
        self.fail(error)

    def _take(self, tpdu: tpdus.Tpdu) -> None:
        if tpdu.type == tpdus.ABORT:
            self.fail("WSAECONNRESET")
            self.last_word = tpdu.data or None
        elif self.peer_released:
            raise tpdus.Violation("after a RELEASE only an ABORT may come")
        elif tpdu.type == tpdus.RELEASE:
            if self._within_message:
                raise tpdus.Violation("a RELEASE within a message")
            self.peer_released = True
            self.last_word = tpdu.disconnect_data
            self.serve()
        elif self.closed:
            self.fail("WSAECONNRESET", parting=tpdus.BY_USER)
        else:
            self._within_message = not tpdu.end_of_message
            if self.receiving or self.receives:
                self.inbox.add(tpdu.data, last=tpdu.end_of_message)
                self.serve()

    # --- the user ---------------------------------------------------------------------------------------------------

    def send(self, payload: bytes) -> None:
        """Queue the octets of one send; in the message form a message, in the others nothing if there are none."""
        if payload or self.messages:
            for packet in tpdus.data(payload):
                self._queue(packet)

    def when_written(self, complete: Callable[[Refused | None], None]) -> None:
        """Tell once TCP has taken all that is queued now, or of the error for which it never will."""
        self._sends.append((self._written + self.queued, complete))
        self._complete_sends()

    def release(self, disconnect_data: bytes | None = None) -> None:
        """End this direction after all that is queued."""
        self.released = True
        self._queue(tpdus.release(disconnect_data))

    def stop_receiving(self) -> None:
        """Take no more for the user: what is unread is dropped, what comes too, but for receives that wait already."""
        self.receiving = False
        if not self.receives:
            self.inbox.clear()

    def close(self) -> None:
        """The user is gone: ends this direction if it is not yet, and answers data from now on with an ABORT."""
        self.cancel()
        self.inbox.clear()
        self.closed = True
        if not (self.released or self.error):
            self.release()

    def abort(self) -> None:
        """End the connection at once by the user's wish."""
        self.cancel()
        if not self.over:
            self.fail("WSAECONNABORTED", parting=tpdus.BY_USER)

    def fail(self, error: str, *, parting: int | None = None) -> None:
        """Be gone: what is unread is dropped, and every receive is told the error."""
        if self.error is None:
            self.error = error
            self.parting = parting
            self.inbox.clear()
            self.last_word = None
            self.serve()
            self._cancel_sends(refused(error))

    def cancel(self) -> None:
        """End all that was posted or waits, because its socket is closed. What is queued is sent all the same."""
        self._cancel_sends(refused("WSA_OPERATION_ABORTED", "the socket was closed"))
        while self.receives:
            receive = self.receives.popleft()
            receive.complete(
                refused("WSA_OPERATION_ABORTED" if receive.posted else "WSAEINTR", "the socket was closed")
            )

    # --- receives ---------------------------------------------------------------------------------------------------

    def must_wait(self, receive: Receive) -> bool:
        """Whether a receive cannot end now."""
        if self.error:
            return False
        return not self._enough(receive) if self.inbox else not self.peer_released

    def attempt(self, receive: Receive) -> Outcome | None:
        """Return how a receive ends now, or None if it has to wait."""
        if self.must_wait(receive):
            return None
        if self.error:
            return refused(self.error)
        if self.inbox:
            return self.inbox.take(receive.length, peek=receive.peek)
        if self.messages and not receive.partial:
            return refused("WSAEDISCON")
        return b"", False

    def _enough(self, receive: Receive) -> bool:
        inbox = self.inbox
        if not self.messages:
            return not receive.all or inbox.octets >= receive.length or self.peer_released
        if inbox.whole or receive.partial or inbox.octets > receive.length:
            return True
        return not receive.waits and inbox.weight >= MESSAGE

    def serve(self) -> None:
        """Complete the receives that can be, in the order in which they were asked for."""
        while self.receives and (how := self.attempt(self.receives[0])) is not None:
            self.receives.popleft().complete(how)
        if not (self.receiving or self.receives):
            self.inbox.clear()

    # --- what is written --------------------------------------------------------------------------------------------

    def _queue(self, packet: bytes) -> None:
        self.out.append(memoryview(packet))
        self.queued += len(packet)

    def written(self, count: int) -> None:
        """Take note that TCP took so many octets of `out`."""
        self.queued -= count
        self._written += count
        while count:
            first = self.out[0]
            if count < len(first):
                self.out[0] = first[count:]
                break
            count -= len(first)
            self.out.popleft()
        self._complete_sends()

    def _complete_sends(self) -> None:
        while self._sends and self._sends[0][0] <= self._written:
            self._sends.popleft()[1](None)

    def _cancel_sends(self, why: Refused) -> None:
        while self._sends:
            self._sends.popleft()[1](why)


TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import TypeAlias

    Outcome: TypeAlias = tuple[bytes, bool] | Refused
