"""Floor 5: functions that count, and that find the place of something; see functions/__init__.py."""

import math
from typing import Any

from minigrad import ops
from minigrad.creation import as_tensor
from minigrad.errors import DTypeError, ShapeError
from minigrad.tensor import Tensor

from .index import gather
from .index_checks import check_integers, check_range, one_dimensional
from .shape import reshape
from .splitting import unbind

__all__ = ["argwhere", "bincount", "bucketize", "histc", "isin", "nonzero", "searchsorted", "where"]
METHODS = ("argwhere", "bincount", "histc", "nonzero")
IN_PLACE = ()

# ------------------------------------------------------------------------------------------------ finding


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The places of the elements that are not 0: (count, ndim); as_tuple=True: one vector for each dimension.

    >>> import minigrad as mg
    >>> mg.nonzero(mg.tensor([[1.0, 0.0], [0.0, 2.0]])).tolist()
    [[0, 0], [1, 1]]
    """
    if as_tuple:  # where a 0-d tensor counts as a vector
        return unbind(ops.nonzero_(one_dimensional(input)), 1)
    return ops.nonzero_(input)


def argwhere(input: Tensor) -> Tensor:
    """The places of the elements that are not 0, one row for each: `nonzero`."""
    return nonzero(input)


def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """`input` where the condition holds, else `other`; with the condition alone, nonzero(as_tuple=True)."""
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    return ops.where(condition, input, other)


def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Is each element one of the test elements? Either may be a number; with invert=True: is it none of them?

    assume_unique=True promises that neither holds an element twice, which makes it quicker.
    """
    if not isinstance(elements, Tensor) and not isinstance(test_elements, Tensor):
        raise TypeError("isin(): expected a Tensor as elements or test_elements, got none")
    x, test = as_tensor(elements), as_tensor(test_elements)
    return ops.isin_(x, test, assume_unique=assume_unique, invert=invert)


def searchsorted(
    sorted_sequence: Tensor,
    values: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """The place of each value in the sorted sequence: before its equals, or with right=True after them.

    The sequence is a vector; or it has as many dimensions as the values, and is searched along the last one,
    row by row. `sorter` is the order (argsort) that would sort it. side="right" is right=True.
    """
    if side not in (None, "left", "right"):
        raise ValueError(f"searchsorted(): side must be 'left' or 'right', got {side!r}")
    if side == "left" and right:
        raise ValueError("searchsorted(): side='left' and right=True contradict each other; give one of them")
    sequence, v = sorted_sequence, as_tensor(values)
    if sequence.ndim == 0 or (sequence.ndim > 1 and sequence.shape[:-1] != v.shape[:-1]):
        raise ShapeError(
            f"searchsorted(): a sequence of shape {sequence.shape} does not fit values of shape {v.shape}; "
            "it must be a vector, or have the same sizes but for the last dimension"
        )
    if sorter is not None:
        if sorter.shape != sequence.shape:
            raise ShapeError(f"searchsorted(): sorter of shape {sorter.shape}, expected {sequence.shape}")
        sequence = gather(sequence, -1, sorter)
    dtype = "int32" if out_int32 else "int64"
    return ops.searchsorted_(sequence, v, right=right or side == "right", dtype=dtype)


def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The bucket of each number: i if boundaries[i-1] < x <= boundaries[i], with right=True <= x <."""
    if boundaries.ndim != 1:
        raise ShapeError(f"bucketize(): boundaries must be a vector, got shape {boundaries.shape}")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


# ------------------------------------------------------------------------------------------------ counting


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each of the numbers 0, 1, ... stands in a vector, or the sum of its weights; differentiable.

    The result has at least `minlength` entries, else one more than the largest number.
    """
    check_integers("bincount", input, "input")
    if input.ndim != 1:
        raise ShapeError(f"bincount(): input must be a vector, got shape {input.shape}; use .reshape(-1)")
    if minlength < 0:
        raise ValueError(f"bincount(): minlength must not be negative, got {minlength}")
    if weights is not None and weights.shape != input.shape:
        raise ShapeError(f"bincount(): weights of shape {weights.shape}, expected the input's {input.shape}")
    if input.array.size and (low := int(input.array.min())) < 0:
        raise ValueError(f"bincount(): input must not be negative, got {low}")
    return ops.bincount_(input, weights, minlength=minlength)


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements lie in each of `bins` equal parts of [min, max]; others, and nan, are not counted.

    Where min equals max, they are the smallest and the largest element.
    """
    if input.dtype.kind != "f":
        raise DTypeError(f"histc(): expected a floating dtype, got {input.dtype}; use .float()")
    if bins <= 0:
        raise ValueError(f"histc(): bins must be positive, got {bins}")
    low, high = min, max
    if low == high and input.array.size:
        low, high = float(input.array.min()), float(input.array.max())
    if low == high:
        low, high = low - 1, high + 1
    if not (low < high and math.isfinite(high - low)):
        raise ValueError(f"histc(): expected a finite range with min < max, got [{low}, {high}]")
    return ops.histc_(input, bins=bins, low=low, high=high)
