# SPDX-License-Identifier: MIT
"""`python -m conformance.agents.mutating FILE NAME -- COMMAND...`: a sound agent, and a mutant in front of it.

The sound agent is a child process, whatever it is written in. One that is a module of this Python is not started but
forked, which costs a fraction of a start.
"""

from __future__ import annotations

import os
import runpy
import sys

from conformance.agents.mutating.mutants import load
from conformance.agents.mutating.passing import Passing

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import NoReturn

USAGE = """\
usage: python -m conformance.agents.mutating FILE NAME -- COMMAND...

The agent that COMMAND starts, made wrong by the mutant NAME of FILE.
"""


def main(arguments: list[str]) -> NoReturn:
    """Run the agent; its exit status is the sound agent's, or 70 where a filter broke."""
    if arguments[2:3] != ["--"] or not arguments[3:]:
        sys.exit(USAGE)
    file, name, _, *command = arguments
    found = load(file).get(name)
    if found is None:
        sys.exit(f"no mutant {name!r} in {file}")
    child, asking, answering = _start(command)
    try:
        Passing(found, 0, 1, asking, answering).run()
    except BrokenPipeError:
        os._exit(0)  # nobody listens any more
    except SystemExit as ending:
        _leave(ending)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(os.EX_SOFTWARE)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _start(command: list[str]) -> tuple[int, int, int]:
    """The sound agent: its process, and our ends of its standard input and output."""
    theirs_in, ours_in = os.pipe()
    ours_out, theirs_out = os.pipe()
    if (child := os.fork()) == 0:
        try:
            os.dup2(theirs_in, 0)
            os.dup2(theirs_out, 1)
            for fd in (theirs_in, ours_in, ours_out, theirs_out):
                os.close(fd)
            _become(command)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(1)
    os.close(theirs_in)
    os.close(theirs_out)
    return child, ours_in, ours_out


def _become(command: list[str]) -> None:
    program, *rest = command
    if program != sys.executable or rest[:1] != ["-m"]:
        try:
            os.execvp(program, command)
        except OSError as error:
            _leave(SystemExit(f"cannot start {program}: {error.strerror}"))
    sys.argv = rest[1:]
    try:
        runpy.run_module(rest[1], run_name="__main__", alter_sys=True)
    except SystemExit as ending:
        _leave(ending)


def _leave(ending: SystemExit) -> NoReturn:
    if isinstance(ending.code, str):
        sys.stderr.write(f"{ending.code}\n")
    os._exit(ending.code if isinstance(ending.code, int) else 1 if ending.code else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
