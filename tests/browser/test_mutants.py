# SPDX-License-Identifier: MIT
"""The page of the kill matrix in a browser: for everyone, filtered, moved over by keys, at once however large."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.conftest import Opener
from tests.reporting.pages import HOSTILE_SHOWN

UNFOLDED = "for (const each of document.querySelectorAll('details')) each.open = true"


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(visit: Opener, mutants_page: Path, width: int, dark: bool) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = visit(mutants_page, width=width, dark=dark)
    page.evaluate(UNFOLDED)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", [1280, 390])
def test_hostile_words_stay_words_and_in_their_place(visit: Opener, hostile_mutants_page: Path, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = visit(hostile_mutants_page, width=width)
    page.evaluate(UNFOLDED)
    assert HOSTILE_SHOWN in page.locator("main").inner_text()
    assert page.locator("img, iframe, object, embed").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_mark_leads_to_its_mutant(visit: Opener, mutants_page: Path) -> None:
    page = visit(mutants_page)
    page.get_by_role("link", name="missed: INIT-CLOSE-01, close_resets").click()
    entry = page.locator("article:target")
    assert "close_resets" in entry.inner_text()
    assert entry.locator("h3").bounding_box()["y"] < 900  # type: ignore[index]


def shown(page: object, selector: str) -> list[str]:
    found = page.locator(f"#cells {selector}").evaluate_all(  # type: ignore[attr-defined]
        "all => all.filter((each) => each.offsetParent).map((each) => each.textContent.trim())"
    )
    return list(found)


def test_filters_by_mutant_leave_what_it_has_to_do_with(visit: Opener, mutants_page: Path) -> None:
    page = visit(mutants_page)
    page.get_by_label("Mutant", exact=True).fill("RESET_told  reference")
    assert shown(page, ".name .words") == ["reset_told_as_end"]
    assert shown(page, "tr[data-id] .id") == ["IND-ABORT-01", "IND-ABORT-02"]
    assert page.locator("article.mutant:visible").count() == 1
    assert page.locator("#shown").inner_text() == "1 of 6 mutants, 2 of 8 requirements shown"
    assert page.url.endswith("#mutant=RESET_told++reference")
    page.get_by_role("button", name="Show all").click()
    assert len(shown(page, ".name .words")) == 6


def test_filters_by_requirement_and_by_what_became_of_them(visit: Opener, mutants_page: Path) -> None:
    page = visit(mutants_page, "#requirement=IND-ABORT")
    assert shown(page, ".name .words") == ["reset_told_as_end", "rst_as_fin"]
    page.get_by_text("survived", exact=False).locator("visible=true").and_(page.locator("label")).click()
    assert shown(page, ".name .words") == ["reset_told_as_end"]
    page.go_back()
    assert shown(page, ".name .words") == ["reset_told_as_end", "rst_as_fin"]


def test_only_what_is_not_covered(visit: Opener, mutants_page: Path) -> None:
    page = visit(mutants_page)
    page.get_by_label("only what is not covered").check()
    assert shown(page, "tr[data-id] .id") == ["INIT-CLOSE-01", "IND-STREAM-02", "IND-ABORT-01", "WIRE-FIN-01"]
    assert "end_not_told" not in shown(page, ".name .words")


def test_a_requirement_that_no_mutant_is_made_for_is_found(visit: Opener, mutants_page: Path) -> None:
    page = visit(mutants_page, "#requirement=IND-STREAM-02")
    assert shown(page, "tr[data-id] .id") == ["IND-STREAM-02"]
    assert page.locator("#box").is_visible()


def test_what_matches_nothing_says_so(visit: Opener, mutants_page: Path) -> None:
    page = visit(mutants_page, "#mutant=no-such&requirement=<img src=x onerror=alert(1)>")
    assert page.locator("#nothing").is_visible() and not page.locator("#box").is_visible()
    page.locator("#nothing button").click()
    assert page.locator("#box").is_visible()


def test_a_link_to_a_mutant_that_is_filtered_away_leads_there(visit: Opener, mutants_page: Path) -> None:
    page = visit(mutants_page, "#mutant=reset_told")
    page.locator("#requirements summary, details summary", has_text="Each requirement with its mutants").click()
    page.locator("table.by a", has_text="close_resets").click()
    assert "close_resets" in page.locator("article:target").inner_text()
    assert page.locator("article:target").is_visible()


def test_arrow_keys_move_from_mark_to_mark(visit: Opener, mutants_page: Path) -> None:
    page = visit(mutants_page)
    focused = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
    assert page.locator("#cells a[tabindex='0']").count() == 1
    page.get_by_role("link", name="in part: IND-ABORT-02, reset_told_as_end").focus()
    page.keyboard.press("ArrowUp")
    assert page.evaluate(focused) == "also caught: IND-ABORT-01, reset_told_as_end"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == "also caught: IND-ABORT-01, rst_as_fin"
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == "missed: WIRE-ABRT-01, rst_as_fin"
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == "missed: WIRE-ABRT-01, rst_as_fin"
    assert page.locator("#cells .name.here .words").inner_text() == "rst_as_fin"


@pytest.mark.parametrize("width", [1280, 390])
def test_headings_stay_however_far_it_is_scrolled(visit: Opener, many_mutants_page: Path, width: int) -> None:
    page = visit(many_mutants_page, width=width)
    box = page.locator("#box")
    box.scroll_into_view_if_needed()
    name, row = page.locator("#cells .name").nth(60), page.locator("#cells tr[data-id] th").nth(50)
    before = name.bounding_box(), row.bounding_box()
    box.evaluate("box => box.scrollTo(700, 900)")
    after = name.bounding_box(), row.bounding_box()
    assert all((*before, *after))
    assert before[0]["y"] == after[0]["y"] and before[0]["x"] > after[0]["x"]  # type: ignore[index]
    assert before[1]["x"] == after[1]["x"] and before[1]["y"] > after[1]["y"]  # type: ignore[index]
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_a_script_all_of_it_is_there(visit: Opener, mutants_page: Path) -> None:
    page = visit(mutants_page, script=False)
    assert page.locator("#cells").is_visible() and not page.locator("#filters").is_visible()
    assert "Without JavaScript" in page.locator("main").inner_text()
    page.get_by_role("link", name="in part: IND-ABORT-02, reset_told_as_end").click()
    assert "it was told 0 bytes" in page.locator("article:target").inner_text()


def test_on_paper_many_mutants_are_lists(visit: Opener, many_mutants_page: Path, mutants_page: Path) -> None:
    for report, wide in ((many_mutants_page, True), (mutants_page, False)):
        page = visit(report, width=760)
        page.emulate_media(media="print")
        assert page.locator("#cells").is_visible() is not wide
        for control in ("nav", "#filters .chip", ".again"):
            assert not page.locator(control).first.is_visible()
        assert page.locator("table.by").first.is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 760
