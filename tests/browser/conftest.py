# SPDX-License-Identifier: MIT
"""A real browser that looks at reports, as they are opened: from disk. Where there is none, its tests are skipped."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance import __version__
from conformance.catalogue import catalogue
from conformance.reporting.comparing import compare
from conformance.reporting.killmatrix import KillMatrix
from conformance.reporting.page import difference, mutants, render
from conformance.reporting.results import Results, Suite
from tests.reporting.kills import hostile_matrix, large_matrix, mixed_matrix
from tests.reporting.pages import HOSTILE, hostile_run, large_run, mixed_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

_NAMES = ("chromium", "chromium-browser", "google-chrome", "/usr/bin/chromium")
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Visit:
    """A page in the browser, and what it complained of or asked for besides itself."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def refuse(self, dialog: Dialog) -> None:
        """No page opens one; where a test expects that to be tried, it has to end."""
        self.complaints.append(dialog.message)
        dialog.dismiss()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium on the PATH, nor at /usr/bin/chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_QUIET))
        yield browser
        browser.close()


@dataclass
class Opener:
    """Opens a report at a fragment, in a window of its own."""

    browser: Browser
    visits: list[Visit] = field(default_factory=list)

    def __call__(
        self,
        report: Path,
        fragment: str = "",
        *,
        width: int = 1280,
        height: int = 900,
        dark: bool = False,
        script: bool = True,
    ) -> Page:
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        context.set_default_timeout(30_000)
        visit = Visit(context.new_page())
        visit.page.on("console", lambda said: visit.complaints.append(said.text))
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        visit.page.on("dialog", visit.refuse)
        visit.page.on("request", lambda request: visit.requests.append(request.url))
        visit.page.goto(report.as_uri() + fragment)
        self.visits.append(visit)
        return visit.page


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Opener]:
    """Open a report. After the test: it complained of nothing, and asked for nothing but itself."""
    opener = Opener(chromium)
    yield opener
    for each in opener.visits:
        each.page.context.close()
        assert each.complaints == []
        assert {url.partition("#")[0] for url in each.requests if not url.startswith("data:")} == {
            each.requests[0].partition("#")[0]
        }


def _report(directory: Path, results: Results) -> Path:
    report = directory / "report.html"
    report.write_text(render(results, directory), encoding="utf-8")
    return report


@pytest.fixture(scope="package")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("mixed")
    return _report(directory, mixed_run(directory))


@pytest.fixture(scope="package")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("hostile")
    return _report(directory, hostile_run(directory))


@pytest.fixture(scope="package")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("large")
    return _report(directory, large_run(directory))


def _matrix(directory: Path, matrix: KillMatrix) -> Path:
    page = directory / "mutants.html"
    page.write_text(mutants.render(matrix, Suite(__version__, catalogue.digest()), directory), encoding="utf-8")
    return page


@pytest.fixture(scope="package")
def mutants_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kill matrix with one of everything."""
    return _matrix(tmp_path_factory.mktemp("mutants"), mixed_matrix())


@pytest.fixture(scope="package")
def hostile_mutants_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _matrix(tmp_path_factory.mktemp("mutants"), hostile_matrix())


@pytest.fixture(scope="package")
def many_mutants_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 mutants, 100 requirements."""
    return _matrix(tmp_path_factory.mktemp("mutants"), large_matrix())


@pytest.fixture(scope="package")
def difference_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs compared that differ in everything, each word hostile."""
    directory = tmp_path_factory.mktemp("difference")
    compared = compare(mixed_run(directory / "before"), hostile_run(directory / "now"), (HOSTILE, "now"))
    page = directory / "difference.html"
    page.write_text(difference.render(compared), encoding="utf-8")
    return page
