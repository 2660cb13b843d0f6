# SPDX-License-Identifier: MIT
"""Fixtures of the tests of what is written in C."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agents.native.sources import small_tree


@pytest.fixture
def agents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small tree of sources, and a cache of the test's own; see `small_tree`."""
    return small_tree(tmp_path, monkeypatch)
