# SPDX-License-Identifier: MIT
"""`judge`: stored evidence, judged again."""

from __future__ import annotations

import argparse
from pathlib import Path

from conformance.cli.usage import Stop, tell

HELP = "judge stored evidence again, and say what changed"
DESCRIPTION = """\
Judges the evidence of a run again, with this version's oracle, and compares what comes of it with its results.

exit status: 0 all as stored; 1 something differs, or evidence is missing, cut short, edited, or of no case;
             2 wrong usage (no such directory, no results in it); 3 nothing could be judged"""
EXAMPLE = "shutdown-conformance judge reports/latest"

_LEFT_OUT_SHOWN = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("directory", metavar="DIR", type=Path, help="the directory of a run: it holds results.json")


def run(arguments: argparse.Namespace) -> int:
    """Judge again."""
    from conformance.reporting.rejudging import rejudge
    from conformance.reporting.results import BadResults, load
    from conformance.reporting.text import clean, several

    directory: Path = arguments.directory
    try:
        stored = load(directory / "results.json")
    except BadResults as problem:
        raise Stop(str(problem), problem.hint) from None
    again = rejudge(stored, directory)
    for bad in again.bad:
        tell(clean(str(bad)), bad.hint)
    if again.left_out:
        print(f"left out: {several(len(again.left_out), 'evidence file')} of no case of these results")
        for path in again.left_out[:_LEFT_OUT_SHOWN]:
            print(clean(f"  {path}"))
        if len(again.left_out) > _LEFT_OUT_SHOWN:
            print(f"  and {len(again.left_out) - _LEFT_OUT_SHOWN} more")
        if stored.cases.finished < stored.cases.planned:
            print("  (the run was interrupted, which can leave evidence that its results do not name)")
    if stored.suite != again.results.suite:
        print(f"judged then by {stored.suite.version} ({stored.suite.catalogue[:19]}…), now by", end=" ")
        print(f"{again.results.suite.version} ({again.results.suite.catalogue[:19]}…)")
    for change in again.changes:
        reason = f" ({change.reason})" if change.reason else ""
        print(clean(f"{change.provider}  {change.what}: {change.before} → {change.now}{reason}"))
    judged = several(again.results.cases.finished, "case")
    if again.status == 3:
        tell("nothing could be judged", "is this the whole directory of a run, with its evidence?")
    else:
        differing = (
            several(len(again.changes), "thing differs", "things differ") if again.changes else "nothing differs"
        )
        print(f"{judged} judged again; {differing} from the results")
    return again.status
