# SPDX-License-Identifier: MIT
"""Group E: the forms that POSIX and Linux give to the ends of a connection."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.oracle.findings import Expectation, Finding
from conformance.oracle.judging import judges
from conformance.oracle.reading import NS_PER_S, doubt, first_word, heard, read_stream
from conformance.trace.conditions import Condition
from conformance.trace.history import Connection
from conformance.trace.operations import Report, What


@judges("POSIX-RECV-01")
def data_then_zero_and_zero_again(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """recv gives all the data, then 0, and keeps giving 0. [POSIX recv; recv(2)]"""
    direction = connection.peer_to_iut
    if direction.total is None or direction.ending.reset_at is not None:
        yield from doubt(direction, accepted)
        return
    reading = read_stream(direction)
    if reading.fault is not None:
        yield accepted.violated(f"the bytes from offset {reading.good} on are not those that were sent", reading.fault)
        return
    if reading.final is None:
        return
    again = [r for r in heard(connection.iut) if r.asked >= reading.final.at]
    if reading.final.what is not What.ZERO_BYTES or reading.good != direction.total:
        because = f"{reading.good} of {direction.total} bytes were read, then {reading.final.seen}"
        yield accepted.violated(because, direction.ending, reading.final)
    elif again:
        other = next((r for r in again if r.what is not What.ZERO_BYTES), None)
        yield accepted.decide(
            other is None,
            f"{direction.total} bytes, then 0, and {len(again)} times 0 again",
            f"after the end was told, {other.seen}" if other else "",
            direction.ending,
            reading.final,
            *again,
        )


@judges("POSIX-RECV-02")
def a_reset_is_told_as_econnreset(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """The first word of an abort through recv is ECONNRESET. [POSIX recv]"""
    ending = connection.peer_to_iut.ending
    if not ending.is_abort or ending.at is None:
        yield from doubt(connection.peer_to_iut, accepted)
        return
    word = first_word(connection.iut, ending)
    if isinstance(word, Report) and word.at >= ending.at:
        yield accepted.weigh(word, ending, after="after the peer's reset")


@judges("POSIX-SEND-01")
def sending_after_own_shutdown_fails(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A send after the caller's own shutdown of sending fails with EPIPE. [POSIX send; send(2)]"""
    shut = next((o for o in connection.iut.calls("shutdown") if o.ends_sending and o.succeeded), None)
    if shut is None or shut.returned is None:
        return
    gone = connection.iut.gone_at
    for send in connection.iut.sends:
        if send.entered >= shut.returned and (gone is None or send.entered < gone) and send.returned is not None:
            yield accepted.decide(
                send.condition in (Condition.EPIPE, Condition.ESHUTDOWN),
                f"after its own shutdown, {send.seen}",
                f"after its own shutdown, {send.seen}; accepted: EPIPE",
                shut,
                send,
            )


@judges("POSIX-SHUT-01")
def what_shut_rd_leaves_readable_is_recorded(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """What can be read after the caller's own SHUT_RD, and what it puts on the link, is written down."""
    shut = next(
        (o for o in connection.iut.calls("shutdown") if o.arguments.get("how") == "receive" and o.succeeded), None
    )
    if shut is None or shut.returned is None:
        return
    told = [r for r in connection.iut.receives if r.asked >= shut.returned]
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
        if shut.arguments.get("how") not in ("receive", "both") or not shut.succeeded:
            continue
        for report in connection.iut.receives:
            if report.asked < shut.entered < report.at:
                yield accepted.satisfied(f"blocked across {shut.name}, {report.seen}", shut, report)


@judges("POSIX-CLOSE-01")
def a_lingering_close_blocks_up_to_its_time(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """With unsent data, a close with linger time t returns within about t, and not before it or the drain.

    [POSIX close; socket(7)]
    """
    close = next((o for o in connection.iut.calls("close") if o.arguments.get("wait_ms") or o.returned), None)
    if close is None:
        return
    on, seconds = connection.iut.linger_at(close.entered)
    if not on or not seconds:
        return
    direction = connection.iut_to_peer
    if not direction.visible:
        yield accepted.undetermined("no link is visible that shows whether data was left to send", close)
        return
    offered = direction.offered_before(close.entered)
    drained = direction.acknowledged(offered)
    if drained is not None and drained.at <= close.entered + seconds * NS_PER_S:
        return
    limit = seconds * NS_PER_S + connection.header.prompt_ns
    if close.returned is None or not (close.succeeded or close.condition is Condition.EWOULDBLOCK):
        yield accepted.violated(f"with {seconds} s of linger and data left to send, {close.seen}", close)
        return
    took = f"{close.seen} after {close.took / NS_PER_S:.3f} s of {seconds} s, with data left to send"
    in_time = close.took <= limit and (close.took >= 0.9 * seconds * NS_PER_S or not close.succeeded)
    yield accepted.decide(in_time, took, took, close)
