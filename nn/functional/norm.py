"""Normalisation: subtract a mean, divide by a deviation, scale and shift."""

from collections.abc import Sequence

from minigrad import ops
from minigrad.errors import ShapeError
from minigrad.tensor import Tensor

from .checks import tensor_expected

__all__ = ["layer_norm"]


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """y = γ (x - μ) / √(σ² + ε) + β over the trailing dimensions `normalized_shape`; γ is weight, β bias."""
    if not isinstance(input, Tensor):
        raise tensor_expected("LayerNorm", input)
    shape = tuple(normalized_shape)
    if not shape or input.shape[-len(shape) :] != shape:
        raise ShapeError(f"LayerNorm({shape}): input {input.shape}, trailing dimensions must be {shape}")
    return ops.layer_norm(input, weight, bias, dims=len(shape), eps=eps)
