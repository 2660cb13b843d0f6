# SPDX-License-Identifier: MIT
"""How a verdict looks on a page: its sign, and what it means; its colours are in `base.css`, by its name."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.oracle.verdicts import Verdict


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
