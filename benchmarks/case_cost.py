# SPDX-License-Identifier: MIT
"""What the harness adds to a case: the whole of a case against a bare Python loop that does the same cycle.

    python benchmarks/case_cost.py --cases 300

A case is: lend two live agents, connect, send 1,460 bytes, end, read to the end and twice past it, flush the capture,
make the trace, write the evidence, judge it with every judge. The bare loop connects, sends, shuts down and reads in
one process. Both run in turn in one process, so what is shown is a ratio; medians in milliseconds stand beside it.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from conformance.execution import planning, profile, running
from conformance.execution.connection import Connection
from conformance.execution.running import Case
from conformance.execution.stage import Stage
from conformance.oracle.results import judge_case
from conformance.oracle.verdicts import Verdict

BYTES = 1460


def stimulus(connection: Connection) -> None:
    """The peer sends and ends; the implementation reads to the end, and past it."""
    connection.peer.send(BYTES)
    connection.peer.shutdown("send")
    connection.iut.read_to_the_end()
    connection.iut.read(times=2)


def bare_cycle() -> None:
    """The same over plain sockets in one process."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as iut:
        iut.connect(listener.getsockname())
        peer, _ = listener.accept()
        with peer:
            peer.sendall(bytes(BYTES))
            peer.shutdown(socket.SHUT_WR)
            while iut.recv(65536):
                pass
            iut.recv(65536)
            iut.recv(65536)


def timed(work: Callable[[], None]) -> float:
    """Milliseconds of wall time that the work took."""
    before = time.perf_counter()
    work()
    return (time.perf_counter() - before) * 1000


def main() -> None:
    """Run both in turn, and print medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=300, help="how many of each (default 300)")
    count = parser.parse_args().cases
    stage = Stage()
    provider = planning.meet(profile.find("kernel-tcp"), stage, "loopback")
    verdicts = set[Verdict]()
    with tempfile.TemporaryDirectory() as directory:

        def whole_case() -> None:
            case = Case(f"benchmark::{len(costs)}", provider, "loopback", ("IND-STREAM-01",), stimulus, {})
            trace, frames = running.run(case, stage)
            running.keep(case, trace, frames, Path(directory))
            verdicts.add(judge_case(trace).verdict)

        costs: list[float] = []
        bare: list[float] = []
        for _ in range(10):  # the first cases import scapy and load the judges
            whole_case()
        cpu_before = time.process_time()
        for _ in range(count):
            costs.append(timed(whole_case))
        cpu_ms = (time.process_time() - cpu_before) * 1000 / count
        for _ in range(count):
            bare.append(timed(bare_cycle))
    stage.close()
    cost, loop = statistics.median(costs), statistics.median(bare)
    print(f"a case: median {cost:.2f} ms (harness CPU {cpu_ms:.2f} ms a case); bare loop: median {loop:.3f} ms")
    print(f"ratio: {cost / loop:.1f}; verdicts: {', '.join(sorted(verdicts))}")


if __name__ == "__main__":
    main()
