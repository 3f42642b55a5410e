"""Where many numbers meet in one place the result is exact or has an order: every such place is known."""

import ast

from minigrad.kernels.cupy_sources import SOURCES
from source_tree import LIBRARY, Source

MEETING = {
    "at",
    "bincount",
    "histogram",
    "histogram2d",
    "histogramdd",
    "scatter_add",
}  # functions, and a kernel
KNOWN = {  # file, what is called -> why deterministic mode need not fear it
    ("minigrad/kernels/cupy_library.py", "self.kernels['scatter_add']"): "sorted_add is called in that mode",
    ("minigrad/kernels/numbered.py", "numpy.add.at"): "the CPU goes in order",
    ("minigrad/kernels/numbered.py", "numpy.bincount"): "the CPU goes in order",
    ("minigrad/kernels/numbered.py", "getattr(xp, ufunc).at"): "an extreme does not depend on the order",
    ("minigrad/kernels/writing.py", "xp.maximum.at"): "of integers",
    ("minigrad/ops/search.py", "xp.bincount"): "counts, without weights",
    ("models/markov.py", "np.add.at"): "the CPU goes in order",
    ("nn/functional/resampling.py", "np.add.at"): "the CPU goes in order",
}

COMPUTING = [source for source in LIBRARY if not source.module.startswith("minigrad.testing")]


def meetings(source):
    """What is called in a file that adds, counts or compares by number."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        name = getattr(called, "attr", None)
        if isinstance(called, ast.Subscript) and isinstance(called.slice, ast.Constant):
            name = called.slice.value
        if name in MEETING:
            yield source.path, ast.unparse(called)


def test_every_place_where_numbers_meet_is_known():
    assert {found for source in COMPUTING for found in meetings(source)} == KNOWN.keys()


def test_kernels_that_go_in_any_order_are_two():
    """One is left out in deterministic mode; the other notes which index is wrong, of several any."""
    atomic = {name for name, source in SOURCES.items() if "atomic" in source.body or "add_to" in source.body}
    assert atomic == {"scatter_add", "note_outside"}


def test_a_new_place_is_found():
    text = "def f(xp, x, i):\n    xp.add.at(x, i, 1)\n    return xp.bincount(i, x), kernels['scatter_add'](x)"
    found = {called for _, called in meetings(Source("a.py", "a", text))}
    assert found == {"xp.add.at", "xp.bincount", "kernels['scatter_add']"}
