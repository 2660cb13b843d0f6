# SPDX-License-Identifier: MIT
"""For everyone: axe finds nothing, a phone's width is enough, hostile words stay words, no script and paper do too."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from conformance.reporting.page import render
from tests.browser.conftest import Opener
from tests.reporting.pages import HOSTILE_SHOWN, excused_run

OPENED = "#cell=kernel-tcp/IND-STREAM-01"


@pytest.mark.parametrize("fragment", ["", OPENED])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(visit: Opener, mixed: Path, fragment: str, width: int, dark: bool) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = visit(mixed, fragment, width=width, dark=dark)
    if "cell=" in fragment:
        page.locator("#panel .ladder svg").wait_for()
        page.get_by_text("The steps as a table").click()
    page.evaluate("for (const each of document.querySelectorAll('#page details')) each.open = true")
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("fragment", ["", OPENED])
def test_a_phone_scrolls_tables_sideways_and_never_the_page(visit: Opener, mixed: Path, fragment: str) -> None:
    page = visit(mixed, fragment, width=390, height=800)
    if fragment:
        page.locator("#panel .ladder svg").wait_for()
        assert page.evaluate("document.getElementById('panel').scrollWidth") <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_two_runs_compared_are_for_everyone_too(visit: Opener, difference_page: Path, width: int, dark: bool) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = visit(difference_page, width=width, dark=dark, script=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert HOSTILE_SHOWN in page.locator("main").inner_text()
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_ten_providers_on_a_phone_keep_their_headings(visit: Opener, large: Path) -> None:
    page = visit(large, width=390, height=800)
    box = page.locator("#box")
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    box.scroll_into_view_if_needed()
    before = page.locator("#cells tbody th .id").nth(30).bounding_box()
    head = page.locator("#cells thead .what").bounding_box()
    box.evaluate("box => box.scrollTo(200, 900)")
    after = page.locator("#cells tbody th .id").nth(30).bounding_box()
    assert before and after and before["x"] == after["x"] and before["y"] > after["y"]
    assert head == page.locator("#cells thead .what").bounding_box()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_ten_providers_open_at_once(visit: Opener, large: Path) -> None:
    began = time.perf_counter()
    page = visit(large)
    page.locator("#filters").wait_for()
    opened = time.perf_counter()
    page.locator("#cells a.cell.fail, #cells a.cell.pass").last.click()
    page.locator("#panel .ladder svg").wait_for()
    assert opened - began < 10  # 0.4 s on an idle machine
    assert time.perf_counter() - opened < 10


def test_headings_stay_while_a_wide_page_scrolls(visit: Opener, large: Path) -> None:
    page = visit(large, width=1600)
    page.locator("#cells tr[data-level]").nth(100).scroll_into_view_if_needed()
    head = page.locator("#cells thead .name").first.bounding_box()
    assert head and -1 <= head["y"] < 10


def test_hostile_words_stay_words(visit: Opener, hostile: Path) -> None:
    page = visit(hostile)
    for each in (page.locator(".seen a").first, page.locator("#cells tbody:last-of-type a.cell").first):
        each.click()
        page.locator("#panel-title").wait_for()
        assert HOSTILE_SHOWN in page.locator("#panel").inner_text()
        assert page.locator("img, iframe, object, embed").count() == 0
        page.keyboard.press("Escape")
        page.locator("#panel").wait_for(state="hidden")
    page.click("#cells a.cell.fail")
    page.locator("#panel .ladder svg").wait_for()
    assert HOSTILE_SHOWN.split(" ")[0] in "".join(page.locator("#panel .ladder text").all_text_contents())
    assert page.locator("script").count() == 4


def test_an_address_is_no_way_in(visit: Opener, mixed: Path) -> None:
    page = visit(
        mixed, "#text=<img src=x onerror=alert(1)>&cell=<img src=x onerror=alert(1)>/<script>alert(1)</script>"
    )
    page.locator("#panel .reason").wait_for()
    assert page.locator("img").count() == 0
    assert "<img src=x" in page.locator("#panel").inner_text()


def test_without_a_script_everything_red_is_readable(visit: Opener, mixed: Path) -> None:
    page = visit(mixed, script=False)
    assert "after the peer's graceful end, recv failed with ECONNRESET" in page.locator("main").inner_text()
    assert page.locator("#cells").is_visible()
    assert "Without JavaScript" in page.locator("main").inner_text()
    assert not page.locator("#filters").is_visible()


def test_on_paper_an_open_cell_is_its_evidence_alone(visit: Opener, mixed: Path, tmp_path: Path) -> None:
    page = visit(mixed, OPENED, width=760)
    page.locator("#panel .ladder svg").wait_for()
    page.emulate_media(media="print")
    assert not page.locator("#cells").is_visible()
    assert not page.get_by_role("slider").is_visible()
    ladder = page.locator("#panel .ladder svg").bounding_box()
    assert ladder and ladder["width"] <= 760
    assert page.pdf(format="A4").count(b"/Type /Page\n") in range(1, 5)


def test_on_paper_the_whole_report_has_no_controls(visit: Opener, mixed: Path) -> None:
    page = visit(mixed, width=760)
    page.emulate_media(media="print")
    assert page.locator("#cells").is_visible()
    for control in ("nav", "#filters select", ".chip"):
        assert not page.locator(control).first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 760


def test_what_is_excused_looks_so_and_says_so(visit: Opener, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    report.write_text(render(excused_run(tmp_path), tmp_path), encoding="utf-8")
    page = visit(report, "#verdict=fail")
    cell = page.locator("#cells tr:visible a.cell.fail.excused").first
    assert cell.evaluate("cell => getComputedStyle(cell).borderTopStyle") == "solid"
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page.evaluate("for (const each of document.querySelectorAll('#page details')) each.open = true")
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    cell.click()
    page.locator("#panel .reason", has_text="Excused by the baseline: known & watched (net <team>").wait_for()
