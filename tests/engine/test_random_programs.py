"""Programs of 1 to 40 steps over 1 to 5 leaves, drawn at random, differentiated in ways that must agree.

The ways are the tape, finite differences, PyTorch, and forward mode: the class `Dual` below, in which each
number carries its derivative along one direction.  No value of a program leaves [-1.1, 1.1], so that no
tolerance needs a scale.
"""

import math
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from strategies import Domain, arrays

SHAPES = [(), (3,), (2, 1), (2, 3), (3, 2)]
LEAF = Domain(low=-1, high=1)
STEP = 1e-6  # of finite differences


class Dual:
    """x + ε x′ with ε² = 0: forward mode in one class."""

    def __init__(self, value, slope=0.0):
        self.value = np.asarray(value, "float64")
        self.slope = np.broadcast_to(slope, self.value.shape)

    def __add__(self, other):
        other = other if isinstance(other, Dual) else Dual(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other):
        other = other if isinstance(other, Dual) else Dual(other)
        return Dual(self.value * other.value, self.slope * other.value + self.value * other.slope)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + other * -1

    def __truediv__(self, other):
        return self * Dual.unary(lambda x: 1 / x, lambda x: -1 / x**2)(
            other if isinstance(other, Dual) else Dual(other)
        )

    def __matmul__(self, other):
        return Dual(self.value @ other.value, self.slope @ other.value + self.value @ other.slope)

    def __getitem__(self, index):
        return Dual(self.value[index], self.slope[index])

    def transpose(self, *dims):
        return Dual(self.value.swapaxes(*dims), self.slope.swapaxes(*dims))

    def mean(self, dim, keepdim):
        return Dual(*(part.mean(dim, keepdims=keepdim) for part in (self.value, self.slope)))

    def sum(self):
        return Dual(self.value.sum(), self.slope.sum())

    @staticmethod
    def unary(function, slope):
        return lambda x: Dual(function(x.value), x.slope * slope(x.value))

    @staticmethod
    def stack(duals):
        return Dual(np.stack([d.value for d in duals]), np.stack([d.slope for d in duals]))


def logistic(x):
    return 1 / (1 + np.exp(-x))


DUALS = SimpleNamespace(
    tensor=Dual,
    stack=Dual.stack,
    sin=Dual.unary(np.sin, np.cos),
    cos=Dual.unary(np.cos, lambda x: -np.sin(x)),
    exp=Dual.unary(np.exp, np.exp),
    log=Dual.unary(np.log, lambda x: 1 / x),
    tanh=Dual.unary(np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    sigmoid=Dual.unary(logistic, lambda x: logistic(x) * (1 - logistic(x))),
)

# What a step may be: a function of a language (minigrad, torch, DUALS) and of its operands.
UNARY = {
    "negative": lambda _, a: -a,
    "square": lambda _, a: a * a / 1.1,
    "tanh": lambda F, a: F.tanh(a),
    "sin": lambda F, a: F.sin(a),
    "cos": lambda F, a: F.cos(a),
    "sigmoid": lambda F, a: F.sigmoid(a),
    "exp": lambda F, a: F.exp(a - 1.1),
    "log": lambda F, a: F.log(a + 2) / 2,
    "stacked": lambda F, a: F.stack([a, F.sin(a)])[1] / 2 + F.stack([a, a])[0] / 2,
}
WITH_DIMENSIONS = {
    "mean": lambda _, a: a.mean(-1, keepdim=True),
    "row": lambda _, a: a[0],
}
MATRIX = {
    "transpose": lambda _, a: a.transpose(0, 1),
    "gram": lambda _, a: a @ a.transpose(0, 1) / 4,
}
BINARY = {
    "average": lambda _, a, b: (a + b) / 2,
    "difference": lambda _, a, b: (a - b) / 2,
    "product": lambda _, a, b: a * b / 1.1,
    "quotient": lambda _, a, b: a / (b + 2.2),
}
STEPS = {**UNARY, **WITH_DIMENSIONS, **MATRIX, **BINARY}


@dataclass(frozen=True)
class Program:
    """Leaves, and steps that each name an operation and the numbers of its operands."""

    leaves: tuple
    steps: tuple

    def run(self, language, leaves):
        """One number: the weighted sum of all that no step used."""
        values = list(leaves)
        for name, operands in self.steps:
            values.append(STEPS[name](language, *[values[i] for i in operands]))
        used = {i for _, operands in self.steps for i in operands}
        ends = [value for i, value in enumerate(values) if i not in used]
        return sum((end * language.tensor(weight_for(end))).sum() for end in ends)


def weight_for(value):
    """Fixed numbers that are all different, in the shape of a value."""
    shape = value.value.shape if isinstance(value, Dual) else tuple(value.shape)
    return np.cos(1.0 + np.arange(math.prod(shape))).reshape(shape)


@st.composite
def programs(draw, most=40):
    leaves = tuple(draw(arrays(shape, domain=LEAF)) for shape in draw(leaf_shapes))
    values, steps = [Dual(values) for values in leaves], []
    for _ in range(draw(st.integers(1, most))):
        a = draw(st.integers(0, len(values) - 1))
        ndim = values[a].value.ndim
        table = {**UNARY, **BINARY, **(WITH_DIMENSIONS if ndim else {}), **(MATRIX if ndim == 2 else {})}
        name = draw(st.sampled_from(sorted(table)))
        operands = (a, draw(st.sampled_from(fitting(values, a)))) if name in BINARY else (a,)
        steps.append((name, operands))
        values.append(STEPS[name](DUALS, *[values[i] for i in operands]))
    return Program(leaves, tuple(steps))


leaf_shapes = st.lists(st.sampled_from(SHAPES), min_size=1, max_size=5)


def fitting(values, a):
    """The numbers of those values that broadcast with value number a."""

    def fits(shape, other):
        pairs = zip(reversed(shape), reversed(other), strict=False)
        return all(1 in (m, n) or m == n for m, n in pairs)

    return [i for i, value in enumerate(values) if fits(value.value.shape, values[a].value.shape)]


def directions(leaves, seed):
    generator = np.random.default_rng(seed)
    return [generator.standard_normal(leaf.shape) for leaf in leaves]


def along(gradients, direction):
    """⟨gradient, direction⟩ over all leaves."""
    return sum(float((g * v).sum()) for g, v in zip(gradients, direction, strict=True))


def gradients_by_tape(program, leaves=None, create_graph=False):
    inputs = leaves or [mg.tensor(values, requires_grad=True) for values in program.leaves]
    output = program.run(mg, inputs)
    return mg.autograd.grad(output, inputs, create_graph=create_graph, materialize_grads=True)


def moved(leaves, direction, distance):
    return [values + distance * v for values, v in zip(leaves, direction, strict=True)]


seeds = st.integers(0, 2**32 - 1)


@given(programs(), seeds)
def test_the_tape_agrees_with_forward_mode(program, seed):
    direction = directions(program.leaves, seed)
    pairs = zip(program.leaves, direction, strict=True)
    dual = program.run(DUALS, [Dual(values, v) for values, v in pairs])
    found = along([g.numpy() for g in gradients_by_tape(program)], direction)
    assert found == pytest.approx(float(dual.slope), rel=1e-9, abs=1e-9)


@given(programs(), seeds)
def test_the_tape_agrees_with_finite_differences(program, seed):
    direction = directions(program.leaves, seed)
    ahead, behind = (
        float(program.run(DUALS, [Dual(values) for values in moved(program.leaves, direction, step)]).value)
        for step in (STEP, -STEP)
    )
    found = along([g.numpy() for g in gradients_by_tape(program)], direction)
    assert found == pytest.approx((ahead - behind) / (2 * STEP), rel=1e-5, abs=1e-6)


@given(programs(most=15), seeds)
def test_second_derivatives_agree_with_differences_of_the_first(program, seed):
    one, other = directions(program.leaves, seed), directions(program.leaves, seed + 1)
    inputs = [mg.tensor(values, requires_grad=True) for values in program.leaves]
    first = gradients_by_tape(program, inputs, create_graph=True)
    slope = sum((g * mg.tensor(v)).sum() for g, v in zip(first, one, strict=True))
    second = [np.zeros(values.shape) for values in program.leaves]
    if slope.requires_grad:
        second = [g.numpy() for g in mg.autograd.grad(slope, inputs, materialize_grads=True)]
    ahead, behind = (
        along([g.numpy() for g in gradients_by_tape(Program(tuple(point), program.steps))], one)
        for point in (moved(program.leaves, other, step) for step in (STEP, -STEP))
    )
    assert along(second, other) == pytest.approx((ahead - behind) / (2 * STEP), rel=1e-4, abs=1e-4)


@pytest.mark.oracle
@given(programs())
def test_the_tape_agrees_with_pytorch(program):
    import torch

    inputs = [torch.tensor(values, requires_grad=True) for values in program.leaves]
    output = program.run(torch, inputs)
    expected = torch.autograd.grad(output, inputs, materialize_grads=True)
    for found, wanted in zip(gradients_by_tape(program), expected, strict=True):
        np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-9, atol=1e-9)
