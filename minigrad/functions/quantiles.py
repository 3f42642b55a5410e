"""Floor 5: medians and quantiles; see functions/__init__.py."""

import math
from typing import Any

from minigrad import ops
from minigrad.backend import namespace
from minigrad.errors import DTypeError, normalise_dim
from minigrad.tensor import Tensor, wrap

from .along import picked, with_a_dimension
from .convert import to
from .sorting import sort

__all__ = ["median", "nanmedian", "nanquantile", "quantile"]
METHODS = tuple(__all__)
IN_PLACE = ()


def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle element, of two the lower; along `dim`, (values, indices). A nan makes it nan.

    >>> import minigrad as mg
    >>> mg.median(mg.tensor([4.0, 1.0, 3.0, 2.0]))
    tensor(2.)
    """
    return _median("median", input, dim, keepdim, skip_nan=False)


def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The median of those elements that are not nan."""
    return _median("nanmedian", input, dim, keepdim, skip_nan=True)


def _median(name: str, input: Tensor, dim: int | None, keepdim: bool, *, skip_nan: bool) -> Any:
    if dim is not None:
        return _median_along(input, name, dim, keepdim, skip_nan=skip_nan)
    if input.array.size:
        return ops.median_(input, skip_nan=skip_nan)
    if input.dtype.kind != "f":
        raise ValueError(f"{name}(): no integers have no median, got shape {input.shape}; use .float()")
    return ops.sum_(input) * math.nan


@with_a_dimension
def _median_along(input: Tensor, name: str, dim: int, keepdim: bool, *, skip_nan: bool) -> Any:
    place = normalise_dim(name, dim, input.ndim)
    if input.shape[place] == 0:
        raise ValueError(f"{name}(): dimension {place} of shape {input.shape} is empty and has no median")
    return picked(input, ops.median_index(input, dim=place, skip_nan=skip_nan), place, keepdim)


# ------------------------------------------------------------------------------------------------ quantiles

INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def quantile(
    input: Tensor,
    q: float | Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """The number below which a part `q` of the elements lies, 0 ≤ q ≤ 1; a nan makes it nan.

    Several quantiles (q a vector) stand along a new first dimension. Between two elements the result is
    interpolated: "linear", "lower", "higher", "midpoint" or "nearest".

    >>> import minigrad as mg
    >>> mg.quantile(mg.tensor([1.0, 2.0, 4.0]), 0.75)
    tensor(3.)
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation)


def nanquantile(
    input: Tensor,
    q: float | Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """The quantile of those elements that are not nan."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation)


def _quantile(
    name: str, input: Tensor, q: float | Tensor, dim: int | None, keepdim: bool, interpolation: str
) -> Tensor:
    """Bring the dimension to the end, find the quantiles there, and bring them to the front."""
    if input.dtype.kind != "f":
        raise DTypeError(f"{name}(): expected a floating dtype, got {input.dtype}; use .float()")
    if interpolation not in INTERPOLATIONS:
        raise ValueError(f"{name}(): interpolation must be one of {INTERPOLATIONS}, got {interpolation!r}")
    if input.dtype.itemsize == 2:  # which holds the numbers of no more than 2048 elements
        return to(_quantile(name, to(input, "float32"), q, dim, keepdim, interpolation), input.dtype)
    wanted = _probabilities(name, input, q)
    if dim is None or input.ndim == 0:
        shape = (1,) * input.ndim if keepdim else ()
        rows = ops.reshape(input, shape=(input.array.size,))
    else:
        place = normalise_dim(name, dim, input.ndim)
        others = [i for i in range(input.ndim) if i != place]
        shape = tuple(1 if i == place else n for i, n in enumerate(input.shape) if keepdim or i != place)
        rows = ops.permute(input, dims=(*others, place))
    if rows.shape[-1] == 0:
        raise ValueError(f"{name}(): no elements have no quantile, got shape {input.shape}")
    flat = ops.reshape(wanted, shape=(wanted.array.size,))
    found = _at_ranks(sort(rows).values, flat, interpolation, skip_nan=name == "nanquantile")  # (..., Q)
    last = found.ndim - 1
    return ops.reshape(ops.permute(found, dims=(last, *range(last))), shape=(*wanted.shape, *shape))


def _probabilities(name: str, input: Tensor, q: float | Tensor) -> Tensor:
    """q as a tensor of the type of the input, checked."""
    if isinstance(q, Tensor):
        wanted = to(q, input.dtype)
    else:
        wanted = wrap(namespace(input.array).asarray(q, dtype=input.dtype))
    if wanted.ndim > 1:
        raise ValueError(f"{name}(): q must be a number or a vector, got shape {wanted.shape}")
    if wanted.array.size:
        low, high = float(wanted.array.min()), float(wanted.array.max())
        if not (low >= 0 and high <= 1):
            raise ValueError(f"{name}(): q must lie between 0 and 1, got {low if low < 0 else high}")
    return wanted


def _at_ranks(rows: Tensor, q: Tensor, interpolation: str, *, skip_nan: bool) -> Tensor:
    """The elements at rank q (n - 1) of each row of n, which is in order; a broken rank lies between two."""
    last, size = rows.ndim - 1, rows.shape[-1]
    present = ops.sum_(ops.equal(rows, rows), dim=(last,), keepdim=True)  # (..., 1); nan differs from itself
    ranks = q * ops.clamp_(present - 1, low=0)  # (..., Q)
    if not skip_nan:
        ranks = ops.where(present < size, float(size - 1), ranks)  # where the nan stands
    below = to(ranks, "int64")
    rest = ranks - below
    if interpolation == "lower":
        return ops.gather(rows, below, dim=last)
    rounded_up = rest > 0
    if interpolation == "nearest":  # of two equally near, the one of even rank
        rounded_up = (rest > 0.5) | ((rest == 0.5) & ((below & 1) == 1))
    above = below + to(rounded_up, "int64")
    upper = ops.gather(rows, above, dim=last)
    if interpolation in ("higher", "nearest"):
        return upper
    lower = ops.gather(rows, below, dim=last)
    return lower + (upper - lower) * (0.5 if interpolation == "midpoint" else rest)
