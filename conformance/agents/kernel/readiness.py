# SPDX-License-Identifier: MIT
"""Asking whether a socket is ready: select, poll, epoll, and edge-triggered epoll.

Events are told by their native names; select's three sets go by IN, OUT and PRI.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Sequence

from conformance.agents.serving.outcomes import Unsupported

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import Any

    Timed = Callable[[Callable[[], Any]], Any]
    """Makes one call and takes the times of its entry and return."""

POLL = {
    name: getattr(select, f"POLL{name}")
    for name in ("IN", "PRI", "OUT", "RDHUP", "ERR", "HUP", "NVAL")
    if hasattr(select, f"POLL{name}")
}
EPOLL = {
    name: getattr(select, f"EPOLL{name}")
    for name in ("IN", "PRI", "OUT", "RDHUP", "ERR", "HUP")
    if hasattr(select, f"EPOLL{name}")
}
SURFACES = ["select", "poll"] + (["epoll", "epoll-et"] if EPOLL else [])


class Edges:
    """The lasting edge-triggered registration of one socket."""

    def __init__(self, fd: int, mask: int) -> None:
        self.mask = mask
        self.epoll = select.epoll()
        try:
            self.epoll.register(fd, mask | select.EPOLLET)
        except OSError:
            self.epoll.close()
            raise


def mask_of(events: Sequence[str], known: dict[str, int]) -> int:
    """Return the bits of `events`; raises Unsupported for a name that this surface does not have."""
    for name in events:
        if name not in known:
            raise Unsupported(f"no event {name!r} here; there are {', '.join(known)}")
    return sum(known[name] for name in set(events))


def by_select(fd: int, events: Sequence[str], wait_s: float, timed: Timed) -> list[str]:
    """Ask select(2). Raises ValueError for a descriptor that does not fit in an fd_set."""
    mask_of(events, {"IN": 1, "OUT": 2, "PRI": 4})
    reading, writing, exceptional = ([fd] if name in events else [] for name in ("IN", "OUT", "PRI"))
    ready = timed(lambda: select.select(reading, writing, exceptional, wait_s))
    return [name for name, found in zip(("IN", "OUT", "PRI"), ready, strict=True) if found]


def by_poll(fd: int, events: Sequence[str], wait_s: float, timed: Timed) -> list[str]:
    """Ask poll(2); HUP, ERR and NVAL are told unasked."""
    poll = select.poll()
    poll.register(fd, mask_of(events, POLL))
    return _names(timed(lambda: poll.poll(wait_s * 1000)), POLL)


def by_epoll(fd: int, events: Sequence[str], wait_s: float, timed: Timed, open_now: set[select.epoll]) -> list[str]:
    """Ask epoll_wait(2), level-triggered, with a registration made for this one call, which is in `open_now` meanwhile.

    Its owner can end the call by closing it: unlike poll, epoll_wait does not end when the socket is closed.
    """
    with select.epoll() as epoll:
        open_now.add(epoll)
        try:
            epoll.register(fd, mask_of(events, EPOLL))
            return _names(timed(lambda: epoll.poll(wait_s)), EPOLL)
        finally:
            open_now.discard(epoll)


def by_edges(edges: Edges, wait_s: float, timed: Timed) -> list[str]:
    """Ask epoll_wait(2) on a lasting edge-triggered registration."""
    return _names(timed(lambda: edges.epoll.poll(wait_s)), EPOLL)


def _names(told: Sequence[tuple[int, int]], known: dict[str, int]) -> list[str]:
    bits = told[0][1] if told else 0
    return [name for name, bit in known.items() if bits & bit]
