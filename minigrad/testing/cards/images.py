"""Images cut into windows, shuffled and resized: nn/functional/{folding,resampling}.py, ops/sliding.py."""

import math

import numpy as np

from minigrad import ops, zeros
from minigrad.errors import ShapeError
from minigrad.nn import functional as F
from minigrad.testing.card import ANY, Card, Refusal
from minigrad.testing.signatures import resized, shuffled, shuffled_channels, unfolded, windows_shown

from .convolution import meetings, per_dimension

# ---------------------------------------------------------------------------------- windows


def unfold_windows(x, *, kernel, size, grid):
    y = np.zeros((*x.shape[:2], *kernel, *size), x.dtype)
    for at, k, i in meetings(x.shape[2:], kernel, size, grid):
        y[(..., *k[1:], *i[1:])] = x[at]
    return y


def fold_windows(x, *, size, grid):
    dims = len(size)
    y = np.zeros((*x.shape[:2], *size), x.dtype)
    for at, k, i in meetings(size, x.shape[2 : 2 + dims], x.shape[2 + dims :], grid):
        y[at] += x[(..., *k[1:], *i[1:])]
    return y


def lying(lengths, kernel_size, dilation, padding, stride):
    """The size of a window, how many there are, and the grid."""
    kernel, apart, added, steps = per_dimension(2, kernel_size, dilation, padding, stride)
    each = zip(lengths, kernel, apart, added, steps, strict=True)
    return (
        kernel,
        tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, d, p, s in each),
        ops.Grid(steps, added, apart),
    )


def unfold(x, **how):
    kernel, size, grid = lying(x.shape[-2:], **how)
    y = unfold_windows(x.reshape(-1, *x.shape[-3:]), kernel=kernel, size=size, grid=grid)
    return y.reshape(*x.shape[:-3], -1, math.prod(size))


def fold(x, *, output_size, **how):
    kernel, count, grid = lying(output_size, **how)
    y = fold_windows(
        x.reshape(-1, x.shape[-2] // math.prod(kernel), *kernel, *count), size=output_size, grid=grid
    )
    return y.reshape(*x.shape[:-2], *y.shape[1:])


# ---------------------------------------------------------------------------------- shuffling


def pixel_shuffle(x, *, upscale_factor):
    r, (*leading, channels, height, width) = upscale_factor, x.shape
    y = np.zeros((*leading, channels // r**2, height * r, width * r), x.dtype)
    for number in range(channels):
        channel, row, column = number // r**2, number // r % r, number % r
        y[..., channel, row::r, column::r] = x[..., number, :, :]
    return y


def pixel_unshuffle(x, *, downscale_factor):
    r = downscale_factor
    parts = [x[..., row::r, column::r] for row in range(r) for column in range(r)]
    y = np.stack(parts, axis=-3)
    return y.reshape(*x.shape[:-3], -1, *y.shape[-2:])


def channel_shuffle(x, *, groups):
    size = x.shape[1] // groups
    return np.stack([x[:, group * size + place] for place in range(size) for group in range(groups)], axis=1)


# ---------------------------------------------------------------------------------- resizing


def cubic(x, a):
    x = abs(x)
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else 0.0


def shares(i, length, count, factor, mode, align_corners, antialias):
    """{place: its weight} in element i of the resized dimension."""
    step = length / count if factor is None else 1 / factor
    if mode in ("nearest", "nearest-exact"):
        return {min(int((i + 0.5 * (mode != "nearest")) * step + 1e-6), length - 1): 1.0}
    if mode == "area":
        seen = range(i * length // count, math.ceil((i + 1) * length / count))
        return dict.fromkeys(seen, 1 / len(seen))
    if align_corners:
        step = (length - 1) / (count - 1) if count > 1 else 0.0
    if antialias:
        return wide_shares((i + 0.5) * step, length, max(step, 1.0), mode)
    place = i * step if align_corners else (i + 0.5) * step - 0.5
    place = place if mode == "bicubic" else max(place, 0.0)
    found = {}
    for neighbour in range(math.floor(place) - 1, math.floor(place) + 3):
        distance = abs(place - neighbour)
        weight = cubic(distance, -0.75) if mode == "bicubic" else max(1 - distance, 0.0)
        inside = min(max(neighbour, 0), length - 1)
        found[inside] = found.get(inside, 0.0) + weight
    return found


def wide_shares(middle, length, width, mode):
    reach = (2 if mode == "bicubic" else 1) * width
    seen = range(max(int(middle - reach + 0.5), 0), min(int(middle + reach + 0.5), length))
    at = {place: (place - middle + 0.5) / width for place in seen}
    weights = {
        place: cubic(x, -0.5) if mode == "bicubic" else max(1 - abs(x), 0.0) for place, x in at.items()
    }
    return {place: weight / sum(weights.values()) for place, weight in weights.items()}


def interpolate(
    x, *, mode, size=None, scale_factor=None, recompute_scale_factor=None, align_corners=None, antialias=False
):
    dims = x.ndim - 2
    factors = (scale_factor,) * dims if isinstance(scale_factor, float) else scale_factor
    wanted = (
        per_dimension(dims, size)[0]
        if factors is None
        else [int(n * f) for n, f in zip(x.shape[2:], factors, strict=True)]
    )
    factors = (None,) * dims if factors is None or recompute_scale_factor else factors
    for dim, (count, factor) in enumerate(zip(wanted, factors, strict=True), 2):
        slices, y = np.moveaxis(x, dim, 0), []
        for i in range(count):
            weights = shares(i, len(slices), count, factor, mode, align_corners, antialias)
            y.append(sum(weight * slices[place] for place, weight in weights.items()))
        x = np.moveaxis(np.array(y).reshape(count, *slices.shape[1:]), 0, dim)
    return x


def resizing(mode, antialias=False, **options):
    name = f"interpolate {mode}" + " widened" * antialias
    return Card(
        name, F.interpolate, resized(mode, antialias=antialias), interpolate, "interpolate", **options
    )


def image():
    return zeros(1, 1, 4, 4)


WRONG_SIZES = [
    Refusal(lambda: F.interpolate(image(), 2, mode="cubic"), ValueError, "mode 'cubic', expected one of nearest,"),
    Refusal(lambda: F.interpolate(image(), 2, mode="linear"), ShapeError, "expected 3 dimensions in mode 'linear'"),
    Refusal(lambda: F.interpolate(zeros(4, 4), 2), ShapeError, "input (4, 4), expected 3 or 4 or 5 dimensions"),
    Refusal(lambda: F.interpolate([1.0], 2), TypeError, "interpolate(): expected a Tensor, got list"),
    Refusal(lambda: F.interpolate(image(), 2, align_corners=True), ValueError, "align_corners has no meaning in mode"),
    Refusal(lambda: F.interpolate(image(), 2, antialias=True), ValueError, "antialias in mode 'nearest', expected"),
    Refusal(lambda: F.interpolate(image()), ValueError, "size None and scale_factor None, expected one of them"),
    Refusal(lambda: F.interpolate(image(), 2, 2.0), ValueError, "size 2 and scale_factor 2.0, expected one of them"),
    Refusal(lambda: F.interpolate(image(), (2, 2, 2)), ValueError, "size (2, 2, 2), expected an int or 2 of them"),
    Refusal(lambda: F.interpolate(image(), None, (2.0,) * 3), ValueError, "scale_factor (2.0, 2.0, 2.0), expected one"),
    Refusal(lambda: F.interpolate(image(), None, 0.1), ShapeError, "from (4, 4) to (0, 0), expected sizes of at least 1"),
    Refusal(
        lambda: F.interpolate(image(), 2, recompute_scale_factor=True), ValueError,
        "recompute_scale_factor has no meaning beside a size",
    ),
]  # fmt: skip

CARDS = [
    Card("unfold_windows", ops.unfold_windows, windows_shown(), unfold_windows, None, dtypes=ANY),
    Card("fold_windows", ops.fold_windows, windows_shown(back=True), fold_windows, None),
    Card(
        "unfold", F.unfold, unfolded(), unfold, "unfold", card=ops.unfold_windows,
        errors=[
            Refusal(lambda: F.unfold(zeros(4, 4), 2), ShapeError, "unfold(): input (4, 4), expected (N, C, H, W)"),
            Refusal(lambda: F.unfold(image(), 3, 2), ShapeError, "kernel_size (3, 3) with dilation (2, 2) does not fit"),
            Refusal(lambda: F.unfold(image(), 2, stride=0), ValueError, "stride 0, expected an int or 2 of them"),
        ],
    ),
    Card(
        "fold", F.fold, unfolded(back=True), fold, "fold", card=ops.fold_windows,
        errors=[
            Refusal(lambda: F.fold(zeros(4), 2, 2), ShapeError, "fold(): input (4,), expected (N, C, L) or (C, L)"),
            Refusal(lambda: F.fold(zeros(5, 9), 4, 2), ShapeError, "expected (N, C K, I) with 4 places in each of 9"),
            Refusal(lambda: F.fold(zeros(4, 8), 4, 2), ShapeError, "expected (N, C K, I) with 4 places in each of 9"),
        ],
    ),
    Card(
        "pixel_shuffle", F.pixel_shuffle, shuffled(), pixel_shuffle, "pixel_shuffle", dtypes=ANY, card=ops.permute, view=True,
        errors=[
            Refusal(lambda: F.pixel_shuffle(zeros(2, 2), 1), ShapeError, "input (2, 2), expected (*, C, H, W)"),
            Refusal(lambda: F.pixel_shuffle(zeros(2, 2, 2), 2), ShapeError, "expected a multiple of 4 channels"),
            Refusal(lambda: F.pixel_shuffle(zeros(2, 2, 2), 0), ValueError, "factor 0, expected at least 1"),
        ],
    ),
    Card(
        "pixel_unshuffle", F.pixel_unshuffle, shuffled(back=True), pixel_unshuffle, "pixel_unshuffle", dtypes=ANY,
        card=ops.permute, view=True,
        errors=[
            Refusal(lambda: F.pixel_unshuffle(image(), 3), ShapeError, "expected (*, C, H r, W r) with r = 3"),
            Refusal(lambda: F.pixel_unshuffle([1.0], 3), TypeError, "expected a Tensor, got list"),
        ],
    ),
    Card(
        "channel_shuffle", F.channel_shuffle, shuffled_channels(), channel_shuffle, "channel_shuffle", dtypes=ANY,
        card=ops.permute, view=True,
        errors=[Refusal(lambda: F.channel_shuffle(image(), 2), ShapeError, "groups=2, expected (N, C, *) and a divisor")],
    ),
    resizing("nearest", card=ops.getitem, errors=WRONG_SIZES),
    resizing("nearest-exact", card=ops.getitem),
    *[resizing(mode, card=ops.matmul) for mode in ("linear", "bilinear", "bicubic", "trilinear", "area")],
    *[resizing(mode, antialias=True, card=ops.matmul) for mode in ("bilinear", "bicubic")],
]  # fmt: skip
