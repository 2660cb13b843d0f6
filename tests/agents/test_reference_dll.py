# SPDX-License-Identifier: MIT
"""The reference provider DLL's portable core, natively with sanitizers: by example, at random, against Python's."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.agents.reference import tpdus

PROGRAMS = Path(__file__).parent / "reference_core"
CORE = Path(__file__).parents[2] / "fixtures" / "agents" / "reference"
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
FLAGS = ["-std=c11", "-g", "-O1", "-Wall", "-Wextra", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

Build = Callable[[str], str]


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Compile a program with the core; the path of the executable."""
    if COMPILER is None:
        pytest.skip("no C compiler (cc, gcc or clang)")
    directory = tmp_path_factory.mktemp("core")

    def make(name: str) -> str:
        program = directory / name
        core = [str(CORE / source) for source in ("tpdus.c", "inbox.c", "association.c")]
        sources = [str(PROGRAMS / f"{name}.c"), *core, "-I", str(CORE), "-o", str(program)]
        compiled = subprocess.run([COMPILER, *FLAGS, *SANITIZERS, *sources], capture_output=True, text=True)
        if compiled.returncode and "sanitize" in compiled.stderr + compiled.stdout:
            compiled = subprocess.run([COMPILER, *FLAGS, *sources], capture_output=True, text=True)
        assert compiled.returncode == 0, compiled.stderr
        return str(program)

    return make


def run(*command: str, octets: bytes = b"") -> str:
    ended = subprocess.run(command, input=octets, capture_output=True, timeout=60)
    assert ended.returncode == 0, ended.stderr.decode(errors="replace")[-3000:]
    return ended.stdout.decode()


def test_the_core_by_example(build: Build) -> None:
    run(build("association_test"))


def test_the_core_at_random(build: Build) -> None:
    run(build("association_drive"), "1", "400")


def decoded(octets: bytes, piece: int) -> str:
    """Return what the Python reader tells, as the C program prints it."""
    reader = tpdus.Reader()
    told = []
    try:
        for start in range(0, len(octets), piece):
            told += [f"{t.type} {t.octet} {t.data.hex()}" for t in reader.tpdus(octets[start : start + piece])]
    except tpdus.Violation:
        return "violation"
    try:
        reader.finish()
        told.append("end")
    except tpdus.Violation:
        told.append("cut")
    return "\n".join(told)


def stream(chance: random.Random) -> bytes:
    """Return some packets, of which one may be cut, altered, or of nonsense."""
    packets = []
    for _ in range(chance.randint(0, 6)):
        data = chance.randbytes(chance.choice((0, 0, 1, 5, 512, 513, 3000)))
        kind = chance.randint(1, 3)
        if kind == tpdus.DATA:
            packets.append(tpdus.Tpdu(kind, chance.randint(0, 1), data).encoded())
        elif kind == tpdus.RELEASE:
            packets.append(tpdus.release(chance.choice((None, data[:512]))))
        else:
            packets.append(tpdus.abort(chance.randint(0, 255), data[:512]))
    octets = bytearray(b"".join(packets))
    damage = chance.randint(0, 5)
    if damage == 0 and octets:
        octets[chance.randrange(len(octets))] = chance.randint(0, 255)
    elif damage == 1:
        del octets[chance.randint(0, len(octets)) :]
    elif damage == 2:
        octets += chance.randbytes(chance.randint(1, 8))
    elif damage == 3:
        octets += bytes(
            (3, 0, chance.randint(0, 3), chance.randint(0, 255), chance.randint(0, 4), chance.randint(0, 3))
        )
    return bytes(octets)


def test_octets_are_read_as_python_reads_them(build: Build) -> None:
    """A violation may be found at another octet of one piece: what came before it in that piece may be told or not."""
    program = build("decode")
    endings = set()
    for seed in range(150):
        chance = random.Random(seed)
        octets, piece = stream(chance), chance.choice((1, 2, 7, 1000, 100_000))
        expected = decoded(octets, piece)
        read = run(program, str(piece), octets=octets).strip()
        endings.add(read.split("\n")[-1])
        if expected == "violation":
            assert read.split("\n")[-1] == expected, (seed, octets.hex())
        else:
            assert read == expected, (seed, octets.hex())
    assert endings == {"end", "cut", "violation"}
