# SPDX-License-Identifier: MIT
"""The judges of what only Winsock asks for: refusals, partial receives, lasting aborts, WSAPoll, misuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from conformance.catalogue.statement import Statement
from conformance.oracle.findings import Conclusion
from conformance.trace.events import Fate
from tests.oracle.story import (
    IUT,
    KERNEL_TCP,
    PEER,
    REFERENCE,
    REFERENCE_PSEUDO_STREAM,
    REFERENCE_STREAM,
    Story,
    reference,
)
from tests.oracle.test_notifications import LONG, aborted, released

SATISFIED, VIOLATED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}
UNDETERMINED, NOTHING = {Conclusion.UNDETERMINED}, set[Conclusion]()
Change = Callable[[Story], object]

WINSOCK_TCP = msgspec.structs.replace(reference(), transport="tcp", features=())
FORMS = pytest.mark.parametrize("form", [REFERENCE, REFERENCE_PSEUDO_STREAM, REFERENCE_STREAM])

# --- INIT-SHUT-04, INIT-SDISC-02 --------------------------------------------------------------------------------------


def left(how: str, form: Statement = REFERENCE_STREAM) -> Story:
    """The IUT has shut down so, or called SendDisconnect."""
    story = Story(form)
    if how == "send_disconnect":
        story.iut.send_disconnect()
        story.pdu(IUT, "RELEASE")
        return story
    return released(story, "iut", how) if how != "receive" else _stopped(story)


def _stopped(story: Story) -> Story:
    story.iut.shutdown("receive")
    return story


BY = pytest.mark.parametrize(
    ("how", "requirement"),
    [("send", "INIT-SHUT-04"), ("both", "INIT-SHUT-04"), ("send_disconnect", "INIT-SDISC-02")],
)


@BY
@FORMS
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"error": "WSAESHUTDOWN"}, SATISFIED),
        ({"error": "WSAECONNRESET"}, VIOLATED),
        ({"error": "WSAEWOULDBLOCK"}, VIOLATED),
        ({"timeout": True}, VIOLATED),
        ({}, VIOLATED),
    ],
)
def test_a_send_after_the_own_end(
    form: Statement, how: str, requirement: str, answer: dict[str, Any], expected: set[Conclusion]
) -> None:
    story = left(how, form)
    story.iut.send(5, **answer)
    assert story.conclusions(requirement) == expected


@pytest.mark.parametrize(("how", "expected"), [("send", VIOLATED), ("send_disconnect", SATISFIED)])
def test_only_send_disconnect_may_be_answered_with_not_connected(how: str, expected: set[Conclusion]) -> None:
    story = left(how)
    story.iut.send(5, error="WSAENOTCONN")
    assert story.conclusions("INIT-SDISC-02" if how == "send_disconnect" else "INIT-SHUT-04") == expected


@BY
def test_nothing_was_sent_after_it(how: str, requirement: str) -> None:
    story = Story(REFERENCE_STREAM)
    story.iut.send(5)
    assert story.conclusions(requirement) == NOTHING
    assert left(how).conclusions(requirement) == NOTHING


@BY
def test_a_refused_end_ends_nothing(how: str, requirement: str) -> None:
    story = Story(REFERENCE_STREAM)
    story.iut.call("send_disconnect" if how == "send_disconnect" else "shutdown", how=how, error="WSAEINVAL")
    story.iut.send(5)
    assert story.conclusions(requirement) == NOTHING


@BY
def test_an_abort_may_be_told_instead(how: str, requirement: str) -> None:
    story = aborted(left(how))
    story.iut.send(5, error="WSAECONNRESET")
    assert story.conclusions(requirement) == NOTHING


@BY
def test_a_send_after_close_is_another_matter(how: str, requirement: str) -> None:
    story = left(how)
    story.iut.close()
    story.iut.send(5, error="WSAENOTSOCK")
    assert story.conclusions(requirement) == NOTHING


def test_ending_receiving_alone_refuses_no_send() -> None:
    story = left("receive")
    story.iut.send(5)
    assert story.conclusions("INIT-SHUT-04") == NOTHING


def test_posix_is_judged_by_its_own_row() -> None:
    story = Story(KERNEL_TCP)
    story.iut.shutdown("send")
    story.iut.send(5, error="EPIPE")
    assert story.conclusions("INIT-SHUT-04") == NOTHING


# --- INIT-SHUT-06 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["receive", "both"])
@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"error": "WSAESHUTDOWN"}, SATISFIED),
        ({"error": "WSAEDISCON"}, VIOLATED),
        ({"error": "WSAEWOULDBLOCK"}, VIOLATED),
        ({"timeout": True}, VIOLATED),
        ({"length": 0}, VIOLATED),
        ({"length": 5}, VIOLATED),
    ],
)
def test_a_receive_after_the_own_end_of_receiving(
    how: str, ended: bool, answer: dict[str, Any], expected: set[Conclusion]
) -> None:
    story = left(how)
    if ended:
        released(story)
    length = answer.get("length", 0)
    story.iut.recv(length, **{key: value for key, value in answer.items() if key != "length"})
    assert story.conclusions("INIT-SHUT-06") == expected


def test_ending_sending_alone_refuses_no_receive() -> None:
    story = released(left("send"))
    story.iut.recv()
    assert story.conclusions("INIT-SHUT-06") == NOTHING


@pytest.mark.parametrize(("error", "expected"), [("WSAESHUTDOWN", SATISFIED), ("", VIOLATED)])
def test_a_receive_posted_after_it(error: str, expected: set[Conclusion]) -> None:
    story = left("receive")
    story.iut.post("r1")
    story.iut.completes("r1", error=error)
    assert story.conclusions("INIT-SHUT-06") == expected


@pytest.mark.parametrize(
    ("waited", "closes", "expected"), [(1100, False, VIOLATED), (900, False, NOTHING), (1100, True, NOTHING)]
)
def test_a_receive_posted_after_it_must_complete(waited: int, closes: bool, expected: set[Conclusion]) -> None:
    story = left("receive")
    story.iut.post("r1")
    if closes:
        story.iut.close()
    story.settle(waited)
    assert story.conclusions("INIT-SHUT-06") == expected


def test_a_posting_that_is_refused_at_once() -> None:
    story = left("receive")
    story.iut.call("post_recv", length=100, error="WSAESHUTDOWN")
    assert story.conclusions("INIT-SHUT-06") == SATISFIED


def test_a_receive_posted_before_is_another_matter() -> None:
    story = Story(REFERENCE_STREAM)
    story.iut.post("r1")
    story.iut.shutdown("receive")
    story.iut.completes("r1", error="WSA_OPERATION_ABORTED")
    assert story.conclusions("INIT-SHUT-06") == NOTHING


def test_an_abort_may_be_told_to_a_receive_instead() -> None:
    story = aborted(left("receive"))
    story.iut.recv(error="WSAECONNRESET")
    assert story.conclusions("INIT-SHUT-06") == NOTHING


# --- INIT-SHUT-10 -----------------------------------------------------------------------------------------------------

LOCAL, REMOTE = {"host": "127.0.0.1", "port": 40000}, {"host": "127.0.0.1", "port": 10000}


def both_shut() -> Story:
    """Both ends have shut down sending."""
    return released(left("send"))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"result": {"local": LOCAL, "peer": REMOTE}}, SATISFIED),
        ({"result": {"local": REMOTE, "peer": LOCAL}}, VIOLATED),
        ({"result": {"local": LOCAL, "peer": None}}, VIOLATED),
        ({"error": "WSAENOTCONN"}, VIOLATED),
    ],
)
def test_the_addresses_of_a_shut_down_socket(answer: dict[str, Any], expected: set[Conclusion]) -> None:
    story = both_shut()
    story.iut.call("names", **answer)
    assert story.conclusions("INIT-SHUT-10") == expected


@pytest.mark.parametrize(("error", "expected"), [("", SATISFIED), ("WSAENOTCONN", VIOLATED)])
def test_the_options_of_a_shut_down_socket(error: str, expected: set[Conclusion]) -> None:
    story = both_shut()
    story.iut.call("get_linger", error=error, result={"on": False, "seconds": 0})
    assert story.conclusions("INIT-SHUT-10") == expected


@pytest.mark.parametrize("other", ["half", "reset", "closed", "never asked"])
def test_other_questions_are_no_matter_of_the_shutdown(other: str) -> None:
    story = left("send") if other == "half" else both_shut()
    if other == "reset":
        story = aborted(left("send"))
    if other == "closed":
        story.iut.close()
    if other != "never asked":
        story.iut.call("names", error="WSAENOTCONN")
    assert story.conclusions("INIT-SHUT-10") == NOTHING


# --- INIT-SDISC-01, INIT-SDISC-03 -------------------------------------------------------------------------------------


@FORMS
def test_send_disconnect_tells_a_graceful_end(form: Statement) -> None:
    story = left("send_disconnect", form)
    story.peer.recv(error="WSAEDISCON" if form is REFERENCE else "")
    assert story.conclusions("INIT-SDISC-01") == SATISFIED


def _abort_goes_out(story: Story) -> None:
    story.iut.send_disconnect()
    story.pdu(IUT, "ABORT")
    story.peer.recv(error="WSAECONNRESET")


def _nothing_goes_out(story: Story) -> None:
    story.iut.send_disconnect()
    story.peer.recv(timeout=True, wait_ms=LONG, takes=LONG)


def _it_fails(story: Story) -> None:
    story.iut.send_disconnect(error="WSASYSCALLFAILURE")


@pytest.mark.parametrize("does", [_abort_goes_out, _nothing_goes_out, _it_fails])
def test_send_disconnect_tells_no_graceful_end(does: Change) -> None:
    story = Story(REFERENCE)
    does(story)
    assert story.conclusions("INIT-SDISC-01") == VIOLATED


def test_send_disconnect_with_data_is_judged_elsewhere() -> None:
    story = Story(REFERENCE)
    story.iut.send_disconnect(b"bye", error="WSAENOPROTOOPT")
    assert story.conclusions("INIT-SDISC-01") == NOTHING


def test_what_followed_another_goodbye_is_not_its_doing() -> None:
    story = left("send")
    story.iut.send_disconnect(error="WSAESHUTDOWN")
    assert story.conclusions("INIT-SDISC-01") == NOTHING


def lingering(takes: int = 1, **query: Any) -> Story:
    """Linger is on with 5 s, the IUT calls SendDisconnect, and asks for its linger setting."""
    story = Story(REFERENCE_STREAM)
    story.iut.linger(5)
    story.iut.send_disconnect(takes=takes)
    story.pdu(IUT, "RELEASE")
    if query:
        story.iut.call("get_linger", **query)
    return story


def test_send_disconnect_does_not_linger_and_keeps_the_socket() -> None:
    assert lingering(result={"on": True, "seconds": 5}).conclusions("INIT-SDISC-03") == SATISFIED


@pytest.mark.parametrize(("takes", "query"), [(2000, {}), (5000, {"result": {}}), (1, {"error": "WSAENOTSOCK"})])
def test_send_disconnect_lingers_or_releases_the_socket(takes: int, query: dict[str, Any]) -> None:
    assert lingering(takes, **query).conclusions("INIT-SDISC-03") == VIOLATED


def test_nobody_asked_whether_the_socket_is_there() -> None:
    assert lingering().conclusions("INIT-SDISC-03") == NOTHING


def test_without_linger_there_is_nothing_to_wait_for() -> None:
    story = left("send_disconnect")
    story.iut.call("get_linger", result={"on": False, "seconds": 0})
    assert story.conclusions("INIT-SDISC-03") == NOTHING


# --- IND-STREAM-07, IND-STREAM-08 -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "expected"), [("", SATISFIED), ("WSAEDISCON", VIOLATED), ("WSAECONNRESET", VIOLATED)]
)
def test_a_pseudo_stream_ends_like_a_stream(error: str, expected: set[Conclusion]) -> None:
    story = released(Story(REFERENCE_PSEUDO_STREAM))
    story.iut.recv(error=error)
    assert story.conclusions("IND-STREAM-07") == expected
    assert story.conclusions("IND-STREAM-01") == expected


def test_a_pseudo_stream_tells_the_end_too_early_or_never() -> None:
    story = Story(REFERENCE_PSEUDO_STREAM)
    story.iut.recv()
    released(story)
    assert story.conclusions("IND-STREAM-07") == VIOLATED
    story = released(Story(REFERENCE_PSEUDO_STREAM))
    story.iut.recv(timeout=True, wait_ms=LONG, takes=LONG)
    assert story.conclusions("IND-STREAM-07") == VIOLATED


def test_a_pseudo_stream_that_does_not_end_shows_nothing() -> None:
    story = Story(REFERENCE_PSEUDO_STREAM)
    story.iut.recv(timeout=True, wait_ms=LONG, takes=LONG)
    assert story.conclusions("IND-STREAM-07") == NOTHING


@pytest.mark.parametrize(
    ("error", "expected"), [("", SATISFIED), ("WSAEDISCON", SATISFIED), ("WSAECONNRESET", VIOLATED)]
)
def test_a_partial_receive_at_the_end(error: str, expected: set[Conclusion]) -> None:
    story = released(Story(REFERENCE))
    story.iut.recv(error=error, flags=["PARTIAL"])
    assert story.conclusions("IND-STREAM-08") == expected


def test_a_partial_receive_before_the_end() -> None:
    story = Story(REFERENCE)
    story.iut.recv(flags=["PARTIAL"])
    released(story)
    assert story.conclusions("IND-STREAM-08") == VIOLATED


def test_a_partial_receive_waits_for_ever() -> None:
    story = released(Story(REFERENCE))
    story.iut.recv(timeout=True, flags=["PARTIAL"], wait_ms=LONG, takes=LONG)
    assert story.conclusions("IND-STREAM-08") == VIOLATED


def test_a_partial_receive_may_get_an_empty_message() -> None:
    story = Story(REFERENCE)
    story.peer.send(0)
    story.pdu(PEER, "DATA")
    released(story)
    story.iut.recv(flags=["PARTIAL"])
    assert story.conclusions("IND-STREAM-08") == NOTHING


def test_a_whole_receive_is_no_partial_one() -> None:
    story = released(Story(REFERENCE))
    story.iut.recv(error="WSAEDISCON")
    assert story.conclusions("IND-STREAM-08") == NOTHING


# --- IND-ABORT-03 -----------------------------------------------------------------------------------------------------


def reset(form: Statement = REFERENCE) -> Story:
    """The peer has aborted, and the IUT was told."""
    story = aborted(Story(form))
    story.iut.recv(error="WSAECONNRESET")
    return story


@FORMS
@pytest.mark.parametrize("error", ["WSAECONNRESET", "WSAECONNABORTED", "WSAENOTCONN"])
def test_an_abort_is_permanent(form: Statement, error: str) -> None:
    story = reset(form)
    story.iut.recv(error=error)
    story.iut.send(5, error=error)
    assert story.conclusions("IND-ABORT-03") == SATISFIED


def _recv_gives_zero(story: Story) -> None:
    story.iut.recv()


def _recv_tells_a_graceful_end(story: Story) -> None:
    story.iut.recv(error="WSAEDISCON")


def _recv_waits(story: Story) -> None:
    story.iut.recv(timeout=True, wait_ms=100)


def _recv_would_block(story: Story) -> None:
    story.iut.recv(error="WSAEWOULDBLOCK")


def _send_succeeds(story: Story) -> None:
    story.iut.send(5)


@pytest.mark.parametrize(
    "forgets", [_recv_gives_zero, _recv_tells_a_graceful_end, _recv_waits, _recv_would_block, _send_succeeds]
)
def test_an_abort_is_forgotten(forgets: Change) -> None:
    story = reset()
    forgets(story)
    assert story.conclusions("IND-ABORT-03") == VIOLATED


def test_both_directions_must_have_been_tried() -> None:
    story = reset()
    story.iut.recv(error="WSAECONNRESET")
    assert story.conclusions("IND-ABORT-03") == NOTHING


def test_a_send_after_the_own_shutdown_shows_nothing() -> None:
    story = aborted(left("send"))
    story.iut.recv(error="WSAECONNRESET")
    story.iut.recv(error="WSAECONNRESET")
    story.iut.send(5, error="WSAESHUTDOWN")
    assert story.conclusions("IND-ABORT-03") == NOTHING


def test_after_close_the_handle_is_gone() -> None:
    story = reset()
    story.iut.close()
    story.iut.send(5)
    assert story.conclusions("IND-ABORT-03") == NOTHING


def test_a_graceful_end_is_no_abort() -> None:
    story = released(Story(REFERENCE))
    story.iut.recv(error="WSAEDISCON")
    story.iut.send(5)
    assert story.conclusions("IND-ABORT-03") == NOTHING


# --- IND-ABORT-06, IND-ABORT-07 ---------------------------------------------------------------------------------------


def cut_off(option: str = "", *, sent: bool = True) -> Story:
    """What the peer puts on the link is dropped from now on."""
    story = Story(WINSOCK_TCP)
    if option:
        story.iut.call("set_option", name=option, value=1)
    if sent:
        story.iut.send(5)
        story.segment(IUT, "PA", 5)
    story.segment(PEER, "A", fate=Fate.DROPPED)
    story.wait(LONG)
    return story


@pytest.mark.parametrize(
    ("error", "lost", "kept"),
    [
        ("WSAECONNABORTED", SATISFIED, SATISFIED),
        ("WSAETIMEDOUT", SATISFIED, SATISFIED),
        ("WSAECONNRESET", VIOLATED, SATISFIED),
        ("WSAENETRESET", VIOLATED, SATISFIED),
        ("", VIOLATED, VIOLATED),
    ],
)
def test_an_end_of_its_own(error: str, lost: set[Conclusion], kept: set[Conclusion]) -> None:
    story = cut_off()
    story.iut.recv(error=error)
    assert (story.conclusions("IND-ABORT-06"), story.conclusions("IND-ABORT-07")) == (lost, NOTHING)
    story = cut_off("KEEPALIVE", sent=False)
    story.iut.recv(error=error)
    assert (story.conclusions("IND-ABORT-06"), story.conclusions("IND-ABORT-07")) == (NOTHING, kept)


def test_a_send_may_tell_of_it() -> None:
    story = cut_off()
    story.iut.send(5, error="WSAECONNABORTED")
    assert story.conclusions("IND-ABORT-06") == SATISFIED


def test_it_may_close_once_it_was_told() -> None:
    story = cut_off()
    story.iut.recv(error="WSAECONNABORTED")
    story.iut.close()
    assert story.conclusions("IND-ABORT-06") == SATISFIED


@pytest.mark.parametrize(
    "other",
    ["a reset came", "anything came", "nothing was told", "nothing was sent", "not cut off", "closed"],
)
def test_an_end_that_is_not_its_own(other: str) -> None:
    story = cut_off(sent=other != "nothing was sent") if other != "not cut off" else Story(WINSOCK_TCP)
    if other == "a reset came":
        story.rst(PEER)
    if other == "anything came":
        story.segment(PEER, "A")
    if other == "closed":
        story.iut.close()
    if other != "nothing was told":
        story.iut.recv(error="WSAECONNRESET")
    assert story.conclusions("IND-ABORT-06") == NOTHING


# --- IND-POLL-01 ------------------------------------------------------------------------------------------------------


def polls(story: Story, *told: str, takes: int = 1, wait_ms: int = 0) -> Story:
    story.iut.poll(*told, surface="wsapoll", ask=("IN",), takes=takes, wait_ms=wait_ms)
    return story


@pytest.mark.parametrize(
    ("told", "graceful", "abortive"),
    [
        (("HUP",), SATISFIED, VIOLATED),
        (("IN", "HUP"), SATISFIED, VIOLATED),
        (("ERR", "HUP"), SATISFIED, SATISFIED),
        (("IN",), VIOLATED, VIOLATED),
        ((), VIOLATED, VIOLATED),
    ],
)
def test_wsapoll_tells_a_hang_up(told: tuple[str, ...], graceful: set[Conclusion], abortive: set[Conclusion]) -> None:
    for ended, expected in ((released, graceful), (aborted, abortive)):
        story = ended(Story(REFERENCE_STREAM))
        story.settle()
        assert polls(story, *told).conclusions("IND-POLL-01") == expected


def test_wsapoll_looked_too_soon() -> None:
    assert polls(released(Story(REFERENCE_STREAM)), "IN").conclusions("IND-POLL-01") == NOTHING


def _data(story: Story) -> None:
    story.peer.send(5)
    story.pdu(PEER, "DATA", b"01234")


def _own_end(story: Story) -> None:
    released(story, "iut")


@pytest.mark.parametrize("before", [_data, _own_end])
def test_wsapoll_may_tell_something_else(before: Change) -> None:
    story = Story(REFERENCE_STREAM)
    before(story)
    released(story)
    story.settle()
    assert polls(story, "IN").conclusions("IND-POLL-01") == NOTHING


def test_wsapoll_before_the_end_or_on_messages() -> None:
    assert released(polls(Story(REFERENCE_STREAM))).conclusions("IND-POLL-01") == NOTHING
    story = released(Story(REFERENCE))
    story.settle()
    assert polls(story).conclusions("IND-POLL-01") == NOTHING


# --- ERR-01, ERR-04, ERR-06 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", ["shutdown", "send_disconnect", "recv_disconnect"])
@pytest.mark.parametrize(("error", "expected"), [("WSAENOTCONN", SATISFIED), ("WSAEINVAL", VIOLATED), ("", VIOLATED)])
def test_calls_that_shut_down_need_a_connection(op: str, error: str, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE, connected=False)
    story.iut.call("socket", socket=None, result={"socket": 9})
    arguments: dict[str, Any] = {"how": "send"} if op == "shutdown" else {}
    story.iut.call(op, socket=9, error=error, **arguments)
    assert story.conclusions("ERR-01") == expected


@pytest.mark.parametrize("op", ["shutdown", "recv", "send", "close", "event_select", "recv_disconnect"])
@pytest.mark.parametrize(("error", "expected"), [("WSAENOTSOCK", SATISFIED), ("WSAEINVAL", VIOLATED), ("", VIOLATED)])
def test_what_is_no_socket_is_refused(op: str, error: str, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE)
    story.iut.call(op, socket=-1, error=error)
    assert story.conclusions("ERR-04") == expected


def test_the_peers_handles_and_unsupported_calls_show_nothing() -> None:
    story = Story(REFERENCE)
    story.peer.call("shutdown", socket=-1)
    story.iut.finish(story.iut.begin("poll", socket=-1), unsupported="no such surface")
    story.iut.recv()
    assert story.conclusions("ERR-04") == NOTHING


@pytest.mark.parametrize(("error", "told"), [("WSAENOTCONN", SATISFIED), ("", SATISFIED), ("WSAEINVAL", VIOLATED)])
def test_shutdown_of_a_listener_is_recorded(error: str, told: set[Conclusion]) -> None:
    story = Story(REFERENCE, connected=False)
    story.iut.call("listen", socket=9, result={"address": {}})
    story.iut.shutdown("send", socket=9, error=error)
    assert story.conclusions("ERR-06") == told


def test_shutdown_of_other_sockets_is_no_matter_of_listeners() -> None:
    story = left("send")
    assert story.conclusions("ERR-06") == NOTHING
