# SPDX-License-Identifier: MIT
"""What stands behind the cells: requirements, cases, findings and ladders, and what is said where there are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from conformance.catalogue import catalogue
from conformance.oracle.findings import Conclusion
from conformance.oracle.verdicts import Verdict
from conformance.reporting.page import render
from conformance.reporting.page.packing import packed, unpack
from conformance.reporting.results import Results
from conformance.trace import store
from tests.reporting.pages import HELD, HOSTILE_SHOWN, UNITS, hostile_run, mixed_run
from tests.reporting.runs import BAD, GOOD, bad_story, case, finding, good_story, kept_run, named, provider, results_of


def behind(page: str, name: str = "evidence-0") -> Any:
    return unpack(packed(page)[name])


def of_case(page: str, identity: str, name: str = "evidence-0") -> Any:
    (found,) = [case for case in behind(page, name)["cases"] if case["id"] == identity]
    return found


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return kept_run(tmp_path)


def test_every_requirement_is_told_whole(results: Results, tmp_path: Path) -> None:
    told = behind(render(results, tmp_path), "vocabulary")["requirements"]
    assert list(told) == list(catalogue.load())
    for identity, requirement in catalogue.load().items():
        assert told[identity]["statement"] == requirement.statement
        assert [source[1] for source in told[identity]["sources"]] == [s.verified for s in requirement.sources]
        assert [each[2] for each in told[identity]["accepted"]] == [a.provenance for a in requirement.accepted]


def test_a_row_tells_what_is_accepted_under_this_statement(results: Results, tmp_path: Path) -> None:
    page = render(results, tmp_path)
    statement = results.providers[0].statement
    words = behind(page, "vocabulary")["requirements"]
    for identity, row in behind(page)["rows"].items():
        accepted = [words[identity]["accepted"][place][0] for place in row["accepted"]]
        assert accepted == [each.outcome for each in catalogue.load()[identity].accepted_for(statement)]


def test_a_row_tells_its_cases_and_their_findings(results: Results, tmp_path: Path) -> None:
    data = behind(render(results, tmp_path))
    row = data["rows"]["IND-STREAM-01"]
    assert row["verdict"] == Verdict.FAIL
    for stored, told in zip(results.providers[0].requirements, data["rows"].values(), strict=True):
        assert [each.id for each in stored.cases] == [data["cases"][each["case"]]["id"] for each in told["cases"]]
    (bad,) = [each for each in row["cases"] if each["id"] == BAD]
    (found,) = bad["findings"]
    assert found[0] == "violated" and "ECONNRESET" in found[1]
    steps = data["cases"][bad["case"]]["ladder"]["steps"]
    shown = {number for step in steps for number in step.get("n", ())}
    assert set(found[2]) <= shown


def test_the_story_of_a_case_is_told(results: Results, tmp_path: Path) -> None:
    stories = behind(render(results, tmp_path), "vocabulary")["stories"]
    assert set(stories) == {GOOD.partition("[")[0]}
    assert stories[GOOD.partition("[")[0]].endswith(".")


def test_a_case_comes_with_the_command_that_runs_it_again(results: Results, tmp_path: Path) -> None:
    found = of_case(render(results, tmp_path), BAD)
    assert found["again"].startswith("shutdown-conformance run --provider kernel-tcp -k ")
    assert "test_peer_ends_after_data[kernel-tcp-5-close]" in found["again"]


def test_files_are_linked_as_they_lie_and_packets_where_there_are_any(results: Results, tmp_path: Path) -> None:
    trace = results.providers[0].cases[0].evidence
    (tmp_path / trace).with_suffix(".pcapng").write_bytes(b"")
    page = render(results, tmp_path)
    first, second = behind(page)["cases"]
    assert first["trace"] == trace
    assert first["packets"] == trace.removesuffix("jsonl") + "pcapng"
    assert "packets" not in second


def test_names_of_files_are_made_fit_for_an_address(tmp_path: Path) -> None:
    path = "evidence/a b?#%:<ü>.jsonl"
    store.save(named(good_story(), GOOD), tmp_path / path)
    found = of_case(render(results_of(case(GOOD, evidence=path)), tmp_path), GOOD)
    assert found["trace"] == "evidence/a%20b%3F%23%25%3A%3C%C3%BC%3E.jsonl"


def test_without_evidence_there_are_ladders_and_no_links(results: Results, tmp_path: Path) -> None:
    data = behind(render(results, tmp_path, evidence=False))
    assert data["linked"] is False
    assert not [case for case in data["cases"] if "trace" in case or "packets" in case]
    assert all(case["ladder"]["steps"] for case in data["cases"])


# --- evidence that is no good ---------------------------------------------------------------------------------------


def test_a_file_that_is_gone_has_no_ladder_and_says_so(results: Results, tmp_path: Path) -> None:
    (tmp_path / results.providers[0].cases[0].evidence).unlink()
    page = render(results, tmp_path)
    broken, whole = behind(page)["cases"]
    assert "cannot be read" in broken["missing"] and "ladder" not in broken and "trace" not in broken
    assert whole["ladder"]["steps"]


def test_an_edited_file_has_no_ladder(results: Results, tmp_path: Path) -> None:
    path = tmp_path / results.providers[0].cases[0].evidence
    path.write_bytes(path.read_bytes().replace(b'"length":5', b'"length":6'))
    assert "changed after it was written" in behind(render(results, tmp_path))["cases"][0]["missing"]


def test_the_trace_of_another_case_is_not_drawn(results: Results, tmp_path: Path) -> None:
    first, second = (tmp_path / case.evidence for case in results.providers[0].cases)
    first.write_bytes(second.read_bytes())
    assert "and not of" in behind(render(results, tmp_path))["cases"][0]["missing"]


@pytest.mark.parametrize("path", ["../outside.jsonl", "/etc/passwd", "evidence/../../outside.jsonl", "javascript:x"])
def test_what_lies_outside_is_not_read_and_not_linked(tmp_path: Path, path: str) -> None:
    store.save(named(good_story(), GOOD), tmp_path / "outside.jsonl")
    (tmp_path / "run").mkdir()
    found = of_case(render(results_of(case(GOOD, evidence=path)), tmp_path / "run"), GOOD)
    assert "ladder" not in found and "trace" not in found
    assert found["missing"]


def test_a_case_without_evidence_says_so(tmp_path: Path) -> None:
    page = render(results_of(case("a.py::test_a", finding("IND-STREAM-01", Conclusion.SATISFIED))), tmp_path)
    assert "do not tell where" in of_case(page, "a.py::test_a")["missing"]


def test_a_row_that_names_a_case_that_is_nowhere(results: Results, tmp_path: Path) -> None:
    edited = msgspec.structs.replace(results.providers[0], cases=results.providers[0].cases[:1])
    data = behind(render(msgspec.structs.replace(results, providers=(edited,)), tmp_path))
    assert -1 in [each["case"] for row in data["rows"].values() for each in row["cases"]]


# --- the ladder -----------------------------------------------------------------------------------------------------


@pytest.fixture
def mixed(tmp_path: Path) -> str:
    return render(mixed_run(tmp_path), tmp_path)


def test_times_are_microseconds_from_the_first_event(mixed: str) -> None:
    steps = of_case(mixed, HELD)["ladder"]["steps"]
    times = [step["t"] for step in steps]
    assert times == sorted(times)
    assert steps[0]["k"] == "connected" and steps[0]["t"] == 2000


def test_what_the_suite_did_to_segments_is_told(mixed: str) -> None:
    steps = of_case(mixed, HELD)["ladder"]["steps"]
    fates = {step["f"]: step for step in steps if "f" in step}
    assert set(fates) == {"held", "dropped", "repeated"}
    assert fates["held"]["u"] - fates["held"]["t"] == 299_000
    assert set(fates) <= set(behind(mixed, "vocabulary")["fates"])


def test_a_segment_is_told_with_all_its_numbers(mixed: str) -> None:
    steps = of_case(mixed, HELD)["ladder"]["steps"]
    (held,) = [step for step in steps if step.get("f") == "held"]
    assert held["x"] == "PSH ACK seq=1 ack=1 len=1000" and held["g"] == "PA" and held["s"] == "peer"


def test_a_call_lasts_from_its_entry_to_its_return(mixed: str) -> None:
    steps = of_case(mixed, HELD)["ladder"]["steps"]
    (entry,) = [step for step in steps if step["x"] == "recv …"]
    (left,) = [step for step in steps if step["k"] == "return"]
    assert entry["u"] == left["t"] and entry["i"] == left["i"] and entry["c"] == left["c"] == "iut"
    (pending,) = [step for step in steps if step["x"] == "close …"]
    assert "u" not in pending


def test_indications_and_units_are_told_apart(mixed: str) -> None:
    (told,) = [step for step in of_case(mixed, HELD)["ladder"]["steps"] if step["k"] == "told"]
    assert told["x"] == "FD_CLOSE WSAECONNRESET"
    steps = of_case(mixed, UNITS, "evidence-1")["ladder"]["steps"]
    assert [step["x"] for step in steps if step["k"] == "unit"] == ["DATA 4 octets", "RELEASE 4 octets"]


def test_every_word_of_the_data_is_clean(tmp_path: Path) -> None:
    page = render(hostile_run(tmp_path), tmp_path)

    def texts(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [*value, *(text for each in value.values() for text in texts(each))]
        if isinstance(value, list):
            return [text for each in value for text in texts(each)]
        return [value] if isinstance(value, str) else []

    found = [text for name in packed(page) for text in texts(behind(page, name))]
    assert all(text.isprintable() for text in found)
    assert len([text for text in found if HOSTILE_SHOWN in text]) > 10


def test_a_ladder_that_finding_points_into_is_not_folded_there(tmp_path: Path) -> None:
    story = bad_story()
    for _ in range(40):
        story.peer.send(100)
        story.iut.recv(100)
    numbers = tuple(range(40, 44))
    store.save(named(story, BAD), tmp_path / "evidence/x.jsonl")
    told = finding("IND-STREAM-01", Conclusion.VIOLATED, events=numbers)
    steps = of_case(render(results_of(case(BAD, told, evidence="evidence/x.jsonl")), tmp_path), BAD)["ladder"]["steps"]
    assert set(numbers) <= {number for step in steps for number in step.get("n", ())}
    assert [step for step in steps if step["k"] == "fold"]


@pytest.mark.parametrize(("at", "told"), [(1_000_000_000_123_000_000, "2001-09-09 01:46:40.123 UTC"), (10**30, "")])
def test_a_case_began_at_a_time_of_the_calendar(tmp_path: Path, at: int, told: str) -> None:
    trace = named(good_story(), GOOD)
    moved = tuple(msgspec.structs.replace(event, at=event.at - trace.events[0].at + at) for event in trace.events)
    store.save(msgspec.structs.replace(trace, events=moved), tmp_path / "x.jsonl")
    page = render(results_of(case(GOOD, evidence="x.jsonl")), tmp_path)
    assert of_case(page, GOOD)["ladder"]["began"] == told


def test_a_provider_with_a_name_longer_than_a_file_may_have(tmp_path: Path) -> None:
    name = "n" * 5000
    page = render(results_of(case(GOOD, provider=name), providers=[provider(name)]), tmp_path)
    assert "--provider FILE.toml" in of_case(page, GOOD)["again"]
