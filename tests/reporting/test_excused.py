# SPDX-License-Identifier: MIT
"""What a baseline excuses, and what of it no longer holds, in the reports for machines."""

from __future__ import annotations

import json
import re
from datetime import date

import msgspec
import pytest
from junitparser import JUnitXml

from conformance.oracle.findings import Conclusion
from conformance.reporting import badge, junit, markdown
from conformance.reporting.baseline import Baseline, Entry
from conformance.reporting.results import Results
from tests.reporting.hostile import HOSTILE
from tests.reporting.runs import case, finding, provider, results_of
from tests.reporting.test_markdown import tokens, visible

DAY = date(2030, 1, 2)
FAILED = case("bad", finding("IND-STREAM-01", Conclusion.VIOLATED), finding("IND-STREAM-02", Conclusion.SATISFIED))


def entry(requirement: str, *, expires: date = DAY, name: str = "kernel-tcp", reason: str = "so it is") -> Entry:
    return Entry(provider=name, requirement=requirement, reason=reason, owner="net team", expires=expires)


def excused(*entries: Entry, results: Results | None = None) -> Results:
    baseline = Baseline("known.toml", DAY, entries)
    return msgspec.structs.replace(results or results_of(FAILED), baseline=baseline)


def suite(results: Results, name: str) -> JUnitXml:
    return next(each for each in JUnitXml.fromstring(junit.render(results).encode()) if each.name == name)


def test_an_excused_failure_is_skipped_with_its_reason() -> None:
    results = excused(entry("IND-STREAM-01"))
    (made,) = [each for each in suite(results, "kernel-tcp") if str(each.name).startswith("IND-STREAM-01 ")]
    (skipped,) = made.result
    assert skipped.message == "excused: so it is (net team, until 2030-01-02); so it was"
    assert suite(results, "kernel-tcp").failures == suite(results, "gate").failures == 0


def test_it_is_told_and_does_not_count() -> None:
    results = excused(entry("IND-STREAM-01"))
    text = markdown.render(results)
    assert "✅ `kernel-tcp`" in text and "FAIL" not in text
    assert "excused   IND-STREAM-01   kernel-tcp :  so it is (net team, until 2030-01-02)" in visible(text)
    assert json.loads(badge.render_json(results))["message"] == "1 pass, 1 excused"
    assert badge.badge(results).colour == "brightgreen"
    two = excused(entry("IND-STREAM-01"), results=results_of(FAILED, providers=[provider(), provider("two")]))
    assert badge.badge(two).message == "1 of 2 providers pass"


def test_it_counts_for_the_other_provider() -> None:
    failed = msgspec.structs.replace(FAILED, provider="two")
    results = excused(
        entry("IND-STREAM-01"), results=results_of(FAILED, failed, providers=[provider(), provider("two")])
    )
    assert suite(results, "kernel-tcp").failures == 0
    assert suite(results, "two").failures == 1
    assert "❌ `two`" in markdown.render(results)
    assert badge.badge(results).message == "1 of 2 providers pass"


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (entry("IND-STREAM-02"), "remove"),
        (entry("IND-STREAM-01", expires=date(2030, 1, 1)), "expired"),
        (entry("INIT-SHUT-04"), "no match"),
    ],
)
def test_what_no_longer_holds_is_a_failure_of_the_gate(made: Entry, said: str) -> None:
    results = excused(entry("IND-STREAM-01"), made) if said != "expired" else excused(made)
    (gate,) = suite(results, "gate")
    (failure,) = gate.result
    assert re.search(rf"^  {said} +{made.requirement} \(kernel-tcp\): .*so it is", failure.text, re.MULTILINE)
    assert f"**{said}** `{made.requirement}` `kernel-tcp`" in markdown.render(results)
    assert badge.badge(results).colour == "red"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_entries_become_no_markup(text: str) -> None:
    entries = [entry(identity, name=text, reason=text) for identity in (text, "IND-STREAM-01")]
    failed = msgspec.structs.replace(FAILED, provider=text)
    results = msgspec.structs.replace(
        results_of(failed, providers=[provider(text)]), baseline=Baseline(text, DAY, tuple(entries))
    )
    rendered = markdown.render(results)
    parts = list(tokens(rendered))
    assert not [t for t in parts if t.type in ("html_inline", "html_block", "link_open", "em_open", "s_open", "image")]
    for made in (rendered, junit.render(results)):
        assert not [c for c in made if not (c.isprintable() or c == "\n")]
    JUnitXml.fromstring(junit.render(results).encode())
