# SPDX-License-Identifier: MIT
"""The host of a provider's DLL, under Wine: what it says of DLLs that are wrong, its upcalls, what a crash costs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance import locations
from conformance.agents.checking import check_agent
from conformance.agents.client import Agent
from conformance.agents.launching import SubprocessLauncher
from conformance.agents.native import wine
from conformance.agents.native.building import build, silent
from conformance.agents.native.compilers import MINGW
from conformance.agents.native.storing import CannotHave
from conformance.agents.problems import AgentDied, AgentProblem, AgentSilent
from conformance.agents.protocol import EventNotice
from conformance.agents.transports import ProcessTransport

FLAGS = "GUARANTEED_DELIVERY,GUARANTEED_ORDER,GRACEFUL_CLOSE,MESSAGE_ORIENTED,PARTIAL_MESSAGE,DISCONNECT_DATA"
AS_REFERENCE = ["--flags", FLAGS, "--transport", "reference", "--disconnect-data-max", "512"]

Broken = Callable[[str], str]
Command = Callable[..., list[str]]


def on_drive(path: str | Path) -> str:
    """A path as programs under Wine see it."""
    return "Z:" + str(path).replace("/", "\\")


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Broken:
    """Compile a DLL with the fault of that name (see fixtures/agents/broken); its path."""
    compiler = shutil.which(MINGW)
    if compiler is None:
        pytest.skip("no cross compiler (mingw-w64)")
    directory = tmp_path_factory.mktemp("broken")

    def make(fault: str) -> str:
        made = directory / f"{fault.lower()}.dll"
        source = locations.agents() / "broken" / ("without_startup.c" if fault == "NO_STARTUP" else "broken.c")
        warnings = ["-Wall", "-Wextra", "-Werror"]
        if not made.exists():
            options = ["-std=c11", "-O1", *warnings, f"-DFAULT={fault}", "-shared", "-static"]
            subprocess.run([compiler, *options, str(source), "-o", str(made)], check=True)
        return str(made)

    return make


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """What starts the host with a DLL, on a wineserver of this module's own."""
    station = tmp_path_factory.mktemp("station")
    try:
        installed = wine.find_wine()
        program = build("winsock-spi")
        wine.make_template(installed, silent)
        prefix = wine.prefix_here(installed, str(station))
    except CannotHave as missing:
        pytest.skip(f"{missing}; {missing.hint}")
    environment = installed.environment(prefix, str(station))
    changed = [f"{name}={value}" for name, value in environment.items() if os.environ.get(name) != value]

    def make(dll: str, *options: str, inner: str = "") -> list[str]:
        inside = [f"INNER_PROVIDER={on_drive(inner)}"] if inner else []
        return ["env", *changed, *inside, installed.loader, program, on_drive(dll), *options]

    yield make
    for word in ("-k", "-w"):
        subprocess.run([installed.server, word], env=environment, check=False)


def started(command: list[str]) -> Agent:
    return Agent.start(ProcessTransport(SubprocessLauncher(), command))


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        ("NO_STARTUP", 69, "no_startup.dll: this DLL has no WSPStartup"),
        ("STARTUP_FAILS", 69, "WSPStartup failed: WSASYSNOTREADY (10091)"),
        ("OLD_VERSION", 69, "WSPStartup gave version 1.1 of the interface, where 2.2 was asked for"),
        ("STARTUP_CRASHES", 70, "access violation (0xC0000005) writing 0x0 in startup_crashes.dll+0x"),
    ],
)
def test_a_dll_that_cannot_be_started_up(command: Command, broken: Broken, fault: str, status: int, said: str) -> None:
    ended = subprocess.run(command(broken(fault)), input=b"", capture_output=True, timeout=60)
    assert ended.returncode == status
    first, *rest = ended.stderr.decode().splitlines()
    assert said in first
    assert len(rest) == (status == 69), "what is wrong, and what to do"


def test_what_is_no_dll(command: Command, tmp_path: Path) -> None:
    (tmp_path / "text.dll").write_text("not a DLL")
    for name, said in (("text.dll", "this is no DLL"), ("nothing.dll", "there is no such file")):
        ended = subprocess.run(command(str(tmp_path / name)), input=b"", capture_output=True, timeout=60)
        assert ended.returncode == 69
        assert said in ended.stderr.decode().splitlines()[0]


def test_a_null_entry_leaves_out_what_needs_it(command: Command, broken: Broken) -> None:
    with started(command(broken("NULL_ENTRY"))) as agent:
        assert "recv_disconnect" not in agent.hello.ops
        assert "send_disconnect" in agent.hello.ops
        reply = agent.request("recv_disconnect", socket=-1, length=4)
        assert reply.text == "the provider's table has no WSPRecvDisconnect (null entry)"
        assert "has no WSPRecvDisconnect (null entry)" in agent.stderr_tail()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("CRASHES", "access violation (0xC0000005) writing 0x0 in crashes.dll+0x"),
        ("CRASHES_IN_THREAD", "in a thread that makes no call"),
        ("OVERFLOWS", "stack overflow (0xC00000FD) in overflows.dll+0x"),
        ("DIVIDES", "integer division by zero (0xC0000094) in divides.dll+0x"),
        ("LEAPS", "access violation (0xC0000005) executing 0x0 in no module"),
        ("LEAVES", "the provider ended the process"),
        ("ABORTS", "the provider ended the process"),
    ],
)
def test_a_crash_is_told_by_name(command: Command, broken: Broken, fault: str, said: str) -> None:
    with started(command(broken(fault))) as agent:
        with pytest.raises(AgentDied) as died:
            agent.request("recv_disconnect", socket=-1, length=4)
        assert died.value.status == 70
        last = agent.stderr_tail().strip().splitlines()[-1]
    assert said in last
    assert fault == "CRASHES_IN_THREAD" or "during WSPRecvDisconnect" in last


def test_an_exception_that_the_dll_handles_is_its_own_affair(command: Command, broken: Broken) -> None:
    with started(command(broken("HANDLES"))) as agent:
        reply = agent.request("recv_disconnect", socket=-1, length=4)
        assert reply.error is not None and reply.error.name == "WSAENOTCONN"
        assert "crashed" not in agent.stderr_tail()
        agent.bye()


def test_a_hang_meets_the_deadline(command: Command, broken: Broken) -> None:
    with started(command(broken("HANGS"))) as agent, pytest.raises(AgentSilent):
        agent.request("recv_disconnect", socket=-1, length=4, deadline_s=1.0)


@pytest.fixture(scope="module")
def reference() -> str:
    try:
        return build("reference.dll")
    except CannotHave as missing:
        pytest.skip(f"{missing}; {missing.hint}")


def test_the_host_speaks_the_protocol(command: Command, reference: str) -> None:
    assert [check for check in check_agent(command(reference, *AS_REFERENCE)) if not check.ok] == []


def upcalls(agent: Agent) -> list[tuple[str, Any]]:
    return [(n.name, n.args) for n in agent.take_notices() if isinstance(n, EventNotice) and n.type == "UPCALL"]


def test_upcalls_are_told(command: Command, reference: str) -> None:
    with started(command(reference, *AS_REFERENCE)) as agent:
        for op, arguments in (("socket", {"family": "inet", "kind": "message"}), ("close", {"socket": 1})):
            assert agent.request(op, **arguments).result is not None
        told = upcalls(agent)
        names = [name for name, _ in told]
        assert names[0] == "WPUCreateSocketHandle"
        assert names[-1] == "WPUCloseSocketHandle"
        handles = {args["handle"] for _, args in told}
        assert len(handles) == 1
        (handle,) = handles
        assert handle % 4 == 0 and handle >= 0x10000000
        agent.request("socket", family="inet", kind="message")
        assert upcalls(agent)[0][1]["handle"] not in handles, "a handle is never given twice"


def test_startups_are_counted_and_reset_to_one(command: Command, reference: str) -> None:
    with started(command(reference, *AS_REFERENCE)) as agent:
        for op in ("startup", "startup", "cleanup", "cleanup", "cleanup"):
            assert agent.request(op).result is not None
        reply = agent.request("cleanup")
        assert reply.error is not None and reply.error.name == "WSANOTINITIALISED"
        agent.reset()
        assert agent.request("cleanup").result is not None
        reply = agent.request("cleanup")
        assert reply.error is not None


def test_a_dll_that_crashes_costs_the_cases_that_call_it(
    command: Command, broken: Broken, reference: str, tmp_path: Path
) -> None:
    """And not the run: the other cases are judged, and the run ends by itself."""
    flags = json.dumps(FLAGS.split(","))
    crashing = ["{python}", "-m", "conformance.agents.native", "winsock-spi", broken("CRASHES"), *AS_REFERENCE]
    profile = tmp_path / "crashing.toml"
    profile.write_text(
        f"""
[implementation]
name = "crashing"
[agent]
command = {json.dumps(["env", f"INNER_PROVIDER={on_drive(reference)}", *crashing])}
[statement]
family = "winsock-spi"
transport = "reference"
platform = "wine"
service_flags = {flags}
limits = {{ disconnect_data_max = 512 }}
[peer]
provider = "reference"
"""
    )
    report = tmp_path / "report"
    words = ["run", "--provider", str(profile), "-k", "test_fetch_twice or test_never_fetched", "--output", str(report)]
    ended = subprocess.run(
        [sys.executable, "-m", "conformance.cli", *words], capture_output=True, text=True, timeout=240
    )
    assert ended.returncode in (0, 1), ended.stdout + ended.stderr
    results = json.loads((report / "results.json").read_text())
    verdicts: dict[str, set[str]] = {"test_fetch_twice": set(), "test_never_fetched": set()}
    reasons = set()
    for requirement in results["providers"][0]["requirements"]:
        for case in requirement["cases"]:
            name = case["id"].split("::")[1].split("[")[0]
            verdicts[name].add(case["verdict"])
            reasons |= {finding["because"] for finding in case["findings"]}
    assert "error" in verdicts["test_fetch_twice"]
    assert "pass" in verdicts["test_never_fetched"] and "error" not in verdicts["test_never_fetched"]
    assert any("during WSPRecvDisconnect" in reason for reason in reasons)


def test_wrong_usage(command: Command) -> None:
    """An option that is not understood is named, with the usage."""
    for options, said in ((["--flags", "NO_SUCH"], "NO_SUCH"), (["--protocol", "x"], "not a number: x")):
        ended = subprocess.run(command("none.dll", *options), input=b"", capture_output=True, timeout=60)
        assert ended.returncode == 2
        assert said in ended.stderr.decode()
        assert "usage: winsock-spi DLL" in ended.stderr.decode()


def test_the_problem_names_the_remedy(command: Command, tmp_path: Path) -> None:
    with pytest.raises(AgentProblem) as problem:
        started(command(str(tmp_path / "nothing.dll")))
    assert "there is no such file" in str(problem.value)
    assert "give the path of the provider's DLL" in problem.value.hint
