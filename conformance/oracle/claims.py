# SPDX-License-Identifier: MIT
"""Claims against behaviour: what a trace shows of the service flags, whatever the statement says of them.

Each claim is shown to hold, shown not to, or left open by one case (`shown`). Over all the cases of a provider this
becomes contradictions (`contradicted`): a flag that is claimed and was shown not to hold anywhere, or one that is not
claimed, and was shown to hold and nowhere not to. No judge reads this, and no verdict follows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from conformance.catalogue.statement import Contradiction, Statement
from conformance.oracle.departing import brought_about, failed, first_goodbye, intact, is_abortive, unread
from conformance.oracle.goodbyes import comes_too_late, data_of, first_fetch, goodbye, says_nothing, undisturbed
from conformance.oracle.reading import heard
from conformance.trace.conditions import Condition
from conformance.trace.direction import Direction
from conformance.trace.history import Connection, History
from conformance.trace.operations import Operation, Report, What

NO_SUCH_THING = (Condition.ENOPROTOOPT, Condition.EOPNOTSUPP)


class Shown(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one case showed of one claim: whether it `holds`, and `found` in words, for the comparison with the claim.

    `because` tells what happened; `events` are numbers of the trace.
    """

    claim: str
    holds: bool
    found: str
    because: str
    events: tuple[int, ...] = ()


Probe = Callable[[Connection], Iterator[Shown]]


def shown(history: History) -> tuple[Shown, ...]:
    """What a case shows of the claims: each once, the first that shows it not to hold before the others.

    A case that broke shows nothing, nor does one whose peer speaks only the layer below.
    """
    header = history.header
    if header.problem or header.unavailable or header.doubtful or header.raw_peer:
        return ()
    try:
        connections = history.connections
    except Exception:  # a trace that tells of no connection that can be: its judges say so
        return ()
    return tuple(_first_of_each(each for connection in connections for each in _probed(connection)))


def _probed(connection: Connection) -> Iterator[Shown]:
    for probe in _PROBES:
        try:
            yield from probe(connection)
        except Exception:  # a probe that breaks has shown nothing: never the end of the run
            continue


def _first_of_each(found: Iterable[Shown]) -> Iterator[Shown]:
    first: dict[str, Shown] = {}
    for each in sorted(found, key=lambda each: each.holds):
        first.setdefault(each.claim, each)
    return iter(sorted(first.values(), key=lambda each: each.claim))


def contradicted(statement: Statement, cases: Mapping[str, Sequence[Shown]]) -> tuple[Contradiction, ...]:
    """Where the statement and what the cases showed disagree; `cases` are the ids of cases, with what each showed."""
    by_claim: dict[str, list[tuple[str, Shown]]] = {}
    for case in sorted(cases):
        for each in cases[case]:
            by_claim.setdefault(each.claim, []).append((case, each))
    found = (_contradiction(claim, statement, by_claim[claim]) for claim in sorted(by_claim))
    return tuple(each for each in found if each is not None)


def _contradiction(claim: str, statement: Statement, told: Sequence[tuple[str, Shown]]) -> Contradiction | None:
    claimed = claim in statement.service_flags
    against = [(case, each) for case, each in told if each.holds is not claimed]
    if not against or (not claimed and len(against) < len(told)):
        return None
    each = against[0][1]
    return Contradiction(
        item=claim,
        claimed="yes" if claimed else "no",
        found=f"{each.found}: {each.because}",
        cases=tuple(case for case, _ in against),
    )


# --- GRACEFUL_CLOSE ---------------------------------------------------------------------------------------------------


def graceful_close(connection: Connection) -> Iterator[Shown]:
    """The IUT ended its sending in a way that is to be graceful; the peer was told so, or of an abort."""
    call = next((o for op in ("shutdown", "send_disconnect", "close") if (o := first_goodbye(connection, op))), None)
    if call is None or not call.succeeded or is_abortive(connection, call) or _linger_ran_out(connection, call):
        return
    if unread(connection, call.entered) or (call.op == "send_disconnect" and data_of(call)):
        return
    observed = brought_about(connection, call)
    if observed is None:
        return
    match observed.told:
        case "GRACEFUL":
            yield Shown(
                claim="GRACEFUL_CLOSE",
                holds=True,
                found="graceful close",
                because=observed.seen,
                events=observed.events,
            )
        case "ABORT_REMOTE":
            yield Shown(
                claim="GRACEFUL_CLOSE", holds=False, found="none", because=observed.seen, events=observed.events
            )


def _linger_ran_out(connection: Connection, call: Operation) -> bool:
    """A close with linger on may abort what is unsent when its time is over."""
    return call.op == "close" and connection.iut.linger_at(call.entered)[0]


# --- DISCONNECT_DATA --------------------------------------------------------------------------------------------------


def disconnect_data(connection: Connection) -> Iterator[Shown]:
    """The IUT was given disconnect data to send: it was delivered, or accepted and dropped, or refused."""
    call = first_goodbye(connection, "send_disconnect")
    given = data_of(call) if call is not None else None
    limit = connection.statement.limits.disconnect_data_max
    if call is None or not given or (limit and len(given) > limit):
        return
    if failed(call):
        if call.condition in NO_SUCH_THING and intact(connection, call.last_at):
            yield _data(False, "none", call.seen, call.events)
        return
    parting = goodbye(connection.iut_to_peer)
    if not call.succeeded or parting is None or comes_too_late(connection, call):
        return
    fetch = first_fetch(parting, connection.statement)
    arrived = fetch is not None and fetch.data == given
    if parting.carried is not None:
        events = (*call.events, *parting.carried.events)
        if not parting.sent_as_given and says_nothing(parting.carried.data, connection.statement):
            words = f"SendDisconnect with {len(given)} octets succeeded, and the link shows an end without data"
            yield _data(False, "accepts disconnect data and drops it", words, events)
        elif parting.sent_as_given and arrived and fetch is not None:
            yield _data(True, "disconnect data", f"the peer fetched all {len(given)} octets", (*events, *fetch.events))
    elif fetch is not None and fetch.succeeded and not connection.unseen:
        events = (*call.events, *fetch.events)
        if arrived:
            yield _data(True, "disconnect data", f"the peer fetched all {len(given)} octets", events)
        elif not fetch.data and undisturbed(parting, fetch):
            words = f"SendDisconnect with {len(given)} octets succeeded, and at the peer {fetch.seen}"
            yield _data(False, "accepts disconnect data and drops it", words, events)


def disconnect_data_received(connection: Connection) -> Iterator[Shown]:
    """The peer's disconnect data came, and the IUT's fetch dropped it, or it has no such option.

    That the IUT can hand over what the peer gave is no proof that it can send such data itself, and shows nothing.
    """
    parting = goodbye(connection.peer_to_iut)
    if parting is None or not parting.wanted or parting.sent_as_given is False:
        return
    fetch = first_fetch(parting, connection.statement)
    if fetch is None or not undisturbed(parting, fetch):
        return
    because = f"the peer gave {len(parting.wanted)} octets, and {fetch.seen}"
    if fetch.succeeded and not fetch.data and parting.carried is not None:
        yield _data(False, "accepts disconnect data and drops it", because, fetch.events)
    elif fetch.call.condition in NO_SUCH_THING:
        yield _data(False, "none", because, fetch.events)


def _data(holds: bool, found: str, because: str, events: tuple[int, ...]) -> Shown:
    return Shown(claim="DISCONNECT_DATA", holds=holds, found=found, because=because, events=tuple(sorted({*events})))


# --- MESSAGE_ORIENTED, PSEUDO_STREAM ----------------------------------------------------------------------------------

_JOINED = "a byte stream: receives know no message boundaries"
_KEPT = "message boundaries are kept"


def message_boundaries(connection: Connection) -> Iterator[Shown]:
    """Whether receives keep the peer's sends apart.

    One receive that returned octets of two sends does not. A part that was marked as one, or whose rest never came,
    and a receive that had no room and said so, do. A receive that had room for two sends, which were both there, and
    returned just the first, shows it only of what claims messages: a byte stream may return less than there is.
    """
    direction, offset = connection.peer_to_iut, 0
    bounds = _bounds(direction)
    for report in sorted(heard(connection.iut), key=lambda r: r.asked):
        if report.condition is Condition.EMSGSIZE:
            yield from _of_boundaries(
                connection, True, f"{report.seen}: a message had to fit as a whole", report.events
            )
            return
        if report.what is not What.DATA or report.posted:
            if report.what is What.ZERO_BYTES or report.posted:
                return
            continue
        if not _carries(report, direction, offset):
            if offset and _carries(report, direction, next(bound for bound in bounds if bound >= offset)):
                words = f"the rest of a message that had not found room was dropped, and then {report.seen} of the next"
                yield from _of_boundaries(connection, True, words, report.events)
            return
        end = offset + report.length
        inside = [bound for bound in bounds if offset < bound < end]
        if inside:
            words = f"one receive returned {report.length} octets, of {len(inside) + 1} sends of the peer's"
            yield from _of_boundaries(connection, False, words, report.events)
            return
        if report.partial:
            words = f"a receive of {report.length} octets was marked as a part of a message"
            yield from _of_boundaries(connection, True, words, report.events)
            return
        if not connection.statement.is_stream and _first_of_two(connection, report, end, bounds):
            words = f"two sends of the peer's were there, and {report.seen}, which are the first"
            yield from _of_boundaries(connection, True, words, report.events)
            return
        offset = end


def _bounds(direction: Direction) -> list[int]:
    """The offsets at which the peer's sends ended; an empty one ends where the one before it did."""
    bounds, offset = list[int](), 0
    for message in direction.offered:
        offset += len(message)
        bounds.append(offset)
    return bounds


def _carries(report: Report, direction: Direction, offset: int) -> bool:
    return report.carries(direction.stream[offset : offset + report.length])


def _room(connection: Connection, report: Report) -> int:
    return next(int(o.arguments["length"]) for o in connection.iut.calls("recv") if o.events == report.events)


def _first_of_two(connection: Connection, report: Report, end: int, bounds: Sequence[int]) -> bool:
    """The send after that offset had come before the receive was made, and the receive had room for both."""
    following = next((bound for bound in bounds if bound > end), None)
    if end not in bounds or following is None or _room(connection, report) < report.length + following - end:
        return False
    direction = connection.peer_to_iut
    sends = [send for send in direction.sender.sends if send.succeeded]
    send = sends[bounds.index(following)]
    settled = any(send.over <= at <= report.asked for at in connection.waits)
    seen = direction.witnessed and not connection.uncertain
    return settled or (seen and direction.carried_by(report.asked) >= following)


def _of_boundaries(connection: Connection, kept: bool, because: str, events: tuple[int, ...]) -> Iterator[Shown]:
    """A pseudo stream is message-oriented, and its receives are not: there joined octets say nothing of the sends."""
    pseudo = "PSEUDO_STREAM" in connection.statement.service_flags
    claim = "PSEUDO_STREAM" if pseudo else "MESSAGE_ORIENTED"
    yield Shown(
        claim=claim,
        holds=kept is not pseudo,
        found=_KEPT if kept else _JOINED,
        because=because,
        events=tuple(sorted(events)),
    )


_PROBES: tuple[Probe, ...] = (graceful_close, disconnect_data, disconnect_data_received, message_boundaries)
