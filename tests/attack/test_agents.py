# SPDX-License-Identifier: MIT
"""Whole runs against agents that attack: each case that meets one is an error, and everything else is judged as ever.

All of them are providers of one run, beside a sound one. The cases are few and known, so it is known which of them
meet which attack.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.trace import store
from tests.attack import fake
from tests.attack.conftest import profile
from tests.attack.host import Ended, Host

KEYWORD = "iut-begins-shutdown-send or linger_as_it_is_found or (shutdown_on_an_idle and accepting-send)"
CALLS = {
    "disconnect_data/half_close.py::test_half_close_exchange[iut-begins-shutdown-send]":
        ("socket", "connect", "send", "recv", "shutdown", "close"),
    "initiating/shutdown.py::test_shutdown_on_an_idle_connection[accepting-send]":
        ("socket", "listen", "accept", "close", "shutdown"),
    "initiating/close.py::test_linger_as_it_is_found": ("socket", "get_linger"),
}  # fmt: skip
"""The cases, and what the implementation is asked for in each."""
POINTS = ("socket", "listen", "connect", "accept", "send", "recv", "shutdown", "close", "get_linger")
LIMIT_S = 150
PEAK_MIB = 600
"""A run of all of these at once, scapy and all."""
TELLS = {
    "dies": "exit status 7",
    "is_killed": "SIGSEGV",
    "dies_in_the_middle": "line is not finished",
    "dies_and_leaves_a_child_with_the_pipes": "no reply to `recv`",
    "is_silent": "no reply to `recv`",
    "is_late": "no reply to `recv`",
    "stops_reading": "no reply to",
    "closes_its_input": "still running|ended|closed",
    "closes_its_output": "closed its standard output",
    "answers_twice": "a second reply|answered already",
    "answers_another": "which was never made",
    "answers_an_old_one": "answered already",
    "merges_two_lines": "not JSON",
    "splits_a_line": "not JSON",
    "says_five_mib": "4194304 are allowed",
    "never_ends_its_line": "4194304 are allowed",
    "says_no_utf8": "not UTF-8",
    "says_nan": "not JSON",
    "says_huge_numbers": "do not lie between",
    "nests_deeply": "nested too deeply|not JSON",
    "nests_deeply_and_closes_it": "nested too deeply",
    "speaks_in_control_codes": "\\x1b[2J",
    "floods": "answered already",
    "floods_with_notices": "a flood|no reply to",
    "reports_its_own_failure": "out of cheese",
    "sets_its_clock_forward": "do not lie between",
    "sets_its_clock_forward_in_the_call": "do not lie between",
    "sets_its_clock_back": "do not lie between",
    "sets_its_clock_back_in_the_call": "returned",
    "told_tomorrow": "the time of notice 1|notice 1 after notice 1",
}
"""What is said of each at `recv`: one of the parts."""


def name_of(attack: str, point: str, peer: bool = False) -> str:
    return f"{'peer-' if peer else ''}{attack}-{point}"


ATTACKS = [
    *((attack, "recv") for attack in fake.WRONG),
    *(("dies", point) for point in POINTS if point != "recv"),
    *(("answers_twice", point) for point in POINTS if point != "recv"),
]
MEETING = [(attack, point) for attack in ("dies", "is_silent", "floods", "says_nan") for point in ("hello", "reset")]
PEERS = [("dies", "send"), ("is_silent", "recv"), ("stops_reading", "send"), ("floods_with_notices", "shutdown")]


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    """One run with all attackers, and one sound provider last."""
    directory = tmp_path_factory.mktemp("attacked")
    host = Host(directory)
    providers = [
        profile(directory, name_of(attack, point), attack, point)
        for attack, point in [*ATTACKS, *MEETING, *((attack, "recv") for attack in fake.ODD)]
    ]
    for attack, point in PEERS:
        peer = profile(directory, name_of(attack, point, peer=True) + "-itself", attack, point)
        providers.append(
            profile(directory, name_of(attack, point, peer=True), peer=peer, program=directory / "kernel.py")
        )
    (directory / "kernel.py").write_text("from conformance.agents.kernel.__main__ import main, sys\nmain(sys.argv[1:])")
    words = [word for each in [*providers, "kernel-tcp"] for word in ("--provider", each)]
    try:
        yield host.run("run", *words, "-k", KEYWORD, "--output", "report", limit_s=LIMIT_S)
        assert host.remains() == []
    finally:
        host.close()


def problems(ended: Ended, provider: str) -> dict[str, str]:
    """What is said of the cases of a provider that broke."""
    found = next(each for each in ended.results().providers if each.name == provider)
    return {case.id: case.problem for case in found.cases if case.problem}


def test_the_run_ends_in_bounded_time_and_memory(attacked: Ended) -> None:
    print(f"{attacked.seconds:.1f} s, {attacked.peak_mib:.0f} MiB, {len(attacked.results().providers)} providers")
    assert attacked.status == 1, attacked.err
    assert attacked.seconds < LIMIT_S
    assert attacked.peak_mib < PEAK_MIB
    assert "Traceback" not in attacked.out + attacked.err


def test_what_is_said_is_fit_to_print(attacked: Ended) -> None:
    assert "\x1b" not in attacked.out + attacked.err


@pytest.mark.parametrize("provider", ["kernel-tcp", *(name_of(attack, "recv") for attack in fake.ODD)])
def test_the_sound_and_the_odd_are_judged_as_ever(attacked: Ended, provider: str) -> None:
    verdicts = attacked.verdicts()[provider]
    assert verdicts.keys() == CALLS.keys()
    assert set(verdicts.values()) <= {"pass", "recorded"}, problems(attacked, provider)


@pytest.mark.parametrize(("attack", "point"), ATTACKS)
def test_a_case_that_meets_an_attack_is_an_error_and_no_other_is(attacked: Ended, attack: str, point: str) -> None:
    provider = name_of(attack, point)
    for case, verdict in attacked.verdicts()[provider].items():
        said = problems(attacked, provider).get(case, "")
        assert (verdict == "error") is (point in CALLS[case]), f"{case}: {verdict} {said}"
        assert verdict in ("error", "pass", "recorded")


@pytest.mark.parametrize("attack", fake.WRONG)
def test_the_problem_names_the_line_and_the_next_step(attacked: Ended, attack: str) -> None:
    provider = name_of(attack, "recv")
    told = problems(attacked, provider)
    assert told
    for problem in told.values():
        assert any(part in problem for part in TELLS[attack].split("|")), problem
        assert "hint: " in problem
        assert len(problem) < 3000


@pytest.mark.parametrize(("attack", "point"), MEETING)
def test_who_breaks_before_the_first_case_is_not_tested_and_says_why(attacked: Ended, attack: str, point: str) -> None:
    found = next(each for each in attacked.results().providers if each.name == name_of(attack, point))
    assert found.problem
    assert found.cases == ()
    assert {str(row.verdict) for row in found.requirements} == {"error", "not-applicable"}


@pytest.mark.parametrize(("attack", "point"), PEERS)
def test_a_peer_that_attacks_is_no_fault_of_the_implementation(attacked: Ended, attack: str, point: str) -> None:
    provider = name_of(attack, point, peer=True)
    verdicts = attacked.verdicts()[provider]
    assert "error" in verdicts.values()
    assert set(verdicts.values()) <= {"error", "pass", "recorded"}
    assert verdicts["initiating/close.py::test_linger_as_it_is_found"] in ("pass", "recorded")


def test_what_was_seen_before_the_problem_is_kept(attacked: Ended) -> None:
    (directory,) = attacked.directory.glob("report/evidence/dies-recv")
    traces = [store.load(path) for path in directory.glob("*.jsonl")]
    assert len(traces) == len(CALLS)
    broken = [trace for trace in traces if trace.header.problem]
    assert broken
    for trace in broken:
        assert any(getattr(event, "op", "") == "connect" for event in trace.events)
        assert any(getattr(event, "outcome", "") == "unanswered" for event in trace.events)


def test_the_next_run_is_not_disturbed(host: Host, attacked: Ended) -> None:
    ended = host.run("run", "--provider", "kernel-tcp", "-k", KEYWORD, "--output", "report")
    assert ended.status == 0, ended.out + ended.err
    assert set(ended.verdicts()["kernel-tcp"].values()) <= {"pass", "recorded"}


@pytest.mark.parametrize("attack", ["has_children", "dies_and_leaves_a_child_with_the_pipes", "is_deaf_to_signals"])
def test_nothing_is_left_on_the_host_itself_either(host: Host, tmp_path: Path, attack: str) -> None:
    provider = profile(tmp_path, "mine", attack, "get_linger")
    ended = host.run("run", "--provider", provider, "-k", "linger_as", "--topology", "host", "--output", "report")
    assert set(ended.verdicts()["mine"].values()) == {"error" if attack in fake.WRONG else "pass"}
