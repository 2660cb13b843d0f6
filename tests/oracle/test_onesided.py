# SPDX-License-Identifier: MIT
"""The judges of shutdowns of one direction: data for nobody on TCP, sockets without connections, one-way protocols."""

from __future__ import annotations

import msgspec
import pytest

from conformance.catalogue.statement import Statement
from conformance.oracle.findings import Conclusion
from conformance.trace.events import End
from tests.oracle.story import IUT, KERNEL_TCP, MS, PEER, WINDOWS_TCP, Story, statement, windows_tcp

SATISFIED, VIOLATED, UNDETERMINED = {Conclusion.SATISFIED}, {Conclusion.VIOLATED}, {Conclusion.UNDETERMINED}
NOTHING = set[Conclusion]()
LONG = 700
WINE_TCP = windows_tcp(platform="wine")
ROW_07 = ("INIT-SHUT-07",)


# --- INIT-SHUT-07 -----------------------------------------------------------------------------------------------------


def given_up(claim: Statement = WINDOWS_TCP, *, early: bool, acked: bool = True) -> Story:
    """The peer's data waits when the IUT gives receiving up, or comes after it."""
    story = Story(claim)
    if not early:
        story.iut.shutdown("receive")
    story.peer.send(100)
    story.data(PEER, 100, acked=acked)
    if early:
        story.iut.shutdown("receive")
    return story


EARLY = pytest.mark.parametrize("early", [True, False], ids=["waiting", "coming"])


@EARLY
@pytest.mark.parametrize("acked", [True, False])
@pytest.mark.parametrize("claim", [WINDOWS_TCP, WINE_TCP], ids=["windows", "wine"])
def test_data_for_nobody_draws_a_reset(claim: Statement, acked: bool, early: bool) -> None:
    story = given_up(claim, early=early, acked=acked)
    story.rst(IUT)
    (finding,) = story.judge("INIT-SHUT-07")
    assert finding.outcome is Conclusion.SATISFIED
    assert f"100 bytes {'waiting' if early else 'coming'} after shutdown(receive)" in finding.because


@EARLY
def test_data_that_stays_unacknowledged_is_what_the_other_page_says(early: bool) -> None:
    story = given_up(early=early, acked=False)
    story.settle(LONG)
    assert story.conclusions("INIT-SHUT-07") == SATISFIED


@EARLY
@pytest.mark.parametrize(
    ("claim", "expected"), [(WINDOWS_TCP, VIOLATED), (WINE_TCP, UNDETERMINED)], ids=["windows", "wine"]
)
def test_data_that_is_taken_all_the_same(claim: Statement, expected: set[Conclusion], early: bool) -> None:
    story = given_up(claim, early=early)
    story.settle(LONG)
    assert story.conclusions("INIT-SHUT-07") == expected


WAITED = pytest.mark.parametrize(("short_ns", "expected"), [(0, VIOLATED), (1, UNDETERMINED)])
"""What the acknowledgement of the data may take, from the data or the shutdown on, and a nanosecond less than that."""
DELAYED = 500


@EARLY
@WAITED
def test_so_long_somebody_must_have_waited_for_a_reset(early: bool, short_ns: int, expected: set[Conclusion]) -> None:
    story = given_up(early=early).relayed()
    since = story.now if early else story.now - MS  # the acknowledgement came last
    story.now = since + DELAYED * MS - MS - short_ns
    story.note("settled")
    assert story.conclusions("INIT-SHUT-07") == expected


@EARLY
@WAITED
@pytest.mark.parametrize("ends", ["close", "reset"])
def test_what_ends_the_connection_ends_that_wait(
    early: bool, short_ns: int, expected: set[Conclusion], ends: str
) -> None:
    story = given_up(early=early).relayed()
    since = story.now if early else story.now - MS
    story.now = since + DELAYED * MS - MS - short_ns
    if ends == "close":
        story.iut.close()
    else:
        story.rst(PEER)
    story.settle(LONG)
    assert story.conclusions("INIT-SHUT-07") == expected


@EARLY
@pytest.mark.parametrize("acked", [True, False])
def test_nobody_waited_for_a_reset(acked: bool, early: bool) -> None:
    story = given_up(early=early, acked=acked)
    story.settle(400)
    assert story.conclusions("INIT-SHUT-07") == UNDETERMINED


@pytest.mark.parametrize(("waited", "expected"), [(599, UNDETERMINED), (600, VIOLATED)])
def test_a_link_that_settles_slowly_is_watched_for_longer(waited: int, expected: set[Conclusion]) -> None:
    story = given_up(early=True)
    story.header = msgspec.structs.replace(story.header, settle_ns=600 * MS)
    story.settle(waited - 1)
    assert story.conclusions("INIT-SHUT-07") == expected


@pytest.mark.parametrize("who", [IUT, PEER])
def test_data_that_comes_after_a_reset_draws_none(who: End) -> None:
    story = Story(WINDOWS_TCP)
    story.iut.shutdown("receive")
    story.rst(who)
    story.peer.send(100)
    story.data(PEER, 100, acked=False)
    story.settle(LONG)
    assert story.conclusions("INIT-SHUT-07") == NOTHING


def test_no_data_no_verdict() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.shutdown("receive")
    story.settle(LONG)
    assert story.conclusions("INIT-SHUT-07") == NOTHING


def test_data_that_was_read_before_is_not_waiting() -> None:
    story = Story(WINDOWS_TCP)
    story.peer.send(100)
    story.data(PEER, 100)
    story.iut.recv(100)
    story.iut.shutdown("receive")
    story.settle(LONG)
    assert story.conclusions("INIT-SHUT-07") == NOTHING


def test_a_receive_that_was_posted_may_take_it() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.post("r1")
    story.iut.shutdown("receive")
    story.peer.send(100)
    story.data(PEER, 100)
    story.settle(LONG)
    assert story.conclusions("INIT-SHUT-07") == NOTHING


@pytest.mark.parametrize("how", ["send", "both"])
def test_an_end_of_sending_is_another_matter(how: str) -> None:
    story = Story(WINDOWS_TCP)
    story.peer.send(100)
    story.data(PEER, 100)
    story.iut.shutdown(how)
    story.fin(IUT)
    story.settle(LONG)
    assert story.conclusions("INIT-SHUT-07") == NOTHING


def test_a_reset_of_the_peers_is_not_the_implementations() -> None:
    story = given_up(early=True)
    story.rst(PEER)
    story.rst(IUT)
    assert story.conclusions("INIT-SHUT-07") == UNDETERMINED


def test_a_close_resets_too_and_is_not_taken_for_it() -> None:
    story = given_up(early=True)
    story.iut.close()
    story.rst(IUT)
    assert story.conclusions("INIT-SHUT-07") == UNDETERMINED


def test_a_receive_that_is_under_way_may_take_it() -> None:
    story = Story(WINDOWS_TCP)
    receive = story.iut.begin("recv", length=100)
    story.iut.shutdown("receive")
    story.peer.send(100)
    story.data(PEER, 100)
    story.settle(LONG)
    assert story.conclusions("INIT-SHUT-07") == NOTHING  # it was never answered
    story.iut.finish(receive, length=100)
    assert story.conclusions("INIT-SHUT-07") == NOTHING


def test_a_receive_that_was_over_before_takes_nothing() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.recv(error="WSAEWOULDBLOCK")
    story.iut.shutdown("receive")
    story.peer.send(100)
    story.data(PEER, 100)
    story.settle(LONG)
    assert story.conclusions("INIT-SHUT-07") == VIOLATED


def test_of_a_receive_that_was_over_at_that_very_instant_nobody_knows() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.recv(error="WSAEWOULDBLOCK")
    story.now -= MS
    story.iut.shutdown("receive")
    story.peer.send(100)
    story.data(PEER, 100)
    story.settle(LONG)
    assert story.conclusions("INIT-SHUT-07") == NOTHING


def test_a_receive_that_is_made_afterwards_takes_nothing() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.shutdown("receive")
    story.iut.recv(error="WSAESHUTDOWN")
    story.peer.send(100)
    story.data(PEER, 100)
    story.rst(IUT)
    assert story.conclusions("INIT-SHUT-07") == SATISFIED


def test_a_shutdown_that_failed_gave_nothing_up() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.shutdown("receive", error="WSAENOTCONN")
    story.peer.send(100)
    story.data(PEER, 100)
    story.settle(LONG)
    assert story.conclusions("INIT-SHUT-07") == NOTHING


def test_after_an_end_of_sending_a_reset_is_another_matter() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.shutdown("send")
    story.fin(IUT)
    story.iut.shutdown("receive")
    story.peer.send(100)
    story.data(PEER, 100)
    story.settle(LONG)
    assert story.conclusions("INIT-SHUT-07") == NOTHING


def test_a_connection_that_was_reset_before_shows_nothing() -> None:
    story = Story(WINDOWS_TCP)
    story.peer.send(100)
    story.data(PEER, 100)
    story.rst(PEER)
    story.iut.shutdown("receive")
    story.settle(LONG)
    assert story.conclusions("INIT-SHUT-07") == NOTHING


def test_data_that_comes_after_the_close_is_the_closes_matter() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.shutdown("receive")
    story.iut.close()
    story.peer.send(100)
    story.data(PEER, 100)
    story.settle(LONG)
    assert story.conclusions("INIT-SHUT-07") == NOTHING


@EARLY
def test_a_close_ends_the_wait_for_a_reset(early: bool) -> None:
    story = given_up(early=early)
    story.wait(400)
    story.iut.close()
    story.settle(LONG)
    assert story.conclusions("INIT-SHUT-07") == UNDETERMINED


def test_a_reset_of_the_peers_afterwards_changes_nothing() -> None:
    story = given_up(early=True)
    story.rst(IUT)
    story.rst(PEER)
    assert story.conclusions("INIT-SHUT-07") == SATISFIED


def test_it_is_not_for_posix() -> None:
    story = given_up(KERNEL_TCP, early=False)
    story.settle(LONG)
    assert story.conclusions("INIT-SHUT-07") == NOTHING


def test_without_a_link_nothing_is_known() -> None:
    story = Story(WINDOWS_TCP, wire=False, exercises=ROW_07)
    story.iut.shutdown("receive")
    story.peer.send(100)
    story.settle(LONG)
    assert story.conclusions("INIT-SHUT-07") == UNDETERMINED


# --- INIT-SHUT-12 -----------------------------------------------------------------------------------------------------

DATAGRAMS = statement("other", "CONNECTIONLESS", family="winsock-spi", platform="windows")


def lone(how: str, error: str = "") -> Story:
    story = Story(DATAGRAMS, connected=False)
    story.iut.call("socket", socket=None, family="inet", kind="message", result={"socket": 3})
    story.iut.shutdown(how, error=error)
    return story


@pytest.mark.parametrize(("how", "op"), [("send", "send"), ("receive", "recv"), ("both", "recv"), ("both", "send")])
@pytest.mark.parametrize(("error", "expected"), [("WSAESHUTDOWN", SATISFIED), ("", VIOLATED), ("WSAEINVAL", VIOLATED)])
def test_without_a_connection_the_named_calls_are_stopped(
    how: str, op: str, error: str, expected: set[Conclusion]
) -> None:
    story = lone(how)
    story.iut.call(op, error=error, length=10)
    assert story.conclusions("INIT-SHUT-12") == expected


def test_or_the_shutdown_itself_is_refused() -> None:
    assert lone("send", "ENOTCONN").conclusions("INIT-SHUT-12") == SATISFIED
    assert lone("send", "WSAEINVAL").conclusions("INIT-SHUT-12") == VIOLATED


def test_the_other_calls_go_on() -> None:
    story = lone("send")
    assert story.conclusions("INIT-SHUT-12") == NOTHING
    story.iut.call("recv", timeout=True, length=10)
    assert story.conclusions("INIT-SHUT-12") == NOTHING


def test_a_closed_socket_is_another_matter() -> None:
    story = lone("send")
    story.iut.close()
    story.iut.send(1, error="WSAENOTSOCK")
    assert story.conclusions("INIT-SHUT-12") == NOTHING


def test_the_close_of_another_socket_changes_nothing() -> None:
    story = lone("send")
    story.iut.close(socket=4)
    story.iut.send(1)
    assert story.conclusions("INIT-SHUT-12") == VIOLATED


def test_a_socket_of_the_same_number_that_was_closed_before_is_another() -> None:
    story = Story(DATAGRAMS, connected=False)
    story.iut.close()
    story.iut.shutdown("send")
    story.iut.send(1)
    assert story.conclusions("INIT-SHUT-12") == VIOLATED


def test_what_was_sent_before_the_shutdown_was_not_stopped() -> None:
    story = Story(DATAGRAMS, connected=False)
    story.iut.send(1)
    story.iut.shutdown("send")
    assert story.conclusions("INIT-SHUT-12") == NOTHING


def test_another_socket_is_not_stopped() -> None:
    story = lone("send")
    story.iut.send(1, socket=4)
    assert story.conclusions("INIT-SHUT-12") == NOTHING


def test_every_shutdown_counts() -> None:
    story = lone("send", "WSAENOTCONN")
    assert story.conclusions("INIT-SHUT-12") == SATISFIED
    story.iut.shutdown("send")
    story.iut.send(1)
    assert story.conclusions("INIT-SHUT-12") == SATISFIED | VIOLATED


def test_what_is_no_shutdown_of_a_socket_is_not_judged() -> None:
    story = Story(DATAGRAMS, connected=False)
    story.iut.shutdown("send", socket=-1, error="WSAENOTSOCK")
    story.iut.shutdown("everything", error="WSAEINVAL")
    story.iut.call("get_option", how="send", error="WSAEINVAL")
    story.iut.finish(story.iut.begin("shutdown", how="send"), unsupported="the agent has none")
    assert story.conclusions("INIT-SHUT-12") == NOTHING


# --- ERR-03 -----------------------------------------------------------------------------------------------------------

ONE_WAY = pytest.mark.parametrize(
    ("flag", "contrary", "own"), [("UNI_SEND", "receive", "send"), ("UNI_RECV", "send", "receive")]
)


@ONE_WAY
@pytest.mark.parametrize(("error", "expected"), [("WSAEINVAL", SATISFIED), ("", VIOLATED), ("WSAENOTCONN", VIOLATED)])
def test_the_other_direction_is_invalid(
    flag: str, contrary: str, own: str, error: str, expected: set[Conclusion]
) -> None:
    story = Story(windows_tcp(service_flags=("GRACEFUL_CLOSE", flag)))
    story.iut.shutdown(contrary, error=error)
    assert story.conclusions("ERR-03") == expected


@ONE_WAY
def test_its_own_direction_is_valid(flag: str, contrary: str, own: str) -> None:
    story = Story(windows_tcp(service_flags=("GRACEFUL_CLOSE", flag)))
    story.iut.shutdown(own)
    assert story.conclusions("ERR-03") == NOTHING


@ONE_WAY
def test_after_another_end_another_error_may_win(flag: str, contrary: str, own: str) -> None:
    story = Story(windows_tcp(service_flags=("GRACEFUL_CLOSE", flag)))
    story.rst(PEER)
    story.iut.shutdown(contrary, error="WSAECONNRESET")
    assert story.conclusions("ERR-03") == NOTHING


@ONE_WAY
def test_a_call_that_the_agent_does_not_have_shows_nothing(flag: str, contrary: str, own: str) -> None:
    story = Story(windows_tcp(service_flags=("GRACEFUL_CLOSE", flag)))
    story.iut.finish(story.iut.begin("shutdown", how=contrary), unsupported="the agent has none")
    assert story.conclusions("ERR-03") == NOTHING


@ONE_WAY
def test_of_a_shutdown_after_the_end_nothing_is_said(flag: str, contrary: str, own: str) -> None:
    story = Story(windows_tcp(service_flags=("GRACEFUL_CLOSE", flag)))
    story.iut.close()
    story.iut.shutdown(contrary)
    assert story.conclusions("ERR-03") == NOTHING


def test_a_protocol_of_both_ways_has_no_contrary() -> None:
    story = Story(WINDOWS_TCP)
    story.iut.shutdown("receive")
    assert story.conclusions("ERR-03") == NOTHING
