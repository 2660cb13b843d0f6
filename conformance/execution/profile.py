# SPDX-License-Identifier: MIT
"""Provider profiles: how to reach an implementation, what its vendor claims (ICS), and the run values (IXIT)."""

from __future__ import annotations

import ipaddress
import re
import sys
import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from conformance import locations
from conformance.catalogue.statement import Statement

AddressFamily = Literal["inet", "inet6", "unix"]


class BadProfile(Exception):
    """A profile that cannot be used: names the file, the key and what was expected; `hint` is the next step."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.hint = hint


def _with_python(command: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word.replace("{python}", sys.executable) for word in command)


class Implementation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is tested, by its name, which also names a folder of evidence."""

    name: str
    version: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}", self.name):
            raise ValueError(f"name {self.name!r}: expected letters, digits and . _ + -, and no more than 64 of them")


class AgentPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to reach the agent: a command to start, or an address to connect to; exactly one of them.

    `prepare` is a command that a run carries out once before, without a time limit: a build, say.
    """

    command: tuple[str, ...] = ()
    connect: str = ""
    prepare: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.command) is bool(self.connect):
            raise ValueError('expected either command = ["program", …] or connect = "tcp://host:port"')

    @property
    def argv(self) -> tuple[str, ...]:
        """The command, with {python} replaced by the interpreter that runs the suite."""
        return _with_python(self.command)

    @property
    def preparation(self) -> tuple[str, ...]:
        """The command that prepares, likewise; empty if there is none."""
        return _with_python(self.prepare)


class RunValues(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The IXIT: times in milliseconds. `settle_ms` is a least value; what is measured may raise it."""

    settle_ms: int = 30
    prompt_ms: int = 1000
    address_family: AddressFamily | None = None

    def __post_init__(self) -> None:
        if self.settle_ms < 1 or self.prompt_ms < 1:
            raise ValueError("settle_ms and prompt_ms: expected at least 1")


class Remote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The link to another machine, on which the agent runs: our interface, and the addresses of both ends on it."""

    interface: str
    address: str
    peer_address: str

    def __post_init__(self) -> None:
        families = set()
        for key in ("address", "peer_address"):
            try:
                parsed = ipaddress.ip_address(getattr(self, key))
            except ValueError:
                raise ValueError(
                    f'{key} {getattr(self, key)!r}: expected an IP address, such as "192.0.2.7", and no name'
                ) from None
            if parsed.is_loopback or parsed.is_unspecified or parsed.is_multicast or getattr(parsed, "scope_id", None):
                raise ValueError(f"{key} {parsed}: expected the address of one machine on the link under test")
            families.add(parsed.version)
        if len(families) > 1 or self.address == self.peer_address:
            raise ValueError("address and peer_address: expected two addresses of one family, the IUT's and ours")
        if not self.interface:
            raise ValueError('interface "": expected the name of the interface that has peer_address, such as "eth1"')

    @property
    def family(self) -> AddressFamily:
        """The family of both addresses."""
        return "inet6" if ":" in self.address else "inet"


class Peer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who plays the other end: the name of a provider, or "self" for a twin of the implementation."""

    provider: str = "self"


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One provider."""

    implementation: Implementation
    agent: AgentPlace
    statement: Statement
    run: RunValues = RunValues()
    peer: Peer = Peer()
    remote: Remote | None = None

    def __post_init__(self) -> None:
        if self.remote is not None:
            self._check_remote(self.remote)
        if self.run.address_family and (self.run.address_family == "unix") is not (self.statement.transport == "unix"):
            raise ValueError(f"address_family {self.run.address_family!r} does not go with this statement's transport")

    def _check_remote(self, remote: Remote) -> None:
        if not self.agent.connect:
            raise ValueError('[remote] is for an agent that is reached by agent.connect = "tcp://host:port"')
        if self.peer.provider == "self":
            raise ValueError("[remote]: peer.provider: expected a provider that is started here, such as kernel-tcp")
        if self.statement.transport == "unix":
            raise ValueError("[remote]: statement.transport: unix has no way to another machine")
        if self.run.address_family not in (None, remote.family):
            raise ValueError(f"[remote]: run.address_family: expected {remote.family!r}, as its addresses have it")

    @property
    def control_shares_the_link(self) -> bool:
        """The agent is reached at the address that is under test: its lines cross the link beside what is tested."""
        return self.remote is not None and urlsplit(self.agent.connect).hostname == self.remote.address

    @property
    def name(self) -> str:
        """The provider's name, as the results have it."""
        return self.implementation.name

    @property
    def address_family(self) -> AddressFamily:
        """The family of its sockets' addresses."""
        if self.remote is not None:
            return self.remote.family
        return self.run.address_family or ("unix" if self.statement.transport == "unix" else "inet")

    @property
    def kind(self) -> Literal["stream", "message"]:
        """The kind of its sockets, as the agent protocol names it."""
        return "stream" if self.statement.is_stream else "message"


def names() -> list[str]:
    """The names of the providers that come with the suite."""
    return sorted(path.stem for path in locations.profiles().glob("*.toml"))


def find(name_or_file: str) -> Profile:
    """Load the profile of a provider, by name or by file.

    Raises:
        BadProfile: there is none of that name, or the file is not a profile.
    """
    if name_or_file.endswith(".toml"):
        return load(Path(name_or_file))
    path = locations.profiles() / f"{name_or_file}.toml"
    if name_or_file not in names():
        near = get_close_matches(name_or_file, names(), cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(names())}"
        raise BadProfile(f"no provider {name_or_file!r}", f"{hint}; a file of your own must end in .toml")
    return load(path)


def find_all(asked: Iterable[str]) -> dict[str, Profile]:
    """Load several profiles, by the names of their implementations.

    Raises:
        BadProfile: one cannot be found or used, or two of them have the same name.
    """
    found: dict[str, Profile] = {}
    for name_or_file in dict.fromkeys(asked):
        profile = find(name_or_file)
        if profile.name in found:
            raise BadProfile(f"{name_or_file}: there is a provider {profile.name!r} already", "give it another name")
        found[profile.name] = profile
    return found


def load(path: Path) -> Profile:
    """Read a profile from a file.

    Raises:
        BadProfile: it cannot be read, or a key is missing, unknown or of the wrong type.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        return msgspec.convert(values, Profile)
    except OSError as error:
        raise BadProfile(f"{path}: cannot be read: {error.strerror}", "check the path of the profile") from None
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at ")
        key = place.strip("`").removeprefix("$.") or "the file as a whole"
        raise BadProfile(
            f"{path}: {key}: {message}", "the docs page 'Test your own provider' lists every key"
        ) from None
    except (ValueError, RecursionError) as error:  # also of octets, of numbers and of nesting beyond all measure
        raise BadProfile(
            f"{path}: not TOML: {error}", "see fixtures/profiles in the repository for one that works"
        ) from None
