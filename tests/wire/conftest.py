# SPDX-License-Identifier: MIT
"""What the tests of the wire share: topologies that are closed again, and two small programs to talk over them."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from conformance.trace.events import End
from conformance.wire.errors import TopologyUnavailable
from conformance.wire.station import Process, Station
from conformance.wire.tap import Tap
from conformance.wire.topology import Topology, open_topology

LIMIT_S = 20.0
"""For what must happen on any machine, however slow."""

SERVER = """
import socket, sys
host, port = sys.argv[1], int(sys.argv[2])
listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
print("listening", listener.getsockname()[1], flush=True)
connection, _ = listener.accept()
received = 0
while octets := connection.recv(65536):
    received += len(octets)
connection.close()
print("received", received, flush=True)
"""

CLIENT = """
import socket, sys
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
for number in range(int(sys.argv[4])):
    connection.sendall(bytes(int(sys.argv[3])))
connection.shutdown(socket.SHUT_WR)
connection.recv(1)
connection.close()
"""


def python(source: str, *arguments: object) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", source, *map(str, arguments)]


def read_line(process: Process) -> str:
    """One line of its standard output; fails with its standard error if none comes."""
    line = b""
    while not line.endswith(b"\n"):
        readable, _, _ = select.select([process.stdout], [], [], LIMIT_S)
        octet = os.read(process.stdout, 1) if readable else b""
        if not octet:
            raise AssertionError(f"no line, but {line!r}; standard error: {process.stderr_tail()}")
        line += octet
    return line.decode().strip()


@dataclass
class Exchange:
    """One connection from the peer to a listener of the IUT, watched by `tap`."""

    tap: Tap
    server: Process
    connect: Callable[[], Process]

    def finish(self, client: Process) -> str:
        """Wait for both programs to end well; the result is the last word of the server."""
        assert client.wait(LIMIT_S) == 0, client.stderr_tail()
        last = read_line(self.server)
        assert self.server.wait(LIMIT_S) == 0, self.server.stderr_tail()
        assert self.tap.flush(LIMIT_S)
        return last


def exchange(topology: Topology, family: str, *, octets: int = 100, sends: int = 1) -> Exchange:
    """A server that listens at the IUT, and a client that will connect from the peer's station and send."""
    assert topology.link is not None
    address = topology.iut.addresses[family]
    port = topology.iut.next_port()
    if port:
        tap = topology.link.claim(port, End.IUT)
    server = topology.iut.launch(python(SERVER, address, port))
    listening = int(read_line(server).split()[1])
    if not port:
        tap = topology.link.claim(listening, End.IUT)
    return Exchange(tap, server, lambda: launch_client(topology.peer, address, listening, octets, sends))


def launch_client(station: Station, address: str, port: int, octets: int, sends: int) -> Process:
    return station.launch(python(CLIENT, address, port, octets, sends))


@pytest.fixture
def opened() -> Iterator[Callable[[str], Topology]]:
    """Opens topologies by name, skips where this machine has none, and closes them at the end."""
    with ExitStack() as held:

        def open_or_skip(name: str) -> Topology:
            try:
                return held.enter_context(open_topology(name))
            except TopologyUnavailable as problem:
                pytest.skip(str(problem))

        yield open_or_skip
