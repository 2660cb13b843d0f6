# SPDX-License-Identifier: MIT
"""Do the tests notice when the oracle's code is wrong? `python -m tests.mutation` tries all mutants, shows who lives.

Every module of `conformance/oracle` is changed in one place at a time, by cosmic-ray, and tests/oracle is run on it.
What is found is kept: a run that was stopped goes on where it was, and a module that was changed is tried anew. Exit
status 0 if 90 % of the mutants die, and each of the others has its reason in survivors.toml; else 1.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from tests.mutation.children import NO_END
from tests.mutation.reasons import SURVIVORS, Reasons
from tests.mutation.running import Place
from tests.mutation.session import NO_PYTHON, Mutant, Session, mutants_of
from tests.mutation.trying import try_all

SHARE = 0.90
SESSION = Path(".mutation")
EXAMPLE = "example: python -m tests.mutation --module closing --sample 10"
_KINDS = ("mutants", "died", "of these timed out", "survived with a reason", "survived without")


def main() -> int:
    """Try the mutants and show who lives. Returns 1 if too many do, or one does for which no reason is written down."""
    parser = _parser()
    options = parser.parse_args()
    place = Place(options.code, options.tests)
    modules = [module for module in place.modules() if not options.module or module.stem in options.module]
    if unknown := {*options.module} - {module.stem for module in modules}:
        parser.error(f"no module of {place.code}: {', '.join(sorted(unknown))}")
    if not modules:
        parser.error(f"no module in {place.code}")
    console = Console(file=os.fdopen(os.dup(1), "w"))  # nobody hears what mutants say
    began, session = time.monotonic(), Session(options.session)
    mutants = [mutant for module in modules for mutant in mutants_of(module)[:: options.sample]]
    if not options.show:
        wanted = (None, "") if options.again else (None,)
        try:
            _try(place, [m for m in mutants if session.caught(m) in wanted], session, console, options.jobs)
        except KeyboardInterrupt:
            console.print("stopped: the same command goes on from here")
        except RuntimeError as problem:
            parser.exit(2, f"{parser.prog}: {problem}\n")
    minutes = (time.monotonic() - began) / 60
    return show({m: session.caught(m) for m in mutants}, Reasons.read(options.reasons), console, minutes=minutes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__, epilog=EXAMPLE)
    parser.add_argument("--module", action="append", default=[], metavar="NAME", help="this module only; repeatable")
    parser.add_argument("--sample", type=count, default=1, metavar="N", help="every Nth mutant of each module")
    parser.add_argument("--again", action="store_true", help="try the survivors once more, for tests that are new")
    parser.add_argument("--show", action="store_true", help="show what is known, and try nothing")
    parser.add_argument("--jobs", type=count, default=os.cpu_count(), metavar="N", help="tried at a time; all cores")
    parser.add_argument("--session", type=Path, default=SESSION, metavar="FILE", help=f"what is known; {SESSION}")
    parser.add_argument("--code", type=Path, default=Path("conformance/oracle"), help="the folder that is changed")
    parser.add_argument("--tests", type=Path, default=Path("tests/oracle"), help="the tests that are to notice")
    parser.add_argument("--reasons", type=Path, default=SURVIVORS, metavar="FILE", help="why some may live")
    return parser


def count(text: str) -> int:
    """A number from 1 on. Raises ValueError for others."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _try(place: Place, pending: Sequence[Mutant], session: Session, console: Console, jobs: int) -> None:
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("learning which tests come where", total=len(pending))

        def done(mutant: Mutant, caught: str) -> None:
            session.keep(mutant, caught)
            progress.update(task, advance=1, description=mutant.module.stem)

        if pending:
            try_all(place, pending, done, jobs=jobs)


def show(found: Mapping[Mutant, str | None], reasons: Reasons, console: Console, *, minutes: float) -> int:
    """Print figures by module, the survivors without a reason, and reasons for nothing. Returns the exit status."""
    tried = {mutant: caught for mutant, caught in found.items() if caught is not None and caught != NO_PYTHON}
    table = Table("module", *_KINDS, "died %")
    totals, unexplained = Counter[str](), list[Mutant]()
    for module, mutants in groupby(tried, key=lambda mutant: mutant.module):
        counts = Counter[str]()
        for mutant in mutants:
            caught = tried[mutant]
            kind = "died" if caught else "survived with a reason" if reasons.of(mutant) else "survived without"
            counts.update({kind, "mutants"} | ({"of these timed out"} if caught.startswith(NO_END) else set()))
            unexplained += [mutant] if kind == "survived without" else []
        table.add_row(module.stem, *_figures(counts))
        totals += counts
    table.add_section()
    table.add_row("all", *_figures(totals))
    console.print(table)
    lines = [
        f"{m.module}:{m.line}:{m.column + 1}: {m.operator}\n  - {m.text}\n  + {m.changed_text}" for m in unexplained
    ]
    lines += [f"a reason for nothing: {line}" for line in _unused(tried, reasons)]
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    untried = sum(caught is None for caught in found.values())
    console.print(f"{minutes:.1f} minutes; {f'{untried} mutants are not tried yet' if untried else 'all are tried'}")
    enough = totals["died"] >= SHARE * totals["mutants"] and not untried
    return 0 if enough and not unexplained else 1


def _unused(tried: Mapping[Mutant, str], reasons: Reasons) -> list[str]:
    modules = {mutant.module.stem for mutant in tried}
    lines = reasons.unused(mutant for mutant, caught in tried.items() if not caught)
    return [line for line in lines if line.partition(":")[0] in modules]


def _figures(counts: Counter[str]) -> list[str]:
    share = 100 * counts["died"] / max(1, counts["mutants"])
    return [*(str(counts[kind]) for kind in _KINDS), f"{share:.1f}"]


if __name__ == "__main__":
    raise SystemExit(main())
