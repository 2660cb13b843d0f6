# SPDX-License-Identifier: MIT
"""Keys that can be used and keys that cannot; signatures, checked by another library's hand too."""

from __future__ import annotations

import base64
import json
import stat
import subprocess
from pathlib import Path
from shutil import which

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from conformance.reporting.certificate import signing
from conformance.reporting.certificate.signing import BadEnvelope, BadKey, BadSignature

PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
OPENSSH, PLAIN = serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
SECRET = serialization.BestAvailableEncryption(b"open sesame")


def never() -> str:
    raise AssertionError("no passphrase is needed")


def put(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def private(path: Path, key: object = None, form: object = PKCS8, encryption: object = PLAIN) -> Path:
    key = key or Ed25519PrivateKey.generate()
    return put(path, key.private_bytes(PEM, form, encryption))  # type: ignore[attr-defined]


# --- private keys -----------------------------------------------------------------------------------------------------


def test_a_new_key_signs_and_its_public_half_checks(tmp_path: Path) -> None:
    made = signing.new_key(tmp_path / "k")
    envelope = signing.open_envelope(signing.sign(b"{}", signing.load_private(tmp_path / "k", never)))
    public = signing.load_public(tmp_path / "k.pub")
    signing.check(envelope, public)
    assert signing.fingerprint(public) == signing.fingerprint(made) == f"sha256:{signing.key_id(envelope)}"
    assert envelope.payload == b"{}"


def test_only_its_owner_reads_a_new_key_and_none_is_overwritten(tmp_path: Path) -> None:
    signing.new_key(tmp_path / "k")
    assert stat.S_IMODE((tmp_path / "k").stat().st_mode) == 0o600
    before = (tmp_path / "k").read_bytes()
    for there in ("k", "k.pub"):
        for name in {"k", "k.pub"} - {there}:
            (tmp_path / name).unlink(missing_ok=True)
        with pytest.raises(BadKey, match=r"cannot be made: File exists") as problem:
            signing.new_key(tmp_path / "k")
        assert "never overwritten" in problem.value.hint
        assert [path.name for path in tmp_path.iterdir()] == [there]
        (tmp_path / there).unlink()
        (tmp_path / "k.pub").write_bytes(before)


def test_a_place_where_no_key_can_be_made(tmp_path: Path) -> None:
    with pytest.raises(BadKey, match="No such file or directory"):
        signing.new_key(tmp_path / "nowhere" / "k")


def test_a_new_key_may_be_encrypted(tmp_path: Path) -> None:
    signing.new_key(tmp_path / "k", "open sesame")
    assert b"ENCRYPTED" in (tmp_path / "k").read_bytes()
    assert signing.load_private(tmp_path / "k", lambda: "open sesame")
    with pytest.raises(BadKey, match="too long"):
        signing.new_key(tmp_path / "other", "x" * 1024)


@pytest.mark.parametrize("form", [PKCS8, OPENSSH])
def test_an_encrypted_key_needs_its_passphrase(tmp_path: Path, form: object) -> None:
    pytest.importorskip("bcrypt" if form is OPENSSH else "cryptography")
    path = private(tmp_path / "k", form=form, encryption=SECRET)
    assert signing.load_private(path, lambda: "open sesame")
    for given in ("open barley", ""):
        with pytest.raises(BadKey, match="the passphrase is wrong, or the file is damaged"):
            signing.load_private(path, lambda given=given: given)  # type: ignore[misc]


def test_an_openssh_key_is_a_key(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    ssh = signing.load_private(private(tmp_path / "ssh", key, OPENSSH), never)
    pem = signing.load_private(private(tmp_path / "pem", key), never)
    assert ssh.public_key == pem.public_key


@pytest.mark.skipif(which("openssl") is None, reason="no openssl here")
def test_a_key_that_openssl_made_and_the_fingerprint_that_it_tells(tmp_path: Path) -> None:
    path = tmp_path / "k"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", path], check=True)
    der = subprocess.run(
        ["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"], check=True, capture_output=True
    )
    digest = subprocess.run(["openssl", "dgst", "-sha256", "-r"], input=der.stdout, check=True, capture_output=True)
    told = signing.fingerprint(signing.load_private(path, never).public_key)
    assert told == f"sha256:{digest.stdout.split()[0].decode()}"


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (rsa.generate_private_key(65537, 2048), "RSA"),
        (ec.generate_private_key(ec.SECP256R1()), "EC"),
        (ed448.Ed448PrivateKey.generate(), "Ed448"),
    ],
    ids=["RSA", "EC", "Ed448"],
)
def test_a_key_of_another_kind_is_named(tmp_path: Path, key: rsa.RSAPrivateKey, kind: str) -> None:
    with pytest.raises(BadKey, match=f"another kind \\(.*{kind}.*\\)") as problem:
        signing.load_private(private(tmp_path / "k", key), never)
    assert "--new-key" in problem.value.hint
    public = key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(BadKey, match=f"another kind \\(.*{kind}.*\\)"):
        signing.load_public(put(tmp_path / "p", public))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no private key in PEM"),
        (b"hello", "no private key in PEM"),
        (b"\xff\xfe\0", "no private key in PEM"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "damaged, or no key"),
        (b"-----BEGIN PRIVATE KEY-----\n", "damaged, or no key"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "or the file is damaged"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "a public key, and signing needs"),
        (b"ssh-ed25519 AAAA me", "a public key, and signing needs"),
        (b"x" * (1 << 16 | 1), "too large"),
    ],
    ids=range(9),
)
def test_what_is_no_private_key(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(BadKey, match=why):
        signing.load_private(put(tmp_path / "k", content), lambda: "")


def test_no_such_key_and_a_directory(tmp_path: Path) -> None:
    for load in (lambda path: signing.load_private(path, never), signing.load_public):
        with pytest.raises(BadKey, match="No such file"):
            load(tmp_path / "nowhere")
        with pytest.raises(BadKey, match="Is a directory"):
            load(tmp_path)


# --- public keys ------------------------------------------------------------------------------------------------------


def test_a_public_key_as_openssh_writes_it(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    public = signing.load_public(put(tmp_path / "p", line + b" me@here\n"))
    assert public == signing.load_private(private(tmp_path / "k", key), never).public_key


def test_a_private_key_is_no_public_one(tmp_path: Path) -> None:
    with pytest.raises(BadKey, match="a private key, and checking needs the public one"):
        signing.load_public(private(tmp_path / "k"))


@pytest.mark.parametrize("content", [b"", b"ssh-ed25519 !!", b"-----BEGIN PUBLIC KEY-----\n", b"\xff" * 99])
def test_what_is_no_public_key(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BadKey, match="no public key in PEM"):
        signing.load_public(put(tmp_path / "p", content))


# --- signatures -------------------------------------------------------------------------------------------------------


def envelope(tmp_path: Path, payload: bytes = b'{"a":1}') -> tuple[bytes, ed25519.Ed25519PublicKey]:
    key = Ed25519PrivateKey.generate()
    return signing.sign(payload, signing.load_private(private(tmp_path / "k", key), never)), key.public_key()


def test_the_signature_holds_by_hand_too(tmp_path: Path) -> None:
    """DSSE v1: SIGNATURE = Sign("DSSEv1" + SP + LEN(type) + SP + type + SP + LEN(body) + SP + body)."""
    content, public = envelope(tmp_path)
    read = json.loads(content)
    kind, body = read["payloadType"].encode(), base64.b64decode(read["payload"])
    pae = b" ".join([b"DSSEv1", b"%d" % len(kind), kind, b"%d" % len(body), body])
    (signature,) = read["signatures"]
    public.verify(base64.b64decode(signature["sig"]), pae)
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(signature["sig"]), pae + b" ")
    assert (kind, body) == (b"application/vnd.in-toto+json", b'{"a":1}')


def test_another_key_does_not_check(tmp_path: Path) -> None:
    content, _ = envelope(tmp_path)
    with pytest.raises(BadSignature):
        signing.check(signing.open_envelope(content), signing.new_key(tmp_path / "other"))


def test_a_signature_made_by_hand_is_taken_and_one_over_something_else_is_not(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    public = signing.load_private(private(tmp_path / "k", key), never).public_key
    for signed, holds in ((b"{}", True), (b"[]", False)):
        pae = b"DSSEv1 28 application/vnd.in-toto+json 2 " + signed
        sig = base64.b64encode(key.sign(pae)).decode()
        content = by_hand(payload="e30=", signatures=[{"keyid": public.keyid, "sig": sig}])
        if holds:
            signing.check(signing.open_envelope(content), public)
        else:
            with pytest.raises(BadSignature):
                signing.check(signing.open_envelope(content), public)


def by_hand(**changed: object) -> bytes:
    signature = {"keyid": "k", "sig": base64.b64encode(bytes(64)).decode()}
    said = {"payload": "e30=", "payloadType": "application/vnd.in-toto+json", "signatures": [signature]} | changed
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 100_000,
        by_hand(signatures=[]),
        by_hand(signatures=[{"keyid": "a", "sig": ""}, {"keyid": "b", "sig": ""}]),
        by_hand(signatures=[{"keyid": "a", "sig": ""}, {"keyid": "a", "sig": ""}]),
        by_hand(signatures=[{"sig": ""}]),
        by_hand(signatures=[{"keyid": 1, "sig": ""}]),
        by_hand(signatures=[{"keyid": "a", "sig": "", "more": 1}]),
        by_hand(payload="?"),
        by_hand(payload="e31="),  # the same octets, other padding bits
        by_hand(payload="e30"),
        by_hand(payload="_-8="),  # the other alphabet
        by_hand(payloadType="text/plain"),
        by_hand(more=1),
        by_hand()[:-1],
        by_hand() + b"\n",
        by_hand().replace(b",", b", "),
        by_hand().replace(b'{"payload"', b'{"payload":"e30=","payload"'),
        by_hand().replace(b"payloadType", b"payload\\u0054ype"),
    ],
    ids=range(21),
)
def test_what_is_no_envelope_or_one_of_another_form(content: bytes) -> None:
    with pytest.raises(BadEnvelope):
        signing.open_envelope(content)


def test_an_envelope_by_hand_is_one() -> None:
    assert signing.open_envelope(by_hand()).payload == b"{}"
