# SPDX-License-Identifier: MIT
"""A baseline written anew: who keeps an entry, who loses it, who gets one, and that everything else stays as it was."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from conformance.oracle.findings import Conclusion
from conformance.oracle.verdicts import Verdict
from conformance.reporting.baseline import BadBaseline, Entry, parse
from conformance.reporting.gating import gate
from conformance.reporting.rebaselining import REASON, VALID_DAYS, check_form, lines, update, write
from conformance.reporting.results import Results
from tests.reporting.runs import case, finding, provider, results_of
from tests.reporting.test_gating import DAY, MADE_BY

FILE = Path("base.toml")
SATISFIED, VIOLATED = Conclusion.SATISFIED, Conclusion.VIOLATED


def table(requirement: str, *, reason: str = "known", expires: date = DAY, provider: str = "kernel-tcp") -> str:
    return (
        f'[[excused]]\nprovider = "{provider}"\nrequirement = "{requirement}"\nreason = "{reason}"\n'
        f'owner = "net team"\nexpires = {expires}\n'
    )


def run(*findings: tuple[str, Conclusion], **others: Any) -> Results:
    return results_of(case("c", *(finding(identity, outcome) for identity, outcome in findings)), **others)


def identities(entries: tuple[Entry, ...]) -> list[str]:
    return [each.requirement for each in entries]


@pytest.mark.parametrize(
    ("verdict", "kept", "added"),
    [
        (Verdict.FAIL, True, True),
        (Verdict.PASS, False, False),
        (Verdict.DEVIATION, False, False),
        (Verdict.RECORDED, False, False),
        (Verdict.NOT_APPLICABLE, False, False),
        (Verdict.INCONCLUSIVE, True, False),
        (Verdict.NOT_EXERCISED, True, False),
        (Verdict.ERROR, True, False),
    ],
)
@pytest.mark.parametrize("days", [-1, 0])
def test_every_verdict_listed_and_not_listed(verdict: Verdict, kept: bool, added: bool, days: int) -> None:
    requirement, outcomes = MADE_BY[verdict]
    results = run(*((requirement, outcome) for outcome in outcomes))
    text = table(requirement, expires=DAY + timedelta(days=days))
    listed = update(results, text, FILE, DAY)
    assert (text == listed.text) is kept
    assert identities(listed.baseline.excused) == ([requirement] if kept else [])
    assert listed.added == ()
    assert [(each.entry.requirement, each.verdict) for each in listed.removed] == (
        [] if kept else [(requirement, verdict)]
    )
    assert bool(listed.expired) == (kept and days < 0)
    new = update(results, "", FILE, DAY)
    assert identities(new.added) == ([requirement] if added else [])
    assert new.baseline.excused == new.added == parse(new.text, FILE)


def test_a_new_entry_wants_a_reason_and_ends_soon() -> None:
    done = update(run(("IND-STREAM-01", VIOLATED)), "", FILE, DAY)
    expires = DAY + timedelta(days=VALID_DAYS)
    assert done.added == (Entry("kernel-tcp", "IND-STREAM-01", "not examined yet", "nobody yet", expires),)
    assert done.text.startswith("# ") and "docs/gate.md" in done.text
    assert any("1 new entry wants a reason and an owner" in line for line in lines(done))


def test_a_provider_that_was_not_tested_keeps_its_entries_and_they_are_not_this_runs() -> None:
    text = table("IND-STREAM-01", provider="another") + "\n" + table("IND-STREAM-01")
    done = update(run(("IND-STREAM-01", VIOLATED)), text, FILE, DAY)
    assert done.text == text
    assert [each.provider for each in done.baseline.excused] == ["kernel-tcp"]


def test_a_provider_with_a_problem_keeps_its_entries() -> None:
    results = results_of(providers=[provider(problem="does not start")], planned=1)
    done = update(results, table("IND-STREAM-01") + table("IND-FDC-13"), FILE, DAY)
    assert (done.removed, done.added) == ((), ())


def test_the_gate_with_the_new_baseline_is_open_unless_something_broke_or_has_expired() -> None:
    results = run(("IND-STREAM-01", VIOLATED), ("IND-STREAM-02", SATISFIED))
    done = update(results, table("IND-STREAM-02"), FILE, DAY)
    assert gate(msgspec.structs.replace(results, baseline=done.baseline)).status == 0
    old = update(results, table("IND-STREAM-01", expires=DAY - timedelta(days=1)), FILE, DAY)
    assert gate(msgspec.structs.replace(results, baseline=old.baseline)).status == 1
    assert any("1 entry has expired" in line for line in lines(old))


# --- comments and layout ----------------------------------------------------------------------------------------------

WRITTEN = """\
# Our own list.
# Ask before you add to it.

# about IND-STREAM-01
[[excused]]   # the first
provider = "kernel-tcp"
requirement = "IND-STREAM-01"
reason = \"\"\"
two
# lines\"\"\"
owner = "me"
expires = 2031-01-01


# --- misuse ---

# about ERR-01
# in two lines
[[ excused ]]
  provider    = 'kernel-tcp'
  requirement = 'ERR-01'   # sic

  reason      = "kernel"
  owner       = "me"
  expires     = "2031-01-01"
# the end
"""


def test_what_still_fails_stays_as_it_is_written() -> None:
    results = run(("IND-STREAM-01", VIOLATED), ("ERR-01", VIOLATED))
    assert update(results, WRITTEN, FILE, DAY).text == WRITTEN


def test_an_entry_goes_with_the_comment_right_above_it_and_no_other() -> None:
    first = update(run(("IND-STREAM-01", SATISFIED), ("ERR-01", VIOLATED)), WRITTEN, FILE, DAY).text
    assert first == WRITTEN[: WRITTEN.index("# about IND")] + WRITTEN[WRITTEN.index("# --- misuse") :]
    second = update(run(("IND-STREAM-01", VIOLATED), ("ERR-01", SATISFIED)), WRITTEN, FILE, DAY).text
    assert second == WRITTEN[: WRITTEN.index("# about ERR")] + "# the end\n"
    both = update(run(("IND-STREAM-01", SATISFIED), ("ERR-01", SATISFIED)), WRITTEN, FILE, DAY).text
    assert both == "# Our own list.\n# Ask before you add to it.\n\n# --- misuse ---\n\n# the end\n"


def test_new_entries_come_last() -> None:
    results = run(("IND-STREAM-01", VIOLATED), ("ERR-01", VIOLATED), ("IND-STREAM-02", VIOLATED))
    text = update(results, WRITTEN, FILE, DAY).text
    assert text.startswith(WRITTEN + "\n[[excused]]\n")
    assert identities(parse(text, FILE)) == ["IND-STREAM-01", "ERR-01", "IND-STREAM-02"]


def test_lines_that_end_otherwise_stay_so() -> None:
    text = WRITTEN.replace("\n", "\r\n")
    done = update(run(("IND-STREAM-01", SATISFIED), ("IND-STREAM-02", VIOLATED)), text, FILE, DAY)
    assert done.text.count("\n") == done.text.count("\r\n")
    assert identities(parse(done.text, FILE)) == ["ERR-01", "IND-STREAM-02"]


@pytest.mark.parametrize(
    "text",
    [
        'excused = [{provider="kernel-tcp", requirement="IND-STREAM-01", reason="r", owner="o", expires=2031-01-01}]\n',
        table("IND-STREAM-01").replace('"known"', '"""\n[[excused]]\n"""'),
    ],
)
def test_what_cannot_be_edited_is_left_alone_and_told(text: str) -> None:
    with pytest.raises(BadBaseline, match="in a form that cannot be edited"):
        check_form(text, parse(text, FILE), FILE)
    with pytest.raises(BadBaseline, match="in a form that cannot be edited"):
        update(run(("IND-STREAM-01", SATISFIED), ("IND-STREAM-02", VIOLATED)), text, FILE, DAY)
    check_form(WRITTEN, parse(WRITTEN, FILE), FILE)


KNOWN = ("IND-STREAM-01", "IND-STREAM-02", "IND-STREAM-03", "ERR-01", "ERR-02")
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
comments = st.sampled_from(["", "\n", "# note\n", "\n# note\n\n"])


@given(st.dictionaries(st.sampled_from(KNOWN), st.tuples(comments, words)), st.sets(st.sampled_from(KNOWN)))
def test_whatever_is_written_the_new_file_holds_what_fails(
    listed: dict[str, tuple[str, str]], failing: set[str]
) -> None:
    text = ""
    for identity, (comment, reason) in listed.items():
        one = {"provider": "kernel-tcp", "requirement": identity, "reason": reason, "owner": "o", "expires": DAY}
        text += comment + tomlkit.dumps({"excused": [one]})
    results = run(*((identity, VIOLATED if identity in failing else SATISFIED) for identity in KNOWN))
    done = update(results, text, FILE, DAY)
    now = {each.requirement: each.reason for each in parse(done.text, FILE)}
    assert now == {identity: listed[identity][1] if identity in listed else REASON for identity in failing}
    assert update(results, done.text, FILE, DAY).text == done.text


# --- on disk ----------------------------------------------------------------------------------------------------------


def test_a_file_is_written_whole_and_keeps_its_permissions(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("old")
    (tmp_path / "there").chmod(0o640)
    (tmp_path / "link").symlink_to("there")
    write(tmp_path / "link", "new\r\n")
    assert (tmp_path / "there").read_bytes() == b"new\r\n"
    assert (tmp_path / "there").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "link").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "there"]


def test_a_place_that_cannot_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(OSError):
        write(tmp_path / "there", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_what_was_done_is_told() -> None:
    results = run(("IND-STREAM-01", SATISFIED), ("IND-STREAM-02", VIOLATED))
    told = list(lines(update(results, table("IND-STREAM-01", reason="a story"), FILE, DAY)))
    said = "it said: a story; net team, until 2030-06-15"
    assert told[0] == f"removed from base.toml: IND-STREAM-01 of kernel-tcp, pass now ({said})"
    assert told[1] == "added to base.toml: IND-STREAM-02 of kernel-tcp, until 2030-07-15"
    unchanged = update(results, table("IND-STREAM-02"), FILE, DAY)
    assert list(lines(unchanged)) == ["base.toml stays as it is: it fits this run."]
