# SPDX-License-Identifier: MIT
"""The judges of half-close: the exchange that it allows, and the request whose answer comes with the end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.oracle.findings import Conclusion
from conformance.trace.events import Fate
from tests.oracle.story import IUT, MS, PATIENCE, PEER, UNIX_SEQPACKET, Story, at_once, wireless

SATISFIED, VIOLATED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}
UNDETERMINED, NOTHING = {Conclusion.UNDETERMINED}, set[Conclusion]()


# --- INIT-SHUT-05 -----------------------------------------------------------------------------------------------------


def _half_closed(make: Callable[[], Story] = Story) -> Story:
    story = make()
    story.iut.shutdown("send")
    if story.header.wire:
        story.fin(IUT)
    return story


def _answer(story: Story, length: int = 5, *, ends: bool = True) -> None:
    story.peer.send(length)
    if story.header.wire:
        story.data(PEER, length)
    if ends:
        story.peer.shutdown("send")
        if story.header.wire:
            story.fin(PEER)


@pytest.mark.parametrize("make", [Story, wireless, lambda: Story(UNIX_SEQPACKET)])
def test_half_closed_it_reads_on_to_the_end(make: Callable[[], Story]) -> None:
    story = _half_closed(make)
    _answer(story)
    story.iut.recv(5)
    story.iut.recv()
    assert story.conclusions("INIT-SHUT-05") == SATISFIED


@pytest.mark.parametrize("make", [Story, wireless])
@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda iut: iut.recv(), id="end before data"),
        pytest.param(lambda iut: iut.recv(error="ESHUTDOWN"), id="refused"),
        pytest.param(lambda iut: iut.recv(5, offset=1), id="other bytes"),
        pytest.param(lambda iut: (iut.recv(5), iut.recv(error="ECONNRESET")), id="error for the end"),
        pytest.param(lambda iut: (iut.recv(5), iut.recv(timeout=True, takes=PATIENCE)), id="no end"),
    ],
)
def test_half_closed_it_loses_what_the_peer_sends(make: Callable[[], Story], wrong: Callable[[object], None]) -> None:
    story = _half_closed(make)
    _answer(story)
    wrong(story.iut)
    assert story.conclusions("INIT-SHUT-05") == VIOLATED


def test_half_closed_it_tells_of_an_end_that_has_not_come() -> None:
    story = _half_closed()
    story.peer.send(5)
    story.data(PEER, 5)
    story.iut.recv(5)
    story.iut.recv()
    story.peer.shutdown("send")
    story.fin(PEER)
    assert story.conclusions("INIT-SHUT-05") == VIOLATED


def test_half_closed_it_resets_on_data() -> None:
    story = _half_closed()
    _answer(story, ends=False)
    story.rst(IUT)
    assert story.conclusions("INIT-SHUT-05") == VIOLATED


def test_a_late_acknowledgement_of_what_is_over_may_draw_a_reset() -> None:
    story = _half_closed()
    _answer(story)
    story.segment(PEER, "A")
    story.segment(IUT, "R")
    story.iut.recv(5)
    story.iut.recv()
    assert story.conclusions("INIT-SHUT-05") == SATISFIED


@pytest.mark.parametrize("how", ["close", "dies"])
def test_a_reset_after_a_full_close_is_right(how: str) -> None:
    story = _half_closed()
    getattr(story.iut, how)()
    _answer(story, ends=False)
    story.rst(IUT)
    assert story.conclusions("INIT-SHUT-05") == NOTHING


def test_without_data_after_the_end_there_is_nothing_to_read() -> None:
    story = Story()
    story.peer.send(5)
    story.data(PEER, 5)
    story.iut.shutdown("send")
    story.fin(IUT)
    story.peer.shutdown("send")
    story.fin(PEER)
    story.iut.recv(5)
    story.iut.recv()
    assert story.conclusions("INIT-SHUT-05") == NOTHING


def test_a_peer_that_aborts_leaves_it_open() -> None:
    story = _half_closed()
    _answer(story, ends=False)
    story.rst(PEER)
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("INIT-SHUT-05") == NOTHING


def test_a_user_timeout_excuses_an_error() -> None:
    story = _half_closed()
    story.iut.call("set_option", name="USER_TIMEOUT", value=300)
    _answer(story)
    story.iut.recv(error="ETIMEDOUT")
    assert story.conclusions("INIT-SHUT-05") == NOTHING


@pytest.mark.parametrize(
    ("stimulus", "expected"),
    [
        (lambda s: s.data(PEER, 5), VIOLATED),
        (lambda s: s.segment(PEER, "PA", 5, fate=Fate.DROPPED), NOTHING),  # it never came
        (lambda s: s.segment(PEER, "PA", 3, start=0), NOTHING),  # it had come before
        (lambda s: s.segment(PEER, "A"), NOTHING),
    ],
    ids=["new", "dropped", "old", "empty"],
)
def test_what_is_late_data_on_the_link(stimulus: Callable[[Story], object], expected: set[Conclusion]) -> None:
    story = Story()
    story.peer.send(3)
    story.data(PEER, 3)
    story.iut.recv(3)
    story.iut.shutdown("send")
    story.fin(IUT)
    stimulus(story)
    story.rst(IUT)
    assert story.conclusions("INIT-SHUT-05") == expected


@pytest.mark.parametrize(
    ("send", "expected"),
    [
        (lambda s: s.peer.send(5), VIOLATED),
        (lambda s: s.peer.send(0), NOTHING),
        (lambda s: s.peer.send(5, error="EPIPE"), NOTHING),
    ],
    ids=["five", "none", "refused"],
)
def test_what_is_late_data_without_a_link(send: Callable[[Story], object], expected: set[Conclusion]) -> None:
    story = _half_closed(wireless)
    send(story)
    story.peer.shutdown("send")
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("INIT-SHUT-05") == expected


def test_a_send_before_the_end_is_not_late() -> None:
    story = wireless()
    story.peer.send(5)
    story.iut.shutdown("send")
    story.peer.shutdown("send")
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("INIT-SHUT-05") == NOTHING


@pytest.mark.parametrize("call", ["both", "failed", "never answered"])
def test_which_shutdown_leaves_an_end_receiving(call: str) -> None:
    story = Story()
    match call:
        case "both":
            story.iut.shutdown("both")
        case "failed":
            story.iut.shutdown("send", error="EIO")
        case _:
            story.iut.begin("shutdown", how="send")
    story.fin(IUT)
    _answer(story, ends=False)
    story.rst(IUT)
    assert Conclusion.VIOLATED not in story.conclusions("INIT-SHUT-05")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, lambda s: s.iut.shutdown("receive"), VIOLATED),
        (lambda s: s.iut.shutdown("receive"), None, NOTHING),
        (None, lambda s: s.rst(PEER), VIOLATED),
        (lambda s: s.rst(PEER), None, NOTHING),
        (lambda s: s.segment(PEER, "PA", 3, fate=Fate.DROPPED), None, NOTHING),
        (lambda s: s.iut.call("set_option", name="USER_TIMEOUT", value=300), None, NOTHING),
    ],
)
def test_what_explains_a_reset_after_the_own_fin(
    before: Callable[[Story], object] | None,
    after: Callable[[Story], object] | None,
    expected: set[Conclusion],
) -> None:
    story = _half_closed()
    _answer(story, ends=False)
    if before is not None:
        before(story)
    story.rst(IUT)
    if after is not None:
        after(story)
    assert story.conclusions("INIT-SHUT-05") == expected


@pytest.mark.parametrize("cause", ["shutdown", "reset", "close", "over"])
def test_what_comes_at_the_instant_of_a_reset_may_explain_it(cause: str) -> None:
    story = _half_closed()
    _answer(story, ends=cause == "over")
    match cause:
        case "shutdown":
            call = story.iut.begin("shutdown", how="receive")
        case "reset":
            story.rst(PEER)
        case "close":
            call = story.iut.begin("close")
    if cause == "over":
        story.events.pop()  # the FIN itself is the last that came
        story.now -= MS
    at_once(story)
    story.rst(IUT)
    if cause in ("shutdown", "close"):
        story.iut.finish(call)
    assert Conclusion.VIOLATED not in story.conclusions("INIT-SHUT-05")


def test_a_reset_before_the_shutdown_is_not_an_answer_to_what_came_after_it() -> None:
    story = Story()
    story.rst(IUT)
    story.wait(40)
    story.iut.shutdown("send")
    story.fin(IUT)
    _answer(story, ends=False)
    assert story.conclusions("INIT-SHUT-05") == NOTHING


def test_data_at_the_instant_at_which_the_shutdown_returned_is_late() -> None:
    story = _half_closed(wireless)
    at_once(story)
    story.peer.send(5)
    story.peer.shutdown("send")
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("INIT-SHUT-05") == VIOLATED


def test_an_acknowledgement_after_the_end_is_no_late_data() -> None:
    story = _half_closed()
    story.fin(PEER)
    story.segment(PEER, "A")
    story.peer.shutdown("send")
    story.iut.recv()
    assert story.conclusions("INIT-SHUT-05") == NOTHING


# --- DD-SCN-05 --------------------------------------------------------------------------------------------------------


def _request(story: Story, asker: str) -> None:
    first, second = (story.iut, story.peer) if asker == "iut" else (story.peer, story.iut)
    first.send(3)
    first.shutdown("send")
    if story.header.wire:
        story.data(first.end, 3)
        story.fin(first.end)
    second.recv(3)
    second.recv()


def _whole_exchange(story: Story, asker: str, *, read: int = 7, closing: str = "") -> None:
    _request(story, asker)
    first, second = (story.iut, story.peer) if asker == "iut" else (story.peer, story.iut)
    second.send(7)
    second.shutdown("send")
    if story.header.wire:
        story.data(second.end, 7)
        story.fin(second.end)
    first.recv(read)
    first.recv()
    story.iut.close(error=closing)
    story.peer.close()


@pytest.mark.parametrize("asker", ["iut", "peer"])
@pytest.mark.parametrize("make", [Story, wireless, lambda: Story(UNIX_SEQPACKET)])
def test_the_exchange_works_either_way(make: Callable[[], Story], asker: str) -> None:
    story = make()
    _whole_exchange(story, asker)
    assert story.conclusions("DD-SCN-05") == SATISFIED


def test_what_closing_states_answer_does_not_spoil_the_exchange() -> None:
    story = Story()
    _whole_exchange(story, "peer")
    story.segment(PEER, "A")
    story.segment(IUT, "R")
    assert story.conclusions("DD-SCN-05") == SATISFIED


@pytest.mark.parametrize(("make", "asker"), [(Story, "iut"), (wireless, "iut"), (wireless, "peer")])
def test_the_answer_is_cut_short(make: Callable[[], Story], asker: str) -> None:
    story = make()
    _whole_exchange(story, asker, read=4)
    assert story.conclusions("DD-SCN-05") == VIOLATED


@pytest.mark.parametrize("takes", [1, 0])
@pytest.mark.parametrize("make", [Story, wireless])
def test_the_answer_is_refused(make: Callable[[], Story], takes: int) -> None:
    story = make()
    _request(story, "peer")
    story.iut.send(7, error="EPIPE", takes=takes)
    assert story.conclusions("DD-SCN-05") == VIOLATED


def test_an_answer_to_a_peer_that_left_may_be_refused() -> None:
    story = wireless()
    _request(story, "peer")
    story.peer.close()
    story.iut.send(7, error="EPIPE")
    assert story.conclusions("DD-SCN-05") == NOTHING


def test_a_close_that_fails_spoils_the_exchange() -> None:
    story = Story()
    _whole_exchange(story, "iut", closing="EIO")
    assert story.conclusions("DD-SCN-05") == VIOLATED


def test_without_an_answer_there_is_no_exchange() -> None:
    story = Story()
    _request(story, "iut")
    story.peer.shutdown("send")
    story.fin(PEER)
    story.iut.recv()
    assert story.conclusions("DD-SCN-05") == NOTHING


@pytest.mark.parametrize("asker", ["iut", "peer"])
@pytest.mark.parametrize("how", ["both", "receive"])
def test_another_shutdown_asks_nothing(asker: str, how: str) -> None:
    story = wireless()
    first, second = (story.iut, story.peer) if asker == "iut" else (story.peer, story.iut)
    first.shutdown(how)
    second.recv()
    second.send(7)
    second.shutdown("send")
    first.recv(4)
    first.recv()
    assert story.conclusions("DD-SCN-05") == NOTHING


@pytest.mark.parametrize("error", ["ECONNRESET", "ETIMEDOUT"])
def test_a_request_whose_end_was_told_as_an_error_begins_no_exchange(error: str) -> None:
    story = wireless()
    story.iut.shutdown("send")
    story.peer.recv(error=error)
    story.peer.send(7)
    story.peer.shutdown("send")
    story.iut.recv(4)
    story.iut.recv()
    assert story.conclusions("DD-SCN-05") == NOTHING


@pytest.mark.parametrize("wrong", ["told before it was asked", "ended before it was told"])
def test_an_exchange_has_an_order(wrong: str) -> None:
    story = wireless()
    if wrong == "told before it was asked":
        story.peer.recv()
        story.wait(5)
        story.iut.shutdown("send")
        story.peer.send(7)
        story.peer.shutdown("send")
    else:
        story.iut.shutdown("send")
        story.peer.shutdown("send")
        story.peer.recv()
        story.peer.send(7)
    story.iut.recv(4)
    story.iut.recv()
    assert story.conclusions("DD-SCN-05") == NOTHING


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("whole", VIOLATED),
        ("empty", NOTHING),
        ("refused", NOTHING),
        ("before", NOTHING),
        ("after the end", NOTHING),
        ("before and after the end", NOTHING),
    ],
)
def test_what_is_an_answer(answer: str, expected: set[Conclusion]) -> None:
    """Of the answer the IUT reads nothing; that is wrong where it was one."""
    story = wireless()
    story.iut.shutdown("send")
    if answer == "before":
        story.peer.send(7)
    story.peer.recv()
    match answer:
        case "whole" | "before and after the end":
            story.peer.send(7)
        case "empty":
            story.peer.send(0)
        case "refused":
            story.peer.send(7, error="EPIPE")
    story.peer.shutdown("send")
    if answer.endswith("after the end"):
        story.peer.send(7)
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("DD-SCN-05") == expected


def test_an_exchange_that_nobody_closed_is_not_over() -> None:
    for closes in ([], ["iut"], ["peer"]):
        story = wireless()
        _request(story, "iut")
        story.peer.send(7)
        story.peer.shutdown("send")
        story.iut.recv(7)
        story.iut.recv()
        for end in closes:
            getattr(story, end).close()
        assert story.conclusions("DD-SCN-05") == NOTHING


@pytest.mark.parametrize("excuse", ["linger", "reset", "time-out", "lost"])
def test_a_close_that_fails_for_a_reason_is_not_judged(excuse: str) -> None:
    story = Story(lost=1) if excuse == "lost" else Story()
    match excuse:
        case "linger":
            story.iut.linger(5)
        case "time-out":
            story.iut.call("set_option", name="USER_TIMEOUT", value=300)
    _request(story, "iut")
    story.peer.send(7)
    story.peer.shutdown("send")
    story.data(PEER, 7)
    story.fin(PEER)
    story.iut.recv(7)
    story.iut.recv()
    if excuse == "reset":
        story.rst(PEER)
    story.iut.close(error="EIO")
    assert Conclusion.VIOLATED not in story.conclusions("DD-SCN-05")


@pytest.mark.parametrize("when", ["before", "after"])
def test_only_an_answer_before_the_own_goodbye_can_be_refused_wrongly(when: str) -> None:
    story = wireless()
    _request(story, "peer")
    if when == "before":
        story.iut.send(7, error="EPIPE")
    story.iut.shutdown("send")
    if when == "after":
        story.iut.send(7, error="EPIPE")
    assert story.conclusions("DD-SCN-05") == (VIOLATED if when == "before" else NOTHING)


@pytest.mark.parametrize("end", ["close", "abortive close", "failed"])
def test_how_an_answer_may_end(end: str) -> None:
    story = wireless()
    _request(story, "peer")
    story.iut.send(7)
    match end:
        case "close":
            story.iut.close()
        case "abortive close":
            story.iut.linger(0)
            story.iut.close()
        case _:
            story.iut.shutdown("send", error="EIO")
    story.peer.recv(4)
    story.peer.recv()
    assert story.conclusions("DD-SCN-05") == (VIOLATED if end == "close" else NOTHING)


def test_an_answer_may_come_at_the_instant_of_the_request() -> None:
    story = wireless()
    waiting = story.peer.begin("recv", length=10)
    asking = story.iut.begin("shutdown", how="send")
    at_once(story)
    story.peer.finish(waiting, length=0, data="")
    at_once(story)
    story.iut.finish(asking)
    at_once(story)
    sending = story.peer.begin("send", pattern={"seed": 0, "length": 7})
    at_once(story)
    story.peer.finish(sending, length=7)
    at_once(story)
    story.peer.shutdown("send")
    story.iut.recv(4)
    story.iut.recv()
    assert story.conclusions("DD-SCN-05") == VIOLATED


@pytest.mark.parametrize(("on", "seconds", "expected"), [(True, 0, NOTHING), (True, 5, NOTHING), (False, 5, VIOLATED)])
def test_linger_excuses_a_close_that_fails(on: bool, seconds: int, expected: set[Conclusion]) -> None:
    story = wireless()
    story.iut.linger(seconds, on=on)
    _whole_exchange(story, "iut", closing="EIO")
    assert story.conclusions("DD-SCN-05") == expected
