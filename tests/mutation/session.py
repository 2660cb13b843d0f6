# SPDX-License-Identifier: MIT
"""The mutants of a module, made by cosmic-ray's operators, and what became of them, kept in a file of JSON lines.

What is found holds for the text of the module: if that is changed, its mutants are tried anew.
"""

from __future__ import annotations

import ast
import hashlib
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

CONFIG = Path(__file__).with_name("mutants.toml")
NO_PYTHON = "no Python"
"""What is kept of a change that makes no program: it is no mutant."""
Position = tuple[int, int]


@dataclass(frozen=True)
class Mutant:
    """One change of one place of a module: by which operator, the how manyth of its places, and where that is."""

    module: Path
    operator: str
    occurrence: int
    line: int
    """From 1."""
    column: int
    """From 0."""

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


def mutants_of(module: Path) -> list[Mutant]:
    """The mutants of a module, by their places; some of them may be no Python."""
    tree, unread, left_out = get_ast(module.read_text()), _unread(module), _left_out()
    made = list[Mutant]()
    for name in operator_names():
        if left_out(name):
            continue
        operator, occurrence = get_operator(name)(), 0
        for node in ast_nodes(tree):
            for start, end in operator.mutation_positions(node):
                if not unread(start, end):
                    made.append(Mutant(module, name.removeprefix("core/"), occurrence, *start))
                occurrence += 1
    return sorted(made, key=lambda mutant: (mutant.line, mutant.column, mutant.operator, mutant.occurrence))


def _left_out() -> Callable[[str], object]:
    return re.compile("|".join(tomllib.loads(CONFIG.read_text())["exclude-operators"])).match


class _Kept(msgspec.Struct, frozen=True):
    """What a line of the file holds."""

    module: str
    digest: str
    operator: str
    occurrence: int
    caught: str


class Session:
    """What caught which mutant, "" for nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digests = dict[Path, str]()

    @cached_property
    def _known(self) -> dict[tuple[str, str, str, int], str]:
        lines = self._path.read_bytes().splitlines() if self._path.exists() else []
        kept = [msgspec.json.decode(line, type=_Kept) for line in lines]
        return {(k.module, k.digest, k.operator, k.occurrence): k.caught for k in kept}

    def caught(self, mutant: Mutant) -> str | None:
        """What caught a mutant; "" for nothing, None if it was not tried yet."""
        return self._known.get(self._key(mutant))

    def keep(self, mutant: Mutant, caught: str) -> None:
        """Write down what caught a mutant, "" for nothing."""
        key = self._key(mutant)
        self._known[key] = caught
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(_Kept(*key, caught)) + b"\n")

    def _key(self, mutant: Mutant) -> tuple[str, str, str, int]:
        if mutant.module not in self._digests:
            self._digests[mutant.module] = hashlib.sha256(mutant.module.read_bytes()).hexdigest()[:16]
        return mutant.module.stem, self._digests[mutant.module], mutant.operator, mutant.occurrence


def _unread(module: Path) -> Callable[[Position, Position], bool]:
    """Whether a change is in an annotation, the declaration of a class or of parameters, or the words of a finding.

    Nobody evaluates the first; that a class of values is frozen, or what is given by name only, is mypy's to check; and
    words are for people: what a finding concludes, from which events, is behaviour, and how it says so is not.
    """
    spans = list(_spans(ast.parse(module.read_text())))
    return lambda start, end: any(first <= start and end <= last for first, last in spans)


def _spans(tree: ast.Module) -> Iterator[tuple[Position, Position]]:
    for node in ast.walk(tree):
        places = list[ast.expr | None]()
        match node:
            case ast.FunctionDef() as function:
                returns, args = function.returns, function.args
                places.append(returns)
                if args.kwonlyargs:  # the star before them, which cosmic-ray takes for a product
                    before: tuple[ast.FunctionDef | ast.arg | ast.expr, ...] = (function, *args.args, *args.defaults)
                    last, first = before[-1], args.kwonlyargs[0]
                    yield (last.lineno, last.col_offset), (first.lineno, first.col_offset)
            case ast.arg(annotation=annotation) | ast.AnnAssign(annotation=annotation):
                places.append(annotation)
            case ast.ClassDef(keywords=keywords, decorator_list=decorators):
                places += [*(k.value for k in keywords), *decorators]
            case ast.JoinedStr():
                places.append(node)
        for place in places:
            if place is not None:
                yield (place.lineno, place.col_offset), (place.end_lineno or 0, place.end_col_offset or 0)
