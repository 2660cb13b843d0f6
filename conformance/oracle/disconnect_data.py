# SPDX-License-Identifier: MIT
"""Group C, sending: what one end gives to SendDisconnect is what the other end's RecvDisconnect returns.

Where the IUT is the sender and the link shows the unit that ended its direction, the link decides: other octets on the
link are the IUT's doing, and what a peer loses of the right ones is not. Fetching is judged in `fetching`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from conformance.catalogue.statement import Statement
from conformance.oracle.departing import (
    Observed,
    brought_about,
    delivery,
    failed,
    first_goodbye,
    intact,
    quiet,
    sign_of_an_end,
    until,
)
from conformance.oracle.findings import Expectation, Finding
from conformance.oracle.goodbyes import (
    RELEASES,
    Fetch,
    Goodbye,
    comes_too_late,
    compared,
    data_of,
    fetches,
    first_fetch,
    goodbye,
    says_nothing,
    undisturbed,
)
from conformance.oracle.judging import judges
from conformance.oracle.reading import doubt
from conformance.trace.conditions import Condition
from conformance.trace.events import Outcome, Pdu
from conformance.trace.history import Connection
from conformance.trace.operations import Operation

_TOO_MUCH = (Condition.EMSGSIZE, Condition.EINVAL, Condition.EFAULT)
_NO_ROOM = ("WSAENOBUFS", "ENOBUFS")


@judges("DD-SEND-01")
def what_is_given_is_fetched(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """What one end gives to SendDisconnect is what the other end's RecvDisconnect returns, byte for byte.

    [Winsock SPI, Connection Shutdown, Exchanging User Data at Shutdown Time]
    """
    yield from fetched_by_the_iut(connection, accepted)
    yield from _given_by_the_iut(connection, accepted)


def fetched_by_the_iut(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """The IUT as the receiver: its fetches return what the peer gave, and never anything else."""
    direction, statement = connection.peer_to_iut, connection.statement
    parting = goodbye(direction)
    if parting is None:
        yield from _out_of_nothing(connection, accepted)
        return
    fetch = first_fetch(parting, statement)
    if fetch is not None and within_limit(parting.wanted, statement):
        yield from _fetched(connection, accepted, parting, fetch)
    calls = connection.peer.calls("send_disconnect")  # without a link, nobody knows of which the data went out
    given = [data_of(call) for call in calls] if parting.carried is None else [parting.wanted]
    for other in fetches(direction, statement):
        too_small = other.room is not None and other.room < len(parting.wanted)  # a cut fetch is DD-RECV-04's
        if other != fetch and not too_small and other.data not in (b"", *given):
            seen = f"the peer gave {len(parting.wanted)} octets, and a fetch returned"
            yield accepted.violated(f"{seen} {compared(other.data, parting.wanted)}", parting.call, other)


def _fetched(connection: Connection, accepted: Expectation, parting: Goodbye, fetch: Fetch) -> Iterator[Finding]:
    evidence = (parting.call, parting.carried, connection.peer_to_iut.ending, fetch.told_before, fetch)
    if not parting.wanted:
        if fetch.data:
            yield accepted.violated(f"the peer gave no data, and {fetch.seen}", *evidence)
        return
    if fetch.succeeded:
        got = f"after {fetch.after}, the IUT fetched {compared(fetch.data, parting.wanted)}"
    else:
        got = f"after {fetch.after}, {fetch.seen}; the peer had given {len(parting.wanted)} octets"
    if fetch.data == parting.wanted:
        yield accepted.satisfied(got, *evidence)
    elif fetch.data or undisturbed(parting, fetch):
        yield accepted.violated(got, *evidence)
    else:
        yield accepted.undetermined(f"{got}; but a reset had come, which may have taken it", *evidence)


def _out_of_nothing(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Data that a fetch of the IUT returned, where the peer's end can have carried none."""
    peer, direction = connection.peer, connection.peer_to_iut
    tried = any(data_of(call) for call in peer.calls("send_disconnect"))
    if tried or any(_carries(unit) for unit in direction.units) or connection.unseen:
        return
    for fetch in fetches(direction, connection.statement):
        if fetch.data:
            yield accepted.violated(f"the peer gave no disconnect data, and {fetch.seen}", fetch)


def _carries(unit: Pdu) -> bool:
    return unit.name in (*RELEASES, "ABORT") and (unit.length > 0 or bool(unit.fields.get("reason")))


def within_limit(data: bytes, statement: Statement) -> bool:
    """It is no more than the statement says that can be sent. Beside the claim, 0 is no limit but none stated."""
    limit = statement.limits.disconnect_data_max
    return not limit or len(data) <= limit


def _given_by_the_iut(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    statement = connection.statement
    parting = goodbye(connection.iut_to_peer)
    if parting is None:
        yield from _refused(connection, accepted)
        return
    given = parting.given
    if not given or not within_limit(given, statement):
        return
    if parting.call is not None and comes_too_late(connection, parting.call):
        return
    if parting.sent_as_given is False and parting.carried is not None:
        sent = f"SendDisconnect accepted {len(given)} octets, and the link shows"
        yield accepted.violated(f"{sent} {_put(parting.carried.data, given)}", parting.call, parting.carried)
        return
    if _left_out_of_tcp(connection):
        sent = f"SendDisconnect accepted {len(given)} octets, and the link shows an end behind what was sent before"
        yield accepted.violated(f"{sent}, and nothing else: it dropped them", parting.call, parting.direction.ending)
        return
    fetch = first_fetch(parting, statement)
    if fetch is None:
        return
    evidence = (parting.call, parting.carried, parting.direction.ending, fetch)
    if fetch.data == given:
        yield accepted.satisfied(f"the peer fetched {compared(fetch.data, given)}", *evidence)
        return
    lost = f"SendDisconnect accepted {len(given)} octets"
    if not fetch.succeeded:
        lost += f", and at the peer {fetch.seen}"
    elif not fetch.data:
        lost += f" and dropped them: at the peer {fetch.seen}"
    else:
        lost += f", and the peer fetched {compared(fetch.data, given)}"
    if parting.sent_as_given:
        yield accepted.undetermined(f"the link shows what was given, and yet: {lost}", *evidence)
    elif not undisturbed(parting, fetch) or connection.unseen:
        yield accepted.undetermined(f"{lost}; what became of it on the way is not shown", *evidence)
    else:
        yield accepted.violated(lost, *evidence)


def _left_out_of_tcp(connection: Connection) -> bool:
    """Of a plain TCP, every octet is seen: what the IUT sent up to its FIN is no more than what was given to send."""
    direction = connection.iut_to_peer
    if connection.statement.transport != "tcp" or not direction.fins:
        return False
    return direction.total is not None and direction.total <= direction.offered_length


def _put(data: bytes, given: bytes) -> str:
    return "an end without any data: it dropped them" if not data else compared(data, given)


def _refused(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Data within the limit was refused on a connection that nothing had touched; a call that waits refuses nothing."""
    statement, call = connection.statement, first_goodbye(connection, "send_disconnect")
    if call is None or not failed(call) or not (data := data_of(call)) or not within_limit(data, statement):
        return
    if call.outcome is Outcome.TIMEOUT:
        return
    if not intact(connection, call.last_at):
        return
    refused = f"disconnect data is claimed, and for {len(data)} octets {call.seen}"
    if not statement.limits.disconnect_data_max and call.condition in _TOO_MUCH:
        yield accepted.undetermined(f"{refused}; no limit is stated, so that it may be too much", call)
    else:
        yield accepted.violated(refused, call)


@judges("DD-SEND-02")
def without_disconnect_data_it_is_refused(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """SendDisconnect with data fails with no-such-option where there is no such thing. [Winsock SPI]"""
    call = first_goodbye(connection, "send_disconnect")
    if call is None or not data_of(call) or call.returned is None or not (call.succeeded or failed(call)):
        return
    if not call.succeeded and not intact(connection, call.returned):
        return
    sign = sign_of_an_end(connection, call.entered, until(connection, call))
    effect = f"{call.seen}, and {sign.seen}" if sign else call.seen
    events = (*call.events, *(sign.events if sign else ()))
    yield accepted.weigh(Observed(call.told, effect, events), after="without disconnect data")


@judges("DD-SEND-03")
def a_null_pointer_asks_only_for_the_end(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """SendDisconnect without data succeeds, and the peer is told of a graceful end. [Winsock SPI, WSPSendDisconnect]"""
    call = first_goodbye(connection, "send_disconnect")
    if call is None or not call.has_no_data or comes_too_late(connection, call):
        return
    if call.succeeded:
        parting = goodbye(connection.iut_to_peer)
        fetch = first_fetch(parting, connection.statement) if parting is not None else None
        statement = connection.statement
        if parting is not None and parting.carried and not says_nothing(parting.carried.data, statement):
            much = len(parting.carried.data)
            yield accepted.violated(f"no data was given, and the link shows {much} octets", call, parting.carried)
        elif fetch and not says_nothing(fetch.data, statement) and parting and parting.carried is None:
            yield accepted.violated(f"no data was given, and the peer fetched {len(fetch.data)} octets", call, fetch)
        elif (observed := brought_about(connection, call)) is not None:
            yield accepted.weigh(observed, after="without data")
        else:
            yield from doubt(connection.iut_to_peer, accepted)
    elif failed(call) and intact(connection, call.last_at):
        yield accepted.violated(f"without data, {call.seen}", call)


@judges("DD-SEND-05")
def too_much_is_refused_or_delivered_whole(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Data above the limit is refused without effect, or delivered whole. [no source states it]"""
    call = first_goodbye(connection, "send_disconnect")
    data = data_of(call) if call is not None else None
    if call is None or not data or within_limit(data, connection.statement):
        return
    limit = connection.statement.limits.disconnect_data_max
    given = f"{len(data)} octets, where {limit} are the limit"
    if call.succeeded:
        yield from _all_or_nothing(connection, accepted, data, given)
        return
    if not failed(call) or call.returned is None or not intact(connection, call.returned):
        return
    if call.condition not in _TOO_MUCH and (call.error is None or call.error.name not in _NO_ROOM):
        yield accepted.weigh(Observed(call.told, call.seen, call.events), after=f"given {given}")
        return
    yield from _refused_without_effect(connection, accepted, call, "REFUSED", given)


def _refused_without_effect(
    connection: Connection, accepted: Expectation, call: Operation, outcome: str, given: str
) -> Iterator[Finding]:
    """That call failed, as `outcome` says; and it began no end."""
    limit_at = until(connection, call)
    if (sign := sign_of_an_end(connection, call.entered, limit_at)) is not None:
        yield accepted.violated(f"given {given}, {call.seen}, and yet {sign.seen}", call, sign)
    elif look := quiet(connection.peer, call.last_at, connection.header.settle_ns, limit_at):
        seen = f"{call.seen}, and at the peer {look.seen}"
        yield accepted.weigh(Observed(outcome, seen, (*call.events, *look.events)), after=f"given {given}")
    elif math.isfinite(limit_at) and (went_on := _graceful_later(connection, call)) is not None:
        seen = f"{call.seen}, and nothing was told of an end before {went_on.name}"
        yield accepted.weigh(Observed(outcome, seen, (*call.events, *went_on.events)), after=f"given {given}")


@judges("DD-SEND-06")
def an_unreadable_buffer_is_a_fault(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A buffer that cannot be read fails with fault, and begins no end. [Winsock SPI, WSPSendDisconnect, WSAEFAULT]"""
    call = first_goodbye(connection, "send_disconnect")
    if call is None or not call.arguments.get("unreadable") or not (call.succeeded or failed(call)):
        return
    given = "a buffer that cannot be read"
    if call.condition is Condition.EFAULT:
        yield from _refused_without_effect(connection, accepted, call, "EFAULT", given)
    elif call.succeeded or intact(connection, call.last_at):
        yield accepted.weigh(call, after=f"given {given}")


def _graceful_later(connection: Connection, call: Operation) -> Operation | None:
    """A goodbye after the refused one, which the link shows to have begun the end."""
    ending, direction = connection.iut.ending, connection.iut_to_peer
    first = next((unit.at for unit in direction.units if unit.name in RELEASES), None)
    if ending is None or first is None or ending.entered <= call.entered or first < ending.entered:
        return None
    return ending


def _all_or_nothing(connection: Connection, accepted: Expectation, data: bytes, given: str) -> Iterator[Finding]:
    parting = goodbye(connection.iut_to_peer)
    if parting is None:
        return
    if parting.carried is not None and parting.sent_as_given is False:
        put = _put(parting.carried.data, data)
        yield accepted.violated(f"{given}, were accepted, and the link shows {put}", parting.call, parting.carried)
        return
    fetch = first_fetch(parting, connection.statement)
    if fetch is None or not undisturbed(parting, fetch):
        return
    seen = f"the peer fetched {compared(fetch.data, data)}" if fetch.succeeded else f"at the peer {fetch.seen}"
    if fetch.data == data or parting.sent_as_given is None:
        told = "SAME_DATA" if fetch.data == data else "OTHER_DATA"
        yield accepted.weigh(Observed(told, seen, fetch.events), parting.call, after=f"{given}, were accepted")
    else:
        yield accepted.undetermined(f"the link shows all {given}, and {seen}", parting.call, parting.carried, fetch)


@judges("DD-SEND-07")
def only_the_first_data_is_sent(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """What a second SendDisconnect brings never reaches the peer. [by analogy with INIT-SHUT-11]"""
    parting = goodbye(connection.iut_to_peer)
    if parting is None or not parting.given or parting.call is None:
        return
    gone = connection.iut.gone_at
    second = next((c for c in _again(connection, parting.call) if gone is None or c.entered < gone), None)
    if second is None or second.returned is None:
        return
    other = data_of(second) or b""
    seen = f"SendDisconnect was called again, and {second.seen}"
    units = [unit for unit in parting.direction.units if unit.name in RELEASES]
    if len(units) > 1:
        yield accepted.violated(f"{seen}; the link shows {len(units)} ends", parting.call, second)
        return
    came = [f for f in fetches(parting.direction, connection.statement) if f.data]
    strange = next((f for f in came if other in f.data and f.data != parting.given), None)
    if strange is not None:
        yield accepted.violated(f"{seen}; the peer fetched the second data", parting.call, second, strange)
        return
    if parting.carried is not None and parting.carried.data == other:
        yield accepted.violated(f"{seen}; the link shows the second data", parting.call, second, parting.carried)
        return
    first = next((f for f in came if f.data == parting.given and _shows(connection, second, f)), None)
    if first is not None:
        yield accepted.satisfied(f"{seen}; the peer fetched the first data alone", parting.call, second, first)
    elif came == [] and first_fetch(parting, connection.statement) is not None:
        yield accepted.undetermined(f"{seen}; the peer fetched neither", parting.call, second)


def _again(connection: Connection, first: Operation) -> Iterator[Operation]:
    """The later calls with other data."""
    later = (call for call in connection.iut.calls("send_disconnect") if call.entered >= first.over)
    return (call for call in later if data_of(call) not in (None, b"", data_of(first)))


def _shows(connection: Connection, second: Operation, fetch: Fetch) -> bool:
    """The second data could have come with that fetch, or the link shows that it never set out."""
    return fetch.call.entered >= second.over or connection.iut_to_peer.framed


@judges("DD-SEND-08")
def what_was_sent_comes_before_the_goodbye(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """What was accepted before SendDisconnect is read by the peer before the end is told. [Winsock SPI]"""
    call = first_goodbye(connection, "send_disconnect")
    if call is None or not call.succeeded or not any(connection.iut_to_peer.offered):
        return
    yield from doubt(connection.iut_to_peer, accepted)
    if (rest := delivery(connection, call)) is not None:
        yield accepted.decide(rest.complete, rest.because, rest.because, *rest.evidence)
