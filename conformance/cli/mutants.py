# SPDX-License-Identifier: MIT
"""`mutants`: implementations that are wrong in a known way, and whether the suite notices."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.cli.usage import INTERRUPTED, NOTHING_JUDGED, Stop, tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.agents.mutating.mutants import Mutant

HELP = "run the suite against mutants, and show what would not be noticed"
DESCRIPTION = """\
Runs implementations that are each broken in one known way, and shows which requirement caught which: first the mutants
that survived, then what was caught by another requirement than it should have been, then the requirements that no
mutant died on. The kill matrix is a page, DIR/mutants.html; where DIR holds the results of a run, these and its
report have it as well.

exit status: 0 all were killed, and every applicable mandatory and conditional requirement is covered; 1 not so;
             2 wrong usage; 3 nothing ran; 130 interrupted"""
EXAMPLE = "shutdown-conformance mutants -k 'reset or linger' -n 2"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's options."""
    parser.add_argument(
        "-k", metavar="EXPR", dest="expression", help="only the mutants whose names fit, as pytest's -k"
    )
    parser.add_argument(
        "--requirement", metavar="ID", action="append", default=[], help="only those that must die on it; repeatable"
    )
    parser.add_argument("--list", action="store_true", help="list the mutants, and run none")
    parser.add_argument("--all", action="store_true", help="every case for every mutant: what else catches it")
    parser.add_argument("--mutants", metavar="DIR", type=Path, help="take the mutants from this folder of Python files")
    parser.add_argument("-n", metavar="N", dest="processes", help="spread over N processes (auto: one for each core)")
    parser.add_argument("--output", metavar="DIR", type=Path, help="where the matrix goes (default: reports/TIME)")
    parser.add_argument("--json", action="store_true", help="print it as JSON, and nothing else, on stdout")


def run(arguments: argparse.Namespace) -> int:
    """Choose mutants, let pytest run them, and make an exit status of what came of it."""
    from conformance.cli.place import fresh, held
    from conformance.cli.run import prepare, run_pytest

    chosen = _chosen(arguments)
    if arguments.list:
        return _list(chosen, as_json=arguments.json)
    whole = not (arguments.expression or arguments.requirement)
    providers = list(dict.fromkeys(over for mutant in chosen for over in mutant.over))
    output = arguments.output or fresh()
    with held(output, "mutants.json", "mutants") as hold:
        words = _pytest_arguments(arguments, chosen, output, whole=whole) + prepare(providers)
        status, _ = run_pytest(words, as_json=arguments.json)
        hold.interrupted = status == INTERRUPTED
    stored = output / "mutants.json"
    if status == INTERRUPTED:
        tell("interrupted", f"what was finished is in {output}" if stored.exists() else "")
        return status
    if not stored.exists():
        raise Stop("the mutants ended without a kill matrix", "what is said above tells why", NOTHING_JUDGED)
    if arguments.json:
        sys.stdout.write(stored.read_text(encoding="utf-8"))
    return status


def _chosen(arguments: argparse.Namespace) -> list[Mutant]:
    from conformance import locations
    from conformance.catalogue.catalogue import load, nearest
    from conformance.execution.mutation import BadMutant, find_all, mutations
    from conformance.execution.profile import BadProfile

    for requirement in arguments.requirement:
        if requirement not in load():
            raise Stop(f"no requirement {requirement!r} in the catalogue", f"near: {', '.join(nearest(requirement))}")
    try:
        found = find_all(arguments.mutants or locations.mutants())
        mutations(found)
    except (BadMutant, BadProfile) as problem:
        raise Stop(str(problem), problem.hint) from None
    fits = _expression(arguments.expression)
    chosen = [
        mutant
        for mutant in found
        if fits(mutant) and (not arguments.requirement or set(arguments.requirement) & set(mutant.kills))
    ]
    if not chosen:
        raise Stop("no mutant fits", "shutdown-conformance mutants --list", NOTHING_JUDGED)
    return chosen


def _expression(expression: str | None) -> Callable[[Mutant], bool]:
    """What `-k` means: pytest's own expressions, over the names of mutants, providers and requirements."""
    if not expression:
        return lambda mutant: True
    from _pytest.mark.expression import Expression

    try:
        compiled = Expression.compile(expression)
    except Exception as problem:
        raise Stop(f"-k {expression!r}: {problem}", "an expression such as 'reset and not linger'") from None

    def fits(mutant: Mutant) -> bool:
        words = " ".join((mutant.name, *mutant.over, *mutant.kills, Path(mutant.file).stem)).lower()
        return compiled.evaluate(lambda word, /, **_: word.lower() in words)

    return fits


def _list(mutants: list[Mutant], *, as_json: bool) -> int:
    from conformance.reporting.text import several, wrapped

    if as_json:
        import msgspec

        rows = [{"name": m.name, "kills": m.kills, "over": m.over, "says": m.says} for m in mutants]
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode() + "\n")
        return 0
    for mutant in mutants:
        print(mutant.name)
        print("\n".join(wrapped("", mutant.says, column=4)))
        print(f"    {', '.join(mutant.kills)}   over {', '.join(mutant.over)}")
    print(several(len(mutants), "mutant"))
    return 0


def _pytest_arguments(arguments: argparse.Namespace, chosen: list[Mutant], output: Path, *, whole: bool) -> list[str]:
    from conformance.cli.run import suite

    words = [*suite(), "--shutdown-run", "-p", "no:cacheprovider", "--capture=sys"]
    words += ["-p", "no:tmpdir"]
    words += ["--shutdown-output", str(output.absolute())]
    words += [word for mutant in chosen for word in ("--shutdown-mutant", mutant.name)]
    if arguments.mutants:
        words += ["--shutdown-mutants", str(arguments.mutants.absolute())]
    if not whole:
        demanded = arguments.requirement or dict.fromkeys(kill for mutant in chosen for kill in mutant.kills)
        words += ["--shutdown-demand", ",".join(demanded)]
    if arguments.all:
        words.append("--shutdown-all")
    if arguments.processes is not None:
        words += ["-n", arguments.processes]
    if arguments.json:
        words.append("--shutdown-json")
    return words
