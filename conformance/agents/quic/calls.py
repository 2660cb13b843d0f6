# SPDX-License-Identifier: MIT
"""The operations of the agent protocol on a stream of aioquic: for each one method, and one call of the library."""

from __future__ import annotations

import base64
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aioquic
from aioquic.quic.configuration import QuicConfiguration

from conformance.agents.quic import joining
from conformance.agents.quic.ends import INTERFACES, ByEvents, End
from conformance.agents.quic.loop import Loop, within
from conformance.agents.serving.implementation import LONGEST_DATA, Implementation
from conformance.agents.serving.outcomes import Call, Unsupported, octets, received

VERSION = "1.0"
CODE_LENGTH = 8
"""Octets of a disconnect datum that are the error code, big endian; the rest is the reason phrase in UTF-8."""
OPS = (
    "socket",
    "listen",
    "accept",
    "connect",
    "send",
    "recv",
    "post_recv",
    "shutdown",
    "send_disconnect",
    "close",
    "set_linger",
    "set_blocking",
    "set_option",
    "names",
)
OPTIONS = ("ERROR_CODE", "IDLE_TIMEOUT", "TRANSPORT_CLOSE")

T = TypeVar("T")


@dataclass
class Handle:
    """A socket by the agent's number for it: not yet anything, a listener, or an end of a stream."""

    number: int
    family: str = ""
    open: bool = True
    idle_timeout_ms: int | None = None
    settings: QuicConfiguration | None = None
    listener: joining.Listener | None = None
    end: End | None = None
    names: dict[str, Any] = field(default_factory=dict)


class Calls(Implementation):
    """The streams of one agent, and the calls on them by one of the library's interfaces."""

    def __init__(self, api: str) -> None:
        super().__init__()
        self._api = api
        self._interface = INTERFACES[api]
        self.ops = (*OPS, "recv_disconnect") if self._interface is ByEvents else OPS
        self._loop = Loop()
        self._handles: dict[int, Handle] = {}

    def hello(self, clock: str) -> dict[str, Any]:
        """Return what the agent says of itself and of the library."""
        return {
            "protocol": 1,
            "agent": {"name": f"python-aioquic-{self._api}", "version": VERSION},
            "implementation": {"name": "aioquic", "version": aioquic.__version__, "vendor": "aioquic"},
            "family": "runtime",
            "transport": "quic",
            "service_flags": ["GUARANTEED_DELIVERY", "GUARANTEED_ORDER", "GRACEFUL_CLOSE"],
            "limits": {"disconnect_data_max": 0, "message_max": None},
            "surfaces": ["callback"] if self._interface is ByEvents else ["blocking"],
            "ops": self.ops,
            "reads_ahead": True,
            "concurrent": True,
            "clock": clock,
        }

    def may_block(self, op: str, arguments: dict[str, Any]) -> bool:
        """Whether the call may take time: the library gives no bound for any, but most end in one turn of its loop."""
        return op in ("accept", "connect", "recv")

    def handle(self, number: int) -> Handle:
        """Return the handle of a socket that is or was; raises LookupError."""
        if number == -1:
            return Handle(-1, open=False)
        if number not in self._handles:
            raise LookupError(f"there is and was no socket {number}")
        return self._handles[number]

    def drop_all(self) -> None:
        """Close every connection at once, and end every call that waits."""
        self._loop.cancel_all()
        self._loop.call(self._drop_all)

    def _drop_all(self) -> None:
        for handle in list(self._handles.values()):
            if handle.end is not None:
                handle.end.drop()
        for handle in list(self._handles.values()):
            if handle.listener is not None:
                handle.listener.drop()
                handle.listener = None

    def forget_all(self) -> None:
        """Forget all handles and start their numbers again."""
        self._handles.clear()

    # --- making and ending ------------------------------------------------------------------------------------------

    def new_socket(self, call: Call, family: str, kind: str) -> dict[str, Any]:
        """Make a place for a stream to be: the library has none before there is a connection."""
        if family not in joining.FAMILIES or kind != "stream":
            raise Unsupported(f"QUIC has no sockets of family {family} and kind {kind}")
        return {"socket": call.timed(lambda: self._keep(Handle(0, family))).number}

    def listen(self, call: Call, handle: Handle, address: dict[str, Any], backlog: int = 128) -> dict[str, Any]:
        """Call `aioquic.asyncio.serve`."""
        settings = handle.settings = joining.configuration(client=False, idle_timeout_ms=handle.idle_timeout_ms)

        async def listening() -> dict[str, Any]:
            handle.listener = joining.Listener(self._interface)
            return await handle.listener.listen(address, settings)

        handle.names["local"] = self._timed(call, listening())
        return {"address": handle.names["local"]}

    def accept(self, call: Call, handle: Handle, wait_ms: int = 0) -> dict[str, Any]:
        """Wait for a client's stream, and for its first octet, which is the client agent's and no data."""
        if (listener := handle.listener) is None or not handle.open:
            raise Unsupported("nobody listens here")
        end = self._timed(call, within(listener.opened.get(), wait_ms))
        host, port, *_ = end.protocol._quic.get_peer_address() or ("", 0)
        peer = {"family": handle.family, "host": host, "port": port}
        accepted = self._keep(Handle(0, handle.family, end=end, names={"local": handle.names["local"], "peer": peer}))
        self._hear(accepted)
        return {"socket": accepted.number, "peer": peer}

    def connect(self, call: Call, handle: Handle, address: dict[str, Any], wait_ms: int = 0) -> dict[str, Any]:
        """Make a connection and open its first bidirectional stream."""
        if handle.end is not None:
            raise Unsupported("a connection of aioquic connects once")
        settings = joining.configuration(client=True, idle_timeout_ms=handle.idle_timeout_ms)
        joined = self._timed(call, within(joining.connect(address, settings, self._interface), wait_ms))
        handle.end, local = joined
        handle.names = {"local": local, "peer": address}
        self._hear(handle)
        return {"local": local}

    def close(self, call: Call, handle: Handle, wait_ms: int = 0) -> dict[str, Any]:
        """Give up a stream by FIN and STOP_SENDING, or RESET_STREAM (stream API: `StreamWriter.close`, or `close`).

        A listener only accepts no more: the connections that it accepted live on its UDP socket, until `reset`.
        """
        if handle.number < 0:
            raise Unsupported("aioquic has no handles, and no invalid one")
        handle.open, end = False, handle.end
        call.timed(lambda: self._loop.call(end.close if end is not None else lambda: None))
        return {}

    def _keep(self, handle: Handle) -> Handle:
        handle.number = len(self._handles) + 1
        self._handles[handle.number] = handle
        return handle

    def _hear(self, handle: Handle) -> None:
        """Let the notices of a handle's end go out, for as long as this generation lasts."""
        end = _end(handle)
        indicate = self.indicate
        self._loop.call(lambda: end.told_to(lambda notice: indicate({**notice, "socket": handle.number})))

    def _timed(self, call: Call, coroutine: Coroutine[Any, Any, T]) -> T:
        return call.timed(lambda: self._loop.run(coroutine))

    # --- data and ends ----------------------------------------------------------------------------------------------

    def send(
        self,
        call: Call,
        handle: Handle,
        data: str | None = None,
        pattern: dict[str, int] | None = None,
        wait_ms: int = 0,
    ) -> dict[str, Any]:
        """Call `send_stream_data`, or `StreamWriter.write` and `drain`: both take any amount."""
        payload = octets(data, pattern)
        self._timed(call, _end(handle).send(payload))
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
        """Take what the events have brought, or call `StreamReader.read`."""
        if flags:
            raise Unsupported(f"aioquic has no receive with {' or '.join(flags)}")
        if length > LONGEST_DATA and not digest:
            raise ValueError(f"{length} octets do not fit in a line; ask for a digest")
        return received(self._timed(call, _end(handle).receive(length, wait_ms)), digest=digest)

    def shutdown(self, call: Call, handle: Handle, how: str | int) -> dict[str, Any]:
        """FIN for `send`, STOP_SENDING for `receive`."""
        end = _end(handle)
        if how not in ("send", "receive", "both"):
            raise Unsupported("aioquic has no call that takes a direction by number")

        def shut() -> None:
            if how != "send":
                end.stop()
            if how != "receive":
                end.end()

        call.timed(lambda: self._loop.call(shut))
        return {}

    def send_disconnect(self, call: Call, handle: Handle, data: str | None = None) -> dict[str, Any]:
        """CONNECTION_CLOSE: the first 8 octets are the code, the others the reason. It ends both directions at once."""
        end, said = _end(handle), base64.b64decode(data or "")
        reason = said[CODE_LENGTH:].decode()
        if said:
            end.code = int.from_bytes(said[:CODE_LENGTH], "big")
        call.timed(lambda: self._loop.call(lambda: end.terminate(reason)))
        return {}

    def recv_disconnect(self, call: Call, handle: Handle, length: int | None = None) -> dict[str, Any]:
        """Code and reason of the ConnectionTerminated that was told, as `send_disconnect` has them."""
        end = _end(handle)
        return received(call.timed(lambda: self._loop.call(end.last_word))[: length or 0])

    # --- options ------------------------------------------------------------------------------------------------------

    def set_linger(self, call: Call, handle: Handle, on: bool, seconds: int) -> dict[str, Any]:
        """Whether close aborts: linger off, or on with a time of 0. No close of the library waits."""
        if on and seconds:
            raise Unsupported("no close of aioquic waits")
        end = _end(handle)
        call.timed(lambda: setattr(end, "aborts_on_close", on))
        return {"on": on, "seconds": seconds}

    def set_blocking(self, call: Call, handle: Handle, on: bool) -> dict[str, Any]:
        """A receive that is awaited is all there is."""
        if not on:
            raise Unsupported("aioquic has no receive that would block")
        call.timed(lambda: None)
        return {}

    def set_option(self, call: Call, handle: Handle, name: str, value: int) -> dict[str, Any]:
        """ERROR_CODE: of this end's aborts. TRANSPORT_CLOSE: CONNECTION_CLOSE in the name of the transport.
        IDLE_TIMEOUT: in milliseconds, of connections that are made from then on.
        """
        if name not in OPTIONS or (name == "TRANSPORT_CLOSE" and self._interface is not ByEvents):
            raise Unsupported(f"no option {name!r}; there are {', '.join(OPTIONS)}")
        if name == "IDLE_TIMEOUT":
            handle.idle_timeout_ms = value
            call.timed(lambda: joining.limit_idleness(handle.settings, value))
        elif name == "ERROR_CODE":
            call.timed(lambda: setattr(_end(handle), "code", value))
        else:
            call.timed(lambda: setattr(_end(handle), "transport_closes", bool(value)))
        return {}

    def names(self, call: Call, handle: Handle) -> dict[str, Any]:
        """The addresses that the ends had when the connection was made."""
        _end(handle)
        return call.timed(lambda: handle.names)


def _end(handle: Handle) -> End:
    """The end of a handle that has a stream; a stream API's objects can be called after their close."""
    if handle.end is None:
        raise Unsupported("aioquic has no stream before there is a connection")
    if not handle.open and isinstance(handle.end, ByEvents):
        raise Unsupported("the event API has no object that would have been closed")
    return handle.end
