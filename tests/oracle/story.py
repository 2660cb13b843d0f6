# SPDX-License-Identifier: MIT
"""Hand-written traces: a story of two ends and the link between them, told one step a millisecond.

    story = Story()                                   # kernel TCP, link visible, connected, the IUT is the client
    story.peer.send(5)                                # a call with its return, and nothing on the link
    story.data(PEER, 5)                               # ... the segment that carries it, and its acknowledgement
    story.peer.shutdown("send"); story.fin(PEER)      # FIN and its acknowledgement
    story.iut.recv(5); story.iut.recv(0)              # recv returned 5 bytes of the peer's pattern; then 0
    findings = story.judge("IND-STREAM-02")

Steps take 1 ms each; `story.wait(ms)` lets time pass. A call may be left open (`call = story.iut.begin("recv", ...)`)
and ended later (`story.iut.finish(call, length=0)`), so that things happen while it blocks.
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from conformance.catalogue.statement import Statement
from conformance.oracle.findings import Conclusion, Finding
from conformance.oracle.judging import judge
from conformance.trace.events import (
    Called,
    Completed,
    End,
    ErrorValue,
    Established,
    Event,
    Fate,
    Indicated,
    Noted,
    Outcome,
    Pdu,
    Returned,
    Segment,
)
from conformance.trace.history import Connection, History
from conformance.trace.pattern import pattern
from conformance.trace.trace import Header, Trace, in_order

IUT, PEER = End.IUT, End.PEER
MS = 1_000_000
PATIENCE = 1100
"""Milliseconds; longer than a story's prompt time."""

_POSIX_OPS = (
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
_SURFACES = ("blocking", "nonblocking", "select", "poll", "epoll", "epoll-et")
_FLAGS = ("GUARANTEED_DELIVERY", "GUARANTEED_ORDER", "GRACEFUL_CLOSE")


def statement(transport: str = "tcp", *flags: str, **others: Any) -> Statement:
    """What the kernel's sockets claim, over that transport, with further service flags."""
    values = {
        "family": "posix",
        "transport": transport,
        "service_flags": (*_FLAGS, *flags),
        "surfaces": _SURFACES,
        "ops": _POSIX_OPS,
        "platform": "linux",
    }
    return Statement(**(values | others))


KERNEL_TCP = statement("tcp")
UNIX_STREAM = statement("unix")
UNIX_SEQPACKET = statement("unix", "MESSAGE_ORIENTED")


def reference(*flags: str, **others: Any) -> Statement:
    """What the reference provider claims, with further service flags."""
    values = {
        "family": "winsock-api",
        "platform": None,
        "surfaces": ("blocking", "nonblocking", "select", "wsapoll", "event", "message", "overlapped"),
        "ops": (*_POSIX_OPS, "send_disconnect", "recv_disconnect", "event_select", "enum_events"),
        "features": ("two-phase-release", "abortive-release-data"),
    }
    return statement("reference", "DISCONNECT_DATA", *flags, **(values | others))


REFERENCE = reference("MESSAGE_ORIENTED", "PARTIAL_MESSAGE")
REFERENCE_PSEUDO_STREAM = reference("MESSAGE_ORIENTED", "PSEUDO_STREAM")
REFERENCE_STREAM = reference()


def windows_tcp(**others: Any) -> Statement:
    """What TCP of Winsock claims through the WSA calls."""
    values = {
        "family": "winsock-api",
        "platform": "windows",
        "surfaces": ("blocking", "nonblocking", "select", "wsapoll", "event", "message", "overlapped-port"),
        "ops": (*_POSIX_OPS, "post_send", "send_disconnect", "recv_disconnect", "event_select", "enum_events"),
    }
    return statement("tcp", **(values | others))


WINDOWS_TCP = windows_tcp()
SERVICE_PROVIDER = reference(
    family="winsock-spi",
    features=("two-phase-release", "unreadable-buffers"),
    surfaces=("blocking", "nonblocking", "select", "event", "message", "overlapped-event", "overlapped-port"),
    ops=(
        *(*_POSIX_OPS, "post_send", "send_disconnect", "recv_disconnect"),
        *("event_select", "enum_events", "startup", "cleanup"),
    ),
)


class Teller:
    """One end of the story: makes calls on socket 3 unless told otherwise."""

    def __init__(self, story: Story, end: End) -> None:
        self.story, self.end = story, end
        self.calls = 0
        self.offered = 0

    def begin(self, op: str, *, socket: int | None = 3, **arguments: Any) -> int:
        """Enter an operation and leave it open."""
        self.calls += 1
        self.story.add(
            Called(at=self.story.tick(), end=self.end, call=self.calls, op=op, socket=socket, arguments=arguments)
        )
        return self.calls

    def finish(
        self, call: int, *, error: str = "", timeout: bool = False, unsupported: str = "", **result: Any
    ) -> None:
        """Return from an operation: a result, an error by its name, or nothing within its time."""
        outcome = Outcome.RESULT
        if error:
            outcome = Outcome.ERROR
        elif timeout:
            outcome = Outcome.TIMEOUT
        elif unsupported:
            outcome = Outcome.UNSUPPORTED
        self.story.add(
            Returned(
                at=self.story.tick(),
                end=self.end,
                call=call,
                outcome=outcome,
                result=result if outcome is Outcome.RESULT else None,
                error=ErrorValue(error) if error else None,
                text=unsupported,
            )
        )

    def call(
        self,
        op: str,
        *,
        socket: int | None = 3,
        error: str = "",
        timeout: bool = False,
        takes: int = 1,
        result: dict[str, Any] | None = None,
        **arguments: Any,
    ) -> None:
        """An operation from entry to return, `takes` milliseconds."""
        call = self.begin(op, socket=socket, **arguments)
        self.story.wait(takes - 1)
        self.finish(call, error=error, timeout=timeout, **(result or {}))

    def send(self, length: int, *, accepted: int | None = None, error: str = "", seed: int = 0, **options: Any) -> None:
        """Send a pattern; `accepted` bytes of it (all, if not told)."""
        self.call(
            "send",
            error=error,
            pattern={"seed": seed, "length": length},
            result={"length": length if accepted is None else accepted},
            **options,
        )

    def recv(
        self,
        length: int = 0,
        *,
        content: bytes | None = None,
        seed: int = 0,
        offset: int = 0,
        error: str = "",
        timeout: bool = False,
        takes: int = 1,
        **arguments: Any,
    ) -> None:
        """A receive that returned `length` bytes (of the pattern from `offset` on), an error, or nothing in time.

        What found nothing waited for as long as it took, unless another `wait_ms` is named.
        """
        if timeout:
            arguments.setdefault("wait_ms", takes)
        data = pattern(seed, length, offset) if content is None else content
        self.call(
            "recv", error=error, timeout=timeout, takes=takes, result=_received(data), **({"length": 65536} | arguments)
        )

    def shutdown(self, how: str | int = "send", *, error: str = "", **options: Any) -> None:
        self.call("shutdown", how=how, error=error, **options)

    def send_disconnect(self, data: bytes | None = None, **options: Any) -> None:
        given: dict[str, Any] = {} if data is None else {"data": base64.b64encode(data).decode()}
        self.call("send_disconnect", **given, **options)

    def recv_disconnect(self, data: bytes = b"", *, room: int | None = 4096, **options: Any) -> None:
        """RecvDisconnect that returned `data`, or an error."""
        asked: dict[str, Any] = {} if room is None else {"length": room}
        self.call("recv_disconnect", result=_received(data), **asked, **options)

    def event_select(self, *events: str, mechanism: str = "event", **options: Any) -> None:
        self.call("event_select", events=list(events), mechanism=mechanism, **options)

    def enum_events(
        self,
        *told: tuple[str, str],
        slots: list[int] | None = None,
        signalled: tuple[bool, bool] | None = None,
        **options: Any,
    ) -> None:
        """A record that held these: pairs of a type and the name of an error, "" for none."""
        entries = [{"type": type, "error": {"name": error} if error else None} for type, error in told]
        result: dict[str, Any] = {"events": entries}
        result |= {} if slots is None else {"slots": slots}
        result |= {} if signalled is None else {"signalled": list(signalled)}
        self.call("enum_events", result=result, **options)

    def post(self, token: str, length: int = 65536, **options: Any) -> None:
        """Post a receive."""
        self.call("post_recv", length=length, result={"token": token}, **options)

    def post_send(self, token: str, length: int, **options: Any) -> None:
        """Post a send of a pattern."""
        self.call("post_send", pattern={"seed": 0, "length": length}, result={"token": token}, **options)

    def sent(self, token: str, length: int = 0, *, error: str = "") -> None:
        """A posted send ended."""
        self.story.add(
            Completed(
                at=self.story.tick(),
                end=self.end,
                notice=1,
                token=token,
                result=None if error else {"length": length},
                error=ErrorValue(error) if error else None,
                mechanism="port",
            )
        )

    def upcall(self, name: str, *, socket: int | None = 3, **args: int) -> None:
        """The provider made an upcall."""
        self.story.add(
            Indicated(
                at=self.story.tick(), end=self.end, notice=1, socket=socket, type="UPCALL", name=name, args=args or None
            )
        )

    def close(self, **options: Any) -> None:
        self.call("close", **options)

    def linger(self, seconds: int, *, on: bool = True) -> None:
        self.call("set_linger", on=on, seconds=seconds, result={"on": on, "seconds": seconds})

    def nonblocking(self) -> None:
        self.call("set_blocking", on=False)

    def poll(self, *told: str, surface: str = "poll", ask: tuple[str, ...] = ("IN", "RDHUP"), **options: Any) -> None:
        """A poll that told these events; none is a time-out."""
        self.call("poll", surface=surface, events=list(ask), timeout=not told, result={"events": list(told)}, **options)

    def get_error(self, name: str = "") -> None:
        call = self.begin("get_error")
        held = {"error": {"name": name} if name else None}
        self.story.add(Returned(at=self.story.tick(), end=self.end, call=call, outcome=Outcome.RESULT, result=held))

    def completes(self, token: str, length: int = 0, *, error: str = "", offset: int = 0, mechanism: str = "") -> None:
        """A posted receive ended."""
        self.story.add(
            Completed(
                at=self.story.tick(),
                end=self.end,
                notice=1,
                token=token,
                result=None if error else _received(pattern(0, length, offset)),
                error=ErrorValue(error) if error else None,
                mechanism=mechanism,
            )
        )

    def indicates(self, type: str, error: str = "") -> None:
        self.story.add(
            Indicated(
                at=self.story.tick(),
                end=self.end,
                notice=1,
                socket=3,
                type=type,
                error=ErrorValue(error) if error else None,
            )
        )

    def dies(self) -> None:
        for what in ("killed", "dead"):
            self.story.add(Noted(at=self.story.tick(), what=what, end=self.end))


def _received(data: bytes) -> dict[str, Any]:
    return {"length": len(data), "data": base64.b64encode(data).decode()}


class Story:
    """A trace in the making. `wire=False` tells it without a visible link."""

    def __init__(
        self,
        statement: Statement = KERNEL_TCP,
        *,
        wire: bool | None = None,
        connected: bool = True,
        exercises: tuple[str, ...] = (),
        settle_ms: int = 30,
        prompt_ms: int = 1000,
        lost: int = 0,
        scales: tuple[int | None, int | None] = (None, None),
    ) -> None:
        """`scales`: the shift counts for their windows that the SYNs of the IUT and of the peer offer."""
        self.now = 1_000_000 * MS
        self.events: list[Event] = []
        self.iut, self.peer = Teller(self, IUT), Teller(self, PEER)
        self._isn = {IUT: 1000, PEER: 4_294_967_290}  # the peer's numbers wrap around early
        self.next = {IUT: 0, PEER: 0}
        self.header = Header(
            case="story",
            provider="story",
            statement=statement,
            topology="loopback",
            exercises=exercises,
            settle_ns=settle_ms * MS,
            prompt_ns=prompt_ms * MS,
            wire=statement.transport in ("tcp", "reference", "websocket") if wire is None else wire,
            lost=lost,
        )
        if connected:
            if self.header.wire:
                self.segment(IUT, "S", start=-1, scale=scales[0])
                self.segment(PEER, "SA", start=-1, scale=scales[1])
            self.add(
                Established(
                    at=self.tick(),
                    iut=3,
                    peer=3,
                    client=IUT,
                    client_address={"family": "inet", "host": "127.0.0.1", "port": 40000},
                    listener_address={"family": "inet", "host": "127.0.0.1", "port": 10000},
                )
            )

    def relayed(self) -> Story:
        """Have it told on a link that the harness relays; so not from afar, where what came at one time did not."""
        self.header = msgspec.structs.replace(self.header, topology="wire")
        return self

    def tick(self) -> int:
        self.now += MS
        return self.now

    def wait(self, ms: int) -> None:
        self.now += ms * MS

    def settle(self, ms: int = 40) -> None:
        """The harness waited so long, and noted it."""
        self.wait(ms)
        self.note("settled")

    def note(self, what: str, **details: Any) -> None:
        self.add(Noted(at=self.tick(), what=what, details=details))

    def add(self, event: Event) -> None:
        self.events.append(event)

    def segment(
        self,
        sender: End,
        flags: str,
        length: int = 0,
        *,
        start: int | None = None,
        fate: Fate = Fate.DELIVERED,
        delivered_at: int | None = None,
        ack: int | None = None,
        window: int = 65535,
        scale: int | None = None,
    ) -> int:
        """One segment at offset `start` (where the sender left off); returns its place in `events`. Moves `next` on."""
        offset = self.next[sender] if start is None else start
        if start is None:
            self.next[sender] = offset + length + ("F" in flags)
        acknowledged = self.next[sender.other] if ack is None else ack
        ports = (40000, 10000) if sender is IUT else (10000, 40000)
        self.add(
            Segment(
                at=self.tick(),
                sender=sender,
                flags=flags,
                length=length,
                window=window,
                fate=fate,
                scale=scale,
                seq=(self._isn[sender] + 1 + offset) % 2**32,
                ack=(self._isn[sender.other] + 1 + acknowledged) % 2**32,
                source_port=ports[0],
                destination_port=ports[1],
                delivered_at=delivered_at,
            )
        )
        return len(self.events) - 1

    def data(self, sender: End, length: int, *, acked: bool = True) -> None:
        """Data, and its acknowledgement."""
        self.segment(sender, "PA", length)
        if acked:
            self.segment(sender.other, "A")

    def fin(self, sender: End, length: int = 0, *, acked: bool = True) -> None:
        """A FIN, with so many bytes on it, and its acknowledgement."""
        self.segment(sender, "FA", length)
        if acked:
            self.segment(sender.other, "A")

    def pdu(
        self,
        sender: End,
        name: str,
        data: bytes = b"",
        *,
        overhead: int = 6,
        acked: bool = True,
        whole: bool = True,
        problem: str = "",
        **fields: Any,
    ) -> None:
        """A unit of a transport over TCP, in a segment of its own, and that one's acknowledgement."""
        self.data(sender, overhead + len(data), acked=False)
        self.add(
            Pdu(
                at=self.now,
                sender=sender,
                name=name,
                upto=self.next[sender],
                length=len(data),
                data=data,
                whole=whole,
                problem=problem,
                fields=fields,
            )
        )
        if acked:
            self.segment(sender.other, "A")

    def forge(self, flags: str, start: int, length: int = 0) -> int:
        """A segment that the peer never sent, put on the link in its name; returns its place in `events`."""
        return self.segment(PEER, flags, length, start=start, fate=Fate.FORGED)

    def rst(self, sender: End) -> None:
        """A reset with exactly the next sequence number."""
        self.segment(sender, "RA")

    def trace(self) -> Trace:
        return Trace(self.header, in_order(self.events))

    def history(self) -> History:
        return History(self.trace())

    def connection(self) -> Connection:
        return self.history().connections[0]

    def judge(self, requirement: str) -> list[Finding]:
        """What the judge of that requirement finds in this story."""
        return [finding for finding in judge(self.trace()) if finding.requirement == requirement]

    def conclusions(self, requirement: str) -> set[Conclusion]:
        """The outcomes of those findings; an empty set where the judge saw no stimulus."""
        return {finding.outcome for finding in self.judge(requirement)}


def wireless() -> Story:
    """A story that no link tells: of a UNIX socket."""
    return Story(UNIX_STREAM)


def at_once(story: Story) -> Story:
    """What comes next has the time of what came last, as by a coarse clock."""
    story.now -= MS
    return story
