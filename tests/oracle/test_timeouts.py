# SPDX-License-Identifier: MIT
"""The judges of a peer that falls silent, on hand-written traces."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.oracle.findings import Conclusion
from conformance.trace.events import Fate
from tests.oracle.story import IUT, MS, PEER, Story, statement

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


def sends_in_vain(*offsets_ms: float, timeout: int = 300, length: int = 5) -> tuple[Story, int]:
    """What the IUT sends once and then again, so many milliseconds after the first time, which is told too."""
    story = Story()
    story.iut.call("set_option", name="USER_TIMEOUT", value=timeout)
    story.segment(IUT, "PA", length)
    sent = story.now
    story.segment(PEER, "A", fate=Fate.DROPPED)
    for offset_ms in offsets_ms:
        forward(story, sent, offset_ms)
        story.segment(IUT, "PA", length, start=0)
    return story, sent


def forward(story: Story, since: int, ms: float) -> None:
    """The next thing that is told comes so long after that."""
    story.now = since + int((ms - 1) * MS)


def waits_until(story: Story, since: int, ms: float) -> None:
    """The IUT waits for nothing until so long after that."""
    call = story.iut.begin("recv", length=5)
    forward(story, since, ms)
    story.iut.finish(call, timeout=True)


@pytest.mark.parametrize(("ms", "expected"), [(299, NOTHING), (300, NOTHING), (300.001, SATISFIED)])
def test_what_is_acknowledged_within_the_user_time_out_was_no_silence(ms: float, expected: set[Conclusion]) -> None:
    story, sent = sends_in_vain()
    forward(story, sent, ms)
    story.segment(PEER, "A")
    story.iut.recv(error="ETIMEDOUT")
    assert story.conclusions("WIRE-TMO-01") == expected


@pytest.mark.parametrize(("ack", "expected"), [(0, SATISFIED), (5, SATISFIED), (6, NOTHING)])
def test_a_fin_wants_an_acknowledgement_too(ack: int, expected: set[Conclusion]) -> None:
    story = unanswered(flags="FPA")
    story.segment(PEER, "A", ack=ack)
    story.iut.recv(error="ETIMEDOUT", takes=700)
    assert story.conclusions("WIRE-TMO-01") == expected


def test_of_two_segments_the_second_is_not_acknowledged() -> None:
    story = Story()
    story.iut.call("set_option", name="USER_TIMEOUT", value=300)
    story.data(IUT, 5)
    story.segment(IUT, "PA", 5)
    story.iut.recv(error="ETIMEDOUT", takes=700)
    assert story.conclusions("WIRE-TMO-01") == SATISFIED


@pytest.mark.parametrize("flags", ["A", "R", "RPA"])
def test_what_wants_no_acknowledgement(flags: str) -> None:
    story = Story()
    story.iut.call("set_option", name="USER_TIMEOUT", value=300)
    story.segment(IUT, flags, 5 if "P" in flags else 0)
    story.iut.recv(0, takes=700)
    assert story.conclusions("WIRE-TMO-01") == NOTHING


@pytest.mark.parametrize(
    "option",
    [{"name": "KEEPALIVE", "value": 300}, {"name": "USER_TIMEOUT", "value": 0}, {"error": "EINVAL"}],
)
def test_a_user_time_out_that_is_not_set(option: dict[str, Any]) -> None:
    story = Story()
    options: dict[str, Any] = {"name": "USER_TIMEOUT", "value": 300} | option
    story.iut.call("set_option", **options)
    story.segment(IUT, "PA", 5)
    story.iut.recv(0, takes=700)
    assert story.conclusions("WIRE-TMO-01") == NOTHING


def test_data_that_was_sent_before_the_user_time_out_was_set() -> None:
    story = Story()
    story.segment(IUT, "PA", 5)
    story.segment(PEER, "A", fate=Fate.DROPPED)
    story.iut.call("set_option", name="USER_TIMEOUT", value=300)
    story.iut.recv(0, takes=700)
    assert story.conclusions("WIRE-TMO-01") == NOTHING


def test_a_peer_that_ended_was_not_silent() -> None:
    story = unanswered()
    story.segment(PEER, "FA", ack=0)
    story.iut.recv(0, takes=700)
    assert story.conclusions("WIRE-TMO-01") == NOTHING


def test_the_first_word_since_the_option_counts() -> None:
    story = Story()
    story.iut.get_error("EWEIRD")
    unanswered(story)
    story.iut.recv(error="ETIMEDOUT", takes=700)
    story.iut.recv(0)
    assert story.conclusions("WIRE-TMO-01") == SATISFIED


def test_a_word_after_the_implementation_died_is_nobodys() -> None:
    story = unanswered()
    story.wait(500)
    story.iut.dies()
    story.iut.get_error("ECONNRESET")
    assert story.conclusions("WIRE-TMO-01") == NOTHING


@pytest.mark.parametrize(
    ("offsets_ms", "expected"),
    [
        ((100, 200, 600), UNDETERMINED),
        ((100, 200, 600.001), VIOLATED),
        ((100, 700), UNDETERMINED),  # the second may be the first that is beyond it
        ((100, 700, 800), VIOLATED),
        ((100, 200, 300, 700), VIOLATED),
    ],
)
def test_retransmitting_for_twice_the_user_time_out(offsets_ms: tuple[float, ...], expected: set[Conclusion]) -> None:
    story, sent = sends_in_vain(*offsets_ms)
    waits_until(story, sent, 1000)
    assert story.conclusions("WIRE-TMO-01") == expected


@pytest.mark.parametrize(
    ("offsets_ms", "until_ms", "expected"),
    [
        ((100,), 5099.999, UNDETERMINED),
        ((100,), 5100, VIOLATED),
        ((2000,), 7999.999, UNDETERMINED),  # three times as long as it took before
        ((2000,), 8000, VIOLATED),
        ((2000, 2100), 8099.999, UNDETERMINED),
        ((2000, 2100), 8100, VIOLATED),
        ((), 60_000, UNDETERMINED),  # nobody knows its retransmission time
    ],
)
def test_a_retransmission_must_have_been_due(
    offsets_ms: tuple[float, ...], until_ms: float, expected: set[Conclusion]
) -> None:
    story, sent = sends_in_vain(*offsets_ms)
    waits_until(story, sent, until_ms)
    assert story.conclusions("WIRE-TMO-01") == expected


@pytest.mark.parametrize(("until_ms", "expected"), [(8000, UNDETERMINED), (8000.001, VIOLATED)])
def test_no_breach_within_twice_the_user_time_out(until_ms: float, expected: set[Conclusion]) -> None:
    story, sent = sends_in_vain(100, timeout=4000)
    waits_until(story, sent, until_ms)
    assert story.conclusions("WIRE-TMO-01") == expected


@pytest.mark.parametrize("what", ["later data", "a reset", "an acknowledgement", "the harness's copy"])
def test_what_is_no_retransmission(what: str) -> None:
    story, sent = sends_in_vain(100, 200)
    forward(story, sent, 700)
    match what:
        case "later data":
            story.segment(IUT, "PA", 5)
        case "a reset":
            story.segment(IUT, "RPA", 5, start=0)
        case "an acknowledgement":
            story.segment(IUT, "A", start=0)
        case "the harness's copy":
            story.segment(IUT, "PA", 5, start=0, fate=Fate.REPEATED)
    waits_until(story, sent, 1000)
    assert story.conclusions("WIRE-TMO-01") == UNDETERMINED


@pytest.mark.parametrize("start", [0, 3])
def test_a_retransmission_may_be_cut_otherwise(start: int) -> None:
    story = Story()
    story.iut.call("set_option", name="USER_TIMEOUT", value=300)
    story.data(IUT, 3)
    story.segment(IUT, "PA", 5)
    for ms in (100, 200, 700):
        story.wait(ms)
        story.segment(IUT, "PA", 1 + 3 - start, start=start)
    story.iut.recv(timeout=True, takes=100)
    assert story.conclusions("WIRE-TMO-01") == VIOLATED


def test_a_fin_that_is_retransmitted() -> None:
    story = Story()
    story.iut.call("set_option", name="USER_TIMEOUT", value=300)
    story.segment(IUT, "FA")
    for ms in (100, 200, 700):
        story.wait(ms)
        story.segment(IUT, "FA", start=0)
    story.iut.recv(timeout=True, takes=100)
    assert story.conclusions("WIRE-TMO-01") == VIOLATED


def test_what_overlaps_it_and_came_before_is_no_retransmission() -> None:
    story = Story()
    story.iut.call("set_option", name="USER_TIMEOUT", value=300)
    story.data(IUT, 5)
    story.segment(IUT, "PA", 5, start=3)
    for ms in (100, 600):
        story.wait(ms)
        story.segment(IUT, "PA", 5, start=3)
    story.iut.recv(timeout=True, takes=100)
    assert story.conclusions("WIRE-TMO-01") == UNDETERMINED


def test_a_look_before_the_data_or_before_the_breach_shows_nothing() -> None:
    story = Story()
    story.iut.call("set_option", name="USER_TIMEOUT", value=300)
    story.iut.recv(timeout=True, takes=900)
    story.segment(IUT, "PA", 5)
    story.wait(900)
    assert story.conclusions("WIRE-TMO-01") == NOTHING
    story, sent = sends_in_vain(100, 200)
    waits_until(story, sent, 600)
    for ms in (700, 800):
        forward(story, sent, ms)
        story.segment(IUT, "PA", 5, start=0)
    assert story.conclusions("WIRE-TMO-01") == UNDETERMINED
    waits_until(story, sent, 900)
    assert story.conclusions("WIRE-TMO-01") == VIOLATED


def test_what_is_retransmitted_as_the_look_ends_counts() -> None:
    story, sent = sends_in_vain(100, 200)
    call = story.iut.begin("recv", length=5)
    forward(story, sent, 700)
    story.segment(IUT, "PA", 5, start=0)
    forward(story, sent, 700)
    story.iut.finish(call, timeout=True)
    assert story.conclusions("WIRE-TMO-01") == VIOLATED


@pytest.mark.parametrize(("asked_ms", "expected"), [(5099, UNDETERMINED), (5100, VIOLATED)])
def test_a_call_that_would_block_looked_when_it_was_made(asked_ms: int, expected: set[Conclusion]) -> None:
    story, sent = sends_in_vain(100)
    story.iut.nonblocking()
    forward(story, sent, asked_ms)
    story.iut.recv(error="EAGAIN", takes=2000)
    assert story.conclusions("WIRE-TMO-01") == expected


def test_the_last_look_is_shown_where_none_decides() -> None:
    story, sent = sends_in_vain()
    for ms in (1000, 2000):
        waits_until(story, sent, ms)
    (finding,) = story.judge("WIRE-TMO-01")
    assert finding.outcome is Conclusion.UNDETERMINED
    assert story.history().connections[0].iut.operations[-1].events == finding.events[-2:]


def test_data_that_the_iut_reads_is_no_look_in_vain() -> None:
    story, _ = sends_in_vain(100, 200, 700)
    story.segment(PEER, "PA", 5, ack=0)
    story.iut.recv(5)
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


def test_keepalive_of_a_connection_that_never_carried_anything() -> None:
    story = Story()
    story.iut.call("set_option", name="KEEPALIVE", value=1)
    story.wait(1000)
    story.segment(IUT, "A", start=-1)
    story.iut.recv(error="ETIMEDOUT")
    assert story.conclusions("WIRE-TMO-02") == SATISFIED


@pytest.mark.parametrize("what", ["before the option", "no probe", "octets", "an octet", "a FIN", "copies", "resets"])
def test_what_is_no_failed_keepalive(what: str) -> None:
    story = Story()
    story.data(IUT, 5)
    if what == "before the option":
        story.segment(IUT, "A", start=4)
        story.segment(PEER, "A", fate=Fate.DROPPED)
    story.iut.call("set_option", name="KEEPALIVE", value=1)
    match what:
        case "no probe":
            story.segment(IUT, "A", start=5)
        case "octets":
            story.segment(IUT, "PA", 2, start=4)
        case "an octet":
            story.segment(IUT, "PA", 1)
        case "a FIN":
            story.segment(IUT, "FA", start=4)
        case "copies":
            story.segment(IUT, "A", start=4, fate=Fate.REPEATED)
        case "resets":
            story.segment(IUT, "R", start=4)
    story.iut.recv(0)
    assert story.conclusions("WIRE-TMO-02") == NOTHING


@pytest.mark.parametrize(("flags", "length"), [("FA", 0), ("PA", 5), ("PA", 1)])
def test_probes_are_not_all_that_nobody_answers(flags: str, length: int) -> None:
    story = probed()
    story.segment(IUT, flags, length)
    story.iut.recv(0)
    assert story.conclusions("WIRE-TMO-02") == NOTHING


def test_an_acknowledgement_among_the_probes_changes_nothing() -> None:
    story = probed()
    story.segment(IUT, "A")
    story.iut.recv(0)
    assert story.conclusions("WIRE-TMO-02") == VIOLATED


def test_a_probe_may_be_seen_late() -> None:
    story = probed()
    story.iut.recv(error="ETIMEDOUT")
    story.segment(IUT, "A", start=4)
    assert story.conclusions("WIRE-TMO-02") == SATISFIED


def test_only_probes_since_the_last_answer_count() -> None:
    story = probed()
    story.segment(PEER, "A")
    story.iut.recv(timeout=True, takes=500)
    assert story.conclusions("WIRE-TMO-02") == NOTHING
    story.segment(IUT, "A", start=4)
    story.iut.recv(error="ETIMEDOUT")
    (finding,) = story.judge("WIRE-TMO-02")
    assert finding.outcome is Conclusion.SATISFIED
    assert finding.because.startswith("1 keep-alive probes")


@pytest.mark.parametrize("when", ["before the option", "before the probes", "after the death"])
def test_a_word_that_has_nothing_to_do_with_the_probes(when: str) -> None:
    story = Story()
    story.data(IUT, 5)
    if when == "before the option":
        story.iut.get_error("ECONNRESET")
    story.iut.call("set_option", name="KEEPALIVE", value=1)
    if when == "before the probes":
        story.iut.get_error("ECONNRESET")
    story.segment(IUT, "A", start=4)
    if when == "after the death":
        story.iut.dies()
        story.iut.get_error("ECONNRESET")
    story.iut.recv(timeout=True, takes=500)
    assert story.conclusions("WIRE-TMO-02") == (UNDETERMINED if when == "before the option" else NOTHING)


def test_a_runtime_may_name_the_failure_as_it_likes_but_not_an_end() -> None:
    for error, expected in (("EWEIRD", SATISFIED), ("", VIOLATED)):
        story = probed(Story(RUNTIME, wire=True))
        story.iut.recv(error=error)
        assert story.conclusions("WIRE-TMO-02") == expected
