"""Programs of 1 to 40 steps over 1 to 5 leaves, drawn at random.

A program runs in any language that has its steps: minigrad, PyTorch, and the forward mode of this folder.
No value of a program leaves [-1.1, 1.1], so that no tolerance needs a scale.
"""

import math
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from .forward_mode import DUALS, Dual
from .strategies import Domain, arrays

SHAPES = [(), (3,), (2, 1), (2, 3), (3, 2)]
LEAF = Domain(low=-1, high=1)

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
    """A program of at most so many steps."""
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
