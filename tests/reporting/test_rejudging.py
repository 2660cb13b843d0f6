# SPDX-License-Identifier: MIT
"""Evidence judged again: an honest report stays as it is, a lying one is found out, and so is bad evidence."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from conformance.oracle.verdicts import Verdict
from conformance.reporting.rejudging import rejudge
from conformance.reporting.results import Results, load, save
from conformance.trace import store
from tests.reporting.runs import BAD, GOOD, keep, kept_run, named
from tests.reporting.runs import good_story as good


def evidence(directory: Path, case: str) -> Path:
    return directory / "evidence" / "kernel-tcp" / f"{store.file_name(case)}.jsonl"


def test_honest_results_do_not_change(tmp_path: Path) -> None:
    results = kept_run(tmp_path)
    again = rejudge(results, tmp_path)
    assert not again.changes
    assert not again.bad
    assert not again.left_out
    assert again.results == results
    assert again.status == 0


def test_a_verdict_that_the_evidence_does_not_bear_out_is_found(tmp_path: Path) -> None:
    results = lying(kept_run(tmp_path))
    again = rejudge(results, tmp_path)
    changes = {change.requirement: (change.before, change.now) for change in again.changes}
    assert changes["IND-STREAM-01"] == (Verdict.PASS, Verdict.FAIL)
    assert again.status == 1


def lying(results: Results) -> Results:
    (provider,) = results.providers
    rows = tuple(
        msgspec.structs.replace(row, verdict=Verdict.PASS) if row.verdict is Verdict.FAIL else row
        for row in provider.requirements
    )
    return msgspec.structs.replace(results, providers=(msgspec.structs.replace(provider, requirements=rows),))


@pytest.mark.parametrize("harm", ["cut", "edit", "remove", "swap"])
def test_bad_evidence_is_named_and_the_rest_judged(tmp_path: Path, harm: str) -> None:
    results = kept_run(tmp_path)
    path = evidence(tmp_path, GOOD)
    match harm:
        case "cut":
            path.write_bytes(path.read_bytes()[:-40])
        case "edit":
            path.write_bytes(path.read_bytes().replace(b'"length":5', b'"length":6', 1))
        case "remove":
            path.unlink()
        case "swap":
            path.write_bytes(evidence(tmp_path, BAD).read_bytes())
    again = rejudge(results, tmp_path)
    assert [bad.path for bad in again.bad] == [path]
    assert again.bad[0].why and again.bad[0].hint
    assert again.results.cases.finished == 1
    assert again.status == 1


def test_without_any_evidence_nothing_is_judged(tmp_path: Path) -> None:
    results = kept_run(tmp_path)
    for case in (GOOD, BAD):
        evidence(tmp_path, case).unlink()
    assert rejudge(results, tmp_path).status == 3


def test_evidence_of_no_case_of_the_results_is_left_out(tmp_path: Path) -> None:
    kept_run(tmp_path)
    keep(named(good(), "other.py::test_other"), tmp_path)
    again = rejudge(load(tmp_path / "results.json"), tmp_path)
    assert again.left_out == (evidence(tmp_path, "other.py::test_other"),)
    assert again.status == 0


def test_a_provider_that_could_not_be_tested_stays_so(tmp_path: Path) -> None:
    results = kept_run(tmp_path)
    (provider,) = results.providers
    problem = msgspec.structs.replace(results, providers=(msgspec.structs.replace(provider, problem="dead", cases=()),))
    save(problem, tmp_path / "results.json")
    again = rejudge(load(tmp_path / "results.json"), tmp_path)
    assert again.results.providers[0].problem == "dead"
    assert again.status == 3
