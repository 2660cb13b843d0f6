# SPDX-License-Identifier: MIT
"""The reference provider's network events and readiness: FD_READ, FD_WRITE, FD_CLOSE, select, WSAPoll."""

from __future__ import annotations

import pytest

from conformance.agents.protocol import EventNotice
from conformance.trace.events import Outcome
from tests.agents.reference.conftest import ANY, Agents
from tests.agents.reference.ends import (
    INVAL,
    KINDS,
    LONG_MS,
    RESET,
    WOULDBLOCK,
    End,
    error,
    result,
)

Ends = tuple[End, End]
CLOSED = ("FD_CLOSE", None)
WAS_RESET = ("FD_CLOSE", 10054)


@pytest.mark.parametrize("mechanism", ["event", "message"])
def test_the_end_is_told_once(ends: Ends, mechanism: str) -> None:
    here, there = ends
    here.do("event_select", events=["FD_READ", "FD_CLOSE"], mechanism=mechanism)
    there.do("send_disconnect", data=b"word")
    if mechanism == "message":
        assert here.event() == CLOSED
        assert here.recorded() == []
    else:
        assert here.await_recorded() == [CLOSED]
    for _ in range(2):
        assert here.at_end(here.recv())
    assert here.last_word() == b"word"
    assert here.recorded() == []
    assert not here.agent.wait_notice(0)


def test_the_end_waits_until_data_was_read(ends: Ends) -> None:
    here, there = ends
    here.do("event_select", events=["FD_READ", "FD_CLOSE"], mechanism="message")
    there.send(b"12345")
    there.do("close", wait_ms=0)
    assert here.event() == ("FD_READ", None)
    assert not here.agent.wait_notice(0)
    assert here.data(5) == b"12345"
    assert here.event() == CLOSED


def test_reading_is_told_again_after_a_receive_that_left_something(ends: Ends) -> None:
    here, there = ends
    there.send(b"one")
    there.send(b"two")
    here.do("event_select", events=["FD_READ"], mechanism="event")
    assert here.await_recorded() == [("FD_READ", None)]
    there.do("poll", surface="select", events=["OUT"], wait_ms=LONG_MS)
    while here.kind == "stream" and len(here.data(flags=["PEEK"])) < 6:
        pass
    here.recorded()
    assert here.data(3) == b"one"
    assert here.await_recorded() == [("FD_READ", None)]
    assert here.recorded() == []
    assert here.data(3) == b"two"
    assert here.recorded() == []
    assert error(here.recv()) == WOULDBLOCK
    there.send(b"three")
    assert here.await_recorded() == [("FD_READ", None)]


def test_writing_is_told_at_first_and_after_a_send_that_would_have_blocked(ends: Ends) -> None:
    here, there = ends
    here.do("event_select", events=["FD_WRITE"], mechanism="event")
    assert here.recorded() == [("FD_WRITE", None)]
    here.fill()
    here.recorded()  # there may have been room again while it was filled
    assert error(here("send", data=b"x", wait_ms=0)) == WOULDBLOCK
    assert here.recorded() == []
    while not (told := here.recorded()):
        there.do("recv", length=1 << 20, wait_ms=LONG_MS, digest=True)
    assert told == [("FD_WRITE", None)]


def test_an_abort(ends: Ends) -> None:
    here, there = ends
    there.send(b"unread")
    assert here.data(flags=["PEEK"]) == b"unread"
    here.do("event_select", events=["FD_CLOSE"], mechanism="message")
    there.do("set_linger", on=True, seconds=0)
    there.do("close", wait_ms=0)
    assert here.event() == WAS_RESET
    assert error(here.recv()) == RESET


def test_registering_after_the_end(ends: Ends) -> None:
    here, there = ends
    there.do("shutdown", how="send")
    assert here.at_end(here.recv())
    for mechanism in ("event", "message"):
        here.do("event_select", events=["FD_READ"], mechanism=mechanism)
        assert here.recorded() == []
    here.do("event_select", events=["FD_CLOSE"], mechanism="event")
    assert here.recorded() == [CLOSED]
    here.do("event_select", events=["FD_CLOSE"], mechanism="event")
    assert here.recorded() == []
    here.do("event_select", events=["FD_CLOSE"], mechanism="message")
    assert here.event() == CLOSED


def test_own_ends_are_not_told(ends: Ends) -> None:
    here, there = ends
    for end in ends:
        end.do("event_select", events=["FD_READ", "FD_CLOSE"], mechanism="event")
    there.do("shutdown", how="receive")
    here.do("shutdown", how="both")
    assert there.await_recorded() == [CLOSED]
    assert here.recorded() == []
    there.do("shutdown", how="send")
    assert here.await_recorded() == [CLOSED]


def test_a_closed_socket_is_told_nothing(ends: Ends) -> None:
    here, there = ends
    here.do("event_select", events=["FD_READ", "FD_CLOSE"], mechanism="message")
    here.do("close", wait_ms=0)
    assert there.at_end(there.recv())
    there.do("close", wait_ms=0)
    here.agent.request("socket", family="inet", kind=here.kind)
    assert not here.agent.take_notices()


def test_selecting_makes_a_socket_non_blocking(ends: Ends) -> None:
    here, _ = ends
    here.do("event_select", events=["FD_CLOSE"], mechanism="event")
    assert error(here.recv()) == WOULDBLOCK
    assert error(here("set_blocking", on=True)) == INVAL
    here.do("event_select", events=[], mechanism="event")
    assert error(here.recv()) == WOULDBLOCK
    here.do("set_blocking", on=True)
    assert here.recv(wait_ms=0).outcome is Outcome.TIMEOUT
    assert here("event_select", events=["FD_OOB"], mechanism="event").outcome is Outcome.UNSUPPORTED


def test_accepted_sockets_inherit(form: str, reference_agents: Agents) -> None:
    one, other = reference_agents(form)
    kind = KINDS[form]
    listener = End(other, result(other.request("socket", family="inet", kind=kind))["socket"], kind)
    address = listener.do("listen", address=ANY)["address"]
    listener.do("event_select", events=["FD_CLOSE"], mechanism="message")
    end = End(one, result(one.request("socket", family="inet", kind=kind))["socket"], kind)
    end.do("connect", address=address, wait_ms=LONG_MS)
    listener.do("poll", surface="select", events=["IN"], wait_ms=LONG_MS)
    accepted = End(other, listener.do("accept", wait_ms=0)["socket"], kind)
    end.do("close", wait_ms=0)
    assert accepted.event() == CLOSED
    assert accepted.at_end(accepted.recv())


def test_what_select_tells(ends: Ends) -> None:
    here, there = ends

    def told() -> list[str] | None:
        reply = here("poll", surface="select", events=["IN", "OUT"], wait_ms=0)
        return None if reply.result is None else list(reply.result["events"])

    assert told() == ["OUT"]
    waiting = here.begin("poll", surface="select", events=["IN"], wait_ms=LONG_MS)
    there.send(b"x")
    assert result(here.agent.reply(waiting)) == {"events": ["IN"]}
    here.data()
    there.do("shutdown", how="send")
    assert here.do("poll", surface="select", events=["IN"], wait_ms=LONG_MS) == {"events": ["IN"]}
    assert here.at_end(here.recv(wait_ms=0))
    there.do("set_linger", on=True, seconds=0)
    there.do("close", wait_ms=0)
    while here("recv", length=1, wait_ms=0).error is None or here.at_end(here.recv(wait_ms=0)):
        pass
    assert told() == ["IN", "OUT"]


def test_what_wsapoll_tells(ends: Ends) -> None:
    here, there = ends

    def told(*events: str, wait_ms: int = LONG_MS) -> list[str]:
        return list(here.do("poll", surface="wsapoll", events=list(events), wait_ms=wait_ms)["events"])

    assert told("IN", "OUT") == ["OUT"]
    there.send(b"x")
    assert told("IN") == ["IN"]
    there.do("shutdown", how="send")
    assert here.data() == b"x"
    assert told("IN") == ["HUP"]
    assert here.at_end(here.recv())
    assert told() == ["HUP"]
    there.do("set_linger", on=True, seconds=0)
    there.do("close", wait_ms=0)
    while told() == ["HUP"]:
        pass
    assert told() == ["ERR", "HUP"]
    assert here("poll", surface="epoll", events=["IN"], wait_ms=0).outcome is Outcome.UNSUPPORTED
    assert here("poll", surface="wsapoll", events=["RDHUP"], wait_ms=0).outcome is Outcome.UNSUPPORTED


def test_notices_name_the_handle(ends: Ends) -> None:
    here, there = ends
    second = End(here.agent, here.do("duplicate")["socket"], here.kind)
    second.do("event_select", events=["FD_CLOSE"], mechanism="message")
    here.do("close", wait_ms=0)
    there.do("shutdown", how="send")
    notice = second.notice()
    assert isinstance(notice, EventNotice)
    assert notice.socket == second.socket
