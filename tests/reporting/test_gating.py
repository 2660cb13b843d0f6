# SPDX-License-Identifier: MIT
"""The gate: every verdict with every kind of entry, on both sides of the day on which it ends."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.oracle.findings import Conclusion
from conformance.oracle.verdicts import Verdict
from conformance.reporting.baseline import Baseline, Entry
from conformance.reporting.gating import Gate, Standing, about, excuses, gate, standing
from conformance.reporting.results import Results
from tests.oracle.story import UNIX_STREAM
from tests.reporting.runs import case, finding, provider, results_of

DAY = date(2030, 6, 15)
SATISFIED, VIOLATED = Conclusion.SATISFIED, Conclusion.VIOLATED
UNDETERMINED, BROKE = Conclusion.UNDETERMINED, Conclusion.ERROR
MADE_BY = {
    Verdict.PASS: ("IND-STREAM-01", [SATISFIED]),
    Verdict.FAIL: ("IND-STREAM-01", [SATISFIED, VIOLATED]),
    Verdict.DEVIATION: ("IND-STREAM-05", [VIOLATED]),
    Verdict.RECORDED: ("IND-ABORT-08", [SATISFIED]),
    Verdict.INCONCLUSIVE: ("IND-STREAM-01", [UNDETERMINED]),
    Verdict.ERROR: ("IND-STREAM-01", [SATISFIED, BROKE]),
    Verdict.NOT_APPLICABLE: ("IND-FDC-13", []),
    Verdict.NOT_EXERCISED: ("IND-STREAM-01", []),
}
"""A requirement and the findings that give it the verdict, for kernel-tcp."""
OTHER = case("other", finding("IND-STREAM-02", SATISFIED))
"""So that something is decided in any case."""


def entry(requirement: str = "IND-STREAM-01", *, days: int = 30, provider: str = "kernel-tcp") -> Entry:
    return Entry(provider, requirement, "known", "net team", DAY + timedelta(days=days))


def run(*cases: Any, entries: tuple[Entry, ...] = (), **others: Any) -> Results:
    return msgspec.structs.replace(results_of(*cases, **others), baseline=Baseline("base.toml", DAY, entries))


def of_verdict(verdict: Verdict, entries: tuple[Entry, ...] = (), **others: Any) -> Results:
    requirement, outcomes = MADE_BY[verdict]
    return run(*(case(f"c{n}", finding(requirement, each)) for n, each in enumerate(outcomes)), OTHER, entries=entries)


def parts(decided: Gate) -> dict[str, int]:
    names = ("unexcused", "excused", "stale", "expired", "unconfirmed", "unmatched")
    return {name: len(getattr(decided, name)) for name in names if getattr(decided, name)}


@pytest.mark.parametrize(
    ("verdict", "listed", "last_day", "first_day_after", "not_listed"),
    [
        (Verdict.PASS, (1, "stale"), (1, "stale"), (1, "stale"), 0),
        (Verdict.DEVIATION, (1, "stale"), (1, "stale"), (1, "stale"), 0),
        (Verdict.RECORDED, (1, "stale"), (1, "stale"), (1, "stale"), 0),
        (Verdict.FAIL, (0, "excused"), (0, "excused"), (1, "expired"), 1),
        (Verdict.INCONCLUSIVE, (0, "unconfirmed"), (0, "unconfirmed"), (1, "expired"), 0),
        (Verdict.NOT_EXERCISED, (0, "unconfirmed"), (0, "unconfirmed"), (1, "expired"), 0),
        (Verdict.ERROR, (1, "unconfirmed"), (1, "unconfirmed"), (1, "expired"), 1),
        (Verdict.NOT_APPLICABLE, (1, "unmatched"), (1, "unmatched"), (1, "unmatched"), 0),
    ],
)
def test_every_verdict_with_every_entry(
    verdict: Verdict,
    listed: tuple[int, str],
    last_day: tuple[int, str],
    first_day_after: tuple[int, str],
    not_listed: int,
) -> None:
    requirement = MADE_BY[verdict][0]
    for days, (status, part) in ((30, listed), (0, last_day), (-1, first_day_after)):
        decided = gate(of_verdict(verdict, (entry(requirement, days=days),)))
        assert (decided.status, decided.is_open) == (status, status == 0), days
        unexcused = {"unexcused": 1} if verdict is Verdict.FAIL and part == "expired" else {}
        assert parts(decided) == {part: 1, **unexcused}, days
        (ruled,) = getattr(decided, part)
        assert (ruled.provider, ruled.requirement, ruled.verdict) == ("kernel-tcp", requirement, verdict)
        assert ruled.entry == entry(requirement, days=days)
    assert gate(of_verdict(verdict)).status == not_listed
    assert parts(gate(of_verdict(verdict))) == ({"unexcused": 1} if verdict is Verdict.FAIL else {})


verdicts, days = st.sampled_from(list(Verdict)), st.integers(-3, 3)


@given(verdicts, days, st.booleans())
def test_an_entry_excuses_a_failure_before_its_end_and_nothing_else(verdict: Verdict, left: int, whole: bool) -> None:
    found = standing(entry(days=left), verdict, DAY, whole=whole)
    assert (found is Standing.EXCUSED) == (verdict is Verdict.FAIL and left >= 0)
    if found in (Standing.EXCUSED, Standing.UNCONFIRMED):
        assert left >= 0
    if found is Standing.STALE:
        assert whole


@given(st.lists(st.tuples(verdicts, st.none() | days), max_size=8), st.booleans())
def test_every_entry_has_one_standing_and_the_gate_is_open_only_if_all_of_them_hold(
    made: list[tuple[Verdict, int | None]], whole: bool
) -> None:
    """A provider for each verdict, with or without an entry."""
    names = [f"p{n}" for n in range(len(made))]
    cases, entries = [case("other", finding("IND-STREAM-02", SATISFIED), provider="steady")], []
    for name, (verdict, left) in zip(names, made, strict=True):
        requirement, outcomes = MADE_BY[verdict]
        cases += [case(f"c{n}", finding(requirement, each), provider=name) for n, each in enumerate(outcomes)]
        entries += [] if left is None else [entry(requirement, days=left, provider=name)]
    planned = len(cases) if whole else len(cases) + 1
    runs = [provider(name) for name in (*names, "steady")]
    decided = gate(run(*cases, entries=tuple(entries), providers=runs, planned=planned))
    sorted_entries = [
        ruled.entry
        for part in (decided.excused, decided.stale, decided.expired, decided.unconfirmed, decided.unmatched)
        for ruled in part
    ]
    assert len(sorted_entries) == len(entries) and all(each in sorted_entries for each in entries)
    excused = {ruled.provider for ruled in decided.excused}
    failing = {name for name, (verdict, _) in zip(names, made, strict=True) if verdict is Verdict.FAIL}
    assert {ruled.provider for ruled in decided.unexcused} == failing - excused
    good = whole and failing == excused and not (decided.stale or decided.expired or decided.unmatched)
    assert decided.is_open == (good and not any(verdict is Verdict.ERROR for verdict, _ in made))
    for name in names:
        assert (decided.excuse(name, "IND-STREAM-01") is not None) == (name in excused)


# --- what the run did not get to --------------------------------------------------------------------------------------


def test_a_pass_in_a_run_that_was_cut_short_confirms_nothing() -> None:
    results = run(OTHER, entries=(entry("IND-STREAM-02"),), planned=2)
    assert parts(gate(results)) == {"unconfirmed": 1}
    assert gate(results).status == 1
    assert gate(results).sentence == "Interrupted after 1 of 2 cases: no gate."


def test_an_excused_failure_does_not_open_the_gate_of_a_run_that_was_cut_short() -> None:
    results = run(case("c", finding("IND-STREAM-01", VIOLATED)), entries=(entry(),), planned=2)
    assert parts(gate(results)) == {"excused": 1}
    assert gate(results).status == 1


def test_an_entry_of_a_provider_that_could_not_be_tested_is_not_confirmed() -> None:
    runs = [provider(), provider("mine", UNIX_STREAM, problem="does not start")]
    for identity in ("ERR-01", "WIRE-FIN-01"):  # the second would not apply, but what it is was never asked
        decided = gate(run(OTHER, entries=(entry(identity, provider="mine"),), providers=runs))
        assert (decided.status, parts(decided)) == (1, {"unconfirmed": 1})


@pytest.mark.parametrize("wrong", [entry(provider="another"), entry("NO-SUCH-01")])
def test_an_entry_of_nothing_in_these_results_closes_the_gate(wrong: Entry) -> None:
    decided = gate(run(OTHER, entries=(wrong,)))
    assert (decided.status, parts(decided)) == (1, {"unmatched": 1})


def test_where_nothing_was_judged_a_baseline_changes_nothing() -> None:
    assert gate(run(case("c", finding("IND-STREAM-01", UNDETERMINED)), entries=(entry(),))).status == 3
    assert gate(run(planned=3, entries=(entry(days=-1),))).status == 3


# --- in words ---------------------------------------------------------------------------------------------------------

FAILED = case("c", finding("IND-STREAM-01", VIOLATED), finding("IND-STREAM-02", VIOLATED))


@pytest.mark.parametrize(
    ("cases", "entries", "sentence"),
    [
        ([OTHER], (), "The gate is open: nothing failed (1 case for 1 provider)."),
        (
            [FAILED],
            (entry(), entry("IND-STREAM-02")),
            "The gate is open: 2 failures are excused by base.toml, and nothing else failed (1 case for 1 provider).",
        ),
        (
            [FAILED],
            (entry(),),
            "The gate is closed: 1 requirement failed; 1 failure is excused (1 case for 1 provider).",
        ),
        (
            [OTHER],
            (entry("IND-STREAM-02"),),
            "The gate is closed: 1 entry of base.toml excuses what does not fail: remove it (1 case for 1 provider).",
        ),
        (
            [FAILED],
            (entry(days=-1), entry("IND-STREAM-02")),
            "The gate is closed: 1 requirement failed, 1 entry of base.toml has expired; 1 failure is excused "
            "(1 case for 1 provider).",
        ),
        (
            [OTHER],
            (entry("IND-FDC-13"),),
            "The gate is closed: 1 entry of base.toml matches nothing (1 case for 1 provider).",
        ),
    ],
)
def test_the_sentence(cases: list[Any], entries: tuple[Entry, ...], sentence: str) -> None:
    assert gate(run(*cases, entries=entries)).sentence == sentence


def test_an_entry_in_words() -> None:
    (excused,) = gate(of_verdict(Verdict.FAIL, (entry(),))).excused
    assert about(excused) == "known (net team, until 2030-07-15)"
    (stale,) = gate(of_verdict(Verdict.PASS, (entry(),))).stale
    assert about(stale) == "pass; known (net team, until 2030-07-15)"


# --- one case ---------------------------------------------------------------------------------------------------------

BASELINE = Baseline("base.toml", DAY, (entry(), entry("IND-STREAM-02", days=-1)))


@pytest.mark.parametrize(
    ("findings", "excused"),
    [
        ([("IND-STREAM-01", VIOLATED)], True),
        ([("IND-STREAM-01", VIOLATED), ("IND-STREAM-03", SATISFIED)], True),
        ([("IND-STREAM-01", VIOLATED), ("IND-STREAM-05", VIOLATED)], True),  # a deviation closes nothing
        ([("IND-STREAM-01", VIOLATED), ("IND-STREAM-02", VIOLATED)], False),  # expired
        ([("IND-STREAM-01", VIOLATED), ("IND-STREAM-03", VIOLATED)], False),  # not listed
        ([("IND-STREAM-01", VIOLATED), ("IND-STREAM-01", BROKE)], False),
        ([("IND-STREAM-01", VIOLATED), ("IND-STREAM-03", BROKE)], False),
        ([("IND-STREAM-01", BROKE)], False),
        ([("IND-STREAM-01", SATISFIED)], False),
        ([], False),
    ],
)
def test_a_case_is_excused_if_all_that_failed_in_it_is(findings: list[tuple[str, Conclusion]], excused: bool) -> None:
    made = case("c", *(finding(identity, outcome) for identity, outcome in findings))
    assert bool(excuses(made, BASELINE)) is excused
    assert excuses(made, None) == ()


def test_a_case_that_broke_is_not_excused() -> None:
    assert excuses(case("c", finding("IND-STREAM-01", VIOLATED), problem="the agent died"), BASELINE) == ()


def test_another_provider_is_not_excused() -> None:
    assert excuses(case("c", finding("IND-STREAM-01", VIOLATED), provider="mine"), BASELINE) == ()
