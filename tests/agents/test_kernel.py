# SPDX-License-Identifier: MIT
"""The kernel agent, over all four kinds of socket: it makes the call it is told to make, and says what came back."""

from __future__ import annotations

import base64
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.agents.client import Agent
from conformance.agents.problems import AgentProblem
from conformance.agents.protocol import CompletionNotice, Reply
from conformance.agents.transports import TcpTransport
from conformance.trace.events import Outcome
from conformance.trace.pattern import pattern, pattern_sha256

LONG_MS = 60_000
"""Longer than any test: what waits so long was woken if it returned."""


def result(reply: Reply) -> dict[str, Any]:
    assert reply.result is not None, reply
    return reply.result


def data(reply: Reply) -> bytes:
    return base64.b64decode(result(reply)["data"])


def error(reply: Reply) -> str:
    assert reply.error is not None, reply
    return reply.error.name


# --- data and ends --------------------------------------------------------------------------------------------------


def test_data_then_the_end(ends: Any) -> None:
    assert result(ends.peer.request("send", socket=ends.b, data=b"a\0b", wait_ms=1000)) == {"length": 3}
    result(ends.peer.request("shutdown", socket=ends.b, how="send"))
    assert data(ends.iut.request("recv", socket=ends.a, length=10, wait_ms=5000)) == b"a\0b"
    for _ in range(2):
        assert result(ends.iut.request("recv", socket=ends.a, length=10, wait_ms=5000)) == {"length": 0, "data": ""}


def test_nothing_to_receive(ends: Any) -> None:
    for wait_ms in (0, 20):
        reply = ends.iut.request("recv", socket=ends.a, length=10, wait_ms=wait_ms)
        assert reply.outcome is Outcome.TIMEOUT
        assert reply.call[1] - reply.call[0] >= wait_ms * 1_000_000


def test_would_block_is_an_answer_of_the_implementation(ends: Any) -> None:
    result(ends.iut.request("set_blocking", socket=ends.a, on=False))
    assert error(ends.iut.request("recv", socket=ends.a, length=10, wait_ms=LONG_MS)) == "EAGAIN"
    result(ends.iut.request("set_blocking", socket=ends.a, on=True))
    assert ends.iut.request("recv", socket=ends.a, length=10, wait_ms=1).outcome is Outcome.TIMEOUT


def test_peek_takes_nothing(ends: Any) -> None:
    result(ends.peer.request("send", socket=ends.b, data=b"abc"))
    for flags in (["PEEK"], []):
        assert data(ends.iut.request("recv", socket=ends.a, length=10, wait_ms=5000, flags=flags)) == b"abc"
    assert ends.iut.request("recv", socket=ends.a, length=10).outcome is Outcome.TIMEOUT


def test_a_pattern_and_its_digest(ends: Any) -> None:
    length = 60_000
    sent = ends.peer.submit("send", socket=ends.b, pattern={"seed": 3, "length": length}, wait_ms=5000)
    flags = ["WAITALL"] if ends.kind == "stream" else []
    got = ends.iut.request("recv", socket=ends.a, length=length, wait_ms=5000, flags=flags, digest=True)
    assert result(got) == {"length": length, "sha256": pattern_sha256(3, length)}
    assert result(ends.peer.reply(sent)) == {"length": length}


def test_a_partial_send_is_told_as_it_is(ends: Any) -> None:
    if ends.kind == "message":
        pytest.skip("a message is sent as a whole")
    size = 32 << 20
    bulk = {"seed": 0, "length": size}
    pieces = [result(ends.iut.request("send", socket=ends.a, pattern=bulk, wait_ms=50))["length"]]
    assert 0 < pieces[0] < size
    # The queues may still grow a little; at last nothing more is taken.
    while (reply := ends.iut.request("send", socket=ends.a, pattern=bulk, wait_ms=0)).outcome is Outcome.RESULT:
        pieces.append(result(reply)["length"])
    assert reply.outcome is Outcome.TIMEOUT
    received = bytearray()
    while len(received) < sum(pieces):
        received += data(ends.peer.request("recv", socket=ends.b, length=1 << 20, wait_ms=5000))
    assert received == b"".join(pattern(0, length) for length in pieces)


def test_a_message_that_was_cut(ends: Any) -> None:
    result(ends.peer.request("send", socket=ends.b, data=b"abcdef"))
    reply = ends.iut.request("recv", socket=ends.a, length=4, wait_ms=5000)
    assert data(reply) == b"abcd"
    assert result(reply).get("partial", False) is (ends.kind == "message")


def test_sending_to_a_socket_that_was_shut(ends: Any) -> None:
    result(ends.iut.request("shutdown", socket=ends.a, how="both"))
    assert error(ends.iut.request("send", socket=ends.a, data=b"x")) == "EPIPE"


def test_shutdown_numbers_are_passed_through(ends: Any) -> None:
    assert error(ends.iut.request("shutdown", socket=ends.a, how=77)) == "EINVAL"
    assert error(ends.iut.request("shutdown", socket=ends.a, how=-1)) == "EINVAL"
    result(ends.iut.request("shutdown", socket=ends.a, how=1))


def test_names(ends: Any) -> None:
    ours, theirs = (
        result(agent.request("names", socket=socket)) for agent, socket in ((ends.iut, ends.a), (ends.peer, ends.b))
    )
    assert (ours["local"], ours["peer"]) == (theirs["peer"], theirs["local"])
    assert ours["peer"] == ends.bound
    assert error(ends.peer.request("names", socket=ends.listener)) in ("ENOTCONN", "EINVAL")


def test_calls_are_timed_on_the_common_clock(ends: Any) -> None:
    before = time.time_ns()
    reply = ends.iut.request("get_error", socket=ends.a)
    assert result(reply) == {"error": None}
    assert before <= reply.call[0] <= reply.call[1] <= time.time_ns()


# --- calls that block -------------------------------------------------------------------------------------------------


def test_others_are_answered_while_a_receive_blocks(ends: Any) -> None:
    blocked = ends.iut.submit("recv", socket=ends.a, length=10, wait_ms=LONG_MS)
    for _ in range(3):
        result(ends.iut.request("get_error", socket=ends.a))
    result(ends.peer.request("shutdown", socket=ends.b, how="send"))
    assert result(ends.iut.reply(blocked))["length"] == 0


def test_an_accept_that_waits(ends: Any) -> None:
    waiting = ends.peer.submit("accept", socket=ends.listener, wait_ms=LONG_MS)
    socket = ends.new(ends.iut)
    result(ends.iut.request("connect", socket=socket, address=ends.bound, wait_ms=5000))
    accepted = result(ends.peer.reply(waiting))
    assert accepted["socket"] not in (ends.b, ends.listener)
    assert accepted["peer"]["family"] == ends.family
    assert ends.peer.request("accept", socket=ends.listener, wait_ms=0).outcome is Outcome.TIMEOUT


def test_a_posted_receive_completes(ends: Any) -> None:
    tokens = [result(ends.iut.request("post_recv", socket=ends.a, length=10))["token"] for _ in range(2)]
    assert len(set(tokens)) == 2
    assert ends.iut.take_notices() == []
    for text in (b"x", b""):
        if text:
            result(ends.peer.request("send", socket=ends.b, data=text))
        else:
            result(ends.peer.request("shutdown", socket=ends.b, how="send"))
        assert ends.iut.wait_notice(10)
        (notice,) = ends.iut.take_notices()
        assert isinstance(notice, CompletionNotice)
        assert notice.token in tokens
        assert notice.mechanism == "thread"
        assert notice.result == {"length": len(text), "data": base64.b64encode(text).decode()}
        tokens.remove(notice.token)


def test_a_posted_receive_outlasts_the_limits_of_others(ends: Any) -> None:
    assert ends.iut.request("recv", socket=ends.a, length=1, wait_ms=1).outcome is Outcome.TIMEOUT
    result(ends.iut.request("post_recv", socket=ends.a, length=10))
    assert ends.iut.request("recv", socket=ends.a, length=1, wait_ms=20).outcome is Outcome.TIMEOUT
    result(ends.peer.request("shutdown", socket=ends.b, how="send"))
    assert ends.iut.wait_notice(10)
    (notice,) = ends.iut.take_notices()
    assert notice.result == {"length": 0, "data": ""}


def test_a_posted_receive_on_a_nonblocking_socket(ends: Any) -> None:
    result(ends.iut.request("set_blocking", socket=ends.a, on=False))
    result(ends.iut.request("post_recv", socket=ends.a, length=10))
    assert ends.iut.wait_notice(10)
    (notice,) = ends.iut.take_notices()
    assert notice.error.name == "EAGAIN"


def test_a_lingering_close_that_outlasts_its_time(tcp: Any) -> None:
    result(tcp.iut.request("send", socket=tcp.a, pattern={"seed": 0, "length": 64 << 20}, wait_ms=20))
    result(tcp.iut.request("set_linger", socket=tcp.a, on=True, seconds=60))
    assert tcp.iut.request("close", socket=tcp.a, wait_ms=20).outcome is Outcome.TIMEOUT
    # The descriptor is gone already, the agent goes on answering, and reset does not wait for the close.
    assert error(tcp.iut.request("get_error", socket=tcp.a)) == "EBADF"
    tcp.iut.reset()
    assert tcp.new(tcp.iut)


def test_a_lingering_close_that_ends_in_time(tcp: Any) -> None:
    result(tcp.iut.request("set_linger", socket=tcp.a, on=True, seconds=60))
    result(tcp.iut.request("send", socket=tcp.a, data=b"abc"))
    closing = tcp.iut.submit("close", socket=tcp.a, wait_ms=LONG_MS)
    assert data(tcp.peer.request("recv", socket=tcp.b, length=10, wait_ms=5000)) == b"abc"
    assert result(tcp.peer.request("recv", socket=tcp.b, length=10, wait_ms=5000))["length"] == 0
    assert result(tcp.iut.reply(closing)) == {}


def test_an_abortive_close(tcp: Any) -> None:
    result(tcp.iut.request("set_linger", socket=tcp.a, on=True, seconds=0))
    assert result(tcp.iut.request("get_linger", socket=tcp.a)) == {"on": True, "seconds": 0}
    result(tcp.iut.request("close", socket=tcp.a))
    assert error(tcp.peer.request("recv", socket=tcp.b, length=10, wait_ms=5000)) == "ECONNRESET"


# --- handles ----------------------------------------------------------------------------------------------------------


def test_the_last_of_two_handles_ends_the_connection(ends: Any) -> None:
    second = result(ends.iut.request("duplicate", socket=ends.a))["socket"]
    result(ends.iut.request("close", socket=ends.a))
    assert ends.peer.request("recv", socket=ends.b, length=1, wait_ms=20).outcome is Outcome.TIMEOUT
    result(ends.iut.request("send", socket=second, data=b"x"))
    result(ends.iut.request("close", socket=second))
    assert [data(ends.peer.request("recv", socket=ends.b, length=1, wait_ms=5000)) for _ in range(2)] == [b"x", b""]


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("send", {"data": b"x"}),
    ("recv", {"length": 1, "wait_ms": LONG_MS}),
    ("shutdown", {"how": "both"}),
    ("close", {"wait_ms": LONG_MS}),
    ("duplicate", {}),
    ("set_linger", {"on": True, "seconds": 1}),
    ("get_linger", {}),
    ("set_blocking", {"on": False}),
    ("set_option", {"name": "KEEPALIVE", "value": 1}),
    ("get_error", {}),
    ("names", {}),
    ("accept", {"wait_ms": LONG_MS}),
]


@pytest.mark.parametrize(("op", "arguments"), CALLS, ids=[op for op, _ in CALLS])
def test_a_handle_that_is_invalid(tcp: Any, op: str, arguments: dict[str, Any]) -> None:
    assert error(tcp.iut.request(op, socket=-1, **arguments)) == "EBADF"
    result(tcp.iut.request("close", socket=tcp.a))
    # New sockets must not come to live at the number of the closed one.
    for _ in range(3):
        tcp.new(tcp.iut)
    assert error(tcp.iut.request(op, socket=tcp.a, **arguments)) == "EBADF"
    assert tcp.iut.request(op, socket=4711, **arguments).outcome is Outcome.FAILURE


def test_polling_a_closed_handle(tcp: Any) -> None:
    result(tcp.iut.request("close", socket=tcp.a))
    poll = {"socket": tcp.a, "events": ["IN"], "wait_ms": LONG_MS}
    assert result(tcp.iut.request("poll", surface="poll", **poll)) == {"events": ["NVAL"]}
    for surface in ("select", "epoll", "epoll-et"):
        assert error(tcp.iut.request("poll", surface=surface, **poll)) == "EBADF"


def test_a_connection_that_is_refused(tcp: Any, unused_port: int) -> None:
    address = {"family": "inet", "host": "127.0.0.1", "port": unused_port}
    reply = tcp.iut.request("connect", socket=tcp.new(tcp.iut), address=address, wait_ms=5000)
    assert error(reply) == "ECONNREFUSED"
    socket = tcp.new(tcp.iut)
    result(tcp.iut.request("set_blocking", socket=socket, on=False))
    reply = tcp.iut.request("connect", socket=socket, address=address, wait_ms=5000)
    assert error(reply) in ("EINPROGRESS", "ECONNREFUSED")


# --- options and readiness --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KEEPALIVE", 1), ("KEEPIDLE", 5), ("KEEPINTVL", 5), ("KEEPCNT", 3), ("USER_TIMEOUT", 300), ("RCVBUF", 4096),
        ("SNDBUF", 4096), ("NODELAY", 1), ("CORK", 1), ("REUSEADDR", 1),
    ],
)  # fmt: skip
def test_options(tcp: Any, name: str, value: int) -> None:
    assert result(tcp.iut.request("set_option", socket=tcp.a, name=name, value=value)) == {}


@pytest.mark.parametrize("surface", ["select", "poll", "epoll", "epoll-et"])
def test_readiness(ends: Any, surface: str) -> None:
    def poll(*events: str, wait_ms: int = 0) -> Reply:
        reply: Reply = ends.iut.request("poll", socket=ends.a, surface=surface, events=list(events), wait_ms=wait_ms)
        return reply

    assert poll("IN").outcome is Outcome.TIMEOUT
    assert result(poll("IN", "OUT")) == {"events": ["OUT"]}
    waiting = ends.iut.submit("poll", socket=ends.a, surface=surface, events=["IN"], wait_ms=LONG_MS)
    result(ends.peer.request("send", socket=ends.b, data=b"x"))
    assert result(ends.iut.reply(waiting)) == {"events": ["IN"]}
    result(ends.peer.request("close", socket=ends.b))
    if surface == "select":
        assert result(poll("IN", wait_ms=5000)) == {"events": ["IN"]}
    else:
        assert set(result(poll("IN", "RDHUP", wait_ms=5000))["events"]) - {"HUP"} == {"IN", "RDHUP"}


def test_an_edge_is_told_once(ends: Any) -> None:
    def edges(**register: bool) -> Reply:
        reply: Reply = ends.iut.request("poll", socket=ends.a, surface="epoll-et", events=["IN"], wait_ms=0, **register)
        return reply

    assert edges().outcome is Outcome.TIMEOUT
    for _ in range(2):
        result(ends.peer.request("send", socket=ends.b, data=b"x"))
        result(ends.iut.request("poll", socket=ends.a, surface="poll", events=["IN"], wait_ms=5000))
        assert result(edges()) == {"events": ["IN"]}
        assert edges().outcome is Outcome.TIMEOUT
    assert result(edges(register=True)) == {"events": ["IN"]}


@pytest.mark.parametrize(
    ("op", "arguments"),
    [
        ("poll", {"surface": "wsapoll", "events": ["IN"]}),
        ("poll", {"surface": "select", "events": ["RDHUP"]}),
        ("set_option", {"name": "DONTLINGER", "value": 1}),
        ("recv", {"length": 1, "flags": ["PARTIAL"]}),
        ("send_disconnect", {}),
        ("recv_disconnect", {"length": 1}),
        ("event_select", {"events": [], "mechanism": "event"}),
        ("enum_events", {}),
        ("make_tea", {}),
    ],
)
def test_what_posix_does_not_have(tcp: Any, op: str, arguments: dict[str, Any]) -> None:
    assert tcp.iut.request(op, socket=tcp.a, **arguments).outcome is Outcome.UNSUPPORTED


def test_service_provider_calls_are_unsupported(tcp: Any) -> None:
    for op in ("startup", "cleanup"):
        assert tcp.iut.request(op).outcome is Outcome.UNSUPPORTED
    assert tcp.iut.request("socket", family="inet", kind="message").outcome is Outcome.UNSUPPORTED


@pytest.mark.parametrize(
    ("op", "arguments"),
    [
        ("send", {}),
        ("send", {"data": "not base64!"}),
        ("send", {"pattern": {"seed": 1}}),
        ("recv", {"length": 64 << 20}),
        ("recv", {"length": "all"}),
        ("post_recv", {"length": 64 << 20}),
        ("post_recv", {"length": "all"}),
        ("shutdown", {"how": "sideways"}),
        ("shutdown", {"how": 1 << 40}),
        ("connect", {"address": {"family": "inet"}}),
        ("connect", {"address": {"family": "inet", "host": "no such host", "port": 1}}),
        ("set_option", {"name": "KEEPALIVE", "value": "yes"}),
    ],
)
def test_requests_that_are_wrong(tcp: Any, op: str, arguments: dict[str, Any]) -> None:
    assert tcp.iut.request(op, socket=tcp.a, **arguments).outcome is Outcome.FAILURE


# --- the agent's life -------------------------------------------------------------------------------------------------


def test_reset_wakes_what_blocks_and_silences_it(ends: Any) -> None:
    agent = ends.iut
    for _ in range(2):
        agent.submit("recv", socket=ends.a, length=10, wait_ms=LONG_MS)
    result(agent.request("post_recv", socket=ends.a, length=10))
    for surface in ("select", "poll", "epoll", "epoll-et"):
        agent.submit("poll", socket=ends.a, surface=surface, events=["PRI"], wait_ms=LONG_MS)
    gone = result(agent.request("duplicate", socket=ends.a))["socket"]
    agent.submit("recv", socket=gone, length=10, wait_ms=LONG_MS)
    result(agent.request("close", socket=gone))
    ends.peer.submit("accept", socket=ends.listener, wait_ms=LONG_MS)
    for end in (agent, ends.peer):
        end.reset()
    assert agent.request("get_error", socket=ends.a).outcome is Outcome.FAILURE
    assert ends.new(agent)
    assert not agent.wait_notice(0)


def test_reset_while_calls_are_just_starting(tcp: Any) -> None:
    for _ in range(20):
        listener = tcp.new(tcp.peer)
        address = result(tcp.peer.request("listen", socket=listener, address=tcp.address))["address"]
        for _ in range(4):
            tcp.peer.submit("accept", socket=listener, wait_ms=LONG_MS)
            socket = tcp.new(tcp.iut)
            tcp.iut.submit("connect", socket=socket, address=address, wait_ms=1000)
            for surface in ("epoll", "epoll-et"):
                tcp.iut.submit("poll", socket=socket, surface=surface, events=["IN"], wait_ms=LONG_MS)
            tcp.iut.submit("recv", socket=socket, length=1, wait_ms=LONG_MS)
        for end in (tcp.peer, tcp.iut):
            end.reset()


def test_reset_aborts(tcp: Any) -> None:
    tcp.iut.submit("recv", socket=tcp.a, length=10, wait_ms=LONG_MS)
    tcp.iut.reset()
    # A reset and nothing else: an end of data before it would read as a graceful end.
    assert error(tcp.peer.request("recv", socket=tcp.b, length=10, wait_ms=5000)) == "ECONNRESET"


def test_the_path_of_a_listener_is_tidied_away(
    kernel_agents: Callable[[str], tuple[Agent, Agent]], tmp_path: Path
) -> None:
    agent, _ = kernel_agents("unix-stream")
    paths = [tmp_path / name for name in ("closed", "reset")]
    sockets = []
    for path in paths:
        sockets.append(result(agent.request("socket", family="unix", kind="stream"))["socket"])
        result(agent.request("listen", socket=sockets[-1], address={"family": "unix", "path": str(path)}))
        assert path.is_socket()
    result(agent.request("close", socket=sockets[0]))
    assert not paths[0].exists()
    agent.reset()
    assert not paths[1].exists()


def test_many_calls_block_at_once(tcp: Any) -> None:
    blocked = [tcp.iut.submit("recv", socket=tcp.a, length=1, wait_ms=LONG_MS) for _ in range(30)]
    result(tcp.peer.request("shutdown", socket=tcp.b, how="send"))
    assert [result(tcp.iut.reply(request))["length"] for request in blocked] == [0] * 30


def test_bye_with_calls_open(start: Any, kernel_command: list[str]) -> None:
    agent = start(kernel_command)
    socket = result(agent.request("socket", family="inet", kind="stream"))["socket"]
    address = {"family": "inet", "host": "127.0.0.1", "port": 0}
    result(agent.request("listen", socket=socket, address=address, backlog=1))
    agent.submit("accept", socket=socket, wait_ms=LONG_MS)
    agent.bye()


def test_end_of_input_ends_the_agent_though_calls_block(kernel_command: list[str]) -> None:
    lines = b"".join(
        line.encode() + b"\n"
        for line in (
            '{"id":1,"op":"socket","family":"inet","kind":"stream"}',
            '{"id":2,"op":"listen","socket":1,"address":{"family":"inet","host":"127.0.0.1","port":0}}',
            '{"id":3,"op":"accept","socket":1,"wait_ms":60000}',
        )
    )
    ended = subprocess.run(kernel_command, input=lines, capture_output=True, timeout=30, check=False)
    assert ended.returncode == 0
    assert ended.stdout.count(b"\n") == 2


def test_a_line_that_is_no_request_ends_the_agent(kernel_command: list[str]) -> None:
    ended = subprocess.run(kernel_command, input=b"hello?\n", capture_output=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert b"not a request" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(["--help"], 0), (["--transport", "carrier-pigeon"], 1), (["--transport"], 1), (["--verbose=1"], 1)],
)
def test_the_command_line(kernel_command: list[str], arguments: list[str], status: int) -> None:
    ended = subprocess.run([*kernel_command, *arguments], capture_output=True, timeout=30, check=False, text=True)
    assert ended.returncode == status
    assert "usage:" in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("transport", "says", "message"),
    [("tcp", "tcp", False), ("unix-stream", "unix", False), ("unix-seqpacket", "unix", True)],
)
def test_hello(kernel_agents: Callable[[str], tuple[Agent, Agent]], transport: str, says: str, message: bool) -> None:
    hello = kernel_agents(transport)[0].hello
    assert (hello.transport, hello.family, hello.clock) == (says, "posix", "realtime")
    assert ("MESSAGE_ORIENTED" in hello.service_flags) is message
    assert "epoll-et" in hello.surfaces


def test_over_tcp(unused_port: int) -> None:
    command = [sys.executable, "-m", "conformance.agents.kernel", "--listen", f"127.0.0.1:{unused_port}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr
            assert b"listening" in process.stderr.readline()
            for _ in range(2):
                with Agent.start(TcpTransport(f"tcp://127.0.0.1:{unused_port}")) as agent:
                    assert agent.hello.clock == "realtime"
                    socket = result(agent.request("socket", family="inet", kind="stream"))["socket"]
                    assert error(agent.request("send", socket=socket, data=b"x")) == "EPIPE"
                    agent.bye()
            with Agent.start(TcpTransport(f"tcp://127.0.0.1:{unused_port}")) as agent:
                agent.kill()
                with pytest.raises(AgentProblem):
                    agent.request("reset")
        finally:
            process.kill()


def test_it_starts_with_the_standard_library_alone() -> None:
    program = (
        "import sys; import conformance.agents.kernel.__main__; "
        "print(sorted({name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=30, check=True, text=True)
    assert "msgspec" not in ended.stdout
    assert "pytest" not in ended.stdout
