# SPDX-License-Identifier: MIT
"""The badge: what it says of one provider and of several, and that its two forms say the same."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

import pytest

from conformance.oracle.findings import Conclusion
from conformance.reporting.badge import LABEL, badge, render_json, render_svg
from conformance.reporting.gating import gate
from conformance.reporting.results import Results
from tests.reporting.hostile import HOSTILE, edited, hostile_run
from tests.reporting.runs import case, finding, provider, results_of

SATISFIED, VIOLATED = Conclusion.SATISFIED, Conclusion.VIOLATED
GOOD = case("good", finding("IND-STREAM-02", SATISFIED), finding("IND-STREAM-03", SATISFIED))
BAD = case("bad", finding("IND-STREAM-01", VIOLATED))
BROKEN = case("broken", finding("POSIX-RECV-01", Conclusion.ERROR))
LEFT_OPEN = case("open", finding("IND-STREAM-01", Conclusion.UNDETERMINED), provider="three")
THREE = [provider("kernel-tcp"), provider("two", problem="does not start"), provider("three")]


@pytest.mark.parametrize(
    ("results", "message", "colour"),
    [
        (results_of(GOOD), "2 pass", "brightgreen"),
        (results_of(GOOD, BAD), "2 pass, 1 fail", "red"),
        (results_of(GOOD, BAD, BROKEN), "2 pass, 1 fail, 1 error", "red"),
        (results_of(BAD), "0 pass, 1 fail", "red"),
        (results_of(GOOD, planned=9), "2 pass, cut short", "red"),
        (results_of(planned=9), "nothing judged", "lightgrey"),
        (results_of(LEFT_OPEN, providers=[provider("three")]), "nothing judged", "lightgrey"),
        (results_of(GOOD, LEFT_OPEN, providers=THREE), "1 of 3 providers pass", "red"),
        (results_of(GOOD, BAD, providers=THREE), "0 of 3 providers pass", "red"),
        (results_of(GOOD, LEFT_OPEN, providers=[THREE[0], THREE[2]]), "1 of 2 providers pass", "brightgreen"),
        (results_of(providers=[provider(problem="does not start")]), "nothing judged", "lightgrey"),
    ],
)
def test_what_it_says(results: Results, message: str, colour: str) -> None:
    assert (badge(results).message, badge(results).colour) == (message, colour)


def test_a_deviation_does_not_count() -> None:
    assert badge(results_of(GOOD, case("one", finding("IND-STREAM-05", VIOLATED)))).message == "2 pass"


@pytest.mark.parametrize("results", [results_of(GOOD), results_of(GOOD, BAD), results_of(planned=1)])
def test_its_two_forms_say_the_same(results: Results) -> None:
    made = badge(results)
    told = json.loads(render_json(results))
    assert told == {"schemaVersion": 1, "label": LABEL, "message": made.message, "color": made.colour}
    texts = {each.text for each in ElementTree.fromstring(render_svg(results).encode()).iter() if each.text}
    assert {LABEL, made.message} <= texts
    assert made.value in render_svg(results)


@pytest.mark.parametrize("text", HOSTILE)
def test_it_says_nothing_of_what_others_said(text: str) -> None:
    for results in (hostile_run(text), edited(hostile_run(text))):
        assert badge(results).colour == ("brightgreen" if gate(results).is_open else "red")
        said = ElementTree.fromstring(render_svg(results).encode())
        assert not [each for each in said.iter() if each.tag.endswith("script")]
        assert badge(results).message in ("0 of 2 providers pass", "1 pass, 1 fail, 1 error")
