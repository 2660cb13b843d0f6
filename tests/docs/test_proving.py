# SPDX-License-Identifier: MIT
"""docs/proving.md: each of its commands proves what it says, in the bounded form in which the page has it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.docs.following import Commands, copy_to, steps, type_in
from tests.docs.test_docs import ROOT

COMMANDS = [step for step in steps(ROOT / "docs" / "proving.md") if isinstance(step, Commands)]
NEEDS = {"tests.fuzz": ("fuzz", "atheris"), "tests.mutation": ("mutation", "cosmic_ray")}
"""The extra, and a module of it, that a part of the suite's own tests needs."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_to(tmp_path_factory.mktemp("copy"))


@pytest.mark.parametrize("commands", COMMANDS, ids=lambda commands: commands.typed[0].partition(" --")[0])
def test_what_the_page_runs(commands: Commands, copy: Path) -> None:
    for part, (extra, module) in NEEDS.items():
        if f"-m {part}" in " ".join(commands.typed) and importlib.util.find_spec(module) is None:
            pytest.skip(f"pip install 'shutdown-conformance[{extra}]'")
    type_in(commands, copy)


def test_every_part_of_the_proof_has_its_command() -> None:
    typed = " ".join(line for commands in COMMANDS for line in commands.typed)
    for part in ("mutants", "soak", "tests/oracle", "tests/attack", "tests/fuzz", "tests.fuzz", "tests.mutation"):
        assert part in typed
