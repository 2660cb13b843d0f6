# SPDX-License-Identifier: MIT
"""Questions that several judges ask of a connection: who was told what first, what was read, who waited in vain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from conformance.catalogue.statement import Statement
from conformance.oracle.findings import Expectation, Finding, Told
from conformance.trace.direction import Direction, Ending, EndKind
from conformance.trace.history import Connection
from conformance.trace.operations import Operation, Report, Side, What

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


def heard(side: Side) -> Iterator[Report]:
    """The receives that were made while that side still received: not those that it made pointless itself.

    A receive that was waiting when the side stopped may have been woken by that: then its word of an end is nobody's.
    """
    limit = side.stopped_receiving_at
    return (r for r in side.receives if limit is None or r.at < limit or (r.asked < limit and not r.is_final))


def first_final(side: Side) -> Report | None:
    """The first receive that told of an end."""
    return next((report for report in heard(side) if report.is_final), None)


def first_word(side: Side, ending: Ending) -> Told | None:
    """The first thing whatever that told the side of an end: a receive, a failed send, or its pending error.

    Implementations may report an error once, through whichever call comes first; so codes are judged on the first
    report alone.
    """
    since = ending.at or 0
    failed = (o for o in side.calls("send", "get_error", "shutdown") if (o.returned or 0) >= since and tells_error(o))
    words: list[tuple[int, Told]] = [(o.returned or 0, o) for o in failed]
    if (report := first_final(side)) is not None:
        words.append((report.at, report))
    return min(words, key=lambda word: word[0], default=(0, None))[1]


def tells_error(operation: Operation) -> bool:
    """The operation told of an error of the connection: it failed with one, or SO_ERROR held one."""
    if operation.op == "get_error":
        return operation.succeeded and operation.result.get("error") is not None
    return operation.error is not None and str(operation.condition) != "EWOULDBLOCK"


def in_vain(side: Side, ending: Ending, *, prompt_ns: int, settle_ns: int) -> Report | None:
    """A receive that was made or still waiting long after the side must have known of the end, and told nothing."""
    since = ending.certain_at
    if since is None:
        return None
    for report in heard(side):
        if report.what is What.NOTHING and report.at - max(report.asked, since) >= prompt_ns:
            return report
        if report.what is What.WOULD_BLOCK and report.asked - since >= max(settle_ns, prompt_ns):
            return report
    return None


def never_told(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """For judges whose indication did not come: violated if the IUT looked long enough, else nothing."""
    ending = connection.peer_to_iut.ending
    header = connection.header
    vain = in_vain(connection.iut, ending, prompt_ns=header.prompt_ns, settle_ns=header.settle_ns)
    if vain is not None:
        yield accepted.violated(f"the peer's end had come, and {vain.seen}", ending, vain)


def doubt(direction: Direction, accepted: Expectation) -> Iterator[Finding]:
    """What to say where it is not known how a direction ended."""
    if direction.ending.kind is EndKind.NOT_KNOWN:
        yield accepted.undetermined(direction.ending.reason, direction.ending)


def spanned(report: Report, ending: Ending) -> bool:
    """The receive was waiting when the end came."""
    return ending.at is not None and report.asked < ending.at < report.at


@dataclass(frozen=True)
class Reading:
    """What a receiver read up to its first final report: `good` octets in order, then `fault` or `final`."""

    good: int
    fault: Report | None
    final: Report | None


def read_stream(direction: Direction) -> Reading:
    """Compare what was read, byte for byte, with what was offered, up to the first word of an end."""
    offset = 0
    for report in heard(direction.receiver):
        if report.is_final:
            return Reading(offset, None, report)
        if report.what is What.DATA:
            if not report.carries(direction.stream[offset : offset + report.length]):
                return Reading(offset, report, None)
            offset += report.length
    return Reading(offset, None, None)


def read_messages(direction: Direction) -> Reading:
    """The same for messages: `good` counts messages that came whole and in order; an empty one is told as 0 bytes."""
    messages, index = direction.offered, 0
    for report in heard(direction.receiver):
        if report.what not in (What.DATA, What.ZERO_BYTES, What.ERROR):
            continue
        expected = messages[index] if index < len(messages) else None
        if report.what is What.ZERO_BYTES and expected == b"":
            index += 1
        elif report.is_final:
            return Reading(index, None, report)
        elif expected is not None and not report.partial and report.carries(expected):
            index += 1
        else:
            return Reading(index, report, None)
    return Reading(index, None, None)


def read(direction: Direction, statement: Statement) -> Reading:
    """What the receiver read, by the rules of the transport: a stream or messages."""
    return read_stream(direction) if statement.is_stream else read_messages(direction)
