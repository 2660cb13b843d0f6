# SPDX-License-Identifier: MIT
"""What judges ask of a goodbye: the instants at which each answer changes, and who is to blame for what came."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.oracle.departing import (
    brought_about,
    delivery,
    first_goodbye,
    intact,
    quiet,
    refused_send,
    response,
    sign_of_an_end,
    unprovoked,
    unread,
)
from conformance.trace.events import Fate
from conformance.trace.operations import Operation
from tests.oracle.story import (
    IUT,
    MS,
    PEER,
    REFERENCE,
    REFERENCE_STREAM,
    UNIX_SEQPACKET,
    Story,
    statement,
    wireless,
)

WEBSOCKET = statement("websocket", "MESSAGE_ORIENTED", family="runtime")
LONG = 1100
"""Milliseconds; longer than the prompt time of a story."""


def framed() -> Story:
    return Story(REFERENCE_STREAM)


def last(story: Story, op: str) -> Operation:
    return [o for o in story.connection().iut.operations if o.op == op][-1]


# --- the goodbye itself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("op", "handles", "is_one"), [("close", 1, True), ("close", 2, False), ("shutdown", 2, True)])
def test_a_close_is_a_goodbye_if_no_handle_is_left(op: str, handles: int, is_one: bool) -> None:
    story = Story()
    if handles > 1:
        story.iut.call("duplicate", result={"socket": 4})
    getattr(story.iut, op)()
    assert (first_goodbye(story.connection(), op) is not None) is is_one


# --- intact -----------------------------------------------------------------------------------------------------------


def reset_by_the_peer(story: Story) -> None:
    story.rst(PEER)


def reset_by_the_iut(story: Story) -> None:
    story.rst(IUT)


def told_of_an_error(story: Story) -> None:
    story.iut.recv(error="ECONNRESET")


def refused_to_send(story: Story) -> None:
    story.iut.send(5, error="EPIPE")


def held_an_error(story: Story) -> None:
    story.iut.get_error("ECONNRESET")


def left_by_the_peer(story: Story) -> None:
    story.peer.close()
    story.now -= MS  # it is gone from the entry on


@pytest.mark.parametrize(
    "breaks",
    [reset_by_the_peer, reset_by_the_iut, told_of_an_error, refused_to_send, held_an_error, left_by_the_peer],
)
def test_what_breaks_a_connection_breaks_it_from_that_instant_on(breaks: Callable[[Story], None]) -> None:
    story = Story()
    breaks(story)
    assert intact(story.connection(), story.now - 1)
    assert not intact(story.connection(), story.now)
    assert not intact(story.connection(), story.now + 1)


def test_an_end_that_is_told_breaks_nothing() -> None:
    story = Story()
    story.fin(PEER)
    story.iut.recv()
    assert intact(story.connection(), story.now)


def test_closes_of_both_ends_are_the_end_of_a_web_socket() -> None:
    story = Story(WEBSOCKET)
    story.pdu(PEER, "DATA", b"later")
    story.pdu(PEER, "CLOSE", acked=False)
    assert intact(story.connection(), story.now)
    story.pdu(IUT, "CLOSE", acked=False)
    assert intact(story.connection(), story.now - 1)
    assert not intact(story.connection(), story.now)


# --- unread -----------------------------------------------------------------------------------------------------------


def test_the_link_tells_what_has_yet_to_be_read() -> None:
    story = Story()
    story.peer.send(5)
    assert not unread(story.connection(), story.now)  # nothing of it is under way yet
    story.data(PEER, 5, acked=False)
    assert unread(story.connection(), story.now)
    story.iut.recv(5)
    assert not unread(story.connection(), story.now)


@pytest.mark.parametrize("left", [0, 1, 2])
def test_without_a_link_the_calls_tell(left: int) -> None:
    story = wireless()
    story.peer.send(5)
    story.iut.recv(5 - left)
    assert unread(story.connection(), story.now) is (left > 0)


@pytest.mark.parametrize(("make", "expected"), [(wireless, False), (lambda: Story(UNIX_SEQPACKET), True)])
def test_an_empty_message_has_to_be_read_too(make: Callable[[], Story], expected: bool) -> None:
    story = make()
    story.peer.send(0)
    assert unread(story.connection(), story.now) is expected


# --- quiet ------------------------------------------------------------------------------------------------------------


def looks(story: Story, since: int, for_ms: int, by: float | None = None) -> bool:
    return quiet(story.connection().peer, since, for_ms * MS, *(() if by is None else (by,))) is not None


def test_a_look_that_found_nothing_tells_of_the_time_until_it_was_made() -> None:
    story = Story()
    since = story.now
    story.wait(99)
    story.peer.recv(error="EAGAIN")
    assert looks(story, since, 100)
    assert not looks(story, since, 101)
    assert looks(story, since, 100, by=story.now)
    assert not looks(story, since, 100, by=story.now - 1)


@pytest.mark.parametrize("earlier", [True, False])
def test_a_wait_in_vain_tells_of_the_time_that_it_waited(earlier: bool) -> None:
    story = Story()
    since = story.now + (20 * MS if earlier else 0)
    story.peer.recv(timeout=True, takes=101, wait_ms=100)
    assert looks(story, since, 80)
    assert looks(story, since, 100) is not earlier
    assert not looks(story, since, 101)


def test_so_does_a_poll() -> None:
    story = Story()
    story.wait(50)
    since = story.now
    story.peer.poll(takes=150, wait_ms=100)
    assert looks(story, since, 100)
    assert not looks(story, since, 101)  # its return came late
    assert looks(story, since + 20 * MS, 81)
    assert not looks(story, since + 20 * MS, 82)
    assert looks(story, since, 100, by=story.now)
    assert not looks(story, since, 100, by=story.now - 1)


@pytest.mark.parametrize(("took_ms", "looked_ms"), [(90, 100), (89, 89)])
def test_a_wait_that_came_back_much_too_early_tells_of_no_more_than_it_took(took_ms: int, looked_ms: int) -> None:
    story = Story()
    since = story.now
    story.peer.recv(timeout=True, takes=took_ms, wait_ms=100)
    assert looks(story, since + MS, looked_ms)
    assert not looks(story, since + MS, looked_ms + 1)


@pytest.mark.parametrize("how", ["recv", "poll"])
@pytest.mark.parametrize("earlier", [True, False])
def test_a_look_that_was_not_to_wait_tells_of_no_time_however_late_its_return(how: str, earlier: bool) -> None:
    story = Story()
    since = story.now + (20 * MS if earlier else MS)
    if how == "recv":
        story.peer.recv(timeout=True, takes=100, wait_ms=0)
    else:
        story.peer.poll(takes=100)  # as by no wait_ms at all
    assert not looks(story, since, 1)
    assert looks(story, since, 0) is not earlier


@pytest.mark.parametrize("op", ["recv", "poll"])
def test_a_wait_whose_timer_was_a_little_early_has_been_waited(op: str) -> None:
    story = Story()
    call = story.peer.begin(op, length=10, events=["IN"], wait_ms=100)
    since = story.now
    story.now += 98 * MS + MS * 7 // 10
    story.peer.finish(call, timeout=True)
    assert looks(story, since, 100)
    assert not looks(story, since, 101)


@pytest.mark.parametrize("first", ["data", "no look"])
def test_what_was_no_look_hides_no_later_one(first: str) -> None:
    story = Story()
    since = story.now
    if first == "data":
        story.peer.recv(5)
    else:
        story.peer.poll("IN", takes=5)
        story.peer.poll(ask=("OUT",), takes=5)
        story.peer.poll(takes=100, wait_ms=100)
    story.peer.recv(timeout=True, takes=101, wait_ms=100)
    assert looks(story, since, 100)


def test_a_poll_that_did_not_ask_whether_it_can_read_tells_nothing() -> None:
    story = Story()
    since = story.now
    story.peer.poll(takes=100, wait_ms=100, ask=("OUT",))
    assert not looks(story, since, 50)


def test_what_found_something_was_no_look_in_vain() -> None:
    story = Story()
    since = story.now
    story.wait(100)
    story.peer.recv(5)
    story.peer.poll("IN", takes=100, wait_ms=100)
    assert not looks(story, since, 0)


# --- sign_of_an_end, refused_send -------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [Story, framed, wireless])
def test_a_sign_of_an_end_is_looked_for_from_one_instant_until_before_another(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.shutdown("send")
    if make is wireless:
        story.peer.recv()
    elif make is framed:
        story.pdu(IUT, "RELEASE", acked=False)
    else:
        story.fin(IUT, acked=False)
    at, connection = story.now, story.connection()
    assert sign_of_an_end(connection, at, at + 1) is not None
    assert sign_of_an_end(connection, at + 1, at + 2) is None
    assert sign_of_an_end(connection, at - 1, at) is None


def test_a_refused_send_is_looked_for_from_one_instant_until_before_another() -> None:
    story = Story()
    story.iut.send(5, error="EPIPE")
    at, connection = story.now, story.connection()
    assert refused_send(connection, at - MS, at + 1) is not None
    assert refused_send(connection, at - MS + 1, at + 1) is None
    assert refused_send(connection, at - MS, at) is None


def test_a_send_that_was_never_answered_is_not_refused() -> None:
    story = Story()
    story.iut.begin("send", pattern={"seed": 0, "length": 5})
    assert refused_send(story.connection(), 0, story.now + 1) is None


@pytest.mark.parametrize(("when", "blamed"), [("before", False), ("at", False), ("after", True)])
def test_a_peer_that_stopped_receiving_may_be_refused(when: str, blamed: bool) -> None:
    story = Story()
    if when == "before":
        story.peer.shutdown("receive")
    story.iut.send(5, error="EPIPE")
    if when == "at":
        story.now -= MS
    if when != "before":
        story.peer.shutdown("receive")
    assert (refused_send(story.connection(), 0, story.now + 1) is not None) is blamed


def test_after_a_reset_a_send_is_refused_rightly() -> None:
    story = Story()
    story.rst(PEER)
    story.iut.send(5, error="ECONNRESET")
    assert refused_send(story.connection(), 0, story.now + 1) is None


# --- brought_about ----------------------------------------------------------------------------------------------------


def outcome(story: Story, op: str = "shutdown") -> str | None:
    observed = brought_about(story.connection(), last(story, op))
    return None if observed is None else observed.told


@pytest.mark.parametrize("unit", ["FIN", "RST", "RELEASE", "ABORT"])
def test_what_comes_at_the_instant_of_the_call_is_its_doing(unit: str) -> None:
    story = Story() if unit in ("FIN", "RST") else framed()
    call = story.iut.begin("shutdown", how="send")
    story.now -= MS
    match unit:
        case "FIN":
            story.fin(IUT)
        case "RST":
            story.rst(IUT)
        case _:
            story.pdu(IUT, unit)
    story.iut.finish(call)
    assert outcome(story) == ("GRACEFUL" if unit in ("FIN", "RELEASE") else "ABORT_REMOTE")


@pytest.mark.parametrize("unit", ["FIN", "RELEASE"])
def test_what_comes_with_the_next_goodbye_is_not(unit: str) -> None:
    story = Story() if unit == "FIN" else framed()
    story.iut.shutdown("send")
    story.iut.begin("close")
    story.now -= MS
    if unit == "FIN":
        story.fin(IUT)
    else:
        story.pdu(IUT, unit)
    assert outcome(story) is None


@pytest.mark.parametrize(("when", "known"), [("before", False), ("at", False), ("after", True)])
@pytest.mark.parametrize("unit", ["RST", "FIN", "ABORT", "RELEASE"])
def test_the_peers_reset_explains_what_comes_after_it(unit: str, when: str, known: bool) -> None:
    story = Story() if unit in ("RST", "FIN") else framed()

    def reset_by_the_peer() -> None:
        if unit in ("RST", "FIN"):
            story.rst(PEER)
        else:
            story.pdu(PEER, "ABORT", acked=False)

    story.iut.shutdown("both")
    if when != "after":
        reset_by_the_peer()
    if when == "at":
        story.now -= MS
    said(story, "reset" if unit in ("RST", "ABORT") else "end")
    if when == "after":
        reset_by_the_peer()
    told = "ABORT_REMOTE" if unit in ("RST", "ABORT") else "GRACEFUL"
    assert outcome(story) == (told if known else None)


def test_a_release_of_the_peers_explains_no_abort() -> None:
    story = framed()
    story.pdu(PEER, "RELEASE")
    story.iut.shutdown("both")
    story.pdu(IUT, "ABORT")
    assert outcome(story) == "ABORT_REMOTE"


def test_a_reset_is_provoked_by_what_came_before_it() -> None:
    story = Story()
    story.rst(IUT)
    story.rst(PEER)
    connection = story.connection()
    assert unprovoked(connection, connection.iut_to_peer.resets[0])
    for pause in (0, MS):
        story = Story()
        story.rst(PEER)
        story.now += pause - MS
        story.rst(IUT)
        connection = story.connection()
        assert not unprovoked(connection, connection.iut_to_peer.resets[0])
    story = Story()
    story.peer.send(5)
    story.data(PEER, 5)
    story.rst(IUT)
    connection = story.connection()
    assert not unprovoked(connection, connection.iut_to_peer.resets[0])


@pytest.mark.parametrize(("error", "told"), [("", "GRACEFUL"), ("ECONNRESET", "ABORT_REMOTE"), ("EIO", None)])
def test_without_a_link_the_peers_word_tells(error: str, told: str | None) -> None:
    story = wireless()
    story.iut.close()
    story.peer.recv(error=error)
    assert outcome(story, "close") == told


@pytest.mark.parametrize(("early", "told"), [(0, "GRACEFUL"), (1, None)])
def test_a_word_from_before_the_call_is_not_its_doing(early: int, told: str | None) -> None:
    story = wireless()
    reading, close = story.peer.begin("recv", length=10), story.iut.begin("close")
    story.now -= MS + early
    story.peer.finish(reading, length=0, data="")
    story.now += early
    story.iut.finish(close)
    story.peer.recv()
    assert outcome(story, "close") == told


def test_a_word_that_comes_with_the_next_goodbye_is_not_either() -> None:
    story = wireless()
    story.iut.shutdown("send")
    word = story.peer.begin("recv", length=10)
    story.now += MS
    close = story.iut.begin("close")
    story.now -= MS
    story.peer.finish(word, length=0, data="")
    story.now += MS
    story.iut.finish(close)
    assert outcome(story) is None


@pytest.mark.parametrize("make", [Story, framed, wireless])
@pytest.mark.parametrize("broken", [False, True])
def test_nothing_came_although_the_peer_looked(make: Callable[[], Story], broken: bool) -> None:
    story = make()
    if broken:
        story.iut.recv(error="ECONNRESET")
    story.iut.shutdown("send")
    story.peer.recv(timeout=True, takes=LONG + 1, wait_ms=LONG)
    assert outcome(story) == (None if broken else "NO_INDICATION")


@pytest.mark.parametrize(
    ("windows", "told"), [((), "NO_INDICATION"), ((0,), None), ((0, 9), "NO_INDICATION"), ((9, 0), None)]
)
def test_a_peer_that_has_no_room_may_keep_the_end_from_coming(windows: tuple[int, ...], told: str | None) -> None:
    story = Story()
    for window in windows:
        story.segment(PEER, "A", window=window)
    story.iut.shutdown("send")
    story.peer.recv(timeout=True, takes=LONG + 1, wait_ms=LONG)
    assert outcome(story) == told


# --- delivery ---------------------------------------------------------------------------------------------------------


def complete(story: Story, op: str = "shutdown", *, with_posted: bool | None = None) -> bool | None:
    told = {} if with_posted is None else {"with_posted": with_posted}
    rest = delivery(story.connection(), last(story, op), **told)
    return None if rest is None else rest.complete


def said(story: Story, unit: str) -> None:
    """The IUT's unit for an end or an abort, by whatever its transport has for it; without a link, nothing."""
    if story.header.statement.transport == "reference":
        story.pdu(IUT, "ABORT" if unit == "reset" else "RELEASE")
    elif story.header.wire:
        story.segment(IUT, "RA" if unit == "reset" else "FA")


SEEN = pytest.mark.parametrize("make", [Story, framed])


@SEEN
@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("nothing", "nothing", False),
        ("unread", "nothing", None),
        ("peer-abort", "nothing", None),
        ("peer-abort-just-then", "nothing", None),
        ("nothing", "peer-abort", False),
        ("end", "nothing", None),
        ("abort", "nothing", None),
    ],
)
def test_a_reset_that_loses_what_was_accepted_is_a_loss_unless_something_explains_it(
    make: Callable[[], Story], before: str, after: str, expected: bool | None
) -> None:
    story = make()
    is_framed = make is framed

    def step(name: str) -> None:
        match name:
            case "unread":
                story.peer.send(5)
                if is_framed:
                    story.pdu(PEER, "DATA", bytes(5))
                else:
                    story.data(PEER, 5)
            case "peer-abort" | "peer-abort-just-then":
                if is_framed:
                    story.pdu(PEER, "ABORT", acked=False)
                else:
                    story.rst(PEER)
                story.now -= MS if name == "peer-abort-just-then" else 0
            case "end":
                said(story, "end")
            case "abort":
                said(story, "reset")

    story.iut.send(10)
    step("abort" if before == "abort" else "nothing")
    story.iut.shutdown("both")
    step(before if before != "abort" else "nothing")
    said(story, "reset")
    step(after)
    story.peer.recv(error="ECONNRESET")
    assert complete(story) is expected


@SEEN
@pytest.mark.parametrize(("early", "expected"), [(0, False), (1, None)])
def test_a_reset_from_before_the_goodbye_is_not_its_doing(
    make: Callable[[], Story], early: int, expected: bool | None
) -> None:
    story = make()
    story.iut.send(10)
    call = story.iut.begin("shutdown", how="both")
    story.now -= MS + early
    said(story, "reset")
    story.now += early
    story.iut.finish(call)
    story.peer.recv(error="ECONNRESET")
    assert complete(story) is expected


@pytest.mark.parametrize(("early", "expected"), [(0, False), (1, None)])
def test_an_end_that_was_told_before_the_goodbye_is_not_its_doing(early: int, expected: bool | None) -> None:
    story = wireless()
    story.iut.send(10)
    story.peer.recv(4)
    reading, call = story.peer.begin("recv", length=10), story.iut.begin("shutdown", how="send")
    story.now -= MS + early
    story.peer.finish(reading, length=0, data="")
    story.now += early
    story.iut.finish(call)
    assert complete(story) is expected


@pytest.mark.parametrize("unit", ["end", "reset"])
@SEEN
@pytest.mark.parametrize(("early", "expected"), [(0, None), (1, False)])
def test_the_link_tells_which_goodbye_it_was_that_lost_the_rest(
    make: Callable[[], Story], unit: str, early: int, expected: bool | None
) -> None:
    story = make()
    story.iut.send(10)
    story.iut.shutdown("send")
    close = story.iut.begin("close")
    story.now -= MS + early
    said(story, unit)
    story.now += early
    story.iut.finish(close)
    story.peer.recv(error="" if unit == "end" else "ECONNRESET")
    assert complete(story) is expected


@SEEN
def test_a_time_out_explains_a_loss(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.call("set_option", name="USER_TIMEOUT", value=1)
    story.iut.send(10)
    story.iut.shutdown("both")
    said(story, "reset")
    story.peer.recv(error="ECONNRESET")
    assert complete(story) is None


@pytest.mark.parametrize(("aborts", "expected"), [(False, False), (True, None)])
def test_without_a_link_a_reset_that_loses_data_is_a_loss_after_a_graceful_call(
    aborts: bool, expected: bool | None
) -> None:
    story = wireless()
    story.iut.send(10)
    if aborts:
        story.iut.linger(0)
    story.iut.close()
    story.peer.recv(error="ECONNRESET")
    assert complete(story, "close") is expected


@pytest.mark.parametrize("make", [Story, framed, wireless])
def test_a_word_of_another_error_tells_of_no_loss(make: Callable[[], Story]) -> None:
    story = make()
    story.iut.send(10)
    story.iut.shutdown("both")
    said(story, "reset")
    story.peer.recv(error="ETIMEDOUT")
    assert complete(story) is None


@pytest.mark.parametrize("lost", [0, 3])
def test_a_link_that_was_not_seen_whole_shows_no_loss(lost: int) -> None:
    story = Story(lost=lost)
    story.iut.send(10)
    story.iut.shutdown("send")
    said(story, "end")
    story.peer.recv(4)
    story.peer.recv()
    assert complete(story) is (None if lost else False)


@pytest.mark.parametrize(("when", "expected"), [("before", True), ("across", None), ("after", None)])
def test_what_was_not_accepted_before_the_goodbye_is_not_counted(when: str, expected: bool | None) -> None:
    story = wireless()
    if when == "before":
        story.iut.send(10)
    sending = story.iut.begin("send", pattern={"seed": 0, "length": 10}) if when == "across" else None
    story.iut.shutdown("send")
    if sending is not None:
        story.iut.finish(sending, length=10)
    if when == "after":
        story.iut.send(10)
    story.peer.recv(10)
    story.peer.recv()
    assert complete(story) is expected


@pytest.mark.parametrize(("late", "expected"), [(0, True), (1, None)])
def test_a_send_that_returned_by_the_instant_of_the_goodbye_was_before_it(late: int, expected: bool | None) -> None:
    story = wireless()
    sending, call = (
        story.iut.begin("send", pattern={"seed": 0, "length": 10}),
        story.iut.begin("shutdown", how="send"),
    )
    story.now += late - MS
    story.iut.finish(sending, length=10)
    story.iut.finish(call)
    story.peer.recv(10)
    story.peer.recv()
    assert complete(story) is expected


@pytest.mark.parametrize(("early", "expected"), [(0, None), (1, True)])
def test_a_send_that_was_posted_at_the_instant_of_the_goodbye_was_not_before_it(
    early: int, expected: bool | None
) -> None:
    story = Story(REFERENCE_STREAM, wire=False)
    post = story.iut.begin("post_send", pattern={"seed": 0, "length": 10})
    story.now += early - MS
    call = story.iut.begin("shutdown", how="send")
    story.iut.finish(post, token="s1")
    story.iut.finish(call)
    story.iut.sent("s1", 10)
    story.peer.recv(10)
    story.peer.recv()
    assert complete(story, with_posted=True) is expected


@pytest.mark.parametrize("with_posted", [True, False, None])
def test_a_send_that_was_posted_before_may_count(with_posted: bool | None) -> None:
    story = Story(REFERENCE_STREAM, wire=False)
    story.iut.post_send("s1", 10)
    story.iut.shutdown("send")
    story.iut.sent("s1", 10)
    story.peer.recv(10)
    story.peer.recv()
    assert complete(story, with_posted=with_posted) is (True if with_posted else None)


@pytest.mark.parametrize("op", ["send", "post_send"])
def test_a_send_that_was_posted_later_or_not_posted_does_not(op: str) -> None:
    story = Story(REFERENCE_STREAM, wire=False)
    if op == "send":
        sending = story.iut.begin("send", pattern={"seed": 0, "length": 10})
        story.iut.shutdown("send")
        story.iut.finish(sending, length=10)
    else:
        story.iut.shutdown("send")
        story.iut.post_send("s1", 10)
        story.iut.sent("s1", 10)
    story.peer.recv(10)
    story.peer.recv()
    assert complete(story, with_posted=True) is None


def test_a_posted_send_that_failed_leaves_open_how_much_of_it_went() -> None:
    story = Story(REFERENCE_STREAM, wire=False)
    story.iut.send(10)
    story.iut.post_send("s1", 10)
    story.iut.sent("s1", error="WSAECONNABORTED")
    story.iut.shutdown("send")
    story.peer.recv(10)
    story.peer.recv()
    assert complete(story) is None


@pytest.mark.parametrize("error", ["EAGAIN", "EMSGSIZE"])
def test_a_send_that_failed_was_not_accepted(error: str) -> None:
    story = wireless()
    story.iut.send(10)
    story.iut.send(10, error=error)
    story.iut.shutdown("send")
    story.peer.recv(10)
    story.peer.recv()
    assert complete(story) is True


def test_a_send_that_was_never_answered_leaves_open_how_much_of_it_went() -> None:
    story = wireless()
    story.iut.send(10)
    story.iut.begin("send", pattern={"seed": 10, "length": 10})
    story.iut.shutdown("send")
    story.peer.recv(10)
    story.peer.recv()
    assert complete(story) is None


# --- response ---------------------------------------------------------------------------------------------------------


def answered(story: Story) -> bool | None:
    answer = response(story.connection())
    return None if answer is None else answer.complete


@pytest.mark.parametrize("make", [Story, wireless])
@pytest.mark.parametrize(("read", "expected"), [(10, True), (9, False)])
def test_the_iut_reads_all_up_to_the_end(make: Callable[[], Story], read: int, expected: bool) -> None:
    story = make()
    story.peer.send(10)
    story.peer.shutdown("send")
    if make is Story:
        story.data(PEER, 10)
        story.fin(PEER)
    story.iut.recv(read)
    story.iut.recv()
    assert answered(story) is expected


def test_the_link_tells_how_much_had_to_be_read() -> None:
    story = Story()
    story.peer.send(10)
    story.data(PEER, 4)
    story.fin(PEER)
    story.iut.recv(4)
    story.iut.recv()
    assert answered(story) is True  # what the peer's stack kept is not the IUT's to read


@pytest.mark.parametrize(("ended", "expected"), [(True, False), (False, None)])
def test_an_end_that_is_never_told(ended: bool, expected: bool | None) -> None:
    story = Story()
    story.peer.send(10)
    story.data(PEER, 10)
    if ended:
        story.peer.shutdown("send")
        story.fin(PEER)
    story.iut.recv(10)
    story.iut.recv(timeout=True, takes=LONG + 1, wait_ms=LONG)
    assert answered(story) is expected


def test_an_end_that_nobody_looked_for_is_not_missed() -> None:
    story = Story()
    story.peer.send(10)
    story.data(PEER, 10)
    story.fin(PEER)
    story.iut.recv(10)
    assert answered(story) is None


@pytest.mark.parametrize(("when", "expected"), [("before", None), ("at", None), ("after", False)])
def test_a_reset_after_the_end_explains_an_error_from_then_on(when: str, expected: bool | None) -> None:
    story = Story()
    story.peer.send(10)
    story.data(PEER, 10)
    story.fin(PEER)
    if when == "before":
        story.rst(PEER)
    story.iut.recv(error="ECONNRESET")
    if when == "at":
        story.now -= MS
    if when != "before":
        story.rst(PEER)
    assert answered(story) is expected


@pytest.mark.parametrize(
    ("read", "told", "expected"), [(10, "", True), (9, "", None), (10, "ECONNRESET", None), (9, "ECONNRESET", None)]
)
def test_what_was_read_whole_no_reset_after_the_end_has_spoilt(read: int, told: str, expected: bool | None) -> None:
    story = Story()
    story.peer.send(10)
    story.data(PEER, 10)
    story.fin(PEER)
    story.rst(PEER)
    story.iut.recv(read)
    story.iut.recv(error=told)
    assert answered(story) is expected


@pytest.mark.parametrize("sender", [IUT, PEER])
def test_of_an_abort_there_is_nothing_to_say(sender: object) -> None:
    story = Story()
    story.peer.send(10)
    story.data(PEER, 10)
    story.rst(IUT if sender is IUT else PEER)
    story.iut.recv(error="ECONNRESET")
    assert answered(story) is None


def test_an_end_before_the_end_is_no_answer() -> None:
    story = Story()
    story.peer.send(10)
    story.data(PEER, 10)
    story.iut.recv(10)
    story.iut.recv()
    story.peer.shutdown("send")
    story.fin(PEER)
    (answer,) = (response(story.connection()),)
    assert answer is not None and not answer.complete
    assert "before the peer's end had come" in answer.because


def test_the_end_may_be_told_at_the_instant_at_which_it_comes() -> None:
    story = Story()
    story.peer.shutdown("send")
    reading = story.iut.begin("recv", length=10)
    story.segment(PEER, "FA")
    story.now -= MS
    story.iut.finish(reading, length=0, data="")
    assert answered(story) is True


def test_a_link_with_losses_explains_an_error() -> None:
    story = Story()
    story.peer.send(10)
    story.segment(PEER, "PA", 10, fate=Fate.DROPPED)
    story.iut.recv(error="ETIMEDOUT")
    assert answered(story) is None


@pytest.mark.parametrize(("messages", "expected"), [(2, True), (1, False)])
def test_messages_are_counted(messages: int, expected: bool) -> None:
    story = Story(REFERENCE, wire=False)
    story.peer.send(5)
    story.peer.send(5, seed=5)
    story.peer.shutdown("send")
    for number in range(messages):
        story.iut.recv(5, seed=5 * number)
    story.iut.recv(error="WSAEDISCON")
    assert answered(story) is expected
