# SPDX-License-Identifier: MIT
"""`soak`: the same run again and again, idle and with all cores busy, and every verdict that was not always the same.

Each run is a `run` in a process of its own, as a user starts it; the comparison is `conformance.reporting.stability`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.cli.place import fresh
from conformance.cli.run import check_providers
from conformance.cli.usage import INTERRUPTED, NOTHING_JUDGED, WRONG_USAGE, Stop, tell
from conformance.cli.work import ended_like_ctrl_c

if TYPE_CHECKING:
    from conformance.reporting.results import Results
    from conformance.reporting.stability import Soak

HELP = "run again and again, and report every verdict that ever changed"
DESCRIPTION = """\
Repeats the run and compares: every verdict (of a requirement or a case, for each provider) that was not the same in all
runs is reported, those that were fail or error in some of them first. With --busy every second run has company: one
process for each core that does nothing but compute. The evidence of runs that differed is kept, and that of one that
did not, to compare with. After Ctrl-C the report is of the runs that were finished.

exit status: 0 nothing ever changed; 1 something did; 2 wrong usage or a bad profile; 3 nothing could be judged;
             130 interrupted"""
EXAMPLE = "shutdown-conformance soak --runs 20 --busy --provider kernel-tcp"

RUNS = 10
_LEAST = 2
_PATIENCE_S = 600.0
_PATIENCE_RUNS = 20
"""A run is ended that takes longer than this many times the longest so far, and than _PATIENCE_S."""
_LINES_SHOWN = 12
"""Of what a run said that could not begin."""
_COMPUTE = """\
import os, sys
while os.getppid() == int(sys.argv[1]):
    sum(range(100_000))
"""
"""What keeps a core busy, and ends with whoever started it, whatever the end."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's options."""
    parser.add_argument("--runs", metavar="N", type=int, default=RUNS, help=f"how many runs (default: {RUNS})")
    parser.add_argument("--busy", action="store_true", help="keep all cores busy during every second run")
    parser.add_argument(
        "--provider", metavar="NAME|FILE.toml", action="append", default=[], help="test this; may be repeated"
    )
    parser.add_argument("-k", metavar="EXPR", dest="expression", help="only the cases that fit, as pytest's -k")
    parser.add_argument("--output", metavar="DIR", type=Path, help="a new directory (default: reports/soak-TIME)")


def run(arguments: argparse.Namespace) -> int:
    """Repeat the run, and report."""
    from conformance.reporting.stability import compared, told

    if arguments.runs < _LEAST:
        raise Stop(f"--runs {arguments.runs}: one run has nothing to be compared with", f"give at least {_LEAST}")
    check_providers(arguments.provider)
    output = _made(arguments.output or fresh("soak-"))
    soak, interrupted = compared([], arguments.runs), False
    try:
        with ended_like_ctrl_c():
            soak = _soaked(arguments, output)
    except KeyboardInterrupt:
        interrupted = True
        soak = _last(output) or soak
    except OSError as error:
        hint = "make room, or name another directory with --output"
        raise Stop(f"cannot write to {output}: {error.strerror}", hint) from None
    _prune(soak, output, over=True)
    print("\n".join(told(soak)))
    if soak.runs:
        print(f"Comparison: {output / 'soak.json'}", flush=True)
    else:
        output.rmdir()
    return INTERRUPTED if interrupted else soak.status


def _soaked(arguments: argparse.Namespace, output: Path) -> Soak:
    """Make the runs, one after the other, and keep after each what they came to so far."""
    from conformance.reporting.stability import Run, compared, directory_name, observed, save

    runs: list[Run] = []
    soak = compared(runs, arguments.runs)
    words = [word for name in arguments.provider for word in ("--provider", name)]
    words += [] if arguments.expression is None else ["-k", arguments.expression]
    busy_runs = arguments.runs // 2 if arguments.busy else 0
    tell(f"{arguments.runs} runs, {busy_runs} of them with all cores busy; Ctrl-C gives the report so far")
    for number in range(1, arguments.runs + 1):
        busy = arguments.busy and number % 2 == 0
        place = output / directory_name(number)
        longest = max((run.seconds for run in runs), default=0.0)
        began = time.monotonic()
        with _company() if busy else contextlib.nullcontext():
            status = _run_once([*words, "--output", str(place)], place, max(_PATIENCE_S, _PATIENCE_RUNS * longest))
        seconds = round(time.monotonic() - began, 2)
        if not runs and status in (WRONG_USAGE, NOTHING_JUDGED):
            raise _no_beginning(place, status)
        runs.append(observed(_results(place), number=number, busy=busy, seconds=seconds, status=status))
        soak = compared(runs, arguments.runs)
        save(soak, output / "soak.json")
        _prune(soak, output, over=False)
        tell(_progress(soak))
    return soak


def _progress(soak: Soak) -> str:
    from conformance.reporting.text import several

    last, left = soak.runs[-1], soak.planned - len(soak.runs)
    changed = f"{several(len(soak.changes), 'verdict')} changed so far" if soak.changes else "nothing changed so far"
    to_go = sum(run.seconds for run in soak.runs) / len(soak.runs) * left / 60
    busy = ", busy" if last.busy else ""
    said = f"run {last.number} of {soak.planned}{busy}: {last.seconds:.1f} s; {changed}"
    return f"{said}; about {to_go:.0f} min to go" if left else said


# --- one run --------------------------------------------------------------------------------------------------------


def _run_once(words: Sequence[str], place: Path, limit_s: float) -> int | None:
    """Run once; the exit status, None if it did not end within the limit. What it says is kept beside its results."""
    log = place.with_name(f"{place.name}.txt")
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "conformance.cli", "run", *words],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is ours to pass on, so that it reaches it once, wherever it came from
            preexec_fn=_end_with_us,
        )
        try:
            return process.wait(limit_s)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _end(process)


def _end_with_us() -> None:
    """Have the run end when we do, also where we are killed; only Linux knows how, and there the runs are."""
    if sys.platform == "linux":
        from conformance.wire.custodian import die_with_parent

        die_with_parent()


_END_S = 20.0


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it as Ctrl-C would, or at once if that does not help or is asked for once more."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_END_S)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            process.kill()
            process.wait()


@contextlib.contextmanager
def _company() -> Iterator[None]:
    """One process for each core that computes meanwhile."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.ExitStack() as held:
        for _ in range(cores):
            command = [sys.executable, "-I", "-S", "-c", _COMPUTE, str(os.getpid())]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
            held.callback(process.wait)
            held.callback(process.kill)
        yield


def _no_beginning(place: Path, status: int) -> Stop:
    """Why there is nothing to repeat: what the first run said."""
    from conformance.reporting.text import clean_lines

    log = place.with_name(f"{place.name}.txt")
    said = clean_lines(log.read_text("utf-8", "replace"))[-_LINES_SHOWN:]
    sys.stderr.write("".join(f"  {line}\n" for line in said))
    return Stop("the first run judged nothing, and is not repeated", "what is said above tells why", status)


# --- what is kept ---------------------------------------------------------------------------------------------------


def _made(output: Path) -> Path:
    """Make the directory of the soak; what lies there already is not ours to mix with."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        if any(output.iterdir()):
            raise Stop(f"{output} is not empty", "name a new directory with --output")
    except OSError as error:
        raise Stop(f"cannot write to {output}: {error.strerror}", "name another directory with --output") from None
    return output.absolute()


def _results(place: Path) -> Results | None:
    from conformance.reporting.results import BadResults, load

    try:
        return load(place / "results.json")
    except BadResults:
        return None


def _prune(soak: Soak, output: Path, *, over: bool) -> None:
    """Delete what nobody will want to look at; at the end also the run that was not finished."""
    from conformance.reporting.stability import directory_name, worth_keeping

    kept = {directory_name(number) for number in worth_keeping(soak, over=over)}
    for path in output.glob("run-*"):
        if path.is_dir() and path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)
        elif path.suffix == ".txt" and path.stem not in kept:
            path.unlink(missing_ok=True)


def _last(output: Path) -> Soak | None:
    """The comparison as it was after the last run that was finished."""
    import msgspec

    from conformance.reporting.stability import Soak

    try:
        return msgspec.json.decode((output / "soak.json").read_bytes(), type=Soak)
    except OSError:
        return None
