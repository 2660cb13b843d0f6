# SPDX-License-Identifier: MIT
"""Group B, the abort: how the implementation tells that the peer reset the connection, and its pending error."""

from __future__ import annotations

import math
from collections.abc import Iterator

from conformance.oracle.findings import Expectation, Finding
from conformance.oracle.indicating import gave_up, unexplained, waiting_at, woken
from conformance.oracle.judging import judges
from conformance.oracle.reading import (
    GRACEFUL_WORDS,
    Word,
    doubt,
    first_word,
    heard,
    never_told,
    read,
    told_at,
)
from conformance.trace.direction import EndKind
from conformance.trace.history import Connection
from conformance.trace.operations import Report


@judges("IND-ABORT-01")
def a_receive_fails_with_reset(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """After the peer's abort a receive fails with "connection reset", for streams and messages alike.

    [Winsock SPI, Connection Shutdown, Indicating Remote Shutdown]
    """
    yield from reset_told_first(connection, accepted)


def reset_told_first(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """The first word of the peer's abort, if a receive has it, comes after the abort, and is an accepted one."""
    ending, word = connection.peer_to_iut.ending, first_word(connection)
    if not ending.is_abort or ending.at is None:
        yield from doubt(connection.peer_to_iut, accepted)
        return
    vain = list(never_told(connection, accepted, word))
    yield from vain
    if vain or not isinstance(word, Report) or gave_up(connection, word):
        return
    if word.at >= ending.at:
        yield accepted.weigh(word, ending, after="after the peer's reset")
    elif not reset_before(connection, word):
        yield accepted.violated(f"before the peer's reset had come, {word.seen}", ending, word)


def reset_before(connection: Connection, word: Word) -> bool:
    """An error was told after an earlier reset, which the IUT had a choice to accept."""
    resets = (p.delivered for p in connection.peer_to_iut.resets_come)
    return word.told not in GRACEFUL_WORDS and any(at is not None and at <= told_at(word) for at in resets)


@judges("IND-ABORT-02")
def an_abort_is_never_told_as_graceful(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """The first word of an abort is an error, never 0 bytes or EDISCON. [Winsock SPI; RFC 9293, 3.6, MUST-12]"""
    yield from _aborted_after_the_release(connection, accepted)
    ending, word = connection.peer_to_iut.ending, first_word(connection)
    if not ending.is_abort or ending.at is None:
        yield from doubt(connection.peer_to_iut, accepted)
        return
    if word is not None and told_at(word) >= ending.at:
        yield accepted.decide(
            word.told not in GRACEFUL_WORDS,
            f"after the peer's reset, {word.seen}: an error, not an end",
            f"after the peer's reset, {word.seen}: an abort was told as a graceful end",
            ending,
            word,
        )


def _aborted_after_the_release(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """What TCP leaves open the reference transport decides: once an abort has followed the release, calls tell it.

    The last receive is asked, made when the abort had surely been there: whatever the ones before it were told, it
    tells of the abort. [reference transport, rules 4 and 5]
    """
    ending = connection.peer_to_iut.ending
    if connection.statement.transport != "reference" or not ending.is_graceful or ending.reset_at is None:
        return
    since = ending.reset_at + connection.header.settle_ns
    told = [r for r in heard(connection.iut) if r.is_final and r.asked >= since]
    if told:
        last = told[-1]
        yield accepted.decide(
            last.told not in GRACEFUL_WORDS,
            f"after the abort that followed the release, {last.seen}: an error, not an end",
            f"after the abort that followed the release, {last.seen}: it goes on telling of a graceful end",
            ending,
            last,
        )


@judges("IND-ABORT-04")
def bytes_before_an_abort_are_never_altered(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """What came before an abort may be lost; what is delivered is a true prefix, and the abort follows.

    [RFC 9293, 3.10.7.4]
    """
    direction = connection.peer_to_iut
    if not direction.ending.is_abort or not direction.offered_length or unexplained(direction):
        yield from doubt(direction, accepted)
        return
    reading, word = read(direction, connection.statement), first_word(connection)
    if reading.fault is not None:
        yield accepted.violated(f"what was read after {reading.good} is not what was sent", reading.fault)
    elif reading.final is not None:
        unit = "bytes" if connection.statement.is_stream else "messages"
        first = word or reading.final
        yield accepted.decide(
            any(each.told not in GRACEFUL_WORDS for each in (first, reading.final)),
            f"{reading.good} {unit} were delivered unaltered, then {first.seen}",
            f"{reading.good} {unit} were delivered, then {reading.final.seen}",
            direction.ending,
            reading.final,
            first,
        )


@judges("IND-ABORT-05")
def a_blocked_receive_returns_at_the_abort(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A receive that is blocked when the reset comes fails promptly. [RFC 9293, 3.10.7.4]"""
    ending, word = connection.peer_to_iut.ending, first_word(connection)
    if not ending.is_abort or ending.at is None:
        yield from doubt(connection.peer_to_iut, accepted)
        return
    blocked = [r for r in waiting_at(connection, ending) if r is word and not gave_up(connection, r)]
    yield from woken(connection, blocked, accepted, "the reset")


@judges("IND-ABORT-08")
def a_reset_after_the_peers_end_is_recorded(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """What calls tell once a reset has followed the peer's own FIN is written down. [no source decides]"""
    ending = connection.peer_to_iut.ending
    if ending.kind is not EndKind.RESET_AFTER_END or ending.reset_at is None:
        return
    after = [r for r in heard(connection.iut) if r.at >= ending.reset_at]
    calls = [o for o in connection.iut.calls("send", "get_error", "poll") if math.inf > o.over >= ending.reset_at]
    words = sorted([*((float(r.at), r.seen) for r in after), *((o.over, o.seen) for o in calls)])
    if words:
        yield accepted.satisfied(
            "after a reset that followed the peer's end: " + ", ".join(seen for _, seen in words),
            ending,
            *after,
            *calls,
        )


@judges("IND-ERR-01")
def the_pending_error_is_recorded(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """The value of SO_ERROR after an end is written down. [Windows Sockets, error reporting]"""
    ending = connection.peer_to_iut.ending
    for call in connection.iut.calls("get_error"):
        if call.succeeded and ending.at is not None and call.entered >= ending.at:
            yield accepted.satisfied(f"after an end that was {ending.kind}, {call.seen}", ending, call)
