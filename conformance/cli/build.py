# SPDX-License-Identifier: MIT
"""`build`: the agents that are written in C."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from conformance.cli.usage import NOTHING_JUDGED, Stop

HELP = "build the agents that are written in C, ahead of the run that would"
DESCRIPTION = """\
Builds the agents that are written in C, and the reference provider DLL. What is built is kept below
$XDG_CACHE_HOME/shutdown-conformance (~/.cache) and built again only if its sources or the compiler change. A run
builds what it needs by itself; this says how that goes, and copies the files to where you want them.

exit status: 0 built; 2 wrong usage; 3 there is no compiler, or it complains"""
EXAMPLE = "shutdown-conformance build winsock-api winsock-spi --output to-windows"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("name", metavar="NAME", nargs="*", help="only these (default: all); a wrong name lists them")
    parser.add_argument(
        "--compiler",
        choices=("system", "mingw", "zig"),
        help="the system's (posix only), mingw-w64 (Windows only), or zig (default: the first that is installed)",
    )
    parser.add_argument("--output", metavar="DIR", type=Path, help="copy what is built there")


def run(arguments: argparse.Namespace) -> int:
    """Build."""
    from conformance.agents.native.building import Build
    from conformance.agents.native.compilers import find_compiler
    from conformance.agents.native.storing import CannotHave
    from conformance.agents.native.targets import TARGETS, find

    try:
        targets = [find(name) for name in arguments.name] or list(TARGETS.values())
    except KeyError as problem:
        raise Stop(f"nothing is called {problem.args[0]!r}", f"there are: {', '.join(TARGETS)}") from None
    if not arguments.name and arguments.compiler in ("system", "mingw"):
        targets = [target for target in targets if target.windows is (arguments.compiler == "mingw")]
    for target in targets:
        try:
            build = Build(target, find_compiler(target, arguments.compiler or ""))
            if build.is_cached():
                print(f"{target.name} is there already, made by {build.compiler.name}", flush=True)
            path = Path(build.done(lambda line: print(line, flush=True)))
        except CannotHave as problem:
            raise Stop(str(problem), problem.hint, NOTHING_JUDGED) from None
        print(f"  {_copied(path, arguments.output) if arguments.output else path}", flush=True)
    return 0


def _copied(path: Path, directory: Path) -> Path:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy2(path, directory))
    except OSError as error:
        raise Stop(f"cannot write to {directory}: {error.strerror}", "name another directory with --output") from None
