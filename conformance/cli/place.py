# SPDX-License-Identifier: MIT
"""The directory that a run writes to: made, shown to be writable, cleared of an earlier run, and held by one at a time.

A file `.running` is locked as long as the run is under way. Where it is there and not locked, an earlier run was
killed, and what lies beside it is of that run.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from conformance.cli.usage import Stop

REPORTS = Path("reports")
_MARK = ".running"
_PROBE_OCTETS = 1 << 16
"""Enough that a full disk shows: file systems keep a few blocks back."""


def fresh(prefix: str = "") -> Path:
    """A new directory below `reports/`, named by the time (UTC). Raises Stop."""
    stamp = time.strftime(f"{prefix}%Y%m%dT%H%M%SZ", time.gmtime())
    for number in itertools.count(1):
        output = REPORTS / (stamp if number == 1 else f"{stamp}-{number}")
        try:
            output.mkdir(parents=True)  # who makes it has it: others may begin in this second
        except FileExistsError:
            continue
        except OSError as error:
            raise _unwritable(output, error) from None
        break
    return output


@dataclass
class Hold:
    """A directory that is held; `interrupted`: its run was, and what it started may still write for a moment."""

    interrupted: bool = False


@contextlib.contextmanager
def held(output: Path, results: str, *evidence: str) -> Iterator[Hold]:
    """Hold the directory for a run that writes such results and evidence; those of an earlier one are taken away.

    The mark of a run that leaves no results stays if there is evidence, or there may be some yet. Evidence without
    results or a mark may be anybody's, and stays. Raises Stop where the directory cannot be written, or another run
    holds it.
    """
    mark = output / _MARK
    with contextlib.ExitStack() as closing:
        try:
            output.mkdir(parents=True, exist_ok=True)
            _prove(output / f".probe-{os.getpid()}")
            killed = mark.exists()
            _lock(closing.enter_context(mark.open("wb")).fileno(), output)
            if killed or (output / results).exists():
                _clear(output, results, evidence)
        except OSError as error:
            raise _unwritable(output, error) from None
        hold = Hold()
        yield hold
        left = hold.interrupted or any((output / name).exists() for name in evidence)
        if (output / results).exists() or not left:
            mark.unlink(missing_ok=True)


def _prove(probe: Path) -> None:
    try:
        with probe.open("wb") as file:
            file.write(bytes(_PROBE_OCTETS))
            file.flush()
            os.fsync(file.fileno())
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()


def _lock(fd: int, output: Path) -> None:
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Stop(f"another run is writing to {output}", "wait for its end, or name another directory") from None
    except OSError:
        pass  # a file system without locks


def _clear(output: Path, results: str, evidence: tuple[str, ...]) -> None:
    from conformance.reporting import reports

    if results == "results.json":
        reports.remove(output)
    elif results == "mutants.json":
        reports.remove_mutants(output)
    for folder in (output / name for name in evidence):
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)
    (output / results).unlink(missing_ok=True)


def _unwritable(output: Path, error: OSError) -> Stop:
    what = "make room" if error.errno == errno.ENOSPC else "mend its permissions"
    hint = f"{what}, or name another directory with --output"
    return Stop(f"cannot write to {output}: {error.strerror}", hint)
