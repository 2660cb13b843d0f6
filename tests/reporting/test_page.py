# SPDX-License-Identifier: MIT
"""The page of a run, as it stands in the file: what is said at once, what can never be said, and how large it is."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from html import unescape
from pathlib import Path

import msgspec
import pytest

from conformance.catalogue import catalogue
from conformance.oracle.findings import Conclusion
from conformance.oracle.verdicts import Verdict
from conformance.reporting.gating import gate
from conformance.reporting.page import render
from conformance.reporting.page.looks import LOOKS
from conformance.reporting.page.packing import packed
from conformance.reporting.results import Results
from tests.oracle.story import UNIX_STREAM
from tests.reporting.pages import FOUND, HOSTILE, HOSTILE_SHOWN, excused_run, hostile_run, large_run, mixed_run
from tests.reporting.reader import Reader
from tests.reporting.runs import BAD, case, finding, kept_run, provider, results_of


def cells(page: str) -> list[dict[str, str | None]]:
    return [attributes for _, attributes in Reader(page).elements if "cell" in (attributes.get("class") or "").split()]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, str]:
    directory = tmp_path_factory.mktemp("mixed")
    results = mixed_run(directory)
    return results, render(results, directory)


def test_the_top_says_what_was_tested_and_what_came_of_it(mixed: tuple[Results, str]) -> None:
    results, page = mixed
    text = Reader(page).text
    assert gate(results).sentence in text
    for part in ("linux-tcp 6.18 (kernel)", "agent python-socket 1.0", "posix, tcp, linux", "graceful close"):
        assert part in text
    assert "not told by its agent" in text
    assert f"Suite {results.suite.version}" in text
    assert results.suite.catalogue in text
    assert "Linux" in text and "Python 3.11" in text
    assert "1 contradiction" in text


def test_every_failure_tells_what_was_required_and_what_was_seen(mixed: tuple[Results, str]) -> None:
    results, page = mixed
    reader = Reader(page)
    links = [attributes.get("href") for attributes in reader.named("a")]
    for each in results.providers:
        for row in each.requirements:
            if row.verdict in (Verdict.FAIL, Verdict.ERROR):
                assert catalogue.load()[row.id].statement in reader.text
                assert row.cases[0].findings[0].because in reader.text
                assert f"#cell={each.name}/{row.id}" in links
    assert "1 of 2 cases" in reader.text


def test_deviations_and_what_is_inconclusive_are_there_too(mixed: tuple[Results, str]) -> None:
    text = Reader(mixed[1]).text
    assert "it did otherwise" in text
    assert "no link is visible" in text


def test_every_requirement_has_a_cell_for_every_provider(mixed: tuple[Results, str]) -> None:
    results, page = mixed
    found = cells(page)
    assert len(found) == len(catalogue.load()) * len(results.providers)
    for each in results.providers:
        for row in each.requirements:
            (cell,) = [c for c in found if c.get("href") == f"#cell={each.name}/{row.id}"]
            assert str(row.verdict) in (cell["class"] or "").split()
            assert cell["aria-label"] == f"{LOOKS[row.verdict].words}: {row.id}, {each.name}"
            assert row.reason in (cell.get("title") or "")


def test_no_two_verdicts_look_alike() -> None:
    assert set(LOOKS) == set(Verdict)
    assert len({look.sign for look in LOOKS.values()}) == len(Verdict)


def test_statement_and_what_was_not_tested(mixed: tuple[Results, str]) -> None:
    text = Reader(mixed[1]).text
    assert text.index("GRACEFUL_CLOSE claimed yes found none: a reset shown by a, and 1 more case") > 0
    assert text.index("none: a reset") < text.index("Only claimed")
    assert "EXPEDITED_DATA" in text
    assert "no case reached it" in text
    assert "not claimed: DISCONNECT_DATA" in text
    assert "35 ms" in text and "0.5 ms" in text


@pytest.mark.parametrize("several", [True, False])
def test_where_providers_differ_is_asked_only_of_several(tmp_path: Path, several: bool) -> None:
    results = results_of(providers=[provider("one"), provider("two")] if several else [provider("one")], planned=1)
    assert ("only where providers differ" in render(results, tmp_path)) is several


def test_an_open_gate_has_nothing_red(tmp_path: Path) -> None:
    page = render(results_of(case("one", finding("IND-STREAM-01", Conclusion.SATISFIED))), tmp_path)
    assert "The gate is open: nothing failed" in page
    assert "Why is it red?" not in page


def test_a_provider_that_could_not_be_tested_says_why_once(tmp_path: Path) -> None:
    results = results_of(providers=[provider("mine", UNIX_STREAM, problem="no such agent\n  hint: build it")])
    text = Reader(render(results, tmp_path)).text
    assert "This provider could not be tested. no such agent hint: build it" in text
    assert text.count("hint: build it") == 1


def test_a_run_that_was_cut_short_says_so(tmp_path: Path) -> None:
    good = case("one", finding("IND-STREAM-01", Conclusion.SATISFIED))
    assert "The run was cut short: 1 of 4 cases ran." in Reader(render(results_of(good, planned=4), tmp_path)).text
    assert "The run was cut short" not in Reader(render(results_of(good), tmp_path)).text


def test_no_provider_at_all(tmp_path: Path) -> None:
    results = msgspec.structs.replace(results_of(), providers=())
    text = Reader(render(results, tmp_path)).text
    assert "No provider: nothing was tested." in text
    assert "Nothing could be judged: no case ran." in text


def test_results_of_another_version_have_unknown_rows_and_missing_ones(tmp_path: Path) -> None:
    results = results_of(planned=1)
    rows = results.providers[0].requirements
    renamed = (msgspec.structs.replace(rows[0], id="NEW-ROW-99", verdict=Verdict.FAIL), *rows[1:])
    suite = msgspec.structs.replace(results.suite, version="9.9", catalogue="sha256:0")
    changed = msgspec.structs.replace(results.providers[0], requirements=renamed)
    page = render(msgspec.structs.replace(results, suite=suite, providers=(changed,)), tmp_path)
    text = Reader(page).text
    assert "made with suite 9.9 and another catalogue" in text
    assert "NEW-ROW-99 Not in the catalogue of this suite" in text
    (empty,) = [cell for cell in cells(page) if "none" in (cell["class"] or "").split()]
    assert "no row for it" in (empty["title"] or "")


# --- a baseline -----------------------------------------------------------------------------------------------------


def test_what_a_baseline_excuses_is_not_red_and_not_hidden(tmp_path: Path) -> None:
    results = excused_run(tmp_path)
    page = render(results, tmp_path)
    text = Reader(page).text
    assert gate(results).is_open
    assert "Why is it red?" not in text
    assert "excused: known & watched (net <team>, until 2030-07-15)" in text
    assert "recv failed with ECONNRESET" in text
    assert "base.toml, as of 2030-06-15 (UTC)" in text
    failing = [cell for cell in cells(page) if "fail" in (cell["class"] or "").split()]
    assert failing
    for cell in failing:
        assert "excused" in (cell["class"] or "").split()
        assert (cell["aria-label"] or "").startswith("fail, excused: ")
        assert "known & watched" in (cell["title"] or "")


def test_an_entry_that_the_run_did_not_decide_is_told(tmp_path: Path) -> None:
    text = Reader(render(excused_run(tmp_path), tmp_path)).text
    assert "1 entry that this run did not decide" in text
    assert "WIRE-FIN-03 kernel-tcp: not confirmed not-exercised; flaky (net team, until 2030-07-15)" in text


def test_on_the_day_after_its_last_it_is_red_and_said_to_have_expired(tmp_path: Path) -> None:
    results = excused_run(tmp_path, days=-1)
    page = render(results, tmp_path)
    text = Reader(page).text
    assert not gate(results).is_open
    assert "Why is it red?" in text
    assert "These entries of base.toml no longer hold, and close the gate." in text
    assert "kernel-tcp: expired known & watched" in text
    assert not [cell for cell in cells(page) if "excused" in (cell["class"] or "").split()]


def test_an_entry_of_what_does_not_fail_is_red_though_nothing_failed(tmp_path: Path) -> None:
    results = excused_run(tmp_path)
    kept = msgspec.structs.replace(results_of(case("one", finding("IND-STREAM-01", Conclusion.SATISFIED))))
    text = Reader(render(msgspec.structs.replace(kept, baseline=results.baseline), tmp_path)).text
    assert "Why is it red?" in text
    assert "IND-STREAM-01 kernel-tcp: does not fail: remove the entry" in text


# --- what it can never do -------------------------------------------------------------------------------------------


def test_its_policy_allows_its_own_style_and_script_and_no_network(mixed: tuple[Results, str]) -> None:
    reader = Reader(mixed[1])
    (policy,) = [m["content"] or "" for m in reader.named("meta") if m.get("http-equiv")]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert set(rules) == {"default-src", "img-src", "base-uri", "form-action", "style-src", "script-src"}
    assert rules["img-src"] == "data:"
    for name, pattern in (("style-src", r"<style>(.*?)</style>"), ("script-src", r"<script>(.*?)</script>")):
        (source,) = re.findall(pattern, mixed[1], flags=re.S)
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert rules[name] == f"'sha256-{digest}'"


def test_it_names_no_other_place(mixed: tuple[Results, str]) -> None:
    for tag, attributes in Reader(mixed[1]).elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
        assert "src" not in attributes
        assert attributes.get("href", "#").startswith(("#", "data:"))  # type: ignore[union-attr]
    scripts = re.findall(r"<script>(.*?)</script>", mixed[1], flags=re.S)
    assert "http" not in scripts[0].replace("http://www.w3.org/2000/svg", "")


def test_its_script_makes_no_markup_of_text_and_keeps_nothing(mixed: tuple[Results, str]) -> None:
    (script,) = re.findall(r"<script>(.*?)</script>", mixed[1], flags=re.S)
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "Storage",
                 "cookie", "fetch(", "XMLHttpRequest", "WebSocket", "sendBeacon", "import("):  # fmt: skip
        assert word not in script


def test_whatever_is_said_stays_text(tmp_path: Path) -> None:
    page = render(hostile_run(tmp_path), tmp_path)
    reader = Reader(page)
    assert not reader.named("img")
    assert len(reader.named("script")) == 1 + len(packed(page))
    assert HOSTILE not in unescape(page)
    assert all(character.isprintable() or character == "\n" for character in page)
    assert reader.text.count(HOSTILE_SHOWN) > 8


def test_the_same_results_give_the_same_page(tmp_path: Path) -> None:
    results = kept_run(tmp_path)
    assert render(results, tmp_path) == render(results, tmp_path)


def test_it_reads_the_same_wherever_the_results_lie(tmp_path: Path) -> None:
    results = kept_run(tmp_path / "here")
    kept_run(tmp_path / "there")
    assert render(results, tmp_path / "here") == render(results, tmp_path / "there")
    for name in ("here", "there"):
        (tmp_path / name / results.providers[0].cases[0].evidence).unlink()
    assert render(results, tmp_path / "here") == render(results, tmp_path / "there")
    assert str(tmp_path) not in render(results, tmp_path / "here")


def test_a_failure_can_be_linked_to_without_a_script(tmp_path: Path) -> None:
    page = render(kept_run(tmp_path), tmp_path)
    assert [each for each in Reader(page).named("li") if each.get("id") == "cell=kernel-tcp/IND-STREAM-01"]
    assert BAD not in page


def test_ten_providers_with_every_ladder(tmp_path: Path) -> None:
    results = large_run(tmp_path)
    began = time.perf_counter()
    page = render(results, tmp_path)
    assert time.perf_counter() - began < 20  # 1.3 s on an idle machine
    size = len(page.encode())
    static = size - sum(map(len, packed(page).values()))
    assert len(cells(page)) == 10 * len(catalogue.load())
    assert size < 10_000_000
    assert static < 1_500_000
    assert FOUND["implementation"]["name"] in page
