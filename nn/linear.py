"""Linear: the affine map that most layers are made of, and its like in two variables."""

import math
from typing import Any

from minigrad.creation import empty
from minigrad.tensor import Tensor

from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter

__all__ = ["Bilinear", "Identity", "Linear"]


class Identity(Module):
    """y = x: a place-holder for a layer; whatever arguments it is made with, it does nothing.

    No reference: there is nothing to know.

    Shape: any; the output's is the input's.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002 (those of the layer it stands for)
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input


class Linear(Module):
    """y = x Wᵀ + b

    Args:
        in_features: size of the last dimension of x.
        out_features: size of the last dimension of y.
        bias: whether b is there.

    Shape: input (*, in_features), output (*, out_features); `weight` (out_features, in_features), `bias`
    (out_features,).

    Both start uniform in ±1/√in_features, as in PyTorch: with a third of the variance 1/in_features.

    Reference: for that variance, LeCun, Bottou, Orr and Müller 1998, "Efficient BackProp", §4.6.

    >>> from minigrad import ones
    >>> from minigrad.nn import Linear
    >>> Linear(3, 4)(ones(2, 3)).shape
    (2, 4)
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, *, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(empty(out_features, in_features, device=device, dtype=dtype))
        self.register_parameter(
            "bias", Parameter(empty(out_features, device=device, dtype=dtype)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        bound = 1 / math.sqrt(self.in_features) if self.in_features else 0.0
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
        )


class Bilinear(Module):
    """y[o] = x₁ᵀ W[o] x₂ + b[o]

    Reference: Tenenbaum and Freeman 2000, "Separating style and content with bilinear models", eq. 2.1.

    Args:
        in1_features: size of the last dimension of x₁.
        in2_features: size of the last dimension of x₂.
        out_features: size of the last dimension of y.
        bias: whether b is there.

    Shape: inputs (*, in1_features) and (*, in2_features), output (*, out_features); `weight` (out_features,
    in1_features, in2_features), `bias` (out_features,). Both start uniform in ±1/√in1_features.

    >>> from minigrad import ones
    >>> from minigrad.nn import Bilinear
    >>> Bilinear(2, 3, 4)(ones(5, 2), ones(5, 3)).shape
    (5, 4)
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"Bilinear(): in1_features={in1_features}, expected a positive number")
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        self.weight = Parameter(empty(out_features, in1_features, in2_features, device=device, dtype=dtype))
        self.register_parameter(
            "bias", Parameter(empty(out_features, device=device, dtype=dtype)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
