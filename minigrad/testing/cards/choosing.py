"""The cards of minigrad/ops/choosing.py: by a condition, the larger, what lies between limits."""

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from minigrad import ops
from minigrad.errors import DTypeError, ShapeError
from minigrad.testing.card import ANY, NUMBERS, Card, Kink, Refusal
from minigrad.testing.signatures import elementwise, limits, tensor_limits, unary
from minigrad.testing.strategies import MASK, NONZERO, REAL, Domain

from .elementwise import INF, NAN, arithmetic, clip, misfit, zeros

APART = (  # 1/32 or more between any two numbers of two of them
    *(Domain(step=0.125), Domain(low=-2.9375, step=0.125), Domain(low=-2.96875, step=0.125)),
)
LIMITS = (-2.0625, -0.9375, 0.0625, 1.0625)


def broadcast_clamp(torch, x, low, high):
    """PyTorch's clamp, which for a 0-d tensor needs limits that are 0-d, too."""
    whole = np.broadcast_shapes(*[t.shape for t in (x, low, high) if t is not None])
    return torch.clamp(x.expand(whole), low, high)


def one_limit(name, op, bound):
    """The card of clamp with one limit."""
    return Card(
        name, op, elementwise(2), bound, name, APART, dtypes=NUMBERS, broadcasts=True, card=ops.clip_,
        kinks=[Kink([[1.0, NAN], [1.0, 1.0]], [1.0, NAN], [[1.0, 0.0], [0.0, 0.0]])],
    )  # fmt: skip


CARDS = [
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
            Refusal(lambda: zeros(2).masked_fill(zeros(2) > 0, zeros(2)), ShapeError, "got shape (2,)"),
            Refusal(lambda: mg.tensor([1]).masked_fill(mg.tensor([True]), INF), ValueError, "inf cannot be held"),
        ],
    ),
    Card(
        "masked_fill of a tensor", lambda x, mask, v: mg.masked_fill(x, mask, v.sum()), elementwise(3),
        lambda x, mask, v: np.where(mask, v.sum(), x),
        lambda torch, x, mask, v: x.masked_fill(mask, v.sum()), (REAL, MASK, REAL), card=ops.where,
    ),
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
        "fmax", ops.fmax, np.fmax, ANY, APART,
        [Kink([[2.0, NAN, 1.0, NAN], [2.0, 1.0, NAN, NAN]], [2.0, 1.0, 1.0, NAN],
              [[1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 0.0]])],
    ),
    arithmetic(
        "fmin", ops.fmin, np.fmin, ANY, APART,
        [Kink([[2.0, NAN, 1.0, NAN], [2.0, 1.0, NAN, NAN]], [2.0, 1.0, 1.0, NAN],
              [[1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 0.0]])],
    ),
    Card(
        "relu", ops.relu, unary(), lambda x: np.maximum(x, 0), "relu", (NONZERO,), dtypes=NUMBERS,
        kinks=[Kink([[0.0, -0.0, INF, -INF, NAN]], [0.0, 0.0, INF, 0.0, NAN], [[0.0, 0.0, 1.0, 0.0, 1.0]])],
    ),
    Card(
        "clamp", mg.clamp, limits(), clip, "clamp", (Domain(away=LIMITS),), card=ops.clamp_,
        kinks=[Kink([[-2.0, -1.0, 1.0]], [-1.0, -1.0, 1.0], [[0.0, 1.0, 1.0]], {"min": -1, "max": 1})],
        errors=[Refusal(lambda: mg.clamp(zeros(2)), ValueError, "at least one of min and max")],
    ),
    Card(
        "clamp of integers", mg.clamp, unary(min=st.just(-1), max=st.sampled_from((None, 2))), clip, "clamp",
        dtypes=("int64", "int32"), card=ops.clamp_,
    ),
    Card(
        "clamp of integers at a fraction", mg.clamp, unary(min=st.just(-0.5)), clip, "clamp",
        dtypes=("int64", "int32"), result="float32", card=ops.clamp_,
    ),
    Card(
        "clamp between tensors", mg.clamp, tensor_limits(), clip, broadcast_clamp, APART, dtypes=NUMBERS,
        broadcasts=True, card=ops.clip_, errors=[misfit(mg.clamp, "clamp")],
        kinks=[
            Kink([[1.0, 3.0], [1.0, 1.0], [2.0, 3.0]], [1.0, 3.0], [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]),
            Kink([[0.0, 2.0, 5.0], [3.0, 3.0, 3.0], [1.0, 1.0, 1.0]], [1.0] * 3, [[0.0] * 3, [0.0] * 3, [1.0] * 3]),
        ],
    ),
    one_limit("clamp_min", mg.clamp_min, np.maximum),
    one_limit("clamp_max", mg.clamp_max, np.minimum),
    Card(
        "nan_to_num", mg.nan_to_num, unary(nan=st.just(1.0)), lambda x, nan: x.copy(), "nan_to_num", dtypes=ANY,
        card=ops.nan_to_num_,
        kinks=[
            Kink([[NAN, INF, -INF, 1.0]], [2.0, 3.0, -4.0, 1.0], [[0.0, 0.0, 0.0, 1.0]],
                 {"nan": 2.0, "posinf": 3.0, "neginf": -4.0}),
        ],
    ),
    Card(
        "heaviside", ops.heaviside, elementwise(2), np.heaviside,
        lambda torch, x, values: torch.where(x == 0, values, (x > 0).to(x.dtype)), (NONZERO, REAL),
        dtypes=NUMBERS, broadcasts=True, errors=[misfit(ops.heaviside, "heaviside")],
        kinks=[Kink([[0.0, -0.0, NAN, INF], [0.5] * 4], [0.5, 0.5, 0.0, 1.0], [[0.0] * 4, [1.0, 1.0, 0.0, 0.0]])],
    ),
]  # fmt: skip
