# SPDX-License-Identifier: MIT
"""`providers`: what can be tested here, and for what cannot, the one thing that is missing."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.cli.usage import Stop

if TYPE_CHECKING:
    from conformance.execution.profile import Profile

HELP = "what can be tested here; for what cannot, the one thing that is missing"
DESCRIPTION = "Starts the agent of each provider and builds each topology, and says which of them are ready."
EXAMPLE = "shutdown-conformance providers"


@dataclass(frozen=True)
class Row:
    """One provider or topology; `missing` is empty if it is ready."""

    name: str
    what: str
    missing: str = ""
    remedy: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("provider", metavar="NAME|FILE.toml", nargs="*", help="only these (default: all)")


def run(arguments: argparse.Namespace) -> int:
    """Look, and tell."""
    from conformance.execution import profile
    from conformance.wire.topology import TOPOLOGIES, availability

    if arguments.provider:
        try:
            profiles: list[Profile | Row] = [profile.find(name) for name in arguments.provider]
        except profile.BadProfile as problem:
            raise Stop(str(problem), problem.hint) from None
    else:
        profiles = [_readable(name) for name in profile.names()]
    _print("provider", [each if isinstance(each, Row) else _row(each) for each in profiles])
    rows = []
    for name in TOPOLOGIES:
        missing = availability(name)
        rows.append(Row(name, "", missing.what, missing.remedy) if missing else Row(name, ""))
    _print("topology", rows)
    return 0


def _readable(name: str) -> Profile | Row:
    from conformance.execution import profile

    try:
        return profile.find(name)
    except profile.BadProfile as problem:
        return Row(name, "", str(problem), problem.hint)


def _row(profile: Profile) -> Row:
    """Start the agent, hear its hello, and let it go."""
    from conformance.agents.client import Agent
    from conformance.agents.launching import SubprocessLauncher
    from conformance.agents.problems import AgentProblem
    from conformance.agents.transports import ProcessTransport, TcpTransport

    place = profile.agent
    transport = TcpTransport(place.connect) if place.connect else ProcessTransport(SubprocessLauncher(), place.argv)
    said = f"{profile.statement.transport}, {profile.kind}"
    try:
        with Agent.start(transport, deadline_s=5.0) as agent:
            name = agent.hello.agent
            return Row(profile.name, f"{said}; agent {name.name} {name.version}")
    except AgentProblem as problem:
        return Row(profile.name, said, problem.why, problem.hint)


def _print(title: str, rows: list[Row]) -> None:
    from conformance.reporting.text import clean, wrapped

    width = max([len(title), *(len(clean(row.name)) for row in rows)]) + 2
    print(title)
    for row in rows:
        said = f"{row.what}: " if row.what else ""
        lines = wrapped(f"  {row.name}", f"{said}{'NOT READY' if row.missing else 'ready'}", column=width + 3)
        if row.missing:
            lines += wrapped("", f"missing: {row.missing}", column=width + 3)
            lines += wrapped("", f"remedy: {row.remedy}", column=width + 3)
        print("\n".join(lines))
    print()
