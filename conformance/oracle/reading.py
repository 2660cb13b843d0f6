# SPDX-License-Identifier: MIT
"""Questions that several judges ask of a connection: who was told what first, what was read, who waited in vain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from conformance.catalogue.statement import Statement
from conformance.oracle.findings import Expectation, Finding
from conformance.trace.conditions import Condition
from conformance.trace.direction import Direction, Ending, EndKind
from conformance.trace.history import Connection
from conformance.trace.operations import Operation, Report, Side, What

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
GRACEFUL_WORDS = ("ZERO_BYTES", "EDISCON")
Word: TypeAlias = Report | Operation
"""Something that told an end of an end: what a receive told, or another call that failed."""


def heard(side: Side) -> Iterator[Report]:
    """The receives that were made while that side still received: not those that it made pointless itself.

    A receive that was waiting when the side stopped may have been woken by that: then its word of an end is nobody's.
    """
    limit = side.stopped_receiving_at
    return (r for r in side.receives if limit is None or r.at < limit or (r.asked < limit and not r.is_final))


def ends_heard(connection: Connection) -> Iterator[Report]:
    """The IUT's receives that told of an end; a message of no bytes is told like one, and is none."""
    empty = 0 if connection.statement.is_stream else connection.peer_to_iut.offered.count(b"")
    for report in heard(connection.iut):
        if report.what is What.ZERO_BYTES and empty:
            empty -= 1
        elif report.is_final:
            yield report


def first_final(connection: Connection) -> Report | None:
    """The first receive of the IUT's that told of an end."""
    return next(ends_heard(connection), None)


def first_word(connection: Connection) -> Word | None:
    """The first thing whatever that told the IUT of an end: a receive, or another call that failed, or SO_ERROR.

    Implementations may report an error once, through whichever call comes first; so codes are judged on the first
    report alone. Of calls that overlapped nobody knows which was told first: there an error comes before an end.
    """
    words: list[Word] = [
        *ends_heard(connection),
        *(o for o in connection.iut.operations if _takes_error(connection, o)),
    ]
    if not words:
        return None
    first = min(map(told_at, words))
    rivals = (word for word in words if _asked_at(word) < first or told_at(word) == first)
    return min(rivals, key=lambda word: (word.told in GRACEFUL_WORDS, told_at(word)))


def told_at(word: Word) -> int:
    """When it was told (nanoseconds)."""
    return word.at if isinstance(word, Report) else word.last_at


def _asked_at(word: Word) -> int:
    return word.asked if isinstance(word, Report) else word.entered


_THE_CALLERS_OWN = frozenset(
    {
        Condition.ESHUTDOWN,
        Condition.EISCONN,
        Condition.ENOTSOCK,
        Condition.ECANCELED,
        Condition.EINVAL,
        Condition.EFAULT,
        Condition.EMSGSIZE,
        Condition.EOPNOTSUPP,
        Condition.ENOPROTOOPT,
    }
)
"""Conditions that tell of what the caller did or asked, and of nothing that became of the connection."""


def _takes_error(connection: Connection, operation: Operation) -> bool:
    """The call told of an error of the connection, which no later call need tell again; receives are reports."""
    if operation.op == "recv":
        reported = operation.arguments.get("length") != 0 and "PEEK" not in operation.arguments.get("flags", ())
    else:
        reported = operation.op not in ("send", "post_send", "get_error", "shutdown", "disconnect_ex")
    if reported or not tells_error(operation) or operation.entered < connection.established.at:
        return False
    own_end = connection.iut.ending
    by_own_end = own_end is not None and operation.entered >= own_end.entered
    return operation.condition not in _THE_CALLERS_OWN and not (operation.condition is Condition.EPIPE and by_own_end)


def tells_error(operation: Operation) -> bool:
    """The operation told of an error of the connection: it failed with one, or SO_ERROR held one."""
    if operation.op == "get_error":
        return operation.succeeded and operation.result.get("error") is not None
    return operation.error is not None and operation.condition is not Condition.EWOULDBLOCK


def in_vain(side: Side, ending: Ending, *, prompt_ns: int, settle_ns: int) -> Report | None:
    """A receive that was made or still waiting long after the side must have known of the end, and told nothing."""
    since, stopped = ending.certain_at, side.stopped_receiving_at
    if since is None:
        return None
    for report in heard(side):
        if report.what is What.NOTHING:
            until = looked_until(report.asked, report.at, report.waited_ms)
            until = until if stopped is None else min(until, stopped)
            if until - max(report.asked, since) >= prompt_ns:
                return report
        if report.what is What.WOULD_BLOCK and report.asked - since >= max(settle_ns, prompt_ns):
            return report
    return None


def looked_until(asked: int, returned: int, wait_ms: int) -> int:
    """Until when a call that found nothing had surely looked: its return may come much later on a loaded machine."""
    return min(returned, asked + wait_ms * NS_PER_MS)


def lasted(took: float, wait: int) -> bool:
    """What took so long lasted for its time: nine tenths of it, as clocks and timers are not exact, nor need agree."""
    return took >= wait * 9 // 10


def never_told(connection: Connection, accepted: Expectation, before: Word | None = None) -> Iterator[Finding]:
    """For judges whose indication did not come, or only then: violated if the IUT looked long enough, else nothing."""
    ending = connection.peer_to_iut.ending
    header = connection.header
    vain = in_vain(connection.iut, ending, prompt_ns=header.prompt_ns, settle_ns=header.settle_ns)
    if vain is not None and (before is None or vain.at <= told_at(before)):
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

    def follows(report: Report) -> bool:
        return report.what is What.DATA and report.carries(direction.stream[offset : offset + report.length])

    waiting = _in_order_of_asking(direction.receiver)
    while waiting:
        report = _take_next(waiting, follows)
        if report.is_final:
            return Reading(offset, None, report)
        if report.what is What.DATA:
            if not follows(report):
                return Reading(offset, report, None)
            offset += report.length
    return Reading(offset, None, None)


def read_messages(direction: Direction) -> Reading:
    """The same for messages: `good` counts messages that came whole and in order; an empty one is told as 0 bytes.

    A message may come in parts, of which only the last is not marked as one. What came of a message that its sender
    never finished has no last part.
    """
    messages, index, taken = direction.offered, 0, 0
    carriers = direction.framing.data if direction.framing is not None else ()
    unfinished = len(messages) - 1 if carriers and not carriers[-1].whole else None

    def follows(report: Report) -> bool:
        if index == len(messages):
            return False
        if report.what is What.ZERO_BYTES:
            return messages[index] == b""
        rest = messages[index][taken:]
        if report.partial and (report.length < len(rest) or index == unfinished):
            rest = rest[: report.length]
        elif report.partial:
            return False
        return report.what is What.DATA and report.carries(rest)

    waiting = _in_order_of_asking(direction.receiver)
    while waiting:
        report = _take_next(waiting, follows)
        if follows(report):
            taken = taken + report.length if report.partial else 0
            index += not report.partial
        elif report.is_final:
            return Reading(index, None, report)
        elif report.what is What.DATA:
            return Reading(index, report, None)
    return Reading(index, None, None)


def _in_order_of_asking(side: Side) -> list[Report]:
    return sorted(heard(side), key=lambda report: report.asked)


def _take_next(waiting: list[Report], follows: Callable[[Report], bool]) -> Report:
    """Take out the receive that came next. Of those that overlapped nobody knows: then it is one that follows.

    Posted receives may be told in any order, and the one that took the end before the one that took the data.
    """
    count, first = 1, waiting[0].at
    while count < len(waiting) and waiting[count].asked < first:
        first = min(first, waiting[count].at)
        count += 1
    if count == 1:
        return waiting.pop(0)
    rivals = range(count)
    best = next((i for i in rivals if follows(waiting[i])), None)
    if best is None:
        best = min(rivals, key=lambda i: (waiting[i].is_final, waiting[i].what is What.DATA))
    return waiting.pop(best)


def read(direction: Direction, statement: Statement) -> Reading:
    """What the receiver read, by the rules of the transport: a stream or messages."""
    return read_stream(direction) if statement.is_stream else read_messages(direction)
