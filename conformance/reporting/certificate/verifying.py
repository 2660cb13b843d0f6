# SPDX-License-Identifier: MIT
"""A bundle, verified: it is whole and as it was signed, and its evidence, judged again, comes to what it states.

This module holds the bundle against itself: archive, signature, statement, digests. What the results say is held
against the evidence in `confirming`. Whatever is wrong is named, and the rest verified as far as it goes; a bundle is
somebody's, so nothing in it is believed, and nothing is unpacked but evidence, to a directory that is removed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from securesystemslib.signer import SSlibKey

from conformance.reporting import gating
from conformance.reporting.certificate import archive, bundle, signing, statement
from conformance.reporting.certificate.archive import BadArchive, Flaw, Member
from conformance.reporting.certificate.bundle import (
    EVIDENCE,
    KEY,
    MANIFEST,
    MUTANTS,
    REPORT,
    RESULTS,
    STATEMENT,
    Manifest,
    Progress,
)
from conformance.reporting.certificate.confirming import Account, Confirmed, Difference, confirm
from conformance.reporting.certificate.statement import Statement
from conformance.reporting.text import several

_NAMES = (RESULTS, REPORT, MUTANTS, KEY, MANIFEST, STATEMENT)
"""The files of a bundle besides the evidence."""


@dataclass(frozen=True)
class Verification:
    """What came of it: what was verified and what could not be, in sentences, what is wrong, and by whom it is signed.

    `signer` is a fingerprint, empty where the signature does not hold; `trusted` whether that key was given by the one
    who verifies, and not just found in the bundle. `confirmed` is what judging again came to, None
    where there were no results to judge.
    """

    account: Account
    signer: str
    trusted: bool
    confirmed: Confirmed | None

    @property
    def status(self) -> int:
        """0 all verified and the gate open, 1 something is wrong or the gate closed, 3 nothing could be judged."""
        if self.account.wrong or self.differs:
            return gating.CLOSED
        return self.confirmed.gate.status if self._judged and self.confirmed else gating.NOTHING_JUDGED

    @property
    def differs(self) -> tuple[Difference, ...]:
        """Where this suite judges otherwise than the one that judged first."""
        return self.confirmed.differs if self.confirmed else ()

    @property
    def _judged(self) -> bool:
        return self.confirmed is not None and bool(self.confirmed.judged)

    @property
    def sentence(self) -> str:
        """What it comes to: whether to rely on it is told apart from whether what was tested passed."""
        gate = f" {self.confirmed.gate.sentence}" if self.confirmed else ""
        if self.account.wrong:
            return (
                f"Not verified: {several(len(self.account.wrong), 'thing is', 'things are')} wrong. Do not rely on it."
            )
        if self.differs:
            number = several(len(self.differs), "requirement")
            return (
                f"Nothing was found changed, but this suite judges {number} differently: verify it with that suite too."
            )
        if not self._judged:
            return "Nothing could be judged: what is said above tells why."
        if not self.signer:
            return f"The evidence bears the results out, but by whom it is signed could not be verified.{gate}"
        return f"{'Verified.' if self.trusted else 'Verified, except for whose key it is signed with.'}{gate}"


@dataclass
class _Contents:
    """What was taken out of the archive: the small files whole, and of each file the digest of its content."""

    small: dict[str, bytes] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    evidence: set[str] = field(default_factory=set)
    """What lies unpacked, as the manifest has it; what differs is named and not kept."""


def verify(path: Path, trusted: SSlibKey | None, progress: Progress) -> Verification:
    """Verify the bundle; with `trusted` it must be signed with that key.

    Raises:
        OSError: the bundle cannot be read, or the evidence not be unpacked.
    """
    account = Account()
    with path.open("rb") as file:
        try:
            members, flaws = archive.read_directory(file)
        except BadArchive as problem:
            account.wrong.append(problem.flaw)
            account.unverified.append("anything else: the archive cannot be relied on")
            return Verification(account, "", trusted is not None, None)
        account.wrong += flaws
        if not flaws:
            account.verified.append(
                f"the archive: {several(len(members), 'file')}, and not one byte beside them and their directory"
            )
        with TemporaryDirectory(prefix="shutdown-conformance-") as scratch:
            return _verify(file, members, Path(scratch), trusted, account, progress)


def _verify(
    file: BinaryIO, members: list[Member], scratch: Path, trusted: SSlibKey | None, account: Account, progress: Progress
) -> Verification:
    manifest = _manifest(file, members, account)
    contents = _unpack(file, members, manifest, scratch, account, progress)
    signer, stated = _signature(contents, trusted, account)
    if stated is not None:
        _check_subjects(stated, contents, account)
    confirmed = None
    if RESULTS in contents.small:
        confirmed = confirm(
            contents.small[RESULTS],
            {name: contents.small[name] for name in (REPORT, MUTANTS) if name in contents.small},
            contents.evidence,
            {member.name for member in members if member.name.startswith(EVIDENCE)},
            scratch,
            account,
            progress,
        )
    if confirmed is not None and stated is not None:
        confirmed.check_statement(stated, account)
    return Verification(account, signer, trusted is not None, confirmed)


# --- digests --------------------------------------------------------------------------------------------------------


def _manifest(file: BinaryIO, members: Iterable[Member], account: Account) -> Manifest | None:
    member = next((member for member in members if member.name == MANIFEST), None)
    if member is None:
        account.wrong.append(Flaw(MANIFEST, "missing"))
        return None
    try:
        return bundle.decode_manifest(b"".join(archive.unpack(file, member)))
    except BadArchive:
        return None  # it is named when everything is unpacked
    except bundle.BadManifest as problem:
        if problem.newer:
            account.unverified.append(f"the digests of the files: {problem}; verify it with a newer suite")
        else:
            account.wrong.append(Flaw(MANIFEST, str(problem)))
        return None


def _unpack(
    file: BinaryIO,
    members: list[Member],
    manifest: Manifest | None,
    scratch: Path,
    account: Account,
    progress: Progress,
) -> _Contents:
    """Take out every file, once, and compare it with the manifest on the way."""
    contents = _Contents()
    listed = {each.path: each for each in manifest.files} if manifest else {}
    before = len(account.wrong)
    for number, member in enumerate(members, start=1):
        name = member.name
        progress("unpacking", number, len(members))
        if manifest and name not in listed and name not in (MANIFEST, STATEMENT):
            account.wrong.append(Flaw(name, "not in the manifest: it was added"))
            continue
        if not name.startswith(EVIDENCE) and name not in _NAMES:
            account.wrong.append(Flaw(name, "no file that a bundle has"))
            continue
        content, packed = hashlib.sha256(), hashlib.sha256()
        try:
            _take(archive.unpack(file, member, packed.update), name, content.update, contents, scratch)
        except BadArchive as problem:
            account.wrong.append(problem.flaw)
            (scratch / name).unlink(missing_ok=True)
            continue
        contents.digests[name] = content.hexdigest()
        if name in listed and (what := _difference(listed[name], member, content.hexdigest(), packed.hexdigest())):
            account.wrong.append(Flaw(name, what))
            (scratch / name).unlink(missing_ok=True)
        elif name.startswith(EVIDENCE):
            contents.evidence.add(name)
    if manifest is None:
        return contents
    missing = sorted(listed.keys() - {member.name for member in members})
    account.wrong += [Flaw(name, "missing: the manifest names it") for name in missing]
    order = [*(each.path for each in manifest.files), MANIFEST, STATEMENT]
    if len(account.wrong) == before:
        if [member.name for member in members] != order:
            account.wrong.append(Flaw(archive.DIRECTORY, "its files are not in the order of the manifest"))
        else:
            account.verified.append(f"the digests of {several(len(listed), 'file')}: none missing, none added")
    return contents


def _take(
    chunks: Iterable[bytes], name: str, seen: Callable[[bytes], None], contents: _Contents, scratch: Path
) -> None:
    """Keep a small file, or unpack evidence: nothing else is written anywhere."""
    if name.startswith(EVIDENCE):
        path = scratch / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for chunk in chunks:
                seen(chunk)
                file.write(chunk)
    else:
        contents.small[name] = b"".join(chunks)
        seen(contents.small[name])


def _difference(listed: bundle.File, member: Member, sha256: str, packed_sha256: str) -> str:
    if (listed.sha256, listed.size) != (sha256, member.size):
        return "not the file that was certified: its digest is another"
    return "" if listed.packed_sha256 == packed_sha256 else "the content that was certified, but packed otherwise"


# --- the signature --------------------------------------------------------------------------------------------------


def _signature(contents: _Contents, trusted: SSlibKey | None, account: Account) -> tuple[str, Statement | None]:
    """By whom the statement is signed, "" where the signature does not hold; and the statement."""
    beside = _key_of(contents, account)
    if STATEMENT not in contents.small:
        account.wrong.append(Flaw(STATEMENT, "missing: nothing is signed"))
        return "", None
    try:
        envelope = signing.open_envelope(contents.small[STATEMENT])
        stated = statement.decode(envelope.payload)
    except (signing.BadEnvelope, statement.BadStatement) as problem:
        account.wrong.append(Flaw(STATEMENT, str(problem)))
        return "", None
    key = trusted or beside
    if key is None:
        account.unverified.append("the signature: the bundle has no key, and none was given")
        return "", stated
    if beside is not None and signing.key_id(envelope) != beside.keyid:
        account.wrong.append(Flaw(KEY, "not the key that the statement says it is signed with"))
    if signing.key_id(envelope) != key.keyid:
        what = f"signed with another key, sha256:{signing.key_id(envelope)}, and not with {signing.fingerprint(key)}"
        account.wrong.append(Flaw(STATEMENT, what))
        return "", stated
    try:
        signing.check(envelope, key)
    except signing.BadSignature as problem:
        account.wrong.append(Flaw(STATEMENT, f"the signature does not hold: {problem}"))
        return "", stated
    named = signing.fingerprint(key)
    if trusted is not None:
        account.verified.append(f"the signature: by the key that was given, {named}")
    else:
        account.verified.append(f"the signature: by the key in the bundle, {named}")
        account.unverified.append("whose key that is: give the signer's public key with --key, or compare its digest")
    return named, stated


def _key_of(contents: _Contents, account: Account) -> SSlibKey | None:
    """The key that lies in the bundle."""
    if KEY not in contents.small:
        account.wrong.append(Flaw(KEY, "missing"))
        return None
    try:
        key = signing.parse_public(contents.small[KEY])
    except ValueError as problem:
        account.wrong.append(Flaw(KEY, str(problem)))
        return None
    if signing.public_pem(key) != contents.small[KEY]:
        account.wrong.append(Flaw(KEY, "not encoded as a bundle's is"))
    return key


def _check_subjects(stated: Statement, contents: _Contents, account: Account) -> None:
    """The statement must be for this manifest and these results."""
    about = [(subject.name, subject.digest) for subject in stated.subject]
    if [name for name, _ in about] != [RESULTS, MANIFEST]:
        account.wrong.append(Flaw(STATEMENT, "it is about something else than results and manifest"))
        return
    others = [name for name, digest in about if digest != {"sha256": contents.digests.get(name)}]
    account.wrong += [Flaw(STATEMENT, f"it is for another {name} than this one") for name in others]
    if not others:
        account.verified.append("the statement: of a test result, for these results and this manifest")
