"""Floor 4: operations that turn many elements into one, along the dimensions `dim` (None: all of them)."""

import math

from minigrad.backend import accumulator
from minigrad.kernels.rows import FEW, sums
from minigrad.kernels.softmax import log_softmax as log_softmax_of_rows
from minigrad.kernels.softmax import softmax as softmax_of_rows
from minigrad.ops.choosing import where
from minigrad.ops.comparison import isnan
from minigrad.ops.elementwise import abs_, cast
from minigrad.ops.exponential import exp, power
from minigrad.ops.rounding import sign
from minigrad.ops.scan import cumprod, narrowed, product_before
from minigrad.ops.shape import broadcast_to, inverse_permutation, permute, reshape
from minigrad.primitive import primitive

FAMILY = "axis"  # how vmap batches the cards of this file


def kept_shape(shape: tuple[int, ...], dim) -> tuple[int, ...]:
    """`shape` with the reduced dimensions at size 1: what keepdim=True gives."""
    gone = reduced(shape, dim)
    return tuple(1 if i in gone else size for i, size in enumerate(shape))


def reduced(shape: tuple[int, ...], dim) -> set[int]:
    """The dimensions that are reduced, counted from the front."""
    if dim is None or not shape: return {*range(len(shape))}
    return {d % len(shape) for d in ((dim,) if isinstance(dim, int) else dim)}


def restored(y, shape: tuple[int, ...], dim):
    """A reduced array with its lost dimensions back, at size 1."""
    return y if len(y.shape) == len(shape) else reshape(y, shape=kept_shape(shape, dim))


@primitive
class sum_:
    """y = Σ x;  every summand gets the gradient of the sum"""
    def forward(xp, x, *, dim=None, keepdim=False):
        if x.dtype.char not in "df":
            return narrowed(x.sum(axis=dim, keepdims=keepdim, dtype=accumulator(x.dtype)), x.dtype)
        return sums(xp, x, dim, keepdim) if x.size > FEW else x.sum(axis=dim, keepdims=keepdim)
    def d_x(g, x_shape, dim): return broadcast_to(restored(g, x_shape, dim), shape=x_shape)


@primitive
class prod:
    """y = Π x;  ∂y/∂xᵢ = the product of all before xᵢ, times that of all after it: no division by a zero"""
    def forward(xp, x, *, dim=None, keepdim=False):
        return narrowed(x.prod(axis=dim, keepdims=keepdim, dtype=accumulator(x.dtype)), x.dtype)
    def d_x(g, x, x_shape, dim):
        gone = reduced(x_shape, dim)
        order = tuple(sorted(range(len(x_shape)), key=gone.__contains__))  # those that are reduced come last
        moved, last = permute(x, dims=order), len(order) - len(gone)
        rows = reshape(moved, shape=(*moved.shape[:last], math.prod(moved.shape[last:])))
        before = product_before(cumprod(rows, dim=last), last)
        after = product_before(cumprod(rows, dim=last, reverse=True), last, reverse=True)
        others = reshape(before * after, shape=moved.shape)
        return restored(g, x_shape, dim) * permute(others, dims=inverse_permutation(order))


@primitive
class vector_norm:
    """y = (Σ |x|ᵖ)^(1/p) for p = ord;  ∂y/∂x = sign x (|x| / y)ᵖ⁻¹, and 0 where y = 0"""
    promote = ("x",)
    floating = True
    def forward(xp, x, *, ord=2, dim=None, keepdim=False):
        over = {"axis": dim, "keepdims": keepdim}
        wide = x.astype(accumulator(x.dtype), copy=False)
        if ord == math.inf: y = xp.abs(wide).max(**over)
        elif ord == -math.inf: y = xp.abs(wide).min(**over)
        elif ord == 0: y = (wide != 0).sum(dtype=wide.dtype, **over)
        elif ord == 1: y = xp.abs(wide).sum(**over)
        elif ord == 2: y = xp.sqrt((wide * wide).sum(**over))
        else: y = (xp.abs(wide) ** ord).sum(**over) ** (1 / ord)
        return narrowed(y, x.dtype)
    def d_x(g, x, y, x_shape, ord, dim):
        if abs(ord) == math.inf: return sign(x) * shared_among_ties(g, abs_(x), y, x_shape, dim)
        g, y = restored(g, x_shape, dim), restored(y, x_shape, dim)
        if ord == 0: return broadcast_to(g * 0.0, shape=x_shape)
        if ord == 1: return g * sign(x)
        if ord == 2: return x * (g / infinite_if_zero(y))
        if ord < 1: return sign(x) * power(infinite_if_zero(abs_(x)), n=ord - 1) * (g * power(y, n=1 - ord))
        return sign(x) * power(abs_(x), n=ord - 1) * (g * power(infinite_if_zero(y), n=1 - ord))


def infinite_if_zero(x):
    """x, but ∞ in place of 0: a divisor that makes 0, and no nan, of 0 / 0, in every derivative, too."""
    return where(x == 0, math.inf, x)


@primitive
class amax:
    """y = max x; ties share the gradient equally"""
    def forward(xp, x, *, dim=None, keepdim=False): return x.max(axis=dim, keepdims=keepdim)
    def d_x(g, x, y, x_shape, dim): return shared_among_ties(g, x, y, x_shape, dim)


@primitive
class amin:
    """y = min x; ties share the gradient equally"""
    def forward(xp, x, *, dim=None, keepdim=False): return x.min(axis=dim, keepdims=keepdim)
    def d_x(g, x, y, x_shape, dim): return shared_among_ties(g, x, y, x_shape, dim)


def shared_among_ties(g, x, y, shape, dim):
    """The gradient of an extreme value, in equal parts to the elements that attain it; nan attains nan."""
    g, y = restored(g, shape, dim), restored(y, shape, dim)
    attained = cast((x == y) | (isnan(x) & isnan(y)), dtype=g.dtype)
    return g / sum_(attained, dim=dim, keepdim=True) * attained


def largest(xp, x, dim):
    """The largest element along `dim`, kept as a dimension of size 1; -inf where there is none."""
    if x.size: return x.max(axis=dim, keepdims=True)
    return xp.full(kept_shape(x.shape, dim), -math.inf, x.dtype)


def finite_or_zero(xp, x):
    """x, with 0 in place of infinities: what may be subtracted before exp without making inf - inf."""
    return xp.where(xp.isfinite(x), x, xp.zeros_like(x))


@primitive
class logsumexp:
    """y = ln Σ eˣ,  ∂y/∂xᵢ = exp(xᵢ - y): the softmax"""
    promote = ("x",)
    floating = True
    def forward(xp, x, *, dim=None, keepdim=False):
        top = finite_or_zero(xp, largest(xp, x, dim))
        total = xp.exp(x - top).sum(axis=dim, keepdims=True, dtype=accumulator(x.dtype))
        y = (xp.log(total) + top).astype(x.dtype, copy=False)
        return y if keepdim else y.reshape(xp.sum(top, axis=dim).shape)
    def d_x(g, x, y, x_shape, dim): return restored(g, x_shape, dim) * exp(x - restored(y, x_shape, dim))


@primitive
class argmax:
    """y = the index of the first largest element"""
    nondifferentiable = ("x",)
    def forward(xp, x, *, dim=None, keepdim=False): return xp.argmax(x, axis=dim, keepdims=keepdim)


@primitive
class argmin:
    """y = the index of the first smallest element"""
    nondifferentiable = ("x",)
    def forward(xp, x, *, dim=None, keepdim=False): return xp.argmin(x, axis=dim, keepdims=keepdim)


@primitive
class all_:
    """y = do all elements hold?"""
    nondifferentiable = ("x",)
    def forward(xp, x, *, dim=None, keepdim=False): return xp.all(x, axis=dim, keepdims=keepdim)


@primitive
class any_:
    """y = does any element hold?"""
    nondifferentiable = ("x",)
    def forward(xp, x, *, dim=None, keepdim=False): return xp.any(x, axis=dim, keepdims=keepdim)


# ---------------------------------------------------------------- the softmax family


def suits_rows(x, dim):
    """Is `dim` the last dimension, and what is there more than nothing, and of four bytes or more each?"""
    return x.size > 0 and dim == x.ndim - 1 and x.dtype.itemsize > 2


@primitive
class softmax:
    """yᵢ = eˣⁱ / Σⱼ eˣʲ,  dx = y (g - Σ g y)"""
    promote = ("x",)
    floating = True
    def forward(xp, x, *, dim):
        if suits_rows(x, dim): return softmax_of_rows(xp, x)
        y = xp.asarray(xp.exp(x - largest(xp, x, dim)))  # NumPy makes a number of a 0-d result
        total = y.sum(axis=dim, keepdims=True, dtype=accumulator(x.dtype))
        return xp.divide(y, total, out=y, casting="same_kind")
    def d_x(g, y, dim): return y * (g - sum_(g * y, dim=dim, keepdim=True))


@primitive
class log_softmax:
    """yᵢ = xᵢ - ln Σⱼ eˣʲ,  dx = g - eʸ Σ g"""
    promote = ("x",)
    floating = True
    def forward(xp, x, *, dim):
        if suits_rows(x, dim): return log_softmax_of_rows(xp, x)
        shifted = xp.asarray(x - largest(xp, x, dim))
        total = xp.exp(shifted).sum(axis=dim, keepdims=True, dtype=accumulator(x.dtype))
        return xp.subtract(shifted, xp.log(total), out=shifted, casting="same_kind")
    def d_x(g, y, dim): return g - exp(y) * sum_(g, dim=dim, keepdim=True)


@primitive
class masked_softmax:
    """The softmax over the places where the mask holds; 0 elsewhere, and in a row where it holds nowhere"""
    promote = ("x",)
    floating = True
    nondifferentiable = ("mask",)
    def forward(xp, x, mask, *, dim):
        seen = xp.where(mask, x, -math.inf)
        y = xp.exp(seen - finite_or_zero(xp, largest(xp, seen, dim)))
        total = y.sum(axis=dim, keepdims=True, dtype=accumulator(x.dtype))
        return (y / xp.where(total == 0, xp.ones_like(total), total)).astype(x.dtype, copy=False)
    def d_x(g, y, dim): return y * (g - sum_(g * y, dim=dim, keepdim=True))
