# SPDX-License-Identifier: MIT
"""The command as users have it: what it prints, writes and returns, and that pytest's own ways work unchanged."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from conformance import locations
from conformance.catalogue import catalogue
from conformance.reporting.results import load
from conformance.trace import store
from tests.end_to_end.conftest import LIMIT_S, Run, verdicts

PYTEST = ("-m", "pytest", str(locations.cases()))
SMALL = ("--provider", "kernel-tcp", "-k", "half_close or peek")


def test_a_run_leaves_results_and_evidence_that_judge_the_same(run: Run, tmp_path: Path) -> None:
    ended = run("run", *SMALL, "--output", "report")
    assert ended.returncode == 0, ended.stderr
    assert "kernel-tcp" in ended.stdout
    assert "report" in ended.stdout
    results = load(tmp_path / "report" / "results.json")
    cases = [case for row in results.providers[0].requirements for case in row.cases]
    assert cases
    for case in cases:
        path = tmp_path / "report" / case.evidence
        assert store.load(path).header.case == case.id
        assert path.with_suffix(".pcapng").exists()
    again = run("judge", "report")
    assert again.returncode == 0, again.stdout + again.stderr


def test_the_output_may_lie_beside_where_one_stands(run: Run, tmp_path: Path) -> None:
    ended = run("run", *SMALL, "--output", f"../{tmp_path.name}/report")
    assert ended.returncode == 0, ended.stderr
    assert load(tmp_path / "report" / "results.json").providers


def test_results_fit_their_schema_and_hold_every_requirement(run: Run, tmp_path: Path) -> None:
    ended = run("run", *SMALL, "--json", "--output", "report")
    results = json.loads(ended.stdout)
    schema = json.loads((Path(store.__file__).parents[1] / "reporting" / "results.schema.json").read_text())
    jsonschema.validate(results, schema)
    assert [row["id"] for row in results["providers"][0]["requirements"]] == list(catalogue.load())


def test_pytest_says_what_it_read_instead_of_the_cases_configuration() -> None:
    profile = "fixtures/profiles/kernel-tcp.toml"  # a path, above which lies the configuration of the suite's own tests
    words = (sys.executable, "-m", "pytest", "cases", "-k", "peek_at_the_end", "--collect-only", "-q")
    root = Path(__file__).parents[2]
    apart = subprocess.run([*words, "--provider", profile], cwd=root, capture_output=True, text=True, timeout=LIMIT_S)
    assert apart.returncode == pytest.ExitCode.USAGE_ERROR
    assert "pyproject.toml, and not the pytest.ini of the suite's cases" in apart.stderr
    assert "--provider=FILE.toml" in apart.stderr
    joined = subprocess.run(
        [*words, f"--provider={profile}"], cwd=root, capture_output=True, text=True, timeout=LIMIT_S
    )
    assert joined.returncode == 0, joined.stdout + joined.stderr
    assert "test_peek_at_the_end" in joined.stdout


def test_many_processes_give_the_same_verdicts_as_one(run: Run, tmp_path: Path) -> None:
    one = run("run", *SMALL, "--output", "one")
    two = run("run", *SMALL, "-n", "2", "--output", "two")
    assert (one.returncode, two.returncode) == (0, 0), two.stdout + two.stderr
    exercised = {each for case in load(tmp_path / "one" / "results.json").providers[0].cases for each in case.exercises}
    alone, spread = (verdicts(tmp_path / name)["kernel-tcp"] for name in ("one", "two"))
    assert exercised
    assert {each: alone[each] for each in exercised} == {each: spread[each] for each in exercised}


def test_plain_pytest_does_the_same_job(run: Run, tmp_path: Path) -> None:
    ended = run(
        "--provider",
        "unix-stream",
        "-k",
        "half_close",
        "--shutdown-output",
        "report",
        "-p",
        "no:cacheprovider",
        "--junitxml=junit.xml",
        "--alluredir=allure",
        program=PYTEST,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "shutdown conformance" in ended.stdout
    assert (tmp_path / "report" / "results.json").exists()
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert len(list(suite.iter("testcase"))) == 6
    assert list((tmp_path / "allure").glob("*-result.json"))


def test_x_stops_at_the_first_red_case_and_lf_runs_it_again(run: Run, tmp_path: Path) -> None:
    red = ("--provider", "unix-stream", "-k", "shutdown_when_not_connected")
    first = run("run", *red, "-x", "--junitxml=junit.xml", "--output", "report")
    assert first.returncode == 1
    assert len(list(ElementTree.parse(tmp_path / "junit.xml").getroot().iter("testcase"))) == 1
    again = run("run", *red, "--lf", "--output", "report")
    assert again.returncode == 1
    assert load(tmp_path / "report" / "results.json").cases.planned == 1


def test_a_failure_shows_clause_accepted_seen_and_ladder(run: Run) -> None:
    ended = run("run", "--provider", "unix-stream", "-k", "shutdown_when_not_connected")
    assert ended.returncode == 1
    for word in ("ERR-01", "WSPShutdown", "accepted", "ENOTCONN", "seen", "succeeded", "iut"):
        assert word in ended.stdout


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_reads_the_evidence_and_sees_what_the_verdict_says(run: Run, tmp_path: Path) -> None:
    ended = run("run", "--provider", "kernel-tcp", "-k", "hard_close and blocking and 1460", "--output", "report")
    assert ended.returncode == 0, ended.stdout
    for path in (tmp_path / "report" / "evidence" / "kernel-tcp").glob("*.pcapng"):
        said = subprocess.run(
            ["tshark", "-r", path, "-Y", "tcp.flags.reset==1 || tcp.flags.fin==1"],
            capture_output=True,
            text=True,
            check=True,
            timeout=LIMIT_S,
        )
        assert "RST" in said.stdout
        assert "FIN" not in said.stdout


def test_rules_of_the_relay_stand_in_the_evidence(run: Run, tmp_path: Path) -> None:
    ended = run("run", "--provider", "kernel-tcp", "-k", "test_lost_fin", "--output", "report")
    found = verdicts(tmp_path / "report")["kernel-tcp"]["WIRE-FIN-03"]
    if found == "inconclusive":
        pytest.skip("no relay on this machine")
    assert (ended.returncode, found) == (0, "pass")
    traces = [store.load(path) for path in (tmp_path / "report" / "evidence" / "kernel-tcp").rglob("*.jsonl")]
    assert all("dropped" in str(trace.events) for trace in traces)


def test_a_place_that_gets_full_is_told_and_never_a_pass(tmp_path: Path) -> None:
    command = f"{sys.executable} -m conformance.cli run --provider kernel-tcp -k stream_end --output report"
    ended = subprocess.run(
        ["bash", "-c", f"ulimit -f 80; exec {command}"], cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT_S
    )
    assert ended.returncode == 3
    assert "could not be written" in ended.stderr
    assert "Traceback" not in ended.stderr


def processes_of(directory: Path) -> list[int]:
    """The processes whose current directory is below this one: those that a run there has started."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").readlink().is_relative_to(directory):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_an_interrupted_run_of_many_processes_writes_what_it_had_collected(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "conformance.cli", "run", "-n", "2", "--provider", "kernel-tcp", "--output", "report"],
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
    process.communicate(timeout=LIMIT_S)
    assert process.returncode == 130
    assert load(tmp_path / "report" / "results.json").cases.finished > 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_loses_nothing_finished_and_leaves_nothing_behind(
    tmp_path: Path, how: signal.Signals
) -> None:
    private = Path(tempfile.mkdtemp())  # where the topologies keep their sockets' directories: a short path
    process = subprocess.Popen(
        [sys.executable, "-m", "conformance.cli", "run", "--provider", "kernel-tcp", "--output", "report"],
        cwd=tmp_path,
        env=os.environ | {"TMPDIR": str(private)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    evidence = tmp_path / "report" / "evidence" / "kernel-tcp"
    limit = time.monotonic() + LIMIT_S
    while not list(evidence.rglob("*.jsonl")) and process.poll() is None and time.monotonic() < limit:
        time.sleep(0.01)
    os.kill(process.pid, how)
    process.communicate(timeout=LIMIT_S)
    if how is signal.SIGINT:
        assert process.returncode == 130
        assert load(tmp_path / "report" / "results.json").cases.finished > 0
    finished = list(evidence.rglob("*.jsonl"))
    assert finished
    for path in finished:
        store.load(path)  # whole, sealed
    while processes_of(tmp_path) and time.monotonic() < limit:
        time.sleep(0.01)
    assert processes_of(tmp_path) == []
    private.rmdir()  # raises if anything was left in it
