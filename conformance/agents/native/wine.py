# SPDX-License-Identifier: MIT
"""Wine: a prefix made once for each version of it, and from that a prefix and a server of each network namespace.

The sockets of a program under Wine live where its wineserver lives. So whoever first starts an agent in a network
namespace starts the server there, in the private directory of the topology, which ends with the topology.
"""

from __future__ import annotations

import hashlib
import os

from conformance.agents.native.compilers import which
from conformance.agents.native.storing import CannotHave, cache_directory, fresh_directory, locked, made_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STATION = "SHUTDOWN_CONFORMANCE_STATION"
"""The environment variable that names the topology's private directory (see `conformance.wire.station`)."""
LEFTOVERS = "leftovers"
"""A file there: what lies elsewhere and has to be removed at the end (see `conformance.wire.custodian`)."""

_LAYOUT = "1"
"""Goes up when prefixes are made otherwise."""
_PLACES = ("/usr/lib/wine", "/opt/wine-stable/bin", "/usr/lib64/wine")
_OVERRIDES = "mscoree,mshtml=;winemenubuilder.exe=d"
_HARDWARE = frozenset(("winebus", "winehid", "wineusb", "PlugPlay", "Eventlog"))
"""Services that look for devices and poll them, which costs 3 % of a core; nothing of a socket depends on them."""
_PATIENCE_S = 300.0
_WARMING_S = 60.0


class Wine:
    """A Wine that is installed here: its loader and its server."""

    def __init__(self, loader: str, server: str) -> None:
        self.loader = loader
        self.server = server

    def template(self) -> str:
        """Where the prefix lies that all others of this version are made from; it need not exist."""
        seen = hashlib.sha256(_LAYOUT.encode())
        for path in (self.loader, self.server):
            status = os.stat(path)
            seen.update(f"{os.path.realpath(path)} {status.st_size} {status.st_mtime_ns}\0".encode())
        return os.path.join(cache_directory(), "wine", seen.hexdigest()[:16])

    def environment(self, prefix: str, temporary: str) -> dict[str, str]:
        """Ours, with what Wine needs to know. Its server keeps its socket below `temporary`."""
        kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
        given = {"WINEPREFIX": prefix, "TMPDIR": temporary, "WINEDEBUG": "-all", "WINEDLLOVERRIDES": _OVERRIDES}
        return kept | given | {"WINELOADER": self.loader, "WINESERVER": self.server}


def find_wine() -> Wine:
    """The Wine of this machine. Raises CannotHave."""
    for loader in (which("wine64"), *(f"{place}/wine64" for place in _PLACES), which("wine")):
        if not loader or not os.access(loader, os.X_OK):
            continue
        beside = os.path.dirname(os.path.realpath(loader))
        for server in (f"{beside}/wineserver64", f"{beside}/wineserver", which("wineserver")):
            if server and os.access(server, os.X_OK):
                return Wine(loader, server)
    raise CannotHave("Wine is not installed (64 bit)", "install it (Debian: apt install wine64)")


# --- once -----------------------------------------------------------------------------------------------------------


def make_template(wine: Wine, say: Callable[[str], None]) -> str:
    """The prefix that all others are made from, made if it is not there (half a minute). Raises CannotHave."""
    final = wine.template()
    if os.path.isdir(final):
        return final
    parent = made_directory(os.path.dirname(final))
    with locked(f"{final}.lock"):
        if not os.path.isdir(final):
            import time

            began = time.monotonic()
            say("making a Wine prefix, once for this version of Wine (half a minute)")
            with fresh_directory(final) as directory:
                _leave_behind([directory])
                _boot(wine, directory)
                _make_small(directory)
                _calm(os.path.join(directory, "system.reg"))
                with open(os.path.join(directory, ".update-timestamp"), "w") as file:
                    file.write("disable\n")  # or Wine would write where the links point to
            say(f"made the Wine prefix in {time.monotonic() - began:.0f} s, in {parent}")
    return final


def _boot(wine: Wine, prefix: str) -> None:
    """Let Wine itself make a prefix, without a display."""
    import subprocess
    import tempfile

    with tempfile.TemporaryDirectory(prefix="sc-wine-") as temporary:
        _leave_behind([temporary])
        environment = wine.environment(prefix, temporary)
        try:
            _serve(wine, prefix, temporary)
            done = _quietly([wine.loader, "wineboot.exe", "-i"], environment, _PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise CannotHave(f"Wine has not made a prefix within {_PATIENCE_S:g} s", "does wine64 work?") from None
        finally:
            for word in ("-k", "-w"):  # end it, which writes the registry, and wait for that
                _quietly([wine.server, word], environment, _PATIENCE_S)
    if done or not os.path.exists(os.path.join(prefix, "system.reg")):
        raise CannotHave(f"Wine makes no prefix (wineboot: exit status {done})", "does wine64 work by hand?")


def _make_small(prefix: str) -> None:
    """Let Wine's own DLLs be links to where Wine is installed: 700 MB become 20."""
    import filecmp

    builtin = _builtin_folder()
    if not builtin:
        return
    for folder, _, names in os.walk(os.path.join(prefix, "drive_c", "windows")):
        for name in names:
            copy, original = os.path.join(folder, name), os.path.join(builtin, name)
            if not os.path.islink(copy) and os.path.isfile(original) and filecmp.cmp(copy, original, shallow=False):
                os.unlink(copy)
                os.symlink(original, copy)


def _builtin_folder() -> str:
    """Where this Wine keeps its DLLs for 64 bit Windows; "" if that is not found."""
    import glob
    import sysconfig

    multiarch = sysconfig.get_config_var("MULTIARCH") or "x86_64-linux-gnu"
    for folder in (
        f"/usr/lib/{multiarch}/wine",
        "/usr/lib/wine",
        "/usr/lib64/wine",
        *glob.glob("/opt/wine*/lib*/wine"),
    ):
        if os.path.isfile(f"{folder}/x86_64-windows/ws2_32.dll"):
            return f"{folder}/x86_64-windows"
    return ""


def _calm(registry: str) -> None:
    """Set services that only look for hardware to be disabled (Start = 4)."""
    with open(registry, encoding="utf-8", newline="") as file:
        lines = file.read().splitlines(keepends=True)
    service = ""
    for number, line in enumerate(lines):
        if line.startswith("["):
            path = line[1:].partition("]")[0].split("\\\\")
            service = path[-1] if path[-2:-1] == ["Services"] else ""
        elif line.startswith('"Start"=') and service in _HARDWARE:
            lines[number] = '"Start"=dword:00000004\n'
    with open(registry, "w", encoding="utf-8", newline="") as file:
        file.write("".join(lines))


# --- for each network namespace ------------------------------------------------------------------------------------


def prefix_here(wine: Wine, station: str) -> str:
    """The prefix of this network namespace, with its server running; `station` is the topology's private directory.

    Raises CannotHave: the server does not start, or no prefix has been made yet that could be copied.
    """
    template = wine.template()
    if not os.path.isdir(template):
        raise CannotHave(
            "the Wine prefix is not made yet (it takes half a minute, once)",
            "python -m conformance.agents.native --prepare winsock-api (a run does it by itself)",
        )
    prefix = os.path.join(station, f"wine-{os.stat('/proc/self/ns/net').st_ino}")
    with locked(f"{prefix}.lock"):
        if not os.path.exists(os.path.join(prefix, "ready")):
            _copy(template, prefix)
            _serve(wine, prefix, station)
            _warm(wine, prefix, station)
            with open(os.path.join(prefix, "ready"), "w"):
                pass
    return prefix


def _copy(template: str, prefix: str) -> None:
    """A prefix of its own registry, but with the drive of the template: 2 MB."""
    import shutil

    os.makedirs(prefix, exist_ok=True)
    for name in os.listdir(template):
        source, target = os.path.join(template, name), os.path.join(prefix, name)
        if name.endswith(".reg") or name == ".update-timestamp":
            shutil.copyfile(source, target)
    shutil.copytree(os.path.join(template, "dosdevices"), os.path.join(prefix, "dosdevices"), symlinks=True)
    os.symlink(os.path.join(template, "drive_c"), os.path.join(prefix, "drive_c"))


def _serve(wine: Wine, prefix: str, temporary: str) -> None:
    """Start a server that stays, whatever agents come and go, and that holds none of our streams open."""
    _leave_behind(_server_directories(prefix))
    if status := _quietly([wine.server, "-p"], wine.environment(prefix, temporary), _WARMING_S):
        raise CannotHave(f"wineserver does not start (exit status {status})", f"does {wine.server} work by hand?")


def _warm(wine: Wine, prefix: str, temporary: str) -> None:
    """Let Wine start what it runs in the background, and the desktop, which owns the windows of all agents.

    Whoever first needs them is their parent, and would take them along when it is killed: so it must be no agent. The
    desktop ends a second after its last user: so one stays, which waits for a message that nobody sends.
    """
    import subprocess

    environment = wine.environment(prefix, temporary)
    program = r"C:\windows\system32\rundll32.exe"
    _start([wine.loader, program, "user32.dll,WaitMessage"], environment)
    try:
        _quietly([wine.loader, program, "user32.dll,GetDesktopWindow"], environment, _WARMING_S)
    except subprocess.TimeoutExpired:
        raise CannotHave(f"Wine has not started within {_WARMING_S:g} s", "does wine64 work by hand?") from None


def _start(command: Sequence[str], environment: dict[str, str]) -> None:
    """Start a program as `_quietly` does, and leave it running."""
    import subprocess

    null = subprocess.DEVNULL
    process = subprocess.Popen(
        command, stdin=null, stdout=null, stderr=null, env=environment, cwd="/", start_new_session=True
    )
    process.returncode = 0  # it is never waited for: we become the agent, and it ends with the topology


def _quietly(command: Sequence[str], environment: dict[str, str], limit_s: float) -> int:
    """Run a program with no stream of ours, in a session of its own; its exit status."""
    import subprocess

    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd="/",
        start_new_session=True,
        timeout=limit_s,
    ).returncode


def _server_directories(prefix: str) -> list[str]:
    """Where a server may keep its socket other than below TMPDIR, which not every Wine asks for.

    A parent that is not there yet is to be removed as well, if it is empty by then: so its name ends with a slash.
    """
    os.makedirs(prefix, exist_ok=True)
    status, user = os.stat(prefix), os.getuid()
    found = []
    for parent in (f"/run/user/{user}/wine", f"/tmp/.wine-{user}"):
        found.append(f"{parent}/server-{status.st_dev:x}-{status.st_ino:x}")
        if not os.path.isdir(parent):
            found.append(f"{parent}/")
    return found


def _leave_behind(paths: Sequence[str]) -> None:
    """Have the topology's guard remove these at its end, however it ends."""
    if station := os.environ.get(STATION, ""):
        with open(os.path.join(station, LEFTOVERS), "a") as file:
            file.write("".join(f"{path}\n" for path in paths))
