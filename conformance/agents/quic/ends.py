# SPDX-License-Identifier: MIT
"""The library's two interfaces, each behind the same few calls: one stream of a connection, by events or asyncio's way.

Everything here runs in the loop's thread. What the library answers is passed on by its own names: the class of an
exception or of an event, its code, its words.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeAlias

from aioquic.asyncio.protocol import QuicConnectionProtocol, QuicStreamAdapter
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import (
    ConnectionTerminated,
    QuicEvent,
    StopSendingReceived,
    StreamDataReceived,
    StreamReset,
)

from conformance.agents.quic.loop import within
from conformance.agents.serving.outcomes import NothingCame, Refused, Unsupported

STREAM = 0
"""The first bidirectional stream that a client opens."""
OPENING = b"\0"
"""What the client says first. A stream comes into being for the other end with its first frame, and the library puts
none on the link before there is something to send."""
_PADDING = 0
"""The frame type that a CONNECTION_CLOSE of the transport names, if it must name one."""

Tell: TypeAlias = Callable[[dict[str, Any]], None]
Opened: TypeAlias = Callable[["End"], None]


@contextmanager
def answered() -> Iterator[None]:
    """Pass what the library raised on as its answer."""
    try:
        yield
    except (Refused, Unsupported, NothingCame, asyncio.CancelledError):
        raise
    except Exception as error:
        raise Refused(type(error).__name__, getattr(error, "errno", None), str(error)) from error


class End:
    """One end of the stream, by whichever interface. `code` is what its aborts carry; `tell` takes its notices."""

    protocol: QuicConnectionProtocol

    def __init__(self) -> None:
        self.code = 0
        self.transport_closes = False
        self.aborts_on_close = False
        self._tell: Tell | None = None
        self._untold: list[dict[str, Any]] = []

    def told_to(self, tell: Tell) -> None:
        """From now on notices go there, those that came before too."""
        self._tell = tell
        for notice in self._untold:
            tell(notice)
        self._untold.clear()

    def notice(self, type: str, error: Refused | None = None, **more: Any) -> None:
        """Tell of something that the library raised by itself."""
        notice = {"type": type, "error": error.value() if error else None, "at": time.time_ns(), **more}
        if self._tell is None:
            self._untold.append(notice)
        else:
            self._tell(notice)

    def drop(self) -> None:
        """Give up the connection at once."""
        with suppress(Exception):
            self.protocol.close()

    async def open(self) -> None:
        """Open the stream, as the client."""
        raise NotImplementedError

    async def receive(self, length: int, wait_ms: int | None) -> bytes:
        """Take what has come; nothing is the end. Raises NothingCame, Refused."""
        raise NotImplementedError

    async def send(self, data: bytes) -> None:
        """Hand data over."""
        raise NotImplementedError

    def end(self) -> None:
        """End the sending direction: FIN."""
        raise NotImplementedError

    def stop(self) -> None:
        """Ask the peer to send no more: STOP_SENDING."""
        raise NotImplementedError

    def close(self) -> None:
        """Give up the stream, by its end or by an abort."""
        raise NotImplementedError

    def terminate(self, reason: str) -> None:
        """End the connection: CONNECTION_CLOSE."""
        raise NotImplementedError

    def last_word(self) -> bytes:
        """Return the code (8 octets) and the reason of a CONNECTION_CLOSE that came. Raises NothingCame."""
        raise NotImplementedError


class EventProtocol(QuicConnectionProtocol):
    """The library's protocol with its events handed over."""

    def __init__(self, quic: QuicConnection, hear: Callable[[QuicEvent], None]) -> None:
        super().__init__(quic)
        self._hear = hear

    def quic_event_received(self, event: QuicEvent) -> None:
        """Take an event."""
        self._hear(event)

    @property
    def quic(self) -> QuicConnection:
        """The connection, on which the library's documentation has events' users call."""
        return self._quic


class ByEvents(End):
    """The event API. The record of what was told is kept here: data in order, and the first word of an end, which a
    receive repeats for as long as it is asked, as the stream has no other state after it (RFC 9000, 3.2)."""

    protocol: EventProtocol

    def __init__(self, quic: QuicConnection, opened: Opened | None = None) -> None:
        super().__init__()
        self.protocol = EventProtocol(quic, self._hear)
        self._opened = opened
        self._arrived = bytearray()
        self._ended: Refused | bool = False
        self._terminated: ConnectionTerminated | None = None
        self._ended_here = False
        self._changed = asyncio.Event()

    async def open(self) -> None:
        """Say the first octet on the first stream."""
        self.protocol.quic.send_stream_data(self.protocol.quic.get_next_available_stream_id(), OPENING)
        self.protocol.transmit()

    def _hear(self, event: QuicEvent) -> None:
        match event:
            case StreamDataReceived(stream_id=0):
                self._arrived += event.data
                if self._opened is not None and self._arrived:
                    del self._arrived[: len(OPENING)]
                    self._opened(self)
                    self._opened = None
                if event.end_stream:
                    self._ended = self._ended or True
                    self.notice("END", name="StreamDataReceived", args={"end_stream": True})
            case StreamReset(stream_id=0):
                error = Refused("StreamReset", event.error_code)
                self._ended = self._ended or error
                self.notice("END", error, name="StreamReset")
            case StopSendingReceived(stream_id=0):
                self.notice("UPCALL", name="StopSendingReceived", args={"error_code": event.error_code})
            case ConnectionTerminated():
                error = Refused("ConnectionTerminated", event.error_code, event.reason_phrase)
                self._terminated = event
                self._ended = self._ended or error
                told = {"frame_type": event.frame_type, "reason_phrase": event.reason_phrase}
                self.notice("CLOSED", error, name="ConnectionTerminated", args=told)
        self._changed.set()

    async def receive(self, length: int, wait_ms: int | None) -> bytes:
        """Take from the record of what events brought."""
        await within(self._something(), wait_ms)
        if not self._arrived and isinstance(self._ended, Refused):
            raise self._ended
        taken = bytes(self._arrived[:length])
        del self._arrived[:length]
        return taken

    async def _something(self) -> None:
        while not self._arrived and not self._ended:
            self._changed.clear()
            await self._changed.wait()

    async def send(self, data: bytes) -> None:
        """`QuicConnection.send_stream_data`."""
        self._then_transmit(lambda quic: quic.send_stream_data(STREAM, data))

    def end(self) -> None:
        """`send_stream_data` with `end_stream`."""
        self._then_transmit(lambda quic: quic.send_stream_data(STREAM, b"", end_stream=True))
        self._ended_here = True

    def stop(self) -> None:
        """`QuicConnection.stop_stream`."""
        self._then_transmit(lambda quic: quic.stop_stream(STREAM, self.code))

    def close(self) -> None:
        """FIN, or `reset_stream`; and `stop_stream` where the peer has not ended."""
        quic = self.protocol.quic
        # What is over already need not be ended again: the library's refusal is no answer to a close.
        with suppress(ValueError, RuntimeError):
            if self.aborts_on_close:
                quic.reset_stream(STREAM, self.code)
            elif not self._ended_here:
                quic.send_stream_data(STREAM, b"", end_stream=True)
        with suppress(ValueError):
            if not self._ended:
                quic.stop_stream(STREAM, self.code)
        self.protocol.transmit()

    def terminate(self, reason: str) -> None:
        """`QuicConnection.close`."""
        frame_type = _PADDING if self.transport_closes else None
        self._then_transmit(lambda quic: quic.close(self.code, frame_type, reason))

    def last_word(self) -> bytes:
        """What the event ConnectionTerminated has told."""
        if self._terminated is None:
            raise NothingCame
        return self._terminated.error_code.to_bytes(8, "big") + self._terminated.reason_phrase.encode()

    def _then_transmit(self, call: Callable[[QuicConnection], None]) -> None:
        with answered():
            call(self.protocol.quic)
            self.protocol.transmit()


class ByStreams(End):
    """asyncio's stream API: a StreamReader and a StreamWriter, and the connection's `close`."""

    def __init__(self, quic: QuicConnection, opened: Opened | None = None) -> None:
        super().__init__()
        self.protocol = QuicConnectionProtocol(quic, stream_handler=partial(self._handle, opened))
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self._reading = asyncio.Lock()
        self._tasks = {asyncio.ensure_future(self._see_it_closed())}

    async def open(self) -> None:
        """`create_stream`, and the first octet."""
        self._reader, self._writer = await self.protocol.create_stream()
        await self.send(OPENING)

    def _handle(self, opened: Opened | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def begin() -> None:
            await reader.readexactly(len(OPENING))
            assert opened is not None
            opened(self)

        adapter = writer.transport
        assert isinstance(adapter, QuicStreamAdapter)
        if adapter.stream_id == STREAM:
            self._reader, self._writer = reader, writer
            self._tasks.add(asyncio.ensure_future(begin()))

    async def _see_it_closed(self) -> None:
        await self.protocol.wait_closed()
        self.notice("CLOSED", name="wait_closed")

    async def receive(self, length: int, wait_ms: int | None) -> bytes:
        """`StreamReader.read`."""
        with answered():
            return await within(self._read(length), wait_ms)

    async def _read(self, length: int) -> bytes:
        async with self._reading:  # a StreamReader takes one reader at a time
            return await self._reader.read(length)

    async def send(self, data: bytes) -> None:
        """`StreamWriter.write` and `drain`."""
        with answered():
            self._writer.write(data)
            await self._writer.drain()

    def end(self) -> None:
        """`StreamWriter.write_eof`."""
        with answered():
            self._writer.write_eof()

    def stop(self) -> None:
        """There is no such call."""
        raise Unsupported("a StreamReader cannot ask the peer to stop")

    def close(self) -> None:
        """`StreamWriter.close`; to abort there is only the connection's `close`."""
        with answered():
            if self.aborts_on_close:
                self.protocol.close(self.code)
            else:
                self._writer.close()

    def terminate(self, reason: str) -> None:
        """`QuicConnectionProtocol.close`."""
        if self.transport_closes:
            raise Unsupported("the stream API closes connections for the application only")
        with answered():
            self.protocol.close(self.code, reason)

    def last_word(self) -> bytes:
        """There is no such call."""
        raise Unsupported("the stream API tells neither code nor reason")


INTERFACES: dict[str, type[ByEvents] | type[ByStreams]] = {"events": ByEvents, "streams": ByStreams}
