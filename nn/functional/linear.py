"""The linear map."""

from minigrad import ops
from minigrad.errors import ShapeError
from minigrad.tensor import Tensor

from .checks import tensor_expected

__all__ = ["linear"]


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y = x Wᵀ + b, with x (*, in_features), W (out_features, in_features) and b (out_features,)."""
    if not isinstance(input, Tensor):
        raise tensor_expected("Linear", input)
    if input.shape[-1:] != weight.shape[-1:]:
        size = weight.shape[-1]
        raise ShapeError(f"Linear(in_features={size}): input {input.shape}, last dimension must be {size}")
    return ops.linear(input, weight, bias)
