"""Floor 4: products of matrices.

Letters in comments: N rows, I and O the inner and outer sizes, `...` leading (batch) dimensions.
"""

import math

from minigrad.buffers import product
from minigrad.errors import ShapeError, matmul_error
from minigrad.fused import fused
from minigrad.kernels.rows import column_sums
from minigrad.ops.shape import mT, reshape
from minigrad.primitive import primitive


@primitive
class matmul:
    """y = a b, batched over leading dimensions;  da = g bᵀ,  db = aᵀ g"""
    family = "matmul"
    promote = ("a", "b")
    refuse = matmul_error
    def forward(xp, a, b): return xp.matmul(a, b)
    def d_a(g, b): return g @ b.T if len(b.shape) == 2 >= len(g.shape) else _first(g, b)  # vectors, too
    def d_b(g, a, b_shape): return a.T @ g if len(a.shape) == 2 else _second(g, a, b_shape)


def _first(g, b):
    """g bᵀ, with a vector seen as a matrix of one row (the first operand) or one column (the second)."""
    if len(b.shape) == 1:
        return reshape(g, shape=(*g.shape, 1)) * b  # (..., N) (I) -> (..., N, I)
    if len(g.shape) < len(b.shape):  # a is a vector
        return matmul(b, reshape(g, shape=(*g.shape, 1)))[..., 0]  # (..., I, O) (..., O, 1) -> (..., I)
    return matmul(g, mT(b))  # batches go through the kernel, which on a GPU copies no transpose


def _second(g, a, b_shape):
    """aᵀ g, with the same view of vectors."""
    if len(a.shape) == 1:
        if len(b_shape) == 1: return g * a
        return reshape(a, shape=(*a.shape, 1)) * reshape(g, shape=(*g.shape[:-1], 1, g.shape[-1]))
    if len(b_shape) == 1:
        return matmul(mT(a), reshape(g, shape=(*g.shape, 1)))[..., 0]  # (..., I, N) (..., N, 1) -> (..., I)
    if len(b_shape) == 2 and len(a.shape) > 2:  # one product over all rows, rather than a sum over the batch
        return mT(rows(a)) @ rows(g)
    return matmul(mT(a), g)


def _linear_error(x, weight, bias=()):
    return ShapeError(
        f"linear(): input {x}, weight {weight}, bias {bias or None}: the input's last dimension must be "
        f"{weight[-1:]} and the bias's size {weight[:1]}"
    )


@fused
class linear:
    """y = x Wᵀ + b

    One tape node in place of four, one product over all leading dimensions, and the bias added where the
    product lies.
    """
    promote = ("x", "weight", "bias")
    refuse = _linear_error

    def definition(x, weight, bias=None):
        y = matmul(x, mT(weight))
        return y if bias is None else y + bias

    def forward(xp, x, weight, bias=None):
        y = product(xp, rows(x), weight.T)  # (N, I) (I, O) -> (N, O)
        if bias is not None: y += bias
        return y if x.ndim == 2 else y.reshape(*x.shape[:-1], weight.shape[0]), (x, weight)

    def pullback(xp, g, kept, needs):
        x, weight = kept
        flat = rows(g)  # (N, O)
        dx = product(xp, flat, weight) if needs[0] else None
        if needs[0] and x.ndim != 2: dx = dx.reshape(x.shape)
        dW = xp.matmul(flat.T, rows(x)) if needs[1] else None  # (O, N) (N, I) -> (O, I)
        db = column_sums(xp, flat) if needs[2] else None
        return dx, dW, db


def rows(x):
    """x as a matrix: one row for all leading dimensions together."""
    if x.ndim == 2: return x
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])  # -1 would be open if the last is 0


@primitive
class cross:
    """y = a × b along `dim`, of size 3 and counted from the end;  da = b × g,  db = g × a"""
    family = "elementwise"
    promote = ("a", "b")
    def forward(xp, a, b, *, dim): return xp.cross(a, b, axis=dim)
    def d_a(g, b, dim): return cross(b, g, dim=dim)
    def d_b(g, a, dim): return cross(g, a, dim=dim)


def dot(a, b):
    """The inner product of two vectors of equal length, a number."""
    if a.ndim != 1 or b.ndim != 1 or a.shape != b.shape:
        raise ShapeError(f"dot(): got shapes {a.shape} and {b.shape}, expected two vectors of equal length")
    return matmul(a, b)
