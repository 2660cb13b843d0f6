# SPDX-License-Identifier: MIT
"""Comparing runs: what changed is told, with the runs that were not as usual, and what did not change is not."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from conformance.oracle.findings import Conclusion
from conformance.oracle.verdicts import Verdict
from conformance.reporting import stability
from conformance.reporting.stability import Run, Soak, compared, observed, told, worth_keeping
from tests.reporting.runs import case, finding, provider, results_of

CASE, REQUIREMENT = "a.py::test_end", "IND-STREAM-01"


def ran(number: int, verdict: Verdict = Verdict.PASS, *, busy: bool = False, **others: int | None) -> Run:
    """A run of one case, by hand."""
    outcome = {
        Verdict.PASS: Conclusion.SATISFIED,
        Verdict.FAIL: Conclusion.VIOLATED,
        Verdict.INCONCLUSIVE: Conclusion.UNDETERMINED,
    }[verdict]
    result = msgspec.structs.replace(case(CASE, finding(REQUIREMENT, outcome)), verdict=verdict)
    status: int | None = others.get("status", 1 if verdict is Verdict.FAIL else 0)
    return observed(results_of(result), number=number, busy=busy, seconds=10.0 + number, status=status)


def changed(soak: Soak) -> dict[tuple[str, str], tuple[str, dict[str, tuple[int, ...]]]]:
    return {(c.kind, c.name): (c.usual, {o.verdict: o.runs for o in c.otherwise}) for c in soak.changes}


def test_nothing_changed() -> None:
    soak = compared([ran(1), ran(2, busy=True), ran(3)], 3)
    assert (soak.status, soak.changes, soak.cases) == (0, (), 3)
    assert soak.always == {"pass": 1}
    assert worth_keeping(soak, over=True) == set()
    lines = told(soak)
    assert lines[0] == "3 runs, 1 of them with all cores busy; 3 cases in all"
    assert lines[-1] == "Nothing ever changed."
    assert not any("CHANGED" in line for line in lines)


def test_a_failure_in_one_run_is_told_first_and_its_run_kept() -> None:
    soak = compared([ran(1), ran(2, Verdict.FAIL, busy=True), ran(3)], 3)
    assert soak.status == 1
    found = changed(soak)
    assert found["case", CASE] == ("pass", {"fail": (2,)})
    assert found["requirement", REQUIREMENT] == ("pass", {"fail": (2,)})
    assert found["run", "exit status"] == ("0", {"1": (2,)})
    assert soak.changes[0].is_bad
    assert not soak.changes[-1].is_bad
    assert [run.odd for run in soak.runs] == [False, True, False]
    assert worth_keeping(soak, over=True) == {1, 2}
    assert any("2 of them to or from fail or error" in line and "run-002" in line for line in told(soak))


def test_what_always_fails_is_no_change() -> None:
    soak = compared([ran(1, Verdict.FAIL), ran(2, Verdict.FAIL)], 2)
    assert (soak.status, soak.always) == (0, {"fail": 1})


def test_a_first_run_that_was_odd_is_outvoted() -> None:
    runs = [ran(1, Verdict.FAIL), ran(2)]
    assert changed(compared(runs, 3))["case", CASE] == ("fail", {"pass": (2,)})
    soak = compared([*runs, ran(3)], 3)
    assert changed(soak)["case", CASE] == ("pass", {"fail": (1,)})
    assert worth_keeping(soak, over=True) == {1, 2}


def test_a_usual_run_is_kept_while_more_are_to_come() -> None:
    soak = compared([ran(1), ran(2)], 5)
    assert worth_keeping(soak, over=False) == {1}
    assert worth_keeping(soak, over=True) == set()


def test_the_share_of_what_is_inconclusive_now_and_then() -> None:
    always = [ran(1, Verdict.INCONCLUSIVE), ran(2, Verdict.INCONCLUSIVE)]
    soak = compared(always, 2)
    assert (soak.status, soak.inconclusive, soak.at_times_inconclusive) == (0, 2, 0)
    soak = compared([ran(1), ran(2, Verdict.INCONCLUSIVE), ran(3), ran(4)], 4)
    assert (soak.status, soak.inconclusive, soak.at_times_inconclusive) == (1, 1, 1)
    assert any("1 of 4 cases, 25.0000%" in line for line in told(soak))
    assert not any("to or from fail" in line for line in told(soak))


def test_a_case_that_a_run_does_not_have_is_a_change() -> None:
    none = observed(results_of(planned=1), number=2, busy=False, seconds=1.0, status=0)
    assert changed(compared([ran(1), none], 2))["case", CASE] == ("pass", {"not there": (2,)})


def test_a_run_without_results_is_one_change_and_not_thousands() -> None:
    broken = observed(None, number=2, busy=False, seconds=1.0, status=3)
    assert changed(compared([ran(1), broken, ran(3)], 3)) == {("run", "exit status"): ("0", {"3": (2,)})}
    hung = observed(None, number=2, busy=False, seconds=1.0, status=None)
    assert changed(compared([ran(1), hung, ran(3)], 3)) == {("run", "exit status"): ("0", {"none": (2,)})}


def test_a_provider_that_could_not_be_tested_once_is_one_change() -> None:
    untested = results_of(providers=[provider(problem="does not start")], planned=1)
    second = observed(untested, number=2, busy=False, seconds=1.0, status=0)
    assert changed(compared([ran(1), second, ran(3)], 3)) == {("provider", "tested"): ("yes", {"no": (2,)})}


@pytest.mark.parametrize(("runs", "says"), [(0, "no run was finished"), (1, "nothing to be compared with")])
def test_too_few_runs_say_so(runs: int, says: str) -> None:
    soak = compared([ran(number + 1) for number in range(runs)], 5)
    assert any(says in line for line in told(soak))
    assert not any("ever changed" in line for line in told(soak))


def test_names_of_others_are_made_fit_to_print() -> None:
    hostile = ("kernel-tcp", "case", "a\x1b[2Jb")
    tested = ("kernel-tcp", "provider", "tested")
    runs = [
        Run(number=n, busy=False, seconds=1.0, status=0, verdicts={tested: "yes", hostile: verdict})
        for n, verdict in ((1, "pass"), (2, "fail"))
    ]
    assert "\x1b" not in "".join(told(compared(runs, 2)))


def test_more_changes_than_can_be_read_are_counted() -> None:
    tested = ("p", "provider", "tested")
    names = [("p", "case", str(number)) for number in range(100)]
    runs = [
        Run(number=n, busy=False, seconds=1.0, status=0, verdicts={tested: "yes", **dict.fromkeys(names, verdict)})
        for n, verdict in ((1, "pass"), (2, "inconclusive"))
    ]
    lines = told(compared(runs, 2))
    assert sum(line.startswith("CHANGED") for line in lines) == 40
    assert "and 60 more changes: soak.json has all of them" in lines


def test_the_comparison_on_disk_is_the_comparison(tmp_path: Path) -> None:
    soak = compared([ran(1), ran(2, Verdict.FAIL)], 2)
    stability.save(soak, tmp_path / "soak.json")
    assert msgspec.json.decode((tmp_path / "soak.json").read_bytes(), type=Soak) == soak
    assert json.loads((tmp_path / "soak.json").read_text())["schema"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["soak.json"]
