"""Floor 4: operations that count, and operations that find the place of something."""

from minigrad.kernels.numbered import weighted_counts
from minigrad.ops.index import gather
from minigrad.primitive import primitive


@primitive
class nonzero_:
    """y = the places where x is not 0, one row of numbers for each"""
    nondifferentiable = ("x",)
    def forward(xp, x):
        return xp.stack(xp.nonzero(x), axis=-1) if x.ndim else xp.zeros((int(bool(x)), 0), "int64")


@primitive
class isin_:
    """y = is x one of the elements of the test? (With invert=True: is it none of them?)"""
    promote = ("x", "test")
    nondifferentiable = ("x", "test")
    def forward(xp, x, test, *, assume_unique=False, invert=False):
        return xp.isin(x, test, assume_unique=assume_unique, invert=invert)


@primitive
class bincount_:
    """y[i] = how often i stands in x, or the sum of the weights of those places"""
    nondifferentiable = ("x",)
    def forward(xp, x, weights=None, *, minlength=0):
        if weights is None: return xp.bincount(x, None, minlength)
        y = weighted_counts(xp, x, weights.astype("float64", copy=False), minlength)
        return y.astype("float32" if weights.dtype == "float32" else "float64", copy=False)
    def d_weights(g, x): return gather(g, x, dim=0)


@primitive
class histc_:
    """yᵢ = how many elements of x lie in the i-th of `bins` equal parts of [low, high]"""
    nondifferentiable = ("x",)
    def forward(xp, x, *, bins, low, high):
        inside = x[(x >= low) & (x <= high)]
        places = ((inside - low) * bins / (high - low)).astype("int64")
        return xp.bincount(xp.minimum(places, bins - 1), minlength=bins).astype(x.dtype)


@primitive
class searchsorted_:
    """y = the number of elements of the sorted sequence that are < v, or with right=True ≤ v"""
    promote = ("sequence", "v")
    nondifferentiable = ("sequence", "v")
    def forward(xp, sequence, v, *, right=False, dtype="int64"):
        if sequence.ndim == 1:
            places = xp.searchsorted(sequence, v.reshape(-1), "right" if right else "left")
            return places.astype(dtype, copy=False).reshape(v.shape)
        both = (sequence, v) if right else (v, sequence)  # equal numbers will stay in this order
        start = v.shape[-1] * (not right)  # of the sequence, among both
        order = xp.argsort(xp.concatenate(both, axis=-1), axis=-1, kind="stable")
        before = xp.cumsum((order >= start) & (order < start + sequence.shape[-1]), axis=-1)
        ranks = xp.argsort(order, axis=-1)  # the place of each number in that order
        own = ranks[..., sequence.shape[-1] :] if right else ranks[..., : v.shape[-1]]
        return xp.take_along_axis(before, own, axis=-1).astype(dtype, copy=False)
