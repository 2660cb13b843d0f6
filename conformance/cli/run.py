# SPDX-License-Identifier: MIT
"""`run`: the cases, run by pytest in this process. Here arguments are made ready and checked, and the exit status told.

The plugin (`conformance.pytest_plugin`) runs, judges, and writes what pytest's own options do not.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cli.place import REPORTS, fresh, held
from conformance.cli.usage import INTERRUPTED, NOTHING_JUDGED, WRONG_USAGE, Stop, tell
from conformance.cli.work import ended_like_ctrl_c

if TYPE_CHECKING:
    from conformance.reporting.results import Results

HELP = "run the cases, judge, and say where to look"
DESCRIPTION = """\
Runs the cases, judges what was seen, writes results, evidence and reports, and prints a summary. With no provider: the
kernel's TCP over IPv4 and IPv6, and AF_UNIX streams and messages. Options that are not listed here are pytest's
own: -x, --lf, -v, --junitxml=FILE, --alluredir=DIR.

With --baseline the failures that it lists are excused, and what it lists in vain closes the gate: docs/gate.md.

exit status: 0 the gate is open; 1 it is closed: a requirement failed, something broke, or an entry of the baseline
             does not hold any more; 2 wrong usage, a bad profile or a bad baseline;
             3 nothing could be judged; 130 interrupted (what was finished is in the results)"""
EXAMPLE = "shutdown-conformance run --provider kernel-tcp --provider mine.toml -k stream_end -n 2"

_PYTEST_USAGE = 4
"""pytest.ExitCode.USAGE_ERROR; pytest itself is imported only when it runs."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's options."""
    parser.add_argument(
        "--provider", metavar="NAME|FILE.toml", action="append", default=[], help="test this; may be repeated"
    )
    parser.add_argument("--topology", metavar="T", help="loopback (default), wire, veth, host; remote: see [remote]")
    parser.add_argument("-k", metavar="EXPR", dest="expression", help="only the cases that fit, as pytest's -k")
    parser.add_argument("-n", metavar="N", dest="processes", help="spread over N processes (auto: one for each core)")
    parser.add_argument("--output", metavar="DIR", type=Path, help="where results go (default: reports/TIME)")
    parser.add_argument("--baseline", metavar="FILE", type=Path, help="the failures that are excused (TOML)")
    parser.add_argument(
        "--update-baseline", action="store_true", help="write that file anew after the run; reasons are kept"
    )
    parser.add_argument("--json", action="store_true", help="print the results as JSON, and nothing else, on stdout")


def run(arguments: argparse.Namespace) -> int:
    """Check the arguments, let pytest run, and make an exit status of what came of it."""
    check_providers(arguments.provider)
    if arguments.topology is not None:
        _check_topology(arguments.topology)
    _check_baseline(arguments)
    output = arguments.output or fresh()
    cache = (arguments.output or REPORTS) / ".pytest_cache"
    with held(output, "results.json", "evidence") as hold:
        with ended_like_ctrl_c():
            unprepared = prepare(arguments.provider)
        status, reason = run_pytest(_pytest_arguments(arguments, output, cache) + unprepared, as_json=arguments.json)
        hold.interrupted = status == INTERRUPTED
        results = _results(output)
    if arguments.output is None and reason and status == WRONG_USAGE:
        shutil.rmtree(output, ignore_errors=True)  # some cases may have been run before the mistake was seen
    elif arguments.output is None:
        _tidy(output, worth_keeping=results is not None and _says_something(results))
    if arguments.json and results is not None:
        sys.stdout.write(_as_text(results))
    return _exit_status(status, reason, results, output, arguments)


# --- before ---------------------------------------------------------------------------------------------------------


def check_providers(names: list[str]) -> None:
    """Raise Stop where one of them, or its peer, is not to be found or its profile is wrong."""
    from conformance.execution import profile

    try:
        for name in names:
            found = profile.find(name)
            if found.peer.provider != "self":
                profile.find(found.peer.provider)
            if found.control_shares_the_link:
                what = f"{found.name}: its agent is reached over the link that is tested"
                tell(f"warning: {what}", "give its machine a second address, on another link, for agent.connect")
    except profile.BadProfile as problem:
        raise Stop(str(problem), problem.hint) from None


def _check_baseline(arguments: argparse.Namespace) -> None:
    if arguments.baseline is None:
        if arguments.update_baseline:
            raise Stop("--update-baseline needs --baseline FILE, which it writes", "shutdown-conformance run --help")
        return
    from conformance.execution import profile
    from conformance.reporting.baseline import BadBaseline
    from conformance.reporting.text import clean
    from conformance.session.baselining import applied
    from conformance.session.runner import DEFAULT_PROVIDERS

    names = [profile.find(name).name for name in arguments.provider or DEFAULT_PROVIDERS]
    try:
        applied(arguments.baseline, names, update=arguments.update_baseline)
    except BadBaseline as problem:
        raise Stop(clean(str(problem)), clean(problem.hint)) from None


def prepare(names: list[str]) -> list[str]:
    """Do once what takes long; arguments for pytest that name the providers whose preparation failed, and why."""
    from conformance.execution import preparing, profile
    from conformance.reporting.text import clean

    profiles = {}
    for name in names:
        found = profile.find(name)
        profiles[found.name] = found
    peers = {found.name: found.peer.provider for found in profiles.values() if found.peer.provider != "self"}
    named = {**{name: profile.find(name) for name in peers.values()}, **profiles}
    problems = {
        name: str(problem)
        for name, problem in preparing.prepare_all(named.values(), lambda line: tell(clean(line))).items()
    }
    for name, peer in peers.items():
        if peer in problems:
            problems.setdefault(name, f"its peer {peer}: {problems[peer]}")
    return [f"--shutdown-unprepared={name}={why}" for name, why in problems.items()]


def _check_topology(name: str) -> None:
    from conformance.wire.topology import TOPOLOGIES, availability

    if name not in TOPOLOGIES:
        near = get_close_matches(name, TOPOLOGIES, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(TOPOLOGIES)}"
        raise Stop(f"no topology {name!r}", hint)
    if (missing := availability(name)) is not None:
        raise Stop(f"the topology {name!r} is not available: {missing.what}", missing.remedy, NOTHING_JUDGED)


def _pytest_arguments(arguments: argparse.Namespace, output: Path, cache: Path) -> list[str]:
    words = [*suite(), "--shutdown-run", "-o", f"cache_dir={cache.resolve()}"]
    # Cases run in threads beside pytest's turns, so what they print is nobody's in particular: to capture descriptors
    # as well, as pytest does by default, costs a dozen system calls a case and brings nothing.
    words.append("--capture=sys")
    # No case wants a temporary directory, and xdist would make one for each worker and leave it.
    words += ["-p", "no:tmpdir"]
    words += [word for name in arguments.provider for word in ("--provider", name)]
    words += ["--shutdown-output", str(output.absolute())]
    given = {"--topology": arguments.topology, "-k": arguments.expression, "-n": arguments.processes}
    words += [word for option, value in given.items() if value is not None for word in (option, value)]
    if arguments.baseline is not None:
        words += ["--shutdown-baseline", str(arguments.baseline)]
    if arguments.update_baseline:
        words.append("--shutdown-update-baseline")
    if arguments.json:
        words.append("--shutdown-json")
    return words + list(arguments.rest)


def suite() -> list[str]:
    """The cases and their own configuration, and the plugin unless an installed package names it.

    Left to itself pytest would look for a configuration above all that looks like a path, such as the output's.
    """
    from importlib.metadata import entry_points

    from conformance import locations

    words = [str(locations.cases()), "-c", str(locations.cases() / "pytest.ini")]
    installed = entry_points(group="pytest11", name="shutdown-conformance")
    return words if installed else [*words, "-p", "conformance.pytest_plugin"]


# --- pytest ---------------------------------------------------------------------------------------------------------


class _Watcher:
    """Tells Ctrl-C from pytest's other reasons to stop early, and what such a reason was."""

    interrupted = False
    reason = ""

    def pytest_keyboard_interrupt(self, excinfo: Any) -> None:
        """Called by pytest."""
        self.interrupted = excinfo.type is KeyboardInterrupt
        self.reason = getattr(excinfo.value, "msg", "")


def run_pytest(words: list[str], *, as_json: bool) -> tuple[int, str]:
    """Run pytest; its exit status, or INTERRUPTED after Ctrl-C and the like, and why the suite itself ended it, if so.

    With `as_json` stdout is kept free for the results.
    """
    import pytest

    watcher = _Watcher()
    stdout = contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext()
    with stdout, ended_like_ctrl_c():
        try:
            status = int(pytest.main(words, plugins=[watcher]))
        except KeyboardInterrupt:  # so late that pytest had ended its session: while the reports were written
            return INTERRUPTED, watcher.reason
    return (INTERRUPTED if watcher.interrupted else status), watcher.reason


# --- after ----------------------------------------------------------------------------------------------------------


def _results(output: Path) -> Results | None:
    """The results of the run; None if it ended without any."""
    from conformance.reporting.results import BadResults, load

    if not (output / "results.json").exists():
        return None
    try:
        return load(output / "results.json")
    except BadResults as problem:
        raise Stop(str(problem), problem.hint, NOTHING_JUDGED) from None


def _says_something(results: Results) -> bool:
    """Whether there is more to it than a selection of nothing."""
    return results.cases.planned > 0 or any(provider.problem for provider in results.providers)


def _as_text(results: Results) -> str:
    import msgspec

    return msgspec.json.encode(results).decode() + "\n"


def _tidy(output: Path, *, worth_keeping: bool) -> None:
    """Point `reports/latest` at a run that is worth keeping; leave nothing of one that is not."""
    beside = REPORTS / f".latest-{os.getpid()}"
    with contextlib.suppress(OSError):  # a file system without links has none
        if worth_keeping:
            beside.symlink_to(output.name)
            beside.replace(REPORTS / "latest")
        else:
            (output / "results.json").unlink(missing_ok=True)
            output.rmdir()
    with contextlib.suppress(OSError):
        beside.unlink(missing_ok=True)


def _exit_status(status: int, reason: str, results: Results | None, output: Path, arguments: argparse.Namespace) -> int:
    if status == INTERRUPTED:
        tell("interrupted", f"what was finished is in {output}")
        return status
    if status == _PYTEST_USAGE:
        raise Stop("pytest does not take these arguments", "shutdown-conformance run --help", WRONG_USAGE)
    if results is None and reason:
        message, _, hint = reason.partition("\nhint: ")
        raise Stop(message, hint, status)
    if results is None:
        if status == 0:
            return 0  # --collect-only and the like
        raise Stop("the run ended without results", "what is said above tells why", NOTHING_JUDGED)
    if not _says_something(results):
        which = f"-k {arguments.expression!r}" if arguments.expression else "this selection"
        raise Stop(f"{which} selects no case", "give a part of a file, function or parameter", NOTHING_JUDGED)
    from conformance.reporting.gating import gate

    judged = gate(results).status
    # Whatever else pytest found wrong (a case file that cannot be read) must not pass.
    return judged if judged or not status else 1
