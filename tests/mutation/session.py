# SPDX-License-Identifier: MIT
"""The mutants of the oracle's modules, and what became of them: a session of cosmic-ray, which its reports read too."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.commands import init
from cosmic_ray.config import load_config
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome, WorkItem, WorkResult

CONFIG = Path(__file__).with_name("mutants.toml")


@dataclass(frozen=True)
class Mutant:
    """One change of one place of a module (`line` from 1), and what came of it: what caught it, "" if nothing did."""

    job: str
    module: Path
    function: str
    line: int
    text: str
    operator: str
    occurrence: int
    caught: str | None = None

    def source(self) -> str:
        """The module with that change. Raises SyntaxError where the change is none that Python can read."""
        changed = mutate_code(self.module.read_text(), get_operator(f"core/{self.operator}")(), self.occurrence)
        compile(changed, self.module, "exec")
        return str(changed)


class Session:
    """The mutants of a session's file, made anew or gone on with."""

    def __init__(self, database: WorkDB) -> None:
        self._database = database

    def begin(self, modules: Sequence[Path]) -> None:
        """Make the mutants of those modules, and forget what was there."""
        init(modules, self._database, {})
        left_out = re.compile("|".join(load_config(CONFIG).sub("filters", "operators-filter")["exclude-operators"]))
        unread = {module: _unread(module) for module in modules}
        skipped = [
            item.job_id
            for item in self._database.work_items
            for spec in item.mutations
            if left_out.match(spec.operator_name) or unread[spec.module_path](spec)
        ]
        self._database.set_multiple_results(skipped, WorkResult(worker_outcome=WorkerOutcome.SKIPPED))

    def caught(self, mutant: Mutant, by: str) -> None:
        """Write down what caught a mutant, "" for nothing."""
        outcome = TestOutcome.KILLED if by else TestOutcome.SURVIVED
        result = WorkResult(worker_outcome=WorkerOutcome.NORMAL, test_outcome=outcome, output=by)
        self._database.set_result(mutant.job, result)

    def pending(self, *, again: bool = False) -> list[Mutant]:
        """The mutants that were not tried yet, by module and line; `again`: those too that nothing caught."""
        pending = [*map(_mutant, self._database.pending_work_items)]
        pending += [mutant for mutant in self.tried() if again and not mutant.caught]
        return sorted(pending, key=lambda m: (m.module, m.line))

    def tried(self) -> list[Mutant]:
        """The mutants that were tried, by module and line."""
        done = self._database.completed_work_items
        tried = [_mutant(item, r) for item, r in done if r.worker_outcome is not WorkerOutcome.SKIPPED]
        return sorted(tried, key=lambda m: (m.module, m.line))


@contextmanager
def session(path: Path) -> Iterator[Session]:
    """Open a session's file; made if it is not there."""
    with use_db(path, WorkDB.Mode.create) as database:
        yield Session(database)


def _mutant(item: WorkItem, result: WorkResult | None = None) -> Mutant:
    (spec,) = item.mutations
    line = spec.start_pos[0]
    return Mutant(
        job=item.job_id,
        module=spec.module_path,
        function=spec.definition_name or "",
        line=line,
        text=spec.module_path.read_text().splitlines()[line - 1].strip(),
        operator=spec.operator_name.removeprefix("core/"),
        occurrence=spec.occurrence,
        caught=None if result is None else result.output,
    )


def _unread(module: Path) -> Callable[[MutationSpec], bool]:
    """Whether a change is in an annotation, the declaration of a class, or the words of a finding.

    Nobody evaluates the first; that a class of values is frozen, or takes names only, is mypy's to check; and words are
    for people: what a finding concludes, from which events, is behaviour, and how it says so is not.
    """
    places = list[ast.AST]()
    for node in ast.walk(ast.parse(module.read_text())):
        match node:
            case ast.FunctionDef(returns=returns) if returns is not None:
                places.append(returns)
            case ast.arg(annotation=annotation) | ast.AnnAssign(annotation=annotation) if annotation is not None:
                places.append(annotation)
            case ast.ClassDef(keywords=keywords, decorator_list=decorators):
                places += [*(k.value for k in keywords), *decorators]
            case ast.JoinedStr():
                places.append(node)
    spans = [((p.lineno, p.col_offset), (p.end_lineno, p.end_col_offset)) for p in places]  # type: ignore[attr-defined]
    return lambda spec: any(start <= spec.start_pos and spec.end_pos <= end for start, end in spans)
