"""Losses: how far an output is from its target, or how unlikely the target is under the output."""

import math
from typing import Any

from minigrad import ops
from minigrad.creation import full_like
from minigrad.errors import ShapeError
from minigrad.functions import log_softmax
from minigrad.tensor import Tensor

from .checks import (
    check_alike,
    check_broadcast,
    check_indices,
    check_probability,
    check_reduction,
    check_tensors,
)
from .linear import linear

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "gaussian_nll_loss",
    "huber_loss", "kl_div", "l1_loss", "linear_cross_entropy", "mse_loss", "nll_loss", "poisson_nll_loss",
    "smooth_l1_loss",
]  # fmt: skip


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """The losses, their mean, or their sum."""
    if reduction == "none":
        return losses
    return losses.mean() if reduction == "mean" else losses.sum()


def _weighted_mean(losses: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    """The losses times their weights, reduced; the mean is divided by the sum of the weights."""
    if weight is None:
        return reduced(losses, reduction)
    losses = losses * weight
    return losses.sum() / weight.sum() if reduction == "mean" else reduced(losses, reduction)


# ------------------------------------------------------------------------------------------------ distances


def l1_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", *, weight: Tensor | None = None
) -> Tensor:
    """|x - y|, reduced; all shapes must be the same."""
    _check_regression("l1_loss", input, target, weight, reduction)
    return _weighted_mean(abs(input - target), weight, reduction)


def mse_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", *, weight: Tensor | None = None
) -> Tensor:
    """(x - y)², reduced; unlike PyTorch's, which broadcasts with a warning, both must have the same shape."""
    _check_regression("mse_loss", input, target, weight, reduction)
    difference = input - target
    return _weighted_mean(difference * difference, weight, reduction)


def smooth_l1_loss(input: Tensor, target: Tensor, reduction: str = "mean", *, beta: float = 1.0) -> Tensor:
    """d² / 2β where d = |x - y| is below β, else d - β/2    (Girshick 2015, "Fast R-CNN", eq. 3)"""
    if beta < 0:
        raise ValueError(f"smooth_l1_loss(): beta={beta}, expected a number that is not negative")
    if beta == 0:
        return l1_loss(input, target, reduction)
    _check_regression("smooth_l1_loss", input, target, None, reduction)
    return reduced(ops.huber(input - target, delta=beta) / beta, reduction)


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """d² / 2 where d = |x - y| is below δ, else δ (d - δ/2)    (Huber 1964)"""
    if delta <= 0:
        raise ValueError(f"huber_loss(): delta={delta}, expected a positive number")
    _check_regression("huber_loss", input, target, weight, reduction)
    losses = ops.huber(input - target, delta=delta)
    return reduced(losses if weight is None else losses * weight, reduction)


def _check_regression(
    caller: str, input: Tensor, target: Tensor, weight: Tensor | None, reduction: str
) -> None:
    check_reduction(caller, reduction)
    given = {} if weight is None else {"weight": weight}
    check_alike(caller, input=input, target=target, **given)


# ------------------------------------------------------------------------------------------------ classes

AT_ONCE = 2**21  # logits that `linear_cross_entropy` holds together (8 MB in float32),
LEAST_ROWS = 256  # or those of so many rows: each block adds to the whole gradient of the weight


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-Σ_c w[c] q[c] log softmax(x)[c], where q is the target: a class, or a probability of each class.

    The arguments are those of `CrossEntropyLoss`.
    """
    check_reduction("cross_entropy", reduction)
    check_probability("cross_entropy", label_smoothing, "label_smoothing")
    check_tensors("cross_entropy", input, target)
    if target.dtype.kind == "f":
        return _cross_entropy_of_probabilities(input, target, weight, reduction, label_smoothing)
    counts = _check_classes("cross_entropy", input, target, weight, ignore_index)
    return ops.cross_entropy.fast(
        input,
        target,
        weight,
        dim=min(input.ndim - 1, 1),
        ignore_index=None if counts else ignore_index,
        label_smoothing=label_smoothing,
        reduction=reduction,
    )


def _cross_entropy_of_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, label_smoothing: float
) -> Tensor:
    if target.shape != input.shape:
        raise ShapeError(
            f"cross_entropy(): target of probabilities {target.shape}, expected the input's {input.shape}"
        )
    dim = min(input.ndim - 1, 1)
    classes = input.shape[dim]
    target = target * (1 - label_smoothing) + label_smoothing / classes
    if weight is not None:
        target = target * weight.reshape(-1, *[1] * (input.ndim - 1 - dim))  # (C, 1, ...)
    return reduced(-(target * log_softmax(input, dim=dim)).sum(dim), reduction)


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
) -> Tensor:
    """The cross entropy of the logits x Wᵀ + b, with x (N, D) or (D,), W (C, D) and b (C,).

    W (C, d1, ..., D) and b (C, d1, ...) give logits (N, C, d1, ...). A target of probabilities has no
    `ignore_index`. Where there would be more than two million logits, they are computed some rows at a time,
    and again on the way back, and never held together (for one class each, no weight and no smoothing).
    """
    check_tensors("linear_cross_entropy", input, linear_weight, target)
    classes, *places, size = linear_weight.shape
    if input.ndim not in ((2,) if places else (1, 2)):
        raise ShapeError(
            f"linear_cross_entropy(): input {input.shape}, linear_weight {linear_weight.shape}, expected "
            "(N, D) and (C, d1, ..., D), or (D,) and (C, D)"
        )
    bias = None if linear_bias is None else linear_bias.flatten()
    one_class_each = target.dtype.kind in "iu" and target.shape == input.shape[:1] and not places
    reduced_plainly = weight is None and not label_smoothing and reduction in ("mean", "sum")
    if one_class_each and reduced_plainly and target.numel() * classes > AT_ONCE:
        ignored = -100 if ignore_index is None else ignore_index
        counts = check_indices("linear_cross_entropy(): target", target, classes, ignored)
        return ops.linear_cross_entropy(
            input,
            linear_weight,
            target,
            bias,
            rows=max(LEAST_ROWS, AT_ONCE // classes),
            ignore_index=None if counts and not 0 <= ignored < classes else ignored,
            reduction=reduction,
        )
    logits = linear(input, linear_weight.reshape(-1, size), bias)  # (N, C d1 ...)
    if places:
        logits = logits.reshape(-1, classes, *places)
    if ignore_index is not None and target.dtype.kind == "f":
        raise ValueError(
            f"linear_cross_entropy(): ignore_index={ignore_index}, expected None for probabilities"
        )
    return cross_entropy(
        logits,
        target,
        weight,
        ignore_index=-100 if ignore_index is None else ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """-w[y] x[y]: the negative log-likelihood of class y; the arguments are those of `NLLLoss`."""
    check_reduction("nll_loss", reduction)
    check_tensors("nll_loss", input, target)
    _check_classes("nll_loss", input, target, weight, ignore_index)
    dim = min(input.ndim - 1, 1)
    counts = target != ignore_index
    classes = target.masked_fill(~counts, 0)
    factors = counts.to(input.dtype) if weight is None else entries(weight, classes) * counts
    chosen = ops.gather(input, classes.unsqueeze(dim), dim=dim).squeeze(dim).masked_fill(~counts, 0.0)
    losses = -chosen * factors
    return losses.sum() / factors.sum() if reduction == "mean" else reduced(losses, reduction)


def entries(weight: Tensor, classes: Tensor) -> Tensor:
    """The entry of a vector that belongs to each class."""
    return ops.gather(weight, classes.flatten(), dim=0).reshape(classes.shape)


def _check_classes(
    caller: str, input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int
) -> bool:
    """Errors unless the target has a class for each place of the input, whose dimension 1 counts classes.

    Returns whether every target counts: none is `ignore_index`.
    """
    if input.ndim == 0:
        raise ShapeError(f"{caller}(): input is 0-d, expected (C,), (N, C) or (N, C, d1, ...)")
    dim = min(input.ndim - 1, 1)
    expected = input.shape[:dim] + input.shape[dim + 1 :]
    if target.shape != expected:
        raise ShapeError(
            f"{caller}(): target {target.shape}, expected {expected} for input {input.shape}, "
            f"whose dimension {dim} counts the classes; use .transpose() or .flatten() to bring it there"
        )
    classes = input.shape[dim]
    if weight is not None and weight.shape != (classes,):
        raise ShapeError(
            f"{caller}(): weight {weight.shape}, expected one number for each class, {(classes,)}"
        )
    within = check_indices(f"{caller}() with C={classes} classes: target", target, classes, ignore_index)
    return within and not 0 <= ignore_index < classes


# ------------------------------------------------------------------------------------------------ yes or no


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean"
) -> Tensor:
    """-(t ln x + (1 - t) ln(1 - x)), the logarithms no less than -100; x are probabilities.

    The weight broadcasts to the input.  From logits, `binary_cross_entropy_with_logits` keeps more digits.
    """
    check_reduction("binary_cross_entropy", reduction)
    check_alike("binary_cross_entropy", input=input, target=target)
    low, high = _extremes(input)
    if low < 0 or high > 1:
        raise ValueError(
            f"binary_cross_entropy(): input between {low} and {high}, expected probabilities in [0, 1]; "
            "for logits use binary_cross_entropy_with_logits()"
        )
    losses = ops.binary_cross_entropy(input, target)
    return reduced(losses if weight is None else losses * weight, reduction)


def _extremes(tensor: Tensor) -> tuple[float, float]:
    """The smallest and the largest element; 0 and 0 where there is none."""
    array = tensor.array
    return (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """-(w t ln σ(x) + (1 - t) ln σ(-x)), computed without overflow; w is `pos_weight`, or 1.

    weight and pos_weight broadcast to the input.
    """
    check_reduction("binary_cross_entropy_with_logits", reduction)
    check_alike("binary_cross_entropy_with_logits", input=input, target=target)
    losses = ops.binary_cross_entropy_with_logits(input, target, pos_weight)
    return reduced(losses if weight is None else losses * weight, reduction)


# ---------------------------------------------------------------------------------------------- distributions


def kl_div(input: Tensor, target: Tensor, *, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """t (ln t - x): Kullback-Leibler divergence of exp x, the model, from the target t.

    With log_target=True the target, too, is a logarithm.  The divergence is the sum over a distribution, so
    reduction="batchmean" divides the sum by the size of dimension 0; "mean" divides by that of all.
    """
    check_reduction("kl_div", "sum" if reduction == "batchmean" else reduction)
    check_broadcast("kl_div", input, target)
    losses = ops.exp(target) * (target - input) if log_target else ops.kl_divergence(input, target)
    if reduction == "batchmean":
        return losses.sum() / (input.shape[0] if input.ndim else 1)
    return reduced(losses, reduction)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    *,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Tensor:
    """λ - t ln λ, minus the log-likelihood of a count t; x = ln λ, or with log_input=False x = λ.

    full: add ln t! for t > 1, by Stirling's formula t ln t - t + ln(2πt) / 2.
    """
    check_reduction("poisson_nll_loss", reduction)
    check_broadcast("poisson_nll_loss", input, target)
    losses = ops.exp(input) - target * input if log_input else input - target * ops.log(input + eps)
    if full:
        count = ops.where(target > 1, target, 1)
        stirling = count * ops.log(count) - count + 0.5 * ops.log(2 * math.pi * count)
        losses = losses + ops.where(target > 1, stirling, 0.0)
    return reduced(losses, reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Any,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """(ln σ² + (x - t)² / σ²) / 2, minus the log-likelihood of t; σ² is `var`, at least eps.

    var has the input's shape, or 1 in one dimension, or lacks the last one, or is a number.  As in PyTorch,
    its gradient ignores the limit eps.  full: add ln(2π) / 2.
    """
    check_reduction("gaussian_nll_loss", reduction)
    if not isinstance(var, Tensor):
        var = full_like(input, var)
    check_broadcast("gaussian_nll_loss", input, target)
    if var.shape == input.shape[:-1] != input.shape:
        var = var.unsqueeze(-1)
    differing = [size for size, wanted in zip(var.shape, input.shape, strict=False) if size != wanted]
    if var.ndim != input.ndim or differing not in ([], [1]):
        raise ShapeError(
            f"gaussian_nll_loss(): var {var.shape}, expected {input.shape} or 1 in one dimension"
        )
    if _extremes(var)[0] < 0:
        raise ValueError(f"gaussian_nll_loss(): var holds {_extremes(var)[0]}, expected no negative number")
    fixed = var.detach()
    var = var + ops.where(fixed < eps, eps - fixed, 0.0)
    difference = input - target
    losses = 0.5 * (ops.log(var) + difference * difference / var)
    return reduced(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)
