# SPDX-License-Identifier: MIT
"""WebSocket's own rows (group F): the Close as disconnect data, the closing handshake, and TCP's end without one.

All of them read the units of a captured link; without one they find nothing but what the calls themselves show.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import dropwhile

from conformance.oracle.findings import Expectation, Finding, Shown
from conformance.oracle.goodbyes import data_of
from conformance.oracle.judging import judges, judges_case
from conformance.oracle.link import overdue
from conformance.oracle.reading import GRACEFUL_WORDS, NS_PER_MS, first_word, never_told, told_at
from conformance.trace.direction import Direction
from conformance.trace.events import End, ErrorValue, Outcome, Pdu, Segment
from conformance.trace.framing import DATA_UNITS
from conformance.trace.history import Connection, History
from conformance.trace.operations import Operation, Report

NO_CODE, ABNORMAL = 1005, 1006
"""What a Close without a code, and an end without a Close, are told as; no Close carries them (RFC 6455, 7.1.5)."""
REASON_MAX = 123
"""Octets of a Close's reason (RFC 6455, 5.5 and 5.5.1)."""


@dataclass(frozen=True)
class Sight:
    """A unit of the link, or a segment, as evidence."""

    at: int
    events: tuple[int, ...]


def close_of(direction: Direction) -> Pdu | None:
    """The sender's Close, if it is the first thing that ends the direction."""
    first = next((unit for unit in direction.units if unit.name == "CLOSE" or unit.problem), None)
    return None if first is None or first.problem else first


def code_of(close: Pdu) -> int:
    """Its code as the other end is told it."""
    code = close.fields.get("code")
    return NO_CODE if code is None else int(code)


def allowed(payload: bytes) -> bool:
    """Whether a Close may carry that payload (RFC 6455, 5.5.1, 7.4.1 and 7.4.2)."""
    if not payload:
        return True
    code = int.from_bytes(payload[:2], "big")
    known = (code in range(1000, 1015) and code not in (1004, NO_CODE, ABNORMAL)) or code in range(3000, 5000)
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        return False
    return len(payload) - 2 <= REASON_MAX and known


def described(payload: bytes) -> str:
    """A Close's payload in words."""
    if len(payload) < 2:
        return "a Close without a code"
    return f"a Close with code {int.from_bytes(payload[:2], 'big')} and {len(payload) - 2} octets of reason"


# --- WS-01: the Close is the disconnect data --------------------------------------------------------------------------


@judges("WS-01")
def a_close_carries_code_and_reason(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Code and reason go as they were given, and come as they were sent; what no Close may carry is refused.

    [RFC 6455, 5.5, 5.5.1 and 7.4]
    """
    yield from _as_given(connection, accepted)
    yield from _as_received(connection, accepted)


def _as_given(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    direction = connection.iut_to_peer
    for unit in direction.units:
        if unit.problem and unit.fields.get("frame") == "CLOSE":
            yield accepted.violated(f"the IUT sent {unit.problem}", Sight(unit.at, (unit.n,)))
    calls = [(call, data_of(call)) for call in connection.iut.calls("send_disconnect")]
    for call, given in calls:
        if given is None or call.outcome not in (Outcome.RESULT, Outcome.ERROR):
            continue
        if not direction.framed:
            yield accepted.undetermined("no link shows what the Close had", call)
        elif not allowed(given):
            yield _not_allowed(connection, accepted, call, given)
        elif call is _first_goodbye(connection):
            yield from _sent_as_given(connection, accepted, call, given)


def _first_goodbye(connection: Connection) -> Operation | None:
    """The first call that can have made the Close: nothing asked for one before."""
    calls = (o for o in connection.iut.operations if o.ends_sending and o.outcome is not Outcome.ERROR)
    return next(calls, None)


def _not_allowed(connection: Connection, accepted: Expectation, call: Operation, given: bytes) -> Finding:
    """A call was given what no Close may carry: it is to fail, and to send none."""
    asked = f"asked for {described(given)}"
    # From then on one may be another call's, or the answer to the peer's.
    others = [o.entered for o in connection.iut.operations if o.ends_sending and o.entered > call.entered]
    others += [unit.at for unit in connection.peer_to_iut.units if _is_close(unit)]
    until = min(others, default=math.inf)
    close = next((u for u in connection.iut_to_peer.units if _is_close(u) and call.entered <= u.at < until), None)
    if close is not None:
        seen = f"{asked}, {call.seen}, and the IUT sent {close.problem or f'a Close of {close.length} octets'}"
        return accepted.violated(seen, call, Sight(close.at, (close.n,)))
    return accepted.decide(
        call.outcome is Outcome.ERROR, f"{asked}, {call.seen}, and no Close was sent", f"{asked}, {call.seen}", call
    )


def _is_close(unit: Pdu) -> bool:
    return unit.name == "CLOSE" or unit.fields.get("frame") == "CLOSE"


def _sent_as_given(connection: Connection, accepted: Expectation, call: Operation, given: bytes) -> Iterator[Finding]:
    close, theirs = close_of(connection.iut_to_peer), close_of(connection.peer_to_iut)
    if close is None or close.at < call.entered or (theirs is not None and theirs.at < close.at):
        return  # it may be the answer to the peer's, which repeats what that had
    asked, seen = described(given), described(close.data)
    same = close.data == given
    unlike = f"asked for {asked}, the IUT sent {seen}{'' if asked != seen else ', and other text'}"
    yield accepted.decide(same, f"the IUT sent {seen}, as it was asked to", unlike, call, Sight(close.at, (close.n,)))


def _as_received(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """What the IUT says of the peer's Close: its error's number, if it tells one, and what RecvDisconnect fetches."""
    close = close_of(connection.peer_to_iut)
    if close is None:
        return
    shown, sent = Sight(close.at, (close.n,)), described(close.data)
    word = first_word(connection)
    error = _error_of(word)
    if word is not None and error is not None and error.code is not None and told_at(word) >= close.at:
        same = error.code == code_of(close)
        yield accepted.decide(
            same, f"of {sent}, {word.seen} with {error.code}", f"of {sent}, {word.seen} with {error.code}", shown, word
        )
    for fetch in connection.iut.calls("recv_disconnect"):
        late = word is not None and fetch.entered >= told_at(word)
        if late and fetch.succeeded and "data" in fetch.result:
            got = _fetched(fetch)
            yield accepted.decide(
                got == close.data,
                f"of {sent}, {len(got)} octets were fetched, as they were sent",
                f"of {sent}, {len(got)} octets were fetched: {described(got)}",
                shown,
                fetch,
            )


def _fetched(fetch: Operation) -> bytes:
    return base64.b64decode(fetch.result["data"])


def _error_of(word: Report | Operation | None) -> ErrorValue | None:
    return word.error if word is not None else None


# --- WS-02: the closing handshake -------------------------------------------------------------------------------------


@judges_case("WS-02")
def a_close_is_answered_and_tcp_closed(history: History, accepted: Expectation) -> Iterator[Finding]:
    """Close is answered with Close, nothing is sent after it, and TCP is closed, by the server at once.

    [RFC 6455, 5.5.1 and 7.1.1]
    """
    for connection in history.connections:
        if connection.iut_to_peer.framed:
            yield from _handshake(history, connection, accepted)
        elif accepted.requirement.id in connection.header.exercises:
            yield accepted.undetermined("no link shows the frames")


def _handshake(history: History, connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    own, theirs = connection.iut_to_peer, connection.peer_to_iut
    sent, came = close_of(own), close_of(theirs)
    if sent is not None:
        later = dropwhile(lambda unit: unit is not sent, own.units)
        after = next((unit for unit in later if unit.name in DATA_UNITS), None)
        if after is not None:
            seen = f"after its Close the IUT sent {after.name} of {after.length} octets"
            yield accepted.violated(seen, Sight(sent.at, (sent.n,)), Sight(after.at, (after.n,)))
    if came is None:
        return
    shown = Sight(came.at, (came.n,))
    if theirs.ending.reset_at is not None or (connection.iut.gone_at is not None and sent is None):
        return  # TCP was gone before an answer could be expected
    if sent is None:
        if _read_on(connection, came) and overdue(connection, came.at) and not _gone(connection):
            yield accepted.violated("the peer's Close was never answered", shown)
        return
    evidence = (shown, Sight(sent.at, (sent.n,)))
    order = f"the peer's Close ({code_of(came)}) was answered with {code_of(sent)}"
    if sent.at < came.at:
        order = f"the IUT's Close ({code_of(sent)}) was answered with {code_of(came)}"
    yield from _tcp_closed(history, connection, accepted, order, evidence)


def _read_on(connection: Connection, came: Pdu) -> bool:
    """The IUT had read everything before that Close, so that nothing kept it from reading the Close."""
    sent = sum(unit.length for unit in connection.peer_to_iut.units if unit.name in DATA_UNITS)
    last = max((came.at, *(o.last_at for o in connection.iut.operations)))
    return connection.iut.read_until(last) >= sent


def _gone(connection: Connection) -> bool:
    return connection.peer.killed_at is not None or connection.iut.killed_at is not None


def _tcp_closed(
    history: History, connection: Connection, accepted: Expectation, order: str, evidence: tuple[Shown, ...]
) -> Iterator[Finding]:
    """Both Closes are there: the server closes TCP at once, the client when the server has, or before."""
    both = max(shown.at for shown in evidence if isinstance(shown, Sight))
    server = connection.established.client is End.PEER
    ours, theirs = (_ends_of_tcp(history, connection, end) for end in (End.IUT, End.PEER))
    own = next((s for s in ours if s.at >= both), None)
    others = next((s for s in theirs if s.at >= both), None)
    if own is not None and "R" in own.flags:
        yield accepted.undetermined(f"{order}, and the IUT ended TCP with a reset", *evidence, _sight(own))
    elif own is not None:
        first = others is None or own.at < others.at
        who = "first, being the server" if server and first else "first, being the client" if first else "second"
        yield accepted.satisfied(f"{order}, nothing followed, and the IUT closed TCP {who}", *evidence, _sight(own))
    due = both if server else others.at if others is not None and "F" in others.flags else math.inf
    if own is None and overdue(connection, due) and not _gone(connection):
        waited = f"{connection.header.prompt_ns / NS_PER_MS:.0f} ms"
        yield accepted.violated(f"{order}, and {waited} later the IUT had not closed TCP", *evidence)


def _ends_of_tcp(history: History, connection: Connection, end: End) -> list[Segment]:
    """What that end put on the link of this connection to end TCP."""
    ports = {connection.established.client_address.get("port"), connection.established.listener_address.get("port")}
    return [
        event
        for event in history.trace.events
        if isinstance(event, Segment)
        and event.sender is end
        and {event.source_port, event.destination_port} == ports
        and {"F", "R"} & set(event.flags)
    ]


def _sight(segment: Segment) -> Sight:
    return Sight(segment.at, (segment.n,))


# --- WS-03: an end without a Close ------------------------------------------------------------------------------------


@judges("WS-03")
def an_end_without_a_close_is_abnormal(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """TCP's end without a Close is told as an error, with code 1006 where a code is told, and with no data.

    [RFC 6455, 7.1.5 and 7.4.1]
    """
    ending, word = connection.peer_to_iut.ending, first_word(connection)
    if not ending.is_abort or ending.at is None or _breaks_the_rules(connection.peer_to_iut.units):
        return
    vain = list(never_told(connection, accepted, word))
    yield from vain
    if vain or word is None or told_at(word) < ending.at:
        return
    error = _error_of(word)
    code = error.code if error is not None and error.code is not None and error.code >= 1000 else None
    seen = f"TCP ended without a Close, and {word.seen}{'' if code is None else f' with {code}'}"
    abnormal = word.told not in GRACEFUL_WORDS and code in (None, ABNORMAL)
    yield accepted.decide(abnormal, seen, seen, ending, word)
    for fetch in connection.iut.calls("recv_disconnect"):
        if fetch.succeeded and fetch.entered >= told_at(word) and fetch.result.get("length"):
            got = f"TCP ended without a Close, and {fetch.result['length']} octets of disconnect data were fetched"
            yield accepted.violated(got, ending, fetch)


def _breaks_the_rules(units: Iterable[Pdu]) -> bool:
    """Something other than TCP's end itself ended the direction: a frame that the RFC forbids."""
    return any(unit.problem and not unit.problem.startswith("TCP ended") for unit in units)
