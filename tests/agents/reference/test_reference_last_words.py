# SPDX-License-Identifier: MIT
"""The reference provider's disconnect data, and its overlapped receives."""

from __future__ import annotations

import pytest

from conformance.trace.events import Outcome
from tests.agents.reference.ends import (
    CANCELLED,
    FAULT,
    LONG_MS,
    MSGSIZE,
    RESET,
    SHUTDOWN,
    End,
    error,
    octets,
    result,
)

Ends = tuple[End, End]


# --- disconnect data -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", [b"x", bytes(range(256)), bytes(512), b""])
def test_the_last_word(ends: Ends, word: bytes) -> None:
    here, there = ends
    there.send(b"before")
    there.do("send_disconnect", data=word)
    assert here.data() == b"before"
    assert here.at_end(here.recv())
    assert here.last_word(len(word)) == word
    assert here.last_word() == b""
    assert error(here.recv(wait_ms=0)) == SHUTDOWN
    here.do("send_disconnect", data=word[::-1])
    assert there.at_end(there.recv())
    assert there.last_word() == word[::-1]


def test_more_disconnect_data_than_fits(ends: Ends) -> None:
    here, there = ends
    assert error(here("send_disconnect", data=bytes(513))) == MSGSIZE
    here.send(b"on")
    assert there.data() == b"on"
    here.do("send_disconnect", data=b"now")
    assert there.at_end(there.recv())
    assert there.last_word() == b"now"


def test_too_small_a_buffer_and_a_null_pointer(ends: Ends) -> None:
    here, there = ends
    there.send(b"unread")
    there.do("send_disconnect", data=b"12345")
    here.do("poll", surface="select", events=["IN"], wait_ms=LONG_MS)
    assert here.data() == b"unread"
    assert here.at_end(here.recv())
    for length in (4, 0):
        assert error(here("recv_disconnect", length=length)) == FAULT
        assert here.at_end(here.recv())
    assert here.do("recv_disconnect")["length"] == 0
    assert error(here.recv(wait_ms=0)) == SHUTDOWN
    assert here.last_word(5) == b"12345"


def test_fetched_too_early(ends: Ends) -> None:
    here, there = ends
    assert here.last_word() == b""
    assert error(here.recv(wait_ms=0)) == SHUTDOWN
    there.send(b"dropped")
    there.do("send_disconnect", data=b"later")
    here.do("event_select", events=["FD_CLOSE"], mechanism="event")
    here.await_recorded()
    assert here.last_word() == b"later"
    here.send(b"can still send")
    assert there.data() == b"can still send"


def test_the_eight_steps(ends: Ends) -> None:
    client, server = ends
    for end in ends:
        end.do("event_select", events=["FD_CLOSE"], mechanism="message")
    client.do("send_disconnect", data=b"42")
    assert server.event() == ("FD_CLOSE", None)
    assert server.last_word() == b"42"
    server.do("send_disconnect", data=b"1042")
    server.do("close", wait_ms=0)
    assert client.event() == ("FD_CLOSE", None)
    assert client.at_end(client.recv())
    assert client.last_word() == b"1042"
    client.do("close", wait_ms=0)


# --- overlapped receives --------------------------------------------------------------------------------------------


def test_posted_receives_fill_in_their_order(ends: Ends) -> None:
    here, there = ends
    tokens = [here.do("post_recv", length=10)["token"] for _ in range(3)]
    there.send(b"data")
    first = here.completion()
    assert (first.token, first.mechanism, octets(first.result or {})) == (tokens[0], "event", b"data")
    there.do("shutdown", how="send")
    assert here.agent.wait_notice(30)
    told = here.agent.take_notices()
    while len(told) < 2:
        assert here.agent.wait_notice(30)
        told += here.agent.take_notices()
    assert {getattr(notice, "token", None) for notice in told} == set(tokens[1:])
    for notice in told:
        if here.kind == "message":
            assert (notice.error and notice.error.code) == 10101
        else:
            assert getattr(notice, "result", None) == {"length": 0, "data": ""}


def test_posted_when_there_is_something(ends: Ends) -> None:
    here, there = ends
    there.send(b"data")
    assert here.data(flags=["PEEK"]) == b"data"
    token = here.do("post_recv", length=10)["token"]
    assert here.completion().token == token


def test_a_receive_after_a_posted_one_waits_its_turn(ends: Ends) -> None:
    here, there = ends
    here.do("post_recv", length=10)
    waiting = here.begin("recv", length=10, wait_ms=LONG_MS)
    assert here.recv(wait_ms=0).outcome is Outcome.TIMEOUT
    there.send(b"one")
    assert octets(here.completion().result or {}) == b"one"
    there.send(b"two")
    assert octets(result(here.agent.reply(waiting))) == b"two"


def test_posted_receives_when_the_socket_is_closed(ends: Ends) -> None:
    here, there = ends
    tokens = {here.do("post_recv", length=10)["token"] for _ in range(2)}
    waiting = here.begin("recv", length=10, wait_ms=LONG_MS)
    here.do("close", wait_ms=0)
    assert error(here.agent.reply(waiting)) == ("WSAEINTR", 10004)
    told = here.agent.take_notices()
    assert {(getattr(n, "token", ""), n.error and (n.error.name, n.error.code)) for n in told} == {
        (token, CANCELLED) for token in tokens
    }
    assert there.at_end(there.recv())


def test_posted_receives_after_a_local_end_of_reception(ends: Ends) -> None:
    here, there = ends
    for _ in range(2):
        here.do("post_recv", length=10)
    here.do("shutdown", how="receive")
    assert not here.agent.wait_notice(0)
    there.send(b"data")
    assert octets(here.completion().result or {}) == b"data"
    there.do("shutdown", how="send")
    assert here.agent.wait_notice(30)


def test_posted_receives_and_an_abort(ends: Ends) -> None:
    here, there = ends
    here.do("post_recv", length=10)
    there.do("set_linger", on=True, seconds=0)
    there.do("close", wait_ms=0)
    completion = here.completion()
    assert completion.error
    assert (completion.error.name, completion.error.code) == RESET
    assert error(here("post_recv", length=10)) == RESET
    assert not here.agent.take_notices()
