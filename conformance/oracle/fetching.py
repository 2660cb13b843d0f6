# SPDX-License-Identifier: MIT
"""Group C, fetching: what RecvDisconnect returns, after which notice, into what buffer, and what it ends."""

from __future__ import annotations

import math
from collections.abc import Iterator

from conformance.oracle.departing import Observed, failed, goodbyes
from conformance.oracle.disconnect_data import fetched_by_the_iut, within_limit
from conformance.oracle.findings import Expectation, Finding
from conformance.oracle.goodbyes import (
    Fetch,
    Goodbye,
    compared,
    data_of,
    fetches,
    first_fetch,
    goodbye,
    stopped_before,
    undisturbed,
)
from conformance.oracle.judging import judges
from conformance.oracle.reading import NS_PER_S
from conformance.trace.conditions import Condition
from conformance.trace.direction import EndKind
from conformance.trace.events import Outcome
from conformance.trace.history import Connection
from conformance.trace.operations import Operation, Report

_VALID_AFTER = ("get_linger", "names", "get_error", "set_linger", "send_disconnect", "shutdown", "send", "close")
"""Calls that show by whatever they answer, but for "no socket", that the socket is still one."""


@judges("DD-RECV-01")
def after_any_notice_the_data_is_returned(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """After any one notice of the end, RecvDisconnect returns the data. [Winsock SPI, WSPRecvDisconnect]"""
    yield from fetched_by_the_iut(connection, accepted)


@judges("DD-RECV-02")
def data_of_an_abort_may_be_fetched(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """After a notice of a reset RecvDisconnect returns the abort's data, or fails. [Winsock API, WSARecvDisconnect]"""
    direction = connection.peer_to_iut
    if not direction.ending.is_abort:
        return
    unit = next((u for u in direction.units if u.name == "ABORT" and u.length), None)
    if unit is None or unit.length != len(unit.data):
        return
    for fetch in fetches(direction, connection.statement):
        if fetch.room is None or fetch.room < unit.length or not any(n.told == "ECONNRESET" for n in fetch.notices):
            continue
        told = "SAME_DATA" if fetch.data == unit.data else "OTHER_DATA"
        seen = f"the IUT fetched {compared(fetch.data, unit.data)}" if fetch.succeeded else fetch.seen
        observed = Observed(told if fetch.succeeded else "CLEAN_ERROR", seen, (unit.n, *fetch.events))
        yield accepted.weigh(observed, direction.ending, after=f"after {fetch.after}")
        return


@judges("DD-RECV-03")
def too_early_nothing_blocks_or_is_invented(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Before any notice of the end, RecvDisconnect returns at once, with no data. [Winsock SPI, WSPRecvDisconnect]"""
    direction = connection.peer_to_iut
    fetch = next(iter(fetches(direction, connection.statement)), None)
    if fetch is None or fetch.notices or fetch.call.returned is None or stopped_before(connection.iut, fetch.call):
        return
    came = direction.ending.at
    if direction.ending.kind is EndKind.NOT_KNOWN or (came is not None and came <= fetch.call.returned):
        return
    seen, prompt_ns = f"before any notice of an end, {fetch.seen}", connection.header.prompt_ns
    if fetch.data:
        yield accepted.violated(f"{seen}, and the peer had given none", fetch)
    elif fetch.call.outcome is Outcome.TIMEOUT or fetch.call.took > prompt_ns:
        yield accepted.violated(f"{seen} after {fetch.call.took / NS_PER_S:.3f} s: it blocked", fetch)
    else:
        yield accepted.satisfied(f"{seen}{_later(connection, fetch)}", fetch)


def _later(connection: Connection, early: Fetch) -> str:
    """Whether data that came after that fetch could still be fetched, in words."""
    parting = goodbye(connection.peer_to_iut)
    again = [f for f in fetches(connection.peer_to_iut, connection.statement) if f.call.entered > early.call.entered]
    if parting is None or not parting.wanted or not again:
        return ""
    if again[-1].succeeded:
        return f"; once the end had come, the IUT fetched {compared(again[-1].data, parting.wanted)}"
    return f"; once the end had come, {again[-1].seen}"


@judges("DD-RECV-04")
def a_small_buffer_gives_fault(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """RecvDisconnect into a buffer that is too small fails with fault. [Winsock SPI, WSPRecvDisconnect, WSAEFAULT]"""
    direction, statement = connection.peer_to_iut, connection.statement
    parting = goodbye(direction)
    if parting is None or not within_limit(parting.wanted, statement):
        return
    known = fetches(direction, statement)
    for number, fetch in enumerate(known):
        if any(earlier.succeeded for earlier in known[:number]) or stopped_before(connection.iut, fetch.call):
            return
        if fetch.room is None or fetch.room >= len(parting.wanted) or not _after_the_end(connection, parting, fetch):
            continue
        much = f"of {len(parting.wanted)} octets, into a buffer of {fetch.room}"
        if fetch.succeeded:
            words = f"RecvDisconnect returned {compared(fetch.data, parting.wanted)}, and success"
        else:
            words = f"{fetch.call.seen}{_stays(parting, known[number + 1 :])}"
        yield accepted.weigh(Observed(fetch.call.told, words, fetch.events), parting.call, after=much)
        return


def _after_the_end(connection: Connection, parting: Goodbye, fetch: Fetch) -> bool:
    ending = connection.peer_to_iut.ending
    come = ending.is_graceful and ending.at is not None and ending.at <= fetch.call.entered
    return come and fetch.told_before is not None and undisturbed(parting, fetch)


def _stays(parting: Goodbye, later: tuple[Fetch, ...]) -> str:
    again = next((f for f in later if f.room is not None and f.room >= len(parting.wanted)), None)
    if again is None:
        return ""
    if again.succeeded:
        return f"; with room enough, the next returned {compared(again.data, parting.wanted)}"
    return f"; then {again.seen}"


@judges("DD-RECV-05")
def without_disconnect_data_there_is_nothing(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Where there is no disconnect data, RecvDisconnect fails with no-such-option or yields nothing. [Winsock SPI]"""
    direction = connection.peer_to_iut
    for fetch in fetches(direction, connection.statement):
        ended = direction.ending.is_graceful and (direction.ending.at or math.inf) <= fetch.call.entered
        if not ended or fetch.told_before is None or any(not n.is_graceful for n in fetch.notices):
            continue
        told = fetch.call.told if not fetch.succeeded else "OTHER_DATA" if fetch.data else "NO_DATA"
        yield accepted.weigh(Observed(told, fetch.seen, fetch.events), direction.ending, after=f"after {fetch.after}")


@judges("DD-RECV-06")
def it_ends_receiving_and_not_sending(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """After RecvDisconnect receives fail as shut down, and the sending calls succeed. [Winsock SPI]"""
    fetch = next((f for f in fetches(connection.peer_to_iut, connection.statement) if f.succeeded), None)
    if fetch is None or fetch.call.returned is None or stopped_before(connection.iut, fetch.call):
        return
    receive = _next_receive(connection, fetch.call.returned)
    if receive is not None and receive.told != "ESHUTDOWN":
        yield accepted.weigh(receive, fetch, after="after RecvDisconnect")
        return
    sent = _sending_after(connection, fetch.call.returned)
    refused = next((call for call in sent if not call.succeeded), None)
    if refused is not None:
        yield accepted.violated(f"after RecvDisconnect, {refused.seen}", fetch, refused)
    elif receive is not None and sent:
        words = f"{receive.seen}; {', '.join(dict.fromkeys(call.seen for call in sent))}"
        yield accepted.weigh(
            Observed(receive.told, words, (*receive.events, *(n for call in sent for n in call.events))),
            fetch,
            after="after RecvDisconnect",
        )


def _next_receive(connection: Connection, since: int) -> Report | None:
    """The first receive that was made after that time, while nothing but the call can have decided its answer."""
    gone = math.inf if connection.iut.gone_at is None else connection.iut.gone_at
    later = (r for r in connection.iut.receives if r.asked >= since and r.at < gone)
    report = next((r for r in later if not (r.posted and r.condition is Condition.ECANCELED)), None)
    return report if report is not None and _unspoilt(connection, report.at) else None


def _sending_after(connection: Connection, since: int) -> list[Operation]:
    """The sends, and the first goodbye by SendDisconnect or shutdown, that were answered on a whole connection.

    A send that would have had to wait is no refusal; what follows the goodbye is refused for other reasons.
    """
    if connection.iut.ending is not None and connection.iut.ending.entered < since:
        return []
    first = next((o for o in goodbyes(connection) if o.entered >= since), None)
    limit: float = math.inf if first is None else first.entered
    stopped = connection.peer.stopped_receiving_at
    calls = [s for s in connection.iut.sends if since <= s.entered < limit]
    if first is not None and first.op != "close":
        calls.append(first)
    there = [o for o in calls if stopped is None or o.last_at < stopped]
    plain = [o for o in there if o.condition is not Condition.EWOULDBLOCK and o.outcome is not Outcome.TIMEOUT]
    return [o for o in plain if o.succeeded or (failed(o) and _to_blame(connection, o))]


def _to_blame(connection: Connection, call: Operation) -> bool:
    """Nothing but RecvDisconnect can have made that call fail: no reset, and not its own data."""
    return _unspoilt(connection, call.last_at) and not _too_much(connection, call)


def _unspoilt(connection: Connection, by: int) -> bool:
    """No reset had come or gone by then."""
    directions = (connection.iut_to_peer, connection.peer_to_iut)
    endings = [d.ending for d in directions if d.ending.kind is not EndKind.NOT_KNOWN]
    broken = [e.at for e in endings if not e.is_graceful]
    resets = [r.at for d in directions for r in d.resets]
    resets += [f.at for d in directions for f in d.farewells if not f.graceful]
    resets += [at for at in (*broken, *(e.reset_at for e in endings)) if at is not None]
    return len(endings) == len(directions) and all(at > by for at in resets)


def _too_much(connection: Connection, call: Operation) -> bool:
    """It failed for the disconnect data that it brought, and that is another requirement's matter."""
    if call.op != "send_disconnect" or not (data := data_of(call)):
        return False
    claimed = "DISCONNECT_DATA" in connection.statement.service_flags
    return not claimed or not within_limit(data, connection.statement)


@judges("DD-RECV-07")
def it_does_not_linger_and_closes_nothing(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """RecvDisconnect returns at once under any linger setting, and the socket remains. [Winsock SPI, note]"""
    for call in connection.iut.calls("recv_disconnect"):
        on, seconds = connection.iut.linger_at(call.entered)
        if not on or call.returned is None or call.outcome in (Outcome.UNSUPPORTED, Outcome.FAILURE):
            continue
        took = f"with {seconds} s of linger, RecvDisconnect took {call.took / NS_PER_S:.3f} s"
        limit_ns = min(seconds * NS_PER_S // 2, connection.header.prompt_ns) if seconds else connection.header.prompt_ns
        after = next((o for o in connection.iut.operations if _tells_of_the_socket(o, call)), None)
        if call.took >= limit_ns:
            yield accepted.violated(f"{took}: it blocked", call)
        elif after is not None and after.condition is Condition.ENOTSOCK:
            yield accepted.violated(f"{took}, and then {after.seen}: it closed the socket", call, after)
        elif after is not None:
            yield accepted.satisfied(f"{took}, and then {after.seen}", call, after)


def _tells_of_the_socket(operation: Operation, call: Operation) -> bool:
    answered = operation.outcome in (Outcome.RESULT, Outcome.ERROR)
    later = operation.entered >= call.over and operation.socket == call.socket
    return later and answered and operation.op in _VALID_AFTER


@judges("DD-RECV-08")
def a_second_fetch_is_recorded(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """A second RecvDisconnect: the same data, none, or an error; never other data. [no source states it]"""
    parting = goodbye(connection.peer_to_iut)
    first = first_fetch(parting, connection.statement) if parting is not None else None
    if parting is None or first is None or not first.data or first.data != parting.wanted:
        return
    known = fetches(connection.peer_to_iut, connection.statement)
    second = next((f for f in known if f.call.entered > first.call.entered and f.room is not None), None)
    if second is None:
        return
    told = "CLEAN_ERROR"
    if second.succeeded:
        told = "NO_DATA" if not second.data else "SAME_DATA" if second.data == first.data else "OTHER_DATA"
    observed = Observed(told, f"the second {second.seen}", second.events)
    yield accepted.weigh(observed, first, after=f"after a first that returned {len(first.data)} octets")


@judges("DD-RECV-09")
def how_the_length_is_told_is_recorded(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """What the call told of the length, beside the octets, is written down. [no source states it]"""
    known = [f for f in fetches(connection.peer_to_iut, connection.statement) if f.data]
    fetch = next((f for f in known if f.room != len(f.data)), None)  # else nothing could be told apart
    if fetch is None or fetch.room is None:
        return
    more = {name: value for name, value in fetch.call.result.items() if name not in ("length", "data", "sha256")}
    told = f"of {len(fetch.data)} octets in a buffer of {fetch.room}"
    if "len" not in more:
        rest = ", ".join(f"{name} {value}" for name, value in sorted(more.items())) or "nothing else"
        yield accepted.satisfied(f"{told}, the call told {fetch.call.result.get('length')}, and {rest}", fetch)
        return
    outcome = {len(fetch.data): "LENGTH_IN_STRUCTURE", fetch.room: "LENGTH_NOT_TOLD"}.get(more["len"], "OTHER_LENGTH")
    words = f"the len member held {more['len']} after the call"
    yield accepted.weigh(Observed(outcome, words, fetch.events), after=told)
