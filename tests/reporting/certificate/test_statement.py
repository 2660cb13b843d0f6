# SPDX-License-Identifier: MIT
"""What is stated of results: an in-toto statement with the test-result predicate, as its specification has it."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any

import msgspec
import pytest

from conformance.catalogue.catalogue import digest
from conformance.catalogue.catalogue import load as catalogue
from conformance.catalogue.requirement import Level
from conformance.oracle.findings import Conclusion
from conformance.reporting.baseline import Baseline, Entry
from conformance.reporting.certificate import statement
from conformance.reporting.certificate.statement import BadStatement
from conformance.reporting.gating import gate
from conformance.reporting.results import Results
from tests.reporting.runs import case, finding, provider, results_of

APPLYING = [row.id for row in results_of().providers[0].requirements if row.verdict == "not-exercised"]
OPTIONAL = next(identity for identity in APPLYING if catalogue()[identity].level is Level.OPTIONAL)
INFORMATIVE = next(identity for identity in APPLYING if catalogue()[identity].level is Level.INFORMATIVE)
MANDATORY = next(identity for identity in APPLYING if catalogue()[identity].level is Level.MANDATORY)
RULED_OUT = next(row.id for row in results_of().providers[0].requirements if row.verdict == "not-applicable")


def made(results: Results) -> dict[str, Any]:
    payload = statement.encoded(statement.make(results, gate(results), "aa", "bb"))
    return json.loads(payload)  # type: ignore[no-any-return]


def all_pass(**others: Conclusion) -> Results:
    """Every requirement that applies is satisfied, but those."""
    outcomes = dict.fromkeys(APPLYING, Conclusion.SATISFIED) | {
        name.replace("_", "-"): outcome for name, outcome in others.items()
    }
    return results_of(case("a", *(finding(identity, outcome) for identity, outcome in outcomes.items())))


def with_one(identity: str, outcome: Conclusion) -> dict[str, Any]:
    return made(all_pass(**{identity.replace("-", "_"): outcome}))["predicate"]  # type: ignore[no-any-return]


def test_it_is_an_in_toto_statement_about_results_and_manifest() -> None:
    said = made(all_pass())
    assert set(said) == {"_type", "subject", "predicateType", "predicate"}
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert said["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert said["subject"] == [
        {"name": "results.json", "digest": {"sha256": "aa"}},
        {"name": "manifest.json", "digest": {"sha256": "bb"}},
    ]
    fields = {"result", "configuration", "passedTests", "warnedTests", "failedTests"}
    assert set(said["predicate"]) == fields


def test_where_all_that_applies_passes_it_says_passed() -> None:
    said = made(all_pass())["predicate"]
    assert said["result"] == "PASSED"
    assert said["warnedTests"] == said["failedTests"] == []
    assert f"kernel-tcp/{MANDATORY}" in said["passedTests"]
    names = {name for names in (said["passedTests"], said["warnedTests"]) for name in names}
    assert f"kernel-tcp/{RULED_OUT}" not in names
    assert f"kernel-tcp/{INFORMATIVE}" not in names


@pytest.mark.parametrize(
    ("identity", "outcome"), [(OPTIONAL, Conclusion.VIOLATED), (MANDATORY, Conclusion.UNDETERMINED)]
)
def test_what_is_open_with_a_doubt_says_warned(identity: str, outcome: Conclusion) -> None:
    said = with_one(identity, outcome)
    assert said["result"] == "WARNED"
    assert said["warnedTests"] == [f"kernel-tcp/{identity}"]
    assert said["failedTests"] == []


def test_silence_is_no_pass() -> None:
    said = made(results_of(case("a", finding(MANDATORY, Conclusion.SATISFIED))))["predicate"]
    assert said["result"] == "WARNED"
    assert said["passedTests"] == [f"kernel-tcp/{MANDATORY}"]
    assert f"kernel-tcp/{OPTIONAL}" in said["warnedTests"]


@pytest.mark.parametrize("outcome", [Conclusion.VIOLATED, Conclusion.ERROR])
def test_a_failure_and_a_breakage_say_failed(outcome: Conclusion) -> None:
    said = with_one(MANDATORY, outcome)
    assert said["result"] == "FAILED"
    assert said["failedTests"] == [f"kernel-tcp/{MANDATORY}"]


def test_what_a_baseline_excuses_warns() -> None:
    failed = all_pass(**{MANDATORY.replace("-", "_"): Conclusion.VIOLATED})
    entry = Entry("kernel-tcp", MANDATORY, "known", "net team", date(2030, 12, 31))
    excused = msgspec.structs.replace(failed, baseline=Baseline("base.toml", date(2030, 6, 15), (entry,)))
    said = made(excused)["predicate"]
    assert said["result"] == "WARNED"
    assert said["warnedTests"] == [f"kernel-tcp/{MANDATORY}"]
    assert said["failedTests"] == []
    expired = msgspec.structs.replace(failed, baseline=Baseline("base.toml", date(2031, 6, 15), (entry,)))
    said = made(expired)["predicate"]
    assert said["result"] == "FAILED"
    assert said["failedTests"] == [f"kernel-tcp/{MANDATORY}"]


def test_a_provider_that_could_not_be_tested_fails() -> None:
    results = results_of(
        case("a", finding(MANDATORY, Conclusion.SATISFIED)), providers=[provider(), provider("other", problem="gone")]
    )
    said = made(results)["predicate"]
    assert said["result"] == "FAILED"
    assert f"other/{MANDATORY}" in said["failedTests"]


def test_the_configuration_names_suite_catalogue_and_claims() -> None:
    found = {"implementation": {"name": "linux-tcp", "version": "6.18", "odd": 7}}
    results = results_of(case("a"), providers=[provider(found=found)])
    suite, rules, claim = made(results)["predicate"]["configuration"]
    assert suite["uri"] == f"pkg:generic/shutdown-conformance@{results.suite.version}"
    assert rules == {"name": "catalogue", "digest": {"sha256": digest().partition(":")[2]}}
    stated = msgspec.json.encode(results.providers[0].statement, order="deterministic")
    assert claim["digest"] == {"sha256": hashlib.sha256(stated).hexdigest()}
    assert claim["annotations"]["statement"] == json.loads(stated)
    assert claim["annotations"]["implementation"] == {"name": "linux-tcp", "version": "6.18"}
    for each in (suite, rules, claim):  # a ResourceDescriptor must have one of them
        assert "uri" in each or "digest" in each


def test_a_statement_is_read_back_as_it_was_made() -> None:
    results = all_pass()
    made = statement.make(results, gate(results), "aa", "bb")
    assert statement.decode(statement.encoded(made)) == made


def test_what_is_no_statement_or_one_of_another_form() -> None:
    results = all_pass()
    payload = statement.encoded(statement.make(results, gate(results), "aa", "bb"))
    for other in (
        b"",
        b"{}",
        b"[" * 100_000,
        payload + b" ",
        payload.replace(b'"_type"', b'"_type":"x","_type"'),
        payload[:-1] + b',"more":1}',
        payload.replace(b"Statement/v1", b"Statement/v2"),
        payload.replace(b"test-result/v0.1", b"test-result/v0.2"),
    ):
        with pytest.raises(BadStatement):
            statement.decode(other)
