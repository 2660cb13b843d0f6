# SPDX-License-Identifier: MIT
"""The mutants of a module, and what became of them: a session of cosmic-ray for each module as it is, in a folder.

What is found holds for the text of the module: one that was changed has other mutants, and a session of its own.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cosmic_ray.commands import init
from cosmic_ray.config import load_config
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome, WorkItem, WorkResult

CONFIG = Path(__file__).with_name("mutants.toml")


@dataclass(frozen=True)
class Mutant:
    """One change of one place of a module (`line` from 1), and what came of it: what caught it, "" if nothing did."""

    job: str
    module: Path
    line: int
    column: int
    operator: str
    occurrence: int
    caught: str | None = None

    def changed(self) -> str:
        """The module with that change. Raises SyntaxError where the change is none that Python can read."""
        changed = str(mutate_code(self.module.read_text(), get_operator(f"core/{self.operator}")(), self.occurrence))
        compile(changed, self.module, "exec")
        return changed

    @property
    def text(self) -> str:
        """The line, as it is."""
        return self.module.read_text().splitlines()[self.line - 1].strip()

    @property
    def changed_text(self) -> str:
        """The line, as it is then."""
        return self.changed().splitlines()[self.line - 1].strip()


class Session:
    """The mutants of one module, made if they were not made yet."""

    def __init__(self, folder: Path, module: Path) -> None:
        digest = hashlib.sha256(module.read_bytes() + CONFIG.read_bytes()).hexdigest()
        path = folder / f"{module.stem}-{digest[:12]}.sqlite"
        self._begun = path.with_suffix(".begun")
        folder.mkdir(parents=True, exist_ok=True)
        self._module, self._database = module, WorkDB(path, WorkDB.Mode.create)
        if not self._begun.exists():
            self._begin()
            self._begun.touch()

    def _begin(self) -> None:
        init([self._module], self._database, {})
        left_out = re.compile("|".join(load_config(CONFIG).sub("filters", "operators-filter")["exclude-operators"]))
        unread = _unread(self._module)
        skipped = [
            item.job_id
            for item in self._database.work_items
            for spec in item.mutations
            if left_out.match(spec.operator_name) or unread(spec) or not _is_python(_mutant(item))
        ]
        self._database.set_multiple_results(skipped, WorkResult(worker_outcome=WorkerOutcome.SKIPPED))

    @cached_property
    def _items(self) -> list[WorkItem]:
        results = dict(self._database.results)
        kept = [item for item in self._database.work_items if not _skipped(results.get(item.job_id))]
        return sorted(kept, key=lambda item: (item.mutations[0].start_pos, item.mutations[0].operator_name))

    def mutants(self, sample: int = 1) -> list[Mutant]:
        """The mutants, by their places, with what is known of them; or every so many of them."""
        results = dict(self._database.results)
        return [_mutant(item, results.get(item.job_id)) for item in self._items[::sample]]

    def caught(self, mutant: Mutant, by: str) -> None:
        """Write down what caught a mutant, "" for nothing."""
        outcome = TestOutcome.KILLED if by else TestOutcome.SURVIVED
        result = WorkResult(worker_outcome=WorkerOutcome.NORMAL, test_outcome=outcome, output=by)
        self._database.set_result(mutant.job, result)


def _skipped(result: WorkResult | None) -> bool:
    return result is not None and result.worker_outcome is WorkerOutcome.SKIPPED


def _mutant(item: WorkItem, result: WorkResult | None = None) -> Mutant:
    (spec,) = item.mutations
    return Mutant(
        job=item.job_id,
        module=spec.module_path,
        line=spec.start_pos[0],
        column=spec.start_pos[1],
        operator=spec.operator_name.removeprefix("core/"),
        occurrence=spec.occurrence,
        caught=None if result is None else result.output,
    )


def _is_python(mutant: Mutant) -> bool:
    try:
        mutant.changed()
    except SyntaxError:
        return False
    return True


def _unread(module: Path) -> Callable[[MutationSpec], bool]:
    """Whether a change is in an annotation, the declaration of a class or of parameters, or the words of a finding.

    Nobody evaluates the first; that a class of values is frozen, or what is given by name only, is mypy's to check; and
    words are for people: what a finding concludes, from which events, is behaviour, and how it says so is not.
    """
    spans = list(_spans(ast.parse(module.read_text())))
    return lambda spec: any(start <= spec.start_pos and spec.end_pos <= end for start, end in spans)


def _spans(tree: ast.Module) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    for node in ast.walk(tree):
        places = list[ast.AST | None]()
        match node:
            case ast.FunctionDef(returns=returns, args=args):
                places.append(returns)
                if args.kwonlyargs:  # the star before them, which cosmic-ray takes for a product
                    last = (node, *args.args, *args.defaults)[-1]
                    yield (last.lineno, last.col_offset), (args.kwonlyargs[0].lineno, args.kwonlyargs[0].col_offset)
            case ast.arg(annotation=annotation) | ast.AnnAssign(annotation=annotation):
                places.append(annotation)
            case ast.ClassDef(keywords=keywords, decorator_list=decorators):
                places += [*(k.value for k in keywords), *decorators]
            case ast.JoinedStr():
                places.append(node)
        for place in places:
            if place is not None:
                yield (place.lineno, place.col_offset), (place.end_lineno, place.end_col_offset)  # type: ignore[attr-defined]
