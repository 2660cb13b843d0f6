# SPDX-License-Identifier: MIT
"""Wine: one prefix is made, each network namespace has a server of its own, and nothing is left of any."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conformance.agents.native import building, wine
from conformance.agents.native.compilers import MINGW
from conformance.agents.native.storing import CannotHave
from conformance.wire.errors import TopologyUnavailable
from conformance.wire.station import Process, Station
from conformance.wire.topology import Topology, open_topology
from tests.agents.native.sources import WINDOW, small_tree

ROOT = Path(__file__).parents[3]
LIMIT_S = 30.0


def installed() -> bool:
    try:
        wine.find_wine()
    except CannotHave:
        return False
    return True


needs_wine = pytest.mark.skipif(
    not installed() or shutil.which(MINGW) is None, reason="no wine64 or no gcc-mingw-w64-x86-64 here"
)

# --- without Wine ---------------------------------------------------------------------------------------------------


def some_wine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> wine.Wine:
    """Two files in the place of Wine, and a cache of the test's own."""
    for name in ("wine64", "wineserver"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return wine.Wine(str(tmp_path / "wine64"), str(tmp_path / "wineserver"))


REGISTRY = """\
[System\\\\CurrentControlSet\\\\Services\\\\winebus] 1795477851
"Start"=dword:00000003

[System\\\\CurrentControlSet\\\\Services\\\\nsiproxy] 1795477850
"Start"=dword:00000002

[System\\\\CurrentControlSet\\\\Services\\\\nsiproxy\\\\winebus] 1795477850
"Start"=dword:00000002
"""


def boot(_: wine.Wine, prefix: str) -> None:
    (Path(prefix) / "system.reg").write_text(REGISTRY)


def test_a_prefix_is_made_once_however_many_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretended, told = some_wine(tmp_path, monkeypatch), list[str]()
    monkeypatch.setattr(wine, "_boot", boot)
    with ThreadPoolExecutor(4) as pool:
        (made,) = set(pool.map(lambda _: wine.make_template(pretended, told.append), range(8)))
    assert len(told) == 2 and "once for this version of Wine" in told[0]
    assert sorted(path.name for path in Path(made).iterdir()) == [".update-timestamp", "system.reg"]
    assert (Path(made) / ".update-timestamp").read_text() == "disable\n"
    os.utime(tmp_path / "wine64", ns=(1, 1))  # another version
    assert wine.make_template(pretended, told.append) != made
    assert len(told) == 4


def test_services_that_look_for_hardware_are_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretended = some_wine(tmp_path, monkeypatch)
    monkeypatch.setattr(wine, "_boot", boot)
    made = Path(wine.make_template(pretended, building.silent)) / "system.reg"
    assert [line for line in made.read_text().splitlines() if "Start" in line] == [
        f'"Start"=dword:0000000{start}' for start in (4, 2, 2)
    ]


def test_a_prefix_that_cannot_be_made_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: wine.Wine, prefix: str) -> None:
        boot(_, prefix)
        raise KeyboardInterrupt

    pretended = some_wine(tmp_path, monkeypatch)
    monkeypatch.setattr(wine, "_boot", fails)
    with pytest.raises(KeyboardInterrupt):
        wine.make_template(pretended, building.silent)
    assert [path.suffix for path in (tmp_path / "cache" / "shutdown-conformance" / "wine").iterdir()] == [".lock"]


def test_without_wine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(wine, "_PLACES", ())
    with pytest.raises(CannotHave, match="Wine is not installed") as raised:
        wine.find_wine()
    assert "apt install wine64" in raised.value.hint


def test_without_a_prefix_the_way_to_one_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CannotHave, match="not made yet") as raised:
        wine.prefix_here(some_wine(tmp_path, monkeypatch), str(tmp_path))
    assert "--prepare" in raised.value.hint


# --- with Wine ------------------------------------------------------------------------------------------------------


@needs_wine
def test_an_agent_of_windows_has_to_be_in_a_topology() -> None:
    environment = {name: value for name, value in os.environ.items() if name != wine.STATION}
    done = subprocess.run(
        [sys.executable, "-m", "conformance.agents.native", "winsock-api"],
        env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == os.EX_UNAVAILABLE
    what, remedy = done.stderr.splitlines()
    assert "needs a place that ends" in what
    assert "shutdown-conformance run" in remedy


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A program for Windows that says its port and accepts; Wine's prefix is the user's own, made if need be."""
    wine.make_template(wine.find_wine(), building.silent)
    with pytest.MonkeyPatch.context() as patch:
        small_tree(tmp_path_factory.mktemp("listener"), patch)
        return building.build("winsock-api")


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A program for Windows with a message-only window, which it posts to and reads from for each line of input."""
    with pytest.MonkeyPatch.context() as patch:
        agents = small_tree(tmp_path_factory.mktemp("window"), patch)
        (agents / "winsock" / "main_api.c").write_text(WINDOW)
        return building.build("winsock-api")


BECOME = """
import os, sys
from conformance.agents.native import wine
installed, station = wine.find_wine(), os.environ[wine.STATION]
prefix = wine.prefix_here(installed, station)
os.execve(installed.loader, [installed.loader, *sys.argv[1:]], installed.environment(prefix, station))
"""


def start(station: Station, program: str) -> tuple[Process, int]:
    """The program under Wine at that station, and the port that it says."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    process = station.launch([sys.executable, "-c", BECOME, program], environment=environment)
    assert select.select([process.stdout], [], [], LIMIT_S)[0], process.stderr_tail()
    said = os.read(process.stdout, 100)
    assert said, process.stderr_tail()
    return process, int(said)


def servers(directory: Path) -> list[int]:
    """Processes of the prefixes in this directory."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"WINEPREFIX={directory}/".encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def wineservers(directory: Path) -> list[int]:
    return [pid for pid in servers(directory) if b"wineserver" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def server_names(directory: Path) -> list[str]:
    """How the servers of the prefixes there name their directories, wherever those are."""
    prefixes = [path for path in directory.glob("wine-*") if (path / "dosdevices").is_dir()]
    return [f"server-{status.st_dev:x}-{status.st_ino:x}" for status in map(Path.stat, prefixes)]


def left(names: list[str]) -> list[Path]:
    """Such directories that there are, in any place that a Wine may use."""
    assert names
    places = (Path("/tmp").glob("*/"), Path("/tmp").glob(".wine-*/"), Path("/run/user").glob("*/wine/"))
    return [place / name for found in places for place in found for name in names if (place / name).exists()]


def opened(name: str) -> Topology:
    try:
        return open_topology(name)
    except TopologyUnavailable as problem:
        pytest.skip(str(problem))


@needs_wine
def test_agents_of_one_place_share_a_server_that_outlives_them(listener: str) -> None:
    with opened("host") as topology:
        directory = topology.iut.directory
        process, port = start(topology.iut, listener)
        with socket.create_connection(("127.0.0.1", port), LIMIT_S) as connection:
            (server,) = wineservers(directory)
            process.kill()  # what a case does that lets an agent die: the connection's other end must see it
            assert process.wait(LIMIT_S) == -9
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b""
        process.close()
        again, port = start(topology.peer, listener)
        socket.create_connection(("127.0.0.1", port), LIMIT_S).close()
        assert wineservers(directory) == [server]
        names = server_names(directory)
    again.close()
    assert servers(directory) == []
    assert not directory.exists()
    assert left(names) == []


@needs_wine
def test_no_agent_is_the_parent_of_what_all_need(window: str) -> None:
    with opened("host") as topology:
        first, _ = start(topology.iut, window)
        second, _ = start(topology.iut, window)
        needed = [pid for pid in servers(topology.iut.directory) if pid not in (first.pid, second.pid)]
        assert any(b"explorer.exe" in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in needed)
        assert not {os.getsid(pid) for pid in needed} & {first.pid, second.pid}
        os.write(second.stdin, b"\n")
        assert select.select([second.stdout], [], [], LIMIT_S)[0]
        assert os.read(second.stdout, 100).split() == [b"1"]
        first.kill()
        first.close()
        os.write(second.stdin, b"\n")
        assert select.select([second.stdout], [], [], LIMIT_S)[0]
        assert os.read(second.stdout, 100).split() == [b"1"], "the window went with another agent"
        second.close()


@needs_wine
def test_each_namespace_has_a_server_and_its_sockets_live_there(listener: str) -> None:
    with opened("wire") as topology:
        processes = [start(station, listener) for station in (topology.iut, topology.peer)]
        found = wineservers(topology.iut.directory)
        assert len(found) == 2
        namespaces = {Path(f"/proc/{pid}/ns/net").stat().st_ino for pid in found}
        assert len(namespaces) == 2 and Path("/proc/self/ns/net").stat().st_ino not in namespaces
        with pytest.raises(OSError, match=r"refused|timed out"):
            socket.create_connection(("127.0.0.1", processes[0][1]), 1.0)
        for process, _ in processes:
            process.close()
    assert servers(topology.iut.directory) == []


HARNESS = """
import json, sys, time
from conformance.wire.topology import open_topology
from tests.agents.native.test_wine import start
topology = open_topology(sys.argv[1])
start(topology.iut, sys.argv[2])
print(json.dumps(str(topology.iut.directory)), flush=True)
time.sleep(1000)
"""


@needs_wine
@pytest.mark.parametrize("name", ["loopback", "host"])
def test_a_killed_harness_leaves_no_wine_behind(name: str, listener: str) -> None:
    opened(name).close()  # or skip
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    with subprocess.Popen(
        [sys.executable, "-c", HARNESS, name, listener], stdout=subprocess.PIPE, env=environment, cwd=ROOT
    ) as harness:
        assert harness.stdout is not None
        directory = Path(json.loads(harness.stdout.readline()))
        children = Path(f"/proc/{harness.pid}/task/{harness.pid}/children").read_text().split()
        guards = [os.pidfd_open(int(child)) for child in children]
        assert wineservers(directory)
        names = server_names(directory)
        harness.kill()
    for guard in guards:
        assert select.select([guard], [], [], LIMIT_S)[0], "the guard is still there"
        os.close(guard)
    assert servers(directory) == []
    assert not directory.exists()
    assert left(names) == []
