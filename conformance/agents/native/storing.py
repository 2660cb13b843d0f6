# SPDX-License-Identifier: MIT
"""Where things are kept that take long to make: each made once, whole or not at all, by one process at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os

TYPE_CHECKING = False  # an agent should start quickly: `typing` would cost some milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator


class CannotHave(Exception):
    """What is needed cannot be made here: says what is missing, and `hint` is the remedy, one line each."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.hint = hint


def cache_directory() -> str:
    """Our folder below the user's cache directory; it need not exist."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # as the XDG Base Directory Specification has it
        base = os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "shutdown-conformance")


def made_directory(path: str) -> str:
    """This directory, made if it was not there. Raises CannotHave."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise CannotHave(
            f"the cache directory {path} cannot be made: {error.strerror}",
            "set XDG_CACHE_HOME to a directory that can be written",
        ) from None
    return path


@contextlib.contextmanager
def locked(path: str) -> Iterator[None]:
    """Hold a lock that other processes see; who comes second waits. It ends with the process at the latest."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CannotHave(
            f"{path} cannot be written: {error.strerror}", "set XDG_CACHE_HOME to a directory that can be written"
        ) from None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


@contextlib.contextmanager
def fresh_directory(final: str) -> Iterator[str]:
    """A directory to make things in, which becomes `final` if all goes well, and otherwise is taken away."""
    import shutil
    import tempfile

    try:
        beside = tempfile.mkdtemp(prefix=".new-", dir=os.path.dirname(final))
    except OSError as error:
        raise CannotHave(
            f"{os.path.dirname(final)} cannot be written: {error.strerror}",
            "set XDG_CACHE_HOME to a directory that can be written",
        ) from None
    try:
        yield beside
        os.rename(beside, final)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
