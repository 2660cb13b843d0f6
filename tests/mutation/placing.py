# SPDX-License-Identifier: MIT
"""A mutant put in the place of the code that is loaded: in the body of its function, or, elsewhere, by loading anew."""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.machinery
import inspect
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

Function = ast.FunctionDef | ast.AsyncFunctionDef
_REMEMBERING = ("cache", "lru_cache")


def module_name(path: Path) -> str:
    """The name that a module of the tree is imported by."""
    return ".".join(path.with_suffix("").parts)


def function_around(source: str, line: int) -> str | None:
    """The qualified name of the function that has the line in its body.

    None if there is no such function, if a function in it has the line (some of those were made on import), or if one
    of the module remembers its answers, which are those of the code as it was.
    """
    tree = ast.parse(source)
    if any(ast.unparse(decorator).startswith(_REMEMBERING) for f in _in(tree) for decorator in f.decorator_list):
        return None
    for name, function in _functions(tree, ""):
        if function.body[0].lineno <= line <= (function.end_lineno or 0):
            inner = (f for f in _in(function) if f is not function)
            return None if any(f.lineno <= line <= (f.end_lineno or 0) for f in inner) else name
    return None


def _in(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def functions_of(source: str) -> list[str]:
    """The qualified names of a module's functions and methods."""
    return [name for name, _ in _functions(ast.parse(source), "")]


def _functions(tree: ast.Module | ast.ClassDef, prefix: str) -> Iterator[tuple[str, Function]]:
    for node in tree.body:
        if isinstance(node, Function):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}{node.name}.")


def statement_at(source: str, line: int) -> int:
    """The first line of the innermost statement that has this line."""
    statements = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt))
    return max((s.lineno for s in statements if s.lineno <= line <= (s.end_lineno or 0)), default=line)


def put_in(path: Path, function: str, source: str) -> None:
    """Give a function of a loaded module the code that it has in `source`: whoever has the function has that."""
    module = importlib.import_module(module_name(path))
    code = next(code for code in _codes(compile(source, path, "exec")) if code.co_qualname == function)
    found: object = module
    for name in function.split("."):
        found = inspect.getattr_static(found, name)
    found = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
    target = inspect.unwrap(found)  # type: ignore[arg-type]
    assert isinstance(target, FunctionType), f"{function} is {target!r}"
    target.__code__ = code


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def load_anew(code: Path, tests: Path, module: Path, source: str) -> None:
    """Have the code and its tests loaded again when they are next imported, with this source for the one module."""
    package = module_name(code)
    for name, loaded in list(sys.modules.items()):
        file = getattr(loaded, "__file__", None)
        if f"{name}.".startswith(f"{package}.") or (file and Path(file).is_relative_to(tests.resolve())):
            del sys.modules[name]
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Mutated)]
    sys.meta_path.insert(0, _Mutated(module_name(module), source))


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Gives a module its mutated source."""

    def __init__(self, name: str, source: str) -> None:
        self._name, self._source = name, source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module's own spec, for the one name."""
        return importlib.machinery.ModuleSpec(fullname, self) if fullname == self._name else None

    def get_source(self, fullname: str) -> str:
        """The mutated source."""
        return self._source
