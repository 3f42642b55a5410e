"""The cards of minigrad/ops/comparison.py: questions, and arithmetic bit by bit."""

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from minigrad import ops
from minigrad.errors import DTypeError
from minigrad.testing.card import ANY, Card, Refusal
from minigrad.testing.signatures import elementwise, unary
from minigrad.testing.strategies import REAL, Domain

from .elementwise import misfit, zeros

ALIKE = Domain(step=1.0)  # numbers of which many are alike
WHOLE = ("int64", "int32")


def comparison(name, op, torch, dtypes=ANY):
    """The card of a comparison."""
    return Card(
        name, op, elementwise(2), getattr(np, name), torch, (ALIKE,), dtypes=dtypes, result="bool",
        broadcasts=True, errors=(misfit(op, name),),
    )  # fmt: skip


def question(name, op, reference):
    """The card of a function of one number that answers yes or no."""
    return Card(name, op, unary(), reference, name, dtypes=ANY, result="bool")


def bits(name, op, torch, dtypes=("bool", *WHOLE), inputs=(REAL,)):
    """The card of an operation on whole numbers."""
    wrong = Refusal(lambda: op(zeros(2), zeros(2)), DTypeError, f"{name}(): expected ")
    return Card(
        name, op, elementwise(2), getattr(np, name), torch, inputs, dtypes=dtypes, broadcasts=True,
        errors=(misfit(lambda a, b: op(a.long(), b.long()), name), wrong),
    )  # fmt: skip


def answered(x, answer):
    """A Python bool as a tensor on the device of x."""
    return mg.isnan(x).any() | answer


def close(a, b, **options):
    return np.isclose(a, b, **options)


TOLERANCES = {
    "rtol": st.sampled_from((1e-5, 0.4)),
    "atol": st.sampled_from((1e-8, 0.75)),
    "equal_nan": st.booleans(),
}

CARDS = [
    comparison("equal", ops.equal, "eq"),
    comparison("not_equal", ops.not_equal, "ne"),
    comparison("less", ops.less, "lt"),
    comparison("less_equal", ops.less_equal, "le"),
    comparison("greater", ops.greater, "gt"),
    comparison("greater_equal", ops.greater_equal, "ge"),
    comparison("logical_and", ops.logical_and, "logical_and"),
    comparison("logical_or", ops.logical_or, "logical_or"),
    comparison("logical_xor", ops.logical_xor, "logical_xor"),
    Card(
        "equal of all", lambda a, b: answered(a, mg.equal(a, b)), elementwise(2), np.array_equal,
        lambda torch, a, b: torch.tensor(torch.equal(a, b)), (ALIKE,), dtypes=ANY, result="bool",
        errors=[Refusal(lambda: mg.equal(zeros(2), 0), TypeError, "expected a Tensor as other, got int")],
    ),
    Card(
        "isclose", mg.isclose, elementwise(2, **TOLERANCES), np.isclose, "isclose", (ALIKE,), dtypes=ANY,
        result="bool", broadcasts=True, card=ops.isclose_,
        errors=[Refusal(lambda: mg.isclose(zeros(2), zeros(2), -1), ValueError, "must be 0 or more, got -1")],
    ),
    Card(
        "allclose", lambda a, b, **options: answered(a, mg.allclose(a, b, **options)),
        elementwise(2, **TOLERANCES), np.allclose,
        lambda torch, a, b, **options: torch.tensor(torch.allclose(a, b, **options)), (ALIKE,), dtypes=ANY,
        result="bool",
    ),
    question("logical_not", ops.logical_not, np.logical_not),
    question("isnan", ops.isnan, np.isnan),
    question("isinf", ops.isinf, np.isinf),
    question("isfinite", ops.isfinite, np.isfinite),
    question("isposinf", ops.isposinf, lambda x: x == np.inf),
    question("isneginf", ops.isneginf, lambda x: x == -np.inf),
    question("signbit", ops.signbit, np.signbit),
    bits("bitwise_and", ops.bitwise_and, "bitwise_and"),
    bits("bitwise_or", ops.bitwise_or, "bitwise_or"),
    bits("bitwise_xor", ops.bitwise_xor, "bitwise_xor"),
    bits("left_shift", ops.left_shift, "bitwise_left_shift", WHOLE, (REAL, Domain(low=0.0))),
    bits("right_shift", ops.right_shift, "bitwise_right_shift", WHOLE, (REAL, Domain(low=0.0))),
    bits("gcd", ops.gcd, "gcd", WHOLE),
    bits("lcm", ops.lcm, "lcm", WHOLE),
    Card(
        "invert", ops.invert, unary(), np.invert, "bitwise_not", dtypes=("bool", *WHOLE),
        errors=[Refusal(lambda: ~zeros(2), DTypeError, "invert(): expected bool or integer numbers, got float64")],
    ),
]  # fmt: skip
