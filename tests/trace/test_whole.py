# SPDX-License-Identifier: MIT
"""A file is whole or absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.trace.whole import beside


def test_what_was_written_has_its_name(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    with beside(path) as place:
        place.write_text("all of it")
        assert not path.exists()
    assert path.read_text() == "all of it"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("problem", [OSError("full"), KeyboardInterrupt()])
def test_what_was_not_written_whole_leaves_what_was_there(tmp_path: Path, problem: BaseException) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    with pytest.raises(type(problem)), beside(path) as place:
        place.write_text("half of")
        raise problem
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
