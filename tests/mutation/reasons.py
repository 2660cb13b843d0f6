# SPDX-License-Identifier: MIT
"""Why a mutant may live: by kinds of reasons, and under each the lines and changes that it is given for."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from tests.mutation.session import Mutant

SURVIVORS = Path(__file__).with_name("survivors.toml")


class Survivor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The changes that no test can or need notice, for one reason.

    `lines` are `module: text of the line`; `operators` are cosmic-ray's, or what they begin with, and none means any.
    """

    because: str
    lines: tuple[str, ...]
    operators: tuple[str, ...] = ()

    def of(self, mutant: Mutant) -> str:
        """The line by which this is a reason for that mutant; "" if it is none."""
        line = f"{mutant.module.stem}: {mutant.text}"
        there = line in self.lines and (not self.operators or mutant.operator.startswith(self.operators))
        return line if there else ""


class Reasons(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of them."""

    survivor: tuple[Survivor, ...] = ()

    @classmethod
    def read(cls, path: Path = SURVIVORS) -> Reasons:
        """Read the file. Raises msgspec.ValidationError where it does not fit."""
        return msgspec.convert(tomllib.loads(path.read_text()), cls)

    def of(self, mutant: Mutant) -> str:
        """Why that one may live; "" if nobody says so."""
        return next((s.because for s in self.survivor if s.of(mutant)), "")

    def unused(self, survivors: Iterable[Mutant]) -> Iterator[str]:
        """The lines that are given as a reason for nothing among these."""
        lived = list(survivors)
        for survivor in self.survivor:
            used = {survivor.of(mutant) for mutant in lived}
            yield from (line for line in survivor.lines if line not in used)
