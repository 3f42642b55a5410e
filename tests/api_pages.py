"""The pages of docs/api, written from the docstrings and signatures of the library as it is.

    python tests/api_pages.py            (the text)
    python tests/api_figures.py          (the figures, with matplotlib and Graphviz)

A layer has a page of its own; activations, optimisers, schedules, initialisers and utilities share one for
each kind; functions and methods have a row each, with the first line of what they say of themselves.
"""

import importlib
import inspect
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import minigrad
from api_layers import differences, layer_page
from api_markdown import converted, figure, prose, summary, table
from api_source import docstring, groups, heading, home_of, pages_of_nn, public, source_link
from minigrad import creation, functions, methods, nn, random
from minigrad.nn import functional
from minigrad.optim import swa_utils
from source_tree import ROOT

API = ROOT / "docs" / "api"
WRITTEN = "Written by `python tests/api_pages.py` from the docstrings of the library."


# ----------------------------------------------------------------------------------------------- shared pages


def described(space: ModuleType, up: str = "../../", level: str = "##") -> str:
    """All public names of a module, each with its signature and its docstring in full."""
    parts: list[str] = []
    for name, thing in public(space).items():
        parts += [f"{level} {name}", f"In {source_link(thing, up)}.", heading(name, thing)]
        parts.append(converted(docstring(thing), lambda other: None))
    return "\n\n".join(parts)


def shared_page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", f"{WRITTEN} [All names](README.md).", *parts]) + "\n"


def activations_page() -> str:
    """All activations: a table, a figure, and a section for each."""
    names = [name for name, thing in public(nn).items() if home_of(thing) == "activation"]
    rows = [(f"[{name}](#{name.lower()})", summary(getattr(nn, name).__doc__)) for name in names]
    parts = [introduction(nn.activation), *figure("activations", "../images/")]
    parts.append(table(("module", "formula"), rows))
    for name in names:
        thing = getattr(nn, name)
        parts += [f"## {name}", f"In {source_link(thing, '../../')}.", heading(name, thing)]
        parts.append(converted(docstring(thing), lambda other: pages_of_nn().get(other)))
        parts += [f"It differs from PyTorch:\n\n{items}" for items in differences(name, thing)[1:]]
    return shared_page("Activations", *parts)


def introduction(space: ModuleType) -> str:
    """The docstring of a file; on which floor it stands is of no matter here."""
    text = re.sub(r"^Floor \d: |; see functions/__init__.py", "", docstring(space))
    return converted(text[:1].upper() + text[1:], lambda name: None)


def optim_page() -> str:
    return shared_page(
        "Optimisers",
        "`minigrad.optim`: the equations are numbered as in the source, which has them beside the code. "
        "`ways` are PyTorch's `foreach`, `fused`, `capturable` and `differentiable`: there is one way here.",
        described(minigrad.optim),
    )


def schedules_page() -> str:
    text = "`minigrad.optim.lr_scheduler`: γ is the rate, γ₀ the first one, t the number of the step."
    return shared_page(
        "Schedules", text, *figure("lr_scheduler", "../images/"), described(minigrad.optim.lr_scheduler)
    )


def averages_page() -> str:
    return shared_page("Averages of weights", introduction(swa_utils), described(swa_utils))


def init_page() -> str:
    return shared_page("nn.init", introduction(nn.init), described(nn.init))


UTILITIES = ("", ".parametrizations", ".parametrize", ".rnn")


def utils_page() -> str:
    parts: list[str] = []
    for end in UTILITIES:
        space = importlib.import_module(f"minigrad.nn.utils{end}")
        parts += [f"## {space.__name__}", introduction(space), described(space, level="###")]
    return shared_page("nn.utils", *parts)


# ----------------------------------------------------------------------------------------------------- tables


def row(name: str, thing: Any) -> tuple[str, str]:
    return f"`{name}`", summary(inspect.getdoc(thing)) or "See the tensor's method."


def functional_page() -> str:
    """The functions of nn.functional by the file that they stand in."""
    parts: list[str] = ["`minigrad.nn.functional`, customarily imported as `F`."]
    for path in sorted((ROOT / "nn" / "functional").glob("*.py")):
        if path.stem in ("__init__", "checks"):
            continue
        space = importlib.import_module(f"minigrad.nn.functional.{path.stem}")
        rows = [row(name, thing) for name, thing in public(space).items() if hasattr(functional, name)]
        link = f"[nn/functional/{path.name}](../../nn/functional/{path.name})"
        parts += [
            f"## {path.stem}",
            f"{introduction(space)} {link}",
            table(("function", ""), rows),
        ]
    return shared_page("nn.functional", *parts)


FAMILIES = (creation, random, *functions.FAMILIES)
OTHERS = ("linalg", "autograd", "func")


def functions_page() -> str:
    """The functions of minigrad itself by family, and those of linalg, autograd and func."""
    parts: list[str] = []
    for space in (*FAMILIES, *[importlib.import_module(f"minigrad.{name}") for name in OTHERS]):
        if rows := [row(name, thing) for name, thing in public(space).items() if callable(thing)]:
            title = space.__name__.removeprefix("minigrad.").removeprefix("functions.")
            called = "minigrad" if space in FAMILIES else space.__name__
            parts += [f"## {title}", introduction(space), table((f"`{called}.`", ""), rows)]
    return shared_page("Functions", *parts)


def tensor_page() -> str:
    """The methods of Tensor by family, with a mark for those that have an in-place form."""
    parts: list[str] = []
    shown: set[str] = set()
    for space in FAMILIES:
        rows = []
        for name in sorted(space.METHODS):
            in_place = f"`{name}_`" if f"{name}_" in methods.IN_PLACE else ""
            rows.append((f"`{name}`", in_place, summary(inspect.getdoc(getattr(minigrad.Tensor, name)))))
            shown |= {name, f"{name}_"}
        if rows:
            title = space.__name__.removeprefix("minigrad.").removeprefix("functions.")
            parts += [f"## {title}", introduction(space), table(("method", "in place", ""), rows)]
    own = [name for name in sorted(dir(minigrad.Tensor)) if not name.startswith("_") and name not in shown]
    rows = [(f"`{name}`", _of_tensor(name)) for name in own]
    return shared_page("Tensor", *parts, "## The tensor itself", table(("name", ""), rows))


def _of_tensor(name: str) -> str:
    """What a name is that stands in the class itself, or has been put there as one line."""
    if name in methods.DTYPES:
        return f"The values as {methods.DTYPES[name]}: `x.to({methods.DTYPES[name]!r})`."
    attribute = getattr(minigrad.Tensor, name)
    if inspect.ismemberdescriptor(attribute):
        return ATTRIBUTES[name]
    return summary(inspect.getdoc(attribute)) or ATTRIBUTES[name]


ATTRIBUTES = {
    "array": "The NumPy or CuPy array of the values.",
    "cpu": "The values in the CPU's memory.",
    "cuda": "The values in the memory of a GPU.",
    "grad": "The gradient that backward has left, or None.",
    "node": "Where the tensor stands on the tape: what computed it, or None.",
    "polygamma": "`minigrad.polygamma(n, x)`.",
    "type_as": "The values as another tensor's dtype.",
    "version": "How often the memory was written to in place, and when last; views have their base's.",
    "view_of": "Of a view: what it shows, and how; None of others.",
    "where": "`minigrad.where(condition, x, other)`.",
}


# -------------------------------------------------------------------------------------------------- the index


def index_page() -> str:
    """All pages, and every name of minigrad.nn with its first line."""
    parts = [
        "# The library, name by name",
        WRITTEN + " Which of PyTorch's names are here says [coverage.md](../coverage.md), where they\n"
        "mean something else [differences.md](../differences.md).",
        table(("page", "what is there"), [(f"[{title}]({file})", text) for file, title, text in SHARED]),
    ]
    for home, names in groups().items():
        if names:
            space = importlib.import_module(f"minigrad.nn.{home}")
            rows = [(f"[{name}](nn/{name}.md)", summary(getattr(nn, name).__doc__)) for name in names]
            first = prose((space.__doc__ or "").strip().splitlines()[0])
            parts += [f"## nn.{home}", first, table(("name", ""), rows)]
    return "\n\n".join(parts) + "\n"


SHARED = (
    ("activations.md", "Activations", "`minigrad.nn`: ReLU and its kin, with their curves"),
    ("functional.md", "nn.functional", "the layers as functions"),
    ("init.md", "nn.init", "how parameters start"),
    ("utils.md", "nn.utils", "clipping, parametrisations, packed sequences"),
    ("optim.md", "Optimisers", "`minigrad.optim`: update rules as equations"),
    ("lr_scheduler.md", "Schedules", "`minigrad.optim.lr_scheduler`, with their curves"),
    ("swa_utils.md", "Averages of weights", "`minigrad.optim.swa_utils`: EMA, SWA, means of checkpoints"),
    ("tensor.md", "Tensor", "its methods by family"),
    ("functions.md", "Functions", "of `minigrad`, `linalg`, `autograd` and `func`, by family"),
)
MAKERS = {
    "README.md": index_page,
    "activations.md": activations_page,
    "functional.md": functional_page,
    "functions.md": functions_page,
    "init.md": init_page,
    "lr_scheduler.md": schedules_page,
    "optim.md": optim_page,
    "swa_utils.md": averages_page,
    "tensor.md": tensor_page,
    "utils.md": utils_page,
}


def pages() -> dict[str, str]:
    """Every page of docs/api: its path there -> its text."""
    layers = {page: layer_page(name) for name, page in pages_of_nn().items() if page.startswith("nn/")}
    return {path: make() for path, make in MAKERS.items()} | layers


def write(folder: Path = API) -> None:
    """Write all pages, and take away those of names that are gone."""
    made = pages()
    for path in folder.rglob("*.md"):
        if path.relative_to(folder).as_posix() not in made:
            path.unlink()
    for name, text in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
