# SPDX-License-Identifier: MIT
"""What every report says in one line: what was tested, what a verdict rests on, and whether it counts as a failure."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.oracle.findings import Conclusion
from conformance.oracle.verdicts import Verdict
from conformance.reporting.gating import Gate
from conformance.reporting.results import CaseRow, FindingRow, ProviderResults, RequirementRow, Results
from conformance.reporting.text import clean

_RESTS_ON = {
    Verdict.FAIL: (Conclusion.VIOLATED,),
    Verdict.DEVIATION: (Conclusion.VIOLATED,),
    Verdict.ERROR: (Conclusion.ERROR,),
    Verdict.INCONCLUSIVE: (Conclusion.UNDETERMINED,),
    Verdict.PASS: (Conclusion.SATISFIED,),
    Verdict.RECORDED: (Conclusion.SATISFIED, Conclusion.VIOLATED),
}
_CATALOGUE_SHOWN = 19
"""Characters of `sha256:…` that tell one catalogue from another."""


def is_failed(row: RequirementRow, provider: ProviderResults, decided: Gate) -> bool:
    """Whether a requirement counts against its provider: it failed and is not excused, or it broke."""
    return row.verdict is Verdict.ERROR or (
        row.verdict is Verdict.FAIL and decided.excuse(provider.name, row.id) is None
    )


def telling(row: RequirementRow) -> list[tuple[CaseRow, list[FindingRow]]]:
    """The cases that the row's verdict rests on, each with the findings that say so; the first comes first."""
    outcomes = _RESTS_ON.get(row.verdict, ())
    found = [(case, [finding for finding in case.findings if finding.outcome in outcomes]) for case in row.cases]
    return [(case, findings) for case, findings in found if findings]


def seen(row: RequirementRow) -> str:
    """What was seen, by the first finding; the reason of a row that has none. As it was said: not cleaned."""
    cases = telling(row)
    return cases[0][1][0].because if cases else row.reason or "nothing that is stored says why"


def implementation(provider: ProviderResults) -> str:
    """What an agent said of the implementation it drives: `linux-tcp 6.18 (kernel)`; "" if it said nothing."""
    told = provider.found.get("implementation")
    if not isinstance(told, Mapping):
        return ""
    name, version, vendor = (clean(str(told.get(key) or "")) for key in ("name", "version", "vendor"))
    return " ".join(filter(None, (name, version, f"({vendor})" if vendor else "")))


def claimed(provider: ProviderResults) -> str:
    """The statement in short: family, transport and service flags."""
    statement = provider.statement
    return ", ".join(map(clean, (statement.family, statement.transport, *statement.service_flags)))


def judged_by(results: Results) -> str:
    """The suite and the machine that it ran on."""
    suite, environment = results.suite, results.environment
    catalogue = f"{suite.catalogue[:_CATALOGUE_SHOWN]}…"
    return clean(f"suite {suite.version}, catalogue {catalogue}; {environment.system}, Python {environment.python}")
