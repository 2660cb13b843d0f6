# SPDX-License-Identifier: MIT
"""Group B, network events: FD_CLOSE, and what must not be told with it.

Who was registered, what was told and until when somebody looked is `registrations`' work; what registering itself does
is judged in `registering`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from conformance.oracle.departing import Observed
from conformance.oracle.findings import Evidence, Expectation, Finding
from conformance.oracle.indicating import another_matter, unexplained
from conformance.oracle.judging import judges
from conformance.oracle.reading import GRACEFUL_WORDS, doubt, in_vain, read
from conformance.oracle.registrations import (
    READ,
    Registration,
    all_read_at,
    another_cause,
    before_any_end,
    due_at,
    for_close,
    looked_for,
    receiving_until,
    told,
    unread_at,
)
from conformance.trace.direction import EndKind
from conformance.trace.events import End
from conformance.trace.history import Connection
from conformance.trace.operations import Notification, Operation, What

_RECORDED_LATE = "the end had come, and FD_CLOSE had not been told"


def _word(notification: Notification) -> Observed:
    """What FD_CLOSE told, in the vocabulary of the catalogue: GRACEFUL for the error 0."""
    outcome = "GRACEFUL" if notification.error is None else notification.told
    return Observed(outcome, notification.seen, notification.events)


@judges("IND-FDC-01")
def fd_close_tells_of_a_graceful_end(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """FD_CLOSE with error 0 tells of the peer's graceful end, and comes not before it. [Winsock SPI; WSAEventSelect]"""
    ending = connection.peer_to_iut.ending
    for registration in for_close(connection):
        yield from doubt(connection.peer_to_iut, accepted)
        if ending.is_graceful:
            yield from tells_the_end(connection, accepted, registration)
            continue
        for notification in told(connection, registration)[:1]:
            if notification.error is None and before_any_end(connection, notification) and ending.at is None:
                yield accepted.violated(f"{notification.seen}, and the peer never ended", notification)


@judges("IND-FDC-02")
def fd_close_tells_of_an_abort(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """The peer's abort raises FD_CLOSE with an error, whatever data is unread. [Winsock SPI; WSAEventSelect]"""
    for registration in for_close(connection):
        yield from doubt(connection.peer_to_iut, accepted)
        if connection.peer_to_iut.ending.is_abort:
            yield from tells_the_end(connection, accepted, registration)


def tells_the_end(
    connection: Connection, accepted: Expectation, registration: Registration, *, limit: float | None = None
) -> Iterator[Finding]:
    """The first FD_CLOSE of that registration comes after the peer's end and is an accepted one; and it does come.

    That it comes is judged here only of registrations made before the end (later ones: IND-FDC-09), up to `limit`.
    """
    ending = connection.peer_to_iut.ending
    first = next(iter(told(connection, registration)), None)
    if first is not None and before_any_end(connection, first):
        if not _reset_before(connection, first):
            yield accepted.violated(f"before the peer's end had come, {first.seen}", ending, first)
        return
    if ending.at is not None and registration.since <= ending.at:
        missing = not_told(connection, registration, first, receiving_until(connection) if limit is None else limit)
        if missing is not None:
            yield accepted.violated(f"{_RECORDED_LATE} (the end: {ending.kind})", ending, registration.call, *missing)
            return
    if first is not None and not another_cause(connection, first):
        yield accepted.weigh(_word(first), ending, after=f"after the peer's end ({ending.kind})")


def not_told(
    connection: Connection, registration: Registration, first: Notification | None, limit: float
) -> tuple[Evidence, ...] | None:
    """What shows that FD_CLOSE had not been told promptly once it was due; None if it was, or nobody looked."""
    due = due_at(connection, registration)
    if due is None:
        return None
    look = looked_for(connection, registration, due, connection.header.prompt_ns, limit)
    if look is None or (first is not None and first.at <= look.over):
        return None
    return (look.by,)


def _reset_before(connection: Connection, notification: Notification) -> bool:
    """It told an error after an earlier reset, which the IUT had a choice to accept."""
    resets = (p.delivered for p in connection.peer_to_iut.resets_come)
    return notification.error is not None and any(at is not None and at <= notification.at for at in resets)


@judges("IND-FDC-03")
def fd_close_is_told_once(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """One registration tells FD_CLOSE at most once, and no call re-enables it. [WSAEventSelect, WSAAsyncSelect]"""
    ending, settle_ns = connection.peer_to_iut.ending, connection.header.settle_ns
    for number, registration in enumerate(for_close(connection)):
        notices = told(connection, registration)
        if number:
            # What was raised before the registering call, or at its very instant, may be the earlier registration's.
            notices = [n for n in notices if n.since >= registration.entered < n.at] or notices[-1:]
        if not notices:
            continue
        first, *again = notices
        if again:
            second = again[0]
            if ending.is_graceful and another_cause(connection, second):
                yield accepted.undetermined(
                    f"{first.seen}; after a reset that followed the end, {second.seen}", first, ending, second
                )
            else:
                yield accepted.violated(f"one registration told twice: {first.seen}, {second.seen}", first, second)
            continue
        since = next((r for r in connection.iut.receives if r.asked >= first.at and r.is_final), None)
        if since is not None and (look := looked_for(connection, registration, since.at, settle_ns)) is not None:
            yield accepted.satisfied(
                f"{first.seen}; after it {since.seen}, and no second one came", first, since, look.by
            )


@judges("IND-FDC-04")
def fd_close_costs_no_data(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """What was unread when the end came, or when FD_CLOSE was told, can still be read. [WSAAsyncSelect]"""
    direction, header = connection.peer_to_iut, connection.header
    ending = direction.ending
    if not ending.is_graceful or ending.at is None:
        return
    for registration in for_close(connection):
        first = next(iter(told(connection, registration)), None)
        if first is None or registration.since > ending.at or before_any_end(connection, first):
            continue
        if not unread_at(connection, first.at) and not _held_back(connection, registration, first):
            continue
        if unexplained(direction):
            yield accepted.undetermined("the peer's calls do not tell all that it sent", ending)
            return
        reading = read(direction, connection.statement)
        bytes_, messages = (direction.offered_length, "bytes"), (len(direction.offered), "messages")
        wanted, unit = bytes_ if connection.statement.is_stream else messages
        so_far = f"{first.seen}; {reading.good} of {wanted} {unit} were read"
        if reading.fault is not None:
            yield accepted.violated(f"{so_far}, and then something else", first, reading.fault)
        elif reading.final is not None:
            whole = reading.good == wanted and reading.final.told in GRACEFUL_WORDS
            if whole or not another_matter(connection, reading.final):
                yield accepted.decide(
                    whole,
                    f"{so_far}, and then the end",
                    f"{so_far}, and then {reading.final.seen}",
                    first,
                    reading.final,
                )
        else:
            vain = in_vain(connection.iut, ending, prompt_ns=header.prompt_ns, settle_ns=header.settle_ns)
            if vain is not None and reading.good < wanted:
                yield accepted.violated(f"{so_far}, and then {vain.seen}", first, vain)


def _held_back(connection: Connection, registration: Registration, first: Notification) -> bool:
    """Data lay unread for the settle time after the end was certain, and FD_CLOSE was told only once it was read."""
    ending = connection.peer_to_iut.ending
    if ending.certain_at is None:
        return False
    since = max(ending.certain_at, registration.since)
    read_at = all_read_at(connection, since)
    reads = [r for r in connection.iut.receives if r.at > since and r.what in (What.DATA, What.ZERO_BYTES)]
    last = next((r for r in reads if r.at == read_at), None)
    if last is None or last.asked > first.at:
        return False
    reading_began = min(r.asked for r in reads)
    look = looked_for(connection, registration, since, connection.header.settle_ns, first.at)
    return look is not None and look.at <= reading_began


@judges("IND-FDC-05")
def fd_close_comes_last_or_first(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Whether FD_CLOSE for a graceful end waits until all data was read is told; sources have both. [WSAAsyncSelect]"""
    ending = connection.peer_to_iut.ending
    if not ending.is_graceful or ending.at is None or unexplained(connection.peer_to_iut):
        return
    for registration in for_close(connection):
        first = next(iter(told(connection, registration)), None)
        if first is None or registration.since > ending.at or another_cause(connection, first):
            continue
        if before_any_end(connection, first):
            continue
        if unread_at(connection, first.at):
            order = Observed("FD_CLOSE_BEFORE_READS", f"{first.seen} while data was unread", first.events)
        elif _held_back(connection, registration, first):
            order = Observed("FD_CLOSE_AFTER_READS", f"{first.seen} once all data was read", first.events)
        else:
            continue
        yield accepted.weigh(order, ending, after="after data and a graceful end")


@judges("IND-FDC-06")
def an_end_without_data_raises_no_fd_read(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A peer that sends nothing and ends raises FD_CLOSE, and no FD_READ. [WSAEventSelect, WSAAsyncSelect]"""
    ending = connection.peer_to_iut.ending
    if not ending.is_graceful or ending.at is None or connection.peer.sends:
        return
    for registration in for_close(connection):
        if READ not in registration.names:
            continue
        if invented := next(iter(told(connection, registration, READ)), None):
            yield accepted.violated(f"{invented.seen}, and the peer had sent nothing", invented, ending)
            continue
        first = next(iter(told(connection, registration)), None)
        if first is None or before_any_end(connection, first):
            continue
        look = looked_for(connection, registration, first.at, connection.header.settle_ns)
        if look is not None:
            yield accepted.satisfied(f"{first.seen}, and no FD_READ came", first, ending, look.by)


@judges("IND-FDC-07")
def whoever_began_is_told_too(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """After its own end of sending, FD_CLOSE tells the IUT of the peer's. [Winsock SPI, scenario, step 6]"""
    own, ending = connection.iut.ending, connection.peer_to_iut.ending
    if own is None or own.returned is None or not (own.op == "send_disconnect" or own.how == "send"):
        return
    for registration in for_close(connection):
        if ending.is_graceful and ending.at is not None and max(own.returned, registration.since) <= ending.at:
            yield from tells_the_end(connection, accepted, registration)


@judges("IND-FDC-08")
def no_other_call_raises_fd_close(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Neither the IUT's own shutdown nor the peer's SD_RECEIVE raises FD_CLOSE. [observed: Windows; Winsock SPI]"""
    ending = connection.peer_to_iut.ending
    if ending.kind in (EndKind.NOT_KNOWN, EndKind.ABORTED_BY_RECEIVER):
        return
    peers_end = math.inf if ending.at is None else ending.at
    for registration in for_close(connection):
        for call in _calls_that_raise_nothing(connection):
            if call.entered < registration.since:
                continue
            wrong = next((n for n in told(connection, registration) if n.at >= call.entered), None)
            if wrong is not None and _came_first(wrong, call):
                continue
            if wrong is not None and before_any_end(connection, wrong):
                who = "its own" if call.end is End.IUT else "the peer's"
                yield accepted.violated(f"after {who} {call.name}, {wrong.seen}", call, wrong)
                break
            look = looked_for(connection, registration, call.last_at, connection.header.settle_ns, peers_end)
            if look is not None:
                who = "its own" if call.end is End.IUT else "the peer's"
                yield accepted.satisfied(f"after {who} {call.name} no FD_CLOSE came", call, look.by)


def _came_first(notification: Notification, call: Operation) -> bool:
    """A notice that was told after the call was made, and may have been raised before or at that instant."""
    posted = notification.mechanism == "message"
    return notification.at == call.entered or (posted and notification.since < call.entered)


def _calls_that_raise_nothing(connection: Connection) -> list[Operation]:
    """Shutdowns of the IUT's, whichever; of the peer's, those of receiving alone. In the order of entry."""
    own = [o for o in connection.iut.calls("shutdown", "send_disconnect", "recv_disconnect") if o.succeeded]
    peers = [o for o in connection.peer.calls("shutdown") if o.succeeded and o.how == "receive"]
    return sorted((*own, *peers), key=lambda call: call.entered)


@judges("IND-FDC-10")
def an_end_after_sd_both_is_told(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Once the IUT has shut down both directions, the peer's end still raises FD_CLOSE. [observed: Windows]"""
    ending = connection.peer_to_iut.ending
    if not ending.is_graceful or ending.at is None:
        return
    both = _shut_both(connection)
    for registration in for_close(connection):
        if both is not None and max(both, registration.since) <= ending.at:
            limit = math.inf if ending.reset_at is None else ending.reset_at
            yield from tells_the_end(connection, accepted, registration, limit=limit)


def _shut_both(connection: Connection) -> int | None:
    """When the IUT had shut down both directions, by one call or two."""
    shut: set[str] = set()
    for call in connection.iut.calls("shutdown"):
        if call.succeeded and call.returned is not None:
            shut |= {"send", "receive"} if call.how == "both" else {str(call.how)}
            if shut >= {"send", "receive"}:
                return call.returned
    return None
