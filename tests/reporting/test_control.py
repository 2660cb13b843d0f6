# SPDX-License-Identifier: MIT
"""The negative control: a run whose control was not caught lets nothing pass, whatever else it says."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from conformance.oracle.findings import Conclusion
from conformance.oracle.verdicts import Verdict
from conformance.reporting.control import Control, ControlCase, control_of
from conformance.reporting.gating import CLOSED, NOTHING_JUDGED, OPEN, gate
from conformance.reporting.rejudging import rejudge
from conformance.reporting.results import Results
from tests.reporting.runs import bad_story, case, finding, good_story, keep, kept_run, named, results_of

MUTANT = "kernel-tcp+wrong"


def control(*verdicts: Verdict) -> Control:
    return Control("wrong", "kernel-tcp", tuple(ControlCase("c", "loopback", v, "so it was", "") for v in verdicts))


def run_with(control: Control | None, conclusion: Conclusion = Conclusion.SATISFIED) -> Results:
    results = results_of(case("a::b", finding("IND-STREAM-01", conclusion)))
    return msgspec.structs.replace(results, control=control)


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        ((Verdict.FAIL, Verdict.FAIL), OPEN),
        ((Verdict.FAIL, Verdict.PASS), NOTHING_JUDGED),
        ((Verdict.INCONCLUSIVE,), NOTHING_JUDGED),
        ((Verdict.ERROR,), NOTHING_JUDGED),
        ((), NOTHING_JUDGED),
    ],
)
def test_each_case_of_the_control_must_fail(verdicts: tuple[Verdict, ...], status: int) -> None:
    judged = gate(run_with(control(*verdicts)))
    assert judged.status == status
    assert ("the negative control did not fail" in judged.sentence) is (status != OPEN)


def test_a_failure_is_none_where_failures_cannot_be_seen_and_is_one_where_they_can() -> None:
    assert gate(run_with(control(Verdict.PASS), Conclusion.VIOLATED)).status == NOTHING_JUDGED
    assert gate(run_with(control(Verdict.FAIL), Conclusion.VIOLATED)).status == CLOSED


def test_results_without_a_control_are_judged_as_they_are() -> None:
    assert gate(run_with(None)).status == OPEN


def test_the_control_is_judged_again_with_the_rest(tmp_path: Path) -> None:
    results = kept_run(tmp_path)
    caught = keep(named(bad_story(), "control::one", MUTANT), tmp_path)
    told = control_of("wrong", "kernel-tcp", [caught])
    assert told.caught
    honest = rejudge(msgspec.structs.replace(results, control=told), tmp_path)
    assert not honest.changes and not honest.bad
    assert honest.results.control == told


def test_a_control_that_only_claims_to_have_failed_does_not_survive(tmp_path: Path) -> None:
    results = kept_run(tmp_path)
    passed = keep(named(good_story(), "control::one", MUTANT), tmp_path)
    lie = control_of("wrong", "kernel-tcp", [msgspec.structs.replace(passed, verdict=Verdict.FAIL)])
    again = rejudge(msgspec.structs.replace(results, control=lie), tmp_path)
    assert again.status == 1
    assert [(c.provider, c.before, c.now) for c in again.changes] == [("negative control", "fail", "pass")]
    (tmp_path / lie.cases[0].evidence).unlink()
    missing = rejudge(msgspec.structs.replace(results, control=lie), tmp_path)
    assert missing.bad
    assert missing.results.control is not None
    assert not missing.results.control.caught
