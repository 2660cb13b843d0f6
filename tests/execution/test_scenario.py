# SPDX-License-Identifier: MIT
"""Scenarios: every order that is left open, each once, and each step in its turn."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.execution.scenario import Label, Part, Scenario, linear_extensions, play, shown
from conformance.trace.events import End


def nothing(part: Part) -> None:
    pass


def scenario(client: list[Label], server: list[Label], order: list[tuple[Label, Label]]) -> Scenario:
    return Scenario(dict.fromkeys(client, nothing), dict.fromkeys(server, nothing), order)


SEED = scenario([1, 6, 7, 8], [2, 3, 4, 5, "5'"], [(1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8), (5, "5'")])


def test_the_seed_leaves_four_places_for_step_5_prime() -> None:
    assert [shown(order) for order in linear_extensions(SEED)] == [
        "1-2-3-4-5-6-7-8-5'",
        "1-2-3-4-5-6-7-5'-8",
        "1-2-3-4-5-6-5'-7-8",
        "1-2-3-4-5-5'-6-7-8",
    ]


def test_a_step_left_out_leaves_the_order_of_the_others() -> None:
    assert [shown(order) for order in linear_extensions(SEED.without(3, 7))] == [
        "1-2-4-5-6-8-5'",
        "1-2-4-5-6-5'-8",
        "1-2-4-5-5'-6-8",
    ]


def test_nothing_at_all_has_one_order() -> None:
    assert list(linear_extensions(scenario([], [], []))) == [()]


@pytest.mark.parametrize(
    ("client", "server", "order", "says"),
    [
        ([1], [1], [], "both ends: 1"),
        ([1], [2], [(1, 3)], "these names: 3"),
        ([1, 3], [2], [(1, 2), (2, 3), (3, 1)], "before themselves: 1, 2, 3"),
        ([1], [], [(1, 1)], "before themselves: 1"),
    ],
)
def test_an_order_that_cannot_be_is_refused(
    client: list[Label], server: list[Label], order: list[tuple[Label, Label]], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        scenario(client, server, order)


def test_a_step_that_there_is_not_cannot_be_replaced() -> None:
    with pytest.raises(ValueError, match="these names: 9"):
        SEED.with_steps({9: nothing})


@st.composite
def partial_orders(draw: st.DrawFn) -> Scenario:
    """Up to six steps in a hidden sequence, of either end, with pairs that respect that sequence."""
    labels = draw(st.permutations(range(draw(st.integers(0, 6)))))
    mine = {label for label in labels if draw(st.booleans())}
    pairs = [pair for pair in itertools.combinations(labels, 2) if draw(st.booleans())]
    return scenario(
        [x for x in labels if x in mine], [x for x in labels if x not in mine], draw(st.permutations(pairs))
    )


@given(partial_orders())
def test_exactly_the_permutations_that_respect_the_order(partial: Scenario) -> None:
    found = list(linear_extensions(partial))
    allowed = {
        order
        for order in itertools.permutations(partial.labels)
        if all(order.index(first) < order.index(then) for first, then in partial.order)
    }
    assert len(found) == len(set(found))
    assert set(found) == allowed
    assert found == list(linear_extensions(partial))


@given(partial_orders(), st.data())
def test_leaving_steps_out_is_leaving_them_out_of_each_order(partial: Scenario, data: st.DataObject) -> None:
    left_out = data.draw(st.sets(st.sampled_from(partial.labels))) if partial.labels else set()
    remaining = set(linear_extensions(partial.without(*left_out)))
    assert remaining == {tuple(x for x in order if x not in left_out) for order in linear_extensions(partial)}


class Ends:
    """As much of a connection as `play` needs: two ends by name, a link, and a recorder of notes."""

    def __init__(self) -> None:
        self.recorder = self
        self.link = None
        self.notes: list[tuple[str, End | None, str]] = []
        self.ends = {end: End_(end) for end in End}

    def at(self, end: End) -> Any:
        return self.ends[end]

    def note(self, what: str, end: End | None = None, **details: Any) -> None:
        self.notes.append((what, end, details["step"]))


class End_:
    def __init__(self, end: End) -> None:
        self.end = end


class Remembering:
    """A step that says when it is prepared and when it happens."""

    def __init__(self, label: Label, told: list[str], comes: bool = True) -> None:
        self.label, self.told, self.comes = label, told, comes

    def prepare(self, part: Part) -> None:
        self.told.append(f"prepare {self.label}")

    def __call__(self, part: Part) -> bool:
        self.told.append(f"{part.endpoint.end}:{self.label}")
        return self.comes


@pytest.mark.parametrize("client", list(End))
def test_play_prepares_everything_then_takes_each_step_in_its_turn(client: End) -> None:
    told: list[str] = []
    ends: Any = Ends()
    one = Scenario({1: Remembering(1, told)}, {2: Remembering(2, told), "2'": nothing}, [(1, 2)])
    play(ends, one, ("2'", 1, 2), client=client)
    assert told == ["prepare 1", "prepare 2", f"{client}:1", f"{client.other}:2"]
    assert ends.notes == [("step", client.other, "2'"), ("step", client, "1"), ("step", client.other, "2")]


def test_a_step_that_waits_in_vain_ends_the_scenario() -> None:
    told: list[str] = []
    ends: Any = Ends()
    play(ends, Scenario({1: Remembering(1, told, comes=False), 2: Remembering(2, told)}, {}), (1, 2), client=End.IUT)
    assert told == ["prepare 1", "prepare 2", "iut:1"]
    assert ends.notes[-1] == ("waited in vain", End.IUT, "1")
