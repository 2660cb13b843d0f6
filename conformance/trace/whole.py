# SPDX-License-Identifier: MIT
"""Files that are whole or absent, whatever ends their writer: written beside their place, then moved there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A path to write to, whose file gets the name `path` in the end; it is removed if anything is raised before.

    The directory is made if there is none. Raises OSError where the place cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    place = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield place
        place.replace(path)
    except BaseException:
        place.unlink(missing_ok=True)
        raise


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, and its directory if need be. Raises OSError, and leaves nothing of what was begun."""
    with beside(path) as place:
        place.write_bytes(content)
