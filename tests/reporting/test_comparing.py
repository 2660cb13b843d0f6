# SPDX-License-Identifier: MIT
"""Two runs compared: every pair of verdicts, what is around them, and how it is told."""

from __future__ import annotations

import io
from itertools import product
from typing import Any

import msgspec
import pytest
from rich.console import Console

from conformance.catalogue.statement import Contradiction
from conformance.oracle.findings import Conclusion
from conformance.oracle.verdicts import Verdict
from conformance.reporting.comparing import ORDER, Change, Comparison, Difference, Kind, compare, kind_of
from conformance.reporting.differences import print_comparison
from conformance.reporting.results import Results, Suite
from tests.oracle.story import KERNEL_TCP, UNIX_STREAM
from tests.reporting.runs import case, finding, provider, results_of
from tests.reporting.test_gating import MADE_BY

SATISFIED, VIOLATED = Conclusion.SATISFIED, Conclusion.VIOLATED
UNDETERMINED, BROKE = Conclusion.UNDETERMINED, Conclusion.ERROR
REPLACED = msgspec.structs.replace
V = Verdict
EVERY: tuple[Verdict | None, ...] = (*Verdict, None)


def run(*findings: tuple[str, Conclusion], because: str = "so it was", **others: Any) -> Results:
    found = (finding(identity, outcome, because) for identity, outcome in findings)
    return results_of(case("c", *found, exercises=tuple(identity for identity, _ in findings)), **others)


def of(verdict: Verdict) -> Results:
    requirement, outcomes = MADE_BY[verdict]
    return run(*((requirement, outcome) for outcome in outcomes))


def printed(comparison: Comparison) -> str:
    file = io.StringIO()
    print_comparison(comparison, Console(file=file, width=100))
    return file.getvalue()


# --- the order of the verdicts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "now", "kind"),
    [
        (V.FAIL, V.PASS, Kind.BETTER),
        (V.DEVIATION, V.PASS, Kind.BETTER),
        (V.FAIL, V.DEVIATION, Kind.BETTER),
        (V.ERROR, V.PASS, Kind.BETTER),
        (V.PASS, V.FAIL, Kind.WORSE),
        (V.PASS, V.DEVIATION, Kind.WORSE),
        (V.PASS, V.ERROR, Kind.WORSE),
        (V.ERROR, V.FAIL, Kind.WORSE),
        (V.FAIL, V.ERROR, Kind.WORSE),
        (V.INCONCLUSIVE, V.FAIL, Kind.WORSE),
        (V.NOT_APPLICABLE, V.FAIL, Kind.WORSE),
        (None, V.FAIL, Kind.WORSE),
        (None, V.ERROR, Kind.WORSE),
        (V.FAIL, V.NOT_EXERCISED, Kind.GONE),
        (V.FAIL, V.NOT_APPLICABLE, Kind.GONE),
        (V.PASS, V.INCONCLUSIVE, Kind.GONE),
        (V.RECORDED, None, Kind.GONE),
        (V.NOT_EXERCISED, V.PASS, Kind.NEW),
        (V.INCONCLUSIVE, V.DEVIATION, Kind.NEW),
        (None, V.RECORDED, Kind.NEW),
        (V.PASS, V.RECORDED, Kind.CHANGED),
        (V.ERROR, V.INCONCLUSIVE, Kind.CHANGED),
        (V.ERROR, None, Kind.CHANGED),
        (V.NOT_APPLICABLE, V.NOT_EXERCISED, Kind.CHANGED),
        (None, V.NOT_APPLICABLE, None),
        (V.INCONCLUSIVE, None, None),
        (V.FAIL, V.FAIL, None),
        (None, None, None),
    ],
)
def test_from_one_verdict_to_another(before: Verdict | None, now: Verdict | None, kind: Kind | None) -> None:
    assert kind_of(before, now) is kind


@pytest.mark.parametrize(("before", "now"), list(product(EVERY, EVERY)))
def test_silence_is_never_better_and_a_new_failure_is_always_worse(before: Verdict | None, now: Verdict | None) -> None:
    kind = kind_of(before, now)
    if kind is Kind.BETTER:
        assert now in ORDER
        assert kind_of(now, before) is Kind.WORSE
    if before in ORDER and now not in ORDER:
        assert kind in (Kind.WORSE, Kind.GONE)
    if now in (V.FAIL, V.ERROR) and before is not now:
        assert kind is Kind.WORSE
    if kind is Kind.NEW:
        assert kind_of(now, before) is Kind.GONE


# --- requirements -----------------------------------------------------------------------------------------------------


def test_a_run_compared_with_itself_differs_in_nothing() -> None:
    for verdict in Verdict:
        comparison = compare(of(verdict), of(verdict))
        assert (comparison.changes, comparison.providers, comparison.differences) == ((), (), ())
        assert comparison.status == 0
        assert comparison.sentence == "No requirement changed."


def test_a_change_has_both_verdicts_and_what_they_rest_on() -> None:
    before = run(("IND-STREAM-01", VIOLATED), ("IND-STREAM-02", SATISFIED), because="it was told wrong")
    now = run(("IND-STREAM-01", SATISFIED), ("IND-STREAM-02", VIOLATED), because="told wrong now")
    better, worse = compare(before, now).changes
    assert better == Change("kernel-tcp", "IND-STREAM-01", Kind.BETTER, V.FAIL, V.PASS, "it was told wrong", "")
    assert worse == Change("kernel-tcp", "IND-STREAM-02", Kind.WORSE, V.PASS, V.FAIL, "", "told wrong now")


@pytest.mark.parametrize(
    ("now", "status"),
    [
        (run(("IND-STREAM-01", SATISFIED)), 0),
        (run(("IND-STREAM-01", SATISFIED), ("IND-STREAM-02", SATISFIED)), 0),
        (run(("IND-STREAM-01", VIOLATED)), 1),
        (run(("IND-STREAM-01", UNDETERMINED)), 1),
        (run(("IND-STREAM-01", BROKE)), 1),
        (run(("IND-STREAM-02", SATISFIED)), 1),
        (run(("IND-STREAM-01", SATISFIED), ("IND-STREAM-02", VIOLATED)), 1),
    ],
)
def test_the_exit_status_is_1_if_something_got_worse_or_is_gone(now: Results, status: int) -> None:
    assert compare(run(("IND-STREAM-01", SATISFIED)), now).status == status


def test_what_fails_for_another_reason_has_changed() -> None:
    before = run(("IND-STREAM-01", VIOLATED), because="recv failed with ECONNRESET")
    now = run(("IND-STREAM-01", VIOLATED), because="recv failed with EPIPE")
    (change,) = compare(before, now).changes
    assert (change.kind, change.before, change.now) == (Kind.CHANGED, V.FAIL, V.FAIL)
    told = " ".join(printed(compare(before, now)).split())
    assert "fail as before, but: recv failed with ECONNRESET → recv failed with EPIPE" in told
    assert compare(before, now).status == 0


@pytest.mark.parametrize(
    ("requirement", "outcome", "changes"),
    [
        ("IND-ABORT-08", SATISFIED, 1),  # informative: what it says is all there is to it
        ("IND-STREAM-01", UNDETERMINED, 1),
        ("IND-STREAM-01", SATISFIED, 0),
    ],
)
def test_other_words_matter_where_they_are_the_result(requirement: str, outcome: Conclusion, changes: int) -> None:
    before, now = (run((requirement, outcome), because=because) for because in ("one", "other"))
    assert len(compare(before, now).changes) == changes


def test_long_reasons_are_shown_from_where_they_part() -> None:
    before, now = (run(("IND-STREAM-01", UNDETERMINED), because="x" * 200 + end) for end in ("one", "two"))
    told = " ".join(printed(compare(before, now)).split())
    assert f"…{'x' * 40}one → …{'x' * 40}two" in told


def test_cases_that_went_or_came_are_counted() -> None:
    exercised: Any = {"exercises": ("IND-STREAM-01",)}
    made = [case(f"c{n}", finding("IND-STREAM-01", SATISFIED), **exercised) for n in range(4)]
    comparison = compare(results_of(*made[:3]), results_of(*made[2:]))
    (change,) = comparison.changes
    assert (change.kind, change.cases_gone, change.cases_added) == (Kind.CHANGED, 2, 1)
    assert comparison.providers[0].cases_gone == ("c0", "c1")
    assert comparison.providers[0].cases_added == ("c3",)
    told = printed(comparison)
    assert "IND-STREAM-01 (kernel-tcp): pass as before (2 cases gone, 1 case added)" in told
    assert comparison.status == 0


# --- providers, statements, suites ------------------------------------------------------------------------------------


def test_a_provider_that_came_is_newly_tested_and_its_failures_count() -> None:
    mine = [case("c", finding("IND-STREAM-01", SATISFIED), finding("IND-STREAM-02", VIOLATED), provider="mine")]
    both = results_of(*mine, providers=[provider(), provider("mine")])
    comparison = compare(results_of(), both)
    assert (comparison.added, comparison.removed) == (("mine",), ())
    assert [(change.requirement, change.kind, change.before) for change in comparison.changes] == [
        ("IND-STREAM-01", Kind.NEW, None),
        ("IND-STREAM-02", Kind.WORSE, None),
    ]
    assert comparison.status == 1


def test_a_provider_that_went_took_what_was_decided_with_it() -> None:
    both = results_of(
        case("c", finding("IND-STREAM-01", VIOLATED), provider="mine"), providers=[provider(), provider("mine")]
    )
    comparison = compare(both, results_of())
    assert (comparison.added, comparison.removed) == ((), ("mine",))
    assert [change.kind for change in comparison.changes] == [Kind.GONE]
    assert "it was: so it was" in printed(comparison)
    assert comparison.status == 1


def test_a_provider_of_which_nothing_was_known_may_go() -> None:
    assert compare(results_of(providers=[provider(), provider("mine")]), results_of()).status == 0


def test_a_provider_that_cannot_be_tested_any_more_says_why_once() -> None:
    before = run(("IND-STREAM-01", SATISFIED), ("IND-STREAM-02", SATISFIED))
    now = results_of(providers=[provider(problem="does not start")], planned=1)
    comparison = compare(before, now)
    assert comparison.status == 1
    told = printed(comparison)
    assert told.count("pass → error: does not start") == 1
    assert Difference("problem", "", "does not start") in comparison.providers[0].differences


def test_another_statement_is_told_by_its_items() -> None:
    claimed = REPLACED(KERNEL_TCP, service_flags=(*KERNEL_TCP.service_flags, "EXPEDITED_DATA"))
    contradiction = Contradiction(item="GRACEFUL_CLOSE", claimed="yes", found="no")
    now = results_of(providers=[provider(statement=claimed, contradictions=(contradiction,))])
    (found,) = compare(results_of(), now).providers
    flags, contradicted = found.differences
    assert flags.item == "statement, service_flags"
    assert "EXPEDITED_DATA" in flags.now and "EXPEDITED_DATA" not in flags.before
    assert contradicted == Difference("contradiction, GRACEFUL_CLOSE", "", "claimed yes, found no")


def test_the_order_of_what_is_claimed_is_no_difference() -> None:
    turned = REPLACED(KERNEL_TCP, service_flags=KERNEL_TCP.service_flags[::-1])
    assert compare(results_of(), results_of(providers=[provider(statement=turned)])).providers == ()


def test_what_a_statement_rules_out_now_is_gone() -> None:
    before = run(("WIRE-FIN-01", SATISFIED))
    now = run(("IND-STREAM-01", SATISFIED), providers=[provider(statement=UNIX_STREAM)])
    kinds = {change.requirement: change.kind for change in compare(before, now).changes}
    assert kinds["WIRE-FIN-01"] is Kind.GONE
    assert kinds["WIRE-FIN-02"] is Kind.CHANGED


@pytest.mark.parametrize("suite", [Suite("9.9", "sha256:1"), Suite("0", "sha256:2")])
def test_another_suite_or_catalogue_is_told(suite: Suite) -> None:
    before = results_of()
    now = REPLACED(results_of(), suite=suite)
    assert Difference("catalogue", before.suite.catalogue, suite.catalogue) in compare(before, now).differences
    told = printed(compare(before, now))
    assert f"suite          {before.suite.version} → {suite.version}" in told
    assert "a verdict may differ for that alone" in told
    assert "a verdict may differ" not in printed(compare(before, before))


def test_a_requirement_of_another_catalogue_is_compared_too() -> None:
    before = run(("IND-STREAM-01", SATISFIED))
    (found,) = before.providers
    rows = tuple(REPLACED(row, id="OLD-01") if row.id == "IND-STREAM-01" else row for row in found.requirements)
    comparison = compare(REPLACED(before, providers=(REPLACED(found, requirements=rows),)), before)
    assert {(change.requirement, change.kind) for change in comparison.changes} == {
        ("OLD-01", Kind.GONE),
        ("IND-STREAM-01", Kind.NEW),
    }


# --- in words ---------------------------------------------------------------------------------------------------------


def test_the_sentence_counts_and_the_worst_comes_first() -> None:
    before = run(("IND-STREAM-01", SATISFIED), ("IND-STREAM-02", VIOLATED), ("IND-STREAM-03", SATISFIED))
    now = run(("IND-STREAM-01", VIOLATED), ("IND-STREAM-02", SATISFIED), ("ERR-01", SATISFIED))
    comparison = compare(before, now, ("old", "new"))
    assert comparison.sentence == ("1 requirement got worse, 1 is no longer tested, 1 got better, 1 is newly tested.")
    told = printed(comparison)
    assert told.index("worse  ") < told.index("gone  ") < told.index("better  ") < told.index("newly tested  ")
    assert "old: The gate is closed: 1 requirement failed (1 case for 1 provider)." in told


def test_good_news_alone_says_that_nothing_got_worse() -> None:
    comparison = compare(run(("IND-STREAM-01", VIOLATED)), run(("IND-STREAM-01", SATISFIED)))
    assert comparison.sentence == "Nothing got worse, 1 requirement got better."


def test_many_passes_of_a_provider_that_came_are_a_count() -> None:
    passes = [row.id for row in results_of().providers[0].requirements if row.verdict is V.NOT_EXERCISED][:20]
    findings = [finding(identity, SATISFIED) for identity in passes if not identity.startswith("POSIX-SHUT")]
    now = results_of(case("c", *findings, provider="mine"), providers=[provider(), provider("mine")])
    assert "requirements (mine): no row → pass" in printed(compare(results_of(), now))


def test_nothing_that_was_said_is_markup_or_control() -> None:
    told = "[red]\x1b[2J[/red] [bold"
    before = run(("IND-STREAM-01", SATISFIED), providers=[provider()])
    made = case(f"c::{told}", finding("IND-STREAM-01", VIOLATED, told), provider=f"p{told}")
    now = results_of(made, providers=[provider(f"p{told}")])
    for pair in ((before, now), (now, before), (now, now)):
        text = printed(compare(*pair, (told, told)))
        assert "[red]" in text
        assert "\x1b" not in text
