"""Floor 4: normalisation, the same for every backend."""

from minigrad.backend import accumulator
from minigrad.fused import fused
from minigrad.ops.elementwise import power, sqrt
from minigrad.ops.linalg import column_sums
from minigrad.ops.reduce import sum_


@fused
class layer_norm:
    """y = (x - μ) / √(σ² + ε) · w + b, with μ, σ² over the last `dims` dimensions

    (Ba, Kiros & Hinton 2016, eqs. 3 and 4.)
    One pass in place of nine nodes; the standardised x is kept, μ and σ are not needed again.
    """

    def definition(x, weight=None, bias=None, *, dims=1, eps=1e-5):
        last = tuple(range(-dims, 0))
        count = 1
        for size in x.shape[x.ndim - dims :]: count = count * size
        centred = x - sum_(x, dim=last, keepdim=True) / count
        variance = sum_(power(centred, n=2), dim=last, keepdim=True) / count
        y = centred / sqrt(variance + eps)
        if weight is not None: y = y * weight
        return y if bias is None else y + bias

    def forward(xp, x, weight=None, bias=None, *, dims=1, eps=1e-5):
        wide = x.astype(accumulator(x.dtype), copy=False).reshape(*x.shape[: x.ndim - dims], -1)
        standard = wide - wide.mean(axis=-1, keepdims=True)
        inverse = 1 / xp.sqrt(xp.mean(standard * standard, axis=-1, keepdims=True) + eps)  # 1 / σ
        standard *= inverse
        y = standard if weight is None else standard * weight.reshape(-1)
        if bias is not None: y = y + bias.reshape(-1)
        elif y is standard: y = standard.copy()
        return y.astype(x.dtype, copy=False).reshape(x.shape), (standard, inverse, weight, x.shape)

    def pullback(xp, g, kept, needs, *, dims, eps):
        standard, inverse, weight, shape = kept
        g = g.astype(standard.dtype, copy=False).reshape(standard.shape)
        flat = g.reshape(-1, standard.shape[-1])  # (rows, H)
        parameters = shape[len(shape) - dims :]
        dw = column_sums(xp, flat * standard.reshape(flat.shape)).reshape(parameters) if needs[1] else None
        db = column_sums(xp, flat).reshape(parameters) if needs[2] else None
        if not needs[0]: return None, dw, db
        g_standard = g if weight is None else g * weight.reshape(-1)
        along = xp.mean(g_standard * standard, axis=-1, keepdims=True)
        dx = g_standard - g_standard.mean(axis=-1, keepdims=True)
        dx -= standard * along
        dx *= inverse
        return dx.reshape(shape), dw, db
