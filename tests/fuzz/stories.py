# SPDX-License-Identifier: MIT
"""Stories to draw: plausible sequences of what both ends call, what they are told, and what the link carries.

Plausible, not right: an implementation that loses data, tells an end twice or resets a graceful close is as likely as
one that does well, for a judge must stand all of them. Each step is one sentence of `tests.oracle.story`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
from hypothesis import strategies as st

from conformance.catalogue.catalogue import load
from conformance.catalogue.statement import Statement
from conformance.trace.events import Called, Completed, End, Established, Event, Fate, Indicated, Returned, Segment
from tests.oracle.story import (
    IUT,
    KERNEL_TCP,
    PEER,
    REFERENCE,
    REFERENCE_PSEUDO_STREAM,
    REFERENCE_STREAM,
    SERVICE_PROVIDER,
    UNIX_SEQPACKET,
    UNIX_STREAM,
    WINDOWS_TCP,
    Story,
    Teller,
    statement,
)

STATEMENTS: tuple[Statement, ...] = (
    KERNEL_TCP,
    UNIX_STREAM,
    UNIX_SEQPACKET,
    REFERENCE,
    REFERENCE_STREAM,
    REFERENCE_PSEUDO_STREAM,
    WINDOWS_TCP,
    SERVICE_PROVIDER,
    statement("quic", family="runtime"),
    statement("websocket", "MESSAGE_ORIENTED", family="runtime"),
)
ENDINGS = (
    "",
    "",
    "",
    "ECONNRESET",
    "EPIPE",
    "ETIMEDOUT",
    "WSAEDISCON",
    "WSAECONNABORTED",
    "ENOTCONN",
    "EAGAIN",
    "EFOO",
)
LENGTHS = (0, 1, 5, 1460, 4096)
ABANDONED = "abandoned"

Step = Callable[[Story], None]


def _teller(story: Story, end: End) -> Teller:
    return story.iut if end is IUT else story.peer


def _is_framed(story: Story) -> bool:
    return story.header.wire and story.header.statement.transport in ("reference", "websocket")


def _carry(story: Story, end: End, length: int, acked: bool) -> None:
    """The segments, or the unit, of what was sent."""
    if _is_framed(story):
        story.pdu(end, "DATA", bytes(length), acked=acked)
    elif story.header.wire:
        story.data(end, length, acked=acked)


def _release(story: Story, end: End, data: bytes = b"") -> None:
    if _is_framed(story):
        name = "CLOSE" if story.header.statement.transport == "websocket" else "RELEASE"
        story.pdu(end, name, data)
    elif story.header.wire:
        story.fin(end)


# --- steps ------------------------------------------------------------------------------------------------------------


def _sends(end: End, length: int, error: str, carried: bool) -> Step:
    def step(story: Story) -> None:
        _teller(story, end).send(length, error=error)
        if carried and not error:
            _carry(story, end, length, acked=True)

    return step


def _receives(end: End, length: int, offset: int, error: str, wait_ms: int) -> Step:
    def step(story: Story) -> None:
        waits = error == ABANDONED
        told = "" if waits else error
        takes = max(1, wait_ms) if waits else 1
        _teller(story, end).recv(length, offset=offset, error=told, timeout=waits, takes=takes, wait_ms=wait_ms)

    return step


def _shuts(end: End, how: str | int, error: str, carried: bool) -> Step:
    def step(story: Story) -> None:
        _teller(story, end).shutdown(how, error=error)
        if carried and not error and how != "receive":
            _release(story, end)

    return step


def _disconnects(end: End, data: bytes | None, error: str, carried: bool) -> Step:
    def step(story: Story) -> None:
        _teller(story, end).send_disconnect(data, error=error)
        if carried and not error:
            _release(story, end, data or b"")

    return step


def _fetches(end: End, data: bytes, room: int | None, error: str) -> Step:
    return lambda story: _teller(story, end).recv_disconnect(data, room=room, error=error)


def _closes(end: End, error: str, link: str) -> Step:
    def step(story: Story) -> None:
        _teller(story, end).close(error=error)
        if link == "end":
            _release(story, end)
        elif link == "reset" and story.header.wire:
            story.rst(end)

    return step


def _lingers(end: End, on: bool, seconds: int) -> Step:
    return lambda story: _teller(story, end).linger(seconds, on=on)


def _asks(end: End, op: str, error: str) -> Step:
    results: dict[str, dict[str, object]] = {
        "get_linger": {"on": False, "seconds": 0},
        "duplicate": {"socket": 4},
        "names": {"local": None, "remote": None},
    }

    def step(story: Story) -> None:
        _teller(story, end).call(op, error=error, result=results.get(op))

    return step


def _polls(end: End, told: tuple[str, ...], surface: str) -> Step:
    return lambda story: _teller(story, end).poll(*told, surface=surface, wait_ms=30)


def _holds_error(end: End, name: str) -> Step:
    return lambda story: _teller(story, end).get_error(name)


def _registers(end: End, events: tuple[str, ...], mechanism: str) -> Step:
    return lambda story: _teller(story, end).event_select(*events, mechanism=mechanism)


def _reads_record(end: End, told: tuple[str, ...], error: str) -> Step:
    return lambda story: _teller(story, end).enum_events(*((name, error) for name in told))


def _indicates(end: End, type: str, error: str) -> Step:
    return lambda story: _teller(story, end).indicates(type, error)


def _upcalls(end: End, name: str) -> Step:
    return lambda story: _teller(story, end).upcall(name)


def _posts(end: End, token: str, completes: bool, length: int, error: str) -> Step:
    def step(story: Story) -> None:
        teller = _teller(story, end)
        teller.post(f"{token}{teller.calls}")
        if completes:
            teller.completes(f"{token}{teller.calls}", length, error=error)

    return step


def _posts_send(end: End, completes: bool, length: int, error: str) -> Step:
    def step(story: Story) -> None:
        teller = _teller(story, end)
        teller.post_send(f"s{teller.calls}", length)
        if completes:
            teller.sent(f"s{teller.calls}", length, error=error)
            if not error:
                _carry(story, end, length, acked=True)

    return step


def _puts_on_the_link(end: End, flags: str, length: int, start: int | None, fate: Fate) -> Step:
    def step(story: Story) -> None:
        if story.header.wire:
            story.segment(end, flags, length, start=start, fate=fate)

    return step


def _units(end: End, name: str, data: bytes, problem: str, whole: bool) -> Step:
    def step(story: Story) -> None:
        if _is_framed(story):
            story.pdu(end, name, data, problem=problem, whole=whole)

    return step


def _waits(ms: int, noted: bool) -> Step:
    return lambda story: story.settle(ms) if noted else story.wait(ms)


def _begins(end: End, op: str) -> Step:
    def step(story: Story) -> None:
        _teller(story, end).begin(op, length=16, wait_ms=1500)

    return step


def _starts_up(op: str) -> Step:
    return lambda story: story.iut.call(op, socket=None)


def _dies(end: End) -> Step:
    return lambda story: _teller(story, end).dies()


_END = st.sampled_from([IUT, PEER])
_LENGTH = st.sampled_from(LENGTHS)
_ERROR = st.sampled_from(ENDINGS)
_FLAG = st.booleans()
_EVENTS = st.lists(st.sampled_from(["FD_CLOSE", "FD_READ", "FD_WRITE"]), max_size=2, unique=True).map(tuple)
_POLLED = st.lists(st.sampled_from(["IN", "RDHUP", "HUP", "ERR", "OUT"]), max_size=3, unique=True).map(tuple)
_UNITS = st.sampled_from(["DATA", "RELEASE", "ABORT", "CLOSE", "PING", "MALFORMED"])
_DATA = st.sampled_from([b"", b"bye", b"x" * 513])
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.builds(_sends, _END, _LENGTH, _ERROR, _FLAG),
    st.builds(_receives, _END, _LENGTH, _LENGTH, _ERROR | st.just(ABANDONED), st.sampled_from([0, 30, 1500])),
    st.builds(_shuts, _END, st.sampled_from(["send", "receive", "both", 1, 7]), _ERROR, _FLAG),
    st.builds(_disconnects, _END, st.none() | _DATA, _ERROR, _FLAG),
    st.builds(_fetches, _END, _DATA, st.sampled_from([None, 0, 2, 4096]), _ERROR),
    st.builds(_closes, _END, _ERROR, st.sampled_from(["end", "reset", "nothing"])),
    st.builds(_lingers, _END, _FLAG, st.sampled_from([0, 1, 5])),
    st.builds(_asks, _END, st.sampled_from(["get_linger", "duplicate", "names", "disconnect_ex"]), _ERROR),
    st.builds(_polls, _END, _POLLED, st.sampled_from(["poll", "epoll", "epoll-et", "select", "wsapoll"])),
    st.builds(_holds_error, _END, _ERROR),
    st.builds(_registers, _END, _EVENTS, st.sampled_from(["event", "message"])),
    st.builds(_reads_record, _END, _EVENTS, _ERROR),
    st.builds(_indicates, _END, st.sampled_from(["FD_CLOSE", "FD_READ", "END", "CLOSED"]), _ERROR),
    st.builds(_upcalls, _END, st.sampled_from(["WPUPostMessage", "WPUCompleteOverlappedRequest"])),
    st.builds(_posts, _END, st.sampled_from(["a", "b"]), _FLAG, _LENGTH, _ERROR),
    st.builds(_posts_send, _END, _FLAG, _LENGTH, _ERROR),
    st.builds(
        _puts_on_the_link,
        *(_END, st.sampled_from(["A", "PA", "FA", "RA", "R"]), st.sampled_from([0, 5])),
        *(st.none() | st.integers(-1, 20), st.sampled_from([Fate.DELIVERED, Fate.DROPPED, Fate.HELD, Fate.REPEATED])),
    ),
    st.builds(_units, _END, _UNITS, _DATA, st.sampled_from(["", "", "broken"]), _FLAG),
    st.builds(_waits, st.sampled_from([1, 40, 600, 2000]), _FLAG),
    st.builds(_begins, _END, st.sampled_from(["recv", "send", "close"])),
    st.builds(_starts_up, st.sampled_from(["startup", "cleanup"])),
    st.builds(_dies, _END),
)


@st.composite
def stories(draw: st.DrawFn, *, alive: bool = False) -> Story:
    """A story of up to two dozen steps. `alive`: without what concerns a process as a whole, death and cleanup."""
    claimed = draw(st.sampled_from(STATEMENTS))
    known = sorted(load())
    exercises = draw(st.lists(st.sampled_from(known), max_size=4, unique=True))
    story = Story(claimed, exercises=tuple(exercises), connected=draw(st.sampled_from([True, True, True, False])))
    for step in draw(st.lists(STEPS, max_size=24)):
        if not alive or step.__qualname__.split(".")[0] not in ("_dies", "_starts_up", "_waits"):
            step(story)
    return story


# --- another connection -----------------------------------------------------------------------------------------------


def elsewhere(events: Iterable[Event], *, by: int) -> list[Event]:
    """The same events on other sockets, ports and tokens of the same ends, `by` nanoseconds later."""
    return [_elsewhere(event, by) for event in events]


def _elsewhere(event: Event, by: int) -> Event:
    moved = msgspec.structs.replace(event, at=event.at + by)
    match moved:
        case Called():
            return msgspec.structs.replace(moved, call=moved.call + 1000, socket=_other(moved.socket))
        case Returned(result=result):
            socket = {"socket": result["socket"] + 100} if result and "socket" in result else {}
            token = {"token": f"other {result['token']}"} if result and "token" in result else {}
            told = None if result is None else {**result, **socket, **token}
            return msgspec.structs.replace(moved, call=moved.call + 1000, result=told)
        case Indicated():
            return msgspec.structs.replace(moved, socket=_other(moved.socket))
        case Completed():
            return msgspec.structs.replace(moved, token=f"other {moved.token}")
        case Segment():
            ports = {"source_port": moved.source_port + 1, "destination_port": moved.destination_port + 1}
            return msgspec.structs.replace(moved, **ports)
        case Established():
            addresses = {
                name: {**getattr(moved, name), "port": getattr(moved, name)["port"] + 1}
                for name in ("client_address", "listener_address")
            }
            return msgspec.structs.replace(moved, iut=moved.iut + 100, peer=moved.peer + 100, **addresses)
        case _:
            return moved


def _other(socket: int | None) -> int | None:
    return None if socket is None else socket + 100
