# SPDX-License-Identifier: MIT
"""Mutation testing, tried on a module of a few lines: a test that looks kills, one that does not lets live."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("cosmic_ray", reason="pip install '.[mutation]'")

ROOT = Path(__file__).parents[2]
CODE = '''
"""Limits."""

from dataclasses import dataclass

GREATEST = 10


@dataclass(frozen=True)
class Limit:
    """A limit, and whether something is within it."""

    least: int = 1

    def holds(self, number: int, *, strictly: bool = False) -> bool:
        """It is neither below nor above."""
        if strictly and number == GREATEST:
            return False
        return self.least <= number <= GREATEST

    def counted(self, numbers: "list[int] | None") -> str:
        """How many are."""
        left = list(numbers or ())
        while left and not self.holds(left[-1]):
            left.pop()
        return f"{len(left) + 0} of {1 + len(numbers or ())}"
'''
GOOD = """
from limits.limits import Limit

def test_both_sides_of_both_edges():
    assert [Limit().holds(n) for n in (0, 1, 2, 9, 10, 11)] == [False, True, True, True, True, False]

def test_strictly():
    assert Limit().holds(9, strictly=True)
    assert not Limit().holds(10, strictly=True)

def test_counted():
    assert Limit().counted([1, 2, 0, 11]).startswith("2 of")
    assert Limit().counted([1]).startswith("1 of")
    assert Limit().counted(None).startswith("0 of")
"""
CANNOT_FAIL = """
from limits.limits import Limit

def test_nothing():
    assert Limit().holds(5) is not True or True
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A module, in a place of its own."""
    (tmp_path / "limits").mkdir()
    (tmp_path / "limits" / "limits.py").write_text(CODE, "utf-8")
    (tmp_path / "checks").mkdir()
    return tmp_path


def tried(tree: Path, tests: str, *options: str, reasons: str = "") -> subprocess.CompletedProcess[str]:
    """What the command says of the module and these tests."""
    (tree / "checks" / "test_limits.py").write_text(tests, "utf-8")
    (tree / "reasons.toml").write_text(reasons, "utf-8")
    command = [sys.executable, "-m", "tests.mutation", "--code", "limits", "--tests", "checks"]
    return subprocess.run(
        [*command, "--session", "known", "--reasons", "reasons.toml", *options],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": f"{ROOT}", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
    )


def figures(said: str) -> list[str]:
    """The row of all modules."""
    (row,) = (line for line in said.splitlines() if line.startswith("│ all"))
    return [cell.strip() for cell in row.strip("│").split("│")][1:]


def test_tests_that_look_kill(tree: Path) -> None:
    done = tried(tree, GOOD)
    assert done.returncode == 0, done.stdout + done.stderr
    mutants, died, _, explained, left, share = figures(done.stdout)
    assert int(mutants) >= 20
    assert (died, explained, left, share) == (mutants, "0", "0", "100.0")
    assert "all are tried" in done.stdout


def test_tests_that_cannot_fail_let_live(tree: Path) -> None:
    done = tried(tree, CANNOT_FAIL)
    assert done.returncode == 1
    mutants, died, _, _, left, share = figures(done.stdout)
    assert int(died) + int(left) == int(mutants)
    assert float(share) < 50
    assert "  - return self.least <= number <= GREATEST\n  + return self.least <= number < GREATEST" in done.stdout


WITHOUT_AN_EDGE = GOOD.replace("0, 1, 2, 9, 10, 11", "0, 1, 2, 9, 11").replace(
    "True, True, True, True, False]", "True, True, True, False]"
)
REASON = """
[[survivor]]
because = "ten is not of interest"
operators = ["ReplaceComparisonOperator_LtE_"]
lines = ["limits: return self.least <= number <= GREATEST"]
"""


def test_a_survivor_needs_a_reason_and_a_reason_a_survivor(tree: Path) -> None:
    done = tried(tree, WITHOUT_AN_EDGE)
    assert done.returncode == 1
    assert "  + return self.least <= number < GREATEST" in done.stdout
    done = tried(tree, WITHOUT_AN_EDGE, "--show", reasons=REASON)
    assert "  + return self.least <= number < GREATEST" not in done.stdout
    assert int(figures(done.stdout)[3]) == 1
    done = tried(tree, GOOD, "--again", reasons=REASON)
    assert "a reason for nothing: limits: return self.least" in done.stdout


def test_what_was_tried_is_known_until_the_module_changes(tree: Path) -> None:
    sample = figures(tried(tree, GOOD, "--sample", "5").stdout)
    assert 3 < int(sample[0]) < 10
    done = tried(tree, GOOD, "--show")
    assert done.returncode == 1  # not all are tried
    assert figures(done.stdout) == sample
    assert "not tried yet" in done.stdout
    module = tree / "limits" / "limits.py"
    module.write_text(module.read_text("utf-8").replace("GREATEST = 10", "GREATEST = 2 * 5"), "utf-8")
    assert figures(tried(tree, GOOD, "--show").stdout)[0] == "0"


REMEMBERED = """
from functools import cache

@cache
def twice(number: int) -> int:
    return number + number
"""
ASKED_BEFORE = """
from limits.limits import twice

ANSWER = twice(3)

def test_twice():
    assert twice(3) == ANSWER == 6
"""


def test_what_was_remembered_before_the_change_hides_nothing(tree: Path) -> None:
    (tree / "limits" / "limits.py").write_text(REMEMBERED, "utf-8")
    done = tried(tree, ASKED_BEFORE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert figures(done.stdout)[-1] == "100.0"


def test_tests_that_fail_by_themselves_are_told(tree: Path) -> None:
    done = tried(tree, GOOD.replace("2 of", "3 of"))
    assert done.returncode == 2
    assert "test_limits.py::test_counted" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_module_that_is_not_there_is_wrong_usage(tree: Path) -> None:
    done = tried(tree, GOOD, "--module", "limit")
    assert done.returncode == 2
    assert "no module of limits: limit" in done.stderr
    done = tried(tree, GOOD, "--code", "elsewhere")
    assert done.returncode == 2
    assert "no module in elsewhere" in done.stderr
