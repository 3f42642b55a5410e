"""Losses: how far an output is from its target."""

from minigrad import ops
from minigrad.errors import ShapeError
from minigrad.functions import log_softmax
from minigrad.tensor import Tensor

from .checks import check_indices, check_probability, check_reduction, check_tensors

__all__ = ["cross_entropy", "mse_loss", "nll_loss"]


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
    _check_classes("cross_entropy", input, target, weight, ignore_index)
    return ops.cross_entropy(
        input,
        target,
        weight,
        dim=min(input.ndim - 1, 1),
        ignore_index=ignore_index,
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
    return _reduced(-(target * log_softmax(input, dim=dim)).sum(dim), reduction)


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
    factors = counts.to(input.dtype) if weight is None else weight[classes] * counts
    chosen = ops.gather(input, classes.unsqueeze(dim), dim=dim).squeeze(dim).masked_fill(~counts, 0.0)
    losses = -chosen * factors
    return losses.sum() / factors.sum() if reduction == "mean" else _reduced(losses, reduction)


def mse_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """(x - y)², reduced; unlike PyTorch's, which broadcasts with a warning, both must have the same shape."""
    check_reduction("mse_loss", reduction)
    check_tensors("mse_loss", input, target)
    if input.shape != target.shape:
        raise ShapeError(
            f"mse_loss(): input {input.shape} and target {target.shape} must have the same shape"
        )
    difference = input - target
    return _reduced(difference * difference, reduction)


def _reduced(losses: Tensor, reduction: str) -> Tensor:
    if reduction == "none":
        return losses
    return losses.mean() if reduction == "mean" else losses.sum()


def _check_classes(
    caller: str, input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int
) -> None:
    """Errors unless the target has a class for each place of the input, whose dimension 1 counts classes."""
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
    check_indices(f"{caller}() with C={classes} classes: target", target, classes, ignore_index)
