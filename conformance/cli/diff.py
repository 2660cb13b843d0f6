# SPDX-License-Identifier: MIT
"""`diff`: what changed between two runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.cli.usage import Stop

if TYPE_CHECKING:
    from conformance.reporting.comparing import Comparison
    from conformance.reporting.results import Results

HELP = "what changed between two runs: better, worse, newly tested, gone"
DESCRIPTION = """\
Compares the results of two runs, by provider and requirement. What was decided and is not tested any more counts as
worse: a failure that nobody looks at has not been mended. docs/gate.md has the order of the verdicts.

exit status: 0 nothing got worse; 1 something got worse, or is no longer tested; 2 wrong usage (no results there)"""
EXAMPLE = "shutdown-conformance diff reports/20300101T000000Z reports/latest"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("before", metavar="A", type=Path, help="the directory of a run, or its results.json")
    parser.add_argument("now", metavar="B", type=Path, help="a later one")
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    parser.add_argument("--html", metavar="FILE", type=Path, help="write the comparison as a page, too")


def run(arguments: argparse.Namespace) -> int:
    """Compare."""
    import msgspec
    from rich.console import Console

    from conformance.reporting.comparing import compare
    from conformance.reporting.differences import print_comparison

    names = (str(arguments.before), str(arguments.now))
    comparison = compare(_results(arguments.before), _results(arguments.now), names)
    if arguments.html:
        _write(comparison, arguments.html)
    if arguments.json:
        said = {"status": comparison.status, "sentence": comparison.sentence, **msgspec.to_builtins(comparison)}
        sys.stdout.write(msgspec.json.encode(said).decode() + "\n")
    else:
        print_comparison(comparison, Console())
    return comparison.status


def _write(comparison: Comparison, path: Path) -> None:
    from conformance.reporting.page import difference
    from conformance.trace.whole import write_whole

    try:
        write_whole(path, difference.render(comparison).encode())
    except OSError as error:
        raise Stop(f"cannot write {path}: {error.strerror}", "name another file with --html") from None


def _results(place: Path) -> Results:
    from conformance.reporting.results import BadResults, load

    try:
        return load(place / "results.json" if place.is_dir() else place)
    except BadResults as problem:
        raise Stop(str(problem), problem.hint) from None
