# SPDX-License-Identifier: MIT
"""A run in which everything that an agent or a file can say was said by somebody who means ill."""

from __future__ import annotations

from typing import Any

import msgspec

from conformance.catalogue.statement import Contradiction
from conformance.oracle.findings import Conclusion
from conformance.reporting.results import Results
from tests.reporting.runs import case, finding, provider, results_of

HOSTILE = (
    "<script>alert(1)</script>",
    "]]><b a='\"'>&amp;&#x1;",
    "a|b`c``d` <details> **e** [f](javascript:0) @everyone #1 https://x.example",
    "one\ntwo\r\n\n# three\x00\x1b[2J\x7f\u202e\u2028\ufffe",
    "`",
    "``` ",
    "",
    "x" * 5000,
    "-->\n</testsuites>",
    "=cmd|' /C calc'!A0 {{7*7}} ${{ secrets.X }} ::error::x",
)


def hostile_run(text: str) -> Results:
    """One provider that fails, breaks, leaves open, deviates and records; one that could not be tested."""
    outcomes = {
        "IND-STREAM-01": Conclusion.VIOLATED,
        "IND-STREAM-02": Conclusion.ERROR,
        "IND-STREAM-03": Conclusion.UNDETERMINED,
        "IND-STREAM-05": Conclusion.VIOLATED,  # a recommendation
        "POSIX-RECV-01": Conclusion.SATISFIED,
    }
    findings = [finding(identity, outcome, text) for identity, outcome in outcomes.items()]
    contradiction = Contradiction(item=text, claimed=text, found=text, cases=(text,))
    found: dict[str, Any] = {"implementation": {"name": text, "version": [text], "vendor": {text: text}}, text: text}
    made = results_of(
        case(f"a.py::test_x[{text}]", *findings, provider=f"mine {text}", problem=text),
        providers=[
            provider(f"mine {text}", found=found, contradictions=(contradiction,)),
            provider(f"other {text}", problem=text or "?", found={"implementation": text}),
        ],
    )
    environment = msgspec.structs.replace(made.environment, system=text, python=text, topologies=(text,))
    return msgspec.structs.replace(made, environment=environment)


def edited(results: Results) -> Results:
    """What no run writes, and an edited file may hold: rows of an unknown requirement, and failures of no case."""
    first = results.providers[0]
    rows = [msgspec.structs.replace(row, id=f"NO-SUCH-{row.id}<b>", cases=()) for row in first.requirements]
    return msgspec.structs.replace(results, providers=(msgspec.structs.replace(first, requirements=tuple(rows)),))
