# SPDX-License-Identifier: MIT
"""Certificates to tamper with: a small run certified, and packed again by somebody who has its key, or has not."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from securesystemslib.signer import CryptoSigner

from conformance.reporting import gating
from conformance.reporting.certificate import archive, bundle, signing, statement
from conformance.reporting.certificate.bundle import MANIFEST, RESULTS, STATEMENT, File, Manifest
from conformance.reporting.certificate.certifying import certify
from conformance.reporting.certificate.verifying import Verification, verify
from conformance.reporting.results import CaseSummary, ProviderResults, RequirementRow, Results, load, save
from tests.reporting.runs import GOOD, good_story, keep, named, results_of

REPLACED = msgspec.structs.replace


def quiet(what: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


def signer(path: Path) -> CryptoSigner:
    """The key at that path, made if there is none yet."""
    if not path.exists():
        signing.new_key(path)
    return signing.load_private(path, lambda: "")


def certified(directory: Path, key: Path | None = None) -> Path:
    """The certificate of the run in that directory."""
    output = directory.with_name(f"{directory.name}.zip")
    certify(directory, signer(key or directory.with_name("key.pem")), output, quiet)
    return output


def good_run(directory: Path) -> Results:
    """A run of one case, and its packets, that passes."""
    return good_runs(directory, GOOD)


def good_runs(directory: Path, *cases: str) -> Results:
    results = results_of(*(keep(named(good_story(), case), directory) for case in cases))
    save(results, directory / RESULTS)
    for case in results.providers[0].cases:
        (directory / bundle.packets_beside(case.evidence)).write_bytes(b"packets of " + case.id.encode())
    return results


def verified(path: Path, trusted: Path | None = None) -> Verification:
    return verify(path, signing.load_public(trusted) if trusted else None, quiet)


def wrong(found: Verification) -> list[str]:
    """What is wrong, each as it is printed."""
    return [str(flaw) for flaw in found.account.wrong]


# --- by somebody who has no key -------------------------------------------------------------------------------------


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as opened:
        return {info.filename: opened.read(info) for info in opened.infolist()}


def packed(path: Path, files: Mapping[str, bytes]) -> Path:
    """An archive of these files in a bundle's form, wherever they come from."""
    with path.open("w+b") as file:
        members = [
            archive.pack(file, name, [content], stored=name in (MANIFEST, STATEMENT)).member
            for name, content in files.items()
        ]
        archive.close(file, members)
    return path


def manifest_of(path: Path, files: Mapping[str, bytes]) -> bytes:
    """The manifest that fits these files; `path` is overwritten."""
    with path.open("w+b") as file:
        each = [
            archive.pack(file, name, [content]) for name, content in files.items() if name not in (MANIFEST, STATEMENT)
        ]
    entries = tuple(File(one.member.name, one.member.size, one.sha256, one.packed_sha256) for one in each)
    return bundle.encoded(Manifest(bundle.FORMAT, entries))


def with_manifest(path: Path, files: Mapping[str, bytes]) -> Path:
    """Packed, with a manifest that fits the files, under the statement as it is."""
    return packed(path, {**files, MANIFEST: manifest_of(path, files), STATEMENT: files[STATEMENT]})


# --- by the signer who lies -----------------------------------------------------------------------------------------


def signed_again(
    path: Path,
    files: Mapping[str, bytes],
    key: Path,
    change: Callable[[dict[str, Any]], object] = lambda said: None,
    results: Results | None = None,
) -> Path:
    """Manifest, statement and signature made anew, as if `certify` had never judged again.

    `change` is shown the statement before it is signed; `results` are what it is made from, if not those in the files.
    """
    files = {name: files[name] for name in files if name not in (MANIFEST, STATEMENT)}
    manifest = manifest_of(path, files)
    if results is None:
        path.write_bytes(files[RESULTS])
        results = load(path)
    digests = (hashlib.sha256(content).hexdigest() for content in (files[RESULTS], manifest))
    said = msgspec.json.decode(statement.encoded(statement.make(results, gating.gate(results), *digests)))
    change(said)
    payload = statement.encoded(msgspec.convert(said, statement.Statement))
    envelope = signing.sign(payload, signer(key))
    return packed(path, {**files, MANIFEST: manifest, STATEMENT: envelope})


def as_stored(results: Results) -> bytes:
    return msgspec.json.encode(results) + b"\n"


def with_results(files: Mapping[str, bytes], results: Results, directory: Path) -> dict[str, bytes]:
    """The files with other results, and the report that goes with them."""
    return {**files, RESULTS: as_stored(results), **bundle.pages_of(results, directory)}


def edited(
    results: Results,
    *,
    rows: Callable[[RequirementRow], RequirementRow] = lambda row: row,
    cases: Callable[[tuple[CaseSummary, ...]], tuple[CaseSummary, ...]] = lambda cases: cases,
    provider: Callable[[ProviderResults], ProviderResults] = lambda provider: provider,
    **others: Any,
) -> Results:
    """The results of one provider, with something in them changed."""
    (only,) = results.providers
    only = provider(REPLACED(only, requirements=tuple(map(rows, only.requirements)), cases=cases(only.cases)))
    return REPLACED(results, providers=(only,), **others)


def moved(results: Results, case: str, place: str) -> Results:
    """The results with the evidence of that case at another place."""

    def there(each: Any) -> Any:
        return REPLACED(each, evidence=place) if each.id == case else each

    return edited(
        results,
        rows=lambda row: REPLACED(row, cases=tuple(map(there, row.cases))),
        cases=lambda cases: tuple(map(there, cases)),
    )
