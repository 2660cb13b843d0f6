# SPDX-License-Identifier: MIT
"""The words that cases are written with. A case is stimulus only: it asserts nothing about the outcome."""

from __future__ import annotations

import pytest

from conformance.catalogue.catalogue import load, nearest
from conformance.catalogue.conditions import parse
from conformance.execution.connection import Connection
from conformance.execution.endings import Close, Death, Ending, Shutdown, ShutdownThenClose
from conformance.trace.events import End
from conformance.wire.rules import Selection

__all__ = [
    "IUT",
    "PEER",
    "Close",
    "Connection",
    "Death",
    "End",
    "Ending",
    "Selection",
    "Shutdown",
    "ShutdownThenClose",
    "both_roles",
    "exercises",
    "on",
    "waits",
    "where",
]

IUT, PEER = End.IUT, End.PEER

both_roles = pytest.mark.both_roles
"""The case is run with the IUT as the end that connects, and again as the end that accepts."""


def exercises(*requirements: str) -> pytest.MarkDecorator:
    """Name the requirements that the case is meant to exercise. Raises ValueError for one that there is not."""
    for identity in requirements:
        if identity not in load():
            raise ValueError(f"no requirement {identity!r} in the catalogue; near: {', '.join(nearest(identity))}")
    return pytest.mark.exercises(*requirements)


def on(topology: str) -> pytest.MarkDecorator:
    """Run the case on this topology, whatever the run's own is: its stimulus needs it."""
    return pytest.mark.on(topology)


def waits(seconds: float) -> pytest.MarkDecorator:
    """How long the case is expected to wait; the longest are started first."""
    return pytest.mark.waits(seconds)


def where(*conditions: str) -> pytest.MarkDecorator:
    """Plan the case only for implementations whose statement meets these conditions of the catalogue's language."""
    for clause in conditions:
        parse(clause)
    return pytest.mark.where(*conditions)
