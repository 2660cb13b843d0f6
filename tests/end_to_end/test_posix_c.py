# SPDX-License-Identifier: MIT
"""Two agents that share no line of code, asked the same about the same kernel: what is judged must be the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.agents.native.compilers import find_compiler
from conformance.agents.native.storing import CannotHave
from conformance.agents.native.targets import find
from tests.end_to_end.conftest import Run, verdicts


def test_the_agent_in_c_is_judged_like_the_one_in_python(run: Run, tmp_path: Path) -> None:
    try:
        find_compiler(find("posix-c"))
    except CannotHave as missing:
        pytest.skip(f"{missing}; {missing.hint}")
    ended = run("run", "--provider", "posix-c", "--provider", "kernel-tcp", "--output", "report")
    assert ended.returncode in (0, 1), ended.stdout + ended.stderr  # the kernel's own red cells are red for both
    found = verdicts(tmp_path / "report")
    assert found["posix-c"] == found["kernel-tcp"]
    assert "pass" in found["posix-c"].values()
