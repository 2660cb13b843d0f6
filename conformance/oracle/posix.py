# SPDX-License-Identifier: MIT
"""Group E: the forms that POSIX and Linux give to the ends of a connection."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.oracle.aborting import reset_told_first
from conformance.oracle.departing import lingered
from conformance.oracle.findings import Expectation, Finding
from conformance.oracle.indicating import another_matter, unexplained
from conformance.oracle.judging import judges
from conformance.oracle.link import may_time_out
from conformance.oracle.reading import NS_PER_S, doubt, heard, never_told, read_stream
from conformance.trace.conditions import Condition
from conformance.trace.events import Outcome
from conformance.trace.history import Connection
from conformance.trace.operations import Operation, Side, What, left_unread

_ANSWERED = (Outcome.RESULT, Outcome.ERROR, Outcome.TIMEOUT)


@judges("POSIX-RECV-01")
def data_then_zero_and_zero_again(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """recv gives all the data, then 0, and keeps giving 0. [POSIX recv; recv(2)]"""
    direction, ending = connection.peer_to_iut, connection.peer_to_iut.ending
    if direction.total is None or ending.at is None or ending.reset_at is not None or unexplained(direction):
        yield from doubt(direction, accepted)
        return
    reading = read_stream(direction)
    if reading.fault is not None:
        yield accepted.violated(f"the bytes from offset {reading.good} on are not those that were sent", reading.fault)
        return
    if reading.final is None:
        yield from never_told(connection, accepted)
        return
    if another_matter(connection, reading.final):
        return
    again = [r for r in heard(connection.iut) if r.asked >= reading.final.at and not another_matter(connection, r)]
    if reading.final.what is not What.ZERO_BYTES or reading.good != direction.total:
        because = f"{reading.good} of {direction.total} bytes were read, then {reading.final.seen}"
        yield accepted.violated(because, ending, reading.final)
    elif reading.final.at < ending.at:
        yield accepted.violated(f"before the peer's end had come, {reading.final.seen}", ending, reading.final)
    elif again:
        other = next((r for r in again if r.what is not What.ZERO_BYTES), None)
        yield accepted.decide(
            other is None,
            f"{direction.total} bytes, then 0, and {len(again)} times 0 again",
            f"after the end was told, {other.seen}" if other else "",
            ending,
            reading.final,
            *again,
        )


@judges("POSIX-RECV-02")
def a_reset_is_told_as_econnreset(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """The first word of an abort through recv is ECONNRESET. [POSIX recv]"""
    yield from reset_told_first(connection, accepted)


@judges("POSIX-SEND-01")
def sending_after_own_shutdown_fails(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A send after the caller's own shutdown of sending fails with EPIPE. [POSIX send; send(2)]"""
    shut = next((o for o in connection.iut.calls("shutdown") if o.ends_sending and o.succeeded), None)
    if shut is None:
        return
    gone = connection.iut.gone_at
    for send in connection.iut.sends:
        if send.entered <= shut.over or (gone is not None and gone <= send.over):
            continue
        if send.outcome not in _ANSWERED or _told_of_another_end(connection, send):
            continue
        yield accepted.decide(
            send.condition in (Condition.EPIPE, Condition.ESHUTDOWN),
            f"after its own shutdown, {send.seen}",
            f"after its own shutdown, {send.seen}; accepted: EPIPE",
            shut,
            send,
        )


def _told_of_another_end(connection: Connection, send: Operation) -> bool:
    """The send may have taken the error of a reset or a time-out, which comes before the caller's own shutdown."""
    told = (Condition.ECONNRESET, Condition.ECONNABORTED, Condition.ENETRESET, Condition.ETIMEDOUT)
    peer = connection.peer_to_iut
    reset = bool(peer.resets_come) or peer.ending.reset_at is not None
    unseen = not peer.visible and connection.peer.gone_at is not None
    return send.condition in told and (reset or unseen or may_time_out(connection))


@judges("POSIX-SHUT-01")
def what_shut_rd_leaves_readable_is_recorded(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """What can be read after the caller's own SHUT_RD, and what it puts on the link, is written down."""
    shut = next((o for o in connection.iut.calls("shutdown") if o.how == "receive" and o.succeeded), None)
    if shut is None:
        return
    told = [r for r in connection.iut.receives if r.asked >= shut.over]
    if told:
        resets = connection.iut_to_peer.resets
        words = ", ".join(r.seen for r in told)
        link = "; a reset went out" if resets else "; no reset went out" if connection.iut_to_peer.visible else ""
        yield accepted.satisfied(f"after SHUT_RD: {words}{link}", shut, *told, *resets)


@judges("POSIX-SHUT-02")
def what_shut_rd_does_to_a_blocked_receive_is_recorded(
    connection: Connection, accepted: Expectation
) -> Iterator[Finding]:
    """What a receive that is blocked in another thread tells on the caller's own SHUT_RD is written down."""
    for shut in connection.iut.calls("shutdown"):
        if shut.how not in ("receive", "both") or not shut.succeeded:
            continue
        for report in connection.iut.receives:
            if report.asked < shut.entered < report.at:
                yield accepted.satisfied(f"blocked across {shut.name}, {report.seen}", shut, report)


@judges("POSIX-CLOSE-01")
def a_lingering_close_blocks_up_to_its_time(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """With unsent data, a close with linger time t returns within about t, and not before it or the drain.

    [POSIX close; socket(7)]
    """
    close = _close_of_the_last_handle(connection.iut)
    if close is None or close.outcome not in _ANSWERED:
        return
    on, seconds = connection.iut.linger_at(close.entered)
    if not on or not seconds:
        return
    limit = seconds * NS_PER_S + connection.header.prompt_ns
    took = f"{close.seen} after {close.took / NS_PER_S:.3f} s of {seconds} s"
    if connection.statement.transport == "unix":
        at_once = close.succeeded and close.took <= limit
        yield accepted.decide(at_once, f"{took}, with nothing that the transport had not sent", took, close)
        return
    direction = connection.iut_to_peer
    if not direction.visible:
        yield accepted.undetermined("no link is visible that shows whether data was left to send", close)
        return
    offered = direction.offered_before(close.entered)
    drained = direction.acknowledged(offered)
    if not offered or _given_up_before(connection, close):
        return
    if drained is not None and drained.at <= close.entered + seconds * NS_PER_S:
        if close.succeeded and close.over < drained.at and not lingered(close, seconds):
            yield accepted.violated(f"{took}, and before what was left to send had drained", close, drained)
        return
    if close.outcome is Outcome.TIMEOUT and close.took < limit:
        yield accepted.undetermined(f"{took}: it was not waited for as long as it may take", close)
        return
    waited = close.succeeded and lingered(close, seconds) and close.took <= limit
    in_time = waited or (close.condition is Condition.EWOULDBLOCK and close.took <= limit)
    left = f"{took}, with data left to send"
    yield accepted.decide(in_time, left, left, close)


def _close_of_the_last_handle(side: Side) -> Operation | None:
    """The first close of the only handle that was left: only that one has to do with the connection."""
    handles = set(side.sockets)
    for close in side.calls("close"):
        if handles == {close.socket}:
            return close
        if close.succeeded and close.socket is not None:
            handles.discard(close.socket)
    return None


def _given_up_before(connection: Connection, close: Operation) -> bool:
    """Nothing was left to linger for: the connection was reset, or timed out, or the close itself reset it.

    A close that throws away what was received and not read resets the connection on many systems.
    """
    until = close.last_at
    resets = (p.delivered for p in connection.peer_to_iut.resets_come)
    if any(at is not None and at <= until for at in resets) or may_time_out(connection):
        return True
    return left_unread(connection.peer, connection.iut, close.entered, messages=False) > 0
