"""How near two vectors are to each other."""

from minigrad.tensor import Tensor

from . import functional as F
from .module import Module

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class CosineSimilarity(Module):
    """y = x₁ · x₂ / (max(‖x₁‖, ε) max(‖x₂‖, ε)) along `dim`.

    No reference: the cosine of the angle between two vectors.

    Args:
        dim: the dimension of the vectors, which disappears.
        eps: the least length that a vector is divided by.

    Shape: x₁ and x₂ broadcast together; the output lacks `dim`.
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """y = ‖x₁ - x₂ + ε‖ₚ along the last dimension.

    No reference: the distance that belongs to a norm.

    Args:
        p: which norm.
        eps: what is added to each difference.
        keepdim: whether the last dimension stays, with size 1.

    Shape: x₁ and x₂ (N, D) or (D,); the output (N,) or (), or with keepdim (N, 1) or (1,).
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
