"""Floor 4: scaled dot-product attention, and the products that make its queries, keys and values.

Letters: L queries, S keys, E size of a key, V size of a value, `...` leading dimensions (batch, heads).
"""

from minigrad.backend import accumulator
from minigrad.buffers import room
from minigrad.fused import fused
from minigrad.kernels.attention import attend, attend_back, back_by_blocks, blocks_of_queries, by_blocks
from minigrad.ops.elementwise import masked_scale
from minigrad.ops.linalg import linear, matmul
from minigrad.ops.reduce import masked_softmax, softmax
from minigrad.ops.shape import mT, narrow, permute, reshape


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


@fused
class in_projection:
    """Q, K, V = x W_q + b_q, m W_k + b_k, m W_v + b_v, each cut into heads    (Vaswani et al. 2017, §3.2.2)

    x (N, L, E) and memory (N, S, E) give (N, heads, L, E / heads) and twice (N, heads, S, E / heads); without
    a memory it is x.  The three matrices lie one below the other in weight (3 E, E): one product makes all
    that is made of one input, the heads are views of it, and one product takes their gradients back: 0.98 of
    the time of a step of a Transformer with 3 + 3 layers of width 256.
    """
    promote = ("x", "weight", "bias", "memory")

    def definition(x, weight, bias=None, memory=None, *, heads):
        width = weight.shape[0] // 3
        made = []
        for i, source in enumerate((x, x, x) if memory is None else (x, memory, memory)):
            b = bias if bias is None else narrow(bias, dim=0, start=i * width, length=width)
            y = linear(source, narrow(weight, dim=0, start=i * width, length=width), b)  # (N, L, E)
            y = reshape(y, shape=(*y.shape[:2], heads, width // heads))
            made.append(permute(y, dims=(0, 2, 1, 3)))
        return tuple(made)

    def forward(xp, x, weight, bias=None, memory=None, *, heads):
        width = weight.shape[0] // 3
        if memory is None: made = in_heads(linear(x, weight, bias), 3, heads)
        else:
            first, others = (None, None) if bias is None else (bias[:width], bias[width:])
            q = in_heads(linear(x, weight[:width], first), 1, heads)
            made = q + in_heads(linear(memory, weight[width:], others), 2, heads)
        return made, (x, weight, memory)

    def pullback(xp, g, kept, needs, *, heads):
        x, weight, memory = kept
        width, wanted = weight.shape[0] // 3, (needs[0], needs[1], needs[2])
        if memory is None:
            dy = out_of_heads(xp, g, x, width, heads)
            return *linear.array_pullback(xp, dy, (x, weight), wanted), None
        dy = out_of_heads(xp, g[:1], x, width, heads)
        dx, *first = linear.array_pullback(xp, dy, (x, weight[:width]), wanted)
        dy = out_of_heads(xp, g[1:], memory, width, heads)
        d_memory, *others = linear.array_pullback(xp, dy, (memory, weight[width:]), (needs[3], *wanted[1:]))
        pairs = zip(first, others, strict=True)
        dW, db = (None if pair[0] is None else xp.concatenate(pair) for pair in pairs)
        return dx, dW, db, d_memory


def in_heads(y, parts, heads):
    """(N, L, parts E) as that many views (N, heads, L, E / heads)."""
    y = y.reshape(*y.shape[:2], parts, heads, y.shape[2] // (parts * heads))
    return tuple(y[:, :, i].transpose(0, 2, 1, 3) for i in range(parts))


def out_of_heads(xp, parts, x, width, heads):
    """The way back: arrays (N, heads, L, E / heads), None for zeros, as one (N, L, parts E)."""
    y = room(xp, (*x.shape[:2], len(parts), heads, width // heads), x.dtype)
    for i, part in enumerate(parts):
        y[:, :, i] = 0 if part is None else part.transpose(0, 2, 1, 3)
    return y.reshape(*x.shape[:2], len(parts) * width)
