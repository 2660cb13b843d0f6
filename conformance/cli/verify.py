# SPDX-License-Identifier: MIT
"""`verify`: somebody's certificate, checked offline."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cli.usage import NOTHING_JUDGED, Stop

if TYPE_CHECKING:
    from conformance.reporting.certificate.verifying import Verification

HELP = "check a certificate: signature, digests, and every verdict judged again"
DESCRIPTION = """\
Verifies a certificate that `certify` wrote, with nothing but that file: that no byte was changed, that the signature
holds, that every verdict follows from the evidence (each trace is judged again), and that the report and the statement
say the same. Prints what was verified, what could not be, and what is wrong. Without --key it cannot say whose
signature it is: give the public key that you have from the signer.

exit status: 0 verified, and the gate of its results is open; 1 something is wrong, or it is verified and the gate is
             closed (which of them is said); 2 wrong usage (no such file, a bad key); 3 nothing could be judged"""
EXAMPLE = "shutdown-conformance verify certificate.zip --key vendor.pem.pub"

_SHOWN = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help="the file that certify wrote")
    parser.add_argument("--key", metavar="FILE", type=Path, help="the signer's public key: PEM, or OpenSSH's")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON, and nothing else, on stdout")


def run(arguments: argparse.Namespace) -> int:
    """Verify."""
    from conformance.cli.work import Steps, ended_like_ctrl_c
    from conformance.reporting.certificate import signing, verifying
    from conformance.reporting.text import clean

    path: Path = arguments.bundle
    try:
        trusted = signing.load_public(arguments.key) if arguments.key is not None else None
    except signing.BadKey as problem:
        raise Stop(str(problem), problem.hint) from None
    _check_readable(path)
    try:
        with ended_like_ctrl_c(), Steps() as steps:
            found = verifying.verify(path, trusted, steps)
    except OSError as error:
        hint = "evidence is unpacked to a temporary directory: make room there, or set TMPDIR to another"
        raise Stop(clean(f"{error.filename or path}: {error.strerror}"), hint, NOTHING_JUDGED) from None
    if arguments.json:
        print(json.dumps(_as_json(path, found), indent=1))
    else:
        _tell(found)
    return found.status


def _check_readable(path: Path) -> None:
    hint = "name the file that certify wrote"
    if path.exists() and not path.is_file():
        raise Stop(f"{path}: {'a directory' if path.is_dir() else 'no plain file'}", hint)
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise Stop(f"{path}: cannot be read: {error.strerror}", hint) from None


def _tell(found: Verification) -> None:
    from conformance.reporting.text import clean

    def listed(heading: str, lines: list[str]) -> None:
        if lines:
            print(heading)
        for line in lines[:_SHOWN]:
            print(clean(f"  {line}"))
        if len(lines) > _SHOWN:
            print(f"  and {len(lines) - _SHOWN} more; --json has all of them")

    listed("verified", found.account.verified)
    listed("could not be verified", found.account.unverified)
    differs = [
        f"{d.provider}  {d.requirement}: {d.then} → {d.now}{f' ({d.reason})' if d.reason else ''}"
        for d in found.differs
    ]
    listed("this suite judges differently", differs)
    listed("wrong", [str(flaw) for flaw in found.account.wrong])
    print(clean(found.sentence))


def _as_json(path: Path, found: Verification) -> dict[str, Any]:
    gate = found.confirmed.gate if found.confirmed else None
    return {
        "bundle": str(path),
        "status": found.status,
        "sentence": found.sentence,
        "signed_by": found.signer,
        "verified": found.account.verified,
        "unverified": found.account.unverified,
        "differs": [
            {"provider": d.provider, "requirement": d.requirement, "then": d.then, "now": d.now, "reason": d.reason}
            for d in found.differs
        ],
        "wrong": [{"where": flaw.where, "what": flaw.what} for flaw in found.account.wrong],
        "gate": {"status": gate.status, "sentence": gate.sentence} if gate else None,
    }
