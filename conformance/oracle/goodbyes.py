# SPDX-License-Identifier: MIT
"""Facts of group C: what an end gave to SendDisconnect, what the link showed of it, what the other's fetches returned.

A fetch is a call of RecvDisconnect. What it was to return is what the link shows, where the link shows the unit that
ended the direction; else what the sender's call was given. Which notice the receiver had had before is part of a fetch.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass

from conformance.catalogue.statement import Statement
from conformance.oracle.reading import GRACEFUL_WORDS, heard
from conformance.trace.conditions import Condition, canonical
from conformance.trace.direction import Direction
from conformance.trace.events import End, Outcome, Pdu
from conformance.trace.history import Connection
from conformance.trace.operations import Operation, Report, Side, What

RELEASES = ("RELEASE", "CLOSE")
"""The units that end a direction and may carry disconnect data, by the names that the transports give them."""


def data_of(call: Operation) -> bytes | None:
    """The disconnect data that a SendDisconnect was given; None for a null pointer."""
    given = call.arguments.get("data")
    return None if given is None else base64.b64decode(given)


def says_nothing(data: bytes, statement: Statement) -> bool:
    """It is no data; so is WebSocket's code of a normal closure by itself, which libraries add. [RFC 6455, 7.4.1]"""
    return not data or (statement.transport == "websocket" and data == (1000).to_bytes(2, "big"))


@dataclass(frozen=True)
class Carried:
    """The unit of the link that ended a direction."""

    unit: Pdu
    data: bytes

    @property
    def events(self) -> tuple[int, ...]:
        """The event that it is."""
        return (self.unit.n,)


def carried(direction: Direction, given: bytes | None = None) -> Carried | None:
    """The first unit of the link that ended the direction; None where the link shows none.

    A record may hold only the first octets of long data: where these and the length agree with what was given, it is
    taken for that.
    """
    unit = next((unit for unit in direction.units if unit.name in RELEASES and not unit.problem), None)
    if unit is None:
        return None
    data = unit.data
    if given is not None and unit.length == len(given) and given.startswith(data):
        data = given
    return Carried(unit, data)


@dataclass(frozen=True)
class Notice:
    """One thing that told an end of the other's end: `kind` is by what; asked for at `asked`, told at `at` (ns)."""

    kind: str
    told: str
    seen: str
    asked: int
    at: int
    events: tuple[int, ...]

    @property
    def is_graceful(self) -> bool:
        """It told of a graceful end."""
        return self.told == "GRACEFUL"


def notices(direction: Direction, statement: Statement) -> list[Notice]:
    """Everything that told the direction's receiver of its end, in the order in which it learned of it."""
    side = direction.receiver
    told = [_by_receive(report) for report in final_reports(direction, statement)]
    for each in side.notifications:
        if each.type == "FD_CLOSE":
            word = "GRACEFUL" if each.error is None else str(each.condition)
            told.append(Notice("FD_CLOSE", word, each.seen, each.since, each.at, each.events))
    for shown in side.indications:
        if shown.type == "END":
            word = "GRACEFUL" if shown.error is None else str(canonical(shown.error))
            told.append(Notice("END", word, "END was told", side.raised_after(shown), shown.at, (shown.n,)))
    return sorted(told, key=lambda notice: notice.at)


def _by_receive(report: Report) -> Notice:
    kind = "a posted receive" if report.posted else "recv"
    word = "GRACEFUL" if report.told in GRACEFUL_WORDS else report.told
    return Notice(kind, word, report.seen, report.asked, report.at, report.events)


def final_reports(direction: Direction, statement: Statement) -> Iterator[Report]:
    """The receiver's reports of an end; an empty message is told like one, and is none."""
    empty = 0 if statement.is_stream else direction.offered.count(b"")
    for report in heard(direction.receiver):
        if report.what is What.ZERO_BYTES and empty:
            empty -= 1
        elif report.is_final and report.condition is not Condition.ECANCELED:
            yield report


@dataclass(frozen=True)
class Fetch:
    """One call of RecvDisconnect: `room` for so many octets (None for a null pointer), and the notices before it."""

    call: Operation
    room: int | None
    data: bytes
    notices: tuple[Notice, ...]

    @property
    def succeeded(self) -> bool:
        """The call returned success."""
        return self.call.succeeded

    @property
    def told_before(self) -> Notice | None:
        """The first notice of a graceful end that the caller had had when it made the call."""
        return next((notice for notice in self.notices if notice.is_graceful), None)

    @property
    def seen(self) -> str:
        """What it told, in words and in the implementation's own terms."""
        buffer = "a null pointer" if self.room is None else f"room for {self.room}"
        if self.succeeded:
            return f"RecvDisconnect with {buffer} returned {len(self.data)} octets"
        return f"RecvDisconnect with {buffer}: {self.call.seen}"

    @property
    def after(self) -> str:
        """After which notices it was made: each kind once, the first word of each."""
        kinds = {notice.kind: notice.seen for notice in reversed(self.notices)}
        return " and ".join(kinds[kind] for kind in dict.fromkeys(n.kind for n in self.notices)) or "no notice"

    @property
    def events(self) -> tuple[int, ...]:
        """The events of the call."""
        return self.call.events


def fetches(direction: Direction, statement: Statement) -> tuple[Fetch, ...]:
    """The answered calls of RecvDisconnect at the direction's receiver while it had the socket, in order."""
    side, told = direction.receiver, notices(direction, statement)
    gone = side.gone_at
    calls = (
        call
        for call in side.calls("recv_disconnect")
        if call.outcome in (Outcome.RESULT, Outcome.ERROR, Outcome.TIMEOUT) and (gone is None or call.entered < gone)
    )
    return tuple(
        Fetch(call, _room(call), _returned(call), tuple(n for n in told if n.at <= call.entered)) for call in calls
    )


def _room(call: Operation) -> int | None:
    length = call.arguments.get("length")
    return None if length is None else int(length)


def _returned(call: Operation) -> bytes:
    return base64.b64decode(call.result.get("data") or "") if call.succeeded else b""


@dataclass(frozen=True)
class Goodbye:
    """How one end said goodbye by SendDisconnect, and what the link showed of it.

    `call` is None where only the link tells, for a peer that put its units there itself.
    """

    direction: Direction
    call: Operation | None
    given: bytes | None
    carried: Carried | None

    @property
    def wanted(self) -> bytes:
        """What the receiver's fetch is to return, by the link where it shows it, else by the call."""
        return self.carried.data if self.carried is not None else self.given or b""

    @property
    def sent_as_given(self) -> bool | None:
        """The link shows the given data; None where it shows nothing."""
        return None if self.carried is None else self.carried.data == (self.given or b"")


def goodbye(direction: Direction) -> Goodbye | None:
    """The SendDisconnect that ended the direction; None where another call did, or none, or the end was there before.

    A WebSocket library answers a Close by itself, and what its user says then comes too late. Of the peer's, data that
    the link shows is enough: the IUT has to hand it over, whatever put it there.
    """
    call = direction.sender.ending
    if call is not None and call.op == "send_disconnect":
        given = data_of(call)
        link = carried(direction, given)
        if link is None or link.unit.at >= call.entered:
            return Goodbye(direction, call, given, link)
    link = carried(direction)
    if direction.sender.end is End.PEER and link is not None and link.data:
        return Goodbye(direction, None, link.data, link)
    return None


def comes_too_late(connection: Connection, call: Operation) -> bool:
    """No link shows who ended the IUT's direction, and its transport may have done so by itself before the call."""
    ended_at = connection.peer_to_iut.ending.at
    answers = connection.statement.transport == "websocket" and not connection.iut_to_peer.framed
    return answers and ended_at is not None and ended_at <= call.entered


def first_fetch(goodbye: Goodbye, statement: Statement) -> Fetch | None:
    """The fetch that had to return the data: the first, made after a notice of the graceful end, with room enough.

    None where an earlier one may have spoiled it (too early, too small, a null pointer), where the caller had stopped
    receiving, or where the end had not come. A fetch that failed before any notice spoils nothing.
    """
    direction = goodbye.direction
    ending = direction.ending
    if not ending.is_graceful or ending.at is None:
        return None
    for fetch in fetches(direction, statement):
        if fetch.told_before is None and not fetch.succeeded:
            continue
        early = fetch.told_before is None or fetch.call.entered < ending.at
        small = fetch.room is None or fetch.room < max(len(goodbye.wanted), len(goodbye.given or b""))
        return None if early or small or stopped_before(direction.receiver, fetch.call) else fetch
    return None


def stopped_before(side: Side, call: Operation) -> bool:
    """That end had shut down receiving before the call."""
    return any(
        o.succeeded and o.how in ("receive", "both") and o.entered < call.entered for o in side.calls("shutdown")
    )


def undisturbed(goodbye: Goodbye, fetch: Fetch) -> bool:
    """Nothing but the graceful end had come by the time of that fetch: no reset, no notice of an error."""
    reset_at = goodbye.direction.ending.reset_at
    errors = any(not notice.is_graceful for notice in fetch.notices)
    return not errors and (reset_at is None or reset_at > fetch.call.last_at)


def compared(got: bytes, wanted: bytes) -> str:
    """How what was got relates to what was given, in words."""
    if got == wanted:
        return f"all {len(wanted)} octets as they were given"
    if not got:
        return f"none of the {len(wanted)} octets that were given"
    if wanted.startswith(got):
        return f"only the first {len(got)} of {len(wanted)} octets: cut short"
    if wanted and got.startswith(wanted):
        return f"the {len(wanted)} octets that were given and {len(got) - len(wanted)} more: padded"
    if not wanted:
        return f"{len(got)} octets, and none were given"
    same = "as many" if len(got) == len(wanted) else f"{len(got)}"
    return f"{same} octets that are not the {len(wanted)} that were given"
