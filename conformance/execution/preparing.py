# SPDX-License-Identifier: MIT
"""What has to be done once before the first agent of a provider is started: its profile's `agent.prepare`.

It may take long (a build, a Wine prefix), so its standard error is shown as it comes. It runs at a station of the
topology `host`, so that nothing of it is left if the run is ended meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from conformance.agents.launching import status_text
from conformance.agents.problems import AgentDied, AgentProblem, LaunchFailure, SomethingMissing
from conformance.execution.profile import Profile
from conformance.wire.errors import LaunchFailed, TopologyUnavailable
from conformance.wire.station import Process, Station
from conformance.wire.topology import open_topology

_LOOK_S = 0.1
"""How often it is looked for something new to show."""


def prepare_all(profiles: Iterable[Profile], say: Callable[[str], None]) -> dict[str, AgentProblem]:
    """Carry out each preparation once, and tell each line of its standard error to `say`.

    The result is what went wrong, by the names of providers: SomethingMissing for exit status 69, as for an agent.
    """
    asked = [profile for profile in profiles if profile.agent.preparation]
    if not asked:
        return {}
    problems: dict[str, AgentProblem] = {}
    done: dict[tuple[str, ...], AgentProblem | None] = {}
    try:
        with open_topology("host") as topology:
            for profile in asked:
                command = profile.agent.preparation
                if command not in done:
                    done[command] = prepare(command, topology.iut, say)
                if (problem := done[command]) is not None:
                    problems[profile.name] = problem
    except TopologyUnavailable as problem:
        return {profile.name: LaunchFailure(profile.agent.preparation, problem.why, problem.hint) for profile in asked}
    return problems


def prepare(command: tuple[str, ...], station: Station, say: Callable[[str], None]) -> AgentProblem | None:
    """Carry out one preparation, however long it takes; what went wrong, or None."""
    try:
        process = station.launch(command)
    except LaunchFailed as problem:
        return LaunchFailure(command, problem.why, problem.hint)
    try:
        status = _watched(process, say)
        said = process.stderr_tail().strip().splitlines()
    finally:
        process.close()
    if status == 0:
        return None
    if status == os.EX_UNAVAILABLE and said:
        # What it told of its progress comes before; the last two lines are what is missing and what to do.
        return SomethingMissing(*_missing(said))
    why = f"its preparation ended with {status_text(status)}"
    died = AgentDied(why, "run agent.prepare of its profile by hand", status)
    died.stderr = "\n".join(said)
    return died


def _missing(said: list[str]) -> tuple[str, str]:
    return (said[-2], said[-1]) if said[1:] else (said[0], "")


def _watched(process: Process, say: Callable[[str], None]) -> int | None:
    """Its exit status, when it has ended; what it says meanwhile is told, but what is missing and what to do is not."""
    os.set_blocking(process.stdout, False)
    told = 0
    status = None
    while status is None:
        status = process.wait(_LOOK_S)
        _discard(process.stdout)
        text = process.stderr_tail()
        lines = text[: text.rfind("\n") + 1].splitlines()
        if status == os.EX_UNAVAILABLE:
            lines = lines[:-2]
        for line in lines[told:]:
            say(line)
        told = max(told, len(lines))
    return status


def _discard(fd: int) -> None:
    """Read what is on standard output, which nobody wants, so that it never fills."""
    try:
        while os.read(fd, 1 << 16):
            pass
    except BlockingIOError:
        pass
