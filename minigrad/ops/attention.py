"""Floor 4: scaled dot-product attention.

Letters: L queries, S keys, E size of a key, V size of a value, `...` leading dimensions (batch, heads).
"""

from minigrad.backend import accumulator
from minigrad.fused import fused
from minigrad.kernels.rows import row_dots
from minigrad.kernels.softmax import softmax_
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
        scores = xp.matmul(query * wide.type(scale), xp.swapaxes(key, -1, -2))
        weights = softmax_(xp, scores, mask)
        seen = weights if dropout is None else weights * dropout * weights.dtype.type(keep_scale)
        y = xp.matmul(seen, value)
        return y.astype(kind, copy=False), (query, key, value, weights, seen, dropout, y)

    def pullback(xp, g, kept, needs, *, scale, keep_scale):
        query, key, value, weights, seen, dropout, y = kept
        g = g.astype(weights.dtype, copy=False)
        d_value = xp.matmul(xp.swapaxes(seen, -1, -2), g) if needs[2] else None  # (..., S, L) (..., L, V)
        d_scores = xp.matmul(g, xp.swapaxes(value, -1, -2))  # (..., L, V) (..., V, S)
        if dropout is not None: d_scores *= dropout * weights.dtype.type(keep_scale)
        d_scores -= row_dots(xp, g, y)  # Σ weights · d_weights along a row of S is Σ g y along one of V
        d_scores *= weights
        d_mask = d_scores.copy() if needs[3] else None
        d_scores *= weights.dtype.type(scale)
        d_query = xp.matmul(d_scores, key) if needs[0] else None
        d_key = xp.matmul(xp.swapaxes(d_scores, -1, -2), query) if needs[1] else None
        return d_query, d_key, d_value, d_mask, None
