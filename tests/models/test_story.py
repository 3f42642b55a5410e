"""docs/models.md names, for every idea, the tests that show it: they are there."""

import ast
import re

import pytest

from source_tree import ROOT

PAGE = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(test_\w+)`", PAGE)))
FILES = set(re.findall(r"`(\w+\.py)`", PAGE))


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_every_test_that_is_named_is_there(path, name):
    tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_model_has_its_place_in_the_table():
    helpers = {"__init__.py", "stepwise.py"}
    assert {path.name for path in (ROOT / "models").glob("*.py")} - helpers == FILES
    assert len(NAMED) > 60
