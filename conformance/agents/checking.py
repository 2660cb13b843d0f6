# SPDX-License-Identifier: MIT
"""Does an agent speak the protocol? What a vendor asks before any case is run.

Two instances of the agent are led through small harmless scripts over the loopback (or a directory of
temporary files). A finding is about the agent: which message is wrong, why, and what to do. The implementation is not
judged here: an `error` is a good answer, as long as it is well said.
"""

from __future__ import annotations

import base64
import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from conformance.agents.client import Agent
from conformance.agents.launching import Launcher, SubprocessLauncher, status_text
from conformance.agents.operations import REQUESTS
from conformance.agents.pairing import DEADLINE_S as _DEADLINE_S
from conformance.agents.pairing import WAIT_MS as _WAIT_MS
from conformance.agents.pairing import CannotGoOn, Check, Pair, expect, need, said, title
from conformance.agents.problems import AgentProblem
from conformance.agents.protocol import Reply
from conformance.agents.telling import check_notices
from conformance.agents.transports import ProcessTransport, TcpTransport, Transport
from conformance.trace.events import Outcome
from conformance.trace.pattern import pattern_sha256

_SHORT_MS = 50
_CLOCK_SLACK_NS = 1_000_000_000
"""Coarse enough for any scheduler, fine enough to catch a wrong unit or a monotonic clock."""
_BULK = 65536 + 3
# fmt: off
_SERVICE_FLAGS = frozenset((
    "CONNECTIONLESS", "GUARANTEED_DELIVERY", "GUARANTEED_ORDER", "MESSAGE_ORIENTED", "PSEUDO_STREAM",
    "GRACEFUL_CLOSE", "EXPEDITED_DATA", "CONNECT_DATA", "DISCONNECT_DATA", "SUPPORT_BROADCAST", "SUPPORT_MULTIPOINT",
    "MULTIPOINT_CONTROL_PLANE", "MULTIPOINT_DATA_PLANE", "QOS_SUPPORTED", "INTERRUPT", "UNI_SEND", "UNI_RECV",
    "IFS_HANDLES", "PARTIAL_MESSAGE",
))
# fmt: on


def check_agent(command_or_url: Sequence[str] | str, launcher: Launcher | None = None) -> Iterator[Check]:
    """Yield findings on the agent of this command, or at this `tcp://host:port`, in the order in which they are made.

    `launcher` starts the command (default: on the host as it is).
    Never raises for what an agent does; an agent that never answers takes a few seconds for each part.
    """
    launcher = launcher or SubprocessLauncher()
    try:
        transport = _transport(command_or_url, launcher)
        with Agent.start(transport) as agent:  # it may have something to start itself: it has its full time
            yield Check("hello", True, f"{agent.hello.agent.name} on {agent.hello.implementation.name}")
            yield from _check_hello(agent)
    except AgentProblem as problem:
        yield _trouble("hello", problem)
        return
    parts: list[tuple[str, Callable[[Pair], Iterator[Check]]]] = [
        ("requests that cannot be carried out", _check_refusals),
        ("a connection", _check_connection),
        ("data", _check_data),
        ("sockets and options", _check_options),
        ("readiness and notices", check_notices),
        ("the end of a connection", _check_ends),
        ("disconnect data", _check_last_words),
        ("pipelining", _check_pipelining),
        ("reset", _check_reset),
        ("bye", _check_bye),
    ]
    for name, part in parts:
        try:
            with contextlib.ExitStack() as stack:
                directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="agent-"))
                one = stack.enter_context(Agent.start(transport, deadline_s=_DEADLINE_S))
                # An agent at an address may be able to serve one suite only: it is its own peer.
                alone = isinstance(transport, TcpTransport)
                other = one if alone else stack.enter_context(Agent.start(transport, deadline_s=_DEADLINE_S))
                yield from part(Pair(one, other, Path(directory)))
        except CannotGoOn as stop:
            yield Check(name, False, str(stop), "without this the rest of this part cannot be looked at")
        except AgentProblem as problem:
            yield _trouble(name, problem)
    if not isinstance(command_or_url, str):
        yield _check_end_of_input(command_or_url, launcher)


# --- the parts ------------------------------------------------------------------------------------------------------


def _check_hello(agent: Agent) -> Iterator[Check]:
    hello = agent.hello
    unknown = [op for op in hello.ops if op not in REQUESTS]
    yield Check(
        "hello: ops",
        bool(hello.ops) and not unknown,
        f"unknown: {', '.join(unknown)}" if unknown else f"{len(hello.ops)} operations",
        "list the operations that are supported, by the names of the protocol",
    )
    strange = [flag for flag in hello.service_flags if flag not in _SERVICE_FLAGS]
    yield Check(
        "hello: service_flags",
        not strange,
        f"unknown: {', '.join(strange)}" if strange else ", ".join(hello.service_flags) or "none",
        "the XP1_ names of WSAPROTOCOL_INFO without the prefix",
    )
    missing = [op for op in ("socket", "listen", "accept", "connect", "send", "recv", "close") if op not in hello.ops]
    yield Check(
        "hello: what every case needs",
        not missing,
        f"not in ops: {', '.join(missing)}" if missing else "all there",
        "no connection can be made without these",
    )


def _check_refusals(pair: Pair) -> Iterator[Check]:
    agent = pair.one
    reply = agent.request("make_tea", deadline_s=_DEADLINE_S)
    yield expect("an operation that does not exist", reply, Outcome.UNSUPPORTED)
    op = "get_error" if pair.has("get_error") else "close"
    reply = agent.request(op, deadline_s=_DEADLINE_S, socket=999_999)
    yield expect(f"`{op}` of a socket that never was", reply, Outcome.FAILURE)
    reply = agent.request(op, deadline_s=_DEADLINE_S, socket=-1)
    yield expect(f"`{op}` of socket -1", reply, Outcome.ERROR, Outcome.UNSUPPORTED)
    number = need(agent, "socket", family=pair.families[0], kind=pair.kind)["socket"]
    need(agent, "close", socket=number, wait_ms=0)
    reply = agent.request(op, deadline_s=_DEADLINE_S, socket=number)
    yield expect(f"`{op}` of a socket that is closed", reply, Outcome.ERROR, Outcome.RESULT, Outcome.UNSUPPORTED)


def _check_connection(pair: Pair) -> Iterator[Check]:
    for family in pair.families:
        for role, ends in (("calling", (pair.other, pair.one)), ("listening", (pair.one, pair.other))):
            name = f"connection over {family}, {role}"
            try:
                before = time.time_ns()
                accepted, caller = pair.connect(family, *ends)
            except CannotGoOn as stop:
                # A machine without IPv6 is no fault of the agent's.
                yield Check(
                    name, family != pair.families[0], str(stop), "socket, listen, connect, accept: in this order"
                )
                continue
            yield Check(name, True, "socket, listen, connect, accept")
            ours = caller if role == "calling" else accepted
            if pair.has("names"):
                reply = pair.one.request("names", deadline_s=_DEADLINE_S, socket=ours)
                yield expect(f"names over {family}, {role}", reply, Outcome.RESULT, Outcome.ERROR)
                yield _check_times(pair.one, reply, before)


def _check_times(agent: Agent, reply: Reply, before: int) -> Check:
    name = "call times"
    if agent.hello.clock == "foreign" or reply.call is None:
        return Check(name, True, "not compared: the clock is foreign, or there are none")
    early, late = reply.call[0] - before, reply.call[1] - time.time_ns()
    return Check(
        name,
        early > -_CLOCK_SLACK_NS and late < _CLOCK_SLACK_NS,
        f"the call came {early} ns after it was asked for and returned {-late} ns before its reply was read",
        'CLOCK_REALTIME in integer nanoseconds since 1970-01-01 UTC; on another machine say "clock":"foreign"',
    )


def _check_data(pair: Pair) -> Iterator[Check]:
    ours, theirs = pair.connection()
    text = b"\x00hello\xff\n"
    for sender, receiver, out, into in ((pair.one, pair.other, ours, theirs), (pair.other, pair.one, theirs, ours)):
        need(sender, "send", socket=out, data=text, wait_ms=_WAIT_MS)
        got = need(receiver, "recv", socket=into, length=100, wait_ms=_WAIT_MS)
        data = base64.b64decode(got.get("data", ""))
        yield Check(
            "data, there and back",
            data == text,
            f"{data!r} received for {text!r} sent",
            "`data` is base64 (RFC 4648 section 4); octets are passed on as they are",
        )
    yield from _check_pattern(pair, ours, theirs)
    reply = pair.one.request("recv", deadline_s=_DEADLINE_S, socket=ours, length=10, wait_ms=0)
    yield expect("`recv` of nothing, wait_ms 0", reply, Outcome.TIMEOUT, Outcome.ERROR)
    reply = pair.one.request("recv", deadline_s=_DEADLINE_S, socket=ours, length=10, wait_ms=_SHORT_MS)
    yield expect(f"`recv` of nothing, wait_ms {_SHORT_MS}", reply, Outcome.TIMEOUT, Outcome.ERROR)
    need(pair.other, "send", socket=theirs, data=b"12345", wait_ms=_WAIT_MS)
    peek = pair.one.request("recv", deadline_s=_DEADLINE_S, socket=ours, length=10, wait_ms=_WAIT_MS, flags=["PEEK"])
    yield expect("`recv` with PEEK", peek, Outcome.RESULT, Outcome.ERROR, Outcome.UNSUPPORTED)
    got = need(pair.one, "recv", socket=ours, length=10, wait_ms=_WAIT_MS)
    yield Check(
        "`recv` after PEEK",
        peek.outcome is not Outcome.RESULT or got["length"] == 5,
        f"{got['length']} octets after peeking at 5",
        "PEEK takes nothing out of the queue; answer `unsupported` where there is no such flag",
    )


def _check_pattern(pair: Pair, ours: int, theirs: int) -> Iterator[Check]:
    """A message goes as a whole; a stream may take and give it in pieces, and may wait for the reader."""
    wanted = 1000 if pair.kind == "message" else _BULK
    sent = need(pair.one, "send", socket=ours, pattern={"seed": 7, "length": wanted}, wait_ms=_SHORT_MS)["length"]
    got = need(pair.other, "recv", socket=theirs, length=sent, wait_ms=_WAIT_MS, digest=True)
    yield Check(
        "a pattern, and its digest",
        got.get("sha256") == pattern_sha256(7, got["length"]),
        f"{sent} octets sent, {got['length']} received, sha256 {got.get('sha256', 'missing')}",
        "octet i is (seed + i + (i >> 8)) & 0xff; digest: true asks for the SHA-256 of what was received",
    )
    rest = sent - got["length"]
    while rest > 0:
        rest -= need(pair.other, "recv", socket=theirs, length=rest, wait_ms=_WAIT_MS, digest=True)["length"] or rest


def _check_options(pair: Pair) -> Iterator[Check]:
    ours, _ = pair.connection()
    scripts: list[tuple[str, dict[str, Any]]] = [
        ("set_linger", {"on": True, "seconds": 3}),
        ("get_linger", {}),
        ("set_linger", {"on": False, "seconds": 0}),
        ("set_option", {"name": "KEEPALIVE", "value": 1}),
        ("set_blocking", {"on": False}),
        ("set_blocking", {"on": True}),
        ("get_error", {}),
        ("duplicate", {}),
    ]
    for op, arguments in scripts:
        if pair.has(op):
            reply = pair.one.request(op, deadline_s=_DEADLINE_S, socket=ours, **arguments)
            yield expect(title(op, arguments), reply, Outcome.RESULT, Outcome.ERROR, Outcome.UNSUPPORTED)
    if pair.has("set_option"):
        reply = pair.one.request("set_option", deadline_s=_DEADLINE_S, socket=ours, name="NO_SUCH_OPTION", value=1)
        yield expect("`set_option` of an option that does not exist", reply, Outcome.UNSUPPORTED, Outcome.ERROR)


def _check_ends(pair: Pair) -> Iterator[Check]:
    ours, theirs = pair.connection()
    for op, arguments in (
        ("send_disconnect", {"unreadable": True}),
        ("send_disconnect", {}),
        ("recv_disconnect", {"length": 64}),
        ("shutdown", {"how": "send"}),
        ("shutdown", {"how": 99}),
        ("disconnect_ex", {"reuse": False}),
    ):
        if pair.has(op):
            reply = pair.one.request(op, deadline_s=_DEADLINE_S, socket=ours, **arguments)
            known = [Outcome.RESULT, Outcome.ERROR, Outcome.UNSUPPORTED]
            if op in ("recv_disconnect", "disconnect_ex"):
                known.append(Outcome.TIMEOUT)  # nothing may have come
            yield expect(title(op, arguments), reply, *known)
    need(pair.other, "close", socket=theirs, wait_ms=_WAIT_MS)
    reply = pair.one.request("recv", deadline_s=_DEADLINE_S, socket=ours, length=10, wait_ms=_WAIT_MS)
    yield expect("`recv` after the peer has closed", reply, Outcome.RESULT, Outcome.ERROR)
    reply = pair.one.request("close", deadline_s=_DEADLINE_S, socket=ours, wait_ms=_WAIT_MS)
    yield expect("`close`", reply, Outcome.RESULT, Outcome.ERROR)


def _check_last_words(pair: Pair) -> Iterator[Check]:
    """Each way in turn, as the two halves of an exchange, where the provider says that it carries disconnect data."""
    if not (pair.has("send_disconnect") and pair.has("recv_disconnect")):
        return
    if "DISCONNECT_DATA" not in pair.one.hello.service_flags:
        return
    ours, theirs = pair.connection()
    word = b"\x00bye\xff"
    for sender, receiver, out, into in ((pair.one, pair.other, ours, theirs), (pair.other, pair.one, theirs, ours)):
        reply = sender.request("send_disconnect", deadline_s=_DEADLINE_S, socket=out, data=word)
        yield expect("`send_disconnect` with data", reply, Outcome.RESULT, Outcome.ERROR)
        if reply.outcome is not Outcome.RESULT:
            continue  # not every transport carries any octets, or an answer
        # Zero bytes or an error of its own (WSAEDISCON), by the kind of protocol.
        end = receiver.request("recv", deadline_s=_DEADLINE_S, socket=into, length=10, wait_ms=_WAIT_MS)
        yield expect("`recv` after `send_disconnect`", end, Outcome.RESULT, Outcome.ERROR)
        fetched = receiver.request("recv_disconnect", deadline_s=_DEADLINE_S, socket=into, length=64)
        data = base64.b64decode((fetched.result or {}).get("data", ""))
        yield Check(
            "disconnect data",
            data == word,
            f"{data!r} fetched for {word!r} sent" if fetched.result else f"fetching: {said(fetched)}",
            "`recv_disconnect` answers like `recv`: length and base64; or do not claim DISCONNECT_DATA",
        )


def _check_pipelining(pair: Pair) -> Iterator[Check]:
    agent = pair.one
    ours, theirs = pair.connection()
    requests = [agent.submit("recv", socket=ours, length=1, wait_ms=0) for _ in range(5)]
    for request in requests:
        agent.reply(request, deadline_s=_DEADLINE_S)
    yield Check("five requests at once", True, "each answered once")
    if not agent.hello.concurrent:
        return
    blocked = agent.submit("recv", socket=ours, length=10, wait_ms=3 * _WAIT_MS)
    meanwhile = agent.submit("recv", socket=ours, length=0, wait_ms=0) if not pair.has("get_error") else None
    if meanwhile is None:
        meanwhile = agent.submit("get_error", socket=ours)
    agent.reply(meanwhile, deadline_s=_DEADLINE_S)
    yield Check("an answer while another call blocks", True, "as `concurrent` says")
    need(pair.other, "send", socket=theirs, data=b"x", wait_ms=_WAIT_MS)
    reply = agent.reply(blocked, deadline_s=3 * _DEADLINE_S)
    yield expect("the call that blocked", reply, Outcome.RESULT, Outcome.ERROR)


def _check_reset(pair: Pair) -> Iterator[Check]:
    ours, theirs = pair.connection()
    pair.one.reset(deadline_s=_DEADLINE_S)
    yield Check("reset", True, "answered with a result")
    if pair.other is not pair.one:
        reply = pair.other.request("recv", deadline_s=_DEADLINE_S, socket=theirs, length=10, wait_ms=_WAIT_MS)
        yield expect("the other end of a connection that was reset", reply, Outcome.RESULT, Outcome.ERROR)
    reply = pair.one.request("recv", deadline_s=_DEADLINE_S, socket=ours, length=10, wait_ms=0)
    yield expect("a socket from before the reset", reply, Outcome.FAILURE)
    pair.connection()
    yield Check("a connection after reset", True, "made")


def _check_bye(pair: Pair) -> Iterator[Check]:
    pair.one.bye(deadline_s=_DEADLINE_S)
    yield Check("bye", True, "answered, then ended with nothing more said")


def _check_end_of_input(command: Sequence[str], launcher: Launcher) -> Check:
    name = "end of file on standard input"
    hint = "end of file on standard input means `bye`: exit with status 0"
    try:
        process = launcher.launch(command)
    except AgentProblem as problem:
        return _trouble(name, problem)
    try:
        with Path(os.devnull).open("wb") as nothing:
            os.dup2(nothing.fileno(), process.stdin)  # closes the pipe, and keeps the number for close()
        status = process.wait(_DEADLINE_S)
    finally:
        process.close()
    return Check(name, status == 0, status_text(status), hint)


# --- helpers --------------------------------------------------------------------------------------------------------


def _transport(command_or_url: Sequence[str] | str, launcher: Launcher) -> Transport:
    if isinstance(command_or_url, str):
        return TcpTransport(command_or_url)
    return ProcessTransport(launcher, command_or_url)


def _trouble(name: str, problem: AgentProblem) -> Check:
    detail = problem.why + (f"\nline: {problem.line}" if problem.line else "")
    if problem.stderr.strip():
        detail += f"\nstandard error ends: {problem.stderr.strip()[-500:]}"
    return Check(name, False, detail, problem.hint)
