# SPDX-License-Identifier: MIT
"""QUIC (group F): a stream's end, its reset, the connection's close and the idle time-out are told as what they are."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

from conformance.oracle.findings import Expectation, Finding
from conformance.oracle.judging import judges, judges_case
from conformance.oracle.reading import (
    GRACEFUL_WORDS,
    NS_PER_MS,
    doubt,
    first_final,
    heard,
    looked_until,
    never_told,
)
from conformance.trace.conditions import Condition
from conformance.trace.direction import Ending, EndKind
from conformance.trace.events import ErrorValue
from conformance.trace.history import Connection, History
from conformance.trace.operations import Operation, Report, What
from conformance.trace.quic import aborts

CODE_LENGTH = 8
"""Octets of the code before the reason, in what the peer was given to close the connection with."""


@dataclass(frozen=True)
class _Notice:
    """What the implementation told by itself, as evidence."""

    events: tuple[int, ...]


@judges("QUIC-01")
def a_stream_end_is_told_as_what_it_is(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """FIN is told as the end, RESET_STREAM as an error with its code, CONNECTION_CLOSE with code and reason.

    [RFC 9000, 2.4, 3.1 to 3.5, 10.2 and 19.19]
    """
    ending, word = connection.peer_to_iut.ending, first_final(connection)
    yield from doubt(connection.peer_to_iut, accepted)
    match ending.kind:
        case EndKind.GRACEFUL | EndKind.ABORTED_BY_SENDER:
            vain = list(never_told(connection, accepted, word))
            yield from vain
            if not vain and word is not None:
                yield from _told(connection, accepted, ending, word)
        case EndKind.OPEN if connection.peer.killed_at is None and word is not None:
            yield accepted.violated(f"the peer had ended nothing, and {word.seen}", word)


def _told(connection: Connection, accepted: Expectation, ending: Ending, word: Report) -> Iterator[Finding]:
    if ending.at is None or word.at < ending.at:
        yield accepted.violated(f"before the peer's end, {word.seen}", ending, word)
    elif ending.kind is EndKind.GRACEFUL:
        yield accepted.decide(
            word.told in GRACEFUL_WORDS,
            f"after FIN, {word.seen}",
            f"after FIN, {word.seen}: a graceful end was told as an error",
            ending,
            word,
        )
    elif word.told in GRACEFUL_WORDS:
        yield accepted.violated(f"after {_name(connection)}, {word.seen}: told as a graceful end", ending, word)
    else:
        yield _abort_told(connection, accepted, ending, word, since=ending.at)


def _abort_told(connection: Connection, accepted: Expectation, ending: Ending, word: Report, *, since: int) -> Finding:
    """An error was told: it, or what the library told by itself, has the peer's code, and the reason if one was given.

    Codes are compared where the case had the peer choose one; otherwise that there is an error is all that is asked.
    """
    code, reason = _chosen(connection)
    by_itself = [i for i in connection.iut.indications if i.error is not None and i.at >= since]
    errors = [error for error in (word.error, *(i.error for i in by_itself)) if error is not None]
    wanted = "an error" if code is None else f"code {code:#x}{f' and reason {reason!r}' if reason else ''}"
    return accepted.decide(
        word.condition is Condition.ECONNRESET
        and any(code is None or (error.code == code and reason in error.detail) for error in errors),
        f"after {_name(connection)} with {wanted}, {word.seen}, {_words(errors)}",
        f"after {_name(connection)} with {wanted}, {word.seen}, {_words(errors)}",
        ending,
        word,
        *(_Notice((notice.n,)) for notice in by_itself[:1]),
    )


def _words(errors: list[ErrorValue]) -> str:
    """The codes and details that were told, in the implementation's own terms."""
    told = (f"{e.name} {e.code:#x} {e.detail!r}" if e.code is not None else f"{e.name} with no code" for e in errors)
    return "; ".join(dict.fromkeys(told)) or "with no code"


def _abort(connection: Connection) -> Operation | None:
    return next(aborts(connection.peer), None)


def _name(connection: Connection) -> str:
    abort = _abort(connection)
    return "CONNECTION_CLOSE" if abort is not None and abort.op == "send_disconnect" else "RESET_STREAM"


def _chosen(connection: Connection) -> tuple[int | None, str]:
    """The code, if one was chosen, and the reason that the peer aborted with."""
    abort = _abort(connection)
    if abort is not None and abort.arguments.get("data"):
        said = base64.b64decode(abort.arguments["data"])
        return int.from_bytes(said[:CODE_LENGTH], "big"), said[CODE_LENGTH:].decode()
    codes = _values(takewhile(lambda o: o is not abort, connection.peer.operations), "ERROR_CODE")
    return (codes[-1] if codes else None), ""


def _values(operations: Iterable[Operation], option: str) -> list[int]:
    """What that option was set to, in order."""
    calls = (o for o in operations if o.op == "set_option" and o.succeeded and o.arguments.get("name") == option)
    return [int(o.arguments["value"]) for o in calls]


@judges_case("QUIC-01")
def silence_is_told_as_a_local_abort(history: History, accepted: Expectation) -> Iterator[Finding]:
    """Where the peer has died, the idle time-out is told: as an error of this side's own, and never as an end.

    [RFC 9000, 10.1]
    """
    values = _values(history.operations, "IDLE_TIMEOUT")
    for connection in history.connections:
        since, ending = connection.peer.dead_at, connection.peer_to_iut.ending
        if not values or since is None or ending.kind is not EndKind.OPEN:
            continue
        due = since + min(values) * NS_PER_MS + connection.header.prompt_ns
        word = first_final(connection)
        if word is not None and word.at >= (connection.peer.killed_at or since):
            yield accepted.decide(
                word.told not in (*GRACEFUL_WORDS, "ECONNRESET"),
                f"after the idle time-out, {word.seen}, {_words([word.error] if word.error else [])}",
                f"after the idle time-out, {word.seen}: told as the peer's doing",
                word,
            )
            continue
        for report in heard(connection.iut):
            late = report.what is What.NOTHING and looked_until(report.asked, report.at, report.waited_ms) >= due
            if late and not any(send.entered >= since for send in connection.iut.sends):
                yield accepted.violated(f"long after the idle time-out, {report.seen}", report)
                break
