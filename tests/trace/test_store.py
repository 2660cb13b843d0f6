# SPDX-License-Identifier: MIT
"""Traces on disk: what is whole is read back as it was, and what is not is told, and why."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from conformance.oracle.judging import judge
from conformance.trace.events import Fate
from conformance.trace.store import BadEvidence, file_name, load, save
from conformance.trace.trace import Trace
from tests.oracle.story import IUT, PEER, Story


def a_trace() -> Trace:
    """One with an event of every kind."""
    story = Story(exercises=("IND-STREAM-01",))
    story.peer.send(5)
    story.data(PEER, 5)
    story.segment(PEER, "PA", 5, fate=Fate.HELD, delivered_at=story.now + 5)
    story.iut.call("post_recv", length=5, result={"token": "a"})
    story.iut.completes("a", 5)
    story.iut.send(7, error="ECONNRESET")
    story.iut.recv(timeout=True, wait_ms=1)
    story.iut.finish(story.iut.begin("shutdown", how="send"), unsupported="no half-close: ünsupported")
    story.iut.indicates("FD_CLOSE", "WSAECONNABORTED")
    story.peer.get_error("ECONNRESET")
    story.peer.dies()
    story.rst(IUT)
    story.settle()
    return story.trace()


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "case.jsonl"
    save(a_trace(), path)
    return path


def test_a_trace_is_read_back_as_it_was(stored: Path) -> None:
    assert load(stored) == a_trace()
    assert judge(load(stored)) == judge(a_trace())


def test_a_trace_without_events_is_a_trace(tmp_path: Path) -> None:
    trace = Story(connected=False).trace()
    save(trace, tmp_path / "empty.jsonl")
    assert load(tmp_path / "empty.jsonl") == trace


def test_the_file_is_one_line_of_header_one_for_each_event_and_a_seal(stored: Path) -> None:
    lines = [msgspec.json.decode(line) for line in stored.read_bytes().splitlines()]
    assert (lines[0]["trace"], lines[0]["header"]["case"]) == (1, "story")
    assert [line["n"] for line in lines[1:-1]] == list(range(1, len(a_trace().events) + 1))
    assert lines[-1]["events"] == len(lines) - 2


def test_saving_makes_the_folder_replaces_what_was_there_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "evidence" / "kernel-tcp" / "case.jsonl"
    save(Story().trace(), path)
    save(a_trace(), path)
    assert load(path) == a_trace()
    assert list(path.parent.iterdir()) == [path]


def _cut_in_a_line(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def _cut_after_a_line(whole: bytes) -> bytes:
    return b"".join(whole.splitlines(keepends=True)[:5])


def _without_the_seal(whole: bytes) -> bytes:
    return b"".join(whole.splitlines(keepends=True)[:-1])


def _cut_in_the_seal(whole: bytes) -> bytes:
    return whole[:-10]


@pytest.mark.parametrize(
    "cut", [_cut_in_a_line, _cut_after_a_line, _without_the_seal, _cut_in_the_seal, lambda _: b"", lambda _: b"\n"]
)
def test_a_file_that_was_cut_short(stored: Path, cut: Callable[[bytes], bytes]) -> None:
    stored.write_bytes(cut(stored.read_bytes()))
    with pytest.raises(BadEvidence, match="cut short") as caught:
        load(stored)
    assert (caught.value.path, caught.value.line) == (stored, 0)
    assert "copy it again" in caught.value.hint


def _edit(whole: bytes) -> bytes:
    return whole.replace(b'"ECONNRESET"', b'"ECONNABORT"', 1)


def _edit_the_header(whole: bytes) -> bytes:
    return whole.replace(b'"provider":"story"', b'"provider":"other"', 1)


def _reorder(whole: bytes) -> bytes:
    lines = whole.splitlines(keepends=True)
    return b"".join([*lines[:3], lines[4], lines[3], *lines[5:]])


def _leave_one_out(whole: bytes) -> bytes:
    lines = whole.splitlines(keepends=True)
    return b"".join(lines[:3] + lines[4:])


def _say_one_twice(whole: bytes) -> bytes:
    lines = whole.splitlines(keepends=True)
    return b"".join([*lines[:3], lines[2], *lines[3:]])


def _only_the_seal(whole: bytes) -> bytes:
    return whole.splitlines(keepends=True)[-1]


@pytest.mark.parametrize(
    "change",
    [_edit, _edit_the_header, _reorder, _leave_one_out, _say_one_twice, _only_the_seal],
    ids=lambda f: f.__name__,
)
def test_a_file_that_was_changed(stored: Path, change: Callable[[bytes], bytes]) -> None:
    before = stored.read_bytes()
    stored.write_bytes(change(before))
    assert stored.read_bytes() != before
    with pytest.raises(BadEvidence, match="changed after it was written") as caught:
        load(stored)
    assert "proves nothing" in caught.value.hint


def sealed(*lines: bytes) -> bytes:
    """A file whose digest fits, whatever is in it."""
    body = b"".join(line + b"\n" for line in lines)
    seal = {"events": len(lines) - 1, "sha256": hashlib.sha256(body).hexdigest()}
    return body + msgspec.json.encode(seal) + b"\n"


def test_a_line_that_is_no_event_is_named(stored: Path) -> None:
    lines = stored.read_bytes().splitlines()[:-1]
    stored.write_bytes(sealed(*lines[:3], b'{"kind": "rumour"}', *lines[3:]))
    with pytest.raises(BadEvidence, match=r"line 4: .*rumour") as caught:
        load(stored)
    assert caught.value.line == 4


@pytest.mark.parametrize("first", [b'{"trace": 2, "header": {}}', b'{"trace": 2, "other": 1}', b'{"trace": 2}'])
def test_a_format_of_another_time_is_told_as_such(stored: Path, first: bytes) -> None:
    stored.write_bytes(sealed(first))
    with pytest.raises(BadEvidence, match="line 1: trace format 2, and this suite reads 1") as caught:
        load(stored)
    assert "suite version that wrote it" in caught.value.hint


@pytest.mark.parametrize("first", [b"{}", b"[]", b"not JSON", b"\xff\xfe", b'{"trace": "one"}', b'{"trace": 1}'])
def test_a_file_of_something_else(stored: Path, first: bytes) -> None:
    stored.write_bytes(sealed(first))
    with pytest.raises(BadEvidence) as caught:
        load(stored)
    assert caught.value.line == 1


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.jsonl"):
        with pytest.raises(BadEvidence, match="cannot be read") as caught:
            load(path)
        assert "check the path" in caught.value.hint


# --- file names -------------------------------------------------------------------------------------------------------

CASES = [
    "indicating/stream_end.py::test_peer_ends[close-1460]",
    "indicating/stream_end.py::test_peer_ends[close/1460]",
    "indicating/stream_end.py::test_peer_ends[close 1460]",
    "indicating-stream_end.py-test_peer_ends-close-1460",
    "test_" + "x" * 400 + "[a]",
    "test_" + "x" * 400 + "[b]",
    "test_" + "x" * 145,
    "test_" + "x" * 146,
    "ünïcode",
    "unicode?",
    "../../etc/passwd",
]


def test_file_names_are_unique() -> None:
    assert len({file_name(case) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES)
def test_file_names_are_accepted_by_every_file_system(case: str) -> None:
    name = file_name(case)
    assert name == file_name(case)
    assert 0 < len(name.encode()) <= 160
    assert not set(name) & set('/\\:*?"<>|[] ') and name.isascii() and name not in (".", "..")


def test_file_names_are_readable() -> None:
    assert file_name("plain_case-1.py") == "plain_case-1.py"
    assert file_name(CASES[0]).startswith("indicating-stream_end.py-test_peer_ends-close-1460.")
