# SPDX-License-Identifier: MIT
"""Where cases, profiles, mutants and the C sources lie: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def _suite(installed: str, checkout: str) -> Path:
    inside = _PACKAGE / "suite" / installed
    return inside if inside.is_dir() else _PACKAGE.parent / checkout


def cases() -> Path:
    """The folder of the test cases."""
    return _suite("cases", "cases")


def profiles() -> Path:
    """The folder of the provider profiles that come with the suite."""
    return _suite("profiles", "fixtures/profiles")


def agents() -> Path:
    """The folder of the C sources of the native agents."""
    return _suite("agents", "fixtures/agents")


def mutants() -> Path:
    """The folder of the mutants: sound providers made wrong in one known way."""
    return _suite("mutants", "fixtures/mutants")
