"""Resampling: the same image in another size, as a product with one matrix for each dimension.

Letters: L the size of a dimension, S the size that it is to have.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from minigrad import ops
from minigrad.backend import namespace
from minigrad.errors import ShapeError
from minigrad.functions import matmul
from minigrad.tensor import Tensor, wrap

from .checks import check_tensors, sizes

__all__ = ["interpolate"]

Filter = Callable[[np.ndarray], np.ndarray]
DIMS = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}  # how many dimensions a mode is for
MODES = ("nearest", "nearest-exact", *DIMS, "area")


def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """The input (N, C, L), (N, C, H, W) or (N, C, D, H, W) in another size.

    Args:
        size: the new size, for all dimensions or for each; or instead
        scale_factor: what the old size is multiplied by.
        mode: "nearest" and "nearest-exact" take the element that lies before, or nearest to, the place in
            the input; "linear", "bilinear" and "trilinear", for 1, 2 and 3 dimensions, weigh neighbours in
            each dimension by their distance; "bicubic" weighs four (Keys 1981, eq. 4, with a = -3/4);
            "area" takes the mean of what lies under a place.
        align_corners: whether the middles of the outermost elements stay where they are, rather than their
            outer borders; of linear and cubic modes.
        recompute_scale_factor: whether places are found by the ratio of the sizes, and not by scale_factor.
        antialias: widen the weights of "bilinear" and "bicubic" (now with a = -1/2) when the image shrinks.

    >>> import minigrad as mg
    >>> x = mg.tensor([[[0.0, 4.0]]])
    >>> mg.nn.functional.interpolate(x, 4).tolist()
    [[[0.0, 0.0, 4.0, 4.0]]]
    >>> mg.nn.functional.interpolate(x, 3, mode="linear", align_corners=True).tolist()
    [[[0.0, 2.0, 4.0]]]
    """
    check_tensors("interpolate", input)
    _check_mode(input, mode, align_corners, antialias)
    lengths = input.shape[2:]
    wanted, factors = _sizes(lengths, size, scale_factor, recompute_scale_factor)
    if min(*wanted, *lengths) < 1:
        raise ShapeError(f"interpolate(): from {lengths} to {wanted}, expected sizes of at least 1")
    each = list(zip(lengths, wanted, factors, strict=True))
    if mode.startswith("nearest"):
        return _picked(input, [_nearest(*one, middle=mode == "nearest-exact") for one in each])
    if mode == "area":
        return resampled(input, [means(n, count) for n, count, _ in each])
    return resampled(input, [_weights(*one, mode, bool(align_corners), antialias) for one in each])


def resampled(input: Tensor, matrices: Sequence[np.ndarray]) -> Tensor:
    """The product with a matrix (S, L) in each of the last dimensions."""
    xp = namespace(input.array)
    for dim, matrix in zip(range(-len(matrices), 0), matrices, strict=True):
        weights, shape = wrap(xp.asarray(matrix.astype(input.dtype))), input.shape
        if dim == -1:
            input = matmul(input, weights.T)
        else:
            before, after = math.prod(shape[:dim]), math.prod(shape[dim + 1 :])
            columns = matmul(weights, input.reshape(before, shape[dim], after))  # (S, L) (.., L, ..)
            input = columns.reshape(*shape[:dim], len(matrix), *shape[dim + 1 :])
    return input


def means(length: int, count: int) -> np.ndarray:
    """The matrix (S, L) whose row i is the mean over the places from ⌊i L / S⌋ to ⌈(i + 1) L / S⌉."""
    i, places = np.arange(count)[:, None], np.arange(length)
    seen = (places >= i * length // max(count, 1)) & (places < -(-(i + 1) * length // max(count, 1)))
    return seen / seen.sum(1, keepdims=True)


# ------------------------------------------------------------------------------------------------ arguments


def _check_mode(input: Tensor, mode: str, align_corners: bool | None, antialias: bool) -> None:
    if mode not in MODES:
        raise ValueError(f"interpolate(): mode {mode!r}, expected one of {', '.join(MODES)}")
    dims = (DIMS[mode],) if mode in DIMS else (1, 2, 3)
    if input.ndim - 2 not in dims:
        expected = " or ".join(str(count + 2) for count in dims)
        raise ShapeError(
            f"interpolate(): input {input.shape}, expected {expected} dimensions in mode {mode!r}"
        )
    if align_corners is not None and mode not in DIMS:
        raise ValueError(
            f"interpolate(): align_corners has no meaning in mode {mode!r}, only in {', '.join(DIMS)}"
        )
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ValueError(f'interpolate(): antialias in mode {mode!r}, expected "bilinear" or "bicubic"')


def _sizes(
    lengths: tuple[int, ...],
    size: int | Sequence[int] | None,
    scale_factor: float | Sequence[float] | None,
    recompute: bool | None,
) -> tuple[tuple[int, ...], Sequence[float | None]]:
    """The new sizes, and the factors by which places are found, None for the ratio of the sizes."""
    if (size is None) == (scale_factor is None):
        raise ValueError(f"interpolate(): size {size} and scale_factor {scale_factor}, expected one of them")
    if scale_factor is None:
        if recompute:
            raise ValueError("interpolate(): recompute_scale_factor has no meaning beside a size")
        assert size is not None
        return sizes("interpolate", "size", size, len(lengths)), [None] * len(lengths)
    factors = tuple(scale_factor) if isinstance(scale_factor, Sequence) else (scale_factor,) * len(lengths)
    if len(factors) != len(lengths):
        raise ValueError(
            f"interpolate(): scale_factor {scale_factor}, expected one, or {len(lengths)} of them"
        )
    wanted = tuple(math.floor(n * factor) for n, factor in zip(lengths, factors, strict=True))
    return wanted, [None] * len(lengths) if recompute else factors


# ------------------------------------------------------------------------------------------------ places


def _picked(input: Tensor, places: Sequence[np.ndarray]) -> Tensor:
    """The input at these places of each of the last dimensions."""
    xp = namespace(input.array)
    for dim, index in reversed(list(enumerate(places))):  # the largest gradient then has whole rows
        input = ops.getitem(input, index=(*[slice(None)] * (2 + dim), xp.asarray(index)))
    return input


def _nearest(length: int, count: int, factor: float | None, *, middle: bool) -> np.ndarray:
    """The place in the input of each new element, found in single precision, as in PyTorch."""
    step = np.float32(length / count if factor is None else 1 / factor)
    places = (np.arange(count, dtype="float32") + np.float32(0.5 if middle else 0)) * step
    return np.minimum(places.astype("int64"), length - 1)


def _weights(
    length: int, count: int, factor: float | None, mode: str, corners: bool, antialias: bool
) -> np.ndarray:
    """The matrix (S, L) of linear or cubic interpolation."""
    step = length / count if factor is None else 1 / factor
    if corners:
        step = (length - 1) / (count - 1) if count > 1 else 0.0
    if antialias:
        return _widened(length, count, step, mode)
    i = np.arange(count)
    places = i * step if corners else (i + 0.5) * step - 0.5
    if mode != "bicubic":
        places = np.maximum(places, 0)
    weigh, reach = (_cubic(-0.75), 2) if mode == "bicubic" else (_triangle, 1)
    matrix, first = np.zeros((count, length)), np.floor(places).astype("int64")
    for neighbour in range(1 - reach, 1 + reach):
        inside = np.clip(first + neighbour, 0, length - 1)  # the outermost elements go on for ever
        np.add.at(matrix, (i, inside), weigh(places - first - neighbour))
    return matrix


def _widened(length: int, count: int, step: float, mode: str) -> np.ndarray:
    """The matrix (S, L) of weights that reach as far as the image shrinks, each row with the sum 1."""
    weigh, reach = (_cubic(-0.5), 2) if mode == "bicubic" else (_triangle, 1)
    width = max(step, 1.0)
    middle, places = (np.arange(count)[:, None] + 0.5) * step, np.arange(length)
    first = np.maximum(np.trunc(middle - reach * width + 0.5), 0)
    end = np.minimum(np.trunc(middle + reach * width + 0.5), length)
    matrix = weigh((places - middle + 0.5) / width) * ((places >= first) & (places < end))
    return matrix / matrix.sum(1, keepdims=True)


def _triangle(x: np.ndarray) -> np.ndarray:
    """1 - |x|, and 0 from 1 on."""
    return np.maximum(1 - abs(x), 0)


def _cubic(a: float) -> Filter:
    """The cubic convolution of Keys 1981, "Cubic convolution interpolation", eq. 4."""

    def weigh(x: np.ndarray) -> np.ndarray:
        x = abs(x)
        near = (a + 2) * x**3 - (a + 3) * x**2 + 1
        far = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
        return np.where(x <= 1, near, np.where(x < 2, far, 0))

    return weigh
