# SPDX-License-Identifier: MIT
"""The kill matrix: what became of each mutant, and what has never been seen to fail."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from conformance.oracle import judging
from conformance.oracle.findings import Conclusion, Finding
from conformance.oracle.results import CaseResult
from conformance.reporting import killing
from conformance.reporting.killing import Tried, matrix
from conformance.reporting.killmatrix import ALL_KILLED, NOT_ALL, NOTHING_RAN, Fate, KillMatrix, MutantRow
from conformance.reporting.killsummary import print_matrix
from conformance.reporting.results import BadResults, load, save
from tests.reporting.kills import mutant
from tests.reporting.runs import case, finding, provider, results_of

SOUND, BROKEN = "kernel-tcp", "kernel-tcp+wrong"
NAMED, OTHER = "IND-STREAM-01", "IND-STREAM-02"
OPTIONAL, INAPPLICABLE = "IND-STREAM-05", "IND-MSG-01"
GOOD, BAD, BROKE = Conclusion.SATISFIED, Conclusion.VIOLATED, Conclusion.ERROR


def of(name: str, **conclusions: Conclusion) -> CaseResult:
    """One case of that provider; requirements as keywords, with _ for -."""
    findings: list[Finding] = [finding(key.replace("_", "-"), value) for key, value in conclusions.items()]
    return case("a::b", *findings, provider=name, evidence=f"mutants/{name}/b.jsonl")


def tried(*kills: str, planned: int = 1) -> Tried:
    return Tried(BROKEN, "wrong", SOUND, "It is wrong.", kills or (NAMED,), planned, "indicating")


def judged(*cases: CaseResult, mutant: Tried | None = None, problem: str = "") -> KillMatrix:
    providers = [provider(SOUND), provider(BROKEN, problem=problem)]
    return matrix(results_of(*cases, providers=providers), [mutant or tried()], demanded=[NAMED])


@pytest.mark.parametrize(
    ("mutant", "sound", "broken", "fate", "caught", "status"),
    [
        (tried(), {"IND_STREAM_01": GOOD}, {"IND_STREAM_01": BAD}, Fate.KILLED, [NAMED], ALL_KILLED),
        (tried(), {}, {"IND_STREAM_01": GOOD}, Fate.SURVIVED, [], NOT_ALL),
        (tried(), {}, {}, Fate.SURVIVED, [], NOT_ALL),
        (tried(), {}, {"IND_STREAM_02": BAD}, Fate.ELSEWHERE, [OTHER], NOT_ALL),
        (tried(), {}, {"IND_STREAM_01": BROKE}, Fate.BROKE, [], NOT_ALL),
        # One of two is not enough.
        (tried(NAMED, OTHER), {}, {"IND_STREAM_01": BAD, "IND_STREAM_02": GOOD}, Fate.ELSEWHERE, [NAMED], NOT_ALL),
        (
            tried(NAMED, OTHER),
            {},
            {"IND_STREAM_01": BAD, "IND_STREAM_02": BAD},
            Fate.KILLED,
            [NAMED, OTHER],
            ALL_KILLED,
        ),
        # What does not apply there does not count; what is named comes first.
        (tried(INAPPLICABLE, NAMED), {}, {"IND_STREAM_01": BAD}, Fate.KILLED, [NAMED], ALL_KILLED),
        (tried(OTHER), {}, {"IND_STREAM_01": BAD, "IND_STREAM_02": BAD}, Fate.KILLED, [OTHER, NAMED], NOT_ALL),
        (tried(INAPPLICABLE), {}, {"IND_STREAM_01": GOOD}, Fate.SURVIVED, [], NOT_ALL),
        # A recommendation kills by a deviation.
        (tried(OPTIONAL), {}, {"IND_STREAM_05": BAD}, Fate.KILLED, [OPTIONAL], NOT_ALL),
        # What the sound provider fails as well shows nothing.
        (tried(), {"IND_STREAM_01": BAD}, {"IND_STREAM_01": BAD}, Fate.SURVIVED, [], NOT_ALL),
        (
            tried(),
            {"IND_STREAM_02": BAD},
            {"IND_STREAM_01": BAD, "IND_STREAM_02": BAD},
            Fate.KILLED,
            [NAMED],
            ALL_KILLED,
        ),
    ],
)
def test_what_became_of_a_mutant(
    mutant: Tried,
    sound: dict[str, Conclusion],
    broken: dict[str, Conclusion],
    fate: Fate,
    caught: list[str],
    status: int,
) -> None:
    found = judged(of(SOUND, **sound), of(BROKEN, **broken), mutant=mutant)
    row = found.mutants[0]
    assert (row.fate, [death.requirement for death in row.caught]) == (fate, caught)
    assert bool(row.reason) is (fate is not Fate.KILLED)
    assert found.status == status


def test_what_the_sound_provider_violates_counts_for_nothing_in_that_case_alone() -> None:
    def at(name: str, identity: str, conclusion: Conclusion) -> CaseResult:
        return case(identity, finding(NAMED, conclusion), provider=name, evidence=f"mutants/{name}/{identity}.jsonl")

    disputed = [at(SOUND, "a::b", BAD), at(SOUND, "a::c", GOOD), at(BROKEN, "a::b", BAD)]
    (row,) = judged(*disputed, at(BROKEN, "a::c", BAD)).mutants
    assert (row.fate, [death.case for death in row.caught], row.reason) == (Fate.KILLED, ["a::c"], "")
    (row,) = judged(*disputed, at(BROKEN, "a::c", GOOD)).mutants
    assert (row.fate, row.caught) == (Fate.SURVIVED, ())
    assert row.reason == f"the sound provider fails {NAMED} as well"


def test_a_mutant_that_was_cut_short_was_not_run_unless_it_is_dead_already() -> None:
    short = judged(of(BROKEN, IND_STREAM_01=GOOD), mutant=tried(planned=2))
    dead = judged(of(BROKEN, IND_STREAM_01=BAD), mutant=tried(planned=2))
    assert (short.mutants[0].fate, short.status) == (Fate.NOT_RUN, NOTHING_RAN)
    assert "1 of 2 cases" in short.mutants[0].reason
    assert (dead.mutants[0].fate, dead.status) == (Fate.KILLED, ALL_KILLED)


def test_what_could_not_be_tried_says_why() -> None:
    found = judged(problem="no /dev/net/tun")
    assert (found.mutants[0].fate, found.mutants[0].reason, found.status) == (
        Fate.NOT_RUN,
        "no /dev/net/tun",
        NOTHING_RAN,
    )


def test_a_death_says_where_it_was_seen() -> None:
    death = judged(of(BROKEN, IND_STREAM_01=BAD)).mutants[0].caught[0]
    assert (death.case, death.evidence) == ("a::b", f"mutants/{BROKEN}/b.jsonl")


def test_a_death_says_what_was_seen_first_and_a_mutant_what_it_is_about() -> None:
    findings = [finding(NAMED, GOOD, "well"), finding(NAMED, BAD, "no end"), finding(NAMED, BAD, "no end again")]
    row = judged(case("a::b", *findings, provider=BROKEN, evidence="e")).mutants[0]
    assert row.caught[0].because == "no end"
    assert row.subject == "indicating"


def test_what_is_demanded_is_what_binds_applies_and_has_a_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(killing, "judged", lambda: judging.judged() - {"WIRE-FIN-07"})
    whole = matrix(results_of(of(BROKEN, IND_STREAM_01=BAD), providers=[provider(SOUND), provider(BROKEN)]), [tried()])
    assert {NAMED, OTHER} <= set(whole.demanded)
    assert not {OPTIONAL, INAPPLICABLE, "IND-ABORT-04", "WIRE-FIN-07"} & set(whole.demanded)
    assert whole.covered == {NAMED}
    assert NAMED not in whole.uncovered
    assert OTHER in whole.uncovered


def test_a_requirement_is_covered_only_by_a_mutant_that_was_made_for_it() -> None:
    found = judged(of(BROKEN, IND_STREAM_01=BAD, IND_STREAM_02=BAD), mutant=tried(OTHER))
    assert found.covered == {OTHER}
    assert found.uncovered == (NAMED,)


def test_a_provider_that_was_not_met_demands_nothing() -> None:
    providers = [provider(SOUND, problem="gone"), provider(BROKEN)]
    found = matrix(results_of(providers=providers), [tried()])
    assert found.demanded == ()
    assert found.missing == {SOUND: "gone"}


def test_a_matrix_is_stored_and_becomes_a_part_of_results_of_the_same_suite(tmp_path: Path) -> None:
    found = judged(of(BROKEN, IND_STREAM_01=BAD))
    save(results_of(), tmp_path / "results.json")
    now = killing.save(found, tmp_path)
    assert killing.load(tmp_path / "mutants.json").matrix == found
    assert load(tmp_path / "results.json").mutants == found
    assert load(tmp_path / "results.json") == now
    old = msgspec.structs.replace(results_of(), suite=msgspec.structs.replace(results_of().suite, version="0"))
    save(old, tmp_path / "results.json")
    assert killing.save(found, tmp_path) is None
    assert load(tmp_path / "results.json").mutants is None


def test_only_the_evidence_that_tells_something_is_kept(tmp_path: Path) -> None:
    dead = mutant("dead", Fate.KILLED, ("IND-ABORT-02",), ("IND-ABORT-02",))
    alive = mutant("alive", Fate.SURVIVED, ("IND-ABORT-02",), over="reference")
    everywhere = ("kernel-tcp", "kernel-tcp+dead", "reference", "reference+alive")
    stems = [f"{name}/{stem}" for name in everywhere for stem in ("IND-ABORT-02", "other")]
    files = [f"{stem}.{kind}" for stem in stems for kind in ("jsonl", "pcapng")]
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    killing.drop_the_rest(KillMatrix(mutants=(dead, alive), demanded=()), tmp_path)
    kept = {str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*")}
    assert kept == {file for file in files if "kernel-tcp" not in file or "other" not in file}


def test_a_matrix_of_before_pages_is_still_read() -> None:
    row = judged(of(BROKEN, IND_STREAM_01=BAD)).mutants[0]
    old = msgspec.to_builtins(row)
    del old["subject"], old["caught"][0]["because"]
    again = msgspec.convert(old, MutantRow)
    assert (again.subject, again.caught[0].because) == ("", "")


@pytest.mark.parametrize("content", [b'{"schema": 1', b"", b"[" * 100_000, b"\xff"])
def test_a_matrix_that_cannot_be_read_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mutants.json").write_bytes(content)
    with pytest.raises(BadResults):
        killing.load(tmp_path / "mutants.json")


def printed(found: KillMatrix, output: Path = Path("report")) -> str:
    stream = io.StringIO()
    print_matrix(found, Console(file=stream, width=100), output, page=Path("report/mutants.html"))
    return stream.getvalue()


def test_survivors_come_first_and_what_is_not_covered_before_the_totals() -> None:
    rows = [
        judged(of(BROKEN, **broken), mutant=tried(NAMED)).mutants[0]
        for broken in ({"IND_STREAM_01": BAD}, {"IND_STREAM_02": BAD}, {"IND_STREAM_01": GOOD})
    ]
    text = printed(KillMatrix(mutants=tuple(rows), demanded=(NAMED, OTHER)))
    places = [text.index(part) for part in ("SURVIVED", "CAUGHT ELSEWHERE", "NOT COVERED", "3 mutants:")]
    assert places == sorted(places)
    assert "3 mutants: 1 killed, 1 survived, 1 caught elsewhere. 1 of 2 requirements covered." in text
    assert OTHER in text[places[2] : places[3]]
    assert text.splitlines()[-1] == "Report: report/mutants.html"


def test_a_name_cannot_be_markup_or_move_the_cursor() -> None:
    row = judged(of(BROKEN, IND_STREAM_01=GOOD)).mutants[0]
    hostile = msgspec.structs.replace(row, says="[red]\x1b[2J", reason="[bold]x")
    text = printed(KillMatrix(mutants=(hostile,), demanded=()))
    assert "[red]\\x1b[2J" in text
    assert "[bold]x" in text


def test_evidence_is_named_where_some_was_kept(tmp_path: Path) -> None:
    found = KillMatrix(mutants=(), demanded=())
    assert "Evidence" not in printed(found, tmp_path)
    (tmp_path / "mutants").mkdir()
    assert "Evidence" in printed(found, tmp_path)
