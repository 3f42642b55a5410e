"""Every example in a docstring, and every console session in the documentation, prints what it says."""

import ast
import doctest
import importlib
import re

import pytest

from source_tree import LIBRARY, ROOT

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def run(examples, names, where, line=0):
    """How many of the `>>>` examples in a text print something else; the report shows what."""
    test = doctest.DocTestParser().get_doctest(examples, dict(names), where, where, line)
    return doctest.DocTestRunner(optionflags=FLAGS).run(test).failed


def docstrings(source):
    """The docstrings of a file, those of the cards included, with their lines."""
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(source.tree):
        if isinstance(node, documented) and (text := ast.get_docstring(node)) and ">>>" in text:
            yield node.body[0].lineno, text


def sessions(page):
    """The console sessions in the fenced blocks of a page, as one: a later one knows the earlier names."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return "\n".join(block for block in blocks if ">>>" in block)


@pytest.mark.parametrize("source", [source for source in LIBRARY if any(docstrings(source))], ids=str)
def test_the_examples_of_a_file_print_what_they_say(source):
    names = vars(importlib.import_module(source.module))
    assert not sum(run(text, names, source.path, line) for line, text in docstrings(source))


@pytest.mark.parametrize("page", [page for page in PAGES if page.exists()], ids=lambda page: page.name)
def test_the_sessions_of_a_page_print_what_they_say(page):
    assert not run(sessions(page), {}, page.name)


def test_an_example_that_prints_something_else_is_counted():
    assert run(">>> 1 + 1\n3\n>>> 1 + 1\n2\n", {}, "sums") == 1
