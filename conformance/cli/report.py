# SPDX-License-Identifier: MIT
"""`report`: the reports of a run, made again from its results and evidence."""

from __future__ import annotations

import argparse
from pathlib import Path

from conformance.cli.usage import Stop

HELP = "rebuild the reports of a run from its results and evidence"
DESCRIPTION = """\
Writes the reports of a run again, from its stored results and evidence: the page (report.html), JUnit XML
(junit.xml), a summary in Markdown (summary.md), a badge (badge.svg, and badge.json for shields.io), and the page
of the kill matrix (mutants.html), where the results have one or mutants.json stands alone. With --output they go
elsewhere, together with results.json; the pages then do not link to the evidence.

exit status: 0 they are written, whatever they say; 2 there are no results, they cannot be read, or the
             reports cannot be written"""
EXAMPLE = "shutdown-conformance report reports/latest --output public"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("directory", metavar="DIR", type=Path, help="the directory of a run: it holds results.json")
    parser.add_argument("--output", metavar="DIR", type=Path, help="where the reports go (default: beside the results)")


def run(arguments: argparse.Namespace) -> int:
    """Write the reports, and say which files they are."""
    from conformance.reporting import killing, reports
    from conformance.reporting.progress import told_if_slow
    from conformance.reporting.results import BadResults, load
    from conformance.reporting.text import clean

    directory: Path = arguments.directory
    into: Path = arguments.output or directory
    name = "results.json"
    if not (directory / name).exists() and (directory / "mutants.json").exists():
        name = "mutants.json"
    try:
        found = killing.load(directory / name) if name == "mutants.json" else load(directory / name)
    except BadResults as problem:
        raise Stop(clean(str(problem)), problem.hint) from None
    try:
        copied = [] if into.resolve() == directory.resolve() else [_copy(directory / name, into)]
        with told_if_slow("writing the reports"):
            if isinstance(found, killing.Stored):
                written = [reports.write_mutants(found.matrix, found.suite, directory, into)]
            else:
                written = reports.write(found, directory, into)
    except OSError as error:
        hint = "mend its permissions, make room, or name another directory with --output"
        raise Stop(clean(f"cannot write to {into}: {error.strerror}"), hint) from None
    for path in [*copied, *written]:
        print(clean(str(path)))
    return 0


def _copy(results: Path, into: Path) -> Path:
    """Put the results beside the reports, but never in the place of another run's. Raises OSError."""
    from conformance.trace.whole import write_whole

    content, path = results.read_bytes(), into / results.name
    if path.exists() and path.read_bytes() != content:
        raise Stop(f"{into} holds the results of another run", "name a directory of their own with --output")
    write_whole(path, content)
    return path
