"""Floor 5: powers, exponentials, logarithms, and the functions made of them; see functions/__init__.py."""

from typing import Any

from minigrad import ops
from minigrad.backend import float64
from minigrad.errors import DTypeError
from minigrad.ops import *
from minigrad.tensor import Tensor

from .convert import to

__all__ = [
    "digamma", "erf", "erfc", "erfinv", "exp", "exp2", "expm1", "float_power", "gelu", "ldexp", "lgamma",
    "log", "log1p", "log2", "log10", "logaddexp", "logaddexp2", "logit", "polygamma", "pow", "rsqrt",
    "sigmoid", "softplus", "sqrt", "square", "xlogy",
]  # fmt: skip
METHODS = tuple(name for name in __all__ if name not in ("gelu", "softplus", "polygamma"))
IN_PLACE = tuple(name for name in METHODS if not name.startswith("logaddexp"))

# ------------------------------------------------------------------------------------------------ powers


def pow(input: Any, exponent: Any) -> Tensor:
    """input ** exponent, for numbers and tensors."""
    if isinstance(input, Tensor) and isinstance(exponent, int | float) and input.dtype.kind == "f":
        return ops.power(input, n=exponent)
    if isinstance(input, Tensor) and isinstance(exponent, int) and exponent < 0:
        raise ValueError(
            f"pow(): integers to the negative power {exponent} are not integers; use .float() first"
        )
    if getattr(input, "dtype", None) == getattr(exponent, "dtype", None) == "bool":
        raise DTypeError("pow(): expected numbers, got bools to the power of bools; use .int() first")
    return ops.pow_(input, exponent)


def float_power(input: Any, exponent: Any) -> Tensor:
    """input ** exponent in float64."""
    wide = [to(a, float64) if isinstance(a, Tensor) else float(a) for a in (input, exponent)]
    return pow(*wide)


def square(input: Tensor) -> Tensor:
    """input², element by element."""
    return ops.power(input, n=2)


def ldexp(input: Tensor, other: Tensor) -> Tensor:
    """input · 2 ** other."""
    return input * pow(2.0, other)


# ------------------------------------------------------------------------------------------------ curves


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """ln(input / (1 - input)), the inverse of sigmoid; the input is first limited to [eps, 1 - eps]."""
    return ops.logit_(input, eps=eps)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """ln(1 + eᵝˣ) / β, element by element; the input itself where βx is above the threshold."""
    return ops.softplus_(input, beta=beta, threshold=threshold)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x Φ(x); approximate="tanh" uses the tanh formula of Hendrycks & Gimpel 2016, eq. 2."""
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu(): approximate must be 'none' or 'tanh', got {approximate!r}")
    return ops.gelu_(input, approximate=approximate)


def digamma(input: Tensor) -> Tensor:
    """ψ(x), the derivative of lgamma."""
    return ops.polygamma_(input, n=0)


def polygamma(n: int, input: Tensor) -> Tensor:
    """The n-th derivative of digamma, for n = 0, 1, 2, ..."""
    if n < 0:
        raise ValueError(f"polygamma(): n must be 0 or more, got {n}; n=0 is digamma")
    return ops.polygamma_(input, n=n)
