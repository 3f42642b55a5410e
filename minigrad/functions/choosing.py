"""Floor 5: the larger, what lies between limits, what a mask chooses; see functions/__init__.py."""

import math
from typing import Any

from minigrad import ops
from minigrad.backend import result_dtype
from minigrad.errors import DTypeError, ShapeError
from minigrad.ops import *
from minigrad.tensor import Tensor

from .convert import to

__all__ = [
    "clamp", "clamp_max", "clamp_min", "clip", "fmax", "fmin", "heaviside", "masked_fill", "maximum",
    "minimum", "nan_to_num", "relu",
]  # fmt: skip
METHODS = tuple(__all__)
IN_PLACE = (
    "clamp", "clamp_max", "clamp_min", "clip", "heaviside", "masked_fill", "nan_to_num", "relu",
)  # fmt: skip


def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """input limited to [min, max], numbers or tensors; at least one limit must be given.

    >>> import minigrad as mg
    >>> mg.clamp(mg.tensor([-2.0, 0.5, 2.0]), min=-1, max=mg.tensor([0.0, 0.0, 1.0]))
    tensor([-1.,  0.,  1.])
    """
    if min is None and max is None:
        raise ValueError("clamp(): at least one of min and max must be given")
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        return ops.clip_(input, min, max)
    if input.dtype.kind != "f":
        input = to(input, result_dtype([input.array, *[limit for limit in (min, max) if limit is not None]]))
    return ops.clamp_(input, low=min, high=max)


clip = clamp


def clamp_min(input: Tensor, min: Any) -> Tensor:
    """input, but at least `min`, a number or a tensor."""
    return clamp(input, min=min)


def clamp_max(input: Tensor, max: Any) -> Tensor:
    """input, but at most `max`, a number or a tensor."""
    return clamp(input, max=max)


def nan_to_num(
    input: Tensor, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """input with numbers for what is none: `nan` for NaN, the largest of its type for the infinities."""
    return ops.nan_to_num_(input, nan=nan, posinf=posinf, neginf=neginf)


def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """`value`, a number or a 0-d tensor, where the bool mask holds, elsewhere the input."""
    if getattr(mask, "dtype", None) != "bool":
        raise DTypeError(
            f"masked_fill(): mask must be bool, got {getattr(mask, 'dtype', type(mask).__name__)}"
        )
    return ops.where(mask, _like(input, value), input)


def _like(input: Tensor, value: Any) -> Any:
    """A value as one of the input's type, so that it never changes the type of the result."""
    if isinstance(value, Tensor):
        if value.ndim:
            raise ShapeError(
                f"masked_fill(): value must be a number or 0-d, got shape {value.shape}; use where()"
            )
        return to(value, input.dtype)
    if input.dtype.kind != "f" and not math.isfinite(value):
        raise ValueError(f"masked_fill(): {value} cannot be held by {input.dtype}; use .float() first")
    return input.dtype.type(value).item()
