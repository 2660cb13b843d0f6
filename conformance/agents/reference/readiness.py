# SPDX-License-Identifier: MIT
"""What select and WSAPoll tell of a socket."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.agents.reference.association import QUEUE
from conformance.agents.reference.sockets import Socket
from conformance.agents.serving.outcomes import Unsupported

SURFACES = ("select", "wsapoll")
_NAMES = ("IN", "OUT", "PRI")


def check(surface: str, events: Sequence[str]) -> None:
    """Raise Unsupported for a surface or an event that there is not."""
    if surface not in SURFACES:
        raise Unsupported(f"no surface {surface!r}; there are {', '.join(SURFACES)}")
    for name in events:
        if name not in _NAMES:
            raise Unsupported(f"no event {name!r} here; there are {', '.join(_NAMES)}")


def told(socket: Socket, surface: str, events: Sequence[str]) -> list[str]:
    """Return the events that this surface tells now.

    select: IN where a receive (or an accept) would not block, OUT where a send would not. WSAPoll tells of an end by
    HUP instead, once everything was read, and of an abort by ERR and HUP, asked or not.
    """
    return by_select(socket, events) if surface == "select" else by_poll(socket, events)


def by_select(socket: Socket, events: Sequence[str]) -> list[str]:
    """Return what select tells, of what was asked."""
    association = socket.association
    if association is None:
        return ["IN"] if "IN" in events and socket.listening and socket.has_caller() else []
    gone = association.error is not None
    ready = {
        "IN": gone or association.readable or association.at_end or not association.receiving,
        "OUT": gone or association.released or association.queued < QUEUE,
        "PRI": False,
    }
    return [name for name in _NAMES if name in events and ready[name]]


def by_poll(socket: Socket, events: Sequence[str]) -> list[str]:
    """Return what WSAPoll tells."""
    association = socket.association
    if association is None:
        return by_select(socket, events)
    if association.error:
        return ["ERR", "HUP"]
    found = ["IN"] if "IN" in events and association.readable else []
    if "OUT" in events and not association.released and association.queued < QUEUE:
        found.append("OUT")
    return [*found, "HUP"] if association.at_end else found
