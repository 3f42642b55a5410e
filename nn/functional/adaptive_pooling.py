"""Adaptive pooling: as many windows as the output is to have, place i from ⌊i L / S⌋ to ⌈(i + 1) L / S⌉."""

import math
from collections.abc import Sequence
from typing import Any

from minigrad import ops
from minigrad.backend import namespace
from minigrad.errors import ShapeError
from minigrad.tensor import Tensor, wrap

from .checks import sizes, with_batch
from .loss import entries
from .resampling import means, resampled

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool2d", "adaptive_max_pool3d",
]  # fmt: skip

Size = int | Sequence[int | None] | None


def _wanted(caller: str, x: Tensor, output_size: Size, least: int = 1) -> tuple[int, ...]:
    """The size of the output in each dimension; None leaves one as it is."""
    lengths = x.shape[2:]
    listed = output_size if isinstance(output_size, Sequence) else (output_size,) * len(lengths)
    if len(listed) == len(lengths):
        listed = [n if size is None else size for n, size in zip(lengths, listed, strict=True)]
    wanted = sizes(caller, "output_size", listed, len(lengths), least)  # type: ignore[arg-type]
    if 0 in x.shape[1:]:
        raise ShapeError(f"{caller}(): input {x.shape}, expected no size of 0 but that of the batch")
    return wanted


# ------------------------------------------------------------------------------------------------ mean


def adaptive_avg_pool1d(input: Tensor, output_size: Size) -> Tensor:
    """The means of `output_size` windows that cover the input (N, C, L) or (C, L).

    >>> import minigrad as mg
    >>> mg.nn.functional.adaptive_avg_pool1d(mg.tensor([[1.0, 3.0, 2.0, 0.0]]), 2).tolist()
    [[2.0, 1.0]]
    """
    return _means("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: Size) -> Tensor:
    """`adaptive_avg_pool1d` of images; output_size is one number for both dimensions, or two."""
    return _means("adaptive_avg_pool2d", 2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: Size) -> Tensor:
    """`adaptive_avg_pool1d` of volumes; output_size is one number for all dimensions, or three."""
    return _means("adaptive_avg_pool3d", 3, input, output_size)


def _means(caller: str, dims: int, input: Tensor, output_size: Size) -> Tensor:
    x, batched = with_batch(caller, input, dims)
    wanted = _wanted(caller, x, output_size, least=0)
    if set(wanted) == {1}:
        y = x.mean(tuple(range(2, x.ndim)), keepdim=True)
    else:
        y = resampled(x, [means(n, size) for n, size in zip(x.shape[2:], wanted, strict=True)])
    return y if batched else y.squeeze(0)


# ------------------------------------------------------------------------------------------------ largest


def adaptive_max_pool1d(
    input: Tensor, output_size: Size, return_indices: bool = False
) -> Tensor | tuple[Tensor, Tensor]:
    """The largest numbers of `output_size` windows that cover the input (N, C, L) or (C, L).

    return_indices: return, too, the number of the place where each of them, the first of equals, stands.
    """
    return _largest("adaptive_max_pool1d", 1, input, output_size, return_indices)


def adaptive_max_pool2d(
    input: Tensor, output_size: Size, return_indices: bool = False
) -> Tensor | tuple[Tensor, Tensor]:
    """`adaptive_max_pool1d` of images; output_size is one number for both dimensions, or two."""
    return _largest("adaptive_max_pool2d", 2, input, output_size, return_indices)


def adaptive_max_pool3d(
    input: Tensor, output_size: Size, return_indices: bool = False
) -> Tensor | tuple[Tensor, Tensor]:
    """`adaptive_max_pool1d` of volumes; output_size is one number for all dimensions, or three."""
    return _largest("adaptive_max_pool3d", 3, input, output_size, return_indices)


def _largest(caller: str, dims: int, input: Tensor, output_size: Size, return_indices: bool) -> Any:
    """Windows of unequal length are made equal, by seeing their last place again; then it is `max_pool`."""
    x, batched = with_batch(caller, input, dims)
    lengths, wanted = x.shape[2:], _wanted(caller, x, output_size)
    xp = namespace(input.array)
    numbers = xp.arange(math.prod(lengths)).reshape(lengths)
    kernel = []
    for dim, (n, size) in enumerate(zip(lengths, wanted, strict=True)):
        starts = [i * n // size for i in range(size)]
        ends = [-(-(i + 1) * n // size) for i in range(size)]
        kernel.append(max(end - start for start, end in zip(starts, ends, strict=True)))
        if n % size:
            pairs = zip(starts, ends, strict=True)
            places = [min(start + k, end - 1) for start, end in pairs for k in range(kernel[-1])]
            index = xp.asarray(places)
            x = ops.getitem(x, index=(*[slice(None)] * (2 + dim), index))
            numbers = numbers.take(index, axis=dim)
    grid = ops.Grid(tuple(kernel), (0,) * dims, (1,) * dims)
    values, places = ops.max_pool(x, kernel=tuple(kernel), size=wanted, grid=grid)
    indices = entries(wrap(numbers.reshape(-1)), places)
    if not batched:
        values, indices = values.squeeze(0), indices.squeeze(0)
    return (values, indices) if return_indices else values
