# SPDX-License-Identifier: MIT
"""Building: once for each state of the sources, whole or not at all, and with one clear word where it cannot be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conformance.agents.native import __main__ as launcher
from conformance.agents.native import building
from conformance.agents.native.compilers import MINGW
from conformance.agents.native.storing import CannotHave
from conformance.agents.native.targets import TARGETS, find
from conformance.cli import main

needs_cc = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler cc here")
needs_mingw = pytest.mark.skipif(shutil.which(MINGW) is None, reason="no gcc-mingw-w64-x86-64 here")


def build(name: str = "posix-c", **options: object) -> tuple[str, list[str]]:
    """Its path, and the progress that was told."""
    told: list[str] = []
    return building.build(name, say=told.append, **options), told  # type: ignore[arg-type]


def kept(directory: Path) -> list[str]:
    """What is in the cache, apart from locks."""
    return sorted(path.name for path in directory.rglob("*") if path.is_file() and path.suffix != ".lock")


@needs_cc
def test_what_is_built_is_kept(agents: Path, tmp_path: Path) -> None:
    path, told = build()
    assert subprocess.check_output([path], text=True) == "first\n"
    assert told[0].startswith("building posix-c with ") and told[-1].startswith("built posix-c in ")
    assert Path(path).is_relative_to(tmp_path / "cache" / "shutdown-conformance")
    assert build() == (path, [])
    assert kept(tmp_path / "cache") == ["posix-c"]


@needs_cc
@pytest.mark.parametrize("name", ["common/word.h", "posix/main.c"])
def test_a_changed_source_is_built_again(name: str, agents: Path) -> None:
    first, _ = build()
    source = agents / name
    source.write_text(source.read_text().replace('"first"', '"second"').replace("WORD)", '"second")'))
    second, told = build()
    assert told and second != first
    assert subprocess.check_output([second], text=True) == "second\n"
    assert subprocess.check_output([first], text=True) == "first\n"


@needs_cc
def test_other_options_are_another_build(agents: Path) -> None:
    paths = {build()[0], build("posix-c-dynamic")[0], build(options=("-DX",))[0], build(sanitized=True)[0]}
    assert len(paths) == 4


@needs_cc
def test_one_with_sanitizers_watches_itself(agents: Path) -> None:
    (agents / "posix" / "main.c").write_text(
        "int main(int count, char **words) { (void)words; return count + 2147483647; }\n"
    )
    done = subprocess.run([build(sanitized=True)[0]], capture_output=True, text=True)
    assert done.returncode != 0
    assert "runtime error: signed integer overflow" in done.stderr


@needs_cc
def test_who_comes_second_waits_and_builds_nothing(agents: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda _: build(), range(6)))
    assert len({path for path, _ in results}) == 1
    assert sum(bool(told) for _, told in results) == 1
    assert kept(tmp_path / "cache") == ["posix-c"]


@needs_cc
def test_a_complaint_is_told_in_its_first_lines_and_nothing_is_kept(agents: Path, tmp_path: Path) -> None:
    (agents / "posix" / "main.c").write_text("int main(void) { return wrong; }\n" + "#warning more\n" * 100)
    with pytest.raises(CannotHave, match=r"'?wrong'? undeclared|undeclared identifier") as raised:
        build()
    assert len(str(raised.value).splitlines()) <= building.SAID_OF_AN_ERROR + 1
    assert "--compiler zig" in raised.value.hint
    assert kept(tmp_path / "cache") == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [("posix-c", "apt install gcc libc6-dev"), ("winsock-api", "apt install gcc-mingw-w64-x86-64")],
)
def test_without_a_compiler(name: str, hint: str, agents: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(agents))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CannotHave, match="no C compiler") as raised:
        build(name)
    assert hint in raised.value.hint and "pip install ziglang" in raised.value.hint


def test_a_compiler_that_cannot_make_it(agents: Path) -> None:
    with pytest.raises(CannotHave, match="cannot be made with mingw") as raised:
        build("posix-c", compiler="mingw")
    assert raised.value.hint == "--compiler system or zig"


@needs_cc
def test_cc_names_the_compiler(agents: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "mycc"
    mine.write_text(f'#!/bin/sh\necho used >>{tmp_path}/used\nexec {shutil.which("cc")} "$@"\n')
    mine.chmod(0o755)
    monkeypatch.setenv("CC", f"{mine} -DMORE")
    _, told = build()
    assert "with mycc" in told[0]
    assert (tmp_path / "used").exists()


def test_a_cache_that_cannot_be_written(agents: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(agents / "posix" / "main.c"))
    with pytest.raises(CannotHave, match="cannot be made") as raised:
        build()
    assert "XDG_CACHE_HOME" in raised.value.hint


def test_sources_are_found_by_folder_and_name(agents: Path) -> None:
    (agents / "winsock" / "sockets.c").write_text("")
    names = {name: [Path(path).name for path in find(name).sources()] for name in ("winsock-api", "winsock-spi")}
    assert names == {"winsock-api": ["main_api.c", "sockets.c"], "winsock-spi": ["main_spi.c", "sockets.c"]}


@needs_mingw
def test_windows_programs_and_dlls(agents: Path) -> None:
    for name in ("winsock-api", "reference"):
        assert Path(build(name)[0]).read_bytes()[:2] == b"MZ"


# --- the command ----------------------------------------------------------------------------------------------------


@needs_cc
def test_the_command_builds_and_copies(agents: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "posix-c", "--output", str(tmp_path / "out")]) == 0
    assert "built posix-c in" in capsys.readouterr().out
    assert os.access(tmp_path / "out" / "posix-c", os.X_OK)
    assert main(["build", "posix-c"]) == 0
    assert "posix-c is there already, made by" in capsys.readouterr().out


def test_the_command_with_a_wrong_name(agents: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "posixc"]) == 2
    said = capsys.readouterr().err
    assert "nothing is called 'posixc'" in said
    assert all(name in said for name in TARGETS)


def test_the_command_without_a_compiler(
    agents: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(agents))
    assert main(["build", "winsock-api", "--compiler", "mingw"]) == 3
    assert "apt install gcc-mingw-w64-x86-64" in capsys.readouterr().err


# --- becoming an agent ----------------------------------------------------------------------------------------------


def become(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "conformance.agents.native", *arguments],
        env=os.environ | environment,
        cwd=Path(__file__).parents[3],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def test_the_launcher_names_its_agents() -> None:
    assert "posix-c, posix-c-dynamic, winsock-api, winsock-spi" in become("--help").stdout
    wrong = become("nonesuch")
    assert wrong.returncode == 1 and "no agent 'nonesuch'" in wrong.stderr


@pytest.mark.parametrize("preparing", [False, True])
def test_an_agent_that_cannot_be_built_says_what_is_missing(
    preparing: bool, agents: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(agents))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit) as ended:
        launcher.main(["--prepare", "posix-c"] if preparing else ["posix-c"])
    assert ended.value.code == os.EX_UNAVAILABLE
    what, remedy = capsys.readouterr().err.splitlines()
    assert what == "there is no C compiler for posix-c"
    assert "apt install gcc" in remedy


def test_the_launcher_starts_quickly_for_it_imports_little() -> None:
    script = "import sys; import conformance.agents.native.__main__; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]
    )
    heavy = {"subprocess", "typing", "argparse", "msgspec", "shutil", "dataclasses", "tempfile"}
    assert not heavy & set(done.stdout.split())
