# SPDX-License-Identifier: MIT
"""Traces on disk: JSON Lines, sealed by a digest, so that what was cut short or edited is told from what is whole.

The first line holds the format and the header, each further line one event, the last line their number and the SHA-256
of everything before it. A file is written beside its place and moved there, so a trace is whole or absent.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TypeVar

import msgspec

from conformance.trace.decoding import decode
from conformance.trace.events import Event
from conformance.trace.trace import Header, Trace
from conformance.trace.whole import write_whole

T = TypeVar("T")

FORMAT = 1
_NAME_LIMIT = 150


class _Format(msgspec.Struct, frozen=True):
    trace: int


class _First(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    trace: int
    header: Header


class _Seal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    events: int
    sha256: str


_FORMAT = msgspec.json.Decoder(_Format)
_FIRST = msgspec.json.Decoder(_First)
_EVENT: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_SEAL = msgspec.json.Decoder(_Seal)


class BadEvidence(Exception):
    """A stored trace that cannot be relied on: `path`, `line` (from 1, 0 for the file as a whole), why, and a hint."""

    def __init__(self, path: Path, line: int, why: str, hint: str) -> None:
        super().__init__(f"{path}{f', line {line}' if line else ''}: {why}")
        self.path, self.line, self.why, self.hint = path, line, why, hint


class UnknownFormat(BadEvidence):
    """A trace that another version of the suite wrote, in a format that this one does not read."""


_EDITED = "restore the file from the run that made it, or run the case again; an edited trace proves nothing"
_CUT = "the run was cut short or the copy is incomplete: copy it again, or run the case again"


def file_name(case: str) -> str:
    """A file name for a case, readable and unique: what a file system may not like is replaced, with a digest added."""
    plain = re.sub(r"[^A-Za-z0-9._=+-]+", "-", case).strip("-")
    if plain == case and len(plain) <= _NAME_LIMIT:
        return plain
    return f"{plain[:_NAME_LIMIT]}.{hashlib.sha256(case.encode()).hexdigest()[:8]}"


def save(trace: Trace, path: Path) -> None:
    """Write a trace whole. Raises OSError where the place cannot be written."""
    encoder = msgspec.json.Encoder()
    lines = [encoder.encode(_First(FORMAT, trace.header)), *map(encoder.encode, trace.events)]
    body = b"\n".join(lines) + b"\n"
    seal = encoder.encode(_Seal(len(trace.events), hashlib.sha256(body).hexdigest()))
    write_whole(path, body + seal + b"\n")


def load(path: Path) -> Trace:
    """Read a trace back.

    Raises:
        BadEvidence: the file cannot be read, is cut short, was edited, or (UnknownFormat) is of an unknown format.
    """
    try:
        whole = path.read_bytes()
    except OSError as error:
        raise BadEvidence(path, 0, f"cannot be read: {error.strerror}", "check the path and its permissions") from error
    body, newline, last = whole.removesuffix(b"\n").rpartition(b"\n")
    lines = body.split(b"\n")
    try:
        seal = decode(last, _SEAL)
    except msgspec.DecodeError:
        raise BadEvidence(path, 0, "the last line is not the seal: the file is cut short", _CUT) from None
    if hashlib.sha256(body + newline).hexdigest() != seal.sha256:
        raise BadEvidence(path, 0, "the digest does not fit: the file was changed after it was written", _EDITED)
    if (found := _decode(path, 1, lines[0], _FORMAT).trace) != FORMAT:
        why = f"trace format {found}, and this suite reads {FORMAT}"
        raise UnknownFormat(path, 1, why, "judge it with the suite version that wrote it")
    first = _decode(path, 1, lines[0], _FIRST)
    events = tuple(_decode(path, number, line, _EVENT) for number, line in enumerate(lines[1:], start=2))
    return Trace(first.header, events)


def _decode(path: Path, number: int, line: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decode(line, decoder)
    except msgspec.DecodeError as error:
        raise BadEvidence(path, number, str(error), _EDITED) from None
