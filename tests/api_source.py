"""What the pages of docs/api are written from: public names, and signatures as they stand in the source."""

import ast
import builtins
import doctest
import functools
import importlib
import inspect
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import minigrad
from api_markdown import fenced
from minigrad import nn
from source_tree import LIBRARY

REFERRED = re.compile(  # another layer, whose docstring holds for this one as well
    r"(?:as for|see|that of|those of|[Ll]ike) `?([A-Z]\w+)|\b([A-Z]\w+\d?d?) of (?:images|volumes|whole)"
)
GIVEN_TO_ALL = {"self", "device", "dtype", "inplace"}
SOURCES = {source.module: source for source in LIBRARY}
ORDER = (  # of the files of nn/, as one would teach them
    *("linear", "embedding", "conv", "pooling", "adaptive_pooling", "upsample", "padding", "norm"),
    *("batch_norm", "dropout", "rnn", "rnn_cells", "rnn_base", "gates", "multihead", "attention"),
    *("transformer", "loss", "margin_loss", "ctc", "adaptive_softmax", "distance", "flatten"),
    *("container", "parameter", "module"),
)


def public(space: ModuleType) -> dict[str, Any]:
    """The public names of a module: those of `__all__`, or else what is defined there."""
    listed = getattr(space, "__all__", None)
    names = listed or [name for name in dir(space) if _is_defined_in(space, name)]
    found = {name: getattr(space, name) for name in sorted(names, key=str.lower) if not name.startswith("_")}
    return {name: thing for name, thing in found.items() if not inspect.ismodule(thing)}


def _is_defined_in(space: ModuleType, name: str) -> bool:
    home = getattr(getattr(space, name), "__module__", "") or ""
    return home.startswith(space.__name__) if space is nn else home == space.__name__


@functools.cache
def pages_of_nn() -> dict[str, str]:
    """Every public name of minigrad.nn -> the page that describes it, relative to docs/api."""
    return {
        name: f"activations.md#{name.lower()}" if home_of(thing) == "activation" else f"nn/{name}.md"
        for name, thing in public(nn).items()
    }


def home_of(thing: Any) -> str:
    return thing.__module__.rpartition(".")[2]


def groups() -> dict[str, list[str]]:
    """The names of minigrad.nn by the file that they stand in, in the order in which one would teach them."""
    members: dict[str, list[str]] = {name: [] for name in ORDER}
    for name, thing in public(nn).items():
        if home_of(thing) != "activation":
            members.setdefault(home_of(thing), []).append(name)
    return members


# ------------------------------------------------------------------------------------------- from the source


@functools.cache
def definitions(module: str) -> dict[str, ast.AST]:
    """The classes and functions of a file, and the methods of the classes as `Class.method`."""
    found: dict[str, ast.AST] = {}
    for node in SOURCES[module].tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found[node.name] = node
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{inner.name}": inner for inner in node.body if hasattr(inner, "args")}
    return found


def method(thing: Any, name: str) -> ast.FunctionDef | None:
    """The definition of a method, of the class or of the first base that has it."""
    for base in getattr(thing, "__mro__", ()):
        node = (
            definitions(base.__module__).get(f"{base.__name__}.{name}")
            if base.__module__ in SOURCES
            else None
        )
        if node is not None:
            return node
    return None


def signature(name: str, node: Any) -> str:
    """As it stands in the source, on one line if there is room."""
    if node is None:
        return f"{name}()"
    arguments = list(_arguments(node.args))
    line = f"{name}({', '.join(arguments)})"
    if node.returns is not None and node.name != "__init__":
        line += f" -> {ast.unparse(node.returns)}"
    if len(line) <= 100:
        return line
    return f"{name}(\n" + "".join(f"    {argument},\n" for argument in arguments) + line[line.rindex(")") :]


def _arguments(given: ast.arguments) -> Iterator[str]:
    plain = [argument for argument in (*given.posonlyargs, *given.args) if argument.arg != "self"]
    defaults = [None] * (len(plain) - len(given.defaults)) + given.defaults
    yield from map(_argument, plain, defaults)
    if given.vararg or given.kwonlyargs:
        yield "*" + (_argument(given.vararg, None) if given.vararg else "")
    yield from map(_argument, given.kwonlyargs, given.kw_defaults)
    if given.kwarg:
        yield "**" + _argument(given.kwarg, None)


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    kind = f": {ast.unparse(argument.annotation)}" if argument.annotation else ""
    sign = " = " if kind else "="
    return f"{argument.arg}{kind}" + (
        "" if default is None else sign + ast.unparse(default).replace("'", '"')
    )


def source_link(thing: Any, up: str) -> str:
    """A link to the line where it is defined."""
    source, node = SOURCES[thing.__module__], definitions(thing.__module__)[thing.__name__]
    return f"[{source.path}]({up}{source.path}#L{node.lineno})"


def heading(name: str, thing: Any) -> str:
    """The signature of a function, or of the constructor of a class."""
    node = method(thing, "__init__") if isinstance(thing, type) else definitions(thing.__module__)[name]
    return fenced(signature(name, node), "python")


def docstring(thing: Any) -> str:
    """What a name says of itself; its example begins with the imports that it takes for granted."""
    text = inspect.getdoc(thing) or ""
    examples = doctest.DocTestParser().get_examples(text)
    if not examples:
        return text
    program = "".join(example.source for example in examples)
    lines = _imports(program, thing if inspect.ismodule(thing) else importlib.import_module(thing.__module__))
    return text.replace(">>>", "\n".join([*lines, ">>>"]), 1)


def _imports(program: str, home: ModuleType) -> Iterator[str]:
    """The imports that a program lacks of the names that its file knows."""
    names = {node for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Name | ast.alias)}
    known = {node.name for node in names if isinstance(node, ast.alias)}
    known |= {node.id for node in names if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    wanted = {node.id for node in names if isinstance(node, ast.Name)} - known
    for space in (minigrad, nn, nn.utils, home):
        found = sorted(name for name in wanted if not inspect.ismodule(getattr(space, name, inspect)))
        if found := [name for name in found if not hasattr(builtins, name)]:
            yield f">>> from {space.__name__} import {', '.join(found)}"
            wanted -= set(found)


def constructor_arguments(thing: Any) -> set[str]:
    """What a constructor is given beyond what all of them are."""
    node = method(thing, "__init__")
    given = node.args if node else ast.arguments([], [], None, [], [], None, [])
    return {argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)} - GIVEN_TO_ALL


def said_of(name: str) -> dict[str, str]:
    """The docstring of a layer, and of those that it refers to (`as for MSELoss`), and so on, by name."""
    texts: dict[str, str] = {}
    pending = [name]
    while pending:
        name = pending.pop(0)
        if name not in texts and hasattr(nn, name):
            texts[name] = inspect.getdoc(getattr(nn, name)) or ""
            pending += [first or second for first, second in REFERRED.findall(texts[name])]
    return texts
