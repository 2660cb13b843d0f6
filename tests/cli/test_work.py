# SPDX-License-Identifier: MIT
"""What long work tells on standard error, and how signals end it."""

from __future__ import annotations

import os
import signal

import pytest

from conformance.cli.work import Steps, ended_like_ctrl_c

Captured = pytest.CaptureFixture[str]


def test_a_line_as_each_step_begins(capsys: Captured) -> None:
    with Steps() as steps:
        for done in range(1, 4):
            steps("packing", done, 3)
        steps("judging", 1, 1)
    assert capsys.readouterr().err == "packing …\njudging …\n"


def test_a_long_step_says_how_far_it_is(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with Steps() as steps:
        for done in range(1, 13):
            now[0] += 1.0
            steps("packing", done, 12)
    assert capsys.readouterr().err == "packing …\npacking: 7 of 12\n"


def test_a_bar_on_a_terminal(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with Steps() as steps:
        steps("packing", 1, 2)
        steps("making the report", 0, 0)
        steps("judging", 2, 2)
    assert "packing …" not in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_end_the_work_like_ctrl_c_and_no_longer_than_it_lasts(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), ended_like_ctrl_c():
        os.kill(os.getpid(), number)
        signal.pause()
    assert signal.getsignal(number) is before
