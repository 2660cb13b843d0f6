# SPDX-License-Identifier: MIT
"""The judges of posted operations: sends pending at an own shutdown, and completions that nobody is owed."""

from __future__ import annotations

import msgspec
import pytest

from conformance.oracle.findings import Conclusion
from tests.oracle.story import IUT, PEER, WINDOWS_TCP, Story

SATISFIED, VIOLATED, UNDETERMINED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}, {Conclusion.UNDETERMINED}
NOTHING = set[Conclusion]()
LONG = 1500


# --- INIT-SHUT-14 -----------------------------------------------------------------------------------------------------


def pending(*, how: str = "send") -> Story:
    """Two sends are posted, of which the link carries one octet for each 10, when the IUT shuts down."""
    story = Story(WINDOWS_TCP)
    story.iut.post_send("r1", 10)
    story.iut.post_send("r2", 20)
    story.iut.shutdown(how)
    return story


def carried(story: Story, length: int = 30) -> Story:
    story.data(IUT, length)
    story.fin(IUT)
    return story


def test_pending_sends_complete_and_come_before_the_end() -> None:
    story = carried(pending())
    story.iut.sent("r1", 10)
    story.iut.sent("r2", 20)
    story.peer.recv(10)
    story.peer.recv(20)
    assert story.conclusions("INIT-SHUT-14") == NOTHING  # the end is still to come
    story.peer.recv(0)
    assert story.conclusions("INIT-SHUT-14") == SATISFIED


def test_the_order_of_completions_and_end_is_free() -> None:
    story = carried(pending())
    story.peer.recv(10)
    story.peer.recv(20)
    story.peer.recv(0)
    story.iut.sent("r2", 20)
    story.iut.sent("r1", 10)
    assert story.conclusions("INIT-SHUT-14") == SATISFIED


@pytest.mark.parametrize("error", ["WSA_OPERATION_ABORTED", "WSAESHUTDOWN", "WSAECONNABORTED"])
def test_a_pending_send_fails(error: str) -> None:
    story = pending()
    story.iut.sent("r1", 10)
    story.iut.sent("r2", error=error)
    assert story.conclusions("INIT-SHUT-14") == VIOLATED


def test_a_pending_send_fails_because_the_peer_reset() -> None:
    story = pending()
    story.rst(PEER)
    story.iut.sent("r1", error="WSAECONNRESET")
    assert story.conclusions("INIT-SHUT-14") == NOTHING


def test_a_reset_a_nanosecond_before_it_fails_is_a_reset_before_it() -> None:
    story = pending()
    story.rst(PEER)
    story.wait(-1)
    story.now += 1
    story.iut.sent("r1", error="WSAECONNRESET")
    assert story.conclusions("INIT-SHUT-14") == NOTHING


def test_bytes_of_a_pending_send_are_lost() -> None:
    story = carried(pending(), 10)
    story.iut.sent("r1", 10)
    story.iut.sent("r2", 20)
    story.peer.recv(10)
    story.peer.recv(0)
    assert story.conclusions("INIT-SHUT-14") == VIOLATED


def test_a_pending_send_never_completes() -> None:
    story = carried(pending())
    story.iut.sent("r1", 10)
    story.peer.recv(10)
    story.peer.recv(20)
    story.peer.recv(0)
    assert story.conclusions("INIT-SHUT-14") == NOTHING
    story.settle(LONG)
    assert story.conclusions("INIT-SHUT-14") == VIOLATED


@pytest.mark.parametrize(
    ("waited", "expected"), [(998, NOTHING), (999, VIOLATED)], ids=["not-long-enough", "just-long-enough"]
)
def test_it_may_take_the_prompt_time_from_the_end_on(waited: int, expected: set[Conclusion]) -> None:
    story = carried(pending())
    story.peer.recv(30)
    story.peer.recv(0)
    story.settle(waited)
    assert story.conclusions("INIT-SHUT-14") == expected


def test_what_a_later_close_leaves_pending_is_no_matter_of_the_shutdown() -> None:
    story = carried(pending())
    story.peer.recv(30)
    story.peer.recv(0)
    story.iut.close()
    story.settle(LONG)
    assert story.conclusions("INIT-SHUT-14") == NOTHING


@pytest.mark.parametrize(("later", "expected"), [(False, VIOLATED), (True, NOTHING)])
def test_what_a_later_close_makes_fail_is_no_matter_of_the_shutdown(later: bool, expected: set[Conclusion]) -> None:
    story = pending()
    if not later:
        story.iut.sent("r1", error="WSA_OPERATION_ABORTED")
    story.iut.close()
    if later:
        story.iut.sent("r1", error="WSA_OPERATION_ABORTED")
    assert story.conclusions("INIT-SHUT-14") == expected


def test_what_fails_as_the_close_is_made_may_fail_by_it() -> None:
    story = pending()
    story.iut.begin("close")
    story.wait(-1)
    story.iut.sent("r1", error="WSA_OPERATION_ABORTED")
    assert story.conclusions("INIT-SHUT-14") == NOTHING


@pytest.mark.parametrize("posted_ms", [0, 1])
@pytest.mark.parametrize("told_ms", [0, 1])
def test_a_send_is_pending_if_it_is_posted_before_the_call_and_told_after_it(posted_ms: int, told_ms: int) -> None:
    story = Story(WINDOWS_TCP)
    story.relayed()
    story.iut.post_send("r1", 10)
    began = story.now  # when the posting returned; it was entered 1 ms before
    story.wait(-1 - (1 - posted_ms))
    call = story.iut.begin("shutdown", how="send")
    story.wait(told_ms - 1)
    story.iut.sent("r1", error="WSA_OPERATION_ABORTED")
    story.now = began + 10_000_000
    story.iut.finish(call)
    assert story.conclusions("INIT-SHUT-14") == (VIOLATED if posted_ms and told_ms else NOTHING)


@pytest.mark.parametrize(("told", "expected"), [("", NOTHING), ("WSAEDISCON", VIOLATED)])
def test_an_empty_message_is_no_end_that_a_send_could_miss(told: str, expected: set[Conclusion]) -> None:
    flags = (*WINDOWS_TCP.service_flags, "MESSAGE_ORIENTED")
    story = Story(msgspec.structs.replace(WINDOWS_TCP, service_flags=flags))
    story.iut.post_send("r1", 10)
    story.iut.shutdown("send")
    story.peer.recv(0, error=told)
    story.settle(LONG)
    assert story.conclusions("INIT-SHUT-14") == expected


def test_what_had_completed_before_was_not_pending() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.post_send("r1", 10)
    story.iut.sent("r1", 10)
    story.data(IUT, 10)
    story.iut.shutdown("send")
    story.fin(IUT)
    story.peer.recv(10)
    story.peer.recv(0)
    assert story.conclusions("INIT-SHUT-14") == NOTHING
    assert story.conclusions("INIT-SHUT-08") == SATISFIED  # it was accepted, like any other


def test_a_send_that_could_not_be_posted_is_not_pending() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.post_send("r1", 10, error="WSAENOBUFS")
    story.iut.shutdown("send")
    story.fin(IUT)
    story.peer.recv(0)
    story.settle(LONG)
    assert story.conclusions("INIT-SHUT-14") == NOTHING


def test_a_shutdown_of_both_is_another_matter() -> None:
    story = carried(pending(how="both"))
    story.iut.sent("r1", error="WSAESHUTDOWN")
    assert story.conclusions("INIT-SHUT-14") == NOTHING


# --- IND-OVL-06 -------------------------------------------------------------------------------------------------------

POSTS = pytest.mark.parametrize("op", ["post_recv", "post_send"])


def refused(op: str) -> Story:
    """The peer has aborted when the IUT posts by a port, which fails at once."""
    story = Story(WINDOWS_TCP)
    story.rst(PEER)
    arguments = {"length": 10} if op == "post_recv" else {"pattern": {"seed": 0, "length": 10}}
    story.iut.call(op, error="WSAECONNRESET", mechanism="port", **arguments)
    return story


@POSTS
def test_a_post_that_fails_at_once_completes_nothing(op: str) -> None:
    story = refused(op)
    assert story.conclusions("IND-OVL-06") == NOTHING  # nobody looked
    story.settle()
    assert story.conclusions("IND-OVL-06") == SATISFIED


@POSTS
@pytest.mark.parametrize("token", ["r1", "unasked"])
def test_a_completion_comes_all_the_same(op: str, token: str) -> None:
    story = refused(op)
    story.iut.sent(token, error="WSAECONNRESET")
    assert story.conclusions("IND-OVL-06") == VIOLATED
    story.settle()
    assert story.conclusions("IND-OVL-06") == VIOLATED


def test_the_completion_of_another_post_is_its_own() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.post("r1")
    story.rst(PEER)
    story.iut.call("post_recv", length=10, error="WSAECONNRESET", mechanism="port")
    story.iut.completes("r1", error="WSAECONNRESET")
    story.settle()
    assert story.conclusions("IND-OVL-06") == SATISFIED


def test_a_later_post_may_fail_at_once_too() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.post("r1")
    story.rst(PEER)
    story.iut.call("post_recv", length=10, error="WSAECONNRESET")
    story.settle()
    assert story.conclusions("IND-OVL-06") == SATISFIED
    story.iut.sent("r2", error="WSAECONNRESET")
    assert story.conclusions("IND-OVL-06") == VIOLATED


@pytest.mark.parametrize(("waited", "expected"), [(28, NOTHING), (29, SATISFIED)])
def test_that_no_completion_came_takes_the_settle_time(waited: int, expected: set[Conclusion]) -> None:
    story = refused("post_recv")
    story.settle(waited)
    assert story.conclusions("IND-OVL-06") == expected


def test_a_completion_from_before_is_not_its_own() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.sent("r2", error="WSAECONNRESET")
    story.wait(-1)  # by a coarse clock, at the same time
    story.iut.call("post_recv", length=10, error="WSAECONNRESET")
    story.settle()
    assert story.conclusions("IND-OVL-06") == SATISFIED


@POSTS
def test_a_post_that_fails_by_its_completion_did_not_fail_at_once(op: str) -> None:
    story = Story(WINDOWS_TCP)
    if op == "post_recv":
        story.iut.post("r1", mechanism="port")
    else:
        story.iut.post_send("r1", 10, mechanism="port")
    story.rst(PEER)
    story.iut.sent("r1", error="WSAECONNRESET")
    story.settle()
    assert story.conclusions("IND-OVL-06") == NOTHING


# --- IND-OVL-07 -------------------------------------------------------------------------------------------------------

CALLS = pytest.mark.parametrize("call", ["shutdown", "send_disconnect", "recv_disconnect"])


def on_a_port(call: str, mechanism: str = "port") -> Story:
    """A send has completed by a port when the IUT makes that call."""
    story = Story(WINDOWS_TCP)
    story.iut.post_send("r1", 10, mechanism=mechanism)
    story.iut.sent("r1", 10)
    getattr(story.iut, call)()
    return story


@CALLS
def test_shutting_down_leaves_the_port_empty(call: str) -> None:
    story = on_a_port(call)
    assert story.conclusions("IND-OVL-07") == NOTHING
    story.settle()
    assert story.conclusions("IND-OVL-07") == SATISFIED


@CALLS
@pytest.mark.parametrize("token", ["unasked", "r1"], ids=["unasked", "told-twice"])
def test_shutting_down_queues_a_packet(call: str, token: str) -> None:
    story = on_a_port(call)
    story.iut.sent(token)
    story.settle()
    assert story.conclusions("IND-OVL-07") == VIOLATED


@CALLS
def test_a_socket_on_no_port_shows_nothing(call: str) -> None:
    story = on_a_port(call, "event")
    story.settle()
    assert story.conclusions("IND-OVL-07") == NOTHING


@CALLS
def test_a_packet_from_before_the_call_is_not_its_own(call: str) -> None:
    story = Story(WINDOWS_TCP)
    story.iut.post_send("r1", 10, mechanism="port")
    story.iut.sent("unasked")
    getattr(story.iut, call)()
    story.settle()
    assert story.conclusions("IND-OVL-07") == SATISFIED


def test_a_call_that_fails_shows_nothing() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.post_send("r1", 10, mechanism="port")
    story.iut.shutdown("send", error="WSAENOTCONN")
    story.settle()
    assert story.conclusions("IND-OVL-07") == NOTHING
    story.iut.shutdown("receive")
    story.settle()
    assert story.conclusions("IND-OVL-07") == SATISFIED


@pytest.mark.parametrize(("waited", "expected"), [(28, NOTHING), (29, SATISFIED)])
def test_that_the_port_stays_empty_takes_the_settle_time(waited: int, expected: set[Conclusion]) -> None:
    story = on_a_port("shutdown")
    story.settle(waited)
    assert story.conclusions("IND-OVL-07") == expected


def test_a_socket_that_was_on_no_port_yet_shows_nothing() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.shutdown("receive")
    story.iut.post_send("r1", 10, mechanism="port")
    story.iut.sent("unasked")
    story.settle()
    assert story.conclusions("IND-OVL-07") == NOTHING


def test_a_call_as_the_socket_joins_the_port_is_judged() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.begin("post_send", pattern={"seed": 0, "length": 10}, mechanism="port")
    story.wait(-1)
    story.iut.shutdown("receive")
    story.iut.finish(1, token="r1")
    story.settle()
    assert story.conclusions("IND-OVL-07") == SATISFIED


def test_a_post_that_failed_joins_no_port() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.call("post_recv", length=10, error="WSAECONNRESET", mechanism="port")
    story.iut.shutdown("receive")
    story.iut.sent("unasked")
    story.settle()
    assert story.conclusions("IND-OVL-07") == NOTHING


def test_a_packet_for_nobody_is_nobodys_though_a_post_had_failed() -> None:
    story = on_a_port("shutdown")
    story.iut.call("post_recv", length=10, error="WSAECONNRESET", mechanism="port")
    story.iut.sent("unasked")
    story.settle()
    assert story.conclusions("IND-OVL-07") == VIOLATED


def test_the_packet_of_a_post_that_failed_is_that_posts() -> None:
    story = on_a_port("shutdown")
    story.iut.call("post_recv", length=10, error="WSAECONNRESET", mechanism="port")
    story.iut.sent("r2", error="WSAECONNRESET")
    story.settle()
    assert story.conclusions("IND-OVL-07") == SATISFIED
    assert story.conclusions("IND-OVL-06") == VIOLATED
