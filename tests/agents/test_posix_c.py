# SPDX-License-Identifier: MIT
"""The agent in C: it does all that the kernel agent does, stands what comes in lines, and is watched meanwhile.

It is asked everything that `test_kernel` asks, once as it is and once built with AddressSanitizer and UBSan.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance import locations
from conformance.agents.checking import check_agent
from conformance.agents.client import Agent
from conformance.agents.launching import SubprocessLauncher
from conformance.agents.native.building import build
from conformance.agents.native.compilers import find_compiler
from conformance.agents.native.storing import CannotHave
from conformance.agents.native.targets import find
from conformance.agents.transports import ProcessTransport, TcpTransport
from conformance.trace.events import Outcome
from tests.agents import test_kernel

BUILDS = ("plain", "sanitized")
COMPLAINTS = (b"Sanitizer", b"runtime error")
LONGEST_LINE = 4 << 20

# Everything that the agent in Python is asked, but for what is about Python, and what is asked anew below.
globals().update(
    (name, asked)
    for name, asked in vars(test_kernel).items()
    if name.startswith("test_") and name not in ("test_it_starts_with_the_standard_library_alone", "test_over_tcp")
)


@pytest.fixture(scope="session", params=BUILDS)
def posix_c(request: pytest.FixtureRequest) -> str:
    """The path of the agent, built in both ways in turn."""
    try:
        return build("posix-c", compiler="system", sanitized=request.param == "sanitized")
    except CannotHave as missing:
        pytest.skip(f"{missing}; {missing.hint}")


@pytest.fixture(scope="session")
def watched() -> str:
    """The path of the agent that watches itself."""
    try:
        return build("posix-c", compiler="system", sanitized=True)
    except CannotHave as missing:
        pytest.skip(f"{missing}; {missing.hint}")


@pytest.fixture(scope="session")
def kernel_agents(posix_c: str) -> Iterator[Callable[[str], tuple[Agent, Agent]]]:
    """Two agents in C for each transport, started once and reset before each use."""
    running: dict[str, tuple[Agent, Agent]] = {}
    started: list[Agent] = []

    def get(transport: str) -> tuple[Agent, Agent]:
        pair = running.get(transport)
        if pair is None or not (pair[0].alive and pair[1].alive):
            command = [posix_c, "--transport", transport]
            one, other = (Agent.start(ProcessTransport(SubprocessLauncher(), command)) for _ in range(2))
            started.extend((one, other))
            pair = running[transport] = (one, other)
        for agent in pair:
            agent.reset()
        return pair

    yield get
    for agent in started:
        assert not any(complaint in agent.stderr_tail().encode() for complaint in COMPLAINTS), agent.stderr_tail()
        agent.close()


@pytest.fixture
def kernel_command(posix_c: str) -> list[str]:
    return [posix_c]


# --- the protocol -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["tcp", "unix-stream", "unix-seqpacket"])
def test_it_speaks_the_protocol(posix_c: str, transport: str) -> None:
    findings = list(check_agent([posix_c, "--transport", transport]))
    assert [finding for finding in findings if not finding.ok] == []


def test_both_agents_say_the_same_of_themselves(posix_c: str) -> None:
    commands = [[posix_c], [sys.executable, "-m", "conformance.agents.kernel"]]
    line = b'{"id":0,"op":"hello","protocol":1,"suite":"x"}\n'
    ours, theirs = (
        json.loads(subprocess.run(command, input=line, capture_output=True, timeout=30, check=True).stdout)["result"]
        for command in commands
    )
    assert ours.pop("agent") == {"name": "posix-c", "version": "1.0"}
    theirs.pop("agent")
    assert ours == theirs


def test_over_tcp(posix_c: str, unused_port: int) -> None:
    command = [posix_c, "--listen", f"127.0.0.1:{unused_port}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr
            assert process.stderr.readline() == f"listening on port {unused_port}\n".encode()
            for _ in range(2):
                with Agent.start(TcpTransport(f"tcp://127.0.0.1:{unused_port}")) as agent:
                    assert agent.hello.clock == "realtime"
                    number = test_kernel.result(agent.request("socket", family="inet", kind="stream"))["socket"]
                    assert test_kernel.error(agent.request("send", socket=number, data=b"x")) == "EPIPE"
                    agent.bye()
        finally:
            process.kill()


def test_there_is_no_mechanism_to_ask_for(tcp: Any) -> None:
    for mechanism in ("event", "routine", "port"):
        reply = tcp.iut.request("post_recv", socket=tcp.a, length=1, mechanism=mechanism)
        assert reply.outcome is Outcome.UNSUPPORTED


def test_after_reset_numbers_begin_anew(tcp: Any) -> None:
    for _ in range(2):
        tcp.iut.reset()
        assert [tcp.new(tcp.iut) for _ in range(3)] == [1, 2, 3]


def test_a_stop_of_the_process_ends_no_call(posix_c: str) -> None:
    """A stop, and a signal that only interrupts, come while an accept and an epoll_wait block."""
    listener = {"family": "inet", "kind": "stream"}
    address = {"family": "inet", "host": "127.0.0.1", "port": 0}
    asked: list[dict[str, Any]] = [
        *({"op": "socket", **listener} for _ in range(2)),
        *({"op": "listen", "socket": number, "address": address} for number in (1, 2)),
        {"op": "accept", "socket": 1, "wait_ms": test_kernel.LONG_MS},
        {"op": "poll", "socket": 2, "surface": "epoll", "events": ["IN"], "wait_ms": test_kernel.LONG_MS},
        {"op": "get_error", "socket": 1},
    ]
    with subprocess.Popen([posix_c], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"".join(json.dumps({**line, "id": n}).encode() + b"\n" for n, line in enumerate(asked)))
        process.stdin.flush()
        told = [json.loads(process.stdout.readline()) for _ in range(5)]
        assert [reply["id"] for reply in told] == [0, 1, 2, 3, 6]
        for number in (signal.SIGSTOP, signal.SIGCONT, signal.SIGUSR1):
            process.send_signal(number)
        ports = [reply["result"]["address"]["port"] for reply in told[2:4]]
        with socket.create_connection(("127.0.0.1", ports[0])), socket.create_connection(("127.0.0.1", ports[1])):
            replies = {reply["id"]: reply for reply in (json.loads(process.stdout.readline()) for _ in range(2))}
        process.stdin.close()
        assert process.wait(30) == 0
    assert replies[4]["result"]["socket"] == 3
    assert replies[5]["result"] == {"events": ["IN"]}


# --- lines ------------------------------------------------------------------------------------------------------------


def answers(program: str, lines: bytes, status: int) -> list[dict[str, Any]]:
    """Give an agent these lines and the end of file, and return what it says; its status must be that one."""
    ended = subprocess.run([program], input=lines, capture_output=True, timeout=60, check=False)
    assert not any(complaint in ended.stderr for complaint in COMPLAINTS), ended.stderr.decode("utf-8", "replace")
    assert ended.returncode == status, ended.stderr
    assert (b"not a request" in ended.stderr) is (status == 2)
    return [json.loads(line) for line in ended.stdout.splitlines()]


NO_REQUESTS = {
    "nothing": b"",
    "a word": b"hello?",
    "cut": b'{"id":1,"op":"he',
    "cut in an escape": b'{"id":1,"op":"\\u12',
    "cut in UTF-8": b'{"id":1,"op":"\xc3',
    "no UTF-8": b'{"id":1,"op":"\xff"}',
    "UTF-8 too long": b'{"id":1,"op":"\xc0\x80"}',
    "a surrogate in UTF-8": b'{"id":1,"op":"\xed\xa0\x80"}',
    "a control character": b'{"id":1,"op":"\x01"}',
    "a zero octet": b'{"id":1,"op":"reset"}\0',
    "something behind": b'{"id":1,"op":"reset"} {}',
    "a comma too many": b'{"id":1,"op":"reset",}',
    "no object": b"[1]",
    "no id": b'{"op":"reset"}',
    "no op": b'{"id":1}',
    "an id of another type": b'{"id":"1","op":"reset"}',
    "an id too large": b'{"id":99999999999999999999,"op":"reset"}',
    "a broken id": b'{"id":1.5,"op":"reset"}',
    "an op of another type": b'{"id":1,"op":7}',
    "a word that Python knows": b'{"id":1,"op":"reset","x":NaN}',
    "arrays in arrays": b"[" * 1_000_000,
    "objects in objects": b'{"a":' * 800_000,
    "very many values": b"[" + b"0," * 2_000_000 + b"0]",
    "too long": b'{"id":1,"op":"' + b"x" * (LONGEST_LINE + 1 - 16) + b'"}',
    "without an end": b" " * (LONGEST_LINE + 1),
}


@pytest.mark.parametrize("line", NO_REQUESTS.values(), ids=NO_REQUESTS.keys())
def test_lines_that_are_no_requests(watched: str, line: bytes) -> None:
    answered = answers(watched, b'{"id":0,"op":"reset"}\n' + line + b"\n", 2)
    assert answered == [{"id": 0, "result": {}}]


def test_a_line_of_the_greatest_length(watched: str) -> None:
    start, end = b'{"id":2,"op":"send","socket":1,"data":"', b'"}'
    line = start + b"A" * ((LONGEST_LINE - len(start) - len(end)) // 4 * 4) + end
    lines = b'{"id":1,"op":"socket","family":"inet","kind":"stream"}\n' + b" " * (LONGEST_LINE - len(line)) + line
    assert answers(watched, lines + b"\n", 0)[1]["error"]["name"] == "EPIPE"


STREAM = {"family": "inet", "kind": "stream"}


@pytest.mark.parametrize(
    ("op", "arguments"),
    [
        ("socket", {"family": "inet"}),
        ("socket", {"family": "ipx", "kind": "stream"}),
        ("socket", {"family": "inet\0", "kind": "stream"}),
        ("recv", {"length": 1}),
        ("recv", {"socket": None, "length": 1}),
        ("recv", {"socket": "1", "length": 1}),
        ("recv", {"socket": -2, "length": 1}),
        ("recv", {"socket": 2**63 - 1, "length": 1}),
        ("recv", {"socket": 2**64, "length": 1}),
        ("recv", {"socket": 1}),
        ("recv", {"socket": 1, "length": -1}),
        ("recv", {"socket": 1, "length": 2**63 - 1, "digest": True}),
        ("recv", {"socket": 1, "length": 1, "wait_ms": -1}),
        ("recv", {"socket": 1, "length": 1, "wait_ms": 2**62}),
        ("recv", {"socket": 1, "length": 1, "wait_ms": [1]}),
        ("recv", {"socket": 1, "length": 1, "digest": 1}),
        ("recv", {"socket": 1, "length": 1, "flags": "PEEK"}),
        ("recv", {"socket": 1, "length": 1, "flags": [1]}),
        ("recv", {"socket": 1, "length": 1, "flags": ["PEEK", "PEAK"]}),
        ("recv", {"socket": 1, "length": 1, "colour": "red"}),
        ("send", {"socket": 1, "data": "AAAA", "pattern": {"seed": 1, "length": 1}}),
        ("send", {"socket": 1, "data": "AAA"}),
        ("send", {"socket": 1, "data": "A==="}),
        ("send", {"socket": 1, "data": "AA=A"}),
        ("send", {"socket": 1, "data": 7}),
        ("send", {"socket": 1, "pattern": [1, 2]}),
        ("send", {"socket": 1, "pattern": {"seed": 1, "length": -1}}),
        ("send", {"socket": 1, "pattern": {"seed": 1, "length": 2**63 - 1}}),
        ("shutdown", {"socket": 1}),
        ("shutdown", {"socket": 1, "how": None}),
        ("shutdown", {"socket": 1, "how": 2**31}),
        ("listen", {"socket": 1, "address": "127.0.0.1"}),
        ("listen", {"socket": 1, "address": {}}),
        ("listen", {"socket": 1, "address": {"family": "inet", "host": "127.0.0.1"}}),
        ("listen", {"socket": 1, "address": {"family": "inet", "host": "127.0.0.1", "port": 65536}}),
        ("listen", {"socket": 1, "address": {"family": "inet6", "host": "127.0.0.1", "port": 0}}),
        ("listen", {"socket": 1, "address": {"family": "unix", "host": "127.0.0.1", "port": 0}}),
        ("listen", {"socket": 1, "address": {"family": "unix", "path": "x" * 200}}),
        ("listen", {"socket": 1, "address": {"family": "unix", "path": "a\0b"}}),
        ("set_linger", {"socket": 1, "on": True}),
        ("set_linger", {"socket": 1, "on": True, "seconds": 2**40}),
        ("set_option", {"socket": 1, "name": 5, "value": 1}),
        ("poll", {"socket": 1, "surface": "poll"}),
        ("poll", {"socket": 1, "surface": "poll", "events": [["IN"]]}),
        ("poll", {"socket": 1, "surface": "poll", "events": {"IN": 1}}),
    ],
)
def test_arguments_that_are_wrong(watched: str, op: str, arguments: dict[str, Any]) -> None:
    lines = [{"op": "socket", **STREAM}, {**arguments, "op": op}, {"op": "names", "socket": 1}]
    asked = b"".join(json.dumps({**line, "id": n}).encode() + b"\n" for n, line in enumerate(lines))
    _, wrong, right = answers(watched, asked, 0)
    assert "failure" in wrong
    assert right["error"]["name"] == "ENOTCONN"


def test_operations_of_strange_names(watched: str) -> None:
    names = ["", "sock\0et", "socket\0", "\ud800", "\N{GRINNING FACE}", '"\\\n', "x" * 10_000]
    lines = b"".join(json.dumps({"id": n, "op": name}).encode() + b"\n" for n, name in enumerate(names))
    assert ["unsupported" in answer for answer in answers(watched, lines, 0)] == [True] * len(names)


def test_a_last_line_without_its_end(watched: str) -> None:
    assert answers(watched, b'\r\n {"op" : "reset" , "id" : 5 , "id" : 6 } '.lstrip(), 0) == [{"id": 6, "result": {}}]


# --- the parts that read and write text -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[tuple[str, bytes]]], list[str]]:
    """What the parts in C make of octets: see native_common.c."""
    try:
        compiler = find_compiler(find("posix-c"), "system")
    except CannotHave as missing:
        pytest.skip(f"{missing}; {missing.hint}")
    program = tmp_path_factory.mktemp("native") / "common"
    common, posix = locations.agents() / "common", locations.agents() / "posix"
    sources = [common / f"{name}.c" for name in ("json", "text", "base64", "sha256", "utf8")]
    sources += [posix / "platform.c", Path(__file__).with_name("native_common.c")]
    words = ["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    subprocess.run([*compiler.command, *words, "-pthread", f"-I{common}", *sources, "-o", program], check=True)

    def ask(questions: list[tuple[str, bytes]]) -> list[str]:
        lines = "".join(f"{letter}{octets.hex()}\n" for letter, octets in questions)
        ended = subprocess.run([program], input=lines.encode(), capture_output=True, timeout=60, check=False)
        assert ended.returncode == 0, ended.stderr.decode("utf-8", "replace")
        return ended.stdout.decode().split("\n")[:-1]

    return ask


Parts = Callable[[list[tuple[str, bytes]]], list[str]]


def test_digests_and_base64(parts: Parts) -> None:
    pieces = [bytes(range(256))[:length] * repeats for length in range(130) for repeats in (1, 3)]
    assert parts([("s", piece) for piece in pieces]) == [hashlib.sha256(piece).hexdigest() for piece in pieces]
    encoded = [base64.b64encode(piece) for piece in pieces]
    assert parts([("b", piece) for piece in pieces]) == [text.decode() for text in encoded]
    assert parts([("r", text) for text in encoded]) == [piece.hex() for piece in pieces]
    broken = b"A,AA,AAA,AAAA=,====,A===,=AAA,AA=A,AA A,AA\0A,AA==AAAA,AB==".split(b",")
    assert parts([("r", text) for text in broken]) == ["none"] * len(broken)


def as_read(value: Any) -> Any:
    """What native_common.c writes of a value that Python has read."""
    if isinstance(value, str):
        return {"hexadecimal": value.encode("utf-8", "surrogatepass").hex()}
    if isinstance(value, list):
        return [as_read(element) for element in value]
    if isinstance(value, dict):
        return {name: as_read(member) for name, member in value.items()}
    if isinstance(value, int):
        return value if isinstance(value, bool) or -(2**63) <= value < 2**63 else 0.5
    return None if value is None else 0.5


def refuse(word: str) -> None:
    raise ValueError(word)


SEEDS = (
    b'{"id":17,"op":"recv","socket":3,"length":4096,"wait_ms":500,"flags":["PEEK","WAITALL"],"digest":true}',
    b'{"a":[null,true,false,-0,0,10,1.5,-1e5,1E+2,2e-3,9223372036854775807,-9223372036854775808,9223372036854775808]}',
    b'["","a\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20ac\\ud83d\\ude00\\u0000","\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"]',
    b' { "x" : [ ] , "y" : { } , "z" : [ [ [ 1 ] ] , { "w" : "v" } ] } ',
)


def test_json_is_read_as_python_reads_it(parts: Parts) -> None:
    """Lines that are right, and thousands with something wrong or odd in a few places."""
    chance = random.Random(4)
    pieces = [*(bytes([octet]) for octet in b'{}[]",:\\u0123456789-+.eE tfn\x00\x1f\x80\xff'), b"\\u0041", b"\xc3", b""]
    lines = list(SEEDS)
    for _ in range(4000):
        changed = chance.choice(SEEDS)
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(changed) + 1)
            changed = changed[:place] + chance.choice(pieces) + changed[place + chance.randint(0, 2) :]
        lines.append(changed)
    told = parts([("j", line) for line in lines])
    read = 0
    for line, answer in zip(lines, told, strict=True):
        try:
            value = json.loads(line.decode(), parse_constant=refuse)
        except ValueError:
            assert answer == "none", line
            continue
        if any(0xD800 <= ord(character) <= 0xDFFF for character in json.dumps(value, ensure_ascii=False)):
            assert "efbfbd" in answer or "\N{REPLACEMENT CHARACTER}" in answer, line
            continue
        assert answer != "none", line
        assert json.loads(answer) == as_read(value), line
        read += 1
    assert read > 500
