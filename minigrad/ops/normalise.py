"""Floor 4: normalisation: subtract a mean, divide by a deviation, scale and shift.

Letters: N examples, C channels, L all that follows; μ and σ² are the mean and the variance of what is
normalised together.  Each is one pass in place of some nine nodes; the standardised x is kept, μ is not.
"""

import math

from minigrad.backend import accumulator
from minigrad.buffers import room
from minigrad.fused import fused
from minigrad.kernels.rows import blocks, column_sums, row_dots, row_sums
from minigrad.ops.exponential import power, sqrt
from minigrad.ops.reduce import sum_
from minigrad.ops.shape import reshape


@fused
class layer_norm:
    """y = (x - μ) / √(σ² + ε) · w + b, with μ, σ² over the last `dims` dimensions

    (Ba, Kiros & Hinton 2016, eqs. 3 and 4.)
    """

    def definition(x, weight=None, bias=None, *, dims=1, eps=1e-5):
        y, _, _ = standard_scores(x, tuple(range(x.ndim - dims, x.ndim)), eps)
        return scaled_and_shifted(y, weight, bias)

    def forward(xp, x, weight=None, bias=None, *, dims=1, eps=1e-5):
        rows, parameters = rows_of(x.shape, dims)
        standard, inverse = standardised_rows(xp, x.reshape(rows), eps)
        y = scaled_and_shifted(standard, *flat_parameters(weight, bias, (-1,)))
        if y is standard: y = standard.copy()
        y = y.astype(x.dtype, copy=False).reshape(x.shape)
        return y, (standard, inverse, weight, parameters, x.shape)

    def pullback(xp, g, kept, needs, *, dims, eps):
        standard, inverse, weight, parameters, shape = kept
        g = g.astype(standard.dtype, copy=False).reshape(standard.shape)  # (rows, H)
        dx, dw, db = unstandardised_rows(xp, g, standard, inverse, weight, needs)
        dw, db = (p if p is None else p.reshape(parameters) for p in (dw, db))
        return dx if dx is None else dx.reshape(shape), dw, db


@fused
class rms_norm:
    """y = x / √(mean x² + ε) · w, over the last `dims` dimensions    (Zhang & Sennrich 2019, eq. 4)"""

    def definition(x, weight=None, *, dims=1, eps=1e-5):
        last = tuple(range(x.ndim - dims, x.ndim))
        mean_square = sum_(power(x, n=2), dim=last, keepdim=True) / math.prod(x.shape[x.ndim - dims :])
        return scaled_and_shifted(x / sqrt(mean_square + eps), weight, None)

    def forward(xp, x, weight=None, *, dims=1, eps=1e-5):
        rows, parameters = rows_of(x.shape, dims)
        wide = x.astype(accumulator(x.dtype), copy=False).reshape(rows)
        inverse = 1 / xp.sqrt(row_dots(xp, wide, wide) / max(wide.shape[1], 1) + eps)
        standard = wide * inverse
        y = standard.copy() if weight is None else standard * weight.reshape(-1)
        y = y.astype(x.dtype, copy=False).reshape(x.shape)
        return y, (standard, inverse, weight, parameters, x.shape)

    def pullback(xp, g, kept, needs, *, dims, eps):
        standard, inverse, weight, parameters, shape = kept
        g = g.astype(standard.dtype, copy=False).reshape(standard.shape)  # (rows, H)
        dw = column_sums(xp, g * standard).reshape(parameters) if needs[1] else None
        if not needs[0]: return None, dw
        if weight is not None: g = g * weight.reshape(-1)
        dx = g - standard * (row_dots(xp, g, standard) / max(standard.shape[1], 1))
        dx *= inverse
        return dx.reshape(shape), dw


@fused
class batch_norm:
    """y, μ, σ² = (x - μ) / √(σ² + ε) · w + b, and μ, σ² of each channel    (Ioffe & Szegedy 2015, alg. 1)"""

    def definition(x, weight=None, bias=None, *, eps=1e-5):
        flat = reshape(x, shape=channels_of(x.shape, x.shape[1]))  # (N, C, L)
        y, mean, variance = standard_scores(flat, (0, 2), eps)
        y = scaled_and_shifted(y, *flat_parameters(weight, bias, (-1, 1)))
        return reshape(y, shape=x.shape), reshape(mean, shape=(-1,)), reshape(variance, shape=(-1,))

    def forward(xp, x, weight=None, bias=None, *, eps=1e-5):
        flat = x.reshape(channels_of(x.shape, x.shape[1]))
        standard, inverse, mean, variance = standardised(xp, flat, (0, 2), eps)
        y = scaled_and_shifted(standard, *flat_parameters(weight, bias, (-1, 1)))
        if y is standard: y = standard.copy()
        y = y.astype(x.dtype, copy=False).reshape(x.shape)
        return (y, mean.reshape(-1), variance.reshape(-1)), (standard, inverse, weight, x.shape)

    def pullback(xp, g, kept, needs, *, eps):
        standard, inverse, weight, shape = kept
        count = shape[0] * standard.shape[2]
        g_y = xp.zeros_like(standard) if g[0] is None else (
            g[0].astype(standard.dtype, copy=False).reshape(standard.shape))  # (N, C, L)
        dw, db = (g_y * standard).sum(axis=(0, 2)), g_y.sum(axis=(0, 2))
        dx = g_y - standard * (dw / count)[:, None]
        dx -= (db / count)[:, None]
        dx *= inverse if weight is None else inverse * weight[:, None]
        if g[1] is not None: dx += g[1][:, None] / count
        if g[2] is not None: dx += standard / inverse * (g[2][:, None] * (2 / count))
        return dx.reshape(shape), dw, db


@fused
class group_norm:
    """y = (x - μ) / √(σ² + ε) · w + b, with μ, σ² over each of `groups` groups of channels

    (Wu & He 2018, eqs. 1 to 5.)
    """

    def definition(x, weight=None, bias=None, *, groups, eps=1e-5):
        y, _, _ = standard_scores(reshape(x, shape=channels_of(x.shape, groups)), (2,), eps)
        y = reshape(y, shape=channels_of(x.shape, x.shape[1]))
        return reshape(scaled_and_shifted(y, *flat_parameters(weight, bias, (-1, 1))), shape=x.shape)

    def forward(xp, x, weight=None, bias=None, *, groups, eps=1e-5):
        N, G, L = channels_of(x.shape, groups)
        standard, inverse = standardised_rows(xp, x.reshape(N * G, L), eps)
        y = standard.reshape(channels_of(x.shape, x.shape[1]))
        y = scaled_and_shifted(y, *flat_parameters(weight, bias, (-1, 1)))
        if weight is None and bias is None: y = y.copy()
        return y.astype(x.dtype, copy=False).reshape(x.shape), (standard, inverse, weight, x.shape)

    def pullback(xp, g, kept, needs, *, groups, eps):
        standard, inverse, weight, shape = kept
        channels = channels_of(shape, shape[1])
        g = g.astype(standard.dtype, copy=False).reshape(channels)  # (N, C, L)
        dw = (g * standard.reshape(channels)).sum(axis=(0, 2)) if needs[1] else None
        db = g.sum(axis=(0, 2)) if needs[2] else None
        if not needs[0]: return None, dw, db
        if weight is not None: g = g * weight[:, None]
        g, only_x = g.reshape(standard.shape), (True, False, False)
        dx, _, _ = unstandardised_rows(xp, g, standard, inverse, None, only_x)
        return dx.reshape(shape), dw, db


# ---------------------------------------------------------------- what they share


def standard_scores(x, dim, eps):
    """(x - μ) / √(σ² + ε), μ and σ² over the dimensions `dim`, in ordinary operations."""
    count = math.prod(x.shape[d] for d in dim)
    mean = sum_(x, dim=dim, keepdim=True) / count
    centred = x - mean
    variance = sum_(power(centred, n=2), dim=dim, keepdim=True) / count
    return centred / sqrt(variance + eps), mean, variance


def standardised(xp, x, axis, eps):
    """The same in one pass, in the type in which sums are kept; and 1 / √(σ² + ε) as the second of four."""
    x = x.astype(accumulator(x.dtype), copy=False)
    mean = x.mean(axis=axis, keepdims=True)
    standard = x - mean
    variance = xp.mean(standard * standard, axis=axis, keepdims=True)
    inverse = 1 / xp.sqrt(variance + eps)
    standard *= inverse
    return standard, inverse, mean, variance


def standardised_rows(xp, x, eps):
    """(x - μ) / √(σ² + ε) for each row of a matrix; and 1 / √(σ² + ε), a column."""
    x = x.astype(accumulator(x.dtype), copy=False)
    count = max(x.shape[1], 1)
    standard = xp.subtract(x, row_sums(xp, x) / count, out=room(xp, x.shape, x.dtype))
    inverse = row_dots(xp, standard, standard) / count
    inverse += eps
    xp.divide(1, xp.sqrt(inverse, out=inverse), out=inverse)
    standard *= inverse
    return standard, inverse


def unstandardised_rows(xp, g, standard, inverse, weight, needs):
    """The gradients of x, w and b for y = standard w + b: dx = (g w - mean g w - y mean(g w y)) / σ

    By blocks of rows: 740 µs became 520 for (1024, 256) in float32.
    """
    H = standard.shape[1]
    w = xp.ones(H, g.dtype) if weight is None else weight.reshape(-1).astype(g.dtype, copy=False)
    share = (w / -max(H, 1))[:, None]
    dx = room(xp, standard.shape, standard.dtype) if needs[0] else None
    dw = xp.zeros(H, g.dtype) if needs[1] else None
    db = column_sums(xp, g) if needs[2] else None
    for part in blocks(xp, g):
        product = g[part] * standard[part]
        if needs[1]: dw += column_sums(xp, product)
        if not needs[0]: continue
        along, level = xp.matmul(product, share), xp.matmul(g[part], share)  # -mean(g w y), -mean(g w)
        xp.multiply(standard[part], along, out=product)
        product += level
        here = dx[part]
        if weight is None: product += g[part]
        else: product += xp.multiply(g[part], w, out=here)
        xp.multiply(product, inverse[part], out=here)
    return dx, dw, db


def scaled_and_shifted(y, weight, bias):
    """y w + b, where they are there."""
    if weight is not None: y = y * weight
    return y if bias is None else y + bias


def flat_parameters(weight, bias, shape):
    """Weight and bias, where they are there, as `shape`."""
    return [p if p is None else reshape(p, shape=shape) for p in (weight, bias)]


def rows_of(shape, dims):
    """`shape` as a matrix, one row for each normalisation, and the shape of its last `dims` dimensions."""
    split = len(shape) - dims
    return (math.prod(shape[:split]), math.prod(shape[split:])), shape[split:]


def channels_of(shape, groups):
    """The shape (N, groups, all that remains of an example)."""
    return (shape[0], groups, math.prod(shape[1:]) // max(groups, 1))
