"""The cards of minigrad/ops/search.py: operations that count, or find the place of something."""

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from minigrad import ops
from minigrad.errors import DTypeError, ShapeError
from minigrad.testing.card import ANY, NUMBERS, Card, Refusal
from minigrad.testing.signatures import searched, unary
from minigrad.testing.strategies import REAL, Domain, index_below, shapes, sides

FEW = Domain(step=1, differentiable=False)  # so that equal numbers are usual
COUNTED = index_below(lambda shapes, statics: 4)


def vector():
    return mg.tensor([1.0, 2.0, 3.0])


@st.composite
def counted(draw, weights=False):
    """Numbers, perhaps a weight for each, and the least length of the result."""
    length = draw(sides(5))
    return ((length,), (length,))[: 1 + weights], {"minlength": draw(st.integers(0, 5))}


@st.composite
def bucketed(draw):
    """Numbers, and boundaries to be sorted."""
    return (draw(shapes()), (draw(sides(5)),)), {"right": draw(st.booleans())}


@st.composite
def tested(draw):
    """Elements, what they are compared with, and whether the answer is turned round."""
    return (draw(shapes()), draw(shapes(max_dims=2))), {"invert": draw(st.booleans())}


@st.composite
def binned(draw):
    """Numbers, how many bins, and their range; 0 to 0 stands for that of the numbers."""
    low, high = draw(st.sampled_from(((0, 0), (-1.5, 2.0), (-4.0, 4.0))))
    return (draw(shapes()),), {"bins": draw(st.integers(1, 5)), "min": low, "max": high}


def places(x):
    return tuple(np.argwhere(np.atleast_1d(x)).T)


def isin(x, test, invert):
    found = np.array([value in set(test.reshape(-1).tolist()) for value in x.reshape(-1).tolist()], bool)
    return (found ^ invert).reshape(x.shape)


def bincount(x, weights=None, minlength=0):
    y = np.zeros(max([minlength, *(x + 1)]), "int64" if weights is None else "float64")
    for i, number in enumerate(x):
        y[number] += 1 if weights is None else weights[i]
    return y


def weighed(torch, x, weights, minlength):
    """PyTorch's bincount has no gradient."""
    return weights.new_zeros(len(torch.bincount(x, minlength=minlength))).index_add(0, x, weights)


def histc(x, bins, min, max):
    if min == max and x.size:
        min, max = x.min(), x.max()
    if min == max:
        min, max = min - 1, max + 1
    edges = np.linspace(min, max, bins + 1)
    last = np.append(edges[1:-1], np.nextafter(max, np.inf))
    return np.array(
        [((x >= low) & (x < high)).sum() for low, high in zip(edges, last, strict=False)], x.dtype
    )


def searchsorted(sequence, values, right):
    """The sequences come in any order, and are sorted first."""
    side = "right" if right else "left"
    if sequence.ndim == 1:
        return np.searchsorted(np.sort(sequence), values, side)
    y = np.empty(values.shape, "int64")
    for row in np.ndindex(*values.shape[:-1]):
        y[row] = np.searchsorted(np.sort(sequence[row]), values[row], side)
    return y


CARDS = [
    Card("nonzero", mg.nonzero, unary(), np.argwhere, "nonzero", (FEW,), ops.nonzero_, ANY, "int64"),
    Card(
        "nonzero as a tuple", lambda x: mg.nonzero(x, as_tuple=True), unary(), places,
        lambda torch, x: torch.nonzero(x, as_tuple=True), (FEW,), ops.nonzero_, ANY, "int64",
    ),
    Card("argwhere", mg.argwhere, unary(), np.argwhere, "argwhere", (FEW,), ops.nonzero_, ANY, "int64"),
    Card("where alone", mg.where, unary(), places, "where", (FEW,), ops.nonzero_, ANY, "int64"),
    Card(
        "isin", mg.isin, tested(), isin, "isin", (FEW,), ops.isin_, NUMBERS, "bool",
        errors=[Refusal(lambda: mg.isin(1, 2), TypeError, "isin(): expected a Tensor")],
    ),
    Card(
        "bincount", mg.bincount, counted(), bincount, "bincount", (COUNTED,), ops.bincount_,
        ("int64",),
        errors=[
            Refusal(lambda: mg.bincount(vector()), DTypeError, "input must hold integers, got float32"),
            Refusal(lambda: mg.bincount(mg.tensor([[1]])), ShapeError, "must be a vector, got shape (1, 1)"),
            Refusal(lambda: mg.bincount(mg.tensor([0, -1])), ValueError, "must not be negative, got -1"),
            Refusal(lambda: mg.bincount(mg.tensor([1]), minlength=-1), ValueError, "minlength must not be"),
            Refusal(lambda: mg.bincount(mg.tensor([1]), vector()), ShapeError, "weights of shape (3,)"),
        ],
    ),
    Card(
        "bincount of weights", mg.bincount, counted(weights=True), bincount, weighed, (COUNTED, REAL),
        ops.bincount_, ("float64", "float32"),
    ),
    Card(
        "histc", mg.histc, binned(), histc, "histc", (FEW,), ops.histc_,
        errors=[
            Refusal(lambda: mg.histc(vector(), 0), ValueError, "bins must be positive, got 0"),
            Refusal(lambda: mg.histc(vector(), 3, 2, 1), ValueError, "a finite range with min < max, got [2, 1]"),
            Refusal(lambda: mg.histc(mg.tensor([1])), DTypeError, "expected a floating dtype, got int64"),
        ],
    ),
    Card(
        "searchsorted", lambda sequence, v, **statics: mg.searchsorted(mg.sort(sequence)[0], v, **statics),
        searched(), searchsorted,
        lambda torch, sequence, v, **statics: torch.searchsorted(sequence.sort()[0], v, **statics), (FEW,),
        ops.searchsorted_, NUMBERS, "int64",
        errors=[
            Refusal(
                lambda: mg.searchsorted(mg.zeros(2, 3), mg.zeros(3, 2)), ShapeError,
                "searchsorted(): a sequence of shape (2, 3) does not fit values of shape (3, 2)",
            ),
            Refusal(lambda: mg.searchsorted(vector(), 1, side="up"), ValueError, "side must be 'left' or"),
            Refusal(lambda: mg.searchsorted(vector(), 1, side="left", right=True), ValueError, "contradict"),
            Refusal(
                lambda: mg.searchsorted(vector(), 1, sorter=mg.tensor([0])), ShapeError, "sorter of shape (1,)"
            ),
        ],
    ),
    Card(
        "bucketize", lambda x, boundaries, right: mg.bucketize(x, mg.sort(boundaries)[0], right=right),
        bucketed(), lambda x, boundaries, right: searchsorted(boundaries, x, right),
        lambda torch, x, boundaries, right: torch.bucketize(x, boundaries.sort()[0], right=right), (FEW,),
        ops.searchsorted_, NUMBERS, "int64",
        errors=[Refusal(lambda: mg.bucketize(1, mg.zeros(2, 2)), ShapeError, "must be a vector, got shape (2, 2)")],
    ),
]  # fmt: skip
