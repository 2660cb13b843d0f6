# SPDX-License-Identifier: MIT
"""The gate as users have it: failures that AF_UNIX sockets really have, excused, found stale, and refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from conformance import locations
from conformance.reporting.baseline import parse
from conformance.reporting.results import load
from tests.end_to_end.conftest import LIMIT_S, Run

PYTEST = ("-m", "pytest", str(locations.cases()), "-p", "no:cacheprovider")
RED = ("--provider", "unix-stream", "-k", "shutdown_when_not_connected")
GREEN = ("--provider", "unix-stream", "-k", "half_close")
BASELINE = ("--baseline", "base.toml")


def write(directory: Path, requirement: str, *, days: int = 30) -> str:
    expires = datetime.now(UTC).date() + timedelta(days=days)
    text = (
        f'# ours\n\n[[excused]]\nprovider = "unix-stream"\nrequirement = "{requirement}"\n'
        f'reason = "as it is"  # really\nowner = "net team"\nexpires = {expires}\n'
    )
    (directory / "base.toml").write_text(text, "utf-8")
    return text


@pytest.mark.parametrize("processes", ["0", "2"])
def test_an_update_excuses_what_fails_and_the_next_run_is_open(run: Run, tmp_path: Path, processes: str) -> None:
    first = run("run", *RED, *BASELINE, "--update-baseline", "-n", processes, "--output", "first")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "added to base.toml: ERR-01 of unix-stream" in first.stdout
    (entry,) = parse((tmp_path / "base.toml").read_text("utf-8"), Path("base.toml"))
    baseline = load(tmp_path / "first" / "results.json").baseline
    assert baseline is not None and baseline.excused == (entry,)
    written = (tmp_path / "base.toml").read_bytes()
    again = run("run", *RED, *BASELINE, "-n", processes, "--output", "second")
    assert again.returncode == 0
    assert "The gate is open: 1 failure is excused by base.toml" in again.stdout
    assert "fail: " not in again.stderr
    assert (tmp_path / "base.toml").read_bytes() == written
    judged = run("judge", "second")
    assert judged.returncode == 0, judged.stdout
    assert run("diff", "first", "second").returncode == 0


def test_what_has_expired_closes_the_gate(run: Run, tmp_path: Path) -> None:
    write(tmp_path, "ERR-01", days=-1)
    ended = run("run", *RED, *BASELINE, "--output", "report")
    assert ended.returncode == 1
    assert "1 requirement failed, 1 entry of base.toml has expired" in ended.stdout
    assert "FAIL ERR-01" in ended.stdout


def test_what_passes_closes_the_gate_until_an_update_removes_it(run: Run, tmp_path: Path) -> None:
    write(tmp_path, "IND-STREAM-01")
    ended = run("run", *GREEN, *BASELINE, "--output", "report")
    assert ended.returncode == 1
    assert "1 entry of base.toml excuses what does not fail: remove it" in ended.stdout
    ended = run("run", *GREEN, *BASELINE, "--update-baseline", "--json", "--output", "report")
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["baseline"]["excused"] == []
    assert "removed from base.toml: IND-STREAM-01 of unix-stream, pass now (it said: as it is; net team" in ended.stderr
    assert (tmp_path / "base.toml").read_text("utf-8") == "# ours\n"


def test_what_a_selection_does_not_reach_stays(run: Run, tmp_path: Path) -> None:
    text = write(tmp_path, "ERR-01")
    ended = run("run", *GREEN, *BASELINE, "--output", "report")
    assert ended.returncode == 0
    assert "not confirmed  ERR-01 (unix-stream): not-exercised; as it is" in ended.stdout
    assert run("run", *GREEN, *BASELINE, "--update-baseline", "--output", "report").returncode == 0
    assert (tmp_path / "base.toml").read_text("utf-8") == text


@pytest.mark.parametrize("processes", ["0", "2"])
def test_what_does_not_apply_is_wrong_usage_and_leaves_nothing(run: Run, tmp_path: Path, processes: str) -> None:
    write(tmp_path, "WIRE-FIN-01")
    ended = run("run", *RED, *BASELINE, "-n", processes)
    assert ended.returncode == 2
    assert "base.toml: WIRE-FIN-01 is excused for unix-stream, to which it does not apply" in ended.stderr
    assert "hint: remove the entry" in ended.stderr
    assert [path.name for path in (tmp_path / "reports").iterdir()] in ([], [".pytest_cache"])
    removed = run("run", *RED, *BASELINE, "-n", processes, "--update-baseline", "--output", "report")
    assert "removed from base.toml: WIRE-FIN-01" in removed.stdout


def test_x_does_not_stop_at_what_is_excused(run: Run, tmp_path: Path) -> None:
    write(tmp_path, "ERR-01")
    ended = run("run", *RED, *BASELINE, "-x", "--output", "report")
    assert ended.returncode == 0
    assert load(tmp_path / "report" / "results.json").cases.finished == 3


def test_an_interrupted_run_updates_nothing(tmp_path: Path) -> None:
    text = write(tmp_path, "IND-STREAM-01")
    command = ["run", "--provider", "unix-stream", *BASELINE, "--update-baseline", "--output", "report"]
    process = subprocess.Popen(
        [sys.executable, "-m", "conformance.cli", *command],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if " of " in line:  # some have been collected
            break
    os.kill(process.pid, signal.SIGINT)
    stdout, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 130
    assert "base.toml stays as it is: the run was cut short." in stdout
    assert (tmp_path / "base.toml").read_text("utf-8") == text


def test_plain_pytest_takes_a_baseline_too(run: Run, tmp_path: Path) -> None:
    write(tmp_path, "ERR-01")
    options = ("--shutdown-output", "report", "--shutdown-baseline", "base.toml")
    ended = run(*RED, *options, program=PYTEST)
    assert ended.returncode == 0, ended.stdout
    assert "3 xfailed" in ended.stdout
    assert "The gate is open: 1 failure is excused by base.toml" in ended.stdout
    (tmp_path / "base.toml").write_text("[[excused]]\n", "utf-8")
    ended = run(*RED, *options, program=PYTEST)
    assert ended.returncode == 4
    assert "base.toml: entry 1 (line 1): provider is missing" in ended.stderr
    ended = run(*RED, "--shutdown-update-baseline", program=PYTEST)
    assert ended.returncode == 4
    assert "needs --shutdown-baseline FILE" in ended.stderr
