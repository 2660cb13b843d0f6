# SPDX-License-Identifier: MIT
"""The shape of the code: imports go one way, packets are scapy's in one place, and cases assert nothing."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "conformance"

MAY_IMPORT = {
    "catalogue": set[str](),
    "trace": {"catalogue"},
    "oracle": {"trace", "catalogue"},
    "reporting": {"oracle", "trace", "catalogue", "locations"},
    "agents": {"trace", "stderr", "locations"},
    "wire": {"trace", "stderr"},
    "execution": {"agents", "wire", "trace", "catalogue", "locations"},
}
"""What each folder may import of the others; `session` and `cli` are where they meet."""


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_go_one_way(folder: str) -> None:
    for path in (PACKAGE / folder).rglob("*.py"):
        for name in imported(path):
            parts = name.split(".")
            if parts[0] == "conformance" and len(parts) > 1:
                assert parts[1] in MAY_IMPORT[folder] | {folder}, f"{path.name} imports {name}"


def test_only_the_wire_imports_scapy_and_agents_import_neither_it_nor_pytest() -> None:
    for path in PACKAGE.rglob("*.py"):
        roots = {name.split(".")[0] for name in imported(path)}
        assert "scapy" not in roots or path.is_relative_to(PACKAGE / "wire"), path
        assert "pytest" not in roots or not path.is_relative_to(PACKAGE / "agents"), path


def test_cases_assert_nothing() -> None:
    for path in (ROOT / "cases").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.Assert)], path


def test_every_source_says_its_licence() -> None:
    for folder in ("conformance", "cases", "fixtures", "tests", "benchmarks"):
        for path in (ROOT / folder).rglob("*.py"):
            assert path.read_text(encoding="utf-8").startswith("# SPDX-License-Identifier: MIT\n"), path
    for path in (ROOT / "fixtures" / "agents").rglob("*.[ch]"):
        assert path.read_text(encoding="utf-8").startswith("/* SPDX-License-Identifier: MIT */\n"), path


def test_no_mutants_are_in_a_file_with_the_name_of_a_module_of_python() -> None:
    """In an editable installation pytest takes these files for modules of the plugin, and warns of one that it has."""
    names = {path.stem for path in (ROOT / "fixtures" / "mutants").glob("*.py")}
    assert not names & sys.stdlib_module_names
