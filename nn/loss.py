"""Losses as modules: what is minimised."""

from minigrad.tensor import Tensor

from . import functional as F
from .functional.checks import check_probability, check_reduction
from .module import Module


class MSELoss(Module):
    """l = (x - y)², reduced to its mean, its sum, or not at all.

    Args:
        reduction: "mean", "sum" or "none".

    Shape: input and target alike, of any shape; the output is a scalar, or with "none" of that shape.
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        check_reduction("MSELoss", reduction)
        self.reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, self.reduction)


class NLLLoss(Module):
    """l = -w[y] x[y]: the negative log-likelihood of class y, where x are log-probabilities.

    Args:
        weight: (C,), a factor for each class; 1 where it is absent.
        ignore_index: targets of this value count for nothing.
        reduction: "mean" (divided by the sum of the factors of the targets), "sum" or "none".

    Shape: input (C,), (N, C) or (N, C, d₁, ...), target (), (N,) or (N, d₁, ...) of class indices.
    """

    def __init__(
        self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__()
        check_reduction("NLLLoss", reduction)
        self.register_buffer("weight", weight)
        self.ignore_index, self.reduction = ignore_index, reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.nll_loss(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction
        )


class CrossEntropyLoss(Module):
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
        super().__init__()
        check_reduction("CrossEntropyLoss", reduction)
        check_probability("CrossEntropyLoss", label_smoothing, "label_smoothing")
        self.register_buffer("weight", weight)
        self.ignore_index, self.reduction, self.label_smoothing = ignore_index, reduction, label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )
