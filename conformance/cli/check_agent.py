# SPDX-License-Identifier: MIT
"""`check-agent`: does this agent speak the protocol?"""

from __future__ import annotations

import argparse
import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.cli.usage import Stop

if TYPE_CHECKING:
    from conformance.agents.launching import Launcher

HELP = "does this agent speak the protocol?"
DESCRIPTION = """\
Leads an agent through small harmless scripts, and says which of its messages is wrong and why. Everything after
`check-agent` is the command that starts the agent, or one address of a running one, tcp://host:port.

exit status: 0 it speaks the protocol; 1 something is wrong; 2 wrong usage (no such program, no address)"""
EXAMPLE = "shutdown-conformance check-agent python -m conformance.agents.kernel --transport tcp"


_ADDRESS = "tcp://"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("agent", metavar="CMD", nargs=argparse.REMAINDER, help="the agent's command, or its address")


def run(arguments: argparse.Namespace) -> int:
    """Check the agent."""
    from conformance.agents.checking import check_agent
    from conformance.reporting.text import clean_lines, several

    command = arguments.agent[1:] if arguments.agent[:1] == ["--"] else arguments.agent
    if not command:
        raise Stop("check-agent needs the command of an agent", EXAMPLE)
    address = command[0] if command[0].startswith(_ADDRESS) else None
    _check_usage(command, address)
    wrong = looked_at = 0
    with _host(needed=address is None) as launcher:
        for check in check_agent(address or command, launcher):
            looked_at += 1
            wrong += not check.ok
            first, *more = clean_lines(check.detail) or [""]
            print(f"{'ok   ' if check.ok else 'WRONG'}  {check.name}: {first}")
            for line in more:
                print(f"       {line}")
            if not check.ok and check.hint:
                print(f"       hint: {check.hint}", flush=True)
    print(f"{several(wrong, 'thing is', 'things are')} wrong" if wrong else "the agent speaks the protocol", end="")
    print(f" ({several(looked_at, 'check')})")
    return 1 if wrong else 0


@contextlib.contextmanager
def _host(*, needed: bool) -> Iterator[Launcher | None]:
    """What starts agents on the host as it is, and leaves nothing of them; None where there is nothing to start."""
    from conformance.execution.stage import At
    from conformance.wire.errors import TopologyUnavailable
    from conformance.wire.topology import open_topology

    if not needed:
        yield None
        return
    try:
        topology = open_topology("host")
    except TopologyUnavailable as problem:
        raise Stop(problem.why, problem.hint) from None
    with topology:
        yield At(topology.iut)


def _check_usage(command: list[str], address: str | None) -> None:
    """What is no agent at all is not an agent that does something wrong. Raises Stop."""
    from conformance.agents.problems import LaunchFailure
    from conformance.agents.transports import TcpTransport

    if address is None:
        if shutil.which(command[0]) is None and not Path(command[0]).exists():
            hint = "give its full path, or a name that PATH finds, or the address of a running agent, tcp://host:port"
            raise Stop(f"no such program: {command[0]}", hint)
        return
    if len(command) > 1:
        raise Stop(f"nothing can follow the address {address}", "name one agent: its command, or its address")
    try:
        TcpTransport(address)
    except LaunchFailure as problem:
        raise Stop(f"no address of an agent: {address}", problem.hint) from None
