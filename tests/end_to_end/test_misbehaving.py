# SPDX-License-Identifier: MIT
"""Agents that crash, hang or lie cost their own cases, and never make a verdict."""

from pathlib import Path

import pytest

from tests.end_to_end.conftest import Run, verdicts

PROFILE = """
[implementation]
name = "misbehaving"
[agent]
command = [
  "{{python}}", "-m", "conformance.agents.mutating", "{file}", "{name}", "--",
  "{{python}}", "-m", "conformance.agents.kernel", "--transport", "tcp",
]
[statement]
family = "posix"
transport = "tcp"
platform = "linux"
service_flags = ["GUARANTEED_DELIVERY", "GUARANTEED_ORDER", "GRACEFUL_CLOSE"]
[peer]
provider = "kernel-tcp"
"""


def profile(directory: Path, name: str) -> str:
    path = directory / "misbehaving.toml"
    path.write_text(PROFILE.format(file=Path(__file__).with_name("misbehaving.py"), name=name))
    return str(path)


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
    assert set(verdicts(tmp_path / "report")["misbehaving"].values()) == {"error", "not-applicable", "not-exercised"}
    assert "do not lie between its request and its reply" in ended.stdout


@pytest.mark.parametrize(
    ("name", "keyword", "said"),
    [
        ("hang_at_the_end", "(peek_at_the_end and 1460) or linger_as_it_is_found", "no reply to `recv`"),
        ("crash_at_the_end", "peek_at_the_end or linger_as_it_is_found", "a crash, as a stack might"),
    ],
)
def test_a_hang_or_a_crash_costs_its_cases_and_not_the_run(
    run: Run, tmp_path: Path, name: str, keyword: str, said: str
) -> None:
    ended = run("run", "--provider", profile(tmp_path, name), "--output", "report", "-k", keyword)
    found = verdicts(tmp_path / "report")["misbehaving"]
    assert ended.returncode == 1
    assert (found["IND-STREAM-05"], found["INIT-CLOSE-09"]) == ("error", "pass")
    assert said in ended.stdout
