# SPDX-License-Identifier: MIT
"""Would the suite notice? Agents that are wrong in one known way fail on the requirement that says so."""

from pathlib import Path

import pytest

from tests.end_to_end.conftest import Run, verdicts

PROFILE = """
[implementation]
name = "mutant"
[agent]
command = ["{{python}}", "{program}", "{rule}", "--transport", "tcp"]
[statement]
family = "posix"
transport = "tcp"
platform = "linux"
service_flags = ["GUARANTEED_DELIVERY", "GUARANTEED_ORDER", "GRACEFUL_CLOSE"]
[peer]
provider = "kernel-tcp"
"""
CASES = {
    "reset_told_as_end": ("peer_aborts", "IND-ABORT-02"),
    "end_told_as_reset": ("end_comes_after_the_data_was_read and blocking", "IND-STREAM-01"),
    "end_not_told": ("end_comes_after_the_data_was_read and blocking", "IND-STREAM-01"),
    "end_told_once": ("end_comes_after_the_data_was_read and blocking", "IND-STREAM-03"),
    "last_byte_lost": ("end_comes_after_the_data_was_read and blocking", "IND-STREAM-02"),
    "first_byte_changed": ("end_comes_after_the_data_was_read and blocking", "IND-STREAM-02"),
    "hang_up_invented": ("half_close and poll", "POSIX-POLL-01"),
    "shutdown_ignored": ("shutdown_on_an_idle_connection", "INIT-SHUT-01"),
    "shutdown_resets": ("receiving_goes_on_after_shutdown", "INIT-SHUT-05"),
    "linger_ignored": ("hard_close", "INIT-CLOSE-03"),
}


def profile(directory: Path, rule: str) -> str:
    path = directory / "mutant.toml"
    path.write_text(PROFILE.format(program=Path(__file__).with_name("mutant.py"), rule=rule))
    return str(path)


@pytest.mark.parametrize("rule", CASES)
def test_a_mutant_is_caught_by_the_requirement_it_breaks(run: Run, tmp_path: Path, rule: str) -> None:
    keyword, requirement = CASES[rule]
    ended = run("run", "--provider", profile(tmp_path, rule), "-k", keyword, "--output", "report")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert verdicts(tmp_path / "report")["mutant"][requirement] == "fail"
    assert requirement in ended.stdout


def test_what_would_be_judged_by_the_wrong_rules_is_not_judged(run: Run, tmp_path: Path) -> None:
    ended = run("run", "--provider", profile(tmp_path, "on_another_transport"), "-k", "peek", "--output", "report")
    assert ended.returncode == 3
    assert "the statement says posix over tcp" in ended.stdout


def test_an_agent_on_another_clock_is_timed_by_its_lines(run: Run, tmp_path: Path) -> None:
    ended = run("run", "--provider", profile(tmp_path, "on_another_clock"), "-k", "peek", "--output", "report")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "its agent has another clock" in ended.stdout


def test_an_agent_that_lies_about_time_gives_errors_and_no_verdict(run: Run, tmp_path: Path) -> None:
    ended = run("run", "--provider", profile(tmp_path, "in_the_future"), "-k", "peek", "--output", "report")
    assert ended.returncode == 1
    assert set(verdicts(tmp_path / "report")["mutant"].values()) == {"error", "not-applicable", "not-exercised"}
    assert "do not lie between its request and its reply" in ended.stdout


def test_a_hang_costs_its_cases_and_not_the_run(run: Run, tmp_path: Path) -> None:
    provider = profile(tmp_path, "hang_at_the_end")
    keyword = "(peek_at_the_end and 1460) or linger_as_it_is_found"
    ended = run("run", "--provider", provider, "--output", "report", "-k", keyword)
    found = verdicts(tmp_path / "report")["mutant"]
    assert ended.returncode == 1
    assert (found["IND-STREAM-05"], found["INIT-CLOSE-09"]) == ("error", "pass")
    assert "no reply to `recv`" in ended.stdout


def test_a_crash_costs_its_cases_and_not_the_run(run: Run, tmp_path: Path) -> None:
    ended = run(
        "run",
        "--provider",
        profile(tmp_path, "crash_at_the_end"),
        "--output",
        "report",
        "-k",
        "peek_at_the_end or linger_as_it_is_found",
    )
    found = verdicts(tmp_path / "report")["mutant"]
    assert ended.returncode == 1
    assert (found["IND-STREAM-05"], found["INIT-CLOSE-09"]) == ("error", "pass")
    assert "a crash, as a stack might" in ended.stdout
