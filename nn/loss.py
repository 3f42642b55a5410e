"""Losses as modules: what is minimised.  Those with a margin are in margin_loss.py.

Each is the function of `minigrad.nn.functional` of the same name; `reduction` makes one number of the losses
of all examples: their "mean", their "sum", or, with "none", it leaves them as they are.
"""

import math
from typing import Any

from minigrad.tensor import Tensor

from . import functional as F
from .functional.checks import check_probability, check_reduction
from .linear import Linear
from .module import Module

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "GaussianNLLLoss", "HuberLoss", "KLDivLoss",
    "L1Loss", "LinearCrossEntropyLoss", "MSELoss", "NLLLoss", "PoissonNLLLoss", "SmoothL1Loss",
]  # fmt: skip


class Loss(Module):
    """What all losses have in common: a reduction."""

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        check_reduction(type(self).__name__, reduction)
        self.reduction = reduction


# ------------------------------------------------------------------------------------------- of numbers


class L1Loss(Loss):
    """l = |x - y|, reduced to its mean, its sum, or not at all.

    No reference: least absolute errors have been in use since the 18th century.

    Args:
        reduction: "mean", "sum" or "none".

    Shape: input and target alike, of any shape; the output is a scalar, or with "none" of that shape.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(input, target, self.reduction)


class MSELoss(Loss):
    """l = (x - y)², reduced to its mean, its sum, or not at all.

    Reference: Legendre 1805, "Nouvelles méthodes pour la détermination des orbites des comètes", appendix.

    Args:
        reduction: "mean", "sum" or "none".

    Shape: input and target alike, of any shape; the output is a scalar, or with "none" of that shape.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, self.reduction)


class SmoothL1Loss(Loss):
    """l = ½ d² / β where d = |x - y| < β, else d - ½ β    (Girshick 2015, "Fast R-CNN", eq. 3, with β = 1).

    Args:
        reduction: "mean", "sum" or "none".
        beta: β ≥ 0; with 0 the loss is L1Loss.

    Shape: as for MSELoss.
    """

    def __init__(self, reduction: str = "mean", *, beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.smooth_l1_loss(input, target, self.reduction, beta=self.beta)


class HuberLoss(Loss):
    """l = ½ d² where d = |x - y| ≤ δ, else δ (d - ½ δ)    (Huber 1964, "Robust estimation", §4).

    Args:
        reduction: "mean", "sum" or "none".
        delta: δ > 0.

    Shape: as for MSELoss.
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(input, target, self.reduction, self.delta)


class PoissonNLLLoss(Loss):
    """l = eˣ - y x, up to a constant: the negative log-likelihood of the count y whose rate is λ = eˣ.

    Reference: Nelder and Wedderburn 1972, "Generalized linear models", where log λ = x is the canonical link.

    Args:
        log_input: False where x is λ itself; l is then x - y log(x + eps).
        full: whether Stirling's approximation of log y! is added where y > 1.
        eps: see there.
        reduction: "mean", "sum" or "none".

    Shape: as for MSELoss.
    """

    def __init__(
        self, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.poisson_nll_loss(
            input, target, self.log_input, self.full, eps=self.eps, reduction=self.reduction
        )


class GaussianNLLLoss(Loss):
    """l = ½ (log v + (x - y)² / v), with v the variance, which is at least eps.

    Reference: Nix and Weigend 1994, "Estimating the mean and variance of the target probability
    distribution", eq. 5.

    Args:
        full: whether the constant ½ log 2π is added.
        eps: the least variance; as in PyTorch, the gradient ignores this limit.
        reduction: "mean", "sum" or "none".

    Shape: input and target alike; the variance that of the input, or without its last dimension, or with a 1
    there, or a number.
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return F.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)


# ------------------------------------------------------------------------------------------- of classes


class NLLLoss(Loss):
    """l = -w[y] x[y]: the negative log-likelihood of class y, where x are log-probabilities.

    No reference: behind LogSoftmax it is CrossEntropyLoss.

    Args:
        weight: (C,), a factor for each class; 1 where it is absent.
        ignore_index: targets of this value count for nothing.
        reduction: "mean" (divided by the sum of the factors of the targets), "sum" or "none".

    Shape: input (C,), (N, C) or (N, C, d₁, ...), target (), (N,) or (N, d₁, ...) of class indices.
    """

    def __init__(
        self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.nll_loss(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction
        )


class CrossEntropyLoss(Loss):
    """l = -Σ_c w[c] q[c] log p[c], with p = softmax(x) and q = (1 - ε) onehot(y) + ε / C

    Args:
        weight: (C,), a factor for each class; 1 where it is absent.
        ignore_index: targets of this value count for nothing.
        reduction: "mean" (divided by the sum of the factors of the targets), "sum" or "none".
        label_smoothing: ε in [0, 1]    (Szegedy et al. 2016, "Rethinking the Inception architecture", §7).

    Shape: input (C,), (N, C) or (N, C, d₁, ...) of logits; target (), (N,) or (N, d₁, ...) of class indices,
    or the input's shape of class probabilities.

    >>> from minigrad import tensor
    >>> from minigrad.nn import CrossEntropyLoss
    >>> round(CrossEntropyLoss()(tensor([[0.0, 0.0]]), tensor([1])).item(), 4)
    0.6931
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        check_probability("CrossEntropyLoss", label_smoothing, "label_smoothing")
        self.register_buffer("weight", weight)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class LinearCrossEntropyLoss(Loss):
    """CrossEntropyLoss behind a linear map: l = -Σ_c w[c] q[c] log p[c], with p = softmax(W x + b)

    Args:
        in_features: D, the size of x.
        num_classes: C.
        out_features: (d₁, ...), if there is a class to be found for each of these places.
        bias: whether b is there.
        weight, reduction, label_smoothing: as for CrossEntropyLoss.
        ignore_index: targets of this value count for nothing; None: -100, or for probabilities none.

    Shape: input (N, D) or (D,), target (N, d₁, ...) or () of class indices, or (N, C, d₁, ...) or (C,) of
    class probabilities; `linear.weight` (C d₁ ..., D), `linear.bias` (C d₁ ...,).
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: Any = None,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        check_probability("LinearCrossEntropyLoss", label_smoothing, "label_smoothing")
        self.register_buffer("weight", weight)
        self.num_classes, self.out_features = num_classes, out_features
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing
        size = math.prod(out_features, start=num_classes)
        self.linear = Linear(in_features, size, bias=bias, device=device, dtype=dtype)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        places, bias = (self.num_classes, *self.out_features), self.linear.bias
        return F.linear_cross_entropy(
            input,
            self.linear.weight.reshape(*places, self.linear.in_features),
            target,
            linear_bias=None if bias is None else bias.reshape(places),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
        )

    def extra_repr(self) -> str:
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, "
            f"reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}"
        )


class BCELoss(Loss):
    """l = -w (y log x + (1 - y) log(1 - x)), where x are probabilities; either logarithm is at least -100.

    Reference: Cox 1958, "The regression analysis of binary sequences": the log-likelihood of y, negated.

    Args:
        weight: a factor for each element, of a shape that broadcasts to the input's; 1 where it is absent.
        reduction: "mean", "sum" or "none".

    Shape: input and target alike, of any shape; the output is a scalar, or with "none" of that shape.
    """

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(Loss):
    """l = -w (p y log σ(x) + (1 - y) log σ(-x)): BCELoss of σ(x), exact for every x.

    Reference: that of BCELoss.

    Args:
        weight: a factor w for each element, of a shape that broadcasts to the input's; 1 where it is absent.
        reduction: "mean", "sum" or "none".
        pos_weight: a factor p for what is positive, of a shape that broadcasts likewise.

    Shape: input and target alike, of any shape; the output is a scalar, or with "none" of that shape.
    """

    def __init__(
        self, weight: Tensor | None = None, *, reduction: str = "mean", pos_weight: Tensor | None = None
    ) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class KLDivLoss(Loss):
    """l = y (log y - x), where x are log-probabilities and y probabilities    (Kullback and Leibler 1951).

    Args:
        reduction: "batchmean" (the sum divided by the size of dimension 0), "mean", "sum" or "none".
        log_target: whether the target holds log y.

    Shape: input and target alike, of any shape; the output is a scalar, or with "none" of that shape.
    """

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__("sum" if reduction == "batchmean" else reduction)
        self.reduction, self.log_target = reduction, log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)
