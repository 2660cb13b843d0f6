# SPDX-License-Identifier: MIT
"""The WebSocket agents, each against the other library: messages, Closes with their data, and ends without a Close."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.agents.client import Agent
from conformance.agents.launching import SubprocessLauncher
from conformance.agents.problems import SomethingMissing
from conformance.agents.protocol import CompletionNotice, Reply
from conformance.agents.transports import ProcessTransport
from conformance.trace.events import Outcome
from conformance.trace.pattern import pattern_sha256
from tests.agents.conftest import Ends, result

WAIT_MS = 5000
LIBRARIES = ["websockets", "wsproto"]
OTHER = {"websockets": "wsproto", "wsproto": "websockets"}


def command(library: str) -> list[str]:
    return [sys.executable, "-m", "conformance.agents.websocket", "--library", library]


@pytest.fixture(scope="module")
def agents() -> Iterator[Callable[[str], Agent]]:
    """An agent of each library, started once and reset before each use."""
    running: dict[str, Agent] = {}

    def get(library: str) -> Agent:
        pytest.importorskip(library)
        if library not in running:
            running[library] = Agent.start(ProcessTransport(SubprocessLauncher(), command(library)))
        running[library].reset()
        return running[library]

    yield get
    for agent in running.values():
        agent.close()


@pytest.fixture(params=LIBRARIES)
def ends(request: pytest.FixtureRequest, agents: Callable[[str], Agent], tmp_path: Path) -> Ends:
    """A connection of each library as a client to the other as a server."""
    return Ends(agents(request.param), agents(OTHER[request.param]), "inet", "message", tmp_path)


@pytest.fixture(params=[True, False], ids=["client", "server"])
def library(request: pytest.FixtureRequest, agents: Callable[[str], Agent], tmp_path: Path) -> Ends:
    """A connection of `websockets` as a client and as a server, with the other agent as `peer`."""
    if request.param:
        return Ends(agents("websockets"), agents("wsproto"), "inet", "message", tmp_path)
    ends = Ends(agents("wsproto"), agents("websockets"), "inet", "message", tmp_path)
    ends.iut, ends.peer, ends.a, ends.b = ends.peer, ends.iut, ends.b, ends.a
    return ends


def close(code: int, reason: str = "") -> str:
    return base64.b64encode(code.to_bytes(2, "big") + reason.encode()).decode()


def received(reply: Reply) -> bytes:
    return base64.b64decode(result(reply)["data"])


def recv(agent: Agent, socket: int, **options: Any) -> Reply:
    return agent.request("recv", **{"socket": socket, "length": 100_000, "wait_ms": WAIT_MS, **options})


def told(reply: Reply) -> tuple[str, int | None]:
    assert reply.error is not None, reply
    return reply.error.name, reply.error.code


# --- messages ---------------------------------------------------------------------------------------------------------


def test_messages_keep_their_ends_and_an_empty_one_is_one(ends: Ends) -> None:
    for agent, socket, other, theirs in ((ends.iut, ends.a, ends.peer, ends.b), (ends.peer, ends.b, ends.iut, ends.a)):
        for message in (b"one", b"", bytes(range(256))):
            data = base64.b64encode(message).decode()
            assert result(agent.request("send", socket=socket, data=data, wait_ms=WAIT_MS)) == {"length": len(message)}
        for message in (b"one", b"", bytes(range(256))):
            assert received(recv(other, theirs)) == message


def test_a_long_message_by_its_digest(ends: Ends) -> None:
    length = 1 << 20
    sent = ends.iut.request("send", socket=ends.a, pattern={"seed": 3, "length": length}, wait_ms=WAIT_MS)
    assert result(sent) == {"length": length}
    got = result(recv(ends.peer, ends.b, length=1 << 22, digest=True))
    assert got == {"length": length, "sha256": pattern_sha256(3, length)}


def test_nothing_to_receive(ends: Ends) -> None:
    for wait_ms in (0, 20):
        assert recv(ends.iut, ends.a, wait_ms=wait_ms).outcome is Outcome.TIMEOUT
        assert recv(ends.peer, ends.b, wait_ms=wait_ms).outcome is Outcome.TIMEOUT


def test_no_peeking_and_no_buffers(ends: Ends) -> None:
    for agent, socket in ((ends.iut, ends.a), (ends.peer, ends.b)):
        assert recv(agent, socket, flags=["PEEK"]).outcome is Outcome.UNSUPPORTED
        assert recv(agent, socket, length=0).outcome is Outcome.UNSUPPORTED


def test_a_posted_receive_takes_what_comes(ends: Ends) -> None:
    token = result(ends.iut.request("post_recv", socket=ends.a, length=1000))["token"]
    ends.peer.request("send", socket=ends.b, data="YWJj", wait_ms=WAIT_MS)
    assert ends.iut.wait_notice(5.0)
    (notice,) = ends.iut.take_notices()
    assert isinstance(notice, CompletionNotice)
    assert (notice.token, notice.result) == (token, {"length": 3, "data": "YWJj"})


def test_a_sender_whose_peer_does_not_read_is_told_so(ends: Ends) -> None:
    for agent, socket in ((ends.iut, ends.a), (ends.peer, ends.b)):
        for _ in range(4000):
            reply = agent.request("send", socket=socket, pattern={"seed": 0, "length": 16384}, wait_ms=0)
            if reply.outcome is Outcome.TIMEOUT:
                break
        assert reply.outcome is Outcome.TIMEOUT


# --- the last word ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason"), [(1000, ""), (1000, "é" * 61 + "x"), (1001, "x"), (3000, "a" * 123), (4999, "bye")]
)
@pytest.mark.parametrize("sender", ["iut", "peer"])
def test_code_and_reason_reach_the_other_end(ends: Ends, sender: str, code: int, reason: str) -> None:
    one, other = ((ends.iut, ends.a), (ends.peer, ends.b))[:: 1 if sender == "iut" else -1]
    assert result(one[0].request("send_disconnect", socket=one[1], data=close(code, reason))) == {}
    for _ in range(2):
        name, told_code = told(recv(*other))
        assert told_code == code
        assert name in ("ConnectionClosedOK" if code < 1002 else "ConnectionClosedError", "CloseConnection")
    fetched = other[0].request("recv_disconnect", socket=other[1], length=200)
    assert received(fetched) == base64.b64decode(close(code, reason))


def test_a_close_without_a_code_brings_no_data(library: Ends) -> None:
    result(library.peer.request("send_disconnect", socket=library.b))
    assert told(recv(library.iut, library.a)) == ("ConnectionClosedOK", 1005)
    fetch = library.iut.request("recv_disconnect", socket=library.a, length=200)
    assert result(fetch) == {"length": 0, "data": ""}


def test_nothing_is_fetched_of_an_open_connection(ends: Ends) -> None:
    for agent, socket in ((ends.iut, ends.a), (ends.peer, ends.b)):
        assert result(agent.request("recv_disconnect", socket=socket, length=200)) == {"length": 0, "data": ""}
        assert result(agent.request("recv_disconnect", socket=socket)) == {"length": 0}


def test_what_does_not_fit_is_not_cut(library: Ends) -> None:
    library.peer.request("send_disconnect", socket=library.b, data=close(1000, "four"))
    recv(library.iut, library.a)
    assert library.iut.request("recv_disconnect", socket=library.a, length=5).outcome is Outcome.UNSUPPORTED
    assert received(library.iut.request("recv_disconnect", socket=library.a, length=6))[2:] == b"four"


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (close(1000, "a" * 124), "control frame too long"),
        (close(1005), "invalid status code"),
        (close(1006), "invalid status code"),
        (close(1015), "invalid status code"),
    ],
)
def test_what_the_library_refuses_is_told_and_changes_nothing(library: Ends, data: str, detail: str) -> None:
    reply = library.iut.request("send_disconnect", socket=library.a, data=data)
    assert reply.error is not None
    assert (reply.error.name, reply.error.code, reply.error.detail) == ("ProtocolError", None, detail)
    library.iut.request("send", socket=library.a, data="YWJj", wait_ms=WAIT_MS)
    assert received(recv(library.peer, library.b)) == b"abc"


def test_what_no_call_can_say_is_unsupported(ends: Ends) -> None:
    for data in ("YQ==", base64.b64encode(b"\x03\xe8\xff").decode()):
        for agent, socket in ((ends.iut, ends.a), (ends.peer, ends.b)):
            assert agent.request("send_disconnect", socket=socket, data=data).outcome is Outcome.UNSUPPORTED


def test_wsproto_cuts_a_reason_and_replaces_a_code_by_itself(library: Ends) -> None:
    """It says so of itself: an agent makes the call, and hides nothing of what came of it."""
    result(library.peer.request("send_disconnect", socket=library.b, data=close(1000, "a" * 124)))
    recv(library.iut, library.a)
    assert received(library.iut.request("recv_disconnect", socket=library.a, length=200))[2:] == b"a" * 123


def test_the_end_comes_after_the_messages(ends: Ends) -> None:
    for _ in range(3):
        ends.iut.request("send", socket=ends.a, data="YWJj", wait_ms=WAIT_MS)
    result(ends.iut.request("close", socket=ends.a, wait_ms=WAIT_MS))
    assert [received(recv(ends.peer, ends.b)) for _ in range(3)] == [b"abc"] * 3
    assert told(recv(ends.peer, ends.b))[1] == 1000


def test_sends_after_the_end_are_refused(library: Ends) -> None:
    result(library.iut.request("send_disconnect", socket=library.a))
    name, code = told(library.iut.request("send", socket=library.a, data="YWJj", wait_ms=WAIT_MS))
    assert (name, code) == ("ConnectionClosedOK", 1000)
    assert told(library.peer.request("send", socket=library.b, data="YWJj", wait_ms=WAIT_MS))[0] == "LocalProtocolError"


# --- ends without a Close ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [0, 1, 5, 500])
@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
def test_tcp_ends_without_a_close(library: Ends, reset: bool, cut: int) -> None:
    result(library.peer.request("set_option", socket=library.b, name="CUT_FRAME", value=cut))
    library.peer.request("send", socket=library.b, pattern={"seed": 0, "length": 1000}, wait_ms=WAIT_MS)
    if reset:
        result(library.peer.request("set_linger", socket=library.b, on=True, seconds=0))
    result(library.peer.request("close", socket=library.b, wait_ms=WAIT_MS))
    for _ in range(2):
        assert told(recv(library.iut, library.a)) == ("ConnectionClosedError", 1006)
    fetch = library.iut.request("recv_disconnect", socket=library.a, length=200)
    assert result(fetch) == {"length": 0, "data": ""}


def test_the_peer_tells_of_an_end_without_a_close_too(library: Ends) -> None:
    library.iut.reset()
    name, code = told(recv(library.peer, library.b))
    assert (name, code) in (("CloseConnection", 1006), ("ECONNRESET", 104))


def test_a_close_that_is_not_answered_has_not_returned(library: Ends) -> None:
    result(library.peer.request("set_option", socket=library.b, name="CUT_FRAME", value=0))
    assert library.iut.request("close", socket=library.a, wait_ms=50).outcome is Outcome.TIMEOUT
    assert told(recv(library.peer, library.b))[1] == 1000


# --- the agent itself -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LIBRARIES)
def test_hello_says_what_the_profile_claims(agents: Callable[[str], Agent], name: str) -> None:
    from conformance.execution import profile

    hello, claimed = agents(name).hello, profile.find(name).statement
    assert (hello.family, hello.transport) == (claimed.family, claimed.transport)
    assert set(hello.service_flags) == set(claimed.service_flags)
    assert hello.limits.disconnect_data_max == claimed.limits.disconnect_data_max == 125
    assert hello.limits.message_max == claimed.limits.message_max
    assert hello.reads_ahead


def test_a_reset_wakes_whoever_waits(ends: Ends) -> None:
    for agent, socket in ((ends.iut, ends.a), (ends.peer, ends.b)):
        agent.submit("recv", socket=socket, length=10, wait_ms=60_000)
        agent.reset()
        assert "socket" in result(agent.request("socket", family="inet", kind="message"))


@pytest.mark.parametrize("name", LIBRARIES)
def test_only_messages_over_ip(agents: Callable[[str], Agent], name: str) -> None:
    agent = agents(name)
    assert agent.request("socket", family="inet", kind="stream").outcome is Outcome.UNSUPPORTED
    assert agent.request("socket", family="unix", kind="message").outcome is Outcome.UNSUPPORTED


@pytest.mark.parametrize("name", LIBRARIES)
def test_nobody_listens(agents: Callable[[str], Agent], name: str, unused_port: int) -> None:
    agent = agents(name)
    socket = result(agent.request("socket", family="inet", kind="message"))["socket"]
    address = {"family": "inet", "host": "127.0.0.1", "port": unused_port}
    assert told(agent.request("connect", socket=socket, address=address, wait_ms=WAIT_MS))[0] == "ECONNREFUSED"


@pytest.mark.parametrize("name", LIBRARIES)
def test_without_the_library_it_says_what_is_missing(tmp_path: Path, name: str) -> None:
    """`find_spec` finds no library where the search path holds none."""
    code = "import sys, importlib.util as u; find = u.find_spec\n"
    code += f"u.find_spec = lambda name, *rest: None if name in {LIBRARIES!r} else find(name, *rest)\n"
    code += f"import runpy; sys.argv = ['agent', '--library', {name!r}]\n"
    code += "runpy.run_module('conformance.agents.websocket', run_name='__main__')\n"
    script = tmp_path / "without.py"
    script.write_text(code)
    with pytest.raises(SomethingMissing) as problem:
        Agent.start(ProcessTransport(SubprocessLauncher(), [sys.executable, str(script)]))
    assert problem.value.why == f"the library {name} is not installed"
    assert problem.value.hint == "pip install 'shutdown-conformance[websocket]'"
