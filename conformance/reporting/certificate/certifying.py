# SPDX-License-Identifier: MIT
"""A run, certified: judged again, and packed with its report into one signed bundle.

What a certificate states must follow from its evidence, so a run is refused whose evidence says something else, that
was cut short, or that judged nothing. A run that failed is not refused: that it failed is an honest statement.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from securesystemslib.signer import CryptoSigner

from conformance import __version__
from conformance.catalogue import catalogue
from conformance.reporting import gating
from conformance.reporting.certificate import archive, bundle, signing, statement
from conformance.reporting.certificate.bundle import Progress
from conformance.reporting.gating import Gate
from conformance.reporting.rejudging import Rejudged, rejudge
from conformance.reporting.results import Results, Suite, load
from conformance.reporting.text import several

_SHOWN = 3


class Refused(Exception):
    """A run that cannot be certified: why, a hint, and the exit status."""

    def __init__(self, why: str, hint: str, status: int = gating.CLOSED) -> None:
        super().__init__(why)
        self.hint, self.status = hint, status


@dataclass(frozen=True)
class Certificate:
    """What was written: the path, the number of files in it, its size in octets, and what it states."""

    path: Path
    files: int
    octets: int
    statement: statement.Statement
    gate: Gate
    left_out: int
    """Evidence of no case, as an interrupted run leaves it: it stays behind."""


def certify(directory: Path, signer: CryptoSigner, output: Path, progress: Progress) -> Certificate:
    """Certify the run in that directory; the bundle is written whole or not at all.

    Raises:
        BadResults: the directory holds no results that can be read.
        Refused: the run cannot be certified.
        OSError: the bundle cannot be written, or the evidence not be read.
    """
    results = load(directory / bundle.RESULTS)
    gate = gating.gate(results)
    _check_run(results, gate)
    again = _judged_again(results, directory, progress)
    progress("making the report", 0, 0)
    pages = bundle.pages_of(results, directory)
    evidence = _evidence(results, directory)
    made: list[statement.Statement] = []

    def sign(results_sha256: str, manifest_sha256: str) -> bytes:
        made.append(statement.make(results, gate, results_sha256, manifest_sha256))
        return signing.sign(statement.encoded(made[-1]), signer)

    total, done = len(evidence) + len(pages) + 4, 0

    def packed() -> None:
        nonlocal done
        done += 1
        progress("packing", done, total)

    beside = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        with beside.open("w+b") as file:
            key = signing.public_pem(signer.public_key)
            files = bundle.write(file, directory, evidence, pages, key, sign, packed)
            octets = file.tell()
            archive.read_directory(file)  # what no verifier would read must not be written
        beside.replace(output)
    except archive.BadArchive as problem:
        raise Refused(str(problem), "such evidence cannot be packed: run the cases again") from None
    finally:
        beside.unlink(missing_ok=True)
    return Certificate(output, files, octets, made[-1], gate, len(again.left_out))


def _check_run(results: Results, gate: Gate) -> None:
    if gate.status == gating.NOTHING_JUDGED:
        raise Refused(gate.sentence, "a certificate needs cases that decided something: run again", gate.status)
    extent = results.cases
    if extent.finished < extent.planned:
        why = f"the run was cut short after {extent.finished} of {several(extent.planned, 'case')}"
        raise Refused(why, "run it again to its end")
    if results.suite != Suite(__version__, catalogue.digest()):
        why = f"the run was judged by version {results.suite.version} with its catalogue, and this is {__version__}"
        raise Refused(why, "certify it with the version that ran it, or run it again with this one")


def _judged_again(results: Results, directory: Path, progress: Progress) -> Rejudged:
    total = sum(len(provider.cases) for provider in results.providers)
    again = rejudge(results, directory, lambda done: progress("judging again", done, total))
    wrong = [*map(str, again.bad), *(f"{c.provider}  {c.what}: {c.before} → {c.now}" for c in again.changes)]
    if wrong:
        more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        why = f"the results are not what their evidence comes to: {'; '.join(wrong[:_SHOWN])}{more}"
        raise Refused(why, f"shutdown-conformance judge {directory}")
    return again


def _evidence(results: Results, directory: Path) -> list[str]:
    """The evidence that the results name, and that is there: not every case has packets."""
    inside = directory.resolve()
    found = []
    for name in dict.fromkeys(bundle.evidence_of(results)):
        if not name.startswith(bundle.EVIDENCE):
            raise Refused(f"{name}: evidence lies below {bundle.EVIDENCE}", "take the directory as its run wrote it")
        path = (directory / name).resolve()
        if path.is_file() and path.is_relative_to(inside):
            found.append(name)
    return found
