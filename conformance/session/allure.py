# SPDX-License-Identifier: MIT
"""What a case came to, in Allure's results: only where pytest was given `--alluredir`.

The plugin of Allure for pytest writes a result for each case; just before, this adds what the suite knows of it: where
it belongs, its findings as steps, and its evidence. Suites show it by provider, group and case function; behaviours by
requirement and provider. Allure has one status for a case and none for a requirement, so that a case stands below each
requirement that it was meant to exercise and each that it broke, and its steps say which one.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path

import allure_commons
import pytest
from allure_commons.model2 import Attachment, Label, Parameter, Status, StatusDetails, TestResult, TestStepResult
from allure_commons.utils import uuid4

from conformance.catalogue import catalogue
from conformance.execution.running import Case
from conformance.oracle.findings import Conclusion, Finding
from conformance.oracle.results import CaseResult
from conformance.oracle.verdicts import Verdict
from conformance.reporting.failures import again
from conformance.reporting.ladder import ladder
from conformance.reporting.text import clean
from conformance.trace.events import End
from conformance.trace.trace import Trace

_STATUS = {
    Conclusion.SATISFIED: Status.PASSED,
    Conclusion.VIOLATED: Status.FAILED,
    Conclusion.UNDETERMINED: Status.SKIPPED,
    Conclusion.ERROR: Status.BROKEN,
}
_WORST_FIRST = (Conclusion.VIOLATED, Conclusion.ERROR, Conclusion.UNDETERMINED, Conclusion.SATISFIED)
_OWN_LABELS = ("parentSuite", "suite", "subSuite", "epic", "feature", "story")
_NS_PER_MS = 1_000_000


class Allure:
    """Adds to the results of Allure what `told` says of the case whose turn it is."""

    def __init__(self, config: pytest.Config, output: Path) -> None:
        self._output = output
        self._current: tuple[Case, CaseResult, Trace] | None = None
        allure_commons.plugin_manager.register(self)
        config.add_cleanup(lambda: allure_commons.plugin_manager.unregister(self))

    def told(self, case: Case, result: CaseResult, trace: Trace) -> None:
        """Take what the case came to; Allure's result of it is written when pytest is done with it."""
        self._current = case, result, trace

    @allure_commons.hookimpl(tryfirst=True)  # type: ignore[untyped-decorator]  # it carries no types
    def report_result(self, result: TestResult) -> None:
        """Called by Allure with each finished result, before it is written."""
        if self._current is not None:
            case, judged, trace = self._current
            self._current = None
            _fill(result, case, judged, trace)
            result.attachments.extend(_attached(judged, trace, self._output))


def _fill(made: TestResult, case: Case, result: CaseResult, trace: Trace) -> None:
    if result.verdict is Verdict.ERROR:
        made.status = Status.BROKEN
    made.labels[:] = [label for label in made.labels if label.name not in _OWN_LABELS]
    made.labels.extend(Label(name=name, value=clean(value)) for name, value in _labels(result))
    made.titlePath = list(map(clean, _path(result)))
    made.parameters[:] = [each for each in made.parameters if each.name not in ("connection", "ends")]
    made.parameters[:0] = [Parameter(name=name, value=clean(value)) for name, value in _parameters(case, result)]
    made.description, made.descriptionHtml = None, _description(case, result)
    if trace.events:  # the case ran ahead of its turn
        made.start = trace.events[0].at // _NS_PER_MS
        made.stop = made.start + round(result.duration_s * 1000)
    findings = sorted(result.findings, key=lambda finding: _WORST_FIRST.index(finding.outcome))
    made.steps.extend(_step(finding, made) for finding in findings)


def _labels(result: CaseResult) -> Iterator[tuple[str, str]]:
    yield from zip(("parentSuite", "suite", "subSuite"), _path(result), strict=True)
    broken = [f.requirement for f in result.findings if f.outcome in (Conclusion.VIOLATED, Conclusion.ERROR)]
    if not result.exercises and not broken:  # it only probes a claim
        yield "feature", _group(result)
    for identity in dict.fromkeys([*result.exercises, *broken]):
        requirement = catalogue.load().get(identity)
        yield "feature", f"{identity} {requirement.statement}" if requirement else identity
    yield "story", result.provider
    yield "tag", str(result.verdict)


def _path(result: CaseResult) -> tuple[str, str, str]:
    """Where a case stands in the tree of suites."""
    return result.provider, _group(result), result.id.rpartition("::")[2].partition("[")[0]


def _group(result: CaseResult) -> str:
    """The group of the catalogue whose folder the case lies in, or that folder."""
    folder = result.id.partition("/")[0]
    groups = catalogue.load().groups.values()
    return next((f"{group.letter} {group.title}" for group in groups if group.name == folder), folder)


def _parameters(case: Case, result: CaseResult) -> Iterator[tuple[str, str]]:
    yield "provider", result.provider
    yield "topology", result.topology
    if case.connected:
        yield "who connects", "the implementation" if case.client is End.IUT else "its peer"


def _description(case: Case, result: CaseResult) -> str:
    story = html.escape(" ".join((case.function.__doc__ or "").split()))
    command = html.escape(clean(again(result.provider, result.id, result.topology)))
    return f"<p>{story}</p><p>Run it again: <code>{command}</code></p>"


def _step(finding: Finding, of: TestResult) -> TestStepResult:
    matched = f" [as in {finding.matched}]" if finding.matched else ""
    name = clean(f"{finding.requirement} {finding.outcome}: {finding.because}{matched}")
    requirement = catalogue.load().get(finding.requirement)
    step = TestStepResult(name=name, status=_STATUS[finding.outcome], start=of.start, stop=of.stop)
    if requirement is not None:
        step.statusDetails = StatusDetails(message=requirement.statement)
    return step


def _attached(result: CaseResult, trace: Trace, output: Path) -> Iterator[Attachment]:
    """Hand the evidence to Allure: the ladder as text, the trace and the packets as they are stored."""
    outcomes = {finding.outcome for finding in result.findings}
    telling = next((outcome for outcome in _WORST_FIRST if outcome in outcomes), None)
    marked = {n for finding in result.findings if finding.outcome is telling for n in finding.events}
    hook = allure_commons.plugin_manager.hook
    made = Attachment(name="ladder", source=f"{uuid4()}-attachment.txt", type="text/plain")
    hook.report_attached_data(body=ladder(trace, marked), file_name=made.source)
    yield made
    if not result.evidence:
        return
    path = output / result.evidence
    kinds = (("trace", "jsonl", "application/jsonl"), ("packets", "pcapng", "application/vnd.tcpdump.pcap"))
    for name, suffix, kind in kinds:
        file = path.with_suffix(f".{suffix}")
        if file.exists():
            made = Attachment(name=name, source=f"{uuid4()}-attachment.{suffix}", type=kind)
            hook.report_attached_file(source=str(file), file_name=made.source)
            yield made
