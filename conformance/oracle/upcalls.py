# SPDX-License-Identifier: MIT
"""Group B, network events as a service provider has to tell them: the form of the message, and of the record.

What they tell of an end is judged in `notifications`, what registering does in `registering`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from conformance.oracle.findings import Expectation, Finding
from conformance.oracle.judging import judges_case
from conformance.oracle.link import watched
from conformance.oracle.registrations import CLOSE, Registration, due_at, for_close, registrations
from conformance.trace.events import End, Indicated, Outcome
from conformance.trace.history import Connection, History
from conformance.trace.operations import Operation

POISON = 0x5A5A5A5A
"""What the agent fills the error slots with before the call."""
# fmt: off
_SLOTS = (
    "FD_READ", "FD_WRITE", "FD_OOB", "FD_ACCEPT", "FD_CONNECT", "FD_CLOSE", "FD_QOS", "FD_GROUP_QOS",
    "FD_ROUTING_INTERFACE_CHANGE", "FD_ADDRESS_LIST_CHANGE",
)
"""The network events by the number of their bit and slot, as winsock2.h has them."""
# fmt: on
_FIRST_ERROR = 10000
"""WSABASEERR."""


# --- the message ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Posted:
    """One upcall WPUPostMessage; `event` is the network event in the low word of lParam, None if there is none."""

    upcall: Indicated

    @property
    def events(self) -> tuple[int, ...]:
        """The event that it is."""
        return (self.upcall.n,)

    @property
    def event(self) -> str | None:
        """The one event whose bit is the low word of lParam."""
        low = self._argument("lParam") & 0xFFFF
        return next((name for bit, name in enumerate(_SLOTS) if low == 1 << bit), None)

    @property
    def is_known(self) -> bool:
        """The agent told its arguments."""
        args = self.upcall.args
        return isinstance(args, dict) and all(type(args.get(name)) is int for name in ("wParam", "lParam"))

    @property
    def fault(self) -> str:
        """What is wrong with its arguments; empty if nothing is."""
        error = self._argument("lParam") >> 16 & 0xFFFF
        if self.upcall.socket is None:
            return f"its wParam, {self._argument('wParam'):#x}, is no socket's handle"
        if self.event is None:
            return f"the low word of its lParam, {self._argument('lParam') & 0xFFFF:#x}, is not one network event"
        if 0 < error < _FIRST_ERROR:
            return f"the high word of its lParam, {error}, is no error of Winsock's"
        return ""

    def _argument(self, name: str) -> int:
        args: dict[str, Any] = self.upcall.args
        return int(args[name])


@judges_case("IND-FDC-12")
def each_event_is_one_message_by_the_upcall(history: History, accepted: Expectation) -> Iterator[Finding]:
    """Each event is posted once, by WPUPostMessage, with the socket, the event and the error where they belong.

    [Winsock SPI, WSPAsyncSelect; table of upcalls]
    """
    every = [Posted(e) for e in history.trace.events if isinstance(e, Indicated) and e.end is End.IUT and _posts(e)]
    if unknown := next((p for p in every if not p.is_known), None):
        yield accepted.undetermined("the agent did not tell the arguments of WPUPostMessage", unknown)
        return
    if wrong := next((p for p in every if p.fault), None):
        yield accepted.violated(f"WPUPostMessage was called, and {wrong.fault}", wrong)
        return
    for connection in history.connections:
        yield from _one_for_each(connection, accepted, every)


def _posts(event: Indicated) -> bool:
    return event.type == "UPCALL" and event.name == "WPUPostMessage"


def _one_for_each(connection: Connection, accepted: Expectation, every: Iterable[Posted]) -> Iterator[Finding]:
    asked = [r for r in registrations(connection) if r.mechanism == "message" and r.names]
    own = [p for p in every if p.upcall.socket in connection.iut.sockets]
    told = [n for n in connection.iut.notifications if n.mechanism == "message"]
    satisfied = False
    for event in dict.fromkeys([*(p.event for p in own), *(n.type for n in told)]):
        posted, arrived = [p for p in own if p.event == event], [n for n in told if n.type == event]
        if len(arrived) > len(posted):
            much = f"{event} came as a message {len(arrived)} times, and WPUPostMessage was called {len(posted)} times"
            yield accepted.violated(f"{much} for it", *arrived, *posted)
            return
        if len(posted) > len(arrived):
            last = posted[-1]
            if _would_have_come(connection, asked, last):
                yield accepted.violated(f"{event} was posted, and nothing came to the window that was named", last)
            return
        satisfied = satisfied or bool(posted)
    if satisfied:
        yield accepted.satisfied(f"{len(own)} events, and a message for each by WPUPostMessage", *own)


def _would_have_come(connection: Connection, asked: list[Registration], posted: Posted) -> bool:
    """Its registration was in force for the settle time after it, and somebody watched for so long."""
    at, settle_ns = posted.upcall.at, connection.header.settle_ns
    in_force = any(r.entered < at and at + settle_ns < r.until for r in asked)
    return in_force and watched(connection, at, settle_ns)


# --- the record -------------------------------------------------------------------------------------------------------


@judges_case("IND-FDC-13")
def the_record_is_copied_and_cleared(history: History, accepted: Expectation) -> Iterator[Finding]:
    """Reading the record clears it and resets the event object, writes the slots of set bits alone, or fails wholly.

    [Winsock SPI, WSPEnumNetworkEvents]
    """
    failures = [o for o in history.of(End.IUT) if _fails_for_no_socket(o)]
    for connection in history.connections:
        records = [o for o in connection.iut.calls("enum_events") if o.succeeded]
        wrong = (
            next((f for r in records if (f := _wrong_slots(r))), None)
            or next((f for r, n in _in_a_row(connection, records) if (f := _not_cleared(r, n))), None)
            or next((f for o in failures if (f := _touched(connection, o, records))), None)
        )
        if wrong is not None:
            because, *evidence = wrong
            yield accepted.violated(because, *evidence)
        else:
            yield from _as_documented(connection, accepted, records, failures)


_Fault = tuple[str, *tuple[Operation, ...]]


def _fails_for_no_socket(operation: Operation) -> bool:
    return operation.op == "enum_events" and operation.socket == -1 and operation.outcome is Outcome.ERROR


def _types(record: Operation) -> list[str]:
    return [str(entry["type"]) for entry in record.result.get("events", ())]


def _wrong_slots(record: Operation) -> _Fault | None:
    """A slot of an event that is in the record was left alone, or another one was written to."""
    types = _types(record)
    for bit, value in enumerate(record.result.get("slots", ())[: len(_SLOTS)]):
        name = _SLOTS[bit]
        if name in types and value == POISON:
            return f"the record has {name}, and its error slot was not written", record
        if name not in types and value != POISON:
            return f"the record has no {name}, and its error slot was set to {value}", record
    return None


def _in_a_row(connection: Connection, records: list[Operation]) -> Iterator[tuple[Operation, Operation]]:
    """Records that were read one after the other, with no call on the socket between that could raise events anew."""
    for first, second in pairwise(records):
        between = (o for o in connection.iut.operations if first.entered < o.entered < second.entered)
        if first.socket == second.socket and not any(True for _ in between):
            yield first, second


def _not_cleared(first: Operation, second: Operation) -> _Fault | None:
    again = next((type for type in _types(second) if type in _types(first)), None)
    if again is not None:
        return f"{again} was in the record, and in the next one although no call had enabled it again", first, second
    if first.result.get("signalled", [])[1:] == [True] and not _types(second):
        return "the event object was still set when the record had been read, and nothing was in the next one", first
    return None


def _touched(connection: Connection, failure: Operation, records: list[Operation]) -> _Fault | None:
    """The call that failed took FD_CLOSE from the record, or reset the event object."""
    if not _held_close(connection, failure, records):
        return None
    following = next((r for r in records if r.entered >= failure.over), None)
    if following is None:
        return None
    if CLOSE not in _types(following):
        return f"FD_CLOSE was due; {failure.seen}, and then the record did not have it", failure, following
    if following.result.get("signalled", [])[:1] == [False]:
        return f"FD_CLOSE was in the record; {failure.seen}, and then the event object was not set", failure, following
    return None


def _held_close(connection: Connection, call: Operation, records: Iterable[Operation]) -> bool:
    """The record had held FD_CLOSE for the settle time when that call was made, and nobody had read it till its end."""
    registration = next((r for r in for_close(connection) if call.over < r.until), None)
    if registration is None or registration.mechanism != "event":
        return False
    if any(CLOSE in _types(r) and r.entered < call.over for r in records):
        return False
    due = due_at(connection, registration)
    return call.entered - (math.inf if due is None else due) >= connection.header.settle_ns


def _as_documented(
    connection: Connection, accepted: Expectation, records: list[Operation], failures: list[Operation]
) -> Iterator[Finding]:
    """Satisfied where all of it was seen: the slots, the reset, the empty record after it, and the call that failed."""
    for first, second in _in_a_row(connection, records):
        if CLOSE not in _types(first):
            continue
        failure = next((o for o in failures if o.entered < first.entered), None)
        slots, signalled = first.result.get("slots"), first.result.get("signalled")
        if failure is None or not _held_close(connection, failure, records):
            continue
        if slots is None or signalled is None:
            yield accepted.undetermined(
                "the record had FD_CLOSE, and the agent did not tell "
                f"{'its error slots' if slots is None else 'the state of the event object'}",
                first,
            )
        elif signalled == [True, False]:
            seen = "FD_CLOSE with its slot alone, and the event object reset; then nothing"
            yield accepted.satisfied(f"{failure.seen}; after it the record had {seen}", failure, first, second)
