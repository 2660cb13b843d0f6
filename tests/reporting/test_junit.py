# SPDX-License-Identifier: MIT
"""JUnit XML, read back by a library that many CI services are like."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from conformance.catalogue import catalogue
from conformance.oracle.findings import Conclusion
from conformance.oracle.verdicts import Verdict
from conformance.reporting.junit import render
from conformance.reporting.results import Results
from tests.reporting.hostile import HOSTILE, edited, hostile_run
from tests.reporting.runs import BAD, case, finding, first, kept_run, provider, results_of, row

SATISFIED, VIOLATED = Conclusion.SATISFIED, Conclusion.VIOLATED
PASSED = case("one", finding("IND-STREAM-01", SATISFIED), duration_s=0.5)


def suites(results: Results) -> dict[str, TestSuite]:
    return {str(suite.name): suite for suite in JUnitXml.fromstring(render(results).encode())}


def the_case(results: Results, requirement: str, suite: str = "kernel-tcp") -> TestCase:
    return next(each for each in suites(results)[suite] if str(each.name).startswith(f"{requirement} "))


def the_result(results: Results, requirement: str) -> Failure | Error | Skipped:
    (made,) = the_case(results, requirement).result
    return made


def test_a_suite_for_each_provider_and_a_case_for_each_requirement() -> None:
    made = suites(results_of(PASSED, providers=[provider("one"), provider("two")]))
    assert list(made) == ["gate", "one", "two"]
    assert [str(each.name).partition(" ")[0] for each in made["two"]] == list(catalogue.load())
    assert {each.classname for each in made["two"]} >= {"two.A Initiating a shutdown", "two.G Errors and misuse"}


@pytest.mark.parametrize("text", ["", *HOSTILE])
def test_the_counts_add_up(text: str) -> None:
    root = JUnitXml.fromstring(render(hostile_run(text)).encode())
    told = [(root.tests, root.failures, root.errors, root.skipped)]
    told += [(suite.tests, suite.failures, suite.errors, suite.skipped) for suite in root]
    root.update_statistics()
    counted = [(root.tests, root.failures, root.errors, root.skipped)]
    counted += [(suite.tests, suite.failures, suite.errors, suite.skipped) for suite in root]
    assert told == counted
    assert told[0] == tuple(map(sum, zip(*told[1:], strict=True)))


def test_what_passed_is_passed_and_nothing_else_is() -> None:
    results = results_of(PASSED)
    passed = [str(each.name).partition(" ")[0] for each in suites(results)["kernel-tcp"] if each.is_passed]
    assert passed == ["IND-STREAM-01"]


def test_a_failure_teaches(tmp_path: Path) -> None:
    failure = the_result(kept_run(tmp_path), "IND-STREAM-01")
    assert isinstance(failure, Failure)
    assert "recv failed with ECONNRESET" in str(failure.message)
    text = str(failure.text)
    for line in (
        "  clause    Winsock SPI, Connection Shutdown, Indicating Remote Shutdown",
        "  accepted  ZERO_BYTES: The receive succeeds",
        f"  case      {BAD}",
        "  seen      after the peer's graceful end, recv failed with ECONNRESET",
        "  cases     1 of 2",
        "  again     shutdown-conformance run --provider kernel-tcp -k ",
    ):
        assert f"\n{line}" in text


def test_a_failure_of_many_cases_names_some_and_counts_the_rest() -> None:
    cases = [case(f"c{n}", finding("IND-STREAM-01", VIOLATED)) for n in range(23)]
    text = str(the_result(results_of(*cases), "IND-STREAM-01").text)
    assert text.count("\n  case  ") == 20
    assert "and 3 more cases" in text and "cases     23 of 23" in text


def test_what_broke_is_an_error() -> None:
    error = the_result(results_of(case("one", finding("IND-STREAM-01", Conclusion.ERROR, "it died"))), "IND-STREAM-01")
    assert isinstance(error, Error)
    assert error.message == "it died"
    assert "again     shutdown-conformance" in str(error.text)


@pytest.mark.parametrize(
    ("requirement", "message"),
    [
        ("IND-STREAM-01", "inconclusive: no link"),
        ("IND-STREAM-02", "not-exercised: no case reached it"),
        ("INIT-SHUT-04", "not-applicable: only for family winsock-api or winsock-spi, not posix"),
    ],
)
def test_what_is_open_is_skipped_with_its_reason(requirement: str, message: str) -> None:
    results = results_of(case("one", finding("IND-STREAM-01", Conclusion.UNDETERMINED, "no link")))
    skipped = the_result(results, requirement)
    assert isinstance(skipped, Skipped)
    assert skipped.message == message


@pytest.mark.parametrize(("requirement", "verdict"), [("IND-STREAM-05", "deviation"), ("IND-ABORT-04", "recorded")])
def test_what_is_reported_and_never_fails_is_passed_and_told(requirement: str, verdict: str) -> None:
    results = results_of(case("one", finding(requirement, VIOLATED, "it did otherwise")))
    assert row(results, requirement).verdict is Verdict(verdict)
    made = the_case(results, requirement)
    assert made.is_passed
    assert str(made.system_out).startswith(f"{verdict}: it did otherwise (")


def test_a_provider_that_could_not_be_tested_is_one_error() -> None:
    made = suites(results_of(PASSED, providers=[provider(), provider("mine", problem="no such agent\nhint: look")]))
    assert (made["mine"].errors, made["mine"].failures) == (1, 0)
    broken = next(each for each in made["mine"] if each.is_error)
    (error,) = broken.result
    assert (broken.name, error.message, error.text) == ("could be tested", "no such agent", "no such agent\nhint: look")
    assert not [each for each in made["mine"] if each.is_passed]


@pytest.mark.parametrize(
    ("results", "kind"),
    [
        (results_of(PASSED), None),
        (results_of(case("one", finding("IND-STREAM-01", VIOLATED))), Failure),
        (results_of(PASSED, planned=9), Failure),  # cut short, and no requirement failed
        (results_of(planned=9), Error),
    ],
)
def test_the_gate_is_a_case_of_its_own(results: Results, kind: type | None) -> None:
    (made,) = suites(results)["gate"]
    assert [type(each) for each in made.result] == ([kind] if kind else [])


def test_the_times_are_those_of_the_cases() -> None:
    results = results_of(PASSED, case("two", finding("IND-STREAM-01", SATISFIED), duration_s=0.25))
    assert the_case(results, "IND-STREAM-01").time == 0.75
    assert suites(results)["kernel-tcp"].time == 0.75
    assert the_case(results, "IND-STREAM-02").time == 0


def test_what_was_tested_and_by_what_is_in_the_properties() -> None:
    found = {"implementation": {"name": "tcp", "version": "6", "vendor": "me"}}
    made = suites(results_of(PASSED, providers=[provider(found=found)]))["kernel-tcp"]
    properties = {each.name: each.value for each in made.properties()}
    assert properties["implementation"] == "tcp 6 (me)"
    assert properties["statement"].startswith("posix, tcp, GUARANTEED_DELIVERY")
    assert properties["suite.catalogue"] == catalogue.digest()


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("made", [hostile_run, lambda text: edited(hostile_run(text))])
def test_nothing_that_was_said_breaks_out(text: str, made: object) -> None:
    xml = render(made(text))  # type: ignore[operator]
    root = ElementTree.fromstring(xml)
    known = {"testsuites", "testsuite", "properties", "property", "testcase"}
    assert {each.tag for each in root.iter()} <= known | {"failure", "error", "skipped", "system-out"}
    assert not [c for c in xml if not (c.isprintable() or c == "\n")]


def test_the_order_of_parts_is_that_of_the_schema() -> None:
    for suite in ElementTree.fromstring(render(hostile_run("x"))):
        assert [child.tag for child in suite][1:].count("properties") == 0
        for made in suite.iter("testcase"):
            assert len(list(made)) <= 1
            assert set(made.attrib) == {"classname", "name", "time"}


def test_an_edited_file_is_no_pass() -> None:
    results = edited(results_of(case("one", finding("IND-STREAM-01", VIOLATED))))
    assert any(each.verdict is Verdict.FAIL for each in first(results).requirements)
    failed = [each for each in suites(results)["kernel-tcp"] if each.is_failure]
    assert [str(each.name) for each in failed] == ["NO-SUCH-IND-STREAM-01<b>"]
