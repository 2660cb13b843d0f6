# SPDX-License-Identifier: MIT
"""`judge`: stored evidence, judged again."""

from __future__ import annotations

import argparse
from pathlib import Path

from conformance.cli.usage import Stop, tell

HELP = "judge stored evidence again, and say what changed"
DESCRIPTION = """\
Judges the evidence of a run again, with this version's oracle, and compares the verdicts with its results.

exit status: 0 nothing changed; 1 verdicts changed, or evidence is missing, cut short or edited;
             2 wrong usage (no such directory, no results in it); 3 nothing could be judged"""
EXAMPLE = "shutdown-conformance judge reports/latest"


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
    if stored.suite != again.results.suite:
        print(f"judged then by {stored.suite.version} ({stored.suite.catalogue[:19]}…), now by", end=" ")
        print(f"{again.results.suite.version} ({again.results.suite.catalogue[:19]}…)")
    for change in again.changes:
        reason = f" ({change.reason})" if change.reason else ""
        print(clean(f"{change.provider}  {change.requirement}: {change.before} → {change.now}{reason}"))
    judged = several(again.results.cases.finished, "case")
    if again.status == 3:
        tell("nothing could be judged", "is this the whole directory of a run, with its evidence?")
    elif not again.changes:
        print(f"{judged} judged again; no verdict changed")
    else:
        print(f"{judged} judged again; {several(len(again.changes), 'verdict')} changed")
    return again.status
