"""The pages of docs/api are those of the library as it is, and every layer says what a reader needs."""

import ast
import functools
import importlib
import inspect
import re

import pytest

from api_examples import EXAMPLES
from api_layers import BUILT
from api_markdown import FIGURES, converted, summary
from api_pages import API, UTILITIES, pages
from api_source import constructor_arguments, definitions, home_of, pages_of_nn, public, said_of
from minigrad import nn, optim
from minigrad.optim import lr_scheduler, swa_utils
from source_tree import ROOT

REMEDY = "run `python tests/api_pages.py`"
DESCRIBED = {  # module -> the page on which each of its names has a heading
    optim: "optim.md",
    lr_scheduler: "lr_scheduler.md",
    swa_utils: "swa_utils.md",
    nn.init: "init.md",
    **{importlib.import_module(f"minigrad.nn.utils{end}"): "utils.md" for end in UTILITIES},
}
HOLDERS = (  # modules that compute nothing, or leave it to a subclass
    *("Module", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList"),
    *("RNNBase", "RNNCellBase"),
)
NO_EXAMPLE = ("KeyValueCache", "RNNBase", "RNNCellBase")  # parts of others
LAYERS = [
    name
    for name, thing in public(nn).items()
    if isinstance(thing, type) and issubclass(thing, nn.Module) and name not in HOLDERS
]
EQUATION = re.compile(r" [+=←] |\+=|↦")
SOURCE = re.compile(r"References?: |No reference: |\([^()]*\b(19|20)\d\d\b[^()]*\)")


def line_numbers_aside(text):
    """An edit above a definition moves it: the next writing of the pages counts its lines anew."""
    return re.sub(r"#L\d+", "", text)


@functools.cache
def written():
    return {path.relative_to(API).as_posix(): path.read_text("utf-8") for path in API.rglob("*.md")}


def test_the_pages_are_those_that_the_docstrings_give():
    made = pages()
    assert set(written()) == set(made), REMEDY
    differ = [name for name in made if line_numbers_aside(made[name]) != line_numbers_aside(written()[name])]
    assert not differ, REMEDY


def test_every_link_of_a_page_leads_somewhere():
    broken = [
        f"{name}: {address}"
        for name, text in written().items()
        for address in re.findall(
            r"\]\(([^)#\s]+)[^)\s]*\)", re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
        )
        if not (API / name).parent.joinpath(address).exists()
    ]
    assert not broken


def test_every_name_of_nn_has_a_page_and_a_row_in_the_index():
    index, activations = written()["README.md"], written()["activations.md"]
    for name, page in pages_of_nn().items():
        if page.startswith("nn/"):
            assert page in written()
            assert f"[{name}]({page})" in index
        else:
            assert f"## {name}\n" in activations


@pytest.mark.parametrize("space", DESCRIBED, ids=lambda space: space.__name__)
def test_every_name_of_a_module_has_its_section(space):
    headings = re.findall(r"^#+ (\w+)$", written()[DESCRIBED[space]], re.MULTILINE)
    assert set(public(space)) <= set(headings)


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_says_its_formula_arguments_shapes_and_source(name):
    own, said = inspect.getdoc(getattr(nn, name)), "\n".join(said_of(name).values())
    assert EQUATION.search(own), "no formula"
    assert "Shape: " in own or "elementwise" in own, "no shapes"
    assert SOURCE.search(said), "no reference, and no reason for none"
    arguments = constructor_arguments(getattr(nn, name))
    assert not [argument for argument in arguments if not re.search(rf"\b{argument}\b", said)]
    in_formula = [argument for argument in arguments if re.search(rf"\b{argument}\b", own.splitlines()[0])]
    assert "Args" in said or len(in_formula) == len(arguments), "no Args"


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_with_parameters_or_buffers_shows_them(name):
    bases = getattr(nn, name).__mro__
    bases = bases[: bases.index(nn.Module)]
    source = "".join(ast.unparse(definitions(base.__module__)[base.__name__]) for base in bases)
    holds = "Parameter(" in source or "register_buffer(" in source
    assert not holds or name in BUILT or home_of(getattr(nn, name)) == "activation"


@pytest.mark.parametrize("name", [name for name, page in pages_of_nn().items() if page.startswith("nn/")])
def test_a_page_has_an_example(name):
    assert ">>>" in written()[f"nn/{name}.md"] or name in NO_EXAMPLE


def test_an_example_is_for_a_docstring_without():
    assert not [name for name in EXAMPLES if ">>>" in inspect.getdoc(getattr(nn, name))]


@pytest.mark.parametrize("page", FIGURES)
def test_a_figure_is_there(page):
    assert (ROOT / "docs" / "images" / FIGURES[page][0]).stat().st_size > 1000


def test_a_docstring_becomes_markdown():
    docstring = """y = x * w
    over two lines

    With a w, `see` Conv1d.

        h = 2 * 3

    Args:
        a, b: one
            and two.

    Shape: (*, N)

    >>> 1 * 1
    1
    """
    assert converted(inspect.cleandoc(docstring), lambda name: "there.md" if name == "Conv1d" else None) == (
        "```text\ny = x * w\nover two lines\n```\n\nWith a w, `see` [Conv1d](there.md).\n\n"
        "```text\nh = 2 * 3\n```\n\n**Args**\n\n- `a, b`: one and two.\n\n**Shape**: (\\*, N)\n\n"
        "```python\n>>> 1 * 1\n1\n```"
    )


def test_a_bar_in_a_row_does_not_end_its_cell():
    assert summary("y = |x|\n\nMore.") == r"y = \|x\|"
