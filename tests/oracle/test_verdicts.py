# SPDX-License-Identifier: MIT
"""From traces to findings, and from findings to verdicts: what broke, what was not reached, and what wins."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import pytest

from conformance.catalogue.catalogue import load
from conformance.catalogue.requirement import Level
from conformance.oracle import judging
from conformance.oracle.findings import Conclusion, Expectation, Finding
from conformance.oracle.judging import judge, judged, judges, judges_case
from conformance.oracle.results import CaseResult, ProviderRun, case_verdict, judge_case
from conformance.oracle.verdicts import Verdict, requirement_verdict, verdict_of, worst
from conformance.trace.history import Connection
from tests.oracle.story import KERNEL_TCP, PEER, UNIX_STREAM, Story

S, V, U, E = Conclusion.SATISFIED, Conclusion.VIOLATED, Conclusion.UNDETERMINED, Conclusion.ERROR
REQUIRED = (Level.MANDATORY, Level.CONDITIONAL)

# Level by level: a mandatory requirement that applies, a recommendation, a record.
ROLL_UP = [
    ((), Verdict.NOT_EXERCISED, Verdict.NOT_EXERCISED, Verdict.NOT_EXERCISED),
    ((S,), Verdict.PASS, Verdict.PASS, Verdict.RECORDED),
    ((V,), Verdict.FAIL, Verdict.DEVIATION, Verdict.RECORDED),
    ((U,), Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE),
    ((E,), Verdict.ERROR, Verdict.ERROR, Verdict.ERROR),
    ((S, U), Verdict.PASS, Verdict.PASS, Verdict.RECORDED),
    ((S, V), Verdict.FAIL, Verdict.DEVIATION, Verdict.RECORDED),
    ((V, U), Verdict.FAIL, Verdict.DEVIATION, Verdict.RECORDED),
    ((S, E), Verdict.ERROR, Verdict.ERROR, Verdict.ERROR),
    ((U, E), Verdict.ERROR, Verdict.ERROR, Verdict.ERROR),
    ((V, E), Verdict.FAIL, Verdict.ERROR, Verdict.ERROR),
    ((S, V, U, E), Verdict.FAIL, Verdict.ERROR, Verdict.ERROR),
]


@pytest.mark.parametrize(("outcomes", "required", "optional", "informative"), ROLL_UP)
def test_the_findings_of_a_requirement_are_rolled_up(
    outcomes: tuple[Conclusion, ...], required: Verdict, optional: Verdict, informative: Verdict
) -> None:
    for order in (outcomes, outcomes[::-1], outcomes * 3):
        assert [verdict_of(level, order) for level in REQUIRED] == [required] * 2
        assert verdict_of(Level.OPTIONAL, order) is optional
        assert verdict_of(Level.INFORMATIVE, order) is informative


def test_a_requirement_that_does_not_apply_has_no_other_verdict() -> None:
    requirement = load()["IND-STREAM-01"]
    messages = msgspec.structs.replace(KERNEL_TCP, service_flags=(*KERNEL_TCP.service_flags, "MESSAGE_ORIENTED"))
    findings = [Finding(requirement="IND-STREAM-01", outcome=V, because="")]
    assert requirement_verdict(requirement, messages, findings) is Verdict.NOT_APPLICABLE
    assert requirement_verdict(requirement, KERNEL_TCP, findings) is Verdict.FAIL
    assert requirement_verdict(requirement, KERNEL_TCP, []) is Verdict.NOT_EXERCISED


def test_the_worst_verdict_is_shown() -> None:
    order = [
        *(Verdict.FAIL, Verdict.ERROR, Verdict.DEVIATION),
        *(Verdict.INCONCLUSIVE, Verdict.PASS, Verdict.RECORDED),
    ]
    for place, verdict in enumerate(order):
        assert worst(reversed(order[place:])) is verdict
    assert worst([]) is Verdict.INCONCLUSIVE


# --- judge ------------------------------------------------------------------------------------------------------------


def ended(*exercises: str) -> Story:
    """The peer has ended, and the IUT has been told twice."""
    story = Story(exercises=exercises)
    story.peer.shutdown("send")
    story.fin(PEER)
    story.iut.recv()
    story.iut.recv()
    return story


def findings_of(story: Story) -> dict[str, Conclusion]:
    return {finding.requirement: finding.outcome for finding in judge(story.trace())}


def test_every_judge_sees_every_trace() -> None:
    found = findings_of(ended())
    assert {found[i] for i in ("IND-STREAM-01", "IND-STREAM-03", "POSIX-RECV-01")} == {S}


def test_judging_again_tells_the_same() -> None:
    trace = ended("IND-STREAM-01").trace()
    assert judge(trace) == judge(trace)


def test_findings_point_at_events_of_the_trace() -> None:
    trace = ended().trace()
    for finding in judge(trace):
        assert finding.events
        assert set(finding.events) <= {event.n for event in trace.events}


def test_what_was_meant_and_not_found_is_undetermined() -> None:
    story = ended("IND-ABORT-01")
    (finding,) = story.judge("IND-ABORT-01")
    assert (finding.outcome, finding.because) == (U, "the case ran, and its trace does not show the stimulus")


def test_why_the_stimulus_could_not_be_made_is_told() -> None:
    story = ended("IND-ABORT-01")
    story.note("cannot exercise", reason="no linger here")
    (finding,) = story.judge("IND-ABORT-01")
    assert (finding.outcome, finding.because) == (U, "no linger here")


def test_what_does_not_apply_is_neither_meant_nor_judged() -> None:
    story = ended("IND-MSG-01", "IND-ABORT-03")
    assert not {"IND-MSG-01", "IND-ABORT-03"} & findings_of(story).keys()


@pytest.mark.parametrize(("member", "outcome"), [("problem", E), ("unavailable", U)])
def test_a_case_that_broke_or_was_not_tried_proves_nothing(member: str, outcome: Conclusion) -> None:
    story = ended("IND-STREAM-01", "IND-MSG-01")
    story.header = msgspec.structs.replace(story.header, **{member: "the agent died"})
    findings = judge(story.trace())
    assert [(f.requirement, f.outcome, f.because) for f in findings] == [("IND-STREAM-01", outcome, "the agent died")]


def test_a_case_that_broke_is_an_error_even_where_nothing_was_tried() -> None:
    story = ended("IND-STREAM-01")
    story.header = msgspec.structs.replace(story.header, problem="the agent died", unavailable="no such topology")
    assert findings_of(story) == {"IND-STREAM-01": E}


@pytest.fixture
def broken_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(connection: Connection, accepted: Expectation) -> Iterator[Finding]:
        yield accepted.satisfied("so far, so good")
        raise RuntimeError("no further")

    judged()
    monkeypatch.setitem(judging._of_connections, "IND-STREAM-01", breaks)


@pytest.mark.usefixtures("broken_judge")
def test_a_judge_that_breaks_is_an_error_and_ends_nothing() -> None:
    story = ended()
    found = [(f.outcome, f.because) for f in story.judge("IND-STREAM-01")]
    assert found[-1] == (E, "the judge broke: RuntimeError: no further")
    assert verdict_of(Level.MANDATORY, [outcome for outcome, _ in found]) is Verdict.ERROR
    assert findings_of(story)["POSIX-RECV-01"] is S


@pytest.mark.parametrize("register", [judges, judges_case])
def test_a_judge_is_for_a_requirement_of_the_catalogue(register: Callable[[str], Callable[..., object]]) -> None:
    with pytest.raises(ValueError, match=r"no requirement 'IND-STREM-01' in the catalogue; near: IND-STREAM-01"):
        register("IND-STREM-01")(lambda seen, accepted: ())


@pytest.mark.parametrize(("register", "taken"), [(judges, "IND-STREAM-01"), (judges_case, "ERR-01")])
def test_a_requirement_has_one_judge(register: Callable[[str], Callable[..., object]], taken: str) -> None:
    judged()
    with pytest.raises(ValueError, match=f"{taken} has a judge already: <function "):
        register(taken)(lambda seen, accepted: ())
    assert taken in judged()


def test_a_case_without_a_connection_is_judged_all_the_same() -> None:
    assert judge(Story(connected=False).trace()) == ()


# --- cases ------------------------------------------------------------------------------------------------------------


def of(requirement: str, outcome: Conclusion) -> Finding:
    return Finding(requirement=requirement, outcome=outcome, because="")


# IND-STREAM-01 is mandatory, IND-STREAM-05 optional, IND-ERR-01 informative.
@pytest.mark.parametrize(
    ("findings", "verdict"),
    [
        ([], Verdict.INCONCLUSIVE),
        ([of("IND-STREAM-01", S)], Verdict.PASS),
        ([of("IND-STREAM-01", U)], Verdict.INCONCLUSIVE),
        ([of("IND-STREAM-01", S), of("IND-STREAM-01", V)], Verdict.FAIL),
        ([of("IND-STREAM-01", S), of("IND-STREAM-02", U)], Verdict.PASS),
        ([of("IND-STREAM-01", S), of("IND-STREAM-02", V)], Verdict.FAIL),
        ([of("IND-STREAM-01", S), of("IND-STREAM-02", E)], Verdict.ERROR),
        ([of("IND-STREAM-01", S), of("IND-STREAM-05", V)], Verdict.DEVIATION),
        ([of("IND-STREAM-01", S), of("IND-ERR-01", V)], Verdict.PASS),
        ([of("IND-STREAM-02", S)], Verdict.INCONCLUSIVE),
    ],
)
def test_a_case_shows_the_worst_of_what_it_meant_and_what_it_met(findings: list[Finding], verdict: Verdict) -> None:
    assert case_verdict(tuple(findings), ("IND-STREAM-01",), load()) is verdict


def test_a_case_sums_up() -> None:
    result = judge_case(ended("IND-STREAM-01").trace(), evidence="evidence/story.jsonl", duration_s=0.5)
    assert (result.id, result.provider, result.topology) == ("story", "story", "loopback")
    assert (result.verdict, result.evidence, result.duration_s) == (Verdict.PASS, "evidence/story.jsonl", 0.5)
    assert "IND-STREAM-03" in {finding.requirement for finding in result.findings}


def test_a_case_leaves_undetermined_only_what_it_meant() -> None:
    story = Story(UNIX_STREAM, exercises=("IND-ABORT-01",))
    story.peer.linger(0)
    story.peer.close()
    story.iut.recv()
    result = judge_case(story.trace())
    undetermined = {finding.requirement for finding in result.findings if finding.outcome is U}
    assert (undetermined, result.verdict) == ({"IND-ABORT-01"}, Verdict.INCONCLUSIVE)


@pytest.mark.parametrize(("member", "verdict"), [("problem", Verdict.ERROR), ("unavailable", Verdict.INCONCLUSIVE)])
def test_a_case_that_broke_or_was_not_tried(member: str, verdict: Verdict) -> None:
    story = ended("IND-STREAM-01")
    story.header = msgspec.structs.replace(story.header, **{member: "the agent died"})
    assert judge_case(story.trace()).verdict is verdict


@pytest.mark.parametrize(("problem", "verdict"), [("it broke", Verdict.ERROR), ("", Verdict.INCONCLUSIVE)])
def test_a_case_that_broke_is_an_error_also_where_nothing_that_it_exercises_applies(
    problem: str, verdict: Verdict
) -> None:
    trace = Story(exercises=()).trace()
    trace = msgspec.structs.replace(trace, header=msgspec.structs.replace(trace.header, problem=problem))
    assert judge_case(trace).verdict is verdict


def test_times_that_nobody_took_or_that_old_results_do_not_have_are_none() -> None:
    result = judge_case(Story().trace())
    old = msgspec.to_builtins(result)
    del old["duration_s"]
    assert result.duration_s == msgspec.convert(old, CaseResult).duration_s == 0
    run = ProviderRun(name="kernel-tcp", statement=KERNEL_TCP)
    assert (run.settle_ms, run.prompt_ms, run.latency_ms) == (0, 0, 0)
