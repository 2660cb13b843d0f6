# SPDX-License-Identifier: MIT
"""Group B, overlapped receives: what those that are pending tell when the connection ends, or their own socket does.

Only receives that were posted are looked at here; those that block are judged in `indicating` and `aborting`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from conformance.oracle.aborting import reset_before
from conformance.oracle.departing import Observed
from conformance.oracle.findings import Expectation, Finding
from conformance.oracle.indicating import another_matter, gave_up, never_completed
from conformance.oracle.judging import judges
from conformance.oracle.link import settled, watched
from conformance.oracle.reading import doubt, ends_heard, heard
from conformance.trace.direction import EndKind
from conformance.trace.history import Connection
from conformance.trace.operations import Operation, Report, What


@dataclass(frozen=True)
class Posted:
    """A receive that was posted, and how it ended, if it did."""

    call: Operation
    report: Report | None

    @property
    def events(self) -> tuple[int, ...]:
        """The events of both."""
        return self.call.events if self.report is None else self.report.events

    def pending_at(self, time: int) -> bool:
        """It had been posted and had not ended by then."""
        return self.call.over <= time and (self.report is None or self.report.at > time)


def posted(connection: Connection) -> list[Posted]:
    """The IUT's posted receives, in the order of posting; those of no length are left out."""
    reports = {report.events[0]: report for report in connection.iut.reports}
    return [
        Posted(call, reports.get(call.events[0]))
        for call in connection.iut.calls("post_recv")
        if call.succeeded and call.arguments.get("length") != 0
    ]


@judges("IND-OVL-01")
def a_pending_receive_gives_zero_at_the_end(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """On a stream a receive that is pending at the graceful end completes with 0 bytes. [Winsock SPI, WSPRecv]"""
    yield from _complete_at_the_end(connection, accepted)


@judges("IND-OVL-03")
def a_pending_message_receive_tells_of_the_end(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """On a message protocol it completes with the error for a graceful end. [Winsock SPI, WSPRecv]"""
    yield from _complete_at_the_end(connection, accepted)


def _complete_at_the_end(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    ending = connection.peer_to_iut.ending
    if not ending.is_graceful or ending.at is None:
        if posted(connection):
            yield from doubt(connection.peer_to_iut, accepted)
        return
    for report in ends_heard(connection):
        if report.posted and not another_matter(connection, report):
            yield from _told(connection, accepted, report, "the graceful end")
    yield from never_completed(connection, accepted, "the graceful end")


@judges("IND-OVL-02")
def a_pending_receive_fails_at_the_abort(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A receive that is pending when the peer aborts fails with connection reset. [Winsock SPI]

    Where an error is told once, that is required of the first alone.
    """
    ending = connection.peer_to_iut.ending
    if not ending.is_abort or ending.at is None:
        if posted(connection):
            yield from doubt(connection.peer_to_iut, accepted)
        return
    ends = [r for r in ends_heard(connection) if r.posted and not gave_up(connection, r)]
    each = connection.statement.family.startswith("winsock")
    for report in ends if each else ends[:1]:
        yield from _told(connection, accepted, report, "the reset")
    yield from never_completed(connection, accepted, "the reset")


def _told(connection: Connection, accepted: Expectation, report: Report, what: str) -> Iterator[Finding]:
    """A posted receive that told an end: not before `what`; and if it was pending then, rightly and in time."""
    ending, prompt_ns = connection.peer_to_iut.ending, connection.header.prompt_ns
    if ending.at is None:
        return
    if report.at < ending.at:
        if not reset_before(connection, report):
            yield accepted.violated(f"before {what} had come, {report.seen}", ending, report)
    elif report.asked < ending.at:
        if ending.certain_at is not None and report.at - ending.certain_at > prompt_ns:
            late = f"pending, {report.seen} {(report.at - ending.certain_at) / 1e6:.0f} ms after {what}"
            yield accepted.violated(late, ending, report)
        else:
            yield accepted.weigh(report, ending, after=f"pending when {what} came")


@judges("IND-OVL-04")
def pending_receives_are_filled_in_order(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Of several pending receives all complete when the connection ends, each once, filled in the order of posting.

    [Winsock SPI, Overlapped I/O]
    """
    ending, calls = connection.peer_to_iut.ending, posted(connection)
    if ending.at is None or not (ending.is_graceful or ending.is_abort):
        if len(calls) > 1:
            yield from doubt(connection.peer_to_iut, accepted)
        return
    yield from never_completed(connection, accepted, "the end of the connection")
    yield from _completed_again(connection, calls, accepted)
    if _order_is_open(connection, calls):
        return
    ends, stream = set(heard(connection.iut)), connection.peer_to_iut.stream
    offset, ended = 0, None
    for each in calls:
        report = each.report
        if report is None or report not in ends:
            continue
        if report.is_final:
            ended = ended or report
        elif ended is not None:
            yield accepted.violated(f"posted before, {ended.seen}; posted after it, {report.seen}", ended, report)
            return
        elif not report.carries(stream[offset : offset + report.length]):
            what = f"the receive that was posted next did not get the bytes from offset {offset} on: {report.seen}"
            yield accepted.violated(what, report)
            return
        else:
            offset += report.length
    several = [each for each in calls if each.call.over < ending.at]
    told = [each.report.at for each in calls if each.report]
    whole = offset and ended is not None and len(several) > 1 and all(each.report for each in several)
    if whole and settled(connection, max(told)):  # by then none has completed once more
        what = f"{len(several)} receives were posted: the first of them got {offset} bytes, and the others the end"
        yield accepted.satisfied(what, ending, *several)


def _completed_again(connection: Connection, calls: list[Posted], accepted: Expectation) -> Iterator[Finding]:
    by_token = {str(each.call.result.get("token")): each.report for each in calls}
    for stray in connection.iut.strays:
        if (report := by_token.get(stray.token)) is not None:
            because = f"{report.seen}, and completed a second time"
            yield accepted.violated(because, report, Observed("", because, (stray.n,)))


def _order_is_open(connection: Connection, calls: list[Posted]) -> bool:
    """Fewer than two were pending together, or which of the receives came first is not known.

    So it is with receives that block beside them, with posting calls that overlap, and with empty messages.
    """
    overlapping = any(one.call.over >= other.call.entered for one, other in pairwise(calls))
    others = any(not r.posted and r.what is not What.NOTHING for r in connection.iut.reports if _beside(r, calls))
    together = any(one.pending_at(other.call.last_at) for one, other in pairwise(calls))
    return overlapping or others or not together or b"" in connection.peer_to_iut.offered


def _beside(report: Report, calls: list[Posted]) -> bool:
    """That receive was made while a posted one was pending."""
    before = (each for each in calls if each.call.entered <= report.at)
    return any(each.report is None or report.asked <= each.report.at for each in before)


@judges("IND-OVL-05")
def closing_aborts_what_is_pending(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A receive that is pending when its socket is closed completes as aborted, by the mechanism it was posted with.

    [Winsock SPI, WSPCloseSocket]
    """
    closed = connection.iut.closed
    if closed is None:
        return
    ending = connection.peer_to_iut.ending
    if ending.kind is EndKind.NOT_KNOWN or (ending.at is not None and ending.at <= closed.over):
        return  # what it tells may be the peer's end
    for each in posted(connection):
        if not each.pending_at(closed.entered):
            continue
        if each.report is None:
            if watched(connection, closed.over, connection.header.prompt_ns):
                yield accepted.violated("closed, and a pending receive never completed", each, closed)
        elif each.call.arguments.get("mechanism", "") not in ("", each.report.mechanism):
            by = f"posted by {each.call.arguments['mechanism']}, {each.report.seen} by {each.report.mechanism}"
            yield accepted.violated(f"pending when its socket was closed, {by}", each, closed)
        elif each.report.what is not What.DATA:  # data may just have come
            yield accepted.weigh(each.report, closed, after="pending when its socket was closed")


@judges("IND-OVL-08")
def what_sd_receive_leaves_pending_is_recorded(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """What a receive tells that was pending when receiving was shut down is written down. [observed: Windows]"""
    shut = next((o for o in connection.iut.calls("shutdown") if o.how == "receive" and o.succeeded), None)
    if shut is None:
        return
    sends = [s for s in connection.peer.sends if s.succeeded and s.entered >= shut.over and s.result["length"]]
    gone = connection.iut.gone_at
    for each in posted(connection):
        if not each.pending_at(shut.entered):
            continue
        if each.report is not None and (gone is None or each.report.at < gone):
            yield accepted.weigh(each.report, shut, *sends[:1], after="pending when receiving was shut down")
        elif sends and watched(connection, sends[0].last_at, connection.header.prompt_ns):
            still = Observed("STILL_PENDING", "it stayed pending although data came", each.events)
            yield accepted.weigh(still, shut, sends[0], after="pending when receiving was shut down")
