# SPDX-License-Identifier: MIT
"""Preparations: carried out once, their progress told, and what is missing told as for an agent."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from conformance.agents.problems import AgentDied, LaunchFailure, SomethingMissing
from conformance.execution import preparing, profile
from conformance.execution.profile import Profile
from tests.execution.test_profile import GOOD, written


def mine(directory: Path, *command: str) -> Profile:
    words = ", ".join(f"'''{word}'''" for word in command)
    return profile.load(written(directory, GOOD.replace("[statement]", f"prepare = [{words}]\n[statement]")))


def python(source: str) -> tuple[str, ...]:
    return ("{python}", "-c", source)


def test_progress_is_told_and_each_command_is_carried_out_once(tmp_path: Path) -> None:
    source = (
        f"import sys; open(r'{tmp_path}/log', 'a').write('x'); print('one\\ntwo', file=sys.stderr); print('x' * 99999)"
    )
    told: list[str] = []
    asked = mine(tmp_path, *python(source))
    assert asked.agent.preparation[0] == sys.executable
    assert preparing.prepare_all([asked, asked], told.append) == {}
    assert told == ["one", "two"]
    assert (tmp_path / "log").read_text() == "x"


def test_without_a_preparation_nothing_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "open_topology", None)
    assert preparing.prepare_all([profile.load(written(tmp_path, GOOD))], print) == {}


def test_what_is_missing(tmp_path: Path) -> None:
    source = "import sys; print('building', 'no compiler', 'install one', sep='\\n', file=sys.stderr); sys.exit(69)"
    problem = preparing.prepare_all([mine(tmp_path, *python(source))], lambda line: None)["mine"]
    assert isinstance(problem, SomethingMissing)
    assert (problem.why, problem.hint) == ("no compiler", "install one")


def test_any_other_failure(tmp_path: Path) -> None:
    source = "import sys; print('a traceback', file=sys.stderr); sys.exit(3)"
    problem = preparing.prepare_all([mine(tmp_path, *python(source))], lambda line: None)["mine"]
    assert isinstance(problem, AgentDied)
    assert "its preparation ended with exit status 3" in str(problem) and "a traceback" in str(problem)


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    problem = preparing.prepare_all([mine(tmp_path, "/no/such/program")], lambda line: None)["mine"]
    assert isinstance(problem, LaunchFailure)
    assert "/no/such/program" in problem.why
