# SPDX-License-Identifier: MIT
"""How a verdict looks on a page: its sign, and what it means; its colours are in `base.css`, by its name.

What became of a mutant has signs of its own, and the colours of a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass

from conformance.oracle.verdicts import Verdict
from conformance.reporting.killmatrix import Fate
from conformance.reporting.page.kills import Mark


@dataclass(frozen=True)
class Look:
    """`sign` is one character that every system's fonts have; `words` name the verdict, `meaning` explains it."""

    sign: str
    words: str
    meaning: str


LOOKS: dict[Verdict, Look] = {
    Verdict.FAIL: Look("\N{MULTIPLICATION SIGN}", "fail", "a mandatory or conditional requirement was violated"),
    Verdict.ERROR: Look("!", "error", "the harness or an agent broke"),
    Verdict.DEVIATION: Look("≠", "deviation", "a recommendation was not followed: reported, never fatal"),
    Verdict.INCONCLUSIVE: Look("?", "inconclusive", "exercised, but the evidence does not decide"),
    Verdict.PASS: Look("✓", "pass", "satisfied at least once, never violated"),
    Verdict.RECORDED: Look("•", "recorded", "informative: what it did is written down"),
    Verdict.NOT_EXERCISED: Look("○", "not exercised", "no case reached it: silence is never a pass"),
    Verdict.NOT_APPLICABLE: Look("\N{EN DASH}", "not applicable", "the statement rules it out"),
}
"""Worst first: the order in which verdicts are listed everywhere on a page."""


@dataclass(frozen=True)
class Borrowed(Look):
    """A look in the colours of a verdict."""

    colours: Verdict


FATES: dict[Fate, Borrowed] = {
    Fate.SURVIVED: Borrowed(
        "\N{MULTIPLICATION SIGN}", "survived", "nothing was violated: the suite would not notice", Verdict.FAIL
    ),
    Fate.ELSEWHERE: Borrowed(
        "≠",
        "caught elsewhere",
        "something else was violated, or only a part of what should have been",
        Verdict.DEVIATION,
    ),
    Fate.BROKE: Borrowed("!", "broke", "only errors came of it: the mutant itself is mended first", Verdict.ERROR),
    Fate.NOT_RUN: Borrowed(
        "○",
        "not run",
        "its topology or its provider is not to be had here, or it was cut short",
        Verdict.NOT_EXERCISED,
    ),
    Fate.KILLED: Borrowed("✓", "killed", "every requirement that it must die on was violated", Verdict.PASS),
}
MARKS: dict[Mark, Borrowed] = {
    Mark.MISSED: Borrowed(
        "\N{MULTIPLICATION SIGN}", "missed", "it must die on this requirement, and did not", Verdict.FAIL
    ),
    Mark.PART: Borrowed("½", "in part", "it did over some of the providers that it is made of", Verdict.DEVIATION),
    Mark.KILLED: Borrowed("✓", "killed", "it must die on this requirement, and did", Verdict.PASS),
    Mark.NOT_RUN: Borrowed("○", "not run", "it must die on this requirement, and was not run", Verdict.NOT_EXERCISED),
    Mark.ALSO: Borrowed(
        "•", "also caught", "it was made for another requirement, and violates this one too", Verdict.RECORDED
    ),
}
"""The worst first."""
