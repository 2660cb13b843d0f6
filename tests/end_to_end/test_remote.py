# SPDX-License-Identifier: MIT
"""Another machine, made of two namespaces: an agent that listens there, a link under test, and one for control."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from conformance import locations
from conformance.agents.native.building import build, silent
from conformance.agents.native.storing import CannotHave
from conformance.agents.native.wine import find_wine, make_template
from conformance.execution.mutation import find_all
from conformance.oracle.results import CaseResult, judge_case
from conformance.oracle.verdicts import Verdict
from conformance.trace import store
from conformance.trace.events import Noted, Segment
from conformance.wire.errors import CustodianRefused
from tests.end_to_end.conftest import verdicts
from tests.wire.far import FAR, FAR_CONTROL, INTERFACE, NEAR, TwoMachines, first_line

PROFILE = """
[implementation]
name = "{name}"
[agent]
connect = "tcp://{control}:7007"
[statement]
family = "{family}"
transport = "tcp"
platform = "{platform}"
service_flags = ["GUARANTEED_DELIVERY", "GUARANTEED_ORDER", "GRACEFUL_CLOSE"]
features = ["RFC5961"]
[peer]
provider = "kernel-tcp"
[remote]
interface = "{interface}"
address = "{far}"
peer_address = "{near}"
"""
HERE = Path(__file__).parent
ANOTHER_CLOCK = """
import runpy, sys, time
now = time.time_ns
time.time_ns = lambda: now() + 10**14
runpy.run_module("conformance.agents.kernel", run_name="__main__", alter_sys=True)
"""
LIMIT_S = 120.0


class Bench:
    """The two machines, and a directory for profiles and reports."""

    def __init__(self, machines: TwoMachines, directory: Path) -> None:
        self.machines, self.directory = machines, directory

    def listen(self, *command: str) -> None:
        """Start an agent at the other machine."""
        assert "listening" in first_line(self.machines.start(self.machines.far, [sys.executable, *command]))

    def profile(self, name: str = "far", control: str = FAR_CONTROL, **values: str) -> str:
        """Write the profile of the other machine; its path."""
        path = self.directory / f"{name}.toml"
        given = {"family": "posix", "platform": "linux", "interface": INTERFACE, "far": FAR, "near": NEAR} | values
        path.write_text(PROFILE.format(name=name, control=control, **given))
        return str(path)

    def command(self, *words: str) -> tuple[int | None, str, str]:
        """Run a command of the suite at our machine: status, standard output, standard error."""
        return self.machines.run([sys.executable, "-m", "conformance.cli", *words], LIMIT_S)

    def run(self, *words: str, name: str = "far") -> tuple[int | None, str, str]:
        """`run` with a report in this test's directory."""
        report = str(self.directory / "report")
        return self.command("run", "--provider", str(self.directory / f"{name}.toml"), "--output", report, *words)

    def cases(self, name: str = "far") -> dict[str, CaseResult]:
        """Every case of the report, judged again from its evidence."""
        traces = sorted((self.directory / "report" / "evidence" / name).glob("*.jsonl"))
        return {result.id: result for result in (judge_case(store.load(path)) for path in traces)}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.chdir(tmp_path)
    with ExitStack() as held:
        try:
            machines = TwoMachines(held)
        except CustodianRefused as problem:
            pytest.skip(f"{problem.why}: {problem.hint}")
        yield Bench(machines, tmp_path)


def listening_kernel(*options: str) -> tuple[str, ...]:
    return ("-c", ANOTHER_CLOCK, "--transport", "tcp", "--listen", "0.0.0.0:7007", *options)


def test_the_kernel_of_another_machine_with_another_clock(bench: Bench) -> None:
    bench.listen(*listening_kernel())
    bench.profile()
    status, said, problems = bench.run()
    assert status == 0, said + problems
    found = verdicts(bench.directory / "report")["far"]
    assert "fail" not in found.values()
    undecided = {identity for identity, verdict in found.items() if verdict == "inconclusive"}
    assert all(identity.startswith("WIRE-") for identity in undecided)
    assert "its agent has another clock" in said
    cases = bench.cases()
    assert len(cases) > 150
    reasons = [
        f"{case.id}: {finding.requirement}: {finding.because}"
        for case in cases.values()
        if case.verdict is Verdict.INCONCLUSIVE
        for finding in case.findings
        if finding.outcome == "undetermined"
    ]
    known = ("the topology wire is not available", "sent something twice", "on their way", "to make a connection")
    assert [reason for reason in reasons if not any(part in reason for part in known)] == []


def test_winsock_on_another_machine(bench: Bench) -> None:
    """Windows, as far as it can be had here: the agent on the WSA calls under Wine, listening at the other machine."""
    try:
        make_template(find_wine(), silent)
        build("winsock-api", say=silent)
    except CannotHave as problem:
        pytest.skip(f"{problem}: {problem.hint}")
    bench.listen("-m", "conformance.agents.native", "winsock-api", "--listen", "0.0.0.0:7007")
    claims = {"family": "winsock-api", "platform": "wine"}
    bench.profile(**claims)
    status, said, problems = bench.run("-k", "half_close or shutdown_on_an_idle_connection or peer_ends or peer_aborts")
    assert status == 1, said + problems
    found = verdicts(bench.directory / "report")["far"]
    for identity in ("INIT-SHUT-01", "INIT-SHUT-05", "IND-STREAM-01", "IND-STREAM-02", "IND-FDC-01"):
        assert found[identity] == "pass"
    assert found["IND-ABORT-01"] == "fail"  # Wine's own, as on every topology
    assert "error" not in found.values()


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="there is no setpriv, which takes a capability away")
def test_a_link_that_may_not_be_captured(bench: Bench) -> None:
    """What only segments show is inconclusive, and nothing fails for the lack of them."""
    bench.listen(*listening_kernel())
    report = ("--output", str(bench.directory / "report"))
    without = ("setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw")
    command = [*without, sys.executable, "-m", "conformance.cli", "run", "--provider", bench.profile(), *report]
    status, said, problems = bench.machines.run([*command, "-k", "stream_end or close"], LIMIT_S)
    if "setpriv:" in problems:
        pytest.skip(problems)
    assert status == 0, said + problems
    found = verdicts(bench.directory / "report")["far"]
    assert (found["IND-STREAM-01"], found["WIRE-FIN-01"]) == ("pass", "inconclusive")
    assert "it needs CAP_NET_RAW" in " ".join(said.split())


def test_the_evidence_says_where_its_times_are_from(bench: Bench) -> None:
    bench.listen(*listening_kernel())
    bench.profile()
    status, said, problems = bench.run("-k", "shutdown_on_an_idle_connection")
    assert status == 0, said + problems
    trace = store.load(next((bench.directory / "report" / "evidence" / "far").glob("*.jsonl")))
    header = trace.header
    assert (header.topology, header.foreign_clock, header.wire) == ("remote", True, True)
    assert header.settle_ns > header.latency_ns > 0
    segments = [event for event in trace.events if isinstance(event, Segment)]
    assert {segment.sender for segment in segments} == {"iut", "peer"}
    assert not [event for event in trace.events if isinstance(event, Noted) and "control" in event.what]
    calls = [event for event in trace.events if getattr(event, "own", None) is not None]
    assert calls
    assert all(abs(event.own - event.at - 10**14) < 10**9 for event in calls)  # type: ignore[union-attr,operator]
    _, said, _ = bench.command("explain", header.case, "--results", "report")
    assert "the IUT's agent has another clock" in said


@pytest.mark.parametrize(
    ("rule", "keyword", "requirement"),
    [
        ("reset_told_as_end", "peer_aborts", "IND-ABORT-02"),
        ("end_not_told", "end_comes_after_the_data_was_read and blocking", "IND-STREAM-01"),
        ("last_byte_lost", "end_comes_after_the_data_was_read and blocking", "IND-STREAM-02"),
        ("shutdown_ignored", "shutdown_on_an_idle_connection", "INIT-SHUT-01"),
        ("hard_close_is_graceful", "hard_close", "INIT-CLOSE-03"),
    ],
)
def test_a_mutant_on_another_machine_is_caught(bench: Bench, rule: str, keyword: str, requirement: str) -> None:
    mutating = (sys.executable, "-m", "conformance.agents.mutating")
    file = next(mutant.file for mutant in find_all(locations.mutants()) if mutant.name == rule)
    elsewhere = (*mutating, str(HERE / "misbehaving.py"), "on_another_clock", "--")
    kernel = (sys.executable, "-m", "conformance.agents.kernel", "--transport", "tcp")
    bench.listen(str(HERE / "served.py"), "0.0.0.0:7007", *elsewhere, *mutating, file, rule, "--", *kernel)
    bench.profile()
    status, said, problems = bench.run("-k", keyword)
    assert status == 1, said + problems
    assert verdicts(bench.directory / "report")["far"][requirement] == "fail"


def test_a_process_elsewhere_is_not_killed(bench: Bench) -> None:
    bench.listen(*listening_kernel())
    bench.profile()
    bench.run("-k", "death")
    cases = bench.cases()
    assert cases
    for case in cases.values():
        for finding in case.findings:
            assert finding.outcome != "violated", finding


def test_the_suite_goes_on_where_the_other_machine_is_gone(bench: Bench) -> None:
    """No answer, no end of the connection: the machine is there, and its agent is stopped."""
    import os
    import signal

    agent = bench.machines.start(bench.machines.far, [sys.executable, *listening_kernel()])
    first_line(agent)
    os.kill(agent.pid, signal.SIGSTOP)  # the kernel still accepts connections
    bench.profile()
    status, said, problems = bench.run("-k", "shutdown_on_an_idle_connection")
    assert status == 3, said + problems
    assert "no reply to `hello`" in said


def test_where_the_control_connection_shares_the_link_it_is_said(bench: Bench) -> None:
    bench.listen(*listening_kernel())
    bench.profile(control=FAR)
    status, said, problems = bench.run("-k", "shutdown_on_an_idle_connection")
    assert status == 0, said + problems
    assert "its agent is reached over the link that is tested" in problems
    trace = store.load(next((bench.directory / "report" / "evidence" / "far").glob("*.jsonl")))
    assert [event for event in trace.events if isinstance(event, Noted) and event.what.startswith("the control")]
    ports = {s.destination_port for s in trace.events if isinstance(s, Segment)}
    assert 7007 not in ports


def test_another_machine_and_this_one_in_one_run(bench: Bench) -> None:
    bench.listen(*listening_kernel())
    bench.profile()
    status, said, problems = bench.run("--provider", "kernel-tcp", "-k", "shutdown_on_an_idle_connection")
    assert status == 0, said + problems
    found = verdicts(bench.directory / "report")
    assert (found["far"]["INIT-SHUT-01"], found["kernel-tcp"]["INIT-SHUT-01"]) == ("pass", "pass")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"interface": "eth9"}, "this machine has no interface 'eth9'"),
        ({"near": "192.0.2.99"}, "no interface of this machine has the address 192.0.2.99"),
    ],
)
def test_a_link_that_is_not_there(bench: Bench, values: dict[str, str], says: str) -> None:
    bench.listen(*listening_kernel())
    bench.profile(**values)
    status, said, problems = bench.run("-k", "shutdown_on_an_idle_connection")
    assert status == 3, said + problems
    assert says in " ".join(said.split())


def test_other_commands_reach_the_other_machine(bench: Bench) -> None:
    bench.listen(*listening_kernel())
    status, said, _ = bench.command("providers", bench.profile())
    assert status == 0
    assert "ready" in said.split("topology")[0]
    assert "NOT READY" not in said.split("topology")[0]
    assert "its link can be captured" in said
    _, said, _ = bench.command("providers", bench.profile(interface="eth9"))
    assert "no interface 'eth9'" in " ".join(said.split())
    status, said, problems = bench.command("check-agent", f"tcp://{FAR_CONTROL}:7007")
    assert status == 0, said + problems


def test_without_a_link_there_is_no_remote(bench: Bench) -> None:
    status, said, problems = bench.command("run", "--provider", "kernel-tcp", "--topology", "remote", "-k", "peek")
    assert status == 3, said + problems
    assert "[remote]" in said
