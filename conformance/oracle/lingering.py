# SPDX-License-Identifier: MIT
"""Group A, closes with linger as Winsock alone asks for them: abortive when the time is over, refused without blocking.

The closes that every family shares are judged in `closing`.
"""

from __future__ import annotations

from collections.abc import Iterator

from conformance.oracle.departing import Observed, first_goodbye, lingered, refused_send, sign_of_an_end, unread, until
from conformance.oracle.findings import Expectation, Finding
from conformance.oracle.initiating import unsent
from conformance.oracle.judging import judges
from conformance.oracle.link import may_time_out, settled
from conformance.oracle.reading import NS_PER_S, doubt
from conformance.trace.conditions import Condition
from conformance.trace.direction import EndKind
from conformance.trace.events import Outcome
from conformance.trace.history import Connection
from conformance.trace.operations import Operation

_GONE = (Condition.ENOTSOCK, Condition.ESHUTDOWN, Condition.ENOTCONN)
"""What a call tells where the socket, or its connection, is not there any more."""


@judges("INIT-CLOSE-06")
def a_lingering_close_that_cannot_drain_aborts(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """With linger on and too little time, a blocking close returns when it is over, and the end is abortive.

    [Winsock SPI, WSPCloseSocket; Graceful Shutdown, Linger Options, and Socket Closure]
    """
    call = _lingering_close(connection, blocking=True)
    if call is None or call.returned is None or may_time_out(connection):
        return
    seconds = connection.iut.linger_at(call.entered)[1]
    over = call.entered + seconds * NS_PER_S
    if not unsent(connection, call.entered) or not unsent(connection, min(over, call.returned)):
        return
    took = f"with {seconds} s of linger and data that could not be sent, close took {call.took / NS_PER_S:.3f} s"
    limit_ns = seconds * NS_PER_S + connection.header.prompt_ns
    if call.outcome is Outcome.TIMEOUT and call.took < limit_ns:
        yield accepted.undetermined(f"{took}: it was not waited for as long as it may take", call)
    elif call.outcome is Outcome.TIMEOUT or not lingered(call, seconds) or call.took > limit_ns:
        yield accepted.violated(took, call)
    elif (end := _how_it_ended(connection, call)) is not None:
        yield accepted.weigh(end, call, after=took)
    else:
        yield from doubt(connection.iut_to_peer, accepted)


def _lingering_close(connection: Connection, *, blocking: bool) -> Operation | None:
    """The IUT's first goodbye, if it was a close in that mode, with linger on and a time, and with nothing unread."""
    call = first_goodbye(connection, "close")
    if call is None or connection.iut.blocking_at(call.entered) is not blocking:
        return None
    on, seconds = connection.iut.linger_at(call.entered)
    return call if on and seconds and not unread(connection, call.entered) else None


def _how_it_ended(connection: Connection, call: Operation) -> Observed | None:
    """What the close brought about, where the link or the peer's calls show it."""
    direction = connection.iut_to_peer
    ending, returned = direction.ending, call.last_at
    if ending.at is not None and ending.at < call.entered:
        return None
    late = ending.at is not None and ending.at > returned + connection.header.prompt_ns
    if ending.is_abort:
        if not late:
            return Observed("ABORT_AFTER_LINGER", "the connection was aborted", ending.events)
        return Observed("GRACEFUL_IN_BACKGROUND", "the connection was aborted, long after that", ending.events)
    if ending.is_graceful and direction.witnessed:
        return Observed("GRACEFUL_IN_BACKGROUND", "the end was graceful", ending.events)
    if ending.kind is EndKind.OPEN and settled(connection, returned):
        return Observed("NO_INDICATION", "the connection did not end", call.events)
    return _by_the_peers_word(connection, call)


def _by_the_peers_word(connection: Connection, call: Operation) -> Observed | None:
    told = (r for r in connection.peer.receives if r.is_final and r.at >= call.entered)
    word = next(told, None)
    if word is None or connection.header.wire:
        return None
    outcome = "ABORT_AFTER_LINGER" if word.told == "ECONNRESET" else "GRACEFUL_IN_BACKGROUND"
    return Observed(outcome, f"at the peer {word.seen}", word.events)


@judges("INIT-CLOSE-07")
def a_close_that_would_block_is_refused(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """With linger on and a time, a non-blocking close that cannot finish fails, and the socket goes on as it was.

    [Winsock SPI, WSPCloseSocket]
    """
    call = _refusable_close(connection)
    if call is None:
        return
    if call.condition is not Condition.EWOULDBLOCK:
        yield accepted.weigh(call, after="non-blocking, with linger on and data that could not be sent")
        return
    limit = until(connection, call)
    wrong = sign_of_an_end(connection, call.entered, limit) or refused_send(connection, call.last_at, limit)
    later = [o for o in connection.iut.calls("send", "recv") if call.over <= o.entered < limit]
    wrong = wrong or next((o for o in later if o.condition in _GONE), None)
    used = next((o for o in later if o.succeeded or o.told == "EWOULDBLOCK"), None)
    if wrong is not None:
        yield accepted.violated(f"{call.seen}, and then {wrong.seen}", call, wrong)
    elif used is not None:
        yield accepted.weigh(call, used, after=f"with data that could not be sent, and then {used.seen}")


def _refusable_close(connection: Connection) -> Operation | None:
    """A non-blocking close with linger on and a time, while data could not be sent: before it and when it returned."""
    call = _lingering_close(connection, blocking=False)
    if call is None or call.returned is None or call.outcome not in (Outcome.RESULT, Outcome.ERROR, Outcome.TIMEOUT):
        return None
    whole = call.outcome is not Outcome.ERROR or call.condition is Condition.EWOULDBLOCK or not may_time_out(connection)
    return call if whole and unsent(connection, call.entered) and unsent(connection, call.returned) else None


@judges("INIT-CLOSE-08")
def a_remedied_close_succeeds(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
    """After a close that would block, linger off or of 0 s, or a shutdown, lets the next succeed. [WSPCloseSocket]"""
    first = _refusable_close(connection)
    if first is None or first.condition is not Condition.EWOULDBLOCK:
        return
    second = next((o for o in connection.iut.calls("close") if o.entered >= first.over), None)
    if second is None or second.outcome not in (Outcome.RESULT, Outcome.ERROR, Outcome.TIMEOUT):
        return
    remedies = (o for o in connection.iut.operations if first.over <= o.entered < second.entered and _remedies(o))
    if (remedy := next(remedies, None)) is not None:
        yield accepted.weigh(second, first, remedy, after=f"refused, and then {remedy.seen}")


def _remedies(call: Operation) -> bool:
    if call.op == "set_linger":
        return call.succeeded and not (call.arguments.get("on") and call.arguments.get("seconds"))
    return call.op in ("shutdown", "send_disconnect") and call.succeeded and call.ends_sending
