"""Floor 5: functions that make one number of many; see functions/__init__.py."""

import math
from typing import Any

from minigrad import ops
from minigrad.errors import DTypeError, ShapeError, normalise_dim
from minigrad.tensor import Tensor

from .along import reduced_count, reduced_dims
from .convert import to
from .shape import Dims

__all__ = [
    "all", "any", "count_nonzero", "log_softmax", "logsumexp", "mean", "nanmean", "nansum", "norm", "prod",
    "softmax", "std", "std_mean", "sum", "var", "var_mean",
]  # fmt: skip
METHODS = tuple(name for name in __all__ if name not in ("std_mean", "var_mean"))
IN_PLACE = ()


def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over `dim` (an int, several, or all). Integers and bools are summed in int64.

    >>> import minigrad as mg
    >>> mg.sum(mg.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    converted = input if dtype is None else to(input, dtype)
    return ops.sum_.fast(converted, dim=reduced_dims("sum", input, dim), keepdim=keepdim)


def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The product over `dim`, one dimension or all; the gradient is right at zeros, too."""
    place = None if dim is None else normalise_dim("prod", dim, input.ndim)
    converted = input if dtype is None else to(input, dtype)
    return ops.prod(converted, dim=place if input.ndim else None, keepdim=keepdim)


# ------------------------------------------------------------------------------------------------ moments


def _check_floating(name: str, input: Tensor) -> None:
    """DTypeError for integers and bools."""
    if input.dtype.kind != "f":
        raise DTypeError(f"{name}(): expected a floating dtype, got {input.dtype}; use .float() first")


def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over `dim`: the sum, divided by the number of elements. Floating types only."""
    converted = input if dtype is None else to(input, dtype)
    _check_floating("mean", converted)
    if converted.dtype.itemsize == 2:  # the sum of many float16 would overflow
        return to(mean(to(converted, "float32"), dim, keepdim), converted.dtype)
    dims = reduced_dims("mean", input, dim)
    return ops.sum_(converted, dim=dims, keepdim=keepdim) / reduced_count(input.shape, dims)


def var(
    input: Tensor,
    dim: Dims | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The variance over `dim`, Σ (x - mean)² / (n - correction).

    The correction is 1 unless told otherwise; unbiased=False is PyTorch's older name for correction=0.
    """
    return _moments("var", input, dim, unbiased, keepdim, correction)[0]


def std(
    input: Tensor,
    dim: Dims | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The standard deviation over `dim`: the square root of `var`. Where it is 0 so is its gradient."""
    return _moments("std", input, dim, unbiased, keepdim, correction)[0]


def var_mean(
    input: Tensor,
    dim: Dims | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The variance and the mean over `dim`, which share a pass."""
    spread, average = _moments("var_mean", input, dim, unbiased, keepdim, correction)
    return spread, ops.reshape(average, shape=spread.shape)


def std_mean(
    input: Tensor,
    dim: Dims | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The standard deviation and the mean over `dim`, which share a pass."""
    spread, average = _moments("std_mean", input, dim, unbiased, keepdim, correction)
    return spread, ops.reshape(average, shape=spread.shape)


def _moments(
    name: str,
    input: Tensor,
    dim: Dims | bool,
    unbiased: bool | None,
    keepdim: bool,
    correction: float | None,
) -> tuple[Tensor, Tensor]:
    """The variance or the standard deviation, and the mean with its dimensions kept."""
    _check_floating(name, input)
    if isinstance(dim, bool):  # PyTorch's older form, var(x, unbiased)
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError(f"{name}(): got both unbiased={unbiased} and correction={correction}; give one")
    if input.dtype.itemsize == 2:  # the sum of many float16 would overflow
        found = _moments(name, to(input, "float32"), dim, unbiased, keepdim, correction)
        return to(found[0], input.dtype), to(found[1], input.dtype)
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    dims = reduced_dims(name, input, dim)
    count = reduced_count(input.shape, dims)
    average = ops.sum_(input, dim=dims, keepdim=True) / count
    centred, freedom = input - average, max(count - correction, 0)
    if name.startswith("std"):  # the norm has the gradient 0 at 0, which the root has not
        spread = ops.vector_norm(centred, dim=dims, keepdim=keepdim) / math.sqrt(freedom)
    else:
        spread = ops.sum_(ops.power(centred, n=2), dim=dims, keepdim=keepdim) / freedom
    return spread, average


# ------------------------------------------------------------------------------------------------ norms


def norm(
    input: Tensor,
    p: float | str | None = "fro",
    dim: Dims = None,
    keepdim: bool = False,
    dtype: Any = None,
) -> Tensor:
    """(Σ |x|ᵖ)^(1/p) over `dim`, for every number p; p="fro" means 2. Where it is 0 so is its gradient.

    For p = inf it is the largest |x|, for p = -inf the smallest, for p = 0 the number of elements not 0.
    """
    if isinstance(p, str) and p != "fro":
        raise ValueError(f"norm(): p must be a number or 'fro', got {p!r}; linalg.norm has norms of matrices")
    order = 2.0 if p is None or isinstance(p, str) else float(p)
    converted = input if dtype is None else to(input, dtype)
    _check_floating("norm", converted)
    dims = reduced_dims("norm", input, dim)
    if (order < 0 or order == math.inf) and reduced_count(input.shape, dims) == 0:
        raise ShapeError(f"norm(): p = {order} has no value for no elements, got shape {input.shape}")
    return ops.vector_norm(converted, ord=order, dim=dims, keepdim=keepdim)


# ------------------------------------------------------------------------------------------------ without nan


def nansum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over `dim` of those elements that are not nan."""
    converted = input if dtype is None else to(input, dtype)
    dims = reduced_dims("nansum", input, dim)
    return ops.sum_(_without_nan(converted), dim=dims, keepdim=keepdim)


def nanmean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over `dim` of those elements that are not nan."""
    converted = input if dtype is None else to(input, dtype)
    _check_floating("nanmean", converted)
    if converted.dtype.itemsize == 2:  # the sum of many float16 would overflow
        return to(nanmean(to(converted, "float32"), dim, keepdim), converted.dtype)
    dims = reduced_dims("nanmean", input, dim)
    count = ops.sum_(ops.equal(converted, converted), dim=dims, keepdim=keepdim)  # nan differs from itself
    return ops.sum_(_without_nan(converted), dim=dims, keepdim=keepdim) / count


def _without_nan(input: Tensor) -> Tensor:
    """The tensor with 0 in place of nan."""
    return ops.where(ops.isnan(input), 0, input) if input.dtype.kind == "f" else input


def count_nonzero(input: Tensor, dim: Dims = None) -> Tensor:
    """How many elements over `dim` are not 0; a nan is not."""
    return ops.sum_(ops.not_equal(input, 0), dim=reduced_dims("count_nonzero", input, dim))


# ------------------------------------------------------------------------------------------------ logic


def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Do all elements along `dim` hold?"""
    return _logical(ops.all_, input, dim, keepdim)


def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Does any element along `dim` hold?"""
    return _logical(ops.any_, input, dim, keepdim)


def _logical(op: Any, input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    """A bool; for uint8, in which PyTorch once kept bools, a uint8."""
    found = op(input, dim=reduced_dims(op.name, input, dim), keepdim=keepdim)
    return to(found, "uint8") if input.dtype.name == "uint8" else found


# ------------------------------------------------------------------------------------------------ softmax


def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False) -> Tensor:
    """ln Σ eˣ over `dim`, computed without overflow."""
    return ops.logsumexp(input, dim=reduced_dims("logsumexp", input, dim), keepdim=keepdim)


def softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """eˣ / Σ eˣ along `dim`."""
    place = normalise_dim("softmax", dim, input.ndim)
    return ops.softmax.fast(input if dtype is None else to(input, dtype), dim=place)


def log_softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """x - ln Σ eˣ along `dim`."""
    place = normalise_dim("log_softmax", dim, input.ndim)
    return ops.log_softmax.fast(input if dtype is None else to(input, dtype), dim=place)
