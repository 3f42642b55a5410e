"""One declaration per operation, from which every property test in tests/ops/ draws its inputs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.primitive import Primitive
from minigrad.testing.strategies import REAL, Domain, grown, seeds

FLOATS = ("float64", "float32", "float16")
NUMBERS = (*FLOATS, "int64", "int32")
ANY = (*NUMBERS, "bool")

TOLERANCES = {  # times the largest of 1 and the numbers compared
    # Some 30 roundings of float64, or of float32; float16 is rounded on the way in and on the way out.
    ("value", "float64"): 1e-12,
    ("value", "float32"): 2e-5,
    ("value", "float16"): 5e-3,
    # Central differences with a step of 1e-6 are good to 1e-10 in smooth places; the rest is curvature.
    ("first", "float64"): 1e-6,
    ("first, relative", "float64"): 1e-5,
    # The differences are those of a gradient here, in which roundings have gathered.
    ("second", "float64"): 1e-4,
    # A kernel sums in another order than its definition.
    ("fused", "float64"): 1e-10,
    ("fused", "float32"): 1e-5,
    # PyTorch's kernels sum in blocks, and its transcendental functions may differ in the last digits.
    ("oracle", "float64"): 1e-10,
    ("oracle", "float32"): 2e-5,
}

# A third of the examples, for properties that depend on the code and hardly on the numbers.
few_examples = settings(max_examples=max(5, settings.default.max_examples // 3))


@dataclass(frozen=True)
class Kink:
    """A point at a kink, a tie or a pole, and the convention there, which is PyTorch's."""

    inputs: Sequence[Any]
    value: Any
    gradients: Sequence[Any]
    statics: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """A call that is wrong, and the error that says so."""

    call: Callable[[], Any]
    error: type[Exception]
    message: str


@dataclass(frozen=True, repr=False)
class Card:
    """What the tests must know of an operation.

    name        the name under which it is listed
    op          the function under test: op(*inputs, **statics) -> a Tensor, or several
    signature   a strategy for (the shapes of the inputs, None for one left out; the static arguments)
    reference   the same on NumPy arrays, written without minigrad
    torch       the same in PyTorch: a name in torch or torch.nn.functional, or a function that is given the
                module, the tensors and the static arguments; None: PyTorch has no such function
    inputs      the numbers that each input may hold; the last entry stands for all further inputs
    card        the Primitive that is tested, where `op` is a function that calls it
    dtypes      the types that the inputs may have
    result      the type of the output: "same" as the inputs, "floating" (an integer becomes float32), "sum"
                (an integer becomes int64), or the name of a type; a tuple for several outputs
    second      is there a second derivative to check?
    view        may the output share memory with an input?
    broadcasts  do the inputs broadcast together?
    kinks       conventions at kinks, ties and poles
    errors      calls that are wrong
    tolerance   {a key of TOLERANCES: (another number, the reason)}
    """

    name: str
    op: Callable
    signature: st.SearchStrategy
    reference: Callable
    torch: str | Callable | None
    inputs: Sequence[Domain] = (REAL,)
    card: Primitive | None = None
    dtypes: Sequence[str] = FLOATS
    result: str | tuple[str, ...] = "same"
    second: bool = True
    view: bool = False
    broadcasts: bool = False
    kinks: Sequence[Kink] = ()
    errors: Sequence[Refusal] = ()
    tolerance: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return self.name

    def _repr_pretty_(self, printer, _cycle):  # how Hypothesis shows it
        printer.text(repr(self))

    @property
    def primitive(self):
        """The Primitive that this declaration is about; None for a function composed of several."""
        return self.op if isinstance(self.op, Primitive) else self.card

    @property
    def differentiable(self):
        """Can a gradient be asked for?"""
        wanted = any(domain.differentiable for domain in self.inputs)
        return wanted and np.dtype(self.dtypes[0]).kind == "f" and self.result not in ("bool", "int64")

    def domain(self, position):
        """The numbers that an input may hold."""
        return self.inputs[min(position, len(self.inputs) - 1)]

    def within(self, kind, dtype):
        """The tolerance for one kind of comparison in one type."""
        override = self.tolerance.get((kind, dtype))
        return TOLERANCES[kind, dtype] if override is None else override[0]

    def result_dtypes(self, dtype):
        """The types of the outputs, for inputs of `dtype`."""
        floating = np.dtype(dtype).kind == "f"
        rules = {
            "same": dtype,
            "floating": dtype if floating else "float32",
            "sum": dtype if floating else "int64",
        }
        results = self.result if isinstance(self.result, tuple) else (self.result,)
        return [rules.get(result, result) for result in results]


@dataclass(frozen=True, repr=False)
class Case:
    """Inputs and static arguments that were drawn for a card."""

    card: Card
    arrays: tuple[Any, ...]
    statics: dict[str, Any]

    def __repr__(self) -> str:
        shown = [None if a is None else f"{a.dtype}{list(a.shape)} {a.tolist()}" for a in self.arrays]
        return f"{self.card.name}({', '.join(map(str, shown))}; {self.statics})"

    def _repr_pretty_(self, printer, _cycle):  # how Hypothesis shows it
        printer.text(repr(self))

    @property
    def differentiable(self):
        """The positions of the inputs that can have a gradient."""
        domains = [self.card.domain(i) for i in range(len(self.arrays))]
        floats = [a is not None and a.dtype.kind == "f" for a in self.arrays]
        return [i for i, floats_here in enumerate(floats) if floats_here and domains[i].differentiable]

    def tensors(self, wanted=None, dtype=None):
        """The inputs as Tensors; those at the positions `wanted` (None: all that can) require grad."""
        wanted = self.differentiable if wanted is None else wanted
        return [
            a if a is None else mg.tensor(self._cast(a, dtype), requires_grad=i in wanted)
            for i, a in enumerate(self.arrays)
        ]

    def _cast(self, array, dtype):
        return array.astype(dtype) if dtype and array.dtype.kind == "f" else array

    @property
    def function(self):
        """The operation as a function of its inputs alone."""
        return lambda *inputs: self.card.op(*inputs, **self.statics)

    def run(self, tensors):
        """The outputs on these inputs, as a list."""
        return listed(self.card.op(*tensors, **self.statics))

    def expected(self):
        """What the reference says, computed in float64 if the inputs are floating."""
        wide = [a if a is None else self._cast(a, "float64") for a in self.arrays]
        with np.errstate(all="ignore"):
            found = self.card.reference(*wide, **self.statics)
        return list(found) if isinstance(found, tuple | list) else [found]


@st.composite
def cases_by_type(draw, card):
    """{dtype: Case} for every type of a card, with one choice of shapes, statics and random bytes for all."""
    found, statics = draw(card.signature)
    chosen = [None if shape is None else draw(seeds(shape)) for shape in found]

    def inputs(dtype):
        for i, (shape, seed) in enumerate(zip(found, chosen, strict=True)):
            domain = card.domain(i)
            limit = None if domain.below is None else domain.below(found, statics)
            yield None if shape is None else grown(seed, shape, dtype, domain, limit)

    return {dtype: Case(card, tuple(inputs(dtype)), statics) for dtype in card.dtypes}


@st.composite
def examples(draw, card, count):
    """Several Cases of the first type of a card, with one choice of shapes and statics for all."""
    found, statics = draw(card.signature)

    def inputs():
        for i, shape in enumerate(found):
            domain = card.domain(i)
            limit = None if domain.below is None else domain.below(found, statics)
            yield None if shape is None else grown(draw(seeds(shape)), shape, card.dtypes[0], domain, limit)

    return [Case(card, tuple(inputs()), statics) for _ in range(count)]


def cases(card):
    """Inputs of the first type of a card, which is float64 where it can be."""
    return cases_by_type(card).map(lambda found: found[card.dtypes[0]])


def listed(outputs):
    """The outputs of an operation as a list: one, or several."""
    return list(outputs) if isinstance(outputs, tuple | list) else [outputs]


def floating(outputs):
    """The outputs that can have a gradient."""
    return [out for out in outputs if out.dtype.kind == "f"]


def cotangents(outputs, seed=0):
    """A random weight for every element of every floating output: a plain sum is blind to exchanged rows."""
    random = np.random.default_rng(seed)
    return [random.standard_normal(out.shape).astype(out.dtype) for out in floating(outputs)]


def gradients(outputs, tensors, weights, **options):
    """The gradients of Σ outputs · weights for those tensors that require grad; zeros for one not used."""
    wanted = [t for t in tensors if isinstance(t, mg.Tensor) and t.requires_grad]
    attached = [(out, w) for out, w in zip(floating(outputs), weights, strict=True) if out.requires_grad]
    found = mg.autograd.grad(
        [out for out, _ in attached],
        wanted,
        [w if isinstance(w, mg.Tensor) else mg.tensor(w) for _, w in attached],
        materialize_grads=True,
        **options,
    )
    return list(found)


def assert_close(found, expected, tolerance, about=""):
    """Equal up to `tolerance` times the largest of 1 and the numbers compared; nan equals nan."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"{about}: shape {found.shape}, expected {expected.shape}"
    with np.errstate(invalid="ignore"):  # infinities are compared below
        difference = np.abs(np.subtract(found, expected, dtype="float64")).max(initial=0.0)
    if not difference <= tolerance:
        scale = max(1.0, np.abs(expected).max(where=np.isfinite(expected), initial=0.0))
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * scale, err_msg=str(about))
