# SPDX-License-Identifier: MIT
"""When a requirement applies, as conditions on a statement.

Conditions are a list of clauses that must all hold. A clause is one or more alternatives joined by " | ", each an
atom or "not " and an atom:

    GRACEFUL_CLOSE          a service flag is claimed
    CONNECTION_ORIENTED     CONNECTIONLESS is not claimed
    stream                  receives act as on a byte stream
    family:posix            likewise transport:, platform:
    surface:select          is claimed; likewise op:, feature:
    limit:message_max       is stated, and more than nothing

No requirement is known here; `requirement` and the data files use this language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from conformance.catalogue.statement import (
    FAMILIES,
    FEATURES,
    OPERATIONS,
    SERVICE_FLAGS,
    SURFACES,
    TRANSPORTS,
    Limits,
    Statement,
    unknown_word,
)

# A statement may name any platform; a condition only these, so that a misspelt condition cannot hide.
PLATFORMS: tuple[str, ...] = ("linux", "freebsd", "openbsd", "netbsd", "macos", "illumos", "windows", "wine", "zos")


class BadCondition(ValueError):
    """A clause that cannot be read; says which one, and what was expected."""


@dataclass(frozen=True)
class Alternative:
    """One alternative of a clause: `kind` and `value` ("family", "posix"), or a bare word of kind "flag"."""

    kind: str
    value: str
    negated: bool = False

    def holds(self, statement: Statement) -> bool:
        """Whether this alternative is true of the statement."""
        return _HOLDS[self.kind](statement, self.value) is not self.negated


@cache
def parse(clause: str) -> tuple[Alternative, ...]:
    """Read one clause. Raises BadCondition for an atom that is in no vocabulary."""
    return tuple(_alternative(text, clause) for text in clause.split("|"))


def first_unmet(clauses: Iterable[str], statement: Statement) -> str | None:
    """Why the conditions do not hold, as one short reason for people, or None if all of them hold."""
    for clause in clauses:
        alternatives = parse(clause)
        if not any(alternative.holds(statement) for alternative in alternatives):
            return _reason(alternatives, statement)
    return None


_HOLDS: dict[str, Callable[[Statement, str], bool]] = {
    "flag": lambda s, value: value in s.service_flags,
    "CONNECTION_ORIENTED": lambda s, _: "CONNECTIONLESS" not in s.service_flags,
    "stream": lambda s, _: s.is_stream,
    "family": lambda s, value: s.family == value,
    "transport": lambda s, value: s.transport == value,
    "platform": lambda s, value: s.platform == value,
    "surface": lambda s, value: value in s.surfaces,
    "op": lambda s, value: value in s.ops,
    "feature": lambda s, value: value in s.features,
    "limit": lambda s, value: bool(getattr(s.limits, value)),
}

_VALUES: dict[str, tuple[str, ...]] = {
    "family": FAMILIES,
    "transport": TRANSPORTS,
    "platform": PLATFORMS,
    "surface": SURFACES,
    "op": OPERATIONS,
    "feature": tuple(FEATURES),
    "limit": Limits.__struct_fields__,
}
_BARE: tuple[str, ...] = (*SERVICE_FLAGS, "CONNECTION_ORIENTED", "stream")


def _alternative(text: str, clause: str) -> Alternative:
    text = text.strip()
    atom = text.removeprefix("not ")
    negated = atom != text
    kind, colon, value = atom.partition(":")
    if not colon:
        if atom not in _BARE:
            raise BadCondition(f"in {clause!r}: {unknown_word('word', atom, _BARE)}")
        return Alternative(atom if atom in _HOLDS else "flag", atom, negated)
    if kind not in _VALUES:
        raise BadCondition(f"in {clause!r}: {unknown_word('kind of condition', kind, _VALUES)}")
    if value not in _VALUES[kind]:
        raise BadCondition(f"in {clause!r}: {unknown_word(kind, value, _VALUES[kind])}")
    return Alternative(kind, value, negated)


def _reason(alternatives: tuple[Alternative, ...], statement: Statement) -> str:
    """Alternatives of one kind are told together: "only for transport tcp or mptcp, not unix"."""
    kinds = dict.fromkeys((alternative.kind, alternative.negated) for alternative in alternatives)
    return "; ".join(
        _phrase(kind, negated, [a.value for a in alternatives if (a.kind, a.negated) == (kind, negated)], statement)
        for kind, negated in kinds
    )


def _phrase(kind: str, negated: bool, values: list[str], statement: Statement) -> str:
    named = " or ".join(values)
    match kind:
        case "flag":
            return f"ruled out by {named}" if negated else f"not claimed: {named}"
        case "CONNECTION_ORIENTED":
            return "not claimed: CONNECTIONLESS" if negated else "ruled out by CONNECTIONLESS"
        case "stream":
            return "only for protocols that keep message boundaries" if negated else "ruled out by MESSAGE_ORIENTED"
        case "family" | "transport" | "platform":
            if negated:
                return f"not for {kind} {named}"
            return f"only for {kind} {named}, not {getattr(statement, kind) or 'stated'}"
        case _:
            return f"ruled out by {kind} {named}" if negated else f"not claimed: {kind} {named}"
