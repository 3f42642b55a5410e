"""Activations as modules, for Sequential and for printed models: each is the function of that name.

Their input is of any shape, and their output of the same, unless something else is said. One with an
argument `inplace` writes the output into the input's memory where that is asked for.

>>> from minigrad import tensor
>>> from minigrad.nn import LeakyReLU
>>> LeakyReLU(0.5)(tensor([-4.0, 0.0, 4.0])).tolist()
[-2.0, 0.0, 4.0]
"""

from typing import Any, ClassVar

from minigrad.creation import empty
from minigrad.errors import ShapeError
from minigrad.tensor import Tensor

from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter

__all__ = [
    "CELU", "ELU", "GELU", "GLU", "SELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU",
    "LogSigmoid", "LogSoftmax", "Mish", "PReLU", "RReLU", "ReLU", "ReLU6", "SiLU", "Sigmoid", "Softmax",
    "Softmax2d", "Softmin", "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink", "Threshold",
]  # fmt: skip


class _InPlace(Module):
    """An elementwise function that may write into its input; `shown` are the arguments that repr tells."""

    shown: ClassVar[tuple[str, ...]] = ()

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        said = [f"{name}={getattr(self, name)}" for name in self.shown]
        return ", ".join([*said, "inplace=True"] if self.inplace else said)


# --------------------------------------------------------------------------------------------- straight lines


class ReLU(_InPlace):
    """y = max(x, 0), elementwise; its derivative at 0 is taken as 0    (Nair and Hinton 2010)."""

    def forward(self, input: Tensor) -> Tensor:
        return F.relu(input, self.inplace)


class ReLU6(_InPlace):
    """y = min(max(x, 0), 6), elementwise    (Krizhevsky 2010, "Convolutional deep belief networks")."""

    def forward(self, input: Tensor) -> Tensor:
        return F.relu6(input, self.inplace)


class LeakyReLU(_InPlace):
    """y = x where x > 0, else a x, elementwise    (Maas, Hannun and Ng 2013, eq. 2).

    Args:
        negative_slope: a.
    """

    shown = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        return F.leaky_relu(input, self.negative_slope, self.inplace)


class RReLU(_InPlace):
    """y = x where x > 0, else a x, elementwise; in training each a is drawn from [lower, upper).

    In evaluation a is the mean of the two. Reference: Xu, Wang, Chen and Li 2015, "Empirical evaluation of
    rectified activations in convolutional network", §2.4.
    """

    shown = ("lower", "upper")

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.lower, self.upper = lower, upper

    def forward(self, input: Tensor) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class PReLU(Module):
    """y = x where x > 0, else w x, elementwise, with w learned    (He et al. 2015, eq. 1).

    Args:
        num_parameters: 1, or the number of channels, dimension 1 of x, each of which then has a w.
        init: what w starts with.

    Shape: any; `weight` (num_parameters,).
    """

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, *, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class Threshold(_InPlace):
    """y = x where x > threshold, else value, elementwise.

    No reference: it is ReLU with a threshold and a value of one's own.
    """

    shown = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold, self.value = threshold, value

    def forward(self, input: Tensor) -> Tensor:
        return F.threshold(input, self.threshold, self.value, self.inplace)


class Hardtanh(_InPlace):
    """y = x limited to [min_val, max_val], elementwise; its derivative at both is 0    (Collobert 2004)."""

    shown = ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        if not min_val < max_val:
            raise ValueError(f"Hardtanh(): min_val={min_val}, max_val={max_val}, expected min_val < max_val")
        self.min_val, self.max_val = min_val, max_val

    def forward(self, input: Tensor) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)


class Hardsigmoid(_InPlace):
    """y = x / 6 + 1/2 limited to [0, 1], elementwise    (Howard et al. 2019, §5.2; see Hardswish)."""

    def forward(self, input: Tensor) -> Tensor:
        return F.hardsigmoid(input, self.inplace)


class Hardswish(_InPlace):
    """y = x hardsigmoid(x), elementwise    (Howard et al. 2019, "Searching for MobileNetV3", §5.2)."""

    def forward(self, input: Tensor) -> Tensor:
        return F.hardswish(input, self.inplace)


class Hardshrink(Module):
    """y = x where |x| > lambd, else 0, elementwise: hard thresholding    (Donoho and Johnstone 1994)."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


class Softshrink(Module):
    """y = sign x max(|x| - lambd, 0), elementwise: soft thresholding    (Donoho and Johnstone 1994)."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


# ------------------------------------------------------------------------------------------------ curves


class Tanh(Module):
    """y = tanh x, elementwise    (LeCun, Bottou, Orr and Müller 1998, "Efficient BackProp", §4.4)."""

    def forward(self, input: Tensor) -> Tensor:
        return F.tanh(input)


class Tanhshrink(Module):
    """y = x - tanh x, elementwise.

    No reference: the definition is all there is to it.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.tanhshrink(input)


class Sigmoid(Module):
    """y = σ(x) = 1 / (1 + e⁻ˣ), elementwise    (Rumelhart, Hinton and Williams 1986, eq. 2)."""

    def forward(self, input: Tensor) -> Tensor:
        return F.sigmoid(input)


class LogSigmoid(Module):
    """y = ln σ(x) = -ln(1 + e⁻ˣ), elementwise, without overflow.

    No reference: see `Sigmoid`.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.logsigmoid(input)


class Softsign(Module):
    """y = x / (1 + |x|), elementwise    (Glorot and Bengio 2010, §3.3)."""

    def forward(self, input: Tensor) -> Tensor:
        return F.softsign(input)


class Softplus(Module):
    """y = ln(1 + e^{beta x}) / beta, elementwise; x if beta x > threshold    (Dugas et al. 2001, eq. 4)."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class ELU(_InPlace):
    """y = x where x > 0, else alpha (eˣ - 1), elementwise    (Clevert et al. 2016, eq. 15)."""

    shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return F.elu(input, self.alpha, self.inplace)


class CELU(_InPlace):
    """y = x where x > 0, else alpha (e^{x/alpha} - 1), elementwise    (Barron 2017, eq. 2)."""

    shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return F.celu(input, self.alpha, self.inplace)


class SELU(_InPlace):
    """y = s elu(x, α), elementwise, with the s and α that keep mean 0 and variance 1.

    Reference: Klambauer, Unterthiner, Mayr and Hochreiter 2017, "Self-normalizing neural networks", eq. 2.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.selu(input, self.inplace)


class SiLU(_InPlace):
    """y = x σ(x), elementwise, also called swish    (Elfwing, Uchibe and Doya 2017)."""

    def forward(self, input: Tensor) -> Tensor:
        return F.silu(input, self.inplace)


class Mish(_InPlace):
    """y = x tanh softplus x, elementwise    (Misra 2020)."""

    def forward(self, input: Tensor) -> Tensor:
        return F.mish(input, self.inplace)


class GELU(Module):
    """y = x Φ(x), elementwise, with Φ the normal distribution function    (Hendrycks and Gimpel 2016, §2).

    Args:
        approximate: "none" for the formula, "tanh" for ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        if approximate not in ("none", "tanh"):
            raise ValueError(f'GELU(): approximate {approximate!r}, expected "none" or "tanh"')
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


# ----------------------------------------------------------------------------------- along one dimension


class _Along(Module):
    """A function along one dimension, which must be given."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class GLU(_Along):
    """y = a σ(b), where a and b are the two halves of x along `dim`    (Dauphin et al. 2017, eq. 1).

    Shape: the output is half as long as the input along `dim`.
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__(dim)

    def forward(self, input: Tensor) -> Tensor:
        return F.glu(input, self.dim)


class Softmax(_Along):
    """yᵢ = e^{xᵢ} / Σⱼ e^{xⱼ} along `dim`, which must be given.

    Reference: Bridle 1990, "Probabilistic interpretation of feedforward classification network outputs".

    Shape: any; the output's is the input's.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softmax(input, dim=self.dim)


class Softmin(_Along):
    """yᵢ = e^{-xᵢ} / Σⱼ e^{-xⱼ} along `dim`, which must be given: see `Softmax`, of -x.

    Shape: any; the output's is the input's.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softmin(input, dim=self.dim)


class LogSoftmax(_Along):
    """yᵢ = xᵢ - log Σⱼ e^{xⱼ} along `dim`, which must be given: the logarithm of the other, see `Softmax`.

    Shape: any; the output's is the input's.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.log_softmax(input, dim=self.dim)


class Softmax2d(Module):
    """y[c, i, j] = e^{x[c, i, j]} / Σₖ e^{x[k, i, j]}: over the channels at every place, see `Softmax`.

    Shape: input and output (N, C, H, W) or (C, H, W).
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (3, 4):
            raise ShapeError(f"Softmax2d(): input {input.shape}, expected (N, C, H, W) or (C, H, W)")
        return F.softmax(input, dim=-3)
