"""The cards of minigrad/ops/index.py: operations that pick elements by number, or put them back."""

import numpy as np

import minigrad as mg
from minigrad import ops
from minigrad.errors import DTypeError, ShapeError
from minigrad.functions import index as functions
from minigrad.testing.card import ANY, NUMBERS, Card, Kink, Refusal
from minigrad.testing.signatures import (
    gathered,
    indexed,
    looked_up,
    masked,
    numbered_along,
    numbered_elements,
    numbered_slices,
    put_back,
    replaced,
)
from minigrad.testing.strategies import MASK, REAL, index_below, picked

ROW = index_below(lambda shapes, statics: statics.get("rows", shapes[0][0]))
PLACE = index_below(lambda shapes, statics: shapes[0][statics["dim"]])
ELEMENT = index_below(lambda shapes, statics: int(np.prod(shapes[0])))
SCATTERED = index_below(lambda shapes, statics: statics["shape"][statics["dim"]])


def vector():
    return mg.tensor([1.0, 2.0, 3.0])


def matrix():
    return mg.zeros(3, 4)


def gathered_by(index):
    return mg.gather(matrix(), 0, mg.tensor(index))


def put_sum(x, shape, index):
    """Each element counted where the index finds its number."""
    numbers = np.arange(int(np.prod(shape))).reshape(shape)[index]
    y = np.zeros(int(np.prod(shape)), x.dtype)
    for number, value in zip(np.ravel(numbers), np.ravel(x), strict=True):
        y[number] += value
    return y.reshape(shape)


def setitem(x, v, index):
    y = x.copy()
    y[index] = v
    return y


def gather(x, index, dim):
    y = np.empty(index.shape, x.dtype)
    for place in np.ndindex(*index.shape):
        source = list(place)
        source[dim] = index[place]
        y[place] = x[tuple(source)]
    return y


def take_along_dim(x, indices, dim):
    place = dim % x.ndim
    shape = list(np.broadcast_shapes(*[tuple(np.delete(a.shape, place)) for a in (x, indices)]))
    wide = [np.broadcast_to(a, (*shape[:place], a.shape[place], *shape[place:])) for a in (x, indices)]
    return np.take_along_axis(*wide, place)


def masked_select(x, mask):
    shape = np.broadcast_shapes(x.shape, mask.shape)
    return np.broadcast_to(x, shape)[np.broadcast_to(mask, shape)]


def scatter_sum(x, index, shape, dim):
    y = np.zeros(shape, x.dtype)
    for place in np.ndindex(*index.shape):
        target = list(place)
        target[dim] = index[place]
        y[tuple(target)] += x[place]
    return y


def embedding_gradient(g_rows, indices, rows, padding_idx):
    dW = np.zeros((rows, g_rows.shape[-1]), g_rows.dtype)
    for place in np.ndindex(*indices.shape):
        if indices[place] != padding_idx:
            dW[indices[place]] += g_rows[place]
    return dW


CARDS = [
    Card(
        "getitem", mg.Tensor.__getitem__, indexed(), picked, None,
        card=ops.getitem, dtypes=ANY, view=True,
        errors=[
            Refusal(lambda: vector()[3], IndexError, "index 3 is out of range for dimension 0 of size 3"),
            Refusal(lambda: vector()[-4], IndexError, "index -4 is out of range"),
            Refusal(lambda: matrix()[..., [0, 4]], IndexError, "index 4 is out of range for dimension 1"),
            Refusal(lambda: matrix()[None, :, -5], IndexError, "index -5 is out of range for dimension 1"),
            Refusal(lambda: vector()[1.0], TypeError, "indices must be int, slice, None, ..., or int or bool"),
            Refusal(lambda: vector()[vector()], TypeError, "indices must be int or bool, got float32"),
            Refusal(lambda: vector()["a"], TypeError, "got str"),
            Refusal(lambda: vector()[0, 0], IndexError, "too many indices: got 2 for a tensor of shape (3,)"),
            Refusal(lambda: matrix()[..., 0, ...], IndexError, "only one Ellipsis"),
            Refusal(
                lambda: vector()[np.array([True, False])], IndexError,
                "bool index of shape (2,) does not match (3,)",
            ),
            Refusal(lambda: matrix()[[0, 1], [0, 1, 2]], IndexError, "could not be broadcast together"),
            Refusal(lambda: vector()[::0], ValueError, "slice step cannot be zero"),
        ],
    ),
    Card("put_sum", ops.put_sum, put_back(), put_sum, None, dtypes=NUMBERS),
    Card("setitem", ops.setitem, replaced(), setitem, None, dtypes=NUMBERS),
    Card(
        "gather", lambda x, index, *, dim: mg.gather(x, dim, index), gathered(), gather,
        lambda torch, x, index, dim: torch.gather(x, dim, index), (REAL, PLACE), ops.gather, ANY,
        errors=[
            Refusal(lambda: gathered_by([[3]]), IndexError, "index 3 out of range for dimension 0 of size 3"),
            Refusal(lambda: gathered_by([[-1, 2]]), IndexError, "index -1 out of range"),
            Refusal(lambda: gathered_by([[0.0]]), DTypeError, "index must hold integers, got float32"),
            Refusal(lambda: gathered_by([0]), ShapeError, "index of shape (1,) does not fit"),
            Refusal(lambda: gathered_by([[0] * 5]), ShapeError, "index of shape (1, 5) does not fit"),
        ],
    ),
    Card(
        "scatter_sum", ops.scatter_sum, gathered(scattered=True), scatter_sum,
        lambda torch, x, index, shape, dim: x.new_zeros(shape).scatter_add(dim, index, x), (REAL, SCATTERED),
        dtypes=NUMBERS,
    ),
    Card(
        "index_select", lambda x, index, *, dim: mg.index_select(x, dim, index), numbered_slices(source=False),
        lambda x, index, dim: x.take(index, dim), lambda torch, x, index, dim: x.index_select(dim, index),
        (REAL, PLACE), dtypes=ANY,
        errors=[
            Refusal(
                lambda: matrix().index_select(1, mg.tensor([0, 4])), IndexError,
                "index_select(): index 4 out of range for dimension 1 of size 4",
            ),
            Refusal(lambda: matrix().index_select(0, mg.tensor([-1])), IndexError, "index -1 out of range"),
            Refusal(lambda: matrix().index_select(0, mg.tensor([[1]])), ShapeError, "index must be a vector"),
            Refusal(lambda: matrix().index_select(0, [0]), TypeError, "must be a Tensor of integers, got list"),
        ],
    ),
    Card(
        "take", mg.take, numbered_elements(), lambda x, index: x.reshape(-1)[index], "take", (REAL, ELEMENT),
        dtypes=ANY,
        errors=[
            Refusal(
                lambda: mg.take(matrix(), mg.tensor(12)), IndexError,
                "take(): index 12 out of range for the flattened input of size 12",
            ),
            Refusal(lambda: mg.take(matrix(), mg.tensor([-13])), IndexError, "index -13 out of range"),
            Refusal(lambda: mg.take(matrix(), mg.tensor([True])), DTypeError, "must hold integers, got bool"),
        ],
    ),
    Card(
        "take_along_dim", mg.take_along_dim, numbered_along(), take_along_dim, "take_along_dim",
        (REAL, PLACE), dtypes=ANY,
        errors=[
            Refusal(
                lambda: mg.take_along_dim(matrix(), mg.tensor([0]), 0), ShapeError,
                "indices of shape (1,) must have as many dimensions as the input of shape (3, 4)",
            ),
            Refusal(
                lambda: mg.take_along_dim(matrix(), mg.tensor([[3]]), 0), IndexError,
                "take_along_dim(): index 3 out of range for dimension 0 of size 3",
            ),
            Refusal(
                lambda: mg.take_along_dim(matrix(), mg.tensor([[0], [0]]), 1), ShapeError,
                "take_along_dim(): shapes (3, 1) and (2, 1) do not broadcast at dimension 0 (3 vs 2)",
            ),
        ],
    ),
    Card(
        "masked_select", mg.masked_select, masked(), masked_select, "masked_select", (REAL, MASK), dtypes=ANY,
        errors=[
            Refusal(
                lambda: mg.masked_select(vector(), vector()), DTypeError,
                "masked_select(): mask must be a bool Tensor, got float32; use .bool()",
            ),
            Refusal(
                lambda: mg.masked_select(matrix(), vector() > 1), ShapeError,
                "masked_select(): shapes (3, 4) and (3,) do not broadcast at dimension 1 (4 vs 3)",
            ),
        ],
    ),
    Card(
        "embedding", functions.embedding, looked_up(), lambda weight, indices: weight[indices],
        lambda torch, weight, indices, **statics: torch.nn.functional.embedding(indices, weight, **statics),
        (REAL, ROW), ops.embedding,
        kinks=[Kink([[[5.0], [6.0]], [0, 1]], [[5.0], [6.0]], [[[1.0], [0.0]]], {"padding_idx": 1})],
    ),
    Card(
        "embedding_gradient", ops.embedding_gradient, looked_up(backward=True), embedding_gradient, None,
        (REAL, ROW),
    ),
]  # fmt: skip
