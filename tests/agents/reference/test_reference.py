# SPDX-License-Identifier: MIT
"""The reference provider's calls between two agents: data, ends, disconnect data, half-close, overlapped receives."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from conformance.agents.client import Agent
from conformance.agents.transports import TcpTransport
from conformance.trace.events import Outcome
from conformance.trace.pattern import pattern_sha256
from tests.agents.reference.conftest import ANY, Agents, connected
from tests.agents.reference.ends import (
    DISCON,
    INVAL,
    KINDS,
    LONG_MS,
    NOTCONN,
    NOTSOCK,
    RESET,
    SHUTDOWN,
    WOULDBLOCK,
    End,
    error,
    octets,
    result,
)

COMMAND = [sys.executable, "-m", "conformance.agents.reference"]
Ends = tuple[End, End]


def test_what_it_says_of_itself(form: str, reference_agents: Agents) -> None:
    hello = reference_agents(form)[0].hello
    assert (hello.family, hello.transport, hello.limits.disconnect_data_max) == ("winsock-api", "reference", 512)
    assert ("PSEUDO_STREAM" in hello.service_flags) == (form == "pseudo-stream")
    assert ("MESSAGE_ORIENTED" in hello.service_flags) == (form != "stream")


def test_it_can_be_listened_for() -> None:
    with subprocess.Popen([*COMMAND, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr
            port = int(process.stderr.readline().split()[-1])
            with Agent.start(TcpTransport(f"tcp://127.0.0.1:{port}")) as agent:
                agent.bye()
        finally:
            process.kill()


# --- data and graceful ends -------------------------------------------------------------------------------------------


def test_data_then_the_end(ends: Ends) -> None:
    here, there = ends
    there.send(b"one")
    there.send(b"two")
    there.do("shutdown", how="send")
    assert there.at_end(there.recv(wait_ms=0)) is False
    got = here.data(3) + here.data(100)
    assert got == b"onetwo"
    for _ in range(3):
        assert here.at_end(here.recv())
    assert here.at_end(here.recv(flags=["PEEK"]))


def test_ipv6(form: str, reference_agents: Agents) -> None:
    one, other = reference_agents(form)
    kind = KINDS[form]
    listener = End(other, result(other.request("socket", family="inet6", kind=kind))["socket"], kind)
    address = listener.do("listen", address={"family": "inet6", "host": "::1", "port": 0})["address"]
    end = End(one, result(one.request("socket", family="inet6", kind=kind))["socket"], kind)
    local = end.do("connect", address=address, wait_ms=LONG_MS)["local"]
    assert listener.do("accept", wait_ms=LONG_MS)["peer"] == local
    assert end.do("names") == {"local": local, "peer": address}


def test_a_mebibyte_then_the_end(ends: Ends) -> None:
    here, there = ends
    there.do("send", pattern={"seed": 5, "length": 1 << 20}, wait_ms=LONG_MS)
    there.do("close", wait_ms=LONG_MS)
    if here.kind == "message":
        got = here.do("recv", length=1 << 20, wait_ms=LONG_MS, digest=True)
    else:
        got = here.do("recv", length=1 << 20, wait_ms=LONG_MS, digest=True, flags=["WAITALL"])
    assert (got["length"], got["sha256"]) == (1 << 20, pattern_sha256(5, 1 << 20))
    assert here.at_end(here.recv())


def test_messages_keep_their_bounds(messages: Ends) -> None:
    here, there = messages
    for message in (b"one", b"", b"three"):
        there.send(message)
    there.do("send_disconnect")
    assert [here.data() for _ in range(3)] == [b"one", b"", b"three"]
    assert error(here.recv()) == DISCON


def test_a_message_longer_than_the_buffer(messages: Ends) -> None:
    here, there = messages
    there.send(b"longer")
    there.send(b"next")
    first = here.do("recv", length=4, wait_ms=LONG_MS)
    assert (octets(first), first["partial"]) == (b"long", True)
    rest = here.do("recv", length=4, wait_ms=LONG_MS)
    assert (octets(rest), rest.get("partial", False)) == (b"er", False)
    nothing = here.do("recv", length=0, wait_ms=LONG_MS)
    assert (nothing["length"], nothing["partial"]) == (0, True)
    assert here.data() == b"next"


@pytest.mark.parametrize("length", [100_000, (1 << 20) + 100_000])
def test_messages_longer_than_what_is_buffered(messages: Ends, length: int) -> None:
    here, there = messages
    waiting = here.begin("recv", length=length, wait_ms=LONG_MS, digest=True)
    there.do("send", pattern={"seed": 5, "length": length}, wait_ms=LONG_MS)
    got = result(here.agent.reply(waiting))
    assert (got["sha256"], got.get("partial", False)) == (pattern_sha256(5, length), False)


def test_a_receive_that_does_not_wait_gets_part_of_a_message_that_fills_the_buffer(messages: Ends) -> None:
    here, there = messages
    length = (1 << 20) + 100_000
    there.do("send", pattern={"seed": 5, "length": length}, wait_ms=LONG_MS)
    assert here.do("poll", surface="select", events=["IN"], wait_ms=LONG_MS) == {"events": ["IN"]}
    first = here.do("recv", length=length, wait_ms=0, digest=True)
    assert first["partial"]
    assert first["length"] < length
    rest = here.do("recv", length=length, wait_ms=LONG_MS, digest=True)
    assert (first["length"] + rest["length"], rest.get("partial", False)) == (length, False)


def test_a_receive_of_parts_acts_as_on_a_stream(messages: Ends) -> None:
    here, there = messages
    there.send(b"longer")
    there.do("shutdown", how="send")
    assert here.do("recv", length=4, wait_ms=LONG_MS, flags=["PARTIAL"])["partial"]
    assert here.data(flags=["PARTIAL"]) == b"er"
    assert here.do("recv", length=4, wait_ms=LONG_MS, flags=["PARTIAL"])["length"] == 0
    assert error(here.recv()) == DISCON


def test_flags_that_a_form_does_not_have(messages: Ends, streams: Ends) -> None:
    assert error(messages[0].recv(flags=["WAITALL"])) == ("WSAEOPNOTSUPP", 10045)
    assert error(streams[0].recv(flags=["PARTIAL"])) == ("WSAEOPNOTSUPP", 10045)


def test_peeking(ends: Ends) -> None:
    here, there = ends
    there.send(b"abc")
    assert here.data(2, flags=["PEEK"]) == b"ab"
    assert here.data(flags=["PEEK"]) == b"abc"
    assert here.data() == b"abc"
    assert here.recv(wait_ms=0).outcome is Outcome.TIMEOUT


def test_receives_of_no_octets_wait_for_data_and_take_none(streams: Ends) -> None:
    here, there = streams
    waiting = here.begin("recv", length=0, wait_ms=LONG_MS)
    there.send(b"")
    assert here.recv(0, wait_ms=0).outcome is Outcome.TIMEOUT
    there.send(b"abc")
    assert result(here.agent.reply(waiting))["length"] == 0
    assert here.data() == b"abc"


def test_nothing_to_receive(ends: Ends) -> None:
    here, _ = ends
    assert here.recv(wait_ms=0).outcome is Outcome.TIMEOUT
    assert here.recv(wait_ms=20).outcome is Outcome.TIMEOUT
    here.do("set_blocking", on=False)
    assert error(here.recv()) == WOULDBLOCK


def test_a_receive_that_waits_is_told_of_the_end(ends: Ends) -> None:
    here, there = ends
    waiting = here.begin("recv", length=10, wait_ms=LONG_MS)
    there.do("shutdown", how="both")
    assert here.at_end(here.agent.reply(waiting))


def test_a_send_that_waits_goes_on_when_there_is_room(ends: Ends) -> None:
    here, there = ends
    accepted = here.fill()
    waiting = here.begin("send", data=b"last", wait_ms=LONG_MS)
    while accepted > 0:
        accepted -= there.do("recv", length=1 << 20, wait_ms=LONG_MS, digest=True)["length"]
    if not accepted:
        assert there.data() == b"last"
    assert result(here.agent.reply(waiting)) == {"length": 4}


def test_data_flows_while_the_other_direction_has_ended(ends: Ends) -> None:
    here, there = ends
    here.do("shutdown", how="send")
    assert there.at_end(there.recv())
    there.send(b"answer")
    there.do("send_disconnect", data=b"bye")
    assert here.data() == b"answer"
    assert here.at_end(here.recv())
    assert here.last_word() == b"bye"
    assert here.do("names")["peer"] == there.do("names")["local"]


# --- what ends a direction -------------------------------------------------------------------------------------------


def test_what_is_refused_after_a_direction_has_ended(ends: Ends) -> None:
    here, _ = ends
    here.do("shutdown", how=1)
    assert error(here("send", data=b"x", wait_ms=0)) == SHUTDOWN
    assert here.recv(wait_ms=0).outcome is Outcome.TIMEOUT
    here.do("shutdown", how="send")
    here.do("send_disconnect")
    assert error(here("send_disconnect", data=b"late")) == SHUTDOWN
    here.do("shutdown", how=0)
    assert error(here.recv(wait_ms=0)) == SHUTDOWN
    assert error(here("post_recv", length=10)) == SHUTDOWN
    here.do("shutdown", how=2)


@pytest.mark.parametrize("how", [3, 7, -1])
def test_an_unknown_way_to_shut_down_changes_nothing(ends: Ends, how: int) -> None:
    here, there = ends
    assert error(here("shutdown", how=how)) == INVAL
    here.send(b"on")
    assert there.data() == b"on"


def test_data_after_the_end_of_reception_is_dropped(ends: Ends) -> None:
    here, there = ends
    there.send(b"unread")
    assert here.data(flags=["PEEK"]) == b"unread"
    here.do("shutdown", how="receive")
    there.send(b"more")
    there.do("send_disconnect", data=b"total")
    here.do("event_select", events=["FD_CLOSE"], mechanism="event")
    assert here.await_recorded() == [("FD_CLOSE", None)]
    assert here.last_word() == b"total"
    here.do("send", data=b"still", wait_ms=0)
    assert there.data() == b"still"


def test_calls_on_what_is_not_connected(form: str, reference_agents: Agents) -> None:
    agent, kind = reference_agents(form)[0], KINDS[form]
    for listens in (False, True):
        end = End(agent, result(agent.request("socket", family="inet", kind=kind))["socket"], kind)
        if listens:
            end.do("listen", address=ANY)
        for op, arguments in (
            ("shutdown", {"how": "send"}),
            ("send_disconnect", {"data": b"x"}),
            ("recv_disconnect", {"length": 10}),
            ("send", {"data": b"x", "wait_ms": 0}),
            ("recv", {"length": 10, "wait_ms": 0}),
            ("post_recv", {"length": 10}),
            ("names", {}),
        ):
            assert error(end(op, **arguments)) == NOTCONN
        end.do("close", wait_ms=0)


def test_calls_on_what_is_no_socket(ends: Ends) -> None:
    here, _ = ends
    here.do("close", wait_ms=0)
    for number in (-1, here.socket):
        end = End(here.agent, number, here.kind)
        calls: list[tuple[str, dict[str, Any]]] = [
            ("shutdown", {"how": "send"}),
            ("send_disconnect", {}),
            ("recv_disconnect", {}),
            ("recv", {"length": 10, "wait_ms": 0}),
            ("send", {"data": b"x", "wait_ms": 0}),
            ("close", {"wait_ms": 0}),
            ("poll", {"surface": "select", "events": ["IN"], "wait_ms": 0}),
            ("event_select", {"events": ["FD_CLOSE"], "mechanism": "event"}),
            ("enum_events", {}),
            ("duplicate", {}),
        ]
        for op, arguments in calls:
            assert error(end(op, **arguments)) == NOTSOCK


def test_nobody_listens(form: str, reference_agents: Agents, unused_port: int) -> None:
    agent, kind = reference_agents(form)[0], KINDS[form]
    end = End(agent, result(agent.request("socket", family="inet", kind=kind))["socket"], kind)
    assert error(end("connect", address={**ANY, "port": unused_port}, wait_ms=LONG_MS)) == ("WSAECONNREFUSED", 10061)
    other = "stream" if kind == "message" else "message"
    assert agent.request("socket", family="inet", kind=other).outcome is Outcome.UNSUPPORTED


def test_connecting_without_waiting(form: str, reference_agents: Agents) -> None:
    one, other = reference_agents(form)
    kind = KINDS[form]
    listener = End(other, result(other.request("socket", family="inet", kind=kind))["socket"], kind)
    address = listener.do("listen", address=ANY)["address"]
    end = End(one, result(one.request("socket", family="inet", kind=kind))["socket"], kind)
    end.do("set_blocking", on=False)
    listener.do("set_blocking", on=False)
    assert error(listener("accept", wait_ms=LONG_MS)) == WOULDBLOCK
    assert error(end("connect", address=address, wait_ms=0)) == WOULDBLOCK
    assert end.do("poll", surface="select", events=["OUT"], wait_ms=LONG_MS) == {"events": ["OUT"]}
    assert error(end("connect", address=address, wait_ms=0)) == ("WSAEISCONN", 10056)
    assert listener.do("poll", surface="select", events=["IN"], wait_ms=LONG_MS) == {"events": ["IN"]}
    listener.do("accept", wait_ms=0)


# --- state and reset ------------------------------------------------------------------------------------------------


def test_options(ends: Ends) -> None:
    here, there = ends
    assert here.do("get_linger") == {"on": False, "seconds": 0}
    for name in ("KEEPALIVE", "KEEPIDLE", "KEEPINTVL", "KEEPCNT", "USER_TIMEOUT", "RCVBUF", "SNDBUF", "NODELAY"):
        here.do("set_option", name=name, value=1)
    assert error(here("set_option", name="KEEPIDLE", value=-5)) == INVAL
    assert here("set_option", name="CORK", value=1).outcome is Outcome.UNSUPPORTED
    assert here.do("get_error") == {"error": None}
    there.do("set_linger", on=True, seconds=0)
    there.do("close", wait_ms=0)
    assert error(here.recv()) == RESET
    assert here.do("get_error")["error"]["code"] == 10054
    assert here.do("get_error") == {"error": None}
    here.do("set_option", name="KEEPALIVE", value=1)


def test_reset_wakes_what_waits_and_aborts_what_there_is(form: str, reference_agents: Agents) -> None:
    one, other = reference_agents(form)
    here, there = connected((one, other), form)
    lingering, reader = connected((one, other), form)
    lingering.fill()
    lingering.do("set_linger", on=True, seconds=1000)
    for request in (
        here.agent.submit("recv", socket=here.socket, length=10, wait_ms=LONG_MS),
        here.agent.submit("poll", socket=here.socket, surface="select", events=["IN"], wait_ms=LONG_MS),
        here.agent.submit("close", socket=lingering.socket, wait_ms=LONG_MS),
    ):
        assert request
    one.reset()
    assert error(there.recv()) == RESET
    reader.await_abort()
    assert error(reader.recv(1 << 20, digest=True)) == RESET
    assert one.request("recv", socket=here.socket, length=1, wait_ms=0).outcome is Outcome.FAILURE


def test_the_agents_death_is_an_abort(form: str, reference_agents: Agents) -> None:
    here, there = connected(reference_agents(form), form)
    there.agent.kill()
    assert error(here.recv()) == RESET
