# SPDX-License-Identifier: MIT
"""`certify` and `verify` by their arguments, output and exit status; what they find is tested with the reports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import pytest

from conformance.cli import main
from conformance.cli.certify import PASSPHRASE
from conformance.reporting.baseline import Baseline, Entry
from conformance.reporting.certificate import certifying, confirming
from conformance.reporting.results import Extent, load, save
from tests.reporting.certificate.bundles import REPLACED, contents, good_run, packed
from tests.reporting.runs import kept_run, results_of

Captured = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of the test's own, with a run that passes in `good` and one that fails in `bad`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(PASSPHRASE, raising=False)
    good_run(tmp_path / "good")
    kept_run(tmp_path / "bad")
    return tmp_path


@pytest.fixture
def key(here: Path, capsys: Captured) -> Path:
    assert main(["certify", "--new-key", "k.pem"]) == 0
    capsys.readouterr()
    return here / "k.pem"


def complaint(capsys: Captured) -> tuple[str, str]:
    """The one message and the one hint on standard error, after what was told of progress."""
    said = capsys.readouterr()
    assert said.out == ""
    message, hint = said.err.splitlines()[-2:]
    assert message.startswith("shutdown-conformance: ") and hint.startswith("hint: ")
    return message.partition(": ")[2], hint.partition(": ")[2]


# --- keys -------------------------------------------------------------------------------------------------------------


def test_a_new_key(here: Path, capsys: Captured) -> None:
    assert main(["certify", "--new-key", "k.pem"]) == 0
    told = capsys.readouterr().out
    assert "private key  k.pem (not encrypted" in told and "public key   k.pem.pub" in told
    assert "fingerprint  sha256:" in told
    assert main(["certify", "--new-key", "k.pem"]) == 2
    message, hint = complaint(capsys)
    assert "File exists" in message and "never overwritten" in hint


def test_an_encrypted_key_and_its_passphrase(here: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSPHRASE, "open sesame")
    assert main(["certify", "--new-key", "k.pem"]) == 0
    assert "(encrypted" in capsys.readouterr().out
    assert main(["certify", "good", "--key", "k.pem"]) == 0
    capsys.readouterr()
    monkeypatch.setenv(PASSPHRASE, "open barley")
    assert main(["certify", "good", "--key", "k.pem"]) == 2
    assert "passphrase is wrong" in complaint(capsys)[0]
    monkeypatch.delenv(PASSPHRASE)
    assert main(["certify", "good", "--key", "k.pem"]) == 2
    message, hint = complaint(capsys)
    assert "no terminal" in message and PASSPHRASE in hint


def test_a_passphrase_is_asked_for_on_a_terminal(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setenv(PASSPHRASE, "open sesame")
    assert main(["certify", "--new-key", "k.pem"]) == 0
    monkeypatch.delenv(PASSPHRASE)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    asked: list[str] = []

    def typed(prompt: str) -> str:
        asked.append(prompt)
        return "open sesame"

    monkeypatch.setattr("getpass.getpass", typed)
    assert main(["certify", "good", "--key", "k.pem"]) == 0
    assert asked == ["passphrase of k.pem: "]
    monkeypatch.setattr("getpass.getpass", lambda _: (_ for _ in ()).throw(EOFError))
    capsys.readouterr()
    assert main(["certify", "good", "--key", "k.pem"]) == 2
    assert "no passphrase was given" in complaint(capsys)[0]


# --- wrong usage ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["certify"], "no directory of a run is named", "shutdown-conformance certify"),
        (["certify", "good"], "--key is missing", "--new-key"),
        (["certify", "good", "--new-key", "n.pem"], "does nothing else", "first"),
        (["certify", "good", "--key", "nowhere"], "nowhere: cannot be read: No such file", "file of a key"),
        (["certify", "good", "--key", "good"], "good: cannot be read: Is a directory", "file of a key"),
        (["certify", "good", "--key", "k.pem.pub"], "a public key, and signing needs the private one", "of the pair"),
        (["certify", "good", "--key", "good/results.json"], "no private key in PEM", "--new-key"),
        (["certify", "nowhere", "--key", "k.pem"], "nowhere/results.json: cannot be read", "results.json"),
        (["certify", "good", "--key", "k.pem", "--output", "good"], "good is a directory", "--output"),
        (["certify", "good", "--key", "k.pem", "--output", "k.pem"], "k.pem exists, and is no certificate", "--output"),
        (["certify", "good", "--key", "k.pem", "--output", "no/c.zip"], "No such file or directory", "--output"),
        (["verify"], "required: BUNDLE", "verify --help"),
        (["verify", "nowhere"], "nowhere: cannot be read: No such file", "certify wrote"),
        (["verify", "good"], "good: a directory", "certify wrote"),
        (["verify", "/dev/null"], "/dev/null: no plain file", "certify wrote"),
        (["verify", "k.pem", "--key", "k.pem"], "a private key, and checking needs the public one", ".pub"),
        (["verify", "k.pem", "--key", "nowhere"], "nowhere: cannot be read", "file of a key"),
        (["verify", "k.pem", "--key", "good/results.json"], "no public key in PEM", "ask the signer"),
    ],
)
def test_wrong_usage_gets_one_message_and_a_next_step(
    key: Path, arguments: list[str], message: str, hint: str, capsys: Captured
) -> None:
    assert main(arguments) == 2
    said, advice = complaint(capsys)
    assert message in said
    assert hint in advice
    assert key.read_bytes().startswith(b"-----BEGIN")


# --- there and back ---------------------------------------------------------------------------------------------------


def test_a_run_that_passed(here: Path, key: Path, capsys: Captured) -> None:
    assert main(["certify", "good", "--key", "k.pem"]) == 0
    said = capsys.readouterr()
    assert "written    good/certificate.zip (7 files, " in said.out
    assert "states     WARNED: " in said.out and "The gate is open" in said.out
    assert "check it   shutdown-conformance verify good/certificate.zip --key k.pem.pub" in said.out
    assert said.err.splitlines() == ["judging again …", "making the report …", "packing …"]
    assert main(["verify", "good/certificate.zip", "--key", "k.pem.pub"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("verified\n  the archive: 7 files")
    assert "\ncould not be verified\n" in said.out and "\nwrong\n" not in said.out
    assert said.out.endswith("Verified. The gate is open: nothing failed (1 case for 1 provider).\n")
    assert said.err.splitlines() == ["unpacking …", "judging again …", "drawing the report again …"]


def test_it_can_be_certified_again_over_the_earlier_certificate(here: Path, key: Path) -> None:
    assert main(["certify", "good", "--key", "k.pem"]) == 0
    assert main(["certify", "good", "--key", "k.pem"]) == 0
    assert main(["verify", "good/certificate.zip"]) == 0


def test_a_run_that_failed(here: Path, key: Path, capsys: Captured) -> None:
    assert main(["certify", "bad", "--key", "k.pem", "--output", "c.zip"]) == 0
    assert "states     FAILED: 2 passed, 61 warned, 2 failed. The gate is closed" in capsys.readouterr().out
    assert main(["verify", "c.zip"]) == 1
    assert "Verified, except for whose key it is signed with. The gate is closed" in capsys.readouterr().out


def test_a_run_whose_failures_are_excused(here: Path, key: Path, capsys: Captured) -> None:
    entries = tuple(
        Entry("kernel-tcp", identity, "known", "net team", date(2030, 12, 31))
        for identity in ("IND-STREAM-01", "POSIX-RECV-01")
    )
    baseline = Baseline("base.toml", date(2030, 6, 15), entries)
    save(REPLACED(load(here / "bad" / "results.json"), baseline=baseline), here / "bad" / "results.json")
    assert main(["certify", "bad", "--key", "k.pem", "--output", "c.zip"]) == 0
    assert "states     WARNED: 2 passed, 63 warned, 0 failed. The gate is open: 2 failures" in capsys.readouterr().out
    assert main(["verify", "c.zip"]) == 0
    assert "The gate is open: 2 failures are excused by base.toml" in capsys.readouterr().out


def test_runs_that_cannot_be_certified(here: Path, key: Path, capsys: Captured) -> None:
    results = good_run(here / "good")
    save(REPLACED(results, cases=Extent(2, 1)), here / "good" / "results.json")
    assert main(["certify", "good", "--key", "k.pem"]) == 1
    assert complaint(capsys) == ("not certified: the run was cut short after 1 of 2 cases", "run it again to its end")
    save(results_of(), here / "none" / "results.json")
    assert main(["certify", "none", "--key", "k.pem"]) == 3
    assert "Nothing could be judged" in complaint(capsys)[0]


def test_what_is_wrong_is_listed(here: Path, key: Path, capsys: Captured) -> None:
    assert main(["certify", "good", "--key", "k.pem"]) == 0
    capsys.readouterr()
    files = contents(here / "good" / "certificate.zip")
    packed(here / "c.zip", {**files, "report.html": b"all is well", "evidence/\u00e9": b"x"})
    assert main(["verify", "c.zip"]) == 1
    told = capsys.readouterr().out
    assert "\nwrong\n  report.html: not the file that was certified" in told
    assert "  evidence/é: not in the manifest: it was added\n" in told
    assert told.endswith("things are wrong. Do not rely on it.\n")


def test_very_much_that_is_wrong_is_not_all_printed(here: Path, key: Path, capsys: Captured) -> None:
    assert main(["certify", "good", "--key", "k.pem"]) == 0
    capsys.readouterr()
    packed(here / "c.zip", {**contents(here / "good" / "certificate.zip"), **{f"x{n}": b"" for n in range(60)}})
    assert main(["verify", "c.zip"]) == 1
    assert " more; --json has all of them\n" in capsys.readouterr().out


def test_something_that_is_no_bundle(here: Path, capsys: Captured) -> None:
    for content in (b"", b"hello", b"PK\3\4" + bytes(100)):
        (here / "c.zip").write_bytes(content)
        assert main(["verify", "c.zip"]) == 1
        said = capsys.readouterr()
        assert "wrong\n  the bundle: " in said.out
        assert "Traceback" not in said.err


def test_names_of_files_never_control_the_terminal(here: Path, capsys: Captured) -> None:
    with zipfile.ZipFile("c.zip", "w") as made:
        made.writestr("a\x1b[2Jb\u202e", b"")
    assert main(["verify", "c.zip"]) == 1
    told = capsys.readouterr().out
    assert "\x1b" not in told and "\u202e" not in told
    assert "a\\x1b[2Jb" in told


def test_verify_as_json(here: Path, key: Path, capsys: Captured) -> None:
    assert main(["certify", "bad", "--key", "k.pem", "--output", "c.zip"]) == 0
    capsys.readouterr()
    assert main(["verify", "c.zip", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["status"] == 1 and said["wrong"] == [] and said["differs"] == []
    assert said["gate"]["status"] == 1 and said["signed_by"].startswith("sha256:")
    (here / "c.zip").write_bytes(b"hello")
    assert main(["verify", "c.zip", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["wrong"] == [{"where": "the bundle", "what": "no zip archive: it does not begin as one"}]
    assert said["gate"] is None and said["signed_by"] == ""


def test_ctrl_c_leaves_nothing(here: Path, key: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    assert main(["certify", "good", "--key", "k.pem"]) == 0
    before = sorted(here.rglob("*"))
    (here / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(here / "scratch"))
    monkeypatch.setattr(confirming, "rejudge", interrupted)
    monkeypatch.setattr(certifying, "rejudge", interrupted)
    for command in (["verify", "good/certificate.zip"], ["certify", "good", "--key", "k.pem"]):
        assert main(command) == 130
        assert "interrupted" in capsys.readouterr().err
    (here / "scratch").rmdir()
    assert sorted(here.rglob("*")) == before


def test_no_room_to_unpack(here: Path, key: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["certify", "good", "--key", "k.pem"]) == 0
    capsys.readouterr()
    monkeypatch.setattr("tempfile.tempdir", str(here / "nowhere"))
    assert main(["verify", "good/certificate.zip"]) == 3
    assert "TMPDIR" in complaint(capsys)[1]


def test_a_bundle_needs_nothing_but_itself(here: Path, key: Path) -> None:
    """In another process, from another directory, with nothing of the run left."""
    assert main(["certify", "good", "--key", "k.pem", "--output", "c.zip"]) == 0
    (here / "elsewhere").mkdir()
    (here / "c.zip").rename(here / "elsewhere" / "c.zip")
    done = subprocess.run(
        [sys.executable, "-m", "conformance.cli", "verify", "c.zip"],
        cwd=here / "elsewhere",
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (here / "elsewhere").iterdir()] == ["c.zip"]
