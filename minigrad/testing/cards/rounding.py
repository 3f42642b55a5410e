"""The cards of minigrad/ops/rounding.py: rounding, and division with a remainder."""

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from minigrad import ops
from minigrad.errors import DivisionError, DTypeError
from minigrad.testing.card import NUMBERS, Card, Kink, Refusal
from minigrad.testing.signatures import elementwise, unary
from minigrad.testing.strategies import Domain

from .elementwise import INF, NAN, misfit, zeros

BETWEEN = Domain(low=-2.9375, step=0.125)  # odd multiples of 1/16: neither whole nor a half
WHOLE = Domain(step=1.0, away=(0.0,))


def staircase(name, op, reference, kinks, dtypes=NUMBERS, **options):
    """The card of a way of rounding, of slope 0."""
    inputs, values = kinks
    kink = Kink([inputs], values, [[0.0] * len(inputs)])
    return Card(name, op, unary(), reference, name, (BETWEEN,), dtypes=dtypes, kinks=[kink], **options)


def division(name, op, reference, torch=None, **options):
    """The card of a division that leaves a remainder."""
    ones, no = mg.ones(2, dtype="int64"), mg.zeros(2, dtype="bool")
    errors = [
        misfit(op, name),
        Refusal(lambda: op(ones, 0), DivisionError, f"{name}(): an integer is divided by 0"),
        Refusal(lambda: op(no, no), DTypeError, f"{name}(): expected integer or floating numbers, got bool"),
    ]
    return Card(
        name, op, elementwise(2), reference, torch or name, (BETWEEN, WHOLE), dtypes=NUMBERS, broadcasts=True,
        errors=errors, **options,
    )  # fmt: skip


def quotient(a, b, rounding_mode):
    """a / b rounded down, or towards 0."""
    rounded = {"floor": np.floor, "trunc": np.trunc}[rounding_mode](a / b)
    return rounded.astype(np.result_type(a, b))


HALVES = [-1.5, -0.5, 0.5, 1.5, 2.5, INF, NAN]

CARDS = [
    staircase("floor", ops.floor, np.floor, ([-1.0, 2.0, INF, NAN], [-1.0, 2.0, INF, NAN])),
    staircase("ceil", ops.ceil, np.ceil, ([-1.0, 2.0, -INF, NAN], [-1.0, 2.0, -INF, NAN])),
    staircase("trunc", ops.trunc, np.trunc, ([-1.0, 2.0, INF, NAN], [-1.0, 2.0, INF, NAN])),
    staircase("round", mg.round, np.round, (HALVES, [-2.0, 0.0, 0.0, 2.0, 2.0, INF, NAN]), card=ops.round_),
    staircase("sign", ops.sign, np.sign, ([0.0, -0.0, -INF, NAN], [0.0, 0.0, -1.0, 0.0])),
    Card(
        "round to decimals", mg.round, unary(decimals=st.sampled_from((1, 2, -1))),
        np.round, "round", (BETWEEN,), card=ops.round_,
    ),
    Card("sign of a bool", ops.sign, unary(), np.copy, "sign", dtypes=("bool",)),
    Card(
        "frac", mg.frac, unary(), lambda x: x - np.trunc(x), "frac", (BETWEEN,), card=ops.trunc,
        kinks=[Kink([[-1.0, 2.0, INF]], [0.0, 0.0, NAN], [[1.0, 1.0, 1.0]])],
        errors=[Refusal(lambda: mg.frac(mg.tensor([1])), DTypeError, "frac(): expected a floating dtype")],
    ),
    division(
        "floor_divide", ops.floor_divide, np.floor_divide,
        lambda torch, a, b: torch.div(a, b, rounding_mode="floor"),
        kinks=[Kink([[1.0, -1.0, 0.0], [0.0, 0.0, 0.0]], [INF, -INF, NAN], [[0.0] * 3] * 2)],
    ),
    division(
        "remainder", ops.remainder, np.remainder,
        kinks=[Kink([[7.0, -7.0, 6.0], [-2.0, 2.0, 3.0]], [-1.0, 1.0, 0.0], [[1.0] * 3, [4.0, 4.0, -2.0]])],
    ),
    division(
        "fmod", ops.fmod, np.fmod,
        kinks=[Kink([[7.0, -7.0, 6.0], [-2.0, 2.0, 3.0]], [1.0, -1.0, 0.0], [[1.0] * 3, [3.0, 3.0, -2.0]])],
    ),
    Card(
        "div rounded", mg.div, elementwise(2, rounding_mode=st.sampled_from(("floor", "trunc"))), quotient,
        "div", (BETWEEN, WHOLE), dtypes=NUMBERS, broadcasts=True, card=ops.floor_divide,
        errors=[
            Refusal(lambda: mg.div(zeros(2), 1, rounding_mode="up"), ValueError, "got 'up'"),
            Refusal(
                lambda: mg.div(mg.tensor([1]), 0, rounding_mode="trunc"), DivisionError, "divided by 0"
            ),
        ],
    ),
]  # fmt: skip
