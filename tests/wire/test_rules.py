# SPDX-License-Identifier: MIT
"""The rules as a pure function of what passes."""

from __future__ import annotations

import msgspec
import pytest

from conformance.trace.events import End
from conformance.wire.rules import Action, Decision, Passing, Progress, Rule, Selection, decide

FIN = Passing(End.PEER, "FA", has_data=False)
FIN_WITH_DATA = Passing(End.PEER, "FPA", has_data=True)
DATA = Passing(End.PEER, "PA", has_data=True)
ACK_OF_IUT = Passing(End.IUT, "A", has_data=False)


def run(*rules: Rule, passing: list[Passing]) -> list[Decision]:
    standing: tuple[Progress, ...] = tuple(map(Progress, rules))
    decisions = []
    for segment in passing:
        decisions.append(decide(standing, segment))
        standing = decisions[-1].rules
    return decisions


def actions(*rules: Rule, passing: list[Passing]) -> list[Action | None]:
    return [decision.action for decision in run(*rules, passing=passing)]


@pytest.mark.parametrize(
    ("selection", "passing", "expected"),
    [
        (Selection(), FIN, True),
        (Selection(End.PEER), FIN, True),
        (Selection(End.IUT), FIN, False),
        (Selection(flags="F"), FIN, True),
        (Selection(flags="AF"), FIN, True),
        (Selection(flags="FP"), FIN, False),
        (Selection(flags="F"), DATA, False),
        (Selection(without="F"), FIN, False),
        (Selection(without="F"), DATA, True),
        (Selection(without="RU"), FIN, True),
        (Selection(has_data=True), FIN, False),
        (Selection(has_data=True), FIN_WITH_DATA, True),
        (Selection(has_data=False), FIN, True),
        (Selection(has_data=False), DATA, False),
        (Selection(End.IUT, "A", "SFR", False), ACK_OF_IUT, True),
        (Selection(End.IUT, "A", "SFR", False), Passing(End.IUT, "FA", has_data=False), False),
    ],
)
def test_a_selection_matches(selection: Selection, passing: Passing, expected: bool) -> None:
    assert selection.matches(passing) is expected


def test_no_rule_lets_everything_pass() -> None:
    assert run(passing=[FIN]) == [Decision(None, (), ())]


def test_a_rule_without_count_never_ends() -> None:
    assert actions(Rule(Action.DROP), passing=[FIN] * 3) == [Action.DROP] * 3


def test_skip_and_count_bound_what_is_meant() -> None:
    rule = Rule(Action.DROP, Selection(flags="F"), skip=1, count=2)
    drop = Action.DROP
    assert actions(rule, passing=[FIN, DATA, FIN, FIN, FIN]) == [None, None, drop, drop, None]


def test_a_count_of_nothing_means_nothing() -> None:
    assert actions(Rule(Action.DROP, count=0), passing=[FIN]) == [None]


def test_the_first_rule_that_is_not_used_up_decides_and_alone_counts() -> None:
    first = Rule(Action.DROP, Selection(flags="F"), count=1)
    second = Rule(Action.REPEAT, Selection(End.PEER), count=1)
    assert actions(first, second, passing=[FIN, FIN, FIN]) == [Action.DROP, Action.REPEAT, None]


def test_what_a_rule_skips_may_be_taken_by_the_next() -> None:
    first = Rule(Action.DROP, skip=1)
    second = Rule(Action.REPEAT)
    assert actions(first, second, passing=[FIN, FIN]) == [Action.REPEAT, Action.DROP]


HOLD_DATA = Rule(Action.HOLD, Selection(End.PEER, without="F", has_data=True), until=Selection(End.PEER, "F"))


def test_a_hold_ends_when_the_awaited_segment_passes() -> None:
    decisions = run(HOLD_DATA, passing=[DATA, ACK_OF_IUT, FIN_WITH_DATA, DATA])
    assert [decision.action for decision in decisions] == [Action.HOLD, None, None, None]
    assert [decision.releases for decision in decisions] == [(), (), (0,), ()]


def test_an_awaited_segment_that_is_dropped_has_not_passed() -> None:
    drop_first_fin = Rule(Action.DROP, Selection(flags="F"), count=1)
    decisions = run(HOLD_DATA, drop_first_fin, passing=[DATA, FIN, FIN])
    assert [decision.releases for decision in decisions] == [(), (), (0,)]


def test_an_awaited_segment_that_is_repeated_has_passed() -> None:
    decisions = run(HOLD_DATA, Rule(Action.REPEAT, Selection(flags="F")), passing=[DATA, FIN])
    assert decisions[-1].action is Action.REPEAT
    assert decisions[-1].releases == (0,)


def test_deciding_changes_nothing_that_was_given() -> None:
    before = (Progress(Rule(Action.DROP, count=1)),)
    assert decide(before, FIN) == decide(before, FIN)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (Rule(Action.DROP, Selection(End.PEER, "F"), count=1), "drop the first FIN from the peer"),
        (Rule(Action.DROP, Selection(End.PEER)), "drop each segment from the peer"),
        (
            Rule(Action.REPEAT, Selection(End.IUT, "FA"), skip=1, count=2),
            "repeat the first 2 FIN+ACK from the IUT after 1",
        ),
        (HOLD_DATA, "hold each segment without FIN with data from the peer until a FIN from the peer has passed"),
    ],
)
def test_a_rule_reads_as_a_sentence(rule: Rule, text: str) -> None:
    assert str(rule) == text


def test_a_rule_can_be_stored() -> None:
    assert msgspec.json.decode(msgspec.json.encode(HOLD_DATA), type=Rule) == HOLD_DATA
