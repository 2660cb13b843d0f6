# SPDX-License-Identifier: MIT
"""What the harness adds to a case in a run: the CPU time of `run`, per case, against bare loops in one process.

    python benchmarks/run_cost.py --provider kernel-tcp

A run is the command as users give it, with all its processes: pytest, the harness, its custodian and the agents, their
start included. It is measured in CPU time (user and system) and not by the clock, so that what else the machine does
disturbs little. A bare loop connects, sends, shuts down and reads over plain sockets. What cases
pay for, whatever their stimulus, is measured against the same loop: an agent's start, a request to it, a capture.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.case_cost import bare_cycle
from conformance.agents.client import Agent
from conformance.agents.transports import ProcessTransport
from conformance.execution import profile
from conformance.reporting.results import load
from conformance.trace import pcapng
from conformance.trace.frames import Frame
from conformance.wire.topology import open_topology

BARE_LOOPS = 2000
AGENTS = 20
REQUESTS = 2000
FILES = 200
FRAMES = 12
"""Packets of a short connection."""


def cpu_s() -> float:
    """Seconds of CPU time of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def cost_ms(work: Callable[[], object], count: int) -> float:
    """Milliseconds of CPU time that the work took, for each of `count`."""
    before = cpu_s()
    work()
    return (cpu_s() - before) * 1000 / count


def run_ms(words: list[str]) -> tuple[float, int]:
    """Milliseconds of CPU time per case of a run, and how many cases it had."""
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "conformance.cli", "run", "--output", directory, *words]

        def run() -> None:
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)

        whole = cost_ms(run, 1)
        count = load(Path(directory) / "results.json").cases.finished
    return whole / count, count


def run_bare_loops() -> None:
    """Connect, send, shut down and read without a harness, again and again."""
    for _ in range(BARE_LOOPS):
        bare_cycle()


def start_and_end_agents() -> None:
    """Start agents one after the other, as a run does, and end them."""
    command = profile.find("kernel-tcp").agent.argv
    with open_topology("host") as topology:
        for _ in range(AGENTS):
            Agent.start(ProcessTransport(topology.iut, command)).close()


def ask_an_agent() -> None:
    """Make requests that cost the implementation nothing, one after the other."""
    command = profile.find("kernel-tcp").agent.argv
    with open_topology("host") as topology, Agent.start(ProcessTransport(topology.iut, command)) as agent:
        for _ in range(REQUESTS):
            agent.request("get_linger", socket=-1)


def write_captures() -> None:
    """Write the frames of a short connection, again and again."""
    frames = [Frame(at=time.time_ns(), data=bytes(60), length=60) for _ in range(FRAMES)]
    with tempfile.TemporaryDirectory() as directory:
        for number in range(FILES):
            pcapng.write(Path(directory) / f"{number}.pcapng", frames, comment="benchmark", interface="loopback")


def main() -> None:
    """Measure each in turn, and print what it costs as a multiple of the bare loop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    _, words = parser.parse_known_args()
    bare = cost_ms(run_bare_loops, BARE_LOOPS)
    print(f"bare loop: {bare:.3f} ms of CPU time; all else as multiples of it")
    whole, count = run_ms(words)
    print(f"a case of a run of {count}: {whole / bare:.1f} ({whole:.2f} ms)")
    print(f"starting and ending an agent: {cost_ms(start_and_end_agents, AGENTS) / bare:.1f}")
    print(f"a request to an agent, both sides: {cost_ms(ask_an_agent, REQUESTS) / bare:.2f}")
    print(f"writing a capture of {FRAMES} packets: {cost_ms(write_captures, FILES) / bare:.2f}")


if __name__ == "__main__":
    main()
