# SPDX-License-Identifier: MIT
"""Closing the reference provider's sockets: the linger table, blocking and not, duplicated handles, aborts."""

from __future__ import annotations

import pytest

from conformance.trace.events import Outcome
from tests.agents.reference.ends import LONG_MS, NOTSOCK, RESET, SHUTDOWN, WOULDBLOCK, End, error, result

Ends = tuple[End, End]
LONG_S = 1000


def drain(end: End, octets: int) -> None:
    """Receive so many octets, and then the end."""
    while octets > 0:
        octets -= end.do("recv", length=1 << 20, wait_ms=LONG_MS, digest=True)["length"]
    assert end.at_end(end.recv())


@pytest.mark.parametrize("blocking", [True, False])
def test_without_linger_it_ends_in_the_background(ends: Ends, blocking: bool) -> None:
    here, there = ends
    accepted = here.fill()
    here.do("set_blocking", on=blocking)
    here.do("close", wait_ms=0)
    assert error(here("names")) == NOTSOCK
    drain(there, accepted)


@pytest.mark.parametrize("blocking", [True, False])
@pytest.mark.parametrize("full", [True, False])
def test_linger_of_no_time_aborts(ends: Ends, blocking: bool, full: bool) -> None:
    here, there = ends
    if full:
        here.fill()
    here.do("set_blocking", on=blocking)
    here.do("set_linger", on=True, seconds=0)
    here.do("close", wait_ms=0)
    there.await_abort()
    for _ in range(2):
        assert error(there.recv(1 << 20, digest=True)) == RESET
        assert error(there("send", data=b"x", wait_ms=0)) == RESET


def test_linger_waits_until_everything_is_delivered(ends: Ends) -> None:
    here, there = ends
    accepted = here.fill()
    here.do("set_linger", on=True, seconds=LONG_S)
    closing = here.agent.submit("close", socket=here.socket, wait_ms=LONG_MS)
    drain(there, accepted)
    assert result(here.agent.reply(closing)) == {}


def test_linger_that_runs_out_aborts(ends: Ends) -> None:
    here, there = ends
    here.fill()
    here.do("set_linger", on=True, seconds=1)
    reply = here("close", wait_ms=LONG_MS)
    assert reply.outcome is Outcome.RESULT
    assert reply.call
    assert reply.call[1] - reply.call[0] >= 1_000_000_000
    there.await_abort()
    assert error(there.recv(1 << 20, digest=True)) == RESET


def test_linger_of_an_idle_connection_has_nothing_to_wait_for(ends: Ends) -> None:
    here, there = ends
    here.do("set_blocking", on=False)
    here.do("set_linger", on=True, seconds=LONG_S)
    here.do("close", wait_ms=0)
    assert there.at_end(there.recv())


@pytest.mark.parametrize("remedy", ["off", "zero", "shutdown", "send_disconnect"])
def test_a_close_that_may_not_wait(ends: Ends, remedy: str) -> None:
    here, there = ends
    accepted = here.fill()
    here.do("set_blocking", on=False)
    here.do("set_linger", on=True, seconds=LONG_S)
    for _ in range(2):
        assert error(here("close", wait_ms=0)) == WOULDBLOCK
    there.send(b"still there")
    here.do("poll", surface="select", events=["IN"], wait_ms=LONG_MS)
    assert here.data() == b"still there"
    if remedy == "off":
        here.do("set_linger", on=False, seconds=0)
    elif remedy == "zero":
        here.do("set_linger", on=True, seconds=0)
    elif remedy == "shutdown":
        here.do("shutdown", how="send")
    else:
        here.do("send_disconnect")
    here.do("close", wait_ms=0)
    if remedy == "zero":
        there.await_abort()
        assert error(there.recv(1 << 20, digest=True)) == RESET
    else:
        drain(there, accepted)


def test_shutdown_and_disconnect_do_not_wait(ends: Ends) -> None:
    here, there = ends
    accepted = here.fill()
    here.do("set_linger", on=True, seconds=LONG_S)
    here.do("send_disconnect", data=b"word")
    here.do("recv_disconnect", length=10)
    assert error(here("send", data=b"x", wait_ms=0)) == SHUTDOWN
    drain(there, accepted)
    assert there.last_word() == b"word"


def test_unread_data_does_not_spoil_a_close(ends: Ends) -> None:
    here, there = ends
    there.send(b"unread")
    here.data(flags=["PEEK"])
    here.do("send_disconnect", data=b"word")
    here.do("close", wait_ms=0)
    assert there.at_end(there.recv())
    assert there.last_word() == b"word"


def test_data_after_a_close_is_answered_with_an_abort(ends: Ends) -> None:
    here, there = ends
    here.do("close", wait_ms=0)
    assert there.at_end(there.recv())
    there.send(b"too late")
    there.await_abort()
    for _ in range(3):
        assert error(there.recv(wait_ms=0)) == RESET
        assert error(there("send", data=b"x", wait_ms=0)) == RESET


def test_only_the_last_handle_ends_the_connection(ends: Ends) -> None:
    here, there = ends
    second = End(here.agent, here.do("duplicate")["socket"], here.kind)
    here.do("close", wait_ms=0)
    assert error(here("names")) == NOTSOCK
    assert there.recv(wait_ms=0).outcome is Outcome.TIMEOUT
    second.send(b"on")
    assert there.data() == b"on"
    second.do("close", wait_ms=0)
    assert there.at_end(there.recv())


def test_an_abort_where_both_directions_were_released_is_none(ends: Ends) -> None:
    here, there = ends
    here.do("send_disconnect", data=b"one")
    assert there.at_end(there.recv())
    there.do("send_disconnect", data=b"two")
    assert here.at_end(here.recv())
    there.do("set_linger", on=True, seconds=0)
    there.do("close", wait_ms=0)
    assert here.at_end(here.recv())
    assert here.last_word() == b"two"
    assert error(here("send", data=b"x", wait_ms=0)) == SHUTDOWN
