# SPDX-License-Identifier: MIT
"""From findings to verdicts: per case, and per requirement over all the cases of a provider."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum

from conformance.catalogue.requirement import Level, Requirement
from conformance.catalogue.statement import Statement
from conformance.oracle.findings import Conclusion, Finding


class Verdict(StrEnum):
    """The verdicts of the suite, as DESIGN has them."""

    PASS = "pass"
    FAIL = "fail"
    DEVIATION = "deviation"
    RECORDED = "recorded"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    NOT_APPLICABLE = "not-applicable"
    NOT_EXERCISED = "not-exercised"


_WORST_FIRST = (
    Verdict.FAIL,
    Verdict.ERROR,
    Verdict.DEVIATION,
    Verdict.INCONCLUSIVE,
    Verdict.PASS,
    Verdict.RECORDED,
)


def verdict_of(level: Level, outcomes: Collection[Conclusion]) -> Verdict:
    """Roll up the findings of one requirement.

    Violated beats everything: no number of other cases makes it good. An error is never hidden behind a pass. What
    was satisfied somewhere and violated nowhere passes, even where other cases could not decide.
    """
    if not outcomes:
        return Verdict.NOT_EXERCISED
    if Conclusion.VIOLATED in outcomes and level in (Level.MANDATORY, Level.CONDITIONAL):
        return Verdict.FAIL
    if Conclusion.ERROR in outcomes:
        return Verdict.ERROR
    if level is Level.INFORMATIVE:
        decided = {Conclusion.SATISFIED, Conclusion.VIOLATED} & set(outcomes)
        return Verdict.RECORDED if decided else Verdict.INCONCLUSIVE
    if Conclusion.VIOLATED in outcomes:
        return Verdict.DEVIATION
    return Verdict.PASS if Conclusion.SATISFIED in outcomes else Verdict.INCONCLUSIVE


def requirement_verdict(requirement: Requirement, statement: Statement, findings: Iterable[Finding]) -> Verdict:
    """The verdict of one requirement for one provider, from its findings in all cases."""
    if requirement.unmet(statement) is not None:
        return Verdict.NOT_APPLICABLE
    return verdict_of(requirement.level, [finding.outcome for finding in findings])


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict that a case shows when its requirements differ; a case without any judged nothing."""
    return min(verdicts, key=_WORST_FIRST.index, default=Verdict.INCONCLUSIVE)
