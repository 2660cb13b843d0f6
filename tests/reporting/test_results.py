# SPDX-License-Identifier: MIT
"""Results: every requirement has a row with a verdict and, where nothing was found, a reason; the gate follows."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest

from conformance.catalogue import catalogue
from conformance.catalogue.statement import Contradiction
from conformance.oracle.claims import Shown
from conformance.oracle.findings import Conclusion
from conformance.oracle.verdicts import Verdict
from conformance.reporting import results as reporting
from conformance.reporting.baseline import Baseline, Entry
from conformance.reporting.gating import gate
from conformance.reporting.results import BadResults, load, make_schema, save, stored_schema
from tests.oracle.story import UNIX_SEQPACKET, UNIX_STREAM
from tests.reporting.runs import case, finding, first, kept_run, provider, results_of, row

SATISFIED, VIOLATED = Conclusion.SATISFIED, Conclusion.VIOLATED
UNDETERMINED, BROKE = Conclusion.UNDETERMINED, Conclusion.ERROR


def test_every_requirement_has_a_row_for_every_provider() -> None:
    results = results_of(providers=[provider(), provider("unix-stream", UNIX_STREAM)])
    for each in results.providers:
        assert [row.id for row in each.requirements] == list(catalogue.load())
        assert sum(each.totals.values()) == len(catalogue.load())


@pytest.mark.parametrize(
    ("requirement", "outcomes", "verdict"),
    [
        ("IND-STREAM-01", [SATISFIED], Verdict.PASS),
        ("IND-STREAM-01", [SATISFIED, VIOLATED], Verdict.FAIL),
        ("IND-STREAM-01", [SATISFIED, BROKE], Verdict.ERROR),
        ("IND-STREAM-01", [VIOLATED, BROKE], Verdict.FAIL),
        ("IND-STREAM-01", [UNDETERMINED], Verdict.INCONCLUSIVE),
        ("IND-STREAM-01", [SATISFIED, UNDETERMINED], Verdict.PASS),
        ("IND-STREAM-05", [VIOLATED], Verdict.DEVIATION),
        ("IND-ABORT-08", [SATISFIED], Verdict.RECORDED),
        ("IND-STREAM-01", [], Verdict.NOT_EXERCISED),
        ("WIRE-FIN-01", [], Verdict.NOT_EXERCISED),
        ("IND-FDC-13", [], Verdict.NOT_APPLICABLE),
    ],
)
def test_the_verdict_of_a_requirement_is_over_all_cases(
    requirement: str, outcomes: list[Conclusion], verdict: Verdict
) -> None:
    cases = [case(f"c{n}", finding(requirement, outcome)) for n, outcome in enumerate(outcomes)]
    results = results_of(*cases)
    assert row(results, requirement).verdict is verdict
    assert first(results).totals[str(verdict)] >= 1


def test_not_applicable_says_what_rules_it_out() -> None:
    results = results_of(providers=[provider("unix-seqpacket", UNIX_SEQPACKET)])
    assert row(results, "IND-STREAM-01").reason == "ruled out by MESSAGE_ORIENTED"


def test_not_exercised_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "judged", lambda: frozenset({"IND-STREAM-01"}))
    results = results_of()
    assert row(results, "IND-STREAM-01").reason == "no case reached it"
    assert row(results, "IND-STREAM-02").reason == "no judge yet"


def test_inconclusive_says_why_once_for_each_reason() -> None:
    cases = [case(f"c{n}", finding("IND-STREAM-01", UNDETERMINED, f"reason {n % 2}")) for n in range(4)]
    assert row(results_of(*cases), "IND-STREAM-01").reason == "reason 0; reason 1"


def test_a_provider_that_could_not_be_tested_has_its_problem_for_a_reason() -> None:
    results = results_of(providers=[provider(problem="no such program: nothing")])
    assert row(results, "IND-STREAM-01").verdict is Verdict.ERROR
    assert row(results, "IND-STREAM-01").reason == "no such program: nothing"
    assert row(results, "IND-FDC-13").verdict is Verdict.NOT_APPLICABLE


def test_a_row_names_its_cases_with_findings_and_evidence() -> None:
    told = [
        finding("IND-STREAM-01", VIOLATED, "told wrong", events=(3, 4)),
        finding("IND-STREAM-02", SATISFIED, matched="Winsock SPI"),
    ]
    results = results_of(case("one", *told, evidence="evidence/kernel-tcp/one.jsonl"))
    (found,) = row(results, "IND-STREAM-01").cases
    assert (found.id, found.verdict, found.evidence) == ("one", Verdict.FAIL, "evidence/kernel-tcp/one.jsonl")
    assert [(f.outcome, f.because, f.events) for f in found.findings] == [(VIOLATED, "told wrong", (3, 4))]
    assert row(results, "IND-STREAM-02").cases[0].findings[0].matched == "Winsock SPI"


def test_cases_belong_to_their_own_provider() -> None:
    cases = [case("one", finding("IND-STREAM-01", VIOLATED), provider="unix-stream")]
    results = results_of(*cases, providers=[provider(), provider("unix-stream", UNIX_STREAM)])
    assert row(results, "IND-STREAM-01", at=0).verdict is Verdict.NOT_EXERCISED
    assert row(results, "IND-STREAM-01", at=1).verdict is Verdict.FAIL


# --- the gate ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([("IND-STREAM-01", SATISFIED)], 0),
        ([("IND-STREAM-01", SATISFIED), ("IND-STREAM-05", VIOLATED)], 0),
        ([("IND-STREAM-01", SATISFIED), ("IND-STREAM-02", UNDETERMINED)], 0),
        ([("IND-ABORT-08", SATISFIED)], 0),
        ([("IND-STREAM-01", VIOLATED)], 1),
        ([("IND-STREAM-01", SATISFIED), ("IND-STREAM-02", BROKE)], 1),
        ([("IND-STREAM-01", UNDETERMINED)], 3),
        ([], 3),
    ],
)
def test_the_gate(outcomes: list[tuple[str, Conclusion]], status: int) -> None:
    cases = [case(f"c{n}", finding(identity, outcome)) for n, (identity, outcome) in enumerate(outcomes)]
    assert gate(results_of(*cases)).status == status


def test_an_unfinished_run_does_not_open_the_gate() -> None:
    assert gate(results_of(case("one", finding("IND-STREAM-01", SATISFIED)), planned=2)).status == 1


def test_one_provider_that_could_not_be_tested_shuts_the_gate() -> None:
    providers = [provider(), provider("mine", problem="does not start")]
    assert gate(results_of(case("one", finding("IND-STREAM-01", SATISFIED)), providers=providers)).status == 1


def test_where_no_provider_could_be_tested_nothing_is_judged() -> None:
    assert gate(results_of(providers=[provider(problem="does not start")], planned=3)).status == 3


# --- on disk ----------------------------------------------------------------------------------------------------------


def test_saved_results_are_loaded_as_they_were(tmp_path: Path) -> None:
    results = kept_run(tmp_path)
    assert load(tmp_path / "results.json") == results
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["results.json"]


def test_a_baseline_is_kept_with_the_results_and_they_fit_their_schema(tmp_path: Path) -> None:
    assert b"baseline" not in msgspec.json.encode(results_of())
    entry = Entry("kernel-tcp", "IND-STREAM-01", "known", "net team", date(2030, 12, 31))
    results = msgspec.structs.replace(results_of(), baseline=Baseline("base.toml", date(2030, 6, 15), (entry,)))
    save(results, tmp_path / "results.json")
    assert load(tmp_path / "results.json") == results
    jsonschema.validate(json.loads((tmp_path / "results.json").read_text("utf-8")), stored_schema())


def test_the_stored_schema_is_the_one_that_the_types_make() -> None:
    assert stored_schema() == json.loads(json.dumps(make_schema()))


def test_results_fit_their_schema(tmp_path: Path) -> None:
    kept_run(tmp_path)
    contradictions = (Contradiction(item="GRACEFUL_CLOSE", claimed="yes", found="no"),)
    providers = [provider(contradictions=contradictions, found={"agent": {"name": "x"}}), provider("mine", problem="x")]
    jsonschema.validate(json.loads((tmp_path / "results.json").read_text("utf-8")), stored_schema())
    jsonschema.validate(json.loads(msgspec.json.encode(results_of(providers=providers))), stored_schema())


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('"schema":1', '"schema":2', "schema"),
        ('"planned":2', '"planned":"two"', "cases.planned"),
        ('"level":"mandatory"', '"level":"urgent"', "providers[0].requirements[0].level"),
        ('"totals"', '"sums"', "providers[0]"),
        ('{"schema"', '["schema"', ""),
    ],
)
def test_what_is_no_results_file_is_refused_by_file_and_key(tmp_path: Path, old: str, new: str, key: str) -> None:
    kept_run(tmp_path)
    path = tmp_path / "results.json"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(BadResults) as caught:
        load(path)
    assert caught.value.path == path
    assert caught.value.key == key
    assert caught.value.hint


def test_results_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadResults, match="cannot be read"):
        load(tmp_path / "results.json")


def test_a_place_that_cannot_be_written_is_told_and_left_clean(tmp_path: Path) -> None:
    (tmp_path / "results.json").mkdir()
    with pytest.raises(OSError):
        save(results_of(), tmp_path / "results.json")
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def shown(claim: str, *, holds: bool) -> Shown:
    return Shown(claim=claim, holds=holds, found="none", because="so it was")


def test_contradictions_that_the_cases_showed_stand_beside_those_of_the_hello() -> None:
    told = Contradiction(item="surfaces", claimed="epoll", found="not offered by the agent")
    cases = [
        case("b", shown=(shown("GRACEFUL_CLOSE", holds=False),)),
        case("a", shown=(shown("GRACEFUL_CLOSE", holds=False), shown("DISCONNECT_DATA", holds=False))),
        case("c", shown=(shown("GRACEFUL_CLOSE", holds=False),), provider="another"),
    ]
    results = results_of(*cases, providers=[provider(contradictions=(told,))])
    found = Contradiction(item="GRACEFUL_CLOSE", claimed="yes", found="none: so it was", cases=("a", "b"))
    assert first(results).contradictions == (told, found)
    assert gate(results) == gate(results_of(case("a"), providers=[provider()]))
