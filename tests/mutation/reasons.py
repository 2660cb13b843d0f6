# SPDX-License-Identifier: MIT
"""Why a mutant may live: by the module, the line's text and the change, each with its reason, in survivors.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from tests.mutation.session import Mutant

SURVIVORS = Path(__file__).with_name("survivors.toml")


class Survivor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The changes of one line that no test can or need notice. `operators` are cosmic-ray's; no place means any."""

    because: str
    line: str
    module: str = ""
    operators: tuple[str, ...] = ()


class Reasons(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of them."""

    survivor: tuple[Survivor, ...] = ()

    @classmethod
    def read(cls) -> Reasons:
        """Read the file. Raises msgspec.ValidationError where it does not fit."""
        return msgspec.convert(tomllib.loads(SURVIVORS.read_text()), cls)

    def of(self, mutant: Mutant) -> str:
        """Why that one may live; "" if nobody says so."""
        return next((s.because for s in self.survivor if _fits(s, mutant)), "")


def _fits(survivor: Survivor, mutant: Mutant) -> bool:
    there = survivor.module in ("", mutant.module.stem) and survivor.line == mutant.text
    return there and (not survivor.operators or mutant.operator in survivor.operators)
