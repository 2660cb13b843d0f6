# SPDX-License-Identifier: MIT
"""The judges of a peer that falls silent, on hand-written traces."""

from __future__ import annotations

import pytest

from conformance.oracle.findings import Conclusion
from conformance.trace.events import Fate
from tests.oracle.story import IUT, PEER, Story, statement

SATISFIED, VIOLATED, UNDETERMINED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}, {Conclusion.UNDETERMINED}
NOTHING: set[Conclusion] = set()
WINSOCK = statement(family="winsock-api", platform="windows")
RUNTIME = statement(family="runtime")


# --- WIRE-TMO-01 ------------------------------------------------------------------------------------------------------


def unanswered(story: Story | None = None, *, flags: str = "PA", length: int = 5) -> Story:
    """The user time-out is 300 ms, and what the IUT sends is never acknowledged."""
    story = story or Story()
    story.iut.call("set_option", name="USER_TIMEOUT", value=300)
    story.segment(IUT, flags, length)
    story.segment(PEER, "A", fate=Fate.DROPPED)
    story.segment(IUT, flags, length, start=0)
    return story


@pytest.mark.parametrize(("flags", "length"), [("PA", 5), ("FA", 0), ("FPA", 5)])
def test_the_user_time_out_is_told_as_an_abort(flags: str, length: int) -> None:
    story = unanswered(flags=flags, length=length)
    story.iut.recv(error="ETIMEDOUT", takes=700)
    assert story.conclusions("WIRE-TMO-01") == SATISFIED


def test_the_user_time_out_with_a_reset_of_the_iut() -> None:
    story = unanswered()
    story.wait(500)
    story.rst(IUT)
    story.iut.recv(error="ETIMEDOUT")
    assert story.conclusions("WIRE-TMO-01") == SATISFIED


@pytest.mark.parametrize("error", ["", "ECONNRESET", "ECONNABORTED"])
def test_the_user_time_out_is_told_as_something_else(error: str) -> None:
    story = unanswered()
    story.iut.recv(error=error, takes=700)
    assert story.conclusions("WIRE-TMO-01") == VIOLATED


def test_winsock_and_runtimes_have_names_of_their_own() -> None:
    for claim, error in ((WINSOCK, "WSAECONNABORTED"), (RUNTIME, "EWEIRD")):
        story = unanswered(Story(claim, wire=True))
        story.iut.recv(error=error, takes=700)
        assert story.conclusions("WIRE-TMO-01") == SATISFIED


def test_the_user_time_out_is_never_told() -> None:
    story = unanswered()
    story.iut.recv(timeout=True, takes=4000)
    assert story.conclusions("WIRE-TMO-01") == UNDETERMINED
    story.iut.recv(timeout=True, takes=4000)
    assert story.conclusions("WIRE-TMO-01") == VIOLATED


def test_retransmitting_beyond_the_user_time_out() -> None:
    story = unanswered()
    for _ in range(2):
        story.wait(400)
        story.segment(IUT, "PA", 5, start=0)
    story.iut.recv(timeout=True, takes=100)
    assert story.conclusions("WIRE-TMO-01") == VIOLATED


def test_slow_retransmission_delays_the_user_time_out() -> None:
    story = Story()
    story.iut.call("set_option", name="USER_TIMEOUT", value=300)
    story.segment(IUT, "PA", 5)
    story.wait(4000)
    story.segment(IUT, "PA", 5, start=0)
    story.iut.recv(timeout=True, takes=8000)
    assert story.conclusions("WIRE-TMO-01") == UNDETERMINED


def test_a_time_out_that_was_told_before_the_harness_saw_the_data() -> None:
    story = Story()
    story.iut.call("set_option", name="USER_TIMEOUT", value=300)
    story.iut.recv(error="ETIMEDOUT", takes=700)
    story.segment(IUT, "PA", 5)
    story.iut.recv(0)
    assert story.conclusions("WIRE-TMO-01") == NOTHING


@pytest.mark.parametrize("case", ["acknowledged", "no option", "peer ended", "peer reset", "own shutdown"])
def test_no_user_time_out_to_tell_of(case: str) -> None:
    story = Story() if case == "no option" else unanswered()
    match case:
        case "acknowledged":
            story.segment(PEER, "A", ack=5)
        case "no option":
            story.segment(IUT, "PA", 5)
        case "peer ended":
            story.fin(PEER)
        case "peer reset":
            story.rst(PEER)
        case "own shutdown":
            waiting = story.iut.begin("recv", length=5)
            story.iut.shutdown("both")
            story.iut.finish(waiting, length=0)
    if case != "own shutdown":
        story.iut.recv(0, takes=700)
    assert story.conclusions("WIRE-TMO-01") == NOTHING


# --- WIRE-TMO-02 ------------------------------------------------------------------------------------------------------


def probed(story: Story | None = None, *, length: int = 0) -> Story:
    """Keep-alive probes that nobody answers, after some data that was acknowledged."""
    story = story or Story()
    story.data(IUT, 5)
    story.iut.call("set_option", name="KEEPALIVE", value=1)
    for _ in range(2):
        story.wait(1000)
        story.segment(IUT, "A", length, start=4)
        story.segment(PEER, "A", fate=Fate.DROPPED)
    return story


@pytest.mark.parametrize("length", [0, 1])
@pytest.mark.parametrize("resets", [False, True])
def test_failed_keepalive_is_told_as_an_abort(length: int, resets: bool) -> None:
    story = probed(length=length)
    if resets:
        story.rst(IUT)
    story.iut.recv(error="ETIMEDOUT")
    assert story.conclusions("WIRE-TMO-02") == SATISFIED


def test_failed_keepalive_is_told_as_an_end() -> None:
    story = probed()
    story.iut.recv(0)
    assert story.conclusions("WIRE-TMO-02") == VIOLATED


def test_winsock_has_more_names_for_it() -> None:
    story = probed(Story(WINSOCK, wire=True))
    story.iut.recv(error="WSAENETRESET")
    assert story.conclusions("WIRE-TMO-02") == SATISFIED


def test_failed_keepalive_is_not_told_in_the_time_that_was_given() -> None:
    story = probed()
    story.iut.recv(timeout=True, takes=1500)
    assert story.conclusions("WIRE-TMO-02") == UNDETERMINED


@pytest.mark.parametrize("case", ["answered", "no option", "data", "peer reset"])
def test_no_keepalive_that_failed(case: str) -> None:
    story = Story()
    if case == "no option":
        story.segment(IUT, "A", start=-1)
    else:
        probed(story)
    match case:
        case "answered":
            story.segment(PEER, "A")
        case "data":
            story.segment(IUT, "PA", 5)
        case "peer reset":
            story.rst(PEER)
    story.iut.recv(error="ETIMEDOUT")
    assert story.conclusions("WIRE-TMO-02") == NOTHING
