# SPDX-License-Identifier: MIT
"""What holds of judging whatever the trace: it ends in findings, the same each time, of what is there alone."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from conformance.catalogue.catalogue import load
from conformance.oracle import judging
from conformance.oracle.findings import Conclusion, Expectation, Finding
from conformance.oracle.judging import judge
from conformance.oracle.results import judge_case
from conformance.oracle.verdicts import Verdict, verdict_of
from conformance.trace import store
from conformance.trace.events import End, Event, Noted
from conformance.trace.trace import Trace, in_order
from tests.fuzz.effort import examples, promptly
from tests.fuzz.stories import elsewhere, stories
from tests.oracle.story import Story
from tests.reporting.runs import named, results_of

Found = Counter[tuple[str, Conclusion, str, tuple[int, ...]]]


def found(findings: Iterable[Finding], places: dict[int, int] | None = None) -> Found:
    """The findings as a multiset; `places` maps the numbers of their events."""
    return Counter(
        (f.requirement, f.outcome, f.because, tuple(n if places is None else places[n] for n in f.events))
        for f in findings
    )


def violated(trace: Trace) -> set[str]:
    return {f.requirement for f in judge(trace) if f.outcome is Conclusion.VIOLATED}


def joined(story: Story, added: Iterable[Event]) -> tuple[Trace, dict[int, int]]:
    """The story's trace with events added, and where its own events are in it, by their numbers in its own trace."""
    own = story.trace().events
    trace = Trace(story.header, in_order([*own, *added]))
    numbers = {_said(event): event.n for event in trace.events}
    return trace, {event.n: numbers[_said(event)] for event in own}


def _said(event: Event) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(event, n=0))


@examples(150)
@given(stories())
def test_no_judge_breaks(story: Story) -> None:
    with promptly():
        assert [f for f in judge(story.trace()) if f.outcome is Conclusion.ERROR] == []


@examples(60)
@given(stories())
def test_judging_again_finds_the_same(story: Story) -> None:
    assert judge_case(story.trace()) == judge_case(story.trace())


@examples(60)
@given(stories())
def test_a_trace_that_was_stored_judges_the_same(story: Story) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "case.jsonl"
        store.save(story.trace(), path)
        assert store.load(path) == story.trace()
        assert judge_case(store.load(path)) == judge_case(story.trace())


@examples(40)
@given(stories(), stories())
def test_a_case_alone_or_among_others(story: Story, other: Story) -> None:
    alone = judge_case(named(story, "the case"))
    among = [judge_case(named(other, "another")), judge_case(named(story, "the case"))]
    assert among[1] == alone

    def rows(*cases: object) -> list[object]:
        (provider,) = results_of(*cases).providers  # type: ignore[arg-type]
        return [case for row in provider.requirements for case in row.cases if case.id == "the case"]

    assert rows(*among) == rows(alone)


# --- what is added, and what is taken away ----------------------------------------------------------------------------


@examples(60)
@given(stories(), st.lists(st.tuples(st.integers(0, 10**9), st.sampled_from(End)), max_size=4))
def test_notes_that_nobody_knows_change_nothing(story: Story, notes: list[tuple[int, End]]) -> None:
    first = story.events[0].at if story.events else 0
    added = [Noted(at=first + at, what="a word of no meaning", end=end, details={"reason": "x"}) for at, end in notes]
    trace, places = joined(story, added)
    assert found(judge(story.trace()), places) == found(judge(trace))


@examples(120)
@given(stories(), stories(alive=True), st.integers(1, 10**9).filter(lambda by: by % 10**6))
def test_another_connection_changes_no_finding(story: Story, other: Story, by: int) -> None:
    assume(not any(isinstance(event, Noted) for event in other.events))
    trace, places = joined(story, elsewhere(other.events, by=by))
    own = set(places.values())
    before, after = found(judge(story.trace()), places), found(judge(trace))
    lost = {key: n for key, n in (before - after).items() if key[1] is not Conclusion.UNDETERMINED or key[3]}
    assert not lost, "what was found is not found any more"
    added = {key: n for key, n in (after - before).items() if key[1] is Conclusion.VIOLATED}
    assert all(not own & set(events) for _, _, _, events in added), "violated by what has nothing to do with it"


@examples(60)
@given(stories(), st.data())
def test_a_trace_cut_short_shows_no_violation_that_the_whole_does_not(story: Story, data: st.DataObject) -> None:
    whole = story.trace()
    kept = data.draw(st.integers(0, len(whole.events)))
    assert violated(Trace(whole.header, whole.events[:kept])) <= violated(whole)


# --- what breaks ------------------------------------------------------------------------------------------------------


@examples(60)
@given(stories(), st.text(min_size=1, max_size=5))
def test_a_case_that_broke_gives_errors_and_nothing_else(story: Story, problem: str) -> None:
    trace = story.trace()
    broken = Trace(msgspec.structs.replace(trace.header, problem=problem), trace.events)
    assert {f.outcome for f in judge(broken)} <= {Conclusion.ERROR}
    assert judge_case(broken).verdict in (Verdict.ERROR, Verdict.INCONCLUSIVE)


@examples(60)
@given(stories(), st.sampled_from(sorted(judging.judged())))
def test_a_judge_that_breaks_is_an_error_and_never_a_pass(story: Story, requirement: str) -> None:
    trace = story.trace()
    with pytest.MonkeyPatch.context() as patch:
        for judges in (judging._of_cases, judging._of_connections):
            if requirement in judges:
                patch.setitem(judges, requirement, _broken)
        findings = judge(trace)
    told = [f.outcome for f in findings if f.requirement == requirement]
    applies = load()[requirement].unmet(trace.header.statement) is None
    shown = requirement in judging._of_cases or bool(story.history().connections)
    assert (Conclusion.ERROR in told) is (applies and shown)
    assert verdict_of(load()[requirement].level, told) is not Verdict.PASS
    others = found(f for f in findings if f.requirement != requirement)
    assert others == found(f for f in judge(trace) if f.requirement != requirement)


def _broken(_: object, accepted: Expectation) -> Iterable[Finding]:
    yield accepted.satisfied("not yet broken")
    raise RuntimeError("broken")


# --- in another process -----------------------------------------------------------------------------------------------

_JUDGE = """
import sys
from pathlib import Path
import msgspec
from conformance.oracle.results import judge_case
from conformance.trace.store import load
for path in sorted(Path(sys.argv[1]).iterdir()):
    print(msgspec.json.encode(judge_case(load(path))).decode())
"""


def test_another_process_with_other_hashes_finds_the_same(tmp_path: Path) -> None:
    kept = 0

    @examples(40)
    @given(stories())
    def keep(story: Story) -> None:
        nonlocal kept
        kept += 1
        store.save(story.trace(), tmp_path / f"{kept}.jsonl")

    keep()
    said = {
        subprocess.run(
            [sys.executable, "-c", _JUDGE, str(tmp_path)],
            *(),
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path.cwd())},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(said) == 1
