# SPDX-License-Identifier: MIT
"""What a session that was cut short had finished is read from its evidence, and from nothing else."""

from __future__ import annotations

import os
import time
from pathlib import Path

from conformance.oracle.verdicts import Verdict
from conformance.session.recovery import recovered
from tests.reporting.runs import BAD, GOOD, bad_story, good_story, keep, named


def test_what_did_not_arrive_is_judged_from_its_evidence(tmp_path: Path) -> None:
    arrived = keep(named(good_story(), GOOD), tmp_path)
    lost = keep(named(bad_story(), BAD), tmp_path)
    ((result, provider),) = recovered(tmp_path, "evidence", {arrived.evidence}, 0)
    assert (result.id, result.evidence, result.verdict) == (BAD, lost.evidence, Verdict.FAIL)
    assert result.findings == lost.findings
    assert (provider.name, provider.settle_ms > 0, provider.problem) == ("kernel-tcp", True, "")


def test_evidence_from_before_is_not_of_this_session(tmp_path: Path) -> None:
    old = keep(named(good_story(), GOOD), tmp_path)
    began = time.time_ns()
    os.utime(tmp_path / old.evidence, ns=(began - 1, began - 1))
    assert list(recovered(tmp_path, "evidence", (), began)) == []
    os.utime(tmp_path / old.evidence, ns=(began, began))
    assert len(list(recovered(tmp_path, "evidence", (), began))) == 1


def test_what_is_not_whole_or_not_a_cases_is_none(tmp_path: Path) -> None:
    path = tmp_path / keep(named(good_story(), GOOD), tmp_path).evidence
    control = tmp_path / "evidence" / "control" / "mutant" / "control.jsonl"
    control.parent.mkdir(parents=True)
    control.write_bytes(path.read_bytes())  # the negative control's is no case of the run
    path.write_bytes(path.read_bytes()[:-9])
    assert list(recovered(tmp_path, "evidence", (), 0)) == []
    assert list(recovered(tmp_path / "nowhere", "evidence", (), 0)) == []
