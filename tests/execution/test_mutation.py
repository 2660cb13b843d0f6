# SPDX-License-Identifier: MIT
"""Mutants as providers: the profile of one, and what is said of mutants that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance import locations
from conformance.agents.mutating.mutants import Mutant
from conformance.catalogue.catalogue import load as catalogue
from conformance.execution import profile as profiles
from conformance.execution.mutation import BadMutant, find_all, mutated, mutations, read

TEMPLATE = '''
from conformance.agents.mutating import mutant

@mutant(kills={kills}, over={over}, claims=("DISCONNECT_DATA",), states={states})
def wrong({parameter}):
    """It is wrong."""
    return {parameter}
'''


def written(
    folder: Path,
    *,
    kills: object = "IND-STREAM-01",
    over: object = "kernel-tcp",
    parameter: str = "reply",
    states: object = None,
) -> Mutant:
    path = folder / "mutants.py"
    path.write_text(TEMPLATE.format(kills=repr(kills), over=repr(over), parameter=parameter, states=repr(states)))
    return read(path)["wrong"]


def test_a_mutated_provider_is_the_sound_one_with_another_agent_and_a_sound_peer(tmp_path: Path) -> None:
    mutant = written(tmp_path)
    sound, broken = profiles.find("kernel-tcp"), mutated(mutant, "kernel-tcp").profile
    assert broken.name == "kernel-tcp+wrong"
    assert broken.agent.command[:6] == (
        *("{python}", "-m", "conformance.agents.mutating", str(tmp_path / "mutants.py"), "wrong", "--"),
    )
    assert broken.agent.command[6:] == sound.agent.command
    assert broken.peer.provider == "kernel-tcp"
    assert broken.run == sound.run
    assert set(broken.statement.service_flags) - set(sound.statement.service_flags) == {"DISCONNECT_DATA"}


def test_a_mutant_may_state_something_else_than_the_sound_provider(tmp_path: Path) -> None:
    states = {"platform": "windows", "service_flags": ["GRACEFUL_CLOSE"]}
    sound, broken = profiles.find("kernel-tcp"), mutated(written(tmp_path, states=states), "kernel-tcp").profile
    assert (broken.statement.platform, broken.statement.service_flags) == ("windows", ("GRACEFUL_CLOSE",))
    assert (broken.statement.family, broken.statement.transport) == (sound.statement.family, sound.statement.transport)


@pytest.mark.parametrize("states", [{"plattform": "windows"}, {"service_flags": 7}, {"service_flags": ["GRACIOUS"]}])
def test_a_statement_that_cannot_be_is_told_with_the_mutants_file(tmp_path: Path, states: object) -> None:
    with pytest.raises(BadMutant, match=r"mutants\.py: wrong: states: ") as told:
        mutated(written(tmp_path, states=states), "kernel-tcp")
    assert told.value.hint


def test_one_that_is_wrong_on_the_link_has_the_sound_agent(tmp_path: Path) -> None:
    made = mutated(written(tmp_path, parameter="segment"), "kernel-tcp")
    assert made.profile.agent == profiles.find("kernel-tcp").agent
    assert made.rewriter() is not None
    assert mutated(written(tmp_path), "kernel-tcp").rewriter() is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kills": "IND-STREM-01"}, "no requirement 'IND-STREM-01'"),
        ({"kills": "IND-ABORT-04"}, "IND-ABORT-04 is informative"),
        ({"kills": ()}, "kills and over"),
        ({"over": ()}, "kills and over"),
        ({"parameter": "anything"}, "'anything' is none of"),
        ({"parameter": "reply, / ]"}, "SyntaxError"),
    ],
)
def test_a_mutant_that_cannot_be_used_is_told_with_its_file(tmp_path: Path, wrong: dict[str, str], said: str) -> None:
    with pytest.raises(BadMutant, match=r"mutants\.py") as told:
        written(tmp_path, **wrong)
        find_all(tmp_path)
    assert said in str(told.value)
    assert told.value.hint


def test_a_folder_without_mutants_and_a_provider_that_is_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadMutant, match="no mutants are there"):
        find_all(tmp_path)
    with pytest.raises(profiles.BadProfile, match="no provider 'pigeon'"):
        mutations([written(tmp_path, over="pigeon")])


def test_two_mutants_of_one_name_are_told(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "others.py").write_text((tmp_path / "mutants.py").read_text())
    with pytest.raises(BadMutant, match=r"others.py.*'wrong' already"):
        find_all(tmp_path)


def test_the_suites_own_mutants_can_be_used() -> None:
    found = find_all(locations.mutants())
    made = mutations(found)
    assert len({each.name for each in made}) == len(made)
    for each in made:
        applying = [kill for kill in each.mutant.kills if catalogue()[kill].unmet(each.profile.statement) is None]
        conditions = {kill: str(catalogue()[kill].applies_if) for kill in each.mutant.kills}
        named = [kill for kill, those in conditions.items() if "surface:" in those or "op:" in those]  # hello tells
        assert applying or named, f"nothing that {each.name} must die on applies there"
