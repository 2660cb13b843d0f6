# SPDX-License-Identifier: MIT
"""Fuzz one reader of foreign octets with atheris, which looks for inputs that reach new code.

`python -m tests.fuzz TARGET [CORPUS] [libFuzzer's own options]` runs until it finds a crash, a hang or a leak, or until
`-max_total_time` or `-runs` is up. A finding is written to a file `crash-…` in the working directory; the same command
with that file in place of CORPUS runs it once.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

EXAMPLE = "example: python -m tests.fuzz protocol -max_total_time=60"

_LONG_OCTETS = 20_000


def main() -> None:
    """Fuzz until something is found or the time is up; libFuzzer ends the process."""
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed: pip install 'shutdown-conformance[fuzz]'")
    with atheris.instrument_imports(include=["conformance", "pcapng", "tomllib"]):
        from tests.fuzz.targets import TARGETS

    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__, epilog=EXAMPLE)
    parser.add_argument("target", choices=sorted(TARGETS))
    options, others = parser.parse_known_args()
    target = TARGETS[options.target]
    with tempfile.TemporaryDirectory() as seeds:
        for number, sample in enumerate(target.samples):
            (Path(seeds) / str(number)).write_bytes(sample)
        corpus = [] if any(not other.startswith("-") for other in others) else [seeds]
        longest = max(_LONG_OCTETS, 2 * max(map(len, target.samples)))  # a sample that is cut is none
        usual = ["-timeout=10", "-rss_limit_mb=1024", "-keep_seed=1", f"-max_len={longest}"]
        atheris.Setup([sys.argv[0], *usual, *others, *corpus], target.read)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
