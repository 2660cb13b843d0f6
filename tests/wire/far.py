# SPDX-License-Identifier: MIT
"""Two machines for tests of `remote`: two private namespaces, joined by a link under test and by one for control."""

from __future__ import annotations

import itertools
import select
from collections.abc import Sequence
from contextlib import ExitStack

from conformance.stderr import StderrDrain
from conformance.wire.custody import Custody
from conformance.wire.station import Process, Station

NEAR, FAR = "192.0.2.1", "192.0.2.7"
"""Ours and the other machine's on the link under test (RFC 5737)."""
NEAR_CONTROL, FAR_CONTROL = "198.51.100.1", "198.51.100.7"
INTERFACE = "eth1"
_BATCH = f"""link add {INTERFACE} type veth peer name eth1 netns {{1}}
link add eth2 type veth peer name eth2 netns {{1}}
addr add {NEAR}/24 dev {INTERFACE}
addr add {NEAR_CONTROL}/24 dev eth2
link set {INTERFACE} up
link set eth2 up
"""
_FAR_BATCH = f"""addr add {FAR}/24 dev eth1
addr add {FAR_CONTROL}/24 dev eth2
link set eth1 up
link set eth2 up
"""
_LINE_S = 20.0


class TwoMachines:
    """`near`, where the suite is to run, and `far`, where the agent is. Raises what `Custody` does."""

    def __init__(self, held: ExitStack) -> None:
        self._held = held
        custody = Custody(isolated=True)
        held.callback(custody.close)
        drain = StderrDrain()
        held.callback(drain.close)
        places = [int(custody.ask("namespace")["where"]) for _ in range(2)]
        for place, batch in zip(places, (_BATCH, _FAR_BATCH), strict=True):
            custody.ask("ip", where=place, batch=batch)
        for place, device in itertools.product(places, ("eth1", "eth2")):
            custody.ask("await_running", where=place, name=device)
        self.near, self.far = (Station(custody, drain, place, {}, lambda: 0) for place in places)

    def start(self, at: Station, command: Sequence[str], **environment: str) -> Process:
        """Start a program at one of them."""
        import os

        process = at.launch(command, environment={**os.environ, **environment})
        self._held.callback(process.close)
        return process

    def run(self, command: Sequence[str], limit_s: float) -> tuple[int | None, str, str]:
        """Run a program at `near` to its end: exit status, standard output, standard error's end."""
        process = self.start(self.near, command)
        said = _all_of(process.stdout)
        return process.wait(limit_s), said, process.stderr_tail()


def _all_of(fd: int) -> str:
    import os

    read = bytearray()
    while data := os.read(fd, 1 << 16):
        read += data
    return read.decode(errors="replace")


def first_line(process: Process) -> str:
    """What a program says first on standard error."""
    poll = select.poll()
    limit = _LINE_S
    while "\n" not in process.stderr_tail() and limit > 0:
        poll.poll(20)
        limit -= 0.02
    return process.stderr_tail().partition("\n")[0]
