# SPDX-License-Identifier: MIT
"""A baseline, written anew after a run: what still fails keeps its entry, what does not loses it, what is new gets one.

The file keeps its comments and layout. This is done on its lines: TOML libraries take a comment for a part of the
table above it, so that removing an entry would remove what is written over the next one. What comes out is read again
before it is written, and must hold exactly the entries that it should.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import msgspec
import tomlkit

from conformance.oracle.verdicts import Verdict
from conformance.reporting.baseline import BadBaseline, Baseline, Entry, headers, parse
from conformance.reporting.gating import Standing, standing
from conformance.reporting.results import Results
from conformance.reporting.text import several

REASON, OWNER = "not examined yet", "nobody yet"
VALID_DAYS = 30
_HEAD = "# Failures that are excused, why, by whom and until when. See docs/gate.md.\n"


@dataclass(frozen=True)
class Removed:
    """An entry that excuses nothing any more, and the verdict that says so."""

    entry: Entry
    verdict: Verdict


@dataclass(frozen=True)
class Update:
    """What an update did. `baseline`: the one that the run is to be measured by now. `text`: the whole file."""

    baseline: Baseline
    text: str
    added: tuple[Entry, ...]
    removed: tuple[Removed, ...]
    expired: tuple[Entry, ...]


def update(results: Results, text: str, path: Path, day: date) -> Update:
    """Make a baseline's text fit a run. `path` is what messages and reports call it.

    An entry stays where the run did not decide it. An error gets none: it is no answer, so there is nothing to excuse.

    Raises:
        BadBaseline: the text cannot be used, or its entries are written in a form that cannot be edited.
    """
    verdicts = {(p.name, row.id): row.verdict for p in results.providers if not p.problem for row in p.requirements}
    entries = parse(text, path)
    removed = []
    for entry in entries:
        verdict = verdicts.get((entry.provider, entry.requirement), Verdict.NOT_EXERCISED)
        if standing(entry, verdict, day, whole=True) in (Standing.STALE, Standing.UNMATCHED):
            removed.append(Removed(entry, verdict))
    gone = [each.entry for each in removed]
    kept = tuple(entry for entry in entries if entry not in gone)
    listed = {(entry.provider, entry.requirement) for entry in kept}
    added = tuple(
        Entry(*key, REASON, OWNER, day + timedelta(days=VALID_DAYS))
        for key, verdict in verdicts.items()
        if verdict is Verdict.FAIL and key not in listed
    )
    now = _edited(text, {entries.index(entry) for entry in gone}, added)
    if not _holds(now, (*kept, *added), path):
        raise _uneditable(path)
    tested = {provider.name for provider in results.providers}
    applied = tuple(entry for entry in (*kept, *added) if entry.provider in tested)
    expired = tuple(entry for entry in kept if entry.expires < day)
    return Update(Baseline(path.name, day, applied), now, added, tuple(removed), expired)


def check_form(text: str, entries: tuple[Entry, ...], path: Path) -> None:
    """Whether the entries of a text can be edited one by one. Raises BadBaseline."""
    if len(headers(text)) != len(entries):
        raise _uneditable(path)


def _uneditable(path: Path) -> BadBaseline:
    why = "its entries are written in a form that cannot be edited"
    return BadBaseline(path, "", why, "write each entry as a table of its own, [[excused]], with a line for each key")


def write(path: Path, text: str) -> None:
    """Write the file whole: beside its place, then moved there; a link stays a link. Raises OSError."""
    place = path.resolve()
    beside = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(text.encode())
        if place.exists():
            shutil.copymode(place, beside)
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)


def lines(done: Update) -> Iterator[str]:
    """What an update did, in lines."""
    file = done.baseline.file
    if not (done.added or done.removed):
        yield f"{file} stays as it is: it fits this run."
    for each in done.removed:
        entry = each.entry
        said = f"{entry.reason}; {entry.owner}, until {entry.expires}"
        yield f"removed from {file}: {entry.requirement} of {entry.provider}, {each.verdict} now (it said: {said})"
    for entry in done.added:
        yield f"added to {file}: {entry.requirement} of {entry.provider}, until {entry.expires}"
    if done.added:
        wants = several(len(done.added), "new entry wants", "new entries want")
        yield f"{wants} a reason and an owner: edit {file} before it is relied on."
    if done.expired:
        have = several(len(done.expired), "entry has", "entries have")
        yield f"{have} expired and excuse nothing: find out why, and give a new date by hand."


# --- the lines of the file ------------------------------------------------------------------------------------------


def _edited(text: str, without: set[int], added: tuple[Entry, ...]) -> str:
    """The text without the entries of those numbers, and with new ones at its end."""
    ending = "\r\n" if "\r\n" in text else "\n"
    kept = text.split("\n")
    for first, end in [span for number, span in enumerate(_spans(kept, headers(text))) if number in without][::-1]:
        del kept[first:end]
    edited = "\n".join(kept)
    if not edited.strip():
        edited = _HEAD.replace("\n", ending)
    elif not edited.endswith("\n"):
        edited += ending
    if added:
        new = tomlkit.dumps({"excused": [msgspec.structs.asdict(entry) for entry in added]})
        edited = edited.rstrip("\r\n") + ending * 2 + new.replace("\n", ending)
    return edited


def _holds(text: str, entries: tuple[Entry, ...], path: Path) -> bool:
    try:
        return parse(text, path) == entries
    except BadBaseline:
        return False


def _spans(text: list[str], starts: list[int]) -> Iterator[tuple[int, int]]:
    """The lines of each entry: with the comments right above it, and the blank lines after it."""
    firsts = [_first(text, start) for start in starts]
    for first, start, limit in zip(firsts, starts, [*firsts, len(text)][1:], strict=True):
        end = limit
        while end > start + 1 and (not text[end - 1].strip() or text[end - 1].lstrip().startswith("#")):
            end -= 1
        while end < limit and not text[end].strip():
            end += 1
        yield first, end


def _first(text: list[str], start: int) -> int:
    while start > 0 and text[start - 1].lstrip().startswith("#"):
        start -= 1
    return start
