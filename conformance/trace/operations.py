# SPDX-License-Identifier: MIT
"""Calls paired with their returns, and what each end was told: the API's half of a history."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from conformance.trace.conditions import Condition, canonical
from conformance.trace.events import (
    Called,
    Completed,
    End,
    ErrorValue,
    Established,
    Indicated,
    Noted,
    Outcome,
    Returned,
)
from conformance.trace.posted import as_it_ended, cleanups_of, completions_of, strays_of
from conformance.trace.reports import Report, What, reports_of
from conformance.trace.trace import Trace

__all__ = [
    "GRACEFUL_SHUTDOWNS",
    "HOW",
    "Notification",
    "Operation",
    "Report",
    "Side",
    "What",
    "left_unread",
    "operations_of",
]

GRACEFUL_SHUTDOWNS = ("send", "both")
HOW = {0: "receive", 1: "send", 2: "both"}
"""The numbers that POSIX and Winsock give to the directions of shutdown."""


@dataclass(frozen=True)
class Operation:
    """One operation of one end, from entry to return (nanoseconds on the trace's clock; `returned` None if never)."""

    end: End
    op: str
    socket: int | None
    arguments: dict[str, Any]
    entered: int
    returned: int | None
    outcome: Outcome
    result: dict[str, Any]
    error: ErrorValue | None
    text: str
    events: tuple[int, ...]
    own: tuple[int, int] | None = None
    """Entry and return by the agent's own clock, where that is not the trace's."""

    @cached_property
    def condition(self) -> Condition | None:
        """The canonical condition of the error that it returned, if it did."""
        return canonical(self.error) if self.error else None

    @property
    def succeeded(self) -> bool:
        """The call returned success."""
        return self.outcome is Outcome.RESULT

    @property
    def over(self) -> float:
        """When it had returned (nanoseconds); infinity if it never did."""
        return math.inf if self.returned is None else self.returned

    @property
    def last_at(self) -> int:
        """The last that was seen of it (nanoseconds): its return, or its entry if it never returned."""
        return self.entered if self.returned is None else self.returned

    @property
    def took(self) -> int:
        """Nanoseconds from entry to return; of a call that never returned, 0. Any clock can measure that, so the
        agent's own does where it is another: the trace's has the way of request and reply in it."""
        if self.own is not None:
            return self.own[1] - self.own[0]
        return self.returned - self.entered if self.returned is not None else 0

    @property
    def told(self) -> str:
        """What it told, as the vocabulary of the catalogue's accepted outcomes has it: SUCCESS, ECONNRESET, …"""
        match self.outcome:
            case Outcome.RESULT:
                return "SUCCESS"
            case Outcome.ERROR:
                return str(self.condition)
            case _:
                return self.outcome.name

    @property
    def seen(self) -> str:
        """What it told, in words and in the implementation's own terms."""
        match self.outcome:
            case Outcome.RESULT if self.op == "get_error":
                return f"SO_ERROR held {(self.result.get('error') or {}).get('name', 'nothing')}"
            case Outcome.RESULT if self.op == "poll":
                return f"{self.name} told {'|'.join(self.result.get('events', ())) or 'nothing'}"
            case Outcome.RESULT:
                return f"{self.name} succeeded"
            case Outcome.ERROR:
                return f"{self.name} failed with {self.error.name if self.error else '?'}"
            case Outcome.TIMEOUT:
                return f"{self.name} did not return in time"
            case Outcome.UNANSWERED:
                return f"{self.name} was never answered"
            case _:
                return f"{self.name}: {self.outcome} ({self.text})"

    @property
    def name(self) -> str:
        """The call as a person would write it: `shutdown(send)`, `recv`."""
        if self.op in ("shutdown", "poll"):
            return f"{self.op}({self.arguments.get('how', self.arguments.get('surface', ''))})"
        return self.op

    @property
    def how(self) -> str | int | None:
        """Which direction a shutdown named, also where it was given as a number; other numbers stay as they are."""
        how: str | int | None = self.arguments.get("how") if self.op == "shutdown" else None
        return HOW.get(how, how) if isinstance(how, int) else how

    @property
    def ends_sending(self) -> bool:
        """It asked for the end of this end's sending direction: shutdown, SendDisconnect, DisconnectEx, close."""
        return self.op in ("send_disconnect", "disconnect_ex", "close") or self.how in GRACEFUL_SHUTDOWNS

    @property
    def has_no_data(self) -> bool:
        """It was a SendDisconnect with a null pointer: neither data, nor a buffer that cannot be read."""
        return self.op == "send_disconnect" and not {"data", "unreadable"} & set(self.arguments)


def operations_of(trace: Trace) -> tuple[Operation, ...]:
    """Pair each call of the trace with its return, in the order of entry."""
    returns = {(event.end, event.call): event for event in trace.events if isinstance(event, Returned)}
    return tuple(
        _operation(event, returns.get((event.end, event.call))) for event in trace.events if isinstance(event, Called)
    )


def _operation(called: Called, returned: Returned | None) -> Operation:
    answered = returned is not None and returned.outcome is not Outcome.UNANSWERED
    return Operation(
        end=called.end,
        op=called.op,
        socket=called.socket,
        arguments=called.arguments,
        entered=called.at,
        returned=returned.at if returned and answered else None,
        outcome=returned.outcome if returned else Outcome.UNANSWERED,
        result=(returned.result if returned else None) or {},
        error=returned.error if returned else None,
        text=returned.text if returned else "",
        events=(called.n, returned.n) if returned else (called.n,),
        own=(called.own, returned.own) if returned and called.own is not None and returned.own is not None else None,
    )


@dataclass(frozen=True)
class Notification:
    """A network event that an end was told of: by a notice, or by an entry of its record that `enum_events` read.

    It was raised after `since` and no later than `at` (nanoseconds): of an entry of the record nobody knows more.
    """

    type: str
    since: int
    at: int
    error: ErrorValue | None
    mechanism: str
    """"message" for what was posted to the end, "event" for what it read from the record."""
    socket: int | None
    events: tuple[int, ...]

    @cached_property
    def condition(self) -> Condition | None:
        """The canonical condition of the error, if it told one."""
        return canonical(self.error) if self.error else None

    @property
    def told(self) -> str:
        """The outcome in the vocabulary of the catalogue: NO_ERROR, ECONNRESET, …"""
        return str(self.condition) if self.condition else "NO_ERROR"

    @property
    def seen(self) -> str:
        """What it told, in words and in the implementation's own terms."""
        return f"{self.type} told {self.error.name if self.error else 'no error'}"


@dataclass(frozen=True)
class Side:
    """One end of a connection: its operations on the connection's socket and its duplicates, and what it was told."""

    end: End
    sockets: frozenset[int]
    operations: tuple[Operation, ...]
    reports: tuple[Report, ...]
    indications: tuple[Indicated, ...]
    killed_at: int | None
    """From when on its process may have been dead; `dead_at`: from when on it surely was."""
    dead_at: int | None
    killed_events: tuple[int, ...]
    strays: tuple[Completed, ...] = ()
    """Completions at this end, on whatever socket, that no post can have had."""
    cleaned_up_at: int | None = None
    """When this end's provider was cleaned up for the last time, so that the socket is gone."""

    @classmethod
    def of(cls, trace: Trace, operations: Iterable[Operation], end: End, socket: int) -> Side:
        """Collect what belongs to that end's socket; a duplicate belongs to the connection too.

        A posted send lasts from its posting to its completion; a posted receive is its posting, and has a report.
        """
        operations = tuple(operations)
        sockets = {socket}
        own = list[Operation]()
        completions = completions_of(trace, end)
        for operation in operations:
            if operation.end is end and operation.socket in sockets:
                posted = as_it_ended(operation, completions) if operation.op == "post_send" else {}
                own.append(replace(operation, **posted))
                if operation.op == "duplicate" and operation.succeeded:
                    sockets.add(operation.result["socket"])
        joined = (
            e.at
            for e in trace.events
            if isinstance(e, Established) and {End.IUT: e.iut, End.PEER: e.peer}[end] == socket
        )
        since = next(joined, 0)
        cleanups = (c.call.entered for c in cleanups_of(operations, end) if not c.left and c.call.entered > since)
        notes = {e.what: e for e in trace.events if isinstance(e, Noted) and e.end is end}
        killed, dead = notes.get("killed"), notes.get("dead")
        return cls(
            end=end,
            sockets=frozenset(sockets),
            operations=tuple(own),
            reports=tuple(sorted(reports_of(own, completions), key=lambda report: report.at)),
            indications=tuple(
                e for e in trace.events if isinstance(e, Indicated) and e.end is end and e.socket in sockets
            ),
            killed_at=killed.at if killed else None,
            dead_at=dead.at if dead else None,
            killed_events=(killed.n,) if killed else (),
            strays=strays_of(trace, operations, end),
            cleaned_up_at=next(cleanups, None),
        )

    def calls(self, *ops: str) -> Iterator[Operation]:
        """The operations of those names, in the order of entry."""
        return (operation for operation in self.operations if operation.op in ops)

    @cached_property
    def sends(self) -> tuple[Operation, ...]:
        """The sends, posted ones too, in the order of entry."""
        return tuple(self.calls("send", "post_send"))

    @cached_property
    def receives(self) -> tuple[Report, ...]:
        """What the receives told, peeks left out."""
        return tuple(report for report in self.reports if not report.peek)

    @cached_property
    def notifications(self) -> tuple[Notification, ...]:
        """The network events that this end was told of, in the order in which it learned of them."""
        told = [
            Notification(e.type, self.raised_after(e), e.at, e.error, "message", e.socket, (e.n,))
            for e in self.indications
            if e.type.startswith("FD_")
        ]
        for socket in self.sockets:
            since = 0
            for record in self.calls("enum_events", "event_select"):
                if record.socket != socket or not record.succeeded or record.returned is None:
                    continue
                for entry in record.result.get("events", ()):
                    error = ErrorValue(**entry["error"]) if entry.get("error") else None
                    told.append(
                        Notification(entry["type"], since, record.returned, error, "event", socket, record.events)
                    )
                since = record.entered
        return tuple(sorted(told, key=lambda notification: notification.at))

    def raised_after(self, notice: Indicated) -> int:
        """A time before which the notice was not raised: its own.

        Where that is another clock's: the time of the last request for a call that, by that clock, was entered before.
        """
        if notice.own is None:
            return notice.at
        before = (o.entered for o in self.operations if o.own is not None and o.own[0] < notice.own)
        return max(before, default=0)

    @cached_property
    def closed(self) -> Operation | None:
        """The close that gave up the last of the connection's sockets, if it succeeded."""
        open_sockets = set(self.sockets)
        for operation in self.calls("close"):
            if operation.succeeded and operation.socket is not None:
                open_sockets.discard(operation.socket)
                if not open_sockets:
                    return operation
        return None

    @cached_property
    def ending(self) -> Operation | None:
        """The first successful call that ended this end's sending, wherever a close gave up the last socket."""
        return next(
            (o for o in self.operations if o.ends_sending and o.succeeded and (o.op != "close" or o is self.closed)),
            None,
        )

    @property
    def gone_at(self) -> int | None:
        """When this end gave up the connection as a whole, by close, cleanup or death; None if it never did."""
        ends = (self.closed.entered if self.closed else None, self.killed_at, self.cleaned_up_at)
        times = [time for time in ends if time is not None]
        return min(times, default=None)

    @property
    def stopped_receiving_at(self) -> int | None:
        """When this end itself gave up receiving (shutdown of receiving, Recv- or DisconnectEx, close, death)."""
        times = [
            o.entered
            for o in self.calls("shutdown", "recv_disconnect", "disconnect_ex")
            if o.succeeded and (o.op != "shutdown" or o.how in ("receive", "both"))
        ]
        if self.gone_at is not None:
            times.append(self.gone_at)
        return min(times, default=None)

    def linger_at(self, time: int) -> tuple[bool, int]:
        """The linger setting (on, seconds) in force at that time; (False, 0) if it was never set."""
        setting = (False, 0)
        for operation in self.calls("set_linger"):
            if operation.succeeded and operation.entered <= time:
                setting = (bool(operation.arguments["on"]), int(operation.arguments["seconds"]))
        return setting

    def blocking_at(self, time: int) -> bool:
        """Whether the socket was in blocking mode at that time: they start so, until network events are asked for."""
        blocking = True
        for operation in self.calls("set_blocking", "event_select"):
            if operation.succeeded and operation.entered <= time:
                blocking = operation.op == "set_blocking" and bool(operation.arguments["on"])
        return blocking

    def read_until(self, time: int) -> int:
        """How many bytes this end had read by that time."""
        return sum(report.length for report in self.receives if report.what is What.DATA and report.at <= time)


def left_unread(writer: Side, reader: Side, time: int, *, messages: bool) -> int:
    """How many bytes of the writer's sends the reader had, or may have had, unread at that time (nanoseconds).

    A send that was under way then may have put something there; where messages are kept apart, an empty one counts 1.
    """
    sent = empty = 0
    for send in writer.sends:
        if send.entered > time:
            break
        if send.succeeded:
            sent += int(send.result["length"])
            empty += messages and not send.result["length"]
        elif send.returned is None or send.returned > time:
            sent += 1
    taken = sum(1 for report in reader.receives if report.what is What.ZERO_BYTES and report.at <= time)
    return max(0, sent - reader.read_until(time)) + max(0, empty - taken)
