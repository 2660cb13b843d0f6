# SPDX-License-Identifier: MIT
"""The summary: what a reader must find in it, and that nothing an agent says can take its place."""

from __future__ import annotations

import io
import shlex
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest
from _pytest.mark.expression import Expression
from rich.console import Console

from conformance.catalogue.statement import Contradiction
from conformance.oracle.findings import Conclusion
from conformance.reporting.baseline import Baseline, Entry
from conformance.reporting.failures import again, expression, failure_text
from conformance.reporting.gating import gate
from conformance.reporting.results import UNREACHED, Results
from conformance.reporting.summary import print_summary
from tests.oracle.story import UNIX_STREAM
from tests.reporting.runs import (
    BAD,
    GOOD,
    bad_story,
    case,
    finding,
    first,
    good_story,
    keep,
    kept_run,
    named,
    provider,
    results_of,
)

SATISFIED, VIOLATED = Conclusion.SATISFIED, Conclusion.VIOLATED
UNDETERMINED, BROKE = Conclusion.UNDETERMINED, Conclusion.ERROR


def printed(results: Results, output: Path = Path("reports/now"), *, width: int = 100, terminal: bool = False) -> str:
    file = io.StringIO()
    print_summary(results, Console(file=file, width=width, force_terminal=terminal), output)
    return file.getvalue()


def flat(text: str) -> str:
    return " ".join(text.split())


def test_the_table_counts_verdicts_by_group() -> None:
    text = printed(results_of(case("one", finding("IND-STREAM-01", SATISFIED), finding("IND-STREAM-02", VIOLATED))))
    (row,) = [line for line in text.splitlines() if line.startswith("B Indicating")]
    assert row.split()[-4:-2] == ["1", "1"]  # pass, fail, then n/a and not exercised
    assert "kernel-tcp: posix, tcp, settle time 35 ms, 1 case" in text
    assert "error" not in text.splitlines()[3]  # no column for a verdict that does not occur


def test_a_failure_teaches(tmp_path: Path) -> None:
    text = printed(kept_run(tmp_path), tmp_path)
    told = flat(text)
    assert "FAIL IND-STREAM-01 On a byte stream, a receive that reaches the peer's graceful end succeeds" in told
    assert "clause Winsock SPI, Connection Shutdown, Indicating Remote Shutdown" in told
    assert "accepted ZERO_BYTES: The receive succeeds and its length is 0. [Winsock SPI" in told
    assert "seen after the peer's graceful end, recv failed with ECONNRESET" in told
    assert f"cases 1 of 2; the first is {BAD}" in told
    assert f"evidence {tmp_path}/evidence/kernel-tcp/" in told
    assert "\n> " in text
    assert "recv: ECONNRESET" in text


def test_the_ladder_of_one_case_is_drawn_once(tmp_path: Path) -> None:
    text = printed(kept_run(tmp_path), tmp_path)
    assert text.count("FAIL ") >= 2
    assert text.count("connected: the iut") == 1
    assert "the same as above" in text


def test_evidence_that_is_gone_does_not_end_the_summary(tmp_path: Path) -> None:
    results = kept_run(tmp_path)
    text = printed(results, tmp_path / "elsewhere")
    assert "no ladder" in text
    assert "The gate is closed" in text


def test_a_provider_that_could_not_be_tested_says_so_once() -> None:
    text = printed(results_of(providers=[provider("mine", problem="ended\n  hint: look at its standard error")]))
    assert text.count("hint: look at its standard error") == 1
    assert "Nothing could be judged: no provider could be tested." in text


def test_errors_with_one_cause_are_told_together() -> None:
    findings = [finding(name, BROKE, "the agent died") for name in ("IND-STREAM-01", "IND-STREAM-02")]
    text = printed(results_of(case("one", *findings, problem="the agent died")))
    assert "ERROR IND-STREAM-01, IND-STREAM-02" in flat(text)
    assert text.count("the agent died") == 1


def test_deviations_are_short_and_do_not_shut_the_gate() -> None:
    text = printed(results_of(case("one", finding("IND-STREAM-05", VIOLATED, "it did otherwise"))))
    assert "DEVIATION IND-STREAM-05" in text
    assert "it did otherwise (kernel-tcp, 1 case)" in text
    assert "The gate is open" in text


def test_what_was_left_open_is_told_by_reason() -> None:
    findings = [finding(name, UNDETERMINED, "no link") for name in ("IND-STREAM-01", "IND-STREAM-02")]
    text = flat(printed(results_of(case("one", *findings))))
    assert "inconclusive IND-STREAM-01, IND-STREAM-02 (kernel-tcp): no link" in text


def test_providers_with_the_same_gap_share_a_line() -> None:
    cases = [case("c", finding("IND-STREAM-01", SATISFIED), provider=name) for name in ("one", "two")]
    text = flat(printed(results_of(*cases, providers=[provider("one"), provider("two")])))
    assert "requirements were reached by no case of this selection (one, two)" in text


def test_where_no_case_ran_there_is_nothing_to_count() -> None:
    text = printed(results_of(planned=7))
    assert "n/a" not in text
    assert "not exercised" not in text
    assert "Nothing could be judged: no case ran." in text


def test_where_none_was_to_run_nothing_is_said() -> None:
    assert printed(results_of()) == ""


def test_a_long_list_of_what_was_not_reached_is_a_count() -> None:
    text = flat(printed(results_of(case("one", finding("IND-STREAM-01", SATISFIED)))))
    assert "requirements were reached by no case of this selection (kernel-tcp)" in text
    assert "IND-STREAM-02" not in text


def test_a_short_list_of_what_was_not_reached_is_told() -> None:
    everything = [row.id for row in first(results_of()).requirements if row.reason == UNREACHED]
    findings = [finding(identity, SATISFIED) for identity in everything if identity != "IND-STREAM-02"]
    text = flat(printed(results_of(case("one", *findings))))
    assert "not exercised IND-STREAM-02 (kernel-tcp): no case reached it" in text


def test_contradictions_are_told() -> None:
    contradiction = Contradiction(item="GRACEFUL_CLOSE", claimed="yes", found="no")
    assert "contradiction GRACEFUL_CLOSE: claimed yes, found no" in flat(
        printed(results_of(providers=[provider(contradictions=(contradiction,))], planned=1))
    )


@pytest.mark.parametrize(
    ("cases", "where"), [(("a.py::test_a",), "(in a.py::test_a)"), (("a", "b", "c"), "(in a, and in 2 more cases)")]
)
def test_contradictions_that_cases_showed_name_them(cases: tuple[str, ...], where: str) -> None:
    found = "accepts disconnect data and drops it: so it was"
    contradiction = Contradiction(item="DISCONNECT_DATA", claimed="yes", found=found, cases=cases)
    assert f"contradiction DISCONNECT_DATA: claimed yes, found {found} {where}" in flat(
        printed(results_of(providers=[provider(contradictions=(contradiction,))], planned=1))
    )


@pytest.mark.parametrize(
    ("results", "sentence"),
    [
        (results_of, "The gate is open: nothing failed (1 case for 1 provider)."),
        (lambda c: results_of(c, planned=4), "Interrupted after 1 of 4 cases: no gate."),
        (lambda c: results_of(planned=4), "Nothing could be judged: no case ran."),
    ],
)
def test_the_last_word(results: object, sentence: str) -> None:
    made = results(case("one", finding("IND-STREAM-01", SATISFIED)))  # type: ignore[operator]
    assert gate(made).sentence == sentence
    assert sentence in flat(printed(made))


def test_the_last_word_on_a_failure_that_ended_the_run() -> None:
    results = results_of(case("one", finding("IND-STREAM-01", VIOLATED)), planned=4)
    assert gate(results).sentence == "The gate is closed: 1 requirement failed (cut short after 1 of 4 cases)."


def test_the_last_word_on_failures_errors_and_providers_that_do_not_start() -> None:
    cases = [case("one", finding("IND-STREAM-01", VIOLATED), finding("IND-STREAM-02", BROKE))]
    results = results_of(*cases, providers=[provider(), provider("mine", UNIX_STREAM, problem="x")])
    assert gate(results).sentence == (
        "The gate is closed: 1 requirement failed, 1 requirement broke off in an error, 1 provider could not be tested "
        "(1 case for 2 providers)."
    )


DAY = date(2030, 6, 15)


def excusing(results: Results, *requirements: str, days: int = 0, reason: str = "known") -> Results:
    expires = DAY + timedelta(days=days)
    entries = tuple(Entry("kernel-tcp", identity, reason, "net team", expires) for identity in requirements)
    return msgspec.structs.replace(results, baseline=Baseline("base.toml", DAY, entries))


def test_what_is_excused_is_told_shortly_and_after_what_is_not(tmp_path: Path) -> None:
    results = kept_run(tmp_path)
    failing = [row.id for row in first(results).requirements if row.verdict == "fail"]
    assert len(failing) > 1
    told = flat(printed(excusing(results, "IND-STREAM-01"), tmp_path))
    assert "FAIL IND-STREAM-01" not in told
    assert f"FAIL {failing[1]}" in told
    line = "excused IND-STREAM-01 (kernel-tcp): known (net team, until 2030-06-15)"
    assert told.index(f"FAIL {failing[1]}") < told.index(line) < told.index("The gate is closed: ")
    assert "1 failure is excused" in told
    everything = printed(excusing(results, *failing), tmp_path)
    assert "FAIL" not in everything
    assert f"The gate is open: {len(failing)} failures are excused by base.toml" in flat(everything)


def test_an_expired_entry_is_told_beside_its_failure_in_full(tmp_path: Path) -> None:
    told = flat(printed(excusing(kept_run(tmp_path), "IND-STREAM-01", days=-1), tmp_path))
    assert "FAIL IND-STREAM-01" in told
    assert "expired IND-STREAM-01 (kernel-tcp): known (net team, until 2030-06-14)" in told


def test_entries_that_hold_nothing_are_told() -> None:
    results = results_of(case("one", finding("IND-STREAM-01", SATISFIED), finding("IND-STREAM-05", VIOLATED)))
    told = flat(printed(excusing(results, "IND-STREAM-01", "IND-STREAM-05", "IND-STREAM-02", "IND-FDC-13")))
    assert "remove IND-STREAM-01 (kernel-tcp): pass; known" in told
    assert "remove IND-STREAM-05 (kernel-tcp): deviation; known" in told
    assert "not confirmed IND-STREAM-02 (kernel-tcp): not-exercised; known" in told
    assert "no match IND-FDC-13 (kernel-tcp): not-applicable; known" in told


def test_what_a_baseline_says_is_no_markup_and_no_control() -> None:
    results = results_of(case("one", finding("IND-STREAM-01", VIOLATED)))
    told = printed(excusing(results, "IND-STREAM-01", reason="[red]\x1b[2J\n\nThe gate is open"))
    assert "[red]\\x1b[2J" in told
    assert "\x1b" not in told
    assert not [line for line in told.splitlines() if line.startswith("The gate is open") and "excused" not in line]


def test_the_summary_says_where_the_results_lie() -> None:
    assert "Results: reports/now/results.json" in printed(results_of(planned=1))


def test_nothing_that_was_said_is_markup_or_control() -> None:
    told = "[red]\x1b[2J[/red] [bold"
    text = printed(results_of(case(f"c::{told}", finding("IND-STREAM-01", VIOLATED, told)), providers=[provider()]))
    assert "[red]" in text
    assert "\x1b" not in text


def test_it_fits_a_narrow_plain_output(tmp_path: Path) -> None:
    results = kept_run(tmp_path)
    table = [line for line in printed(results, tmp_path, width=80).splitlines() if line[:2] in ("A ", "B ", "G ")]
    assert table and max(map(len, table)) <= 80


# --- the case to run again, and the message of a failed case ----------------------------------------------------------


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ("a/b.py::test_x[1-close]", "test_x[kernel-tcp-1-close]"),
        ("a/b.py::test_x", "test_x[kernel-tcp]"),
        ("a/b.py::test_x[a b(c)=d]", "test_x[kernel-tcp-a b(c)=d]"),
        ("a/b.py::test_x[not-this and that]", "test_x[kernel-tcp-not-this and that]"),
    ],
)
def test_the_expression_selects_the_case_by_its_name_in_pytest(identity: str, name: str) -> None:
    chosen = Expression.compile(expression(identity, "kernel-tcp"))
    assert chosen.evaluate(lambda part, /, **_: part in name)
    assert not chosen.evaluate(lambda part, /, **_: part in "test_y[kernel-tcp-2]")


def test_the_command_to_run_a_case_again_survives_a_shell() -> None:
    words = shlex.split(again("kernel-tcp", "a.py::test_x[1 2]", "wire"))
    assert words[:4] == ["shutdown-conformance", "run", "--provider", "kernel-tcp"]
    assert words[4:6] == ["--topology", "wire"]
    assert words[6] == "-k"
    assert len(words) == 8


def test_a_provider_of_ones_own_is_named_by_its_file() -> None:
    assert "--provider FILE.toml" in again("mine", GOOD, "loopback")


def test_the_message_of_a_failed_case(tmp_path: Path) -> None:
    trace = named(bad_story(), BAD)
    text = failure_text(keep(trace, tmp_path), trace)
    assert "FAIL IND-STREAM-01" in text
    assert "accepted  ZERO_BYTES" in text
    assert "seen      after the peer's graceful end, recv failed with ECONNRESET" in text
    assert "\n> " in text


def test_the_message_of_a_case_that_broke(tmp_path: Path) -> None:
    story = "the case broke:\n" + "\n".join(f"line {n}" for n in range(40)) + "\nAgentDied: `\x1b[1m"
    trace = named(good_story(), GOOD, problem=story)
    text = failure_text(keep(trace, tmp_path), trace)
    assert text.startswith("the case broke:\n  …\n")
    assert "AgentDied: `\\x1b[1m" in text
    assert "FAIL" not in text
    assert "connected:" in text
