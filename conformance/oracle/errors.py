# SPDX-License-Identifier: MIT
"""Group G, errors and misuse: the calls that must be refused, and what a refused call must leave alone."""

from __future__ import annotations

import math
from collections.abc import Iterator

from conformance.oracle.departing import (
    goodbyes,
    intact,
    is_refusal,
    sign_of_an_end,
    until,
)
from conformance.oracle.findings import Expectation, Finding, Told
from conformance.oracle.judging import judges, judges_case
from conformance.oracle.reading import first_word, heard
from conformance.trace.conditions import Condition
from conformance.trace.direction import Direction
from conformance.trace.events import End, Outcome
from conformance.trace.history import Connection, History
from conformance.trace.operations import HOW, Operation, Report, Side, What

_ANSWERED = (Outcome.RESULT, Outcome.ERROR)
_NEW_HANDLE = ("socket", "accept", "duplicate")


@judges_case("ERR-01")
def shutdown_needs_a_connection(history: History, accepted: Expectation) -> Iterator[Finding]:
    """Shutdown of a socket that was never connected fails with not-connected. [Winsock SPI, WSPShutdown]"""
    operations = history.of(End.IUT)
    fresh = {int(o.result["socket"]) for o in operations if o.op == "socket" and o.succeeded}
    for operation in operations:
        if operation.op in ("connect", "listen", "close", "accept", "duplicate"):
            fresh.discard(operation.socket if operation.socket is not None else -1)
        elif operation.op == "shutdown" and operation.socket in fresh and operation.outcome in _ANSWERED:
            if operation.how in HOW.values():  # which error wins over another is not stated
                yield accepted.weigh(operation, after="on a socket that was never connected")


@judges("ERR-02")
def an_unknown_direction_is_invalid(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A shutdown of no known direction fails with invalid argument, on a connected socket. [Winsock SPI, WSPShutdown]"""
    for call in _misdirected(connection):
        yield accepted.weigh(call, after=f"with an unknown direction ({call.how}) on a connected socket")


def _misdirected(connection: Connection) -> list[Operation]:
    """The shutdowns of no known direction on a connection that was whole, or of which only one direction had ended."""
    left = min((o.entered for o in goodbyes(connection)), default=None)
    return [
        o
        for o in connection.iut.calls("shutdown")
        if isinstance(o.how, int)
        and o.outcome in _ANSWERED
        and o.entered >= connection.established.at
        and (left is None or (o.returned or 0) <= left)
        and intact(connection, o.returned or o.entered)
    ]


@judges_case("ERR-05")
def a_closed_handle_is_refused(history: History, accepted: Expectation) -> Iterator[Finding]:
    """After close the old handle is refused as no socket, while no new one can have taken its place. [Winsock SPI, WSPCloseSocket]"""
    closed: dict[int, int] = {}
    for operation in history.of(End.IUT):
        since = closed.get(operation.socket) if operation.socket is not None else None
        if since is not None and operation.entered >= since and operation.outcome in _ANSWERED:
            yield accepted.weigh(operation, after="after close")
        if operation.op in _NEW_HANDLE:
            closed.clear()
        elif operation.op == "close" and operation.succeeded and operation.socket is not None and operation.returned:
            closed[operation.socket] = operation.returned


@judges("ERR-07")
def shutdown_after_an_abort_is_recorded(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """What shutdown returns once an abort was told is written down. [Winsock API, shutdown]"""
    ending, gone = connection.peer_to_iut.ending, connection.iut.gone_at
    if not ending.is_abort:
        return
    told = first_word(connection.iut, ending)
    if told is None:
        return
    since = told.at if isinstance(told, Report) else 0
