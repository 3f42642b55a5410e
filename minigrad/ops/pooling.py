"""Floor 4: the largest number that each window sees.  (The mean is a convolution with equal weights.)"""

import math

from minigrad.ops.index import scatter_sum
from minigrad.ops.shape import reshape
from minigrad.ops.sliding import blocks, windows_of
from minigrad.primitive import primitive

FAMILY = "images"


@primitive
class max_pool:
    """(y, j): y = max x[n, c, l] over the places l of a window, of which number j is the first;  dx_j = g

    A nan is the largest of all.  Places outside of x are never chosen.
    """
    def forward(xp, x, *, kernel, size, grid):
        count, windows = math.prod(kernel), math.prod(size)
        lowest = -math.inf if x.dtype.kind == "f" else xp.iinfo(x.dtype).min
        numbers = xp.arange(math.prod(x.shape[2:])).reshape(1, 1, *x.shape[2:])
        places = windows_of(xp, numbers, kernel, size, grid, outside=-1).reshape(count, windows)  # (K, I)
        rank = xp.arange(count, 0, -1).reshape(count, 1) * (places >= 0)  # the first ranks highest
        rank = rank.astype("uint8" if count < 256 else "int32")
        y, first = xp.empty((*x.shape[:2], windows), x.dtype), xp.empty((*x.shape[:2], windows), "int64")
        for some in blocks(len(x), x.shape[1] * rank.size):
            seen = windows_of(xp, x[some], kernel, size, grid, lowest)
            seen = seen.reshape(*seen.shape[:2], count, windows)  # (N, C, K, I)
            y[some] = seen.max(axis=2)
            largest = (seen == y[some][:, :, None]) | xp.isnan(seen)
            first[some] = count - (largest * rank).max(axis=2)
        chosen = xp.minimum(first, count - 1) * windows + xp.arange(windows)  # no place at all: any
        shape = (*x.shape[:2], *size)
        return y.reshape(shape), xp.maximum(places.reshape(-1)[chosen], 0).reshape(shape)
    def d_x(g, y, x_shape):
        flat = (*x_shape[:2], math.prod(y[1].shape[2:]))
        values, places = reshape(g[0], shape=flat), reshape(y[1], shape=flat)
        whole = (*x_shape[:2], math.prod(x_shape[2:]))
        return reshape(scatter_sum(values, places, shape=whole, dim=2), shape=x_shape)
