# SPDX-License-Identifier: MIT
"""Mutants as providers: which there are, and the profile of a sound provider that one of them has broken.

A mutated provider is one like any other, with the statement of the sound one. What it is made of is an agent's matter
(`conformance.agents.mutating`) or the link's (`conformance.wire.rewriting`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from conformance.agents.mutating.mutants import Mutant, load
from conformance.catalogue.catalogue import load as catalogue
from conformance.catalogue.catalogue import nearest
from conformance.catalogue.requirement import Level
from conformance.catalogue.statement import Statement
from conformance.execution import profile as profiles
from conformance.execution.profile import AgentPlace, Implementation, Peer, Profile
from conformance.wire.rewriting import Rewriter


class BadMutant(Exception):
    """A mutant that cannot be used: names the file and what is wrong; `hint` is the next step."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.hint = hint


@dataclass(frozen=True)
class Mutation:
    """One mutant over one sound provider: `profile` is the broken provider's, `sound` the other's."""

    mutant: Mutant
    sound: Profile
    profile: Profile

    @property
    def over(self) -> str:
        """The sound provider's name."""
        return self.sound.name

    @property
    def name(self) -> str:
        """The broken provider's name."""
        return self.profile.name

    def rewriter(self) -> Rewriter | None:
        """What it does on the link, fresh for one case, if that is where it is wrong."""
        if not self.mutant.on_the_wire:
            return None
        filters = self.mutant.filters()
        return Rewriter(filters.get("segment"), filters.get("arrival"))


def find_all(folder: Path) -> list[Mutant]:
    """All mutants of a folder, by file and in their order there.

    Raises:
        BadMutant: a file cannot be read or run, a name is there twice, or a requirement or provider does not exist.
    """
    found: dict[str, Mutant] = {}
    for path in sorted(folder.glob("*.py")):
        for mutant in read(path).values():
            if mutant.name in found:
                raise BadMutant(f"{path}: there is a mutant {mutant.name!r} already", "give it another name")
            _check(path, mutant)
            found[mutant.name] = mutant
    if not found:
        raise BadMutant(f"{folder}: no mutants are there", "name a folder with files that have some")
    return list(found.values())


def read(path: Path) -> dict[str, Mutant]:
    """The mutants of one file, by name. Raises BadMutant if it cannot be read or run."""
    try:
        return load(str(path.absolute()))
    except Exception as error:
        raise BadMutant(f"{path}: {type(error).__name__}: {error}", "docs/mutants.md shows one that works") from None


def _check(path: Path, mutant: Mutant) -> None:
    for requirement in mutant.kills:
        if requirement not in catalogue():
            near = f"near: {', '.join(nearest(requirement))}"
            raise BadMutant(f"{path}: {mutant.name}: no requirement {requirement!r} in the catalogue", near)
        if catalogue()[requirement].level is Level.INFORMATIVE:
            what = f"{path}: {mutant.name}: {requirement} is informative"
            raise BadMutant(what, "what is only recorded kills nothing: name a requirement that can be violated")
    if not mutant.kills or not mutant.over:
        what = f"{path}: {mutant.name}: kills and over must both name something"
        raise BadMutant(what, "docs/mutants.md shows one that works")


def mutations(mutants: Iterable[Mutant]) -> list[Mutation]:
    """Each mutant over each of the providers that it is made of. Raises BadMutant; BadProfile where there is none."""
    return [mutated(mutant, over) for mutant in mutants for over in mutant.over]


def mutated(mutant: Mutant, over: str) -> Mutation:
    """The profile of that provider, broken by the mutant. Its peer stays sound. Raises BadMutant, BadProfile."""
    sound = profiles.find(over)
    try:
        implementation = Implementation(f"{sound.name}+{mutant.name}")
    except ValueError as error:
        raise profiles.BadProfile(f"{mutant.file}: {mutant.name}: {error}", "give the mutant a shorter name") from None
    agent = sound.agent
    if not mutant.on_the_wire:
        command = ("{python}", "-m", "conformance.agents.mutating", mutant.file, mutant.name, "--", *agent.command)
        agent = AgentPlace(command=command, prepare=agent.prepare)
    claims = tuple(dict.fromkeys((*sound.statement.service_flags, *mutant.claims)))
    claimed = msgspec.structs.replace(sound.statement, service_flags=claims)
    try:
        statement = msgspec.convert({**msgspec.to_builtins(claimed), **mutant.states}, Statement)
    except (msgspec.ValidationError, ValueError) as error:
        raise BadMutant(f"{mutant.file}: {mutant.name}: states: {error}", "docs/mutants.md shows one") from None
    broken = msgspec.structs.replace(
        sound,
        implementation=implementation,
        agent=agent,
        statement=statement,
        peer=Peer(over) if sound.peer.provider == "self" else sound.peer,
    )
    return Mutation(mutant, sound, broken)
