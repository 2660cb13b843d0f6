# SPDX-License-Identifier: MIT
"""Progress: few plain lines where nobody watches, a bar where somebody does."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from conformance.oracle.verdicts import Verdict
from conformance.reporting.progress import Progress


def plain(total: int, bad: tuple[int, ...] = (), stop: int | None = None) -> list[str]:
    file = io.StringIO()
    progress = Progress(False, file=file)
    progress.start(total)
    for number in range(total if stop is None else stop):
        progress.finished(f"case {number}", "kernel-tcp", Verdict.FAIL if number in bad else Verdict.PASS, 0.25)
    progress.close()
    progress.close()
    return file.getvalue().splitlines()


def test_plain_lines_tell_of_each_tenth() -> None:
    lines = plain(1000)
    assert lines[0] == "running 1000 cases"
    assert len(lines) == 11
    assert lines[1].startswith("100 of 1000, 0 bad")
    assert lines[-1].startswith("ran 1000 of 1000 cases in ")


def test_a_failure_is_told_as_it_comes() -> None:
    lines = plain(4, bad=(2,))
    assert "fail: case 2 (kernel-tcp, 0.2 s)" in lines
    assert lines[-1].endswith("1 bad")


def test_a_run_that_was_cut_short_says_how_far_it_came() -> None:
    assert plain(10, stop=3)[-1].startswith("ran 3 of 10 cases")


def test_a_run_that_never_started_says_nothing() -> None:
    file = io.StringIO()
    Progress(False, file=file).close()
    assert file.getvalue() == ""


def test_a_message_of_several_lines_stays_so() -> None:
    file = io.StringIO()
    Progress(False, file=file).message("cannot collect:\nwhy\r")
    assert file.getvalue() == "cannot collect:\nwhy\n"


@pytest.mark.parametrize("terminal", [False, True])
def test_a_message_cannot_move_the_cursor(terminal: bool) -> None:
    file = io.StringIO()
    progress = Progress(terminal, file=file)
    progress.start(3)
    progress.message("[red]hello\x1b[2J")
    progress.finished("one\x1b[2J", "mine", "error", 0.0)
    progress.close()
    assert "[red]hello\\x1b[2J" in file.getvalue()
    assert "\x1b[2J" not in file.getvalue()


def test_the_bar_counts_and_shows_what_is_bad() -> None:
    file = io.StringIO()
    progress = Progress(True, file=file)
    progress.start(3)
    progress.finished("one", "kernel-tcp", Verdict.FAIL, 0.1)
    progress.finished("two", "kernel-tcp", Verdict.PASS, 0.1)
    progress.close()
    assert "2/3" in file.getvalue()
    assert "1 bad" in file.getvalue()


def test_it_keeps_a_standard_error_of_its_own(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    progress = Progress(False)
    saved = os.dup(2)
    with (tmp_path / "taken").open("w") as taken:  # what pytest does while a case runs
        os.dup2(taken.fileno(), 2)
    progress.start(1)
    progress.close()
    os.dup2(saved, 2)
    os.close(saved)
    assert capfd.readouterr().err.startswith("running 1 case\nran 0 of 1 case")


def test_what_is_excused_is_not_bad() -> None:
    file = io.StringIO()
    progress = Progress(False, file=file)
    progress.start(1)
    progress.finished("one", "kernel-tcp", Verdict.FAIL, 0.1, excused=True)
    progress.close()
    assert "fail: one" not in file.getvalue()
    assert "0 bad" in file.getvalue()
