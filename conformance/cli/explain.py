# SPDX-License-Identifier: MIT
"""`explain`: one requirement or one case."""

from __future__ import annotations

import argparse
from pathlib import Path

from conformance.cli.usage import Stop

HELP = "one requirement or case: clause, stimulus, what is accepted and why, its last verdict"
DESCRIPTION = (
    "Explains a requirement by its identifier, or a case by its id, its function, or its id with parameters:\n"
    "where it is written, what is accepted and why, which cases exercise it, and what came of it in the\n"
    "newest results, with the ladder of the two ends and the link between them."
)
EXAMPLE = "shutdown-conformance explain IND-STREAM-01"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("id", metavar="ID", help="a requirement, such as IND-STREAM-01, or a case")
    parser.add_argument("--results", metavar="DIR", help="the run to look at (default: the newest below reports/)")


def run(arguments: argparse.Namespace) -> int:
    """Explain."""
    from conformance import locations
    from conformance.reporting import casebook
    from conformance.reporting.explain import LastRun, UnknownName, explain, newest
    from conformance.reporting.results import BadResults, load

    try:
        if arguments.results is None:
            last = newest(Path("reports"), arguments.id)
        else:
            last = LastRun(load(Path(arguments.results) / "results.json"), Path(arguments.results))
        lines = explain(arguments.id, casebook.read(locations.cases()), last)
    except BadResults as problem:
        raise Stop(str(problem), problem.hint) from None
    except UnknownName as problem:
        near = f"did you mean {' or '.join(problem.near)}?" if problem.near else "shutdown-conformance requirements"
        raise Stop(str(problem), near) from None
    print("\n".join(lines))
    return 0
