# SPDX-License-Identifier: MIT
"""The judges of POSIX's own forms: stories in which they hold, are broken, and have another cause."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.oracle.findings import Conclusion
from conformance.trace.events import Fate
from tests.oracle.story import IUT, PATIENCE, PEER, UNIX_SEQPACKET, UNIX_STREAM, Story, wireless

SATISFIED, VIOLATED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}
UNDETERMINED, NOTHING = {Conclusion.UNDETERMINED}, set[Conclusion]()
Change = Callable[[Story], object]


LINKS = pytest.mark.parametrize("link", [Story, wireless], ids=["wire", "wireless"])


def ended(length: int = 0, *, story: Story | None = None) -> Story:
    story = story or Story()
    if length:
        story.peer.send(length)
        if story.header.wire:
            story.data(PEER, length)
    story.peer.shutdown("send")
    if story.header.wire:
        story.fin(PEER)
    return story


# --- POSIX-RECV-01 ----------------------------------------------------------------------------------------------------


@LINKS
@pytest.mark.parametrize("length", [0, 5])
@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (("", ""), SATISFIED),
        (("", "", ""), SATISFIED),
        (("",), NOTHING),
        ((), NOTHING),
        (("ECONNRESET",), VIOLATED),
        (("", "ENOTCONN"), VIOLATED),
        (("", "", "EWOULDBLOCK"), VIOLATED),
    ],
)
def test_data_then_zero_and_zero_again(
    link: Callable[[], Story], length: int, told: tuple[str, ...], expected: set[Conclusion]
) -> None:
    story = ended(length, story=link())
    if length:
        story.iut.recv(length)
    for error in told:
        story.iut.recv(error=error)
    assert story.conclusions("POSIX-RECV-01") == expected


@pytest.mark.parametrize("content", [b"\x00\x01\x02\x03", b"\x01\x01\x02\x03\x04", b""])
def test_data_that_is_lost_or_altered(content: bytes) -> None:
    story = ended(5)
    story.iut.recv(content=content)
    story.iut.recv()
    assert story.conclusions("POSIX-RECV-01") == VIOLATED


def test_zero_before_the_end_had_come() -> None:
    story = Story()
    story.iut.recv()
    ended(story=story)
    story.iut.recv()
    assert story.conclusions("POSIX-RECV-01") == VIOLATED


def test_an_end_that_is_never_told() -> None:
    story = ended()
    story.iut.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions("POSIX-RECV-01") == VIOLATED


def test_a_reset_after_the_end_frees_what_is_told() -> None:
    story = ended(5)
    story.rst(PEER)
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("POSIX-RECV-01") == NOTHING


def test_where_a_reset_follows_the_end_what_was_lost_is_another_judges() -> None:
    story = ended(5)
    story.iut.recv()
    story.rst(PEER)
    assert story.conclusions("POSIX-RECV-01") == NOTHING


def test_a_reset_of_its_own_is_no_end() -> None:
    story = Story()
    story.rst(IUT)
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("POSIX-RECV-01") == NOTHING


@pytest.mark.parametrize("told", [("ETIMEDOUT",), ("", "ETIMEDOUT")])
def test_a_user_time_out_is_no_end(told: tuple[str, ...]) -> None:
    story = Story()
    story.iut.call("set_option", name="USER_TIMEOUT", value=300)
    ended(story=story)
    for error in told:
        story.iut.recv(error=error)
    assert story.conclusions("POSIX-RECV-01") == NOTHING


def test_an_end_that_is_not_known() -> None:
    story = ended(story=Story(lost=1))
    story.iut.recv()
    assert story.conclusions("POSIX-RECV-01") == UNDETERMINED


@pytest.mark.parametrize(("answered", "expected"), [(True, VIOLATED), (False, NOTHING)])
def test_a_send_of_the_peers_that_was_never_answered_may_have_sent_anything(
    answered: bool, expected: set[Conclusion]
) -> None:
    story = wireless()
    call = story.peer.begin("send", pattern={"seed": 0, "length": 5})
    if answered:
        story.peer.finish(call, length=5)
    ended(story=story)
    story.iut.recv(4)
    story.iut.recv()
    assert story.conclusions("POSIX-RECV-01") == expected


@pytest.mark.parametrize("early_ms", [0, 1])
def test_a_receive_may_return_as_the_end_comes(early_ms: int) -> None:
    story = Story()
    call = story.iut.begin("recv", length=10)
    story.peer.shutdown("send")
    story.segment(PEER, "FA")
    story.wait(-1 - early_ms)
    story.iut.finish(call, length=0)
    assert story.conclusions("POSIX-RECV-01") == (VIOLATED if early_ms else NOTHING)


def test_a_receive_that_is_made_as_the_end_is_told_tells_it_again() -> None:
    story = ended()
    story.iut.recv()
    story.wait(-1)
    story.iut.recv(error="ENOTCONN")
    assert story.conclusions("POSIX-RECV-01") == VIOLATED


def test_an_open_direction() -> None:
    story = Story()
    story.iut.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions("POSIX-RECV-01") == NOTHING


# --- POSIX-SEND-01 ----------------------------------------------------------------------------------------------------


@LINKS
@pytest.mark.parametrize("how", ["send", "both", 1, 2])
@pytest.mark.parametrize(
    ("error", "expected"), [("EPIPE", SATISFIED), ("", VIOLATED), ("ENOTCONN", VIOLATED), ("EAGAIN", VIOLATED)]
)
def test_a_send_after_the_own_shutdown_fails(
    link: Callable[[], Story], how: str | int, error: str, expected: set[Conclusion]
) -> None:
    story = link()
    story.iut.shutdown(how)
    story.iut.send(5, error=error)
    assert story.conclusions("POSIX-SEND-01") == expected


def test_a_send_that_blocks_after_the_own_shutdown() -> None:
    story = Story()
    story.iut.shutdown()
    story.iut.call("send", timeout=True, pattern={"seed": 0, "length": 5})
    assert story.conclusions("POSIX-SEND-01") == VIOLATED


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.iut.send(5),
        lambda s: (s.iut.shutdown("receive"), s.iut.send(5)),
        lambda s: (s.iut.shutdown("send", error="ENOTCONN"), s.iut.send(5)),
        lambda s: (s.iut.shutdown(), s.iut.close(), s.iut.send(5, error="EBADF")),
        lambda s: (s.iut.shutdown(), s.iut.finish(s.iut.begin("send", data=""), unsupported="no flags")),
        lambda s: (s.iut.shutdown(), s.iut.begin("send", data="")),
    ],
    ids=["no-shutdown", "receive", "failed", "closed", "unsupported", "unanswered"],
)
def test_what_is_no_send_after_the_own_shutdown(change: Change) -> None:
    story = Story()
    change(story)
    assert story.conclusions("POSIX-SEND-01") == NOTHING


def test_a_send_that_was_made_before_the_shutdown_returned() -> None:
    story = Story()
    call = story.iut.begin("send", pattern={"seed": 0, "length": 5})
    story.iut.shutdown()
    story.iut.finish(call, length=5)
    assert story.conclusions("POSIX-SEND-01") == NOTHING


@pytest.mark.parametrize(("later_ms", "expected"), [(0, NOTHING), (1, VIOLATED)])
def test_a_send_as_the_shutdown_returns_may_have_come_before_it(later_ms: int, expected: set[Conclusion]) -> None:
    story = Story()
    story.iut.shutdown()
    story.wait(later_ms - 1)
    story.iut.send(5)
    assert story.conclusions("POSIX-SEND-01") == expected


@pytest.mark.parametrize(("later_ms", "expected"), [(0, NOTHING), (1, VIOLATED)])
def test_a_send_that_returns_as_the_handle_is_closed(later_ms: int, expected: set[Conclusion]) -> None:
    story = Story()
    story.iut.shutdown()
    story.iut.send(5, error="EBADF")
    story.wait(later_ms - 1)
    story.iut.close()
    assert story.conclusions("POSIX-SEND-01") == expected


def test_each_send_after_the_own_shutdown_is_judged_by_itself() -> None:
    story = Story()
    story.iut.send(5)
    story.iut.shutdown()
    story.iut.finish(story.iut.begin("send", data=""), unsupported="no flags")
    story.rst(PEER)
    story.iut.send(5, error="ECONNRESET")
    story.iut.send(5, error="EPIPE")
    story.iut.send(5)
    assert [f.outcome for f in story.judge("POSIX-SEND-01")] == [Conclusion.SATISFIED, Conclusion.VIOLATED]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda s: s.rst(PEER), "ECONNRESET"),
        (lambda s: (s.fin(PEER), s.rst(PEER)), "ECONNRESET"),
        (lambda s: s.iut.call("set_option", name="USER_TIMEOUT", value=300), "ETIMEDOUT"),
    ],
    ids=["reset", "reset-after-end", "user-time-out"],
)
def test_a_pending_error_comes_before_the_own_shutdown(change: Change, error: str) -> None:
    """Linux tells the error of the connection once, and EPIPE from then on."""
    story = Story()
    story.iut.shutdown()
    change(story)
    story.iut.send(5, error=error)
    assert story.conclusions("POSIX-SEND-01") == NOTHING
    story.iut.send(5, error="EPIPE")
    assert story.conclusions("POSIX-SEND-01") == SATISFIED


def test_a_unix_peer_that_is_gone_may_have_reset() -> None:
    story = wireless()
    story.iut.send(5)
    story.iut.shutdown()
    story.peer.close()
    story.iut.send(5, error="ECONNRESET")
    assert story.conclusions("POSIX-SEND-01") == NOTHING


@pytest.mark.parametrize(
    ("link", "change", "expected"),
    [
        (Story, lambda s: s.data(PEER, 5), VIOLATED),
        (Story, lambda s: (s.peer.close(), s.fin(PEER)), VIOLATED),
        (Story, lambda s: s.segment(PEER, "R", fate=Fate.HELD), NOTHING),  # it may have given up: the link is disturbed
        (Story, lambda s: s.segment(PEER, "R", start=100), NOTHING),
        (wireless, lambda s: s.peer.send(5), VIOLATED),
        (wireless, lambda s: s.peer.dies(), NOTHING),
    ],
    ids=["data", "close", "held", "need-not-be-accepted", "wireless", "wireless-death"],
)
def test_a_reset_that_nobody_sent_is_no_excuse(
    link: Callable[[], Story], change: Change, expected: set[Conclusion]
) -> None:
    story = link()
    story.iut.shutdown()
    change(story)
    story.iut.send(5, error="ECONNRESET")
    assert story.conclusions("POSIX-SEND-01") == expected


def test_a_send_that_succeeds_after_a_reset_is_wrong_all_the_same() -> None:
    story = Story()
    story.iut.shutdown()
    story.rst(PEER)
    story.iut.send(5)
    assert story.conclusions("POSIX-SEND-01") == VIOLATED


# --- POSIX-SHUT-01, POSIX-SHUT-02 -------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["receive", 0])
@pytest.mark.parametrize(("reset", "word"), [(True, "a reset went out"), (False, "no reset went out")])
def test_what_shut_rd_leaves_readable_is_recorded(how: str | int, reset: bool, word: str) -> None:
    story = Story()
    story.iut.shutdown(how)
    story.peer.send(5)
    story.data(PEER, 5)
    if reset:
        story.rst(IUT)
    story.iut.recv(5)
    story.iut.recv()
    (finding,) = story.judge("POSIX-SHUT-01")
    assert finding.outcome == Conclusion.SATISFIED
    assert f"recv returned 5 bytes, recv returned 0 bytes; {word}" in finding.because


def test_without_a_link_nothing_is_said_of_a_reset() -> None:
    story = wireless()
    story.iut.shutdown("receive")
    story.iut.recv()
    (finding,) = story.judge("POSIX-SHUT-01")
    assert "reset" not in finding.because


@pytest.mark.parametrize("how", ["send", "both"])
def test_other_shutdowns_are_no_shut_rd(how: str) -> None:
    story = Story()
    story.iut.shutdown(how)
    story.iut.recv()
    assert story.conclusions("POSIX-SHUT-01") == NOTHING


@pytest.mark.parametrize("how", ["receive", "both", 0, 2])
def test_what_shut_rd_does_to_a_blocked_receive_is_recorded(how: str | int) -> None:
    story = Story()
    call = story.iut.begin("recv", length=10)
    story.iut.shutdown(how)
    story.iut.finish(call, length=0, data="")
    (finding,) = story.judge("POSIX-SHUT-02")
    assert finding.outcome == Conclusion.SATISFIED
    assert "recv returned 0 bytes" in finding.because


def test_a_receive_that_was_not_blocked_across_shut_rd() -> None:
    story = Story()
    story.iut.recv(timeout=True)
    story.iut.shutdown("receive")
    story.iut.recv()
    assert story.conclusions("POSIX-SHUT-02") == NOTHING


@pytest.mark.parametrize(("later_ms", "expected"), [(-1, NOTHING), (0, SATISFIED), (1, SATISFIED)])
def test_what_is_received_once_shut_rd_has_returned_is_recorded(later_ms: int, expected: set[Conclusion]) -> None:
    story = Story()
    story.iut.shutdown("receive")
    story.wait(later_ms - 1)
    story.iut.recv()
    assert story.conclusions("POSIX-SHUT-01") == expected


@pytest.mark.parametrize(("before_ms", "expected"), [(0, NOTHING), (1, SATISFIED)])
def test_a_receive_that_is_made_or_returns_as_shut_rd_is_called(before_ms: int, expected: set[Conclusion]) -> None:
    made, returned = Story(), Story()
    call = made.iut.begin("recv", length=10)
    made.wait(before_ms - 1)
    made.iut.shutdown("receive")
    made.iut.finish(call, length=0)
    assert made.conclusions("POSIX-SHUT-02") == expected
    call = returned.iut.begin("recv", length=10)
    returned.iut.begin("shutdown", how="receive")
    returned.wait(before_ms - 1)
    returned.iut.finish(call, length=0)
    returned.iut.finish(2)
    assert returned.conclusions("POSIX-SHUT-02") == expected


def test_a_receive_may_be_blocked_across_the_second_shutdown() -> None:
    story = Story()
    call = story.iut.begin("recv", length=10)
    story.iut.shutdown("send")
    story.iut.shutdown("receive")
    story.iut.finish(call, length=0)
    assert story.conclusions("POSIX-SHUT-02") == SATISFIED


@pytest.mark.parametrize(("how", "error"), [("send", ""), ("receive", "ENOTCONN")])
def test_a_receive_that_was_blocked_across_another_call(how: str, error: str) -> None:
    story = Story()
    call = story.iut.begin("recv", length=10)
    story.iut.shutdown(how, error=error)
    story.iut.finish(call, length=0, data="")
    assert story.conclusions("POSIX-SHUT-02") == NOTHING


# --- POSIX-CLOSE-01 ---------------------------------------------------------------------------------------------------


def lingering(seconds: int = 1, *, length: int = 5, story: Story | None = None) -> Story:
    """Linger is on, and the peer acknowledges nothing of what the IUT has sent."""
    story = story or Story()
    story.iut.linger(seconds)
    if length:
        story.iut.send(length)
        if story.header.wire:
            story.segment(IUT, "PA", length)
    return story


@pytest.mark.parametrize(
    ("takes", "expected"), [(899, VIOLATED), (900, SATISFIED), (1000, SATISFIED), (2000, SATISFIED), (2001, VIOLATED)]
)
def test_a_lingering_close_blocks_up_to_its_time(takes: int, expected: set[Conclusion]) -> None:
    story = lingering()
    story.iut.close(takes=takes, wait_ms=6000)
    assert story.conclusions("POSIX-CLOSE-01") == expected


@pytest.mark.parametrize(
    ("takes", "expected"), [(1799, VIOLATED), (1800, SATISFIED), (3000, SATISFIED), (3001, VIOLATED)]
)
def test_a_lingering_close_blocks_for_as_long_as_it_was_told(takes: int, expected: set[Conclusion]) -> None:
    story = lingering(2)
    story.iut.close(takes=takes, wait_ms=6000)
    assert story.conclusions("POSIX-CLOSE-01") == expected


@pytest.mark.parametrize(
    ("drained", "returned", "expected"),
    [
        (1000, 1001, NOTHING),
        (1000, 1000, NOTHING),
        (1000, 999, VIOLATED),
        (1950, 1799, VIOLATED),
        (1950, 1800, NOTHING),
        (2000, 2001, NOTHING),
        (2001, 2002, SATISFIED),
        (2001, 3001, VIOLATED),
    ],
)
def test_a_lingering_close_waits_for_the_drain_or_for_its_time(
    drained: int, returned: int, expected: set[Conclusion]
) -> None:
    story = lingering(2)
    call = story.iut.begin("close", wait_ms=6000)
    began = story.now

    def at(ms: int) -> None:
        story.now = began + (ms - 1) * 1_000_000

    at(drained)
    story.segment(PEER, "A")
    at(returned)
    story.iut.finish(call)
    assert story.conclusions("POSIX-CLOSE-01") == expected


@pytest.mark.parametrize(("takes", "expected"), [(1, SATISFIED), (2000, SATISFIED), (2001, VIOLATED)])
def test_a_lingering_close_may_fail_as_would_block(takes: int, expected: set[Conclusion]) -> None:
    story = lingering()
    story.iut.close(error="EAGAIN", takes=takes)
    assert story.conclusions("POSIX-CLOSE-01") == expected


def test_a_lingering_close_that_fails_otherwise() -> None:
    story = lingering()
    story.iut.close(error="EINVAL", takes=1000)
    assert story.conclusions("POSIX-CLOSE-01") == VIOLATED


@pytest.mark.parametrize(("waited", "expected"), [(1999, UNDETERMINED), (2000, VIOLATED), (6000, VIOLATED)])
def test_a_lingering_close_that_does_not_return(waited: int, expected: set[Conclusion]) -> None:
    story = lingering()
    story.iut.close(timeout=True, takes=waited, wait_ms=waited)
    assert story.conclusions("POSIX-CLOSE-01") == expected


def _drained(story: Story) -> None:
    story.segment(PEER, "A")


def _unread(story: Story) -> None:
    story.peer.send(1)
    story.segment(PEER, "PA", 1, ack=0)


def _reset(story: Story) -> None:
    story.rst(PEER)


def _user_timeout(story: Story) -> None:
    story.iut.call("set_option", name="USER_TIMEOUT", value=300)


def _duplicate(story: Story) -> None:
    story.iut.call("duplicate", result={"socket": 4})


def _linger_off(story: Story) -> None:
    story.iut.linger(0, on=False)


def _linger_zero(story: Story) -> None:
    story.iut.linger(0)


@pytest.mark.parametrize(
    "change",
    [_drained, _unread, _reset, _user_timeout, _duplicate, _linger_off, _linger_zero],
    ids=lambda f: f.__name__,
)
def test_where_there_is_nothing_to_linger_for(change: Change) -> None:
    story = lingering()
    change(story)
    story.iut.close()
    assert story.conclusions("POSIX-CLOSE-01") == NOTHING


def test_the_last_of_the_duplicates_lingers() -> None:
    for takes, expected in ((1, VIOLATED), (1000, SATISFIED)):
        story = lingering()
        story.iut.call("duplicate", result={"socket": 4})
        story.iut.close()
        story.iut.close(socket=4, takes=takes)
        assert story.conclusions("POSIX-CLOSE-01") == expected


def test_a_close_that_failed_leaves_its_handle() -> None:
    story = lingering()
    story.iut.call("duplicate", result={"socket": 4})
    story.iut.close(error="EINTR")
    story.iut.close(socket=4)
    assert story.conclusions("POSIX-CLOSE-01") == NOTHING


def _drained_later(story: Story) -> None:
    story.wait(1500)
    story.segment(PEER, "A")


@pytest.mark.parametrize("later", [_drained_later, _reset], ids=lambda f: f.__name__)
def test_what_comes_after_the_close_had_returned_is_no_excuse(later: Change) -> None:
    story = lingering()
    story.peer.send(5)
    story.segment(PEER, "PA", 5, ack=0)
    story.iut.recv(5)
    story.iut.close()
    later(story)
    assert story.conclusions("POSIX-CLOSE-01") == VIOLATED


def test_an_empty_send_leaves_nothing_unread() -> None:
    story = lingering()
    story.peer.send(0)
    story.iut.close()
    assert story.conclusions("POSIX-CLOSE-01") == VIOLATED


@pytest.mark.parametrize(("later_ms", "expected"), [(0, NOTHING), (1, VIOLATED)])
def test_a_reset_may_come_as_the_close_returns(later_ms: int, expected: set[Conclusion]) -> None:
    story = lingering()
    call = story.iut.begin("close")
    story.wait(1)
    story.rst(PEER)
    story.wait(-1 - later_ms)
    story.iut.finish(call)
    assert story.conclusions("POSIX-CLOSE-01") == expected


def test_a_reset_that_the_close_itself_sends_is_no_excuse() -> None:
    story = lingering()
    call = story.iut.begin("close")
    story.rst(IUT)
    story.iut.finish(call)
    assert story.conclusions("POSIX-CLOSE-01") == VIOLATED


def test_nothing_was_sent() -> None:
    story = lingering(length=0)
    story.iut.close()
    assert story.conclusions("POSIX-CLOSE-01") == NOTHING


def test_no_link_shows_what_was_left_to_send() -> None:
    story = lingering(story=Story(wire=False))
    story.iut.close()
    assert story.conclusions("POSIX-CLOSE-01") == UNDETERMINED


@pytest.mark.parametrize("kind", [UNIX_STREAM, UNIX_SEQPACKET], ids=["stream", "seqpacket"])
@pytest.mark.parametrize(("takes", "expected"), [(1, SATISFIED), (2000, SATISFIED), (2001, VIOLATED)])
def test_a_unix_socket_has_nothing_unsent(kind: object, takes: int, expected: set[Conclusion]) -> None:
    story = lingering(story=Story(UNIX_STREAM if kind is UNIX_STREAM else UNIX_SEQPACKET))
    story.iut.close(takes=takes)
    assert story.conclusions("POSIX-CLOSE-01") == expected


@pytest.mark.parametrize("drains", [False, True])
def test_a_lingering_close_that_does_not_wait_is_wrong(drains: bool) -> None:
    story = Story()
    story.iut.linger(1)
    story.iut.send(1000)
    story.segment(IUT, "PA", 1000)
    if drains:
        story.segment(PEER, "A")
    story.iut.close()
    if not drains:
        story.segment(PEER, "A")
    assert story.conclusions("POSIX-CLOSE-01") == (NOTHING if drains else VIOLATED)


def test_a_close_that_the_agent_does_not_have_is_not_judged() -> None:
    story = Story()
    story.iut.linger(1)
    story.iut.send(1000)
    story.segment(IUT, "PA", 1000)
    story.iut.finish(story.iut.begin("close"), unsupported="no close")
    assert story.conclusions("POSIX-CLOSE-01") == NOTHING
