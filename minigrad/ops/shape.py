"""Floor 4: operations that move elements and change none.  The derivative of each is another of them.

Letters in comments: B batch, T time, H features.
"""

from itertools import accumulate

from minigrad.backend import strided, unbroadcast
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
class roll:
    """y = x moved by `shifts` along `dims`: what leaves at one end comes in at the other"""
    family = "axis"
    def forward(xp, x, *, shifts, dims): return xp.roll(x, shifts, dims)
    def d_x(g, shifts, dims): return roll(g, shifts=tuple(-shift for shift in shifts), dims=dims)


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


@primitive
class diagonal:
    """y_i = x_{i,i+offset} in the two dimensions `dims` of x, counted from the end; i comes last"""
    family = "trailing"
    view = True
    def forward(xp, x, *, offset, dims):
        others = [dim for dim in range(-x.ndim, 0) if dim not in dims]
        below, above = max(-offset, 0), max(offset, 0)
        matrices = x.transpose((*others, *dims))[..., below:, above:]
        size = min(matrices.shape[-2:])  # einsum gives a view that, unlike xp.diagonal's, can be written to
        return xp.einsum("...ii->...i", matrices[..., :size, :size])
    def d_x(g, x_shape, offset, dims):
        return put_diagonal(g, offset=offset, dims=dims, sizes=tuple(x_shape[dim] for dim in dims))


@primitive
class put_diagonal:
    """y_{i,i+offset} = x_i and 0 elsewhere: two dimensions `dims` of these `sizes` for the last of x"""
    family = "trailing"
    def forward(xp, x, *, offset, dims, sizes):
        new, kept = dict(zip(dims, sizes, strict=True)), iter(x.shape)
        shape = [new[dim] if dim in new else next(kept) for dim in range(-x.ndim - 1, 0)]
        y = xp.zeros(shape, x.dtype)
        diagonal.forward(xp, y, offset=offset, dims=dims)[...] = x
        return y
    def d_x(g, offset, dims): return diagonal(g, offset=offset, dims=dims)


@primitive
class pad:
    """y = x with `value` around it, as often as `widths` says: (before, after) for its last dimensions"""
    family = "trailing"
    def forward(xp, x, *, widths, value=0):
        first = x.ndim - len(widths)
        inside = [slice(before, before + n) for n, (before, _) in zip(x.shape[first:], widths, strict=True)]
        sizes = [before + n + after for n, (before, after) in zip(x.shape[first:], widths, strict=True)]
        y = xp.full((*x.shape[:first], *sizes), value, x.dtype)
        y[(..., *inside)] = x
        return y
    def d_x(g, x_shape, widths):
        for dim, (before, _) in zip(range(-len(widths), 0), widths, strict=True):
            g = narrow(g, dim=dim, start=before, length=x_shape[dim])
        return g


@primitive
class windows:
    """y_{.. i .. j} = x_{.. i step + j ..}: windows of `size` along `dim`, which counts from the end"""
    family = "trailing"
    view = True
    def forward(xp, x, *, dim, size, step):
        count, stride = (x.shape[dim] - size) // step + 1, x.strides[dim]
        shape, strides = [*x.shape, size], [*x.strides, stride]
        shape[dim - 1], strides[dim - 1] = count, stride * step
        return strided(x, shape, strides, writeable=step >= size)
    def d_x(g, x_shape, dim, step): return sum_windows(g, dim=dim, length=x_shape[dim], step=step)


@primitive
class sum_windows:
    """y_k = Σ x_{.. i .. j} over all i step + j = k: each window laid back where it comes from"""
    family = "trailing"
    def forward(xp, x, *, dim, length, step):
        *shape, size = x.shape
        count, shape[dim] = shape[dim], length
        y = xp.zeros(shape, x.dtype)
        for j in range(size):
            y[_along(y.ndim, dim, slice(j, j + step * (count - 1) + 1, step))] += x[..., j]
        return y
    def d_x(g, x_shape, dim, step): return windows(g, dim=dim, size=x_shape[-1], step=step)


def split_sizes(name: str, total: int, size: int | tuple[int, ...]) -> tuple[int, ...]:
    """The lengths of the pieces of `split`: all of `size`, the last perhaps shorter, or the lengths given."""
    if isinstance(size, int):
        if size < 0 or size == 0 < total:
            raise ValueError(f"{name}(): split size must be positive, got {size}")
        return tuple(min(size, total - start) for start in range(0, max(total, 1), max(size, 1)))
    if min(size, default=0) < 0: raise ValueError(f"{name}(): sizes must not be negative, got {tuple(size)}")
    if sum(size) != total:
        raise ShapeError(f"{name}(): sizes {tuple(size)} sum to {sum(size)}, expected {total}")
    return tuple(size)
