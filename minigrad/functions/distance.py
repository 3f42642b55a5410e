"""Floor 5: distances between vectors; see functions/__init__.py."""

import math

import numpy

from minigrad import ops
from minigrad.backend import namespace
from minigrad.errors import ShapeError, broadcast_error, normalise_dim
from minigrad.tensor import Tensor

from .choosing import clamp
from .shape import expand, unsqueeze

__all__ = ["cdist", "cosine_similarity", "pairwise_distance", "pdist"]
METHODS = ()
IN_PLACE = ()

MODES = {  # compute_mode of cdist -> the size of a problem from which on one product of matrices does it
    "use_mm_for_euclid_dist_if_necessary": 25,
    "use_mm_for_euclid_dist": 0,
    "donot_use_mm_for_euclid_dist": math.inf,
}


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x₁ · x₂ / (|x₁| |x₂|) along `dim`, the lengths at least eps; the shapes broadcast together."""
    shape = _broadcast("cosine_similarity", x1, x2)
    place = normalise_dim("cosine_similarity", dim, len(shape)) if shape else None
    first, second = (
        x / clamp(ops.vector_norm(x, ord=2, dim=place, keepdim=True), min=eps)
        for x in (expand(x1, shape), expand(x2, shape))
    )
    return ops.sum_(first * second, dim=place)


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """‖x₁ - x₂ + ε‖_p along the last dimension; the shapes broadcast together."""
    _broadcast("pairwise_distance", x1, x2)
    difference = x1 - x2 + eps
    return ops.vector_norm(difference, ord=p, dim=-1 if difference.ndim else None, keepdim=keepdim)


def _broadcast(name: str, x1: Tensor, x2: Tensor) -> tuple[int, ...]:
    try:
        return numpy.broadcast_shapes(x1.shape, x2.shape)
    except ValueError:
        raise broadcast_error(name, (x1.shape, x2.shape)) from None


def cdist(
    x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary"
) -> Tensor:
    """‖x₁[i] - x₂[j]‖_p for every pair of rows: (..., P, M) and (..., R, M) give (..., P, R).

    The gradient of a distance 0 is 0.  For p=2 and more than 25 rows the squares come from one product of
    matrices, which keeps half the digits of a distance that is small beside the rows; compute_mode
    "use_mm_for_euclid_dist" always does so, "donot_use_mm_for_euclid_dist" never.
    """
    shapes = (x1.shape, x2.shape)
    if min(map(len, shapes)) < 2 or x1.shape[-1] != x2.shape[-1]:
        raise ShapeError(f"cdist(): got {x1.shape} and {x2.shape}, expected (..., P, M) and (..., R, M)")
    if p < 0:
        raise ValueError(f"cdist(): p={p}, expected a number that is not negative")
    if compute_mode not in MODES:
        raise ValueError(f"cdist(): compute_mode {compute_mode!r}, expected one of {', '.join(MODES)}")
    if p == 2:
        by_product = max(x1.shape[-2], x2.shape[-2]) > MODES[compute_mode]
        return ops.euclidean_distances(x1, x2, by_product=by_product)
    return ops.vector_norm(unsqueeze(x1, -2) - unsqueeze(x2, -3), ord=p, dim=-1)  # (..., P, R, M)


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """‖x[i] - x[j]‖_p for every i < j: (N, M) gives (N (N - 1) / 2,); the gradient of a distance 0 is 0."""
    if input.ndim != 2:
        raise ShapeError(f"pdist(): got {input.shape}, expected (N, M)")
    if p < 0:
        raise ValueError(f"pdist(): p={p}, expected a number that is not negative")
    first, second = namespace(input.array).triu_indices(input.shape[0], 1)
    difference = ops.getitem(input, index=first) - ops.getitem(input, index=second)
    return ops.vector_norm(difference, ord=p, dim=-1)
