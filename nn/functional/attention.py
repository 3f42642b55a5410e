"""Attention: a mean of values, weighted by how well keys fit a query."""

import math

import numpy as np

from minigrad import ops
from minigrad.creation import arange
from minigrad.errors import DTypeError, ShapeError, broadcast_error
from minigrad.functions import repeat_interleave
from minigrad.tensor import Tensor

from .checks import check_probability
from .dropout import keep_mask

__all__ = ["scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(Q Kᵀ / √d) V    (Vaswani et al. 2017, "Attention is all you need", eq. 1)

    Args:
        query, key, value: (..., L, d), (..., S, d) and (..., S, dᵥ).
        attn_mask: broadcasts to (..., L, S); True where a query may look, or numbers added to the scores.
        dropout_p: the probability that a weight is dropped; always applied, so pass 0 in evaluation.
        is_causal: let query i look at keys 0 ... i only; then `attn_mask` must be None.
        scale: what the scores are multiplied with, 1/√d if None.
        enable_gqa: let several heads of the query, which dimension -3 counts, share one of key and value
            (Ainslie et al. 2023, "GQA", §2.2).

    A query that may look at no key gets zeros.
    """
    check_probability("scaled_dot_product_attention", dropout_p, "dropout_p")
    if enable_gqa:
        key, value = _for_each_head(query, key), _for_each_head(query, value)
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
    keep, keep_scale = (None, 1.0) if dropout_p == 0 else keep_mask(shape, dropout_p, query.device, None)
    scale = 1 / math.sqrt(max(query.shape[-1], 1)) if scale is None else scale
    return ops.scaled_dot_product_attention(
        query, key, value, attn_mask, keep, scale=scale, keep_scale=keep_scale
    )


def _for_each_head(query: Tensor, shared: Tensor) -> Tensor:
    """A key or value (..., G, S, d) with each of its heads as often as H heads of the query share it."""
    if min(query.ndim, shared.ndim) < 3 or shared.shape[-3] == 0 or query.shape[-3] % shared.shape[-3]:
        raise ShapeError(
            f"scaled_dot_product_attention(): query {query.shape}, key or value {shared.shape} with "
            "enable_gqa, expected (..., H, L, d) and (..., G, S, d) where G divides H"
        )
    return repeat_interleave(shared, query.shape[-3] // shared.shape[-3], -3)


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
