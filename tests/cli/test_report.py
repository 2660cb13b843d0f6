# SPDX-License-Identifier: MIT
"""`report`: what it writes, where, and what it says of a directory that it can make nothing of."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conformance.cli import main
from conformance.reporting import killing, reports
from conformance.reporting.results import save
from tests.reporting.hostile import HOSTILE, edited, hostile_run
from tests.reporting.kills import mixed_matrix, run_with_mutants
from tests.reporting.runs import kept_run, results_of

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def complaint(capsys: Captured) -> tuple[str, str]:
    """The one message and the one hint on standard error."""
    said = capsys.readouterr()
    assert said.out == ""
    message, hint = said.err.splitlines()
    assert hint.startswith("hint: ")
    return message, hint


def test_it_says_what_it_wrote(here: Path, capsys: Captured) -> None:
    kept_run(here / "run")
    assert main(["report", "run"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == [f"run/{name}" for name in reports.NAMES]
    assert all((here / line).stat().st_size for line in told)


def test_elsewhere_the_results_come_along(here: Path, capsys: Captured) -> None:
    kept_run(here / "run")
    before = (here / "run" / "results.json").read_bytes()
    assert main(["report", "run", "--output", "public/now"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "public/now/results.json"
    assert (here / "public" / "now" / "results.json").read_bytes() == before
    assert {path.name for path in (here / "public" / "now").iterdir()} == {"results.json", *reports.NAMES}
    assert {path.name for path in (here / "run").iterdir()} == {"results.json", "evidence"}
    assert main(["report", "run", "--output", "public/now"]) == 0  # the same again


def test_a_kill_matrix_in_the_results_has_its_page_again(here: Path, capsys: Captured) -> None:
    save(run_with_mutants(here / "run"), here / "run" / "results.json")
    assert main(["report", "run"]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == ["run/mutants.html", "run/report.html"]


def test_a_kill_matrix_alone_has_its_page_again(here: Path, capsys: Captured) -> None:
    (here / "run").mkdir()
    killing.save(mixed_matrix(), here / "run")
    assert main(["report", "run"]) == 0
    assert capsys.readouterr().out.splitlines() == ["run/mutants.html"]
    assert main(["report", "run", "--output", "public"]) == 0
    assert capsys.readouterr().out.splitlines() == ["public/mutants.json", "public/mutants.html"]
    assert (here / "public" / "mutants.json").read_bytes() == (here / "run" / "mutants.json").read_bytes()


def test_a_kill_matrix_that_cannot_be_read_is_told(here: Path, capsys: Captured) -> None:
    (here / "run").mkdir()
    (here / "run" / "mutants.json").write_text("{", "utf-8")
    assert main(["report", "run"]) == 2
    message, hint = complaint(capsys)
    assert "run/mutants.json" in message and "shutdown-conformance mutants" in hint


def test_the_same_directory_by_another_name_is_not_elsewhere(here: Path, capsys: Captured) -> None:
    kept_run(here / "run")
    (here / "link").symlink_to("run")
    assert main(["report", "run", "--output", "link"]) == 0
    assert "results.json" not in capsys.readouterr().out


def test_another_runs_results_are_never_written_over(here: Path, capsys: Captured) -> None:
    kept_run(here / "run")
    save(results_of(), here / "other" / "results.json")
    before = (here / "other" / "results.json").read_bytes()
    assert main(["report", "run", "--output", "other"]) == 2
    message, hint = complaint(capsys)
    assert "other holds the results of another run" in message and "--output" in hint
    assert (here / "other" / "results.json").read_bytes() == before
    assert [path.name for path in (here / "other").iterdir()] == ["results.json"]


@pytest.mark.parametrize(
    ("content", "said", "hint"),
    [
        (None, "cannot be read: No such file", "name the directory of a run"),
        (b"", "not JSON, or cut short", "run again"),
        (b'{"schema": 1, "suite": {', "not JSON, or cut short", "run again"),
        (b'{"schema": 2}', "schema", "suite version"),
        (b'{"schema": 1}', "suite", "suite version"),
        (b"[]", "Expected `object`", "suite version"),
        (b"\xff\xfe\x00", "not JSON", "run again"),
    ],
)
def test_what_is_no_results(here: Path, capsys: Captured, content: bytes | None, said: str, hint: str) -> None:
    (here / "run").mkdir()
    if content is not None:
        (here / "run" / "results.json").write_bytes(content)
    assert main(["report", "run"]) == 2
    message, told = complaint(capsys)
    assert said in message and hint in told
    assert {path.name for path in (here / "run").iterdir()} <= {"results.json"}


@pytest.mark.parametrize("name", ["nonesuch", "file"])
def test_what_is_no_directory(here: Path, capsys: Captured, name: str) -> None:
    (here / "file").touch()
    assert main(["report", name]) == 2
    assert "name the directory of a run" in complaint(capsys)[1]


def test_a_place_that_cannot_be_written(here: Path, capsys: Captured) -> None:
    kept_run(here / "run")
    (here / "file").touch()
    assert main(["report", "run", "--output", "file/below"]) == 2
    message, hint = complaint(capsys)
    assert "cannot write to file/below" in message and "--output" in hint


def test_half_written_evidence_is_no_reason_to_stop(here: Path) -> None:
    kept_run(here / "run")
    for path in (here / "run" / "evidence").rglob("*.jsonl"):
        path.write_bytes(path.read_bytes()[:-20])
    assert main(["report", "run"]) == 0


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_results_are_reported_all_the_same(here: Path, capsys: Captured, text: str) -> None:
    for name, results in (("said", hostile_run(text)), ("edited", edited(hostile_run(text)))):
        save(results, here / name / "results.json")
        assert main(["report", name]) == 0
        assert {path.name for path in (here / name).iterdir()} == {"results.json", *reports.NAMES}


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="names with control codes are POSIX's")
def test_a_hostile_directory_name_is_cleaned(here: Path, capsys: Captured) -> None:
    kept_run(here / "run\x1b[2J")
    assert main(["report", "run\x1b[2J"]) == 0
    assert "\x1b" not in capsys.readouterr().out
    assert main(["report", "none\x1b[2J"]) == 2
    assert "\x1b" not in capsys.readouterr().err
