"""What the functions that move elements ask of their arguments."""

from collections.abc import Sequence
from typing import Any

from minigrad import ops
from minigrad.backend import result_dtype
from minigrad.errors import ShapeError, normalise_dim
from minigrad.tensor import Tensor


def existing_dim(name: str, dim: int, input: Tensor) -> int:
    """`dim` counted from the front; unlike a reduction, a cut needs a dimension that is there."""
    if input.ndim == 0:
        raise ShapeError(f"{name}(): a 0-d tensor has no dimension to cut along; use .reshape(1) first")
    return normalise_dim(name, dim, input.ndim)


def two_dims(name: str, dim0: int, dim1: int, ndim: int) -> tuple[int, int]:
    """Two different dimensions, counted from the end."""
    first, second = normalise_dim(name, dim0, ndim), normalise_dim(name, dim1, ndim)
    if first == second:
        raise ShapeError(f"{name}(): got dimensions {dim0} and {dim1}, expected two different ones")
    return first - ndim, second - ndim


def check_ndim(name: str, input: Tensor, least: int) -> None:
    """ShapeError unless the input has at least so many dimensions."""
    if input.ndim < least:
        plural = "" if least == 1 else "s"
        raise ShapeError(f"{name}(): got shape {input.shape}, expected at least {least} dimension{plural}")


def checked_tensors(name: str, tensors: Sequence[Tensor]) -> list[Tensor]:
    """The tensors as a list; ValueError if there is none, TypeError at what is no Tensor."""
    items = list(tensors)
    if not items:
        raise ValueError(f"{name}(): expected at least one tensor, got none")
    for i, item in enumerate(items):
        if not isinstance(item, Tensor):
            raise TypeError(f"{name}(): expected tensors, got {type(item).__name__} at position {i}")
    return items


def of_one_type(name: str, tensors: Sequence[Tensor]) -> list[Tensor]:
    """The tensors, checked and brought to their common type."""
    items = checked_tensors(name, tensors)
    if len({item.dtype for item in items}) > 1:
        common = result_dtype([item.array for item in items])
        items = [ops.cast(item, dtype=common) for item in items]
    return items


def given_tensors(name: str, tensors: tuple) -> list[Tensor]:
    """`f(x, y)` and `f((x, y))` both mean the tensors x and y."""
    single = len(tensors) == 1 and isinstance(tensors[0], tuple | list)
    return checked_tensors(name, tensors[0] if single else tensors)
