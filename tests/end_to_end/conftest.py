# SPDX-License-Identifier: MIT
"""Running the suite as a user does: its command in a process of its own, in a directory of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.reporting.results import Results, load

Run = Callable[..., "subprocess.CompletedProcess[str]"]
LIMIT_S = 120


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`run("run", "--provider", …)`: the finished process, with its output as text."""

    def command(
        *arguments: str, program: tuple[str, ...] = ("-m", "conformance.cli")
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *program, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT_S
        )

    return command


def verdicts(output: Path) -> dict[str, dict[str, str]]:
    """Verdict by requirement, by provider, as the results in that directory have it."""
    results: Results = load(output / "results.json")
    return {p.name: {r.id: str(r.verdict) for r in p.requirements} for p in results.providers}
