# SPDX-License-Identifier: MIT
"""`explain`: all that is known of a requirement or a case, and the nearest names for one that is not known."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conformance import locations
from conformance.catalogue import catalogue
from conformance.oracle.findings import Conclusion
from conformance.reporting import casebook
from conformance.reporting.casebook import CaseFunction
from conformance.reporting.explain import LastRun, UnknownName, explain, in_words, newest
from conformance.reporting.failures import expression
from conformance.reporting.results import save
from tests.reporting.runs import BAD, GOOD, case, finding, kept_run, results_of

FUNCTIONS = (
    CaseFunction("indicating/stream_end.py::test_peer_ends_after_data", "The peer ends.", ("IND-STREAM-01",)),
    CaseFunction("wire/relayed.py::test_lost_fin", "The FIN gets lost.", ("WIRE-FIN-03",)),
)


def explained(name: str, last: LastRun | None = None) -> str:
    return " ".join(" ".join(explain(name, FUNCTIONS, last)).split())


def test_a_requirement_is_told_whole() -> None:
    text = explained("IND-STREAM-01")
    for part in (
        "B, Indicating a remote shutdown",
        "mandatory: a breach is a failure",
        "Winsock SPI, WSPRecv (verified)",
        "applies if CONNECTIONLESS is not claimed GRACEFUL_CLOSE is claimed receives act as on a byte stream",
        "The peer shuts down sending; receive with a length above 0.",
        "accepted ZERO_BYTES: The receive succeeds and its length is 0. [Winsock SPI",
        "exercised by indicating/stream_end.py::test_peer_ends_after_data: The peer ends.",
        "no results yet",
    ):
        assert part in text


def test_an_identifier_may_be_written_in_lower_case() -> None:
    assert explained("ind-stream-01") == explained("IND-STREAM-01")


def test_every_requirement_can_be_explained() -> None:
    for identity in catalogue.load():
        assert explained(identity).startswith(identity)


def test_an_unverified_source_is_marked() -> None:
    unverified = next(r for r in catalogue.load().values() if any(not source.verified for source in r.sources))
    assert "(unverified)" in explained(unverified.id)


@pytest.mark.parametrize(
    ("clause", "words"),
    [
        ("not GRACEFUL_CLOSE", "GRACEFUL_CLOSE is not claimed"),
        ("not CONNECTION_ORIENTED", "CONNECTIONLESS is claimed"),
        ("not stream", "message boundaries are kept"),
        ("family:posix | not platform:linux", "the family is posix or the platform is not linux"),
        ("op:send_disconnect", "the operation send_disconnect is claimed"),
        ("surface:poll", "the surface poll is claimed"),
        ("limit:message_max", "message_max is stated"),
    ],
)
def test_conditions_in_words(clause: str, words: str) -> None:
    assert in_words(clause) == words


def test_the_last_verdict_comes_with_the_worst_ladder(tmp_path: Path) -> None:
    last = LastRun(kept_run(tmp_path), tmp_path)
    text = explained("IND-STREAM-01", last)
    assert "kernel-tcp fail: after the peer's graceful end, recv failed with ECONNRESET" in text
    assert "test_peer_ends_after_data[5-close] (kernel-tcp on loopback)" in text
    assert "> 13.000 recv: ECONNRESET" in text


def test_a_case_by_its_id_by_its_function_and_by_its_name(tmp_path: Path) -> None:
    last = LastRun(kept_run(tmp_path), tmp_path)
    assert "kernel-tcp 1 pass again:" in explained(GOOD, last)
    for name in (GOOD.partition("[")[0], "test_peer_ends_after_data"):
        text = explained(name, last)
        assert "kernel-tcp 1 fail, 1 pass" in text
        assert f"fail: {BAD}" in text
        assert "> 13.000 recv: ECONNRESET" in text


@pytest.mark.parametrize(
    "name",
    [
        "test_peer_ends_after_data[kernel-tcp-5-close]",
        "indicating/stream_end.py::test_peer_ends_after_data[kernel-tcp-5-close]",
    ],
)
def test_a_case_by_its_name_in_pytest(tmp_path: Path, name: str) -> None:
    last = LastRun(kept_run(tmp_path), tmp_path)
    text = explained(name, last)
    assert text.startswith(BAD)
    assert "kernel-tcp 1 fail fail:" in text
    with pytest.raises(UnknownName):
        explain(name.replace("kernel-tcp", "unix-stream"), FUNCTIONS, last)


def test_a_case_as_the_command_to_run_it_again_selects_it(tmp_path: Path) -> None:
    last = LastRun(results_of(case("a.py::test_a[1 (b)]", finding("IND-STREAM-01", Conclusion.SATISFIED))), tmp_path)
    assert explained(expression("a.py::test_a[1 (b)]", "kernel-tcp"), last).startswith("a.py::test_a[1 (b)]")


def test_a_case_that_is_meant_for_the_requirement_is_preferred(tmp_path: Path) -> None:
    satisfied = finding("IND-STREAM-01", Conclusion.SATISFIED)
    cases = [
        case("a::by_chance", satisfied, evidence="evidence/a.jsonl"),
        case("b::meant", satisfied, evidence="evidence/b.jsonl", exercises=("IND-STREAM-01",)),
    ]
    text = explained("IND-STREAM-01", LastRun(results_of(*cases), tmp_path))
    assert "evidence/b.jsonl" in text
    assert "evidence/a.jsonl" not in text


def test_a_case_without_results_is_explained_from_its_source() -> None:
    text = explained("test_lost_fin")
    assert "story The FIN gets lost." in text
    assert "exercises WIRE-FIN-03: " in text
    assert "no results yet" in text


@pytest.mark.parametrize(
    ("name", "near"), [("IND-STREAM-1", "IND-STREAM-01"), ("test_lost_fn", "test_lost_fin"), ("zzz", None)]
)
def test_an_unknown_name_is_answered_with_the_nearest(name: str, near: str | None) -> None:
    with pytest.raises(UnknownName) as caught:
        explain(name, FUNCTIONS, None)
    assert (near in caught.value.near) if near else not caught.value.near


def test_a_case_with_parameters_that_no_run_had_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(UnknownName):
        explain("test_peer_ends_after_data[6-close]", FUNCTIONS, LastRun(kept_run(tmp_path), tmp_path))


def test_the_newest_run_that_reached_it_is_looked_at(tmp_path: Path) -> None:
    for age, (name, requirement) in enumerate([("c", "IND-STREAM-01"), ("b", "IND-STREAM-02"), ("a", "IND-STREAM-01")]):
        path = tmp_path / name / "results.json"
        save(results_of(case("x::test_x[1]", finding(requirement, Conclusion.SATISFIED))), path)
        os.utime(path, (1000 - age, 1000 - age))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "results.json").write_text("{", "utf-8")
    (tmp_path / "latest").symlink_to("c")

    def looked_at(name: str) -> str:
        last = newest(tmp_path, name)
        assert last is not None
        return last.directory.name

    assert looked_at("IND-STREAM-02") == "b"
    assert looked_at("IND-STREAM-01") == "c"
    assert looked_at("WIRE-FIN-01") == "c"
    assert newest(tmp_path / "nothing", "WIRE-FIN-01") is None


# --- the casebook -----------------------------------------------------------------------------------------------------


def test_requirements_are_read_from_decorators_constants_and_marks(tmp_path: Path) -> None:
    (tmp_path / "group").mkdir()
    (tmp_path / "group" / "one.py").write_text(
        '''
pytestmark = [on("wire"), exercises("A-01")]
BOTH = ("A-02", "A-03")
HARD = [pytest.param(True, marks=exercises("A-04")), pytest.param(False, marks=words.exercises("A-05"))]

@exercises(*BOTH, "A-01")
@pytest.mark.parametrize("hard", HARD)
def test_one(connection, hard):
    """A story
    in two lines."""

def test_two(ends): ...

def helper(): ...
''',
        "utf-8",
    )
    (tmp_path / "broken.py").write_text("def", "utf-8")
    one, two = casebook.read(tmp_path)
    assert (one.id, one.name, one.story) == ("group/one.py::test_one", "test_one", "A story in two lines.")
    assert sorted(one.exercises) == ["A-01", "A-02", "A-03", "A-04", "A-05"]
    assert two.exercises == ("A-01",)
    assert (one.probes, two.probes) == ((), ())


def test_what_a_case_probes_is_read_too(tmp_path: Path) -> None:
    text = '@probes("GRACEFUL_CLOSE", "DISCONNECT_DATA")\ndef test_one(connection):\n    """A story."""\n'
    (tmp_path / "one.py").write_text(text, "utf-8")
    (one,) = casebook.read(tmp_path)
    assert (one.exercises, one.probes) == ((), ("GRACEFUL_CLOSE", "DISCONNECT_DATA"))


def test_the_suites_own_cases_all_tell_what_they_exercise() -> None:
    for function in casebook.read(locations.cases()):
        assert function.story, function.id
        assert function.exercises or function.probes, function.id
        assert set(function.exercises) <= set(catalogue.load()), function.id
