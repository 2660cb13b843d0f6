# SPDX-License-Identifier: MIT
"""The summary in Markdown, read by a parser as GitHub's is one: what is in it, and that nothing said becomes markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from conformance.catalogue import catalogue
from conformance.catalogue.statement import Contradiction
from conformance.oracle.findings import Conclusion
from conformance.oracle.verdicts import Verdict
from conformance.reporting import markdown
from conformance.reporting.gating import gate
from conformance.reporting.markdown import ROOM, render
from conformance.reporting.results import Results
from conformance.reporting.text import clean
from tests.reporting.hostile import HOSTILE, edited, hostile_run
from tests.reporting.runs import case, finding, kept_run, provider, results_of

SATISFIED, VIOLATED = Conclusion.SATISFIED, Conclusion.VIOLATED
LIMIT_OCTETS = 1024 * 1024
"""What GitHub shows of one step's summary, with what another step may have written before."""
ELSE_OCTETS = 4096
"""More than headings, notes and the last lines take."""


def tokens(text: str) -> Iterator[Token]:
    for block in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text):
        yield block
        yield from block.children or ()


def visible(text: str) -> str:
    """What a reader sees, in one line."""
    return " ".join(token.content for token in tokens(text) if token.type in ("text", "code_inline"))


def failing(count: int, name: str = "kernel-tcp") -> Results:
    results = results_of()
    applicable = [row.id for row in results.providers[0].requirements if row.verdict == "not-exercised"]
    mandatory = [each for each in applicable if catalogue.load()[each].level in ("mandatory", "conditional")]
    findings = [finding(identity, VIOLATED) for identity in mandatory[:count]]
    return results_of(case("one", *findings, provider=name), providers=[provider(name)])


def test_it_begins_with_the_gate(tmp_path: Path) -> None:
    results = kept_run(tmp_path)
    heading, sentence = re.sub(r"\\(?=\W)", "", render(results)).split("\n\n")[:2]
    assert heading == "## Shutdown conformance"
    assert sentence == f"**{gate(results).sentence}**"


def test_the_table_counts_verdicts_by_provider() -> None:
    good = case("one", finding("IND-STREAM-01", SATISFIED), provider="one")
    bad = [case("two", finding("IND-STREAM-01", VIOLATED), provider="two")]
    made = [provider("one"), provider("two"), provider("three", problem="no agent"), provider("four")]
    text = render(results_of(good, *bad, providers=made))
    assert "| provider | implementation | pass | fail |" in text
    rows = [line for line in text.splitlines() if re.match(r"\| (✅|❌|⚠️|⚪)", line)]
    assert [row.split(" | ")[:4] for row in rows] == [
        ["| ✅ `one`", "-", "1", "·"],
        ["| ❌ `two`", "-", "·", "1"],
        ["| ⚠️ `three`", "-", "·", "·"],
        ["| ⚪ `four`", "-", "·", "·"],
    ]
    assert len([token for token in tokens(text) if token.type == "tr_open"]) == 5


def test_a_failure_says_what_was_seen_and_how_to_see_it_again(tmp_path: Path) -> None:
    text = visible(render(kept_run(tmp_path)))
    assert "FAIL IND-STREAM-01" in text
    assert "On a byte stream, a receive that reaches the peer's graceful end succeeds" in text
    assert "seen:  after the peer's graceful end, recv failed with ECONNRESET" in text
    assert "again:  shutdown-conformance run --provider kernel-tcp -k " in text


@pytest.mark.parametrize(("count", "folded"), [(0, False), (1, False), (5, False), (6, True), (30, True)])
def test_many_failures_are_folded(count: int, folded: bool) -> None:
    text = render(failing(count) if count else results_of(case("one", finding("IND-STREAM-01", SATISFIED))))
    assert ("<details>" in text, "</details>" in text) == (folded, folded)
    assert text.count("- **FAIL ") == count
    assert ("failure" in text) == (count > 0)


def test_contradictions_and_providers_that_could_not_be_tested_are_told() -> None:
    contradiction = Contradiction(item="GRACEFUL_CLOSE", claimed="yes", found="no")
    made = [provider(contradictions=(contradiction,)), provider("mine", problem="no such agent\nhint: look")]
    text = visible(render(results_of(providers=made)))
    assert "GRACEFUL_CLOSE : claimed  yes , found  no" in text
    assert "mine :  no such agent\\nhint: look" in text
    assert "report.html" in text


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("made", [hostile_run, lambda text: edited(hostile_run(text))])
def test_whatever_was_said_stands_in_code_spans(text: str, made: object) -> None:
    rendered = render(made(text))  # type: ignore[operator]
    allowed = {"<details>", "<summary><b>", "</b></summary>", "</details>"}
    parts = list(tokens(rendered))
    html = {t.content.strip() for t in parts if t.type in ("html_inline",)}
    html |= {part for t in parts if t.type == "html_block" for part in re.findall(r"<[^<]*>", t.content)}
    assert html <= allowed | {"<summary>", "<b>", "</b>", "</summary>"}
    assert not [t for t in parts if t.type in ("link_open", "image", "fence", "code_block", "em_open", "s_open")]
    plain = " ".join(t.content for t in parts if t.type == "text")
    assert not re.search(r"script|alert|@everyone|x\.example|#1|\x1b|calc", plain)
    assert not [c for c in rendered if not (c.isprintable() or c == "\n")]


@pytest.mark.parametrize("text", ["`", "``x`", "`` ", " a", "a|b", "\\", "a\\|b", "|`|", "\\`"])
def test_a_code_span_shows_what_was_said(text: str) -> None:
    failed = case("one", finding("IND-STREAM-01", VIOLATED, text), provider=text)
    rendered = render(results_of(failed, providers=[provider(text)]))
    spans = [token.content for token in tokens(rendered) if token.type == "code_inline"]
    assert spans.count(clean(text)) == 3  # in the table, with the failure, and what was seen
    rows = [token for token in tokens(rendered) if token.type == "td_open"]
    assert len(rows) == len(set(Verdict)) + 2 - _columns_left_out(rendered)


def _columns_left_out(rendered: str) -> int:
    (head,) = [line for line in rendered.splitlines() if line.startswith("| provider |")]
    return len(set(Verdict)) + 2 - (head.count("|") - 1)


def test_what_does_not_fit_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    room = {part: octets // 100 for part, octets in ROOM.items()}
    monkeypatch.setattr(markdown, "ROOM", room)
    long = "`" * 500
    contradiction = Contradiction(item=long, claimed=long, found="€" * 500)
    made = [provider(f"{number} {long}", problem="" if number % 2 else long) for number in range(40)]
    made += [provider(f"c{number}", contradictions=(contradiction,)) for number in range(10)]
    findings = [finding(identity, VIOLATED, "€" * 500) for identity in ("IND-STREAM-01", "IND-STREAM-02")]
    cases = [case(f"c{number}", *findings, provider=f"{number} {long}") for number in range(1, 40, 2)]
    text = render(results_of(*cases, providers=made))
    assert len(text.encode()) < sum(room.values()) + ELSE_OCTETS
    notes = re.findall(r"^\*(\d+) more (.*)did not fit; the report has all of them\.\*$", text, re.MULTILINE)
    assert [what.strip() for _, what in notes] == ["providers", "failures", "", ""]
    shown = len(re.findall("^- \\*\\*FAIL ", text, re.MULTILINE))
    assert shown + int(notes[1][0]) == 40
    assert "</details>" in text and text.rstrip().endswith("`")


def test_the_rooms_fit_the_limit() -> None:
    assert sum(ROOM.values()) + ELSE_OCTETS < LIMIT_OCTETS
