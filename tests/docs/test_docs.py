# SPDX-License-Identifier: MIT
"""Every command in the docs works: each console block is run as it stands, in order, in a directory of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.agents.native.compilers import find_compiler
from conformance.agents.native.storing import CannotHave
from conformance.agents.native.targets import find
from conformance.agents.native.wine import find_wine
from conformance.catalogue.catalogue import load

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
LIMIT_S = 120
FOLLOWED = ("add-a-requirement", "proving")
"""Pages whose commands are given in a checkout: they are followed in a copy of it, by tests of their own."""


NEEDS: dict[str, Callable[[], object]] = {
    "native-agents": lambda: find_compiler(find("posix-c")),
    "service-provider": lambda: (find_compiler(find("reference.dll")), find_wine()),
    "windows": lambda: find_compiler(find("winsock-api.exe")),
}
"""What the commands of a page need besides the suite: raises CannotHave."""


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def commands(page: Path) -> list[str]:
    return [line.removeprefix("$ ") for block in blocks(page, "console") for line in block.splitlines()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_starts_with_a_command(page: Path) -> None:
    lines = [line for line in page.read_text(encoding="utf-8").splitlines() if line]
    assert lines[0].startswith("# ")
    assert "```console" in lines[1:3]


@pytest.mark.parametrize("page", [p for p in PAGES if p.stem not in FOLLOWED], ids=lambda page: page.stem)
def test_the_commands_of_a_page_work(page: Path, tmp_path: Path) -> None:
    try:
        if needs := NEEDS.get(page.stem):
            needs()
    except CannotHave as missing:
        pytest.skip(f"{missing}: {missing.hint}")
    for block in blocks(page, "toml"):
        profile = tomllib.loads(block)
        (tmp_path / f"{profile['implementation']['name']}.toml").write_text(block)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for command in commands(page):
        ended = subprocess.run(
            command,
            shell=True,
            cwd=tmp_path,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
        )
        assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"


def anchors(page: Path) -> set[str]:
    """The anchors of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.stem)
def test_a_page_links_only_to_what_there_is(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]*)(?:#([^)]+))?\)", page.read_text(encoding="utf-8"))
    assert links or page.stem != "README"
    for path, anchor in links:
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


def test_the_readme_leads_to_each_page() -> None:
    links = re.findall(r"\]\(docs/([^)#]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert set(links) == {page.name for page in PAGES}


def test_the_readme_says_how_many_requirements_there_are() -> None:
    assert f"{len(load())} requirements" in " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


def test_the_readme_and_the_changelog_fit_the_version() -> None:
    from conformance import __version__

    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
