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


@BY
@pytest.mark.parametrize(("later_ms", "expected"), [(-1, NOTHING), (0, NOTHING), (1, VIOLATED)])
def test_a_send_that_was_made_before_it_had_returned(
    how: str, requirement: str, later_ms: int, expected: set[Conclusion]
) -> None:
    story = Story(REFERENCE_STREAM)
    story.iut.call("send_disconnect" if how == "send_disconnect" else "shutdown", how=how, takes=3)
    story.wait(later_ms - 1)
    story.iut.send(5)
    assert story.conclusions(requirement) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda s: s.iut.close(error="WSAEINTR"), VIOLATED),
        (lambda s: s.iut.begin("close"), NOTHING),
        (lambda s: (s.iut.call("duplicate", result={"socket": 4}), s.iut.close(socket=4)), VIOLATED),
        (lambda s: (s.iut.call("duplicate", result={"socket": 4}), s.iut.close()), NOTHING),
    ],
    ids=["failed", "unanswered", "another handle", "this handle"],
)
def test_a_send_by_a_handle_that_may_be_closed(change: Change, expected: set[Conclusion]) -> None:
    story = left("send")
    change(story)
    story.iut.send(5, error="WSAENOTSOCK")
    assert story.conclusions("INIT-SHUT-04") == expected


@pytest.mark.parametrize(("later_ms", "expected"), [(-1, NOTHING), (0, NOTHING), (1, VIOLATED)])
def test_a_send_that_returns_as_the_handle_is_closed(later_ms: int, expected: set[Conclusion]) -> None:
    story = left("send")
    story.iut.send(5, error="WSAENOTSOCK", takes=3)
    story.wait(later_ms - 1)
    story.iut.close()
    assert story.conclusions("INIT-SHUT-04") == expected


def test_a_send_that_is_made_as_the_handle_is_closed() -> None:
    story = left("send")
    story.iut.call("duplicate", result={"socket": 4})
    story.iut.begin("close")
    story.wait(-1)
    story.iut.send(5, error="WSAENOTSOCK")
    assert story.conclusions("INIT-SHUT-04") == NOTHING


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda s: None, VIOLATED),
        (released, VIOLATED),
        (lambda s: s.iut.call("set_option", name="KEEPALIVE", value=1), NOTHING),
        (lambda s: s.peer.close(), NOTHING),
        (aborted, NOTHING),
    ],
    ids=["nothing", "released", "may time out", "peer gone", "aborted"],
)
@pytest.mark.parametrize(("direction", "requirement"), [("send", "INIT-SHUT-04"), ("receive", "INIT-SHUT-06")])
def test_what_excuses_another_error(
    direction: str, requirement: str, change: Change, expected: set[Conclusion]
) -> None:
    for error in ("WSAECONNABORTED", "WSAEINVAL"):
        story = left(direction)
        change(story)
        if direction == "send":
            story.iut.send(5, error=error)
        else:
            story.iut.recv(error=error)
        assert story.conclusions(requirement) == (VIOLATED if error == "WSAEINVAL" else expected)


def test_an_abort_after_the_release_may_be_told_instead() -> None:
    story = released(left("receive"))
    story.pdu(PEER, "ABORT")
    story.iut.recv(error="WSAECONNRESET")
    assert story.conclusions("INIT-SHUT-06") == NOTHING


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


@pytest.mark.parametrize(("later_ms", "expected"), [(-1, NOTHING), (0, NOTHING), (1, VIOLATED)])
def test_a_receive_that_was_made_before_it_had_returned(later_ms: int, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE_STREAM)
    story.iut.shutdown("receive", takes=3)
    story.wait(later_ms - 1)
    story.iut.recv(5)
    assert story.conclusions("INIT-SHUT-06") == expected


def test_each_receive_after_it_is_judged_by_itself() -> None:
    story = Story(REFERENCE_STREAM)
    story.iut.recv(error="WSAEWOULDBLOCK")
    story.iut.shutdown("receive")
    story.iut.post("r1")
    story.iut.post("r2")
    story.iut.completes("r2", error="WSAECONNRESET")
    story.iut.recv(error="WSAESHUTDOWN")
    story.iut.recv(error="WSAEDISCON")
    assert [f.outcome for f in story.judge("INIT-SHUT-06")] == [Conclusion.SATISFIED, Conclusion.VIOLATED]


@pytest.mark.parametrize(("later_ms", "expected"), [(-1, NOTHING), (0, NOTHING), (1, VIOLATED)])
def test_a_receive_that_completes_as_the_handle_is_closed(later_ms: int, expected: set[Conclusion]) -> None:
    story = left("receive")
    story.relayed()
    story.iut.post("r1")
    story.wait(2)
    story.iut.completes("r1", error="WSA_OPERATION_ABORTED")
    story.wait(later_ms - 1)
    story.iut.close()
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


@pytest.mark.parametrize(
    ("answer", "expected"),
    [({"local": REMOTE, "peer": LOCAL}, SATISFIED), ({"local": LOCAL, "peer": REMOTE}, VIOLATED)],
)
def test_the_addresses_of_a_server(answer: dict[str, Any], expected: set[Conclusion]) -> None:
    story = Story(REFERENCE_STREAM, wire=False)
    story.events[-1] = msgspec.structs.replace(story.events[-1], client=PEER)
    story.iut.shutdown("send")
    released(story)
    story.iut.call("names", result=answer)
    assert story.conclusions("INIT-SHUT-10") == expected


@pytest.mark.parametrize("which", ["local", "peer"])
@pytest.mark.parametrize("key", ["host", "port", "family"])
def test_one_part_of_an_address_is_another(which: str, key: str) -> None:
    story = both_shut()
    told = {"local": dict(LOCAL), "peer": dict(REMOTE)}
    told[which][key] = "other"
    story.iut.call("names", result=told)
    assert story.conclusions("INIT-SHUT-10") == (SATISFIED if key == "family" else VIOLATED)


def test_an_address_without_a_port_is_compared_without() -> None:
    story = Story(REFERENCE_STREAM, wire=False)
    story.events[-1] = msgspec.structs.replace(story.events[-1], client_address={"host": "127.0.0.1"})
    story.iut.shutdown("send")
    released(story)
    story.iut.call("names", result={"local": LOCAL, "peer": REMOTE})
    assert story.conclusions("INIT-SHUT-10") == SATISFIED


@pytest.mark.parametrize(("later_ms", "expected"), [(-1, NOTHING), (0, NOTHING), (1, VIOLATED)])
@pytest.mark.parametrize("last", ["own", "peer"])
def test_a_question_as_the_second_end_comes(last: str, later_ms: int, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE_STREAM, wire=False)
    (story.peer if last == "own" else story.iut).shutdown("send")
    story.wait(1)
    if last == "own":
        story.iut.shutdown("send", takes=3)
        story.wait(later_ms - 1)
    else:
        story.wait(1)
        call = story.peer.begin("shutdown", how="send")
        story.wait(later_ms - 1)
    story.iut.call("names", error="WSAENOTCONN")
    if last == "peer":
        story.peer.finish(call)
    assert story.conclusions("INIT-SHUT-10") == expected


def test_what_was_asked_before_hides_nothing_of_what_is_asked_after() -> None:
    story = left("send")
    story.iut.call("names", error="WSAENOTCONN")
    released(story)
    story.iut.call("names", error="WSAENOTCONN")
    assert story.conclusions("INIT-SHUT-10") == VIOLATED


@pytest.mark.parametrize("other", ["half", "peer's half", "reset", "closed", "never asked"])
def test_other_questions_are_no_matter_of_the_shutdown(other: str) -> None:
    story = left("send") if other == "half" else both_shut()
    if other == "peer's half":
        story = released(Story(REFERENCE_STREAM))
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


def test_send_disconnect_that_the_agent_does_not_have_shows_nothing() -> None:
    story = Story(REFERENCE)
    story.iut.finish(story.iut.begin("send_disconnect"), unsupported="no such call")
    assert story.conclusions("INIT-SDISC-01") == NOTHING


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


@pytest.mark.parametrize(
    ("seconds", "takes", "expected"),
    [(5, 999, SATISFIED), (5, 1000, VIOLATED), (1, 499, SATISFIED), (1, 500, VIOLATED), (0, 2000, NOTHING)],
)
def test_how_long_send_disconnect_may_take(seconds: int, takes: int, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE_STREAM)
    story.iut.linger(seconds)
    story.iut.send_disconnect(takes=takes)
    story.iut.call("get_linger", result={"on": True, "seconds": seconds})
    assert story.conclusions("INIT-SDISC-03") == expected


@pytest.mark.parametrize(("later_ms", "expected"), [(-1, NOTHING), (0, NOTHING), (1, VIOLATED)])
def test_a_question_as_send_disconnect_returns(later_ms: int, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE_STREAM)
    story.iut.linger(5)
    story.iut.send_disconnect(takes=3)
    story.wait(later_ms - 1)
    story.iut.call("names", error="WSAENOTSOCK")
    assert story.conclusions("INIT-SDISC-03") == expected


def test_send_disconnect_that_failed_keeps_nothing() -> None:
    story = Story(REFERENCE_STREAM)
    story.iut.linger(5)
    story.iut.send_disconnect(error="WSAEINVAL")
    story.iut.call("get_linger", result={"on": True, "seconds": 5})
    assert story.conclusions("INIT-SDISC-03") == NOTHING


def test_each_send_disconnect_is_judged_by_itself() -> None:
    story = left("send_disconnect")
    story.iut.linger(5)
    story.iut.send_disconnect(takes=2000, error="WSAESHUTDOWN")
    story.iut.send_disconnect()
    story.iut.call("names", result={})
    assert story.conclusions("INIT-SDISC-03") == VIOLATED | SATISFIED


def test_a_question_that_an_abort_may_have_refused() -> None:
    story = Story(REFERENCE_STREAM)
    story.iut.linger(5)
    story.iut.send_disconnect()
    aborted(story)
    story.iut.call("names", error="WSAENOTCONN")
    assert story.conclusions("INIT-SDISC-03") == NOTHING


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


def test_a_partial_receive_before_an_abort_is_another_matter() -> None:
    story = Story(REFERENCE)
    story.iut.recv(flags=["PARTIAL"])
    aborted(story)
    assert story.conclusions("IND-STREAM-08") == NOTHING


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


def test_each_partial_receive_is_judged_by_itself() -> None:
    story = released(Story(REFERENCE))
    story.iut.recv(error="WSAEDISCON")
    story.iut.recv(error="WSAEDISCON", flags=["PARTIAL"])
    story.iut.recv(error="WSAEINVAL", flags=["PARTIAL"])
    assert story.conclusions("IND-STREAM-08") == SATISFIED | VIOLATED


def test_an_abort_after_the_release_frees_a_partial_receive() -> None:
    story = released(Story(REFERENCE))
    story.pdu(PEER, "ABORT")
    story.iut.recv(error="WSAECONNRESET", flags=["PARTIAL"])
    assert story.conclusions("IND-STREAM-08") == NOTHING


@pytest.mark.parametrize(("early_ms", "expected"), [(0, SATISFIED), (1, VIOLATED)])
def test_a_partial_receive_may_return_as_the_end_comes(early_ms: int, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE, wire=False)
    call = story.iut.begin("recv", length=10, flags=["PARTIAL"])
    story.wait(2)
    ends = story.peer.begin("shutdown", how="send")
    story.wait(-1 - early_ms)
    story.iut.finish(call, length=0)
    story.wait(early_ms)
    story.peer.finish(ends)
    assert story.conclusions("IND-STREAM-08") == expected


def test_a_whole_receive_may_wait_for_ever() -> None:
    story = released(Story(REFERENCE))
    story.iut.recv(timeout=True, wait_ms=LONG, takes=LONG)
    story.iut.recv(error="WSAEDISCON", flags=["PARTIAL"])
    assert story.conclusions("IND-STREAM-08") == SATISFIED


@pytest.mark.parametrize(("flags", "expected"), [(["PARTIAL"], UNDETERMINED), ([], NOTHING)])
def test_a_partial_receive_at_an_end_that_is_not_known(flags: list[str], expected: set[Conclusion]) -> None:
    story = released(Story(REFERENCE, lost=1))
    story.iut.recv(error="WSAEDISCON", flags=flags)
    assert story.conclusions("IND-STREAM-08") == expected


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


@pytest.mark.parametrize("last", ["recv", "send"])
def test_what_is_asked_as_the_abort_is_told_comes_after_it(last: str) -> None:
    story = reset()
    story.wait(-1)
    if last == "recv":
        story.iut.recv()
    else:
        story.iut.send(5)
    assert story.conclusions("IND-ABORT-03") == VIOLATED


@pytest.mark.parametrize(("later_ms", "expected"), [(0, NOTHING), (1, VIOLATED)])
@pytest.mark.parametrize("last", ["recv", "would block", "send"])
def test_what_returns_as_the_handle_is_closed(last: str, later_ms: int, expected: set[Conclusion]) -> None:
    story = reset()
    if last != "send":
        story.iut.recv(error="" if last == "recv" else "WSAEWOULDBLOCK", takes=3)
    else:
        story.iut.send(5, takes=3)
    story.relayed()
    story.wait(later_ms - 1)
    story.iut.close()
    assert story.conclusions("IND-ABORT-03") == expected


def test_a_send_as_the_own_shutdown_is_made_shows_nothing() -> None:
    story = reset()
    story.iut.recv(error="WSAECONNRESET")
    call = story.iut.begin("shutdown", how="send")
    story.wait(-1)
    story.iut.send(5, error="WSAESHUTDOWN")
    story.iut.finish(call)
    assert story.conclusions("IND-ABORT-03") == NOTHING


def test_a_send_before_the_own_shutdown_counts() -> None:
    story = reset()
    story.iut.recv(error="WSAECONNRESET")
    story.iut.send(5, error="WSAECONNRESET")
    story.iut.shutdown("send")
    assert story.conclusions("IND-ABORT-03") == SATISFIED


def test_sends_alone_show_half() -> None:
    story = reset()
    story.iut.send(5, error="WSAECONNRESET")
    assert story.conclusions("IND-ABORT-03") == NOTHING


@pytest.mark.parametrize("error", ["", "WSAEDISCON"])
def test_an_abort_that_was_told_as_an_end_is_another_matter(error: str) -> None:
    story = aborted(Story(REFERENCE))
    story.iut.recv(error=error)
    story.iut.recv(error=error)
    story.iut.send(5)
    assert story.conclusions("IND-ABORT-03") == NOTHING


@pytest.mark.parametrize(("early_ms", "expected"), [(0, VIOLATED), (2, NOTHING)])
def test_an_abort_may_be_told_as_it_comes(early_ms: int, expected: set[Conclusion]) -> None:
    story = Story(REFERENCE, wire=False)
    call = story.iut.begin("recv", length=10)
    story.peer.linger(0)
    story.wait(3)
    closing = story.peer.begin("close")
    story.wait(-1 - early_ms)
    story.iut.finish(call, error="WSAECONNRESET")
    story.wait(early_ms)
    story.peer.finish(closing)
    story.iut.recv()
    assert story.conclusions("IND-ABORT-03") == expected


def test_an_abort_that_is_not_known() -> None:
    story = aborted(Story(REFERENCE, lost=1))
    story.iut.recv(error="WSAECONNRESET")
    story.iut.recv()
    assert story.conclusions("IND-ABORT-03") == UNDETERMINED


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


def test_a_graceful_end_that_was_told_as_an_abort_is_none() -> None:
    story = released(Story(REFERENCE))
    story.iut.recv(error="WSAECONNRESET")
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


@pytest.mark.parametrize(("value", "error", "kept"), [(1, "", True), (0, "", False), (1, "WSAEINVAL", False)])
def test_keep_alive_is_asked_for(value: int, error: str, kept: bool) -> None:
    story = Story(WINSOCK_TCP)
    story.iut.call("set_option", name="KEEPALIVE", value=value, error=error)
    story.iut.call("set_option", name="NODELAY", value=1)
    story.iut.send(5)
    story.segment(IUT, "PA", 5)
    story.segment(PEER, "A", fate=Fate.DROPPED)
    story.iut.recv(error="WSAECONNABORTED")
    found = [bool(story.conclusions(requirement)) for requirement in ("IND-ABORT-06", "IND-ABORT-07")]
    assert found == [not kept, kept]


@pytest.mark.parametrize(("later_ms", "expected"), [(-1, NOTHING), (0, SATISFIED), (1, SATISFIED)])
def test_an_end_is_told_once_it_is_cut_off(later_ms: int, expected: set[Conclusion]) -> None:
    story = Story(WINSOCK_TCP)
    story.iut.send(5)
    story.segment(IUT, "PA", 5)
    call = story.iut.begin("recv", length=10)
    story.wait(2)
    story.segment(PEER, "A", fate=Fate.DROPPED)
    story.wait(later_ms - 1)
    story.iut.finish(call, error="WSAECONNABORTED")
    story.segment(PEER, "A", fate=Fate.DROPPED)
    assert story.conclusions("IND-ABORT-06") == expected


@pytest.mark.parametrize(("later_ms", "expected"), [(-1, NOTHING), (0, NOTHING), (1, SATISFIED)])
@pytest.mark.parametrize("sends", [False, True])
def test_an_end_that_is_told_as_it_closes_may_come_of_that(
    sends: bool, later_ms: int, expected: set[Conclusion]
) -> None:
    story = cut_off()
    if sends:
        story.iut.send(5, error="WSAECONNABORTED", takes=3)
    else:
        story.iut.recv(error="WSAECONNABORTED", takes=3)
    story.wait(later_ms - 1)
    story.iut.close()
    assert story.conclusions("IND-ABORT-06") == expected


@pytest.mark.parametrize(
    ("ms", "expected"), [(-1, SATISFIED), (0, NOTHING), (1, NOTHING), (20, NOTHING), (21, SATISFIED)]
)
@pytest.mark.parametrize("held", [False, True])
def test_something_got_through_while_it_was_cut_off(held: bool, ms: int, expected: set[Conclusion]) -> None:
    """A segment of the peer's arrived so long after the cut; the IUT's word came 20 ms after it."""
    story = Story(WINSOCK_TCP)
    story.iut.send(5)
    story.segment(IUT, "PA", 5)
    call = story.iut.begin("recv", length=10)
    story.wait(5)
    story.segment(PEER, "A", fate=Fate.DROPPED)
    cut = story.now
    at = cut + ms * 1_000_000
    story.now = (cut - 3_000_000 if held else at) - 1_000_000
    story.segment(PEER, "A", delivered_at=at if held else None)
    story.now = cut + 19_000_000
    story.iut.finish(call, error="WSAECONNABORTED")
    assert story.conclusions("IND-ABORT-06") == expected


def test_what_the_iut_put_on_the_link_got_through_to_nobody() -> None:
    story = cut_off()
    story.segment(IUT, "PA", 5, start=0)
    story.iut.recv(error="WSAECONNABORTED")
    assert story.conclusions("IND-ABORT-06") == SATISFIED


@pytest.mark.parametrize(("resets", "expected"), [(True, SATISFIED), (False, NOTHING)])
def test_a_reset_of_its_own_is_no_end_of_the_peers(resets: bool, expected: set[Conclusion]) -> None:
    story = Story(WINSOCK_TCP)
    story.iut.send(5)
    story.segment(IUT, "PA", 5)
    if resets:
        story.segment(PEER, "A", fate=Fate.DROPPED)
        story.rst(IUT)
    else:
        story.fin(PEER)
        story.segment(PEER, "A", fate=Fate.DROPPED)
    story.iut.recv(error="WSAECONNABORTED")
    assert story.conclusions("IND-ABORT-06") == expected


def test_a_user_time_out_needs_nothing_sent() -> None:
    story = cut_off("USER_TIMEOUT", sent=False)
    story.iut.recv(error="WSAETIMEDOUT")
    assert story.conclusions("IND-ABORT-06") == SATISFIED


def test_a_send_that_failed_sent_nothing() -> None:
    story = Story(WINSOCK_TCP)
    story.iut.send(5, error="WSAEWOULDBLOCK")
    story.segment(PEER, "A", fate=Fate.DROPPED)
    story.iut.recv(error="WSAECONNABORTED")
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


@pytest.mark.parametrize(("after_ms", "expected"), [(28, NOTHING), (29, VIOLATED)])
@pytest.mark.parametrize("told", [(), ("IN",)])
def test_wsapoll_must_know_in_the_settle_time(told: tuple[str, ...], after_ms: int, expected: set[Conclusion]) -> None:
    for asked in ({}, {"wait_ms": 0}):
        story = Story(WINSOCK_TCP)
        story.peer.shutdown("send")
        story.fin(PEER)
        story.wait(after_ms)
        story.iut.poll(*told, surface="wsapoll", ask=("IN",), takes=10, **asked)
        assert story.conclusions("IND-POLL-01") == expected


@pytest.mark.parametrize(
    ("wait_ms", "told", "expected"), [(28, (), NOTHING), (29, (), VIOLATED), (29, ("IN",), NOTHING)]
)
def test_wsapoll_that_waits_looks_so_long(wait_ms: int, told: tuple[str, ...], expected: set[Conclusion]) -> None:
    story = Story(WINSOCK_TCP)
    story.peer.shutdown("send")
    story.fin(PEER)
    assert polls(story, *told, takes=100, wait_ms=wait_ms).conclusions("IND-POLL-01") == expected


def test_each_wsapoll_is_judged_by_itself() -> None:
    story = polls(Story(REFERENCE_STREAM))
    story.iut.poll(surface="select", ask=("IN",), takes=LONG)
    _data(story)
    released(story)
    story.settle()
    polls(story, "IN")
    story.iut.recv(5)
    story.iut.call("poll", surface="wsapoll", events=["IN"], error="WSAEINVAL")
    polls(story, "HUP")
    polls(story, "IN")
    assert [f.outcome for f in story.judge("IND-POLL-01")] == [Conclusion.SATISFIED, Conclusion.VIOLATED]


@pytest.mark.parametrize(("early_ms", "expected"), [(0, SATISFIED), (1, NOTHING)])
def test_wsapoll_returns_as_the_end_comes(early_ms: int, expected: set[Conclusion]) -> None:
    story = Story(WINSOCK_TCP)
    call = story.iut.begin("poll", surface="wsapoll", events=["IN"])
    story.peer.shutdown("send")
    story.wait(1)
    story.fin(PEER, acked=False)
    story.wait(-1 - early_ms)
    story.iut.finish(call, events=["HUP"])
    assert story.conclusions("IND-POLL-01") == expected


@pytest.mark.parametrize(("later_ms", "expected"), [(0, NOTHING), (1, VIOLATED)])
@pytest.mark.parametrize("change", ["send", "receive", "close", "abort"])
def test_what_comes_as_wsapoll_returns_may_show(change: str, later_ms: int, expected: set[Conclusion]) -> None:
    story = released(Story(REFERENCE_STREAM))
    story.settle()
    polls(story, "IN")
    story.relayed()
    story.wait(later_ms - 1)
    if change == "abort":
        story.pdu(PEER, "ABORT")
    elif change == "close":
        story.iut.begin("close")
    else:
        story.iut.shutdown(change)
    assert story.conclusions("IND-POLL-01") == expected


def test_an_own_end_that_was_refused_shows_nothing() -> None:
    story = released(Story(REFERENCE_STREAM))
    story.iut.shutdown("send", error="WSAEINVAL")
    story.settle()
    assert polls(story, "IN").conclusions("IND-POLL-01") == VIOLATED


def test_what_may_time_out_is_not_judged_by_wsapoll() -> None:
    story = Story(REFERENCE_STREAM)
    story.iut.call("set_option", name="KEEPALIVE", value=1)
    released(story)
    story.settle()
    assert polls(story, "IN").conclusions("IND-POLL-01") == NOTHING


@pytest.mark.parametrize(("later_ms", "expected"), [(-1, VIOLATED), (0, NOTHING), (1, NOTHING)])
def test_once_a_call_has_told_of_the_abort_wsapoll_is_free(later_ms: int, expected: set[Conclusion]) -> None:
    story = aborted(Story(REFERENCE_STREAM))
    story.relayed()
    story.settle()
    story.iut.recv(error="WSAECONNRESET", takes=5)
    story.wait(later_ms - 1)
    assert polls(story, "IN", takes=5).conclusions("IND-POLL-01") == expected


def test_a_graceful_end_that_was_told_is_told_again() -> None:
    story = released(Story(REFERENCE_STREAM))
    story.settle()
    story.iut.recv()
    assert polls(story, "IN").conclusions("IND-POLL-01") == VIOLATED


def test_wsapoll_at_an_end_that_is_not_known() -> None:
    story = released(Story(REFERENCE_STREAM, lost=1))
    assert story.conclusions("IND-POLL-01") == NOTHING
    assert polls(story, "IN").conclusions("IND-POLL-01") == UNDETERMINED


def test_a_reset_of_its_own_is_no_end_that_wsapoll_must_tell() -> None:
    story = Story(WINSOCK_TCP)
    story.rst(IUT)
    story.settle()
    assert polls(story, "IN").conclusions("IND-POLL-01") == NOTHING


def test_wsapoll_of_what_has_not_ended() -> None:
    assert polls(Story(REFERENCE_STREAM), "HUP").conclusions("IND-POLL-01") == NOTHING


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


@pytest.mark.parametrize("ended", ["never", "not it", "closed", "refused", "unsupported"])
def test_what_is_no_listener_any_more(ended: str) -> None:
    story = Story(REFERENCE, connected=False)
    story.iut.call("listen", socket=9, result={"address": {}}, error="WSAEINVAL" if ended == "refused" else "")
    if ended in ("closed", "not it"):
        story.iut.close(socket=9 if ended == "closed" else 8)
    if ended == "unsupported":
        story.iut.finish(story.iut.begin("shutdown", socket=9, how="send"), unsupported="no shutdown")
    else:
        story.iut.shutdown("send", socket=9)
    assert bool(story.conclusions("ERR-06")) == (ended in ("never", "not it"))
