# SPDX-License-Identifier: MIT
"""Keys and signatures: Ed25519 (RFC 8032) in a DSSE envelope, by securesystemslib.

A private key is a PEM file, PKCS#8 as `openssl genpkey -algorithm ed25519` makes it, or OpenSSH's. A key is named by
its fingerprint, the SHA-256 of its SubjectPublicKeyInfo in DER: `openssl pkey -pubin -outform DER | sha256sum`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import FormatError, VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
_KEY_MAX = 1 << 16
_MAKE = "make one with `shutdown-conformance certify --new-key FILE`"
_PASSPHRASE_MAX = 1023  # OpenSSL's own limit, PEM_BUFSIZE less one


class BadKey(Exception):
    """A key that cannot be used: why, and a hint."""

    def __init__(self, path: Path, why: str, hint: str) -> None:
        super().__init__(f"{path}: {why}")
        self.hint = hint


class BadEnvelope(Exception):
    """No DSSE envelope, or none as `sign` makes it."""


class BadSignature(Exception):
    """The signature is not of this key and this content."""


# --- keys -----------------------------------------------------------------------------------------------------------


def load_private(path: Path, ask: Callable[[], str]) -> CryptoSigner:
    """Read a private key; `ask` is called for the passphrase of one that is encrypted, and may raise. Raises BadKey."""
    content = _read(path)
    if b"PRIVATE KEY-----" not in content:
        if b"PUBLIC KEY-----" in content or content.startswith(b"ssh-"):
            raise BadKey(path, "a public key, and signing needs the private one", "give the private key of the pair")
        raise BadKey(path, "no private key in PEM", _MAKE)
    read = (
        serialization.load_ssh_private_key
        if b"OPENSSH PRIVATE KEY-----" in content
        else serialization.load_pem_private_key
    )
    try:
        try:
            key = read(content, None)
        except TypeError:  # it is encrypted
            key = read(content, ask().encode())
    except (ValueError, TypeError) as error:
        encrypted = b"ENCRYPTED" in content or b"OPENSSH" in content
        why = "the passphrase is wrong, or the file is damaged" if encrypted else "damaged, or no key that is known"
        raise BadKey(path, why, "try the passphrase again, or copy the file again" if encrypted else _MAKE) from error
    except UnsupportedAlgorithm as error:
        raise BadKey(path, f"cannot be read here: {error}", _MAKE) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKey(path, f"a key of another kind ({_kind(key)}): certificates are signed with Ed25519", _MAKE)
    return CryptoSigner(key, _named(key.public_key()))


def load_public(path: Path) -> SSlibKey:
    """Read a public key, in PEM or as OpenSSH writes it. Raises BadKey."""
    content = _read(path)
    if b"PRIVATE KEY-----" in content:
        raise BadKey(path, "a private key, and checking needs the public one", "give the .pub of the pair")
    try:
        return parse_public(content)
    except ValueError as error:
        raise BadKey(path, str(error), "ask the signer for the public key of the pair, in PEM") from None


def parse_public(content: bytes) -> SSlibKey:
    """A public key from the content of its file. Raises ValueError where that is no Ed25519 key."""
    read = serialization.load_ssh_public_key if content.startswith(b"ssh-") else serialization.load_pem_public_key
    try:
        key = read(content)
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("no public key in PEM") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError(f"a key of another kind ({_kind(key)}): certificates are signed with Ed25519")
    return _named(key)


def new_key(path: Path, passphrase: str = "") -> SSlibKey:
    """Make a pair: the private key at `path`, readable by its owner alone, the public one at `path`.pub.

    The private key is encrypted where there is a passphrase. Never overwrites. Raises BadKey.
    """
    beside = path.with_name(f"{path.name}.pub")
    secret = passphrase.encode()
    if len(secret) > _PASSPHRASE_MAX:
        raise BadKey(path, "the passphrase is too long", f"at most {_PASSPHRASE_MAX} octets")
    private = Ed25519PrivateKey.generate()
    encryption = serialization.BestAvailableEncryption(secret) if secret else serialization.NoEncryption()
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    key = _named(private.public_key())
    made: list[Path] = []
    try:
        for file, content, mode in ((beside, public_pem(key), 0o644), (path, pem, 0o600)):
            file.touch(mode, exist_ok=False)
            made.append(file)
            file.write_bytes(content)
    except OSError as error:
        for each in made:
            each.unlink(missing_ok=True)
        hint = "keys are never overwritten: name another file" if isinstance(error, FileExistsError) else "name another"
        raise BadKey(Path(error.filename or path), f"cannot be made: {error.strerror}", hint) from None
    return key


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_KEY_MAX + 1)
    except OSError as error:
        raise BadKey(path, f"cannot be read: {error.strerror}", "--key takes the file of a key") from None
    if len(content) > _KEY_MAX:
        raise BadKey(path, "too large for a key", "--key takes the file of a key")
    return content


def _kind(key: object) -> str:
    return type(key).__name__.removeprefix("_").removesuffix("PrivateKey").removesuffix("PublicKey")


def _named(key: Ed25519PublicKey) -> SSlibKey:
    """The key under its fingerprint as key id."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return SSlibKey.from_crypto(key, keyid=hashlib.sha256(der).hexdigest())


def public_pem(key: SSlibKey) -> bytes:
    """The public key in PEM."""
    raw = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.keyval["public"]))
    return raw.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def fingerprint(key: SSlibKey) -> str:
    """What a key is called."""
    return f"sha256:{key.keyid}"


# --- envelopes ------------------------------------------------------------------------------------------------------


class _Signature(msgspec.Struct, forbid_unknown_fields=True):
    keyid: str
    sig: str


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    payload: str
    payloadType: str
    signatures: list[_Signature]


def sign(payload: bytes, signer: CryptoSigner) -> bytes:
    """The payload, signed, in its envelope as it is stored."""
    envelope = Envelope(payload, PAYLOAD_TYPE, {})
    envelope.sign(signer)
    return _encoded(envelope)


def _encoded(envelope: Envelope) -> bytes:
    return msgspec.json.encode(envelope.to_dict()) + b"\n"


def open_envelope(content: bytes) -> Envelope:
    """The envelope of a stored statement. Raises BadEnvelope, also for any other encoding than `sign` makes."""
    try:
        envelope = Envelope.from_dict(msgspec.to_builtins(msgspec.json.decode(content, type=_Envelope)))
    except (msgspec.DecodeError, RecursionError, FormatError, ValueError, KeyError) as error:
        raise BadEnvelope(f"no DSSE envelope: {error}") from None
    if envelope.payload_type != PAYLOAD_TYPE:
        raise BadEnvelope(f"holds {envelope.payload_type}, and a certificate {PAYLOAD_TYPE}")
    if len(envelope.signatures) != 1:
        raise BadEnvelope(f"has {len(envelope.signatures)} signatures, and a certificate has one")
    if _encoded(envelope) != content:
        raise BadEnvelope("not encoded as a certificate's envelope is")
    return envelope


def key_id(envelope: Envelope) -> str:
    """The id of the key that the envelope says it is signed with."""
    return next(iter(envelope.signatures))


def check(envelope: Envelope, key: SSlibKey) -> None:
    """Check the signature with that key. Raises BadSignature."""
    try:
        envelope.verify([key], threshold=1)
    except VerificationError:
        raise BadSignature("it is not the signature of this key over this statement") from None
