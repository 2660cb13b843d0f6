# SPDX-License-Identifier: MIT
"""The judges of the peer's abort: for each, stories in which it holds, is broken, and has another cause."""

from __future__ import annotations

import base64
from collections.abc import Callable

import msgspec
import pytest

from conformance.oracle.findings import Conclusion
from conformance.trace.events import Fate
from tests.oracle.story import IUT, MS, PATIENCE, PEER, REFERENCE, UNIX_STREAM, Story, statement

SATISFIED, VIOLATED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}
UNDETERMINED, NOTHING = {Conclusion.UNDETERMINED}, set[Conclusion]()
FIRST_WORD = pytest.mark.parametrize("requirement", ["IND-ABORT-01", "POSIX-RECV-02"])
ABORTED = pytest.mark.parametrize("requirement", ["IND-ABORT-01", "IND-ABORT-02", "IND-ABORT-05", "POSIX-RECV-02"])
Change = Callable[[Story], object]


def wireless() -> Story:
    """TCP on a link that nobody sees."""
    return Story(wire=False)


def relayed() -> Story:
    """A link that the harness relays: when a segment arrived is not known."""
    story = Story()
    story.header = msgspec.structs.replace(story.header, topology="wire")
    return story


LINKS = pytest.mark.parametrize("link", [Story, wireless, relayed], ids=["wire", "wireless", "relayed"])


def aborted(story: Story | None = None) -> Story:
    """The peer has closed with linger 0."""
    story = story or Story()
    story.peer.linger(0)
    story.peer.close()
    if story.header.wire:
        story.rst(PEER)
    return story


# --- IND-ABORT-01, POSIX-RECV-02 --------------------------------------------------------------------------------------


@LINKS
@FIRST_WORD
@pytest.mark.parametrize(
    ("error", "expected"),
    [("ECONNRESET", SATISFIED), ("", VIOLATED), ("ECONNABORTED", VIOLATED), ("ETIMEDOUT", VIOLATED)],
)
def test_the_first_receive_tells_of_the_reset(
    requirement: str, link: Callable[[], Story], error: str, expected: set[Conclusion]
) -> None:
    story = aborted(link())
    story.iut.recv(error=error)
    story.iut.recv()
    assert story.conclusions(requirement) == expected


@FIRST_WORD
def test_data_may_be_read_before_the_reset_is_told(requirement: str) -> None:
    story = Story()
    story.peer.send(5)
    story.data(PEER, 5)
    aborted(story)
    story.iut.recv(5)
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions(requirement) == SATISFIED


def _send(story: Story) -> None:
    story.iut.send(5, error="ECONNRESET")


def _pending_error(story: Story) -> None:
    story.iut.get_error("ECONNRESET")


def _peek(story: Story) -> None:
    story.iut.recv(error="ECONNRESET", flags=["PEEK"])


def _no_length(story: Story) -> None:
    story.iut.call("recv", length=0, error="ECONNRESET")


@pytest.mark.parametrize("takes", [_send, _pending_error, _peek, _no_length])
def test_another_call_may_take_the_error(takes: Change) -> None:
    """Linux tells an abort once, and gives 0 from then on."""
    story = aborted()
    takes(story)
    story.iut.recv()
    assert story.conclusions("IND-ABORT-01") == NOTHING
    assert story.conclusions("POSIX-RECV-02") == NOTHING
    assert story.conclusions("IND-ABORT-02") == SATISFIED


def test_a_send_that_had_nowhere_to_go_tells_of_the_abort() -> None:
    """EPIPE is the caller's own doing only after its own shutdown."""
    story = aborted()
    story.iut.send(5, error="EPIPE")
    story.iut.shutdown("send")
    story.iut.recv()
    assert story.conclusions("IND-ABORT-01") == NOTHING
    assert story.conclusions("IND-ABORT-02") == SATISFIED


def test_a_send_after_the_own_shutdown_may_take_the_error() -> None:
    story = Story()
    story.iut.shutdown("send")
    aborted(story)
    story.iut.send(5, error="ECONNRESET")
    story.iut.recv()
    assert story.conclusions("IND-ABORT-01") == NOTHING
    assert story.conclusions("IND-ABORT-02") == SATISFIED


@pytest.mark.parametrize(
    "call",
    [
        lambda story: (story.iut.shutdown("send"), story.iut.send(5, error="EPIPE")),
        lambda story: (story.iut.shutdown("send"), story.iut.send(5, error="WSAESHUTDOWN")),
        lambda story: story.iut.shutdown(7, error="EINVAL"),
        lambda story: story.iut.send(5, error="EAGAIN"),
        lambda story: story.iut.get_error(),
        lambda story: story.iut.call("recv", length=0, result={"length": 0}),
        lambda story: story.iut.call("set_option", name="X", error="ENOPROTOOPT"),
    ],
    ids=["own-shutdown", "own-shutdown-winsock", "bad-how", "would-block", "no-error", "no-length", "no-option"],
)
def test_calls_that_tell_of_no_abort_excuse_nothing(call: Change) -> None:
    story = aborted()
    call(story)
    story.iut.recv()
    assert story.conclusions("IND-ABORT-01") == VIOLATED
    assert story.conclusions("IND-ABORT-02") == VIOLATED


def test_of_calls_that_overlapped_nobody_knows_which_was_told_first() -> None:
    """Two receives are posted: one takes the error, the other the end that Linux gives from then on."""
    story = Story()
    for token in "ab":
        story.iut.call("post_recv", length=10, result={"token": token})
    aborted(story)
    story.iut.completes("a")
    story.iut.completes("b", error="ECONNRESET")
    for requirement in ("IND-ABORT-01", "IND-ABORT-02", "IND-ABORT-05", "POSIX-RECV-02"):
        assert story.conclusions(requirement) == SATISFIED


def test_a_call_may_take_no_time_on_a_coarse_clock() -> None:
    story = aborted()
    call = story.iut.begin("recv", length=10)
    story.now -= MS
    story.iut.finish(call, length=0, data="")
    assert story.conclusions("IND-ABORT-01") == VIOLATED


def test_a_send_that_overlapped_may_have_taken_the_error() -> None:
    story = Story()
    receiving = story.iut.begin("recv", length=10)
    sending = story.iut.begin("send", pattern={"seed": 0, "length": 5})
    aborted(story)
    story.iut.finish(receiving, length=0, data="")
    story.iut.finish(sending, error="ECONNRESET")
    assert story.conclusions("IND-ABORT-01") == NOTHING
    assert story.conclusions("IND-ABORT-02") == SATISFIED
    assert story.conclusions("IND-ABORT-05") == NOTHING


@FIRST_WORD
@pytest.mark.parametrize("error", ["ECONNRESET", ""])
def test_a_word_before_the_reset(requirement: str, error: str) -> None:
    story = Story()
    story.peer.send(5)
    story.data(PEER, 5)
    story.iut.recv(error=error)
    aborted(story)
    assert story.conclusions(requirement) == VIOLATED
    assert story.conclusions("IND-ABORT-02") == NOTHING


@FIRST_WORD
def test_a_time_out_of_the_iut_before_the_reset(requirement: str) -> None:
    story = Story()
    story.iut.call("set_option", name="USER_TIMEOUT", value=300)
    story.iut.recv(error="ETIMEDOUT")
    aborted(story)
    assert story.conclusions(requirement) == NOTHING


@FIRST_WORD
@pytest.mark.parametrize(("error", "expected"), [("ECONNRESET", NOTHING), ("", VIOLATED)])
def test_an_earlier_reset_that_need_not_be_accepted_may_be(
    requirement: str, error: str, expected: set[Conclusion]
) -> None:
    story = Story()
    story.peer.send(5)
    story.data(PEER, 5)
    story.segment(PEER, "R", start=100)
    story.iut.recv(5)
    story.iut.recv(error=error)
    story.rst(PEER)
    assert story.conclusions(requirement) == expected


@LINKS
@FIRST_WORD
def test_a_reset_that_is_never_told(requirement: str, link: Callable[[], Story]) -> None:
    story = aborted(link())
    story.iut.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    # When a relayed segment arrived is not known, but it was there before the relay looked at the next one.
    assert story.conclusions(requirement) == (NOTHING if link is relayed else VIOLATED)
    assert story.conclusions("IND-ABORT-02") == NOTHING  # nothing was told as graceful
    story.data(IUT, 1)
    story.iut.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions(requirement) == VIOLATED


@pytest.mark.parametrize("requirement", ["IND-ABORT-01", "POSIX-RECV-02"])
def test_a_reset_that_is_told_after_a_receive_looked_in_vain(requirement: str) -> None:
    story = aborted()
    story.iut.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions(requirement) == VIOLATED
    assert story.conclusions("IND-ABORT-02") == SATISFIED


@ABORTED
def test_an_abort_that_nobody_looked_for(requirement: str) -> None:
    assert aborted().conclusions(requirement) == NOTHING


@ABORTED
@pytest.mark.parametrize("fate", [Fate.DROPPED, Fate.HELD])
def test_a_reset_that_never_came(requirement: str, fate: Fate) -> None:
    story = Story()
    story.peer.linger(0)
    story.peer.close()
    story.segment(PEER, "RA", fate=fate)
    story.iut.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions(requirement) == NOTHING


@ABORTED
def test_a_reset_after_the_peers_fin_is_no_abort(requirement: str) -> None:
    story = Story()
    story.peer.shutdown("send")
    story.fin(PEER)
    story.rst(PEER)
    story.iut.recv()
    assert story.conclusions(requirement) == NOTHING


@ABORTED
def test_a_reset_of_the_iut_is_no_abort_of_the_peer(requirement: str) -> None:
    story = Story()
    story.rst(IUT)
    story.iut.recv(error="ECONNABORTED")
    assert story.conclusions(requirement) == NOTHING


@ABORTED
def test_a_reset_with_another_number_may_be_refused(requirement: str) -> None:
    story = Story()
    story.segment(PEER, "R", start=100)
    story.iut.recv(timeout=True, takes=PATIENCE, wait_ms=PATIENCE)
    assert story.conclusions(requirement) == UNDETERMINED


@ABORTED
def test_a_repeated_reset_changes_nothing(requirement: str) -> None:
    story = Story()
    call = story.iut.begin("recv", length=10)
    aborted(story)
    story.iut.finish(call, error="ECONNRESET")
    story.segment(PEER, "RA", fate=Fate.REPEATED)
    story.iut.recv()
    assert story.conclusions(requirement) == SATISFIED


@ABORTED
def test_linger_zero_of_a_unix_socket_may_be_anything(requirement: str) -> None:
    story = aborted(Story(UNIX_STREAM))
    story.iut.recv()
    assert story.conclusions(requirement) == UNDETERMINED


@ABORTED
def test_death_is_no_abort(requirement: str) -> None:
    story = Story()
    story.peer.dies()
    story.fin(PEER)
    story.iut.recv()
    assert story.conclusions(requirement) == NOTHING


@ABORTED
def test_death_with_data_unread_is_an_abort(requirement: str) -> None:
    story = Story()
    call = story.iut.begin("recv", length=10)
    story.iut.send(5)
    story.data(IUT, 5)
    story.peer.dies()
    story.rst(PEER)
    story.iut.finish(call, error="ECONNRESET")
    assert story.conclusions(requirement) == SATISFIED


# --- IND-ABORT-02 -----------------------------------------------------------------------------------------------------


@LINKS
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("ECONNRESET", SATISFIED),
        ("ECONNABORTED", SATISFIED),
        ("EWEIRD", SATISFIED),
        ("", VIOLATED),
        ("EDISCON", VIOLATED),
    ],
)
def test_an_abort_is_no_graceful_end(link: Callable[[], Story], error: str, expected: set[Conclusion]) -> None:
    story = aborted(link())
    story.iut.recv(error=error)
    assert story.conclusions("IND-ABORT-02") == expected


def test_zero_bytes_after_the_error_are_free() -> None:
    story = aborted()
    story.iut.recv(error="ECONNRESET")
    story.iut.recv()
    assert story.conclusions("IND-ABORT-02") == SATISFIED


@pytest.mark.parametrize("gives_up", [lambda s: s.iut.close(), lambda s: s.iut.shutdown("receive")])
def test_what_the_own_goodbye_brought_about_tells_of_no_abort(gives_up: Change) -> None:
    story = Story()
    gives_up(story)
    aborted(story)
    story.iut.send(5, error="EBADF")
    story.iut.recv(error="ESHUTDOWN")
    assert story.conclusions("IND-ABORT-02") == NOTHING


def test_an_empty_message_is_no_end() -> None:
    messages = statement("tcp", "MESSAGE_ORIENTED")
    story = Story(messages)
    story.peer.send(0)
    aborted(story)
    story.iut.recv()
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("IND-ABORT-01") == SATISFIED
    assert story.conclusions("IND-ABORT-02") == SATISFIED


RELEASED_AND_ABORTED = pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("WSAEDISCON", "WSAEDISCON", "WSAECONNRESET"), SATISFIED),
        (("WSAECONNRESET", "WSAECONNRESET", "WSAEDISCON", "WSAECONNRESET"), SATISFIED),
        (("WSAECONNRESET", "WSAECONNRESET", "WSAEDISCON"), VIOLATED),
    ],
)


@RELEASED_AND_ABORTED
def test_after_a_release_and_an_abort_the_last_receive_counts(
    words: tuple[str, ...], expected: set[Conclusion]
) -> None:
    story = Story(REFERENCE)
    story.pdu(PEER, "RELEASE", flags=0)
    story.pdu(PEER, "ABORT", reason=0)
    story.settle()
    for error in words:
        story.iut.recv(error=error)
    (finding,) = story.judge("IND-ABORT-02")
    assert {finding.outcome} == expected
    assert finding.events[-2:] == tuple(e.n for e in story.trace().events[-2:])
    assert len(finding.events) == len(story.history().connections[0].peer_to_iut.ending.events) + 2


@pytest.mark.parametrize(("short_ns", "expected"), [(0, VIOLATED), (1, NOTHING)])
def test_a_receive_tells_of_an_abort_that_had_surely_been_there(short_ns: int, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE, settle_ms=30).relayed()
    story.pdu(PEER, "RELEASE", flags=0)
    story.pdu(PEER, "ABORT", reason=0, acked=False)
    story.now += 29 * MS - short_ns
    story.iut.recv(error="WSAEDISCON")
    assert story.conclusions("IND-ABORT-02") == expected


def test_what_follows_a_release_decides_nothing_where_it_is_no_abort_or_the_transport_leaves_it_open() -> None:
    released = Story(REFERENCE)
    released.pdu(PEER, "RELEASE", flags=0)
    reset = Story()
    reset.fin(PEER)
    reset.rst(PEER)
    for story, error in ((released, "WSAEDISCON"), (reset, "")):
        story.settle()
        story.iut.recv(error=error)
        assert story.conclusions("IND-ABORT-02") == NOTHING


# --- IND-ABORT-04 -----------------------------------------------------------------------------------------------------


def _aborted_after_data(story: Story | None = None) -> Story:
    story = story or Story()
    story.peer.send(10)
    if story.header.wire:
        story.data(PEER, 10)
    return aborted(story)


@LINKS
@pytest.mark.parametrize("read", [0, 4, 10])
def test_a_true_prefix_and_then_the_abort(link: Callable[[], Story], read: int) -> None:
    story = _aborted_after_data(link())
    if read:
        story.iut.recv(read)
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("IND-ABORT-04") == SATISFIED


def test_bytes_that_were_altered() -> None:
    story = _aborted_after_data()
    story.iut.recv(content=b"no")
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("IND-ABORT-04") == VIOLATED


@pytest.mark.parametrize("error", ["", "EDISCON"])
def test_a_prefix_and_then_an_end(error: str) -> None:
    story = _aborted_after_data()
    story.iut.recv(4)
    story.iut.recv(error=error)
    assert story.conclusions("IND-ABORT-04") == VIOLATED


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("", "", VIOLATED), ("", "ECONNRESET", SATISFIED), ("ECONNRESET", "", SATISFIED)],
)
def test_posted_receives_may_be_told_in_any_order(first: str, second: str, expected: set[Conclusion]) -> None:
    story = Story()
    story.peer.send(10)
    story.data(PEER, 10)
    for token in "ab":
        story.iut.post(token)
    aborted(story)
    story.iut.completes("b", error=first)
    story.iut.completes("a", error=second)
    assert story.conclusions("IND-ABORT-04") == expected


def test_a_prefix_and_an_error_that_a_send_took() -> None:
    story = _aborted_after_data()
    story.iut.recv(4)
    story.iut.send(5, error="ECONNRESET")
    story.iut.recv()
    (finding,) = story.judge("IND-ABORT-04")
    assert finding.outcome is Conclusion.SATISFIED
    assert "4 bytes were delivered unaltered, then send failed with ECONNRESET" in finding.because


def test_bytes_before_a_graceful_end_are_for_another_judge() -> None:
    story = Story()
    story.peer.send(5)
    story.data(PEER, 5)
    story.fin(PEER)
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("IND-ABORT-04") == NOTHING


def test_nothing_was_sent_before_the_abort() -> None:
    story = aborted()
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("IND-ABORT-04") == NOTHING


def test_bytes_before_an_abort_that_no_call_explains() -> None:
    story = Story()
    story.peer.send(5)
    story.data(PEER, 5)
    story.peer.begin("send", pattern={"seed": 0, "length": 5})
    story.data(PEER, 5)
    aborted(story)
    story.iut.recv(10)
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("IND-ABORT-04") == NOTHING


# --- IND-ABORT-05 -----------------------------------------------------------------------------------------------------


@LINKS
@pytest.mark.parametrize(
    ("error", "late_ms", "expected"),
    [("ECONNRESET", 0, SATISFIED), ("", 0, VIOLATED), ("ECONNABORTED", 0, VIOLATED), ("ECONNRESET", 2000, VIOLATED)],
)
def test_a_blocked_receive_fails_promptly(
    link: Callable[[], Story], error: str, late_ms: int, expected: set[Conclusion]
) -> None:
    story = link()
    call = story.iut.begin("recv", length=10, wait_ms=3000)
    aborted(story)
    story.wait(late_ms)
    story.iut.finish(call, error=error, length=0, data="")
    assert story.conclusions("IND-ABORT-05") == (UNDETERMINED if link is relayed and late_ms else expected)


@pytest.mark.parametrize(("late_ms", "expected"), [(999, SATISFIED), (1000, VIOLATED)])
def test_the_bound_belongs_to_what_is_in_time(late_ms: int, expected: set[Conclusion]) -> None:
    """The return comes 1 ms after the wait."""
    story = Story()
    call = story.iut.begin("recv", length=10)
    aborted(story)
    story.wait(late_ms)
    story.iut.finish(call, error="ECONNRESET")
    assert story.conclusions("IND-ABORT-05") == expected


def test_a_blocked_receive_is_not_woken() -> None:
    story = Story()
    call = story.iut.begin("recv", length=10, wait_ms=PATIENCE)
    aborted(story)
    story.wait(PATIENCE)
    story.iut.finish(call, timeout=True)
    assert story.conclusions("IND-ABORT-05") == VIOLATED


def test_a_posted_receive_is_not_woken() -> None:
    story = Story()
    story.iut.call("post_recv", length=10, result={"token": "a"})
    aborted(story)
    story.wait(PATIENCE)
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("IND-ABORT-05") == VIOLATED


def test_a_receive_that_was_made_after_the_reset_did_not_wait_for_it() -> None:
    story = aborted()
    story.iut.recv(error="ECONNRESET")
    assert story.conclusions("IND-ABORT-05") == NOTHING


def test_a_receive_that_timed_out_by_itself() -> None:
    story = Story()
    story.iut.call("set_option", name="KEEPALIVE", value=1)
    call = story.iut.begin("recv", length=10)
    aborted(story)
    story.iut.finish(call, error="ETIMEDOUT")
    assert story.conclusions("IND-ABORT-05") == NOTHING


# --- IND-ABORT-08, IND-ERR-01 -----------------------------------------------------------------------------------------


def test_what_is_told_after_a_reset_that_followed_the_end_is_recorded() -> None:
    story = Story()
    story.peer.shutdown("send")
    story.fin(PEER)
    story.iut.recv()
    story.rst(PEER)
    story.iut.poll("IN", "RDHUP", "HUP", "ERR")
    story.iut.send(5, error="EPIPE")
    story.iut.recv()
    story.iut.begin("send", pattern={"seed": 0, "length": 5})
    (finding,) = story.judge("IND-ABORT-08")
    assert finding.outcome is Conclusion.SATISFIED
    assert "never answered" not in finding.because
    assert [word in finding.because for word in ("poll", "EPIPE", "recv returned 0 bytes")] == [True] * 3


@pytest.mark.parametrize("ends", [lambda s: None, lambda s: s.fin(PEER), lambda s: s.rst(PEER)])
def test_without_a_reset_after_an_end_there_is_nothing_to_record(ends: Change) -> None:
    story = Story()
    ends(story)
    story.iut.recv()
    assert story.conclusions("IND-ABORT-08") == NOTHING


def test_nobody_asked_after_the_reset() -> None:
    story = Story()
    story.fin(PEER)
    story.iut.recv()
    story.rst(PEER)
    assert story.conclusions("IND-ABORT-08") == NOTHING


@pytest.mark.parametrize("name", ["ECONNRESET", ""])
def test_the_pending_error_is_recorded(name: str) -> None:
    story = aborted()
    story.iut.get_error(name)
    (finding,) = story.judge("IND-ERR-01")
    assert finding.outcome is Conclusion.SATISFIED
    assert f"SO_ERROR held {name or 'nothing'}" in finding.because


def test_a_pending_error_before_any_end_is_not_recorded() -> None:
    story = Story()
    story.iut.get_error()
    assert story.conclusions("IND-ERR-01") == NOTHING
    aborted(story)
    assert story.conclusions("IND-ERR-01") == NOTHING


# --- messages in parts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((("0", True),), SATISFIED),
        ((("0", True), ("1", True)), SATISFIED),
        ((("01234", False),), SATISFIED),
        ((("0", True), ("1234", False)), SATISFIED),
        ((("0", False),), VIOLATED),
        ((("0", True), ("2", True)), VIOLATED),
    ],
)
def test_a_message_may_come_in_parts_before_the_abort(
    parts: tuple[tuple[str, bool], ...], expected: set[Conclusion]
) -> None:
    story = Story(REFERENCE)
    story.peer.call("send", data=base64.b64encode(b"01234").decode(), result={"length": 5})
    story.pdu(PEER, "DATA", b"01234")
    story.pdu(PEER, "ABORT")
    for content, partial in parts:
        data = base64.b64encode(content.encode()).decode()
        received = {"length": len(content), "data": data} | ({"partial": True} if partial else {})
        story.iut.call("recv", length=65536, result=received)
    story.iut.recv(error="WSAECONNRESET")
    assert story.conclusions("IND-ABORT-04") == expected
