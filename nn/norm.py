"""LayerNorm: every example normalised by its own mean and variance."""

from collections.abc import Sequence
from typing import Any

from minigrad.creation import empty
from minigrad.tensor import Tensor

from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter


class LayerNorm(Module):
    """y = γ (x - μ) / √(σ² + ε) + β, with μ and σ² taken over the trailing dimensions of each example

    Reference: Ba, Kiros and Hinton 2016, "Layer normalization", eqs. 3 and 4; γ is `weight`, β is `bias`.

    Args:
        normalized_shape: the trailing dimensions, an int or a sequence of ints.
        eps: what is added to the variance (σ² divides by the count, not by the count less one).
        elementwise_affine: whether γ and β are there.
        bias: whether β is there.

    Shape: input and output (*, *normalized_shape); `weight` and `bias` normalized_shape.

    >>> from minigrad import tensor
    >>> from minigrad.nn import LayerNorm
    >>> LayerNorm(2, eps=0.0)(tensor([[1.0, 3.0], [5.0, 1.0]])).tolist()
    [[-1.0, 1.0], [1.0, -1.0]]
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = (
            (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        )
        self.eps, self.elementwise_affine = eps, elementwise_affine
        for name, present in (("weight", elementwise_affine), ("bias", elementwise_affine and bias)):
            values = Parameter(empty(self.normalized_shape, device=device, dtype=dtype)) if present else None
            self.register_parameter(name, values)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        affine = f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        return f"{self.normalized_shape}, eps={self.eps}, {affine}"
