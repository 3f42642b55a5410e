"""The layers as functions: parameters are arguments, and what a user passes is checked here.

An operation of `minigrad.ops` trusts its arguments; a function of this file says in one sentence what is
wrong with them. It is customary to `import minigrad.nn.functional as F`.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import ops
from minigrad.backend import device, to_device
from minigrad.creation import arange
from minigrad.errors import DTypeError, ShapeError, broadcast_error
from minigrad.functions import gelu, log_softmax, softmax
from minigrad.generator import Generator, default_generator
from minigrad.ops import relu, sigmoid, tanh
from minigrad.tensor import Tensor

__all__ = [
    "cross_entropy",
    "dropout",
    "embedding",
    "gelu",
    "layer_norm",
    "linear",
    "log_softmax",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "relu",
    "scaled_dot_product_attention",
    "sigmoid",
    "softmax",
    "tanh",
]

# ------------------------------------------------------------------------------------------------ layers


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y = x Wᵀ + b, with x (*, in_features), W (out_features, in_features) and b (out_features,)."""
    if not isinstance(input, Tensor):
        raise tensor_expected("Linear", input)
    if input.shape[-1:] != weight.shape[-1:]:
        size = weight.shape[-1]
        raise ShapeError(f"Linear(in_features={size}): input {input.shape}, last dimension must be {size}")
    return ops.linear(input, weight, bias)


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """y = W[i] for every index i of the input; row `padding_idx` of W gets no gradient."""
    rows = weight.shape[0]
    check_indices(f"Embedding(num_embeddings={rows})", input, rows)
    return ops.embedding(weight, input, padding_idx=normalise_padding_idx(padding_idx, rows))


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


def dropout(
    input: Tensor, p: float = 0.5, training: bool = True, *, generator: Generator | None = None
) -> Tensor:
    """y = x m / (1 - p), with m = 0 with probability p and else 1; the input itself unless `training`."""
    check_probability("dropout", p)
    if not isinstance(input, Tensor):
        raise tensor_expected("Dropout", input)
    if not training or p == 0:
        return input
    mask, scale = _keep_mask(input.shape, p, input.device, generator)
    return ops.masked_scale(input, mask, scale=scale)


def _keep_mask(
    shape: Sequence[int], p: float, where: device, generator: Generator | None
) -> tuple[Any, float]:
    """What dropout keeps, as an array on the device `where`, and 1 / (the rate of what is kept)."""
    mask, scale = (generator or default_generator()).keep_mask(shape, p)
    return to_device(mask, where), scale


# ------------------------------------------------------------------------------------------------ attention


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """softmax(Q Kᵀ / √d) V    (Vaswani et al. 2017, "Attention is all you need", eq. 1)

    Args:
        query, key, value: (..., L, d), (..., S, d) and (..., S, dᵥ).
        attn_mask: broadcasts to (..., L, S); True where a query may look, or numbers added to the scores.
        dropout_p: the probability that a weight is dropped; always applied, so pass 0 in evaluation.
        is_causal: let query i look at keys 0 ... i only; then `attn_mask` must be None.
        scale: what the scores are multiplied with, 1/√d if None.

    A query that may look at no key gets zeros.
    """
    check_probability("scaled_dot_product_attention", dropout_p, "dropout_p")
    shape = _scores_shape(query, key, value)  # (..., L, S)
    if is_causal:
        if attn_mask is not None:
            raise ValueError(
                "scaled_dot_product_attention(): is_causal excludes attn_mask; merge the two masks"
            )
        queries, keys = (arange(length, device=query.device) for length in shape[-2:])
        attn_mask = queries.unsqueeze(1) >= keys  # (L, S)
    if attn_mask is not None:
        _check_attention_mask(attn_mask, shape)
    keep, keep_scale = (None, 1.0) if dropout_p == 0 else _keep_mask(shape, dropout_p, query.device, None)
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    return ops.scaled_dot_product_attention(
        query, key, value, attn_mask, keep, scale=scale, keep_scale=keep_scale
    )


def _scores_shape(query: Tensor, key: Tensor, value: Tensor) -> tuple[int, ...]:
    """(..., L, S), or the error that says which of the three does not fit."""
    shapes = (query.shape, key.shape, value.shape)
    if min(map(len, shapes)) < 2 or query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ShapeError(
            f"scaled_dot_product_attention(): query {query.shape}, key {key.shape}, value {value.shape}, "
            "expected (..., L, d), (..., S, d), (..., S, dv)"
        )
    leading = [shape[:-2] for shape in shapes]
    try:
        batch = leading[0] if leading[0] == leading[1] == leading[2] else np.broadcast_shapes(*leading)
    except ValueError:
        raise broadcast_error("scaled_dot_product_attention", leading) from None
    return (*batch, query.shape[-2], key.shape[-2])


def _check_attention_mask(mask: Tensor, expected: tuple[int, ...]) -> None:
    if mask.dtype.kind not in "bf":
        raise DTypeError(
            f"scaled_dot_product_attention(): attn_mask is {mask.dtype}, expected bool (True: look) or float"
        )
    fits = zip(reversed(mask.shape), reversed(expected), strict=False)
    if mask.ndim > len(expected) or any(came not in (1, wanted) for came, wanted in fits):
        raise ShapeError(
            f"scaled_dot_product_attention(): attn_mask {mask.shape} does not fit (..., L, S) = {expected}"
        )


# ------------------------------------------------------------------------------------------------ losses


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
    _check_tensors("cross_entropy", input, target)
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
    _check_tensors("nll_loss", input, target)
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
    _check_tensors("mse_loss", input, target)
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


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """1 at the place of each class, 0 elsewhere: (*, num_classes) of int64; -1: as many as needed."""
    if num_classes == -1:
        num_classes = int(tensor.max().item()) + 1
    check_indices(f"one_hot(num_classes={num_classes})", tensor, num_classes)
    return (tensor.unsqueeze(-1) == arange(num_classes, device=tensor.device)).long()


# ------------------------------------------------------------------------------------------------ checks


def tensor_expected(caller: str, value: object) -> TypeError:
    """The error for an input that is no Tensor."""
    kind = type(value).__name__
    return TypeError(f"{caller}: expected a Tensor, got {kind}; make one with minigrad.tensor(...)")


def _check_tensors(caller: str, *values: object) -> None:
    for value in values:
        if not isinstance(value, Tensor):
            raise tensor_expected(f"{caller}()", value)


def check_probability(caller: str, p: float, name: str = "p") -> None:
    """ValueError unless p lies in [0, 1]."""
    if not 0 <= p <= 1:
        raise ValueError(f"{caller}(): {name}={p!r}, expected a probability in [0, 1]")


def check_reduction(caller: str, reduction: str) -> None:
    """ValueError unless the reduction is one of the three."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f'{caller}(): reduction {reduction!r}, expected "mean", "sum" or "none"')


def check_indices(caller: str, indices: Tensor, count: int, ignored: int | None = None) -> None:
    """TypeError unless indices are integers, IndexError unless each lies in [0, count) or is `ignored`."""
    if not isinstance(indices, Tensor):
        raise tensor_expected(caller, indices)
    array = indices.array
    if array.dtype.kind not in "iu":
        raise DTypeError(f"{caller}: indices must be integers, got {array.dtype}; convert with .long()")
    if array.size == 0 or (array.min() >= 0 and array.max() < count):
        return
    outside = (array < 0) | (array >= count)
    if ignored is not None:
        outside &= array != ignored
    if outside.any():
        position = tuple(int(i) for i in np.unravel_index(int(outside.argmax()), array.shape))
        raise IndexError(
            f"{caller}: index {int(array[position])} at position {position}, expected [0, {count - 1}]"
        )


def normalise_padding_idx(padding_idx: int | None, rows: int) -> int | None:
    """`padding_idx` counted from the front; ValueError if there is no such row."""
    if padding_idx is None:
        return None
    if not -rows <= padding_idx < rows:
        raise ValueError(f"Embedding(num_embeddings={rows}): padding_idx {padding_idx} is not a row")
    return padding_idx % rows


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
