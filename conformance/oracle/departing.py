# SPDX-License-Identifier: MIT
"""Questions that the judges of group A ask: how the IUT bade goodbye, what came of it, and whether the rest arrived.

A goodbye is a call that asks for the end of the IUT's sending: a shutdown of sending or of both, SendDisconnect, close.
What came of it is told by the link, or without a link by the peer's first word; where something else can have brought
that about, the answer is "not known". The requirements are the judges' business.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from conformance.oracle.findings import Shown, Told
from conformance.oracle.link import may_time_out, words
from conformance.oracle.reading import NS_PER_MS, NS_PER_S, heard, in_vain, lasted, read, tells_error
from conformance.trace.conditions import Condition
from conformance.trace.direction import Direction, EndKind, Passage
from conformance.trace.events import Outcome
from conformance.trace.history import Connection
from conformance.trace.operations import Operation, Report, Side, What, left_unread

GRACEFUL_WORDS = ("ZERO_BYTES", "EDISCON", "GRACEFUL")
_FOR_EVER = 1 << 63
"""Nanoseconds since 1970: later than any trace."""


@dataclass(frozen=True)
class Observed:
    """What came of a call, as a token of the catalogue and in words, with the events that show it."""

    told: str
    seen: str
    events: tuple[int, ...]


def goodbyes(connection: Connection) -> tuple[Operation, ...]:
    """The IUT's calls that ask for the end of its sending, answered or not, on any handle of the connection."""
    since = connection.established.at
    return tuple(o for o in connection.iut.operations if o.ends_sending and o.entered >= since)


def first_goodbye(connection: Connection, op: str) -> Operation | None:
    """The first of them, if it was that operation, and a close only if it gave up the last handle (or failed to)."""
    first = next(iter(goodbyes(connection)), None)
    if first is None or first.op != op:
        return None
    return None if op == "close" and len(connection.iut.sockets) > 1 else first


def until(connection: Connection, call: Operation) -> float:
    """Up to when what happens can be that call's doing: the IUT's next goodbye, or its death; infinity if none came."""
    times: list[float] = [o.entered for o in goodbyes(connection) if o.entered > call.entered]
    if connection.iut.killed_at is not None:
        times.append(connection.iut.killed_at)
    return min(times, default=math.inf)


def failed(operation: Operation) -> bool:
    """It was answered, and not with success; a call that the agent does not have, or never answered, did not fail."""
    return operation.outcome in (Outcome.ERROR, Outcome.TIMEOUT)


def is_abortive(connection: Connection, close: Operation) -> bool:
    """It was a close with linger on and a time of 0."""
    return close.op == "close" and connection.iut.linger_at(close.entered) == (True, 0)


def lingered(close: Operation, seconds: int) -> bool:
    """It lasted for its linger time."""
    return lasted(close.took, seconds * NS_PER_S)


def intact(connection: Connection, by: float, *, besides: Operation | None = None) -> bool:
    """Nothing could have broken the connection by then, so that a call that failed has itself to blame.

    `besides` is a call whose own error tells nothing of that: clocks may show no time between its entry and return.
    """
    directions = (connection.iut_to_peer, connection.peer_to_iut)
    resets = [r.at for direction in directions for r in direction.resets]
    resets += [f.at for direction in directions for f in direction.farewells if not f.graceful]
    refused = connection.iut_to_peer.ending
    resets += [refused.at] if refused.kind is EndKind.ABORTED_BY_RECEIVER and refused.at is not None else []
    gone = (connection.iut.killed_at, connection.peer.gone_at)
    errors = (r for r in connection.iut.receives if r.what is What.ERROR and r.told not in GRACEFUL_WORDS)
    told = any(r.at <= by for r in errors) or any(
        tells_error(o) and o.over <= by and o is not besides
        for o in connection.iut.calls("send", "post_send", "get_error")
    )
    broken = any(at <= by for at in resets) or any(time is not None and time <= by for time in gone)
    # Closes of both ends: the connection is over, the IUT's may have been an answer that nobody asked it for.
    over = all(any(unit.name == "CLOSE" and unit.at <= by for unit in direction.units) for direction in directions)
    return not (broken or over or told or may_time_out(connection) or unseen(connection))


def unseen(connection: Connection) -> bool:
    """The link was watched, and what it carried cannot be told all the same."""
    return connection.unseen


def unread(connection: Connection, by: int) -> bool:
    """Something of the peer's may have been waiting at the IUT by then, unread or still under way."""
    direction = connection.peer_to_iut
    if direction.witnessed and direction.sent_by(by) > connection.iut.read_until(by):
        return True
    if direction.visible or (direction.framing is not None and direction.framing.raw):
        return False  # and of a raw peer the calls do not tell what was the user's
    messages = not connection.statement.is_stream
    return left_unread(connection.peer, connection.iut, by, messages=messages) > 0


def quiet(side: Side, since: int, for_ns: int, by: float = math.inf) -> Told | None:
    """A look of that side, over by that time, which for so long after `since` told it nothing."""
    for report in heard(side):
        match report.what:
            case What.NOTHING:
                looked = _waited(report.asked, report.at, report.waited_ms, since)
            case What.WOULD_BLOCK:
                looked = report.asked - since
            case _:
                continue
        if report.at <= by and looked >= for_ns:
            return report
    for poll in side.calls("poll"):
        asked = poll.outcome is Outcome.TIMEOUT and "IN" in poll.arguments.get("events", ())
        waited_ms = int(poll.arguments.get("wait_ms", 0))
        if asked and poll.over <= by and _waited(poll.entered, poll.over, waited_ms, since) >= for_ns:
            return poll
    return None


def _waited(entered: int, returned: float, wait_ms: int, since: int) -> float:
    """For how long after that time a call in vain had surely waited: on a loaded machine it may return much later."""
    wait_ns = wait_ms * NS_PER_MS
    until = entered + wait_ns if lasted(returned - entered, wait_ns) else returned
    return until - max(entered, since)


def sign_of_an_end(connection: Connection, since: int, limit: float) -> Observed | None:
    """A FIN or reset of the IUT's between the two times; without a link, the peer's word of an end."""
    direction = connection.iut_to_peer
    if direction.visible:
        signs = (p for p in direction.passages if (p.fin or p.rst) and not p.repeated_by_harness)
        sign = next((p for p in signs if since <= p.at < limit), None)
        if sign is None:
            return None
        return Observed("END", f"the IUT sent a {'FIN' if sign.fin else 'reset'}", sign.events)
    if direction.framed:
        said = next((f for f in direction.farewells if since <= f.at < limit), None)
        return None if said is None else Observed("END", f"the IUT sent {said.name}", said.events)
    word = None if unseen(connection) else read(direction, connection.statement).final
    if word is None or not since <= word.at < limit or word.told not in (*GRACEFUL_WORDS, "ECONNRESET"):
        return None
    return Observed("END", f"at the peer {word.seen}", word.events)


def refused_send(connection: Connection, since: int, limit: float, *, closed: int | None = None) -> Operation | None:
    """A send of the IUT's between the two times that was refused, although both ends were there to send and receive.

    `closed` is a handle that was given up, and is rightly refused.
    """
    stopped = connection.peer.stopped_receiving_at
    gone = (Condition.EPIPE, Condition.ESHUTDOWN, Condition.ECONNRESET, Condition.ENOTCONN)
    refusals = (*gone, Condition.ENOTSOCK)
    for send in connection.iut.sends:
        over = send.last_at
        if send.socket == closed or send.condition not in refusals or send.entered < since or over >= limit:
            continue
        there = stopped is None or over < stopped
        return send if there and intact(connection, send.entered, besides=send) else None
    return None


def brought_about(connection: Connection, call: Operation) -> Observed | None:
    """What that successful goodbye told the peer: GRACEFUL, ABORT_REMOTE, or NO_INDICATION although the peer looked.

    None where that is not known: nothing shows it, or something before or after the call can have brought it about.
    """
    direction = connection.iut_to_peer
    if direction.visible:
        return _by_the_link(connection, call)
    if direction.framed:
        return _by_the_units(connection, call)
    return None if unseen(connection) else _by_the_peers_word(connection, call)


def _by_the_link(connection: Connection, call: Operation) -> Observed | None:
    direction = connection.iut_to_peer
    first = min((*direction.fins, *direction.resets), key=lambda passage: passage.at, default=None)
    if first is None or first.at >= until(connection, call):
        return _nothing_came(connection, call)
    if first.at < call.entered:
        return None
    if any(reset.at <= first.at for reset in connection.peer_to_iut.resets):
        return None
    evidence = (*call.events, *first.events)
    if first.fin:
        return Observed("GRACEFUL", f"{call.name} was followed by a FIN, and by no reset before it", evidence)
    if not (is_abortive(connection, call) or unprovoked(connection, first)):
        return None
    return Observed("ABORT_REMOTE", f"{call.name} was followed by a reset, and by no FIN before it", evidence)


def _by_the_units(connection: Connection, call: Operation) -> Observed | None:
    first = next(iter(connection.iut_to_peer.farewells), None)
    if first is None or first.at >= until(connection, call):
        return _nothing_came(connection, call)
    if first.at < call.entered:
        return None
    if any(not other.graceful and other.at <= first.at for other in connection.peer_to_iut.farewells):
        return None
    evidence = (*call.events, *first.events)
    if first.graceful:
        return Observed("GRACEFUL", f"{call.name} was followed by {first.name}, and by no abort before it", evidence)
    if not (is_abortive(connection, call) or not (unread(connection, first.at) or may_time_out(connection))):
        return None
    return Observed("ABORT_REMOTE", f"{call.name} was followed by {first.name}, and by no release before it", evidence)


def unprovoked(connection: Connection, reset: Passage) -> bool:
    """No rule of TCP asked the IUT for that reset: nothing unread, no time-out, no reset of the peer's before it."""
    provoked = any(other.at <= reset.at for other in connection.peer_to_iut.resets) or unread(connection, reset.at)
    return not provoked and not may_time_out(connection)


def _by_the_peers_word(connection: Connection, call: Operation) -> Observed | None:
    reading = read(connection.iut_to_peer, connection.statement)
    if reading.fault is not None:
        return None
    if reading.final is None or reading.final.at >= until(connection, call):
        return _nothing_came(connection, call)
    # An empty message is told as 0 bytes too; only the final report's are the end.
    told = words(connection.peer, call.entered)
    word = next((w for w in told if w.told not in GRACEFUL_WORDS or w.at >= reading.final.at), None)
    if word is None or reading.final.at < call.entered:
        return None
    evidence = (*call.events, *word.events)
    if word.told in GRACEFUL_WORDS:
        return Observed("GRACEFUL", f"after {call.name}, at the peer {word.seen}", evidence)
    if word.told != "ECONNRESET" or not (is_abortive(connection, call) or not unread(connection, word.at)):
        return None
    return Observed("ABORT_REMOTE", f"after {call.name}, at the peer {word.seen}", evidence)


def _nothing_came(connection: Connection, call: Operation) -> Observed | None:
    direction, since = connection.iut_to_peer, call.returned
    if since is None or not intact(connection, since):
        return None
    if direction.visible:
        drained = direction.acknowledged(direction.offered_length)
        shut = next((not p.segment.window for p in reversed(connection.peer_to_iut.passages)), False)
        if drained is None or shut:
            return None
        since = max(since, drained.at)
    if direction.framed:
        drained = direction.acknowledged(direction.offered_length)
        if drained is None:
            return None
        since = max(since, drained.at)
    look = quiet(connection.peer, since, connection.header.prompt_ns, until(connection, call))
    if look is None:
        return None
    seen = f"after {call.name} nothing came, and at the peer {look.seen}"
    return Observed("NO_INDICATION", seen, (*call.events, *look.events))


@dataclass(frozen=True)
class Delivery:
    """Whether everything that one end sent before it ended reached the other's user, and then the end."""

    complete: bool
    because: str
    evidence: tuple[Shown, ...]


def delivery(connection: Connection, call: Operation, *, with_posted: bool = False) -> Delivery | None:
    """What the peer read of what was accepted before that graceful goodbye.

    `with_posted`: a send that was posted before it and completed after it counts as accepted before it.
    None where that is not shown, or where something other than the goodbye can have brought it about.
    """
    direction, peer = connection.iut_to_peer, connection.peer
    if unseen(connection) or not (_explained(direction) or _all_accepted(direction)):
        return None
    for send in connection.iut.sends:
        before = with_posted and send.op == "post_send" and send.entered < call.entered
        if send.succeeded and send.over > call.entered and not before:
            return None
    reading = read(direction, connection.statement)
    wanted, unit = _amount(connection, direction, direction.offered_length)
    progress = f"the peer read {reading.good} of {wanted} {unit}"
    if reading.fault is not None:
        return Delivery(False, f"{progress}, and then something else: {reading.fault.seen}", (call, reading.fault))
    final, limit = reading.final, until(connection, call)
    if final is not None and final.told in GRACEFUL_WORDS and reading.good == wanted:
        return Delivery(True, f"{progress}, and then the end", (call, direction.ending, final))
    if _carried_whole(direction):
        return None  # the link shows that the IUT sent everything: what the peer made of it is the peer's doing
    if final is None:
        data = [r.at for r in heard(peer) if r.what is What.DATA]
        since = max((call.last_at, *data))
        look = quiet(peer, since, connection.header.prompt_ns, limit) if intact(connection, since) else None
        return Delivery(False, f"{progress}, and no end: {look.seen}", (call, look)) if look else None
    ended_by = _ended_at(direction, final)
    if ended_by >= limit or final.at < call.entered:
        return None
    if final.told in GRACEFUL_WORDS:
        return Delivery(False, f"{progress}, and then the end", (call, direction.ending, final))
    if final.told != "ECONNRESET" or unread(connection, final.at):
        return None
    if direction.visible:
        reset = next(iter(direction.resets), None)
        if reset is None or direction.fins or reset.at < call.entered or not unprovoked(connection, reset):
            return None
    elif direction.framed:
        said = next(iter(direction.farewells), None)
        if said is None or said.graceful or said.at < call.entered or may_time_out(connection):
            return None
        if any(not other.graceful and other.at <= said.at for other in connection.peer_to_iut.farewells):
            return None
    elif direction.ending.kind is not EndKind.GRACEFUL:
        return None
    return Delivery(False, f"{progress}, and then {final.seen}", (call, final))


def response(connection: Connection) -> Delivery | None:
    """What the IUT read of what the peer sent up to its graceful end; None where that is not shown."""
    direction, header = connection.peer_to_iut, connection.header
    ending = direction.ending
    if not _explained(direction) or ending.kind in (EndKind.ABORTED_BY_SENDER, EndKind.ABORTED_BY_RECEIVER):
        return None
    reading = read(direction, connection.statement)
    carried = direction.offered_length if direction.total is None else direction.total
    wanted, unit = _amount(connection, direction, carried)
    progress = f"the IUT read {reading.good} of {wanted} {unit}"
    if reading.fault is not None:
        return Delivery(False, f"{progress}, and then something else: {reading.fault.seen}", (reading.fault,))
    final = reading.final
    if final is None:
        vain = in_vain(connection.iut, ending, prompt_ns=header.prompt_ns, settle_ns=header.settle_ns)
        return Delivery(False, f"{progress}, and no end: {vain.seen}", (ending, vain)) if vain else None
    if ending.kind is EndKind.NOT_KNOWN or (final.told not in GRACEFUL_WORDS and may_time_out(connection)):
        return None
    come = ending.is_graceful and ending.at is not None and ending.at <= final.at
    whole = come and reading.good == wanted and final.told in GRACEFUL_WORDS
    if not whole and ending.reset_at is not None and final.at >= ending.reset_at:
        return None  # a reset after the end may take what had not been read, and that must not
    before = "" if come else " before the peer's end had come"
    return Delivery(whole, f"{progress}, and then{before} {final.seen}", (ending, final))


def _explained(direction: Direction) -> bool:
    """What the sender's calls had accepted accounts for all that can have been sent."""
    # Of a posted send that failed nobody knows how much of it had gone.
    answered = all(s.returned is not None and (s.succeeded or s.op == "send") for s in direction.sender.sends)
    return answered and direction.sent_by(_FOR_EVER) <= direction.offered_length


def _all_accepted(direction: Direction) -> bool:
    """Each send took what it told, or had to wait and took nothing: what was sent besides is the IUT's invention."""
    return not direction.meddled and all(
        s.succeeded or s.condition is Condition.EWOULDBLOCK for s in direction.sender.sends
    )


def _amount(connection: Connection, direction: Direction, octets: int) -> tuple[int, str]:
    return (octets, "bytes") if connection.statement.is_stream else (len(direction.offered), "messages")


def _carried_whole(direction: Direction) -> bool:
    return direction.witnessed and direction.total is not None and direction.total >= direction.offered_length


def _ended_at(direction: Direction, final: Report) -> int:
    signs = [*(p.at for p in direction.passages if p.fin or p.rst), *(f.at for f in direction.farewells)]
    return next(iter(signs), final.at)
