"""Images and their windows: cut out and laid back, or with channels exchanged for places."""

import math
from collections.abc import Sequence

from minigrad import ops
from minigrad.errors import ShapeError
from minigrad.tensor import Tensor

from .checks import check_tensors, sizes, with_batch

__all__ = ["channel_shuffle", "fold", "pixel_shuffle", "pixel_unshuffle", "unfold"]

Size = int | Sequence[int]


def unfold(
    input: Tensor, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
) -> Tensor:
    """The windows of images (N, C, H, W) as columns: (N, C K, I), K places in each of I windows.

    The arguments are those of `conv2d`, which is a product with these columns.

    >>> import minigrad as mg
    >>> mg.nn.functional.unfold(mg.tensor([[[[1, 2, 3], [4, 5, 6]]]]), 2).tolist()
    [[[1, 2], [2, 3], [4, 5], [5, 6]]]
    """
    x, batched = with_batch("unfold", input, 2)
    kernel, count, grid = _windows("unfold", x.shape[2:], kernel_size, dilation, padding, stride)
    columns = ops.unfold_windows(x, kernel=kernel, size=count, grid=grid)
    y = columns.reshape(x.shape[0], x.shape[1] * math.prod(kernel), math.prod(count))
    return y if batched else y.squeeze(0)


def fold(
    input: Tensor,
    output_size: Size,
    kernel_size: Size,
    dilation: Size = 1,
    padding: Size = 0,
    stride: Size = 1,
) -> Tensor:
    """Images (N, C, H, W) of the output_size (H, W) as sums of windows (N, C K, I): what `unfold` would read.

    >>> import minigrad as mg
    >>> mg.nn.functional.fold(mg.ones(4, 2), (2, 3), 2).tolist()
    [[[1.0, 2.0, 1.0], [1.0, 2.0, 1.0]]]
    """
    x, batched = with_batch("fold", input, 1)
    size = sizes("fold", "output_size", output_size, 2)
    kernel, count, grid = _windows("fold", size, kernel_size, dilation, padding, stride)
    places = math.prod(kernel)
    if x.shape[1] % places or x.shape[2] != math.prod(count):
        raise ShapeError(
            f"fold(): input {input.shape}, expected (N, C K, I) with {places} places in each of "
            f"{math.prod(count)} windows"
        )
    columns = x.reshape(x.shape[0], x.shape[1] // places, *kernel, *count)
    y = ops.fold_windows(columns, size=size, grid=grid)
    return y if batched else y.squeeze(0)


def _windows(
    caller: str, lengths: tuple[int, ...], kernel_size: Size, dilation: Size, padding: Size, stride: Size
) -> tuple[tuple[int, ...], tuple[int, ...], ops.Grid]:
    """The size of a window, how many there are, and where they lie."""
    kernel, apart = sizes(caller, "kernel_size", kernel_size, 2), sizes(caller, "dilation", dilation, 2)
    steps, added = sizes(caller, "stride", stride, 2), sizes(caller, "padding", padding, 2, least=0)
    each = zip(lengths, kernel, apart, added, steps, strict=True)
    count = tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, d, p, s in each)
    if min(count) < 1:
        raise ShapeError(
            f"{caller}(): kernel_size {kernel} with dilation {apart} does not fit into {lengths} with "
            f"padding {added}"
        )
    return kernel, count, ops.Grid(steps, added, apart)


# ------------------------------------------------------------------------------------------------ shuffling


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(*, C r², H, W) as (*, C, H r, W r): each r² channels are the r rows and r columns of a place

    Reference: Shi et al. 2016, "Real-time single image and video super-resolution using an efficient
    sub-pixel convolutional neural network", §2.2.
    """
    _check_shuffle("pixel_shuffle", input, upscale_factor)
    r, (*leading, channels, height, width) = upscale_factor, input.shape
    if channels % r**2:
        raise ShapeError(f"pixel_shuffle(): input {input.shape}, expected a multiple of {r**2} channels")
    x = input.reshape(-1, channels // r**2, r, r, height, width)
    return x.permute(0, 1, 4, 2, 5, 3).reshape(*leading, channels // r**2, height * r, width * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(*, C, H r, W r) as (*, C r², H, W): the reverse of `pixel_shuffle`."""
    _check_shuffle("pixel_unshuffle", input, downscale_factor)
    r, (*leading, channels, height, width) = downscale_factor, input.shape
    if height % r or width % r:
        raise ShapeError(f"pixel_unshuffle(): input {input.shape}, expected (*, C, H r, W r) with r = {r}")
    x = input.reshape(-1, channels, height // r, r, width // r, r)
    return x.permute(0, 1, 3, 5, 2, 4).reshape(*leading, channels * r**2, height // r, width // r)


def _check_shuffle(caller: str, input: Tensor, factor: int) -> None:
    check_tensors(caller, input)
    if input.ndim < 3:
        raise ShapeError(f"{caller}(): input {input.shape}, expected (*, C, H, W)")
    if factor < 1:
        raise ValueError(f"{caller}(): factor {factor}, expected at least 1")


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """The channels (N, C, *), one of each group in turn    (Zhang et al. 2018, "ShuffleNet", fig. 1)

    >>> import minigrad as mg
    >>> mg.nn.functional.channel_shuffle(mg.arange(4).reshape(1, 4, 1), 2).flatten().tolist()
    [0, 2, 1, 3]
    """
    check_tensors("channel_shuffle", input)
    if input.ndim < 3 or groups < 1 or input.shape[1] % groups:
        raise ShapeError(
            f"channel_shuffle(): input {input.shape}, groups={groups}, expected (N, C, *) and a divisor of C"
        )
    batch, channels, *others = input.shape
    x = input.reshape(batch, groups, channels // groups, *others)
    return x.transpose(1, 2).reshape(input.shape)
