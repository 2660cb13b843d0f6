# SPDX-License-Identifier: MIT
"""Does the capture lose anything at full speed, and what does it cost?

Two plain socket programs close thousands of connections as fast as they can, over IPv4 and over IPv6, in turns in a
private namespace that is captured and in one that is not. Of each connection the capture must hold both SYNs and, if it
ended gracefully, both FINs; and as many RSTs as the kernel says it sent (TCP OutRsts).

Both programs run on one processor, because where the scheduler puts them changes the time by a factor of two either
way, captured or not.

Example:
    python benchmarks/capture.py --closes 10000 --rounds 3

Exit status: 0 if nothing was lost, 1 if something was, 3 if the topology is not available here.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from conformance.trace.events import End
from conformance.wire import dissect
from conformance.wire.errors import TopologyUnavailable
from conformance.wire.station import Station
from conformance.wire.topology import Topology, open_topology

LIMIT_S = 120.0

ONE_RESET_IN = 8
"""The other connections end gracefully, from both sides."""

SERVER = """
import os, socket, sys
host, port, closes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
if sys.argv[5] == "pinned":
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=4096)
print("listening", flush=True)
for number in range(closes):
    connection, _ = listener.accept()
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        pass
    connection.close()
"""
CLIENT = """
import os, socket, struct, sys, time
host, port, closes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
if sys.argv[5] == "pinned":
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
family = socket.AF_INET6 if ":" in host else socket.AF_INET
began = time.perf_counter()
for number in range(closes):
    connection = socket.socket(family)
    connection.connect((host, port))
    connection.sendall(b"goodbye")
    if number % int(sys.argv[4]) == 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    else:
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
    connection.close()
print(time.perf_counter() - began)
"""


@dataclass(frozen=True)
class Turn:
    """One run of all closes."""

    seconds: float
    seen: Counter[str]
    expected: Counter[str]
    packets: int


def run(topology: Topology, family: str, options: argparse.Namespace, *, captured: bool) -> Turn:
    """Close that many connections; with `captured` also count what a tap saw of them."""
    assert topology.link is not None
    closes, placed = options.closes, "spread" if options.spread else "pinned"
    port = topology.iut.next_port()
    tap = topology.link.claim(port, End.IUT) if captured else None
    resets_before = resets_sent(topology.iut)
    arguments = [topology.iut.addresses[family], str(port), str(closes), str(ONE_RESET_IN), placed]
    server = topology.iut.launch([sys.executable, "-I", "-S", "-c", SERVER, *arguments])
    if not os.read(server.stdout, 100):
        raise SystemExit(f"the server did not start: {server.stderr_tail()}")
    client = topology.peer.launch([sys.executable, "-I", "-S", "-c", CLIENT, *arguments])
    if client.wait(LIMIT_S) != 0 or server.wait(LIMIT_S) != 0:
        raise SystemExit(f"a program failed or hangs: {client.stderr_tail()}{server.stderr_tail()}")
    seconds = float(os.read(client.stdout, 100))
    client.close()
    server.close()
    expected = Counter(
        S=2 * closes, F=2 * (closes - math.ceil(closes / ONE_RESET_IN)), R=resets_sent(topology.iut) - resets_before
    )
    if tap is None:
        return Turn(seconds, expected, expected, 0)
    if not tap.flush(LIMIT_S):
        raise SystemExit("the capture could not be flushed")
    tap.close()
    seen = Counter[str](S=0, F=0, R=0)
    for frame in tap.frames():
        contents = dissect.contents(frame.data)
        seen.update(set(contents[0] if contents else "") & set("SFR"))
    return Turn(seconds, seen, expected, len(tap.frames()))


def resets_sent(station: Station) -> int:
    """What the kernel counts at that station."""
    process = station.launch(["cat", "/proc/self/net/snmp"])
    process.wait(LIMIT_S)
    names, values = (
        line.split() for line in os.read(process.stdout, 1 << 16).decode().splitlines() if line.startswith("Tcp:")
    )
    process.close()
    return int(values[names.index("OutRsts")])


def compare(captured: Topology, bare: Topology, family: str, options: argparse.Namespace) -> bool:
    """Take turns, print what came of it, and say whether nothing was lost."""
    assert captured.link is not None
    ratios, turns = [], []
    for _ in range(options.rounds):
        without = run(bare, family, options, captured=False)
        turns.append(run(captured, family, options, captured=True))
        ratios.append(turns[-1].seconds / without.seconds)
    exact = all(turn.seen == turn.expected for turn in turns) and captured.link.lost == 0
    closes_per_s = statistics.median(options.closes / turn.seconds for turn in turns)
    packets_per_s = statistics.median(turn.packets / turn.seconds for turn in turns)
    print(
        f"{family:6} {closes_per_s:8,.0f} closes/s {packets_per_s:9,.0f} packets/s   "
        f"time with capture / without: {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})   "
        f"lost {captured.link.lost}   {'exact' if exact else 'NOT EXACT'}"
    )
    for turn in turns:
        if turn.seen != turn.expected:
            print(f"       seen {dict(turn.seen)}, expected {dict(turn.expected)}")
    return exact


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Close connections at full speed; is each SYN, FIN and RST captured, and what does it cost?",
        epilog="Example: python benchmarks/capture.py --closes 10000 --rounds 3",
    )
    parser.add_argument("--closes", type=int, default=10_000, help="connections in each turn (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="turns with and without capture (default: %(default)s)")
    parser.add_argument(
        "--spread",
        action="store_true",
        help="leave it to the scheduler where the two programs run, not on one processor",
    )
    options = parser.parse_args()
    try:
        with open_topology("loopback") as captured, open_topology("loopback") as bare:
            assert bare.link is not None
            bare.link.close()
            families = list(captured.iut.addresses)
            exact = [compare(captured, bare, family, options) for family in families]
    except TopologyUnavailable as problem:
        print(problem, file=sys.stderr)
        return 3
    return 0 if all(exact) else 1


if __name__ == "__main__":
    sys.exit(main())
