# SPDX-License-Identifier: MIT
"""The judges of the graceful end: for each, stories in which it holds, is broken, and has another cause."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from conformance.oracle.findings import Conclusion
from conformance.trace.events import Established, Fate, Outcome, Returned
from tests.oracle.story import IUT, MS, PATIENCE, PEER, UNIX_STREAM, Story, at_once, statement, wireless

SATISFIED, VIOLATED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}
UNDETERMINED, NOTHING = {Conclusion.UNDETERMINED}, set[Conclusion]()
WINSOCK_STREAM = statement("other", family="winsock-api", platform="windows")


def ended(length: int = 0, *, story: Story | None = None) -> Story:
    """The peer has sent so many bytes and shut down its sending; the IUT has acknowledged all of it."""
    story = story or Story()
    if length:
        story.peer.send(length)
        if story.header.wire:
            story.data(PEER, length)
    story.peer.shutdown("send")
    if story.header.wire:
        story.fin(PEER)
    return story


LINKS = pytest.mark.parametrize("link", [Story, wireless], ids=["wire", "wireless"])
Change = Callable[[Story], object]


# --- IND-STREAM-01 ----------------------------------------------------------------------------------------------------


@LINKS
@pytest.mark.parametrize(
    ("error", "expected"), [("", SATISFIED), ("ECONNRESET", VIOLATED), ("ENOTCONN", VIOLATED), ("ETIMEDOUT", VIOLATED)]
)
def test_the_end_is_told_as_zero_bytes(link: Callable[[], Story], error: str, expected: set[Conclusion]) -> None:
    story = ended(5, story=link())
    story.iut.recv(5)
    story.iut.recv(error=error)
    assert story.conclusions("IND-STREAM-01") == expected


@LINKS
def test_an_end_that_was_not_reached_is_not_judged(link: Callable[[], Story]) -> None:
    story = ended(5, story=link())
    story.iut.recv(5)
    assert story.conclusions("IND-STREAM-01") == NOTHING


@pytest.mark.parametrize("link", [Story, wireless], ids=["wire", "wireless"])
def test_an_end_that_is_told_too_early(link: Callable[[], Story]) -> None:
    story = link()
    story.iut.recv()
    ended(story=story)
    assert story.conclusions("IND-STREAM-01") == VIOLATED


@LINKS
def test_an_end_that_never_was(link: Callable[[], Story]) -> None:
    story = link()
    story.iut.recv()
    assert story.conclusions("IND-STREAM-01") == VIOLATED


def test_a_fin_that_was_dropped_is_no_end() -> None:
    story = Story()
    story.peer.shutdown("send")
    story.segment(PEER, "FA", fate=Fate.DROPPED)
    story.iut.recv()
    assert story.conclusions("IND-STREAM-01") == VIOLATED


@pytest.mark.parametrize("op", ["send", "get_error", "peek", "no length"])
def test_zero_bytes_after_an_error_that_another_call_took(op: str) -> None:
    """The IUT had timed out; Linux tells so once, and gives 0 from then on."""
    story = Story()
    story.iut.call("set_option", name="USER_TIMEOUT", value=300)
    match op:
        case "send":
            story.iut.send(5, error="ETIMEDOUT")
        case "get_error":
            story.iut.get_error("ETIMEDOUT")
        case "peek":
            story.iut.recv(error="ETIMEDOUT", flags=["PEEK"])
        case _:
            story.iut.call("recv", length=0, error="ETIMEDOUT")
    story.iut.recv()
    assert story.conclusions("IND-STREAM-01") == NOTHING


@pytest.mark.parametrize(
    "before",
    [
        lambda story: story.iut.send(5, error="EWOULDBLOCK"),
        lambda story: story.iut.shutdown(7, error="EINVAL"),
        lambda story: story.iut.get_error(),
        lambda story: (story.iut.shutdown("send"), story.iut.send(5, error="EPIPE")),
    ],
    ids=["would-block", "bad-how", "no-error", "own-shutdown"],
)
def test_calls_that_tell_of_no_end_excuse_nothing(before: Change) -> None:
    story = Story()
    before(story)
    story.iut.recv()
    assert story.conclusions("IND-STREAM-01") == VIOLATED


def test_without_a_link_a_goodbye_that_was_not_answered_may_have_been_said() -> None:
    story = wireless()
    story.peer.begin("shutdown", how="send")
    story.iut.recv()
    assert story.conclusions("IND-STREAM-01") == NOTHING


@LINKS
@pytest.mark.parametrize(("wait_ms", "expected"), [(999, NOTHING), (1000, VIOLATED)])
def test_an_end_that_is_never_told(link: Callable[[], Story], wait_ms: int, expected: set[Conclusion]) -> None:
    story = ended(story=link())
    story.iut.recv(timeout=True, takes=wait_ms, wait_ms=wait_ms)
    assert story.conclusions("IND-STREAM-01") == expected


def test_an_end_that_is_told_after_a_receive_looked_in_vain() -> None:
    story = ended()
    story.iut.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    story.iut.recv()
    assert story.conclusions("IND-STREAM-01") == VIOLATED


def test_a_receive_that_looks_in_vain_after_the_end_was_told_is_for_another_judge() -> None:
    story = ended()
    story.iut.recv()
    story.iut.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions("IND-STREAM-01") == SATISFIED
    assert story.conclusions("IND-STREAM-03") == VIOLATED


def test_a_short_look_that_returns_late_looked_only_as_long_as_it_was_asked_to() -> None:
    story = ended()
    story.iut.recv(timeout=True, takes=PATIENCE, wait_ms=30)
    story.iut.recv()
    assert story.conclusions("IND-STREAM-01") == SATISFIED


@pytest.mark.parametrize(("after_ms", "expected"), [(0, SATISFIED), (998, SATISFIED), (999, VIOLATED)])
def test_would_block_long_after_the_end(after_ms: int, expected: set[Conclusion]) -> None:
    """The receive is made 1 ms after `after_ms`; the bound is 1 s after the acknowledgement of the FIN."""
    story = ended()
    story.iut.nonblocking()
    story.wait(after_ms - 2 if after_ms else 0)
    story.iut.recv(error="EWOULDBLOCK")
    story.iut.recv()
    assert story.conclusions("IND-STREAM-01") == expected


def test_waiting_beyond_the_own_shutdown_of_receiving_is_not_in_vain() -> None:
    """Some leave a receive pending when their own user gives up receiving."""
    story = Story()
    call = story.iut.begin("recv", length=10, wait_ms=PATIENCE)
    ended(story=story)
    story.iut.shutdown("receive")
    story.wait(PATIENCE)
    story.iut.finish(call, timeout=True)
    assert story.conclusions("IND-STREAM-01") == NOTHING


def test_a_fin_that_is_acknowledged_after_the_end_was_told() -> None:
    story = Story()
    story.peer.shutdown("send")
    story.fin(PEER, acked=False)
    story.iut.recv()
    story.wait(40)
    story.segment(IUT, "A")
    assert story.conclusions("IND-STREAM-01") == SATISFIED


def test_a_fin_that_was_never_acknowledged_need_not_have_come() -> None:
    story = Story()
    story.peer.shutdown("send")
    story.fin(PEER, acked=False)
    story.iut.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions("IND-STREAM-01") == NOTHING


def test_a_fin_that_is_held_ends_when_it_is_let_go() -> None:
    story = Story()
    story.peer.shutdown("send")
    story.segment(PEER, "FA", fate=Fate.HELD, delivered_at=story.now + 500_000_000)
    story.iut.recv()
    assert story.conclusions("IND-STREAM-01") == VIOLATED


def test_what_was_told_before_a_reset_followed_counts() -> None:
    story = ended()
    story.iut.recv()
    story.iut.recv()
    story.rst(PEER)
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("IND-STREAM-01") == SATISFIED
    assert story.conclusions("IND-STREAM-03") == SATISFIED


@pytest.mark.parametrize("ends", [lambda s: s.rst(IUT), lambda s: s.rst(PEER)], ids=["own-reset", "reset"])
@pytest.mark.parametrize("error", ["", "ECONNRESET"])
def test_a_direction_that_was_aborted_has_no_graceful_end(ends: Change, error: str) -> None:
    story = Story()
    ends(story)
    story.iut.recv(error=error)
    for requirement in ("IND-STREAM-01", "IND-STREAM-02", "IND-STREAM-03", "IND-STREAM-04", "IND-STREAM-05"):
        assert story.conclusions(requirement) == NOTHING


def test_an_error_that_came_from_nowhere_is_no_graceful_end() -> None:
    story = Story()
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("IND-STREAM-01") == NOTHING


@pytest.mark.parametrize("error", ["ECONNRESET", ""])
def test_what_is_told_after_a_reset_that_followed_the_end_is_free(error: str) -> None:
    story = ended()
    story.iut.send(5)
    story.rst(PEER)
    story.iut.recv(error=error)
    assert story.conclusions("IND-STREAM-01") == NOTHING


def test_a_user_time_out_may_be_told_in_place_of_the_end() -> None:
    story = ended(story=_timed())
    story.iut.recv(error="ETIMEDOUT")
    assert story.conclusions("IND-STREAM-01") == NOTHING


def test_a_user_time_out_does_not_excuse_another_error() -> None:
    story = ended(story=_timed())
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("IND-STREAM-01") == VIOLATED


def _timed() -> Story:
    story = Story()
    story.iut.call("set_option", name="USER_TIMEOUT", value=300)
    return story


@pytest.mark.parametrize("gives_up", [lambda s: s.iut.shutdown("receive"), lambda s: s.iut.close()])
def test_receives_after_giving_up_receiving_tell_nothing_of_the_peer(gives_up: Change) -> None:
    story = Story()
    gives_up(story)
    story.iut.recv()
    assert story.conclusions("IND-STREAM-01") == NOTHING


def test_a_receive_of_no_length_tells_nothing() -> None:
    story = Story()
    story.iut.call("recv", length=0, result={"length": 0, "data": ""})
    story.iut.recv(flags=["PEEK"])
    assert story.conclusions("IND-STREAM-01") == NOTHING


def test_death_ends_gracefully() -> None:
    for story in (Story(), wireless()):
        story.peer.dies()
        if story.header.wire:
            story.fin(PEER)
        story.iut.recv()
        assert story.conclusions("IND-STREAM-01") == SATISFIED


def test_the_iut_may_be_the_one_that_listens() -> None:
    story = Story(connected=False)
    story.segment(PEER, "S", start=-1)
    story.segment(IUT, "SA", start=-1)
    established = next(e for e in Story().events if isinstance(e, Established))
    listener = {"family": "inet", "host": "127.0.0.1", "port": 40000}
    client = {"family": "inet", "host": "127.0.0.1", "port": 10000}
    story.add(
        msgspec.structs.replace(
            established, at=story.tick(), client=PEER, client_address=client, listener_address=listener
        )
    )
    ended(5, story=story)
    story.iut.recv(5)
    story.iut.recv()
    assert story.conclusions("IND-STREAM-01") == SATISFIED
    assert story.conclusions("IND-STREAM-02") == SATISFIED


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_how_the_direction_ended_may_not_be_known(number: int) -> None:
    story = ended(story=Story(lost=1))
    story.iut.recv()
    assert story.conclusions(f"IND-STREAM-0{number}") == UNDETERMINED


def test_a_call_that_failed_before_there_was_a_connection_tells_nothing_of_it() -> None:
    established = next(e for e in wireless().events if isinstance(e, Established))
    story = Story(UNIX_STREAM, connected=False)
    story.iut.shutdown("send", error="ENOTCONN")
    story.add(msgspec.structs.replace(established, at=story.tick()))
    story.iut.recv()
    assert story.conclusions("IND-STREAM-01") == VIOLATED


def test_message_protocols_have_a_judge_of_their_own() -> None:
    story = ended(story=Story(statement("unix", "MESSAGE_ORIENTED")))
    story.iut.recv()
    assert story.conclusions("IND-STREAM-01") == NOTHING


def test_windows_names_are_known() -> None:
    story = ended(story=Story(WINSOCK_STREAM))
    story.iut.recv(error="WSAEDISCON")
    assert story.conclusions("IND-STREAM-01") == VIOLATED


def test_what_is_told_at_the_instant_of_a_reset_may_be_told_of_it() -> None:
    story = ended()
    call = story.iut.begin("recv", length=10)
    story.rst(PEER)
    at_once(story)
    story.iut.finish(call, error="ECONNRESET")
    assert story.conclusions("IND-STREAM-01") == NOTHING


# --- IND-STREAM-02 ----------------------------------------------------------------------------------------------------


@LINKS
@pytest.mark.parametrize(
    ("read", "expected"), [((5,), SATISFIED), ((2, 3), SATISFIED), ((4,), VIOLATED), ((), VIOLATED)]
)
def test_all_bytes_are_read_before_the_end(
    link: Callable[[], Story], read: tuple[int, ...], expected: set[Conclusion]
) -> None:
    story = ended(5, story=link())
    offset = 0
    for length in read:
        story.iut.recv(length, offset=offset)
        offset += length
    story.iut.recv()
    assert story.conclusions("IND-STREAM-02") == expected


def test_an_end_without_data_loses_nothing_and_shows_nothing() -> None:
    story = ended()
    story.iut.recv()
    assert story.conclusions("IND-STREAM-02") == NOTHING


@pytest.mark.parametrize(
    "content", [b"\x00\x01\x02\x03\x05", b"\x01\x02\x03\x04\x05", b"\x00\x01\x02\x03\x04\x05", b"\x00\x01\x01"]
)
def test_bytes_that_were_changed_moved_added_or_repeated(content: bytes) -> None:
    story = ended(5)
    story.iut.recv(content=content)
    story.iut.recv()
    assert story.conclusions("IND-STREAM-02") == VIOLATED


def test_bytes_out_of_nothing() -> None:
    story = ended()
    story.iut.recv(1)
    assert story.conclusions("IND-STREAM-02") == VIOLATED


def test_bytes_without_an_end_are_not_all() -> None:
    story = ended(5)
    story.iut.recv(5)
    assert story.conclusions("IND-STREAM-02") == NOTHING


def test_a_segment_that_no_call_explains() -> None:
    story = Story()
    story.data(PEER, 5)
    ended(story=story)
    story.iut.recv(5)
    story.iut.recv()
    assert story.conclusions("IND-STREAM-02") == UNDETERMINED


def test_a_receive_that_was_waiting_when_the_iut_gave_up_receiving_may_bring_data() -> None:
    story = Story()
    call = story.iut.begin("recv", length=10)
    story.iut.shutdown("receive")
    ended(5, story=story)
    story.iut.finish(call, length=2, data="bm8=")
    assert story.conclusions("IND-STREAM-02") == VIOLATED


def test_an_end_that_was_told_as_an_error_is_for_another_judge() -> None:
    story = ended(5)
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("IND-STREAM-02") == NOTHING


def test_a_fin_may_carry_data_of_its_own() -> None:
    story = Story()
    story.peer.send(5)
    story.peer.shutdown("send")
    story.fin(PEER, 5)
    story.iut.recv(5)
    story.iut.recv()
    assert story.conclusions("IND-STREAM-02") == SATISFIED


def test_a_send_that_was_never_answered_may_have_carried_anything() -> None:
    for story in (Story(), wireless()):
        story.peer.begin("send", pattern={"seed": 0, "length": 5})
        if story.header.wire:
            story.data(PEER, 5)
        story.peer.dies()
        if story.header.wire:
            story.fin(PEER)
        story.iut.recv(5)
        story.iut.recv()
        assert story.conclusions("IND-STREAM-02") == UNDETERMINED
        assert Conclusion.VIOLATED not in story.conclusions("POSIX-RECV-01")


def test_a_send_that_the_agent_never_answered_counts_as_such() -> None:
    story = wireless()
    call = story.peer.begin("send", pattern={"seed": 0, "length": 5})
    story.add(Returned(at=story.tick(), end=PEER, call=call, outcome=Outcome.UNANSWERED))
    story.peer.dies()
    story.iut.recv(5)
    assert story.conclusions("IND-STREAM-02") == UNDETERMINED


@pytest.mark.parametrize(("read", "expected"), [(5, SATISFIED), (2, UNDETERMINED)])
def test_a_reset_after_the_end_may_take_what_is_unread(read: int, expected: set[Conclusion]) -> None:
    story = ended(5)
    story.iut.recv(read)
    story.iut.send(5)
    story.rst(PEER)
    story.iut.recv()
    assert story.conclusions("IND-STREAM-02") == expected


def post(story: Story, token: str) -> None:
    story.iut.call("post_recv", length=65536, result={"token": token})


@pytest.mark.parametrize("order", [("a", "b", "c"), ("c", "b", "a"), ("b", "c", "a")])
def test_posted_receives_may_be_told_in_any_order(order: tuple[str, ...]) -> None:
    story = Story()
    for token in "abc":
        post(story, token)
    story.peer.send(5)
    story.data(PEER, 5)
    story.peer.send(5, seed=5)
    story.data(PEER, 5)
    story.peer.shutdown("send")
    story.fin(PEER)
    for token in order:
        story.iut.completes(token, {"a": 5, "b": 5, "c": 0}[token], offset={"a": 0, "b": 5, "c": 0}[token])
    story.iut.recv()
    assert story.conclusions("IND-STREAM-01") == SATISFIED
    assert story.conclusions("IND-STREAM-02") == SATISFIED
    assert story.conclusions("IND-STREAM-03") == SATISFIED


def test_a_posted_receive_waits_while_others_look_in_vain() -> None:
    story = Story()
    post(story, "a")
    story.iut.recv(timeout=True, takes=20, wait_ms=20)
    story.peer.send(10)
    story.data(PEER, 10)
    story.iut.recv(5)
    story.iut.completes("a", 5, offset=5)
    ended(story=story)
    story.iut.recv()
    assert story.conclusions("IND-STREAM-02") == SATISFIED


def test_posted_receives_that_lose_something_lose_it_in_any_order() -> None:
    story = Story()
    post(story, "a")
    post(story, "b")
    ended(10, story=story)
    story.iut.completes("b", 5, offset=5)
    story.iut.completes("a")
    assert story.conclusions("IND-STREAM-02") == VIOLATED


def test_receives_that_did_not_overlap_have_an_order() -> None:
    story = ended(5)
    story.iut.recv()
    story.iut.recv(5)
    assert story.conclusions("IND-STREAM-02") == VIOLATED


# --- IND-STREAM-03 ----------------------------------------------------------------------------------------------------


@LINKS
@pytest.mark.parametrize(
    ("again", "expected"),
    [
        ({}, SATISFIED),
        ({"error": "ENOTCONN"}, VIOLATED),
        ({"error": "EWOULDBLOCK"}, VIOLATED),
        ({"timeout": True}, VIOLATED),
        ({"length": 65536, "content": b"x"}, VIOLATED),
    ],
)
def test_the_end_stays(link: Callable[[], Story], again: dict[str, object], expected: set[Conclusion]) -> None:
    story = ended(story=link())
    story.iut.recv()
    story.iut.recv()
    story.iut.call(
        "recv",
        length=65536,
        error=str(again.get("error", "")),
        timeout=bool(again.get("timeout")),
        result={"length": 1, "data": "eA=="} if "content" in again else {"length": 0, "data": ""},
    )
    assert story.conclusions("IND-STREAM-03") == expected


def test_an_end_that_was_told_once_shows_nothing_of_its_staying() -> None:
    story = ended()
    story.iut.recv()
    assert story.conclusions("IND-STREAM-03") == NOTHING


def test_an_end_that_was_told_as_an_error_first_is_for_another_judge() -> None:
    story = ended()
    story.iut.recv(error="ECONNRESET")
    story.iut.recv()
    assert story.conclusions("IND-STREAM-03") == NOTHING


@pytest.mark.parametrize(
    "change",
    [
        lambda story: story.rst(PEER),
        lambda story: story.iut.shutdown("both"),
        lambda story: story.iut.call("set_option", name="USER_TIMEOUT", value=300),
    ],
    ids=["reset", "own-shutdown", "user-time-out"],
)
def test_the_end_stays_until_something_else_comes(change: Change) -> None:
    story = ended()
    story.iut.recv()
    change(story)
    story.iut.recv(error="ETIMEDOUT")
    assert story.conclusions("IND-STREAM-03") == NOTHING


def test_a_time_out_that_nobody_set_is_no_excuse() -> None:
    story = ended()
    story.iut.recv()
    story.iut.recv(error="ETIMEDOUT")
    assert story.conclusions("IND-STREAM-03") == VIOLATED


def test_a_receive_at_the_instant_at_which_the_end_was_told_comes_after_it() -> None:
    story = ended()
    story.iut.recv()
    at_once(story)
    story.iut.recv(error="ENOTCONN")
    assert story.conclusions("IND-STREAM-03") == VIOLATED


# --- IND-STREAM-04 ----------------------------------------------------------------------------------------------------


def blocked(story: Story | None = None, **result: object) -> Story:
    """A receive is blocked when the peer ends."""
    story = story or Story()
    call = story.iut.begin("recv", length=10, wait_ms=PATIENCE)
    ended(story=story)
    if result.pop("late", False):
        story.wait(2000)
    story.iut.finish(call, error=str(result.get("error", "")), length=0, data="")
    return story


@LINKS
def test_a_blocked_receive_is_woken(link: Callable[[], Story]) -> None:
    assert blocked(link()).conclusions("IND-STREAM-04") == SATISFIED


@LINKS
def test_a_blocked_receive_is_woken_late(link: Callable[[], Story]) -> None:
    assert blocked(link(), late=True).conclusions("IND-STREAM-04") == VIOLATED


@pytest.mark.parametrize(("late_ms", "expected"), [(999, SATISFIED), (1000, VIOLATED)])
def test_the_bound_belongs_to_what_is_in_time(late_ms: int, expected: set[Conclusion]) -> None:
    """The return comes 1 ms after the wait."""
    story = Story()
    call = story.iut.begin("recv", length=10)
    ended(story=story)
    story.wait(late_ms)
    story.iut.finish(call, length=0, data="")
    assert story.conclusions("IND-STREAM-04") == expected


def test_a_blocked_receive_is_woken_by_an_error() -> None:
    assert blocked(error="ECONNRESET").conclusions("IND-STREAM-04") == VIOLATED


@LINKS
def test_a_blocked_receive_is_not_woken(link: Callable[[], Story]) -> None:
    story = link()
    call = story.iut.begin("recv", length=10, wait_ms=PATIENCE)
    ended(story=story)
    story.wait(PATIENCE)
    story.iut.finish(call, timeout=True)
    story.iut.recv()
    assert story.conclusions("IND-STREAM-04") == VIOLATED


def test_a_receive_that_took_data_was_not_blocked_for_the_end() -> None:
    story = Story()
    call = story.iut.begin("recv", length=10)
    ended(5, story=story)
    story.iut.finish(call, length=5, data="AAECAwQ=")
    story.iut.recv()
    assert story.conclusions("IND-STREAM-04") == NOTHING


def test_a_receive_of_a_non_blocking_socket_does_not_wait() -> None:
    story = Story()
    story.iut.nonblocking()
    assert blocked(story).conclusions("IND-STREAM-04") == NOTHING


def test_late_by_what_clock_is_not_known_of_a_fin_that_was_never_acknowledged() -> None:
    story = Story()
    call = story.iut.begin("recv", length=10)
    story.peer.shutdown("send")
    story.fin(PEER, acked=False)
    story.wait(2000)
    story.iut.finish(call, length=0, data="")
    assert story.conclusions("IND-STREAM-04") == UNDETERMINED


def test_a_call_of_the_peer_that_takes_long_makes_nobody_late() -> None:
    story = wireless()
    receiving = story.iut.begin("recv", length=10)
    ending = story.peer.begin("shutdown", how="send")
    story.wait(2000)
    story.peer.finish(ending)
    story.iut.finish(receiving, length=0, data="")
    assert story.conclusions("IND-STREAM-04") == SATISFIED


def test_a_receive_that_the_own_shutdown_woke_was_not_woken_by_the_peer() -> None:
    story = Story()
    call = story.iut.begin("recv", length=10)
    ended(story=story)
    story.iut.shutdown("receive")
    story.iut.finish(call, length=0, data="")
    assert story.conclusions("IND-STREAM-04") == NOTHING


def test_every_posted_receive_is_woken() -> None:
    story = Story()
    post(story, "a")
    post(story, "b")
    ended(story=story)
    story.iut.completes("b")
    story.iut.completes("a")
    assert [finding.outcome for finding in story.judge("IND-STREAM-04")] == [Conclusion.SATISFIED] * 2


@pytest.mark.parametrize(("wait_ms", "expected"), [(PATIENCE, VIOLATED), (500, NOTHING)])
def test_a_posted_receive_is_not_woken(wait_ms: int, expected: set[Conclusion]) -> None:
    story = Story()
    post(story, "a")
    ended(story=story)
    story.wait(wait_ms)
    story.iut.recv()
    assert story.conclusions("IND-STREAM-04") == expected


def test_one_of_two_posted_receives_is_not_woken() -> None:
    story = Story()
    post(story, "a")
    post(story, "b")
    ended(story=story)
    story.iut.completes("a")
    story.wait(PATIENCE)
    story.iut.recv()
    assert story.conclusions("IND-STREAM-04") == SATISFIED | VIOLATED


@pytest.mark.parametrize(
    "change",
    [
        lambda s: (s.iut.call("post_recv", result={"token": "a"}), ended(story=s), s.iut.completes("a")),
        lambda s: (s.iut.call("post_recv", length=10, error="ENOTCONN"), ended(story=s)),
        lambda s: (s.iut.call("post_recv", length=0, result={"token": "a"}), ended(story=s)),
        lambda s: (s.iut.call("post_recv", result={"token": "a"}), s.fin(PEER, acked=False)),
    ],
    ids=["completed", "refused", "no-length", "not-certain"],
)
def test_no_posted_receive_is_left(change: Change) -> None:
    story = Story()
    change(story)
    story.wait(PATIENCE)
    story.iut.recv()
    assert Conclusion.VIOLATED not in story.conclusions("IND-STREAM-04")


def test_a_posted_receive_that_the_own_close_cancelled() -> None:
    story = Story()
    post(story, "a")
    ended(story=story)
    story.iut.close()
    story.iut.completes("a", error="ECANCELED")
    story.wait(PATIENCE)
    story.iut.call("names", socket=3, error="EBADF")
    assert story.conclusions("IND-STREAM-04") == NOTHING


@pytest.mark.parametrize(("looked_ms", "expected"), [(999, NOTHING), (1000, VIOLATED)])
@pytest.mark.parametrize("blocking", [True, False])
def test_how_long_a_blocked_receive_must_have_looked(looked_ms: int, expected: set[Conclusion], blocking: bool) -> None:
    """A socket that does not block is asked again and again by its user, who may have looked away."""
    story = Story()
    if not blocking:
        story.iut.nonblocking()
    call = story.iut.begin("recv", length=10, wait_ms=2 * PATIENCE)
    ended(story=story)
    story.wait(looked_ms - 1)
    story.iut.finish(call, timeout=True)
    assert story.conclusions("IND-STREAM-04") == (expected if blocking else NOTHING)


@pytest.mark.parametrize(("waited_ms", "expected"), [(999, []), (1000, ["1000"]), (10_000_000, ["10000000"])])
def test_how_long_a_posted_receive_may_take(waited_ms: int, expected: list[str]) -> None:
    story = Story()
    post(story, "a")
    ended(story=story)
    story.settle(waited_ms - 1)
    words = [f"a posted receive had not ended {ms} ms after the end" for ms in expected]
    assert [finding.because for finding in story.judge("IND-STREAM-04")] == words


# --- IND-STREAM-05 ----------------------------------------------------------------------------------------------------


@LINKS
@pytest.mark.parametrize("length", [0, 5])
@pytest.mark.parametrize(
    ("peeked", "then", "expected"),
    [("", "", SATISFIED), ("ECONNRESET", "", VIOLATED), ("", "EWOULDBLOCK", VIOLATED), ("", "ENOTCONN", VIOLATED)],
)
def test_a_peek_leaves_the_end_in_place(
    link: Callable[[], Story], length: int, peeked: str, then: str, expected: set[Conclusion]
) -> None:
    story = ended(length, story=link())
    if length:
        story.iut.recv(length)
    story.iut.recv(error=peeked, flags=["PEEK"])
    story.iut.recv(error=then)
    assert story.conclusions("IND-STREAM-05") == expected


def test_a_peek_without_a_receive_after_it_shows_half() -> None:
    story = ended()
    story.iut.recv(flags=["PEEK"])
    assert story.conclusions("IND-STREAM-05") == NOTHING


def test_a_peek_at_data_is_no_peek_at_the_end() -> None:
    story = ended(5)
    story.iut.recv(5, flags=["PEEK"])
    story.iut.recv(5)
    story.iut.recv()
    assert story.conclusions("IND-STREAM-05") == NOTHING


@pytest.mark.parametrize(
    ("acked", "after_ms", "expected"), [(False, 0, NOTHING), (True, 0, NOTHING), (True, PATIENCE, VIOLATED)]
)
def test_a_peek_may_come_before_the_end_is_seen(acked: bool, after_ms: int, expected: set[Conclusion]) -> None:
    story = Story()
    story.iut.nonblocking()
    story.peer.shutdown("send")
    story.fin(PEER, acked=acked)
    story.wait(after_ms)
    story.iut.recv(error="EWOULDBLOCK", flags=["PEEK"])
    story.iut.recv()
    assert story.conclusions("IND-STREAM-05") == expected


def test_a_peek_before_the_end_is_not_judged() -> None:
    story = Story()
    story.iut.recv(flags=["PEEK"])
    ended(story=story)
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("IND-STREAM-05") == NOTHING


@pytest.mark.parametrize("change", [lambda s: s.rst(PEER), lambda s: s.iut.shutdown("receive")])
def test_a_peek_after_something_else_came(change: Change) -> None:
    story = ended()
    change(story)
    story.iut.recv(error="ECONNRESET", flags=["PEEK"])
    assert story.conclusions("IND-STREAM-05") == NOTHING


def test_a_direction_that_the_iut_reset_has_no_end_to_peek_at() -> None:
    story = Story()
    story.rst(IUT)
    story.iut.recv(flags=["PEEK"])
    story.iut.recv()
    assert story.conclusions("IND-STREAM-05") == NOTHING


def test_a_peek_that_returns_at_the_instant_of_the_end_is_at_the_end() -> None:
    story = Story()
    call = story.iut.begin("recv", length=10, flags=["PEEK"])
    story.peer.shutdown("send")
    story.fin(PEER, acked=False)
    at_once(story)
    story.iut.finish(call, length=0, data="")
    story.segment(IUT, "A")
    story.iut.recv()
    assert story.conclusions("IND-STREAM-05") == SATISFIED


def test_a_peek_that_returns_at_the_instant_at_which_the_user_gave_up_tells_nothing() -> None:
    story = ended()
    peek = story.iut.begin("recv", length=10, flags=["PEEK"])
    call = story.iut.begin("shutdown", how="receive")
    at_once(story)
    story.iut.finish(peek, error="ECONNRESET")
    story.iut.finish(call)
    assert story.conclusions("IND-STREAM-05") == NOTHING


@pytest.mark.parametrize("first", ["before the end", "at data", "too soon"])
def test_each_peek_is_judged(first: str) -> None:
    """The first of two says nothing yet, the second is wrong."""
    story = Story()
    if first == "before the end":
        story.iut.recv(flags=["PEEK"])
    ended(5, story=story)
    if first == "at data":
        story.iut.recv(5, flags=["PEEK"])
    story.iut.recv(5)
    if first == "too soon":
        story.iut.recv(error="EWOULDBLOCK", flags=["PEEK"])
    story.iut.recv(error="ECONNRESET", flags=["PEEK"])
    assert story.conclusions("IND-STREAM-05") == VIOLATED


@pytest.mark.parametrize(
    ("asked_ms", "returned_ms", "error", "expected"),
    [
        (1, 999, "", NOTHING),
        (1, 1000, "", VIOLATED),
        (999, 1001, "EWOULDBLOCK", NOTHING),  # it may have looked when it was asked, and no later
        (1000, 1001, "EWOULDBLOCK", VIOLATED),
    ],
)
def test_how_long_after_the_end_a_peek_must_tell_of_it(
    asked_ms: int, returned_ms: int, error: str, expected: set[Conclusion]
) -> None:
    """Both times are after the acknowledgement of the FIN."""
    story = ended()
    known = story.now
    story.now = known + (asked_ms - 1) * MS
    call = story.iut.begin("recv", length=10, flags=["PEEK"], wait_ms=PATIENCE)
    story.now = known + (returned_ms - 1) * MS
    story.iut.finish(call, error=error, timeout=not error)
    assert story.conclusions("IND-STREAM-05") == expected


def test_a_receive_at_the_instant_at_which_a_peek_returned_comes_after_it() -> None:
    story = ended()
    story.iut.recv(flags=["PEEK"])
    at_once(story)
    story.iut.recv(error="ENOTCONN")
    assert story.conclusions("IND-STREAM-05") == VIOLATED
