"""Floor 5: running sums, products and extremes; see functions/__init__.py."""

from typing import Any

from minigrad import ops
from minigrad.errors import normalise_dim
from minigrad.tensor import Tensor

from .along import ValuesAndIndices, picked, with_a_dimension
from .convert import to

__all__ = ["cummax", "cummin", "cumprod", "cumsum", "logcumsumexp"]
METHODS = tuple(__all__)
IN_PLACE = ("cumprod", "cumsum")


@with_a_dimension
def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The sums of all elements up to each one along `dim`. Integers and bools are summed in int64.

    >>> import minigrad as mg
    >>> mg.cumsum(mg.tensor([1, 2, 3]), dim=0)
    tensor([1, 3, 6])
    """
    place = normalise_dim("cumsum", dim, input.ndim)
    return ops.cumsum(input if dtype is None else to(input, dtype), dim=place)


@with_a_dimension
def cumprod(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The products of all elements up to each one along `dim`; the gradient is right at zeros, too."""
    place = normalise_dim("cumprod", dim, input.ndim)
    return ops.cumprod(input if dtype is None else to(input, dtype), dim=place)


@with_a_dimension
def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """ln of the cumulative sums of eˣ along `dim`, computed without overflow."""
    return ops.logcumsumexp(input, dim=normalise_dim("logcumsumexp", dim, input.ndim))


@with_a_dimension
def cummax(input: Tensor, dim: int) -> ValuesAndIndices:
    """(values, indices): the largest of all elements up to each one along `dim`, of equals the last."""
    place = normalise_dim("cummax", dim, input.ndim)
    return picked(input, ops.running_argmax(input, dim=place), place)


@with_a_dimension
def cummin(input: Tensor, dim: int) -> ValuesAndIndices:
    """(values, indices): the smallest of all elements up to each one along `dim`, of equals the last."""
    place = normalise_dim("cummin", dim, input.ndim)
    return picked(input, ops.running_argmax(input, dim=place, largest=False), place)
