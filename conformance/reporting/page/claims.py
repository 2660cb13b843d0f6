# SPDX-License-Identifier: MIT
"""The statement, claimed against found: what the vendor says of an implementation, and what its agent says it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from conformance.catalogue.statement import Contradiction
from conformance.reporting.results import ProviderResults, Results

_LABELS = {
    "family": "family",
    "transport": "transport",
    "service_flags": "service flags",
    "surfaces": "surfaces",
    "ops": "operations",
    "limits": "limits",
    "features": "features",
    "platform": "platform",
}
_NOT_ASKED = ("features", "platform")
"""What no agent is asked for: the vendor's word alone."""


@dataclass(frozen=True)
class Item:
    """One item of the statement. `both` was claimed and found; `found` is None where the agent was not heard on it."""

    label: str
    both: tuple[str, ...]
    claimed: tuple[str, ...]
    found: tuple[str, ...] | None

    @property
    def differs(self) -> bool:
        """Whether claim and finding are two things."""
        return self.found is not None and bool(self.claimed or self.found)


@dataclass(frozen=True)
class Claims:
    """The statement of one provider; `contradictions` are what the run itself found."""

    provider: str
    contradictions: tuple[Contradiction, ...]
    items: tuple[Item, ...]


def claims(results: Results) -> tuple[Claims, ...]:
    """The statements of all providers: those with contradictions first."""
    each = [Claims(p.name, p.contradictions, tuple(_items(p))) for p in results.providers]
    return tuple(sorted(each, key=lambda claims: not claims.contradictions))


def implementation(provider: ProviderResults) -> tuple[str, str]:
    """What was found to be tested, and how it is reached: `linux-tcp 6.18 (kernel)` and `agent python-socket 1.0`.

    What an agent did not say is left out; both are empty for a provider whose agent said nothing.
    """
    told, agent = provider.found.get("implementation"), provider.found.get("agent")
    return _named(told, "vendor"), _named(agent, "")


def _named(told: Any, aside: str) -> str:
    if not isinstance(told, dict):
        return ""
    words = [str(told[key]) for key in ("name", "version") if told.get(key)]
    return " ".join([*words, f"({told[aside]})"] if told.get(aside) else words)


def _items(provider: ProviderResults) -> Iterator[Item]:
    stated: dict[str, Any] = msgspec.to_builtins(provider.statement)
    for key, label in _LABELS.items():
        said = _words(stated.get(key))
        if key in _NOT_ASKED or key not in provider.found:
            yield Item(label, (), said, None)
            continue
        is_ = _words(provider.found[key])
        both = tuple(word for word in said if word in is_)
        yield Item(label, both, _without(said, both), _without(is_, both))


def _without(words: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word not in others)


def _words(value: Any) -> tuple[str, ...]:
    """A value of a statement in words: each of a list, each limit with its size."""
    if isinstance(value, dict):
        return tuple(f"{key} {'none' if size is None else size}" for key, size in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(str, value))
    return () if value is None else (str(value),)
