# SPDX-License-Identifier: MIT
"""Groups A and B, posted operations: sends that are pending at an own shutdown, and completions that nobody is owed.

What pending receives tell of an end is judged in `overlapped`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from conformance.oracle.departing import delivery, first_goodbye, intact, until
from conformance.oracle.findings import Expectation, Finding
from conformance.oracle.judging import judges
from conformance.oracle.link import watched
from conformance.oracle.reading import GRACEFUL_WORDS, doubt, heard
from conformance.trace.events import Completed, Outcome
from conformance.trace.history import Connection
from conformance.trace.operations import Operation, Report
from conformance.trace.posted import POSTS, UNASKED, failed_at_once

_NOT_OVERLAPPED = ("shutdown", "send_disconnect", "recv_disconnect")


@judges("INIT-SHUT-14")
def pending_sends_come_before_the_end(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Sends that are pending when sending is shut down complete, and the peer reads them before the end.

    [Winsock SPI, Graceful Shutdown: queued data is sent first]
    """
    call = first_goodbye(connection, "shutdown")
    if call is None or not call.succeeded or call.how != "send":
        return
    pending = [s for s in connection.iut.calls("post_send") if _pending_at(s, call.entered)]
    if not pending:
        return
    yield from doubt(connection.iut_to_peer, accepted)
    what, limit = f"with {len(pending)} sends pending, {call.seen}", until(connection, call)
    failed = next((s for s in pending if s.outcome is Outcome.ERROR), None)
    if failed is not None and failed.returned is not None:
        if failed.returned < limit and intact(connection, failed.returned - 1):
            yield accepted.violated(f"{what}, and then {failed.seen}", call, failed)
        return
    if left := [s for s in pending if s.returned is None]:
        end = _end_at_the_peer(connection)
        if end is not None and math.isinf(limit) and watched(connection, end.at, connection.header.prompt_ns):
            yield accepted.violated(f"{what}; the peer read the end, and a send never completed", call, *left, end)
        return
    if (rest := delivery(connection, call, with_posted=True)) is not None:
        because = f"{what}; all completed, and {rest.because}"
        yield accepted.decide(rest.complete, because, because, *pending, *rest.evidence)


def _end_at_the_peer(connection: Connection) -> Report | None:
    """The peer's first word of a graceful end; 0 bytes may be an empty message where messages are kept apart."""
    words = GRACEFUL_WORDS if connection.statement.is_stream else ("EDISCON",)
    return next((r for r in heard(connection.peer) if r.told in words), None)


def _pending_at(send: Operation, time: int) -> bool:
    """It had been posted by then, and nobody had been told of its end."""
    return send.entered < time and not failed_at_once(send) and (send.returned is None or send.returned > time)


@judges("IND-OVL-06")
def what_fails_at_once_completes_nothing(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A posted call that fails at once is over: no completion follows it. [Winsock SPI, WSPRecv]"""
    for call in connection.iut.calls(*POSTS):
        if not failed_at_once(call):
            continue
        stray = _first_stray(connection, call.entered, unasked_only=False)
        if stray is not None:
            seen = f"{call.seen} at once, and then a completion came: {_shown(stray)}"
            yield accepted.violated(seen, call, _At(stray))
            return
        if watched(connection, call.over, connection.header.settle_ns):
            yield accepted.satisfied(f"{call.seen} at once, and no completion came", call)


@judges("IND-OVL-07")
def shutting_down_completes_nothing(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """With the socket on a completion port, the calls that shut down queue nothing to it. [observed: Windows]"""
    iut = connection.iut
    posts = [o for o in iut.calls(*POSTS) if o.arguments.get("mechanism") == "port"]
    joined = next((o for o in posts if not failed_at_once(o)), None)
    if joined is None:
        return
    ambiguous = any(failed_at_once(o) for o in posts)
    for call in iut.calls(*_NOT_OVERLAPPED):
        if not call.succeeded or call.entered < joined.entered:
            continue
        stray = _first_stray(connection, call.entered, unasked_only=ambiguous)
        if stray is not None:
            yield accepted.violated(f"{call.seen}, and the port had a completion: {_shown(stray)}", call, _At(stray))
            return
        if watched(connection, call.over, connection.header.settle_ns):
            yield accepted.satisfied(f"on a completion port, {call.seen}, and the port stayed empty", joined, call)


class _At:
    """A completion as evidence."""

    def __init__(self, completion: Completed) -> None:
        self.events = (completion.n,)


def _first_stray(connection: Connection, since: int, *, unasked_only: bool) -> Completed | None:
    strays = (c for c in connection.iut.strays if c.at > since)
    return next((c for c in strays if not unasked_only or c.token == UNASKED), None)


def _shown(stray: Completed) -> str:
    return f"{stray.error.name if stray.error else 'success'}{f', by {stray.mechanism}' if stray.mechanism else ''}"
