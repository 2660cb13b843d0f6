# SPDX-License-Identifier: MIT
"""The benchmark of the capture, small: it is the proof that nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from conformance.wire.topology import Topology


def test_the_capture_is_exact_at_full_speed(opened: Callable[[str], Topology]) -> None:
    opened("loopback")  # or skip
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, root / "benchmarks" / "capture.py", "--closes", "500", "--rounds", "1", "--spread"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "exact" in done.stdout
