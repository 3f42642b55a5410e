"""Floor 5: comparisons, and logic, whole and bit by bit; see functions/__init__.py."""

from typing import Any

from minigrad import ops
from minigrad.ops import *
from minigrad.tensor import Tensor

eq, ne, lt, le, gt, ge = (
    *(ops.equal, ops.not_equal, ops.less),
    *(ops.less_equal, ops.greater, ops.greater_equal),
)
bitwise_not, bitwise_left_shift, bitwise_right_shift = ops.invert, ops.left_shift, ops.right_shift

IN_PLACE = (
    "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor",
    "eq", "gcd", "ge", "greater", "greater_equal", "gt", "lcm", "le", "less", "less_equal", "logical_and",
    "logical_not", "logical_or", "logical_xor", "lt", "ne", "not_equal",
)  # fmt: skip
METHODS = (
    *IN_PLACE,
    *("allclose", "equal", "isclose", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "signbit"),
)
__all__ = list(METHODS)


def equal(input: Tensor, other: Any) -> bool:
    """Are the two of one shape, and alike element by element? A Python bool; `eq` compares one by one."""
    if not isinstance(other, Tensor):
        kind = type(other).__name__
        raise TypeError(f"equal(): expected a Tensor as other, got {kind}; use == for numbers")
    return input.shape == other.shape and bool((input == other).all())


def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor:
    """Is |input - other| ≤ atol + rtol |other|, element by element? NaN is close to NaN if `equal_nan`."""
    if rtol < 0 or atol < 0:
        raise ValueError(f"isclose(): rtol and atol must be 0 or more, got {rtol} and {atol}")
    return ops.isclose_(input, other, rtol=rtol, atol=atol, equal_nan=equal_nan)


def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    """Are all elements close in the sense of `isclose`? A Python bool."""
    return bool(isclose(input, other, rtol, atol, equal_nan).all())
