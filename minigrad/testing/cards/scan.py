"""The cards of minigrad/ops/scan.py: operations that gather along a dimension and keep it."""

import math

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from minigrad import ops
from minigrad.testing.card import ANY, NUMBERS, Card, Kink
from minigrad.testing.signatures import along
from minigrad.testing.strategies import DISTINCT, REAL

from .reduce import WITH_ZEROS, out_of_range

INF, NAN = math.inf, math.nan


def scanned(function):
    """A scan of NumPy with our argument name; a 0-d array is scanned as a vector of one."""
    return lambda x, dim: function(x.reshape(x.shape or 1), axis=dim).reshape(x.shape)


def recurrence(x, a, dim, reverse):
    y = np.zeros_like(x)
    numbers = range(x.shape[dim])
    before = np.zeros_like(x.take(0, dim)) if x.shape[dim] else None
    for k in reversed(numbers) if reverse else numbers:
        before = a.take(k, dim) * before + x.take(k, dim)
        y[(*[slice(None)] * dim, k)] = before
    return y


def running(name, accumulate):
    """cummax and cummin: (values, indices)."""

    def both(x, dim):
        values = scanned(accumulate)(x, dim)
        if not x.ndim:
            return values, np.zeros((), int)
        number = np.arange(x.shape[dim]).reshape([-1 if i == dim % x.ndim else 1 for i in range(x.ndim)])
        return values, np.maximum.accumulate(np.where(x == values, number, 0), axis=dim)

    function, sign = getattr(mg, name), 1.0 if name == "cummax" else -1.0
    return Card(
        name, function, along(), both, name, (DISTINCT,), ops.running_argmax, NUMBERS,
        result=("same", "int64"),
        kinks=[
            Kink([[sign, sign, 0.0]], [sign] * 3, [[1.0, 2.0, 0.0]], {"dim": 0}),
            Kink([[0.0, NAN, sign]], [0.0, NAN, NAN], [[1.0, 2.0, 0.0]], {"dim": 0}),
        ],
        errors=out_of_range(function, name),
    )  # fmt: skip


CARDS = [
    Card(
        "cumsum", mg.cumsum, along(min_side=0), scanned(np.cumsum), "cumsum", card=ops.cumsum, dtypes=ANY,
        result="sum", errors=out_of_range(mg.cumsum, "cumsum"),
    ),
    Card(
        "cumprod", mg.cumprod, along(min_side=0), scanned(np.cumprod), "cumprod", (WITH_ZEROS,), ops.cumprod,
        ANY, "sum",
        kinks=[Kink([[0.0, 2.0, 0.0, 3.0]], [0.0] * 4, [[3.0, 0.0, 0.0, 0.0]], {"dim": 0})],
        errors=out_of_range(mg.cumprod, "cumprod"),
    ),
    Card(
        "recurrence", ops.recurrence, along(2, min_side=0, front=True, reverse=st.booleans()), recurrence, None,
        (REAL, WITH_ZEROS),
    ),
    Card(
        "logcumsumexp", mg.logcumsumexp, along(min_side=0), scanned(np.logaddexp.accumulate), "logcumsumexp",
        card=ops.logcumsumexp,
        kinks=[
            Kink([[1000.0, 1000.0]], [1000.0, 1000 + math.log(2)], [[1.5, 0.5]], {"dim": 0}),
            Kink([[0.0, INF, 0.0]], [0.0, INF, INF], [None], {"dim": 0}),
            Kink([[0.0, NAN, 0.0]], [0.0, NAN, NAN], [[NAN, NAN, NAN]], {"dim": 0}),
            Kink([[-1000.0, -INF, 0.0]], [-1000.0, -1000.0, 0.0], [[2.0, 0.0, 1.0]], {"dim": 0}),
            Kink([[-INF, -1000.0]], [-INF, -1000.0], [[0.0, 1.0]], {"dim": 0}),
        ],
        errors=out_of_range(mg.logcumsumexp, "logcumsumexp"),
    ),
    running("cummax", np.maximum.accumulate),
    running("cummin", np.minimum.accumulate),
]  # fmt: skip
