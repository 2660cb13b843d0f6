# SPDX-License-Identifier: MIT
"""What is certified and what is refused; and that a certificate is the directory of its run, packed."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from conformance.oracle.verdicts import Verdict
from conformance.reporting import page
from conformance.reporting.certificate import signing
from conformance.reporting.certificate.certifying import Certificate, Refused, certify
from conformance.reporting.page import mutants
from conformance.reporting.results import BadResults, Extent, Results, Suite, save
from tests.oracle.story import Story
from tests.reporting.certificate.bundles import (
    REPLACED,
    certified,
    contents,
    edited,
    good_run,
    good_runs,
    moved,
    quiet,
    signer,
    verified,
    wrong,
)
from tests.reporting.kills import mixed_matrix
from tests.reporting.runs import keep, kept_run, named, results_of


def made(directory: Path, output: Path | None = None) -> Certificate:
    return certify(directory, signer(directory.parent / "key.pem"), output or directory.parent / "c.zip", quiet)


def refused(directory: Path) -> Refused:
    with pytest.raises(Refused) as problem:
        made(directory)
    assert not (directory.parent / "c.zip").exists()
    return problem.value


# --- what is in it ----------------------------------------------------------------------------------------------------


def test_a_run_is_certified_and_verified(tmp_path: Path) -> None:
    good_run(tmp_path / "run")
    written = made(tmp_path / "run")
    found = verified(written.path, tmp_path / "key.pem.pub")
    assert not found.account.wrong
    assert found.status == 0
    assert found.signer == signing.fingerprint(signing.load_public(tmp_path / "key.pem.pub"))
    assert written.octets == written.path.stat().st_size


def test_a_certificate_is_the_directory_of_its_run(tmp_path: Path) -> None:
    results = good_run(tmp_path / "run")
    with zipfile.ZipFile(certified(tmp_path / "run")) as opened:
        opened.extractall(tmp_path / "out")
    for path in (tmp_path / "run").rglob("*"):
        if path.is_file():
            assert (tmp_path / "out" / path.relative_to(tmp_path / "run")).read_bytes() == path.read_bytes()
    assert (tmp_path / "out" / "report.html").read_text("utf-8") == page.render(results, tmp_path / "run")
    listed = json.loads((tmp_path / "out" / "manifest.json").read_bytes())["files"]
    for each in listed:
        content = (tmp_path / "out" / each["path"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (each["size"], each["sha256"])
    files = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert {each["path"] for each in listed} | {"manifest.json", "statement.dsse.json"} == files


def test_the_same_run_and_key_make_the_same_certificate(tmp_path: Path) -> None:
    good_run(tmp_path / "run")
    first = made(tmp_path / "run", tmp_path / "1.zip").path.read_bytes()
    assert made(tmp_path / "run", tmp_path / "2.zip").path.read_bytes() == first


def test_only_evidence_that_the_results_name_goes_in(tmp_path: Path) -> None:
    good_run(tmp_path / "run")
    keep(named(Story(), "an/interrupted.py::test_case"), tmp_path / "run")
    (tmp_path / "run" / "evidence" / "secret").write_text("x", "utf-8")
    (tmp_path / "run" / "notes.txt").write_text("x", "utf-8")
    written = made(tmp_path / "run")
    assert written.left_out == 1
    assert not [name for name in contents(written.path) if "interrupted" in name or "secret" in name or "notes" in name]
    assert not wrong(verified(written.path))


def test_packets_that_lie_elsewhere_do_not_go_in(tmp_path: Path) -> None:
    results = good_run(tmp_path / "run")
    (tmp_path / "secret").write_text("x", "utf-8")
    path = tmp_path / "run" / results.providers[0].cases[0].evidence.replace(".jsonl", ".pcapng")
    path.unlink()
    path.symlink_to(tmp_path / "secret")
    assert not [name for name in contents(made(tmp_path / "run").path) if name.endswith(".pcapng")]


def test_a_run_that_failed_is_certified_as_that(tmp_path: Path) -> None:
    kept_run(tmp_path / "run")
    written = made(tmp_path / "run")
    assert written.statement.predicate.result == "FAILED"
    assert "kernel-tcp/IND-STREAM-01" in written.statement.predicate.failed_tests
    found = verified(written.path)
    assert not found.account.wrong
    assert found.status == 1
    assert "The gate is closed" in found.sentence and found.sentence.startswith("Verified")


def test_a_run_with_a_kill_matrix_has_its_page_in_the_certificate(tmp_path: Path) -> None:
    results = REPLACED(good_run(tmp_path / "run"), mutants=mixed_matrix())
    save(results, tmp_path / "run" / "results.json")
    written = made(tmp_path / "run")
    files = contents(written.path)
    assert files["mutants.html"].decode() == mutants.render(
        mixed_matrix(), results.suite, tmp_path / "run", evidence=False
    )
    found = verified(written.path, tmp_path / "key.pem.pub")
    assert not found.account.wrong and found.status == 0
    assert "the page of the kill matrix: it is what these results look like" in found.account.verified
    assert len([each for each in found.account.unverified if each.startswith("the kill matrix: ")]) == 1


# --- what is refused --------------------------------------------------------------------------------------------------


def lying(results: Results) -> Results:
    return edited(results, rows=lambda row: REPLACED(row, verdict=Verdict.PASS) if row.verdict == "fail" else row)


def test_results_that_are_not_what_their_evidence_comes_to(tmp_path: Path) -> None:
    save(lying(kept_run(tmp_path / "run")), tmp_path / "run" / "results.json")
    problem = refused(tmp_path / "run")
    assert "IND-STREAM-01: pass → fail" in str(problem)
    assert problem.hint == f"shutdown-conformance judge {tmp_path / 'run'}"
    assert problem.status == 1


def test_evidence_that_is_missing_or_cut_short(tmp_path: Path) -> None:
    results = kept_run(tmp_path / "run")
    path = tmp_path / "run" / results.providers[0].cases[0].evidence
    path.write_bytes(path.read_bytes()[:-30])
    assert "cut short" in str(refused(tmp_path / "run"))
    path.unlink()
    assert "No such file" in str(refused(tmp_path / "run"))


def test_a_run_that_was_interrupted(tmp_path: Path) -> None:
    results = good_run(tmp_path / "run")
    save(REPLACED(results, cases=Extent(5, 1)), tmp_path / "run" / "results.json")
    problem = refused(tmp_path / "run")
    assert str(problem) == "the run was cut short after 1 of 5 cases"
    assert problem.status == 1


def test_a_run_that_judged_nothing(tmp_path: Path) -> None:
    save(results_of(), tmp_path / "run" / "results.json")
    problem = refused(tmp_path / "run")
    assert "Nothing could be judged" in str(problem)
    assert problem.status == 3


def test_a_run_of_another_version(tmp_path: Path) -> None:
    results = good_run(tmp_path / "run")
    for suite in (Suite("0.0.1", results.suite.catalogue), Suite(results.suite.version, "sha256:00")):
        save(REPLACED(results, suite=suite), tmp_path / "run" / "results.json")
        problem = refused(tmp_path / "run")
        assert "was judged by version" in str(problem)
        assert "with the version that ran it" in problem.hint


def test_evidence_at_a_place_that_no_bundle_has(tmp_path: Path) -> None:
    results = good_run(tmp_path / "run")
    (case,) = results.providers[0].cases
    for name in ("elsewhere.jsonl", "evidence/a:b.jsonl"):
        (tmp_path / "run" / name).write_bytes((tmp_path / "run" / case.evidence).read_bytes())
        save(moved(results, case.id, name), tmp_path / "run" / "results.json")
        assert name in str(refused(tmp_path / "run"))


def test_cases_whose_evidence_differs_only_by_case(tmp_path: Path) -> None:
    """Such a bundle could not be unpacked everywhere."""
    good_runs(tmp_path / "run", "a/b.py::test_X", "a/b.py::test_x")
    names = [path.name for path in (tmp_path / "run" / "evidence" / "kernel-tcp").iterdir()]
    if len({name.lower() for name in names}) == len(names):
        made(tmp_path / "run")  # the names of evidence have a digest in
    else:
        assert "differs only by case" in str(refused(tmp_path / "run"))


def test_no_results_and_results_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(BadResults, match="cannot be read"):
        made(tmp_path / "nowhere")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "results.json").write_bytes(b'{"schema":2}')
    with pytest.raises(BadResults):
        made(tmp_path / "run")
    (tmp_path / "run" / "results.json").write_bytes(b'{"schema":1,"providers":[{"found":{"a":' + b"[" * 100_000)
    with pytest.raises(BadResults, match="not JSON, or cut short"):
        made(tmp_path / "run")


def test_nothing_is_left_where_it_breaks_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good_run(tmp_path / "run")
    signer(tmp_path / "key.pem")
    before = sorted(tmp_path.iterdir())

    def interrupted(*_: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(signing, "sign", interrupted)
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path / "run")
    assert sorted(tmp_path.iterdir()) == before


def test_an_earlier_certificate_stays_where_a_new_one_is_refused(tmp_path: Path) -> None:
    results = good_run(tmp_path / "run")
    before = made(tmp_path / "run").path.read_bytes()
    save(REPLACED(results, cases=Extent(2, 1)), tmp_path / "run" / "results.json")
    with pytest.raises(Refused):
        made(tmp_path / "run")
    assert (tmp_path / "c.zip").read_bytes() == before
