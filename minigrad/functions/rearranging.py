"""Floor 5: functions that repeat, reverse, turn and cut out elements; see functions/__init__.py."""

from collections.abc import Sequence
from typing import Any

from minigrad import ops
from minigrad.backend import namespace
from minigrad.errors import DTypeError, ShapeError, normalise_dims, normalise_sizes
from minigrad.indexing import ALL
from minigrad.tensor import Tensor

from .shape import flatten, reshape, transpose
from .shape_checks import check_ndim, existing_dim, two_dims

__all__ = [
    "diag", "diag_embed", "diagflat", "diagonal", "flip", "fliplr", "flipud", "repeat_interleave", "roll",
    "rot90", "tile", "tril", "triu",
]  # fmt: skip
METHODS = (*__all__, "repeat")
IN_PLACE = ("tril", "triu")

# ------------------------------------------------------------------------------------------------ repeating


def _spread(input: Tensor, shape: Sequence[int], grown: Sequence[int], result: Sequence[int]) -> Tensor:
    """The input, reshaped, repeated along dimensions of size 1, and reshaped again: in memory of its own."""
    repeated = ops.broadcast_to(ops.reshape(input, shape=tuple(shape)), shape=tuple(grown))
    y = ops.reshape(repeated, shape=tuple(result))
    return y if y.view_of is None else ops.clone(y)


def repeat(input: Tensor, *sizes: Any, repeats: Any = None) -> Tensor:
    """The tensor laid side by side, so often along each dimension; more numbers than dimensions add some.

    >>> import minigrad as mg
    >>> mg.tensor([1, 2]).repeat(2, 2).tolist()
    [[1, 2, 1, 2], [1, 2, 1, 2]]
    """
    counts = normalise_sizes("repeat", sizes, repeats)
    if len(counts) < input.ndim or min(counts, default=0) < 0:
        raise ShapeError(
            f"repeat(): got {counts} for shape {input.shape}, expected for each dimension a number >= 0"
        )
    shape = (*[1] * (len(counts) - input.ndim), *input.shape)
    pairs = list(zip(counts, shape, strict=True))
    return _spread(
        input,
        [size for _, n in pairs for size in (1, n)],
        [size for pair in pairs for size in pair],
        [count * n for count, n in pairs],
    )


def tile(input: Tensor, *sizes: Any, dims: Any = None) -> Tensor:
    """`repeat`, where dimensions without a number, the first ones, are not repeated."""
    counts = normalise_sizes("tile", sizes, dims)
    return repeat(input, (*[1] * (input.ndim - len(counts)), *counts))


def repeat_interleave(
    input: Tensor,
    repeats: int | Tensor | None = None,
    dim: int | None = None,
    *,
    output_size: int | None = None,
) -> Tensor:
    """Each entry along `dim` so often in a row: one number for all, or a vector with a number for each.

    dim=None: of the flattened tensor. repeats=None: the input is the vector of numbers, and the result says
    which entry stands where. output_size, where given, is checked.

    >>> import minigrad as mg
    >>> mg.repeat_interleave(mg.tensor([5, 6]), mg.tensor([1, 2])).tolist()
    [5, 6, 6]
    """
    if repeats is None:
        return Tensor(_places(input, _counts(input, input.numel())))
    x = flatten(input) if dim is None else input
    place = existing_dim("repeat_interleave", 0 if dim is None else dim, x)
    size = x.shape[place]
    if isinstance(repeats, int) or repeats.numel() == 1:
        count = int(repeats)
        if count < 0:
            raise ValueError(f"repeat_interleave(): repeats must not be negative, got {count}")
        before, after, total = x.shape[: place + 1], x.shape[place + 1 :], count * size
        y = _spread(x, (*before, 1, *after), (*before, count, *after), (*before[:-1], total, *after))
    else:
        counts = _counts(repeats, size)
        y, total = ops.getitem(x, index=(*[ALL] * place, _places(x, counts))), sum(counts)
    if output_size not in (None, total):
        raise ShapeError(f"repeat_interleave(): output_size {output_size}, expected the true one, {total}")
    return y


def _counts(repeats: Tensor, size: int) -> list[int]:
    """How often each of `size` entries is to stand."""
    if repeats.dtype.kind not in "iu":
        raise DTypeError(f"repeat_interleave(): repeats must be integers, got {repeats.dtype}")
    if repeats.shape != (size,):
        raise ShapeError(
            f"repeat_interleave(): repeats of shape {repeats.shape}, expected a number or a vector of {size}"
        )
    counts = repeats.tolist()
    if min(counts, default=0) < 0:
        raise ValueError(f"repeat_interleave(): repeats must not be negative, got {min(counts)}")
    return counts


def _places(input: Tensor, counts: list[int]) -> Any:
    """Which entry stands where, as an array beside the input on its device."""
    xp = namespace(input.array)
    return xp.repeat(xp.arange(len(counts)), counts) if counts else xp.zeros(0, "int64")


# ------------------------------------------------------------------------------------------------ turning


def flip(input: Tensor, *order: Any, dims: Any = None) -> Tensor:
    """With the order along `dims` reversed, in memory of its own."""
    chosen = normalise_sizes("flip", order, dims)
    return ops.flip(input, dims=normalise_dims("flip", chosen, input.ndim) if chosen else ())


def fliplr(input: Tensor) -> Tensor:
    """With left and right exchanged: dimension 1 reversed."""
    check_ndim("fliplr", input, 2)
    return ops.flip(input, dims=(1,))


def flipud(input: Tensor) -> Tensor:
    """With top and bottom exchanged: dimension 0 reversed."""
    check_ndim("flipud", input, 1)
    return ops.flip(input, dims=(0,))


def roll(input: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor:
    """Moved by so many places along `dims`: what leaves at one end comes in at the other.

    Without dims, the elements move in their order, and the shape stays.

    >>> import minigrad as mg
    >>> mg.roll(mg.arange(4), 1).tolist()
    [3, 0, 1, 2]
    """
    steps = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    chosen = () if dims is None else (dims,) if isinstance(dims, int) else tuple(dims)
    if not chosen and len(steps) == 1:
        return reshape(ops.roll(flatten(input), shifts=steps, dims=(0,)), input.shape)
    if not steps or len(steps) != len(chosen):
        raise ShapeError(f"roll(): got shifts {steps} for dims {chosen}, expected one for each dimension")
    return ops.roll(input, shifts=steps, dims=tuple(existing_dim("roll", dim, input) for dim in chosen))


def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """Turned k times by 90°, in the plane of two dimensions, from the first to the second."""
    check_ndim("rot90", input, 2)
    if len(dims) != 2:
        raise ShapeError(f"rot90(): got dims {tuple(dims)}, expected two dimensions")
    first, second = two_dims("rot90", dims[0], dims[1], input.ndim)
    reversed_dims: tuple[int, ...] = {0: (), 1: (second,), 2: (first, second), 3: (first,)}[k % 4]
    turned = ops.flip(input, dims=reversed_dims)
    return transpose(turned, first, second) if k % 2 else turned


# ------------------------------------------------------------------------------------------------ triangles


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of each matrix, zero above diagonal number `diagonal`."""
    check_ndim("tril", input, 2)
    return ops.tril(input, diagonal=diagonal)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of each matrix, zero below diagonal number `diagonal`."""
    check_ndim("triu", input, 2)
    return ops.triu(input, diagonal=diagonal)


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The elements i, i + offset of two dimensions, as the last dimension of a view."""
    return ops.diagonal(input, offset=offset, dims=two_dims("diagonal", dim1, dim2, input.ndim))


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices of zeros with the last dimension of the input on a diagonal; `dim1` and `dim2` count them.

    >>> import minigrad as mg
    >>> mg.diag_embed(mg.tensor([1, 2]), 1).tolist()
    [[0, 1, 0], [0, 0, 2], [0, 0, 0]]
    """
    check_ndim("diag_embed", input, 1)
    size = input.shape[-1] + abs(offset)
    dims = two_dims("diag_embed", dim1, dim2, input.ndim + 1)
    return ops.put_diagonal(input, offset=offset, dims=dims, sizes=(size, size))


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The matrix with a vector on its diagonal; or the diagonal of a matrix, in memory of its own."""
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim != 2:
        raise ShapeError(f"diag(): got shape {input.shape}, expected a vector or a matrix; use diagonal()")
    return ops.clone(ops.diagonal(input, offset=diagonal, dims=(-2, -1)))


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """The matrix with all elements of the input on its diagonal."""
    return diag_embed(flatten(input), offset)
