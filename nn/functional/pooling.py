"""Pooling: one number for all that a window sees, its largest or its mean, in each channel by itself.

Sizes are an int for all dimensions, or one for each; the input is (N, C, L), (N, C, H, W) or (N, C, D, H, W),
or the same without N.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from minigrad import ops
from minigrad.backend import default_dtype, namespace
from minigrad.creation import full, zeros
from minigrad.errors import ShapeError
from minigrad.tensor import Tensor, wrap

from .checks import check_indices, check_tensors, sizes, with_batch

__all__ = [
    "avg_pool1d", "avg_pool2d", "avg_pool3d", "lp_pool1d", "lp_pool2d", "lp_pool3d", "max_pool1d",
    "max_pool2d", "max_pool3d", "max_unpool1d", "max_unpool2d", "max_unpool3d",
]  # fmt: skip

Size = int | Sequence[int]
Geometry = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], ops.Grid]  # L, K, I and the grid


def _geometry(
    caller: str,
    dims: int,
    x: Tensor,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    dilation: Size,
    ceil_mode: bool,
) -> Geometry:
    """The sizes of input, window and output, and where windows lie, of an input (N, C, ...)."""
    kernel, apart = sizes(caller, "kernel_size", kernel_size, dims), sizes(caller, "dilation", dilation, dims)
    steps = kernel if stride is None or stride == () else sizes(caller, "stride", stride, dims)
    added = sizes(caller, "padding", padding, dims, least=0)
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, apart, strict=True)]
    if any(2 * p > span for p, span in zip(added, spans, strict=True)):
        raise ValueError(f"{caller}(): padding {added}, expected at most half of the window, {tuple(spans)}")
    lengths = x.shape[2:]
    each = zip(lengths, spans, steps, added, strict=True)
    size = tuple(_count(n, span, s, p, ceil_mode) for n, span, s, p in each)
    if min(size) < 1 or x.shape[1] == 0:
        raise ShapeError(
            f"{caller}(): a window of {tuple(spans)} with padding {added} does not fit into input {x.shape}"
        )
    return lengths, kernel, size, ops.Grid(steps, added, apart)


def _count(length: int, span: int, step: int, padding: int, ceil_mode: bool) -> int:
    """How many windows there are; with ceil_mode the last may go beyond the end, but not begin there."""
    room = length + 2 * padding - span
    if not ceil_mode:
        return room // step + 1
    count = -(-room // step) + 1
    return count - 1 if (count - 1) * step >= length + padding else count


# ------------------------------------------------------------------------------------------------ largest


def max_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """The largest number of each window; the first of equals gets the gradient.

    Args:
        input: (N, C, L) or (C, L).
        kernel_size: how many places a window holds.
        stride: how far a window is from the next; None: as far as it is long.
        padding: how many places, which never are the largest, stand at each end; at most half a window.
        dilation: how far the places of a window are apart.
        ceil_mode: let the last window go beyond the end, so that no place of the input is left out.
        return_indices: return, too, the number of the place where each of them stands.

    >>> import minigrad as mg
    >>> mg.nn.functional.max_pool1d(mg.tensor([[1.0, 3.0, 2.0, 0.0, 5.0]]), 2).tolist()
    [[3.0, 2.0]]
    """
    return _max_pool(
        "max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def max_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """`max_pool1d` of images; indices count the places of an image row by row."""
    return _max_pool(
        "max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def max_pool3d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """`max_pool1d` of volumes; indices count the places of a volume."""
    return _max_pool(
        "max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def _max_pool(
    caller: str,
    dims: int,
    input: Tensor,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    dilation: Size,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    x, batched = with_batch(caller, input, dims)
    _, kernel, size, grid = _geometry(caller, dims, x, kernel_size, stride, padding, dilation, ceil_mode)
    values, places = ops.max_pool(x, kernel=kernel, size=size, grid=grid)
    if not batched:
        values, places = values.squeeze(0), places.squeeze(0)
    return (values, places) if return_indices else values


# ------------------------------------------------------------------------------------------------ back again


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Zeros, with each number of the input at the place where `max_pool1d` found it.

    indices: what max_pool1d returned; kernel_size, stride, padding: those that it was given. As pooling makes
    one size of several, output_size says which; it may hold N and C, too.
    """
    return _max_unpool("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """`max_unpool1d` of images."""
    return _max_unpool("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """`max_unpool1d` of volumes."""
    return _max_unpool("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)


def _max_unpool(
    caller: str,
    dims: int,
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    output_size: Sequence[int] | None,
) -> Tensor:
    x, _ = with_batch(caller, input, dims)
    check_tensors(caller, indices)
    if indices.shape != input.shape:
        raise ShapeError(f"{caller}(): indices {indices.shape}, expected the input's shape {input.shape}")
    kernel, added = (
        sizes(caller, "kernel_size", kernel_size, dims),
        sizes(caller, "padding", padding, dims, 0),
    )
    steps = kernel if stride is None else sizes(caller, "stride", stride, dims)
    each = zip(x.shape[2:], kernel, steps, added, strict=True)
    usual = tuple((n - 1) * s - 2 * p + k for n, k, s, p in each)
    wanted = usual if output_size is None else tuple(output_size)[-dims:]
    differing = [abs(size - other) < s for size, other, s in zip(wanted, usual, steps, strict=False)]
    if (
        len(wanted) < dims
        or len(output_size or wanted) not in (dims, dims + 1, dims + 2)
        or not all(differing)
    ):
        raise ValueError(
            f"{caller}(): output_size {output_size}, expected {usual}, give or take less than {steps}"
        )
    count = math.prod(wanted)
    check_indices(f"{caller}(): output_size {wanted}", indices, count)
    leading = input.shape[: input.ndim - dims]
    flat = (math.prod(leading), math.prod(x.shape[2:]))
    empty = zeros(flat[0], count, dtype=input.dtype, device=input.device)
    return ops.scatter_(empty, input.reshape(flat), indices.reshape(flat), dim=1).reshape(*leading, *wanted)


# ------------------------------------------------------------------------------------------------ mean


def avg_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window; the arguments are those of `max_pool1d`.

    count_include_pad: the zeros at both ends count; otherwise the sum is divided by the number of places of
    the input that the window sees.

    >>> import minigrad as mg
    >>> mg.nn.functional.avg_pool1d(mg.tensor([[1.0, 3.0, 2.0, 0.0]]), 2).tolist()
    [[2.0, 1.0]]
    """
    return _avg_pool(
        "avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad=count_include_pad
    )


def avg_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """`avg_pool1d` of images; divisor_override: what every sum is divided by."""
    return _avg_pool(
        "avg_pool2d",
        2,
        input,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad=count_include_pad,
        divisor=divisor_override,
    )


def avg_pool3d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """`avg_pool1d` of volumes; divisor_override: what every sum is divided by."""
    return _avg_pool(
        "avg_pool3d",
        3,
        input,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad=count_include_pad,
        divisor=divisor_override,
    )


def _avg_pool(
    caller: str,
    dims: int,
    input: Tensor,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    ceil_mode: bool,
    *,
    count_include_pad: bool = True,
    divisor: int | None = None,
) -> Tensor:
    """A convolution of each channel by itself, with equal weights."""
    x, batched = with_batch(caller, input, dims)
    lengths, kernel, size, grid = _geometry(caller, dims, x, kernel_size, stride, padding, 1, ceil_mode)
    if divisor == 0:
        raise ValueError(f"{caller}(): divisor_override 0, expected another number")
    counts = _counts(lengths, kernel, size, grid, count_include_pad) if divisor is None else []
    if all(len(set(count)) == 1 for count in counts):  # one number for all windows
        divisor = divisor or math.prod(count[0] for count in counts)
    dtype = input.dtype if input.dtype.kind == "f" else default_dtype()
    weight = full((1, 1, *kernel), 1 / (divisor or 1), dtype=dtype, device=input.device)
    channels = x.reshape(x.shape[0] * x.shape[1], 1, *lengths)
    y = ops.convolve(channels, weight, size=size, grid=grid).reshape(*x.shape[:2], *size)
    if divisor is None:
        for dim, count in enumerate(counts):
            each = namespace(input.array).asarray(count, dtype)
            y = y / wrap(each.reshape(-1, *[1] * (dims - 1 - dim)))
    return y if batched else y.squeeze(0)


def _counts(
    lengths: tuple[int, ...], kernel: tuple[int, ...], size: tuple[int, ...], grid: ops.Grid, padded: bool
) -> list[list[int]]:
    """How many places each window sees, in each dimension; those of the padding count if `padded`."""
    found = []
    for n, k, count, s, p in zip(lengths, kernel, size, grid.stride, grid.padding, strict=True):
        first, end = (-p, n + p) if padded else (0, n)
        starts = [s * i - p for i in range(count)]
        found.append([min(start + k, end) - max(start, first) for start in starts])
    return found


# ------------------------------------------------------------------------------------------------ norms


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    """(Σ xᵖ)^(1/p) over each window, p = norm_type; for p = ∞ the largest |x|.  Slope 0 where the sum is.

    For an odd p numbers should not be negative: the sum keeps their sign.

    >>> import minigrad as mg
    >>> mg.nn.functional.lp_pool1d(mg.tensor([[3.0, 4.0, 0.0, 1.0]]), 2, 2).tolist()
    [[5.0, 1.0]]
    """
    return _lp_pool("lp_pool1d", 1, max_pool1d, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    """`lp_pool1d` of images."""
    return _lp_pool("lp_pool2d", 2, max_pool2d, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    """`lp_pool1d` of volumes."""
    return _lp_pool("lp_pool3d", 3, max_pool3d, input, norm_type, kernel_size, stride, ceil_mode)


def _lp_pool(
    caller: str,
    dims: int,
    largest: Callable,
    input: Tensor,
    p: float,
    kernel_size: Size,
    stride: Size | None,
    ceil_mode: bool,
) -> Tensor:
    check_tensors(caller, input)
    if p in (math.inf, -math.inf):
        sign = 1 if p > 0 else -1
        return sign * largest(sign * abs(input), kernel_size, stride, 0, 1, ceil_mode)
    if p == 0:
        raise ValueError(f"{caller}(): norm_type 0, expected another number")
    means = _avg_pool(caller, dims, input**p, kernel_size, stride, 0, ceil_mode)
    sums = means * math.prod(sizes(caller, "kernel_size", kernel_size, dims))
    return ops.where(sums == 0, 0.0, ops.where(sums == 0, 1.0, sums) ** (1 / p))
