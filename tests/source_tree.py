"""The repository as the tests in tests/house/ read it: its files, their dotted names, their imports."""

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOP_LEVEL = {
    "minigrad": "minigrad",
    "nn": "minigrad.nn",
    "models": "minigrad.models",
    "tools": "minigrad.tools",
}


@dataclass(frozen=True)
class Source:
    """One Python file; `path` is relative to the root of the repository."""

    path: str
    module: str
    text: str = field(repr=False)

    def __str__(self):
        return self.path

    @functools.cached_property
    def tree(self):
        return ast.parse(self.text, self.path)

    @property
    def is_package(self):
        return self.path.endswith("/__init__.py")


@dataclass(frozen=True)
class Import:
    """One imported name: `from minigrad.tape import Node` has the module minigrad.tape and the name Node."""

    module: str
    name: str | None
    line: int
    in_function: bool
    for_type_checker: bool

    @property
    def package(self):
        return self.module.partition(".")[0]


def read(path):
    """The file at `path`; links to folders are not followed, so each file is read once."""
    relative = path.relative_to(ROOT)
    top, *inner = relative.with_suffix("").parts
    module = ".".join([TOP_LEVEL.get(top, top), *inner]).removesuffix(".__init__")
    return Source(relative.as_posix(), module, path.read_text(encoding="utf-8"))


def python_files(*folders):
    return [read(path) for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def imports(source: Source, modules=frozenset()) -> Iterator[Import]:
    """Every import of `source`, absolute; `from package import x` is package.x if `modules` has it."""
    pending: list[tuple[ast.AST, bool, bool]] = [(source.tree, False, False)]
    while pending:
        node, in_function, for_type_checker = pending.pop()
        where = (getattr(node, "lineno", 0), in_function, for_type_checker)
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, None, *where)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(source, node)
            for alias in node.names:
                inner = f"{origin}.{alias.name}"
                yield Import(inner, None, *where) if inner in modules else Import(origin, alias.name, *where)
        in_function |= isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for_type_checker |= isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        pending += [(child, in_function, for_type_checker) for child in ast.iter_child_nodes(node)]


def _origin(source, node):
    """The absolute name of the module that a `from ... import` reads."""
    if not node.level:
        return node.module
    package = source.module.split(".")
    up = node.level - 1 if source.is_package else node.level
    return ".".join(package[: len(package) - up] + ([node.module] if node.module else []))


LIBRARY = python_files(*TOP_LEVEL)
TESTS = python_files("tests")
