# SPDX-License-Identifier: MIT
"""The catalogue: every requirement, in order, read once from the files in `requirements/`.

A file holds one group. Reading is strict: a wrong row is refused with the file and the requirement that it is in.
Selecting what applies to an implementation is left to `Requirement.unmet`, judging to the oracle.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

import msgspec

from conformance.catalogue.requirement import Requirement

# The order of the groups, and so of the catalogue.
_FILES = ("initiating", "indicating", "disconnect_data", "wire", "posix", "transports", "errors")


class BadCatalogue(Exception):
    """A catalogue file that cannot be used: which file and row, and what is wrong with it."""


@dataclass(frozen=True)
class Group:
    """A group of requirements: its letter, its title, and the name of its file without the suffix."""

    letter: str
    title: str
    name: str


class Catalogue(Mapping[str, Requirement]):
    """All requirements by identifier, in the order of the catalogue; `groups` by letter."""

    def __init__(self, groups: tuple[Group, ...], requirements: tuple[Requirement, ...]) -> None:
        self.groups: Mapping[str, Group] = MappingProxyType({group.letter: group for group in groups})
        self._by_id = {requirement.id: requirement for requirement in requirements}

    def __getitem__(self, identifier: str) -> Requirement:
        return self._by_id[identifier]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def group(self, letter: str) -> tuple[Requirement, ...]:
        """The requirements of one group, in order; empty for a letter that no group has."""
        return tuple(requirement for requirement in self.values() if requirement.group == letter)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A catalogue file. Rows are converted one by one, so that a wrong one can be named."""

    group: str
    title: str
    requirement: list[dict[str, Any]]


@cache
def load() -> Catalogue:
    """The catalogue of this suite. Raises BadCatalogue."""
    return read(files("conformance.catalogue") / "requirements")


def read(folder: Traversable) -> Catalogue:
    """Read a catalogue from a folder that has a file for each group. Raises BadCatalogue."""
    groups: list[Group] = []
    requirements: dict[str, Requirement] = {}
    for name in _FILES:
        group, rows = _read_group(folder / f"{name}.toml", name)
        groups.append(group)
        for requirement in rows:
            if requirement.id in requirements:
                raise BadCatalogue(f"{name}.toml: {requirement.id}: this identifier is taken already")
            requirements[requirement.id] = requirement
    return Catalogue(tuple(groups), tuple(requirements.values()))


@cache
def digest() -> str:
    """What the catalogue says, as "sha256:" and 64 hexadecimal digits; comments and layout do not count."""
    content = msgspec.json.encode(list(load().values()), order="deterministic")
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def nearest(identifier: str) -> list[str]:
    """Up to three identifiers of the catalogue that look most like this one; for messages about a misspelt one."""
    return get_close_matches(identifier.upper(), load(), n=3)


def _read_group(file: Traversable, name: str) -> tuple[Group, list[Requirement]]:
    try:
        content = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), _File)
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadCatalogue(f"{file.name}: {error}") from error
    group = Group(letter=content.group, title=content.title, name=name)
    return group, [_requirement(row, group, file.name) for row in content.requirement]


def _requirement(row: dict[str, Any], group: Group, file_name: str) -> Requirement:
    try:
        return msgspec.convert({**row, "group": group.letter}, Requirement)
    except msgspec.ValidationError as error:
        raise BadCatalogue(f"{file_name}: {row.get('id', 'a row without id')}: {error}") from error
