# SPDX-License-Identifier: MIT
"""Kill matrices made by hand: one of everything that can become of a mutant, a hostile one, and a large one."""

from __future__ import annotations

from pathlib import Path

import msgspec

from conformance.catalogue import catalogue
from conformance.reporting.killmatrix import Death, Fate, KillMatrix, MutantRow
from conformance.reporting.results import Results
from tests.reporting.pages import HOSTILE
from tests.reporting.runs import kept_run

LINK = "on_the_link"
CASE = "indicating/abort.py::test_peer_aborts[0-linger-0]"


def death(
    requirement: str, over: str = "kernel-tcp", name: str = "wrong", because: str = "it was told 0 bytes"
) -> Death:
    return Death(requirement, CASE, f"mutants/{over}+{name}/{requirement}.jsonl", because)


def mutant(
    name: str,
    fate: Fate,
    kills: tuple[str, ...],
    caught: tuple[str, ...] = (),
    *,
    over: str = "kernel-tcp",
    reason: str = "",
    subject: str = "indicating",
    says: str = "A reset is told as the end of data.",
    cases: int = 3,
) -> MutantRow:
    deaths = tuple(death(requirement, over, name) for requirement in caught)
    return MutantRow(
        name=name,
        over=over,
        says=says,
        fate=fate,
        kills=kills,
        caught=deaths,
        cases=cases,
        reason=reason,
        subject=subject,
    )


def mixed_matrix() -> KillMatrix:
    """One of each fate; one that died over one provider and survived over another; and what nothing is made for."""
    seen = "IND-ABORT-02: pass in 3 cases"
    return KillMatrix(
        mutants=(
            mutant("reset_told_as_end", Fate.KILLED, ("IND-ABORT-02",), ("IND-ABORT-02", "IND-ABORT-01")),
            mutant("reset_told_as_end", Fate.SURVIVED, ("IND-ABORT-02",), over="reference", reason=seen),
            mutant("end_not_told", Fate.KILLED, ("IND-STREAM-01",), ("IND-STREAM-01",)),
            mutant("end_not_told", Fate.NOT_RUN, ("IND-STREAM-01",), over="wine-tcp", reason="no Wine", cases=0),
            mutant("close_resets", Fate.SURVIVED, ("INIT-CLOSE-01",), subject="initiating", reason="pass in 2 cases"),
            mutant("rst_as_fin", Fate.ELSEWHERE, ("WIRE-ABRT-01",), ("IND-ABORT-01",), subject=LINK, reason="no"),
            mutant("dies_itself", Fate.BROKE, ("INIT-SHUT-01",), subject="initiating", reason="error: it died"),
            mutant("never_tried", Fate.NOT_RUN, ("WIRE-FIN-01",), subject=LINK, reason="no TUN", cases=0),
        ),
        demanded=("IND-STREAM-01", "IND-STREAM-02", "IND-ABORT-01", "IND-ABORT-02", "INIT-CLOSE-01", "WIRE-FIN-01"),
        missing={"wine-tcp": "no Wine"},
    )  # fmt: skip


def hostile_matrix() -> KillMatrix:
    """A matrix whose every word is hostile."""
    bad = Death(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    rows = [
        MutantRow(name=HOSTILE, over=HOSTILE, says=HOSTILE, fate=fate, kills=(HOSTILE,), caught=(bad,) if died else (),
                  cases=1, reason=HOSTILE, subject=f"{HOSTILE}{fate}")
        for fate, died in ((Fate.KILLED, True), (Fate.SURVIVED, False), (Fate.ELSEWHERE, True), (Fate.NOT_RUN, False))
    ]  # fmt: skip
    return KillMatrix(mutants=tuple(rows), demanded=(HOSTILE, "IND-STREAM-01"), missing={HOSTILE: HOSTILE})


def large_matrix(mutants: int = 120, requirements: int = 100) -> KillMatrix:
    """Mutants over two providers each; a few that survived, were caught elsewhere, broke or were not run."""
    known = list(catalogue.load())[:requirements]
    odd = {7: Fate.SURVIVED, 31: Fate.ELSEWHERE, 55: Fate.BROKE, 79: Fate.NOT_RUN}
    rows = []
    for number in range(mutants):
        named = tuple(known[(number * 7 + step * 3) % (requirements - 6)] for step in range(1 + number % 2))
        others = tuple(known[(number * 11 + step * 17) % (requirements - 6)] for step in range(number % 6))
        fate = odd.get(number, Fate.KILLED)
        caught = {Fate.KILLED: (*named, *others), Fate.ELSEWHERE: others or (known[0],)}.get(fate, ())
        for over in ("kernel-tcp", "reference-stream"):
            rows.append(
                mutant(
                    f"wrong_in_the_{number}th_way_of_telling_it"[: 18 + number % 20],
                    fate,
                    named,
                    tuple(dict.fromkeys(caught)),
                    over=over,
                    subject=("indicating", "initiating", "notifying", "disconnect_data", LINK, "errors")[
                        number // 20 % 6
                    ],
                    reason="" if fate is Fate.KILLED else f"{named[0]}: pass in 12 cases",
                    says=f"What was told is told wrong in way {number}, before the data that it should come after.",
                )
            )
    return KillMatrix(mutants=tuple(rows), demanded=tuple(known))


def run_with_mutants(directory: Path) -> Results:
    """A run on disk whose results have a matrix."""
    return msgspec.structs.replace(kept_run(directory), mutants=mixed_matrix())
