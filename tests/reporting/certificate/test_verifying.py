# SPDX-License-Identifier: MIT
"""Tampering by hand, each kind found and named: by somebody without the key, and by the signer who lies."""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conformance.oracle.results import judge_case
from conformance.oracle.verdicts import Verdict
from conformance.reporting import page, rejudging
from conformance.reporting.certificate import archive, confirming, signing
from conformance.reporting.certificate.bundle import (
    KEY,
    MANIFEST,
    MUTANTS,
    REPORT,
    RESULTS,
    STATEMENT,
    packets_beside,
)
from conformance.reporting.control import control_of
from conformance.reporting.results import Extent, RequirementRow, Results, Suite
from tests.oracle.story import UNIX_STREAM, Story
from tests.reporting.certificate.bundles import (
    REPLACED,
    as_stored,
    certified,
    contents,
    edited,
    moved,
    packed,
    signed_again,
    verified,
    with_manifest,
    with_results,
    wrong,
)
from tests.reporting.kills import mixed_matrix
from tests.reporting.runs import BAD, GOOD, bad_story, good_story, keep, kept_run, named, results_of

pytestmark = pytest.mark.usefixtures("small_page")
OTHER = "indicating/stream_end.py::test_peer_ends_after_data[1-close]"


@dataclass
class Run:
    """A run, its certificate, and a place for what is made of it."""

    directory: Path
    results: Results
    bundle: Path
    files: dict[str, bytes]
    key: Path

    @property
    def tampered(self) -> Path:
        return self.bundle.with_name("tampered.zip")

    def evidence(self, case: str) -> str:
        return next(each.evidence for each in self.results.providers[0].cases if each.id == case)

    def lie(self, results: Results, files: dict[str, bytes] | None = None, **others: Any) -> list[str]:
        """What is found wrong with these results, signed by the signer."""
        changed = with_results(files or self.files, results, self.directory)
        return wrong(verified(signed_again(self.tampered, changed, self.key, **others), self.public))

    @property
    def public(self) -> Path:
        return self.key.with_name(f"{self.key.name}.pub")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """One good case, one bad one, with packets each: it fails IND-STREAM-01 and POSIX-RECV-01."""
    directory = tmp_path / "run"
    results = kept_run(directory)
    for case in results.providers[0].cases:
        (directory / packets_beside(case.evidence)).write_bytes(b"packets of " + case.id.encode())
    bundle = certified(directory)
    return Run(directory, results, bundle, contents(bundle), tmp_path / "key.pem")


def test_an_honest_bundle_has_nothing_wrong_and_says_what_it_cannot_know(run: Run) -> None:
    found = verified(run.bundle, run.public)
    assert not wrong(found)
    assert found.status == 1 and found.sentence.startswith("Verified. The gate is closed: 2 requirements failed")
    assert len(found.account.verified) == 8
    assert any(".pcapng" in each for each in found.account.unverified)
    assert not [each for each in found.account.unverified if "whose key" in each]


def test_signed_again_alone_changes_nothing(run: Run) -> None:
    """So that what the tests below find is the tampering."""
    assert signed_again(run.tampered, run.files, run.key).read_bytes() == run.bundle.read_bytes()
    assert packed(run.tampered, run.files).read_bytes() == run.bundle.read_bytes()


def test_without_a_key_it_says_whose_key_it_did_not_verify(run: Run) -> None:
    found = verified(run.bundle)
    assert not wrong(found)
    assert any("whose key" in each for each in found.account.unverified)
    assert found.sentence.startswith("Verified, except for whose key")
    assert found.signer == signing.fingerprint(signing.load_public(run.public))


def test_another_key_than_the_signers_is_a_finding(run: Run, tmp_path: Path) -> None:
    signing.new_key(tmp_path / "other")
    found = verified(run.bundle, tmp_path / "other.pub")
    (said,) = wrong(found)
    mine = signing.fingerprint(signing.load_public(run.public))
    assert said.startswith(f"{STATEMENT}: signed with another key, {mine}, and not with sha256:")
    assert found.signer == "" and found.status == 1


# --- by somebody without the key --------------------------------------------------------------------------------------


def test_an_edited_verdict(run: Run) -> None:
    for row in ('"level":"mandatory","verdict":"fail"', '"verdict":"fail"'):
        results = run.files[RESULTS].replace(row.encode(), row.replace("fail", "pass").encode())
        said = wrong(verified(packed(run.tampered, {**run.files, RESULTS: results})))
        assert f"{RESULTS}: not the file that was certified: its digest is another" in said
        assert f"{STATEMENT}: it is for another {RESULTS} than this one" in said
        assert [each for each in said if "IND-STREAM-01" in each and "says pass, and the evidence fail" in each]


def test_an_edited_verdict_with_a_manifest_that_fits(run: Run) -> None:
    results = run.files[RESULTS].replace(b'"verdict":"fail"', b'"verdict":"pass"')
    said = wrong(verified(with_manifest(run.tampered, {**run.files, RESULTS: results})))
    assert f"{STATEMENT}: it is for another {MANIFEST} than this one" in said
    assert f"{STATEMENT}: it is for another {RESULTS} than this one" in said


def test_a_removed_file_of_each_kind(run: Run) -> None:
    for name in run.files:
        files = {each: content for each, content in run.files.items() if each != name}
        said = wrong(verified(packed(run.tampered, files)))
        assert [each for each in said if each.startswith(f"{name}: missing")], (name, said)


@pytest.mark.parametrize("name", ["evidence/kernel-tcp/more.jsonl", "evidence/x", "more.txt", "results.json.bak"])
def test_an_added_file(run: Run, name: str) -> None:
    said = wrong(verified(packed(run.tampered, {name: b"x", **run.files})))
    assert f"{name}: not in the manifest: it was added" in said


def test_swapped_traces(run: Run) -> None:
    one, other = run.evidence(GOOD), run.evidence(BAD)
    said = wrong(verified(packed(run.tampered, {**run.files, one: run.files[other], other: run.files[one]})))
    for name in (one, other):
        assert f"{name}: not the file that was certified: its digest is another" in said


def test_swapped_packets(run: Run) -> None:
    one, other = packets_beside(run.evidence(GOOD)), packets_beside(run.evidence(BAD))
    said = wrong(verified(packed(run.tampered, {**run.files, one: run.files[other], other: run.files[one]})))
    assert {each.partition(": ")[0] for each in said} == {one, other}


def test_an_edited_trace_whose_seal_fits(run: Run, tmp_path: Path) -> None:
    edited_trace = keep(named(good_story(), BAD), tmp_path / "other").evidence
    name = run.evidence(BAD)
    assert name == edited_trace
    said = wrong(verified(packed(run.tampered, {**run.files, name: (tmp_path / "other" / name).read_bytes()})))
    assert f"{name}: not the file that was certified: its digest is another" in said


def test_the_report_of_another_run(run: Run) -> None:
    said = wrong(verified(packed(run.tampered, {**run.files, REPORT: b"<!doctype html>all is well"})))
    assert f"{REPORT}: not the file that was certified: its digest is another" in said
    assert f"{REPORT}: not the report of these results and this evidence" in said


def test_files_in_another_order(run: Run) -> None:
    files = dict(sorted(run.files.items(), reverse=True))
    said = wrong(verified(packed(run.tampered, {**files, **{n: run.files[n] for n in (MANIFEST, STATEMENT)}})))
    assert said == ["the archive's directory: its files are not in the order of the manifest"]


def test_the_same_content_packed_otherwise(run: Run) -> None:
    """By another level of compression: nothing that is read differs, and it is not the file that was signed."""
    with run.tampered.open("w+b") as file:
        members = []
        for name, content in run.files.items():
            if name != RESULTS:
                one = archive.pack(file, name, [content], stored=name in (MANIFEST, STATEMENT)).member
            else:
                deflate = zlib.compressobj(1, wbits=-15)
                lying = deflate.compress(content) + deflate.flush()
                one = archive.Member(name, False, zlib.crc32(content), len(lying), len(content), file.tell())
                file.write(one.header + lying)
            members.append(one)
        archive.close(file, members)
    said = wrong(verified(run.tampered))
    assert said == [f"{RESULTS}: the content that was certified, but packed otherwise"]


def test_the_statement_of_another_run(run: Run, tmp_path: Path) -> None:
    """Signed with the same key, and so a signature that holds: for something else."""
    results = results_of(*(keep(named(good_story(), case), tmp_path / "other") for case in (GOOD, OTHER)))
    (tmp_path / "other" / RESULTS).write_bytes(as_stored(results))
    theirs = contents(certified(tmp_path / "other", run.key))
    said = wrong(verified(packed(run.tampered, {**run.files, STATEMENT: theirs[STATEMENT]}), run.public))
    assert f"{STATEMENT}: it is for another {RESULTS} than this one" in said
    assert f"{STATEMENT}: it is for another {MANIFEST} than this one" in said
    assert f"{STATEMENT}: it says WARNED, and the results come to FAILED" in said


def test_signed_again_with_a_key_of_ones_own(run: Run, tmp_path: Path) -> None:
    """Nothing is wrong with it but whose key it is: only who has the signer's key finds that."""
    own = tmp_path / "own"
    signing.new_key(own)
    files = {**run.files, KEY: own.with_name("own.pub").read_bytes()}
    forged = signed_again(run.tampered, files, own)
    assert not wrong(verified(forged))
    assert [each for each in wrong(verified(forged, run.public)) if "signed with another key" in each]


def test_a_key_in_the_bundle_that_did_not_sign(run: Run, tmp_path: Path) -> None:
    signing.new_key(tmp_path / "own")
    files = {**run.files, KEY: (tmp_path / "own.pub").read_bytes()}
    for trusted in (None, run.public):
        said = wrong(verified(packed(run.tampered, files), trusted))
        assert f"{KEY}: not the file that was certified: its digest is another" in said
        assert f"{KEY}: not the key that the statement says it is signed with" in said


def test_a_key_id_that_is_not_the_keys(run: Run) -> None:
    said = json.loads(run.files[STATEMENT])
    said["signatures"][0]["keyid"] = "0" * 64
    content = json.dumps(said, separators=(",", ":")).encode() + b"\n"
    found = verified(packed(run.tampered, {**run.files, STATEMENT: content}))
    assert [each for each in wrong(found) if "signed with another key, sha256:000" in each]


def test_what_is_signed_changed(run: Run) -> None:
    said = json.loads(run.files[STATEMENT])
    payload = base64.b64decode(said["payload"]).replace(b"FAILED", b"PASSED")
    said["payload"] = base64.b64encode(payload).decode()
    content = json.dumps(said, separators=(",", ":")).encode() + b"\n"
    found = verified(packed(run.tampered, {**run.files, STATEMENT: content}))
    assert (
        f"{STATEMENT}: the signature does not hold: it is not the signature of this key over this statement"
        in wrong(found)
    )
    assert found.signer == ""


@pytest.mark.parametrize("name", [MANIFEST, STATEMENT, KEY, RESULTS])
@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"\xff", b"[" * 100_000, b'{"bundle":0,"files":[]}'],
    ids=[str(number) for number in range(6)],
)
def test_a_file_that_holds_something_else(run: Run, name: str, content: bytes) -> None:
    found = verified(packed(run.tampered, {**run.files, name: content}))
    assert [each for each in wrong(found) if each.startswith(f"{name}: ")]
    assert found.status == 1


def test_an_interrupted_verification_leaves_nothing(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    seen: list[list[Path]] = []

    def interrupted(*_: object) -> None:
        seen.append(list((tmp_path / "scratch").rglob("*.jsonl")))
        raise KeyboardInterrupt

    monkeypatch.setattr(confirming, "rejudge", interrupted)
    with pytest.raises(KeyboardInterrupt):
        verified(run.bundle)
    assert len(seen[0]) == 2
    assert not list((tmp_path / "scratch").iterdir())


# --- by the signer who lies -------------------------------------------------------------------------------------------


def passing(row: RequirementRow) -> RequirementRow:
    return REPLACED(row, verdict=Verdict.PASS) if row.verdict is Verdict.FAIL else row


def test_an_edited_verdict_signed(run: Run) -> None:
    said = run.lie(edited(run.results, rows=passing))
    assert f"{RESULTS}: kernel-tcp, IND-STREAM-01: says pass, and the evidence fail" in said
    assert {each.partition(": ")[0] for each in said} == {RESULTS}


def test_everything_edited_to_pass_signed(run: Run) -> None:
    """Verdicts, findings, cases and totals all agree with one another: only the evidence does not."""

    def clean(row: RequirementRow) -> RequirementRow:
        good = tuple(
            REPLACED(case, verdict=Verdict.PASS, findings=row.cases[-1].findings[:0]) if case.id == BAD else case
            for case in row.cases
        )
        return REPLACED(passing(row), cases=good)

    def counted(provider: Any) -> Any:
        verdicts = [row.verdict for row in provider.requirements]
        return REPLACED(provider, totals={str(verdict): verdicts.count(verdict) for verdict in Verdict})

    lie = edited(
        run.results,
        rows=clean,
        cases=lambda cases: tuple(REPLACED(case, verdict=Verdict.PASS) for case in cases),
        provider=counted,
    )
    said = run.lie(lie)
    assert f"{RESULTS}: kernel-tcp, IND-STREAM-01: says pass, and the evidence fail" in said
    assert f"{RESULTS}: kernel-tcp, {BAD}, verdict: says pass, and the evidence fail" in said


def test_a_swapped_trace_signed(run: Run) -> None:
    one, other = run.evidence(GOOD), run.evidence(BAD)
    said = run.lie(run.results, {**run.files, one: run.files[other], other: run.files[one]})
    assert f"{one}: the evidence of {BAD} (kernel-tcp), and not of {GOOD} (kernel-tcp)" in said
    assert f"{other}: the evidence of {GOOD} (kernel-tcp), and not of {BAD} (kernel-tcp)" in said


def test_a_trace_edited_to_be_good_signed(run: Run, tmp_path: Path) -> None:
    name = keep(named(good_story(), BAD), tmp_path / "other").evidence
    said = run.lie(run.results, {**run.files, name: (tmp_path / "other" / name).read_bytes()})
    assert f"{RESULTS}: kernel-tcp, IND-STREAM-01: says fail, and the evidence pass" in said


def without(run: Run, case: str) -> Results:
    """The results of the run without that case, all of them but the extent as if it had never been."""
    left = [each for each in (GOOD, BAD) if each != case]
    stories = {GOOD: good_story(), BAD: bad_story()}
    made = results_of(*(keep(named(stories[each], each), run.directory) for each in left))
    return REPLACED(made, cases=run.results.cases)


def test_a_removed_case_with_its_evidence_signed(run: Run) -> None:
    files = {n: c for n, c in run.files.items() if n not in (run.evidence(BAD), packets_beside(run.evidence(BAD)))}
    said = run.lie(without(run, BAD), files)
    assert said == [
        f"{RESULTS}: results.json, cases: says 2 finished of 2 planned, and the evidence 1 finished "
        "(counted from its cases)"
    ]
    said = run.lie(REPLACED(without(run, BAD), cases=Extent(2, 1)), files)
    assert len(said) == 1 and "1 finished of 2 planned cases: a case was removed" in said[0]


def test_a_removed_case_whose_evidence_stayed_signed(run: Run) -> None:
    said = run.lie(REPLACED(without(run, BAD), cases=Extent(1, 1)))
    for name in (run.evidence(BAD), packets_beside(run.evidence(BAD))):
        assert f"{name}: evidence of no case of the results: it was added, or its case removed" in said
    assert len(said) == 2


def test_a_case_whose_evidence_was_removed_signed(run: Run) -> None:
    name = run.evidence(BAD)
    said = run.lie(run.results, {each: content for each, content in run.files.items() if each != name})
    assert f"{name}: missing: the evidence of {BAD} (kernel-tcp)" in said
    assert sum(each.startswith(name) for each in said) == 1


def test_an_added_case_signed(run: Run) -> None:
    """A case more in the results, for which there is the evidence of another."""

    more = edited(run.results, cases=lambda cases: (*cases, REPLACED(cases[-1], id=OTHER)))
    said = run.lie(REPLACED(more, cases=Extent(3, 3)))
    assert [each for each in said if f"and not of {OTHER}" in each]


def test_a_case_counted_twice_signed(run: Run) -> None:
    more = edited(run.results, cases=lambda cases: (*cases, cases[-1]))
    said = run.lie(REPLACED(more, cases=Extent(3, 3)))
    assert said == [f"{RESULTS}: the case {run.results.providers[0].cases[-1].id} of kernel-tcp is there twice"]


def test_a_provider_twice_signed(run: Run) -> None:
    said = run.lie(REPLACED(run.results, providers=run.results.providers * 2))
    assert f"{RESULTS}: the provider kernel-tcp is there twice" in said


def test_added_evidence_signed(run: Run, tmp_path: Path) -> None:
    name = keep(named(good_story(), OTHER), tmp_path / "other").evidence
    said = run.lie(run.results, {**run.files, name: (tmp_path / "other" / name).read_bytes()})
    assert said == [f"{name}: evidence of no case of the results: it was added, or its case removed"]


def test_another_claim_than_the_evidence_was_taken_under_signed(run: Run) -> None:
    said = run.lie(edited(run.results, provider=lambda provider: REPLACED(provider, statement=UNIX_STREAM)))
    assert [each for each in said if "another statement than the one in the results" in each]


def test_another_implementation_than_the_evidence_names_signed(run: Run) -> None:
    found = {"implementation": {"name": "a better one"}}
    said = run.lie(edited(run.results, provider=lambda provider: REPLACED(provider, found=found)))
    assert [each for each in said if "another implementation than the results name" in each]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s["predicate"].update(result="PASSED"), "it says PASSED, and the results come to FAILED"),
        (lambda s: s["predicate"].update(failedTests=[]), "its list of what failed is not that of the results"),
        (lambda s: s["predicate"].update(warnedTests=["a/B"]), "its list of what warned is not that of the results"),
        (
            lambda s: s["predicate"].update(passedTests=s["predicate"]["passedTests"][::-1]),
            "its list of what passed is not that of the results: another order",
        ),
        (lambda s: s["predicate"]["configuration"].pop(), "its suite, catalogue or claims are not those of"),
        (lambda s: s["subject"].pop(), "it is about something else than results and manifest"),
        (lambda s: s["subject"][0].update(name="other"), "it is about something else than results and manifest"),
        (lambda s: s["subject"][0]["digest"].update(sha512="0"), f"it is for another {RESULTS} than this one"),
        (lambda s: s.update(predicateType="https://slsa.dev/provenance/v1"), "of another type"),
        (lambda s: s.update(_type="https://in-toto.io/Statement/v0.1"), "of another type"),
    ],
)
def test_a_statement_that_says_something_else_signed(
    run: Run, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    found = wrong(verified(signed_again(run.tampered, run.files, run.key, change)))
    assert len(found) == 1 and found[0].startswith(f"{STATEMENT}: {said}"), found


def test_the_report_of_other_results_signed(run: Run) -> None:
    files = {**run.files, REPORT: b"<!doctype html>all is well"}
    said = wrong(verified(signed_again(run.tampered, files, run.key)))
    assert said == [f"{REPORT}: not the report of these results and this evidence"]


def test_the_page_of_another_kill_matrix_signed(run: Run) -> None:
    results = REPLACED(run.results, mutants=mixed_matrix())
    honest = with_results(run.files, results, run.directory)
    assert wrong(verified(signed_again(run.tampered, honest, run.key))) == []
    said = wrong(verified(signed_again(run.tampered, {**honest, MUTANTS: b"<!doctype html>all died"}, run.key)))
    assert said == [f"{MUTANTS}: not the page of the kill matrix of these results"]


def test_the_page_of_a_kill_matrix_that_the_results_do_not_have_signed(run: Run) -> None:
    said = wrong(verified(signed_again(run.tampered, {**run.files, MUTANTS: b"<!doctype html>"}, run.key)))
    assert said == [f"{MUTANTS}: the page of the kill matrix, and these results have none"]


def test_results_that_cannot_be_drawn_are_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> str:
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr(page, "render", breaks)
    assert wrong(verified(run.bundle)) == [f"{REPORT}: these results cannot be drawn: ZeroDivisionError: of all things"]


def test_a_file_that_no_bundle_has_signed(run: Run) -> None:
    said = wrong(verified(signed_again(run.tampered, {**run.files, "more.txt": b"x"}, run.key)))
    assert said == ["more.txt: no file that a bundle has"]


def test_evidence_that_leads_elsewhere_signed(run: Run, tmp_path: Path) -> None:
    """Nothing outside of the bundle is read."""
    outside = tmp_path / "outside.jsonl"
    outside.write_bytes(run.files[run.evidence(BAD)])
    for place in (str(outside), "evidence/../../outside.jsonl", "results.json", "", "evidence/\0"):
        files = {**run.files, RESULTS: as_stored(moved(run.results, BAD, place))}
        said = wrong(verified(signed_again(run.tampered, files, run.key)))
        assert [each for each in said if f"missing: the evidence of {BAD}" in each], said


def test_a_trace_that_no_harness_writes_breaks_nothing(run: Run) -> None:
    """Schema and seal are right; what the calls say makes no sense."""
    name = run.evidence(GOOD)
    *lines, _ = run.files[name].splitlines()
    for old, new in (
        (b'"result":{"length":5', b'"result":{"length":"five"'),
        (b'"arguments":{', b'"arguments":{"pattern":7,"how":[1],"flags":{},'),
        (b'"result":{', b'"result":{"length":{"a":[]},"events":3,'),
    ):
        body = b"\n".join(lines).replace(old, new) + b"\n"
        seal = json.dumps({"events": len(lines) - 1, "sha256": hashlib.sha256(body).hexdigest()}).encode()
        files = {**run.files, name: body + seal + b"\n"}
        assert wrong(verified(signed_again(run.tampered, files, run.key)))


def test_a_deeply_nested_trace_breaks_nothing(run: Run) -> None:
    name = run.evidence(GOOD)
    first, *lines, _ = run.files[name].splitlines()
    deep = b'{"kind":"note","n":1,"at":1,"what":"x","details":{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}}"
    body = b"\n".join([first, deep, *lines]) + b"\n"
    seal = json.dumps({"events": len(lines) + 1, "sha256": hashlib.sha256(body).hexdigest()}).encode()
    said = wrong(verified(signed_again(run.tampered, {**run.files, name: body + seal + b"\n"}, run.key)))
    assert [each for each in said if each.startswith(name)]


# --- the negative control ---------------------------------------------------------------------------------------------


def controlled(run: Run, story: Story | None = None) -> tuple[Results, dict[str, bytes]]:
    """The run with a negative control, which failed as it should have, and the files of its certificate."""
    caught = keep(named(story or bad_story(), "control::one", "kernel-tcp+wrong"), run.directory)
    told = control_of("wrong", "kernel-tcp", [REPLACED(caught, verdict=Verdict.FAIL)])
    results = REPLACED(run.results, control=told)
    (run.directory / RESULTS).write_bytes(as_stored(results))
    return results, {**run.files, caught.evidence: (run.directory / caught.evidence).read_bytes()}


def test_the_control_is_certified_and_verified_with_the_rest(run: Run) -> None:
    assert any("no negative control" in each for each in verified(run.bundle).account.unverified)
    results, files = controlled(run)
    bundle = certified(run.directory)
    found = verified(bundle, run.public)
    assert not wrong(found)
    assert results.control is not None and results.control.cases[0].evidence in contents(bundle)
    assert not any("no negative control" in each for each in found.account.unverified)
    assert set(contents(bundle)) == set(files)


def test_a_control_that_did_not_fail_signed(run: Run) -> None:
    results, files = controlled(run, good_story())
    said = run.lie(results, files)
    assert [each for each in said if "negative control, control::one: says fail, and the evidence pass" in each]


def test_a_control_without_its_evidence_or_with_anothers_signed(run: Run) -> None:
    results, files = controlled(run)
    assert results.control is not None
    name = results.control.cases[0].evidence
    left = {each: content for each, content in files.items() if each != name}
    changed = {**left, RESULTS: as_stored(results)}
    said = wrong(verified(signed_again(run.tampered, changed, run.key)))
    assert f"{name}: missing: the evidence of the negative control" in said
    said = run.lie(results, {**files, name: files[run.evidence(BAD)]})
    assert [each for each in said if each.startswith(name) and "and not of control::one" in each]


def test_a_control_whose_trace_cannot_be_judged_breaks_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = judge_case

    def breaks(trace: Any, **others: Any) -> Any:
        if trace.header.case.startswith("control"):
            raise TypeError("of all things")
        return judge(trace, **others)

    results, files = controlled(run)
    monkeypatch.setattr(rejudging, "judge_case", breaks)
    assert [each for each in run.lie(results, files) if "cannot be judged: TypeError: of all things" in each]


# --- another suite ----------------------------------------------------------------------------------------------------


OLDER = Suite("0.0.1", "sha256:" + "0" * 64)


def by_older(run: Run, results: Results) -> confirming.Account:
    files = {**run.files, RESULTS: as_stored(REPLACED(results, suite=OLDER))}
    return verified(signed_again(run.tampered, files, run.key), run.public).account


def test_results_of_an_older_suite_that_judged_alike(run: Run) -> None:
    account = by_older(run, run.results)
    assert not account.wrong
    assert any("judged again by another suite, and each verdict is the same" in each for each in account.verified)
    assert any("the report: another version of the suite" in each for each in account.unverified)


def test_a_suite_that_judges_differently_says_so_requirement_by_requirement(run: Run) -> None:
    older = edited(run.results, rows=passing)
    files = {**run.files, RESULTS: as_stored(REPLACED(older, suite=OLDER))}
    found = verified(signed_again(run.tampered, files, run.key), run.public)
    assert not found.account.wrong
    told = [(each.provider, each.requirement, each.then, each.now) for each in found.differs]
    assert told == [("kernel-tcp", each, "pass", "fail") for each in ("IND-STREAM-01", "POSIX-RECV-01")]
    assert found.status == 1
    assert "this suite judges 2 requirements differently" in found.sentence


def test_requirements_that_only_one_of_the_catalogues_has(run: Run) -> None:
    def other(provider: Any) -> Any:
        first, *rest = provider.requirements
        return REPLACED(provider, requirements=(REPLACED(first, id="OLD-01"), *rest))

    files = {**run.files, RESULTS: as_stored(REPLACED(edited(run.results, provider=other), suite=OLDER))}
    found = verified(signed_again(run.tampered, files, run.key))
    told = {(each.requirement, each.then, each.now) for each in found.differs}
    first = run.results.providers[0].requirements[0]
    assert told == {
        (first.id, "not in its catalogue", str(first.verdict)),
        ("OLD-01", str(first.verdict), "not in this catalogue"),
    }


def test_what_stands_in_the_traces_is_the_same_for_every_suite(run: Run) -> None:
    """An older version in the results is no cover for a swapped trace, or a case edited or removed."""
    one, other = run.evidence(GOOD), run.evidence(BAD)
    files = {
        **run.files,
        one: run.files[other],
        other: run.files[one],
        RESULTS: as_stored(REPLACED(run.results, suite=OLDER)),
    }
    assert [s for s in wrong(verified(signed_again(run.tampered, files, run.key))) if "and not of" in s]
    exercised = edited(run.results, cases=lambda cases: tuple(REPLACED(c, exercises=()) for c in cases))
    assert [flaw for flaw in by_older(run, exercised).wrong if "exercises" in flaw.what]
    counted = REPLACED(run.results, cases=Extent(5, 5))
    assert [flaw for flaw in by_older(run, counted).wrong if "5 finished of 5 planned" in flaw.what]


def test_results_of_a_newer_schema_cannot_be_verified(run: Run) -> None:
    results = run.files[RESULTS].replace(b'{"schema":1', b'{"schema":2')
    path = signed_again(run.tampered, {**run.files, RESULTS: results}, run.key, results=run.results)
    found = verified(path, run.public)
    assert not wrong(found)
    assert any("results of another schema" in each for each in found.account.unverified)
    assert found.status == 3
    assert found.sentence == "Nothing could be judged: what is said above tells why."


def test_a_bundle_of_a_newer_form_cannot_be_verified(run: Run) -> None:
    newer = run.files[MANIFEST].replace(b'{"bundle":1', b'{"bundle":2')
    found = verified(packed(run.tampered, {**run.files, MANIFEST: newer}))
    assert any("a bundle of form 2, and this suite reads 1" in each for each in found.account.unverified)


def test_a_trace_of_a_newer_format_cannot_be_judged(run: Run) -> None:
    name = run.evidence(GOOD)
    *lines, seal = run.files[name].splitlines()
    body = b"\n".join(lines).replace(b'{"trace":1', b'{"trace":2') + b"\n"
    seal = json.dumps({"events": len(lines) - 1, "sha256": hashlib.sha256(body).hexdigest()}).encode()
    files = {**run.files, name: body + seal + b"\n", RESULTS: as_stored(REPLACED(run.results, suite=OLDER))}
    found = verified(signed_again(run.tampered, files, run.key))
    assert any("trace format 2, and this suite reads 1" in each for each in found.account.unverified)
    assert not [each for each in wrong(found) if name in each]
