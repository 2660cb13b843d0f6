# SPDX-License-Identifier: MIT
"""Bulk data that both ends can make from a seed, so that it need not travel in messages or be kept in traces.

Byte `i` of a pattern is `(seed + i + (i >> 8)) & 0xff`: neighbouring bytes differ, and so do neighbouring blocks of
256, so a lost, repeated or displaced piece shows. The pattern repeats after 65536 bytes. Standard library only,
because agents import this module too.
"""

from __future__ import annotations

PERIOD = 65536
"""Bytes after which a pattern repeats: `i >> 8` has then grown by 256."""


_WHEEL = bytes(range(256)) * 2
# Block j (of 256 bytes) counts up from j.
_PERIOD_OF_0 = b"".join(_WHEEL[block : block + 256] for block in range(256))


def pattern(seed: int, length: int, offset: int = 0) -> bytes:
    """Return bytes `offset` to `offset + length` of the pattern of `seed` (only its low 8 bits count).

    Raises ValueError if `length` or `offset` is negative.
    """
    if length < 0 or offset < 0:
        raise ValueError(f"a pattern has no negative length ({length}) or offset ({offset})")
    start = offset % PERIOD
    if start + length <= PERIOD:
        return _seeded(_PERIOD_OF_0[start : start + length], seed)
    period = _seeded(_PERIOD_OF_0, seed)
    whole, rest = divmod(length - (PERIOD - start), PERIOD)
    return b"".join((period[start:], period * whole, period[:rest]))


def _seeded(unseeded: bytes, seed: int) -> bytes:
    """Add the seed to each byte."""
    return unseeded.translate(_WHEEL[seed & 0xFF :][:256])


def pattern_sha256(seed: int, length: int, offset: int = 0) -> str:
    """Return the SHA-256 (lower-case hexadecimal) of `pattern(seed, length, offset)`, without holding it in memory."""
    from hashlib import sha256  # here, because it takes a tenth of an agent's start-up time

    digest = sha256()
    for start in range(offset, offset + length, PERIOD):
        digest.update(pattern(seed, min(PERIOD, offset + length - start), start))
    return digest.hexdigest()
