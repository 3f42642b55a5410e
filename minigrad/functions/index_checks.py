"""Floor 5: what the functions that take numbers of elements, or a mask, say of those that do not fit."""

from typing import Any

import numpy

from minigrad.backend import Array, check_together, refuse_outside
from minigrad.errors import DTypeError, ShapeError, broadcast_error, normalise_dim
from minigrad.tensor import Tensor

from .shape import reshape


def check_integers(name: str, index: Any, argument: str = "index") -> None:
    """TypeError unless `index` is a Tensor of integers."""
    if not isinstance(index, Tensor):
        raise TypeError(f"{name}(): {argument} must be a Tensor of integers, got {type(index).__name__}")
    if index.dtype.kind not in "iu":
        raise DTypeError(f"{name}(): {argument} must hold integers, got {index.dtype}; use .long()")


def check_mask(name: str, input: Tensor, mask: Any) -> None:
    """TypeError unless `mask` is a Tensor of bools, DeviceError unless it is where the input is."""
    if not isinstance(mask, Tensor) or mask.dtype.kind != "b":
        came = mask.dtype if isinstance(mask, Tensor) else type(mask).__name__
        raise DTypeError(f"{name}(): mask must be a bool Tensor, got {came}; use .bool()")
    check_together(name, input.array, mask.array)


def check_same_type(name: str, input: Tensor, source: Any) -> None:
    """TypeError unless `source` is a Tensor of the input's type, DeviceError unless it is where that is."""
    if not isinstance(source, Tensor) or source.dtype != input.dtype:
        came = source.dtype if isinstance(source, Tensor) else type(source).__name__
        raise DTypeError(f"{name}(): source must be a Tensor of {input.dtype}, as the input, got {came}")
    check_together(name, input.array, source.array)


def check_shape(name: str, source: Tensor, shape: tuple[int, ...], what: str) -> None:
    """ShapeError unless the source has the shape of what it is to replace."""
    if source.shape != shape:
        raise ShapeError(f"{name}(): source has shape {source.shape}, expected that of {what}, {shape}")


def check_range(name: str, index: Array, size: int, where: str, *, from_end: bool = False) -> None:
    """IndexError unless each number lies in [0, size), or with from_end=True in [-size, size)."""
    refuse_outside(
        index,
        -size if from_end else 0,
        size,
        lambda wrong, _place: f"{name}(): index {wrong} out of range for {where} of size {size}",
    )


def check_along(name: str, input: Tensor, dim: int, index: Tensor) -> int:
    """`dim` from the front, once `index` is found to fit the input in type, shape and range.

    It has as many dimensions as the input, and in none but `dim` is it longer.
    """
    place = normalise_dim(name, dim, input.ndim)
    check_integers(name, index)
    check_together(name, input.array, index.array)
    sizes = enumerate(zip(index.shape, input.shape, strict=False))
    fits = [n <= size or d == place for d, (n, size) in sizes]
    if index.ndim != input.ndim or False in fits:
        raise ShapeError(
            f"{name}(): index of shape {index.shape} does not fit an input of shape {input.shape}; it must "
            f"have as many dimensions and be no longer, except along dimension {place}"
        )
    check_range(name, index.array, input.shape[place], f"dimension {place}")
    return place


def check_vector(
    name: str, input: Tensor, dim: int, index: Tensor, *, from_end: bool = False
) -> tuple[int, Array]:
    """(`dim` from the front, a copy of the numbers), once the vector `index` is found to fit the input."""
    place = normalise_dim(name, dim, input.ndim)
    check_integers(name, index)
    check_together(name, input.array, index.array)
    if index.ndim > 1:
        raise ShapeError(f"{name}(): index must be a vector, got shape {index.shape}; use .reshape(-1)")
    check_range(name, index.array, input.shape[place], f"dimension {place}", from_end=from_end)
    return place, index.array.reshape(-1).copy()


def broadcast_shape(name: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that the shapes broadcast to; ShapeError if there is none."""
    try:
        return numpy.broadcast_shapes(*shapes)
    except ValueError:
        raise broadcast_error(name, shapes) from None


def one_dimensional(value: Any) -> Any:
    """A 0-d tensor as a vector of one element, which can be indexed; everything else as it is."""
    return reshape(value, 1) if isinstance(value, Tensor) and value.ndim == 0 else value
