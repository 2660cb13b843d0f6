# SPDX-License-Identifier: MIT
"""Group G, startups and cleanups of a service provider: the last cleanup ends what is open, the others end nothing."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.oracle.departing import (
    brought_about,
    delivery,
    goodbyes,
    refused_send,
    sign_of_an_end,
)
from conformance.oracle.errors import first_through
from conformance.oracle.findings import Expectation, Finding
from conformance.oracle.judging import judges_case
from conformance.oracle.reading import doubt
from conformance.trace.conditions import Condition
from conformance.trace.events import End, Outcome
from conformance.trace.history import Connection, History
from conformance.trace.operations import Operation
from conformance.trace.posted import cleanups_of

_ANSWERED = (Outcome.RESULT, Outcome.ERROR, Outcome.TIMEOUT)


@judges_case("ERR-10")
def the_last_cleanup_resets_what_is_open(history: History, accepted: Expectation) -> Iterator[Finding]:
    """The last cleanup resets open sockets, closed ones finish sending, and a new startup works. [WSPCleanup]"""
    for cleanup in cleanups_of(history.operations, End.IUT):
        if cleanup.left:
            continue
        call: Operation = cleanup.call
        for connection in history.connections:
            if connection.established.at < call.entered:
                yield from _left_behind(connection, accepted, call)
        yield from _started_again(history, accepted, call)


def _left_behind(connection: Connection, accepted: Expectation, call: Operation) -> Iterator[Finding]:
    closed = connection.iut.closed
    if closed is not None and closed.entered < call.entered:
        direction = connection.iut_to_peer
        queued = direction.offered_before(closed.entered) > direction.acknowledged_by(call.entered)
        if direction.witnessed and queued and (rest := delivery(connection, closed)) is not None:
            because = f"closed with data to send, then cleaned up; {rest.because}"
            yield accepted.decide(rest.complete, because, because, call, *rest.evidence)
    elif not any(o.entered <= call.entered for o in goodbyes(connection)):
        if (observed := brought_about(connection, call)) is not None:
            aborted = observed.told == "ABORT_REMOTE"
            yield accepted.decide(aborted, f"open, {observed.seen}", f"open, {observed.seen}", call, observed)
        else:
            yield from doubt(connection.iut_to_peer, accepted)


def _started_again(history: History, accepted: Expectation, call: Operation) -> Iterator[Finding]:
    later = [o for o in history.of(End.IUT) if o.entered >= call.over and o.outcome in _ANSWERED]
    startup = next((o for o in later if o.op == "startup"), None)
    if startup is None:
        return
    made = next((o for o in later if o.op == "socket" and o.entered >= startup.over), None)
    wrong = next((o for o in (startup, made) if o is not None and not o.succeeded), None)
    if wrong is not None:
        yield accepted.violated(f"after the last cleanup, {wrong.seen}", call, startup, wrong)
    elif made is not None:
        yield accepted.satisfied("after the last cleanup a new startup works, and sockets can be made", call, made)


@judges_case("ERR-11")
def only_the_last_cleanup_ends_anything(history: History, accepted: Expectation) -> Iterator[Finding]:
    """With fewer cleanups than startups the sockets go on. [Winsock SPI, WSPStartup and WSPCleanup]"""
    for operation in history.of(End.IUT):
        if operation.op in ("startup", "cleanup") and operation.outcome is Outcome.ERROR:
            before = [c for c in cleanups_of(history.operations, End.IUT) if c.call.entered <= operation.entered]
            if operation.op == "startup" or not before or before[-1].left:
                yield accepted.violated(f"once more, {operation.seen}", operation)
                return
    for cleanup in cleanups_of(history.operations, End.IUT):
        for connection in history.connections:
            if connection.established.at < cleanup.call.entered:
                yield from _goes_on(connection, accepted, cleanup.call, cleanup.left)


def _goes_on(connection: Connection, accepted: Expectation, call: Operation, left: int) -> Iterator[Finding]:
    said = [o.entered for o in goodbyes(connection)]
    limit = min((*said, *(at for at in (connection.iut.gone_at,) if at is not None)), default=float("inf"))
    since = call.last_at
    wrong = (
        sign_of_an_end(connection, call.entered, limit)
        or refused_send(connection, since, limit)
        or next((o for o in connection.iut.operations if _without_a_provider(o, since, limit)), None)
    )
    what = f"cleaned up with {left} startups left"
    if wrong is not None:
        yield accepted.violated(f"{what}, and then {wrong.seen}", call, wrong)
        return
    there, back = (first_through(connection, end, since) for end in End)
    if there is not None and back is not None:
        yield accepted.satisfied(f"{what}, and data still goes both ways", call, there, back)


def _without_a_provider(operation: Operation, since: int, limit: float) -> bool:
    if not since <= operation.entered < limit or operation.error is None:
        return False
    return operation.error.name == "WSANOTINITIALISED" or operation.condition is Condition.ENOTSOCK
