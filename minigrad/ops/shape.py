"""Floor 4: operations that move elements and change none.  The derivative of each is another of them.

Letters in comments: B batch, T time, H features.
"""

from itertools import accumulate

from minigrad.backend import unbroadcast
from minigrad.errors import ShapeError
from minigrad.primitive import primitive


@primitive
class reshape:
    """y = the elements of x, in the same order, in another shape"""
    family = "reshape"
    view = True
    def forward(xp, x, *, shape): return x.reshape(shape)
    def d_x(g, x_shape): return reshape(g, shape=x_shape)


@primitive
class permute:
    """y = x with its dimensions in the order `dims`"""
    family = "permute"
    view = True
    def forward(xp, x, *, dims): return x.transpose(dims)
    def d_x(g, dims): return permute(g, dims=inverse_permutation(dims))


def inverse_permutation(dims: tuple[int, ...]) -> tuple[int, ...]:
    """The order that undoes the order `dims`."""
    return tuple(sorted(range(len(dims)), key=lambda i: dims[i] % len(dims)))


@primitive
class mT:
    """y = xᵀ over the last two dimensions"""
    family = "trailing"
    view = True
    def forward(xp, x): return x.swapaxes(-1, -2)
    def d_x(g): return mT(g)


@primitive
class broadcast_to:
    """y = x, seen at a larger shape; the gradient is summed over the copies"""
    family = "broadcast_to"
    view = True
    def forward(xp, x, *, shape): return xp.broadcast_to(x, shape)
    def d_x(g, x_shape): return sum_to(g, shape=x_shape)


@primitive
class sum_to:
    """y = the sum of x over the dimensions that broadcasting from `shape` would add or stretch"""
    family = "sum_to"
    def forward(xp, x, *, shape): return unbroadcast(x, shape)
    def d_x(g, x_shape): return broadcast_to(g, shape=x_shape)


@primitive
class flip:
    """y = x with the order of the dimensions `dims` reversed"""
    family = "axis"
    def forward(xp, x, *, dims): return xp.flip(x, dims).copy()
    def d_x(g, dims): return flip(g, dims=dims)


@primitive
class cat:
    """y = the tensors one behind the other along `dim`"""
    family = "join"
    def forward(xp, *xs, dim=0): return xp.concatenate(xs, axis=dim)
    def d_xs(g, xs_shape, dim):
        ends = list(accumulate(shape[dim] for shape in xs_shape))
        return [narrow(g, dim=dim, start=end - shape[dim], length=shape[dim])
                for end, shape in zip(ends, xs_shape, strict=True)]


@primitive
class stack:
    """y = the tensors side by side along a new dimension `dim`"""
    family = "join"
    def forward(xp, *xs, dim=0): return xp.stack(xs, axis=dim)
    def d_xs(g, xs_shape, dim): return [select(g, dim=dim, index=i) for i in range(len(xs_shape))]


@primitive
class narrow:
    """y = `length` entries of x from `start` on along `dim`"""
    family = "axis"
    view = True
    def forward(xp, x, *, dim, start, length): return x[_along(x.ndim, dim, slice(start, start + length))]
    def d_x(g, x_shape, dim, start, length): return widen(g, size=x_shape[dim], dim=dim, start=start)


@primitive
class widen:
    """y = zeros, `size` of them along `dim`, with x from `start` on"""
    family = "axis"
    def forward(xp, x, *, size, dim, start):
        shape = (*x.shape[: dim % x.ndim], size, *x.shape[dim % x.ndim + 1 :])
        y = xp.zeros(shape, x.dtype)
        y[_along(x.ndim, dim, slice(start, start + x.shape[dim]))] = x
        return y
    def d_x(g, x_shape, dim, start): return narrow(g, dim=dim, start=start, length=x_shape[dim])


@primitive
class select:
    """y = x at `index` along `dim`, which disappears"""
    family = "axis"
    view = True
    def forward(xp, x, *, dim, index): return x[_along(x.ndim, dim, index)]
    def d_x(g, x_shape, dim, index):
        kept = (*x_shape[: dim % len(x_shape)], 1, *x_shape[dim % len(x_shape) + 1 :])
        return widen(reshape(g, shape=kept), size=x_shape[dim], dim=dim, start=index % x_shape[dim])


def _along(ndim: int, dim: int, index) -> tuple:
    """An index into dimension `dim` alone."""
    return (*[slice(None)] * (dim % ndim), index, ...)  # with ..., an element of a vector is a view, too


@primitive
class tril:
    """y = x below and on the diagonal number `diagonal`, zero above"""
    family = "trailing"
    def forward(xp, x, *, diagonal=0): return xp.tril(x, diagonal)
    def d_x(g, diagonal): return tril(g, diagonal=diagonal)


@primitive
class triu:
    """y = x above and on the diagonal number `diagonal`, zero below"""
    family = "trailing"
    def forward(xp, x, *, diagonal=0): return xp.triu(x, diagonal)
    def d_x(g, diagonal): return triu(g, diagonal=diagonal)


def split_sizes(name: str, total: int, size: int | tuple[int, ...]) -> tuple[int, ...]:
    """The lengths of the pieces of `split`: all of `size`, the last perhaps shorter, or the lengths given."""
    if isinstance(size, int):
        if size <= 0: raise ValueError(f"{name}(): split size must be positive, got {size}")
        return tuple(min(size, total - start) for start in range(0, max(total, 1), size))
    if min(size, default=0) < 0: raise ValueError(f"{name}(): sizes must not be negative, got {tuple(size)}")
    if sum(size) != total:
        raise ShapeError(f"{name}(): sizes {tuple(size)} sum to {sum(size)}, expected {total}")
    return tuple(size)
