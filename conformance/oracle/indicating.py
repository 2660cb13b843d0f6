# SPDX-License-Identifier: MIT
"""Group B, the graceful end: how a receive tells that the peer has finished sending."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.oracle.findings import Expectation, Finding
from conformance.oracle.judging import judges
from conformance.oracle.link import may_time_out
from conformance.oracle.reading import (
    GRACEFUL_WORDS,
    doubt,
    first_final,
    first_word,
    heard,
    looked_until,
    never_told,
    read_stream,
    spanned,
)
from conformance.trace.direction import Direction, Ending, EndKind
from conformance.trace.events import Outcome
from conformance.trace.history import Connection
from conformance.trace.operations import Report, What

TIMED_OUT = ("ETIMEDOUT", "ECONNABORTED", "ENETRESET")
"""What tells that this side gave up by itself."""


@judges("IND-STREAM-01")
def zero_bytes_tell_of_a_graceful_end(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A byte stream's receive returns 0 bytes once the peer's graceful end is reached, and not before.

    [Winsock SPI, Connection Shutdown, Indicating Remote Shutdown]
    """
    report = first_final(connection)
    yield from doubt(connection.peer_to_iut, accepted)
    if connection.peer_to_iut.ending.is_graceful:
        yield from told_in_its_time(connection, accepted, report)
    elif report is not None and invented(connection, report):
        yield accepted.violated("recv told of an end, and the peer never ended", report)


def told_in_its_time(connection: Connection, accepted: Expectation, report: Report | None) -> Iterator[Finding]:
    """The first word of the peer's graceful end comes after that end, is an accepted one, and comes at all."""
    ending = connection.peer_to_iut.ending
    vain = list(never_told(connection, accepted, report))
    yield from vain
    if vain or report is None or ending.at is None or another_matter(connection, report):
        return
    if report.at < ending.at:
        yield accepted.violated(f"before the peer's end had come, {report.seen}", ending, report)
    else:
        yield accepted.weigh(report, ending, after="after the peer's graceful end")


def another_matter(connection: Connection, report: Report) -> bool:
    """It need not be the peer's graceful end that it tells of: a reset had followed, or this side had given up."""
    reset_at = connection.peer_to_iut.ending.reset_at
    return (reset_at is not None and report.at >= reset_at) or gave_up(connection, report)


def gave_up(connection: Connection, report: Report) -> bool:
    """It tells of a time-out at this side, which may have had reason to give up by itself."""
    return report.told in TIMED_OUT and may_time_out(connection)


def invented(connection: Connection, report: Report) -> bool:
    """It told of a graceful end, the peer had not even tried to end, and no error had been told before."""
    direction = connection.peer_to_iut
    if direction.ending.kind is not EndKind.OPEN or report.told not in GRACEFUL_WORDS:
        return False
    tried = not direction.witnessed and any(o.ends_sending for o in connection.peer.operations)
    return not tried and first_word(connection) is report


@judges("IND-STREAM-02")
def all_bytes_come_before_the_end(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Everything that was sent before a graceful end is read before the 0, unaltered. [Winsock SPI, WSPRecv]"""
    direction = connection.peer_to_iut
    if (total := direction.total) is None:
        yield from doubt(direction, accepted)
        return
    if unexplained(direction):
        yield accepted.undetermined("the peer's calls do not tell all that it sent", direction.ending)
        return
    reading = read_stream(direction)
    if reading.fault is not None:
        yield accepted.violated(f"the bytes from offset {reading.good} on are not those that were sent", reading.fault)
    elif total and reading.final is not None and reading.final.what is What.ZERO_BYTES:
        if reading.good != total and another_matter(connection, reading.final):
            lost = f"{reading.good} of {total} bytes were read before a reset, which may have taken the rest"
            yield accepted.undetermined(lost, direction.ending, reading.final)
            return
        yield accepted.decide(
            reading.good == total,
            f"all {total} bytes were read before the end was told",
            f"{reading.good} bytes were read before the end was told, and the peer had sent {total}",
            direction.ending,
            reading.final,
        )


def unexplained(direction: Direction) -> bool:
    """More may have been sent than the sender's returned calls explain: a send that was never answered."""
    unanswered = any(send.outcome is Outcome.UNANSWERED for send in direction.sender.sends)
    return unanswered or (direction.total or 0) > direction.offered_length


@judges("IND-STREAM-03")
def the_end_is_sticky(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Once a receive has told of a graceful end with 0 bytes, each later receive does so too. [Winsock SPI, WSPRecv]"""
    yield from sticky(connection, accepted)


def sticky(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Each receive after the first word of a graceful end tells the same, until a reset changes the matter."""
    if not connection.peer_to_iut.ending.is_graceful:
        yield from doubt(connection.peer_to_iut, accepted)
        return
    first = first_final(connection)
    if first is None or first.told not in {a.outcome for a in accepted.accepted}:
        return
    later = [r for r in heard(connection.iut) if r.asked >= first.at and not another_matter(connection, r)]
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
    blocked = [r for r in waiting_at(connection, ending) if not another_matter(connection, r)]
    yield from woken(connection, blocked, accepted, "the end")


def waiting_at(connection: Connection, ending: Ending) -> list[Report]:
    """The receives that were blocked, or posted, when the end came, and told of one."""
    return [
        report
        for report in heard(connection.iut)
        if report.is_final and spanned(report, ending) and (report.posted or connection.iut.blocking_at(report.asked))
    ]


def woken(connection: Connection, blocked: list[Report], accepted: Expectation, what: str) -> Iterator[Finding]:
    """Receives that were blocked or posted when `what` came must tell it, promptly."""
    ending = connection.peer_to_iut.ending
    if ending.at is None:
        return
    for report in blocked:
        late_ns = report.at - (ending.at if ending.certain_at is None else ending.certain_at)
        late = f"blocked, {report.seen} {late_ns / 1e6:.0f} ms after {what}"
        if late_ns <= connection.header.prompt_ns:
            yield accepted.weigh(report, ending, after=f"blocked when {what} came")
        elif ending.certain_at is None:
            yield accepted.undetermined(f"{late} may have come: when it reached the IUT is not known", ending, report)
        else:
            yield accepted.violated(late, ending, report)
    for report in heard(connection.iut):
        if report.what is What.NOTHING and spanned(report, ending) and ending.certain_at is not None:
            looked_ns = looked_until(report.asked, report.at, report.waited_ms) - ending.certain_at
            if looked_ns >= connection.header.prompt_ns and connection.iut.blocking_at(report.asked):
                yield accepted.violated(f"blocked when {what} came, {report.seen}", ending, report)
    yield from never_completed(connection, accepted, what)


def never_completed(connection: Connection, accepted: Expectation, what: str) -> Iterator[Finding]:
    """A receive that was posted before `what` came has not ended, though calls and waits long after it have."""
    iut, ending = connection.iut, connection.peer_to_iut.ending
    if ending.at is None or ending.certain_at is None:
        return
    stopped = iut.stopped_receiving_at
    returns = (o.returned for o in iut.operations if o.returned is not None)
    last = max((ending.certain_at, *returns, *connection.waits))
    last = last if stopped is None else min(last, stopped)
    completed = {n for report in iut.reports if report.posted for n in report.events}
    for posted in iut.calls("post_recv"):
        pending = posted.succeeded and posted.arguments.get("length") != 0 and not completed & set(posted.events)
        if pending and posted.entered < ending.at and last - ending.certain_at >= connection.header.prompt_ns:
            after_ms = (last - ending.certain_at) / 1e6
            yield accepted.violated(f"a posted receive had not ended {after_ms:.0f} ms after {what}", ending, posted)


@judges("IND-STREAM-05")
def peeking_at_the_end_consumes_nothing(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A peek at the end gives 0 bytes, and the receive after it does too. [Winsock SPI, WSPRecv, MSG_PEEK]"""
    ending, total = connection.peer_to_iut.ending, connection.peer_to_iut.total
    iut, stopped = connection.iut, connection.iut.stopped_receiving_at
    if total is None or ending.at is None:
        yield from doubt(connection.peer_to_iut, accepted)
        return
    for peek in (report for report in iut.reports if report.peek):
        if peek.at < ending.at or (stopped is not None and stopped <= peek.at) or another_matter(connection, peek):
            continue
        if iut.read_until(peek.asked) < total:
            continue
        if not peek.is_final:
            until = looked_until(peek.asked, peek.at, peek.waited_ms) if peek.what is What.NOTHING else peek.asked
            if ending.certain_at is None or until - ending.certain_at < connection.header.prompt_ns:
                continue
        following = next((r for r in heard(iut) if r.asked >= peek.at and not another_matter(connection, r)), None)
        if peek.what is not What.ZERO_BYTES:
            yield accepted.weigh(peek, ending, after="at the end")
        elif following is not None:
            yield accepted.weigh(following, peek, ending, after="after a peek had told the end")
