# SPDX-License-Identifier: MIT
"""The agent on Winsock's calls, under Wine: it speaks the protocol, and is told in each of Winsock's ways."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from conformance.agents.checking import check_agent
from conformance.agents.client import Agent
from conformance.agents.launching import SubprocessLauncher
from conformance.agents.native import wine
from conformance.agents.native.building import build, silent
from conformance.agents.native.storing import CannotHave
from conformance.agents.protocol import CompletionNotice, EventNotice, Reply
from conformance.agents.transports import ProcessTransport
from conformance.trace.events import Outcome

LONG_MS = 60_000
"""Longer than any test: what waits so long was woken if it returned."""
POISON = 0x5A5A5A5A
MECHANISMS = ["event", "routine", "port"]


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """What starts the agent, with a wineserver of this module's own."""
    station = tmp_path_factory.mktemp("station")
    try:
        installed = wine.find_wine()
        program = build("winsock-api")
        wine.make_template(installed, silent)
        prefix = wine.prefix_here(installed, str(station))
    except CannotHave as missing:
        pytest.skip(f"{missing}; {missing.hint}")
    environment = installed.environment(prefix, str(station))
    changed = [f"{name}={value}" for name, value in environment.items() if os.environ.get(name) != value]
    yield ["env", *changed, installed.loader, program]
    for word in ("-k", "-w"):
        subprocess.run([installed.server, word], env=environment, check=False)


@pytest.fixture(scope="module")
def running(command: list[str]) -> Iterator[Agent]:
    """One agent for all tests."""
    with Agent.start(ProcessTransport(SubprocessLauncher(), command)) as agent:
        yield agent


@pytest.fixture
def agent(running: Agent) -> Agent:
    """The agent, after a reset."""
    running.reset()
    running.take_notices()
    return running


def result(reply: Reply) -> dict[str, Any]:
    assert reply.result is not None, reply
    return reply.result


def do(agent: Agent, op: str, /, **arguments: Any) -> dict[str, Any]:
    """Make a call that succeeds."""
    return result(agent.request(op, **arguments))


def listener(agent: Agent) -> tuple[int, dict[str, Any]]:
    made = do(agent, "socket", family="inet", kind="stream")["socket"]
    return made, do(agent, "listen", socket=made, address={"family": "inet", "host": "127.0.0.1", "port": 0})["address"]


def connection(agent: Agent, listening: tuple[int, dict[str, Any]] | None = None) -> tuple[int, int]:
    """The sockets (accepted, calling) of a connection of the agent with itself."""
    waiting, address = listening or listener(agent)
    caller = do(agent, "socket", family="inet", kind="stream")["socket"]
    do(agent, "connect", socket=caller, address=address, wait_ms=LONG_MS)
    return do(agent, "accept", socket=waiting, wait_ms=LONG_MS)["socket"], caller


def notice(agent: Agent) -> EventNotice | CompletionNotice:
    assert agent.wait_notice(10.0)
    first, *others = agent.take_notices()
    assert others == []
    return first


# --- the protocol -----------------------------------------------------------------------------------------------------


def test_it_speaks_the_protocol(command: list[str]) -> None:
    checks = list(check_agent(command))
    assert [check for check in checks if not check.ok] == []
    assert len(checks) > 60


def test_over_tcp_it_serves_each_suite_by_a_process_of_its_own(command: list[str]) -> None:
    with subprocess.Popen([*command, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr
            port = int(process.stderr.readline().split()[-1])
            checks = list(check_agent(f"tcp://127.0.0.1:{port}"))
            assert [check for check in checks if not check.ok] == []
        finally:
            process.kill()


def test_hello_tells_what_the_catalogue_and_the_system_say(agent: Agent, command: list[str]) -> None:
    hello = agent.hello
    told = subprocess.run([*command[:-1], "--version"], capture_output=True, text=True, check=True).stdout
    assert told.split()[0].removeprefix("wine-") == hello.implementation.version
    assert (hello.family, hello.transport, hello.implementation.vendor) == ("winsock-api", "tcp", "Wine")
    assert {"GRACEFUL_CLOSE", "GUARANTEED_DELIVERY", "IFS_HANDLES"} <= set(hello.service_flags)
    assert hello.limits.disconnect_data_max == 0


def test_another_protocol_of_the_catalogue(command: list[str]) -> None:
    with Agent.start(ProcessTransport(SubprocessLauncher(), [*command, "--protocol", "SPX II"])) as agent:
        assert agent.hello.transport == "other"
        assert {"MESSAGE_ORIENTED", "PSEUDO_STREAM"} <= set(agent.hello.service_flags)
    ended = subprocess.run([*command, "--protocol", "no such thing"], capture_output=True, text=True)
    assert ended.returncode == os.EX_UNAVAILABLE
    assert "no such thing" in ended.stderr.splitlines()[0]
    assert "--protocol" in ended.stderr.splitlines()[-1]


# --- calls that block -------------------------------------------------------------------------------------------------


def test_reset_ends_all_calls_that_block(agent: Agent) -> None:
    ours, _ = connection(agent)
    waiting, _ = listener(agent)
    agent.submit("recv", socket=ours, length=10, wait_ms=LONG_MS)
    agent.submit("accept", socket=waiting, wait_ms=LONG_MS)
    for surface in ("select", "wsapoll"):
        agent.submit("poll", socket=ours, surface=surface, events=["IN"], wait_ms=LONG_MS)
    for mechanism in MECHANISMS:
        other, _ = connection(agent)
        do(agent, "post_recv", socket=other, length=10, mechanism=mechanism)
    agent.reset()
    assert agent.request("names", socket=ours).outcome is Outcome.FAILURE
    connection(agent)
    assert agent.take_notices() == []


def test_a_limit_is_a_time_out_while_the_socket_blocks_and_would_block_is_an_error_after(agent: Agent) -> None:
    ours, _ = connection(agent)
    for wait_ms in (0, 20):
        assert agent.request("recv", socket=ours, length=10, wait_ms=wait_ms).outcome is Outcome.TIMEOUT
    do(agent, "set_blocking", socket=ours, on=False)
    for wait_ms in (0, 20):
        error = agent.request("recv", socket=ours, length=10, wait_ms=wait_ms).error
        assert error and (error.name, error.code) == ("WSAEWOULDBLOCK", 10035)


def test_sends_that_end_early_account_for_every_octet(agent: Agent) -> None:
    ours, theirs = connection(agent)
    accepted = received = 0
    while (reply := agent.request("send", socket=ours, pattern={"seed": 0, "length": 1 << 18}, wait_ms=0)).result:
        accepted += reply.result["length"]
    do(agent, "shutdown", socket=ours, how="send")
    while count := do(agent, "recv", socket=theirs, length=1 << 20, wait_ms=LONG_MS, digest=True)["length"]:
        received += count
    assert received == accepted > 0


# --- being told -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_posts_complete(agent: Agent, mechanism: str) -> None:
    ours, theirs = connection(agent)
    token = do(agent, "post_recv", socket=ours, length=100, mechanism=mechanism)["token"]
    do(agent, "send", socket=theirs, data=b"hello", wait_ms=LONG_MS)
    completion = notice(agent)
    assert isinstance(completion, CompletionNotice)
    assert (completion.token, completion.mechanism) == (token, mechanism)
    assert completion.result and base64.b64decode(completion.result["data"]) == b"hello"
    token = do(agent, "post_send", socket=ours, pattern={"seed": 1, "length": 1000}, mechanism=mechanism)["token"]
    completion = notice(agent)
    assert isinstance(completion, CompletionNotice)
    assert (completion.token, completion.mechanism, completion.result) == (token, mechanism, {"length": 1000})


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_post_that_fails_at_once_has_used_up_its_token(agent: Agent, mechanism: str) -> None:
    ours, _ = connection(agent)
    before = do(agent, "post_recv", socket=ours, length=10)["token"]
    error = agent.request("post_recv", socket=-1, length=10, mechanism=mechanism).error
    assert error and error.name == "WSAENOTSOCK"
    after = do(agent, "post_recv", socket=ours, length=10)["token"]
    assert int(after[1:]) == int(before[1:]) + 2


def test_a_mechanism_that_there_is_not(agent: Agent) -> None:
    ours, _ = connection(agent)
    assert agent.request("post_recv", socket=ours, length=10, mechanism="pigeon").outcome is Outcome.UNSUPPORTED


def test_messages_to_the_window(agent: Agent) -> None:
    listening = listener(agent)
    asked = {"events": ["FD_READ", "FD_CLOSE"], "mechanism": "message"}
    do(agent, "event_select", socket=listening[0], **asked)
    caller = do(agent, "socket", family="inet", kind="stream")["socket"]
    do(agent, "connect", socket=caller, address=listening[1], wait_ms=LONG_MS)
    while (accepted := agent.request("accept", socket=listening[0], wait_ms=0)).result is None:
        assert accepted.error and accepted.error.name == "WSAEWOULDBLOCK"
    ours = accepted.result["socket"]
    do(agent, "send", socket=caller, data=b"x", wait_ms=LONG_MS)
    told = notice(agent)
    assert isinstance(told, EventNotice)
    assert (told.type, told.socket, told.error) == ("FD_READ", ours, None)


def test_the_record_of_events_is_read_with_poisoned_slots(agent: Agent) -> None:
    ours, theirs = connection(agent)
    do(agent, "event_select", socket=ours, events=["FD_READ", "FD_CLOSE"], mechanism="event")
    empty = do(agent, "enum_events", socket=ours)
    assert (empty["events"], empty["slots"], empty["signalled"]) == ([], [POISON] * 10, [False, False])
    do(agent, "send", socket=theirs, data=b"x", wait_ms=LONG_MS)
    while not (record := do(agent, "enum_events", socket=ours))["events"]:
        pass
    assert record["events"] == [{"type": "FD_READ", "error": None}]
    assert record["slots"] == [0] + [POISON] * 9
    assert record["signalled"] == [True, False]
    error = agent.request("enum_events", socket=-1).error
    assert error and error.name == "WSAENOTSOCK"


def test_an_event_that_is_not_of_the_protocol(agent: Agent) -> None:
    ours, _ = connection(agent)
    reply = agent.request("event_select", socket=ours, events=["FD_OOB"], mechanism="event")
    assert reply.outcome is Outcome.UNSUPPORTED


# --- handles and buffers ----------------------------------------------------------------------------------------------


def test_a_closed_handle_stays_closed(agent: Agent) -> None:
    ours, _ = connection(agent)
    copy = do(agent, "duplicate", socket=ours)["socket"]
    assert do(agent, "names", socket=copy) == do(agent, "names", socket=ours)
    do(agent, "close", socket=ours)
    for _ in range(3):
        do(agent, "socket", family="inet", kind="stream")
    for op, arguments in (("recv", {"length": 1}), ("post_recv", {"length": 1}), ("get_linger", {}), ("close", {})):
        error = agent.request(op, socket=ours, **arguments).error
        assert error and error.name == "WSAENOTSOCK", op
    do(agent, "names", socket=copy)


def test_what_recv_disconnect_leaves_is_told(agent: Agent) -> None:
    ours, theirs = connection(agent)
    do(agent, "shutdown", socket=theirs, how="send")
    told = do(agent, "recv_disconnect", socket=ours, length=64)
    assert (told["length"], told["data"], told["written"]) == (0, "", 0)
    assert isinstance(told["len"], int)


def test_a_buffer_that_cannot_be_read(agent: Agent) -> None:
    ours, _ = connection(agent)
    reply = agent.request("send_disconnect", socket=ours, unreadable=True)
    assert reply.outcome in (Outcome.RESULT, Outcome.ERROR)
    assert agent.request("send_disconnect", socket=ours, unreadable=True, data=b"x").outcome is Outcome.FAILURE
