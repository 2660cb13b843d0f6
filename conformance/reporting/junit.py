# SPDX-License-Identifier: MIT
"""JUnit XML, as CI services read it: a suite for each provider, a test case for each requirement.

A failure carries what a developer needs: clause, accepted outcomes, what was seen, and the command to run it again.
What the statement rules out, nothing reached or the evidence does not decide is skipped, with the reason: never passed.
So is a failure that the baseline excuses.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator, Mapping

from conformance.catalogue import catalogue
from conformance.catalogue.requirement import Requirement
from conformance.oracle.verdicts import Verdict
from conformance.reporting.briefly import claimed, implementation, is_failed, seen, telling
from conformance.reporting.failures import again, problem_lines, rule
from conformance.reporting.gating import CLOSED, Gate, about, gate
from conformance.reporting.results import ProviderResults, RequirementRow, Results
from conformance.reporting.text import clean, several, wrapped

_CASES_SHOWN = 20
_MESSAGE_LIMIT = 500
"""Characters of what becomes a heading wherever JUnit is shown."""
_OPEN = (Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE, Verdict.NOT_EXERCISED)
_TOLD = {
    Verdict.DEVIATION: "a recommendation was not followed, which is reported and never fails",
    Verdict.RECORDED: "informative: what it did is written down, and never judged",
}
_KINDS = ("failure", "error", "skipped")


def render(results: Results) -> str:
    """The XML of a run. Nothing that was said in it can break out of its place: it is cleaned, then escaped."""
    root = ElementTree.Element("testsuites", name="shutdown-conformance")
    decided = gate(results)
    root.append(_gate(decided))
    for provider in results.providers:
        root.append(_suite(provider, results, decided))
    _count(root, sum(float(suite.attrib["time"]) for suite in root))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _gate(decided: Gate) -> ElementTree.Element:
    """The gate as a test case of its own: a run cut short closes it, or an entry of the baseline that holds no more."""
    suite = ElementTree.Element("testsuite", name="gate")
    case = ElementTree.SubElement(suite, "testcase", classname="gate", name="the gate is open", time="0.000")
    if not decided.is_open:
        kind = "failure" if decided.status == CLOSED else "error"
        message = clean(decided.sentence, _MESSAGE_LIMIT)
        ElementTree.SubElement(case, kind, message=message, type="gate").text = "\n".join(_why(decided))
    _count(suite, 0.0)
    return suite


def _why(decided: Gate) -> Iterator[str]:
    """Why the gate is closed, where no test case of a requirement says so."""
    yield clean(decided.sentence)
    for said, found in (("remove", decided.stale), ("expired", decided.expired), ("no match", decided.unmatched)):
        for each in found:
            yield from wrapped(f"  {said}", f"{each.requirement} ({each.provider}): {about(each)}")


def _suite(provider: ProviderResults, results: Results, decided: Gate) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", name=clean(provider.name))
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in _properties(provider, results):
        ElementTree.SubElement(properties, "property", name=name, value=clean(value))
    if provider.problem:
        suite.append(_untested(provider))
    took = {case.id: case.duration_s for case in provider.cases}
    suite.extend([_case(provider, row, took, decided) for row in provider.requirements])
    # Less than the sum of the test cases: one case of the suite bears on many requirements.
    _count(suite, sum(took.values()))
    return suite


def _count(element: ElementTree.Element, seconds: float) -> None:
    """The numbers that readers of JUnit take from the attributes of a suite."""
    counted = Counter(child.tag for case in element.iter("testcase") for child in case)
    element.set("tests", str(sum(1 for _ in element.iter("testcase"))))
    for kind, name in zip(_KINDS, ("failures", "errors", "skipped"), strict=True):
        element.set(name, str(counted[kind]))
    element.set("time", f"{seconds:.3f}")


def _properties(provider: ProviderResults, results: Results) -> Iterator[tuple[str, str]]:
    yield "suite.version", results.suite.version
    yield "suite.catalogue", results.suite.catalogue
    yield "environment.system", results.environment.system
    yield "environment.python", results.environment.python
    yield "environment.topologies", ", ".join(results.environment.topologies)
    yield "implementation", implementation(provider)
    yield "statement", claimed(provider)
    yield "cases", str(len(provider.cases))
    for each in provider.contradictions:
        yield "contradiction", f"{each.item}: claimed {each.claimed}, found {each.found}"


def _untested(provider: ProviderResults) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname=clean(provider.name), name="could be tested", time="0.000")
    lines = problem_lines(provider.problem)
    ElementTree.SubElement(case, "error", message=lines[0][:_MESSAGE_LIMIT], type="untested").text = "\n".join(lines)
    return case


def _case(
    provider: ProviderResults, row: RequirementRow, took: Mapping[str, float], decided: Gate
) -> ElementTree.Element:
    requirement = catalogue.load().get(row.id)
    group = catalogue.load().groups.get(requirement.group) if requirement else None
    case = ElementTree.Element(
        "testcase",
        classname=clean(f"{provider.name}.{group.letter} {group.title}" if group else provider.name),
        name=clean(f"{row.id} {requirement.statement}" if requirement else row.id),
        time=f"{sum(took.get(each.id, 0.0) for each in row.cases):.3f}",
    )
    message = clean(seen(row), _MESSAGE_LIMIT)
    if provider.problem and row.verdict is Verdict.ERROR:
        ElementTree.SubElement(case, "skipped", message="the provider could not be tested")
    elif row.verdict is Verdict.FAIL and (entry := decided.excuse(provider.name, row.id)) is not None:
        excuse = f"excused: {entry.reason} ({entry.owner}, until {entry.expires}); {seen(row)}"
        ElementTree.SubElement(case, "skipped", message=clean(excuse, _MESSAGE_LIMIT))
    elif is_failed(row, provider, decided):
        kind = "error" if row.verdict is Verdict.ERROR else "failure"
        failure = ElementTree.SubElement(case, kind, message=message, type=str(row.verdict))
        failure.text = "\n".join(_explained(provider, row, requirement))
    elif row.verdict in _OPEN:
        ElementTree.SubElement(case, "skipped", message=clean(f"{row.verdict}: {seen(row)}", _MESSAGE_LIMIT))
    elif row.verdict in _TOLD:
        ElementTree.SubElement(case, "system-out").text = f"{row.verdict}: {message} ({_TOLD[row.verdict]})"
    return case


def _explained(provider: ProviderResults, row: RequirementRow, requirement: Requirement | None) -> Iterator[str]:
    yield ""
    if requirement is not None:
        yield from rule(requirement, provider.statement)
    cases = telling(row)
    for case, findings in cases[:_CASES_SHOWN]:
        yield from wrapped("  case", case.id)
        yield from (line for finding in findings for line in wrapped("  seen", finding.because))
    if not cases:
        yield from (f"  {line}" for line in problem_lines(seen(row)))
    if len(cases) > _CASES_SHOWN:
        yield f"  and {several(len(cases) - _CASES_SHOWN, 'more case')}"
    yield from wrapped("  cases", f"{len(cases)} of {len(row.cases)}")
    if cases:
        first = cases[0][0]
        yield f"  again     {clean(again(provider.name, first.id, first.topology))}"
    yield ""
