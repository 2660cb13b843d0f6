# SPDX-License-Identifier: MIT
"""The plan: which cases a provider is given, and what is known of the provider before any of them runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from conformance.agents.operations import Hello
from conformance.agents.problems import AgentRefused
from conformance.catalogue.catalogue import load
from conformance.catalogue.conditions import first_unmet
from conformance.catalogue.statement import Contradiction, Limits, Statement
from conformance.execution import profile as profiles
from conformance.execution.profile import Profile
from conformance.execution.running import Provider
from conformance.execution.stage import Stage
from conformance.wire.topology import REMOTE


def meet(profile: Profile, stage: Stage, topology: str) -> Provider:
    """Start a provider's agent once, to learn what it is. Raises AgentProblem, TopologyUnavailable, BadProfile."""
    peer = profile if profile.peer.provider == "self" else profiles.find(profile.peer.provider)
    hello = stage.hello(profile, topology)
    if hello.clock == "foreign" and profile.agent.connect and topology != REMOTE:
        why = "its hello says `clock: foreign`: it is on another machine, and this topology is none to another machine"
        raise AgentRefused(f"{profile.name}: {why}", "give the profile a [remote] table: docs/your-own-provider.md")
    claimed = (profile.statement.family, profile.statement.transport)
    if claimed != (hello.family, hello.transport):
        why = f"the statement says {' over '.join(claimed)}, and its agent {hello.family} over {hello.transport}"
        raise AgentRefused(
            f"{profile.name}: {why}", "judged by the wrong rules it would prove nothing: mend the profile"
        )
    return Provider(profile, hello, completed(profile.statement, hello), peer)


def completed(claimed: Statement, hello: Hello) -> Statement:
    """The statement, with what the vendor left unsaid (surfaces, operations, limits) taken from what was found."""
    found: dict[str, Any] = {}
    if not claimed.surfaces:
        found["surfaces"] = tuple(hello.surfaces)
    if not claimed.ops:
        found["ops"] = tuple(hello.ops)
    if claimed.limits == Limits():
        found["limits"] = msgspec.convert(msgspec.to_builtins(hello.limits), Limits)
    return msgspec.structs.replace(claimed, **found)


def contradictions(claimed: Statement, hello: Hello) -> tuple[Contradiction, ...]:
    """Where the statement and the agent's hello disagree."""
    says, is_ = set(claimed.service_flags), set(hello.service_flags)
    pairs = [("service_flags", *(", ".join(sorted(flags)) or "no more" for flags in (says - is_, is_ - says)))]
    if claimed.surfaces and (missing := set(claimed.surfaces) - set(hello.surfaces)):
        pairs.append(("surfaces", ", ".join(sorted(missing)), "not offered by the agent"))
    return tuple(Contradiction(item=item, claimed=says, found=is_) for item, says, is_ in pairs if says != is_)


def is_planned(
    statement: Statement,
    exercises: Iterable[str],
    conditions: Iterable[str],
    arguments: Mapping[str, Any],
    probes: Iterable[str] = (),
) -> bool:
    """A case is planned where something that it exercises applies, its conditions hold, and its surface is claimed.

    One that probes claims needs nothing to apply: what is not claimed is probed too.
    """
    surface = arguments.get("surface")
    if surface is not None and surface not in statement.surfaces:
        return False
    if first_unmet(tuple(conditions), statement) is not None:
        return False
    if tuple(probes):
        return True
    return any(load()[identity].unmet(statement) is None for identity in exercises)
