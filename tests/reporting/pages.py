# SPDX-License-Identifier: MIT
"""Runs made by hand for pages: two providers with something of everything, a hostile one, and ten large ones."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec

from conformance.catalogue import catalogue
from conformance.catalogue.statement import Contradiction
from conformance.oracle.findings import Conclusion
from conformance.oracle.verdicts import Verdict, verdict_of
from conformance.reporting.baseline import Baseline, Entry
from conformance.reporting.results import (
    CaseRow,
    CaseSummary,
    FindingRow,
    ProviderResults,
    RequirementRow,
    Results,
)
from conformance.trace import store
from conformance.trace.events import Fate, Segment
from tests.oracle.story import KERNEL_TCP, MS, PEER, REFERENCE, Story
from tests.reporting.runs import BAD, GOOD, bad_story, case, finding, good_story, keep, named, provider, results_of

FOUND: dict[str, Any] = {
    "agent": {"name": "python-socket", "version": "1.0"},
    "implementation": {"name": "linux-tcp", "version": "6.18", "vendor": "kernel"},
    "family": "posix",
    "transport": "tcp",
    "service_flags": ["GUARANTEED_DELIVERY", "GUARANTEED_ORDER", "EXPEDITED_DATA"],
}
HELD = "wire/relayed.py::test_fin_before_the_data[1000]"
UNITS = "disconnect_data/totals.py::test_totals[event]"
HOSTILE = "<img src=x onerror=alert(1)></script><!--\"'&]]>\u202e\x1b[2J\x00"
"""What an agent may say, to see whether it becomes markup, a command, or a control code."""
HOSTILE_SHOWN = "<img src=x onerror=alert(1)></script><!--\"'&]]>\\u202e\\x1b[2J\\x00"


def disturbed_story() -> Story:
    """Data held back, a FIN dropped and one repeated, a call that waits meanwhile, and one that never returns."""
    story = Story(exercises=("WIRE-FIN-05",))
    story.peer.send(1000)
    story.segment(PEER, "PA", 1000, fate=Fate.HELD, delivered_at=story.now + 300 * MS)
    story.segment(PEER, "FA", fate=Fate.DROPPED)
    call = story.iut.begin("recv", length=65536, wait_ms=30)
    story.segment(PEER, "FA", start=1000, fate=Fate.REPEATED)
    story.wait(250)
    story.iut.finish(call, timeout=True)
    story.iut.indicates("FD_CLOSE", "WSAECONNRESET")
    story.peer.begin("close")
    return story


def unit_story() -> Story:
    """Units on TCP, the last of them with data."""
    story = Story(REFERENCE, exercises=("IND-MSG-01",))
    story.pdu(PEER, "DATA", b"good", flags=1)
    story.pdu(PEER, "RELEASE", b"last", flags=1)
    story.iut.recv(content=b"good")
    story.iut.recv(error="WSAEDISCON")
    return story


def mixed_run(directory: Path) -> Results:
    """Two providers on disk: failures, a deviation, what is left open, a contradiction; with evidence for most."""
    tested = FOUND["implementation"]
    open_, broke, bad = Conclusion.UNDETERMINED, Conclusion.ERROR, Conclusion.VIOLATED
    good = (finding("IND-MSG-01", Conclusion.SATISFIED, events=(3, 4), matched="Winsock SPI, WSPRecv"),)
    cases = [
        keep(named(good_story(), GOOD, implementation=tested), directory),
        keep(named(bad_story(), BAD, implementation=tested), directory),
        keep(named(disturbed_story(), HELD, implementation=tested), directory),
        keep(named(unit_story(), UNITS, "mine"), directory),
        case("a.py::test_left_open", finding("IND-ABORT-01", open_, "no link is visible")),
        case("a.py::test_deviates", finding("IND-STREAM-05", bad, "it did otherwise")),
        case("a.py::test_breaks", finding("INIT-SHUT-01", broke, "it died"), provider="mine", problem="Oh\n  it died"),
        *(case(f"b.py::test_many[{n}]", *good, provider="mine") for n in range(12)),
    ]  # fmt: skip
    contradiction = Contradiction(item="GRACEFUL_CLOSE", claimed="yes", found="none: a reset", cases=("a", "b"))
    runs = [provider(found=FOUND), provider("mine", REFERENCE, found={}, contradictions=(contradiction,))]
    return results_of(*cases, providers=runs)


def hostile_run(directory: Path) -> Results:
    """A provider whose every word is hostile."""
    story = Story(exercises=("IND-STREAM-01",))
    story.fin(PEER)
    story.iut.recv(error=HOSTILE)
    story.iut.indicates(HOSTILE, HOSTILE)
    story.note(HOSTILE, detail=HOSTILE)
    identity = f"a.py::test_x[{HOSTILE}]"
    tested = {"name": HOSTILE, "version": HOSTILE}
    trace = named(story, identity, HOSTILE, peer=HOSTILE, wire_missing=HOSTILE, doubtful=HOSTILE, implementation=tested)
    store.save(trace, directory / "evidence" / "x.jsonl")
    found = finding("IND-STREAM-01", Conclusion.VIOLATED, HOSTILE, events=(5,), matched=HOSTILE)
    results = results_of(
        case(identity, found, provider=HOSTILE, evidence="evidence/x.jsonl", problem=HOSTILE),
        providers=[
            provider(
                HOSTILE,
                found={"implementation": tested, "service_flags": [HOSTILE]},
                contradictions=(Contradiction(item=HOSTILE, claimed=HOSTILE, found=HOSTILE),),
            ),
            provider("broken", problem=HOSTILE),
        ],
    )
    level = results.providers[0].requirements[0].level
    unknown = RequirementRow(HOSTILE, level, Verdict.PASS, HOSTILE)
    rows = (*results.providers[0].requirements, unknown)
    changed = msgspec.structs.replace(results.providers[0], requirements=rows)
    return msgspec.structs.replace(results, providers=(changed, *results.providers[1:]))


def large_run(directory: Path, *, providers: int = 10) -> Results:
    """Providers with a verdict, a case and a ladder for every requirement of the catalogue."""
    made = tuple(_large(f"provider-{n}", n, directory) for n in range(providers))
    return msgspec.structs.replace(results_of(planned=150), providers=made)


def _large(name: str, number: int, directory: Path) -> ProviderResults:
    outcomes = (Conclusion.SATISFIED, Conclusion.SATISFIED, Conclusion.UNDETERMINED, Conclusion.VIOLATED)
    rows, cases = [], []
    for place, requirement in enumerate(catalogue.load().values()):
        identity = f"group/cases.py::test_{requirement.id.lower().replace('-', '_')}[{number}]"
        trace = named(_long_story(number * 151 + place), identity, name, implementation=FOUND["implementation"])
        evidence = f"evidence/{name}/{requirement.id}.jsonl"
        store.save(trace, directory / evidence)
        outcome = outcomes[(place + number) % len(outcomes)]
        told = FindingRow(outcome, f"in step {place * 7919 % 1013} of {name} {requirement.id} was told", (5, 9, 17), "")
        verdict = verdict_of(requirement.level, [outcome])
        row = CaseRow(identity, "loopback", verdict, (told,), evidence)
        rows.append(RequirementRow(requirement.id, requirement.level, verdict, "", (row,)))
        cases.append(CaseSummary(identity, "loopback", verdict, (requirement.id,), evidence, 0.1 * place))
    verdicts = [row.verdict for row in rows]
    totals = {str(verdict): verdicts.count(verdict) for verdict in Verdict}
    return ProviderResults(name, KERNEL_TCP, FOUND, (), "", tuple(rows), tuple(cases), totals)


def _long_story(seed: int) -> Story:
    """Some thirty steps, with times and lengths that do not repeat."""
    story = Story()
    for step in range(8):
        length = (seed * 7919 + step * 104729) % 60000 + 1
        story.now += (seed * 48271 + step * 16807) % 5_000_000
        story.peer.send(length)
        story.segment(PEER, "PA", min(length, 65000))
        story.iut.recv(length)
    story.fin(PEER)
    story.iut.recv(0)
    assert any(isinstance(event, Segment) for event in story.events)
    return story


def excused_run(directory: Path, *, days: int = 30) -> Results:
    """A run whose failures are excused for so many days more, with an entry besides that was not decided."""
    cases = [keep(named(good_story(), GOOD), directory), keep(named(bad_story(), BAD), directory)]
    results = results_of(*cases)
    day = date(2030, 6, 15)
    failing = [row.id for row in results.providers[0].requirements if row.verdict is Verdict.FAIL]
    until = day + timedelta(days=days)
    entries = tuple(Entry("kernel-tcp", each, "known & watched", "net <team>", until) for each in failing)
    undecided = Entry("kernel-tcp", "WIRE-FIN-03", "flaky", "net team", day + timedelta(days=30))
    return msgspec.structs.replace(results, baseline=Baseline("base.toml", day, (*entries, undecided)))
