"""Floor 5: functions that make one number of many; see functions/__init__.py."""

import math
from typing import Any

from minigrad import ops
from minigrad.backend import namespace
from minigrad.errors import DTypeError, normalise_dim, normalise_dims
from minigrad.tensor import Tensor, wrap

from .convert import to
from .shape import Dims, squeeze

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "log_softmax", "logsumexp", "max", "mean", "min",
    "softmax", "std", "sum", "var",
]  # fmt: skip
METHODS = tuple(__all__)
IN_PLACE = ()


def _reduced(name: str, input: Tensor, dim: Dims) -> tuple[int, ...] | None:
    """None when everything is reduced, else the dimensions from the front."""
    dims = None if dim is None else normalise_dims(name, dim, input.ndim)
    return dims if input.ndim else None  # a 0-d tensor accepts dim 0, and has nothing but its one element


def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over `dim` (an int, several, or all). Integers and bools are summed in int64.

    >>> import minigrad as mg
    >>> mg.sum(mg.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    converted = input if dtype is None else to(input, dtype)
    return ops.sum_.fast(converted, dim=_reduced("sum", input, dim), keepdim=keepdim)


def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over `dim`: the sum, divided by the number of elements. Floating types only."""
    converted = input if dtype is None else to(input, dtype)
    if converted.dtype.kind != "f":
        raise DTypeError(f"mean(): expected a floating dtype, got {converted.dtype}; use .float() or dtype=")
    if converted.dtype.itemsize == 2:  # the sum of many float16 would overflow
        return to(mean(to(converted, "float32"), dim, keepdim), converted.dtype)
    dims = _reduced("mean", input, dim)
    count = _count(input.shape, dims)
    total = ops.sum_(converted, dim=dims, keepdim=keepdim)
    return total / count if count else total * math.nan


def _count(shape: tuple[int, ...], dims: tuple[int, ...] | None) -> int:
    """How many elements are reduced to one."""
    return math.prod(shape if dims is None else [shape[d] for d in dims])


def var(input: Tensor, dim: Dims = None, *, correction: float = 1, keepdim: bool = False) -> Tensor:
    """The variance over `dim`, Σ (x - mean)² / (n - correction)."""
    return _variance("var", input, dim, correction, keepdim)


def std(input: Tensor, dim: Dims = None, *, correction: float = 1, keepdim: bool = False) -> Tensor:
    """The standard deviation over `dim`: the square root of `var`."""
    return ops.sqrt(_variance("std", input, dim, correction, keepdim))


def _variance(name: str, input: Tensor, dim: Dims, correction: float, keepdim: bool) -> Tensor:
    dims = _reduced(name, input, dim)
    if input.dtype.itemsize == 2:  # the sum of many float16 would overflow
        return to(_variance(name, to(input, "float32"), dim, correction, keepdim), input.dtype)
    centred = input - mean(input, dims, keepdim=True)
    freedom = _count(input.shape, dims) - correction
    total = ops.sum_(ops.power(centred, n=2), dim=dims, keepdim=keepdim)
    return total / freedom if freedom > 0 else total * math.nan


def _extreme(name: str, input: Tensor, dim: Any, keepdim: bool) -> Any:
    """max and min: of all elements, of two tensors, or (values, indices) along a dimension."""
    if isinstance(dim, Tensor):
        return (ops.maximum if name == "max" else ops.minimum)(input, dim)
    if input.array.size == 0 and (dim is None or input.shape[normalise_dim(name, dim, input.ndim)] == 0):
        raise ValueError(f"{name}(): an empty dimension has no {name}imum, got shape {input.shape}")
    if dim is None:
        return (ops.amax if name == "max" else ops.amin)(input)
    place = normalise_dim(name, dim, input.ndim)
    if input.ndim == 0:
        return ops.clone(input), wrap(namespace(input.array).zeros((), "int64"))
    index = (ops.argmax if name == "max" else ops.argmin)(input, dim=place, keepdim=True)
    values = ops.gather(input, index, dim=place)
    return (values, index) if keepdim else (squeeze(values, place), squeeze(index, place))


def max(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest element; along `dim`, (values, indices); of two tensors, the larger of each pair."""
    return _extreme("max", input, dim, keepdim)


def min(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest element; along `dim`, (values, indices); of two tensors, the smaller of each pair."""
    return _extreme("min", input, dim, keepdim)


def _filled(name: str, input: Tensor, dims: tuple[int, ...] | None) -> None:
    if _count(input.shape, dims) == 0:
        raise ValueError(f"{name}(): an empty dimension has no extreme value, got shape {input.shape}")


def amax(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The largest element over `dim`; ties share the gradient equally."""
    dims = _reduced("amax", input, dim)
    _filled("amax", input, dims)
    return ops.amax(input, dim=dims, keepdim=keepdim)


def amin(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The smallest element over `dim`; ties share the gradient equally."""
    dims = _reduced("amin", input, dim)
    _filled("amin", input, dims)
    return ops.amin(input, dim=dims, keepdim=keepdim)


def _index_of(op: Any, input: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    place = None if dim is None else normalise_dim(op.name, dim, input.ndim)
    _filled(op.name, input, None if place is None or input.ndim == 0 else (place,))
    return op(input, dim=None if input.ndim == 0 else place, keepdim=keepdim)


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the first largest element, of all (dim=None) or along `dim`."""
    return _index_of(ops.argmax, input, dim, keepdim)


def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the first smallest element, of all (dim=None) or along `dim`."""
    return _index_of(ops.argmin, input, dim, keepdim)


def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Do all elements along `dim` hold?"""
    return ops.all_(input, dim=_reduced("all", input, dim), keepdim=keepdim)


def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Does any element along `dim` hold?"""
    return ops.any_(input, dim=_reduced("any", input, dim), keepdim=keepdim)


def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False) -> Tensor:
    """ln Σ eˣ over `dim`, computed without overflow."""
    return ops.logsumexp(input, dim=_reduced("logsumexp", input, dim), keepdim=keepdim)


def softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """eˣ / Σ eˣ along `dim`."""
    return ops.softmax(
        input if dtype is None else to(input, dtype), dim=normalise_dim("softmax", dim, input.ndim)
    )


def log_softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """x - ln Σ eˣ along `dim`."""
    place = normalise_dim("log_softmax", dim, input.ndim)
    return ops.log_softmax(input if dtype is None else to(input, dtype), dim=place)
