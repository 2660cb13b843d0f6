# SPDX-License-Identifier: MIT
"""A page of docs/ that is followed from top to bottom in a copy of the repository.

A line that names a file (`Make …:`, `Append to …:`) is done with the block after it; a console block is run, and what
the text block after it shows must have been printed, in that order, with the exit status that it names or 0.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.docs.test_docs import LIMIT_S, ROOT

FOLDERS = ("conformance", "cases", "fixtures", "tests")
BLOCK = re.compile(
    r"(?:^(?P<verb>Make|Append to) `(?P<path>[^`]+)`:\n\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```", re.M | re.S
)
STATUS = re.compile(r"^\[exit status (\d+)\]\n", re.M)


@dataclass(frozen=True)
class Edit:
    """A file to make, or to append to."""

    path: str
    text: str
    is_new: bool


@dataclass(frozen=True)
class Commands:
    """What to type, and what the page says of it: lines, and the exit status of the last command."""

    typed: tuple[str, ...]
    shown: tuple[str, ...] = ()
    status: int = 0


def steps(page: Path) -> Iterator[Edit | Commands]:
    """What the page has its reader do, in order."""
    found = list(BLOCK.finditer(page.read_text(encoding="utf-8")))
    for block, following in zip(found, [*found[1:], None], strict=True):
        if block["path"]:
            yield Edit(block["path"], block["text"], is_new=block["verb"] == "Make")
        elif block["language"] == "console":
            shown = following["text"] if following and following["language"] == "text" else ""
            status = STATUS.search(shown)
            typed = tuple(line.removeprefix("$ ") for line in block["text"].splitlines())
            yield Commands(typed, tuple(STATUS.sub("", shown).splitlines()), int(status[1]) if status else 0)


def copy_to(place: Path) -> Path:
    """Copy the repository there, as far as a page's commands look."""
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, place / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", place)
    return place


def carry_out(edit: Edit, place: Path) -> None:
    path = place / edit.path
    assert path.exists() is not edit.is_new, f"{edit.path} is there already" if edit.is_new else edit.path
    before = "" if edit.is_new else path.read_text(encoding="utf-8") + "\n"
    path.write_text(before + edit.text, encoding="utf-8")


def type_in(commands: Commands, place: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"}
    said = ""
    for command in commands.typed:
        done = subprocess.run(
            command, shell=True, cwd=place, env=environment, capture_output=True, text=True, timeout=LIMIT_S
        )
        said += done.stdout + done.stderr
        assert done.returncode == (commands.status if command is commands.typed[-1] else 0), f"{command}\n{said}"
    check_said(commands.shown, said)


def check_said(shown: tuple[str, ...], said: str) -> None:
    """The lines stand in what was said, in that order; `…` stands for anything within a line."""
    lines = iter(said.splitlines())
    for expected in shown:
        pattern = re.compile(r"\s+".join(".*" if part == "…" else re.escape(part) for part in expected.split()))
        assert any(pattern.search(line) for line in lines), f"not said, or not in this order: {expected}\n{said}"
