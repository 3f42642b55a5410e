"""The functions that repeat, reverse, turn, cut out and pad: minigrad/functions/rearranging.py, padding.py."""

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from minigrad import ops
from minigrad.errors import DTypeError, ShapeError
from minigrad.nn import functional as F
from minigrad.testing.card import NUMBERS, Refusal
from minigrad.testing.signatures import (
    bordered,
    continued,
    flipped,
    interleaved,
    matrices,
    planes,
    repeated_along,
    rolled,
    tiled,
)
from minigrad.testing.strategies import shapes

from .shape import matrix, shaped


def diag_embed(x, offset, dim1, dim2):
    size = x.shape[-1] + abs(offset)
    y = np.zeros((*x.shape[:-1], size, size), x.dtype)
    along = np.arange(x.shape[-1])
    y[..., along - min(offset, 0), along + max(offset, 0)] = x
    return np.moveaxis(y, (-2, -1), (dim1, dim2))


def pad(x, pad, mode="constant", value=None):
    for i in range(len(pad) // 2):
        for end, width in enumerate(pad[2 * i : 2 * i + 2]):
            if width < 0:
                x = np.take(
                    x, range(-width, x.shape[-1 - i]) if end == 0 else range(x.shape[-1 - i] + width), -1 - i
                )
    pairs = [(max(pad[2 * i], 0), max(pad[2 * i + 1], 0)) for i in range(len(pad) // 2)]
    if x.ndim == 0:
        return x
    widths = [(0, 0)] * (x.ndim - len(pairs)) + pairs[::-1]
    if mode == "constant":
        return np.pad(x, widths, constant_values=value or 0)
    return np.pad(x, widths, {"replicate": "edge", "circular": "wrap"}.get(mode, mode))


def interleave(x, *, repeats, dim):
    return mg.repeat_interleave(
        x, repeats if isinstance(repeats, int) else mg.tensor(repeats, dtype=mg.int64), dim
    )


def interleave_in_pytorch(torch, x, repeats, dim):
    counts = repeats if isinstance(repeats, int) else torch.tensor(repeats, dtype=torch.int64)
    return torch.repeat_interleave(x, counts, dim)


def continuing(mode, *errors):
    """`pad` in one of the modes in which the elements go on."""
    return shaped(
        f"pad {mode}", lambda x, **statics: F.pad(x, mode=mode, **statics), continued(),
        lambda x, **statics: pad(x, mode=mode, **statics),
        lambda torch, x, pad: torch.nn.functional.pad(x, pad, mode), dtypes=NUMBERS, view=False,
        errors=[
            *errors,
            Refusal(lambda: F.pad(matrix(), (1, 0), mode, 1.0), ValueError, f"no meaning in mode {mode!r}"),
        ],
    )  # fmt: skip


def too_far(width, most, mode):
    return Refusal(lambda: F.pad(matrix(), (width, 0), mode), ShapeError, f"expected at most {most} in mode")


def repeats(values):
    return mg.tensor(values, dtype=mg.int64)


def diagonals(extra=0):
    """Two dimensions, and the number of a diagonal."""
    return planes(extra, offset=st.integers(-3, 3))


def squares(min_dims=0):
    """At most a matrix, and the number of a diagonal."""
    statics = st.fixed_dictionaries({"offset": st.integers(-3, 3)})
    return st.tuples(st.tuples(shapes(min_dims, 2)), statics)


def unary_of(min_dims):
    """One input of so many dimensions, or more."""
    return st.tuples(st.tuples(shapes(min_dims)), st.just({}))


REPEATING = [
    shaped(
        "repeat", lambda x, *, repeats: x.repeat(repeats), repeated_along(),
        lambda x, repeats: np.tile(x, reps=repeats),
        lambda torch, x, repeats: x.repeat(repeats), view=False,
        errors=[
            Refusal(lambda: matrix().repeat(2), ShapeError, "repeat(): got (2,) for shape (3, 4)"),
            Refusal(lambda: matrix().repeat(2, -1), ShapeError, "expected for each dimension a number >= 0"),
            Refusal(lambda: matrix().repeat(2, repeats=(1, 1)), TypeError, "got (2,) and, by name, (1, 1)"),
        ],
    ),
    shaped(
        "tile", mg.tile, tiled(), lambda x, dims: np.tile(x, reps=dims), view=False,
        errors=[Refusal(lambda: mg.tile(matrix(), (-1,)), ShapeError, "repeat(): got (1, -1)")],
    ),
    shaped(
        "repeat_interleave", interleave, interleaved(),
        lambda x, repeats, dim: np.repeat(x, repeats, axis=dim),
        interleave_in_pytorch, view=False,
        errors=[
            Refusal(lambda: mg.repeat_interleave(matrix(), -1), ValueError, "must not be negative, got -1"),
            Refusal(
                lambda: mg.repeat_interleave(matrix(), repeats([1, 2]), 0), ShapeError,
                "repeats of shape (2,), expected a number or a vector of 3",
            ),
            Refusal(lambda: mg.repeat_interleave(matrix(), repeats([1, 2, -3]), 0), ValueError, "got -3"),
            Refusal(lambda: mg.repeat_interleave(matrix(), mg.ones(3), 0), DTypeError, "be integers, got float32"),
            Refusal(
                lambda: mg.repeat_interleave(matrix(), 2, 0, output_size=5), ShapeError,
                "output_size 5, expected the true one, 6",
            ),
            Refusal(lambda: mg.repeat_interleave(repeats([[1]])), ShapeError, "repeats of shape (1, 1)"),
            Refusal(lambda: mg.repeat_interleave(matrix(), 1, 2), IndexError, "dim 2 out of range"),
        ],
    ),
]  # fmt: skip

TURNING = [
    shaped(
        "flip", lambda x, *, dims: mg.flip(x, dims), flipped(), lambda x, dims: np.flip(x, axis=dims),
        card=ops.flip, view=False,
        errors=[
            Refusal(lambda: mg.flip(matrix(), 2), IndexError, "flip(): dim 2 out of range"),
            Refusal(lambda: mg.flip(matrix(), (0, -2)), ValueError, "flip(): dim 0 appears twice"),
        ],
    ),
    shaped(
        "fliplr", mg.fliplr, unary_of(2), np.fliplr, card=ops.flip, view=False,
        errors=[
            Refusal(lambda: mg.fliplr(mg.ones(3)), ShapeError, "got shape (3,), expected at least 2 dimensions"),
        ],
    ),
    shaped(
        "flipud", mg.flipud, unary_of(1), np.flipud, card=ops.flip, view=False,
        errors=[Refusal(lambda: mg.flipud(mg.tensor(1)), ShapeError, "got shape (), expected at least 1 dimension")],
    ),
    shaped(
        "roll", mg.roll, rolled(), lambda x, shifts, dims: np.roll(x, shifts, axis=dims),
        card=ops.roll, view=False,
        errors=[
            Refusal(lambda: mg.roll(matrix(), (1, 2)), ShapeError, "got shifts (1, 2) for dims ()"),
            Refusal(lambda: mg.roll(matrix(), 1, (0, 1)), ShapeError, "got shifts (1,) for dims (0, 1)"),
            Refusal(lambda: mg.roll(matrix(), 1, 2), IndexError, "roll(): dim 2 out of range"),
        ],
    ),
    shaped(
        "rot90", lambda x, *, k, dim1, dim2: mg.rot90(x, k, (dim1, dim2)), planes(k=st.integers(-4, 5)),
        lambda x, k, dim1, dim2: np.rot90(x, k, (dim1, dim2)),
        lambda torch, x, k, dim1, dim2: torch.rot90(x, k, (dim1, dim2)), view=False,
        errors=[
            Refusal(lambda: mg.rot90(matrix(), 1, (0, -2)), ShapeError, "dimensions 0 and -2, expected two different"),
            Refusal(lambda: mg.rot90(matrix(), 1, (0,)), ShapeError, "got dims (0,), expected two dimensions"),
            Refusal(lambda: mg.rot90(mg.ones(2)), ShapeError, "rot90(): got shape (2,), expected at least 2"),
        ],
    ),
]  # fmt: skip

TRIANGLES = [
    shaped(
        "tril", mg.tril, matrices(), lambda x, diagonal: np.tril(x, k=diagonal), card=ops.tril, view=False,
        errors=[Refusal(lambda: mg.tril(mg.ones(2)), ShapeError, "tril(): got shape (2,), expected at least 2")],
    ),
    shaped(
        "triu", mg.triu, matrices(), lambda x, diagonal: np.triu(x, k=diagonal), card=ops.triu, view=False,
        errors=[Refusal(lambda: mg.triu(mg.ones(2)), ShapeError, "triu(): got shape (2,), expected at least 2")],
    ),
    shaped(
        "diagonal", mg.diagonal, diagonals(),
        lambda x, offset, dim1, dim2: np.diagonal(x, offset, axis1=dim1, axis2=dim2),
        card=ops.diagonal,
        errors=[
            Refusal(lambda: mg.diagonal(matrix(), 0, 1, -1), ShapeError, "dimensions 1 and -1, expected two different"),
            Refusal(lambda: mg.diagonal(mg.ones(2)), IndexError, "diagonal(): dim 1 out of range"),
        ],
    ),
    shaped(
        "diag_embed", mg.diag_embed, diagonals(extra=1), diag_embed, card=ops.put_diagonal, view=False,
        errors=[
            Refusal(lambda: mg.diag_embed(mg.tensor(1.0)), ShapeError, "got shape (), expected at least 1 dimension"),
            Refusal(lambda: mg.diag_embed(mg.ones(2), 0, 0, 2), IndexError, "dim 2 out of range"),
        ],
    ),
    shaped(
        "diag", lambda x, *, offset: mg.diag(x, offset), squares(min_dims=1),
        lambda x, offset: np.diag(x, k=offset), lambda torch, x, offset: torch.diag(x, offset), view=False,
        errors=[
            Refusal(lambda: mg.diag(mg.ones(1, 1, 1)), ShapeError, "got shape (1, 1, 1), expected a vector or"),
        ],
    ),
    shaped(
        "diagflat", mg.diagflat, squares(), lambda x, offset: np.diagflat(x, k=offset), card=ops.put_diagonal,
        view=False,
    ),
]  # fmt: skip

PADDING = [
    shaped(
        "pad", F.pad, bordered(), pad, card=ops.pad, view=False,
        errors=[
            Refusal(lambda: F.pad(matrix(), (1,)), ShapeError, "pad(): got 1 widths for shape (3, 4)"),
            Refusal(lambda: F.pad(matrix(), (1,) * 6), ShapeError, "pad(): got 6 widths for shape (3, 4)"),
            Refusal(lambda: F.pad(matrix(), (-3, -2)), ShapeError, "3 and 2 elements to be taken away"),
            Refusal(lambda: F.pad(matrix(), (1, 1), "mirror"), ValueError, "mode 'mirror', expected one of constant"),
            Refusal(lambda: F.pad(np.ones(3), (1, 1)), TypeError, "pad(): expected a Tensor, got ndarray"),
        ],
    ),
    continuing("reflect", too_far(4, 3, "reflect")),
    continuing("replicate", Refusal(lambda: F.pad(mg.ones(1, 0), (1, 0), "replicate"), ShapeError, "at most 0")),
    continuing("circular", too_far(5, 4, "circular")),
]  # fmt: skip

CARDS = [*REPEATING, *TURNING, *TRIANGLES, *PADDING]
