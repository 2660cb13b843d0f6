# SPDX-License-Identifier: MIT
"""How the directions of a QUIC stream ended, from the calls of both ends: no link shows encrypted packets.

A connection of the suite is one stream. An end's FIN, RESET_STREAM and CONNECTION_CLOSE end what it sends, its
STOP_SENDING and CONNECTION_CLOSE what it receives (RFC 9000, 2.4, 3.1 to 3.5, 10.2); which call makes which is told by
`docs/quic.md`. The death of a process sends nothing at all: it ends no direction, until the other end's idle time-out.
"""

from __future__ import annotations

from collections.abc import Iterator

from conformance.trace.direction import Direction, Ending, EndKind
from conformance.trace.operations import Operation, Side


def ends_of_quic(iut: Side, peer: Side) -> tuple[Direction, Direction]:
    """Derive both directions from what each end's own calls returned."""
    return _direction(iut, peer), _direction(peer, iut)


def aborts(side: Side) -> Iterator[Operation]:
    """The calls by which an end aborted what it sends: RESET_STREAM by a hard close, or CONNECTION_CLOSE."""
    for operation in side.calls("close", "send_disconnect"):
        hard = operation.op == "send_disconnect" or side.linger_at(operation.entered) == (True, 0)
        if operation.succeeded and hard:
            yield operation


def refusals(side: Side) -> Iterator[Operation]:
    """The calls by which an end gave up what it receives: STOP_SENDING, or CONNECTION_CLOSE."""
    for operation in side.calls("shutdown", "close", "send_disconnect"):
        if operation.succeeded and (operation.op != "shutdown" or operation.how in ("receive", "both")):
            yield operation


def _direction(sender: Side, receiver: Side) -> Direction:
    return Direction(sender, receiver, False, (), (), _ending(sender, receiver))


def _ending(sender: Side, receiver: Side) -> Ending:
    alive = [o for o in sender.operations if sender.killed_at is None or o.entered < sender.killed_at]
    abort = next((o for o in aborts(sender) if o in alive), None)
    fin = next((o for o in alive if o.ends_sending and o.succeeded and o.op != "send_disconnect" and o != abort), None)
    own = min((o for o in (fin, abort) if o is not None), key=lambda o: o.entered, default=None)
    refusal = next(refusals(receiver), None)
    if refusal is not None and (own is None or refusal.entered < (own.returned or own.entered)):
        if own is not None and own.entered < (refusal.returned or refusal.entered):
            reason = "both ends ended the direction at the same time, and no link shows which was first"
            return Ending(EndKind.NOT_KNOWN, events=(*own.events, *refusal.events), reason=reason)
        return Ending(EndKind.ABORTED_BY_RECEIVER, refusal.entered, refusal.returned, None, refusal.events)
    if own is None:
        return Ending(EndKind.OPEN)
    if own is abort:
        return Ending(EndKind.ABORTED_BY_SENDER, own.entered, own.returned, own.entered, own.events)
    # What a sender that died meanwhile still had to send, and its FIN, may never have come.
    certain = own.returned if sender.killed_at is None else None
    if abort is not None:
        return Ending(EndKind.RESET_AFTER_END, own.entered, certain, abort.entered, (*own.events, *abort.events))
    return Ending(EndKind.GRACEFUL, own.entered, certain, None, own.events)
