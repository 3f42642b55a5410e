"""The cards of minigrad/ops/scattering.py, and of the functions that write or add to elements by number."""

import math

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from minigrad import ops
from minigrad.errors import DTypeError, ShapeError
from minigrad.testing.card import ANY, NUMBERS, Card, Kink, Refusal
from minigrad.testing.signatures import (
    diagonals_replaced,
    gathered,
    masked,
    numbered_elements,
    numbered_slices,
    one_selected,
    one_sliced,
    put_in,
    sent,
)
from minigrad.testing.strategies import DISTINCT, MASK, REAL, index_below

PLACE = index_below(lambda shapes, statics: shapes[0][statics["dim"]])
SENT = index_below(lambda shapes, statics: statics["shape"][statics["dim"]])
ELEMENT = index_below(lambda shapes, statics: math.prod(shapes[0]))
BOOLS = st.booleans()


def chosen():
    """An index, and the shape and the dimension of what it picks from."""
    return gathered(scattered=True).map(lambda drawn: (drawn[0][:1], drawn[1]))


def matrix():
    return mg.zeros(3, 4)


def numbers(*values):
    return mg.tensor(values)


# ---------------------------------------------------------------- references: one element after the other


def targets(index, dim):
    """Pairs: a place in the source, and the place to which it is sent."""
    for place in np.ndindex(*index.shape):
        target = list(place)
        target[dim] = index[place]
        yield place, tuple(target)


def scatter(x, source, index, dim):
    y = x.copy()
    for place, target in targets(index, dim):
        y[target] = source[place]
    return y


def is_sent_last(index, shape, dim):
    last = {target: place for place, target in targets(index, dim)}
    y = np.zeros(index.shape, bool)
    for place in last.values():
        y[place] = True
    return y


def reduced(reduction):
    """The reference of scatter_reduce: all that is sent to an element, reduced."""

    def reference(x, source, index, dim, include_self=True):
        y = x.copy()
        arrived = {}
        for place, target in targets(index, dim):
            arrived.setdefault(target, [x[target]] if include_self else []).append(source[place])
        for target, values in arrived.items():
            y[target] = reduction(np.array(values, x.dtype))
        return y

    return reference


def mean(values):
    return values.mean() if values.dtype.kind == "f" else values.sum() // len(values)


def slices_of(x, dim):
    """x with the dimension `dim` first: a view."""
    return np.moveaxis(x, dim, 0)


def index_copy(x, source, index, dim):
    y = x.copy()
    for i, values in zip(index, slices_of(source, dim), strict=True):
        slices_of(y, dim)[i] = values
    return y


def index_add(x, source, index, dim, alpha):
    y = x.copy()
    for i, values in zip(index, slices_of(source, dim), strict=True):
        slices_of(y, dim)[i] += alpha * values
    return y


def index_fill(x, index, dim, value):
    y = x.copy()
    slices_of(y, dim)[index] = value
    return y


def index_reduce(x, source, index, dim, include_self):
    wide = np.moveaxis(np.broadcast_to(index, (*slices_of(source, dim).shape[1:], len(index))), -1, dim)
    return reduced(np.prod)(x, source, wide, dim % x.ndim, include_self)


def index_put(x, values, index, accumulate):
    y = x.copy()
    if accumulate:
        np.add.at(y, index, values)
    else:
        y[index] = values
    return y


def put(x, index, source, accumulate):
    return index_put(x.reshape(-1), source.reshape(-1), index.reshape(-1), accumulate).reshape(x.shape)


def masked_scatter(x, mask, source):
    shape = np.broadcast_shapes(x.shape, mask.shape)
    y, mask = np.broadcast_to(x, shape).copy(), np.broadcast_to(mask, shape)
    y[mask] = source[: mask.sum()]
    return y


def select_scatter(x, source, dim, index):
    y = x.copy()
    slices_of(y, dim)[index] = source
    return y


def slice_scatter(x, source, dim, start, end, step):
    y = x.copy()
    slices_of(y, dim)[start:end:step] = slices_of(source, dim)
    return y


def diagonal_scatter(x, source, offset, dim1, dim2):
    y = x.copy()
    last = np.moveaxis(y, (dim1, dim2), (-2, -1))
    for i in range(source.shape[-1]):
        last[..., i + max(-offset, 0), i + max(offset, 0)] = source[..., i]
    return y


# ---------------------------------------------------------------- the table


def fitting(index):
    """The part of a source that is sent: PyTorch has a gradient only for a source that is no larger."""
    return tuple(map(slice, index.shape))


def scattering(name, reduction, signature=None, **declared):
    """The declaration of scatter_reduce with one reduction."""

    def op(x, source, index, *, dim, include_self=True):
        return mg.scatter_reduce(x, dim, index, source, name, include_self=include_self)

    def torch_op(torch, x, source, index, dim, include_self):
        return torch.scatter_reduce(x, dim, index, source[fitting(index)], name, include_self=include_self)

    return Card(
        f"scatter_reduce {name}", op, sent(include_self=BOOLS), reduced(reduction), torch_op,
        **{"inputs": (REAL, REAL, PLACE), "dtypes": NUMBERS, **declared},
    )  # fmt: skip


def extreme(name, reduction, card, kinks):
    """The same for amax and amin, with sources that lie between the numbers of x, so that there are no ties."""

    def op(x, source, index, *, dim, include_self=True, between=1 / 16):
        return mg.scatter_reduce(x, dim, index, source + between, name, include_self=include_self)

    def reference(x, source, index, dim, include_self=True):
        return reduced(reduction)(x, source + 1 / 16, index, dim, include_self)

    def torch_op(torch, x, source, index, dim, include_self=True, between=1 / 16):
        values = source[fitting(index)] + between
        return torch.scatter_reduce(x, dim, index, values, name, include_self=include_self)

    return Card(
        f"scatter_reduce {name}", op, sent(include_self=BOOLS), reference, torch_op,
        (DISTINCT, DISTINCT, PLACE), card, kinks=kinks,
    )  # fmt: skip


def kink(sign):
    """x and two sources tie for one element; another gets nothing."""
    x, source = [sign * 1.0, sign * 2.0], [sign * 2.0, sign * 2.0, sign * 1.0]
    slopes = [[1.0, 1 / 3], [1 / 3, 1 / 3, 0.0]]
    return Kink([x, source, [1, 1, 1]], x, slopes, {"dim": 0, "between": 0.0})


CARDS = [
    Card(
        "scatter", lambda x, source, index, *, dim: mg.scatter(x, dim, index, source), sent(), scatter,
        None, (REAL, REAL, PLACE), ops.scatter_, ANY,
        errors=[
            Refusal(
                lambda: matrix().scatter(1, mg.tensor([[4]]), 1.0), IndexError,
                "scatter(): index 4 out of range for dimension 1 of size 4",
            ),
            Refusal(
                lambda: matrix().scatter(0, mg.tensor([[0]]), mg.zeros(1)), ShapeError,
                "index of shape (1, 1) does not fit a source of shape (1,)",
            ),
            Refusal(
                lambda: matrix().scatter(0, mg.tensor([[0]]), mg.tensor([[1]])), DTypeError,
                "scatter(): source must be a Tensor of float32, as the input, got int64",
            ),
            Refusal(lambda: matrix().scatter(0, mg.tensor([[0]])), TypeError, "either src, a Tensor, or value"),
            Refusal(
                lambda: matrix().scatter(0, mg.tensor([[0]]), 1.0, reduce="mean"), ValueError,
                "reduce must be 'add' or 'multiply', got 'mean'",
            ),
        ],
    ),
    Card(
        "is_sent_last", ops.is_sent_last, chosen(), is_sent_last, None, (SENT,), dtypes=("int64",), result="bool",
    ),
    Card(
        "scatter of a number", lambda x, index, *, dim: mg.scatter(x, dim, index, value=2), gathered(),
        lambda x, index, dim: scatter(x, np.full(index.shape, 2), index, dim),
        lambda torch, x, index, dim: x.scatter(dim, index, 2), (REAL, PLACE), dtypes=NUMBERS,
    ),
    Card(
        "scatter multiplying", lambda x, y, i, *, dim: mg.scatter(x, dim, i, y, reduce="multiply"), sent(),
        reduced(np.prod), None, (REAL, REAL, PLACE), dtypes=NUMBERS,
    ),
    Card(
        "scatter adding a number", lambda x, i, *, dim: mg.scatter(x, dim, i, 2, reduce="add"), gathered(),
        lambda x, i, dim: reduced(np.sum)(x, np.full(i.shape, 2), i, dim),
        lambda torch, x, i, dim: x.scatter_add(dim, i, x.new_full(i.shape, 2)), (REAL, PLACE), dtypes=NUMBERS,
    ),
    Card(
        "scatter_add", lambda x, source, index, *, dim: mg.scatter_add(x, dim, index, source), sent(),
        reduced(np.sum), lambda torch, x, source, index, dim: x.scatter_add(dim, index, source[fitting(index)]),
        (REAL, REAL, PLACE), dtypes=NUMBERS,
        errors=[
            Refusal(
                lambda: matrix().scatter_add(0, mg.tensor([[-1]]), mg.ones(1, 1)), IndexError,
                "scatter_add(): index -1 out of range for dimension 0 of size 3",
            ),
            Refusal(
                lambda: matrix().scatter_add(0, mg.tensor([[0.0]]), mg.ones(1, 1)), DTypeError,
                "scatter_add(): index must hold integers, got float32; use .long()",
            ),
        ],
    ),
    scattering(
        "sum", np.sum,
        errors=[
            Refusal(
                lambda: mg.scatter_reduce(matrix(), 0, mg.tensor([[0]]), mg.ones(1, 1), "max"), ValueError,
                "scatter_reduce(): reduce must be one of sum, prod, mean, amax, amin, got 'max'",
            ),
        ],
    ),
    scattering("mean", mean),
    scattering("prod", np.prod),
    extreme("amax", np.max, ops.scatter_amax, [kink(1)]),
    extreme("amin", np.min, ops.scatter_amin, [kink(-1)]),
    Card(
        "index_add", lambda x, y, index, *, dim, alpha: mg.index_add(x, dim, index, y, alpha=alpha),
        numbered_slices(alpha=st.sampled_from((1, 3))), index_add,
        lambda torch, x, y, index, dim, alpha: x.index_add(dim, index, y, alpha=alpha), (REAL, REAL, PLACE),
        dtypes=NUMBERS,
        errors=[
            Refusal(
                lambda: matrix().index_add(0, numbers(3), mg.ones(1, 4)), IndexError,
                "index_add(): index 3 out of range for dimension 0 of size 3",
            ),
            Refusal(
                lambda: matrix().index_add(0, numbers(0, 1), mg.ones(1, 4)), ShapeError,
                "source has shape (1, 4), expected that of the slices of the input, (2, 4)",
            ),
            Refusal(lambda: matrix().index_add(0, numbers(0), numbers(1)), DTypeError, "got int64"),
        ],
    ),
    Card(
        "index_copy", lambda x, y, index, *, dim: mg.index_copy(x, dim, index, y), numbered_slices(),
        index_copy, None, (REAL, REAL, PLACE), dtypes=ANY,
        errors=[Refusal(lambda: matrix().index_copy(0, numbers(0), mg.ones(4)), ShapeError, "index_copy()")],
    ),
    Card(
        "index_fill", lambda x, index, *, dim, value: mg.index_fill(x, dim, index, value),
        numbered_slices(source=False, value=st.just(2)), index_fill,
        lambda torch, x, index, dim, value: x.index_fill(dim, index, value), (REAL, PLACE), dtypes=ANY,
        errors=[
            Refusal(
                lambda: matrix().index_fill(0, numbers(-4), 1), IndexError,
                "index_fill(): index -4 out of range for dimension 0 of size 3",
            ),
            Refusal(lambda: matrix().index_fill(0, numbers(0), mg.ones(1)), ShapeError, "a number or 0-d"),
        ],
    ),
    Card(
        "index_reduce",
        lambda x, y, i, *, dim, **statics: mg.index_reduce(x, dim, i, y, "prod", **statics),
        numbered_slices(include_self=BOOLS), index_reduce, None, (REAL, REAL, PLACE), dtypes=NUMBERS,
        errors=[
            Refusal(
                lambda: mg.index_reduce(matrix(), 0, numbers(0), mg.ones(1, 4), "max"), ValueError,
                "reduce must be one of",
            ),
        ],
    ),
    Card(
        "index_put",
        lambda x, v, *, index, accumulate: mg.index_put(x, tuple(map(mg.Tensor, index)), v, accumulate),
        put_in(), index_put, None, dtypes=NUMBERS,
        errors=[
            Refusal(
                lambda: matrix().index_put([numbers(0, 1)], mg.ones(3)), ShapeError,
                "index_put(): shapes (3,) and (2, 4) do not broadcast",
            ),
            Refusal(lambda: matrix().index_put([[0]], mg.ones(4)), TypeError, "must be Tensors, got list"),
            Refusal(
                lambda: matrix().index_put([numbers(0)], mg.ones(2, 1, 4)), ShapeError,
                "values of shape (2, 1, 4) do not broadcast to (1, 4)",
            ),
        ],
    ),
    Card(
        "put", lambda x, i, v, *, accumulate: mg.put(x, i, v, accumulate),
        numbered_elements(source=True, accumulate=BOOLS), put, None, (REAL, ELEMENT, REAL), dtypes=NUMBERS,
        errors=[
            Refusal(
                lambda: matrix().put(numbers(12), mg.ones(1)), IndexError,
                "put(): index 12 out of range for the flattened input of size 12",
            ),
            Refusal(
                lambda: matrix().put(numbers(1), mg.ones(2)), ShapeError,
                "source of shape (2,) must have as many elements as index (1,)",
            ),
        ],
    ),
    Card(
        "masked_scatter", mg.masked_scatter, masked(source=True), masked_scatter, "masked_scatter",
        (REAL, MASK, REAL), dtypes=ANY,
        errors=[
            Refusal(
                lambda: mg.masked_scatter(matrix(), matrix() == 0, mg.ones(5)), ShapeError,
                "masked_scatter(): the mask holds 12 times, got a source of (5,)",
            ),
            Refusal(lambda: mg.masked_scatter(matrix(), matrix(), matrix()), DTypeError, "must be a bool Tensor"),
        ],
    ),
    Card(
        "select_scatter", mg.select_scatter, one_selected(), select_scatter, "select_scatter", dtypes=ANY,
        errors=[
            Refusal(lambda: mg.select_scatter(matrix(), mg.ones(4), 0, 3), IndexError, "index 3 is out of range"),
            Refusal(
                lambda: mg.select_scatter(matrix(), mg.ones(3), 0, 1), ShapeError,
                "select_scatter(): source has shape (3,), expected that of what it replaces, (4,)",
            ),
        ],
    ),
    Card(
        "slice_scatter", mg.slice_scatter, one_sliced(), slice_scatter, "slice_scatter", dtypes=ANY,
        errors=[
            Refusal(lambda: mg.slice_scatter(matrix(), matrix(), step=0), ValueError, "step must be positive"),
            Refusal(lambda: mg.slice_scatter(matrix(), matrix(), end=1), ShapeError, "what it replaces, (1, 4)"),
        ],
    ),
    Card(
        "diagonal_scatter", mg.diagonal_scatter, diagonals_replaced(), diagonal_scatter, "diagonal_scatter",
        dtypes=ANY,
        errors=[
            Refusal(lambda: mg.diagonal_scatter(matrix(), mg.ones(4)), ShapeError, "what it replaces, (3,)"),
            Refusal(lambda: mg.diagonal_scatter(matrix(), mg.ones(3), 0, 1, -1), ValueError, "must differ"),
        ],
    ),
]  # fmt: skip
