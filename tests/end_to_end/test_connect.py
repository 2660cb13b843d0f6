# SPDX-License-Identifier: MIT
"""Agents that are reached by an address instead of being started."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Run, verdicts

PROFILE = """
[implementation]
name = "elsewhere"
[agent]
connect = "tcp://127.0.0.1:{port}"
[statement]
family = "posix"
transport = "tcp"
platform = "linux"
service_flags = ["GUARANTEED_DELIVERY", "GUARANTEED_ORDER", "GRACEFUL_CLOSE"]
"""
ONE = ("run", "--provider", "elsewhere.toml", "-k", "shutdown_on_an_idle_connection", "--output", "report")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[None]:
    """A kernel agent that listens on this machine, and the profile that names it."""
    command = [sys.executable, "-m", "conformance.agents.kernel", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as agent:
        assert agent.stderr is not None
        port = agent.stderr.readline().split()[-1]
        (tmp_path / "elsewhere.toml").write_text(PROFILE.format(port=port))
        yield
        agent.kill()


@pytest.mark.usefixtures("served")
def test_an_agent_by_its_address_is_judged_on_the_host(run: Run, tmp_path: Path) -> None:
    ended = run(*ONE, "--topology", "host")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert verdicts(tmp_path / "report")["elsewhere"]["INIT-SHUT-01"] == "pass"


@pytest.mark.usefixtures("served")
def test_an_agent_by_its_address_cannot_be_in_a_private_namespace(run: Run) -> None:
    ended = run(*ONE)
    assert ended.returncode == 3
    assert "--topology host" in ended.stdout
