"""The functions that show a part of a tensor, or cut it in parts: minigrad/functions/splitting.py."""

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from minigrad import ops
from minigrad.errors import DTypeError, ShapeError
from minigrad.testing.card import NUMBERS, Refusal
from minigrad.testing.signatures import (
    cut,
    cut_evenly,
    narrowed,
    one_dim,
    pieces,
    selected,
    sized,
    widened,
    windowed,
    windows_taken,
)

from .shape import matrix, shaped


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


def windows(x, dimension, size, step):
    shown = np.moveaxis(x, dimension, 0)
    rows = [shown[i : i + size] for i in range(0, len(shown) - size + 1, step)]
    return np.moveaxis(np.stack(rows), (0, 1), (dimension % x.ndim, -1))


def sum_windows(x, dim, length, step):
    pieces = np.moveaxis(x, (dim - 1, -1), (0, 1))
    y = np.zeros((length, *pieces.shape[2:]), x.dtype)
    for i, piece in enumerate(pieces):
        y[i * step : i * step + len(piece)] += piece
    return np.moveaxis(y, 0, dim)


def laid_back(torch, x, dim, length, step):
    """`sum_windows` by the gradient of PyTorch's unfold."""
    shape = list(x.shape[:-1])
    shape[dim] = length
    return torch.ops.aten.unfold_backward(x, shape, dim % len(shape), x.shape[-1], step)


def evenly(name, least, dim):
    """hsplit, vsplit or dsplit."""
    few = (2,) * (least - 1)
    return shaped(
        name, lambda x, *, cuts: getattr(mg, name)(x, cuts), cut_evenly(least, dim),
        lambda x, cuts: getattr(np, name)(x, indices_or_sections=cuts),
        lambda torch, x, cuts: getattr(torch, name)(x, cuts),
        card=ops.narrow,
        errors=[
            Refusal(lambda: getattr(mg, name)(mg.ones(5, 5, 5), 2), ShapeError, f"{name}(): 2 pieces of dimension"),
            Refusal(lambda: getattr(mg, name)(mg.ones(few), 1), ShapeError, f"{name}(): got shape {few}, expected"),
        ],
    )  # fmt: skip


CARDS = [
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
        "select", mg.select, selected(), lambda x, dim, index: np.take(x, index, dim), card=ops.select,
        errors=[
            Refusal(lambda: mg.select(matrix(), 1, 4), IndexError, "index 4 out of range for dimension 1 of size 4"),
            Refusal(lambda: mg.select(matrix(), 0, -4), IndexError, "select(): index -4 out of range"),
            Refusal(lambda: mg.select(mg.tensor(1.0), 0, 0), ShapeError, "select(): a 0-d tensor"),
        ],
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
    shaped(
        "split_with_sizes", mg.split_with_sizes, sized(),
        lambda x, split_sizes, dim: np.split(x, split_sizes[:1], dim), card=ops.narrow,
        errors=[Refusal(lambda: matrix().split_with_sizes([1, 1]), ShapeError, "sum to 2, expected 3")],
    ),
    shaped(
        "tensor_split", lambda x, *, cuts, dim: mg.tensor_split(x, cuts, dim), cut(),
        lambda x, cuts, dim: np.array_split(x, cuts, axis=dim),
        lambda torch, x, cuts, dim: torch.tensor_split(x, cuts, dim), card=ops.narrow,
        errors=[
            Refusal(lambda: mg.tensor_split(matrix(), 0), ValueError, "number of pieces must be positive, got 0"),
            Refusal(lambda: mg.tensor_split(matrix()), TypeError, "expected a number of pieces, or places"),
            Refusal(lambda: mg.tensor_split(matrix(), mg.ones(1)), DTypeError, "places must be integers, got float32"),
            Refusal(
                lambda: mg.tensor_split(matrix(), mg.tensor([[1]])), ShapeError, "places of shape (1, 1), expected"
            ),
            Refusal(lambda: mg.tensor_split(mg.tensor(1.0), 1), ShapeError, "tensor_split(): a 0-d tensor"),
        ],
    ),
    evenly("hsplit", 1, 1),
    evenly("vsplit", 2, 0),
    evenly("dsplit", 3, 2),
    shaped(
        "unfold along a dimension", lambda x, **statics: x.unfold(**statics), windowed(), windows,
        lambda torch, x, dimension, size, step: x.unfold(dimension, size, step), card=ops.windows,
        errors=[
            Refusal(lambda: matrix().unfold(1, 5, 1), ShapeError, "expected a size from 0 to 4"),
            Refusal(lambda: matrix().unfold(1, -1, 1), ShapeError, "expected a size from 0 to 4"),
            Refusal(lambda: matrix().unfold(1, 2, 0), ShapeError, "step 0, expected"),
            Refusal(lambda: matrix().unfold(2, 1, 1), IndexError, "unfold(): dim 2 out of range"),
            Refusal(lambda: matrix().unfold(1, 2, 1).add_(1), RuntimeError, "memory of shape (3, 3, 2) is read-only"),
        ],
    ),
    shaped(
        "sum_windows", ops.sum_windows, windows_taken(), sum_windows, laid_back, dtypes=NUMBERS, view=False,
    ),
]  # fmt: skip
