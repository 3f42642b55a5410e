"""The cards of the fused operations of neural networks: cross-entropy and attention."""

import math

import numpy as np

import minigrad as mg
from minigrad import ops
from minigrad.errors import ShapeError
from minigrad.nn import functional as F
from minigrad.testing.card import Card, Refusal
from minigrad.testing.signatures import (
    attended,
    classified,
    partly_classified,
    projected_and_classified,
    projected_by_rows,
    projected_into_heads,
)
from minigrad.testing.strategies import MASK, REAL, Domain, index_below

CLASS = index_below(lambda shapes, statics: shapes[0][statics["dim"]])
CLASS_OF_WEIGHT = index_below(lambda shapes, statics: shapes[1][0])
CLASS_WEIGHT = Domain(low=0.25, differentiable=False)


def cross_entropy(x, target, weight, dim, ignore_index, label_smoothing, reduction):
    """One row after the other."""
    classes = x.shape[dim]
    weight = np.ones(classes) if weight is None else weight
    losses, shares = np.zeros(target.shape), np.zeros(target.shape)
    for place in np.ndindex(*target.shape):
        if target[place] == ignore_index:
            continue
        scores = np.moveaxis(x, dim, -1)[place]
        logs = scores - math.log(sum(math.exp(score) for score in scores))
        wanted = np.full(classes, label_smoothing / classes)
        wanted[target[place]] += 1 - label_smoothing
        losses[place], shares[place] = -(weight * wanted * logs).sum(), weight[target[place]]
    if reduction == "none":
        return losses
    return losses.sum() / (shares.sum() if reduction == "mean" else 1)


def linear_cross_entropy(x, weight, target, bias=None, *, reduction):
    """The cross entropy of x Wᵀ + b."""
    logits = x @ weight.T + (0 if bias is None else bias)
    return cross_entropy(logits, target, None, x.ndim - 1, -100, 0.0, reduction)


def torch_cross_entropy(torch, x, target, weight, dim, **statics):
    """PyTorch counts dimension 1 as that of the classes, or 0 if it is the only one."""
    assert dim == min(x.ndim - 1, 1)
    return torch.nn.functional.cross_entropy(x, target, weight, **statics)


def counted(target):
    """The target with class 1 in its first row, so that at least one row counts."""
    target[0] = 1
    return target


def attention(query, key, value, mask=None, dropout=None, *, scale, keep_scale=1.0):
    scores = query @ np.swapaxes(key, -1, -2) * scale
    if mask is not None:
        scores = np.where(mask, scores, -np.inf) if mask.dtype == bool else scores + mask
    exponentials = np.exp(scores)
    total = exponentials.sum(axis=-1, keepdims=True)
    weights = np.divide(exponentials, total, out=np.zeros_like(exponentials), where=total > 0)
    return (weights if dropout is None else weights * dropout * keep_scale) @ value


def torch_attention(torch, query, key, value, mask=None, dropout=None, *, scale):
    leading = torch.broadcast_shapes(*[x.shape[:-2] for x in (query, key, value)])
    query, key, value = (x.expand(*leading, *x.shape[-2:]) for x in (query, key, value))
    if mask is not None and mask.ndim == 1:
        mask = mask.expand(query.shape[-2], -1)
    return torch.nn.functional.scaled_dot_product_attention(query, key, value, mask, scale=scale)


def attention_card(name, signature, mask, torch=torch_attention):
    return Card(
        name, ops.scaled_dot_product_attention, signature, attention, torch, (REAL, REAL, REAL, mask, MASK),
        broadcasts=False,
        errors=[
            Refusal(
                lambda: F.scaled_dot_product_attention(mg.zeros(2, 3), mg.zeros(4, 5), mg.zeros(4, 1)),
                ShapeError, "query (2, 3), key (4, 5), value (4, 1)",
            )
        ],
    )  # fmt: skip


def in_projection(x, weight, bias=None, memory=None, *, heads):
    """Each of the three by itself, head by head."""
    width = x.shape[2] // heads
    found = []
    for i, source in enumerate((x, x, x) if memory is None else (x, memory, memory)):
        rows = slice(i * x.shape[2], (i + 1) * x.shape[2])
        y = source @ weight[rows].T + (0 if bias is None else bias[rows])
        found.append(np.stack([y[:, :, h * width : (h + 1) * width] for h in range(heads)], axis=1))
    return tuple(found)


def torch_in_projection(torch, x, weight, bias=None, memory=None, *, heads):
    sources = (x, x, x) if memory is None else (x, memory, memory)
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    made = [
        torch.nn.functional.linear(m, W, b) for m, W, b in zip(sources, weight.chunk(3), biases, strict=True)
    ]
    return tuple(y.unflatten(2, (heads, -1)).transpose(1, 2) for y in made)


CARDS = [
    *(
        Card(
            name, ops.in_projection, projected_into_heads(memory), in_projection, torch_in_projection,
            broadcasts=False, result=("same", "same", "same"),
        )
        for name, memory in (("in_projection", False), ("in_projection of a memory", True))
    ),
    Card(
        "cross_entropy", ops.cross_entropy, classified(), cross_entropy, torch_cross_entropy,
        (REAL, CLASS, CLASS_WEIGHT),
    ),
    Card(
        "cross_entropy, mean of what counts",
        lambda x, target, *rest, **statics: ops.cross_entropy(x, counted(target.clone()), *rest, **statics),
        partly_classified(),
        lambda x, target, *rest, **statics: cross_entropy(x, counted(target.copy()), *rest, **statics),
        lambda torch, x, target, *rest, **statics: torch_cross_entropy(
            torch, x, counted(target.clone()), *rest, **statics
        ),
        (REAL, CLASS, CLASS_WEIGHT), ops.cross_entropy,
    ),
    Card(
        "linear_cross_entropy",
        lambda x, weight, target, bias=None, **statics: F.linear_cross_entropy(
            x, weight, target, linear_bias=bias, **statics
        ),
        projected_and_classified(), linear_cross_entropy,
        lambda torch, x, weight, target, bias=None, **statics: torch.nn.functional.cross_entropy(
            torch.nn.functional.linear(x, weight, bias), target, **statics
        ),
        (REAL, REAL, CLASS_OF_WEIGHT, REAL),
        errors=[
            Refusal(
                lambda: F.linear_cross_entropy(mg.zeros(2, 3, 4), mg.zeros(5, 4), mg.zeros(2, dtype="int64")),
                ShapeError, "expected (N, D) and (C, d1, ..., D), or (D,) and (C, D)",
            ),
        ],
    ),
    Card(
        "linear_cross_entropy by rows", ops.linear_cross_entropy, projected_by_rows(),
        lambda x, weight, target, bias=None, *, rows, ignore_index, reduction: linear_cross_entropy(
            x, weight, target, bias, reduction=reduction
        ),
        lambda torch, x, weight, target, bias=None, *, rows, ignore_index, reduction: (
            torch.nn.functional.cross_entropy(
                torch.nn.functional.linear(x, weight, bias), target, reduction=reduction
            )
        ),
        (REAL, REAL, CLASS_OF_WEIGHT, REAL),
    ),
    attention_card("scaled_dot_product_attention", attended(mask=False), REAL),
    attention_card("scaled_dot_product_attention with a mask", attended(mask=True), MASK),
    attention_card("scaled_dot_product_attention with an added mask", attended(mask=True), REAL),
    attention_card("scaled_dot_product_attention with dropout", attended(mask=True, dropout=True), MASK, None),
]  # fmt: skip
