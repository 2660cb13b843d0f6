# SPDX-License-Identifier: MIT
"""The compilers: the system's own, mingw-w64 for Windows, or zig from the Python package `ziglang` for both."""

from __future__ import annotations

import os

from conformance.agents.native.storing import CannotHave, cache_directory
from conformance.agents.native.targets import Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MINGW = "x86_64-w64-mingw32-gcc"


class Compiler:
    """A C compiler for one target. `command` starts it; `name` is for people."""

    def __init__(self, name: str, command: tuple[str, ...], environment: dict[str, str] | None = None) -> None:
        self.name = name
        self.command = command
        self.environment = environment or {}

    def identity(self) -> str:
        """What changes when the compiler is another or is upgraded: its file, by path, size and time.

        To ask it for its version would take as long as an agent's whole start.
        """
        path = os.path.realpath(self.command[0])
        status = os.stat(path)
        return f"{path} {status.st_size} {status.st_mtime_ns} {' '.join(self.command[1:])}"


def find_compiler(target: Target, asked: str = "") -> Compiler:
    """The compiler for a target: `asked` names one of COMPILERS, else the first that there is.

    Raises CannotHave: none is installed, or the one asked for cannot make this target.
    """
    usable: tuple[str, ...] = ("mingw", "zig") if target.windows else ("system", "zig")
    if asked:
        if asked not in usable:
            raise CannotHave(f"{target.name} cannot be made with {asked}", f"--compiler {' or '.join(usable)}")
        usable = (asked,)
    for name in usable:
        if (found := COMPILERS[name](target)) is not None:
            return found
    missing = f"there is no C compiler for {target.name}"
    if asked:
        missing += f" called {asked}"
    raise CannotHave(missing, f"install {' or '.join(_REMEDIES[name] for name in usable)}")


def _system(target: Target) -> Compiler | None:
    import shlex

    asked = shlex.split(os.environ.get("CC", ""))
    for words in filter(None, (asked, ["cc"], ["gcc"], ["clang"])):
        if path := which(words[0]):
            return Compiler(os.path.basename(path), (path, *words[1:]))
    return None


def _mingw(target: Target) -> Compiler | None:
    path = which(MINGW)
    return Compiler("mingw-w64", (path,)) if path else None


def _zig(target: Target) -> Compiler | None:
    import platform
    from importlib.util import find_spec

    spec = find_spec("ziglang")
    if spec is None or spec.origin is None:
        return None
    program = os.path.join(os.path.dirname(spec.origin), "zig")
    if not os.access(program, os.X_OK):
        return None
    machine = platform.machine()
    if target.windows:
        aim = ("-target", "x86_64-windows-gnu")
    else:
        aim = ("-target", f"{machine}-linux-{'musl' if '-static' in target.link else 'gnu'}")
    cache = os.path.join(cache_directory(), "zig")
    environment = {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
    return Compiler("zig", (program, "cc", *aim), environment)


def which(program: str) -> str:
    """The full path of a program, found as a shell finds it; "" if there is none.

    `shutil.which` does the same; but to import shutil takes an agent's start ten milliseconds longer.
    """
    if os.sep in program:
        return program if os.access(program, os.X_OK) else ""
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, program)
        if folder and os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return ""


COMPILERS: dict[str, Callable[[Target], Compiler | None]] = {"system": _system, "mingw": _mingw, "zig": _zig}
"""The compilers by the name that `--compiler` takes."""

_REMEDIES = {
    "system": "a C compiler (Debian: apt install gcc libc6-dev)",
    "mingw": "mingw-w64 (Debian: apt install gcc-mingw-w64-x86-64)",
    "zig": "zig (pip install ziglang)",
}
