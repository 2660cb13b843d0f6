# SPDX-License-Identifier: MIT
"""A disk that is full, and several runs at once: each says what it could, keeps what is whole, and disturbs nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.attack.host import MARK, Ended, Host
from tests.attack.test_interruption import evidence_is_whole, results_of

LIMIT_S = 120
WITHIN = """\
mount -t tmpfs -o size={size}k none {place} || exit 99
"$0" -m conformance.cli run --provider kernel-tcp -k "half_close or linger_as_it_is_found" --output {place}/report
status=$?
cp -r {place}/report {copy}
exit $status
"""
"""A small file system that only this process and what it starts can see; what is on it is copied before it goes."""


def run_on_a_disk_of(size_kib: int, host: Host) -> Ended:
    place, copy = host.directory / "small", host.directory / "report"
    place.mkdir()
    ended = subprocess.run(
        ["unshare", "-rm", "sh", "-c", WITHIN.format(size=size_kib, place=place, copy=copy), sys.executable],
        cwd=host.directory,
        env=os.environ | {MARK: host.mark, "TMPDIR": str(host.temporary)},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    if ended.returncode in (1, 99) and not copy.exists():
        pytest.skip(f"no file system of our own here: {ended.stderr.strip()}")
    return Ended(ended.returncode, ended.stdout, ended.stderr, 0.0, 0.0, host.directory)


@pytest.mark.parametrize("size_kib", [32, 96, 112, 128, 144, 160, 256])
def test_a_disk_that_gets_full(host: Host, size_kib: int) -> None:
    """Too small to begin, for the evidence, for the results, or for the reports only; which, is found out."""
    ended = run_on_a_disk_of(size_kib, host)
    report = host.directory / "report"
    finished, results = evidence_is_whole(report), results_of(report)  # whole or absent, both
    print(f"{size_kib} KiB: exit status {ended.status}, {ended.err.strip()[-200:]}")
    assert "could not be written" in ended.err or "cannot write to" in ended.err
    assert "Traceback" not in ended.out + ended.err
    assert not list(report.rglob("*.part"))
    if ended.status == 0:  # only the reports had no room
        assert results is not None
        assert results.cases.finished == results.cases.planned == len(finished)
    else:
        assert ended.status in (2, 3)


def test_a_disk_that_is_large_enough(host: Host) -> None:
    ended = run_on_a_disk_of(20_000, host)
    assert ended.status == 0, ended.out + ended.err
    assert set(ended.verdicts()["kernel-tcp"].values()) <= {"pass", "recorded"}


def test_four_runs_side_by_side(host: Host, tmp_path: Path) -> None:
    # In one directory, and begun in the same second: each finds a place of its own.
    runs = [host.start("run", "--provider", "kernel-tcp", "-k", "half_close or stream_end") for _ in range(4)]
    ended = [host.end_of(process, LIMIT_S, number) for number, process in enumerate(runs)]
    places = sorted(path for path in (tmp_path / "reports").iterdir() if path.name[0].isdigit() and path.is_dir())
    assert [one.status for one in ended] == [0] * 4, [one.out + one.err for one in ended]
    assert len(places) == 4
    for place in places:
        results = results_of(place)
        assert results is not None
        assert results.cases.finished == results.cases.planned
        named = {case.evidence for provider in results.providers for case in provider.cases}
        assert evidence_is_whole(place) == named
    assert (tmp_path / "reports" / "latest").resolve() in places
