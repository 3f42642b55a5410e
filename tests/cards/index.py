"""The cards of minigrad/ops/index.py: operations that pick elements by number, or put them back."""

import numpy as np

import minigrad as mg
from cards.card import ANY, NUMBERS, Card, Kink, Refusal
from minigrad import ops
from minigrad.errors import DTypeError, ShapeError
from minigrad.functions import index as functions
from signatures import gathered, indexed, looked_up, put_back, replaced
from strategies import REAL, index_below

ROW = index_below(lambda shapes, statics: statics.get("rows", shapes[0][0]))
PLACE = index_below(lambda shapes, statics: shapes[0][statics["dim"]])
SCATTERED = index_below(lambda shapes, statics: statics["shape"][statics["dim"]])


def vector():
    return mg.tensor([1.0, 2.0, 3.0])


def matrix():
    return mg.zeros(3, 4)


def gathered_by(index):
    return mg.gather(matrix(), 0, mg.tensor(index))


def put(x, shape, index):
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


def scatter(x, index, shape, dim):
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
        "getitem", mg.Tensor.__getitem__, indexed(), lambda x, index: x[index], None,
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
    Card("put", ops.put, put_back(), put, None, dtypes=NUMBERS),
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
        "scatter", ops.scatter, gathered(scattered=True), scatter,
        lambda torch, x, index, shape, dim: x.new_zeros(shape).scatter_add(dim, index, x), (REAL, SCATTERED),
        dtypes=NUMBERS,
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
