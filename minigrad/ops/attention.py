"""Floor 4: scaled dot-product attention.

Letters: L queries, S keys, E size of a key, V size of a value, `...` leading dimensions (batch, heads).
"""

from minigrad.backend import accumulator
from minigrad.fused import fused
from minigrad.kernels.attention import attend, attend_back, back_by_blocks, blocks_of_queries, by_blocks
from minigrad.ops.elementwise import masked_scale
from minigrad.ops.linalg import matmul
from minigrad.ops.reduce import masked_softmax, softmax
from minigrad.ops.shape import mT, reshape


@fused
class scaled_dot_product_attention:
    """y = softmax(s Q Kᵀ) V    (Vaswani et al. 2017, eq. 1; s = 1/√E)

    mask: bool, True where a query may look, or floating and added to the scores; a row that may look nowhere
    gives 0.  dropout: a mask of the weights to keep, which are then scaled by `keep_scale`.
    """
    nondifferentiable = ("dropout",)

    def definition(query, key, value, mask=None, dropout=None, *, scale, keep_scale=1.0):
        scores = matmul(query, mT(key)) * scale  # (..., L, E) (..., E, S) -> (..., L, S)
        if mask is not None and mask.ndim > scores.ndim:  # only the values have so many leading dimensions
            scores = reshape(scores, shape=(*[1] * (mask.ndim - scores.ndim), *scores.shape))
        if mask is None: weights = softmax(scores, dim=-1)
        elif mask.dtype == "bool": weights = masked_softmax(scores, mask, dim=-1)
        else: weights = masked_softmax(scores + mask, scores + mask > float("-inf"), dim=-1)
        if dropout is not None: weights = masked_scale(weights, dropout, scale=keep_scale)
        return matmul(weights, value)  # (..., L, S) (..., S, V) -> (..., L, V)

    def forward(xp, query, key, value, mask=None, dropout=None, *, scale, keep_scale=1.0):
        kind, wide = query.dtype, accumulator(query.dtype)
        query, key, value = (x.astype(wide, copy=False) for x in (query, key, value))
        inputs, scales = (query, key, value, mask, dropout), (wide.type(scale), wide.type(keep_scale))
        parts = blocks_of_queries(*inputs)
        if len(parts) == 1:
            y, *weights = attend(xp, *inputs, *scales)
        else:
            y, weights = by_blocks(xp, inputs, scales, parts), None
        return y.astype(kind, copy=False), (inputs, scales, parts, weights, y)

    def pullback(xp, g, kept, needs, *, scale, keep_scale):
        inputs, scales, parts, weights, y = kept
        g = g.astype(y.dtype, copy=False)
        if weights is not None: return *attend_back(xp, g, y, *weights, inputs, scales, needs), None
        return *back_by_blocks(xp, g, inputs, scales, parts, needs), None
