"""The cards of minigrad/ops/reduce.py: operations that turn many elements into one."""

import math

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from minigrad import ops
from minigrad.errors import DTypeError, ShapeError
from minigrad.testing.card import ANY, NUMBERS, Card, Kink, Refusal
from minigrad.testing.signatures import along, reduction, unary
from minigrad.testing.strategies import DISTINCT, MASK, REAL, Domain, dims, several_dims

INF, NAN = math.inf, math.nan
WITH_ZEROS = Domain(low=-1, high=1.5, step=0.5)
COARSE = Domain(away=(0.0,), step=0.25)


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


def at_most_one(ndim):
    """One dimension, or all."""
    return st.one_of(st.none(), dims(ndim))


def whole(function):
    """A function of PyTorch that takes no dim=None, as one that does."""

    def with_none(torch, x, dim, keepdim):
        if dim is not None:
            return function(torch, x, dim=dim, keepdim=keepdim)
        found = function(torch, x)
        shape = (1,) * x.ndim if keepdim else ()
        return found.reshape(shape) if hasattr(found, "reshape") else [part.reshape(shape) for part in found]

    return with_none


def variance(x, dim, keepdim, correction):
    return np.var(x, axis=over(x, dim), keepdims=keepdim, ddof=correction)


def deviation(x, **statics):
    return np.sqrt(variance(x, **statics))


def moments(name, spread):
    """var_mean and std_mean."""
    function = getattr(mg, name)
    return Card(
        name, function, reduction(min_dims=1, min_side=2, correction=st.sampled_from((0, 1))),
        lambda x, dim, keepdim, correction: (
            spread(x, dim=dim, keepdim=keepdim, correction=correction),
            np.mean(x, axis=over(x, dim), keepdims=keepdim),
        ),
        name, (DISTINCT,), result=("same", "same"),
        errors=(*out_of_range(function, name), *not_of_integers(function, name)),
    )  # fmt: skip


def not_of_integers(function, name):
    """The refusal of integers where the result is a fraction."""
    message = f"{name}(): expected a floating dtype, got int64"
    return (Refusal(lambda: function(mg.tensor([1, 2])), DTypeError, message),)


def norm(x, p, dim, keepdim):
    size, options = np.abs(x), {"axis": over(x, dim), "keepdims": keepdim}
    if abs(p) == INF:
        return (np.max if p > 0 else np.min)(size, **options)
    return np.sum(size**p, **options) ** (1 / p)


def far_from_ties(function):
    """The same of x - 4: so |x| has no ties, either."""
    return lambda *inputs, **statics: function(*inputs[:-1], inputs[-1] - 4, **statics)


def nothing_at_zero(p):
    """The gradient of a norm that is 0 is 0."""
    return Kink([[[0.0, 0.0]]], [0.0], [[[0.0, 0.0]]], {"p": p, "dim": 1, "keepdim": False})


def of_p(p):
    return {"p": p, "dim": None, "keepdim": False}


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
    lost = Kink([[[2.0, NAN, NAN]]], NAN, [[[0.0, 0.5, 0.5]]])
    return Card(
        name, function, reduction(min_side=1), reference(getattr(np, name)), name, (DISTINCT,),
        getattr(ops, name), NUMBERS, kinks=[tie, lost],
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
        "prod", mg.prod, reduction(at_most_one), reference(np.prod),
        whole(lambda torch, *args, **statics: torch.prod(*args, **statics)), (WITH_ZEROS,), ops.prod, ANY,
        "sum",
        kinks=[
            Kink([[0.0, 2.0, 3.0]], 0.0, [[6.0, 0.0, 0.0]], {"dim": 0, "keepdim": False}),
            Kink([[0.0, 2.0, 0.0]], 0.0, [[0.0, 0.0, 0.0]], {"dim": 0, "keepdim": False}),
        ],
        errors=(
            *out_of_range(mg.prod, "prod"),
            Refusal(lambda: mg.prod(mg.zeros(2, 3), (0, 1)), TypeError, "prod(): dim must be an int, got tuple"),
        ),
    ),
    Card(
        "mean", mg.mean, reduction(min_side=1), reference(np.mean), "mean",
        errors=(
            *out_of_range(mg.mean, "mean"), twice(mg.mean, "mean"), *not_of_integers(mg.mean, "mean"),
        ),
    ),
    Card(
        "var", mg.var, reduction(min_dims=1, min_side=2, correction=st.sampled_from((0, 1, 0.5))), variance,
        "var",
        errors=(
            *out_of_range(mg.var, "var"), twice(mg.var, "var"), *not_of_integers(mg.var, "var"),
            Refusal(
                lambda: mg.var(mg.zeros(2), unbiased=True, correction=0), TypeError,
                "var(): got both unbiased=True and correction=0",
            ),
        ),
    ),
    Card(
        "std", mg.std, reduction(min_dims=1, min_side=2, correction=st.sampled_from((0, 1))), deviation,
        "std", (DISTINCT,),
        kinks=[Kink([[2.0, 2.0]], 0.0, [[0.0, 0.0]])],
        errors=(*out_of_range(mg.std, "std"), twice(mg.std, "std"), *not_of_integers(mg.std, "std")),
    ),
    moments("var_mean", variance),
    moments("std_mean", deviation),
    Card(
        "nansum", mg.nansum, reduction(), reference(np.nansum), "nansum", dtypes=ANY, result="sum",
        kinks=[Kink([[NAN, 2.0]], 2.0, [[0.0, 1.0]]), Kink([[NAN]], 0.0, [[0.0]])],
        errors=(*out_of_range(mg.nansum, "nansum"), twice(mg.nansum, "nansum")),
    ),
    Card(
        "nanmean", mg.nanmean, reduction(min_side=1), reference(np.nanmean), "nanmean",
        kinks=[Kink([[NAN, 2.0, 4.0]], 3.0, [[0.0, 0.5, 0.5]]), Kink([[NAN]], NAN, [None])],
        errors=(*out_of_range(mg.nanmean, "nanmean"), *not_of_integers(mg.nanmean, "nanmean")),
    ),
    Card(
        "count_nonzero", mg.count_nonzero, reduction().map(lambda drawn: (drawn[0], {"dim": drawn[1]["dim"]})),
        lambda x, dim: np.sum(x != 0, axis=over(x, dim)), "count_nonzero", (WITH_ZEROS,), dtypes=ANY,
        result="int64", kinks=[Kink([[NAN, 0.0, -0.0, INF]], 2, [None])],
        errors=out_of_range(mg.count_nonzero, "count_nonzero"),
    ),
    Card(
        "norm", mg.norm, reduction(p=st.sampled_from((1, 2, 3, 1.5, 0.5)), min_side=1), norm, "norm",
        (COARSE,), ops.vector_norm,
        kinks=[
            *map(nothing_at_zero, (0, 0.5, 1, 1.5, 2, 3, INF, -INF, "fro", None)),
            Kink([[0.0, 2.0, -2.0]], 2.0, [[0.0, 0.0, 0.0]], of_p(0)),
            Kink([[0.0, 2.0, -2.0]], 8.0, [[0.0, 2.0, -2.0]], of_p(0.5)),
            Kink([[0.0, 2.0, -2.0]], 0.0, [[0.0, 0.0, 0.0]], of_p(-1)),
            Kink([[0.0, 2.0, -2.0]], 2.0, [[0.0, 0.5, -0.5]], of_p(INF)),
            Kink([[0.0, 2.0, -2.0]], 0.0, [[0.0, 0.0, 0.0]], of_p(-INF)),
        ],
        errors=(
            *out_of_range(mg.norm, "norm"), twice(mg.norm, "norm"), *not_of_integers(mg.norm, "norm"),
            Refusal(lambda: mg.norm(mg.ones(2), "nuc"), ValueError, "p must be a number or 'fro', got 'nuc'"),
            Refusal(lambda: mg.norm(mg.ones(2, 0), INF, 1), ShapeError, "p = inf has no value for no elements"),
        ),
    ),
    Card(
        "norm by one element", far_from_ties(mg.norm),
        reduction(p=st.sampled_from((INF, -INF, -1)), min_side=1), far_from_ties(norm),
        far_from_ties(lambda torch, x, **statics: torch.norm(x, **statics)), (DISTINCT,),
    ),
    chosen("amax", 3.0),
    chosen("amin", -3.0),
    Card(
        "aminmax", mg.aminmax, reduction(at_most_one, min_side=1),
        lambda x, dim, keepdim: tuple(
            function(x, axis=over(x, dim), keepdims=keepdim) for function in (np.min, np.max)
        ),
        whole(lambda torch, x, **statics: torch.aminmax(x, **statics)), (DISTINCT,), dtypes=NUMBERS,
        result=("same", "same"),
        errors=(
            *out_of_range(lambda x, dim: mg.aminmax(x, dim=dim), "aminmax"),
            Refusal(lambda: mg.aminmax(mg.zeros(0)), ValueError, "aminmax(): an empty dimension"),
        ),
    ),
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
