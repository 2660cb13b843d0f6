# SPDX-License-Identifier: MIT
"""`providers`: what can be tested here, and for what cannot, the one thing that is missing."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.cli.usage import Stop, tell

if TYPE_CHECKING:
    from conformance.agents.problems import AgentProblem
    from conformance.execution.profile import Profile
    from conformance.wire.station import Station

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
    from conformance.wire.topology import REMOTE, TOPOLOGIES, availability

    if arguments.provider:
        try:
            profiles: list[Profile | Row] = [profile.find(name) for name in arguments.provider]
        except profile.BadProfile as problem:
            raise Stop(str(problem), problem.hint) from None
    else:
        profiles = [_readable(name) for name in profile.names()]
    _print("provider", _rows(profiles))
    rows = []
    for name in TOPOLOGIES:
        missing = availability(name)
        what = "for profiles with a [remote] table" if name == REMOTE else ""
        rows.append(Row(name, what, missing.what, missing.remedy) if missing else Row(name, what))
    _print("topology", rows)
    return 0


def _readable(name: str) -> Profile | Row:
    from conformance.execution import profile

    try:
        return profile.find(name)
    except profile.BadProfile as problem:
        return Row(name, "", str(problem), problem.hint)


def _rows(profiles: list[Profile | Row]) -> list[Row]:
    """Meet the agents, on the host as it is; what has to be prepared first is prepared, which is quick once it is."""
    from conformance.execution import preparing
    from conformance.reporting.text import clean
    from conformance.wire.errors import TopologyUnavailable
    from conformance.wire.topology import open_topology

    read = [each for each in profiles if not isinstance(each, Row)]
    problems = preparing.prepare_all(read, lambda line: tell(clean(line)))
    try:
        with open_topology("host") as topology:
            return [
                each if isinstance(each, Row) else _row(each, topology.iut, problems.get(each.name))
                for each in profiles
            ]
    except TopologyUnavailable as problem:
        raise Stop(problem.why, problem.hint) from None


def _row(profile: Profile, station: Station, unprepared: AgentProblem | None) -> Row:
    """Start the agent, hear its hello, and let it go; `unprepared` is what its preparation met.

    Of an agent on another machine the link to it is looked at, too.
    """
    from conformance.agents.client import Agent
    from conformance.agents.problems import AgentProblem
    from conformance.execution.stage import transport
    from conformance.wire.errors import TopologyUnavailable

    said = f"{profile.statement.transport}, {profile.kind}"
    if unprepared is not None:
        return Row(profile.name, said, unprepared.why, unprepared.hint)
    try:
        with Agent.start(transport(profile, station)) as agent:
            name = agent.hello.agent
            said = f"{said}; agent {name.name} {name.version}"
            if profile.remote is not None:
                said += _link(profile)
            return Row(profile.name, said)
    except AgentProblem as problem:
        return Row(profile.name, said, problem.why, problem.hint)
    except TopologyUnavailable as problem:
        return Row(profile.name, said, problem.why, problem.hint)


def _link(profile: Profile) -> str:
    """Whether the link to another machine can be seen. Raises TopologyUnavailable where it is not there."""
    from conformance.execution.stage import remote_of
    from conformance.wire.topology import REMOTE, open_topology

    with open_topology(REMOTE, remote_of(profile)) as topology:
        return f"; {topology.link_missing or 'its link can be captured'}"


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
