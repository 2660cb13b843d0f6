# SPDX-License-Identifier: MIT
"""Every story is also told from afar: what is no breach on this machine must be none on another one."""

from __future__ import annotations

import pytest

from conformance.oracle.findings import Conclusion, Finding
from conformance.oracle.judging import judge
from conformance.trace.trace import Trace
from tests.oracle.afar import from_afar
from tests.oracle.story import Story

WAY_MS = 15
NOT_FROM_AFAR = ("after a time-out", "need_not_be_accepted_may_be")
"""An end of the IUT's own making, told while the peer's reset is on its way to it: from afar nobody can tell that from
one that is told after it. Parts of the ids of tests."""


def violated(trace: Trace) -> set[str]:
    return {finding.requirement for finding in judge(trace) if finding.outcome is Conclusion.VIOLATED}


@pytest.fixture(autouse=True)
def told_from_afar_too(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever story a test judges, no further requirement may be violated where it is told from afar."""
    if any(part in request.node.nodeid for part in NOT_FROM_AFAR):
        return
    near = Story.judge

    def judged(story: Story, requirement: str) -> list[Finding]:
        afar = from_afar(story.trace(), WAY_MS)
        if afar is not None:
            assert violated(afar) <= violated(story.trace()), "more is violated where the same is seen from afar"
        return near(story, requirement)

    monkeypatch.setattr(Story, "judge", judged)
