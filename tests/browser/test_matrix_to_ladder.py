# SPDX-License-Identifier: MIT
"""From the matrix to a ladder and back, by mouse and by keyboard; and what the ladder shows."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Opener
from tests.reporting.pages import UNITS
from tests.reporting.runs import BAD, GOOD

if TYPE_CHECKING:
    from playwright.sync_api import Page

CELL = "#cells a[href='#cell=kernel-tcp/IND-STREAM-01']"


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.getAttribute('href') ?? document.activeElement.id"))


def heights(page: Page) -> float:
    return float(page.locator("#panel .ladder svg").get_attribute("height") or 0)


def test_there_and_back_by_mouse(visit: Opener, mixed: Path) -> None:
    page = visit(mixed)
    page.click(CELL)
    panel = page.locator("#panel")
    panel.locator(".ladder svg").wait_for()
    for said in (
        "On a byte stream, a receive that reaches the peer's graceful end",
        "Winsock SPI, Connection Shutdown",
        "ZERO_BYTES",
        "after the peer's graceful end, recv failed with ECONNRESET",
        BAD,
        "matched in 1 case",
        "shutdown-conformance run --provider kernel-tcp",
    ):
        assert said in panel.inner_text()
    assert "#cell=kernel-tcp/IND-STREAM-01" in page.url
    page.get_by_role("button", name="Back to the matrix").click()
    panel.wait_for(state="hidden")
    assert focused(page) == "#cell=kernel-tcp/IND-STREAM-01"
    assert "cell=" not in page.url


def test_there_and_back_by_keyboard(visit: Opener, mixed: Path) -> None:
    page = visit(mixed)
    page.locator("#cells a.cell").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert focused(page) == "#cell=mine/INIT-SHUT-02"
    page.keyboard.press("Home")
    page.keyboard.press("PageDown")
    page.keyboard.press("ArrowUp")
    assert focused(page).startswith("#cell=kernel-tcp/INIT-SHUT-")
    here = focused(page)
    page.keyboard.press("Enter")
    page.locator("#panel-title").wait_for()
    assert focused(page) == "panel"
    assert page.evaluate("document.getElementById('page').inert")
    page.keyboard.press("Escape")
    page.locator("#panel").wait_for(state="hidden")
    assert focused(page) == here


def test_one_tab_stop_leads_into_the_matrix(visit: Opener, mixed: Path) -> None:
    page = visit(mixed)
    assert page.locator("#cells a.cell[tabindex='0']").count() == 1
    assert page.locator("#cells a.cell:not([tabindex])").count() == 0


def test_the_browsers_own_back_and_forward(visit: Opener, mixed: Path) -> None:
    page = visit(mixed)
    page.click(CELL)
    page.locator("#panel .ladder svg").wait_for()
    page.locator("#panel .cases a", has_text="5-shutdown-send").click()
    page.locator("#panel .case h3", has_text=GOOD).wait_for()
    page.go_back()
    page.locator("#panel").wait_for(state="hidden")
    assert focused(page) == "#cell=kernel-tcp/IND-STREAM-01"
    page.go_forward()
    page.locator("#panel .case h3", has_text=GOOD).wait_for()


def test_a_link_to_a_cell_and_a_case_opens_there(visit: Opener, mixed: Path) -> None:
    page = visit(mixed, f"#group=B&cell=kernel-tcp/IND-STREAM-01&case={GOOD.replace('[', '%5B')}")
    page.locator("#panel .case h3", has_text=GOOD).wait_for()
    page.keyboard.press("Escape")
    page.locator("#panel").wait_for(state="hidden")
    assert page.url.endswith("#group=B")
    assert focused(page) == "#cell=kernel-tcp/IND-STREAM-01"


@pytest.mark.parametrize("cell", ["nobody/IND-STREAM-01", "mine/NO-SUCH", "mine", "/", "%", "mine/%E0%A4%A"])
def test_a_link_to_nothing_says_so(visit: Opener, mixed: Path, cell: str) -> None:
    page = visit(mixed, f"#cell={cell}")
    if "/" in cell:
        assert "no" in page.locator("#panel .reason").inner_text()
        page.keyboard.press("Escape")
        page.locator("#panel").wait_for(state="hidden")
    assert page.locator("#cells").is_visible()


def test_every_failure_at_the_top_leads_to_its_cell(visit: Opener, mixed: Path) -> None:
    page = visit(mixed)
    page.locator(".seen a.provider").first.click()
    page.locator("#panel-title").wait_for()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.className") == "provider"


def test_among_many_cases_one_is_found(visit: Opener, mixed: Path) -> None:
    page = visit(mixed, "#cell=mine/IND-MSG-01")
    cases = page.locator("#panel .cases li:visible")
    cases.first.wait_for()
    assert cases.count() == 13
    page.get_by_label("Find a case").fill("11")
    assert cases.count() == 1
    cases.locator("a").click()
    page.locator("#panel .case h3", has_text="test_many[11]").wait_for()
    assert page.locator("#panel .cases a[aria-current]").count() == 1


# --- the ladder -----------------------------------------------------------------------------------------------------


def test_what_a_finding_rests_on_is_highlighted(visit: Opener, mixed: Path) -> None:
    page = visit(mixed, "#cell=kernel-tcp/IND-STREAM-01")
    page.locator("#panel .ladder svg").wait_for()
    assert page.locator("#panel .ladder .band").count() >= 2
    marked = " ".join(page.locator("#panel .ladder .marked").all_text_contents())
    assert "FIN" in marked and "ECONNRESET" in marked and "send" not in marked


def test_calls_are_bars_and_what_the_suite_did_is_marked(visit: Opener, mixed: Path) -> None:
    page = visit(mixed, "#cell=kernel-tcp/WIRE-FIN-05")
    svg = page.locator("#panel .ladder svg")
    svg.wait_for()
    if svg.locator(".arrow.fate-held").count() == 0:
        page.locator("#panel .cases a").first.click()
    for fate in ("held", "dropped", "repeated"):
        assert svg.locator(f".fate-{fate} .by").count() == 1
    assert svg.locator(".call.open").count() == 1
    bars = [float(bar.get_attribute("height") or 0) for bar in svg.locator(".call").all()]
    assert max(bars) > 60
    assert svg.locator("path.told").count() == 1
    for words in ("held back by the suite", "dropped by the suite", "repeated by the suite"):
        assert words in page.locator("#panel .key").inner_text()


def test_units_are_arrows_too(visit: Opener, mixed: Path) -> None:
    page = visit(mixed, f"#cell=mine/IND-MSG-01&case={UNITS}")
    page.locator("#panel .ladder .arrow.unit", has_text="RELEASE 4 octets").wait_for()


def test_the_slider_goes_from_in_order_to_scale(visit: Opener, mixed: Path) -> None:
    page = visit(mixed, "#cell=kernel-tcp/IND-STREAM-01")
    slider = page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")
    assert (slider.get_attribute("aria-valuetext") or "").startswith("in order")
    least = heights(page)
    page.keyboard.press("End")
    assert (slider.get_attribute("aria-valuetext") or "").startswith("to scale")
    assert heights(page) > least
    assert page.locator("#panel output").inner_text() == slider.get_attribute("aria-valuetext")
    page.keyboard.press("ArrowLeft")
    assert least <= heights(page)


def test_to_scale_the_same_time_is_the_same_length(visit: Opener, mixed: Path) -> None:
    page = visit(mixed, "#cell=kernel-tcp/IND-STREAM-01")
    page.get_by_role("slider").focus()
    page.keyboard.press("End")
    times = "#panel .ladder g > text[x='66']"
    places = page.eval_on_selector_all(
        times, "all => all.slice(1).map((text) => [Number(text.textContent), text.parentNode.getBBox().y, "
        "Number(text.getAttribute('y')) - (text.parentNode.querySelector('.arrow') ? 0 : 4)])",
    )  # fmt: skip
    lengths = [(b[2] - a[2]) / (b[0] - a[0]) for a, b in itertools.pairwise(places) if b[0] - a[0] > 0.5]
    assert len(lengths) > 4
    assert max(lengths) - min(lengths) < 0.05 * max(lengths)


def test_the_picture_has_a_name_and_its_steps_are_a_table(visit: Opener, mixed: Path) -> None:
    page = visit(mixed, "#cell=kernel-tcp/IND-STREAM-01")
    page.get_by_role("img", name=f"Ladder of {BAD}").wait_for()
    page.get_by_text("The steps as a table").click()
    table = page.locator("#panel table.steps")
    assert "FIN ACK seq=6 ack=1 len=0" in table.inner_text()
    assert table.locator("tr.marked").count() == page.locator("#panel .ladder .band").count()


def test_evidence_that_is_missing_is_told(visit: Opener, mixed: Path) -> None:
    page = visit(mixed, "#cell=kernel-tcp/IND-STREAM-05")
    page.locator("#panel .reason", has_text="No ladder: the results do not tell where").wait_for()
    assert page.locator("#panel .ladder").count() == 0


def test_the_trace_can_be_fetched(visit: Opener, mixed: Path) -> None:
    page = visit(mixed, "#cell=kernel-tcp/IND-STREAM-01")
    link = page.get_by_role("link", name="trace (.jsonl)")
    address = link.evaluate("link => link.href")
    assert Path(address.removeprefix("file://")).is_file()
    assert page.get_by_role("link", name="packets").count() == 0


def test_the_command_is_copied(visit: Opener, mixed: Path) -> None:
    page = visit(mixed, "#cell=kernel-tcp/IND-STREAM-01")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#panel .again code").inner_text()
