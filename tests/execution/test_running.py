# SPDX-License-Identifier: MIT
"""Running a case: a link that was watched and showed nothing proves nothing."""

import pytest

from conformance.execution import planning, profile, running
from conformance.execution.connection import Connection
from conformance.execution.running import Case
from conformance.execution.stage import Stage
from conformance.oracle.results import judge_case
from conformance.oracle.verdicts import Verdict
from conformance.wire.errors import TopologyUnavailable
from conformance.wire.tap import Tap


def peer_ends(connection: Connection) -> None:
    connection.peer.shutdown("send")
    connection.iut.read_to_the_end()


@pytest.mark.parametrize(
    ("method", "answer", "verdict"),
    [("segments", [], Verdict.INCONCLUSIVE), ("flush", False, Verdict.INCONCLUSIVE), ("", None, Verdict.PASS)],
)
def test_a_capture_that_saw_nothing_or_not_all_is_no_evidence(
    monkeypatch: pytest.MonkeyPatch, method: str, answer: object, verdict: Verdict
) -> None:
    if method:
        monkeypatch.setattr(Tap, method, lambda self: answer)
    stage = Stage()
    try:
        provider = planning.meet(profile.find("kernel-tcp"), stage, "loopback")
        case = Case("blind", provider, "loopback", ("IND-STREAM-01",), peer_ends, {})
        trace, _ = running.run(case, stage)
    except TopologyUnavailable as problem:
        pytest.skip(str(problem))
    finally:
        stage.close()
    assert trace.header.wire
    assert judge_case(trace).verdict is verdict
