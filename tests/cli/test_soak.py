# SPDX-License-Identifier: MIT
"""`soak` as a user has it: two real runs that agree, runs that do not, Ctrl-C, and what is left of each."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from conformance.cli import main, soak
from conformance.cli.place import REPORTS
from conformance.oracle.findings import Conclusion
from conformance.reporting.results import save
from tests.reporting.runs import case, finding, results_of

LIMIT_S = 120
Captured = pytest.CaptureFixture[str]
PASSED = results_of(case("one", finding("IND-STREAM-01", Conclusion.SATISFIED)))
FAILED = results_of(case("one", finding("IND-STREAM-01", Conclusion.VIOLATED)))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fake_runs(monkeypatch: pytest.MonkeyPatch, *outcomes: Any) -> list[list[str]]:
    """Runs take no time: each leaves these results and returns this status, or raises what is to be raised."""
    asked: list[list[str]] = []
    left = list(outcomes)

    def run_once(words: list[str], place: Path, limit_s: float) -> int | None:
        asked.append(words)
        place.with_name(f"{place.name}.txt").write_text("what \x1b[1m was said\n")
        results, status = left.pop(0)
        if isinstance(status, BaseException):
            raise status
        if results is not None:
            save(results, place / "results.json")
        return int(status)

    monkeypatch.setattr(soak, "_run_once", run_once)
    return asked


def test_a_real_soak_of_two_runs(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "conformance.cli", "soak", "--runs", "2", "--busy", "--provider", "kernel-tcp",
         "-k", "when_not_connected", "--output", "soak"],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 runs, 1 of them with all cores busy" in ended.stdout
    assert "Nothing ever changed." in ended.stdout
    assert "run 2 of 2, busy:" in ended.stderr
    found = json.loads((tmp_path / "soak" / "soak.json").read_text())
    assert [run["busy"] for run in found["runs"]] == [False, True]
    assert found["cases"] > 2
    assert found["always"].keys() == {"pass"}
    assert [path.name for path in (tmp_path / "soak").iterdir()] == ["soak.json"]


def test_runs_that_differ_are_told_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    asked = fake_runs(monkeypatch, (PASSED, 0), (PASSED, 0), (FAILED, 1), (PASSED, 0))
    assert main(["soak", "--runs", "4", "--provider", "kernel-tcp", "-k", "x", "--output", "soak"]) == 1
    said = capsys.readouterr()
    assert "CHANGED kernel-tcp requirement IND-STREAM-01\n  usually pass\n  fail in run-003" in said.out
    assert "run 3 of 4: 0.0 s; 2 verdicts changed so far" in said.err
    assert asked[0][:4] == ["--provider", "kernel-tcp", "-k", "x"]
    kept = {path.name for path in (tmp_path / "soak").iterdir()}
    assert kept == {"soak.json", "run-001", "run-001.txt", "run-003", "run-003.txt"}


@pytest.mark.parametrize(("after", "says"), [(0, "no run was finished"), (3, "3 runs of 9")])
def test_ctrl_c_gives_the_report_so_far(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured, after: int, says: str
) -> None:
    fake_runs(monkeypatch, *[(PASSED, 0)] * after, (None, KeyboardInterrupt()))
    assert main(["soak", "--runs", "9", "--output", "soak"]) == 130
    assert says in capsys.readouterr().out
    left = [path.name for path in (tmp_path / "soak").iterdir()] if after else []
    assert left == (["soak.json"] if after else [])
    assert (tmp_path / "soak").exists() is bool(after)


@pytest.mark.parametrize("status", [2, 3])
def test_what_judges_nothing_is_not_repeated(monkeypatch: pytest.MonkeyPatch, capsys: Captured, status: int) -> None:
    asked = fake_runs(monkeypatch, (None, status))
    assert main(["soak", "--output", "soak"]) == status
    said = capsys.readouterr().err
    assert len(asked) == 1
    assert r"what \x1b[1m was said" in said
    assert "hint: what is said above tells why" in said


def test_a_directory_with_something_in_it_is_not_used(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "soak").mkdir()
    (tmp_path / "soak" / "mine").touch()
    assert main(["soak", "--output", "soak"]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "soak").iterdir()] == ["mine"]


def test_the_default_place_is_named_by_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_runs(monkeypatch, (PASSED, 0), (PASSED, 0))
    assert main(["soak", "--runs", "2"]) == 0
    assert [path.name[:7] for path in REPORTS.iterdir()] == ["soak-20"]


def processes(mark: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"MARK={mark}".encode() in (entry / "environ").read_bytes():
                found.append(entry.name)
        except OSError:
            continue
    return found


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_it_ends_it_leaves_no_process(tmp_path: Path, how: signal.Signals) -> None:
    mark = f"{os.getpid()}-{how}"
    process = subprocess.Popen(
        [sys.executable, "-m", "conformance.cli", "soak", "--runs", "6", "--busy", "--provider", "kernel-tcp",
         "-k", "when_not_connected", "--output", "soak"],
        env=os.environ | {"MARK": mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )  # fmt: skip
    limit = time.monotonic() + LIMIT_S
    with process:
        assert process.stderr is not None
        for line in process.stderr:
            if "run 1 of 6" in line:  # and now the second one, with its company
                break
        while len(processes(mark)) < 3 and time.monotonic() < limit:
            time.sleep(0.01)
        process.send_signal(how)
        said, _ = process.communicate(timeout=LIMIT_S)
    if how is not signal.SIGKILL:
        assert process.returncode == 130
        assert "1 run of 6" in said
    while processes(mark) and time.monotonic() < limit:
        time.sleep(0.02)
    assert processes(mark) == []
