"""Losses with a margin: what is right by more than the margin costs nothing."""

import math
from collections.abc import Callable

from minigrad import ops
from minigrad.creation import arange
from minigrad.errors import ShapeError
from minigrad.functions import clamp, cumsum, pairwise_distance
from minigrad.tensor import Tensor

from .checks import check_alike, check_broadcast, check_indices, check_reduction, check_tensors
from .loss import entries, reduced

__all__ = [
    "cosine_embedding_loss", "hinge_embedding_loss", "margin_ranking_loss", "multi_margin_loss",
    "multilabel_margin_loss", "multilabel_soft_margin_loss", "soft_margin_loss", "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]  # fmt: skip

# ------------------------------------------------------------------------------------------- one or minus one


def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, *, reduction: str = "mean"
) -> Tensor:
    """x where the target is 1, max(0, margin - x) where it is -1."""
    check_reduction("hinge_embedding_loss", reduction)
    check_broadcast("hinge_embedding_loss", input, target)
    far = ops.where(target != 1, clamp(margin - input, min=0.0), 0.0)
    return reduced(far + ops.where(target != -1, input, 0.0), reduction)


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor:
    """max(0, margin - t (x₁ - x₂)): with t = 1 the first is to be the larger one, with t = -1 the second."""
    check_reduction("margin_ranking_loss", reduction)
    check_broadcast("margin_ranking_loss", input1, input2, target)
    return reduced(clamp(margin - target * (input1 - input2), min=0.0), reduction)


def soft_margin_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """ln(1 + e⁻ᵗˣ), the target t being 1 or -1."""
    check_reduction("soft_margin_loss", reduction)
    check_broadcast("soft_margin_loss", input, target)
    return reduced(ops.softplus_(-target * input, threshold=math.inf), reduction)


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor:
    """1 - cos(x₁, x₂) where the target is 1, max(0, cos(x₁, x₂) - margin) where it is -1.

    Inputs (N, M) with a target (N,), or (M,) with a target of no dimension.
    """
    check_reduction("cosine_embedding_loss", reduction)
    check_broadcast("cosine_embedding_loss", input1, input2)
    check_tensors("cosine_embedding_loss", target)
    if target.ndim > 1 or {input1.ndim, input2.ndim} != {target.ndim + 1}:
        raise ShapeError(
            f"cosine_embedding_loss(): inputs {input1.shape} and {input2.shape}, target {target.shape}, "
            "expected (N, M), (N, M) and (N,), or (M,), (M,) and ()"
        )
    squares = ((x * x).sum(-1) + 1e-12 for x in (input1, input2))
    cosine = (input1 * input2).sum(-1) / ops.sqrt(math.prod(squares))
    apart = ops.where(target == -1, clamp(cosine - margin, min=0.0), 0.0)
    return reduced(ops.where(target == 1, 1 - cosine, 0.0) + apart, reduction)


# ------------------------------------------------------------------------------------------------ classes


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
) -> Tensor:
    """Σ_{i ≠ t} max(0, margin - x[t] + x[i])ᵖ w[t] / C, with p 1 or 2: the hinge loss of many classes.

    Input (N, C) with a target (N,), or (C,) with a target of no dimension.
    """
    check_reduction("multi_margin_loss", reduction)
    check_tensors("multi_margin_loss", input, target)
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss(): p={p!r}, expected 1 or 2")
    if input.ndim not in (1, 2) or target.shape != input.shape[:-1]:
        raise ShapeError(
            f"multi_margin_loss(): input {input.shape}, target {target.shape}, expected (N, C) and (N,)"
        )
    classes = input.shape[-1]
    if weight is not None and weight.shape != (classes,):
        raise ShapeError(f"multi_margin_loss(): weight {weight.shape}, expected {(classes,)}")
    check_indices("multi_margin_loss(): target", target, classes)
    place = target.unsqueeze(-1)  # (N, 1)
    others = arange(classes, device=input.device) != place  # (N, C)
    excess = ops.relu(margin - ops.gather(input, place, dim=input.ndim - 1) + input) * others
    losses = (excess if p == 1 else excess * excess).sum(-1) / classes
    return reduced(losses if weight is None else losses * entries(weight, target), reduction)


def multilabel_margin_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """Σ_{t, i} max(0, 1 - x[t] + x[i]) / C, t over the classes of a row and i over all others.

    Input and target (N, C) or (C,); a row of the target lists classes, and ends at the first -1.
    """
    check_reduction("multilabel_margin_loss", reduction)
    check_alike("multilabel_margin_loss", input=input, target=target)
    if input.ndim not in (1, 2):
        raise ShapeError(f"multilabel_margin_loss(): input {input.shape}, expected (N, C) or (C,)")
    classes = input.shape[-1]
    check_indices("multilabel_margin_loss(): target", target, classes, ignored=-1)
    listed = cumsum((target < 0).long(), -1) == 0  # (N, C): before the first -1
    place = ops.where(listed, target, 0)
    right = (arange(classes, device=input.device) == place.unsqueeze(-1)) & listed.unsqueeze(-1)  # (N, C, C)
    wrong = ~right.any(-2)  # (N, C)
    chosen = ops.gather(input, place, dim=input.ndim - 1).unsqueeze(-1)
    excess = ops.relu(1 - chosen + input.unsqueeze(-2))  # (N, t, i)
    counts = listed.unsqueeze(-1) & wrong.unsqueeze(-2)
    return reduced((excess * counts).sum((-1, -2)) / classes, reduction)


def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean"
) -> Tensor:
    """The mean over the classes, the last dimension, of -(t ln σ(x) + (1 - t) ln σ(-x)) w."""
    check_reduction("multilabel_soft_margin_loss", reduction)
    check_broadcast("multilabel_soft_margin_loss", input, target)
    losses = ops.binary_cross_entropy_with_logits(input, target)
    return reduced((losses if weight is None else losses * weight).mean(-1), reduction)


# ------------------------------------------------------------------------------------------------ triplets


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: str = "mean",
) -> Tensor:
    """max(0, margin + |a - p|ₚ - |a - n|ₚ): the positive is to be nearer than the negative, by the margin.

    With swap=True, |p - n|ₚ takes the place of |a - n|ₚ where it is smaller    (Balntas et al. 2016, §3.3).
    """

    def distance(x: Tensor, y: Tensor) -> Tensor:
        return pairwise_distance(x, y, p, eps)

    return _triplet("triplet_margin_loss", (anchor, positive, negative), distance, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """The same with another distance: a function of two tensors; None for `pairwise_distance`."""
    name = "triplet_margin_with_distance_loss"
    distance = distance_function or pairwise_distance
    return _triplet(name, (anchor, positive, negative), distance, margin, swap, reduction)


def _triplet(
    caller: str,
    triplet: tuple[Tensor, Tensor, Tensor],
    distance: Callable[[Tensor, Tensor], Tensor],
    margin: float,
    swap: bool,
    reduction: str,
) -> Tensor:
    check_reduction(caller, reduction)
    if margin <= 0:
        raise ValueError(f"{caller}(): margin={margin}, expected a positive number")
    check_broadcast(caller, *triplet)
    anchor, positive, negative = triplet
    far = distance(anchor, negative)
    if swap:
        far = ops.minimum(far, distance(positive, negative))
    return reduced(clamp(margin + distance(anchor, positive) - far, min=0.0), reduction)
