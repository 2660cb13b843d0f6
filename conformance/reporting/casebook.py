# SPDX-License-Identifier: MIT
"""What the test cases say of themselves, read from their source without running it: name, story, what they exercise."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CaseFunction:
    """A case function: `id` is `FILE::FUNCTION`, to which results add the parameters; `story` is its docstring."""

    id: str
    story: str
    exercises: tuple[str, ...]
    probes: tuple[str, ...] = ()
    """The service flags that it tries out, claimed or not."""

    @property
    def name(self) -> str:
        """The function's own name."""
        return self.id.rpartition("::")[2]


def read(folder: Path) -> tuple[CaseFunction, ...]:
    """Every case function below the folder, by file and in the order of the file. What is no Python is left out."""
    found: list[CaseFunction] = []
    for path in sorted(folder.rglob("*.py")):
        try:
            module = ast.parse(path.read_text(encoding="utf-8"))
        except (OSError, SyntaxError, UnicodeDecodeError):
            continue
        found += _functions(module, path.relative_to(folder).as_posix())
    return tuple(found)


def _functions(module: ast.Module, file: str) -> Iterator[CaseFunction]:
    constants = {
        target.id: statement.value
        for statement in module.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }

    def marked(mark: str, node: ast.FunctionDef) -> tuple[str, ...]:
        of_all = list(_named(constants["pytestmark"], constants, mark)) if "pytestmark" in constants else []
        own = [name for decorator in node.decorator_list for name in _named(decorator, constants, mark)]
        return tuple(dict.fromkeys([*of_all, *own]))

    for node in module.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            story = " ".join((ast.get_docstring(node) or "").split())
            yield CaseFunction(f"{file}::{node.name}", story, marked("exercises", node), marked("probes", node))


def _named(node: ast.AST, constants: Mapping[str, ast.expr], mark: str) -> Iterator[str]:
    """What is named by that mark, `exercises(…)` or `probes(…)`, in an expression and in the constants that it uses."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id in constants:
            rest = {name: value for name, value in constants.items() if name != part.id}
            yield from _named(constants[part.id], rest, mark)
        elif isinstance(part, ast.Call) and _called(part) == mark:
            for argument in part.args:
                yield from _texts(argument, constants)


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _texts(node: ast.AST, constants: Mapping[str, ast.expr]) -> Iterator[str]:
    """The string constants of an expression: literal, or by the name of a constant of the module."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value
        elif isinstance(part, ast.Name) and part.id in constants:
            rest = {name: value for name, value in constants.items() if name != part.id}
            yield from _texts(constants[part.id], rest)
