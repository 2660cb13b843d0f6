# SPDX-License-Identifier: MIT
"""`python -m conformance.agents.native NAME [ARGS...]`: becomes that agent, built if need be."""

from __future__ import annotations

import os
import sys

from conformance.agents.native import building, wine
from conformance.agents.native.storing import CannotHave
from conformance.agents.native.targets import TARGETS, find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

AGENTS = [name.removesuffix(".exe") for name in TARGETS if not name.endswith(".dll")]
USAGE = f"""\
usage: python -m conformance.agents.native [--prepare] NAME [ARGS...]

Becomes the agent NAME with these arguments: {", ".join(AGENTS)}.
It is built first if need be. The ones for Windows run under Wine, inside a topology of the suite.
--prepare does all that takes long, and starts nothing.
"""


def main(arguments: list[str]) -> NoReturn:
    """Become the agent, or prepare it; a CannotHave is told as the agent protocol has it."""
    preparing = arguments[:1] == ["--prepare"]
    name, *rest = arguments[preparing:] or [""]
    if name in ("-h", "--help"):
        sys.stdout.write(USAGE)
        sys.exit(0)
    if name.removesuffix(".exe") not in AGENTS:
        sys.exit(f"{USAGE}\nno agent {name!r}")
    try:
        if preparing:
            _prepare(name, rest)
        _become(name, rest)
    except CannotHave as problem:
        what, *details = str(problem).splitlines()
        # The protocol has what is missing in the first line; a preparation, after its progress, in the last but one.
        lines = [*details, what, problem.hint] if preparing else [what, *details, problem.hint]
        sys.stderr.write("".join(f"{line}\n" for line in lines))
        sys.exit(os.EX_UNAVAILABLE)
    except KeyboardInterrupt:
        sys.exit(130)


def _prepare(name: str, arguments: list[str]) -> NoReturn:
    """Build, and make the Wine prefix; progress goes to standard error."""

    def say(line: str) -> None:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    windows = find(name).windows
    installed = wine.find_wine() if windows else None
    building.build(name, say=say)
    for word in arguments:
        if _is_ours(word):
            building.build(word, say=say)
    if installed:
        wine.make_template(installed, say)
    sys.exit(0)


def _become(name: str, arguments: list[str]) -> NoReturn:
    target = find(name)
    if not target.windows:
        program = building.build(name)
        os.execv(program, [program, *arguments])
    installed = wine.find_wine()
    station = os.environ.get(wine.STATION, "")
    if not station:
        raise CannotHave(
            f"the agent {name} runs under Wine, whose server needs a place that ends",
            "start it by the suite: shutdown-conformance run, providers, or check-agent",
        )
    program = building.build(name)
    arguments = [_for_windows(word) for word in arguments]
    prefix = wine.prefix_here(installed, station)
    environment = installed.environment(prefix, station)
    os.execve(installed.loader, [installed.loader, program, *arguments], environment)


def _is_ours(word: str) -> bool:
    return word in TARGETS and word.endswith(".dll")


def _for_windows(word: str) -> str:
    """An argument as the agent is to see it: a DLL by its path on drive Z:, which is the root directory."""
    if not word.lower().endswith(".dll") or word[1:2] == ":":
        return word
    path = building.build(word) if _is_ours(word) else os.path.abspath(word)
    if not os.path.exists(path):
        raise CannotHave(f"there is no DLL {word}", f"is the path right? It is looked for as {path}")
    return "Z:" + path.replace("/", "\\")


if __name__ == "__main__":
    main(sys.argv[1:])
