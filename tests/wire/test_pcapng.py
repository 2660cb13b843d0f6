# SPDX-License-Identifier: MIT
"""Frames stored as pcapng: read back as they were, and by other people's tools."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from scapy.layers.inet import IP, TCP

from conformance.trace import pcapng
from conformance.trace.events import Fate
from conformance.trace.frames import Frame

AT = 1_732_269_000_123_456_789
FIN = bytes(IP(src="10.77.0.2", dst="10.77.0.1") / TCP(sport=40_000, dport=10_000, flags="FA"))
FRAMES = [
    Frame(at=AT, data=FIN, length=len(FIN)),
    Frame(at=AT + 1, data=FIN, length=5000),
    Frame(at=AT + 2, data=FIN, length=40, fate=Fate.DROPPED, comment="drop the first FIN from the peer"),
    Frame(at=AT + 3, data=FIN, length=40, fate=Fate.HELD, comment="hold each: FIN\nfrom the peer"),
    Frame(at=AT + 4, data=FIN, length=40, fate=Fate.HELD, delivered_at=AT + 10**9 + 5, comment="é"),
    Frame(at=AT + 5, data=FIN, length=40, fate=Fate.REPEATED),
    Frame(at=AT + 6, data=FIN, length=40, fate=Fate.FORGED, comment="RST from the peer: at RCV.NXT+1"),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "case.pcapng"
    pcapng.write(path, FRAMES, comment="a case", interface="iut0")
    return path


def test_frames_are_read_back_as_they_were(file: Path) -> None:
    assert pcapng.read(file) == FRAMES


def test_a_file_without_frames_is_whole(tmp_path: Path) -> None:
    pcapng.write(tmp_path / "empty.pcapng", [], comment="nothing happened", interface="lo")
    assert pcapng.read(tmp_path / "empty.pcapng") == []


def test_a_broken_file_is_named(file: Path) -> None:
    whole = file.read_bytes()
    for broken in (b"", whole[:-3], b"something else entirely, and not short"):
        file.write_bytes(broken)
        with pytest.raises(ValueError, match=r"case\.pcapng"):
            pcapng.read(file)


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_reads_times_lengths_flags_and_comments(file: Path) -> None:
    fields = ["frame.time_epoch", "frame.cap_len", "frame.len", "tcp.flags.fin", "frame.comment"]
    command = ["tshark", "-r", str(file), "-T", "fields", "-E", "separator=|"]
    for field in fields:
        command += ["-e", field]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    times, captured, lengths, fins, comments = zip(*(line.split("|") for line in lines[:3]), strict=True)
    assert times == ("1732269000.123456789", "1732269000.123456790", "1732269000.123456791")
    assert captured == ("40", "40", "40")
    assert lengths == ("40", "5000", "40")
    assert set(fins) <= {"1", "True"}
    assert comments == ("", "", "dropped: drop the first FIN from the peer")
