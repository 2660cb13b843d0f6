# SPDX-License-Identifier: MIT
"""Whatever is given to a reader of foreign input, it ends soon, in a value or in a documented error."""

from __future__ import annotations

import gc
import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.effort import examples, promptly
from tests.fuzz.inputs import inputs
from tests.fuzz.targets import TARGETS, agent_output

GROWTH_OCTETS = 64 * 1024


@pytest.mark.parametrize("name", TARGETS)
def test_only_documented_errors(name: str) -> None:
    target = TARGETS[name]

    @examples(150)
    @given(inputs(target))
    def read(octets: bytes) -> None:
        with promptly():
            target.read(octets)

    read()


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_is_kept_of_what_was_read(name: str) -> None:
    target, drawn = TARGETS[name], random.Random(name)
    octets = [_broken(sample, drawn) for sample in target.samples for _ in range(10)]

    def read_all() -> None:
        for each in (*octets, *target.samples):
            target.read(each)

    def grown() -> int:
        gc.collect()
        tracemalloc.start()
        try:
            for _ in range(3):
                read_all()
            gc.collect()
            return tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()

    read_all()  # fills what is rightly kept: compiled decoders, the expectations of a statement
    # What is kept grows each time; what others in this process happen to fill meanwhile does not.
    assert min(grown() for _ in range(3)) < GROWTH_OCTETS


def _broken(sample: bytes, drawn: random.Random) -> bytes:
    at = drawn.randrange(len(sample))
    return sample[:at] + drawn.randbytes(3) + sample[at + drawn.randrange(4) :]


@examples(100)
@given(inputs(TARGETS["agent"]), st.integers(2, 9))
def test_lines_say_the_same_in_however_many_pieces_they_come(octets: bytes, pieces: int) -> None:
    assert agent_output(octets, pieces) == agent_output(octets)
