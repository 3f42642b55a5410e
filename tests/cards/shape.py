"""The cards of minigrad/ops/shape.py: operations that move elements and change none."""

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from cards.card import ANY, FLOATS, Card, Refusal
from minigrad import ops
from minigrad.errors import ShapeError
from signatures import (
    expanded,
    flipped,
    joined,
    matrices,
    narrowed,
    one_dim,
    permuted,
    pieces,
    reshaped,
    selected,
    squeezed,
    summed_to,
    two_dims,
    widened,
)
from strategies import shapes


def shaped(name, op, signature, reference, torch=None, view=True, dtypes=ANY, **options):
    """The card of an operation that works on elements of every type, and mostly gives a view."""
    return Card(name, op, signature, reference, torch or name, dtypes=dtypes, view=view, **options)


def matrix():
    return mg.zeros(3, 4)


def squeeze(x, dim):
    names = range(x.ndim) if dim is None else {d % max(x.ndim, 1) for d in np.atleast_1d(dim)}
    names = names if dim != () else range(x.ndim)
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


def split(x, sections, dim):
    total = x.shape[dim]
    if isinstance(sections, int):
        sections = [sections] * max(-(-total // sections), 1)
    ends = np.cumsum(sections)
    starts = [0, *ends[:-1]]
    return [np.take(x, range(start, min(end, total)), dim) for start, end in zip(starts, ends, strict=True)]


def chunk(x, chunks, dim):
    size = -(-x.shape[dim] // chunks)
    return split(x, size, dim) if size else [x] * chunks


def narrow(x, dim, start, length):
    return np.take(x, range(start, start + length), dim)


def widen(x, size, dim, start):
    widths = [(0, 0)] * x.ndim
    widths[dim] = (start, size - start - x.shape[dim])
    return np.pad(x, widths)


def padded(torch, x, size, dim, start):
    """`widen` by the padding of PyTorch, whose widths begin at the last dimension."""
    widths = [0] * (2 * x.ndim)
    last = 2 * (x.ndim - 1 - dim % x.ndim)
    widths[last : last + 2] = start, size - start - x.shape[dim]
    return torch.nn.functional.pad(x, widths)


RESHAPING = [
    shaped(
        "reshape", lambda x, *, shape: mg.reshape(x, shape), reshaped(), lambda x, shape: x.reshape(shape),
        card=ops.reshape,
        errors=[
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
        "flatten", mg.flatten, two_dims(ordered=True), flatten, card=ops.reshape,
        errors=[
            Refusal(lambda: mg.flatten(matrix(), 1, 0), ValueError, "start_dim 1 comes after end_dim 0"),
            Refusal(lambda: mg.flatten(matrix(), 2), IndexError, "dim 2 out of range"),
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
    shaped(
        "transpose", mg.transpose, two_dims(),
        lambda x, dim0, dim1: np.swapaxes(x, dim0, dim1) if x.ndim else x, card=ops.permute,
        errors=[Refusal(lambda: matrix().transpose(0, 2), IndexError, "transpose(): dim 2 out of range")],
    ),
    shaped(
        "t", mg.t, st.tuples(st.tuples(shapes(max_dims=2)), st.just({})), np.transpose, card=ops.mT,
        errors=[Refusal(lambda: mg.zeros(1, 2, 3).T, ShapeError, "at most 2 dimensions, got shape (1, 2, 3)")],
    ),
    shaped(
        "mT", ops.mT, st.tuples(st.tuples(shapes(min_dims=2)), st.just({})), lambda x: np.swapaxes(x, -1, -2),
        lambda torch, x: x.mT,
    ),
    shaped(
        "flip", lambda x, *, dims: mg.flip(x, dims), flipped(), lambda x, dims: np.flip(x, axis=dims),
        card=ops.flip, view=False,
        errors=[Refusal(lambda: mg.flip(matrix(), 2), IndexError, "flip(): dim 2 out of range")],
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
        "sum_to_size", lambda x, *, size: x.sum_to_size(size), summed_to(), sum_to_size,
        lambda torch, x, size: x.sum_to_size(size), card=ops.sum_to, dtypes=(*FLOATS, "int64"),
    ),
    shaped(
        "cat", lambda *xs, dim: mg.cat(xs, dim), joined(), lambda *xs, dim: np.concatenate(xs, dim),
        lambda torch, *xs, dim: torch.cat(xs, dim), card=ops.cat, view=False,
        errors=[
            Refusal(lambda: mg.cat([]), ValueError, "cat(): expected at least one tensor"),
            Refusal(lambda: mg.cat([matrix(), 1]), TypeError, "got int at position 1"),
            Refusal(lambda: mg.cat([matrix(), mg.zeros(3, 5)]), ShapeError, "tensor 1 has shape (3, 5)"),
            Refusal(lambda: mg.cat([mg.tensor(1.0)]), ShapeError, "use stack()"),
            Refusal(lambda: mg.cat([matrix()], 2), IndexError, "cat(): dim 2 out of range"),
        ],
    ),
    shaped(
        "stack", lambda *xs, dim: mg.stack(xs, dim), joined(stacked=True), lambda *xs, dim: np.stack(xs, dim),
        lambda torch, *xs, dim: torch.stack(xs, dim), card=ops.stack, view=False,
        errors=[
            Refusal(lambda: mg.stack([]), ValueError, "stack(): expected at least one tensor"),
            Refusal(lambda: mg.stack([matrix(), mg.zeros(4)]), ShapeError, "tensor 1 has shape (4,)"),
            Refusal(lambda: mg.stack([matrix()], 3), IndexError, "stack(): dim 3 out of range"),
        ],
    ),
    shaped("tril", mg.tril, matrices(), lambda x, diagonal: np.tril(x, k=diagonal), card=ops.tril, view=False),
    shaped("triu", mg.triu, matrices(), lambda x, diagonal: np.triu(x, k=diagonal), card=ops.triu, view=False),
]  # fmt: skip

CUTTING = [
    shaped(
        "narrow", mg.narrow, narrowed(), narrow, card=ops.narrow,
        errors=[
            Refusal(lambda: mg.narrow(matrix(), 0, 2, 2), IndexError, "start 2, length 2 out of range"),
            Refusal(lambda: mg.narrow(matrix(), 0, -4, 1), IndexError, "start -4, length 1 out of range"),
            Refusal(lambda: mg.narrow(mg.tensor(1.0), 0, 0, 1), ShapeError, "narrow(): a 0-d tensor"),
        ],
    ),
    shaped("widen", ops.widen, widened(), widen, padded, view=False),
    shaped(
        "select", ops.select, selected(), lambda x, dim, index: np.take(x, index, dim),
        lambda torch, x, dim, index: x.select(dim, index),
    ),
    shaped(
        "split", lambda x, *, sections, dim: mg.split(x, sections, dim), pieces(), split,
        lambda torch, x, sections, dim: torch.split(x, sections, dim), card=ops.narrow,
        errors=[
            Refusal(lambda: mg.split(matrix(), 0), ValueError, "split size must be positive, got 0"),
            Refusal(lambda: mg.split(matrix(), [1, 1]), ShapeError, "sizes (1, 1) sum to 2, expected 3"),
            Refusal(lambda: mg.split(matrix(), [4, -1]), ValueError, "must not be negative, got (4, -1)"),
            Refusal(lambda: mg.split(mg.tensor(1.0), 1), ShapeError, "split(): a 0-d tensor"),
        ],
    ),
    shaped(
        "chunk", mg.chunk, one_dim(1, chunks=st.integers(1, 4)), chunk, card=ops.narrow,
        errors=[
            Refusal(lambda: mg.chunk(matrix(), 0), ValueError, "chunks must be positive, got 0"),
            Refusal(lambda: mg.chunk(mg.tensor(1.0), 1), ShapeError, "chunk(): a 0-d tensor"),
        ],
    ),
    shaped(
        "unbind", mg.unbind, one_dim(1), lambda x, dim: list(np.moveaxis(x, dim, 0)), card=ops.select,
        errors=[Refusal(lambda: mg.unbind(mg.tensor(1.0)), ShapeError, "unbind(): a 0-d tensor")],
    ),
]  # fmt: skip


CARDS = [*RESHAPING, *ORDER, *COPYING, *CUTTING]
