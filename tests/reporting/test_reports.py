# SPDX-License-Identifier: MIT
"""The reports of a run as files: which there are, where they go, and that all of them say the same."""

from __future__ import annotations

import html
import io
import json
import re
import threading
import time
from pathlib import Path

import pytest
from junitparser import JUnitXml
from rich.console import Console

from conformance.oracle.findings import Conclusion
from conformance.reporting import killing, page, reports
from conformance.reporting.briefly import implementation, seen, telling
from conformance.reporting.gating import gate
from conformance.reporting.progress import told_if_slow
from conformance.reporting.results import Results
from conformance.reporting.summary import print_summary
from tests.reporting.hostile import HOSTILE, hostile_run
from tests.reporting.kills import mixed_matrix, run_with_mutants
from tests.reporting.runs import BAD, case, finding, first, kept_run, provider, results_of, row


def test_all_of_them_are_written(tmp_path: Path) -> None:
    results = kept_run(tmp_path / "run")
    written = reports.write(results, tmp_path / "run", tmp_path / "run")
    assert [path.name for path in written] == list(reports.NAMES)
    assert all(path.stat().st_size for path in written)
    assert {path.name for path in (tmp_path / "run").iterdir()} == {*reports.NAMES, "results.json", "evidence"}


@pytest.mark.parametrize(("into", "linked"), [("run", True), ("run/../run", True), ("elsewhere", False)])
def test_only_beside_the_evidence_the_page_links_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, into: str, linked: bool
) -> None:
    told: list[tuple[Path, bool]] = []

    def render(results: Results, directory: Path, *, evidence: bool = True) -> str:
        told.append((directory, evidence))
        return ""

    monkeypatch.setattr(page, "render", render)
    results = kept_run(tmp_path / "run")
    reports.write(results, tmp_path / "run", tmp_path / into)
    assert told == [(tmp_path / "run", linked)]


def test_a_page_that_cannot_be_made_keeps_nothing_else_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def render(*_: object, **__: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(page, "render", render)
    with pytest.raises(ZeroDivisionError):
        reports.write(kept_run(tmp_path), tmp_path, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} >= set(reports.NAMES) - {reports.PAGE}


def test_what_was_begun_leaves_nothing(tmp_path: Path) -> None:
    results = kept_run(tmp_path)
    (tmp_path / "summary.md").mkdir()
    with pytest.raises(OSError):
        reports.write(results, tmp_path, tmp_path)
    assert not list(tmp_path.glob(".*"))


def test_with_a_kill_matrix_its_page_is_written_too(tmp_path: Path) -> None:
    written = reports.write(run_with_mutants(tmp_path), tmp_path, tmp_path)
    assert [path.name for path in written] == [*reports.NAMES[:-1], "mutants.html", "report.html"]
    assert mixed_matrix().sentence in (tmp_path / "mutants.html").read_text("utf-8")


@pytest.mark.parametrize("kept", [True, False])
def test_the_page_of_a_matrix_stays_with_the_matrix(tmp_path: Path, kept: bool) -> None:
    reports.write(run_with_mutants(tmp_path), tmp_path, tmp_path)
    if kept:
        killing.save(mixed_matrix(), tmp_path)
    reports.remove(tmp_path)
    assert (tmp_path / "mutants.html").exists() is kept


def test_reports_of_an_earlier_run_are_taken_away(tmp_path: Path) -> None:
    reports.write(kept_run(tmp_path), tmp_path, tmp_path)
    reports.remove(tmp_path)
    reports.remove(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"results.json", "evidence"}


def test_all_of_them_say_the_same(tmp_path: Path) -> None:
    results = kept_run(tmp_path)
    reports.write(results, tmp_path, tmp_path)
    file = io.StringIO()
    print_summary(results, Console(file=file, width=100), tmp_path)
    terminal, summary = file.getvalue(), (tmp_path / "summary.md").read_text("utf-8")
    junit = JUnitXml.fromstring((tmp_path / "junit.xml").read_bytes())
    sentence = gate(results).sentence
    assert sentence in terminal
    assert sentence in html.unescape((tmp_path / reports.PAGE).read_text("utf-8"))
    assert sentence in re.sub(r"\\(?=\W)", "", summary)
    assert sentence in (tmp_path / "junit.xml").read_text("utf-8")
    totals = first(results).totals
    (suite,) = [each for each in junit if each.name == "kernel-tcp"]
    assert (suite.failures, suite.errors) == (totals["fail"], totals["error"]) == (2, 0)
    assert terminal.count("FAIL ") == summary.count("**FAIL ") == 2
    said = json.loads((tmp_path / "badge.json").read_text("utf-8"))["message"]
    assert said == f"{totals['pass']} pass, 2 fail"
    for told in (terminal, summary, (tmp_path / "junit.xml").read_text("utf-8")):
        assert "suite" in told and "Linux" in told  # by what it was judged, and where
        assert "recv failed with ECONNRESET" in " ".join(told.split())


# --- in one line ------------------------------------------------------------------------------------------------------


def test_what_a_verdict_rests_on(tmp_path: Path) -> None:
    failed = row(kept_run(tmp_path), "IND-STREAM-01")
    ((told, findings),) = telling(failed)
    assert told.id == BAD
    assert [each.outcome for each in findings] == ["violated"]
    assert seen(failed) == findings[0].because


@pytest.mark.parametrize(
    ("outcome", "text"),
    [(Conclusion.UNDETERMINED, "no link"), (Conclusion.ERROR, "it died"), (Conclusion.SATISFIED, "")],
)
def test_what_was_seen_by_the_finding_that_counts(outcome: Conclusion, text: str) -> None:
    other = finding("IND-STREAM-01", Conclusion.SATISFIED, "")
    results = results_of(case("one", other), case("two", finding("IND-STREAM-01", outcome, text)))
    assert seen(row(results, "IND-STREAM-01")) == ("" if outcome is Conclusion.UNDETERMINED else text)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, ""),
        ({"implementation": {"name": "tcp", "version": "6", "vendor": "me"}}, "tcp 6 (me)"),
        ({"implementation": {"name": "tcp"}}, "tcp"),
        ({"implementation": {"name": None, "version": 6}}, "6"),
        ({"implementation": "tcp"}, ""),
        ({"implementation": {"name": "\x1b[1m"}}, "\\x1b[1m"),
    ],
)
def test_the_implementation_in_its_agents_words(found: dict[str, object], said: str) -> None:
    assert implementation(first(results_of(providers=[provider(found=found)]))) == said


@pytest.mark.parametrize("text", HOSTILE)
def test_the_terminal_is_told_no_control_codes(text: str) -> None:
    file = io.StringIO()
    print_summary(hostile_run(text), Console(file=file, width=100), Path("reports/now"), page=Path("p/report.html"))
    assert not [c for c in file.getvalue() if not (c.isprintable() or c == "\n")]


def test_the_last_line_names_the_page(tmp_path: Path) -> None:
    file = io.StringIO()
    print_summary(kept_run(tmp_path), Console(file=file, width=100), tmp_path, page=tmp_path / "report.html")
    assert file.getvalue().splitlines()[-1] == f"Report: {tmp_path / 'report.html'}"


# --- slow reports -----------------------------------------------------------------------------------------------------


def test_what_takes_long_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    with told_if_slow("writing the reports", after_s=0.01):
        limit = time.monotonic() + 10
        while not (said := capfd.readouterr().err) and time.monotonic() < limit:
            time.sleep(0.005)
    assert said == "writing the reports\n"


def test_what_does_not_is_not(capfd: pytest.CaptureFixture[str]) -> None:
    before = threading.active_count()
    with pytest.raises(KeyError), told_if_slow("writing the reports", after_s=0.05):
        raise KeyError
    limit = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < limit:
        time.sleep(0.005)
    assert capfd.readouterr().err == ""
