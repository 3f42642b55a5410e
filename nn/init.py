"""Initialisers: how parameters start.  Each fills a tensor in place, outside the tape, and returns it.

Random numbers come from `generator=`, or from the library's own generator, which `minigrad.manual_seed`
seeds.

>>> from minigrad import Generator, empty
>>> xavier_uniform_(empty(2, 3), generator=Generator(0)).shape
(2, 3)
"""

import math
from typing import Any

import numpy as np

from minigrad.generator import Generator, default_generator
from minigrad.kernels.erf import erfinv_of
from minigrad.modes import no_grad
from minigrad.tensor import Tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform in [a, b)."""
    drawn = (generator or default_generator()).uniform(tensor.shape, tensor.dtype)
    return _write(tensor, drawn * (b - a) + a)


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Normal with this mean and this standard deviation."""
    drawn = (generator or default_generator()).normal(tensor.shape, tensor.dtype)
    return _write(tensor, drawn * std + mean)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Normal with this mean and this standard deviation, among the numbers of [a, b] only.

    A uniform number between Φ(a) and Φ(b) is taken back through Φ, the distribution function.
    """
    if not (std > 0 and a < b):
        raise ValueError(f"trunc_normal_(): std={std}, a={a}, b={b}, expected std > 0 and a < b")
    low, high = (math.erf((limit - mean) / (std * math.sqrt(2))) for limit in (a, b))  # 2 Φ - 1
    drawn = (generator or default_generator()).uniform(tensor.shape) * (high - low) + low
    normal = erfinv_of(np, drawn) * (std * math.sqrt(2)) + mean
    return _write(tensor, np.clip(normal, a, b))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Every element `val`."""
    with no_grad():
        return tensor.fill_(val)


def zeros_(tensor: Tensor) -> Tensor:
    """Every element 0."""
    return constant_(tensor, 0)


def ones_(tensor: Tensor) -> Tensor:
    """Every element 1."""
    return constant_(tensor, 1)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix, or as much of it as there is room for: ones where row and column are equal."""
    if tensor.ndim != 2:
        raise ValueError(f"eye_(): got shape {tensor.shape}, expected 2 dimensions")
    rows, columns = tensor.shape
    return _write(tensor, np.eye(rows, columns))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """The convolution that changes nothing: channel c of the output is channel c of the input.

    The weight is (out, in, *kernel), of 1 to 3 dimensions of the kernel; each of the `groups` of output
    channels copies the input channels anew, as far as there are any.
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError(
            f"dirac_(): got shape {tensor.shape}, expected (out, in, *kernel), 3 to 5 dimensions"
        )
    out, channels = tensor.shape[:2]
    if groups <= 0 or out % groups:
        raise ValueError(f"dirac_(): groups={groups}, expected a divisor of the {out} output channels")
    values = np.zeros(tensor.shape)
    size = out // groups
    copied = np.arange(min(size, channels))
    middle: Any = tuple(side // 2 for side in tensor.shape[2:])
    for group in range(groups):
        values[group * size + copied, copied, *middle] = 1
    return _write(tensor, values)


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Normal of this standard deviation, with a share `sparsity` of every column zero    (Martens 2010, §5).

    The share is rounded up to whole rows, which are drawn for each column anew.
    """
    if tensor.ndim != 2:
        raise ValueError(f"sparse_(): got shape {tensor.shape}, expected 2 dimensions")
    if not 0 <= sparsity <= 1:
        raise ValueError(f"sparse_(): sparsity={sparsity!r}, expected a share in [0, 1]")
    rows = tensor.shape[0]
    generator = generator or default_generator()
    place = np.argsort(generator.uniform(tensor.shape), axis=0)  # each column a random order of the rows
    values = generator.normal(tensor.shape, tensor.dtype) * std
    np.put_along_axis(values, place[: math.ceil(sparsity * rows)], 0, axis=0)
    return _write(tensor, values)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform in ±gain √(6 / (fan_in + fan_out))    (Glorot and Bengio 2010, eq. 16)."""
    fan_in, fan_out = fans(tensor)
    bound = gain * math.sqrt(6 / (fan_in + fan_out))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with variance 2 gain² / (fan_in + fan_out)    (Glorot and Bengio 2010, eq. 12)."""
    fan_in, fan_out = fans(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2 / (fan_in + fan_out)), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform with variance gain² / fan    (He et al. 2015, eqs. 10 and 15), that is in ±gain √(3 / fan).

    `mode` "fan_in" keeps the variance of the activations, "fan_out" that of the gradients (eq. 14); `a` is
    the slope of a leaky relu below zero.
    """
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal with variance gain² / fan    (He et al. 2015, eqs. 10 and 15); see `kaiming_uniform_`."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """gain Q, with Q uniform among the matrices of orthonormal rows or columns.

    Dimensions behind the first count as one. Q comes from the QR decomposition of a normal matrix; the signs
    of R's diagonal are moved into Q, or it would not be uniform.

    References: Saxe, McClelland and Ganguli 2014, "Exact solutions to the nonlinear dynamics of learning in
    deep linear neural networks"; Mezzadri 2007, "How to generate random matrices from the classical compact
    groups", §5.
    """
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_(): got shape {tensor.shape}, expected at least 2 dimensions")
    if 0 in tensor.shape:
        return tensor
    rows = tensor.shape[0]
    drawn = (generator or default_generator()).normal((rows, math.prod(tensor.shape[1:])), np.float64)
    q, r = np.linalg.qr(drawn.T if rows < drawn.shape[1] else drawn)
    q = q * np.sign(np.diagonal(r))
    return _write(tensor, gain * (q.T if rows < drawn.shape[1] else q).reshape(tensor.shape))


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which a layer's weights must be larger for what the nonlinearity after it takes away."""
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        return math.sqrt(2.0 / (1 + slope * slope))
    if nonlinearity not in _GAINS:
        raise ValueError(
            f"calculate_gain(): nonlinearity {nonlinearity!r}, expected leaky_relu, {', '.join(_GAINS)}"
        )
    return _GAINS[nonlinearity]


_GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2.0), "selu": 0.75}
_GAINS |= {f"conv{kind}{n}d": 1.0 for kind in ("", "_transpose") for n in (1, 2, 3)}


def fans(tensor: Tensor) -> tuple[int, int]:
    """(fan_in, fan_out): how many inputs one output of a weight (out, in, *kernel) sums, and the reverse."""
    if tensor.ndim < 2:
        raise ValueError(
            f"fan_in and fan_out need a weight of at least 2 dimensions, got shape {tensor.shape}"
        )
    kernel = math.prod(tensor.shape[2:])
    return tensor.shape[1] * kernel, tensor.shape[0] * kernel


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"kaiming: mode {mode!r}, expected fan_in or fan_out")
    fan = fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan) if fan else 0.0


def _write(tensor: Tensor, values: np.ndarray) -> Tensor:
    """Copy `values` into the tensor, wherever it lives, without recording it."""
    with no_grad():
        return tensor.copy_(values)
