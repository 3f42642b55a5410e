"""Floor 5: arithmetic on each element; see functions/__init__.py."""

import math
from typing import Any

from minigrad import ops
from minigrad.backend import result_dtype
from minigrad.errors import DTypeError
from minigrad.ops import *
from minigrad.tensor import Tensor

from .convert import to

abs = absolute = ops.abs_
negative = ops.neg
multiply = ops.mul

__all__ = [
    "abs", "absolute", "add", "addcdiv", "addcmul", "copysign", "deg2rad", "div", "divide", "floor_divide",
    "fmod", "lerp", "mul", "multiply", "neg", "negative", "positive", "rad2deg", "reciprocal", "remainder",
    "rsub", "sub", "subtract", "true_divide",
]  # fmt: skip
METHODS = tuple(name for name in __all__ if name != "rsub")
IN_PLACE = tuple(name for name in METHODS if name != "positive")

_add, _sub, _mul, _div = ops.add.fast, ops.sub.fast, ops.mul.fast, ops.div.fast  # 0.4 µs less than the cards


# ------------------------------------------------------------------------------------------------ sums


def add(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """input + alpha other.

    >>> import minigrad as mg
    >>> mg.add(mg.tensor([1.0, 2.0]), mg.tensor([3.0, 4.0]), alpha=10)
    tensor([31., 42.])
    """
    return _add(input, other) if alpha == 1 else _add(input, _times("add", alpha, other, input))


def sub(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """input - alpha other."""
    return _sub(input, other) if alpha == 1 else _sub(input, _times("sub", alpha, other, input))


def rsub(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """other - alpha input."""
    return sub(other, input, alpha=alpha)


subtract = sub


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """input + value tensor1 tensor2."""
    return input + _times("addcmul", value, tensor1, input, tensor2) * tensor2


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """input + value tensor1 / tensor2."""
    return input + _times("addcdiv", value, tensor1, input, tensor2) / tensor2


def _times(name: str, factor: float, x: Any, *others: Any) -> Any:
    """factor x, in the common type of x and the other operands; DTypeError if that cannot hold the factor."""
    common = result_dtype([getattr(operand, "array", operand) for operand in (x, *others)])
    if common.kind != "f" and isinstance(factor, float):
        raise DTypeError(f"{name}(): expected a whole number as factor beside {common}, got {factor}")
    wide = to(x, common) if isinstance(x, Tensor) else x
    return wide if factor == 1 else wide * common.type(factor).item()


# ------------------------------------------------------------------------------------------------ products


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """input / other; rounding_mode="trunc" or "floor" rounds it towards 0, or down.

    Integers give floating numbers, but integers again where they are rounded.
    """
    if rounding_mode is None:
        return _div(input, other)
    if rounding_mode == "floor":
        return ops.floor_divide(input, other)
    if rounding_mode != "trunc":
        raise ValueError(
            f"div(): rounding_mode must be None (exact), 'trunc' or 'floor', got {rounding_mode!r}"
        )
    if result_dtype([getattr(operand, "array", operand) for operand in (input, other)]).kind == "f":
        return ops.trunc(_div(input, other))
    return ops.floor_divide(input - ops.fmod(input, other), other)


divide = true_divide = div


def positive(input: Tensor) -> Tensor:
    """The tensor itself: what `+x` is. DTypeError for bools."""
    if input.dtype.kind == "b":
        raise DTypeError("positive(): expected integer or floating numbers, got bool; use .int() first")
    return input


def deg2rad(input: Tensor) -> Tensor:
    """Degrees as radians: input π / 180."""
    return _mul(input, math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """Radians as degrees: input 180 / π."""
    return _mul(input, 180 / math.pi)
