"""Activations: the functions between two layers.

One with an argument `inplace` writes its result into the input where that is asked for, and is also there as
`relu_` and so on, where PyTorch has it.
"""

from collections.abc import Callable
from typing import Any

from minigrad import ops
from minigrad.creation import arange
from minigrad.errors import ShapeError, normalise_dim
from minigrad.functions import argmax, gelu, log_softmax, masked_fill, softmax, softplus, split
from minigrad.generator import Generator, default_generator
from minigrad.inplace import in_place
from minigrad.ops import logsigmoid, sigmoid, softsign, tanh
from minigrad.tensor import Tensor, wrap

from .checks import check_tensors, tensor_expected

__all__ = [
    "celu", "celu_", "elu", "elu_", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid",
    "hardswish", "hardtanh", "hardtanh_", "leaky_relu", "leaky_relu_", "log_softmax", "logsigmoid", "mish",
    "prelu", "relu", "relu6", "relu_", "rrelu", "rrelu_", "selu", "selu_", "sigmoid", "silu", "softmax",
    "softmin", "softplus", "softshrink", "softsign", "tanh", "tanhshrink", "threshold", "threshold_",
]  # fmt: skip

SELU_ALPHA, SELU_SCALE = 1.6732632423543772848, 1.0507009873554804934  # Klambauer et al. 2017, eq. 2


def applied(name: str, function: Callable, input: Tensor, inplace: bool, **options: Any) -> Tensor:
    """function(input), written into the input itself if `inplace`."""
    if not isinstance(input, Tensor):
        raise tensor_expected(f"{name}()", input)
    return (in_place(function, f"{name}_") if inplace else function)(input, **options)


# --------------------------------------------------------------------------------------------- straight lines


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, else `value`."""
    check_tensors("threshold", input)
    return applied("threshold", masked_fill, input, inplace, mask=input <= threshold, value=value)


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0); its derivative at 0 is 0."""
    return applied("relu", ops.relu, input, inplace)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6)    (Krizhevsky 2010)"""
    return applied("relu6", ops.hardtanh, input, inplace, low=0.0, high=6.0)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x limited to [min_val, max_val]; unlike that of `clamp` its derivative at the limits is 0."""
    if min_val > max_val:
        raise ValueError(f"hardtanh(): min_val={min_val} is larger than max_val={max_val}")
    return applied("hardtanh", ops.hardtanh, input, inplace, low=min_val, high=max_val)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """x / 6 + 1/2 limited to [0, 1]."""
    return applied("hardsigmoid", ops.hardsigmoid, input, inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x hardsigmoid(x)    (Howard et al. 2019, "Searching for MobileNetV3", §5.2)"""
    return applied("hardswish", ops.hardswish, input, inplace)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, else negative_slope x."""
    return applied("leaky_relu", ops.leaky_relu, input, inplace, negative_slope=negative_slope)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, else w x; one w for all, or one for each channel, which dimension 1 counts."""
    check_tensors("prelu", input, weight)
    channels = input.shape[1] if input.ndim > 1 else 1
    if weight.ndim > 1 or weight.array.size not in (1, channels):
        raise ShapeError(f"prelu(): weight {weight.shape}, expected (1,) or {(channels,)} for {input.shape}")
    if weight.array.size != 1:
        weight = weight.reshape(channels, *[1] * (input.ndim - 2))  # (C, 1, ...)
    return ops.prelu(input, weight if input.ndim else weight.reshape(()))


def rrelu(
    input: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """x where x > 0, else a x with a uniform in [lower, upper); not in `training`, a is their mean."""
    if lower > upper:
        raise ValueError(f"rrelu(): lower={lower} is larger than upper={upper}")
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    slopes = _uniform(input, generator) * (upper - lower) + lower
    return applied("rrelu", ops.prelu, input, inplace, weight=slopes.to(input.dtype))


def _uniform(input: Tensor, generator: Generator | None) -> Tensor:
    """Uniform numbers in [0, 1), float64, one for each element of the input."""
    return wrap((generator or default_generator()).uniform(input.shape, where=input.device))


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x where |x| > λ, else 0."""
    check_tensors("hardshrink", input)
    return input * (abs(input.detach()) > lambd)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved by λ towards 0, and 0 where |x| ≤ λ."""
    if lambd < 0:
        raise ValueError(f"softshrink(): lambd={lambd}, expected a number that is not negative")
    return ops.softshrink(input, lambd=lambd)


# ------------------------------------------------------------------------------------------------ curves


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else α (eˣ - 1)    (Clevert, Unterthiner and Hochreiter 2016, eq. 15)"""
    if alpha < 0:  # the card reads the slope off the sign of its output
        return applied("elu", _folded_elu, input, inplace, alpha=alpha)
    return applied("elu", ops.elu_, input, inplace, alpha=alpha)


def _folded_elu(input: Tensor, alpha: float) -> Tensor:
    return ops.where(input > 0, input, -ops.elu_(input, alpha=-alpha))


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """s elu(x, α), with the constants that keep mean 0 and variance 1    (Klambauer et al. 2017, eq. 2)"""
    return applied("selu", ops.elu_, input, inplace, alpha=SELU_ALPHA, scale=SELU_SCALE)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else α (e^{x/α} - 1)    (Barron 2017, eq. 2)"""
    if alpha == 0:
        raise ValueError("celu(): alpha=0 divides by zero; relu() is the limit")
    return applied("celu", ops.elu_, input, inplace, alpha=alpha, input_scale=1 / alpha)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x σ(x), also called swish    (Elfwing, Uchibe and Doya 2017)"""
    return applied("silu", ops.silu, input, inplace)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x tanh softplus x    (Misra 2020)"""
    return applied("mish", ops.mish, input, inplace)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh x"""
    return input - tanh(input)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a σ(b), where a and b are the two halves of the input along `dim`    (Dauphin et al. 2017, eq. 1)"""
    check_tensors("glu", input)
    place = normalise_dim("glu", dim, input.ndim)
    if input.ndim == 0 or input.shape[place] % 2:
        raise ShapeError(f"glu(): input {input.shape}, expected an even size along dimension {dim}")
    half = input.shape[place] // 2
    a, b = split(input, [half, half], place)
    return a * sigmoid(b)


# ----------------------------------------------------------------------------------------- the softmax family


def softmin(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """e⁻ˣ / Σ e⁻ˣ along `dim`."""
    return softmax(-input, dim, dtype=dtype)


def gumbel_softmax(
    logits: Tensor,
    tau: float = 1.0,
    hard: bool = False,
    *,
    dim: int = -1,
    generator: Generator | None = None,
) -> Tensor:
    """softmax((x + γ) / τ) with γ from the Gumbel distribution    (Jang, Gu and Poole 2017, eq. 2)

    With hard=True the value is one-hot, at the largest entry, and the gradient that of the soft sample.
    """
    exponential = -ops.log1p(-_uniform(logits, generator)) + 2.0**-64  # never 0: its logarithm is taken
    gumbel = -ops.log(exponential)
    soft = softmax((logits + gumbel.to(logits.dtype)) / tau, dim)
    if not hard:
        return soft
    place = normalise_dim("gumbel_softmax", dim, logits.ndim)
    numbers = arange(logits.shape[place], device=logits.device).reshape(-1, *[1] * (logits.ndim - 1 - place))
    sharp = numbers == argmax(soft, place, keepdim=True)  # one True along `dim`
    return sharp - soft.detach() + soft


celu_, elu_, hardtanh_, leaky_relu_, relu_, rrelu_, selu_, threshold_ = (
    in_place(function, f"{function.__name__}_")
    for function in (celu, elu, hardtanh, leaky_relu, relu, rrelu, selu, threshold)
)
