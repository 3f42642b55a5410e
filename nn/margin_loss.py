"""Losses with a margin: what is right is to lie ahead of what is wrong, or nearer, by so much.

Each is the function of `minigrad.nn.functional` of the same name; `reduction` makes one number of the losses
of all examples: their "mean", their "sum", or, with "none", it leaves them as they are.
"""

from collections.abc import Callable

from minigrad.tensor import Tensor

from . import functional as F
from .distance import PairwiseDistance
from .loss import Loss

__all__ = [
    "CosineEmbeddingLoss", "HingeEmbeddingLoss", "MarginRankingLoss", "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss", "MultiMarginLoss", "SoftMarginLoss", "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]  # fmt: skip

# ------------------------------------------------------------------------------------------- two classes


class HingeEmbeddingLoss(Loss):
    """l = x where y = 1, max(0, margin - x) where y = -1: x is a distance, y says who belong together.

    Reference: Hadsell, Chopra and LeCun 2006, "Dimensionality reduction by learning an invariant mapping",
    eq. 4, where both are squared.

    Args:
        margin: up to where x is too near for two that do not belong together.
        reduction: "mean", "sum" or "none".

    Shape: input and target alike, of any shape; the output is a scalar, or with "none" of that shape.
    """

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)


class SoftMarginLoss(Loss):
    """l = log(1 + e^{-yx}), with y = 1 or -1.

    No reference: BCEWithLogitsLoss with the classes 1 and -1 in place of 1 and 0.

    Args:
        reduction: "mean", "sum" or "none".

    Shape: input and target alike, of any shape; the output is a scalar, or with "none" of that shape.
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class MarginRankingLoss(Loss):
    """l = max(0, -y (x₁ - x₂) + margin): x₁ is to be larger where y = 1, smaller where y = -1.

    Reference: Herbrich, Graepel and Obermayer 2000, "Large margin rank boundaries for ordinal regression".

    Args:
        margin: how much larger.
        reduction: "mean", "sum" or "none".

    Shape: all three (N,) or (); the output is a scalar, or with "none" of that shape.
    """

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.margin_ranking_loss(input1, input2, target, self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(Loss):
    """l = 1 - cos(x₁, x₂) where y = 1, max(0, cos(x₁, x₂) - margin) where y = -1.

    No reference: HingeEmbeddingLoss with a cosine in place of a distance.

    Args:
        margin: from where on x₁ and x₂ are too near where y = -1; between -1 and 1.
        reduction: "mean", "sum" or "none".

    Shape: x₁ and x₂ (N, D), y (N,); or (D,) and ().
    """

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.cosine_embedding_loss(input1, input2, target, self.margin, reduction=self.reduction)


# ------------------------------------------------------------------------------------------- many classes


class MultiMarginLoss(Loss):
    """l = Σ_{i ≠ y} max(0, margin - x[y] + x[i])ᵖ w[y] / C    (Crammer and Singer 2001, §3, with p = 1).

    Args:
        p: 1 or 2.
        margin: how far the right class is to be ahead.
        weight: (C,), a factor for each class; 1 where it is absent.
        reduction: "mean", "sum" or "none".

    Shape: input (N, C) or (C,), target (N,) or () of class indices.
    """

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Tensor | None = None, *, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        if p not in (1, 2):
            raise ValueError(f"MultiMarginLoss(): p={p!r}, expected 1 or 2")
        self.p, self.margin = p, margin
        self.register_buffer("weight", weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multi_margin_loss(input, target, self.p, self.margin, self.weight, reduction=self.reduction)


class MultiLabelMarginLoss(Loss):
    """l = Σ_{t, i} max(0, 1 - x[t] + x[i]) / C, with t over the classes of a row and i over all others.

    No reference: MultiMarginLoss for each of the classes t, with margin 1.

    Args:
        reduction: "mean", "sum" or "none".

    Shape: input and target (N, C) or (C,); a row of the target lists classes, and ends at the first -1.
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(Loss):
    """l = -Σ_c w[c] (y[c] log σ(x[c]) + (1 - y[c]) log σ(-x[c])) / C: each class is there or not.

    No reference: BCEWithLogitsLoss, its mean taken over the classes.

    Args:
        weight: (C,), a factor for each class; 1 where it is absent.
        reduction: "mean", "sum" or "none".

    Shape: input and target (N, C); the output is a scalar, or with "none" (N,).
    """

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_soft_margin_loss(input, target, self.weight, reduction=self.reduction)


# ------------------------------------------------------------------------------------------- triplets


class TripletMarginLoss(Loss):
    """l = max(0, |a - p|ₚ - |a - n|ₚ + margin): the positive is to be nearer to the anchor than the negative.

    Reference: Balntas, Riba, Ponsa and Mikolajczyk 2016, "Learning local feature descriptors with triplets
    and shallow convolutional neural networks", eq. 4 and §3.3.

    Args:
        margin: how much nearer, above 0.
        p: which norm.
        eps: what is added to each difference.
        swap: whether |p - n|ₚ takes the place of |a - n|ₚ where it is smaller.
        reduction: "mean", "sum" or "none".

    Shape: all three (N, D) or (D,).
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        *,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        _check_margin("TripletMarginLoss", margin)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_loss(
            anchor, positive, negative, self.margin, self.p, self.eps, self.swap, reduction=self.reduction
        )


class TripletMarginWithDistanceLoss(Loss):
    """l = max(0, d(a, p) - d(a, n) + margin): TripletMarginLoss with a distance of one's own.

    Args:
        distance_function: d, a function (or a Module) of two tensors; None for PairwiseDistance().
        margin, swap, reduction: see TripletMarginLoss.

    Shape: whatever d takes; the output is a scalar, or with "none" of the shape of the distances.
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        _check_margin("TripletMarginWithDistanceLoss", margin)
        self.distance_function = distance_function or PairwiseDistance()
        self.margin, self.swap = margin, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )


def _check_margin(caller: str, margin: float) -> None:
    if not margin > 0:
        raise ValueError(f"{caller}(): margin={margin!r}, expected a positive number")
