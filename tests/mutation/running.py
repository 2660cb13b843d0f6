# SPDX-License-Identifier: MIT
"""Tests run until one fails: those that one pytest has collected, or, where all is loaded anew, all that there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

OPTIONS = (
    *("-x", "--no-header", "--tb=no", "--assert=plain", "-ofaulthandler_timeout=0"),
    *(f"-pno:{plugin}" for plugin in ("cacheprovider", "unraisableexception", "hypothesispytest")),
    *("-pno:shutdown-conformance", "-pno:xdist", "-pno:allure_pytest"),
)
"""What keeps pytest quick, and to itself."""


@dataclass(frozen=True)
class Place:
    """The code that mutants are made of, and the tests that are to notice, as folders of the current one."""

    code: Path
    tests: Path

    def modules(self) -> list[Path]:
        """The modules that are changed."""
        return sorted(self.code.glob("*.py"))


def run(items: Sequence[pytest.Item], begin: Callable[[pytest.Item], object] = lambda item: None) -> str:
    """Run tests until one fails, and return its name, or ""."""
    if not items:
        return ""
    first, plugins = _FirstFailure(), items[0].config.pluginmanager
    following: Iterable[pytest.Item | None] = (*items[1:], None)
    plugins.register(first)
    for item, next_item in zip(items, following, strict=True):
        begin(item)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=next_item)
        if first.name:
            break
    plugins.unregister(first)
    return first.name


def run_files(files: Sequence[str]) -> str:
    """The same for all the tests in files or folders, collected now."""
    first = _FirstFailure()
    status = pytest.main([*OPTIONS, *files], plugins=[first])
    return "" if status == pytest.ExitCode.OK else first.name or "no start"


class _FirstFailure:
    """A plugin of pytest that keeps the name of what failed first: a test, or a file that could not be collected."""

    name = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase of a test ended."""
        if report.failed:
            self.name = self.name or report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file was collected."""
        if report.failed:
            self.name = self.name or report.nodeid
