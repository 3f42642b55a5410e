"""Floor 4: operations that send numbers to elements, where they replace what stands there or are reduced.

source[.., i, ..] is sent to place index[.., i, ..] along `dim`.  For sums see scatter_sum in index.py.
"""

import math

from minigrad.backend import accumulator
from minigrad.indexing import numbered_along
from minigrad.kernels.numbered import extremes_by_number
from minigrad.kernels.writing import put, stays
from minigrad.ops.choosing import where
from minigrad.ops.elementwise import cast
from minigrad.ops.index import gather, scatter_sum
from minigrad.primitive import primitive

FAMILY = "gather"


@primitive
class scatter_:
    """y = x, with the source at the places where it is sent; of what is sent to one place the last stays"""
    nondifferentiable = ("index",)
    def forward(xp, x, source, index, *, dim):
        y = x.copy()
        put(y.reshape(-1), numbered_along(index, x.shape, dim).reshape(-1), source.reshape(-1))
        return y
    def d_x(g, index, dim): return scatter_(g, cast(index < 0, dtype=g.dtype), index, dim=dim)
    def d_source(g, index, dim):
        return where(is_sent_last(index, shape=g.shape, dim=dim), gather(g, index, dim=dim), 0.0)


@primitive
class is_sent_last:
    """y = is nothing sent later to the same of the places of `shape`?"""
    nondifferentiable = ("index",)
    def forward(xp, index, *, shape, dim):
        return stays(xp, numbered_along(index, shape, dim), math.prod(shape))


def _extreme(name: str, ufunc: str, word: str):
    """The card of one of the two.  Ties share the gradient equally, x among them if it counts itself."""
    def forward(xp, x, source, index, *, dim, include_self=True):
        wide = accumulator(x.dtype)
        y, numbers = x.astype(wide).reshape(-1), numbered_along(index, x.shape, dim).reshape(-1)
        values = source.astype(wide, copy=False).reshape(-1)
        if not include_self: y[numbers] = values
        y = extremes_by_number(xp, ufunc, y, numbers, values)
        return y.astype(x.dtype, copy=False).reshape(x.shape)
    def d(g, x, source, index, y, dim, include_self):
        def arriving(values): return scatter_sum(cast(values, dtype=g.dtype), index, shape=g.shape, dim=dim)
        attained = source == gather(y, index, dim=dim)
        own = x == y if include_self else arriving(index >= 0) == 0
        count = arriving(attained) + own
        share = g / (count + (count == 0))  # nan is equal to nothing
        return share * own, gather(share, index, dim=dim) * attained, None
    doc = f"y = the {word} of x and of what is sent there"
    body = {"__doc__": doc, "nondifferentiable": ("index",), "forward": forward, "d": d}
    return primitive(type(name, (), body))


scatter_amax = _extreme("scatter_amax", "maximum", "largest")
scatter_amin = _extreme("scatter_amin", "minimum", "smallest")
