# SPDX-License-Identifier: MIT
"""The judges of a shutdown that must not wait, and of one that is made again."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.oracle.findings import Conclusion
from conformance.trace.events import Fate
from tests.oracle.story import IUT, PEER, REFERENCE_STREAM, Story, at_once, wireless

SATISFIED, VIOLATED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}
UNDETERMINED, NOTHING = {Conclusion.UNDETERMINED}, set[Conclusion]()


# --- INIT-SHUT-09 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [2, 60])  # half the linger time, and never more than is prompt
@pytest.mark.parametrize(("takes", "expected"), [(1, SATISFIED), (900, SATISFIED), (1000, VIOLATED), (2000, VIOLATED)])
def test_shutdown_does_not_linger(takes: int, expected: set[Conclusion], seconds: int) -> None:
    story = Story()
    story.iut.linger(seconds)
    story.iut.send(1000)
    story.data(IUT, 400)
    story.iut.shutdown("send", takes=takes)
    assert story.conclusions("INIT-SHUT-09") == expected


def test_without_linger_or_data_left_shutdown_is_not_timed() -> None:
    story = Story()
    story.iut.send(10)
    story.iut.shutdown("send", takes=3000)
    assert story.conclusions("INIT-SHUT-09") == NOTHING
    story = Story()
    story.iut.linger(2)
    story.iut.send(10)
    story.data(IUT, 10)
    story.iut.shutdown("send", takes=3000)
    assert story.conclusions("INIT-SHUT-09") == NOTHING


def test_data_that_drains_during_the_call_does_not_show_that_it_did_not_wait() -> None:
    story = Story()
    story.iut.linger(2)
    story.iut.send(10)
    call = story.iut.begin("shutdown", how="send")
    story.data(IUT, 10)
    story.iut.finish(call)
    assert story.conclusions("INIT-SHUT-09") == NOTHING


@pytest.mark.parametrize(("takes", "expected"), [(1, SATISFIED), (1000, VIOLATED)])
def test_without_a_link_a_full_queue_shows_what_is_left(takes: int, expected: set[Conclusion]) -> None:
    story = wireless()
    story.iut.linger(2)
    story.iut.send(1000, accepted=600)
    story.iut.shutdown("send", takes=takes)
    assert story.conclusions("INIT-SHUT-09") == expected


def test_without_a_link_a_peer_that_reads_makes_room() -> None:
    story = wireless()
    story.iut.linger(2)
    story.iut.send(1000, error="EAGAIN")
    story.peer.recv(600)
    story.iut.shutdown("send")
    assert story.conclusions("INIT-SHUT-09") == NOTHING


@pytest.mark.parametrize(
    ("on", "seconds", "how", "takes", "expected"),
    [
        (True, 1, "send", 499, SATISFIED),  # half the linger time is the bound
        (True, 1, "send", 500, VIOLATED),
        (True, 60, "both", 1000, VIOLATED),
        (True, 0, "send", 2000, NOTHING),
        (False, 60, "send", 2000, NOTHING),
        (True, 60, "receive", 2000, NOTHING),
    ],
)
def test_which_shutdown_might_linger(on: bool, seconds: int, how: str, takes: int, expected: set[Conclusion]) -> None:
    story = wireless()
    story.iut.linger(seconds, on=on)
    story.iut.send(1000, accepted=600)
    story.iut.shutdown(how, takes=takes)
    assert story.conclusions("INIT-SHUT-09") == expected


def test_a_shutdown_that_failed_did_not_linger() -> None:
    story = wireless()
    story.iut.linger(60)
    story.iut.send(1000, accepted=600)
    story.iut.shutdown("send", takes=2000, error="EIO")
    assert story.conclusions("INIT-SHUT-09") == NOTHING


def test_each_shutdown_is_timed() -> None:
    story = wireless()
    story.iut.linger(60)
    story.iut.send(1000, accepted=600)
    story.iut.shutdown("receive")
    story.iut.shutdown("send", takes=2000)
    (finding,) = story.judge("INIT-SHUT-09")
    assert finding.outcome == Conclusion.VIOLATED
    assert finding.because == "shutdown(send) took 2.000 s, with 60 s of linger and data still unsent"


@pytest.mark.parametrize(
    ("sends", "expected"),
    [
        ([{"accepted": 600}], SATISFIED),
        ([{"error": "EAGAIN"}], SATISFIED),
        ([{"timeout": True}], SATISFIED),
        ([{"error": "EIO"}], NOTHING),
        ([{}], NOTHING),
        ([], NOTHING),
        ([{"accepted": 600}, {}], NOTHING),
        ([{}, {"accepted": 600}], SATISFIED),
    ],
)
def test_without_a_link_the_last_send_tells_whether_the_queue_is_full(
    sends: list[dict[str, Any]], expected: set[Conclusion]
) -> None:
    story = wireless()
    story.iut.linger(60)
    for how in sends:
        story.iut.send(1000, **how)
    story.iut.shutdown("send")
    assert story.conclusions("INIT-SHUT-09") == expected


def test_a_send_whose_octets_are_told_is_short_of_nothing() -> None:
    story = wireless()
    story.iut.linger(60)
    story.iut.call("send", data="AAEC", result={"length": 3})
    story.iut.shutdown("send")
    assert story.conclusions("INIT-SHUT-09") == NOTHING


def test_a_send_that_returns_after_the_shutdown_tells_nothing_of_the_queue_before() -> None:
    story = wireless()
    story.iut.linger(60)
    call = story.iut.begin("send", pattern={"seed": 0, "length": 1000})
    story.iut.shutdown("send")
    story.iut.finish(call, length=600)
    assert story.conclusions("INIT-SHUT-09") == NOTHING


def test_where_packets_were_lost_a_full_queue_tells_nothing() -> None:
    story = Story(lost=1)
    story.iut.linger(60)
    story.iut.send(1000, accepted=600)
    story.iut.shutdown("send")
    assert story.conclusions("INIT-SHUT-09") == NOTHING


@pytest.mark.parametrize(
    ("when", "expected"), [("before", SATISFIED), ("at once", NOTHING), ("between", NOTHING), ("after", SATISFIED)]
)
def test_when_a_peer_that_reads_makes_room(when: str, expected: set[Conclusion]) -> None:
    story = wireless()
    story.iut.linger(60)
    story.iut.send(100)
    if when == "before":
        story.peer.recv(100)
    if when == "at once":
        call = story.peer.begin("recv", length=100)
        story.peer.finish(call, length=0, data="")
        at_once(story)
    story.iut.send(1000, accepted=600)
    if when == "between":
        story.peer.recv(100)
    story.iut.shutdown("send")
    if when == "after":
        story.peer.recv(100)
    assert story.conclusions("INIT-SHUT-09") == expected


def test_a_send_that_returned_at_the_instant_of_the_shutdown_was_before_it() -> None:
    story = wireless()
    story.iut.linger(60)
    story.iut.send(1000, accepted=600)
    at_once(story)
    story.iut.shutdown("send")
    assert story.conclusions("INIT-SHUT-09") == SATISFIED


# --- INIT-SHUT-11 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", ["", "ENOTCONN"])
@pytest.mark.parametrize("how", ["send", "both"])
def test_a_repetition_sends_no_second_fin(how: str, error: str) -> None:
    story = Story()
    story.iut.shutdown(how)
    story.fin(IUT)
    story.iut.shutdown(how, error=error)
    assert story.conclusions("INIT-SHUT-11") == SATISFIED


def test_a_fin_sent_again_is_no_second_fin() -> None:
    story = Story()
    story.iut.shutdown("send")
    story.segment(IUT, "FA", fate=Fate.DROPPED)
    story.iut.shutdown("send")
    story.segment(IUT, "FA", start=0)
    assert story.conclusions("INIT-SHUT-11") == SATISFIED


def test_a_second_fin_number_is_wrong() -> None:
    story = Story()
    story.iut.shutdown("send")
    story.fin(IUT)
    story.iut.shutdown("send")
    story.fin(IUT)
    assert story.conclusions("INIT-SHUT-11") == VIOLATED


def test_another_shutdown_is_no_repetition() -> None:
    story = Story()
    story.iut.shutdown("send")
    story.fin(IUT)
    story.iut.shutdown("both")
    assert story.conclusions("INIT-SHUT-11") == NOTHING


@pytest.mark.parametrize(("again", "expected"), [("", SATISFIED), ("ECONNRESET", VIOLATED)])
def test_without_a_link_the_peer_is_told_of_one_end(again: str, expected: set[Conclusion]) -> None:
    story = wireless()
    story.iut.shutdown("send")
    story.peer.recv()
    story.iut.shutdown("send")
    story.peer.recv(error=again)
    assert story.conclusions("INIT-SHUT-11") == expected


def test_without_a_link_the_peer_must_look_again() -> None:
    story = wireless()
    story.iut.shutdown("send")
    story.peer.recv()
    story.iut.shutdown("send")
    assert story.conclusions("INIT-SHUT-11") == NOTHING
    story.iut.close()
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-SHUT-11") == NOTHING


@pytest.mark.parametrize(
    ("excuse", "expected"),
    [("", VIOLATED), ("before", NOTHING), ("peer", NOTHING), ("unread", NOTHING), ("gone", NOTHING)],
)
def test_where_units_are_seen_a_repetition_aborts_nothing(excuse: str, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE_STREAM)
    story.iut.shutdown("send")
    story.pdu(IUT, "RELEASE")
    if excuse == "before":
        story.pdu(IUT, "ABORT")
    story.iut.shutdown("send")
    match excuse:
        case "peer":
            story.pdu(PEER, "ABORT")
        case "unread":
            story.peer.send(3)
            story.pdu(PEER, "DATA", b"abc")
        case "gone":
            story.iut.close()
    if excuse != "before":
        story.pdu(IUT, "ABORT")
    story.peer.recv(error="WSAECONNRESET")
    assert story.conclusions("INIT-SHUT-11") == expected


def test_a_shutdown_that_overlaps_the_first_is_no_repetition() -> None:
    story = Story()
    first = story.iut.begin("shutdown", how="send")
    second = story.iut.begin("shutdown", how="send")
    story.fin(IUT)
    story.iut.finish(first)
    story.iut.finish(second)
    assert story.conclusions("INIT-SHUT-11") == NOTHING


@pytest.mark.parametrize("first", ["failed", "never answered"])
def test_a_shutdown_after_one_that_did_not_succeed_is_no_repetition(first: str) -> None:
    story = Story()
    if first == "failed":
        story.iut.shutdown("send", error="EIO")
    else:
        story.iut.begin("shutdown", how="send")
    story.fin(IUT)
    story.iut.shutdown("send")
    story.fin(IUT)
    assert story.conclusions("INIT-SHUT-11") == NOTHING


@pytest.mark.parametrize("again", ["after the close", "at the instant of the close", "never answered"])
def test_a_repetition_that_was_not_over_when_the_socket_was_closed(again: str) -> None:
    story = Story()
    story.iut.shutdown("send")
    story.fin(IUT)
    call = story.iut.begin("shutdown", how="send")
    if again == "at the instant of the close":
        story.iut.finish(call)
        at_once(story)
    if again != "never answered":
        story.iut.close()
    if again == "after the close":
        story.iut.finish(call)
    assert story.conclusions("INIT-SHUT-11") == NOTHING


@pytest.mark.parametrize(
    ("resets", "expected"),
    [("before", SATISFIED), ("after", VIOLATED), ("at the close", SATISFIED), ("own", SATISFIED)],
)
def test_which_reset_a_repetition_brought_about(resets: str, expected: set[Conclusion]) -> None:
    story = Story()
    story.iut.shutdown("send")
    story.fin(IUT)
    if resets == "before":
        story.rst(IUT)
        story.wait(40)
    story.iut.shutdown("send")
    match resets:
        case "after":
            story.rst(IUT)
        case "at the close":
            call = story.iut.begin("close")
            at_once(story)
            story.rst(IUT)
            story.iut.finish(call)
        case "own":
            story.rst(PEER)
            story.rst(IUT)
    assert story.conclusions("INIT-SHUT-11") == expected


@pytest.mark.parametrize(
    ("fins", "words"), [(1, "1 FIN sequence number"), (2, "2 FIN sequence numbers"), (3, "3 FIN sequence numbers")]
)
def test_fin_numbers_are_counted(fins: int, words: str) -> None:
    story = Story()
    story.iut.shutdown("send")
    story.fin(IUT)
    story.iut.shutdown("send")
    for _ in range(fins - 1):
        story.fin(IUT)
    (finding,) = story.judge("INIT-SHUT-11")
    assert finding.because.endswith(f": {words}")


def test_where_no_fin_was_seen_none_is_counted() -> None:
    story = Story()
    story.iut.shutdown("send")
    story.iut.shutdown("send")
    assert story.conclusions("INIT-SHUT-11") == NOTHING


def test_where_packets_were_lost_the_peers_words_do_not_decide() -> None:
    story = Story(lost=1)
    story.iut.shutdown("send")
    story.peer.recv()
    story.iut.shutdown("send")
    story.peer.recv(error="ECONNRESET")
    assert story.conclusions("INIT-SHUT-11") == UNDETERMINED


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["", ""], SATISFIED),
        (["", "EWOULDBLOCK", ""], SATISFIED),
        (["", "timeout", ""], SATISFIED),
        (["", "", "ECONNRESET"], VIOLATED),
        (["ECONNRESET", "ECONNRESET"], NOTHING),
        (["", "EWOULDBLOCK"], NOTHING),
    ],
)
def test_which_words_of_the_peer_are_compared(words: list[str], expected: set[Conclusion]) -> None:
    story = wireless()
    story.iut.send(3)
    story.iut.shutdown("send")
    story.peer.recv(3)
    for number, word in enumerate(words):
        if number == 1:
            story.iut.shutdown("send")
        story.peer.recv(error="" if word == "timeout" else word, timeout=word == "timeout")
    assert story.conclusions("INIT-SHUT-11") == expected


def test_what_the_peer_asked_before_the_repetition_was_over_does_not_show_it() -> None:
    story = wireless()
    story.iut.shutdown("send")
    story.peer.recv()
    call = story.iut.begin("shutdown", how="send")
    story.peer.recv()
    story.iut.finish(call)
    assert story.conclusions("INIT-SHUT-11") == NOTHING


@pytest.mark.parametrize("edge", ["asked", "closed"])
def test_the_edges_of_what_the_peer_was_told(edge: str) -> None:
    story = wireless()
    story.iut.shutdown("send")
    story.peer.recv()
    story.iut.shutdown("send")
    at_once(story)
    asked = story.peer.begin("recv", length=10)
    if edge == "closed":
        closing = story.iut.begin("close")
        at_once(story)
    story.peer.finish(asked, length=0, data="")
    if edge == "closed":
        story.iut.finish(closing)
    assert story.conclusions("INIT-SHUT-11") == (SATISFIED if edge == "asked" else NOTHING)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (("release", "abort"), VIOLATED),  # a graceful end of the peer's provokes nothing
        (("abort", "peer's"), VIOLATED),
        (("time-out", "abort"), NOTHING),
        (("abort", "closed"), VIOLATED),
    ],
)
def test_which_abort_after_a_repetition_is_unprovoked(said: tuple[str, ...], expected: set[Conclusion]) -> None:
    story = Story(REFERENCE_STREAM)
    story.iut.shutdown("send")
    if said[0] != "release":  # once both ends have released, nothing is left to abort
        story.pdu(IUT, "RELEASE")
    story.iut.shutdown("send")
    for step in said:
        match step:
            case "release":
                story.peer.shutdown("send")
                story.pdu(PEER, "RELEASE")
            case "abort":
                story.pdu(IUT, "ABORT")
            case "peer's":
                story.pdu(PEER, "ABORT")
            case "closed":
                story.iut.close()
            case _:
                story.iut.call("set_option", name="USER_TIMEOUT", value=300)
    assert story.conclusions("INIT-SHUT-11") == expected


def test_a_shutdown_at_the_instant_at_which_the_first_returned_is_a_repetition() -> None:
    story = Story()
    first = story.iut.begin("shutdown", how="send")
    story.fin(IUT)
    story.iut.finish(first)
    at_once(story)
    story.iut.shutdown("send")
    assert story.conclusions("INIT-SHUT-11") == SATISFIED


def test_the_first_of_two_repetitions_counts() -> None:
    story = Story()
    story.iut.shutdown("send")
    story.fin(IUT)
    story.iut.shutdown("send")
    story.rst(IUT)
    story.iut.shutdown("send", error="ENOTCONN")
    (finding,) = story.judge("INIT-SHUT-11")
    assert finding.outcome == Conclusion.VIOLATED
    assert "shutdown(send) succeeded" in finding.because


def test_a_repeated_shutdown_that_resets_is_wrong() -> None:
    story = Story()
    story.iut.shutdown("send")
    story.fin(IUT)
    call = story.iut.begin("shutdown", how="send")
    story.rst(IUT)
    story.iut.finish(call, error="ENOTCONN")
    story.peer.recv()
    assert story.conclusions("INIT-SHUT-11") == VIOLATED
