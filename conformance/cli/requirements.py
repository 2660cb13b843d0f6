# SPDX-License-Identifier: MIT
"""`requirements`: the catalogue."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from conformance.cli.usage import Stop

if TYPE_CHECKING:
    from conformance.catalogue.catalogue import Catalogue, Group

HELP = "the catalogue of requirements"
DESCRIPTION = "Lists what must hold: each requirement with its level and its statement. `explain ID` tells all of one."
EXAMPLE = "shutdown-conformance requirements --group B"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's options."""
    parser.add_argument("--group", metavar="G", help="only this group, by its letter (A to G)")
    parser.add_argument("--json", action="store_true", help="all that the catalogue says, as JSON")


def run(arguments: argparse.Namespace) -> int:
    """List the requirements."""
    from conformance.catalogue.catalogue import load
    from conformance.reporting.text import wrapped

    catalogue = load()
    groups = [_group(catalogue, arguments.group)] if arguments.group is not None else list(catalogue.groups.values())
    if arguments.json:
        import msgspec

        rows = [requirement for group in groups for requirement in catalogue.group(group.letter)]
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode() + "\n")
        return 0
    for group in groups:
        print(f"\n{group.letter}  {group.title}")
        for requirement in catalogue.group(group.letter):
            level = f"{requirement.id:<15} {requirement.level}"
            print("\n".join(wrapped(f"  {level}", requirement.statement, column=32)))
    return 0


def _group(catalogue: Catalogue, name: str) -> Group:
    if (group := catalogue.groups.get(name.upper())) is None:
        known = "; ".join(f"{group.letter} {group.title}" for group in catalogue.groups.values())
        raise Stop(f"no group {name!r} in the catalogue", f"there are: {known}")
    return group
