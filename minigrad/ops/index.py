"""Floor 4: operations that pick elements by number, and the operations that put them back.

Picking and adding back are each other's derivative: getitem and put_sum, gather and scatter_sum, embedding
and its gradient.
"""

import math

from minigrad.backend import accumulator
from minigrad.indexing import may_repeat, numbered, numbered_along
from minigrad.kernels.numbered import sums_by_number
from minigrad.kernels.writing import is_last, put
from minigrad.ops.choosing import where
from minigrad.ops.shape import reshape
from minigrad.primitive import primitive


@primitive
class getitem:
    """y = x[index]    (NumPy's indexing: integers, slices, None, Ellipsis, integer and bool arrays)"""
    family = "getitem"
    view = True
    def forward(xp, x, *, index): return x[index]
    def d_x(g, x_shape, index): return put_sum(g, shape=x_shape, index=index)


@primitive
class put_sum:
    """y = zeros of `shape`, with y[index] += x; an index that occurs twice adds twice"""
    family = "put"
    def forward(xp, x, *, shape, index):
        if may_repeat(index): return summed(xp, x, shape, *numbered(xp, shape, index))
        y = xp.zeros(shape, x.dtype)
        y[index] = x
        return y
    def d_x(g, index): return getitem(g, index=index)


@primitive
class setitem:
    """y = a copy of x in which y[index] = v; of several values for one element the last one stays"""
    family = "setitem"
    def forward(xp, x, v, *, index):
        y = x.copy()
        put(y, index, v)
        return y
    def d_x(g, index): return setitem(g, 0.0, index=index)
    def d_v(g, v_shape, index):
        picked = getitem(g, index=index)
        if may_repeat(index): picked = where(is_last(index, g.shape), picked, 0.0)
        extra = (1,) * (len(v_shape) - len(picked.shape))  # dimensions of size 1 that v alone had
        return reshape(picked, shape=(*extra, *picked.shape)) if extra else picked


@primitive
class gather:
    """y[.., i, ..] = x[.., index[.., i, ..], ..] along `dim`"""
    family = "gather"
    nondifferentiable = ("index",)
    def forward(xp, x, index, *, dim): return x.reshape(-1).take(numbered_along(index, x.shape, dim))
    def d_x(g, x_shape, index, dim): return scatter_sum(g, index, shape=x_shape, dim=dim)


@primitive
class scatter_sum:
    """y = zeros of `shape`, with y[.., index[.., i, ..], ..] += x[.., i, ..] along `dim`"""
    family = "gather"
    nondifferentiable = ("index",)
    def forward(xp, x, index, *, shape, dim):
        return summed(xp, x, shape, numbered_along(index, shape, dim), math.prod(shape), ())
    def d_x(g, index, dim): return gather(g, index, dim=dim)


@primitive
class embedding:
    """y = W[indices]; the row `padding_idx` gets no gradient"""
    family = "embedding"
    nondifferentiable = ("indices",)
    def forward(xp, weight, indices, *, padding_idx=None): return weight.take(indices, axis=0)
    def d_weight(g, weight_shape, indices, padding_idx):
        return embedding_gradient(g, indices, rows=weight_shape[0], padding_idx=padding_idx)


@primitive
class embedding_gradient:
    """dW[i] = Σ g over the places where index i stands"""
    family = "embedding_gradient"
    nondifferentiable = ("indices",)
    def forward(xp, g_rows, indices, *, rows, padding_idx=None):
        width = g_rows.shape[-1:]
        dW = summed(xp, g_rows, (rows, *width), indices, rows, width)
        if padding_idx is not None: dW[padding_idx] = 0
        return dW
    def d_g_rows(g, indices, padding_idx):
        y = embedding(g, indices)
        return y if padding_idx is None else y * (indices != padding_idx)[..., None]


def summed(xp, x, shape, rows, count, rest):
    """Zeros of `shape`, seen as `count` rows of shape `rest`, with the rows of x added to the rows `rows`."""
    values = x.astype(accumulator(x.dtype), copy=False).reshape(-1)
    numbers = rows.astype("int64", copy=False).reshape(-1)
    total = sums_by_number(xp, values, numbers, count, math.prod(rest))
    return total.astype(x.dtype, copy=False).reshape(shape)
