# SPDX-License-Identifier: MIT
"""Data inside a page: JSON, compressed, in base64, which a browser unpacks when it is asked for.

Compressors differ between machines, so pages are compared by what was packed (`same_page`).
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import msgspec

_PACKED = re.compile(r'(?<=<script type="application/octet-stream" id=")([\w-]+)">([A-Za-z0-9+/=]*)(?=</script>)')
_BLOCK = 1 << 16


def pack(data: Any) -> str:
    """The data as the text that stands in a page."""
    return base64.b64encode(zlib.compress(msgspec.json.encode(data), 9)).decode("ascii")


def unpack(text: str) -> Any:
    """What was packed. Raises ValueError."""
    try:
        return msgspec.json.decode(b"".join(_blocks(text)))
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from None


def packed(page: str) -> dict[str, str]:
    """The packed texts of a page, by their names."""
    return dict(_PACKED.findall(page))


def same_page(a: str, b: str) -> bool:
    """Whether two pages say the same: their text is equal, and so is what was packed into them.

    Neither is trusted: both are unpacked side by side, a block at a time, and only as far as they are equal.
    """
    if a == b:
        return True
    if _PACKED.sub(r'\1">', a) != _PACKED.sub(r'\1">', b):
        return False
    return all(
        one == other or _same_content(one, other)
        for (_, one), (_, other) in zip(_PACKED.findall(a), _PACKED.findall(b), strict=True)
    )


def _same_content(one: str, other: str) -> bool:
    try:
        return all(x == y for x, y in zip_longest(_blocks(one), _blocks(other)))
    except ValueError:
        return False


def _blocks(text: str) -> Iterator[bytes]:
    """What was packed, in blocks of one size. Raises ValueError where the text is not what `pack` writes."""
    try:
        left = base64.b64decode(text, validate=True)
        inflating = zlib.decompressobj()
        while not inflating.eof:
            block = inflating.decompress(left, _BLOCK)
            left = inflating.unconsumed_tail
            if not block and not inflating.eof:
                raise ValueError("cut short")
            yield block
    except (binascii.Error, zlib.error) as error:
        raise ValueError(str(error)) from None
    if inflating.unused_data or base64.b64encode(base64.b64decode(text)).decode("ascii") != text:
        raise ValueError("more than was packed")
