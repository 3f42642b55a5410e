"""Attention on arrays: all queries at once, or, where the scores would fill the memory, in blocks of queries.

Nothing of a block is kept but its output; the backward pass computes its weights again, so that memory grows
with the length and not with its square (Rabe and Staats 2021, "Self-attention does not need O(n²) memory";
Dao et al. 2022, "FlashAttention", algorithms 1 and 4).  8,192 positions of width 64, forward and backward:
the whole process peaked at 573 MB and took 3.9 s, and now peaks at 90 and takes 1.9 (one head, one thread).

Letters: L queries, S keys, E size of a key, V size of a value, `...` leading dimensions (batch, heads).
"""

import math
from typing import Any

import numpy

from .dropout import masked
from .rows import row_dots
from .softmax import softmax_

MOST = 2**24  # scores that are held at once: 64 MB of float32; beyond, queries go through in blocks
BLOCK = 2**21  # scores of a block

Inputs = tuple[Any, Any, Any, Any, Any]  # query, key, value, mask, dropout


def attend(
    xp: Any, query: Any, key: Any, value: Any, mask: Any, dropout: Any, scale: Any, keep_scale: Any
) -> tuple[Any, Any, Any]:
    """y, the weights, and the weights that dropout left."""
    scores = xp.matmul(query * scale, xp.swapaxes(key, -1, -2))
    weights = softmax_(xp, scores, mask)
    seen = weights if dropout is None else masked(xp, weights, dropout, keep_scale)
    return xp.matmul(seen, value), weights, seen


def attend_back(
    xp: Any, g: Any, y: Any, weights: Any, seen: Any, inputs: Inputs, scales: tuple, needs: tuple[bool, ...]
) -> tuple[Any, Any, Any, Any]:
    """The gradients of query, key, value and mask."""
    (query, key, value, _, dropout), (scale, keep_scale) = inputs, scales
    d_value = xp.matmul(xp.swapaxes(seen, -1, -2), g) if needs[2] else None  # (..., S, L) (..., L, V)
    d_scores = xp.matmul(g, xp.swapaxes(value, -1, -2))  # (..., L, V) (..., V, S)
    if dropout is not None:
        d_scores *= dropout * keep_scale
    d_scores -= row_dots(xp, g, y)  # Σ weights · d_weights along a row of S is Σ g y along one of V
    d_scores *= weights
    d_mask = d_scores.copy() if needs[3] else None
    d_scores *= scale
    d_query = xp.matmul(d_scores, key) if needs[0] else None
    d_key = xp.matmul(xp.swapaxes(d_scores, -1, -2), query) if needs[1] else None
    return d_query, d_key, d_value, d_mask


# ------------------------------------------------------------------------------------------------ in blocks


def blocks_of_queries(query: Any, key: Any, value: Any, mask: Any, dropout: Any) -> list[slice]:
    """Slices of the queries: all of them, or blocks whose scores fit."""
    leading = numpy.broadcast_shapes(
        *[x.shape[:-2] for x in (query, key, value, mask, dropout) if x is not None]
    )
    queries, row = query.shape[-2], math.prod(leading) * key.shape[-2]
    if queries * row <= MOST:
        return [slice(None)]
    step = max(1, BLOCK // row)
    return [slice(start, start + step) for start in range(0, queries, step)]


def block_of(part: slice, query: Any, key: Any, value: Any, mask: Any, dropout: Any) -> Inputs:
    """The inputs for a slice of the queries."""

    def rows(x: Any) -> Any:
        return x if x is None or x.ndim < 2 or x.shape[-2] == 1 else x[..., part, :]

    return query[..., part, :], key, value, rows(mask), rows(dropout)


def by_blocks(xp: Any, inputs: Inputs, scales: tuple, parts: list[slice]) -> Any:
    """y, a slice of the queries after the other."""
    return xp.concatenate([attend(xp, *block_of(part, *inputs), *scales)[0] for part in parts], axis=-2)


def back_by_blocks(
    xp: Any, g: Any, inputs: Inputs, scales: tuple, parts: list[slice], needs: tuple[bool, ...]
) -> tuple[Any, Any, Any, Any]:
    """The gradients of query, key, value and mask: those of the queries side by side, of the keys summed."""
    sides: tuple[list, list] = ([], [])
    sums: list[Any] = [None, None]
    for part in parts:
        block = block_of(part, *inputs)
        y_part, weights, seen = attend(xp, *block, *scales)
        dq, dk, dv, dm = attend_back(xp, g[..., part, :], y_part, weights, seen, block, scales, needs)
        sides[0].append(dq)
        sides[1].append(dm)
        sums = [new if old is None else old + new for old, new in zip(sums, (dk, dv), strict=True)]
    d_query, d_mask = (None if xs[0] is None else xp.concatenate(xs, axis=-2) for xs in sides)
    return d_query, *sums, d_mask
