# SPDX-License-Identifier: MIT
"""What a finding carries: its requirement, the events of all its evidence, and whose behaviour was met."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from conformance.catalogue.catalogue import load
from conformance.catalogue.requirement import Accepted
from conformance.oracle.findings import Conclusion, Expectation

CLAUSE = Accepted(outcome="ZERO_BYTES", says="The receive returns 0.", provenance="the clause")
SEEN = Accepted(outcome="ECONNRESET", says="The receive fails.", provenance="observed")


@dataclass(frozen=True)
class Shown:
    """Something that was told."""

    told: str = "ZERO_BYTES"
    seen: str = "recv returned 0 bytes"
    events: tuple[int, ...] = (7, 3)


def expecting(*accepted: Accepted) -> Expectation:
    return Expectation(load()["IND-STREAM-01"], accepted)


@pytest.mark.parametrize(("accepted", "matched"), [((CLAUSE,), "the clause"), ((CLAUSE, SEEN), ""), ((), "")])
def test_whose_behaviour_was_met_is_said_where_there_is_no_doubt(accepted: tuple[Accepted, ...], matched: str) -> None:
    """Of several outcomes that are accepted, the words of the judge do not tell which it was."""
    finding = expecting(*accepted).satisfied("so it was", Shown(), None, Shown(events=(5, 7)))
    assert (finding.requirement, finding.outcome) == ("IND-STREAM-01", Conclusion.SATISFIED)
    assert (finding.matched, finding.events) == (matched, (3, 5, 7))


@pytest.mark.parametrize(
    ("told", "outcome", "matched"),
    [
        ("ZERO_BYTES", Conclusion.SATISFIED, "the clause"),
        ("ECONNRESET", Conclusion.SATISFIED, "observed"),
        ("DATA", Conclusion.VIOLATED, ""),
    ],
)
def test_what_was_told_is_weighed_against_all_that_is_accepted(told: str, outcome: Conclusion, matched: str) -> None:
    finding = expecting(CLAUSE, SEEN).weigh(Shown(told), Shown(events=(1,)), after="after the end")
    assert (finding.outcome, finding.matched, finding.events) == (outcome, matched, (1, 3, 7))
    assert ("accepted: ZERO_BYTES or ECONNRESET" in finding.because) is (outcome is Conclusion.VIOLATED)
