"""The functions that show the same elements in another shape or order: minigrad/functions/shape.py."""

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from minigrad import ops
from minigrad.errors import ShapeError
from minigrad.testing.card import ANY, FLOATS, Card, Refusal
from minigrad.testing.signatures import (
    broadcasting,
    expanded,
    moved,
    one_dim,
    permuted,
    reshaped,
    several,
    squeezed,
    summed_to,
    two_dims,
    unary,
    unflattened,
)
from minigrad.testing.strategies import shapes


def shaped(name, op, signature, reference, torch=None, view=True, dtypes=ANY, **options):
    """The card of an operation that works on elements of every type, and mostly gives a view."""
    return Card(name, op, signature, reference, torch or name, dtypes=dtypes, view=view, **options)


def matrix():
    return mg.zeros(3, 4)


def squeeze(x, dim):
    names = range(x.ndim) if dim is None else {d % max(x.ndim, 1) for d in np.atleast_1d(dim)}
    return x.reshape([n for i, n in enumerate(x.shape) if i not in names or n != 1])


def flatten(x, start_dim, end_dim):
    if x.ndim == 0:
        return x.reshape(1)
    start, end = start_dim % x.ndim, end_dim % x.ndim
    return x.reshape(*x.shape[:start], int(np.prod(x.shape[start : end + 1])), *x.shape[end + 1 :])


def unsqueeze(x, dim):
    place = dim % (x.ndim + 1)
    return x.reshape(*x.shape[:place], 1, *x.shape[place:])


def sum_to_size(x, size):
    padded = (1,) * (x.ndim - len(size)) + tuple(size)
    stretched = tuple(i for i, n in enumerate(padded) if n == 1)
    return x.sum(axis=stretched, keepdims=True).reshape(size)


def unflatten(x, dim, sizes):
    place = dim % x.ndim
    if -1 in sizes:
        left = x.shape[place] // -int(np.prod(sizes))
        sizes = [left if n == -1 else n for n in sizes]
    return x.reshape(*x.shape[:place], *sizes, *x.shape[place + 1 :])


def transposed(name, first, second):
    """`transpose` under one of its names."""
    return shaped(
        name, lambda x, *, dim0, dim1: getattr(mg, name)(x, **{first: dim0, second: dim1}), two_dims(),
        lambda x, dim0, dim1: np.swapaxes(x, dim0, dim1) if x.ndim else x,
        lambda torch, x, dim0, dim1: getattr(torch, name)(x, dim0, dim1), card=ops.permute,
        errors=[
            Refusal(lambda: getattr(matrix(), name)(0, 2), IndexError, "transpose(): dim 2 out of range"),
            Refusal(lambda: getattr(matrix(), name)(0, 1.0), TypeError, "transpose(): dim must be an int"),
        ],
    )  # fmt: skip


def moving(name):
    """`movedim` under one of its names."""
    return shaped(
        name, getattr(mg, name), moved(),
        lambda x, source, destination: np.moveaxis(x, source, destination=destination),
        card=ops.permute,
        errors=[
            Refusal(lambda: getattr(matrix(), name)((0, 1), 0), ShapeError, "movedim(): got source (0, 1)"),
            Refusal(lambda: getattr(matrix(), name)(0, 2), IndexError, "movedim(): dim 2 out of range"),
            Refusal(lambda: getattr(matrix(), name)((0, 0), (0, 1)), ValueError, "dim 0 appears twice"),
        ],
    )  # fmt: skip


def at_least(count):
    """atleast_1d, atleast_2d or atleast_3d, of several tensors."""
    name = f"atleast_{count}d"
    return shaped(
        name, getattr(mg, name), several(shapes()),
        lambda *xs: [getattr(np, name)(x) for x in xs], lambda torch, *xs: getattr(torch, name)(list(xs)),
        errors=[Refusal(lambda: getattr(mg, name)([1.0]), TypeError, f"{name}(): expected tensors, got float")],
    )  # fmt: skip


RESHAPING = [
    shaped(
        "reshape", lambda x, *, shape: mg.reshape(x, shape), reshaped(), lambda x, shape: x.reshape(shape),
        card=ops.reshape,
        errors=[
            Refusal(lambda: matrix().reshape(12, shape=(12,)), TypeError, "got (12,) and, by name, (12,)"),
            Refusal(lambda: matrix().reshape(7, -1), ShapeError, "(7, -1) is impossible for 12 elements"),
            Refusal(lambda: matrix().reshape(5, 2), ShapeError, "(5, 2) is impossible for 12 elements"),
            Refusal(lambda: matrix().reshape(-1, -1), ShapeError, "expected only one -1"),
            Refusal(lambda: matrix().reshape(-2, -6), ShapeError, "shape (-2, -6) is impossible"),
            Refusal(lambda: mg.zeros(0, 2).reshape(0, -1), ShapeError, "shape (0, -1) is impossible"),
            Refusal(lambda: matrix().reshape(2.0, 6), TypeError, "sizes must be ints, got float 2.0"),
        ],
    ),
    shaped(
        "view", lambda x, *, shape: x.view(*shape), reshaped(), lambda x, shape: x.reshape(shape),
        lambda torch, x, shape: x.view(shape), card=ops.reshape,
        errors=[
            Refusal(lambda: matrix().T.view(12), ShapeError, "cannot view the strides of shape (4, 3)"),
            Refusal(lambda: matrix().view(mg.int64), TypeError, "a change of dtype is .to(dtype)"),
        ],
    ),
    shaped(
        "reshape_as", lambda x, *, shape: x.reshape_as(mg.zeros(shape)), reshaped(known=True),
        lambda x, shape: x.reshape(shape), lambda torch, x, shape: x.reshape_as(torch.zeros(shape)),
        card=ops.reshape,
    ),
    shaped(
        "view_as", lambda x, *, shape: x.view_as(mg.zeros(shape)), reshaped(known=True),
        lambda x, shape: x.reshape(shape), lambda torch, x, shape: x.view_as(torch.zeros(shape)),
        card=ops.reshape,
        errors=[Refusal(lambda: matrix().T.view_as(mg.zeros(12)), ShapeError, "view(): shape (12,) cannot view")],
    ),
    shaped("ravel", mg.ravel, unary(), np.ravel, card=ops.reshape),
    shaped(
        "flatten", mg.flatten, two_dims(ordered=True), flatten, card=ops.reshape,
        errors=[
            Refusal(lambda: mg.flatten(matrix(), 1, 0), ValueError, "start_dim 1 comes after end_dim 0"),
            Refusal(lambda: mg.flatten(matrix(), 2), IndexError, "dim 2 out of range"),
        ],
    ),
    shaped(
        "unflatten", mg.unflatten, unflattened(), unflatten, card=ops.reshape,
        errors=[
            Refusal(lambda: matrix().unflatten(1, (3, -1)), ShapeError, "expected their product to be 4"),
            Refusal(lambda: matrix().unflatten(1, (-1, -4)), ShapeError, "expected their product to be 4"),
            Refusal(lambda: matrix().unflatten(1, ()), ShapeError, "sizes (), expected their product to be 4"),
            Refusal(lambda: matrix().unflatten(2, (1,)), IndexError, "unflatten(): dim 2 out of range"),
        ],
    ),
    shaped(
        "squeeze", mg.squeeze, squeezed(), squeeze,
        lambda torch, x, dim: torch.squeeze(x) if dim is None else torch.squeeze(x, dim), card=ops.reshape,
        errors=[Refusal(lambda: matrix().squeeze(2), IndexError, "squeeze(): dim 2 out of range")],
    ),
    shaped(
        "unsqueeze", mg.unsqueeze, one_dim(extra=1), unsqueeze, card=ops.reshape,
        errors=[Refusal(lambda: matrix().unsqueeze(3), IndexError, "unsqueeze(): dim 3 out of range")],
    ),
]  # fmt: skip

ORDER = [
    shaped(
        "permute", lambda x, *, dims: mg.permute(x, dims), permuted(),
        lambda x, dims: np.transpose(x, axes=dims), card=ops.permute,
        errors=[
            Refusal(lambda: matrix().permute(0), ShapeError, "expected each of the 2 dimensions once"),
            Refusal(lambda: matrix().permute(0, 0), ValueError, "dim 0 appears twice"),
        ],
    ),
    transposed("transpose", "dim0", "dim1"),
    transposed("swapaxes", "axis0", "axis1"),
    transposed("swapdims", "dim0", "dim1"),
    moving("movedim"),
    moving("moveaxis"),
    shaped(
        "t", mg.t, st.tuples(st.tuples(shapes(max_dims=2)), st.just({})), np.transpose, card=ops.mT,
        errors=[Refusal(lambda: mg.zeros(1, 2, 3).T, ShapeError, "at most 2 dimensions, got shape (1, 2, 3)")],
    ),
    shaped(
        "mT", ops.mT, st.tuples(st.tuples(shapes(min_dims=2)), st.just({})), lambda x: np.swapaxes(x, -1, -2),
        lambda torch, x: x.mT,
    ),
]  # fmt: skip

COPYING = [
    shaped(
        "expand", lambda x, *, size: x.expand(size), expanded(), lambda x, size: np.broadcast_to(x, shape=size),
        lambda torch, x, size: x.expand(size), card=ops.broadcast_to,
        errors=[
            Refusal(lambda: matrix().expand(2, 4), ShapeError, "(3, 4) does not expand to (2, 4)"),
            Refusal(lambda: matrix().expand(4), ShapeError, "(3, 4) does not expand to (4,)"),
            Refusal(lambda: matrix().expand(-1, 3, 4), ShapeError, "(3, 4) does not expand to (-1, 3, 4)"),
        ],
    ),
    shaped(
        "expand_as", lambda x, *, size: x.expand_as(mg.zeros(size)), expanded(),
        lambda x, size: np.broadcast_to(x, shape=size), lambda torch, x, size: x.expand_as(torch.zeros(size)),
        card=ops.broadcast_to,
    ),
    shaped(
        "broadcast_to", mg.broadcast_to, expanded(), lambda x, size: np.broadcast_to(x, shape=size),
        card=ops.broadcast_to,
        errors=[
            Refusal(lambda: mg.broadcast_to(matrix(), (2, 4)), ShapeError, "broadcast_to(): shape (3, 4) does not"),
        ],
    ),
    shaped(
        "broadcast_tensors", mg.broadcast_tensors, broadcasting(),
        np.broadcast_arrays, lambda torch, *xs: torch.broadcast_tensors(*xs),
        errors=[
            Refusal(
                lambda: mg.broadcast_tensors(matrix(), mg.zeros(3)), ShapeError,
                "broadcast_tensors(): shapes (3, 4) and (3,) do not broadcast at dimension 1",
            ),
            Refusal(lambda: mg.broadcast_tensors(matrix(), 1.0), TypeError, "got float at position 1"),
        ],
    ),
    shaped(
        "sum_to_size", lambda x, *, size: x.sum_to_size(size), summed_to(), sum_to_size,
        lambda torch, x, size: x.sum_to_size(size), card=ops.sum_to, dtypes=(*FLOATS, "int64"),
    ),
]  # fmt: skip

ATLEAST = [at_least(1), at_least(2), at_least(3)]

CARDS = [*RESHAPING, *ORDER, *COPYING, *ATLEAST]
