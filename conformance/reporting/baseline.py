# SPDX-License-Identifier: MIT
"""A baseline: the failures that are known and excused, each with a reason, an owner and the day on which that ends.

It is read strictly: an entry that is misspelt would excuse nothing, or the wrong thing, in silence. What an entry comes
to in a run is the gate's to say; `rebaselining` writes the file anew.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from conformance.catalogue import catalogue
from conformance.catalogue.statement import Statement

LIMIT_OCTETS = 1 << 20
"""Some 5,000 entries; whoever excuses more has taken the wrong file."""
_SEE = "docs/gate.md shows a baseline"
_HEADER = re.compile(r"""[ \t]*\[\[[ \t]*(?:excused|"excused"|'excused')[ \t]*\]\]""")


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A failure that is excused. `expires`: the last day (UTC) on which it is."""

    provider: str
    requirement: str
    reason: str
    owner: str
    expires: date


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A baseline as a run applied it: the file's name without its directories, the day (UTC), and the entries."""

    file: str
    day: date
    excused: tuple[Entry, ...] = ()

    def excuse(self, provider: str, requirement: str) -> Entry | None:
        """The entry that excuses a failure of this requirement, if there is one and it has not expired."""
        for entry in self.excused:
            if (entry.provider, entry.requirement) == (provider, requirement) and entry.expires >= self.day:
                return entry
        return None


class BadBaseline(Exception):
    """A baseline that cannot be used: says the file, the entry with its line, and what was expected; and a `hint`."""

    def __init__(self, path: Path, place: str, why: str, hint: str) -> None:
        super().__init__(": ".join(filter(None, (str(path), place, why))))
        self.path, self.place, self.why, self.hint = path, place, why, hint


def read_text(path: Path) -> str:
    """The file as it stands. Raises BadBaseline: it cannot be read, is too large, or is no text."""
    try:
        with path.open("rb") as file:
            octets = file.read(LIMIT_OCTETS + 1)
    except OSError as error:
        hint = "check the path; --update-baseline writes a new file"
        raise BadBaseline(path, "", f"cannot be read: {error.strerror}", hint) from None
    if len(octets) > LIMIT_OCTETS:
        raise BadBaseline(path, "", "larger than 1 MiB, which no baseline is", "check the path")
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadBaseline(path, "", f"not UTF-8: {error.reason} at octet {error.start}", "check the path") from None


def parse(text: str, path: Path) -> tuple[Entry, ...]:
    """The entries of a baseline's text, in their order; `path` is what messages call it.

    Raises:
        BadBaseline: something in it is missing, unknown, twice there, or of the wrong type.
    """
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits is a plain ValueError
        raise BadBaseline(path, "", f"not TOML: {error}", _SEE) from None
    for key in values:
        if key != "excused":
            why = f"unknown key {key!r}: expected tables [[excused]] and nothing else"
            raise BadBaseline(path, "", why, _near(key, ["excused"]) or _SEE)
    tables = values.get("excused", [])
    if not isinstance(tables, list):
        raise BadBaseline(path, "", "excused: expected an array of tables", "write [[excused]], in two brackets")
    entries: dict[tuple[str, str], Entry] = {}
    places: dict[tuple[str, str], str] = {}
    for place, table in zip(_places(text, len(tables)), tables, strict=True):
        entry = _entry(table, path, place)
        pair = (entry.provider, entry.requirement)
        if pair in entries:
            why = f"{entry.requirement} of {entry.provider} is excused already, in {places[pair]}"
            raise BadBaseline(path, place, why, "remove one of the two")
        entries[pair], places[pair] = entry, place
    return tuple(entries.values())


def headers(text: str) -> list[int]:
    """The lines, counted from 0, that look like the beginning of an entry."""
    return [number for number, line in enumerate(text.split("\n")) if _HEADER.match(line)]


def _places(text: str, count: int) -> Iterator[str]:
    """What messages call each entry: by its number, and by its line where that is certain."""
    lines = headers(text)
    for number in range(count):
        line = f" (line {lines[number] + 1})" if len(lines) == count else ""
        yield f"entry {number + 1}{line}"


def _entry(table: Any, path: Path, place: str) -> Entry:
    def bad(why: str, hint: str) -> BadBaseline:
        return BadBaseline(path, place, why, hint)

    if not isinstance(table, dict):
        raise bad("expected a table", "write each entry as [[excused]] with its keys below")
    fields = Entry.__struct_fields__
    for key in table:
        if key not in fields:
            raise bad(f"unknown key {key!r}", _near(key, fields) or f"there are: {', '.join(fields)}")
    for key in fields:
        if key not in table:
            raise bad(f"{key} is missing", f"an entry has all of: {', '.join(fields)}")
    words: dict[str, str] = {}
    for key in fields[:-1]:
        value = table[key]
        if not isinstance(value, str) or not value.strip():
            raise bad(f"{key}: expected some text, got {_shown(value)}", f'write {key} = "…"')
        words[key] = value
    if (requirement := words["requirement"]) not in catalogue.load():
        near = _near(requirement.upper(), catalogue.load())
        raise bad(f"requirement: there is no {requirement!r}", near or "shutdown-conformance requirements lists them")
    if (expires := _date(table["expires"])) is None:
        raise bad(f"expires: expected a date, got {_shown(table['expires'])}", "write expires = 2030-12-31")
    return Entry(**words, expires=expires)


def _date(value: Any) -> date | None:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return value if type(value) is date else None  # a date with a time of day is of a subclass


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str | int | float) else type(value).__name__
    return text if len(text) < 60 else f"{text[:58]}…"


def _near(word: str, known: Collection[str]) -> str:
    near = get_close_matches(word, known)
    return f"did you mean {' or '.join(near)}?" if near else ""


# --- an entry that matches nothing ----------------------------------------------------------------------------------


def check_providers(entries: Collection[Entry], path: Path, providers: Collection[str]) -> None:
    """Every entry is of a provider that is tested. Raises BadBaseline."""
    for entry in entries:
        if entry.provider not in providers:
            why = f"{entry.requirement} is excused for {entry.provider!r}, which this run does not test"
            hint = f"name it with --provider, or mend the entry: this run tests {', '.join(providers)}"
            raise BadBaseline(path, "", why, hint)


def check_requirements(entries: Collection[Entry], path: Path, statements: Mapping[str, Statement]) -> None:
    """Every entry is of a requirement that applies. `statements`: of the providers met so far. Raises BadBaseline."""
    for entry in entries:
        statement = statements.get(entry.provider)
        why = statement and catalogue.load()[entry.requirement].unmet(statement)
        if why:
            said = f"{entry.requirement} is excused for {entry.provider}, to which it does not apply: {why}"
            raise BadBaseline(path, "", said, "remove the entry, or let --update-baseline do it")
