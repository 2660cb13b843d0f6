# SPDX-License-Identifier: MIT
"""Would the suite notice? The `mutants` command, and the negative control of a run."""

import json
import re
import shutil
from pathlib import Path
from urllib.parse import quote

import pytest

from conformance import locations
from conformance.reporting import killing, reports
from conformance.reporting.killmatrix import Fate
from conformance.reporting.results import load
from tests.end_to_end.conftest import Run, verdicts

MISBEHAVING = Path(__file__).with_name("misbehaving.py")
CHOSEN = "reset_told_as_end or hard_close_is_graceful or rst_sent_as_fin"


def sound_as_a_mutant(directory: Path) -> str:
    """A folder with one mutant, which is wrong in nothing."""
    folder = directory / "sound"
    folder.mkdir()
    text = MISBEHAVING.read_text(encoding="utf-8")
    (folder / "identity.py").write_text(text[: text.index("@mutant", text.index("def identity"))])
    return str(folder)


@pytest.mark.parametrize("spread", [(), ("-n", "2")])
def test_mutants_are_killed_by_what_they_break(run: Run, tmp_path: Path, spread: tuple[str, ...]) -> None:
    ended = run("mutants", "-k", CHOSEN, "--output", "report", *spread)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    matrix = killing.load(tmp_path / "report" / "mutants.json").matrix
    assert {row.name for row in matrix.mutants} == set(CHOSEN.split(" or "))
    fates = {(row.name, row.over): row.fate for row in matrix.mutants}
    for pair in (
        ("reset_told_as_end", "kernel-tcp"),
        ("reset_told_as_end", "reference-stream"),
        ("reset_told_as_end", "reference"),
        ("hard_close_is_graceful", "kernel-tcp"),
        ("rst_sent_as_fin", "kernel-tcp"),
    ):
        assert fates[pair] is Fate.KILLED
    assert set(fates.values()) <= {Fate.KILLED, Fate.NOT_RUN}  # one of an agent in C needs a compiler
    assert matrix.covered >= {"IND-ABORT-02", "INIT-CLOSE-03", "WIRE-ABRT-01"}
    for death in (death for row in matrix.mutants for death in row.caught):
        assert (tmp_path / "report" / death.evidence).is_file()
    assert matrix.uncovered == ()
    assert matrix.sentence in ended.stdout
    assert ended.stdout.splitlines()[-1] == f"Report: {tmp_path / 'report' / 'mutants.html'}"
    page = (tmp_path / "report" / "mutants.html").read_text("utf-8")
    assert all((locations.mutants() / f"{row.subject}.py").is_file() for row in matrix.mutants)
    assert matrix.sentence in page
    for death in (death for row in matrix.mutants for death in row.caught):
        assert death.because
        assert f'href="{quote(death.evidence)}"' in page


def test_a_mutant_that_is_wrong_in_nothing_survives(run: Run, tmp_path: Path) -> None:
    ended = run("mutants", "--mutants", sound_as_a_mutant(tmp_path), "--json", "--output", "report")
    assert ended.returncode == 1
    matrix = json.loads(ended.stdout)["matrix"]
    assert [row["fate"] for row in matrix["mutants"]] == ["survived"]
    assert "pass in" in matrix["mutants"][0]["reason"]
    assert "IND-STREAM-01" in matrix["demanded"]


def test_the_matrix_of_a_run_is_in_its_results(run: Run, tmp_path: Path) -> None:
    assert run("run", "--provider", "kernel-tcp", "-k", "peek", "--output", "report").returncode == 0
    before = (tmp_path / "report" / "report.html").read_text("utf-8")
    assert "mutants.html" not in before
    assert run("mutants", "-k", "shutdown_ignored", "--output", "report").returncode == 0
    made = {name: (tmp_path / "report" / name).read_bytes() for name in (*reports.NAMES, reports.MUTANTS)}
    assert b'href="mutants.html"' in made[reports.PAGE]
    assert run("report", "report").returncode == 0
    assert {name: (tmp_path / "report" / name).read_bytes() for name in made} == made
    results = load(tmp_path / "report" / "results.json")
    assert results.mutants is not None
    assert {row.name for row in results.mutants.mutants} == {"shutdown_ignored"}
    assert [provider.name for provider in results.providers] == ["kernel-tcp"]
    assert run("judge", "report").returncode == 0
    assert run("certify", "--new-key", "key.pem").returncode == 0
    assert run("certify", "report", "--key", "key.pem", "--output", "bundle.zip").returncode == 0
    ended = run("verify", "bundle.zip", "--key", "key.pem.pub")
    assert ended.returncode == 0, ended.stdout
    assert "the page of the kill matrix: it is what these results look like" in ended.stdout


def test_without_its_evidence_the_report_of_a_run_stays_as_it_is(run: Run, tmp_path: Path) -> None:
    assert run("run", "--provider", "kernel-tcp", "-k", "peek", "--output", "report").returncode == 0
    shutil.rmtree(tmp_path / "report" / "evidence")
    before = (tmp_path / "report" / "report.html").read_bytes()
    ended = run("mutants", "-k", "shutdown_ignored", "--output", "report")
    assert ended.returncode == 0
    assert "report.html stays as it is" in ended.stdout
    assert (tmp_path / "report" / "report.html").read_bytes() == before
    assert (tmp_path / "report" / "mutants.html").exists()


def test_the_page_of_an_earlier_matrix_is_taken_away(run: Run, tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    for name in ("mutants.json", "mutants.html", "results.json"):
        (tmp_path / "report" / name).write_text("of an earlier session")
    ended = run("mutants", "-k", "shutdown_ignored", "--output", "report")
    assert ended.returncode == 0
    assert "earlier session" not in (tmp_path / "report" / "mutants.html").read_text("utf-8")
    assert "results.json stays as it is" in ended.stdout
    assert (tmp_path / "report" / "results.json").read_text() == "of an earlier session"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("-k", "no_such_mutant"), 3, "no mutant fits"),
        (("-k", "and and"), 2, "-k 'and and'"),
        (("--requirement", "IND-STREM-01"), 2, "IND-STREAM-01"),
        (("--mutants", "nowhere"), 2, "no mutants are there"),
    ],
)
def test_wrong_usage_is_told(run: Run, arguments: tuple[str, ...], status: int, said: str) -> None:
    ended = run("mutants", *arguments)
    assert ended.returncode == status
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_provider_that_cannot_be_started_is_told_and_its_mutants_are_not_run(run: Run, tmp_path: Path) -> None:
    profile = (locations.profiles() / "kernel-tcp.toml").read_text("utf-8")
    absent = re.sub("(?m)^command = .*$", 'command = ["no-such-agent"]', profile).replace(
        'name = "kernel', 'name = "no'
    )
    (tmp_path / "absent.toml").write_text(absent.replace('name = "kernel-tcp"', 'name = "absent"'))
    (tmp_path / "own").mkdir()
    own = (locations.mutants() / "aborting.py").read_text("utf-8")
    own = own[: own.index("@mutant", own.index("def reset_told_as_end"))].replace("over=ALL", "over='absent.toml'")
    (tmp_path / "own" / "aborting.py").write_text(own)
    ended = run("mutants", "--mutants", "own", "--output", "report")
    assert ended.returncode == 3, ended.stdout + ended.stderr
    assert "cannot start no-such-agent" in ended.stdout
    (row,) = killing.load(tmp_path / "report" / "mutants.json").matrix.mutants
    assert row.fate is Fate.NOT_RUN


def test_the_list_names_each_mutant_with_what_it_must_die_on(run: Run) -> None:
    ended = run("mutants", "--list", "--requirement", "IND-ABORT-02")
    assert ended.returncode == 0
    assert "reset_told_as_end" in ended.stdout
    assert "hard_close_is_graceful" not in ended.stdout


# --- the negative control -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [(), ("-n", "2"), ("--topology", "host"), ("-x",)])
def test_a_run_sees_its_negative_control_fail(run: Run, tmp_path: Path, more: tuple[str, ...]) -> None:
    ended = run("run", "--provider", "unix-stream", "-k", "peek_at_the_end", "--output", "report", *more)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    results = load(tmp_path / "report" / "results.json")
    assert results.control is not None
    assert results.control.caught
    assert [provider.name for provider in results.providers] == ["unix-stream"]
    assert results.cases.planned == results.cases.finished == 2
    for case in results.control.cases:
        assert (tmp_path / "report" / case.evidence).is_file()


def test_a_run_whose_control_does_not_fail_gives_no_verdict(run: Run, tmp_path: Path) -> None:
    words = ("run", "--provider", "kernel-tcp", "-k", "peek_at_the_end", "--output", "report")
    ended = run(*words, f"--shutdown-control={MISBEHAVING}:identity")
    assert ended.returncode == 3
    assert "the negative control did not fail: identity over kernel-tcp on loopback came to pass" in ended.stdout
    assert verdicts(tmp_path / "report")["kernel-tcp"]["IND-STREAM-05"] == "pass"


def test_where_no_case_is_run_there_is_no_control(run: Run, tmp_path: Path) -> None:
    ended = run("run", "--provider", "kernel-tcp", "-k", "peek_at_the_end", "--collect-only", "--output", "report")
    assert ended.returncode == 0
    assert not (tmp_path / "report" / "evidence").exists()
