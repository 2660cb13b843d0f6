# SPDX-License-Identifier: MIT
"""The baseline of a session: read and checked before anything runs, and written anew after it if that is asked for."""

from __future__ import annotations

import os
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from conformance.reporting import rebaselining
from conformance.reporting.baseline import BadBaseline, Baseline, check_providers, parse, read_text
from conformance.reporting.results import Results


def applied(path: Path, providers: Collection[str], *, update: bool) -> Baseline:
    """The baseline as it is applied today (UTC) to a run of these providers.

    With `update` it need not be there, and may speak of other providers too.

    Raises:
        BadBaseline: it cannot be used or, with `update`, not be written.
    """
    if update and not os.access(path.resolve().parent, os.W_OK):
        missing = not path.resolve().parent.is_dir()
        hint = "make its directory, or name another file" if missing else "mend its permissions, or name another file"
        raise BadBaseline(path, "", f"cannot be written: {'no such directory' if missing else 'not allowed'}", hint)
    text = "" if update and not path.exists() else read_text(path)
    entries = parse(text, path)
    if update:
        rebaselining.check_form(text, entries, path)
    else:
        check_providers(entries, path, providers)
    return Baseline(path.name, datetime.now(UTC).date(), tuple(each for each in entries if each.provider in providers))


def updated(results: Results, path: Path, baseline: Baseline) -> tuple[Results, list[str]]:
    """Write the baseline anew; the results under the new one, and what to tell.

    The file is read again, for it may have been edited meanwhile. Raises BadBaseline; the file is as it was then.
    """
    done = rebaselining.update(results, read_text(path) if path.exists() else "", path, baseline.day)
    try:
        if done.added or done.removed or not path.exists():
            rebaselining.write(path, done.text)
    except OSError as error:
        raise BadBaseline(
            path, "", f"cannot be written: {error.strerror}", "make room, or mend its permissions"
        ) from None
    return msgspec.structs.replace(results, baseline=done.baseline), list(rebaselining.lines(done))
