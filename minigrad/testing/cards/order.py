"""The cards of minigrad/ops/order.py: which element comes where when elements are put in order."""

import math

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from minigrad import ops
from minigrad.errors import ShapeError
from minigrad.testing.card import ANY, FLOATS, NUMBERS, Card, Kink, Refusal
from minigrad.testing.signatures import one_dim, quantiles, ranked, reduction, slices_apart, unary
from minigrad.testing.strategies import DISTINCT, Domain, dims

from .reduce import not_of_integers, out_of_range, over

NAN = math.nan
FEW = Domain(low=-1, high=1, step=1, differentiable=False)
PART = Domain(low=3 / 64, high=61 / 64)  # no rank q (n - 1) of n < 33 is whole or half, where kinks are
DIRECTIONS = {"descending": st.booleans(), "stable": st.booleans()}


def in_order(x, dim, descending=False, stable=True):
    """The indices that put x in order along `dim`."""
    rows = x.reshape(x.shape or 1)
    order = np.argsort(-rows.astype(float) if descending else rows, axis=dim, kind="stable")
    return order.reshape(x.shape)


def at(x, index, dim):
    return np.take_along_axis(x, index, dim) if x.ndim else x


def both(index_of):
    """(values, indices) of the indices that a function gives; those of one element without its dimension."""

    def found(x, *, keepdim=True, dim=-1, **statics):
        index = index_of(x, dim=dim, **statics)
        values = at(x, index, dim)
        return (values, index) if keepdim or not x.ndim else (values.squeeze(dim), index.squeeze(dim))

    return found


def ranks(x, dim, first, count):
    """The indices of `count` elements from number `first` on, along `dim`."""
    if not x.ndim:
        return np.zeros((), int)
    return in_order(x, dim).take(range(first, first + count), axis=dim)


def top(x, k, dim, largest):
    return in_order(x, dim, descending=largest).take(range(k), axis=dim)


def with_places(name, index, signature, torch=None, **options):
    """A function that gives (values, indices)."""
    function = getattr(mg, name)
    wrong = [Refusal(lambda: function(mg.zeros(2, 0), dim=1), ValueError, f"{name}(): ")]
    return Card(
        f"{name} and place" if name.endswith("median") else name, function, signature, both(index),
        torch or name, (DISTINCT,), dtypes=NUMBERS, result=("same", "int64"),
        **{"errors": (*out_of_range(function, name), *wrong), **options},
    )  # fmt: skip


def median_of_all(name, kink):
    """median and nanmedian of all elements."""
    tie = Kink([[1.0, 3.0, 1.0, 3.0]], 1.0, [[0.5, 0.0, 0.5, 0.0]])
    function = getattr(mg, name)
    return Card(
        name, function, unary(min_side=1), lambda x: np.sort(x, axis=None)[(x.size - 1) // 2], name,
        (DISTINCT,), ops.median_, NUMBERS, kinks=[tie, kink, Kink([[]], NAN, [None])],
        errors=[Refusal(lambda: function(mg.tensor([]).long()), ValueError, "no integers have no median")],
    )  # fmt: skip


def middle(x, dim):
    return ranks(x, dim, (x.shape[dim] - 1) // 2 if x.ndim else 0, 1)


def quantile(name, reference, kinks):
    """quantile and nanquantile."""
    function = getattr(mg, name)
    matrix = mg.ones(2, 3)

    def by_numpy(x, q, dim, keepdim, interpolation):
        axis = over(x, dim)
        found = reference(x, q, axis=axis, keepdims=keepdim, method=interpolation)
        return found.reshape(q.shape + found.shape[q.ndim :])

    return Card(
        name, function, quantiles(), by_numpy, name, (DISTINCT, PART), dtypes=FLOATS, kinks=kinks,
        errors=[
            Refusal(lambda: function(matrix, 0.5, 2), IndexError, f"{name}(): dim 2 out of range"),
            Refusal(lambda: function(matrix, 1.5), ValueError, "q must lie between 0 and 1, got 1.5"),
            Refusal(lambda: function(matrix, matrix), ValueError, "q must be a number or a vector, got shape"),
            Refusal(lambda: function(mg.ones(2, 0), 0.5, 1), ValueError, "no elements have no quantile"),
            Refusal(
                lambda: function(matrix, 0.5, interpolation="cubic"), ValueError,
                "interpolation must be one of",
            ),
            *not_of_integers(lambda x: function(x, 0.5), name),
        ],
    )  # fmt: skip


def consecutive(x, dim):
    """(different ones, which of them each is, how often each occurs), all by a loop."""
    rows = list(x.reshape(-1)) if dim is None else list(np.moveaxis(x, dim, 0))
    starts = [i for i, row in enumerate(rows) if i == 0 or not np.array_equal(row, rows[i - 1])]
    inverse = np.searchsorted(starts, np.arange(len(rows)), side="right") - 1
    kept = np.stack([rows[i] for i in starts], 0 if dim is None else dim)
    return kept, inverse.reshape(x.shape if dim is None else -1), np.diff([*starts, len(rows)])


def unique(x, dim):
    kept, inverse, counts = np.unique(x, return_inverse=True, return_counts=True, axis=dim)
    return kept, inverse.reshape(x.shape if dim is None else -1), counts


def different(name, card, reference, *flags):
    """unique and unique_consecutive: alone, and with all that they can tell."""
    function = getattr(mg, name)
    empty = Refusal(lambda: function(mg.zeros(0, 2), dim=1), ShapeError, "slices along dimension 1 of shape")
    missing = Refusal(lambda: function(mg.zeros(2, 2), dim=2), IndexError, f"{name}(): dim 2 out of range")
    return [
        Card(
            name, function, slices_apart(), lambda x, dim: reference(x, dim)[0], name, (FEW,), card, ANY,
            kinks=[Kink([[NAN, NAN]], [NAN, NAN], [None])], errors=[empty, missing],
        ),
        Card(
            f"{name} and places", lambda x, dim: function(x, *flags, True, True, dim), slices_apart(),
            reference, lambda torch, x, dim: getattr(torch, name)(x, *flags, True, True, dim=dim), (FEW,),
            card, ANY, result=("same", "int64", "int64"),
        ),
    ]  # fmt: skip


CARDS = [
    with_places(
        "sort", in_order, one_dim(**DIRECTIONS), errors=out_of_range(mg.sort, "sort"),
        kinks=[Kink([[2.0, NAN, 1.0]], [1.0, 2.0, NAN], [[1.0, 1.0, 1.0]])],
    ),
    Card(
        "argsort", mg.argsort, one_dim(**DIRECTIONS), in_order, "argsort", (DISTINCT,), ops.argsort_, NUMBERS,
        "int64",
        kinks=[
            Kink([[1.0, 0.0, 1.0, NAN]], [3, 0, 2, 1], [None], {"descending": True, "stable": True}),
            Kink([[1.0, 0.0, 1.0, NAN]], [1, 0, 2, 3], [None], {"stable": True}),
        ],
        errors=out_of_range(mg.argsort, "argsort"),
    ),
    Card("msort", mg.msort, unary(), lambda x: at(x, in_order(x, 0), 0), "msort", (DISTINCT,), dtypes=NUMBERS),
    with_places(
        "topk", top, ranked(largest=st.booleans()), card=ops.top_indices,
        kinks=[Kink([[2.0, NAN, 3.0]], [NAN, 3.0], [[0.0, 1.0, 1.0]], {"k": 2, "dim": 0})],
        errors=[
            Refusal(lambda: mg.topk(mg.zeros(2, 3), 4), ValueError, "topk(): k = 4 is out of range for dim"),
            Refusal(lambda: mg.topk(mg.zeros(2, 3), -1), ValueError, "expected 0 to 3"),
            Refusal(lambda: mg.topk(mg.zeros(2, 3), 1, 2), IndexError, "topk(): dim 2 out of range"),
        ],
    ),
    with_places(
        "kthvalue", lambda x, k, dim: ranks(x, dim, k - 1, 1), ranked(1, keepdim=st.booleans()),
        card=ops.kth_index,
        errors=[
            Refusal(lambda: mg.kthvalue(mg.zeros(2, 3), 0), ValueError, "k = 0 is out of range for dimension 1"),
            Refusal(lambda: mg.kthvalue(mg.zeros(2, 3), 1, 2), IndexError, "kthvalue(): dim 2 out of range"),
        ],
    ),
    with_places(
        "mode", lambda x, dim: ranks(x, dim, 0, 1), reduction(dims, min_side=1), card=ops.mode_index,
        kinks=[Kink([[3.0, 1.0, 1.0, 3.0, 2.0]], 1.0, [[0.0, 0.0, 1.0, 0.0, 0.0]])],
    ),
    median_of_all("median", Kink([[NAN, 1.0, 2.0]], NAN, [[1.0, 0.0, 0.0]])),
    median_of_all("nanmedian", Kink([[NAN, 1.0, 2.0]], 1.0, [[0.0, 1.0, 0.0]])),
    with_places(
        "median", middle, reduction(dims, min_side=1), card=ops.median_index,
        kinks=[Kink([[1.0, NAN, 2.0]], NAN, [[0.0, 1.0, 0.0]], {"dim": 0})],
    ),
    with_places(
        "nanmedian", middle, reduction(dims, min_side=1),
        kinks=[
            Kink([[2.0, NAN, 1.0]], 1.0, [[0.0, 0.0, 1.0]], {"dim": 0}),
            Kink([[NAN]], NAN, [[1.0]], {"dim": 0}),
        ],
    ),
    quantile(
        "quantile", np.quantile,
        [
            Kink([[4.0, 2.0, 8.0], 0.75], 6.0, [[0.5, 0.0, 0.5], 8.0]),
            Kink([[4.0, NAN, 8.0], 0.25], NAN, [[0.0, 1.0, 0.0], None]),
        ],
    ),
    quantile(
        "nanquantile", np.nanquantile,
        [
            Kink([[4.0, NAN, 8.0], 0.25], 5.0, [[0.75, 0.0, 0.25], 4.0]),
            Kink([[NAN], 0.25], NAN, [[1.0], None]),
        ],
    ),
    *different("unique", ops.unique_, unique, True),
    *different("unique_consecutive", ops.unique_consecutive_, consecutive),
]  # fmt: skip
