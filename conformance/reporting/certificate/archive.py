# SPDX-License-Identifier: MIT
"""The zip archive that a bundle is, in one form only, so that no byte of it can be changed unseen.

A zip file has slack: fields that readers ignore, extra fields, comments, gaps, other orders. Here every byte besides
the packed contents follows from the members' names, sizes and checksums; `pack` and `close` write it so, and
`read_directory` compares. What the members hold is for `bundle`. Sizes are in octets; the form is that of PKWARE's
APPNOTE, 4.3.7 (local header), 4.3.12 (central directory) and 4.3.16 (end record), without Zip64.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import struct
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from conformance.reporting.text import clean, several

_LOCAL = struct.Struct("<4s5H3L2H")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_LOCAL_MARK, _ENTRY_MARK, _END_MARK = b"PK\3\4", b"PK\1\2", b"PK\5\6"
_MADE_BY = 3 << 8 | 20  # Unix, so that the attributes below are its file mode; version 2.0
_NEEDED = 20
_ENCRYPTED, _UTF8 = 1, 1 << 11
_STORED, _DEFLATED = 0, 8
_DATE, _TIME = 1 << 5 | 1, 0  # 1980-01-01 00:00, the first that there is
_FILE_MODE, _KIND, _LINK = 0o100644, 0o170000, 0o120000

CHUNK = 1 << 18
MEMBERS_MAX = 60_000
MEMBER_MAX, UNPACKED_MAX = 32 << 20, 4 << 30
"""Traces and results are read whole, and can take 25 times their size of memory, so no file may be larger. Of a run of
all 16 providers the largest trace has 5.5 MiB, and the results 10.3 MiB."""
UNPACKED_FREE, RATIO_MAX = 64 << 20, 50
"""Above so many octets unpacked, an archive may grow to no more than so many times its size. Runs grow 12 times."""
_DIRECTORY_MAX = 32 << 20
_NAME_MAX, _PART_MAX = 1024, 255


@dataclass(frozen=True)
class Flaw:
    """Something that is not as it must be: in which file, or which part of the archive, and what."""

    where: str
    what: str

    def __str__(self) -> str:
        return clean(f"{self.where}: {self.what}")


class BadArchive(Exception):
    """An archive that is none, or none that may be unpacked; `flaw` says where and what."""

    def __init__(self, where: str, what: str) -> None:
        self.flaw = Flaw(where, what)
        super().__init__(str(self.flaw))


DIRECTORY, END = "the archive's directory", "the archive's end record"


@dataclass(frozen=True)
class Member:
    """A file in the archive: its name, the CRC-32 of its content, its sizes, and where its header begins."""

    name: str
    stored: bool
    crc: int
    packed: int
    size: int
    offset: int

    @property
    def _common(self) -> tuple[int, ...]:
        name = self.name.encode()
        flags = 0 if self.name.isascii() else _UTF8
        method = _STORED if self.stored else _DEFLATED
        return (_NEEDED, flags, method, _TIME, _DATE, self.crc, self.packed, self.size, len(name), 0)

    @property
    def header(self) -> bytes:
        """The local header, which lies before the packed content."""
        return _LOCAL.pack(_LOCAL_MARK, *self._common) + self.name.encode()

    @property
    def entry(self) -> bytes:
        """The entry in the directory."""
        last = (0, 0, 0, _FILE_MODE << 16, self.offset)
        return _ENTRY.pack(_ENTRY_MARK, _MADE_BY, *self._common, *last) + self.name.encode()


# --- writing --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Packed:
    """A member as it was written, and the SHA-256 (hexadecimal) of its content and of its bytes as they lie packed."""

    member: Member
    sha256: str
    packed_sha256: str


def pack(file: BinaryIO, name: str, chunks: Iterable[bytes], *, stored: bool = False) -> Packed:
    """Append a member. Raises OSError, and BadArchive for a name that no member may have or what is too large."""
    if why := unsafe(name):
        raise BadArchive(name, why)
    offset = file.tell()
    file.write(bytes(_LOCAL.size + len(name.encode())))  # the header's place: what it says is known at the end
    content, lying = hashlib.sha256(), hashlib.sha256()
    size = packed = crc = 0
    deflate = None if stored else zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)

    def put(data: bytes) -> None:
        nonlocal packed
        file.write(data)
        lying.update(data)
        packed += len(data)

    for chunk in chunks:
        content.update(chunk)
        crc, size = zlib.crc32(chunk, crc), size + len(chunk)
        put(deflate.compress(chunk) if deflate else chunk)
        if size > MEMBER_MAX or file.tell() > UNPACKED_MAX - _DIRECTORY_MAX:
            raise BadArchive(name, "too large for a bundle")
    if deflate:
        put(deflate.flush())
    member = Member(name, stored, crc, packed, size, offset)
    file.seek(offset)
    file.write(member.header)
    file.seek(0, os.SEEK_END)
    return Packed(member, content.hexdigest(), lying.hexdigest())


def close(file: BinaryIO, members: Iterable[Member]) -> None:
    """Append the directory and the end record."""
    members = list(members)
    if len(members) > MEMBERS_MAX:
        raise BadArchive(DIRECTORY, f"too many files for a bundle: {len(members)}")
    offset = file.tell()
    directory = b"".join(member.entry for member in members)
    file.write(directory + _end(len(members), len(directory), offset))


def _end(count: int, size: int, offset: int) -> bytes:
    return _END.pack(_END_MARK, 0, 0, count, count, size, offset, 0)


# --- reading --------------------------------------------------------------------------------------------------------


def read_directory(file: BinaryIO) -> tuple[list[Member], list[Flaw]]:
    """The members in their order, and each part of the archive that is not as `pack` and `close` write it.

    Raises:
        BadArchive: it is no zip archive, is cut short, or is none that may be unpacked.
        OSError: it cannot be read.
    """
    length = file.seek(0, os.SEEK_END)
    start, count, directory, flaws = _find_directory(file, length)
    members, odd = _entries(directory, count)
    flaws += odd
    _check_names(members)
    _check_sizes(members, length)
    at = 0
    for member in members:
        if member.offset != at:
            raise BadArchive(DIRECTORY, f"{member.name} does not begin where the file before it ends")
        file.seek(at)
        if file.read(len(member.header)) != member.header:
            flaws.append(Flaw(member.name, "its local header is not what its entry in the directory makes it"))
        at += len(member.header) + member.packed
    if at != start:
        raise BadArchive(DIRECTORY, "it does not begin where the last file ends")
    return members, flaws


def _find_directory(file: BinaryIO, length: int) -> tuple[int, int, bytes, list[Flaw]]:
    """Where the directory begins, how many entries it has by the end record, its bytes, and what is odd about that."""
    file.seek(0)
    if file.read(len(_LOCAL_MARK)) != _LOCAL_MARK:
        raise BadArchive("the bundle", "no zip archive: it does not begin as one")
    file.seek(max(0, length - _END.size))
    last = file.read(_END.size)
    if len(last) < _END.size or not last.startswith(_END_MARK):
        raise BadArchive("the bundle", "cut short, or something was appended: it does not end with an end record")
    _, _, _, _, count, size, start, _ = _END.unpack(last)
    if start + size + _END.size != length:
        raise BadArchive(END, "the directory is not where it says: cut short, or bytes were put in or taken out")
    if count > MEMBERS_MAX or size > _DIRECTORY_MAX:
        raise BadArchive(END, f"says {several(count, 'file')}, too many for a bundle")
    file.seek(start)
    flaws = [] if last == _end(count, size, start) else [Flaw(END, "not in a bundle's form")]
    return start, count, file.read(size), flaws


def _entries(directory: bytes, count: int) -> tuple[list[Member], list[Flaw]]:
    members: list[Member] = []
    flaws: list[Flaw] = []
    at = 0
    while at < len(directory):
        try:
            mark, *fields = _ENTRY.unpack_from(directory, at)
        except struct.error:
            raise BadArchive(DIRECTORY, "its last entry is cut short") from None
        _, _, flags, method, _, _, crc, packed, size, of_name, of_extra, of_comment, _, _, attributes, offset = fields
        end = at + _ENTRY.size + of_name
        if mark != _ENTRY_MARK or end + of_extra + of_comment > len(directory):
            raise BadArchive(DIRECTORY, f"entry {len(members) + 1} is none")
        try:
            name = directory[at + _ENTRY.size : end].decode()
        except UnicodeDecodeError:
            raise BadArchive(DIRECTORY, f"the name in entry {len(members) + 1} is not UTF-8") from None
        if flags & _ENCRYPTED:
            raise BadArchive(name, "is encrypted")
        if (attributes >> 16) & _KIND == _LINK:
            raise BadArchive(name, "is a symbolic link")
        if method not in (_STORED, _DEFLATED):
            raise BadArchive(name, f"is packed by a method that bundles do not use ({method})")
        member = Member(name, method == _STORED, crc, packed, size, offset)
        if directory[at : end + of_extra + of_comment] != member.entry:
            flaws.append(Flaw(name, "its entry in the directory is not in a bundle's form"))
        members.append(member)
        at = end + of_extra + of_comment
    if len(members) != count:
        raise BadArchive(END, f"says {several(count, 'file')}, and the directory has {len(members)}")
    return members, flaws


def _check_names(members: Iterable[Member]) -> None:
    """Refuse names that are unsafe, or that would lie over one another on some file system."""
    files: dict[str, str] = {}
    for member in members:
        if why := unsafe(member.name):
            raise BadArchive(member.name, why)
        folded = unicodedata.normalize("NFC", member.name).casefold().replace("/", "\0")
        if folded in files:
            other = files[folded]
            why = "there twice" if other == member.name else f"differs only by case from {other}"
            raise BadArchive(member.name, why)
        files[folded] = member.name
    # In this order what is in a folder comes right after a file of the folder's name: no name can have a NUL.
    for one, following in itertools.pairwise(sorted(files)):
        if following.startswith(f"{one}\0"):
            raise BadArchive(files[one], f"a file, and a folder of {files[following]}")


def _check_sizes(members: Iterable[Member], length: int) -> None:
    """Refuse what would grow too large: a zip bomb."""
    total = 0
    for member in members:
        total += member.size
        if member.size > MEMBER_MAX:
            raise BadArchive(member.name, f"too large: {member.size} octets unpacked")
    if total > UNPACKED_MAX or total > max(UNPACKED_FREE, RATIO_MAX * length):
        raise BadArchive("the bundle", f"would grow from {length} to {total} octets: a zip bomb, or no bundle")


def unsafe(name: str) -> str:
    """Why a file of that name may not be unpacked; nothing if it may."""
    parts = name.split("/")
    if not name.isprintable():
        return "its name has characters that cannot be printed"
    if "\\" in name or ":" in name:
        return "its name has a backslash or a colon, which leads elsewhere on some systems"
    if name.startswith("/"):
        return "its name is an absolute path"
    if name.endswith("/"):
        return "a folder where only files belong"
    if ".." in parts:
        return "its name climbs out of the bundle"
    if any(part.strip(". ") == "" or part != part.rstrip(". ") for part in parts):
        return "its name has an empty part, or one that ends with a dot or a space"
    if len(name.encode()) > _NAME_MAX or any(len(part.encode()) > _PART_MAX for part in parts):
        return "its name is too long for a file system"
    return ""


def unpack(file: BinaryIO, member: Member, packed: Callable[[bytes], object] = len) -> Iterator[bytes]:
    """The content in chunks, never more than the size declared; `packed` is shown the bytes as they lie in the archive.

    Raises BadArchive where the content is not what the directory says.
    """
    inflate = None if member.stored else zlib.decompressobj(-zlib.MAX_WBITS)
    file.seek(member.offset + len(member.header))
    size = crc = 0
    left = member.packed
    while left:
        data = file.read(min(CHUNK, left))
        if not data:
            raise BadArchive(member.name, "cut short")
        left -= len(data)
        packed(data)
        for content in _inflated(inflate, data, member) if inflate else (data,):
            size, crc = size + len(content), zlib.crc32(content, crc)
            if size > member.size:
                raise BadArchive(member.name, "holds more than the size that the directory says")
            yield content
    if size != member.size or (inflate is not None and (not inflate.eof or inflate.unused_data)):
        raise BadArchive(member.name, "its packed content does not end where the directory says")
    if crc != member.crc:
        raise BadArchive(member.name, "its content does not fit its CRC-32")


def _inflated(inflate: zlib._Decompress, data: bytes, member: Member) -> Iterator[bytes]:
    if inflate.eof:
        raise BadArchive(member.name, "something lies behind its packed content")
    while True:
        try:
            content = inflate.decompress(data, CHUNK)
        except zlib.error as error:
            raise BadArchive(member.name, f"cannot be unpacked: {error}") from None
        data = inflate.unconsumed_tail
        if content:
            yield content
        if not data and len(content) < CHUNK:
            return
