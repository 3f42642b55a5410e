"""Floor 5: functions of each element; see functions/__init__.py."""

from typing import Any

from minigrad import ops
from minigrad.backend import default_dtype
from minigrad.errors import DTypeError
from minigrad.ops import *
from minigrad.tensor import Tensor

from .convert import to

abs = ops.abs_
eq, ne, lt, le, gt, ge = (
    *(ops.equal, ops.not_equal, ops.less),
    *(ops.less_equal, ops.greater, ops.greater_equal),
)

__all__ = [
    "abs", "add", "clamp", "cos", "div", "eq", "erf", "exp", "expm1", "ge", "gelu", "gt", "isfinite",
    "isinf", "isnan", "le", "log", "log1p", "logical_and", "logical_not", "logical_or", "lt",
    "masked_fill", "maximum", "minimum", "mul", "ne", "neg", "pow", "relu", "sigmoid", "sign", "sin",
    "softplus", "sqrt", "square", "sub", "tanh",
]  # fmt: skip
METHODS = tuple(name for name in __all__ if name not in ("gelu", "softplus"))
IN_PLACE = (
    *("abs", "add", "clamp", "div", "exp", "log", "masked_fill", "mul"),
    *("neg", "pow", "relu", "sigmoid", "sqrt", "sub", "tanh"),
)


def pow(input: Any, exponent: Any) -> Tensor:
    """input ** exponent, for numbers and tensors."""
    if isinstance(input, Tensor) and isinstance(exponent, int | float) and input.dtype.kind == "f":
        return ops.power(input, n=exponent)
    if isinstance(input, Tensor) and isinstance(exponent, int) and exponent < 0:
        raise ValueError(
            f"pow(): integers to the negative power {exponent} are not integers; use .float() first"
        )
    return ops.pow_(input, exponent)


def square(input: Tensor) -> Tensor:
    """input², element by element."""
    return ops.power(input, n=2)


def clamp(input: Tensor, min: float | None = None, max: float | None = None) -> Tensor:
    """input limited to [min, max]; at least one limit must be given."""
    if min is None and max is None:
        raise ValueError("clamp(): at least one of min and max must be given")
    if input.dtype.kind != "f" and (isinstance(min, float) or isinstance(max, float)):
        input = to(input, default_dtype())
    return ops.clamp_(input, low=min, high=max)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """ln(1 + eᵝˣ) / β, element by element; the input itself where βx is above the threshold."""
    return ops.softplus_(input, beta=beta, threshold=threshold)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x Φ(x); approximate="tanh" uses the tanh formula of Hendrycks & Gimpel 2016, eq. 2."""
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu(): approximate must be 'none' or 'tanh', got {approximate!r}")
    return ops.gelu_(input, approximate=approximate)


def masked_fill(input: Tensor, mask: Tensor, value: float) -> Tensor:
    """`value` where the bool mask holds, elsewhere the input."""
    if getattr(mask, "dtype", None) != "bool":
        raise DTypeError(
            f"masked_fill(): mask must be bool, got {getattr(mask, 'dtype', type(mask).__name__)}"
        )
    return ops.where(mask, _like(input, value), input)


def _like(input: Tensor, value: Any) -> Any:
    """A Python number as one of the input's type, so that it never changes the type of the result."""
    return value if isinstance(value, Tensor) else input.dtype.type(value).item()
