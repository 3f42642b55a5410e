"""Floor 4: which element comes where when elements are put in order.  nan counts as the largest number.

These cards give indices, which have no gradient; `gather` then fetches the values, and takes the gradient
back to where they came from.
"""

from minigrad.ops.reduce import shared_among_ties
from minigrad.ops.scan import doubled
from minigrad.primitive import primitive

FAMILY = "axis"  # how vmap batches the cards of this file


@primitive
class argsort_:
    """y = the indices that put x in order along `dim`; stable: equal elements keep their order"""
    nondifferentiable = ("x",)
    def forward(xp, x, *, dim=-1, descending=False, stable=False):
        return in_order(xp, x, dim, descending, "stable" if stable else None)


def in_order(xp, x, dim, descending, kind):
    """The indices that put x in order along `dim`."""
    if not descending: return xp.argsort(x, axis=dim, kind=kind)
    return x.shape[dim] - 1 - xp.flip(xp.argsort(xp.flip(x, dim), axis=dim, kind=kind), dim)


@primitive
class top_indices:
    """y = the indices of the k ≥ 1 largest (or smallest) elements along `dim`, in order if `ordered`"""
    nondifferentiable = ("x",)
    def forward(xp, x, *, k, dim, largest=True, ordered=True):
        start = x.shape[dim] - k if largest else 0
        places = xp.argpartition(x, start if largest else k - 1, axis=dim)
        chosen = places[(*[slice(None)] * dim, slice(start, start + k))].copy()
        if not ordered: return chosen
        inside = in_order(xp, xp.take_along_axis(x, chosen, axis=dim), dim, largest, None)
        return xp.take_along_axis(chosen, inside, axis=dim)


@primitive
class kth_index:
    """y = the index of the k-th smallest element along `dim`, k = 1, 2, …"""
    nondifferentiable = ("x",)
    def forward(xp, x, *, k, dim): return xp.argpartition(x, k - 1, axis=dim).take([k - 1], axis=dim)


@primitive
class median_index:
    """y = the index of the median along `dim`, the lower of two; of a nan if there is one, unless skipped"""
    nondifferentiable = ("x",)
    def forward(xp, x, *, dim, skip_nan=False):
        lost = xp.isnan(x).sum(axis=dim, keepdims=True)
        present = x.shape[dim] - lost
        place = xp.maximum(present - 1, 0) // 2
        if not skip_nan: place = xp.where(lost > 0, present, place)
        return xp.take_along_axis(xp.argsort(x, axis=dim), place, axis=dim)


@primitive
class median_:
    """y = the median over `dim`, the lower of two; its equals share the gradient equally"""
    def forward(xp, x, *, dim=None, skip_nan=False):
        dims = tuple(range(x.ndim)) if dim is None else dim
        rows = xp.moveaxis(x, dims, tuple(range(-len(dims), 0)))
        rows = rows.reshape(*rows.shape[: x.ndim - len(dims)], -1)
        index = median_index(rows, dim=rows.ndim - 1, skip_nan=skip_nan)
        return xp.take_along_axis(rows, index, axis=-1)[..., 0]
    def d_x(g, x, y, x_shape, dim): return shared_among_ties(g, x, y, x_shape, dim)


@primitive
class mode_index:
    """y = the index of the most frequent element along `dim`: of the smallest such, its last occurrence"""
    nondifferentiable = ("x",)
    def forward(xp, x, *, dim):
        order = xp.argsort(x, axis=dim, kind="stable")
        values = xp.moveaxis(xp.take_along_axis(x, order, axis=dim), dim, 0)
        number = xp.arange(len(values)).reshape(-1, *[1] * (x.ndim - 1))
        opens = xp.concatenate([xp.ones_like(values[:1], dtype="bool"), values[1:] != values[:-1]])
        start = doubled(xp, xp.maximum, xp.where(opens, number, 0))  # where the run of equals began
        longest = xp.argmax(number - start, axis=0, keepdims=True)
        return xp.take_along_axis(order, xp.moveaxis(longest, 0, dim), axis=dim)


# ---------------------------------------------------------------- elements that differ


@primitive
class unique_:
    """y = the different elements of x, or slices along `dim`, in order; (y, inverse, counts) as asked for"""
    family = ""  # how many there are differs from example to example
    nondifferentiable = ("x",)
    def forward(xp, x, *, inverse=False, counts=False, dim=None):
        found = xp.unique(x, return_inverse=inverse, return_counts=counts, axis=dim, equal_nan=False)
        if not inverse: return found
        y, places, *rest = found
        return y, places.reshape(x.shape if dim is None else -1), *rest


@primitive
class unique_consecutive_:
    """y = x without those elements, or slices along `dim`, that equal the one before"""
    family = ""
    nondifferentiable = ("x",)
    def forward(xp, x, *, inverse=False, counts=False, dim=None):
        slices = x.reshape(-1) if dim is None else xp.moveaxis(x, dim, 0)
        opens = xp.ones(len(slices), "bool")
        opens[1:] = (slices[1:] != slices[:-1]).any(axis=tuple(range(1, slices.ndim)))
        places = xp.flatnonzero(opens)
        y = xp.take(x, places, axis=dim)
        if not inverse and not counts: return y
        number = xp.cumsum(opens) - 1
        ends = xp.concatenate([places[1:], xp.full(min(len(slices), 1), len(slices))])
        extra = [number.reshape(x.shape if dim is None else -1)] if inverse else []
        return y, *extra, *([ends - places] if counts else [])
