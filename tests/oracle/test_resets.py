# SPDX-License-Identifier: MIT
"""The judges of resets on the wire, on hand-written traces from both sides of each edge."""

from __future__ import annotations

import pytest

from conformance.oracle.findings import Conclusion
from conformance.oracle.judging import judge
from conformance.trace.events import Fate
from tests.oracle.coarse import without_duration
from tests.oracle.story import IUT, MS, PEER, WINDOWS_TCP, Story, statement

SATISFIED, VIOLATED, UNDETERMINED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}, {Conclusion.UNDETERMINED}
NOTHING: set[Conclusion] = set()
RUNTIME = statement(family="runtime")


# --- WIRE-ABRT-01 -----------------------------------------------------------------------------------------------------


def hard_closed(*, sent: int = 0, acked: bool = True) -> Story:
    story = Story()
    if sent:
        story.iut.send(sent)
        story.data(IUT, sent, acked=acked)
    story.iut.linger(0)
    story.iut.close()
    return story


@pytest.mark.parametrize("flags", ["R", "RA"])
@pytest.mark.parametrize("sent", [0, 5])
def test_abortive_close_resets(flags: str, sent: int) -> None:
    story = hard_closed(sent=sent)
    story.segment(IUT, flags)
    assert story.conclusions("WIRE-ABRT-01") == SATISFIED


@pytest.mark.parametrize(("start", "expected"), [(0, SATISFIED), (3, SATISFIED), (-1, VIOLATED), (6, VIOLATED)])
def test_sequence_number_of_the_reset(start: int, expected: set[Conclusion]) -> None:
    story = hard_closed(sent=5, acked=False)
    story.segment(IUT, "RA", start=start)
    assert story.conclusions("WIRE-ABRT-01") == expected


def test_reset_before_what_was_acknowledged() -> None:
    story = hard_closed(sent=5)
    story.segment(IUT, "RA", start=3)
    assert story.conclusions("WIRE-ABRT-01") == VIOLATED


def test_reset_that_the_capture_saw_before_the_last_data() -> None:
    story = Story()
    story.iut.send(5)
    story.iut.linger(0)
    story.iut.close()
    story.segment(IUT, "RA", start=5)
    story.segment(IUT, "PA", 5)
    assert story.conclusions("WIRE-ABRT-01") == SATISFIED


@pytest.mark.parametrize("reset", [False, True])
def test_abortive_close_sends_a_fin(reset: bool) -> None:
    story = hard_closed()
    story.fin(IUT)
    if reset:
        story.rst(IUT)
    assert story.conclusions("WIRE-ABRT-01") == VIOLATED


def test_abortive_close_sends_nothing() -> None:
    story = hard_closed()
    story.settle()
    assert story.conclusions("WIRE-ABRT-01") == NOTHING
    story.settle(1500)
    assert story.conclusions("WIRE-ABRT-01") == VIOLATED


@pytest.mark.parametrize("before", ["reset", "death", "time-out", "shutdown", "duplicate", "linger off", "linger 5"])
def test_a_close_that_is_no_abort_of_an_open_connection(before: str) -> None:
    story = Story()
    story.iut.linger(0)
    match before:
        case "reset":
            story.rst(PEER)
        case "death":
            story.iut.dies()
        case "time-out":
            story.iut.recv(error="ETIMEDOUT")
        case "shutdown":
            story.iut.shutdown()
            story.fin(IUT)
        case "duplicate":
            story.iut.call("duplicate", result={"socket": 4})
        case "linger off":
            story.iut.linger(0, on=False)
        case "linger 5":
            story.iut.linger(5)
    story.iut.close()
    story.settle(1500)
    assert story.conclusions("WIRE-ABRT-01") == NOTHING


def test_the_reset_of_a_connection_that_carried_nothing() -> None:
    story = hard_closed()
    story.segment(IUT, "R", start=1)
    assert story.conclusions("WIRE-ABRT-01") == VIOLATED


def test_a_fin_that_nobody_asked_for_is_not_the_closes() -> None:
    story = Story()
    story.fin(IUT)
    story.iut.linger(0)
    story.iut.close()
    story.rst(IUT)
    assert story.conclusions("WIRE-ABRT-01") == SATISFIED


def test_an_end_of_the_peers_does_not_disturb_an_abortive_close() -> None:
    story = Story()
    story.fin(PEER)
    story.iut.recv(0)
    story.iut.linger(0)
    story.iut.close()
    story.rst(IUT)
    assert story.conclusions("WIRE-ABRT-01") == SATISFIED


@pytest.mark.parametrize("answered", [False, True])
def test_the_peer_resets_before_an_abortive_close_does(answered: bool) -> None:
    story = hard_closed()
    story.rst(PEER)
    if answered:
        story.rst(IUT)
    story.settle(1500)
    assert story.conclusions("WIRE-ABRT-01") == NOTHING


@pytest.mark.parametrize(("ms", "expected"), [(999.999, NOTHING), (1000, VIOLATED)])
def test_how_long_the_reset_is_waited_for(ms: float, expected: set[Conclusion]) -> None:
    story = meddled(hard_closed())
    wait_for(story, closed_at(story), ms)
    assert story.conclusions("WIRE-ABRT-01") == expected


def meddled(story: Story) -> Story:
    """The harness kept an empty segment back: nobody can have seen this from afar."""
    story.segment(PEER, "A", fate=Fate.DROPPED)
    return story


def closed_at(story: Story) -> int:
    """When the IUT's close had returned."""
    closed = story.connection().iut.closed
    assert closed is not None
    return closed.last_at


def wait_for(story: Story, since: int, ms: float) -> None:
    """The harness watched for exactly so long after that."""
    forward(story, since, ms)
    story.note("settled")


def forward(story: Story, since: int, ms: float) -> None:
    """The next thing that is told comes so long after that."""
    story.now = since + int((ms - 1) * MS)


# --- WIRE-ABRT-02 -----------------------------------------------------------------------------------------------------


def unread(story: Story | None = None, *, acked: bool = True) -> Story:
    story = story or Story()
    story.peer.send(5)
    story.data(PEER, 5, acked=acked)
    return story


@pytest.mark.parametrize(("flags", "expected"), [("RA", SATISFIED), ("FA", VIOLATED)])
def test_close_with_unread_data(flags: str, expected: set[Conclusion]) -> None:
    story = unread()
    story.iut.close()
    story.segment(IUT, flags)
    if flags == "FA":
        story.rst(IUT)
    assert story.conclusions("WIRE-ABRT-02") == expected


def test_close_with_unread_data_and_nothing_seen() -> None:
    story = unread()
    story.iut.close()
    assert story.conclusions("WIRE-ABRT-02") == UNDETERMINED


@pytest.mark.parametrize("case", ["read", "peeked", "not acknowledged", "receiving", "runtime", "linger", "peer reset"])
def test_close_whose_data_may_have_been_read(case: str) -> None:
    story = unread(Story(RUNTIME) if case == "runtime" else None, acked=case != "not acknowledged")
    match case:
        case "read":
            story.iut.recv(5)
        case "peeked":
            story.iut.recv(5, flags=["PEEK"])
        case "receiving":
            story.iut.begin("recv", length=5)
        case "linger":
            story.iut.linger(0)
        case "peer reset":
            story.rst(PEER)
    story.iut.close()
    story.fin(IUT)
    assert story.conclusions("WIRE-ABRT-02") == (VIOLATED if case == "peeked" else NOTHING)


@pytest.mark.parametrize("first", ["the peer's reset", "death", "the fin"])
def test_what_is_first_after_a_close_with_unread_data(first: str) -> None:
    story = unread()
    story.iut.close()
    match first:
        case "the peer's reset":
            story.rst(PEER)
        case "death":
            story.iut.dies()
    story.fin(IUT, acked=False)
    story.rst(PEER)
    story.rst(IUT)
    assert story.conclusions("WIRE-ABRT-02") == (NOTHING if first == "the peer's reset" else VIOLATED)


def test_a_reset_of_the_peers_is_all_that_is_seen() -> None:
    story = unread()
    story.iut.close()
    story.rst(PEER)
    assert story.conclusions("WIRE-ABRT-02") == NOTHING


def test_receiving_was_given_up_before_the_close() -> None:
    story = unread()
    story.iut.shutdown("receive")
    story.iut.close()
    story.fin(IUT)
    assert story.conclusions("WIRE-ABRT-02") == NOTHING


@pytest.mark.parametrize("copied", [False, True])
def test_a_fin_before_the_close_is_not_its_own_nor_is_a_copy_of_it(copied: bool) -> None:
    story = unread()
    story.fin(IUT)
    story.iut.close()
    if copied:
        story.segment(IUT, "FA", start=0, fate=Fate.REPEATED)
    story.rst(IUT)
    assert story.conclusions("WIRE-ABRT-02") == SATISFIED


def test_a_close_after_a_shutdown_ends_nothing() -> None:
    story = unread()
    story.iut.shutdown()
    story.fin(IUT)
    story.iut.close()
    story.segment(IUT, "FA", start=0)
    assert story.conclusions("WIRE-ABRT-02") == NOTHING


def test_close_while_a_posted_receive_takes_the_data() -> None:
    story = Story()
    story.iut.call("post_recv", length=5, result={"token": "r1"})
    unread(story)
    story.iut.close()
    story.iut.completes("r1", 5)
    story.fin(IUT)
    assert story.conclusions("WIRE-ABRT-02") == NOTHING


# --- WIRE-ABRT-03 -----------------------------------------------------------------------------------------------------


def data_after_close(story: Story | None = None) -> Story:
    story = story or Story()
    story.iut.close()
    story.fin(IUT)
    story.peer.send(5)
    story.data(PEER, 5, acked=False)
    return story


def test_data_after_a_close_is_reset() -> None:
    story = data_after_close()
    story.rst(IUT)
    assert story.conclusions("WIRE-ABRT-03") == SATISFIED


def test_data_after_a_close_is_acknowledged() -> None:
    story = data_after_close()
    story.segment(IUT, "A")
    assert story.conclusions("WIRE-ABRT-03") == UNDETERMINED
    story.settle(1500)
    assert story.conclusions("WIRE-ABRT-03") == VIOLATED


@pytest.mark.parametrize(("ms", "expected"), [(999.999, UNDETERMINED), (1000, VIOLATED)])
def test_how_long_the_answer_is_waited_for(ms: float, expected: set[Conclusion]) -> None:
    story = meddled(data_after_close())
    came = next(p.at for p in story.connection().peer_to_iut.passages if p.segment.length)
    wait_for(story, came, ms)
    assert story.conclusions("WIRE-ABRT-03") == expected


@pytest.mark.parametrize(("ms", "expected"), [(500, UNDETERMINED), (1000, UNDETERMINED), (1000.001, VIOLATED)])
def test_the_peer_did_not_wait_for_the_answer_either(ms: float, expected: set[Conclusion]) -> None:
    story = meddled(data_after_close())
    came = next(p.at for p in story.connection().peer_to_iut.passages if p.segment.length)
    forward(story, came, ms)
    story.rst(PEER)
    story.rst(IUT)
    story.settle(1500)
    assert story.conclusions("WIRE-ABRT-03") == expected


def test_data_that_comes_before_the_fin_may_have_found_a_socket_that_lingers() -> None:
    story = Story()
    story.iut.close()
    story.peer.send(5)
    story.data(PEER, 5, acked=False)
    story.fin(IUT)
    story.rst(IUT)
    assert story.conclusions("WIRE-ABRT-03") == NOTHING


def test_data_that_comes_after_a_reset_is_nobodys() -> None:
    story = Story()
    story.iut.close()
    story.fin(IUT)
    story.rst(PEER)
    story.data(PEER, 5, acked=False)
    story.settle(1500)
    assert story.conclusions("WIRE-ABRT-03") == NOTHING


def test_the_first_data_after_the_close_is_shown() -> None:
    story = Story()
    story.iut.close()
    story.fin(IUT)
    for _ in range(2):
        story.data(PEER, 5, acked=False)
    story.rst(IUT)
    (finding,) = story.judge("WIRE-ABRT-03")
    connection = story.connection()
    first = next(p for p in connection.peer_to_iut.passages if p.segment.length)
    assert connection.iut.closed is not None
    shown = (*connection.iut.closed.events, *first.events, *connection.iut_to_peer.resets[0].events)
    assert (finding.outcome, finding.events) == (Conclusion.SATISFIED, shown)


def test_data_that_came_again_after_a_close_is_not_new() -> None:
    story = Story()
    story.peer.send(5)
    story.data(PEER, 5)
    story.iut.recv(5)
    story.iut.close()
    story.fin(IUT)
    story.segment(PEER, "PA", 5, start=0)
    story.segment(IUT, "A")
    story.settle(1500)
    assert story.conclusions("WIRE-ABRT-03") == NOTHING


def test_the_acknowledgement_of_the_last_fin_is_no_data() -> None:
    story = Story()
    story.peer.shutdown("send")
    story.fin(PEER)
    story.iut.recv(0)
    story.iut.close()
    story.fin(IUT)
    story.settle(1500)
    assert story.conclusions("WIRE-ABRT-03") == NOTHING


@pytest.mark.parametrize("how", ["shutdown", "abort", "death", "duplicate"])
def test_data_that_does_not_meet_a_full_graceful_close(how: str) -> None:
    story = Story()
    match how:
        case "shutdown":
            story.iut.shutdown()
        case "abort":
            story.iut.linger(0)
            story.iut.close()
        case "death":
            story.iut.dies()
        case "duplicate":
            story.iut.call("duplicate", result={"socket": 4})
            story.iut.close()
    if how == "abort":
        story.segment(PEER, "PA", 5)
        story.rst(IUT)  # seen late by the harness: it is that of the close
    else:
        story.fin(IUT)
        story.data(PEER, 5)
    story.settle(1500)
    assert story.conclusions("WIRE-ABRT-03") == NOTHING


# --- WIRE-ABRT-04 -----------------------------------------------------------------------------------------------------


def test_shutdown_with_unread_data_sends_a_fin() -> None:
    story = unread()
    story.iut.shutdown()
    story.fin(IUT)
    story.iut.close()
    story.rst(IUT)
    assert story.conclusions("WIRE-ABRT-04") == SATISFIED


@pytest.mark.parametrize("fin", [False, True])
def test_shutdown_with_unread_data_resets(fin: bool) -> None:
    story = unread()
    story.iut.shutdown()
    if fin:
        story.fin(IUT)
    story.rst(IUT)
    assert story.conclusions("WIRE-ABRT-04") == VIOLATED


@pytest.mark.parametrize("how", [1, "send_disconnect"])
@pytest.mark.parametrize(("flags", "expected"), [("FA", SATISFIED), ("RA", VIOLATED)])
def test_other_ways_to_shut_down_sending(how: int | str, flags: str, expected: set[Conclusion]) -> None:
    story = unread(Story(WINDOWS_TCP))
    if how == 1:
        story.iut.shutdown(1)
    else:
        story.iut.send_disconnect()
    story.segment(IUT, flags)
    assert story.conclusions("WIRE-ABRT-04") == expected


@pytest.mark.parametrize(
    ("closed_ms", "expected"), [(None, VIOLATED), (500, NOTHING), (1000, NOTHING), (1000.001, VIOLATED)]
)
def test_the_fin_had_its_time_before_the_close(closed_ms: float | None, expected: set[Conclusion]) -> None:
    story = meddled(unread())
    story.iut.shutdown()
    if closed_ms is not None:
        forward(story, story.now, closed_ms)
        story.iut.close()
    story.settle(1500)
    assert story.conclusions("WIRE-ABRT-04") == expected


@pytest.mark.parametrize(("ms", "expected"), [(1000, NOTHING), (1000.001, VIOLATED)])
def test_how_long_the_fin_is_waited_for(ms: float, expected: set[Conclusion]) -> None:
    story = meddled(unread())
    story.iut.shutdown()
    returned = story.now
    wait_for(story, returned, ms)
    assert story.conclusions("WIRE-ABRT-04") == VIOLATED
    story = meddled(unread())
    story.iut.shutdown()
    returned = story.now
    forward(story, returned, ms)
    story.rst(PEER)
    story.settle(1500)
    assert story.conclusions("WIRE-ABRT-04") == expected


def test_what_was_sent_must_be_acknowledged_before_a_fin_is_missed() -> None:
    for acked, expected in ((False, NOTHING), (True, VIOLATED)):
        story = unread()
        story.iut.send(5)
        story.data(IUT, 5, acked=acked)
        story.iut.shutdown()
        story.settle(1500)
        assert story.conclusions("WIRE-ABRT-04") == expected


@pytest.mark.parametrize("case", ["receiving was given up", "FIN before", "FIN after the close", "reset after"])
def test_a_fin_or_reset_that_is_not_the_shutdowns(case: str) -> None:
    story = unread()
    match case:
        case "receiving was given up":
            story.iut.shutdown("receive")
        case "FIN before":
            story.fin(IUT)
    story.iut.shutdown()
    match case:
        case "receiving was given up":
            story.fin(IUT)
        case "FIN after the close":
            story.iut.close()
            story.fin(IUT)
        case "reset after":
            story.rst(PEER)
            story.rst(IUT)
    story.settle(1500)
    assert story.conclusions("WIRE-ABRT-04") == NOTHING


def test_an_error_that_was_told_before_the_shutdown() -> None:
    story = unread()
    story.iut.get_error("ETIMEDOUT")
    story.iut.shutdown()
    story.settle(1500)
    assert story.conclusions("WIRE-ABRT-04") == NOTHING


def test_a_reset_where_a_time_out_was_set() -> None:
    story = unread()
    story.iut.call("set_option", name="USER_TIMEOUT", value=300)
    story.iut.shutdown()
    story.rst(IUT)
    assert story.conclusions("WIRE-ABRT-04") == NOTHING


def test_an_acknowledgement_that_comes_twice_may_meet_a_connection_that_is_over() -> None:
    story = unread()
    story.fin(PEER)
    story.iut.shutdown()
    story.fin(IUT)
    story.segment(PEER, "A")
    story.rst(IUT)
    assert story.conclusions("WIRE-ABRT-04") == SATISFIED


def test_shutdown_with_unread_data_sends_nothing() -> None:
    story = unread()
    story.iut.shutdown()
    story.settle()
    assert story.conclusions("WIRE-ABRT-04") == NOTHING
    story.settle(1500)
    assert story.conclusions("WIRE-ABRT-04") == VIOLATED


@pytest.mark.parametrize("case", ["read", "both", "held up", "dropped", "peer reset", "closed at once"])
def test_shutdown_that_does_not_show_it(case: str) -> None:
    story = unread()
    if case == "read":
        story.iut.recv(5)
    if case == "held up":
        story.iut.send(9)
    story.iut.shutdown("both" if case == "both" else "send")
    match case:
        case "dropped":
            story.segment(IUT, "FA", fate=Fate.DROPPED)
            story.rst(IUT)
        case "peer reset":
            story.rst(PEER)
        case "closed at once":
            story.iut.close()
            story.rst(IUT)
    story.settle(1500)
    assert story.conclusions("WIRE-ABRT-04") == NOTHING


# --- WIRE-RST-01 ------------------------------------------------------------------------------------------------------


def test_exact_reset_is_told() -> None:
    for error in ("ECONNRESET", "ECONNABORTED"):
        story = unread()
        story.rst(PEER)
        story.iut.recv(5)
        story.iut.recv(error=error)
        assert story.conclusions("WIRE-RST-01") == SATISFIED


def test_exact_reset_is_told_by_a_send_or_by_so_error() -> None:
    for call, error in (("send", "EPIPE"), ("send", "ECONNRESET"), ("get_error", "ECONNRESET")):
        story = Story()
        story.rst(PEER)
        if call == "send":
            story.iut.send(5, error=error)
        else:
            story.iut.get_error(error)
        story.iut.recv(0)
        assert story.conclusions("WIRE-RST-01") == SATISFIED


@pytest.mark.parametrize("error", ["WSAECONNRESET", "WSAECONNABORTED", "WSAENETRESET"])
def test_what_winsock_tells_of_an_exact_reset(error: str) -> None:
    story = Story(WINDOWS_TCP)
    story.rst(PEER)
    story.iut.recv(error=error)
    assert story.conclusions("WIRE-RST-01") == SATISFIED


def test_the_first_word_after_a_reset_counts() -> None:
    story = Story()
    story.rst(PEER)
    story.iut.recv(error="ECONNRESET")
    story.iut.recv(0)
    (finding,) = story.judge("WIRE-RST-01")
    connection = story.connection()
    reset, word = connection.peer_to_iut.resets[0], connection.iut.receives[0]
    assert (finding.outcome, finding.events) == (Conclusion.SATISFIED, (*reset.events, *word.events))


def test_a_word_before_the_reset_is_of_something_else() -> None:
    story = Story()
    story.iut.get_error("ECONNRESET")
    story.rst(PEER)
    story.iut.recv(0)
    assert story.conclusions("WIRE-RST-01") == NOTHING


def test_an_exact_reset_after_data() -> None:
    story = Story()
    story.data(PEER, 5, acked=False)
    story.rst(PEER)
    story.iut.recv(0)
    assert story.conclusions("WIRE-RST-01") == VIOLATED


def test_a_shutdown_that_fails_first_does_not_count() -> None:
    story = Story()
    story.rst(PEER)
    story.iut.shutdown(error="ENOTCONN")
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("WIRE-RST-01") == SATISFIED


@pytest.mark.parametrize("error", ["", "ENOTCONN", "ETIMEDOUT"])
def test_exact_reset_is_told_as_something_else(error: str) -> None:
    story = Story()
    story.rst(PEER)
    story.iut.recv(error=error)
    assert story.conclusions("WIRE-RST-01") == VIOLATED


def test_exact_reset_is_never_told() -> None:
    story = Story()
    story.rst(PEER)
    assert story.conclusions("WIRE-RST-01") == NOTHING
    story.iut.recv(timeout=True, takes=1500)
    assert story.conclusions("WIRE-RST-01") == VIOLATED


def test_an_unknown_error_after_a_reset() -> None:
    for claim, expected in ((None, UNDETERMINED), (RUNTIME, SATISFIED)):
        story = Story(claim) if claim else Story()
        story.rst(PEER)
        story.iut.recv(error="EWEIRD")
        assert story.conclusions("WIRE-RST-01") == expected


@pytest.mark.parametrize("case", ["inexact", "dropped", "after a fin", "after the close", "after a time-out"])
def test_a_reset_that_is_not_exact_or_meets_no_open_connection(case: str) -> None:
    story = Story()
    match case:
        case "inexact":
            story.data(PEER, 5, acked=False)
            story.segment(PEER, "RA", start=2)
        case "dropped":
            story.segment(PEER, "RA", fate=Fate.DROPPED)
        case "after a fin":
            story.fin(PEER)
            story.rst(PEER)
        case "after the close":
            story.iut.close()
            story.fin(IUT)
            story.rst(PEER)
        case "after a time-out":
            story.iut.recv(error="ETIMEDOUT")
            story.rst(PEER)
    story.iut.recv(0)
    assert story.conclusions("WIRE-RST-01") == NOTHING


# --- WIRE-RST-04 ------------------------------------------------------------------------------------------------------


def test_no_reset_follows_a_reset() -> None:
    story = Story()
    story.rst(PEER)
    assert story.conclusions("WIRE-RST-04") == NOTHING
    story.settle()
    assert story.conclusions("WIRE-RST-04") == SATISFIED


def test_a_reset_follows_a_reset() -> None:
    story = Story()
    story.rst(PEER)
    story.rst(IUT)
    assert story.conclusions("WIRE-RST-04") == VIOLATED


def test_a_reset_to_a_closed_socket_draws_a_reset() -> None:
    for told, expected in ((True, VIOLATED), (False, NOTHING)):
        story = Story()
        story.rst(PEER)
        if told:
            story.iut.recv(error="ECONNRESET")
        story.iut.close()
        story.wait(100)
        story.segment(PEER, "RA", fate=Fate.REPEATED)
        story.rst(IUT)
        assert story.conclusions("WIRE-RST-04") == expected


@pytest.mark.parametrize("cause", ["close", "death", "data after", "data before", "earlier", "time-out"])
def test_a_reset_that_has_another_cause(cause: str) -> None:
    story = Story()
    match cause:
        case "close":
            story.iut.linger(0)
            story.iut.close()
        case "death":
            story.iut.dies()
        case "data before":
            story.iut.close()
            story.fin(IUT)
            story.wait(100)
            story.data(PEER, 5, acked=False)
        case "earlier":
            story.rst(IUT)
        case "time-out":
            story.iut.call("set_option", name="USER_TIMEOUT", value=1)
    story.rst(PEER)
    if cause == "data after":
        story.segment(PEER, "PA", 5, fate=Fate.HELD, delivered_at=story.now + 2 * MS)
        story.wait(3)
    if cause != "earlier":
        story.rst(IUT)
    story.settle()
    assert Conclusion.VIOLATED not in story.conclusions("WIRE-RST-04")


def test_a_reset_after_both_ends_were_done_may_answer_anything() -> None:
    story = Story()
    story.fin(PEER)
    story.iut.shutdown()
    story.fin(IUT)
    story.segment(PEER, "A")
    story.rst(PEER)
    story.rst(IUT)
    assert story.conclusions("WIRE-RST-04") == NOTHING


def test_data_that_came_before_does_not_excuse_an_open_socket() -> None:
    story = unread()
    story.rst(PEER)
    story.rst(IUT)
    assert story.conclusions("WIRE-RST-04") == VIOLATED


def test_no_reset_follows_the_last_of_several() -> None:
    story = Story()
    story.rst(PEER)
    story.settle()
    story.segment(PEER, "RA", start=0)
    assert story.conclusions("WIRE-RST-04") == NOTHING
    story.settle()
    (finding,) = story.judge("WIRE-RST-04")
    shown = tuple(n for p in story.connection().peer_to_iut.resets for n in p.events)
    assert (finding.outcome, finding.events) == (Conclusion.SATISFIED, shown)


def test_an_own_reset_before_the_peers_answers_nothing() -> None:
    story = Story()
    story.rst(IUT)
    story.rst(PEER)
    story.settle()
    assert story.conclusions("WIRE-RST-04") == SATISFIED


@pytest.mark.parametrize(("told", "expected"), [(False, NOTHING), (True, VIOLATED)])
def test_a_reset_after_a_process_died(told: bool, expected: set[Conclusion]) -> None:
    story = Story()
    story.rst(PEER)
    if told:
        story.iut.recv(error="ECONNRESET")
    story.iut.dies()
    story.rst(IUT)
    story.settle()
    assert story.conclusions("WIRE-RST-04") == expected


def test_an_end_that_was_told_is_no_abort_that_was_told() -> None:
    story = Story()
    story.rst(PEER)
    story.iut.recv(0)
    story.iut.close()
    story.rst(IUT)
    assert story.conclusions("WIRE-RST-04") == NOTHING


@pytest.mark.parametrize(("flags", "expected"), [("A", NOTHING), ("R", VIOLATED)])
def test_something_forged_may_have_drawn_the_reset(flags: str, expected: set[Conclusion]) -> None:
    story = Story()
    story.rst(PEER)
    story.forge(flags, 0)
    story.rst(IUT)
    assert story.conclusions("WIRE-RST-04") == expected


def test_data_that_comes_later_does_not_excuse_a_reset() -> None:
    story = Story()
    story.rst(PEER)
    story.rst(IUT)
    story.data(PEER, 5, acked=False)
    assert story.conclusions("WIRE-RST-04") == VIOLATED


def test_one_reset_has_a_cause_and_another_has_none() -> None:
    story = Story()
    story.rst(PEER)
    story.rst(IUT)
    story.iut.close()
    story.rst(IUT)
    (finding,) = story.judge("WIRE-RST-04")
    connection = story.connection()
    shown = (*connection.peer_to_iut.resets[0].events, *connection.iut_to_peer.resets[0].events)
    assert (finding.outcome, finding.events) == (Conclusion.VIOLATED, shown)


# --- coarse clocks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requirement", "call", "expected"),
    [
        ("WIRE-ABRT-01", "abort", VIOLATED),
        ("WIRE-ABRT-02", "close", VIOLATED),
        ("WIRE-ABRT-04", "shutdown", SATISFIED),
    ],
)
def test_a_fin_may_have_the_time_of_the_call_that_sent_it(
    requirement: str, call: str, expected: set[Conclusion]
) -> None:
    story = Story() if call == "abort" else unread()
    if call == "abort":
        story.iut.linger(0)
    entered = story.iut.begin("shutdown", how="send") if call == "shutdown" else story.iut.begin("close")
    story.segment(IUT, "FA")
    story.iut.finish(entered)
    for trace in (story.trace(), without_duration(story.trace())):
        assert {f.outcome for f in judge(trace) if f.requirement == requirement} == expected


@pytest.mark.parametrize("flags", ["FA", "RA"])
def test_what_has_the_time_of_the_close_is_not_the_shutdowns(flags: str) -> None:
    story = unread()
    story.iut.shutdown()
    close = story.iut.begin("close")
    story.segment(IUT, flags)
    story.iut.finish(close)
    for trace in (story.trace(), without_duration(story.trace())):
        assert [f for f in judge(trace) if f.requirement == "WIRE-ABRT-04"] == []
    assert story.conclusions("WIRE-ABRT-04") == NOTHING


def test_an_error_that_is_told_after_the_shutdown_disturbs_nothing() -> None:
    story = unread()
    story.iut.shutdown()
    story.fin(IUT)
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("WIRE-ABRT-04") == SATISFIED


def test_a_reset_that_comes_when_receiving_was_given_up() -> None:
    story = Story()
    story.iut.shutdown("receive")
    story.rst(PEER)
    story.iut.send(5, error="ENOTCONN")
    assert story.conclusions("WIRE-RST-01") == NOTHING
