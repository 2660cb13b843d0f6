# SPDX-License-Identifier: MIT
"""The commands by their arguments, output and exit status. Runs of real cases are tested end to end elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.catalogue import catalogue
from conformance.cli import main
from conformance.oracle.findings import Conclusion
from conformance.reporting.results import save
from conformance.trace import store
from tests.reporting.runs import GOOD, case, finding, kept_run, results_of

COMMANDS = (
    *("run", "providers", "requirements", "explain", "judge", "report", "diff", "certify", "verify"),
    *("check-agent", "build", "soak"),
)
KERNEL = [sys.executable, "-m", "conformance.agents.kernel", "--transport", "tcp"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of the test's own, so that `reports/` is its own too."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


Captured = pytest.CaptureFixture[str]


def complaint(capsys: Captured) -> tuple[str, str]:
    """The one message and the one hint on standard error."""
    said = capsys.readouterr()
    assert said.out == ""
    message, hint = said.err.splitlines()
    assert message.startswith("shutdown-conformance: ")
    assert hint.startswith("hint: ")
    return message.partition(": ")[2], hint.partition(": ")[2]


# --- help -------------------------------------------------------------------------------------------------------------


def test_help_names_every_command(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["--help"])
    assert exit.value.code == 0
    told = capsys.readouterr().out
    assert all(command in told for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_shows_an_example(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "conformance.cli", command, "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert f"example:\n  shutdown-conformance {command}" in done.stdout
    assert done.stderr == ""


def test_help_needs_none_of_the_heavy_libraries() -> None:
    heavy = ("scapy", "pytest", "rich", "msgspec", "pcapng")
    script = (
        "import sys\nfrom conformance.cli import main\n"
        "try:\n    main(['run', '--help'])\nexcept SystemExit:\n    pass\n"
        f"assert not set({heavy}) & set(sys.modules), set({heavy}) & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[2])


# --- wrong usage ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        ([], "required: COMMAND", "--help"),
        (["rnu"], "invalid choice: 'rnu'", "--help"),
        (["requirements", "--grop", "A"], "unknown arguments: --grop A", "requirements --help"),
        (["requirements", "--group", "Q"], "no group 'Q'", "A Initiating a shutdown"),
        (["explain"], "required: ID", "explain --help"),
        (["explain", "IND-STREAM-1"], "no requirement and no case is called 'IND-STREAM-1'", "IND-STREAM-01"),
        (["explain", "zzzz"], "'zzzz'", "shutdown-conformance requirements"),
        (["explain", "IND-STREAM-01", "--results", "nowhere"], "nowhere/results.json: cannot be read", "results.json"),
        (["judge", "nowhere"], "nowhere/results.json: cannot be read", "results.json"),
        (["check-agent"], "needs the command of an agent", "check-agent python"),
        (["check-agent", "nonesuch", "--transport", "tcp"], "no such program: nonesuch", "full path"),
        (["check-agent", "tcp://nowhere"], "no address of an agent: tcp://nowhere", "write tcp://host:port"),
        (["check-agent", "tcp://127.0.0.1:1", "-v"], "nothing can follow the address", "one agent"),
        (["providers", "kernel-tpc"], "no provider 'kernel-tpc'", "kernel-tcp"),
        (["run", "--provider", "kernel-tpc"], "no provider 'kernel-tpc'", "kernel-tcp"),
        (["run", "--provider", "mine.toml"], "mine.toml: cannot be read", "path"),
        (["run", "--update-baseline"], "--update-baseline needs --baseline FILE", "run --help"),
        (["run", "--baseline", "none.toml"], "none.toml: cannot be read: No such file", "--update-baseline writes"),
        (["run", "--baseline", "."], ".: cannot be read: Is a directory", "check the path"),
        (
            ["run", "--baseline", "no/where.toml", "--update-baseline"],
            "no/where.toml: cannot be written: no such directory",
            "make its directory",
        ),
        (["diff", "one"], "required: B", "diff --help"),
        (["diff", "nowhere", "nowhere"], "nowhere: cannot be read: No such file", "results.json"),
        (["soak", "--runs", "1"], "one run has nothing to be compared with", "at least 2"),
        (["soak", "--provider", "kernel-tpc"], "no provider 'kernel-tpc'", "kernel-tcp"),
        (["run", "--topology", "wyre"], "no topology 'wyre'", "did you mean wire?"),
        (["run", "--topology", "xxx"], "no topology 'xxx'", "loopback, wire, veth, host"),
    ],
)
def test_wrong_usage_gets_one_message_and_a_next_step(
    arguments: list[str], message: str, hint: str, capsys: Captured
) -> None:
    assert main(arguments) == 2
    said, advice = complaint(capsys)
    assert message in said
    assert hint in advice


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ("[implementation]\n", "mine.toml: implementation: Object missing required field `name`"),
        ('[implementation]\nname = "x"\ncolour = "red"\n', "unknown field `colour`"),
        ("[implementation\n", "not TOML"),
        (
            '[implementation]\nname = "x"\n[agent]\ncommand = ["x"]\n[statement]\nfamily = "posix"\n'
            'transport = "tcp"\n[peer]\nprovider = "kernel-tpc"\n',
            "no provider 'kernel-tpc'",
        ),
    ],
)
def test_a_bad_profile_is_told_before_anything_runs(profile: str, message: str, here: Path, capsys: Captured) -> None:
    (here / "mine.toml").write_text(profile, "utf-8")
    assert main(["run", "--provider", "mine.toml"]) == 2
    assert message in complaint(capsys)[0]
    assert not (here / "reports").exists()


def test_an_output_that_cannot_be_written(here: Path, capsys: Captured) -> None:
    (here / "file").write_text("", "utf-8")
    assert main(["run", "--output", "file/below"]) == 2
    message, hint = complaint(capsys)
    assert "cannot write to file/below" in message
    assert "--output" in hint


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_an_output_that_is_full(here: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open
    monkeypatch.setattr(Path, "open", lambda path, mode="r": opened(Path("/dev/full"), mode))
    assert main(["run", "--output", "out"]) == 2
    message, hint = complaint(capsys)
    assert "No space left on device" in message
    assert "make room" in hint


# --- requirements, explain --------------------------------------------------------------------------------------------


def test_requirements_lists_all_or_a_group(capsys: Captured) -> None:
    assert main(["requirements"]) == 0
    told = capsys.readouterr().out
    assert all(identity in told for identity in catalogue.load())
    assert main(["requirements", "--group", "g"]) == 0
    told = capsys.readouterr().out
    assert "ERR-01" in told and "IND-STREAM-01" not in told


def test_requirements_as_json(capsys: Captured) -> None:
    assert main(["requirements", "--json", "--group", "B"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in rows] == [requirement.id for requirement in catalogue.load().group("B")]


def test_explain(here: Path, capsys: Captured) -> None:
    kept_run(here / "reports" / "one")
    assert main(["explain", "ind-stream-01"]) == 0
    told = capsys.readouterr().out
    assert "last verdicts, from reports/one" in told
    assert "recv: ECONNRESET" in told


# --- judge ------------------------------------------------------------------------------------------------------------


def test_judging_again_an_honest_run(here: Path, capsys: Captured) -> None:
    kept_run(here / "run")
    assert main(["judge", "run"]) == 0
    assert capsys.readouterr().out == "2 cases judged again; nothing differs from the results\n"


def test_judging_again_a_lying_report(here: Path, capsys: Captured) -> None:
    kept_run(here / "run")
    path = here / "run" / "results.json"
    path.write_text(
        path.read_text("utf-8").replace('"mandatory","verdict":"fail"', '"mandatory","verdict":"pass"'), "utf-8"
    )
    assert main(["judge", "run"]) == 1
    assert "kernel-tcp  IND-STREAM-01: pass → fail" in capsys.readouterr().out


def test_judging_again_evidence_that_was_cut_short(here: Path, capsys: Captured) -> None:
    kept_run(here / "run")
    path = here / "run" / "evidence" / "kernel-tcp" / f"{store.file_name(GOOD)}.jsonl"
    path.write_bytes(path.read_bytes()[:-30])
    assert main(["judge", "run"]) == 1
    said = capsys.readouterr()
    assert path.name in said.err and "cut short" in said.err and "hint: " in said.err
    assert "1 case judged again" in said.out


def test_judging_again_with_evidence_of_no_case(here: Path, capsys: Captured) -> None:
    kept_run(here / "run")
    for number in range(7):
        (here / "run" / "evidence" / f"{number}.jsonl").touch()
    assert main(["judge", "run"]) == 1
    told = capsys.readouterr().out
    assert "left out: 7 evidence files of no case of these results\n  run/evidence/0.jsonl\n" in told
    assert "  and 2 more\n" in told
    assert "interrupted" not in told


def test_judging_again_without_evidence(here: Path, capsys: Captured) -> None:
    kept_run(here / "run")
    for path in (here / "run" / "evidence").rglob("*.jsonl"):
        path.unlink()
    assert main(["judge", "run"]) == 3
    assert "nothing could be judged" in capsys.readouterr().err


# --- baseline ---------------------------------------------------------------------------------------------------------

EXCUSED = """
[[excused]]
provider = "kernel-tcp"
requirement = "IND-STREAM-01"
reason = "known"
owner = "net team"
expires = 2030-12-31
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("reason", "resaon", "base.toml: entry 1 (line 2): unknown key 'resaon'"),
        ("STREAM-01", "STREAM-99", "base.toml: entry 1 (line 2): requirement: there is no 'IND-STREAM-99'"),
        ("kernel-tcp", "mine\\u001b", "IND-STREAM-01 is excused for 'mine\\x1b', which this run does not test"),
    ],
)
def test_a_bad_baseline_is_told_before_anything_runs(
    old: str, new: str, message: str, here: Path, capsys: Captured
) -> None:
    (here / "base.toml").write_text(EXCUSED.replace(old, new), "utf-8")
    assert main(["run", "--provider", "kernel-tcp", "--baseline", "base.toml"]) == 2
    assert message in complaint(capsys)[0]
    assert not (here / "reports").exists()


def test_a_baseline_that_cannot_be_edited_is_told_before_it_is_updated(here: Path, capsys: Captured) -> None:
    inline = ", ".join(EXCUSED.strip().splitlines()[1:])
    (here / "base.toml").write_text(f"excused = [{{{inline}}}]", "utf-8")
    assert main(["run", "--baseline", "base.toml", "--update-baseline"]) == 2
    assert "base.toml: its entries are written in a form that cannot be edited" in complaint(capsys)[0]


# --- diff -------------------------------------------------------------------------------------------------------------


def two_runs(here: Path) -> None:
    """`bad` fails what `good` passes."""
    kept_run(here / "bad")
    save(results_of(case(GOOD, finding("IND-STREAM-01", Conclusion.SATISFIED))), here / "good" / "results.json")


def test_what_got_worse_is_status_1(here: Path, capsys: Captured) -> None:
    two_runs(here)
    assert main(["diff", "good", "bad"]) == 1
    told = capsys.readouterr().out
    assert "IND-STREAM-01 (kernel-tcp): pass → fail: after the peer's graceful end, recv failed" in told
    assert main(["diff", "bad", "bad/results.json"]) == 0
    assert capsys.readouterr().out.endswith("No requirement changed.\n")


def test_a_comparison_as_json(here: Path, capsys: Captured) -> None:
    two_runs(here)
    assert main(["diff", "good", "bad", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["status"] == 1
    assert said["before"]["name"] == "good"
    assert {"provider": "kernel-tcp", "requirement": "IND-STREAM-01", "kind": "worse"}.items() <= said["changes"][
        0
    ].items()


def test_what_are_no_results_cannot_be_compared(here: Path, capsys: Captured) -> None:
    two_runs(here)
    (here / "half.json").write_text((here / "good" / "results.json").read_text("utf-8")[:999], "utf-8")
    assert main(["diff", "good", "half.json"]) == 2
    assert "half.json: not JSON, or cut short" in complaint(capsys)[0]
    (here / "empty").mkdir()
    assert main(["diff", "empty", "good"]) == 2
    assert "empty/results.json: cannot be read" in complaint(capsys)[0]


# --- agents -----------------------------------------------------------------------------------------------------------


def test_an_agent_that_speaks_the_protocol(capsys: Captured) -> None:
    assert main(["check-agent", *KERNEL]) == 0
    assert "the agent speaks the protocol" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command", [[sys.executable, "-c", "print('hello')"], ["--", sys.executable, "-c", ""], ["tcp://127.0.0.1:1"]]
)
def test_an_agent_that_does_not(command: list[str], capsys: Captured) -> None:
    assert main(["check-agent", *command]) == 1
    told = capsys.readouterr().out
    assert "WRONG  hello: " in told
    assert "hint: " in told
    assert "1 thing is wrong (1 check)" in told


def test_providers_say_what_is_missing(here: Path, capsys: Captured) -> None:
    (here / "mine.toml").write_text(
        '[implementation]\nname = "mine"\n[agent]\ncommand = ["/no/such/agent"]\n'
        '[statement]\nfamily = "posix"\ntransport = "tcp"\n',
        "utf-8",
    )
    assert main(["providers", "kernel-tcp", "mine.toml"]) == 0
    told = capsys.readouterr().out
    assert "kernel-tcp   tcp, stream; agent python-socket" in told
    assert "mine" in told and "NOT READY" in told
    assert "cannot start /no/such/agent: No such file" in told
    assert "remedy: is it installed, and is the path right?" in told
    assert all(topology in told for topology in ("loopback", "wire", "veth", "host"))


# --- an end from outside ----------------------------------------------------------------------------------------------


def test_a_reader_who_leaves_early_is_no_error() -> None:
    command = f"{sys.executable} -m conformance.cli requirements | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stderr == ""
    assert done.stdout.split()[-1] in ("0", "141")


def test_diff_writes_a_page(here: Path, capsys: Captured) -> None:
    good, bad = (
        results_of(case("a", finding("IND-STREAM-01", Conclusion.SATISFIED))),
        results_of(case("a", finding("IND-STREAM-01", Conclusion.VIOLATED, "<b>a reset</b>"))),
    )
    save(good, here / "good" / "results.json")
    save(bad, here / "bad" / "results.json")
    assert main(["diff", "good", "bad", "--html", "pages/difference.html"]) == 1
    page = (here / "pages" / "difference.html").read_text(encoding="utf-8")
    assert "1 requirement got worse." in page
    assert "&lt;b&gt;a reset&lt;/b&gt;" in page
    (here / "file").touch()
    assert main(["diff", "good", "bad", "--html", "file/difference.html"]) == 2
    assert "cannot write file/difference.html" in capsys.readouterr().err
