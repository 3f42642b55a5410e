"""Floor 4: operations that turn many elements into one, along the dimensions `dim` (None: all of them)."""

import math

from minigrad.backend import accumulator
from minigrad.ops.elementwise import exp, where
from minigrad.ops.shape import broadcast_to, reshape
from minigrad.primitive import primitive


def kept_shape(shape: tuple[int, ...], dim) -> tuple[int, ...]:
    """`shape` with the reduced dimensions at size 1: what keepdim=True gives."""
    if dim is None: return (1,) * len(shape)
    reduced = {d % len(shape) for d in ((dim,) if isinstance(dim, int) else dim)} if shape else set()
    return tuple(1 if i in reduced else size for i, size in enumerate(shape))


def restored(y, shape: tuple[int, ...], dim):
    """A reduced array with its lost dimensions back, at size 1."""
    return y if len(y.shape) == len(shape) else reshape(y, shape=kept_shape(shape, dim))


@primitive
class sum_:
    """y = Σ x;  every summand gets the gradient of the sum"""
    def forward(xp, x, *, dim=None, keepdim=False):
        if x.dtype.char != "e": return x.sum(axis=dim, keepdims=keepdim)
        return x.sum(axis=dim, keepdims=keepdim, dtype="float32").astype(x.dtype)  # many float16 overflow
    def d_x(g, x_shape, dim): return broadcast_to(restored(g, x_shape, dim), shape=x_shape)


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
    """The gradient of an extreme value, in equal parts to the elements that attain it."""
    attained = where(x == restored(y, shape, dim), restored(g, shape, dim) * 0.0 + 1.0, 0.0)
    return restored(g, shape, dim) / sum_(attained, dim=dim, keepdim=True) * attained


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


@primitive
class softmax:
    """yᵢ = eˣⁱ / Σⱼ eˣʲ,  dx = y (g - Σ g y)"""
    promote = ("x",)
    floating = True
    def forward(xp, x, *, dim):
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
