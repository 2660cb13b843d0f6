# SPDX-License-Identifier: MIT
"""Do the tests notice when the oracle's code is wrong? `python -m tests.mutation` tries all mutants, shows who lives.

Every module of `conformance/oracle` is changed in one place at a time, by cosmic-ray, and tests/oracle is run on it. A
session's file keeps what is done: a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.mutation.reasons import Reasons
from tests.mutation.session import Mutant, Session, session
from tests.mutation.trying import try_all

ORACLE = Path("conformance/oracle")
EXAMPLE = "example: python -m tests.mutation conformance/oracle/closing.py --session closing.sqlite"


def main() -> int:
    """Try the mutants and show who lives. Returns 1 if one does for which no reason is written down."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__, epilog=EXAMPLE)
    parser.add_argument("modules", nargs="*", type=Path, metavar="MODULE", help="modules of the oracle; all of them")
    parser.add_argument("--session", type=Path, default=Path("mutants.sqlite"), help="where results are kept")
    parser.add_argument("--again", action="store_true", help="try the survivors once more, for tests that are new")
    parser.add_argument("--show", action="store_true", help="show what a session holds, and try nothing")
    options = parser.parse_args()
    console = Console(file=os.fdopen(os.dup(1), "w"))  # nobody hears what mutants say
    new = not options.session.exists()
    with session(options.session) as kept:
        if new and not options.show:
            kept.begin(options.modules or sorted(ORACLE.glob("*.py")))
        if not options.show:
            _try_all(kept.pending(again=options.again), kept, console)
        return show(kept.tried(), Reasons.read(), console)


def _try_all(pending: Sequence[Mutant], kept: Session, console: Console) -> None:
    with Progress(console=console) as progress:
        task = progress.add_task("tests", total=len(pending))

        def done(mutant: Mutant, caught: str) -> None:
            kept.caught(mutant, caught)
            progress.update(task, advance=1, description=mutant.module.stem)

        if pending:
            try_all(pending, done)


def show(tried: Iterable[Mutant], reasons: Reasons, console: Console) -> int:
    """Print figures by module, then the survivors without a reason."""
    table = Table("module", "mutants", "killed", "with a reason", "survivors", "killed %")
    totals, unexplained = Counter[str](), list[Mutant]()
    for module, mutants in groupby(tried, key=lambda mutant: mutant.module):
        counts = Counter[str]()
        for mutant in mutants:
            kind = "killed" if mutant.caught else "explained" if reasons.of(mutant) else "survivor"
            counts.update({kind, "mutants"})
            unexplained += [mutant] if kind == "survivor" else []
        table.add_row(module.stem, *_figures(counts))
        totals += counts
    table.add_section()
    table.add_row("all", *_figures(totals))
    console.print(table)
    for mutant in unexplained:
        where = f"{mutant.module}:{mutant.line}"
        console.print(f"{where} {mutant.operator} {mutant.text}", markup=False, highlight=False, soft_wrap=True)
    return 1 if unexplained else 0


def _figures(counts: Counter[str]) -> list[str]:
    share = 100 * counts["killed"] / max(1, counts["mutants"])
    kinds = ("mutants", "killed", "explained", "survivor")
    return [*(str(counts[kind]) for kind in kinds), f"{share:.1f}"]


if __name__ == "__main__":
    raise SystemExit(main())
