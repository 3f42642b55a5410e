"""Distances and directions."""

from minigrad.errors import normalise_dim
from minigrad.functions import clamp, cosine_similarity, pairwise_distance, pdist
from minigrad.ops import vector_norm
from minigrad.tensor import Tensor

__all__ = ["cosine_similarity", "normalize", "pairwise_distance", "pdist"]


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """x / ‖x‖_p along `dim`, the length at least eps."""
    place = normalise_dim("normalize", dim, input.ndim) if input.ndim else None
    return input / clamp(vector_norm(input, ord=p, dim=place, keepdim=True), min=eps)
