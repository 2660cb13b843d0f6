# SPDX-License-Identifier: MIT
"""A baseline is read strictly: what is misspelt, missing, twice there or of the wrong type is named with its place."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from conformance.reporting.baseline import (
    LIMIT_OCTETS,
    BadBaseline,
    Baseline,
    Entry,
    check_providers,
    check_requirements,
    parse,
    read_text,
)
from tests.oracle.story import KERNEL_TCP, UNIX_STREAM

FILE = Path("base.toml")
GOOD = """\
[[excused]]
provider = "unix-stream"
requirement = "ERR-01"
reason = "the kernel lets it"
owner = "net team"
expires = 2030-12-31
"""
ENTRY = Entry("unix-stream", "ERR-01", "the kernel lets it", "net team", date(2030, 12, 31))


def test_an_entry_has_all_that_it_needs() -> None:
    assert parse(GOOD, FILE) == (ENTRY,)


def test_a_date_may_be_text() -> None:
    assert parse(GOOD.replace("2030-12-31", '"2030-12-31"'), FILE) == (ENTRY,)


def test_nothing_may_be_excused() -> None:
    assert parse("# nothing yet\n", FILE) == ()


@pytest.mark.parametrize(
    ("old", "new", "why", "hint"),
    [
        ("reason", "resaon", "unknown key 'resaon'", "did you mean reason?"),
        ("reason", "colour", "unknown key 'colour'", "there are: provider, requirement, reason, owner, expires"),
        ('reason = "the kernel lets it"\n', "", "reason is missing", "an entry has all of"),
        ('owner = "net team"\n', "", "owner is missing", "an entry has all of"),
        ("expires = 2030-12-31\n", "", "expires is missing", "an entry has all of"),
        ("the kernel lets it", "  ", "reason: expected some text, got '  '", 'write reason = "…"'),
        ('"net team"', "7", "owner: expected some text, got 7", 'write owner = "…"'),
        ('"net team"', '["a"]', "owner: expected some text, got list", 'write owner = "…"'),
        ("ERR-01", "ERR-1", "requirement: there is no 'ERR-1'", "ERR-01"),
        ("ERR-01", "err-01", "requirement: there is no 'err-01'", "did you mean ERR-01"),
        ("ERR-01", "~~~~", "requirement: there is no '~~~~'", "shutdown-conformance requirements"),
        ("2030-12-31", '"soon"', "expires: expected a date, got 'soon'", "write expires = 2030-12-31"),
        ("2030-12-31", '""', "expires: expected a date, got ''", "write expires = 2030-12-31"),
        ("2030-12-31", "20301231", "expires: expected a date, got 20301231", "write expires = 2030-12-31"),
        ("2030-12-31", "2030-12-31T00:00:00Z", "expires: expected a date, got datetime", "write expires"),
    ],
)
def test_what_is_wrong_in_an_entry_is_told_with_its_place(old: str, new: str, why: str, hint: str) -> None:
    other = GOOD.replace("ERR-01", "ERR-02")
    with pytest.raises(BadBaseline) as caught:
        parse(f"# first\n{other}\n{GOOD.replace(old, new)}", FILE)
    assert str(caught.value) == f"base.toml: entry 2 (line 9): {why}"
    assert hint in caught.value.hint


def test_an_entry_may_be_there_once() -> None:
    with pytest.raises(BadBaseline, match=r"entry 2 \(line 7\): ERR-01 of unix-stream is excused already, in entry 1"):
        parse(GOOD + GOOD.replace("net team", "others"), FILE)


def test_the_same_requirement_of_another_provider_is_another_entry() -> None:
    assert len(parse(GOOD + GOOD.replace("unix-stream", "mine"), FILE)) == 2


@pytest.mark.parametrize(
    ("text", "why", "hint"),
    [
        ("[[excused]\n", "not TOML", "docs/gate.md"),
        ("a = " + "9" * 5000, "not TOML", "docs/gate.md"),
        ("a = " + "[" * 5000, "not TOML", "docs/gate.md"),
        ("[[excuse]]\n", "unknown key 'excuse'", "did you mean excused?"),
        ("schema = 1\n", "unknown key 'schema'", "docs/gate.md"),
        ("[excused]\n", "excused: expected an array of tables", "two brackets"),
        ("excused = [1]\n", "entry 1: expected a table", "[[excused]]"),
    ],
)
def test_what_is_no_baseline_is_told(text: str, why: str, hint: str) -> None:
    with pytest.raises(BadBaseline) as caught:
        parse(text, FILE)
    assert str(caught.value).startswith(f"base.toml: {why}")
    assert hint in caught.value.hint


def test_a_place_that_is_not_certain_is_told_by_its_number_alone() -> None:
    tricky = GOOD.replace('"the kernel lets it"', '"""\n[[excused]]\n"""')
    with pytest.raises(BadBaseline, match=r"base.toml: entry 2: owner is missing"):
        parse(tricky + GOOD.replace('owner = "net team"\n', ""), FILE)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadBaseline, match="cannot be read: No such file"):
        read_text(tmp_path / "none.toml")
    with pytest.raises(BadBaseline, match="cannot be read: Is a directory"):
        read_text(tmp_path)
    (tmp_path / "latin").write_bytes(b"# caf\xe9\n")
    with pytest.raises(BadBaseline, match=r"not UTF-8: .* at octet 5"):
        read_text(tmp_path / "latin")


@pytest.mark.parametrize("more", [0, 1])
def test_a_file_may_be_so_large_and_no_larger(tmp_path: Path, more: int) -> None:
    (tmp_path / "large").write_bytes(b"#" * (LIMIT_OCTETS + more))
    if more:
        with pytest.raises(BadBaseline, match="larger than 1 MiB"):
            read_text(tmp_path / "large")
    else:
        assert parse(read_text(tmp_path / "large"), FILE) == ()


# --- an entry that matches nothing ------------------------------------------------------------------------------------


def test_an_entry_of_a_provider_that_is_not_tested_is_an_error() -> None:
    check_providers([ENTRY], FILE, ["unix-stream", "kernel-tcp"])
    with pytest.raises(
        BadBaseline, match="ERR-01 is excused for 'unix-stream', which this run does not test"
    ) as caught:
        check_providers([ENTRY], FILE, ["kernel-tcp"])
    assert "this run tests kernel-tcp" in caught.value.hint


def test_an_entry_of_a_requirement_that_does_not_apply_is_an_error() -> None:
    entry = Entry("mine", "WIRE-FIN-01", "r", "o", date(2030, 1, 1))
    check_requirements([entry], FILE, {"mine": KERNEL_TCP})
    check_requirements([entry], FILE, {})  # a provider that could not be met: nothing is known of it
    with pytest.raises(BadBaseline, match="WIRE-FIN-01 is excused for mine, to which it does not apply: only for"):
        check_requirements([entry], FILE, {"mine": UNIX_STREAM})


@pytest.mark.parametrize(("day", "holds"), [(date(2030, 12, 31), True), (date(2031, 1, 1), False)])
def test_the_last_day_is_a_day_on_which_it_is_excused(day: date, holds: bool) -> None:
    assert (Baseline("base.toml", day, (ENTRY,)).excuse("unix-stream", "ERR-01") is not None) is holds
