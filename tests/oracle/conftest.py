# SPDX-License-Identifier: MIT
"""Every story is also told from afar, and by a coarse clock: what is no breach here must be none there."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from conformance.oracle.findings import Conclusion, Finding
from conformance.oracle.judging import judge
from conformance.trace.trace import Trace
from tests.oracle.afar import from_afar
from tests.oracle.coarse import without_duration, without_pauses
from tests.oracle.story import Story

WAY_MS = 15
NOT_FROM_AFAR = ("after a time-out", "need_not_be_accepted_may_be")
"""An end of the IUT's own making, told while the peer's reset is on its way to it: from afar nobody can tell that from
one that is told after it. Parts of the ids of tests."""


def violated(findings: Sequence[Finding]) -> set[str]:
    return {finding.requirement for finding in findings if finding.outcome is Conclusion.VIOLATED}


def judged_whole(trace: Trace) -> tuple[Finding, ...]:
    """What all judges find; that none of them breaks is asked of every story."""
    findings = judge(trace)
    assert trace.header.problem or [f for f in findings if f.outcome is Conclusion.ERROR] == []
    return findings


@pytest.fixture(autouse=True)
def told_otherwise_too(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever story a test judges, no further requirement may be violated where it is told otherwise."""
    if "broken_judge" in request.fixturenames:
        return
    anywhere = not any(part in request.node.nodeid for part in NOT_FROM_AFAR)

    def judged(story: Story, requirement: str) -> list[Finding]:
        near = judged_whole(story.trace())
        afar = from_afar(story.trace(), WAY_MS) if anywhere else None
        if afar is not None:
            more = violated(judged_whole(afar)) - violated(near)
            assert not more, "more is violated where the same is seen from afar"
        for coarsely in (without_duration, without_pauses):
            more = violated(judged_whole(coarsely(story.trace()))) - violated(near)
            assert not more, "more is violated where a clock cannot tell apart what happened"
        return [finding for finding in near if finding.requirement == requirement]

    monkeypatch.setattr(Story, "judge", judged)
