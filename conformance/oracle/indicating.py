# SPDX-License-Identifier: MIT
"""Group B, the graceful end: how a receive tells that the peer has finished sending."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.oracle.findings import Expectation, Finding
from conformance.oracle.judging import judges
from conformance.oracle.reading import (
    doubt,
    first_final,
    heard,
    never_told,
    read_stream,
    spanned,
)
from conformance.trace.direction import Ending, EndKind
from conformance.trace.history import Connection
from conformance.trace.operations import Report, What


@judges("IND-STREAM-01")
def zero_bytes_tell_of_a_graceful_end(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A byte stream's receive returns 0 bytes once the peer's graceful end is reached, and not before.

    [Winsock SPI, Connection Shutdown, Indicating Remote Shutdown]
    """
    ending, report = connection.peer_to_iut.ending, first_final(connection.iut)
    yield from doubt(connection.peer_to_iut, accepted)
    if ending.is_graceful and ending.at is not None:
        if report is None:
            yield from never_told(connection, accepted)
        elif report.at < ending.at:
            yield accepted.violated(f"before the peer's end had come, {report.seen}", ending, report)
        elif not _after_reset(connection, report):
            yield accepted.weigh(report, ending, after="after the peer's graceful end")
    elif ending.kind is EndKind.OPEN and report is not None and report.what is What.ZERO_BYTES:
        yield accepted.violated("recv told of an end, and the peer never ended", report)


@judges("IND-STREAM-02")
def all_bytes_come_before_the_end(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Everything that was sent before a graceful end is read before the 0, unaltered. [Winsock SPI, WSPRecv]"""
    direction = connection.peer_to_iut
    if (total := direction.total) is None:
        yield from doubt(direction, accepted)
        return
    if total > direction.offered_length:
        yield accepted.undetermined("the link carried more than the peer's calls explain", direction.ending)
        return
    reading = read_stream(direction)
    if reading.fault is not None:
        yield accepted.violated(f"the bytes from offset {reading.good} on are not those that were sent", reading.fault)
    elif reading.final is not None and reading.final.what is What.ZERO_BYTES:
        yield accepted.decide(
            reading.good == total,
            f"all {total} bytes were read before the end was told",
            f"{reading.good} bytes were read before the end was told, and the peer had sent {total}",
            direction.ending,
            reading.final,
        )


@judges("IND-STREAM-03")
def the_end_is_sticky(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Once a receive has told of a graceful end with 0 bytes, each later receive does so too. [Winsock SPI, WSPRecv]"""
    yield from sticky(connection, accepted)


def sticky(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Each receive after the first word of a graceful end tells the same, until a reset changes the matter."""
    ending = connection.peer_to_iut.ending
    if not ending.is_graceful:
        yield from doubt(connection.peer_to_iut, accepted)
        return
    first = first_final(connection.iut)
    if first is None or first.told not in {a.outcome for a in accepted.accepted}:
        return
    later = [r for r in heard(connection.iut) if r.asked >= first.at and not _after_reset(connection, r)]
    for report in later:
        if report.told != first.told:
            yield accepted.violated(f"after the end was told as {first.told}, {report.seen}", first, report)
            return
    if later:
        yield accepted.satisfied(f"{len(later)} further receives told the same end", first, *later)


@judges("IND-STREAM-04")
def a_blocked_receive_returns_at_the_end(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A receive that is blocked when the end comes returns 0 promptly. [Winsock SPI; RFC 9293, 3.10.7.4]"""
    ending = connection.peer_to_iut.ending
    if not ending.is_graceful or ending.at is None:
        yield from doubt(connection.peer_to_iut, accepted)
        return
    yield from woken(connection, ending, accepted, "the end")


def woken(connection: Connection, ending: Ending, accepted: Expectation, what: str) -> Iterator[Finding]:
    """A receive that was blocked or posted when `what` came must tell it, promptly."""
    for report in heard(connection.iut):
        waits = report.posted or connection.iut.blocking_at(report.asked)
        if ending.at is None or not (waits and spanned(report, ending) and report.is_final):
            continue
        if _after_reset(connection, report) and not ending.is_abort:
            continue
        late_ns = report.at - (ending.at if ending.certain_at is None else ending.certain_at)
        if late_ns > connection.header.prompt_ns:
            late = f"blocked, {report.seen} {late_ns / 1e6:.0f} ms after {what}"
            if ending.certain_at is None:
                yield accepted.undetermined(
                    f"{late} may have come: when it reached the IUT is not known", ending, report
                )
            else:
                yield accepted.violated(late, ending, report)
        else:
            yield accepted.weigh(report, ending, after=f"blocked when {what} came")
        return
    yield from never_told(connection, accepted)


@judges("IND-STREAM-05")
def peeking_at_the_end_consumes_nothing(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A peek at the end gives 0 bytes, and the receive after it does too. [Winsock SPI, WSPRecv, MSG_PEEK]"""
    ending = connection.peer_to_iut.ending
    total = connection.peer_to_iut.total
    if total is None or ending.at is None:
        return
    peeks = (r for r in connection.iut.reports if r.peek and r.asked >= (ending.certain_at or ending.at))
    for peek in peeks:
        if connection.iut.read_until(peek.asked) < total:
            continue
        following = next((r for r in heard(connection.iut) if r.asked >= peek.at), None)
        yield accepted.weigh(peek, ending, after="at the end")
        if following is not None:
            yield accepted.weigh(following, peek, after="after a peek at the end")


def _after_reset(connection: Connection, report: Report) -> bool:
    reset_at = connection.peer_to_iut.ending.reset_at
    return reset_at is not None and report.at >= reset_at
