# SPDX-License-Identifier: MIT
"""The archive: others read what is written; what others write is refused where it is not safe or not in the form."""

from __future__ import annotations

import io
import stat
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.reporting.certificate import archive
from conformance.reporting.certificate.archive import BadArchive, Member


def packed(files: dict[str, bytes], *, stored: bool = False) -> io.BytesIO:
    file = io.BytesIO()
    members = [archive.pack(file, name, [content], stored=stored).member for name, content in files.items()]
    archive.close(file, members)
    return file


def zipped(*entries: tuple[zipfile.ZipInfo | str, bytes], comment: bytes = b"") -> io.BytesIO:
    """An archive as Python's own library makes it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.comment = comment
        for info, content in entries:
            made.writestr(info, content)
    return file


def refused(file: io.BytesIO) -> str:
    with pytest.raises(BadArchive) as problem:
        archive.read_directory(file)
    return str(problem.value)


# --- what is written ------------------------------------------------------------------------------------------------


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text("abcé-", min_size=1, max_size=9), st.binary(max_size=300), min_size=1), st.booleans())
def test_what_is_packed_is_what_zipfile_reads_and_what_is_unpacked(files: dict[str, bytes], stored: bool) -> None:
    file = packed(files, stored=stored)
    members, flaws = archive.read_directory(file)
    assert not flaws
    assert {member.name: b"".join(archive.unpack(file, member)) for member in members} == files
    with zipfile.ZipFile(file) as other:
        assert other.testzip() is None
        assert {info.filename: other.read(info) for info in other.infolist()} == files
        assert [info.FileHeader() for info in other.infolist()] == [member.header for member in members]


def test_large_content_comes_in_chunks(tmp_path: Path) -> None:
    content = bytes(range(256)) * 9000
    file = packed({"big": content})
    (member,), _ = archive.read_directory(file)
    chunks = list(archive.unpack(file, member))
    assert b"".join(chunks) == content
    assert max(map(len, chunks)) <= archive.CHUNK
    assert len(chunks) > 5


def test_the_same_files_make_the_same_bytes() -> None:
    assert packed({"a": b"1" * 99, "b/c": b"2"}).getvalue() == packed({"a": b"1" * 99, "b/c": b"2"}).getvalue()


# --- what is no archive ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the bundle: no zip archive"),
        (b"<html>", "the bundle: no zip archive"),
        (b"PK\3\4", "the bundle: cut short"),
        (b"PK\3\4" + bytes(40), "the bundle: cut short"),
        (zipped().getvalue(), "the bundle: no zip archive"),  # a zip of nothing
        (b"#!/bin/sh\n" + zipped(("a", b"x")).getvalue(), "the bundle: no zip archive"),
        (zipped(("a", b"x")).getvalue() + b"\n", "the bundle: cut short, or something was appended"),
        (zipped(("a", b"x"), comment=b"hello").getvalue(), "the bundle: cut short, or something was appended"),
        (zipped(("a", b"x")).getvalue()[:-30], "the bundle: cut short"),
    ],
    ids=[str(number) for number in range(9)],
)
def test_what_is_no_archive_is_refused(content: bytes, said: str) -> None:
    assert refused(io.BytesIO(content)).startswith(said)


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../evil", "climbs out"),
        ("evidence/../../evil", "climbs out"),
        ("/etc/passwd", "absolute"),
        ("C:/evil", "colon"),
        ("evidence\\evil", "backslash"),
        ("..\\evil", "backslash"),
        ("evidence/", "a folder"),
        ("a//b", "empty part"),
        ("./a", "empty part"),
        ("a.", "ends with a dot"),
        ("a /b", "ends with a dot or a space"),
        ("", "empty part"),
        ("a\nb", "cannot be printed"),
        ("a\x1b[2Jb", "cannot be printed"),
        ("a\u202eb", "cannot be printed"),
        ("a" * 256, "too long"),
        ("/".join(["a" * 200] * 6), "too long"),
    ],
)
def test_unsafe_names_are_refused_in_both_directions(name: str, why: str) -> None:
    assert why in archive.unsafe(name)
    with pytest.raises(BadArchive, match=why.partition(" ")[0]):
        archive.pack(io.BytesIO(), name, [b"x"])
    assert why in refused(by_hand(name))


@pytest.mark.parametrize("name", ["a", "evidence/kernel-tcp/x.y-z.jsonl", "...a", "é/ü", "a" * 255])
def test_plain_names_are_safe(name: str) -> None:
    assert archive.unsafe(name) == ""
    assert archive.read_directory(by_hand(name))[1] == []


def by_hand(*names: str, change: Callable[[Member], Member] = lambda member: member) -> io.BytesIO:
    """An archive in a bundle's form in all but what is given."""
    file = io.BytesIO()
    members = []
    for name in names:
        member = change(Member(name, True, zlib.crc32(b"x"), 1, 1, file.tell()))
        file.write(member.header + b"x")
        members.append(member)
    archive.close(file, members)
    return file


def test_a_name_with_a_nul_is_refused() -> None:
    content = zipped(("aXb", b"x")).getvalue().replace(b"aXb", b"a\0b")
    assert "cannot be printed" in refused(io.BytesIO(content))


def test_a_name_that_is_not_utf8_is_refused() -> None:
    content = zipped(("aXb", b"x")).getvalue().replace(b"aXb", b"a\xffb")
    assert "not UTF-8" in refused(io.BytesIO(content))


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (("a", "a"), "a: there twice"),
        (("a/B", "a/b"), "a/b: differs only by case from a/B"),
        (("\u00e9", "e\u0301"), "differs only by case"),
        (("a", "a/b"), "a: a file, and a folder of a/b"),
        (("A/b/c", "a/b"), "a/b: a file, and a folder of A/b/c"),
    ],
)
def test_names_that_lie_over_one_another_are_refused(names: tuple[str, ...], why: str) -> None:
    assert why in refused(by_hand(*names))


# --- kinds and sizes ------------------------------------------------------------------------------------------------


def test_a_symbolic_link_is_refused() -> None:
    link = zipfile.ZipInfo("evidence")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert refused(zipped((link, b"/etc"))) == "evidence: is a symbolic link"


def test_what_is_encrypted_is_refused() -> None:
    content = bytearray(zipped(("a", b"x")).getvalue())
    entry = content.index(b"PK\1\2")
    content[entry + 8] |= 1
    assert refused(io.BytesIO(bytes(content))) == "a: is encrypted"


def test_another_way_of_packing_is_refused() -> None:
    info = zipfile.ZipInfo("a")
    info.compress_type = zipfile.ZIP_BZIP2
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr(info, b"x")
    assert "packed by a method" in refused(file)


def test_a_file_that_says_it_is_very_large_is_refused() -> None:
    assert "too large" in refused(declaring(archive.MEMBER_MAX + 1))
    assert archive.read_directory(declaring(archive.MEMBER_MAX))[1] == []


def declaring(size: int) -> io.BytesIO:
    return by_hand("a", change=lambda m: Member(m.name, m.stored, m.crc, m.packed, size, m.offset))


def test_many_files_that_grow_too_large_together_are_refused() -> None:
    each = 1 << 20
    names = [f"f{n}" for n in range(archive.UNPACKED_FREE // each + 1)]

    def grown(member: Member) -> Member:
        return Member(member.name, member.stored, member.crc, member.packed, each, member.offset)

    assert "a zip bomb" in refused(by_hand(*names, change=grown))
    assert archive.read_directory(by_hand(*names[:-1], change=grown))[1] == []


def test_files_that_lie_over_one_another_are_refused() -> None:
    """The better zip bomb: each file contains the next."""
    same = by_hand("a", "b", change=lambda m: Member(m.name, m.stored, m.crc, m.packed, m.size, 0))
    assert refused(same) == "the archive's directory: b does not begin where the file before it ends"


def test_too_many_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    file = by_hand("a", "b", "c")
    monkeypatch.setattr(archive, "MEMBERS_MAX", 3)
    assert archive.read_directory(file)[1] == []
    monkeypatch.setattr(archive, "MEMBERS_MAX", 2)
    assert "says 3 files, too many" in refused(file)
    with pytest.raises(BadArchive, match="too many files"):
        by_hand("a", "b", "c")


def test_names_of_very_many_parts_take_no_more_memory_than_they_are_long() -> None:
    """Each of these names has 500 folders that no other has: kept one by one, these would take gigabytes."""
    file = by_hand(*(f"{n}/{'a/' * 500}a" for n in range(500)))
    tracemalloc.start()
    try:
        assert archive.read_directory(file)[1] == []
        assert tracemalloc.get_traced_memory()[1] < 10 * len(file.getvalue())
    finally:
        tracemalloc.stop()


def test_a_file_too_large_for_a_bundle_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MEMBER_MAX", 10)
    archive.pack(io.BytesIO(), "a", [b"12345", b"12345"])
    with pytest.raises(BadArchive, match="a: too large"):
        archive.pack(io.BytesIO(), "a", [b"12345", b"123456"])


def test_a_bomb_that_says_it_is_small_is_stopped_at_the_size_it_says() -> None:
    bomb = zlib.compress(bytes(50 << 20), 9, wbits=-15)
    member = Member("bomb", False, zlib.crc32(bytes(10)), len(bomb), 10, 0)
    file = io.BytesIO(member.header + bomb)
    taken = 0
    with pytest.raises(BadArchive, match="more than the size"):
        for chunk in archive.unpack(file, member):
            taken += len(chunk)
    assert taken <= archive.CHUNK


def test_an_archive_in_an_archive_is_just_a_file() -> None:
    inner = packed({"a": b"x" * 1000}).getvalue()
    file = packed({"quine.zip": inner}, stored=True)
    (member,), flaws = archive.read_directory(file)
    assert not flaws
    assert b"".join(archive.unpack(file, member)) == inner


# --- contents that do not fit ---------------------------------------------------------------------------------------


def unpacked(member: Member, content: bytes) -> str:
    with pytest.raises(BadArchive) as problem:
        list(archive.unpack(io.BytesIO(member.header + content), member))
    return str(problem.value)


DEFLATED = zlib.compress(b"hello", wbits=-15)
CRC = zlib.crc32(b"hello")


@pytest.mark.parametrize(
    ("content", "packed_size", "size", "crc", "why"),
    [
        (DEFLATED, len(DEFLATED), 5, CRC + 1, "does not fit its CRC-32"),
        (DEFLATED, len(DEFLATED), 6, CRC, "does not end where"),
        (DEFLATED, len(DEFLATED), 4, CRC, "more than the size"),
        (DEFLATED, len(DEFLATED) - 1, 5, CRC, "does not end where"),
        (DEFLATED + b"?", len(DEFLATED) + 1, 5, CRC, "does not end where"),
        (DEFLATED, len(DEFLATED) + 1, 5, CRC, "cut short"),
        (b"\xff" * 9, 9, 5, CRC, "cannot be unpacked"),
        (DEFLATED + bytes(1 << 20), len(DEFLATED) + (1 << 20), 5, CRC, "something lies behind"),
    ],
    ids=[str(number) for number in range(8)],
)
def test_packed_content_that_does_not_fit_is_refused(
    content: bytes, packed_size: int, size: int, crc: int, why: str
) -> None:
    assert why in unpacked(Member("a", False, crc, packed_size, size, 0), content)


# --- the form -------------------------------------------------------------------------------------------------------


def test_an_archive_of_another_form_is_readable_and_each_part_named() -> None:
    """Another packer's archive: unpacking is safe, and it is not a bundle's."""
    dated = zipfile.ZipInfo("a", (2026, 11, 27, 4, 0, 0))
    members, flaws = archive.read_directory(zipped((dated, b"x")))
    assert [member.name for member in members] == ["a"]
    assert {flaw.what for flaw in flaws} == {
        "its entry in the directory is not in a bundle's form",
        "its local header is not what its entry in the directory makes it",
    }


def test_extra_fields_and_comments_in_the_directory_are_named() -> None:
    whole = packed({"a": b"x"}).getvalue()
    entry = whole.index(b"PK\1\2")
    for field in (30, 32):  # the lengths of extra field and comment
        content = bytearray(whole)
        content[entry + field : entry + field + 2] = struct.pack("<H", 4)
        content[-22:-22] = b"\0\0\0\0"
        content[-10:-6] = struct.pack("<L", int.from_bytes(content[-10:-6], "little") + 4)
        _, flaws = archive.read_directory(io.BytesIO(bytes(content)))
        assert [str(flaw) for flaw in flaws] == ["a: its entry in the directory is not in a bundle's form"]


def test_a_gap_before_the_directory_is_refused() -> None:
    whole = packed({"a": b"x"}).getvalue()
    entry = whole.index(b"PK\1\2")
    content = bytearray(whole[:entry] + b"gap" + whole[entry:])
    content[-6:-2] = struct.pack("<L", entry + 3)
    assert refused(io.BytesIO(bytes(content))) == "the archive's directory: it does not begin where the last file ends"
