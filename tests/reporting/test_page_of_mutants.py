# SPDX-License-Identifier: MIT
"""The page of the kill matrix, as it stands in the file: what comes first, what a mark says, and what it links to."""

from __future__ import annotations

import time
from html import unescape
from pathlib import Path

import msgspec
import pytest

from conformance import __version__
from conformance.catalogue import catalogue
from conformance.oracle.verdicts import Verdict
from conformance.reporting.control import Control, ControlCase
from conformance.reporting.killmatrix import Fate, KillMatrix
from conformance.reporting.page import kills, mutants, render
from conformance.reporting.page.kills import Mark
from conformance.reporting.page.looks import FATES, MARKS
from conformance.reporting.results import Results, Suite
from tests.reporting.kills import hostile_matrix, large_matrix, mixed_matrix, mutant, run_with_mutants
from tests.reporting.pages import HOSTILE, HOSTILE_SHOWN
from tests.reporting.reader import Reader
from tests.reporting.runs import kept_run, results_of

SUITE = Suite(__version__, catalogue.digest())
NAMED, OTHER = "IND-STREAM-01", "IND-STREAM-02"


def drawn(matrix: KillMatrix, directory: Path = Path("nowhere"), **others: bool) -> str:
    return mutants.render(matrix, SUITE, directory, **others)


@pytest.fixture(scope="module")
def mixed() -> str:
    return drawn(mixed_matrix())


# --- marks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "marks", "fate"),
    [
        ([(Fate.KILLED, (NAMED,), (NAMED, OTHER))], {NAMED: Mark.KILLED, OTHER: Mark.ALSO}, Fate.KILLED),
        ([(Fate.SURVIVED, (NAMED,), ())], {NAMED: Mark.MISSED}, Fate.SURVIVED),
        ([(Fate.ELSEWHERE, (NAMED,), (OTHER,))], {NAMED: Mark.MISSED, OTHER: Mark.ALSO}, Fate.ELSEWHERE),
        ([(Fate.NOT_RUN, (NAMED,), ())], {NAMED: Mark.NOT_RUN}, Fate.NOT_RUN),
        # Over several providers the worst counts, but what was not run says nothing.
        ([(Fate.KILLED, (NAMED,), (NAMED,)), (Fate.SURVIVED, (NAMED,), ())], {NAMED: Mark.PART}, Fate.SURVIVED),
        ([(Fate.KILLED, (NAMED,), (NAMED,)), (Fate.NOT_RUN, (NAMED,), ())], {NAMED: Mark.KILLED}, Fate.KILLED),
        # It need not die on what does not apply to a provider.
        (
            [(Fate.KILLED, (NAMED, OTHER), (NAMED, OTHER)), (Fate.KILLED, (NAMED,), (NAMED,))],
            {NAMED: Mark.KILLED, OTHER: Mark.KILLED},
            Fate.KILLED,
        ),
        # One that was cut short had died on it already.
        ([(Fate.NOT_RUN, (NAMED, OTHER), (NAMED,))], {NAMED: Mark.KILLED, OTHER: Mark.NOT_RUN}, Fate.NOT_RUN),
    ],
)
def test_what_a_mark_says(
    rows: list[tuple[Fate, tuple[str, ...], tuple[str, ...]]], marks: dict[str, Mark], fate: Fate
) -> None:
    made = tuple(mutant("wrong", of, named, caught, over=f"p{n}") for n, (of, named, caught) in enumerate(rows))
    ((found,),) = [each.mutants for each in kills.subjects(KillMatrix(mutants=made, demanded=()))]
    assert (found.marks, found.fate) == (marks, fate)
    assert [row.over for row in found.rows] == [row.over for row in made]


def test_no_two_marks_look_alike() -> None:
    assert set(FATES) == set(Fate) and set(MARKS) == set(Mark)
    assert len({look.sign for look in MARKS.values()}) == len(Mark)
    assert len({look.sign for look in FATES.values()}) == len(Fate)


def test_mutants_are_grouped_by_subject_and_those_that_live_come_first() -> None:
    made = (
        mutant("one", Fate.KILLED, (NAMED,), (NAMED,), subject="on_the_link"),
        mutant("two", Fate.SURVIVED, (NAMED,), subject="errors"),
        mutant("three", Fate.SURVIVED, (NAMED,), subject="on_the_link"),
    )
    found = kills.subjects(KillMatrix(mutants=made, demanded=()))
    assert [(each.title, [one.name for one in each.mutants]) for each in found] == [
        ("on the link", ["three", "one"]),
        ("errors", ["two"]),
    ]


def test_a_row_for_each_requirement_that_is_demanded_named_or_violated() -> None:
    matrix = KillMatrix(mutants=(mutant("one", Fate.KILLED, (OTHER,), (OTHER, "WIRE-RST-01")),), demanded=(NAMED,))
    mutants_of = [each for subject in kills.subjects(matrix) for each in subject.mutants]
    found = {line.id: line for family in kills.families(matrix, mutants_of) for line in family.lines}
    assert list(found) == [NAMED, OTHER, "WIRE-RST-01"]
    assert [(line.demanded, line.covered) for line in found.values()] == [(True, False), (False, True), (False, False)]
    others = {identity for _, identities in kills.not_demanded(matrix) for identity in identities}
    assert others == set(catalogue.load()) - {NAMED}


# --- the page -------------------------------------------------------------------------------------------------------


def test_the_first_line_is_what_the_terminal_says(mixed: str) -> None:
    text = Reader(mixed).text
    said = "8 mutants: 2 killed, 2 survived, 1 caught elsewhere, 1 broke, 2 not run. 2 of 6 requirements covered."
    assert said == mixed_matrix().sentence
    assert f"<h1>{said}</h1>" in mixed
    assert "6 of the" in text and "mandatory and conditional requirements of this catalogue" in text
    assert "wine-tcp could not be tried: no Wine" in text


def test_survivors_come_first_then_what_is_not_covered_then_the_matrix(mixed: str) -> None:
    headings = ("alive", "uncovered", "matrix", "not-run", "killed", "requirements", "others")
    places = [mixed.index(f'<h2 id="{name}"') for name in headings]
    assert places == sorted(places)
    numbers = {each.name: each.number for subject in kills.subjects(mixed_matrix()) for each in subject.mutants}
    for name, part in {"close_resets": "alive", "never_tried": "not-run", "end_not_told": "killed"}.items():
        place = mixed.index(f'<article class="trouble mutant" id="m{numbers[name]}">')
        at = headings.index(part)
        assert places[at] < place < places[at + 1]


def test_an_entry_says_what_it_does_where_it_died_and_what_was_seen(mixed: str) -> None:
    text = Reader(mixed).text
    assert "A reset is told as the end of data." in text
    assert "IND-ABORT-02 it was told 0 bytes indicating/abort.py::test_peer_aborts[0-linger-0]" in text
    assert "also caught by IND-ABORT-01" in text
    assert "IND-ABORT-02: pass in 3 cases" in text
    assert "IND-ABORT-02 was not violated" in text
    assert "WIRE-FIN-01 was not tried" in text
    assert "again: shutdown-conformance mutants -k close_resets" in text


def test_each_mark_is_a_link_to_its_mutant_and_has_words(mixed: str) -> None:
    reader = Reader(mixed)
    cells = [each for each in reader.named("a") if "cell" in (each.get("class") or "").split()]
    found = {each["aria-label"]: each["href"] for each in cells}
    assert set(found) == {
        "in part: IND-ABORT-02, reset_told_as_end",
        "also caught: IND-ABORT-01, reset_told_as_end",
        "killed: IND-STREAM-01, end_not_told",
        "missed: INIT-CLOSE-01, close_resets",
        "missed: WIRE-ABRT-01, rst_as_fin",
        "also caught: IND-ABORT-01, rst_as_fin",
        "missed: INIT-SHUT-01, dies_itself",
        "not run: WIRE-FIN-01, never_tried",
    }
    places = {each.get("id") for each in reader.named("article")}
    assert {href.removeprefix("#") for href in found.values() if href} == places


def test_every_id_is_there_once_and_every_link_leads_somewhere(mixed: str) -> None:
    ids = [attributes["id"] for _, attributes in Reader(mixed).elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [each["href"] or "" for each in Reader(mixed).named("a")]
    assert {link[1:] for link in links} <= set(ids)


@pytest.mark.parametrize("linked", [True, False])
def test_only_evidence_that_is_there_is_linked_to(tmp_path: Path, linked: bool) -> None:
    trace = tmp_path / "mutants" / "kernel-tcp+reset_told_as_end" / "IND-ABORT-02.jsonl"
    trace.parent.mkdir(parents=True)
    trace.write_text("{}")
    trace.with_suffix(".pcapng").write_text("")
    page = drawn(mixed_matrix(), tmp_path, evidence=linked)
    found = [each["href"] for each in Reader(page).named("a") if not (each["href"] or "").startswith("#")]
    assert found == (
        [f"mutants/kernel-tcp%2Breset_told_as_end/IND-ABORT-02.{suffix}" for suffix in ("jsonl", "pcapng")]
        if linked
        else []
    )
    assert ("The evidence stayed with the session" in page) is not linked


@pytest.mark.parametrize("evidence", ["../secret.jsonl", "/etc/hostname", "", "\0.jsonl", "x" * 5000, "loop.jsonl"])
def test_evidence_elsewhere_is_not_linked_to(tmp_path: Path, evidence: str) -> None:
    (tmp_path / "secret.jsonl").write_text("")
    directory = tmp_path / "here"
    directory.mkdir()
    (directory / "loop.jsonl").symlink_to("loop.jsonl")
    row = mutant("wrong", Fate.KILLED, (NAMED,), (NAMED,))
    row = msgspec.structs.replace(row, caught=(msgspec.structs.replace(row.caught[0], evidence=evidence),))
    page = drawn(KillMatrix(mutants=(row,), demanded=()), directory)
    assert [each["href"] for each in Reader(page).named("a") if not (each["href"] or "").startswith("#")] == []


def test_nothing_at_all(tmp_path: Path) -> None:
    text = Reader(drawn(KillMatrix(mutants=(), demanded=(NAMED,)), tmp_path)).text
    assert "0 mutants: 0 killed." in text
    assert "There was no mutant." in text
    assert "1 requirement has never been seen to fail" in text and NAMED in text


def test_all_killed_has_nothing_that_is_not(tmp_path: Path) -> None:
    matrix = KillMatrix(mutants=(mutant("wrong", Fate.KILLED, (NAMED,), (NAMED,)),), demanded=(NAMED,))
    page = drawn(matrix, tmp_path)
    assert "Not killed" not in page and "Not covered" not in page
    assert '<header class="top open">' in page


def test_a_matrix_of_another_catalogue_says_so(tmp_path: Path) -> None:
    page = mutants.render(mixed_matrix(), Suite("9.9", "sha256:0"), tmp_path)
    assert "made with suite 9.9 and another catalogue" in Reader(page).text


def test_whatever_is_said_stays_text(tmp_path: Path) -> None:
    page = drawn(hostile_matrix(), tmp_path)
    reader = Reader(page)
    assert not reader.named("img")
    assert len(reader.named("script")) == 1
    assert HOSTILE not in unescape(page)
    assert all(character.isprintable() or character == "\n" for character in page)
    assert reader.text.count(HOSTILE_SHOWN) > 8
    assert "Requirements that this suite does not know" in reader.text


def test_its_script_makes_no_markup_and_asks_nobody(mixed: str) -> None:
    script = mixed[mixed.index("<script>") : mixed.rindex("</script>")]
    for word in ("innerHTML", "insertAdjacentHTML", "document.write", "eval(", "Storage", "fetch(", "http"):
        assert word not in script


def test_the_same_matrix_gives_the_same_page(mixed: str) -> None:
    assert drawn(mixed_matrix()) == mixed


def test_many_mutants_are_no_heavy_page(tmp_path: Path) -> None:
    began = time.process_time()
    page = drawn(large_matrix(), tmp_path)
    assert time.process_time() - began < 20  # 0.4 s on an idle machine
    assert len(page.encode()) < 1_500_000
    assert '<section aria-labelledby="matrix" class="grid wide">' in page


# --- in the report of a run -----------------------------------------------------------------------------------------


def test_the_report_says_what_became_of_them_and_where_to_look(tmp_path: Path) -> None:
    results = run_with_mutants(tmp_path)
    page = render(results, tmp_path)
    assert mixed_matrix().sentence in Reader(page).text
    assert "Asked for were 6 of the" in Reader(page).text
    assert [each for each in Reader(page).named("a") if each["href"] == "mutants.html"]


def test_a_report_without_a_matrix_has_no_link_to_one(tmp_path: Path) -> None:
    page = render(kept_run(tmp_path), tmp_path)
    assert "mutants.html" not in page
    assert "shutdown-conformance mutants --output" in page


def with_control(results: Results, verdict: Verdict) -> Results:
    case = ControlCase("control::x", "loopback", verdict, HOSTILE, "evidence/control/x.jsonl")
    return msgspec.structs.replace(results, control=Control("reset_told", "kernel-tcp", (case,)))


def test_the_negative_control_is_in_the_report(tmp_path: Path) -> None:
    results = with_control(kept_run(tmp_path), Verdict.FAIL)
    (tmp_path / "evidence" / "control").mkdir()
    (tmp_path / "evidence" / "control" / "x.jsonl").write_text("")
    page = render(results, tmp_path)
    text = Reader(page).text
    assert "reset_told over kernel-tcp, is wrong on purpose. It was caught: 1 case failed" in text
    assert HOSTILE_SHOWN in text
    assert [each for each in Reader(page).named("a") if each["href"] == "evidence/control/x.jsonl"]
    assert "evidence/control/x.jsonl" not in render(results, tmp_path, evidence=False)


def test_one_that_was_not_caught_says_so(tmp_path: Path) -> None:
    text = Reader(render(with_control(results_of(), Verdict.PASS), tmp_path)).text
    assert "It was not caught: the negative control did not fail: reset_told over kernel-tcp on loopback" in text


def test_a_run_without_one_says_so(tmp_path: Path) -> None:
    assert "This run has no negative control" in Reader(render(results_of(), tmp_path)).text
