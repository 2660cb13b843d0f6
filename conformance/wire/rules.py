# SPDX-License-Identifier: MIT
"""Rules for what passes a relaying link: which segments to drop, to repeat or to hold. Values and pure functions only.

Rules stand in a list; for each segment the first one that selects it and is not used up decides, and it alone counts
it. Carrying a decision out is the work of `relay`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import msgspec

from conformance.trace.events import End


class Action(StrEnum):
    """What a rule does to the segments it selects."""

    DROP = "drop"
    REPEAT = "repeat"
    """Deliver it, and a copy right behind it."""
    HOLD = "hold"
    """Keep it until `Tap.release`, or until a segment that matches the rule's `until` has passed."""


class Selection(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which segments are meant; what is not said does not matter."""

    sender: End | None = None
    flags: str = ""
    """Letters of `FSRPAUEC` that must all be set."""
    without: str = ""
    """Letters none of which may be set."""
    has_data: bool | None = None

    def matches(self, passing: Passing) -> bool:
        """Is this segment one of them?"""
        return (
            self.sender in (None, passing.sender)
            and set(self.flags) <= set(passing.flags)
            and not set(self.without) & set(passing.flags)
            and self.has_data in (None, passing.has_data)
        )

    def __str__(self) -> str:
        names = {"F": "FIN", "S": "SYN", "R": "RST", "P": "PSH", "A": "ACK", "U": "URG", "E": "ECE", "C": "CWR"}
        words = ["+".join(names[letter] for letter in self.flags) or "segment"]
        if self.without:
            words.append("without " + "/".join(names[letter] for letter in self.without))
        if self.has_data is not None:
            words.append("with data" if self.has_data else "without data")
        if self.sender is not None:
            words.append("from the IUT" if self.sender is End.IUT else "from the peer")
        return " ".join(words)


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that happens to selected segments: the first `skip` pass, the next `count` (None: all) are meant.

    A rule of `HOLD` with `until` ends when such a segment has been delivered; what it held follows at once.
    """

    action: Action
    selection: Selection = Selection()
    skip: int = 0
    count: int | None = None
    until: Selection | None = None

    def __str__(self) -> str:
        which = "each " if self.count is None else "the first " if self.count == 1 else f"the first {self.count} "
        after = f" after {self.skip}" if self.skip else ""
        until = f" until a {self.until} has passed" if self.until else ""
        return f"{self.action} {which}{self.selection}{after}{until}"


@dataclass(frozen=True, slots=True)
class Passing:
    """What a rule may look at in a segment."""

    sender: End
    flags: str
    has_data: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """A rule, how many segments it has selected so far, and whether it has ended."""

    rule: Rule
    selected: int = 0
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one segment: the rule that decided by its place in the list (None: it just passes), the places of
    those rules whose held segments are delivered right behind it, and how the rules stand afterwards."""

    by: int | None
    releases: tuple[int, ...]
    rules: tuple[Progress, ...]

    @property
    def action(self) -> Action | None:
        """The action, None for passing."""
        return None if self.by is None else self.rules[self.by].rule.action


def decide(rules: Sequence[Progress], passing: Passing) -> Decision:
    """What becomes of the segment that comes now."""
    standing = list(rules)
    by = None
    for place, progress in enumerate(rules):
        rule = progress.rule
        if progress.ended or not rule.selection.matches(passing):
            continue
        if rule.count is not None and progress.selected >= rule.skip + rule.count:
            continue
        standing[place] = replace(progress, selected=progress.selected + 1)
        if progress.selected >= rule.skip:
            by = place
            break
    releases = []
    if by is None or rules[by].rule.action is Action.REPEAT:
        for place, progress in enumerate(standing):
            if not progress.ended and progress.rule.until is not None and progress.rule.until.matches(passing):
                standing[place] = replace(progress, ended=True)
                releases.append(place)
    return Decision(by, tuple(releases), tuple(standing))
