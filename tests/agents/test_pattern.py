# SPDX-License-Identifier: MIT
"""The pattern is the one that the protocol defines, at any offset, and its digest the digest of just that."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.trace.pattern import PERIOD, pattern, pattern_sha256


@given(seed=st.integers(-1000, 1000), length=st.integers(0, 700), offset=st.integers(0, 3 * PERIOD))
def test_every_byte_by_its_formula(seed: int, length: int, offset: int) -> None:
    wanted = bytes((seed + i + (i >> 8)) & 0xFF for i in range(offset, offset + length))
    assert pattern(seed, length, offset) == wanted


@pytest.mark.parametrize("length", [0, 1, PERIOD - 1, PERIOD, PERIOD + 1, 3 * PERIOD + 7])
@pytest.mark.parametrize("offset", [0, 5, PERIOD - 1, PERIOD, 2 * PERIOD + 9])
def test_lengths_around_the_period(length: int, offset: int) -> None:
    whole = pattern(9, offset + length)
    assert len(whole) == offset + length
    assert pattern(9, length, offset) == whole[offset:]
    assert pattern_sha256(9, length, offset) == hashlib.sha256(whole[offset:]).hexdigest()


def test_a_displaced_block_shows() -> None:
    assert pattern(0, 256) != pattern(0, 256, offset=256)


@pytest.mark.parametrize(("length", "offset"), [(-1, 0), (1, -1)])
def test_negative_sizes_are_refused(length: int, offset: int) -> None:
    with pytest.raises(ValueError, match="negative"):
        pattern(0, length, offset)
