"""The cards of minigrad/ops/reduce.py: operations that turn many elements into one."""

import math

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from cards.card import ANY, NUMBERS, Card, Kink, Refusal
from minigrad import ops
from minigrad.errors import DTypeError
from signatures import along, reduction, unary
from strategies import DISTINCT, MASK, REAL, dims, several_dims

INF, NAN = math.inf, math.nan


def over(x, dim):
    """`dim` as NumPy's axis: () means all, and a 0-d array has none."""
    return None if dim == () or x.ndim == 0 else dim


def reference(function, **options):
    """A reduction of NumPy with our argument names."""
    return lambda x, dim, keepdim: function(x, axis=over(x, dim), keepdims=keepdim, **options)


def out_of_range(function, name):
    """The refusals that all reductions share."""
    matrix = mg.zeros(2, 3)
    return (
        Refusal(
            lambda: function(matrix, dim=5), IndexError,
            f"{name}(): dim 5 out of range for 2-d tensor, expected [-2, 1]",
        ),
        Refusal(lambda: function(matrix, dim=1.0), TypeError, f"{name}(): dim must be an int, got float"),
    )  # fmt: skip


def twice(function, name):
    """The refusal of a dimension that is named twice."""
    message = f"{name}(): dim 0 appears twice"
    return Refusal(lambda: function(mg.zeros(2, 3), dim=(0, -2)), ValueError, message)


def of_nothing(function, name, *arguments):
    """The refusal to choose one of no elements."""
    return Refusal(lambda: function(mg.zeros(2, 0), *arguments), ValueError, f"{name}(): an empty dimension")


def some(ndim):
    """One dimension, or several."""
    return st.one_of(dims(ndim), several_dims(ndim))


def variance(x, dim, keepdim, correction):
    return np.var(x, axis=over(x, dim), keepdims=keepdim, ddof=correction)


def extreme(values, index):
    """max and min along a dimension: (values, indices)."""
    return lambda x, dim, keepdim: (
        values(x, axis=over(x, dim), keepdims=keepdim),
        index(x, axis=over(x, dim), keepdims=keepdim),
    )


def chosen(name, number):
    """amax and amin; `number` is the one that ties."""
    function = getattr(mg, name)
    tie = Kink([[[2.0, number, number]]], [number], [[[0.0, 0.5, 0.5]]], {"dim": -1})
    return Card(
        name, function, reduction(min_side=1), reference(getattr(np, name)), name, (DISTINCT,),
        getattr(ops, name), NUMBERS, kinks=[tie],
        errors=(*out_of_range(function, name), twice(function, name), of_nothing(function, name)),
    )  # fmt: skip


def place(name):
    """argmax and argmin."""
    function = getattr(mg, name)
    return Card(
        name, function, reduction(lambda ndim: st.one_of(st.none(), dims(ndim)), min_side=1),
        reference(getattr(np, name)), name, (DISTINCT,), getattr(ops, name), NUMBERS, "int64",
        kinks=[Kink([[1.0, 1.0]], 0, [None])],
        errors=(*out_of_range(function, name), of_nothing(function, name, 1)),
    )  # fmt: skip


def of_all(name, value):
    """max and min of all elements."""
    function = getattr(mg, name)
    return Card(
        f"{name} of all", function, unary(min_side=1), getattr(np, name), name, (DISTINCT,),
        getattr(ops, f"a{name}"), NUMBERS, kinks=[Kink([[[value], [value]]], value, [[[0.5], [0.5]]])],
        errors=[Refusal(lambda: function(mg.zeros(0)), ValueError, f"{name}(): an empty dimension")],
    )  # fmt: skip


def with_places(name, index):
    """max and min along a dimension, with the places."""
    function = getattr(mg, name)
    return Card(
        f"{name} and place", function, reduction(dims, min_side=1),
        extreme(getattr(np, name), getattr(np, index)), name, (DISTINCT,),
        dtypes=NUMBERS, result=("same", "int64"),
        errors=(*out_of_range(function, name), of_nothing(function, name, 1)),
    )  # fmt: skip


def softmax(x, dim):
    return np.exp(x) / np.exp(x).sum(axis=over(x, dim), keepdims=True)


def masked_softmax(x, mask, dim):
    exponentials = np.exp(x) * mask
    total = exponentials.sum(axis=dim, keepdims=True)
    return np.divide(exponentials, total, out=np.zeros_like(exponentials), where=total > 0)


CARDS = [
    Card(
        "sum", mg.sum, reduction(), reference(np.sum), "sum", card=ops.sum_, dtypes=ANY, result="sum",
        errors=(*out_of_range(mg.sum, "sum"), twice(mg.sum, "sum")),
    ),
    Card(
        "mean", mg.mean, reduction(min_side=1), reference(np.mean), "mean",
        errors=(
            *out_of_range(mg.mean, "mean"), twice(mg.mean, "mean"),
            Refusal(lambda: mg.mean(mg.tensor([1, 2])), DTypeError, "expected a floating dtype, got int64"),
        ),
    ),
    Card(
        "var", mg.var, reduction(min_dims=1, min_side=2, correction=st.sampled_from((0, 1, 0.5))), variance,
        "var",
        errors=(*out_of_range(mg.var, "var"), twice(mg.var, "var")),
    ),
    Card(
        "std", mg.std, reduction(min_dims=1, min_side=2, correction=st.sampled_from((0, 1))),
        lambda x, **statics: np.sqrt(variance(x, **statics)), "std", (DISTINCT,),
        errors=(*out_of_range(mg.std, "std"), twice(mg.std, "std")),
    ),
    chosen("amax", 3.0),
    chosen("amin", -3.0),
    place("argmax"),
    place("argmin"),
    of_all("max", 3.0),
    of_all("min", -3.0),
    with_places("max", "argmax"),
    with_places("min", "argmin"),
    Card("all", mg.all, reduction(), reference(np.all), "all", (MASK,), ops.all_, ("bool",), "bool"),
    Card("any", mg.any, reduction(), reference(np.any), "any", (MASK,), ops.any_, ("bool",), "bool"),
    Card(
        "logsumexp", mg.logsumexp, reduction(some, min_side=1),
        lambda x, dim, keepdim: np.log(np.sum(np.exp(x), axis=over(x, dim), keepdims=keepdim)), "logsumexp",
        card=ops.logsumexp, dtypes=NUMBERS, result="floating",
        kinks=[
            Kink([[1000.0, 1000.0]], 1000 + math.log(2), [[0.5, 0.5]], {"dim": 0}),
            Kink([[-INF, 0.0]], 0.0, [[0.0, 1.0]], {"dim": 0}),
        ],
        errors=(*out_of_range(mg.logsumexp, "logsumexp"), twice(mg.logsumexp, "logsumexp")),
    ),
    Card(
        "softmax", mg.softmax, along(min_side=0), softmax, "softmax", card=ops.softmax, dtypes=NUMBERS,
        result="floating",
        kinks=[
            Kink([[1000.0, -1000.0]], [1.0, 0.0], [[0.0, 0.0]], {"dim": 0}),
            Kink([[-INF, 0.0]], [0.0, 1.0], [[0.0, 0.0]], {"dim": 0}),
            Kink([[-INF, -INF]], [NAN, NAN], [[NAN, NAN]], {"dim": 0}),
        ],
        errors=out_of_range(mg.softmax, "softmax"),
    ),
    Card(
        "log_softmax", mg.log_softmax, along(min_side=0), lambda x, dim: np.log(softmax(x, dim)),
        "log_softmax", card=ops.log_softmax, dtypes=NUMBERS, result="floating",
        kinks=[Kink([[1000.0, -1000.0]], [0.0, -2000.0], [[-1.0, 1.0]], {"dim": 0})],
        errors=out_of_range(mg.log_softmax, "log_softmax"),
    ),
    Card(
        "masked_softmax", ops.masked_softmax, along(2), masked_softmax, None, (REAL, MASK),
        dtypes=NUMBERS, result="floating",
        kinks=[Kink([[1000.0, 0.0], [False, False]], [0.0, 0.0], [[0.0, 0.0]], {"dim": 0})],
    ),
]  # fmt: skip
