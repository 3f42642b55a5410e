"""Floor 5: rounding of each element; see functions/__init__.py."""

from minigrad import ops
from minigrad.errors import DTypeError
from minigrad.ops import *
from minigrad.tensor import Tensor

fix = ops.trunc
sgn = ops.sign

__all__ = ["ceil", "fix", "floor", "frac", "round", "sgn", "sign", "trunc"]
METHODS = IN_PLACE = tuple(__all__)


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """Each element to so many decimals, a half to the even neighbour; decimals=-2 rounds to hundreds."""
    return ops.round_.fast(input, decimals=decimals)


def frac(input: Tensor) -> Tensor:
    """The digits after the point, with the sign of the number: input - trunc(input). Floating types only."""
    if input.dtype.kind != "f":
        raise DTypeError(f"frac(): expected a floating dtype, got {input.dtype}; of integers it is 0")
    return input - ops.trunc(input)
