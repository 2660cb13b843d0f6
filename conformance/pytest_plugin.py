# SPDX-License-Identifier: MIT
"""The suite is a pytest suite: options, fixtures, and the hooks that run cases ahead of their turn and keep results.

pytest loads this module in every session of an environment where the suite is installed, so it is light, and does
nothing unless the session's ini file says `shutdown_conformance = true`, as that of the cases does. The work is done
by `conformance.session.runner`.
"""

from __future__ import annotations

import argparse

import pytest

_INI = "shutdown_conformance"
_FOR_CASES = ("--provider", "--topology", "--shutdown-output", "--shutdown-baseline")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the suite, and the ini key that turns it on."""
    group = parser.getgroup("shutdown-conformance")
    group.addoption(
        "--provider",
        action="append",
        default=[],
        metavar="NAME|FILE.toml",
        help="the implementation to test; may be given several times (default: the kernel's own sockets)",
    )
    topologies = "loopback, wire, veth, host or remote (default: remote for a profile that names a link, else loopback)"
    group.addoption("--topology", default="", metavar="T", help=topologies)
    # Not just --output: other plugins in the same environment have an option of that name.
    group.addoption("--shutdown-output", default="", metavar="DIR", help="where results go (default: reports/…)")
    group.addoption("--shutdown-baseline", default="", metavar="FILE", help="failures that are excused (TOML)")
    group.addoption(
        "--shutdown-update-baseline", action="store_true", help="write that file anew, so that it fits this run"
    )
    group.addoption("--shutdown-run", action="store_true", help=argparse.SUPPRESS)
    group.addoption("--shutdown-unprepared", action="append", default=[], help=argparse.SUPPRESS)
    group.addoption("--shutdown-json", action="store_true", help=argparse.SUPPRESS)
    # What `shutdown-conformance mutants` asks for, and the negative control of a run if it is to be another one.
    group.addoption("--shutdown-mutant", action="append", default=[], help=argparse.SUPPRESS)
    group.addoption("--shutdown-mutants", default="", help=argparse.SUPPRESS)
    group.addoption("--shutdown-all", action="store_true", help=argparse.SUPPRESS)
    group.addoption("--shutdown-demand", help=argparse.SUPPRESS)
    group.addoption("--shutdown-control", default="", help=argparse.SUPPRESS)
    parser.addini(_INI, "this folder holds cases of the shutdown conformance suite", type="bool", default=False)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the marks, and the suite itself where it is asked for; last, when pytest's own reporter is there."""
    if not config.getini(_INI):
        _refuse_options_of_ours(config)
        return
    marks = ("exercises(*ids)", "on(topology)", "peer(provider)", "waits(seconds)", "where(*conditions)")
    for mark in (*marks, "probes(*claims)", "both_roles", "thorough"):
        config.addinivalue_line("markers", f"{mark}: see conformance.execution.casework")
    from conformance.session.runner import register

    register(config)


def _refuse_options_of_ours(config: pytest.Config) -> None:
    """Say why there are no cases, where there should be some: pytest has read another configuration than theirs.

    It looks for one above every word that is a path, and before it knows our options also above their values.
    """
    if any(config.getoption(option) for option in _FOR_CASES):
        read = f"pytest has read {config.inipath}" if config.inipath else "pytest has read no configuration"
        hint = "name nothing but cases, and join each option to its value, as in --provider=FILE.toml"
        raise pytest.UsageError(f"{read}, and not the pytest.ini of the suite's cases\nhint: {hint}")


@pytest.fixture
def connection() -> None:
    """Two connected ends. The suite itself gives the case its value when it runs it, ahead of its turn."""


@pytest.fixture
def ends() -> None:
    """Two ends that are not connected; given like `connection`."""
