# SPDX-License-Identifier: MIT
"""`check_agent` accepts a good agent, and tells the maker of a bad one which message is wrong, and why."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from conformance.agents import checking
from conformance.agents.checking import check_agent
from conformance.agents.pairing import Check

KERNEL = [sys.executable, "-m", "conformance.agents.kernel", "--transport"]
REFERENCE = [sys.executable, "-m", "conformance.agents.reference"]


def bad(checks: list[Check]) -> list[Check]:
    return [check for check in checks if not check.ok]


@pytest.mark.parametrize("transport", ["tcp", "unix-stream", "unix-seqpacket"])
def test_the_kernel_agent_speaks_the_protocol(transport: str) -> None:
    checks = list(check_agent([*KERNEL, transport]))
    assert bad(checks) == []
    assert len(checks) > 30


@pytest.mark.parametrize("form", ["message", "pseudo-stream", "stream"])
def test_disconnect_data_is_looked_at_where_it_is_claimed(form: str) -> None:
    checks = list(check_agent([*REFERENCE, "--form", form]))
    assert bad(checks) == []
    assert [check.ok for check in checks if check.name == "disconnect data"] == [True, True]


def test_disconnect_data_that_is_lost() -> None:
    command = [
        sys.executable,
        "-c",
        "from conformance.agents.reference import association as a\n"
        "release = a.Association.release\n"
        "a.Association.release = lambda self, data=None: release(self)\n"
        "from conformance.agents.reference.__main__ import main; main([])",
    ]
    found = bad(list(check_agent(command)))
    assert {check.name for check in found} == {"disconnect data"}
    assert "do not claim DISCONNECT_DATA" in found[0].hint


def test_the_kernel_agent_over_tcp(unused_port: int) -> None:
    command = [*KERNEL, "tcp", "--listen", f"127.0.0.1:{unused_port}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr
            process.stderr.readline()
            assert bad(list(check_agent(f"tcp://127.0.0.1:{unused_port}"))) == []
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["/nowhere/agent"], "no such program"),
        ([], "empty"),
        ("tcp://nonsense", "not an address"),
        (["true"], "ended (exit status 0)"),
        (["echo", "ready."], "not JSON"),
    ],
)
def test_what_is_no_agent(command: list[str] | str, says: str) -> None:
    (check,) = check_agent(command)
    assert not check.ok
    assert says in check.detail
    assert check.hint


def test_the_offending_line_is_shown() -> None:
    (check,) = check_agent(["echo", '{"id":"0","result":{}}'])
    assert "Expected `int`, got `str` - at `$.id`" in check.detail
    assert '{"id":"0","result":{}}' in check.detail


@pytest.mark.parametrize(
    ("body", "name", "says"),
    [
        ("hello(ops=['socket', 'sockte'])", "hello: ops", "sockte"),
        ("hello(service_flags=['XP1_GRACEFUL_CLOSE'])", "hello: service_flags", "XP1_GRACEFUL_CLOSE"),
        ("hello()\nfor r in asked: answer(r, failure='?')", "an operation that does not exist", "failure"),
        ("hello()\nfor r in asked: answer(r, unsupported='?')", "connection over inet, calling", "unsupported"),
        ("hello()\nfor r in asked: answer(r, result={}, call=[1])", "reset", "$.call"),
        ("hello()\nfor r in asked: answer(r, result={})\nsay('bye!')", "a connection", "`socket` has no `call`"),
        ("hello()\nfor r in asked: sys.exit(r['op'] == 'bye')", "bye", "exit status 1"),
    ],
)
def test_an_agent_with_a_mistake(fake: Any, body: str, name: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_DEADLINE_S", 1.0)
    found = {check.name: check for check in check_agent(fake(body + "\n")) if not check.ok}
    assert any(name in key and says in check.detail for key, check in found.items()), found


def test_times_of_another_clock(fake: Any) -> None:
    # The kernel agent, but for its clock.
    command = [
        sys.executable,
        "-c",
        "import sys, time; time.time_ns = time.monotonic_ns\n"
        "from conformance.agents.kernel.__main__ import main; main(['--transport', 'tcp'])",
    ]
    found = bad(list(check_agent(command)))
    assert {check.name for check in found} == {"call times"}
    assert "CLOCK_REALTIME" in found[0].hint


def test_an_agent_that_says_concurrent_and_is_not(fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_DEADLINE_S", 0.5)
    command = [
        sys.executable,
        "-c",
        "from conformance.agents.kernel.calls import Calls; Calls.may_block = lambda *_: False\n"
        "from conformance.agents.kernel.__main__ import main; main(['--transport', 'tcp'])",
    ]
    found = {check.name: check for check in bad(list(check_agent(command)))}
    assert "no reply to `get_error`" in found["pipelining"].detail


def test_an_agent_that_never_answers(fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_DEADLINE_S", 0.2)
    (check,) = check_agent(fake("for r in asked: pass\n"))
    assert "no reply to `hello`" in check.detail
