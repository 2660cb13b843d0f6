# SPDX-License-Identifier: MIT
"""`agent.prepare` in a run: shown while it goes on, told as the provider's problem if it fails, ended by Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.reporting.results import load

ROOT = Path(__file__).parents[2]
PROFILE = """
[implementation]
name = "mine"
[agent]
command = ["{python}", "-m", "conformance.agents.kernel", "--transport", "tcp"]
prepare = ["{python}", "prepare.py"]
[statement]
family = "posix"
transport = "tcp"
service_flags = ["GUARANTEED_DELIVERY", "GUARANTEED_ORDER", "GRACEFUL_CLOSE"]
"""


def started(directory: Path, source: str, *arguments: str) -> subprocess.Popen[str]:
    """A run of a provider whose preparation is this Python source."""
    (directory / "mine.toml").write_text(PROFILE)
    (directory / "prepare.py").write_text(source)
    return subprocess.Popen(
        [sys.executable, "-m", "conformance.cli", "run", "--provider", "mine.toml", "--output", "out", *arguments],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


SAYS = "import sys\nprint('making it', file=sys.stderr, flush=True)\n"


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_failure_is_the_providers_problem(processes: str, tmp_path: Path) -> None:
    source = SAYS + "print('no widget', 'install a widget', sep='\\n', file=sys.stderr); sys.exit(69)"
    with started(tmp_path, source, "-n", processes) as run:
        _, stderr = run.communicate()
    assert stderr.count("shutdown-conformance: making it\n") == 1
    assert run.returncode not in (0, 130)
    (provider,) = load(tmp_path / "out" / "results.json").providers
    assert provider.problem == "no widget\n  hint: install a widget"


def test_ctrl_c_ends_it_cleanly(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    source = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid()))\n{SAYS}\ntime.sleep(1000)"
    with started(tmp_path, source) as run:
        assert run.stderr is not None
        assert run.stderr.readline() == "shutdown-conformance: making it\n"
        run.send_signal(signal.SIGINT)
        _, stderr = run.communicate()
    assert run.returncode == 130
    assert stderr == "shutdown-conformance: interrupted\n"
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


def test_providers_are_prepared_and_say_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(PROFILE)
    (tmp_path / "prepare.py").write_text(
        SAYS + "print('no widget', 'get one', sep='\\n', file=sys.stderr); sys.exit(69)"
    )
    done = subprocess.run(
        [sys.executable, "-m", "conformance.cli", "providers", "mine.toml"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert "missing: no widget" in done.stdout and "remedy: get one" in done.stdout
    assert done.stderr == "shutdown-conformance: making it\n"
