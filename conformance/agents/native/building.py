# SPDX-License-Identifier: MIT
"""Building a target: once for each state of its sources, its options and its compiler; kept in the user's cache."""

from __future__ import annotations

import hashlib
import os

from conformance import locations
from conformance.agents.native.compilers import Compiler, find_compiler
from conformance.agents.native.storing import CannotHave, cache_directory, fresh_directory, locked, made_directory
from conformance.agents.native.targets import Target, find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SAID_OF_AN_ERROR = 20
"""How many lines a compiler's complaint is cut to."""
_QUIET_S = 4.0
"""A build says how far it is after so long."""


def silent(line: str) -> None:
    """Progress that nobody wants to hear."""


def build(
    name: str,
    *,
    compiler: str = "",
    sanitized: bool = False,
    options: Sequence[str] = (),
    say: Callable[[str], None] = silent,
) -> str:
    """The path of the target of that name, built if it is not in the cache.

    `compiler` is a name of `compilers.COMPILERS` (default: the first that there is). `sanitized` makes one that
    watches itself (AddressSanitizer, UBSan), `options` are more options for the compiler: both are for tests.

    Raises:
        CannotHave: there is no compiler, or it complains.
        KeyError: there is no such target.
    """
    target = find(name)
    return Build(target, find_compiler(target, compiler), sanitized=sanitized, options=tuple(options)).done(say)


class Build:
    """One target made by one compiler with these options."""

    def __init__(
        self, target: Target, compiler: Compiler, *, sanitized: bool = False, options: tuple[str, ...] = ()
    ) -> None:
        self.target = target
        self.compiler = compiler
        self.compiling = target.compiling(sanitized=sanitized) + options
        self.linking = target.linking(sanitized=sanitized)
        self.directory = os.path.join(cache_directory(), "native")

    def digest(self) -> str:
        """Of all that what is made depends on: 32 hexadecimal digits."""
        seen = hashlib.sha256()
        root = str(locations.agents())  # an installed suite and a checkout of the same sources share what is built
        for part in (self.target.name, self.compiler.identity(), *self.compiling, *self.linking):
            seen.update(part.replace(root, "").encode() + b"\0")
        for path in self.target.ingredients():
            with open(path, "rb") as file:
                octets = file.read()
            seen.update(f"{os.path.basename(path)} {len(octets)}\0".encode() + octets)
        return seen.hexdigest()[:32]

    def is_cached(self) -> bool:
        """Has it been built already?"""
        return os.path.exists(self._path(self.digest()))

    def done(self, say: Callable[[str], None] = silent) -> str:
        """The path of what has been built, now or before. Raises CannotHave."""
        digest = self.digest()
        path = self._path(digest)
        if os.path.exists(path):
            return path
        made_directory(self.directory)
        with locked(os.path.join(self.directory, f"{self.target.name}.lock")):
            if not os.path.exists(path):
                self._make(os.path.dirname(path), say)
        return path

    def _path(self, digest: str) -> str:
        return os.path.join(self.directory, digest, self.target.name)

    def _make(self, final: str, say: Callable[[str], None]) -> None:
        import time
        from concurrent.futures import ThreadPoolExecutor

        began = time.monotonic()
        sources = self.target.sources()
        say(f"building {self.target.name} with {self.compiler.name} ({len(sources)} files)")
        if zig_cache := self.compiler.environment.get("ZIG_GLOBAL_CACHE_DIR"):
            if not os.path.isdir(zig_cache):
                say("  the first build with zig takes some minutes: it makes its C runtime")
            made_directory(zig_cache)
        with fresh_directory(final) as directory:

            def compiled(source: str) -> str:
                folder, name = os.path.split(source)
                made = os.path.join(directory, f"{os.path.basename(folder)}-{name[:-2]}.o")
                self._call(*self.compiling, "-c", source, "-o", made)
                return made

            with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
                try:
                    objects, told = [], began
                    for made in pool.map(compiled, sources):
                        objects.append(made)
                        if time.monotonic() > told + _QUIET_S:
                            told = time.monotonic()
                            say(f"  {len(objects)} of {len(sources)} files")
                except BaseException:
                    pool.shutdown(cancel_futures=True)
                    raise
            made = os.path.join(directory, self.target.name)
            self._call(*objects, "-o", made, *self.linking)
            for name in os.listdir(directory):
                if name != self.target.name:  # objects, and what a linker leaves beside a DLL
                    os.unlink(os.path.join(directory, name))
            os.chmod(made, 0o755)
            os.chmod(directory, 0o755)
        say(f"built {self.target.name} in {time.monotonic() - began:.1f} s")

    def _another(self) -> str:
        if self.compiler.name != "zig":
            return "zig (pip install ziglang)"
        return "mingw" if self.target.windows else "system"

    def _call(self, *arguments: str) -> None:
        """Run the compiler once. Raises CannotHave with the first lines of what it complains of."""
        import subprocess

        command = [*self.compiler.command, *arguments]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=os.environ | self.compiler.environment,
                text=True,
                errors="replace",
            )
        except OSError as error:
            raise CannotHave(f"{command[0]} cannot be run: {error.strerror}", "does it work by hand?") from None
        if done.returncode:
            said = done.stderr.strip().splitlines()[:SAID_OF_AN_ERROR] or ["it says nothing"]
            raise CannotHave(
                f"{self.compiler.name} does not make {self.target.name}:\n" + "\n".join(said),
                f"another compiler may: shutdown-conformance build --compiler {self._another()}",
            )
