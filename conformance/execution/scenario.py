# SPDX-License-Identifier: MIT
"""Scenarios as partial orders: the steps of two ends, written once, and every order that the scenario leaves open.

A step is a function of its `Part`, or a small frozen value that can be called like one. One that has to be got ready
before the first step happens (a registration, a posted receive) has a `prepare` too. `linear_extensions` lists the
orders, `play` makes one of them happen: each step's calls have returned before the next step begins.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from conformance.execution.connection import Connection, Link
from conformance.execution.endpoint import Endpoint
from conformance.trace.events import End

Label = int | str
"""The name of a step, as the scenario's source has it."""
Order = tuple[Label, ...]


@dataclass
class Part:
    """One end as its steps are given it; `kept` is what one step leaves for the later ones of the same end."""

    endpoint: Endpoint
    link: Link
    kept: dict[str, Any] = field(default_factory=dict)


Step = Callable[[Part], bool | None]
"""What one end does. False says that what it waited for did not come: the scenario cannot go on."""


@runtime_checkable
class Prepared(Protocol):
    """A step that has something to do before the first step happens."""

    def prepare(self, part: Part) -> None:
        """Do it."""


@dataclass(frozen=True)
class Scenario:
    """The steps of the two ends, and which must come before which. Raises ValueError for an order that cannot be."""

    client: Mapping[Label, Step]
    server: Mapping[Label, Step]
    order: Collection[tuple[Label, Label]] = ()

    def __post_init__(self) -> None:
        if twice := self.client.keys() & self.server.keys():
            raise ValueError(f"steps of both ends: {_listed(twice)}")
        if unknown := {label for pair in self.order for label in pair} - {*self.client, *self.server}:
            raise ValueError(f"no steps of these names: {_listed(unknown)}")
        reached = _closure(self.order)
        if circular := {label for label, after in reached.items() if label in after}:
            raise ValueError(f"steps that would have to come before themselves: {_listed(circular)}")

    @property
    def labels(self) -> Order:
        """The names of all steps, in the sequence in which the scenario's pairs first name them, then the others."""
        return tuple(dict.fromkeys([*(label for pair in self.order for label in pair), *self.client, *self.server]))

    def with_steps(self, steps: Mapping[Label, Step]) -> Scenario:
        """The same scenario with other steps under these names."""
        if unknown := steps.keys() - {*self.client, *self.server}:
            raise ValueError(f"no steps of these names: {_listed(unknown)}")
        client = {label: steps.get(label, step) for label, step in self.client.items()}
        server = {label: steps.get(label, step) for label, step in self.server.items()}
        return replace(self, client=client, server=server)

    def without(self, *left_out: Label) -> Scenario:
        """The same scenario with steps left out; what came before them still comes before what came after."""
        reached = _closure(self.order)
        kept = [label for label in self.labels if label not in left_out]
        return Scenario(
            client={label: step for label, step in self.client.items() if label not in left_out},
            server={label: step for label, step in self.server.items() if label not in left_out},
            order=tuple((first, then) for first in kept for then in kept if then in reached.get(first, ())),
        )


def _listed(labels: Iterable[Label]) -> str:
    return ", ".join(sorted(map(str, labels)))


def _closure(order: Iterable[tuple[Label, Label]]) -> dict[Label, set[Label]]:
    """For each step that comes before others: all that come after it, directly or not."""
    after: dict[Label, set[Label]] = {}
    for first, then in order:
        after.setdefault(first, set()).add(then)
    for middle in list(after):
        for reached in after.values():
            if middle in reached:
                reached |= after[middle]
    return after


def linear_extensions(scenario: Scenario) -> Iterator[Order]:
    """Every order of the steps that the scenario allows, each once, always in the same sequence."""
    labels = scenario.labels
    before = {label: {first for first, then in scenario.order if then == label} for label in labels}

    def extended(done: Order) -> Iterator[Order]:
        if len(done) == len(labels):
            yield done
        for label in labels:
            if label not in done and before[label] <= set(done):
                yield from extended((*done, label))

    return extended(())


def shown(order: Order) -> str:
    """An order as the id of a case: 1-2-3-4-5-5'-6-7-8."""
    return "-".join(map(str, order))


def play(connection: Connection, scenario: Scenario, order: Order, *, client: End) -> None:
    """Make the steps happen in this order; `client` is the end that plays the client, whoever connected.

    Everything that has to be prepared is, first. Each step and its end are noted. Where a step waits in vain, that is
    noted, and the scenario ends there.
    """
    parts = {client: Part(connection.at(client), connection.link)}
    parts[client.other] = Part(connection.at(client.other), connection.link)
    steps = {label: (parts[client], step) for label, step in scenario.client.items()}
    steps |= {label: (parts[client.other], step) for label, step in scenario.server.items()}
    for label in order:
        part, step = steps[label]
        if isinstance(step, Prepared):
            step.prepare(part)
    for label in order:
        part, step = steps[label]
        connection.recorder.note("step", part.endpoint.end, step=str(label))
        if step(part) is False:
            connection.recorder.note("waited in vain", part.endpoint.end, step=str(label))
            return


class Notice(StrEnum):
    """By what an end is told that the other one has ended."""

    EVENT = "event"
    """FD_CLOSE in the record of network events."""
    MESSAGE = "message"
    """FD_CLOSE posted to the end."""
    RECEIVE = "receive"
    """A blocking receive: 0 bytes, or WSAEDISCON."""
    COMPLETION = "completion"
    """The completion of a receive that was posted before the first step."""


@dataclass(frozen=True)
class Told:
    """The step of being told of the other end's end, by one kind of notice."""

    by: Notice

    def prepare(self, part: Part) -> None:
        """Register for FD_CLOSE, or post the receive."""
        match self.by:
            case Notice.EVENT | Notice.MESSAGE:
                part.endpoint.select_events("FD_CLOSE", mechanism=self.by)
            case Notice.COMPLETION:
                part.kept["token"] = part.endpoint.post_read()

    def __call__(self, part: Part) -> bool:
        """Wait for the notice; False if it does not come."""
        match self.by:
            case Notice.EVENT | Notice.MESSAGE:
                return part.endpoint.await_event("FD_CLOSE", mechanism=self.by)
            case Notice.COMPLETION:
                return part.endpoint.completed(part.kept["token"])
            case Notice.RECEIVE:
                reply = part.endpoint.read()
                return reply.result is not None or reply.error is not None
