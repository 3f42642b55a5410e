"""The cards of minigrad/ops/elementwise.py: operations on each element."""

import math

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from minigrad import ops
from minigrad.errors import DTypeError, ShapeError
from minigrad.testing.card import ANY, FLOATS, NUMBERS, Card, Kink, Refusal
from minigrad.testing.signatures import elementwise, unary
from minigrad.testing.strategies import MASK, NONZERO, REAL

INF, NAN = math.inf, math.nan

erf = np.vectorize(math.erf, otypes=["float64"])


def clip(x, min=None, max=None):
    return np.clip(x, min, max)


def zeros(*shape, **options):
    """A tensor of zeros, of float64 unless told."""
    return mg.zeros(*shape, **{"dtype": "float64", **options})


def misfit(op, name):
    """The refusal of shapes that do not broadcast."""
    message = f"{name}(): shapes (2, 3) and (4, 3) do not broadcast at dimension 0 (2 vs 4)"
    return Refusal(lambda: op(zeros(2, 3), zeros(4, 3)), ShapeError, message)


def not_a_number(op):
    """The refusal of an operand that is neither a tensor nor a number."""
    return Refusal(lambda: op(zeros(2), "1"), TypeError, "got str '1'")


def arithmetic(name, op, reference, dtypes, inputs=(REAL,), kinks=(), **options):
    """The card of an operation on two operands that broadcast."""
    return Card(
        name, op, elementwise(2), reference, name, inputs, dtypes=dtypes, broadcasts=True,
        kinks=kinks, errors=(misfit(op, name), not_a_number(op)), **options,
    )  # fmt: skip


def function(name, op, reference, domain=REAL, torch=None, kinks=(), **options):
    """The card of a function of one number; an integer becomes a float32 first (PyTorch refuses some)."""
    return Card(
        name, op, unary(), reference, torch or name, (domain,), dtypes=NUMBERS, result="floating",
        kinks=[Kink([x], y, [slope]) for x, y, slope in kinks], **options,
    )  # fmt: skip


def with_factor(name, op, factor, reference, count=2, inputs=(REAL,), dtypes=NUMBERS, **options):
    """The card of a sum of which a part is multiplied by a number."""
    function = name.partition(" ")[0]
    whole = [mg.ones(2, dtype="int64")] * count
    wrong = Refusal(lambda: op(*whole, **{factor: 0.5}), DTypeError, "expected a whole number as factor")
    return Card(
        name, op, elementwise(count, **{factor: st.sampled_from((1, 2, -3))}), reference, function, inputs,
        dtypes=dtypes, broadcasts=True, errors=[wrong], **options,
    )  # fmt: skip


ARITHMETIC = [
    arithmetic("add", mg.add, np.add, ANY, card=ops.add),
    arithmetic("sub", mg.sub, np.subtract, NUMBERS, card=ops.sub),
    arithmetic("mul", ops.mul, np.multiply, ANY),
    arithmetic("div", mg.div, np.true_divide, ANY[:-1], (REAL, NONZERO), result="floating", card=ops.div),
    with_factor("add with alpha", mg.add, "alpha", lambda a, b, alpha: a + alpha * b, card=ops.add),
    with_factor("sub with alpha", mg.sub, "alpha", lambda a, b, alpha: a - alpha * b, card=ops.sub),
    with_factor("rsub", mg.rsub, "alpha", lambda a, b, alpha: b - alpha * a, card=ops.sub),
    with_factor("addcmul", mg.addcmul, "value", lambda x, a, b, value: x + value * a * b, 3),
    with_factor(
        "addcdiv", mg.addcdiv, "value", lambda x, a, b, value: x + value * a / b, 3,
        inputs=(REAL, REAL, NONZERO), dtypes=FLOATS,
    ),
    Card(
        "lerp", ops.lerp, elementwise(3), lambda a, b, w: a + w * (b - a), "lerp", broadcasts=True,
        errors=[Refusal(lambda: mg.lerp(zeros(2), zeros(3), 0.5), ShapeError, "do not broadcast")],
        kinks=[Kink([[0.1], [0.7], [1.0]], [0.7], [[0.0], [1.0], [0.6]])],
    ),
    Card(
        "lerp by a number", mg.lerp, elementwise(2, weight=st.sampled_from((0, 0.25, 1, 2.5))),
        lambda a, b, weight: a + weight * (b - a), "lerp", broadcasts=True, card=ops.lerp,
    ),
    function(
        "reciprocal", ops.reciprocal, lambda x: 1 / x, NONZERO, kinks=[(0.0, INF, -INF), (INF, 0.0, 0.0)],
    ),
    function("deg2rad", mg.deg2rad, np.deg2rad, card=ops.mul),
    function("rad2deg", mg.rad2deg, np.rad2deg, card=ops.mul),
]  # fmt: skip

SIGNS = [
    Card(
        "neg", ops.neg, unary(), np.negative, "neg", dtypes=NUMBERS,
        errors=[Refusal(lambda: -(zeros(2) > 0), DTypeError, "neg(): expected integer or floating numbers")],
    ),
    Card(
        "positive", mg.positive, unary(), np.positive, "positive", dtypes=NUMBERS, view=True,
        errors=[Refusal(lambda: +(zeros(2) > 0), DTypeError, "positive(): expected integer or floating")],
    ),
    Card(
        "abs", ops.abs_, unary(), np.abs, "abs", (NONZERO,), dtypes=NUMBERS,
        kinks=[Kink([[0.0, -0.0, -INF, NAN]], [0.0, 0.0, INF, NAN], [[0.0, 0.0, -1.0, 0.0]])],
    ),
    arithmetic(
        "copysign", ops.copysign, np.copysign, ANY[:-1], (NONZERO, NONZERO), result="floating",
        kinks=[Kink([[0.0, -2.0, 2.0], [-1.0, -0.0, 0.0]], [-0.0, -2.0, 2.0], [[0.0, 1.0, 1.0], [0.0] * 3])],
    ),
]  # fmt: skip

DROPOUT = [
    Card(
        "masked_scale", ops.masked_scale, elementwise(2, scale=st.sampled_from((1.25, 2))),
        lambda x, mask, scale: x * mask * scale, None, (REAL, MASK), broadcasts=True,
    ),
]  # fmt: skip

COPIES = [
    Card(
        "cast", ops.cast, unary(dtype=st.just("float64")), lambda x, dtype: x.astype(dtype),
        lambda torch, x, dtype: x.to(getattr(torch, dtype)), dtypes=ANY, result="float64", view=True,
    ),
    Card(
        "to", mg.Tensor.to, unary(dtype=st.just("float64")), lambda x, dtype: x.astype(dtype),
        lambda torch, x, dtype: x.to(getattr(torch, dtype)), card=ops.cast,
        dtypes=ANY, result="float64", view=True,
        errors=[Refusal(lambda: zeros(2).to("complex64"), DTypeError, "complex64 cannot be held")],
    ),
    Card(
        "move", lambda x: ops.move(x, device="cpu", source="cpu"), unary(), np.copy,
        lambda torch, x: x.to("cpu"), card=ops.move, dtypes=ANY, view=True,
    ),
    Card("clone", mg.Tensor.clone, unary(), np.copy, "clone", card=ops.clone, dtypes=ANY),
    Card("contiguous", mg.Tensor.contiguous, unary(), np.copy, lambda torch, x: x.contiguous(), view=True),
]  # fmt: skip

CARDS = [*ARITHMETIC, *SIGNS, *DROPOUT, *COPIES]
