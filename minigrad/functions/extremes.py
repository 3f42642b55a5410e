"""Floor 5: the largest and the smallest, and where they are; see functions/__init__.py."""

from typing import Any

from minigrad import ops
from minigrad.errors import normalise_dim
from minigrad.tensor import Tensor

from .along import MinAndMax, picked, reduced_count, reduced_dims, with_a_dimension
from .shape import Dims

__all__ = ["amax", "amin", "aminmax", "argmax", "argmin", "max", "min"]
METHODS = tuple(__all__)
IN_PLACE = ()


def _check_filled(name: str, input: Tensor, dims: tuple[int, ...] | None) -> None:
    """ValueError where one of no elements would have to be chosen."""
    if reduced_count(input.shape, dims) == 0:
        raise ValueError(
            f"{name}(): an empty dimension has no extreme value, got shape {input.shape}; "
            "check .numel() first, or reduce another dimension"
        )


def _extreme(name: str, op: Any, input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    """The largest or the smallest element over dimensions that have elements."""
    dims = reduced_dims(name, input, dim)
    _check_filled(name, input, dims)
    return op(input, dim=dims, keepdim=keepdim)


def amax(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The largest element over `dim`; ties share the gradient equally."""
    return _extreme("amax", ops.amax, input, dim, keepdim)


def amin(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The smallest element over `dim`; ties share the gradient equally."""
    return _extreme("amin", ops.amin, input, dim, keepdim)


def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> MinAndMax:
    """The smallest and the largest element, of all (dim=None) or along `dim`, as (min, max)."""
    smallest, largest = [_extreme("aminmax", op, input, dim, keepdim) for op in (ops.amin, ops.amax)]
    return MinAndMax(smallest, largest)


def _index(op: Any, input: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    place = None if dim is None else normalise_dim(op.name, dim, input.ndim)
    _check_filled(op.name, input, None if place is None or input.ndim == 0 else (place,))
    return op(input, dim=None if input.ndim == 0 else place, keepdim=keepdim)


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the first largest element, of all (dim=None) or along `dim`."""
    return _index(ops.argmax, input, dim, keepdim)


def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the first smallest element, of all (dim=None) or along `dim`."""
    return _index(ops.argmin, input, dim, keepdim)


@with_a_dimension
def _place(input: Tensor, op: Any, name: str, dim: int, keepdim: bool) -> Any:
    """max and min along a dimension: (values, indices)."""
    place = normalise_dim(name, dim, input.ndim)
    _check_filled(name, input, (place,))
    return picked(input, op(input, dim=place, keepdim=True), place, keepdim)


def max(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The largest element; along `dim`, (values, indices); of two tensors, the larger of each pair.

    Equals share the gradient of the largest of all elements; along a dimension only the first has it, which
    is the one that the index names.

    >>> import minigrad as mg
    >>> mg.max(mg.tensor([[1, 5, 2], [7, 3, 7]]), dim=1).indices
    tensor([1, 0])
    """
    if isinstance(dim, Tensor) or other is not None:
        return ops.maximum(input, dim if other is None else other)
    if dim is None:
        return _extreme("max", ops.amax, input, None, keepdim)
    return _place(input, ops.argmax, "max", dim, keepdim)


def min(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The smallest element; along `dim`, (values, indices); of two tensors, the smaller of each pair.

    Equals share the gradient as in `max`.
    """
    if isinstance(dim, Tensor) or other is not None:
        return ops.minimum(input, dim if other is None else other)
    if dim is None:
        return _extreme("min", ops.amin, input, None, keepdim)
    return _place(input, ops.argmin, "min", dim, keepdim)
