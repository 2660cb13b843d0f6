# SPDX-License-Identifier: MIT
"""The directions of a connection whose link nobody sees: how each ended, by what its sender's own calls returned."""

from __future__ import annotations

from conformance.catalogue.statement import Statement
from conformance.trace.direction import FRAMED_TRANSPORTS, Direction, Ending, EndKind
from conformance.trace.operations import Side, left_unread

LINGER_ZERO_ABORTS = ("tcp", "reference")
"""The transports that say what a close with a linger time of 0 does."""


def ends_of_wireless(iut: Side, peer: Side, statement: Statement) -> tuple[Direction, Direction]:
    """Derive both directions where no link is visible, from what each sender's own calls returned."""
    return _wireless(iut, peer, statement), _wireless(peer, iut, statement)


def _wireless(sender: Side, receiver: Side, statement: Statement) -> Direction:
    return Direction(sender, receiver, False, (), (), _called_ending(sender, receiver, statement))


def _called_ending(sender: Side, receiver: Side, statement: Statement) -> Ending:
    call = sender.ending
    if call is not None and (sender.killed_at is None or call.entered < sender.killed_at):
        at, certain, events = call.entered, call.returned, call.events
    elif sender.killed_at is not None:
        call, at, certain, events = None, sender.killed_at, sender.dead_at, sender.killed_events
    else:
        return Ending(EndKind.OPEN)
    if sender.killed_at is not None and statement.transport in FRAMED_TRANSPORTS:
        if call is None:
            return Ending(EndKind.ABORTED_BY_SENDER, at, certain, at, events)
        reason = "the sender's process died after its call, and no link shows whether its release had gone out"
        return Ending(EndKind.NOT_KNOWN, at, None, None, events, reason)
    if any(o.arguments.get("name") == "CUT_FRAME" for o in sender.calls("set_option")):
        reason = "the sender had a frame cut off, and no link shows which"  # the suite's own WebSocket peer
        return Ending(EndKind.NOT_KNOWN, at, None, None, events, reason)
    gone = sender.gone_at
    disturbance = _abortive(sender, receiver, gone, statement) if gone is not None else None
    come_by = _come_by(sender, receiver, certain, statement)
    if call is not None and call.op != "close":
        if disturbance is not None:
            return Ending(EndKind.RESET_AFTER_END, at, come_by, gone, events)
        return Ending(EndKind.GRACEFUL, at, come_by, None, events)
    match disturbance:
        case None:
            return Ending(EndKind.GRACEFUL, at, come_by, None, events)
        case EndKind.ABORTED_BY_SENDER:
            return Ending(EndKind.ABORTED_BY_SENDER, at, certain, at, events)
        case reason:
            return Ending(EndKind.NOT_KNOWN, at, None, None, events, reason)


def _come_by(sender: Side, receiver: Side, time: int | None, statement: Statement) -> int | None:
    """From when on a graceful end has come that was made by that time: over a network it may wait behind data.

    Data that the receiver has not read may keep its window shut, so that the end is not sent before it has.
    """
    if time is None or statement.transport == "unix":
        return time
    times = [time, *(report.at for report in receiver.receives if report.at > time)]
    messages = not statement.is_stream
    return next((at for at in times if not left_unread(sender, receiver, at, messages=messages)), None)


def _abortive(sender: Side, receiver: Side, gone: int, statement: Statement) -> EndKind | str | None:
    """What makes giving up the connection then abortive: nothing (None), a certainty, or a doubt (its reason)."""
    no_wire = "no link is visible, and the sender's calls do not show what it carried: "
    if sender.linger_at(gone) == (True, 0):
        if statement.transport in LINGER_ZERO_ABORTS:
            return EndKind.ABORTED_BY_SENDER
        return f"{no_wire}transport {statement.transport} does not define what linger 0 does"
    done = sender.closed.returned if sender.closed and sender.closed.returned else gone  # a send may slip in till then
    if left_unread(receiver, sender, done, messages=not statement.is_stream):
        return f"{no_wire}the sender gave up with something unread, which some implementations tell as a reset"
    return None
