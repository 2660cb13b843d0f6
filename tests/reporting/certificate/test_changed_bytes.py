# SPDX-License-Identifier: MIT
"""Any changed byte of a bundle is found, and the file or the part of the archive that it lies in is named."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.reporting.certificate import archive, verifying
from conformance.reporting.certificate.archive import DIRECTORY, END
from conformance.reporting.certificate.verifying import Verification
from tests.reporting.certificate.bundles import certified, good_run, verified, wrong

pytestmark = pytest.mark.usefixtures("small_page")
SEED = 20261127
CHANGES = 1000


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    good_run(tmp_path / "run")
    return certified(tmp_path / "run").read_bytes()


def changed(whole: bytes, at: int, mask: int) -> bytes:
    return whole[:at] + bytes([whole[at] ^ mask]) + whole[at + 1 :]


def found(path: Path, content: bytes) -> Verification:
    path.write_bytes(content)
    return verified(path)


def owners(path: Path) -> list[set[str]]:
    """For each byte of the archive, what may be named when it was changed; nothing where it is a name itself."""
    with path.open("rb") as file:
        members, flaws = archive.read_directory(file)
    assert not flaws
    each: list[set[str]] = []
    fixed = 46  # what an entry of the directory has before the name
    for member in members:
        named = {member.name}
        header = [{member.name, "the bundle"}] * 4 if not each else [named] * 4
        each += header + [named] * (len(member.header) - 4 + member.packed)
    for member in members:
        each += [{member.name, DIRECTORY, END, "the bundle"}] * fixed + [set()] * (len(member.entry) - fixed)
    return each + [{"the bundle", END}] * (path.stat().st_size - len(each))


def test_a_thousand_random_changes_are_all_found(tmp_path: Path, whole: bytes) -> None:
    choose = random.Random(SEED)
    for _ in range(CHANGES):
        at, mask = choose.randrange(len(whole)), choose.randrange(1, 256)
        assert found(tmp_path / "changed.zip", changed(whole, at, mask)).status == 1, (at, mask)


def test_what_was_changed_is_named_without_judging(
    tmp_path: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every seventh byte of the whole; what is packed is under a digest, and of the rest every bit is tried below."""
    monkeypatch.setattr(verifying, "confirm", lambda *_: None)
    choose = random.Random(SEED)
    path = tmp_path / "changed.zip"
    path.write_bytes(whole)
    for at, may_be_named in list(enumerate(owners(path)))[choose.randrange(7) :: 7]:
        account = found(path, changed(whole, at, choose.randrange(1, 256))).account
        named = {flaw.where for flaw in account.wrong}
        assert named & may_be_named if may_be_named else named, (at, account)


def test_every_bit_of_what_only_the_archive_says_matters(
    tmp_path: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Headers, directory, end record; and the last byte of each file, where a packer pads."""
    monkeypatch.setattr(verifying, "confirm", lambda *_: None)
    path = tmp_path / "changed.zip"
    path.write_bytes(whole)
    with path.open("rb") as file:
        members, _ = archive.read_directory(file)
    frame = [at for m in members for at in range(m.offset, m.offset + len(m.header))]
    ends = [m.offset + len(m.header) + m.packed for m in members]
    frame += range(ends[-1], len(whole))
    for at in frame:
        for bit in range(8):
            assert not is_in_form(changed(whole, at, 1 << bit)), (at, bit)
    for at in ends:
        for bit in range(8):
            assert wrong(found(path, changed(whole, at - 1, 1 << bit))), (at, bit)


def is_in_form(content: bytes) -> bool:
    try:
        return not archive.read_directory(io.BytesIO(content))[1]
    except archive.BadArchive:
        return False


HARMS = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@HARMS
@given(data=st.data())
def test_a_bundle_that_is_cut_short_is_found(tmp_path: Path, whole: bytes, data: st.DataObject) -> None:
    kept = data.draw(st.integers(0, len(whole) - 1))
    assert found(tmp_path / "cut.zip", whole[:kept]).status == 1


@HARMS
@given(data=st.data())
def test_bytes_that_were_put_in_or_taken_out_are_found(tmp_path: Path, whole: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(whole)))
    put = data.draw(st.binary(max_size=40))
    taken = data.draw(st.integers(0 if put else 1, 20))
    content = whole[:at] + put + whole[at + taken :]
    if content != whole:
        assert found(tmp_path / "changed.zip", content).status == 1


@HARMS
@given(garbage=st.binary(max_size=300), start=st.sampled_from([b"", b"PK\3\4"]), end=st.sampled_from([0, 22, 68]))
def test_garbage_is_found_to_be_none(tmp_path: Path, whole: bytes, garbage: bytes, start: bytes, end: int) -> None:
    content = start + garbage + (whole[-end:] if end else b"")
    assert found(tmp_path / "garbage.zip", content).status == 1


@HARMS
@given(data=st.data())
def test_a_directory_full_of_garbage_is_an_error_like_any_other(
    tmp_path: Path, whole: bytes, data: st.DataObject
) -> None:
    """Many bytes of the directory at once: whatever they say, there is a finding, and no other error."""
    start = int.from_bytes(whole[-6:-2], "little")
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(start, len(whole) - 1))
        content[at] = data.draw(st.integers(0, 255))
    if bytes(content) != whole:
        assert found(tmp_path / "changed.zip", bytes(content)).status == 1
