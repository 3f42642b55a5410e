"""The cards of minigrad/ops/elementwise.py: operations on each element."""

import math

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from cards.card import ANY, FLOATS, NUMBERS, Card, Kink, Refusal
from minigrad import ops
from minigrad.errors import DTypeError, ShapeError
from signatures import elementwise, limits, unary
from strategies import MASK, NONZERO, POSITIVE, REAL, Domain

INF, NAN = math.inf, math.nan
APART = (Domain(step=0.125), Domain(low=-2.9375, step=0.125))  # 1/16 between any two numbers of the two

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


def comparison(name, op, torch):
    """The card of a comparison; numbers of which many are alike."""
    return Card(
        name, op, elementwise(2), getattr(np, name), torch, (Domain(step=1.0),), dtypes=ANY, result="bool",
        broadcasts=True, errors=(misfit(op, name),),
    )  # fmt: skip


def function(name, op, reference, domain=REAL, torch=None, kinks=(), **options):
    """The card of a function of one number; an integer becomes a float32 first (PyTorch refuses some)."""
    return Card(
        name, op, unary(), reference, torch or name, (domain,), dtypes=NUMBERS, result="floating",
        kinks=[Kink([x], y, [slope]) for x, y, slope in kinks], **options,
    )  # fmt: skip


def question(name, op, reference, dtypes=ANY):
    """The card of a function of one number that answers yes or no."""
    return Card(name, op, unary(), reference, name, dtypes=dtypes, result="bool")


ARITHMETIC = [
    arithmetic("add", ops.add, np.add, ANY),
    arithmetic("sub", ops.sub, np.subtract, NUMBERS),
    arithmetic("mul", ops.mul, np.multiply, ANY),
    arithmetic("div", ops.div, np.true_divide, ANY[:-1], (REAL, NONZERO), result="floating"),
    arithmetic(
        "maximum", ops.maximum, np.maximum, NUMBERS, APART,
        [
            Kink([[2.0, -0.0], [2.0, 0.0]], [2.0, 0.0], [[0.5, 0.5], [0.5, 0.5]]),
            Kink([[NAN, 1.0], [2.0, NAN]], [NAN, NAN], [[1.0, 1.0], [1.0, 1.0]]),
        ],
    ),
    arithmetic(
        "minimum", ops.minimum, np.minimum, NUMBERS, APART,
        [Kink([[2.0, INF], [2.0, INF]], [2.0, INF], [[0.5, 0.5], [0.5, 0.5]])],
    ),
    arithmetic(
        "pow", mg.pow, np.power, FLOATS, (POSITIVE, REAL), card=ops.pow_, kinks=[
            Kink([[0.0, 0.0], [2.0, 0.0]], [0.0, 1.0], [[0.0, 0.0], [0.0, 0.0]]),
            Kink([[0.0, 0.0], [1.0, -1.0]], [0.0, INF], [[1.0, -INF], [0.0, -INF]]),
            Kink([[-2.0], [2.0]], [4.0], [[-4.0], [NAN]]),
            Kink([[NAN], [0.0]], [1.0], [[0.0], [NAN]]),
        ],
    ),
    Card(
        "power of a number", mg.pow, unary(exponent=st.sampled_from((2, 3, 0.5, 1, 0, -1, 2.5, -0.5))),
        lambda x, exponent: x**exponent, "pow", (POSITIVE,), card=ops.power,
        kinks=[
            Kink([[0.0, -2.0]], [1.0, 1.0], [[0.0, 0.0]], {"exponent": 0}),
            Kink([[0.0, -2.0]], [0.0, -2.0], [[1.0, 1.0]], {"exponent": 1}),
            Kink([[0.0, -2.0]], [0.0, 4.0], [[0.0, -4.0]], {"exponent": 2}),
            Kink([[0.0]], [0.0], [[INF]], {"exponent": 0.5}),
            Kink([[0.0]], [INF], [[-INF]], {"exponent": -1}),
        ],
        errors=[Refusal(lambda: mg.tensor([2]) ** -1, ValueError, "negative power -1")],
    ),
    Card(
        "power of a whole number", mg.pow, unary(exponent=st.sampled_from((2, 3, 1, 0, 4, -1, -2))),
        lambda x, exponent: x**exponent, "pow", (NONZERO,), card=ops.power,
    ),
    Card(
        "number to a power", lambda x, *, base: base**x, unary(base=st.sampled_from((2.0, 0.5, 3))),
        lambda x, base: np.power(base, x), lambda torch, x, base: base**x, card=ops.pow_,
    ),
    Card("square", mg.square, unary(), np.square, "square", dtypes=NUMBERS, card=ops.power),
    Card("neg", ops.neg, unary(), np.negative, "neg", dtypes=NUMBERS),
    Card(
        "abs", ops.abs_, unary(), np.abs, "abs", (NONZERO,), dtypes=NUMBERS,
        kinks=[Kink([[0.0, -0.0, -INF]], [0.0, 0.0, INF], [[0.0, 0.0, -1.0]])],
    ),
    Card(
        "sign", ops.sign, unary(), np.sign, "sign", (NONZERO,), dtypes=NUMBERS,
        kinks=[Kink([[0.0, -0.0]], [0.0, 0.0], [[0.0, 0.0]])],
    ),
    Card(
        "clamp", mg.clamp, limits(), clip, "clamp",
        (Domain(away=(-2.0625, -0.9375, 0.0625, 1.0625)),), card=ops.clamp_,
        kinks=[Kink([[-2.0, -1.0, 1.0]], [-1.0, -1.0, 1.0], [[0.0, 1.0, 1.0]], {"min": -1, "max": 1})],
        errors=[Refusal(lambda: mg.clamp(zeros(2)), ValueError, "at least one of min and max")],
    ),
]  # fmt: skip

FUNCTIONS = [
    function("exp", ops.exp, np.exp, kinks=[(-INF, 0.0, 0.0), (INF, INF, INF)]),
    function("expm1", ops.expm1, np.expm1, kinks=[(-INF, -1.0, 0.0), (1e-30, 1e-30, 1.0)]),
    function("log", ops.log, np.log, POSITIVE, kinks=[(0.0, -INF, INF), (-1.0, NAN, -1.0), (INF, INF, 0.0)]),
    function("log1p", ops.log1p, np.log1p, Domain(low=-0.75), kinks=[(-1.0, -INF, INF), (1e-30, 1e-30, 1.0)]),
    function("sqrt", ops.sqrt, np.sqrt, POSITIVE, kinks=[(0.0, 0.0, INF), (-1.0, NAN, NAN)]),
    function("sin", ops.sin, np.sin),
    function("cos", ops.cos, np.cos),
    function("tanh", ops.tanh, np.tanh, kinks=[(INF, 1.0, 0.0), (-40.0, -1.0, 0.0)]),
    function(
        "sigmoid", ops.sigmoid, lambda x: 1 / (1 + np.exp(-x)), kinks=[(INF, 1.0, 0.0), (-INF, 0.0, 0.0)],
    ),
    function("erf", ops.erf, erf, kinks=[(INF, 1.0, 0.0), (-INF, -1.0, 0.0)]),
    Card(
        "relu", ops.relu, unary(), lambda x: np.maximum(x, 0), "relu", (NONZERO,), dtypes=NUMBERS,
        kinks=[Kink([[0.0, -0.0, INF, -INF, NAN]], [0.0, 0.0, INF, 0.0, NAN], [[0.0, 0.0, 1.0, 0.0, 1.0]])],
    ),
]  # fmt: skip

CHOOSING = [
    Card(
        "where", ops.where, elementwise(3), np.where, "where", (MASK, REAL, REAL),
        dtypes=ANY, broadcasts=True,
        errors=[Refusal(lambda: ops.where(zeros(2) > 0, zeros(2), zeros(3)), ShapeError, "do not broadcast")],
    ),
    Card(
        "masked_fill", mg.masked_fill, elementwise(2, value=st.sampled_from((0, -2))),
        lambda x, mask, value: np.where(mask, np.asarray(value, x.dtype), x),
        lambda torch, x, mask, value: x.masked_fill(mask, value), (REAL, MASK), card=ops.where,
        dtypes=NUMBERS, broadcasts=True,
        kinks=[Kink([[1.0, 2.0], [True, False]], [-INF, 2.0], [[0.0, 1.0]], {"value": -INF})],
        errors=[
            Refusal(lambda: zeros(2).masked_fill(zeros(2), 0), DTypeError, "mask must be bool, got float64"),
        ],
    ),
    Card(
        "masked_scale", ops.masked_scale, elementwise(2, scale=st.sampled_from((1.25, 2))),
        lambda x, mask, scale: x * mask * scale, None, (REAL, MASK), broadcasts=True,
    ),
    comparison("equal", ops.equal, "eq"),
    comparison("not_equal", ops.not_equal, "ne"),
    comparison("less", ops.less, "lt"),
    comparison("less_equal", ops.less_equal, "le"),
    comparison("greater", ops.greater, "gt"),
    comparison("greater_equal", ops.greater_equal, "ge"),
    comparison("logical_and", ops.logical_and, "logical_and"),
    comparison("logical_or", ops.logical_or, "logical_or"),
    question("logical_not", ops.logical_not, np.logical_not),
    question("isnan", ops.isnan, np.isnan),
    question("isinf", ops.isinf, np.isinf),
    question("isfinite", ops.isfinite, np.isfinite),
    Card(
        "bitwise_and", ops.bitwise_and, elementwise(2), np.bitwise_and, "bitwise_and",
        dtypes=("bool", "int64", "int32"), broadcasts=True,
    ),
    Card(
        "bitwise_or", ops.bitwise_or, elementwise(2), np.bitwise_or, "bitwise_or",
        dtypes=("bool", "int64", "int32"), broadcasts=True,
    ),
    Card("invert", ops.invert, unary(), np.invert, "bitwise_not", dtypes=("bool", "int64", "int32")),
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

CARDS = [*ARITHMETIC, *FUNCTIONS, *CHOOSING, *COPIES]
