# SPDX-License-Identifier: MIT
"""The filters of the matrix: what they show, that the address keeps them, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.catalogue import catalogue
from conformance.catalogue.requirement import Level
from tests.browser.conftest import Opener

if TYPE_CHECKING:
    from playwright.sync_api import Page


def shown(page: Page) -> list[str]:
    return page.locator("#cells tr[data-level]:visible .id").all_inner_texts()


def fragment(page: Page) -> str:
    return page.url.partition("#")[2]


def test_at_first_everything_is_shown(visit: Opener, mixed: Path) -> None:
    page = visit(mixed)
    assert shown(page) == list(catalogue.load())
    assert page.locator("#shown").inner_text() == f"{len(catalogue.load())} requirements"


def test_by_verdict(visit: Opener, mixed: Path) -> None:
    page = visit(mixed)
    page.locator(".chip.deviation").click()
    assert shown(page) == ["IND-STREAM-05"]
    assert fragment(page) == "verdict=deviation"
    page.locator(".chip.error").click()
    assert "INIT-SHUT-01" in shown(page) and "IND-STREAM-05" in shown(page)
    assert page.locator("#shown").inner_text() == f"{len(shown(page))} of {len(catalogue.load())} requirements shown"
    assert page.locator("#cells tr:visible .cell.deviation:not(.other)").count() == 1
    assert page.locator("#cells tr:visible .cell.not-applicable.other").count() >= 1


def test_by_group_and_level(visit: Opener, mixed: Path) -> None:
    page = visit(mixed)
    page.get_by_label("Group").select_option("D")
    page.get_by_label("Level").select_option("optional")
    wanted = [r.id for r in catalogue.load().group("D") if r.level is Level.OPTIONAL]
    assert shown(page) == wanted
    assert fragment(page) == "group=D&level=optional"
    assert page.locator("#cells tr.group:visible").count() == 1


def test_by_text(visit: Opener, mixed: Path) -> None:
    page = visit(mixed)
    page.get_by_label("Text").fill("SD_SEND established")
    assert shown(page) == ["INIT-SHUT-01"]
    assert fragment(page) == "text=SD_SEND%20established"
    page.get_by_label("Text").fill("no link is visible")
    assert shown(page) == ["IND-ABORT-01"]


def test_only_where_providers_differ(visit: Opener, mixed: Path) -> None:
    page = visit(mixed)
    page.get_by_label("only where providers differ").check()
    rows = page.locator("#cells tr[data-level]:visible")
    assert 0 < rows.count() < len(catalogue.load())
    for row in rows.all():
        first, second = row.locator(".cell").all_text_contents()
        assert first != second
    assert fragment(page) == "differ=yes"


def test_an_address_brings_its_filters_along(visit: Opener, mixed: Path) -> None:
    page = visit(mixed, "#verdict=deviation,fail&group=B&text=a%20receive")
    assert page.locator("[name=verdict]:checked").count() == 2
    assert page.get_by_label("Group").input_value() == "B"
    assert page.get_by_label("Text").input_value() == "a receive"
    assert "IND-STREAM-01" in shown(page)
    assert len(shown(page)) < 10


def test_back_and_forward_go_through_what_was_chosen(visit: Opener, mixed: Path) -> None:
    page = visit(mixed)
    page.get_by_label("Group").select_option("D")
    page.get_by_label("Group").select_option("E")
    page.go_back()
    page.wait_for_function("document.querySelector('[name=group]').value === 'D'")
    assert fragment(page) == "group=D"
    page.go_back()
    page.wait_for_function("document.querySelector('[name=group]').value === ''")
    assert len(shown(page)) == len(catalogue.load())
    page.go_forward()
    page.wait_for_function("document.querySelector('[name=group]').value === 'D'")


def test_where_nothing_matches_there_is_a_way_back(visit: Opener, mixed: Path) -> None:
    page = visit(mixed, "#text=there+is+no+such+thing")
    assert shown(page) == []
    nothing = page.locator("#nothing")
    assert "Nothing matches" in nothing.inner_text()
    assert not page.locator("#box").is_visible()
    nothing.get_by_role("button", name="Show all").click()
    assert len(shown(page)) == len(catalogue.load())
    assert fragment(page) == ""


def test_show_all_beside_the_count(visit: Opener, mixed: Path) -> None:
    page = visit(mixed, "#group=D&differ=yes")
    page.locator("#filters").get_by_role("button", name="Show all").click()
    assert len(shown(page)) == len(catalogue.load())
    assert page.locator("[name=differ]:checked").count() == 0


def test_filters_stay_while_a_cell_is_open(visit: Opener, mixed: Path) -> None:
    page = visit(mixed, "#group=B")
    page.click("#cells a[href='#cell=mine/IND-MSG-01']")
    page.locator("#panel-title").wait_for()
    assert fragment(page) == "group=B&cell=mine/IND-MSG-01"
    page.keyboard.press("Escape")
    page.locator("#panel").wait_for(state="hidden")
    assert fragment(page) == "group=B"


@pytest.mark.parametrize("fragment_", ["statements", "main"])
def test_places_of_the_page_are_no_filters(visit: Opener, mixed: Path, fragment_: str) -> None:
    page = visit(mixed, "#group=D")
    page.evaluate(f"location.hash = '{fragment_}'")
    assert set(shown(page)) == {r.id for r in catalogue.load().group("D")}
