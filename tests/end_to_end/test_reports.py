# SPDX-License-Identifier: MIT
"""The reports of real runs: those that every run leaves, and those of pytest and its plugins."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from conformance.reporting import reports
from conformance.reporting.gating import gate
from conformance.reporting.results import load
from conformance.trace import store
from tests.end_to_end.conftest import LIMIT_S, Run

RED = ("--provider", "unix-stream", "-k", "shutdown_when_not_connected or peek")


def test_a_run_leaves_all_reports_and_names_the_page(run: Run, tmp_path: Path) -> None:
    ended = run("run", *RED, "--output", "report")
    assert ended.returncode == 1, ended.stderr
    assert ended.stdout.splitlines()[-1] == f"Report: {tmp_path / 'report' / 'report.html'}"
    assert all((tmp_path / "report" / name).stat().st_size for name in reports.NAMES)
    assert gate(load(tmp_path / "report" / "results.json")).sentence in ended.stdout
    made = {name: (tmp_path / "report" / name).read_bytes() for name in reports.NAMES}
    again = run("report", "report")
    assert again.returncode == 0, again.stderr
    assert {name: (tmp_path / "report" / name).read_bytes() for name in reports.NAMES} == made


def test_plain_pytest_leaves_them_too(run: Run, tmp_path: Path) -> None:
    from conformance import locations

    words = ["-m", "pytest", str(locations.cases()), "-p", "no:cacheprovider", "-n", "2"]
    ended = run(*RED, "--shutdown-output", "report", program=tuple(words))
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert all((tmp_path / "report" / name).exists() for name in reports.NAMES)
    assert f"Report: {Path('report') / 'report.html'}" in ended.stdout


def test_reports_that_cannot_be_written_take_nothing_with_them(run: Run, tmp_path: Path) -> None:
    (tmp_path / "report" / "report.html").mkdir(parents=True)
    ended = run("run", "--provider", "kernel-tcp", "-k", "peek", "--output", "report")
    assert ended.returncode == 0
    assert "the reports could not be written to" in ended.stderr
    assert "hint: the results are whole; `shutdown-conformance report" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "The gate is open" in ended.stdout and "Report:" not in ended.stdout
    assert load(tmp_path / "report" / "results.json").cases.finished


def test_a_provider_that_cannot_be_tested_is_in_the_reports(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        '[implementation]\nname = "mine"\n[agent]\ncommand = ["/no/such/agent"]\n'
        '[statement]\nfamily = "posix"\ntransport = "tcp"\n',
        "utf-8",
    )
    assert run("run", "--provider", "mine.toml").returncode == 3
    suite = ElementTree.parse(tmp_path / "reports" / "latest" / "junit.xml").getroot()
    assert suite.attrib["errors"] == "2"  # the provider, and the gate
    assert "cannot start /no/such/agent" in (tmp_path / "reports" / "latest" / "summary.md").read_text("utf-8")


def test_an_interrupted_run_has_its_reports(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "conformance.cli", "run", "--provider", "kernel-tcp", "--output", "report"],
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
    assert "cut short" in json.loads((tmp_path / "report" / "badge.json").read_text("utf-8"))["message"]
    gates = ElementTree.parse(tmp_path / "report" / "junit.xml").getroot().find("testsuite[@name='gate']")
    assert gates is not None and gates.attrib["failures"] == "1"


def test_the_failures_in_pytests_own_junit_have_clause_and_first_finding(run: Run, tmp_path: Path) -> None:
    assert run("run", *RED, "--junitxml=junit.xml", "--output", "report").returncode == 1
    failures = list(ElementTree.parse(tmp_path / "junit.xml").getroot().iter("failure"))
    assert len(failures) == 3
    for failure in failures:
        assert "clause    Winsock SPI, WSPShutdown" in str(failure.text)
        assert "seen      on a socket that was never connected, shutdown(" in str(failure.text)


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_allure_has_steps_and_evidence(run: Run, tmp_path: Path, processes: tuple[str, ...]) -> None:
    words = ("--provider", "unix-stream", "--provider", "kernel-tcp", "-k", "shutdown_when_not_connected or peek")
    assert run("run", *words, *processes, "--alluredir=allure", "--output", "report").returncode == 1
    made: list[dict[str, Any]] = [json.loads(path.read_bytes()) for path in (tmp_path / "allure").glob("*-result.json")]
    results = load(tmp_path / "report" / "results.json")
    assert len(made) == results.cases.finished
    assert Counter(the(each, "parentSuite") for each in made) == {p.name: len(p.cases) for p in results.providers}
    for each in made:
        attached = {a["name"]: tmp_path / "allure" / a["source"] for a in each["attachments"]}
        trace = store.load(attached["trace"])
        assert trace.header.provider == the(each, "parentSuite")
        assert trace.header.case.rpartition("::")[2].partition("[")[0] == the(each, "subSuite")
        assert attached["ladder"].read_text("utf-8").startswith(trace.header.case[:40])
        assert ("packets" in attached) == (trace.header.provider == "kernel-tcp" and trace.header.wire)
        assert each["steps"]
    failed = [each for each in made if each["status"] == "failed"]
    assert len(failed) == 3
    assert {each["steps"][0]["name"].partition(":")[0] for each in failed} == {"ERR-01 violated"}


def the(made: dict[str, Any], label: str) -> str:
    (value,) = [each["value"] for each in made["labels"] if each["name"] == label]
    return str(value)
