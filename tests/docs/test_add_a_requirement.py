# SPDX-License-Identifier: MIT
"""docs/add-a-requirement.md can be followed, and adds what it says and nothing else."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from conformance.catalogue import catalogue
from tests.docs.following import FOLDERS, Edit, carry_out, copy_to, steps, type_in
from tests.docs.test_docs import ROOT

PAGE = ROOT / "docs" / "add-a-requirement.md"
EDITS = [step for step in steps(PAGE) if isinstance(step, Edit)]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return copy_to(tmp_path)


def test_what_it_adds_is_not_there_yet() -> None:
    (appended,) = [edit for edit in EDITS if not edit.is_new]
    (row,) = tomllib.loads(appended.text)["requirement"]
    assert row["id"] not in catalogue.load()
    assert [Path(edit.path).parts[0] for edit in EDITS if edit.is_new] == ["cases", "fixtures", "tests", "conformance"]
    assert all(row["id"] in edit.text for edit in EDITS)


def test_what_it_adds_is_as_the_repository_wants_it(copy: Path) -> None:
    for edit in EDITS:
        carry_out(edit, copy)
    made = [edit.path for edit in EDITS if edit.path.endswith(".py")]
    for words in (["check"], ["format", "--check"]):
        done = subprocess.run([sys.executable, "-m", "ruff", *words, *made], cwd=copy, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_it_can_be_followed(copy: Path) -> None:
    for step in steps(PAGE):
        if isinstance(step, Edit):
            carry_out(step, copy)
        else:
            type_in(step, copy)
    before = {path.relative_to(ROOT) for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")}
    after = {path.relative_to(copy) for folder in FOLDERS for path in (copy / folder).rglob("*.py")}
    assert after - before == {Path(edit.path) for edit in EDITS if edit.is_new}
