# SPDX-License-Identifier: MIT
"""A session that is interrupted while it ends writes what it has, and says afterwards that it was interrupted."""

from __future__ import annotations

import signal

import pytest

from conformance.session.interrupting import LastWords


def ending(*signals: int) -> tuple[list[str], bool]:
    """The end of a session that is interrupted so often: what it did, and whether it was interrupted in the end."""
    did: list[str] = []
    finish = LastWords().pytest_sessionfinish()
    next(finish)
    try:
        try:
            for number in signals:
                signal.raise_signal(number)
                did.append("went on")
            did.append("written")
        except KeyboardInterrupt as problem:
            finish.throw(problem)
        finish.send(None)
    except StopIteration:
        return did, False
    except KeyboardInterrupt:
        return did, True
    raise AssertionError


def test_nobody_interrupts() -> None:
    assert ending() == (["written"], False)


def test_one_interrupt_waits() -> None:
    assert ending(signal.SIGINT) == (["went on", "written"], True)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_second_is_heard_at_once() -> None:
    assert ending(signal.SIGINT, signal.SIGINT) == (["went on"], True)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_signal_that_means_something_else_is_left_alone() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        assert ending(signal.SIGTERM) == (["went on", "written"], False)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_is_to_be_like_ctrl_c_is(number: int) -> None:
    before = signal.signal(number, signal.default_int_handler)
    try:
        assert ending(number) == (["went on", "written"], True)
    finally:
        signal.signal(number, before)
