# SPDX-License-Identifier: MIT
"""The QUIC agent, by both of aioquic's interfaces: each end by its frame, and what the library says of it."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conformance.agents.checking import check_agent
from conformance.agents.client import Agent
from conformance.agents.launching import SubprocessLauncher
from conformance.agents.problems import SomethingMissing
from conformance.agents.protocol import CompletionNotice, EventNotice, Reply
from conformance.agents.transports import ProcessTransport
from conformance.trace.events import Outcome
from conformance.trace.pattern import pattern_sha256

pytest.importorskip("aioquic")

APIS = ["events", "streams"]
WAIT_MS = 10_000
CODE, REASON = 0x1C0FFEE, "so long \u2014 and thanks"
LAST_WORD = CODE.to_bytes(8, "big") + REASON.encode()


def command(api: str) -> list[str]:
    return [sys.executable, "-m", "conformance.agents.quic", "--api", api]


def result(reply: Reply) -> dict[str, Any]:
    assert reply.result is not None, reply
    return reply.result


class Ends:
    """A connection between two agents: `iut` has socket `a`, and `peer`, by events, socket `b`."""

    def __init__(self, iut: Agent, peer: Agent, *, accepting: bool = False, idle_ms: int | None = None) -> None:
        self.iut, self.peer = iut, peer
        caller, listener = (peer, iut) if accepting else (iut, peer)
        listening = self.ask(listener, "socket", family="inet", kind="stream")["socket"]
        address = {"family": "inet", "host": "127.0.0.1", "port": 0}
        bound = self.ask(listener, "listen", socket=listening, address=address)["address"]
        if idle_ms is not None:
            self.ask(listener, "set_option", socket=listening, name="IDLE_TIMEOUT", value=idle_ms)
        calling = self.ask(caller, "socket", family="inet", kind="stream")["socket"]
        self.ask(caller, "connect", socket=calling, address=bound, wait_ms=WAIT_MS)
        accepted = self.ask(listener, "accept", socket=listening, wait_ms=WAIT_MS)["socket"]
        self.ask(listener, "close", socket=listening)
        self.a, self.b = (accepted, calling) if accepting else (calling, accepted)

    @staticmethod
    def ask(agent: Agent, op: str, **arguments: Any) -> dict[str, Any]:
        return result(agent.request(op, **arguments))

    def ours(self, op: str, **arguments: Any) -> Reply:
        return self.iut.request(op, socket=self.a, **arguments)

    def theirs(self, op: str, **arguments: Any) -> dict[str, Any]:
        return self.ask(self.peer, op, socket=self.b, **arguments)

    def recv(self, wait_ms: int = WAIT_MS, **arguments: Any) -> Reply:
        return self.ours("recv", length=100_000, wait_ms=wait_ms, **arguments)

    def notices(self, *, until: str) -> list[EventNotice]:
        """What the implementation's agent has told by itself, up to a notice of that type."""
        told: list[EventNotice] = []
        while until not in [notice.type for notice in told]:
            assert self.iut.wait_notice(WAIT_MS / 1000), f"no {until} after {told}"
            told += [notice for notice in self.iut.take_notices() if isinstance(notice, EventNotice)]
        return told


Join = Callable[..., Ends]


@pytest.fixture(scope="module")
def agents() -> Iterator[Callable[[str], tuple[Agent, Agent]]]:
    """An agent of that interface and its peer, started once and reset before each use."""
    running: dict[str, Agent] = {}

    def start(name: str) -> Agent:
        if name in running and not running[name].alive:
            running.pop(name).close()
        if name not in running:
            running[name] = Agent.start(
                ProcessTransport(SubprocessLauncher(), command(name.removeprefix("peer: "))), deadline_s=30.0
            )
        running[name].reset()
        return running[name]

    yield lambda api: (start(api), start("peer: events"))
    for agent in running.values():
        agent.close()


@pytest.fixture
def join(agents: Callable[[str], tuple[Agent, Agent]]) -> Join:
    return lambda api, **how: Ends(*agents(api), **how)


@pytest.mark.parametrize("api", APIS)
def test_it_speaks_the_protocol(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("checking._DEADLINE_S", "pairing.DEADLINE_S"):  # it takes the library a while to be loaded
        monkeypatch.setattr(f"conformance.agents.{module}", 60.0)
    assert [check for check in check_agent(command(api)) if not check.ok] == []


@pytest.mark.parametrize("api", APIS)
def test_it_says_what_it_is(api: str, join: Join) -> None:
    hello = join(api).iut.hello
    assert (hello.family, hello.transport, hello.reads_ahead) == ("runtime", "quic", True)
    assert "DISCONNECT_DATA" not in hello.service_flags
    assert ("recv_disconnect" in hello.ops) is (api == "events")


@pytest.mark.parametrize("accepting", [False, True], ids=["connecting", "accepting"])
@pytest.mark.parametrize("ending", ["shutdown", "close"])
@pytest.mark.parametrize("api", APIS)
def test_fin_is_told_as_the_end_each_time(api: str, ending: str, accepting: bool, join: Join) -> None:
    ends = join(api, accepting=accepting)
    ends.theirs("send", data=b"a\0b")
    ends.theirs(ending, **({"how": "send"} if ending == "shutdown" else {}))
    assert base64.b64decode(result(ends.recv())["data"]) == b"a\0b"
    for _ in range(2):
        assert result(ends.recv()) == {"length": 0, "data": ""}


@pytest.mark.parametrize("api", APIS)
def test_a_direction_lives_on_after_the_end_of_the_other(api: str, join: Join) -> None:
    ends = join(api)
    assert ends.ours("shutdown", how="send").outcome is Outcome.RESULT
    assert ends.theirs("recv", length=10, wait_ms=WAIT_MS)["length"] == 0
    ends.theirs("send", data=b"still here")
    assert result(ends.recv())["length"] == 10
    refused = ends.ours("send", data=b"x")
    assert refused.error is not None
    assert (refused.error.name, refused.error.detail) == ("RuntimeError", "Cannot send data after FIN")


@pytest.mark.parametrize("api", APIS)
def test_bulk_arrives_before_the_end(api: str, join: Join) -> None:
    ends = join(api)
    assert result(ends.ours("send", pattern={"seed": 7, "length": 200_000}))["length"] == 200_000
    assert ends.ours("close").outcome is Outcome.RESULT
    taken = 0
    while length := ends.theirs("recv", length=500, wait_ms=WAIT_MS)["length"]:
        taken += length
    assert taken == 200_000


def test_a_digest_instead_of_data(join: Join) -> None:
    ends = join("streams")
    ends.theirs("send", pattern={"seed": 1, "length": 500})
    assert result(ends.recv(digest=True)) == {"length": 500, "sha256": pattern_sha256(1, 500)}


# --- aborts -----------------------------------------------------------------------------------------------------------


def reset_by_the_peer(ends: Ends) -> None:
    ends.theirs("set_option", name="ERROR_CODE", value=42)
    ends.theirs("set_linger", on=True, seconds=0)
    ends.theirs("close")


def test_events_tell_of_a_reset_with_its_code(join: Join) -> None:
    ends = join("events")
    reset_by_the_peer(ends)
    for _ in range(2):
        error = ends.recv().error
        assert error is not None
        assert (error.name, error.code) == ("StreamReset", 42)
    assert [n.error.name for n in ends.notices(until="END") if n.error] == ["StreamReset"]


def test_streams_tell_nothing_of_a_reset(join: Join) -> None:
    """The library's own: its stream API has no ear for StreamReset."""
    ends = join("streams")
    reset_by_the_peer(ends)
    assert ends.recv(wait_ms=300).outcome is Outcome.TIMEOUT


def test_events_tell_who_wants_no_more(join: Join) -> None:
    ends = join("events")
    ends.theirs("set_option", name="ERROR_CODE", value=43)
    ends.theirs("shutdown", how="receive")
    stopped = ends.notices(until="UPCALL")[-1]
    assert (stopped.name, stopped.args) == ("StopSendingReceived", {"error_code": 43})
    refused = ends.ours("send", data=b"x").error
    assert refused is not None
    assert refused.detail == "Cannot send data after the stream was reset"
    ends.theirs("send", data=b"the other direction")
    assert result(ends.recv())["length"] == 19


@pytest.mark.parametrize("transport", [0, 1], ids=["application", "transport"])
def test_events_tell_of_a_closed_connection_with_code_and_reason(transport: int, join: Join) -> None:
    ends = join("events")
    assert ends.ours("recv_disconnect", length=100).outcome is Outcome.TIMEOUT
    ends.theirs("set_option", name="TRANSPORT_CLOSE", value=transport)
    ends.theirs("send_disconnect", data=LAST_WORD)
    error = ends.recv().error
    assert error is not None
    assert (error.name, error.code, error.detail) == ("ConnectionTerminated", CODE, REASON)
    assert base64.b64decode(result(ends.ours("recv_disconnect", length=100))["data"]) == LAST_WORD
    closed = ends.notices(until="CLOSED")[-1]
    assert closed.args == {"frame_type": 0 if transport else None, "reason_phrase": REASON}
    assert closed.error == error


def test_streams_tell_of_a_closed_connection_as_an_end(join: Join) -> None:
    """The library's own: its stream API ends every stream, and tells neither code nor reason."""
    ends = join("streams")
    ends.theirs("send_disconnect", data=LAST_WORD)
    assert result(ends.recv())["length"] == 0
    assert ends.notices(until="CLOSED")[-1].error is None


def test_streams_can_only_abort_the_connection(join: Join) -> None:
    ends = join("streams")
    assert ends.ours("set_linger", on=True, seconds=0).outcome is Outcome.RESULT
    assert ends.ours("close").outcome is Outcome.RESULT
    error = ends.peer.request("recv", socket=ends.b, length=10, wait_ms=WAIT_MS).error
    assert error is not None
    assert error.name == "ConnectionTerminated"


@pytest.mark.parametrize("accepting", [False, True], ids=["connecting", "accepting"])
def test_a_silent_peer_is_given_up(accepting: bool, join: Join) -> None:
    ends = join("events", accepting=accepting, idle_ms=300)
    ends.peer.kill()
    error = ends.recv().error
    assert error is not None
    assert (error.name, error.code, error.detail) == ("ConnectionTerminated", 1, "Idle timeout")


# --- what is posted, what waits, and what there is not ----------------------------------------------------------------


@pytest.mark.parametrize("api", APIS)
def test_a_posted_receive_ends_with_the_stream(api: str, join: Join) -> None:
    ends = join(api)
    token = result(ends.ours("post_recv", length=10))["token"]
    ends.theirs("shutdown", how="send")
    completions: list[CompletionNotice] = []
    while not completions:
        assert ends.iut.wait_notice(WAIT_MS / 1000)
        completions = [n for n in ends.iut.take_notices() if isinstance(n, CompletionNotice)]
    assert (completions[0].token, completions[0].result) == (token, {"length": 0, "data": ""})


@pytest.mark.parametrize("api", APIS)
def test_a_reset_ends_what_waits(api: str, join: Join) -> None:
    ends = join(api)
    ends.iut.submit("recv", socket=ends.a, length=10, wait_ms=60_000)
    result(ends.ours("post_recv", length=10))
    ends.iut.reset()
    error = ends.peer.request("recv", socket=ends.b, length=10, wait_ms=WAIT_MS).error
    assert error is not None
    assert error.name == "ConnectionTerminated"
    assert join(api).a


@pytest.mark.parametrize(
    ("op", "arguments"),
    [
        ("recv", {"length": 10, "flags": ["PEEK"]}),
        ("set_blocking", {"on": False}),
        ("set_linger", {"on": True, "seconds": 3}),
        ("set_option", {"name": "KEEPALIVE", "value": 1}),
        ("shutdown", {"how": 1}),
        ("connect", {"address": {"family": "inet", "host": "127.0.0.1", "port": 9}}),
        ("accept", {}),
    ],
)
@pytest.mark.parametrize("api", APIS)
def test_what_the_library_has_not(api: str, op: str, arguments: dict[str, Any], join: Join) -> None:
    assert join(api).ours(op, **arguments).outcome is Outcome.UNSUPPORTED


@pytest.mark.parametrize("how", ["receive", "both"])
def test_streams_cannot_stop_the_peer(how: str, join: Join) -> None:
    assert join("streams").ours("shutdown", how=how).outcome is Outcome.UNSUPPORTED


def test_there_is_no_stream_before_a_connection(agents: Callable[[str], tuple[Agent, Agent]]) -> None:
    iut, _ = agents("events")
    socket = result(iut.request("socket", family="inet", kind="stream"))["socket"]
    assert iut.request("shutdown", socket=socket, how="send").outcome is Outcome.UNSUPPORTED
    for family, kind in (("unix", "stream"), ("inet", "message")):
        assert iut.request("socket", family=family, kind=kind).outcome is Outcome.UNSUPPORTED


def test_nobody_there_takes_the_time_that_is_given(agents: Callable[[str], tuple[Agent, Agent]]) -> None:
    iut, _ = agents("events")
    socket = result(iut.request("socket", family="inet", kind="stream"))["socket"]
    nobody = {"family": "inet", "host": "127.0.0.1", "port": 9}
    assert iut.request("connect", socket=socket, address=nobody, wait_ms=50).outcome is Outcome.TIMEOUT


def test_without_the_library_it_says_what_is_missing() -> None:
    without = "import sys; sys.modules['aioquic'] = None; from conformance.agents.quic import __main__ as a; a.main([])"
    with pytest.raises(SomethingMissing) as caught:
        Agent.start(ProcessTransport(SubprocessLauncher(), [sys.executable, "-c", without]), deadline_s=30.0)
    assert caught.value.why == "the library aioquic is not installed"
    assert caught.value.hint == "pip install 'shutdown-conformance[quic]'"
    assert "Traceback" not in str(caught.value)


def test_its_usage_needs_no_library() -> None:
    without = "import sys; sys.modules['aioquic'] = None; from conformance.agents.quic import __main__ as a"
    ended = subprocess.run([sys.executable, "-c", f"{without}; a.main(['--help'])"], capture_output=True, text=True)
    assert ended.returncode == 0
    assert "--api events|streams" in ended.stdout
