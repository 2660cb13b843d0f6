# SPDX-License-Identifier: MIT
"""What can be built, and of what: a target's sources are found by folder and by the ends of their names."""

from __future__ import annotations

import os

from conformance import locations
from conformance.agents.native.storing import CannotHave

_WARNINGS = ("-Wall", "-Wextra")
_PLAIN = ("-O2", "-g0")
_SANITIZED = ("-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
_WINDOWS_LIBRARIES = ("-lws2_32", "-lmswsock", "-luser32")


class Target:
    """One program or library. `name` is its file's; `folders` hold its sources."""

    def __init__(
        self,
        name: str,
        folders: tuple[str, ...],
        link: tuple[str, ...],
        *,
        leaves_out: str = "",
        windows: bool = True,
    ) -> None:
        self.name = name
        self.folders = folders
        self.link = link
        self.leaves_out = leaves_out
        """How the names end of files that belong to another target alone."""
        self.windows = windows

    def sources(self) -> list[str]:
        """The paths of its C files, sorted. Raises CannotHave if there are none."""
        found = [path for path in self._files(".c") if not (self.leaves_out and path.endswith(self.leaves_out))]
        if not any(os.path.basename(os.path.dirname(path)) == self.folders[-1] for path in found):
            where = os.path.join(str(locations.agents()), self.folders[-1])
            raise CannotHave(f"there are no sources of {self.name} in {where}", "is this installation whole?")
        return found

    def ingredients(self) -> list[str]:
        """All files that what is made depends on: its sources, the headers, and lists of what a DLL exports."""
        return self.sources() + self._files(".h") + self._files(".def")

    def compiling(self, *, sanitized: bool) -> tuple[str, ...]:
        """The compiler's options for one file."""
        common = os.path.join(str(locations.agents()), "common")
        return ("-std=c11", *_WARNINGS, *(_SANITIZED if sanitized else _PLAIN), "-I", common)

    def linking(self, *, sanitized: bool) -> tuple[str, ...]:
        """The linker's options, after the objects."""
        if sanitized:
            return (*_SANITIZED, *(word for word in self.link if word != "-static"))
        return (*self._files(".def"), *self.link)

    def _files(self, ending: str) -> list[str]:
        found = []
        for folder in self.folders:
            directory = os.path.join(str(locations.agents()), folder)
            if os.path.isdir(directory):
                found += [os.path.join(directory, name) for name in os.listdir(directory) if name.endswith(ending)]
        return sorted(found)


TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target("posix-c", ("common", "posix"), ("-static", "-pthread"), windows=False),
        Target("posix-c-dynamic", ("common", "posix"), ("-pthread",), windows=False),
        Target("winsock-api.exe", ("common", "winsock"), ("-static", *_WINDOWS_LIBRARIES), leaves_out="_spi.c"),
        Target("winsock-spi.exe", ("common", "winsock"), ("-static", *_WINDOWS_LIBRARIES), leaves_out="_api.c"),
        # -static beside -shared makes zig write an archive.
        Target("reference.dll", ("reference",), ("-shared", "-static-libgcc", *_WINDOWS_LIBRARIES)),
    )
}
"""Every target by its name."""


def find(name: str) -> Target:
    """The target of that name; `.exe` and `.dll` may be left out. Raises KeyError."""
    for full in (name, f"{name}.exe", f"{name}.dll"):
        if full in TARGETS:
            return TARGETS[full]
    raise KeyError(name)
