# SPDX-License-Identifier: MIT
"""What a case's result holds for Allure: where it stands, its findings as steps, its evidence, and no markup."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import allure_commons
import msgspec
import pytest
from allure_commons import model2
from allure_commons.logger import AllureMemoryLogger
from allure_commons.model2 import Label, Parameter, Status

from conformance.oracle.findings import Conclusion
from conformance.oracle.results import CaseResult
from conformance.oracle.verdicts import Verdict
from conformance.session.allure import Allure
from conformance.trace.events import End
from conformance.trace.trace import Trace
from tests.reporting.hostile import HOSTILE
from tests.reporting.runs import BAD, GOOD, bad_story, finding, good_story, keep, named

Told = Callable[..., dict[str, Any]]


def a_case(function: Callable[..., None]) -> Any:
    return SimpleNamespace(function=function, connected=True, client=End.PEER)


def story_of_a_case() -> None:
    """The peer sends <b>a</b> lot,
    then ends."""


class Kept:
    """What Allure was given to write."""

    def __init__(self, output: Path) -> None:
        self.logger = AllureMemoryLogger()
        self.cleanups: list[Callable[[], None]] = []
        allure_commons.plugin_manager.register(self.logger)
        self.allure = Allure(SimpleNamespace(add_cleanup=self.cleanups.append), output)  # type: ignore[arg-type]

    def of(self, result: CaseResult, trace: Trace, function: Callable[..., None] = story_of_a_case) -> dict[str, Any]:
        """The result as it is written, after Allure's own plugin has put its own things into it."""
        self.allure.told(a_case(function), result, trace)
        made = model2.TestResult(name="test_x[kernel-tcp]", status=Status.PASSED, start=1, stop=1)
        made.labels += [Label(name="suite", value="of pytest's own"), Label(name="host", value="here")]
        made.parameters += [
            Parameter(name="connection", value="('kernel-tcp', 1)"),
            Parameter(name="queued", value="5"),
        ]
        allure_commons.plugin_manager.hook.report_result(result=made)
        return dict(self.logger.test_cases[-1])

    def attached(self, made: dict[str, Any], name: str) -> Any:
        (attachment,) = [each for each in made["attachments"] if each["name"] == name]
        return self.logger.attachments[attachment["source"]]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    yield made
    allure_commons.plugin_manager.unregister(made.logger)
    for cleanup in made.cleanups:
        cleanup()
    assert not allure_commons.plugin_manager.is_registered(made.allure)


def labels(made: dict[str, Any], name: str) -> list[str]:
    return [label["value"] for label in made["labels"] if label["name"] == name]


def the_bad(kept: Kept, tmp_path: Path) -> dict[str, Any]:
    trace = named(bad_story(), BAD)
    return kept.of(keep(trace, tmp_path), trace)


def test_it_stands_by_provider_group_and_function(kept: Kept, tmp_path: Path) -> None:
    made = the_bad(kept, tmp_path)
    path = ["kernel-tcp", "B Indicating a remote shutdown", "test_peer_ends_after_data"]
    assert [labels(made, name) for name in ("parentSuite", "suite", "subSuite")] == [[each] for each in path]
    assert made["titlePath"] == path
    assert labels(made, "host") == ["here"]


def test_it_stands_below_each_requirement_that_it_bears_on(kept: Kept, tmp_path: Path) -> None:
    made = the_bad(kept, tmp_path)
    features = [value.partition(" ")[0] for value in labels(made, "feature")]
    assert features == ["IND-STREAM-01", "IND-STREAM-02", "POSIX-RECV-01"]  # it broke the third as well
    assert labels(made, "story") == ["kernel-tcp"]
    assert labels(made, "tag") == ["fail"]


def test_it_stands_below_what_it_broke_without_being_meant_to(kept: Kept) -> None:
    trace = named(good_story(), GOOD)
    broke = finding("ERR-01", Conclusion.VIOLATED)
    satisfied = finding("IND-STREAM-03", Conclusion.SATISFIED)
    result = CaseResult(
        id=GOOD, provider="p", topology="host", verdict=Verdict.FAIL, findings=(satisfied, broke),
        exercises=("IND-STREAM-01",),
    )  # fmt: skip
    made = kept.of(result, trace)
    assert [value.partition(" ")[0] for value in labels(made, "feature")] == ["IND-STREAM-01", "ERR-01"]


def test_a_case_that_only_probes_has_a_place_too(kept: Kept) -> None:
    result = CaseResult(id="claims/probes.py::test_x", provider="p", topology="host", verdict=Verdict.RECORDED)
    made = kept.of(result, named(good_story(), GOOD))
    assert labels(made, "feature") == labels(made, "suite") == ["claims"]


def test_each_finding_is_a_step_the_worst_first(kept: Kept) -> None:
    outcomes = (Conclusion.SATISFIED, Conclusion.UNDETERMINED, Conclusion.ERROR, Conclusion.VIOLATED)
    findings = tuple(
        finding("IND-STREAM-01", each, matched="Linux" if each == "satisfied" else "") for each in outcomes
    )
    result = CaseResult(id=GOOD, provider="p", topology="host", verdict=Verdict.FAIL, findings=findings)
    steps = kept.of(result, named(good_story(), GOOD))["steps"]
    assert [(step["name"], step["status"]) for step in steps] == [
        ("IND-STREAM-01 violated: so it was", "failed"),
        ("IND-STREAM-01 error: so it was", "broken"),
        ("IND-STREAM-01 undetermined: so it was", "skipped"),
        ("IND-STREAM-01 satisfied: so it was [as in Linux]", "passed"),
    ]


@pytest.mark.parametrize(("verdict", "status"), [(Verdict.ERROR, "broken"), (Verdict.DEVIATION, "passed")])
def test_only_what_broke_is_broken(kept: Kept, verdict: Verdict, status: str) -> None:
    result = CaseResult(id=GOOD, provider="p", topology="host", verdict=verdict)
    assert kept.of(result, named(good_story(), GOOD))["status"] == status


def test_the_evidence_is_attached_as_it_is_stored(kept: Kept, tmp_path: Path) -> None:
    trace = named(bad_story(), BAD)
    result = keep(trace, tmp_path)
    packets = (tmp_path / result.evidence).with_suffix(".pcapng")
    packets.write_bytes(b"packets")
    made = kept.of(result, trace)
    assert kept.attached(made, "trace") == str(tmp_path / result.evidence)
    assert kept.attached(made, "packets") == str(packets)
    ladder = kept.attached(made, "ladder")
    assert "recv: ECONNRESET" in ladder and "\n> " in ladder


def test_without_evidence_there_is_only_the_ladder(kept: Kept) -> None:
    result = CaseResult(id=GOOD, provider="p", topology="host", verdict=Verdict.ERROR, problem="it died")
    made = kept.of(result, named(good_story(), GOOD))
    assert [each["name"] for each in made["attachments"]] == ["ladder"]


def test_the_description_is_the_cases_story_and_no_markup(kept: Kept, tmp_path: Path) -> None:
    told = the_bad(kept, tmp_path)["descriptionHtml"]
    assert told.startswith("<p>The peer sends &lt;b&gt;a&lt;/b&gt; lot, then ends.</p>")
    assert "<code>shutdown-conformance run --provider kernel-tcp -k " in told


def test_the_parameters_are_the_suites_words(kept: Kept, tmp_path: Path) -> None:
    said = {each["name"]: each["value"] for each in the_bad(kept, tmp_path)["parameters"]}
    assert said == {"provider": "kernel-tcp", "topology": "loopback", "who connects": "its peer", "queued": "5"}


def test_the_times_are_the_cases_and_not_those_of_its_turn(kept: Kept, tmp_path: Path) -> None:
    made = the_bad(kept, tmp_path)
    assert made["start"] == bad_story().events[0].at // 1_000_000
    assert made["stop"] - made["start"] == 250


def test_a_result_of_something_else_is_left_alone(kept: Kept, tmp_path: Path) -> None:
    the_bad(kept, tmp_path)
    allure_commons.plugin_manager.hook.report_result(result=model2.TestResult(name="another", status=Status.SKIPPED))
    assert kept.logger.test_cases[-1] == {"name": "another", "status": "skipped"}


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_was_said_is_control_or_markup(kept: Kept, text: str) -> None:
    trace = named(good_story(), f"a/b.py::c[{text}]", text)
    findings = (
        finding("IND-STREAM-01", Conclusion.VIOLATED, text, matched=text),
        finding("IND-STREAM-01", Conclusion.ERROR),
    )
    result = CaseResult(
        id=f"{text}/b.py::c[{text}]", provider=text, topology=text, verdict=Verdict.FAIL, findings=findings,
        problem=text, exercises=(text,),
    )  # fmt: skip
    made = kept.of(result, trace)
    written = msgspec.json.encode({**made, "ladder": kept.attached(made, "ladder").split("\n")}).decode()
    assert all(c.isprintable() for c in written)
    assert not [c for value in strings(made) for c in value if not c.isprintable()]
    assert "<script" not in made["descriptionHtml"] and "<details" not in made["descriptionHtml"]


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for each in value.values() for text in strings(each))
    elif isinstance(value, list):
        yield from (text for each in value for text in strings(each))
