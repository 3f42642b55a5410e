"""Normalisation of each example by itself: subtract a mean, divide by a deviation, scale and shift."""

from collections.abc import Sequence
from typing import Any

from minigrad.creation import empty
from minigrad.tensor import Tensor

from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter

__all__ = ["GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


class Affine(Module):
    """What may follow a normalisation: y = γ x + β, γ the parameter `weight`, β `bias`, at first 1 and 0.

    Args:
        shape: that of each.
        weight, bias: which of the two are there; the other is None.
    """

    def __init__(self, shape: tuple[int, ...], *, weight: bool, bias: bool, device: Any, dtype: Any) -> None:
        super().__init__()
        for name, present in (("weight", weight), ("bias", bias)):
            values = Parameter(empty(shape, device=device, dtype=dtype)) if present else None
            self.register_parameter(name, values)

    def reset_parameters(self) -> None:
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


class LayerNorm(Affine):
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
        shape = _shape(normalized_shape)
        affine = elementwise_affine
        super().__init__(shape, weight=affine, bias=affine and bias, device=device, dtype=dtype)
        self.normalized_shape, self.eps, self.elementwise_affine = shape, eps, elementwise_affine
        self.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        affine = f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        return f"{self.normalized_shape}, eps={self.eps}, {affine}"


class RMSNorm(Module):
    """y = γ x / √(mean x² + ε), with the mean taken over the trailing dimensions of each example

    Reference: Zhang and Sennrich 2019, "Root mean square layer normalization", eq. 4; γ is `weight`.

    Args:
        normalized_shape: the trailing dimensions, an int or a sequence of ints.
        eps: what is added to the mean square; None for the distance from 1 to the next number of x's type.
        elementwise_affine: whether γ is there.

    Shape: input and output (*, *normalized_shape); `weight` normalized_shape.

    >>> from minigrad import tensor
    >>> from minigrad.nn import RMSNorm
    >>> RMSNorm(2, eps=0.0)(tensor([[5.0, -5.0], [0.25, 0.25]])).tolist()
    [[1.0, -1.0], [1.0, 1.0]]
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape, self.eps = _shape(normalized_shape), eps
        self.elementwise_affine = elementwise_affine
        values = empty(self.normalized_shape, device=device, dtype=dtype)
        self.register_parameter("weight", Parameter(values) if elementwise_affine else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


def _shape(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    return (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)


# ------------------------------------------------------------------------------------------------ channels


class GroupNorm(Affine):
    """y = γ (x - μ) / √(σ² + ε) + β, with μ and σ² over each group of neighbouring channels of an example

    Reference: Wu and He 2018, "Group normalization", eqs. 1, 6 and 7; γ is `weight`, β is `bias`.

    Args:
        num_groups: a divisor of num_channels; 1 is LayerNorm over an image, num_channels is InstanceNorm.
        num_channels: the size of dimension 1.
        eps: what is added to the variance.
        affine: whether γ and β are there.
        bias: whether β is there.

    Shape: input and output (N, num_channels, *); `weight` and `bias` (num_channels,).
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if num_groups <= 0 or num_channels % num_groups:
            raise ValueError(
                f"GroupNorm(): num_groups={num_groups}, expected a divisor of num_channels={num_channels}"
            )
        super().__init__((num_channels,), weight=affine, bias=affine and bias, device=device, dtype=dtype)
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        affine = f"affine={self.affine}, bias={self.bias is not None}"
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, {affine}"


class LocalResponseNorm(Module):
    """y[c] = x[c] / (k + α/n Σ x[j]²)^β, the sum over n neighbouring channels j around c

    Reference: Krizhevsky, Sutskever and Hinton 2012, "ImageNet classification with deep convolutional neural
    networks", §3.3; as in PyTorch, and unlike there, α is divided by n.

    Args:
        size: n.
        alpha, beta, k: see there.

    Shape: input and output (N, C, *).
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
