# SPDX-License-Identifier: MIT
"""The command line, `shutdown-conformance COMMAND`: a module for each command, which does its imports when it runs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn, Protocol

from conformance import __version__
from conformance.cli import (
    build,
    certify,
    check_agent,
    diff,
    explain,
    judge,
    mutants,
    providers,
    report,
    requirements,
    run,
    soak,
    verify,
)
from conformance.cli.usage import INTERRUPTED, Stop, tell


class _Command(Protocol):
    """What a command's module has."""

    HELP: str
    DESCRIPTION: str
    EXAMPLE: str

    def add_arguments(self, parser: argparse.ArgumentParser, /) -> None: ...
    def run(self, arguments: argparse.Namespace, /) -> int: ...


_COMMANDS: dict[str, _Command] = {
    "run": run,
    "providers": providers,
    "requirements": requirements,
    "explain": explain,
    "judge": judge,
    "report": report,
    "diff": diff,
    "mutants": mutants,
    "certify": certify,
    "verify": verify,
    "check-agent": check_agent,
    "build": build,
    "soak": soak,
}


class _Parser(argparse.ArgumentParser):
    """Complains like every other part of the suite: one message, one hint, exit status 2."""

    def error(self, message: str) -> NoReturn:
        raise Stop(message, f"{self.prog} --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, from `sys.argv` if no arguments are given; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that has no arrows must not end the run
    try:
        status = _main(argv)
        sys.stdout.flush()
        return status
    except Stop as stop:
        tell(str(stop), stop.hint)
        return stop.status
    except KeyboardInterrupt:
        tell("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the exit does not complain again
        return 141


def _main(argv: Sequence[str] | None) -> int:
    parser = _Parser(
        prog="shutdown-conformance",
        description="Judges from evidence how a socket implementation tells of the end of a connection.",
        epilog="example:\n  shutdown-conformance run --provider kernel-tcp -k stream_end",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, dest="command")
    for name, module in _COMMANDS.items():
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=module.DESCRIPTION,
            epilog=f"example:\n  {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        module.add_arguments(command)
    arguments, rest = parser.parse_known_args(argv)
    arguments.rest = rest
    if rest and arguments.command != "run":
        raise Stop(f"unknown arguments: {' '.join(rest)}", f"shutdown-conformance {arguments.command} --help")
    return _COMMANDS[arguments.command].run(arguments)
