# SPDX-License-Identifier: MIT
"""Evidence judged again: an honest report stays as it is, a lying one is found out, and so is bad evidence."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import pytest

from conformance.catalogue.requirement import Level
from conformance.catalogue.statement import Contradiction
from conformance.oracle.verdicts import Verdict
from conformance.reporting import rejudging
from conformance.reporting.baseline import Baseline, Entry
from conformance.reporting.gating import gate
from conformance.reporting.rejudging import rejudge
from conformance.reporting.results import Extent, RequirementRow, Results, load, save
from conformance.trace import store
from tests.oracle.story import IUT, UNIX_STREAM, Story
from tests.reporting.runs import BAD, GOOD, keep, kept_run, named, provider, results_of, row
from tests.reporting.runs import good_story as good


def evidence(directory: Path, case: str) -> Path:
    return directory / "evidence" / "kernel-tcp" / f"{store.file_name(case)}.jsonl"


def test_honest_results_do_not_change(tmp_path: Path) -> None:
    kept_run(tmp_path)
    results = load(tmp_path / "results.json")
    again = rejudge(results, tmp_path)
    assert not again.changes
    assert not again.bad
    assert not again.left_out
    assert again.results == results
    assert again.status == 0


def test_a_verdict_that_the_evidence_does_not_bear_out_is_found(tmp_path: Path) -> None:
    results = lying(kept_run(tmp_path))
    again = rejudge(results, tmp_path)
    changes = {change.what: (change.before, change.now) for change in again.changes}
    assert changes["IND-STREAM-01"] == (Verdict.PASS, Verdict.FAIL)
    assert again.status == 1


def lying(results: Results) -> Results:
    (provider,) = results.providers
    rows = tuple(
        msgspec.structs.replace(row, verdict=Verdict.PASS) if row.verdict is Verdict.FAIL else row
        for row in provider.requirements
    )
    return msgspec.structs.replace(results, providers=(msgspec.structs.replace(provider, requirements=rows),))


REPLACED = msgspec.structs.replace


def edited_row(row: RequirementRow, edit: str) -> RequirementRow:
    match edit:
        case "level":
            return REPLACED(row, level=Level.OPTIONAL)
        case "reason":
            return REPLACED(row, reason="because")
        case "case dropped":
            return REPLACED(row, cases=row.cases[:1])
        case "verdict in a case":
            return REPLACED(row, cases=tuple(REPLACED(case, verdict=Verdict.PASS) for case in row.cases))
        case _:
            return REPLACED(row, cases=tuple(REPLACED(case, findings=case.findings[:0]) for case in row.cases))


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        ("level", "IND-STREAM-01, level"),
        ("reason", "IND-STREAM-01, reason"),
        ("case dropped", f"IND-STREAM-01 in {GOOD}"),
        ("verdict in a case", f"IND-STREAM-01 in {BAD}"),
        ("findings", f"IND-STREAM-01 in {BAD}"),
    ],
)
def test_every_edit_of_a_requirement_is_named(tmp_path: Path, edit: str, named: str) -> None:
    results = kept_run(tmp_path)
    (provider,) = results.providers
    rows = tuple(edited_row(row, edit) if row.id == "IND-STREAM-01" else row for row in provider.requirements)
    again = rejudge(REPLACED(results, providers=(REPLACED(provider, requirements=rows),)), tmp_path)
    assert named in [change.what for change in again.changes]
    assert {change.what[:13] for change in again.changes} == {"IND-STREAM-01"}
    assert again.status == 1


def test_edits_of_cases_totals_and_extent_are_named(tmp_path: Path) -> None:
    results = kept_run(tmp_path)
    (provider,) = results.providers
    cases = tuple(REPLACED(case, verdict=Verdict.PASS) for case in provider.cases)
    edited = REPLACED(provider, cases=cases, totals={**provider.totals, "fail": 0})
    again = rejudge(REPLACED(results, providers=(edited,), cases=Extent(9, 9)), tmp_path)
    assert [change.what for change in again.changes] == [f"{BAD}, verdict", "totals", "cases"]
    assert again.changes[-1].before == "9 finished of 9 planned"
    assert again.status == 1


def test_a_row_that_was_taken_out_or_doubled_is_named(tmp_path: Path) -> None:
    results = kept_run(tmp_path)
    (provider,) = results.providers
    for rows in (provider.requirements[1:], (*provider.requirements, provider.requirements[0])):
        again = rejudge(REPLACED(results, providers=(REPLACED(provider, requirements=rows),)), tmp_path)
        assert len(again.changes) == 1
        assert again.status == 1


def test_an_interrupted_run_is_not_taken_for_an_edited_one(tmp_path: Path) -> None:
    again = rejudge(REPLACED(kept_run(tmp_path), cases=Extent(9, 2)), tmp_path)
    assert not again.changes
    assert again.status == 0


def test_results_under_another_statement_than_their_evidence_are_found(tmp_path: Path) -> None:
    results = kept_run(tmp_path)
    (provider,) = results.providers
    again = rejudge(REPLACED(results, providers=(REPLACED(provider, statement=UNIX_STREAM),)), tmp_path)
    assert len(again.bad) == 2
    assert "another statement" in again.bad[0].why


def test_evidence_outside_of_the_directory_is_refused(tmp_path: Path) -> None:
    run = tmp_path / "run"
    results = kept_run(run)
    path = evidence(run, GOOD)
    path.rename(tmp_path / path.name)
    (provider,) = results.providers
    for place in (f"../{path.name}", str(tmp_path / path.name), "evidence/\0"):
        cases = tuple(REPLACED(case, evidence=place) if case.id == GOOD else case for case in provider.cases)
        again = rejudge(REPLACED(results, providers=(REPLACED(provider, cases=cases),)), run)
        assert "outside" in again.bad[0].why and GOOD in again.bad[0].why
        assert again.status == 1


def test_a_requirement_that_lost_its_evidence_says_so(tmp_path: Path) -> None:
    results = kept_run(tmp_path)
    for case in (GOOD, BAD):
        evidence(tmp_path, case).unlink()
    again = rejudge(results, tmp_path)
    reasons = {change.what: change.reason for change in again.changes}
    assert reasons["IND-STREAM-01"] == "its evidence is damaged or missing"
    assert row(again.results, "WIRE-FIN-01").reason != "its evidence is damaged or missing"


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
    assert again.status == 1


def test_a_provider_that_could_not_be_tested_stays_so(tmp_path: Path) -> None:
    results = kept_run(tmp_path)
    (provider,) = results.providers
    problem = msgspec.structs.replace(results, providers=(msgspec.structs.replace(provider, problem="dead", cases=()),))
    save(problem, tmp_path / "results.json")
    again = rejudge(load(tmp_path / "results.json"), tmp_path)
    assert again.results.providers[0].problem == "dead"
    assert again.status == 3


def lying_run(directory: Path) -> Results:
    """The implementation claims a graceful close, and its shutdown aborts; in two cases."""
    results = results_of(*(keep(named(aborting(), case), directory) for case in (GOOD, BAD)))
    save(results, directory / "results.json")
    return results


def aborting() -> Story:
    story = Story(exercises=("INIT-SHUT-01",))
    story.iut.shutdown("send")
    story.rst(IUT)
    story.peer.recv(error="ECONNRESET")
    return story


def test_contradictions_are_found_again(tmp_path: Path) -> None:
    results = lying_run(tmp_path)
    (contradiction,) = results.providers[0].contradictions
    assert (contradiction.item, contradiction.cases) == ("GRACEFUL_CLOSE", tuple(sorted((GOOD, BAD))))
    again = rejudge(load(tmp_path / "results.json"), tmp_path)
    assert again.changes == ()
    assert again.results == results


@pytest.mark.parametrize("how", ["removed", "other words"])
def test_a_contradiction_that_was_edited_is_found(tmp_path: Path, how: str) -> None:
    results = lying_run(tmp_path)
    (provider,) = results.providers
    (contradiction,) = provider.contradictions
    left = () if how == "removed" else (REPLACED(contradiction, found="all is well"),)
    edited = REPLACED(results, providers=(REPLACED(provider, contradictions=left),))
    again = rejudge(edited, tmp_path)
    (change,) = again.changes
    assert change.what == "contradiction, GRACEFUL_CLOSE"
    assert change.before == ("none" if how == "removed" else "all is well")
    assert "at the peer" not in change.before and change.now.startswith("none: ")
    assert again.status == 1


def test_a_contradiction_whose_evidence_is_damaged_is_not_compared(tmp_path: Path) -> None:
    results = lying_run(tmp_path)
    evidence(tmp_path, GOOD).unlink()
    again = rejudge(results, tmp_path)
    assert not [change for change in again.changes if "contradiction" in change.what]


def test_a_contradiction_of_the_hello_stays_as_it_is(tmp_path: Path) -> None:
    results = kept_run(tmp_path)
    told = Contradiction(item="surfaces", claimed="epoll", found="not offered by the agent")
    (provider,) = results.providers
    results = REPLACED(results, providers=(REPLACED(provider, contradictions=(told,)),))
    assert rejudge(results, tmp_path).changes == ()


def test_the_baseline_is_carried_over(tmp_path: Path) -> None:
    entry = Entry("kernel-tcp", "IND-STREAM-01", "known", "net team", date(2030, 12, 31))
    results = REPLACED(kept_run(tmp_path), baseline=Baseline("base.toml", date(2030, 6, 15), (entry,)))
    again = rejudge(results, tmp_path)
    assert (again.changes, again.results) == ((), results)
    assert [each.requirement for each in gate(again.results).excused] == ["IND-STREAM-01"]


def test_the_way_to_another_clock_is_no_change(tmp_path: Path) -> None:
    cases = [keep(named(good(), GOOD), tmp_path)]
    save(results_of(*cases, providers=[provider(latency_ms=7)]), tmp_path / "results.json")
    assert rejudge(load(tmp_path / "results.json"), tmp_path).changes == ()


def test_evidence_of_another_implementation_is_refused(tmp_path: Path) -> None:
    said = {"name": "mine", "version": "1"}
    cases = [keep(named(good(), GOOD, implementation=said), tmp_path)]
    for found, bad in ((said, 0), ({**said, "version": "2"}, 1)):
        results = results_of(*cases, providers=[provider(found={"implementation": found})])
        again = rejudge(results, tmp_path)
        assert [each.why.count("another implementation") for each in again.bad] == [1] * bad


def test_a_trace_that_breaks_the_judging_is_bad_evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise TypeError("of all things")

    results = kept_run(tmp_path)
    monkeypatch.setattr(rejudging, "judge_case", breaks)
    again = rejudge(results, tmp_path)
    assert [each.why for each in again.bad] == ["cannot be judged: TypeError: of all things"] * 2


def test_it_tells_how_far_it_is(tmp_path: Path) -> None:
    told: list[int] = []
    results = kept_run(tmp_path)
    evidence(tmp_path, BAD).unlink()
    rejudge(results, tmp_path, told.append)
    assert told == [1, 2]


def test_what_stands_in_the_evidence_is_told_from_what_a_judge_says(tmp_path: Path) -> None:
    results = kept_run(tmp_path)
    (provider,) = results.providers
    cases = tuple(REPLACED(case, verdict=Verdict.DEVIATION, topology="wire") for case in provider.cases)
    again = rejudge(REPLACED(results, providers=(REPLACED(provider, cases=cases),), cases=Extent(9, 9)), tmp_path)
    of_record = {change.what.rpartition(", ")[2]: change.of_record for change in again.changes}
    assert of_record == {"verdict": False, "topology": True, "cases": True}
