# SPDX-License-Identifier: MIT
"""What a bundle holds: results, report and evidence, the key, the manifest of their digests, and the signed statement.

Unpacked, it is the directory of a run. The manifest covers every file but itself and the statement; the statement
covers the manifest. These two lie in the archive as they are, so that nothing of them depends on how they are packed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import msgspec

from conformance.reporting import page
from conformance.reporting.certificate import archive
from conformance.reporting.page import mutants
from conformance.reporting.results import Results

RESULTS, KEY = "results.json", "public-key.pem"
REPORT, MUTANTS = "report.html", "mutants.html"
MANIFEST, STATEMENT = "manifest.json", "statement.dsse.json"
EVIDENCE = "evidence/"
FORMAT = 1

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and of how much."""
Sign = Callable[[str, str], bytes]
"""Makes the signed statement from the SHA-256 of the results and of the manifest."""


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of the bundle. `packed_sha256` is of its bytes as they lie in the archive: packed alike, read alike."""

    path: str
    size: int
    sha256: str
    packed_sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every file of a bundle, in the order of the archive; `bundle` is the version of this form."""

    bundle: int
    files: tuple[File, ...]


class _Form(msgspec.Struct, frozen=True):
    bundle: int


class BadManifest(Exception):
    """A manifest that is none; `newer` where it is one of a form that this suite does not know."""

    def __init__(self, why: str, *, newer: bool = False) -> None:
        super().__init__(why)
        self.newer = newer


def evidence_of(results: Results) -> Iterator[str]:
    """Where a run keeps evidence: of each case the trace, and beside it the packets, where there are any."""
    for provider in results.providers:
        for case in provider.cases:
            yield case.evidence
            yield packets_beside(case.evidence)
    for control in results.control.cases if results.control else ():
        if control.evidence:
            yield control.evidence
            yield packets_beside(control.evidence)


def pages_of(results: Results, directory: Path) -> dict[str, bytes]:
    """The pages of a bundle by name: the report, and that of the kill matrix, whose evidence stays behind."""
    pages = {REPORT: page.render(results, directory)}
    if results.mutants is not None:
        pages[MUTANTS] = mutants.render(results.mutants, results.suite, directory, evidence=False)
    return {name: content.encode() for name, content in pages.items()}


def packets_beside(trace: str) -> str:
    """Where the packets of that trace lie."""
    return f"{trace.removesuffix('.jsonl')}.pcapng"


def write(
    file: BinaryIO,
    directory: Path,
    evidence: Iterable[str],
    pages: Mapping[str, bytes],
    key: bytes,
    sign: Sign,
    packed: Callable[[], object] = int,
) -> int:
    """Write a bundle, the same octets for the same input; the number of its files. `packed` is called after each.

    `evidence` are paths below the directory, `pages` the pages by name, `key` the public key in PEM. Raises OSError,
    and BadArchive for a path that no bundle may have and for what is too large.
    """
    written: list[archive.Packed] = []

    def add(name: str, chunks: Iterable[bytes], *, stored: bool = False) -> archive.Packed:
        written.append(archive.pack(file, name, chunks, stored=stored))
        packed()
        return written[-1]

    results = add(RESULTS, _chunks(directory / RESULTS))
    for name, content in pages.items():
        add(name, [content])
    add(KEY, [key])
    for name in sorted(evidence):
        add(name, _chunks(directory / name))
    manifest = encoded(
        Manifest(FORMAT, tuple(File(f.member.name, f.member.size, f.sha256, f.packed_sha256) for f in written))
    )
    add(MANIFEST, [manifest], stored=True)
    add(STATEMENT, [sign(results.sha256, hashlib.sha256(manifest).hexdigest())], stored=True)
    archive.close(file, [each.member for each in written])
    return len(written)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(archive.CHUNK):
            yield chunk


def encoded(manifest: Manifest) -> bytes:
    """The manifest as it is stored: there is one way only."""
    return msgspec.json.encode(manifest) + b"\n"


def decode_manifest(content: bytes) -> Manifest:
    """Read a manifest back. Raises BadManifest for another form, and for another encoding of this one."""
    try:
        if (form := msgspec.json.decode(content, type=_Form).bundle) != FORMAT:
            raise BadManifest(f"a bundle of form {form}, and this suite reads {FORMAT}", newer=form > FORMAT)
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadManifest(f"no manifest: {error}") from None
    if encoded(manifest) != content:
        raise BadManifest("not encoded as a bundle's is")
    return manifest
