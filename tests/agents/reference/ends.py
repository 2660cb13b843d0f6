# SPDX-License-Identifier: MIT
"""Ends for the tests of the reference provider: two agents and a connection, or one agent and a raw TCP peer."""

from __future__ import annotations

import base64
import socket
import struct
from typing import Any

from conformance.agents.client import Agent
from conformance.agents.protocol import CompletionNotice, EventNotice, Reply
from conformance.agents.reference import tpdus
from conformance.trace.events import Outcome

LONG_MS = 60_000
"""Longer than any test: what waits so long was woken if it returned."""
_SETTLE_MS = 200
"""For what is under way to go on into the receiver's buffers."""
KINDS = {"message": "message", "pseudo-stream": "stream", "stream": "stream"}
"""Kinds of socket by form."""


def result(reply: Reply) -> dict[str, Any]:
    """Return the result; fails the test if the reply is another."""
    assert reply.result is not None, reply
    return reply.result


def octets(value: dict[str, Any]) -> bytes:
    """Return the data of a result."""
    return base64.b64decode(value["data"])


def error(reply: Reply) -> tuple[str, int | None]:
    """Return name and number of the error; fails the test if the reply is another."""
    assert reply.error is not None, reply
    return reply.error.name, reply.error.code


RESET = ("WSAECONNRESET", 10054)
ABORTED = ("WSAECONNABORTED", 10053)
DISCON = ("WSAEDISCON", 10101)
SHUTDOWN = ("WSAESHUTDOWN", 10058)
WOULDBLOCK = ("WSAEWOULDBLOCK", 10035)
NOTCONN = ("WSAENOTCONN", 10057)
NOTSOCK = ("WSAENOTSOCK", 10038)
INVAL = ("WSAEINVAL", 10022)
FAULT = ("WSAEFAULT", 10014)
MSGSIZE = ("WSAEMSGSIZE", 10040)
CANCELLED = ("WSA_OPERATION_ABORTED", 995)


class End:
    """One agent's socket."""

    def __init__(self, agent: Agent, socket: int, kind: str) -> None:
        self.agent = agent
        self.socket = socket
        self.kind = kind

    def __call__(self, op: str, /, **arguments: Any) -> Reply:
        """Make a call on the socket."""
        return self.agent.request(op, socket=self.socket, **arguments)

    def do(self, op: str, /, **arguments: Any) -> dict[str, Any]:
        """Make a call that succeeds."""
        return result(self(op, **arguments))

    def begin(self, op: str, /, **arguments: Any) -> int:
        """Make a call that blocks; it has begun when this returns."""
        request = self.agent.submit(op, socket=self.socket, **arguments)
        self.do("get_linger")
        return request

    def send(self, data: bytes) -> None:
        """Send, waiting for room."""
        assert self.do("send", data=data, wait_ms=LONG_MS) == {"length": len(data)}

    def recv(self, length: int = 1000, **arguments: Any) -> Reply:
        """Receive, waiting for something."""
        return self("recv", **{"length": length, "wait_ms": LONG_MS, **arguments})

    def data(self, length: int = 1000, **arguments: Any) -> bytes:
        """Receive something."""
        return octets(result(self.recv(length, **arguments)))

    def last_word(self, length: int = 512) -> bytes:
        """Fetch the disconnect data."""
        return octets(self.do("recv_disconnect", length=length))

    def fill(self) -> int:
        """Send until nothing more is accepted, a little later neither; how many octets were."""
        accepted, room = 0, True
        while room:
            while (reply := self("send", pattern={"seed": 0, "length": 16384}, wait_ms=0)).result:
                accepted += 16384
            assert reply.outcome is Outcome.TIMEOUT or error(reply) == WOULDBLOCK
            room = self("poll", surface="select", events=["OUT"], wait_ms=_SETTLE_MS).result is not None
        return accepted

    def at_end(self, told: Reply) -> bool:
        """Whether this tells of a graceful end, in this form."""
        if self.kind == "message":
            return told.error is not None and error(told) == DISCON
        return told.result is not None and told.result["length"] == 0

    def await_abort(self) -> None:
        """Wait until an abort can be told, by what takes nothing: until then, what came before it can be received."""
        while "ERR" not in self.do("poll", surface="wsapoll", events=[], wait_ms=LONG_MS)["events"]:
            pass

    def completion(self) -> CompletionNotice:
        """Wait for one more completion."""
        notice = self.notice()
        assert isinstance(notice, CompletionNotice)
        return notice

    def event(self) -> tuple[str, int | None]:
        """Wait for one more network event: its type, and the number of its error."""
        notice = self.notice()
        assert isinstance(notice, EventNotice)
        assert notice.socket == self.socket
        return notice.type, notice.error.code if notice.error else None

    def notice(self) -> EventNotice | CompletionNotice:
        """Wait for one more notice of either kind; fails if there are more."""
        assert self.agent.wait_notice(30)
        (notice,) = self.agent.take_notices()
        return notice

    def recorded(self) -> list[tuple[str, int | None]]:
        """Read and clear the record: types, and numbers of errors."""
        events = self.do("enum_events")["events"]
        return [(event["type"], event["error"] and event["error"]["code"]) for event in events]

    def await_recorded(self) -> list[tuple[str, int | None]]:
        """Read the record until there is something in it."""
        while not (events := self.recorded()):
            pass
        return events


class Raw:
    """A TCP peer that says what it likes."""

    def __init__(self, tcp: socket.socket) -> None:
        self.tcp = tcp
        tcp.settimeout(30)

    def say(self, *packets: bytes) -> None:
        """Send octets."""
        self.tcp.sendall(b"".join(packets))

    def hear(self) -> list[tpdus.Tpdu]:
        """Read until TCP ends, in order; the TPDUs that came."""
        reader = tpdus.Reader()
        heard: list[tpdus.Tpdu] = []
        while octets := self.tcp.recv(65536):
            heard += reader.tpdus(octets)
        reader.finish()
        return heard

    def hear_one(self) -> tpdus.Tpdu:
        """Read one TPDU."""
        reader = tpdus.Reader()
        while octets := self.tcp.recv(1):
            for tpdu in reader.tpdus(octets):
                return tpdu
        raise AssertionError("TCP ended")

    def was_reset(self) -> bool:
        """Read until TCP ends; whether that was by a RST."""
        try:
            while self.tcp.recv(65536):
                pass
        except ConnectionResetError:
            return True
        return False

    def reset(self) -> None:
        """End TCP by a RST."""
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.tcp.close()
