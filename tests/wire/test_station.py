# SPDX-License-Identifier: MIT
"""Programs at a station: started, watched, ended; and nothing left of them, whatever becomes of the harness."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conformance.stderr import STDERR_KEPT_OCTETS
from conformance.wire.errors import CustodianLost, LaunchFailed
from conformance.wire.station import Station
from conformance.wire.topology import Topology, open_topology
from tests.wire.conftest import LIMIT_S, python, read_line


@pytest.fixture(params=["loopback", "host"])
def station(request: pytest.FixtureRequest, opened: Callable[[str], Topology]) -> Station:
    topology: Topology = opened(request.param)
    return topology.iut


def test_a_program_talks_over_its_three_streams(station: Station) -> None:
    process = station.launch(python("import sys; print(sys.stdin.readline()[::-1]); print('noise', file=sys.stderr)"))
    os.write(process.stdin, b"olleh\n")
    assert process.wait(LIMIT_S) == 0
    assert os.read(process.stdout, 100) == b"\nhello\n"
    assert process.stderr_tail() == "noise\n"
    process.close()
    process.close()
    assert process.stderr_tail() == "noise\n"


@pytest.mark.parametrize(("source", "status"), [("", 0), ("raise SystemExit(7)", 7), ("import os; os.abort()", -6)])
def test_the_exit_status_is_told(station: Station, source: str, status: int) -> None:
    process = station.launch(python(source))
    assert process.wait(LIMIT_S) == status
    assert process.wait(0.0) == status


def test_a_program_that_runs_on_is_killed(station: Station) -> None:
    process = station.launch(python("import time; print('running', flush=True); time.sleep(1000)", "its-own-mark"))
    read_line(process)
    assert process.wait(0.0) is None
    assert b"its-own-mark" in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    process.kill()
    process.kill()
    assert process.wait(LIMIT_S) == -signal.SIGKILL
    process.kill()


def test_closing_kills_its_process_group_too(station: Station) -> None:
    process = station.launch(["sh", "-c", "sleep 1000 & echo $!; wait"])
    read_line(process)
    watched = os.dup(process.stdout)  # the grandchild holds the other end: its death is the end of file
    process.close()
    assert select.select([watched], [], [], LIMIT_S)[0]
    assert os.read(watched, 1) == b""
    os.close(watched)


@pytest.mark.parametrize(
    ("command", "why"),
    [(["no-such-program-anywhere"], "No such file"), (["/etc/passwd"], "Permission denied"), ([], "empty")],
)
def test_what_cannot_be_started_says_why(station: Station, command: list[str], why: str) -> None:
    with pytest.raises(LaunchFailed, match=why) as caught:
        station.launch(command)
    assert caught.value.hint
    assert caught.value.command == tuple(command)


def test_a_script_without_a_first_line_says_what_it_needs(station: Station, tmp_path: Path) -> None:
    script = tmp_path / "agent"
    script.write_text("not a program")
    script.chmod(0o755)
    with pytest.raises(LaunchFailed, match="#!") as caught:
        station.launch([str(script)])
    assert "format" in caught.value.why


def test_an_environment_that_is_too_long_is_refused_by_name(station: Station) -> None:
    with pytest.raises(LaunchFailed, match="200 KiB"):
        station.launch(["true"], environment={"LONG": "x" * (1 << 19)})
    assert station.launch(["true"]).wait(LIMIT_S) == 0


def test_a_program_sees_our_environment_and_directory_of_now(
    station: Station, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SAID", "caf\udce9")  # not UTF-8
    monkeypatch.chdir(tmp_path)
    process = station.launch(python("import os; print(os.getcwd(), ascii(os.environ['SAID']))"))
    assert read_line(process) == f"{tmp_path} '{ascii('caf')[1:-1]}\\udce9'"


def test_the_end_of_a_long_standard_error_is_kept(station: Station) -> None:
    source = "import sys; sys.stderr.buffer.write(bytes(range(255)) * 4096 + b'the end \\xff')"
    process = station.launch(python(source))
    assert process.wait(LIMIT_S) == 0
    tail = process.stderr_tail()
    assert len(tail.encode(errors="replace")) >= STDERR_KEPT_OCTETS
    assert tail.endswith("the end �")


def test_eight_threads_may_launch_at_once(station: Station) -> None:
    def one(number: int) -> tuple[str, int | None]:
        process = station.launch(python(f"print({number})"))
        said = read_line(process), process.wait(LIMIT_S)
        process.close()
        return said

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(40))) == [(str(number), 0) for number in range(40)]


def test_the_directory_takes_sockets_that_both_ends_reach(station: Station) -> None:
    path = str(station.directory / "listener")
    source = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); print(1, flush=True)"
    )
    process = station.launch(python(source + "; s.accept()", path))
    read_line(process)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
    assert process.wait(LIMIT_S) == 0
    assert station.directory.stat().st_mode & 0o777 == 0o700


def test_a_private_namespace_is_not_the_hosts(opened: Callable[[str], Topology]) -> None:
    process = opened("loopback").iut.launch(python("import os; print(os.stat('/proc/self/ns/net').st_ino)"))
    assert int(read_line(process)) != Path("/proc/self/ns/net").stat().st_ino


def test_after_closing_nothing_is_left_and_calls_say_so() -> None:
    topology = open_topology("host")
    process = topology.iut.launch(["sleep", "1000"])
    pidfd = os.pidfd_open(process.pid)
    topology.close()
    assert select.select([pidfd], [], [], 0.0)[0]
    os.close(pidfd)
    assert not topology.iut.directory.exists()
    with pytest.raises(LaunchFailed, match="true"):
        topology.iut.launch(["true"])
    with pytest.raises(CustodianLost):
        process.wait(LIMIT_S)
    process.close()
    topology.close()


HARNESS = """
import json, os, sys, time
from conformance.wire.topology import open_topology

AGENT = '''
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print(os.stat("/proc/self/ns/net").st_ino, flush=True)
while True:
    time.sleep(1000)
'''
topology = open_topology(sys.argv[1])
process = topology.iut.launch([sys.executable, "-I", "-S", "-c", AGENT, sys.argv[2]])
namespace = int(os.read(process.stdout, 100))
print(json.dumps({"directory": str(topology.iut.directory), "namespace": namespace}), flush=True)
time.sleep(1000)
"""


def processes() -> list[Path]:
    return [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def processes_with(mark: str) -> list[int]:
    """Processes that carry this argument."""
    found = []
    for process in processes():
        with contextlib.suppress(OSError):
            if mark.encode() in (process / "cmdline").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return found


def holders_of(namespace: int) -> list[Path]:
    """What keeps a network namespace alive: processes in it, and descriptors of it."""
    found = []
    for pattern in ("[0-9]*/ns/net", "[0-9]*/fd/*"):
        for link in Path("/proc").glob(pattern):
            with contextlib.suppress(OSError):
                if str(link.readlink()) == f"net:[{namespace}]":
                    found.append(link)
    return found


def children_of(parent: int) -> list[int]:
    found = []
    for process in processes():
        with contextlib.suppress(OSError):
            if int((process / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(process.name))
    return found


@pytest.fixture
def root() -> Iterator[str]:
    yield str(Path(__file__).parents[2])


@pytest.mark.parametrize("name", ["loopback", "host"])
def test_a_killed_harness_leaves_nothing_behind(name: str, opened: Callable[[str], Topology], root: str) -> None:
    opened(name).close()  # or skip
    mark = f"mark-{os.getpid()}-{name}"
    harness = subprocess.Popen(
        [sys.executable, "-c", HARNESS, name, mark],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([root, *sys.path])},
    )
    with harness:
        assert harness.stdout is not None
        told = json.loads(harness.stdout.readline())
        assert len(processes_with(mark)) == 4  # the harness itself, the agent, its child and grandchild
        (guard,) = children_of(harness.pid)
        gone = os.pidfd_open(guard)
        harness.kill()
    assert select.select([gone], [], [], LIMIT_S)[0], "the guard is still there"
    os.close(gone)
    assert processes_with(mark) == []
    assert not Path(told["directory"]).exists()
    if name != "host":
        assert holders_of(told["namespace"]) == []


UNPRIVILEGED = """
import os, sys
from tests.wire.conftest import exchange
from conformance.wire.topology import availability, open_topology
assert os.geteuid() == 65534
for name in sys.argv[1:]:
    missing = availability(name)
    if missing:
        print(name, "missing", missing.what, "|", missing.remedy)
        continue
    with open_topology(name) as topology:
        watched = exchange(topology, "inet")
        print(name, watched.finish(watched.connect()), sum("F" in s.flags for s in watched.tap.segments()))
"""


def test_no_privilege_is_needed_where_the_kernel_lets_users_make_namespaces(root: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("not root: the other tests are this test")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([root, *sys.path]), "PYTHONDONTWRITEBYTECODE": "1"}

    def as_nobody(interpreter: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [interpreter, *arguments],
            user=65534, group=65534, extra_groups=[], env=environment, cwd="/", capture_output=True, text=True,
        )  # fmt: skip

    for interpreter in (sys.executable, "/usr/bin/python3"):
        try:
            if as_nobody(interpreter, "-c", "import msgspec, scapy, pytest").returncode == 0:
                break
        except OSError:
            continue
    else:
        pytest.skip("no Python with scapy that user 65534 may run")
    done = as_nobody(interpreter, "-c", UNPRIVILEGED, "loopback", "wire", "veth")
    assert done.returncode == 0, done.stderr
    loopback, wire, veth = done.stdout.splitlines()
    if "missing" in loopback:
        assert "root" in loopback
        pytest.skip(loopback)
    assert loopback == "loopback received 100 2"
    assert veth == "veth received 100 2" or "ip" in veth
    assert wire == "wire received 100 2" or "/dev/net/tun" in wire


def test_what_programs_left_elsewhere_goes_as_well(tmp_path: Path) -> None:
    for name in ("mine", "empty", "shared"):
        (tmp_path / name).mkdir()
    (tmp_path / "mine" / "file").touch()
    (tmp_path / "shared" / "file").touch()
    lines = f"{tmp_path}/mine\n{tmp_path}/empty/\n{tmp_path}/shared/\n{tmp_path}/nonesuch\n/\nrelative\n"
    with open_topology("host") as topology:
        source = f"import os; open(os.environ['SHUTDOWN_CONFORMANCE_STATION'] + '/leftovers', 'a').write({lines!r})"
        assert topology.iut.launch(python(source)).wait(LIMIT_S) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["shared"]
    assert (tmp_path / "shared" / "file").exists()
