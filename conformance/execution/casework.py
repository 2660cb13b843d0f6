# SPDX-License-Identifier: MIT
"""The words that cases are written with. A case is stimulus only: it asserts nothing about the outcome."""

from __future__ import annotations

import pytest

from conformance.catalogue.catalogue import load, nearest
from conformance.catalogue.conditions import parse
from conformance.catalogue.statement import SERVICE_FLAGS, unknown_word
from conformance.execution.connection import Connection, establish, establish_two
from conformance.execution.endings import (
    Close,
    Death,
    DisconnectEx,
    Ending,
    SendDisconnect,
    Shutdown,
    ShutdownThenClose,
)
from conformance.execution.lastword import LastWord
from conformance.trace.events import End
from conformance.wire.forging import Place
from conformance.wire.rules import Selection

__all__ = [
    "IUT",
    "PEER",
    "POSTS",
    "SURFACES",
    "Close",
    "Connection",
    "Death",
    "DisconnectEx",
    "End",
    "Ending",
    "LastWord",
    "Place",
    "Selection",
    "SendDisconnect",
    "Shutdown",
    "ShutdownThenClose",
    "both_roles",
    "establish",
    "establish_two",
    "exercises",
    "on",
    "peer",
    "posts",
    "probes",
    "thorough",
    "waits",
    "where",
]

IUT, PEER = End.IUT, End.PEER
_ASKED_FOR = ("event", "routine", "port")
_COMPLETING = {
    "": ("op:post_recv", *(f"not surface:overlapped-{name}" for name in _ASKED_FOR)),
    **{name: ("op:post_recv", f"surface:overlapped-{name}") for name in _ASKED_FOR},
}


def posts(*marks: pytest.MarkDecorator) -> list[object]:
    """How a posted operation is to complete, as values of a parameter with these marks.

    By each mechanism that can be asked for; where none can, as the agent has it (empty).
    """
    return [
        pytest.param(name, marks=(pytest.mark.where(*conditions), *marks), id=f"posted-{name}" if name else "posted")
        for name, conditions in _COMPLETING.items()
    ]


POSTS = posts()
SURFACES = (
    *("blocking", "nonblocking", "select", "poll", "epoll", "wsapoll", "event", "message"),
    *("overlapped", *(f"overlapped-{name}" for name in _ASKED_FOR)),
)
"""What `read_to_the_end` can be told by; a case with an argument `surface` is planned for those that are claimed."""

both_roles = pytest.mark.both_roles
"""The case is run with the IUT as the end that connects, and again as the end that accepts."""

thorough = pytest.mark.thorough
"""The case is one of very many: it is run only where the mark is asked for, by `-k thorough`."""


def exercises(*requirements: str) -> pytest.MarkDecorator:
    """Name the requirements that the case is meant to exercise. Raises ValueError for one that there is not."""
    for identity in requirements:
        if identity not in load():
            raise ValueError(f"no requirement {identity!r} in the catalogue; near: {', '.join(nearest(identity))}")
    return pytest.mark.exercises(*requirements)


def probes(*claims: str) -> pytest.MarkDecorator:
    """Name the service flags that the case tries out: it is planned for those who claim them, and for the others.

    Raises ValueError for what is no service flag.
    """
    for claim in claims:
        if claim not in SERVICE_FLAGS:
            raise ValueError(unknown_word("service flag", claim, SERVICE_FLAGS))
    return pytest.mark.probes(*claims)


def on(topology: str) -> pytest.MarkDecorator:
    """Run the case on this topology, whatever the run's own is: its stimulus needs it."""
    return pytest.mark.on(topology)


def peer(provider: str) -> pytest.MarkDecorator:
    """Have this provider play the other end: over the layer below, a case can so play the peer octet by octet."""
    return pytest.mark.peer(provider)


def waits(seconds: float) -> pytest.MarkDecorator:
    """How long the case is expected to wait; the longest are started first."""
    return pytest.mark.waits(seconds)


def where(*conditions: str) -> pytest.MarkDecorator:
    """Plan the case only for implementations whose statement meets these conditions of the catalogue's language."""
    for clause in conditions:
        parse(clause)
    return pytest.mark.where(*conditions)
