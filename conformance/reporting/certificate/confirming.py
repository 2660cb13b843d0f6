# SPDX-License-Identifier: MIT
"""Results, held against their evidence: every trace is judged again, and every verdict compared.

By another suite than the one that judged first, a difference proves nothing wrong with the bundle: it is told apart, as
"this suite judges differently". What stands in the traces themselves is the same for every suite.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from conformance import __version__
from conformance.catalogue import catalogue
from conformance.oracle.verdicts import Verdict
from conformance.reporting import gating, page
from conformance.reporting.certificate import bundle, statement
from conformance.reporting.certificate.archive import Flaw
from conformance.reporting.certificate.bundle import REPORT, RESULTS, STATEMENT, Progress
from conformance.reporting.gating import Gate
from conformance.reporting.rejudging import Change, Rejudged, rejudge
from conformance.reporting.results import BadResults, Results, Suite, load
from conformance.reporting.text import several
from conformance.trace.store import UnknownFormat


@dataclass
class Account:
    """What was verified, what could not be, and what is wrong, in the order in which it was found."""

    verified: list[str] = field(default_factory=list)
    unverified: list[str] = field(default_factory=list)
    wrong: list[Flaw] = field(default_factory=list)


@dataclass(frozen=True)
class Difference:
    """A requirement of which this suite judges otherwise than the one that judged first."""

    provider: str
    requirement: str
    then: str
    now: str
    reason: str


@dataclass(frozen=True)
class Confirmed:
    """The results, their gate, how many cases could be judged again, and where another suite judges differently."""

    results: Results
    gate: Gate
    judged: int
    differs: tuple[Difference, ...]

    def check_statement(self, stated: statement.Statement, account: Account) -> None:
        """Hold what was signed against what these results make of it."""
        says = stated.predicate
        digests = [subject.digest.get("sha256", "") for subject in stated.subject] + ["", ""]
        expected = statement.make(self.results, self.gate, digests[0], digests[1]).predicate
        wrong = [Flaw(STATEMENT, what) for what in _unlike(says, expected)]
        account.wrong += wrong
        if not wrong:
            account.verified.append(f"what is stated, {says.result}: it is what the results come to")


def _unlike(says: statement.Predicate, expected: statement.Predicate) -> Iterator[str]:
    if says.result != expected.result:
        yield f"it says {says.result}, and the results come to {expected.result}"
    for name in ("passed", "warned", "failed"):
        said, is_ = (getattr(predicate, f"{name}_tests") for predicate in (says, expected))
        if said != is_:
            odd = sorted(set(said) ^ set(is_))
            yield f"its list of what {name} is not that of the results: {', '.join(odd) or 'another order, or doubles'}"
    if says.configuration != expected.configuration:
        yield "its suite, catalogue or claims are not those of the results"


def confirm(
    content: bytes,
    report: bytes | None,
    whole: Collection[str],
    present: Collection[str],
    directory: Path,
    account: Account,
    progress: Progress,
) -> Confirmed | None:
    """Judge everything again and account for it; None where the results cannot be read.

    `content` is `results.json`, `report` the page. `directory` holds the evidence; of what is `present` in the bundle,
    only what is `whole` is judged, the rest having been named already.
    """
    results = _read(content, directory, account)
    if results is None:
        return None
    gate = gating.gate(results)
    if not _check_names(results, account):
        account.unverified.append("the verdicts and the report: something is there twice")
        return Confirmed(results, gate, 0, ())
    _check_evidence(results, present, account)
    total = sum(len(provider.cases) for provider in results.providers)
    again = rejudge(results, directory, lambda done: progress("judging again", done, total))
    differs = _check_verdicts(results, again, whole, directory, account)
    progress("drawing the report again", 0, 0)
    if report is not None:
        _check_report(results, report, again, directory, account)
    account.unverified += _vouched(results)
    return Confirmed(results, gate, again.results.cases.finished, differs)


def _vouched(results: Results) -> Iterator[str]:
    """What no evidence in a bundle can show."""
    silent = sum(row.verdict is Verdict.NOT_EXERCISED for each in results.providers for row in each.requirements)
    cases = several(results.cases.finished, "case")
    if results.control is None:
        yield "that the run would have seen a failure: it has no negative control"
    if results.mutants is not None:
        yield "the kill matrix: it is of another session, whose evidence is not in the bundle"
    yield "that the packets (.pcapng) are those of the traces: the traces are what is judged"
    left = several(silent, "requirement was", "requirements were")
    yield f"that no case was left out when the run was planned: it had {cases}, and {left} not exercised"
    yield "that the evidence was taken from what it names, and when: for that the signer vouches"


def _read(content: bytes, directory: Path, account: Account) -> Results | None:
    path = directory / RESULTS
    path.write_bytes(content)
    try:
        return load(path)
    except BadResults as problem:
        where = f"{problem.key}: " if problem.key else ""
        if problem.key == "schema":
            account.unverified.append(f"the verdicts: results of another schema ({problem.why}); {problem.hint}")
        else:
            account.wrong.append(Flaw(RESULTS, f"{where}{problem.why}"))
        return None


def _check_names(results: Results, account: Account) -> bool:
    """No provider twice, and no case of a provider: each stands for its evidence once."""
    providers = Counter(provider.name for provider in results.providers)
    cases = Counter((provider.name, case.id) for provider in results.providers for case in provider.cases)
    twice = [f"the provider {name}" for name, count in providers.items() if count > 1]
    twice += [f"the case {case} of {name}" for (name, case), count in cases.items() if count > 1]
    account.wrong += [Flaw(RESULTS, f"{what} is there twice") for what in twice]
    extent = results.cases
    if extent.finished < extent.planned:
        what = f"{extent.finished} finished of {several(extent.planned, 'planned case')}: a case was removed"
        account.wrong.append(Flaw(RESULTS, f"{what}, or the run was cut short, and then it is not certified"))
    return not twice


def _check_evidence(results: Results, present: Collection[str], account: Account) -> None:
    """Every case has its evidence, and all evidence its case."""
    before = len(account.wrong)
    for provider in results.providers:
        for case in provider.cases:
            if case.evidence not in present:
                account.wrong.append(Flaw(case.evidence, f"missing: the evidence of {case.id} ({provider.name})"))
    for control in results.control.cases if results.control else ():
        if control.evidence and control.evidence not in present:
            account.wrong.append(Flaw(control.evidence, "missing: the evidence of the negative control"))
    named = set(bundle.evidence_of(results))
    account.wrong += [
        Flaw(name, "evidence of no case of the results: it was added, or its case removed")
        for name in sorted(set(present) - named)
    ]
    if len(account.wrong) == before:
        account.verified.append("the evidence: each case of the results has its own, and nothing else is there")


def _check_verdicts(
    results: Results,
    again: Rejudged,
    whole: Collection[str],
    directory: Path,
    account: Account,
) -> tuple[Difference, ...]:
    same_suite = results.suite == again.results.suite
    unread = [bad for bad in again.bad if isinstance(bad, UnknownFormat)]
    bad = [(_name(each.path, directory), each.why) for each in again.bad if each not in unread]
    changes = [change for change in again.changes if same_suite or change.of_record]
    wrong = [Flaw(name, why) for name, why in bad if name in whole]  # what is missing or changed is named already
    evidence = "what is left of the evidence" if again.bad else "the evidence"
    wrong += [_flaw(change, evidence) for change in changes]
    account.wrong += wrong
    if unread:
        account.unverified.append(f"{several(len(unread), 'case')}: {unread[0].why}; {unread[0].hint}")
    differs = () if same_suite else tuple(_differences(results, again.results))
    judged = several(again.results.cases.finished, "case")
    if same_suite and not wrong:
        account.verified.append(f"the verdicts: {judged} judged again, and each verdict and finding is the same")
    elif not same_suite and not wrong and not differs:
        account.verified.append(f"the verdicts: {judged} judged again by another suite, and each verdict is the same")
    if not same_suite:
        ours, theirs = (_suite(each) for each in (Suite(__version__, catalogue.digest()), results.suite))
        account.unverified.append(f"what findings say in words: judged then by {theirs}, and now by {ours}")
    return differs


def _name(path: Path, directory: Path) -> str:
    """What the file is called in the bundle."""
    return path.relative_to(directory).as_posix() if path.is_relative_to(directory) else str(path)


def _flaw(change: Change, evidence: str) -> Flaw:
    reason = f" ({change.reason})" if change.reason else ""
    said = f"says {change.before}, and {evidence} {change.now}{reason}"
    return Flaw(RESULTS, f"{change.provider}, {change.what}: {said}")


def _suite(suite: Suite) -> str:
    return f"{suite.version} ({suite.catalogue[:19]}…)"


def _differences(results: Results, now: Results) -> Iterator[Difference]:
    """Requirement by requirement, where the verdict is another."""
    for old, new in zip(results.providers, now.providers, strict=True):
        then = {row.id: row for row in old.requirements}
        for row in new.requirements:
            before = then.pop(row.id, None)
            if before is None or before.verdict is not row.verdict:
                was = str(before.verdict) if before else "not in its catalogue"
                yield Difference(old.name, row.id, was, str(row.verdict), row.reason)
        for before in then.values():
            yield Difference(old.name, before.id, str(before.verdict), "not in this catalogue", "")


def _check_report(results: Results, report: bytes, again: Rejudged, directory: Path, account: Account) -> None:
    if again.bad:
        account.unverified.append("the report: it is drawn from evidence that is damaged or missing")
        return
    if results.suite != Suite(__version__, catalogue.digest()):
        account.unverified.append("the report: another version of the suite may draw it otherwise")
        return
    try:
        drawn = page.render(results, directory)
    except Exception as error:  # results are somebody's: what cannot be drawn is not confirmed, and the rest is told
        account.wrong.append(Flaw(REPORT, f"these results cannot be drawn: {type(error).__name__}: {error}"))
        return
    if page.same_page(drawn, report.decode(errors="surrogateescape")):
        account.verified.append("the report: it is what these results and this evidence look like")
    else:
        account.wrong.append(Flaw(REPORT, "not the report of these results and this evidence"))
