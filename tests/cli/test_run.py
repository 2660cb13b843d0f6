# SPDX-License-Identifier: MIT
"""`run` around pytest: the arguments that it makes, and the exit status that it makes of pytest's and the results'."""

from __future__ import annotations

import json
import signal
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from conformance import locations
from conformance.cli import main
from conformance.oracle.findings import Conclusion
from conformance.reporting import reports
from conformance.reporting.baseline import Baseline, Entry
from conformance.reporting.results import Results, load, save
from tests.reporting.runs import case, finding, provider, results_of

PASSED = case("one", finding("IND-STREAM-01", Conclusion.SATISFIED))
FAILED = case("two", finding("IND-STREAM-01", Conclusion.VIOLATED))
Captured = pytest.CaptureFixture[str]


class FakePytest:
    """Takes the place of pytest.main: notes the arguments, leaves these results, says this and returns that."""

    def __init__(self) -> None:
        self.arguments: list[str] = []
        self.status = 0
        self.results: Results | None = results_of(PASSED)
        self.interrupted = False
        self.signal: signal.Signals | None = None
        self.ended_by = ""

    def __call__(self, arguments: list[str], plugins: list[Any]) -> int:
        self.arguments = arguments
        print("pytest speaks")
        if self.results is not None:
            save(self.results, self.output / "results.json")
        if self.interrupted or self.signal:
            with pytest.raises(KeyboardInterrupt) as caught:
                signal.raise_signal(self.signal or signal.SIGINT)
            plugins[0].pytest_keyboard_interrupt(caught)
        if self.ended_by:
            with pytest.raises(pytest.exit.Exception) as ended:
                pytest.exit(self.ended_by)
            plugins[0].pytest_keyboard_interrupt(ended)
        return self.status

    def value_of(self, option: str) -> str:
        return self.arguments[self.arguments.index(option) + 1]

    @property
    def output(self) -> Path:
        return Path(self.value_of("--shutdown-output"))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakePytest:
    """pytest.main replaced, in a directory of the test's own."""
    monkeypatch.chdir(tmp_path)
    made = FakePytest()
    monkeypatch.setattr("pytest.main", made)
    return made


def test_the_cases_are_run_by_the_plugin(fake: FakePytest) -> None:
    assert main(["run"]) == 0
    assert fake.arguments[0] == str(locations.cases())
    assert "--shutdown-run" in fake.arguments
    assert "--provider" not in fake.arguments  # the plugin knows the default ones


def test_options_are_handed_on(fake: FakePytest) -> None:
    options = ["--provider", "kernel-tcp", "--provider", "unix-stream", "-k", "end and not close", "-n", "2"]
    main(["run", *options, "--topology", "host"])
    assert [fake.arguments[i + 1] for i, word in enumerate(fake.arguments) if word == "--provider"] == [
        "kernel-tcp",
        "unix-stream",
    ]
    assert fake.value_of("-k") == "end and not close"
    assert fake.value_of("-n") == "2"
    assert fake.value_of("--topology") == "host"


def test_a_baseline_is_handed_on(fake: FakePytest, tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text("", "utf-8")
    main(["run", "--baseline", "base.toml"])
    assert fake.value_of("--shutdown-baseline") == "base.toml"
    assert "--shutdown-update-baseline" not in fake.arguments
    main(["run", "--baseline", "new.toml", "--update-baseline"])
    assert "--shutdown-update-baseline" in fake.arguments


def test_what_is_excused_opens_the_gate(fake: FakePytest) -> None:
    entry = Entry("kernel-tcp", "IND-STREAM-01", "known", "net team", date(2030, 12, 31))
    fake.results = msgspec.structs.replace(
        results_of(PASSED, FAILED), baseline=Baseline("base.toml", date(2030, 12, 31), (entry,))
    )
    assert main(["run"]) == 0
    fake.results = msgspec.structs.replace(fake.results, baseline=Baseline("base.toml", date(2031, 1, 1), (entry,)))
    assert main(["run"]) == 1


@pytest.mark.parametrize("status", [2, 3])
def test_why_the_suite_ended_the_run_is_told(fake: FakePytest, capsys: Captured, tmp_path: Path, status: int) -> None:
    fake.results, fake.status, fake.ended_by = None, status, "base.toml: it does not fit\nhint: mend it"
    assert main(["run"]) == status
    assert capsys.readouterr().err.endswith("shutdown-conformance: base.toml: it does not fit\nhint: mend it\n")
    assert list((tmp_path / "reports").iterdir()) == []


def test_pytests_own_options_are_handed_on_unchanged(fake: FakePytest) -> None:
    own = [
        "-x",
        "--lf",
        "-vv",
        "--junitxml=out.xml",
        "--alluredir",
        "allure",
        "-p",
        "no:randomly",
        "--maxfail=2",
        "-rA",
    ]
    main(["run", *own, "-k", "x"])
    assert fake.arguments[-len(own) :] == own


def test_the_default_place_is_named_by_the_time_and_linked(fake: FakePytest, tmp_path: Path) -> None:
    main(["run"])
    (run,) = [path for path in (tmp_path / "reports").iterdir() if path.name[0].isdigit()]
    assert fake.output == run
    assert (tmp_path / "reports" / "latest").resolve() == run
    assert fake.value_of("-o") == f"cache_dir={tmp_path / 'reports' / '.pytest_cache'}"


def test_runs_in_the_same_second_do_not_share_a_place(fake: FakePytest, tmp_path: Path) -> None:
    places = set()
    for _ in range(3):
        main(["run"])
        places.add(fake.output)
    assert len(places) == 3
    assert (tmp_path / "reports" / "latest").resolve() == fake.output


def test_a_place_that_is_given_is_used_as_it_is(fake: FakePytest, tmp_path: Path) -> None:
    main(["run", "--output", "out/here"])
    assert fake.output == tmp_path / "out" / "here"
    assert not (tmp_path / "reports").exists()


def test_results_of_an_earlier_run_are_not_taken_for_this_ones(fake: FakePytest, tmp_path: Path) -> None:
    main(["run", "--output", "out"])
    fake.results, fake.status = None, 3
    assert main(["run", "--output", "out"]) == 3


def test_evidence_of_an_earlier_run_is_not_taken_for_this_ones(fake: FakePytest, tmp_path: Path) -> None:
    main(["run", "--output", "out"])
    left = tmp_path / "out" / "evidence" / "unix-stream" / "old.jsonl"
    left.parent.mkdir(parents=True)
    left.touch()
    main(["run", "--output", "out"])
    assert not left.parent.parent.exists()


def test_reports_of_an_earlier_run_are_not_taken_for_this_ones(fake: FakePytest, tmp_path: Path) -> None:
    main(["run", "--output", "out"])
    for name in (*reports.NAMES, "notes.txt"):
        (tmp_path / "out" / name).touch()
    main(["run", "--output", "out"])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["notes.txt", "results.json"]


def test_a_run_in_which_nothing_could_be_tested_is_kept(fake: FakePytest, tmp_path: Path) -> None:
    fake.results, fake.status = results_of(providers=[provider(problem="does not start")]), 3
    assert main(["run"]) == 3
    assert (tmp_path / "reports" / "latest" / "results.json").exists()


def test_ctrl_c_while_the_reports_are_written_loses_nothing(
    fake: FakePytest, capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def ended(arguments: list[str], plugins: list[Any]) -> int:
        fake(arguments, plugins)
        raise KeyboardInterrupt

    monkeypatch.setattr("pytest.main", ended)
    assert main(["run"]) == 130
    assert "what was finished is in reports/" in capsys.readouterr().err
    assert (tmp_path / "reports" / "latest" / "results.json").exists()


def test_evidence_without_results_is_not_ours_to_remove(fake: FakePytest, tmp_path: Path) -> None:
    theirs = tmp_path / "out" / "evidence" / "photo.jpg"
    theirs.parent.mkdir(parents=True)
    theirs.touch()
    main(["run", "--output", "out"])
    assert theirs.exists()


def test_evidence_of_a_run_that_was_killed_is_not_taken_for_this_ones(fake: FakePytest, tmp_path: Path) -> None:
    left = tmp_path / "out" / "evidence" / "kernel-tcp" / "old.jsonl"
    left.parent.mkdir(parents=True)
    left.touch()
    (tmp_path / "out" / ".running").touch()
    main(["run", "--output", "out"])
    assert not left.parent.parent.exists()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["results.json"]


def test_evidence_that_was_left_without_results_is_marked(
    fake: FakePytest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def leave(arguments: list[str], plugins: list[Any]) -> int:
        (tmp_path / "out" / "evidence").mkdir()
        return 3

    monkeypatch.setattr("pytest.main", leave)
    assert main(["run", "--output", "out"]) == 3
    assert (tmp_path / "out" / ".running").exists()


def test_two_runs_do_not_write_to_one_place(fake: FakePytest, tmp_path: Path, capsys: Captured) -> None:
    import fcntl

    evidence = tmp_path / "out" / "evidence"
    evidence.mkdir(parents=True)
    with (tmp_path / "out" / ".running").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert main(["run", "--output", "out"]) == 2
        assert "another run is writing to out" in capsys.readouterr().err
        assert evidence.exists()
        assert fake.arguments == []
    assert main(["run", "--output", "out"]) == 0


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_other_signals_that_end_a_program_are_like_ctrl_c(fake: FakePytest, name: str) -> None:
    number = signal.Signals[name]
    before = signal.getsignal(number)
    fake.results, fake.status, fake.signal = results_of(PASSED, planned=9), 2, number
    assert main(["run"]) == 130
    assert signal.getsignal(number) is before


def test_a_signal_that_is_ignored_stays_so(fake: FakePytest) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        fake.signal = signal.SIGHUP
        with pytest.raises(pytest.fail.Exception):  # the one with which FakePytest expects an interrupt
            main(["run"])
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(
    ("results", "status", "exit"),
    [
        (results_of(PASSED), 0, 0),
        (results_of(PASSED, FAILED), 1, 1),
        (results_of(PASSED, FAILED), 0, 1),
        (results_of(PASSED), 1, 1),  # pytest saw something that the results do not show
        (results_of(PASSED), 3, 1),
        (results_of(planned=5), 3, 3),
        (results_of(providers=[provider(problem="does not start")]), 3, 3),
        (results_of(PASSED, providers=[provider(), provider("mine", problem="does not start")]), 1, 1),
    ],
)
def test_the_exit_status_is_the_gates(fake: FakePytest, results: Results, status: int, exit: int) -> None:
    fake.results, fake.status = results, status
    assert main(["run"]) == exit


def test_arguments_that_pytest_refuses_are_wrong_usage(fake: FakePytest, capsys: Captured, tmp_path: Path) -> None:
    fake.results, fake.status = None, 4
    assert main(["run", "--nonsense"]) == 2
    assert "hint: shutdown-conformance run --help" in capsys.readouterr().err
    assert list((tmp_path / "reports").iterdir()) == []


def test_a_selection_of_nothing_is_told_and_leaves_nothing(fake: FakePytest, capsys: Captured, tmp_path: Path) -> None:
    main(["run"])
    before = sorted((tmp_path / "reports").iterdir())
    fake.results, fake.status = results_of(planned=0), 3
    assert main(["run", "-k", "nonesuch"]) == 3
    assert "-k 'nonesuch' selects no case" in capsys.readouterr().err
    assert sorted((tmp_path / "reports").iterdir()) == before


def test_a_run_that_collects_only_has_no_results_and_is_fine(fake: FakePytest) -> None:
    fake.results = None
    assert main(["run", "--collect-only"]) == 0


def test_a_run_that_ends_without_results(fake: FakePytest, capsys: Captured) -> None:
    fake.results, fake.status = None, 3
    assert main(["run"]) == 3
    assert "ended without results" in capsys.readouterr().err


def test_an_interrupted_run_says_where_its_results_are(fake: FakePytest, capsys: Captured) -> None:
    fake.results, fake.status, fake.interrupted = results_of(PASSED, planned=9), 2, True
    assert main(["run"]) == 130
    assert str(fake.output.name) in capsys.readouterr().err
    assert load(fake.output / "results.json").cases.finished == 1


def test_json_is_alone_on_standard_output(fake: FakePytest, capsys: Captured) -> None:
    assert main(["run", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["schema"] == 1
    assert "pytest speaks" in said.err
    assert "--shutdown-json" in fake.arguments


def test_a_topology_that_is_not_to_be_had_ends_the_run_before_it_begins(
    fake: FakePytest, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    from conformance.wire.topology import Missing

    monkeypatch.setattr(
        "conformance.wire.topology.availability", lambda name: Missing("no /dev/net/tun", "modprobe tun")
    )
    assert main(["run", "--topology", "wire"]) == 3
    said = capsys.readouterr().err
    assert "'wire' is not available: no /dev/net/tun" in said
    assert "hint: modprobe tun" in said
    assert fake.arguments == []


def test_a_checkout_that_is_not_installed_names_its_plugin(fake: FakePytest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: ())
    main(["run"])
    assert fake.value_of("-p") == "conformance.pytest_plugin"
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: ("found",))
    main(["run"])
    assert "conformance.pytest_plugin" not in fake.arguments
