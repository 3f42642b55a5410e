"""Floor 4: operations that pick elements by number, and the operations that put them back.

Picking and adding-back are each other's derivative: getitem and put, gather and scatter, embedding and its
gradient.
"""

from minigrad.backend import scatter_add
from minigrad.ops.shape import reshape
from minigrad.primitive import primitive


@primitive
class getitem:
    """y = x[index]    (NumPy's indexing: integers, slices, None, Ellipsis, integer and bool arrays)"""
    view = True
    def forward(xp, x, *, index): return x[index]
    def d_x(g, x_shape, index): return put(g, shape=x_shape, index=index)


@primitive
class put:
    """y = zeros of `shape`, with y[index] += x; an index that occurs twice adds twice"""
    def forward(xp, x, *, shape, index):
        y = xp.zeros(shape, x.dtype)
        if is_basic(index): y[index] = x
        else: scatter_add(y, index, x)
        return y
    def d_x(g, index): return getitem(g, index=index)


@primitive
class setitem:
    """y = a copy of x in which y[index] = v"""
    def forward(xp, x, v, *, index):
        y = x.copy()
        y[index] = v
        return y
    def d_x(g, v_shape, index): return setitem(g, 0.0, index=index)
    def d_v(g, v_shape, index):
        picked = getitem(g, index=index)
        extra = (1,) * (len(v_shape) - len(picked.shape))  # dimensions of size 1 that v alone had
        return reshape(picked, shape=(*extra, *picked.shape)) if extra else picked


def is_basic(index) -> bool:
    """Does an index only slice, so that no element can be picked twice?"""
    parts = index if isinstance(index, tuple) else (index,)
    return all(part is None or part is Ellipsis or isinstance(part, int | slice) for part in parts)


@primitive
class gather:
    """y[.., i, ..] = x[.., index[.., i, ..], ..] along `dim`"""
    nondifferentiable = ("index",)
    def forward(xp, x, index, *, dim): return x[_along(xp, index, dim)]
    def d_x(g, x_shape, index, dim): return scatter(g, index, shape=x_shape, dim=dim)


@primitive
class scatter:
    """y = zeros of `shape`, with y[.., index[.., i, ..], ..] += x[.., i, ..] along `dim`"""
    nondifferentiable = ("index",)
    def forward(xp, x, index, *, shape, dim):
        y = xp.zeros(shape, x.dtype)
        scatter_add(y, _along(xp, index, dim), x)
        return y
    def d_x(g, index, dim): return gather(g, index, dim=dim)


def _along(xp, index, dim):
    """`index` for dimension `dim`, and for each other one the numbers 0, 1, ... as far as `index` goes."""
    grid = list(xp.meshgrid(*[xp.arange(n) for n in index.shape], indexing="ij", sparse=True))
    grid[dim] = index
    return tuple(grid)


@primitive
class embedding:
    """y = W[indices]; the row `padding_idx` gets no gradient"""
    nondifferentiable = ("indices",)
    def forward(xp, weight, indices, *, padding_idx=None): return weight[indices]
    def d_weight(g, weight_shape, indices, padding_idx):
        return embedding_gradient(g, indices, rows=weight_shape[0], padding_idx=padding_idx)


@primitive
class embedding_gradient:
    """dW[i] = Σ g over the places where index i stands"""
    nondifferentiable = ("indices",)
    def forward(xp, g_rows, indices, *, rows, padding_idx=None):
        dW = xp.zeros((rows, g_rows.shape[-1]), g_rows.dtype)
        flat = indices.reshape(-1)
        scatter_rows(xp, dW, flat, g_rows.reshape(flat.size, dW.shape[1]))
        if padding_idx is not None: dW[padding_idx] = 0
        return dW
    def d_g_rows(g, indices, padding_idx):
        y = embedding(g, indices)
        return y if padding_idx is None else y * (indices != padding_idx)[..., None]


def scatter_rows(xp, target, rows, values) -> None:
    """target[rows] += values, row by row. In place."""
    scatter_add(target, rows, values)
