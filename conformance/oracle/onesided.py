# SPDX-License-Identifier: MIT
"""Groups A and G, shutdowns of one direction as Winsock has them: of receiving on TCP, without a connection, one way.

What every family shares of shutdown is judged in `initiating`, the refusals that follow one in `winsock`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from conformance.oracle.departing import Observed, goodbyes, intact, until
from conformance.oracle.findings import Expectation, Finding
from conformance.oracle.judging import judges, judges_case
from conformance.oracle.link import arrivals, judges_link, undone_at, watched
from conformance.oracle.overlapped import posted
from conformance.oracle.reading import NS_PER_MS
from conformance.trace.direction import Passage
from conformance.trace.events import End, Outcome
from conformance.trace.history import Connection, History
from conformance.trace.operations import Operation

_DELAYED_NS = 500 * NS_PER_MS
"""RFC 1122, 4.2.3.2: an acknowledgement may be delayed for less than this."""
_ANSWERED = (Outcome.RESULT, Outcome.ERROR)
_CONTRARY = {"UNI_SEND": "receive", "UNI_RECV": "send"}
"""The direction that a protocol does not have, by its service flag."""
_STOPPED = {"receive": ("recv",), "send": ("send",), "both": ("recv", "send")}


@judges_link("INIT-SHUT-07")
def data_for_nobody_resets(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Data that waits when receiving is shut down, or that comes later, resets a connection of TCP. [WSPShutdown]

    Another page has it taken without an acknowledgement. Off Windows nothing else is a breach.
    """
    header, iut, peers = connection.header, connection.iut, connection.peer_to_iut
    shut = next((o for o in iut.calls("shutdown") if o.how == "receive" and o.succeeded), None)
    if shut is None or any(o.entered <= shut.over for o in goodbyes(connection)):
        return
    left = _left_over(connection, shut)
    if left is None or not intact(connection, shut.entered) or _has_a_taker(connection, shut):
        return
    (came_at, data), limit = left, min((until(connection, shut), *(reset.at for reset in peers.resets)))
    if came_at >= min(limit, undone_at(connection)):
        return
    came = "waiting" if came_at < shut.entered else "coming"
    since, delayed_ns = max(shut.over, came_at), _DELAYED_NS + header.latency_ns
    reset = next((r for r in connection.iut_to_peer.resets if r.at < limit), None)
    ack = peers.acknowledged(data.end)
    what = f"with {data.segment.length} bytes {came} after {shut.name}"
    if reset is not None:
        seen = Observed("ABORT_REMOTE", "the IUT reset the connection", reset.events)
        yield accepted.weigh(seen, shut, data, after=what)
    elif not watched(connection, since, max(delayed_ns, header.settle_ns)) or limit - since < delayed_ns:
        yield accepted.undetermined(f"{what}, no reset was seen, and nobody waited for one", shut, data)
    elif ack is None:
        seen = Observed("DATA_NOT_ACKNOWLEDGED", "they were not acknowledged", data.events)
        yield accepted.weigh(seen, shut, data, after=what)
    elif connection.statement.platform == "windows":
        yield accepted.violated(f"{what}, they were acknowledged, and no reset came", shut, data, ack)
    else:
        why = "the pages speak of Windows, and what other systems do differs"
        yield accepted.undetermined(f"{what}, they were acknowledged, and no reset came: {why}", shut, data, ack)


def _has_a_taker(connection: Connection, shut: Operation) -> bool:
    """A receive was under way or posted when receiving was shut down: it may still get the data."""
    under_way = any(o.entered <= shut.over and o.over >= shut.entered for o in connection.iut.calls("recv"))
    return under_way or any(each.pending_at(shut.entered) for each in posted(connection))


def _left_over(connection: Connection, shut: Operation) -> tuple[int, Passage] | None:
    """The first data to reach the IUT that it had not read before it shut receiving down, and when it did (ns)."""
    taken = connection.iut.read_until(shut.entered)
    return next(((at, p) for at, p in arrivals(connection) if p.segment.length and p.end > taken), None)


@judges_case("INIT-SHUT-12")
def without_a_connection_only_calls_are_stopped(history: History, accepted: Expectation) -> Iterator[Finding]:
    """What a shutdown of a connectionless socket returns, or else the next call that way, is recorded. [WSPShutdown]"""
    operations = history.of(End.IUT)
    for shut in operations:
        if shut.op != "shutdown" or shut.socket == -1 or shut.how not in _STOPPED or shut.outcome not in _ANSWERED:
            continue
        if not shut.succeeded:
            yield accepted.weigh(shut, after="on a connectionless socket")
            continue
        closed = (o.entered for o in operations if o.op == "close" and o.socket == shut.socket)
        gone = next((at for at in closed if at > shut.entered), math.inf)
        for call in operations:
            there = call.socket == shut.socket and shut.over <= call.entered < gone
            if there and call.op in _STOPPED[str(shut.how)]:
                yield accepted.weigh(call, shut, after=f"after {shut.name} on a connectionless socket")


@judges("ERR-03")
def the_direction_that_is_not_there_is_invalid(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """Shutting down the direction that a one-way protocol does not have is an invalid argument. [WSPShutdown]"""
    flags = [flag for flag in _CONTRARY if flag in connection.statement.service_flags]
    if len(flags) != 1:
        return
    (flag,), ended = flags, min((o.entered for o in goodbyes(connection)), default=math.inf)
    for call in connection.iut.calls("shutdown"):
        contrary = call.how == _CONTRARY[flag] and call.entered <= ended
        if contrary and call.outcome in _ANSWERED and intact(connection, call.entered):
            yield accepted.weigh(call, after=f"on a protocol with {flag}, {call.name}")
