# SPDX-License-Identifier: MIT
"""`certify`: a run as one signed bundle, and a key to sign with."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.cli.usage import WRONG_USAGE, Stop

if TYPE_CHECKING:
    from conformance.reporting.certificate.certifying import Certificate

HELP = "write a signed certificate of a run: results, evidence and report in one file"
DESCRIPTION = """\
Judges a run again, and packs its results, its evidence and its report into one file, with a signed statement of what
they come to. Anybody can check it with `verify`. A run that failed is certified as one that failed.

The key is an Ed25519 private key in PEM (PKCS#8, or OpenSSH's). If it is encrypted, its passphrase is asked for on the
terminal, or taken from the environment variable SHUTDOWN_CONFORMANCE_PASSPHRASE. --new-key makes one, encrypted where
that variable is set; the public key is written beside it, with `.pub` added: give it to whoever verifies.

exit status: 0 the certificate is written; 1 this run cannot be certified (its results are not what its evidence comes
             to, it was cut short, another version ran it); 2 wrong usage (no such directory, a bad key);
             3 the run judged nothing"""
EXAMPLE = "shutdown-conformance certify reports/latest --key vendor.pem --output certificate.zip"

PASSPHRASE = "SHUTDOWN_CONFORMANCE_PASSPHRASE"
_OUTPUT = "certificate.zip"
_ZIP = b"PK\3\4"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("directory", metavar="DIR", type=Path, nargs="?", help="the directory of a run")
    parser.add_argument("--key", metavar="FILE", type=Path, help="the private key to sign with")
    parser.add_argument("--output", metavar="FILE", type=Path, help=f"where it goes (default: DIR/{_OUTPUT})")
    parser.add_argument("--new-key", metavar="FILE", type=Path, help="make a key instead; never overwrites one")


def run(arguments: argparse.Namespace) -> int:
    """Certify, or make a key."""
    if arguments.new_key is not None:
        if arguments.directory is not None or arguments.key is not None or arguments.output is not None:
            raise Stop("--new-key makes a key and does nothing else", "make the key first, then certify with it")
        return _make_key(arguments.new_key)
    if arguments.directory is None:
        raise Stop("no directory of a run is named", EXAMPLE)
    if arguments.key is None:
        raise Stop("a certificate is signed: --key is missing", "shutdown-conformance certify --new-key vendor.pem")
    return _certify(arguments.directory, arguments.key, arguments.output or arguments.directory / _OUTPUT)


def _make_key(path: Path) -> int:
    from conformance.reporting.certificate import signing

    secret = os.environ.get(PASSPHRASE, "")
    try:
        key = signing.new_key(path, secret)
    except signing.BadKey as problem:
        raise Stop(str(problem), problem.hint) from None
    print(f"private key  {path} ({'encrypted' if secret else 'not encrypted'}; keep it to yourself)")
    print(f"public key   {path}.pub (give it to whoever verifies)")
    print(f"fingerprint  {signing.fingerprint(key)}")
    return 0


def _certify(directory: Path, key: Path, output: Path) -> int:
    from conformance.cli.work import Steps, ended_like_ctrl_c
    from conformance.reporting.certificate import certifying, signing
    from conformance.reporting.results import BadResults
    from conformance.reporting.text import clean

    try:
        signer = signing.load_private(key, lambda: _passphrase(key))
        _check_output(output)
        with ended_like_ctrl_c(), Steps() as steps:
            written = certifying.certify(directory, signer, output, steps)
    except (signing.BadKey, BadResults) as problem:
        raise Stop(clean(str(problem)), problem.hint) from None
    except certifying.Refused as problem:
        raise Stop(clean(f"not certified: {problem}"), problem.hint, problem.status) from None
    except OSError as error:
        hint = "mend that, or name another file with --output"
        raise Stop(clean(f"not certified: {error.filename or output}: {error.strerror}"), hint) from None
    _tell(written, signing.fingerprint(signer.public_key), key)
    return 0


def _passphrase(key: Path) -> str:
    if (given := os.environ.get(PASSPHRASE)) is not None:
        return given
    if not sys.stdin.isatty():
        raise Stop(
            f"{key}: the key is encrypted, and there is no terminal to ask for its passphrase", f"set {PASSPHRASE}"
        )
    from getpass import getpass

    try:
        return getpass(f"passphrase of {key}: ")
    except EOFError:
        raise Stop(f"{key}: no passphrase was given", f"type it, or set {PASSPHRASE}") from None


def _check_output(output: Path) -> None:
    """An earlier certificate may be replaced; nothing else."""
    hint = "name another file with --output"
    if output.is_dir():
        raise Stop(f"{output} is a directory", hint, WRONG_USAGE)
    if output.exists() and output.is_file():
        with output.open("rb") as file:
            if file.read(len(_ZIP)) != _ZIP:
                raise Stop(f"{output} exists, and is no certificate", hint, WRONG_USAGE)


def _tell(written: Certificate, fingerprint: str, key: Path) -> None:
    from conformance.reporting.text import clean, several

    said = written.statement.predicate
    size = f"{written.octets / 1e6:.1f} MB" if written.octets >= 100_000 else f"{written.octets / 1000:.1f} kB"
    lists = {"passed": said.passed_tests, "warned": said.warned_tests, "failed": said.failed_tests}
    counts = ", ".join(f"{len(names)} {word}" for word, names in lists.items())
    print(f"written    {written.path} ({several(written.files, 'file')}, {size})")
    print(clean(f"states     {said.result}: {counts}. {written.gate.sentence}"))
    print(f"signed by  {fingerprint}")
    if written.left_out:
        print(f"left out   {several(written.left_out, 'evidence file')} of no case of these results")
    beside = key.with_name(f"{key.name}.pub")
    print(f"check it   shutdown-conformance verify {written.path}{f' --key {beside}' if beside.exists() else ''}")
